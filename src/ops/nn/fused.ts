// Ops that stand for several: convolutions with padding or resizing before them, and products with what follows them, as TensorFlow's graph rewriting
// (grappler) leaves them in saved graphs. Each says what it is in the plain ops.

import { UnimplementedError, ValueError } from "../../base/errors.ts";
import { type Dimension, TensorShape } from "../../base/shape.ts";
import * as attr from "../../graph/attributes.ts";
import type { Expansion } from "../../graph/functions.ts";
import { defineOp, type ShapeContext } from "../../graph/op-definition.ts";
import type { Operation, Tensor } from "../../graph/operation.ts";
import { MirrorPad, paddedShape } from "../array/padding.ts";
import { ResizeBilinear, resizedShape } from "../image/resize.ts";
import { AddV2, cast } from "../math/math.ts";
import { Sigmoid, Tanh } from "../math/functions.ts";
import { MatMul } from "../math/matrix.ts";
import { BiasAdd, Elu, LeakyRelu, Relu, Relu6 } from "./nn.ts";
import { Conv2D, convolvedShape } from "./convolution.ts";
import { FusedBatchNorm } from "./normalization.ts";

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

const paddedOf = ({ attrs }: Operation): Padded => ({
  mode: attrs.mode as Padded["mode"],
  strides: attrs.strides as readonly number[],
  padding: attrs.padding as Padded["padding"],
});

const windowOf = ({ strides, padding }: Padded) => ({ strides, padding, dataFormat: "NHWC" as const, dilations: [1, 1, 1, 1] });

const paddedConvolution = (images: Tensor, paddings: Tensor, filter: Tensor, attrs: Padded): Tensor =>
  Conv2D({ input: MirrorPad({ input: images, paddings, mode: attrs.mode }), filter, ...windowOf(attrs) });

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
  expand: (op, [input, paddings, filter]) => only(paddedConvolution(input, paddings, filter, paddedOf(op))),
});

/** The same of images that are resized before. */
export const FusedResizeAndPadConv2D = defineOp("FusedResizeAndPadConv2D", {
  inputs: { input: "T", size: "int32", paddings: "int32", filter: "T" },
  outputs: { output: "T" },
  attrs: { T: attr.type(["float16", "float32", "float64"]), resizeAlignCorners: attr.bool(false), ...padded },
  shape: ({ input, size, paddings, filter, ...attrs }, context) =>
    paddedConvolutionShape({ images: resizedShape(input, size, context), paddings, filter }, attrs, context),
  expand: (op, [images, size, paddings, filter]) => {
    const resized = ResizeBilinear({ images, size, alignCorners: op.attrs.resizeAlignCorners as boolean });
    return only(paddedConvolution(cast(resized, filter.dtype), paddings, filter, paddedOf(op)));
  },
});

// ---- behind a product ----

/** What follows a product: a bias, or statistics to normalize with, and an activation. @throws UnimplementedError for another. */
function followedBy(product: Tensor, args: readonly Tensor[], op: Operation, dataFormat: "NHWC" | "NCHW"): Tensor {
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
