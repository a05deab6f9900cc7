// XLA's operations that are given a function of the graph's: reductions, windows, scatters, sorts, branches and loops. A function of scalars is
// applied to whole arrays, element by element, so it may hold elementwise ops only. Those without functions: xla.ts.

import { UnimplementedError } from "../../base/errors.ts";
import { NDArray } from "../../base/ndarray.ts";
import { type Dimension, sizeOf, TensorShape } from "../../base/shape.ts";
import * as attr from "../../graph/attributes.ts";
import type { FunctionRef } from "../../graph/attributes.ts";
import { groupByName } from "../../graph/build-operation.ts";
import { type FuncGraph, neededBy } from "../../graph/functions.ts";
import { defineOp, type LowerContext, type OpDefinition, renameOp } from "../../graph/op-definition.ts";
import type { Tensor } from "../../graph/operation.ts";
import * as ir from "../../ir/build.ts";
import { addIndex, constantIndex, dataIndex, divIndex, type Index, modIndex, scaleIndex } from "../../ir/index-map.ts";
import type { ScatterCombine, Value } from "../../ir/program.ts";
import { s } from "../../ir/scalar.ts";
import { need } from "../arguments.ts";
import { Select, SelectV2 } from "../array/selection.ts";
import { Bitcast, numbersOf } from "../array/array.ts";
import { bodyOf, If, While } from "../flow/functional-calls.ts";
import { BitwiseAnd, BitwiseOr, BitwiseXor, Invert, LeftShift, RightShift } from "../math/bitwise.ts";
import { IsFinite, IsInf, IsNan } from "../math/functions.ts";
import { AddV2, Maximum, Minimum, Mul, Sub } from "../math/math.ts";
import { Cast } from "../math/cast.ts";
import { Equal, Greater, GreaterEqual, Less, LessEqual, LogicalAnd, LogicalNot, LogicalOr, NotEqual } from "../math/comparison.ts";
import { checkSteps, checkWindow, gatherAxes, windowPlace, withVectors } from "./xla.ts";

const indexAttr = attr.type(attr.indexTypes);

/** Elementwise as well, though capped rows (`isElementwise`) are not asked of them. */
const others: ReadonlySet<OpDefinition> = new Set<OpDefinition>([
  ...[Less, LessEqual, Greater, GreaterEqual, Equal, NotEqual, LogicalAnd, LogicalOr, LogicalNot, Cast, Bitcast, Select, SelectV2],
  ...[BitwiseAnd, BitwiseOr, BitwiseXor, Invert, LeftShift, RightShift, IsNan, IsFinite, IsInf],
]);

/** A function of scalars, of arrays of one shape. */
function elementwise(ref: FunctionRef, context: LowerContext): (...args: readonly Value[]) => readonly Value[] {
  const body = bodyOf(context.op, ref);
  const order = neededBy(body);
  return (...args) => {
    const values = new Map<Tensor, Value>(body.inputs.map((input, k) => [input, args[k]]));
    for (const op of order) {
      const { definition, attrs } = op;
      const isPlain = definition.isElementwise || others.has(definition) || definition.isCopy || op.inputs.length === 0;
      if (!definition.lower || !isPlain || op.inputs.some(input => input.isHandle))
        throw new UnimplementedError(
          `${context.op.type} node '${context.name}' calls '${ref.name}', which holds ${op.type} ('${op.name}'): only elementwise ops may be in it.`,
          context.op,
        );
      const given = op.inputs.map(input => values.get(input) as Value);
      const record = { ...groupByName(definition, "inputs", attrs, given), ...attrs };
      const lowered = definition.lower(record, { ...context, name: op.name, op, known: () => undefined });
      (Array.isArray(lowered) ? lowered : [lowered]).forEach((value, k) => void values.set(op.outputs[k], value as Value));
    }
    return body.outputs.map(output => values.get(output) as Value);
  };
}

/** The tensor behind copies. */
function sourceOf(tensor: Tensor): Tensor {
  let source = tensor;
  while (source.op.definition.isCopy) [source] = source.op.inputs;
  return source;
}

type Combining = (a: readonly Value[], b: readonly Value[]) => readonly Value[];

const part = (value: Value, axis: number, from: number, count: number): Value =>
  ir.slice(
    value,
    value.shape.map((_, k) => (k === axis ? from : 0)),
    value.shape.map((size, k) => (k === axis ? count : size)),
  );

/** Halves put together until one is left along the axis, which stays. */
function folded(values: readonly Value[], axis: number, combine: Combining): readonly Value[] {
  let left = values;
  for (let size = left[0].shape[axis]; size > 1; size = left[0].shape[axis]) {
    const half = Math.floor(size / 2);
    const [first, second] = [0, half].map(from => left.map(value => part(value, axis, from, half)));
    const joined = combine(first, second);
    left = size % 2 === 0 ? joined : joined.map((value, k) => ir.concat([value, part(left[k], axis, size - 1, 1)], axis));
  }
  return left;
}

function reduced(values: readonly Value[], initial: readonly Value[], axes: readonly number[], combine: Combining): readonly Value[] {
  const shape = values[0].shape.filter((_, axis) => !axes.includes(axis));
  const begun = initial.map(value => ir.broadcastTo(value, shape));
  if (axes.some(axis => values[0].shape[axis] === 0)) return begun;
  const flat = axes.reduce((left, axis) => folded(left, axis, combine), values);
  return combine(
    begun,
    flat.map(value => ir.reshape(value, shape)),
  );
}

const combining =
  (ref: FunctionRef, context: LowerContext): Combining =>
  (a, b) =>
    elementwise(ref, context)(...a, ...b);

const reducedShape = (input: TensorShape, axes: readonly number[]): TensorShape =>
  input.dims === null ? input : new TensorShape(input.dims.filter((_, axis) => !axes.includes(axis)));
/** As above, with the sizes forgotten, as TensorFlow's oldest form has it. */
const reducedRank = (input: TensorShape, axes: readonly number[]): TensorShape =>
  input.dims === null ? input : new TensorShape(new Array<Dimension>(Math.max(input.dims.length - axes.length, 0)).fill(null));

export const XlaReduce = defineOp("XlaReduce", {
  inputs: { input: "T", initValue: "T" },
  outputs: { output: "T" },
  attrs: { T: attr.type([...attr.numbers, "bool"]), dimensionsToReduce: attr.ints(), reducer: attr.func() },
  shape: ({ input, dimensionsToReduce }) => reducedRank(input, dimensionsToReduce),
  lower: ({ input, initValue, dimensionsToReduce, reducer }, context) =>
    reduced([input], [initValue], dimensionsToReduce, combining(reducer, context)),
});

export const XlaVariadicReduce = defineOp("XlaVariadicReduce", {
  inputs: { input: "N*T", initValue: "N*T" },
  outputs: { output: "N*T" },
  attrs: { N: attr.int(undefined, 1), T: attr.type([...attr.numbers, "bool"]), dimensionsToReduce: attr.ints(), reducer: attr.func() },
  gradient: "none",
  shape: ({ input, dimensionsToReduce }) => input.map(each => reducedRank(each, dimensionsToReduce)),
  lower: ({ input, initValue, dimensionsToReduce, reducer }, context) =>
    reduced(input, initValue, dimensionsToReduce, combining(reducer, context)),
});

/** Several arrays reduced together, as a largest value and its place. */
export const XlaVariadicReduceV2 = defineOp("XlaVariadicReduceV2", {
  inputs: { inputs: "T", initValues: "T" },
  outputs: { outputs: "T" },
  attrs: { T: attr.types(undefined, { minimum: 1 }), dimensionsToReduce: attr.ints(), reducer: attr.func() },
  shape: ({ inputs, dimensionsToReduce }) => inputs.map(input => reducedShape(input, dimensionsToReduce)),
  lower: ({ inputs, initValues, dimensionsToReduce, reducer }, context) =>
    reduced(inputs, initValues, dimensionsToReduce, combining(reducer, context)),
});

/** Each output is a window's elements put together with the initial value; what lies outside or between elements is passed over. */
export const XlaReduceWindow = defineOp("XlaReduceWindow", {
  inputs: {
    input: "T",
    initValue: "T",
    windowDimensions: "Tindices",
    windowStrides: "Tindices",
    baseDilations: "Tindices",
    windowDilations: "Tindices",
    padding: "Tindices",
  },
  outputs: { output: "T" },
  attrs: { T: attr.type([...attr.numbers, "bool"]), Tindices: indexAttr, computation: attr.func() },
  compileTimeInputs: ["windowDimensions", "windowStrides", "baseDilations", "windowDilations", "padding"],
  sizesFromValues: false,
  shape: ({ input }) => (input.dims === null ? input : new TensorShape(input.dims.map(() => null))),
  checks: ({ input, initValue, padding, windowDimensions, windowStrides, baseDilations, windowDilations }) => {
    checkWindow(input.length, { windowDimensions, windowStrides, baseDilations, windowDilations }, padding);
    need(initValue.length === 0, () => `init_value must be a scalar, got shape [${initValue}]`);
  },
  lower: ({ input, initValue, computation, ...given }, context) => {
    for (const [name, numbers] of Object.entries({
      window_dimensions: given.windowDimensions,
      window_strides: given.windowStrides,
      base_dilations: given.baseDilations,
      window_dilations: given.windowDilations,
    }))
      checkSteps(name, numbersOf(numbers));
    const [sizes, strides, gaps, rates, padding] = [
      given.windowDimensions,
      given.windowStrides,
      given.baseDilations,
      given.windowDilations,
      given.padding,
    ].map(numbersOf);
    const combine = elementwise(computation, context);
    // What is there counts; the mask tells, where a window may see what is not.
    const join: Combining = ([x, hasX], [y, hasY]) => {
      const [both] = combine(x, y);
      return [
        ir.map((both_, x_, y_, a, b) => s.select(s.and(a, b), both_, s.select(a, x_, y_)), both, x, y, hasX, hasY),
        ir.map((a, b) => s.or(a, b), hasX, hasY),
      ];
    };
    const isPlain = padding.every(count => count === 0) && gaps.every(gap => gap === 1);
    const plainJoin: Combining = ([x], [y]) => [combine(x, y)[0]];
    let parts: readonly Value[] = isPlain ? [input] : [input, ir.full("bool", input.shape, 1)];
    input.shape.forEach((_, axis) => {
      const size = parts[0].shape[axis];
      const filled = size === 0 ? 0 : (size - 1) * gaps[axis] + 1;
      const room = filled + padding[2 * axis] + padding[2 * axis + 1] - ((sizes[axis] - 1) * rates[axis] + 1);
      const count = Math.max(Math.floor(room / strides[axis]) + 1, 0);
      const taken = (k: number): readonly Value[] =>
        parts.map(value =>
          ir.generate(
            value.shape.map((d, other) => (other === axis ? count : d)),
            i => {
              const first = k * rates[axis] - padding[2 * axis];
              // Which element of the spread input, counted in whole steps.
              const at = spread(i[axis], strides[axis], first, gaps[axis], size);
              const load = s.load(
                value,
                i.map((index, other) => (other === axis ? at.index : index)),
              );
              return s.guard(at.bounds, load, s.constant(value.dtype, 0));
            },
          ),
        );
      let sum = taken(0);
      for (let k = 1; k < sizes[axis]; k++) sum = isPlain ? plainJoin(sum, taken(k)) : join(sum, taken(k));
      parts = sum;
    });
    const [value, has] = parts;
    const begun = ir.broadcastTo(initValue, value.shape);
    const [whole] = combine(begun, value);
    return has ? ir.map((x, y, there) => s.select(there, x, y), whole, begun, has) : whole;
  },
});

/** The element that a window sees at a place, of elements that stand `gap` apart. */
function spread(i: Index, stride: number, first: number, gap: number, size: number) {
  const place = addIndex(scaleIndex(i, stride), constantIndex(first));
  if (gap === 1) return { index: place, bounds: [{ index: place, low: 0, high: size }] };
  const within = { index: place, low: 0, high: (size - 1) * gap + 1 };
  return { index: divIndex(place, gap), bounds: [within, { index: modIndex(place, gap), low: 0, high: 1 }] };
}

// ---- scatters ----

const combineOf: readonly (readonly [OpDefinition, ScatterCombine])[] = [
  [AddV2, "add"],
  [Sub, "sub"],
  [Mul, "mul"],
  [Minimum, "min"],
  [Maximum, "max"],
];

/** What a function of the old value and the new one makes of them. */
function scatterCombine({ inputs, outputs }: FuncGraph): ScatterCombine | undefined {
  const { op } = sourceOf(outputs[0]);
  if (op === inputs[1].op) return "assign";
  const given = op.inputs.map(input => sourceOf(input));
  const isOfBoth = given.length === 2 && given.every(input => inputs.includes(input)) && given[0] !== given[1];
  const found = combineOf.find(([definition]) => op.definition === definition)?.[1];
  return isOfBoth && (found !== "sub" || given[0] === inputs[0]) ? found : undefined;
}

/** Windows put into the operand at listed places; a window that would stick out is left away whole. */
export const XlaScatter = defineOp("XlaScatter", {
  inputs: { operand: "T", scatterIndices: "Tindices", updates: "T" },
  outputs: { output: "T" },
  attrs: {
    updateComputation: attr.func(),
    dimensionNumbers: attr.string(),
    indicesAreSorted: attr.bool(),
    T: attr.type([...attr.numbers, "bool"]),
    Tindices: indexAttr,
  },
  shape: ({ operand }) => operand,
  lower: ({ operand, scatterIndices, updates, updateComputation, dimensionNumbers: text }, context) => {
    const combine = scatterCombine(bodyOf(context.op, updateComputation));
    if (combine === undefined)
      throw new UnimplementedError(
        `XlaScatter node '${context.name}' calls '${updateComputation.name}': only the update itself, a sum, difference, product, minimum or maximum of both are there.`,
        context.op,
      );
    const axes = gatherAxes(text, "ScatterDimensionNumbers");
    const starts = withVectors(scatterIndices, axes.vectorAxis);
    const kept = operand.shape.map((_, axis) => axis).filter(axis => !axes.dropped.includes(axis));
    const windowSize = (axis: number): number => (kept.includes(axis) ? updates.shape[axes.window[kept.indexOf(axis)]] : 1);
    return ir.scatter(combine, operand, updates.shape, r => {
      const { startAt, offset } = windowPlace(axes, r, operand.shape.length);
      const start = (axis: number) => s.cast(s.load(starts, startAt(axes.startOf.indexOf(axis))), "int64");
      const moved = operand.shape.map((_, axis) => axis).filter(axis => axes.startOf.includes(axis));
      const fits = moved
        .map(axis => s.and(s.ge(start(axis), 0n), s.le(start(axis), BigInt(operand.shape[axis] - windowSize(axis)))))
        .reduce((a, b) => s.and(a, b), s.constant("bool", 1));
      const at = operand.shape.map((_, axis) => {
        const within = s.index(offset(axis), "int64");
        return s.select(fits, moved.includes(axis) ? s.add(start(axis), within) : within, s.constant("int64", -1n));
      });
      return { at, body: s.load(updates, r) };
    });
  },
});

// ---- sorts ----

/** Ascending along the last axis. */
export const XlaSort = defineOp("XlaSort", {
  inputs: { input: "T" },
  outputs: { output: "T" },
  attrs: { T: attr.type() },
  shape: ({ input }) => input,
  lower: ({ input }) => ir.sort(input, input.shape[input.shape.length - 1], false).values,
});

/** Values in the order of their keys, along the last axis. */
export const XlaKeyValueSort = defineOp("XlaKeyValueSort", {
  inputs: { keys: "K", values: "V" },
  outputs: { sortedKeys: "K", sortedValues: "V" },
  attrs: { K: attr.type(attr.realNumbers), V: attr.type() },
  shape: ({ keys, values }) => [keys, values],
  lower: ({ keys, values }) => {
    need(keys.shape.join() === values.shape.join(), () => `Keys of shape [${keys.shape}] and values of shape [${values.shape}] differ.`);
    const { values: sorted, indices } = ir.sort(keys, keys.shape[keys.shape.length - 1], false);
    return [sorted, inOrder(values, indices)];
  },
});

/** The elements of each row at the row's places. */
const inOrder = (value: Value, places: Value): Value =>
  ir.generate(value.shape, i => s.load(value, [...i.slice(0, -1), dataIndex(s.load(places, i), value.shape[i.length - 1])]));

/** Arrays in an order that a function of two elements of each tells: Batcher's network of exchanges, each of whole arrays. Where neither comes
 *  first, the element that stood first does, so that the result is stable. */
export const XlaVariadicSort = defineOp("XlaVariadicSort", {
  inputs: { inputs: "T", dimension: "int32" },
  outputs: { outputs: "T" },
  attrs: { T: attr.types(undefined, { minimum: 1 }), comparator: attr.func(), isStable: attr.bool() },
  compileTimeInputs: ["dimension"],
  sizesFromValues: false,
  shape: ({ inputs }) => inputs,
  lower: ({ inputs, dimension, comparator }, context) => {
    const [{ shape }] = inputs;
    need(dimension.rank === 0, () => "dimension must be a scalar");
    const given = Number(dimension.get(0));
    need(
      given >= -shape.length && given < shape.length,
      () => `dimension attribute value must be in range [${-shape.length}, ${shape.length}), but found ${given}`,
    );
    const axis = given < 0 ? given + shape.length : given;
    const size = shape[axis];
    if (size <= 1) return inputs;
    const isBefore = elementwise(comparator, context);
    const order = shape.map((_, k) => k).filter(k => k !== axis);
    const rows = inputs.map(input => ir.reshape(ir.transpose(input, [...order, axis]), [sizeOf(order.map(k => shape[k])), size]));
    let values = rows;
    let places = ir.generate(rows[0].shape, ([, i]) => s.index(i));
    for (const partners of network(size)) {
      const other = ir.constant(NDArray.from(partners, "int32"));
      const across = (value: Value): Value =>
        ir.generate(value.shape, ([row, i]) => s.load(value, [row, dataIndex(s.load(other, [i]), size)]));
      const theirs = values.map(across);
      const pairs = (a: readonly Value[], b: readonly Value[]): readonly Value[] => a.flatMap((value, k) => [value, b[k]]);
      const [mineFirst] = isBefore(...pairs(values, theirs));
      const [theirsFirst] = isBefore(...pairs(theirs, values));
      // The lower place keeps what comes first, the higher one the other.
      const takes = ir.generate(rows[0].shape, ([row, i]) => {
        const [mine, their] = [s.load(mineFirst, [row, i]), s.load(theirsFirst, [row, i])];
        const [from, to] = [s.load(places, [row, i]), s.load(places, [row, dataIndex(s.load(other, [i]), size)])];
        const isMineFirst = s.or(mine, s.and(s.not(their), s.lt(from, to)));
        const isLower = s.lt(s.index(i), s.load(other, [i]));
        const isAlone = s.eq(s.index(i), s.load(other, [i]));
        return s.and(s.not(isAlone), s.ne(isMineFirst, isLower));
      });
      const exchanged = (value: Value, their: Value): Value =>
        ir.map((x, y, takesTheirs) => s.select(takesTheirs, y, x), value, their, takes);
      const moved = across(places);
      values = values.map((value, k) => exchanged(value, theirs[k]));
      places = exchanged(places, moved);
    }
    const back = shape.map((_, k) => (k === axis ? order.length : order.indexOf(k)));
    return values.map(value => ir.transpose(ir.reshape(value, [...order.map(k => shape[k]), size]), back));
  },
});

/** Batcher's odd-even merge sort: for each step, the place that each place is compared with (itself where with none). */
function network(size: number): number[][] {
  const steps: number[][] = [];
  for (let p = 1; p < size; p *= 2) {
    for (let k = p; k >= 1; k = Math.floor(k / 2)) {
      const partners = Array.from({ length: size }, (_, i) => i);
      for (let j = k % p; j + k < size; j += 2 * k)
        for (let i = 0; i < k && i + j + k < size; i++) {
          if (Math.floor((i + j) / (2 * p)) !== Math.floor((i + j + k) / (2 * p))) continue;
          partners[i + j] = i + j + k;
          partners[i + j + k] = i + j;
        }
      steps.push(partners);
    }
  }
  return steps;
}

// ---- branches and loops ----

export const XlaIf = renameOp("XlaIf", If, {
  inputs: { cond: "Tcond", inputs: "Tin" },
  attrs: {
    Tcond: attr.type(),
    thenBranch: attr.func(),
    elseBranch: attr.func(),
    Tin: attr.types(undefined, { minimum: 0 }),
    Tout: attr.types(undefined, { minimum: 0 }),
  },
  shape: ({ Tout }: { readonly Tout: readonly unknown[] }) => Tout.map(() => TensorShape.unknown()),
});

export const XlaWhile = renameOp("XlaWhile", While, {
  attrs: { T: attr.types(undefined, { minimum: 0 }), cond: attr.func(), body: attr.func() },
  shape: ({ input }: { readonly input: readonly TensorShape[] }) => input.map(() => TensorShape.unknown()),
});
