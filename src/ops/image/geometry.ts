// Images flipped, turned, cropped, padded and brought to a size, made of other ops. An image is [height, width, channels], a batch has one more
// dimension in front; sizes may be numbers or, where they are only known while running, tensors.

import { ValueError } from "../../base/errors.ts";
import { staticValue } from "../../graph/static-value.ts";
import { convertToTensor, type TensorLike } from "../../graph/conversion.ts";
import type { Named } from "../../graph/op-definition.ts";
import type { Operation, Tensor } from "../../graph/operation.ts";
import { collect } from "../arguments.ts";
import { expandDims, numbersOf, rank, reshape, shape, squeeze } from "../array/array.ts";
import { pad } from "../array/padding.ts";
import { reverse, transpose as transposeAxes } from "../array/rearranging.ts";
import { getItem, slice, stack, unstack } from "../array/slicing.ts";
import { assertGreaterEqual, assertPositive } from "../flow/check.ts";
import { Assert, withDependencies } from "../flow/control-flow.ts";
import { caseOf, cond } from "../flow/control-flow-contexts.ts";
import { ResizeArea, ResizeBicubic, ResizeBilinear, ResizeNearestNeighbor, roundHalfToEven } from "./resize.ts";
import { Cast, cast } from "../math/cast.ts";
import { divide, maximum, minimum } from "../math/math.ts";
import { equal, less, logicalOr } from "../math/comparison.ts";
import { floor, round, rsqrt } from "../math/functions.ts";
import { reduceMean, reduceProd, reduceStd } from "../math/reduction.ts";
import { inNameScope, type NameOption, named } from "../named.ts";
import * as operator from "../operators.ts";
import { minus, negative, plus, quotient, type Size } from "../sizes.ts";

const imageOf = (image: TensorLike): Tensor => convertToTensor(image, { name: "image" });

const halfOf = (x: Size): Size => quotient(x, 2);
const larger = (x: Size, y: Size): Size => (typeof x === "number" && typeof y === "number" ? Math.max(x, y) : maximum(x, y));
const smaller = (x: Size, y: Size): Size => (typeof x === "number" && typeof y === "number" ? Math.min(x, y) : minimum(x, y));
const numberOf = (x: Size): number | null => (typeof x === "number" ? x : null);

/** A condition that has to hold: checked now where both sides are known, else an assertion. @throws ValueError with the message. */
function required(x: Size, sign: ">" | ">=" | "==", y: Size, message: string): Operation[] {
  if (typeof x === "number" && typeof y === "number") {
    if (!(sign === ">" ? x > y : sign === ">=" ? x >= y : x === y)) throw new ValueError(message);
    return [];
  }
  return [Assert(comparison(x, sign, y), [message])];
}

/** The checks of a size that is asked for. */
const positiveSizes = (targetHeight: Size, targetWidth: Size): Operation[] => [
  ...required(targetWidth, ">", 0, "target_width must be > 0."),
  ...required(targetHeight, ">", 0, "target_height must be > 0."),
];

/** Python turns a comparison round whose left side is a number. */
function comparison(x: Size, sign: ">" | ">=" | "==", y: Size): Tensor {
  if (sign === "==") return equal(x, y);
  if (typeof x === "number") return sign === ">" ? operator.less(y, x) : operator.lessEqual(y, x);
  return sign === ">" ? operator.greater(x, y) : operator.greaterEqual(x, y);
}

/** Whole numbers and scalars as one vector. */
const vectorOf = (values: readonly Size[]): Tensor =>
  values.some(value => typeof value === "number" && !Number.isInteger(value))
    ? stack(values as TensorLike[])
    : convertToTensor(values, { dtype: "int32", name: "stack" });

/** Sizes as numbers: a bool is one in Python. */
const plainSizes = (...sizes: readonly Size[]): Size[] => sizes.map(size => (typeof size === "boolean" ? Number(size) : size));

/** A number is a node of its own type first, and is then cast while running. */
const castOf = (x: Size, dtype: "float32" | "float64", own: "int32" | "float32" = "int32"): Tensor =>
  typeof x === "number"
    ? inNameScope(undefined, "Cast", [], scope => Cast({ x: convertToTensor(x, { dtype: own, name: "x" }), DstT: dtype }, scope))
    : cast(x, dtype);

/** Checks that an image has three dimensions or more, none of them empty. @throws ValueError where that is known not to be. */
function checkImage(image: Tensor): Operation[] {
  const { shape: known } = image;
  if (known.rank !== null && known.rank < 3) throw new ValueError(`'image' (shape ${known}) must be at least three-dimensional.`);
  const inner = known.rank === null ? null : known.slice(-3);
  if (inner?.dims?.includes(0)) throw new ValueError(`inner 3 dims of 'image.shape' must be > 0: ${known}`);
  if (inner?.isFullyDefined) return [];
  return [
    assertPositive(getItem(shape(image), [-3, null]), { data: ["inner 3 dims of 'image.shape' must be > 0."] }),
    assertGreaterEqual(rank(image), 3, { message: "'image' must be at least three-dimensional." }),
  ];
}

const checked = (image: Tensor): Tensor => withDependencies(checkImage(image), image);

/** The dimensions of a tensor of rank 4, as numbers where they are known. */
function dimensionsOf(image: Tensor): Size[] {
  const known = image.shape.withRank(4);
  if (known.isFullyDefined) return [...known.asNumbers()];
  const dynamic = unstack(shape(image), 4);
  return dynamic.map((size, axis) => known.dim(axis) ?? size);
}

const neitherRank = (image: Tensor, gap = " "): ValueError =>
  new ValueError(`'image' (shape ${image.shape})${gap}must have either 3 or 4 dimensions.`);

/** One way for single images and one for batches, chosen while running where the rank is unknown. */
function byRank(image: Tensor, single: () => Tensor, batch: () => Tensor, gap = " "): Tensor {
  const { rank: known } = image.shape;
  if (known === null) return cond(equal(rank(image), 3), single, batch) as Tensor;
  if (known !== 3 && known !== 4) throw neitherRank(image, gap);
  return known === 3 ? single() : batch();
}

// ---- flips and turns ----

const withShapeOf = (image: Tensor, result: Tensor): Tensor => {
  result.setShape(image.shape.rank === null ? [null, null, null] : image.shape);
  return result;
};

const flip = (image: TensorLike, axis: 0 | 1, scope: string): Tensor =>
  inNameScope(undefined, scope, [image], () => {
    const x = checked(imageOf(image));
    const single = (): Tensor => withShapeOf(x, reverse(x, [axis]));
    return byRank(x, single, () => reverse(x, [axis + 1]), "");
  });

/** Mirrored left to right: an image `[h, w, channels]` or a batch of them. TF: tf.image.flip_left_right. */
export const flipLeftRight = (image: TensorLike): Tensor => flip(image, 1, "flip_left_right");
/** Upside down: an image `[h, w, channels]` or a batch of them. TF: tf.image.flip_up_down. */
export const flipUpDown = (image: TensorLike): Tensor => flip(image, 0, "flip_up_down");

/** Flips an image, or each image of a batch, with a probability of a half; `draw` gives numbers from 0 to 1. */
export const randomFlip = (image: TensorLike, axis: 0 | 1, scopeName: string, draw: (shape: TensorLike) => Tensor): Tensor =>
  inNameScope(undefined, scopeName, [image], scope => {
    const x = checked(imageOf(image));
    const single = (): Tensor => {
      const isMirrored = less(draw([]), 0.5);
      return withShapeOf(
        x,
        cond(
          isMirrored,
          () => reverse(x, [axis]),
          () => x,
          { name: String(scope) },
        ) as Tensor,
      );
    };
    const batch = (): Tensor => {
      const count = getItem(shape(x), 0);
      const flips = cast(round(reshape(draw([count]), [count, 1, 1, 1])), x.dtype);
      const flipped = reverse(x, [axis + 1]);
      return operator.add(operator.mul(flips, flipped), operator.mul(operator.sub(1, flips), x));
    };
    return byRank(x, single, batch);
  });

/** Turned by k quarters against the clock. TF: tf.image.rot90(image, k, name). */
export function rot90(image: TensorLike, ...rest: unknown[]): Tensor {
  const { k = 1, name } = collect<Named & { readonly k?: TensorLike }>(["k", "name"], rest);
  return inNameScope({ name }, "rot90", [image, k], scope => {
    const x = checked(imageOf(image));
    const quarters = convertToTensor(k, { dtype: "int32", name: "k" });
    quarters.shape.withRank(0);
    const turns = operator.mod(quarters, 4);
    const turned = (first: number, axes: readonly number[]): Tensor => {
      const one = (): Tensor => transposeAxes(reverse(x, [first + 1]), axes);
      const two = (): Tensor => reverse(x, [first, first + 1]);
      const three = (): Tensor => reverse(transposeAxes(x, axes), [first + 1]);
      const cases = [one, two, three].map((turn, i) => [equal(turns, i + 1), turn] as const);
      return caseOf(cases, { default: () => x, exclusive: true, name: String(scope) }) as Tensor;
    };
    const single = (): Tensor => {
      const result = turned(0, [1, 0, 2]);
      result.setShape([null, null, x.shape.rank === 3 ? x.shape.dim(2) : null]);
      return result;
    };
    const batch = (): Tensor => {
      const result = turned(1, [0, 2, 1, 3]);
      if (result.shape.rank === 4) result.setShape([result.shape.dim(0), null, null, result.shape.dim(3)]);
      return result;
    };
    return byRank(x, single, batch);
  });
}

/** Rows and columns exchanged. TF: tf.image.transpose_image. */
export const transposeImage = (image: TensorLike, options?: NameOption): Tensor =>
  inNameScope(options, "transpose", [image], () => {
    const x = checked(imageOf(image));
    const { name } = named(options);
    return byRank(
      x,
      () => transposeAxes(x, [1, 0, 2], { name }),
      () => transposeAxes(x, [0, 2, 1, 3], { name }),
    );
  });

// ---- crops and paddings ----

/** Runs `f` on a batch, also for a single image `[h, w, channels]`; the result has the rank of the input. */
function asBatch(image: TensorLike, f: (batch: Tensor) => Tensor): Tensor {
  let x = imageOf(image);
  const isBatch = x.shape.rank === 4;
  if (!isBatch) {
    if (x.shape.rank !== null && x.shape.rank !== 3) throw neitherRank(x);
    const isKnown = x.shape.rank === 3;
    x = expandDims(x, 0);
    if (!isKnown) x.setShape([null, null, null, null]);
  }
  const result = f(x);
  return isBatch ? result : squeeze(result, [0]);
}

/** The middle part of each side, `centralFraction` of it. TF: tf.image.central_crop. @throws ValueError for fractions outside of (0, 1]. */
export const centralCrop = (image: TensorLike, centralFraction: Size): Tensor =>
  inNameScope(undefined, "central_crop", [image], () => {
    let x = imageOf(image);
    const message = "central_fraction must be within (0, 1]";
    const known = typeof centralFraction === "number" ? centralFraction : constantOf(centralFraction);
    if (known === undefined) {
      const isRight = logicalOr(operator.greater(centralFraction, 0), operator.lessEqual(centralFraction, 1));
      x = withDependencies([Assert(isRight, [message])], x);
    } else if (!(known > 0 && known <= 1)) throw new ValueError(message);
    else if (known === 1) return x;
    checked(x);
    const { rank: dimensions } = x.shape;
    if (dimensions !== 3 && dimensions !== 4)
      throw new ValueError(
        `\`image\` should either be a Tensor with rank = 3 or rank = 4. Had rank = ${dimensions === null ? "None" : dimensions}.`,
      );
    const first = dimensions - 3;
    const sizes = [first, first + 1].map(axis => x.shape.dim(axis) ?? getItem(shape(x), axis));
    const starts = sizes.map(size => {
      if (typeof size === "number" && known !== undefined) return Math.trunc((size - size * known) / 2);
      const wide = castOf(size, "float64");
      const part = operator.mul(wide, castOf(centralFraction, "float64", "float32"));
      return cast(operator.truediv(operator.sub(wide, part), 2), "int32");
    });
    const [height, width] = sizes.map((size, i) => minus(size, times2(starts[i])));
    const front = <T>(one: T): T[] => (dimensions === 4 ? [one] : []);
    const begin = vectorOf([...front<Size>(0), ...starts, 0]);
    const end = vectorOf([...front<Size>(-1), height, width, -1]);
    const cropped = slice(x, begin, end);
    cropped.setShape([...front(x.shape.dim(0)), numberOf(height), numberOf(width), x.shape.dim(first + 2)]);
    return cropped;
  });

const times2 = (x: Size): Size => (typeof x === "number" ? 2 * x : operator.mul(x, 2));

function constantOf(x: Tensor): number | undefined {
  const value = staticValue(x);
  return value === undefined ? undefined : Number(value.get(0));
}

/** The part of an image at (offsetHeight, offsetWidth). TF: tf.image.crop_to_bounding_box. @throws ValueError outside of the image. */
export const cropToBoundingBox = (
  image: TensorLike,
  ...[top, left, tall, wide]: readonly [offsetHeight: Size, offsetWidth: Size, targetHeight: Size, targetWidth: Size]
): Tensor =>
  inNameScope(undefined, "crop_to_bounding_box", [image], () =>
    asBatch(image, batch => {
      const [offsetHeight, offsetWidth, targetHeight, targetWidth] = plainSizes(top, left, tall, wide);
      const checks = checkImage(batch);
      const [count, height, width, depth] = dimensionsOf(batch);
      checks.push(
        ...required(offsetWidth, ">=", 0, "offset_width must be >= 0."),
        ...required(offsetHeight, ">=", 0, "offset_height must be >= 0."),
        ...positiveSizes(targetHeight, targetWidth),
        ...required(width, ">=", plus(targetWidth, offsetWidth), "width must be >= target + offset."),
        ...required(height, ">=", plus(targetHeight, offsetHeight), "height must be >= target + offset."),
      );
      const x = withDependencies(checks, batch);
      const begin = vectorOf([0, offsetHeight, offsetWidth, 0]);
      const size = vectorOf([getItem(shape(x), 0), targetHeight, targetWidth, getItem(shape(x), 3)]);
      const cropped = slice(x, begin, size);
      cropped.setShape([count, targetHeight, targetWidth, depth].map(numberOf));
      return cropped;
    }),
  );

/** An image on a larger ground of zeros. TF: tf.image.pad_to_bounding_box. @throws ValueError if it does not fit. */
export const padToBoundingBox = (
  image: TensorLike,
  ...[top, left, tall, wide]: readonly [offsetHeight: Size, offsetWidth: Size, targetHeight: Size, targetWidth: Size]
): Tensor =>
  inNameScope(undefined, "pad_to_bounding_box", [image], () =>
    asBatch(image, batch => {
      const [offsetHeight, offsetWidth, targetHeight, targetWidth] = plainSizes(top, left, tall, wide);
      const [count, height, width, depth] = dimensionsOf(batch);
      const right = minus(minus(targetWidth, offsetWidth), width);
      const below = minus(minus(targetHeight, offsetHeight), height);
      const checks = [
        ...checkImage(batch),
        ...required(offsetHeight, ">=", 0, "offset_height must be >= 0"),
        ...required(offsetWidth, ">=", 0, "offset_width must be >= 0"),
        ...required(right, ">=", 0, "width must be <= target - offset"),
        ...required(below, ">=", 0, "height must be <= target - offset"),
      ];
      const x = withDependencies(checks, batch);
      const paddings = reshape(vectorOf([0, 0, offsetHeight, below, offsetWidth, right, 0, 0]), [4, 2]);
      const padded = pad(x, paddings);
      padded.setShape([count, targetHeight, targetWidth, depth].map(numberOf));
      return padded;
    }),
  );

/** The middle of an image, cut or surrounded with zeros to a size. TF: tf.image.resize_image_with_crop_or_pad. */
export const resizeImageWithCropOrPad = (image: TensorLike, ...target: readonly [targetHeight: Size, targetWidth: Size]): Tensor =>
  inNameScope(undefined, "resize_image_with_crop_or_pad", [image], () =>
    asBatch(image, batch => {
      const [targetHeight, targetWidth] = plainSizes(...target);
      const checks = [...checkImage(batch), ...positiveSizes(targetHeight, targetWidth)];
      const x = withDependencies(checks, batch);
      const [tall, wide] = [targetHeight, targetWidth].map(size => (typeof size === "number" ? size : withDependencies(checks, size)));
      const [, height, width] = dimensionsOf(x);
      const extraWidth = minus(wide, width);
      const [cropLeft, padLeft] = [larger(halfOf(negative(extraWidth)), 0), larger(halfOf(extraWidth), 0)];
      const extraHeight = minus(tall, height);
      const [cropTop, padTop] = [larger(halfOf(negative(extraHeight)), 0), larger(halfOf(extraHeight), 0)];
      const cropped = cropToBoundingBox(x, cropTop, cropLeft, smaller(tall, height), smaller(wide, width));
      const resized = padToBoundingBox(cropped, padTop, padLeft, tall, wide);
      const [, newHeight, newWidth] = dimensionsOf(resized);
      return withDependencies(
        [
          ...required(newHeight, "==", tall, "resized height is not correct."),
          ...required(newWidth, "==", wide, "resized width is not correct."),
        ],
        resized,
      );
    }),
  );
export { resizeImageWithCropOrPad as resizeWithCropOrPad };

// ---- sizes ----

/** How images are resized. TF: tf.image.ResizeMethod. */
export const ResizeMethod = { BILINEAR: 0, NEAREST_NEIGHBOR: 1, BICUBIC: 2, AREA: 3 } as const;
export type ResizeMethod = (typeof ResizeMethod)[keyof typeof ResizeMethod] | "bilinear" | "nearest" | "bicubic" | "area";

const methodNames = ["bilinear", "nearest", "bicubic", "area"] as const;
const resizers = { bilinear: ResizeBilinear, nearest: ResizeNearestNeighbor, bicubic: ResizeBicubic, area: ResizeArea } as const;

interface ResizeImagesOptions extends Named {
  readonly method?: ResizeMethod;
  readonly alignCorners?: boolean;
  /** The size is a box that the image has to fit in. */
  readonly preserveAspectRatio?: boolean;
}

/** Images `[h, w, channels]` or batches of them to `size = [height, width]`; float32 unless nearest, or already of that size.
 *  TF: tf.image.resize_images(images, size, method, align_corners, preserve_aspect_ratio, name). */
export function resizeImages(images: TensorLike, size: TensorLike, ...rest: unknown[]): Tensor {
  const names = ["method", "alignCorners", "preserveAspectRatio", "name"];
  const { method = 0, alignCorners = false, preserveAspectRatio = false, name } = collect<ResizeImagesOptions>(names, rest);
  return inNameScope({ name }, "resize", [images, size], () => {
    let x = convertToTensor(images, { name: "images" });
    const { rank: dimensions } = x.shape;
    if (dimensions === null) throw new ValueError("'images' contains no shape.");
    if (dimensions !== 3 && dimensions !== 4) throw new ValueError("'images' must have either 3 or 4 dimensions.");
    if (dimensions === 3) x = expandDims(x, 0);
    const box = sizeTensor(size);
    const wanted = preserveAspectRatio ? withinBox(x, box) : box;
    const given = staticValue(box);
    const limits = given === undefined ? [null, null] : numbersOf(given).map(limit => (limit < 0 ? null : limit));
    const [height, width] = preserveAspectRatio ? knownWithinBox(x, limits) : limits;
    const isSame = height !== null && height === x.shape.dim(1) && width === x.shape.dim(2);
    if (!isSame) {
      const resizer = resizers[typeof method === "number" ? methodNames[method] : method];
      if (resizer === undefined) throw new ValueError(`Resize method is not implemented: ${method}`);
      x = resizer({ images: x, size: wanted, alignCorners });
      x.setShape([null, height, width, null]);
    }
    return dimensions === 3 ? squeeze(x, [0]) : x;
  });
}
export { resizeImages as resize };

function sizeTensor(size: TensorLike): Tensor {
  let converted: Tensor;
  try {
    converted = convertToTensor(size, { dtype: "int32", name: "size" });
  } catch {
    throw new ValueError("'size' must be a 1-D int32 Tensor");
  }
  const { dims } = converted.shape;
  if (dims !== null && (dims.length !== 1 || (dims[0] !== null && dims[0] !== 2)))
    throw new ValueError("'size' must be a 1-D Tensor of 2 elements: new_height, new_width");
  return converted;
}

/** The largest size of the image's proportions that fits in a size. */
function withinBox(images: Tensor, size: Tensor): Tensor {
  const [, height, width] = dimensionsOf(images);
  const [tall, wide] = [height, width].map((own, i) => operator.truediv(cast(getItem(size, i), "float32"), castOf(own, "float32")));
  const scale = minimum(tall, wide);
  const scaled = [height, width].map(own => cast(round(operator.mul(scale, castOf(own, "float32"))), "int32"));
  return convertToTensor(scaled, { dtype: "int32", name: "size" });
}

/** The same as far as it is known. */
function knownWithinBox(images: Tensor, [tall, wide]: readonly (number | null)[]): (number | null)[] {
  const [height, width] = [1, 2].map(axis => images.shape.dim(axis));
  if (height === null || width === null || tall === null || wide === null) return [null, null];
  const scale = Math.min(Math.fround(tall / height), Math.fround(wide / width));
  return [height, width].map(own => roundHalfToEven(Math.fround(scale * own)));
}

/** Images at the largest size of their proportions that fits in a size, surrounded with zeros.
 *  TF: tf.image.resize_image_with_pad(image, target_height, target_width, method, align_corners). */
export function resizeImageWithPad(image: TensorLike, targetHeight: Size, targetWidth: Size, ...rest: unknown[]): Tensor {
  const options = collect<ResizeImagesOptions>(["method", "alignCorners"], rest);
  return inNameScope(undefined, "resize_image_with_pad", [image], () =>
    asBatch(image, batch => {
      const checks = [...checkImage(batch), ...positiveSizes(targetHeight, targetWidth)];
      const x = withDependencies(checks, batch);
      const [, height, width] = dimensionsOf(x);
      const [tall, wide, targetTall, targetWide] = [height, width, targetHeight, targetWidth].map(size => castOf(size, "float32"));
      const ratio = maximum(operator.truediv(wide, targetWide), operator.truediv(tall, targetTall));
      const [newTall, newWide] = [tall, wide].map(size => operator.truediv(size, ratio));
      const [newHeight, newWidth] = [newTall, newWide].map(size => cast(floor(size), "int32"));
      const [restTall, restWide] = [
        [targetTall, newTall],
        [targetWide, newWide],
      ].map(([all, own]) => operator.truediv(operator.sub(all, own), 2));
      const [wholeTall, wholeWide] = [restTall, restWide].map(rest_ => floor(rest_));
      const [above, left] = [wholeTall, wholeWide].map(whole => maximum(0, cast(whole, "int32")));
      const resized = resizeImages(x, [newHeight, newWidth], options);
      resized.setShape([null, ...knownFit([height, width], [targetHeight, targetWidth]), null]);
      const padded = padToBoundingBox(resized, above, left, targetHeight, targetWidth);
      dimensionsOf(padded);
      return padded;
    }),
  );
}

/** The size that resizeImageWithPad resizes to, as far as it is known. */
function knownFit([height, width]: readonly Size[], [tall, wide]: readonly Size[]): (number | null)[] {
  if (typeof height !== "number" || typeof width !== "number" || typeof tall !== "number" || typeof wide !== "number") return [null, null];
  const ratio = Math.max(Math.fround(width / wide), Math.fround(height / tall));
  return [height, width].map(own => Math.floor(Math.fround(own / ratio)));
}

/** Mean 0 and (nearly) variance 1 for each image; float32. TF: tf.image.per_image_standardization. */
export const perImageStandardization = (image: TensorLike): Tensor =>
  inNameScope(undefined, "per_image_standardization", [image], scope => {
    const x = cast(checked(imageOf(image)), "float32");
    const pixels = reduceProd(getItem(shape(x), [-3, null]));
    const axes = [-1, -2, -3];
    const mean = reduceMean(x, axes, { keepdims: true });
    const deviation = maximum(reduceStd(x, axes, { keepdims: true }), rsqrt(cast(pixels, "float32")));
    return divide(operator.sub(x, mean), deviation, { name: String(scope) });
  });
