// Resizing of images [batch, height, width, channels]: bilinear, nearest, bicubic, area, and the gradients of the first three.
// Each is one linear map for rows and one for columns, given as taps (which source pixels, with what weights); a gradient is its transpose.
// Tables of taps are computed in float32 steps as TensorFlow does.

import { type DType, noMemoryFor } from "../../base/dtype.ts";
import { InvalidArgumentError, ResourceExhaustedError, ValueError } from "../../base/errors.ts";
import { NDArray } from "../../base/ndarray.ts";
import { sizeOf, TensorShape } from "../../base/shape.ts";
import * as attr from "../../graph/attributes.ts";
import type { TensorLike } from "../../graph/conversion.ts";
import { defineOp, type Gradients, type Named, type ShapeContext } from "../../graph/op-definition.ts";
import type { Tensor } from "../../graph/operation.ts";
import * as ir from "../../ir/build.ts";
import { constantIndex, dataIndex } from "../../ir/index-map.ts";
import type { Value } from "../../ir/program.ts";
import { s } from "../../ir/scalar.ts";
import { collect, need } from "../arguments.ts";
import { numbersOf, shape } from "../array/array.ts";
import { getItem } from "../array/slicing.ts";

const f32 = Math.fround;

// ---- taps ----

/** Which source positions an output position is made of. */
export type Tap = readonly (readonly [source: number, weight: number])[];

interface Sampling {
  readonly alignCorners: boolean;
  readonly halfPixelCenters: boolean;
}

const scaleOf = (from: number, to: number, alignCorners: boolean): number =>
  alignCorners && to > 1 ? f32((from - 1) / (to - 1)) : f32(from / to);

/** Where output position i lies in the source. */
const placeOf = (i: number, scale: number, { halfPixelCenters }: Pick<Sampling, "halfPixelCenters">): number =>
  halfPixelCenters ? f32(f32(f32(i + 0.5) * scale) - 0.5) : f32(i * scale);

function linearTaps(from: number, to: number, sampling: Sampling): Tap[] {
  const scale = scaleOf(from, to, sampling.alignCorners);
  return Array.from({ length: to }, (_, i) => {
    const place = placeOf(i, scale, sampling);
    const upper = Math.min(Math.ceil(place), from - 1);
    const lower = Math.min(Math.max(Math.floor(place), 0), upper);
    const share = f32(place - Math.floor(place));
    return [
      [lower, f32(1 - share)],
      [upper, share],
    ] as const;
  });
}

function nearestTaps(from: number, to: number, { alignCorners, halfPixelCenters }: Sampling): Tap[] {
  const scale = scaleOf(from, to, alignCorners);
  return Array.from({ length: to }, (_, i) => {
    const place = f32((halfPixelCenters ? i + 0.5 : i) * scale);
    const nearest = Math.min(alignCorners ? Math.round(place) : Math.floor(place), from - 1);
    return [[Math.max(nearest, 0), 1]] as const;
  });
}

/** Weights of a cubic at `steps` places between two pixels, as TensorFlow tabulates it: [near, far] at each place. */
function cubicTable(a: number): Float32Array {
  const table = new Float32Array((cubicSteps + 1) * 2);
  for (let i = 0; i <= cubicSteps; i++) {
    const x = i / cubicSteps;
    table[2 * i] = ((a + 2) * x - (a + 3)) * x * x + 1;
    const y = x + 1;
    table[2 * i + 1] = ((a * y - 5 * a) * y + 8 * a) * y - 4 * a;
  }
  return table;
}
const cubicSteps = 1024;

export function roundHalfToEven(x: number): number {
  const rounded = Math.round(x);
  return rounded - x === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}

function cubicTaps(from: number, to: number, sampling: Sampling): Tap[] {
  const scale = scaleOf(from, to, sampling.alignCorners);
  // Half-pixel sampling comes with Keys' cubic, which leaves out what lies beyond the border.
  const isKeys = sampling.halfPixelCenters;
  const table = cubicTable(isKeys ? -0.5 : -0.75);
  return Array.from({ length: to }, (_, i) => {
    const place = placeOf(i, scale, sampling);
    const first = Math.floor(place);
    const step = roundHalfToEven(f32(f32(place - first) * cubicSteps));
    const other = cubicSteps - step;
    const weights = [table[2 * step + 1], table[2 * step], table[2 * other], table[2 * other + 1]];
    const taps = weights.map((weight, k) => {
      const at = first - 1 + k;
      const source = Math.min(Math.max(at, 0), from - 1);
      return [source, isKeys && source !== at ? 0 : weight] as const;
    });
    const sum = taps.reduce((total, [, weight]) => f32(total + weight), 0);
    return isKeys && Math.abs(sum) > 1e-34 ? taps.map(([source, weight]) => [source, f32(weight / sum)] as const) : taps;
  });
}

function areaTaps(from: number, to: number, alignCorners: boolean): Tap[] {
  const scale = scaleOf(from, to, alignCorners);
  // One row with its corners aligned to many: there is no area to weigh, every row is that one.
  if (scale === 0) return Array.from({ length: to }, () => [[0, 1]] as const);
  return Array.from({ length: to }, (_, i) => {
    const [begin, end] = [f32(i * scale), f32((i + 1) * scale)];
    const taps: (readonly [number, number])[] = [];
    for (let k = Math.floor(begin); k < Math.ceil(end); k++) {
      const share = k < begin ? (k + 1 > end ? scale : f32(k + 1 - begin)) : k + 1 > end ? f32(end - k) : 1;
      taps.push([Math.min(Math.max(k, 0), from - 1), f32(share / scale)]);
    }
    return taps;
  });
}

/** For each source position the outputs it went into. */
export function transposed(taps: readonly Tap[], from: number): Tap[] {
  const result: (readonly [number, number])[][] = Array.from({ length: from }, () => []);
  taps.forEach((tap, i) => {
    for (const [source, weight] of tap) result[source].push([i, weight]);
  });
  return result;
}

const constantOf = (values: readonly number[], dtype: DType, dims: readonly number[]): Value =>
  ir.constant(NDArray.from([...values], dtype, dims));

/** out[…, i, …] = Σ over taps of weight·value[…, source, …] along an axis. */
export function resample(value: Value, axis: number, taps: readonly Tap[]): Value {
  const [to, from, width] = [taps.length, value.shape[axis], Math.max(1, ...taps.map(tap => tap.length))];
  const dims = value.shape.with(axis, to);
  if (taps.every((tap, i) => tap.length === 1 && tap[0][0] === i && tap[0][1] === 1) && from === to) return value;
  const sources = constantOf(
    taps.flatMap(tap => Array.from({ length: width }, (_, k) => tap[k]?.[0] ?? 0)),
    "int32",
    [to, width],
  );
  if (taps.every(tap => tap.length === 1 && tap[0][1] === 1))
    return ir.generate(dims, i => s.load(value, i.with(axis, dataIndex(s.load(sources, [i[axis], constantIndex(0)]), from))));
  const weights = constantOf(
    taps.flatMap(tap => Array.from({ length: width }, (_, k) => tap[k]?.[1] ?? 0)),
    value.dtype,
    [to, width],
  );
  return ir.reduceOver("sum", dims, [width], (i, [k]) => {
    const weight = s.load(weights, [i[axis], k]);
    const term = s.mul(weight, s.load(value, i.with(axis, dataIndex(s.load(sources, [i[axis], k]), from))));
    // What has no weight has no effect, be it infinite.
    return s.select(s.eq(weight, 0), s.constant(value.dtype, 0), term);
  });
}

// ---- shapes ----

export function resizedShape(images: TensorShape, size: TensorShape, context: ShapeContext): TensorShape {
  const known = images.withRank(4);
  const [count] = size.withRank(1).dims ?? [null];
  if (count !== null && count !== 2) throw new ValueError(`Dimension must be 2 but is ${count}`);
  // A negative size is one that only the run refuses.
  const [height, width] = (context.partial("size")?.values ?? [null, null]).map(d => (d !== null && d < 0 ? null : d));
  return new TensorShape([known.dim(0), height, width, known.dim(3)]);
}

/** Dimensions as messages about images end with them. */
export const dimsText = (dims: readonly number[]): string => `[${dims.join(",")}]`;

/** The two numbers of a vector. @throws InvalidArgumentError naming it, if it has others. */
export function pairOf(name: string, array: NDArray): [number, number] {
  if (array.rank !== 1) throw new InvalidArgumentError(`${name} must be 1-dimensional${dimsText(array.shape)}`);
  if (array.size !== 2) throw new InvalidArgumentError(`${name} must have two elements${dimsText(array.shape)}`);
  const [first, second] = numbersOf(array);
  return [first, second];
}

/** @throws InvalidArgumentError for what cannot be resized. */
function checkSizes(images: Value, size: NDArray): [height: number, width: number] {
  if (images.shape.length !== 4) throw new InvalidArgumentError(`input must be 4-dimensional${dimsText(images.shape)}`);
  const [height, width] = pairOf("shape_t", size);
  if (height <= 0 || width <= 0) throw new InvalidArgumentError("output dimensions must be positive");
  if (images.shape[1] === 0 || images.shape[2] === 0) throw new InvalidArgumentError("input image must be of non-zero size");
  return [height, width];
}

type Tapping = (from: number, to: number, sampling: Sampling) => Tap[];

function resized(images: Value, size: NDArray, tapping: Tapping, sampling: Sampling): Value {
  checkSampling(sampling);
  const [height, width] = checkSizes(images, size);
  const dims = [images.shape[0], height, width, images.shape[3]];
  if (dims.includes(0)) return ir.full(images.dtype, dims, 0);
  if (sizeOf(dims) >= 2 ** 31) throw new ResourceExhaustedError(noMemoryFor(dims, images.dtype));
  const rows = resample(images, 1, tapping(images.shape[1], height, sampling));
  return resample(rows, 2, tapping(images.shape[2], width, sampling));
}

export const resizedBilinear = (images: Value, size: NDArray, given: Sampling): Value =>
  resized(ir.cast(images, "float32"), size, linearTaps, given);

/** The transpose of `resized`: from gradients [batch, h, w, channels] to images of height × width. */
function unresized(grads: Value, height: number, width: number, tapping: Tapping, sampling: Sampling): Value {
  checkSampling(sampling);
  const columns = resample(grads, 2, transposed(tapping(width, grads.shape[2], sampling), width));
  return resample(columns, 1, transposed(tapping(height, grads.shape[1], sampling), height));
}

function checkSampling({ alignCorners, halfPixelCenters }: Sampling): void {
  if (alignCorners && halfPixelCenters) throw new InvalidArgumentError("If half_pixel_centers is True, align_corners must be False.");
}

type Sizes = readonly number[];

function checkTarget(size: Sizes): void {
  need(size.length === 1, () => `shape_t must be 1-dimensional[${size}]`);
  need(size[0] === 2, () => `shape_t must have two elements[${size}]`);
}

function checkUnresized(grads: Sizes, original: Sizes): void {
  need(grads.length === 4, () => `input_grad must be 4-dimensional[${grads}]`);
  need(original.length === 4, () => `original_image must be 4-dimensional[${original}]`);
  need(original[1] > 0 && original[2] > 0, () => "original dimensions must be positive");
  need(grads[1] > 0 && grads[2] > 0, () => "resized dimensions must be positive");
}

export function checkImages(images: Sizes, size: Sizes): void {
  need(images.length === 4, () => `input must be 4-dimensional[${images}]`);
  need(images[3] > 0, () => "image must have at least one channel");
  need(images[1] > 0 && images[2] > 0, () => "input image must be of non-zero size");
  checkTarget(size);
}

// ---- the ops ----

const imageTypes = [
  "int8",
  "uint8",
  "int16",
  "uint16",
  "int32",
  "int64",
  "float16",
  "float32",
  "float64",
  "bfloat16",
] as const satisfies readonly DType[];
/** The same, as ResizeBilinear and ScaleAndTranslate list them. */
export const bilinearTypes = [
  "int8",
  "uint8",
  "int16",
  "uint16",
  "int32",
  "int64",
  "bfloat16",
  "float16",
  "float32",
  "float64",
] as const satisfies readonly DType[];
const sampling = { alignCorners: attr.bool(false), halfPixelCenters: attr.bool(false) };

export const ResizeBilinear = defineOp("ResizeBilinear", {
  inputs: { images: "T", size: "int32" },
  outputs: { resizedImages: "float32" },
  // Its registration says bfloat16 twice, and so do its messages.
  attrs: { T: attr.type([...bilinearTypes, "bfloat16"]), ...sampling },
  shape: ({ images, size }, context) => resizedShape(images, size, context),
  checks: ({ images, size }) => checkImages(images, size),
  gradient: ({ images, alignCorners, halfPixelCenters }, d): Gradients => ({
    images: ResizeBilinearGrad({ grads: d.resizedImages, originalImage: images, alignCorners, halfPixelCenters }),
  }),
  compileTimeInputs: ["size"],
  lower: ({ images, size, ...given }) => resizedBilinear(images, size, given),
});

export const ResizeBilinearGrad = defineOp("ResizeBilinearGrad", {
  inputs: { grads: "float32", originalImage: "T" },
  outputs: { output: "T" },
  attrs: { T: attr.type(["float32", "bfloat16", "float16", "float64"]), ...sampling },
  shape: ({ originalImage }) => originalImage,
  isLenient: true,
  checks: ({ grads, originalImage }) => checkUnresized(grads, originalImage),
  gradient: "none",
  lower: ({ grads, originalImage, T, ...given }) =>
    ir.cast(unresized(grads, originalImage.shape[1], originalImage.shape[2], linearTaps, given), T),
});

export const ResizeNearestNeighbor = defineOp("ResizeNearestNeighbor", {
  inputs: { images: "T", size: "int32" },
  outputs: { resizedImages: "T" },
  attrs: { T: attr.type(imageTypes), ...sampling },
  shape: ({ images, size }, context) => resizedShape(images, size, context),
  checks: ({ images, size }) => checkImages(images, size),
  gradient: ({ images, alignCorners, halfPixelCenters }, d): Gradients => {
    const known = images.shape.rank === 4 ? images.shape.slice(1, 3) : null;
    const size: TensorLike = known?.isFullyDefined ? [...known.asNumbers()] : getItem(shape(images), [1, 3]);
    return { images: ResizeNearestNeighborGrad({ grads: d.resizedImages, size, alignCorners, halfPixelCenters }) };
  },
  compileTimeInputs: ["size"],
  lower: ({ images, size, ...given }) => resized(images, size, nearestTaps, given),
});

export const ResizeNearestNeighborGrad = defineOp("ResizeNearestNeighborGrad", {
  inputs: { grads: "T", size: "int32" },
  outputs: { output: "T" },
  attrs: { T: attr.type(["uint8", "int8", "int32", "float16", "float32", "float64", "bfloat16"]), ...sampling },
  // The size counts only where all of it is known.
  shape: ({ grads, size }, context) => {
    const { dims } = grads.withRank(4);
    const count = size.withRank(1).dim(0);
    if (count !== null && count !== 2) throw new ValueError(`Dimension must be 2 but is ${count}`);
    const known = context.constant("size");
    // A size of -1 is one that is not known.
    const [height, width] = known ? numbersOf(known).map(side => (side === -1 ? null : side)) : [null, null];
    return new TensorShape([dims?.[0] ?? null, height, width, dims?.[3] ?? null]);
  },
  checks: ({ grads, size }) => {
    need(grads.length === 4, () => `input must be 4-dimensional[${grads}]`);
    checkTarget(size);
  },
  compileTimeInputs: ["size"],
  lower: ({ grads, size, ...given }) => {
    const [height, width] = numbersOf(size);
    need(height > 0 && width > 0, () => "shape_t's elements must be positive");
    return unresized(grads, height, width, nearestTaps, given);
  },
});

export const ResizeBicubic = defineOp("ResizeBicubic", {
  inputs: { images: "T", size: "int32" },
  outputs: { resizedImages: "float32" },
  attrs: { T: attr.type(imageTypes), ...sampling },
  shape: ({ images, size }, context) => resizedShape(images, size, context),
  checks: ({ images, size }) => checkImages(images, size),
  gradient: ({ images, T, alignCorners, halfPixelCenters }, d): Gradients => ({
    images:
      T === "float32" || T === "float64"
        ? ResizeBicubicGrad({ grads: d.resizedImages, originalImage: images, alignCorners, halfPixelCenters })
        : null,
  }),
  compileTimeInputs: ["size"],
  lower: ({ images, size, ...given }) => resized(ir.cast(images, "float32"), size, cubicTaps, given),
});

export const ResizeBicubicGrad = defineOp("ResizeBicubicGrad", {
  inputs: { grads: "float32", originalImage: "T" },
  outputs: { output: "T" },
  attrs: { T: attr.type(["float32", "float64"]), ...sampling },
  shape: ({ originalImage }) => originalImage,
  isLenient: true,
  checks: ({ grads, originalImage }) => checkUnresized(grads, originalImage),
  lower: ({ grads, originalImage, T, ...given }) =>
    ir.cast(unresized(grads, originalImage.shape[1], originalImage.shape[2], cubicTaps, given), T),
});

export const ResizeArea = defineOp("ResizeArea", {
  inputs: { images: "T", size: "int32" },
  outputs: { resizedImages: "float32" },
  attrs: { T: attr.type(imageTypes), alignCorners: attr.bool(false) },
  shape: ({ images, size }, context) => resizedShape(images, size, context),
  checks: ({ images, size }) => checkImages(images, size),
  compileTimeInputs: ["size"],
  lower: ({ images, size, alignCorners }) =>
    resized(ir.cast(images, "float32"), size, (from, to) => areaTaps(from, to, alignCorners), { alignCorners, halfPixelCenters: false }),
});

// ---- public functions ----

interface ResizeOptions extends Named {
  /** The centers of the corner pixels stay where they are. */
  readonly alignCorners?: boolean;
  /** Positions are measured from pixel centers; not together with alignCorners. */
  readonly halfPixelCenters?: boolean;
}

const resizeNames = ["alignCorners", "name", "halfPixelCenters"];

/** Images `[batch, height, width, channels]` to `size = [height, width]` by linear interpolation; float32. TF: tf.image.resize_bilinear. */
export function resizeBilinear(images: TensorLike, size: TensorLike, ...rest: unknown[]): Tensor {
  const { name, ...options } = collect<ResizeOptions>(resizeNames, rest);
  return ResizeBilinear({ images, size, ...options }, { name });
}

/** Images to `size = [height, width]` by the nearest pixel, of the same type. TF: tf.image.resize_nearest_neighbor. */
export function resizeNearestNeighbor(images: TensorLike, size: TensorLike, ...rest: unknown[]): Tensor {
  const { name, ...options } = collect<ResizeOptions>(resizeNames, rest);
  return ResizeNearestNeighbor({ images, size, ...options }, { name });
}

/** Images to `size = [height, width]` by cubic interpolation; float32. TF: tf.image.resize_bicubic. */
export function resizeBicubic(images: TensorLike, size: TensorLike, ...rest: unknown[]): Tensor {
  const { name, ...options } = collect<ResizeOptions>(resizeNames, rest);
  return ResizeBicubic({ images, size, ...options }, { name });
}

/** Images to `size = [height, width]`, each pixel the mean of what it covers; float32, no gradient. TF: tf.image.resize_area. */
export function resizeArea(images: TensorLike, size: TensorLike, ...rest: unknown[]): Tensor {
  const { name, alignCorners } = collect<ResizeOptions>(["alignCorners", "name"], rest);
  return ResizeArea({ images, size, alignCorners }, { name });
}
