// Nodes of tf.data that begin a pipeline: tensors, ranges, generators, files. What they do is data/dataset-memory.ts.

import { files } from "#platform";
import { DataLossError, InternalError, InvalidArgumentError } from "../../base/errors.ts";
import { readFile } from "../../base/files.ts";
import { NDArray } from "../../base/ndarray.ts";
import { linesOf } from "../../formats/lines.ts";
import { plainSource, readRecords } from "../../formats/records.ts";
import * as attr from "../../graph/attributes.ts";
import { defineOp } from "../../graph/op-definition.ts";
import { need } from "../arguments.ts";
import {
  anyTypes,
  common,
  componentAttrs,
  elementAttrs,
  handleOutput,
  made,
  metadata,
  numberOf,
  scalarInputs,
  textOf,
  wrap,
} from "./dataset-fields.ts";
import { callOf } from "./dataset-functions.ts";
import * as memory from "./dataset-memory.ts";
import * as hostDataset from "./host-dataset.ts";
import { rowOf } from "./rows.ts";

/** One element. */
export const TensorDataset = defineOp("TensorDataset", {
  inputs: { components: "Toutput_types" },
  outputs: handleOutput,
  attrs: { ...componentAttrs, metadata },
  stateful: true,
  ...made,
  host: ({ components }) => wrap(hostDataset.listOf([components])),
});

/** An element for each slice along the first axis. */
export const TensorSliceDataset = defineOp("TensorSliceDataset", {
  inputs: { components: "Toutput_types" },
  outputs: handleOutput,
  attrs: { ...componentAttrs, isFiles: attr.bool(false), metadata, replicateOnSplit: attr.bool(false) },
  stateful: true,
  ...made,
  host: ({ components }) => {
    const count = components[0].shape[0] ?? 0;
    for (const { shape } of components) {
      if (shape.length === 0) throw new InvalidArgumentError("All components must be at least 1-dimensional");
      if (shape[0] !== count) throw new InvalidArgumentError("All components must have the same size in the 0th dimension");
    }
    return wrap(
      hostDataset.generated(count, function* () {
        for (let i = 0; i < count; i++) yield components.map(component => rowOf(component, i));
      }),
    );
  },
});

/** Indices, values and shape of each row of a sparse tensor. */
export const SparseTensorSliceDataset = defineOp("SparseTensorSliceDataset", {
  inputs: { indices: "int64", values: "Tvalues", denseShape: "int64" },
  outputs: handleOutput,
  attrs: { Tvalues: attr.type() },
  stateful: true,
  ...made,
  host: ({ indices, values, denseShape }) => wrap(memory.sparseRows(indices, values, denseShape)),
});

export const RangeDataset = defineOp("RangeDataset", {
  inputs: { start: "int64", stop: "int64", step: "int64" },
  outputs: handleOutput,
  attrs: { ...common, replicateOnSplit: attr.bool(false) },
  stateful: true,
  ...made,
  shape: scalarInputs("start", "stop", "step"),
  host: ({ start, stop, step, outputTypes }) => {
    for (const [name, { rank }] of Object.entries({ start, stop, step })) need(rank === 0, () => `${name} must be a scalar`);
    const [first, end, by] = [start, stop, step].map(array => array.get(0) as bigint);
    if (by === 0n) throw new InvalidArgumentError("step must be a non-zero integer.");
    const isEmpty = by > 0n ? first >= end : first <= end;
    const isEndless = end === (by > 0n ? 2n ** 63n - 1n : -(2n ** 63n));
    const count = isEmpty ? 0 : isEndless ? hostDataset.infinite : Number((end - first - (by > 0n ? 1n : -1n)) / by) + 1;
    return wrap(
      hostDataset.generated(count, function* () {
        for (let i = first; by > 0n ? i < end : i > end; i += by) yield [NDArray.full("int64", [], i).cast(outputTypes[0])];
      }),
    );
  },
});

/** Numbers of 32 bits for ever. */
export const RandomDataset = defineOp("RandomDataset", {
  inputs: { seed: "int64", seed2: "int64" },
  outputs: handleOutput,
  attrs: common,
  stateful: true,
  ...made,
  host: ({ seed, seed2 }) => wrap(randomNumbers(seed, seed2)),
});

/** The same numbers in each iteration, or, if it rerandomizes, those of a stream that the iteration before has moved on. */
export function randomNumbers(seed: NDArray, seed2: NDArray, rerandomizes = false): hostDataset.HostDataset {
  const [first, second] = memory.chosenSeeds(seed.get(0) as bigint, seed2.get(0) as bigint);
  const parent = memory.seeded(first, second);
  return hostDataset.generated(hostDataset.infinite, function* () {
    const stream = rerandomizes ? memory.seeded(BigInt(parent.word()), BigInt(parent.word())) : memory.seeded(first, second);
    for (;;) yield [NDArray.full("int64", [], BigInt(stream.word()))];
  });
}

/** What functions of the graph give: a state from the first, elements of it from the second until it says OutOfRange, and the third at the end. */
export const GeneratorDataset = defineOp("GeneratorDataset", {
  inputs: { initFuncOtherArgs: "Tinit_func_args", nextFuncOtherArgs: "Tnext_func_args", finalizeFuncOtherArgs: "Tfinalize_func_args" },
  outputs: handleOutput,
  attrs: {
    initFunc: attr.func(),
    nextFunc: attr.func(),
    finalizeFunc: attr.func(),
    Tinit_func_args: anyTypes,
    Tnext_func_args: anyTypes,
    Tfinalize_func_args: anyTypes,
    ...common,
  },
  stateful: true,
  ...made,
  host: ({ initFunc, initFuncOtherArgs, nextFunc, nextFuncOtherArgs, finalizeFunc, finalizeFuncOtherArgs }, { op }) =>
    wrap(
      memory.ofFunctions(
        callOf(op, initFunc, "initFuncOtherArgs", initFuncOtherArgs),
        callOf(op, nextFunc, "nextFuncOtherArgs", nextFuncOtherArgs),
        callOf(op, finalizeFunc, "finalizeFuncOtherArgs", finalizeFuncOtherArgs),
      ),
    ),
});

// ---- files ----

const fileInputs = { filenames: "string", compressionType: "string", bufferSize: "int64" } as const;

/** Strings of files one after the other. */
const ofFiles = (
  filenames: NDArray,
  open: (path: string, i: number) => Promise<AsyncIterable<Uint8Array> | Iterable<Uint8Array>>,
): NDArray =>
  wrap(
    hostDataset.ofFiles(filenames.size, async i => {
      const strings = await open(textOf(filenames, i), i);
      return (async function* () {
        for await (const bytes of strings) yield [new NDArray("string", [], [bytes])];
      })();
    }),
  );

/** @throws InvalidArgumentError for another compression than the two. */
export function refuseCompression(compression: string, text: string): void {
  if (!["", "GZIP", "ZLIB"].includes(compression))
    throw new InvalidArgumentError(`${text}\n\nIt is "", "GZIP" or "ZLIB", but "${compression}" was given.`);
}
const unsupported = "Unsupported compression_type.";

async function recordsOf(path: string, compression: string, from: number): Promise<AsyncIterable<Uint8Array>> {
  const source = await files.open(path);
  return (async function* () {
    try {
      // What is no compression is none: TensorFlow's reader says so in its log alone.
      yield* readRecords(source, compression === "GZIP" || compression === "ZLIB" ? compression : "", from);
    } finally {
      await source.close();
    }
  })();
}

export const TFRecordDataset = defineOp("TFRecordDataset", {
  inputs: fileInputs,
  outputs: handleOutput,
  attrs: { metadata },
  stateful: true,
  ...made,
  host: ({ filenames, compressionType }) => ofFiles(filenames, path => recordsOf(path, textOf(compressionType), 0)),
});

/** The same, beginning in each file at an offset. */
export const TFRecordDatasetV2 = defineOp("TFRecordDatasetV2", {
  inputs: { ...fileInputs, byteOffsets: "int64" },
  outputs: handleOutput,
  attrs: { metadata },
  stateful: true,
  ...made,
  host: ({ filenames, compressionType, byteOffsets }) => {
    if (byteOffsets.size !== 0 && byteOffsets.size !== filenames.size)
      throw new InvalidArgumentError("`byte_offsets` must be of same size as `filenames`");
    return ofFiles(filenames, (path, i) =>
      recordsOf(path, textOf(compressionType), byteOffsets.size === 0 ? 0 : Number(byteOffsets.get(i))),
    );
  },
});

export const TextLineDataset = defineOp("TextLineDataset", {
  inputs: fileInputs,
  outputs: handleOutput,
  attrs: { metadata },
  stateful: true,
  ...made,
  host: ({ filenames, compressionType }) => {
    const compression = textOf(compressionType);
    refuseCompression(compression, unsupported);
    return ofFiles(filenames, async path => {
      const bytes = await plainBytesOf(path, compression);
      return (function* () {
        for (const line of linesOf(bytes, { dropsReturns: true })) yield line.slice();
      })();
    });
  },
});

export async function plainBytesOf(path: string, compression: string): Promise<Uint8Array> {
  if (compression === "") return readFile(files, path);
  const source = await files.open(path);
  try {
    const plain = await plainSource(source, compression);
    return await plain.read(0, plain.size);
  } finally {
    await source.close();
  }
}

const recordInputs = {
  filenames: "string",
  headerBytes: "int64",
  recordBytes: "int64",
  footerBytes: "int64",
  bufferSize: "int64",
} as const;

interface RecordSizes {
  readonly headerBytes: NDArray;
  readonly recordBytes: NDArray;
  readonly footerBytes: NDArray;
}

/** Records of one size between what a file begins and ends with. */
function fixedRecords(filenames: NDArray, { headerBytes, recordBytes, footerBytes }: RecordSizes, compression: string): NDArray {
  const [header, size, footer] = [headerBytes, recordBytes, footerBytes].map(numberOf);
  if (header < 0) throw new InvalidArgumentError("`header_bytes` must be >= 0");
  if (size <= 0) throw new InvalidArgumentError("`record_bytes` must be > 0");
  if (footer < 0) throw new InvalidArgumentError("`footer_bytes` must be >= 0");
  refuseCompression(compression, unsupported);
  const refused = (path: string, body: bigint): string =>
    `Excluding the header (${header} bytes) and footer (${footer} bytes), input file "${path}" has body length ${BigInt.asUintN(64, body)} bytes, which is not an exact multiple of the record length (${size} bytes).`;
  return ofFiles(filenames, async path => {
    const bytes = await plainBytesOf(path, compression);
    const body = bytes.length - header - footer;
    const isWhole = BigInt.asUintN(64, BigInt(body)) % BigInt(size) === 0n;
    // How long a compressed file is shows at its end.
    if (!isWhole && compression === "") throw new InvalidArgumentError(refused(path, BigInt(body)));
    return (function* () {
      let at = header;
      if (header > bytes.length)
        throw new InternalError(
          `Iterator "FixedLengthRecordV2" returned \`OutOfRange\`. This indicates an implementation error as \`OutOfRange\` errors are not expected to be returned here.\n\n"${path}" ends within its header of ${header} bytes.`,
        );
      for (; at + size <= header + body; at += size) yield bytes.slice(at, at + size);
      if (!isWhole) throw new DataLossError(refused(path, BigInt(body)));
    })();
  });
}

export const FixedLengthRecordDataset = defineOp("FixedLengthRecordDataset", {
  inputs: recordInputs,
  outputs: handleOutput,
  attrs: { metadata },
  stateful: true,
  ...made,
  host: ({ filenames, ...sizes }) => fixedRecords(filenames, sizes, ""),
});

export const FixedLengthRecordDatasetV2 = defineOp("FixedLengthRecordDatasetV2", {
  inputs: { ...recordInputs, compressionType: "string" },
  outputs: handleOutput,
  attrs: { metadata },
  stateful: true,
  ...made,
  host: ({ filenames, compressionType, ...sizes }) => fixedRecords(filenames, sizes, textOf(compressionType)),
});

/** The elements that tensors are, one component after the other. */
export const ListDataset = defineOp("ListDataset", {
  inputs: { tensors: "Tinput_types" },
  outputs: handleOutput,
  attrs: { Tinput_types: attr.types(undefined, { minimum: 1 }), ...elementAttrs, metadata },
  stateful: true,
  ...made,
  host: ({ tensors, outputTypes }) => {
    const width = outputTypes.length;
    const count = tensors.length / width;
    return wrap(hostDataset.listOf(Array.from({ length: count }, (_, i) => tensors.slice(i * width, (i + 1) * width))));
  },
});
