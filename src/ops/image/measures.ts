// Numbers that say how images look: differences of neighbours, edges, and how alike two images are. Made of other ops.

import { type DType, isFloating } from "../../base/dtype.ts";
import { ValueError } from "../../base/errors.ts";
import { NDArray } from "../../base/ndarray.ts";
import { convertToTensor, type TensorLike } from "../../graph/conversion.ts";
import type { Named } from "../../graph/op-definition.ts";
import type { Operation, Tensor } from "../../graph/operation.ts";
import { collect } from "../arguments.ts";
import { constant, expandDims, identity, reshape, shape, shapeN, size, zeros } from "../array/array.ts";
import { pad, tile } from "../array/padding.ts";
import { range } from "../array/ranges.ts";
import { concat, getItem, stack, unstack } from "../array/slicing.ts";
import { Assert } from "../flow/control-flow.ts";
import { cond } from "../flow/control-flow-contexts.ts";
import { convertImageDtype } from "./image.ts";
import { Cast, cast } from "../math/cast.ts";
import { equal, greaterEqual, notEqual } from "../math/comparison.ts";
import { pow, squaredDifference, subtract } from "../math/math.ts";
import { abs, log, square } from "../math/functions.ts";
import { reduceAll, reduceAny, reduceMean, reduceProd, reduceSum } from "../math/reduction.ts";
import { inNameScope, type NameOption } from "../named.ts";
import { relu, softmax } from "../nn/nn.ts";
import { depthwiseConv2d } from "../nn/convolution-api.ts";
import { avgPool } from "../nn/pooling-api.ts";
import * as operator from "../operators.ts";

const all = [null, null] as const;

/** Differences of neighbouring rows and of neighbouring columns, the first of them on axis `axis`. */
const neighbours = (images: Tensor, axis: number): Tensor[] =>
  [axis, axis + 1].map(along => {
    const slice = (part: readonly [number | null, number | null]): Tensor =>
      getItem(images, ...Array.from({ length: images.shape.rank as number }, (_, k) => (k === along ? part : all)));
    return operator.sub(slice([1, null]), slice([null, -1]));
  });

/** The sum of absolute differences of neighbouring pixels: of an image `[h, w, channels]`, or of each of a batch. TF: tf.image.total_variation.
 *  @throws ValueError for other ranks. */
export const totalVariation = (images: TensorLike, options?: NameOption): Tensor =>
  inNameScope(options, "total_variation", [], () => {
    const x = convertToTensor(images);
    const { rank } = x.shape;
    if (rank !== 3 && rank !== 4) throw new ValueError("'images' must be either 3 or 4-dimensional.");
    const [rows, columns] = neighbours(x, rank - 3).map(difference => reduceSum(abs(difference), rank === 4 ? [1, 2, 3] : null));
    return operator.add(rows, columns);
  });

/** Differences to the next row and to the next column, with zeros at the end, of images `[batch, h, w, channels]`. TF: tf.image.image_gradients.
 *  @throws ValueError for other ranks. */
export function imageGradients(image: TensorLike): [dy: Tensor, dx: Tensor] {
  const x = convertToTensor(image);
  if (x.shape.rank !== 4) throw new ValueError(`image_gradients expects a 4D tensor [batch_size, h, w, d], not ${x.shape}.`);
  const known = shape(x);
  const [batch, height, width, depth] = unstack(known);
  const [dy, dx] = neighbours(x, 1);
  const padded = (difference: Tensor, axis: number, dims: readonly TensorLike[]): Tensor =>
    reshape(concat([difference, zeros(stack(dims), x.dtype)], axis), known);
  return [padded(dy, 1, [batch, 1, width, depth]), padded(dx, 2, [batch, height, 1, depth])];
}

/** Sobel's edges: the slopes down and to the right of images `[batch, h, w, channels]`, on a last axis of two. TF: tf.image.sobel_edges. */
export function sobelEdges(image: TensorLike): Tensor {
  const x = convertToTensor(image);
  const known = shape(x);
  const weights = [1, 2, 1].flatMap((a, row) => [-1, 0, 1].map((b, column) => [(row - 1) * [1, 2, 1][column], b * a]));
  const kernels = constant(NDArray.from(weights.flat(), x.dtype, [3, 3, 1, 2]));
  const filters = tile(kernels, convertToTensor([1, 1, getItem(known, -1), 1], { name: "sobel_filters/multiples" }), {
    name: "sobel_filters",
  });
  const sides = [
    [0, 0],
    [1, 1],
    [1, 1],
    [0, 0],
  ];
  const edges = depthwiseConv2d(pad(x, sides, { mode: "REFLECT" }), filters, [1, 1, 1, 1], "VALID");
  const result = reshape(edges, concat([known, [2]], 0));
  result.setShape(x.shape.concatenate([2]));
  return result;
}

// ---- likeness ----

/** Checks that two images have the same height, width and channels. @throws ValueError where that is known not to be. */
function checkAlike(a: Tensor, b: Tensor): { readonly shapes: readonly Tensor[]; readonly checks: readonly Operation[] } {
  const [left, right] = [a, b].map(image => image.shape.withRankAtLeast(3));
  if (left.rank !== null && right.rank !== null) {
    const [own, others_] = [left.slice(-3), right.slice(-3)];
    if (!own.isCompatibleWith(others_)) throw new ValueError(`Shapes ${own} and ${others_} are incompatible`);
    const [heads, others] = [left, right].map(known => (known.dims ?? []).slice(0, -3).reverse());
    for (const [i, size_] of heads.entries()) {
      const other = others[i];
      if (i < others.length && size_ !== 1 && other !== 1 && size_ !== null && other !== null && size_ !== other)
        throw new ValueError(`Two images are not compatible: ${left} and ${right}`);
    }
  }
  const shapes = shapeN([a, b]);
  const [first, second] = shapes;
  const checks = [
    Assert(greaterEqual(size(first), 3), shapes, { summarize: 10 }),
    Assert(reduceAll(equal(getItem(first, [-3, null]), getItem(second, [-3, null]))), shapes, { summarize: 10 }),
  ];
  return { shapes, checks };
}

const after = (checks: readonly Operation[], image: Tensor): Tensor => image.graph.controlDependencies(checks, () => identity(image));

/** The largest value of a pixel in the type of the images; a whole number is an int32 first. */
const largest = (value: TensorLike, dtype: DType): Tensor =>
  typeof value !== "number" || isFloating(dtype)
    ? cast(value, dtype)
    : inNameScope(undefined, "Cast", [], scope =>
        Cast({ x: convertToTensor(Math.trunc(value), { dtype: "int32", name: "x" }), DstT: dtype }, scope),
      );

/** The peak signal-to-noise ratio in decibels: `20 log10 maxVal - 10 log10 mse`, for each pair of images. TF: tf.image.psnr(a, b, max_val, name). */
export const psnr = (a: TensorLike, b: TensorLike, maxVal: TensorLike, options?: NameOption): Tensor =>
  inNameScope(options, "PSNR", [a, b], () => {
    const [first, second] = [convertToTensor(a), convertToTensor(b)];
    const most = convertImageDtype(largest(maxVal, first.dtype), "float32");
    const [x, y] = [first, second].map(image => convertImageDtype(image, "float32"));
    const error = reduceMean(squaredDifference(x, y), [-3, -2, -1]);
    const peak = operator.truediv(operator.mul(20, log(most)), log(10));
    const ratio = subtract(peak, operator.mul(Math.fround(10 / Math.log(10)), log(error)), { name: "psnr" });
    return after(checkAlike(x, y).checks, ratio);
  });

interface SsimOptions extends Named {
  /** Pixels of a side of the window. */
  readonly filterSize?: number;
  readonly filterSigma?: number;
  readonly k1?: number;
  readonly k2?: number;
  /** The likeness of each window rather than their mean. */
  readonly returnIndexMap?: boolean;
  readonly powerFactors?: readonly number[];
}

/** The window: a Gaussian [size, size, 1, 1] whose sum is 1. */
function gaussian(side: Tensor, sigma: Tensor): Tensor {
  const places = cast(range(side), sigma.dtype);
  const centered = operator.sub(places, operator.truediv(cast(operator.sub(side, 1), sigma.dtype), 2));
  const exponents = operator.mul(square(centered), operator.truediv(-0.5, square(sigma)));
  const both = operator.add(reshape(exponents, [1, -1]), reshape(exponents, [-1, 1]));
  return reshape(softmax(reshape(both, [1, -1])), [side, side, 1, 1]);
}

interface Likeness {
  readonly ssim: Tensor;
  /** Contrast and structure, without luminance. */
  readonly contrast: Tensor;
}

/** Wang, Bovik, Sheikh, Simoncelli: Image quality assessment: from error visibility to structural similarity (2004), for each channel. */
function likeness(first: Tensor, second: Tensor, maxVal: Tensor, options: SsimOptions): Likeness {
  const { filterSize = 11, filterSigma = 1.5, k1 = 0.01, k2 = 0.03, returnIndexMap = false } = options;
  const side = constant(filterSize, "int32");
  const sigma = constant(filterSigma, first.dtype);
  const [shape1, shape2] = shapeN([first, second]);
  const checks = [shape1, shape2].map(known =>
    Assert(reduceAll(greaterEqual(getItem(known, [-3, -1]), side)), [known, side], { summarize: 8 }),
  );
  const x = after(checks, first);
  const window = gaussian(side, sigma);
  const kernel = tile(window, [1, 1, getItem(shape1, -1), 1]);
  const mean = (image: Tensor): Tensor => {
    const known = shape(image);
    const flat = reshape(image, concat([[-1], getItem(known, [-3, null])], 0));
    const result = depthwiseConv2d(flat, kernel, [1, 1, 1, 1], "VALID");
    return reshape(result, concat([getItem(known, [null, -3]), getItem(shape(result), [1, null])], 0));
  };
  const c1 = operator.pow(operator.mul(k1, maxVal), 2);
  const c2 = operator.pow(operator.mul(k2, maxVal), 2);
  const [mean0, mean1] = [mean(x), mean(second)];
  const product = operator.mul(operator.mul(mean0, mean1), 2);
  const squares = operator.add(square(mean0), square(mean1));
  const luminance = operator.truediv(operator.add(product, c1), operator.add(squares, c1));
  const covariance = operator.mul(mean(operator.mul(x, second)), 2);
  const variances = mean(operator.add(square(x), square(second)));
  const compensated = operator.mul(c2, 1);
  const contrast = operator.truediv(
    operator.add(operator.sub(covariance, product), compensated),
    operator.add(operator.sub(variances, squares), compensated),
  );
  if (returnIndexMap) return { ssim: operator.mul(luminance, contrast), contrast };
  const axes = constant([-3, -2], "int32");
  return { ssim: reduceMean(operator.mul(luminance, contrast), axes), contrast: reduceMean(contrast, axes) };
}

/** Two images as floats behind the check that they are alike, and the largest value they may have. */
function prepared(a: TensorLike, b: TensorLike, maxVal: TensorLike): { images: Tensor[]; most: Tensor; shapes: readonly Tensor[] } {
  const [first, second] = [convertToTensor(a, { name: "img1" }), convertToTensor(b, { name: "img2" })];
  const { shapes, checks } = checkAlike(first, second);
  const x = after(checks, first);
  const most = convertImageDtype(largest(maxVal, x.dtype), "float32");
  return { images: [x, second].map(image => convertImageDtype(image, "float32")), most, shapes };
}

/** The structural similarity of images `[…, h, w, channels]`, up to 1, the mean of their channels and windows.
 *  TF: tf.image.ssim(img1, img2, max_val, filter_size, filter_sigma, k1, k2, return_index_map). */
export function ssim(img1: TensorLike, img2: TensorLike, maxVal: TensorLike, ...rest: unknown[]): Tensor {
  const options = collect<SsimOptions>(["filterSize", "filterSigma", "k1", "k2", "returnIndexMap"], rest);
  return inNameScope(undefined, "SSIM", [img1, img2], () => {
    const { images, most } = prepared(img1, img2, maxVal);
    return reduceMean(likeness(images[0], images[1], most, options).ssim, [-1]);
  });
}

const multiscaleWeights = [0.0448, 0.2856, 0.3001, 0.2363, 0.1333];

/** The structural similarity over several sizes, each half of the one before (Wang, Simoncelli, Bovik 2003).
 *  TF: tf.image.ssim_multiscale(img1, img2, max_val, power_factors, filter_size, filter_sigma, k1, k2). */
export function ssimMultiscale(img1: TensorLike, img2: TensorLike, maxVal: TensorLike, ...rest: unknown[]): Tensor {
  const options = collect<SsimOptions>(["powerFactors", "filterSize", "filterSigma", "k1", "k2"], rest);
  const { powerFactors = multiscaleWeights } = options;
  return inNameScope(undefined, "MS-SSIM", [img1, img2], () => {
    const { images: full, most, shapes } = prepared(img1, img2, maxVal);
    const heads = shapes.map(known => getItem(known, [null, -3]));
    let tails = shapes.map(known => getItem(known, [-3, null]));
    const divisor = constant([2, 2, 1], "int32");
    let images = full;
    const found: Likeness[] = [];
    for (const k of powerFactors.keys())
      inNameScope(undefined, `Scale${k}`, images, () => {
        if (k > 0) {
          const halves = halved(images, tails, divisor);
          tails = shapeN(halves).map(known => getItem(known, [1, null]));
          images = halves.map((image, i) => reshape(image, concat([heads[i], tails[i]], 0)));
        }
        const scale = likeness(images[0], images[1], most, options);
        found.push({ ...scale, contrast: relu(scale.contrast) });
      });
    const last = found[found.length - 1];
    const all_ = stack([...found.slice(0, -1).map(({ contrast }) => contrast), relu(last.ssim)], -1);
    return reduceMean(reduceProd(pow(all_, [...powerFactors]), [-1]), [-1]);
  });
}

/** Images of half the size; those of odd sizes get their last row and column once more. */
function halved(images: readonly Tensor[], tails: readonly Tensor[], divisor: Tensor): Tensor[] {
  const flat = images.map((image, i) => reshape(image, concat([[-1], tails[i]], 0)));
  const rest = operator.mod(tails[0], divisor);
  const isOdd = reduceAny(notEqual(rest, 0));
  const wider = (): Tensor[] => {
    const sides = pad(expandDims(rest, -1), [
      [1, 0],
      [1, 0],
    ]);
    return flat.map(image => pad(image, sides, { mode: "SYMMETRIC" }));
  };
  const even = cond(isOdd, wider, () => flat) as Tensor[];
  return even.map(image => avgPool(image, [1, 2, 2, 1], [1, 2, 2, 1], "VALID"));
}
