// How far sums of products lie from double precision in each way that kernels take: the worst error of any element as a share of the largest
// result, for values spread evenly over -1 to 1 and over 0 to 1, with multiply-adds rounded once and twice, beside one sum after the other in
// single precision. `npm run example bench/kernels/sum-errors.ts`; takes some seconds.

import * as tf from "tensorloom";

interface Case {
  readonly name: string;
  readonly shapes: readonly (readonly number[])[];
  readonly of: (a: tf.Tensor, b: tf.Tensor) => tf.Tensor;
  /** Terms of a sum. */
  readonly terms: number;
}

let seed = 9;
const random = (): number => {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  return seed / 2 ** 32;
};

const matmul = (rows: number, terms: number, columns: number, way: string): Case => ({
  name: `${way}: ${rows}×${terms} · ${terms}×${columns}`,
  shapes: [
    [rows, terms],
    [terms, columns],
  ],
  of: (a, b) => tf.matmul(a, b),
  terms,
});

const same = [1, 1, 1, 1];
const cases: readonly Case[] = [
  matmul(512, 512, 512, "blocks"),
  matmul(100, 3136, 1024, "blocks"),
  {
    ...matmul(64, 50_176, 32, "blocks in slices"),
    shapes: [
      [50_176, 64],
      [50_176, 32],
    ],
    of: (a, b) => tf.matmul(a, b, { transposeA: true }),
  },
  {
    name: "tiles: [4,50,3000] · [4,3000,32]",
    shapes: [
      [4, 50, 3000],
      [4, 3000, 32],
    ],
    of: (a, b) => tf.matmul(a, b),
    terms: 3000,
  },
  matmul(100, 1024, 10, "terms along lanes"),
  matmul(1, 4096, 512, "sweep"),
  matmul(1, 100_000, 1, "reduction in slices"),
  {
    name: "taps in registers: depthwise 3×3, 8×56×56×16",
    shapes: [
      [8, 56, 56, 16],
      [8, 56, 56, 16],
    ],
    of: (x, y) => tf.nn.depthwiseConv2dBackpropFilter(x, [3, 3, 16, 1], y, same, "SAME"),
    terms: 8 * 56 * 56,
  },
  {
    name: "sum of all: 1,000,000 products",
    shapes: [
      [1000, 1000],
      [1000, 1000],
    ],
    of: (a, b) => tf.reduceSum(tf.multiply(a, b)),
    terms: 1_000_000,
  },
];

async function run(given: Case, arrays: readonly tf.NDArray[], dtype: tf.DType, deterministicOps: boolean): Promise<tf.NDArray> {
  const graph = new tf.Graph();
  const [feeds, result] = graph.asDefault(() => {
    const [a, b] = given.shapes.map(shape => tf.placeholder(dtype, shape));
    return [[a, b], given.of(a, b)] as const;
  });
  const session = new tf.Session({ graph, config: { deterministicOps, intraOpParallelismThreads: 1 } });
  const wide = arrays.map(array =>
    dtype === "float64" ? new tf.NDArray(dtype, array.shape, Float64Array.from(array.data as Float32Array)) : array,
  );
  const value = (await session.run(
    result,
    feeds.map((feed, i) => [feed, wide[i]] as const),
  )) as tf.NDArray;
  await session.close();
  return value;
}

/** A sum of as many products, one after the other in single precision: its error as a share of it. */
function plainError(terms: number, sums: number, value: () => number): number {
  let [worst, largest] = [0, 0];
  for (let s = 0; s < sums; s++) {
    let [narrow, wide] = [0, 0];
    for (let t = 0; t < terms; t++) {
      const [a, b] = [Math.fround(value()), Math.fround(value())];
      narrow = Math.fround(narrow + Math.fround(a * b));
      wide += a * b;
    }
    worst = Math.max(worst, Math.abs(narrow - wide));
    largest = Math.max(largest, Math.abs(wide));
  }
  return worst / largest;
}

console.log("| way | values | fused | rounded twice | one by one |\n|---|---|---|---|---|");
for (const given of cases)
  for (const [name, value] of [
    ["-1 to 1", () => 2 * random() - 1],
    ["0 to 1", random],
  ] as const) {
    const arrays = given.shapes.map(shape => {
      const size = shape.reduce((product, d) => product * d, 1);
      return new tf.NDArray("float32", shape, Float32Array.from({ length: size }, value));
    });
    const exact = await run(given, arrays, "float64", true);
    const largest = (exact.data as Float64Array).reduce((most, x) => Math.max(most, Math.abs(x)), 0);
    const errors: number[] = [];
    for (const isDeterministic of [false, true]) {
      const got = await run(given, arrays, "float32", isDeterministic);
      errors.push((exact.data as Float64Array).reduce((worst, x, i) => Math.max(worst, Math.abs(x - Number(got.data[i]))), 0) / largest);
    }
    const sums = Math.max(1, Math.min(exact.size, Math.floor(2e7 / given.terms)));
    const cells = [...errors, plainError(given.terms, sums, value)].map(error => error.toExponential(1));
    console.log(`| ${given.name} | ${name} | ${cells.join(" | ")} |`);
  }
