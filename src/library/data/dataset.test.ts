// tf.data beyond what program 14 does: nestings, windows, files, random functions, and errors in TensorFlow's words.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as tf from "tensorloom";
import { describe, expect, it } from "vitest";

const { Dataset } = tf.data;

const plain = (value: unknown): unknown => (Array.isArray(value) ? value.map(plain) : typeof value === "bigint" ? Number(value) : value);

/** All elements of a dataset of single tensors, as nested lists. */
async function elements(dataset: tf.data.Dataset): Promise<unknown[]> {
  const next = tf.data.makeOneShotIterator(dataset).getNext() as tf.Tensor;
  await using session = new tf.Session();
  const rows: unknown[] = [];
  try {
    for (;;) rows.push(plain((await session.run(next)).toArray()));
  } catch (error) {
    if (!(error instanceof tf.errors.OutOfRangeError)) throw error;
    expect(error.message.split("\n")[0]).toBe("End of sequence");
  }
  return rows;
}

const inGraph = async (body: () => Promise<void>): Promise<void> => {
  using _ = new tf.Graph().asDefault();
  await body();
};

it("makes elements of nestings and hands lists out as arguments", () =>
  inGraph(async () => {
    const pairs = Dataset.fromTensorSlices([
      { a: tf.constant([1, 2, 3]), b: tf.constant([10, 20, 30]) },
      tf.constant([5, 6, 7], { dtype: "int32" }),
    ]);
    expect(tf.data.getOutputTypes(pairs)).toEqual([{ a: "float32", b: "float32" }, "int32"]);
    const sums = pairs.map((x: { a: tf.Tensor; b: tf.Tensor }, n: tf.Tensor) => x.a.add(x.b).mul(tf.cast(n, "float32")));
    expect(await elements(sums)).toEqual([55, 132, 231]);
  }));

it("cuts windows that overlap and have gaps", () =>
  inGraph(async () => {
    const windows = (options: { shift?: number; stride?: number; dropRemainder?: boolean }): Promise<unknown[]> =>
      elements(
        Dataset.range(7)
          .window(3, options)
          .flatMap((w: tf.data.Dataset) => w.batch(3)),
      );
    expect(await windows({ shift: 2, dropRemainder: true })).toEqual([
      [0, 1, 2],
      [2, 3, 4],
      [4, 5, 6],
    ]);
    expect(await windows({ shift: 2 })).toEqual([[0, 1, 2], [2, 3, 4], [4, 5, 6], [6]]);
    expect(await windows({ shift: 1, stride: 2, dropRemainder: true })).toEqual([
      [0, 2, 4],
      [1, 3, 5],
      [2, 4, 6],
    ]);
  }));

it("reads lines of files and shards", () =>
  inGraph(async () => {
    const folder = mkdtempSync(join(tmpdir(), "dataset-"));
    try {
      writeFileSync(join(folder, "a"), "one\r\ntwo\n\nfour");
      const lines = new tf.data.TextLineDataset([join(folder, "a")]);
      expect(await elements(lines.map((line: tf.Tensor) => tf.strings.length(line)))).toEqual([3, 3, 0, 4]);
      expect(await elements(Dataset.range(7).shard(3, 1))).toEqual([1, 4]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  }));

it("draws other numbers for each element, and the same again with the same seeds", () =>
  inGraph(async () => {
    const drawn = (): tf.data.Dataset => Dataset.range(4).map(() => tf.randomUniform([], { seed: 7 }));
    const [first, second] = [await elements(drawn()), await elements(drawn())];
    expect(new Set(first).size).toBe(4);
    expect(second).toEqual(first);
  }));

it("says in TensorFlow's words what is wrong", () =>
  inGraph(async () => {
    const ragged = Dataset.range(3).map((n: tf.Tensor) => tf.range(n));
    await expect(elements(ragged.batch(2))).rejects.toThrow(
      "Cannot add tensor to the batch: number of elements does not match. Shapes are: [tensor]: [1], [batch]: [0]",
    );
    await expect(elements(ragged.paddedBatch(3, [1]))).rejects.toThrow("Attempted to pad to a smaller size than the input element.");
    expect(() => Dataset.fromTensorSlices(tf.constant(1))).toThrow("Unbatching a tensor is only supported for rank >= 1");
    expect(() => tf.data.makeOneShotIterator(ragged).initializer).toThrow("The iterator does not have an initializer.");
    const wrong = Dataset.fromGenerator(() => [[1, 2, 3]], "int32", [2]);
    await expect(elements(wrong)).rejects.toThrow("`generator` yielded an element of shape (3,)");
    const outside = tf.constant(1n, { dtype: "int64" });
    const stranger = new tf.Graph().asDefault(() => tf.constant(1n, { dtype: "int64" }));
    expect(() => Dataset.range(3).map((n: tf.Tensor) => n.add(stranger))).toThrow("must be from the same graph");
    expect(await elements(Dataset.range(3).map((n: tf.Tensor) => n.add(outside)))).toEqual([1, 2, 3]);
  }));

it("goes on after an element that failed, and tells the end by optionals", () =>
  inGraph(async () => {
    const dataset = Dataset.fromTensorSlices(tf.NDArray.from([1, 0, 2], "int32")).map((x: tf.Tensor) => tf.floordiv(6, x));
    const iterator = tf.data.makeOneShotIterator(dataset);
    const next = iterator.getNext() as tf.Tensor;
    const optional = tf.data.experimental.getNextAsOptional(iterator);
    const [has, value] = [optional.hasValue(), optional.getValue() as tf.Tensor];
    const empty = tf.data.experimental.Optional.empty(dataset.elementSpec);
    const given = tf.data.experimental.Optional.fromValue([tf.constant(4), { a: tf.constant("x") }]);
    await using session = new tf.Session();
    expect((await session.run(next)).item()).toBe(6);
    await expect(session.run(next)).rejects.toThrow("Integer division by zero");
    expect((await session.run([has, value])).map(array => array.item())).toEqual([true, 3]);
    expect((await session.run(has)).item()).toBe(false);
    await expect(session.run(value)).rejects.toThrow("The given optional does not have a value.");
    expect((await session.run(empty.hasValue())).item()).toBe(false);
    const [four, { a }] = given.getValue() as [tf.Tensor, { a: tf.Tensor }];
    expect((await session.run([four, a])).map(array => String(array.toArray()))).toEqual(["4", "x"]);
  }));

it("tells how many elements there are", () =>
  inGraph(async () => {
    const { INFINITE_CARDINALITY, UNKNOWN_CARDINALITY } = tf.data;
    const range = Dataset.range(7);
    const counts: [tf.data.Dataset, number][] = [
      [range.batch(2), 4],
      [range.batch(2, { dropRemainder: true }), 3],
      [range.repeat(), INFINITE_CARDINALITY],
      [range.repeat(3).take(15).skip(2), 13],
      [range.filter((x: tf.Tensor) => x.less(3)), UNKNOWN_CARDINALITY],
      [range.map((x: tf.Tensor) => x), UNKNOWN_CARDINALITY],
      [Dataset.zip([range, range.repeat()]), 7],
      [range.concatenate(range).shard(4, 3), 3],
      [range.window(3, { shift: 2, dropRemainder: true }), 3],
      [range.shuffle(3).prefetch(1).cache(), 7],
    ];
    await using session = new tf.Session();
    const found = await session.run(counts.map(([dataset]) => dataset.cardinality()));
    expect(found.map(array => Number(array.item()))).toEqual(counts.map(([, count]) => count));
    const more = range.apply(tf.data.experimental.assertCardinality(5));
    await expect(elements(more)).rejects.toThrow("Input dataset was expected to contain 5 elements but contained at least 6 elements.");
    const fewer = range.apply(tf.data.experimental.assertCardinality(9));
    await expect(elements(fewer)).rejects.toThrow("Input dataset was expected to contain 9 elements but contained only 7 elements.");
    await expect(session.run(range.getSingleElement() as tf.Tensor)).rejects.toThrow("Dataset had more than one element.");
  }));

it("reads records of one size", () =>
  inGraph(async () => {
    const folder = mkdtempSync(join(tmpdir(), "dataset-"));
    try {
      writeFileSync(join(folder, "a"), "HHabcdefF");
      const records = new tf.data.FixedLengthRecordDataset(join(folder, "a"), 3, { headerBytes: 2, footerBytes: 1 });
      expect((await elements(records)).map(String)).toEqual(["abc", "def"]);
      await expect(elements(new tf.data.FixedLengthRecordDataset(join(folder, "a"), 4))).rejects.toThrow("is not an exact multiple");
    } finally {
      rmSync(folder, { recursive: true });
    }
  }));

it("refuses what a one-shot iterator cannot take with it", () =>
  inGraph(async () => {
    const y = tf.placeholder("float32", [], { name: "y" });
    expect(() => tf.data.makeOneShotIterator(Dataset.fromTensors(y))).toThrow(
      "Cannot capture a placeholder (name:y, type:Placeholder) by value.",
    );
    const v = tf.getVariable("v", [], { initializer: tf.zerosInitializer() });
    const reading = Dataset.range(3).map((x: tf.Tensor) => tf.cast(x, "float32").add(v));
    expect(() => tf.data.makeOneShotIterator(reading)).toThrow("Cannot capture a stateful node (name:v, type:VariableV2) by value.");
    expect(() => Dataset.range(2).map(() => v.assignAdd(1))).toThrow(
      "In op 'AssignAdd', input types ([tf.float32, tf.float32]) are not compatible with expected types ([tf.float32_ref, tf.float32])",
    );
  }));

it("takes branches whose operations read an element, and branches in loops", () =>
  inGraph(async () => {
    const branched = Dataset.fromTensorSlices(Float32Array.of(0.5, 2)).map((x: tf.Tensor) =>
      tf.cond(
        tf.less(x, 1),
        () => tf.square(x),
        () => x.add(x),
      ),
    );
    expect((await elements(branched)).map(Number)).toEqual([0.25, 4]);
    const looped = Dataset.fromTensorSlices(Int32Array.of(1, 2)).map((x: tf.Tensor) =>
      tf.whileLoop(
        (i: tf.Tensor) => tf.less(i, 10),
        (i: tf.Tensor) =>
          tf.cond(
            tf.equal(x, 1),
            () => i.add(x),
            () => i.mul(x),
          ) as tf.Tensor,
        [x],
      ),
    );
    expect((await elements(looped)).map(Number)).toEqual([10, 16]);
  }));

describe("an element that fails", () => {
  const failingAt = (at: number): tf.data.Dataset =>
    Dataset.range(5).map((n: tf.Tensor) => tf.gather([0, 1, 2, 3, 4], tf.where(tf.equal(n, at), 9, tf.cast(n, "int32"))));
  /** Elements as JSON, or names of errors. */
  async function taken(make: () => tf.data.Dataset, count: number): Promise<string[]> {
    using _ = new tf.Graph().asDefault();
    const next = tf.nest.flatten(tf.data.makeOneShotIterator(make()).getNext()) as tf.Tensor[];
    await using session = new tf.Session();
    const found: string[] = [];
    for (let k = 0; k < count; k++)
      found.push(
        await session.run(next).then(
          values => JSON.stringify(values.map(value => plain(value.toArray()))),
          (error: Error) => error.name,
        ),
      );
    return found;
  }
  const refused = "InvalidArgumentError";
  const ended = "OutOfRangeError";

  it("takes the rest of its batch with it, where a function is mapped right before", async () => {
    expect(await taken(() => failingAt(0).batch(2), 4)).toEqual([refused, "[[2,3]]", "[[4]]", ended]);
    expect(await taken(() => failingAt(0).take(5).batch(2), 4)).toEqual([refused, "[[1,2]]", "[[3,4]]", ended]);
  });

  it("has its place in windows and in pairs", async () => {
    const windows = () =>
      failingAt(2)
        .window(2, { shift: 1, dropRemainder: true })
        .flatMap((window: tf.data.Dataset) => window.batch(2));
    expect(await taken(windows, 5)).toEqual(["[[0,1]]", refused, refused, "[[3,4]]", ended]);
    expect(await taken(() => Dataset.zip([failingAt(1), Dataset.range(4)]), 5)).toEqual(["[0,0]", refused, "[2,2]", "[3,3]", ended]);
  });

  it("is asked for again, if it is a file that is not there", async () => {
    expect(await taken(() => new tf.data.TextLineDataset("/not/there"), 3)).toEqual(Array(3).fill("NotFoundError"));
  });
});

it("never draws from a dataset of weight 0, which would not end", () =>
  inGraph(async () => {
    const drawn = Dataset.sampleFromDatasets([Dataset.range(3), Dataset.range(4, 6)], { weights: [0, 1] });
    expect(await elements(drawn)).toEqual([4, 5]);
  }));
