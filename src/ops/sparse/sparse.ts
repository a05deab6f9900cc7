// Sparse tensors: making them dense, products with dense matrices, sums and softmax over them. The class is in graph/sparse-tensor.ts.
// Coordinates are only known while running, so what depends on their values is checked there.

import type { DType } from "../../base/dtype.ts";
import { wordsPerElement } from "../../base/dtype.ts";
import { InternalError, InvalidArgumentError } from "../../base/errors.ts";
import { type ElementValue, NDArray } from "../../base/ndarray.ts";
import { mergedDimension, type ShapeLike, sizeOf, TensorShape } from "../../base/shape.ts";
import * as attr from "../../graph/attributes.ts";
import { convertToTensor, type TensorLike } from "../../graph/conversion.ts";
import { defineOp, type Gradients, type ShapeContext } from "../../graph/op-definition.ts";
import { Tensor } from "../../graph/operation.ts";
import { staticShape } from "../../graph/static-value.ts";
import { SparseTensor } from "../../graph/sparse-tensor.ts";
import * as ir from "../../ir/build.ts";
import { dataIndex, type Index } from "../../ir/index-map.ts";
import type { Value } from "../../ir/program.ts";
import { loadScalar, type Scalar, s } from "../../ir/scalar.ts";
import { collect, eitherName, need } from "../arguments.ts";
import { constant, numbersOf, placeholder, placeholderWithDefault, reshape, size, zeros } from "../array/array.ts";
import { gather, gatherNd } from "../array/gather.ts";
import { matrixTranspose } from "../array/matrix.ts";
import { range } from "../array/ranges.ts";
import { transpose } from "../array/rearranging.ts";
import { getItem } from "../array/slicing.ts";
import { conj } from "../math/functions.ts";
import { floordiv, multiply, subtract } from "../math/math.ts";
import { reduceSum, shapeKeepingDims } from "../math/reduction.ts";
import type { Named } from "../../graph/op-definition.ts";
import { inNameScope, type NameOption } from "../named.ts";
import { neg } from "../operators.ts";
import { SparseDenseCwiseAdd } from "./dense.ts";
import { checkedSizes, checkSparseParts } from "./parts.ts";
import { coordinate, sumOf } from "./structure.ts";

// ---- coordinates ----

/** Row `n` of a list of coordinates, as numbers. */
const coordinatesAt = (indices: NDArray, n: number, rank: number): number[] =>
  Array.from({ length: rank }, (_, axis) => Number(indices.get(n * rank + axis)));

/** Place in row-major order of the coordinates that begin at `from`, or -1 if they lie outside. */
function placeOf(coordinates: NDArray["data"] | readonly number[], from: number, shape: readonly number[]): number {
  let place = 0;
  for (let axis = 0; axis < shape.length; axis++) {
    const at = Number(coordinates[from + axis]);
    if (at < 0 || at >= shape[axis]) return -1;
    place = place * shape[axis] + at;
  }
  return place;
}

/** Places of all coordinates. @throws InvalidArgumentError if one lies outside, and where `inOrder`, if they do not ascend. */
export function placesOf(indices: NDArray, count: number, shape: readonly number[], inOrder: boolean): number[] {
  const subject = (n: number): string => `indices[${n}] = [${coordinatesAt(indices, n, shape.length)}] is`;
  const places: number[] = [];
  for (let n = 0, before = -1; n < count; n++) {
    const place = placeOf(indices.data, n * shape.length, shape);
    if (place < 0)
      throw new InvalidArgumentError(
        inOrder ? `${subject(n)} out of bounds: need 0 <= index < [${shape}]` : `Indices are not valid (out of bounds).  Shape: [${shape}]`,
      );
    if (inOrder && place === before) throw new InvalidArgumentError(`${subject(n)} repeated`);
    if (inOrder && place < before)
      throw new InvalidArgumentError(
        `${subject(n)} out of order. Many sparse ops require sorted indices.\n    Use \`tf.sparse.reorder\` to create a correctly ordered copy.\n\n`,
      );
    before = place;
    places.push(place);
  }
  return places;
}

// ---- sparse to dense ----

/** Copies element `from` of one array to place `to` of another of the same type. */
function copyElement(source: NDArray, from: number, target: NDArray, to: number): void {
  const words = wordsPerElement(target.dtype);
  const [read, write] = [source.data as Float64Array, target.data as Float64Array];
  for (let k = 0; k < words; k++) write[to * words + k] = read[from * words + k];
}

/** Reasons why the parts do not fit. */
function checkParts(
  indices: readonly number[],
  outputShape: readonly number[],
  values: readonly number[],
  fallback: readonly number[],
): void {
  if (indices.length > 2) throw new InvalidArgumentError(`sparse_indices should be a scalar, vector, or matrix, got shape [${indices}]`);
  const [count, rank] = [indices[0] ?? 1, indices[1] ?? 1];
  if (outputShape.length !== 1) throw new InvalidArgumentError(`output_shape must be rank 1, got shape [${outputShape}]`);
  if (outputShape[0] !== rank)
    throw new InvalidArgumentError(`output_shape has incorrect number of elements: ${outputShape[0]} should be: ${rank}`);
  if (values.length > 1 || (values.length === 1 && values[0] !== count))
    throw new InvalidArgumentError(`sparse_values has incorrect shape [${values}], should be [] or [${count}]`);
  if (fallback.length > 0) throw new InvalidArgumentError("default_value should be a scalar.");
}

/** A dense tensor of the default value, with values at the given places. */
export const SparseToDense = defineOp("SparseToDense", {
  inputs: { sparseIndices: "Tindices", outputShape: "Tindices", sparseValues: "T", defaultValue: "T" },
  outputs: { dense: "T" },
  attrs: { validateIndices: attr.bool(true), T: attr.type(), Tindices: attr.type(attr.indexTypes) },
  shape: ({ outputShape }, context) => {
    outputShape.withRank(1);
    return context.shapeFrom("outputShape");
  },
  gradient: ({ sparseIndices }, d): Gradients => {
    const values = gatherNd(d.dense, sparseIndices);
    return { sparseValues: values, defaultValue: subtract(reduceSum(d.dense), reduceSum(values)) };
  },
  compileTimeInputs: ["outputShape"],
  lower: ({ sparseIndices, outputShape, sparseValues, defaultValue, validateIndices }) => {
    checkParts(sparseIndices.shape, outputShape.shape, sparseValues.shape, defaultValue.shape);
    const shape = numbersOf(outputShape);
    for (const size of shape) need(size >= 0, () => `Dimension ${size} must be >= 0`);
    const count = sparseIndices.shape[0] ?? 1;
    const run = ([indices, values, fallback]: readonly NDArray[], [dense]: readonly NDArray[]): void => {
      const places = placesOf(indices, count, shape, validateIndices);
      if (wordsPerElement(dense.dtype) === 1) (dense.data as Float64Array).fill(fallback.data[0] as number);
      else for (let i = 0; i < dense.size; i++) copyElement(fallback, 0, dense, i);
      places.forEach((place, n) => {
        copyElement(values, values.rank === 0 ? 0 : n, dense, place);
      });
    };
    return ir.call({ name: "SparseToDense", run }, [sparseIndices, sparseValues, defaultValue], [{ dtype: sparseValues.dtype, shape }]);
  },
});

interface DenseOptions {
  readonly defaultValue?: TensorLike | null;
  readonly validateIndices?: boolean | null;
  readonly name?: string | null;
}

/** A dense tensor of shape `outputShape`: `sparseValues` (one, or one per place) at `sparseIndices` (`[n, rank]`; `[n]` or a number for rank 1),
 *  and `defaultValue` (0) elsewhere. TF: tf.sparse_to_dense.
 *  @throws InvalidArgumentError while running for places outside, and unless validateIndices is false, repeated or unordered ones. */
export function sparseToDense(sparseIndices: TensorLike, outputShape: TensorLike, sparseValues: TensorLike, ...rest: unknown[]): Tensor {
  const { defaultValue = 0, validateIndices, name } = collect<DenseOptions>(["defaultValue", "validateIndices", "name"], rest);
  const record = { sparseIndices, outputShape, sparseValues, defaultValue: defaultValue as TensorLike };
  return SparseToDense({ ...record, validateIndices: validateIndices ?? true }, { name });
}

/** A sparse tensor made dense. TF: tf.sparse.to_dense, tf.sparse_tensor_to_dense. */
export function sparseTensorToDense(spInput: SparseTensor, ...rest: unknown[]): Tensor {
  const { defaultValue, validateIndices, name } = collect<DenseOptions>(["defaultValue", "validateIndices", "name"], rest);
  const sparse = sparseOf(spInput);
  const record = { sparseIndices: sparse.indices, outputShape: sparse.denseShape, sparseValues: sparse.values };
  const fallback = defaultValue ?? zeros([], sparse.dtype);
  return SparseToDense({ ...record, defaultValue: fallback, validateIndices: validateIndices ?? true }, { name });
}

/** @throws TypeError for anything but a SparseTensor. */
export function sparseOf(input: unknown): SparseTensor {
  if (input instanceof SparseTensor) return input;
  throw new TypeError("Input must be a SparseTensor.");
}

// ---- products ----

function checkCoordinates(indices: Value, axis: number, limit: number, text: string): void {
  ir.check([indices.shape[0]], ([n]) => s.and(s.ge(coordinate(indices, n, axis), 0), s.lt(coordinate(indices, n, axis), limit)), {
    label: "sparse coordinate",
    reads: [indices],
    error: ([n], read) =>
      new InvalidArgumentError(`${text} (${read(indices).get(2 * n + axis)}) from index[${n},${axis}] out of bounds (>=${limit})`),
  });
}

function checkProduct(indices: readonly number[], values: readonly number[], shape: readonly number[], b: readonly number[]): void {
  if (b.length !== 2) throw new InvalidArgumentError("Tensor 'b' is not a matrix");
  if (shape.length !== 1) throw new InvalidArgumentError("Tensor 'a_shape' is not a vector");
  if (shape[0] !== 2) throw new InvalidArgumentError("Tensor 'a_shape' must have 2 elements");
  if (values.length !== 1) throw new InvalidArgumentError("Tensor 'a_values' is not a vector");
  if (indices.length !== 2) throw new InvalidArgumentError("Tensor 'a_indices' is not a matrix");
  if (indices[0] !== values[0]) throw new InvalidArgumentError("Number of rows of a_indices does not match number of entries in a_values");
  if (indices[1] !== 2) throw new InvalidArgumentError(`Number of columns of a_indices does not match number of entries in a_shape`);
}

/** A sparse matrix times a dense one; either may be transposed (and conjugated). */
export const SparseTensorDenseMatMul = defineOp("SparseTensorDenseMatMul", {
  inputs: { aIndices: "Tindices", aValues: "T", aShape: "int64", b: "T" },
  outputs: { product: "T" },
  attrs: { T: attr.type(), Tindices: attr.type(attr.indexTypes, "int64"), adjointA: attr.bool(false), adjointB: attr.bool(false) },
  shape: ({ aIndices, aValues, b, adjointA, adjointB }, context) => {
    const [matrix, count] = [b.withRank(2), aIndices.withRank(2).dim(0)];
    aValues.withRank(1);
    if (count !== null) aValues.mergeWith(new TensorShape([count]));
    const a = context.shapeFrom("aShape").withRank(2);
    mergedDimension(a.dim(adjointA ? 0 : 1), matrix.dim(adjointB ? 1 : 0));
    return new TensorShape([a.dim(adjointA ? 1 : 0), matrix.dim(adjointB ? 0 : 1)]);
  },
  gradient: ({ aIndices, aValues, aShape, b, T, adjointA, adjointB }, d): Gradients => {
    const isComplex = T === "complex64" || T === "complex128";
    const byB = SparseTensorDenseMatMul({ aIndices, aValues, aShape, b: d.product, adjointA: !adjointA });
    const [rows, columns] = [0, 1].map(axis => getItem(aIndices, [0, null], axis));
    const flipped = (x: Tensor): Tensor => (isComplex ? conj(matrixTranspose(x)) : matrixTranspose(x));
    const ours = gather(d.product, adjointA ? columns : rows);
    const theirs = gather(adjointB ? flipped(b) : b, adjointA ? rows : columns);
    const byValues = reduceSum(multiply(ours, isComplex ? conj(theirs) : theirs), 1);
    return { aValues: isComplex && adjointA ? conj(byValues) : byValues, b: adjointB ? flipped(byB) : byB };
  },
  compileTimeInputs: ["aShape"],
  lower: ({ aIndices, aValues, aShape, b, adjointA, adjointB }) => {
    checkProduct(aIndices.shape, aValues.shape, aShape.shape, b.shape);
    const [height, width] = numbersOf(aShape);
    for (const size of [height, width]) need(size >= 0, () => `Expected shape dimensions to be non-negative, got ${size}`);
    const [rows, inner] = adjointA ? [width, height] : [height, width];
    const [given, columns] = adjointB ? [b.shape[1], b.shape[0]] : b.shape;
    if (given !== inner)
      throw new InvalidArgumentError(
        `Cannot multiply A and B because inner dimension does not match: ${inner} vs. ${given}.  Did you forget a transpose?  Dimensions of A: [${height}, ${width}).  Dimensions of B: [${b.shape}]`,
      );
    if (rows === 0 || columns === 0) return ir.full(b.dtype, [rows, columns], 0);
    const [rowAxis, innerAxis] = adjointA ? [1, 0] : [0, 1];
    checkCoordinates(aIndices, innerAxis, inner, "k");
    checkCoordinates(aIndices, rowAxis, rows, "m");
    const isComplex = b.dtype === "complex64" || b.dtype === "complex128";
    return ir.scatter("add", ir.full(b.dtype, [rows, columns], 0), [aValues.shape[0], columns], ([n, j]) => {
      const k = dataIndex(coordinate(aIndices, n, innerAxis), inner);
      const [left, right] = [loadScalar(aValues, [n]), loadScalar(b, adjointB ? [j, k] : [k, j])];
      const product = s.mul(isComplex && adjointA ? s.conj(left) : left, isComplex && adjointB ? s.conj(right) : right);
      return { at: [coordinate(aIndices, n, rowAxis), s.index(j)], body: product };
    });
  },
});

interface ProductOptions {
  readonly adjointA?: boolean | null;
  readonly adjointB?: boolean | null;
  readonly name?: string | null;
}

/** The product of two matrices of which one is sparse, the other dense. TF: tf.sparse.sparse_dense_matmul, tf.sparse_tensor_dense_matmul. */
export function sparseTensorDenseMatmul(spA: SparseTensor | TensorLike, b: TensorLike | SparseTensor, ...rest: unknown[]): Tensor {
  const { adjointA, adjointB, name } = collect<ProductOptions>(["adjointA", "adjointB", "name"], rest);
  if (b instanceof SparseTensor) {
    // A·B = (Bᵀ·Aᵀ)ᵀ; TensorFlow turns both adjoints about only where they are equal.
    const [first, second] = [adjointA ?? false, adjointB ?? false];
    const isTurned = first === second;
    return transpose(sparseTensorDenseMatmul(b, spA as TensorLike, isTurned ? !first : first, isTurned ? !second : second));
  }
  const sparse = sparseOf(spA);
  return inNameScope({ name }, "SparseTensorDenseMatMul", [sparse.indices, sparse.values, b], () => {
    const dense = convertToTensor(b, { name: "b" });
    const record = { aIndices: sparse.indices, aValues: sparse.values, aShape: sparse.denseShape, b: dense };
    return SparseTensorDenseMatMul({ ...record, adjointA: adjointA ?? false, adjointB: adjointB ?? false });
  });
}

// ---- reductions ----

const reductionInputs = { inputIndices: "int64", inputValues: "T", inputShape: "int64", reductionAxes: "int32" } as const;

function reductionShape(keepDims: boolean, context: ShapeContext): TensorShape {
  const [shape, axes] = [context.constant("inputShape"), context.constant("reductionAxes")];
  if (!shape || !axes) return TensorShape.unknown();
  const dims = numbersOf(shape);
  // While the graph is built, TensorFlow takes the remainder of axes that do not exist.
  const wrapped = numbersOf(axes).map(axis => (axis + dims.length) % dims.length);
  return new TensorShape(
    reducedShape(
      dims,
      wrapped.filter(axis => axis >= 0),
      keepDims,
    ).shape,
  );
}

const checkReduced = ({ inputShape, reductionAxes }: Readonly<Record<"inputShape" | "reductionAxes", readonly number[]>>): void => {
  need(inputShape.length === 1, () => `Expected input_shape to be a vector; got shape: [${inputShape}]`);
  need(reductionAxes.length <= 1, () => `Expected reduction_axes to be a scalar or a vector; got shape: [${reductionAxes}]`);
};

/** Sums over axes of a sparse tensor, as a dense one. */
export const SparseReduceSum = defineOp("SparseReduceSum", {
  inputs: reductionInputs,
  outputs: { output: "T" },
  attrs: { keepDims: attr.bool(false), T: attr.type(attr.numbers) },
  shape: ({ keepDims }, context) => reductionShape(keepDims, context),
  // Each value takes what came to the sum it went into.
  checks: checkReduced,
  gradient: ({ inputIndices, inputShape, reductionAxes }, d): Gradients => {
    const kept = convertToTensor(shapeKeepingDims(inputShape, reductionAxes), { dtype: "int64" });
    return { inputValues: gatherNd(reshape(d.output, kept), floordiv(inputIndices, floordiv(inputShape, kept))) };
  },
  compileTimeInputs: ["inputShape", "reductionAxes"],
  lower: ({ inputIndices, inputValues, inputShape, reductionAxes, keepDims }) => {
    const dims = numbersOf(inputShape);
    const { shape, axes } = reducedShape(dims, numbersOf(reductionAxes), keepDims);
    checkedSizes(inputShape);
    checkSparseParts(inputIndices.shape, inputValues.shape, dims.length);
    const kept = dims.map((size, axis) => (axes.includes(axis) ? undefined : { axis, size })).filter(one => one !== undefined);
    const total = sizeOf(shape);
    const placeAt = (n: Index): Scalar =>
      kept.reduce<Scalar>((sum, { axis, size }) => s.add(s.mul(sum, size), coordinate(inputIndices, n, axis)), s.constant("int64", 0));
    ir.check([inputValues.shape[0]], ([n]) => s.and(s.ge(placeAt(n), 0), s.lt(placeAt(n), total)), {
      label: "sparse sum",
      reads: [inputIndices],
      error: ([n], read) => {
        const indices = read(inputIndices);
        const place = kept.reduce((sum, { axis, size }) => sum * size + Number(indices.get(n * dims.length + axis)), 0);
        return new InternalError(`Obtained a write index of ${place} which is outside of bounds of [0, ${total})`);
      },
    });
    return ir.scatter("add", ir.full(inputValues.dtype, shape, 0), inputValues.shape, ([n]) => ({
      at: dims.flatMap((_, axis) =>
        axes.includes(axis) ? (keepDims ? [s.constant("int64", 0)] : []) : [coordinate(inputIndices, n, axis)],
      ),
      body: loadScalar(inputValues, [n]),
    }));
  },
});

/** The shape after a reduction. @throws InvalidArgumentError for axes that do not exist. */
function reducedShape(dims: readonly number[], given: readonly number[], keepDims: boolean): { shape: number[]; axes: number[] } {
  const rank = dims.length;
  for (const axis of given)
    if (axis < -rank || axis >= rank)
      throw new InvalidArgumentError(`Invalid reduction dimension ${axis}, for input with ${rank} dimensions.`);
  const axes = given.map(axis => (axis < 0 ? axis + rank : axis));
  return { axes, shape: dims.flatMap((size, axis) => (axes.includes(axis) ? (keepDims ? [1] : []) : [size])) };
}

/** NaN and bigints too, which Math.max does not take. */
function larger(a: ElementValue, b: ElementValue): ElementValue {
  if (a > b) return a;
  return b;
}

/** The largest stored elements along axes, dense; zero where there are none. */
export const SparseReduceMax = defineOp("SparseReduceMax", {
  inputs: reductionInputs,
  outputs: { output: "T" },
  attrs: { keepDims: attr.bool(false), T: attr.type(attr.realNumbers) },
  shape: ({ keepDims }, context) => reductionShape(keepDims, context),
  checks: checkReduced,
  host: record => {
    const { places, values, shape } = reduced(record, larger);
    const output = NDArray.zeros(record.inputValues.dtype, shape);
    places.forEach((place, k) => void output.set(place, values[k]));
    return output;
  },
});

const sparseReduction = <const N extends string, const D extends DType>(
  type: N,
  types: readonly D[],
  combine: (a: ElementValue, b: ElementValue) => ElementValue,
) =>
  defineOp(type, {
    inputs: reductionInputs,
    outputs: { outputIndices: "int64", outputValues: "T", outputShape: "int64" },
    attrs: { keepDims: attr.bool(false), T: attr.type(types) },
    checks: checkReduced,
    shape: () => [TensorShape.unknown(), TensorShape.unknown(), TensorShape.unknown()],
    host: record => {
      const { places, values, shape } = reduced(record, combine);
      const indices = NDArray.zeros("int64", [places.length, shape.length]);
      places.forEach((place, n) => {
        let rest = place;
        for (let axis = shape.length - 1; axis >= 0; axis--) {
          indices.set(n * shape.length + axis, rest % shape[axis]);
          rest = Math.floor(rest / shape[axis]);
        }
      });
      const outputValues = NDArray.zeros(record.inputValues.dtype, [places.length]);
      values.forEach((value, n) => void outputValues.set(n, value));
      return [indices, outputValues, NDArray.from([...shape], "int64", [shape.length])];
    },
  });

/** The largest stored elements along axes, as a sparse tensor. */
export const SparseReduceMaxSparse = sparseReduction("SparseReduceMaxSparse", attr.realNumbers, larger);
/** Sums along axes, as a sparse tensor. */
export const SparseReduceSumSparse = sparseReduction("SparseReduceSumSparse", attr.numbers, (a, b) => sumOf(a, b));

/** What the stored elements come to at each place of the result, in row-major order. */
function reduced(
  {
    inputIndices,
    inputValues,
    inputShape,
    reductionAxes,
    keepDims,
  }: Readonly<Record<"inputIndices" | "inputValues" | "inputShape" | "reductionAxes", NDArray>> & { readonly keepDims: boolean },
  combine: (a: ElementValue, b: ElementValue) => ElementValue,
): { places: number[]; values: ElementValue[]; shape: readonly number[] } {
  const dims = checkedSizes(inputShape);
  const { shape, axes } = reducedShape(dims, numbersOf(reductionAxes), keepDims);
  checkSparseParts(inputIndices.shape, inputValues.shape, dims.length);
  const found = new Map<number, ElementValue>();
  for (let n = 0; n < inputValues.size; n++) {
    const at = coordinatesAt(inputIndices, n, dims.length).flatMap((x, axis) => (axes.includes(axis) ? (keepDims ? [0] : []) : [x]));
    const place = placeOf(at, 0, shape);
    if (place < 0) throw new InvalidArgumentError(`Indices are not valid (out of bounds).  Shape: [${dims}]`);
    const [before, value] = [found.get(place), inputValues.get(n)];
    found.set(place, before === undefined ? value : combine(before, value));
  }
  const sorted = [...found].sort(([a], [b]) => a - b);
  return { places: sorted.map(([place]) => place), values: sorted.map(([, value]) => value), shape };
}

/** Softmax over the stored elements of each innermost row; the others count as absent, not as zero. */
export const SparseSoftmax = defineOp("SparseSoftmax", {
  inputs: { spIndices: "int64", spValues: "T", spShape: "int64" },
  outputs: { output: "T" },
  attrs: { T: attr.type(["float16", "float32", "float64"]) },
  shape: ({ spIndices, spValues, spShape }) => {
    spIndices.withRank(2);
    spShape.withRank(1);
    return spValues.withRank(1);
  },
  checks: ({ spIndices, spValues, spShape }) => {
    need(spIndices.length === 2, () => `Input sp_indices should be a matrix but received shape: [${spIndices}]`);
    need(
      spValues.length === 1 && spShape.length === 1,
      () => `Inputs sp_values and sp_shape should be vectors but received shapes: [${spValues}] and [${spShape}]`,
    );
  },
  gradient: ({ spIndices, spShape, output }, d): Gradients => {
    const record = { inputIndices: spIndices, inputShape: spShape, reductionAxes: convertToTensor([-1], { dtype: "int32" }) };
    const sums = SparseReduceSum({ ...record, inputValues: multiply(output, d.output), keepDims: true });
    const rest = SparseDenseCwiseAdd({ spIndices, spValues: d.output, spShape, dense: neg(sums) });
    return { spValues: multiply(rest, output) };
  },
  compileTimeInputs: ["spShape"],
  lower: ({ spIndices, spValues, spShape }) => {
    const dims = checkedSizes(spShape);
    need(dims.length >= 2, () => `Input should have rank >= 2, but received shape: ${dims}`);
    checkSparseParts(spIndices.shape, spValues.shape, dims.length);
    const run = ([indices, values]: readonly NDArray[], [output]: readonly NDArray[]): void =>
      softmaxRows(indices, values, dims.length, output);
    return ir.call({ name: "SparseSoftmax", run }, [spIndices, spValues], [spValues]);
  },
});

/** Rows are runs of coordinates that agree up to the last axis, once all are in order; so are the results. */
function softmaxRows(indices: NDArray, values: NDArray, rank: number, output: NDArray): void {
  const places = Array.from({ length: values.size }, (_, n) => ({ n, at: coordinatesAt(indices, n, rank) }));
  places.sort((a, b) => a.at.map((x, axis) => x - b.at[axis]).find(difference => difference !== 0) ?? 0);
  const rows: number[][] = [];
  let before = "";
  let next = 0;
  for (const { n, at } of places) {
    const row = at.slice(0, -1).join();
    if (rows.length === 0 || row !== before) rows.push([]);
    rows[rows.length - 1].push(n);
    before = row;
  }
  for (const members of rows) {
    const numbers = members.map(n => Number(values.get(n)));
    const most = numbers.reduce((a, b) => Math.max(a, b), -Infinity);
    const powers = numbers.map(x => Math.exp(x - most));
    const total = powers.reduce((a, b) => a + b, 0);
    for (const power of powers) output.set(next++, power / total);
  }
}

interface ReduceOptions {
  readonly axis?: number | readonly number[] | null;
  readonly keepdims?: boolean | null;
  readonly reductionAxes?: number | readonly number[] | null;
  readonly keepDims?: boolean | null;
}

/** All axes of a tensor: its rank may be known only while running. */
function allAxes({ denseShape }: SparseTensor): TensorLike {
  const rank = denseShape.shape.dim(0);
  const axes = Array.from({ length: rank ?? 0 }, (_, axis) => axis);
  return rank ? denseShape.graph.asDefault(() => constant(axes, "int32")) : range(0, size(denseShape, { name: "Rank" }));
}

function reductionOf(spInput: SparseTensor, rest: readonly unknown[]) {
  const { axis, keepdims, reductionAxes, keepDims } = collect<ReduceOptions>(["axis", "keepdims", "reductionAxes", "keepDims"], rest);
  const over = eitherName("axis", axis, "reduction_axes", reductionAxes);
  const keep = eitherName("keepdims", keepdims, "keep_dims", keepDims);
  const sparse = sparseOf(spInput);
  return {
    inputIndices: sparse.indices,
    inputValues: sparse.values,
    inputShape: sparse.denseShape,
    reductionAxes: (over ?? allAxes(sparse)) as TensorLike,
    keepDims: keep ?? false,
  };
}

/** Sums of a sparse tensor over axes (all, unless given), dense. TF: tf.sparse.reduce_sum. */
export const sparseReduceSum = (spInput: SparseTensor, ...rest: unknown[]): Tensor => SparseReduceSum(reductionOf(spInput, rest));

/** The largest stored elements of a sparse tensor over axes (all, unless given), dense. TF: tf.sparse.reduce_max. */
export function sparseReduceMax(spInput: SparseTensor, ...rest: unknown[]): Tensor {
  return SparseReduceMax(reductionOf(spInput, rest));
}
/** The same as a sparse tensor. TF: tf.sparse.reduce_max_sparse. */
export function sparseReduceMaxSparse(spInput: SparseTensor, ...rest: unknown[]): SparseTensor {
  const made = SparseReduceMaxSparse(reductionOf(spInput, rest));
  return new SparseTensor(made.outputIndices, made.outputValues, made.outputShape);
}
/** Sums of a sparse tensor over axes (all, unless given), as a sparse tensor. TF: tf.sparse.reduce_sum_sparse. */
export function sparseReduceSumSparse(spInput: SparseTensor, ...rest: unknown[]): SparseTensor {
  const made = SparseReduceSumSparse(reductionOf(spInput, rest));
  return new SparseTensor(made.outputIndices, made.outputValues, made.outputShape);
}

/** Softmax over the innermost dimension of a sparse tensor, among the elements that are there. TF: tf.sparse.softmax. */
export function sparseSoftmax(spInput: SparseTensor, options?: NameOption): SparseTensor {
  const { indices, values, denseShape } = sparseOf(spInput);
  return inNameScope(options, "SparseSoftmax", [indices, values], () => {
    const output = SparseSoftmax({ spIndices: indices, spValues: values, spShape: denseShape });
    return new SparseTensor(indices, output, denseShape);
  });
}

interface SparsePlaceholderOptions extends Named {
  readonly shape?: ShapeLike | Tensor;
}

/** Placeholders for the three parts of a sparse tensor. A shape, which may be an int64 tensor, is fed unless another is. TF: tf.sparse_placeholder. */
export function sparsePlaceholder(dtype: DType, ...rest: readonly (ShapeLike | Tensor | SparsePlaceholderOptions)[]): SparseTensor {
  const { shape = null, name } = collect<SparsePlaceholderOptions>(["shape", "name"], rest);
  const part = (suffix: string): NameOption => ({ name: name ? `${name}/${suffix}` : null });
  const known = shape instanceof Tensor ? staticShape(shape) : new TensorShape(Array.isArray(shape) ? shape.map(knownSize) : shape);
  const sizes = known.dims?.map(size => size ?? -1) ?? [];
  const byDefault = (): Tensor => convertToTensor(sizes, { dtype: "int64", ...(name && { name: `${name}/shape_default` }) });
  const given = shape === null ? null : shape instanceof Tensor ? shape : byDefault();
  const denseShape = given ? placeholderWithDefault(given, given.shape, part("shape")) : placeholder("int64", [null], part("shape"));
  const values = placeholder(dtype, [null], part("values"));
  const rank = denseShape.shape.dim(0);
  const made = new SparseTensor(placeholder("int64", [null, rank], part("indices")), values, denseShape);
  made.setShape(known);
  return made;
}

/** -1 means what null does. */
const knownSize = (size: number | null): number | null => (size === -1 ? null : size);
