// Making tensors larger: padding, mirroring, tiling, broadcasting; and what broadcasting means for gradients.

import { InvalidArgumentError, ValueError, UnimplementedError } from "../../base/errors.ts";
import { NDArray } from "../../base/ndarray.ts";
import type { Dimension } from "../../base/shape.ts";
import { broadcastShapes, TensorShape } from "../../base/shape.ts";
import * as attr from "../../graph/attributes.ts";
import type { TensorLike } from "../../graph/conversion.ts";
import { defineOp, type Gradients, type Named, type ShapeContext } from "../../graph/op-definition.ts";
import type { Tensor } from "../../graph/operation.ts";
import { staticValue } from "../../graph/static-value.ts";
import * as ir from "../../ir/build.ts";
import { addIndex, constantIndex, type Index, scaleIndex } from "../../ir/index-map.ts";
import type { Value } from "../../ir/program.ts";
import type { Scalar } from "../../ir/scalar.ts";
import { s } from "../../ir/scalar.ts";
import { collect, need } from "../arguments.ts";
import { constant, numbersOf, rank, reshape, shape, size } from "./array.ts";
import { range } from "./ranges.ts";
import { transpose } from "./rearranging.ts";
import { slice, stack } from "./slicing.ts";
import { reduceSum } from "../math/reduction.ts";
import { named, type NameOption } from "../named.ts";

// ---- broadcasting ----

export const BroadcastTo = defineOp("BroadcastTo", {
  inputs: { input: "T", shape: "Tidx" },
  outputs: { output: "T" },
  attrs: { T: attr.type(), Tidx: attr.type(attr.indexTypes, "int32") },
  shape: ({ input }, context) => {
    const to = context.shapeFrom("shape");
    if (input.dims === null || to.dims === null) return to;
    const { dims } = input.withRankAtMost(to.dims.length);
    const extra = to.dims.length - (dims as readonly Dimension[]).length;
    return new TensorShape(
      to.dims.map((wanted, i) => {
        const given = dims?.[i - extra] ?? 0;
        if (given <= 1) return wanted;
        if (wanted !== null && wanted !== given) throw new ValueError(`Dimensions must be equal, but are ${given} and ${wanted}`);
        return given;
      }),
    );
  },
  isLenient: true,
  checks: ({ input, shape: to }) => {
    need(to.length === 1, () => `shape must be a vector of {int32,int64}, got shape [${to}]`);
    need(input.length <= to[0], () => `Rank of input (${input.length}) must be no greater than rank of output shape (${to[0]}).`);
  },
  gradient: ({ input, shape: to }, d): Gradients => {
    const inputShape = shape(input, { outType: to.dtype });
    const known = staticValue(to);
    const { r1 } = BroadcastGradientArgs({ s0: known ? constant(known, to.dtype) : to, s1: inputShape });
    return { input: reshape(reduceSum(d.output, r1, { keepdims: true }), inputShape) };
  },
  compileTimeInputs: ["shape"],
  simplify: ({ input, output }) => (input.shape.isFullyDefined && input.shape.equals(output.shape) ? input : undefined),
  lower: ({ input, shape: to }) => {
    const dims = numbersOf(to);
    for (const size of dims) need(size >= 0, () => `Dimension ${size} must be >= 0`);
    const from = dims.length - input.shape.length;
    if (from < 0 || input.shape.some((d, i) => d !== 1 && d !== dims[from + i]))
      throw new InvalidArgumentError(`Incompatible shapes: [${input.shape.join(",")}] vs. [${dims.join(",")}]`);
    return ir.broadcastTo(input, dims);
  },
});

/** The shape two shapes broadcast to, as numbers. @throws InvalidArgumentError if they do not. */
function broadcastNumbers(a: readonly number[], b: readonly number[]): number[] {
  const [x, y] = [[...a].reverse(), [...b].reverse()];
  return Array.from({ length: Math.max(x.length, y.length) }, (_, i) => {
    const [d, e] = [x[i] ?? 1, y[i] ?? 1];
    if (d !== e && d !== 1 && e !== 1) throw new InvalidArgumentError(`Incompatible shapes: [${a.join(",")}] vs. [${b.join(",")}]`);
    return d === 1 ? e : d;
  }).reverse();
}

export const BroadcastArgs = defineOp("BroadcastArgs", {
  inputs: { s0: "T", s1: "T" },
  outputs: { r0: "T" },
  attrs: { T: attr.type(attr.indexTypes, "int32") },
  shape: ({ s0, s1 }) => {
    const [m, n] = [s0.withRank(1).dim(0), s1.withRank(1).dim(0)];
    return new TensorShape([m === null || n === null ? null : Math.max(m, n)]);
  },
  checks: ({ s0, s1 }) => [s0, s1].forEach((sizes, i) => void need(sizes.length === 1, () => `In[${i}] must be a vector.[${sizes}]`)),
  gradient: "none",
  partial: ({ s0, s1 }) => {
    if (s0?.shape.length !== 1 || s1?.shape.length !== 1) return undefined;
    const { dims } = broadcastShapes(new TensorShape(s0.values), new TensorShape(s1.values));
    return dims === null ? undefined : { shape: [dims.length], values: dims };
  },
  compileTimeInputs: ["s0", "s1"],
  lower: ({ s0, s1, T }) => {
    const dims = broadcastNumbers(numbersOf(s0), numbersOf(s1));
    return ir.constant(NDArray.from(dims, T, [dims.length]));
  },
});

/** The axes over which gradients of each operand of a broadcast must be summed; where both dimensions are 1, both say so. */
export const BroadcastGradientArgs = defineOp("BroadcastGradientArgs", {
  inputs: { s0: "T", s1: "T" },
  outputs: { r0: "T", r1: "T" },
  attrs: { T: attr.type(attr.indexTypes, "int32") },
  shape: ({ s0, s1 }) => {
    s0.withRank(1);
    s1.withRank(1);
    return [new TensorShape([null]), new TensorShape([null])];
  },
  checks: ({ s0, s1 }) => [s0, s1].forEach((sizes, i) => void need(sizes.length === 1, () => `In[${i}] must be a vector.[${sizes}]`)),
  gradient: "none",
  partial: ({ s0, s1, outputIndex }) => {
    if (!s0 || !s1 || s0.values.includes(null) || s1.values.includes(null)) return undefined;
    const values = reductionAxes(s0.values as number[], s1.values as number[])[outputIndex];
    return { shape: [values.length], values };
  },
  compileTimeInputs: ["s0", "s1"],
  lower: ({ s0, s1, T }) => reductionAxes(numbersOf(s0), numbersOf(s1)).map(axes => ir.constant(NDArray.from(axes, T, [axes.length]))),
});

function reductionAxes(a: readonly number[], b: readonly number[]): [number[], number[]] {
  const result: [number[], number[]] = [[], []];
  if (a.join() === b.join()) return result;
  const length = broadcastNumbers(a, b).length;
  for (let axis = 0; axis < length; axis++) {
    const [d, e] = [a[axis - length + a.length] ?? 1, b[axis - length + b.length] ?? 1];
    if (d === 1) result[0].push(axis);
    if (e === 1) result[1].push(axis);
  }
  return result;
}

/** The tensor repeated to a shape that it broadcasts to. TF: tf.broadcast_to. */
export const broadcastTo = (input: TensorLike, shape: TensorLike, options?: NameOption): Tensor =>
  BroadcastTo({ input, shape }, named(options));
/** The shape that two shape vectors broadcast to. TF: tf.broadcast_dynamic_shape. */
export const broadcastDynamicShape = (shapeX: TensorLike, shapeY: TensorLike): Tensor => BroadcastArgs({ s0: shapeX, s1: shapeY });
/** The shape that two static shapes broadcast to. TF: tf.broadcast_static_shape. @throws ValueError if they do not. */
export function broadcastStaticShape(shapeX: TensorShape, shapeY: TensorShape): TensorShape {
  try {
    return broadcastShapes(new TensorShape(shapeX), new TensorShape(shapeY));
  } catch {
    throw new ValueError(`Incompatible shapes for broadcasting: ${shapeX} and ${shapeY}`);
  }
}

// ---- tiling ----

const multipliedShape = (input: TensorShape, context: ShapeContext): TensorShape => {
  const multiples = context.shapeFrom("multiples").dims;
  const count = multiples?.length ?? null;
  const known = count === null ? input : input.withRank(count);
  if (known.dims === null) return known;
  return new TensorShape(
    known.dims.map((d, axis) => {
      const by = multiples?.[axis] ?? null;
      if (d === 0 || by === 0) return 0;
      return d === null || by === null ? null : d * by;
    }),
  );
};

export const Tile = defineOp("Tile", {
  inputs: { input: "T", multiples: "Tmultiples" },
  outputs: { output: "T" },
  attrs: { T: attr.type(), Tmultiples: attr.type(attr.indexTypes, "int32") },
  shape: ({ input, multiples }, context) => {
    const length = multiples.withRank(1).dim(0);
    if (input.rank !== null && length !== null && input.rank !== length)
      throw new ValueError(`Shape must be rank ${input.rank} but is rank ${length}`);
    return multipliedShape(input, context);
  },
  checks: ({ input, multiples }) => {
    need(multiples.length === 1, () => `Expected multiples to be 1-D, but got shape [${multiples}]`);
    need(
      multiples[0] === input.length,
      () => `Expected multiples argument to be a vector of length ${input.length} but got length ${multiples[0]}`,
    );
  },
  gradient: ({ input, multiples }, d): Gradients => {
    // Each tiled axis becomes two, [multiple, size]; the first is summed.
    const inputShape = shape(input, { outType: multiples.dtype });
    const split = reshape(transpose(stack([multiples, inputShape])), [-1]);
    const axes = range(0, size(split), 2);
    const gradient = reduceSum(reshape(d.output, split), axes);
    gradient.setShape(input.shape);
    return { input: gradient };
  },
  compileTimeInputs: ["multiples"],
  simplify: ({ input, output }) =>
    input.shape.isFullyDefined && input.shape.equals(output.shape) && (input.shape.size ?? 0) > 0 ? input : undefined,
  partial: ({ input, multiples }) => {
    const by = multiples?.values[0];
    if (input?.shape.length !== 1 || by === null || by === undefined || input.values.length * by > 64) return undefined;
    const values = Array.from({ length: by }, () => input.values).flat();
    return { shape: [values.length], values };
  },
  lower: ({ input, multiples }) => {
    const by = numbersOf(multiples);
    if (by.length !== input.shape.length)
      throw new InvalidArgumentError(
        `Expected multiples argument to be a vector of length ${input.shape.length} but got length ${by.length}`,
      );
    const bad = by.findIndex(m => m < 0);
    if (bad >= 0) throw new InvalidArgumentError(`Expected multiples[${bad}] >= 0, but got ${by[bad]}`);
    return ir.tile(input, by);
  },
});

/** Sums what Tile repeated. */
export const TileGrad = defineOp("TileGrad", {
  inputs: { input: "T", multiples: "int32" },
  outputs: { output: "T" },
  attrs: { T: attr.type() },
  shape: ({ input }, context) => {
    const by = context.partial("multiples")?.values;
    return input.dims === null || !by
      ? input
      : new TensorShape(input.dims.map((d, axis) => (d === null || !by[axis] ? null : d / by[axis])));
  },
  compileTimeInputs: ["multiples"],
  lower: ({ input, multiples }) => {
    const by = numbersOf(multiples);
    const dims = input.shape.map((d, axis) => (by[axis] === 0 ? 0 : d / by[axis]));
    return ir.reduceOver("sum", dims, by, (i, r) =>
      s.load(
        input,
        i.map((index, axis) => addIndex(index, scaleIndex(r[axis], dims[axis]))),
      ),
    );
  },
});

/** The tensor repeated `multiples[k]` times along axis k. TF: tf.tile. */
export const tile = (input: TensorLike, multiples: TensorLike, options?: NameOption): Tensor => Tile({ input, multiples }, named(options));

// ---- padding ----

/** How much each axis grows: pairs [before, after] as far as known. */
export function paddedShape(input: TensorShape, paddings: TensorShape, context: ShapeContext): TensorShape {
  const table = paddings.withRank(2);
  const [rows, columns] = [table.dim(0), table.dim(1)];
  if (columns !== null && columns !== 2) throw new ValueError(`Dimension must be 2 but is ${columns}`);
  const amounts = context.constant("paddings");
  if (amounts === undefined) {
    if (rows !== null) return TensorShape.unknownOfRank((input.rank === null ? input : input.withRank(rows)).rank ?? rows);
    return input.rank === null ? TensorShape.unknown() : TensorShape.unknownOfRank(input.rank);
  }
  const { dims } = input.withRank(amounts.shape[0]);
  const numbers = numbersOf(amounts);
  return new TensorShape(
    (dims ?? []).map((d, axis) => {
      const [before, after] = numbers.slice(2 * axis, 2 * axis + 2);
      if (before < 0 || after < 0) throw new ValueError("Paddings must be non-negative");
      return d === null ? null : d + before + after;
    }),
  );
}

/** [before, after] of every axis. @throws InvalidArgumentError with the kernel's text. */
function pairsOf(
  paddings: NDArray,
  shape: readonly number[],
  refusal = (before: number, after: number) => `Paddings must be non-negative: ${before} ${after}`,
): { before: number[]; after: number[] } {
  if (paddings.shape[0] !== shape.length)
    throw new InvalidArgumentError(
      `The first dimension of paddings must be the rank of inputs[${paddings.shape.join(",")}] [${shape.join(",")}]`,
    );
  const numbers = numbersOf(paddings);
  const pairs = { before: numbers.filter((_, i) => i % 2 === 0), after: numbers.filter((_, i) => i % 2 === 1) };
  pairs.before.forEach((before, axis) => {
    if (before < 0 || pairs.after[axis] < 0) throw new InvalidArgumentError(refusal(before, pairs.after[axis]));
  });
  return pairs;
}

function padGradient(input: Tensor, paddings: Tensor, d: Tensor): Tensor {
  const before = slice(paddings, [0, 0], stack([rank(input), 1]));
  const begin = reshape(before, [-1]);
  return slice(d, begin, shape(input, { outType: begin.dtype }));
}

/** What the kernels of pads ask; those that mirror write a comma before the input's shape. */
function checkPaddings(input: readonly number[], paddings: readonly number[], comma: string): void {
  need(paddings.length === 2 && paddings[1] === 2, () => `paddings must be a matrix with 2 columns: [${paddings}]`);
  need(paddings[0] === input.length, () => `The first dimension of paddings must be the rank of inputs[${paddings}]${comma} [${input}]`);
}

export const Pad = defineOp("Pad", {
  inputs: { input: "T", paddings: "Tpaddings" },
  outputs: { output: "T" },
  attrs: { T: attr.type(), Tpaddings: attr.type(attr.indexTypes, "int32") },
  shape: ({ input, paddings }, context) => paddedShape(input, paddings, context),
  checks: ({ input, paddings }) => checkPaddings(input, paddings, ""),
  gradient: ({ input, paddings }, d): Gradients => ({ input: padGradient(input, paddings, d.output) }),
  compileTimeInputs: ["paddings"],
  lower: ({ input, paddings }) => {
    const { before, after } = pairsOf(paddings, input.shape);
    return ir.pad(input, before, after);
  },
});

export const PadV2 = defineOp("PadV2", {
  inputs: { input: "T", paddings: "Tpaddings", constantValues: "T" },
  outputs: { output: "T" },
  attrs: { T: attr.type(), Tpaddings: attr.type(attr.indexTypes, "int32") },
  shape: ({ input, paddings }, context) => paddedShape(input, paddings, context),
  checks: ({ input, paddings, constantValues }) => {
    checkPaddings(input, paddings, "");
    need(constantValues.length === 0, () => `constant_values must be a scalar. Found: [${constantValues}]`);
  },
  gradient: ({ input, paddings }, d): Gradients => ({ input: padGradient(input, paddings, d.output) }),
  compileTimeInputs: ["paddings"],
  lower: ({ input, paddings, constantValues }) => {
    const { before, after } = pairsOf(paddings, input.shape);
    return ir.pad(input, before, after, s.load(constantValues, []));
  },
});

/** How far from the edge the first mirrored element is: 1 leaves the edge itself out. */
const offsetOf = (mode: "REFLECT" | "SYMMETRIC"): 0 | 1 => (mode === "REFLECT" ? 1 : 0);

/** Where an axis of a mirrored tensor reads: three pieces, each running up or down. */
function mirrored(
  input: Value,
  i: readonly Index[],
  before: readonly number[],
  offset: 0 | 1,
  axis = 0,
  at: readonly Index[] = [],
): Scalar {
  if (axis === i.length) return s.load(input, at);
  const size = input.shape[axis];
  const inner = addIndex(i[axis], constantIndex(-before[axis]));
  const piece = (index: Index): Scalar => mirrored(input, i, before, offset, axis + 1, [...at, index]);
  const fromFront = addIndex(scaleIndex(inner, -1), constantIndex(offset - 1));
  const fromBack = addIndex(scaleIndex(inner, -1), constantIndex(2 * size - 1 - offset));
  const beforeOrInside = s.guard([{ index: inner, low: 0, high: size }], piece(inner), piece(fromBack));
  return before[axis] === 0 ? beforeOrInside : s.guard([{ index: inner, low: -before[axis], high: 0 }], piece(fromFront), beforeOrInside);
}

/** A tensor with what lies mirrored behind its edges. */
export function mirrorPadded(input: Value, before: readonly number[], after: readonly number[], mode: "REFLECT" | "SYMMETRIC"): Value {
  const dims = input.shape.map((d, axis) => d + before[axis] + after[axis]);
  return ir.generate(dims, i => mirrored(input, i, before, offsetOf(mode)));
}

export const MirrorPad = defineOp("MirrorPad", {
  inputs: { input: "T", paddings: "Tpaddings" },
  outputs: { output: "T" },
  attrs: { T: attr.type(), Tpaddings: attr.type(attr.indexTypes, "int32"), mode: attr.oneOf(["REFLECT", "SYMMETRIC"]) },
  shape: ({ input, paddings }, context) => paddedShape(input, paddings, context),
  isLenient: true,
  checks: ({ input, paddings }) => {
    need(input.length <= 5, () => `inputs rank not in [0,5]: ${input.length}`, UnimplementedError);
    checkPaddings(input, paddings, ",");
  },
  gradient: ({ paddings, mode }, d): Gradients => ({ input: MirrorPadGrad({ input: d.output, paddings, mode }) }),
  compileTimeInputs: ["paddings"],
  lower: ({ input, paddings, mode }) => {
    const { before, after } = pairsOf(paddings, input.shape, (low, high) => `paddings must be non-negative: ${low} ${high}`);
    const offset = offsetOf(mode);
    const most = input.shape.findIndex((d, axis) => before[axis] > d - offset || after[axis] > d - offset);
    if (most >= 0) {
      const rule = offset === 1 ? "paddings must be less than the dimension size" : "paddings must be no greater than the dimension size";
      throw new InvalidArgumentError(
        `${rule}: ${before[most]}, ${after[most]} ${offset === 1 ? "not less" : "greater"} than ${input.shape[most]}`,
      );
    }
    return mirrorPadded(input, before, after, mode);
  },
});

/** One axis of a mirrored gradient folded back: what was read twice adds up. */
function folded(input: Value, axis: number, before: number, after: number, offset: 0 | 1): Value {
  if (before === 0 && after === 0) return input;
  const dims = input.shape.map((d, k) => (k === axis ? d - before - after : d));
  const size = dims[axis];
  return ir.generate(dims, i => {
    const at = (index: Index): Scalar =>
      s.load(
        input,
        i.map((own, k) => (k === axis ? index : own)),
      );
    const none = s.constant(input.dtype, 0);
    const inner = addIndex(i[axis], constantIndex(before));
    const front = addIndex(scaleIndex(i[axis], -1), constantIndex(before + offset - 1));
    const back = addIndex(scaleIndex(i[axis], -1), constantIndex(before + 2 * size - 1 - offset));
    const fromFront = s.guard([{ index: i[axis], low: offset, high: before + offset }], at(front), none);
    const fromBack = s.guard([{ index: i[axis], low: size - after - offset, high: size - offset }], at(back), none);
    return s.add(s.add(at(inner), fromFront), fromBack);
  });
}

export const MirrorPadGrad = defineOp("MirrorPadGrad", {
  inputs: { input: "T", paddings: "Tpaddings" },
  outputs: { output: "T" },
  attrs: { T: attr.type(), Tpaddings: attr.type(attr.indexTypes, "int32"), mode: attr.oneOf(["REFLECT", "SYMMETRIC"]) },
  shape: ({ input, paddings }, context) => {
    const axes = paddings.withRank(2).dim(0);
    if (axes === null) return TensorShape.unknown();
    const { dims } = input.withRank(axes);
    paddings.mergeWith(new TensorShape([axes, 2]));
    const amounts = context.constant("paddings");
    if (dims === null || amounts === undefined) return TensorShape.unknownOfRank(axes);
    const numbers = numbersOf(amounts);
    if (numbers.some(amount => amount < 0)) throw new ValueError("Paddings must be non-negative");
    return new TensorShape(
      dims.map((d, axis) => {
        const cut = numbers[2 * axis] + numbers[2 * axis + 1];
        if (d !== null && cut > d) throw new ValueError(`Negative dimension size caused by subtracting ${cut} from ${d}`);
        return d === null ? null : d - cut;
      }),
    );
  },
  isLenient: true,
  checks: ({ input, paddings }) => {
    need(input.length <= 5, () => `inputs rank not in [0,5]: ${input.length}`, UnimplementedError);
    checkPaddings(input, paddings, "");
  },
  gradient: ({ paddings, mode }, d): Gradients => ({ input: MirrorPad({ input: d.output, paddings, mode }) }),
  compileTimeInputs: ["paddings"],
  lower: ({ input, paddings, mode }) => {
    const { before, after } = pairsOf(paddings, input.shape, (low, high) => `Paddings must be non-negative: ${low}, ${high}`);
    input.shape.forEach((size, axis) => {
      const [low, high] = [before[axis], after[axis]];
      const total = low + high;
      need(total < size, () => `Total paddings must be less than the input dimension size: ${total} was not less than ${size}`);
      const most = size - low - high - offsetOf(mode);
      need(
        low <= most && high <= most,
        () =>
          (offsetOf(mode) === 0 ? "paddings must be no greater" : "paddings must be less") +
          ` than the output dimension size: ${low}, ${high} ${offsetOf(mode) === 0 ? "greater than" : "not less than"} ${size - low - high}`,
      );
    });
    return input.shape.reduce((value, _, axis) => folded(value, axis, before[axis], after[axis], offsetOf(mode)), input);
  },
});

interface PadOptions extends Named {
  /** "CONSTANT" (the default), "REFLECT" (without the edge) or "SYMMETRIC" (with it); any case. */
  readonly mode?: string;
  readonly constantValues?: TensorLike;
}

/** The tensor surrounded by `paddings[k] = [before, after]` elements along axis k. TF: tf.pad(tensor, paddings, mode, name, constant_values).
 *  @throws ValueError for another mode, or a mirror larger than the tensor. */
export function pad(tensor: TensorLike, paddings: TensorLike, mode?: string, options?: NameOption): Tensor;
export function pad(tensor: TensorLike, paddings: TensorLike, options?: PadOptions): Tensor;
export function pad(tensor: TensorLike, paddings: TensorLike, ...rest: unknown[]): Tensor {
  const { mode = "CONSTANT", constantValues = 0, name } = collect<PadOptions>(["mode", "name", "constantValues"], rest);
  const kind = mode.toUpperCase();
  const record = { input: tensor, paddings };
  if (kind === "CONSTANT")
    return constantValues === 0 || constantValues === false ? Pad(record, { name }) : PadV2({ ...record, constantValues }, { name });
  if (kind === "REFLECT" || kind === "SYMMETRIC") return MirrorPad({ ...record, mode: kind }, { name });
  throw new ValueError(
    `Value of argument \`mode\` expected to be one of "CONSTANT", "REFLECT", or "SYMMETRIC". Received \`mode\` = ${kind}`,
  );
}
