// tf.io.RaggedFeature against recordings of TensorFlow (generate/ragged_features.py).

import { describe, expect, it } from "vitest";
import { tf as compat } from "../../src/compat.ts";
import * as tf from "../../src/index.ts";
import { compareWithRecording, type Made } from "./library-programs.ts";

const F = tf.io.RaggedFeature;
type Options = ConstructorParameters<typeof F>[1];

/** The messages of the recording. */
const messages = {
  one: "CrQBChEKA2lkcxIKGggKBgAAAgICAgoSCgdsZW5ndGhzEgcaBQoDAgAEChEKBmxpbWl0cxIHGgUKAwICBgoKCgFuEgUaAwoBBwoQCgVvdXRlchIHGgUKAwABAwoRCgZzcGxpdHMSBxoFCgMAAgYKEQoGc3RhcnRzEgcaBQoDAAICCiEKAXYSHBIaChgAAEBAAACAPwAAgEAAAIA/AACgQAAAEEEKEQoFd29yZHMSCAoGCgFhCgFi",
  two: "CpUBCg0KA2lkcxIGGgQKAgAAChAKB2xlbmd0aHMSBRoDCgECCg8KBmxpbWl0cxIFGgMKAQIKCgoBbhIFGgMKAQgKDwoFb3V0ZXISBhoECgIAAQoQCgZzcGxpdHMSBhoECgIAAgoPCgZzdGFydHMSBRoDCgEAChEKAXYSDBIKCggAAABAAADAQAoOCgV3b3JkcxIFCgMKAWM=",
  none: "Cm0KBwoDaWRzEgAKCwoHbGVuZ3RocxIACgoKBmxpbWl0cxIACgoKAW4SBRoDCgEJCg4KBW91dGVyEgUaAwoBAAoPCgZzcGxpdHMSBRoDCgEACgoKBnN0YXJ0cxIACgUKAXYSAAoJCgV3b3JkcxIA",
  first:
    "ChsKDAoBYxIHGgUKAwECAwoLCgFrEgYaBAoCAQISVwoYCgNsZW4SEQoGGgQKAgECCgAKBRoDCgEBCiMKAXYSHgoQEg4KDAAAgD8AAABAAABAQAoACggSBgoEAACAQAoWCgF3EhEKBQoDCgFhCggKBgoBYgoBYw==",
  second: "ChgKCgoBYxIFGgMKAQQKCgoBaxIFGgMKAQESMwoOCgNsZW4SBwoFGgMKAQIKEwoBdhIOCgwSCgoIAACgQAAAwEAKDAoBdxIHCgUKAwoBZA==",
  bad: "CiUKEAoHbGVuZ3RocxIFGgMKAQUKEQoBdhIMEgoKCAAAgD8AAABA",
};
type Name = keyof typeof messages;
const bytes = (name: Name): Uint8Array => new Uint8Array(Buffer.from(messages[name], "base64"));
const batch = (...names: readonly Name[]): tf.NDArray => {
  const array = tf.NDArray.zeros("string", [names.length]);
  names.forEach((name, i) => void array.set(i, bytes(name)));
  return array;
};
const single = (name: Name): tf.NDArray => {
  const array = tf.NDArray.zeros("string", []);
  array.set(0, bytes(name));
  return array;
};
const made = (fetch: unknown): Made => ({ fetch });

const kinds = {
  splits: F.RowSplits("splits"),
  lengths: F.RowLengths("lengths"),
  starts: F.RowStarts("starts"),
  limits: F.RowLimits("limits"),
  ids: F.ValueRowIds("ids"),
  pairs: F.UniformRowLength(2),
};
const of = (partitions: NonNullable<Options>["partitions"], options: Options = {}) =>
  new F("float32", { valueKey: "v", partitions, ...options });
const parts = (options: Options = {}) => Object.fromEntries(Object.entries(kinds).map(([name, kind]) => [name, of([kind], options)]));
const deep = () => ({
  deep: of([F.RowSplits("outer"), F.RowLengths("lengths")]),
  even: of([F.UniformRowLength(1), F.UniformRowLength(2)]),
});
const contextFeatures = { c: new F("int64"), cut: new F("int64", { valueKey: "c", partitions: [F.RowLengths("k")] }) };
const cut = of([F.RowLengths("len")]);

const programs: Readonly<Record<string, () => Made>> = {
  plain_batch() {
    const features = { v: new F("float32"), words: new F("string"), n: new F("int64", { rowSplitsDtype: "int64" }) };
    return made(tf.io.parseExample(batch("one", "two", "none"), features));
  },
  plain_single: () => made(tf.io.parseSingleExample(single("one"), { v: new F("float32"), words: new F("string") })),
  batch_parts: () => made(tf.io.parseExample(batch("one", "two", "none"), parts())),
  batch_checked: () => made(tf.io.parseExample(batch("one", "two"), parts({ validate: true, rowSplitsDtype: "int64" }))),
  single_parts: () => made(tf.io.parseSingleExample(single("one"), parts())),
  single_checked: () => made(tf.io.parseSingleExample(single("one"), parts({ validate: true }))),
  deep_batch: () => made(tf.io.parseExample(batch("one", "two"), deep())),
  deep_single: () => made(tf.io.parseSingleExample(single("one"), deep())),
  mixed() {
    const features = { v: new F("float32"), n: new tf.FixedLenFeature([], "int64"), words: new tf.VarLenFeature("string") };
    return made(tf.io.parseExample(batch("one", "two"), features));
  },
  sequences() {
    const sequenceFeatures = { v: new F("float32"), cut, w: new F("string") };
    return made(tf.io.parseSequenceExample(batch("first", "second"), { contextFeatures, sequenceFeatures }));
  },
  one_sequence() {
    const sequenceFeatures = { v: new F("float32"), cut };
    return made(tf.io.parseSingleSequenceExample(single("first"), { contextFeatures, sequenceFeatures }));
  },
  bad_lengths: () => made(tf.io.parseSingleExample(single("bad"), { x: of([kinds.lengths], { validate: true }) })),
  refused_both: () => made(tf.io.parseExample(batch("one"), { v: new F("float32"), x: new F("int64", { valueKey: "v" }) })),
  refused_both_splits: () => made(tf.io.parseExample(batch("one"), { v: new F("float32"), x: of([], { rowSplitsDtype: "int64" }) })),
  refused_type: () => made(new F("float64")),
  refused_splits_type: () => made(new F("float32", { rowSplitsDtype: "float32" as never })),
  refused_empty_key: () => made(of([], { valueKey: "" })),
  refused_rank: () => made(tf.io.parseExample(tf.placeholder("string", null), { v: new F("float32") })),
};

/** TensorFlow parses constant messages already while it infers shapes, and knows sizes by that. */
const otherNodes: ReadonlySet<string> = new Set(["batch_parts", "batch_checked", "single_parts", "single_checked", "deep_batch"]);

describe("tf.io.RaggedFeature", () => {
  compareWithRecording("ragged-features", programs, otherNodes);

  it("is the same under TensorFlow's names", async () => {
    using _ = new tf.Graph().asDefault();
    const { RaggedFeature } = compat.io;
    const rows = RaggedFeature("float32", { value_key: "v", partitions: [RaggedFeature.RowLengths("lengths")] });
    const parsed = compat.io.parse_single_example(single("one"), { rows } as never) as Record<string, tf.RaggedTensor>;
    const [value] = (await new compat.Session().run([parsed.rows])) as readonly unknown[] as [tf.ragged.RaggedTensorValue];
    expect(value.toList()).toEqual([[3, 1], [], [4, 1, 5, 9]]);
  });
});
