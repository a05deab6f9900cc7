// Winograd's filtering against the reference on odd shapes (outputs poisoned, every access checked, phases cut), its matrices, its errors,
// and when it is chosen.

import { describe, expect, test } from "vitest";
import { compareBackends } from "../../test/backends/compare-backends.ts";
import { NDArray } from "../base/ndarray.ts";
import * as tf from "../index.ts";
import * as ir from "../ir/build.ts";
import { ProgramBuilder } from "../ir/build.ts";
import { addIndex, constantIndex, subtractIndex } from "../ir/index-map.ts";
import type { Value } from "../ir/program.ts";
import { s } from "../ir/scalar.ts";
import { filtering } from "./winograd-matrices.ts";
import { wasmTarget } from "./target.ts";

let seed = 7;
const random = (): number => {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  return seed / 2 ** 31 - 1;
};

interface Sizes {
  readonly n: number;
  readonly h: number;
  readonly w: number;
  readonly c: number;
  readonly f: number;
  readonly r: number;
  readonly pad: number;
}

type Shape = readonly number[];

/** Compares a program of two fed arrays; errors are measured against the largest that a result could be. */
async function same(shapes: readonly Shape[], terms: number, build: (...feeds: Value[]) => readonly Value[]): Promise<void> {
  const builder = new ProgramBuilder();
  const results = ir.building(builder, () => build(...shapes.map((shape, i) => ir.feed(String(i), "float32", shape))));
  const feeds = new Map(
    shapes.map((shape, i) => {
      const size = shape.reduce((product, d) => product * d, 1);
      return [String(i), new NDArray("float32", shape, Float32Array.from({ length: size }, random))];
    }),
  );
  const relaxedMadd = seed % 3 !== 0;
  const { fault } = await compareBackends(
    { program: { steps: builder.root, results }, feeds, states: new Map() },
    { within: 4e-6 * Math.sqrt(terms) * 4, target: { ...wasmTarget({ relaxedMadd }), winograd: "always" } },
  );
  if (fault !== undefined) throw new Error(fault.slice(0, 1000));
}

const out = ({ h, r, pad }: Sizes): number => h + 2 * pad - r + 1;

const forward = (sizes: Sizes, x: Value, filter: Value): Value => {
  const { n, c, f, r, pad } = sizes;
  return ir.contract([n, out(sizes), out({ ...sizes, h: sizes.w }), f], [r, r, c], ([b, y, z, k], [ky, kx, ci]) => [
    ir.operand(x, [b, addIndex(addIndex(y, ky), constantIndex(-pad)), addIndex(addIndex(z, kx), constantIndex(-pad)), ci]),
    ir.operand(filter, [ky, kx, ci, k]),
  ]);
};

const inputGradient = (sizes: Sizes, dy: Value, filter: Value): Value => {
  const { n, h, w, c, f, r, pad } = sizes;
  return ir.contract([n, h, w, c], [r, r, f], ([b, y, z, ci], [ky, kx, k]) => [
    ir.operand(dy, [b, addIndex(subtractIndex(y, ky), constantIndex(pad)), addIndex(subtractIndex(z, kx), constantIndex(pad)), k]),
    ir.operand(filter, [ky, kx, ci, k]),
  ]);
};

const filterGradient = (sizes: Sizes, x: Value, dy: Value): Value => {
  const { n, c, f, r, pad } = sizes;
  return ir.contract([r, r, c, f], [n, out(sizes), out({ ...sizes, h: sizes.w })], ([ky, kx, ci, k], [b, y, z]) => [
    ir.operand(x, [b, addIndex(addIndex(y, ky), constantIndex(-pad)), addIndex(addIndex(z, kx), constantIndex(-pad)), ci]),
    ir.operand(dy, [b, y, z, k]),
  ]);
};

const cases: readonly Sizes[] = [
  { n: 2, h: 8, w: 10, c: 8, f: 12, r: 5, pad: 2 },
  { n: 3, h: 13, w: 7, c: 8, f: 12, r: 3, pad: 1 },
  { n: 5, h: 9, w: 8, c: 12, f: 4, r: 3, pad: 0 },
  { n: 1, h: 33, w: 29, c: 8, f: 4, r: 3, pad: 1 },
];

describe("filtering", () => {
  test.each([
    [4, 3],
    [4, 5],
    [2, 3],
  ])("F(%i, %i) is correlation", (m, r) => {
    const { inputs, filter, sums, size } = filtering(m, r);
    const x = Array.from({ length: size }, random);
    const g = Array.from({ length: r }, random);
    const times = (matrix: readonly (readonly number[])[], vector: readonly number[]): number[] =>
      matrix.map(row => row.reduce((sum, value, k) => sum + value * vector[k], 0));
    const taps = times(filter, g);
    const y = times(
      sums,
      times(inputs, x).map((value, k) => value * taps[k]),
    );
    for (let i = 0; i < m; i++)
      expect(y[i]).toBeCloseTo(
        g.reduce((sum, value, k) => sum + value * x[i + k], 0),
        10,
      );
  });
});

describe("convolutions by Winograd's filtering", () => {
  for (const sizes of cases) {
    const { n, h, w, c, f, r, pad } = sizes;
    const [oh, ow] = [out(sizes), out({ ...sizes, h: w })];
    const name = `${n}×${h}×${w}×${c} with ${r}×${r}×${f} padded by ${pad}`;
    test(`forward, bias and relu: ${name}`, () =>
      same([[n, h, w, c], [r, r, c, f], [f]], r * r * c, (x, filter, bias) => [
        ir.map((y, b) => s.max(s.add(y, b), 0), forward(sizes, x, filter), bias),
      ]));
    test(`input gradient: ${name}`, () =>
      same(
        [
          [n, oh, ow, f],
          [r, r, c, f],
        ],
        r * r * f,
        (dy, filter) => [inputGradient(sizes, dy, filter)],
      ));
    test(`filter gradient: ${name}`, () =>
      same(
        [
          [n, h, w, c],
          [n, oh, ow, f],
        ],
        n * oh * ow,
        (x, dy) => [filterGradient(sizes, x, dy)],
      ));
  }
});

describe("the choice", () => {
  const shape = [2, 14, 14, 32];
  const graph = new tf.Graph();
  const random3 = (of: readonly number[]): tf.NDArray =>
    new tf.NDArray("float32", of, Float32Array.from({ length: of.reduce((product, d) => product * d, 1) }, random));
  const [x, filter] = [random3(shape), random3([5, 5, 32, 64])];
  const convolve = (image: readonly number[], window: readonly number[]): { y: tf.Tensor; feeds: tf.Feeds } =>
    graph.asDefault(() => {
      const [input, taps] = [tf.placeholder(tf.float32, image), tf.placeholder(tf.float32, window)];
      const given = image === shape ? [x, filter] : [random3(image), random3(window)];
      return {
        y: tf.nn.conv2d(input, taps, [1, 1, 1, 1], "SAME"),
        feeds: [
          [input, given[0]],
          [taps, given[1]],
        ],
      };
    });
  const large = convolve(shape, [5, 5, 32, 64]);
  const small = convolve([1, 8, 8, 4], [3, 3, 4, 4]);

  /** In double precision. */
  function exact(): Float64Array {
    const sums = new Float64Array(2 * 14 * 14 * 64);
    const [pixels, taps] = [x.data as Float32Array, filter.data as Float32Array];
    for (let at = 0; at < 2 * 14 * 14; at++)
      for (let tap = 0; tap < 25; tap++) {
        const row = (Math.floor(at / 14) % 14) + Math.floor(tap / 5) - 2;
        const column = (at % 14) + (tap % 5) - 2;
        if (row < 0 || row >= 14 || column < 0 || column >= 14) continue;
        const from = 32 * ((Math.floor(at / 196) * 14 + row) * 14 + column);
        for (let c = 0; c < 32; c++) for (let f = 0; f < 64; f++) sums[at * 64 + f] += pixels[from + c] * taps[(tap * 32 + c) * 64 + f];
      }
    return sums;
  }

  test.each([
    ["auto", 1e-5],
    ["direct", 1e-6],
  ] as const)("convolution: %s errs by less than %d of the largest value", async (convolution, most) => {
    const session = new tf.Session({ graph, config: { convolution } });
    const result = (await session.run(large.y, large.feeds)) as tf.NDArray;
    const want = exact();
    const largest = want.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const error = want.reduce((worst, value, i) => Math.max(worst, Math.abs(value - Number(result.data[i]))), 0);
    expect(error / largest).toBeLessThan(most);
    expect((await session.explain(large.y, large.feeds)).phases.includes("winograd")).toBe(convolution === "auto");
    expect((await session.explain(small.y, small.feeds)).phases).not.toContain("winograd");
    await session.close();
  });

  test("deterministic results are the unfused ones", async () => {
    const session = new tf.Session({ graph, config: { deterministicOps: true } });
    expect((await session.explain(large.y, large.feeds)).module).not.toContain("relaxed");
    await session.close();
  });

  test("any number of threads gives the same bits", async () => {
    const two = new tf.Graph();
    const outputs = two.asDefault(() => {
      const [input, taps] = [tf.placeholder(tf.float32, shape), tf.placeholder(tf.float32, [5, 5, 32, 64])];
      const y = tf.nn.conv2d(input, taps, [1, 1, 1, 1], "SAME");
      return { input, taps, all: [y, ...tf.gradients(tf.reduceSum(tf.square(y)), [input, taps])] as tf.Tensor[] };
    });
    const feeds: tf.Feeds = [
      [outputs.input, x],
      [outputs.taps, filter],
    ];
    const results: tf.NDArray[][] = [];
    for (const intraOpParallelismThreads of [1, 3]) {
      const session = new tf.Session({ graph: two, config: { intraOpParallelismThreads } });
      results.push((await session.run(outputs.all, feeds)) as tf.NDArray[]);
      await session.close();
    }
    for (const [i, array] of results[0].entries()) expect(results[1][i].data).toEqual(array.data);
  });

  test("another word is refused", async () => {
    const session = new tf.Session({ graph, config: { convolution: "fast" as "auto" } });
    await expect(session.run(small.y, small.feeds)).rejects.toThrow('There is no convolution "fast"');
  });
});
