// Cutting tensors apart and joining them: slices, `x.at(…)`, split, concat, stack. Gathering and scattering is array/gather.ts,
// selection by conditions array/selection.ts, ranges array/ranges.ts.

import { pythonRepr, pythonStr } from "../../base/python-text.ts";
import { Dimension as SizeOfShape } from "../../base/dimension.ts";
import type { DType } from "../../base/dtype.ts";
import { InvalidArgumentError, ValueError } from "../../base/errors.ts";
import { NDArray } from "../../base/ndarray.ts";
import type { Dimension } from "../../base/shape.ts";
import { sameShape, TensorShape, sizeOf } from "../../base/shape.ts";
import * as attr from "../../graph/attributes.ts";
import { convertToTensor, isAsTensor, literalType, mergedInto, Pack, type TensorLike, Unpack } from "../../graph/conversion.ts";
import {
  defineOp,
  type Gradients,
  type LowerContext,
  type Named,
  type PartialArray,
  type ShapeContext,
} from "../../graph/op-definition.ts";
import { IndexedSlices } from "../../graph/indexed-slices.ts";
import { Tensor } from "../../graph/operation.ts";
import { partialValue } from "../../graph/shape-inference.ts";
import type { EllipsisIndex, IndexSpec } from "../../graph/tensor-operators.ts";
import { joinArrays, partOfArray, staticShape, staticValue, staticValues } from "../../graph/static-value.ts";
import * as ir from "../../ir/build.ts";
import { addIndex, constantIndex, dataIndex, divIndex, type Index, modIndex, scaleIndex } from "../../ir/index-map.ts";
import type { Value } from "../../ir/program.ts";
import { s } from "../../ir/scalar.ts";
import { collect, need } from "../arguments.ts";
import { constant, expandDims, identity, numbersOf, onesLike, rank, reshape, shape, ShapeN, squeeze, zeros } from "./array.ts";
import { gather } from "./gather.ts";
import { pad } from "./padding.ts";
import { booleanMask, where } from "./selection.ts";
import { outputContext } from "../flow/control-flow-contexts.ts";
import { add } from "../math/math.ts";
import { cast } from "../math/cast.ts";
import { logicalAnd } from "../math/comparison.ts";
import { inNameScope, named, type NameOption } from "../named.ts";
import * as operator from "../operators.ts";
import { expandSpec, indexOutside, type Masks, resolveAxis, type SliceSpec } from "./slice-spec.ts";

/** `...` in `x.at(…)`: as many whole axes as are left. */
export const ellipsis: EllipsisIndex = "...";
/** A new axis of size 1 in `x.at(…)`. */
export const newaxis = null;

const partialNumbers = (value: PartialArray | undefined): readonly (number | null)[] | undefined => value?.values;

// ---- slice ----

export const Slice = defineOp("Slice", {
  inputs: { input: "T", begin: "Index", size: "Index" },
  outputs: { output: "T" },
  attrs: { T: attr.type(), Index: attr.type(attr.indexTypes) },
  shape: ({ input, begin, size: sizes }, context) => {
    const length = begin.withRank(1).mergeWith(sizes.withRank(1)).dim(0);
    const known = length === null ? input : input.withRank(length);
    for (const numbers of ["begin", "size"]) context.shapeFrom(numbers);
    const [from, extent] = [partialNumbers(context.partial("begin")), partialNumbers(context.partial("size"))];
    if (extent === undefined) return known.rank === null ? TensorShape.unknown() : TensorShape.unknownOfRank(known.rank);
    // TensorFlow says what -1 is only where it knows all numbers.
    const isExact = from !== undefined && ![...from, ...extent].includes(null);
    return new TensorShape(
      extent.map((d, axis) => {
        if (d === null || d < -1) return null;
        if (d >= 0) return d;
        if (!isExact) return null;
        const [full, start] = [known.dim(axis), from[axis] ?? null];
        if (full === null || start === null || start < 0) return null;
        if (start > full) throw new ValueError(`Negative dimension size caused by subtracting ${start} from ${full}`);
        return full - start;
      }),
    );
  },
  checks: ({ input, begin, size }) =>
    need(
      begin.length === 1 && size.length === 1 && begin[0] === input.length && size[0] === input.length,
      () => `Expected begin and size arguments to be 1-D tensors of size ${input.length}, but got shapes [${begin}] and [${size}] instead.`,
    ),
  gradient: ({ input, begin, output }, d): Gradients => {
    const length = rank(input);
    const extent = shape(output, { outType: begin.dtype });
    const column = stack([length, 1]);
    const before = reshape(begin, column);
    const after = reshape(operator.sub(operator.sub(shape(input, { outType: begin.dtype }), extent), begin), column);
    return { input: pad(d.output, concat([before, after], 1)) };
  },
  partial: ({ input, begin, size: sizes }) => {
    const [from, extent] = [begin?.values[0], sizes?.values[0]];
    if (input?.shape.length !== 1 || from === undefined || from === null || extent === undefined || extent === null) return undefined;
    // TensorFlow follows partly known values through StridedSlice, not through this op.
    if (input.values.includes(null)) return undefined;
    const values = input.values.slice(from, extent < 0 ? undefined : from + extent);
    return { shape: [values.length], values };
  },
  lower: ({ input, begin }, context) => sliceOf(input, begin, context),
});

function sliceOf(input: Value, begin: Value, context: LowerContext): Value {
  const extent = numbersOf(context.required("size"));
  const isWhole = extent.every((size, axis) => size >= 0 && size <= input.shape[axis] && input.shape[axis] > 0);
  const from = context.known("begin") ?? (isWhole ? undefined : context.required("begin"));
  if (!from) return movingSlice(input, begin, extent);
  const start = numbersOf(from);
  const lengths = extent.map((d, axis) => (d === -1 ? input.shape[axis] - start[axis] : d));
  start.forEach((b, axis) => {
    const full = input.shape[axis];
    need(
      full > 0 || (b === 0 && lengths[axis] === 0),
      () => `Expected begin[${axis}] == 0 (got ${b}) and size[${axis}] == 0 (got ${lengths[axis]}) when input.dim_size(${axis}) == 0`,
    );
    if (b < 0 || b > full) throw new InvalidArgumentError(`Expected begin[${axis}] in [0, ${full}], but got ${b}`);
    if (lengths[axis] < 0 || b + lengths[axis] > full)
      throw new InvalidArgumentError(`Expected size[${axis}] in [0, ${full - b}], but got ${lengths[axis]}`);
  });
  return ir.slice(input, start, lengths);
}

/** A slice of fixed size whose beginning is only known while running (in a loop). */
function movingSlice(input: Value, begin: Value, lengths: readonly number[]): Value {
  if (lengths.length === 0) return input;
  ir.check(
    begin.shape,
    ([axis]) => {
      // Every axis has its own limit: the smallest is checked against each position by a chain of guards.
      const limits = lengths.map((d, k) => input.shape[k] - d);
      const at = s.load(begin, [axis]);
      const fits = limits.map(limit => s.and(s.ge(at, 0), s.le(at, limit)));
      return fits.reduceRight((otherwise, ok, k) => s.guard([{ index: axis, low: k, high: k + 1 }], ok, otherwise));
    },
    {
      label: "Slice",
      reads: [begin],
      error: ([axis], read) => {
        const b = Number(read(begin).get(axis));
        const full = input.shape[axis];
        if (b < 0 || b > full) return new InvalidArgumentError(`Expected begin[${axis}] in [0, ${full}], but got ${b}`);
        return new InvalidArgumentError(`Expected size[${axis}] in [0, ${full - b}], but got ${lengths[axis]}`);
      },
    },
  );
  return ir.generate(lengths, i =>
    s.load(
      input,
      i.map((index, axis) => addIndex(index, dataIndex(s.load(begin, [constantIndex(axis)]), input.shape[axis] - lengths[axis] + 1))),
    ),
  );
}

/** The block of `size` elements from `begin`; -1 means up to the end. TF: tf.slice.
 *  @throws InvalidArgumentError while running if it does not lie inside. */
export const slice = (input: TensorLike, begin: TensorLike, size: TensorLike, options?: NameOption): Tensor =>
  Slice({ input, begin, size }, named(options));

// ---- strided slices ----

const maskAttrs = {
  beginMask: attr.int(0),
  endMask: attr.int(0),
  ellipsisMask: attr.int(0),
  newAxisMask: attr.int(0),
  shrinkAxisMask: attr.int(0),
};
const sliceIndexTypes = ["int16", "int32", "int64"] as const satisfies readonly DType[];
const masksOf = ({ beginMask, endMask, ellipsisMask, newAxisMask, shrinkAxisMask }: Masks): Masks => ({
  beginMask,
  endMask,
  ellipsisMask,
  newAxisMask,
  shrinkAxisMask,
});

function slicedShape(input: TensorShape, begin: TensorShape, masks: Masks, context: ShapeContext): TensorShape {
  const known = context.constant("strides");
  if (input.dims === null || begin.dims === null || known === undefined) return TensorShape.unknown();
  const strides = numbersOf(known);
  const unknown = strides.map(() => null);
  // What the steps and masks alone are refused for is told before begin and end are asked for.
  expandSpec(input.dims.length, unknown, unknown, strides, masks);
  // TensorFlow uses begin and end only where both are wholly known; knowing more here does no harm.
  const from = partialNumbers(context.partial("begin")) ?? unknown;
  const to = partialNumbers(context.partial("end")) ?? unknown;
  const spec = expandSpec(input.dims.length, from, to, strides, masks);
  const lengths = spec.axes.map((axis, k) => resolveAxis(axis, (input.dims as readonly Dimension[])[k], k).length);
  return new TensorShape(spec.result.map(axis => (axis === "new" ? 1 : lengths[axis])));
}

type Sizes = readonly number[];

/** What everything that slices by strides asks of their vectors. */
export function checkStrides({ begin, end, strides }: Readonly<Record<"begin" | "end" | "strides", Sizes>>): void {
  need(
    begin.length === 1 && end.length === 1 && strides.length === 1 && begin[0] === end[0] && begin[0] === strides[0],
    () => `Expected begin, end, and strides to be 1D equal size tensors, but got shapes [${begin}], [${end}], and [${strides}] instead.`,
  );
}

/** Of a scalar there are new axes and ellipses alone. */
export function checkScalar(rank: number, entries: number, free: number): void {
  const isSliced = Array.from({ length: Math.min(entries, 31) }, (_, i) => (free >> i) & 1).includes(0);
  need(rank > 0 || !isSliced, () => "Attempting to slice scalar input.");
}

export const StridedSlice = defineOp("StridedSlice", {
  inputs: { input: "T", begin: "Index", end: "Index", strides: "Index" },
  outputs: { output: "T" },
  attrs: { T: attr.type(), Index: attr.type(sliceIndexTypes), ...maskAttrs },
  shape: ({ input, begin, end, strides, ...masks }, context) => {
    const places = begin.withRank(1);
    places.mergeWith(end.withRank(1)).mergeWith(strides.withRank(1));
    return slicedShape(input, places, masksOf(masks), context);
  },
  checks: ({ input, newAxisMask, ellipsisMask, ...sizes }) => {
    checkStrides(sizes);
    checkScalar(input.length, sizes.begin[0], newAxisMask | ellipsisMask);
  },
  gradient: ({ input, begin, end, strides, ...masks }, d): Gradients => {
    const inputShape = shape(input, { outType: begin.dtype });
    return {
      input: StridedSliceGrad({
        shape: plain(inputShape),
        begin: plain(begin),
        end: plain(end),
        strides: plain(strides),
        dy: d.output,
        ...masksOf(masks),
      }),
    };
  },
  partial: ({ input, begin, end, strides, shapes, isLiteral, ...masks }) => {
    if (!input || input.shape.length > 1 || !begin || !end || !strides || strides.values.includes(null)) return undefined;
    const spec = expandSpec(input.shape.length, begin.values, end.values, strides.values as number[], masksOf(masks));
    if (input.shape.length === 0) return spec.result.length <= 1 ? { shape: spec.result.map(() => 1), values: input.values } : undefined;
    const [axis] = spec.axes;
    const { begin: from, length } = resolveAxis(axis, input.values.length, 0);
    if (from === null || length === null || spec.result.length > 1) return undefined;
    // One number of a partly known shape is followed by TensorFlow only if the position is a Const node.
    if (spec.result.length === 0 && input.isShapeOnly && (input.isShapeOnly === "derived" || !isLiteral("begin"))) return undefined;
    const values = Array.from({ length }, (_, i) => input.values[from + i * axis.stride]);
    return { shape: spec.result.length === 0 ? [] : [values.length], values };
  },
  isMonotone: true,
  followsShapes: true,
  staticShape: ({ input, begin, end, strides, ...masks }) => staticSlice(input, staticValues([begin, end, strides]), masksOf(masks)),
  lower: ({ input, begin, ...masks }, context) => {
    const strides = numbersOf(context.required("strides"));
    const known = (name: "begin" | "end", at: number): readonly (number | null)[] => {
      const array = context.known(name);
      return array ? numbersOf(array) : (partialValue(context.op.inputs[at])?.values ?? strides.map(() => null));
    };
    const spec = expandedAtRun(input.shape.length, known("begin", 1), known("end", 2), strides, masksOf(masks));
    return stridedSliceOf(input, begin, spec, context);
  },
});

/** A known tensor as an array, as TensorFlow's gradient passes it on; others as they are. */
const plain = (tensor: Tensor): TensorLike => staticValue(tensor) ?? tensor;

/** Part of a shape, taken as Python takes a part of a list; only one slice without other masks is followed. */
function staticSlice(input: Tensor, bounds: readonly NDArray[] | undefined, masks: Masks): TensorShape | undefined {
  const { beginMask, endMask, ...others } = masks;
  if (!bounds || beginMask > 1 || endMask > 1 || Object.values(others).some(mask => mask !== 0)) return undefined;
  const { dims } = staticShape(input);
  const [begin, end, stride] = bounds.map(bound => Number(bound.get(0)));
  if (dims === null || stride === 0) return undefined;
  const { length } = dims;
  const [low, high] = stride > 0 ? [0, length] : [-1, length - 1];
  const within = (at: number): number => Math.min(Math.max(at < 0 ? at + length : at, low), high);
  const [from, to] = [beginMask ? (stride > 0 ? low : high) : within(begin), endMask ? (stride > 0 ? high : low) : within(end)];
  return new TensorShape(Array.from({ length: Math.max(0, Math.ceil((to - from) / stride)) }, (_, i) => dims[from + i * stride]));
}

/** What a spec asks wrongly is a run-time error where it is only known then. */
export function expandedAtRun(...args: Parameters<typeof expandSpec>): SliceSpec {
  try {
    return expandSpec(...args);
  } catch (error) {
    throw error instanceof ValueError ? new InvalidArgumentError(error.reason) : error;
  }
}

export function resolvedAtRun(...args: Parameters<typeof resolveAxis>): ReturnType<typeof resolveAxis> {
  try {
    return resolveAxis(...args);
  } catch (error) {
    throw error instanceof ValueError ? new InvalidArgumentError(error.reason) : error;
  }
}

/** The index of a single position that is only known while running; counted from the end where negative. Its bounds are checked. */
function movingIndex(begin: Value, position: number, size: number, axis: number): Index {
  const at = s.load(begin, [constantIndex(position)]);
  const front = s.select(s.lt(at, 0), s.add(at, size), at);
  ir.check([], () => s.and(s.ge(front, 0), s.lt(front, size)), {
    label: "StridedSlice",
    reads: [begin],
    error: (_, read) => {
      const asked = Number(read(begin).get(position));
      return new InvalidArgumentError(indexOutside(asked < 0 ? asked + size : asked, axis));
    },
  });
  return dataIndex(front, size);
}

interface Start {
  readonly index: Index;
  readonly length: number;
}

/** Where each axis of a slice starts and how long it is. Ranges whose ends are not known yet cut the run. */
function startsOf(dims: readonly number[], begin: Value, spec: SliceSpec, context: LowerContext): Start[] {
  return spec.axes.map((axis, k) => {
    const { begin: from, length } = resolvedAtRun(axis, dims[k], k);
    if (axis.isIndex && from === null) return { index: movingIndex(begin, axis.position, dims[k], k), length: 1 };
    if (from !== null && length !== null) return { index: constantIndex(from), length };
    const complete = {
      ...axis,
      begin: axis.begin ?? numbersOf(context.required("begin"))[axis.position],
      end: axis.end ?? numbersOf(context.required("end"))[axis.position],
    };
    const resolved = resolvedAtRun(complete, dims[k], k);
    return { index: constantIndex(resolved.begin ?? 0), length: resolved.length ?? 0 };
  });
}

function stridedSliceOf(input: Value, begin: Value, spec: SliceSpec, context: LowerContext): Value {
  const starts = startsOf(input.shape, begin, spec, context);
  const dims = spec.result.map(axis => (axis === "new" ? 1 : starts[axis].length));
  return ir.generate(dims, i =>
    s.load(
      input,
      spec.axes.map(({ stride }, axis) => {
        const at = spec.result.indexOf(axis);
        return at < 0 ? starts[axis].index : addIndex(starts[axis].index, scaleIndex(i[at], stride));
      }),
    ),
  );
}

/** Zeros of `shape` with dy in the place of the slice. */
export const StridedSliceGrad = defineOp("StridedSliceGrad", {
  inputs: { shape: "Index", begin: "Index", end: "Index", strides: "Index", dy: "T" },
  outputs: { output: "T" },
  attrs: { T: attr.type(), Index: attr.type(attr.indexTypes), ...maskAttrs },
  shape: (_, context) => context.shapeFrom("shape"),
  checks: ({ shape: wanted, newAxisMask, ellipsisMask, ...sizes }) => {
    need(wanted.length === 1, () => `shape must be 1-D, got shape.shape = [${wanted}]`);
    checkStrides(sizes);
    checkScalar(wanted[0], sizes.begin[0], newAxisMask | ellipsisMask);
  },
  gradient: ({ begin, end, strides, ...masks }, d): Gradients => ({
    dy: StridedSlice({ input: d.output, begin, end, strides, ...masksOf(masks) }),
  }),
  compileTimeInputs: ["shape"],
  lower: ({ shape: wanted, begin, dy, ...masks }, context) => {
    const dims = numbersOf(wanted);
    for (const size of dims) need(size >= 0, () => `Dimension ${size} must be >= 0`);
    const strides = numbersOf(context.required("strides"));
    const known = (name: "begin" | "end", at: number): readonly (number | null)[] => {
      const array = context.known(name);
      return array ? numbersOf(array) : (partialValue(context.op.inputs[at])?.values ?? strides.map(() => null));
    };
    const spec = expandedAtRun(dims.length, known("begin", 1), known("end", 2), strides, masksOf(masks));
    const starts = startsOf(dims, begin, spec, context);
    const sliced = spec.result.map(axis => (axis === "new" ? 1 : starts[axis].length));
    need(sameShape(sliced, dy.shape), () => `shape of dy was [${dy.shape}] instead of [${sliced}]`);
    const isFixed = starts.every(({ index }) => index.terms.length === 0);
    return isFixed ? unslice(dims, starts, spec, dy) : scatterSlice(dims, starts, spec, dy);
  },
});

/** The result's index in dy for an index of the whole, given the position within each axis's slice. */
const dyIndex = (spec: SliceSpec, within: readonly Index[]): Index[] =>
  spec.result.map(axis => (axis === "new" ? constantIndex(0) : within[axis]));

function unslice(dims: readonly number[], starts: readonly Start[], spec: SliceSpec, dy: Value): Value {
  return ir.generate(dims, i => {
    const bounds = starts.flatMap(({ index, length }, axis) => {
      const { stride } = spec.axes[axis];
      const step = Math.abs(stride);
      const distance = scaleIndex(addIndex(i[axis], constantIndex(-index.offset)), Math.sign(stride));
      const inside = { index: distance, low: 0, high: (length - 1) * step + 1 };
      return step === 1 || length <= 1 ? [inside] : [inside, { index: modIndex(distance, step), low: 0, high: 1 }];
    });
    const within = starts.map(({ index }, axis) => {
      const { stride } = spec.axes[axis];
      return quotient(
        scaleIndex(addIndex(i[axis], constantIndex(-index.offset)), Math.sign(stride)),
        Math.abs(stride),
        starts[axis].length,
      );
    });
    if (dy.shape.includes(0)) return s.constant(dy.dtype, 0);
    return s.guard(bounds, s.load(dy, dyIndex(spec, within)), s.constant(dy.dtype, 0));
  });
}

const quotient = (index: Index, by: number, length: number): Index => (length === 1 ? constantIndex(0) : divIndex(index, by));

function scatterSlice(dims: readonly number[], starts: readonly Start[], spec: SliceSpec, dy: Value): Value {
  return ir.scatter("assign", ir.full(dy.dtype, dims, 0), dy.shape, r => ({
    at: spec.axes.map(({ stride }, axis) => {
      const k = spec.result.indexOf(axis);
      return s.index(k < 0 ? starts[axis].index : addIndex(starts[axis].index, scaleIndex(r[k], stride)));
    }),
    body: s.load(dy, r),
  }));
}

interface StridedSliceOptions extends Named, Partial<Masks> {
  readonly strides?: TensorLike | null;
}

/** The elements from `begin` to `end` by `strides` (ones); bit k of a mask concerns position k of the spec. TF: tf.strided_slice. */
export function stridedSlice(
  input: TensorLike,
  begin: TensorLike,
  end: TensorLike,
  strides?: TensorLike | null,
  options?: StridedSliceOptions,
): Tensor;
export function stridedSlice(input: TensorLike, begin: TensorLike, end: TensorLike, options?: StridedSliceOptions): Tensor;
export function stridedSlice(input: TensorLike, begin: TensorLike, end: TensorLike, ...rest: unknown[]): Tensor {
  const names = ["strides", "beginMask", "endMask", "ellipsisMask", "newAxisMask", "shrinkAxisMask", "var", "name"];
  const { strides, name, ...masks } = collect<StridedSliceOptions>(names, rest);
  const steps = strides ?? onesLike(asIndices(begin));
  return StridedSlice(
    { input, begin, end, strides: steps, beginMask: 0, endMask: 0, ellipsisMask: 0, newAxisMask: 0, shrinkAxisMask: 0, ...masks },
    { name },
  );
}

/** A list of plain numbers as int32, which is what indices are. */
const asIndices = (value: TensorLike): TensorLike =>
  Array.isArray(value) && value.every(item => typeof item === "number") ? NDArray.from(value as number[], "int32", [value.length]) : value;

// ---- x.at(…) ----

const typeError =
  "Only integers, slices (`:`), ellipsis (`...`), tf.newaxis (`None`) and scalar tf.int32/tf.int64 tensors are valid indices";

const sliceAdvice = "A slice is an array: x.at([1, 3]) is x[1:3], x.at([]) is x[:], x.at([null, null, 2]) is x[::2].";

type Bound = number | bigint | Tensor;

/** @throws TypeError with TensorFlow's text unless the value can be an index. */
function checkIndex(value: unknown): Bound {
  if (typeof value === "bigint" || (typeof value === "number" && Number.isInteger(value))) return value;
  if (isAsTensor(value)) return checkIndex(value.asGraphTensor({}));
  if (value instanceof SizeOfShape) return checkIndex(value.value);
  if (value instanceof Tensor && (sliceIndexTypes as readonly DType[]).includes(value.dtype) && value.shape.rank !== 1) return value;
  if (value instanceof NDArray && value.rank === 0 && typeof value.item() !== "boolean") return checkIndex(Number(value.item()));
  throw new TypeError(`${typeError}, got ${value instanceof Tensor ? value : pythonRepr(value)}\n\n${sliceAdvice}`);
}

const isMask = (spec: unknown): spec is TensorLike =>
  typeof spec === "boolean" ||
  ((spec instanceof Tensor || spec instanceof NDArray) && spec.dtype === "bool") ||
  (Array.isArray(spec) && spec.length > 0 && literalType(spec).dtype === "bool");

/** Python's `tensor[spec]`: integers (negative from the end), `[start, end, step]` with null for open ends (`[]` is `:`), tf.ellipsis, tf.newaxis,
 *  scalar integer tensors; a single bool tensor or nested list selects as tf.booleanMask.
 *  @throws TypeError for other indices; ValueError for an index out of bounds. */
export function getItem(tensor: TensorLike, ...spec: readonly IndexSpec[]): Tensor {
  if (spec.length === 1 && isMask(spec[0])) return booleanMask(tensor, spec[0]);
  const x = convertToTensor(tensor);
  const begin: Bound[] = [];
  const end: Bound[] = [];
  const strides: Bound[] = [];
  const masks = { beginMask: 0, endMask: 0, ellipsisMask: 0, newAxisMask: 0, shrinkAxisMask: 0 };
  const push = (b: Bound, e: Bound, step: Bound): void => {
    begin.push(b);
    end.push(e);
    strides.push(step);
  };
  spec.forEach((item, i) => {
    if (item === ellipsis) {
      masks.ellipsisMask |= 1 << i;
      push(0, 0, 1);
    } else if (item === newaxis) {
      masks.newAxisMask |= 1 << i;
      push(0, 0, 1);
    } else if (Array.isArray(item)) push(...rangeBounds(item as readonly unknown[], i, masks));
    else {
      const at = checkIndex(item);
      masks.shrinkAxisMask |= 1 << i;
      const isWide = at instanceof Tensor && at.dtype !== "int32";
      push(at, at instanceof Tensor ? operator.add(at, 1) : typeof at === "bigint" ? at + 1n : at + 1, isWide ? constant(1, at.dtype) : 1);
    }
  });
  return inNameScope(null, "strided_slice", [x, ...begin, ...end, ...strides], scope => {
    const [b, e, steps] = sameIndexType(
      begin.length === 0 ? emptySpec() : [packed(begin, "stack"), packed(end, "stack"), packed(strides, "stack")],
    );
    return StridedSlice({ input: x, begin: b, end: e, strides: steps, ...masks }, scope);
  });
}

function emptySpec(): [Tensor, Tensor, Tensor] {
  const empty = constant([], "int32");
  return [empty, empty, empty];
}

/** `[start, end, step]` → begin, end and stride, open ends marked in the masks. */
function rangeBounds(item: readonly unknown[], i: number, masks: { beginMask: number; endMask: number }): [Bound, Bound, Bound] {
  if (item.length > 3) throw new TypeError(`${typeError}, got ${JSON.stringify(item)}`);
  const [start, stop, step] = item.map(bound => (bound === null || bound === undefined ? undefined : checkIndex(bound)));
  const wide = [start, stop, step].map(bound => (bound instanceof Tensor ? bound.dtype : undefined));
  const type = wide.includes("int64") ? "int64" : wide.includes("int32") ? "int32" : wide.find(dtype => dtype !== undefined);
  const fallback = (value: number): Bound => (type === undefined ? value : constant(value, type));
  if (start === undefined) masks.beginMask |= 1 << i;
  const from = start ?? fallback(0);
  if (stop === undefined) masks.endMask |= 1 << i;
  const to = stop ?? fallback(0);
  return [from, to, step ?? fallback(1)];
}

const packed = (bounds: readonly Bound[], name: string): Tensor => {
  const isWide = bounds.some(bound => typeof bound === "bigint" || (bound instanceof Tensor && bound.dtype === "int64"));
  return bounds.some(bound => bound instanceof Tensor)
    ? stack(bounds, 0, { name })
    : convertToTensor(isWide ? bounds.map(bound => BigInt(bound as number)) : bounds.map(Number), {
        dtype: isWide ? "int64" : "int32",
        name,
      });
};

/** All int64 if one is. */
const sameIndexType = (spec: readonly [Tensor, Tensor, Tensor]): readonly Tensor[] =>
  spec.some(({ dtype }) => dtype === "int64") ? spec.map(tensor => (tensor.dtype === "int64" ? tensor : cast(tensor, "int64"))) : spec;

// ---- concat ----

/** The shape of a concatenation along a known axis: the parts before and after it must agree. */
/** @throws ValueError for ranks and sizes that differ. */
export function joinedShape(values: readonly TensorShape[], axis: number | null): TensorShape {
  const known = values.find(({ rank: r }) => r !== null);
  const length = known?.rank ?? null;
  if (length === null) return TensorShape.unknown();
  if (length === 0) throw new ValueError("Can't concatenate scalars (use tf.stack instead)");
  if (axis === null) {
    for (const value of values) value.withRank(length);
    return TensorShape.unknownOfRank(length);
  }
  if (axis < -length || axis >= length)
    throw new ValueError(`Shape must be at least rank ${axis < 0 ? -axis : axis + 1} but is rank ${length}`);
  const at = axis < 0 ? axis + length : axis;
  let head = TensorShape.unknown();
  let tail = TensorShape.unknown();
  let size: Dimension = 0;
  for (const value of values) {
    const shaped = value.dims === null ? TensorShape.unknownOfRank(length) : value.withRank(length);
    head = head.mergeWith(shaped.slice(0, at));
    tail = tail.mergeWith(shaped.slice(at + 1));
    const d = shaped.dim(at);
    size = size === null || d === null ? null : size + d;
  }
  return head.concatenate([size]).concatenate(tail);
}

const joinedPartial = (
  values: readonly (PartialArray | undefined)[],
  shapes: readonly TensorShape[],
  axis: number | null,
): PartialArray | undefined => {
  if (values.every(value => value?.shape.length === 2) && (axis === 1 || axis === -1))
    return joinedColumns(values as readonly PartialArray[]);
  // Of a vector that is not known at least the length may be.
  const lists = values.map((value, k) =>
    value?.shape.length === 1 ? value.values : shapes[k].rank === 1 ? nulls(shapes[k].dim(0)) : undefined,
  );
  if (lists.includes(undefined)) return undefined;
  const all = lists.flatMap(list => list ?? []);
  return { shape: [all.length], values: all };
};

const nulls = (length: Dimension): null[] | undefined => (length === null || length > 64 ? undefined : Array<null>(length).fill(null));

/** Small tables side by side: what paddings are made of. */
function joinedColumns(values: readonly PartialArray[]): PartialArray {
  const [rows] = values[0].shape;
  const columns = values.reduce((sum, { shape: [, count] }) => sum + count, 0);
  const row = (k: number): (number | null)[] =>
    values.flatMap(({ shape: [, count], values: all }) => all.slice(k * count, (k + 1) * count));
  return { shape: [rows, columns], values: Array.from({ length: rows }, (_, k) => row(k)).flat() };
}

function joinedValue(values: readonly Value[], axis: number): Value {
  const length = values[0].shape.length;
  if (axis !== 0 && (axis < -length || axis >= length))
    throw new InvalidArgumentError(`ConcatOp : Expected concatenating dimensions in the range [${-length}, ${length}), but got ${axis}`);
  const at = axis < 0 ? axis + length : axis;
  values.forEach((value, k) => {
    need(value.shape.length > 0, () => "ConcatOp : Can't concatenate scalars (use tf.stack instead)");
    if (value.shape.length !== length)
      throw new InvalidArgumentError(
        `ConcatOp : Ranks of all input tensors should match: shape[0] = [${values[0].shape.join(",")}] vs. shape[${k}] = [${value.shape.join(",")}]`,
      );
    const axisOff = value.shape.findIndex((d, i) => i !== at && d !== values[0].shape[i]);
    if (axisOff >= 0)
      throw new InvalidArgumentError(
        `ConcatOp : Dimension ${axisOff} in both shapes must be equal: shape[0] = [${values[0].shape.join(",")}] vs. shape[${k}] = [${value.shape.join(",")}]`,
      );
  });
  return ir.concat(values, at);
}

/** The shapes as constants where all are known. TensorFlow finds out one by one, which leaves a Shape node behind. */
function shapesOf(values: readonly Tensor[]): readonly Tensor[] {
  const sizes: Tensor[] = [];
  for (const value of values) {
    sizes.push(shape(value));
    if (!value.shape.isFullyDefined) return ShapeN({ input: values });
  }
  return sizes;
}

/** Gradients of the pieces: slices of dz at their offsets. */
function concatGradient(values: readonly Tensor[], axis: Tensor, dz: Tensor | IndexedSlices): (Tensor | IndexedSlices)[] {
  if (dz instanceof IndexedSlices) return concatSlices(values, axis, dz);
  const { value } = axis.op.attrs;
  // In a loop of gradients a constant is made anew rather than kept on a stack.
  const isElsewhere = outputContext(axis.op) !== outputContext(dz.op);
  const known = value instanceof NDArray && isElsewhere ? constant(value, axis.dtype) : axis;
  const front = operator.mod(known, rank(values[0]));
  const sizes = shapesOf(values);
  if (sizes.length > 16) {
    const lengths = squeeze(slice(stack(sizes, 1), [front, 0], [1, -1]));
    return [...split(dz, lengths, front, { num: sizes.length })];
  }
  const offsets = ConcatOffset({ concatDim: front, shape: sizes });
  return sizes.map((extent, k) => slice(dz, offsets[k], extent));
}

/** Gradients of the pieces where rows of the whole are given: to each its own rows, or its part of each. */
function concatSlices(values: readonly Tensor[], axis: Tensor, dz: IndexedSlices): IndexedSlices[] {
  const front = operator.mod(axis, rank(values[0]));
  const given = staticValue(axis)?.item();
  if (given === undefined) throw new ValueError("Can only compute IndexedSlices gradient with statically-known concat_dim");
  // TensorFlow asks for the rank again, which leaves a node.
  if (Number(given) < 0 && staticValue(rank(values[0])) === undefined)
    throw new ValueError("Can only compute IndexedSlices gradient with negative concat_dim when first value rank is statically-known.");
  const sizes = values.map(value => shape(value));
  return Number(given) % (values[0].shape.rank ?? 1) === 0 ? rowsOfPieces(sizes, front, dz) : columnsOfPieces(sizes, front, dz);
}

function rowsOfPieces(sizes: readonly Tensor[], front: Tensor, { values, indices }: IndexedSlices): IndexedSlices[] {
  let start = constant(0, indices.dtype);
  return sizes.map(size => {
    const end = operator.add(start, cast(gather(size, front), indices.dtype));
    const isOwn = logicalAnd(operator.greaterEqual(indices, start), operator.less(indices, end));
    const own = squeeze(where(isOwn), [1]);
    const rows = operator.sub(gather(indices, own), start);
    start = end;
    return new IndexedSlices(gather(values, own), rows, size);
  });
}

function columnsOfPieces(sizes: readonly Tensor[], front: Tensor, dz: IndexedSlices): IndexedSlices[] {
  const length = shape(sizes[0]);
  const [before, behind] = [zeros(expandDims(front, 0), "int32"), zeros(operator.sub(operator.sub(length, front), 1), "int32")];
  const mask = concat([before, [1], behind], 0);
  let begin = zeros(length, "int32");
  return sizes.map(size => {
    const own = slice(dz.values, begin, concat([[-1], slice(size, [1], [-1])], 0));
    begin = add(begin, operator.mul(size, mask));
    return new IndexedSlices(own, dz.indices, size);
  });
}

function staticJoin(values: readonly Tensor[], axis: Tensor): NDArray | undefined {
  const at = staticValue(axis);
  const known = at && staticValues(values);
  return known && joinArrays(known, Number(at.item()));
}

const joinedShapes = (values: readonly Tensor[]): TensorShape =>
  values.reduce((all, value) => all.concatenate(staticShape(value)), new TensorShape([]));

export const ConcatV2 = defineOp("ConcatV2", {
  inputs: { values: "N*T", axis: "Tidx" },
  outputs: { output: "T" },
  attrs: { N: attr.int(undefined, 2), T: attr.type(), Tidx: attr.type(attr.indexTypes, "int32") },
  shape: ({ values, axis }, context) => {
    axis.withRank(0);
    return joinedShape(values, context.partial("axis")?.values[0] ?? null);
  },
  checks: ({ axis }) =>
    need(
      axis.length === 0 || (axis.length === 1 && axis[0] === 1),
      () => `axis tensor should be a scalar integer, but got shape [${axis}]`,
    ),
  isLenient: true,
  gradient: ({ values, axis }, d: { readonly output: Tensor | IndexedSlices }): Gradients => ({
    values: concatGradient(values, axis, d.output),
  }),
  takesSlices: true,
  compileTimeInputs: ["axis"],
  partial: ({ values, axis, shapes }) => joinedPartial(values, shapes.values, axis?.values[0] ?? null),
  followsShapes: true,
  staticValue: ({ values, axis }) => staticJoin(values, axis),
  staticShape: ({ values }) => joinedShapes(values),
  lower: ({ values, axis }) => joinedValue(values, numbersOf(axis)[0]),
});

/** The older ConcatV2, its axis first. */
export const Concat = defineOp("Concat", {
  inputs: { concatDim: "int32", values: "N*T" },
  outputs: { output: "T" },
  attrs: { N: attr.int(undefined, 2), T: attr.type() },
  shape: ({ values }, context) => joinedShape(values, context.partial("concatDim")?.values[0] ?? null),
  gradient: ({ values, concatDim }, d: { readonly output: Tensor | IndexedSlices }): Gradients => ({
    values: concatGradient(values, concatDim, d.output),
  }),
  takesSlices: true,
  compileTimeInputs: ["concatDim"],
  partial: ({ values, concatDim, shapes }) => joinedPartial(values, shapes.values, concatDim?.values[0] ?? null),
  followsShapes: true,
  staticValue: ({ values, concatDim }) => staticJoin(values, concatDim),
  staticShape: ({ values }) => joinedShapes(values),
  lower: ({ values, concatDim }) => joinedValue(values, numbersOf(concatDim)[0]),
});

/** Where each piece of a concatenation begins. */
export const ConcatOffset = defineOp("ConcatOffset", {
  inputs: { concatDim: "int32", shape: "N*shapeType" },
  outputs: { offset: "N*shapeType" },
  attrs: { N: attr.int(undefined, 2), shapeType: attr.type(attr.indexTypes, "int32") },
  shape: ({ shape: shapes }) => shapes,
  checks: ({ concatDim, shape: given }) => {
    need(concatDim.length === 0, () => `Concat dim tensor should be a scalar integer, but got shape [${concatDim}]`);
    given.forEach((dims, i) => void need(dims.length === 1, () => `input ${i + 1} should be a vector, but got shape [${dims}]`));
  },
  gradient: "none",
  compileTimeInputs: ["concatDim", "shape"],
  partial: ({ concatDim, shape: shapes, outputIndex }) => {
    const axis = concatDim?.values[0];
    if (axis === undefined || axis === null || shapes.some(value => value === undefined)) return undefined;
    const before = shapes.slice(0, outputIndex).map(value => value?.values[axis] ?? null);
    const sum = before.includes(null) ? null : (before as number[]).reduce((total, d) => total + d, 0);
    const count = shapes[0]?.values.length ?? 0;
    return { shape: [count], values: Array.from({ length: count }, (_, k) => (k === axis ? sum : 0)) };
  },
  lower: ({ concatDim, shape: shapes, shapeType }) => {
    const [axis] = numbersOf(concatDim);
    const rank = shapes[0].size;
    const at = axis < 0 ? axis + rank : axis;
    need(at >= 0 && at < rank, () => `Concat dim is out of range: ${axis} vs. ${rank}`);
    shapes.forEach(({ size }, i) => void need(size === rank, () => `input ${i} should contain ${rank} elements, but got ${size}`));
    const [first, ...others] = shapes.map(numbersOf);
    others.forEach((piece, i) => {
      need(
        piece.every((size, k) => k === at || size === first[k]),
        () =>
          `All dimensions except ${at} must match. Input ${i + 1} has shape [${piece.join(" ")}] and doesn't match input 0 with shape [${first.join(" ")}].`,
      );
    });
    let sum = 0;
    return shapes.map(piece => {
      const offset = numbersOf(piece).map((_, k) => (k === at ? sum : 0));
      sum += numbersOf(piece)[at];
      return ir.constant(NDArray.from(offset, shapeType, [offset.length]));
    });
  },
});

/** Tensors joined along an axis; all other dimensions are equal. TF: tf.concat. @throws ValueError if they are not. */
export function concat(values: readonly TensorLike[] | Tensor, axis: TensorLike, options?: NameOption): Tensor {
  const list = Array.isArray(values) ? (values as readonly TensorLike[]) : [values as Tensor];
  const name = named(options).name ?? "concat";
  // Before TensorFlow 1.0 the axis came first.
  if (!Array.isArray(values) && Array.isArray(axis))
    throw new TypeError(`tf.concat() takes the list of values first, then the axis.\n\nWrite tf.concat(values, ${String(values)}).`);
  if (list.length === 1)
    return inNameScope({ name }, "concat", [list], () => {
      const at = convertToTensor(axis, { name: "concat_dim", dtype: axis instanceof Tensor ? undefined : "int32" });
      if (at.shape.rank !== null && at.shape.rank !== 0) throw new ValueError(`Shape ${at.shape} must have rank 0`);
      return identity(list[0], { name });
    });
  return ConcatV2({ values: list, axis }, { name });
}

// ---- stack, unstack ----

/** Tensors of one shape joined along a new axis. TF: tf.stack. @throws ValueError for an axis out of range. */
export function stack(values: readonly TensorLike[] | Tensor, axis?: number, options?: NameOption): Tensor;
export function stack(values: readonly TensorLike[] | Tensor, options?: Named & { readonly axis?: number }): Tensor;
export function stack(values: readonly TensorLike[] | Tensor, ...rest: unknown[]): Tensor {
  const { axis = 0, name = "stack" } = collect<Named & { axis: number }>(["axis", "name"], rest);
  if (axis === 0) {
    try {
      return convertToTensor(values as TensorLike, { name: String(name) });
    } catch (error) {
      // TensorFlow then tries Pack itself, which says what is wrong (under the next name, the first being taken).
      if (!(error instanceof ValueError || error instanceof TypeError)) throw error;
    }
  }
  const list = Array.isArray(values) ? (values as readonly TensorLike[]) : [values as Tensor];
  const [first] = values instanceof NDArray && values.rank > 0 ? [values.at(0)] : list;
  const length = first instanceof Tensor ? first.shape.rank : convertToTensor(first, { name: String(name) }).shape.rank;
  if (length !== null && (axis < -length - 1 || axis >= length + 1))
    throw new ValueError(`Argument \`axis\` = ${axis} not in range [${-length - 1}, ${length + 1})`);
  return Pack({ values: list, axis }, { name });
}

/** Pieces of one row each, joined. */
export const ParallelConcat = defineOp("ParallelConcat", {
  inputs: { values: "N*T" },
  outputs: { output: "T" },
  attrs: { N: attr.int(undefined, 1), T: attr.type(), shape: attr.shape() },
  shape: ({ values, shape }) => {
    if (shape.dims === null || shape.dims.includes(null)) throw new ValueError("shape attr must be fully defined.");
    if (!values.every(value => value.isFullyDefined)) throw new ValueError("All input shapes must be fully defined.");
    let common = new TensorShape([1, ...shape.dims.slice(1)]);
    for (let k = values.length - 1; k >= 0; k--) {
      if (values[k].dim(0) !== 1) throw new ValueError("Size of first dimension must be 1.");
      common = mergedInto(common, values[k], k);
    }
    return shape;
  },
  lower: ({ values, shape }) => {
    const joined = ir.concat(values, 0);
    const after = shape.asNumbers().map((size, axis) => size - joined.shape[axis]);
    return ir.pad(
      joined,
      after.map(() => 0),
      after,
    );
  },
});

/** Tensors of one shape joined along a new first axis. TF: tf.parallel_stack. */
export const parallelStack = (values: readonly TensorLike[], options?: NameOption): Tensor =>
  inNameScope(options, "parallel_stack", [values], () => {
    if (values instanceof Tensor)
      throw new TypeError(
        `len is not well defined for a symbolic Tensor (${values.name}). Please call \`x.shape\` rather than \`len(x)\` for shape information.`,
      );
    const first = convertToTensor(values[0]);
    const shape = new TensorShape([values.length]).concatenate(first.shape);
    return ParallelConcat({ values: [first, ...values.slice(1)].map(value => expandDims(value, 0)), shape });
  });

interface UnstackOptions extends Named {
  readonly num?: number | null;
  readonly axis?: number;
}

/** The slices of a tensor along an axis (0). TF: tf.unstack. @throws ValueError if their number is unknown. */
export function unstack(value: TensorLike, num?: number | null, axis?: number, options?: NameOption): readonly Tensor[];
export function unstack(value: TensorLike, options?: UnstackOptions): readonly Tensor[];
export function unstack(value: TensorLike, ...rest: unknown[]): readonly Tensor[] {
  const { num, axis = 0, name = "unstack" } = collect<UnstackOptions>(["num", "axis", "name"], rest);
  if (num !== undefined && num !== null) return Unpack({ value, num, axis }, { name });
  const tensor = convertToTensor(value);
  const length = tensor.shape.rank;
  if (length !== null && (axis < -length || axis >= length))
    throw new ValueError(`Argument \`axis\` = ${axis} not in range [${-length}, ${length})`);
  const count = tensor.shape.dim(axis);
  if (count === null) throw new ValueError(`Cannot infer argument \`num\` from shape ${tensor.shape}`);
  return Unpack({ value: tensor, num: count, axis }, { name });
}

// ---- split ----

/** The shape with one dimension replaced; unknown where the axis is. */
function withDimension(value: TensorShape, axis: number | null, size: Dimension): TensorShape {
  if (value.dims === null) return TensorShape.unknown();
  if (axis === null) return TensorShape.unknownOfRank(value.dims.length);
  return new TensorShape(value.dims.with(axis, size));
}

/** Pieces of the given lengths along an axis. */
function piecesOf(value: Value, axis: number, lengths: readonly number[]): Value[] {
  let from = 0;
  return lengths.map(length => {
    const begin = value.shape.map((_, k) => (k === axis ? from : 0));
    from += length;
    return ir.slice(value, begin, value.shape.with(axis, length));
  });
}

const axisAtRun = (axis: number, length: number): number => {
  if (axis < -length || axis >= length)
    throw new InvalidArgumentError(`-input rank(-${length}) <= split_dim < input rank (${length}), but got ${axis}`);
  return axis < 0 ? axis + length : axis;
};

export const Split = defineOp("Split", {
  inputs: { splitDim: "int32", value: "T" },
  outputs: { output: "numSplit*T" },
  attrs: { numSplit: attr.int(undefined, 1), T: attr.type() },
  shape: ({ value, numSplit }, context) => {
    const axis = context.scalarSize("splitDim", value.rank);
    const size = axis === null ? null : value.dim(axis);
    if (size !== null && size % numSplit !== 0)
      throw new ValueError(
        `Dimension size must be evenly divisible by ${numSplit} but is ${size}\n\tNumber of ways to split should evenly divide the split dimension`,
      );
    const piece = withDimension(value, axis, size === null ? null : size / numSplit);
    return Array.from({ length: numSplit }, () => piece);
  },
  checks: ({ splitDim }) => need(splitDim.length === 0, () => `split_dim must be a scalar but has rank ${splitDim.length}`),
  gradient: ({ splitDim }, d): Gradients => ({ value: concat(d.output, splitDim) }),
  staticValue: ({ splitDim, value, numSplit }, outputIndex) => {
    const known = staticValues([splitDim, value]);
    return known && partOfArray(known[1], Number(known[0].item()), numSplit, outputIndex);
  },
  compileTimeInputs: ["splitDim"],
  lower: ({ splitDim, value, numSplit }) => {
    const axis = axisAtRun(numbersOf(splitDim)[0], value.shape.length);
    const size = value.shape[axis];
    if (size % numSplit !== 0)
      throw new InvalidArgumentError(
        `Number of ways to split should evenly divide the split dimension, but got split_dim ${axis} (size = ${size}) and num_split ${numSplit}`,
      );
    return piecesOf(value, axis, Array<number>(numSplit).fill(size / numSplit));
  },
});

export const SplitV = defineOp("SplitV", {
  inputs: { value: "T", sizeSplits: "Tlen", splitDim: "int32" },
  outputs: { output: "numSplit*T" },
  attrs: { numSplit: attr.int(undefined, 1), T: attr.type(), Tlen: attr.type(["int8", "int32", "int64"], "int64") },
  shape: ({ value, numSplit }, context) => {
    const lengths = context.partial("sizeSplits")?.values;
    const axis = context.scalarSize("splitDim", value.rank);
    if (value.rank === 0) throw new ValueError("Can't split scalars");
    if (lengths && axis !== null) {
      if (lengths.length !== numSplit) throw new ValueError("Length of size_splits should be equal to num_outputs");
      const wrong = lengths.findIndex(length => length !== null && length < -1);
      if (wrong >= 0) throw new ValueError(`Split size at index ${wrong} must be >= 0. Got: ${lengths[wrong]}`);
    }
    const whole = axis === null ? null : value.dim(axis);
    const complete = lengths && whole !== null && !lengths.includes(null) ? completeLengths(lengths as number[], whole) : lengths;
    if (complete && whole !== null && !complete.includes(null)) {
      const sum = (complete as number[]).reduce((total, d) => total + d, 0);
      if (sum !== whole) throw new ValueError(`can't split axis of size ${whole} into pieces of size [${(lengths ?? []).join(",")}]`);
    }
    return Array.from({ length: numSplit }, (_, k) => {
      const d = complete?.[k] ?? null;
      return withDimension(value, axis, d !== null && d >= 0 ? d : null);
    });
  },
  isLenient: true,
  checks: ({ sizeSplits, splitDim, numSplit }) => {
    need(sizeOf(splitDim) === 1, () => "split_dim_tensor must have exactly one element.");
    const count = sizeSplits.reduce((product, size) => product * size, 1);
    need(
      sizeSplits.length === 1 && count === numSplit,
      () => `size of the split_tensor must be 1-D and have the same elements as outputs got ${sizeSplits.length} -D and ${count} elements`,
    );
  },
  gradient: ({ splitDim }, d): Gradients => ({ value: concat(d.output, splitDim) }),
  compileTimeInputs: ["sizeSplits", "splitDim"],
  lower: ({ value, sizeSplits, splitDim, numSplit }) => {
    const axis = axisAtRun(numbersOf(splitDim)[0], value.shape.length);
    const given = numbersOf(sizeSplits);
    const whole = value.shape[axis];
    if (numSplit === 1) {
      need(
        given[0] === whole,
        () => `If there is only one output, it must have the same size as the input. Input size: ${whole} output size: ${given[0]}`,
      );
      return [value];
    }
    const open = given.filter(d => d === -1).length;
    need(open <= 1, () => "There can only be one -1 in the input.");
    const sum = given.reduce((total, d) => (d === -1 ? total : total + d), 0);
    need(
      open === 0 ? sum === whole : sum <= whole,
      () =>
        `Determined shape must either match input shape along split_dim exactly if fully specified, or be less than the size of the input along split_dim if not fully specified.  Got: ${sum}`,
    );
    const lengths = completeLengths(given, whole);
    lengths.forEach((d, i) => void need(d >= 0, () => `Split size at index ${i} must be >= 0. Got: ${d}`));
    return piecesOf(value, axis, lengths);
  },
});

/** Lengths with a −1 worked out. */
const completeLengths = (lengths: readonly number[], whole: number): number[] => {
  const rest = whole - lengths.filter(d => d !== -1).reduce((sum, d) => sum + d, 0);
  return lengths.map(d => (d === -1 ? rest : d));
};

interface SplitOptions extends Named {
  readonly axis?: TensorLike;
  readonly num?: number | null;
}

/** A tensor cut along an axis (0): into that many equal pieces, or pieces of the given lengths. TF: tf.split.
 *  @throws ValueError if it does not come out even. */
export function split(
  value: TensorLike,
  numOrSizeSplits: number | readonly number[] | Tensor,
  axis?: TensorLike,
  options?: SplitOptions | string,
): readonly Tensor[];
export function split(value: TensorLike, numOrSizeSplits: number | readonly number[] | Tensor, options?: SplitOptions): readonly Tensor[];
export function split(value: TensorLike, numOrSizeSplits: number | readonly number[] | Tensor, ...rest: unknown[]): readonly Tensor[] {
  const { axis = 0, num, name = "split" } = collect<SplitOptions>(["axis", "num", "name"], rest);
  if (Number.isInteger(numOrSizeSplits) || typeof numOrSizeSplits === "boolean")
    return Split({ splitDim: axis, numSplit: Number(numOrSizeSplits), value }, { name });
  const lengths = convertToTensor(
    numOrSizeSplits as TensorLike,
    Array.isArray(numOrSizeSplits) && numOrSizeSplits.length > 0 ? { dtype: "int32" } : {},
  );
  if (lengths.shape.rank === 0)
    throw new ValueError(
      `Rank-0 tensors are not supported as the num_or_size_splits argument to split. Argument provided: ${pythonStr(numOrSizeSplits)}`,
    );
  const count = num ?? lengths.shape.dim(0);
  if (count === null) throw new ValueError(`Cannot infer argument \`num\` from shape ${lengths}`);
  return SplitV({ value, sizeSplits: lengths, splitDim: axis, numSplit: count }, { name });
}
