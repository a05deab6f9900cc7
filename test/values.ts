// What ops compute, for tests beside their sources: on both backends, which have to agree, and gradients against differences.

import { expect } from "vitest";
import { NDArray } from "../src/base/ndarray.ts";
import { gradients } from "../src/gradients/gradients.ts";
import { Graph } from "../src/graph/graph.ts";
import { IndexedSlices } from "../src/graph/indexed-slices.ts";
import type { Tensor } from "../src/graph/operation.ts";
import { constant, placeholder } from "../src/ops/array/array.ts";
import { multiply } from "../src/ops/math/math.ts";
import { reduceSum } from "../src/ops/math/reduction.ts";
import { slicesToTensor } from "../src/ops/math/segment.ts";
import { Session } from "../src/session/session.ts";

type Feeds = readonly (readonly [Tensor, unknown])[];

/** Builds in a graph of its own and returns the values as nested lists. The backends may differ in the last bits of floats. */
export async function valuesOf(build: () => readonly Tensor[], feeds: (graph: Graph) => Feeds = () => []): Promise<unknown[]> {
  const results: unknown[][] = [];
  for (const backend of ["reference", "wasm"] as const) {
    const graph = new Graph();
    const tensors = graph.asDefault(build);
    await using session = new Session({ graph, config: { backend } });
    results.push((await session.run([...tensors], feeds(graph) as never)).map(array => array.toArray()));
  }
  expectClose(results[1], results[0]);
  return results[0];
}

export const valueOf = async (build: () => Tensor, feeds?: (graph: Graph) => Feeds): Promise<unknown> =>
  (await valuesOf(() => [build()], feeds))[0];

/** Nested lists equal but for rounding; NaN and infinities exactly. */
export function expectClose(got: unknown, want: unknown, relative = 1e-5): void {
  if (Array.isArray(want)) {
    expect(Array.isArray(got) && got.length).toBe(want.length);
    want.forEach((item, i) => void expectClose((got as unknown[])[i], item, relative));
  } else if (typeof want === "number" && Number.isFinite(want)) {
    expect(Math.abs((got as number) - want), `${String(got)} for ${want}`).toBeLessThanOrEqual(1e-6 + relative * Math.abs(want));
  } else expect(got).toEqual(want);
}

/** Numbers in [-1, 1) that are always the same. */
export function someNumbers(count: number, seed = 1): number[] {
  let state = seed;
  return Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

export const someArray = (shape: readonly number[], seed = 1): NDArray =>
  NDArray.from(
    someNumbers(
      shape.reduce((a, b) => a * b, 1),
      seed,
    ),
    "float64",
    shape,
  );

/** Checks that the gradients of Σ f·w, for some weights w, are what small changes of each element say. Everything in float64. */
export async function expectGradients(f: (xs: readonly Tensor[]) => Tensor, arrays: readonly NDArray[]): Promise<void> {
  const graph = new Graph();
  const { xs, loss, slopes } = graph.asDefault(() => {
    const inputs = arrays.map(array => placeholder("float64", array.shape));
    const y = f(inputs);
    const total = reduceSum(multiply(y, constant(someArray(y.shape.asNumbers(), 99))));
    const found = gradients(total, inputs).map(slope => (slope instanceof IndexedSlices ? slicesToTensor(slope) : slope));
    return { xs: inputs, loss: total, slopes: found as Tensor[] };
  });
  const feedsOf = (values: readonly NDArray[]): Feeds => values.map((value, k) => [xs[k], value] as const);
  const answers: NDArray[][] = [];
  for (const backend of ["reference", "wasm"] as const) {
    await using session = new Session({ graph, config: { backend } });
    answers.push((await session.run([...slopes], feedsOf(arrays) as never)) as NDArray[]);
  }
  await using session = new Session({ graph, config: { backend: "reference" } });
  const lossAt = async (values: readonly NDArray[]): Promise<number> =>
    Number(((await session.run(loss, feedsOf(values) as never)) as NDArray).get(0));
  const step = 1e-5;
  for (const [k, array] of arrays.entries()) {
    const numeric: number[] = [];
    for (let i = 0; i < array.size; i++) {
      const changed = [step, -step].map(by => {
        const copy = NDArray.from(array.toArray() as number[], "float64", array.shape);
        copy.set(i, Number(copy.get(i)) + by);
        return arrays.map((other, j) => (j === k ? copy : other));
      });
      numeric.push(((await lossAt(changed[0])) - (await lossAt(changed[1]))) / (2 * step));
    }
    for (const answer of answers) {
      expect(answer[k].shape).toEqual(array.shape);
      expectClose(
        Array.from({ length: array.size }, (_, i) => answer[k].get(i)),
        numeric,
        1e-4,
      );
    }
  }
}
