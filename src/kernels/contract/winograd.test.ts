// Winograd's filtering against the reference on odd shapes (outputs poisoned, every access checked, phases cut), its matrices, its errors,
// and when it is chosen.

import { describe, expect, test } from "vitest";
import {
  type Convolution,
  type Direction,
  directions,
  errorsOf,
  filterGradient,
  forward,
  inputGradient,
  resultSize,
  sameAsReference,
} from "../../../test/backends/convolutions.ts";
import * as tf from "../../index.ts";
import * as ir from "../../ir/build.ts";
import { addIndex, constantIndex, type Index, scaleIndex } from "../../ir/index-map.ts";
import type { Value } from "../../ir/program.ts";
import { s } from "../../ir/scalar.ts";
import { filtering } from "./winograd-matrices.ts";
import { wasmTarget } from "../target.ts";

let seed = 7;
const random = (): number => {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  return seed / 2 ** 31 - 1;
};

/** Errors are measured against the largest that a result could be. */
const same = (shapes: readonly (readonly number[])[], terms: number, build: (...feeds: Value[]) => readonly Value[]): Promise<void> =>
  sameAsReference(shapes, random, build, {
    within: 4e-6 * Math.sqrt(terms) * 4,
    target: { ...wasmTarget({ relaxedMadd: seed % 3 !== 0 }), winograd: "always" },
  });

const cases: readonly Convolution[] = [
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
    const [oh, ow] = resultSize(sizes);
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

describe("gradients for inputs of convolutions by 2, whose phases are channels", () => {
  test.each([
    { r: 5, c: 8, before: 1 },
    { r: 5, c: 8, before: 2 },
    { r: 6, c: 4, before: 2 },
    { r: 4, c: 12, before: 1 },
    // Vectors that hold several phases.
    { r: 5, c: 3, before: 1 },
    { r: 5, c: 1, before: 2 },
  ])("$r×$r, $c channels, padded by $before", ({ r, c, before }) => {
    const [n, p, f] = [2, 9, 8];
    const along = (pixel: Index, m: Index): Index => addIndex(addIndex(pixel, m), constantIndex(-1));
    const tap = (phase: Index, m: Index): Index => addIndex(addIndex(phase, constantIndex(before + 2)), scaleIndex(m, -2));
    const gradient = (dy: Value, filter: Value): Value =>
      ir.contract([n, p, 2, p, 2, c], [3, 3, f], ([image, y, s, x, t, channel], [down, across, k]) => [
        ir.operand(dy, [image, along(y, down), along(x, across), k]),
        ir.operand(filter, [tap(s, down), tap(t, across), channel, k]),
      ]);
    return same([[n, p, p, f], [r, r, c, f], [c]], 9 * f, (dy, filter, bias) => [
      ir.map((y, b) => s.max(s.add(y, b), 0), gradient(dy, filter), bias),
    ]);
  });
});

// Against double precision. `bench/kernels/errors.ts` measures more and larger shapes; docs/decisions.md has its figures.
describe("errors", () => {
  for (const sizes of [
    { n: 1, h: 8, w: 8, c: 64, f: 8, r: 3, pad: 1 },
    { n: 1, h: 8, w: 8, c: 32, f: 8, r: 5, pad: 2 },
  ])
    test.each(Object.keys(directions) as Direction[])(`${sizes.r}×${sizes.r}, ${sizes.c} channels, %s`, async direction => {
      const [fast, direct] = await errorsOf(sizes, direction, ["always", "never"], random);
      expect(direct).toBeLessThan(3e-6);
      expect(fast).toBeLessThan(1.5e-5);
      // Both ways have been taken.
      expect(fast).toBeGreaterThan(direct);
    });
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
  const strided = graph.asDefault((): typeof large => {
    const [taps, dy] = [tf.placeholder(tf.float32, [5, 5, 32, 64]), tf.placeholder(tf.float32, [2, 14, 14, 64])];
    const y = tf.nn.conv2dBackpropInput([2, 28, 28, 32], taps, dy, [1, 2, 2, 1], "SAME");
    return {
      y,
      feeds: [
        [taps, filter],
        [dy, random3([2, 14, 14, 64])],
      ],
    };
  });

  test.each([
    ["auto", true],
    ["direct", false],
  ] as const)("convolution: %s", async (convolution, isFast) => {
    const session = new tf.Session({ graph, config: { convolution } });
    expect((await session.explain(large.y, large.feeds)).phases.includes("winograd")).toBe(isFast);
    expect((await session.explain(small.y, small.feeds)).phases).not.toContain("winograd");
    // Filtered images are written where they belong: there is no map behind.
    const { phases, plan } = await session.explain(strided.y, strided.feeds);
    expect(phases.includes("winograd")).toBe(isFast);
    expect(plan).not.toContain("\nmap");
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

  test("one image is cut for threads, with the same bits", async () => {
    const one = convolve([1, 14, 14, 32], [5, 5, 32, 64]);
    const results: tf.NDArray[] = [];
    const units: unknown[] = [];
    for (const intraOpParallelismThreads of [1, 2, 3]) {
      const session = new tf.Session({ graph, config: { intraOpParallelismThreads } });
      results.push((await session.run(one.y, one.feeds)) as tf.NDArray);
      const { phases } = await session.explain(one.y, one.feeds);
      units.push(/^winograd\d+ +(\d+) unit/m.exec(phases)?.[1]);
      await session.close();
    }
    expect(units).toEqual(["1", "2", "2"]);
    for (const { data } of results.slice(1)) expect(data).toEqual(results[0].data);
  });

  test("another word is refused", async () => {
    const session = new tf.Session({ graph, config: { convolution: "fast" as "auto" } });
    await expect(session.run(small.y, small.feeds)).rejects.toThrow('There is no convolution "fast"');
  });
});
