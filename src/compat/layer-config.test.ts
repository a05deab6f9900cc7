// Configs of layers and cells and the shapes they say, as TensorFlow 2.21 gives them (with Keras 2), and layers made of configs.

import { describe, expect, test } from "vitest";
import { tf } from "../compat.ts";

const zeros = { class_name: "Zeros", config: { dtype: "float32" } };
const ones = { class_name: "Ones", config: { dtype: "float32" } };
const weights = {
  activation: "linear",
  use_bias: true,
  kernel_initializer: null,
  bias_initializer: zeros,
  kernel_regularizer: null,
  bias_regularizer: null,
  activity_regularizer: null,
  kernel_constraint: null,
  bias_constraint: null,
};
const list = (value: number, rank: number): number[] => Array<number>(rank).fill(value);
const convolution = (rank: number, size: number[], more: object = {}): object => ({
  filters: 3,
  kernel_size: size,
  strides: list(1, rank),
  padding: "valid",
  data_format: "channels_last",
  dilation_rate: list(1, rank),
  groups: 1,
  ...weights,
  ...more,
});
const separable = {
  kernel_initializer: { class_name: "GlorotUniform", config: { seed: null, dtype: "float32" } },
  depth_multiplier: 2,
  depthwise_initializer: null,
  pointwise_initializer: null,
  depthwise_regularizer: null,
  pointwise_regularizer: null,
  depthwise_constraint: null,
  pointwise_constraint: null,
};
const pooling = (size: number[], strides: number[], more: object = {}): object => ({
  pool_size: size,
  strides,
  padding: "valid",
  data_format: "channels_last",
  ...more,
});
const normalization = {
  axis: -1,
  momentum: 0.5,
  epsilon: 0.001,
  center: true,
  scale: true,
  beta_initializer: zeros,
  gamma_initializer: ones,
  moving_mean_initializer: zeros,
  moving_variance_initializer: ones,
  beta_regularizer: null,
  gamma_regularizer: null,
  beta_constraint: null,
  gamma_constraint: null,
};
const cell = { num_units: 3, activation: "tanh", reuse: null };
const lstm = {
  use_peepholes: true,
  cell_clip: null,
  initializer: null,
  num_proj: 2,
  proj_clip: null,
  num_unit_shards: null,
  num_proj_shards: null,
  forget_bias: 1,
  state_is_tuple: true,
};

type Sizes = readonly (number | null)[];
interface Made {
  get_config(): Record<string, unknown>;
  compute_output_shape(shape: unknown): { as_list(): Sizes };
}
interface Class {
  new (...given: unknown[]): Made;
  from_config(config: object): Made;
}
// any: classes of several namespaces, by their names
const classNamed = (path: string): Class => path.split(".").reduce((found: any, part) => found[part], tf) as Class;

const rows: readonly (readonly [path: string, given: unknown[], config: object, from?: Sizes, to?: Sizes])[] = [
  [
    "layers.Dense",
    [3, { activation: tf.nn.relu, use_bias: false }],
    { units: 3, ...weights, activation: "relu", use_bias: false },
    [null, 4],
    [null, 3],
  ],
  ["layers.Dense", [3], { units: 3, ...weights }, [null, 5, 4], [null, 5, 3]],
  [
    "layers.Conv2D",
    [3, 2, { padding: "same", strides: [2, 1] }],
    convolution(2, [2, 2], { padding: "same", strides: [2, 1] }),
    [null, 8, 9, 3],
    [null, 4, 9, 3],
  ],
  [
    "layers.Conv2D",
    [3, [3, 2], { dilation_rate: 2, data_format: "channels_first" }],
    convolution(2, [3, 2], { dilation_rate: [2, 2], data_format: "channels_first" }),
    [2, 3, 8, 9],
    [2, 3, 4, 7],
  ],
  ["layers.Conv1D", [3, 2, { padding: "causal" }], convolution(1, [2], { padding: "causal" }), [null, 8, 3], [null, 8, 3]],
  ["layers.Conv3D", [3, 2], convolution(3, [2, 2, 2]), [null, 4, null, 5, 3], [null, 3, null, 4, 3]],
  ["layers.SeparableConv2D", [3, 2, { depth_multiplier: 2 }], convolution(2, [2, 2], separable), [null, 8, 8, 3], [null, 7, 7, 3]],
  [
    "layers.Conv2DTranspose",
    [3, 2, { strides: 3 }],
    convolution(2, [2, 2], { strides: [3, 3], output_padding: null }),
    [null, 8, 8, 3],
    [null, 24, 24, 3],
  ],
  [
    "layers.Conv2DTranspose",
    [3, 4, { strides: 3, padding: "same" }],
    convolution(2, [4, 4], { strides: [3, 3], padding: "same", output_padding: null }),
    [null, 8, null, 3],
    [null, 24, null, 3],
  ],
  ["layers.MaxPooling2D", [2, 3], pooling([2, 2], [3, 3]), [null, 8, 9, 3], [null, 3, 3, 3]],
  ["layers.AveragePooling1D", [2, 2, { padding: "SAME" }], pooling([2], [2], { padding: "same" }), [null, 7, 3], [null, 4, 3]],
  [
    "layers.MaxPooling3D",
    [2, 2, { data_format: "channels_first" }],
    pooling([2, 2, 2], [2, 2, 2], { data_format: "channels_first" }),
    [1, 2, 7, 7, 7],
    [1, 2, 3, 3, 3],
  ],
  ["layers.Flatten", [], { data_format: "channels_last" }, [null, 8, 8, 3], [null, 192]],
  ["layers.Flatten", [], { data_format: "channels_last" }, [2, null, 3], [2, null]],
  ["layers.Flatten", [], { data_format: "channels_last" }, [3], [3, 1]],
  ["layers.Dropout", [0.25, { name: "off" }], { rate: 0.25, noise_shape: null, seed: null }, [null, 4], [null, 4]],
  ["layers.BatchNormalization", [{ momentum: 0.5, trainable: false }], normalization, [null, 4], [null, 4]],
  ["nn.rnn_cell.BasicRNNCell", [3], cell],
  ["nn.rnn_cell.GRUCell", [3, { activation: "relu" }], { kernel_initializer: null, bias_initializer: null, ...cell, activation: "relu" }],
  ["nn.rnn_cell.BasicLSTMCell", [3, { forget_bias: 0.5, reuse: true }], { forget_bias: 0.5, state_is_tuple: true, ...cell, reuse: true }],
  ["nn.rnn_cell.LSTMCell", [3, { use_peepholes: true, num_proj: 2 }], { ...lstm, ...cell }],
];

const fresh = <T>(body: () => T): T => new tf.Graph().asDefault(body);

describe("layers and cells tell what they are", () => {
  for (const [path, given, own, from, to] of rows)
    test(`${path} ${JSON.stringify(given)}`, () =>
      fresh(() => {
        const type = classNamed(path);
        const layer = new type(...given);
        const config = layer.get_config();
        const { name, trainable, dtype, ...rest } = config;
        expect(rest).toEqual(own);
        expect([name, trainable, dtype]).toEqual([expect.stringMatching(/_1$|^off$/), path !== "layers.BatchNormalization", null]);
        expect(type.from_config(config).get_config()).toEqual(config);
        if (from === undefined) expect(() => layer.compute_output_shape([2, 3])).toThrow("does not say its output's shape");
        else expect(layer.compute_output_shape(new tf.TensorShape(from)).as_list()).toEqual(to);
      }));

  test("and refuse as TensorFlow's do", () =>
    fresh(() => {
      const dense = new tf.layers.Dense(3);
      expect(() => dense.compute_output_shape([3, null])).toThrow(
        "The last dimension of the input shape of a Dense layer should be defined. Found None. Received: input_shape=(3, ?)",
      );
      expect(() => dense.compute_output_shape([3])).toThrow("Shape (3,) must have rank at least 2");
      const convolved = new tf.layers.Conv2D(3, 5);
      expect(() => convolved.compute_output_shape([null, 2, 2, 3])).toThrow(
        /^One of the dimensions in the output is <= 0 due to downsampling in conv2d_1\./,
      );
      expect(() => convolved.compute_mask(1, 2)).toThrow("Layer conv2d_1 does not support masking, but was passed an input_mask: 2");
      expect([convolved.compute_mask(1), dense.compute_mask(1, 2), convolved.supports_masking, dense.supports_masking]).toEqual([
        null,
        2,
        false,
        true,
      ]);
      expect(String(dense.compute_output_signature(new tf.TensorSpec([null, 4], tf.float32)))).toBe(
        "TensorSpec(shape=(?, 3), dtype=tf.float32, name=None)",
      );
      expect(() => new tf.layers.MaxPooling2D(5, 1).compute_output_shape([null, 2, 2, 3])).toThrow("Dimension -2 must be >= 0");
      expect(() => tf.layers.Dense.from_config({ units: 2, activation: "nope" }).apply(tf.zeros([1, 1]))).toThrow(
        "Unknown activation function: 'nope'.",
      );
      const wrapped = new tf.nn.rnn_cell.DropoutWrapper(new tf.nn.rnn_cell.BasicRNNCell(3), { input_keep_prob: 0.5 });
      const config = wrapped.get_config();
      expect(config).toMatchObject({
        cell: { class_name: "BasicRNNCell", config: cell },
        input_keep_prob: 0.5,
        output_keep_prob: 1,
        seed: null,
      });
      expect(() => tf.nn.rnn_cell.DropoutWrapper.from_config(config)).toThrow("RNNCellWrapper cannot reconstruct the wrapped cell.");
      expect(tf.nn.rnn_cell.DropoutWrapper.from_config({ ...config, cell: wrapped.wrapped_cell }).get_config()).toEqual(config);
    }));

  test("and the properties of their arguments", () =>
    fresh(() => {
      const dense = new tf.layers.Dense(3, { activation: "relu" });
      expect([dense.use_bias, dense.kernel_initializer, dense.kernel_regularizer]).toEqual([true, null, null]);
      expect(dense.activation(tf.constant(1)).op.type).toBe("Relu");
      expect(typeof dense.bias_initializer).toBe("function");
      const convolved = new tf.layers.Conv2D(3, 2, { padding: "SAME" });
      expect([convolved.padding, convolved.data_format, convolved.strides, convolved.rank]).toEqual(["same", "channels_last", [1, 1], 2]);
      const dropout = new tf.layers.Dropout({ rate: 0.25 });
      expect([dropout.rate, new tf.layers.BatchNormalization().epsilon]).toEqual([0.25, 0.001]);
      const own = (x: unknown): unknown => x;
      expect(new tf.layers.Dense(3, { activation: own as never }).get_config().activation).toBe(own);
    }));
});
