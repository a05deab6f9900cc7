// Random changes of images, as networks are trained with: each draws a number and calls the change itself.

import { ValueError } from "../../base/errors.ts";
import { NDArray } from "../../base/ndarray.ts";
import type { TensorLike } from "../../graph/conversion.ts";
import type { Tensor } from "../../graph/operation.ts";
import { adjustBrightness, adjustContrast, adjustHue, adjustSaturation } from "./image.ts";
import { adjustJpegQuality } from "./encoders.ts";
import { randomFlip } from "./geometry.ts";
import { randomUniform } from "../random/random.ts";

interface Seeded {
  readonly seed?: number | null;
}
type Seed = Seeded | number | null;

const seedOf = (option: Seed | undefined): number | null | undefined => (typeof option === "number" ? option : option?.seed);

const flips =
  (axis: 0 | 1, name: string) =>
  (image: TensorLike, seed?: Seed): Tensor =>
    randomFlip(image, axis, name, shape => randomUniform(shape, { minval: 0, maxval: NDArray.from(1, "float32"), seed: seedOf(seed) }));

/** Mirrored left to right or not: an image, or each of a batch. TF: tf.image.random_flip_left_right(image, seed). */
export const randomFlipLeftRight = flips(1, "random_flip_left_right");
/** Upside down or not: an image, or each of a batch. TF: tf.image.random_flip_up_down(image, seed). */
export const randomFlipUpDown = flips(0, "random_flip_up_down");

const between = (low: number, high: number, seed: Seed | undefined): Tensor =>
  randomUniform([], { minval: low, maxval: high, seed: seedOf(seed) });

function checkDelta(maxDelta: number): void {
  if (maxDelta < 0) throw new ValueError("max_delta must be non-negative.");
}

function checkBounds(lower: number, upper: number): void {
  if (upper <= lower) throw new ValueError("upper must be > lower.");
  if (lower < 0) throw new ValueError("lower must be non-negative.");
}

/** Brightness changed by up to maxDelta either way. TF: tf.image.random_brightness(image, max_delta, seed). @throws ValueError below 0. */
export const randomBrightness = (image: TensorLike, maxDelta: number, seed?: Seed): Tensor => {
  checkDelta(maxDelta);
  return adjustBrightness(image, between(-maxDelta, maxDelta, seed));
};

/** Contrast times a factor from `lower` to `upper`. TF: tf.image.random_contrast. @throws ValueError for empty ranges and factors below 0. */
export const randomContrast = (image: TensorLike, lower: number, upper: number, seed?: Seed): Tensor => {
  checkBounds(lower, upper);
  return adjustContrast(image, between(lower, upper, seed));
};

/** Colors turned by up to maxDelta either way. TF: tf.image.random_hue(image, max_delta, seed). @throws ValueError outside of [0, 0.5]. */
export const randomHue = (image: TensorLike, maxDelta: number, seed?: Seed): Tensor => {
  if (maxDelta > 0.5) throw new ValueError("max_delta must be <= 0.5.");
  checkDelta(maxDelta);
  return adjustHue(image, between(-maxDelta, maxDelta, seed));
};

/** Saturation times a factor from `lower` to `upper`. TF: tf.image.random_saturation. @throws ValueError for empty ranges and factors below 0. */
export const randomSaturation = (image: TensorLike, lower: number, upper: number, seed?: Seed): Tensor => {
  checkBounds(lower, upper);
  return adjustSaturation(image, between(lower, upper, seed));
};

/** Through JPEG of a quality from min to below max. TF: tf.image.random_jpeg_quality. @throws ValueError for empty ranges and outside of [0, 100]. */
export const randomJpegQuality = (image: TensorLike, minJpegQuality: number, maxJpegQuality: number, seed?: Seed): Tensor => {
  if ([minJpegQuality, maxJpegQuality].some(quality => quality < 0 || quality > 100))
    throw new ValueError("jpeg encoding range must be between 0 and 100.");
  if (minJpegQuality >= maxJpegQuality) throw new ValueError("`min_jpeg_quality` must be less than `max_jpeg_quality`.");
  const quality = randomUniform([], { minval: minJpegQuality, maxval: maxJpegQuality, seed: seedOf(seed), dtype: "int32" });
  return adjustJpegQuality(image, quality);
};
