// Activations, softmax, biases and dropout. Losses are in nn/loss.ts, normalizations in nn/normalization.ts, look-ups in nn/embedding.ts.
// Gradients that TensorFlow computes from an op's output (relu, elu) do so here too: their kernels are the *Grad ops beside them.

import { pythonStr } from "../../base/python-text.ts";
import { isFloating, isInteger, machineEpsilon } from "../../base/dtype.ts";
import { InvalidArgumentError, ValueError, withHint } from "../../base/errors.ts";
import type { Dimension } from "../../base/shape.ts";
import { sameShape, TensorShape } from "../../base/shape.ts";
import * as attr from "../../graph/attributes.ts";
import { convertToTensor, type TensorLike } from "../../graph/conversion.ts";
import { defineOp, type Gradient, type Gradients } from "../../graph/op-definition.ts";
import type { IndexedSlices } from "../../graph/indexed-slices.ts";
import type { Operation, Tensor } from "../../graph/operation.ts";
import { generate, map, reduce, reduceOver } from "../../ir/build.ts";
import type { Value } from "../../ir/program.ts";
import { loadScalar, type Scalar, s } from "../../ir/scalar.ts";
import { collect, eitherName, isOptions, need } from "../arguments.ts";
import { constant, identitiesWithGradient, identity, onesLike, rank, reshape, shape as shapeOf, zerosLike } from "../array/array.ts";
import { tile } from "../array/padding.ts";
import { Select, SelectV2 } from "../array/selection.ts";
import { concat, getItem } from "../array/slicing.ts";
import { range } from "../array/ranges.ts";
import { transpose } from "../array/rearranging.ts";
import { cast } from "../math/cast.ts";
import { GreaterEqual, Less } from "../math/comparison.ts";
import { Mul, RealDiv, Sub } from "../math/math.ts";
import { Exp, Neg, Sigmoid, sigmoid, square } from "../math/functions.ts";
import { matmul } from "../math/matrix.ts";
import { reduceSum } from "../math/reduction.ts";
import { slicesToTensor } from "../math/segment.ts";
import { inNameScope, type NameOption, named } from "../named.ts";
import * as operator from "../operators.ts";
import { getSeed, randomUniform } from "../random/random.ts";

const floats = ["float16", "bfloat16", "float32", "float64"] as const;
const reluTypes = [...attr.realNumbers, "qint8"] as const;

// ---- relu and its kin ----

/** max(x, 0) that keeps NaN and -0, as TensorFlow's does. */
const positivePart = (x: Scalar): Scalar => s.select(s.lt(x, 0), 0, x);

/** `max(features, 0)`. */
export const Relu = defineOp("Relu", {
  inputs: { features: "T" },
  outputs: { activations: "T" },
  attrs: { T: attr.type(reluTypes) },
  shape: ({ features }) => features,
  gradient: ({ activations }, d): Gradients => ({ features: ReluGrad({ gradients: d.activations, features: activations }) }),
  lower: ({ features }) => map(positivePart, features),
});

/** 1 where something holds, else 0. A product keeps NaN and infinities where a choice would lose them, as in TensorFlow. */
const oneWhere = (holds: Scalar, x: Scalar): Scalar => s.select(holds, s.constant(x.dtype, 1), s.constant(x.dtype, 0));

/** Gradients where features are positive. */
export const ReluGrad = defineOp("ReluGrad", {
  inputs: { gradients: "T", features: "T" },
  outputs: { backprops: "T" },
  attrs: { T: attr.type(attr.realNumbers) },
  shape: ({ gradients, features }) => gradients.mergeWith(features),
  checks: ({ gradients, features }, op) => checkSameSizes(op, gradients, features),
  gradient: ({ features }, d): Gradients => ({ gradients: ReluGrad({ gradients: d.backprops, features }), features: zerosLike(features) }),
  lower: ({ gradients, features }) => map((g, x) => s.mul(g, oneWhere(s.gt(x, 0), x)), gradients, features),
});

/** `min(max(features, 0), 6)`. */
export const Relu6 = defineOp("Relu6", {
  inputs: { features: "T" },
  outputs: { activations: "T" },
  attrs: { T: attr.type(attr.realNumbers) },
  shape: ({ features }) => features,
  gradient: ({ activations }, d): Gradients => ({ features: Relu6Grad({ gradients: d.activations, features: activations }) }),
  lower: ({ features }) =>
    map(x => {
      const y = positivePart(x);
      return s.select(s.gt(y, 6), 6, y);
    }, features),
});

/** The kernels of such gradients take two tensors of one shape. */
function checkSameSizes({ name, type }: Operation, a: readonly number[], b: readonly number[]): void {
  need(
    sameShape(a, b),
    () => `Inputs to operation ${name} of type ${type} must have the same size and shape.  Input 0: [${a}] != input 1: [${b}]`,
  );
}

export const Relu6Grad = defineOp("Relu6Grad", {
  inputs: { gradients: "T", features: "T" },
  outputs: { backprops: "T" },
  attrs: { T: attr.type(attr.realNumbers) },
  shape: ({ gradients, features }) => gradients.mergeWith(features),
  checks: ({ gradients, features }, op) => checkSameSizes(op, gradients, features),
  gradient: ({ features }, d): Gradients => ({ gradients: Relu6Grad({ gradients: d.backprops, features }), features: zerosLike(features) }),
  lower: ({ gradients, features }) => map((g, x) => s.mul(g, oneWhere(s.and(s.gt(x, 0), s.lt(x, 6)), x)), gradients, features),
});

/** `features` where positive, else `alpha · features`. */
export const LeakyRelu = defineOp("LeakyRelu", {
  inputs: { features: "T" },
  outputs: { activations: "T" },
  attrs: { alpha: attr.float(0.2), T: attr.type(floats, "float32") },
  shape: ({ features }) => features,
  gradient: ({ features, alpha }, d): Gradients => ({ features: LeakyReluGrad({ gradients: d.activations, features, alpha }) }),
  lower: ({ features, alpha }) => map(x => s.select(s.gt(x, 0), x, s.mul(x, alpha)), features),
});

export const LeakyReluGrad = defineOp("LeakyReluGrad", {
  inputs: { gradients: "T", features: "T" },
  outputs: { backprops: "T" },
  attrs: { alpha: attr.float(0.2), T: attr.type(floats, "float32") },
  shape: ({ gradients, features }) => gradients.mergeWith(features),
  checks: ({ gradients, features }, op) => checkSameSizes(op, gradients, features),
  gradient: ({ features, alpha }, d): Gradients => ({
    gradients: LeakyReluGrad({ gradients: d.backprops, features, alpha }),
    features: zerosLike(features),
  }),
  lower: ({ gradients, features, alpha }) => map((g, x) => s.select(s.gt(x, 0), g, s.mul(g, alpha)), gradients, features),
});

/** `features` where positive, else `exp(features) - 1`. */
export const Elu = defineOp("Elu", {
  inputs: { features: "T" },
  outputs: { activations: "T" },
  attrs: { T: attr.type(floats) },
  shape: ({ features }) => features,
  gradient: ({ activations }, d): Gradients => ({ features: EluGrad({ gradients: d.activations, outputs: activations }) }),
  lower: ({ features }) => map(x => s.select(s.lt(x, 0), s.expm1(x), x), features),
});

export const EluGrad = defineOp("EluGrad", {
  inputs: { gradients: "T", outputs: "T" },
  outputs: { backprops: "T" },
  attrs: { T: attr.type(floats) },
  shape: ({ gradients, outputs }) => gradients.mergeWith(outputs),
  checks: ({ gradients, outputs }, op) => checkSameSizes(op, gradients, outputs),
  gradient: ({ gradients, outputs }, d): Gradients => ({
    gradients: EluGrad({ gradients: d.backprops, outputs }),
    outputs: Select({ condition: Less({ x: outputs, y: 0 }), t: operator.mul(d.backprops, gradients), e: zerosLike(outputs) }),
  }),
  lower: ({ gradients, outputs }) => map((g, y) => s.select(s.lt(y, 0), s.mul(s.add(y, 1), g), g), gradients, outputs),
});

/** The constants of self-normalizing networks (Klambauer et al. 2017). */
const seluScale = 1.0507009873554805;
const seluScaleAlpha = 1.7580993408473768;

/** `scale · features` where positive, else `scale · alpha · (exp(features) - 1)`. */
export const Selu = defineOp("Selu", {
  inputs: { features: "T" },
  outputs: { activations: "T" },
  attrs: { T: attr.type(floats) },
  shape: ({ features }) => features,
  gradient: ({ activations }, d): Gradients => ({ features: SeluGrad({ gradients: d.activations, outputs: activations }) }),
  lower: ({ features }) => map(x => s.select(s.lt(x, 0), s.mul(s.expm1(x), seluScaleAlpha), s.mul(x, seluScale)), features),
});

export const SeluGrad = defineOp("SeluGrad", {
  inputs: { gradients: "T", outputs: "T" },
  outputs: { backprops: "T" },
  attrs: { T: attr.type(floats) },
  shape: ({ gradients, outputs }) => gradients.mergeWith(outputs),
  checks: ({ gradients, outputs }, op) => checkSameSizes(op, gradients, outputs),
  gradient: ({ gradients, outputs }, d): Gradients => ({
    gradients: SeluGrad({ gradients: d.backprops, outputs }),
    outputs: Select({ condition: Less({ x: outputs, y: 0 }), t: operator.mul(d.backprops, gradients), e: zerosLike(outputs) }),
  }),
  lower: ({ gradients, outputs }) =>
    map((g, y) => s.select(s.lt(y, 0), s.mul(g, s.add(y, seluScaleAlpha)), s.mul(g, seluScale)), gradients, outputs),
});

/** `log(1 + exp(features))`. Beyond ±threshold the formula has lost all its digits, and the argument (or its exponential) is the answer. */
export const Softplus = defineOp("Softplus", {
  inputs: { features: "T" },
  outputs: { activations: "T" },
  attrs: { T: attr.type(floats) },
  shape: ({ features }) => features,
  gradient: ({ features }, d): Gradients => ({ features: operator.mul(d.activations, Sigmoid({ x: features })) }),
  lower: ({ features }) => {
    // Eigen says 2⁻¹³ of float16, an eighth of what it is.
    const threshold = Math.log(features.dtype === "float16" ? 2 ** -13 : (machineEpsilon[features.dtype] ?? 2 ** -52)) + 2;
    return map(x => {
      const power = s.exp(x);
      return s.select(s.gt(x, -threshold), x, s.select(s.lt(x, threshold), power, s.log1p(power)));
    }, features);
  },
});

export const SoftplusGrad = defineOp("SoftplusGrad", {
  inputs: { gradients: "T", features: "T" },
  outputs: { backprops: "T" },
  attrs: { T: attr.type(floats) },
  shape: ({ gradients, features }) => gradients.mergeWith(features),
  checks: ({ gradients, features }, op) => checkSameSizes(op, gradients, features),
  gradient: ({ gradients, features }, d): Gradients => {
    const denominator = operator.add(operator.add(Exp({ x: Neg({ x: features }) }), 2), Exp({ x: features }));
    return {
      gradients: SoftplusGrad({ gradients: d.backprops, features }),
      features: operator.truediv(operator.mul(d.backprops, gradients), denominator),
    };
  },
  lower: ({ gradients, features }) => map((g, x) => s.div(g, s.add(s.exp(s.neg(x)), 1)), gradients, features),
});

/** `features / (|features| + 1)`. */
export const Softsign = defineOp("Softsign", {
  inputs: { features: "T" },
  outputs: { activations: "T" },
  attrs: { T: attr.type(floats) },
  shape: ({ features }) => features,
  gradient: ({ features }, d): Gradients => ({ features: SoftsignGrad({ gradients: d.activations, features }) }),
  lower: ({ features }) => map(x => s.div(x, s.add(s.abs(x), 1)), features),
});

export const SoftsignGrad = defineOp("SoftsignGrad", {
  inputs: { gradients: "T", features: "T" },
  outputs: { backprops: "T" },
  attrs: { T: attr.type(floats) },
  shape: ({ gradients, features }) => gradients.mergeWith(features),
  checks: ({ gradients, features }, op) => checkSameSizes(op, gradients, features),
  lower: ({ gradients, features }) => map((g, x) => s.div(g, s.square(s.add(s.abs(x), 1))), gradients, features),
});

/** Rectified linear unit: `max(features, 0)`. TF: tf.nn.relu. */
export const relu = (features: TensorLike, option?: NameOption): Tensor => Relu({ features }, named(option));
/** `min(max(features, 0), 6)`. TF: tf.nn.relu6. */
export const relu6 = (features: TensorLike, option?: NameOption): Tensor => Relu6({ features }, named(option));
/** `exp(features) - 1` where negative, else `features`. TF: tf.nn.elu. */
export const elu = (features: TensorLike, option?: NameOption): Tensor => Elu({ features }, named(option));
/** Scaled exponential linear unit. TF: tf.nn.selu. */
export const selu = (features: TensorLike, option?: NameOption): Tensor => Selu({ features }, named(option));
/** `log(1 + exp(features))`. TF: tf.nn.softplus. */
export const softplus = (features: TensorLike, option?: NameOption): Tensor => Softplus({ features }, named(option));
/** `features / (|features| + 1)`. TF: tf.nn.softsign. */
export const softsign = (features: TensorLike, option?: NameOption): Tensor => Softsign({ features }, named(option));

interface LeakyReluOptions {
  readonly alpha?: number | Tensor | null;
  readonly name?: string | null;
}

/** `features` where positive, else `alpha · features` (alpha 0.2). TF: tf.nn.leaky_relu. */
export function leakyRelu(features: TensorLike, alpha?: number | LeakyReluOptions, options?: LeakyReluOptions): Tensor {
  const given = collect<{ alpha: number; name: string }>(["alpha", "name"], [alpha, options]);
  return inNameScope({ name: given.name }, "LeakyRelu", [features], scope => {
    const tensor = floatingOr32(convertToTensor(features, { name: "features" }));
    return LeakyRelu({ features: tensor, alpha: given.alpha ?? 0.2 }, { name: scope });
  });
}

/** Integers become float32, as tf.nn's functions do before activations. */
const floatingOr32 = (tensor: Tensor): Tensor => (isInteger(tensor.dtype) ? cast(tensor, "float32") : tensor);

/** relu of the values and of their negatives, joined along `axis` (-1). TF: tf.nn.crelu. */
export function crelu(features: TensorLike, options: { readonly axis?: number; readonly name?: string | null } = {}): Tensor {
  return inNameScope({ name: options.name }, "CRelu", [features], scope => {
    const x = convertToTensor(features, { name: "features" });
    const both = concat([x, Neg({ x })], options.axis ?? -1, { name: String(scope) });
    return relu(both);
  });
}

/** `features · sigmoid(beta · features)`. TF: tf.nn.swish. */
export function swish(features: TensorLike, beta: TensorLike | { readonly beta?: TensorLike } = 1): Tensor {
  const x = convertToTensor(features, { name: "features" });
  const given = convertToTensor((isOptions(beta) ? (beta.beta ?? 1) : beta) as TensorLike, { name: "beta", preferredDtype: x.dtype });
  const slope = given.dtype === x.dtype ? given : cast(given, x.dtype);
  const product = operator.mul(x, Sigmoid({ x: operator.mul(slope, x) }));
  identity(product);
  // The sigmoid is computed again for the gradient, after what flows back is there, so that it need not be kept.
  const gradient = ([dy]: readonly Tensor[]): Gradient[] => {
    const again = x.graph.controlDependencies([dy], () => sigmoid(operator.mul(slope, x)));
    const growth = operator.mul(operator.mul(slope, x), operator.sub(1, again));
    const ofFeatures = operator.mul(again, operator.add(1, growth));
    const weighted = operator.mul(operator.mul(dy, square(x)), again);
    const ofSlope = reduceSum(operator.mul(weighted, operator.sub(1, again)));
    return [null, operator.mul(dy, ofFeatures), ofSlope];
  };
  return identitiesWithGradient([product, x, slope], gradient)[0];
}
export { swish as silu };

// ---- softmax ----

/** The largest logit of each row and Σ exp(logit - largest), both with the last axis kept as 1. */
export function rowExponentials(logits: Value): { most: Value; sum: Value } {
  const last = logits.shape.length - 1;
  const most = reduce("max", logits, [last], { keepDims: true });
  const sum = reduceOver("sum", most.shape, [logits.shape[last]], (i, r) => {
    const at = [...i.slice(0, last), r[0]];
    return s.expNonPositive(s.sub(loadScalar(logits, at), loadScalar(most, i)));
  });
  return { most, sum };
}

const checkLogits = ({ logits }: { readonly logits: readonly number[] }): void =>
  need(logits.length > 0, () => `logits must have >= 1 dimension, got [${logits}]`);

/** `exp(logits) / Σ exp(logits)` along the last axis. */
export const Softmax = defineOp("Softmax", {
  inputs: { logits: "T" },
  outputs: { softmax: "T" },
  attrs: { T: attr.type(floats) },
  shape: ({ logits }) => logits.withRankAtLeast(1),
  gradient: ({ softmax: y }, d): Gradients => {
    const inner = reduceSum(operator.mul(d.softmax, y), -1, { keepdims: true });
    return { logits: operator.mul(operator.sub(d.softmax, inner), y) };
  },
  checks: checkLogits,
  lower: ({ logits }) => {
    const { most, sum } = rowExponentials(logits);
    const inverse = map(total => s.div(s.constant(total.dtype, 1), total), sum);
    return map((x, m, share) => s.mul(s.expNonPositive(s.sub(x, m)), share), logits, most, inverse);
  },
});

/** `logits - log(Σ exp(logits))` along the last axis. */
export const LogSoftmax = defineOp("LogSoftmax", {
  inputs: { logits: "T" },
  outputs: { logsoftmax: "T" },
  attrs: { T: attr.type(floats) },
  shape: ({ logits }) => logits.withRankAtLeast(1),
  gradient: ({ logsoftmax }, d): Gradients => {
    const probabilities = Exp({ x: logsoftmax });
    return { logits: operator.sub(d.logsoftmax, operator.mul(reduceSum(d.logsoftmax, -1, { keepdims: true }), probabilities)) };
  },
  checks: checkLogits,
  lower: ({ logits }) => {
    const { most, sum } = rowExponentials(logits);
    return map((x, m, total) => s.sub(s.sub(x, m), s.log(total)), logits, most, sum);
  },
});

interface SoftmaxOptions {
  readonly axis?: number | null;
  readonly name?: string | null;
  /** Another name of `axis`. */
  readonly dim?: number | null;
}

/** Probabilities `exp(logits) / Σ exp(logits)` along `axis` (-1, the last). TF: tf.nn.softmax. */
export const softmax = (logits: TensorLike, axis?: number | SoftmaxOptions | null, options?: SoftmaxOptions): Tensor =>
  alongAxis((x, name) => Softmax({ logits: x }, { name }), logits, collect<SoftmaxOptions>(["axis", "name", "dim"], [axis, options]));

/** `logits - log(Σ exp(logits))` along `axis` (-1, the last). TF: tf.nn.log_softmax. */
export const logSoftmax = (logits: TensorLike, axis?: number | SoftmaxOptions | null, options?: SoftmaxOptions): Tensor =>
  alongAxis((x, name) => LogSoftmax({ logits: x }, { name }), logits, collect<SoftmaxOptions>(["axis", "name", "dim"], [axis, options]));

/** Applies an op of the last axis to another one, by transposing there and back; node by node as TensorFlow does. */
function alongAxis(
  op: (logits: Tensor, name: string | null | undefined) => Tensor,
  logits: TensorLike,
  { axis, dim, name }: SoftmaxOptions,
): Tensor {
  const x = convertToTensor(logits, { name: "logits" });
  const wanted = eitherName("axis", axis, "dim", dim) ?? -1;
  const { dims } = x.shape;
  if (wanted === -1 || (dims !== null && wanted === dims.length - 1)) return op(x, name);
  if (dims === null)
    throw withHint(
      new TypeError("unsupported operand type(s) for -: 'NoneType' and 'int'"),
      `The logits have no known rank, and axis is ${wanted}, not -1: give them a shape with setShape.`,
    );
  if (wanted < -dims.length || wanted >= dims.length)
    throw new InvalidArgumentError(
      `\`dim\` must be in the range [${-dims.length}, ${dims.length}) where ${dims.length} is the number of dimensions in the input. Received: dim=${wanted}`,
    );
  const at = wanted < 0 ? wanted + dims.length : wanted;
  rank(x);
  const count = rank(x);
  const result = op(swapWithLast(x, at, Sub({ x: count, y: 1 })), name);
  const back = swapWithLast(result, at, Sub({ x: count, y: 1 }));
  back.setShape(x.shape);
  return back;
}

/** Transposes so that axis `at` and the last one change places. */
const swapWithLast = (x: Tensor, at: number, last: Tensor): Tensor =>
  transpose(x, concat([range(at), [last], range(at + 1, last), [at]], 0));

// ---- biases ----

const biasTypes = attr.numbers;

/** `value + bias`, the bias along the channels: the last axis, or axis 1 under NCHW. */
export const BiasAdd = defineOp("BiasAdd", {
  inputs: { value: "T", bias: "T" },
  outputs: { output: "T" },
  attrs: { T: attr.type(biasTypes), dataFormat: attr.oneOf(["NHWC", "NCHW"], "NHWC") },
  shape: ({ value, bias, dataFormat }) => biasedShape(value, bias, dataFormat),
  gradient: ({ dataFormat }, d: { readonly output: Tensor | IndexedSlices }): Gradients => ({
    value: d.output,
    bias: inNameScope(undefined, "BiasAddGrad", [], scope =>
      BiasAddGrad({ outBackprop: slicesToTensor(d.output, { name: "out_backprop" }), dataFormat }, scope),
    ),
  }),
  takesSlices: true,
  lower: ({ value, bias, dataFormat }) => {
    const axis = dataFormat === "NCHW" ? 1 : value.shape.length - 1;
    if (value.shape.length < 2) throw new InvalidArgumentError(`Input tensor must be at least 2D: [${value.shape}]`);
    if (bias.shape.length !== 1) throw new InvalidArgumentError(`Biases must be 1D: [${bias.shape}]`);
    if (bias.shape[0] !== value.shape[axis])
      throw new InvalidArgumentError(
        `Must provide as many biases as the last dimension of the input tensor: [${bias.shape}] vs. [${value.shape}]`,
      );
    return generate(value.shape, i => s.add(loadScalar(value, i), loadScalar(bias, [i[axis]])));
  },
});

function biasedShape(value: TensorShape, bias: TensorShape, dataFormat: string): TensorShape {
  const given = value.withRankAtLeast(dataFormat === "NCHW" ? 3 : 2);
  const biases = bias.withRank(1);
  if (given.dims === null) return given;
  const axis = dataFormat === "NCHW" ? 1 : given.dims.length - 1;
  const [d, e] = [given.dims[axis], biases.dim(0)];
  if (d !== null && e !== null && d !== e)
    throw new ValueError(`Dimensions must be equal, but are ${d} and ${e}`, `The bias needs one element for each of the ${d} channels.`);
  return new TensorShape(given.dims.map((size, k): Dimension => (k === axis ? (d ?? e) : size)));
}

/** The sum over everything but the channels. */
export const BiasAddGrad = defineOp("BiasAddGrad", {
  inputs: { outBackprop: "T" },
  outputs: { output: "T" },
  attrs: { T: attr.type(biasTypes), dataFormat: attr.oneOf(["NHWC", "NCHW"], "NHWC") },
  shape: ({ outBackprop, dataFormat }) => {
    const { dims } = outBackprop.withRankAtLeast(dataFormat === "NCHW" ? 3 : 2);
    return new TensorShape([dims === null ? null : dims[dataFormat === "NCHW" ? 1 : dims.length - 1]]);
  },
  gradient: ({ outBackprop, dataFormat }, d): Gradients => ({ outBackprop: spreadBias(d.output, outBackprop, dataFormat) }),
  lower: ({ outBackprop, dataFormat }) => {
    const axis = dataFormat === "NCHW" ? 1 : outBackprop.shape.length - 1;
    return reduce(
      "sum",
      outBackprop,
      outBackprop.shape.map((_, k) => k).filter(k => k !== axis),
    );
  },
});

/** A bias repeated over everything but the channels of `like`. */
function spreadBias(bias: Tensor, like: Tensor, dataFormat: "NHWC" | "NCHW"): Tensor {
  const [sizes, channels] = [shapeOf(like), shapeOf(bias)];
  const before = (): Tensor => getItem(sizes, [null, dataFormat === "NCHW" ? 1 : -1]);
  const behind = (): Tensor[] => (dataFormat === "NCHW" ? [getItem(sizes, [2, null])] : []);
  const expanded = concat([onesLike(before()), channels, ...behind().map(size => onesLike(size))], 0);
  const multiples = concat([before(), Int32Array.of(1), ...behind()], 0);
  return tile(reshape(bias, expanded), multiples);
}

/** The version before data formats existed. */
export const BiasAddV1 = defineOp("BiasAddV1", {
  inputs: { value: "T", bias: "T" },
  outputs: { output: "T" },
  attrs: { T: attr.type(biasTypes) },
  shape: ({ value, bias }) => biasedShape(value, bias, "NHWC"),
  gradient: (_, d): Gradients => ({ value: d.output, bias: BiasAddGrad({ outBackprop: d.output }) }),
  lower: ({ value, bias }) => generate(value.shape, i => s.add(loadScalar(value, i), loadScalar(bias, [i[i.length - 1]]))),
});

interface BiasOptions {
  readonly dataFormat?: string | null;
  readonly name?: string | null;
}

/** `value + bias`, bias a vector along the channels: the last axis, or axis 1 if dataFormat is "NCHW" (any "NC…"). TF: tf.nn.bias_add. */
export function biasAdd(value: TensorLike, bias: TensorLike, dataFormat?: string | BiasOptions | null, options?: BiasOptions): Tensor {
  const given = collect<BiasOptions>(["dataFormat", "name"], [dataFormat, options]);
  return inNameScope({ name: given.name }, "BiasAdd", [value, bias], scope => {
    const format = given.dataFormat ?? "NHWC";
    if (!format.startsWith("NC") && !(format.startsWith("N") && format.endsWith("C")))
      throw new ValueError(`\`data_format\` must be of the form \`N...C\` or \`NC...\`. Received: data_format=${format}`);
    const x = convertToTensor(value, { name: "input" });
    const b = convertToTensor(bias, { dtype: x.dtype, name: "bias" });
    return BiasAdd({ value: x, bias: b, dataFormat: format.startsWith("NC") ? "NCHW" : "NHWC" }, { name: String(scope) });
  });
}

/** `matmul(x, weights) + biases`. TF: tf.nn.xw_plus_b. */
export function xwPlusB(x: TensorLike, weights: TensorLike, biases: TensorLike, option?: NameOption): Tensor {
  return inNameScope(option, "xw_plus_b", [x, weights, biases], scope => {
    const [a, w, b] = [
      convertToTensor(x, { name: "x" }),
      convertToTensor(weights, { name: "weights" }),
      convertToTensor(biases, { name: "biases" }),
    ];
    return biasAdd(matmul(a, w), b, { name: String(scope) });
  });
}

/** `relu(matmul(x, weights) + biases)`. TF: tf.nn.relu_layer. */
export function reluLayer(x: TensorLike, weights: TensorLike, biases: TensorLike, option?: NameOption): Tensor {
  return inNameScope(option, "relu_layer", [x, weights, biases], scope => {
    const [a, w, b] = [
      convertToTensor(x, { name: "x" }),
      convertToTensor(weights, { name: "weights" }),
      convertToTensor(biases, { name: "biases" }),
    ];
    return relu(biasAdd(matmul(a, w), b), { name: String(scope) });
  });
}

// ---- dropout ----

interface DropoutOptions {
  /** The probability that an element is kept; 1 - rate. */
  readonly keepProb?: TensorLike | null;
  /** The shape of the kept/dropped mask, which broadcasts: `[batch, 1, 1, channels]` drops whole channels. */
  readonly noiseShape?: TensorLike | null;
  readonly seed?: number | null;
  readonly name?: string | null;
  /** The probability that an element is dropped. */
  readonly rate?: TensorLike | null;
}

/** Sets elements to zero with probability `rate` (or 1 - keepProb) and scales the others by 1 / (1 - rate), so that the expected sum stays.
 *  Rates 0 (keepProb 1) give x itself. @throws ValueError for rates outside [0, 1) or x that is not floating. TF: tf.nn.dropout. */
export function dropout(x: TensorLike, keepProb?: TensorLike | DropoutOptions | null, options?: DropoutOptions): Tensor {
  const given = collect<DropoutOptions>(["keepProb", "noiseShape", "seed", "name", "rate"], [keepProb, options]);
  const rate = dropRate(given.rate, given.keepProb);
  // A rate of 0 draws nothing but counts as an op all the same: later seeds stay what they are.
  if (rate === 0) getSeed(given.seed);
  return droppedBy(x, rate, given, "dropout", (sizes, dtype) => randomUniform(sizes, { seed: given.seed, dtype }));
}

export type UniformType = "float16" | "float32" | "float64";

export interface MaskOptions {
  readonly noiseShape?: TensorLike | null;
  readonly name?: string | null;
}

/** Dropout whose mask comes from `uniform`: numbers in [0, 1) of the shape and type that it is given. */
export function droppedBy(
  x: TensorLike,
  rate: number | Tensor,
  { noiseShape, name }: MaskOptions,
  fallback: string,
  uniform: (shape: TensorLike, dtype: UniformType) => Tensor,
): Tensor {
  return inNameScope({ name }, fallback, [x], () => {
    const tensor = convertToTensor(x, { name: "x" });
    if (!isFloating(tensor.dtype))
      throw new ValueError(
        `\`x.dtype\` must be a floating point tensor as \`x\` will be scaled. Received: x_dtype=<dtype: '${tensor.dtype}'>`,
      );
    if (rate === 0) return tensor;
    const scaled = scaleKept(tensor, rate);
    const noise = uniform(noiseShapeOf(tensor, noiseShape), tensor.dtype as UniformType);
    const keep = GreaterEqual({ x: noise, y: rate });
    const kept = SelectV2({ condition: keep, t: scaled, e: constant(0, tensor.dtype) });
    kept.setShape(tensor.shape);
    return kept;
  });
}

/** The rate as a number or tensor. A keepProb given as a tensor becomes `1 - keepProb`, outside the dropout's scope, as in TensorFlow. */
export function dropRate(rate: TensorLike | null | undefined, keepProb: TensorLike | null | undefined): number | Tensor {
  if (typeof keepProb === "string" || Array.isArray(keepProb))
    throw new ValueError(`\`keep_prob\` must be a floating point number or Tensor. Received: keep_prob=${pythonStr(keepProb)}`);
  const kept =
    keepProb === null || keepProb === undefined
      ? undefined
      : typeof keepProb === "number"
        ? 1 - keepProb
        : Sub({ x: 1, y: convertToTensor(keepProb) }, { name: "sub" });
  const chosen = eitherName<TensorLike>("rate", rate, "keep_prob", kept);
  if (chosen === undefined) throw new ValueError("`rate` must be provided. Received: rate=None");
  if (typeof chosen === "number") {
    if (!(chosen >= 0 && chosen < 1))
      throw new ValueError(
        `\`rate\` must be a scalar tensor or a float in the range [0, 1). Received: rate=${pythonFloat(chosen)}`,
        "The rate is the share that is dropped; keepProb = 1 - rate is the share that is kept.",
      );
    return chosen;
  }
  if (typeof chosen === "string" || typeof chosen === "boolean")
    throw new ValueError(`\`rate\` must be a scalar or scalar tensor. Received: rate=${chosen}`);
  const tensor = convertToTensor(chosen, { name: "rate" });
  if (tensor.shape.rank !== null && tensor.shape.rank !== 0) throw new ValueError(`Shape ${tensor.shape} must have rank 0`);
  return tensor;
}

const pythonFloat = (x: number): string => (Number.isInteger(x) ? `${x}.0` : String(x));

function scaleKept(x: Tensor, rate: number | Tensor): Tensor {
  if (typeof rate === "number") return Mul({ x, y: constant(1 / (1 - rate), x.dtype) });
  if (rate.dtype !== x.dtype)
    throw new ValueError(
      `\`x.dtype\` must be compatible with \`rate.dtype\`. Received: x.dtype=<dtype: '${x.dtype}'> and rate.dtype=<dtype: '${rate.dtype}'>`,
    );
  return RealDiv({ x, y: Sub({ x: constant(1, rate.dtype), y: rate }) });
}

/** The mask's shape: x's own, or the given one with unknown entries filled from x. */
function noiseShapeOf(x: Tensor, noiseShape: TensorLike | null | undefined): TensorLike {
  if (noiseShape === null || noiseShape === undefined) return shapeOf(x);
  if (!Array.isArray(noiseShape) || !noiseShape.includes(null)) return noiseShape;
  const { dims } = x.shape;
  if (dims === null || dims.length !== noiseShape.length) return noiseShape;
  const filled = noiseShape.map((size: Dimension, axis) => size ?? dims[axis]);
  if (filled.includes(null)) throw new ValueError(`Cannot convert a partially known TensorShape ${new TensorShape(filled)} to a Tensor.`);
  return filled as number[];
}

// ---- sums of squares ----

/** `Σ t² / 2`. */
export const L2Loss = defineOp("L2Loss", {
  inputs: { t: "T" },
  outputs: { output: "T" },
  attrs: { T: attr.type(floats) },
  shape: () => new TensorShape([]),
  gradient: ({ t }, d): Gradients => ({ t: operator.mul(t, d.output) }),
  lower: ({ t }) => {
    const sum = reduce(
      "sum",
      t,
      t.shape.map((_, axis) => axis),
      { f: x => s.square(x) },
    );
    return map(x => s.mul(x, 0.5), sum);
  },
});

/** Half the sum of squares, a scalar. TF: tf.nn.l2_loss. */
export const l2Loss = (t: TensorLike, option?: NameOption): Tensor => L2Loss({ t }, named(option));
