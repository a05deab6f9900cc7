// Ops that make, cut, join, select and rearrange: cases beyond the golden ones. Expected numbers are TensorFlow 2.21's.

import { describe, expect, test } from "vitest";
import { gradients } from "../../gradients/gradients.ts";
import { Graph } from "../../graph/graph.ts";
import type { Tensor } from "../../graph/operation.ts";
import { Session } from "../../session/session.ts";
import { constant, ensureShape, expandDims, oneHot, placeholder, reshape, shape, squeeze, zeros } from "./array.ts";
import { gather, gatherNd, scatterNd, tensorScatterUpdate } from "./gather.ts";
import { eye, matrixDiag, matrixDiagPart } from "./matrix.ts";
import { pad, tile } from "./padding.ts";
import { dynamicPartition, dynamicStitch, searchsorted, unique, unravelIndex } from "./partition.ts";
import { linspace, meshgrid, range, repeat, sequenceMask } from "./ranges.ts";
import { reverseSequence, roll, spaceToDepth, transpose } from "./rearranging.ts";
import { booleanMask, where } from "./selection.ts";
import { concat, ellipsis, getItem, newaxis, slice, split, stack, unstack } from "./slicing.ts";
import { whileLoop } from "../flow/control-flow-contexts.ts";
import { less } from "../math/comparison.ts";
import { multiply } from "../math/math.ts";
import { embeddingLookup } from "../nn/embedding.ts";
import { reduceSum } from "../math/reduction.ts";
import { add } from "../operators.ts";

type Feeds = [Tensor, unknown][];

/** Builds in a graph of its own and returns the values as nested lists, the same on both backends. */
async function valuesOf(build: () => readonly Tensor[], feeds: (graph: Graph) => Feeds = () => []): Promise<unknown[]> {
  const results: unknown[][] = [];
  for (const backend of ["reference", "wasm"] as const) {
    const graph = new Graph();
    const tensors = graph.asDefault(build);
    await using session = new Session({ graph, config: { backend } });
    const arrays = await session.run([...tensors], feeds(graph) as never);
    results.push(arrays.map(array => array.toArray()));
  }
  expect(results[1]).toEqual(results[0]);
  return results[0];
}

const valueOf = async (build: () => Tensor, feeds?: (graph: Graph) => Feeds): Promise<unknown> =>
  (await valuesOf(() => [build()], feeds))[0];
const grid = (): Tensor => reshape(range(24), [2, 3, 4]);
const inGraph = <R>(build: () => R): R => new Graph().asDefault(build);

describe("x.at(…)", () => {
  test("takes indices, ranges, ellipsis and new axes as Python does", async () => {
    const [index, last, open, step, backwards, all, dots, fresh, mixed] = await valuesOf(() => {
      const x = grid();
      return [
        getItem(x, 1, 2, 3),
        getItem(x, -1, 0, [null, 2]),
        getItem(x, 0, [1, null], 0),
        getItem(x, 0, 0, [null, null, 2]),
        getItem(x, 0, 0, [null, null, -1]),
        getItem(x, [], 1, [3, 0, -2]),
        getItem(x, ellipsis, 0),
        shape(getItem(x, newaxis, 0, ellipsis, newaxis)),
        getItem(x, ellipsis, [1, 2], newaxis, -1),
      ];
    });
    expect(index).toBe(23);
    expect(last).toEqual([12, 13]);
    expect(open).toEqual([4, 8]);
    expect(step).toEqual([0, 2]);
    expect(backwards).toEqual([3, 2, 1, 0]);
    expect(all).toEqual([
      [7, 5],
      [19, 17],
    ]);
    expect(dots).toEqual([
      [0, 4, 8],
      [12, 16, 20],
    ]);
    expect(fresh).toEqual([1, 3, 4, 1]);
    expect(mixed).toEqual([[[7]], [[19]]]);
  });

  test("clamps ranges, and gives empty ones", async () => {
    expect(await valuesOf(() => [getItem(range(4), [2, 99]), getItem(range(4), [3, 1]), getItem(range(4), [-99, 1])])).toEqual([
      [2, 3],
      [],
      [0],
    ]);
  });

  test("a mask selects", async () => {
    expect(await valueOf(() => getItem(range(4), [true, false, true, false]))).toEqual([0, 2]);
  });

  test("an index is named and refused as TensorFlow does", () => {
    inGraph(() => {
      const x = grid();
      const first = getItem(x, 0);
      expect(first.name).toBe("strided_slice:0");
      expect(first.op.inputs.map(input => input.op.name)).toEqual([
        "Reshape",
        "strided_slice/stack",
        "strided_slice/stack_1",
        "strided_slice/stack_2",
      ]);
      expect(() => getItem(x, 2)).toThrow("slice index 2 of dimension 0 out of bounds.");
      expect(() => getItem(x, 0, 0, 0, 0)).toThrow("Index out of range using input dim 3; input has only 3 dims");
      expect(() => getItem(x, 1.5)).toThrow(/^Only integers, slices \(`:`\), ellipsis[\s\S]*x\.at\(\[\]\) is x\[:\]/);
      expect(() => getItem(x, [null, null, 0])).toThrow("strides[0] must be non-zero");
    });
  });

  test("an index computed in a loop is read while running, its gradient scattered back", async () => {
    const build = (): Tensor[] => {
      const x = constant([
        [1, 2],
        [10, 20],
        [100, 200],
      ]);
      const [, total] = whileLoop(
        (i: Tensor) => less(i, 3),
        (i: Tensor, sum: Tensor) => [add(i, 1), add(sum, multiply(getItem(x, i), reduceSum(slice(x, [i, 1], [1, 1]))))],
        [constant(0, "int32"), zeros([2])],
      ) as Tensor[];
      return [total];
    };
    expect(await valuesOf(build)).toEqual([[1 * 2 + 10 * 20 + 100 * 200, 2 * 2 + 20 * 20 + 200 * 200]]);
  });

  test("an index that is fed: bounds are checked while running", async () => {
    const graph = new Graph();
    const [i, y] = graph.asDefault(() => {
      const index = placeholder("int32", []);
      return [index, getItem(constant([5, 6, 7]), index)];
    });
    for (const backend of ["reference", "wasm"] as const) {
      await using session = new Session({ graph, config: { backend } });
      expect((await session.run(y, [[i, -1]])).item()).toBe(7);
      await expect(session.run(y, [[i, 3]])).rejects.toThrow("slice index 3 of dimension 0 out of bounds.");
    }
  });

  test("gradients of strided and shrunk slices", async () => {
    const build = (): Tensor[] => {
      const x = grid();
      const y = constant(
        Array.from({ length: 24 }, (_, k) => k),
        "float32",
        [2, 3, 4],
      );
      const cut = getItem(y, 1, [null, null, 2], [3, null, -2]);
      return [shape(getItem(x, 1, [null, null, 2], [3, null, -2])), gradients(multiply(cut, cut), [y])[0] as Tensor];
    };
    const [cutShape, gradient] = await valuesOf(build);
    expect(cutShape).toEqual([2, 2]);
    expect(gradient).toEqual([
      [
        [0, 0, 0, 0],
        [0, 0, 0, 0],
        [0, 0, 0, 0],
      ],
      [
        [0, 26, 0, 30],
        [0, 0, 0, 0],
        [0, 42, 0, 46],
      ],
    ]);
  });
});

describe("joining and cutting", () => {
  test("split with a size left open, and its parts joined again", async () => {
    const [a, b, whole] = await valuesOf(() => {
      const x = range(10);
      const parts = split(x, [3, -1]);
      return [...parts, concat(parts, 0)];
    });
    expect([a, b]).toEqual([
      [0, 1, 2],
      [3, 4, 5, 6, 7, 8, 9],
    ]);
    expect(whole).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  test("stack and unstack along any axis", async () => {
    const build = (): Tensor[] => {
      const parts = unstack(grid(), { axis: 2 });
      return [parts[1], stack(parts, -1), shape(stack(parts, 1))];
    };
    const [second, again, middle] = await valuesOf(build);
    expect(second).toEqual([
      [1, 5, 9],
      [13, 17, 21],
    ]);
    expect(again).toEqual(await valueOf(grid));
    expect(middle).toEqual([2, 4, 3]);
  });

  test("concat of one tensor is an identity in a scope", () => {
    inGraph(() => expect(concat([zeros([2])], 0).name).toBe("concat/concat:0"));
  });

  test("a concatenation of unlike shapes names the dimension", () => {
    inGraph(() =>
      expect(() => concat([zeros([2, 3]), zeros([2, 4])], 0)).toThrow(
        "Dimension 0 in both shapes must be equal, but are 3 and 4. Shapes are [3] and [4].",
      ),
    );
  });
});

describe("gather and scatter", () => {
  test("negative and far indices fail while running, with their position", async () => {
    const graph = new Graph();
    const [i, y] = graph.asDefault(() => {
      const indices = placeholder("int32", [1, 2]);
      return [indices, gather(constant([5, 6, 7]), indices)];
    });
    for (const backend of ["reference", "wasm"] as const) {
      await using session = new Session({ graph, config: { backend } });
      await expect(session.run(y, [[i, [[0, 3]]]])).rejects.toThrow("indices[0,1] = 3 is not in [0, 3)");
      await expect(session.run(y, [[i, [[-1, 0]]]])).rejects.toThrow("indices[0,0] = -1 is not in [0, 3)");
    }
  });

  test("batch dimensions, along any axis", async () => {
    const build = (): Tensor[] => [
      gather(
        constant([
          [1, 2, 3],
          [4, 5, 6],
        ]),
        constant(
          [
            [2, 0],
            [1, 1],
          ],
          "int32",
        ),
        { batchDims: 1, axis: 1 },
      ),
      gather(grid(), constant([3, 0], "int32"), { axis: -1 }),
      gatherNd(
        constant([
          [
            [1, 2],
            [3, 4],
          ],
          [
            [5, 6],
            [7, 8],
          ],
        ]),
        constant([[1], [0]], "int32"),
        { batchDims: 1 },
      ),
    ];
    expect(await valuesOf(build)).toEqual([
      [
        [3, 1],
        [5, 5],
      ],
      [
        [
          [3, 0],
          [7, 4],
          [11, 8],
        ],
        [
          [15, 12],
          [19, 16],
          [23, 20],
        ],
      ],
      [
        [3, 4],
        [5, 6],
      ],
    ]);
  });

  test("the gradient of a gather along an inner axis, with batches", async () => {
    const build = (): Tensor[] => {
      const x = constant([
        [1, 2, 3],
        [4, 5, 6],
      ]);
      const weights = constant([
        [1, 10],
        [100, 1000],
      ]);
      const plain = gather(x, constant([2, 2], "int32"), { axis: 1 });
      const batched = gather(
        x,
        constant(
          [
            [2, 0],
            [1, 1],
          ],
          "int32",
        ),
        { batchDims: 1, axis: 1 },
      );
      return [gradients(multiply(plain, weights), [x])[0] as Tensor, gradients(multiply(batched, weights), [x])[0] as Tensor];
    };
    expect(await valuesOf(build)).toEqual([
      [
        [0, 0, 11],
        [0, 0, 1100],
      ],
      [
        [10, 0, 1],
        [0, 1100, 0],
      ],
    ]);
  });

  test("scatter adds, update replaces with the last", async () => {
    const build = (): Tensor[] => [
      scatterNd(constant([[1], [1], [3]], "int32"), constant([5, 6, 7]), constant([4], "int32")),
      tensorScatterUpdate(zeros([3]), constant([[1], [1]], "int32"), constant([5, 6])),
    ];
    expect(await valuesOf(build)).toEqual([
      [0, 11, 0, 7],
      [0, 6, 0],
    ]);
  });
});

describe("results whose size depends on values", () => {
  test("where, masks, unique and partitions of fed values", async () => {
    const build = (): Tensor[] => {
      const x = placeholder("float32", [null], { name: "x" });
      const { y, idx } = unique(x);
      const parts = dynamicPartition(x, where(less(x, 2), constant([0, 0, 0, 0], "int32"), constant([1, 1, 1, 1], "int32")), 2);
      const back = dynamicStitch([constant([1, 3], "int32"), constant([0, 2], "int32")], parts);
      return [where(less(x, 2)), booleanMask(x, less(x, 2)), y, idx, ...parts, back];
    };
    const feed = (graph: Graph): Feeds => [[graph.getTensorByName("x:0"), [3, 1, 3, 0]]];
    expect(await valuesOf(build, feed)).toEqual([
      [[1n], [3n]],
      [1, 0],
      [3, 1, 0],
      [0, 1, 0, 2],
      [1, 0],
      [3, 3],
      [3, 1, 3, 0],
    ]);
  });

  test("the gradient goes back through a mask and a partition", async () => {
    const build = (): Tensor[] => {
      const x = constant([1, 2, 3, 4]);
      const [low, high] = dynamicPartition(x, constant([0, 1, 0, 1], "int32"), 2);
      const masked = booleanMask(x, constant([true, false, false, true]));
      const d = (y: Tensor): Tensor => add(gradients(y, [x], { name: "g" })[0] as Tensor, zeros([4]));
      return [d(add(multiply(low, low), multiply(high, 3))), multiply(1, d(multiply(masked, masked)))];
    };
    expect(await valuesOf(build)).toEqual([
      [2, 3, 6, 3],
      [2, 0, 0, 8],
    ]);
  });
});

describe("sequences", () => {
  test("range: whole numbers are int32, others float32; each element is one product", async () => {
    inGraph(() => {
      expect(range(5).dtype).toBe("int32");
      expect(range(0, 1, 0.25).dtype).toBe("float32");
      expect(range(3, { dtype: "float64" }).dtype).toBe("float64");
      expect(() => range(0, 10, 0)).toThrow("Requires delta != 0");
    });
    const steps = (await valueOf(() => range(0, 1, 0.1))) as number[];
    expect(steps).toEqual(Array.from({ length: 10 }, (_, i) => Math.fround(i * Math.fround(0.1))));
  });

  test("repeats and norms of rows whose rank only the run tells", async () => {
    const given = [
      [3, 4],
      [0, 0.5],
    ];
    let [x, scalar]: Tensor[] = [];
    const build = (): Tensor[] => {
      [x, scalar] = [placeholder("float32"), placeholder("float32")];
      const rows = embeddingLookup(x, constant([1, 0], "int32"), { maxNorm: 1 });
      return [repeat(x, 2, 0), repeat(x, 2, 1), repeat(scalar, 3, 0), rows];
    };
    const values = await valuesOf(build, () => [
      [x, given],
      [scalar, 7],
    ]);
    const [[a, b], [c, d]] = given;
    expect(values.slice(0, 3)).toEqual([
      [given[0], given[0], given[1], given[1]],
      [
        [a, a, b, b],
        [c, c, d, d],
      ],
      [7, 7, 7],
    ]);
    expect((values[3] as number[][]).flat().map(v => Math.round(v * 1e5) / 1e5)).toEqual([0, 0.5, 0.6, 0.8]);
  });

  test("linspace, repeat, meshgrid, sequenceMask", async () => {
    const build = (): Tensor[] => [
      linspace(0, 1, 5),
      linspace(constant([0, 1]), constant([1, 3]), 3),
      linspace(constant([0, 1]), constant([1, 3]), 3, { axis: -1 }),
      repeat(constant([1, 2, 3]), 2),
      repeat(
        constant([
          [1, 2],
          [3, 4],
        ]),
        [1, 2],
        0,
      ),
      repeat(
        constant([
          [1, 2],
          [3, 4],
        ]),
        [2, 1],
        1,
      ),
      ...meshgrid(constant([1, 2, 3]), constant([4, 5])),
      sequenceMask(constant([1, 3, 2], "int32")),
      sequenceMask(
        constant(
          [
            [1, 0],
            [2, 3],
          ],
          "int32",
        ),
        4,
        { dtype: "float32" },
      ),
    ];
    expect(await valuesOf(build)).toEqual([
      [0, 0.25, 0.5, 0.75, 1],
      [
        [0, 1],
        [0.5, 2],
        [1, 3],
      ],
      [
        [0, 0.5, 1],
        [1, 2, 3],
      ],
      [1, 1, 2, 2, 3, 3],
      [
        [1, 2],
        [3, 4],
        [3, 4],
      ],
      [
        [1, 1, 2],
        [3, 3, 4],
      ],
      [
        [1, 2, 3],
        [1, 2, 3],
      ],
      [
        [4, 4, 4],
        [5, 5, 5],
      ],
      [
        [true, false, false],
        [true, true, true],
        [true, true, false],
      ],
      [
        [
          [1, 0, 0, 0],
          [0, 0, 0, 0],
        ],
        [
          [1, 1, 0, 0],
          [1, 1, 1, 0],
        ],
      ],
    ]);
  });

  test("searching and unravelling", async () => {
    const build = (): Tensor[] => {
      const [sorted, values] = [constant([1, 3, 5], "int32"), constant([0, 1, 4, 6], "int32")];
      return [
        searchsorted(sorted, values),
        searchsorted(sorted, values, { side: "right" }),
        unravelIndex(constant([5, 7], "int32"), constant([3, 4], "int32")),
      ];
    };
    expect(await valuesOf(build)).toEqual([
      [0, 0, 2, 3],
      [0, 1, 2, 3],
      [
        [1, 1],
        [1, 3],
      ],
    ]);
  });
});

describe("rearranging", () => {
  test("padding: zeros, a value, mirrors with and without the edge", async () => {
    const build = (): Tensor[] => {
      const x = constant([1, 2, 3]);
      return [pad(x, [[1, 2]]), pad(x, [[1, 0]], { constantValues: 9 }), pad(x, [[2, 2]], "REFLECT"), pad(x, [[2, 2]], "symmetric")];
    };
    expect(await valuesOf(build)).toEqual([
      [0, 1, 2, 3, 0, 0],
      [9, 1, 2, 3],
      [3, 2, 1, 2, 3, 2, 1],
      [2, 1, 1, 2, 3, 3, 2],
    ]);
    inGraph(() =>
      expect(() => pad(zeros([2]), [[1, 1]], "EDGE")).toThrow(
        'Value of argument `mode` expected to be one of "CONSTANT", "REFLECT", or "SYMMETRIC".',
      ),
    );
  });

  test("roll, reversed sequences, blocks", async () => {
    const build = (): Tensor[] => [
      roll(range(5), 2, 0),
      reverseSequence(
        constant([
          [1, 2, 3],
          [4, 5, 6],
        ]),
        constant([2, 3], "int32"),
        { seqAxis: 1, batchAxis: 0 },
      ),
      spaceToDepth(reshape(range(16), [1, 4, 4, 1]), 2),
    ];
    expect(await valuesOf(build)).toEqual([
      [3, 4, 0, 1, 2],
      [
        [2, 1, 3],
        [6, 5, 4],
      ],
      [
        [
          [
            [0, 1, 4, 5],
            [2, 3, 6, 7],
          ],
          [
            [8, 9, 12, 13],
            [10, 11, 14, 15],
          ],
        ],
      ],
    ]);
  });

  test("diagonals above and below, packed to the right and the left", async () => {
    const build = (): Tensor[] => {
      const x = constant([
        [1, 2, 3],
        [4, 5, 6],
        [7, 8, 9],
      ]);
      return [matrixDiagPart(x, { k: [-1, 1] }), matrixDiag(constant([1, 2]), { k: 1 }), eye(2, 3), eye(2, { batchShape: [2] })];
    };
    expect(await valuesOf(build)).toEqual([
      [
        [0, 2, 6],
        [1, 5, 9],
        [4, 8, 0],
      ],
      [
        [0, 1, 0],
        [0, 0, 2],
        [0, 0, 0],
      ],
      [
        [1, 0, 0],
        [0, 1, 0],
      ],
      [
        [
          [1, 0],
          [0, 1],
        ],
        [
          [1, 0],
          [0, 1],
        ],
      ],
    ]);
  });

  test("tiles of nothing and oneHot out of range", async () => {
    const build = (): Tensor[] => [
      tile(constant([1, 2]), [0]),
      oneHot(constant([0, 3, -1], "int32"), 3, { axis: 0 }),
      transpose(grid(), [2, 0, 1]),
    ];
    const [nothing, hot, turned] = await valuesOf(build);
    expect(nothing).toEqual([]);
    expect(hot).toEqual([
      [1, 0, 0],
      [0, 0, 0],
      [0, 0, 0],
    ]);
    expect((turned as number[][][])[3]).toEqual([
      [3, 7, 11],
      [15, 19, 23],
    ]);
  });
});

describe("static shapes", () => {
  test("shapes computed from shapes stay known", () => {
    inGraph(() => {
      const x = placeholder("float32", [null, 3, 4]);
      const dims = shape(x);
      expect(reshape(x, [getItem(dims, 0), 12]).shape.asList()).toEqual([null, 12]);
      expect(reshape(x, concat([getItem(dims, [0, 1]), [-1]], 0)).shape.asList()).toEqual([null, null]);
      expect(expandDims(squeeze(placeholder("float32", [1, 5])), -1).shape.asList()).toEqual([5, 1]);
      // Nothing times anything is nothing, known or not.
      expect(tile(placeholder("float32", [null, null]), [0, 2]).shape.asList()).toEqual([0, null]);
      expect(() => reshape(zeros([2, 3]), [4, 2])).toThrow("Cannot reshape a tensor with 6 elements to shape [4,2] (8 elements)");
    });
  });

  test("a reshape that does not fit fails while running, in the kernel's words", async () => {
    const graph = new Graph();
    const [x, y, z] = graph.asDefault(() => {
      const given = placeholder("float32");
      return [given, reshape(given, [2, 2]), ensureShape(given, [null, 2])];
    });
    await using session = new Session({ graph });
    await expect(session.run(y, [[x, [1, 2, 3]]])).rejects.toThrow(
      "Input to reshape is a tensor with 3 values, but the requested shape has 4",
    );
    await expect(session.run(z, [[x, [1, 2, 3]]])).rejects.toThrow(
      "Shape of tensor _arg_Placeholder_0_0 [3] is not compatible with expected shape [?,2].",
    );
  });
});
