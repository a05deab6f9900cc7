// tf.SequenceExample protocol buffers taken apart: a context of features, and lists of features along time. One message or a batch of them;
// the host reads them between segments of a run. Plain examples are example.ts.

import type { DType } from "../../base/dtype.ts";
import { DataLossError, InvalidArgumentError, ValueError } from "../../base/errors.ts";
import { decodeText, encodeText, NDArray } from "../../base/ndarray.ts";
import { type Dimension, sizeOf, TensorShape } from "../../base/shape.ts";
import { need } from "../arguments.ts";
import {
  type Feature,
  type Features,
  type FeatureValues,
  joined,
  longest,
  padded,
  place,
  sequenceExampleFromBytes,
} from "../../formats/examples.ts";
import { messageFromJson } from "../../formats/message-codec.ts";
import type { Message } from "../../formats/messages.ts";
import { type WireWriter, wireTypes, written } from "../../formats/wire.ts";
import * as attr from "../../graph/attributes.ts";
import type { TensorLike } from "../../graph/conversion.ts";
import { defineOp } from "../../graph/op-definition.ts";
import type { Tensor } from "../../graph/operation.ts";
import { bytesOf, int64, keysOf, typeNames } from "./example.ts";
import { type NameOption, named } from "../named.ts";
import { placesInRows } from "../sparse/parts.ts";
import { snakeOf } from "../../base/names.ts";

const featureTypes = ["float32", "int64", "string"] as const satisfies readonly DType[];
const typeList = (): ReturnType<typeof attr.types> => attr.types([], { allowed: featureTypes, minimum: 0 });
const splitList = (): ReturnType<typeof attr.types> => attr.types([], { allowed: attr.indexTypes, minimum: 0 });

// ---- one message ----

interface Sequence {
  readonly context: Features;
  readonly lists: ReadonlyMap<string, readonly Feature[]>;
}

/** @throws InvalidArgumentError with `refusal` for bytes that are no SequenceExample. */
function sequenceOf(bytes: Uint8Array, refusal: () => string): Sequence {
  try {
    return sequenceExampleFromBytes(bytes);
  } catch {
    throw new InvalidArgumentError(refusal());
  }
}

interface Wanted {
  readonly key: string;
  readonly dtype: DType;
}
interface WantedContext extends Wanted {
  readonly shape: TensorShape;
  readonly fallback: NDArray;
}
interface WantedList extends Wanted {
  readonly shape: TensorShape;
  readonly mayBeMissing: boolean;
}
interface WantedRagged extends Wanted {
  readonly splits: DType;
}

interface Request {
  readonly contextSparse: readonly Wanted[];
  readonly contextDense: readonly WantedContext[];
  readonly contextRagged: readonly WantedRagged[];
  readonly listSparse: readonly Wanted[];
  readonly listDense: readonly WantedList[];
  readonly listRagged: readonly WantedRagged[];
}

const missingList = (name: string, key: string): InvalidArgumentError =>
  new InvalidArgumentError(
    `Name: ${name}, Feature list '${key}' is required but could not be found.  Did you mean to include it in feature_list_dense_missing_assumed_empty or feature_list_dense_defaults?`,
  );

const countOf = (shape: TensorShape): number => sizeOf((shape.dims ?? []).map(Number));

// ---- a single message, as ParseSingleSequenceExample reads it ----

/** The numbers of a dense feature. @throws InvalidArgumentError for other types and counts. */
function exactly(feature: Feature, { dtype, key, shape }: Wanted & { shape: TensorShape }, where: string, at: string): FeatureValues {
  if (feature?.dtype !== dtype)
    throw new InvalidArgumentError(
      `${where}.  Data types don't match. Expected type: ${typeNames[dtype]}  Feature is: ${feature ? typeNames[feature.dtype] : "empty"}`,
    );
  if (feature.size !== countOf(shape))
    throw new InvalidArgumentError(
      `${at}, Key: ${key}, Index: ${/Index: (\d+)$/.exec(where)?.[1] ?? 0}.  Number of ${typeNames[dtype]} values != expected.  values size: ${feature.size} but output shape: ${shape.format()}`,
    );
  return feature;
}

function parsedSingle(bytes: Uint8Array, name: string, request: Request): NDArray[] {
  const { context, lists } = sequenceOf(bytes, () => `Could not parse example input, value: '${decodeText(bytes)}'`);
  const at = `Name: ${name}`;
  request.contextDense.forEach(({ fallback, shape }, d) => {
    if (fallback.size > 0 && fallback.shape.join() !== (shape.dims ?? []).join())
      throw new InvalidArgumentError(`def_value[${d}].shape() == [${fallback.shape}] != context_dense_shapes_[${d}] == ${shape.format()}`);
  });
  const contextDense = request.contextDense.map(wanted => {
    const { key, dtype, shape, fallback } = wanted;
    const feature = context.get(key);
    if (feature === undefined && fallback.size === 0)
      throw new InvalidArgumentError(`${at}, Context feature '${key}' is required but could not be found.`);
    const values = feature === undefined ? fallback : joined(dtype, [exactly(feature, wanted, `${at}, Context feature: ${key}`, at)]);
    return values.reshape(shape.asNumbers());
  });
  const refuseType = (feature: Feature | undefined, dtype: DType, where: string): void => {
    if (feature && feature.dtype !== dtype) exactly(feature, { key: "", dtype, shape: TensorShape.unknown() }, where, at);
  };
  const contextSparse = request.contextSparse.map(({ key, dtype }) => {
    const feature = context.get(key);
    refuseType(feature, dtype, `${at}, Context feature: ${key}`);
    const values = joined(dtype, [feature]);
    return { indices: placesInRows([values.size], false), values, shape: int64([values.size], [1]) };
  });
  const listDense = request.listDense.map(wanted => {
    const { key, dtype, shape, mayBeMissing } = wanted;
    const list = lists.get(key);
    if (!list && !mayBeMissing) throw missingList(name, key);
    const rows = (list ?? []).map((feature, t) => exactly(feature, wanted, `${at}, Feature list: ${key}, Index: ${t}`, at));
    return joined(dtype, rows).reshape([rows.length, ...shape.asNumbers()]);
  });
  const listSparse = request.listSparse.map(({ key, dtype }) => {
    const list = lists.get(key) ?? [];
    list.forEach((feature, t) => void refuseType(feature, dtype, `${at}, Feature List: ${key}, Index: ${t}`));
    return sparseRows([list], dtype, false);
  });
  return [...sparseParts(contextSparse), ...contextDense, ...sparseParts(listSparse), ...listDense];
}

interface SparseArrays {
  readonly indices: NDArray;
  readonly values: NDArray;
  readonly shape: NDArray;
}

const sparseParts = (list: readonly SparseArrays[]): NDArray[] => [
  ...list.map(({ indices }) => indices),
  ...list.map(({ values }) => values),
  ...list.map(({ shape }) => shape),
];

type Rows = readonly Feature[];

/** Lists of features as one sparse tensor [message, time, place], or [time, place] of the only one. */
function sparseRows(lists: readonly Rows[], dtype: DType, isBatch: boolean): SparseArrays {
  const features = lists.flat();
  const places = lists.flatMap((list, row) =>
    list.flatMap((feature, t) => Array.from({ length: feature?.size ?? 0 }, (_, k) => (isBatch ? [row, t, k] : [t, k])).flat()),
  );
  const most = Math.max(0, ...lists.map(({ length }) => length));
  const rank = isBatch ? 3 : 2;
  const values = joined(dtype, features);
  return {
    indices: int64(places, [values.size, rank]),
    values,
    shape: int64(isBatch ? [lists.length, most, longest(features)] : [most, longest(features)], [rank]),
  };
}

// ---- a batch, or one message, as the newer ops read it ----

const sizeOfRow = (feature: Feature | undefined): number => feature?.size ?? 0;
const endsOf = (counts: readonly number[]): number[] => {
  let end = 0;
  return [0, ...counts.map(count => (end += count))];
};

class Batch {
  private readonly sequences: readonly Sequence[];
  private readonly nameOf: (row: number) => string;
  private readonly isBatch: boolean;

  constructor(serialized: NDArray, names: readonly string[], request: Request) {
    if (names.length > 0 && names.length !== serialized.size)
      throw new InvalidArgumentError("example_names must be empty or have the correct number of elements");
    this.isBatch = serialized.rank > 0;
    this.nameOf = row => names[row] ?? "<unknown>";
    this.sequences = bytesOf(serialized).map((bytes, row) =>
      sequenceOf(bytes, () => `Invalid protocol message input, example id: ${this.nameOf(row)}`),
    );
    this.sequences.forEach((sequence, row) => void this.checkTypes(sequence, this.nameOf(row), request));
  }

  private checkTypes({ context, lists }: Sequence, name: string, request: Request): void {
    const refuse = (where: string, dtype: DType): never => {
      throw new InvalidArgumentError(`Name: ${name}, ${where}.  Data types don't match. Expected type: ${typeNames[dtype]}`);
    };
    for (const { key, dtype } of [...request.contextDense, ...request.contextSparse, ...request.contextRagged]) {
      const feature = context.get(key);
      if (feature && feature.dtype !== dtype) refuse(`Context feature: ${key}`, dtype);
    }
    for (const { key, dtype } of [...request.listDense, ...request.listSparse, ...request.listRagged])
      lists.get(key)?.forEach((feature, t) => {
        if (feature && feature.dtype !== dtype) refuse(`Feature list: ${key}, Index: ${t}`, dtype);
      });
  }

  private featuresOf(key: string): (Feature | undefined)[] {
    return this.sequences.map(({ context }) => context.get(key));
  }

  private listsOf(key: string): Rows[] {
    return this.sequences.map(({ lists }) => lists.get(key) ?? []);
  }

  contextDense({ key, dtype, shape, fallback }: WantedContext): NDArray {
    const dims = shape.dims ?? [];
    const isOpen = dims.length > 0 && dims[0] === null;
    const features = this.featuresOf(key);
    const count = countOf(isOpen ? shape.slice(1) : shape);
    const most = Math.max(longest(features), !isOpen && fallback.size > 0 ? count : 0);
    if (!isOpen && most !== count && features.length > 0)
      throw new InvalidArgumentError(`Inconsistent max number of elements for feature ${key}: expected ${count}, but found ${most}`);
    features.forEach((feature, row) => {
      const size = feature?.size ?? 0;
      if (feature === undefined && fallback.size === 0 && !isOpen)
        throw new InvalidArgumentError(`Feature: ${key} (data type: ${typeNames[dtype]}) is required but could not be found.`);
      if (feature !== undefined && (isOpen ? size % count !== 0 : size !== count))
        throw new InvalidArgumentError(`Unexpected number of elements in example ${this.nameOf(row)}`);
    });
    return padded(dtype, features, isOpen ? most : count, fallback, [
      ...(this.isBatch ? [features.length] : []),
      ...(isOpen ? [most / count, ...dims.slice(1).map(Number)] : dims.map(Number)),
    ]);
  }

  contextSparse({ key, dtype }: Wanted): SparseArrays {
    const rows = this.featuresOf(key);
    const most = longest(rows);
    return {
      indices: placesInRows(rows.map(sizeOfRow), this.isBatch),
      values: joined(dtype, rows),
      shape: this.isBatch ? int64([rows.length, most], [2]) : int64([most], [1]),
    };
  }

  /** Where the rows of the batch begin; of one message a number that says nothing. */
  private splitsOf(lengths: readonly number[], dtype: DType): NDArray {
    const ends = endsOf(lengths);
    return this.isBatch ? int64(ends, [ends.length]).cast(dtype) : NDArray.zeros(dtype, []);
  }

  contextRagged({ key, dtype, splits }: WantedRagged): { values: NDArray; splits: NDArray } {
    const rows = this.featuresOf(key);
    return { values: joined(dtype, rows), splits: this.splitsOf(rows.map(sizeOfRow), splits) };
  }

  /** Rows padded to the longest list of the batch, and how long each list was. */
  listDense({ key, dtype, shape, mayBeMissing }: WantedList): { values: NDArray; lengths: NDArray } {
    const count = countOf(shape);
    const lists = this.listsOf(key);
    const most = Math.max(0, ...lists.map(list => list.reduce((sum, feature) => sum + sizeOfRow(feature), 0)));
    if (most % count !== 0)
      throw new InvalidArgumentError(
        `Feature list '${key}' has an unexpected number of values.  Total values size: ${most} is not consistent with output shape: [${["?", ...(shape.dims ?? [])]}]`,
      );
    const steps = most / count;
    const values = NDArray.zeros(dtype, [...(this.isBatch ? [lists.length] : []), steps, ...shape.asNumbers()]);
    lists.forEach((list, row) => {
      if (!mayBeMissing && !this.sequences[row].lists.has(key)) throw missingList(this.nameOf(row), key);
      const unfit = list.findIndex(feature => sizeOfRow(feature) !== count);
      if (unfit >= 0)
        throw new InvalidArgumentError(
          `Name: ${this.nameOf(row)}, Key: ${key}, Index: ${unfit}.  Number of values != expected.  values size: ${sizeOfRow(list[unfit])} but output shape: ${shape.format()}`,
        );
      place(values, list, t => (row * steps + t) * count);
    });
    const lengths = lists.map(({ length }) => length);
    return { values, lengths: int64(lengths, this.isBatch ? [lengths.length] : []) };
  }

  listSparse({ key, dtype }: Wanted): SparseArrays {
    return sparseRows(this.listsOf(key), dtype, this.isBatch);
  }

  listRagged({ key, dtype, splits }: WantedRagged): { values: NDArray; outer: NDArray; inner: NDArray } {
    const lists = this.listsOf(key);
    const features = lists.flat();
    const inner = endsOf(features.map(sizeOfRow));
    return {
      values: joined(dtype, features),
      outer: this.splitsOf(
        lists.map(({ length }) => length),
        splits,
      ),
      inner: int64(inner, [inner.length]).cast(splits),
    };
  }
}

// ---- ops ----

const anyShape = (count: number, dims: readonly Dimension[]): TensorShape[] => Array<TensorShape>(count).fill(new TensorShape(dims));
const sparseShapes = (count: number, rank: number | null): TensorShape[] => [
  ...anyShape(count, [null, rank]),
  ...anyShape(count, [null]),
  ...anyShape(count, [rank]),
];

interface Counts {
  readonly contextSparse: number;
  readonly contextDense: readonly TensorShape[];
  readonly contextRagged?: number;
  readonly listSparse: number;
  readonly listDense: readonly TensorShape[];
  readonly listRagged?: number;
  /** Lengths of dense lists are results, too. */
  readonly hasLengths: boolean;
}

/** Shapes of the results behind `lead`, the dimensions of the batch. */
function resultShapes(lead: readonly Dimension[], counts: Counts): TensorShape[] {
  const { contextSparse, contextDense, contextRagged = 0, listSparse, listDense, listRagged = 0, hasLengths } = counts;
  // Shapes of unknown rank count as scalars.
  const inBatch = (shape: TensorShape, ...more: null[]): TensorShape => new TensorShape([...lead, ...more, ...(shape.dims ?? [])]);
  const splits = (count: number): TensorShape[] => anyShape(count, [lead.length === 0 ? null : lead[0] === null ? null : lead[0] + 1]);
  return [
    ...sparseShapes(contextSparse, lead.length + 1),
    ...contextDense.map(shape => inBatch(shape)),
    ...anyShape(contextRagged, [null]),
    ...splits(contextRagged),
    ...sparseShapes(listSparse, lead.length + 2),
    ...listDense.map(shape => inBatch(shape, null)),
    ...(hasLengths ? anyShape(listDense.length, lead) : []),
    ...anyShape(listRagged, [null]),
    ...splits(listRagged),
    ...anyShape(listRagged, [null]),
  ];
}

const wantedContext = (
  keys: readonly string[],
  types: readonly DType[],
  shapes: readonly TensorShape[],
  defaults: readonly NDArray[],
): WantedContext[] => keys.map((key, i) => ({ key, dtype: types[i], shape: shapes[i], fallback: defaults[i] }));
const wantedPlain = (keys: readonly string[], types: readonly DType[]): Wanted[] => keys.map((key, i) => ({ key, dtype: types[i] }));
const wantedRagged = (keys: readonly string[], types: readonly DType[], splits: readonly DType[]): WantedRagged[] =>
  keys.map((key, i) => ({ key, dtype: types[i], splits: splits[i] }));

/** Defaults that are given have the shapes that are asked for. */
function checkDefaults(
  defaults: readonly (readonly number[])[],
  shapes: readonly TensorShape[],
  [value, wanted] = ["default_value", "context_dense_shapes"],
): void {
  defaults.forEach((dims, i) => {
    need(
      dims.includes(0) || shapes[i].isCompatibleWith(dims),
      () => `${value}[${i}].shape() == [${dims}] != ${wanted}[${i}] == ${shapes[i].format()}`,
    );
  });
}

/** @throws ValueError with the text of shape functions. */
function requireKnown(shape: TensorShape): void {
  if (shape.rank !== null && !shape.isFullyDefined) throw new ValueError(`Shape ${shape.format()} is not fully defined`);
}

/** @throws ValueError unless lists of attributes are as long as their count. */
function sameCount(what: string, count: number, lists: Readonly<Record<string, readonly unknown[]>>): void {
  const others = Object.entries(lists);
  if (others.every(([, { length }]) => length === count)) return;
  const named = others.map(([name, { length }]) => `${what}_${name} (${length})`).join(" and ");
  throw new ValueError(`num_${what} (${count}) must match the size of ${named}`);
}

/** A batch of sequences, the keys given as attributes. */
export const ParseSequenceExample = defineOp("ParseSequenceExample", {
  inputs: { serialized: "string", debugName: "string", contextDenseDefaults: "Tcontext_dense" },
  outputs: {
    contextSparseIndices: "Ncontext_sparse*int64",
    contextSparseValues: "contextSparseTypes",
    contextSparseShapes: "Ncontext_sparse*int64",
    contextDenseValues: "Tcontext_dense",
    featureListSparseIndices: "Nfeature_list_sparse*int64",
    featureListSparseValues: "featureListSparseTypes",
    featureListSparseShapes: "Nfeature_list_sparse*int64",
    featureListDenseValues: "featureListDenseTypes",
    featureListDenseLengths: "Nfeature_list_dense*int64",
  },
  attrs: {
    featureListDenseMissingAssumedEmpty: attr.strings(undefined, 0),
    contextSparseKeys: attr.strings(undefined, 0),
    contextDenseKeys: attr.strings(undefined, 0),
    featureListSparseKeys: attr.strings(undefined, 0),
    featureListDenseKeys: attr.strings(undefined, 0),
    Ncontext_sparse: attr.int(0, 0),
    Ncontext_dense: attr.int(0, 0),
    Nfeature_list_sparse: attr.int(0, 0),
    Nfeature_list_dense: attr.int(0, 0),
    contextSparseTypes: typeList(),
    Tcontext_dense: typeList(),
    featureListDenseTypes: typeList(),
    contextDenseShapes: attr.shapes([], 0),
    featureListSparseTypes: typeList(),
    featureListDenseShapes: attr.shapes([], 0),
  },
  shape: ({ serialized, debugName, ...a }) => {
    sameCount("context_sparse", a.Ncontext_sparse, { keys: a.contextSparseKeys });
    sameCount("context_dense", a.Ncontext_dense, { keys: a.contextDenseKeys });
    sameCount("feature_list_sparse", a.Nfeature_list_sparse, { keys: a.featureListSparseKeys });
    sameCount("feature_list_dense", a.Nfeature_list_dense, { keys: a.featureListDenseKeys });
    sameCount("context_sparse", a.Ncontext_sparse, { types: a.contextSparseTypes });
    sameCount("context_dense", a.Ncontext_dense, { types: a.Tcontext_dense, shapes: a.contextDenseShapes });
    sameCount("feature_list_sparse", a.Nfeature_list_sparse, { types: a.featureListSparseTypes });
    sameCount("feature_list_dense", a.Nfeature_list_dense, { types: a.featureListDenseTypes, shapes: a.featureListDenseShapes });
    for (const shape of a.featureListDenseShapes) requireKnown(shape);
    const lead = serialized.withRank(1).dim(0);
    debugName.withRank(1);
    return resultShapes([lead], {
      contextSparse: a.Ncontext_sparse,
      contextDense: a.contextDenseShapes,
      listSparse: a.Nfeature_list_sparse,
      listDense: a.featureListDenseShapes,
      hasLengths: true,
    });
  },
  checks: ({ serialized, contextDenseDefaults, contextDenseShapes }) => {
    need(serialized.length <= 1, () => `Expected serialized to be a scalar or vector, got shape: [${serialized}]`);
    checkDefaults(contextDenseDefaults, contextDenseShapes);
  },
  host: ({ serialized, debugName, contextDenseDefaults, featureListDenseMissingAssumedEmpty, ...a }) => {
    const request: Request = {
      contextSparse: wantedPlain(a.contextSparseKeys, a.contextSparseTypes),
      contextDense: wantedContext(a.contextDenseKeys, a.Tcontext_dense, a.contextDenseShapes, contextDenseDefaults),
      contextRagged: [],
      listSparse: wantedPlain(a.featureListSparseKeys, a.featureListSparseTypes),
      listDense: a.featureListDenseKeys.map((key, i) => ({
        key,
        dtype: a.featureListDenseTypes[i],
        shape: a.featureListDenseShapes[i],
        mayBeMissing: featureListDenseMissingAssumedEmpty.includes(key),
      })),
      listRagged: [],
    };
    const batch = new Batch(serialized, keysOf(debugName), request);
    const contextDense = request.contextDense.map(wanted => batch.contextDense(wanted));
    const dense = request.listDense.map(wanted => batch.listDense(wanted));
    return [
      ...sparseParts(request.contextSparse.map(wanted => batch.contextSparse(wanted))),
      ...contextDense,
      ...sparseParts(request.listSparse.map(wanted => batch.listSparse(wanted))),
      ...dense.map(({ values }) => values),
      ...dense.map(({ lengths }) => lengths),
    ];
  },
});

/** One sequence or a batch, the keys given as tensors, ragged features too. */
export const ParseSequenceExampleV2 = defineOp("ParseSequenceExampleV2", {
  inputs: {
    serialized: "string",
    debugName: "string",
    contextSparseKeys: "string",
    contextDenseKeys: "string",
    contextRaggedKeys: "string",
    featureListSparseKeys: "string",
    featureListDenseKeys: "string",
    featureListRaggedKeys: "string",
    featureListDenseMissingAssumedEmpty: "bool",
    contextDenseDefaults: "Tcontext_dense",
  },
  outputs: {
    contextSparseIndices: "Ncontext_sparse*int64",
    contextSparseValues: "contextSparseTypes",
    contextSparseShapes: "Ncontext_sparse*int64",
    contextDenseValues: "Tcontext_dense",
    contextRaggedValues: "contextRaggedValueTypes",
    contextRaggedRowSplits: "contextRaggedSplitTypes",
    featureListSparseIndices: "Nfeature_list_sparse*int64",
    featureListSparseValues: "featureListSparseTypes",
    featureListSparseShapes: "Nfeature_list_sparse*int64",
    featureListDenseValues: "featureListDenseTypes",
    featureListDenseLengths: "Nfeature_list_dense*int64",
    featureListRaggedValues: "featureListRaggedValueTypes",
    featureListRaggedOuterSplits: "featureListRaggedSplitTypes",
    featureListRaggedInnerSplits: "featureListRaggedSplitTypes",
  },
  attrs: {
    Ncontext_sparse: attr.int(0, 0),
    Tcontext_dense: typeList(),
    contextSparseTypes: typeList(),
    contextRaggedValueTypes: typeList(),
    contextRaggedSplitTypes: splitList(),
    contextDenseShapes: attr.shapes([], 0),
    Nfeature_list_sparse: attr.int(0, 0),
    Nfeature_list_dense: attr.int(0, 0),
    featureListDenseTypes: typeList(),
    featureListSparseTypes: typeList(),
    featureListRaggedValueTypes: typeList(),
    featureListRaggedSplitTypes: splitList(),
    featureListDenseShapes: attr.shapes([], 0),
  },
  shape: ({ serialized, ...a }) => {
    sameCount("context_sparse", a.Ncontext_sparse, { types: a.contextSparseTypes });
    sameCount("context_dense", a.Tcontext_dense.length, { types: a.Tcontext_dense, shapes: a.contextDenseShapes });
    sameCount("context_ragged", a.contextRaggedValueTypes.length, {
      value_types: a.contextRaggedValueTypes,
      split_types: a.contextRaggedSplitTypes,
    });
    sameCount("feature_list_sparse", a.Nfeature_list_sparse, { types: a.featureListSparseTypes });
    sameCount("feature_list_dense", a.Nfeature_list_dense, { types: a.featureListDenseTypes, shapes: a.featureListDenseShapes });
    sameCount("feature_list_ragged", a.featureListRaggedValueTypes.length, {
      value_types: a.featureListRaggedValueTypes,
      split_types: a.featureListRaggedSplitTypes,
    });
    const { dims } = serialized.withRankAtMost(1);
    const counts: Counts = {
      contextSparse: a.Ncontext_sparse,
      contextDense: a.contextDenseShapes,
      contextRagged: a.contextRaggedValueTypes.length,
      listSparse: a.Nfeature_list_sparse,
      listDense: a.featureListDenseShapes,
      listRagged: a.featureListRaggedValueTypes.length,
      hasLengths: true,
    };
    const shapes = resultShapes(dims ?? [], counts);
    return dims === null ? shapes.map(() => TensorShape.unknown()) : shapes;
  },
  checks: ({ serialized, contextDenseDefaults, contextDenseShapes }) => {
    need(serialized.length <= 1, () => `Expected serialized to be a scalar or vector, got shape: [${serialized}]`);
    checkDefaults(contextDenseDefaults, contextDenseShapes);
  },
  host: ({ serialized, debugName, contextDenseDefaults, featureListDenseMissingAssumedEmpty, ...a }) => {
    const asked: readonly (readonly [what: string, given: NDArray, wanted: number, as: string])[] = [
      ["context_sparse_keys)", a.contextSparseKeys, a.Ncontext_sparse, "Ncontext_sparse"],
      ["context_dense_keys)", a.contextDenseKeys, a.Tcontext_dense.length, "len(Tcontext_dense)"],
      ["feature_list_sparse_keys)", a.featureListSparseKeys, a.Nfeature_list_sparse, "Nfeature_list_sparse"],
      ["feature_list_dense_keys)", a.featureListDenseKeys, a.Nfeature_list_dense, "Nfeature_list_dense"],
      ["feature_list_dense_missing_assumed_empty", featureListDenseMissingAssumedEmpty, a.Nfeature_list_dense, "Nfeature_list_dense"],
    ];
    for (const [what, given, wanted, as] of asked) need(given.size === wanted, () => `Expected len(${what} to match ${as}`);
    const request: Request = {
      contextSparse: wantedPlain(keysOf(a.contextSparseKeys), a.contextSparseTypes),
      contextDense: wantedContext(keysOf(a.contextDenseKeys), a.Tcontext_dense, a.contextDenseShapes, contextDenseDefaults),
      contextRagged: wantedRagged(keysOf(a.contextRaggedKeys), a.contextRaggedValueTypes, a.contextRaggedSplitTypes),
      listSparse: wantedPlain(keysOf(a.featureListSparseKeys), a.featureListSparseTypes),
      listDense: keysOf(a.featureListDenseKeys).map((key, i) => ({
        key,
        dtype: a.featureListDenseTypes[i],
        shape: a.featureListDenseShapes[i],
        mayBeMissing: featureListDenseMissingAssumedEmpty.get(i) === true,
      })),
      listRagged: wantedRagged(keysOf(a.featureListRaggedKeys), a.featureListRaggedValueTypes, a.featureListRaggedSplitTypes),
    };
    const batch = new Batch(serialized, keysOf(debugName), request);
    const contextDense = request.contextDense.map(wanted => batch.contextDense(wanted));
    const dense = request.listDense.map(wanted => batch.listDense(wanted));
    const contextRagged = request.contextRagged.map(wanted => batch.contextRagged(wanted));
    const listRagged = request.listRagged.map(wanted => batch.listRagged(wanted));
    return [
      ...sparseParts(request.contextSparse.map(wanted => batch.contextSparse(wanted))),
      ...contextDense,
      ...contextRagged.map(({ values }) => values),
      ...contextRagged.map(({ splits }) => splits),
      ...sparseParts(request.listSparse.map(wanted => batch.listSparse(wanted))),
      ...dense.map(({ values }) => values),
      ...dense.map(({ lengths }) => lengths),
      ...listRagged.map(({ values }) => values),
      ...listRagged.map(({ outer }) => outer),
      ...listRagged.map(({ inner }) => inner),
    ];
  },
});

/** One sequence, as TensorFlow 1 graphs have it. */
export const ParseSingleSequenceExample = defineOp("ParseSingleSequenceExample", {
  inputs: {
    serialized: "string",
    featureListDenseMissingAssumedEmpty: "string",
    contextSparseKeys: "Ncontext_sparse*string",
    contextDenseKeys: "Ncontext_dense*string",
    featureListSparseKeys: "Nfeature_list_sparse*string",
    featureListDenseKeys: "Nfeature_list_dense*string",
    contextDenseDefaults: "Tcontext_dense",
    debugName: "string",
  },
  outputs: {
    contextSparseIndices: "Ncontext_sparse*int64",
    contextSparseValues: "contextSparseTypes",
    contextSparseShapes: "Ncontext_sparse*int64",
    contextDenseValues: "Tcontext_dense",
    featureListSparseIndices: "Nfeature_list_sparse*int64",
    featureListSparseValues: "featureListSparseTypes",
    featureListSparseShapes: "Nfeature_list_sparse*int64",
    featureListDenseValues: "featureListDenseTypes",
  },
  attrs: {
    Ncontext_sparse: attr.int(0, 0),
    Ncontext_dense: attr.int(0, 0),
    Nfeature_list_sparse: attr.int(0, 0),
    Nfeature_list_dense: attr.int(0, 0),
    contextSparseTypes: typeList(),
    Tcontext_dense: typeList(),
    featureListDenseTypes: typeList(),
    contextDenseShapes: attr.shapes([], 0),
    featureListSparseTypes: typeList(),
    featureListDenseShapes: attr.shapes([], 0),
  },
  shape: ({ serialized, featureListDenseMissingAssumedEmpty, ...a }) => {
    const same = (keys: string, count: number, others: string, list: readonly unknown[]): void => {
      if (count !== list.length) throw new ValueError(`len(${keys}) != len(${others})`);
    };
    same("context_sparse_keys", a.Ncontext_sparse, "context_sparse_types", a.contextSparseTypes);
    same("context_dense_keys", a.Ncontext_dense, "context_dense_types", a.Tcontext_dense);
    same("context_dense_keys", a.Ncontext_dense, "context_dense_shapes", a.contextDenseShapes);
    same("feature_list_sparse_keys", a.Nfeature_list_sparse, "feature_list_sparse_types", a.featureListSparseTypes);
    same("feature_list_dense_keys", a.Nfeature_list_dense, "feature_list_dense_types", a.featureListDenseTypes);
    for (const shape of a.featureListDenseShapes) requireKnown(shape);
    serialized.withRank(0);
    featureListDenseMissingAssumedEmpty.withRank(1);
    return resultShapes([], {
      contextSparse: a.Ncontext_sparse,
      contextDense: a.contextDenseShapes,
      listSparse: a.Nfeature_list_sparse,
      listDense: a.featureListDenseShapes,
      hasLengths: false,
    });
  },
  checks: ({ serialized, debugName, contextDenseDefaults, contextDenseShapes, featureListDenseMissingAssumedEmpty: assumed, ...a }) => {
    for (const name of ["contextDenseKeys", "contextSparseKeys", "featureListDenseKeys", "featureListSparseKeys"] as const)
      for (const [i, dims] of a[name].entries())
        need(dims.length === 0, () => `Expected ${snakeOf(name)}[${i}] to be a scalar, got shape: [${dims}]`);
    need(assumed.length === 1, () => `Expected feature_list_dense_missing_assumed_empty to be a vector, got shape: [${assumed}]`);
    checkDefaults(contextDenseDefaults, contextDenseShapes, ["def_value", "context_dense_shapes_"]);
    need(serialized.length === 0, () => `Expected serialized to be a scalar, got shape: [${serialized}]`);
    need(debugName.length === 0, () => `Expected debug_name to be a scalar, got shape: [${debugName}]`);
  },
  host: ({ serialized, debugName, contextDenseDefaults, featureListDenseMissingAssumedEmpty, ...a }) => {
    const empty = keysOf(featureListDenseMissingAssumedEmpty);
    const keys = (list: readonly NDArray[]): string[] => list.map(key => keysOf(key)[0]);
    return parsedSingle(bytesOf(serialized)[0], keysOf(debugName)[0] ?? "<unknown>", {
      contextSparse: wantedPlain(keys(a.contextSparseKeys), a.contextSparseTypes),
      contextDense: wantedContext(keys(a.contextDenseKeys), a.Tcontext_dense, a.contextDenseShapes, contextDenseDefaults),
      contextRagged: [],
      listSparse: wantedPlain(keys(a.featureListSparseKeys), a.featureListSparseTypes),
      listDense: keys(a.featureListDenseKeys).map((key, i) => ({
        key,
        dtype: a.featureListDenseTypes[i],
        shape: a.featureListDenseShapes[i],
        mayBeMissing: empty.includes(key),
      })),
      listRagged: [],
    });
  },
});

/** An Example as TensorFlow's reader of JSON writes it: fields as they come, each number behind a tag of its own. */
const exampleBytes = ({ features }: Message<"Example">): Uint8Array =>
  written(to => {
    if (!features) return;
    const entries = [...features.feature].map(([key, feature]) =>
      written(entry => {
        entry.field(1, encodeText(key));
        entry.field(2, featureBytes(feature));
      }),
    );
    const list = written(features => entries.forEach(entry => void features.field(1, entry)));
    to.field(1, list);
  });

const featureBytes = ({ bytesList, floatList, int64List }: Message<"Feature">): Uint8Array =>
  written(to => {
    const list = (number: number, write: (to: WireWriter) => void): void => void to.field(number, written(write));
    if (bytesList) list(1, values => bytesList.value.forEach(value => void values.field(1, value)));
    if (floatList)
      list(2, values =>
        floatList.value.forEach(value => {
          values.tag(1, wireTypes.fixed32);
          values.float(value);
        }),
      );
    if (int64List)
      list(3, values =>
        int64List.value.forEach(value => {
          values.tag(1, wireTypes.varint);
          values.varint(value);
        }),
      );
  });

/** Examples written as JSON, as serialized messages. */
export const DecodeJSONExample = defineOp("DecodeJSONExample", {
  inputs: { jsonExamples: "string" },
  outputs: { binaryExamples: "string" },
  attrs: {},
  shape: ({ jsonExamples }) => jsonExamples,
  host: ({ jsonExamples }) => {
    const out = NDArray.zeros("string", jsonExamples.shape);
    keysOf(jsonExamples).forEach((text, i) => {
      try {
        out.set(i, exampleBytes(messageFromJson("Example", JSON.parse(text))));
      } catch (error) {
        if (!(error instanceof SyntaxError || error instanceof DataLossError)) throw error;
        throw new InvalidArgumentError(`Error while parsing JSON: ${isCutShort(text) ? "unexpected EOF" : error.message.split("\n")[0]}`);
      }
    });
    return out;
  },
});

/** Text that could still become JSON. */
const isCutShort = (text: string): boolean => /^\s*$|^\s*\{\s*$/.test(text);

/** Examples written as JSON, as serialized tf.Example messages. TF: tf.io.decode_json_example. */
export const decodeJsonExample = (jsonExamples: TensorLike, options?: NameOption): Tensor =>
  DecodeJSONExample({ jsonExamples }, named(options));
