// Ops that stand for several: convolutions with padding or resizing before them, and products with what follows them, as TensorFlow's graph rewriting
// (grappler) leaves them in saved graphs. Each says what it is in the plain ops.

import { UnimplementedError, ValueError } from "../../base/errors.ts";
import type { NDArray } from "../../base/ndarray.ts";
import { type Dimension, TensorShape } from "../../base/shape.ts";
import * as attr from "../../graph/attributes.ts";
import type { Expansion } from "../../graph/functions.ts";
import { defineOp, type Gradients, type ShapeContext } from "../../graph/op-definition.ts";
import type { Operation, Tensor } from "../../graph/operation.ts";
import { cast as castValue } from "../../ir/build.ts";
import type { Value } from "../../ir/program.ts";
import { need } from "../arguments.ts";
import { mirrorPadded, paddedShape } from "../array/padding.ts";
import { checkImages, resizedBilinear, resizedShape } from "../image/resize.ts";
import { AddV2, Div, Mul, Sub } from "../math/math.ts";
import * as unary from "../math/functions.ts";
import { Neg, Rsqrt, Sigmoid, Tanh } from "../math/functions.ts";
import { MatMul } from "../math/matrix.ts";
import { reduceSum } from "../math/reduction.ts";
import { constant, numbersOf, ZerosLike } from "../array/array.ts";
import { BiasAdd, Elu, LeakyRelu, Relu, Relu6, Selu } from "./nn.ts";
import { Conv2D, Conv3D, convolved, convolvedShape, convolvedSizes, DepthwiseConv2dNative, depthwiseShape } from "./convolution.ts";
import { FusedBatchNorm, FusedBatchNormV3, fusedOutputShapes } from "./normalization.ts";

const only = (output: Tensor): Expansion => ({ outputs: [output], effects: [] });

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
  need(images.shape.length === 4, () => `input must be 4-dimensional[${images.shape}]`);
  const amounts = numbersOf(paddings);
  const pairs = images.shape.map((_, axis) => [amounts[2 * axis], amounts[2 * axis + 1]] as const);
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

const paddedConvolutionShape = ({ images, paddings, filter }: PaddedShapes, attrs: Padded, context: ShapeContext): TensorShape =>
  convolvedShape("Conv2D", paddedShape(images.withRank(4), paddings, context, attrs.mode), filter, windowOf(attrs));

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
  shape: ({ input, size, paddings, filter, ...attrs }, context) =>
    paddedConvolutionShape({ images: resizedShape(input, size, context), paddings, filter }, attrs, context),
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

/** What follows a product: a bias, or statistics to normalize with, and an activation. @throws UnimplementedError for another. */
function followedBy(product: Tensor, args: readonly Tensor[], op: Operation, dataFormat: "NHWC" | "NCHW" = "NHWC"): Tensor {
  const names = op.attrs.fusedOps as readonly string[];
  let x = product;
  let next = 0;
  for (const name of names) {
    if (name === "BiasAdd") x = BiasAdd({ value: x, bias: args[next++], dataFormat });
    else if (name === "Add") x = AddV2({ x, y: args[next++] });
    else if (name === "FusedBatchNorm") {
      const [scale, offset, mean, variance] = args.slice(next, next + 4);
      next += 4;
      x = FusedBatchNorm({ x, scale, offset, mean, variance, epsilon: op.attrs.epsilon as number, isTraining: false, dataFormat }).y;
    } else if (name === "LeakyRelu") x = LeakyRelu({ features: x, alpha: op.attrs.leakyreluAlpha as number });
    else {
      const activation = activations.get(name);
      if (!activation)
        throw new UnimplementedError(`${op.type} node '${op.name}' has fused_ops=[${names}], of which '${name}' is not known.`, op);
      x = activation(x);
    }
  }
  return x;
}

const activations: ReadonlyMap<string, (x: Tensor) => Tensor> = new Map([
  ["Relu", (features: Tensor) => Relu({ features })],
  ["Relu6", (features: Tensor) => Relu6({ features })],
  ["Elu", (features: Tensor) => Elu({ features })],
  ["Tanh", (x: Tensor) => Tanh({ x })],
  ["Sigmoid", (x: Tensor) => Sigmoid({ x })],
  ["Selu", (features: Tensor) => Selu({ features })],
]);

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
  shape: ({ a, b, transposeA, transposeB }) => {
    const [left, right] = [a.withRank(2), b.withRank(2)];
    const [inner, other] = [left.dim(transposeA ? 0 : 1), right.dim(transposeB ? 1 : 0)];
    if (inner !== null && other !== null && inner !== other)
      throw new ValueError(`Dimensions must be equal, but are ${inner} and ${other}`);
    const sides: Dimension[] = [left.dim(transposeA ? 1 : 0), right.dim(transposeB ? 0 : 1)];
    return new TensorShape(sides);
  },
  expand: (op, [a, b, ...args]) => {
    const { transposeA, transposeB } = op.attrs as { readonly transposeA: boolean; readonly transposeB: boolean };
    return only(followedBy(MatMul({ a, b, transposeA, transposeB }), args, op, "NHWC"));
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
  expand: (op, [input, filter, ...args]) => {
    const { strides, padding, explicitPaddings, dataFormat, filterFormat, dilations } = op.attrs as {
      readonly strides: readonly number[];
      readonly padding: "SAME" | "VALID" | "EXPLICIT";
      readonly explicitPaddings: readonly number[];
      readonly dataFormat: string;
      readonly filterFormat: string;
      readonly dilations: readonly number[];
    };
    if ((dataFormat !== "NHWC" && dataFormat !== "NCHW") || filterFormat !== "HWIO" || input.dtype.includes("int"))
      throw new UnimplementedError(
        `_FusedConv2D node '${op.name}' of ${input.dtype} with data format ${dataFormat} and filter format ${filterFormat} is not supported.`,
        op,
      );
    const product = Conv2D({ input, filter, strides, padding, explicitPaddings, dataFormat, dilations });
    return only(followedBy(product, args, op, dataFormat));
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
  expand: (op, [input, filter, ...args]) => {
    const windows = windowsOf<"NHWC" | "NCHW">(op);
    return only(followedBy(DepthwiseConv2dNative({ input, filter, ...windows }), args, op, windows.dataFormat));
  },
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
  expand: (op, [input, filter, ...args]) => {
    const windows = windowsOf<"NDHWC" | "NCDHW">(op);
    if ((op.attrs.paddingList as readonly number[]).length > 0 || windows.dataFormat !== "NDHWC")
      throw new UnimplementedError(
        `_FusedConv3D node '${op.name}' with data format ${windows.dataFormat} and padding_list=[${op.attrs.paddingList}] is not supported.`,
        op,
      );
    return only(followedBy(Conv3D({ input, filter, ...windows }), args, op));
  },
});

/** How the windows of an op with these attributes move. */
const windowsOf = <F extends string>({ attrs }: Operation) => ({
  strides: attrs.strides as readonly number[],
  padding: attrs.padding as "SAME" | "VALID",
  dataFormat: attrs.dataFormat as F,
  dilations: attrs.dilations as readonly number[],
});

// ---- functions of one number after each other ----

/** Elementwise functions one after the other, by name. @throws UnimplementedError for one that is not among them. */
export const UnaryOpsComposition = defineOp("_UnaryOpsComposition", {
  inputs: { x: "T" },
  outputs: { y: "T" },
  attrs: { T: attr.type(["float32", "float16", "float64"]), opNames: attr.strings() },
  shape: ({ x }) => x,
  expand: (op, [x]) => {
    const names = op.attrs.opNames as readonly string[];
    return only(
      names.reduce((value, name) => {
        const apply = activations.get(name) ?? elementary.get(name);
        if (!apply)
          throw new UnimplementedError(
            `_UnaryOpsComposition node '${op.name}' has op_names=[${names}], of which '${name}' is not known.`,
            op,
          );
        return apply(value);
      }, x),
    );
  },
});

const elementary: ReadonlyMap<string, (x: Tensor) => Tensor> = new Map(
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
  ].map(made => [made.type, (x: Tensor): Tensor => made({ x })]),
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
  expand: (op, [x, scale, offset, mean, variance, sideInput]) => {
    const { epsilon, exponentialAvgFactor, dataFormat, isTraining, activationMode } = op.attrs as {
      readonly epsilon: number;
      readonly exponentialAvgFactor: number;
      readonly dataFormat: "NHWC" | "NCHW";
      readonly isTraining: boolean;
      readonly activationMode: string;
    };
    const normal = FusedBatchNormV3({ x, scale, offset, mean, variance, epsilon, exponentialAvgFactor, dataFormat, isTraining });
    const sum = sideInput ? AddV2({ x: normal.y, y: sideInput }) : normal.y;
    const activation = activationMode === "Identity" ? (y: Tensor): Tensor => y : activations.get(activationMode);
    if (!activation)
      throw new UnimplementedError(`_FusedBatchNormEx node '${op.name}' has activation_mode='${activationMode}', which is not known.`, op);
    const { batchMean, batchVariance, reserveSpace_1, reserveSpace_2, reserveSpace_3 } = normal;
    return { outputs: [activation(sum), batchMean, batchVariance, reserveSpace_1, reserveSpace_2, reserveSpace_3], effects: [] };
  },
});

// ---- normalization as the first versions of TensorFlow had it ----

const globalAttrs = { T: attr.type(attr.numbers), varianceEpsilon: attr.float(), scaleAfterNormalization: attr.bool() };
const globalRemoved = [9, "Use tf.nn.batch_normalization()"] as const;

type GlobalNorm = { readonly varianceEpsilon: number; readonly scaleAfterNormalization: boolean };

/** (t - m) / √(v + ε), scaled by gamma if asked, plus beta; moments are vectors, one number a channel. */
export const BatchNormWithGlobalNormalization = defineOp("BatchNormWithGlobalNormalization", {
  inputs: { t: "T", m: "T", v: "T", beta: "T", gamma: "T" },
  outputs: { result: "T" },
  attrs: globalAttrs,
  removed: globalRemoved,
  shape: ({ t, m, v, beta, gamma }) => globalShape(t, [m, v, beta, gamma]).image,
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
  expand: (op, [t, m, v, beta, gamma]) => {
    const { varianceEpsilon, scaleAfterNormalization } = op.attrs as GlobalNorm;
    const deviation = Rsqrt({ x: AddV2({ x: v, y: constant(varianceEpsilon, v.dtype) }) });
    const scale = scaleAfterNormalization ? Mul({ x: deviation, y: gamma }) : deviation;
    return only(AddV2({ x: Mul({ x: Sub({ x: t, y: m }), y: scale }), y: beta }));
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
  expand: (op, [t, m, v, gamma, backprop]) => {
    const { varianceEpsilon, scaleAfterNormalization } = op.attrs as GlobalNorm;
    const variance = AddV2({ x: v, y: constant(varianceEpsilon, v.dtype) });
    const deviation = Rsqrt({ x: variance });
    const scale = scaleAfterNormalization ? Mul({ x: deviation, y: gamma }) : deviation;
    const overImages = (x: Tensor): Tensor => reduceSum(x, [0, 1, 2]);
    const [sum, products] = [overImages(backprop), overImages(Mul({ x: backprop, y: Sub({ x: t, y: m }) }))];
    const normal = Mul({ x: products, y: deviation });
    const dv = Div({ x: Mul({ x: Mul({ x: products, y: scale }), y: constant(-0.5, v.dtype) }), y: variance });
    const dg = scaleAfterNormalization ? normal : ZerosLike({ x: gamma });
    return { outputs: [Mul({ x: backprop, y: scale }), Neg({ x: Mul({ x: sum, y: scale }) }), dv, sum, dg], effects: [] };
  },
});

function globalShape(t: TensorShape, vectors: readonly TensorShape[]): { image: TensorShape; channels: TensorShape } {
  const image = t.withRank(4);
  const channels = vectors.reduce((size, next) => size.mergeWith(next.withRank(1)), new TensorShape([image.dim(3)]));
  return { image: new TensorShape([image.dim(0), image.dim(1), image.dim(2), channels.dim(0)]), channels };
}
