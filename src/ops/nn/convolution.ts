// Convolutions: 2-d, 3-d and depthwise with their gradients, all stated as `contract` with affine indices, operands zero outside.
// Here are the ops; the Python-level functions (conv2d, conv2dTranspose, separable, atrous, conv1d …) are in nn/convolution-api.ts.
// Formulas and checks follow TensorFlow's documentation of these ops; NCHW and dilated depthwise run here although TensorFlow's CPU refuses them.

import { InvalidArgumentError, UnimplementedError, ValueError } from "../../base/errors.ts";
import { NDArray } from "../../base/ndarray.ts";
import type { Dimension } from "../../base/shape.ts";
import { mergedDimension, sizeOf, TensorShape } from "../../base/shape.ts";
import * as attr from "../../graph/attributes.ts";
import { defineOp, type Gradients } from "../../graph/op-definition.ts";
import { contract, full, generate, operand, reshape } from "../../ir/build.ts";
import type { Index } from "../../ir/index-map.ts";
import { addIndex, constantIndex, divIndex, flattenIndex, modIndex, scaleIndex } from "../../ir/index-map.ts";
import type { Operand, Value } from "../../ir/program.ts";
import { constantScalar, guardScalar, loadScalar } from "../../ir/scalar.ts";
import { numbersOf, ShapeN, shape as shapeOf } from "../array/array.ts";
import {
  type Axes,
  arrange,
  axesOf,
  checkExplicitPaddings,
  extentOf,
  tapIndex,
  type WindowAttrs,
  type WindowAxis,
  windowedSize,
  windowsOf,
} from "./window.ts";
import { need } from "../arguments.ts";

const floats = ["float16", "bfloat16", "float32", "float64"] as const;
const convolutionTypes = [...floats, "int32"] as const;

const window2d = {
  strides: attr.ints(),
  padding: attr.oneOf(["SAME", "VALID", "EXPLICIT"]),
  explicitPaddings: attr.ints([]),
  dataFormat: attr.oneOf(["NHWC", "NCHW"], "NHWC"),
  dilations: attr.ints([1, 1, 1, 1]),
};
/** Accepted for TensorFlow's sake, without effect: there is no cuDNN here. */
const cudnn = { useCudnnOnGpu: attr.bool(true) };
const window3d = {
  strides: attr.ints(undefined, 5),
  padding: attr.oneOf(["SAME", "VALID"]),
  dataFormat: attr.oneOf(["NDHWC", "NCDHW"], "NDHWC"),
  dilations: attr.ints([1, 1, 1, 1, 1]),
};

// ---- shapes ----

/** `[batch, …spatial, channels]` in the order of the format. @throws ValueError with TensorFlow's reasons. */
export function convolvedShape(type: string, input: TensorShape, filter: TensorShape, attrs: WindowAttrs): TensorShape {
  const axes = axesOf(attrs.dataFormat);
  const rank = axes.spatial.length;
  const given = input.withRank(rank + 2);
  const taps = filter.withRank(rank + 2);
  checkLengths(type, attrs, rank + 2);
  checkDepth(given.dim(axes.channel), taps.dim(rank), taps.dim(rank + 1));
  checkExplicitPaddings(attrs);
  const sizes = axes.spatial.map((axis, k) => windowedSize(given.dim(axis), taps.dim(k), extentOf(attrs, axis)));
  return new TensorShape(arrange<Dimension>(axes, given.dim(0), sizes, taps.dim(rank + 1)));
}

function checkLengths(type: string, { strides, dilations = [], dataFormat }: WindowAttrs, length: number): void {
  const where = type === "Conv2D" ? ` on data format ${dataFormat}` : "";
  if (dilations.length !== length)
    throw new ValueError(`${type} requires the dilation attribute to contain ${length} values, but got: ${dilations.length}`);
  if (strides.length !== length)
    throw new ValueError(`${type}${where} requires the stride attribute to contain ${length} values, but got: ${strides.length}`);
}

/** Input channels are whole groups of what the filter takes; its outputs divide among the groups. */
function checkDepth(depth: Dimension, perGroup: Dimension, outputs: Dimension): void {
  if (depth === null || perGroup === null) return;
  if (perGroup === 0) throw new ValueError("Depth of filter must not be 0");
  if (depth % perGroup !== 0)
    throw new ValueError(
      `Depth of input (${depth}) is not a multiple of input depth of filter (${perGroup})`,
      "The filter's third-last dimension list is [height, width, channels in, channels out]: `channels in` must equal the input's channels (or divide them, for a grouped convolution).",
    );
  const groups = depth / perGroup;
  if (groups === 0) throw new ValueError("Number of groups must not be 0");
  if (outputs !== null && outputs % groups !== 0)
    throw new ValueError(`Depth of output (${outputs}) is not a multiple of the number of groups (${groups})`);
}

/** The shape of an input gradient: what `sizes` says, joined with what the other inputs tell. */
function inputGradientShape(
  type: string,
  readSizes: () => TensorShape,
  filter: TensorShape,
  outBackprop: TensorShape,
  attrs: WindowAttrs,
  rank: number,
): TensorShape {
  const axes = axesOf(attrs.dataFormat);
  const taps = filter.withRank(rank + 2);
  const dy = outBackprop.withRank(rank + 2);
  mergedDimension(dy.dim(axes.channel), taps.dim(rank + 1));
  // Messages list what was read: TensorFlow reads the sizes after comparing the depths.
  const sizes = readSizes();
  if (sizes.rank === rank) return new TensorShape(arrange<Dimension>(axes, dy.dim(0), sizes.asList(), taps.dim(rank)));
  if (sizes.rank !== null && sizes.rank !== rank + 2)
    throw new ValueError(`${type} requires input_sizes to contain ${rank + 2} values or ${rank} values, but got: ${sizes.rank}`);
  const dims = sizes.withRank(rank + 2).asList();
  // TensorFlow compares the batch sizes, but believes dy alone.
  mergedDimension(dims[0], dy.dim(0));
  dims[0] = dy.dim(0);
  return new TensorShape(dims);
}

// ---- lowering ----

/** A convolution with everything known: channels in `groups` of `perGroup` inputs and `outputs` outputs each. */
interface Geometry {
  readonly axes: Axes;
  readonly windows: readonly WindowAxis[];
  readonly batch: number;
  readonly groups: number;
  readonly perGroup: number;
  readonly outputs: number;
}

/** The geometry of what the checks below let pass. An input without channels is one group of none. */
function geometryOf(input: readonly number[], filter: readonly number[], attrs: WindowAttrs): Geometry {
  const axes = axesOf(attrs.dataFormat);
  const rank = axes.spatial.length;
  const depth = input[axes.channel];
  const groups = Math.max(depth / filter[rank], 1);
  const windows = windowsOf(input, filter.slice(0, rank), attrs);
  return { axes, windows, batch: input[0], groups, perGroup: depth / groups, outputs: filter[rank + 1] / groups };
}

/** What the kernels refuse of their attributes before they see a tensor; some say of batch and depth that it is not implemented. */
function checkSteps(
  { strides, dilations, dataFormat }: WindowAttrs,
  Refusal: typeof InvalidArgumentError | typeof UnimplementedError,
): void {
  const { channel, spatial } = axesOf(dataFormat);
  const length = spatial.length + 2;
  const isImage = length === 4;
  const check = (steps: readonly number[], field: string, what: string, notPositive: string): void => {
    need(steps.length === length, () => `${field} field must specify ${length} dimensions`);
    need(
      steps[0] === 1 && steps[channel] === 1,
      () => `Current implementation does not yet support ${what} in the batch and depth dimensions.`,
      Refusal,
    );
    need(
      spatial.every(axis => steps[axis] > 0),
      () => notPositive,
    );
  };
  const least = Math.min(...spatial.map(axis => strides[axis]));
  const notPositive = isImage ? "Row and column strides should be larger than 0." : `Stride must be > 0, but got ${least}`;
  check(strides, "Sliding window strides", "strides", notPositive);
  if (!dilations) return;
  const onlyOnes = `Current CPU implementation${isImage ? "s do" : " does"} not yet support dilation rates larger than 1.`;
  if (isImage) check(dilations, "Sliding window dilations", "dilations", onlyOnes);
  else check(dilations, "Dilation rates", "dilation rates", onlyOnes);
}

/** Output axes in memory order, the channel axis split into [group, channel in group] if there are groups, so that indices stay affine. */
function splitAxes({ channel, spatial }: Axes, channels: readonly number[], batch: number, inside: readonly number[]) {
  const leading = channel === 1 ? channels : [];
  const trailing = channel === 1 ? [] : channels;
  const from = 1 + leading.length;
  return {
    shape: [batch, ...leading, ...inside, ...trailing],
    parts: (i: readonly Index[]) => ({
      n: i[0],
      at: i.slice(from, from + spatial.length),
      c: channel === 1 ? i.slice(1, from) : i.slice(from + spatial.length),
    }),
  };
}

const splitChannels = (groups: number, each: number): number[] => (groups === 1 ? [each] : [groups, each]);
const joined = (value: Value, shape: readonly number[], groups: number): Value => (groups === 1 ? value : reshape(value, shape));

/** y[n, o, c] = Σ over taps k and channels r of x[n, o·stride + k·dilation - before, r]·w[k, r, c]. */
function convolve(input: Value, filter: Value, geometry: Geometry): Value {
  const { axes, windows, batch, groups, perGroup, outputs } = geometry;
  const rank = windows.length;
  const channels = splitChannels(groups, outputs);
  const sizes = windows.map(window => window.output);
  const { shape, parts } = splitAxes(axes, channels, batch, sizes);
  const result = contract(shape, [...windows.map(window => window.size), perGroup], (i, r) => {
    const { n, at, c } = parts(i);
    const positions = windows.map((window, k) => tapIndex(window, at[k], r[k]));
    const channel = groups === 1 ? r[rank] : addIndex(scaleIndex(c[0], perGroup), r[rank]);
    return [operand(input, arrange(axes, n, positions, channel)), operand(filter, [...r, flattenIndex(c, channels)])];
  });
  return joined(result, arrange(axes, batch, sizes, groups * outputs), groups);
}

/** dw[k, r, c] = Σ over images n and positions o of x[n, o·stride + k·dilation - before, r]·dy[n, o, c]. */
function filterGradient(input: Value, outBackprop: Value, geometry: Geometry): Value {
  const { axes, windows, batch, groups, perGroup, outputs } = geometry;
  const rank = windows.length;
  const channels = splitChannels(groups, outputs);
  const taps = windows.map(window => window.size);
  const result = contract([...taps, perGroup, ...channels], [batch, ...windows.map(window => window.output)], (i, r) => {
    const c = i.slice(rank + 1);
    const positions = windows.map((window, k) => tapIndex(window, r[k + 1], i[k]));
    const channel = groups === 1 ? i[rank] : addIndex(scaleIndex(c[0], perGroup), i[rank]);
    return [
      operand(input, arrange(axes, r[0], positions, channel)),
      operand(outBackprop, arrange(axes, r[0], r.slice(1), flattenIndex(c, channels))),
    ];
  });
  return joined(result, [...taps, perGroup, groups * outputs], groups);
}

/** dx[n, h, r] = Σ over taps k and outputs c of dy[n, (h + before - k·dilation) / stride, c]·w[k, r, c], where that is a whole number.
 *  Stride 1: one contraction, the taps counted backwards. Strides, or windows that have few positions: pixels h = stride·p + t of one phase t see the outputs p + m by the taps
 *  t + before - stride·m, so phases are axes of one contraction over m in which the filter is zero outside: no product with an inserted
 *  zero is ever made, and filtering may take phases for channels (kernels/spatial.ts). Strides with dilations at once are rare: there the zeros are inserted. */
function inputGradient(filter: Value, outBackprop: Value, geometry: Geometry): Value {
  const { windows } = geometry;
  if (isPhased(windows)) return phasedInputGradient(filter, outBackprop, geometry);
  if (windows.every(({ stride }) => stride === 1)) return unstridedInputGradient(filter, outBackprop, geometry);
  const spread = spreadOut(outBackprop, geometry);
  return unstridedInputGradient(filter, spread, {
    ...geometry,
    windows: windows.map(window => ({ ...window, stride: 1, output: (window.output - 1) * window.stride + 1 })),
  });
}

function unstridedInputGradient(filter: Value, outBackprop: Value, geometry: Geometry): Value {
  const { axes, windows, batch, groups, perGroup, outputs } = geometry;
  const rank = windows.length;
  const channels = splitChannels(groups, perGroup);
  const sizes = windows.map(window => window.input);
  const { shape, parts } = splitAxes(axes, channels, batch, sizes);
  const result = contract(shape, [...windows.map(window => window.size), outputs], (i, r) => {
    const { n, at, c } = parts(i);
    // Counting taps backwards lets positions grow with r, as they do in a forward convolution.
    const positions = windows.map(({ size, dilation, before }, k) =>
      addIndex(addIndex(at[k], scaleIndex(r[k], dilation)), constantIndex(before - (size - 1) * dilation)),
    );
    const taps = windows.map(({ size }, k) => addIndex(constantIndex(size - 1), scaleIndex(r[k], -1)));
    const channel = groups === 1 ? r[rank] : addIndex(scaleIndex(c[0], outputs), r[rank]);
    return [operand(outBackprop, arrange(axes, n, positions, channel)), operand(filter, [...taps, c[c.length - 1], channel])];
  });
  return joined(result, arrange(axes, batch, sizes, groups * perGroup), groups);
}

/** Are there at most half as many positions along an axis as taps that see a pixel? A window as wide as its input has one. */
const hasFewOutputs = ({ size, stride, output }: WindowAxis): boolean => 2 * output * stride <= size;
const isPhased = (windows: readonly WindowAxis[]): boolean =>
  windows.every(({ dilation }) => dilation === 1) && windows.some(window => window.stride !== 1 || hasFewOutputs(window));

/** Pixels along an axis as [p, t], t of so many phases: which outputs m from p a phase can see, from the first on. Where there are few outputs, each pixel
 *  is a phase that sees them all. */
function phasesAlong(window: WindowAxis): { pixels: number; phases: number; first: number; outputs: number } {
  const { input, size, stride, before, output } = window;
  if (hasFewOutputs(window)) return { pixels: 1, phases: input, first: 0, outputs: output };
  const first = Math.ceil((before - size + 1) / stride);
  return { pixels: Math.ceil(input / stride), phases: stride, first, outputs: Math.floor((stride - 1 + before) / stride) - first + 1 };
}

/** The contraction that `sums` makes of the pixels' places of all phases, as pixels in the order of the format. */
function ofPhases(
  { axes, windows, batch }: Pick<Geometry, "axes" | "windows" | "batch">,
  channels: readonly number[],
  over: readonly number[],
  sums: (n: Index, outputs: Index[], taps: Index[], c: Index[], r: Index[]) => [Operand, Operand],
): Value {
  const along = windows.map(phasesAlong);
  const rank = windows.length;
  const inside = along.flatMap(({ pixels, phases }) => [pixels, phases]);
  const phased = contract([batch, ...inside, ...channels], [...along.map(({ outputs }) => outputs), ...over], (i, r) => {
    const m = along.map(({ first }, k) => addIndex(r[k], constantIndex(first)));
    const outputs = m.map((index, k) => addIndex(i[1 + 2 * k], index));
    const taps = windows.map(({ stride, before }, k) => addIndex(addIndex(i[2 + 2 * k], constantIndex(before)), scaleIndex(m[k], -stride)));
    return sums(i[0], outputs, taps, i.slice(1 + 2 * rank), r.slice(rank));
  });
  const depth = channels.reduce((product, size) => product * size, 1);
  const pixels = reshape(phased, [batch, ...along.map(({ pixels, phases }) => pixels * phases), depth]);
  const shape = arrange(
    axes,
    batch,
    windows.map(({ input }) => input),
    depth,
  );
  return generate(shape, i => loadScalar(pixels, [i[0], ...axes.spatial.map(axis => i[axis]), i[axes.channel]]));
}

function phasedInputGradient(filter: Value, outBackprop: Value, geometry: Geometry): Value {
  const { axes, groups, perGroup, outputs } = geometry;
  return ofPhases(geometry, splitChannels(groups, perGroup), [outputs], (n, at, taps, c, [r]) => {
    const channel = groups === 1 ? r : addIndex(scaleIndex(c[0], outputs), r);
    return [operand(outBackprop, arrange(axes, n, at, channel)), operand(filter, [...taps, c[c.length - 1], channel])];
  });
}

/** dy with stride - 1 zeros between its positions. */
function spreadOut(outBackprop: Value, { axes, windows, batch }: Geometry): Value {
  const shape = arrange(
    axes,
    batch,
    windows.map(({ output, stride }) => (output - 1) * stride + 1),
    outBackprop.shape[axes.channel],
  );
  return generate(shape, i => {
    const spatial = axes.spatial.map(axis => i[axis]);
    const onGrid = windows.map(({ stride }, k) => ({ index: modIndex(spatial[k], stride), low: 0, high: 1 }));
    const at = arrange(
      axes,
      i[0],
      windows.map(({ stride }, k) => divIndex(spatial[k], stride)),
      i[axes.channel],
    );
    return guardScalar(onGrid, loadScalar(outBackprop, at), constantScalar(outBackprop.dtype, 0));
  });
}

/** The sizes an input gradient is asked for: all dimensions, or the spatial ones alone. */
function inputSizes(sizes: NDArray, filter: Value, outBackprop: Value, dataFormat: string): number[] {
  const axes = axesOf(dataFormat);
  const given = numbersOf(sizes);
  if (given.length === axes.spatial.length)
    need(
      given.every(size => size >= 0),
      () => `Conv2DBackpropInput: elements of input_sizes must be >= 0, not ${given.join("x")}`,
    );
  return given.length === axes.spatial.length ? arrange(axes, outBackprop.shape[0], given, filter.shape[axes.spatial.length]) : given;
}

/** What the kernel of Conv2D refuses. */
function checkImages(input: readonly number[], filter: readonly number[], attrs: WindowAttrs): void {
  checkSteps(attrs, UnimplementedError);
  need(input.length === 4, () => `convolution input must be 4-dimensional: [${input}]`);
  need(filter.length === 4, () => `convolution filter must be 4-dimensional: [${filter}]`);
  const [perGroup, outputs] = filter.slice(2);
  const depth = input[axesOf(attrs.dataFormat).channel];
  need(perGroup > 0, () => `filter depth must be stricly positive, got ${perGroup}`);
  need(depth % perGroup === 0, () => `input depth must be evenly divisible by filter depth: ${depth} vs ${perGroup}`);
  if (input.includes(0) || convolvedSizes(input, filter, attrs).includes(0)) return;
  need(!filter.includes(0), () => "filter must not have zero elements (i.e. all dimensions must be non-zero)");
  const groups = depth / perGroup;
  need(outputs % groups === 0, () => `output depth must be evenly divisible by number of groups: ${outputs} vs ${groups}`);
}

/** What the kernel of Conv3D refuses. */
function checkVolumes(input: readonly number[], filter: readonly number[], attrs: WindowAttrs): void {
  checkSteps(attrs, InvalidArgumentError);
  need(input.length === 5, () => "input must be 5-dimensional");
  need(filter.length === 5, () => "filter must be 5-dimensional");
  const depth = input[axesOf(attrs.dataFormat).channel];
  need(filter[3] !== 0, () => "filter_depth must be non-zero");
  need(depth % filter[3] === 0, () => `Input depth must be evenly divisible by filter depth: ${depth} vs ${filter[3]}`);
  need(!filter.includes(0), () => "filter must not have zero elements (i.e. all dimensions must be non-zero)");
  need(
    depth === filter[3] || convolvedSizes(input, filter, attrs).includes(0),
    () => `Number of channels in filter (${filter[3]}) must match last dimension of input (${depth})`,
  );
}

export function convolvedSizes(input: readonly number[], filter: readonly number[], attrs: WindowAttrs): number[] {
  const axes = axesOf(attrs.dataFormat);
  const rank = axes.spatial.length;
  const sizes = windowsOf(input, filter.slice(0, rank), attrs).map(({ output }) => output);
  return arrange(axes, input[0], sizes, filter[rank + 1]);
}

/** The sums of a convolution that reads and gives something; a filter without taps gives zeros. */
export const convolved = (input: Value, filter: Value, attrs: WindowAttrs): Value =>
  convolve(input, filter, geometryOf(input.shape, filter.shape, attrs));

/** The convolution of what the checks let pass: nothing comes of nothing, and of an empty input only what pads it. */
function lowerConvolution(input: Value, filter: Value, attrs: WindowAttrs): Value {
  const shape = convolvedSizes(input.shape, filter.shape, attrs);
  if (input.shape.includes(0) || shape.includes(0)) return full(input.dtype, shape, 0);
  return convolved(input, filter, attrs);
}

const checkSizes = (sizes: readonly number[]): void => {
  for (const size of sizes) need(size >= 0, () => `Dimension ${size} must be >= 0`);
};

/** What the gradients' kernels refuse of shapes, in their order and two manners of speech. */
function checkGradientOf(
  label: string,
  input: readonly number[],
  filter: readonly number[],
  dy: readonly number[],
  attrs: WindowAttrs,
): void {
  const { channel, spatial } = axesOf(attrs.dataFormat);
  const rank = spatial.length + 2;
  const [depth, perGroup] = [input[channel], filter[rank - 2]];
  if (rank === 5) {
    for (const [name, dims] of Object.entries({ input, filter_sizes: filter, out_backprop: dy }))
      need(dims.length === 5, () => `${name} tensor must have 5 dimensions`);
    need(
      depth === perGroup,
      () => `input and filter_sizes must have the same number of channels. Got ${depth} for input and ${perGroup} for filter_sizes`,
    );
    need(
      dy[channel] === filter[4],
      () =>
        `out_backprop and filter_sizes must have the same number of channels. Got ${dy[channel]} for out_backprop and ${filter[4]} for filter_sizes`,
    );
  }
  for (const [name, dims] of Object.entries({ input, filter, out_backprop: dy }))
    need(dims.length === rank, () => `${label}: ${name} must be ${rank}-dimensional`);
  need(
    input[0] === dy[0],
    () =>
      `${label}: input and out_backprop must have the same batch size. Input batch: ${input[0]}, outbackprop batch: ${dy[0]}, batch_dim: 0`,
  );
  need(perGroup > 0, () => `${label}: filter depth must be strictly greated than zero`);
  need(depth % perGroup === 0, () => `${label}: input depth must be evenly divisible by filter depth`);
  need(filter[rank - 1] === dy[channel], () => `${label}: filter and out_backprop must have the same out_depth`);
  windowsOf(input, filter.slice(0, rank - 2), attrs).forEach(({ size, output, stride, dilation }, k) => {
    const actual = dy[spatial[k]];
    need(
      actual === output,
      () =>
        `${label}: Size of out_backprop doesn't match computed: actual = ${actual}, computed = ${output} spatial_dim: ${spatial[k]} input: ${input[spatial[k]]} filter: ${size} output: ${actual} stride: ${stride} dilation: ${dilation}`,
    );
  });
}

/** Whether the filter's outputs divide among groups of its inputs; TensorFlow's CPU has no gradients of more groups than one at all. */
const hasWholeGroups = (input: readonly number[], filter: readonly number[], { dataFormat }: WindowAttrs): boolean => {
  const { channel, spatial } = axesOf(dataFormat);
  const groups = input[channel] / filter[spatial.length];
  return groups > 0 && filter[spatial.length + 1] % groups === 0;
};

function lowerInputGradient(label: string, sizes: NDArray, filter: Value, outBackprop: Value, attrs: WindowAttrs): Value {
  const { channel, spatial } = axesOf(attrs.dataFormat);
  checkSteps(attrs, spatial.length === 2 ? UnimplementedError : InvalidArgumentError);
  const input = inputSizes(sizes, filter, outBackprop, attrs.dataFormat);
  checkSizes(input);
  const rank = outBackprop.shape.length;
  if (spatial.length === 2) need(rank === 4, () => `input_sizes must be 4-dimensional, got: ${rank}`);
  checkGradientOf(label, input, filter.shape, outBackprop.shape, attrs);
  need(
    hasWholeGroups(input, filter.shape, attrs),
    () =>
      `Gradients for grouped convolutions are not supported on CPU. Please file a feature request if you run into this issue. Computed input depth ${input[channel]} doesn't match filter input depth ${filter.shape[spatial.length]}`,
  );
  return inputGradient(filter, outBackprop, geometryOf(input, filter.shape, attrs));
}

function lowerFilterGradient(label: string, input: Value, sizes: NDArray, outBackprop: Value, attrs: WindowAttrs): Value {
  checkSteps(attrs, InvalidArgumentError);
  const filter = numbersOf(sizes);
  checkSizes(filter);
  checkGradientOf(label, input.shape, filter, outBackprop.shape, attrs);
  if (filter.includes(0)) return full(input.dtype, filter, 0);
  need(hasWholeGroups(input.shape, filter, attrs), () => {
    const { channel, spatial } = axesOf(attrs.dataFormat);
    const each = sizeOf(filter) / filter[spatial.length];
    return `filter_size does not have enough elements, requested ${each * input.shape[channel]}, got ${sizeOf(filter)}`;
  });
  return filterGradient(input, outBackprop, geometryOf(input.shape, filter, attrs));
}

// ---- 2-d ----

/** Cross-correlation of images with filters `[height, width, in, out]`; more input channels than `in` mean groups. */
export const Conv2D = defineOp("Conv2D", {
  inputs: { input: "T", filter: "T" },
  outputs: { output: "T" },
  attrs: { T: attr.type(convolutionTypes), ...cudnn, ...window2d },
  shape: ({ input, filter, ...w }) => convolvedShape("Conv2D", input, filter, w),
  checks: ({ input, filter, ...w }) => checkImages(input, filter, w),
  isLenient: true,
  gradient: ({ input, filter, output: _, ...w }, d): Gradients => {
    const [inputShape, filterShape] = ShapeN({ input: [input, filter] });
    return {
      input: Conv2DBackpropInput({ inputSizes: inputShape, filter, outBackprop: d.output, ...w }),
      filter: Conv2DBackpropFilter({ input, filterSizes: filterShape, outBackprop: d.output, ...w }),
    };
  },
  lower: ({ input, filter, ...w }) => lowerConvolution(input, filter, w),
});

/** The gradient of Conv2D with respect to its input: also what a transposed convolution computes. */
export const Conv2DBackpropInput = defineOp("Conv2DBackpropInput", {
  inputs: { inputSizes: "int32", filter: "T", outBackprop: "T" },
  outputs: { output: "T" },
  attrs: { T: attr.type(convolutionTypes), ...cudnn, ...window2d },
  shape: ({ inputSizes: _, filter, outBackprop, ...w }, context) =>
    inputGradientShape("Conv2DBackpropInput", () => context.shapeFrom("inputSizes"), filter, outBackprop, w, 2),
  checks: ({ inputSizes: sizes }) => {
    need(sizes.length === 1, () => `Conv2DBackpropInput: input_sizes input must be 1-dim, not ${sizes.length}`);
    need(
      sizes[0] === 4 || sizes[0] === 2,
      () => `Conv2DBackpropInput requires input_sizes to contain 4 values or 2 values, but got: ${sizes[0]}`,
    );
  },
  isLenient: true,
  compileTimeInputs: ["inputSizes"],
  gradient: ({ inputSizes: _s, filter, outBackprop, output: _, ...w }, d): Gradients => ({
    inputSizes: null,
    filter: Conv2DBackpropFilter({ input: d.output, filterSizes: shapeOf(filter), outBackprop, ...w }),
    outBackprop: Conv2D({ input: d.output, filter, ...w }),
  }),
  lower: ({ inputSizes: sizes, filter, outBackprop, ...w }) =>
    lowerInputGradient("Conv2DCustomBackpropInput", sizes, filter, outBackprop, w),
});

/** The gradient of Conv2D with respect to its filter. */
export const Conv2DBackpropFilter = defineOp("Conv2DBackpropFilter", {
  inputs: { input: "T", filterSizes: "int32", outBackprop: "T" },
  outputs: { output: "T" },
  attrs: { T: attr.type(floats), ...cudnn, ...window2d },
  shape: (_, context) => context.shapeFrom("filterSizes").withRank(4),
  checks: ({ filterSizes }) =>
    need(filterSizes.length === 1, () => `Conv2DCustomBackpropFilter: filter_sizes input must be 1-dim, not ${filterSizes.length}`),
  isLenient: true,
  compileTimeInputs: ["filterSizes"],
  gradient: ({ input, filterSizes: _f, outBackprop, output: _, ...w }, d): Gradients => ({
    input: Conv2DBackpropInput({ inputSizes: shapeOf(input), filter: d.output, outBackprop, ...w }),
    filterSizes: null,
    outBackprop: Conv2D({ input, filter: d.output, ...w }),
  }),
  lower: ({ input, filterSizes, outBackprop, ...w }) =>
    lowerFilterGradient("Conv2DCustomBackpropFilter", input, filterSizes, outBackprop, w),
});

// ---- 3-d ----

export const Conv3D = defineOp("Conv3D", {
  inputs: { input: "T", filter: "T" },
  outputs: { output: "T" },
  attrs: { T: attr.type(floats), ...window3d },
  shape: ({ input, filter, ...w }) => convolvedShape("Conv3D", input, filter, w),
  checks: ({ input, filter, ...w }) => checkVolumes(input, filter, w),
  isLenient: true,
  gradient: ({ input, filter, output: _, ...w }, d): Gradients => {
    const [inputShape, filterShape] = ShapeN({ input: [input, filter] });
    return {
      input: Conv3DBackpropInputV2({ inputSizes: inputShape, filter, outBackprop: d.output, ...w }),
      filter: Conv3DBackpropFilterV2({ input, filterSizes: filterShape, outBackprop: d.output, ...w }),
    };
  },
  lower: ({ input, filter, ...w }) => lowerConvolution(input, filter, w),
});

export const Conv3DBackpropInputV2 = defineOp("Conv3DBackpropInputV2", {
  inputs: { inputSizes: "Tshape", filter: "T", outBackprop: "T" },
  outputs: { output: "T" },
  attrs: { T: attr.type(floats), ...window3d, Tshape: attr.type(attr.indexTypes, "int32") },
  shape: (_, context) => context.shapeFrom("inputSizes").withRank(5),
  checks: ({ inputSizes: sizes }) => need(sizes.length === 1, () => `shape must be a vector of {int32,int64}, got shape [${sizes}]`),
  isLenient: true,
  compileTimeInputs: ["inputSizes"],
  gradient: ({ inputSizes: _s, filter, outBackprop, output: _, Tshape: _t, ...w }, d): Gradients => ({
    inputSizes: null,
    filter: Conv3DBackpropFilterV2({ input: d.output, filterSizes: shapeOf(filter), outBackprop, ...w }),
    outBackprop: Conv3D({ input: d.output, filter, ...w }),
  }),
  lower: ({ inputSizes: sizes, filter, outBackprop, ...w }) => lowerInputGradient("Conv3DBackpropInputOp", sizes, filter, outBackprop, w),
});

export const Conv3DBackpropFilterV2 = defineOp("Conv3DBackpropFilterV2", {
  inputs: { input: "T", filterSizes: "int32", outBackprop: "T" },
  outputs: { output: "T" },
  attrs: { T: attr.type(floats), ...window3d },
  shape: (_, context) => context.shapeFrom("filterSizes").withRank(5),
  checks: ({ filterSizes: sizes }) => need(sizes.length === 1, () => `shape must be a vector of {int32,int64}, got shape [${sizes}]`),
  isLenient: true,
  compileTimeInputs: ["filterSizes"],
  gradient: ({ input, filterSizes: _f, outBackprop, output: _, ...w }, d): Gradients => ({
    input: Conv3DBackpropInputV2({ inputSizes: shapeOf(input), filter: d.output, outBackprop, ...w }),
    filterSizes: null,
    outBackprop: Conv3D({ input, filter: d.output, ...w }),
  }),
  lower: ({ input, filterSizes, outBackprop, ...w }) => lowerFilterGradient("Conv3DBackpropFilterOp", input, filterSizes, outBackprop, w),
});

type VolumeAttrs = Omit<WindowAttrs, "dataFormat">;

/** The gradients of Conv3D as the ops of the first versions ask for them, with the whole input or filter instead of its sizes. */
export const volumeInputGradient = (input: Value, filter: Value, outBackprop: Value, attrs: VolumeAttrs): Value =>
  lowerInputGradient("Conv3DBackpropInputOp", ...volume(input.shape, filter, outBackprop, attrs));
export function volumeFilterGradient(input: Value, filter: Value, outBackprop: Value, attrs: VolumeAttrs): Value {
  if (input.shape.length !== 5) throw new InvalidArgumentError("input tensor must have 5 dimensions");
  const [sizes, , , w] = volume(filter.shape, filter, outBackprop, attrs);
  return lowerFilterGradient("Conv3DBackpropFilterOp", input, sizes, outBackprop, w);
}
const volume = (sizes: readonly number[], filter: Value, outBackprop: Value, attrs: VolumeAttrs) =>
  [NDArray.from([...sizes], "int32"), filter, outBackprop, { ...attrs, dataFormat: "NDHWC" }] as const;

// ---- depthwise ----

/** A convolution of each channel by itself, with `multiplier` filters each: a grouped one whose filter `[h, w, c, m]` lists channel before multiplier. */
interface DepthwiseGeometry {
  readonly axes: Axes;
  readonly windows: readonly WindowAxis[];
  readonly batch: number;
  readonly depth: number;
  readonly multiplier: number;
}

function depthwiseGeometry(input: readonly number[], filter: readonly number[], attrs: WindowAttrs): DepthwiseGeometry {
  const axes = axesOf(attrs.dataFormat);
  if (input.length !== 4) throw new InvalidArgumentError(`input must be 4-dimensional[${input}]`);
  if (filter.length !== 4) throw new InvalidArgumentError(`filter must be 4-dimensional: [${filter}]`);
  if (input[axes.channel] !== filter[2])
    throw new InvalidArgumentError(`input and filter must have the same depth: ${input[axes.channel]} vs ${filter[2]}`);
  const [row, column] = axes.spatial.map(axis => attrs.strides[axis]);
  if (row !== column)
    throw new InvalidArgumentError("Current implementation only supports equal length strides in the row and column dimensions.");
  if (attrs.strides[0] !== 1 || attrs.strides[axes.channel] !== 1)
    throw new InvalidArgumentError("Current implementation does not yet support strides in the batch and depth dimensions.");
  const windows = windowsOf(input, filter.slice(0, 2), attrs);
  return { axes, windows, batch: input[0], depth: filter[2], multiplier: filter[3] };
}

/** What the kernels of depthwise gradients ask. */
function depthwiseGradientGeometry(
  label: string,
  what: string,
  given: readonly number[],
  { input, filter, dy }: Readonly<Record<"input" | "filter" | "dy", readonly number[]>>,
  attrs: WindowAttrs,
): DepthwiseGeometry {
  given.forEach((size, i) => void need(size >= 0, () => `Dimension ${i} of ${what} must be >= 0`));
  for (const [name, dims] of Object.entries({ input, filter, out_backprop: dy }))
    need(dims.length === 4, () => `${label}: ${name} must be 4-dimensional`);
  const { channel, spatial } = axesOf(attrs.dataFormat);
  need(input[0] === dy[0], () => `${label}: input and out_backprop must have the same batch size`);
  need(input[channel] === filter[2], () => `${label}: input and filter must have the same in_depth`);
  need(filter[2] * filter[3] === dy[channel], () => `${label}: depth_multiplier * in_depth not equal to out_depth`);
  const geometry = depthwiseGeometry(input, filter, attrs);
  geometry.windows.forEach(({ output }, k) => {
    const actual = dy[spatial[k]];
    need(
      actual === output,
      () => `${label}: Number of ${["rows", "cols"][k]} of out_backprop doesn't match computed: actual = ${actual}, computed = ${output}`,
    );
  });
  return geometry;
}

/** y[n, o, (c, m)] = Σ over taps of x[n, o·stride + k·dilation - before, c]·w[k, c, m]. */
function depthwise(input: Value, filter: Value, { axes, windows, batch, depth, multiplier }: DepthwiseGeometry): Value {
  const channels = multiplier === 1 ? [depth] : [depth, multiplier];
  const sizes = windows.map(({ output }) => output);
  const { shape, parts } = splitAxes(axes, channels, batch, sizes);
  const result = contract(
    shape,
    windows.map(({ size }) => size),
    (i, r) => {
      const { n, at, c } = parts(i);
      const positions = windows.map((window, k) => tapIndex(window, at[k], r[k]));
      return [operand(input, arrange(axes, n, positions, c[0])), operand(filter, [...r, c[0], c[1] ?? constantIndex(0)])];
    },
  );
  return multiplier === 1 ? result : reshape(result, arrange(axes, batch, sizes, depth * multiplier));
}

/** dw[k, c, m] = Σ over n and o of x[n, o·stride + k·dilation - before, c]·dy[n, o, (c, m)]. */
function depthwiseFilterGradient(input: Value, outBackprop: Value, { axes, windows, batch, depth, multiplier }: DepthwiseGeometry): Value {
  return contract([...windows.map(({ size }) => size), depth, multiplier], [batch, ...windows.map(({ output }) => output)], (i, r) => {
    const positions = windows.map((window, k) => tapIndex(window, r[k + 1], i[k]));
    return [
      operand(input, arrange(axes, r[0], positions, i[2])),
      operand(outBackprop, arrange(axes, r[0], r.slice(1), addIndex(scaleIndex(i[2], multiplier), i[3]))),
    ];
  });
}

/** dx[n, h, c] = Σ over taps and m of dy[n, (h + before - k·dilation) / stride, (c, m)]·w[k, c, m], as inputGradient does it. */
function depthwiseInputGradient(filter: Value, outBackprop: Value, geometry: DepthwiseGeometry): Value {
  const { axes, windows, batch, depth, multiplier } = geometry;
  const outputOf = (c: Index, m: Index): Index => addIndex(scaleIndex(c, multiplier), m);
  if (isPhased(windows))
    return ofPhases(geometry, [depth], [multiplier], (n, at, taps, [c], [m]) => [
      operand(outBackprop, arrange(axes, n, at, outputOf(c, m))),
      operand(filter, [...taps, c, m]),
    ]);
  const isStrided = windows.some(({ stride }) => stride !== 1);
  const dy = isStrided ? spreadOut(outBackprop, { ...geometry, groups: depth, perGroup: 1, outputs: multiplier }) : outBackprop;
  const shape = arrange(
    axes,
    batch,
    windows.map(({ input }) => input),
    depth,
  );
  return contract(shape, [...windows.map(({ size }) => size), multiplier], (i, r) => {
    const c = i[axes.channel];
    const positions = windows.map(({ size, dilation, before }, k) =>
      addIndex(addIndex(i[axes.spatial[k]], scaleIndex(r[k], dilation)), constantIndex(before - (size - 1) * dilation)),
    );
    const taps = windows.map(({ size }, k) => addIndex(constantIndex(size - 1), scaleIndex(r[k], -1)));
    return [operand(dy, arrange(axes, i[0], positions, outputOf(c, r[2]))), operand(filter, [...taps, c, r[2]])];
  });
}

export function depthwiseShape(input: TensorShape, filter: TensorShape, attrs: WindowAttrs): TensorShape {
  const axes = axesOf(attrs.dataFormat);
  const given = input.withRank(4);
  const taps = filter.withRank(4);
  if (attrs.strides.length !== 4)
    throw new ValueError(`DepthwiseConv2D requires the stride attribute to contain 4 values, but got: ${attrs.strides.length}`);
  if (attrs.dilations?.length !== 4)
    throw new ValueError(`DepthwiseConv2D requires the dilations attribute to contain 4 values, but got: ${attrs.dilations?.length}`);
  const depth = mergedDimension(given.dim(axes.channel), taps.dim(2));
  const multiplier = taps.dim(3);
  checkExplicitPaddings(attrs);
  const sizes = axes.spatial.map((axis, k) => windowedSize(given.dim(axis), taps.dim(k), extentOf(attrs, axis)));
  return new TensorShape(arrange<Dimension>(axes, given.dim(0), sizes, depth === null || multiplier === null ? null : depth * multiplier));
}

/** Each channel c convolved with its own filters `[height, width, c, m]`; output channel c·multiplier + m. */
export const DepthwiseConv2dNative = defineOp("DepthwiseConv2dNative", {
  inputs: { input: "T", filter: "T" },
  outputs: { output: "T" },
  attrs: { T: attr.type(floats), ...window2d },
  shape: ({ input, filter, ...w }) => depthwiseShape(input, filter, w),
  isLenient: true,
  gradient: ({ input, filter, output: _, ...w }, d): Gradients => ({
    input: DepthwiseConv2dNativeBackpropInput({ inputSizes: shapeOf(input), filter, outBackprop: d.output, ...w }),
    filter: DepthwiseConv2dNativeBackpropFilter({ input, filterSizes: shapeOf(filter), outBackprop: d.output, ...w }),
  }),
  lower: ({ input, filter, ...w }) => depthwise(input, filter, depthwiseGeometry(input.shape, filter.shape, w)),
});

export const DepthwiseConv2dNativeBackpropInput = defineOp("DepthwiseConv2dNativeBackpropInput", {
  inputs: { inputSizes: "int32", filter: "T", outBackprop: "T" },
  outputs: { output: "T" },
  attrs: { T: attr.type(floats), ...window2d },
  shape: (_, context) => context.shapeFrom("inputSizes").withRank(4),
  checks: ({ inputSizes: sizes }) =>
    need(sizes.length === 1, () => `Conv2DBackpropInput: input_sizes input must be 1-dim, not ${sizes.length}`),
  compileTimeInputs: ["inputSizes"],
  gradient: ({ inputSizes: _s, filter, outBackprop, output: _, ...w }, d): Gradients => ({
    inputSizes: null,
    filter: DepthwiseConv2dNativeBackpropFilter({ input: d.output, filterSizes: shapeOf(filter), outBackprop, ...w }),
    outBackprop: DepthwiseConv2dNative({ input: d.output, filter, ...w }),
  }),
  lower: ({ inputSizes: sizes, filter, outBackprop, ...w }) => {
    const input = numbersOf(sizes);
    const shapes = { input, filter: filter.shape, dy: outBackprop.shape };
    const geometry = depthwiseGradientGeometry("DepthwiseConv2DBackpropInput", "input_sizes", input, shapes, w);
    return depthwiseInputGradient(filter, outBackprop, geometry);
  },
});

export const DepthwiseConv2dNativeBackpropFilter = defineOp("DepthwiseConv2dNativeBackpropFilter", {
  inputs: { input: "T", filterSizes: "int32", outBackprop: "T" },
  outputs: { output: "T" },
  attrs: { T: attr.type(floats), ...window2d },
  shape: (_, context) => context.shapeFrom("filterSizes").withRank(4),
  checks: ({ filterSizes }) =>
    need(filterSizes.length === 1, () => `Conv2DBackpropFilter: filter_sizes input must be 1-dim, not ${filterSizes.length}`),
  compileTimeInputs: ["filterSizes"],
  gradient: ({ input, filterSizes: _f, outBackprop, output: _, ...w }, d): Gradients => ({
    input: DepthwiseConv2dNativeBackpropInput({ inputSizes: shapeOf(input), filter: d.output, outBackprop, ...w }),
    filterSizes: null,
    outBackprop: DepthwiseConv2dNative({ input, filter: d.output, ...w }),
  }),
  lower: ({ input, filterSizes, outBackprop, ...w }) => {
    const filter = numbersOf(filterSizes);
    const shapes = { input: input.shape, filter, dy: outBackprop.shape };
    return depthwiseFilterGradient(
      input,
      outBackprop,
      depthwiseGradientGeometry("DepthwiseConv2DBackpropFilter", "filter_sizes", filter, shapes, w),
    );
  },
});
