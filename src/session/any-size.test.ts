// Sizes that are known only while running: results against the reference for sizes 0, 1 and others, and how many modules are compiled for
// a thousand of them.

import { describe, expect, test } from "vitest";
import type { DType } from "../base/dtype.ts";
import * as tf from "../index.ts";

type Pairs = [tf.Tensor, tf.NDArray][];

interface SizedGraph {
  readonly fetches: readonly tf.Tensor[];
  /** Feeds of a size, by a source of numbers in [0, 1). */
  feeds(size: number, random: () => number): Pairs;
  /** Modules compiled for the sizes below, at most. */
  readonly modules: number;
}

const list = (count: number, of: () => number): number[] => Array.from({ length: count }, of);
const array = (values: readonly number[], dtype: DType, shape: readonly number[]): tf.NDArray =>
  tf.NDArray.from([...values], dtype, [...shape]);
const float = (random: () => number) => (): number => Math.round((random() - 0.5) * 1000) / 64;
const below = (limit: number, random: () => number) => (): number => Math.floor(random() * limit);
const vector = () => tf.placeholder("float32", [null]);
const rowsOf = (columns: number) => tf.placeholder("float32", [null, columns]);
const rowsFed =
  (x: tf.Tensor, columns: number) =>
  (size: number, random: () => number): Pairs => [[x, array(list(size * columns, float(random)), "float32", [size, columns])]];
const vectorFed =
  (x: tf.Tensor) =>
  (size: number, random: () => number): Pairs => [[x, array(list(size, float(random)), "float32", [size])]];

const graphs: Record<string, () => SizedGraph> = {
  "batches through a layer": () => {
    const x = rowsOf(8);
    const hidden = tf.nn.relu(
      tf.matmul(
        x,
        array(
          list(40, () => 0.25),
          "float32",
          [8, 5],
        ),
      ),
    );
    return { fetches: [hidden, tf.reduceMean(hidden), tf.nn.softmax(hidden)], feeds: rowsFed(x, 8), modules: 6 };
  },
  "unique, gather, reduce": () => {
    const x = tf.placeholder("int32", [null]);
    const { y, idx } = tf.unique(x);
    const rows = tf.gather(array(list(150, float(Math.random)), "float32", [50, 3]), y);
    return {
      fetches: [y, idx, tf.reduceSum(rows), tf.gather(rows, idx)],
      feeds: (size, random) => [[x, array(list(size, below(50, random)), "int32", [size])]],
      modules: 8,
    };
  },
  "uniqueWithCounts, and unique rows": () => {
    const x = tf.placeholder("int32", [null]);
    const { y, idx, count } = tf.uniqueWithCounts(x);
    const pairs = tf.rawOps.UniqueV2({ x: tf.stack([x, tf.floordiv(x, 2)], { axis: 1 }), axis: [0] });
    return {
      fetches: [y, count, tf.gather(tf.multiply(count, 2), idx), pairs.y, tf.reduceSum(pairs.y, 0)],
      feeds: (size, random) => [[x, array(list(size, below(9, random)), "int32", [size])]],
      modules: 16,
    };
  },
  "segmentSum of sorted ids": () => {
    const x = rowsOf(3);
    const ids = tf.placeholder("int32", [null]);
    return {
      fetches: [tf.segmentSum(x, ids), tf.multiply(tf.segmentMax(x, ids), 2)],
      feeds: (size, random) => [
        ...rowsFed(x, 3)(size, random),
        [
          ids,
          array(
            list(size, below(6, random)).sort((a, b) => a - b),
            "int32",
            [size],
          ),
        ],
      ],
      modules: 8,
    };
  },
  "embeddings of fed sparse ids": () => {
    const ids = tf.placeholder("int64", [null]);
    const rows = tf.placeholder("int32", [null]);
    const { y, idx } = tf.unique(ids);
    const table = tf.gather(array(list(90, float(numbers())), "float32", [30, 3]), y);
    return {
      fetches: [tf.sparseSegmentMean(table, idx, rows), tf.sparseSegmentSum(table, idx, rows)],
      feeds: (size, random) => [
        [ids, array(list(size, below(30, random)), "int64", [size])],
        [
          rows,
          array(
            list(size, below(6, random)).sort((a, b) => a - b),
            "int32",
            [size],
          ),
        ],
      ],
      modules: 12,
    };
  },
  "booleanMask and mean": () => {
    const x = rowsOf(3);
    const kept = tf.booleanMask(x, tf.greater(tf.reduceSum(x, 1), 0));
    return { fetches: [kept, tf.reduceSum(kept), tf.reduceMean(tf.concat([kept, x], 0))], feeds: rowsFed(x, 3), modules: 14 };
  },
  "gradient through booleanMask": () => {
    const x = rowsOf(3);
    const loss = tf.reduceSum(tf.booleanMask(tf.square(x), tf.greater(tf.reduceSum(x, 1), 0)));
    return { fetches: [loss, tf.gradients(loss, [x])[0] as tf.Tensor], feeds: rowsFed(x, 3), modules: 14 };
  },
  "dynamicPartition and dynamicStitch": () => {
    const x = rowsOf(2);
    const which = tf.placeholder("int32", [null]);
    const parts = tf.dynamicPartition(x, which, 3);
    const positions = tf.dynamicPartition(tf.range(tf.size(which)), which, 3);
    const stitched = tf.dynamicStitch(
      positions,
      parts.map((part, i) => tf.multiply(part, i + 1)),
    );
    return {
      fetches: [...parts, stitched],
      feeds: (size, random) => [...rowsFed(x, 2)(size, random), [which, array(list(size, below(3, random)), "int32", [size])]],
      modules: 12,
    };
  },
  "nonMaxSuppression and gather": () => {
    const boxes = rowsOf(4);
    const scores = vector();
    const selected = tf.image.nonMaxSuppression(boxes, scores, 20, { iouThreshold: 0.3 });
    return {
      fetches: [selected, tf.gather(boxes, selected)],
      feeds: (size, random) => {
        const corners = list(size, () => 0).flatMap(() => {
          const [top, left] = [random() * 5, random() * 5];
          return [top, left, top + 1 + random(), left + 1 + random()];
        });
        return [[boxes, array(corners, "float32", [size, 4])], ...vectorFed(scores)(size, random)];
      },
      modules: 10,
    };
  },
  "where and scatterNd": () => {
    const x = vector();
    const at = tf.where(tf.greater(x, 1)) as tf.Tensor;
    const scattered = tf.scatterNd(at, tf.multiply(tf.gatherNd(x, at), 2), tf.shape(x, { outType: "int64" }));
    return { fetches: [at, scattered], feeds: vectorFed(x), modules: 14 };
  },
  "ragged batches of matrices": () => {
    const x = tf.placeholder("float32", [null, null, 4]);
    const w = tf.placeholder("float32", [null, 4, null]);
    return {
      fetches: [tf.matmul(x, w)],
      feeds: (size, random) => {
        const [rows, columns] = [1 + (size % 7), size % 5];
        return [
          [x, array(list(size * rows * 4, float(random)), "float32", [size, rows, 4])],
          [w, array(list(size * 4 * columns, float(random)), "float32", [size, 4, columns])],
        ];
      },
      modules: 12,
    };
  },
  "parts of unknown size joined": () => {
    const x = vector();
    const [high, low] = [tf.booleanMask(x, tf.greater(x, 2)), tf.booleanMask(x, tf.less(x, -2))];
    return { fetches: [tf.concat([high, x, low], 0), tf.cumsum(tf.concat([low, high], 0))], feeds: vectorFed(x), modules: 24 };
  },
  "slices to a fed end": () => {
    const x = rowsOf(3);
    const end = tf.placeholder("int32", []);
    const part = tf.stridedSlice(x, [0, 0], tf.stack([end, 3]), [1, 1]);
    return {
      fetches: [part, tf.reduceMax(part, 1), tf.slice(x, [0, 1], tf.stack([end, 2]))],
      feeds: (size, random) => [...rowsFed(x, 3)(size + 2, random), [end, array([size], "int32", [])]],
      modules: 16,
    };
  },
  "topK of a fed k": () => {
    const x = rowsOf(40);
    const k = tf.placeholder("int32", []);
    const { values, indices } = tf.nn.topK(x, k);
    return {
      fetches: [values, indices, tf.reduceSum(values, 1)],
      feeds: (size, random) => [...rowsFed(x, 40)(3, random), [k, array([size % 41], "int32", [])]],
      modules: 8,
    };
  },
  "range to a fed limit": () => {
    const limit = tf.placeholder("int32", []);
    const range = tf.range(limit);
    return {
      fetches: [range, tf.reduceSum(range), tf.multiply(tf.cast(range, "float32"), 0.5)],
      feeds: size => [[limit, array([size], "int32", [])]],
      modules: 8,
    };
  },
  "reshape to a fed shape": () => {
    const x = vector();
    const to = tf.placeholder("int32", [2]);
    const matrix = tf.reshape(x, to);
    return {
      fetches: [matrix, tf.transpose(matrix), tf.reduceSum(matrix, 0)],
      feeds: (size, random) => {
        const rows = 1 + (size % 6);
        return [...vectorFed(x)(rows * size, random), [to, array([rows, size], "int32", [2])]];
      },
      modules: 8,
    };
  },
  sequenceMask: () => {
    const lengths = tf.placeholder("int32", [null]);
    const mask = tf.sequenceMask(lengths);
    return {
      fetches: [mask, tf.reduceSum(tf.cast(mask, "float32"), 1)],
      feeds: (size, random) => [[lengths, array(list(size % 9, below(size + 1, random)), "int32", [size % 9])]],
      modules: 14,
    };
  },
};

/** Numbers in [0, 1), the same in every run. */
function numbers(): () => number {
  let state = 12345;
  return () => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return state / 0x80000000;
  };
}

function expectClose(got: tf.NDArray, want: tf.NDArray): void {
  expect(got.shape).toEqual(want.shape);
  for (let i = 0; i < want.size; i++) {
    const [a, b] = [Number(got.get(i)), Number(want.get(i))];
    if (!(Math.abs(a - b) <= 1e-4 * (1 + Math.abs(b)) || (Number.isNaN(a) && Number.isNaN(b)))) expect(a).toBe(b);
  }
}

describe("results of any size are the reference's, and few modules are compiled", () => {
  test.each(Object.entries(graphs))("%s", async (_, make) => {
    const graph = new tf.Graph();
    const { fetches, feeds, modules } = graph.asDefault(make);
    const session = new tf.Session({ graph });
    const reference = new tf.Session({ graph, config: { backend: "reference" } });
    const random = numbers();
    for (const size of [5, 0, 1, 2, 3, 0, 1, 30, 7, 16, 1, 0, 41, 8, 64, 9]) {
      const fed = feeds(size, random);
      const got = await session.run(fetches, fed);
      const want = await reference.run(fetches, fed);
      got.forEach((result, k) => void expectClose(result, want[k]));
    }
    expect((await session.counts(fetches, feeds(64, random))).modules).toBeLessThanOrEqual(modules);
    await session.close();
    await reference.close();
  });
});

test("strings of which none is replaced", async () => {
  const graph = new tf.Graph();
  const { words, at, given, result } = graph.asDefault(() => {
    const [words, given] = [tf.placeholder("string", [null]), tf.placeholder("string", [null])];
    const at = tf.placeholder("int32", [null, 1]);
    return { words, at, given, result: tf.tensorScatterNdUpdate(words, at, given) };
  });
  const session = new tf.Session({ graph });
  for (let size = 1; size < 7; size++) {
    const texts = Array.from({ length: size }, (_, i) => `word ${i}`);
    const kept = await session.run(result, [
      [words, texts],
      [at, tf.NDArray.zeros("int32", [0, 1])],
      [given, tf.NDArray.zeros("string", [0])],
    ]);
    expect(kept.toArray()).toEqual(texts);
  }
  await session.close();
});

test("strings kept by a mask, none of them too", async () => {
  const graph = new tf.Graph();
  const { mask, kept } = graph.asDefault(() => {
    const mask = tf.placeholder("bool", [3]);
    return { mask, kept: tf.booleanMask(tf.constant(["a", "b", "c"]), mask) };
  });
  const session = new tf.Session({ graph });
  const sizes: number[] = [];
  for (const bits of [
    [1, 0, 1],
    [0, 0, 0],
    [1, 1, 1],
  ])
    sizes.push((await session.run(kept, [[mask, array(bits, "bool", [3])]])).size);
  expect(sizes).toEqual([2, 0, 3]);
  await session.close();
});

describe("a thousand sizes", () => {
  test.each(["where and scatterNd", "range to a fed limit"])("%s", async name => {
    const graph = new tf.Graph();
    const { fetches, feeds, modules } = graph.asDefault(graphs[name]);
    const session = new tf.Session({ graph });
    const random = numbers();
    for (let size = 0; size < 1000; size++) await session.run(fetches, feeds(size, random));
    const counts = await session.counts(fetches, feeds(999, random));
    expect(counts.modules).toBeLessThanOrEqual(modules);
    expect(counts.programs).toBeLessThanOrEqual(256);
    await session.close();
  });

  test("of a batch: exactly four modules of their own and one for all others, in memory that does not grow", async () => {
    const graph = new tf.Graph();
    const { x, y } = graph.asDefault(() => {
      const x = tf.placeholder("float32", [null, 4]);
      const table = tf.constant(array(list(4000, Math.random), "float32", [1000, 4]));
      return { x, y: tf.reduceSum(tf.matmul(x, table, { transposeB: true }), 1) };
    });
    const session = new tf.Session({ graph });
    const fed = (size: number): Pairs => [
      [
        x,
        array(
          list(size * 4, () => 1),
          "float32",
          [size, 4],
        ),
      ],
    ];
    for (let size = 2; size < 302; size++) await session.run(y, fed(size));
    const before = await session.counts(y, fed(2));
    expect(before.modules).toBe(5);
    for (let size = 302; size < 1002; size++) await session.run(y, fed(size));
    const after = await session.counts(y, fed(2));
    expect(after.modules).toBe(5);
    expect(after.programs).toBe(256);
    // 256 programs with their constants of 16 kB, and an arena that has outgrown a few others.
    expect(after.memoryBytes).toBeLessThan(2 ** 25);
    await session.close();
  });

  test("met often: code of its own after 32 runs, for 16 sizes at most", async () => {
    const graph = new tf.Graph();
    const { x, y } = graph.asDefault(() => {
      const x = rowsOf(4);
      return { x, y: tf.reduceSum(tf.multiply(x, 2), 1) };
    });
    const session = new tf.Session({ graph });
    const modulesAfter = async (size: number, runs: number): Promise<number> => {
      const feeds: Pairs = [[x, tf.NDArray.full("float32", [size, 4], 0.5)]];
      for (let i = 0; i < runs; i++) expect((await session.run(y, feeds)).toArray()).toEqual(list(size, () => 4));
      return (await session.counts(y, feeds)).modules;
    };
    for (let size = 1; size < 6; size++) await modulesAfter(size, 1);
    const few = await modulesAfter(10, 32);
    expect(await modulesAfter(10, 1)).toBe(few + 1);
    expect(await modulesAfter(10, 40)).toBe(few + 1);
    for (let size = 11; size < 30; size++) await modulesAfter(size, 33);
    expect(await modulesAfter(29, 1)).toBe(few + 16);
    await session.close();
  });

  test("large products: code of its own as soon as runs have cost what compiling does", async () => {
    const graph = new tf.Graph();
    const { x, y } = graph.asDefault(() => {
      const x = rowsOf(300);
      return { x, y: tf.reduceMax(tf.matmul(x, tf.ones([300, 300]))) };
    });
    const session = new tf.Session({ graph });
    const modulesAfter = async (size: number): Promise<number> => {
      const feeds: Pairs = [[x, tf.NDArray.full("float32", [size, 300], 0.5)]];
      expect((await session.run(y, feeds)).item()).toBe(150);
      return (await session.counts(y, feeds)).modules;
    };
    for (let size = 20; size < 26; size++) await modulesAfter(size);
    const shared = await modulesAfter(700);
    expect(await modulesAfter(700)).toBe(shared);
    expect(await modulesAfter(700)).toBe(shared);
    expect(await modulesAfter(700)).toBe(shared + 1);
    expect(await modulesAfter(2300)).toBe(shared + 2);
    await session.close();
  });
});
