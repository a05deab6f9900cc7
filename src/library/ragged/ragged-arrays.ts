// Ragged tensors of another form: repeated, turned around, with dimensions more or less, cut into pieces. TF: ops/ragged/ragged_array_ops, ragged_squeeze_op.

import { type DType, isInteger } from "../../base/dtype.ts";
import { ValueError } from "../../base/errors.ts";
import { NDArray } from "../../base/ndarray.ts";
import type { Callable } from "../../graph/composite.ts";
import { convertToTensor, type TensorLike } from "../../graph/conversion.ts";
import { getDefaultGraph } from "../../graph/default-graph.ts";
import type { Named } from "../../graph/op-definition.ts";
import { Tensor } from "../../graph/operation.ts";
import { constantValue } from "../../graph/shape-inference.ts";
import { SparseTensor } from "../../graph/sparse-tensor.ts";
import type { IndexSpec } from "../../graph/tensor-operators.ts";
import { collect, refuseOthers } from "../../ops/arguments.ts";
import {
  bitcast,
  constant,
  identity,
  numbersOf,
  oneHot,
  ones,
  rank,
  shape as shapeOf,
  size,
  squeeze,
  zeros,
} from "../../ops/array/array.ts";
import { gather } from "../../ops/array/gather.ts";
import { tile } from "../../ops/array/padding.ts";
import { range, repeat } from "../../ops/array/ranges.ts";
import { concat, getItem, stack } from "../../ops/array/slicing.ts";
import { argsort } from "../../ops/array/sort.ts";
import { assertEqual, assertInteger, assertLess, assertNonNegative } from "../../ops/flow/check.ts";
import { Assert, withDependencies } from "../../ops/flow/control-flow.ts";
import { DenseCountSparseOutput, RaggedCountSparseOutput } from "../../ops/math/count-sparse.ts";
import { bincountOptions, DenseBincount } from "../../ops/math/counting.ts";
import { cast } from "../../ops/math/cast.ts";
import { equal } from "../../ops/math/comparison.ts";
import { floordiv, maximum, minimum } from "../../ops/math/math.ts";
import { cumsum, reduceAll, reduceMax } from "../../ops/math/reduction.ts";
import { inNameScope, type NameOption, named } from "../../ops/named.ts";
import { add, greater, mul, sub } from "../../ops/operators.ts";
import { RaggedRange } from "../../ops/sparse/ragged.ts";
import { positive } from "./axes.ts";
import { converted, isRagged, type Ragged, type RaggedLike } from "./ragged-elementwise.ts";
import { mapFlatValues } from "./ragged-functions.ts";
import { expanded } from "./ragged-reduction.ts";
import { raggedGather, raggedGetItem } from "./ragged-selection.ts";
import { RaggedTensor } from "./ragged-tensor.ts";
import { wholeNumbers } from "./row-partition.ts";

/** A dimension of size 1 more. */
export function raggedExpandDims(_: Callable, input: RaggedTensor, ...rest: readonly unknown[]): RaggedTensor {
  const { axis, dim, name } = collect<Named & { axis: number; dim: number }>(["axis", "name", "dim"], rest);
  const given = dim ?? axis;
  return inNameScope({ name }, "RaggedExpandDims", [input], () => {
    const { rank } = input.shape;
    return expanded(input, positive(Number(given), rank === null ? null : rank + 1, "axis", "rank(input)"));
  });
}

/** How many values there are. */
export const raggedSize = (plain: Callable, input: RaggedTensor, ...rest: readonly unknown[]): unknown => plain(input.flatValues, ...rest);

/** The function of each part: the values, then the splits from the innermost on. */
export const raggedOfParts = (plain: Callable, input: RaggedTensor): RaggedTensor =>
  RaggedTensor.fromRowSplits(
    (input.values instanceof RaggedTensor ? raggedOfParts(plain, input.values) : plain(input.values)) as Tensor,
    plain(input.rowSplits) as Tensor,
    { validate: false },
  );

export const raggedRank = (_: Callable, input: RaggedTensor, options?: NameOption): Tensor =>
  inNameScope(options, "RaggedRank", [input], () => add(input.raggedRank, rank(input.flatValues)));

/** @throws ValueError for an axis that is ragged or outside of a ragged one. */
export function raggedOneHot(_: Callable, indices: RaggedTensor, depth: TensorLike, ...rest: readonly unknown[]): RaggedTensor {
  interface Options extends Named {
    readonly onValue: TensorLike;
    readonly offValue: TensorLike;
    readonly axis: number;
    readonly dtype: DType;
  }
  const { onValue, offValue, axis, dtype, name } = collect<Options>(["onValue", "offValue", "axis", "dtype", "name"], rest);
  const isInner = axis !== undefined && axis !== null && axis >= 0;
  if (isInner && axis <= indices.raggedRank)
    throw new ValueError(`axis (${axis}) must be greater than indices.ragged_rank (${indices.raggedRank}).`);
  const at = isInner ? axis - indices.raggedRank : axis;
  return inNameScope({ name }, "RaggedOneHot", [indices, depth], () =>
    indices.withFlatValues(oneHot(indices.flatValues, depth, { onValue, offValue, axis: at, dtype, name })),
  );
}

/** @throws TypeError for axes that are not known. */
export function raggedReverse(_: Callable, tensor: RaggedTensor, axis: readonly number[] | Tensor, options?: NameOption): Ragged {
  return inNameScope(options, "Reverse", [tensor, axis], () => {
    const known = axis instanceof Tensor ? constantValue(axis) : undefined;
    const given = known === undefined ? axis : numbersOf(known);
    if (!Array.isArray(given) || !given.every(Number.isInteger))
      throw new TypeError("`axis` must be a list of int or a constant tensorwhen reversing axes in a ragged tensor");
    const axes = (given as readonly number[]).map((one, i) => positive(one, tensor.shape.rank, `axis[${i}]`, "rank(tensor)"));
    const keys: IndexSpec[] = Array.from({ length: Math.max(-1, ...axes) + 1 }, (_, k) => (axes.includes(k) ? [null, null, -1] : []));
    return raggedGetItem(tensor, ...keys);
  });
}

/** Repeated along every dimension. */
export function raggedTile(_: Callable | null, input: RaggedTensor, multiples: TensorLike, options?: NameOption): RaggedTensor {
  return inNameScope(options, "RaggedTile", [input, multiples], () => {
    const times = wholeNumbers(multiples, "multiples", input.partition.dtype);
    times.shape.assertHasRank(1);
    const value = constantValue(times);
    const known = value === undefined ? null : numbersOf(value);
    const values = tiledValues(input, times, known);
    return RaggedTensor.fromNestedRowSplits(values, tiledSplits(input, times, known), { validate: false });
  });
}

const isOnce = (known: readonly number[] | null, axis: number): boolean => known !== null && known[axis] === 1;

function tiledValues({ raggedRank, nestedRowSplits, flatValues }: RaggedTensor, times: Tensor, known: readonly number[] | null): Tensor {
  let ids = range(getItem(nestedRowSplits[raggedRank - 1], -1));
  let inner: Tensor | null = null;
  for (let axis = raggedRank; axis > 0; axis--) {
    let splits = nestedRowSplits[axis - 1];
    if (inner !== null) splits = gather(mul(inner, getItem(times, axis + 1)), splits);
    if (!isOnce(known, axis)) ids = repeatRanges(ids, splits, getItem(times, axis));
    inner = splits;
  }
  return tile(gather(flatValues, ids), concat([getItem(times, [null, 1]), getItem(times, [raggedRank + 1, null])], 0));
}

function tiledSplits({ raggedRank, nestedRowSplits }: RaggedTensor, times: Tensor, known: readonly number[] | null): Tensor[] {
  const projected = nestedRowSplits.map((splits, from) => {
    const row: Tensor[] = [];
    row[from] = splits;
    for (let to = from + 1; to < raggedRank - 1; to++) row[to] = gather(nestedRowSplits[to], row[to - 1]);
    return row;
  });
  return nestedRowSplits.map((splits, axis) => {
    let lengths = mul(sub(getItem(splits, [1, null]), getItem(splits, [null, -1])), getItem(times, axis + 1));
    let repeats: Tensor | null = null;
    for (let d = axis - 1; d >= 0; d--) {
      if (!isOnce(known, d + 1)) lengths = repeatRanges(lengths, mul(projected[d][axis - 1], repeats ?? 1), getItem(times, d + 1));
      repeats = mul(repeats ?? 1, getItem(times, d + 1));
    }
    return concat([[0], cumsum(tile(lengths, getItem(times, [null, 1])))], -1);
  });
}

/** Each range of values, from one split to the next, so many times. */
function repeatRanges(values: Tensor, splits: Tensor, times: Tensor): Tensor {
  const asserted = [assertedLater("splits", splits), assertedLater("repeats", times)];
  const [ends, count] = asserted.map(wait => wait());
  const repeated = repeat(ends, count, { axis: 0 });
  const length = getItem(shapeOf(repeated, { outType: count.dtype as "int64" }), 0);
  const starts = getItem(repeated, [null, sub(length, count)]);
  const limits = getItem(repeated, [count, null]);
  const deltas = ones([], starts.dtype);
  return gather(values, RaggedRange({ starts, limits, deltas }).rtDenseValues);
}

/** Asserts at once, and gives the tensor that waits for it later. */
function assertedLater(what: string, x: Tensor): () => Tensor {
  const isPositive = assertNonNegative(x, { message: `Input argument '${what}' must be non-negative` });
  const message = `Input argument '${what}' must be integer, but got <dtype: '${x.dtype}'> instead`;
  const isInteger = assertInteger(x, { message });
  return () => withDependencies([isPositive, isInteger], x);
}

/** Without dimensions of size 1. @throws ValueError without an axis. */
export function raggedSqueeze(_: Callable, input: RaggedTensor, ...rest: readonly unknown[]): Ragged {
  interface Options extends Named {
    readonly axis: number | readonly number[];
    readonly squeezeDims: number | readonly number[];
  }
  const { axis, squeezeDims, name } = collect<Options>(["axis", "name", "squeezeDims"], rest);
  const given = axis ?? squeezeDims;
  return inNameScope({ name }, "RaggedSqueeze", [input], () => {
    if (given === undefined || given === null) throw new ValueError("Ragged.squeeze must have an axis argument.");
    const list = typeof given === "number" ? [given] : given;
    if (!Array.isArray(list) || !list.every(Number.isInteger)) throw new TypeError("Axis must be a list or tuple of integers.");
    const axes = (list as readonly number[]).map((one, i) => positive(one, input.shape.rank, `axis[${i}]`, "rank(input)"));
    const depth = input.raggedRank;
    const dense = axes.filter(one => one > depth).map(one => one - depth);
    const ragged = new Set(axes.filter(one => one <= depth));
    const one = constant(input.partition.dtype === "int64" ? 1n : 1, input.partition.dtype);
    const says = (at: number): string[] => [`the given axis (axis = ${at}) is not squeezable!`];
    const checks = input
      .nestedRowLengths()
      .flatMap((lengths, i) => (ragged.has(i + 1) ? [Assert(reduceAll(equal(lengths, one)), says(i + 1))] : []));
    if (ragged.has(0)) {
      const two = constant(2, "int32");
      checks.push(Assert(equal(size(input.rowSplits), two), says(0)));
    }
    let values: Tensor = withDependencies(checks, input.flatValues);
    if (dense.length > 0) values = squeeze(values, dense);
    const splits = input.nestedRowSplits.filter((_, i) => !ragged.has(i + 1));
    if (splits.length > 0 && ragged.has(0)) splits.shift();
    const left = inNameScope({}, "RaggedFromNestedRowSplits", [values], () =>
      splits.reduceRight<Ragged>((inner, rows) => RaggedTensor.fromRowSplits(inner, rows), values),
    );
    const isAll = Array.from({ length: depth + 1 }, (_, k) => ragged.has(k)).every(Boolean);
    return isAll ? squeeze(left as Tensor, [0], { name }) : left;
  });
}

/** The values of rows by the number of a partition, one row for each. TF: tf.ragged.stack_dynamic_partitions. */
export function stackDynamicPartitions(
  data: RaggedLike,
  partitions: RaggedLike,
  numPartitions: TensorLike,
  { name, ...others }: Named = {},
): RaggedTensor {
  refuseOthers(others);
  return inNameScope({ name }, "SegmentStack", [data, partitions, numPartitions], () => {
    const values = converted(data, { name: "data" });
    const dtype = isRagged(values) ? values.partition.dtype : undefined;
    const given = converted(partitions, { name: "partitions", preferredDtype: dtype ?? "int32" });
    const number = convertToTensor(numPartitions, { name: "num_partitions", preferredDtype: given.dtype });
    const places = dtype === undefined ? given : isRagged(given) ? given.withFlatValues(cast(given.flatValues, dtype)) : cast(given, dtype);
    const count = cast(number, places.dtype);
    const { rank: ranks } = places.shape;
    if (ranks === null) throw new ValueError("partitions must have known rank.");
    count.shape.assertHasRank(0);
    places.shape.assertIsCompatibleWith(values.shape.slice(0, ranks));
    if (ranks === 0)
      return RaggedTensor.fromValueRowids(stack([values as Tensor]), stack([places as Tensor]), { nrows: count, validate: false });
    if (ranks === 1) return sortedRows(values, places as Tensor, count);
    const wide = isRagged(values) ? values : RaggedTensor.fromTensor(values, { rowSplitsDtype: places.dtype as "int64", raggedRank: 1 });
    const raggedRank = Math.max(wide.raggedRank, ranks - 1);
    const rows = isRagged(places) ? places : RaggedTensor.fromTensor(places, { rowSplitsDtype: places.dtype as "int64", raggedRank });
    const message = "data and partitions have incompatible ragged shapes";
    const check = assertEqual(wide.rowSplits, rows.rowSplits, { message });
    return getDefaultGraph().controlDependencies([check], () => stackDynamicPartitions(wide.values, rows.values, count));
  });
}

function sortedRows(data: Ragged, partitions: Tensor, count: Tensor): RaggedTensor {
  const order = argsort(partitions, { stable: true });
  const rowids = gather(partitions, order);
  const values = isRagged(data) ? raggedGather(gather, data, order) : gather(data, order);
  const checks = [
    assertLess(getItem(rowids, [-1, null]), count, { message: "partitions must be less than num_partitions" }),
    assertNonNegative(partitions, { message: "partitions must be non-negative." }),
  ];
  return getDefaultGraph().controlDependencies(checks, () =>
    RaggedTensor.fromValueRowids(values, rowids, { nrows: count, validate: false }),
  );
}

/** @throws TypeError for a number of partitions that is none. */
export function raggedDynamicPartition(
  _: Callable,
  data: RaggedLike,
  partitions: RaggedLike,
  numPartitions: number,
  options?: NameOption,
): Ragged[] {
  if (!Number.isInteger(numPartitions) || numPartitions < 0) throw new TypeError("num_partitions must be a non-negative integer");
  const rows = stackDynamicPartitions(data, partitions, numPartitions, named(options));
  return Array.from({ length: numPartitions }, (_, i) => raggedGetItem(rows, i));
}

/** @throws ValueError for values that would take a dimension of their own. */
export const raggedBitcast = (_: Callable, input: RaggedTensor, type: DType, options?: NameOption): RaggedTensor =>
  inNameScope(options, "Bitcast", [input], () => input.withFlatValues(bitcast(input.flatValues, type)));

export const raggedAddN = (plain: Callable, inputs: readonly Ragged[], options?: NameOption): Ragged =>
  inNameScope(options, "RaggedAddN", [inputs], () => mapFlatValues(((...flat: Tensor[]) => plain(flat)) as never, ...inputs));

/** Drops elements of rows. @throws ValueError for a shape of the noise. */
export function raggedDropout(plain: Callable, x: RaggedTensor, ...rest: readonly unknown[]): RaggedTensor {
  interface Options extends Named {
    readonly keepProb: TensorLike;
    readonly noiseShape: TensorLike;
    readonly seed: number;
    readonly rate: TensorLike;
  }
  const { noiseShape, name, ...given } = collect<Options>(["keepProb", "noiseShape", "seed", "name", "rate"], rest);
  if (noiseShape !== undefined && noiseShape !== null) throw new ValueError("noise_shape is not supported yet for RaggedTensor x");
  return inNameScope({ name }, "RaggedNNDropout", [x, given.rate], () => x.withFlatValues(plain(x.flatValues, given) as Tensor));
}

/** The row of a table for each id. @throws TypeError for ids that are no whole numbers. */
export function raggedEmbeddingLookup(plain: Callable, params: unknown, ids: RaggedTensor, ...rest: readonly unknown[]): RaggedTensor {
  const { name, ...given } = collect<Named>(["partitionStrategy", "name", "validateIndices", "maxNorm"], rest);
  if (params === null || params === undefined) throw new ValueError("params must be specified.");
  if (!isInteger(ids.dtype))
    throw new ValueError(
      `The values contained by the inputs have type ${ids.dtype} and cannot be processed. All values should be indices, either of type \`int32\` or \`int64\`.`,
    );
  return inNameScope({ name }, "embedding_lookup_ragged", [], () => {
    const found = plain(params, ids.flatValues, given) as Tensor;
    return ids.withFlatValues(found);
  });
}

/** Strings of equal rows joined. */
export function raggedStringJoin(plain: Callable, inputs: readonly Ragged[], ...rest: readonly unknown[]): Ragged {
  const { separator = "", name } = collect<Named & { separator: string }>(["separator", "name"], rest);
  return inNameScope({ name }, "RaggedStringJoin", [inputs], () =>
    mapFlatValues(((...flat: Tensor[]) => plain(flat, separator)) as never, ...inputs),
  );
}

/** Cut along an axis that is not ragged: into so many equal pieces, or pieces of given sizes. @throws ValueError for a ragged axis. */
export function raggedSplit(
  _: Callable,
  value: RaggedTensor,
  numOrSizeSplits: number | readonly number[] | Tensor,
  ...rest: readonly unknown[]
): Ragged[] {
  const { axis = 0, num = null, name } = collect<Named & { axis: number; num: number }>(["axis", "num", "name"], rest);
  return inNameScope({ name }, "RaggedSplit", [], () => {
    if (numOrSizeSplits === 1) return [value];
    const isCount = typeof numOrSizeSplits === "number";
    const given = numOrSizeSplits instanceof Tensor ? numOrSizeSplits : NDArray.from(numOrSizeSplits as number, "int32");
    assertInteger(given, { message: "`num_or_size_splits` must be an `int` or 1-D list or `Tensor` of integers." });
    const at = positive(axis, value.shape.rank);
    const size = uniformSize(value, at);
    if (isCount && numOrSizeSplits < 1)
      throw new ValueError(`\`num_or_size_splits\` must be >=1 if it is an \`int\`.Received ${numOrSizeSplits}.`);
    const lengths = isCount ? repeat(floordiv(size, numOrSizeSplits), numOrSizeSplits) : convertToTensor(given);
    const count = isCount ? numOrSizeSplits : splitCount(lengths, num, numOrSizeSplits);
    const splits = concat([zeros([1], lengths.dtype), cumsum(lengths)], 0);
    const checks = [
      assertNonNegative(given, { message: "`num_or_size_splits` must be non-negative." }),
      assertEqual(count, getItem(shapeOf(lengths), 0), { message: "`num` is inconsistent with `num_or_size_split.shape[0]`." }),
      assertEqual(cast(size, splits.dtype), getItem(splits, -1), {
        message: "Cannot exactly split the `axis` dimension of `value` with the given `num_or_size_split`.",
      }),
    ];
    const ends = withDependencies(checks, splits);
    const whole: readonly IndexSpec[] = Array.from({ length: at }, () => []);
    return Array.from({ length: count }, (_, i) => raggedGetItem(value, ...whole, [getItem(ends, i), getItem(ends, i + 1)]));
  });
}

/** @throws TypeError for lengths that are no vector, ValueError for a number that is not known or another. */
function splitCount({ shape }: Tensor, num: number | null, given: unknown): number {
  if (shape.rank !== null && shape.rank !== 1)
    throw new TypeError(`\`num_or_size_splits\` must be an \`int\` or 1-D list or \`Tensor\`. Received ${String(given)}.`);
  const known = shape.rank === null ? null : shape.dim(0);
  if (known === null && num === null)
    throw new ValueError(
      `\`num\` must be specified as an \`int\` when the size of \`num_or_size_split\` is statically unknown. Received \`num\`: None and \`num_or_size_split\`: ${String(given)}.`,
    );
  if (known !== null && num !== null && known !== num)
    throw new ValueError(
      `\`num\` does not match the size of \`num_or_size_split\`. Received \`num\`: ${num} and size of \`num_or_size_split\`: ${known}.`,
    );
  return (known ?? num) as number;
}

/** How many there are along an axis where all rows have as many. @throws ValueError for a ragged axis. */
function uniformSize(value: RaggedTensor, axis: number, whole = value, wholeAxis = axis): Tensor {
  if (axis === 0) return value.nrows();
  if (axis > value.raggedRank) return getItem(shapeOf(value.flatValues, { outType: value.partition.dtype }), axis - value.raggedRank);
  const { uniformRowLength, values } = value;
  if (axis > 1) return uniformSize(values as RaggedTensor, axis - 1, whole, wholeAxis);
  if (uniformRowLength === null)
    throw new ValueError(`Cannot split a ragged dimension. Got \`value\` with shape ${dynamicShapeText(whole)} and \`axis\` ${wholeAxis}.`);
  return uniformRowLength;
}

/** A shape as TensorFlow writes that of ragged tensors. */
const dynamicShapeText = ({ shape, raggedRank }: RaggedTensor): string =>
  `<DynamicRaggedShape lengths=[${shape.dims?.map(size => size ?? "None").join(", ")}] num_row_partitions=${raggedRank}>`;

/** Counts of values, of each row or of all. @throws ValueError for weights that have not the same rows. */
export function raggedBincount(_: Callable, arr: RaggedTensor, ...rest: readonly unknown[]): Tensor {
  const { weights, minlength, maxlength, dtype = "int32", name } = bincountOptions(rest);
  return inNameScope({ name }, "bincount", [], () => {
    let weighing: Ragged | null = weights === undefined || weights === null ? null : converted(weights, { name: "weights" });
    let values: Ragged = isInteger(arr.dtype) ? arr : arr.withFlatValues(cast(arr.flatValues, "int32"));
    const isFilled = greater(size(values.flatValues), 0);
    let length = mul(cast(isFilled, values.dtype), add(reduceMax(values.flatValues, null, { name: "RaggedReduceMax" }), 1));
    const bound = (limit: TensorLike, label: string): Tensor => convertToTensor(limit, { name: label, dtype: values.dtype });
    if (minlength !== undefined && minlength !== null) length = maximum(bound(minlength, "minlength"), length);
    if (maxlength !== undefined && maxlength !== null) length = minimum(bound(maxlength, "maxlength"), length);
    while (isRagged(values)) {
      if (weighing !== null) weighing = sameRows(values, weighing);
      values = values.values;
    }
    return DenseBincount({ input: values, size: length, weights: (weighing as Tensor | null) ?? constant([], dtype) });
  });
}

/** What is in the rows of weights, which are to be those of the values. @throws ValueError for weights that are not ragged. */
function sameRows(values: RaggedTensor, weights: Ragged): Ragged {
  if (!isRagged(weights))
    throw new ValueError(
      `\`weights\` must be a RaggedTensor if \`values\` is a RaggedTensor. Received argument weights=${String(weights)} of type: Tensor.`,
    );
  if (weights.rowSplits === values.rowSplits) return weights.values;
  const message = "'weights' and 'values' must have the same row splits.";
  const isSame = assertEqual(weights.rowSplits, values.rowSplits, { message });
  return getDefaultGraph().controlDependencies([isSame], () => (isRagged(weights.values) ? weights.values : identity(weights.values)));
}

/** Counts of values as a sparse tensor. @throws ValueError for other axes, and weights beside binary output. */
export function raggedSparseBincount(_: Callable, given: RaggedTensor, ...rest: readonly unknown[]): SparseTensor {
  interface Options extends Named {
    readonly weights: RaggedLike;
    readonly axis: number;
    readonly minlength: number;
    readonly maxlength: number;
    readonly binaryOutput: boolean;
  }
  const order = ["weights", "axis", "minlength", "maxlength", "binaryOutput", "name"];
  const { weights = null, axis = 0, minlength = -1, maxlength = -1, binaryOutput = false, name } = collect<Options>(order, rest);
  return inNameScope({ name }, "count", [given, weights], () => {
    let weighing: Ragged | null = weights === null ? null : converted(weights, { name: "weights" });
    if (weighing !== null && binaryOutput)
      throw new ValueError("Arguments `binary_output` and `weights` are mutually exclusive. Please specify only one.");
    if (axis !== 0 && axis !== -1)
      throw new ValueError(`Unsupported value for argument axis=${axis}. Only 0 and -1 are currently supported.`);
    const { rowSplits: splits } = given;
    let values: Ragged = given;
    if (axis === 0) {
      if (weighing !== null) weighing = sameRows(given, weighing);
      values = given.values;
    }
    if (isRagged(values) && weighing !== null) weighing = sameRows(values, weighing);
    const counting = { weights: (weighing as Tensor | null) ?? constant([], "int32"), minlength, maxlength, binaryOutput };
    const out = isRagged(values)
      ? RaggedCountSparseOutput({ splits, values: values.values as Tensor, ...counting })
      : DenseCountSparseOutput({ values, ...counting });
    return new SparseTensor(out.outputIndices, out.outputValues, out.outputDenseShape);
  });
}

/** @throws TypeError unless the values are of that type. */
export const raggedAssertType = (plain: Callable, tensor: RaggedTensor, ...rest: readonly unknown[]): unknown =>
  plain(tensor.flatValues, ...rest);
