// Turning what users pass into tensors: numbers and arrays become Const nodes, lists that hold tensors become Pack nodes,
// objects with `asGraphTensor` (variables) answer for themselves. Const and Pack are defined here because conversion makes them.

import type { DType } from "../base/dtype.ts";
import { isDType, isInteger, noDtype } from "../base/dtype.ts";
import { InvalidArgumentError, ValueError } from "../base/errors.ts";
import type { ArrayLike } from "../base/ndarray.ts";
import { inferDType, isTypedArray, NDArray } from "../base/ndarray.ts";
import { pythonRepr, pythonStr, pythonType } from "../base/python-text.ts";
import { TensorShape } from "../base/shape.ts";
import { constant as constantValue, generate } from "../ir/build.ts";
import { addIndex, constantIndex } from "../ir/index-map.ts";
import { guardScalar, loadScalar } from "../ir/scalar.ts";
import * as attr from "./attributes.ts";
import { defineOp, type Gradients, type Named } from "./op-definition.ts";
import { Tensor } from "./operation.ts";
import { getDefaultGraph } from "./default-graph.ts";
import { joinArrays, partOfArray, staticValue, staticValues } from "./static-value.ts";

export { pythonType };

/** Something that stands for a tensor, such as a variable. */
export interface AsTensor {
  /** The tensor to use where a value (or, with `asRef`, a reference) is wanted. */
  asGraphTensor(options: { dtype?: DType | undefined; name?: string | undefined; asRef?: boolean }): Tensor;
}

/** A variable that can give rows without being read whole. */
export interface RowSource extends AsTensor {
  readonly dtype: DType;
  readonly shape: TensorShape;
  sparseRead(indices: TensorLike, options?: Named): Tensor;
  gatherNd(indices: TensorLike, options?: Named): Tensor;
}

/** Anything convertible to a tensor: tensors, variables, arrays, numbers, nested lists (of tensors too). */
export type TensorLike = Tensor | AsTensor | ArrayLike | TensorShape | readonly TensorLike[];

export const isAsTensor = (value: unknown): value is AsTensor =>
  typeof value === "object" && value !== null && "asGraphTensor" in value && typeof value.asGraphTensor === "function";

/** Only resource variables give rows; reference variables are gathered from as they are. */
export const isRowSource = (value: unknown): value is RowSource =>
  isAsTensor(value) && "sparseRead" in value && "isResource" in value && value.isResource === true;

/** A fixed value. */
export const Const = defineOp("Const", {
  inputs: {},
  outputs: { output: "dtype" },
  attrs: { value: attr.tensor(), dtype: attr.type() },
  shape: ({ value }) => new TensorShape(value.shape),
  gradient: "none",
  staticValue: ({ value }) => value,
  lower: ({ value }) => constantValue(value),
});

/** Tensors of one shape joined along a new axis. */
export const Pack = defineOp("Pack", {
  inputs: { values: "N*T" },
  outputs: { output: "T" },
  attrs: { N: attr.int(undefined, 1), T: attr.type(), axis: attr.int(0) },
  movesHandles: true,
  shape: ({ values, axis }) => packedShape(values, axis),
  gradient: ({ axis, values }, d): Gradients => ({ values: Unpack({ value: d.output, num: values.length, axis }, { name: "unstack" }) }),
  partial: ({ values, axis, shapes }) => {
    const [first] = values;
    if (shapes.values.every(({ rank }) => rank === 0))
      return { shape: [values.length], values: values.map(value => value?.values[0] ?? null) };
    if (first === undefined || values.some(value => value === undefined || value.shape.join() !== first.shape.join())) return undefined;
    if (first.shape.length === 0) return { shape: [values.length], values: values.map(value => value?.values[0] ?? null) };
    if (first.shape.length > 1) return undefined;
    const [rows, columns] = [values.map(value => value?.values ?? []), first.values];
    if (axis === 0 || axis === -2) return { shape: [rows.length, columns.length], values: rows.flat() };
    return { shape: [columns.length, rows.length], values: columns.flatMap((_, k) => rows.map(row => row[k])) };
  },
  followsShapes: true,
  staticValue: ({ values, axis }) => (axis === 0 ? stacked(values) : undefined),
  staticShape: ({ values }) =>
    new TensorShape(values.map(value => Number(staticValue(value)?.get(0) ?? -1)).map(size => (size < 0 ? null : size))),
  lower: ({ values, axis }) => {
    const rank = values[0].shape.length + 1;
    const at = axis < 0 ? axis + rank : axis;
    const other = values.findIndex(value => value.shape.join() !== values[0].shape.join());
    if (other >= 0)
      throw new InvalidArgumentError(
        `Shapes of all inputs must match: values[0].shape = [${values[0].shape}] != values[${other}].shape = [${values[other].shape}]`,
      );
    const shape = [...values[0].shape.slice(0, at), values.length, ...values[0].shape.slice(at)];
    return generate(shape, i => {
      const rest = i.filter((_, k) => k !== at);
      let result = loadScalar(values[values.length - 1], rest);
      for (let k = values.length - 2; k >= 0; k--)
        result = guardScalar(
          [{ index: addIndex(i[at], constantIndex(-k)), low: -values.length, high: 1 }],
          loadScalar(values[k], rest),
          result,
        );
      return result;
    });
  },
});

/** A tensor cut into its slices along an axis. */
export const Unpack = defineOp("Unpack", {
  inputs: { value: "T" },
  outputs: { output: "num*T" },
  attrs: { num: attr.int(undefined, 0), T: attr.type(), axis: attr.int(0) },
  shape: ({ value, num, axis }) => {
    if (value.dims === null) return Array.from({ length: num }, () => TensorShape.unknown());
    const at = checkAxis(axis, value.dims.length);
    const size = value.dims[at];
    if (size !== null && size !== num) throw new ValueError(`Dimension must be ${num} but is ${size}`);
    const rest = new TensorShape(value.dims.filter((_, k) => k !== at));
    return Array.from({ length: num }, () => rest);
  },
  gradient: ({ axis, num }, d): Gradients => ({ value: Pack({ values: d.output, N: num, axis }, { name: "stack" }) }),
  partial: ({ value, outputIndex }) =>
    value?.shape.length === 1 && value.isShapeOnly !== "derived" ? { shape: [], values: [value.values[outputIndex]] } : undefined,
  followsShapes: true,
  staticValue: ({ value, num, axis }, outputIndex) => {
    const known = axis === 0 ? staticValue(value) : undefined;
    return known && partOfArray(known, 0, num, outputIndex).reshape(known.shape.slice(1));
  },
  lower: ({ value, num, axis }) => {
    const rank = value.shape.length;
    const at = axis < 0 ? axis + rank : axis;
    if (at < 0 || at >= rank) throw new InvalidArgumentError(`axis = ${axis} not in [${-rank}, ${rank})`);
    if (value.shape[at] !== num) throw new InvalidArgumentError(`Input shape axis ${axis} must equal ${num}, got shape [${value.shape}]`);
    const shape = value.shape.filter((_, k) => k !== at);
    return Array.from({ length: num }, (_, k) =>
      generate(shape, i => loadScalar(value, [...i.slice(0, at), constantIndex(k), ...i.slice(at)])),
    );
  },
});

function stacked(tensors: readonly Tensor[]): NDArray | undefined {
  const values = staticValues(tensors);
  return (
    values &&
    joinArrays(
      values.map(value => value.reshape([1, ...value.shape])),
      0,
    )
  );
}

/** A common shape of inputs with that of input k. @throws ValueError naming the input. */
export function mergedInto(common: TensorShape, shape: TensorShape, k: number): TensorShape {
  try {
    return shape.mergeWith(common);
  } catch (error) {
    throw new ValueError(`${(error as ValueError).reason}\n\tFrom merging shape ${k} with other shapes.`);
  }
}

function packedShape(values: readonly TensorShape[], axis: number): TensorShape {
  let merged = values[values.length - 1];
  for (let k = values.length - 2; k >= 0; k--) merged = mergedInto(merged, values[k], k);
  if (merged.dims === null) return merged;
  const at = checkAxis(axis, merged.dims.length + 1);
  return new TensorShape([...merged.dims.slice(0, at), values.length, ...merged.dims.slice(at)]);
}

function checkAxis(axis: number, rank: number): number {
  if (axis < -rank || axis >= rank) throw new ValueError(`Invalid axis: ${axis}; must be in [${-rank},${rank})`);
  return axis < 0 ? axis + rank : axis;
}

export interface ConversionOptions {
  readonly dtype?: DType | undefined;
  /** Tried first, silently given up if it does not fit. */
  readonly preferredDtype?: DType | undefined;
  /** Another name of `preferredDtype`. */
  readonly dtypeHint?: DType | undefined;
  /** Name of the Const or Pack node that may be made. */
  readonly name?: string | undefined;
  readonly asRef?: boolean;
}

/** Makes a tensor of a value; undefined leaves it to others. */
export type ConversionFunction<T> = (value: T, dtype: DType | null, name: string | null, asRef: boolean) => Tensor | null | undefined;

interface Conversion {
  readonly isOurs: (value: unknown) => boolean;
  // any: the class and its function agree where they are registered
  readonly convert: ConversionFunction<any>;
  readonly priority: number;
}
const conversions: Conversion[] = [];

/** Has objects of a class (or of classes) converted by a function wherever a tensor is wanted; lower priorities first.
 *  TF: tf.register_tensor_conversion_function. @throws TypeError for anything but classes and a function. */
export function registerTensorConversionFunction<T>(
  // any: a class with whatever constructor
  baseType: (abstract new (...args: any[]) => T) | readonly (abstract new (...args: any[]) => T)[],
  conversionFunc: ConversionFunction<T>,
  priority = 100,
): void {
  const classes = Array.isArray(baseType) ? baseType : [baseType];
  if (!classes.every(item => typeof item === "function")) throw new TypeError("base_type must be a type or a tuple of types.");
  if (typeof conversionFunc !== "function") throw new TypeError(`conversion_func must be callable: ${String(conversionFunc)}`);
  conversions.push({ isOurs: value => classes.some(item => value instanceof item), convert: conversionFunc, priority });
  conversions.sort((a, b) => a.priority - b.priority);
}

function convertedByUser(value: unknown, { dtype, name, asRef = false }: ConversionOptions): Tensor | undefined {
  for (const { isOurs, convert } of conversions) {
    const made = isOurs(value) ? convert(value, dtype ?? null, name ?? null, asRef) : undefined;
    if (made !== null && made !== undefined) return made;
  }
  return undefined;
}

/** Converts to a tensor of the default graph. TF: tf.convert_to_tensor.
 *  @throws ValueError for null, for a tensor of another type than `dtype`; TypeError for values the type cannot hold. */
export function convertToTensor(value: TensorLike, options: ConversionOptions = {}): Tensor {
  const { dtype, name, asRef = false, preferredDtype = options.dtypeHint } = options;
  for (const type of [dtype, preferredDtype]) if (type && !isDType(type)) throw noDtype(type);
  if (value instanceof Tensor) {
    if (dtype !== undefined && value.dtype !== dtype)
      throw new ValueError(
        `${name === undefined ? "" : `${name}: `}Tensor conversion requested dtype ${dtype} for Tensor with dtype ${value.dtype}: ${describe(value)}`,
        "Use tf.cast(x, dtype) to convert a tensor to another type.",
      );
    return value;
  }
  if (isAsTensor(value)) return value.asGraphTensor({ dtype, name, asRef });
  if (value === null || value === undefined) throw new ValueError("None values not supported.");
  const converted = conversions.length > 0 ? convertedByUser(value, options) : undefined;
  if (converted !== undefined) return converted;
  if (value instanceof TensorShape) return makeConstant(NDArray.from(shapeNumbers(value), dtype ?? "int32", [value.asList().length]), name);
  if (Array.isArray(value) && containsTensor(value)) {
    const first = dtypeOfFirstTensor(value);
    return dtype === undefined || dtype === first ? pack(value, first, name) : pack(castWithin(value, dtype), dtype, name);
  }
  return makeConstant(toArray(value as ArrayLike, dtype, preferredDtype), name);
}

function shapeNumbers(shape: TensorShape): number[] {
  if (!shape.isFullyDefined)
    throw new ValueError(`Cannot convert a partially known TensorShape ${shape} to a Tensor.`, "tf.shape(x) is known while running.");
  return [...shape.asNumbers()];
}
/** A tensor as Python prints it. */
export const describe = (tensor: Tensor): string => `<tf.Tensor '${tensor.name}' shape=${tensor.shape} dtype=${tensor.dtypeName}>`;
/** `repr` of what a call is given, tensors among it. */
export const representation = (value: unknown): string =>
  value instanceof Tensor ? describe(value) : pythonRepr(value, item => (item instanceof Tensor ? describe(item) : String(item)));
/** Made without a name scope, as TensorFlow does: a bad name is refused as a node's. */
const makeConstant = (value: NDArray, name = "Const"): Tensor =>
  getDefaultGraph().createOperation(Const, [], { value, dtype: value.dtype }, name).outputs[0];

export const containsTensor = (value: readonly unknown[]): boolean =>
  value.some(item => item instanceof Tensor || isAsTensor(item) || (Array.isArray(item) && containsTensor(item)));

function dtypeOfFirstTensor(value: readonly unknown[]): DType | undefined {
  for (const item of value) {
    if (item instanceof Tensor) return item.dtype;
    if (isAsTensor(item)) return item.asGraphTensor({}).dtype;
    if (Array.isArray(item)) {
      const inner = dtypeOfFirstTensor(item);
      if (inner) return inner;
    }
  }
  return undefined;
}

/** How a tensor in a list becomes one of the type that is asked for: the cast of ops/, which is attached as the operators are. */
export const castOperator = Symbol("cast");
interface Castable {
  [castOperator]?(dtype: DType): Tensor;
}

/** The list with its tensors cast. TF does so where the first of them has another type than the one asked for. */
const castWithin = (value: readonly unknown[], dtype: DType): readonly unknown[] =>
  value.map(item => {
    if (Array.isArray(item)) return castWithin(item, dtype);
    const tensor = isAsTensor(item) ? item.asGraphTensor({}) : item;
    return tensor instanceof Tensor && tensor.dtype !== dtype ? ((tensor as Castable)[castOperator]?.(dtype) ?? tensor) : item;
  });

function pack(value: readonly unknown[], dtype: DType | undefined, name = "packed"): Tensor {
  const graph = getDefaultGraph();
  return graph.nameScope(name, scope => {
    // In Python's order: inner lists first, each in a scope of its own, even those that hold no tensor and become constants with the others.
    const inner = value.map((item, i): unknown => {
      if (!Array.isArray(item)) return item;
      if (containsTensor(item)) return pack(item, dtype, String(i));
      graph.nameScope(String(i), () => undefined);
      return item;
    });
    const items = inner.map((item, i): Tensor => {
      const tensor = convertToTensor(item as TensorLike, {
        dtype: isAsTensor(item) || item instanceof Tensor ? undefined : dtype,
        name: String(i),
      });
      if (dtype !== undefined && tensor.dtype !== dtype)
        throw new TypeError(
          `Cannot convert a list containing a tensor of dtype <dtype: '${tensor.dtype}'> to <dtype: '${dtype}'> (Tensor is: ${describe(tensor)})`,
        );
      return tensor;
    });
    return Pack({ values: items }, { name: scope });
  });
}

/** Numbers and arrays under TensorFlow's rules of what fits a type; a copy, so that what the caller writes later changes no graph. */
export function toArray(value: ArrayLike, dtype: DType | undefined, preferred?: DType): NDArray {
  if (dtype === "variant" || dtype === "resource") throw new TypeError(noArray(value, dtype));
  if (dtype !== undefined) checkFits(value, dtype);
  else if (Array.isArray(value) && commonKind(value) === null) throw new TypeError(noCommonType(value));
  const array = NDArray.from(value, dtype ?? (preferred !== undefined && fits(value, preferred) ? preferred : undefined));
  const isShared = array.data === (value instanceof NDArray ? value.data : value);
  return isShared ? new NDArray(array.dtype, array.shape, array.data.slice()) : array;
}

type LeafKind = "number" | "string";

/** Whether nested lists hold numbers (booleans among them) or texts; null for a mixture and for None, undefined where nothing tells. */
function commonKind(value: readonly unknown[]): LeafKind | null | undefined {
  let common: LeafKind | undefined;
  for (const item of value) {
    if (item === null || item === undefined) return null;
    let kind: LeafKind | null | undefined;
    if (Array.isArray(item)) kind = commonKind(item);
    else if (typeof item === "string") kind = "string";
    else if (typeof item !== "object") kind = "number";
    if (kind === null || (common !== undefined && kind !== undefined && kind !== common)) return null;
    common ??= kind;
  }
  return common;
}

/** numpy's types: what has no common one is an array of objects. */
function noArray(value: ArrayLike, dtype: DType): string {
  const leaves = (Array.isArray(value) ? value.flat(9) : [value]) as readonly unknown[];
  const isText = leaves.every(leaf => typeof leaf === "string");
  const width = Math.max(1, ...leaves.map(leaf => String(leaf).length));
  const type = isText ? `<U${width}` : leaves.some(leaf => leaf === null) ? "object" : inferDType(value);
  return `\`dtype\` <dtype: '${dtype}'> is not compatible with ${pythonStr(value)} of dtype ${type}.`;
}

const noCommonType = (value: readonly unknown[], isTuple = false): string =>
  `Failed to convert elements of ${isTuple ? tupleText(value) : representation(value)} to Tensor. Consider casting elements to a supported type. See https://www.tensorflow.org/api_docs/python/tf/dtypes for supported TF dtypes.`;

const tupleText = (items: readonly unknown[]): string => `(${items.map(representation).join(", ")}${items.length === 1 ? "," : ""})`;

/** Numbers, lists of them or a tensor as integers, where TensorFlow tells no type: whole ones are int32, other values what they are by themselves.
 *  @throws TypeError for lists that have no type, written as a tuple where TensorFlow makes one of them. */
export function convertIntegers(value: TensorLike, name?: string, isTuple = false): Tensor {
  if (!Array.isArray(value) || containsTensor(value))
    return convertToTensor(value, { name, dtype: Array.isArray(value) || Number.isInteger(value) ? "int32" : undefined });
  if (commonKind(value) === null) throw new TypeError(noCommonType(value, isTuple));
  const leaves = value.flat(9);
  // Lists of nothing are floats, but for a shape.
  if (leaves.length === 0 && (value.length > 0 || !isTuple)) return convertToTensor(value, { name });
  const isWhole = leaves.every(leaf => typeof leaf === "boolean" || Number.isInteger(leaf));
  const isBool = leaves.length > 0 && leaves.every(leaf => typeof leaf === "boolean");
  const isLarge = leaves.some(leaf => typeof leaf === "number" && Math.abs(leaf) >= 2 ** 31);
  return convertToTensor(value, { name, dtype: isWhole && !isBool ? (isLarge ? "int64" : "int32") : undefined });
}

/** @throws TypeError for a list of what has no common type, where TensorFlow asks for none. */
export function refuseMixed(value: unknown): void {
  if (Array.isArray(value) && !containsTensor(value) && commonKind(value) === null) throw new TypeError(noCommonType(value));
}

const fits = (value: ArrayLike, dtype: DType): boolean => {
  try {
    checkFits(value, dtype);
    return true;
  } catch {
    return false;
  }
};

/** @throws TypeError if a bare number, string or boolean inside does not fit; typed arrays and NDArrays are cast. */
export function checkFits(value: ArrayLike, dtype: DType): void {
  if (value instanceof NDArray || isTypedArray(value)) return;
  if (Array.isArray(value)) {
    for (const item of value) checkFits(item, dtype);
    return;
  }
  const isNone = value === null || value === undefined;
  const expected = `Expected ${dtype}, but got ${pythonStr(value)} of type '${pythonType(value)}'.`;
  if (isNone) throw new TypeError(expected);
  if (typeof value === "string" && dtype !== "string") throw new TypeError(expected);
  if (typeof value !== "string" && dtype === "string" && !(value instanceof Uint8Array)) throw new TypeError(expected);
  if (typeof value === "number" && isInteger(dtype) && !Number.isInteger(value)) throw new TypeError(expected);
  if (typeof value === "number" && dtype === "bool") throw new TypeError(expected);
}

/** The type a value will have once converted, and whether that is certain (a tensor, an array) or a bare literal's default. */
export function literalType(value: unknown): { dtype: DType | undefined; isCertain: boolean } {
  if (value instanceof Tensor) return { dtype: value.dtype, isCertain: true };
  if (isAsTensor(value)) {
    const { dtype } = value as { dtype?: unknown };
    return { dtype: isDType(dtype) ? dtype : undefined, isCertain: true };
  }
  if (value instanceof NDArray || isTypedArray(value)) return { dtype: inferDType(value), isCertain: false };
  if (value instanceof TensorShape) return { dtype: "int32", isCertain: false };
  if (Array.isArray(value) && containsTensor(value)) return { dtype: dtypeOfFirstTensor(value), isCertain: true };
  if (value === null || value === undefined) return { dtype: undefined, isCertain: false };
  if (Array.isArray(value) && commonKind(value) === null) return { dtype: undefined, isCertain: false };
  return { dtype: inferDType(value as ArrayLike), isCertain: false };
}
