// Images seen through a window that moves or scales: glimpses, and scaling with translation by a choice of filters.

import { InvalidArgumentError, ValueError } from "../../base/errors.ts";
import type { NDArray } from "../../base/ndarray.ts";
import { mergedDimension, TensorShape } from "../../base/shape.ts";
import * as attr from "../../graph/attributes.ts";
import type { TensorLike } from "../../graph/conversion.ts";
import { defineOp, type Gradients, type Named, type ShapeContext } from "../../graph/op-definition.ts";
import type { Tensor } from "../../graph/operation.ts";
import * as ir from "../../ir/build.ts";
import type { Value } from "../../ir/program.ts";
import { collect } from "../arguments.ts";
import { bilinearTypes, dimsText, pairOf, resample, resizedShape, type Tap, transposed } from "./resize.ts";

const f32 = Math.fround;

// ---- glimpses ----

interface GlimpseAttributes {
  readonly centered: boolean;
  readonly normalized: boolean;
  readonly uniformNoise: boolean;
  readonly noise: string;
}

/** Fills what lies outside of the image: uniform between its least and largest value, normal with its mean and deviation, or zeros. */
function noiseOf({ uniformNoise, noise }: GlimpseAttributes, pixels: Float32Array): () => number {
  const kind = noise === "" ? (uniformNoise ? "uniform" : "gaussian") : noise;
  if (kind === "zero") return () => 0;
  if (kind === "uniform") {
    const [least, most] = pixels.reduce(([low, high], x) => [Math.min(low, x), Math.max(high, x)], [Infinity, -Infinity]);
    return () => least + Math.random() * (most - least);
  }
  const mean = pixels.reduce((sum, x) => sum + x, 0) / pixels.length;
  const deviation = Math.sqrt(pixels.reduce((sum, x) => sum + (x - mean) ** 2, 0) / pixels.length);
  return () => mean + deviation * Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());
}

/** Where a glimpse begins. The first version takes half of the window off in every case, the second where both switches are on. */
function startOf(offset: number, size: number, window: number, { normalized, centered }: GlimpseAttributes, version: 1 | 2): number {
  let start = offset;
  if (normalized) start = f32(start * size);
  if (centered && (version === 1 || normalized)) start = f32(f32(start / 2) + size / 2);
  else if (centered) start = f32(start + size / 2);
  if (version === 1 || (normalized && centered)) start = f32(start - window / 2);
  return Math.trunc(start);
}

function checkNoise({ uniformNoise, noise }: GlimpseAttributes): void {
  if (uniformNoise && noise !== "" && noise !== "uniform")
    throw new InvalidArgumentError("The uniform_noise and noise could not be specified at the same time");
  if (!["", "uniform", "gaussian", "zero"].includes(noise))
    throw new InvalidArgumentError(`The noise could only be uniform, gaussian, or zero, got${noise}`);
}

function glimpses(input: Value, size: NDArray, offsets: Value, given: GlimpseAttributes, version: 1 | 2): Value {
  checkNoise(given);
  if (input.shape.length !== 4)
    throw new InvalidArgumentError(`input must be 4-dimensional (batch_size, height, width, depth)${dimsText(input.shape)}`);
  if (size.rank !== 1 || size.size !== 2)
    throw new InvalidArgumentError(`input must be a vector of size 2 (height, width)${dimsText(size.shape)}`);
  if (offsets.shape.length !== 2) throw new InvalidArgumentError(`input must be a matrix${dimsText(offsets.shape)}`);
  if (offsets.shape[0] !== input.shape[0]) throw new InvalidArgumentError(`first dimension should be batch${dimsText(offsets.shape)}`);
  if (offsets.shape[1] !== 2) throw new InvalidArgumentError(`second dimension should be of size 2 (y,x)${dimsText(offsets.shape)}`);
  const [batch, height, width, depth] = input.shape;
  const [tall, wide] = [Number(size.get(0)), Number(size.get(1))];
  const run = ([images, places]: readonly NDArray[], [out]: readonly NDArray[]): void => {
    const pixels = images.data as Float32Array;
    const result = out.data as Float32Array;
    for (let b = 0; b < batch; b++) {
      const top = startOf(Number(places.get(2 * b)), height, tall, given, version);
      const left = startOf(Number(places.get(2 * b + 1)), width, wide, given, version);
      const noise = noiseOf(given, pixels.subarray(b * height * width * depth, (b + 1) * height * width * depth));
      for (let y = 0, to = b * tall * wide * depth; y < tall; y++)
        for (let x = 0; x < wide; x++)
          for (let c = 0; c < depth; c++, to++) {
            const [row, column] = [top + y, left + x];
            const isInside = row >= 0 && row < height && column >= 0 && column < width;
            result[to] = isInside ? pixels[((b * height + row) * width + column) * depth + c] : noise();
          }
    }
  };
  return ir.call({ name: "ExtractGlimpse", run }, [input, offsets], [{ dtype: "float32", shape: [batch, tall, wide, depth] }])[0];
}

function glimpseShape(input: TensorShape, size: TensorShape, offsets: TensorShape, context: ShapeContext): TensorShape {
  const known = input.withRank(4);
  const places = offsets.withRank(2);
  const count = size.withRank(1).dim(0);
  if (count !== null && count !== 2) throw new ValueError(`Dimension must be 2 but is ${count}`);
  const pair = places.dim(1);
  if (pair !== null && pair !== 2) throw new ValueError(`Dimension must be 2 but is ${pair}`);
  const batch = mergedDimension(known.dim(0), places.dim(0));
  const [height, width] = context.partial("size")?.values ?? [null, null];
  // A size of -1 is one that is not known.
  const size1 = (given: number | null): number | null => (given === -1 ? null : given);
  return new TensorShape([batch, size1(height), size1(width), known.dim(3)]);
}

const glimpseInputs = { input: "float32", size: "int32", offsets: "float32" } as const;
const glimpseAttrs = {
  centered: attr.bool(true),
  normalized: attr.bool(true),
  uniformNoise: attr.bool(true),
  noise: attr.string("uniform"),
};

export const ExtractGlimpse = defineOp("ExtractGlimpse", {
  inputs: glimpseInputs,
  outputs: { glimpse: "float32" },
  attrs: glimpseAttrs,
  gradient: "none",
  compileTimeInputs: ["size"],
  shape: ({ input, size, offsets }, context) => glimpseShape(input, size, offsets, context),
  lower: ({ input, size, offsets, ...given }) => glimpses(input, size, offsets, given, 1),
});

export const ExtractGlimpseV2 = defineOp("ExtractGlimpseV2", {
  inputs: glimpseInputs,
  outputs: { glimpse: "float32" },
  attrs: glimpseAttrs,
  compileTimeInputs: ["size"],
  shape: ({ input, size, offsets }, context) => glimpseShape(input, size, offsets, context),
  lower: ({ input, size, offsets, ...given }) => glimpses(input, size, offsets, given, 2),
});

interface GlimpseOptions extends Named {
  /** Offsets count from the middle of the image. */
  readonly centered?: boolean;
  /** Offsets are parts of the image. */
  readonly normalized?: boolean;
  readonly uniformNoise?: boolean;
}

/** A window of `size = [height, width]` of each image `[batch, h, w, channels]` at offsets `[batch, 2]` (y, x); what lies outside is noise.
 *  TF: tf.image.extract_glimpse(input, size, offsets, centered, normalized, uniform_noise, name). */
export function extractGlimpse(input: TensorLike, size: TensorLike, offsets: TensorLike, ...rest: unknown[]): Tensor {
  const { name, ...options } = collect<GlimpseOptions>(["centered", "normalized", "uniformNoise", "name"], rest);
  return ExtractGlimpse({ input, size, offsets, ...options }, { name });
}

// ---- scaling and translation ----

/** A filter: how far it reaches, and its weight at a distance. */
interface Filter {
  readonly radius: number;
  readonly at: (x: number) => number;
}

const lanczos = (radius: number): Filter => ({
  radius,
  at: x => {
    if (x > radius) return 0;
    const turn = Math.PI * x;
    return x <= 1e-3 ? 1 : (radius * Math.sin(turn) * Math.sin(turn / radius)) / (turn * turn);
  },
});

const cubic = (outer: readonly number[], inner: readonly number[]): Filter => ({
  radius: 2,
  at: x => {
    const [a, b, c, d] = x >= 1 ? outer : inner;
    return x >= 2 ? 0 : ((a * x + b) * x + c) * x + d;
  },
});

const filters: Readonly<Record<string, Filter>> = {
  lanczos1: lanczos(1),
  lanczos3: lanczos(3),
  lanczos5: lanczos(5),
  gaussian: { radius: 1.5, at: x => (x >= 1.5 ? 0 : Math.exp((-x * x) / 0.5)) },
  box: { radius: 1, at: x => (x < 0.5 ? 1 : x === 0.5 ? 0.5 : 0) },
  triangle: { radius: 1, at: x => Math.max(1 - x, 0) },
  keyscubic: cubic([-0.5, 2.5, -4, 2], [1.5, -2.5, 0, 1]),
  mitchellcubic: cubic([-7 / 18, 2, -10 / 3, 16 / 9], [7 / 6, -2, 0, 8 / 9]),
};

interface Spread {
  readonly filter: Filter;
  readonly antialias: boolean;
}

/** What each of `to` pixels is made of, places in float32 steps as TensorFlow computes them. */
function filterTaps(from: number, to: number, scale: number, translation: number, { filter, antialias }: Spread): Tap[] {
  const inverse = f32(1 / scale);
  const shift = f32(-inverse * translation);
  const width = antialias ? Math.max(inverse, 1) : 1;
  const reach = f32(filter.radius * width);
  const narrow = f32(1 / width);
  return Array.from({ length: to }, (_, x) => {
    const place = f32(f32((x + 0.5) * inverse) + shift);
    if (place < 0 || place > from) return [];
    const inside = (at: number): number => Math.min(Math.max(at, 0), from - 1);
    const first = inside(Math.ceil(f32(f32(place - reach) - 0.5)));
    const last = inside(Math.floor(f32(f32(place + reach) - 0.5)));
    const taps = Array.from({ length: last - first + 1 }, (__, k): readonly [number, number] => {
      const distance = Math.abs(f32(f32(f32(first + k + 0.5) - place) * narrow));
      return [first + k, f32(filter.at(distance))];
    });
    const sum = taps.reduce((total, [, weight]) => f32(total + weight), 0);
    return Math.abs(sum) >= 1000 * 1.17549435e-38 ? taps.map(([at, weight]) => [at, f32(weight / sum)] as const) : [];
  });
}

/** The filter of a name. @throws InvalidArgumentError for others. */
function filterOf(kernelType: string): Filter {
  const filter = filters[kernelType.toLowerCase()];
  if (!filter) throw new InvalidArgumentError(`Unrecognized kernel type: ${kernelType}`);
  return filter;
}

const filterAttrs = { kernelType: attr.string("lanczos3"), antialias: attr.bool(true) };

export const ScaleAndTranslate = defineOp("ScaleAndTranslate", {
  inputs: { images: "T", size: "int32", scale: "float32", translation: "float32" },
  outputs: { resizedImages: "float32" },
  attrs: { T: attr.type(bilinearTypes), ...filterAttrs },
  shape: ({ images, size }, context) => resizedShape(images, size, context),
  gradient: ({ images, scale, translation, T, kernelType, antialias }, d): Gradients => ({
    images:
      T === "float32"
        ? ScaleAndTranslateGrad({ grads: d.resizedImages, originalImage: images, scale, translation, kernelType, antialias })
        : null,
  }),
  compileTimeInputs: ["size", "scale", "translation"],
  lower: ({ images, size, scale, translation, kernelType, antialias }) => {
    const spread = { filter: filterOf(kernelType), antialias };
    if (images.shape.length !== 4) throw new InvalidArgumentError(`input must be 4-dimensional${dimsText(images.shape)}`);
    const [height, width] = pairOf("output_shape_t", size);
    if (height <= 0 || width <= 0) throw new InvalidArgumentError("output dimensions must be positive");
    if (images.shape[3] === 0) throw new InvalidArgumentError("image must have at least one channel");
    if (images.shape[1] === 0 || images.shape[2] === 0) throw new InvalidArgumentError("input image must be of non-zero size");
    const [down, across] = pairOf("t", scale);
    if (!(down > 0 && across > 0)) throw new InvalidArgumentError("Scale must be greater than zero.");
    const [below, right] = pairOf("t", translation);
    const rows = resample(ir.cast(images, "float32"), 1, filterTaps(images.shape[1], height, down, below, spread));
    return resample(rows, 2, filterTaps(images.shape[2], width, across, right, spread));
  },
});

export const ScaleAndTranslateGrad = defineOp("ScaleAndTranslateGrad", {
  inputs: { grads: "T", originalImage: "T", scale: "float32", translation: "float32" },
  outputs: { output: "T" },
  attrs: { T: attr.type(["float32"]), ...filterAttrs },
  shape: ({ originalImage }) => originalImage,
  compileTimeInputs: ["scale", "translation"],
  lower: ({ grads, originalImage, scale, translation, kernelType, antialias }) => {
    const spread = { filter: filterOf(kernelType), antialias };
    const [down, across] = pairOf("t", scale);
    const [below, right] = pairOf("t", translation);
    const [, height, width] = originalImage.shape;
    const columns = resample(grads, 2, transposed(filterTaps(width, grads.shape[2], across, right, spread), width));
    return resample(columns, 1, transposed(filterTaps(height, grads.shape[1], down, below, spread), height));
  },
});
