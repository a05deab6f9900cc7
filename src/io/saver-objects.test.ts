// Checkpoints of objects: TensorFlow's graphs of objects byte by byte (test/parity/generate/object_graphs.py), restoring, and what is refused.

import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as tf from "tensorloom";
import * as compat from "tensorloom/compat";
import { afterAll, describe, expect, test } from "vitest";
import { loadSpec } from "../../test/parity/golden.ts";
import { messageFromBytes } from "../formats/message-codec.ts";

const folder = mkdtempSync(join(tmpdir(), "tensorloom-objects-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const inGraph = async <R>(body: (session: tf.Session) => Promise<R>): Promise<R> => {
  const graph = new tf.Graph();
  using _ = graph.asDefault();
  await using session = new tf.Session({ graph });
  return await body(session);
};
const key = "_CHECKPOINTABLE_OBJECT_GRAPH";

class Net extends tf.Module {
  firstWeight = new tf.Variable(1);
  rest = [new tf.Variable(2), { x: new tf.Variable(3) }];
  count = 3;
}

type Objects = Record<string, unknown>;
const dense = (optimizer: tf.train.Optimizer): Objects => {
  const layer = new tf.layers.Dense(2);
  optimizer.minimize(tf.reduceSum(layer(tf.ones([1, 3]))));
  return { layer, optimizer };
};
const cell = (made: tf.nn.rnnCell.RNNCell): Objects => {
  tf.nn.dynamicRnn(made, tf.ones([1, 2, 3]), { dtype: tf.float32 });
  return { cell: made };
};
const { train } = tf;
const { rnnCell } = tf.nn;

const makers: Record<string, () => Objects> = {
  variables: () => ({ v: new tf.Variable([1, 2], { name: "q" }), myName: tf.getVariable("r", [3], { useResource: true }) }),
  adam: () => dense(new train.AdamOptimizer(0.1)),
  momentum: () => dense(new train.MomentumOptimizer(0.1, 0.9)),
  ftrl: () => dense(new train.FtrlOptimizer(0.1)),
  rmsprop: () => dense(new train.RMSPropOptimizer(0.1)),
  descent: () => dense(new train.GradientDescentOptimizer(0.1)),
  normalization: () => {
    const layer = new tf.layers.BatchNormalization();
    layer(tf.ones([1, 3]));
    return { layer };
  },
  convolution: () => {
    const layer = new tf.layers.SeparableConv2D(2, 2);
    layer(tf.ones([1, 3, 3, 1]));
    return { layer };
  },
  lstm: () => cell(new rnnCell.LSTMCell(2, { usePeepholes: true, numProj: 2 })),
  cells: () =>
    cell(
      new rnnCell.MultiRNNCell([new rnnCell.GRUCell(2), new rnnCell.DropoutWrapper(new rnnCell.BasicLSTMCell(2), { inputKeepProb: 0.9 })]),
    ),
  structures: () => ({
    a: [new tf.Variable(1), { x: new tf.Variable(2), y: [new tf.Variable(3)] }],
    b: { z: new tf.Variable(4) },
    c: [new tf.Variable(5)],
  }),
  module: () => ({ net: new Net() }),
  table: () => ({ table: new tf.lookup.experimental.MutableHashTable(tf.string, tf.int64, -1n) }),
  shared: () => {
    const v = new tf.Variable([1, 2], { name: "v" });
    const inner = new train.Checkpoint({ v, other: new tf.Variable(1, { name: "w" }) });
    return { inner, v, step: train.getOrCreateGlobalStep() };
  },
  scale: () => ({ scale: new train.experimental.DynamicLossScale() }),
  nothing: () => ({}),
};

const recorded = loadSpec("object-graphs") as Record<string, { graph: string; keys: Record<string, string> }>;

describe("the graph of objects is TensorFlow's", () => {
  test("for all that was recorded", () => expect(Object.keys(makers)).toEqual(Object.keys(recorded)));
  test.each(Object.keys(recorded))("%s", async name => {
    const { graph, keys } = recorded[name];
    await inGraph(async session => {
      const checkpoint = new train.Checkpoint(makers[name]());
      await session.run(tf.globalVariablesInitializer());
      const path = await checkpoint.save(join(folder, name, "m"), session);
      expect(path).toBe(join(folder, name, "m-1"));
      const reader = await train.loadCheckpoint(path);
      expect([...reader.getVariableToShapeMap().keys()].sort()).toEqual(Object.keys(keys));
      const bytes = (await reader.getTensor(key)).get(0) as Uint8Array;
      await reader.close();
      const own = messageFromBytes("TrackableObjectGraph", bytes);
      expect(own).toEqual(messageFromBytes("TrackableObjectGraph", Buffer.from(graph, "base64")));
      expect(Buffer.from(bytes).toString("base64")).toBe(graph);
    });
  });
});

test("a training goes on, also where optimizer and layer are made after restore", async () => {
  const program = (): { objects: Objects; step: tf.Operation; loss: tf.Tensor } => {
    const layer = new tf.layers.Dense(2, { kernelInitializer: tf.onesInitializer() });
    const loss = tf.reduceSum(tf.square(layer(tf.constant([[1, 2, 3]])).sub(1)));
    const optimizer = new train.AdamOptimizer(0.1);
    return { objects: { layer, optimizer }, step: optimizer.minimize(loss), loss };
  };
  const prefix = join(folder, "goes-on", "m");
  const [path, wanted] = await inGraph(async session => {
    const { objects, step, loss } = program();
    const checkpoint = new train.Checkpoint(objects);
    await session.run(tf.globalVariablesInitializer());
    await session.run(step);
    const saved = await checkpoint.save(prefix, session);
    await session.run(step);
    return [saved, (await session.run(loss)).item()] as const;
  });
  expect(await train.latestCheckpoint(join(folder, "goes-on"))).toBe(path);
  await inGraph(async session => {
    const checkpoint = new train.Checkpoint();
    const status = await checkpoint.restore(train.latestCheckpoint(join(folder, "goes-on")));
    expect(() => status.assertConsumed()).toThrow(
      /^Unresolved object in checkpoint \(root\)\.layer\.kernel: attributes \{\n {2}name: "VARIABLE_VALUE"/,
    );
    const { objects, step, loss } = program();
    Object.assign(checkpoint, objects);
    await status.assertConsumed().initializeOrRestore(session);
    await session.run(step);
    expect((await session.run(loss)).item()).toBe(wanted);
    expect(await checkpoint.save(prefix, session)).toBe(`${prefix}-2`);
  });
  // By names, as a Saver does, and through the compat door.
  await inGraph(async session => {
    const { step, loss } = program();
    await new train.Saver().restore(session, path);
    await session.run(step);
    expect((await session.run(loss)).item()).toBe(wanted);
  });
});

test("tensorloom/compat", async () => {
  const prefix = join(folder, "compat", "m");
  const path = await inGraph(async session => {
    const checkpoint = new compat.train.Checkpoint({ my_value: new compat.Variable([1, 2]) });
    await session.run(compat.global_variables_initializer());
    expect(String(checkpoint.save_counter)).toMatch(/^<tf.Variable 'save_counter:0' shape=\(\) dtype=int64>$/);
    await session.run(checkpoint.save_counter.initializer);
    return await checkpoint.save(prefix, { session });
  });
  await inGraph(async session => {
    const v = new compat.Variable([0, 0]);
    const status = await new compat.train.Checkpoint({ my_value: v }).restore(path);
    await status.assert_existing_objects_matched().expect_partial().run_restore_ops(session);
    expect((await session.run(v)).toArray()).toEqual([1, 2]);
  });
});

test("tables come back", async () => {
  const prefix = join(folder, "tables", "m");
  const table = (): tf.lookup.experimental.MutableHashTable => new tf.lookup.experimental.MutableHashTable(tf.string, tf.float32, -1);
  const path = await inGraph(async session => {
    const made = table();
    await session.run(made.insert(["a", "b"], [1, 2]));
    return await new train.Checkpoint({ t: made }).save(prefix, session);
  });
  await inGraph(async session => {
    const made = table();
    await (await new train.Checkpoint({ t: made }).restore(path)).assertConsumed().runRestoreOps(session);
    expect((await session.run(made.lookup(["b", "c"]))).toArray()).toEqual([2, -1]);
  });
});

test("without a checkpoint variables are initialized, those without a value beside one, too", async () => {
  const prefix = join(folder, "fresh", "m");
  await inGraph(async session => {
    const v = new tf.Variable([1, 2]);
    const checkpoint = new train.Checkpoint({ v });
    const status = await checkpoint.restore(null);
    expect(() => status.assertConsumed()).toThrow("No checkpoint specified (save_path=None); nothing is being restored.");
    await expect(status.runRestoreOps(session)).rejects.toThrow("No checkpoint specified, so no restore ops are available");
    await status.initializeOrRestore(session);
    expect((await session.run(v)).toArray()).toEqual([1, 2]);
    const path = await checkpoint.save(prefix, session);
    const w = new tf.Variable(7);
    const wider = await new train.Checkpoint({ v, w }).restore(path);
    expect(() => wider.assertExistingObjectsMatched()).toThrow(
      "Found 1 Python objects that were not bound to checkpointed values, likely due to changes in the Python program. Showing 1 of 1 unmatched objects: [<tf.Variable 'Variable_1:0' shape=() dtype=float32_ref>]",
    );
    await session.run(v.assign([5, 5]));
    await wider.initializeOrRestore(session);
    expect((await session.run([v, w])).map(array => array.toArray())).toEqual([[1, 2], 7]);
    await (await checkpoint.restore(path)).runRestoreOps(session);
    const ops = session.graph.getOperations().length;
    await (await checkpoint.restore(path)).runRestoreOps(session);
    expect(session.graph.getOperations().length - ops).toBe(0);
  });
});

test("a Saver's checkpoint is restored by names", async () => {
  await inGraph(async session => {
    const v = new tf.Variable([1, 2], { name: "q" });
    const checkpoint = new train.Checkpoint({ v });
    await session.run([tf.globalVariablesInitializer(), checkpoint.saveCounter.initializer]);
    const path = (await new train.Saver().save(session, join(folder, "by-name"), { writeMetaGraph: false })) as string;
    await session.run(v.assign([9, 9]));
    const status = await checkpoint.restore(path);
    expect(() => status.assertConsumed()).toThrow("Object not restored: <Checkpoint object>");
    await status.runRestoreOps(session);
    status.assertConsumed();
    expect((await session.run(v)).toArray()).toEqual([1, 2]);
  });
});

test("what holds nothing is refused, as are missing sessions and files", async () => {
  await inGraph(async session => {
    const refused = /^`Checkpoint` was expecting a trackable object \(an object derived from `Trackable`\), got /;
    for (const value of [5, null, "a", tf.constant(1), () => 1]) expect(() => new train.Checkpoint({ value })).toThrow(refused);
    const checkpoint = new train.Checkpoint({ v: new tf.Variable([1, 2]) });
    await expect(checkpoint.write(join(folder, "x"))).rejects.toThrow(
      /^Unable to save checkpoint to ".*x" in graph mode without a default session\./,
    );
    await expect(checkpoint.restore(join(folder, "nope"))).rejects.toThrow(/Failed to find any matching files for .*nope/);
    await expect(checkpoint.save(join(folder, "x"), session)).rejects.toThrow(tf.errors.FailedPreconditionError);
    await session.run(tf.globalVariablesInitializer());
    const path = await checkpoint.write(join(folder, "two"), session);
    const three = await new train.Checkpoint({ v: new tf.Variable([1, 2, 3]) }).restore(path);
    await expect(three.runRestoreOps(session)).rejects.toThrow(
      "Assign requires shapes of both tensors to match. lhs shape= [3] rhs shape= [2]",
    );
    const whole = await new train.Checkpoint({ v: new tf.Variable(tf.constant([1, 2], tf.int32)) }).restore(path);
    await expect(whole.runRestoreOps(session)).rejects.toThrow("expected dtype int32 does not equal original dtype float");
    expect(() => new train.CheckpointManager(checkpoint, folder, 0)).toThrow(
      "Expected a positive integer or `None` for `max_to_keep`, got 0.",
    );
    expect(() => new train.CheckpointManager(checkpoint, folder, 1, { checkpointInterval: 3 })).toThrow(
      "`step_counter` should be passed if",
    );
  });
});

test("a manager keeps the last checkpoints and goes on where another stopped", async () => {
  const directory = join(folder, "managed");
  await inGraph(async session => {
    using _ = session.asDefault();
    const step = train.getOrCreateGlobalStep() as tf.Variable;
    const checkpoint = new train.Checkpoint({ step });
    await session.run(tf.globalVariablesInitializer());
    const manager = new train.CheckpointManager(checkpoint, directory, 2);
    expect([await manager.latestCheckpoint, await manager.checkpoints]).toEqual([null, []]);
    for (const n of [1, 2, 3]) expect(await manager.save()).toBe(join(directory, `ckpt-${n}`));
    expect(await manager.checkpoints).toEqual([2, 3].map(n => join(directory, `ckpt-${n}`)));
    expect(readdirSync(directory).sort()).toEqual([
      "checkpoint",
      ...[2, 3].flatMap(n => [`ckpt-${n}.data-00000-of-00001`, `ckpt-${n}.index`]),
    ]);
    expect(readFileSync(join(directory, "checkpoint"), "utf8").replace(/: \d+\.\d+/g, ": TIME")).toBe(
      'model_checkpoint_path: "ckpt-3"\nall_model_checkpoint_paths: "ckpt-2"\nall_model_checkpoint_paths: "ckpt-3"\n' +
        "all_model_checkpoint_timestamps: TIME\nall_model_checkpoint_timestamps: TIME\nlast_preserved_timestamp: TIME\n",
    );
    const other = new train.CheckpointManager(checkpoint, directory, 1, { stepCounter: step, checkpointInterval: 2 });
    expect(await other.restoreOrInitialize()).toBe(join(directory, "ckpt-3"));
    expect(await other.save()).toBe(null);
    await session.run(step.assign(5n));
    expect(await other.save({ checkpointNumber: step })).toBe(join(directory, "ckpt-5"));
    expect(await other.checkpoints).toEqual([join(directory, "ckpt-5")]);
  });
});
