// Gradients of ops that few programs differentiate, against differences (float64) or against the same function composed of plain ops.

import { describe, expect, test } from "vitest";
import { someArray, someNumbers, expectGradients, valuesOf } from "../../test/values.ts";
import { NDArray } from "../base/ndarray.ts";
import { gradients } from "../gradients/gradients.ts";
import type { Tensor } from "../graph/operation.ts";
import { SparseTensor } from "../graph/sparse-tensor.ts";
import { constant, reshape } from "./array/array.ts";
import { rgbToHsv } from "./image/image.ts";
import { MatrixSolveLs, TridiagonalSolve } from "./linalg/linalg.ts";
import { cast } from "./math/cast.ts";
import { multiply, subtract } from "./math/math.ts";
import { imag, real, square } from "./math/functions.ts";
import { irfft, irfft2d, rfft, rfft2d } from "./signal/fft.ts";
import { reduceMean, reduceSum } from "./math/reduction.ts";
import { ClipByValue, NextAfter } from "./math/special.ts";
import { batchNormalization, fusedBatchNorm } from "./nn/normalization.ts";
import { sparseReduceSum } from "./sparse/sparse.ts";
import { add } from "./operators.ts";

/** tf.nn.moments stops a gradient that is zero, but whose own gradient is not. */
function ownMoments(x: Tensor, axes: readonly number[]): [Tensor, Tensor] {
  const mean = reduceMean(x, [...axes], { keepdims: true });
  return [mean, reduceMean(square(subtract(x, mean)), [...axes], { keepdims: true })];
}

/** Both parts of a complex tensor as one real function. */
const parts = (z: Tensor): Tensor => add(real(z), multiply(imag(z), constant(0.7, "float64")));
const complexOf = (re: Tensor): Tensor => multiply(cast(re, "complex128"), constant(NDArray.from([[0.6, 0.8]], "complex128", [])));

describe("transforms of real numbers", () => {
  for (const length of [5, 6]) {
    test(`rfft and irfft of ${length}, of what is cut and what is filled up`, async () => {
      for (const size of [length - 2, length, length + 3]) {
        await expectGradients(([x]) => parts(rfft(x, { fftLength: [length] })), [someArray([2, size])]);
        await expectGradients(([x]) => irfft(complexOf(x), { fftLength: [length] }), [someArray([2, size])]);
      }
    });
    test(`in two dimensions, ${length} columns`, async () => {
      await expectGradients(([x]) => parts(rfft2d(x, { fftLength: [3, length] })), [someArray([2, 3, length])]);
      await expectGradients(([x]) => irfft2d(complexOf(x), { fftLength: [4, length] }), [someArray([3, 5])]);
    });
  }
});

describe("linear algebra", () => {
  test("least squares, tall and wide", async () => {
    const solve = ([a, b]: readonly Tensor[]): Tensor => MatrixSolveLs({ matrix: a, rhs: b, l2Regularizer: constant(0.3, "float64") });
    await expectGradients(solve, [someArray([2, 4, 3]), someArray([2, 4, 2], 7)]);
    await expectGradients(solve, [someArray([2, 4]), someArray([2, 3], 7)]);
  });
  test("a tridiagonal system", async () => {
    const inside = [1, 1, 1, 0, 1, 1, 1, 1, 0, 1, 1, 1];
    const diagonals = someNumbers(12, 3).map((x, i) => (i >= 4 && i < 8 ? x + 4 : x));
    // The corners that stand for no element do not matter.
    diagonals[3] = diagonals[8] = 0;
    await expectGradients(
      ([d, b]) => TridiagonalSolve({ diagonals: multiply(d, constant(NDArray.from(inside, "float64", [3, 4]))), rhs: b }),
      [NDArray.from(diagonals, "float64", [3, 4]), someArray([4, 2], 5)],
    );
  });
});

test("colours, with each channel the largest and the smallest", async () => {
  const pixels = [0.9, 0.4, 0.2, 0.8, 0.3, 0.5, 0.2, 0.7, 0.4, 0.3, 0.6, 0.5, 0.1, 0.4, 0.8, 0.45, 0.2, 0.9];
  await expectGradients(([x]) => rgbToHsv(x), [NDArray.from(pixels, "float64", [2, 3, 3])]);
});

test("clipping between bounds that are broadcast, and the next number", async () => {
  await expectGradients(
    ([x, low, high]) => ClipByValue({ t: x, clipValueMin: low, clipValueMax: high }),
    [someArray([3, 4]), NDArray.from([-0.4], "float64", []), NDArray.from([0.3], "float64", [])],
  );
  const slopes = await valuesOf(() => {
    const [x, y] = [constant(someArray([2, 3])), constant(someArray([3], 4))];
    return gradients(NextAfter({ x1: x, x2: y }), [x, y]) as Tensor[];
  });
  expect(slopes).toEqual([
    [
      [1, 1, 1],
      [1, 1, 1],
    ],
    [0, 0, 0],
  ]);
});

test("sums of sparse tensors", async () => {
  const indices = NDArray.from([0n, 1n, 1n, 0n, 1n, 2n], "int64", [3, 2]);
  for (const options of [{ axis: 1 }, { axis: 0, keepdims: true }, {}])
    await expectGradients(
      ([x]) => sparseReduceSum(new SparseTensor(constant(indices), x, constant(NDArray.from([2n, 3n], "int64", [2]))), options),
      [someArray([3])],
    );
});

for (const dataFormat of ["NHWC", "NCHW"] as const)
  for (const isTraining of [true, false])
    test(`the gradient of the gradient of batch normalization, ${dataFormat}, ${isTraining ? "training" : "given statistics"}`, async () => {
      const channels = dataFormat === "NHWC" ? 3 : 1;
      const shape = dataFormat === "NHWC" ? [2, 2, 2, 3] : [2, 3, 2, 2];
      const slopes = (normalize: (x: Tensor, scale: Tensor, offset: Tensor) => Tensor): readonly Tensor[] => {
        const [x, scale, offset] = [constant(someArray(shape), "float32"), vector(1), vector(2)];
        const weights = constant(someArray(shape, 5), "float32");
        const first = gradients(reduceSum(multiply(normalize(x, scale, offset), multiply(weights, x))), [x, scale, offset]) as Tensor[];
        const second = first.map((slope, k) => reduceSum(multiply(slope, constant(someArray(slope.shape.asNumbers(), 20 + k), "float32"))));
        return gradients(
          second.reduce((a, b) => add(a, b)),
          [x, scale],
        ) as Tensor[];
      };
      const vector = (seed: number): Tensor => constant(someArray([3], seed), "float32");
      const statistics = { mean: someArray([3], 8), variance: NDArray.from([0.5, 0.9, 1.3], "float64", [3]) };
      const given = (array: NDArray): Tensor => constant(array, "float32");
      const wide = (t: Tensor): Tensor => (channels === 3 ? t : reshape(t, [3, 1, 1]));
      const fused = (x: Tensor, scale: Tensor, offset: Tensor): Tensor =>
        fusedBatchNorm(x, scale, offset, {
          ...(isTraining ? {} : { mean: given(statistics.mean), variance: given(statistics.variance) }),
          epsilon: 0.01,
          dataFormat,
          isTraining,
        })[0];
      const plain = (x: Tensor, scale: Tensor, offset: Tensor): Tensor => {
        const axes = dataFormat === "NHWC" ? [0, 1, 2] : [0, 2, 3];
        const [mean, variance] = isTraining ? ownMoments(x, axes) : [wide(given(statistics.mean)), wide(given(statistics.variance))];
        return batchNormalization(x, mean, variance, wide(offset), wide(scale), 0.01);
      };
      const results = await valuesOf(() => [...slopes(fused), ...slopes(plain)]);
      const [got, want] = [results.slice(0, 2).flat(9) as number[], results.slice(2).flat(9) as number[]];
      expect(got.length).toBe(27);
      got.forEach((value, i) => void expect(Math.abs(value - want[i]), `element ${i}`).toBeLessThan(2e-3 * Math.max(1, Math.abs(want[i]))));
    });
