// Ops that are others under an older name give what those give.

import { describe, expect, it } from "vitest";
import { NDArray } from "../base/ndarray.ts";
import { Graph } from "../graph/graph.ts";
import type { Operation, Tensor } from "../graph/operation.ts";
import { Session } from "../session/session.ts";
import { exportGraphDef, importGraphDef } from "../io/graph-def.ts";
import { Cholesky, MatrixInverse, SelfAdjointEigV2 } from "./linalg/linalg.ts";
import { FFT2D } from "./signal/fft.ts";
import { LookupTableExport, LookupTableFind, LookupTableInsert, LookupTableSize, MutableDenseHashTable } from "./older-names.ts";

const matrices = NDArray.from([4, 1, 1, 3, 2, 0.5, 0.5, 1], "float32", [2, 2, 2]);

const withoutComplex = <V>(attr: ReadonlyMap<string, V>): Map<string, V> => new Map([...attr].filter(([name]) => name !== "Tcomplex"));

/** An op of one input, as a graph of TensorFlow's first versions holds it: the newer one's node under the older name. */
function older(type: string, now: Tensor): Tensor {
  const { node } = exportGraphDef(now.graph);
  const renamed = node.map(given => (given.name === now.op.name ? { ...given, op: type, attr: withoutComplex(given.attr) } : given));
  const graph = { node: renamed, versions: { producer: 8, minConsumer: 0, badConsumers: [] } };
  const [found] = importGraphDef(graph, { returnElements: [now.name], name: "old" }) as readonly Tensor[];
  return found;
}

async function both(make: () => unknown): Promise<readonly NDArray[]> {
  const graph = new Graph();
  const fetches = graph.asDefault(make) as readonly Tensor[];
  const session = new Session(null, { graph });
  try {
    return (await session.run([...fetches])) as readonly NDArray[];
  } finally {
    await session.close();
  }
}

describe("ops under older names", () => {
  it.each([
    ["BatchCholesky", () => [older("BatchCholesky", Cholesky({ input: matrices })), Cholesky({ input: matrices })]],
    ["BatchMatrixInverse", () => [older("BatchMatrixInverse", MatrixInverse({ input: matrices })), MatrixInverse({ input: matrices })]],
    [
      "BatchFFT2D",
      () => {
        const input = NDArray.from([1, 2, 3, 5], "complex64", [2, 2]);
        return [older("BatchFFT2D", FFT2D({ input })), FFT2D({ input })];
      },
    ],
  ])("%s is what it was renamed to", async (_, make) => {
    const [old, now] = await both(make);
    expect(old.toArray()).toEqual(now.toArray());
  });

  it("takes the exponential of matrices", async () => {
    const given = NDArray.from([1, 2, 3, 4, 0, 1, -1, 0], "float64", [2, 2, 2]);
    const [result] = await both(() => [older("MatrixExponential", Cholesky({ input: given }))]);
    // Recorded from TensorFlow 2.21.
    const want = [51.968956198705, 74.736564567003, 112.104846850505, 164.07380304921, Math.cos(1), Math.sin(1), -Math.sin(1), Math.cos(1)];
    want.forEach((x, i) => void expect(result.get(i)).toBeCloseTo(x, 8));
  });

  it("puts eigenvalues above eigenvectors", async () => {
    const [all, e, v] = await both(() => {
      const pair = SelfAdjointEigV2({ input: matrices, computeV: true });
      return [older("BatchSelfAdjointEig", Cholesky({ input: matrices })), pair.e, pair.v];
    });
    expect(all.shape).toEqual([2, 3, 2]);
    expect((all.toArray() as number[][][])[1][0]).toEqual((e.toArray() as number[][])[1]);
    expect((all.toArray() as number[][][])[1].slice(1)).toEqual((v.toArray() as number[][][])[1]);
  });
});

describe("the first dense table, which TensorFlow 2 builds and cannot run", () => {
  it("holds keys but the empty one, and exports its buckets", async () => {
    const graph = new Graph();
    const session = new Session(null, { graph });
    const made = graph.asDefault(() => {
      const table = MutableDenseHashTable({ emptyKey: NDArray.from(-1, "int64"), valueDtype: "float32", initialNumBuckets: 4 }) as Tensor;
      const keys = NDArray.from([5, 6], "int64");
      const insert = LookupTableInsert({ tableHandle: table, keys, values: NDArray.from([1, 2], "float32") }) as Operation;
      const find = (key: number): Tensor =>
        LookupTableFind({ tableHandle: table, keys: NDArray.from([6, key], "int64"), defaultValue: -7 }) as Tensor;
      const size = LookupTableSize({ tableHandle: table }) as Tensor;
      const [exported] = Object.values(
        LookupTableExport({ tableHandle: table, Tkeys: "int64", Tvalues: "float32" }) as Record<string, Tensor>,
      );
      return { insert, found: find(9), refused: find(-1), size, exported };
    });
    await session.run(made.insert);
    expect((await session.run(made.found)).toArray()).toEqual([2, -7]);
    expect((await session.run(made.size)).toArray()).toBe(2n);
    expect((await session.run(made.exported)).toArray()).toEqual([[-1n], [5n], [6n], [-1n]]);
    await expect(session.run(made.refused)).rejects.toThrow("Using the empty_key as a table key is not allowed");
    await session.close();
  });
});
