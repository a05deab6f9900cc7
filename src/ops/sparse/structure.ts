// Sparse tensors taken apart and put together: order, shape, slices, concatenation, splits, sums, rows filled, elements kept. Where the number of
// elements depends on their places, the op runs on the host between segments.

import { Dimension } from "../../base/dimension.ts";
import { type DType, isFloating } from "../../base/dtype.ts";
import { InternalError, InvalidArgumentError, UnimplementedError, ValueError } from "../../base/errors.ts";
import { pythonClass } from "../../base/python-text.ts";
import { type ElementValue, NDArray } from "../../base/ndarray.ts";
import { type Dimension as Size, mergedDimension, sizeOf, TensorShape } from "../../base/shape.ts";
import * as attr from "../../graph/attributes.ts";
import { containsTensor, convertIntegers, convertToTensor, refuseMixed, type TensorLike } from "../../graph/conversion.ts";
import { defineOp, type Gradients, type Named } from "../../graph/op-definition.ts";
import { Tensor } from "../../graph/operation.ts";
import { SparseTensor } from "../../graph/sparse-tensor.ts";
import { staticValue } from "../../graph/static-value.ts";
import * as ir from "../../ir/build.ts";
import { constantIndex, dataIndex } from "../../ir/index-map.ts";
import type { Value } from "../../ir/program.ts";
import { constantScalar, loadScalar, type Scalar, s } from "../../ir/scalar.ts";
import { expandDims, identity, numbersOf, rank, reshape, shape as shapeOf } from "../array/array.ts";
import { gather, gatherNd } from "../array/gather.ts";
import { range } from "../array/ranges.ts";
import { invertPermutation, transpose } from "../array/rearranging.ts";
import { where } from "../array/selection.ts";
import { concat, getItem, stridedSlice } from "../array/slicing.ts";
import { cast, castInteger } from "../math/cast.ts";
import { subtract } from "../math/math.ts";
import { reduceMax } from "../math/reduction.ts";
import { inNameScope, named, type NameOption } from "../named.ts";
import { checkListed, collect, eitherName, need, refuseOthers } from "../arguments.ts";
import { sparseOf } from "./sparse.ts";

/** Reads coordinate `axis` of entry `n`. */
export const coordinate = (indices: Value, n: Parameters<typeof loadScalar>[1][number], axis: number): Scalar =>
  loadScalar(indices, [n, constantIndex(axis)]);

// ---- elements with their places, on the host ----

/** One stored element. */
interface Entry {
  readonly at: readonly number[];
  readonly value: ElementValue;
}

function entriesOf(indices: NDArray, values: NDArray): Entry[] {
  const rank = indices.shape[1] ?? 1;
  return Array.from({ length: values.size }, (_, n) => ({
    at: Array.from({ length: rank }, (_, axis) => Number(indices.get(n * rank + axis))),
    value: values.get(n),
  }));
}

const ofInt64 = (numbers: readonly number[], shape: readonly number[]): NDArray =>
  new NDArray("int64", shape, BigInt64Array.from(numbers, BigInt));

/** Coordinates and values as arrays again. */
function arraysOf(entries: readonly Entry[], rank: number, like: NDArray): [indices: NDArray, values: NDArray] {
  const indices = ofInt64(
    entries.flatMap(({ at }) => at),
    [entries.length, rank],
  );
  const values = NDArray.zeros(like.dtype, [entries.length]);
  entries.forEach(({ value }, n) => void values.set(n, value));
  return [indices, values];
}

/** Row-major order of places. */
function comparePlaces(a: readonly number[], b: readonly number[]): number {
  for (let axis = 0; axis < a.length; axis++) if (a[axis] !== b[axis]) return a[axis] - b[axis];
  return 0;
}

/** @throws ValueError unless these can be the places, values and shape of a sparse tensor. */
export const coordinates = (indices: TensorShape, values: TensorShape, shape: TensorShape): void => {
  indices.withRank(2);
  values.withRank(1);
  shape.withRank(1);
};

type Sizes = readonly number[];

/** What the kernels that take a sparse tensor as a whole ask of the shapes of its parts. */
function checkSparse(indices: Sizes, values: Sizes, shape: Sizes): void {
  need(indices.length === 2, () => `Sparse indices must be rank 2 but is rank ${indices.length}`);
  need(values.length === 1, () => `Sparse values must be rank 1 but is rank ${values.length}`);
  need(shape.length === 1, () => `Sparse shape must be rank 1 but is rank ${shape.length}`);
  checkCounts(indices, values, shape);
}

function checkCounts(indices: Sizes, values: Sizes, shape: Sizes): void {
  need(indices[0] === values[0], () => `Number of elements in indices (${indices[0]}) and values (${values[0]}) do not match`);
  need(indices[1] === shape[0], () => `Index rank (${indices[1]}) and shape rank (${shape[0]}) do not match`);
}

const list = (rank: number | null): TensorShape[] => [new TensorShape([null, rank]), new TensorShape([null]), new TensorShape([rank])];

// ---- order ----

/** The elements in row-major order of their places. */
export const SparseReorder = defineOp("SparseReorder", {
  inputs: { inputIndices: "int64", inputValues: "T", inputShape: "int64" },
  outputs: { outputIndices: "int64", outputValues: "T" },
  attrs: { T: attr.type() },
  shape: ({ inputIndices, inputValues, inputShape }) => {
    coordinates(inputIndices, inputValues, inputShape);
    return [inputIndices.withRank(2), inputValues.withRank(1)];
  },
  isLenient: true,
  checks: ({ inputIndices, inputValues, inputShape }) => checkSparse(inputIndices, inputValues, inputShape),
  gradient: ({ inputIndices, inputShape }, d): Gradients => {
    const count = stridedSlice(shapeOf(inputIndices), [0], [1], { shrinkAxisMask: 1 });
    const { outputValues: order } = SparseReorder({ inputIndices, inputValues: range(count), inputShape });
    return { inputValues: gather(d.outputValues, invertPermutation(order)) };
  },
  lower: ({ inputIndices, inputValues }) => {
    const sortPlaces = ([indices]: readonly NDArray[], [order]: readonly NDArray[]): void => {
      const places = entriesOf(indices, order).map(({ at }) => at);
      const sorted = places.map((_, n) => n).sort((a, b) => comparePlaces(places[a], places[b]) || a - b);
      sorted.forEach((n, k) => void order.set(k, n));
    };
    const count = inputValues.shape[0];
    const [order] = ir.call({ name: "sparseOrder", run: sortPlaces }, [inputIndices], [{ dtype: "int32", shape: [count] }]);
    return [
      ir.generate(inputIndices.shape, ([n, axis]) => loadScalar(inputIndices, [dataIndex(loadScalar(order, [n]), count), axis])),
      ir.generate(inputValues.shape, ([n]) => loadScalar(inputValues, [dataIndex(loadScalar(order, [n]), count)])),
    ];
  },
});

// ---- shape ----

/** A shape with one -1 in it, worked out. @throws InvalidArgumentError if it does not fit. */
function completedShape(from: readonly number[], wanted: readonly number[]): number[] {
  const open = wanted.flatMap((size, axis) => (size === -1 ? [axis] : []));
  const unknown = open.length;
  if (unknown > 1) throw new InvalidArgumentError(`only one output dimension may be -1, not both ${open[0]} and ${open[1]}`);
  const negative = wanted.findIndex(size => size < -1);
  if (negative >= 0) throw new InvalidArgumentError(`size ${negative} must be non-negative, not ${wanted[negative]}`);
  const [have, product] = [sizeOf(from), wanted.filter(size => size !== -1).reduce((a, b) => a * b, 1)];
  if (unknown === 1 && product === 0)
    throw new InvalidArgumentError(
      "reshape cannot infer the missing input size for an empty tensor unless all specified input sizes are non-zero",
    );
  if (unknown === 1 && have % product !== 0)
    throw new InvalidArgumentError(
      `Input to reshape is a SparseTensor with ${have} dense values, but the requested shape requires a multiple of ${product}. input_shape=[${from}] output_shape=[${wanted.map(size => (size === -1 ? 1 : size))}]`,
    );
  const shape = wanted.map(size => (size === -1 ? have / product : size));
  if (sizeOf(shape) !== have)
    throw new InvalidArgumentError(
      `Input to reshape is a tensor with ${have} dense values, but the requested shape has ${sizeOf(shape)}. input_shape=[${from}] output_shape=[${shape}]`,
    );
  return shape;
}

/** The places of the same elements in another shape of equal size. */
export const SparseReshape = defineOp("SparseReshape", {
  inputs: { inputIndices: "int64", inputShape: "int64", newShape: "int64" },
  outputs: { outputIndices: "int64", outputShape: "int64" },
  attrs: {},
  gradient: "none",
  shape: ({ inputIndices, inputShape, newShape }) => {
    inputIndices.withRank(2);
    inputShape.withRank(1);
    const rank = newShape.withRank(1);
    return [new TensorShape([inputIndices.withRank(2).dim(0), rank.dim(0)]), rank];
  },
  isLenient: true,
  checks: ({ inputIndices, inputShape, newShape }) => {
    need(inputIndices.length === 2, () => "Input must be a matrix.");
    need(inputShape.length === 1, () => "Input shape must be a vector.");
    need(inputIndices[1] === inputShape[0], () => "Input tensor rank must match input shape length.");
    need(newShape.length === 1, () => `Target shape should be a vector but received shape [${newShape}]`);
  },
  lower: ({ inputIndices, inputShape, newShape }) => {
    const [count] = inputIndices.shape;
    const [rank] = newShape.shape;
    const run = ([indices, from, wanted]: readonly NDArray[], [moved, shape]: readonly NDArray[]): void => {
      const old = numbersOf(from);
      checkNonNegative(old);
      const next = completedShape(old, numbersOf(wanted));
      need(
        count === 0 || sizeOf(old) > 0,
        () => `Input tensor has ${count} non zero elements but input shape ([${old}]) or output shape ([${next}]) is empty`,
      );
      next.forEach((size, axis) => void shape.set(axis, BigInt(size)));
      for (let n = 0; n < count; n++) {
        let place = old.reduce((sum, size, axis) => sum * size + Number(indices.get(n * old.length + axis)), 0);
        for (let axis = rank - 1; axis >= 0; axis--) {
          // What lies outside stays outside: the first place is not wrapped.
          moved.set(n * rank + axis, BigInt(axis === 0 ? place : place % next[axis]));
          place = Math.floor(place / next[axis]);
        }
      }
    };
    return ir.call(
      { name: "sparseReshape", run },
      [inputIndices, inputShape, newShape],
      [
        { dtype: "int64", shape: [count, rank] },
        { dtype: "int64", shape: [rank] },
      ],
    );
  },
});

// ---- slices ----

/** The elements inside a box, their places counted from its corner. */
function checkNonNegative(dims: readonly number[]): void {
  for (const size of dims) need(size >= 0, () => `Expected shape dimensions to be non-negative, got ${size}`);
}

export const SparseSlice = defineOp("SparseSlice", {
  inputs: { indices: "int64", values: "T", shape: "int64", start: "int64", size: "int64" },
  outputs: { outputIndices: "int64", outputValues: "T", outputShape: "int64" },
  attrs: { T: attr.type() },
  shape: ({ shape }) => {
    const [places, elements] = list(shape.withRank(1).dim(0));
    return [places, elements, shape];
  },
  isLenient: true,
  checks: ({ indices, values, shape, start, size }) => {
    checkSparse(indices, values, shape);
    for (const [name, dims] of Object.entries({ start, size }))
      need(dims.length === 1, () => `Input ${name} should be a vector but received shape [${dims}]`);
  },
  gradient: ({ indices, start, outputIndices }, d): Gradients => ({
    values: SparseSliceGrad({ backpropValGrad: d.outputValues, inputIndices: indices, inputStart: start, outputIndices }),
  }),
  host: ({ indices, values, shape, start, size }) => {
    const [dims, from, extent] = [shape, start, size].map(numbersOf);
    if (from.length !== dims.length)
      throw new InvalidArgumentError(`Expected start to be a vector of length ${dims.length} but got length ${from.length}`);
    if (extent.length !== dims.length)
      throw new InvalidArgumentError(`Expected size to be a vector of length ${dims.length} but got length ${extent.length}`);
    checkNonNegative(dims);
    const kept = dims.map((d, axis) => (from[axis] < d ? Math.min(extent[axis], d - from[axis]) : 0));
    for (const size of extent) need(size >= 0, () => `Expected a non-negative size, got ${size}`);
    const inside = entriesOf(indices, values)
      .map(({ at, value }) => ({ at: at.map((x, axis) => x - from[axis]), value }))
      .filter(({ at }) => at.every((x, axis) => x >= 0 && x < kept[axis]));
    return [...arraysOf(inside, dims.length, values), ofInt64(kept, [dims.length])];
  },
});

const keyOf = (at: readonly number[]): string => at.join();

export const SparseSliceGrad = defineOp("SparseSliceGrad", {
  inputs: { backpropValGrad: "T", inputIndices: "int64", inputStart: "int64", outputIndices: "int64" },
  outputs: { valGrad: "T" },
  attrs: { T: attr.type(attr.numbers) },
  shape: ({ inputIndices }) => new TensorShape([inputIndices.withRank(2).dim(0)]),
  lower: ({ backpropValGrad, inputIndices, inputStart, outputIndices, T }) => {
    const run = ([d, input, start, output]: readonly NDArray[], [out]: readonly NDArray[]): void => {
      const from = numbersOf(start);
      const given = new Map(entriesOf(output, d).map(({ at, value }) => [keyOf(at.map((x, axis) => x + from[axis])), value]));
      entriesOf(input, out).forEach(({ at }, n) => void out.set(n, given.get(keyOf(at)) ?? 0));
    };
    const inputs = [backpropValGrad, inputIndices, inputStart, outputIndices];
    return ir.call({ name: "sparseSliceGrad", run }, inputs, [{ dtype: T, shape: [inputIndices.shape[0]] }])[0];
  },
});

/** Sparse tensors one after another along an axis. */
export const SparseConcat = defineOp("SparseConcat", {
  inputs: { indices: "N*int64", values: "N*T", shapes: "N*int64" },
  outputs: { outputIndices: "int64", outputValues: "T", outputShape: "int64" },
  attrs: { concatDim: attr.int(), N: attr.int(undefined, 2), T: attr.type() },
  gradient: "none",
  shape: ({ indices, values, shapes }) => {
    let [count, width, common]: [Size, Size, TensorShape] = [0, null, TensorShape.unknown()];
    for (const [i, shape] of indices.entries()) {
      coordinates(shape, values[i], shapes[i]);
      const own = mergedDimension(shape.dim(0), values[i].dim(0));
      count = count === null || own === null ? null : count + own;
      width = mergedDimension(width, shape.dim(1));
      common = common.mergeWith(shapes[i]);
    }
    return [new TensorShape([count, width]), new TensorShape([count]), common.withRank(1)];
  },
  isLenient: true,
  checks: ({ indices, values, shapes }) => {
    const asked = [
      ["indices", indices, 2, "matrix"],
      ["values", values, 1, "vector"],
      ["shapes", shapes, 1, "vector"],
    ] as const;
    for (const [name, given, rank, what] of asked)
      for (const [i, dims] of given.entries())
        need(dims.length === rank, () => `Input ${name} should be a ${what} but received shape [${dims}] at position ${i}`);
    for (const [i, [rows]] of indices.entries())
      need(
        rows === values[i][0],
        () => `indices and values rows (indexing dimension) must match. (indices = ${rows}, values = ${values[i][0]})`,
      );
  },
  host: ({ indices, values, shapes, concatDim }) => {
    const dims = shapes.map(numbersOf);
    for (const shape of dims)
      if (shape.some(size => size < 0) || sizeOf(shape) >= 2 ** 63) throw new InternalError("Encountered overflow from large input shape.");
    const rank = dims[0].length;
    const axis = concatDim < 0 ? concatDim + rank : concatDim;
    if (axis < 0 || axis >= rank) throw new InvalidArgumentError(`Concat dimension must be in range [${-rank}, ${rank}), got ${concatDim}`);
    dims.forEach((shape, i) => {
      if (shape.length !== rank)
        throw new InvalidArgumentError(`Ranks of all input tensors must match: expected ${rank} but got ${shape.length} at position ${i}`);
      shape.forEach((size, k) => {
        if (k !== axis && size !== dims[0][k])
          throw new InvalidArgumentError(
            `Input shapes must match: expected ${dims[0][k]} for dimension ${k} but got ${size} at position ${i}`,
          );
      });
    });
    for (const given of indices) need(given.shape[1] === rank, () => "Order length must be SparseTensor rank.");
    let from = 0;
    const entries = indices.flatMap((given, i) => {
      const moved = entriesOf(given, values[i]).map(({ at, value }) => ({ at: at.map((x, k) => (k === axis ? x + from : x)), value }));
      from += dims[i][axis];
      return moved;
    });
    const sorted = entries.map((entry, n) => ({ ...entry, n })).sort((a, b) => comparePlaces(a.at, b.at) || a.n - b.n);
    const shape = dims[0].map((size, k) => (k === axis ? from : size));
    return [...arraysOf(sorted, rank, values[0]), ofInt64(shape, [rank])];
  },
});

/** Parts of equal width along an axis; the first ones are one wider where it does not divide. */
export const SparseSplit = defineOp("SparseSplit", {
  inputs: { splitDim: "int64", indices: "int64", values: "T", shape: "int64" },
  outputs: { outputIndices: "numSplit*int64", outputValues: "numSplit*T", outputShape: "numSplit*int64" },
  attrs: { numSplit: attr.int(undefined, 1), T: attr.type() },
  shape: ({ shape, numSplit }) => {
    const [indices, values] = list(shape.withRank(1).dim(0));
    return [indices, values, shape].flatMap(part => Array<TensorShape>(numSplit).fill(part));
  },
  isLenient: true,
  checks: ({ splitDim, indices, values, shape }) => {
    need(splitDim.length === 0, () => `Input axis should be a scalar but received shape [${splitDim}]`);
    need(indices.length === 2, () => `Input indices should be a matrix but received shape [${indices}]`);
    // The kernel shows the shape of the indices here.
    need(values.length === 1, () => `Input values should be a vector but received shape [${indices}]`);
    need(shape.length === 1, () => `Input shape should be a vector but received shape [${shape}]`);
    checkCounts(indices, values, shape);
  },
  host: ({ splitDim, indices, values, shape, numSplit }) => {
    const dims = numbersOf(shape);
    for (const [n, { at }] of entriesOf(indices, values).entries()) {
      const isInside = at.every((x, k) => x >= 0 && x < dims[k]);
      need(isInside, () => `Sparse index tuple indices[${n}, :] = [${at.join(", ")}] is out of bounds`);
    }
    const given = Number(splitDim.get(0));
    const axis = given < 0 ? given + dims.length : given;
    if (axis < 0 || axis >= dims.length)
      throw new InvalidArgumentError(`Input axis should be in range [${-dims.length}, ${dims.length}), got ${given}`);
    if (numSplit > dims[axis])
      throw new InvalidArgumentError(
        `Input num_split should be between 1 and the splitting dimension size (${dims[axis]}), got ${numSplit}`,
      );
    const [width, wider] = [Math.floor(dims[axis] / numSplit), dims[axis] % numSplit];
    const entries = entriesOf(indices, values);
    let from = 0;
    const parts = Array.from({ length: numSplit }, (_, i) => {
      const size = width + (i < wider ? 1 : 0);
      const first = from;
      from += size;
      const inside = entries
        .filter(({ at }) => at[axis] >= first && at[axis] < first + size)
        .map(({ at, value }) => ({ at: at.map((x, k) => (k === axis ? x - first : x)), value }));
      const partDims = dims.map((d, k) => (k === axis ? size : d));
      return [...arraysOf(inside, dims.length, values), ofInt64(partDims, [dims.length])];
    });
    return [0, 1, 2].flatMap(k => parts.map(part => part[k]));
  },
});

// ---- sums ----

/** Both lists by place, in row-major order. @throws InvalidArgumentError for tensors of different shapes. */
function merged(
  a: readonly Entry[],
  b: readonly Entry[],
): { at: readonly number[]; a: ElementValue | undefined; b: ElementValue | undefined }[] {
  const found = new Map<string, { at: readonly number[]; a: ElementValue | undefined; b: ElementValue | undefined }>();
  for (const { at, value } of a) found.set(keyOf(at), { at, a: value, b: undefined });
  for (const { at, value } of b) found.set(keyOf(at), { at, a: found.get(keyOf(at))?.a, b: value });
  return [...found.values()].sort((x, y) => comparePlaces(x.at, y.at));
}

function requireSameShape(a: NDArray, b: NDArray): void {
  const [left, right] = [numbersOf(a), numbersOf(b)];
  need(left.length === right.length, () => `Operands do not have the same ranks; got shapes: ${left.join(" ")} and ${right.join(" ")}`);
  left.forEach((size, axis) => {
    if (size !== right[axis])
      throw new InvalidArgumentError(`Operands' shapes do not match: got ${size} and ${right[axis]} for dimension ${axis}`);
  });
}

const pairShape = ({
  aIndices,
  aValues,
  aShape,
  bIndices,
  bValues,
  bShape,
}: Readonly<Record<"aIndices" | "aValues" | "aShape" | "bIndices" | "bValues" | "bShape", TensorShape>>): number | null => {
  coordinates(aIndices, aValues, aShape);
  coordinates(bIndices, bValues, bShape);
  return aShape.withRank(1).mergeWith(bShape).dim(0);
};

interface Complex {
  readonly re: number;
  readonly im: number;
}

const partsOf = (value: ElementValue | undefined): Complex =>
  typeof value === "object" && !(value instanceof Uint8Array) ? value : { re: Number(value ?? 0), im: 0 };

export function sumOf(a: ElementValue | undefined, b: ElementValue | undefined): ElementValue {
  if (typeof a === "bigint" || typeof b === "bigint") return ((a ?? 0n) as bigint) + ((b ?? 0n) as bigint);
  const [x, y] = [partsOf(a), partsOf(b)];
  return typeof a === "object" || typeof b === "object" ? { re: x.re + y.re, im: x.im + y.im } : x.re + y.re;
}

const magnitude = (value: ElementValue): number => {
  const { re, im } = partsOf(value);
  return Math.hypot(re, im);
};

/** The threshold's bytes as TensorFlow reads them: as a number of the values' type, whatever its own. */
function thresholdFor(thresh: NDArray, dtype: DType): number {
  const wanted = dtype === "complex64" ? "float32" : dtype === "complex128" ? "float64" : dtype;
  if (thresh.dtype === wanted) return Number(thresh.get(0));
  const number = NDArray.zeros(wanted, []);
  const [given, read] = [thresh, number].map(({ data }) => {
    const { buffer, byteOffset, byteLength } = data as Uint8Array;
    return new Uint8Array(buffer, byteOffset, byteLength);
  });
  if (given.every(byte => byte === 0)) return 0;
  need(given.length >= read.length, () => `thresh must be ${wanted}, as the values are, got ${thresh.dtype}`);
  read.set(given.subarray(0, read.length));
  const least = Number(number.get(0));
  return isFloating(wanted) && Math.abs(least) < (wanted === "float64" ? 2 ** -1022 : 2 ** -126) ? 0 : least;
}

/** The sum of two sparse tensors, without elements below a threshold in magnitude. */
export const SparseAdd = defineOp("SparseAdd", {
  inputs: { aIndices: "int64", aValues: "T", aShape: "int64", bIndices: "int64", bValues: "T", bShape: "int64", thresh: "Treal" },
  outputs: { sumIndices: "int64", sumValues: "T", sumShape: "int64" },
  attrs: { T: attr.type(attr.numbers), Treal: attr.type(attr.realNumbers) },
  shape: ({ aShape }) => list(aShape.withRank(1).dim(0)),
  isLenient: true,
  checks: ({ aIndices: a, aValues: aOwn, aShape, bIndices: b, bValues: bOwn, bShape }) => {
    need(a.length === 2 && b.length === 2, () => `Input indices should be matrices but received shapes: [${a}] and [${b}]`);
    need(a[1] === b[1], () => `Input indices must have the same dimension, got ${a[1]} and ${b[1]}`);
    need(aOwn.length === 1 && bOwn.length === 1, () => `Input values should be vectors but received shapes: [${aOwn}] and [${bOwn}]`);
    need(aOwn[0] === a[0] && bOwn[0] === b[0], () => `Expected ${a[0]} and ${b[0]} non-empty input values, got ${aOwn[0]} and ${bOwn[0]}`);
    need(
      aShape.length === 1 && bShape.length === 1,
      () => `Input shapes should be a vector but received shapes [${aShape}] and [${bShape}]`,
    );
    need(a[1] === aShape[0], () => `Second dimension of a_indices and length of a_shape must match, got ${a[1]} and ${aShape[0]}`);
  },
  gradient: ({ aIndices, bIndices, sumIndices }, d): Gradients => {
    const { aValGrad, bValGrad } = SparseAddGrad({ backpropValGrad: d.sumValues, aIndices, bIndices, sumIndices });
    return { aValues: aValGrad, bValues: bValGrad };
  },
  host: ({ aIndices, aValues, aShape, bIndices, bValues, bShape, thresh }) => {
    requireSameShape(aShape, bShape);
    const least = thresholdFor(thresh, aValues.dtype);
    // What only one of them has stays, however small.
    const sums = merged(entriesOf(aIndices, aValues), entriesOf(bIndices, bValues))
      .filter(({ a, b }) => a === undefined || b === undefined || least <= magnitude(sumOf(a, b)))
      .map(({ at, a, b }) => ({ at, value: sumOf(a, b) }));
    return [...arraysOf(sums, aShape.size, aValues), aShape];
  },
});

export const SparseAddGrad = defineOp("SparseAddGrad", {
  inputs: { backpropValGrad: "T", aIndices: "int64", bIndices: "int64", sumIndices: "int64" },
  outputs: { aValGrad: "T", bValGrad: "T" },
  attrs: { T: attr.type(attr.numbers) },
  gradient: "none",
  shape: ({ aIndices, bIndices }) => [new TensorShape([aIndices.withRank(2).dim(0)]), new TensorShape([bIndices.withRank(2).dim(0)])],
  lower: ({ backpropValGrad, aIndices, bIndices, sumIndices, T }) => {
    const run = ([d, a, b, sum]: readonly NDArray[], outs: readonly NDArray[]): void => {
      const given = new Map(entriesOf(sum, d).map(({ at, value }) => [keyOf(at), value]));
      [a, b].forEach((indices, k) => {
        entriesOf(indices, outs[k]).forEach(({ at }, n) => void outs[k].set(n, given.get(keyOf(at)) ?? 0));
      });
    };
    return ir.call(
      { name: "sparseAddGrad", run },
      [backpropValGrad, aIndices, bIndices, sumIndices],
      [aIndices, bIndices].map(({ shape }) => ({ dtype: T, shape: [shape[0]] })),
    );
  },
});

type Pair = Readonly<Record<"aIndices" | "aValues" | "aShape" | "bIndices" | "bValues" | "bShape", NDArray>>;

function chosen(record: Pair, pick: (a: number, b: number) => number): readonly NDArray[] {
  requireSameShape(record.aShape, record.bShape);
  const entries = merged(entriesOf(record.aIndices, record.aValues), entriesOf(record.bIndices, record.bValues)).map(
    ({ at, a = 0, b = 0 }) => {
      const [x, y] = [Number(a), Number(b)];
      return { at, value: Number.isNaN(x) || pick(x, y) === x ? a : b };
    },
  );
  return arraysOf(entries, record.aShape.size, record.aValues);
}

/** TensorFlow registers a gradient that says there is none yet. */
function noGradient(type: string): never {
  throw new UnimplementedError(`Gradient for ${type} is not implemented.`);
}

const pairInputs = { aIndices: "int64", aValues: "T", aShape: "int64", bIndices: "int64", bValues: "T", bShape: "int64" } as const;

const extremeOp = <const N extends string, const D extends DType>(type: N, types: readonly D[], choose: (a: number, b: number) => number) =>
  defineOp(type, {
    inputs: pairInputs,
    outputs: { outputIndices: "int64", outputValues: "T" },
    attrs: { T: attr.type(types) },
    gradient: () => noGradient(type),
    shape: record => {
      pairShape(record);
      return list(null).slice(0, 2);
    },
    host: record => chosen(record, choose),
  });

/** The larger of each two elements; what is not stored counts as zero. */
export const SparseSparseMaximum = extremeOp("SparseSparseMaximum", attr.realNumbers, Math.max);
export const SparseSparseMinimum = extremeOp("SparseSparseMinimum", attr.numbers, Math.min);

/** A dense tensor with a sparse one added to it. */
export const SparseTensorDenseAdd = defineOp("SparseTensorDenseAdd", {
  inputs: { aIndices: "Tindices", aValues: "T", aShape: "Tindices", b: "T" },
  outputs: { output: "T" },
  attrs: { T: attr.type(attr.numbers), Tindices: attr.type(attr.indexTypes) },
  shape: ({ b }) => b,
  gradient: ({ aIndices }, d): Gradients => ({ aValues: gatherNd(d.output, aIndices), b: d.output }),
  lower: ({ aIndices, aValues, aShape, b }) => {
    if (aShape.shape[0] !== b.shape.length)
      throw new InvalidArgumentError(`Two operands have different ndims: ${aShape.shape[0]} vs. ${b.shape.length}`);
    b.shape.forEach((size, axis) => {
      ir.check(aValues.shape, ([n]) => s.and(s.ge(coordinate(aIndices, n, axis), 0), s.lt(coordinate(aIndices, n, axis), size)), {
        label: "inside the dense tensor",
        reads: [aIndices],
        error: ([n], read) =>
          new InvalidArgumentError(
            `Sparse tensor has an invalid index on dimension ${axis}: a_indices(${n},${axis}) = ${read(aIndices).get(n * b.shape.length + axis)}, dense tensor shape: ${b.shape.join(" ")}`,
          ),
      });
    });
    return ir.scatter("add", b, aValues.shape, ([n]) => ({
      at: b.shape.map((_, axis) => coordinate(aIndices, n, axis)),
      body: loadScalar(aValues, [n]),
    }));
  },
});

// ---- rows ----

/** An element of the default value in every row that has none. */
export const SparseFillEmptyRows = defineOp("SparseFillEmptyRows", {
  inputs: { indices: "int64", values: "T", denseShape: "int64", defaultValue: "T" },
  outputs: { outputIndices: "int64", outputValues: "T", emptyRowIndicator: "bool", reverseIndexMap: "int64" },
  attrs: { T: attr.type() },
  shape: ({ indices, values, denseShape, defaultValue }, context) => {
    coordinates(indices, values, denseShape);
    defaultValue.withRank(0);
    mergedDimension(indices.dim(0), values.dim(0));
    mergedDimension(indices.dim(1), denseShape.dim(0));
    const rows = context.partial("denseShape")?.values[0] ?? null;
    const count = indices.withRank(2).dim(0) ?? values.withRank(1).dim(0);
    return [
      new TensorShape([null, denseShape.withRank(1).dim(0)]),
      new TensorShape([null]),
      new TensorShape([rows]),
      new TensorShape([count]),
    ];
  },
  isLenient: true,
  checks: ({ indices, values, denseShape, defaultValue }) => {
    need(denseShape.length === 1, () => `dense_shape must be a vector, saw: [${denseShape}]`);
    need(indices.length === 2, () => `indices must be a matrix, saw: [${indices}]`);
    need(values.length === 1, () => `values must be a vector, saw: [${values}]`);
    need(defaultValue.length === 0, () => `default_value must be a scalar, saw: [${defaultValue}]`);
    const [[rows, width], [count], [rank]] = [indices, values, denseShape];
    need(count === rows, () => `The length of \`values\` (${count}) must match the first dimension of \`indices\` (${rows}).`);
    need(rank === width, () => `The length of \`dense_shape\` (${rank}) must match the second dimension of \`indices\` (${width}).`);
  },
  gradient: ({ reverseIndexMap }, d): Gradients => {
    const { dValues, dDefaultValue } = SparseFillEmptyRowsGrad({ reverseIndexMap, gradValues: d.outputValues });
    return { values: dValues, defaultValue: dDefaultValue };
  },
  host: ({ indices, values, denseShape, defaultValue }) => {
    const dims = numbersOf(denseShape);
    if (dims.length === 0) throw new InvalidArgumentError("Dense shape cannot be empty.");
    checkNonNegative(dims.slice(0, 1));
    checkListed(dims[0], "bool");
    const rows: (Entry & { readonly from: number })[][] = Array.from({ length: dims[0] }, () => []);
    entriesOf(indices, values).forEach((entry, n) => {
      const [row] = entry.at;
      if (row < 0 || row >= dims[0]) throw new InvalidArgumentError(`indices(${n}, 0) is invalid: ${row} >= ${dims[0]}`);
      rows[row].push({ ...entry, from: n });
    });
    const isEmpty = NDArray.zeros("bool", [dims[0]]);
    const filled = rows.flatMap((row, r) => {
      if (row.length > 0) return row;
      isEmpty.set(r, true);
      return [{ at: dims.map((_, axis) => (axis === 0 ? r : 0)), value: defaultValue.get(0), from: -1 }];
    });
    const places = NDArray.zeros("int64", [values.size]);
    filled.forEach(({ from }, k) => {
      if (from >= 0) places.set(from, BigInt(k));
    });
    return [...arraysOf(filled, dims.length, values), isEmpty, places];
  },
});

export const SparseFillEmptyRowsGrad = defineOp("SparseFillEmptyRowsGrad", {
  inputs: { reverseIndexMap: "int64", gradValues: "T" },
  outputs: { dValues: "T", dDefaultValue: "T" },
  attrs: { T: attr.type() },
  shape: ({ reverseIndexMap, gradValues }) => {
    gradValues.withRank(1);
    return [reverseIndexMap.withRank(1), new TensorShape([])];
  },
  lower: ({ reverseIndexMap, gradValues }) => {
    const count = gradValues.shape[0];
    const kept = ir.generate(reverseIndexMap.shape, ([n]) => loadScalar(gradValues, [dataIndex(loadScalar(reverseIndexMap, [n]), count)]));
    const others = ir.scatter("assign", gradValues, reverseIndexMap.shape, ([n]) => ({
      at: [loadScalar(reverseIndexMap, [n])],
      body: constantScalar(gradValues.dtype, 0),
    }));
    return [kept, ir.reduce("sum", others, [0])];
  },
});

// ---- functions ----

/** The elements in row-major order of their places. TF: tf.sparse.reorder. */
export function sparseReorder(spInput: SparseTensor, options?: NameOption): SparseTensor {
  const { indices, values, denseShape, shape } = sparseOf(spInput);
  const { outputIndices, outputValues } = SparseReorder(
    { inputIndices: indices, inputValues: values, inputShape: denseShape },
    named(options),
  );
  return new SparseTensor(outputIndices, outputValues, shape.isFullyDefined ? shape.asNumbers() : identity(denseShape));
}

const int64 = (numbers: TensorLike): Tensor => convertToTensor(numbers, { dtype: "int64" });
function asInt64(value: TensorLike): Tensor {
  refuseMixed(value);
  const isLiteral = (Array.isArray(value) && !containsTensor(value)) || typeof value === "number";
  return isLiteral ? convertToTensor(value, { dtype: "int64" }) : cast(value, "int64");
}

/** The same elements in another shape of equal size; one dimension may be -1. TF: tf.sparse.reshape. */
export function sparseReshape(spInput: SparseTensor, shape: TensorLike, options?: NameOption): SparseTensor {
  const { denseShape } = sparseOf(spInput);
  const wanted = asInt64(shape);
  return inNameScope(options, "SparseReshape", [spInput.indices, wanted], scope => {
    const { outputIndices, outputShape } = SparseReshape(
      { inputIndices: spInput.indices, inputShape: denseShape, newShape: wanted },
      { name: scope },
    );
    checkElements(spInput.shape, staticValue(wanted));
    return new SparseTensor(outputIndices, identity(spInput.values), outputShape);
  });
}

/** @throws ValueError for sizes that do not make as many elements, where all are known. */
function checkElements({ size, isFullyDefined }: TensorShape, wanted: NDArray | undefined): void {
  if (!isFullyDefined || size === null || wanted === undefined) return;
  const sizes = numbersOf(wanted);
  if (sizes.some(limit => limit < 0) || sizeOf(sizes) === size) return;
  throw new ValueError(`Cannot reshape a tensor with ${size} elements to shape [${sizes.join(", ")}] (${sizeOf(sizes)} elements).`);
}

/** The elements inside a box from `start` of `size`. TF: tf.sparse.slice. */
export function sparseSlice(spInput: SparseTensor, start: TensorLike, size: TensorLike, options?: NameOption): SparseTensor {
  const { indices, values, denseShape } = sparseOf(spInput);
  const [from, extent] = [int64(start), int64(size)];
  return inNameScope(options, "SparseSlice", [indices], scope => {
    const out = SparseSlice({ indices, values, shape: denseShape, start: from, size: extent }, { name: scope });
    return new SparseTensor(out.outputIndices, out.outputValues, out.outputShape);
  });
}

interface ConcatOptions extends Named {
  readonly concatDim?: number | null;
  /** Whether sizes along other axes may differ: the result has the largest. */
  readonly expandNonconcatDim?: boolean;
  readonly expandNonconcatDims?: boolean | null;
}

/** Sparse tensors one after another along an axis. TF: tf.sparse.concat(axis, sp_inputs, name, expand_nonconcat_dim). */
export function sparseConcat(axis: number, spInputs: readonly SparseTensor[], ...rest: unknown[]): SparseTensor {
  const {
    name,
    expandNonconcatDim = false,
    expandNonconcatDims,
    concatDim,
  } = collect<ConcatOptions>(["name", "expandNonconcatDim", "concatDim", "expandNonconcatDims"], rest);
  if (concatDim !== undefined && concatDim !== null) throw new ValueError("Cannot specify both 'concat_dim' and 'axis'.");
  if (expandNonconcatDims !== undefined && expandNonconcatDims !== null)
    throw new ValueError("Cannot specify both 'expand_nonconcat_dim' and 'expand_nonconcat_dims'.");
  if (!Array.isArray(spInputs)) throw new TypeError("Inputs must be a list or tuple.");
  spInputs.forEach(sparseOf);
  if (spInputs.length === 1) return spInputs[0];
  const shapes = spInputs.map(({ denseShape }) => denseShape);
  const out = SparseConcat(
    {
      indices: spInputs.map(({ indices }) => indices),
      values: spInputs.map(({ values }) => values),
      shapes: expandNonconcatDim ? widened(shapes, axis) : shapes,
      concatDim: axis,
    },
    { name },
  );
  return new SparseTensor(out.outputIndices, out.outputValues, out.outputShape);
}

/** The shapes with the largest of all sizes along the axes but one. */
function widened(shapes: readonly Tensor[], axis: number): Tensor[] {
  const widest = reduceMax(
    concat(
      shapes.map(shape => reshape(shape, [1, -1])),
      0,
    ),
    0,
  );
  return shapes.map(shape =>
    axis === -1
      ? concat([getItem(widest, [null, -1]), getItem(shape, [-1, null]), convertToTensor([], { dtype: "int64" })], 0)
      : concat([getItem(widest, [null, axis]), getItem(shape, [axis, axis + 1]), getItem(widest, [axis + 1, null])], 0),
  );
}

interface SplitOptions extends Named {
  readonly spInput: SparseTensor;
  readonly numSplit: number;
  readonly axis: TensorLike;
  /** The older name of the axis; both are refused. */
  readonly splitDim?: TensorLike | null;
  /** What TensorFlow has in the first place, so that all others are given by name. */
  readonly keywordRequired?: null;
}

/** Parts along an axis; the first ones are one wider where the size does not divide. TF: tf.sparse.split. */
export function sparseSplit({ spInput, numSplit, axis, splitDim, keywordRequired, name, ...others }: SplitOptions): SparseTensor[] {
  refuseOthers(others);
  if (keywordRequired !== undefined && keywordRequired !== null) throw new ValueError("Keyword arguments are required for this function.");
  for (const [argument, value] of Object.entries({ sp_input: spInput, num_split: numSplit, axis }))
    if (value === undefined || value === null) throw new ValueError(`${argument} is required`);
  const along = eitherName("axis", axis, "split_dim", splitDim) as TensorLike;
  const { indices, values, denseShape } = sparseOf(spInput);
  const out = SparseSplit({ splitDim: along, indices, values, shape: denseShape, numSplit }, { name });
  return out.outputIndices.map((part, i) => new SparseTensor(part, out.outputValues[i], out.outputShape[i]));
}

interface SparseAddOptions {
  readonly threshold?: TensorLike | null;
  /** An older name of `threshold`. */
  readonly thresh?: TensorLike | null;
}

/** The sum of two tensors, at least one sparse; two sparse ones give a sparse one without elements below `threshold`. TF: tf.sparse.add. */
export function sparseAdd(a: SparseTensor, b: SparseTensor, options?: SparseAddOptions): SparseTensor;
export function sparseAdd(a: SparseTensor | TensorLike, b: SparseTensor | TensorLike, options?: SparseAddOptions): SparseTensor | Tensor;
export function sparseAdd(
  a: SparseTensor | TensorLike,
  b: SparseTensor | TensorLike,
  { threshold, thresh, ...others }: SparseAddOptions = {},
): SparseTensor | Tensor {
  refuseOthers(others, "threshold");
  const least = eitherName("threshold", threshold, "thresh", thresh) ?? 0;
  if (a instanceof SparseTensor && b instanceof SparseTensor) {
    const real = a.dtype === "complex64" ? "float32" : a.dtype === "complex128" ? "float64" : a.dtype;
    const limit = convertToTensor(least, { dtype: real, name: "threshold" });
    const out = SparseAdd({
      aIndices: a.indices,
      aValues: a.values,
      aShape: a.denseShape,
      bIndices: b.indices,
      bValues: b.values,
      bShape: b.denseShape,
      thresh: limit,
    });
    return new SparseTensor(out.sumIndices, out.sumValues, out.sumShape);
  }
  const [sparse, dense] = a instanceof SparseTensor ? [a, b] : [b, a];
  if (!(sparse instanceof SparseTensor)) throw new TypeError("At least one input should be SparseTensor; do you mean to use tf.add()?");
  return SparseTensorDenseAdd({ aIndices: sparse.indices, aValues: sparse.values, aShape: sparse.denseShape, b: dense as TensorLike });
}

const extremeOf = (
  op: typeof SparseSparseMaximum | typeof SparseSparseMinimum,
  fallback: string,
  a: SparseTensor,
  b: SparseTensor,
  options?: NameOption,
): SparseTensor =>
  inNameScope(options, fallback, [a.indices, a.values, b.indices, b.values], scope => {
    const record = {
      aIndices: a.indices,
      aValues: a.values,
      aShape: a.denseShape,
      bIndices: b.indices,
      bValues: b.values,
      bShape: b.denseShape,
    };
    const out = op(record, { name: scope });
    return new SparseTensor(out.outputIndices, out.outputValues, a.denseShape);
  });

/** The larger of each two elements; what is not stored counts as zero. TF: tf.sparse.maximum. */
export const sparseMaximum = (spA: SparseTensor, spB: SparseTensor, options?: NameOption): SparseTensor =>
  extremeOf(SparseSparseMaximum, "SparseSparseMaximum", spA, spB, options);

/** The smaller of each two. TF: tf.sparse.minimum. */
export const sparseMinimum = (spA: SparseTensor, spB: SparseTensor, options?: NameOption): SparseTensor =>
  extremeOf(SparseSparseMinimum, "SparseSparseMinimum", spA, spB, options);

/** An element of the default value in every row that has none, and which rows those are. TF: tf.sparse.fill_empty_rows. */
export function sparseFillEmptyRows(spInput: SparseTensor, defaultValue: TensorLike, options?: NameOption): [SparseTensor, Tensor] {
  const { indices, values, denseShape } = sparseOf(spInput);
  return inNameScope(options, "SparseFillEmptyRows", [indices], () => {
    const fallback = convertToTensor(defaultValue, { dtype: values.dtype });
    const out = SparseFillEmptyRows({ indices, values, denseShape, defaultValue: fallback });
    return [new SparseTensor(out.outputIndices, out.outputValues, denseShape), out.emptyRowIndicator];
  });
}

/** The elements for which `toRetain` holds. TF: tf.sparse.retain. */
export function sparseRetain(spInput: SparseTensor, toRetain: TensorLike): SparseTensor {
  const { values } = sparseOf(spInput);
  const keep = convertToTensor(toRetain);
  const count = new Dimension(values.shape.dim(0));
  count.mergeWith(keep.shape.withRank(1).dim(0));
  const which = reshape(where(keep), [-1]);
  return new SparseTensor(gather(spInput.indices, which), gather(spInput.values, which), identity(spInput.denseShape));
}

/** The axes backwards: numbers, or a tensor where their number is open. */
function reversedAxes(sparse: SparseTensor, known: number | null): TensorLike {
  if (known !== null) return Array.from({ length: known }, (_, axis) => known - 1 - axis);
  const last = subtract(rank(sparse), 1);
  return subtract(last, range(0, rank(sparse), 1));
}

interface TransposeOptions extends Named {
  readonly perm?: TensorLike | null;
}

/** The axes in another order (reversed, unless given). TF: tf.sparse.transpose. */
export function sparseTranspose(spInput: SparseTensor, { perm, name, ...others }: TransposeOptions = {}): SparseTensor {
  refuseOthers(others);
  return inNameScope({ name }, "SparseTranspose", [(spInput as Partial<SparseTensor> | null)?.indices], () => {
    sparseOf(spInput);
    const { shape } = spInput;
    const order = perm ?? reversedAxes(spInput, shape.rank);
    const axes = (): Tensor => convertIntegers(order, "Const");
    const moved = transpose(gather(transpose(spInput.indices), axes()));
    const known = order instanceof Tensor ? staticValue(order) : NDArray.from(order as number[], "int32");
    const dims =
      known !== undefined && shape.isFullyDefined
        ? int64(numbersOf(known).map(axis => shape.asNumbers().at(axis) as number))
        : gather(spInput.denseShape, axes());
    return sparseReorder(new SparseTensor(moved, spInput.values, dims));
  });
}

const isIterable = (value: unknown): value is Iterable<unknown> =>
  typeof value === "string" || (typeof value === "object" && value !== null && Symbol.iterator in value);
const isSize = (value: unknown): boolean => value instanceof Tensor || typeof value === "boolean" || Number.isInteger(value);

interface MergeOptions extends Named {
  readonly alreadySorted?: boolean;
}

/** A sparse tensor whose last coordinates are the values of `spIds` (one, or a list with a size each). TF: tf.sparse.merge. */
export function sparseMerge(
  spIds: SparseTensor | readonly SparseTensor[],
  spValues: SparseTensor,
  vocabSize: TensorLike | readonly TensorLike[],
  { name, alreadySorted = false, ...others }: MergeOptions = {},
): SparseTensor {
  refuseOthers(others);
  const isOne = spIds instanceof SparseTensor;
  if (!isOne && !isIterable(spIds)) throw new TypeError(`sp_ids has to be a SparseTensor or list thereof. Found ${pythonClass(spIds)}`);
  const sizes = isOne ? [vocabSize as TensorLike] : vocabSize;
  const wrong = isOne || isIterable(sizes) ? [...(sizes as Iterable<TensorLike>)].find(size => !isSize(size)) : sizes;
  if (wrong !== undefined)
    throw new TypeError(
      `vocab_size has to be ${isOne ? "a Tensor or Python int" : "a list of Tensors or Python ints"}. Found ${pythonClass(wrong)}`,
    );
  const ids = isOne ? [spIds] : [...spIds];
  const extentsGiven = [...(sizes as Iterable<TensorLike>)];
  if (ids.length !== extentsGiven.length) throw new ValueError("sp_ids and vocab_size have to have equal lengths.");
  for (const each of [...ids, spValues]) sparseOf(each);
  return inNameScope({ name }, "SparseMerge", [ids.map(({ indices }) => indices), spValues.indices], () => {
    const columns = ids.map(({ values }) => expandDims(values.dtype === "int64" ? values : cast(values, "int64"), 1));
    const extents = extentsGiven.map(size => (typeof size === "number" ? castInteger(size, "int64") : cast(size, "int64")));
    const kept = getItem(ids[0].indices, [], [null, -1]);
    const indices = concat([kept, ...columns], 1);
    const shape = concat([getItem(ids[0].denseShape, [null, -1]), extents], 0);
    const result = new SparseTensor(indices, spValues.values, shape);
    if (alreadySorted) return result;
    const sorted = sparseReorder(result);
    return new SparseTensor(sorted.indices, sorted.values, shape);
  });
}
