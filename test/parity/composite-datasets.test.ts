// Datasets whose elements are ragged and sparse tensors, against recordings of TensorFlow (generate/composite_datasets.py): what they give, what they say
// their elements are, what they refuse. And specs by themselves.

import { describe, expect, it } from "vitest";
import { tf as compat } from "../../src/compat.ts";
import * as tf from "../../src/index.ts";
import { loadSpec } from "./golden.ts";
import { expectValue, leaves, type Value } from "./library-programs.ts";

const { Dataset: D, experimental: exp } = tf.data;
type Dataset = InstanceType<typeof D>;
type Ragged = tf.RaggedTensor;

const ragged = (): Ragged => tf.ragged.constant([[1, 2], [], [3], [4, 5, 6]], { dtype: "int32" }) as Ragged;
const deep = (): Ragged => tf.ragged.constant([[[1], [2, 3]], [], [[4, 5, 6]], [[], [7]]]) as Ragged;
const wide = (): Ragged => {
  const rows = [
    [[1, 2]],
    [
      [3, 4],
      [5, 6],
    ],
    [],
  ];
  return tf.ragged.constant(rows, { raggedRank: 1, innerShape: [2], dtype: "int32" }) as Ragged;
};
const words = (): Ragged => tf.ragged.constant([["a", "bc"], [], ["d"]]) as Ragged;
const sparse = (): tf.SparseTensor => {
  const places = [
    [0, 1],
    [2, 0],
    [2, 3],
  ];
  return new tf.SparseTensor(places, tf.constant([10, 20, 30]), [4, 5]);
};
const cube = (): tf.SparseTensor => {
  const places = [
    [0, 0, 1],
    [1, 2, 0],
    [3, 1, 1],
  ];
  return new tf.SparseTensor(places, ["x", "y", "z"], [4, 3, 2]);
};
const counted = (n: number): Dataset => D.range(n);
const ints = (n: number): tf.Tensor => tf.range(n);
const filled = (sizes: tf.TensorLike, value: tf.Tensor): tf.Tensor => tf.fill(sizes, value);
const rowsOf = (value: unknown): Dataset => D.fromTensorSlices(value);

const programs: Readonly<Record<string, () => Dataset>> = {
  slices: () => rowsOf(ragged()),
  slices_deep: () => rowsOf(deep()),
  slices_wide: () => rowsOf(wide()),
  slices_words: () => rowsOf(words()),
  slices_twice: () => rowsOf(deep()).unbatch(),
  whole: () => D.fromTensors(ragged()),
  whole_deep: () => D.fromTensors([deep(), tf.constant(5, "int32")]),
  narrow: () => rowsOf(ragged().withRowSplitsDtype("int32")),
  batches: () => rowsOf(ragged()).batch(2),
  batches_three: () => rowsOf(ragged()).batch(3),
  batches_whole: () => rowsOf(ragged()).batch(3, { dropRemainder: true }),
  batches_deep: () => rowsOf(deep()).batch(3),
  batches_wide: () => rowsOf(wide()).batch(2),
  batches_of_batches: () => rowsOf(ragged()).batch(2).batch(2),
  unbatched: () => rowsOf(ragged()).batch(3).unbatch(),
  named: () => rowsOf({ r: ragged(), n: ints(4), s: sparse() }).batch(2),
  mapped: () => rowsOf(deep()).map((x: Ragged) => x.mul(2)),
  mapped_sums: () => rowsOf(deep()).map((x: Ragged) => tf.reduceSum(x, 1)),
  mapped_pairs: () => rowsOf([deep(), ragged()]).map((x: Ragged, y: tf.Tensor) => [y, x.withFlatValues(x.flatValues.add(1))]),
  mapped_to_ragged: () =>
    counted(4)
      .map((i: tf.Tensor) => tf.RaggedTensor.fromRowLengths(tf.range(i), tf.stack([i])))
      .batch(2),
  mapped_to_rows: () => counted(4).map((i: tf.Tensor) => tf.ragged.range(tf.stack([i, 2n as never]))),
  mapped_to_sparse: () =>
    counted(3)
      .map((i: tf.Tensor) => new tf.SparseTensor(tf.stack([tf.stack([i])]), tf.stack([i.mul(2)]), [5]))
      .batch(2),
  filtered: () => rowsOf(deep()).filter((x: Ragged) => tf.size(x.flatValues).greater(1)),
  repeated: () => rowsOf(ragged()).repeat(2).skip(3).take(3),
  zipped: () => D.zip([rowsOf(ragged()), counted(9)]),
  concatenated: () => rowsOf(deep()).concatenate(rowsOf(deep())).skip(3).take(2),
  enumerated: () => rowsOf(words()).enumerate(),
  windows: () =>
    rowsOf(deep())
      .window(2)
      .flatMap((window: Dataset) => window.batch(2)),
  flat: () =>
    rowsOf(deep())
      .flatMap((x: Ragged) => D.fromTensors(x).repeat(2))
      .take(3),
  cached: () => rowsOf(deep()).cache().prefetch(1).shuffle(1),
  to_dense: () =>
    rowsOf(ragged())
      .batch(2)
      .map((x: Ragged) => x.toTensor()),
  sparse_slices: () => rowsOf(sparse()),
  sparse_whole: () => D.fromTensors(sparse()),
  sparse_batches: () => rowsOf(sparse()).batch(3),
  sparse_cube: () => rowsOf(cube()).batch(2),
  sparse_cube_rows: () => rowsOf(cube()),
  sparse_unbatched: () => rowsOf(sparse()).batch(3).unbatch(),
  sparse_twice: () => rowsOf(cube()).unbatch(),
  sparse_mapped: () => rowsOf(sparse()).map((x: tf.SparseTensor) => tf.sparse.toDense(x)),
  sparse_pairs: () =>
    rowsOf([sparse(), ints(4)]).map((x: tf.SparseTensor, i: tf.Tensor) => [
      new tf.SparseTensor(x.indices, x.values.mul(2), x.denseShape),
      i,
    ]),
  sparse_placeholder: () => {
    const places = [
      [0, 0],
      [1, 1],
    ];
    return D.fromTensors(new tf.SparseTensor(places, tf.constant([1, 2], "int32"), [2, 2])).map((x: tf.SparseTensor) => x);
  },
  dense_to_ragged: () =>
    counted(4)
      .map((i: tf.Tensor) => tf.range(i))
      .apply(exp.denseToRaggedBatch(3)),
  dense_to_ragged_dropped: () =>
    counted(4)
      .map((i: tf.Tensor) => tf.range(i))
      .apply(exp.denseToRaggedBatch(3, { dropRemainder: true, rowSplitsDtype: "int32" })),
  dense_to_ragged_pairs: () =>
    counted(4)
      .map((i: tf.Tensor) => [tf.range(i), i, filled(tf.stack([i, 2n as never]), i)])
      .apply(exp.denseToRaggedBatch(2)),
  dense_to_ragged_squares: () =>
    counted(4)
      .map((i: tf.Tensor) => filled(tf.stack([i, i.add(1)]), i))
      .apply(exp.denseToRaggedBatch(2)),
  dense_to_ragged_static: () =>
    counted(4)
      .map((i: tf.Tensor) => filled([2], i))
      .apply(exp.denseToRaggedBatch(2)),
  dense_to_sparse: () =>
    counted(4)
      .map((i: tf.Tensor) => filled(tf.stack([i]), i))
      .apply(exp.denseToSparseBatch(3, [4])),
  dense_to_sparse_open: () =>
    counted(4)
      .map((i: tf.Tensor) => filled(tf.stack([i, 2n as never]), i))
      .apply(exp.denseToSparseBatch(2, [null, 2])),
  dense_to_sparse_large: () =>
    counted(4)
      .map((i: tf.Tensor) => filled(tf.stack([i]), i))
      .apply(exp.denseToSparseBatch(4, [2])),
  dense_to_sparse_pairs: () => rowsOf([ints(3), ints(3)]).apply(exp.denseToSparseBatch(2, [])),
  padded: () => rowsOf(ragged()).paddedBatch(2, [null]),
  padded_ragged: () => rowsOf(deep()).paddedBatch(2, [null]),
  padded_sparse: () => rowsOf(sparse()).paddedBatch(2, [5]),
  sparse_vector: () => rowsOf(new tf.SparseTensor([[1]], tf.constant([2]), [3])),
  differing: () => rowsOf([ragged(), ints(3)]),
  scanned: () => rowsOf(deep()).apply(exp.scan(0, (sum: tf.Tensor, x: Ragged) => [sum.add(tf.reduceSum(x) as tf.Tensor), [sum, x]])),
  interleaved: () =>
    rowsOf(deep())
      .interleave((x: Ragged) => D.fromTensors(x).repeat(2), { cycleLength: 2 })
      .take(4),
  optional: () => rowsOf(deep()).take(1),
};

interface Recorded {
  readonly error?: string;
  readonly message?: string;
  readonly run_error?: { readonly class: string; readonly message: string };
  readonly specs: readonly string[];
  readonly types: readonly string[];
  readonly shapes: readonly string[];
  readonly classes: readonly string[];
  readonly shapes_of_parts: readonly string[];
  readonly elements: readonly (readonly Value[])[];
}

describe("datasets of ragged and sparse tensors", () => {
  const recorded = loadSpec("composite-datasets") as Readonly<Record<string, Recorded>>;

  it("has a program for every recording", () => {
    expect(Object.keys(programs).sort()).toEqual(Object.keys(recorded).sort());
  });

  it.each(Object.keys(programs))("is TensorFlow's: %s", async name => {
    const want = recorded[name];
    using _ = new tf.Graph().asDefault();
    if (want.error !== undefined) {
      expect(() => programs[name]()).toThrow(want.message as string);
      return;
    }
    const dataset = programs[name]();
    const texts = (nested: unknown): string[] => tf.nest.flatten(nested).map(String);
    expect(texts(dataset.elementSpec)).toEqual(want.specs);
    expect(texts(tf.data.getOutputTypes(dataset))).toEqual(want.types);
    expect(texts(tf.data.getOutputShapes(dataset))).toEqual(want.shapes);
    const classes = tf.nest.flatten(tf.data.getOutputClasses(dataset)).map(each => (typeof each === "function" ? each.name : String(each)));
    expect(classes).toEqual(want.classes);
    const iterator = tf.data.makeInitializableIterator(dataset);
    const parts = leaves(iterator.getNext()) as tf.Tensor[];
    expect(
      parts.map(part => String(part.shape)),
      "static shapes",
    ).toEqual(want.shapes_of_parts);
    const session = new tf.Session();
    const run = async (): Promise<void> => {
      await session.run(iterator.initializer);
      for (let k = 0; ; k++) {
        const values = (await session.run(parts)) as unknown[];
        expect(k, "elements").toBeLessThan(want.elements.length);
        values.forEach((value, i) => void expectValue(value, want.elements[k][i], `element ${k}, part ${i}`));
        taken++;
      }
    };
    let taken = 0;
    const error = await run().then(
      () => undefined,
      (reason: unknown) => reason as Error,
    );
    if (want.run_error === undefined) {
      if (!(error instanceof tf.errors.OutOfRangeError)) throw error;
      expect(taken).toBe(want.elements.length);
    } else expect(`${error?.name}: ${error?.message.split("\n")[0]}`).toContain(`${want.run_error.class}: ${want.run_error.message}`);
  });
});

describe("iterators of ragged and sparse tensors", () => {
  it("are made of types, shapes and classes, and begin with datasets of these", async () => {
    using _ = new tf.Graph().asDefault();
    const dataset = rowsOf([deep(), sparse()]);
    const { outputTypes, outputShapes, outputClasses } = dataset;
    const iterator = tf.data.Iterator.fromStructure(outputTypes, outputShapes, { outputClasses });
    const begin = iterator.makeInitializer(dataset);
    const [rows, places] = iterator.getNext() as [Ragged, tf.SparseTensor];
    const plain = tf.data.Iterator.fromStructure(outputTypes, outputShapes);
    expect(() => plain.makeInitializer(dataset)).toThrow(TypeError);
    const session = new tf.Session();
    await session.run(begin);
    const [first, second] = (await session.run([rows, tf.sparse.toDense(places)])) as readonly unknown[] as [
      tf.ragged.RaggedTensorValue,
      tf.NDArray,
    ];
    expect(first.toList()).toEqual([[1], [2, 3]]);
    expect(second.toArray()).toEqual([0, 10, 0, 0, 0]);
  });

  it("give optionals of them", async () => {
    using _ = new tf.Graph().asDefault();
    const iterator = tf.data.makeOneShotIterator(rowsOf(deep()).take(1));
    const optional = tf.data.experimental.getNextAsOptional(iterator);
    const [value] = (await new tf.Session().run([optional.getValue()])) as readonly unknown[] as [tf.ragged.RaggedTensorValue];
    expect(value.toList()).toEqual([[1], [2, 3]]);
    const own = tf.data.experimental.Optional.fromValue(sparse());
    expect(String(own.typeSpec)).toBe("OptionalSpec(SparseTensorSpec(TensorShape([Dimension(4), Dimension(5)]), tf.float32))");
  });
});

describe("specs", () => {
  it("are told from values, and say what they are", () => {
    using _ = new tf.Graph().asDefault();
    const text = (value: unknown): string => String(tf.typeSpecFromValue(value));
    expect(text(tf.placeholder("int32", [2, null]))).toBe("TensorSpec(shape=(2, ?), dtype=tf.int32, name=None)");
    expect(text(tf.NDArray.from([1, 2]))).toBe("TensorSpec(shape=(2,), dtype=tf.float32, name=None)");
    expect(text(sparse())).toBe("SparseTensorSpec(TensorShape([Dimension(4), Dimension(5)]), tf.float32)");
    expect(text(ragged())).toBe("RaggedTensorSpec(TensorShape([Dimension(4), Dimension(None)]), tf.int32, 1, tf.int64)");
    expect(() => text(Symbol.iterator)).toThrow(/Could not build a TypeSpec for/);
  });

  it("are compatible where shapes, types and rows are", () => {
    const { TensorSpec, SparseTensorSpec, RaggedTensorSpec } = tf;
    const one = new TensorSpec([null, 2]);
    expect(
      [new TensorSpec([3, 2]), new TensorSpec([3, 2], "int32"), new TensorSpec([3, 3])].map(other => one.isCompatibleWith(other)),
    ).toEqual([true, false, false]);
    expect(one.isCompatibleWith(new SparseTensorSpec([3, 2]))).toBe(false);
    const rows = new RaggedTensorSpec([null, null], "int32");
    expect(rows.raggedRank).toBe(1);
    expect(rows.isCompatibleWith(new RaggedTensorSpec([2, null], "int32"))).toBe(true);
    expect(rows.isCompatibleWith(new RaggedTensorSpec([2, null], "int32", { rowSplitsDtype: "int32" }))).toBe(false);
    expect(new RaggedTensorSpec([null], "int32").isCompatibleWith(new TensorSpec([4], "int32"))).toBe(true);
    expect(() => new RaggedTensorSpec()).toThrow("Must specify ragged_rank or a shape with a known rank.");
    expect(() => new RaggedTensorSpec([2], "int32", { raggedRank: 1 })).toThrow("Argument `ragged_rank` (1) must be less than rank (1).");
  });

  it("are called under TensorFlow's names, structures of older programs too", () => {
    const spec = compat.RaggedTensorSpec([null, null], "float32", { ragged_rank: 1, row_splits_dtype: "int32" });
    expect([spec.ragged_rank, spec.row_splits_dtype]).toEqual([1, "int32"]);
    const { TensorStructure, SparseTensorStructure, RaggedTensorStructure, Structure } = compat.data.experimental;
    expect(String(TensorStructure("int32", [2]))).toBe("TensorSpec(shape=(2,), dtype=tf.int32, name=None)");
    expect(String(SparseTensorStructure("int32", [2]))).toBe("SparseTensorSpec(TensorShape([Dimension(2)]), tf.int32)");
    expect(String(RaggedTensorStructure("int32", [2, null], 1))).toBe(
      "RaggedTensorSpec(TensorShape([Dimension(2), Dimension(None)]), tf.int32, 1, tf.int64)",
    );
    expect(TensorStructure("int32", [2])).toBeInstanceOf(Structure);
  });
});
