// Random ops give TensorFlow's numbers, bit for bit, run after run: golden-random.json.
import { describe, expect, it } from "vitest";
import { type DType, isBigInteger } from "../../src/base/dtype.ts";
import { NDArray } from "../../src/base/ndarray.ts";
import { Graph } from "../../src/graph/graph.ts";
import * as rawOps from "../../src/index/raw-ops.ts";
import { Session } from "../../src/session/session.ts";
import { loadSpec } from "./golden.ts";

interface Recorded {
  readonly op: string;
  readonly seed: number;
  readonly seed2: number;
  readonly args: Readonly<Record<string, never>>;
  readonly dtype: DType;
  readonly runs: readonly unknown[];
}

const { cases } = loadSpec("golden-random") as { cases: readonly Recorded[] };

/** The record each op is called with. any: one row for each op, of different types. */
const records: Readonly<Record<string, (args: any, dtype: DType) => object>> = {
  RandomUniform: ({ shape }, dtype) => ({ shape, dtype }),
  RandomStandardNormal: ({ shape }, dtype) => ({ shape, dtype }),
  TruncatedNormal: ({ shape }, dtype) => ({ shape, dtype }),
  RandomUniformInt: ({ shape, minval, maxval }, dtype) => ({
    shape,
    minval: NDArray.from(minval, dtype),
    maxval: NDArray.from(maxval, dtype),
  }),
  RandomShuffle: ({ value }, dtype) => ({ value: NDArray.from(value, dtype) }),
  Multinomial: ({ logits, num_samples }) => ({ logits: NDArray.from(logits, "float32"), numSamples: NDArray.from(num_samples, "int32") }),
};

describe.each(["reference", "wasm"] as const)("random ops on %s", backend => {
  it.each(cases.map((recorded, i) => [i, recorded.op, recorded.dtype, recorded.seed, recorded.seed2, recorded] as const))(
    "%i: %s %s, seeds %i and %i",
    async (_, op, dtype, seed, seed2, { args, runs }) => {
      const graph = new Graph();
      // any: ops by their name in the record
      const make = (rawOps as any)[op];
      const tensor = graph.asDefault(() => make({ ...records[op](args, dtype), seed, seed2 }));
      const session = new Session({ graph, config: { backend } });
      for (const want of runs) {
        const got = (await session.run(tensor)) as NDArray;
        const plain = Array.from({ length: got.size }, (_, i) => Number(got.get(i)));
        expect(plain).toEqual(isBigInteger(dtype) ? [want].flat(3).map(Number) : [want].flat(3));
      }
      await session.close();
    },
  );
});
