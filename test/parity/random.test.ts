// Random ops give TensorFlow's numbers, bit for bit, run after run: golden-random.json.
import { describe, expect, it } from "vitest";
import type { DType } from "../../src/base/dtype.ts";
import { NDArray } from "../../src/base/ndarray.ts";
import { Graph } from "../../src/graph/graph.ts";
import * as rawOps from "../../src/index/raw-ops.ts";
import { Session } from "../../src/session/session.ts";
import { surprises } from "./expected-failures.ts";
import { loadSpec } from "./golden.ts";
import type { Backend } from "./run-case.ts";

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

/** Why the op's runs differ, or undefined. */
async function failure({ op, seed, seed2, args, dtype, runs }: Recorded, backend: Backend): Promise<string | undefined> {
  const graph = new Graph();
  // any: ops by their name in the record
  const make = (rawOps as any)[op];
  const tensor = graph.asDefault(() => make({ ...records[op](args, dtype), seed, seed2 }));
  const session = new Session({ graph, config: { backend } });
  try {
    for (const want of runs) {
      const got = (await session.run(tensor)) as NDArray;
      const numbers = [want].flat(3).map(Number);
      const at = numbers.findIndex((number, i) => number !== Number(got.get(i)));
      if (at >= 0 || got.size !== numbers.length)
        return Math.abs(numbers[at] - Number(got.get(at))) < 1e-6 ? "off in the last bit" : `${got.get(at)} for ${numbers[at]}`;
    }
    return undefined;
  } finally {
    await session.close();
  }
}

describe.each(["reference", "wasm"] as const)("random ops on %s", backend => {
  it("give TensorFlow's numbers, but for the listed cases", async () => {
    const failures = new Map<string, string>();
    for (const recorded of cases) {
      const why = await failure(recorded, backend);
      if (why !== undefined)
        failures.set(`${recorded.op} ${recorded.dtype} ${JSON.stringify(recorded.args)} ${recorded.seed} ${recorded.seed2}`, why);
    }
    expect(surprises(`random-${backend}`, failures)).toEqual([]);
  });
});
