// Keys of tables: from text files whose lines end as on Windows or hold nothing, where TensorFlow 2.21 gave the answers, and long ones.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as tf from "tensorloom";
import { afterAll, expect, test } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "tensorloom-lines-"));
afterAll(() => rmSync(folder, { recursive: true }));

async function placesIn(text: string, words: readonly string[]): Promise<unknown> {
  const path = join(folder, "words.txt");
  writeFileSync(path, text);
  using _ = new tf.Graph().asDefault();
  const { WHOLE_LINE, LINE_NUMBER } = tf.lookup.TextFileIndex;
  const lines = new tf.lookup.TextFileInitializer(path, "string", WHOLE_LINE, "int64", LINE_NUMBER);
  const found = new tf.lookup.StaticHashTable(lines, -1).lookup(tf.constant([...words]));
  await using session = new tf.Session();
  await session.run(tf.tablesInitializer());
  return (await session.run(found)).toArray();
}

test("a carriage return before the end of a line is no part of a word", async () => {
  expect(await placesIn("x\r\ny\r\n", ["x", "x\r", "y", ""])).toEqual([0n, -1n, 1n, -1n]);
});

test("an empty line is refused", async () => {
  await expect(placesIn("x\r\n\r\ny\n", ["x"])).rejects.toThrow(
    `Invalid content in ${join(folder, "words.txt")}: empty line found at position 5.`,
  );
});

test("a file of nothing is refused, as TensorFlow's reader does", async () => {
  await expect(placesIn("", ["x"])).rejects.toThrow("Read less bytes than requested");
});

test("files are read by lines without carriage returns", async () => {
  const path = join(folder, "lines.txt");
  writeFileSync(path, "a\rb\r\n\rc\r");
  expect(await new tf.gfile.GFile(path, "r").readlines()).toEqual(["ab\n", "c"]);
});

test("keys may be long", async () => {
  using _ = new tf.Graph().asDefault();
  const long = "x".repeat(300_000);
  const table = new tf.lookup.StaticHashTable(new tf.lookup.KeyValueTensorInitializer([long, `${long}y`], tf.constant([1, 2])), -1);
  const found = table.lookup(tf.constant([`${long}y`]));
  const { idx } = tf.unique(tf.constant([long, "x", long]));
  await using session = new tf.Session();
  await session.run(tf.tablesInitializer());
  expect((await session.run([found, idx])).map(array => array.toArray())).toEqual([[2], [0, 1, 0]]);
});
