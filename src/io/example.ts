// tf.train.Example and what it is made of, and TFRecord files of them, under TensorFlow's names. The bytes are formats/records.ts's business.

import { files } from "#platform";
import { messageClass, type MessageObject } from "../formats/message-class.ts";
import { compressionOf, readRecords, type RecordCompression, RecordWriter } from "../formats/records.ts";
import { collect } from "../ops/arguments.ts";

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

type CompressionType = RecordCompression | 0 | 1 | 2 | null;

export interface TFRecordSettings {
  readonly compressionType?: CompressionType;
  readonly flushMode?: number | null;
  readonly inputBufferSize?: number | null;
  readonly outputBufferSize?: number | null;
  readonly windowBits?: number | null;
  readonly compressionLevel?: number | null;
  readonly compressionMethod?: number | null;
  readonly memLevel?: number | null;
  readonly compressionStrategy?: number | null;
}

const optionNames = [
  "compressionType",
  ...[
    "flushMode",
    "inputBufferSize",
    "outputBufferSize",
    "windowBits",
    "compressionLevel",
    "compressionMethod",
    "memLevel",
    "compressionStrategy",
  ],
];

/** `new tf.io.TFRecordOptions("GZIP")`, or by name. Settings of zlib are kept and have no effect: they change a file's bytes, not its records. TF: tf.io.TFRecordOptions. */
export class TFRecordOptions {
  readonly compressionType: RecordCompression;
  readonly flushMode: number | null;
  readonly inputBufferSize: number | null;
  readonly outputBufferSize: number | null;
  readonly windowBits: number | null;
  readonly compressionLevel: number | null;
  readonly compressionMethod: number | null;
  readonly memLevel: number | null;
  readonly compressionStrategy: number | null;
  constructor(...given: [(CompressionType | TFRecordSettings)?, ...(number | null | TFRecordSettings)[]]) {
    const settings = collect<TFRecordSettings>(optionNames, given);
    const { compressionType = "" } = settings;
    this.compressionType = typeof compressionType === "number" ? compressionNames[compressionType] : (compressionType ?? "");
    compressionOf(this.compressionType);
    this.flushMode = settings.flushMode ?? null;
    this.inputBufferSize = settings.inputBufferSize ?? null;
    this.outputBufferSize = settings.outputBufferSize ?? null;
    this.windowBits = settings.windowBits ?? null;
    this.compressionLevel = settings.compressionLevel ?? null;
    this.compressionMethod = settings.compressionMethod ?? null;
    this.memLevel = settings.memLevel ?? null;
    this.compressionStrategy = settings.compressionStrategy ?? null;
  }

  /** The names of the compressions by their numbers. */
  static readonly compressionTypeMap: Readonly<Record<number, RecordCompression>> = { ...compressionNames };

  static getCompressionTypeString(options: TFRecordOptions | RecordCompression | number | null): RecordCompression {
    if (options instanceof TFRecordOptions) return options.compressionType;
    return new TFRecordOptions(options as RecordCompression).compressionType;
  }
}

type RecordOptions = TFRecordOptions | RecordCompression | null;
type OptionsArgument = RecordOptions | { readonly options?: RecordOptions };

const compressionGiven = (given: OptionsArgument): RecordCompression =>
  TFRecordOptions.getCompressionTypeString(collect<{ options: RecordOptions }>(["options"], [given]).options ?? null);

/** Writes records: `writer.write(example.SerializeToString())`, and at the end `await writer.close()`, or `await using`. TF: tf.io.TFRecordWriter. */
export class TFRecordWriter extends RecordWriter {
  constructor(path: string, options: OptionsArgument = null) {
    super(files, path, compressionGiven(options));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** The records of a file, in order. @throws DataLossError at the offset of damage. TF: tf.io.tf_record_iterator. */
export async function* tfRecordIterator(path: string, options: OptionsArgument = null): AsyncGenerator<Uint8Array> {
  const compression = compressionGiven(options);
  const source = await files.open(path);
  try {
    yield* readRecords(source, compression);
  } finally {
    await source.close();
  }
}
