// Operations of the host between segments of a run: sizes of their choosing, waiting without keeping other runs, order, failure and closing.

import * as tf from "tensorloom";
import { describe, expect, test } from "vitest";
import { CancelledError, InvalidArgumentError } from "../base/errors.ts";
import { TensorShape } from "../base/shape.ts";
import { defineOp } from "../graph/op-definition.ts";

/** An object of a session: one number, and who waits for it. */
class Mailbox {
  letter: tf.NDArray | undefined;
  reader: (() => void) | undefined;
}

const TestMailbox = defineOp("TestMailbox", {
  inputs: {},
  outputs: { handle: "resource" },
  attrs: {},
  stateful: true,
  shape: () => new TensorShape([]),
  resource: (_, op) => ({ id: `mailbox:${op.name}`, make: () => new Mailbox() }),
});

const TestSend = defineOp("TestSend", {
  inputs: { handle: "resource", letter: "float32" },
  outputs: {},
  attrs: {},
  stateful: true,
  shape: () => undefined,
  host: ({ handle, letter }) => {
    if (!(handle instanceof Mailbox)) throw new TypeError("no mailbox");
    if (letter.size === 0) throw new InvalidArgumentError("An empty letter");
    handle.letter = new tf.NDArray(letter.dtype, letter.shape, letter.data.slice());
    handle.reader?.();
  },
});

const TestReceive = defineOp("TestReceive", {
  inputs: { handle: "resource" },
  outputs: { letter: "float32" },
  attrs: {},
  stateful: true,
  waits: true,
  shape: () => TensorShape.unknown(),
  host: async ({ handle }, { signal }) => {
    if (!(handle instanceof Mailbox)) throw new TypeError("no mailbox");
    if (!handle.letter)
      await new Promise<void>((resolve, reject) => {
        handle.reader = resolve;
        signal.addEventListener("abort", () => reject(new CancelledError("Receiving was cancelled")));
      });
    return handle.letter as tf.NDArray;
  },
});

const build = () => {
  const x = tf.placeholder(tf.float32, [null]);
  const handle = TestMailbox({});
  const count = new tf.Variable(0, { dtype: tf.int32 });
  const letter = TestReceive({ handle });
  const next = tf.controlDependencies([letter], () => tf.assignAdd(count, tf.size(letter)));
  const send = TestSend({ handle, letter: tf.multiply(x, 2) });
  return { x, send, letter, next, count, total: tf.reduceSum(tf.multiply(letter, letter)), initialize: tf.globalVariablesInitializer() };
};

type Built = ReturnType<typeof build>;

describe.each(["wasm", "reference"] as const)("on %s", backend => {
  const inSession = async (use: (session: tf.Session, built: Built) => Promise<void>): Promise<void> => {
    const graph = new tf.Graph();
    const built = graph.asDefault(build);
    const session = new tf.Session({ graph, config: { backend } });
    await session.run(built.initialize);
    await use(session, built).finally(() => session.close());
  };

  test("sizes are those of the moment", () =>
    inSession(async (session, { x, send, total, next, count }) => {
      for (const letter of [[1], [1, 2], [], [3]]) {
        if (letter.length === 0) continue;
        await session.run(send, [[x, letter]]);
        expect((await session.run(total)).item()).toBe(letter.reduce((sum, n) => sum + 4 * n * n, 0));
        await session.run(next);
      }
      expect((await session.run(count)).item()).toBe(4);
    }));

  test("a run that waits keeps no other from running", () =>
    inSession(async (session, { x, send, total, count }) => {
      const waiting = session.run(total);
      expect((await session.run(count)).item()).toBe(0);
      await session.run(send, [[x, [1, 2]]]);
      expect((await waiting).item()).toBe(20);
    }));

  test("what waits for another operation of its own run gets it", () =>
    inSession(async (session, { x, send, letter }) => {
      const [got] = await session.run([letter, send], [[x, [4]]]);
      expect(got.toArray()).toEqual([8]);
    }));

  test("an error names its node and cancels what waits beside it", () =>
    inSession(async (session, { x, send, letter }) => {
      const failed = session.run([letter, send], [[x, []]]);
      await expect(failed).rejects.toThrow(/^An empty letter\n\t \[\[\{\{node TestSend\}\}\]\]/);
      await session.run(send, [[x, [4]]]);
      expect((await session.run(letter)).toArray()).toEqual([8]);
    }));

  test("closing cancels what waits", () =>
    inSession(async (session, { letter }) => {
      const waiting = session.run(letter);
      const outcome = expect(waiting).rejects.toBeInstanceOf(CancelledError);
      await session.close();
      await outcome;
    }));

  test("inside a branch it runs if the branch is taken", () =>
    inSession(async (session, { letter, x, send }) => {
      const inside = session.graph.asDefault(() =>
        tf.cond(
          tf.greater(tf.reduceSum(x), 1),
          () => TestReceive({ handle: letter.op.inputs[0] }, { name: "hidden" }),
          () => tf.constant([0]),
        ),
      ) as tf.Tensor;
      expect((await session.run(inside, [[x, [1]]])).toArray()).toEqual([0]);
      await session.run(send, [[x, [4]]]);
      expect((await session.run(inside, [[x, [4]]])).toArray()).toEqual([8]);
    }));
});
