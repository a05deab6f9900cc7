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
