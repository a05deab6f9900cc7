// Datasets of what files hold. TF: tf.data.TFRecordDataset and its kin.

import { TensorShape } from "../../base/shape.ts";
import { convertToTensor, type TensorLike } from "../../graph/conversion.ts";
import type { Named } from "../../graph/op-definition.ts";
import type { Tensor } from "../../graph/operation.ts";
import { reshape } from "../../ops/array/array.ts";
import { LegacyParallelInterleaveDatasetV2 } from "../../ops/data/dataset.ts";
import * as sources from "../../ops/data/dataset-sources.ts";
import { AUTOTUNE, Dataset, elementsOf, functionOf } from "./dataset.ts";
import { ComponentSpec, typesAndShapes } from "./element-spec.ts";

interface FileOptions extends Named {
  /** "GZIP", "ZLIB", or "" for none. */
  readonly compressionType?: TensorLike | null;
  readonly bufferSize?: TensorLike | null;
  /** So many files in turn, a record of each; one after the other without it. */
  readonly numParallelReads?: number | null;
}

const bytes = new ComponentSpec("string", new TensorShape([]));
const text = (value: TensorLike | null | undefined, name: string): Tensor => convertToTensor(value ?? "", { dtype: "string", name });
const int64 = (value: TensorLike, name: string): Tensor => convertToTensor(value, { dtype: "int64", name });
const bufferBytes = 256 * 1024;

/** What `read` gives of each file. */
function ofFiles(filenames: TensorLike | Dataset, { numParallelReads = null }: FileOptions, read: (file: Tensor) => Tensor): Dataset {
  const files = filenames instanceof Dataset ? filenames : filesOf(filenames);
  const named = { name: "read_one_file" };
  const readOne = (file: Tensor): Dataset => new Dataset(read(file), bytes);
  if (numParallelReads === null) return files.flatMap(Object.defineProperty(readOne, "name", { value: named.name }));
  const what = "tf_data_experimental_parallel_interleave";
  const { f, otherArguments, spec } = functionOf(what, named, [bytes], ([file]) => readOne(file));
  const inputs = {
    inputDataset: files.variantTensor,
    otherArguments,
    cycleLength: int64(numParallelReads === AUTOTUNE ? 1 : numParallelReads, "cycle_length"),
    blockLength: int64(1, "block_length"),
    bufferOutputElements: int64(2, "buffer_output_elements"),
    prefetchInputElements: int64(numParallelReads === AUTOTUNE ? 1 : 2 * numParallelReads, "prefetch_input_elements"),
  };
  const elementSpec = elementsOf(spec, "parallel_interleave");
  const attrs = { f, deterministic: "true", ...typesAndShapes(elementSpec) };
  return new Dataset(LegacyParallelInterleaveDatasetV2({ ...inputs, ...attrs }), elementSpec);
}

const filesOf = (filenames: TensorLike): Dataset => {
  const components = [reshape(convertToTensor(filenames, { dtype: "string" }), [-1], { name: "flat_filenames" })];
  return new Dataset(sources.TensorSliceDataset({ components, outputShapes: [new TensorShape([])], isFiles: true }), bytes);
};

/** What one of the two readers without further settings makes of files. */
const ofPlainFiles = (
  source: typeof sources.TFRecordDataset | typeof sources.TextLineDataset,
  filenames: TensorLike | Dataset,
  options: FileOptions,
): Dataset =>
  ofFiles(filenames, options, file =>
    source({
      filenames: file,
      compressionType: text(options.compressionType, "compression_type"),
      bufferSize: int64(options.bufferSize ?? bufferBytes, "buffer_size"),
    }),
  );

/** The records of TFRecord files: string scalars. TF: tf.data.TFRecordDataset. */
export class TFRecordDataset extends Dataset {
  constructor(filenames: TensorLike | Dataset, options: FileOptions = {}) {
    const { variantTensor, elementSpec } = ofPlainFiles(sources.TFRecordDataset, filenames, options);
    super(variantTensor, elementSpec);
  }
}

/** The lines of text files, without their ends: string scalars. TF: tf.data.TextLineDataset. */
export class TextLineDataset extends Dataset {
  constructor(filenames: TensorLike | Dataset, options: FileOptions = {}) {
    const { variantTensor, elementSpec } = ofPlainFiles(sources.TextLineDataset, filenames, options);
    super(variantTensor, elementSpec);
  }
}

interface FixedLengthOptions extends FileOptions {
  readonly headerBytes?: TensorLike | null;
  readonly footerBytes?: TensorLike | null;
}

/** Records of `recordBytes` each, between a header and a footer of files: string scalars. TF: tf.data.FixedLengthRecordDataset.
 *  @throws InvalidArgumentError while running, where a file holds no whole number of records. */
export class FixedLengthRecordDataset extends Dataset {
  constructor(filenames: TensorLike | Dataset, recordBytes: TensorLike, options: FixedLengthOptions = {}) {
    const size = int64(recordBytes, "record_bytes");
    const header = int64(options.headerBytes ?? 0, "header_bytes");
    const footer = int64(options.footerBytes ?? 0, "footer_bytes");
    const buffer = int64(options.bufferSize ?? bufferBytes, "buffer_size");
    const compressionType = text(options.compressionType, "compression_type");
    const { variantTensor, elementSpec } = ofFiles(filenames, options, file =>
      sources.FixedLengthRecordDatasetV2({
        filenames: file,
        headerBytes: header,
        recordBytes: size,
        footerBytes: footer,
        bufferSize: buffer,
        compressionType,
      }),
    );
    super(variantTensor, elementSpec);
  }
}
