// How near products of matrices and convolutions come to the peak of WebAssembly's vectors: each alone in a step, on one thread, its least time in
// turns with a matrix tile from the first cache. `npm run bench -- contractions [TEXT]`: those whose name contains the text.

import * as tf from "tensorloom";
import { peakNow } from "./tile.ts";

interface Case {
  readonly name: string;
  readonly flops: number;
  readonly build: () => tf.Tensor;
  readonly convolution?: "auto";
}

let state = 1;
const random = (): number => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 2 ** 31 - 1;
};

const variable = (shape: readonly number[]): tf.Variable =>
  new tf.Variable(new tf.NDArray("float32", shape, Float32Array.from({ length: shape.reduce((n, d) => n * d, 1) }, random)));

function product(rows: number, terms: number, columns: number, transpose: "" | "a" | "b" = ""): Case {
  const [a, b] = [transpose === "a" ? [terms, rows] : [rows, terms], transpose === "b" ? [columns, terms] : [terms, columns]];
  return {
    name: `${rows}×${terms} · ${terms}×${columns}${transpose && `, ${transpose} turned`}`,
    flops: 2 * rows * terms * columns,
    build: () => tf.matmul(variable(a), variable(b), { transposeA: transpose === "a", transposeB: transpose === "b" }),
  };
}

/** A layer of so many inputs and outputs, with both gradients. */
const layer = (batch: number, inputs: number, outputs: number): Case[] => [
  product(batch, inputs, outputs),
  product(batch, outputs, inputs, "b"),
  product(inputs, batch, outputs, "a"),
];

/** n images of size² × c to f channels by windows of r × r, with both gradients; by direct sums. */
function convolution(n: number, size: number, c: number, f: number, r: number, stride: number): Case[] {
  const [strides, out] = [[1, stride, stride, 1], Math.ceil(size / stride)];
  const [x, w, y] = [
    [n, size, size, c],
    [r, r, c, f],
    [n, out, out, f],
  ];
  const name = `${n}×${size}×${size}×${c}, ${r}×${r}→${f}${stride > 1 ? ` by ${stride}` : ""}`;
  const flops = 2 * n * out * out * c * f * r * r;
  return [
    { name: `${name}, forward`, flops, build: () => tf.nn.conv2d(variable(x), variable(w), strides, "SAME") },
    { name: `${name}, input's gradient`, flops, build: () => tf.nn.conv2dBackpropInput(x, variable(w), variable(y), strides, "SAME") },
    { name: `${name}, filter's gradient`, flops, build: () => tf.nn.conv2dBackpropFilter(variable(x), w, variable(y), strides, "SAME") },
  ];
}

/** The same as usual, where that is by Winograd's filtering: rates count the products of direct sums. */
const filtered = (n: number, size: number, c: number, f: number, r: number): Case[] =>
  convolution(n, size, c, f, r, 1).map(given => ({ ...given, name: `${given.name}, Winograd`, convolution: "auto" }));

const cases: readonly Case[] = [
  ...[512, 1024, 2048].map(n => product(n, n, n)),
  product(1024, 1024, 1024, "a"),
  product(1024, 1024, 1024, "b"),
  ...layer(100, 3136, 1024),
  ...layer(100, 1024, 10),
  ...layer(128, 784, 512),
  ...layer(128, 512, 512),
  ...layer(128, 512, 10),
  ...convolution(100, 28, 1, 32, 5, 1),
  ...convolution(25, 14, 32, 64, 5, 1),
  ...convolution(4, 56, 64, 64, 3, 1),
  ...filtered(4, 56, 64, 64, 3),
  ...convolution(8, 28, 128, 128, 3, 1),
  ...filtered(8, 28, 128, 128, 3),
  ...convolution(8, 14, 256, 256, 3, 1),
  ...filtered(8, 14, 256, 256, 3),
  ...filtered(8, 7, 512, 512, 3),
  ...filtered(8, 14, 128, 128, 5),
  ...convolution(8, 56, 256, 64, 1, 1),
  ...convolution(8, 14, 256, 512, 1, 1),
  ...convolution(8, 56, 64, 128, 3, 2),
  ...convolution(8, 28, 128, 128, 3, 2),
  ...convolution(8, 57, 64, 64, 3, 2),
  ...convolution(4, 112, 3, 64, 7, 2),
  ...convolution(8, 56, 64, 128, 1, 2),
];

/** Prints a row for each case whose name contains the text. */
export async function printContractions(text: string, { rounds, seconds }: { rounds: number; seconds: number }): Promise<void> {
  const started: { given: Case; step: () => Promise<unknown>; close: () => Promise<void>; least: number }[] = [];
  for (const given of cases.filter(({ name }) => name.includes(text))) {
    const graph = new tf.Graph();
    const { fetch, initialize } = graph.asDefault(() => {
      const value = given.build();
      const fetch = tf.group(tf.assign(variable(value.shape.asList() as number[]), value));
      return { fetch, initialize: tf.globalVariablesInitializer() };
    });
    const session = new tf.Session({ graph, config: { intraOpParallelismThreads: 1, convolution: given.convolution ?? "direct" } });
    await session.run(initialize);
    started.push({ given, step: () => session.run(fetch), close: () => session.close(), least: Number.POSITIVE_INFINITY });
  }
  const peakOf = peakNow();
  let peak = 0;
  for (let round = 0; round < rounds; round++) {
    for (const each of started) {
      const end = performance.now() + seconds * 1000;
      for (let times = 0; times < 3 || performance.now() < end; times++) {
        const began = performance.now();
        await each.step();
        each.least = Math.min(each.least, performance.now() - began);
      }
      peak = Math.max(peak, peakOf());
    }
  }
  console.log(`Peak of a matrix tile from the first cache: ${peak.toFixed(1)} GFLOP/s`);
  for (const { given, least, close } of started) {
    const rate = given.flops / least / 1e6;
    const share = `${((100 * rate) / peak).toFixed(0)} %`;
    console.log(`${given.name.padEnd(48)} ${least.toFixed(3).padStart(9)} ms ${rate.toFixed(1).padStart(6)} GFLOP/s ${share.padStart(5)}`);
    await close();
  }
}
