// Colors and contrast of images [..., channels], types, and patches. Flips, crops, paddings and sizes are image/geometry.ts, resizing itself is
// image/resize.ts, boxes are image/boxes.ts.

import type { DType } from "../../base/dtype.ts";
import { FailedPreconditionError, ValueError } from "../../base/errors.ts";
import { NDArray } from "../../base/ndarray.ts";
import { checkLength, sizeOf, TensorShape } from "../../base/shape.ts";
import * as attr from "../../graph/attributes.ts";
import { convertToTensor, type TensorLike } from "../../graph/conversion.ts";
import { defineOp, type Gradients, type Named } from "../../graph/op-definition.ts";
import { Tensor } from "../../graph/operation.ts";
import * as ir from "../../ir/build.ts";
import { constantIndex, divIndex, modIndex } from "../../ir/index-map.ts";
import type { Value } from "../../ir/program.ts";
import { type Scalar, s } from "../../ir/scalar.ts";
import { collect, eitherName, need } from "../arguments.ts";
import { constant, expandDims, identity, ones, rank, reshape, shape } from "../array/array.ts";
import { tile } from "../array/padding.ts";
import { range } from "../array/ranges.ts";
import { transpose } from "../array/rearranging.ts";
import { concat, ellipsis, getItem, stack, unstack } from "../array/slicing.ts";
import { assertEqual, assertGreaterEqual } from "../flow/check.ts";
import { Assert, withDependencies } from "../flow/control-flow.ts";
import { add, divNoNan, multiply } from "../math/math.ts";
import { cast } from "../math/cast.ts";
import { greater, greaterEqual, less, lessEqual, logicalAnd } from "../math/comparison.ts";
import { square } from "../math/functions.ts";
import { tensordot } from "../math/matrix.ts";
import { unsortedSegmentSum } from "../math/segment.ts";
import { saturateCast } from "../math/special.ts";
import { inNameScope, type NameOption, named } from "../named.ts";
import { Conv3DBackpropInputV2 } from "../nn/convolution.ts";
import { extentOf, tapIndex, windowAlong, slidSize } from "../nn/window.ts";
import * as operator from "../operators.ts";

// ---- colors ----

type Color = readonly [Scalar, Scalar, Scalar];

type Choice = (a: Scalar, b: Scalar) => Scalar;
/** The second argument only where it is larger (smaller): a NaN there counts for nothing. */
const larger: Choice = (a, b) => s.select(s.lt(a, b), b, a);
const smaller: Choice = (a, b) => s.select(s.lt(b, a), b, a);

/** Hue, saturation and value, each in [0, 1], of red, green and blue; `most` and `least` tell the largest and smallest, and what becomes of NaN. */
function hsvOf([r, g, b]: Color, most: (color: Color) => Scalar, least: (color: Color) => Scalar): Color {
  const value = most([r, g, b]);
  const spread = s.sub(value, least([r, g, b]));
  const saturation = s.select(s.gt(value, 0), s.div(spread, value), 0);
  const norm = s.div(s.constant(r.dtype, 1), s.mul(spread, 6));
  const ofRed = s.mul(norm, s.sub(g, b));
  const ofGreen = s.add(s.mul(norm, s.sub(b, r)), 2 / 6);
  const ofBlue = s.add(s.mul(norm, s.sub(r, g)), 4 / 6);
  const hue = s.select(s.eq(r, value), ofRed, s.select(s.eq(g, value), ofGreen, ofBlue));
  const known = s.select(s.gt(spread, 0), hue, s.constant(r.dtype, 0));
  return [s.select(s.lt(known, 0), s.add(known, 1), known), saturation, value];
}

/** What follows a NaN counts as larger and as smaller, as in TensorFlow's reductions. */
const knownHsvOf = (color: Color): Color => {
  const infinity = s.constant(color[0].dtype, Number.POSITIVE_INFINITY);
  return hsvOf(
    color,
    channels => channels.reduce((so, next) => larger(next, so), s.neg(infinity)),
    channels => channels.reduce((so, next) => smaller(next, so), infinity),
  );
};

/** A color turned by `delta` rounds of its hue, its largest and smallest channel kept; channels may lie outside [0, 1]. */
function turned([r, g, b]: Color, delta: Scalar): Color {
  // By the order of the channels, from blue < green < red on: the sixth of the circle that hue is in.
  const sixth = ([c0, c1, c2, c3, c4, c5]: readonly Scalar[]): Scalar =>
    s.select(s.lt(r, g), s.select(s.lt(b, r), c1, s.select(s.gt(b, g), c3, c2)), s.select(s.lt(b, g), c0, s.select(s.gt(b, r), c4, c5)));
  const [most, middle, least] = [sixth([r, g, g, b, b, r]), sixth([g, r, b, g, r, b]), sixth([b, b, r, r, g, g])];
  const number = (x: number): Scalar => s.constant(r.dtype, x);
  const up = s.div(s.sub(middle, least), s.sub(most, least));
  const down = s.sub(number(1), up);
  const hue = sixth([up, s.add(down, 1), s.add(up, 2), s.add(down, 3), s.add(up, 4), s.add(down, 5)]);
  const moved = s.add(s.select(s.eq(most, least), number(0), hue), s.mul(delta, 6));
  const next = s.sub(moved, s.mul(s.floor(s.div(moved, 6)), 6));
  const ratio = s.sub(next, s.floor(next));
  const at = ([c0, c1, c2, c3, c4, c5]: readonly Scalar[]): Scalar =>
    [c4, c3, c2, c1, c0].reduce((rest, here, k) => s.select(s.lt(next, 5 - k), here, rest), c5);
  const back = s.sub(number(1), ratio);
  const between = s.add(least, s.mul(at([ratio, back, ratio, back, ratio, back]), s.sub(most, least)));
  return [
    at([most, between, least, least, between, most]),
    at([between, most, most, between, least, least]),
    at([least, least, between, most, most, between]),
  ];
}

function rgbOf([hue, saturation, value]: Color): Color {
  const h = s.mul(hue, 6);
  const unit = (x: Scalar): Scalar => s.min(s.max(x, 0), 1);
  const rest = s.sub(s.constant(h.dtype, 1), saturation);
  const mixed = (strength: Scalar): Scalar => s.mul(s.add(rest, s.mul(saturation, unit(strength))), value);
  const away = (from: number): Scalar => s.sub(s.constant(h.dtype, 2), s.abs(s.sub(h, from)));
  return [mixed(s.sub(s.abs(s.sub(h, 3)), 1)), mixed(away(2)), mixed(away(4))];
}

/** A function of colors on the last axis; 16-bit floats are computed in float32. */
function mapColors(images: Value, f: (color: Color) => Color): Value {
  const last = images.shape.length - 1;
  const type: DType = images.dtype === "float64" ? "float64" : "float32";
  return ir.generate(images.shape, i => {
    const channel = (c: number): Scalar => s.cast(s.load(images, i.with(last, constantIndex(c))), type);
    const [r, g, b] = f([channel(0), channel(1), channel(2)]);
    const chosen = s.guard([{ index: i[last], low: 0, high: 1 }], r, s.guard([{ index: i[last], low: 1, high: 2 }], g, b));
    return s.cast(chosen, images.dtype);
  });
}

const colorTypes = ["float16", "bfloat16", "float32", "float64"] as const satisfies readonly DType[];

function colorShape(images: TensorShape): TensorShape {
  const known = images.withRankAtLeast(1);
  const channels = known.dims === null ? null : known.dim(-1);
  if (channels !== null && channels !== 3) throw new ValueError(`Dimension must be 3 but is ${channels}`);
  return known.dims === null ? known : known.slice(0, -1).concatenate([3]);
}

type Sizes = readonly number[];

/** What the kernels of adjustments ask, by the name of the number they take. */
function checkAdjusted(images: Sizes, name: string, amount: Sizes): void {
  need(images.length >= 3, () => `input must be at least 3-D, got shape[${images}]`);
  need(amount.length === 0, () => `${name} must be scalar: [${amount}]`);
}

const checkChannels = (images: Sizes): void =>
  need(images.at(-1) === 3, () => `input must have 3 channels but instead has ${images.at(-1)} channels.`);

type ColorGradient = (record: { readonly images: Tensor; readonly output: Tensor }, d: { readonly output: Tensor }) => Gradients;

/** By the largest channel M, the smallest m and the chroma C = M - m: dv = dM; ds = m dM/M² - dm/M; dh = (C dn - n dC) / (6 C²), where n is the
 *  difference of the other two channels in the order that follows M. Where C or M is 0 TensorFlow has 0. Of equals the largest is the first, the smallest the last. */
function hsvGradient({ images, output }: { readonly images: Tensor; readonly output: Tensor }, d: { readonly output: Tensor }): Gradients {
  const channels = unstack(images, { axis: -1 });
  const [r, g, b] = channels;
  const value = getItem(output, ellipsis, 2);
  const [dh, ds, dv] = unstack(d.output, { axis: -1 });
  const number = (condition: Tensor): Tensor => cast(condition, images.dtype);
  const both = (p: Tensor, q: Tensor): Tensor => number(logicalAnd(p, q));
  const most = [both(greaterEqual(r, b), greaterEqual(r, g)), both(greater(g, r), greaterEqual(g, b)), both(greater(b, r), greater(b, g))];
  const least = [both(less(r, b), less(r, g)), both(lessEqual(g, r), less(g, b)), both(lessEqual(b, r), lessEqual(b, g))];
  const sum = (terms: readonly Tensor[]): Tensor => terms.reduce((a, c) => operator.add(a, c));
  const smallest = sum(least.map((is, k) => operator.mul(is, channels[k])));
  const chroma = operator.sub(value, smallest);
  const perChroma = divNoNan(dh, operator.mul(6, square(chroma)));
  // n / C², by the channel that is the largest: its two followers, first less second.
  const numerator = sum(most.map((is, k) => operator.mul(is, operator.sub(channels[(k + 1) % 3], channels[(k + 2) % 3]))));
  const parts = channels.map((channel, k) => {
    const dn = operator.sub(most[(k + 2) % 3], most[(k + 1) % 3]);
    const hue = operator.mul(perChroma, operator.sub(operator.mul(chroma, dn), operator.mul(numerator, operator.sub(most[k], least[k]))));
    const toMost = operator.mul(most[k], divNoNan(smallest, square(value)));
    const saturation = operator.mul(number(greater(channel, 0)), operator.sub(toMost, divNoNan(least[k], value)));
    return operator.add(hue, operator.add(operator.mul(ds, saturation), operator.mul(dv, most[k])));
  });
  return { images: stack(parts, -1) };
}

const colorOp = <const T extends string>(type: T, f: (color: Color) => Color, gradient: ColorGradient | "none") =>
  defineOp(type, {
    inputs: { images: "T" },
    outputs: { output: "T" },
    attrs: { T: attr.type(colorTypes, "float32") },
    shape: ({ images }) => colorShape(images),
    checks: ({ images }) => {
      need(images.length > 0, () => "input must be at least 1D[]");
      need(images.at(-1) === 3, () => `input must have 3 channels but input only has ${images.at(-1)} channels.`, FailedPreconditionError);
    },
    gradient,
    lower: ({ images }) => mapColors(images, f),
  });

export const RGBToHSV = colorOp("RGBToHSV", knownHsvOf, hsvGradient);
export const HSVToRGB = colorOp("HSVToRGB", rgbOf, "none");

const adjusted = attr.type(["float16", "float32"], "float32");

export const AdjustHue = defineOp("AdjustHue", {
  inputs: { images: "T", delta: "float32" },
  outputs: { output: "T" },
  attrs: { T: adjusted },
  shape: ({ images }) => images.withRankAtLeast(3),
  checks: ({ images, delta }) => {
    checkAdjusted(images, "delta", delta);
    checkChannels(images);
  },
  lower: ({ images, delta }) => mapColors(images, color => turned(color, s.load(delta, []))),
});

export const AdjustSaturation = defineOp("AdjustSaturation", {
  inputs: { images: "T", scale: "float32" },
  outputs: { output: "T" },
  attrs: { T: adjusted },
  shape: ({ images }) => images.withRankAtLeast(3),
  checks: ({ images, scale }) => {
    checkAdjusted(images, "scale", scale);
    checkChannels(images);
  },
  lower: ({ images, scale }) =>
    mapColors(images, color => {
      const [hue, saturation, value] = hsvOf(
        color,
        ([r, g, b]) => larger(r, larger(g, b)),
        ([r, g, b]) => smaller(r, smaller(g, b)),
      );
      return rgbOf([hue, s.min(s.max(s.mul(saturation, s.load(scale, [])), 0), 1), value]);
    }),
});

/** Each channel of each image pulled towards (factor below 1) or away from its mean. */
export const AdjustContrastv2 = defineOp("AdjustContrastv2", {
  inputs: { images: "T", contrastFactor: "float32" },
  outputs: { output: "T" },
  attrs: { T: adjusted },
  shape: ({ images, contrastFactor }) => {
    contrastFactor.withRank(0);
    return images.withRankAtLeast(3);
  },
  isLenient: true,
  checks: ({ images, contrastFactor }) => checkAdjusted(images, "contrast_factor", contrastFactor),
  lower: ({ images, contrastFactor }) => ir.cast(withContrast(ir.cast(images, "float32"), contrastFactor), images.dtype),
});

/** Distances from the mean of each channel of each image, multiplied. */
export function withContrast(images: Value, factor: Value): Value {
  const rank = images.shape.length;
  const pixels = images.shape[rank - 3] * images.shape[rank - 2];
  const total = ir.reduce("sum", images, [rank - 3, rank - 2], { keepDims: true });
  return ir.map(
    (x, sum, by) => {
      const mean = s.div(sum, pixels);
      return s.add(s.mul(s.sub(x, mean), by), mean);
    },
    images,
    total,
    factor,
  );
}

// ---- patches ----

const patchTypes = [
  "bfloat16",
  "float16",
  "float32",
  "float64",
  "int8",
  "int16",
  "int32",
  "int64",
  "uint8",
  "uint16",
  "uint32",
  "uint64",
  "complex64",
  "complex128",
  "bool",
] as const satisfies readonly DType[];

/** The patches under a window as it moves, each flattened to one vector of `rows·columns·channels`. */
export const ExtractImagePatches = defineOp("ExtractImagePatches", {
  inputs: { images: "T" },
  outputs: { patches: "T" },
  attrs: {
    ksizes: attr.ints(undefined, 4),
    strides: attr.ints(undefined, 4),
    rates: attr.ints(undefined, 4),
    T: attr.type(patchTypes),
    padding: attr.oneOf(["SAME", "VALID"]),
  },
  shape: ({ images, ksizes, strides, rates, padding }) => {
    const known = images.withRank(4);
    checkLength("ExtractImagePatches", "ksizes", ksizes, 4);
    checkLength("ExtractImagePatches", "stride", strides, 4);
    checkLength("ExtractImagePatches", "rates", rates, 4);
    const windows = { strides, padding, dilations: rates, dataFormat: "NHWC" };
    const depth = known.dim(3);
    // As in TensorFlow, of one known side nothing is told.
    const isKnown = known.dim(1) !== null && known.dim(2) !== null;
    const [height, width] = [1, 2].map(axis => (isKnown ? slidSize(known.dim(axis), ksizes[axis], extentOf(windows, axis)) : null));
    return new TensorShape([known.dim(0), height, width, depth === null ? null : depth * ksizes[1] * ksizes[2]]);
  },
  isLenient: true,
  checks: ({ images }) => need(images.length === 4, () => `input must be 4-dimensional[${images}]`),
  gradient: ({ images, patches, ...windows }, d): Gradients => ({ images: sumOfPatches(images, patches, d.patches, windows) }),
  lower: ({ images, ksizes, strides, rates, padding }) => {
    const windows = { strides, padding, dilations: rates, dataFormat: "NHWC" };
    const [rows, columns] = [1, 2].map(axis => windowAlong(images.shape[axis], ksizes[axis], extentOf(windows, axis)));
    const depth = images.shape[3];
    return ir.generate([images.shape[0], rows.output, columns.output, depth * ksizes[1] * ksizes[2]], ([n, y, x, k]) => {
      const tap = divIndex(k, depth);
      const at = [tapIndex(rows, y, divIndex(tap, ksizes[2])), tapIndex(columns, x, modIndex(tap, ksizes[2]))];
      const bounds = at.map((index, axis) => ({ index, low: 0, high: images.shape[axis + 1] }));
      return s.guard(bounds, s.load(images, [n, ...at, modIndex(k, depth)]), s.constant(images.dtype, 0));
    });
  },
});

interface PatchWindows {
  readonly ksizes: readonly number[];
  readonly strides: readonly number[];
  readonly rates: readonly number[];
  readonly padding: "SAME" | "VALID";
}

/** What flows back to each place of an image: the patches of its places' numbers (from 1, 0 beside the image) say what adds up where. */
function sumOfPatches(images: Tensor, patches: Tensor, d: Tensor, { ksizes, strides, rates, padding }: PatchWindows): Tensor {
  const [batch, rows, columns, channels] = unstack(shape(images, { outType: "int64" }));
  const [rowsOut, columnsOut] = unstack(getItem(shape(patches, { outType: "int64" }), [1, 3]));
  const places = operator.mul(rows, columns);
  const numbers = reshape(range(1, operator.add(places, 1), 1, { dtype: "float32" }), [1, rows, columns, 1]);
  const numbered = cast(ExtractImagePatches({ images: numbers, ksizes, strides, rates, padding }), "int64");
  const windows = reshape(d, [batch, rowsOut, columnsOut, ksizes[1], ksizes[2], channels]);
  const flat = reshape(transpose(windows, [1, 2, 3, 4, 0, 5]), [-1, operator.mul(batch, channels)]);
  const ids = operator.sub(reshape(numbered, [-1]), 1);
  const sums = unsortedSegmentSum(flat, ids, places);
  return transpose(reshape(sums, [rows, columns, batch, channels]), [2, 0, 1, 3]);
}

/** […sizes, depth, sizes·depth]: output k is element k of the window. */
function patchFilter(sizes: readonly number[], depth: number, dtype: DType): NDArray {
  const count = sizeOf(sizes) * depth;
  const filter = NDArray.zeros(dtype, [...sizes, depth, count]);
  for (let k = 0; k < count; k++) filter.set(k * count + k, 1);
  return filter;
}

/** Windows of volumes, each laid out as the channels of one place. */
export const ExtractVolumePatches = defineOp("ExtractVolumePatches", {
  inputs: { input: "T" },
  outputs: { patches: "T" },
  attrs: {
    ksizes: attr.ints(undefined, 5),
    strides: attr.ints(undefined, 5),
    T: attr.type(attr.realNumbers),
    padding: attr.oneOf(["SAME", "VALID"]),
  },
  shape: ({ input, ksizes, strides, padding }) => {
    const known = input.withRank(5);
    checkLength("ExtractVolumePatches", "ksizes", ksizes, 5);
    checkLength("ExtractVolumePatches", "stride", strides, 5);
    const windows = { strides, padding, dataFormat: "NDHWC" };
    const sizes = [1, 2, 3].map(axis => slidSize(known.dim(axis), ksizes[axis], extentOf(windows, axis)));
    const depth = known.dim(4);
    return new TensorShape([known.dim(0), ...sizes, depth === null ? null : depth * ksizes[1] * ksizes[2] * ksizes[3]]);
  },
  isLenient: true,
  checks: ({ input }) => need(input.length === 5, () => `input must be 5-dimensional[${input}]`),
  gradient: ({ input, ksizes, strides, padding, T }, d): Gradients => {
    const depth = input.shape.rank === 5 ? input.shape.dim(4) : null;
    if (depth === null) throw new ValueError("The gradient of ExtractVolumePatches needs a known number of channels.");
    // Patches are a convolution with unit vectors; TensorFlow writes the same map as a sparse matrix.
    const filter = constant(patchFilter(ksizes.slice(1, 4), depth, T));
    return { input: Conv3DBackpropInputV2({ inputSizes: shape(input), filter, outBackprop: d.patches, strides, padding }) };
  },
  lower: ({ input, ksizes, strides, padding }) => {
    const windows = { strides, padding, dataFormat: "NDHWC" };
    const axes = [1, 2, 3].map(axis => windowAlong(input.shape[axis], ksizes[axis], extentOf(windows, axis)));
    const depth = input.shape[4];
    const [, , rows, columns] = ksizes;
    const outputs = axes.map(({ output }) => output);
    return ir.generate([input.shape[0], ...outputs, depth * ksizes[1] * rows * columns], ([n, z, y, x, k]) => {
      const tap = divIndex(k, depth);
      const taps = [divIndex(tap, rows * columns), modIndex(divIndex(tap, columns), rows), modIndex(tap, columns)];
      const at = [z, y, x].map((index, axis) => tapIndex(axes[axis], index, taps[axis]));
      const bounds = at.map((index, axis) => ({ index, low: 0, high: input.shape[axis + 1] }));
      return s.guard(bounds, s.load(input, [n, ...at, modIndex(k, depth)]), s.constant(input.dtype, 0));
    });
  },
});

/** Windows of `[batch, planes, rows, columns, channels]`, each as the channels of one place. TF: tf.extract_volume_patches(input, ksizes, strides, padding). */
export const extractVolumePatches = (
  input: TensorLike,
  ksizes: readonly number[],
  strides: readonly number[],
  padding: "SAME" | "VALID",
  options?: NameOption,
): Tensor => ExtractVolumePatches({ input, ksizes, strides, padding }, named(options));

interface PatchOptions extends Named {
  readonly ksizes?: readonly number[];
  readonly sizes?: readonly number[];
  readonly strides?: readonly number[];
  readonly rates?: readonly number[];
  readonly padding?: "SAME" | "VALID";
}

/** Patches of images `[batch, h, w, depth]` under a moving window, flattened into the last axis.
 *  TF: tf.extract_image_patches(images, ksizes, strides, rates, padding, name, sizes). */
export function extractImagePatches(images: TensorLike, ...rest: unknown[]): Tensor {
  const { sizes, ksizes, name, ...options } = collect<PatchOptions>(["ksizes", "strides", "rates", "padding", "name", "sizes"], rest);
  return ExtractImagePatches({ images, ksizes: eitherName("sizes", sizes, "ksizes", ksizes), ...options }, { name });
}

/** extractImagePatches under its later name. TF: tf.image.extract_patches. */
export const extractPatches = (images: TensorLike, ...rest: unknown[]): Tensor => {
  const { name, ...options } = collect<PatchOptions>(["sizes", "strides", "rates", "padding", "name"], rest);
  return ExtractImagePatches(
    { images, ksizes: options.sizes, strides: options.strides, rates: options.rates, padding: options.padding },
    { name },
  );
};

// ---- public functions ----

const imageOf = (image: TensorLike, name = "image"): Tensor => convertToTensor(image, { name });

/** Hue, saturation and value, each in [0, 1], of red, green and blue on the last axis. TF: tf.image.rgb_to_hsv. */
export const rgbToHsv = (images: TensorLike, options?: NameOption): Tensor => RGBToHSV({ images }, named(options));
/** The inverse of rgbToHsv. TF: tf.image.hsv_to_rgb. */
export const hsvToRgb = (images: TensorLike, options?: NameOption): Tensor => HSVToRGB({ images }, named(options));

/** Runs `f` on the image as floats in [0, 1], and converts back. */
function asFloat(image: Tensor, f: (x: Tensor) => Tensor, saturate = true): Tensor {
  const isFloat = image.dtype === "float16" || image.dtype === "float32";
  return convertImageDtype(f(isFloat ? image : convertImageDtype(image, "float32")), image.dtype, { saturate });
}

/** Colors turned around the circle by `delta` (1 is all the way). TF: tf.image.adjust_hue(image, delta, name). */
export const adjustHue = (image: TensorLike, delta: TensorLike, options?: NameOption): Tensor =>
  inNameScope(options, "adjust_hue", [image], () => asFloat(imageOf(image), x => AdjustHue({ images: x, delta }), false));

/** Saturation multiplied by a factor. TF: tf.image.adjust_saturation(image, saturation_factor, name). */
export const adjustSaturation = (image: TensorLike, saturationFactor: TensorLike, options?: NameOption): Tensor =>
  inNameScope(options, "adjust_saturation", [image], () =>
    asFloat(imageOf(image), x => AdjustSaturation({ images: x, scale: saturationFactor }), false),
  );

/** Each channel's distance from its mean multiplied by a factor. TF: tf.image.adjust_contrast. */
export const adjustContrast = (images: TensorLike, contrastFactor: TensorLike): Tensor =>
  inNameScope(undefined, "adjust_contrast", [images, contrastFactor], scope =>
    asFloat(imageOf(images, "images"), x => AdjustContrastv2({ images: x, contrastFactor }, scope)),
  );

/** `delta` added to every element, of integers as a part of their range. TF: tf.image.adjust_brightness. */
export const adjustBrightness = (image: TensorLike, delta: TensorLike): Tensor =>
  inNameScope(undefined, "adjust_brightness", [image, delta], scope => {
    const x = imageOf(image);
    return asFloat(x, y => add(y, cast(delta, y.dtype), scope));
  });

interface GammaOptions extends Named {
  /** The power; not below 0. */
  readonly gamma?: TensorLike;
  readonly gain?: TensorLike;
}

/** `gain · image ^ gamma`, of integers in parts of their range. TF: tf.image.adjust_gamma(image, gamma, gain). @throws ValueError for gamma below 0. */
export function adjustGamma(image: TensorLike, ...rest: unknown[]): Tensor {
  const { gamma = 1, gain = 1 } = collect<GammaOptions>(["gamma", "gain"], rest);
  return inNameScope(undefined, "adjust_gamma", [image, gamma, gain], () =>
    asFloat(imageOf(image), x => {
      const message = "Gamma should be a non-negative real number.";
      if (typeof gamma === "number" && gamma < 0) throw new ValueError(message);
      const power = gamma instanceof Tensor ? withDependencies([Assert(operator.greaterEqual(gamma, 0), [message])], gamma) : gamma;
      return operator.mul(gain, operator.pow(x, power));
    }),
  );
}

interface ConversionOptions extends Named {
  /** Values outside of the new type become its limits instead of wrapping. */
  readonly saturate?: boolean;
}

const integerLimits: Partial<Record<DType, number>> = {
  uint8: 255,
  int8: 127,
  uint16: 65535,
  int16: 32767,
  int32: 2 ** 31 - 1,
  uint32: 2 ** 32 - 1,
  int64: 2 ** 63,
  uint64: 2 ** 64,
};
/** A factor between two types' ranges: a power of 2, which a bare number may be too large for. */
const factor = (from: number, to: number): number | bigint => {
  const ratio = Math.floor((from + 1) / (to + 1));
  return Number.isSafeInteger(ratio) ? ratio : BigInt(ratio);
};

/** An image in another type; floats span [0, 1], integers their whole range. TF: tf.image.convert_image_dtype(image, dtype, saturate, name). */
export function convertImageDtype(image: TensorLike, dtype: DType, ...rest: unknown[]): Tensor {
  const { saturate = false, name } = collect<ConversionOptions>(["saturate", "name"], rest);
  const x = imageOf(image);
  if (x.dtype === dtype) return identity(x, { name });
  return inNameScope({ name }, "convert_image", [x], scope => {
    const [from, to] = [integerLimits[x.dtype], integerLimits[dtype]];
    const narrow = (y: Tensor, name_?: Named): Tensor => (saturate ? saturateCast(y, dtype, name_) : cast(y, dtype, name_));
    if (from !== undefined && to !== undefined) {
      if (from > to) return narrow(operator.floordiv(x, factor(from, to)), scope);
      return multiply(narrow(x), factor(to, from), scope);
    }
    if (from !== undefined) return multiply(cast(x, dtype), 1 / from, scope);
    if (to === undefined) return cast(x, dtype, scope);
    return narrow(multiply(x, to + 0.5), scope);
  });
}

const grayWeights = [0.2989, 0.587, 0.114];

/** Gray values by the eye's weights, with one channel. TF: tf.image.rgb_to_grayscale. */
export const rgbToGrayscale = (images: TensorLike, options?: NameOption): Tensor =>
  inNameScope(options, "rgb_to_grayscale", [images], scope => {
    const x = imageOf(images, "images");
    const floats = convertImageDtype(x, "float32");
    const gray = expandDims(tensordot(floats, grayWeights, [-1, -1]), -1);
    return convertImageDtype(gray, x.dtype, { name: scope.name });
  });

/** Gray values three times, as red, green and blue. TF: tf.image.grayscale_to_rgb. @throws ValueError for more than one channel. */
export const grayscaleToRgb = (images: TensorLike, options?: NameOption): Tensor =>
  inNameScope(options, "grayscale_to_rgb", [images], scope => {
    const x = withGrayscale(convertToTensor(images));
    const others = expandDims(operator.sub(rank(x), 1), 0);
    const multiples = concat([ones(others, "int32"), expandDims(NDArray.from(3, "int32"), 0)], 0);
    const rgb = tile(x, multiples, scope);
    if (x.shape.rank !== null) rgb.setShape(x.shape.slice(0, -1).concatenate([3]));
    return rgb;
  });

/** The image behind the checks that it has one channel. */
function withGrayscale(image: Tensor): Tensor {
  const { shape: known } = image;
  if (known.rank !== null && known.rank < 2) throw new ValueError(`A grayscale image (shape ${known}) must be at least two-dimensional.`);
  const message = "Last dimension of a grayscale image should be size 1.";
  if (known.isFullyDefined) {
    if (known.dim(-1) !== 1) throw new ValueError(message);
    return withDependencies([], image);
  }
  const last = assertEqual(getItem(shape(image), -1), 1, { message });
  const rankMessage = "A grayscale image must be at least two-dimensional.";
  return withDependencies([last, assertGreaterEqual(rank(image), 3, { message: rankMessage })], image);
}

/** Colors times a matrix; the product of the last axis. */
const mixed =
  (rows: readonly (readonly number[])[]) =>
  (images: TensorLike): Tensor => {
    const x = imageOf(images, "images");
    const kernel = convertToTensor(rows as number[][], { dtype: x.dtype, name: "kernel" });
    return tensordot(x, kernel, [[(x.shape.rank ?? 0) - 1], [0]]);
  };

/** Luminance and the two differences of American television, of red, green and blue. TF: tf.image.rgb_to_yiq. */
export const rgbToYiq = mixed([
  [0.299, 0.59590059, 0.2115],
  [0.587, -0.27455667, -0.52273617],
  [0.114, -0.32134392, 0.31119955],
]);
/** The inverse of rgbToYiq. TF: tf.image.yiq_to_rgb. */
export const yiqToRgb = mixed([
  [1, 1, 1],
  [0.95598634, -0.27201283, -1.10674021],
  [0.6208248, -0.64720424, 1.70423049],
]);
/** Luminance and the two differences of European television, of red, green and blue. TF: tf.image.rgb_to_yuv. */
export const rgbToYuv = mixed([
  [0.299, -0.14714119, 0.61497538],
  [0.587, -0.28886916, -0.51496512],
  [0.114, 0.43601035, -0.10001026],
]);
/** The inverse of rgbToYuv. TF: tf.image.yuv_to_rgb. */
export const yuvToRgb = mixed([
  [1, 1, 1],
  [0, -0.394642334, 2.03206185],
  [1.13988303, -0.58062185, 0],
]);
