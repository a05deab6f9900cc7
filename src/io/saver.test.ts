// Saver: nodes and names, what is on disk, keeping and removing, and TensorFlow's errors. Bytes are tested in formats/.

import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as tf from "tensorloom";
import { afterAll, describe, expect, test } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "tensorloom-saver-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const inGraph = async (body: () => Promise<void>): Promise<void> => {
  const scope = new tf.Graph().asDefault();
  try {
    await body();
  } finally {
    scope[Symbol.dispose]();
  }
};

const graphWith = <R>(build: () => R): { graph: tf.Graph; built: R } => {
  const graph = new tf.Graph();
  return { graph, built: graph.asDefault(build) };
};

describe.each(["wasm", "reference"] as const)("on %s", backend => {
  const path = join(folder, backend, "model");

  test("variables of both kinds and all shapes come back", async () => {
    const { graph, built } = graphWith(() => {
      const v = new tf.Variable(
        [
          [1, 2],
          [3, 4],
        ],
        { name: "v" },
      );
      const r = new tf.Variable([5, 6, 7], { name: "r", useResource: true });
      const s = new tf.Variable(["a", "bc"], { name: "s" });
      const n = new tf.Variable(9n, { name: "n", trainable: false });
      const variables = [v, r, s, n];
      return { variables, change: tf.group(v.assignAdd(tf.onesLike(v)), r.assign([0, 0, 0]), n.assign(1n)), saver: new tf.train.Saver() };
    });
    const session = new tf.Session({ graph, config: { backend } });
    await session.run(graph.asDefault(() => tf.globalVariablesInitializer()));
    expect(await built.saver.save(session, path, { globalStep: 7 })).toBe(`${path}-7`);
    await session.run(built.change);
    await built.saver.restore(session, `${path}-7`);
    const restored = await session.run(built.variables);
    expect(restored.map(array => array.toArray())).toEqual([
      [
        [1, 2],
        [3, 4],
      ],
      [5, 6, 7],
      ["a", "bc"],
      9n,
    ]);
    // Another session, never initialized.
    const other = new tf.Session({ graph, config: { backend } });
    await built.saver.restore(other, `${path}-7`);
    expect((await other.run(built.variables[1])).toArray()).toEqual([5, 6, 7]);
    await Promise.all([session.close(), other.close()]);
  });

  test("saving and assigning in one run", async () => {
    const { graph, built } = graphWith(() => {
      const v = new tf.Variable([1, 2], { name: "v" });
      const saver = new tf.train.Saver();
      const { saveTensorName, filenameTensorName } = saver.saverDef as tf.train.SaverDef;
      const saved = tf.getDefaultGraph().getTensorByName(saveTensorName);
      const next = tf.controlDependencies([saved], () => v.assignAdd([10, 10]));
      return { v, saver, saved, next, filename: filenameTensorName };
    });
    const session = new tf.Session({ graph, config: { backend } });
    await session.run(graph.asDefault(() => tf.globalVariablesInitializer()));
    const [, after] = await session.run([built.saved, built.next], { [built.filename]: `${path}-both` });
    expect(after.toArray()).toEqual([11, 12]);
    expect((await tf.train.loadVariable(`${path}-both`, "v")).toArray()).toEqual([1, 2]);
    await session.close();
  });
});

test("options may stand alone, and are refused when misspelt", () =>
  inGraph(async () => {
    const v = new tf.Variable(1, { name: "v" });
    expect(new tf.train.Saver({ maxToKeep: 2 }).saverDef?.maxToKeep).toBe(2);
    expect(new tf.train.Saver({ varList: [v], maxToKeep: 3 }).saverDef?.maxToKeep).toBe(3);
    // A dictionary, whatever its names.
    expect(new tf.train.Saver({ filename: v }).saverDef?.maxToKeep).toBe(5);
    const twice = { varList: [v] } as object;
    expect(() => new tf.train.Saver([v], twice)).toThrow("got an unexpected keyword argument 'varList'");
    const misspelt = { maxToKep: 2 } as object;
    expect(() => new tf.train.Saver(null, misspelt)).toThrow("got an unexpected keyword argument 'maxToKep'");
  }));

test("the state file lists what is kept, in TensorFlow's form", () =>
  inGraph(async () => {
    new tf.Variable(1, { name: "v" });
    const saver = new tf.train.Saver(null, { maxToKeep: 2 });
    const session = new tf.Session();
    await session.run(tf.globalVariablesInitializer());
    const home = join(folder, "state");
    for (const globalStep of [1, 2, 3]) await saver.save(session, join(home, "m"), { globalStep });
    expect(saver.lastCheckpoints).toEqual([join(home, "m-2"), join(home, "m-3")]);
    expect(readFileSync(join(home, "checkpoint"), "utf8")).toBe(
      `model_checkpoint_path: "${home}/m-3"\nall_model_checkpoint_paths: "${home}/m-2"\nall_model_checkpoint_paths: "${home}/m-3"\n`,
    );
    expect(readdirSync(home)).toEqual([
      "checkpoint",
      "m-2.data-00000-of-00001",
      "m-2.index",
      "m-2.meta",
      "m-3.data-00000-of-00001",
      "m-3.index",
      "m-3.meta",
    ]);
    expect(await tf.train.latestCheckpoint(home)).toBe(join(home, "m-3"));
    expect(await tf.train.listVariables(home)).toEqual([["v", []]]);
    const again = new tf.train.Saver(null, { maxToKeep: 2, name: "again" });
    await again.recoverLastCheckpoints((await tf.train.getCheckpointState(home))?.allModelCheckpointPaths ?? []);
    await again.save(session, join(home, "m"), { globalStep: 4 });
    expect(again.lastCheckpoints).toEqual([join(home, "m-3"), join(home, "m-4")]);
    expect(existsSync(join(home, "m-2.index"))).toBe(false);
    await session.close();
  }));

test("relative paths stay relative, absolute ones on wish", () =>
  inGraph(async () => {
    new tf.Variable(1, { name: "v" });
    const saver = new tf.train.Saver(null, { saveRelativePaths: true });
    const session = new tf.Session();
    await session.run(tf.globalVariablesInitializer());
    const home = join(folder, "relative");
    await saver.save(session, join(home, "m"));
    expect(readFileSync(join(home, "checkpoint"), "utf8")).toBe(`model_checkpoint_path: "m"\nall_model_checkpoint_paths: "m"\n`);
    expect(await tf.train.latestCheckpoint(home)).toBe(join(home, "m"));
    await session.close();
  }));

test("a sharded saver writes a file for each device and merges them", () =>
  inGraph(async () => {
    const a = tf.device("/cpu:0", () => new tf.Variable([1, 2], { name: "a" }));
    const b = tf.device("/job:w/cpu:0", () => new tf.Variable([3, 4], { name: "b" }));
    const saver = new tf.train.Saver([a, b], { sharded: true });
    const session = new tf.Session();
    await session.run(tf.globalVariablesInitializer());
    const home = join(folder, "sharded");
    mkdirSync(home);
    for (let round = 0; round < 2; round++) await saver.save(session, join(home, "m"));
    expect(readdirSync(home).filter(name => name.startsWith("m.data"))).toHaveLength(3);
    await session.run(tf.group(a.assign([0, 0]), b.assign([0, 0])));
    await saver.restore(session, join(home, "m"));
    expect((await session.run([a, b])).map(v => v.toArray())).toEqual([
      [1, 2],
      [3, 4],
    ]);
    await session.close();
  }));

test("names of a map, another shape, and the version before", () =>
  inGraph(async () => {
    const v = new tf.Variable(
      [
        [1, 2],
        [3, 4],
      ],
      { name: "v" },
    );
    const session = new tf.Session();
    await session.run(tf.globalVariablesInitializer());
    const path = join(folder, "names", "m");
    await new tf.train.Saver({ other: v }, { writeVersion: 1 }).save(session, path);
    expect(await tf.train.listVariables(path)).toEqual([["other", [2, 2]]]);
    const w = new tf.Variable([0, 0, 0, 0], { name: "w" });
    const saver = new tf.train.Saver({ other: w }, { reshape: true });
    await saver.restore(session, path);
    expect((await session.run(w)).toArray()).toEqual([1, 2, 3, 4]);
    await session.close();
  }));

/** Name, type, inputs, control inputs, device: as TensorFlow 2.21 makes them. */
const nodesUnder = (prefix: string): string[] =>
  tf
    .getDefaultGraph()
    .getOperations()
    .filter(op => op.name.startsWith(prefix))
    .map(op =>
      [
        op.name,
        op.type,
        [...op.inputs, ...op.controlInputs.map(({ name }) => ({ name: `^${name}` }))].map(({ name }) => name),
        op.device,
      ].join(" "),
    );

test("the nodes of a sharded saver and of a resource variable's", () =>
  inGraph(async () => {
    const a = tf.device("/cpu:0", () => new tf.Variable([1, 2], { name: "a" }));
    const b = tf.device("/job:w/cpu:0", () => new tf.Variable([1, 2], { name: "b" }));
    new tf.train.Saver([a, b], { sharded: true, name: "sh" });
    expect(nodesUnder("sh/").filter(line => !line.includes(" Const "))).toEqual([
      "sh/filename PlaceholderWithDefault sh/filename/input:0 ",
      "sh/Const PlaceholderWithDefault sh/filename:0 ",
      "sh/StaticRegexFullMatch StaticRegexFullMatch sh/Const:0 /device:CPU:*",
      "sh/Select Select sh/StaticRegexFullMatch:0,sh/Const_1:0,sh/Const_2:0 /device:CPU:*",
      "sh/StringJoin StringJoin sh/Const:0,sh/Select:0 /device:CPU:*",
      "sh/ShardedFilename ShardedFilename sh/StringJoin:0,sh/ShardedFilename/shard:0,sh/num_shards:0 /device:CPU:0",
      "sh/SaveV2 SaveV2 sh/ShardedFilename:0,sh/SaveV2/tensor_names:0,sh/SaveV2/shape_and_slices:0,a:0 /device:CPU:0",
      "sh/control_dependency Identity sh/ShardedFilename:0,^sh/SaveV2 /device:CPU:0",
      "sh/ShardedFilename_1 ShardedFilename sh/StringJoin:0,sh/ShardedFilename_1/shard:0,sh/num_shards:0 /job:w/device:CPU:0",
      "sh/SaveV2_1 SaveV2 sh/ShardedFilename_1:0,sh/SaveV2_1/tensor_names:0,sh/SaveV2_1/shape_and_slices:0,b:0 /job:w/device:CPU:0",
      "sh/control_dependency_1 Identity sh/ShardedFilename_1:0,^sh/SaveV2_1 /job:w/device:CPU:0",
      "sh/MergeV2Checkpoints/checkpoint_prefixes Pack sh/ShardedFilename:0,sh/ShardedFilename_1:0,^sh/control_dependency,^sh/control_dependency_1 /job:w/device:CPU:0",
      "sh/MergeV2Checkpoints MergeV2Checkpoints sh/MergeV2Checkpoints/checkpoint_prefixes:0,sh/Const:0 /job:w/device:CPU:0",
      "sh/Identity Identity sh/Const:0,^sh/control_dependency,^sh/control_dependency_1,^sh/MergeV2Checkpoints /job:w/device:CPU:0",
      "sh/RestoreV2 RestoreV2 sh/Const:0,sh/RestoreV2/tensor_names:0,sh/RestoreV2/shape_and_slices:0 /device:CPU:0",
      "sh/Assign Assign a:0,sh/RestoreV2:0 /device:CPU:0",
      "sh/restore_shard NoOp ^sh/Assign /device:CPU:0",
      "sh/RestoreV2_1 RestoreV2 sh/Const:0,sh/RestoreV2_1/tensor_names:0,sh/RestoreV2_1/shape_and_slices:0 /job:w/device:CPU:0",
      "sh/Assign_1 Assign b:0,sh/RestoreV2_1:0 /job:w/device:CPU:0",
      "sh/restore_shard_1 NoOp ^sh/Assign_1 /job:w/device:CPU:0",
      "sh/restore_all/NoOp NoOp ^sh/restore_shard /device:CPU:0",
      "sh/restore_all/NoOp_1 NoOp ^sh/restore_shard_1 /job:w/device:CPU:0",
      "sh/restore_all NoOp ^sh/restore_all/NoOp,^sh/restore_all/NoOp_1 ",
    ]);
    const r = tf.getVariable("r", [2], { useResource: true });
    new tf.train.Saver([r], { name: "rs" });
    expect(nodesUnder("rs/").filter(line => !line.includes(" Const "))).toEqual([
      "rs/filename PlaceholderWithDefault rs/filename/input:0 ",
      "rs/Const PlaceholderWithDefault rs/filename:0 ",
      "rs/SaveV2 SaveV2 rs/Const:0,rs/SaveV2/tensor_names:0,rs/SaveV2/shape_and_slices:0,r/Read/ReadVariableOp:0 ",
      "rs/control_dependency Identity rs/Const:0,^rs/SaveV2 ",
      "rs/RestoreV2 RestoreV2 rs/Const:0,rs/RestoreV2/tensor_names:0,rs/RestoreV2/shape_and_slices:0 /device:CPU:0",
      "rs/Identity Identity rs/RestoreV2:0 ",
      "rs/AssignVariableOp AssignVariableOp r:0,rs/Identity:0 ",
      "rs/restore_all NoOp ^rs/AssignVariableOp ",
    ]);
  }));

test("variables begin with a checkpoint's values", async () => {
  const path = join(folder, "begin", "m");
  await inGraph(async () => {
    const [a, b] = tf.variableScope("old", () => [tf.getVariable("a", [2]), tf.getVariable("b", [1], { useResource: true })]);
    const session = new tf.Session();
    await session.run([a.assign([1, 2]), b.assign([3], { readValue: false })]);
    await new tf.train.Saver().save(session, path);
    await session.close();
  });
  await inGraph(async () => {
    const [a, b] = tf.variableScope("new", () => [tf.getVariable("a", [2]), tf.getVariable("b", [1], { useResource: true })]);
    const c = new tf.Variable([0, 0], { name: "c" });
    const d = tf.getVariable("d", [2]);
    await tf.train.initFromCheckpoint(path, { "old/": "new/", "old/a": c });
    await tf.train.initFromCheckpoint(join(folder, "begin"), { "old/a": "d" });
    const session = new tf.Session();
    await session.run(tf.globalVariablesInitializer());
    expect((await session.run([a, b, c, d])).map(v => v.toArray())).toEqual([[1, 2], [3], [1, 2], [1, 2]]);
    await session.close();
    await expect(tf.train.initFromCheckpoint(path, { none: "d" })).rejects.toThrow(/^Tensor none is not found in .* checkpoint/);
    await expect(tf.train.initFromCheckpoint(path, { "old/b": "d" })).rejects.toThrow(/^Shape of variable d:0 \(\(2,\)\) doesn't match/);
    await expect(tf.train.initFromCheckpoint(path, { "old/b": "x/y" })).rejects.toThrow(
      /^Assignment map with scope only name x should map/,
    );
  });
});

describe("errors", () => {
  const home = join(folder, "errors");
  const setUp = async () => {
    const v = new tf.Variable([1, 2], { name: "v" });
    const session = new tf.Session();
    const saver = new tf.train.Saver();
    await session.run(tf.globalVariablesInitializer());
    await saver.save(session, join(home, "m"));
    return { v, session, saver };
  };

  test("of the graph", () =>
    inGraph(async () => {
      expect(() => new tf.train.Saver()).toThrow("No variables to save\n\nMake the variables before the Saver");
      const empty = new tf.train.Saver(null, { allowEmpty: true });
      const v = new tf.Variable(1, { name: "v" });
      expect(await empty.save(new tf.Session(), join(home, "none"))).toBe(null);
      expect(readdirSync(home)).toEqual(["none.meta"]);
      expect(() => new tf.train.Saver([v, v])).toThrow("At least two variables have the same name: v");
      expect(() => new tf.train.Saver({ a: v, b: v })).toThrow("The same saveable will be restored with two names: b");
      expect(() => new tf.train.Saver([tf.constant(1)])).toThrow(TypeError);
      expect(() => new tf.train.Saver([v], { deferBuild: true })).toThrow("If `var_list` is provided then build cannot be deferred.");
    }));

  test("of paths", () =>
    inGraph(async () => {
      const { session, saver } = await setUp();
      await expect(saver.save(session, join(home, "no", "such", "m"))).rejects.toThrow(
        /^Parent directory of .* doesn't exist, can't save\.$/,
      );
      await expect(saver.save(session, join(home, "checkpoint"))).rejects.toThrow("'latest_filename' collides with 'save_path'");
      await expect(saver.restore(session, join(home, "none"))).rejects.toThrow(
        `The passed save_path is not a valid checkpoint: ${home}/none`,
      );
      await session.close();
    }));

  test("of what is missing or does not fit", () =>
    inGraph(async () => {
      const { session } = await setUp();
      const w = new tf.Variable([1, 2, 3], { name: "w" });
      const missing = new tf.train.Saver([w]).restore(session, join(home, "m"));
      await expect(missing).rejects.toBeInstanceOf(tf.errors.NotFoundError);
      await expect(missing).rejects.toThrow(
        /^Restoring from checkpoint failed\. .*Original error:\n\nKey w not found in checkpoint\n\t \[\[\{\{node save_1\/RestoreV2\}\}\]\]/s,
      );
      const shape = new tf.train.Saver({ v: w }).restore(session, join(home, "m"));
      await expect(shape).rejects.toThrow(/Assign requires shapes of both tensors to match\. lhs shape= \[3\] rhs shape= \[2\]/);
      const i = new tf.Variable([1, 2], { name: "i", dtype: tf.int32 });
      await expect(new tf.train.Saver({ v: i }).restore(session, join(home, "m"))).rejects.toThrow(
        /tensor_name = v; expected dtype int32 does not equal original dtype float/,
      );
      await expect(new tf.train.Saver([i]).save(session, join(home, "fresh"))).rejects.toBeInstanceOf(tf.errors.FailedPreconditionError);
      await session.close();
    }));
});
