// The functions of tf.nn that pool: argument forms, names and nodes exactly as TensorFlow's Python layer. The ops are in nn/pooling.ts.

import { ValueError } from "../../base/errors.ts";
import { convertToTensor, representation, type TensorLike } from "../../graph/conversion.ts";
import type { Named } from "../../graph/op-definition.ts";
import type { Tensor } from "../../graph/operation.ts";
import { arrayText, collect, convertPadding, eitherName, type PaddingLike, pythonList, windowSequence } from "../arguments.ts";
import { expandDims, squeeze } from "../array/array.ts";
import { inNameScope } from "../named.ts";
import { inBlocks } from "./atrous.ts";
import { AvgPool, AvgPool3D, MaxPool, MaxPool3D, MaxPoolWithArgmax } from "./pooling.ts";

type Sequence = number | readonly number[];
type Word = "SAME" | "VALID";

const channelAxis = (dataFormat: string, rank: number): number => (dataFormat.startsWith("NC") ? 1 : rank - 1);

export interface PoolOptions extends Named {
  /** "NHWC" (the default) or "NCHW"; "NWC", "NCW", "NDHWC", "NCDHW" for other ranks. */
  readonly dataFormat?: string | null;
}
interface PoolArguments extends PoolOptions {
  readonly value?: TensorLike | null;
  readonly input?: TensorLike | null;
  readonly ksize?: Sequence | null;
  readonly strides?: Sequence | null;
  readonly padding?: PaddingLike | null;
}

const names = ["value", "ksize", "strides", "padding", "dataFormat", "name", "input"];

function window2d({ ksize, strides, dataFormat }: PoolArguments) {
  const format = (dataFormat ?? "NHWC") as "NHWC";
  const axis = channelAxis(format, 4);
  return { ksize: windowSequence(ksize, 2, axis, "ksize"), strides: windowSequence(strides, 2, axis, "strides"), dataFormat: format };
}

/** Max pooling: each output is the maximum of its window.
 *  value `[batch, height, width, channels]`; ksize, strides: one number per dimension, `[1, h, w, 1]`, or 1 or 2 numbers.
 *  "VALID": out = ceil((in - k + 1) / stride); "SAME": out = ceil(in / stride), padded with what is never the maximum; or a list of paddings.
 *  @throws ValueError if the rank is not 4, or a window is larger than its input under "VALID". TF: tf.nn.max_pool. */
export function maxPool(value: TensorLike, ksize: Sequence, strides: Sequence, padding: PaddingLike, options?: PoolOptions): Tensor;
export function maxPool(options: PoolArguments): Tensor;
export function maxPool(...given: unknown[]): Tensor {
  const arguments_ = collect<PoolArguments>(names, given);
  const { value, input, padding, name } = arguments_;
  return inNameScope({ name }, "MaxPool", [value ?? input], scope => {
    const image = eitherName("input", input, "value", value) as TensorLike;
    const window = window2d(arguments_);
    if (window.ksize.includes(0)) throw new ValueError(`\`ksize\` cannot be zero. Received: ksize=${pythonList(window.ksize)}`);
    return MaxPool({ input: image, ...window, ...convertPadding(padding) }, { name: String(scope) });
  });
}

/** Average pooling: each output is the mean of its window's elements inside the input. Arguments as maxPool, padding "SAME" or "VALID".
 *  TF: tf.nn.avg_pool. */
export function avgPool(value: TensorLike, ksize: Sequence, strides: Sequence, padding: Word, options?: PoolOptions): Tensor;
export function avgPool(options: PoolArguments): Tensor;
export function avgPool(...given: unknown[]): Tensor {
  const arguments_ = collect<PoolArguments>(names, given);
  const { value, input, padding, name } = arguments_;
  return inNameScope({ name }, "AvgPool", [value ?? input], scope =>
    AvgPool(
      { value: eitherName("input", input, "value", value) as TensorLike, ...window2d(arguments_), padding: word(padding) },
      { name: String(scope) },
    ),
  );
}
export { avgPool as avgPool2d };

/** Refuses a list of paddings in the words of the op's attribute. */
function word(padding: PaddingLike | null | undefined): Word {
  if (Array.isArray(padding)) throw new TypeError(`Expected string for argument 'padding' not ${pythonList(padding)}.`);
  return (padding ?? null) as Word;
}

/** maxPool under TensorFlow's later name. TF: tf.nn.max_pool2d. */
export function maxPool2d(input: TensorLike, ksize: Sequence, strides: Sequence, padding: PaddingLike, options: PoolOptions = {}): Tensor {
  return inNameScope({ name: options.name }, "MaxPool2d", [input], scope =>
    MaxPool(
      { input, ...window2d({ ksize, strides, dataFormat: options.dataFormat }), ...convertPadding(padding) },
      { name: String(scope) },
    ),
  );
}

/** Max pooling of volumes `[batch, depth, height, width, channels]`. TF: tf.nn.max_pool3d. */
export function maxPool3d(input: TensorLike, ksize: Sequence, strides: Sequence, padding: Word, options: PoolOptions = {}): Tensor {
  return inNameScope({ name: options.name }, "MaxPool3D", [input], scope =>
    MaxPool3D({ input, ...window3d(ksize, strides, options), padding: word(padding) }, { name: String(scope) }),
  );
}

/** Average pooling of volumes. TF: tf.nn.avg_pool3d. */
export function avgPool3d(input: TensorLike, ksize: Sequence, strides: Sequence, padding: Word, options: PoolOptions = {}): Tensor {
  return inNameScope({ name: options.name }, "AvgPool3D", [input], scope =>
    AvgPool3D({ input, ...window3d(ksize, strides, options), padding: word(padding) }, { name: String(scope) }),
  );
}

function window3d(ksize: Sequence, strides: Sequence, { dataFormat }: PoolOptions) {
  const format = (dataFormat ?? "NDHWC") as "NDHWC";
  const axis = channelAxis(format, 5);
  return { ksize: windowSequence(ksize, 3, axis, "ksize"), strides: windowSequence(strides, 3, axis, "strides"), dataFormat: format };
}

/** A 1-d pool as a 2-d one over images one pixel high. */
function pool1d(
  scopeName: string,
  input: TensorLike,
  ksize: Sequence,
  strides: Sequence,
  options: PoolOptions,
  op: (image: Tensor, window: ReturnType<typeof window2d>, scope: string) => Tensor,
): Tensor {
  return inNameScope({ name: options.name }, scopeName, [input], scope => {
    const isFirst = (options.dataFormat ?? "NWC") === "NCW";
    const axis = isFirst ? 1 : 2;
    const at = isFirst ? 2 : 1;
    const widen = (list: number[]): number[] => [...list.slice(0, at), 1, ...list.slice(at)];
    const window = {
      ksize: widen(windowSequence(ksize, 1, axis, "ksize")),
      strides: widen(windowSequence(strides, 1, axis, "strides")),
      dataFormat: (isFirst ? "NCHW" : "NHWC") as "NHWC",
    };
    const image = expandDims(input, at);
    return squeeze(op(image, window, String(scope)), [at]);
  });
}

/** Max pooling of sequences `[batch, width, channels]`. TF: tf.nn.max_pool1d. */
export const maxPool1d = (input: TensorLike, ksize: Sequence, strides: Sequence, padding: PaddingLike, options: PoolOptions = {}): Tensor =>
  pool1d("MaxPool1d", input, ksize, strides, options, (image, window, name) =>
    MaxPool({ input: image, ...window, ...convertPadding(padding) }, { name }),
  );

/** Average pooling of sequences. TF: tf.nn.avg_pool1d. */
export const avgPool1d = (input: TensorLike, ksize: Sequence, strides: Sequence, padding: Word, options: PoolOptions = {}): Tensor =>
  pool1d("AvgPool1D", input, ksize, strides, options, (image, window, name) =>
    AvgPool({ value: image, ...window, padding: word(padding) }, { name }),
  );

/** How many spatial dimensions an input has, by its rank or else the data format. */
function spatialRank(input: Tensor, dataFormat: string | null | undefined): number {
  const rank = input.shape.rank ?? dataFormat?.length ?? null;
  if (rank === null) throw new ValueError("Cannot take the length of shape with unknown rank.", "Give a data format, or use setShape.");
  if (rank < 3 || rank > 5)
    throw new ValueError(`\`input.shape.rank\` must be 3, 4 or 5. Received: input.shape=${input.shape} of rank ${rank}.`);
  return rank - 2;
}

/** Max pooling of sequences, images or volumes, as the input's rank says. TF: tf.nn.max_pool_v2. */
export function maxPoolV2(input: TensorLike, ksize: Sequence, strides: Sequence, padding: PaddingLike, options: PoolOptions = {}): Tensor {
  const x = convertToTensor(input);
  const rank = spatialRank(x, options.dataFormat);
  if (rank === 1) return maxPool1d(x, ksize, strides, padding, options);
  return rank === 2
    ? maxPool2d(x, ksize, strides, padding, { dataFormat: options.dataFormat, name: options.name ?? "MaxPool2d" })
    : maxPool3d(x, ksize, strides, padding as Word, options);
}

/** Average pooling of sequences, images or volumes, as the input's rank says. TF: tf.nn.avg_pool_v2. */
export function avgPoolV2(input: TensorLike, ksize: Sequence, strides: Sequence, padding: Word, options: PoolOptions = {}): Tensor {
  const x = convertToTensor(input);
  const rank = spatialRank(x, options.dataFormat);
  if (rank === 1) return avgPool1d(x, ksize, strides, padding, options);
  return rank === 2 ? avgPool(x, ksize, strides, padding, options) : avgPool3d(x, ksize, strides, padding, options);
}

interface ArgmaxOptions extends Named {
  readonly dataFormat?: string | null;
  readonly Targmax?: "int32" | "int64" | null;
  readonly outputDtype?: "int32" | "int64" | null;
  readonly includeBatchInIndex?: boolean | null;
}

/** Max pooling that also tells where each maximum was, as `(y · width + x) · channels + c`. ksize and strides have four numbers.
 *  TF: tf.nn.max_pool_with_argmax. */
export function maxPoolWithArgmax(
  input: TensorLike,
  ksize: readonly number[],
  strides: readonly number[],
  padding: Word,
  options: ArgmaxOptions = {},
): { readonly output: Tensor; readonly argmax: Tensor } {
  const format = options.dataFormat ?? "NHWC";
  if (format !== "NHWC")
    throw new ValueError(`\`data_format\` values other  than 'NHWC' are not supported. Received: data_format=${format}`);
  for (const [name, value] of [
    ["ksize", ksize],
    ["strides", strides],
  ] as const)
    if (!Array.isArray(value))
      throw new TypeError(`Expected list for '${name}' argument to 'max_pool_with_argmax' Op, not ${representation(value)}.`);
  const Targmax = options.Targmax ?? options.outputDtype ?? "int64";
  return MaxPoolWithArgmax(
    { input, ksize, strides, padding, Targmax, includeBatchInIndex: options.includeBatchInIndex ?? false },
    { name: options.name },
  );
}

interface AnyPoolOptions extends Named {
  readonly dilationRate?: readonly number[] | null;
  readonly strides?: readonly number[] | null;
  readonly dataFormat?: string | null;
  /** Another name of `dilationRate`. */
  readonly dilations?: readonly number[] | null;
}

/** A pool of any kind over one, two or three spatial dimensions, as many as windowShape has numbers. poolingType: "MAX" or "AVG".
 *  TF: tf.nn.pool. */
export function pool(
  input: TensorLike,
  windowShape: readonly number[],
  poolingType: "MAX" | "AVG",
  padding: Word,
  options: AnyPoolOptions = {},
): Tensor {
  const { strides, dataFormat, name } = options;
  return inNameScope({ name }, poolingType === "AVG" ? "avg_pool" : `${String(poolingType).toLowerCase()}_pool`, [input], scope => {
    const image = convertToTensor(input, { name: "input" });
    const rank = windowShape.length;
    if (rank < 1 || rank > 3)
      throw new ValueError(`\`len(window_shape)\` must be 1, 2, or 3. Received: window_shape=${pythonList(windowShape)} of length ${rank}`);
    if (image.shape.rank !== null && image.shape.rank !== rank + 2) throw new ValueError(`Shape ${image.shape} must have rank ${rank + 2}`);
    const dilations = eitherName("dilations", options.dilations, "dilation_rate", options.dilationRate);
    const rates = onePerDimension("dilation_rate", dilations, rank);
    const steps = onePerDimension("strides", strides, rank);
    if (steps.some(step => step > 1) && rates.some(rate => rate > 1))
      throw new ValueError(
        `\`strides > 1\` not supported in conjunction with \`dilation_rate > 1\`. Received: strides=${arrayText(steps)} and dilation_rate=${arrayText(rates)}`,
      );
    if (padding === "SAME" && rates.some(rate => rate > 1))
      throw new ValueError(
        `pooling with 'SAME' padding is not implemented for \`dilation_rate\` > 1. Received: padding=SAME and dilation_rate=${arrayText(rates)}`,
      );
    if (steps.some((step, axis) => step > windowShape[axis]))
      throw new ValueError(
        `\`strides\` > \`window_shape\` not supported due to inconsistency between CPU and GPU implementations. Received: strides=${arrayText(steps)} and window_shape=${pythonList(windowShape)}`,
      );
    if (poolingType !== "MAX" && poolingType !== "AVG") throw new ValueError(`${rank}-D ${poolingType} pooling is not supported.`);
    const format = dataFormat ?? ["NWC", "NHWC", "NDHWC"][rank - 1];
    if (rank === 1 && format !== "NWC" && format !== "NCW")
      throw new ValueError(`data_format must be either 'NWC' or 'NCW'. Received: data_format=${format}`);
    return inBlocks({
      input: image,
      filterShape: [...windowShape],
      dilationRate: [...rates],
      padding,
      dataFormat: format,
      op: (inner, innerPadding) => poolBy(inner, windowShape, steps, poolingType, innerPadding as Word, format, String(scope)),
    });
  });
}

/** Strides or rates as given, 1 each if not. @throws ValueError for other numbers of them, and for those that are not positive. */
function onePerDimension(name: string, values: readonly number[] | null | undefined, rank: number): readonly number[] {
  if (values === null || values === undefined) return Array<number>(rank).fill(1);
  if (values.length !== rank)
    throw new ValueError(
      `\`len(${name})\` should be ${rank}. Received: ${name}=${typeof values === "string" ? values : pythonList(values)} of length ${values.length}`,
    );
  if (values.some(value => value < 1))
    throw new ValueError(`all values of \`${name}\` must be positive. Received: ${name}=${arrayText(values)}`);
  return values;
}

function poolBy(
  input: Tensor,
  sizes: readonly number[],
  steps: readonly number[],
  type: "MAX" | "AVG",
  padding: Word,
  format: string,
  name: string,
): Tensor {
  const isFirst = format.startsWith("NC");
  const spread = (list: readonly number[]): number[] => (isFirst ? [1, 1, ...list] : [1, ...list, 1]);
  if (sizes.length === 3) {
    const window = { ksize: spread(sizes), strides: spread(steps), padding, dataFormat: format as "NDHWC" } as const;
    return type === "MAX" ? MaxPool3D({ input, ...window }, { name }) : AvgPool3D({ input, ...window }, { name });
  }
  const flat = sizes.length === 1;
  const at = isFirst ? 2 : 1;
  const window = {
    ksize: spread(flat ? [1, ...sizes] : sizes),
    strides: spread(flat ? [1, ...steps] : steps),
    padding,
    dataFormat: (flat ? (isFirst ? "NCHW" : "NHWC") : format) as "NHWC",
  };
  const image = flat ? expandDims(input, at) : input;
  const result = type === "MAX" ? MaxPool({ input: image, ...window }, { name }) : AvgPool({ value: image, ...window }, { name });
  return flat ? squeeze(result, [at]) : result;
}
