// XLA's own operations as nodes, as graphs hold them that were exported from JAX (jax2tf) or through tf2xla: products and convolutions by dimension
// numbers, slices, pads, gathers. What calls a function of the graph's (reductions, scatters, sorts): xla-functions.ts. Their meaning: XLA's
// operation semantics. TensorFlow has gradients for XlaSharding and XlaEinsum alone.

import { InvalidArgumentError, UnimplementedError } from "../../base/errors.ts";
import { snakeOf } from "../../base/names.ts";
import type { NDArray } from "../../base/ndarray.ts";
import { type Dimension, TensorShape } from "../../base/shape.ts";
import * as attr from "../../graph/attributes.ts";
import { defineOp, type Gradients } from "../../graph/op-definition.ts";
import * as ir from "../../ir/build.ts";
import { addIndex, constantIndex, dataIndex, divIndex, type Index, modIndex, scaleIndex } from "../../ir/index-map.ts";
import type { Value } from "../../ir/program.ts";
import { s } from "../../ir/scalar.ts";
import { need } from "../arguments.ts";
import { numbersOf } from "../array/array.ts";
import { Einsum } from "../math/einsum.ts";
import { dimensionNumbers } from "./dimension-numbers.ts";

const unknown = (): TensorShape => TensorShape.unknown();
const indexAttr = attr.type(attr.indexTypes);

/** Where the program was cut over devices: here it is whole. */
export const XlaSharding = defineOp("XlaSharding", {
  inputs: { input: "T" },
  outputs: { output: "T" },
  attrs: { T: attr.type(), sharding: attr.string(""), unspecifiedDims: attr.ints([]) },
  isCopy: true,
  shape: ({ input }) => input,
  gradient: ({ sharding, unspecifiedDims }, d): Gradients => ({ input: XlaSharding({ input: d.output, sharding, unspecifiedDims }) }),
  lower: ({ input }) => input,
});

/** Nothing is moved over it; the values are the same. */
export const XlaOptimizationBarrier = defineOp("XlaOptimizationBarrier", {
  inputs: { input: "T" },
  outputs: { output: "T" },
  attrs: { T: attr.types(undefined, { minimum: 0 }) },
  shape: ({ input }) => input,
  lower: ({ input }) => input,
});

// ---- products ----

interface DotAxes {
  readonly contracted: readonly [left: readonly number[], right: readonly number[]];
  readonly batch: readonly [left: readonly number[], right: readonly number[]];
}

function dotAxes(text: string): DotAxes {
  const field = dimensionNumbers(text, "DotDimensionNumbers");
  return { contracted: [field(1), field(2)], batch: [field(3), field(4)] };
}

const freeAxes = (rank: number, used: readonly number[]): number[] =>
  Array.from({ length: rank }, (_, axis) => axis).filter(axis => !used.includes(axis));

/** What neither sums nor goes together, of both sides. */
function freeOf(ranks: readonly [number, number], { contracted, batch }: DotAxes): readonly [number[], number[]] {
  const free = (side: 0 | 1): number[] => freeAxes(ranks[side], [...contracted[side], ...batch[side]]);
  return [free(0), free(1)];
}

function dotShape(lhs: TensorShape, rhs: TensorShape, text: string): TensorShape {
  if (lhs.dims === null || rhs.dims === null) return unknown();
  const axes = dotAxes(text);
  const [left, right] = freeOf([lhs.dims.length, rhs.dims.length], axes);
  return new TensorShape([
    ...axes.batch[0].map(axis => lhs.dim(axis)),
    ...left.map(axis => lhs.dim(axis)),
    ...right.map(axis => rhs.dim(axis)),
  ]);
}

function dot(lhs: Value, rhs: Value, text: string): Value {
  const axes = dotAxes(text);
  const { contracted, batch } = axes;
  need(contracted[0].length === contracted[1].length, () => "Must specify the same number of contracting dimensions for lhs and rhs.");
  const agree = ([left, right]: DotAxes["batch"]): boolean => left.every((axis, k) => lhs.shape[axis] === rhs.shape[right[k]]);
  need(agree(batch), () => "Batch dimension sizes must match.");
  need(agree(contracted), () => "Contracting dimension sizes are not compatible.");
  const free = freeOf([lhs.shape.length, rhs.shape.length], axes);
  const shape = [
    ...batch[0].map(axis => lhs.shape[axis]),
    ...free[0].map(axis => lhs.shape[axis]),
    ...free[1].map(axis => rhs.shape[axis]),
  ];
  const over = contracted[0].map(axis => lhs.shape[axis]);
  return ir.contract(shape, over, (i, r) => {
    const at = (side: 0 | 1): Index[] =>
      [lhs, rhs][side].shape.map((_, axis) => {
        const k = contracted[side].indexOf(axis);
        if (k >= 0) return r[k];
        const together = batch[side].indexOf(axis);
        if (together >= 0) return i[together];
        return i[batch[0].length + (side === 1 ? free[0].length : 0) + free[side].indexOf(axis)];
      });
    return [ir.operand(lhs, at(0)), ir.operand(rhs, at(1))];
  });
}

export const XlaDot = defineOp("XlaDot", {
  inputs: { lhs: "T", rhs: "T" },
  outputs: { output: "T" },
  attrs: { T: attr.type(attr.numbers), dimensionNumbers: attr.string(), precisionConfig: attr.string() },
  shape: ({ lhs, rhs, dimensionNumbers: text }) => dotShape(lhs, rhs, text),
  lower: ({ lhs, rhs, dimensionNumbers: text }) => dot(lhs, rhs, text),
});

/** A product of two types in a third. */
export const XlaDotV2 = defineOp("XlaDotV2", {
  inputs: { lhs: "LhsT", rhs: "RhsT" },
  outputs: { output: "preferredElementType" },
  attrs: {
    LhsT: attr.type(attr.numbers),
    RhsT: attr.type(attr.numbers),
    dimensionNumbers: attr.string(),
    precisionConfig: attr.string(),
    preferredElementType: attr.type(attr.numbers),
  },
  shape: ({ lhs, rhs, dimensionNumbers: text }) => dotShape(lhs, rhs, text),
  lower: ({ lhs, rhs, dimensionNumbers: text, preferredElementType: dtype }) => dot(ir.cast(lhs, dtype), ir.cast(rhs, dtype), text),
});

/** A sum of products by an equation. */
export const XlaEinsum = defineOp("XlaEinsum", {
  inputs: { a: "T", b: "T" },
  outputs: { product: "T" },
  attrs: { equation: attr.string(), T: attr.type(["complex64", "bfloat16", "float32"]) },
  // As TensorFlow's, without a conjugate of complex factors.
  gradient: ({ a, b, equation }, d): Gradients => {
    const [given, output] = equation.split("->");
    const [left, right] = given.split(",");
    return {
      a: XlaEinsum({ a: d.product, b, equation: `${output},${right}->${left}` }),
      b: XlaEinsum({ a: d.product, b: a, equation: `${output},${left}->${right}` }),
    };
  },
  shape: ({ a, b, equation, T }, context) => Einsum.shape({ inputs: [a, b], equation, N: 2, T }, context),
  lower: ({ a, b, equation, T }, context) => Einsum.lower?.({ inputs: [a, b], equation, N: 2, T }, context),
});

// ---- convolutions ----

interface ConvGiven {
  readonly lhs: Value;
  readonly rhs: Value;
  readonly windowStrides: NDArray;
  readonly padding: NDArray;
  readonly lhsDilation: NDArray;
  readonly rhsDilation: NDArray;
  readonly featureGroupCount: NDArray;
}

/** Zeros between the elements along some axes. */
function dilated(value: Value, steps: readonly number[]): Value {
  if (steps.every(step => step === 1)) return value;
  const shape = value.shape.map((size, axis) => (size === 0 ? 0 : (size - 1) * steps[axis] + 1));
  return ir.generate(shape, i => {
    const bounds = i.flatMap((index, axis) => (steps[axis] === 1 ? [] : [{ index: modIndex(index, steps[axis]), low: 0, high: 1 }]));
    const at = i.map((index, axis) => (shape[axis] <= 1 ? constantIndex(0) : divIndex(index, steps[axis])));
    return s.guard(bounds, s.load(value, at), s.constant(value.dtype, 0));
  });
}

type Sizes = readonly number[];

/** The vectors that describe a window: one number for each axis, and a pair of paddings. */
export function checkWindow(rank: number, vectors: Readonly<Record<string, Sizes>>, padding: Sizes): void {
  for (const [name, dims] of Object.entries(vectors)) {
    need(dims.length === 1, () => `expects the rank of ${snakeOf(name)} to be 1, got ${dims.length}`);
    need(dims[0] === rank, () => `expects ${snakeOf(name)} to have ${rank} elements, got ${dims[0]}`);
  }
  need(padding.length === 2 && padding[1] === 2, () => `expects padding to be a matrix with minor dimension 2, got ${padding.join(", ")}`);
  need(padding[0] === rank, () => `expects padding to have ${rank} rows, got ${padding[0]}`);
}

/** Sizes, strides and dilations of windows. */
export const checkSteps = (name: string, numbers: readonly number[]): void => {
  for (const number of numbers) need(number > 0 && number < 2 ** 24, () => `${name} must be positive and below 2^24, got ${number}`);
};

function convolution(text: string, given: ConvGiven, batchGroups: number): Value {
  const field = dimensionNumbers(text, "ConvolutionDimensionNumbers");
  const one = (number: number): number => field(number)[0] ?? 0;
  const input = { batch: one(7), feature: one(8), spatial: field(11) };
  const kernel = { input: one(3), output: one(4), spatial: field(6) };
  const output = { batch: one(9), feature: one(10), spatial: field(12) };
  const { rhs } = given;
  const vectors = { windowStrides: given.windowStrides, lhsDilation: given.lhsDilation, rhsDilation: given.rhsDilation };
  const shapes = Object.fromEntries(Object.entries(vectors).map(([name, { shape }]) => [name, shape]));
  checkWindow(input.spatial.length, shapes, given.padding.shape);
  for (const [name, numbers] of Object.entries(vectors)) checkSteps(snakeOf(name), numbersOf(numbers));
  need(given.featureGroupCount.rank === 0, () => "expects feature_group_count to be a scalar");
  for (const { shape } of [given.lhs, rhs])
    need(shape.length === input.spatial.length + 2, () => `expects operands of rank ${input.spatial.length + 2}, got [${shape}]`);
  const steps = given.lhs.shape.map((_, axis) => {
    const k = input.spatial.indexOf(axis);
    return k < 0 ? 1 : numbersOf(given.lhsDilation)[k];
  });
  const lhs = dilated(given.lhs, steps);
  const strides = numbersOf(given.windowStrides);
  const rates = numbersOf(given.rhsDilation);
  const padding = numbersOf(given.padding);
  const featureGroups = Number(given.featureGroupCount.get(0));
  const taps = kernel.spatial.map(axis => rhs.shape[axis]);
  const sizes = input.spatial.map((axis, k) => {
    const room = lhs.shape[axis] + padding[2 * k] + padding[2 * k + 1] - ((taps[k] - 1) * rates[k] + 1);
    return lhs.shape[axis] === 0 && room < 0 ? 0 : Math.max(Math.floor(room / strides[k]) + 1, 0);
  });
  const depth = rhs.shape[kernel.input];
  need(lhs.shape[input.feature] === depth * featureGroups, () => "Expected LHS feature dimension to be the kernel's times the groups.");
  const groups = Math.max(featureGroups, batchGroups);
  need(rhs.shape[kernel.output] % groups === 0, () => "Expected output feature dimension to be a multiple of the number of groups.");
  const [images, outputs] = [lhs.shape[input.batch] / batchGroups, rhs.shape[kernel.output] / groups];
  // [image, group, output of the group, place…] over [feature of the group, tap…]
  const value = ir.contract([images, groups, outputs, ...sizes], [depth, ...taps], ([n, g, o, ...at], [c, ...tap]) => {
    const from = lhs.shape.map((_, axis) => {
      if (axis === input.batch) return batchGroups > 1 ? addIndex(scaleIndex(g, images), n) : n;
      if (axis === input.feature) return featureGroups > 1 ? addIndex(scaleIndex(g, depth), c) : c;
      const k = input.spatial.indexOf(axis);
      return addIndex(addIndex(scaleIndex(at[k], strides[k]), scaleIndex(tap[k], rates[k])), constantIndex(-padding[2 * k]));
    });
    const by = rhs.shape.map((_, axis) => {
      if (axis === kernel.input) return c;
      if (axis === kernel.output) return addIndex(scaleIndex(g, outputs), o);
      return tap[kernel.spatial.indexOf(axis)];
    });
    return [ir.operand(lhs, from), ir.operand(rhs, by)];
  });
  const joined = ir.reshape(value, [images, groups * outputs, ...sizes]);
  const order = joined.shape.map((_, axis) => (axis === output.batch ? 0 : axis === output.feature ? 1 : 2 + output.spatial.indexOf(axis)));
  return ir.transpose(joined, order);
}

const convInputs = { windowStrides: "Tindices", padding: "Tindices", lhsDilation: "Tindices", rhsDilation: "Tindices" } as const;
const convConstants = ["windowStrides", "padding", "lhsDilation", "rhsDilation", "featureGroupCount"] as const;

const rankOf = (shape: TensorShape): TensorShape => (shape.dims === null ? shape : new TensorShape(shape.dims.map(() => null)));

export const XlaConv = defineOp("XlaConv", {
  inputs: { lhs: "T", rhs: "T", ...convInputs, featureGroupCount: "Tindices" },
  outputs: { output: "T" },
  attrs: { T: attr.type(attr.numbers), Tindices: indexAttr, dimensionNumbers: attr.string(), precisionConfig: attr.string() },
  compileTimeInputs: convConstants,
  sizesFromValues: false,
  shape: ({ lhs }) => rankOf(lhs),
  lower: ({ dimensionNumbers: text, ...given }) => convolution(text, given, 1),
});

export const XlaConvV2 = defineOp("XlaConvV2", {
  inputs: { lhs: "LhsT", rhs: "RhsT", ...convInputs, featureGroupCount: "Tindices" },
  outputs: { output: "preferredElementType" },
  attrs: {
    LhsT: attr.type(attr.numbers),
    RhsT: attr.type(attr.numbers),
    Tindices: indexAttr,
    dimensionNumbers: attr.string(),
    precisionConfig: attr.string(),
    preferredElementType: attr.type(attr.numbers),
    batchGroupCount: attr.int(1),
  },
  compileTimeInputs: convConstants,
  sizesFromValues: false,
  shape: ({ lhs }) => rankOf(lhs),
  lower: ({ dimensionNumbers: text, preferredElementType: dtype, batchGroupCount, lhs, rhs, ...given }) =>
    convolution(text, { ...given, lhs: ir.cast(lhs, dtype), rhs: ir.cast(rhs, dtype) }, batchGroupCount),
});

// ---- pieces ----

const slicesOf = (start: Value, sizes: readonly number[], of: readonly number[]): Index[] =>
  sizes.map((size, axis) => dataIndex(s.load(start, [constantIndex(axis)]), of[axis] - size + 1));

/** A piece of a size that begins where the values say, moved inside where it would stick out. */
export const XlaDynamicSlice = defineOp("XlaDynamicSlice", {
  inputs: { input: "T", startIndices: "Tindices", sizeIndices: "Tindices" },
  outputs: { output: "T" },
  attrs: { T: attr.type(), Tindices: indexAttr },
  compileTimeInputs: ["sizeIndices"],
  sizesFromValues: false,
  shape: ({ sizeIndices, input }, context) => {
    const sizes = context.constant("sizeIndices");
    if (sizes) return new TensorShape(numbersOf(sizes));
    const rank = input.rank ?? sizeIndices.dim(0);
    return rank === null ? unknown() : new TensorShape(new Array<Dimension>(rank).fill(null));
  },
  lower: ({ input, startIndices, sizeIndices }) => {
    const sizes = numbersOf(sizeIndices);
    need(
      sizes.every((size, axis) => size >= 0 && size <= input.shape[axis]),
      () => `Invalid slice sizes [${sizes}] for an operand of shape [${input.shape}].`,
    );
    const starts = slicesOf(startIndices, sizes, input.shape);
    return ir.generate(sizes, i =>
      s.load(
        input,
        i.map((index, axis) => addIndex(index, starts[axis])),
      ),
    );
  },
});

/** The input with a piece of it replaced. */
export const XlaDynamicUpdateSlice = defineOp("XlaDynamicUpdateSlice", {
  inputs: { input: "T", update: "T", indices: "Tindices" },
  outputs: { output: "T" },
  attrs: { T: attr.type(), Tindices: indexAttr },
  shape: ({ input }) => input,
  lower: ({ input, update, indices }) => {
    const starts = slicesOf(indices, update.shape, input.shape);
    return ir.scatter("assign", input, update.shape, r => ({
      at: r.map((index, axis) => s.index(addIndex(index, starts[axis]))),
      body: s.load(update, r),
    }));
  },
});

/** Values around the elements, and between them; less than none cuts elements off. */
export const XlaPad = defineOp("XlaPad", {
  inputs: { input: "T", paddingValue: "T", paddingLow: "Tindices", paddingHigh: "Tindices", paddingInterior: "Tindices" },
  outputs: { output: "T" },
  attrs: { T: attr.type(), Tindices: indexAttr },
  compileTimeInputs: ["paddingLow", "paddingHigh", "paddingInterior"],
  sizesFromValues: false,
  shape: ({ input }, context) => {
    if (input.dims === null) return unknown();
    const [low, high, interior] = ["paddingLow", "paddingHigh", "paddingInterior"].map(name => context.constant(name));
    if (!low || !high || !interior) return new TensorShape(input.dims.map(() => null));
    const [before, after, between] = [low, high, interior].map(numbersOf);
    return new TensorShape(
      input.dims.map((size, axis) => (size === null ? null : size + Math.max(size - 1, 0) * between[axis] + before[axis] + after[axis])),
    );
  },
  checks: ({ input, paddingValue, paddingLow, paddingHigh, paddingInterior }) => {
    for (const [name, dims] of Object.entries({ paddingLow, paddingHigh, paddingInterior })) {
      need(dims.length === 1, () => `output_shape must be rank 1, got shape s32[${dims}]`);
      need(dims[0] === input.length, () => `The size of ${snakeOf(name)} must be equal to the input rank (${dims[0]} vs. ${input.length})`);
    }
    need(paddingValue.length === 0, () => "padding_value must be a scalar");
  },
  lower: ({ input, paddingValue, paddingLow, paddingHigh, paddingInterior }) => {
    const [low, high, interior] = [paddingLow, paddingHigh, paddingInterior].map(numbersOf);
    need(
      interior.every(count => count >= 0),
      () => `padding_interior must be non-negative, got [${interior}]`,
    );
    const filled = input.shape.map((size, axis) => size + Math.max(size - 1, 0) * interior[axis]);
    const shape = filled.map((size, axis) => Math.max(size + low[axis] + high[axis], 0));
    return ir.generate(shape, i => {
      const inside = i.map((index, axis) => addIndex(index, constantIndex(-low[axis])));
      const bounds = inside.flatMap((index, axis) => [
        { index, low: 0, high: filled[axis] },
        ...(interior[axis] > 0 ? [{ index: modIndex(index, interior[axis] + 1), low: 0, high: 1 }] : []),
      ]);
      const at = inside.map((index, axis) => (interior[axis] > 0 ? divIndex(index, interior[axis] + 1) : index));
      return s.guard(bounds, s.load(input, at), s.load(paddingValue, []));
    });
  },
});

/** How an operand's axes, a list of starts and the results belong together, for gathers and scatters. */
export interface GatherAxes {
  /** Axes of the result (of updates) that run over a window. */
  readonly window: readonly number[];
  /** Axes of the operand that no window axis runs over. */
  readonly dropped: readonly number[];
  /** The operand's axis that each number of a start is for. */
  readonly startOf: readonly number[];
  readonly vectorAxis: number;
  readonly batch: readonly [operand: readonly number[], starts: readonly number[]];
}

export function gatherAxes(text: string, what: string): GatherAxes {
  const field = dimensionNumbers(text, what);
  const batch = [field(5), field(6)] as const;
  return { window: field(1), dropped: [...field(2), ...batch[0]], startOf: field(3), vectorAxis: field(4)[0] ?? 0, batch };
}

/** For a place in the result: where its start stands, and how far into the window it is along each axis of the operand. */
export function windowPlace(
  { window, dropped, vectorAxis, batch }: GatherAxes,
  at: readonly Index[],
  operandRank: number,
): { startAt: (k: number) => Index[]; offset: (axis: number) => Index } {
  const outer = at.filter((_, axis) => !window.includes(axis));
  const kept = freeAxes(operandRank, dropped);
  const startAt = (k: number): Index[] => [...outer.slice(0, vectorAxis), constantIndex(k), ...outer.slice(vectorAxis)];
  const offset = (axis: number): Index => {
    const together = batch[0].indexOf(axis);
    if (together >= 0) {
      const of = batch[1][together];
      return outer[of > vectorAxis ? of - 1 : of];
    }
    const k = kept.indexOf(axis);
    return k < 0 ? constantIndex(0) : at[window[k]];
  };
  return { startAt, offset };
}

/** Starts with an axis for their numbers, which may be left out where they have one. */
export const withVectors = (starts: Value, vectorAxis: number): Value =>
  vectorAxis === starts.shape.length ? ir.reshape(starts, [...starts.shape, 1]) : starts;

function gatheredShape({ window, dropped, vectorAxis }: GatherAxes, starts: readonly Dimension[], sizes: readonly number[]): Dimension[] {
  const outer = starts.filter((_, axis) => axis !== vectorAxis);
  const inner = sizes.filter((_, axis) => !dropped.includes(axis));
  return Array.from({ length: outer.length + inner.length }, (_, axis) => {
    const k = window.indexOf(axis);
    return k >= 0 ? inner[k] : outer[axis - window.filter(other => other < axis).length];
  });
}

/** Pieces that begin at listed places, moved inside where they would stick out. */
export const XlaGather = defineOp("XlaGather", {
  inputs: { operand: "T", startIndices: "Tindices", sliceSizes: "Tindices" },
  outputs: { output: "T" },
  attrs: { dimensionNumbers: attr.string(), indicesAreSorted: attr.bool(), T: attr.type([...attr.numbers, "bool"]), Tindices: indexAttr },
  compileTimeInputs: ["sliceSizes"],
  sizesFromValues: false,
  shape: ({ startIndices, dimensionNumbers: text }, context) => {
    const sizes = context.constant("sliceSizes");
    if (!sizes || startIndices.dims === null) return unknown();
    return new TensorShape(gatheredShape(gatherAxes(text, "GatherDimensionNumbers"), startIndices.dims, numbersOf(sizes)));
  },
  lower: ({ operand, startIndices, sliceSizes, dimensionNumbers: text }) => {
    const axes = gatherAxes(text, "GatherDimensionNumbers");
    const sizes = numbersOf(sliceSizes);
    need(sliceSizes.rank === 1, () => `output_shape must be rank 1, got shape s32[${sliceSizes.shape}]`);
    const rank = operand.shape.length;
    need(
      sizes.length === rank,
      () =>
        `Gather op must have one slice size for every input dimension; got: len(slice_sizes)=${sizes.length}, input_shape.rank=${rank}.`,
    );
    for (const [axis, size] of sizes.entries())
      need(
        size >= 0 && size <= operand.shape[axis],
        () => `Slice size at index ${axis} in gather op is out of range, must be within [0, ${operand.shape[axis] + 1}), got ${size}.`,
      );
    const starts = withVectors(startIndices, axes.vectorAxis);
    const shape = gatheredShape(axes, starts.shape, sizes) as number[];
    return ir.generate(shape, i => {
      const { startAt, offset } = windowPlace(axes, i, sizes.length);
      const at = sizes.map((size, axis) => {
        const k = axes.startOf.indexOf(axis);
        if (k < 0) return offset(axis);
        return addIndex(offset(axis), dataIndex(s.load(starts, startAt(k)), operand.shape[axis] - size + 1));
      });
      return s.load(operand, at);
    });
  },
});

// ---- elementwise ----

/** Which axes of the larger operand those of the smaller one are. */
function helped(lhs: readonly Dimension[], rhs: readonly Dimension[], dims: readonly number[]): readonly (readonly Dimension[])[] {
  if (lhs.length === rhs.length || lhs.length === 0 || rhs.length === 0) return [lhs, rhs];
  const [small, large] = lhs.length < rhs.length ? [lhs, rhs] : [rhs, lhs];
  if (dims.length !== small.length)
    throw new InvalidArgumentError(`broadcast_dims must have size equal to the smaller argument rank (${dims.length} vs. ${small.length})`);
  const grown = new Array<Dimension>(large.length).fill(1);
  dims.forEach((axis, k) => {
    grown[axis] = small[k];
  });
  return lhs.length < rhs.length ? [grown, rhs] : [lhs, grown];
}

/** Gives the operand of fewer axes as many as the other. */
export const XlaBroadcastHelper = defineOp("XlaBroadcastHelper", {
  inputs: { lhs: "T", rhs: "T", broadcastDims: "Tindices" },
  outputs: { lhsOutput: "T", rhsOutput: "T" },
  attrs: { T: attr.type(attr.numbers), Tindices: indexAttr },
  compileTimeInputs: ["broadcastDims"],
  sizesFromValues: false,
  shape: () => [unknown(), unknown()],
  lower: ({ lhs, rhs, broadcastDims }) => {
    const [left, right] = helped(lhs.shape, rhs.shape, numbersOf(broadcastDims));
    return [ir.reshape(lhs, left as number[]), ir.reshape(rhs, right as number[])];
  },
});

/** Floats rounded to fewer bits, to nearest and even, and to infinity and zero beyond the exponents. */
export const XlaReducePrecision = defineOp("XlaReducePrecision", {
  inputs: { operand: "T" },
  outputs: { output: "T" },
  attrs: { T: attr.type(["bfloat16", "float16", "float32", "float64"]), exponentBits: attr.int(), mantissaBits: attr.int() },
  shape: ({ operand }) => operand,
  lower: ({ operand, exponentBits, mantissaBits }, { op }) => {
    if (operand.dtype !== "float32")
      throw new UnimplementedError(`XlaReducePrecision of ${operand.dtype} is not there: cast '${op.name}' to float32 and back.`, op);
    need(exponentBits >= 1, () => `Expected exponent_bits >= 1 but got ${exponentBits}`);
    return ir.map(x => {
      const word = (value: number) => s.constant("uint32", value >>> 0);
      let bits = s.bitcast(x, "uint32");
      const dropped = 23 - mantissaBits;
      if (dropped > 0) {
        const last = s.and(s.shr(bits, word(dropped)), word(1));
        bits = s.and(s.add(s.add(bits, last), word(2 ** (dropped - 1) - 1)), word(~(2 ** dropped - 1)));
      }
      if (exponentBits < 8) {
        const bias = 2 ** (exponentBits - 1) - 1;
        const exponent = s.and(bits, word(0x7f800000));
        const sign = s.and(bits, word(0x80000000));
        const held = s.select(s.gt(exponent, word((127 + bias) << 23)), s.or(sign, word(0x7f800000)), bits);
        bits = s.select(s.le(exponent, word((127 - bias) << 23)), sign, held);
      }
      return s.select(s.isNan(x), x, s.bitcast(bits, "float32"));
    }, operand);
  },
});
