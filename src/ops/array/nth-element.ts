// The n-th and the best of rows, beside nn/embedding.ts's top-k.

import type { DType } from "../../base/dtype.ts";
import { InvalidArgumentError, UnimplementedError, ValueError } from "../../base/errors.ts";
import { TensorShape } from "../../base/shape.ts";
import * as attr from "../../graph/attributes.ts";
import { convertToTensor, type TensorLike } from "../../graph/conversion.ts";
import { defineOp, type Gradients, type ShapeContext } from "../../graph/op-definition.ts";
import { Tensor } from "../../graph/operation.ts";
import * as ir from "../../ir/build.ts";
import type { Value } from "../../ir/program.ts";
import { loadScalar } from "../../ir/scalar.ts";
import { constantIndex } from "../../ir/index-map.ts";
import { collect, need } from "../arguments.ts";
import { expandDims } from "./array.ts";
import { transpose } from "./rearranging.ts";
import { cast } from "../math/cast.ts";
import { divide } from "../math/math.ts";
import { equal } from "../math/comparison.ts";
import { reduceSum } from "../math/reduction.ts";
import { spreadToChosen } from "../nn/embedding.ts";
import * as operator from "../operators.ts";

function nthShape(input: TensorShape, n: TensorShape, context: ShapeContext): TensorShape {
  input.withRankAtLeast(1);
  const place = context.scalarSize("n");
  if (input.dims === null) return TensorShape.unknown();
  const last = input.dims[input.dims.length - 1];
  if (place !== null && last !== null && last <= place)
    throw new ValueError(`Input must have last dimension > n = ${place} but is ${last}`);
  return input.slice(0, -1);
}

/** The n-th smallest element of each row, or the n-th largest. */
export const NthElement = defineOp("NthElement", {
  inputs: { input: "T", n: "int32" },
  outputs: { values: "T" },
  attrs: { reverse: attr.bool(false), T: attr.type(attr.realNumbers) },
  checks: ({ input, n }) => {
    need(n.length === 0, () => `N must be scalar but has rank ${n.length}`);
    need(input.length >= 1, () => `Input must be at least rank 1 but is rank ${input.length}`);
  },
  compileTimeInputs: ["n"],
  shape: ({ input, n }, context) => nthShape(input, n, context),
  gradient: ({ input, values }, d): Gradients => {
    const isChosen = cast(equal(expandDims(values, -1), input), d.values.dtype);
    const share = divide(isChosen, expandDims(reduceSum(isChosen, -1), -1));
    return { input: operator.mul(share, expandDims(d.values, -1)) };
  },
  lower: ({ input, n, reverse }) => {
    const place = Number(n.get(0));
    const size = input.shape[input.shape.length - 1];
    if (place < 0) throw new InvalidArgumentError(`n must be non-negative but is ${place}`);
    if (place >= size) throw new InvalidArgumentError(`Input must have last dimension > n = ${place}`);
    const { values } = ir.sort(input, place + 1, reverse);
    return ir.generate(values.shape.slice(0, -1), i => loadScalar(values, [...i, constantIndex(place)]));
  },
});

const approximateTypes = ["float16", "bfloat16", "float32"] as const satisfies readonly DType[];

const axisOf = (axis: number, rank: number): number => (axis < 0 ? axis + rank : axis);

/** The axes with the given one last; its own inverse. */
const withLast = (axis: number, rank: number): number[] =>
  Array.from({ length: rank }, (_, k) => (k === axis ? rank - 1 : k === rank - 1 ? axis : k));

/** The k largest or smallest along an axis. TensorFlow may miss some of them on purpose, on accelerators; here (as on its CPUs) none are. */
export const ApproxTopK = defineOp("ApproxTopK", {
  inputs: { input: "T" },
  outputs: { values: "T", indices: "int32" },
  attrs: {
    k: attr.int(undefined, 0),
    reductionDimension: attr.int(-1),
    recallTarget: attr.float(0.95),
    isMaxK: attr.bool(true),
    reductionInputSizeOverride: attr.int(-1),
    aggregateToTopk: attr.bool(true),
    T: attr.type(approximateTypes),
  },
  shape: ({ input, k, reductionDimension, recallTarget }) => {
    const { dims } = input.withRankAtLeast(1);
    const length = dims?.length ?? -1;
    const axis = axisOf(reductionDimension, length);
    if (dims === null || axis < 0 || axis >= length)
      throw new ValueError(`Invalid reduction dimension: ${reductionDimension}. Must be within the range of [${-length}, ${length - 1}]`);
    if (recallTarget <= 0 || recallTarget > 1)
      throw new ValueError(`Invalid recall target: ${recallTarget}. Valid value range in : [0, 1.0].`);
    const size = dims[axis] ?? -1;
    if (size < k) throw new ValueError(`input must have last dimension >= k = ${k} but was ${size}`);
    const shape = new TensorShape(dims.map((d, at) => (at === axis ? k : d)));
    return [shape, shape];
  },
  gradient: ({ input, indices, reductionDimension }, d): Gradients => {
    const rank = input.shape.rank;
    if (rank === null) throw new ValueError("ApproxTopK's gradient needs the rank of its input.");
    const order = withLast(axisOf(reductionDimension, rank), rank);
    const spread = spreadToChosen(transpose(input, order), transpose(indices, order), transpose(d.values, order));
    return { input: transpose(spread, order) };
  },
  lower: ({ input, k, reductionDimension, isMaxK, aggregateToTopk }) => {
    if (!aggregateToTopk) throw new UnimplementedError("ApproxTopK without aggregate_to_topk is not supported.");
    const rank = input.shape.length;
    const order = withLast(axisOf(reductionDimension, rank), rank);
    const turned = (value: Value): Value => ir.transpose(value, order);
    const { values, indices } = ir.sort(turned(input), k, isMaxK);
    return [turned(values), turned(indices)];
  },
});

interface ApproxOptions {
  readonly k?: number;
  readonly reductionDimension?: number;
  readonly recallTarget?: number;
  readonly reductionInputSizeOverride?: number;
  readonly aggregateToTopk?: boolean;
  readonly name?: string | null;
}

function approximate(operand: TensorLike, isMaxK: boolean, rest: unknown[]): readonly [values: Tensor, indices: Tensor] {
  const names = ["k", "reductionDimension", "recallTarget", "reductionInputSizeOverride", "aggregateToTopk", "name"];
  const { name, ...options } = collect<ApproxOptions>(names, rest);
  const input = operand instanceof Tensor ? operand : convertToTensor(operand);
  const { values, indices } = ApproxTopK({ input, isMaxK, ...options }, { name });
  return [values, indices];
}

/** The k largest values along an axis, and their places. TF: tf.math.approx_max_k(operand, k, reduction_dimension, recall_target,
 *  reduction_input_size_override, aggregate_to_topk, name). */
export const approxMaxK = (operand: TensorLike, ...rest: unknown[]): readonly [values: Tensor, indices: Tensor] =>
  approximate(operand, true, rest);

interface ApproxTopKOptions extends Omit<ApproxOptions, "k"> {
  /** The largest, or the smallest. */
  readonly isMaxK?: boolean;
}

/** The k largest (or smallest) values along an axis, and their places. TF: tf.approx_top_k. */
export const approxTopK = (
  input: TensorLike,
  k: number,
  { name, ...options }: ApproxTopKOptions = {},
): { values: Tensor; indices: Tensor } => ApproxTopK({ input: convertToTensor(input), k, ...options }, { name });

/** The k smallest values along an axis, and their places. TF: tf.math.approx_min_k. */
export const approxMinK = (operand: TensorLike, ...rest: unknown[]): readonly [values: Tensor, indices: Tensor] =>
  approximate(operand, false, rest);
