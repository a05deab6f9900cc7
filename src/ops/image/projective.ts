// Images under projective transformations: each place of the result is read where eight numbers say, by the nearest pixel or between four.

import type { DType } from "../../base/dtype.ts";
import { InvalidArgumentError, ValueError } from "../../base/errors.ts";
import type { NDArray } from "../../base/ndarray.ts";
import { TensorShape } from "../../base/shape.ts";
import * as attr from "../../graph/attributes.ts";
import { defineOp, type Gradients, type ShapeContext } from "../../graph/op-definition.ts";
import type { Tensor } from "../../graph/operation.ts";
import * as ir from "../../ir/build.ts";
import type { Value } from "../../ir/program.ts";
import { ones, reshape, shape } from "../array/array.ts";
import { concat, getItem } from "../array/slicing.ts";
import { matrixInverse } from "../linalg/linalg.ts";
import * as operator from "../operators.ts";

const f32 = Math.fround;
const halfAway = (x: number): number => (x < 0 ? -Math.floor(0.5 - x) : Math.floor(x + 0.5));

/** A place within 0 … size - 1 for one that may lie outside, or the same. */
const outside: Readonly<Record<string, (place: number, size: number) => number>> = {
  CONSTANT: place => place,
  NEAREST: (place, size) => Math.min(Math.max(place, 0), size - 1),
  REFLECT: (place, size) => {
    if (size <= 1) return 0;
    const period = 2 * size;
    let at = place;
    if (at < 0) {
      at = f32(period * Math.trunc(-at / period) + at);
      at = at < -size ? f32(at + period) : f32(-at - 1);
    } else if (at > size - 1) {
      at = f32(at - period * Math.trunc(at / period));
      if (at >= size) at = f32(period - at - 1);
    }
    return Math.min(Math.max(at, 0), size - 1);
  },
  WRAP: (place, size) => {
    if (size <= 1) return 0;
    let at = place;
    if (at < 0) at = f32(at + size * (Math.trunc(-at / (size - 1)) + 1));
    else if (at > size - 1) at = f32(at - size * Math.trunc(at / (size - 1)));
    return Math.min(Math.max(at, 0), size - 1);
  },
};

interface Projection {
  readonly interpolation: string;
  readonly fillMode: string;
}

function projected(images: Value, transforms: Value, size: NDArray, fill: Value, { interpolation, fillMode }: Projection): Value {
  const isNearest = interpolation === "NEAREST";
  if (!isNearest && interpolation !== "BILINEAR")
    throw new InvalidArgumentError(`Invalid interpolation ${interpolation}. Supported types: NEAREST, BILINEAR`);
  const mapped = Object.hasOwn(outside, fillMode) ? outside[fillMode] : undefined;
  if (!mapped) throw new InvalidArgumentError(`Invalid mode ${fillMode}. Supported types: REFLECT, WRAP, CONSTANT, NEAREST`);
  if (images.shape.length !== 4) throw new InvalidArgumentError("Input images must have rank 4");
  const [batch, height, width, depth] = images.shape;
  const [count, numbers] = transforms.shape;
  if (transforms.shape.length !== 2 || (count !== batch && count !== 1) || numbers !== 8)
    throw new InvalidArgumentError("Input transform should be num_images x 8 or 1 x 8");
  if (size.rank !== 1) throw new InvalidArgumentError(`output shape must be 1-dimensional${`[${size.shape}]`}`);
  if (size.size !== 2) throw new InvalidArgumentError(`output shape must have two elements${`[${size.shape}]`}`);
  if (fill.shape.length !== 0) throw new InvalidArgumentError(`fill_value must be a scalar[${fill.shape}]`);
  const [tall, wide] = [Number(size.get(0)), Number(size.get(1))];
  if (tall <= 0 || wide <= 0) throw new InvalidArgumentError("output dimensions must be positive");
  const run = ([pixels, matrices, filler]: readonly NDArray[], [out]: readonly NDArray[]): void => {
    const isBig = pixels.dtype === "int64";
    const isWhole = isBig || pixels.dtype === "int32" || pixels.dtype === "uint8";
    const filling = isWhole ? Math.trunc(Number(filler.get(0))) : Number(filler.get(0));
    const set = (at: number, x: number): void => void out.set(at, isBig ? BigInt(Math.trunc(x)) : isWhole ? Math.trunc(x) : x);
    for (let b = 0, to = 0; b < batch; b++) {
      const m = Array.from({ length: 8 }, (_, k) => Number(matrices.get((count === 1 ? 0 : 8 * b) + k)));
      const read = (y: number, x: number, c: number): number =>
        y >= 0 && y < height && x >= 0 && x < width ? Number(pixels.get(((b * height + y) * width + x) * depth + c)) : filling;
      for (let y = 0; y < tall; y++)
        for (let x = 0; x < wide; x++) {
          const linear = (k: number, last: number): number => f32(f32(f32(m[k] * x) + f32(m[k + 1] * y)) + last);
          const scale = linear(6, 1);
          const column = mapped(f32(linear(0, m[2]) / scale), width);
          const row = mapped(f32(linear(3, m[5]) / scale), height);
          for (let c = 0; c < depth; c++, to++) {
            if (scale === 0 || !Number.isFinite(row) || !Number.isFinite(column)) set(to, filling);
            else if (isNearest) set(to, read(halfAway(row), halfAway(column), c));
            else
              set(
                to,
                bilinear(row, column, (r, k) => read(r, k, c)),
              );
          }
        }
    }
  };
  return ir.call(
    { name: "ImageProjectiveTransform", run },
    [images, transforms, fill],
    [{ dtype: images.dtype, shape: [batch, tall, wide, depth] }],
  )[0];
}

/** Between four pixels. */
function bilinear(row: number, column: number, read: (row: number, column: number) => number): number {
  const [top, left] = [Math.floor(row), Math.floor(column)];
  const along = (y: number): number => f32(f32(f32(left + 1 - column) * read(y, left)) + f32(f32(column - left) * read(y, left + 1)));
  return f32(f32(f32(top + 1 - row) * along(top)) + f32(f32(row - top) * along(top + 1)));
}

const transformable = ["uint8", "int32", "int64", "float16", "bfloat16", "float32", "float64"] as const satisfies readonly DType[];
const projectionAttrs = { dtype: attr.type(transformable), interpolation: attr.string(), fillMode: attr.string("CONSTANT") };

function projectedShape(images: TensorShape, size: TensorShape, context: ShapeContext): TensorShape {
  const known = images.withRank(4);
  const count = size.withRank(1).dim(0);
  if (count !== null && count !== 2) throw new ValueError(`Dimension must be 2 but is ${count}`);
  const [height, width] = (context.partial("outputShape")?.values ?? [null, null]).map(d => (d === -1 ? null : d));
  return new TensorShape([known.dim(0), height, width, known.dim(3)]);
}

/** The inverse of projective transformations `[n, 8]`, whose ninth number is 1. */
function inverted(transforms: Tensor): Tensor {
  const one = ones([getItem(shape(transforms), 0), 1]);
  const inverse = matrixInverse(reshape(concat([transforms, one], 1), [-1, 3, 3]));
  const flat = reshape(inverse, [-1, 9]);
  return getItem(operator.truediv(flat, getItem(flat, [null, null], [8, 9])), [null, null], [null, 8]);
}

export const ImageProjectiveTransformV2 = defineOp("ImageProjectiveTransformV2", {
  inputs: { images: "dtype", transforms: "float32", outputShape: "int32" },
  outputs: { transformedImages: "dtype" },
  attrs: projectionAttrs,
  shape: ({ images, outputShape }, context) => projectedShape(images, outputShape, context),
  gradient: ({ images, transforms, interpolation, fillMode }, d): Gradients => ({
    images: ImageProjectiveTransformV2({
      images: d.transformedImages,
      transforms: inverted(transforms),
      outputShape: getItem(shape(images), [1, 3]),
      interpolation,
      fillMode,
    }),
    transforms: null,
  }),
  compileTimeInputs: ["outputShape"],
  lower: ({ images, transforms, outputShape, ...given }) => projected(images, transforms, outputShape, ir.full("float32", [], 0), given),
});

export const ImageProjectiveTransformV3 = defineOp("ImageProjectiveTransformV3", {
  inputs: { images: "dtype", transforms: "float32", outputShape: "int32", fillValue: "float32" },
  outputs: { transformedImages: "dtype" },
  attrs: projectionAttrs,
  shape: ({ images, outputShape }, context) => projectedShape(images, outputShape, context),
  gradient: ({ images, transforms, interpolation, fillMode }, d): Gradients => ({
    images: ImageProjectiveTransformV3({
      images: d.transformedImages,
      transforms: inverted(transforms),
      outputShape: getItem(shape(images), [1, 3]),
      fillValue: 0,
      interpolation,
      fillMode,
    }),
    transforms: null,
  }),
  compileTimeInputs: ["outputShape"],
  lower: ({ images, transforms, outputShape, fillValue, ...given }) => projected(images, transforms, outputShape, fillValue, given),
});
