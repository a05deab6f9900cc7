// Random graphs with their training steps, compiled in every way there is, against the reference backend: optimized and as written, fused and
// with every value fetched (so that nothing is fused away), with and without fused multiply-adds, in pairs of vectors, by kernels for any size, by functions that
// are given all addresses, with direct convolutions, and bit for bit on 1 and 2 threads. FUZZ_SEED and FUZZ_COUNT run others, and more.
import { afterAll, beforeAll, expect, test } from "vitest";
import { runReference } from "../../src/backends/reference/index.ts";
import type { WasmDevice } from "../../src/backends/wasm/device.ts";
import { engineTarget } from "../../src/backends/wasm/features.ts";
import { outputsOf } from "../../src/ir/program.ts";
import type { RecordOptions } from "../../src/kernels/index.ts";
import type { RandomCase } from "../plans/random-program.ts";
import { type CompareOptions, compareBackends } from "./compare-backends.ts";
import { bits, deviceOf, runOn } from "./on-threads.ts";
import { caseOf, randomGraph } from "./random-graph.ts";

const first = Number(process.env.FUZZ_SEED ?? 1);
const count = Number(process.env.FUZZ_COUNT ?? 25);

// Keeps the workers between seeds.
let keeper: WasmDevice;
beforeAll(() => {
  keeper = deviceOf(2);
});
afterAll(() => keeper.close());

/** Every value a result: each is computed on its own and stored. */
const everythingFetched = ({ program, feeds, states }: RandomCase): RandomCase => ({
  program: { ...program, results: program.steps.flatMap(step => outputsOf(step)).filter(({ dtype }) => dtype !== "string") },
  feeds,
  states,
});

/** Every kernel by a function that others of its form could call. */
const allCommon: RecordOptions = { fewestAlike: 1 };

const always = (given: RandomCase): RandomCase => given;
const variants: readonly (readonly [name: string, change: (given: RandomCase) => RandomCase, options: CompareOptions])[] = [
  ["as usual", always, {}],
  ["with every value fetched", everythingFetched, {}],
  ["with products and sums rounded one by one", always, { target: engineTarget({ deterministic: true }) }],
  ["with direct convolutions", always, { target: engineTarget({ winograd: "never" }) }],
  ["by kernels for any size", always, { anySize: true }],
  ["in pairs of vectors", always, { target: engineTarget({ pairs: true }) }],
  ["by functions that are given all addresses", always, { recording: allCommon }],
];

async function tried(seed: number): Promise<{ elements: number; undecided: number }> {
  const graph = randomGraph(seed);
  const optimized = caseOf(graph, true, seed);
  const written = caseOf(graph, false, seed);
  const counts = { elements: 0, undecided: 0 };
  const [name, change, options] = variants[seed % variants.length];
  for (const [what, given] of [
    ["optimized", optimized],
    ["as written", written],
  ] as const) {
    const { fault, elements, undecided } = await compareBackends(change(given), options);
    if (fault !== undefined) throw new Error(`${what}, ${name}: ${fault}`);
    counts.elements += elements;
    counts.undecided += undecided;
  }
  const [one, other] = [optimized, written].map(({ program, feeds, states }) => runReference(program, { feeds, states }));
  one.results.forEach((array, k) => {
    for (let i = 0; i < array.size; i++) {
      const [a, b] = [Number(array.get(i)), Number(other.results[k].get(i))];
      if (Math.abs(a - b) > 1e-4 * Math.max(1, Math.abs(a)))
        throw new Error(`optimized: result ${k}, element ${i} is ${a}, as written ${b}`);
    }
  });
  const alone = runOn(1, optimized).outcomes.map(bits);
  expect(runOn(2, optimized).outcomes.map(bits)).toEqual(alone);
  expect(runOn(2, optimized, { recording: allCommon }).outcomes.map(bits)).toEqual(alone);
  return counts;
}

test(`random graphs, seeds ${first} and on`, { timeout: 60_000 + 2_000 * count }, async () => {
  const all = { elements: 0, undecided: 0 };
  for (let seed = first; seed < first + count; seed++) {
    const { elements, undecided } = await tried(seed).catch((error: Error) => {
      throw new Error(`seed ${seed}: ${error.message}`, { cause: error });
    });
    all.elements += elements;
    all.undecided += undecided;
  }
  expect(all.elements).toBeGreaterThan(0);
  // One graph alone may be of elements that overflow.
  if (count >= 25) expect(all.undecided / all.elements).toBeLessThan(0.02);
});
