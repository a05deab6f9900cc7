// Columns of words in a file. The other columns: test/parity/feature-columns.test.ts.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as tf from "tensorloom";
import { afterAll, expect, test } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "tensorloom-"));
const file = join(folder, "words.txt");
writeFileSync(file, "emerson\nlake\npalmer");
afterAll(() => rmSync(folder, { recursive: true }));

const { categoricalColumnWithVocabularyFile, indicatorColumn, inputLayer } = tf.featureColumn;

test("a vocabulary without a size has as many words as its file has lines", async () => {
  using _ = new tf.Graph().asDefault();
  const column = categoricalColumnWithVocabularyFile("word", file, { numOovBuckets: 1 });
  const layer = inputLayer({ word: tf.constant([["lake"], ["moraz"], ["palmer"]]) }, [indicatorColumn(column)]);
  expect(layer.shape.dims).toEqual([3, 4]);
  await using session = new tf.Session();
  await session.run(tf.tablesInitializer());
  expect((await session.run(layer)).toArray()).toEqual([
    [0, 1, 0, 0],
    [0, 0, 0, 1],
    [0, 0, 1, 0],
  ]);
});

test("a file that is not there is told while the column is made", () => {
  expect(() => categoricalColumnWithVocabularyFile("word", join(folder, "none.txt"))).toThrow("vocabulary_file in word does not exist.");
  writeFileSync(join(folder, "empty.txt"), "");
  expect(() => categoricalColumnWithVocabularyFile("word", join(folder, "empty.txt"))).toThrow("Invalid vocabulary_size in word.");
});
