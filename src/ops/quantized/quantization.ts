// Fake quantization: numbers rounded to what so many bits between two bounds can hold, with the gradients of training that way (Jacob et al. 2018).
// The bounds are nudged so that zero is one of the values.

import { InvalidArgumentError } from "../../base/errors.ts";
import { mergedDimension, sameShape, TensorShape } from "../../base/shape.ts";
import * as attr from "../../graph/attributes.ts";
import type { TensorLike } from "../../graph/conversion.ts";
import { defineOp, type Gradients, type Named } from "../../graph/op-definition.ts";
import type { Tensor } from "../../graph/operation.ts";
import { collect, need, refuseOthers } from "../arguments.ts";
import * as ir from "../../ir/build.ts";
import type { Value } from "../../ir/program.ts";
import { constantScalar, type Scalar, s } from "../../ir/scalar.ts";

const widths = { numBits: attr.int(8), narrowRange: attr.bool(false) };

interface Width {
  readonly numBits: number;
  readonly narrowRange: boolean;
}

interface Nudged {
  readonly low: Value;
  readonly high: Value;
  readonly scale: Value;
}

const f32 = (x: number): Scalar => constantScalar("float32", x);

/** The bounds moved so that zero is a step, and the width of a step. @throws InvalidArgumentError for other widths than 2 to 16 bits. */
function nudged(min: Value, max: Value, { numBits, narrowRange }: Width): Nudged {
  if (numBits < 2 || numBits > 16) throw new InvalidArgumentError("num_bits must be between 2 and 16, inclusive");
  const [first, last] = [narrowRange ? 1 : 0, 2 ** numBits - 1];
  const scale = ir.map((a, b) => s.div(s.sub(b, a), f32(last - first)), min, max);
  const zero = ir.map(
    (a, step) => {
      const exact = s.sub(f32(first), s.div(a, step));
      return s.select(s.lt(exact, f32(first)), f32(first), s.select(s.gt(exact, f32(last)), f32(last), s.floor(s.add(exact, f32(0.5)))));
    },
    min,
    scale,
  );
  return {
    low: ir.map((z, step) => s.mul(s.sub(f32(first), z), step), zero, scale),
    high: ir.map((z, step) => s.mul(s.sub(f32(last), z), step), zero, scale),
    scale,
  };
}

/** Both bounds zero: there is one value, and gradients pass. */
const areZero = (min: Scalar, max: Scalar): Scalar => s.and(s.eq(min, f32(0)), s.eq(max, f32(0)));

/** In steps from zero. Where a number lies half way between two, the last bit of its quotient decides: one of TensorFlow's kernels divides by the step, the
 *  others multiply by steps per unit. */
function quantized(inputs: Value, min: Value, max: Value, width: Width, by: "quotient" | "product"): Value {
  const { low, high, scale } = nudged(min, max, width);
  const steps = 2 ** width.numBits - (width.narrowRange ? 2 : 1);
  return ir.map(
    (x, a, b, nudgedLow, nudgedHigh, step) => {
      const inSteps = (y: Scalar): Scalar => (by === "quotient" ? s.div(y, step) : s.mul(y, s.div(f32(steps), s.sub(b, a))));
      const zero = s.floor(s.add(inSteps(s.neg(nudgedLow)), f32(0.5)));
      const shifted = s.sub(s.max(s.min(x, nudgedHigh), nudgedLow), nudgedLow);
      const rounded = s.mul(s.floor(s.add(s.sub(inSteps(shifted), zero), f32(0.5))), step);
      return s.select(areZero(a, b), f32(0), rounded);
    },
    inputs,
    min,
    max,
    low,
    high,
    scale,
  );
}

/** The gradient by the inputs, and what falls below and above the bounds. */
function backprops(
  gradients: Value,
  inputs: Value,
  min: Value,
  max: Value,
  width: Width,
): readonly [inside: Value, below: Value, above: Value] {
  const { low, high } = nudged(min, max, width);
  const keep = (when: (x: Scalar, low: Scalar, high: Scalar) => Scalar, whenZero: (d: Scalar) => Scalar): Value =>
    ir.map(
      (d, x, a, b, l, h) => s.select(areZero(a, b), whenZero(d), s.select(when(x, l, h), d, f32(0))),
      gradients,
      inputs,
      min,
      max,
      low,
      high,
    );
  return [
    keep(
      (x, l, h) => s.and(s.ge(x, l), s.le(x, h)),
      d => d,
    ),
    keep(
      (x, l) => s.lt(x, l),
      () => f32(0),
    ),
    keep(
      (x, _, h) => s.gt(x, h),
      () => f32(0),
    ),
  ];
}

const scalarOf = (x: number): Value => ir.full("float32", [], x);

export const FakeQuantWithMinMaxArgs = defineOp("FakeQuantWithMinMaxArgs", {
  inputs: { inputs: "float32" },
  outputs: { outputs: "float32" },
  attrs: { min: attr.float(-6), max: attr.float(6), ...widths },
  shape: ({ inputs }) => inputs,
  gradient: ({ inputs, min, max, numBits, narrowRange }, d): Gradients => ({
    inputs: FakeQuantWithMinMaxArgsGradient({ gradients: d.outputs, inputs, min, max, numBits, narrowRange }),
  }),
  lower: ({ inputs, min, max, ...width }) => {
    if (min >= max) throw new InvalidArgumentError(`min has to be smaller than max, was: ${min} >= ${max}`);
    return quantized(inputs, scalarOf(min), scalarOf(max), width, "product");
  },
});

export const FakeQuantWithMinMaxArgsGradient = defineOp("FakeQuantWithMinMaxArgsGradient", {
  inputs: { gradients: "float32", inputs: "float32" },
  outputs: { backprops: "float32" },
  attrs: { min: attr.float(-6), max: attr.float(6), ...widths },
  gradient: "none",
  shape: ({ gradients }) => gradients,
  lower: ({ gradients, inputs, min, max, ...width }) => backprops(gradients, inputs, scalarOf(min), scalarOf(max), width)[0],
});

/** With bounds that are tensors, so that they can be trained. */
function checkBounds(bounds: Readonly<Record<"min" | "max", readonly number[]>>, rank: number): void {
  for (const name of ["min", "max"] as const)
    need(bounds[name].length === rank, () => `\`${name}\` must be rank ${rank} but is rank ${bounds[name].length}`);
}

export const FakeQuantWithMinMaxVars = defineOp("FakeQuantWithMinMaxVars", {
  inputs: { inputs: "float32", min: "float32", max: "float32" },
  outputs: { outputs: "float32" },
  attrs: widths,
  shape: ({ inputs, min, max }) => {
    min.withRank(0);
    max.withRank(0);
    return inputs;
  },
  checks: ({ min, max }) => checkBounds({ min, max }, 0),
  gradient: ({ inputs, min, max, numBits, narrowRange }, d): Gradients => {
    const back = FakeQuantWithMinMaxVarsGradient({ gradients: d.outputs, inputs, min, max, numBits, narrowRange });
    return { inputs: back.backpropsWrtInput, min: back.backpropWrtMin, max: back.backpropWrtMax };
  },
  lower: ({ inputs, min, max, ...width }) => quantized(inputs, min, max, width, "quotient"),
});

const backpropOutputs = { backpropsWrtInput: "float32", backpropWrtMin: "float32", backpropWrtMax: "float32" } as const;

export const FakeQuantWithMinMaxVarsGradient = defineOp("FakeQuantWithMinMaxVarsGradient", {
  inputs: { gradients: "float32", inputs: "float32", min: "float32", max: "float32" },
  outputs: backpropOutputs,
  attrs: widths,
  gradient: "none",
  shape: ({ gradients, inputs, min, max }): TensorShape[] => {
    const bound = min.withRank(0).mergeWith(max);
    return [gradients.mergeWith(inputs), bound, bound];
  },
  checks: ({ gradients, inputs, min, max }) => {
    need(sameShape(gradients, inputs), () => "gradient and input must be the same size");
    checkBounds({ min, max }, 0);
  },
  lower: ({ gradients, inputs, min, max, ...width }) => {
    const [inside, below, above] = backprops(gradients, inputs, min, max, width);
    const axes = inputs.shape.map((_, axis) => axis);
    return [inside, ir.reduce("sum", below, axes), ir.reduce("sum", above, axes)];
  },
});

/** Bounds for each element of the last dimension. */
export const FakeQuantWithMinMaxVarsPerChannel = defineOp("FakeQuantWithMinMaxVarsPerChannel", {
  inputs: { inputs: "float32", min: "float32", max: "float32" },
  outputs: { outputs: "float32" },
  attrs: widths,
  shape: ({ inputs, min, max }) => {
    const known = inputs.withRankAtLeast(1);
    mergedDimension(mergedDimension(known.dim(-1), min.withRank(1).dim(0)), max.withRank(1).dim(0));
    return known;
  },
  gradient: ({ inputs, min, max, numBits, narrowRange }, d): Gradients => {
    const back = FakeQuantWithMinMaxVarsPerChannelGradient({ gradients: d.outputs, inputs, min, max, numBits, narrowRange });
    return { inputs: back.backpropsWrtInput, min: back.backpropWrtMin, max: back.backpropWrtMax };
  },
  checks: ({ min, max }) => checkBounds({ min, max }, 1),
  lower: ({ inputs, min, max, ...width }) => quantized(inputs, min, max, width, "product"),
});

export const FakeQuantWithMinMaxVarsPerChannelGradient = defineOp("FakeQuantWithMinMaxVarsPerChannelGradient", {
  inputs: { gradients: "float32", inputs: "float32", min: "float32", max: "float32" },
  outputs: backpropOutputs,
  attrs: widths,
  gradient: "none",
  shape: ({ gradients, inputs, min, max }) => {
    const both = gradients.withRankAtLeast(1).withRankAtMost(4).mergeWith(inputs);
    const channels = max.mergeWith(min.withRank(1).mergeWith(new TensorShape([both.dim(-1)])));
    return [both, channels, channels];
  },
  checks: ({ gradients, inputs, min, max }) => {
    need(sameShape(gradients, inputs), () => "gradient and input must be the same size");
    checkBounds({ min, max }, 1);
  },
  lower: ({ gradients, inputs, min, max, ...width }) => {
    const [inside, below, above] = backprops(gradients, inputs, min, max, width);
    const axes = inputs.shape.slice(0, -1).map((_, axis) => axis);
    return [inside, ir.reduce("sum", below, axes), ir.reduce("sum", above, axes)];
  },
});

interface WidthOptions extends Named {
  readonly numBits?: number;
  readonly narrowRange?: boolean;
}

/** `inputs` rounded to one of 2^numBits values between `min` (−6) and `max` (6). TF: tf.quantization.fake_quant_with_min_max_args. */
export const fakeQuantWithMinMaxArgs = (
  inputs: TensorLike,
  { min = -6, max = 6, numBits = 8, narrowRange = false, name }: WidthOptions & { readonly min?: number; readonly max?: number } = {},
): Tensor => FakeQuantWithMinMaxArgs({ inputs, min, max, numBits, narrowRange }, { name });

/** The same between scalar tensors `min` and `max`, which have gradients too. TF: tf.quantization.fake_quant_with_min_max_vars. */
export const fakeQuantWithMinMaxVars = (
  inputs: TensorLike,
  min: TensorLike,
  max: TensorLike,
  { numBits = 8, narrowRange = false, name, ...others }: WidthOptions = {},
): Tensor => {
  refuseOthers(others);
  return FakeQuantWithMinMaxVars({ inputs, min, max, numBits, narrowRange }, { name });
};

/** The same with bounds for each element of the last dimension. TF: tf.quantization.fake_quant_with_min_max_vars_per_channel. */
export const fakeQuantWithMinMaxVarsPerChannel = (
  inputs: TensorLike,
  min: TensorLike,
  max: TensorLike,
  { numBits = 8, narrowRange = false, name, ...others }: WidthOptions = {},
): Tensor => {
  refuseOthers(others);
  return FakeQuantWithMinMaxVarsPerChannel({ inputs, min, max, numBits, narrowRange }, { name });
};

// ---- their gradients, as functions ----

interface GradientOptions extends Named {
  readonly min?: number;
  readonly max?: number;
  readonly numBits?: number;
  readonly narrowRange?: boolean;
}
interface BoundGradients {
  readonly backpropsWrtInput: Tensor;
  readonly backpropWrtMin: Tensor;
  readonly backpropWrtMax: Tensor;
}

/** The gradient of fakeQuantWithMinMaxArgs: that of the result where the input lies between the bounds.
 *  TF: tf.fake_quant_with_min_max_args_gradient(gradients, inputs, min, max, num_bits, narrow_range, name). */
export function fakeQuantWithMinMaxArgsGradient(gradients: TensorLike, inputs: TensorLike, ...rest: unknown[]): Tensor {
  const { name, ...options } = collect<GradientOptions>(["min", "max", "numBits", "narrowRange", "name"], rest);
  return FakeQuantWithMinMaxArgsGradient({ gradients, inputs, ...options }, { name });
}

/** The gradients of fakeQuantWithMinMaxVars, for the input and both bounds.
 *  TF: tf.fake_quant_with_min_max_vars_gradient(gradients, inputs, min, max, num_bits, narrow_range, name). */
export function fakeQuantWithMinMaxVarsGradient(
  gradients: TensorLike,
  inputs: TensorLike,
  min: TensorLike,
  max: TensorLike,
  ...rest: unknown[]
): BoundGradients {
  const { name, numBits, narrowRange } = collect<GradientOptions>(["numBits", "narrowRange", "name"], rest);
  return FakeQuantWithMinMaxVarsGradient({ gradients, inputs, min, max, numBits, narrowRange }, { name });
}

/** The gradients of fakeQuantWithMinMaxVarsPerChannel, for the input and the bounds of each channel.
 *  TF: tf.fake_quant_with_min_max_vars_per_channel_gradient(gradients, inputs, min, max, num_bits, narrow_range, name). */
export function fakeQuantWithMinMaxVarsPerChannelGradient(
  gradients: TensorLike,
  inputs: TensorLike,
  min: TensorLike,
  max: TensorLike,
  ...rest: unknown[]
): BoundGradients {
  const { name, numBits, narrowRange } = collect<GradientOptions>(["numBits", "narrowRange", "name"], rest);
  return FakeQuantWithMinMaxVarsPerChannelGradient({ gradients, inputs, min, max, numBits, narrowRange }, { name });
}
