// Ragged tensors as ops see them: flat values, and for each ragged dimension where its rows begin (row splits) or which row each value is in.
// How many values a result has is known only while running, so these ops run on the host between segments. The class is library/ragged/ragged-tensor.ts.

import { type DType, isBigInteger } from "../../base/dtype.ts";
import { InvalidArgumentError, ValueError } from "../../base/errors.ts";
import { type ElementValue, NDArray } from "../../base/ndarray.ts";
import { type Dimension, sizeOf, TensorShape } from "../../base/shape.ts";
import * as attr from "../../graph/attributes.ts";
import type { TensorLike } from "../../graph/conversion.ts";
import { defineOp, type Gradients } from "../../graph/op-definition.ts";
import type { Tensor } from "../../graph/operation.ts";
import { IndexedSlices } from "../../graph/indexed-slices.ts";
import { numbersOf, rank, reshape, shape as shapeOf } from "../array/array.ts";
import { gather } from "../array/gather.ts";
import { range } from "../array/ranges.ts";
import { booleanMask } from "../array/selection.ts";
import { getItem } from "../array/slicing.ts";
import { cast } from "../math/cast.ts";
import { cumprod, reduceSum } from "../math/reduction.ts";
import { equal, invert, notEqual, sub } from "../operators.ts";
import { type NameOption, named } from "../named.ts";
import { rowOf, stackedRows } from "../data/rows.ts";
import { type Column, combinations, hashed, joined, plainSeparator } from "./cross.ts";
import { declaredShape } from "../flow/tensor-list-elements.ts";
import { type ManyVariants, VariantArray } from "../flow/variant-array.ts";
import { checkListed, need } from "../arguments.ts";

// ---- parts ----

/** Values of a row of elements, copied in order. */
function picked(values: NDArray, places: readonly number[], fallback?: (k: number) => ElementValue): NDArray {
  const inner = values.shape.slice(1);
  const width = sizeOf(inner);
  const out = NDArray.zeros(values.dtype, [places.length, ...inner]);
  places.forEach((place, n) => {
    for (let k = 0; k < width; k++) out.set(n * width + k, place < 0 ? (fallback?.(k) ?? 0) : values.get(place * width + k));
  });
  return out;
}

const splitsArray = (ends: readonly number[], dtype: DType): NDArray => NDArray.from(ends.map(BigInt), "int64", [ends.length]).cast(dtype);

const startsOf = (lengths: readonly number[]): number[] => {
  let end = 0;
  return [0, ...lengths.map(length => (end += length))];
};

const vectors = (list: readonly TensorShape[]): void => list.forEach(item => void item.withRank(1));
const manyOf = (count: number, dims: readonly Dimension[]): TensorShape[] => Array.from({ length: count }, () => new TensorShape(dims));

// ---- to a dense tensor ----

type Partition = "ROW_SPLITS" | "VALUE_ROWIDS" | "FIRST_DIM_SIZE";

function partitionsOf(types: readonly string[]): Partition[] {
  const unknown = types.find(type => !/^(?:ROW_SPLITS|VALUE_ROWIDS|FIRST_DIM_SIZE)$/.test(type));
  if (unknown !== undefined) throw new ValueError(`Unknown string for partition info type: ${unknown}`);
  return types as Partition[];
}

function checkPartitions(types: readonly Partition[]): void {
  const [first] = types;
  if (first === "VALUE_ROWIDS") throw new ValueError("VALUE_ROWIDS cannot be first");
  if (first === "FIRST_DIM_SIZE" && types[1] !== "VALUE_ROWIDS") throw new ValueError("FIRST_DIM_SIZE must be followed by VALUE_ROWIDS");
  types.slice(1).forEach(type => {
    if (type === "FIRST_DIM_SIZE") throw new ValueError("FIRST_DIM_SIZE can only be first");
  });
}

/** The dense shape that a wanted shape and that of the values say together. @throws `refuse` with TensorFlow's reason. */
function combinedShape(wanted: TensorShape, values: TensorShape, raggedRank: number, refuse: (reason: string) => Error): TensorShape {
  if (values.rank === null) return wanted;
  const own = new TensorShape([...Array<null>(raggedRank + 1).fill(null), ...(values.dims ?? []).slice(1)]);
  if (wanted.dims === null) return own;
  const clash = `rt_input.shape and shape=${wanted.format()} are incompatible:`;
  if (own.rank !== wanted.rank) throw refuse(`${clash} rt_input.rank = ${own.rank} but shape.rank = ${wanted.rank}`);
  return new TensorShape(
    wanted.dims.map((d, axis) => {
      const e = own.dim(axis);
      if (axis > raggedRank && d !== null && e !== null && d !== e)
        throw refuse(`${clash} rt_input.shape[${axis}] = ${e} but shape[${axis}] = ${d}`);
      return d ?? e;
    }),
  );
}

function checkDefault(fallback: TensorShape, values: TensorShape, refuse: (reason: string) => Error): void {
  if (fallback.dims === null || values.dims === null) return;
  const clash = `default_value.shape=${fallback.format()} and rt_input.flat_values.shape=${values.format()} are incompatible:`;
  const [count, most] = [fallback.dims.length, values.dims.length];
  if (count >= most) throw refuse(`${clash} default_value.rank = ${count}  must be less than rt_input.flat_values.rank = ${most}`);
  for (let i = 1; i <= count; i++) {
    const [d, e] = [fallback.dim(-i), values.dim(-i)];
    if (d !== null && e !== null && d !== 1 && d !== e)
      throw refuse(`${clash} default_value.shape[${-i}] = ${d} but rt_input.flat_values.shape[${-i}] = ${e}`);
  }
}

/** Which value fills each place of the ragged dimensions, or -1. */
function placesIn(sizes: readonly number[], partitions: readonly NDArray[], types: readonly Partition[], count: number): number[] {
  const isIds = types[0] === "FIRST_DIM_SIZE";
  const levels = (isIds ? partitions.slice(1) : partitions).map((partition, level) => ({
    of: numbersOf(partition),
    type: types[level + (isIds ? 1 : 0)],
  }));
  const [first] = sizes;
  const width = sizeOf(sizes.slice(1));
  const rowCount = isIds ? Number(partitions[0].get(0)) : levels[0].of.length - 1;
  // The place of each row, or -1 where it is cut off.
  let rows = Array.from({ length: rowCount }, (_, row) => (row < first ? row * width : -1));
  let step = width;
  levels.forEach(({ of, type }, level) => {
    const size = sizes[level + 1];
    step /= Math.max(size, 1);
    const next: number[] = [];
    const add = (row: number, k: number): void => void next.push(rows[row] < 0 || k >= size ? -1 : rows[row] + k * step);
    if (type === "ROW_SPLITS") {
      need(of.length - 1 <= rows.length, () => `Row partition size is greater than output size: ${of.length - 1} > ${rows.length}`);
      const count = of.reduce((sum, end, i) => sum + (i > 0 ? Math.max(end - of[i - 1], 0) : 0), 0);
      need(of.length === 0 || count === of[of.length - 1], () => "Invalid row split size.");
      of.slice(1).forEach((end, row) => {
        for (let k = 0; k < end - of[row]; k++) add(row, k);
      });
    } else {
      let k = 0;
      of.forEach((row, i) => {
        k = i > 0 && row === of[i - 1] ? k + 1 : 0;
        if (row < 0 || row >= rows.length)
          throw new InvalidArgumentError(`Got ${i === 0 ? "current" : "next"}_value_rowid=${row} which is not less than ${rows.length}`);
        add(row, k);
      });
    }
    rows = next;
  });
  const places = Array<number>(first * width).fill(-1);
  rows.forEach((place, value) => {
    if (place < 0) return;
    if (value >= count) throw new InvalidArgumentError(`The row partitions tell of ${rows.length} values, but there are ${count}.`);
    places[place] = value;
  });
  return places;
}

/** The longest row of a partition. */
function longestRow(partition: NDArray, type: Partition): number {
  const of = numbersOf(partition);
  if (type === "ROW_SPLITS") return of.slice(1).reduce((most, end, i) => Math.max(most, end - of[i]), 0);
  let run = 0;
  return of.reduce((most, row, i) => {
    run = i > 0 && row === of[i - 1] ? run + 1 : 1;
    return Math.max(most, run);
  }, 0);
}

/** The values at their rows and columns, the rest filled with a default. */
export const RaggedTensorToTensor = defineOp("RaggedTensorToTensor", {
  inputs: { shape: "Tshape", values: "T", defaultValue: "T", rowPartitionTensors: "numRowPartitionTensors*Tindex" },
  outputs: { result: "T" },
  attrs: {
    T: attr.type(),
    Tindex: attr.type(["int64", "int32"]),
    Tshape: attr.type(["int64", "int32"]),
    numRowPartitionTensors: attr.int(undefined, 1),
    rowPartitionTypes: attr.strings(),
  },
  gradient: (record, d) => toTensorGradient(record, d.result),
  shape: ({ shape, values, defaultValue, rowPartitionTensors, rowPartitionTypes }, context) => {
    const types = partitionsOf(rowPartitionTypes);
    if (types.length === 0) throw new ValueError("Partition info types should not be empty");
    checkPartitions(types);
    if (types.length !== rowPartitionTensors.length)
      throw new ValueError(
        `Number of row partition tensors (${rowPartitionTensors.length}) does not equal the number of row partition types(${types.length}).`,
      );
    rowPartitionTensors.forEach((partition, i) => {
      if (types[i] !== "FIRST_DIM_SIZE" && partition.rank !== null && partition.rank !== 1)
        throw new ValueError("Row partition must be a vector.");
    });
    const raggedRank = types.filter(type => type !== "FIRST_DIM_SIZE").length;
    const refuse = (reason: string): Error => new ValueError(reason);
    const wanted = shape.rank === null ? TensorShape.unknown() : context.shapeFrom("shape", true);
    checkDefault(defaultValue, values, refuse);
    return combinedShape(wanted, values, raggedRank, refuse);
  },
  host: ({ shape, values, defaultValue, rowPartitionTensors, rowPartitionTypes }) => {
    const refuse = (reason: string): Error => new InvalidArgumentError(reason);
    const types = partitionsOf(rowPartitionTypes);
    const raggedRank = types.filter(type => type !== "FIRST_DIM_SIZE").length;
    if (rowPartitionTensors[0].size === 0) throw refuse("Invalid first partition input. Tensor requires at least one element.");
    checkDefault(new TensorShape(defaultValue.shape), new TensorShape(values.shape), refuse);
    const whole = combinedShape(declaredShape(shape), new TensorShape(values.shape), raggedRank, refuse);
    const isIds = types[0] === "FIRST_DIM_SIZE";
    const rows = isIds ? Number(rowPartitionTensors[0].get(0)) : rowPartitionTensors[0].size - 1;
    const sizes = Array.from({ length: raggedRank + 1 }, (_, axis) => {
      const known = whole.dim(axis);
      if (known !== null) return known;
      const at = axis - 1 + (isIds ? 1 : 0);
      return axis === 0 ? rows : longestRow(rowPartitionTensors[at], types[at]);
    });
    const places = sizes.includes(0) ? [] : placesIn(sizes, rowPartitionTensors, types, values.shape[0]);
    const inner = values.shape.slice(1);
    return picked(values, places, k => defaultAt(defaultValue, inner, k)).reshape([...sizes, ...inner]);
  },
});

/** The default's element for place `k` of an element, broadcast from the end. */
function defaultAt(array: NDArray, inner: readonly number[], k: number): ElementValue {
  let rest = k;
  let place = 0;
  let stride = 1;
  for (let axis = inner.length - 1, own = array.rank - 1; axis >= 0; axis--, own--) {
    const at = rest % inner[axis];
    rest = Math.floor(rest / inner[axis]);
    if (own < 0) continue;
    if (array.shape[own] !== 1) place += at * stride;
    stride *= array.shape[own];
  }
  return array.get(place);
}

interface ToTensor {
  readonly values: Tensor;
  readonly defaultValue: Tensor;
  readonly rowPartitionTensors: readonly Tensor[];
  readonly rowPartitionTypes: readonly string[];
}

/** What came from the values goes back to them, what came from the default is summed. */
function toTensorGradient({ values, defaultValue, rowPartitionTensors, rowPartitionTypes }: ToTensor, d: Tensor): Gradients {
  const valuesShape = shapeOf(values);
  const raggedRank = rowPartitionTypes.filter(type => type !== "FIRST_DIM_SIZE").length;
  const indices = RaggedTensorToTensor({
    shape: getItem(shapeOf(d), [null, 1 + raggedRank]),
    values: range(getItem(valuesShape, 0)),
    defaultValue: -1,
    rowPartitionTypes,
    rowPartitionTensors,
  });
  const mask = notEqual(indices, -1);
  const valuesGradient = new IndexedSlices(booleanMask(d, mask), booleanMask(indices, mask), valuesShape);
  const fillers = booleanMask(d, invert(mask));
  const axes = range(sub(rank(fillers), rankBehindOnes(defaultValue)));
  const summed = reduceSum(fillers, axes);
  return { values: valuesGradient, defaultValue: reshape(summed, shapeOf(defaultValue)) };
}

/** The rank without leading dimensions of size 1. */
function rankBehindOnes(value: Tensor): Tensor | number {
  const { dims } = value.shape;
  const known = dims?.findIndex(d => d !== 1);
  if (dims && (known === -1 || dims[known as number] !== null)) return dims.length - (known === -1 ? dims.length : (known as number));
  const ones = cumprod(cast(equal(shapeOf(value), 1), "int32"));
  return sub(rank(value), reduceSum(ones));
}

// ---- to a sparse tensor ----

function checkedSplits(splits: readonly number[][], count: number): void {
  splits.forEach((own, level) => {
    if (own.length === 0) throw new InvalidArgumentError("ragged splits may not be empty.");
    if (own[0] !== 0) throw new InvalidArgumentError("First value of ragged splits must be 0.");
    own.slice(1).forEach((end, i) => {
      if (end < own[i]) throw new InvalidArgumentError(`Ragged splits should be non decreasing, but we got ${own[i]} followed by ${end}`);
    });
    const below = level + 1 < splits.length ? splits[level + 1].length - 1 : count;
    if (own[own.length - 1] !== below)
      throw new InvalidArgumentError("Final value of ragged splits must match the length the corresponding ragged values.");
  });
}

/** The same in the words of RaggedCross. */
function checkCrossed(ends: readonly number[], count: number): void {
  const fail = "Invalid ragged splits:";
  need(ends.length > 0, () => `${fail} ragged splits must have at least one splits, but is empty`);
  need(ends[0] === 0, () => `${fail} first element of ragged splits  must be 0 but is ${ends[0]}`);
  ends.forEach((end, i) => {
    need(
      i === 0 || end >= ends[i - 1],
      () =>
        `${fail} ragged splits must be monotonically increasing, but ragged_splits[${i}]=${end} is smaller than row_splits[${i - 1}]=${ends[i - 1]}`,
    );
  });
  const last = ends[ends.length - 1];
  need(last === count, () => `${fail} last element of ragged splits must be the number of ragged values(${count}) but is ${last}`);
}

/** Coordinates, values and dense shape of a ragged tensor. */
export const RaggedTensorToSparse = defineOp("RaggedTensorToSparse", {
  inputs: { rtNestedSplits: "RAGGED_RANK*Tsplits", rtDenseValues: "T" },
  outputs: { sparseIndices: "int64", sparseValues: "T", sparseDenseShape: "int64" },
  attrs: { RAGGED_RANK: attr.int(undefined, 1), T: attr.type(), Tsplits: attr.type(attr.indexTypes, "int64") },
  gradient: ({ rtDenseValues }, d): Gradients => ({ rtDenseValues: reshape(d.sparseValues, shapeOf(rtDenseValues)) }),
  shape: ({ rtNestedSplits, rtDenseValues }) => {
    vectors(rtNestedSplits);
    rtDenseValues.withRankAtLeast(1);
    const whole = rtDenseValues.rank === null ? null : rtNestedSplits.length + rtDenseValues.rank;
    const { size } = rtDenseValues;
    return [new TensorShape([size, whole]), new TensorShape([size]), new TensorShape([whole])];
  },
  host: ({ rtNestedSplits, rtDenseValues }) => {
    const splits = rtNestedSplits.map(numbersOf);
    checkedSplits(splits, rtDenseValues.rank === 0 ? 1 : rtDenseValues.shape[0]);
    for (const own of rtNestedSplits) need(own.rank > 0, () => "Split tensors must not be scalars");
    // The coordinates of each row of a level.
    let rows = Array.from({ length: splits[0].length - 1 }, (_, row) => [row]);
    const widths = splits.map(own => {
      rows = own.slice(1).flatMap((end, row) => Array.from({ length: end - own[row] }, (_, k) => [...rows[row], k]));
      return own.slice(1).reduce((most, end, i) => Math.max(most, end - own[i]), 0);
    });
    const inner = rtDenseValues.shape.slice(1);
    const width = sizeOf(inner);
    const places = rows.flatMap(row => Array.from({ length: width }, (_, k) => [...row, ...coordinatesIn(k, inner)]));
    const whole = [rtNestedSplits[0].shape[0] - 1, ...widths, ...inner];
    const int64 = (numbers: readonly number[], dims: readonly number[]): NDArray => NDArray.from(numbers.map(BigInt), "int64", dims);
    return [int64(places.flat(), [places.length, whole.length]), rtDenseValues.reshape([rtDenseValues.size]), int64(whole, [whole.length])];
  },
});

function coordinatesIn(place: number, shape: readonly number[]): number[] {
  let rest = place;
  const at: number[] = [];
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    at.unshift(rest % shape[axis]);
    rest = Math.floor(rest / shape[axis]);
  }
  return at;
}

// ---- ranges ----

type Numbers = readonly (number | bigint)[];

/** A sequence of numbers for each row. */
export const RaggedRange = defineOp("RaggedRange", {
  inputs: { starts: "T", limits: "T", deltas: "T" },
  outputs: { rtNestedSplits: "Tsplits", rtDenseValues: "T" },
  attrs: {
    T: attr.type(["bfloat16", "float32", "float64", "int32", "int64"], "int32"),
    Tsplits: attr.type(attr.indexTypes, "int64"),
  },
  gradient: "none",
  shape: ({ starts, limits, deltas }) => {
    const shapes = [starts, limits, deltas].map(item => item.withRankAtMost(1));
    if (shapes.some(({ rank: r }) => r === null)) return [new TensorShape([null]), new TensorShape([null])];
    let count: Dimension | undefined;
    for (const { dims } of shapes) {
      if (dims === null || dims.length === 0) continue;
      if (typeof count === "number" && dims[0] !== null && dims[0] !== count)
        throw new ValueError(`Dimensions must be equal, but are ${dims[0]} and ${count}`);
      count = dims[0] ?? count ?? null;
    }
    return [new TensorShape([count === undefined ? 2 : count === null ? null : count + 1]), new TensorShape([null])];
  },
  host: ({ starts, limits, deltas, T, Tsplits }) => {
    const inputs = { starts, limits, deltas };
    for (const [name, { rank: r }] of Object.entries(inputs))
      if (r > 1) throw new InvalidArgumentError(`${name} must be a scalar or vector`);
    const counts = Object.values(inputs).flatMap(array => (array.rank === 1 ? [array.size] : []));
    if (counts.some(count => count !== counts[0])) throw new InvalidArgumentError("starts, limits, and deltas must have the same shape");
    const rows = Array.from({ length: counts[0] ?? 1 }, (_, row) => {
      const [start, limit, delta] = Object.values(inputs).map(array => array.get(array.rank === 0 ? 0 : row) as number | bigint);
      return rowOfRange(start, limit, delta);
    });
    const values = rows.flat();
    const out = NDArray.zeros(T, [values.length]);
    // Steps are added one by one in the type itself, as TensorFlow does.
    let at = 0;
    rows.forEach((row, r) => {
      const delta = deltas.get(deltas.rank === 0 ? 0 : r) as number | bigint;
      row.forEach((first, k) => {
        out.set(
          at,
          k === 0
            ? first
            : isBigInteger(T)
              ? (out.get(at - 1) as bigint) + (delta as bigint)
              : (out.get(at - 1) as number) + (delta as number),
        );
        at++;
      });
    });
    return [splitsArray(startsOf(rows.map(({ length }) => length)), Tsplits), out];
  },
});

/** As many elements as a range has; the first is its start. */
function rowOfRange(start: number | bigint, limit: number | bigint, delta: number | bigint): Numbers {
  if (Number(delta) === 0) throw new InvalidArgumentError("Requires delta != 0");
  if ((delta > 0 && start >= limit) || (delta < 0 && start <= limit)) return [];
  const count =
    typeof start === "bigint" || typeof limit === "bigint" || typeof delta === "bigint"
      ? Number((abs(BigInt(limit) - BigInt(start)) + abs(BigInt(delta)) - 1n) / abs(BigInt(delta)))
      : Math.ceil(Math.abs((limit - start) / delta));
  if (!(count < 2 ** 63)) throw new InvalidArgumentError("Requires ((limit - start) / delta) <= 9223372036854775807");
  if (count > 2 ** 31) throw new InvalidArgumentError(`A row of ${count} elements is too long.`);
  return Array.from({ length: count }, () => start);
}

const abs = (x: bigint): bigint => (x < 0n ? -x : x);

// ---- gather ----

/** Rows of a ragged tensor. */
export const RaggedGather = defineOp("RaggedGather", {
  inputs: { paramsNestedSplits: "PARAMS_RAGGED_RANK*Tsplits", paramsDenseValues: "Tvalues", indices: "Tindices" },
  outputs: { outputNestedSplits: "OUTPUT_RAGGED_RANK*Tsplits", outputDenseValues: "Tvalues" },
  attrs: {
    Tvalues: attr.type(),
    Tindices: attr.type(attr.indexTypes),
    Tsplits: attr.type(attr.indexTypes, "int64"),
    PARAMS_RAGGED_RANK: attr.int(undefined, 1),
    OUTPUT_RAGGED_RANK: attr.int(undefined, 0),
  },
  gradient: ({ paramsNestedSplits, paramsDenseValues, indices }, d): Gradients => {
    const [first, ...others] = paramsNestedSplits;
    const splits = others.reduce((all, own) => gather(own, all), first);
    const flat = reshape(indices, [-1]);
    const places = RaggedRange({
      starts: gather(splits, flat),
      limits: gather(getItem(splits, [1, null]), flat),
      deltas: cast(1, splits.dtype),
      Tsplits: "int64",
    }).rtDenseValues;
    return { paramsDenseValues: new IndexedSlices(d.outputDenseValues, places, shapeOf(paramsDenseValues)) };
  },
  shape: ({ paramsNestedSplits, paramsDenseValues, indices, PARAMS_RAGGED_RANK, OUTPUT_RAGGED_RANK }) => {
    if (indices.rank !== null) indices.withRank(OUTPUT_RAGGED_RANK - PARAMS_RAGGED_RANK + 1);
    vectors(paramsNestedSplits);
    paramsDenseValues.withRankAtLeast(1);
    const values = paramsDenseValues.dims === null ? TensorShape.unknown() : new TensorShape([null, ...paramsDenseValues.dims.slice(1)]);
    return [...manyOf(OUTPUT_RAGGED_RANK, [null]), values];
  },
  host: ({ paramsNestedSplits, paramsDenseValues, indices, Tsplits, OUTPUT_RAGGED_RANK }) => {
    for (const own of paramsNestedSplits) need(own.rank > 0, () => "Split tensors must not be scalars");
    const rowCount = paramsNestedSplits[0].shape[0] - 1;
    let rows = numbersOf(indices);
    rows.forEach((row, n) => {
      if (row < 0 || row >= rowCount)
        throw new InvalidArgumentError(`indices[${coordinatesIn(n, indices.shape).join(",")}] = ${row} is not in [0, ${rowCount})`);
    });
    if (paramsDenseValues.rank === 0) throw new InvalidArgumentError("params.rank must be nonzero");
    for (const own of paramsNestedSplits) need(own.size > 0, () => "Ragged splits may not be empty");
    if (OUTPUT_RAGGED_RANK !== indices.rank + paramsNestedSplits.length - 1)
      throw new InvalidArgumentError(
        `OUTPUT_RAGGED_RANK must be ${indices.rank + paramsNestedSplits.length - 1}, not ${OUTPUT_RAGGED_RANK}`,
      );
    const splits = paramsNestedSplits.map(numbersOf);
    for (const [level, own] of splits.entries()) {
      const below = level + 1 < splits.length ? splits[level + 1].length - 1 : paramsDenseValues.shape[0];
      need(
        own.every((end, i) => i === 0 || end >= own[i - 1]),
        () => "Ragged splits must be sorted",
      );
      need((own[0] ?? 0) >= 0, () => "Ragged splits must be non-negative");
      need((own[own.length - 1] ?? 0) <= below, () => "Ragged splits must not point past values");
    }
    const made: number[][] = [];
    for (const own of splits) {
      const ranges = rows.map(row => [own[row], own[row + 1]] as const);
      made.push(startsOf(ranges.map(([start, end]) => end - start)));
      rows = ranges.flatMap(([start, end]) => Array.from({ length: end - start }, (_, k) => start + k));
    }
    // Dimensions of the indices but the first have rows of one length.
    const uniform = indices.shape.slice(0, -1).map((_, axis) => {
      const count = sizeOf(indices.shape.slice(0, axis + 1));
      return Array.from({ length: count + 1 }, (_unused, k) => k * indices.shape[axis + 1]);
    });
    const nested = indices.rank === 0 ? made.slice(1) : [...uniform, ...made];
    return [...nested.map(ends => splitsArray(ends, Tsplits)), picked(paramsDenseValues, rows)];
  },
});

// ---- empty rows ----

/** Every row without values gets one, the default. */
export const RaggedFillEmptyRows = defineOp("RaggedFillEmptyRows", {
  inputs: { valueRowids: "int64", values: "T", nrows: "int64", defaultValue: "T" },
  outputs: { outputValueRowids: "int64", outputValues: "T", emptyRowIndicator: "bool", reverseIndexMap: "int64" },
  attrs: { T: attr.type() },
  gradient: ({ reverseIndexMap }, d): Gradients => {
    const { dValues, dDefaultValue } = RaggedFillEmptyRowsGrad({ reverseIndexMap, gradValues: d.outputValues });
    return { values: dValues, defaultValue: dDefaultValue };
  },
  shape: ({ valueRowids, values, nrows, defaultValue }) => {
    const [ids, list] = [valueRowids.withRank(1), values.withRank(1)];
    const [count, size] = [ids.dim(0), list.dim(0)];
    if (count !== null && size !== null && count !== size) throw new ValueError(`Dimensions must be equal, but are ${count} and ${size}`);
    nrows.withRank(0);
    defaultValue.withRank(0);
    return [...manyOf(3, [null]), new TensorShape([count ?? size])];
  },
  host: ({ valueRowids, values, nrows, defaultValue }) => {
    const refuse = (reason: string): never => {
      throw new InvalidArgumentError(reason);
    };
    if (nrows.rank !== 0) refuse(`nrows must be a scalar, saw: [${nrows.shape}]`);
    if (valueRowids.rank !== 1) refuse(`value_rowids must be a vector, saw: [${valueRowids.shape}]`);
    if (values.rank !== 1) refuse(`values must be a vector, saw: [${values.shape}]`);
    if (values.size !== valueRowids.size)
      refuse(`The length of \`values\` (${values.size}) must match the first dimension of \`value_rowids\` (${valueRowids.size}).`);
    if (defaultValue.rank !== 0) refuse(`default_value must be a scalar, saw: [${defaultValue.shape}]`);
    const [ids, count] = [numbersOf(valueRowids), Number(nrows.get(0))];
    if (count === 0 && ids.length === 0)
      return [NDArray.zeros("int64", [0, 1]), values, NDArray.zeros("bool", [0]), NDArray.zeros("int64", [0])];
    if (count < 0) refuse(`Expected shape dimensions to be non-negative, got ${count}`);
    if (count === 0) refuse(`Received SparseTensor with dense_shape[0] = 0 but indices.shape[0] = ${ids.length}`);
    checkListed(count, "bool");
    const rows: number[][] = Array.from({ length: count }, () => []);
    ids.forEach((row, n) => {
      if (row < 0 || row >= count) refuse(`indices(${n}, 0) is invalid: ${row} >= ${count}`);
      rows[row].push(n);
    });
    const filled = rows.flatMap((row, r) => (row.length > 0 ? row : [-1]).map(n => ({ n, r })));
    const reverse = NDArray.zeros("int64", [ids.length]);
    filled.forEach(({ n }, k) => {
      if (n >= 0) reverse.set(n, k);
    });
    return [
      splitsArray(
        filled.map(({ r }) => r),
        "int64",
      ),
      picked(
        values,
        filled.map(({ n }) => n),
        () => defaultValue.get(0),
      ),
      NDArray.from(
        rows.map(row => row.length === 0),
        "bool",
        [count],
      ),
      reverse,
    ];
  },
});

export const RaggedFillEmptyRowsGrad = defineOp("RaggedFillEmptyRowsGrad", {
  inputs: { reverseIndexMap: "int64", gradValues: "T" },
  outputs: { dValues: "T", dDefaultValue: "T" },
  attrs: { T: attr.type() },
  shape: ({ reverseIndexMap, gradValues }) => {
    gradValues.withRank(1);
    return [reverseIndexMap.withRank(1), new TensorShape([])];
  },
  host: ({ reverseIndexMap, gradValues, T }) => {
    if (reverseIndexMap.rank !== 1) throw new InvalidArgumentError(`reverse_index_map must be a vector, saw: [${reverseIndexMap.shape}]`);
    if (gradValues.rank !== 1) throw new InvalidArgumentError(`grad_values must be a vector, saw: [${gradValues.shape}]`);
    const places = numbersOf(reverseIndexMap);
    const outside = places.find(place => place < 0 || place >= gradValues.size);
    if (outside !== undefined)
      throw new InvalidArgumentError(`Elements in reverse index must be in [0, ${gradValues.size}) but got ${outside}`);
    const taken = new Set(places);
    const rest = NDArray.zeros(T, []);
    for (let k = 0; k < gradValues.size; k++) if (!taken.has(k)) rest.set(0, plus(rest.get(0), gradValues.get(k)));
    return [picked(gradValues, places), rest];
  },
});

function plus(a: ElementValue, b: ElementValue): ElementValue {
  if (typeof a === "bigint" && typeof b === "bigint") return a + b;
  if (typeof a === "object" && "re" in a && typeof b === "object" && "re" in b) return { re: a.re + b.re, im: a.im + b.im };
  return Number(a) + Number(b);
}

// ---- in variants ----

/** A ragged tensor, as it is kept in a tensor of variants. */
export interface Encoded {
  readonly splits: readonly NDArray[];
  readonly values: NDArray;
}

/** A tensor of variants that hold ragged tensors. */
export class RaggedArray extends VariantArray implements ManyVariants {
  readonly items: readonly Encoded[];

  constructor(shape: readonly number[], items: readonly Encoded[]) {
    super(shape);
    this.items = items;
  }

  static itemsOf(array: NDArray): readonly Encoded[] {
    if (array instanceof RaggedArray) return array.items;
    if (array.size === 0) return [];
    throw new InvalidArgumentError("Input Variant element doesn't hold a RaggedTensorVariant");
  }

  withItems(shape: readonly number[], items: readonly Encoded[]): RaggedArray {
    return new RaggedArray(shape, items);
  }
  override reshape(shape: readonly number[]): RaggedArray {
    return this.withItems(shape, this.items);
  }

  override zeros(): RaggedArray {
    const empty = ({ splits, values }: Encoded): Encoded => ({ splits, values: NDArray.zeros(values.dtype, values.shape) });
    return new RaggedArray(this.shape, this.items.map(empty));
  }

  override plus(other: VariantArray): RaggedArray {
    const added = RaggedArray.itemsOf(other);
    const sum = ({ splits, values }: Encoded, i: number): Encoded => {
      const out = NDArray.zeros(values.dtype, values.shape);
      for (let k = 0; k < out.size; k++) out.set(k, plus(values.get(k), added[i].values.get(k)));
      return { splits, values: out };
    };
    return new RaggedArray(this.shape, this.items.map(sum));
  }
}

/** The rows from `from` to `to` of a ragged tensor. */
function rowsOf({ splits, values }: Encoded, from: number, to: number): Encoded {
  if (splits.length === 0)
    return {
      splits,
      values: picked(
        values,
        Array.from({ length: to - from }, (_, k) => from + k),
      ),
    };
  const [own, ...below] = splits;
  const ends = numbersOf(own).slice(from, to + 1);
  const inside = rowsOf({ splits: below, values }, ends[0], ends[ends.length - 1]);
  const moved = splitsArray(
    ends.map(end => end - ends[0]),
    own.dtype,
  );
  return { splits: [moved, ...inside.splits], values: inside.values };
}

/** Splits begin at 0, never fall, and end where what is below does; the innermost are looked at first. */
function checkNested(nested: readonly NDArray[], values: NDArray): void {
  let below = values.shape[0];
  for (const splits of [...nested].reverse()) {
    need(splits.rank === 1, () => `Invalid ragged splits: ragged splits must be rank 1 but is rank ${splits.rank}`);
    const ends = numbersOf(splits);
    need(ends.length > 0, () => "Invalid ragged splits: ragged splits must have at least one splits, but is empty");
    need(ends[0] === 0, () => `Invalid ragged splits: first element of ragged splits  must be 0 but is ${ends[0]}`);
    const falls = ends.findIndex((end, i) => i > 0 && end < ends[i - 1]);
    need(
      falls < 0,
      () =>
        `Invalid ragged splits: ragged splits must be monotonically increasing, but ragged_splits[${falls}]=${ends[falls]} is smaller than row_splits[${falls - 1}]=${ends[falls - 1]}`,
    );
    const [last, count] = [ends[ends.length - 1], below];
    need(
      last === count,
      () => `Invalid ragged splits: last element of ragged splits must be the number of ragged values(${count}) but is ${last}`,
    );
    below = ends.length - 1;
  }
}

/** A ragged tensor in one variant, or its rows in one each. */
export const RaggedTensorToVariant = defineOp("RaggedTensorToVariant", {
  inputs: { rtNestedSplits: "RAGGED_RANK*Tsplits", rtDenseValues: "Tvalues" },
  outputs: { encodedRagged: "variant" },
  attrs: {
    RAGGED_RANK: attr.int(undefined, 0),
    Tvalues: attr.type(),
    Tsplits: attr.type(attr.indexTypes, "int64"),
    batchedInput: attr.bool(),
  },
  gradient: ({ rtNestedSplits, rtDenseValues, Tvalues }, d): Gradients => ({
    rtDenseValues: RaggedTensorToVariantGradient({
      encodedRaggedGrad: d.encodedRagged,
      rowSplits: rtNestedSplits[0] ?? 0,
      denseValuesShape: shapeOf(rtDenseValues),
      Tvalues,
    }),
  }),
  shape: ({ rtNestedSplits, rtDenseValues, batchedInput }) => {
    vectors(rtNestedSplits);
    const values = rtDenseValues.withRankAtLeast(1);
    if (!batchedInput) return new TensorShape([]);
    const rows = rtNestedSplits.length === 0 ? values.dim(0) : rtNestedSplits[0].dim(0);
    if (rtNestedSplits.length > 0 && rows === 0) throw new ValueError("Negative dimension size caused by subtracting 1 from 0");
    return new TensorShape([rows === null ? null : rtNestedSplits.length === 0 ? rows : rows - 1]);
  },
  host: ({ rtNestedSplits, rtDenseValues, batchedInput }) => {
    const whole: Encoded = { splits: rtNestedSplits, values: rtDenseValues };
    if (rtNestedSplits.length > 0)
      need(
        rtDenseValues.rank > 0,
        () => `Requires flat_values to have rank>=1 when nested_row_splits is not empty, but is ${rtDenseValues.rank}.`,
      );
    checkNested(rtNestedSplits, rtDenseValues);
    if (!batchedInput) return new RaggedArray([], [whole]);
    if (rtNestedSplits.length === 0) {
      const items = Array.from({ length: rtDenseValues.shape[0] }, (_, row) => ({ splits: [], values: rowOf(rtDenseValues, row) }));
      return new RaggedArray([items.length], items);
    }
    const [outer, ...below] = rtNestedSplits;
    const ends = numbersOf(outer);
    const items = ends.slice(1).map((end, row) => rowsOf({ splits: below, values: rtDenseValues }, ends[row], end));
    return new RaggedArray([items.length], items);
  },
});

/** The ragged tensor in a variant, or those in several joined along new outer dimensions. */
export const RaggedTensorFromVariant = defineOp("RaggedTensorFromVariant", {
  inputs: { encodedRagged: "variant" },
  outputs: { outputNestedSplits: "outputRaggedRank*Tsplits", outputDenseValues: "Tvalues" },
  attrs: {
    inputRaggedRank: attr.int(undefined, -1),
    outputRaggedRank: attr.int(undefined, 0),
    Tvalues: attr.type(),
    Tsplits: attr.type(attr.indexTypes, "int64"),
  },
  gradient: ({ encodedRagged, outputNestedSplits, outputRaggedRank, Tsplits }, d): Gradients => ({
    encodedRagged: RaggedTensorToVariant({
      rtNestedSplits: outputNestedSplits,
      rtDenseValues: d.outputDenseValues,
      batchedInput: encodedRagged.shape.rank === null ? outputRaggedRank > 0 : encodedRagged.shape.rank > 0,
      Tsplits,
    }),
  }),
  shape: ({ encodedRagged, inputRaggedRank, outputRaggedRank }) => {
    if (inputRaggedRank >= 0 && encodedRagged.rank !== null && outputRaggedRank !== inputRaggedRank + encodedRagged.rank)
      encodedRagged.withRank(outputRaggedRank - inputRaggedRank);
    return [...manyOf(outputRaggedRank, [null]), TensorShape.unknown()];
  },
  host: ({ encodedRagged, inputRaggedRank, outputRaggedRank, Tvalues, Tsplits }) => {
    const items = RaggedArray.itemsOf(encodedRagged);
    const { shape } = encodedRagged;
    const inner = inputRaggedRank >= 0 ? inputRaggedRank : outputRaggedRank - shape.length;
    if (inner < 0)
      throw new InvalidArgumentError(
        `Inferred input_ragged_rank (output_ragged_rank - encoded_variant.dims()) must be >= 0, found output_ragged_rank: ${outputRaggedRank}, encoded_variant.dims(): ${shape.length}, inferred input_ragged_rank: ${inner}`,
      );
    if (outputRaggedRank !== inner + shape.length)
      throw new InvalidArgumentError(
        `output_ragged_rank must be equal to input_ragged_rank + encoded_ragged.dims(); output_ragged_rank: ${outputRaggedRank}, input_ragged_rank: ${inner}, encoded_ragged.dims(): ${shape.length}.`,
      );
    for (const { values, splits } of items) {
      if (values.dtype !== Tvalues)
        throw new InvalidArgumentError(`Expected values Tensor dtype: ${cName(Tvalues)}, found: ${cName(values.dtype)}`);
      if (splits.length !== inner)
        throw new InvalidArgumentError(
          `Encoded input RaggedTensorVariant has ragged_rank=${splits.length}.  Expected ragged_rank=${inner}.`,
        );
    }
    if (shape.length === 0) return [...items[0].splits, items[0].values];
    const uniform = shape.slice(0, -1).map((_, axis) => {
      const count = sizeOf(shape.slice(0, axis + 1));
      return Array.from({ length: count + 1 }, (_unused, k) => k * shape[axis + 1]);
    });
    const lengths = items.map(({ splits, values }) => (splits.length > 0 ? splits[0].size - 1 : (values.shape[0] ?? 0)));
    const nested = Array.from({ length: inner }, (_, level) =>
      startsOf(
        items.flatMap(({ splits }) =>
          numbersOf(splits[level])
            .slice(1)
            .map((end, i, all) => end - (i === 0 ? 0 : all[i - 1])),
        ),
      ),
    );
    const joined = [...uniform, startsOf(lengths), ...nested].map(ends => splitsArray(ends, Tsplits));
    return [...joined, joinedValues(items, Tvalues)];
  },
});

const cName = (dtype: DType): string => dtype.replace("float32", "float").replace("float64", "double").replace("float16", "half");

function joinedValues(items: readonly Encoded[], dtype: DType): NDArray {
  const inner = items[0]?.values.shape.slice(1) ?? [];
  const rows = items.flatMap(({ values }) => Array.from({ length: values.shape[0] }, (_, row) => rowOf(values, row)));
  return stackedRows(
    dtype,
    rows,
    inner.map(d => d),
  );
}

/** Gradients in variants as one tensor of the values' shape. */
export const RaggedTensorToVariantGradient = defineOp("RaggedTensorToVariantGradient", {
  inputs: { encodedRaggedGrad: "variant", rowSplits: "Tsplits", denseValuesShape: "int32" },
  outputs: { denseValuesGrad: "Tvalues" },
  attrs: { Tvalues: attr.type(), Tsplits: attr.type(attr.indexTypes, "int64") },
  shape: (_, context) => context.shapeFrom("denseValuesShape", true),
  host: ({ encodedRaggedGrad, denseValuesShape, Tvalues }) => {
    const out = NDArray.zeros(Tvalues, numbersOf(denseValuesShape));
    let at = 0;
    for (const { values } of RaggedArray.itemsOf(encodedRaggedGrad)) for (let k = 0; k < values.size; k++) out.set(at++, values.get(k));
    return out;
  },
});

// ---- crosses ----

const columnTypes = ["int64", "string"] as const;
const columnList = (): ReturnType<typeof attr.types> => attr.types(undefined, { allowed: columnTypes, minimum: 0 });

/** For each row every combination of the columns' features, as text or as hashes. */
export const RaggedCross = defineOp("RaggedCross", {
  inputs: {
    raggedValues: "raggedValuesTypes",
    raggedRowSplits: "raggedSplitsTypes",
    sparseIndices: "Nsparse*int64",
    sparseValues: "sparseValuesTypes",
    sparseShape: "Nsparse*int64",
    denseInputs: "denseTypes",
  },
  outputs: { outputValues: "outValuesType", outputRowSplits: "outRowSplitsType" },
  attrs: {
    Nsparse: attr.int(undefined, 0),
    inputOrder: attr.string(),
    hashedOutput: attr.bool(),
    numBuckets: attr.int(undefined, 0),
    hashKey: attr.int(),
    raggedValuesTypes: columnList(),
    raggedSplitsTypes: attr.types(undefined, { allowed: attr.indexTypes, minimum: 0 }),
    sparseValuesTypes: columnList(),
    denseTypes: columnList(),
    outValuesType: attr.type(columnTypes),
    outRowSplitsType: attr.type(attr.indexTypes),
  },
  shape: ({ raggedValues, raggedRowSplits, sparseIndices, sparseValues, sparseShape, denseInputs }) => {
    // As TensorFlow's, which looks at no values of ragged columns, and calls the wrong rank of their splits another number of rows.
    if (raggedRowSplits.some(({ rank }) => rank !== null && rank !== 1))
      throw new ValueError("inputs must all have the same batch dimension size.");
    vectors([...sparseValues, ...sparseShape]);
    for (const matrix of [...sparseIndices, ...denseInputs]) matrix.withRank(2);
    const rows = [...denseInputs.map(dense => dense.dim(0)), ...raggedRowSplits.map(splits => minusOne(splits.dim(0)))].find(
      count => count !== null,
    );
    return [new TensorShape([null]), new TensorShape([rows === undefined || rows === null ? null : rows + 1])];
  },
  checks: ({ raggedValues, raggedRowSplits }) => {
    for (const dims of [...raggedValues, ...raggedRowSplits])
      need(dims.length === 1, () => "tf.ragged.cross only supports inputs with rank=2.");
  },
  host: ({ raggedValues, raggedRowSplits, sparseIndices, sparseValues, sparseShape, denseInputs, ...a }) => {
    const { inputOrder, hashedOutput, numBuckets, hashKey, outValuesType, outRowSplitsType } = a;
    const counts = [
      ...raggedRowSplits.map(splits => splits.size - 1),
      ...sparseShape.map(dims => Number(dims.get(0))),
      ...denseInputs.map(({ shape }) => shape[0]),
    ];
    if (counts.length === 0) throw new InvalidArgumentError("Expected at least one input");
    const ragged = raggedValues.map((values, i): Column => {
      const ends = numbersOf(raggedRowSplits[i]);
      checkCrossed(ends, values.size);
      return {
        values,
        isSparse: true,
        rows: ends.slice(1).map((end, row) => Array.from({ length: end - ends[row] }, (_, k) => ends[row] + k)),
      };
    });
    const [rowCount] = counts;
    if (counts.some(count => count !== rowCount)) throw new InvalidArgumentError("inputs must all have the same batch dimension size.");
    const sparse = sparseValues.map((values, i): Column => {
      const rows: number[][] = Array.from({ length: rowCount }, () => []);
      const at = sparseIndices[i];
      for (let k = 0; k < at.shape[0]; k++) rows[Number(at.get(2 * k))]?.push(k);
      return { values, isSparse: true, rows };
    });
    const dense = denseInputs.map((values): Column => {
      const [, width] = values.shape;
      const rows = Array.from({ length: rowCount }, (_, row) => Array.from({ length: width }, (_unused, k) => row * width + k));
      return { values, isSparse: false, rows };
    });
    const kinds: Readonly<Record<string, Column[]>> = { R: [...ragged], S: [...sparse], D: [...dense] };
    const columns = [...inputOrder].map(kind => kinds[kind]?.shift() as Column);
    const make = hashedOutput ? hashed(hashKey, numBuckets) : joined(plainSeparator);
    const rows = Array.from({ length: rowCount }, (_, row) =>
      combinations(columns.map(column => column.rows[row])).map(places => make(columns, places)),
    );
    const all = rows.flat();
    const out = NDArray.zeros(outValuesType, [all.length]);
    all.forEach((value, i) => void out.set(i, value));
    return [out, splitsArray(startsOf(rows.map(({ length }) => length)), outRowSplitsType)];
  },
});

const minusOne = (d: Dimension): Dimension => (d === null ? null : d - 1);

// ---- public functions ----

/** Values by rows, each of `nrows` rows without one given the default; with the rows of all, which were empty, and where each value went.
 *  TF: tf.ragged_fill_empty_rows(value_rowids, values, nrows, default_value). */
export const raggedFillEmptyRows = (
  valueRowids: TensorLike,
  values: TensorLike,
  nrows: TensorLike,
  defaultValue: TensorLike,
  options?: NameOption,
): { outputValueRowids: Tensor; outputValues: Tensor; emptyRowIndicator: Tensor; reverseIndexMap: Tensor } =>
  RaggedFillEmptyRows({ valueRowids, values, nrows, defaultValue }, named(options));

/** The gradient of raggedFillEmptyRows. TF: tf.ragged_fill_empty_rows_grad(reverse_index_map, grad_values). */
export const raggedFillEmptyRowsGrad = (
  reverseIndexMap: TensorLike,
  gradValues: TensorLike,
  options?: NameOption,
): { dValues: Tensor; dDefaultValue: Tensor } => RaggedFillEmptyRowsGrad({ reverseIndexMap, gradValues }, named(options));
