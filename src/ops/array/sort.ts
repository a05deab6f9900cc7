// Sorting along an axis, by way of TopKV2 as TensorFlow does: descending order, ascending that of the complement.

import type { DType } from "../../base/dtype.ts";
import { dtypeTable, isInteger, isUnsigned } from "../../base/dtype.ts";
import { ValueError } from "../../base/errors.ts";
import { NDArray } from "../../base/ndarray.ts";
import { convertToTensor, type TensorLike } from "../../graph/conversion.ts";
import type { Named } from "../../graph/op-definition.ts";
import { Tensor } from "../../graph/operation.ts";
import { staticValue } from "../../graph/static-value.ts";
import { collect } from "../arguments.ts";
import { constant, rank as rankOf, shape } from "./array.ts";
import { transpose } from "./rearranging.ts";
import { tensorScatterUpdate } from "./gather.ts";
import { range } from "./ranges.ts";
import { getItem, stack } from "./slicing.ts";
import { inNameScope } from "../named.ts";
import { topK } from "../nn/embedding.ts";
import * as operator from "../operators.ts";

interface SortOptions extends Named {
  readonly axis?: TensorLike;
  readonly direction?: "ASCENDING" | "DESCENDING";
  /** Accepted; the order of equal elements is always kept. */
  readonly stable?: boolean;
}

/** The elements sorted along an axis (the last). TF: tf.sort(values, axis, direction, name). @throws ValueError for another direction. */
export function sort(values: TensorLike, ...rest: unknown[]): Tensor {
  return sorted(values, collect<SortOptions>(["axis", "direction", "name"], rest), "sort", false);
}

/** The positions that sort along an axis (the last), int32. TF: tf.argsort(values, axis, direction, stable, name). */
export function argsort(values: TensorLike, ...rest: unknown[]): Tensor {
  return sorted(values, collect<SortOptions>(["axis", "direction", "stable", "name"], rest), "argsort", true);
}

function sorted(
  values: TensorLike,
  { axis = -1, direction = "ASCENDING", name }: Partial<SortOptions>,
  fallback: string,
  positions: boolean,
): Tensor {
  return inNameScope({ name }, fallback, [values], () => {
    if (direction !== "ASCENDING" && direction !== "DESCENDING")
      throw new ValueError(`Argument \`direction\` should be one of ASCENDING, DESCENDING. Received: direction=${direction}`);
    const at = convertToTensor(axis, { name: "axis", dtype: axis instanceof Tensor ? undefined : "int32" });
    const known = staticValue(at);
    if (known === undefined || known.rank !== 0) throw new ValueError(`Argument \`axis\` must be a constant scalar. Received: axis=${at}.`);
    const tensor = convertToTensor(values, { name: "values" });
    if (direction === "DESCENDING") return descending(tensor, Number(known.item()), positions);
    const complement = complementOf(tensor.dtype);
    const result = descending(complement(tensor), Number(known.item()), positions);
    return positions ? result : complement(result);
  });
}

/** What turns the order around, and undoes itself. */
function complementOf(dtype: DType): (x: Tensor) => Tensor {
  if (isUnsigned(dtype)) return x => operator.sub(NDArray.from(2n ** BigInt(8 * dtypeTable[dtype].bytes) - 1n, dtype), x);
  if (isInteger(dtype)) return x => operator.sub(operator.neg(x), 1);
  return x => operator.neg(x);
}

function descending(values: Tensor, axis: number, positions: boolean): Tensor {
  const count = getItem(shape(values), axis);
  // TensorFlow makes it whether it is read or not.
  const ranks = rankOf(values);
  const isLast = axis === -1 || axis + 1 === values.shape.rank;
  const order = isLast ? null : orderOf(values.shape.rank, ranks, axis);
  const { values: greatest, indices } = topK(order ? transpose(values, order) : values, count);
  const result = positions ? indices : greatest;
  return order ? transpose(result, order) : result;
}

/** All axes with `axis` and the last exchanged, where the rank is only known while running as well. */
function orderOf(rank: number | null, ranks: Tensor, axis: number): Tensor {
  if (rank !== null) return constant(exchanged(axis < 0 ? axis + rank : axis, rank), "int32", [rank], "transposition");
  const at = axis < 0 ? operator.add(axis, ranks) : constant(axis, "int32");
  const last = operator.sub(ranks, 1);
  return tensorScatterUpdate(range(ranks), stack([stack([at]), stack([last])]), stack([last, at]));
}

/** All axes with `axis` and the last exchanged. */
const exchanged = (axis: number, rank: number): number[] =>
  Array.from({ length: rank }, (_, k) => (k === axis ? rank - 1 : k === rank - 1 ? axis : k));
