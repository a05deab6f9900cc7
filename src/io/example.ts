// tf.train.Example and what it is made of, and TFRecord files of them, under TensorFlow's names. The bytes are formats/records.ts's business.

import { files } from "#platform";
import { messageClass, type MessageObject } from "../formats/message-class.ts";
import { readRecords, type RecordCompression, RecordWriter } from "../formats/records.ts";

/** `new tf.train.Example({ features: { feature: { x: { floatList: { value: [1, 2] } } } } }).SerializeToString()`. TF: tf.train.Example. */
export const Example = messageClass("Example");
export type Example = MessageObject<"Example">;
export const SequenceExample = messageClass("SequenceExample");
export type SequenceExample = MessageObject<"SequenceExample">;
export const Features = messageClass("Features");
export const Feature = messageClass("Feature");
export const FeatureLists = messageClass("FeatureLists");
export const FeatureList = messageClass("FeatureList");
export const BytesList = messageClass("BytesList");
export const FloatList = messageClass("FloatList");
export const Int64List = messageClass("Int64List");

/** How a file of records is compressed. TF: tf.io.TFRecordCompressionType. */
export const TFRecordCompressionType = { NONE: 0, ZLIB: 1, GZIP: 2 } as const;

const compressionNames = ["", "ZLIB", "GZIP"] as const;

/** Options of record files. TF: tf.io.TFRecordOptions. */
export class TFRecordOptions {
  readonly compressionType: RecordCompression;
  constructor(compressionType: RecordCompression | 0 | 1 | 2 | null = "") {
    this.compressionType = typeof compressionType === "number" ? compressionNames[compressionType] : (compressionType ?? "");
  }

  /** The names of the compressions by their numbers. */
  static readonly compressionTypeMap: Readonly<Record<number, RecordCompression>> = { ...compressionNames };

  static getCompressionTypeString(options: TFRecordOptions | RecordCompression | number | null): RecordCompression {
    if (options instanceof TFRecordOptions) return options.compressionType;
    return new TFRecordOptions(options as RecordCompression).compressionType;
  }
}

type RecordOptions = TFRecordOptions | RecordCompression | null;

/** Writes records: `writer.write(example.SerializeToString())`, and at the end `await writer.close()`. TF: tf.io.TFRecordWriter. */
export class TFRecordWriter extends RecordWriter {
  constructor(path: string, options: RecordOptions = null) {
    super(files, path, TFRecordOptions.getCompressionTypeString(options));
  }
}

/** The records of a file, in order. @throws DataLossError at the offset of damage. TF: tf.io.tf_record_iterator. */
export async function* tfRecordIterator(path: string, options: RecordOptions = null): AsyncGenerator<Uint8Array> {
  const source = await files.open(path);
  try {
    yield* readRecords(source, TFRecordOptions.getCompressionTypeString(options));
  } finally {
    await source.close();
  }
}
