// Boxes drawn on images, and boxes drawn by lot: the distorted crop that networks for pictures are trained with. Boxes are [y1, x1, y2, x2] in parts
// of the image. Chance is Philox, word for word as TensorFlow's kernel uses it.

import type { DType } from "../../base/dtype.ts";
import { InvalidArgumentError, ValueError } from "../../base/errors.ts";
import { copyElements, type NDArray } from "../../base/ndarray.ts";
import { TensorShape } from "../../base/shape.ts";
import * as attr from "../../graph/attributes.ts";
import type { TensorLike } from "../../graph/conversion.ts";
import { defineOp, type Named } from "../../graph/op-definition.ts";
import type { Tensor } from "../../graph/operation.ts";
import * as ir from "../../ir/build.ts";
import type { Value } from "../../ir/program.ts";
import { collect } from "../arguments.ts";
import { roundHalfToEven } from "./resize.ts";
import { inNameScope } from "../named.ts";
import { takeBlocks } from "../random/random.ts";
import { PhiloxStream } from "../random/philox.ts";
import { seedShape, stateOfSeed } from "../random/stateless.ts";

const f32 = Math.fround;

// ---- drawing ----

/** What boxes are drawn with where no colors are given, one after another. */
const colorTable = [
  [1, 1, 0, 1],
  [0, 0, 1, 1],
  [1, 0, 0, 1],
  [0, 1, 0, 1],
  [0.5, 0, 0.5, 1],
  [0.5, 0.5, 0, 1],
  [0.5, 0, 0, 1],
  [0, 0, 0.5, 1],
  [0, 1, 1, 1],
  [1, 0, 1, 1],
] as const;

function checkDrawing(images: Value, boxes: Value, colors?: Value): void {
  const check = (holds: boolean, message: string): void => {
    if (!holds) throw new InvalidArgumentError(message);
  };
  check(images.shape.length === 4, "The rank of the images should be 4");
  check(boxes.shape.length === 3, "The rank of the boxes tensor should be 3");
  check(images.shape[0] === boxes.shape[0], "The batch sizes should be the same");
  const depth = images.shape[3];
  check(depth === 1 || depth === 3 || depth === 4, "Channel depth should be either 1 (GRY), 3 (RGB), or 4 (RGBA)");
  check(boxes.shape[2] === 4, `The size of the third dimension of the box must be 4. Received: ${boxes.shape[2]}`);
  if (!colors) return;
  const text = `[${colors.shape.join(",")}]`;
  check(colors.shape.length === 2, `colors must be a 2-D matrix${text}`);
  check(colors.shape[1] >= depth, `colors must have equal or more channels than the image provided: ${text}`);
}

/** The color of each box, channel by channel. */
function colorOf(colors: NDArray | undefined, depth: number): (box: number, channel: number) => number {
  if (!colors || colors.size === 0) return (box, channel) => (depth === 1 ? 1 : colorTable[box % colorTable.length][channel]);
  const [count, width] = colors.shape;
  return (box, channel) => Number(colors.get((box % count) * width + channel));
}

function drawn(images: Value, boxes: Value, colors?: Value): Value {
  checkDrawing(images, boxes, colors);
  const run = ([given, places, table]: readonly NDArray[], [out]: readonly NDArray[]): void => {
    const [batch, height, width, depth] = given.shape;
    copyElements(given, out);
    const color = colorOf(table, depth);
    const count = places.shape[1];
    for (let b = 0; b < batch; b++)
      for (let box = 0; box < count; box++) {
        const edge = (k: number, size: number): number => Math.trunc(f32(Number(places.get(4 * (b * count + box) + k)) * (size - 1)));
        const [top, left, bottom, right] = [edge(0, height), edge(1, width), edge(2, height), edge(3, width)];
        if (!(top <= bottom && left <= right && top < height && bottom >= 0 && left < width && right >= 0)) continue;
        const paint = (row: number, column: number): void => {
          if (row < 0 || row >= height || column < 0 || column >= width) return;
          for (let c = 0; c < depth; c++) out.set(((b * height + row) * width + column) * depth + c, color(box, c));
        };
        for (let column = Math.max(left, 0); column <= Math.min(right, width - 1); column++) {
          paint(top, column);
          paint(bottom, column);
        }
        for (let row = Math.max(top, 0); row <= Math.min(bottom, height - 1); row++) {
          paint(row, left);
          paint(row, right);
        }
      }
  };
  return ir.call({ name: "DrawBoundingBoxes", run }, colors ? [images, boxes, colors] : [images, boxes], [images])[0];
}

function drawnShape(images: TensorShape, boxes: TensorShape): TensorShape {
  const known = images.withRank(4);
  const depth = known.dim(3);
  if (depth !== null && depth !== 1 && depth !== 3 && depth !== 4)
    throw new ValueError("Channel depth should be either 1 (GRY), 3 (RGB), or 4 (RGBA)");
  const sides = boxes.withRank(3).dim(2);
  if (sides !== null && sides !== 4) throw new ValueError(`Dimension must be 4 but is ${sides}`);
  return images;
}

const pixels = attr.type(["float32", "float16"], "float32");

export const DrawBoundingBoxes = defineOp("DrawBoundingBoxes", {
  inputs: { images: "T", boxes: "float32" },
  outputs: { output: "T" },
  attrs: { T: pixels },
  gradient: "none",
  shape: ({ images, boxes }) => drawnShape(images, boxes),
  lower: ({ images, boxes }) => drawn(images, boxes),
});

export const DrawBoundingBoxesV2 = defineOp("DrawBoundingBoxesV2", {
  inputs: { images: "T", boxes: "float32", colors: "float32" },
  outputs: { output: "T" },
  attrs: { T: pixels },
  shape: ({ images }) => images.withRankAtLeast(3),
  lower: ({ images, boxes, colors }) => drawn(images, boxes, colors),
});

/** The outlines of boxes `[batch, n, 4]` on images `[batch, h, w, channels]`, in `colors` `[m, channels]` by turns.
 *  TF: tf.image.draw_bounding_boxes(images, boxes, name, colors). */
export function drawBoundingBoxes(images: TensorLike, boxes: TensorLike, ...rest: unknown[]): Tensor {
  const { colors, name } = collect<Named & { readonly colors?: TensorLike }>(["name", "colors"], rest);
  return colors === undefined ? DrawBoundingBoxes({ images, boxes }, { name }) : DrawBoundingBoxesV2({ images, boxes, colors }, { name });
}

// ---- crops by lot ----

interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

const areaOf = ({ left, top, right, bottom }: Box): number => f32((right - left) * (bottom - top));

function sharedArea(a: Box, b: Box): number {
  const [left, top] = [Math.max(a.left, b.left), Math.max(a.top, b.top)];
  const [right, bottom] = [Math.min(a.right, b.right), Math.min(a.bottom, b.bottom)];
  return left > right || top > bottom ? 0 : areaOf({ left, top, right, bottom });
}

interface Wishes {
  readonly aspectRatioRange: readonly number[];
  readonly areaRange: readonly number[];
  readonly maxAttempts: number;
  readonly useImageIfNoBoundingBoxes: boolean;
}

/** A whole number below n, each as likely. */
function below(n: number, stream: PhiloxStream): number {
  if ((n & (n - 1)) === 0) return stream.word() & (n - 1);
  const least = (0xffffffff % n) + 1;
  let word = stream.word();
  while (word < least) word = stream.word();
  return word % n;
}

const rounded = (x: number): number => roundHalfToEven(f32(x));

/** A crop of some aspect ratio whose area is within bounds, or undefined. */
function cropBy(width: number, height: number, [least, most]: readonly number[], ratio: number, stream: PhiloxStream): Box | undefined {
  if (most <= 0 || ratio <= 0 || width <= 0 || height <= 0 || least > most) return undefined;
  const [minArea, maxArea] = [least, most].map(part => f32(f32(part * width) * height));
  const heightOf = (area: number): number => rounded(f32(Math.sqrt(f32(area / ratio))));
  let [tall, mostTall] = [heightOf(minArea), heightOf(maxArea)];
  if (rounded(mostTall * ratio) > width) {
    mostTall = Math.trunc((width + 0.5 - f32(0.0000001)) / ratio);
    if (rounded(mostTall * ratio) > width) mostTall--;
  }
  mostTall = Math.min(mostTall, height);
  tall = Math.min(tall, mostTall);
  if (tall < mostTall) tall += below(mostTall - tall + 1, stream);
  let wide = rounded(tall * ratio);
  let area = f32(wide * tall);
  // Rounding alone shall not make it fail.
  if (area < minArea) {
    tall++;
    wide = rounded(tall * ratio);
    area = f32(wide * tall);
  }
  if (area > maxArea) {
    tall--;
    wide = rounded(tall * ratio);
    area = f32(wide * tall);
  }
  if (area < minArea || area > maxArea || wide > width || tall > height || wide <= 0 || tall <= 0) return undefined;
  const top = tall < height ? below(height - tall, stream) : 0;
  const left = wide < width ? below(width - wide, stream) : 0;
  return { left, top, right: left + wide, bottom: top + tall };
}

function chosenBox(stream: PhiloxStream, size: NDArray, boxes: NDArray, minCovered: number, wishes: Wishes): Box {
  const [height, width] = [Number(size.get(0)), Number(size.get(1))];
  if (!(minCovered >= 0)) throw new InvalidArgumentError(`Min object covered must be non-negative: ${minCovered}`);
  const image: Box = { left: 0, top: 0, right: width, bottom: height };
  const objects = objectsOf(boxes, height, width);
  if (objects.length === 0) {
    if (!wishes.useImageIfNoBoundingBoxes)
      throw new InvalidArgumentError(
        "No bounding boxes provided as input. One must enable use_image_if_no_bounding_boxes if you wish to not provide any bounding boxes.",
      );
    objects.push(image);
  }
  const [leastRatio, mostRatio] = wishes.aspectRatioRange.map(f32);
  for (let attempt = 0; attempt < wishes.maxAttempts; attempt++) {
    const ratio = f32(f32(stream.unit32() * f32(mostRatio - leastRatio)) + leastRatio);
    const crop = cropBy(width, height, wishes.areaRange.map(f32), ratio, stream);
    const covers = (object: Box): boolean => areaOf(object) >= 1 && f32(sharedArea(crop ?? image, object) / areaOf(object)) >= minCovered;
    if (crop && areaOf(crop) >= 1 && objects.some(covers)) return crop;
  }
  return image;
}

function objectsOf(boxes: NDArray, height: number, width: number): Box[] {
  return Array.from({ length: boxes.size / 4 }, (_, b) => {
    const [top, left, bottom, right] = [0, 1, 2, 3].map(k => {
      const part = Number(boxes.get(4 * b + k));
      if (!(part >= 0 && part <= 1)) throw new InvalidArgumentError(`All bounding box coordinates must be in [0.0, 1.0]: ${part}`);
      return Math.trunc(f32(part * (k % 2 === 0 ? height : width)));
    });
    return { left, top, right, bottom };
  });
}

/** @throws InvalidArgumentError for ranges that are none. */
function checkWishes({ aspectRatioRange, areaRange, maxAttempts }: Wishes): void {
  const text = (range: readonly number[]): string => `[${range.map(x => Number(f32(x).toPrecision(6))).join(", ")}]`;
  const check = (holds: boolean, message: string): void => {
    if (!holds) throw new InvalidArgumentError(message);
  };
  check(aspectRatioRange.length === 2, "Aspect ratio range field must specify 2 dimensions");
  check(
    aspectRatioRange.every(x => x > 0),
    `Aspect ratio range must be non-negative: ${text(aspectRatioRange)}`,
  );
  check(areaRange.length === 2, "Area range field must specify 2 dimensions");
  check(
    areaRange.every(x => x > 0),
    `Area range must be non-negative: ${text(areaRange)}`,
  );
  check(
    areaRange.every(x => x <= 1),
    `Area range must be less then or equal to 1.0: ${text(areaRange)}`,
  );
  check(maxAttempts > 0, `Max attempts must be non-negative: ${maxAttempts}`);
}

interface Lot {
  readonly imageSize: Value;
  readonly boundingBoxes: Value;
  readonly minObjectCovered: Value;
}

/** Begin and size of the crop for tf.slice, and the crop as a box. */
function cropByLot(state: Value, { imageSize, boundingBoxes, minObjectCovered }: Lot, wishes: Wishes): readonly Value[] {
  const dims = ({ shape }: Value): string => `[${shape.join(",")}]`;
  checkWishes(wishes);
  if (imageSize.shape.length !== 1) throw new InvalidArgumentError(`image_size must be 1-dimensional${dims(imageSize)}`);
  if (imageSize.shape[0] !== 3) throw new InvalidArgumentError(`image_size must contain 3 elements${dims(imageSize)}`);
  if (boundingBoxes.shape.length !== 3)
    throw new InvalidArgumentError(`input boxes must be 3-dimensional [batch, num_boxes, coords]: ${dims(boundingBoxes)}`);
  if (boundingBoxes.shape[2] !== 4)
    throw new InvalidArgumentError(`bounding boxes must have shape [4] or [*, 4], got ${dims(boundingBoxes)}`);
  const run = ([generator, size, boxes, covered]: readonly NDArray[], [begin, extent, box]: readonly NDArray[]): void => {
    const crop = chosenBox(new PhiloxStream(generator), size, boxes, Number(covered.get(0)), wishes);
    const put = (out: NDArray, values: readonly number[]): void => {
      const type = out.dtype === "int64";
      values.forEach((x, i) => void out.set(i, type ? BigInt(x) : x));
    };
    put(begin, [crop.top, crop.left, 0]);
    put(extent, [crop.bottom - crop.top, crop.right - crop.left, -1]);
    const [height, width] = [Number(size.get(0)), Number(size.get(1))];
    put(box, [f32(crop.top / height), f32(crop.left / width), f32(crop.bottom / height), f32(crop.right / width)]);
  };
  const outputs = [
    { dtype: imageSize.dtype, shape: [3] },
    { dtype: imageSize.dtype, shape: [3] },
    { dtype: "float32" as const, shape: [1, 1, 4] },
  ];
  return ir.call({ name: "SampleDistortedBoundingBox", run }, [state, imageSize, boundingBoxes, minObjectCovered], outputs);
}

const sizes = ["uint8", "int8", "int16", "int32", "int64"] as const satisfies readonly DType[];
const wishAttributes = {
  aspectRatioRange: attr.floats([0.75, 1.33]),
  areaRange: attr.floats([0.05, 1]),
  maxAttempts: attr.int(100),
  useImageIfNoBoundingBoxes: attr.bool(false),
};
const seeds = { seed: attr.int(0), seed2: attr.int(0) };
const outputs = { begin: "T", size: "T", bboxes: "float32" } as const;

function cropShapes(imageSize: TensorShape, boxes: TensorShape): readonly TensorShape[] {
  const count = imageSize.withRank(1).dim(0);
  if (count !== null && count !== 3) throw new ValueError(`Dimension must be 3 but is ${count}`);
  const last = boxes.withRank(3).dim(2);
  if (last !== null && last !== 4) throw new ValueError(`Dimension must be 4 but is ${last}`);
  return [new TensorShape([3]), new TensorShape([3]), new TensorShape([1, 1, 4])];
}

export const SampleDistortedBoundingBox = defineOp("SampleDistortedBoundingBox", {
  inputs: { imageSize: "T", boundingBoxes: "float32" },
  outputs,
  attrs: { T: attr.type(sizes), ...seeds, minObjectCovered: attr.float(0.1), ...wishAttributes },
  stateful: true,
  gradient: "none",
  shape: ({ imageSize, boundingBoxes }) => cropShapes(imageSize, boundingBoxes),
  lower: ({ imageSize, boundingBoxes, minObjectCovered, ...rest }, context) =>
    cropByLot(
      takeBlocks(context, rest, rest.maxAttempts),
      { imageSize, boundingBoxes, minObjectCovered: ir.full("float32", [], minObjectCovered) },
      rest,
    ),
});

export const SampleDistortedBoundingBoxV2 = defineOp("SampleDistortedBoundingBoxV2", {
  inputs: { imageSize: "T", boundingBoxes: "float32", minObjectCovered: "float32" },
  outputs,
  attrs: { T: attr.type(sizes), ...seeds, ...wishAttributes },
  stateful: true,
  gradient: "none",
  shape: ({ imageSize, boundingBoxes, minObjectCovered }) => {
    const shapes = cropShapes(imageSize, boundingBoxes);
    minObjectCovered.withRank(0);
    return shapes;
  },
  lower: ({ imageSize, boundingBoxes, minObjectCovered, ...rest }, context) =>
    cropByLot(takeBlocks(context, rest, rest.maxAttempts), { imageSize, boundingBoxes, minObjectCovered }, rest),
});

export const StatelessSampleDistortedBoundingBox = defineOp("StatelessSampleDistortedBoundingBox", {
  inputs: { imageSize: "T", boundingBoxes: "float32", minObjectCovered: "float32", seed: "Tseed" },
  outputs,
  attrs: { T: attr.type(sizes), Tseed: attr.type(attr.indexTypes), ...wishAttributes },
  shape: ({ imageSize, boundingBoxes, minObjectCovered, seed }) => {
    const shapes = cropShapes(imageSize, boundingBoxes);
    minObjectCovered.withRank(0);
    seedShape(seed);
    return shapes;
  },
  lower: ({ imageSize, boundingBoxes, minObjectCovered, seed, ...rest }) =>
    cropByLot(stateOfSeed(seed), { imageSize, boundingBoxes, minObjectCovered }, rest),
});

interface SampleOptions extends Named {
  readonly seed?: number | null;
  readonly seed2?: number | null;
  /** The crop has at least this part of one of the boxes. */
  readonly minObjectCovered?: TensorLike;
  /** Width over height. */
  readonly aspectRatioRange?: readonly number[];
  /** In parts of the image. */
  readonly areaRange?: readonly number[];
  readonly maxAttempts?: number;
  readonly useImageIfNoBoundingBoxes?: boolean;
}

const sampleNames = [
  "seed",
  "seed2",
  "minObjectCovered",
  "aspectRatioRange",
  "areaRange",
  "maxAttempts",
  "useImageIfNoBoundingBoxes",
  "name",
];

/** A crop by lot of an image of `imageSize = [h, w, channels]` that has a part of one of the boxes `[batch, n, 4]` in it, or the whole image after
 *  maxAttempts: begin and size for tf.slice, and the crop as a box `[1, 1, 4]`. TF: tf.image.sample_distorted_bounding_box. */
export function sampleDistortedBoundingBox(
  imageSize: TensorLike,
  boundingBoxes: TensorLike,
  ...rest: unknown[]
): [begin: Tensor, size: Tensor, bboxes: Tensor] {
  const { seed, seed2, minObjectCovered = 0.1, name, ...wishes } = collect<SampleOptions>(sampleNames, rest);
  return inNameScope({ name }, "sample_distorted_bounding_box", [], () => {
    const record = { imageSize, boundingBoxes, minObjectCovered, seed: seed ?? 0, seed2: seed2 ?? 0, ...wishes };
    const { begin, size, bboxes } = SampleDistortedBoundingBoxV2(record, { name });
    return [begin, size, bboxes];
  });
}
