// The functions of tf.nn that make convolutions: argument forms, names and nodes exactly as TensorFlow's Python layer.
// The ops themselves are in nn/convolution.ts; atrous convolution by way of batches is in nn/atrous.ts.

import { ValueError } from "../../base/errors.ts";
import { pythonStr } from "../../base/python-text.ts";
import { type ArrayLike, NDArray } from "../../base/ndarray.ts";
import { convertToTensor, representation, type TensorLike } from "../../graph/conversion.ts";
import { getDefaultGraph } from "../../graph/default-graph.ts";
import type { Named } from "../../graph/op-definition.ts";
import { Tensor } from "../../graph/operation.ts";
import { collect, convertPadding, eitherName, type PaddingLike, windowSequence, refuseOthers } from "../arguments.ts";
import { expandDims, shape, squeeze } from "../array/array.ts";
import { concat, getItem } from "../array/slicing.ts";
import { inNameScope } from "../named.ts";
import { inBlocks } from "./atrous.ts";
import { withOneBatch } from "./batches.ts";
import {
  Conv2D,
  Conv2DBackpropFilter,
  Conv2DBackpropInput,
  Conv3D,
  Conv3DBackpropFilterV2,
  Conv3DBackpropInputV2,
  DepthwiseConv2dNative,
  DepthwiseConv2dNativeBackpropFilter,
  DepthwiseConv2dNativeBackpropInput,
} from "./convolution.ts";

type Sequence = number | readonly number[];
type Format2d = "NHWC" | "NCHW";

const channelAxis = (dataFormat: string, rank: number): number => (dataFormat.startsWith("NC") ? 1 : rank - 1);

export interface Conv2dOptions extends Named {
  /** Accepted without effect: there is no cuDNN here. */
  readonly useCudnnOnGpu?: boolean | null;
  readonly dataFormat?: Format2d | null;
  readonly dilations?: Sequence | null;
  /** Another name of `filter`. */
  readonly filters?: TensorLike | null;
}
interface Conv2dArguments extends Conv2dOptions {
  readonly filter?: TensorLike | null;
  readonly strides?: Sequence | null;
  readonly padding?: PaddingLike;
}

/** 2-d convolution (cross-correlation): `out[n, y, x, k] = Σ input[n, y·s + i·d - pad, x·s + j·d - pad, c] · filter[i, j, c, k]`.
 *
 *  input `[batch, height, width, channels]` (or `[batch, channels, height, width]` with dataFormat "NCHW"); filter `[height, width, in, out]`,
 *  where `in` equals the channels or divides them (grouped convolution). strides, dilations: 1, 2 or 4 numbers.
 *  padding "SAME": out = ceil(in / stride); "VALID": out = ceil((in - (filter - 1)·dilation) / stride); or [[0, 0], [top, bottom], [left, right], [0, 0]].
 *  @throws ValueError for wrong ranks, strides, channel counts, or a filter larger than its input under "VALID". TF: tf.nn.conv2d. */
export function conv2d(input: TensorLike, filter: TensorLike, strides: Sequence, padding: PaddingLike, options?: Conv2dOptions): Tensor;
export function conv2d(input: TensorLike, options: Conv2dArguments): Tensor;
export function conv2d(input: TensorLike, ...given: unknown[]): Tensor {
  const {
    filter,
    filters,
    strides,
    padding,
    useCudnnOnGpu,
    dataFormat = "NHWC",
    dilations,
    name,
  } = collect<Conv2dArguments>(["filter", "strides", "padding", "useCudnnOnGpu", "dataFormat", "dilations", "name", "filters"], given);
  const taps = eitherName("filters", filters, "filter", filter) as TensorLike;
  const window = window2d(strides, padding, dataFormat ?? "NHWC", dilations);
  const convolved = (images: TensorLike, node: Named["name"]): Tensor =>
    Conv2D({ input: images, filter: taps, useCudnnOnGpu: useCudnnOnGpu ?? true, ...window }, { name: node });
  return input instanceof Tensor ? withOneBatch(input, 3, name, convolved) : convolved(input, name);
}

function window2d(strides: Sequence | null | undefined, padding: unknown, dataFormat: Format2d, dilations: Sequence | null | undefined) {
  const axis = channelAxis(dataFormat, 4);
  const sequences = { strides: windowSequence(strides, 2, axis, "strides"), dilations: windowSequence(dilations, 2, axis, "dilations") };
  return { ...convertPadding(padding), dataFormat, ...sequences };
}

/** The gradient of conv2d with respect to its input. TF: tf.nn.conv2d_backprop_input. */
export function conv2dBackpropInput(inputSizes: TensorLike, ...given: unknown[]): Tensor {
  const { filter, filters, outBackprop, strides, padding, useCudnnOnGpu, dataFormat, dilations, name } = collect<
    Conv2dArguments & { outBackprop: TensorLike }
  >(["filter", "outBackprop", "strides", "padding", "useCudnnOnGpu", "dataFormat", "dilations", "name", "filters"], given);
  const taps = eitherName("filters", filters, "filter", filter) as TensorLike;
  return Conv2DBackpropInput(
    {
      inputSizes,
      filter: taps,
      outBackprop: outBackprop as TensorLike,
      strides: strides as readonly number[],
      useCudnnOnGpu: useCudnnOnGpu ?? true,
      dataFormat: dataFormat ?? "NHWC",
      dilations: (dilations ?? [1, 1, 1, 1]) as readonly number[],
      ...convertPadding(padding),
    },
    { name },
  );
}

/** The gradient of conv2d with respect to its filter. TF: tf.nn.conv2d_backprop_filter. */
export function conv2dBackpropFilter(input: TensorLike, ...given: unknown[]): Tensor {
  const { filterSizes, outBackprop, strides, padding, useCudnnOnGpu, dataFormat, dilations, name } = collect<
    Conv2dOptions & { filterSizes: TensorLike; outBackprop: TensorLike; strides: readonly number[]; padding: PaddingLike }
  >(["filterSizes", "outBackprop", "strides", "padding", "useCudnnOnGpu", "dataFormat", "dilations", "name"], given);
  return Conv2DBackpropFilter(
    {
      input,
      filterSizes: filterSizes as TensorLike,
      outBackprop: outBackprop as TensorLike,
      strides,
      useCudnnOnGpu: useCudnnOnGpu ?? true,
      dataFormat: dataFormat ?? "NHWC",
      dilations: (dilations ?? [1, 1, 1, 1]) as readonly number[],
      ...convertPadding(padding),
    },
    { name },
  );
}

export interface TransposeOptions extends Named {
  readonly padding?: PaddingLike;
  readonly dataFormat?: string | null;
  readonly dilations?: Sequence | null;
  readonly input?: TensorLike | null;
  readonly filters?: TensorLike | null;
}
interface TransposeArguments extends TransposeOptions {
  readonly value?: TensorLike | null;
  readonly filter?: TensorLike | null;
  readonly outputShape?: TensorLike | null;
  readonly strides?: Sequence | null;
}

/** The transpose of conv2d (often called deconvolution): the gradient of a convolution with that stride and padding.
 *  value `[batch, height, width, in]`; filter `[height, width, out, in]`; outputShape the wanted shape, `[batch, height, width, out]`.
 *  padding "SAME" unless given. TF: tf.nn.conv2d_transpose. */
export function conv2dTranspose(
  value: TensorLike,
  filter: TensorLike,
  outputShape: TensorLike,
  strides: Sequence,
  options?: TransposeOptions,
): Tensor;
export function conv2dTranspose(
  value: TensorLike,
  filter: TensorLike,
  outputShape: TensorLike,
  strides: Sequence,
  padding: PaddingLike,
  options?: TransposeOptions,
): Tensor;
export function conv2dTranspose(options: TransposeArguments): Tensor;
export function conv2dTranspose(...given: unknown[]): Tensor {
  const { value, input, filter, filters, outputShape, strides, padding, dataFormat, dilations, name } = transposeArguments(given);
  const window = window2d(strides, padding ?? "SAME", (dataFormat ?? "NHWC") as Format2d, dilations);
  return Conv2DBackpropInput(
    {
      inputSizes: outputShape as TensorLike,
      filter: eitherName("filters", filters, "filter", filter) as TensorLike,
      outBackprop: eitherName("input", input, "value", value) as TensorLike,
      ...window,
    },
    { name: name ?? "conv2d_transpose" },
  );
}

const transposeArguments = (given: readonly unknown[]) =>
  collect<TransposeArguments>(
    ["value", "filter", "outputShape", "strides", "padding", "dataFormat", "name", "input", "filters", "dilations"],
    given,
  );

// ---- 3-d ----

export interface Conv3dOptions extends Named {
  readonly dataFormat?: "NDHWC" | "NCDHW" | null;
  readonly dilations?: readonly number[] | null;
  readonly filters?: TensorLike | null;
}
interface Conv3dArguments extends Conv3dOptions {
  readonly filter?: TensorLike | null;
  readonly strides?: readonly number[] | null;
  readonly padding?: "SAME" | "VALID";
}

/** 3-d convolution. input `[batch, depth, height, width, channels]`; filter `[depth, height, width, in, out]`; strides and dilations of five numbers.
 *  TF: tf.nn.conv3d. */
export function conv3d(
  input: TensorLike,
  filter: TensorLike,
  strides: readonly number[],
  padding: "SAME" | "VALID",
  options?: Conv3dOptions,
): Tensor;
export function conv3d(input: TensorLike, options: Conv3dArguments): Tensor;
export function conv3d(input: TensorLike, ...given: unknown[]): Tensor {
  const { filter, filters, strides, padding, dataFormat, dilations, name } = collect<Conv3dArguments>(
    ["filter", "strides", "padding", "dataFormat", "dilations", "name", "filters"],
    given,
  );
  return Conv3D(
    {
      input,
      filter: eitherName("filters", filters, "filter", filter) as TensorLike,
      strides: listOf(strides, "conv3d"),
      padding: padding,
      dataFormat: dataFormat ?? "NDHWC",
      dilations: dilations ?? [1, 1, 1, 1, 1],
    },
    { name },
  );
}

function listOf(strides: readonly number[] | null | undefined, fn: string): readonly number[] {
  if (Array.isArray(strides)) return strides;
  throw new TypeError(`Expected list for 'strides' argument to '${fn}' Op, not ${representation(strides)}.`);
}

/** The transpose of conv3d. filter `[depth, height, width, out, in]`. TF: tf.nn.conv3d_transpose. */
export function conv3dTranspose(
  value: TensorLike,
  filter: TensorLike,
  outputShape: TensorLike,
  strides: Sequence,
  options?: TransposeOptions,
): Tensor;
export function conv3dTranspose(
  value: TensorLike,
  filter: TensorLike,
  outputShape: TensorLike,
  strides: Sequence,
  padding: "SAME" | "VALID",
  options?: TransposeOptions,
): Tensor;
export function conv3dTranspose(options: TransposeArguments): Tensor;
export function conv3dTranspose(...given: unknown[]): Tensor {
  const { value, input, filter, filters, outputShape, strides, padding, dataFormat, dilations, name } = transposeArguments(given);
  const format = (dataFormat ?? "NDHWC") as "NDHWC";
  const axis = channelAxis(format, 5);
  return Conv3DBackpropInputV2(
    {
      inputSizes: outputShape as TensorLike,
      filter: eitherName("filters", filters, "filter", filter) as TensorLike,
      outBackprop: eitherName("input", input, "value", value) as TensorLike,
      strides: windowSequence(strides, 3, axis, "strides"),
      padding: (padding ?? "SAME") as "SAME",
      dataFormat: format,
      dilations: windowSequence(dilations, 3, axis, "dilations"),
    },
    { name: name ?? "conv3d_transpose" },
  );
}

/** The gradient of conv3d with respect to its filter. TF: tf.nn.conv3d_backprop_filter. */
export function conv3dBackpropFilter(
  input: TensorLike,
  filterSizes: TensorLike,
  outBackprop: TensorLike,
  strides: readonly number[],
  padding: "SAME" | "VALID",
  { dataFormat, dilations, name, ...others }: Omit<Conv3dOptions, "filters"> = {},
): Tensor {
  refuseOthers(others);
  return Conv3DBackpropFilterV2(
    { input, filterSizes, outBackprop, strides, padding, dataFormat: dataFormat ?? "NDHWC", dilations: dilations ?? [1, 1, 1, 1, 1] },
    { name },
  );
}

// ---- 1-d ----

interface Conv1dArguments extends Named {
  readonly value?: TensorLike | null;
  readonly filters?: TensorLike | null;
  readonly stride?: Sequence | null;
  readonly padding?: "SAME" | "VALID";
  readonly useCudnnOnGpu?: boolean | null;
  /** "NWC" or "NCW" (also "NHWC", "NCHW"). */
  readonly dataFormat?: string | null;
  readonly input?: TensorLike | null;
  readonly dilations?: Sequence | null;
}

/** 1-d convolution, made as conv2d of images one pixel high. value `[batch, width, channels]`; filters `[width, in, out]`. TF: tf.nn.conv1d. */
export function conv1d(
  value: TensorLike,
  filters: TensorLike,
  stride: Sequence,
  padding: "SAME" | "VALID",
  options?: Omit<Conv1dArguments, "value" | "filters" | "stride" | "padding">,
): Tensor;
export function conv1d(options: Conv1dArguments): Tensor;
export function conv1d(...given: unknown[]): Tensor {
  const { value, filters, stride, padding, useCudnnOnGpu, dataFormat, name, input, dilations } = collect<Conv1dArguments>(
    ["value", "filters", "stride", "padding", "useCudnnOnGpu", "dataFormat", "name", "input", "dilations"],
    given,
  );
  const image = eitherName("input", input, "value", value) as TensorLike;
  return getDefaultGraph().nameScope(name ?? "conv1d", scope => {
    const { spatialStart, window } = window1d(stride, dilations, dataFormat);
    const wide = expandDims(image, spatialStart);
    const filter = expandDims(filters as TensorLike, 0);
    const result = withOneBatch(wide, 3, scope, (images, node) =>
      Conv2D({ input: images, filter, useCudnnOnGpu: useCudnnOnGpu ?? true, ...window, ...convertPadding(padding) }, { name: node }),
    );
    return squeeze(result, [spatialStart]);
  });
}

/** The window of a 1-d convolution as that of images one pixel high, and the axis that makes them so. */
function window1d(stride: Sequence | null | undefined, dilation: Sequence | null | undefined, dataFormat: string | null | undefined) {
  const isNwc = dataFormat === null || dataFormat === undefined || dataFormat === "NHWC" || dataFormat === "NWC";
  if (!isNwc && dataFormat !== "NCHW" && dataFormat !== "NCW")
    throw new ValueError(`\`data_format\` must be 'NWC' or 'NCW'. Received: data_format=${dataFormat}`);
  const channels = isNwc ? 2 : 1;
  return {
    spatialStart: isNwc ? 1 : 2,
    window: {
      strides: [1, ...windowSequence(stride, 1, channels, "stride")],
      dilations: [1, ...windowSequence(dilation, 1, channels, "dilations")],
      dataFormat: isNwc ? ("NHWC" as const) : ("NCHW" as const),
    },
  };
}

interface Conv1dTransposeArguments extends Named {
  readonly input?: TensorLike | null;
  readonly filters?: TensorLike | null;
  readonly outputShape?: TensorLike | null;
  readonly strides?: Sequence | null;
  readonly padding?: "SAME" | "VALID";
  readonly dataFormat?: string | null;
  readonly dilations?: Sequence | null;
}
type TransposeOptionsOf<A> = Omit<A, "input" | "filters" | "outputShape" | "strides">;
const anyTransposeNames = ["input", "filters", "outputShape", "strides", "padding", "dataFormat", "dilations", "name"];

/** The transpose of conv1d. input `[batch, width, in]` ("NCW": `[batch, in, width]`); filters `[width, out, in]`; outputShape the wanted shape,
 *  `[batch, width, out]`. TF: tf.nn.conv1d_transpose. @throws ValueError for another data format. */
export function conv1dTranspose(
  input: TensorLike,
  filters: TensorLike,
  outputShape: TensorLike,
  strides: Sequence,
  options?: TransposeOptionsOf<Conv1dTransposeArguments>,
): Tensor;
export function conv1dTranspose(options: Conv1dTransposeArguments): Tensor;
export function conv1dTranspose(...given: unknown[]): Tensor {
  const { input, filters, outputShape, strides, padding, dataFormat, dilations, name } = collect<Conv1dTransposeArguments>(
    anyTransposeNames,
    given,
  );
  return getDefaultGraph().nameScope(name ?? "conv1d_transpose", scope => {
    const { spatialStart, window } = window1d(strides, dilations, dataFormat);
    const wide = expandDims(input as TensorLike, spatialStart);
    const taps = expandDims(filters as TensorLike, 0);
    const part = (from: number | null, to: number | null): TensorLike =>
      outputShape instanceof Tensor
        ? getItem(outputShape, [from, to])
        : sizesAsGiven((outputShape as readonly number[]).slice(from ?? 0, to ?? undefined));
    const inputSizes = concat([part(null, spatialStart), Int32Array.of(1), part(spatialStart, null)], 0);
    const result = Conv2DBackpropInput(
      { inputSizes, filter: taps, outBackprop: wide, ...window, ...convertPadding(padding ?? "SAME") },
      { name: scope },
    );
    return squeeze(result, [spatialStart]);
  });
}

/** Whole sizes as integers; anything else, an empty list among it, has the type that it has by itself. */
const sizesAsGiven = (sizes: TensorLike): TensorLike =>
  Array.isArray(sizes) &&
  sizes.length > 0 &&
  sizes.every(size => Array.isArray(size) === Array.isArray(sizes[0])) &&
  (sizes as readonly unknown[]).flat(9).every(size => Number.isInteger(size))
    ? NDArray.from(sizes as ArrayLike, "int32")
    : Array.isArray(sizes) && sizes.length === 0
      ? convertToTensor(sizes)
      : sizes;

/** The transpose of a convolution over 1, 2 or 3 spatial axes, as many as `outputShape` has. Shapes as in conv1dTranspose, conv2dTranspose,
 *  conv3dTranspose. TF: tf.nn.conv_transpose. @throws ValueError for an outputShape of another length. */
export function convTranspose(
  input: TensorLike,
  filters: TensorLike,
  outputShape: TensorLike,
  strides: Sequence,
  options?: TransposeOptionsOf<Conv1dTransposeArguments>,
): Tensor;
export function convTranspose(options: Conv1dTransposeArguments): Tensor;
export function convTranspose(...given: unknown[]): Tensor {
  const { input, filters, outputShape, strides, name, ...window } = collect<Conv1dTransposeArguments>(anyTransposeNames, given);
  return inNameScope({ name }, "conv_transpose", [input, outputShape], scope => {
    const length = outputShape instanceof Tensor ? outputShape.shape.dims?.[0] : (outputShape as readonly unknown[] | null)?.length;
    if (typeof length !== "number")
      throw new ValueError(
        `\`output_shape\` must be a tensor or sized collection. Received: output_shape=${pythonStr(outputShape ?? null)}`,
      );
    if (length < 3 || length > 5)
      throw new ValueError(
        `\`output_shape\` must be of length 3, 4 or 5. Received: output_shape=${outputShape instanceof Tensor ? outputShape : pythonStr(outputShape)} of length ${length}.`,
      );
    const options = { ...window, name: scope.name };
    const operands = [input as TensorLike, filters as TensorLike, outputShape as TensorLike, strides as Sequence] as const;
    if (length === 3) return conv1dTranspose(...operands, options);
    return length === 4 ? conv2dTranspose(...operands, options) : conv3dTranspose(...operands, options);
  });
}

// ---- depthwise and separable ----

export interface DepthwiseOptions extends Named {
  /** Dilation of the taps: two numbers. */
  readonly rate?: readonly number[] | null;
  readonly dataFormat?: Format2d | null;
  /** Another name of `rate`. */
  readonly dilations?: readonly number[] | null;
}

/** Each channel convolved with its own filters. filter `[height, width, channels, multiplier]`; output channel `c · multiplier + m`; strides `[1, s, s, 1]`.
 *  TF: tf.nn.depthwise_conv2d. */
export function depthwiseConv2d(
  input: TensorLike,
  filter: TensorLike,
  strides: readonly number[],
  padding: PaddingLike,
  options: DepthwiseOptions = {},
): Tensor {
  const { rate, dilations, name, dataFormat } = options;
  const rates = eitherName("dilations", dilations, "rate", rate) ?? [1, 1];
  return getDefaultGraph().nameScope(name ?? "depthwise", scope => {
    const image = convertToTensor(input, { name: "tensor_in" });
    const taps = convertToTensor(filter, { name: "filter_in" });
    return inBlocks({
      input: image,
      filterShape: shape(taps),
      dilationRate: rates,
      padding,
      dataFormat: dataFormat ?? "NHWC",
      op: (inner, innerPadding) =>
        DepthwiseConv2dNative(
          { input: inner, filter: taps, strides, ...convertPadding(innerPadding), dataFormat: dataFormat ?? "NHWC" },
          { name: scope },
        ),
    });
  });
}

export interface NativeOptions extends Named {
  readonly dataFormat?: Format2d | null;
  readonly dilations?: readonly number[] | null;
}

/** The bare op behind depthwiseConv2d. TF: tf.nn.depthwise_conv2d_native. */
export function depthwiseConv2dNative(
  input: TensorLike,
  filter: TensorLike,
  strides: readonly number[],
  padding: PaddingLike,
  options: NativeOptions = {},
): Tensor {
  const { dataFormat, dilations, name } = options;
  return DepthwiseConv2dNative(
    { input, filter, strides, ...convertPadding(padding), dataFormat: dataFormat ?? "NHWC", dilations: dilations ?? [1, 1, 1, 1] },
    { name },
  );
}

/** The gradient of depthwiseConv2d with respect to its input. TF: tf.nn.depthwise_conv2d_backprop_input. */
export function depthwiseConv2dBackpropInput(
  inputSizes: TensorLike,
  filter: TensorLike,
  outBackprop: TensorLike,
  strides: readonly number[],
  padding: PaddingLike,
  { dataFormat, dilations, name, ...others }: NativeOptions = {},
): Tensor {
  refuseOthers(others);
  return DepthwiseConv2dNativeBackpropInput(
    {
      inputSizes,
      filter,
      outBackprop,
      strides,
      ...convertPadding(padding),
      dataFormat: dataFormat ?? "NHWC",
      dilations: dilations ?? [1, 1, 1, 1],
    },
    { name },
  );
}

/** The gradient of depthwiseConv2d with respect to its filter. TF: tf.nn.depthwise_conv2d_backprop_filter. */
export function depthwiseConv2dBackpropFilter(
  input: TensorLike,
  filterSizes: TensorLike,
  outBackprop: TensorLike,
  strides: readonly number[],
  padding: PaddingLike,
  { dataFormat, dilations, name, ...others }: NativeOptions = {},
): Tensor {
  refuseOthers(others);
  return DepthwiseConv2dNativeBackpropFilter(
    {
      input,
      filterSizes,
      outBackprop,
      strides,
      ...convertPadding(padding),
      dataFormat: dataFormat ?? "NHWC",
      dilations: dilations ?? [1, 1, 1, 1],
    },
    { name },
  );
}

export {
  depthwiseConv2dBackpropFilter as depthwiseConv2dNativeBackpropFilter,
  depthwiseConv2dBackpropInput as depthwiseConv2dNativeBackpropInput,
};

/** A depthwise convolution, then a 1×1 one that mixes the channels. depthwiseFilter `[height, width, channels, multiplier]`,
 *  pointwiseFilter `[1, 1, channels · multiplier, out]`. TF: tf.nn.separable_conv2d. */
export function separableConv2d(
  input: TensorLike,
  depthwiseFilter: TensorLike,
  pointwiseFilter: TensorLike,
  strides: readonly number[],
  padding: PaddingLike,
  { rate, dilations, name, dataFormat, ...others }: DepthwiseOptions = {},
): Tensor {
  refuseOthers(others);
  const rates = eitherName("dilations", dilations, "rate", rate) ?? [1, 1];
  return getDefaultGraph().nameScope(name ?? "separable_conv2d", scope => {
    const image = convertToTensor(input, { name: "tensor_in" });
    const depthwiseTaps = convertToTensor(depthwiseFilter, { name: "depthwise_filter" });
    const pointwiseTaps = convertToTensor(pointwiseFilter, { name: "pointwise_filter" });
    checkPointwise(pointwiseTaps);
    const format = dataFormat ?? "NHWC";
    const deep = inBlocks({
      input: image,
      filterShape: shape(depthwiseTaps),
      dilationRate: rates,
      padding,
      dataFormat: format,
      op: (inner, innerPadding) =>
        DepthwiseConv2dNative(
          { input: inner, filter: depthwiseTaps, strides, ...convertPadding(innerPadding), dataFormat: format },
          { name: "depthwise" },
        ),
    });
    return Conv2D({ input: deep, filter: pointwiseTaps, strides: [1, 1, 1, 1], padding: "VALID", dataFormat: format }, { name: scope });
  });
}

function checkPointwise(filter: Tensor): void {
  const { dims } = filter.shape;
  if (dims === null) return;
  if (dims.length !== 4) throw new ValueError(`Shape ${filter.shape} must have rank 4`);
  for (const d of dims.slice(0, 2)) if (d !== null && d !== 1) throw new ValueError(`Dimensions ${d} and 1 are not compatible`);
}
