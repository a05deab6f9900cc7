// Activations in the types where last digits tell: recorded by TensorFlow 2.21 beside the numbers.
import { expect, it } from "vitest";
import * as tf from "../../index.ts";

async function valueOf(build: () => tf.Tensor): Promise<unknown> {
  const graph = new tf.Graph();
  using _ = graph.asDefault();
  await using session = new tf.Session({ graph });
  return (await session.run(build())).toArray();
}

it("slopes are attributes, and attributes are of single precision", async () => {
  const x = (): tf.Tensor => tf.constant([-79.99523012913963, 3], "float64");
  expect(await valueOf(() => tf.nn.leakyRelu(x()))).toEqual([-15.99904626423229, 3]);
  expect(await valueOf(() => tf.nn.leakyRelu(x(), { alpha: 0.1 }))).toEqual([-7.99952313211, 3].map(y => expect.closeTo(y, 9)));
});

it("softplus of float16 has TensorFlow's threshold, eight times as far as the type's precision says", async () => {
  expect(await valueOf(() => tf.nn.softplus(tf.constant([-4.93359375, -6], "float16")))).toEqual([
    0.007175445556640625, 0.002475738525390625,
  ]);
});

it("Bessel functions of float16 do not overflow on the way", async () => {
  expect(await valueOf(() => tf.math.besselI0(tf.constant([11.09375, 11.125], "float16")))).toEqual([7972, 8208]);
});

it("K of tiny arguments is what is left of it", async () => {
  const tiny = (): tf.Tensor => tf.constant([1.7800590868057611e-307], "float64");
  expect(await valueOf(() => tf.math.special.besselK1(tiny()))).toEqual([5.617791046444737e306]);
  expect(await valueOf(() => tf.math.special.besselK0(tiny()))).toEqual([expect.closeTo(706.4329085062427, 9)]);
});

it("softmax of unknown rank along another axis than the last is refused", () => {
  const build = () => tf.nn.softmax(tf.placeholder(tf.float32, null), { axis: 0 });
  expect(() => new tf.Graph().asDefault(build)).toThrow("unsupported operand type(s) for -: 'NoneType' and 'int'");
});

it("a second gradient of ctcLoss is refused", () => {
  using _ = new tf.Graph().asDefault();
  const inputs = tf.placeholder(tf.float32, [2, 1, 3]);
  const labels = new tf.SparseTensor([[0n, 0n]], tf.constant([1], tf.int32), [1n, 1n]);
  const [first] = tf.gradients(tf.nn.ctcLoss(labels, inputs, [2]), [inputs]);
  expect(() => tf.gradients(first as tf.Tensor, [inputs])).toThrow(
    `Gradient explicitly disabled. Reason: b"Currently there is no way to take the second  derivative of ctc_loss`,
  );
});

it("atrousConv2dTranspose takes sizes that are known only while running", async () => {
  const graph = new tf.Graph();
  using _ = graph.asDefault();
  await using session = new tf.Session({ graph });
  const value = tf.reshape(tf.range(32), [1, 4, 4, 2]);
  const filters = tf.reshape(tf.range(54), [3, 3, 3, 2]);
  const [whole, size] = [tf.placeholder(tf.int32, [4]), tf.placeholder(tf.int32, [])];
  const made = [[1, 4, 4, 3], whole, [1, size, 4, 3], tf.NDArray.from([1, 4, 4, 3], "int32")].map(shape =>
    tf.nn.atrousConv2dTranspose(value, filters, shape as tf.TensorLike, 2, "SAME"),
  );
  expect(made.map(({ shape }) => String(shape))).toEqual(["(1, 4, 4, 3)", "(1, ?, ?, ?)", "(1, ?, ?, 3)", "(1, 4, 4, 3)"]);
  const given: tf.Feeds = [
    [whole, [1, 4, 4, 3]],
    [size, 4],
  ];
  for (const each of await session.run(made, given)) expect([...each.data].slice(0, 6)).toEqual([428, 596, 764, 628, 828, 1028]);
});

it("what a pool's fed positions in 64 bits name is gathered", async () => {
  using _ = new tf.Graph().asDefault();
  await using session = new tf.Session();
  const grad = tf.reshape(tf.cast(tf.range(16), "float32"), [2, 2, 1, 4]);
  const argmax = tf.placeholder("int64", [2, 1, 1, 4]);
  const window = { ksize: [1, 2, 1, 1], strides: [1, 1, 1, 1], padding: "VALID" } as const;
  const gathered = tf.rawOps.MaxPoolGradGradWithArgmax({ input: tf.zerosLike(grad), grad, argmax, ...window });
  const positions = tf.NDArray.from([[[[0n, 5n, 2n, 7n]]], [[[4n, 1n, 6n, 3n]]]], "int64");
  expect([...(await session.run(gathered, [[argmax, positions]])).data]).toEqual([0, 5, 2, 7, 12, 9, 14, 11]);
});
