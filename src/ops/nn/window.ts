// Windows sliding over images: where they start, how many fit, what padding they need. Shared by convolution and pooling.
// Static sizes (possibly unknown) for shape functions, concrete ones for lowerings; the formulas are TensorFlow's.

import { InvalidArgumentError, ValueError } from "../../base/errors.ts";
import type { Dimension } from "../../base/shape.ts";
import type { Index } from "../../ir/index-map.ts";
import { addIndex, constantIndex, scaleIndex } from "../../ir/index-map.ts";

export type Padding = "SAME" | "VALID" | "EXPLICIT";

/** Which axis of a tensor is what, after its data format: `NHWC`, `NCHW`, `NDHWC`, `NCDHW`, `NWC`, `NCW`. */
export interface Axes {
  readonly channel: number;
  readonly spatial: readonly number[];
}

export function axesOf(dataFormat: string): Axes {
  const channel = dataFormat.indexOf("C");
  return { channel, spatial: Array.from(dataFormat, (_, axis) => axis).filter(axis => axis !== 0 && axis !== channel) };
}

/** Puts batch, spatial and channel entries into the order of a format. */
export function arrange<T>({ channel, spatial }: Axes, batch: T, inside: readonly T[], depth: T): T[] {
  const result = Array<T>(spatial.length + 2);
  result[0] = batch;
  spatial.forEach((axis, k) => void (result[axis] = inside[k]));
  result[channel] = depth;
  return result;
}

/** A window moving along one axis: output `o` looks at inputs `o·stride + k·dilation - before` for k < size. */
export interface WindowAxis {
  readonly input: number;
  readonly size: number;
  readonly stride: number;
  readonly dilation: number;
  readonly before: number;
  readonly output: number;
}

interface Extent {
  readonly stride: number;
  readonly dilation?: number | undefined;
  readonly padding: Padding;
  readonly before?: number | undefined;
  readonly after?: number | undefined;
}

/** How many windows fit, as far as known. @throws ValueError with TensorFlow's reason. */
export function windowedSize(
  input: Dimension,
  size: Dimension,
  { stride, dilation = 1, padding, before = 0, after = 0 }: Extent,
): Dimension {
  if (stride <= 0) throw new ValueError(`Stride must be > 0, but got ${stride}`);
  if (dilation < 1) throw new ValueError(`Dilation rate must be >= 1, but got ${dilation}`);
  if (padding === "SAME") return input === null ? null : Math.ceil(input / stride);
  if (input === null || size === null) return null;
  const extent = (size - 1) * dilation + 1;
  const padded = input + before + after;
  if (extent > padded) throw new ValueError(`Negative dimension size caused by subtracting ${extent} from ${padded}`);
  return Math.floor((padded - extent) / stride) + 1;
}

/** The same with concrete numbers, and the padding that goes with it: under SAME half of it, rounded down, lies before.
 *  While running, a window too large for its input by less than two steps gives nothing rather than an error. */
export function windowAlong(
  input: number,
  size: number,
  extent: Extent,
  Refusal: typeof InvalidArgumentError | typeof ValueError = InvalidArgumentError,
): WindowAxis {
  const { stride, dilation = 1, padding, before: given = 0, after = 0 } = extent;
  const reach = (size - 1) * dilation + 1;
  const output = padding === "SAME" ? Math.ceil(input / stride) : Math.trunc((input + given + after - reach + stride) / stride) + 0;
  if (output < 0)
    throw new Refusal(
      `Computed output size would be negative: ${output} [input_size: ${input}, effective_filter_size: ${reach}, stride: ${stride}]`,
    );
  const needed = Math.max((output - 1) * stride + (size - 1) * dilation + 1 - input, 0);
  const before = padding === "SAME" ? Math.floor(needed / 2) : given;
  return { input, size, stride, dilation, before, output };
}

/** How many windows a shape function finds that counts as the kernels do. @throws ValueError with their reason. */
export const slidSize = (input: Dimension, size: number, extent: Extent): Dimension =>
  input === null ? null : windowAlong(input, size, extent, ValueError).output;

/** Where tap `k` of window `o` looks: may lie outside the input. */
export const tapIndex = ({ stride, dilation, before }: WindowAxis, o: Index, k: Index): Index =>
  addIndex(addIndex(scaleIndex(o, stride), scaleIndex(k, dilation)), constantIndex(-before));

/** What convolutions and pools say of their windows; lists have one entry per dimension of the tensor. */
export interface WindowAttrs {
  readonly strides: readonly number[];
  readonly padding: Padding;
  readonly dataFormat: string;
  readonly dilations?: readonly number[] | undefined;
  /** Before and after for every dimension, only under EXPLICIT padding. */
  readonly explicitPaddings?: readonly number[] | undefined;
}

/** The part of the attributes that concerns one axis. */
export const extentOf = ({ strides, padding, dilations, explicitPaddings }: WindowAttrs, axis: number): Extent => ({
  stride: strides[axis],
  dilation: dilations?.[axis],
  padding,
  before: explicitPaddings?.[2 * axis],
  after: explicitPaddings?.[2 * axis + 1],
});

/** @throws ValueError if explicit paddings do not go with the padding, are negative or touch batch or channels. */
export function checkExplicitPaddings({ padding, explicitPaddings = [], dataFormat }: WindowAttrs): void {
  if (padding !== "EXPLICIT") {
    if (explicitPaddings.length > 0)
      throw new ValueError("explicit_paddings attribute must be empty if the padding attribute is not EXPLICIT");
    return;
  }
  const { channel, spatial } = axesOf(dataFormat);
  const expected = 2 * (spatial.length + 2);
  if (explicitPaddings.length !== expected)
    throw new ValueError(`explicit_paddings attribute must contain ${expected} values, but got: ${explicitPaddings.length}`);
  if (explicitPaddings.some(amount => amount < 0)) throw new ValueError("All elements of explicit_paddings must be nonnegative");
  if ([0, 1, 2 * channel, 2 * channel + 1].some(i => explicitPaddings[i] !== 0))
    throw new ValueError("Nonzero explicit padding in the batch or depth dimensions is not supported");
}

/** The windows along the spatial axes of a concrete input. */
export const windowsOf = (shape: readonly number[], sizes: readonly number[], attrs: WindowAttrs): WindowAxis[] =>
  axesOf(attrs.dataFormat).spatial.map((axis, k) => windowAlong(shape[axis], sizes[k], extentOf(attrs, axis)));
