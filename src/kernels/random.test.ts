// Random words against the reference, bit for bit: blocks by vectors and those left over, counters that are carried through all their words.
import { expect, test } from "vitest";
import { compareBackends } from "../../test/backends/compare-backends.ts";
import { program } from "../../test/plans/known-programs.ts";
import { NDArray } from "../base/ndarray.ts";
import * as ir from "../ir/build.ts";
import { wasmTarget } from "./target.ts";

const top = 2n ** 64n - 1n;
const states: readonly (readonly [seed: bigint, seed2: bigint, used: bigint])[] = [
  [0x0123456789abcdefn, 5n, 0n],
  [7n, 0n, 2n ** 32n - 2n],
  [top, 2n ** 32n - 1n, top - 4n],
  [1n << 63n, top, top - 1n],
];

test.each([1, 4, 7, 16, 17, 31, 256, 1023])("%i words", async count => {
  for (const state of states) {
    const given = program(() => [ir.randomWords(ir.feed("state", "int64", [3]), count)]);
    const values = BigInt64Array.from(state, word => BigInt.asIntN(64, word));
    const feeds = new Map([["state", new NDArray("int64", [3], values)]]);
    for (const threads of [1, 2]) {
      const { fault, elements } = await compareBackends({ program: given, feeds, states: new Map() }, { target: wasmTarget({ threads }) });
      expect(fault, `from ${state.join()}`).toBeUndefined();
      expect(elements).toBe(count);
    }
  }
});
