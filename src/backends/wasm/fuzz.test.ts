// Random programs on the wasm backend against the reference, every memory access checked. FUZZ_SEED and FUZZ_COUNT run others, and more.

import { describe, expect, test } from "vitest";
import { type CompareOptions, compareBackends } from "../../../test/backends/compare-backends.ts";
import { randomTypedCase } from "../../../test/backends/random-typed-program.ts";
import { randomCase, type RandomCase } from "../../../test/plans/random-program.ts";

const first = Number(process.env.FUZZ_SEED ?? 1);
const count = Number(process.env.FUZZ_COUNT ?? 150);

async function fuzz(make: (seed: number) => RandomCase, options: CompareOptions = {}): Promise<void> {
  let elements = 0;
  let undecided = 0;
  for (let seed = first; seed < first + count; seed++) {
    const comparison = await compareBackends(make(seed), options).catch((error: Error) => {
      throw new Error(`seed ${seed}: ${error.message}`, { cause: error });
    });
    if (comparison.fault !== undefined) throw new Error(`seed ${seed}: ${comparison.fault}`);
    elements += comparison.elements;
    undecided += comparison.undecided;
  }
  expect(elements).toBeGreaterThan(0);
  expect(undecided / elements).toBeLessThan(0.02);
}

describe("random programs give what the reference gives", () => {
  test(`of float32 with states, branches and loops, seeds ${first} and on`, () => fuzz(seed => randomCase(seed)));
  test(`of all types and functions, seeds ${first} and on`, () => fuzz(seed => randomTypedCase(seed)));
  const recording = { fewestAlike: 1 };
  test(`by functions that are given all addresses, of float32, seeds ${first} and on`, () => fuzz(seed => randomCase(seed), { recording }));
  test(`by functions that are given all addresses, of all types, seeds ${first} and on`, () =>
    fuzz(seed => randomTypedCase(seed), { recording }));
  test(`by kernels for any size, of float32, seeds ${first} and on`, () => fuzz(seed => randomCase(seed), { anySize: true }));
  test(`by kernels for any size, of all types, seeds ${first} and on`, () => fuzz(seed => randomTypedCase(seed), { anySize: true }));

  // Seeds that found something once.
  test("by kernels for any size, columns of truth values", async () => {
    expect((await compareBackends(randomTypedCase(7029), { anySize: true })).fault).toBeUndefined();
  });
});
