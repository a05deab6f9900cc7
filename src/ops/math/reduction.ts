// Reductions along axes: sum, mean, product, extremes, any, all, norms, argmax; running sums and products. Segments are math/segment.ts.

import type { DType } from "../../base/dtype.ts";
import { isComplex, isInteger } from "../../base/dtype.ts";
import { InvalidArgumentError, ValueError } from "../../base/errors.ts";
import { NDArray } from "../../base/ndarray.ts";
import { sizeOf, TensorShape } from "../../base/shape.ts";
import * as attr from "../../graph/attributes.ts";
import { convertToTensor, literalType, type TensorLike } from "../../graph/conversion.ts";
import { defineOp, type Gradients, type Named, type PartialArray, type ShapeContext } from "../../graph/op-definition.ts";
import type { Tensor } from "../../graph/operation.ts";
import { staticValue } from "../../graph/static-value.ts";
import * as ir from "../../ir/build.ts";
import type { Combine, Value } from "../../ir/program.ts";
import { s } from "../../ir/scalar.ts";
import { collect, eitherName, need } from "../arguments.ts";
import { constant, identity, numbersOf, ones, rank, reshape, Shape, shape, size, stopGradient, zeros } from "../array/array.ts";
import { broadcastTo, tile } from "../array/padding.ts";
import { DynamicStitch, ListDiff } from "../array/partition.ts";
import { range } from "../array/ranges.ts";
import { invertPermutation, transpose } from "../array/rearranging.ts";
import { whereV2 } from "../array/selection.ts";
import { concat } from "../array/slicing.ts";
import { gather } from "../array/gather.ts";
import { cond } from "../flow/control-flow-contexts.ts";
import { add, divide, divNoNan, Maximum, subtract, truediv } from "./math.ts";
import { cast } from "./cast.ts";
import { equal, greater, less, notEqual } from "./comparison.ts";
import { conj, exp, isFinite, log, real, sqrt, square } from "./functions.ts";
import { inNameScope, type NameOption } from "../named.ts";
import * as operator from "../operators.ts";

// ---- what reductions share ----

/** @throws ValueError with TensorFlow's text. */
function positive(axis: number, length: number): number {
  if (axis < -length || axis >= length) throw new ValueError(`Invalid reduction dimension ${axis} for input with ${length} dimensions.`);
  return axis < 0 ? axis + length : axis;
}

function reducedShape(input: TensorShape, indices: TensorShape, axes: NDArray | undefined, keepDims: boolean): TensorShape {
  indices.withRankAtMost(1);
  const { dims } = input;
  if (dims === null) return TensorShape.unknown();
  if (axes === undefined) return keepDims ? TensorShape.unknownOfRank(dims.length) : TensorShape.unknown();
  const gone = new Set(numbersOf(axes).map(axis => positive(axis, dims.length)));
  return new TensorShape(keepDims ? dims.map((d, axis) => (gone.has(axis) ? 1 : d)) : dims.filter((_, axis) => !gone.has(axis)));
}

/** Axes as the primitive wants them: from the front, each once, in order. @throws InvalidArgumentError with the kernel's text. */
function axesOf(axes: NDArray, length: number): number[] {
  const list = numbersOf(axes).map(axis => {
    if (axis < -length || axis >= length)
      throw new InvalidArgumentError(`Invalid reduction dimension (${axis} for input with ${length} dimension(s)`);
    return axis < 0 ? axis + length : axis;
  });
  if (new Set(list).size < list.length)
    throw new InvalidArgumentError(
      `Invalid reduction arguments: Axes contains duplicate dimension: ${list.find((axis, i) => list.indexOf(axis) < i)}`,
    );
  return list.sort((a, b) => a - b);
}

type ReductionRecord = { readonly input: Tensor; readonly reductionIndices: Tensor; readonly output: Tensor; readonly keepDims: boolean };
type ReductionGradient = (record: ReductionRecord, dy: Tensor) => Tensor | null;

/** A vector reduced to one number, for shapes that are computed. */
const partialOf =
  (f: (values: readonly number[]) => number | null) =>
  ({
    input,
    reductionIndices: axes,
    keepDims,
  }: {
    input: PartialArray | undefined;
    reductionIndices: PartialArray | undefined;
    keepDims: boolean;
  }) => {
    if (input?.shape.length !== 1 || axes === undefined || axes.values.length !== 1 || keepDims) return undefined;
    const value = input.values.includes(null) ? null : f(input.values as readonly number[]);
    return { shape: [], values: [value] };
  };

const reductionOp = (
  type: string,
  types: readonly DType[],
  reduce: (input: Value, axes: readonly number[], keepDims: boolean) => Value,
  gradient: ReductionGradient | undefined,
  partial?: (values: readonly number[]) => number | null,
) =>
  defineOp(type, {
    inputs: { input: "T", reductionIndices: "Tidx" },
    outputs: { output: "T" },
    attrs: { keepDims: attr.bool(false), T: attr.type(types), Tidx: attr.type(attr.indexTypes, "int32") },
    shape: ({ input, reductionIndices, keepDims }, context) =>
      reducedShape(input, reductionIndices, context.constant("reductionIndices"), keepDims),
    ...(gradient && {
      gradient: (record: ReductionRecord, d: { readonly output: Tensor }): Gradients => ({ input: gradient(record, d.output) }),
    }),
    ...(partial && { partial: partialOf(partial) }),
    compileTimeInputs: ["reductionIndices"],
    // The kernel takes axes of any rank.
    isLenient: true,
    lower: ({ input, reductionIndices, keepDims }) => reduce(input, axesOf(reductionIndices, input.shape.length), keepDims),
  });

/** A combination as it is: without axes nothing is combined. */
const combining =
  (combine: Combine) =>
  (input: Value, axes: readonly number[], keepDims: boolean): Value =>
    axes.length === 0 ? input : ir.reduce(combine, input, axes, { keepDims });

// ---- gradients ----

/** The shape with ones for the reduced axes: numbers where it is known. */
export function shapeKeepingDims(inputShape: Tensor, axes: Tensor): Tensor | number[] {
  const [known, knownAxes] = [staticValue(inputShape), staticValue(axes)];
  if (known && knownAxes) return withOnes(numbersOf(known), numbersOf(knownAxes));
  const length = size(inputShape, { outType: axes.dtype });
  const front = operator.mod(operator.add(axes, length), length);
  const axesShape = shape(front);
  const all = range(length);
  return DynamicStitch({ indices: [cast(all, "int32"), cast(front, "int32")], data: [inputShape, ones(axesShape, inputShape.dtype)] });
}

const withOnes = (dims: readonly number[], axes: readonly number[]): number[] => {
  const gone = axes.map(axis => (axis < 0 ? axis + dims.length : axis));
  return dims.map((d, axis) => (gone.includes(axis) ? 1 : d));
};

/** The gradient repeated over what was summed. */
function spread({ input, reductionIndices, keepDims }: ReductionRecord, dy: Tensor): Tensor {
  const { dims } = input.shape;
  const axes = dims && staticValue(reductionIndices);
  if (dims && axes) {
    const list = numbersOf(axes);
    if (axes.rank === 1 && list.length === dims.length && list.every((axis, i) => axis === i)) {
      const column = reshape(
        dy,
        dims.map(() => 1),
      );
      return tile(column, input.shape.isFullyDefined ? constant([...input.shape.asNumbers()], "int32", [dims.length]) : shape(input));
    }
    if (input.shape.isFullyDefined) {
      const kept = withOnes(input.shape.asNumbers(), list);
      noteScaling(input, kept, list);
      return tile(
        reshape(dy, kept),
        input.shape.asNumbers().map((d, axis) => Math.floor(d / Math.max(kept[axis], 1))),
      );
    }
  }
  const inputShape = shape(input);
  const kept = keepDims
    ? dy
    : reshape(
        dy,
        inputShape.graph.colocateWith(inputShape, undefined, () => shapeKeepingDims(inputShape, reductionIndices)),
      );
  return broadcastTo(kept, inputShape);
}

/** TensorFlow works the multiples out with nodes, once in a graph for a shape and its axes; they stay behind unused, and so they do here. */
function noteScaling({ graph, shape: { dims } }: Tensor, kept: readonly number[], axes: readonly number[]): void {
  const noted = graph.attached(noteScaling, () => new Set<string>());
  const key = `${dims}:${axes}`;
  if (noted.has(key)) return;
  noted.add(key);
  const vector = (values: readonly (number | null)[]): NDArray => NDArray.from(values as number[], "int32", [values.length]);
  operator.floordiv(vector(dims ?? []), Maximum({ x: vector(kept), y: 1 }));
}

/** How many elements each mean is over, as a tensor of the gradient's type. */
function meanCount({ input, reductionIndices, output }: ReductionRecord, type: DType): Tensor {
  if (input.shape.isFullyDefined && output.shape.isFullyDefined)
    return constant(Math.floor(sizeOf(input.shape.asNumbers()) / Math.max(sizeOf(output.shape.asNumbers()), 1)), type);
  const inputShape = shape(input);
  const length = size(inputShape);
  const axes = operator.mod(operator.add(cast(reductionIndices, length.dtype), length), length);
  return cast(reduceProd(gather(inputShape, axes)), type);
}

const extremeGradient: ReductionGradient = ({ input, reductionIndices, output, keepDims }, dy) => {
  const inputShape = shape(input);
  const kept = keepDims ? shape(output) : shapeKeepingDims(inputShape, reductionIndices);
  const [y, d] = keepDims ? [output, dy] : [reshape(output, kept), reshape(dy, kept)];
  // Equal extremes share the gradient.
  const indicators = cast(equal(y, input), d.dtype);
  const count = reshape(reduceSum(indicators, reductionIndices), kept);
  return operator.mul(divide(indicators, count), d);
};

/** The product of all others, by running products from both sides: right where elements are zero. */
const productGradient: ReductionGradient = ({ input, reductionIndices, keepDims }, dy) => {
  const inputShape = shape(input);
  const given = reshape(reductionIndices, [-1]);
  const kept = keepDims ? dy : reshape(dy, shapeKeepingDims(inputShape, reductionIndices));
  const d = broadcastTo(kept, inputShape);
  const { perm, reducedSize, otherSize } = input.graph.device("/cpu:0", () => {
    const length = rank(input);
    const reduced = operator.mod(operator.add(cast(given, length.dtype), length), length);
    const { out: other } = ListDiff({ x: range(0, length), y: reduced, outIdx: "int32" });
    return {
      perm: concat([reduced, other], 0),
      reducedSize: reduceProd(gather(inputShape, reduced)),
      otherSize: reduceProd(gather(inputShape, other)),
    };
  });
  const permuted = transpose(input, perm);
  const permutedShape = shape(permuted);
  const rows = reshape(permuted, [reducedSize, otherSize]);
  const left = cumprod(rows, 0, { exclusive: true });
  const right = cumprod(rows, 0, { exclusive: true, reverse: true });
  const others = reshape(operator.mul(conj(left), conj(right)), permutedShape);
  return reshape(operator.mul(d, transpose(others, invertPermutation(perm))), inputShape);
};

// ---- the ops ----

const sumWithin: (input: Value, axes: readonly number[], keepDims: boolean) => Value = combining("sum");

/** Means of short floats are summed in float32, so that the sum cannot overflow. */
/** Narrow types are added up in wider ones, so that a mean never overflows; int64 and uint64 wrap. */
const meanSums: { readonly [type in DType]?: DType } = {
  float16: "float32",
  bfloat16: "float32",
  int8: "int64",
  int16: "int64",
  int32: "int64",
  uint8: "uint64",
  uint16: "uint64",
  uint32: "uint64",
};

function meanOf(input: Value, axes: readonly number[], keepDims: boolean): Value {
  if (axes.length === 0) return input;
  const type = input.dtype;
  const count = sizeOf(axes.map(axis => input.shape[axis]));
  const sum = ir.reduce("sum", ir.cast(input, meanSums[type] ?? type), axes, { keepDims });
  return ir.map(x => s.cast(s.div(x, count), type), sum);
}

const squaresOf = (input: Value): Value => ir.map(x => s.mul(isComplex(x.dtype) ? s.conj(x) : x, x), input);

function euclideanNormOf(input: Value, axes: readonly number[], keepDims: boolean): Value {
  if (isInteger(input.dtype)) return ir.cast(ir.map(s.sqrt, ir.cast(sumWithin(squaresOf(input), axes, keepDims), "float64")), input.dtype);
  const isShort = input.dtype === "float16" || input.dtype === "bfloat16";
  const squares = squaresOf(isShort ? ir.cast(input, "float32") : input);
  return ir.map(x => s.cast(s.sqrt(x), input.dtype), sumWithin(squares, axes, keepDims));
}

const orderedTypes = [...attr.realNumbers, "qint8", "quint8", "qint32", "qint16", "quint16"] as const satisfies readonly DType[];
const product = (values: readonly number[]): number => values.reduce((p, v) => p * v, 1);

export const Sum = reductionOp("Sum", attr.numbers, sumWithin, spread, values => values.reduce((sum, v) => sum + v, 0));
export const Mean = reductionOp("Mean", attr.numbers, meanOf, (record, dy) => {
  const sums = spread(record, dy);
  return truediv(sums, meanCount(record, sums.dtype));
});
export const Prod = reductionOp("Prod", attr.numbers, combining("prod"), productGradient, product);
export const Max = reductionOp("Max", orderedTypes, combining("max"), extremeGradient, values =>
  // Of nothing it is the least number, which tf.bincount multiplies by 0.
  values.length === 0 ? -(2 ** 31) : Math.max(...values),
);
export const Min = reductionOp("Min", orderedTypes, combining("min"), extremeGradient, values =>
  values.length === 0 ? null : Math.min(...values),
);

export const EuclideanNorm = reductionOp(
  "EuclideanNorm",
  attr.numbers,
  euclideanNormOf,
  ({ input, reductionIndices, output, keepDims }, dy) => {
    const kept = keepDims ? undefined : shapeKeepingDims(shape(input), reductionIndices);
    const [y, d] = kept === undefined ? [output, dy] : [reshape(output, kept), reshape(dy, kept)];
    return truediv(input, operator.truediv(y, d));
  },
);

const logicalOp = (type: string, combine: "all" | "any") =>
  defineOp(type, {
    inputs: { input: "bool", reductionIndices: "Tidx" },
    outputs: { output: "bool" },
    attrs: { keepDims: attr.bool(false), Tidx: attr.type(attr.indexTypes, "int32") },
    shape: ({ input, reductionIndices, keepDims }, context) =>
      reducedShape(input, reductionIndices, context.constant("reductionIndices"), keepDims),
    compileTimeInputs: ["reductionIndices"],
    isLenient: true,
    partial: partialOf(values => Number(combine === "all" ? values.every(Boolean) : values.some(Boolean))),
    lower: ({ input, reductionIndices, keepDims }) => combining(combine)(input, axesOf(reductionIndices, input.shape.length), keepDims),
  });

export const All = logicalOp("All", "all");
export const Any = logicalOp("Any", "any");

// ---- the functions ----

/** Axes: one, several, a tensor of them, or null for all. */
export type Axis = number | readonly number[] | Tensor | NDArray | null;

export interface ReduceOptions extends Named {
  readonly axis?: Axis;
  /** Keeps reduced axes with size 1. */
  readonly keepdims?: boolean | null;
  /** Older names of `axis` and `keepdims`. */
  readonly reductionIndices?: Axis;
  readonly keepDims?: boolean | null;
}

const reduceNames = ["axis", "keepdims", "name", "reductionIndices", "keepDims"] as const;

const isTrue = (value: unknown): boolean => (Array.isArray(value) ? value.length > 0 : Boolean(value));

interface Given {
  readonly axis: TensorLike | null;
  readonly keepDims: boolean;
  readonly name: Named["name"];
}

function given(rest: readonly unknown[]): Given {
  const { axis, keepdims, name, reductionIndices, keepDims } = collect<ReduceOptions>(reduceNames, rest);
  return {
    axis: eitherName("axis", axis, "reduction_indices", reductionIndices) ?? null,
    // Python's bool(): whatever is there is true.
    keepDims: isTrue(eitherName("keepdims", keepdims, "keep_dims", keepDims)),
    name,
  };
}

type ReductionOp = (record: { input: TensorLike; reductionIndices: TensorLike; keepDims: boolean }, options?: Named) => Tensor;

function reduceBy(op: ReductionOp, inputTensor: TensorLike, { axis, keepDims, name }: Given): Tensor {
  if (axis !== null) return op({ input: inputTensor, reductionIndices: axis, keepDims }, { name });
  const input = convertToTensor(inputTensor);
  const result = input.graph.asDefault(() => op({ input, reductionIndices: allAxes(input), keepDims }, { name }));
  if (!keepDims) result.setShape([]);
  return result;
}

/** All axes of a tensor, as TensorFlow writes them down. */
const allAxes = (input: Tensor): Tensor =>
  input.shape.rank
    ? constant(
        Array.from({ length: input.shape.rank }, (_, i) => i),
        "int32",
      )
    : range(0, rank(input));

interface Reduce {
  (inputTensor: TensorLike, axis?: Axis, options?: ReduceOptions): Tensor;
  (inputTensor: TensorLike, options?: ReduceOptions): Tensor;
  (inputTensor: TensorLike, axis: Axis, keepdims: boolean | null, name?: string | null): Tensor;
}

const reducer =
  (op: ReductionOp): Reduce =>
  (inputTensor: TensorLike, ...rest: readonly unknown[]) =>
    reduceBy(op, inputTensor, given(rest));

/** Σ over axes (all by default). TF: tf.reduce_sum. @throws ValueError for an axis out of range. */
export const reduceSum: Reduce = reducer((record, options) => Sum(record, options));
/** The mean over axes; integers truncate toward zero. TF: tf.reduce_mean. */
export const reduceMean: Reduce = reducer((record, options) => Mean(record, options));
export const reduceProd: Reduce = reducer((record, options) => Prod(record, options));
export const reduceMax: Reduce = reducer((record, options) => Max(record, options));
export const reduceMin: Reduce = reducer((record, options) => Min(record, options));
export const reduceAll: Reduce = reducer((record, options) => All(record, options));
export const reduceAny: Reduce = reducer((record, options) => Any(record, options));
/** √Σ x². TF: tf.math.reduce_euclidean_norm. */
export const reduceEuclideanNorm: Reduce = reducer((record, options) => EuclideanNorm(record, options));

/** log Σ eˣ, safe for large x. TF: tf.reduce_logsumexp. */
export const reduceLogsumexp: Reduce = (inputTensor: TensorLike, ...rest: readonly unknown[]) => {
  const { axis, keepDims, name } = given(rest);
  return inNameScope({ name }, "ReduceLogSumExp", [inputTensor], scope => {
    const input = convertToTensor(inputTensor);
    const rawMax = reduceBy(Max, input, { axis, keepDims: true, name: undefined });
    const max = stopGradient(whereV2(isFinite(rawMax), rawMax, 0));
    const result = log(reduceBy(Sum, exp(subtract(input, max)), { axis, keepDims, name: undefined }));
    const sum = add(result, keepDims ? max : reshape(max, Shape({ input: result })), scope);
    if (axis === null && !keepDims) sum.setShape([]);
    return sum;
  });
};

/** The variance over axes, biased. TF: tf.math.reduce_variance. @throws TypeError for integers. */
export const reduceVariance: Reduce = (inputTensor: TensorLike, ...rest: readonly unknown[]) => {
  const { axis, keepDims, name } = given(rest);
  return inNameScope({ name }, "reduce_variance", [inputTensor], () => {
    const input = convertToTensor(inputTensor);
    const means = reduceBy(Mean, input, { axis, keepDims: true, name: undefined });
    if (isInteger(means.dtype))
      throw new TypeError(`Input must be either real or complex. Received integer type <dtype: '${means.dtype}'>.`);
    const difference = operator.sub(input, means);
    const squares = isComplex(input.dtype) ? real(operator.mul(conj(difference), difference)) : square(difference);
    return reduceBy(Mean, squares, { axis, keepDims, name: undefined });
  });
};

/** The standard deviation over axes, biased. TF: tf.math.reduce_std. */
export const reduceStd: Reduce = (inputTensor: TensorLike, ...rest: readonly unknown[]) => {
  const { name, axis, keepDims } = given(rest);
  return inNameScope({ name }, "reduce_std", [inputTensor], () =>
    sqrt(reduceVariance(convertToTensor(inputTensor), axis as Axis, { keepdims: keepDims })),
  );
};

interface CountOptions extends ReduceOptions {
  /** Newer name of the first argument. */
  readonly input?: TensorLike;
  readonly dtype?: DType;
}

/** How many elements are not zero. TF: tf.count_nonzero. */
export function countNonzero(inputTensor: TensorLike, axis?: Axis, options?: CountOptions): Tensor;
export function countNonzero(inputTensor: TensorLike, options?: CountOptions): Tensor;
export function countNonzero(inputTensor: TensorLike, ...rest: unknown[]): Tensor {
  const {
    dtype = "int64",
    input: newer,
    ...options
  } = collect<CountOptions>(["axis", "keepdims", "dtype", "name", "reductionIndices", "keepDims", "input"], rest);
  const counted = eitherName("input", newer, "input_tensor", inputTensor) as TensorLike;
  const { axis, keepDims, name } = given([options]);
  return inNameScope({ name }, "count_nonzero", [counted], () => {
    const input = convertToTensor(counted, { name: "input" });
    const isNonzero = input.dtype === "bool" ? input : notEqual(input, zeros([], input.dtype));
    return cast(reduceBy(Sum, cast(isNonzero, "int64"), { axis, keepDims, name: undefined }), dtype);
  });
}

const nonzeroCount = (x: Tensor, dtype: DType): Tensor =>
  x.graph.nameScope("count_nonzero", () => reduceSum(cast(notEqual(x, zeros([], x.dtype)), dtype), { name: "nonzero_count" }));

/** The fraction of elements that are zero, float32. TF: tf.nn.zero_fraction. */
export const zeroFraction = (value: TensorLike, options?: NameOption): Tensor =>
  inNameScope(options, "zero_fraction", [value], () => {
    const x = convertToTensor(value, { name: "value" });
    const count = size(x, { outType: "int64" });
    // Small tensors are counted in 32 bits, as TensorFlow's nodes have it.
    const nonzero = cond(
      operator.lessEqual(count, 2 ** 31 - 1),
      () => cast(nonzeroCount(x, "int32"), "int64"),
      () => nonzeroCount(x, "int64"),
    ) as Tensor;
    const fraction = x.graph.nameScope("counts_to_fraction", () =>
      operator.truediv(cast(operator.sub(count, nonzero), "float32"), cast(count, "float32")),
    );
    return identity(fraction, "fraction");
  });

// ---- argmax, argmin ----

function withoutAxis(input: TensorShape, dimension: TensorShape, context: ShapeContext): TensorShape {
  dimension.withRank(0);
  const axis = context.partial("dimension")?.values[0];
  const { dims } = input;
  if (dims === null) return TensorShape.unknown();
  const length = dims.length;
  if (length <= 1) return new TensorShape([]);
  if (axis === undefined || axis === null) return TensorShape.unknownOfRank(length - 1);
  if (axis < -length || axis >= length)
    throw new ValueError(
      `Dimension (${axis}) must be in the range [${-length}, ${length}), where ${length} is the number of dimensions in the input.`,
    );
  return new TensorShape(dims.toSpliced(axis < 0 ? axis + length : axis, 1));
}

function argOf(combine: "argmax" | "argmin", input: Value, dimension: NDArray, outputType: DType): Value {
  const length = input.shape.length;
  const [axis] = numbersOf(dimension);
  need(length <= 7, () => `Argmax and Argmin only support up to 7 input dimensions, but got ${length}. Inputs shape: [${input.shape}]`);
  if (axis < -length || axis >= length)
    throw new InvalidArgumentError(`Expected dimension in the range [${-length}, ${length}), but got ${axis}`);
  const at = axis < 0 ? axis + length : axis;
  if (input.shape[at] === 0) throw new InvalidArgumentError(`Reduction axis ${axis} is empty in shape [${input.shape.join(",")}]`);
  const indexType = outputType === "int64" ? "int64" : "int32";
  const best = ir.reduce(combine, input.dtype === "bool" ? ir.cast(input, "uint8") : input, [at], { indexType });
  return ir.cast(best, outputType);
}

export const ArgMax = defineOp("ArgMax", {
  inputs: { input: "T", dimension: "Tidx" },
  outputs: { output: "outputType" },
  attrs: {
    T: attr.type([...orderedTypes, "bool"]),
    Tidx: attr.type(["int16", "int32", "int64"], "int32"),
    outputType: attr.type(["int16", "uint16", "int32", "int64"], "int64"),
  },
  shape: ({ input, dimension }, context) => withoutAxis(input, dimension, context),
  checks: ({ dimension }) => need(dimension.length === 0, () => `dim must be a scalar, but received tensor of shape: [${dimension}]`),
  gradient: () => ({}),
  compileTimeInputs: ["dimension"],
  lower: ({ input, dimension, outputType }) => argOf("argmax", input, dimension, outputType),
});

export const ArgMin = defineOp("ArgMin", {
  inputs: { input: "T", dimension: "Tidx" },
  outputs: { output: "outputType" },
  attrs: {
    T: attr.type([...orderedTypes, "bool"]),
    Tidx: attr.type(attr.indexTypes, "int32"),
    outputType: attr.type(attr.indexTypes, "int64"),
  },
  shape: ({ input, dimension }, context) => withoutAxis(input, dimension, context),
  checks: ({ dimension }) => need(dimension.length === 0, () => `dim must be a scalar, but received tensor of shape: [${dimension}]`),
  gradient: () => ({}),
  compileTimeInputs: ["dimension"],
  lower: ({ input, dimension, outputType }) => argOf("argmin", input, dimension, outputType),
});

interface ArgOptions extends Named {
  readonly axis?: TensorLike | null;
  /** Older name of `axis`. */
  readonly dimension?: TensorLike | null;
  readonly outputType?: DType;
}

/** @throws TypeError for an axis that is neither an int nor something of an integer type. */
function wholeAxis(axis: TensorLike): TensorLike {
  if (typeof axis === "object" && axis !== null && "dtype" in axis && !Array.isArray(axis)) {
    const { dtype } = literalType(axis);
    if (dtype !== undefined && !["int8", "uint8", "int16", "uint16", "int32", "int64"].includes(dtype))
      throw new TypeError(`axis tensor dtypes <dtype: '${dtype}'> is not supported`);
    return axis;
  }
  if (typeof axis !== "boolean" && !(typeof axis === "number" && Number.isInteger(axis)) && typeof axis !== "bigint")
    throw new TypeError("axis must be int or Tensor with integer datatype");
  return axis;
}

const argGiven = (rest: readonly unknown[]): { dimension: TensorLike; outputType: DType; name: Named["name"] } => {
  const { axis, dimension, outputType = "int64", name } = collect<ArgOptions>(["axis", "name", "dimension", "outputType"], rest);
  return { dimension: eitherName("axis", axis, "dimension", dimension) ?? 0, outputType, name };
};

/** Where the greatest element along an axis (0) is, int64; the first of equals; NaN is passed over. TF: tf.argmax. */
export function argmax(input: TensorLike, axis?: TensorLike | null, options?: ArgOptions): Tensor;
export function argmax(input: TensorLike, options?: ArgOptions): Tensor;
export function argmax(input: TensorLike, ...rest: unknown[]): Tensor {
  const { name, dimension, ...attrs } = argGiven(rest);
  return ArgMax({ input, dimension: wholeAxis(dimension), ...attrs }, { name });
}

/** Where the least element along an axis (0) is, int64; the first of equals; NaN is passed over. TF: tf.argmin. */
export function argmin(input: TensorLike, axis?: TensorLike | null, options?: ArgOptions): Tensor;
export function argmin(input: TensorLike, options?: ArgOptions): Tensor;
export function argmin(input: TensorLike, ...rest: unknown[]): Tensor {
  const { name, ...attrs } = argGiven(rest);
  return ArgMin({ input, ...attrs }, { name });
}

export const argMax = (input: TensorLike, dimension: TensorLike, ...rest: unknown[]): Tensor => {
  const { outputType = "int64", name } = collect<ArgOptions>(["outputType", "name"], rest);
  return ArgMax({ input, dimension, outputType }, { name });
};
export const argMin = (input: TensorLike, dimension: TensorLike, ...rest: unknown[]): Tensor => {
  const { outputType = "int64", name } = collect<ArgOptions>(["outputType", "name"], rest);
  return ArgMin({ input, dimension, outputType }, { name });
};

// ---- running sums and products ----

type ScanRecord = {
  readonly x: Tensor;
  readonly axis: Tensor;
  readonly out: Tensor;
  readonly exclusive: boolean;
  readonly reverse: boolean;
};

const scanOp = (
  type: string,
  types: readonly DType[],
  combine: "sum" | "prod" | "logsumexp",
  gradient: (record: ScanRecord, d: Tensor) => Tensor,
) =>
  defineOp(type, {
    inputs: { x: "T", axis: "Tidx" },
    outputs: { out: "T" },
    attrs: { exclusive: attr.bool(false), reverse: attr.bool(false), T: attr.type(types), Tidx: attr.type(attr.indexTypes, "int32") },
    shape: ({ x }) => x,
    gradient: (record: ScanRecord, d: { readonly out: Tensor }): Gradients => ({ x: gradient(record, d.out) }),
    checks: ({ axis }) => need(axis.length === 0, () => `ScanOp: axis must be a scalar, not [${axis}]`),
    compileTimeInputs: ["axis"],
    lower: ({ x, axis, exclusive, reverse }) => {
      const length = x.shape.length;
      const [at] = numbersOf(axis);
      if (at < -length || at >= length)
        throw new InvalidArgumentError(
          `ScanOp: Expected scan axis in the range [${-length}, ${length}), but got ${at < 0 ? at + length : at}`,
        );
      return ir.scan(x, at < 0 ? at + length : at, combine, { exclusive, reverse });
    },
  });

export const Cumsum = scanOp("Cumsum", attr.numbers, "sum", ({ axis, exclusive, reverse }, d) =>
  cumsum(d, axis, { exclusive, reverse: !reverse }),
);

export const Cumprod = scanOp("Cumprod", attr.numbers, "prod", ({ x, axis, exclusive, reverse }, d) => {
  const products = cumprod(x, axis, { exclusive, reverse });
  return divNoNan(cumsum(operator.mul(products, d), axis, { exclusive, reverse: !reverse }), x);
});

/** The lowest finite number of a float type: stands for log 0 without making NaN. */
const lowest: Partial<Record<DType, number>> = {
  float32: -(2 - 2 ** -23) * 2 ** 127,
  float64: -Number.MAX_VALUE,
  float16: -65504,
  bfloat16: -(2 - 2 ** -7) * 2 ** 127,
};

export const CumulativeLogsumexp = scanOp(
  "CumulativeLogsumexp",
  ["bfloat16", "float16", "float32", "float64"],
  "logsumexp",
  ({ x, axis, out, exclusive, reverse }, d) => {
    const least = lowest[d.dtype] ?? Number.NEGATIVE_INFINITY;
    const positivePart = whereV2(greater(d, 0), log(d), least);
    const negativePart = whereV2(less(d, 0), log(operator.neg(d)), least);
    const back = (part: Tensor): Tensor =>
      exp(operator.add(cumulativeLogsumexp(operator.sub(part, out), axis, { exclusive, reverse: !reverse }), x));
    return operator.sub(back(positivePart), back(negativePart));
  },
);

interface ScanOptions extends Named {
  readonly axis?: TensorLike;
  /** Element k is over those before it, without its own. */
  readonly exclusive?: boolean;
  /** From the end. */
  readonly reverse?: boolean;
}

interface Scan {
  (x: TensorLike, axis?: TensorLike, options?: ScanOptions): Tensor;
  (x: TensorLike, options?: ScanOptions): Tensor;
}

const scanner =
  (op: () => typeof Cumsum, fallback: string): Scan =>
  (x: TensorLike, ...rest: readonly unknown[]) => {
    const { axis = 0, exclusive = false, reverse = false, name } = collect<ScanOptions>(["axis", "exclusive", "reverse", "name"], rest);
    return inNameScope({ name }, fallback, [x], scope => op()({ x: convertToTensor(x, { name: "x" }), axis, exclusive, reverse }, scope));
  };

/** Running sums along an axis (0). TF: tf.cumsum. */
export const cumsum: Scan = scanner(() => Cumsum, "Cumsum");
/** Running products along an axis (0). TF: tf.cumprod. */
export const cumprod: Scan = scanner(() => Cumprod, "Cumprod");
/** Running log Σ eˣ along an axis (0). TF: tf.math.cumulative_logsumexp. */
export const cumulativeLogsumexp: Scan = scanner(() => CumulativeLogsumexp, "CumulativeLogsumexp");
