// Pooling ops: the maximum or the average of each window, in 2-d and 3-d, with their gradients. The functions of tf.nn are in nn/pooling-api.ts.
//
// Gradients without scatter: the forward pass says which tap of a window is the first maximum (a `reduce` by argmax, one small number per
// output). An input element then collects the gradients of the few windows that contain it, ceil(size / stride) per axis, from those whose
// number names its tap. Where windows do not overlap that is one map: no sum, no zeroing, channels side by side for vector lanes.

import type { DType } from "../../base/dtype.ts";
import { isFloating, limitOf } from "../../base/dtype.ts";
import { InvalidArgumentError, ValueError, UnimplementedError } from "../../base/errors.ts";
import { NDArray } from "../../base/ndarray.ts";
import type { Dimension } from "../../base/shape.ts";
import { checkLength, sameShape, TensorShape } from "../../base/shape.ts";
import * as attr from "../../graph/attributes.ts";
import { defineOp, type Gradients, type ShapeContext } from "../../graph/op-definition.ts";
import type { Tensor } from "../../graph/operation.ts";
import { constant, full, generate, map, reduceOver, reshape, scatter } from "../../ir/build.ts";
import type { Index } from "../../ir/index-map.ts";
import { addIndex, constantIndex, dataIndex, divIndex, flattenIndex, modIndex, scaleIndex } from "../../ir/index-map.ts";
import type { Value } from "../../ir/program.ts";
import { type Bound, castScalar, constantScalar, guardScalar, indexScalar, loadScalar, type Scalar, s } from "../../ir/scalar.ts";
import { numbersOf, shape as shapeOf, zerosLike } from "../array/array.ts";
import {
  axesOf,
  checkExplicitPaddings,
  extentOf,
  type Padding,
  type WindowAttrs,
  type WindowAxis,
  windowAlong,
  windowedSize,
} from "./window.ts";
import { need } from "../arguments.ts";

const floats = ["float16", "bfloat16", "float32", "float64"] as const;
const floats3d = ["float16", "bfloat16", "float32"] as const;
const maxTypes = ["float16", "bfloat16", "float32", "float64", "int32", "int64", "uint8", "int16", "int8", "uint16", "qint8"] as const;

const twoPaddings = { padding: attr.oneOf(["SAME", "VALID"]) };
const anyPadding = { padding: attr.oneOf(["SAME", "VALID", "EXPLICIT"]), explicitPaddings: attr.ints([]) };
const sizes2d = { ksize: attr.ints(undefined, 4), strides: attr.ints(undefined, 4) };
const sizes3d = { ksize: attr.ints(undefined, 5), strides: attr.ints(undefined, 5) };
const format2d = { dataFormat: attr.oneOf(["NHWC", "NCHW"], "NHWC") };
const format2dOrVector = { dataFormat: attr.oneOf(["NHWC", "NCHW", "NCHW_VECT_C"], "NHWC") };
const format3d = { dataFormat: attr.oneOf(["NDHWC", "NCDHW"], "NDHWC") };

interface PoolAttrs extends WindowAttrs {
  readonly ksize: readonly number[];
}

// ---- shapes ----

/** The pooled shape: windows along the spatial axes and, for max pools, along the channels. */
function pooledShape(type: string, input: TensorShape, attrs: PoolAttrs, poolsDepth: boolean): TensorShape {
  const { channel, spatial } = axesOf(attrs.dataFormat.replace("_VECT_C", ""));
  const rank = spatial.length + 2;
  if (attrs.dataFormat === "NCHW_VECT_C") return TensorShape.unknownOfRank(5);
  const given = input.withRank(rank);
  if (type === "Pool3D" && attrs.strides.length !== 5)
    throw new ValueError(`Pool3D ops require the stride attribute to contain 5 values, but got: ${attrs.strides.length}`);
  checkLength(type, "stride", attrs.strides, rank);
  checkLength(type, "ksize", attrs.ksize, rank);
  checkExplicitPaddings(attrs);
  const dims = Array.from({ length: rank }, (_, axis): Dimension => given.dim(axis));
  // A size of -1 is one that is not known.
  for (const axis of poolsDepth ? [...spatial, channel] : spatial)
    dims[axis] = windowedSize(dims[axis], attrs.ksize[axis] === -1 ? null : attrs.ksize[axis], extentOf(attrs, axis));
  return new TensorShape(dims);
}

/** ksize and strides of the V2 ops, which take them as tensors: known sizes if those are constants. */
function tensorSizesShape(input: TensorShape, attrs: { padding: Padding; dataFormat: string }, context: ShapeContext): TensorShape {
  const ksize = context.partial("ksize")?.values;
  const strides = context.partial("strides")?.values;
  if (!ksize || !strides || ksize.includes(null) || strides.includes(null)) return TensorShape.unknownOfRank(4);
  return pooledShape("MaxPool", input, { ...attrs, ksize: ksize as number[], strides: strides as number[] }, true);
}

// ---- windows ----

/** The windows along every axis of a concrete input; the identity where nothing is pooled. */
interface Pool {
  readonly shape: readonly number[];
  readonly output: readonly number[];
  /** Axes along which windows are larger than one element. */
  readonly pooled: readonly number[];
  readonly windows: readonly WindowAxis[];
}

function poolOf(shape: readonly number[], attrs: PoolAttrs): Pool {
  const { spatial } = axesOf(attrs.dataFormat);
  const windows = shape.map((size, axis) =>
    windowAlong(
      size,
      attrs.ksize[axis],
      spatial.includes(axis) ? extentOf(attrs, axis) : { stride: attrs.strides[axis], padding: "VALID" },
    ),
  );
  return {
    shape,
    output: windows.map(({ output }) => output),
    pooled: shape.map((_, axis) => axis).filter(axis => attrs.ksize[axis] > 1),
    windows,
  };
}

/** @throws what TensorFlow's CPU kernels throw for windows they do not pool over. */
function checkMaxPool(shape: readonly number[], attrs: PoolAttrs): void {
  const { ksize, strides, explicitPaddings = [] } = attrs;
  const { channel, spatial } = axesOf(attrs.dataFormat);
  if (attrs.dataFormat === "NCHW_VECT_C") throw new UnimplementedError("Max pooling of NCHW_VECT_C tensors does not run here.");
  checkPoolRank(shape, attrs.dataFormat);
  if (ksize[0] !== 1 || strides[0] !== 1) throw new UnimplementedError("Pooling is not yet supported on the batch dimension.");
  if (spatial.length === 3 && (ksize[channel] !== 1 || strides[channel] !== 1))
    throw new UnimplementedError("Pooling is not yet supported on the depth dimension.");
  if (ksize[channel] === 1) return checkPaddingAmounts(explicitPaddings, attrs);
  if (spatial.some(axis => ksize[axis] !== 1))
    throw new UnimplementedError("MaxPooling supports exactly one of pooling across depth or pooling across width/height.");
  if (shape[channel] % ksize[channel] !== 0)
    throw new UnimplementedError("Depthwise max pooling requires the depth window to evenly divide the input depth");
  if (ksize[channel] !== strides[channel])
    throw new UnimplementedError("Depthwise max pooling requires the depth window to equal the depth stride");
}

function checkPoolRank(shape: readonly number[], dataFormat: string): void {
  const { length } = axesOf(dataFormat).spatial;
  if (shape.length === length + 2) return;
  if (length === 3) throw new InvalidArgumentError("tensor_in must be 5-dimensional");
  throw new InvalidArgumentError(
    `tensor_in_shape must have ${length} spatial dimensions. ${shape.length} ${dataFormat === "NHWC" ? 0 : 1}`,
  );
}

function checkPaddingAmounts(amounts: readonly number[], { ksize, dataFormat }: PoolAttrs): void {
  const { spatial } = axesOf(dataFormat);
  const sides = [
    ["Top", "Bottom"],
    ["Left", "Right"],
  ];
  amounts.forEach((amount, i) => {
    const k = spatial.indexOf(Math.floor(i / 2));
    if (k < 0 || amount < ksize[spatial[k]]) return;
    throw new InvalidArgumentError(`${sides[k][i % 2]} padding ${amount} needs to be smaller than the window size ${ksize[spatial[k]]}`);
  });
}

function checkAveragePool(shape: readonly number[], { ksize, strides, dataFormat }: PoolAttrs): void {
  checkPoolRank(shape, dataFormat);
  if (ksize[0] !== 1 || strides[0] !== 1) throw new UnimplementedError("Pooling is not yet supported on the batch dimension.");
  if (ksize[axesOf(dataFormat).channel] !== 1) throw new UnimplementedError("Non-spatial pooling is not yet supported. Volunteers? :)");
}

/** Where tap `r` (one index per pooled axis) of window `o` looks, and the bounds it has to keep. */
function tapOf({ windows, pooled, shape }: Pool, o: readonly Index[], r: readonly Index[]): { at: Index[]; inside: Bound[] } {
  const at = windows.map(({ stride, before }, axis) => {
    const start = addIndex(scaleIndex(o[axis], stride), constantIndex(-before));
    const k = pooled.indexOf(axis);
    return k < 0 ? start : addIndex(start, r[k]);
  });
  return { at, inside: at.map((index, axis) => ({ index, low: 0, high: shape[axis] })) };
}

const tapSizes = ({ windows, pooled }: Pool): number[] => pooled.map(axis => windows[axis].size);

/** How many windows along an axis may contain one element: all there are, where these are fewer. */
const overlap = ({ size, stride, output }: WindowAxis): number => Math.min(Math.ceil(size / stride), output);

/** The windows that contain input position `i`: number `j` (one index per pooled axis) counts back from the last, or is one of all.
 *  Gives the window's place, whether it exists, and which of its taps `i` is. */
function windowAround(
  { windows, pooled }: Pool,
  i: readonly Index[],
  j: readonly Index[],
): { window: Index[]; exists: Bound[]; tap: Index } {
  const window: Index[] = [];
  const exists: Bound[] = [];
  const taps: Index[] = [];
  windows.forEach((along, axis) => {
    const { stride, before, output, size } = along;
    const shifted = addIndex(i[axis], constantIndex(before));
    const k = pooled.indexOf(axis);
    const isOneOfAll = k >= 0 && overlap(along) === output;
    const back = k < 0 ? constantIndex(0) : j[k];
    const place = isOneOfAll ? j[k] : addIndex(divIndex(shifted, stride), scaleIndex(back, -1));
    const tap = isOneOfAll ? addIndex(shifted, scaleIndex(j[k], -stride)) : addIndex(modIndex(shifted, stride), scaleIndex(back, stride));
    window.push(place);
    exists.push({ index: place, low: 0, high: output }, { index: tap, low: 0, high: size });
    if (k >= 0) taps.push(tap);
  });
  return {
    window,
    exists,
    tap: flattenIndex(
      taps,
      pooled.map(axis => windows[axis].size),
    ),
  };
}

/** dx[i] = Σ over the windows o that contain i of share(o, which tap of o it is). */
function collectWindows(pool: Pool, dtype: DType, share: (window: Index[], tap: Index, at: Index[]) => Scalar): Value {
  const counts = pool.pooled.map(axis => overlap(pool.windows[axis]));
  const one = (i: Index[], j: Index[]): Scalar => {
    const { window, exists, tap } = windowAround(pool, i, j);
    return guardScalar(exists, share(window, tap, i), constantScalar(dtype, 0));
  };
  if (counts.every(count => count === 1))
    return generate(pool.shape, i =>
      one(
        i,
        counts.map(() => constantIndex(0)),
      ),
    );
  return reduceOver("sum", pool.shape, counts, one);
}

// ---- maximum ----

/** The least finite number of a type: what TensorFlow's pools start from, so that windows of -∞ or NaN give it. */
const lowest = (dtype: DType): number | bigint => limitOf(dtype, false);

function maxPool(input: Value, pool: Pool): Value {
  const floor = constantScalar(input.dtype, lowest(input.dtype));
  return reduceOver("max", pool.output, tapSizes(pool), (o, r) => {
    const { at, inside } = tapOf(pool, o, r);
    const x = loadScalar(input, at);
    // NaN is not greater than anything, so it never wins.
    return guardScalar(inside, isFloating(input.dtype) ? s.select(s.gt(x, floor), x, floor) : x, floor);
  });
}

/** The number of the tap of each window, row-major (int32), where TensorFlow finds the maximum: it begins with the first element and looks for what is
 *  greater. So of equals the first wins, nothing is greater than a NaN that comes first, and no other NaN wins. */
function firstMaximum(input: Value, pool: Pool): Value {
  const { dtype } = input;
  const outside = constantScalar(dtype, isFloating(dtype) ? NaN : lowest(dtype));
  const isPadded = pool.windows.some(({ before }) => before > 0);
  const first = reduceOver(
    "argmax",
    pool.output,
    tapSizes(pool),
    (o, r) => {
      const { at, inside } = tapOf(pool, o, r);
      const x = loadScalar(input, at);
      return guardScalar(inside, isFloating(dtype) ? firstNaNWins(pool, at, r, x) : x, outside);
    },
    "int32",
  );
  // Where nothing is greater than the lowest number, the position is 0, which may lie outside.
  if (!isPadded) return first;
  return generate(pool.output, o => s.select(s.eq(loadScalar(first, o), 0), firstInside(pool, o).tap, loadScalar(first, o)));
}

/** The element x of tap `r`, which lies at `at`; infinity for a NaN that is the first of its window. */
function firstNaNWins({ windows, pooled }: Pool, at: readonly Index[], r: readonly Index[], x: Scalar): Scalar {
  const isZero = (index: Index): Bound => ({ index, low: 0, high: 1 });
  const wins = s.select(s.isNan(x), constantScalar(x.dtype, Number.POSITIVE_INFINITY), x);
  return pooled.reduce<Scalar>((ifFirst, axis, k) => {
    const otherwise = windows[axis].before > 0 ? guardScalar([isZero(at[axis])], ifFirst, x) : x;
    return guardScalar([isZero(r[k])], ifFirst, otherwise);
  }, wins);
}

/** The first element that lies in window `o`, and which tap of it that is. */
function firstInside({ windows, pooled, shape }: Pool, o: readonly Index[]): { at: Index[]; tap: Scalar } {
  let tap: Scalar = constantScalar("int32", 0);
  const at = windows.map(({ stride, before, size }, axis) => {
    const start = indexScalar(addIndex(scaleIndex(o[axis], stride), constantIndex(-before)));
    const inside = s.max(start, 0);
    if (pooled.includes(axis)) tap = s.add(s.mul(tap, size), s.sub(inside, start));
    return dataIndex(inside, shape[axis]);
  });
  return { at, tap };
}

/** Maxima as TensorFlow finds them with their positions: if the first element is NaN, nothing is greater. */
function maximumFromFirst(input: Value, pool: Pool): Value {
  const maximum = maxPool(input, pool);
  if (!isFloating(input.dtype)) return maximum;
  return generate(pool.output, o => {
    const first = loadScalar(input, firstInside(pool, o).at);
    // A maximum begins with the least finite number: where nothing is greater, all is NaN or -∞.
    const greatest = loadScalar(maximum, o);
    const isFirst = s.or(s.isNan(first), s.le(greatest, constantScalar(input.dtype, lowest(input.dtype))));
    return s.select(isFirst, first, greatest);
  });
}

/** Every element less than 10⁻⁵ from its window's maximum has the gradient: in volumes TensorFlow does not choose among what it takes for equal, and
 *  infinities are no such distance apart. */
function sharedMaximumGradient(input: Value, output: Value, grad: Value, pool: Pool): Value {
  return collectWindows(pool, grad.dtype, (window, _, at) =>
    s.select(
      s.lt(s.abs(s.sub(loadScalar(input, at), loadScalar(output, window))), 1e-5),
      loadScalar(grad, window),
      constantScalar(grad.dtype, 0),
    ),
  );
}

function maxPoolGradient(input: Value, grad: Value, pool: Pool): Value {
  const first = firstMaximum(input, pool);
  return collectWindows(pool, grad.dtype, (window, tap) =>
    s.select(s.eq(loadScalar(first, window), indexScalar(tap)), loadScalar(grad, window), constantScalar(grad.dtype, 0)),
  );
}

/** out[o] = grad at the first maximum of window o. */
function maxPoolSecondGradient(input: Value, grad: Value, pool: Pool): Value {
  const first = firstMaximum(input, pool);
  const taps = tapSizes(pool);
  const zero = constantScalar(grad.dtype, 0);
  return reduceOver("sum", pool.output, taps, (o, r) => {
    const { at, inside } = tapOf(pool, o, r);
    return guardScalar(inside, s.select(s.eq(loadScalar(first, o), indexScalar(flattenIndex(r, taps))), loadScalar(grad, at), zero), zero);
  });
}

/** Where in its example (or in the whole batch) the first maximum of each window lies, flattened. */
function positionOfMaximum(first: Value, pool: Pool, dtype: "int32" | "int64", includeBatch: boolean): Value {
  const taps = tapSizes(pool);
  return generate(pool.output, o => {
    let rest = loadScalar(first, o);
    const offsets = new Map<number, Scalar>();
    for (let k = taps.length - 1; k >= 0; k--) {
      offsets.set(pool.pooled[k], k === 0 ? rest : s.rem(rest, taps[k]));
      rest = s.div(rest, taps[k]);
    }
    let flat: Scalar = constantScalar(dtype, 0);
    pool.windows.forEach(({ stride, before }, axis) => {
      if (axis === 0 && !includeBatch) return;
      const start = indexScalar(addIndex(scaleIndex(o[axis], stride), constantIndex(-before)), dtype);
      const offset = offsets.get(axis);
      const position = offset === undefined ? start : s.add(start, castScalar(offset, dtype));
      flat = s.add(s.mul(flat, pool.shape[axis]), position);
    });
    return flat;
  });
}

/** dx: every gradient added at the position that was recorded for it. */
function scatterToMaximum(input: Value, grad: Value, argmax: Value, includeBatch: boolean): Value {
  const each = input.shape.slice(1).reduce((product, size) => product * size, 1);
  const batch = input.shape[0];
  const base = full(grad.dtype, includeBatch ? [batch * each] : [batch, each], 0);
  const flat = scatter("add", base, grad.shape, r => {
    const position = loadScalar(argmax, r);
    return { at: includeBatch ? [position] : [indexScalar(r[0], position.dtype as "int32"), position], body: loadScalar(grad, r) };
  });
  return reshape(flat, input.shape);
}

/** out[o] = grad at the recorded position of o. */
function gatherAtMaximum(grad: Value, argmax: Value, includeBatch: boolean): Value {
  const each = grad.shape.slice(1).reduce((product, size) => product * size, 1);
  const flat = reshape(grad, [grad.shape[0] * each]);
  return generate(argmax.shape, i => {
    const position = loadScalar(argmax, i);
    const start = includeBatch ? constantScalar(argmax.dtype, 0) : s.mul(indexScalar(i[0], argmax.dtype as "int32"), each);
    return loadScalar(flat, [dataIndex(s.add(position, start), grad.shape[0] * each)]);
  });
}

// ---- average ----

/** How many elements of each window lie inside the input, shaped to broadcast against the output. */
function insideCounts(pool: Pool, dtype: DType): Value {
  const along = pool.windows.map(({ stride, before, size, output, input }, axis) =>
    pool.pooled.includes(axis)
      ? Array.from({ length: output }, (_, o) => Math.min(o * stride - before + size, input) - Math.max(o * stride - before, 0))
      : [1],
  );
  const uniform = along.map(counts => (counts.every(count => count === counts[0]) ? counts.slice(0, 1) : counts));
  const values = uniform.reduce<number[]>((products, counts) => products.flatMap(product => counts.map(count => product * count)), [1]);
  return constant(
    NDArray.from(
      values,
      dtype,
      uniform.map(counts => counts.length),
    ),
  );
}

const countAt = (counts: Value, window: readonly Index[]): Scalar =>
  loadScalar(
    counts,
    counts.shape.map((size, axis) => (size === 1 ? constantIndex(0) : window[axis])),
  );

function averagePool(input: Value, pool: Pool): Value {
  const sums = reduceOver("sum", pool.output, tapSizes(pool), (o, r) => {
    const { at, inside } = tapOf(pool, o, r);
    return guardScalar(inside, loadScalar(input, at), constantScalar(input.dtype, 0));
  });
  return map((sum, count) => s.div(sum, count), sums, insideCounts(pool, input.dtype));
}

function averagePoolGradient(grad: Value, pool: Pool): Value {
  const counts = insideCounts(pool, grad.dtype);
  return collectWindows(pool, grad.dtype, window => s.div(loadScalar(grad, window), countAt(counts, window)));
}

// ---- 2-d maximum ----

function pooledBy(input: Value, attrs: PoolAttrs): Pool {
  checkMaxPool(input.shape, attrs);
  return poolOf(input.shape, attrs);
}

/** The largest element of each window `ksize`; padding is never counted. Windows along the channels divide them and do not overlap. */
export const MaxPool = defineOp("MaxPool", {
  inputs: { input: "T" },
  outputs: { output: "T" },
  attrs: { T: attr.type(maxTypes, "float32"), ...sizes2d, ...anyPadding, ...format2dOrVector },
  shape: ({ input, ...w }) => pooledShape("MaxPool", input, w, true),
  isLenient: true,
  gradient: ({ input, output, dataFormat, ...w }, d): Gradients => ({
    input: MaxPoolGrad({
      origInput: input,
      origOutput: output,
      grad: d.output,
      dataFormat: dataFormat as "NHWC",
      ...(w as Omit<typeof w, "T">),
    }),
  }),
  lower: ({ input, ...w }) => maxPool(input, pooledBy(input, w)),
});

/** Zeros for the two inputs through which no second gradient flows. */
const noSecondGradient = (origInput: Tensor, origOutput: Tensor): Gradients => ({
  origInput: zerosLike(origInput),
  origOutput: zerosLike(origOutput),
});

type Sizes = readonly number[];

/** A gradient has the size of what was pooled to. */
function checkPooled(from: Sizes, to: Sizes, grad: Sizes, attrs: PoolAttrs): void {
  const rank = attrs.ksize.length;
  need(from.length === rank, () => `tensor_in must be ${rank}-dimensional`);
  need(to.length === rank, () => `tensor_out must be ${rank}-dimensional`);
  need(grad.length === rank, () => `out_backprop must be ${rank}-dimensional`);
  checkGradientSize(poolOf(from, attrs).output, grad);
}

function checkGradientSize(expected: Sizes, grad: Sizes): void {
  need(sameShape(expected, grad), () => `Expected grad shape to be [${expected}], but got [${grad}]`);
}

export const MaxPoolGrad = defineOp("MaxPoolGrad", {
  inputs: { origInput: "T", origOutput: "T", grad: "T" },
  outputs: { output: "T" },
  attrs: { ...sizes2d, ...anyPadding, ...format2d, T: attr.type(attr.realNumbers, "float32") },
  shape: ({ origInput }) => origInput.withRank(4),
  isLenient: true,
  checks: ({ origInput, origOutput, grad, ...w }) => checkPooled(origInput, origOutput, grad, w),
  gradient: ({ origInput, origOutput, grad: _g, output: _, explicitPaddings: _e, padding, ...w }, d): Gradients => ({
    ...noSecondGradient(origInput, origOutput),
    grad: MaxPoolGradGrad({ origInput, origOutput, grad: d.output, padding: padding as "SAME", ...w }),
  }),
  lower: ({ origInput, grad, ...w }) => maxPoolGradient(origInput, grad, pooledBy(origInput, w)),
});

export const MaxPoolGradGrad = defineOp("MaxPoolGradGrad", {
  inputs: { origInput: "T", origOutput: "T", grad: "T" },
  outputs: { output: "T" },
  attrs: { ...sizes2d, ...twoPaddings, ...format2d, T: attr.type(attr.realNumbers) },
  shape: ({ origInput, grad, origOutput, ...w }) => {
    origInput.mergeWith(grad);
    return origOutput.mergeWith(pooledShape("MaxPool", origInput, w, true));
  },
  gradient: ({ origInput, origOutput, grad: _g, output: _, ...w }, d): Gradients => ({
    ...noSecondGradient(origInput, origOutput),
    grad: MaxPoolGrad({ origInput, origOutput, grad: d.output, ...w }),
  }),
  lower: ({ origInput, grad, ...w }) => maxPoolSecondGradient(origInput, grad, pooledBy(origInput, w)),
});

export const MaxPoolV2 = defineOp("MaxPoolV2", {
  inputs: { input: "T", ksize: "int32", strides: "int32" },
  outputs: { output: "T" },
  attrs: { T: attr.type(maxTypes, "float32"), ...twoPaddings, ...format2dOrVector },
  compileTimeInputs: ["ksize", "strides"],
  shape: ({ input, padding, dataFormat }, context) => tensorSizesShape(input, { padding, dataFormat }, context),
  gradient: ({ input, output, ksize, strides, padding, dataFormat }, d): Gradients => ({
    input: MaxPoolGradV2({
      origInput: input,
      origOutput: output,
      grad: d.output,
      ksize,
      strides,
      padding,
      dataFormat: dataFormat as "NHWC",
    }),
    ksize: null,
    strides: null,
  }),
  lower: ({ input, ksize, strides, ...w }) =>
    maxPool(input, pooledBy(input, { ...w, ksize: numbersOf(ksize), strides: numbersOf(strides) })),
});

export const MaxPoolGradV2 = defineOp("MaxPoolGradV2", {
  inputs: { origInput: "T", origOutput: "T", grad: "T", ksize: "int32", strides: "int32" },
  outputs: { output: "T" },
  attrs: { ...twoPaddings, ...format2d, T: attr.type(attr.realNumbers, "float32") },
  compileTimeInputs: ["ksize", "strides"],
  shape: ({ origInput }) => origInput.withRank(4),
  gradient: ({ origInput, origOutput, ksize, strides, padding, dataFormat }, d): Gradients => ({
    ...noSecondGradient(origInput, origOutput),
    grad: MaxPoolGradGradV2({ origInput, origOutput, grad: d.output, ksize, strides, padding, dataFormat }),
    ksize: null,
    strides: null,
  }),
  lower: ({ origInput, grad, ksize, strides, ...w }) =>
    maxPoolGradient(origInput, grad, pooledBy(origInput, { ...w, ksize: numbersOf(ksize), strides: numbersOf(strides) })),
});

export const MaxPoolGradGradV2 = defineOp("MaxPoolGradGradV2", {
  inputs: { origInput: "T", origOutput: "T", grad: "T", ksize: "int32", strides: "int32" },
  outputs: { output: "T" },
  attrs: { ...twoPaddings, ...format2d, T: attr.type(attr.realNumbers) },
  compileTimeInputs: ["ksize", "strides"],
  shape: ({ origOutput }) => origOutput.withRank(4),
  gradient: ({ origInput, origOutput, ksize, strides, padding, dataFormat }, d): Gradients => ({
    ...noSecondGradient(origInput, origOutput),
    grad: MaxPoolGradV2({ origInput, origOutput, grad: d.output, ksize, strides, padding, dataFormat }),
    ksize: null,
    strides: null,
  }),
  lower: ({ origInput, grad, ksize, strides, ...w }) =>
    maxPoolSecondGradient(origInput, grad, pooledBy(origInput, { ...w, ksize: numbersOf(ksize), strides: numbersOf(strides) })),
});

// ---- maximum with its position ----

const argmaxAttrs = { ...sizes2d, ...twoPaddings, includeBatchInIndex: attr.bool(false) };

/** Max pool of NHWC images that also tells where each maximum was: `(y·width + x)·channels + c`, with the batch in front if asked for. */
export const MaxPoolWithArgmax = defineOp("MaxPoolWithArgmax", {
  inputs: { input: "T" },
  outputs: { output: "T", argmax: "Targmax" },
  attrs: { ...argmaxAttrs, Targmax: attr.type(attr.indexTypes, "int64"), T: attr.type(attr.realNumbers) },
  shape: ({ input, ...w }) => {
    const wrong = w.ksize.find(size => size < 1);
    if (wrong !== undefined && w.ksize.length === 4) throw new ValueError(`ksize must be a positive int32 value, got:${wrong}`);
    const shape = pooledShape("MaxPool", input, { ...w, dataFormat: "NHWC" }, true);
    return [shape, shape];
  },
  isLenient: true,
  checks: ({ input }) => {
    need(input.length === 4, () => "tensor_in must be 4-dimensional (2)");
    need(!input.includes(0), () => "tensor_in must not be empty (2)");
  },
  gradient: ({ input, output: _, argmax, ...w }, d): Gradients => ({
    input: MaxPoolGradWithArgmax({ input, grad: d.output, argmax, ...w }),
  }),
  lower: ({ input, Targmax, includeBatchInIndex, ...w }) => {
    const pool = pooledBy(input, { ...w, dataFormat: "NHWC" });
    return [maximumFromFirst(input, pool), positionOfMaximum(firstMaximum(input, pool), pool, Targmax as "int64", includeBatchInIndex)];
  },
});

export const MaxPoolGradWithArgmax = defineOp("MaxPoolGradWithArgmax", {
  inputs: { input: "T", grad: "T", argmax: "Targmax" },
  outputs: { output: "T" },
  attrs: { ...argmaxAttrs, Targmax: attr.type(attr.indexTypes), T: attr.type(attr.realNumbers) },
  shape: ({ input }) => input.withRank(4),
  isLenient: true,
  checks: ({ input, grad, argmax, ...w }) => {
    need(input.length === 4, () => "tensor_in must be 4-dimensional (2)");
    checkGradientSize(poolOf(input, { ...w, dataFormat: "NHWC" }).output, grad);
    need(sameShape(grad, argmax), () => `Expected argmax shape to be [${grad}], but got [${argmax}]`);
  },
  gradient: ({ input, grad: _g, argmax, output: _, ...w }, d): Gradients => ({
    input: zerosLike(input),
    grad: MaxPoolGradGradWithArgmax({ input, grad: d.output, argmax, ...w }),
    argmax: null,
  }),
  lower: ({ input, grad, argmax, includeBatchInIndex }) => scatterToMaximum(input, grad, argmax, includeBatchInIndex),
});

export const MaxPoolGradGradWithArgmax = defineOp("MaxPoolGradGradWithArgmax", {
  inputs: { input: "T", grad: "T", argmax: "Targmax" },
  outputs: { output: "T" },
  attrs: { ...argmaxAttrs, Targmax: attr.type(attr.indexTypes), T: attr.type(attr.realNumbers) },
  shape: ({ argmax }) => argmax.withRank(4),
  isLenient: true,
  checks: ({ input, grad, argmax, ...w }) => {
    need(input.length === 4, () => "tensor_in must be 4-dimensional");
    need(sameShape(grad, input), () => `Expected grad shape to be [${input}], but got [${grad}]`);
    const { output } = poolOf(input, { ...w, dataFormat: "NHWC" });
    need(sameShape(output, argmax), () => `Expected argmax shape to be [${output}], but got [${argmax}]`);
  },
  lower: ({ grad, argmax, includeBatchInIndex }) => gatherAtMaximum(grad, argmax, includeBatchInIndex),
});

// ---- 2-d average ----

/** The mean of each window, over the elements that lie inside the input. */
export const AvgPool = defineOp("AvgPool", {
  inputs: { value: "T" },
  outputs: { output: "T" },
  attrs: { ...sizes2d, ...twoPaddings, ...format2d, T: attr.type(floats) },
  shape: ({ value, ...w }) => pooledShape("AvgPool", value, w, false),
  isLenient: true,
  gradient: ({ value, output: _, ...w }, d): Gradients => ({
    value: AvgPoolGrad({ origInputShape: shapeOf(value), grad: d.output, ...w }),
  }),
  lower: ({ value, ...w }) => {
    checkAveragePool(value.shape, w);
    return averagePool(value, poolOf(value.shape, withoutDepthStride(w)));
  },
});

/** TensorFlow's average pools ignore a stride along the channels. */
const withoutDepthStride = (attrs: PoolAttrs): PoolAttrs => {
  const { channel } = axesOf(attrs.dataFormat);
  return { ...attrs, strides: attrs.strides.map((stride, axis) => (axis === channel ? 1 : stride)) };
};

/** The gradient of averages of `sizes`. Windows are those that `grad` has, as long as they begin inside. */
function averagesGradient(grad: Value, sizes: Sizes, attrs: PoolAttrs): Value {
  for (const size of sizes) need(size >= 0, () => `Expected a non-negative size, got ${size}`);
  checkAveragePool(sizes, attrs);
  const { channel, spatial } = axesOf(attrs.dataFormat);
  if (spatial.length === 2 && (sizes.includes(0) || grad.shape.includes(0))) return full(grad.dtype, sizes, 0);
  const pool = poolOf(sizes, withoutDepthStride(attrs));
  for (const [axis, word] of [
    [0, "first"],
    [channel, "last"],
  ] as const)
    need(
      sizes[axis] === grad.shape[axis],
      () => `Expected ${word} dimension of tensor_in_shape and out_backprop to match, got ${sizes[axis]} and ${grad.shape[axis]}`,
    );
  for (const axis of spatial)
    need((grad.shape[axis] - 1) * attrs.strides[axis] <= sizes[axis], () => "index * stride must be less than or equal to input size");
  const windows = pool.windows.map((window, axis) => ({ ...window, output: grad.shape[axis] }));
  return averagePoolGradient(grad, { ...pool, output: grad.shape, windows });
}

export const AvgPoolGrad = defineOp("AvgPoolGrad", {
  inputs: { origInputShape: "int32", grad: "T" },
  outputs: { output: "T" },
  attrs: { ...sizes2d, ...twoPaddings, ...format2d, T: attr.type(floats) },
  isLenient: true,
  checks: ({ origInputShape, grad }) => {
    need(origInputShape.length === 1 && origInputShape[0] === 4, () => "out_backprop must be 1-dimensional and 4 elements");
    need(grad.length === 4, () => "out_backprop must be 4-dimensional");
  },
  compileTimeInputs: ["origInputShape"],
  shape: (_, context) => context.shapeFrom("origInputShape").withRank(4),
  gradient: ({ origInputShape: _s, grad: _g, output: _, ...w }, d): Gradients => ({
    origInputShape: null,
    grad: AvgPool({ value: d.output, ...w }),
  }),
  lower: ({ origInputShape, grad, ...w }) => averagesGradient(grad, numbersOf(origInputShape), w),
});

// ---- 3-d ----

export const MaxPool3D = defineOp("MaxPool3D", {
  inputs: { input: "T" },
  outputs: { output: "T" },
  attrs: { ...sizes3d, ...twoPaddings, ...format3d, T: attr.type(floats3d) },
  shape: ({ input, ...w }) => pooledShape("Pool3D", input, w, false),
  isLenient: true,
  gradient: ({ input, output, T: _t, ...w }, d): Gradients => ({
    input: MaxPool3DGrad({ origInput: input, origOutput: output, grad: d.output, ...w }),
  }),
  lower: ({ input, ...w }) => maxPool(input, pooledBy(input, w)),
});

export const MaxPool3DGrad = defineOp("MaxPool3DGrad", {
  inputs: { origInput: "TInput", origOutput: "TInput", grad: "T" },
  outputs: { output: "T" },
  attrs: { ...sizes3d, ...twoPaddings, ...format3d, T: attr.type(floats3d, "float32"), TInput: attr.type(floats3d, "float32") },
  shape: ({ origInput }) => origInput.withRank(5),
  isLenient: true,
  checks: ({ origInput, origOutput, grad, ...w }) => checkPooled(origInput, origOutput, grad, w),
  gradient: ({ origInput, origOutput, grad: _g, output: _, TInput: _i, ...w }, d): Gradients => ({
    ...noSecondGradient(origInput, origOutput),
    grad: MaxPool3DGradGrad({ origInput, origOutput, grad: d.output, ...w }),
  }),
  lower: ({ origInput, origOutput, grad, ...w }) => sharedMaximumGradient(origInput, origOutput, grad, pooledBy(origInput, w)),
});

export const MaxPool3DGradGrad = defineOp("MaxPool3DGradGrad", {
  inputs: { origInput: "T", origOutput: "T", grad: "T" },
  outputs: { output: "T" },
  attrs: { ...sizes3d, ...twoPaddings, ...format3d, T: attr.type(attr.realNumbers) },
  shape: ({ origInput, grad, origOutput, ...w }) => {
    origInput.mergeWith(grad);
    return origOutput.mergeWith(pooledShape("MaxPool3D", origInput, w, false));
  },
  gradient: ({ origInput, origOutput, grad: _g, output: _, ...w }, d): Gradients => ({
    ...noSecondGradient(origInput, origOutput),
    grad: MaxPool3DGrad({ origInput, origOutput, grad: d.output, ...(w as Omit<typeof w, "T">) }),
  }),
  lower: ({ origInput, grad, ...w }) => maxPoolSecondGradient(origInput, grad, pooledBy(origInput, w)),
});

export const AvgPool3D = defineOp("AvgPool3D", {
  inputs: { input: "T" },
  outputs: { output: "T" },
  attrs: { ...sizes3d, ...twoPaddings, ...format3d, T: attr.type(floats) },
  shape: ({ input, ...w }) => pooledShape("Pool3D", input, w, false),
  isLenient: true,
  gradient: ({ input, output: _, ...w }, d): Gradients => ({
    input: AvgPool3DGrad({ origInputShape: shapeOf(input), grad: d.output, ...w }),
  }),
  lower: ({ input, ...w }) => {
    checkAveragePool(input.shape, w);
    return averagePool(input, poolOf(input.shape, withoutDepthStride(w)));
  },
});

export const AvgPool3DGrad = defineOp("AvgPool3DGrad", {
  inputs: { origInputShape: "int32", grad: "T" },
  outputs: { output: "T" },
  attrs: { ...sizes3d, ...twoPaddings, ...format3d, T: attr.type(floats) },
  isLenient: true,
  checks: ({ origInputShape, grad }) => {
    need(origInputShape.length === 1 && origInputShape[0] === 5, () => "tensor_in must be 1-dimensional and 5 elements");
    need(grad.length === 5, () => "out_backprop must be 5-dimensional");
  },
  compileTimeInputs: ["origInputShape"],
  shape: (_, context) => context.shapeFrom("origInputShape").withRank(5),
  gradient: ({ origInputShape: _s, grad: _g, output: _, ...w }, d): Gradients => ({
    origInputShape: null,
    grad: AvgPool3D({ input: d.output, ...w }),
  }),
  lower: ({ origInputShape, grad, ...w }) => averagesGradient(grad, numbersOf(origInputShape), w),
});
