// What Python's classes have, asked through the compat door; the answers are TensorFlow 2.21's.
import { describe, expect, it } from "vitest";
import { tf } from "../compat.ts";

const inGraph = <R>(body: () => R): R => new tf.Graph().as_default(body);
const refusal = (call: () => unknown): string => {
  try {
    call();
  } catch (error) {
    return `${(error as Error).name}: ${(error as Error).message}`;
  }
  return "nothing";
};

describe("graphs and operations", () => {
  it("make operations of a type by its name", () =>
    inGraph(() => {
      const graph = tf.get_default_graph();
      const x = tf.placeholder(tf.float32, [null, 3], { name: "x" });
      const same = graph.create_op("Identity", [x], [tf.float32], { name: "idd" });
      expect([same.name, same.type, String(same.outputs[0].shape)]).toEqual(["idd", "Identity", "(?, 3)"]);
      const given = graph.create_op("Placeholder", [], [tf.float32], { attrs: { dtype: tf.AttrValue({ type: 1 }) }, name: "pp" });
      expect(String(given.outputs[0])).toBe('Tensor("pp:0", dtype=float32)');
      const joined = graph.create_op("ConcatV2", [x, x, tf.constant(1, tf.int32)], { attrs: { N: 2 } });
      expect(String(joined.outputs[0].shape)).toBe("(?, 6)");
      expect(graph.create_op("AddN", [x, x, x]).inputs.length).toBe(3);
      expect(refusal(() => graph.create_op("Identity", ["a"], [tf.float32]))).toBe("TypeError: Input #0 is not a tensor: a");
      expect(refusal(() => graph.create_op("Foo", [x], [tf.float32]))).toContain("RuntimeError: Op type not registered 'Foo' in binary");
      expect(graph.op_def_for_type("Identity").input_arg[0].type_attr).toBe("T");
      expect([x.op.op_def.name, graph.graph_def_versions.producer, graph.building_function, x.ndim]).toEqual([
        "Placeholder",
        2474,
        false,
        2,
      ]);
      expect(tf.placeholder(tf.float32).ndim).toBe(-1);
    }));

  it("tell of slices and sparse tensors what TensorFlow tells", () =>
    inGraph(() => {
      const rows = tf.placeholder(tf.float32, [null, 3]);
      const slices = tf.IndexedSlices(rows, tf.constant([0]), tf.constant([3, 3]));
      tf.identity(rows, { name: "reader" });
      expect([String(slices.shape), slices.device, slices.consumers().map(({ name }) => name)]).toEqual(["(3, 3)", "", ["reader"]]);
      expect(tf.IndexedSlices(rows, tf.constant([0])).shape.rank).toBe(null);
      const sparse = tf.sparse_placeholder(tf.float32, [null, 3]);
      sparse.set_shape([2, 3]);
      expect(String(sparse.shape)).toBe("(2, 3)");
      expect(refusal(() => sparse.set_shape([5, 4]))).toBe("ValueError: Shapes (2, 3) and (5, 4) are not compatible");
      expect(refusal(() => sparse.set_shape([5]))).toBe("ValueError: Shapes (2, 3) and (5,) are not compatible");
      expect(
        tf
          .TensorShape([1, null])
          .as_proto()
          .dim.map(({ size }) => size),
      ).toEqual([1n, -1n]);
    }));
});

describe("variables", () => {
  it("become messages and come back", () =>
    inGraph(() => {
      const v = tf.get_variable("v", [2, 3]);
      const message = v.to_proto();
      expect([
        message?.variable_name,
        message?.initializer_name,
        message?.snapshot_name,
        message?.initial_value_name,
        message?.trainable,
      ]).toEqual(["v:0", "v/Assign", "v/read:0", "v/Initializer/random_uniform:0", true]);
      expect(v.to_proto("other")).toBe(null);
      expect(String(tf.Variable.from_proto(message))).toBe("<tf.Variable 'v:0' shape=(2, 3) dtype=float32_ref>");
      expect(String(tf.Variable({ variable_def: message }))).toBe("<tf.Variable 'v:0' shape=(2, 3) dtype=float32_ref>");
      expect(refusal(() => tf.Variable(1, { variable_def: message }))).toBe(
        "ValueError: variable_def and initial_value are mutually exclusive.",
      );
      expect(new tf.Variable.SaveSliceInfo("a", [4, 2], [0, 0], [2, 2]).spec).toBe("4 2 0,2:0,2");
      expect([v.aggregation, v.synchronization]).toEqual([tf.VariableAggregation.NONE, tf.VariableSynchronization.AUTO]);
    }));

  it("are written row by row, and at places by the larger", async () => {
    const graph = new tf.Graph();
    const [start, rows, largest] = graph.as_default(() => {
      const v = tf.get_variable("v", {
        initializer: tf.constant([
          [1, 2],
          [3, 4],
        ]),
        use_resource: true,
      });
      const r = tf.Variable([1, 5, 3]);
      return [
        tf.global_variables_initializer(),
        r.batch_scatter_update(tf.IndexedSlices(tf.constant([9]), tf.constant([0], tf.int32))),
        v.scatter_nd_max(
          [
            [0, 0],
            [1, 1],
          ],
          [7, 1],
        ),
      ];
    });
    await using session = new tf.Session({ graph });
    await session.run(start);
    expect((await session.run(rows)).tolist()).toEqual([9, 5, 3]);
    expect((await session.run(largest)).tolist()).toEqual([
      [7, 2],
      [3, 4],
    ]);
  });
});

describe("what is made and made again", () => {
  it("initializers tell their settings", () => {
    const settings = (made: { get_config(): object }): object => made.get_config();
    expect(settings(tf.random_normal_initializer())).toEqual({ mean: 0, stddev: 1, seed: null, dtype: "float32" });
    expect(settings(tf.variance_scaling_initializer(2))).toEqual({
      scale: 2,
      mode: "fan_in",
      distribution: "truncated_normal",
      seed: null,
      dtype: "float32",
    });
    expect(settings(tf.initializers.he_normal())).toEqual({
      scale: 2,
      mode: "fan_in",
      distribution: "truncated_normal",
      seed: null,
      dtype: "float32",
    });
    expect(settings(tf.constant_initializer(3))).toEqual({ value: 3, dtype: "float32" });
    expect(settings(tf.zeros_initializer.from_config({ dtype: "int32" }))).toEqual({ dtype: "int32" });
    expect(refusal(() => tf.zeros_initializer.from_config({ dtyp: "int32" }))).toContain("got an unexpected keyword argument 'dtyp'");
  });

  it("templates know their variables", () =>
    inGraph(() => {
      const template = tf.make_template("t", () => tf.get_variable("w", [1]));
      expect(template.variables).toEqual([]);
      template();
      expect([template.variable_scope_name, template.trainable_variables.map(String), template.non_trainable_variables]).toEqual([
        "t/",
        ["<tf.Variable 't/w:0' shape=(1,) dtype=float32_ref>"],
        [],
      ]);
    }));

  it("layers count what their variables hold", () =>
    inGraph(() => {
      const layer = tf.layers.Dense(2, { name: "d" });
      expect(refusal(() => layer.count_params())).toContain("You tried to call `count_params` on d, but the layer isn't built.");
      layer(tf.zeros([4, 3]));
      expect([layer.count_params(), layer.supports_masking, layer.stateful, layer.get_losses_for(null)]).toEqual([8, true, false, []]);
    }));
});

describe("errors", () => {
  it("are made as Python makes them, and tell their code", () => {
    const error = tf.errors.OutOfRangeError(null, null, "done");
    expect([error.message, error.error_code, error.node_def, error.op, error.args, error.experimental_payloads]).toEqual([
      "done",
      11,
      null,
      null,
      [],
      {},
    ]);
  });
});

describe("datasets", () => {
  it("put elements of like lengths together", async () => {
    const graph = new tf.Graph();
    const [next, dense, sizes] = graph.as_default(() => {
      const lists = [[1], [1, 2, 3], [1, 2], [4, 5, 6, 7]];
      const dataset = tf.data.Dataset.from_generator(() => lists.values(), tf.int32, [null]);
      const batches = dataset.bucket_by_sequence_length((e: object) => tf.shape(e)[0], [3, 6], [2, 2, 2], {
        pad_to_bucket_boundary: true,
        padding_values: -1,
      });
      const again = tf.data.Dataset.range(10).batch(4).rebatch([2, 3], { drop_remainder: true });
      return [
        tf.data.make_one_shot_iterator(batches).get_next(),
        tf.data.make_one_shot_iterator(again).get_next(),
        [
          dataset.ragged_batch(2),
          dataset.sparse_batch(2, [5]),
          tf.data.Dataset.range(10).batch(4).rebatch(3, { drop_remainder: true }),
        ].map(({ element_spec }) => String(element_spec.shape)),
      ];
    });
    await using session = new tf.Session({ graph });
    expect((await session.run(next)).tolist()).toEqual([
      [1, -1],
      [1, 2],
    ]);
    expect((await session.run(next)).tolist()).toEqual([
      [1, 2, 3, -1, -1],
      [4, 5, 6, 7, -1],
    ]);
    expect((await session.run(dense)).tolist().map(Number)).toEqual([0, 1]);
    expect((await session.run(dense)).tolist().map(Number)).toEqual([2, 3, 4]);
    expect(sizes).toEqual(["(?, ?)", "(?, 5)", "(3,)"]);
  });

  it("merge their options", () => {
    const first = tf.data.Options();
    first.deterministic = true;
    const second = tf.data.Options();
    second.experimental_slack = true;
    const both = first.merge(second);
    expect([both.deterministic, both.experimental_slack, first.experimental_slack]).toEqual([true, true, null]);
  });
});

it("rows of rows become rows", async () => {
  const graph = new tf.Graph();
  const merged = graph.as_default(() => {
    const ragged = tf.RaggedTensor.from_nested_row_lengths([1, 2, 3, 4], [tf.constant([2, 1], tf.int64), tf.constant([1, 2, 1], tf.int64)]);
    expect(refusal(() => ragged.merge_dims(2, 1))).toBe("ValueError: Expected outer_axis (2) to be less than or equal to inner_axis (1).");
    expect(refusal(() => ragged.merge_dims(0, 5))).toBe("ValueError: inner_axis=5 out of bounds: expected -3<=inner_axis<3");
    return [ragged.merge_dims(0, 1), ragged.merge_dims(-2, -1), ragged.merge_dims(0, 2)];
  });
  await using session = new tf.Session({ graph });
  const values = await session.run(merged);
  expect(values.map(value => ("toList" in value ? value.toList() : value.toArray()))).toEqual([
    [[1], [2, 3], [4]],
    [[1, 2, 3], [4]],
    [1, 2, 3, 4],
  ]);
});

describe("options with a second name", () => {
  it("are the same argument, which is given once", async () => {
    const graph = new tf.Graph();
    const values = graph.as_default(() => {
      expect(refusal(() => tf.string_to_number("1", tf.float32, { input: "2" }))).toBe(
        "ValueError: Cannot specify both 'string_tensor' and 'input'.",
      );
      expect(refusal(() => tf.zeros([2], tf.float32, { layout: "rows" }))).toContain(
        "UnimplementedError: `layout` lays a tensor over a mesh",
      );
      expect(refusal(() => tf.random.stateless_normal([2], [1, 2], { alg: "dice" }))).toBe(
        "ValueError: Argument `alg` got unsupported value dice. Supported values are philox for the Philox algorithm, threefry for the ThreeFry algorithm, and auto_select for auto-selection.",
      );
      const ids = tf.SparseTensor(
        [
          [0, 0],
          [0, 1],
        ],
        tf.constant([1, 1], tf.int64),
        [1, 2],
      );
      const image = tf.reshape(tf.range(4, { dtype: tf.float32 }), [1, 2, 2, 1]);
      const kernel = tf.zeros([1, 1, 1]);
      return [
        tf.string_to_number(null, tf.float32, { input: "2" }),
        tf.nn.embedding_lookup_sparse(tf.constant([[1], [5]]), ids, null, { combiner: "sum", allow_fast_lookup: true }),
        tf.nn.dilation2d(image, null, [1, 1, 1, 1], null, "SAME", { filters: kernel, dilations: [1, 1, 1, 1] }),
        tf.random.stateless_uniform([1], [1, 2], { alg: "philox" }),
        tf.random.stateless_uniform([1], [1, 2]),
      ];
    });
    await using session = new tf.Session({ graph });
    const [number, rows, dilated, drawn, same] = (await session.run(values)).map(value => value.toArray());
    expect([number, rows, dilated]).toEqual([
      2,
      [[10]],
      [
        [
          [[0], [1]],
          [[2], [3]],
        ],
      ],
    ]);
    expect(drawn).toEqual(same);
  });
});

describe("what is missing", () => {
  it("says so by name, with what to do", () =>
    inGraph(() => {
      const layer = tf.layers.Dense(2);
      expect(refusal(() => Reflect.get(layer, "input_shape"))).toContain(
        "AttributeError: 'Dense' object has no attribute 'input_shape'\n\nA layer remembers no tensors",
      );
      expect(refusal(() => Reflect.get(tf.get_default_graph(), "switch_to_thread_local"))).toContain(
        "'Graph' object has no attribute 'switch_to_thread_local'",
      );
      expect(Reflect.get(tf.constant(1), "something_else")).toBe(undefined);
    }));

  it("settings are copied and merged as messages are", () => {
    const config = tf.ConfigProto({ allow_soft_placement: true });
    config.gpu_options.CopyFrom(tf.GPUOptions({ allow_growth: true }));
    expect([config.HasField("gpu_options"), config.HasField("graph_options"), config.gpu_options.allow_growth]).toEqual([
      true,
      false,
      true,
    ]);
    expect(refusal(() => Reflect.get(config, "SerializeToString"))).toContain("Settings of a session are an object here");
  });
});
