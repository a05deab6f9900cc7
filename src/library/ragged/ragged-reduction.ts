// Sums, extremes and the like over dimensions of ragged tensors, and over segments of their rows. TF: ops/ragged/ragged_math_ops.

import { ValueError } from "../../base/errors.ts";
import { NDArray, type NestedArray } from "../../base/ndarray.ts";
import type { Callable } from "../../graph/composite.ts";
import { getDefaultGraph } from "../../graph/default-graph.ts";
import type { TensorLike } from "../../graph/conversion.ts";
import type { Named } from "../../graph/op-definition.ts";
import { Tensor } from "../../graph/operation.ts";
import { constantValue } from "../../graph/shape-inference.ts";
import { collect } from "../../ops/arguments.ts";
import { expandDims, onesLike, shape as shapeOf, zeros } from "../../ops/array/array.ts";
import { gather } from "../../ops/array/gather.ts";
import { booleanMask } from "../../ops/array/selection.ts";
import { concat, getItem } from "../../ops/array/slicing.ts";
import { assertEqual } from "../../ops/flow/check.ts";
import { exp, sqrt, square } from "../../ops/math/functions.ts";
import { cast } from "../../ops/math/cast.ts";
import { divide, maximum, subtract } from "../../ops/math/math.ts";
import { cumsum, type ReduceOptions, reduceMax, reduceMin, reduceProd, reduceSum } from "../../ops/math/reduction.ts";
import { unsortedSegmentMax, unsortedSegmentMin, unsortedSegmentProd, unsortedSegmentSum } from "../../ops/math/segment.ts";
import { inNameScope, type NameOption, named } from "../../ops/named.ts";
import { add, sub, truediv } from "../../ops/operators.ts";
import { reduceJoin } from "../../ops/string/string.ts";
import { unsortedSegmentJoin } from "../../ops/string/unicode.ts";
import { binary, converted, isRagged, matchSplits, type Ragged, type RaggedLike, unary } from "./ragged-elementwise.ts";
import { RaggedTensor } from "./ragged-tensor.ts";
import { positive } from "./axes.ts";
import { range } from "./ragged-functions.ts";
import { segmentIdsOf } from "./row-partition.ts";

// ---- segments ----

type Segments = typeof unsortedSegmentSum;

/** Rows of one id put together element by element: their lengths may differ. */
function bySegment(op: Segments, given: RaggedLike, ids: RaggedLike, count: TensorLike, name?: Named["name"]): Ragged {
  if (!isRagged(given) && !isRagged(ids)) return op(given, ids, count, { name });
  return inNameScope({ name }, "RaggedSegment", [given, ids, count], () => {
    const data = converted(given, { name: "data" });
    const segments = converted(ids, { name: "segment_ids", preferredDtype: "int32" });
    matchSplits(data, segments);
    if (segments.dtype !== "int32" && segments.dtype !== "int64") throw new ValueError("segment_ids must have dtype int32 or int64.");
    if (isRagged(segments)) {
      if (!isRagged(data))
        throw new ValueError("segment_ids.shape must be a prefix of data.shape, but segment_ids is ragged and data is not.");
      const message = "segment_ids.shape must be a prefix of data.shape";
      const isPrefix = assertEqual(segments.rowSplits, data.rowSplits, { message });
      return getDefaultGraph().controlDependencies([isPrefix], () => bySegment(op, data.values, segments.values, count));
    }
    const { rowSplits, values } = data as RaggedTensor;
    const lengths = sub(getItem(rowSplits, [1, null]), getItem(rowSplits, [null, -1]));
    const zero = (lengths.dtype === "int64" ? 0n : 0) as number;
    const most = maximum(unsortedSegmentMax(lengths, segments, count), zero);
    const splits = concat([zeros([1], most.dtype), cumsum(most)], 0);
    const from = gather(splits, segments);
    const places = range(from, { limits: add(from, lengths) }).values;
    return RaggedTensor.fromRowSplits(bySegment(op, values, places, getItem(splits, -1)), splits, { validate: false });
  });
}

type SegmentAnswer = (plain: Callable, data: RaggedLike, ids: RaggedLike, count: TensorLike, options?: NameOption) => Ragged;

const segments =
  (op: Segments, fallback: string): SegmentAnswer =>
  (_, data, ids, count, options) =>
    bySegment(op, data, ids, count, named(options).name ?? fallback);

const dividedSegments =
  (fallback: string, divisor: (count: Tensor) => Tensor): SegmentAnswer =>
  (_, data, ids, count, options) =>
    inNameScope(options, fallback, [data, ids, count], () => {
      const sums = (values: RaggedLike): Ragged => bySegment(unsortedSegmentSum, values, ids, count, "RaggedSegmentSum");
      const total = sums(data);
      const number = sums(onesIn(data as RaggedTensor));
      const quotient = truediv(flat(total), divisor(flat(number)));
      return isRagged(total) ? total.withFlatValues(quotient) : quotient;
    });

const flat = (value: Ragged): Tensor => (isRagged(value) ? value.flatValues : value);
const onesIn = (like: RaggedTensor): RaggedTensor =>
  RaggedTensor.fromNestedRowSplits(onesLike(like.flatValues), like.nestedRowSplits, { validate: false });

export const raggedSegments = {
  sum: segments(unsortedSegmentSum, "RaggedSegmentSum"),
  prod: segments(unsortedSegmentProd, "RaggedSegmentProd"),
  min: segments(unsortedSegmentMin, "RaggedSegmentMin"),
  max: segments(unsortedSegmentMax, "RaggedSegmentMax"),
  mean: dividedSegments("RaggedSegmentMean", count => count),
  sqrtN: dividedSegments("RaggedSegmentSqrtN", count => sqrt(count)),
};

// ---- reductions ----

interface Kind {
  readonly reduce: typeof reduceSum;
  readonly segments: Segments;
  readonly name: string;
}
const sum: Kind = { reduce: reduceSum, segments: unsortedSegmentSum, name: "RaggedReduceSum" };
const product: Kind = { reduce: reduceProd, segments: unsortedSegmentProd, name: "RaggedReduceProd" };

interface Over {
  readonly axis: unknown;
  readonly keepdims: boolean;
  readonly name?: Named["name"];
}

function over(rest: readonly unknown[]): Over {
  const given = collect<ReduceOptions>(["axis", "keepdims", "name", "reductionIndices", "keepDims"], rest);
  return {
    axis: knownAxis(given.axis ?? given.reductionIndices ?? null),
    keepdims: given.keepdims ?? given.keepDims ?? false,
    name: given.name,
  };
}

function knownAxis(axis: unknown): unknown {
  if (!(axis instanceof Tensor)) return axis instanceof NDArray ? (axis.toArray() as NestedArray) : axis;
  const known = constantValue(axis);
  if (known === undefined) throw new ValueError("axis must be known at graph construction time.");
  return known.toArray();
}

function reduce(kind: Kind, input: Ragged, { axis, keepdims, name }: Over): Ragged {
  if (!isRagged(input)) return kind.reduce(input, axis as number, { keepdims, name });
  if (axis === null) {
    const result = kind.reduce(input.flatValues, null, { keepdims, name });
    const more = keepdims ? (input.shape.rank ?? 1) - 1 : 0;
    return Array.from({ length: more }).reduce<Tensor>(value => expandDims(value, 0), result);
  }
  return inNameScope({ name }, "RaggedReduce", [input, axis], () => {
    if (Array.isArray(axis)) {
      const list = axis.map(Number);
      if (list.length === 0) return input;
      if (list.length > 1) {
        const sorted = list.map((one, i) => positive(one, input.shape.rank, `axis[${i}]`, "rank(input_tensor)")).sort((a, b) => a - b);
        const inner = reduce(kind, input, { axis: sorted.at(-1), keepdims });
        return reduce(kind, inner, { axis: sorted.slice(0, -1), keepdims });
      }
    }
    const at = positive(Number(Array.isArray(axis) ? axis[0] : axis), input.shape.rank, "axis", "rank(input_tensor)");
    if (at > 1) return input.withValues(reduce(kind, input.values, { axis: at - 1, keepdims }));
    const { rowSplits: splits } = input;
    const counted = (): [TensorLike, Tensor] => {
      if (at === 1) return [sub(getItem(shapeOf(splits), 0), 1), segmentIdsOf(splits)];
      const lengths = sub(getItem(splits, [1, null]), getItem(splits, [null, -1]));
      return [maximum(reduceMax(lengths), (lengths.dtype === "int64" ? 0n : 0) as number), range(lengths).values as Tensor];
    };
    const [count, ids] = counted();
    const result = bySegment(kind.segments, input.values, ids, count);
    return keepdims ? widened(result, at) : result;
  });
}

/** With a dimension of size 1, as expandDims gives it. */
function widened(value: Ragged, axis: number): Ragged {
  if (!isRagged(value)) return expandDims(value, axis);
  return inNameScope({}, "RaggedExpandDims", [value], () => expanded(value, axis));
}

/** With a dimension of size 1 at an axis that is not negative. */
export function expanded(value: RaggedTensor, axis: number): RaggedTensor {
  if (axis === 0) return RaggedTensor.fromUniformRowLength(value, value.nrows(), { nrows: 1, validate: false });
  if (axis === 1) return RaggedTensor.fromUniformRowLength(value, 1, { nrows: value.nrows(), validate: false });
  return value.withValues(isRagged(value.values) ? widened(value.values, axis - 1) : expandDims(value.values, axis - 1));
}

type Answer = (plain: Callable, input: Ragged, ...rest: readonly unknown[]) => Ragged;
const reducer =
  (kind: Kind): Answer =>
  (_, input, ...rest) => {
    const { name, ...given } = over(rest);
    return reduce(kind, input, { ...given, name: name ?? kind.name });
  };

const sumOf = (input: Ragged, given: Over): Ragged => reduce(sum, input, { ...given, name: isRagged(input) ? sum.name : undefined });

function mean(input: Ragged, { name, ...given }: Over): Ragged {
  return inNameScope({ name }, "RaggedReduceMean", [input], () => {
    const total = sumOf(input, given);
    const count = sumOf(isRagged(input) ? onesIn(input) : onesLike(input), given);
    if (!isRagged(total)) return truediv(total, count as Tensor);
    return RaggedTensor.fromNestedRowSplits(truediv(total.flatValues, flat(count)), total.nestedRowSplits, { validate: false });
  });
}

/** Two arguments, or one, of which any may be ragged. */
const apply = (plain: Callable, ...given: readonly [RaggedLike, RaggedLike?]): Ragged => {
  if (!given.some(isRagged)) return plain(...given) as Tensor;
  return given.length === 1 ? unary(plain, given[0] as RaggedTensor) : binary(plain, given[0], given[1] as RaggedLike);
};

function variance(input: RaggedTensor, { name, ...given }: Over): Ragged {
  return inNameScope({ name }, "RaggedReduceVariance", [input], () => {
    if (/complex/.test(input.dtype)) throw new ValueError("reduce_variance is not supported for RaggedTensors with complex dtypes.");
    const meanOfSquares = mean(unary(square, input), given);
    const average = mean(input, given);
    const squareOfMean = apply(square, average);
    const difference = isRagged(meanOfSquares) ? binary(subtract, meanOfSquares, squareOfMean) : sub(meanOfSquares, squareOfMean as Tensor);
    return apply(maximum, difference, 0);
  });
}

/** Logical reductions are those of 0 and 1. */
const logical =
  (kind: Kind, fallback: string): Answer =>
  (_, input, ...rest) => {
    const { name, ...given } = over(rest);
    const casted = (value: Ragged, type: "int32" | "bool"): Ragged => (isRagged(value) ? unary(cast, value, type) : cast(value, type));
    return inNameScope({ name }, fallback, [input], () =>
      casted(reduce(kind, casted(input, "int32"), { ...given, name: kind.name }), "bool"),
    );
  };

export const raggedReductions = {
  sum: reducer(sum),
  prod: reducer(product),
  min: reducer({ reduce: reduceMin, segments: unsortedSegmentMin, name: "RaggedReduceMin" }),
  max: reducer({ reduce: reduceMax, segments: unsortedSegmentMax, name: "RaggedReduceMax" }),
  mean: (_: Callable, input: Ragged, ...rest: readonly unknown[]): Ragged => mean(input, over(rest)),
  variance: (_: Callable, input: RaggedTensor, ...rest: readonly unknown[]): Ragged => variance(input, over(rest)),
  std: (_: Callable, input: RaggedTensor, ...rest: readonly unknown[]): Ragged => {
    const { name, ...given } = over(rest);
    return inNameScope({ name }, "RaggedReduceStd", [input], () => apply(sqrt, variance(input, given)));
  },
  all: logical(product, "RaggedReduceAll"),
  any: logical(sum, "RaggedReduceAny"),
};

/** The same numbers as of dense rows, each row by itself. */
export function raggedSoftmax(_: Callable, logits: RaggedTensor, ...rest: readonly unknown[]): Ragged {
  const { axis, dim, name } = collect<Named & { axis: number | null; dim: number | null }>(["axis", "name", "dim"], rest);
  const given = { axis: axis ?? dim ?? -1, keepdims: true };
  return inNameScope({ name }, "RaggedSoftmax", [logits], () => {
    const most = reduce({ reduce: reduceMax, segments: unsortedSegmentMax, name: "" }, logits, { ...given, name: "RaggedReduceMax" });
    const powers = unary(exp, binary(subtract, logits, most));
    return binary(divide, powers, reduce(sum, powers, { ...given, name: sum.name }));
  });
}

/** Running sums along an axis, each row by itself. TF: tf.cumsum of ragged tensors. */
export function raggedCumsum(_: Callable, x: RaggedTensor, ...rest: readonly unknown[]): Ragged {
  interface Options extends Named {
    readonly axis: number;
    readonly exclusive: boolean;
    readonly reverse: boolean;
  }
  const { axis = 0, exclusive = false, reverse = false, name } = collect<Options>(["axis", "exclusive", "reverse", "name"], rest);
  return inNameScope({ name }, "RaggedCumSum", [x], () => {
    const at = positive(axis, x.shape.rank, "axis", "rank");
    if (at > x.raggedRank) return unary(cumsum, x, { axis: at - x.raggedRank, exclusive, reverse });
    if (at < x.raggedRank) {
      const sums = cumsum(x.toTensor(), at, { exclusive, reverse, name });
      return x.withFlatValues(booleanMask(sums, cast(onesIn(x).toTensor(), "bool")));
    }
    const last = x.partitions.at(-1) as RaggedTensor["partition"];
    const values = x.flatValues;
    const before = (): Tensor => {
      const ids = last.valueRowids();
      const edge = reverse ? sub(gather(last.rowSplits, add(ids, 1)), 1) : gather(last.rowSplits, ids);
      const sums = cumsum(values, { exclusive: true, reverse });
      return sub(sums, gather(sums, edge));
    };
    return x.withFlatValues(exclusive ? before() : add(before(), values));
  });
}

/** Strings joined along axes. TF: tf.strings.reduce_join of ragged tensors. */
export function raggedReduceJoin(_: Callable, inputs: RaggedTensor, ...rest: readonly unknown[]): Ragged {
  interface Options extends ReduceOptions {
    readonly separator?: string | null;
  }
  const order = ["axis", "keepDims", "separator", "name", "reductionIndices", "keepdims"];
  const { separator, ...given } = collect<Options>(order, rest);
  const joined = { separator: separator ?? "" };
  const kind: Kind = {
    reduce: ((x: Tensor, axis: number | null, options: object) => reduceJoin(x, axis, { ...options, ...joined })) as Kind["reduce"],
    segments: (x, ids, count, options) => unsortedSegmentJoin(x, ids, count, { ...named(options), ...joined }),
    name: "RaggedSegmentJoin",
  };
  const { name, ...axes } = over([given]);
  return reduce(kind, inputs, { ...axes, name: name ?? kind.name });
}
