// Sparse tensors beyond the golden cases: feeding and fetching them, coordinates that do not fit, names of nodes.

import { expect, test } from "vitest";
import { Graph } from "../../graph/graph.ts";
import { SparseTensor } from "../../graph/sparse-tensor.ts";
import { Session } from "../../session/session.ts";
import { sparsePlaceholder, sparseTensorDenseMatmul, sparseTensorToDense, sparseToDense } from "./sparse.ts";

const build = <T>(body: () => T): { made: T; graph: Graph; session: Session } => {
  const graph = new Graph();
  return { made: graph.asDefault(body), graph, session: new Session({ graph }) };
};

test("a sparse tensor is fed and fetched as its three parts", async () => {
  const { made, session } = build(() => {
    const x = sparsePlaceholder("float32");
    return { x, dense: sparseTensorToDense(x) };
  });
  const [dense, parts] = await session.run([made.dense, made.x], [[made.x, [[[0, 1]], [5], [2, 2]]]]);
  expect(dense.toArray()).toEqual([
    [0, 5],
    [0, 0],
  ]);
  expect(parts.values.toArray()).toEqual([5]);
});

test.each([
  {
    indices: [
      [0, 1],
      [5, 0],
    ],
    validateIndices: true,
    text: "indices[1] = [5,0] is out of bounds: need 0 <= index < [2,3]",
  },
  {
    indices: [
      [0, 1],
      [0, 1],
    ],
    validateIndices: true,
    text: "indices[1] = [0,1] is repeated",
  },
  {
    indices: [
      [1, 1],
      [0, 1],
    ],
    validateIndices: true,
    text: "indices[1] = [0,1] is out of order.",
  },
  {
    indices: [
      [0, 1],
      [5, 0],
    ],
    validateIndices: false,
    text: "Indices are not valid (out of bounds).  Shape: [2,3]",
  },
])("$text", async ({ indices, validateIndices, text }) => {
  const { made, session } = build(() => sparseToDense(indices, [2, 3], 1, { validateIndices }));
  await expect(session.run(made)).rejects.toThrow(text);
});

test("a coordinate outside of the matrix stops a product", async () => {
  const { made, session } = build(() => sparseTensorDenseMatmul(new SparseTensor([[0, 7]], [1], [2, 3]), [[1], [2], [3]]));
  await expect(session.run(made)).rejects.toThrow("k (7) from index[0,1] out of bounds (>=3)");
});

test("nodes are named as TensorFlow names them", () => {
  const { graph } = build(() => sparsePlaceholder("float32", { shape: [2, null], name: "q" }));
  expect(graph.getOperations().map(({ name }) => name)).toEqual(["q/shape_default", "q/shape", "q/values", "q/indices"]);
});
