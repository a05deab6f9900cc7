// Functions that give ragged tensors, tables of files and the like, as TensorFlow's Python recorded them (functions.py): the same nodes under the
// same names, the same values, the same errors.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import * as tf from "tensorloom";
import { afterAll, expect, it } from "vitest";

interface Case {
  readonly name: string;
  readonly error?: readonly [type: string, message: string];
  readonly nodes?: readonly (readonly [name: string, op: string, inputs: readonly string[]])[];
  readonly value?: unknown;
}

const cases = JSON.parse(gunzipSync(readFileSync(new URL("functions.json.gz", import.meta.url))).toString()) as readonly Case[];

const folder = mkdtempSync(join(tmpdir(), "tensorloom-"));
const vocabulary = join(folder, "vocabulary.txt");
writeFileSync(vocabulary, "emerson\t1\nlake\t2\npalmer\t3\n");
afterAll(() => rmSync(folder, { recursive: true }));

type Ragged = tf.RaggedTensor;
const int32 = { dtype: "int32" } as const;
const words = (): Ragged => tf.ragged.constant([["a", "b", "c", "d"], ["e"], []]) as Ragged;
const accented = (): Ragged => tf.ragged.constant([["héllo", "a"], [], ["😀b"]]) as Ragged;
const deep = (): Ragged => tf.ragged.constant([[["ab"], []], [["c", "dé"]]]) as Ragged;
const rows = (list: number[][]): Ragged => tf.ragged.constant(list, int32) as Ragged;
const a = (): Ragged => rows([[1, 2], [], [3]]);
const b = (): Ragged => rows([[4], [5, 6], []]);
const whole = (values: tf.ArrayLike): tf.Tensor => tf.constant(values, "int32");
const sparse = (): tf.SparseTensor =>
  new tf.SparseTensor(
    [
      [0, 0],
      [1, 0],
      [1, 1],
    ],
    ["x", "y", "z"],
    [2, 2],
  );
const { bytesSplit, ngrams, unicodeDecode, unicodeDecodeWithOffsets, unicodeEncode, unicodeSplit, unicodeSplitWithOffsets } = tf.strings;
const { WHOLE_LINE, LINE_NUMBER } = tf.lookup.TextFileIndex;

/** What no shape function sees the value of. */
const fed = (strings: string | string[]): tf.Tensor => tf.placeholderWithDefault(strings, Array.isArray(strings) ? [null] : []);

type FileArguments = ConstructorParameters<typeof tf.lookup.TextFileInitializer>;
function lookedUp(keys: tf.ArrayLike, missing: string | number, ...[filename, ...rest]: FileArguments): tf.Tensor {
  const table = new tf.lookup.StaticHashTable(new tf.lookup.TextFileInitializer(filename, ...rest), missing, { name: "words" });
  return table.lookup(tf.constant(keys)) as tf.Tensor;
}

function replaced(): unknown {
  const variable = new tf.Variable(tf.zeros([2, 4]), { name: "v" });
  return tf.controlDependencies([tf.assign(variable, tf.zeros([2, 4]))], () =>
    tf.batchScatterUpdate(
      variable,
      [
        [0, 2],
        [1, 3],
      ],
      [
        [1, 2],
        [3, 4],
      ],
      { name: "put" },
    ),
  );
}

const builds: Readonly<Record<string, () => unknown>> = {
  "bytes of a scalar": () => bytesSplit("abc"),
  "bytes of a vector": () => bytesSplit(["ab", "", "c"]),
  "bytes of a matrix": () =>
    bytesSplit([
      ["ab", "c"],
      ["", "d"],
    ]),
  "bytes of rows": () => bytesSplit(tf.ragged.constant([["ab"], [], ["c", "dd"]])),
  "bytes of an unknown rank": () => bytesSplit(tf.placeholder("string")),
  "points of a scalar": () => unicodeDecode("héa", "UTF-8"),
  "points of a vector": () => unicodeDecode(["hé", "", "😀"], "UTF-8"),
  "points of a matrix": () =>
    unicodeDecode(
      [
        ["hé", ""],
        ["😀", "ab"],
      ],
      "UTF-8",
    ),
  "points of rows": () => unicodeDecode(accented(), "UTF-8"),
  "points of deeper rows": () => unicodeDecode(deep(), "UTF-8", { name: "deep" }),
  "points and offsets": () => unicodeDecodeWithOffsets(accented(), "UTF-8"),
  "points and offsets of a scalar": () => unicodeDecodeWithOffsets("h\x01é", "UTF-8", { replaceControlCharacters: true }),
  "points of an unknown rank": () => unicodeDecode(tf.placeholder("string"), "UTF-8"),
  "characters of a scalar": () => unicodeSplit(fed("héa"), "UTF-8"),
  "characters of a vector": () => unicodeSplit(fed(["hé", "", "😀"]), "UTF-8"),
  "characters of rows": () => unicodeSplit(accented().withFlatValues(fed(["héllo", "a", "😀b"])), "UTF-8"),
  "characters and offsets": () => unicodeSplitWithOffsets(fed(["hé", "", "😀b"]), "UTF-8"),
  "text of a vector": () => unicodeEncode([104, 233], "UTF-8"),
  "text of a matrix": () =>
    unicodeEncode(
      [
        [104, 233],
        [97, 98],
      ],
      "UTF-8",
    ),
  "text of a cube": () =>
    unicodeEncode(
      [
        [
          [104, 233],
          [97, 98],
        ],
      ],
      "UTF-8",
    ),
  "text of rows": () => unicodeEncode(rows([[104, 233], [], [128512]]), "UTF-8", { name: "text" }),
  "text of deeper rows": () => unicodeEncode(tf.ragged.constant([[[104, 233], []], [[128512]]], int32), "UTF-8"),
  "text of a scalar": () => unicodeEncode(104, "UTF-8"),
  "pairs of a vector": () => ngrams(["a", "b", "c"], 2),
  "pairs of a matrix": () =>
    ngrams(
      [
        ["a", "b", "c"],
        ["d", "e", "f"],
      ],
      2,
      { separator: "-" },
    ),
  "pairs of rows": () => ngrams(words(), 2, { name: "pairs" }),
  "runs of several widths": () => ngrams(words(), [2, 3], { preserveShortSequences: true }),
  "padded runs": () => ngrams(words(), 3, { padValues: ["<", ">"] }),
  "runs padded once": () => ngrams(words(), 3, { padValues: "_", paddingWidth: 1 }),
  "runs of deeper rows": () => ngrams(tf.ragged.constant([[["a", "b"], ["c"]], [["d", "e", "f"]]]), 2),
  "runs of no width": () => ngrams(words(), 0),
  "runs padded without pads": () => ngrams(words(), 2, { paddingWidth: 1 }),
  "runs of a scalar": () => ngrams("a", 2),
  "stack rows": () => tf.ragged.stack([a(), b()]),
  "stack rows beside": () => tf.ragged.stack([a(), b()], { axis: 1 }),
  "stack vectors": () => tf.ragged.stack([tf.NDArray.from([1, 2], "int32"), tf.NDArray.from([3], "int32")], { name: "two" }),
  "stack scalars": () => tf.ragged.stack([tf.NDArray.from(1, "int32"), tf.NDArray.from(2, "int32")]),
  "stack matrices": () => tf.ragged.stack([tf.NDArray.from([[1, 2]], "int32"), tf.NDArray.from([[3, 4]], "int32")], { axis: 1 }),
  "stack a matrix and rows": () =>
    tf.ragged.stack([
      whole([
        [1, 2],
        [3, 4],
        [5, 6],
      ]),
      b(),
    ]),
  "stack innermost": () => tf.ragged.stack([a(), a()], { axis: 2 }),
  "stack deeper": () =>
    tf.ragged.stack([tf.ragged.constant([[[1], [2, 3]], []], int32), tf.ragged.constant([[[4, 5]], [[6]]], int32)], { axis: 1 }),
  "stack nothing": () => tf.ragged.stack([]),
  "stack along no axis": () => tf.ragged.stack([a(), b()], { axis: 3 }),
  "stack unequal ranks": () => tf.ragged.stack([a(), [1]]),
  "cross rows": () =>
    tf.ragged.cross([tf.ragged.constant([["a", "b"], ["c"]]), tf.ragged.constant([["d"], ["e", "f"]]), tf.constant([["g"], ["h"]])]),
  "cross rows and a sparse tensor": () => tf.ragged.cross([rows([[1, 2], [3]]), sparse()], { name: "cross" }),
  "cross rows hashed": () =>
    tf.ragged.crossHashed([tf.ragged.constant([["a", "b"], ["c"]]), tf.ragged.constant([["d"], ["e", "f"]])], { numBuckets: 100 }),
  "cross rows hashed by a key": () =>
    tf.ragged.crossHashed([tf.ragged.constant([["a", "b"], ["c"]]), whole([[1], [2]])], { hashKey: 956888297470 }),
  "cross floats": () => tf.ragged.cross([tf.ragged.constant([[1]])]),
  "cross deeper rows": () => tf.ragged.cross([tf.ragged.constant([[[1]]], int32)]),
  "cross no list": () => tf.ragged.cross(a() as never),
  "sparse cross": () => tf.sparse.cross([sparse(), tf.constant([["a"], ["b"]])], { separator: "-" }).values,
  "sparse cross hashed": () => tf.sparse.crossHashed([sparse(), whole([[1], [2]])], { numBuckets: 50 }).values,
  "batch scatter": replaced,
  "lines to numbers": () => lookedUp(["lake", "no"], -1, vocabulary, "string", 0, "int64", 1),
  "lines to line numbers": () => lookedUp(["palmer", "no"], -1, vocabulary, "string", 0, "int64", LINE_NUMBER),
  "numbers to lines": () => lookedUp([0n, 9n], "none", vocabulary, "int64", LINE_NUMBER, "string", 0),
  "lines of another delimiter": () =>
    lookedUp(["lake\t2"], -1, vocabulary, "string", WHOLE_LINE, "int64", LINE_NUMBER, { delimiter: " ", vocabSize: 2 }),
  "table without a file": () => new tf.lookup.TextFileInitializer("", "string", 0, "int64", 1),
  "table of a bad index": () => new tf.lookup.TextFileInitializer(vocabulary, "string", -3, "int64", 1),
  "table of line numbers of another type": () => new tf.lookup.TextFileInitializer(vocabulary, "int32", -1, "string", 0),
  "table of whole lines of floats": () => new tf.lookup.TextFileInitializer(vocabulary, "string", 0, "float32", -2),
  "table of no words": () => new tf.lookup.TextFileInitializer(vocabulary, "string", 0, "int64", -1, { vocabSize: 0 }),
};

/** Numbers as the recording has them: those past 2^53 as text. */
function plain(value: unknown): unknown {
  if (value instanceof tf.NDArray) return plain(value.toArray());
  if (value instanceof tf.ragged.RaggedTensorValue) return plain(value.toList());
  if (Array.isArray(value)) return value.map(plain);
  return typeof value === "bigint" ? (value > 2n ** 53n || value < -(2n ** 53n) ? String(value) : Number(value)) : value;
}

/** Control inputs have no order. */
const inOrder = (inputs: readonly string[]): string[] => [
  ...inputs.filter(input => !input.startsWith("^")),
  ...inputs.filter(input => input.startsWith("^")).sort(),
];

it.each(cases)("$name", async ({ name, error, nodes, value }) => {
  const build = builds[name];
  using _ = new tf.Graph().asDefault();
  if (error) {
    const thrown = (() => {
      try {
        return build();
      } catch (found) {
        return found as Error;
      }
    })();
    expect([(thrown as Error).name, (thrown as Error).message.split("\n")[0]]).toEqual(error);
    return;
  }
  const fetches = build();
  const made = tf.getDefaultGraph().asGraphDef().node;
  expect(made.map(node => [node.name, node.op, inOrder(node.input)])).toEqual(
    nodes?.map(([own, op, inputs]) => [own, op, inOrder(inputs)]),
  );
  await using session = new tf.Session();
  if (tf.getCollection(tf.GraphKeys.TABLE_INITIALIZERS).length > 0) await session.run(tf.tablesInitializer());
  expect(plain(await session.run(fetches as tf.Tensor))).toEqual(value);
});

it("covers what is recorded", () => {
  expect(Object.keys(builds).sort()).toEqual(cases.map(({ name }) => name).sort());
});
