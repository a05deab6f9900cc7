// The orthogonal initializer, and the decomposition under it, by their defining properties and Eigen's signs.

import { expect, test } from "vitest";
import { Graph } from "../../graph/graph.ts";
import { constant } from "../../ops/array/array.ts";
import { Qr } from "../../ops/linalg/linalg.ts";
import { matmul } from "../../ops/math/matrix.ts";
import { Session } from "../../session/session.ts";
import { orthogonalInitializer } from "./matrix-initializers.ts";

const flat = (value: { toArray(): unknown }): number[] => [value.toArray()].flat(9) as number[];

test("Qr gives TensorFlow's signs", async () => {
  const graph = new Graph();
  const { q, r } = graph.asDefault(() =>
    Qr({
      input: constant(
        [
          [3, 1],
          [4, 2],
          [0, 5],
        ].flat(),
        "float32",
        [3, 2],
      ),
    }),
  );
  const session = new Session({ graph });
  const [orthonormal, triangular] = await session.run([q, r]);
  // As TensorFlow 2.21 answers.
  for (const [i, x] of [-5, -2.2, 0, -5.0159745].entries()) expect(flat(triangular)[i]).toBeCloseTo(x, 5);
  for (const [i, x] of [-0.6, 0.0637962, -0.8, -0.0478472, 0, -0.9968153].entries()) expect(flat(orthonormal)[i]).toBeCloseTo(x, 5);
  await session.close();
});

test.each([
  ["tall", [4, 2], { transposeA: true }],
  ["wide", [2, 4], { transposeB: true }],
])("a %s orthogonal matrix times its transpose is the identity, times the gain squared", async (_, shape, transposed) => {
  const graph = new Graph();
  const product = graph.asDefault(() => {
    const value = orthogonalInitializer({ gain: 2, seed: 3 })(shape);
    return matmul(value, value, transposed);
  });
  const session = new Session({ graph });
  const got = flat(await session.run(product));
  for (const [i, x] of [4, 0, 0, 4].entries()) expect(got[i]).toBeCloseTo(x, 5);
  await session.close();
});

test("a convolution's kernel keeps its shape", () => {
  new Graph().asDefault(() => {
    expect(orthogonalInitializer()([2, 2, 3]).shape.dims).toEqual([2, 2, 3]);
    expect(() => orthogonalInitializer()([3])).toThrow("must be at least two-dimensional. Received shape=[3]");
  });
});
