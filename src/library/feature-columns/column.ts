// What all feature columns share: a column turns features (tensors by name) into something dense or into ids; the cache sees to it that each feature
// and each column is transformed once. TF: tf.feature_column.

import { type DType, isInteger } from "../../base/dtype.ts";
import { ValueError } from "../../base/errors.ts";
import type { TensorShape } from "../../base/shape.ts";
import { convertToTensor, type TensorLike } from "../../graph/conversion.ts";
import { pythonClass, pythonStr } from "../../base/python-text.ts";
import type { Tensor } from "../../graph/operation.ts";
import { SparseTensor } from "../../graph/sparse-tensor.ts";
import { expandDims, rank, shape as shapeOf } from "../../ops/array/array.ts";
import { gatherNd } from "../../ops/array/gather.ts";
import { where } from "../../ops/array/selection.ts";
import { getItem } from "../../ops/array/slicing.ts";
import { assertPositive } from "../../ops/flow/check.ts";
import { cond } from "../../ops/flow/control-flow-contexts.ts";
import { cast } from "../../ops/math/cast.ts";
import { equal, notEqual } from "../../ops/math/comparison.ts";
import { itemsOf } from "../../graph/iterating.ts";
import { inNameScope } from "../../ops/named.ts";
import { sparseReshape } from "../../ops/sparse/structure.ts";
import type { Features } from "../features.ts";
import { convertToTensorOrSparseTensor } from "../graph-inspection.ts";

/** Tensors by the names of features. */
export type FeatureTensors = Readonly<Record<string, TensorLike | SparseTensor>>;
type AnyTensor = Tensor | SparseTensor;

/** Ids, and their weights where they have any. */
export interface WeightedIds {
  readonly ids: SparseTensor;
  readonly weights: SparseTensor | null;
}

/** Where a column's variables go. */
export interface WeightOptions {
  readonly collections: readonly string[];
  readonly trainable: boolean;
}

/** A description of a feature. Made by functions such as numericColumn. */
export abstract class FeatureColumn {
  /** The name by which columns are told apart and sorted, and their variables are called. */
  abstract readonly name: string;
  /** The scope of the column's variables. */
  get scopeName(): string {
    return this.name;
  }
  /** What a parser of tf.Example messages has to look for. */
  abstract get parseExampleSpec(): Features;
  /** What is computed of the features, once for a cache. */
  abstract transform(features: FeatureCache): unknown;
  /** The fields, in TensorFlow's order, for messages. */
  protected abstract fields(): Readonly<Record<string, unknown>>;
  /** The name of TensorFlow's class. */
  protected abstract get kind(): string;

  toString(): string {
    const fields = Object.entries(this.fields()).map(([key, value]) => `${key}=${pythonText(value)}`);
    return `${this.kind}(${fields.join(", ")})`;
  }
}

const dtypeText = (dtype: DType): string => `tf.${dtype}`;

function pythonText(value: unknown): string {
  if (value === null || value === undefined) return "None";
  if (value instanceof FeatureColumn) return String(value);
  if (typeof value === "boolean") return value ? "True" : "False";
  if (Array.isArray(value)) return `(${value.map(pythonText).join(", ")}${value.length === 1 ? "," : ""})`;
  if (typeof value === "string") return value.startsWith("tf.") ? value : `'${value}'`;
  return String(value);
}

/** A column that gives numbers: `[batch, ...variableShape]`. */
export interface DenseColumn extends FeatureColumn {
  readonly variableShape: TensorShape;
  denseTensor(features: FeatureCache, weights: WeightOptions): Tensor;
}

/** A column that gives ids of [0, numBuckets), or -1. */
export interface CategoricalColumn extends FeatureColumn {
  readonly numBuckets: number;
  weightedIds(features: FeatureCache): WeightedIds;
}

export const isDense = (column: unknown): column is DenseColumn => column instanceof FeatureColumn && "denseTensor" in column;
export const isCategorical = (column: unknown): column is CategoricalColumn => column instanceof FeatureColumn && "weightedIds" in column;

/** The features of one layer: raw ones with two dimensions at least, and what columns made of them. */
export class FeatureCache {
  private readonly features: FeatureTensors;
  private readonly made = new Map<string | FeatureColumn, unknown>();

  constructor(features: FeatureTensors) {
    this.features = { ...features };
  }

  /** @throws ValueError for a feature that is not there or a scalar. */
  feature(key: string): AnyTensor {
    const known = this.made.get(key);
    if (known !== undefined) return known as AnyTensor;
    if (!Object.hasOwn(this.features, key)) throw new ValueError(`Feature ${key} is not in features dictionary.`);
    const tensor = withTwoDimensions(key, convertToTensorOrSparseTensor(this.features[key] as TensorLike));
    this.made.set(key, tensor);
    return tensor;
  }

  /** What a column makes of the features. */
  of<T>(column: FeatureColumn): T {
    if (!this.made.has(column)) this.made.set(column, column.transform(this));
    return this.made.get(column) as T;
  }
}

function withTwoDimensions(key: string, tensor: AnyTensor): AnyTensor {
  const refusal = `Feature (key: ${key}) cannot have rank 0. Given: ${tensor}`;
  const expanded = (): AnyTensor =>
    tensor instanceof SparseTensor ? sparseReshape(tensor, [getItem(sparseSizes(tensor), 0), 1]) : expandDims(tensor, -1);
  const known = tensor.shape.rank;
  if (known === 0) throw new ValueError(refusal);
  if (known !== null) return known === 1 ? expanded() : tensor;
  if (tensor instanceof SparseTensor) throw new ValueError(refusal, "The rank of a sparse feature has to be known.");
  const isSome = assertPositive(rank(tensor), { message: refusal });
  return tensor.graph.controlDependencies([isSome], () =>
    cond(
      equal(1, rank(tensor)),
      () => expandDims(tensor, -1),
      () => tensor,
    ),
  ) as Tensor;
}

/** The sizes of a sparse tensor, int32. */
export const sparseSizes = (tensor: SparseTensor): Tensor =>
  inNameScope({}, "Shape", [tensor.denseShape], () => cast(tensor.denseShape, "int32"));

/** A feature as a sparse tensor; of a dense one those elements that are not "", -1, or the given value. */
export function toSparse(given: AnyTensor, ignored?: number): SparseTensor {
  if (given instanceof SparseTensor) return given;
  return inNameScope({}, "to_sparse_input", [given], () => {
    const ignoredValue = inNameScope({ name: "ignore_value" }, "", [], scope => {
      const dtype = given.dtype === "string" ? "string" : isInteger(given.dtype) ? "int32" : "float32";
      const fallback = dtype === "string" ? "" : dtype === "int32" ? -1 : 0;
      return cast(convertToTensor(ignored ?? fallback, { dtype, name: "x" }), given.dtype, scope);
    });
    const indices = where(notEqual(given, ignoredValue), { name: "indices" }) as Tensor;
    const values = gatherNd(given, indices, { name: "values" });
    return new SparseTensor(indices, values, shapeOf(given, { outType: "int64", name: "dense_shape" }));
  });
}

/** @throws ValueError unless the type is string or an integer type. */
export function requireStringOrInteger(dtype: DType, prefix: string): void {
  if (dtype !== "string" && !isInteger(dtype))
    throw new ValueError(`${prefix} dtype must be string or integer. dtype: <dtype: '${dtype}'>.`);
}

/** @throws ValueError unless a feature's type is one that a column takes. */
export function requireCompatible(key: string, wanted: DType, found: DType): void {
  if (isInteger(wanted) !== isInteger(found))
    throw new ValueError(
      `Column dtype and SparseTensors dtype must be compatible. key: ${key}, column dtype: <dtype: '${wanted}'>, tensor dtype: <dtype: '${found}'>`,
    );
}

export function requireStringKey(key: unknown): void {
  if (typeof key !== "string") throw new ValueError(`key must be a string. Got: type ${pythonClass(key)}. Given key: ${pythonStr(key)}.`);
}

/** A list of columns with different names. @throws ValueError for anything else. */
export function checkedColumns(given: FeatureColumn | readonly FeatureColumn[]): readonly FeatureColumn[] {
  const columns = given instanceof FeatureColumn ? [given] : typeof given === "string" ? itemsOf(given) : given;
  if (!Array.isArray(columns)) throw new ValueError("Expected feature_columns to be iterable, found dict.");
  const byName = new Map<string, FeatureColumn>();
  for (const column of columns as readonly FeatureColumn[]) {
    if (!(column instanceof FeatureColumn))
      throw new ValueError(`Items of feature_columns must be a _FeatureColumn. Given (type ${pythonClass(column)}): ${pythonStr(column)}.`);
  }
  if (columns.length === 0) throw new ValueError("feature_columns must not be empty.");
  for (const column of columns as readonly FeatureColumn[]) {
    const other = byName.get(column.name);
    if (other !== undefined)
      throw new ValueError(
        `Duplicate feature column name found for columns: ${column} and ${other}. This usually means that these columns refer to same base feature. Either one must be discarded or a duplicated but renamed item must be inserted in features dict.`,
      );
    byName.set(column.name, column);
  }
  return columns;
}

/** By name, as text is compared in Python. */
export const byName = (a: { readonly name: string }, b: { readonly name: string }): number =>
  a.name < b.name ? -1 : a.name > b.name ? 1 : 0;

export { dtypeText };
