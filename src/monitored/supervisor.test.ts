// A supervised session as programs of 2016 had it: trains, saves, writes summaries; the next one goes on where it ended.

import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as tf from "tensorloom";
import { afterAll, expect, it } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "supervised-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function model() {
  const globalStep = tf.train.createGlobalStep();
  const w = tf.getVariable("w", [], { initializer: tf.constantInitializer(1) });
  const loss = tf.square(w.sub(3));
  tf.summary.scalar("loss", loss);
  return { w, globalStep, train: new tf.train.GradientDescentOptimizer(0.1).minimize(loss, { globalStep }) };
}

it("initializes, saves and restores", async () => {
  const after = async (steps: number): Promise<number[] | undefined> => {
    using _ = new tf.Graph().asDefault();
    const { w, globalStep, train } = model();
    const supervisor = new tf.train.Supervisor({ logdir: folder, saveSummariesSecs: 0, saveModelSecs: 0 });
    return supervisor.managedSession(async session => {
      expect(supervisor.shouldStop()).toBe(false);
      for (let i = 0; i < steps; i++) await session.run(train);
      await supervisor.saver?.save(session, supervisor.savePath as string, { globalStep: supervisor.globalStep });
      return (await session.run([w, globalStep])).map(value => Number((value as tf.NDArray).item()));
    });
  };
  const [first, step] = (await after(2)) ?? [];
  expect(first).toBeCloseTo(3 - 2 * 0.8 ** 2, 5);
  expect(step).toBe(2);
  const [second, next] = (await after(1)) ?? [];
  expect(second).toBeCloseTo(3 - 2 * 0.8 ** 3, 5);
  expect(next).toBe(3);
});

interface Seen {
  readonly step: number;
  readonly what: string;
}

/** Steps and kinds of the events of a folder's files, in order. */
async function eventsOf(folder: string): Promise<Seen[]> {
  const seen: Seen[] = [];
  for (const name of readdirSync(folder).filter(name => name.startsWith("events.")))
    for await (const { step, graphDef, metaGraphDef, sessionLog, summary } of tf.train.summaryIterator(join(folder, name))) {
      const what = graphDef?.length
        ? "graph"
        : metaGraphDef?.length
          ? "meta graph"
          : sessionLog
            ? `session ${sessionLog.status}`
            : (summary?.value ?? []).map(({ tag }) => tag).join();
      seen.push({ step: Number(step), what });
    }
  return seen;
}

// TensorFlow 2.21's files and events for the same program.
it("saves and writes summaries and steps per second by itself, from the start; an end of the input is a good end", async () => {
  const own = join(folder, "own");
  using _ = new tf.Graph().asDefault();
  const { globalStep } = model();
  const count = tf.assignAdd(globalStep as tf.Variable, 1);
  const supervisor = new tf.train.Supervisor({ logdir: own, saveSummariesSecs: 1000, saveModelSecs: 1000 });
  const result = await supervisor.managedSession(async session => {
    await new Promise(resolve => setTimeout(resolve, 50));
    await session.run(count);
    throw new tf.errors.OutOfRangeError("end");
  });
  expect(result).toBeUndefined();
  const names = readdirSync(own).filter(name => !name.startsWith("events."));
  expect(names.sort()).toEqual([
    "checkpoint",
    "graph.pbtxt",
    "model.ckpt-0.data-00000-of-00001",
    "model.ckpt-0.index",
    "model.ckpt-0.meta",
  ]);
  const events = await eventsOf(own);
  expect(events.slice(0, 4).map(({ what }) => what)).toEqual(["", "graph", "meta graph", "session START"]);
  expect(
    events
      .slice(4, -1)
      .map(({ what }) => what)
      .sort(),
  ).toEqual(["global_step/sec", "loss", "session CHECKPOINT"]);
  expect(events.at(-1)).toEqual({ step: 0, what: "session STOP" });
});

it("writes on after a stop, into another file, and the graph again", async () => {
  const own = join(folder, "again");
  using _ = new tf.Graph().asDefault();
  model();
  const supervisor = new tf.train.Supervisor({ logdir: own, saveSummariesSecs: 0, saveModelSecs: 0 });
  for (let i = 0; i < 2; i++) await supervisor.managedSession(() => undefined);
  const graphs = (await eventsOf(own)).filter(({ what }) => what === "graph");
  expect(graphs).toHaveLength(2);
});

it("throws what stopped a service, with the writer closed", async () => {
  const own = join(folder, "broken");
  using _ = new tf.Graph().asDefault();
  model();
  const summaryOp = tf.checkNumerics(tf.div(0, tf.zeros([])), "broken summary");
  const supervisor = new tf.train.Supervisor({ logdir: own, saveModelSecs: 0, summaryOp });
  await expect(supervisor.managedSession(() => supervisor.waitForStop())).rejects.toThrow("broken summary");
  expect((await eventsOf(own)).at(-1)?.what).toBe("session STOP");
});

it("starts queue runners with the standard services only", async () => {
  using _ = new tf.Graph().asDefault();
  const queue = new tf.FIFOQueue(4, ["float32"], { shapes: [[]] });
  tf.train.addQueueRunner(new tf.train.QueueRunner(queue, [queue.enqueue([1])]));
  const size = queue.size();
  const supervisor = new tf.train.Supervisor({ logdir: null });
  const filled = await supervisor.managedSession({ startStandardServices: false }, async session => {
    await new Promise(resolve => setTimeout(resolve, 20));
    return Number(await session.run(size));
  });
  expect(filled).toBe(0);
});

it("refuses a worker whose variables have no device", () => {
  using _ = new tf.Graph().asDefault();
  model();
  expect(() => new tf.train.Supervisor({ isChief: false })).toThrow("When using replicas, all Variables must have their device set: ");
});

it("calls a looper's target now, and then every so often", async () => {
  const coord = new tf.train.Coordinator();
  let calls = 0;
  const looper = tf.train.LooperThread.loop(coord, 1000, () => void calls++);
  await new Promise(resolve => setTimeout(resolve, 10));
  coord.requestStop();
  await coord.join([looper]);
  expect(calls).toBe(1);
});

it("stops on an error of the body, and throws it", async () => {
  using _ = new tf.Graph().asDefault();
  model();
  const supervisor = new tf.train.Supervisor({ logdir: null });
  await expect(supervisor.managedSession(() => Promise.reject(new RangeError("mine")))).rejects.toThrow("mine");
  expect(supervisor.shouldStop()).toBe(true);
  const worker = new tf.train.Supervisor({ isChief: false, graph: new tf.Graph() });
  await expect(worker.startStandardServices(new tf.Session())).rejects.toThrow("Only chief supervisor can start standard services.");
});
