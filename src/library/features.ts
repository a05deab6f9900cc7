// Features of tf.Example messages: how a program says what to parse, and the functions that parse. TF: tf.parse_example and its family.

import type { DType } from "../base/dtype.ts";
import { UnimplementedError, ValueError } from "../base/errors.ts";
import { NDArray } from "../base/ndarray.ts";
import { pythonStr, pythonType } from "../base/python-text.ts";
import { asShape, type ShapeLike, TensorShape } from "../base/shape.ts";
import { convertToTensor, type TensorLike } from "../graph/conversion.ts";
import type { Named } from "../graph/op-definition.ts";
import { Tensor } from "../graph/operation.ts";
import { SparseTensor } from "../graph/sparse-tensor.ts";
import { constant, rank, reshape } from "../ops/array/array.ts";
import { ParseExampleV2 } from "../ops/data/example.ts";
import { ParseSequenceExampleV2 } from "../ops/data/sequence-example.ts";
import { Assert, withDependencies } from "../ops/flow/control-flow.ts";
import { equal } from "../ops/math/comparison.ts";
import { inNameScope } from "../ops/named.ts";
import { sparseMerge } from "../ops/sparse/structure.ts";
import { refuseOthers } from "../ops/arguments.ts";

type FeatureType = "float32" | "int64" | "string";

interface DefaultValue {
  readonly defaultValue?: TensorLike | null;
}

/** A feature with a fixed number of values: a dense tensor `[batch, ...shape]`; without a default it has to be there. TF: tf.FixedLenFeature. */
export class FixedLenFeature {
  private readonly given: ShapeLike;
  readonly dtype: DType;
  readonly defaultValue: TensorLike | null;

  constructor(shape: ShapeLike, dtype: DType, { defaultValue = null, ...others }: DefaultValue = {}) {
    refuseOthers(others);
    this.given = shape;
    this.dtype = dtype;
    this.defaultValue = defaultValue;
  }

  /** @throws ValueError or TypeError if it is none, as TensorFlow where the feature is used. */
  get shape(): TensorShape {
    return asShape(this.given);
  }
}

/** A feature with any number of values of a shape: dense, filled up to the longest of the batch. TF: tf.FixedLenSequenceFeature. */
export class FixedLenSequenceFeature {
  readonly shape: TensorShape;
  readonly dtype: DType;
  readonly allowMissing: boolean;
  readonly defaultValue: TensorLike | null;

  constructor(
    shape: ShapeLike,
    dtype: DType,
    { allowMissing = false, defaultValue = null, ...others }: DefaultValue & { readonly allowMissing?: boolean } = {},
  ) {
    refuseOthers(others);
    this.shape = asShape(shape);
    this.dtype = dtype;
    this.allowMissing = allowMissing;
    this.defaultValue = defaultValue;
  }
}

/** A feature with any number of values: a sparse tensor. TF: tf.VarLenFeature. */
export class VarLenFeature {
  readonly dtype: DType;

  constructor(dtype: DType) {
    this.dtype = dtype;
  }
}

/** Two features, of places and of values, that are a sparse tensor of the given size (or sizes, with a feature of places each). TF: tf.SparseFeature. */
export class SparseFeature {
  readonly indexKey: string | readonly string[];
  readonly valueKey: string;
  readonly dtype: DType;
  readonly size: number | readonly number[];
  readonly alreadySorted: boolean;

  constructor(
    indexKey: string | readonly string[],
    valueKey: string,
    dtype: DType,
    size: number | readonly number[],
    { alreadySorted = false, ...others }: { readonly alreadySorted?: boolean } = {},
  ) {
    refuseOthers(others);
    this.indexKey = indexKey;
    this.valueKey = valueKey;
    this.dtype = dtype;
    this.size = size;
    this.alreadySorted = alreadySorted;
  }
}

/** A feature that is put together of several with rows: RaggedFeature. Known by what it does, so that programs without one load nothing of it. */
interface FeatureOfRows {
  raggedKeys(key: string): readonly { readonly key: string; readonly dtype: DType; readonly splits: "int32" | "int64" }[];
  rows(values: unknown, splits: Tensor): unknown;
  assembled(key: string, parts: ReadonlyMap<string, unknown>): unknown;
}
const hasRows = (feature: unknown): feature is FeatureOfRows => typeof feature === "object" && feature !== null && "raggedKeys" in feature;

// any: the parts are ragged tensors or tensors, as the class wants them
type RaggedKind = {
  readonly [P in keyof FeatureOfRows]: FeatureOfRows[P] extends (...given: infer _A) => infer R ? (...given: any[]) => R : never;
};
type Feature = FixedLenFeature | FixedLenSequenceFeature | VarLenFeature | SparseFeature | RaggedKind;
type FeatureKind = typeof FixedLenFeature | typeof FixedLenSequenceFeature | typeof VarLenFeature | typeof SparseFeature;
export type Features = { readonly [name: string]: Feature };
/** Tensors by the names of features; sparse ones for VarLenFeature and SparseFeature. */
// `any`: which of the two it is depends on the feature
export type ParsedExamples = { readonly [name: string]: any };

interface Dense {
  readonly key: string;
  readonly dtype: DType;
  readonly shape: TensorShape;
  readonly fallback: TensorLike | null;
  readonly mayBeMissing: boolean;
}

/** What the op is asked for, in TensorFlow's order: by feature name. */
class Request {
  readonly sparse = new Map<string, DType>();
  readonly dense: Dense[] = [];
  readonly ragged = new Map<string, { readonly dtype: DType; readonly splits: "int32" | "int64" }>();

  /** Without `kinds`, of examples: then a FixedLenSequenceFeature has to allow that it is missing, and has an open first dimension. */
  constructor(features: Features, kinds?: readonly FeatureKind[]) {
    const allowed = kinds ?? [FixedLenFeature, FixedLenSequenceFeature, VarLenFeature, SparseFeature];
    for (const key of Object.keys(features).sort()) {
      const feature = features[key];
      if (!hasRows(feature) && !allowed.some(kind => feature instanceof kind))
        throw new ValueError(`Unsupported ${pythonType(feature)} ${pythonStr(feature)} for key '${key}'`);
      this.add(key, feature, kinds === undefined);
    }
    for (const key of this.ragged.keys()) {
      if (this.dense.some(other => other.key === key)) throw new ValueError(`Dense and ragged keys must not intersect; both have ${key}.`);
      if (this.sparse.has(key)) throw new ValueError(`Ragged and sparse keys must not intersect; both have ${key}.`);
    }
    for (const { key } of this.dense)
      if (this.sparse.has(key)) throw new ValueError(`Dense and sparse keys must not intersect; both have ${key}.`);
  }

  private needType(dtype: DType, key: string): void {
    if (dtype !== "float32" && dtype !== "int64" && dtype !== "string")
      throw new ValueError(`Missing type for feature ${key}. Received dtype=${dtype}.`, "Features hold float32, int64 or string.");
  }

  private addSparse(key: string, dtype: DType): void {
    this.needType(dtype, key);
    const known = this.sparse.get(key);
    if (known !== undefined && known !== dtype) throw new ValueError(`Conflicting type ${known} vs ${dtype} for feature ${key}.`);
    this.sparse.set(key, dtype);
  }

  private addRagged({ key, dtype, splits }: ReturnType<FeatureOfRows["raggedKeys"]>[number]): void {
    const known = this.ragged.get(key);
    if (known !== undefined && known.dtype !== dtype)
      throw new ValueError(`Conflicting type <dtype: '${known.dtype}'> vs <dtype: '${dtype}'> for feature ${key}.`);
    if (known !== undefined && known.splits !== splits)
      throw new ValueError(`Conflicting partition type <dtype: '${known.splits}'> vs <dtype: '${splits}'> for feature ${key}.`);
    this.ragged.set(key, { dtype, splits });
  }

  /** The tensors of ragged parts, by name; with rows if they are of several examples. */
  partsOf(
    features: Features,
    isSingle: boolean,
    values: readonly Tensor[],
    ...splits: readonly (readonly Tensor[])[]
  ): Map<string, unknown> {
    const one = Object.values(features).find(hasRows);
    const rowed = (i: number): unknown => splits.reduce<unknown>((rows, level) => one?.rows(rows, level[i]), values[i]);
    return new Map([...this.ragged.keys()].map((key, i) => [key, isSingle && splits.length < 2 ? values[i] : rowed(i)]));
  }
  get raggedKeys(): NDArray {
    return strings([...this.ragged.keys()]);
  }
  get raggedValueTypes(): FeatureType[] {
    return [...this.ragged.values()].map(({ dtype }) => dtype as FeatureType);
  }
  get raggedSplitTypes(): ("int32" | "int64")[] {
    return [...this.ragged.values()].map(({ splits }) => splits);
  }
  /** @throws ValueError where it is not known whether this is one message or several. */
  needRank(serialized: Tensor): void {
    if (this.ragged.size > 0 && serialized.shape.rank === null)
      throw new ValueError("serialized must have statically-known rank to parse ragged features.");
  }

  private add(key: string, feature: Feature, isExample: boolean): void {
    if (hasRows(feature)) for (const part of feature.raggedKeys(key)) this.addRagged(part);
    else if (feature instanceof VarLenFeature) this.addSparse(key, feature.dtype);
    else if (feature instanceof SparseFeature) {
      for (const indexKey of [feature.indexKey].flat().sort()) this.addSparse(indexKey, "int64");
      this.addSparse(feature.valueKey, feature.dtype);
    } else if (feature instanceof FixedLenFeature || feature instanceof FixedLenSequenceFeature) {
      this.needType(feature.dtype, key);
      const isSequence = feature instanceof FixedLenSequenceFeature;
      if (isSequence && isExample && !feature.allowMissing)
        throw new ValueError("Unsupported: FixedLenSequenceFeature requires allow_missing to be True.");
      if (feature.shape.dims === null) throw new ValueError(`Missing shape for feature ${key}.`);
      const shape = isSequence && isExample ? new TensorShape([null, ...feature.shape.dims]) : feature.shape;
      const mayBeMissing = isSequence && feature.allowMissing;
      this.dense.push({ key, dtype: feature.dtype, shape, fallback: feature.defaultValue, mayBeMissing });
    }
  }
}

const nodeName = (key: string): string => key.replace(/[^A-Za-z0-9_.\-/]/g, "_");

function defaultOf({ key, dtype, shape, fallback }: Dense): Tensor {
  const isOpen = shape.dims !== null && shape.dims.length > 0 && shape.dims[0] === null;
  if (isOpen) {
    if (fallback === null) return constant(dtype === "string" ? "" : dtype === "int64" ? 0n : 0, dtype);
    return reshape(convertToTensor(fallback, { dtype, name: `padding_${nodeName(key)}` }), []);
  }
  if (fallback === null) return constant(NDArray.zeros(dtype, [0]));
  if (fallback instanceof Tensor) return fallback;
  return reshape(convertToTensor(fallback, { dtype, name: `key_${nodeName(key)}` }), shape);
}

const strings = (list: readonly string[]): NDArray => NDArray.from([...list], "string", [list.length]);

/** The tensors of all features, before places and values become sparse tensors. */
function parsed(given: TensorLike, request: Request, names: TensorLike | null, features: Features): ParsedExamples {
  const { found, parts } = inNameScope({}, "ParseExample", [given, names], () => {
    const serialized = convertToTensor(given, { name: "serialized" });
    const { dense, sparse, raggedKeys, raggedValueTypes, raggedSplitTypes } = request;
    request.needRank(serialized);
    const denseDefaults = dense.map(defaultOf);
    const out = ParseExampleV2({
      serialized,
      names: names ?? NDArray.zeros("string", [0]),
      sparseKeys: strings([...sparse.keys()]),
      denseKeys: strings(dense.map(({ key }) => key)),
      raggedKeys,
      denseDefaults,
      Tdense: dense.map(({ dtype }) => dtype) as FeatureType[],
      numSparse: sparse.size,
      sparseTypes: [...sparse.values()] as FeatureType[],
      raggedValueTypes,
      raggedSplitTypes,
      denseShapes: dense.map(({ shape }) => shape),
    });
    const found: Record<string, Tensor | SparseTensor> = {};
    [...sparse.keys()].forEach((key, i) => {
      found[key] = new SparseTensor(out.sparseIndices[i], out.sparseValues[i], out.sparseShapes[i]);
    });
    dense.forEach(({ key }, i) => {
      found[key] = out.denseValues[i];
    });
    return { found, parts: request.partsOf(features, serialized.shape.rank === 0, out.raggedValues, out.raggedRowSplits) };
  });
  return { ...withSparseFeatures(found, features), ...assembledOf(features, parts) };
}

/** The ragged tensors of features with rows. */
const assembledOf = (features: Features, parts: ReadonlyMap<string, unknown>): ParsedExamples =>
  Object.fromEntries(
    Object.keys(features)
      .sort()
      .flatMap(key => {
        const feature = features[key];
        return hasRows(feature) ? [[key, feature.assembled(key, parts)]] : [];
      }),
  );

/** What a node of tf.data asks for that parses batches of examples. @throws UnimplementedError for ragged features. */
export function exampleRequest(features: Features) {
  const ragged = Object.keys(features).filter(key => hasRows(features[key]));
  if (ragged.length > 0)
    throw new UnimplementedError(
      `The features ${ragged.join(", ")} are ragged, which parseExampleDataset does not make.\n\nParse them in the dataset's map: examples => tf.parseExample(examples, features).`,
    );
  const { dense, sparse } = new Request(features);
  return {
    denseDefaults: dense.map(defaultOf),
    denseKeys: dense.map(({ key }) => key),
    Tdense: dense.map(({ dtype }) => dtype) as FeatureType[],
    denseShapes: dense.map(({ shape }) => shape),
    sparseKeys: [...sparse.keys()],
    sparseTypes: [...sparse.values()] as FeatureType[],
  };
}

/** Are some features made of others? */
export const isJoined = (features: Features): boolean => Object.values(features).some(feature => feature instanceof SparseFeature);

/** The features asked for, of places and values. */
export function withSparseFeatures(found: Record<string, Tensor | SparseTensor>, features: Features): ParsedExamples {
  const merged: Record<string, Tensor | SparseTensor> = { ...found };
  for (const key of Object.keys(features).sort()) {
    const feature = features[key];
    if (!(feature instanceof SparseFeature)) continue;
    const { indexKey, valueKey, size, alreadySorted } = feature;
    const ids = [indexKey].flat().map(name => found[name] as SparseTensor);
    merged[key] = sparseMerge(
      typeof indexKey === "string" ? ids[0] : ids,
      found[valueKey] as SparseTensor,
      typeof indexKey === "string" ? (size as number) : (size as readonly number[]),
      { alreadySorted },
    );
  }
  for (const feature of Object.values(features)) {
    if (!(feature instanceof SparseFeature)) continue;
    for (const key of [feature.indexKey, feature.valueKey].flat()) if (!(key in features)) delete merged[key];
  }
  return merged;
}

interface ParseOptions extends Named {
  /** Names of the examples, for messages. */
  readonly exampleNames?: TensorLike | null;
}

/** The features of a batch of serialized tf.Example messages, as a dictionary of tensors. TF: tf.parse_example.
 *  @throws InvalidArgumentError while running for features that are missing, of another type or size. */
export function parseExample(
  serialized: TensorLike,
  features: Features,
  { name, exampleNames = null, ...others }: ParseOptions = {},
): ParsedExamples {
  refuseOthers(others);
  if (!features || Object.keys(features).length === 0)
    throw new ValueError(`Argument \`features\` cannot be None or falsy. Got ${features ? "{}" : pythonStr(features)}`);
  const request = new Request(features);
  const build = (): ParsedExamples => parsed(serialized, request, exampleNames, features);
  return name === undefined || name === null ? build() : inNameScope({ name }, "ParseExample", [serialized], build);
}

/** The tensor if it is a scalar, or one that is there only when a run found it to be one. */
function asScalar(value: Tensor, name: string): Tensor {
  if (value.shape.rank === 0) return value;
  if (value.shape.rank !== null) throw new ValueError(`Input ${name} must be a scalar`);
  const capital = name[0].toUpperCase() + name.slice(1);
  const check = Assert(equal(rank(value), 0), [`Input ${name} must be a scalar`], { name: `${capital}IsScalar` });
  const checked = withDependencies([check], value, { name: `${name}Dependencies` });
  checked.setShape([]);
  return checked;
}

/** The features of one serialized tf.Example message. TF: tf.parse_single_example. */
export function parseSingleExample(
  serialized: TensorLike,
  features: Features,
  { name, exampleNames = null, ...others }: ParseOptions = {},
): ParsedExamples {
  refuseOthers(others);
  if (features === null || features === undefined) throw new ValueError("Invalid argument: features cannot be None.");
  if (Object.keys(features).length === 0) throw new ValueError("Invalid argument: features cannot be empty.");
  return inNameScope({ name }, "ParseSingleExample", [serialized, exampleNames], () => {
    const message = asScalar(convertToTensor(serialized, { name: "serialized" }), "serialized");
    return parsed(message, new Request(features), exampleNames, features);
  });
}

// ---- sequences ----

interface SequenceFeatures {
  /** Features of a message as a whole. */
  readonly contextFeatures?: Features | null;
  /** Lists of features along time. */
  readonly sequenceFeatures?: Features | null;
}

interface SequenceOptions extends SequenceFeatures, Named {
  readonly exampleNames?: TensorLike | null;
  readonly exampleName?: TensorLike | null;
}

interface ParsedSequences {
  readonly contextParts: ReadonlyMap<string, unknown>;
  readonly listParts: ReadonlyMap<string, unknown>;
  readonly context: ParsedExamples;
  readonly lists: ParsedExamples;
  readonly lengths: ParsedExamples;
}

function sequenceRequests(
  { contextFeatures, sequenceFeatures }: SequenceFeatures,
  refusal: string,
): readonly [context: Request, lists: Request] {
  const isEmpty = (features: Features | null | undefined): boolean => !features || Object.keys(features).length === 0;
  if (isEmpty(contextFeatures) && isEmpty(sequenceFeatures)) throw new ValueError(refusal);
  return [
    new Request(contextFeatures ?? {}, [VarLenFeature, FixedLenFeature]),
    new Request(sequenceFeatures ?? {}, [VarLenFeature, FixedLenSequenceFeature]),
  ];
}

function parsedSequences(
  serialized: TensorLike,
  names: TensorLike | null,
  [context, lists]: readonly [Request, Request],
  { contextFeatures, sequenceFeatures }: SequenceFeatures,
  name: Named["name"],
): ParsedSequences {
  return inNameScope({ name }, "ParseSequenceExample", [serialized], () => {
    for (const { key, fallback } of lists.dense)
      if (fallback !== null) throw new ValueError(`Value feature_list.dense_defaults[${key}] must be None`);
    const tensor = convertToTensor(serialized, { name: "serialized" });
    for (const request of [context, lists]) request.needRank(tensor);
    const isSingle = tensor.shape.rank === 0;
    const typesOf = (wanted: Request): FeatureType[] => [...wanted.sparse.values()] as FeatureType[];
    const out = ParseSequenceExampleV2(
      {
        serialized: tensor,
        debugName: names ?? strings([]),
        contextSparseKeys: strings([...context.sparse.keys()]),
        contextDenseKeys: strings(context.dense.map(({ key }) => key)),
        contextRaggedKeys: context.raggedKeys,
        featureListSparseKeys: strings([...lists.sparse.keys()]),
        featureListDenseKeys: strings(lists.dense.map(({ key }) => key)),
        featureListRaggedKeys: lists.raggedKeys,
        featureListDenseMissingAssumedEmpty: NDArray.from(
          lists.dense.map(({ mayBeMissing }) => mayBeMissing),
          "bool",
          [lists.dense.length],
        ),
        contextDenseDefaults: context.dense.map(defaultOf),
        Tcontext_dense: context.dense.map(({ dtype }) => dtype),
        Ncontext_sparse: context.sparse.size,
        Nfeature_list_sparse: lists.sparse.size,
        Nfeature_list_dense: lists.dense.length,
        contextSparseTypes: typesOf(context),
        contextRaggedValueTypes: context.raggedValueTypes,
        contextRaggedSplitTypes: context.raggedSplitTypes,
        featureListDenseTypes: lists.dense.map(({ dtype }) => dtype),
        featureListSparseTypes: typesOf(lists),
        featureListRaggedValueTypes: lists.raggedValueTypes,
        featureListRaggedSplitTypes: lists.raggedSplitTypes,
        contextDenseShapes: context.dense.map(({ shape }) => shape),
        featureListDenseShapes: lists.dense.map(({ shape }) => shape),
      },
      { name },
    );
    const sparse = (wanted: Request, indices: readonly Tensor[], values: readonly Tensor[], shapes: readonly Tensor[]) =>
      [...wanted.sparse.keys()].map((key, i) => [key, new SparseTensor(indices[i], values[i], shapes[i])] as const);
    const dense = (wanted: Request, values: readonly Tensor[]) => wanted.dense.map(({ key }, i) => [key, values[i]] as const);
    const { contextRaggedValues, contextRaggedRowSplits, featureListRaggedValues } = out;
    const contextParts = context.partsOf(contextFeatures ?? {}, isSingle, contextRaggedValues, contextRaggedRowSplits);
    const levels = [out.featureListRaggedInnerSplits, ...(isSingle ? [] : [out.featureListRaggedOuterSplits])];
    const listParts = lists.partsOf(sequenceFeatures ?? {}, false, featureListRaggedValues, ...levels);
    return {
      context: Object.fromEntries([
        ...sparse(context, out.contextSparseIndices, out.contextSparseValues, out.contextSparseShapes),
        ...dense(context, out.contextDenseValues),
      ]),
      lists: Object.fromEntries([
        ...sparse(lists, out.featureListSparseIndices, out.featureListSparseValues, out.featureListSparseShapes),
        ...dense(lists, out.featureListDenseValues),
      ]),
      lengths: Object.fromEntries(dense(lists, out.featureListDenseLengths)),
      contextParts,
      listParts,
    };
  });
}

const withRows = (
  { context, lists, contextParts, listParts }: ParsedSequences,
  contextFeatures: Features | null | undefined,
  sequenceFeatures: Features | null | undefined,
): [context: ParsedExamples, lists: ParsedExamples] => [
  { ...context, ...assembledOf(contextFeatures ?? {}, contextParts) },
  { ...lists, ...assembledOf(sequenceFeatures ?? {}, listParts) },
];

/** A batch of serialized tf.SequenceExample messages: context features, lists of features (dense ones padded to the longest of the batch), and
 *  how long each dense list was. TF: tf.io.parse_sequence_example.
 *  @throws InvalidArgumentError while running for features that are missing, of another type or size. */
export function parseSequenceExample(
  serialized: TensorLike,
  { contextFeatures, sequenceFeatures, exampleNames = null, name, ...others }: Omit<SequenceOptions, "exampleName"> = {},
): [context: ParsedExamples, lists: ParsedExamples, lengths: ParsedExamples] {
  refuseOthers(others);
  const requests = sequenceRequests(
    { contextFeatures, sequenceFeatures },
    "Both `context_features` and `sequence_features` argument are None, but at least one should have values.",
  );
  return inNameScope({ name }, "ParseSequenceExample", [serialized, exampleNames], () => {
    const all = parsedSequences(serialized, exampleNames, requests, { contextFeatures, sequenceFeatures }, name);
    return [...withRows(all, contextFeatures, sequenceFeatures), all.lengths];
  });
}

/** One serialized tf.SequenceExample message: its context features and its lists of features. TF: tf.io.parse_single_sequence_example. */
export function parseSingleSequenceExample(
  serialized: TensorLike,
  { contextFeatures, sequenceFeatures, exampleName = null, name, ...others }: Omit<SequenceOptions, "exampleNames"> = {},
): [context: ParsedExamples, lists: ParsedExamples] {
  refuseOthers(others);
  const requests = sequenceRequests(
    { contextFeatures, sequenceFeatures },
    "Both context_features and sequence_features are None, but at least one should have values.",
  );
  return inNameScope({ name }, "ParseSingleSequenceExample", [serialized, exampleName], () => {
    const tensor = inNameScope({ name }, "ParseSingleExample", [serialized, exampleName], () =>
      asScalar(convertToTensor(serialized, { name: "serialized" }), "serialized"),
    );
    const all = parsedSequences(tensor, exampleName, requests, { contextFeatures, sequenceFeatures }, name);
    return withRows(all, contextFeatures, sequenceFeatures);
  });
}
