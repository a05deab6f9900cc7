// Ragged tensors put together along a new axis or one that is there, dense ones among them. TF: ops/ragged/ragged_concat_ops.

import { ValueError } from "../../base/errors.ts";
import { convertToTensor, type TensorLike } from "../../graph/conversion.ts";
import type { Callable } from "../../graph/composite.ts";
import { getDefaultGraph } from "../../graph/default-graph.ts";
import type { Named } from "../../graph/op-definition.ts";
import { Tensor } from "../../graph/operation.ts";
import { constantValue } from "../../graph/shape-inference.ts";
import { collect } from "../../ops/arguments.ts";
import { reshape, shape as shapeOf } from "../../ops/array/array.ts";

import { range } from "../../ops/array/ranges.ts";
import { transpose } from "../../ops/array/rearranging.ts";
import { concat, getItem, stack as stackDense } from "../../ops/array/slicing.ts";
import { assertEqual } from "../../ops/flow/check.ts";
import { cumsum } from "../../ops/math/reduction.ts";
import { inNameScope, type NameOption } from "../../ops/named.ts";
import { add, mul } from "../../ops/operators.ts";
import { RaggedGather } from "../../ops/sparse/ragged.ts";
import { positive } from "./axes.ts";
import { RaggedTensor } from "./ragged-tensor.ts";
import type { SplitsType } from "./row-partition.ts";

type Part = Tensor | RaggedTensor;

/** Tensors of one rank, some ragged, along a new axis. TF: tf.ragged.stack. @throws ValueError for none, for ranks that differ, for an axis that is none. */
export function stack(
  values: readonly (TensorLike | RaggedTensor)[] | RaggedTensor,
  { axis = 0, name }: Named & { readonly axis?: number } = {},
): Part {
  const list = (Array.isArray(values) ? values : [values]) as readonly (TensorLike | RaggedTensor)[];
  return inNameScope({ name }, "RaggedConcat", list.map(flatOf), () => {
    if (list.length === 0) throw new ValueError("rt_inputs may not be empty.");
    return joined(
      list.map(value => (value instanceof RaggedTensor ? value : convertToTensor(value, { name: "rt_input" }))),
      axis,
      true,
    );
  });
}

/** Tensors of one rank, some ragged, along an axis they have. TF: tf.concat of ragged tensors. */
export function raggedConcat(_: Callable, values: Part[] | Part, axis: number | Tensor, options?: NameOption): Part {
  const list = Array.isArray(values) ? values : [values];
  return inNameScope(options, "RaggedConcat", list.map(flatOf), () =>
    joined(
      list.map(value => (value instanceof RaggedTensor ? value : convertToTensor(value, { name: "rt_input" }))),
      axis instanceof Tensor ? Number(constantValue(axis)?.item()) : axis,
      false,
    ),
  );
}

/** The same as tf.ragged.stack. TF: tf.stack of ragged tensors. */
export function raggedStack(_: Callable, values: readonly (TensorLike | RaggedTensor)[], ...rest: readonly unknown[]): Part {
  return stack(values, collect<Named & { axis: number }>(["axis", "name"], rest));
}

const flatOf = (value: unknown): unknown => (value instanceof RaggedTensor ? value.flatValues : value);

function joined(given: readonly Part[], axisGiven: number, stacks: boolean): Part {
  const dtypes = new Set(given.flatMap(part => (part instanceof RaggedTensor ? part.partition.dtype : [])));
  if (dtypes.size > 1)
    throw new ValueError(
      "Input RaggedTensors have mismatched row_splits dtypes; use RaggedTensor.with_row_splits_dtype() to convert them to compatible dtypes.",
    );
  const dtype: SplitsType = [...dtypes][0] ?? "int64";
  if (given.length === 1 && !stacks) return given[0];
  const rank = given.reduce<number | null>((known, part) => {
    if (known !== null) part.shape.assertHasRank(known);
    return known ?? part.shape.rank;
  }, null);
  const axis = positive(axisGiven, rank === null ? null : rank + (stacks ? 1 : 0));
  if (stacks && rank === 1 && axis === 0) {
    const vectors = given as readonly Tensor[];
    const [values, lengths] = [
      concat(vectors, 0),
      concat(
        vectors.map(vector => shapeOf(vector)),
        0,
      ),
    ];
    return RaggedTensor.fromRowLengths(values, lengths);
  }
  if (rank !== null && given.every(part => part instanceof Tensor) && (axis === rank + (stacks ? 0 : -1) || axis === rank - 1))
    return stacks ? stackDense(given, { axis }) : concat(given, axis);
  const rows = given.map(part =>
    part instanceof RaggedTensor ? part : RaggedTensor.fromTensor(part, { raggedRank: 1, rowSplitsDtype: dtype }),
  );
  const depth = Math.max(...rows.map(part => part.raggedRank));
  const parts = rows.map(part => deepened(part, depth, dtype) as RaggedTensor);
  if (axis === 0) return below(parts, stacks);
  if (axis === 1) return beside(parts, stacks);
  const [first, ...rest] = parts;
  const checks = rest.map(part => assertEqual(first.rowSplits, part.rowSplits, { message: "Inputs must have identical ragged splits" }));
  return getDefaultGraph().controlDependencies(checks, () =>
    RaggedTensor.fromRowSplits(
      joined(
        parts.map(({ values }) => values),
        axis - 1,
        stacks,
      ),
      first.rowSplits,
      { validate: false },
    ),
  );
}

/** With more of its dimensions ragged. */
function deepened(part: Part, depth: number, dtype: SplitsType): Part {
  if (depth === 0) return part;
  const ragged = part instanceof RaggedTensor ? part : RaggedTensor.fromTensor(part, { rowSplitsDtype: dtype });
  return ragged.raggedRank < depth ? ragged.withValues(deepened(ragged.values, depth - 1, dtype)) : ragged;
}

/** The rows of one after those of the other. */
function below(parts: readonly RaggedTensor[], stacks: boolean): RaggedTensor {
  const values = concat(
    parts.map(({ flatValues }) => flatValues),
    0,
  );
  const splits = parts.map(({ nestedRowSplits }) => nestedRowSplits);
  const nested = splits[0].map((_, level) => splitsOneAfterTheOther(splits.map(of => of[level])));
  if (stacks) nested.unshift(concat([[0], cumsum(stackDense(parts.map(part => part.nrows())))], -1));
  return RaggedTensor.fromNestedRowSplits(values, nested, { validate: false });
}

function splitsOneAfterTheOther([first, ...rest]: readonly Tensor[]): Tensor {
  const pieces = [first];
  let offset = getItem(first, -1);
  for (const splits of rest) {
    pieces.push(add(getItem(splits, [1, null]), offset));
    offset = add(offset, getItem(splits, -1));
  }
  return concat(pieces, 0);
}

/** Row by row: all first rows, then all second ones. */
function beside(parts: readonly RaggedTensor[], stacks: boolean): RaggedTensor {
  const count = parts.length;
  const rows = parts[0].nrows();
  const checks = parts.slice(1).map((part, i) => {
    const message = `Input tensors at index 0 (=x) and ${i + 1} (=y) have incompatible shapes.`;
    return assertEqual(rows, part.nrows(), { message });
  });
  return getDefaultGraph().controlDependencies(checks, () => {
    const all = below(parts, false);
    const order = reshape(transpose(reshape(range(mul(rows, count)), [count, -1])), [-1]);
    const taken = rowsOf(all, order);
    const splits = stacks ? range(0, add(mul(rows, count), 1), count) : getItem(taken.rowSplits, [null, null, count]);
    for (const known of parts.map(part => part.shape.dim(0))) if (known !== null) splits.setShape([known + 1]);
    return RaggedTensor.fromRowSplits(stacks ? taken : taken.values, splits, { validate: false });
  });
}

/** Rows by their numbers, with the nodes of `gather` on ragged tensors. */
function rowsOf(ragged: RaggedTensor, indices: Tensor): RaggedTensor {
  return inNameScope({}, "RaggedGather", [ragged.flatValues, indices], () => {
    const { outputNestedSplits, outputDenseValues } = RaggedGather({
      paramsNestedSplits: ragged.nestedRowSplits,
      paramsDenseValues: ragged.flatValues,
      indices,
      OUTPUT_RAGGED_RANK: ragged.raggedRank,
    });
    return RaggedTensor.fromNestedRowSplits(outputDenseValues, outputNestedSplits, { validate: false });
  });
}
