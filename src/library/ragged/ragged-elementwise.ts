// Functions of single elements on ragged tensors: of one argument on its values, of two after the rows of both were made the same. How rows become
// the same is TensorFlow's rule (a ragged dimension is never stretched, a uniform one of size 1 is), its nodes are ours: sizes that are known only
// while running take arithmetic, not branches. TF: ops/ragged/dynamic_ragged_shape.

import { type DType, isBigInteger } from "../../base/dtype.ts";
import { ValueError } from "../../base/errors.ts";
import type { Dimension } from "../../base/shape.ts";
import type { Callable } from "../../graph/composite.ts";
import { convertToTensor, type TensorLike } from "../../graph/conversion.ts";
import { Tensor } from "../../graph/operation.ts";
import { isOptions } from "../../ops/arguments.ts";
import { constant, reshape, shape as shapeOf } from "../../ops/array/array.ts";
import { gather } from "../../ops/array/gather.ts";
import { range } from "../../ops/array/ranges.ts";
import { concat, getItem, stack } from "../../ops/array/slicing.ts";
import { assertEqual } from "../../ops/flow/check.ts";
import { withDependencies } from "../../ops/flow/control-flow.ts";
import { cast } from "../../ops/math/cast.ts";
import { notEqual } from "../../ops/math/comparison.ts";
import { cumsum } from "../../ops/math/reduction.ts";
import { inNameScope } from "../../ops/named.ts";
import { add, mul, sub } from "../../ops/operators.ts";
import { RaggedTensor } from "./ragged-tensor.ts";
import type { RowPartition, SplitsType } from "./row-partition.ts";

export type Ragged = Tensor | RaggedTensor;
/** What ragged functions take: anything that becomes a tensor, or is ragged. */
export type RaggedLike = TensorLike | RaggedTensor;

export const isRagged = (value: unknown): value is RaggedTensor => value instanceof RaggedTensor;
export const flatOf = (value: Ragged): Tensor => (isRagged(value) ? value.flatValues : value);
/** The value itself if it is ragged, else a tensor. */
export const converted = (value: RaggedLike, options: { name?: string; preferredDtype?: DType | undefined } = {}): Ragged =>
  isRagged(value) ? value : convertToTensor(value, options);

/** @throws ValueError if rows are counted in different types. */
export function matchSplits(...values: readonly Ragged[]): SplitsType | undefined {
  const types = new Set(values.filter(isRagged).map(({ partition }) => partition.dtype));
  if (types.size > 1)
    throw new ValueError(
      "Input RaggedTensors have mismatched row_splits dtypes; use RaggedTensor.with_row_splits_dtype() to convert them to compatible dtypes.",
    );
  return [...types][0];
}

/** A function of each element. */
export const unary = (plain: Callable, x: RaggedTensor, ...rest: readonly unknown[]): RaggedTensor =>
  scoped(rest, given => x.withFlatValues(plain(x.flatValues, ...given) as Tensor));

/** A function of the elements of both, broadcast. */
export const binary = (plain: Callable, x: RaggedLike, y: RaggedLike, ...rest: readonly unknown[]): RaggedTensor =>
  scoped(rest, given => {
    const { flat, withRows } = paired(...operands(x, y));
    return withRows(plain(...flat, ...given) as Tensor);
  });

/** An assertion about the elements of both, broadcast. */
export const assertion = (plain: Callable, x: RaggedLike, y: RaggedLike, ...rest: readonly unknown[]): unknown =>
  scoped(rest, given => plain(...paired(...operands(x, y)).flat, ...given));

/** A name becomes a scope around everything that is made. */
export function scoped<R>(rest: readonly unknown[], body: (given: readonly unknown[]) => R): R {
  const options = rest.at(-1);
  if (!isOptions(options) || options.name === undefined || options.name === null) return body(rest);
  const { name, ...others } = options;
  return inNameScope({ name: String(name) }, "", [], () => body([...rest.slice(0, -1), others]));
}

function operands(x: RaggedLike, y: RaggedLike): [Ragged, Ragged] {
  const a = converted(x, { preferredDtype: isRagged(y) ? y.dtype : undefined });
  const b = converted(y, { preferredDtype: a.dtype });
  matchSplits(a, b);
  return [a, b];
}

interface Paired {
  readonly flat: readonly [Tensor, Tensor];
  withRows(flat: Tensor): RaggedTensor;
}

function paired(x: Ragged, y: Ragged): Paired {
  const reaches = (of: Ragged, other: Ragged): boolean =>
    isRagged(of) && (isRagged(other) || (of.flatValues.shape.rank ?? 0) <= (other.shape.rank ?? 0));
  if (!reaches(x, y) && !reaches(y, x)) {
    const rows = (isRagged(x) ? x : y) as RaggedTensor;
    return { flat: [flatOf(x), flatOf(y)], withRows: flat => rows.withFlatValues(flat) };
  }
  const dtype = ((isRagged(x) ? x : y) as RaggedTensor).partition.dtype;
  // TensorFlow reads both shapes whether it needs them or not.
  for (const side of [x, y]) cast(shapeOf(flatOf(side)), isRagged(side) ? dtype : "int64");
  if (isRagged(x) && isRagged(y) && samePartitions(x.partitions, y.partitions))
    return { flat: [x.flatValues, y.flatValues], withRows: flat => x.withFlatValues(flat) };
  return broadcast(x, y, dtype);
}

const samePartitions = (a: readonly RowPartition[], b: readonly RowPartition[]): boolean =>
  a.length === b.length && a.every((partition, i) => partition === b[i]);

/** A dimension: the length and the beginning of each of its rows. */
interface Level {
  readonly lengths: Tensor;
  readonly starts: Tensor;
  /** The length that all rows have; null where it is ragged. */
  readonly uniform: Tensor | number | null;
}

/** A tensor as a dimension after another, and values below them. */
interface Levels {
  readonly levels: readonly Level[];
  readonly values: Tensor;
}

function broadcast(x: Ragged, y: Ragged, dtype: SplitsType): Paired {
  const ranks = [x.shape.rank, y.shape.rank];
  if (ranks.includes(null)) throw new ValueError("Unable to broadcast: unknown rank");
  const rank = Math.max(...(ranks as number[]));
  const depth = Math.max(...[x, y].map((side, i) => (isRagged(side) ? side.raggedRank + rank - (ranks[i] as number) : 0)));
  const sides = [x, y].map((side, i) => levelsOf(side, rank - (ranks[i] as number), depth, dtype));
  const merged: { splits: Tensor; uniform: Tensor | number | null; rows: Tensor }[] = [];
  const whole = (value: number): Tensor => constant(dtype === "int64" ? BigInt(value) : value, dtype);
  let places = sides.map(() => constant([dtype === "int64" ? 0n : 0], dtype));
  for (let k = 0; k <= depth; k++) {
    const [a, b] = sides.map(({ levels }) => levels[k]);
    const [la, lb] = [a, b].map(({ lengths }, side) => gather(lengths, places[side]));
    const [za, zb] = [a, b].map(({ uniform }) => stretch(uniform, dtype));
    const lengths = za === 0 ? lb : za === 1 ? la : add(lb, mul(sub(la, lb), za));
    const needed = za === 0 || zb === 0 ? null : za === 1 && zb === 1 ? null : mul(za === 1 ? whole(1) : za, zb === 1 ? whole(1) : zb);
    const check = za === 0 || zb === 0 ? [] : [assertEqual(needed ? mul(la, needed) : la, needed ? mul(lb, needed) : lb)];
    const splits = withDependencies(check, concat([constant([dtype === "int64" ? 0n : 0], dtype), cumsum(lengths)], 0));
    const uniform = a.uniform === null || b.uniform === null ? null : za === 0 ? b.uniform : za === 1 ? a.uniform : getItem(lengths, 0);
    merged.push({ splits, uniform, rows: getItem(shapeOf(lengths, { outType: dtype }), 0) });
    const rowids = RaggedTensor.fromRowSplits(range(getItem(splits, -1)), splits, { validate: false }).valueRowids();
    const offsets = sub(range(getItem(splits, -1)), gather(splits, rowids));
    places = [a, b].map(({ starts }, side) => {
      const from = gather(starts, gather(places[side], rowids));
      const z = side === 0 ? za : zb;
      return z === 0 ? from : add(from, z === 1 ? offsets : mul(offsets, z));
    });
  }
  const [first, second] = sides.map(({ values }, side) => gather(values, places[side]));
  return {
    flat: [first, second],
    withRows: flat =>
      merged.slice(1).reduceRight<Ragged>((values, { splits, uniform, rows }) => {
        if (uniform === null) return RaggedTensor.fromRowSplits(values, splits, { validate: false });
        const length = uniform instanceof Tensor ? uniform : whole(uniform);
        return RaggedTensor.fromUniformRowLength(values, length, { nrows: rows, validate: false });
      }, flat) as RaggedTensor,
  };
}

/** 0 where rows of one are stretched, 1 where they count as they are, a tensor of either where only a run can tell. */
export function stretch(uniform: Tensor | number | null, dtype: SplitsType): Tensor | 0 | 1 {
  if (uniform === null) return 1;
  if (typeof uniform === "number") return uniform === 1 ? 0 : 1;
  return cast(notEqual(uniform, isBigInteger(dtype) ? 1n : 1), dtype);
}

/** With `padding` dimensions of size 1 before its own, as `depth + 1` dimensions and values. */
export function levelsOf(side: Ragged, padding: number, depth: number, dtype: SplitsType): Levels {
  const number = (value: number): number => (dtype === "int64" ? BigInt(value) : value) as number;
  const single: Level = { lengths: constant([number(1)], dtype), starts: constant([number(0)], dtype), uniform: 1 };
  const levels: Level[] = Array.from({ length: padding }, () => single);
  const of = (count: Dimension, tensor: () => Tensor): Tensor | number => count ?? tensor();
  if (isRagged(side)) {
    const rows = side.nrows({ outType: dtype });
    levels.push({ lengths: reshape(rows, [1]), starts: single.starts, uniform: of(side.partition.staticNrows, () => rows) });
    for (const partition of side.partitions)
      levels.push({
        lengths: partition.rowLengths(),
        starts: partition.rowStarts(),
        uniform: partition.staticUniformRowLength ?? partition.known.uniformRowLength ?? null,
      });
  }
  const flat = flatOf(side);
  const sizes = shapeOf(flat, { outType: dtype });
  const from = levels.length > padding ? 1 : 0;
  let count = from === 0 ? constant(number(1), dtype) : getItem(sizes, 0);
  let axis = from;
  for (; levels.length <= depth; axis++) {
    const size = getItem(sizes, axis);
    const rows = range(count);
    levels.push({ lengths: add(mul(rows, number(0)), size), starts: mul(rows, size), uniform: of(flat.shape.dim(axis), () => size) });
    count = mul(count, size);
  }
  const values = axis === 1 ? flat : reshape(flat, concat([stack([count]), getItem(sizes, [axis, null])], 0));
  return { levels, values };
}
