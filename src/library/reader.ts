// Readers as TensorFlow's classes: records of files whose names come from a queue. TF: tf.ReaderBase and its kin.

import type { TensorLike } from "../graph/conversion.ts";
import type { Named } from "../graph/op-definition.ts";
import type { Operation, Tensor } from "../graph/operation.ts";
import { type NameOption, named } from "../ops/named.ts";
import {
  FixedLengthRecordReaderV2,
  IdentityReaderV2,
  ReaderNumRecordsProducedV2,
  ReaderNumWorkUnitsCompletedV2,
  ReaderReadUpToV2,
  ReaderReadV2,
  ReaderResetV2,
  ReaderRestoreStateV2,
  ReaderSerializeStateV2,
  TextLineReaderV2,
  TFRecordReaderV2,
  WholeFileReaderV2,
} from "../ops/data/reader.ts";
import { QueueBase } from "./queue.ts";
import { refuseOthers } from "../ops/arguments.ts";

/** A queue of file names, or its handle. */
type QueueLike = QueueBase | Tensor;
const handleOf = (queue: QueueLike): Tensor => (queue instanceof QueueBase ? queue.queueRef : queue);

/** What all readers can do. TF: tf.ReaderBase. */
export class ReaderBase {
  readonly readerRef: Tensor;
  readonly supportsSerialize: boolean;

  constructor(readerRef: Tensor, { supportsSerialize = false, ...others }: { readonly supportsSerialize?: boolean } = {}) {
    refuseOthers(others);
    this.readerRef = readerRef;
    this.supportsSerialize = supportsSerialize;
  }

  /** The next record and its key, of the next file of the queue where one ends. @throws OutOfRangeError (running) when the queue is closed and empty. */
  read(queue: QueueLike, options?: NameOption): readonly [key: Tensor, value: Tensor] {
    const { key, value } = ReaderReadV2({ readerHandle: this.readerRef, queueHandle: handleOf(queue) }, named(options));
    return [key, value];
  }

  /** Up to `numRecords` records of one file. */
  readUpTo(queue: QueueLike, numRecords: TensorLike, options?: NameOption): readonly [keys: Tensor, values: Tensor] {
    const { keys, values } = ReaderReadUpToV2({ readerHandle: this.readerRef, queueHandle: handleOf(queue), numRecords }, named(options));
    return [keys, values];
  }

  /** How many records were read, int64. */
  numRecordsProduced(options?: NameOption): Tensor {
    return ReaderNumRecordsProducedV2({ readerHandle: this.readerRef }, named(options));
  }

  /** How many files were read to their ends, int64. */
  numWorkUnitsCompleted(options?: NameOption): Tensor {
    return ReaderNumWorkUnitsCompletedV2({ readerHandle: this.readerRef }, named(options));
  }

  /** The state as bytes. @throws UnimplementedError (running) for readers that are inside of a file. */
  serializeState(options?: NameOption): Tensor {
    return ReaderSerializeStateV2({ readerHandle: this.readerRef }, named(options));
  }

  restoreState(state: TensorLike, options?: NameOption): Operation {
    return ReaderRestoreStateV2({ readerHandle: this.readerRef, state }, named(options));
  }

  /** Back to the state at the beginning. */
  reset(options?: NameOption): Operation {
    return ReaderResetV2({ readerHandle: this.readerRef }, named(options));
  }
}

/** Each file is one record, with its name as the key. TF: tf.WholeFileReader. */
export class WholeFileReader extends ReaderBase {
  constructor({ name, ...others }: Named = {}) {
    refuseOthers(others);
    super(WholeFileReaderV2({}, { name }), { supportsSerialize: true });
  }
}

/** Each line is a record, without its end; keys are `file:line`. TF: tf.TextLineReader. */
export class TextLineReader extends ReaderBase {
  constructor({ skipHeaderLines, name, ...others }: Named & { readonly skipHeaderLines?: number | null } = {}) {
    refuseOthers(others);
    super(TextLineReaderV2({ skipHeaderLines: skipHeaderLines ?? 0 }, { name }));
  }
}

interface FixedLengthOptions extends Named {
  readonly headerBytes?: number | null;
  readonly footerBytes?: number | null;
  /** From one record to the next; 0: the length of a record. */
  readonly hopBytes?: number | null;
  /** "", "ZLIB" or "GZIP". */
  readonly encoding?: string | null;
}

/** Records of one length; keys are `file:number`. TF: tf.FixedLengthRecordReader. */
export class FixedLengthRecordReader extends ReaderBase {
  constructor(recordBytes: number, { headerBytes, footerBytes, hopBytes, name, encoding, ...others }: FixedLengthOptions = {}) {
    refuseOthers(others);
    super(
      FixedLengthRecordReaderV2(
        {
          recordBytes,
          headerBytes: headerBytes ?? 0,
          footerBytes: footerBytes ?? 0,
          hopBytes: hopBytes ?? 0,
          encoding: encoding ?? "",
        },
        { name },
      ),
    );
  }
}

interface RecordReaderOptions extends Named {
  readonly options?: { readonly compressionType: string } | string | null;
}

/** Records of TFRecord files; keys are `file:offset`. TF: tf.TFRecordReader. */
export class TFRecordReader extends ReaderBase {
  constructor({ name, options = null, ...others }: RecordReaderOptions = {}) {
    refuseOthers(others);
    super(TFRecordReaderV2({ compressionType: typeof options === "string" ? options : (options?.compressionType ?? "") }, { name }));
  }
}

/** Each name of the queue is a record itself. TF: tf.IdentityReader. */
export class IdentityReader extends ReaderBase {
  constructor({ name, ...others }: Named = {}) {
    refuseOthers(others);
    super(IdentityReaderV2({}, { name }), { supportsSerialize: true });
  }
}
