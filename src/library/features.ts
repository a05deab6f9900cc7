// Features of tf.Example messages: how a program says what to parse, and the functions that parse. TF: tf.parse_example and its family.

import type { DType } from "../base/dtype.ts";
import { ValueError } from "../base/errors.ts";
import { NDArray } from "../base/ndarray.ts";
import { type ShapeLike, TensorShape } from "../base/shape.ts";
import { convertToTensor, type TensorLike } from "../graph/conversion.ts";
import { getDefaultGraph } from "../graph/default-graph.ts";
import type { Named } from "../graph/op-definition.ts";
import { Tensor } from "../graph/operation.ts";
import { SparseTensor } from "../graph/sparse-tensor.ts";
import { constant, reshape } from "../ops/array.ts";
import { ParseExampleV2 } from "../ops/example.ts";
import { inNameScope } from "../ops/named.ts";
import { sparseMerge } from "../ops/sparse-structure.ts";

type FeatureType = "float32" | "int64" | "string";

const asShape = (shape: ShapeLike): TensorShape =>
  shape instanceof TensorShape ? shape : new TensorShape(shape === null ? null : shape.map(d => d ?? null));

interface DefaultValue {
  readonly defaultValue?: TensorLike | null;
}

/** A feature with a fixed number of values: a dense tensor `[batch, ...shape]`; without a default it has to be there. TF: tf.FixedLenFeature. */
export class FixedLenFeature {
  readonly shape: TensorShape;
  readonly dtype: DType;
  readonly defaultValue: TensorLike | null;

  constructor(shape: ShapeLike, dtype: DType, { defaultValue = null }: DefaultValue = {}) {
    this.shape = asShape(shape);
    this.dtype = dtype;
    this.defaultValue = defaultValue;
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
    { allowMissing = false, defaultValue = null }: DefaultValue & { readonly allowMissing?: boolean } = {},
  ) {
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
    { alreadySorted = false }: { readonly alreadySorted?: boolean } = {},
  ) {
    this.indexKey = indexKey;
    this.valueKey = valueKey;
    this.dtype = dtype;
    this.size = size;
    this.alreadySorted = alreadySorted;
  }
}

type Feature = FixedLenFeature | FixedLenSequenceFeature | VarLenFeature | SparseFeature;
export type Features = { readonly [name: string]: Feature };
/** Tensors by the names of features; sparse ones for VarLenFeature and SparseFeature. */
// `any`: which of the two it is depends on the feature
export type ParsedExamples = { readonly [name: string]: any };

interface Dense {
  readonly key: string;
  readonly dtype: DType;
  readonly shape: TensorShape;
  readonly fallback: TensorLike | null;
}

/** What the op is asked for, in TensorFlow's order: by feature name. */
class Request {
  readonly sparse = new Map<string, DType>();
  readonly dense: Dense[] = [];

  constructor(features: Features) {
    for (const key of Object.keys(features).sort()) this.add(key, features[key]);
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

  private add(key: string, feature: Feature): void {
    if (feature instanceof VarLenFeature) this.addSparse(key, feature.dtype);
    else if (feature instanceof SparseFeature) {
      for (const indexKey of [feature.indexKey].flat().sort()) this.addSparse(indexKey, "int64");
      this.addSparse(feature.valueKey, feature.dtype);
    } else if (feature instanceof FixedLenFeature || feature instanceof FixedLenSequenceFeature) {
      this.needType(feature.dtype, key);
      const isSequence = feature instanceof FixedLenSequenceFeature;
      if (isSequence && !feature.allowMissing)
        throw new ValueError("Unsupported: FixedLenSequenceFeature requires allow_missing to be True.");
      if (feature.shape.dims === null) throw new ValueError(`Missing shape for feature ${key}.`);
      const shape = isSequence ? new TensorShape([null, ...feature.shape.dims]) : feature.shape;
      this.dense.push({ key, dtype: feature.dtype, shape, fallback: feature.defaultValue });
    } else throw new TypeError(`Invalid feature ${key}:${String(feature)}.`);
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
  if (fallback instanceof Tensor) return reshape(fallback, shape.asNumbers());
  return reshape(convertToTensor(fallback, { dtype, name: `key_${nodeName(key)}` }), shape.asNumbers());
}

const strings = (list: readonly string[]): NDArray => NDArray.from([...list], "string", [list.length]);

/** The tensors of all features, before places and values become sparse tensors. */
function parsed(serialized: Tensor, request: Request, names: TensorLike | null): Record<string, Tensor | SparseTensor> {
  return inNameScope({}, "ParseExample", [serialized, names], () => {
    const { dense, sparse } = request;
    const denseDefaults = dense.map(defaultOf);
    const out = ParseExampleV2({
      serialized,
      names: names ?? NDArray.zeros("string", [0]),
      sparseKeys: strings([...sparse.keys()]),
      denseKeys: strings(dense.map(({ key }) => key)),
      raggedKeys: strings([]),
      denseDefaults,
      Tdense: dense.map(({ dtype }) => dtype) as FeatureType[],
      numSparse: sparse.size,
      sparseTypes: [...sparse.values()] as FeatureType[],
      raggedValueTypes: [],
      raggedSplitTypes: [],
      denseShapes: dense.map(({ shape }) => shape),
    });
    const found: Record<string, Tensor | SparseTensor> = {};
    [...sparse.keys()].forEach((key, i) => {
      found[key] = new SparseTensor(out.sparseIndices[i], out.sparseValues[i], out.sparseShapes[i]);
    });
    dense.forEach(({ key }, i) => {
      found[key] = out.denseValues[i];
    });
    return found;
  });
}

function withSparseFeatures(found: Record<string, Tensor | SparseTensor>, features: Features): ParsedExamples {
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
export function parseExample(serialized: TensorLike, features: Features, { name, exampleNames = null }: ParseOptions = {}): ParsedExamples {
  if (!features || Object.keys(features).length === 0)
    throw new ValueError(`Argument \`features\` cannot be falsy. Got ${String(features)}`);
  const tensor = convertToTensor(serialized, { dtype: "string", name: "serialized" });
  const request = new Request(features);
  const build = (): ParsedExamples => withSparseFeatures(parsed(tensor, request, exampleNames), features);
  return name === undefined || name === null ? build() : inNameScope({ name }, "ParseExample", [tensor], build);
}

/** The features of one serialized tf.Example message. TF: tf.parse_single_example. */
export function parseSingleExample(serialized: TensorLike, features: Features, { name }: ParseOptions = {}): ParsedExamples {
  if (!features || Object.keys(features).length === 0)
    throw new ValueError(`Invalid argument: features cannot be falsy. Got ${String(features)}`);
  return getDefaultGraph().asDefault(() =>
    inNameScope({ name }, "ParseSingleExample", [serialized], () => {
      const tensor = convertToTensor(serialized, { dtype: "string", name: "serialized" });
      tensor.shape.withRank(0);
      return withSparseFeatures(parsed(tensor, new Request(features), null), features);
    }),
  );
}
