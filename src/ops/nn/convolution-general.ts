// Conv: a convolution over two or three dimensions with any number of batch dimensions before them, as newer graphs hold it.

import { UnimplementedError, ValueError } from "../../base/errors.ts";
import { type Dimension, sizeOf, TensorShape } from "../../base/shape.ts";
import * as attr from "../../graph/attributes.ts";
import type { TensorLike } from "../../graph/conversion.ts";
import { defineOp, type Named } from "../../graph/op-definition.ts";
import type { Tensor } from "../../graph/operation.ts";
import { full, reshape } from "../../ir/build.ts";
import { need } from "../arguments.ts";
import { convolved, convolvedSizes } from "./convolution.ts";
import { arrange, axesOf, checkExplicitPaddings, extentOf, type Padding, type WindowAttrs, windowedSize } from "./window.ts";

interface ConvAttrs {
  readonly strides: readonly number[];
  readonly padding: Padding;
  readonly explicitPaddings: readonly number[];
  readonly dataFormat: string;
  readonly dilations: readonly number[];
  readonly batchDims: number;
  readonly groups: number;
}

/** The attributes of a plain convolution of images (rank 4) or volumes (rank 5): one batch dimension, dilations given. */
function plain({ strides, padding, explicitPaddings, dataFormat, dilations }: ConvAttrs, rank: number): WindowAttrs {
  const spatial = rank === 4 ? "HW" : "DHW";
  return {
    strides,
    padding,
    explicitPaddings,
    dataFormat: dataFormat === "CHANNELS_LAST" ? `N${spatial}C` : `NC${spatial}`,
    dilations: dilations.length === 0 ? new Array<number>(rank).fill(1) : dilations,
  };
}

/** The batch dimensions, and the sizes with one in their stead. */
function folded(input: readonly number[], batchDims: number): { batch: readonly number[]; sizes: number[] } {
  const batch = input.slice(0, batchDims);
  return { batch, sizes: [sizeOf(batch), ...input.slice(batchDims)] };
}

export const Conv = defineOp("Conv", {
  inputs: { input: "T", filter: "T" },
  outputs: { output: "T" },
  attrs: {
    T: attr.type(["float16", "bfloat16", "float32", "float64", "int32"]),
    strides: attr.ints(),
    padding: attr.oneOf(["SAME", "VALID", "EXPLICIT"]),
    explicitPaddings: attr.ints([]),
    dataFormat: attr.oneOf(["CHANNELS_FIRST", "CHANNELS_LAST"], "CHANNELS_LAST"),
    dilations: attr.ints([]),
    batchDims: attr.int(1),
    groups: attr.int(1),
  },
  shape: ({ input, filter, ...given }) => {
    const { batchDims, groups } = given;
    if (input.dims === null || filter.dims === null) return TensorShape.unknown();
    if (batchDims < 0) throw new ValueError("Batch dims must be non-negative.");
    if (groups <= 0) throw new ValueError("Groups attribute should be a positive integer");
    const rank = input.dims.length - batchDims + 1;
    if (rank !== 4 && rank !== 5)
      throw new ValueError(`Input tensor must be rank 4 or 5, excluding extra batch dimensions, but got: ${rank}`);
    // TensorFlow's text says the rank of the input.
    if (filter.dims.length !== 4 && filter.dims.length !== 5) throw new ValueError(`Filter tensor must be rank 4 or 5, but got: ${rank}`);
    if (filter.dims.length !== rank) throw new ValueError("Input tensor rank must be the same as filter rank.");
    const attrs = plain(given, rank);
    if (attrs.dilations?.length !== rank)
      throw new ValueError(`Conv requires the dilation attribute to contain ${rank} values, but got: ${attrs.dilations?.length}`);
    if (attrs.strides.length !== rank)
      throw new ValueError(`Stride attribute should contain ${rank} values, but got: ${attrs.strides.length}`);
    const taps = filter;
    const axes = axesOf(attrs.dataFormat);
    const inner: Dimension[] = [null, ...input.dims.slice(batchDims)];
    const [depth, perGroup, outputs] = [inner[axes.channel], taps.dim(rank - 2), taps.dim(rank - 1)];
    if (depth !== null && perGroup !== null) {
      if (depth % groups !== 0) throw new ValueError("Number of groups should divide input depth");
      if (perGroup === 0) throw new ValueError("Depth of filter must not be 0");
      if (depth % perGroup !== 0)
        throw new ValueError(`Depth of input (${depth}) is not a multiple of input depth of filter (${perGroup})`);
      if (depth % groups !== 0) throw new ValueError("Number of groups should divide input depth");
      if (depth / perGroup !== groups)
        throw new ValueError(`Input depth divided by filter input depth does not match with groups parameter (${groups})`);
    }
    checkExplicitPaddings(attrs);
    const sizes = axes.spatial.map((axis, k) => windowedSize(inner[axis], taps.dim(k), extentOf(attrs, axis)));
    return new TensorShape([...input.dims.slice(0, batchDims), ...arrange<Dimension>(axes, null, sizes, outputs).slice(1)]);
  },
  checks: ({ input, filter, ...given }) => {
    const spatial = input.length - given.batchDims - 1;
    need(spatial === 2 || spatial === 3, () => `The input must have 2 or 3 spatial dimensions but got ${spatial}`);
    const rank = spatial + 2;
    need(filter.length === 4 || filter.length === 5, () => `The filter must be rank 4 or 5 but got ${filter.length}`);
    const { strides, dilations = [], dataFormat } = plain(given, rank);
    const { channel } = axesOf(dataFormat);
    need(strides.length === rank, () => `Sliding window strides field must specify ${rank} dimensions`);
    const batchSteps = (what: string): string => `Current implementation does not support ${what} in the batch and depth dimensions.`;
    need(strides[0] === 1 && strides[channel] === 1, () => batchSteps("strides"));
    need(
      strides.every(stride => stride > 0),
      () => "Spatial strides should be larger than 0.",
    );
    need(dilations.length === rank, () => `Dilation rates field must specify${rank}dimensions`);
    need(dilations[0] === 1 && dilations[channel] === 1, () => batchSteps("dilation rates"));
    need(
      dilations.every(rate => rate > 0),
      () => "Dilated rates should be larger than 0.",
    );
    const depth = input[given.batchDims + channel - 1];
    if (given.groups !== 1) throw new UnimplementedError("Grouped/Depthwise Convolutions are not supported yet.");
    need(!filter.includes(0), () => "filter must not have zero elements (i.e. all dimensions must be non-zero)");
    const perFilter = filter[filter.length - 2];
    need(depth === perFilter, () => `Input depth must be equal to filter depth: ${depth} vs ${perFilter}`);
  },
  lower: ({ input, filter, ...given }) => {
    const { batch, sizes } = folded(input.shape, given.batchDims);
    const attrs = plain(given, sizes.length);
    const result = convolvedSizes(sizes, filter.shape, attrs);
    const shape = [...batch, ...result.slice(1)];
    if (sizes.includes(0) || result.includes(0)) return full(input.dtype, shape, 0);
    return reshape(convolved(reshape(input, sizes), filter, attrs), shape);
  },
});

interface ConvOptions extends Named {
  /** Of padding "EXPLICIT": before and after each dimension. */
  readonly explicitPaddings?: readonly number[];
  readonly dataFormat?: "CHANNELS_FIRST" | "CHANNELS_LAST";
  readonly dilations?: readonly number[];
  /** How many of the first dimensions are batches. */
  readonly batchDims?: number;
  readonly groups?: number;
}

/** A convolution over two or three dimensions: input `[…batch, …sizes, channels]`, filter `[…sizes, channels / groups, outputs]`, a stride for each dimension of
 *  either. TF: tf.conv. */
export const conv = (
  input: TensorLike,
  filter: TensorLike,
  strides: readonly number[],
  padding: "SAME" | "VALID" | "EXPLICIT",
  { name, ...options }: ConvOptions = {},
): Tensor => Conv({ input, filter, strides, padding, ...options }, { name });
