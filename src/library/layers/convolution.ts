// tf.layers of images, sequences and volumes: convolutions. Pooling: layers/pooling.ts. The base of layers is in layers.ts.

import { ValueError } from "../../base/errors.ts";
import type { TensorShape } from "../../base/shape.ts";
import type { TensorLike } from "../../graph/conversion.ts";
import type { Tensor } from "../../graph/operation.ts";
import { collect } from "../../ops/arguments.ts";
import { expandDims, reshape, shape as shapeOf, squeeze } from "../../ops/array/array.ts";
import { pad } from "../../ops/array/padding.ts";
import { getItem, stack } from "../../ops/array/slicing.ts";
import { biasAdd } from "../../ops/nn/nn.ts";
import { convolution } from "../../ops/nn/atrous.ts";
import { withOneBatch } from "../../ops/nn/batches.ts";
import {
  conv2dTranspose as transposedConvolution,
  conv3dTranspose as transposedVolume,
  separableConv2d as separableConvolution,
} from "../../ops/nn/convolution-api.ts";
import { add, mul } from "../../ops/operators.ts";
import { layerArguments } from "./layer-base.ts";
import { biasOf, type KernelOptions, kernelOrder, Layer, type Rest } from "./layers.ts";
import { type DataFormat, formatOf, type PaddingWord, paddingOf, type Sizes, sizesOf } from "./window.ts";
import type { Regularizer, VariableInitializer } from "../variables/variable-scope.ts";
import type { Constraint, Variable } from "../variables/variables.ts";

export interface ConvolutionOptions extends KernelOptions {
  readonly strides?: Sizes;
  readonly padding?: PaddingWord;
  readonly dataFormat?: DataFormat;
  readonly dilationRate?: Sizes;
}

const convolutionOrder = ["strides", "padding", "dataFormat", "dilationRate", ...kernelOrder];
const transposeOrder = ["strides", "padding", "dataFormat", ...kernelOrder];

/** What all convolutions have in common, over `rank` spatial dimensions. */
export abstract class SpatialLayer<O extends ConvolutionOptions> extends Layer {
  readonly filters: number;
  readonly kernelSize: readonly number[];
  readonly strides: readonly number[];
  readonly dilationRate: readonly number[];
  protected readonly filling: "SAME" | "VALID" | "CAUSAL";
  bias: Variable | null = null;
  protected override readonly isBuiltOfShapes = true;
  readonly rank: number;
  readonly isChannelsFirst: boolean;
  protected readonly options: O;

  constructor(kind: string, rank: number, filters: number, kernelSize: Sizes, options: O) {
    super(kind, options, options.activityRegularizer ?? null);
    if (filters !== null && filters <= 0)
      throw new ValueError(`Invalid value for argument \`filters\`. Expected a strictly positive value. Received filters=${filters}.`);
    this.rank = rank;
    this.filters = typeof filters === "number" ? Math.trunc(filters) : filters;
    this.options = options;
    // Python's True counts as 1, but in the shape of a variable.
    this.kernelSize = (kernelSize as unknown) === true ? Array(rank).fill(true) : sizesOf(kernelSize, rank, "kernel_size");
    this.strides = sizesOf(options.strides ?? 1, rank, "strides", true);
    this.dilationRate = sizesOf(options.dilationRate ?? 1, rank, "dilation_rate");
    this.filling = paddingOf(options.padding ?? "valid", rank === 1);
    this.isChannelsFirst = formatOf(options.dataFormat ?? "channels_last");
    const tuple = (list: readonly number[]): string => `(${list.join(", ")}${list.length === 1 ? "," : ""})`;
    if (this.strides.includes(0)) throw new ValueError(`The argument \`strides\` cannot contains 0(s). Received: ${tuple(this.strides)}`);
    if (Math.max(...this.strides) > 1 && Math.max(...this.dilationRate) > 1)
      throw new ValueError(
        `\`strides > 1\` not supported in conjunction with \`dilation_rate > 1\`. Received: strides=${tuple(this.strides)} and dilation_rate=${tuple(this.dilationRate)}`,
      );
  }

  /** Of images, as bias and most operations name it. */
  protected get layout(): "NHWC" | "NCHW" {
    return this.isChannelsFirst ? "NCHW" : "NHWC";
  }

  /** Numbers of the spatial dimensions as numbers of all. */
  protected windowOf(spatial: readonly number[]): number[] {
    return this.isChannelsFirst ? [1, 1, ...spatial] : [1, ...spatial, 1];
  }

  /** The number of input channels. @throws ValueError if it is unknown, or the input has too few dimensions. */
  protected channelsOf(input: Tensor, isMinimum: boolean): number {
    this.checkRank(input, this.rank + 2, true);
    if (!isMinimum && input.shape.rank !== this.rank + 2) {
      if (input.shape.rank === null) throw new ValueError("Cannot take the length of shape with unknown rank.");
      throw new ValueError(`Inputs should have rank ${this.rank + 2}. Received input_shape=${input.shape}.`);
    }
    const channels = input.shape.dim(this.isChannelsFirst ? 1 : -1);
    if (channels === null)
      throw new ValueError(
        `The channel dimension of the inputs${isMinimum ? "" : ` to \`${this.constructor.name}\``} should be defined. The input_shape received is ${input.shape}, where axis ${this.isChannelsFirst ? 1 : -1} (0-based) is the channel dimension, which found to be \`None\`.`,
      );
    return channels;
  }

  /** @throws ValueError in Keras' words where windows are larger than the input. */
  refuseNoOutput(input: TensorShape): void {
    if (this.filling !== "VALID") return;
    const first = input.rank === null ? 0 : input.rank - this.rank - (this.isChannelsFirst ? 0 : 1);
    const isTooSmall = this.kernelSize.some((size, i) => {
      const length = input.dim(first + i);
      const reach = size + (size - 1) * (this.dilationRate[i] - 1);
      return length !== null && Math.floor((length - reach + this.strides[i]) / this.strides[i]) < 0;
    });
    const shown = input.asList().map(size => size ?? "None");
    if (isTooSmall)
      throw new ValueError(
        `One of the dimensions in the output is <= 0 due to downsampling in ${this.name}. Consider increasing the input size. Received input shape [${shown.join(", ")}] which would produce output shape with a zero or negative value in a dimension.`,
      );
  }

  protected addKernel(name: string, shape: readonly number[], input: Tensor): Variable {
    const { kernelInitializer: initializer, kernelRegularizer: regularizer, kernelConstraint: constraint } = this.options;
    return this.addWeight(name, { shape, dtype: input.dtype, initializer, regularizer, constraint });
  }

  protected addBias(input: Tensor): void {
    if (this.options.useBias ?? true) this.bias = this.addWeight("bias", biasOf(this.options, this.filters, input.dtype));
  }

  protected biased(output: Tensor): Tensor {
    return this.bias ? biasAdd(output, this.bias, { dataFormat: this.layout }) : output;
  }

  protected activated(output: Tensor): Tensor {
    return this.activationOf(this.options.activation)(output);
  }

  /** Zeros before a sequence, so that no output sees what comes later. */
  protected causal(input: Tensor): Tensor {
    if (this.filling !== "CAUSAL") return input;
    const before = this.dilationRate[0] * (this.kernelSize[0] - 1);
    const spatial = [before, 0];
    return pad(input, this.isChannelsFirst ? [[0, 0], [0, 0], spatial] : [[0, 0], spatial, [0, 0]]);
  }

  protected get word(): "SAME" | "VALID" {
    return this.filling === "CAUSAL" ? "VALID" : this.filling;
  }
}

// ---- plain convolutions ----

abstract class Convolution extends SpatialLayer<ConvolutionOptions> {
  /** There from the first call on. */
  kernel!: Variable;

  constructor(kind: string, rank: number, filters: number, kernelSize: Sizes, rest: Rest<ConvolutionOptions>) {
    super(kind, rank, filters, kernelSize, collect<ConvolutionOptions>([...convolutionOrder, ...layerArguments], rest));
  }

  /** The name of the node. */
  protected abstract readonly opName: string;

  protected override makeWeights(input: Tensor): void {
    const channels = this.channelsOf(input, true);
    this.refuseNoOutput(input.shape);
    this.kernel = this.addKernel("kernel", [...this.kernelSize, channels, this.filters], input);
    this.addBias(input);
  }

  protected override call(given: Tensor): Tensor {
    const { strides, dilationRate, opName } = this;
    const kernel = this.kernel as Variable;
    const input = this.causal(given);
    const letters = "DHW".slice(3 - this.rank);
    const dataFormat = this.isChannelsFirst ? `NC${letters}` : `N${letters}C`;
    const output = convolution(input, kernel, this.word, { strides, dilationRate, dataFormat, name: opName });
    if (this.rank === 1 && this.isChannelsFirst && this.bias) return this.activated(add(output, reshape(this.bias, [1, this.filters, 1])));
    return this.activated(this.bias ? withOneBatch(output, this.rank + 1, null, one => this.biased(one)) : output);
  }
}

/** TF: tf.layers.Conv1D. */
export class Conv1D extends Convolution {
  protected override readonly opName = "Conv1D";
  constructor(filters: number, kernelSize: Sizes, ...rest: Rest<ConvolutionOptions>) {
    super("conv1d", 1, filters, kernelSize, rest);
  }
}

/** TF: tf.layers.Conv2D. */
export class Conv2D extends Convolution {
  protected override readonly opName = "Conv2D";
  constructor(filters: number, kernelSize: Sizes, ...rest: Rest<ConvolutionOptions>) {
    super("conv2d", 2, filters, kernelSize, rest);
  }
}

/** TF: tf.layers.Conv3D. */
export class Conv3D extends Convolution {
  protected override readonly opName = "Conv3D";
  constructor(filters: number, kernelSize: Sizes, ...rest: Rest<ConvolutionOptions>) {
    super("conv3d", 3, filters, kernelSize, rest);
  }
}

/** As users call it: arguments by position or by name, variables under the name given. */
const namedOptions = <O extends ConvolutionOptions>(order: readonly string[], rest: Rest<O>): O => {
  const options = collect<O>(order, rest);
  return { ...options, scope: options.name ?? null } as O;
};

/** activation(convolution of sequences + bias): inputs [batch, steps, channels], variables `conv1d/kernel` [steps, channels, filters] and
 *  `conv1d/bias`; padding may be "causal". TF: tf.layers.conv1d. */
export const conv1d = (inputs: TensorLike, filters: number, kernelSize: Sizes, ...rest: Rest<ConvolutionOptions>): Tensor =>
  new Conv1D(filters, kernelSize, namedOptions(convolutionOrder, rest)).apply(inputs);

/** activation(convolution of images + bias): variables `conv2d/kernel` [height, width, channels, filters] and `conv2d/bias`. TF: tf.layers.conv2d. */
export const conv2d = (inputs: TensorLike, filters: number, kernelSize: Sizes, ...rest: Rest<ConvolutionOptions>): Tensor =>
  new Conv2D(filters, kernelSize, namedOptions(convolutionOrder, rest)).apply(inputs);

/** activation(convolution of volumes + bias): variables `conv3d/kernel` [depth, height, width, channels, filters] and `conv3d/bias`. TF: tf.layers.conv3d. */
export const conv3d = (inputs: TensorLike, filters: number, kernelSize: Sizes, ...rest: Rest<ConvolutionOptions>): Tensor =>
  new Conv3D(filters, kernelSize, namedOptions(convolutionOrder, rest)).apply(inputs);

// ---- transposed convolutions ----

export abstract class TransposedConvolution extends SpatialLayer<ConvolutionOptions> {
  /** There from the first call on. */
  kernel!: Variable;

  constructor(kind: string, rank: number, filters: number, kernelSize: Sizes, rest: Rest<ConvolutionOptions>) {
    super(kind, rank, filters, kernelSize, collect<ConvolutionOptions>([...transposeOrder, ...layerArguments], rest));
  }

  protected override makeWeights(input: Tensor): void {
    const channels = this.channelsOf(input, false);
    this.kernel = this.addKernel("kernel", [...this.kernelSize, this.filters, channels], input);
    this.addBias(input);
  }

  /** Positions of the spatial dimensions. */
  protected get axes(): number[] {
    return Array.from({ length: this.rank }, (_, i) => i + (this.isChannelsFirst ? 2 : 1));
  }

  /** A shape of batch size, spatial sizes and filters, in the order of the data format. */
  protected arranged<T>(batch: T, spatial: readonly T[], filters: T): T[] {
    return this.isChannelsFirst ? [batch, filters, ...spatial] : [batch, ...spatial, filters];
  }

  /** Positions along spatial dimension `i` that come of `size` of them. */
  lengthOf(size: TensorLike, i: number): TensorLike {
    const stride = this.strides[i];
    const more = this.filling === "VALID" ? Math.max(this.kernelSize[i] - stride, 0) : 0;
    if (typeof size === "number") return size * stride + more;
    const scaled = mul(size, stride);
    return this.filling === "VALID" ? add(scaled, more) : scaled;
  }

  /** Notes on a tensor what is known of its shape. */
  protected shaped(output: Tensor, input: Tensor): Tensor {
    const spatial = this.axes.map((axis, i) => {
      const size = input.shape.dim(axis);
      return size === null ? null : (this.lengthOf(size, i) as number);
    });
    output.setShape(this.arranged<number | null>(input.shape.dim(0), spatial, this.filters));
    return output;
  }
}

/** TF: tf.layers.Conv2DTranspose. */
export class Conv2DTranspose extends TransposedConvolution {
  constructor(filters: number, kernelSize: Sizes, ...rest: Rest<ConvolutionOptions>) {
    super("conv2d_transpose", 2, filters, kernelSize, rest);
  }

  protected override call(input: Tensor): Tensor {
    const dims = shapeOf(input);
    const batch = getItem(dims, 0);
    const known = this.axes.map(axis => input.shape.dim(axis));
    const sizes = this.axes.map((axis, i): TensorLike => known[i] ?? getItem(dims, axis));
    const outputs = sizes.map((size, i) => this.lengthOf(size, i));
    const shape = stack(this.arranged<TensorLike>(batch, outputs, this.filters));
    // An unused node, which Keras leaves behind by asking whether the batch size is None.
    getItem(shape, 0);
    const options = { padding: this.word, dataFormat: this.layout };
    const output = transposedConvolution(input, this.kernel as Variable, shape, this.windowOf(this.strides), options);
    return this.activated(this.biased(this.shaped(output, input)));
  }
}

/** TF: tf.layers.Conv3DTranspose. */
export class Conv3DTranspose extends TransposedConvolution {
  constructor(filters: number, kernelSize: Sizes, ...rest: Rest<ConvolutionOptions>) {
    super("conv3d_transpose", 3, filters, kernelSize, rest);
  }

  protected override call(input: Tensor): Tensor {
    const dims = shapeOf(input);
    const batch = getItem(dims, 0);
    const sizes = this.axes.map(axis => getItem(dims, axis));
    const shape = stack(
      this.arranged<TensorLike>(
        batch,
        sizes.map((size, i) => this.lengthOf(size, i)),
        this.filters,
      ),
    );
    const options = { padding: this.word, dataFormat: this.isChannelsFirst ? "NCDHW" : "NDHWC" } as const;
    const output = transposedVolume(input, this.kernel as Variable, shape, this.windowOf(this.strides), options);
    return this.activated(this.biased(this.shaped(output, input)));
  }
}

/** The transpose of a convolution: images grow by the strides. TF: tf.layers.conv2d_transpose. */
export const conv2dTranspose = (inputs: TensorLike, filters: number, kernelSize: Sizes, ...rest: Rest<ConvolutionOptions>): Tensor =>
  new Conv2DTranspose(filters, kernelSize, namedOptions(transposeOrder, rest)).apply(inputs);

/** The transpose of a convolution: volumes grow by the strides. TF: tf.layers.conv3d_transpose. */
export const conv3dTranspose = (inputs: TensorLike, filters: number, kernelSize: Sizes, ...rest: Rest<ConvolutionOptions>): Tensor =>
  new Conv3DTranspose(filters, kernelSize, namedOptions(transposeOrder, rest)).apply(inputs);

// ---- separable convolutions ----

export interface SeparableOptions extends ConvolutionOptions {
  /** Outputs of each channel before they are mixed. */
  readonly depthMultiplier?: number;
  readonly depthwiseInitializer?: VariableInitializer | string | null;
  readonly pointwiseInitializer?: VariableInitializer | string | null;
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

export abstract class SeparableConvolution extends SpatialLayer<SeparableOptions> {
  depthwiseKernel: Variable | null = null;
  pointwiseKernel: Variable | null = null;

  constructor(kind: string, rank: number, filters: number, kernelSize: Sizes, rest: Rest<SeparableOptions>) {
    super(kind, rank, filters, kernelSize, collect<SeparableOptions>([...separableOrder, ...layerArguments], rest));
  }

  protected override makeWeights(input: Tensor): void {
    const channels = this.channelsOf(input, true);
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
      shape: [...Array<number>(this.rank).fill(1), depthMultiplier * channels, this.filters],
      dtype: input.dtype,
      initializer: options.pointwiseInitializer,
      regularizer: options.pointwiseRegularizer,
      constraint: options.pointwiseConstraint,
    });
    this.addBias(input);
  }
}

/** TF: tf.layers.SeparableConv1D. */
export class SeparableConv1D extends SeparableConvolution {
  constructor(filters: number, kernelSize: Sizes, ...rest: Rest<SeparableOptions>) {
    super("separable_conv1d", 1, filters, kernelSize, rest);
  }

  /** A sequence is an image one pixel high. */
  protected override call(input: Tensor): Tensor {
    const { layout: dataFormat, strides, dilationRate } = this;
    const axis = this.isChannelsFirst ? 2 : 1;
    const image = expandDims(this.causal(input), axis);
    const depthwise = expandDims(this.depthwiseKernel as Variable, 0);
    const pointwise = expandDims(this.pointwiseKernel as Variable, 0);
    const steps = this.windowOf([strides[0], strides[0]]);
    const output = separableConvolution(image, depthwise, pointwise, steps, this.word, { rate: [1, ...dilationRate], dataFormat });
    return this.activated(squeeze(this.biased(output), [axis]));
  }
}

/** TF: tf.layers.SeparableConv2D. */
export class SeparableConv2D extends SeparableConvolution {
  constructor(filters: number, kernelSize: Sizes, ...rest: Rest<SeparableOptions>) {
    super("separable_conv2d", 2, filters, kernelSize, rest);
  }

  protected override call(input: Tensor): Tensor {
    const { layout: dataFormat, strides, dilationRate } = this;
    const kernels = [this.depthwiseKernel as Variable, this.pointwiseKernel as Variable] as const;
    const options = { rate: [...dilationRate] as [number, number], dataFormat };
    return this.activated(this.biased(separableConvolution(input, ...kernels, this.windowOf(strides), this.word, options)));
  }
}

/** A convolution of each channel of sequences by itself, then a mixture of channels. TF: tf.layers.separable_conv1d. */
export const separableConv1d = (inputs: TensorLike, filters: number, kernelSize: Sizes, ...rest: Rest<SeparableOptions>): Tensor =>
  new SeparableConv1D(filters, kernelSize, namedOptions(separableOrder, rest)).apply(inputs);

/** A convolution of each channel of images by itself, then a mixture of channels. TF: tf.layers.separable_conv2d. */
export const separableConv2d = (inputs: TensorLike, filters: number, kernelSize: Sizes, ...rest: Rest<SeparableOptions>): Tensor =>
  new SeparableConv2D(filters, kernelSize, namedOptions(separableOrder, rest)).apply(inputs);
