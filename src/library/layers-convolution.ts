// tf.layers of images: convolutions and pooling. The base of layers is in layers.ts.

import { ValueError } from "../base/errors.ts";
import type { TensorLike } from "../graph/conversion.ts";
import type { Tensor } from "../graph/operation.ts";
import { collect } from "../ops/arguments.ts";
import { shape as shapeOf } from "../ops/array.ts";
import { stack } from "../ops/array-slicing.ts";
import { getItem } from "../ops/array-slicing.ts";
import { biasAdd } from "../ops/nn.ts";
import {
  conv2d as convolution,
  conv2dTranspose as transposedConvolution,
  separableConv2d as separableConvolution,
} from "../ops/nn-convolution-api.ts";
import { avgPool, maxPool } from "../ops/nn-pooling-api.ts";
import { add, mul } from "../ops/operators.ts";
import type { LayerOptions } from "./layer-base.ts";
import { biasOf, type KernelOptions, kernelOrder, Layer, type Rest } from "./layers.ts";
import type { Regularizer, VariableInitializer } from "./variable-scope.ts";
import type { Constraint, Variable } from "./variables.ts";

type Pair = number | readonly [number, number] | readonly number[];
type DataFormat = "channels_last" | "channels_first";

/** @throws ValueError unless one number or a pair of positive ones. */
function pairOf(value: Pair, name: string): [number, number] {
  const list = typeof value === "number" ? [value, value] : [...value];
  if (list.length !== 2 || list.some(item => !Number.isInteger(item) || item < 0))
    throw new ValueError(`The \`${name}\` argument must be a tuple of 2 integers. Received: ${String(value)}`);
  return [list[0], list[1]];
}

function paddingOf(padding: string): "SAME" | "VALID" {
  const upper = padding.toUpperCase();
  if (upper !== "SAME" && upper !== "VALID")
    throw new ValueError(
      `The \`padding\` argument must be a list/tuple or one of "valid", "same" (or "causal", only for \`Conv1D). Received: ${padding.toLowerCase()}`,
    );
  return upper;
}

function formatOf(dataFormat: string): "NHWC" | "NCHW" {
  if (dataFormat === "channels_last") return "NHWC";
  if (dataFormat === "channels_first") return "NCHW";
  throw new ValueError(`The \`data_format\` argument must be one of "channels_first", "channels_last". Received: ${dataFormat}`);
}

/** Strides of the window for every dimension of the tensor. */
const windowOf = ([height, width]: readonly [number, number], format: "NHWC" | "NCHW"): number[] =>
  format === "NHWC" ? [1, height, width, 1] : [1, 1, height, width];

export interface ConvolutionOptions extends KernelOptions {
  readonly strides?: Pair;
  readonly padding?: "valid" | "same" | "VALID" | "SAME";
  readonly dataFormat?: DataFormat;
  readonly dilationRate?: Pair;
}

/** What the layers of this file have in common. */
abstract class ImageLayer<O extends ConvolutionOptions> extends Layer {
  readonly filters: number;
  readonly kernelSize: [number, number];
  readonly strides: [number, number];
  readonly dilationRate: [number, number];
  readonly padding: "SAME" | "VALID";
  readonly dataFormat: "NHWC" | "NCHW";
  bias: Variable | null = null;
  protected readonly options: O;

  constructor(kind: string, filters: number, kernelSize: Pair, options: O) {
    super(kind, options, options.activityRegularizer ?? null);
    if (filters <= 0)
      throw new ValueError(`Invalid value for argument \`filters\`. Expected a strictly positive value. Received filters=${filters}.`);
    this.filters = filters;
    this.options = options;
    this.kernelSize = pairOf(kernelSize, "kernel_size");
    this.strides = pairOf(options.strides ?? 1, "strides");
    this.dilationRate = pairOf(options.dilationRate ?? 1, "dilation_rate");
    this.padding = paddingOf(options.padding ?? "valid");
    this.dataFormat = formatOf(options.dataFormat ?? "channels_last");
  }

  /** The number of input channels. @throws ValueError if it is unknown, or the input is not an image. */
  protected channelsOf(input: Tensor, isMinimum: boolean): number {
    this.checkRank(input, 4, isMinimum);
    const channels = input.shape.dim(this.dataFormat === "NHWC" ? -1 : 1);
    if (channels === null)
      throw new ValueError(
        `The channel dimension of the inputs should be defined. The input_shape received is ${input.shape}, where axis ${this.dataFormat === "NHWC" ? -1 : 1} (0-based) is the channel dimension, which found to be \`None\`.`,
      );
    return channels;
  }

  protected addBias(input: Tensor): void {
    if (this.options.useBias ?? true) this.bias = this.addWeight("bias", biasOf(this.options, this.filters, input.dtype));
  }

  /** Bias and activation. */
  protected finished(output: Tensor): Tensor {
    const biased = this.bias ? biasAdd(output, this.bias, { dataFormat: this.dataFormat }) : output;
    return this.options.activation ? this.options.activation(biased) : biased;
  }
}

/** TF: tf.layers.Conv2D. */
export class Conv2D extends ImageLayer<ConvolutionOptions> {
  kernel: Variable | null = null;

  constructor(filters: number, kernelSize: Pair, ...rest: Rest<ConvolutionOptions>) {
    super(
      "conv2d",
      filters,
      kernelSize,
      collect<ConvolutionOptions>(["strides", "padding", "dataFormat", "dilationRate", ...kernelOrder], rest),
    );
  }

  protected override build(input: Tensor): void {
    const channels = this.channelsOf(input, true);
    const { kernelInitializer: initializer, kernelRegularizer: regularizer, kernelConstraint: constraint } = this.options;
    this.kernel = this.addWeight("kernel", {
      shape: [...this.kernelSize, channels, this.filters],
      dtype: input.dtype,
      initializer,
      regularizer,
      constraint,
    });
    this.addBias(input);
  }

  protected override call(input: Tensor): Tensor {
    const { dataFormat, strides, dilationRate, padding } = this;
    const dilations = windowOf(dilationRate, dataFormat);
    return this.finished(
      convolution(input, this.kernel as Variable, windowOf(strides, dataFormat), padding, { dataFormat, dilations, name: "Conv2D" }),
    );
  }
}

/** activation(convolution of images + bias): variables `conv2d/kernel` [height, width, channels, filters] and `conv2d/bias`. TF: tf.layers.conv2d. */
export function conv2d(inputs: TensorLike, filters: number, kernelSize: Pair, ...rest: Rest<ConvolutionOptions>): Tensor {
  const options = collect<ConvolutionOptions>(["strides", "padding", "dataFormat", "dilationRate", ...kernelOrder], rest);
  return new Conv2D(filters, kernelSize, { ...options, scope: options.name ?? null }).apply(inputs);
}

/** TF: tf.layers.Conv2DTranspose. */
export class Conv2DTranspose extends ImageLayer<ConvolutionOptions> {
  kernel: Variable | null = null;

  constructor(filters: number, kernelSize: Pair, ...rest: Rest<ConvolutionOptions>) {
    super("conv2d_transpose", filters, kernelSize, collect<ConvolutionOptions>(["strides", "padding", "dataFormat", ...kernelOrder], rest));
  }

  protected override build(input: Tensor): void {
    const channels = this.channelsOf(input, false);
    const { kernelInitializer: initializer, kernelRegularizer: regularizer, kernelConstraint: constraint } = this.options;
    this.kernel = this.addWeight("kernel", {
      shape: [...this.kernelSize, this.filters, channels],
      dtype: input.dtype,
      initializer,
      regularizer,
      constraint,
    });
    this.addBias(input);
  }

  protected override call(input: Tensor): Tensor {
    const { dataFormat, strides, padding, filters } = this;
    const dims = shapeOf(input);
    const batch = getItem(dims, 0);
    const axes = dataFormat === "NHWC" ? [1, 2] : [2, 3];
    const known = axes.map(axis => input.shape.dim(axis));
    const sizes = axes.map((axis, i): TensorLike => known[i] ?? getItem(dims, axis));
    const outputs = sizes.map((size, i) => this.lengthOf(size, i));
    const list = dataFormat === "NHWC" ? [batch, outputs[0], outputs[1], filters] : [batch, filters, outputs[0], outputs[1]];
    const shape = stack(list);
    // An unused node, which Keras leaves behind by asking whether the batch size is None.
    getItem(shape, 0);
    const output = transposedConvolution(input, this.kernel as Variable, shape, windowOf(strides, dataFormat), { padding, dataFormat });
    const spatial = outputs.map(size => (typeof size === "number" ? size : null));
    output.setShape(dataFormat === "NHWC" ? [input.shape.dim(0), ...spatial, filters] : [input.shape.dim(0), filters, ...spatial]);
    return this.finished(output);
  }

  /** Rows or columns that come of `size` of them. */
  private lengthOf(size: TensorLike, i: number): TensorLike {
    const stride = this.strides[i];
    const more = this.padding === "VALID" ? Math.max(this.kernelSize[i] - stride, 0) : 0;
    if (typeof size === "number") return size * stride + more;
    const scaled = mul(size, stride);
    return this.padding === "VALID" ? add(scaled, more) : scaled;
  }
}

/** The transpose of a convolution: images grow by the strides. TF: tf.layers.conv2d_transpose. */
export function conv2dTranspose(inputs: TensorLike, filters: number, kernelSize: Pair, ...rest: Rest<ConvolutionOptions>): Tensor {
  const options = collect<ConvolutionOptions>(["strides", "padding", "dataFormat", ...kernelOrder], rest);
  return new Conv2DTranspose(filters, kernelSize, { ...options, scope: options.name ?? null }).apply(inputs);
}

export interface SeparableOptions extends ConvolutionOptions {
  /** Outputs of each channel before they are mixed. */
  readonly depthMultiplier?: number;
  readonly depthwiseInitializer?: VariableInitializer | null;
  readonly pointwiseInitializer?: VariableInitializer | null;
  readonly depthwiseRegularizer?: Regularizer | null;
  readonly pointwiseRegularizer?: Regularizer | null;
  readonly depthwiseConstraint?: Constraint | null;
  readonly pointwiseConstraint?: Constraint | null;
}

const separableOrder = [
  "strides",
  "padding",
  "dataFormat",
  "dilationRate",
  "depthMultiplier",
  "activation",
  "useBias",
  "depthwiseInitializer",
  "pointwiseInitializer",
  "biasInitializer",
  "depthwiseRegularizer",
  "pointwiseRegularizer",
  "biasRegularizer",
  "activityRegularizer",
  "depthwiseConstraint",
  "pointwiseConstraint",
  "biasConstraint",
  "trainable",
  "name",
  "reuse",
];

/** TF: tf.layers.SeparableConv2D. */
export class SeparableConv2D extends ImageLayer<SeparableOptions> {
  depthwiseKernel: Variable | null = null;
  pointwiseKernel: Variable | null = null;

  constructor(filters: number, kernelSize: Pair, ...rest: Rest<SeparableOptions>) {
    super("separable_conv2d", filters, kernelSize, collect<SeparableOptions>(separableOrder, rest));
  }

  protected override build(input: Tensor): void {
    const channels = this.channelsOf(input, false);
    const { options } = this;
    const { depthMultiplier = 1 } = options;
    this.depthwiseKernel = this.addWeight("depthwise_kernel", {
      shape: [...this.kernelSize, channels, depthMultiplier],
      dtype: input.dtype,
      initializer: options.depthwiseInitializer,
      regularizer: options.depthwiseRegularizer,
      constraint: options.depthwiseConstraint,
    });
    this.pointwiseKernel = this.addWeight("pointwise_kernel", {
      shape: [1, 1, depthMultiplier * channels, this.filters],
      dtype: input.dtype,
      initializer: options.pointwiseInitializer,
      regularizer: options.pointwiseRegularizer,
      constraint: options.pointwiseConstraint,
    });
    this.addBias(input);
  }

  protected override call(input: Tensor): Tensor {
    const { dataFormat, strides, padding, dilationRate } = this;
    const kernels = [this.depthwiseKernel as Variable, this.pointwiseKernel as Variable] as const;
    return this.finished(
      separableConvolution(input, ...kernels, windowOf(strides, dataFormat), padding, { rate: dilationRate, dataFormat }),
    );
  }
}

/** A convolution of each channel by itself, then a mixture of channels. TF: tf.layers.separable_conv2d. */
export function separableConv2d(inputs: TensorLike, filters: number, kernelSize: Pair, ...rest: Rest<SeparableOptions>): Tensor {
  const options = collect<SeparableOptions>(separableOrder, rest);
  return new SeparableConv2D(filters, kernelSize, { ...options, scope: options.name ?? null }).apply(inputs);
}

// ---- pooling ----

export interface PoolingOptions extends LayerOptions {
  readonly padding?: "valid" | "same" | "VALID" | "SAME";
  readonly dataFormat?: DataFormat;
}

const poolingOrder = ["padding", "dataFormat", "name"];

interface PoolingWindow {
  readonly ksize: readonly number[];
  readonly strides: readonly number[];
  readonly padding: "SAME" | "VALID";
  readonly dataFormat: "NHWC" | "NCHW";
}

abstract class Pooling2D extends Layer {
  private readonly poolSize: [number, number];
  private readonly strides: [number, number];
  private readonly padding: "SAME" | "VALID";
  private readonly dataFormat: "NHWC" | "NCHW";

  constructor(kind: string, poolSize: Pair, strides: Pair, options: PoolingOptions) {
    super(kind, options);
    this.poolSize = pairOf(poolSize, "pool_size");
    this.strides = pairOf(strides, "strides");
    this.padding = paddingOf(options.padding ?? "valid");
    this.dataFormat = formatOf(options.dataFormat ?? "channels_last");
  }

  protected abstract pool(input: Tensor, window: PoolingWindow): Tensor;

  protected override build(input: Tensor): void {
    this.checkRank(input, 4);
  }

  protected override call(input: Tensor): Tensor {
    const { dataFormat, padding } = this;
    return this.pool(input, {
      ksize: windowOf(this.poolSize, dataFormat),
      strides: windowOf(this.strides, dataFormat),
      padding,
      dataFormat,
    });
  }
}

/** TF: tf.layers.MaxPooling2D. */
export class MaxPooling2D extends Pooling2D {
  constructor(poolSize: Pair, strides: Pair, ...rest: Rest<PoolingOptions>) {
    super("max_pooling2d", poolSize, strides, collect<PoolingOptions>(poolingOrder, rest));
  }
  protected override pool(value: Tensor, window: PoolingWindow): Tensor {
    return maxPool({ value, ...window });
  }
}

/** TF: tf.layers.AveragePooling2D. */
export class AveragePooling2D extends Pooling2D {
  constructor(poolSize: Pair, strides: Pair, ...rest: Rest<PoolingOptions>) {
    super("average_pooling2d", poolSize, strides, collect<PoolingOptions>(poolingOrder, rest));
  }
  protected override pool(value: Tensor, window: PoolingWindow): Tensor {
    return avgPool({ value, ...window });
  }
}

/** The greatest element of each window. TF: tf.layers.max_pooling2d. */
export const maxPooling2d = (inputs: TensorLike, poolSize: Pair, strides: Pair, ...rest: Rest<PoolingOptions>): Tensor =>
  new MaxPooling2D(poolSize, strides, ...rest).apply(inputs);

/** The mean of each window. TF: tf.layers.average_pooling2d. */
export const averagePooling2d = (inputs: TensorLike, poolSize: Pair, strides: Pair, ...rest: Rest<PoolingOptions>): Tensor =>
  new AveragePooling2D(poolSize, strides, ...rest).apply(inputs);
