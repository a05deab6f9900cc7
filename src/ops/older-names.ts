// Ops that are others under an older name, as graphs of the first versions of TensorFlow hold them: linear algebra on batches, queues, tables and stacks
// whose handles were references to strings, segments, convolutions of volumes, the first way to change an image's contrast.

import type { DType } from "../base/dtype.ts";
import { FailedPreconditionError, InvalidArgumentError } from "../base/errors.ts";
import type { NDArray } from "../base/ndarray.ts";
import { TensorShape } from "../base/shape.ts";
import * as attr from "../graph/attributes.ts";
import {
  WholeFileReaderV2,
  TextLineReaderV2,
  TFRecordReaderV2,
  FixedLengthRecordReaderV2,
  IdentityReaderV2,
  ReaderReadV2,
  ReaderReadUpToV2,
  ReaderNumRecordsProducedV2,
  ReaderNumWorkUnitsCompletedV2,
  ReaderSerializeStateV2,
  ReaderRestoreStateV2,
  ReaderResetV2,
} from "./data/reader.ts";
import { defineOp, type OpDefinition, renameOp, type UntypedOp } from "../graph/op-definition.ts";
import * as ir from "../ir/build.ts";
import { addIndex, constantIndex, dataIndex } from "../ir/index-map.ts";
import { loadScalar, s } from "../ir/scalar.ts";
import { numbersOf } from "./array/array.ts";
import { MatrixBandPart, MatrixDiag, MatrixDiagPart, MatrixSetDiag } from "./array/matrix.ts";
import { StackCloseV2, StackPopV2, StackPushV2, StackV2 } from "./flow/control-flow.ts";
import { withContrast } from "./image/image.ts";
import {
  Cholesky,
  eigenPairs,
  MatrixDeterminant,
  MatrixInverse,
  MatrixSolve,
  MatrixSolveLs,
  MatrixTriangularSolve,
  SelfAdjointEigV2,
  squareShape,
  Svd,
} from "./linalg/linalg.ts";
import { CholeskyGrad } from "./linalg/functions.ts";
import {
  HashTableV2,
  InitializeTableV2,
  LookupTableExportV2,
  LookupTableFindV2,
  LookupTableImportV2,
  LookupTableInsertV2,
  LookupTableSizeV2,
  markedTable,
  MutableDenseHashTableV2,
  MutableHashTableOfTensorsV2,
  MutableHashTableV2,
} from "./data/lookup.ts";
import { InitializeTableFromTextFileV2 } from "./data/lookup-files.ts";
import { FFT, FFT2D, FFT3D, IFFT, IFFT2D, IFFT3D } from "./signal/fft.ts";
import { UnsortedSegmentMax, UnsortedSegmentMin, UnsortedSegmentProd, UnsortedSegmentSum } from "./math/segment.ts";
import { volumeFilterGradient, volumeInputGradient } from "./nn/convolution.ts";
import {
  FIFOQueueV2,
  PaddingFIFOQueueV2,
  PriorityQueueV2,
  QueueCloseV2,
  QueueDequeueManyV2,
  QueueDequeueUpToV2,
  QueueDequeueV2,
  QueueEnqueueManyV2,
  QueueEnqueueV2,
  QueueIsClosedV2,
  QueueSizeV2,
  RandomShuffleQueueV2,
} from "./data/queue.ts";
import { takeBlocks } from "./random/random.ts";
import { PhiloxStream } from "./random/philox.ts";

// ---- matrices in batches ----

/** With other types for T, and gone since version 13. */
const typed = (type: string, of: OpDefinition, types: readonly DType[], replacement = type.slice("Batch".length)): UntypedOp =>
  renameOp(type, of, { attrs: { ...of.attrs, T: attr.type(types) }, removed: [13, `Use ${replacement} instead.`] });
/** Gone since a version, for another. */
const useInstead = (version: number, of: string): Pick<OpDefinition, "removed"> => ({ removed: [version, `Use ${of}`] });
const doubles = ["float64", "float32"] as const;

export const BatchCholesky = typed("BatchCholesky", Cholesky, doubles);
export const BatchCholeskyGrad = typed("BatchCholeskyGrad", CholeskyGrad, ["float32", "float64"]);
export const BatchMatrixDeterminant = typed("BatchMatrixDeterminant", MatrixDeterminant, ["float32", "float64", "complex64", "complex128"]);
export const BatchMatrixInverse = typed("BatchMatrixInverse", MatrixInverse, doubles);
export const BatchMatrixSolve = typed("BatchMatrixSolve", MatrixSolve, doubles);
export const BatchMatrixTriangularSolve = typed("BatchMatrixTriangularSolve", MatrixTriangularSolve, doubles);
export const BatchMatrixSolveLs = typed("BatchMatrixSolveLs", MatrixSolveLs, doubles);
export const BatchSelfAdjointEigV2 = typed("BatchSelfAdjointEigV2", SelfAdjointEigV2, doubles);
export const BatchSvd = typed("BatchSvd", Svd, ["float64", "float32", "complex64", "complex128"]);
export const BatchMatrixBandPart = renameOp("BatchMatrixBandPart", MatrixBandPart, {
  inputs: { input: "T", numLower: "int64", numUpper: "int64" },
  attrs: { T: attr.type() },
  ...useInstead(14, "MatrixBandPart"),
});
export const BatchMatrixDiag = renameOp("BatchMatrixDiag", MatrixDiag, useInstead(14, "MatrixDiag"));
export const BatchMatrixDiagPart = renameOp("BatchMatrixDiagPart", MatrixDiagPart, useInstead(14, "MatrixDiagPart"));
export const BatchMatrixSetDiag = renameOp("BatchMatrixSetDiag", MatrixSetDiag, useInstead(14, "MatrixSetDiag"));

const transform = (of: OpDefinition): UntypedOp =>
  renameOp(`Batch${of.type}`, of, {
    inputs: { input: "complex64" },
    outputs: { output: "complex64" },
    attrs: {},
    ...useInstead(15, of.type),
  });
export const BatchFFT = transform(FFT);
export const BatchIFFT = transform(IFFT);
export const BatchFFT2D = transform(FFT2D);
export const BatchIFFT2D = transform(IFFT2D);
export const BatchFFT3D = transform(FFT3D);
export const BatchIFFT3D = transform(IFFT3D);

/** Eigenvalues as the first row, above the eigenvectors. */
export const SelfAdjointEig = defineOp("SelfAdjointEig", {
  inputs: { input: "T" },
  outputs: { output: "T" },
  attrs: { T: attr.type(["float64", "float32", "float16"]) },
  removed: [11, "Use SelfAdjointEigV2 instead."],
  shape: ({ input }) => {
    const { dims } = squareShape(input);
    if (dims === null) return TensorShape.unknown();
    const rows = dims[dims.length - 2];
    return new TensorShape([...dims.slice(0, -2), rows === null ? null : rows + 1, dims[dims.length - 1]]);
  },
  lower: ({ input }) => {
    const [e, v] = eigenPairs(input, true);
    const row = ir.reshape(e, [...e.shape.slice(0, -1), 1, ...e.shape.slice(-1)]);
    return ir.concat([row, v], v.shape.length - 2);
  },
});
export const BatchSelfAdjointEig = renameOp("BatchSelfAdjointEig", SelfAdjointEig, { attrs: { T: attr.type(doubles) } });

// ---- segments ----

const segments = (type: string, of: OpDefinition): UntypedOp =>
  renameOp(type, of, { attrs: { ...of.attrs, Tindices: attr.type(attr.indexTypes) } });
export const SegmentSumV2 = segments("SegmentSumV2", UnsortedSegmentSum);
export const SegmentProdV2 = segments("SegmentProdV2", UnsortedSegmentProd);
export const SegmentMaxV2 = segments("SegmentMaxV2", UnsortedSegmentMax);
export const SegmentMinV2 = segments("SegmentMinV2", UnsortedSegmentMin);

// ---- convolutions of volumes, and images ----

const volumes = ["float16", "float32", "float64"] as const;
const volumeFields = {
  outputs: { output: "T" },
  attrs: {
    T: attr.type(volumes),
    strides: attr.ints(undefined, 5),
    padding: attr.oneOf(["SAME", "VALID"]),
    dilations: attr.ints([1, 1, 1, 1, 1]),
  },
} as const;

/** The gradient of Conv3D with respect to an input that is there to tell its shape. */
export const Conv3DBackpropInput = defineOp("Conv3DBackpropInput", {
  inputs: { input: "T", filter: "T", outBackprop: "T" },
  ...volumeFields,
  removed: [10, "Use Conv3DBackpropInputV2"],
  shape: ({ input }) => input.withRank(5),
  lower: ({ input, filter, outBackprop, ...w }) => volumeInputGradient(input, filter, outBackprop, w),
});

/** The same with respect to a filter. */
export const Conv3DBackpropFilter = defineOp("Conv3DBackpropFilter", {
  inputs: { input: "T", filter: "T", outBackprop: "T" },
  ...volumeFields,
  removed: [10, "Use Conv3DBackpropFilterV2"],
  shape: ({ filter }) => filter.withRank(5),
  lower: ({ input, filter, outBackprop, ...w }) => volumeFilterGradient(input, filter, outBackprop, w),
});

/** Each channel of each image pulled towards or away from its mean, and then brought into a range. */
export const AdjustContrast = defineOp("AdjustContrast", {
  inputs: { images: "T", contrastFactor: "float32", minValue: "float32", maxValue: "float32" },
  outputs: { output: "float32" },
  attrs: { T: attr.type(["uint8", "int8", "int16", "int32", "int64", "float32", "float64"]) },
  removed: [2, "Use AdjustContrastv2 instead"],
  shape: ({ images, contrastFactor, minValue, maxValue }) => {
    for (const number of [contrastFactor, minValue, maxValue]) number.withRank(0);
    return images.withRankAtLeast(3);
  },
  lower: ({ images, contrastFactor, minValue, maxValue }) =>
    ir.map((x, low, high) => s.max(s.min(x, high), low), withContrast(ir.cast(images, "float32"), contrastFactor), minValue, maxValue),
});

/** A window `[height, width]` of an image at a random place. */
export const RandomCrop = defineOp("RandomCrop", {
  inputs: { image: "T", size: "int64" },
  outputs: { output: "T" },
  attrs: {
    T: attr.type(["uint8", "int8", "int16", "int32", "int64", "float32", "float64"]),
    seed: attr.int(0),
    seed2: attr.int(0),
  },
  stateful: true,
  gradient: "none",
  removed: [8, "Random crop is now pure Python"],
  compileTimeInputs: ["size"],
  shape: ({ image, size }, context) => {
    const channels = image.withRank(3).dim(2);
    size.mergeWith(new TensorShape([2]));
    const known = context.constant("size");
    return new TensorShape([...(known ? numbersOf(known) : [null, null]), channels]);
  },
  lower: ({ image, size, ...w }, context) => {
    const wanted = numbersOf(size);
    for (const [axis, side] of ["height", "width"].entries()) {
      if (wanted[axis] < 0) throw new InvalidArgumentError(`size must be non-negative, got [${wanted}]`);
      if (image.shape[axis] < wanted[axis])
        throw new FailedPreconditionError(
          `${side} must be >= target_${side}: ${side} = ${image.shape[axis]}, target_${side} = ${wanted[axis]}`,
        );
    }
    const room = wanted.map((length, axis) => image.shape[axis] - length + 1);
    const places = (state: NDArray, out: NDArray): void => {
      const stream = new PhiloxStream(state);
      // The column is drawn first.
      for (const axis of [1, 0]) out.set(axis, room[axis] > 1 ? stream.word() % room[axis] : 0);
    };
    const drawn = { dtype: "int32", shape: [2] } as const;
    const [at] = ir.call({ name: "cropPlace", run: ([state], [out]) => places(state, out) }, [takeBlocks(context, w, 1)], [drawn]);
    return ir.generate([...wanted, image.shape[2]], ([y, x, c]) => {
      const moved = [y, x].map((index, axis) => addIndex(index, dataIndex(loadScalar(at, [constantIndex(axis)]), room[axis])));
      return loadScalar(image, [...moved, c]);
    });
  },
});

// ---- handles as references to strings ----

const handleShape = new TensorShape([2]);
const scalar = new TensorShape([]);
const asRefs = (specs: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(specs).map(([name, spec]) => [name, spec === "resource" ? "Ref(string)" : spec]));
/** The gradient is "none", as for the newer one. */
const byRef = (type: string, of: OpDefinition, changes: Partial<OpDefinition> = {}): UntypedOp =>
  renameOp(type, of, {
    inputs: asRefs(of.inputs),
    outputs: asRefs(of.outputs),
    gradient: "none",
    // A reference tells nothing of what its table holds.
    holds: undefined,
    // What reads a reference is never shared or folded; TensorFlow calls stateful what makes one.
    stateful: of.resource !== undefined,
    shape: (record: Readonly<Record<string, unknown>>, context) =>
      of.resource ? handleShape : of.shape({ ...record, handle: scalar, tableHandle: scalar }, context),
    ...changes,
  });
/** TensorFlow looks at no count of these. */
const countless: Partial<OpDefinition> = {
  shape: ({ componentTypes }: { readonly componentTypes: readonly unknown[] }) => componentTypes.map(() => TensorShape.unknown()),
};
export const FIFOQueue = byRef("FIFOQueue", FIFOQueueV2);
export const PaddingFIFOQueue = byRef("PaddingFIFOQueue", PaddingFIFOQueueV2);
export const RandomShuffleQueue = byRef("RandomShuffleQueue", RandomShuffleQueueV2);
export const PriorityQueue = byRef("PriorityQueue", PriorityQueueV2);
export const QueueEnqueue = byRef("QueueEnqueue", QueueEnqueueV2);
export const QueueEnqueueMany = byRef("QueueEnqueueMany", QueueEnqueueManyV2);
export const QueueDequeue = byRef("QueueDequeue", QueueDequeueV2);
export const QueueDequeueMany = byRef("QueueDequeueMany", QueueDequeueManyV2, countless);
export const QueueDequeueUpTo = byRef("QueueDequeueUpTo", QueueDequeueUpToV2, countless);
export const QueueClose = byRef("QueueClose", QueueCloseV2);
export const QueueSize = byRef("QueueSize", QueueSizeV2);
export const QueueIsClosed = byRef("QueueIsClosed", QueueIsClosedV2, { gradient: undefined });

/** The reference that stands for a queue of the newer kind, for readers of the older one. */
export const FakeQueue = defineOp("FakeQueue", {
  inputs: { resource: "resource" },
  outputs: { handle: "Ref(string)" },
  attrs: {},
  stateful: true,
  isCopy: true,
  shape: () => TensorShape.unknown(),
  lower: ({ resource }) => resource,
});

export const WholeFileReader = byRef("WholeFileReader", WholeFileReaderV2);
export const TextLineReader = byRef("TextLineReader", TextLineReaderV2);
export const TFRecordReader = byRef("TFRecordReader", TFRecordReaderV2);
const { encoding: _, ...fixedLengthAttrs } = FixedLengthRecordReaderV2.attrs;
export const FixedLengthRecordReader = byRef("FixedLengthRecordReader", FixedLengthRecordReaderV2, { attrs: fixedLengthAttrs });
export const IdentityReader = byRef("IdentityReader", IdentityReaderV2);
export const ReaderRead = byRef("ReaderRead", ReaderReadV2);
export const ReaderReadUpTo = byRef("ReaderReadUpTo", ReaderReadUpToV2);
export const ReaderNumRecordsProduced = byRef("ReaderNumRecordsProduced", ReaderNumRecordsProducedV2);
export const ReaderNumWorkUnitsCompleted = byRef("ReaderNumWorkUnitsCompleted", ReaderNumWorkUnitsCompletedV2);
export const ReaderSerializeState = byRef("ReaderSerializeState", ReaderSerializeStateV2);
export const ReaderRestoreState = byRef("ReaderRestoreState", ReaderRestoreStateV2);
export const ReaderReset = byRef("ReaderReset", ReaderResetV2);

export const HashTable = byRef("HashTable", HashTableV2);
export const MutableHashTable = byRef("MutableHashTable", MutableHashTableV2);
export const MutableHashTableOfTensors = byRef("MutableHashTableOfTensors", MutableHashTableOfTensorsV2);
const { deletedKey: _deletedKey, ...denseInputs } = MutableDenseHashTableV2.inputs;
/** The first dense table had no key for what was deleted, since nothing could be. */
export const MutableDenseHashTable = byRef("MutableDenseHashTable", MutableDenseHashTableV2, {
  inputs: denseInputs,
  lower: ({ emptyKey }, context) => markedTable(context, emptyKey),
});
export const InitializeTable = byRef("InitializeTable", InitializeTableV2);
export const InitializeTableFromTextFile = byRef("InitializeTableFromTextFile", InitializeTableFromTextFileV2);
export const LookupTableFind = byRef("LookupTableFind", LookupTableFindV2);
export const LookupTableInsert = byRef("LookupTableInsert", LookupTableInsertV2);
export const LookupTableImport = byRef("LookupTableImport", LookupTableImportV2, { gradient: undefined });
export const LookupTableExport = byRef("LookupTableExport", LookupTableExportV2, { gradient: undefined });
export const LookupTableSize = byRef("LookupTableSize", LookupTableSizeV2);

const stackAttrs = { elemType: attr.type(), stackName: attr.string("") };
export const Stack = byRef("Stack", StackV2, { inputs: {}, attrs: stackAttrs, stateful: true, shape: () => handleShape });
export const StackPush = byRef("StackPush", StackPushV2);
export const StackPop = byRef("StackPop", StackPopV2);
export const StackClose = byRef("StackClose", StackCloseV2);
