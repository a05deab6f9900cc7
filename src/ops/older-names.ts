// Ops that are others under an older name, as graphs of the first versions of TensorFlow hold them: linear algebra on batches, queues, tables and stacks
// whose handles were references to strings, segments, convolutions.

import type { DType } from "../base/dtype.ts";
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
} from "./reader.ts";
import { defineOp, type OpDefinition, renameOp, type UntypedOp } from "../graph/op-definition.ts";
import * as ir from "../ir/build.ts";
import { MatrixBandPart, MatrixDiag, MatrixDiagPart, MatrixSetDiag } from "./array-matrix.ts";
import { StackCloseV2, StackPopV2, StackPushV2, StackV2 } from "./control-flow.ts";
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
} from "./linalg.ts";
import {
  HashTableV2,
  InitializeTableV2,
  LookupTableExportV2,
  LookupTableFindV2,
  LookupTableImportV2,
  LookupTableInsertV2,
  LookupTableSizeV2,
  MutableHashTableOfTensorsV2,
  MutableHashTableV2,
} from "./lookup.ts";
import { InitializeTableFromTextFileV2 } from "./lookup-files.ts";
import { FFT, FFT2D, FFT3D, IFFT, IFFT2D, IFFT3D } from "./math-fft.ts";
import { UnsortedSegmentMax, UnsortedSegmentMin, UnsortedSegmentProd, UnsortedSegmentSum } from "./math-segment.ts";
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
} from "./queue.ts";

// ---- matrices in batches ----

/** With other types for T. */
const typed = (type: string, of: OpDefinition, types: readonly DType[]): UntypedOp =>
  renameOp(type, of, { attrs: { ...of.attrs, T: attr.type(types) } });
const doubles = ["float64", "float32"] as const;

export const BatchCholesky = typed("BatchCholesky", Cholesky, doubles);
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
});
export const BatchMatrixDiag = renameOp("BatchMatrixDiag", MatrixDiag);
export const BatchMatrixDiagPart = renameOp("BatchMatrixDiagPart", MatrixDiagPart);
export const BatchMatrixSetDiag = renameOp("BatchMatrixSetDiag", MatrixSetDiag);

const complexFields = { inputs: { input: "complex64" }, outputs: { output: "complex64" }, attrs: {} } as const;
export const BatchFFT = renameOp("BatchFFT", FFT, complexFields);
export const BatchIFFT = renameOp("BatchIFFT", IFFT, complexFields);
export const BatchFFT2D = renameOp("BatchFFT2D", FFT2D, complexFields);
export const BatchIFFT2D = renameOp("BatchIFFT2D", IFFT2D, complexFields);
export const BatchFFT3D = renameOp("BatchFFT3D", FFT3D, complexFields);
export const BatchIFFT3D = renameOp("BatchIFFT3D", IFFT3D, complexFields);

/** Eigenvalues as the first row, above the eigenvectors. */
export const SelfAdjointEig = defineOp("SelfAdjointEig", {
  inputs: { input: "T" },
  outputs: { output: "T" },
  attrs: { T: attr.type(["float64", "float32", "float16"]) },
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
export const BatchSelfAdjointEig = typed("BatchSelfAdjointEig", SelfAdjointEig, doubles);

// ---- segments ----

const segments = (type: string, of: OpDefinition): UntypedOp =>
  renameOp(type, of, { attrs: { ...of.attrs, Tindices: attr.type(attr.indexTypes) } });
export const SegmentSumV2 = segments("SegmentSumV2", UnsortedSegmentSum);
export const SegmentProdV2 = segments("SegmentProdV2", UnsortedSegmentProd);
export const SegmentMaxV2 = segments("SegmentMaxV2", UnsortedSegmentMax);
export const SegmentMinV2 = segments("SegmentMinV2", UnsortedSegmentMin);

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
    // What reads a reference is never shared or folded; TensorFlow calls stateful what makes one.
    stateful: of.resource !== undefined,
    shape: (record: Readonly<Record<string, unknown>>, context) =>
      of.resource ? handleShape : of.shape({ ...record, handle: scalar, tableHandle: scalar }, context),
    ...changes,
  });
export const FIFOQueue = byRef("FIFOQueue", FIFOQueueV2);
export const PaddingFIFOQueue = byRef("PaddingFIFOQueue", PaddingFIFOQueueV2);
export const RandomShuffleQueue = byRef("RandomShuffleQueue", RandomShuffleQueueV2);
export const PriorityQueue = byRef("PriorityQueue", PriorityQueueV2);
export const QueueEnqueue = byRef("QueueEnqueue", QueueEnqueueV2);
export const QueueEnqueueMany = byRef("QueueEnqueueMany", QueueEnqueueManyV2);
export const QueueDequeue = byRef("QueueDequeue", QueueDequeueV2);
export const QueueDequeueMany = byRef("QueueDequeueMany", QueueDequeueManyV2);
export const QueueDequeueUpTo = byRef("QueueDequeueUpTo", QueueDequeueUpToV2);
export const QueueClose = byRef("QueueClose", QueueCloseV2);
export const QueueSize = byRef("QueueSize", QueueSizeV2);
export const QueueIsClosed = byRef("QueueIsClosed", QueueIsClosedV2, { gradient: undefined });

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
