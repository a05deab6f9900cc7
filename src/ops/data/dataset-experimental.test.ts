// Datasets of files, and what is written to them; the others are compared with TensorFlow's recorded elements. What CSV gives is TensorFlow's (2.21).

import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import * as tf from "tensorloom";

let folder = "";
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), "tensorloom-csv-"))));
afterAll(() => rm(folder, { recursive: true }));

type Column = tf.DType | tf.Tensor;

/** The rows of a table, and the first lines of what is said of those that are wrong. */
async function rowsOf(text: string, columns: () => readonly Column[], options: object = {}): Promise<unknown[]> {
  const path = join(folder, "table.csv");
  await writeFile(path, text, "latin1");
  const graph = new tf.Graph();
  const next = graph.asDefault(() =>
    tf.data.makeOneShotIterator(new tf.data.experimental.CsvDataset(path, columns(), options)).getNext(),
  ) as tf.Tensor[];
  await using session = new tf.Session({ graph });
  const rows: unknown[] = [];
  for (;;)
    try {
      rows.push((await session.run(next)).map(value => value.toArray()));
    } catch (error) {
      if (error instanceof tf.errors.OutOfRangeError) return rows;
      rows.push((error as Error).message.split("\n")[0]);
    }
}

it("reads tables with headers, quotes and defaults", async () => {
  const columns = (): Column[] => ["int32", tf.constant([9], "float32"), "string"];
  const text = 'a,b,c\n1,2.5,x\n3,,"y, z"\r\n4,5,"q""r"\n';
  expect(await rowsOf(text, columns, { header: true })).toEqual([
    [1, 2.5, "x"],
    [3, 9, "y, z"],
    [4, 5, 'q"r'],
  ]);
  expect(await rowsOf('1;NA;"a\nb"\n', () => ["int32", tf.constant([7n], "int64"), "string"], { fieldDelim: ";", naValue: "NA" })).toEqual([
    [1, 7n, "a\nb"],
  ]);
  expect(await rowsOf("1,2,3\n4,5,6", () => ["int32", "int32"], { selectCols: [0, 2] })).toEqual([
    [1, 3],
    [4, 6],
  ]);
  expect(await rowsOf("\n1\n", () => [tf.constant([5], "int32")])).toEqual([[5], [1]]);
});

it("says of wrong rows what TensorFlow says, and goes on", async () => {
  expect(await rowsOf("1,2,3\n4,5\n6,7,8\n9,x,1\n2,,2", () => ["int32", "int32", "int32"])).toEqual([
    [1, 2, 3],
    "Expect 3 fields but have 2 in record",
    [6, 7, 8],
    "Field 1 in record is not a valid int32: x",
    "Field 1 is required but missing in record!",
  ]);
  expect(await rowsOf('1,a"b\n2,c\n', () => ["int32", "string"])).toEqual(["Unquoted fields cannot have quotes inside", [2, "c"]]);
  // A quote inside a field does not end it: the field goes on to the next one that does.
  const three = (): Column[] => ["int32", "string", "int32"];
  expect(await rowsOf('1,"x"y",3\n4,b,5\n', three)).toEqual(["Quote inside a string has to be escaped by another quote", [4, "b", 5]]);
  expect(await rowsOf('1,"x"y,3\n4,b,5\n', three)).toEqual(["Reached end of file without closing quoted field in record"]);
  expect(await rowsOf("", three, { header: true })).toEqual(["Can't read header of file"]);
  expect(await rowsOf('1,"a\n', () => ["int32", "string"])).toEqual(["Reached end of file without closing quoted field in record"]);
});

it("writes a dataset as records that it reads again", async () => {
  const path = join(folder, "records.tfrecord");
  const graph = new tf.Graph();
  const write = graph.asDefault(() =>
    tf.rawOps.DatasetToTFRecord({
      inputDataset: tf.data.Dataset.fromTensorSlices(["one", "", "three"]).variantTensor,
      filename: path,
      compressionType: "",
    }),
  );
  await using session = new tf.Session({ graph });
  await session.run(write);
  const read: string[] = [];
  for await (const record of tf.pythonIo.tfRecordIterator(path)) read.push(new TextDecoder().decode(record));
  expect(read).toEqual(["one", "", "three"]);
  expect((await readFile(path)).length).toBe(3 * 16 + 8);
});
