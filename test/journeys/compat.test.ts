// A TensorFlow 1 program pasted into TypeScript: its own names, argument orders and keywords, through `tensorloom/compat`.
// The same program in tensorloom's own spelling runs beside it and must make the same graph and the same numbers.
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import * as camel from "tensorloom";
import * as tf from "tensorloom/compat";
import { describe, expect, it } from "vitest";

const images = new camel.NDArray(
  "float32",
  [6, 8, 8, 1],
  Float32Array.from({ length: 384 }, (_, i) => ((i * 37) % 101) / 101),
);
const digits = new camel.NDArray("int64", [6], BigInt64Array.from([0n, 1n, 2n, 0n, 1n, 2n]));

async function pasted(): Promise<{ names: string[]; losses: number[] }> {
  const graph = new tf.Graph();
  using _ = graph.as_default();
  tf.set_random_seed(7);
  const x = tf.placeholder(tf.float32, [null, 8, 8, 1], "x");
  const labels = tf.placeholder(tf.int64, [null], { name: "labels" });
  const w = tf.Variable(tf.truncated_normal([3, 3, 1, 4], { stddev: 0.1 }), { name: "w" });
  const b = tf.get_variable("b", [4], { initializer: tf.constant_initializer(0.1) });
  const h = tf.nn.relu(tf.nn.conv2d(x, w, { strides: [1, 1, 1, 1], padding: "SAME", data_format: "NHWC" }).add(b));
  const p = tf.nn.max_pool(h, [1, 2, 2, 1], [1, 2, 2, 1], "SAME", { data_format: "NHWC" });
  const flat = tf.reshape(p, [-1, 64]);
  using scope = tf.variable_scope("out", null, null, tf.zeros_initializer());
  const logits = tf.matmul(flat, tf.get_variable("kernel", [64, 3]));
  scope[Symbol.dispose]();
  const loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits({ labels, logits }));
  const step = tf.train.get_or_create_global_step();
  const train = new tf.train.AdamOptimizer(0.05).minimize(loss, step, tf.trainable_variables());
  const session = new tf.Session({ graph });
  await session.run(tf.global_variables_initializer());
  const losses: number[] = [];
  for (let i = 0; i < 5; i++)
    losses.push((await session.run([loss, train], { feed_dict: { "x:0": images, "labels:0": digits } }))[0].item());
  await session.close();
  return { names: graph.get_operations().map(op => op.name), losses };
}

async function own(): Promise<{ names: string[]; losses: number[] }> {
  const graph = new camel.Graph();
  using _ = graph.asDefault();
  camel.setRandomSeed(7);
  const x = camel.placeholder(camel.float32, [null, 8, 8, 1], { name: "x" });
  const labels = camel.placeholder(camel.int64, [null], { name: "labels" });
  const w = new camel.Variable(camel.truncatedNormal([3, 3, 1, 4], { stddev: 0.1 }), { name: "w" });
  const b = camel.getVariable("b", [4], { initializer: camel.constantInitializer(0.1) });
  const h = camel.nn.relu(camel.nn.conv2d(x, w, [1, 1, 1, 1], "SAME").add(b));
  const p = camel.nn.maxPool(h, [1, 2, 2, 1], [1, 2, 2, 1], "SAME");
  const flat = camel.reshape(p, [-1, 64]);
  const logits = camel.variableScope("out", { initializer: camel.zerosInitializer() }, () =>
    camel.matmul(flat, camel.getVariable("kernel", [64, 3])),
  );
  const loss = camel.reduceMean(camel.nn.sparseSoftmaxCrossEntropyWithLogits({ labels, logits }));
  const globalStep = camel.train.getOrCreateGlobalStep();
  const train = new camel.train.AdamOptimizer(0.05).minimize(loss, { globalStep, varList: camel.trainableVariables() });
  const session = new camel.Session({ graph });
  await session.run(camel.globalVariablesInitializer());
  const losses: number[] = [];
  for (let i = 0; i < 5; i++) {
    const [value] = await session.run(
      [loss, train],
      [
        [x, images],
        [labels, digits],
      ],
    );
    losses.push(value.item());
  }
  await session.close();
  return { names: graph.getOperations().map(op => op.name), losses };
}

describe("a pasted program", () => {
  it("makes the graph and the numbers of its own-spelling twin, and learns", async () => {
    const [theirs, ours] = [await pasted(), await own()];
    expect(theirs.names).toEqual(ours.names);
    expect(theirs.losses).toEqual(ours.losses);
    expect(theirs.losses[0]).toBeCloseTo(Math.log(3), 5);
    expect(theirs.losses[4]).toBeLessThan(theirs.losses[0]);
  });

  it("keeps objects the same through both doors", () => {
    const graph = new tf.Graph();
    using _ = graph.as_default();
    const x = tf.placeholder(tf.float32, [null, 3], { name: "x" });
    expect(x).toBeInstanceOf(camel.Tensor);
    expect(x.get_shape().as_list()).toEqual([null, 3]);
    x.set_shape([2, 3]);
    expect(tf.shape(x).op.inputs).toHaveLength(0);
    expect(graph.get_tensor_by_name("x:0")).toBe(x);
    expect(graph.as_graph_def().node[0].name).toBe("x");
    const v = tf.Variable([1, 2], false, { name: "v" });
    expect([v.initial_value.name, v.assign_add([1, 1]).op.type, String(v)]).toEqual([
      "v/initial_value:0",
      "AssignAdd",
      "<tf.Variable 'v:0' shape=(2,) dtype=float32_ref>",
    ]);
    expect([tf.trainable_variables(), tf.global_variables()]).toEqual([[], [v]]);
    expect(tf.GraphKeys.GLOBAL_VARIABLES).toBe("variables");
  });

  it("complains in Python's words", () => {
    const graph = new tf.Graph();
    using _ = graph.as_default();
    const x = tf.placeholder(tf.float32, [1, 4, 4, 1]);
    const call = (...args: unknown[]) => (() => tf.nn.max_pool(...args)) as () => unknown;
    expect(call(x, 2, 2)).toThrow("max_pool() missing 1 required positional argument: 'padding'");
    expect(call(x, 2, 2, "SAME", { padding: "VALID" })).toThrow("max_pool() got multiple values for argument 'padding'");
    expect(call(x, 2, 2, "SAME", { name: "p", dataformat: "NHWC" })).toThrow("max_pool() got an unexpected keyword argument 'dataformat'");
    expect(() => tf.matmul(tf.ones([2, 3]), tf.ones([4, 3]))).toThrow(tf.errors.ValueError);
  });
});

/** A result as it is through this door, which the types of `run` do not say. */
type Rows = Iterable<unknown> & readonly (camel.NDArray & readonly number[])[];

describe("what programs do with shapes, types and results", () => {
  const inGraph = (): Disposable => new tf.Graph().as_default();

  it("names outputs of several words, rows and their results as TensorFlow does, by place too", async () => {
    using _ = inGraph();
    const [, least, most] = tf.quantize_v2([0, 1], -1, 1, tf.quint8);
    const named = tf.quantize_v2([0, 1], -1, 1, tf.quint8);
    const rows = tf.IndexedSlices(tf.constant([[1, 2]]), tf.constant([3], tf.int32), tf.constant([5, 2], tf.int32));
    await using session = new tf.Session();
    expect(String(await session.run([least, named.output_min, most, named.output_max]))).toBe("-1,-1,1,1");
    expect(String((await session.run(named)).output_max)).toBe("1");
    const slices = await session.run(rows);
    expect([String(slices.dense_shape), ...Array.from(slices, String)]).toEqual(["[5 2]", "[[1 2]]", "[3]", "[5 2]"]);
  });

  it("takes dimensions out of shapes by brackets, and gives them where sizes are wanted", () => {
    using _ = inGraph();
    const x = tf.placeholder(tf.float32, [null, 7, 3], { name: "x" });
    expect([x.shape[1].value, x.get_shape()[-1].value, x.shape[0].value, x.shape.length, x.shape.ndims]).toEqual([7, 3, null, 3, 3]);
    expect(2 * Number(x.shape[1])).toBe(14);
    expect(() => Number(x.shape[0])).toThrow("__int__ returned non-int (type NoneType)");
    expect(() => x.shape[3]).toThrow("list index out of range");
    expect([...x.shape].map(String)).toEqual(["?", "7", "3"]);
    expect(String(tf.zeros([x.shape[1], 2]).shape)).toBe("(7, 2)");
    expect(String(tf.reshape(x, [-1, x.shape[2]]).shape)).toBe("(?, 3)");
    expect(String(tf.get_variable("w", { shape: [x.shape[2], 4] }).shape)).toBe("(3, 4)");
    expect(String(tf.placeholder(tf.float32, x.shape).shape)).toBe("(?, 7, 3)");
    expect(String(new tf.TensorShape([new tf.Dimension(2), new tf.Dimension(null)]))).toBe("(2, ?)");
    const unknown = tf.placeholder(tf.float32);
    expect(unknown.shape[5].value).toBeNull();
    expect(() => unknown.shape.length).toThrow("Cannot take the length of shape with unknown rank.");
    expect(() => [...unknown.shape]).toThrow("is not iterable");
  });

  it("takes dimensions for numbers in arithmetic, and no other objects", async () => {
    using _ = inGraph();
    const size = tf.placeholder(tf.float32, [null, 4]).shape[1];
    const ids = tf.constant([1, 2], tf.int32);
    await using session = new tf.Session();
    const results = await session.run([ids.mul(size), ids.add([size, 1]), tf.constant([1.5]).div(size), ids.at([0, tf.range(9).shape[0]])]);
    expect(results.map((result: camel.NDArray) => result.toArray())).toEqual([[4, 8], [5, 3], [0.375], [1, 2]]);
    for (const wrong of [{ size: 1 }, new Map(), () => 1]) {
      expect(() => ids.mul(wrong)).toThrow(TypeError);
    }
  });

  it("says what mends what older programs do", async () => {
    using _ = inGraph();
    const x = tf.ones([2, 3]);
    expect(() => tf.concat(1, [x, x])).toThrow("takes the list of values first, then the axis.\n\nWrite tf.concat(values, 1).");
    const v = tf.get_variable("v", [2]);
    await using session = new tf.Session();
    await expect(new tf.train.Saver([v]).restore(session, "/nowhere/model")).rejects.toThrow(
      /not a valid checkpoint.*\n\n.*latestCheckpoint/,
    );
    const closed = new tf.Session();
    await closed.close();
    await expect(closed.run(x)).rejects.toThrow(/^Attempted to use a closed Session.\n\n/);
  });

  it("slices tensors and results by brackets", async () => {
    using _ = inGraph();
    const x = tf.constant([
      [1, 2],
      [3, 4],
    ]);
    await using session = new tf.Session();
    const results: readonly unknown[] = await session.run([tf.shape(x)[0], x]);
    const whole = results[1] as Rows;
    expect([x[1].op.type, String(results[0])]).toEqual(["StridedSlice", "2"]);
    expect([whole[1].toArray(), whole[-1][0], [...whole].length, [...whole[0]]]).toEqual([[3, 4], 3, 2, [1, 2]]);
    expect(() => whole[2]).toThrow("index 2 is out of bounds for axis 0 with size 2");
    expect(() => [...Object(x)]).toThrow(TypeError);
  });

  it("answers what is asked of types", () => {
    using _ = inGraph();
    const { dtype } = tf.placeholder(tf.int64, [2]);
    expect([dtype.base_dtype, dtype.name, dtype.as_numpy_dtype, dtype.is_integer, dtype.is_floating, dtype.size]).toEqual([
      "int64",
      "int64",
      "int64",
      true,
      false,
      8,
    ]);
    expect([tf.float32.max, tf.float32.min, tf.int8.min, tf.int64.max]).toEqual([
      3.4028234663852886e38,
      -3.4028234663852886e38,
      -128,
      2n ** 63n - 1n,
    ]);
    expect([tf.complex64.real_dtype.base_dtype, tf.float16.as_datatype_enum, tf.string.size, tf.uint8.limits]).toEqual([
      "float32",
      19,
      0,
      [0, 255],
    ]);
    expect([tf.float32.is_compatible_with("float32_ref"), tf.bool.is_integer, tf.qint8.is_quantized]).toEqual([true, false, true]);
    expect(() => tf.string.max).toThrow("Cannot find maximum value of <dtype: 'string'> with type <dtype: 'string'>.");
    expect(() => tf.bfloat16.limits).toThrow("<dtype: 'bfloat16'> does not have defined limits.");
    expect(tf.cast(tf.constant(1.5), tf.DType(tf.int32)).dtype).toBe(tf.int32);
    expect(Reflect.get(Object("words"), "max")).toBeUndefined();
    for (const key in Object("float32")) expect(key).toMatch(/^\d+$/);
  });

  it("prints in a line, like Python", () => {
    using _ = inGraph();
    const x = tf.placeholder(tf.float32, [null, 3], { name: "x" });
    const v = tf.Variable([1, 2], { name: "v" });
    expect(inspect(x)).toBe('Tensor("x:0", shape=(?, 3), dtype=float32)');
    expect(inspect([x, x.op])).toBe("[\n  <tf.Tensor 'x:0' shape=(?, 3) dtype=float32>,\n  <tf.Operation 'x' type=Placeholder>\n]");
    expect(inspect({ v })).toBe("{ v: <tf.Variable 'v:0' shape=(2,) dtype=float32_ref> }");
    expect([inspect(x.shape), inspect([x.shape]), inspect([x.shape[0]])]).toEqual([
      "(?, 3)",
      "[ TensorShape([None, 3]) ]",
      "[ Dimension(None) ]",
    ]);
    expect([inspect(v.graph), inspect(new tf.Session())]).toEqual(["<tf.Graph of 5 operations>", "<tf.Session of 5 operations>"]);
    expect([inspect(camel.NDArray.from([1, 2])), inspect([camel.NDArray.from([1, 2])])]).toEqual([
      "[1 2]",
      "[ array([1 2], dtype=float32) ]",
    ]);
  });

  it("feeds by name to run and eval, and nests of tensors as they were fetched", async () => {
    using _ = inGraph();
    const x = tf.placeholder(tf.float32, [], { name: "x" });
    const cell = tf.nn.rnn_cell.MultiRNNCell([tf.nn.rnn_cell.BasicLSTMCell(2), tf.nn.rnn_cell.BasicLSTMCell(2)]);
    const state = cell.zero_state(1, tf.float32) as camel.nn.rnnCell.LSTMStateTuple[];
    await using session = new tf.Session();
    expect((await x.eval({ feed_dict: new Map([[x, 4]]), session })).item()).toBe(4);
    expect((await x.eval(new Map([[x, 5]]), session)).item()).toBe(5);
    await x.op.run({ session, feed_dict: { "x:0": 1 } });
    const values = await session.run(state);
    const sum = tf.add_n([state[0].c, state[1].h]);
    (values[0].c.data as Float32Array).fill(3);
    expect((await session.run(sum, { feed_dict: new Map([[state, values]]) })).toArray()).toEqual([[3, 3]]);
    await expect(session.run(sum, new Map([[state, [values[0]]]]))).rejects.toThrow(
      "Could not flatten dictionary. Key had 4 elements, but value had 2 elements. Key: [<tf.Tensor",
    );
  });

  it("feeds and fetches sparse tensors as SparseTensorValues, of any rank", async () => {
    using _ = inGraph();
    const x = tf.sparse_placeholder(tf.float32);
    const [total, most] = [tf.sparse_reduce_sum(x), tf.sparse_reduce_max(x)];
    expect(tf.get_default_graph().get_operation_by_name("Rank").type).toBe("Size");
    await using session = new tf.Session();
    const value = tf.SparseTensorValue(
      [
        [0, 1],
        [2, 0],
      ],
      [1.5, 2],
      [3, 2],
    );
    const feed_dict = new Map([[x, value]]) as never;
    const results: readonly unknown[] = await session.run([total, most, x], { feed_dict } as object);
    const [sum, top, whole] = results as [camel.NDArray, camel.NDArray, { dense_shape: camel.NDArray; indices: camel.NDArray }];
    expect([sum.item(), top.item(), String(whole.dense_shape), whole.indices.toArray()]).toEqual([
      3.5,
      2,
      "[3 2]",
      [
        [0n, 1n],
        [2n, 0n],
      ],
    ]);
    expect(whole).toBeInstanceOf(tf.SparseTensorValue);
    expect(inspect(value)).toBe("SparseTensorValue(indices=0,1,2,0, values=1.5,2, dense_shape=3,2)");
  });

  it("tells what was meant by a misspelt keyword, and misses what is undefined", () => {
    using _ = inGraph();
    const call = (...args: unknown[]) => (() => tf.nn.max_pool(...args)) as () => unknown;
    expect(call(tf.ones([1, 4, 4, 1]), 2, 2, "SAME", { dataformat: "NHWC" })).toThrow("Did you mean 'data_format'?");
    expect(() => tf.cast(tf.ones([1]), undefined as never)).toThrow("cast() missing 1 required positional argument: 'dtype'");
  });

  it("freezes a graph into a file by tf.gfile and reads it back by ParseFromString", async () => {
    const folder = await mkdtemp(join(tmpdir(), "tensorloom-"));
    const path = join(folder, "frozen.pb");
    {
      using _ = inGraph();
      const v = tf.Variable([2, 3], { name: "v" });
      tf.multiply(v, tf.placeholder(tf.float32, [], { name: "x" }), { name: "y" });
      await using session = new tf.Session();
      await session.run(tf.global_variables_initializer());
      const frozen = await tf.graph_util.convert_variables_to_constants(session, session.graph_def, ["y"]);
      await using file = tf.gfile.GFile(path, "wb");
      await file.write(frozen.SerializeToString());
    }
    using _ = inGraph();
    const definition = tf.GraphDef();
    await using file = tf.gfile.FastGFile(path, "rb");
    definition.ParseFromString((await file.read()) as Uint8Array);
    const [y] = tf.import_graph_def(definition, { name: "", return_elements: ["y:0"] }) as camel.Tensor[];
    await using session = new tf.Session();
    expect(((await session.run(y, { feed_dict: { "x:0": 2 } })) as camel.NDArray).toArray()).toEqual([4, 6]);
    expect([await tf.gfile.Exists(path), await tf.gfile.ListDirectory(folder)]).toEqual([true, ["frozen.pb"]]);
    await tf.gfile.DeleteRecursively(folder);
    expect([await tf.gfile.Exists(folder), tf.version.VERSION]).toEqual([false, tf.VERSION]);
  });

  it("takes cells, gradients and sparse tensors as programs write them", async () => {
    using _ = inGraph();
    class Elman extends Object(tf.nn.rnn_cell.RNNCell) {
      get state_size(): number {
        return 3;
      }
      get output_size(): number {
        return 3;
      }
      call(inputs: camel.Tensor, state: unknown): [camel.Tensor, camel.Tensor] {
        const h = tf.tanh(tf.layers.dense(tf.concat([inputs, state as camel.Tensor], 1), 3));
        return [h, h];
      }
    }
    const [outputs, state] = tf.nn.dynamic_rnn(new Elman() as never, tf.ones([2, 4, 2]), { dtype: tf.float32 });
    const last = (outputs as camel.Tensor).at([], -1).sub(state as camel.Tensor);
    const halved = `Halved${Date.now()}`;
    (tf.RegisterGradient(halved) as (f: unknown) => unknown)((_op: unknown, grad: camel.Tensor) => grad.mul(0.5));
    const x = tf.placeholder(tf.float32, [2], { name: "x" });
    using scope = tf.get_default_graph().gradient_override_map({ Relu: halved });
    const y = tf.nn.relu(x);
    scope[Symbol.dispose]();
    const cast = tf.cast as (...given: unknown[]) => unknown;
    const sparse = cast(tf.SparseTensor([[0, 1]], [1.5], [2, 2]), tf.int32, { name: "whole" }) as camel.SparseTensor;
    expect([sparse.values.op.name, sparse.values.dtype]).toEqual(["whole", "int32"]);
    await using session = new tf.Session();
    await session.run(tf.global_variables_initializer());
    const results = await session.run([last, tf.gradients(y, x)[0], sparse], { feed_dict: { "x:0": [1, 2] } } as object);
    const [difference, slope, whole] = results as readonly [camel.NDArray, camel.NDArray, { values: camel.NDArray }];
    expect([difference.toArray().flat(), slope.toArray(), whole.values.toArray(), slope.length]).toEqual([
      Array(6).fill(0),
      [0.5, 0.5],
      [1],
      2,
    ]);
    expect(() => camel.NDArray.from(1).length).toThrow("len() of unsized object");
  });

  it("refuses what is no number, where JavaScript would have made 0 or NaN of it", async () => {
    using _ = inGraph();
    expect(() => tf.constant([1, null], tf.float32)).toThrow("Expected float32, but got None of type 'NoneType'.");
    expect(() => tf.constant([1, undefined] as never)).toThrow("Failed to convert elements of [1, None] to Tensor.");
    expect(() => tf.constant({ a: 1 } as never, tf.float32)).toThrow("Failed to convert");
    const x = tf.placeholder(tf.float32, [2], { name: "x" });
    await using session = new tf.Session();
    await expect(session.run(x, { feed_dict: { "x:0": [1, undefined] } } as object)).rejects.toThrow(
      "An element of the array is undefined.",
    );
  });

  it("compares as before", () => {
    using _ = inGraph();
    const x = tf.zeros([2]);
    expect([x, new tf.TensorShape(null), camel.NDArray.from(1)]).toEqual([x, new tf.TensorShape(null), camel.NDArray.from(1)]);
    expect(camel.NDArray.from(1)).not.toEqual(camel.NDArray.from(2));
  });
});

it("takes several outputs apart by place, by number and by name, in graphs and in results", async () => {
  const graph = new tf.Graph();
  using _ = graph.as_default();
  const best = tf.nn.top_k(tf.constant([3, 9, 5]), 2);
  const [values, indices] = best;
  expect([values, indices]).toEqual([best.values, best.indices]);
  expect(Reflect.get(best, 1)).toBe(best.indices);
  expect(Object.keys(best)).toEqual(["values", "indices", "op"]);
  const [kinds, places] = tf.unique(tf.constant([7, 7, 1], tf.int32));
  expect([kinds.name, places.name]).toEqual(["Unique:0", "Unique:1"]);
  using session = new tf.Session({ graph });
  const [v, i] = await session.run(best);
  expect([v.toArray(), i.toArray()]).toEqual([
    [9, 5],
    [1, 2],
  ]);
});

it("tells what branches and loops give, in types as well", async () => {
  using _ = new tf.Graph().as_default();
  const x = tf.constant([1, 2]);
  const chosen = tf.cond(
    tf.reduce_any(x.greater(1)),
    () => [x, x.add(1)],
    () => [x, x],
  );
  const [last, rows, sum] = tf.while_loop(
    i => i.less(3),
    (i, rows, sum) => [i.add(1), rows.write(i, sum), sum.mul(chosen[1])],
    [tf.constant(0, tf.int32), new tf.TensorArray(tf.float32, { size: 3 }), x],
  );
  // @ts-expect-error a tensor has no rows of its own
  expect(last.write).toBeUndefined();
  await using session = new tf.Session();
  const [stacked, total] = await session.run([rows.stack(), sum]);
  expect([stacked.toArray(), total.toArray()]).toEqual([
    [
      [1, 2],
      [2, 6],
      [4, 18],
    ],
    [8, 54],
  ]);
});
