// Ops that stand for several: convolutions with padding or resizing before them, and products with what follows them, as TensorFlow's graph rewriting
// (grappler) leaves them in saved graphs. Each says what it is in the plain ops.

import { InvalidArgumentError, UnimplementedError, ValueError } from "../../base/errors.ts";
import type { NDArray } from "../../base/ndarray.ts";
import { mergedDimension, TensorShape } from "../../base/shape.ts";
import * as attr from "../../graph/attributes.ts";
import { defineOp, type Gradients, type LowerContext, type OpDefinition, type ShapeContext } from "../../graph/op-definition.ts";
import { cast as castValue, full, map, reduce, slice } from "../../ir/build.ts";
import type { Value } from "../../ir/program.ts";
import { type Scalar, s } from "../../ir/scalar.ts";
import { need } from "../arguments.ts";
import { mirrorPadded, paddedShape } from "../array/padding.ts";
import { checkImages, resizedBilinear, resizedShape } from "../image/resize.ts";
import * as unary from "../math/functions.ts";
import { Sigmoid, Tanh } from "../math/functions.ts";
import { MatMul, productShape } from "../math/matrix.ts";
import { numbersOf } from "../array/array.ts";
import { BiasAdd, Elu, LeakyRelu, Relu, Relu6, Selu } from "./nn.ts";
import { Conv2D, Conv3D, convolved, convolvedShape, convolvedSizes, DepthwiseConv2dNative, depthwiseShape } from "./convolution.ts";
import { FusedBatchNorm, FusedBatchNormV3, fusedOutputShapes } from "./normalization.ts";

// ---- before a convolution ----

const padded = {
  mode: attr.oneOf(["REFLECT", "SYMMETRIC"]),
  strides: attr.ints(),
  padding: attr.oneOf(["SAME", "VALID"]),
};

interface Padded {
  readonly mode: "REFLECT" | "SYMMETRIC";
  readonly strides: readonly number[];
  readonly padding: "SAME" | "VALID";
}

const windowOf = ({ strides, padding }: Padded) => ({ strides, padding, dataFormat: "NHWC" as const, dilations: [1, 1, 1, 1] });

type Sizes = readonly number[];

const checkMirrored = (paddings: Sizes, { strides }: Padded): void => {
  need(
    strides[0] === 1 && strides[3] === 1,
    () => "Current implementation does not yet support strides in the batch and depth dimensions.",
  );
  need(paddings.length === 2 && paddings[1] === 2, () => `paddings must be a matrix with 2 columns: [${paddings}]`);
  need(paddings[0] === 4, () => `The first dimension of paddings must be the rank of inputs: 4 [${paddings}]`);
};

/** A convolution of mirrored images, with what its kernel asks on the way. */
function mirroredConvolution(images: Value, paddings: NDArray, filter: Value, { mode, ...rest }: Padded): Value {
  const isOfRank = (least: number, most: number): void =>
    need(images.shape.length >= least && images.shape.length <= most, () => `input must be 4-dimensional[${images.shape}]`);
  isOfRank(4, Number.POSITIVE_INFINITY);
  const amounts = numbersOf(paddings);
  const pairs = images.shape.slice(0, 4).map((_, axis) => [amounts[2 * axis], amounts[2 * axis + 1]] as const);
  pairs.forEach(([before, after], axis) => {
    const size = images.shape[axis];
    need(before >= 0 && after >= 0, () => `paddings must be non-negative: ${before} ${after}`);
    if (mode === "SYMMETRIC")
      need(
        before <= size && after <= size,
        () => `paddings must be no greater than the dimension size: ${before}, ${after} greater than ${size}`,
      );
    else
      need(before < size && after < size, () => `paddings must be less than the dimension size: ${before}, ${after} not less than ${size}`);
  });
  for (const [axis, what] of [
    [0, "batches"],
    [3, "channels"],
  ] as const)
    need(
      pairs[axis][0] === 0 && pairs[axis][1] === 0,
      () =>
        `Fused mirror padding only support spatial padding, not ${what}: Tensor<type: int32 shape: [4,2] values: [${pairs[0].join(" ")}][${pairs[1][0]}...]...>`,
    );
  isOfRank(4, 4);
  need(filter.shape.length === 4, () => `filter must be 4-dimensional: [${filter.shape}]`);
  const depth = images.shape[3];
  need(depth === filter.shape[2], () => `input and filter must have the same depth: ${depth} vs ${filter.shape[2]}`);
  const [before, after] = [0, 1].map(side => pairs.map(pair => pair[side]));
  const padded = mirrorPadded(images, before, after, mode);
  const windows = windowOf({ mode, ...rest });
  need(!convolvedSizes(padded.shape, filter.shape, windows).includes(0), () => "Output tensor can't be empty");
  return convolved(padded, filter, windows);
}

const checkFull = (input: Sizes): void => need(!input.includes(0), () => "Input tensor can't be empty");

interface PaddedShapes {
  readonly images: TensorShape;
  readonly paddings: TensorShape;
  readonly filter: TensorShape;
}

/** How far an image can be mirrored is left to the run. */
function paddedConvolutionShape({ images, paddings, filter }: PaddedShapes, attrs: Padded, context: ShapeContext): TensorShape {
  const padded = paddedShape(images.withRank(4), paddings, context);
  mergedDimension(padded.dim(3), filter.withRank(4).dim(2));
  const { strides } = attrs;
  if (strides.length !== 4) throw new ValueError(`Operation requires the stride attribute to contain 4 values, but got: ${strides.length}`);
  return convolvedShape("Conv2D", padded, filter, windowOf(attrs));
}

/** A convolution of images that are mirrored at their edges first. */
export const FusedPadConv2D = defineOp("FusedPadConv2D", {
  inputs: { input: "T", paddings: "int32", filter: "T" },
  outputs: { output: "T" },
  attrs: { T: attr.type(attr.floatTypes), ...padded },
  shape: ({ input: images, paddings, filter, ...attrs }, context) => paddedConvolutionShape({ images, paddings, filter }, attrs, context),
  checks: ({ input, paddings, ...attrs }) => {
    checkFull(input);
    checkMirrored(paddings, attrs);
  },
  isLenient: true,
  compileTimeInputs: ["paddings"],
  lower: ({ input, paddings, filter, ...attrs }) => mirroredConvolution(input, paddings, filter, attrs),
});

/** The same of images that are resized before. */
export const FusedResizeAndPadConv2D = defineOp("FusedResizeAndPadConv2D", {
  inputs: { input: "T", size: "int32", paddings: "int32", filter: "T" },
  outputs: { output: "T" },
  attrs: { T: attr.type(["float16", "float32", "float64"]), resizeAlignCorners: attr.bool(false), ...padded },
  shape: ({ input, size, paddings, filter, ...attrs }, context) => {
    const images = resizedShape(input, size.mergeWith(new TensorShape([2])), context);
    const amounts = context.constant("paddings");
    (context.partial("size")?.values ?? []).forEach((d, k) => {
      const more = amounts?.size === 8 ? numbersOf(amounts)[2 * k + 2] + numbersOf(amounts)[2 * k + 3] : 0;
      if (d !== null && d < -1 && d + more < 0) throw new ValueError(`Dimension size overflow from adding ${d} and ${more}`);
    });
    return paddedConvolutionShape({ images, paddings, filter }, attrs, context);
  },
  checks: ({ input, size, paddings, ...attrs }) => {
    checkFull(input);
    checkImages(input, size);
    checkMirrored(paddings, attrs);
  },
  isLenient: true,
  compileTimeInputs: ["size", "paddings"],
  lower: ({ input, size, paddings, filter, resizeAlignCorners: alignCorners, ...attrs }) => {
    const resized = resizedBilinear(input, size, { alignCorners, halfPixelCenters: false });
    return mirroredConvolution(castValue(resized, filter.dtype), paddings, filter, attrs);
  },
});

// ---- behind a product ----

const isValue = (item: unknown): item is Value => typeof item === "object" && item !== null && "shape" in item;

/** What an op is of these values, in primitives, after what its kernel asks of them. */
function applied(op: OpDefinition, record: Readonly<Record<string, unknown>>, context: LowerContext): readonly Value[] {
  const shapes = Object.entries(record).map(([name, item]) => [name, isValue(item) ? item.shape : item]);
  op.checks?.(Object.fromEntries(shapes), context.op);
  return [op.lower?.(record, context) as Value | readonly Value[]].flat();
}

/** A function of one value, which is its only input; its type is the only attribute that is looked at. */
const appliedTo = (op: OpDefinition, x: Value, context: LowerContext): Value =>
  applied(op, { [Object.keys(op.inputs)[0]]: x, T: x.dtype }, context)[0];

interface Followers {
  readonly args: readonly Value[];
  readonly fusedOps: readonly string[];
  readonly epsilon: number;
  readonly leakyreluAlpha: number;
}

/** What messages call the arguments of what follows a product. */
const argumentNames: ReadonlyMap<string, readonly string[]> = new Map([
  ["BiasAdd", ["bias"]],
  ["Add", ["add"]],
  ["FusedBatchNorm", ["scale", "offset", "estimated_mean", "estimated_variance"]],
]);

/** What follows a product: a bias, or statistics to normalize with, and an activation; nothing follows a product without elements.
 *  @throws UnimplementedError for something else. */
function followedBy(product: Value, followers: Followers, context: LowerContext, dataFormat: "NHWC" | "NCHW" = "NHWC"): Value {
  if (product.shape.includes(0)) return product;
  const { args, fusedOps, epsilon, leakyreluAlpha } = followers;
  let next = 0;
  const steps = fusedOps.map(name => {
    const names = argumentNames.get(name) ?? [];
    const given = args.slice(next, next + names.length);
    next += names.length;
    if (name !== "Add")
      for (const [k, { shape }] of given.entries()) need(shape.length === 1, () => `${names[k]} must be 1-dimensional[${shape}]`);
    return { name, given };
  });
  return steps.reduce((x, { name, given }) => {
    const [first, offset, mean, variance] = given;
    if (name === "BiasAdd") {
      // Of more biases than channels the first are taken.
      const channels = x.shape[dataFormat === "NHWC" ? x.shape.length - 1 : 1];
      const bias = first.shape[0] > channels ? slice(first, [0], [channels]) : first;
      return applied(BiasAdd, { value: x, bias, dataFormat }, context)[0];
    }
    if (name === "Add") return map(s.add, x, first);
    if (name === "FusedBatchNorm")
      return applied(FusedBatchNorm, { x, scale: first, offset, mean, variance, epsilon, dataFormat, isTraining: false }, context)[0];
    if (name === "LeakyRelu") return applied(LeakyRelu, { features: x, alpha: leakyreluAlpha }, context)[0];
    const activation = activations.get(name);
    if (!activation) throw new UnimplementedError(`Fusion is not implemented: [${fusedOps}]`);
    return appliedTo(activation, x, context);
  }, product);
}

const activations: ReadonlyMap<string, OpDefinition> = new Map([Relu, Relu6, Elu, Tanh, Sigmoid, Selu].map(op => [op.type, op]));

const followers = {
  fusedOps: attr.strings([]),
  epsilon: attr.float(0.0001),
  leakyreluAlpha: attr.float(Math.fround(0.2)),
};

/** A product of matrices with what follows it. */
export const FusedMatMul = defineOp("_FusedMatMul", {
  inputs: { a: "T", b: "T", args: "numArgs*T" },
  outputs: { product: "T" },
  attrs: {
    transposeA: attr.bool(false),
    transposeB: attr.bool(false),
    T: attr.type(["bfloat16", "float16", "float32"]),
    numArgs: attr.int(undefined, 0),
    ...followers,
  },
  shape: ({ a, b, transposeA, transposeB }) => productShape(a, b, transposeA, transposeB),
  lower: ({ a, b, transposeA, transposeB, ...rest }, context) => {
    need(rest.fusedOps.length > 0, () => "Fused MatMul must have at least one fused op.");
    const [product] = applied(MatMul, { a, b, transposeA, transposeB }, context);
    // To the zeros that sums of nothing are TensorFlow's kernel adds no bias.
    return a.shape.includes(0) && b.shape.includes(0) ? product : followedBy(product, rest, context);
  },
});

/** A convolution with what follows it. */
export const FusedConv2D = defineOp("_FusedConv2D", {
  inputs: { input: "T", filter: "T", args: "TArgs", hostArgs: "numHostArgs*float32" },
  outputs: { output: "T" },
  attrs: {
    T: attr.type(["float16", "float32", "float64", "int8", "qint8"]),
    TArgs: attr.types(undefined, { minimum: 1 }),
    numArgs: attr.int(undefined, 0),
    numHostArgs: attr.int(0, 0),
    strides: attr.ints(),
    padding: attr.oneOf(["SAME", "VALID", "EXPLICIT"]),
    explicitPaddings: attr.ints([]),
    dataFormat: attr.oneOf(["NHWC", "NCHW", "NCHW_VECT_C"], "NHWC"),
    filterFormat: attr.oneOf(["HWIO", "OIHW", "OIHW_VECT_I"], "HWIO"),
    dilations: attr.ints([1, 1, 1, 1]),
    useCudnnOnGpu: attr.bool(true),
    ...followers,
  },
  shape: ({ input, filter, strides, padding, explicitPaddings, dataFormat, dilations }) =>
    convolvedShape("Conv2D", input, filter, { strides, padding, explicitPaddings, dataFormat, dilations }),
  isLenient: true,
  lower: ({ input, filter, dataFormat, ...rest }, context) => {
    if ((dataFormat !== "NHWC" && dataFormat !== "NCHW") || rest.filterFormat !== "HWIO" || input.dtype.includes("int"))
      throw new UnimplementedError(
        `_FusedConv2D of ${input.dtype} with data format ${dataFormat} and filter format ${rest.filterFormat} is not supported.`,
      );
    const [product] = applied(Conv2D, { input, filter, dataFormat, ...rest }, context);
    if (!product.shape.includes(0) && input.shape[dataFormat === "NHWC" ? 3 : 1] !== filter.shape[2])
      throw new UnimplementedError("Fused conv implementation does not support grouped convolutions for now.");
    return followedBy(product, rest, context, dataFormat);
  },
});

/** A depthwise convolution with what follows it. */
export const FusedDepthwiseConv2dNative = defineOp("_FusedDepthwiseConv2dNative", {
  inputs: { input: "T", filter: "T", args: "numArgs*T" },
  outputs: { output: "T" },
  attrs: {
    T: attr.type(attr.floatTypes),
    numArgs: attr.int(undefined, 0),
    strides: attr.ints(),
    padding: attr.oneOf(["SAME", "VALID"]),
    dataFormat: attr.oneOf(["NHWC", "NCHW"], "NHWC"),
    dilations: attr.ints([1, 1, 1, 1]),
    ...followers,
  },
  shape: ({ input, filter, strides, padding, dataFormat, dilations }) =>
    depthwiseShape(input, filter, { strides, padding, dataFormat, dilations }),
  lower: (record, context) => followedBy(applied(DepthwiseConv2dNative, record, context)[0], record, context, record.dataFormat),
});

/** A convolution of volumes with what follows it. */
export const FusedConv3D = defineOp("_FusedConv3D", {
  inputs: { input: "T", filter: "T", args: "numArgs*T" },
  outputs: { output: "T" },
  attrs: {
    T: attr.type(["bfloat16", "float32", "float16"]),
    numArgs: attr.int(undefined, 0),
    strides: attr.ints(undefined, 5),
    padding: attr.oneOf(["SAME", "VALID"]),
    dataFormat: attr.oneOf(["NDHWC", "NCDHW"], "NDHWC"),
    dilations: attr.ints([1, 1, 1, 1, 1]),
    paddingList: attr.ints([]),
    ...followers,
  },
  shape: ({ input, filter, strides, padding, dataFormat, dilations }) =>
    convolvedShape("Conv3D", input, filter, { strides, padding, dataFormat, dilations }),
  lower: (record, context) => {
    const { paddingList, dataFormat } = record;
    if (paddingList.length > 0 || dataFormat !== "NDHWC")
      throw new UnimplementedError(`_FusedConv3D with data format ${dataFormat} and padding_list=[${paddingList}] is not supported.`);
    return followedBy(applied(Conv3D, record, context)[0], record, context);
  },
});

// ---- functions of one number after each other ----

/** Elementwise functions one after the other, by name. @throws UnimplementedError for one that is not among them. */
export const UnaryOpsComposition = defineOp("_UnaryOpsComposition", {
  inputs: { x: "T" },
  outputs: { y: "T" },
  attrs: { T: attr.type(["float32", "float16", "float64"]), opNames: attr.strings() },
  shape: ({ x }) => x,
  lower: ({ x, opNames }, context) => {
    need(opNames.length > 0, () => "Unary op composition must have at least one op");
    return opNames.reduce((value, name) => {
      const op = activations.get(name) ?? elementary.get(name);
      if (!op) throw new InvalidArgumentError(`Do not have a compute function registered for op: ${name}`);
      return appliedTo(op, value, context);
    }, x);
  },
});

const elementary: ReadonlyMap<string, OpDefinition> = new Map(
  [
    unary.Abs,
    unary.Acos,
    unary.Acosh,
    unary.Asin,
    unary.Asinh,
    unary.Atan,
    unary.Atanh,
    unary.Ceil,
    unary.Cos,
    unary.Cosh,
    unary.Exp,
    unary.Expm1,
    unary.Floor,
    unary.Inv,
    unary.Log,
    unary.Log1p,
    unary.Neg,
    unary.Reciprocal,
    unary.Rint,
    unary.Round,
    unary.Rsqrt,
    unary.Sin,
    unary.Sinh,
    unary.Sqrt,
    unary.Square,
    unary.Tan,
  ].map(op => [op.type, op]),
);

// ---- behind a normalization ----

/** Normalization by batch, to which other features may be added, and an activation. */
export const FusedBatchNormEx = defineOp("_FusedBatchNormEx", {
  inputs: { x: "T", scale: "U", offset: "U", mean: "U", variance: "U", sideInput: "numSideInputs*T" },
  outputs: { y: "T", batchMean: "U", batchVariance: "U", reserveSpace_1: "U", reserveSpace_2: "U", reserveSpace_3: "U" },
  attrs: {
    T: attr.type(["float16", "float32", "bfloat16"]),
    U: attr.type(["float32"]),
    epsilon: attr.float(0.0001),
    exponentialAvgFactor: attr.float(1),
    numSideInputs: attr.int(0, 0),
    activationMode: attr.string("Identity"),
    dataFormat: attr.oneOf(["NHWC", "NCHW"], "NHWC"),
    isTraining: attr.bool(true),
  },
  shape: record => [...fusedOutputShapes(record), TensorShape.unknown()],
  lower: ({ sideInput, activationMode, ...record }, context) => {
    const [y, ...statistics] = applied(FusedBatchNormV3, record, context);
    const sum = sideInput.length > 0 ? map(s.add, y, sideInput[0]) : y;
    const activation = activations.get(activationMode);
    if (!activation && activationMode !== "Identity")
      throw new UnimplementedError(`_FusedBatchNormEx has activation_mode='${activationMode}', which is not known.`);
    return [activation ? appliedTo(activation, sum, context) : sum, ...statistics];
  },
});

// ---- normalization as the first versions of TensorFlow had it ----

const globalAttrs = { T: attr.type(attr.numbers), varianceEpsilon: attr.float(), scaleAfterNormalization: attr.bool() };
const globalRemoved = [9, "Use tf.nn.batch_normalization()"] as const;

/** (t - m) / √(v + ε), scaled by gamma if asked, plus beta; moments are vectors, one number a channel. */
export const BatchNormWithGlobalNormalization = defineOp("BatchNormWithGlobalNormalization", {
  inputs: { t: "T", m: "T", v: "T", beta: "T", gamma: "T" },
  outputs: { result: "T" },
  attrs: globalAttrs,
  removed: globalRemoved,
  shape: ({ t, m, v, beta, gamma }) => globalShape(t, [m, v, beta, gamma]).image,
  checks: ({ t, m, v, beta, gamma }) => checkGlobal({ input: t }, { mean: m, var: v, beta, gamma }),
  gradient: ({ t, m, v, gamma, varianceEpsilon, scaleAfterNormalization }, d): Gradients => {
    const { dx, dm, dv, db, dg } = BatchNormWithGlobalNormalizationGrad({
      t,
      m,
      v,
      gamma,
      backprop: d.result,
      varianceEpsilon,
      scaleAfterNormalization,
    });
    return { t: dx, m: dm, v: dv, beta: db, gamma: dg };
  },
  lower: ({ t, m, v, beta, gamma, varianceEpsilon, scaleAfterNormalization }) => {
    const scale = map((v, gamma) => globalScale(v, gamma, varianceEpsilon, scaleAfterNormalization), v, gamma);
    return map((t, m, scale, beta) => s.add(s.mul(s.sub(t, m), scale), beta), t, m, scale, beta);
  },
});

export const BatchNormWithGlobalNormalizationGrad = defineOp("BatchNormWithGlobalNormalizationGrad", {
  inputs: { t: "T", m: "T", v: "T", gamma: "T", backprop: "T" },
  outputs: { dx: "T", dm: "T", dv: "T", db: "T", dg: "T" },
  attrs: globalAttrs,
  removed: globalRemoved,
  shape: ({ t, m, v, gamma, backprop }) => {
    const { image, channels } = globalShape(t.mergeWith(backprop), [m, v, gamma]);
    return [image, channels, channels, channels, channels];
  },
  checks: ({ t, m, v, gamma, backprop }) => checkGlobal({ input: t, out_backprop: backprop }, { mean: m, var: v, gamma }),
  lower: ({ t, m, v, gamma, backprop, varianceEpsilon, scaleAfterNormalization }) => {
    const scale = map((v, gamma) => globalScale(v, gamma, varianceEpsilon, scaleAfterNormalization), v, gamma);
    const overImages = (x: Value): Value => reduce("sum", x, [0, 1, 2]);
    const sum = overImages(backprop);
    const products = overImages(map((d, t, m) => s.mul(d, s.sub(t, m)), backprop, t, m));
    const dv = map((p, scale, v) => s.div(s.mul(s.mul(p, scale), -0.5), s.add(v, varianceEpsilon)), products, scale, v);
    const dg = scaleAfterNormalization
      ? map((p, v) => s.mul(p, s.rsqrt(s.add(v, varianceEpsilon))), products, v)
      : full(gamma.dtype, gamma.shape, 0);
    return [map(s.mul, backprop, scale), map((sum, scale) => s.neg(s.mul(sum, scale)), sum, scale), dv, sum, dg];
  },
});

type NamedSizes = Readonly<Record<string, Sizes>>;

function checkGlobal({ input, ...others }: NamedSizes, vectors: NamedSizes): void {
  need(input.length === 4, () => `input must be 4-dimensional[${input}]`);
  for (const [name, sizes] of Object.entries(vectors)) need(sizes.length === 1, () => `${name} must be 1-dimensional[${sizes}]`);
  for (const [name, sizes] of Object.entries(others)) need(sizes.length === 4, () => `${name} must be 4-dimensional[${sizes}]`);
}

const globalScale = (variance: Scalar, gamma: Scalar, epsilon: number, isScaled: boolean): Scalar => {
  const deviation = s.rsqrt(s.add(variance, epsilon));
  return isScaled ? s.mul(deviation, gamma) : deviation;
};

function globalShape(t: TensorShape, vectors: readonly TensorShape[]): { image: TensorShape; channels: TensorShape } {
  const image = t.withRank(4);
  const channels = vectors.reduce((size, next) => size.mergeWith(next.withRank(1)), new TensorShape([image.dim(3)]));
  return { image: new TensorShape([image.dim(0), image.dim(1), image.dim(2), channels.dim(0)]), channels };
}
