// Queues: order, batches, waiting runs, closing and its errors, padding, priorities, shuffling as TensorFlow shuffles; runners and coordinators.

import * as tf from "tensorloom";
import { describe, expect, test } from "vitest";

async function inSession<T>(build: () => T, use: (session: tf.Session, built: T) => Promise<void>): Promise<void> {
  const graph = new tf.Graph();
  const built = graph.asDefault(build);
  const session = new tf.Session({ graph });
  await use(session, built).finally(() => session.close());
}

const floats = { shapes: [[]] } as const;

describe("a queue", () => {
  test("gives in order what it was brought, one by one and in batches", () =>
    inSession(
      () => {
        const queue = new tf.FIFOQueue(10, [tf.float32, tf.string], { shapes: [[2], []] });
        const values = tf.constant([
          [1, 2],
          [3, 4],
          [5, 6],
        ]);
        const many = queue.enqueueMany([values, ["a", "b", "c"]]);
        return { many, one: queue.dequeue(), two: queue.dequeueMany(2), size: queue.size(), queue };
      },
      async (session, { many, one, two, size }) => {
        await session.run(many);
        expect((await session.run(size)).item()).toBe(3);
        expect((await session.run([...one])).map(array => array.toArray())).toEqual([[1, 2], "a"]);
        expect(two[0].shape.dims).toEqual([2, 2]);
        expect((await session.run([...two])).map(array => array.toArray())).toEqual([
          [
            [3, 4],
            [5, 6],
          ],
          ["b", "c"],
        ]);
      },
    ));

  test("hands a batch through that is larger than it", () =>
    inSession(
      () => {
        const queue = new tf.FIFOQueue(2, tf.float32, floats);
        return { many: queue.enqueueMany([tf.range(10, { dtype: "float32" })]), batch: queue.dequeueMany(10) };
      },
      async (session, { many, batch }) => {
        const brought = session.run(many);
        expect((await session.run(batch)).toArray()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
        await brought;
      },
    ));

  test("lets runs wait for each other", () =>
    inSession(
      () => {
        const queue = new tf.FIFOQueue(1, tf.float32, floats);
        const x = tf.placeholder(tf.float32, []);
        return { x, put: queue.enqueue(x), doubled: queue.dequeue().mul(2), three: queue.dequeueMany(3) };
      },
      async (session, { x, put, doubled, three }) => {
        const waiting = session.run(doubled);
        await session.run(put, [[x, 21]]);
        expect((await waiting).item()).toBe(42);
        const puts = [1, 2, 3].map(value => session.run(put, [[x, value]]));
        expect((await session.run(three)).toArray()).toEqual([1, 2, 3]);
        await Promise.all(puts);
      },
    ));

  test("closed, it gives what it has and then says that there is no more", () =>
    inSession(
      () => {
        const queue = new tf.FIFOQueue(10, tf.float32, floats);
        return {
          put: queue.enqueueMany([tf.constant([1, 2, 3])]),
          close: queue.close(),
          isClosed: queue.isClosed(),
          two: queue.dequeueMany(2),
          rest: queue.dequeueUpTo(2),
        };
      },
      async (session, { put, close, isClosed, two, rest }) => {
        await session.run(put);
        await session.run(close);
        expect((await session.run(isClosed)).item()).toBe(true);
        await expect(session.run(put)).rejects.toThrow(/^FIFOQueue '_0_fifo_queue' is closed\./);
        await expect(session.run(close)).rejects.toThrow(/^Queue '_0_fifo_queue' is already closed\./);
        expect((await session.run(two)).toArray()).toEqual([1, 2]);
        const text = /^FIFOQueue '_0_fifo_queue' is closed and has insufficient elements \(requested 2, current size 1\)/;
        await expect(session.run(two)).rejects.toThrow(text);
        await expect(session.run(two)).rejects.toBeInstanceOf(tf.errors.OutOfRangeError);
        expect((await session.run(rest)).toArray()).toEqual([3]);
      },
    ));

  test("closing ends what waits", () =>
    inSession(
      () => {
        const queue = new tf.FIFOQueue(1, tf.float32, floats);
        return { put: queue.enqueue(1), get: queue.dequeue(), close: queue.close(), cancel: queue.close({ cancelPendingEnqueues: true }) };
      },
      async (session, { put, get, cancel }) => {
        await session.run(put);
        const waiting = session.run(put);
        const outcome = expect(waiting).rejects.toThrow(/^Enqueue operation was cancelled/);
        await session.run(cancel);
        await outcome;
        expect((await session.run(get)).item()).toBe(1);
        await expect(session.run(get)).rejects.toThrow(/insufficient elements \(requested 1, current size 0\)/);
      },
    ));

  test("refuses other shapes, and batches without shapes", () =>
    inSession(
      () => {
        const shaped = new tf.FIFOQueue(3, tf.float32, { shapes: [[2]] });
        const x = tf.placeholder(tf.float32);
        const bare = new tf.FIFOQueue(3, tf.float32);
        return { x, put: shaped.enqueue(x), put2: shaped.enqueueMany(x), many: bare.dequeueMany(2) };
      },
      async (session, { x, put, put2, many }) => {
        const one = /^Shape mismatch in tuple component 0\. Expected \[2\], got \[3\]/;
        await expect(session.run(put, [[x, [1, 2, 3]]])).rejects.toThrow(one);
        const batch = /^Shape mismatch in tuple component 0\. Expected \[1,2\], got \[1,3\]/;
        await expect(session.run(put2, [[x, [[1, 2, 3]]]])).rejects.toThrow(batch);
        const text = /^FIFOQueue's DequeueMany and DequeueUpTo require the components to have specified shapes\./;
        await expect(session.run(many)).rejects.toThrow(text);
      },
    ));

  test("pads, and sorts by priority", () =>
    inSession(
      () => {
        const padding = new tf.PaddingFIFOQueue(5, tf.int32, [[null]]);
        const put = [[1], [2, 3, 4]].map(row => padding.enqueue(tf.constant(row, tf.int32)));
        const sorted = new tf.PriorityQueue(5, tf.string, floats);
        const words = sorted.enqueueMany([tf.constant([30, 10, 20], tf.int64), ["c", "a", "b"]]);
        return { put, padded: padding.dequeueMany(2), words, first: sorted.dequeue()[1] };
      },
      async (session, { put, padded, words, first }) => {
        await session.run(put[0]);
        await session.run(put[1]);
        expect((await session.run(padded)).toArray()).toEqual([
          [1, 0, 0],
          [2, 3, 4],
        ]);
        await session.run(words);
        for (const word of ["a", "b", "c"]) expect((await session.run(first)).item()).toBe(word);
      },
    ));

  // Recorded from TensorFlow 2.21.
  test("shuffles as TensorFlow does", () =>
    inSession(
      () => {
        const queue = new tf.RandomShuffleQueue(20, 0, tf.int32, { shapes: [[]], seed: 7 });
        return { put: queue.enqueueMany([tf.range(10)]), all: queue.dequeueMany(10) };
      },
      async (session, { put, all }) => {
        await session.run(put);
        expect((await session.run(all)).toArray()).toEqual([7, 1, 5, 6, 4, 3, 2, 0, 9, 8]);
      },
    ));
});

describe("runners", () => {
  test("feed batches until the epochs end", () =>
    inSession(
      () => {
        const [x, y] = tf.train.sliceInputProducer([tf.constant([1, 2, 3, 4, 5]), ["a", "b", "c", "d", "e"]], {
          numEpochs: 2,
          shuffle: false,
        });
        const [xs, ys] = tf.train.batch([x, y], 4, { allowSmallerFinalBatch: true });
        return { xs, ys, start: tf.group(tf.localVariablesInitializer(), tf.globalVariablesInitializer()) };
      },
      async (session, { xs, ys, start }) => {
        await session.run(start);
        const coord = new tf.train.Coordinator();
        const threads = tf.train.startQueueRunners({ sess: session, coord });
        const seen: unknown[] = [];
        await expect(
          (async () => {
            for (;;) {
              const [a, b] = await session.run([xs, ys]);
              seen.push(a.toArray(), b.toArray());
            }
          })(),
        ).rejects.toBeInstanceOf(tf.errors.OutOfRangeError);
        expect(seen).toEqual([
          [1, 2, 3, 4],
          ["a", "b", "c", "d"],
          [5, 1, 2, 3],
          ["e", "a", "b", "c"],
          [4, 5],
          ["d", "e"],
        ]);
        coord.requestStop();
        await coord.join(threads);
      },
    ));

  test("batch sparse tensors, beside dense ones and from several sources", () =>
    inSession(
      () => {
        const sparse = (): tf.SparseTensor =>
          tf.sparse.fromDense(
            tf.constant(
              [
                [0, 1, 2],
                [3, 0, 0],
              ],
              tf.int32,
            ),
          );
        const one = tf.train.batch([sparse()], 2);
        const kept = tf.train.maybeBatch([sparse(), tf.constant([1, 2])], tf.constant([true, false]), 2, { enqueueMany: true });
        const several = tf.train.batchJoin([[sparse()], [sparse()]], 1);
        return { one, kept, several };
      },
      async (session, { one, kept, several }) => {
        // TensorFlow's store, by the name of the node that fills it.
        const store = session.graph.getOperationByName("batch_join/AddSparseToTensorsMap_1");
        expect(store.getAttr("shared_name")).toBe("batch_join/AddSparseToTensorsMap");
        expect(one.indices.shape.dims).toEqual([null, 3]);
        const coord = new tf.train.Coordinator();
        const threads = tf.train.startQueueRunners({ sess: session, coord });
        const { indices, values, denseShape } = await session.run(one);
        expect([indices, values, denseShape].map(array => array.toArray())).toEqual([
          [
            [0n, 0n, 1n],
            [0n, 0n, 2n],
            [0n, 1n, 0n],
            [1n, 0n, 1n],
            [1n, 0n, 2n],
            [1n, 1n, 0n],
          ],
          [1, 2, 3, 1, 2, 3],
          [2n, 2n, 3n],
        ]);
        const rows = session.graph.getTensorByName("batch_1/control_dependency_1:0");
        const [taken, ones] = await session.run([rows, kept[1]]);
        expect([taken.toArray(), ones.toArray()]).toEqual([
          [1, 2, 1, 2],
          [1, 1],
        ]);
        const shape = await session.run(session.graph.getTensorByName("batch_join/TakeManySparseFromTensorsMap:2"));
        expect(shape.toArray()).toEqual([1n, 2n, 3n]);
        expect(several).toBeInstanceOf(tf.SparseTensor);
        coord.requestStop();
        await coord.join(threads);
      },
    ));

  test("have names and places as in TensorFlow", () =>
    inSession(
      () => {
        tf.train.stringInputProducer(["one"], { shuffle: false, numEpochs: 1 });
        return {};
      },
      async session => {
        for (const name of ["input_producer/Identity", "input_producer/limit_epochs"])
          expect(session.graph.getOperationByName(name).colocationGroups()).toEqual([`loc:@${name}`]);
      },
    ));

  test("stop when asked, also while they wait", () =>
    inSession(
      () => {
        const names = tf.train.stringInputProducer(["one", "two"], { shuffle: false, capacity: 3 });
        return { name: names.dequeue() };
      },
      async (session, { name }) => {
        const coord = new tf.train.Coordinator();
        const threads = tf.train.startQueueRunners({ sess: session, coord });
        for (const word of ["one", "two", "one"]) expect((await session.run(name)).item()).toBe(word);
        coord.requestStop();
        await coord.join(threads);
        expect(threads.some(thread => thread.isAlive)).toBe(false);
      },
    ));

  test("a failing one stops all, and join throws its error", () =>
    inSession(
      () => {
        const bad = tf.checkNumerics(tf.constant([1]).div(tf.constant([0])), "no number");
        return tf.train.batch([bad], 2);
      },
      async session => {
        const coord = new tf.train.Coordinator();
        const threads = tf.train.startQueueRunners({ sess: session, coord });
        await expect(coord.join(threads)).rejects.toThrow(/no number/);
      },
    ));

  test("joins promises as well, and an error of one is thrown", async () => {
    const coord = new tf.train.Coordinator();
    const steps: number[] = [];
    const work = async (by: number): Promise<void> => {
      while (!coord.shouldStop()) {
        await undefined;
        steps.push(by);
        if (steps.length > 4) coord.requestStop();
      }
    };
    await coord.join([work(1), work(2)]);
    expect(steps.slice(0, 4)).toEqual([1, 2, 1, 2]);
    coord.clearStop();
    await expect(coord.join([Promise.reject(new Error("worker failed"))])).rejects.toThrow("worker failed");
  });
});

test("one is chosen from a list while running", () =>
  inSession(
    () => {
      const index = tf.placeholder("int32");
      const queues = [2, 3].map(size => new tf.FIFOQueue(3, [tf.float32], { shapes: [[size]], name: "of" }));
      const chosen = tf.QueueBase.fromList(index, queues);
      const next = chosen.dequeue({ name: "next" });
      expect([String(chosen.shapes), next.shape.dims, chosen.name]).toEqual(["(?,)", [null], "GatherV2"]);
      expect(() => tf.QueueBase.fromList(index, [])).toThrow(/^A list of queues expected/);
      const own = [chosen.enqueue([[1, 2]]), queues[1].enqueue([[3, 4, 5]])];
      return { index, own, next, size: chosen.size(), next2: tf.QueueBase.fromList(tf.constant(1, tf.int32), queues).dequeue() };
    },
    async (session, { index, own: [brings, bringsOther], next, size, next2 }) => {
      await session.run([brings, bringsOther], [[index, 0]]);
      expect((await session.run(size, [[index, 1]])).item()).toBe(1);
      expect((await session.run(next, [[index, [0, 1]]])).toArray()).toEqual([1, 2]);
      expect((await session.run(size, [[index, 0]])).item()).toBe(0);
      expect((await session.run(next2)).toArray()).toEqual([3, 4, 5]);
      await expect(session.run(size, [[index, 2]])).rejects.toThrow(/is not in \[0, 2\)/);
      await expect(session.run(brings, [[index, 1]])).rejects.toThrow(/^Shape mismatch in tuple component 0\. Expected \[3\], got \[2\]/);
      await expect(session.run(size, [[index, []]])).rejects.toThrow(/^'GatherV2_Size' takes a resource, but none is chosen\./);
    },
  ));

test("what has to be known while compiling is not chosen while running", () =>
  inSession(
    () => {
      const handles = [0, 1].map(i => tf.getVariable(`v${i}`, [], { useResource: true }).handle);
      const kept = ["a", "b"].map(sharedName => tf.rawOps.StackV2({ maxSize: 2, elemType: "float32", stackName: sharedName }));
      return [tf.stack(handles), tf.stack(kept)].map(many => tf.rawOps.VarIsInitializedOp({ resource: tf.gather(many, 1) }));
    },
    async (session, reads) => {
      for (const read of reads) await expect(session.run(read)).rejects.toThrow(/^Pack of resources is not there: 'stack(_1)?' reads /);
    },
  ));

test("what a queue gives is typed as one tensor, several, or by name", () =>
  inSession(
    () => {
      const queue = new tf.FIFOQueue(2, [tf.float32, tf.int32], { shapes: [[], []], name: "pairs" });
      return { enqueue: queue.enqueue([1.5, 2]), next: queue.dequeue() };
    },
    async (session, { enqueue, next }) => {
      await session.run(enqueue);
      const [x, n] = await session.run(next);
      expect([x.item(), n.item()]).toEqual([1.5, 2]);
    },
  ));
