// Boxes in images: crops at boxes, and the choice among overlapping boxes (non-maximum suppression).
// Boxes are [y1, x1, y2, x2]. Chosen boxes are only known while running, so these inputs end a segment of the run.

import type { DType } from "../../base/dtype.ts";
import { InvalidArgumentError, OutOfRangeError, ValueError } from "../../base/errors.ts";
import { snakeOf } from "../../base/names.ts";
import { NDArray, numbersIn } from "../../base/ndarray.ts";
import { type Dimension, mergedDimension, TensorShape } from "../../base/shape.ts";
import * as attr from "../../graph/attributes.ts";
import { convertToTensor, type TensorLike } from "../../graph/conversion.ts";
import { defineOp, type Gradients, type Named, type ShapeContext } from "../../graph/op-definition.ts";
import type { Tensor } from "../../graph/operation.ts";
import * as ir from "../../ir/build.ts";
import type { Value } from "../../ir/program.ts";
import { s } from "../../ir/scalar.ts";
import { collect, eitherName, need } from "../arguments.ts";
import { numbersOf, shape } from "../array/array.ts";
import { inNameScope } from "../named.ts";

const f32 = Math.fround;

// ---- crops ----

const checkFinite = (boxes: Value): void =>
  ir.check(boxes.shape, r => s.eq(s.sub(s.load(boxes, r), s.load(boxes, r)), 0), {
    label: "CropAndResize",
    reads: [],
    error: () => new InvalidArgumentError("Boxes contains at least one element that is not finite"),
  });

type Sizes = readonly number[];

/** What the kernels of crops ask of boxes and of the images they name. */
function sameSize(a: Dimension, b: Dimension): Dimension {
  if (a !== null && b !== null && a !== b) throw new ValueError(`Dimensions must be equal, but are ${a} and ${b}`);
  return a ?? b;
}

function checkCropBoxes(boxes: Sizes, index: Sizes): void {
  if (boxes.includes(0) && index.includes(0)) return;
  need(boxes.length === 2, () => `boxes must be 2-D[${boxes}]`);
  need(boxes[1] === 4, () => "boxes must have 4 columns");
  need(index.length === 1, () => `box_index must be 1-D[${index}]`);
  need(index[0] === boxes[0], () => "box_index has incompatible shape");
}

function checkCropGrads(grads: Sizes): void {
  need(grads.length === 4, () => `grads image must be 4-D[${grads}]`);
  need(grads[1] > 0 && grads[2] > 0, () => "grads dimensions must be positive");
}

function checkCropImage(image: Sizes): void {
  need(image.length === 4, () => `input image must be 4-D[${image}]`);
  need(image[1] > 0 && image[2] > 0, () => "image dimensions must be positive");
}

function checkCropGradients(grads: Sizes, boxes: Sizes): void {
  need(grads[0] === boxes[0], () => "boxes and grads have incompatible shape");
}

interface Crops {
  readonly boxes: NDArray;
  readonly boxIndex: NDArray;
  readonly batch: number;
  readonly imageHeight: number;
  readonly imageWidth: number;
  readonly cropHeight: number;
  readonly cropWidth: number;
}

/** Where a row (or column) of a crop lies in its image: a place, or undefined outside. */
function placesOf(from: number, to: number, imageSize: number, cropSize: number): (number | undefined)[] {
  const last = imageSize - 1;
  const scale = cropSize > 1 ? f32(f32(f32(to - from) * last) / (cropSize - 1)) : 0;
  return Array.from({ length: cropSize }, (_, i) => {
    const place = cropSize > 1 ? f32(f32(from * last) + f32(i * scale)) : f32(f32(0.5 * f32(from + to)) * last);
    return place < 0 || place > last ? undefined : place;
  });
}

/** @throws OutOfRangeError for an index of no image. */
function imageOf({ boxIndex, batch }: Crops, b: number): number {
  const image = Number(boxIndex.get(b));
  if (image < 0 || image >= batch) throw new OutOfRangeError("box_index has values outside [0, batch_size)");
  return image;
}

/** Calls `visit` for each pixel of each crop. */
function eachCropPixel(
  crops: Crops,
  visit: (pixel: { b: number; image: number; y: number; x: number; placeY: number | undefined; placeX: number | undefined }) => void,
): void {
  const count = crops.boxes.shape[0];
  for (let b = 0; b < count; b++) {
    const image = imageOf(crops, b);
    const [y1, x1, y2, x2] = [0, 1, 2, 3].map(k => Number(crops.boxes.get(4 * b + k)));
    const rows = placesOf(y1, y2, crops.imageHeight, crops.cropHeight);
    const columns = placesOf(x1, x2, crops.imageWidth, crops.cropWidth);
    rows.forEach((placeY, y) => {
      columns.forEach((placeX, x) => void visit({ b, image, y, x, placeY, placeX }));
    });
  }
}

interface Corners {
  readonly top: number;
  readonly bottom: number;
  readonly left: number;
  readonly right: number;
  readonly dy: number;
  readonly dx: number;
}

const cornersOf = (y: number, x: number): Corners => ({
  top: Math.floor(y),
  bottom: Math.ceil(y),
  left: Math.floor(x),
  right: Math.ceil(x),
  dy: f32(y - Math.floor(y)),
  dx: f32(x - Math.floor(x)),
});

/** Rounds halves away from zero, as C does. */
const nearestOf = (place: number): number => Math.floor(place + 0.5);

type Method = "bilinear" | "nearest";

function cropInto(image: NDArray, crops: Crops, method: Method, extrapolation: number, result: NDArray): void {
  const depth = image.shape[3];
  const { imageHeight, imageWidth, cropHeight, cropWidth } = crops;
  const pixels = numbersIn(image);
  const out = result.data as Float32Array;
  eachCropPixel(crops, ({ b, image: n, y, x, placeY, placeX }) => {
    const to = ((b * cropHeight + y) * cropWidth + x) * depth;
    const at = (row: number, column: number): number => ((n * imageHeight + row) * imageWidth + column) * depth;
    if (placeY === undefined || placeX === undefined) out.fill(extrapolation, to, to + depth);
    else if (method === "nearest") {
      const from = at(nearestOf(placeY), nearestOf(placeX));
      for (let c = 0; c < depth; c++) out[to + c] = pixels[from + c];
    } else {
      const { top, bottom, left, right, dy, dx } = cornersOf(placeY, placeX);
      const [topLeft, topRight, bottomLeft, bottomRight] = [at(top, left), at(top, right), at(bottom, left), at(bottom, right)];
      for (let c = 0; c < depth; c++) {
        const upper = pixels[topLeft + c] + (pixels[topRight + c] - pixels[topLeft + c]) * dx;
        const lower = pixels[bottomLeft + c] + (pixels[bottomRight + c] - pixels[bottomLeft + c]) * dx;
        out[to + c] = upper + (lower - upper) * dy;
      }
    }
  });
}

function imageGradient(grads: NDArray, crops: Crops, method: Method, result: NDArray): void {
  const depth = grads.shape[3];
  const { imageHeight, imageWidth, cropHeight, cropWidth } = crops;
  const given = numbersIn(grads);
  const sums = new Float64Array(result.size);
  eachCropPixel(crops, ({ b, image: n, y, x, placeY, placeX }) => {
    if (placeY === undefined || placeX === undefined) return;
    const from = ((b * cropHeight + y) * cropWidth + x) * depth;
    const add = (row: number, column: number, share: number): void => {
      const to = ((n * imageHeight + row) * imageWidth + column) * depth;
      for (let c = 0; c < depth; c++) sums[to + c] += share * given[from + c];
    };
    if (method === "nearest") return add(nearestOf(placeY), nearestOf(placeX), 1);
    const { top, bottom, left, right, dy, dx } = cornersOf(placeY, placeX);
    add(top, left, (1 - dy) * (1 - dx));
    add(top, right, (1 - dy) * dx);
    add(bottom, left, dy * (1 - dx));
    add(bottom, right, dy * dx);
  });
  sums.forEach((sum, i) => void result.set(i, sum));
}

function boxesGradient(grads: NDArray, image: NDArray, crops: Crops, result: NDArray): void {
  const depth = image.shape[3];
  const { imageHeight, imageWidth, cropHeight, cropWidth } = crops;
  const [given, pixels] = [numbersIn(grads), numbersIn(image)];
  const sums = new Float64Array(result.size);
  const [lastRow, lastColumn] = [imageHeight - 1, imageWidth - 1];
  const ratio = (i: number, size: number, last: number): number => (size > 1 ? (i * last) / (size - 1) : 0);
  eachCropPixel(crops, ({ b, image: n, y, x, placeY, placeX }) => {
    if (placeY === undefined || placeX === undefined) return;
    const { top, bottom, left, right, dy, dx } = cornersOf(placeY, placeX);
    const from = ((b * cropHeight + y) * cropWidth + x) * depth;
    const pixel = (row: number, column: number, c: number): number => pixels[((n * imageHeight + row) * imageWidth + column) * depth + c];
    for (let c = 0; c < depth; c++) {
      const [tl, tr, bl, br] = [pixel(top, left, c), pixel(top, right, c), pixel(bottom, left, c), pixel(bottom, right, c)];
      const grad = given[from + c];
      const byY = ((1 - dx) * (bl - tl) + dx * (br - tr)) * grad;
      const byX = ((1 - dy) * (tr - tl) + dy * (br - bl)) * grad;
      const [ry, rx] = [ratio(y, cropHeight, lastRow), ratio(x, cropWidth, lastColumn)];
      sums[4 * b] += byY * (cropHeight > 1 ? lastRow - ry : 0.5 * lastRow);
      sums[4 * b + 2] += byY * (cropHeight > 1 ? ry : 0.5 * lastRow);
      sums[4 * b + 1] += byX * (cropWidth > 1 ? lastColumn - rx : 0.5 * lastColumn);
      sums[4 * b + 3] += byX * (cropWidth > 1 ? rx : 0.5 * lastColumn);
    }
  });
  sums.forEach((sum, i) => void result.set(i, sum));
}

const cropTypes = [
  "uint8",
  "uint16",
  "int8",
  "int16",
  "int32",
  "int64",
  "float16",
  "float32",
  "float64",
] as const satisfies readonly DType[];
const method = attr.oneOf(["bilinear", "nearest"], "bilinear");

export const CropAndResize = defineOp("CropAndResize", {
  inputs: { image: "T", boxes: "float32", boxInd: "int32", cropSize: "int32" },
  outputs: { crops: "float32" },
  attrs: { T: attr.type(cropTypes), method, extrapolationValue: attr.float(0) },
  shape: ({ image, boxes, boxInd, cropSize }, context) => {
    const known = image.withRank(4);
    const count = sameSize(boxes.withRank(2).dim(0), boxInd.withRank(1).dim(0));
    const corners = boxes.rank === 2 ? boxes.dim(1) : null;
    if (corners !== null && corners !== 4) throw new ValueError(`Dimension must be 4 but is ${corners}`);
    const sizes = cropSize.withRank(1).dim(0);
    if (sizes !== null && sizes !== 2) throw new ValueError(`Dimension must be 2 but is ${sizes}`);
    const [height, width] = (context.partial("cropSize")?.values ?? [null, null]).map(d => (d === -1 ? null : d));
    return new TensorShape([count, height, width, known.dim(3)]);
  },
  checks: ({ image, boxes, boxInd, cropSize }) => {
    checkCropImage(image);
    need(boxes.length === 2, () => `boxes must be 2-D, got: [${boxes}]`);
    need(boxInd.length === 1, () => `box_indices must be rank 1 but is shape [${boxInd}]`);
    checkCropBoxes(boxes, boxInd);
    need(cropSize.length === 1, () => `crop_size must be 1-D[${cropSize}]`);
    need(cropSize[0] === 2, () => `crop_size must have two elements[${cropSize}]`);
  },
  gradient: ({ image, boxes, boxInd, T, method: how }, d): Gradients => {
    const isFloat = T === "float16" || T === "float32" || T === "float64";
    const known = image.shape.rank === 4 && image.shape.isFullyDefined;
    const imageSize: TensorLike = known ? [...image.shape.asNumbers()] : shape(image);
    return {
      image: isFloat ? CropAndResizeGradImage({ grads: d.crops, boxes, boxInd, imageSize, T, method: how }) : null,
      // TensorFlow has this gradient for "bilinear" only, and uses it for both.
      boxes: CropAndResizeGradBoxes({ grads: d.crops, image, boxes, boxInd }),
    };
  },
  compileTimeInputs: ["cropSize"],
  lower: ({ image, boxes, boxInd, cropSize, method: how, extrapolationValue }) => {
    const [cropHeight, cropWidth] = [Number(cropSize.get(0)), Number(cropSize.get(1))];
    if (cropHeight <= 0 || cropWidth <= 0) throw new InvalidArgumentError("crop dimensions must be positive");
    const [batch, imageHeight, imageWidth, depth] = image.shape;
    checkFinite(boxes);
    const run = ([pixels, b, boxIndex]: readonly NDArray[], [result]: readonly NDArray[]): void =>
      cropInto(pixels, { boxes: b, boxIndex, batch, imageHeight, imageWidth, cropHeight, cropWidth }, how, extrapolationValue, result);
    const output = { dtype: "float32", shape: [boxes.shape[0], cropHeight, cropWidth, depth] } as const;
    return ir.call({ name: "CropAndResize", run }, [image, boxes, boxInd], [output]);
  },
});

export const CropAndResizeGradImage = defineOp("CropAndResizeGradImage", {
  inputs: { grads: "float32", boxes: "float32", boxInd: "int32", imageSize: "int32" },
  outputs: { output: "T" },
  attrs: { T: attr.type(["float32", "float16", "float64"]), method },
  shape: (_, context) => context.shapeFrom("imageSize").withRank(4),
  checks: ({ grads, boxes, boxInd, imageSize }) => {
    checkCropGrads(grads);
    checkCropBoxes(boxes, boxInd);
    checkCropGradients(grads, boxes);
    need(imageSize.length === 1, () => `image_size must be 1-D[${imageSize}]`);
    need(imageSize[0] === 4, () => `image_size must have 4 elements[${imageSize}]`);
  },
  compileTimeInputs: ["imageSize"],
  lower: ({ grads, boxes, boxInd, imageSize, T, method: how }) => {
    const [batch, imageHeight, imageWidth, depth] = [0, 1, 2, 3].map(i => Number(imageSize.get(i)));
    const [, cropHeight, cropWidth] = grads.shape;
    need(imageHeight > 0 && imageWidth > 0, () => "image dimensions must be positive");
    need(grads.shape[3] === depth, () => "image_size and grads are incompatible");
    need(batch >= 0, () => `Expected a non-negative size, got ${batch}`);
    checkFinite(boxes);
    const run = ([g, b, boxIndex]: readonly NDArray[], [result]: readonly NDArray[]): void =>
      imageGradient(g, { boxes: b, boxIndex, batch, imageHeight, imageWidth, cropHeight, cropWidth }, how, result);
    const output = { dtype: T, shape: [batch, imageHeight, imageWidth, depth] };
    return ir.call({ name: "CropAndResizeGradImage", run }, [grads, boxes, boxInd], [output]);
  },
});

export const CropAndResizeGradBoxes = defineOp("CropAndResizeGradBoxes", {
  inputs: { grads: "float32", image: "T", boxes: "float32", boxInd: "int32" },
  outputs: { output: "float32" },
  attrs: { T: attr.type(cropTypes), method: attr.oneOf(["bilinear"], "bilinear") },
  shape: ({ boxes }) => boxes,
  checks: ({ grads, image, boxes, boxInd }) => {
    checkCropGrads(grads);
    checkCropImage(image);
    need(image[3] === grads[3], () => "image, grads depth differ");
    checkCropBoxes(boxes, boxInd);
    checkCropGradients(grads, boxes);
  },
  lower: ({ grads, image, boxes, boxInd }) => {
    const [batch, imageHeight, imageWidth] = image.shape;
    const [, cropHeight, cropWidth] = grads.shape;
    checkFinite(boxes);
    const run = ([g, pixels, b, boxIndex]: readonly NDArray[], [result]: readonly NDArray[]): void =>
      boxesGradient(g, pixels, { boxes: b, boxIndex, batch, imageHeight, imageWidth, cropHeight, cropWidth }, result);
    return ir.call({ name: "CropAndResizeGradBoxes", run }, [grads, image, boxes, boxInd], [boxes]);
  },
});

interface CropOptions extends Named {
  readonly boxInd?: TensorLike;
  readonly boxIndices?: TensorLike;
  readonly cropSize?: TensorLike;
  readonly method?: Method;
  /** What lies outside of the image. */
  readonly extrapolationValue?: number;
}

/** Crops of images `[batch, h, w, channels]` at boxes `[n, 4]` (y1, x1, y2, x2 in parts of the image), each resized to cropSize = [height, width].
 *  box_indices `[n]` says of which image. TF: tf.image.crop_and_resize(image, boxes, box_ind, crop_size, method, extrapolation_value, name). */
export function cropAndResize(image: TensorLike, boxes: TensorLike, ...rest: unknown[]): Tensor {
  const names = ["boxInd", "cropSize", "method", "extrapolationValue", "name", "boxIndices"];
  const { boxInd, boxIndices, cropSize, method: how, extrapolationValue, name } = collect<CropOptions>(names, rest);
  const index = eitherName("box_indices", boxIndices, "box_ind", boxInd);
  const given = { image, boxes, boxInd: index as TensorLike, cropSize: cropSize as TensorLike };
  return CropAndResize({ ...given, method: how, extrapolationValue }, { name });
}

// ---- suppression ----

type Box = readonly [y1: number, x1: number, y2: number, x2: number];

const boxAt = (boxes: NDArray, at: number): Box => {
  const [a, b, c, d] = [0, 1, 2, 3].map(k => Number(boxes.get(at + k)));
  return [Math.min(a, c), Math.min(b, d), Math.max(a, c), Math.max(b, d)];
};

/** Intersection over union, in float32 steps. */
function overlap([ay1, ax1, ay2, ax2]: Box, [by1, bx1, by2, bx2]: Box): number {
  const areaA = f32(f32(ay2 - ay1) * f32(ax2 - ax1));
  const areaB = f32(f32(by2 - by1) * f32(bx2 - bx1));
  if (areaA <= 0 || areaB <= 0) return 0;
  const height = Math.max(f32(Math.min(ay2, by2) - Math.max(ay1, by1)), 0);
  const width = Math.max(f32(Math.min(ax2, bx2) - Math.max(ax1, bx1)), 0);
  const shared = f32(height * width);
  return f32(shared / f32(f32(areaA + areaB) - shared));
}

interface Limits {
  readonly most: number;
  readonly iou: number;
  readonly score: number;
  /** Above 0: scores of overlapping boxes fall as a Gaussian of this width instead (soft suppression). */
  readonly sigma?: number;
}

interface Candidate {
  readonly index: number;
  readonly box: Box;
  score: number;
  /** How many of the selected ones it has been held against. */
  seen: number;
}

const comesFirst = (a: Candidate, b: Candidate): number => b.score - a.score || a.index - b.index;

/** The chosen boxes, best first. Bodla and others, Soft-NMS (2017), for sigma above 0. */
function select(boxes: readonly Box[], scores: readonly number[], { most, iou, score: least, sigma = 0 }: Limits): Candidate[] {
  const factor = sigma > 0 ? f32(-0.5 / sigma) : 0;
  const waiting = scores
    .map((score, index): Candidate => ({ index, box: boxes[index], score, seen: 0 }))
    .filter(({ score }) => score > least)
    .sort(comesFirst);
  const selected: Candidate[] = [];
  while (selected.length < most) {
    const next = waiting.shift();
    if (next === undefined) break;
    const before = next.score;
    if (isSuppressed(next, selected, iou, factor, least)) continue;
    next.seen = selected.length;
    if (next.score === before) selected.push(next);
    else if (next.score > least) {
      waiting.push(next);
      waiting.sort(comesFirst);
    }
  }
  return selected;
}

/** Lowers the candidate's score (soft), or says that a selected box covers it. */
function isSuppressed(next: Candidate, selected: readonly Candidate[], iou: number, factor: number, least: number): boolean {
  for (let j = selected.length - 1; j >= next.seen; j--) {
    const shared = overlap(next.box, selected[j].box);
    if (factor === 0) {
      if (shared > iou) return true;
    } else next.score = f32(next.score * f32(Math.exp(f32(factor * f32(shared * shared)))));
    if (next.score <= least) break;
  }
  return false;
}

const boxesOf = (boxes: NDArray): Box[] => Array.from({ length: boxes.shape[0] ?? 0 }, (_, i) => boxAt(boxes, 4 * i));
const numberOf = (array: NDArray): number => Number(array.get(0));

function checkThreshold(iou: number): void {
  if (!(iou >= 0 && iou <= 1)) throw new InvalidArgumentError("iou_threshold must be in [0, 1]");
}

function suppress(boxes: NDArray, scores: NDArray, limits: Limits): Candidate[] {
  checkThreshold(limits.iou);
  need(limits.most >= 0, () => "output size must be non-negative");
  return select(boxesOf(boxes), numbersOf(scores), limits);
}

interface ScoredSizes {
  readonly boxes: Sizes;
  readonly scores: Sizes;
  readonly maxOutputSize: Sizes;
  readonly iouThreshold?: Sizes;
  readonly scoreThreshold?: Sizes;
  readonly softNmsSigma?: Sizes;
}

const rankText = (asked: number, { length }: Sizes): string => `Shape must be rank ${asked} but is rank ${length}`;

/** What the kernels of non-maximum suppression ask; from the third version on they explain themselves. */
function checkScored({ boxes, scores, ...numbers }: ScoredSizes, isSizeExplained = false): void {
  const also = (text: string): string => ` (${text})`;
  const explained = isSizeExplained ? ["maxOutputSize", "iouThreshold"] : [];
  for (const name of ["maxOutputSize", "iouThreshold", "scoreThreshold", "softNmsSigma"] as const) {
    const dims = numbers[name] ?? [];
    need(
      dims.length === 0,
      () => `${snakeOf(name)} must be 0-D, got shape [${dims}]${explained.includes(name) ? also(rankText(0, dims)) : ""}`,
    );
  }
  need(boxes.length === 2, () => `boxes must be 2-D[${boxes}]${also(rankText(2, boxes))}`);
  need(boxes[1] === 4, () => `boxes must have 4 columns${also(`Dimension must be 4 but is ${boxes[1]}`)}`);
  need(scores.length === 1, () => `scores must be 1-D[${scores}]${also(rankText(1, scores))}`);
  need(
    scores[0] === boxes[0],
    () => `scores has incompatible shape${also(`Dimensions must be equal, but are ${boxes[0]} and ${scores[0]}`)}`,
  );
}

interface ScoredShapes {
  readonly boxes: TensorShape;
  readonly scores: TensorShape;
}

/** Boxes and their scores, then the single numbers beside them. */
function checkBoxes({ boxes, scores }: ScoredShapes, ...numbers: readonly TensorShape[]): void {
  const [b, n] = [boxes.withRank(2), scores.withRank(1)];
  for (const number of numbers) number.withRank(0);
  b.checkPrefix(n);
  const columns = b.dim(1);
  if (columns !== null && columns !== 4) throw new ValueError(`Dimension must be 4 but is ${columns}`);
}

const vector = (values: readonly number[], dtype: DType = "int32"): ReturnType<typeof ir.constant> =>
  ir.constant(NDArray.from([...values], dtype, [values.length]));
const padded = (values: readonly number[], length: number): number[] => [
  ...values,
  ...Array<number>(Math.max(length - values.length, 0)).fill(0),
];
const unknownVector = new TensorShape([null]);

export const NonMaxSuppression = defineOp("NonMaxSuppression", {
  inputs: { boxes: "float32", scores: "float32", maxOutputSize: "int32" },
  outputs: { selectedIndices: "int32" },
  attrs: { iouThreshold: attr.float(0.5) },
  shape: ({ maxOutputSize, ...scored }) => {
    checkBoxes(scored, maxOutputSize);
    return unknownVector;
  },
  checks: ({ boxes, scores, maxOutputSize }) => checkScored({ boxes, scores, maxOutputSize }),
  gradient: "none",
  compileTimeInputs: ["boxes", "scores", "maxOutputSize"],
  lower: ({ boxes, scores, maxOutputSize, iouThreshold }) =>
    vector(
      suppress(boxes, scores, { most: numberOf(maxOutputSize), iou: iouThreshold, score: Number.NEGATIVE_INFINITY }).map(c => c.index),
    ),
});

const halfOrFloat = attr.type(["float16", "float32"], "float32");

export const NonMaxSuppressionV2 = defineOp("NonMaxSuppressionV2", {
  inputs: { boxes: "T", scores: "T", maxOutputSize: "int32", iouThreshold: "T_threshold" },
  outputs: { selectedIndices: "int32" },
  attrs: { T: halfOrFloat, T_threshold: halfOrFloat },
  shape: ({ maxOutputSize, iouThreshold, ...scored }) => {
    checkBoxes(scored, maxOutputSize, iouThreshold);
    return unknownVector;
  },
  checks: sizes => checkScored(sizes),
  gradient: "none",
  compileTimeInputs: ["boxes", "scores", "maxOutputSize", "iouThreshold"],
  lower: ({ boxes, scores, maxOutputSize, iouThreshold }) => {
    const limits = { most: numberOf(maxOutputSize), iou: numberOf(iouThreshold), score: Number.NEGATIVE_INFINITY };
    return vector(suppress(boxes, scores, limits).map(c => c.index));
  },
});

const scored = { boxes: "T", scores: "T", maxOutputSize: "int32", iouThreshold: "T_threshold", scoreThreshold: "T_threshold" } as const;

export const NonMaxSuppressionV3 = defineOp("NonMaxSuppressionV3", {
  inputs: scored,
  outputs: { selectedIndices: "int32" },
  attrs: { T: halfOrFloat, T_threshold: halfOrFloat },
  shape: ({ maxOutputSize, iouThreshold, scoreThreshold, ...scored }) => {
    checkBoxes(scored, maxOutputSize, iouThreshold, scoreThreshold);
    return unknownVector;
  },
  checks: sizes => checkScored(sizes, true),
  gradient: "none",
  compileTimeInputs: ["boxes", "scores", "maxOutputSize", "iouThreshold", "scoreThreshold"],
  lower: ({ boxes, scores, maxOutputSize, iouThreshold, scoreThreshold }) => {
    const limits = { most: numberOf(maxOutputSize), iou: numberOf(iouThreshold), score: numberOf(scoreThreshold) };
    return vector(suppress(boxes, scores, limits).map(c => c.index));
  },
});

/** The length of the results where they are padded. */
const paddedShape = (isPadded: boolean, context: ShapeContext): TensorShape =>
  isPadded ? new TensorShape([context.partial("maxOutputSize")?.values[0] ?? null]) : unknownVector;

export const NonMaxSuppressionV4 = defineOp("NonMaxSuppressionV4", {
  inputs: scored,
  outputs: { selectedIndices: "int32", validOutputs: "int32" },
  attrs: { T: halfOrFloat, T_threshold: halfOrFloat, padToMaxOutputSize: attr.bool(false) },
  shape: ({ padToMaxOutputSize, maxOutputSize, iouThreshold, scoreThreshold, ...scored }, context) => {
    checkBoxes(scored, maxOutputSize, iouThreshold, scoreThreshold);
    return [paddedShape(padToMaxOutputSize, context), new TensorShape([])];
  },
  checks: sizes => checkScored(sizes),
  gradient: "none",
  compileTimeInputs: ["boxes", "scores", "maxOutputSize", "iouThreshold", "scoreThreshold"],
  lower: ({ boxes, scores, maxOutputSize, iouThreshold, scoreThreshold, padToMaxOutputSize }) => {
    const most = numberOf(maxOutputSize);
    const chosen = suppress(boxes, scores, { most, iou: numberOf(iouThreshold), score: numberOf(scoreThreshold) });
    const indices = chosen.map(c => c.index);
    return [vector(padToMaxOutputSize ? padded(indices, most) : indices), ir.full("int32", [], chosen.length)];
  },
});

export const NonMaxSuppressionV5 = defineOp("NonMaxSuppressionV5", {
  inputs: { boxes: "T", scores: "T", maxOutputSize: "int32", iouThreshold: "T", scoreThreshold: "T", softNmsSigma: "T" },
  outputs: { selectedIndices: "int32", selectedScores: "T", validOutputs: "int32" },
  attrs: { T: halfOrFloat, padToMaxOutputSize: attr.bool(false) },
  shape: ({ padToMaxOutputSize, maxOutputSize, iouThreshold, scoreThreshold, softNmsSigma, ...scored }, context) => {
    checkBoxes(scored, maxOutputSize, iouThreshold, scoreThreshold, softNmsSigma);
    const dims = paddedShape(padToMaxOutputSize, context);
    return [dims, dims, new TensorShape([])];
  },
  checks: sizes => checkScored(sizes),
  compileTimeInputs: ["boxes", "scores", "maxOutputSize", "iouThreshold", "scoreThreshold", "softNmsSigma"],
  lower: ({ boxes, scores, maxOutputSize, iouThreshold, scoreThreshold, softNmsSigma, padToMaxOutputSize, T }) => {
    const most = numberOf(maxOutputSize);
    const limits = { most, iou: numberOf(iouThreshold), score: numberOf(scoreThreshold), sigma: numberOf(softNmsSigma) };
    need(limits.sigma >= 0, () => "soft_nms_sigma_val must be >= 0");
    const chosen = suppress(boxes, scores, limits);
    const length = padToMaxOutputSize ? most : chosen.length;
    const [indices, kept] = [chosen.map(c => c.index), chosen.map(c => c.score)].map(list => padded(list, length));
    return [vector(indices), vector(kept, T), ir.full("int32", [], chosen.length)];
  },
});

/** The same where how much boxes overlap is given, [n, n]. */
export const NonMaxSuppressionWithOverlaps = defineOp("NonMaxSuppressionWithOverlaps", {
  inputs: { overlaps: "float32", scores: "float32", maxOutputSize: "int32", overlapThreshold: "float32", scoreThreshold: "float32" },
  outputs: { selectedIndices: "int32" },
  attrs: {},
  shape: ({ overlaps, scores, maxOutputSize, overlapThreshold, scoreThreshold }) => {
    const [known, count] = [overlaps.withRank(2), scores.withRank(1)];
    for (const scalar of [maxOutputSize, overlapThreshold, scoreThreshold]) scalar.withRank(0);
    mergedDimension(mergedDimension(known.dim(0), count.dim(0)), known.dim(1));
    return unknownVector;
  },
  checks: ({ maxOutputSize, overlapThreshold, scoreThreshold }) => {
    for (const [name, dims] of Object.entries({ maxOutputSize, overlapThreshold, scoreThreshold }))
      need(dims.length === 0, () => `${snakeOf(name)} must be 0-D, got shape [${dims}]`);
  },
  gradient: "none",
  compileTimeInputs: ["overlaps", "scores", "maxOutputSize", "overlapThreshold", "scoreThreshold"],
  lower: ({ overlaps, scores, maxOutputSize, overlapThreshold, scoreThreshold }) => {
    const [count, columns] = overlaps.shape;
    if (overlaps.rank !== 2) throw new InvalidArgumentError("overlaps must be 2-D");
    if (count !== columns) throw new InvalidArgumentError("overlaps must be square");
    if (scores.rank !== 1) throw new InvalidArgumentError("scores must be 1-D");
    if (scores.size !== count) throw new InvalidArgumentError("scores has incompatible shape");
    const [most, limit, least] = [numberOf(maxOutputSize), numberOf(overlapThreshold), numberOf(scoreThreshold)];
    const order = numbersOf(scores)
      .map((score, index) => ({ score, index }))
      .filter(({ score }) => score > least)
      .sort((a, b) => b.score - a.score || a.index - b.index);
    const selected: number[] = [];
    for (const { index } of order) {
      if (selected.length >= most) break;
      if (selected.every(other => !(Number(overlaps.get(index * count + other)) > limit))) selected.push(index);
    }
    return vector(selected);
  },
});

interface Detection {
  readonly box: readonly number[];
  readonly score: number;
  readonly kind: number;
}

export const CombinedNonMaxSuppression = defineOp("CombinedNonMaxSuppression", {
  inputs: {
    boxes: "float32",
    scores: "float32",
    maxOutputSizePerClass: "int32",
    maxTotalSize: "int32",
    iouThreshold: "float32",
    scoreThreshold: "float32",
  },
  outputs: { nmsedBoxes: "float32", nmsedScores: "float32", nmsedClasses: "float32", validDetections: "int32" },
  attrs: { padPerClass: attr.bool(false), clipBoxes: attr.bool(true) },
  shape: ({ boxes, scores, padPerClass, ...numbers }, context) => {
    const [b, n] = [boxes.withRank(4), scores.withRank(3)];
    for (const name of ["maxOutputSizePerClass", "maxTotalSize", "iouThreshold", "scoreThreshold"] as const) numbers[name].withRank(0);
    new TensorShape([b.dim(0), b.dim(1)]).checkPrefix(new TensorShape([n.dim(0), n.dim(1)]));
    const [kinds, shared, corners] = [n.dim(2), b.dim(2), b.dim(3)];
    if (kinds !== null && shared !== null && shared !== 1 && shared !== kinds)
      throw new ValueError("third dimension of boxes must be either 1 or equal to the third dimension of scores");
    if (corners !== null && corners !== 4) throw new ValueError(`Dimension must be 4 but is ${corners}`);
    context.constant("maxOutputSizePerClass");
    const total = context.scalarSize("maxTotalSize");
    if (total !== null && total <= 0) throw new ValueError("max_total_size should be > 0 ");
    const each = context.scalarSize("maxOutputSizePerClass");
    const size = !padPerClass ? total : total === null || each === null || kinds === null ? null : Math.min(total, each * kinds);
    const batch = b.dim(0);
    return [[batch, size, 4], [batch, size], [batch, size], [batch]].map(dims => new TensorShape(dims));
  },
  checks: ({ boxes, scores, maxOutputSizePerClass, maxTotalSize, iouThreshold, scoreThreshold }) => {
    need(boxes[0] === scores[0], () => "boxes and scores must have same batch size");
    const numbers = {
      max_size_per_class: maxOutputSizePerClass,
      max_total_size: maxTotalSize,
      iou_threshold: iouThreshold,
      score_threshold: scoreThreshold,
    };
    for (const [name, dims] of Object.entries(numbers)) need(dims.length === 0, () => `${name} must be 0-D, got shape [${dims}]`);
    need(boxes.length === 4, () => `boxes must be 4-D[${boxes}]`);
    need(boxes[2] === 1 || boxes[2] === scores[2], () => "third dimension of boxes must be either 1 or num classes");
    need(boxes[3] === 4, () => "boxes must have 4 columns");
    need(scores.length === 3, () => `scores must be 3-D[${scores}]`);
    need(scores[1] === boxes[1], () => "scores has incompatible shape");
  },
  compileTimeInputs: ["maxOutputSizePerClass", "maxTotalSize", "iouThreshold", "scoreThreshold"],
  lower: ({ boxes, scores, maxOutputSizePerClass, maxTotalSize, iouThreshold, scoreThreshold, padPerClass, clipBoxes }) => {
    const [each, total] = [numberOf(maxOutputSizePerClass), numberOf(maxTotalSize)];
    const limits = { most: each, iou: numberOf(iouThreshold), score: numberOf(scoreThreshold) };
    checkThreshold(limits.iou);
    need(each > 0, () => "max_size_per_class must be positive");
    need(total > 0, () => "max_total_size must be > 0");
    const batch = boxes.shape[0];
    const size = padPerClass ? Math.min(total, each * scores.shape[2]) : total;
    const run = ([b, n]: readonly NDArray[], results: readonly NDArray[]): void => {
      for (let i = 0; i < batch; i++) writeDetections(detect(b, n, i, limits).slice(0, size), i, size, clipBoxes, results);
    };
    const dtype = "float32" as const;
    const outputs = [
      { dtype, shape: [batch, size, 4] },
      { dtype, shape: [batch, size] },
      { dtype, shape: [batch, size] },
      { dtype: "int32" as const, shape: [batch] },
    ];
    return ir.call({ name: "CombinedNonMaxSuppression", run }, [boxes, scores], outputs);
  },
});

/** Positions of the scores above a threshold, best first; equals as a binary heap of C++'s standard library gives them, which TensorFlow takes them from. */
function fromHeap(scores: readonly number[], above: number): number[] {
  const heap: number[] = [];
  const raise = (at: number, item: number): void => {
    let hole = at;
    for (let parent = (hole - 1) >> 1; hole > 0 && scores[heap[parent]] < scores[item]; parent = (hole - 1) >> 1) {
      heap[hole] = heap[parent];
      hole = parent;
    }
    heap[hole] = item;
  };
  scores.forEach((score, i) => {
    if (score > above) raise(heap.length, i);
  });
  const order: number[] = [];
  while (heap.length > 0) {
    order.push(heap[0]);
    const last = heap.pop() as number;
    const size = heap.length;
    if (size === 0) break;
    // The hole sinks to the bottom, then the last item rises from there.
    let hole = 0;
    for (let child = 2; child <= size; child = 2 * hole + 2) {
      const chosen = child === size || scores[heap[child]] < scores[heap[child - 1]] ? child - 1 : child;
      heap[hole] = heap[chosen];
      hole = chosen;
    }
    raise(hole, last);
  }
  return order;
}

/** All classes of one image, best first. */
function detect(boxes: NDArray, scores: NDArray, image: number, limits: Limits): Detection[] {
  const [, count, groups] = boxes.shape;
  const kinds = scores.shape[2];
  const found: Detection[] = [];
  for (let kind = 0; kind < kinds; kind++) {
    const group = groups > 1 ? kind : 0;
    const start = (i: number): number => ((image * count + i) * groups + group) * 4;
    const own = Array.from({ length: count }, (_, i) => boxAt(boxes, start(i)));
    const values = Array.from({ length: count }, (_, i) => Number(scores.get((image * count + i) * kinds + kind)));
    const order = fromHeap(values, limits.score);
    const [sorted, sortedValues] = [order.map(i => own[i]), order.map(i => values[i])];
    for (const { index, score } of select(sorted, sortedValues, limits))
      found.push({ box: [0, 1, 2, 3].map(k => Number(boxes.get(start(order[index]) + k))), score, kind });
  }
  return found.sort((a, b) => b.score - a.score);
}

function writeDetections(found: readonly Detection[], image: number, size: number, clip: boolean, results: readonly NDArray[]): void {
  const [boxes, scores, kinds, counts] = results;
  found.forEach(({ box, score, kind }, i) => {
    const at = image * size + i;
    box.forEach((x, k) => void boxes.set(4 * at + k, clip ? Math.min(Math.max(x, 0), 1) : x));
    scores.set(at, score);
    kinds.set(at, kind);
  });
  counts.set(image, found.length);
}

interface SuppressionOptions extends Named {
  /** Boxes that share more than this part of their union are the same thing. */
  readonly iouThreshold?: number | Tensor;
  /** Boxes of no higher score are left out. */
  readonly scoreThreshold?: number | Tensor;
  readonly softNmsSigma?: number | Tensor;
  readonly padToMaxOutputSize?: boolean;
}

const limitNames = ["iouThreshold", "scoreThreshold"];
/** The two thresholds, as nodes. */
const thresholds = (
  iou: number | Tensor = 0.5,
  score: number | Tensor = Number.NEGATIVE_INFINITY,
  key: "dtype" | "preferredDtype" = "preferredDtype",
): [Tensor, Tensor] => [
  convertToTensor(iou, { [key]: "float32", name: "iou_threshold" }),
  convertToTensor(score, { [key]: "float32", name: "score_threshold" }),
];

/** Positions of the best boxes `[n, 4]` of which none covers another too much, best score first.
 *  TF: tf.image.non_max_suppression(boxes, scores, max_output_size, iou_threshold, score_threshold, name). */
export function nonMaxSuppression(boxes: TensorLike, scores: TensorLike, maxOutputSize: TensorLike, ...rest: unknown[]): Tensor {
  const options = collect<SuppressionOptions>([...limitNames, "name"], rest);
  return inNameScope({ name: options.name }, "non_max_suppression", [], () => {
    const [iouThreshold, scoreThreshold] = thresholds(options.iouThreshold, options.scoreThreshold);
    return NonMaxSuppressionV3({ boxes, scores, maxOutputSize, iouThreshold, scoreThreshold });
  });
}

/** nonMaxSuppression with the overlap of each pair `[n, n]` given instead of boxes.
 *  TF: tf.image.non_max_suppression_overlaps(overlaps, scores, max_output_size, overlap_threshold, score_threshold, name). */
export function nonMaxSuppressionOverlaps(overlaps: TensorLike, scores: TensorLike, maxOutputSize: TensorLike, ...rest: unknown[]): Tensor {
  const options = collect<SuppressionOptions & { readonly overlapThreshold?: TensorLike }>(
    ["overlapThreshold", "scoreThreshold", "name"],
    rest,
  );
  return inNameScope({ name: options.name }, "non_max_suppression_overlaps", [], () => {
    const overlapThreshold = convertToTensor(options.overlapThreshold ?? 0.5, { dtype: "float32", name: "overlap_threshold" });
    const scoreThreshold = options.scoreThreshold ?? Number.NEGATIVE_INFINITY;
    return NonMaxSuppressionWithOverlaps({ overlaps, scores, maxOutputSize, overlapThreshold, scoreThreshold });
  });
}

/** nonMaxSuppression with the scores of the chosen, which fall with overlap where softNmsSigma is above 0.
 *  TF: tf.image.non_max_suppression_with_scores. */
export function nonMaxSuppressionWithScores(
  boxes: TensorLike,
  scores: TensorLike,
  maxOutputSize: TensorLike,
  ...rest: unknown[]
): [indices: Tensor, scores: Tensor] {
  const options = collect<SuppressionOptions>([...limitNames, "softNmsSigma", "name"], rest);
  return inNameScope({ name: options.name }, "non_max_suppression_with_scores", [], () => {
    const [iouThreshold, scoreThreshold] = thresholds(options.iouThreshold, options.scoreThreshold);
    const softNmsSigma = convertToTensor(options.softNmsSigma ?? 0, { dtype: "float32", name: "soft_nms_sigma" });
    const record = { boxes, scores, maxOutputSize, iouThreshold, scoreThreshold, softNmsSigma, padToMaxOutputSize: false };
    const { selectedIndices, selectedScores } = NonMaxSuppressionV5(record);
    return [selectedIndices, selectedScores];
  });
}

interface PaddedOptions extends SuppressionOptions {
  /** What TensorFlow may rely on to save work: boxes in the order of their scores, corners in order, how many boxes it looks at together. Results are the
   *  same. */
  readonly sortedInput?: boolean;
  readonly canonicalizedCoordinates?: boolean;
  readonly tileSize?: number;
}

const paddedNames = [...limitNames, "padToMaxOutputSize", "name", "sortedInput", "canonicalizedCoordinates", "tileSize"];

/** nonMaxSuppression padded with zeros to a fixed length, and how many are valid, for the boxes of one image. TF: tf.image.non_max_suppression_padded. */
export function nonMaxSuppressionPadded(
  boxes: TensorLike,
  scores: TensorLike,
  maxOutputSize: TensorLike,
  ...rest: unknown[]
): [indices: Tensor, valid: Tensor] {
  const options = collect<PaddedOptions>(paddedNames, rest);
  return inNameScope({ name: options.name }, "non_max_suppression_padded", [], () => {
    const [iouThreshold, scoreThreshold] = thresholds(options.iouThreshold, options.scoreThreshold);
    const padToMaxOutputSize = options.padToMaxOutputSize ?? false;
    const made = NonMaxSuppressionV4({ boxes, scores, maxOutputSize, iouThreshold, scoreThreshold, padToMaxOutputSize });
    return [made.selectedIndices, made.validOutputs];
  });
}

interface CombinedOptions extends SuppressionOptions {
  readonly padPerClass?: boolean;
  readonly clipBoxes?: boolean;
}

/** Suppression class by class for a batch: boxes `[batch, n, classes or 1, 4]`, scores `[batch, n, classes]` → boxes, scores, classes, counts.
 *  TF: tf.image.combined_non_max_suppression. */
export function combinedNonMaxSuppression(
  boxes: TensorLike,
  scores: TensorLike,
  maxOutputSizePerClass: TensorLike,
  maxTotalSize: TensorLike,
  ...rest: unknown[]
): [boxes: Tensor, scores: Tensor, classes: Tensor, counts: Tensor] {
  const options = collect<CombinedOptions>([...limitNames, "padPerClass", "clipBoxes", "name"], rest);
  return inNameScope({ name: options.name }, "combined_non_max_suppression", [], () => {
    const [iouThreshold, scoreThreshold] = thresholds(options.iouThreshold, options.scoreThreshold, "dtype");
    const isWhole = Number.isInteger(maxTotalSize);
    const total = convertToTensor(maxTotalSize, { dtype: isWhole ? "int32" : undefined });
    const record = { boxes, scores, maxOutputSizePerClass, maxTotalSize: total, iouThreshold, scoreThreshold };
    const made = CombinedNonMaxSuppression({ ...record, padPerClass: options.padPerClass, clipBoxes: options.clipBoxes });
    return [made.nmsedBoxes, made.nmsedScores, made.nmsedClasses, made.validDetections];
  });
}
