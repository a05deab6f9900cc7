// Colors and contrast of images [..., channels], patches, and what is made of other ops: flips, crops, padding, conversion.
// Resizing is image-resize.ts, boxes are image-boxes.ts.

import type { DType } from "../base/dtype.ts";
import { InvalidArgumentError, ValueError } from "../base/errors.ts";
import { NDArray } from "../base/ndarray.ts";
import { TensorShape } from "../base/shape.ts";
import * as attr from "../graph/attributes.ts";
import { convertToTensor, type TensorLike } from "../graph/conversion.ts";
import { defineOp, type Gradients, type Named } from "../graph/op-definition.ts";
import type { Tensor } from "../graph/operation.ts";
import * as ir from "../ir/build.ts";
import { constantIndex, divIndex, modIndex } from "../ir/index-map.ts";
import type { Value } from "../ir/program.ts";
import { type Scalar, s } from "../ir/scalar.ts";
import { collect } from "./arguments.ts";
import { constant, expandDims, identity, shape, squeeze } from "./array.ts";
import { pad } from "./array-padding.ts";
import { reverse, transpose } from "./array-rearranging.ts";
import { ellipsis, getItem, slice, stack, unstack } from "./array-slicing.ts";
import { resizeArea, resizeBicubic, resizeBilinear, resizeNearestNeighbor } from "./image-resize.ts";
import { add, cast, divNoNan, greater, greaterEqual, less, lessEqual, logicalAnd, maximum, multiply } from "./math.ts";
import { rsqrt, sqrt, square } from "./math-functions.ts";
import { tensordot } from "./math-matrix.ts";
import { reduceMean } from "./math-reduction.ts";
import { saturateCast } from "./math-special.ts";
import { inNameScope, type NameOption, named } from "./named.ts";
import { Conv2DBackpropInput } from "./nn-convolution.ts";
import { extentOf, tapIndex, windowAlong, windowedSize } from "./nn-window.ts";
import * as operator from "./operators.ts";

// ---- colors ----

type Color = readonly [Scalar, Scalar, Scalar];

/** Hue, saturation and value, each in [0, 1], of red, green and blue. */
function hsvOf([r, g, b]: Color): Color {
  const value = s.max(s.max(r, g), b);
  const spread = s.sub(value, s.min(s.min(r, g), b));
  const saturation = s.select(s.gt(value, 0), s.div(spread, value), 0);
  const norm = s.div(s.constant(r.dtype, 1), s.mul(spread, 6));
  const ofRed = s.mul(norm, s.sub(g, b));
  const ofGreen = s.add(s.mul(norm, s.sub(b, r)), 2 / 6);
  const ofBlue = s.add(s.mul(norm, s.sub(r, g)), 4 / 6);
  const hue = s.select(s.eq(r, value), ofRed, s.select(s.eq(g, value), ofGreen, ofBlue));
  const known = s.select(s.gt(spread, 0), hue, s.constant(r.dtype, 0));
  return [s.select(s.lt(known, 0), s.add(known, 1), known), saturation, value];
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
  return known;
}

function checkColors(images: Value): void {
  if (images.shape.length < 1) throw new InvalidArgumentError(`input must be at least 1D[${images.shape.join(",")}]`);
  if (images.shape.at(-1) !== 3)
    throw new InvalidArgumentError("input must have 3 channels but input only has " + `${images.shape.at(-1)} channels.`);
}

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
    gradient,
    lower: ({ images }) => {
      checkColors(images);
      return mapColors(images, f);
    },
  });

export const RGBToHSV = colorOp("RGBToHSV", hsvOf, hsvGradient);
export const HSVToRGB = colorOp("HSVToRGB", rgbOf, "none");

const adjusted = attr.type(["float16", "float32"], "float32");

export const AdjustHue = defineOp("AdjustHue", {
  inputs: { images: "T", delta: "float32" },
  outputs: { output: "T" },
  attrs: { T: adjusted },
  shape: ({ images }) => images.withRankAtLeast(3),
  lower: ({ images, delta }) => {
    checkColors(images);
    return mapColors(images, color => {
      const [hue, saturation, value] = hsvOf(color);
      const turned = s.add(hue, s.load(delta, []));
      return rgbOf([s.sub(turned, s.floor(turned)), saturation, value]);
    });
  },
});

export const AdjustSaturation = defineOp("AdjustSaturation", {
  inputs: { images: "T", scale: "float32" },
  outputs: { output: "T" },
  attrs: { T: adjusted },
  shape: ({ images }) => images.withRankAtLeast(3),
  lower: ({ images, scale }) => {
    checkColors(images);
    return mapColors(images, color => {
      const [hue, saturation, value] = hsvOf(color);
      return rgbOf([hue, s.min(s.max(s.mul(saturation, s.load(scale, [])), 0), 1), value]);
    });
  },
});

/** Each channel of each image pulled towards (factor below 1) or away from its mean. */
export const AdjustContrastv2 = defineOp("AdjustContrastv2", {
  inputs: { images: "T", contrastFactor: "float32" },
  outputs: { output: "T" },
  attrs: { T: adjusted },
  shape: ({ images }) => images.withRankAtLeast(3),
  lower: ({ images, contrastFactor }) => {
    const rank = images.shape.length;
    const pixels = images.shape[rank - 3] * images.shape[rank - 2];
    const wide = ir.cast(images, "float32");
    const total = ir.reduce("sum", wide, [rank - 3, rank - 2], { keepDims: true });
    const result = ir.map(
      (x, sum, factor) => {
        const mean = s.div(sum, pixels);
        return s.add(s.mul(s.sub(x, mean), factor), mean);
      },
      wide,
      total,
      contrastFactor,
    );
    return ir.cast(result, images.dtype);
  },
});

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
    const windows = { strides, padding, dilations: rates, dataFormat: "NHWC" };
    const [height, width] = [1, 2].map(axis => windowedSize(known.dim(axis), ksizes[axis], extentOf(windows, axis)));
    const depth = known.dim(3);
    return new TensorShape([known.dim(0), height, width, depth === null ? null : depth * ksizes[1] * ksizes[2]]);
  },
  gradient: ({ images, ksizes, strides, rates, padding, T }, d): Gradients => {
    const depth = images.shape.rank === 4 ? images.shape.dim(3) : null;
    if (depth === null) throw new ValueError("The gradient of ExtractImagePatches needs a known number of channels.");
    const filter = constant(patchFilter(ksizes[1], ksizes[2], depth, T));
    // Patches are a convolution with unit vectors; TensorFlow writes the same map as a sparse matrix.
    return {
      images: Conv2DBackpropInput({ inputSizes: shape(images), filter, outBackprop: d.patches, strides, padding, dilations: rates }),
    };
  },
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

/** [rows, columns, depth, rows·columns·depth]: output k is element k of the window. */
function patchFilter(rows: number, columns: number, depth: number, dtype: DType): NDArray {
  const count = rows * columns * depth;
  const filter = NDArray.zeros(dtype, [rows, columns, depth, count]);
  for (let k = 0; k < count; k++) filter.set(k * count + k, 1);
  return filter;
}

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
  return ExtractImagePatches({ images, ksizes: sizes ?? ksizes, ...options }, { name });
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
function asFloat(image: Tensor, f: (x: Tensor) => Tensor): Tensor {
  const isFloat = image.dtype === "float16" || image.dtype === "float32";
  return convertImageDtype(f(isFloat ? image : convertImageDtype(image, "float32")), image.dtype, { saturate: true });
}

/** Colors turned around the circle by `delta` (1 is all the way). TF: tf.image.adjust_hue(image, delta, name). */
export const adjustHue = (image: TensorLike, delta: TensorLike, options?: NameOption): Tensor =>
  inNameScope(options, "adjust_hue", [image], () => asFloat(imageOf(image), x => AdjustHue({ images: x, delta })));

/** Saturation multiplied by a factor. TF: tf.image.adjust_saturation(image, saturation_factor, name). */
export const adjustSaturation = (image: TensorLike, saturationFactor: TensorLike, options?: NameOption): Tensor =>
  inNameScope(options, "adjust_saturation", [image], () =>
    asFloat(imageOf(image), x => AdjustSaturation({ images: x, scale: saturationFactor })),
  );

/** Each channel's distance from its mean multiplied by a factor. TF: tf.image.adjust_contrast. */
export const adjustContrast = (images: TensorLike, contrastFactor: TensorLike): Tensor =>
  inNameScope(undefined, "adjust_contrast", [images, contrastFactor], scope =>
    asFloat(imageOf(images, "images"), x => AdjustContrastv2({ images: x, contrastFactor }, scope)),
  );

/** `delta` added to every element, of integers as a part of their range. TF: tf.image.adjust_brightness. */
export const adjustBrightness = (image: TensorLike, delta: TensorLike): Tensor =>
  inNameScope(undefined, "adjust_brightness", [image, delta], () => {
    const x = imageOf(image);
    return asFloat(x, y => add(y, cast(delta, y.dtype)));
  });

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
};

/** An image in another type; floats span [0, 1], integers their whole range. TF: tf.image.convert_image_dtype(image, dtype, saturate, name). */
export function convertImageDtype(image: TensorLike, dtype: DType, ...rest: unknown[]): Tensor {
  const { saturate = false, name } = collect<ConversionOptions>(["saturate", "name"], rest);
  const x = imageOf(image);
  if (x.dtype === dtype) return identity(x, { name });
  return inNameScope({ name }, "convert_image", [x], scope => {
    const [from, to] = [integerLimits[x.dtype], integerLimits[dtype]];
    const narrow = (y: Tensor): Tensor => (saturate ? saturateCast(y, dtype) : cast(y, dtype));
    if (from !== undefined && to !== undefined) {
      if (from > to) {
        const scale = Math.floor((from + 1) / (to + 1));
        return narrow(operator.floordiv(x, scale));
      }
      return cast(multiply(saturate ? saturateCast(x, dtype) : cast(x, dtype), Math.floor((to + 1) / (from + 1))), dtype, scope);
    }
    if (from !== undefined) return multiply(cast(x, dtype), 1 / from, scope);
    if (to === undefined) return cast(x, dtype, scope);
    const scaled = multiply(x, to + 0.5);
    return saturate ? saturateCast(scaled, dtype, scope) : cast(scaled, dtype, scope);
  });
}

/** Mirrored along an axis counted from that of the rows; of single images and of batches. */
function flip(image: TensorLike, axis: 0 | 1, scope: string): Tensor {
  return inNameScope(undefined, scope, [image], () => {
    const x = imageOf(image);
    const { rank } = x.shape;
    if (rank !== 3 && rank !== 4) throw new ValueError(`'image' (shape ${x.shape}) must have either 3 or 4 dimensions.`);
    return reverse(x, [axis + rank - 3]);
  });
}

/** Mirrored left to right: an image `[h, w, channels]` or a batch of them. TF: tf.image.flip_left_right. */
export const flipLeftRight = (image: TensorLike): Tensor => flip(image, 1, "flip_left_right");
/** Upside down: an image `[h, w, channels]` or a batch of them. TF: tf.image.flip_up_down. */
export const flipUpDown = (image: TensorLike): Tensor => flip(image, 0, "flip_up_down");

/** Rows and columns exchanged. TF: tf.image.transpose_image. */
export const transposeImage = (image: TensorLike, options?: NameOption): Tensor =>
  inNameScope(options, "transpose", [image], scope => {
    const x = imageOf(image);
    return x.shape.rank === 4 ? transpose(x, [0, 2, 1, 3], scope) : transpose(x, [1, 0, 2], scope);
  });

const grayWeights = [0.2989, 0.587, 0.114];

/** Gray values by the eye's weights, with one channel. TF: tf.image.rgb_to_grayscale. */
export const rgbToGrayscale = (images: TensorLike, options?: NameOption): Tensor =>
  inNameScope(options, "rgb_to_grayscale", [images], scope => {
    const x = imageOf(images, "images");
    const floats = convertImageDtype(x, "float32");
    const gray = expandDims(tensordot(floats, constant(grayWeights), [-1, -1]), -1);
    return convertImageDtype(gray, x.dtype, { name: scope.name });
  });

/** Mean 0 and (nearly) variance 1 for each image. TF: tf.image.per_image_standardization. */
export const perImageStandardization = (image: TensorLike): Tensor =>
  inNameScope(undefined, "per_image_standardization", [image], scope => {
    const x = imageOf(image);
    const floats = x.dtype === "float16" || x.dtype === "float32" ? x : cast(x, "float32");
    const axes = [-1, -2, -3];
    const mean = reduceMean(floats, axes, { keepdims: true });
    const centered = operator.sub(floats, mean);
    const deviation = sqrt(reduceMean(operator.mul(centered, centered), axes, { keepdims: true }));
    const { shape: known } = x;
    if (known.rank === null || !known.slice(-3).isFullyDefined)
      throw new ValueError("perImageStandardization needs the size of its images.");
    const least = rsqrt(
      constant(
        known
          .slice(-3)
          .asNumbers()
          .reduce((size, d) => size * d, 1),
        floats.dtype,
      ),
    );
    return operator.truediv(centered, maximum(deviation, least, scope));
  });

/** A batch for the body, also of a single image `[h, w, channels]`; the result has the rank of the input. */
function asBatch(image: TensorLike, f: (batch: Tensor, height: number, width: number, depth: number) => Tensor): Tensor {
  const x = imageOf(image);
  const isBatch = x.shape.rank === 4;
  if (!isBatch && x.shape.rank !== 3) throw new ValueError(`'image' (shape ${x.shape}) must have either 3 or 4 dimensions.`);
  const batch = isBatch ? x : expandDims(x, 0);
  const [height, width, depth] = [1, 2, 3].map(axis => batch.shape.dim(axis));
  if (height === null || width === null || depth === null) throw new ValueError("The size of the images must be known here.");
  const result = f(batch, height, width, depth);
  return isBatch ? result : squeeze(result, [0]);
}

/** The part of an image at (offsetHeight, offsetWidth). TF: tf.image.crop_to_bounding_box. @throws ValueError outside of the image. */
export const cropToBoundingBox = (
  image: TensorLike,
  offsetHeight: number,
  offsetWidth: number,
  targetHeight: number,
  targetWidth: number,
): Tensor =>
  inNameScope(undefined, "crop_to_bounding_box", [image], () =>
    asBatch(image, (x, height, width) => {
      if (offsetWidth < 0) throw new ValueError("offset_width must be >= 0.");
      if (offsetHeight < 0) throw new ValueError("offset_height must be >= 0.");
      if (targetWidth <= 0) throw new ValueError("target_width must be > 0.");
      if (targetHeight <= 0) throw new ValueError("target_height must be > 0.");
      if (width < targetWidth + offsetWidth) throw new ValueError("width must be >= target + offset.");
      if (height < targetHeight + offsetHeight) throw new ValueError("height must be >= target + offset.");
      return slice(x, stack([0, offsetHeight, offsetWidth, 0]), stack([-1, targetHeight, targetWidth, -1]));
    }),
  );

/** An image on a larger ground of zeros. TF: tf.image.pad_to_bounding_box. @throws ValueError if it does not fit. */
export const padToBoundingBox = (
  image: TensorLike,
  offsetHeight: number,
  offsetWidth: number,
  targetHeight: number,
  targetWidth: number,
): Tensor =>
  inNameScope(undefined, "pad_to_bounding_box", [image], () =>
    asBatch(image, (x, height, width) => {
      const [below, right] = [targetHeight - offsetHeight - height, targetWidth - offsetWidth - width];
      if (offsetHeight < 0) throw new ValueError("offset_height must be >= 0");
      if (offsetWidth < 0) throw new ValueError("offset_width must be >= 0");
      if (right < 0) throw new ValueError("width must be <= target - offset");
      if (below < 0) throw new ValueError("height must be <= target - offset");
      return pad(x, [
        [0, 0],
        [offsetHeight, below],
        [offsetWidth, right],
        [0, 0],
      ]);
    }),
  );

/** The middle of an image, cut or surrounded with zeros to a size. TF: tf.image.resize_image_with_crop_or_pad. */
export const resizeImageWithCropOrPad = (image: TensorLike, targetHeight: number, targetWidth: number): Tensor =>
  inNameScope(undefined, "resize_image_with_crop_or_pad", [image], () =>
    asBatch(image, (x, height, width) => {
      const half = (difference: number): number => Math.floor(difference / 2);
      const [extraHeight, extraWidth] = [Math.max(height - targetHeight, 0), Math.max(width - targetWidth, 0)];
      const cropped = cropToBoundingBox(
        x,
        half(extraHeight),
        half(extraWidth),
        Math.min(targetHeight, height),
        Math.min(targetWidth, width),
      );
      const [missingHeight, missingWidth] = [Math.max(targetHeight - height, 0), Math.max(targetWidth - width, 0)];
      return padToBoundingBox(cropped, half(missingHeight), half(missingWidth), targetHeight, targetWidth);
    }),
  );
export { resizeImageWithCropOrPad as resizeWithCropOrPad };

/** The middle part of each side, `centralFraction` of it. TF: tf.image.central_crop. */
export const centralCrop = (image: TensorLike, centralFraction: number): Tensor =>
  inNameScope(undefined, "central_crop", [image], () => {
    if (!(centralFraction > 0 && centralFraction <= 1)) throw new ValueError("central_fraction must be within (0, 1]");
    if (centralFraction === 1) return imageOf(image);
    return asBatch(image, (x, height, width) => {
      const [top, left] = [height, width].map(size => Math.floor((size - size * centralFraction) / 2));
      return slice(x, stack([0, top, left, 0]), stack([-1, height - 2 * top, width - 2 * left, -1]));
    });
  });

/** How images are resized. TF: tf.image.ResizeMethod. */
export const ResizeMethod = { BILINEAR: 0, NEAREST_NEIGHBOR: 1, BICUBIC: 2, AREA: 3 } as const;
export type ResizeMethod = (typeof ResizeMethod)[keyof typeof ResizeMethod];

interface ResizeImagesOptions extends Named {
  readonly method?: ResizeMethod;
  readonly alignCorners?: boolean;
  readonly preserveAspectRatio?: boolean;
}

/** Images `[h, w, channels]` or batches of them to `size = [height, width]`; float32 unless nearest, or already of that size.
 *  TF: tf.image.resize_images(images, size, method, align_corners, preserve_aspect_ratio, name). */
export function resizeImages(images: TensorLike, size: TensorLike, ...rest: unknown[]): Tensor {
  const names = ["method", "alignCorners", "preserveAspectRatio", "name"];
  const { method = 0, alignCorners = false, preserveAspectRatio = false, name } = collect<ResizeImagesOptions>(names, rest);
  if (preserveAspectRatio) throw new ValueError("preserveAspectRatio is not supported; compute the size instead.");
  const resizers = [resizeBilinear, resizeNearestNeighbor, resizeBicubic, resizeArea];
  const resizer = resizers[method];
  if (resizer === undefined) throw new ValueError("Resize method is not implemented: " + String(method));
  return inNameScope({ name }, "resize", [images, size], () => {
    const x = imageOf(images, "images");
    const { rank } = x.shape;
    if (rank !== null && rank !== 3 && rank !== 4) throw new ValueError("'images' must have either 3 or 4 dimensions.");
    const batch = rank === 3 ? expandDims(x, 0) : x;
    const wanted = convertToTensor(size, { dtype: "int32", name: "size" });
    const known = Array.isArray(size) && batch.shape.rank === 4 ? size : undefined;
    const isSame = known !== undefined && batch.shape.dim(1) === known[0] && batch.shape.dim(2) === known[1];
    const result = isSame ? batch : resizer(batch, wanted, { alignCorners });
    return rank === 3 ? squeeze(result, [0]) : result;
  });
}
export { resizeImages as resize };
