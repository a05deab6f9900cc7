// Ops that are others under an older name give what those give.

import { describe, expect, it } from "vitest";
import { NDArray } from "../base/ndarray.ts";
import { Graph } from "../graph/graph.ts";
import type { Tensor } from "../graph/operation.ts";
import { Session } from "../session/session.ts";
import { Cholesky, MatrixInverse, SelfAdjointEigV2 } from "./linalg.ts";
import { FFT2D } from "./math-fft.ts";
import { BatchCholesky, BatchFFT2D, BatchMatrixInverse, BatchSelfAdjointEig } from "./older-names.ts";

const matrices = NDArray.from([4, 1, 1, 3, 2, 0.5, 0.5, 1], "float32", [2, 2, 2]);

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
    ["BatchCholesky", () => [BatchCholesky({ input: matrices }), Cholesky({ input: matrices })]],
    ["BatchMatrixInverse", () => [BatchMatrixInverse({ input: matrices }), MatrixInverse({ input: matrices })]],
    [
      "BatchFFT2D",
      () => {
        const input = NDArray.from([1, 2, 3, 5], "complex64", [2, 2]);
        return [BatchFFT2D({ input }), FFT2D({ input })];
      },
    ],
  ])("%s is what it was renamed to", async (_, make) => {
    const [old, now] = await both(make);
    expect(old.toArray()).toEqual(now.toArray());
  });

  it("puts eigenvalues above eigenvectors", async () => {
    const [all, e, v] = await both(() => {
      const pair = SelfAdjointEigV2({ input: matrices, computeV: true });
      return [BatchSelfAdjointEig({ input: matrices }), pair.e, pair.v];
    });
    expect(all.shape).toEqual([2, 3, 2]);
    expect((all.toArray() as number[][][])[1][0]).toEqual((e.toArray() as number[][])[1]);
    expect((all.toArray() as number[][][])[1].slice(1)).toEqual((v.toArray() as number[][][])[1]);
  });
});
