// tf.layers: pooling of sequences, images and volumes. The base of layers is in layers.ts.

import { ValueError } from "../../base/errors.ts";
import type { TensorLike } from "../../graph/conversion.ts";
import type { Tensor } from "../../graph/operation.ts";
import { collect } from "../../ops/arguments.ts";
import { expandDims, squeeze } from "../../ops/array/array.ts";
import { transpose } from "../../ops/array/rearranging.ts";
import { avgPool, avgPool3d, maxPool, maxPool3d } from "../../ops/nn/pooling-api.ts";
import { layerArguments, type LayerOptions } from "./layer-base.ts";
import { Layer, type Rest } from "./layers.ts";
import { type DataFormat, formatOf, type PaddingWord, paddingOf, type Sizes, sizesOf } from "./window.ts";

export interface PoolingOptions extends LayerOptions {
  readonly padding?: PaddingWord;
  readonly dataFormat?: DataFormat;
}

const order = ["padding", "dataFormat", "name"];

type Kind = "max" | "average";

/** Pooling over `rank` spatial dimensions. */
export abstract class Pooling extends Layer {
  private readonly kind: Kind;
  private readonly rank: number;
  readonly poolSize: readonly number[];
  readonly strides: readonly number[];
  private readonly filling: "SAME" | "VALID";
  readonly isChannelsFirst: boolean;

  constructor(kind: Kind, rank: number, poolSize: Sizes, strides: Sizes, rest: Rest<PoolingOptions>) {
    const options = collect<PoolingOptions>([...order, ...layerArguments], rest);
    super(`${kind}_pooling${rank}d`, options);
    this.kind = kind;
    this.rank = rank;
    if (strides === null) throw new ValueError("Argument `strides` must not be None.");
    this.poolSize = sizesOf(poolSize, rank, "pool_size");
    this.strides = sizesOf(strides, rank, "strides", true);
    this.filling = paddingOf(options.padding ?? "valid", false);
    this.isChannelsFirst = formatOf(options.dataFormat ?? "channels_last");
  }

  protected override makeWeights(input: Tensor): void {
    this.checkRank(input, this.rank + 2);
  }

  protected override call(input: Tensor): Tensor {
    if (this.rank === 3) return this.pooledVolume(input);
    if (this.rank === 2) return this.pooledImage(input, this.poolSize, this.strides, this.isChannelsFirst ? "NCHW" : "NHWC");
    // A sequence is an image one pixel wide.
    const axis = this.isChannelsFirst ? 3 : 2;
    const image = expandDims(input, axis);
    const [size, steps] = [this.poolSize, this.strides].map(list => [...list, 1]);
    if (!this.isChannelsFirst) return squeeze(this.pooledImage(image, size, steps, "NHWC"), [axis]);
    const pooled = this.pooledImage(transpose(image, [0, 2, 3, 1]), size, steps, "NHWC");
    return squeeze(transpose(pooled, [0, 3, 1, 2]), [axis]);
  }

  private pooledImage(value: Tensor, size: readonly number[], steps: readonly number[], dataFormat: "NHWC" | "NCHW"): Tensor {
    if (this.rank === 2 && this.kind === "average" && value.shape.rank === null)
      throw new ValueError("Cannot take the length of shape with unknown rank.");
    const spread = (list: readonly number[]): number[] => (dataFormat === "NCHW" ? [1, 1, ...list] : [1, ...list, 1]);
    const window = { value, ksize: spread(size), strides: spread(steps), padding: this.filling, dataFormat };
    return this.kind === "max" ? maxPool(window) : avgPool(window);
  }

  private pooledVolume(given: Tensor): Tensor {
    const input = this.isChannelsFirst ? transpose(given, [0, 2, 3, 4, 1]) : given;
    const pool = this.kind === "max" ? maxPool3d : avgPool3d;
    const output = pool(input, [1, ...this.poolSize, 1], [1, ...this.strides, 1], this.filling);
    return this.isChannelsFirst ? transpose(output, [0, 4, 1, 2, 3]) : output;
  }
}

/** TF: tf.layers.MaxPooling1D. */
export class MaxPooling1D extends Pooling {
  constructor(poolSize: Sizes, strides: Sizes, ...rest: Rest<PoolingOptions>) {
    super("max", 1, poolSize, strides, rest);
  }
}
/** TF: tf.layers.MaxPooling2D. */
export class MaxPooling2D extends Pooling {
  constructor(poolSize: Sizes, strides: Sizes, ...rest: Rest<PoolingOptions>) {
    super("max", 2, poolSize, strides, rest);
  }
}
/** TF: tf.layers.MaxPooling3D. */
export class MaxPooling3D extends Pooling {
  constructor(poolSize: Sizes, strides: Sizes, ...rest: Rest<PoolingOptions>) {
    super("max", 3, poolSize, strides, rest);
  }
}
/** TF: tf.layers.AveragePooling1D. */
export class AveragePooling1D extends Pooling {
  constructor(poolSize: Sizes, strides: Sizes, ...rest: Rest<PoolingOptions>) {
    super("average", 1, poolSize, strides, rest);
  }
}
/** TF: tf.layers.AveragePooling2D. */
export class AveragePooling2D extends Pooling {
  constructor(poolSize: Sizes, strides: Sizes, ...rest: Rest<PoolingOptions>) {
    super("average", 2, poolSize, strides, rest);
  }
}
/** TF: tf.layers.AveragePooling3D. */
export class AveragePooling3D extends Pooling {
  constructor(poolSize: Sizes, strides: Sizes, ...rest: Rest<PoolingOptions>) {
    super("average", 3, poolSize, strides, rest);
  }
}

/** The greatest element of each window of a sequence [batch, steps, channels]. TF: tf.layers.max_pooling1d. */
export const maxPooling1d = (inputs: TensorLike, poolSize: Sizes, strides: Sizes, ...rest: Rest<PoolingOptions>): Tensor =>
  new MaxPooling1D(poolSize, strides, ...rest).apply(inputs);
/** The greatest element of each window of an image. TF: tf.layers.max_pooling2d. */
export const maxPooling2d = (inputs: TensorLike, poolSize: Sizes, strides: Sizes, ...rest: Rest<PoolingOptions>): Tensor =>
  new MaxPooling2D(poolSize, strides, ...rest).apply(inputs);
/** The greatest element of each window of a volume. TF: tf.layers.max_pooling3d. */
export const maxPooling3d = (inputs: TensorLike, poolSize: Sizes, strides: Sizes, ...rest: Rest<PoolingOptions>): Tensor =>
  new MaxPooling3D(poolSize, strides, ...rest).apply(inputs);
/** The mean of each window of a sequence. TF: tf.layers.average_pooling1d. */
export const averagePooling1d = (inputs: TensorLike, poolSize: Sizes, strides: Sizes, ...rest: Rest<PoolingOptions>): Tensor =>
  new AveragePooling1D(poolSize, strides, ...rest).apply(inputs);
/** The mean of each window of an image. TF: tf.layers.average_pooling2d. */
export const averagePooling2d = (inputs: TensorLike, poolSize: Sizes, strides: Sizes, ...rest: Rest<PoolingOptions>): Tensor =>
  new AveragePooling2D(poolSize, strides, ...rest).apply(inputs);
/** The mean of each window of a volume. TF: tf.layers.average_pooling3d. */
export const averagePooling3d = (inputs: TensorLike, poolSize: Sizes, strides: Sizes, ...rest: Rest<PoolingOptions>): Tensor =>
  new AveragePooling3D(poolSize, strides, ...rest).apply(inputs);
