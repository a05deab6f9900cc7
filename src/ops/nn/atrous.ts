// Dilated (atrous) windows by way of batches: every dilation-th row and column becomes an image of its own, an undilated op runs over those, and
// the pieces are put together again. TensorFlow's functions that take a `rate` are made this way; nodes and names are theirs.

import { ValueError } from "../../base/errors.ts";
import { NDArray } from "../../base/ndarray.ts";
import { pythonStr } from "../../base/python-text.ts";
import { type Dimension, TensorShape } from "../../base/shape.ts";
import { convertToTensor, type TensorLike } from "../../graph/conversion.ts";
import type { Named } from "../../graph/op-definition.ts";
import { Tensor } from "../../graph/operation.ts";
import { staticValue } from "../../graph/static-value.ts";
import { arrayText, collect, eitherName, type PaddingLike, pythonList, windowSequence } from "../arguments.ts";
import { expandDims, shape as shapeOf, squeeze } from "../array/array.ts";
import { batchToSpace, BatchToSpaceND, spaceToBatch, SpaceToBatchND } from "../array/rearranging.ts";
import { concat, getItem, stack } from "../array/slicing.ts";
import { AddV2, FloorMod, Sub } from "../math/math.ts";
import { inNameScope } from "../named.ts";
import { minus, modulo, plus, quotient, type Size, times } from "../sizes.ts";
import { withOneBatch } from "./batches.ts";
import { Conv2D, Conv2DBackpropInput, Conv3D } from "./convolution.ts";
import { axesOf } from "./window.ts";

export interface SpaceToBatchArguments {
  readonly input: Tensor;
  /** The window's shape, its spatial sizes first; a tensor, or sizes as far as they are known statically. Only read for padding "SAME". */
  readonly filterShape: Tensor | readonly Dimension[] | undefined;
  readonly dilationRate: TensorLike;
  readonly padding: PaddingLike;
  readonly dataFormat: string;
  /** The spatial dimensions, where they are not those of the format; explicit paddings go by the format all the same. */
  readonly spatialDims?: readonly number[] | undefined;
  /** Makes the undilated op on its (rearranged) input. */
  readonly op: (input: Tensor, padding: PaddingLike) => Tensor;
}

const numbersOf = (tensor: Tensor): number[] | undefined => {
  const value = staticValue(tensor);
  return value && Array.from({ length: value.size }, (_, i) => Number(value.get(i)));
};

interface BlockOptions {
  /** Needed where padding is "SAME". */
  readonly filterShape?: TensorLike | readonly Dimension[] | null;
  /** The dimensions that are dilated, in rising order; those of the data format unless given. */
  readonly spatialDims?: readonly number[] | null;
  readonly dataFormat?: string | null;
}

/** Runs `op(input, numSpatialDims, padding)` on blocks of the input, as if its window were dilated; rates of 1 run it on the input itself.
 *  TF: tf.nn.with_space_to_batch. @throws ValueError for spatial dimensions that do not rise from 1, and an input that has not all of them. */
export function withSpaceToBatch(
  input: TensorLike,
  dilationRate: TensorLike,
  padding: PaddingLike,
  op: (input: Tensor, numSpatialDims: number, padding: PaddingLike) => Tensor,
  ...rest: readonly unknown[]
): Tensor {
  const { filterShape, spatialDims, dataFormat } = collect<BlockOptions>(["filterShape", "spatialDims", "dataFormat"], rest);
  const value = convertToTensor(input, { name: "input" });
  const rate = convertToTensor(dilationRate, { dtype: dilationRate instanceof Tensor ? undefined : "int32", name: "dilation_rate" });
  if (rate.shape.rank !== null && rate.shape.rank !== 1)
    throw new ValueError(`\`dilation_rate.shape.rank\` must be 1. Received: dilation_rate=${rate} of rank ${rate.shape.rank}`);
  const count = rate.shape.dim(0);
  if (count === null) throw new ValueError("`dilation_rate.shape` must be fully defined.");
  if (spatialDims?.some((axis, k) => axis < 1 || axis <= (spatialDims[k - 1] ?? 0)))
    throw new ValueError(
      `\`spatial_dims\` must be a monotonically increasing sequence of positive integers. Received: spatial_dims=[${spatialDims.join(", ")}]`,
    );
  const isFirst = dataFormat?.startsWith("NC") ?? false;
  const last = spatialDims?.at(-1) ?? (isFirst ? count + 1 : count);
  const least = isFirst ? last : last + 1;
  const { rank } = value.shape;
  if (rank !== null && rank < least)
    throw new ValueError(`\`input.shape.rank\` must be at least ${least}. Received: input.shape=${value.shape} with rank ${rank}`);
  // A single axis of channels beside the spatial ones.
  const format = dataFormat ?? ["NWC", "NHWC", "NDHWC"][count - 1];
  return inBlocks({
    input: value,
    filterShape: filterShape === undefined || filterShape === null ? undefined : (filterShape as readonly Dimension[]),
    dilationRate: rate,
    padding,
    dataFormat: format,
    spatialDims: spatialDims ?? undefined,
    op: (block, pad) => op(block, count, pad),
  });
}

/** Runs `op` as if its window were dilated. Rates of 1 run it as it is. */
export function inBlocks({ input, filterShape, dilationRate, padding, dataFormat, spatialDims, op }: SpaceToBatchArguments): Tensor {
  const rate = convertToTensor(dilationRate, { dtype: dilationRate instanceof Tensor ? undefined : "int32", name: "dilation_rate" });
  const rates = numbersOf(rate);
  if (rates === undefined) throw new ValueError("`dilation_rate` must be known when the graph is built.", "Give it as numbers.");
  if (rates.some(r => r < 1)) throw new ValueError(`\`dilation_rate\` must be positive. Received: dilation_rate=${arrayText(rates)}`);
  if (rates.every(r => r === 1)) return op(input, padding);
  const own = axesOf(dataFormat).spatial;
  const spatial = spatialDims ?? own;
  const base = basePaddings(padding, filterShape, rates, own);
  const sizes = spatialSizes(input, spatial);
  const { paddings, crops } = inNameScope("required_space_to_batch_paddings", "required_space_to_batch_paddings", [], () =>
    requiredPaddings(sizes, base, rate, rates),
  );
  // Batches are made from all dimensions up to the last spatial one: others among them take part with a block of 1.
  const places = Array.from({ length: spatial[spatial.length - 1] }, (_, i) => spatial.indexOf(i + 1));
  const blocks = places.map(k => rates[k] ?? 1);
  const widen = (pairs: Tensor | number[][]): TensorLike =>
    pairs instanceof Tensor ? widenTensor(pairs, places) : places.map(k => pairs[k] ?? [0, 0]);
  const before = widen(paddings);
  const after = widen(crops);
  const split = SpaceToBatchND({ input, blockShape: constantInts(blocks), paddings: before });
  const result = op(split, "VALID");
  return BatchToSpaceND({ input: result, blockShape: constantInts(blocks), crops: after });
}

const constantInts = (values: readonly number[]): TensorLike => Int32Array.from(values);

/** Rows of pairs in their places (-1: none), zeros between them. */
function widenTensor(pairs: Tensor, places: readonly number[]): Tensor {
  const parts: TensorLike[] = [];
  for (let at = 0, end = 0; at < places.length; at = end) {
    const isRow = places[at] >= 0;
    for (end = at; end < places.length && places[end] >= 0 === isRow; end++);
    parts.push(isRow ? getItem(pairs, [places[at], places[end - 1] + 1]) : Array.from({ length: end - at }, () => [0, 0]));
  }
  return concat(parts, 0);
}

/** What the dilated window itself needs: half of what it overhangs before, the rest after. */
function basePaddings(
  padding: PaddingLike,
  filterShape: SpaceToBatchArguments["filterShape"],
  rates: readonly number[],
  spatial: readonly number[],
): Tensor | number[][] {
  if (padding === "VALID") return rates.map(() => [0, 0]);
  if (padding !== "SAME" && !Array.isArray(padding))
    throw new ValueError(`\`padding\` must be one of 'SAME' or 'VALID'. Received: padding=${pythonStr(padding)}`);
  if (padding !== "SAME") return spatial.map(axis => [...padding[axis]]);
  if (filterShape === undefined)
    throw new ValueError("`filter_shape` must be specified for `padding='SAME'`. Received: filter_shape=None and padding=SAME");
  const sizes =
    filterShape instanceof Tensor
      ? numbersOf(filterShape)
      : numbersOf(convertToTensor(knownSizes(filterShape), { dtype: "int32", name: "filter_shape" }));
  if (sizes === undefined)
    throw new ValueError(
      "The window's shape must be known when the graph is built to pad it with 'SAME'.",
      "Give the filter a static shape.",
    );
  const pairs = rates.map((rate, k) => {
    const overhang = (sizes[k] - 1) * rate;
    const before = Math.floor(overhang / 2);
    return [before, overhang - before];
  });
  return convertToTensor(pairs, { dtype: "int32", name: "stack" });
}

const partlyKnown = (shape: TensorShape): ValueError =>
  new ValueError(
    `Cannot convert a partially known TensorShape ${shape} to a Tensor.`,
    "The window's shape must be known when the graph is built to pad it with 'SAME'.",
  );

function knownSizes(sizes: readonly Dimension[]): number[] {
  if (sizes.includes(null)) throw partlyKnown(new TensorShape(sizes));
  return sizes as number[];
}

/** The spatial sizes: numbers where the shape is known, else a tensor. */
function spatialSizes(input: Tensor, spatial: readonly number[]): Tensor | number[] {
  const dims = spatial.map(axis => input.shape.dim(axis));
  if (!dims.includes(null)) return dims as number[];
  const all = shapeOf(input);
  return stack(spatial.map(axis => getItem(all, axis)));
}

/** Paddings to a multiple of the block, and what they make to be cropped again. */
function requiredPaddings(
  sizes: Tensor | number[],
  base: Tensor | number[][],
  rate: Tensor,
  rates: readonly number[],
): { paddings: Tensor | number[][]; crops: Tensor | number[][] } {
  if (!(sizes instanceof Tensor)) {
    convertToTensor(sizes, { dtype: "int32", name: "input_shape" });
    if (!(base instanceof Tensor)) convertToTensor(base, { dtype: "int32", name: "base_paddings" });
    const known = base instanceof Tensor ? (numbersOf(base) as number[]) : base.flat();
    const pairs = rates.map((block, k) => {
      const [start, end] = [known[2 * k], known[2 * k + 1]];
      const extra = (block - ((sizes[k] + start + end) % block)) % block;
      return { padding: [start, end + extra], crop: [0, extra] };
    });
    const [paddings, crops] = [pairs.map(({ padding }) => padding), pairs.map(({ crop }) => crop)];
    convertToTensor(paddings, { dtype: "int32", name: "paddings" });
    convertToTensor(crops, { dtype: "int32", name: "crops" });
    return { paddings, crops };
  }
  const given = base instanceof Tensor ? base : convertToTensor(base, { dtype: "int32", name: "base_paddings" });
  const starts = getItem(given, [null, null], 0);
  const ends = getItem(given, [null, null], 1);
  const full = AddV2({ x: AddV2({ x: sizes, y: starts }, { name: "add" }), y: ends }, { name: "add" });
  const extra = FloorMod(
    { x: Sub({ x: rate, y: FloorMod({ x: full, y: rate }, { name: "mod" }) }, { name: "sub" }), y: rate },
    { name: "mod" },
  );
  const allEnds = AddV2({ x: ends, y: extra }, { name: "add" });
  const paddings = stack(
    rates.map((_, k) => [getItem(starts, k), getItem(allEnds, k)]),
    { name: "paddings" },
  );
  const crops = stack(
    rates.map((_, k) => [0, getItem(extra, k)]),
    { name: "crops" },
  );
  return { paddings, crops };
}

// ---- functions ----

/** 2-d convolution with `rate - 1` holes between the taps. value `[batch, height, width, channels]`; filters `[height, width, in, out]`.
 *  The result equals conv2d with dilations [rate, rate]. TF: tf.nn.atrous_conv2d. */
export const atrousConv2d = (
  value: TensorLike,
  filters: TensorLike,
  rate: number | readonly [number, number],
  padding: "SAME" | "VALID",
  options: Named = {},
): Tensor => {
  const [image, taps] = [convertToTensor(value, { name: "input" }), convertToTensor(filters, { name: "filter" })];
  if (taps.shape.rank !== null && taps.shape.rank !== 4 && taps.shape.rank <= 5)
    throw new ValueError(
      `\`filters.shape.rank\` must be \`num_spatial_dims + 2\`. Received: filters.shape=${taps.shape} of rank ${taps.shape.rank} and num_spatial_dims=2`,
    );
  const [channels, perFilter] = [image.shape.rank === 4 ? image.shape.dim(3) : null, taps.shape.dim(2)];
  if (channels !== null && perFilter && channels % perFilter !== 0)
    throw new ValueError(
      `The number of input channels is not divisible by the corresponding number of output filters. Received: input.shape=${image.shape} with ${channels} channels and filters.shape=${taps.shape} with ${perFilter} output filters.`,
    );
  const rates = typeof rate === "object" && rate !== null ? rate : [rate, rate];
  if (rates.some(r => r < 1))
    throw new ValueError(`all values of \`dilation_rate\` must be positive. Received: dilation_rate=${arrayText(rates)}`);
  return convolution(image, taps, padding, { dilationRate: rates, name: options.name });
};

interface ConvolutionOptions extends Named {
  readonly strides?: readonly number[] | number | null;
  readonly dilationRate?: readonly number[] | number | null;
  readonly dataFormat?: string | null;
  readonly filters?: TensorLike | null;
  /** Another name of `dilationRate`. */
  readonly dilations?: readonly number[] | number | null;
}
interface ConvolutionArguments extends ConvolutionOptions {
  readonly filter?: TensorLike | null;
  readonly padding?: PaddingLike | null;
}

/** Convolution over one, two or three spatial dimensions, as the input's rank says: `[batch, …spatial, channels]`, filter `[…spatial, in, out]`.
 *  strides and dilationRate give one number per spatial dimension. TF: tf.nn.convolution. */
export function convolution(input: TensorLike, filter: TensorLike, padding: PaddingLike, options?: ConvolutionOptions): Tensor;
export function convolution(input: TensorLike, options: ConvolutionArguments): Tensor;
export function convolution(input: TensorLike, ...given: unknown[]): Tensor {
  const { filter, filters, padding, strides, dilationRate, dilations, dataFormat, name } = collect<ConvolutionArguments>(
    ["filter", "padding", "strides", "dilationRate", "name", "dataFormat", "filters", "dilations"],
    given,
  );
  const taps = eitherName("filters", filters, "filter", filter) as TensorLike;
  const rates = eitherName("dilations", dilations, "dilation_rate", dilationRate);
  return inNameScope({ name }, "convolution", [input, taps], scope => {
    const image = convertToTensor(input, { name: "input" });
    const window = convertToTensor(taps, { name: "filter" });
    const rank = spatialRank(image, window);
    const format = dataFormat ?? { 1: "NWC", 2: "NHWC", 3: "NDHWC" }[rank];
    const channel = isChannelsLast(format) ? rank + 1 : 1;
    const each = (value: readonly number[] | number | null | undefined, what: string): number[] => {
      const all = windowSequence(value, rank, channel, what);
      return channel === 1 ? all.slice(2) : all.slice(1, -1);
    };
    const holes = each(rates, "dilations");
    const steps = each(strides, "strides");
    if (steps.some(s => s > 1) && holes.some(r => r > 1))
      throw new ValueError(
        `\`strides > 1\` not supported in conjunction with \`dilation_rate > 1\`. Received: strides=${arrayText(steps)} and dilation_rate=${arrayText(holes)}`,
      );
    const op = (inner: Tensor, innerPadding: PaddingLike): Tensor => convolveBy(inner, window, steps, innerPadding, format, String(scope));
    // A boolean is a number.
    if (holes.every(r => Number(r) === 1)) return op(image, padding as PaddingLike);
    const given = image.shape.rank;
    if (given !== null && given < rank + 2)
      throw new ValueError(
        `\`input.shape.rank\` must be >= than \`num_spatial_dims + 2\`. Received: input.shape=${image.shape} of rank ${given} and num_spatial_dims=${rank}`,
      );
    const filterShape = window.shape.dims ?? undefined;
    if (filterShape === undefined && padding === "SAME") throw partlyKnown(window.shape);
    const dilationRate = holes.map(r => Math.trunc(Number(r)));
    return withOneBatch(image, rank + 1, null, one =>
      inBlocks({ input: one, filterShape, dilationRate, padding: padding as PaddingLike, dataFormat: format, op }),
    );
  });
}

/** What is no text is refused by the op. */
const isChannelsLast = (format: string): boolean => typeof format === "string" && format.endsWith("C");

function spatialRank(input: Tensor, filter: Tensor): 1 | 2 | 3 {
  // What has no dimensions says nothing.
  const rank = filter.shape.rank || input.shape.rank;
  if (!rank)
    throw new ValueError(
      `When \`num_spatial_dims\` is not set, one of \`input.shape.rank\` or \`filters.shape.rank\` must be known. Received: input.shape=${input.shape} of rank ${input.shape.rank ?? "None"} and filters.shape=${filter.shape} of rank ${filter.shape.rank ?? "None"}`,
    );
  if (rank < 3 || rank > 5) throw new ValueError(`\`num_spatial_dims\` must be 1, 2, or 3. Received: num_spatial_dims=${rank - 2}.`);
  return (rank - 2) as 1 | 2 | 3;
}

function convolveBy(input: Tensor, filter: Tensor, strides: readonly number[], padding: PaddingLike, format: string, name: string): Tensor {
  const isFirst = !isChannelsLast(format);
  const all = isFirst ? [1, 1, ...strides] : [1, ...strides, 1];
  const word = padding as "SAME";
  if (strides.length === 3)
    return withOneBatch(input, 4, name, (volumes, node) =>
      Conv3D({ input: volumes, filter, strides: all, padding: word, dataFormat: format as "NDHWC" }, { name: node }),
    );
  const convolve = (images: Tensor, taps: Tensor, steps: readonly number[], dataFormat: "NHWC" | "NCHW"): Tensor =>
    withOneBatch(images, 3, name, (one, node) =>
      Conv2D({ input: one, filter: taps, strides: steps, padding: word, dataFormat }, { name: node }),
    );
  if (strides.length === 2) return convolve(input, filter, all, format as "NHWC");
  const added = isFirst ? -2 : -3;
  return squeeze(convolve(expandDims(input, added), expandDims(filter, 0), [1, ...all], isFirst ? "NCHW" : "NHWC"), [added]);
}

/** The transpose of atrousConv2d. outputShape: four sizes, numbers or scalars, or a vector of them. TF: tf.nn.atrous_conv2d_transpose. */
export function atrousConv2dTranspose(
  value: TensorLike,
  filters: TensorLike,
  outputShape: TensorLike,
  rate: number,
  padding: "SAME" | "VALID",
  options: Named = {},
): Tensor {
  return inNameScope(options, "atrous_conv2d_transpose", [value, filters], () => {
    const image = convertToTensor(value, { name: "value" });
    const taps = convertToTensor(filters, { name: "filters" });
    const [channelsIn, needed] = [image.shape.dim(3), taps.shape.dim(3)];
    if (channelsIn !== null && needed !== null && channelsIn !== needed)
      throw new ValueError(
        `\`value\` channel count must be compatible with \`filters\` input channel count. Received: value.shape=${image.shape} with channel count ${channelsIn} and filters.shape=${taps.shape} with input channel count ${needed}.`,
      );
    if (rate < 1) throw new ValueError(`\`rate\` cannot be less than one. Received: rate=${rate}`);
    const sizes = convertToTensor(outputShape, { name: "output_shape", preferredDtype: "int32" });
    if (!sizes.shape.isCompatibleWith([4]))
      throw new ValueError(`\`output_shape\` must have shape (4,). Received: output_shape=${sizes.shape}`);
    const known: readonly Size[] | null =
      outputShape instanceof NDArray
        ? Array.from({ length: outputShape.size }, (_, i) => Number(outputShape.get(i)))
        : isSizes(outputShape)
          ? outputShape
          : null;
    const sizeAt = (axis: number): Size => known?.[axis] ?? getItem(sizes, axis);
    const depth = known?.[3];
    if (typeof depth === "number" && !new TensorShape([taps.shape.dim(2)]).isCompatibleWith([depth]))
      throw new ValueError(
        `\`output_shape\` channel count must be compatible with \`filters\` output channel count. Received: output_shape=${pythonList(known as number[])} with channel count ${depth} and filters.shape=${taps.shape} with output channel count ${taps.shape.dim(3)}.`,
      );
    if (padding !== "SAME" && padding !== "VALID")
      throw new ValueError(`\`padding\` must be either 'VALID' or 'SAME'. Received: padding=${pythonStr(padding)}`);
    const window = sizesOfWindow(taps);
    const [[top, bottom], [left, right]] =
      padding === "VALID"
        ? [
            [0, 0],
            [0, 0],
          ]
        : overhangs(window, rate);
    const rows = plus(plus(sizeAt(1), top), bottom);
    const columns = plus(plus(sizeAt(2), left), right);
    const fill = (size: Size): Size => modulo(minus(rate, modulo(size, rate)), rate);
    const [moreRows, moreColumns] = [fill(rows), fill(columns)];
    const split = spaceToBatch(
      image,
      whole([
        [0, moreRows],
        [0, moreColumns],
      ]),
      { blockSize: rate },
    );
    const inputSizes = whole([
      times(rate * rate, sizeAt(0)),
      quotient(plus(rows, moreRows), rate),
      quotient(plus(columns, moreColumns), rate),
      sizeAt(3),
    ]);
    const back = Conv2DBackpropInput({ inputSizes, filter: taps, outBackprop: split, strides: [1, 1, 1, 1], padding: "VALID" });
    const crops = whole([
      [top, plus(bottom, moreRows)],
      [left, plus(right, moreColumns)],
    ]);
    return batchToSpace(back, crops, { blockSize: rate });
  });
}

const isSizes = (value: TensorLike): value is readonly Size[] & TensorLike => Array.isArray(value);

/** Rows and columns of a filter: numbers where all of its shape is known. */
function sizesOfWindow(taps: Tensor): readonly [Size, Size] {
  if (taps.shape.isFullyDefined) return [taps.shape.asNumbers()[0], taps.shape.asNumbers()[1]];
  const sizes = shapeOf(taps);
  return [getItem(sizes, 0), getItem(sizes, 1)];
}

/** By how much dilated windows reach over their middles, before and behind. */
function overhangs(sizes: readonly Size[], rate: number): (readonly [Size, Size])[] {
  const dilated = sizes.map(size => plus(size, times(minus(size, 1), rate - 1)));
  const totals = dilated.map(size => minus(size, 1));
  return totals.map(total => {
    const before = quotient(total, 2);
    return [before, minus(total, before)];
  });
}

/** Sizes as an array where all are numbers. */
const whole = (sizes: readonly (Size | readonly Size[])[]): TensorLike =>
  sizes.flat().every(size => typeof size === "number") ? NDArray.from(sizes as number[], "int32") : (sizes as TensorLike);
