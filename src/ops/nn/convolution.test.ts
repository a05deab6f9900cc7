// Convolutions: every combination of strides, dilations, padding, groups and layout against the sum that defines them, and gradients against differences.

import { describe, expect, test } from "vitest";
import { expectClose, expectGradients, someArray, valueOf } from "../../../test/values.ts";
import { NDArray } from "../../base/ndarray.ts";
import { gradients } from "../../gradients/gradients.ts";
import { Graph } from "../../graph/graph.ts";
import type { Tensor } from "../../graph/operation.ts";
import { constant, placeholder, reshape } from "../array/array.ts";
import { transpose } from "../array/rearranging.ts";
import { concat } from "../array/slicing.ts";
import { square } from "../math/functions.ts";
import { Session } from "../../session/session.ts";
import { atrousConv2d, convolution } from "./atrous.ts";
import { conv1d, conv2d, conv2dBackpropInput, conv2dTranspose, conv3d, depthwiseConv2d, separableConv2d } from "./convolution-api.ts";
import { maxPool } from "./pooling-api.ts";

const inGraph = <R>(build: () => R): R => new Graph().asDefault(build);

interface Case {
  readonly input: readonly [batch: number, height: number, width: number, channels: number];
  readonly filter: readonly [height: number, width: number, channels: number, outputs: number];
  readonly strides: readonly [number, number];
  readonly dilations: readonly [number, number];
  /** Before and after, for both axes. */
  readonly pads: readonly [readonly [number, number], readonly [number, number]];
}

/** The convolution as a loop nest; channels of the filter fewer than those of the input mean groups. */
function naive({ input, filter, strides, dilations, pads }: Case, x: NDArray, f: NDArray): number[][][][] {
  const [batch, height, width, channels] = input;
  const [fh, fw, perGroup, outputs] = filter;
  const groups = channels / perGroup;
  const extent = (size: number, axis: 0 | 1): number =>
    Math.floor((size + pads[axis][0] + pads[axis][1] - (filter[axis] - 1) * dilations[axis] - 1) / strides[axis]) + 1;
  const read = (n: number, y: number, z: number, c: number): number =>
    y < 0 || z < 0 || y >= height || z >= width ? 0 : Number(x.get(((n * height + y) * width + z) * channels + c));
  const at = (n: number, oy: number, ox: number, o: number): number => {
    const first = Math.floor(o / (outputs / groups)) * perGroup;
    let sum = 0;
    for (let ky = 0; ky < fh; ky++)
      for (let kx = 0; kx < fw; kx++)
        for (let c = 0; c < perGroup; c++) {
          const y = oy * strides[0] + ky * dilations[0] - pads[0][0];
          const z = ox * strides[1] + kx * dilations[1] - pads[1][0];
          sum += read(n, y, z, first + c) * Number(f.get(((ky * fw + kx) * perGroup + c) * outputs + o));
        }
    return sum;
  };
  const list = <T>(count: number, make: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i));
  return list(batch, n => list(extent(height, 0), y => list(extent(width, 1), z => list(outputs, o => at(n, y, z, o)))));
}

const cases: readonly Case[] = [
  // Windows smaller than their strides: some pixels have no part in the result.
  {
    input: [2, 7, 5, 2],
    filter: [1, 1, 2, 3],
    strides: [2, 2],
    dilations: [1, 1],
    pads: [
      [0, 0],
      [0, 0],
    ],
  },
  {
    input: [1, 8, 6, 4],
    filter: [2, 1, 2, 2],
    strides: [3, 2],
    dilations: [1, 1],
    pads: [
      [1, 0],
      [1, 1],
    ],
  },
  {
    input: [2, 5, 4, 3],
    filter: [3, 2, 3, 2],
    strides: [1, 1],
    dilations: [1, 1],
    pads: [
      [0, 0],
      [0, 0],
    ],
  },
  {
    input: [1, 6, 5, 2],
    filter: [3, 3, 2, 3],
    strides: [2, 1],
    dilations: [1, 1],
    pads: [
      [1, 1],
      [2, 0],
    ],
  },
  {
    input: [1, 7, 7, 2],
    filter: [2, 3, 2, 1],
    strides: [3, 2],
    dilations: [1, 1],
    pads: [
      [0, 1],
      [1, 1],
    ],
  },
  {
    input: [1, 8, 7, 2],
    filter: [3, 2, 2, 2],
    strides: [1, 1],
    dilations: [2, 3],
    pads: [
      [2, 1],
      [0, 3],
    ],
  },
  {
    input: [1, 8, 9, 1],
    filter: [2, 3, 1, 2],
    strides: [2, 3],
    dilations: [2, 2],
    pads: [
      [1, 0],
      [2, 2],
    ],
  },
  {
    input: [2, 4, 4, 4],
    filter: [3, 3, 2, 6],
    strides: [1, 2],
    dilations: [1, 1],
    pads: [
      [1, 1],
      [1, 1],
    ],
  },
  // Windows about as large as their input: few positions, many taps.
  {
    input: [2, 5, 6, 2],
    filter: [2, 6, 2, 3],
    strides: [1, 1],
    dilations: [1, 1],
    pads: [
      [0, 0],
      [0, 0],
    ],
  },
  {
    input: [1, 8, 7, 4],
    filter: [8, 6, 2, 2],
    strides: [2, 1],
    dilations: [1, 1],
    pads: [
      [1, 2],
      [0, 1],
    ],
  },
  {
    input: [1, 3, 3, 2],
    filter: [1, 1, 2, 2],
    strides: [2, 2],
    dilations: [1, 1],
    pads: [
      [0, 0],
      [0, 0],
    ],
  },
];

const asPadding = ({ pads }: Case): number[][] => [[0, 0], [...pads[0]], [...pads[1]], [0, 0]];
const convolve = (c: Case, x: Tensor, f: Tensor): Tensor =>
  conv2d(x, f, [1, ...c.strides, 1], asPadding(c), { dilations: [1, ...c.dilations, 1] });

test.each([
  [25, 5, 2],
  [26, 6, 2],
  [37, 9, 3],
])("the gradient for images of %i² by windows of %i, stride %i, is the transposed sum, by filtering too", async (size, taps, stride) => {
  const [channels, outputs] = [3, 16];
  const out = Math.ceil(size / stride);
  const before = Math.floor(((out - 1) * stride + taps - size) / 2);
  const [f, dy] = [someArray([taps, taps, channels, outputs]), someArray([1, out, out, outputs])];
  const want = new Float64Array(size * size * channels);
  for (let oy = 0; oy < out; oy++)
    for (let ox = 0; ox < out; ox++)
      for (let ky = 0; ky < taps; ky++)
        for (let kx = 0; kx < taps; kx++) {
          const [y, x] = [oy * stride + ky - before, ox * stride + kx - before];
          if (y < 0 || x < 0 || y >= size || x >= size) continue;
          for (let c = 0; c < channels; c++)
            for (let k = 0; k < outputs; k++)
              want[(y * size + x) * channels + c] +=
                Number(dy.get((oy * out + ox) * outputs + k)) * Number(f.get(((ky * taps + kx) * channels + c) * outputs + k));
        }
  const value = await valueOf(() =>
    conv2dBackpropInput([1, size, size, channels], constant(f), constant(dy), [1, stride, stride, 1], "SAME"),
  );
  const got = (value as number[][][][]).flat(3);
  const largest = want.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const worst = want.reduce((most, sum, i) => Math.max(most, Math.abs(got[i] - sum)), 0);
  expect(got).toHaveLength(want.length);
  expect(worst).toBeLessThan(2e-5 * largest);
});

describe("conv2d", () => {
  test.each(cases)("$input by $filter, strides $strides, dilations $dilations: the sum that defines it", async c => {
    const [x, f] = [someArray(c.input, 1), someArray(c.filter, 2)];
    expectClose(await valueOf(() => convolve(c, constant(x), constant(f))), naive(c, x, f));
  });

  test.each(cases)("$input by $filter, strides $strides, dilations $dilations: gradients", async c => {
    await expectGradients(([x, f]) => convolve(c, x, f), [someArray(c.input, 1), someArray(c.filter, 2)]);
  });

  test.each(cases)("$input by $filter in NCHW is the same, turned", async c => {
    const [x, f] = [someArray(c.input, 1), someArray(c.filter, 2)];
    const turned = valueOf(() => {
      const padding = [[0, 0], [0, 0], [...c.pads[0]], [...c.pads[1]]];
      const options = { dilations: [1, 1, ...c.dilations], dataFormat: "NCHW" } as const;
      return transpose(conv2d(transpose(constant(x), [0, 3, 1, 2]), constant(f), [1, 1, ...c.strides], padding, options), [0, 2, 3, 1]);
    });
    expectClose(await turned, naive(c, x, f));
  });

  test("the gradients of its gradients", async () => {
    const { input, filter } = cases[1];
    await expectGradients(
      ([x, f]) => {
        const [dx, df] = gradients(square(convolve(cases[1], x, f)), [x, f]) as Tensor[];
        return concat([reshape(dx, [-1]), reshape(df, [-1])], 0);
      },
      [someArray([...input]), someArray([...filter], 2)],
    );
  });

  test("says what is wrong in TensorFlow's words", () => {
    inGraph(() => {
      const x = placeholder("float32", [1, 4, 4, 3]);
      expect(() => conv2d(x, constant(NDArray.zeros("float32", [3, 3, 2, 1])), [1, 1, 1, 1], "SAME")).toThrow(
        "Depth of input (3) is not a multiple of input depth of filter (2)",
      );
      expect(() => conv2d(x, constant(NDArray.zeros("float32", [5, 5, 3, 1])), [1, 1, 1, 1], "VALID")).toThrow(
        "Negative dimension size caused by subtracting 5 from 4",
      );
    });
  });
});

describe("other convolutions", () => {
  test("conv2dTranspose is the gradient of conv2d", async () => {
    const build = (x: Tensor, f: Tensor): Tensor => conv2dTranspose(x, f, [1, 6, 5, 2], [1, 2, 2, 1], "SAME");
    await expectGradients(([x, f]) => build(x, f), [someArray([1, 3, 3, 3]), someArray([3, 2, 2, 3], 2)]);
  });

  test("depthwise: one filter for each channel", async () => {
    const build = (x: Tensor, f: Tensor): Tensor => depthwiseConv2d(x, f, [1, 2, 2, 1], "SAME");
    await expectGradients(([x, f]) => build(x, f), [someArray([1, 5, 4, 2]), someArray([3, 2, 2, 3], 2)]);
    const wide = (x: Tensor, f: Tensor): Tensor => depthwiseConv2d(x, f, [1, 1, 1, 1], "VALID");
    await expectGradients(([x, f]) => wide(x, f), [someArray([1, 5, 4, 2]), someArray([2, 4, 2, 3], 2)]);
    const first = await valueOf(() =>
      build(constant(NDArray.full("float32", [1, 2, 2, 2], 1)), constant(NDArray.from([1, 2, 3, 4], "float32", [1, 1, 2, 2]))),
    );
    expect(first).toEqual([[[[1, 2, 3, 4]]]]);
  });

  test("separable, one-, three-dimensional, dilated by convolution", async () => {
    await expectGradients(
      ([x, d, p]) => separableConv2d(x, d, p, [1, 1, 1, 1], "VALID"),
      [someArray([1, 4, 4, 2]), someArray([2, 2, 2, 2], 2), someArray([1, 1, 4, 3], 3)],
    );
    await expectGradients(([x, f]) => conv1d(x, f, 2, "SAME"), [someArray([2, 5, 2]), someArray([3, 2, 2], 2)]);
    await expectGradients(([x, f]) => conv3d(x, f, [1, 2, 1, 2, 1], "SAME"), [someArray([1, 3, 3, 4, 1]), someArray([2, 2, 3, 1, 2], 2)]);
    await expectGradients(([x, f]) => atrousConv2d(x, f, 2, "SAME"), [someArray([1, 5, 5, 1]), someArray([2, 3, 1, 2], 2)]);
    await expectGradients(
      ([x, f]) => convolution(x, f, "VALID", { dilationRate: [1, 2] }),
      [someArray([1, 4, 6, 1]), someArray([2, 2, 1, 2], 2)],
    );
  });

  test("several batch dimensions are one", async () => {
    const check = async (sizes: readonly number[], filter: readonly number[], op: (x: Tensor, f: Tensor) => Tensor): Promise<void> => {
      const f = someArray(filter, 2);
      const several = await valueOf(() => op(constant(someArray([2, 3, ...sizes])), constant(f)));
      const one = await valueOf(() => op(reshape(constant(someArray([2, 3, ...sizes])), [6, ...sizes]), constant(f)));
      expect((several as unknown[]).flat(1)).toEqual(one);
    };
    await check([5, 2], [3, 2, 2], (x, f) => conv1d(x, f, 2, "SAME"));
    await check([5, 2], [3, 2, 2], (x, f) => convolution(x, f, "SAME", { strides: [2] }));
    await check([4, 5, 2], [2, 3, 2, 2], (x, f) => convolution(x, f, "VALID"));
    await check([4, 5, 2], [2, 3, 2, 2], (x, f) => convolution(x, f, "SAME", { dilationRate: [2, 1] }));
    await check([3, 4, 3, 1], [2, 2, 3, 1, 2], (x, f) => convolution(x, f, "SAME", { strides: [1, 2, 1] }));
  });
});

test("gradients of windows as wide as their input take one product a pixel, not one a tap", async () => {
  const { x, dx } = inGraph(() => {
    const x = placeholder("float64", [2, 10, 300, 1]);
    const y = conv2d(x, constant(someArray([2, 300, 1, 7])), [1, 1, 1, 1], "VALID");
    return { x, dx: gradients(maxPool(y, [1, 9, 1, 1], [1, 1, 1, 1], "VALID"), [x])[0] as Tensor };
  });
  const session = new Session({ graph: dx.graph });
  const { program } = await session.explain(dx, [[x, someArray([2, 10, 300, 1])]]);
  expect(program).toMatch(/contract float64\[2,10,1,1,300,1\] over \[2,1,7\]/);
  expect(program).not.toMatch(/reduce sum .* over \[9\]/);
  await session.close();
});
