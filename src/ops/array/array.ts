// Array ops that make tensors and change their shape: constants, placeholders, fill, reshape, identities, shape, oneHot.
// Cutting, joining and selecting is array/slicing.ts; padding, tiling and broadcasting array/padding.ts; the rest array/rearranging.ts.

import type { DType } from "../../base/dtype.ts";
import { dtypeTable } from "../../base/dtype.ts";
import { InvalidArgumentError, LookupError, UnimplementedError, ValueError } from "../../base/errors.ts";
import type { ArrayLike } from "../../base/ndarray.ts";
import { NDArray } from "../../base/ndarray.ts";
import { pythonRepr } from "../../base/python-text.ts";
import type { Dimension, ShapeLike } from "../../base/shape.ts";
import { sizeOf, TensorShape } from "../../base/shape.ts";
import * as attr from "../../graph/attributes.ts";
import { getDefaultGraph } from "../../graph/default-graph.ts";
import { Const, convertToTensor, isAsTensor, type TensorLike, toArray } from "../../graph/conversion.ts";
import { defineOp, type Gradient, type Gradients, type Named, type PartialArray, renameOp } from "../../graph/op-definition.ts";
import { Tensor } from "../../graph/operation.ts";
import type { NotAny } from "../../graph/composite.ts";
import { IndexedSlices } from "../../graph/indexed-slices.ts";
import { SparseTensor } from "../../graph/sparse-tensor.ts";
import { staticValue } from "../../graph/static-value.ts";
import * as ir from "../../ir/build.ts";
import { constantIndex } from "../../ir/index-map.ts";
import type { Value } from "../../ir/program.ts";
import { s } from "../../ir/scalar.ts";
import { collect, eitherName, need } from "../arguments.ts";
import { Cast } from "../math/cast.ts";
import { Prod, reduceSum } from "../math/reduction.ts";
import { inNameScope, named, type NameOption } from "../named.ts";
import { VariantArray } from "../flow/variant-array.ts";

const scalar = new TensorShape([]);

// ---- placeholders ----

/** A value to be fed. */
export const Placeholder = defineOp("Placeholder", {
  inputs: {},
  outputs: { output: "dtype" },
  attrs: { dtype: attr.type(), shape: attr.shape(TensorShape.unknown()) },
  shape: ({ shape }) => shape,
  isPlaceholder: true,
});

/** Placeholder of the GraphDefs of 2016. */
export const PlaceholderV2 = defineOp("PlaceholderV2", {
  inputs: {},
  outputs: { output: "dtype" },
  attrs: { dtype: attr.type(), shape: attr.shape() },
  removed: [23, "Placeholder now behaves the same as PlaceholderV2."],
  shape: ({ shape }) => shape,
  isPlaceholder: true,
});

export const PlaceholderWithDefault = defineOp("PlaceholderWithDefault", {
  inputs: { input: "dtype" },
  outputs: { output: "dtype" },
  attrs: { dtype: attr.type(), shape: attr.shape() },
  shape: ({ input, shape }) => {
    input.mergeWith(shape);
    return shape;
  },
  gradient: (_, d): Gradients => ({ input: d.output }),
  takesSlices: true,
  isLenient: true,
  lower: ({ input }) => input,
  fold: () => [undefined],
});

interface PlaceholderOptions extends Named {
  readonly shape?: ShapeLike;
}

/** A tensor that must be fed: `session.run(y, [[x, value]])`. Unknown dimensions are null; without a shape any shape may be fed. TF: tf.placeholder. */
export function placeholder(dtype: DType, shape?: ShapeLike, options?: NameOption): Tensor;
export function placeholder(dtype: DType, options?: PlaceholderOptions): Tensor;
export function placeholder(dtype: DType, ...rest: unknown[]): Tensor {
  const { shape, name } = collect<PlaceholderOptions>(["shape", "name"], rest);
  return Placeholder({ dtype, shape: attrShape(shape) }, { name });
}

/** @throws ValueError with TensorFlow's text for a negative dimension. */
export function attrShape(shape: ShapeLike | undefined): TensorShape {
  try {
    return new TensorShape(shape ?? null);
  } catch (error) {
    const text = "Error converting shape to a TensorShape: ";
    if (error instanceof ValueError) throw new ValueError(`${text}${error.reason}.`, "Unknown dimensions are null.");
    throw error instanceof TypeError ? new TypeError(`${text}${error.message}.`) : error;
  }
}

/** A tensor that is `input` unless it is fed. TF: tf.placeholder_with_default. */
export const placeholderWithDefault = (input: TensorLike, shape: ShapeLike, options?: NameOption): Tensor =>
  PlaceholderWithDefault({ input, shape: attrShape(shape) }, named(options));

// ---- constants and fills ----

interface ConstantOptions extends Named {
  readonly dtype?: DType | null;
  readonly shape?: ShapeLike;
  readonly verifyShape?: boolean;
}

/** A fixed value: numbers (float32 unless `dtype` says otherwise), nested lists, typed arrays, NDArrays. With `shape`, a single number fills it,
 *  and the last of too few repeats. TF: tf.constant.
 *  @throws ValueError for too many elements; TypeError for values the type cannot hold, or with `verifyShape` for another shape. */
export function constant(value: ArrayLike, dtype?: DType | null, shape?: ShapeLike, options?: NameOption): Tensor;
export function constant(value: ArrayLike, dtype?: DType | null, options?: ConstantOptions): Tensor;
export function constant(value: ArrayLike, options?: ConstantOptions): Tensor;
export function constant(value: ArrayLike, ...rest: unknown[]): Tensor {
  const { dtype, shape, name, verifyShape } = collect<ConstantOptions>(["dtype", "shape", "name", "verifyShape"], rest);
  if ((value as unknown) instanceof Tensor || isAsTensor(value)) throw new TypeError("List of Tensors when single Tensor expected");
  if (value === null || value === undefined) throw new ValueError("None values not supported.");
  const array = toArray(value, dtype ?? undefined);
  const filled = shape === undefined ? array : arrayOfShape(array, new TensorShape(shape).asNumbers(), verifyShape ?? false);
  // Made without a name scope, as TensorFlow does: a bad name is refused as a node's.
  const op = getDefaultGraph().createOperation(
    Const,
    [],
    { value: filled, dtype: filled.dtype },
    name === undefined || name === null ? "Const" : String(name),
  );
  return op.outputs[0];
}

function arrayOfShape(array: NDArray, shape: readonly number[], verifyShape: boolean): NDArray {
  if (array.shape.join() === shape.join()) return array;
  if (verifyShape) throw new TypeError(`Expected Tensor's shape: ${new TensorShape(shape)}, but got ${new TensorShape(array.shape)}.`);
  const size = sizeOf(shape);
  if (array.size === size) return array.reshape(shape);
  if (array.size > size) throw new ValueError(`Too many elements provided. Takes at most ${size}, but got ${array.size}.`);
  if (array.size === 0) throw new ValueError(`No elements provided for a tensor of shape ${new TensorShape(shape)}.`);
  const result = NDArray.zeros(array.dtype, shape);
  for (let i = 0; i < size; i++) result.set(i, array.get(Math.min(i, array.size - 1)));
  return result;
}

/** One value for all elements. */
export const Fill = defineOp("Fill", {
  inputs: { dims: "indexType", value: "T" },
  outputs: { output: "T" },
  attrs: { T: attr.type(), indexType: attr.type(attr.indexTypes, "int32") },
  shape: ({ dims, value }, context) => {
    dims.withRank(1);
    value.withRank(0);
    const shape = context.shapeFrom("dims");
    if (context.partial("dims")?.values.some(d => d !== null && d < 0)) throw new ValueError("Fill dimensions must be >= 0");
    return shape;
  },
  isLenient: true,
  checks: ({ dims, value }) => {
    need(dims.length === 1 || dims.length === 0, () => `dims must represent a vector, got shape [${dims}]`);
    const isOne = value.length === 0 || (value.length === 1 && value[0] === 1);
    need(isOne, () => `value must represent a scalar, got shape [${value}]`);
  },
  gradient: (_, d): Gradients => ({ value: reduceSum(d.output) }),
  compileTimeInputs: ["dims"],
  partial: ({ dims, value }) => {
    if (dims?.shape.length !== 1 || value === undefined || dims.values.some(v => v === null || v < 0) || dims.values.length > 1)
      return undefined;
    const shape = dims.values as number[];
    return { shape, values: Array.from({ length: sizeOf(shape) }, () => value.values[0]) };
  },
  staticValue: ({ value }, _, { shape }) => {
    const known = shape.isFullyDefined ? staticValue(value) : undefined;
    return known && NDArray.full(known.dtype, shape.asNumbers(), known.get(0));
  },
  lower: ({ dims, value }) => {
    const shape = numbersOf(dims);
    if (shape.some(d => d < 0)) throw new InvalidArgumentError(`Dimension ${shape.find(d => d < 0)} must be >= 0`);
    return ir.broadcastTo(value, shape);
  },
});

/** A tensor of shape `dims` full of `value`. TF: tf.fill. */
export const fill = (dims: TensorLike, value: TensorLike, options: (LayoutOption & Named) | string | null = {}): Tensor => {
  const { layout, ...name } = typeof options === "string" || options === null ? { name: options } : options;
  refuseLayout(layout);
  return Fill({ dims, value }, named(name));
};

interface LayoutOption {
  /** How DTensor lays a tensor over a mesh of devices: null, there is one device. */
  readonly layout?: null | undefined;
}

interface DTypeOptions extends Named, LayoutOption {
  readonly dtype?: DType | null;
}

/** @throws UnimplementedError for a layout. */
function refuseLayout(layout: unknown): void {
  if (layout !== undefined && layout !== null)
    throw new UnimplementedError("`layout` lays a tensor over a mesh of devices, and there is one device here.\n\nLeave it out.");
}

/** Zeros of a shape: a constant while small, else a Fill. TF: tf.zeros. */
export function zeros(shape: TensorLike, dtype?: DType | null, options?: NameOption): Tensor;
export function zeros(shape: TensorLike, options?: DTypeOptions): Tensor;
export function zeros(shape: TensorLike, ...rest: unknown[]): Tensor {
  const { dtype, name, layout } = collect<DTypeOptions>(["dtype", "name", "layout"], rest);
  refuseLayout(layout);
  return filledOf(0, shape, dtype ?? "float32", name, "zeros");
}

/** Ones of a shape: a constant while small, else a Fill. TF: tf.ones. */
export function ones(shape: TensorLike, dtype?: DType | null, options?: NameOption): Tensor;
export function ones(shape: TensorLike, options?: DTypeOptions): Tensor;
export function ones(shape: TensorLike, ...rest: unknown[]): Tensor {
  const { dtype, name, layout } = collect<DTypeOptions>(["dtype", "name", "layout"], rest);
  refuseLayout(layout);
  return filledOf(1, shape, dtype ?? "float32", name, "ones");
}

/** Larger ones become Fill nodes, so that they do not swell a GraphDef. */
const mostElementsOfConstant = 1000;

function filledOf(value: 0 | 1, shape: TensorLike, dtype: DType, name: Named["name"], fallback: string): Tensor {
  return inNameScope({ name }, fallback, [shape], scope => {
    const known = knownDims(shape);
    if (dtype === "string" && value === 1) throw new TypeError("Expected string, but got 1 of type 'int'.");
    const element = dtype === "string" ? "" : dtype === "bool" ? value === 1 : value;
    // A bare number is no shape to Python's constant.
    if (known && typeof shape !== "number" && sizeOf(known) < mostElementsOfConstant) {
      const array = NDArray.full(dtype, known, element);
      return Const({ value: array, dtype }, scope);
    }
    const dims = known ? shapeConstant(known) : convertToTensor(shape, shape instanceof Tensor ? {} : { dtype: "int32" });
    const vector = dims.shape.rank === 0 || dims.shape.rank === null ? reshape(dims, [-1]) : dims;
    return Fill({ dims: vector, value: constant(element, dtype) }, scope);
  });
}

const shapeConstant = (dims: readonly number[]): Tensor => constant([...dims], "int32", [dims.length], "shape_as_tensor");

/** The numbers of a shape given as a list, a number or a TensorShape; undefined if there are tensors among them, or what is no size. */
function knownDims(shape: TensorLike): readonly number[] | undefined {
  if (typeof shape === "number") return shape < 0 ? undefined : [shape];
  if (shape instanceof TensorShape) return shape.asNumbers();
  if (shape instanceof NDArray) return shape.rank <= 1 ? numbersOf(shape) : undefined;
  if (ArrayBuffer.isView(shape)) return Array.from(shape as Int32Array, Number);
  if (Array.isArray(shape) && shape.every(d => (typeof d === "number" || typeof d === "bigint") && d >= 0))
    return new TensorShape(shape.map(Number)).asNumbers();
  return undefined;
}

/** The elements of an integer array as numbers. */
export const numbersOf = (array: NDArray): number[] => Array.from({ length: array.size }, (_, i) => Number(array.get(i)));

const likeTypes = [
  "bfloat16",
  "float16",
  "float32",
  "float64",
  "int8",
  "uint8",
  "int16",
  "uint16",
  "int32",
  "uint32",
  "int64",
  "uint64",
  "complex64",
  "complex128",
  "bool",
] as const satisfies readonly DType[];

const likePartial = (x: PartialArray | undefined, shape: TensorShape, value: number): PartialArray | undefined =>
  shape.rank !== null && shape.rank <= 1 && shape.isFullyDefined && (shape.size ?? 0) <= 64
    ? { shape: x?.shape ?? shape.asNumbers(), values: Array<number>(shape.size ?? 0).fill(value) }
    : undefined;

export const ZerosLike = defineOp("ZerosLike", {
  inputs: { x: "T" },
  outputs: { y: "T" },
  attrs: { T: attr.type() },
  shape: ({ x }) => x,
  gradient: "none",
  partial: ({ x, shapes }) => likePartial(x, shapes.x, 0),
  holds: (_, context) => context.handle("x"),
  lower: ({ x }, context) => (x.dtype === "variant" ? context.keepOnHost() : ir.zerosLike(x)),
  onHost: ({ x }) => [VariantArray.of(x).zeros()],
});

export const OnesLike = defineOp("OnesLike", {
  inputs: { x: "T" },
  outputs: { y: "T" },
  attrs: { T: attr.type(likeTypes) },
  shape: ({ x }) => x,
  gradient: "none",
  partial: ({ x, shapes }) => likePartial(x, shapes.x, 1),
  lower: ({ x, T }) => ir.full(T, x.shape, 1),
});

interface LikeOptions extends DTypeOptions {
  /** false: never a constant, even where the shape is known. */
  readonly optimize?: boolean;
}

/** Zeros of the shape (and, unless given, type) of a tensor. TF: tf.zeros_like. */
export function zerosLike(tensor: TensorLike, dtype?: DType | null, options?: NameOption): Tensor;
export function zerosLike(tensor: TensorLike, options?: LikeOptions): Tensor;
export function zerosLike(tensor: TensorLike, ...rest: unknown[]): Tensor {
  const { dtype, name, optimize = true } = collect<LikeOptions>(["dtype", "name", "optimize"], rest);
  return inNameScope({ name }, "zeros_like", [tensor], scope => {
    const x = convertToTensor(tensor, { name: "tensor" });
    if (optimize && x.shape.isFullyDefined && x.dtype !== "variant") return zeros(x.shape, dtype ?? x.dtype, scope);
    if (dtype && dtype !== x.dtype && dtype !== "variant") return zeros(shapeNode(x, optimize), dtype, scope);
    return ZerosLike({ x }, scope);
  });
}

/** Ones of the shape (and, unless given, type) of a tensor. TF: tf.ones_like. */
export function onesLike(tensor: TensorLike, dtype?: DType | null, options?: NameOption): Tensor;
export function onesLike(tensor: TensorLike, options?: LikeOptions): Tensor;
export function onesLike(tensor: TensorLike, ...rest: unknown[]): Tensor {
  const { dtype, name, optimize = true } = collect<LikeOptions>(["dtype", "name", "optimize"], rest);
  return inNameScope({ name }, "ones_like", [tensor], scope => {
    const x = convertToTensor(tensor, { name: "tensor" });
    const result = ones(shapeNode(x, optimize), dtype ?? x.dtype, scope);
    result.setShape(x.shape);
    return result;
  });
}

/** The shape as TensorFlow's own functions ask for it: its constant goes by another name than that of tf.shape. */
export const shapeNode = (x: Tensor, optimize: boolean): Tensor =>
  x.graph.nameScope("Shape", scope =>
    optimize && x.shape.isFullyDefined ? shapeConstant(x.shape.asNumbers()) : Shape({ input: x }, scope),
  );

// ---- identities ----

export const Identity = defineOp("Identity", {
  inputs: { input: "T" },
  outputs: { output: "T" },
  attrs: { T: attr.type() },
  shape: ({ input }) => input,
  gradient: (_, d): Gradients => ({ input: d.output }),
  takesSlices: true,
  isCopy: true,
  partial: ({ input }) => input,
  staticValue: ({ input }) => staticValue(input),
  simplify: ({ input }) => input,
  lower: ({ input }) => input,
});

export const RefIdentity = defineOp("RefIdentity", {
  inputs: { input: "Ref(T)" },
  outputs: { output: "Ref(T)" },
  attrs: { T: attr.type() },
  shape: ({ input }) => input,
  gradient: (_, d): Gradients => ({ input: d.output }),
  takesSlices: true,
  allowsUninitializedInput: true,
  lower: ({ input }) => input,
});

export const IdentityN = defineOp("IdentityN", {
  inputs: { input: "T" },
  outputs: { output: "T" },
  attrs: { T: attr.types(undefined, { minimum: 1 }) },
  shape: ({ input }) => input,
  gradient: (_, d): Gradients => ({ input: d.output }),
  takesSlices: true,
  lower: ({ input }) => input,
});

/** Tensors through an IdentityN with a gradient of its own: how TensorFlow's functions with custom gradients give back results and arguments. */
export const identitiesWithGradient = (
  input: readonly Tensor[],
  gradient: (d: readonly Tensor[]) => readonly Gradient[],
): readonly Tensor[] =>
  renameOp("IdentityN", IdentityN, {
    gradient: (_, { output }: { readonly output: readonly Tensor[] }) => ({ input: gradient(output) }),
  })({ input }) as readonly Tensor[];

export const StopGradient = defineOp("StopGradient", {
  inputs: { input: "T" },
  outputs: { output: "T" },
  attrs: { T: attr.type() },
  shape: ({ input }) => input,
  gradient: "none",
  partial: ({ input }) => input,
  staticValue: ({ input }) => staticValue(input),
  simplify: ({ input }) => input,
  lower: ({ input }) => input,
});

export const PreventGradient = defineOp("PreventGradient", {
  inputs: { input: "T" },
  outputs: { output: "T" },
  attrs: { T: attr.type(), message: attr.string("") },
  shape: ({ input }) => input,
  gradient: ({ message }): Gradients => {
    throw new LookupError(`Gradient explicitly disabled. Reason: b${pythonRepr(message)}`);
  },
  simplify: ({ input }) => input,
  lower: ({ input }) => input,
});

export const Snapshot = defineOp("Snapshot", {
  inputs: { input: "T" },
  outputs: { output: "T" },
  attrs: { T: attr.type() },
  shape: ({ input }) => input,
  simplify: ({ input }) => input,
  lower: ({ input }) => input,
});

export const DeepCopy = defineOp("DeepCopy", {
  inputs: { x: "T" },
  outputs: { y: "T" },
  attrs: { T: attr.type() },
  shape: ({ x }) => x,
  stateful: true,
  lower: ({ x }) => x,
});

export const GuaranteeConst = defineOp("GuaranteeConst", {
  inputs: { input: "T" },
  outputs: { output: "T" },
  attrs: { T: attr.type() },
  shape: ({ input }) => input,
  gradient: (_, d): Gradients => ({ input: d.output }),
  stateful: true,
  lower: ({ input }) => input,
});

/** The same value; a point to hang a name or a control dependency on. Of sparse tensors and rows of a larger one each part by itself. TF: tf.identity. */
export function identity<A extends SparseTensor | IndexedSlices>(input: A & NotAny<A>, options?: NameOption): A;
export function identity(input: TensorLike, options?: NameOption): Tensor;
export function identity(input: TensorLike | Parted, options?: NameOption): Tensor | Parted {
  return isParted(input) ? mapParts(input, part => identity(part)) : Identity({ input }, named(options));
}
type Parted = SparseTensor | IndexedSlices;
const isParted = (value: unknown): value is Parted => value instanceof SparseTensor || value instanceof IndexedSlices;
function mapParts(given: Parted, f: (part: Tensor) => Tensor): Parted {
  if (given instanceof SparseTensor) return new SparseTensor(f(given.indices), f(given.values), f(given.denseShape));
  const { values, indices, denseShape } = given;
  return new IndexedSlices(f(values), f(indices), denseShape && f(denseShape));
}
/** Several values at once. TF: tf.identity_n. */
export const identityN = (input: readonly TensorLike[], options?: NameOption): readonly Tensor[] => IdentityN({ input }, named(options));
/** The same value, a constant for gradients. TF: tf.stop_gradient. */
export function stopGradient<A extends SparseTensor | IndexedSlices>(input: A & NotAny<A>, options?: NameOption): A;
export function stopGradient(input: TensorLike, options?: NameOption): Tensor;
export function stopGradient(input: TensorLike | Parted, options?: NameOption): Tensor | Parted {
  return isParted(input) ? mapParts(input, part => stopGradient(part)) : StopGradient({ input }, named(options));
}
export const guaranteeConst = (input: TensorLike, options?: NameOption): Tensor => GuaranteeConst({ input }, named(options));

// ---- shapes as tensors ----

export const Shape = defineOp("Shape", {
  inputs: { input: "T" },
  outputs: { output: "outType" },
  attrs: { T: attr.type(), outType: attr.type(attr.indexTypes, "int32") },
  shape: ({ input }) => new TensorShape([input.rank]),
  gradient: "none",
  // A vector whose values are known has a known length, even where its static shape does not say so (unique).
  partial: ({ input, shapes }) => (input?.shape.length === 1 ? { shape: [1], values: [input.values.length] } : dimsOf(shapes.input)),
  followsShapes: true,
  staticValue: ({ input: { shape }, outType }) =>
    shape.isFullyDefined ? NDArray.from([...shape.asNumbers()], outType, [shape.asNumbers().length]) : undefined,
  staticShape: ({ input }) => input.shape,
  cappedInputs: ["input"],
  lower: ({ input, outType }, context) => {
    const sizes = ir.constant(NDArray.from([...input.shape], outType, [input.shape.length]));
    const rows = context.rows("input");
    if (rows === undefined) return sizes;
    const counted = ir.generate(sizes.shape, ([i]) =>
      s.guard([{ index: i, low: 0, high: 1 }], s.cast(s.load(rows, []), outType), s.load(sizes, [i])),
    );
    return context.bounded(counted, NDArray.from([...input.shape], outType, [input.shape.length]));
  },
});

export const ShapeN = defineOp("ShapeN", {
  inputs: { input: "N*T" },
  outputs: { output: "N*outType" },
  attrs: { N: attr.int(undefined, 1), T: attr.type(), outType: attr.type(attr.indexTypes, "int32") },
  shape: ({ input }) => input.map(({ rank }) => new TensorShape([rank])),
  gradient: "none",
  // TensorFlow takes no constant from this op, however much is known.
  partial: ({ shapes, outputIndex }) => {
    const dims = dimsOf(shapes.input[outputIndex]);
    return dims && { ...dims, isShapeOnly: "derived" };
  },
  followsShapes: true,
  lower: ({ input, outType }) => input.map(({ shape }) => ir.constant(NDArray.from([...shape], outType, [shape.length]))),
});

export const Size = defineOp("Size", {
  inputs: { input: "T" },
  outputs: { output: "outType" },
  attrs: { T: attr.type(), outType: attr.type(attr.indexTypes, "int32") },
  shape: () => scalar,
  gradient: "none",
  partial: ({ shapes }) => ({ shape: [], values: [shapes.input.size] }),
  // An int32, whatever the type of the output.
  staticValue: ({ input: { shape } }) => (shape.size === null ? undefined : NDArray.full("int32", [], shape.size)),
  lower: ({ input, outType }) => ir.constant(NDArray.full(outType, [], sizeOf(input.shape))),
});

export const Rank = defineOp("Rank", {
  inputs: { input: "T" },
  outputs: { output: "int32" },
  attrs: { T: attr.type() },
  shape: () => scalar,
  gradient: "none",
  partial: ({ shapes }) => ({ shape: [], values: [shapes.input.rank] }),
  staticValue: ({ input: { shape } }) => (shape.rank === null ? undefined : NDArray.full("int32", [], shape.rank)),
  lower: ({ input }) => ir.constant(NDArray.full("int32", [], input.shape.length)),
});

const dimsOf = ({ dims }: TensorShape): PartialArray | undefined =>
  dims === null ? undefined : { shape: [dims.length], values: dims, isShapeOnly: dims.includes(null) ? "direct" : undefined };

interface OutTypeOptions extends Named {
  readonly outType?: DType | null;
}

/** The shape as an int32 vector: a constant where it is known. TF: tf.shape(input, name, out_type). */
export function shape(
  input: TensorLike | SparseTensor,
  ...rest: [name?: string | null, outType?: DType | null] | [options?: OutTypeOptions]
): Tensor {
  const { name, outType } = collect<OutTypeOptions>(["name", "outType"], rest);
  return inNameScope({ name }, "Shape", [input], scope => {
    if (input instanceof SparseTensor) return Cast({ x: input.denseShape, DstT: outType ?? "int32" });
    const x = convertToTensor(input);
    const type = outType ?? "int32";
    if (x.shape.isFullyDefined) return constant([...x.shape.asNumbers()], type, [x.shape.rank ?? 0], scope);
    return Shape({ input: x, outType: type }, scope);
  });
}

/** The shapes of several tensors. TF: tf.shape_n. */
export function shapeN(
  input: readonly TensorLike[],
  ...rest: [outType?: DType | null, name?: string | null] | [options?: OutTypeOptions]
): readonly Tensor[] {
  const { name, outType } = collect<OutTypeOptions>(["outType", "name"], rest);
  return ShapeN({ input, outType: outType ?? "int32" }, { name });
}

/** The number of elements. TF: tf.size(input, name, out_type). */
export function size(
  input: TensorLike | SparseTensor,
  ...rest: [name?: string | null, outType?: DType | null] | [options?: OutTypeOptions]
): Tensor {
  const { name, outType } = collect<OutTypeOptions>(["name", "outType"], rest);
  return inNameScope({ name }, "Size", [input], scope => {
    const type = outType ?? "int32";
    if (input instanceof SparseTensor) return Prod({ input: Cast({ x: input.denseShape, DstT: type }), reductionIndices: 0 }, scope);
    const x = convertToTensor(input);
    const known = x.shape.dims?.includes(0) ? 0 : x.shape.size;
    return known === null ? Size({ input: x, outType: type }, scope) : constant(known, type, [], scope);
  });
}

/** The number of dimensions. TF: tf.rank. */
export const rank = (input: TensorLike | SparseTensor, options?: NameOption): Tensor =>
  inNameScope(options, "Rank", [input], scope => {
    if (input instanceof SparseTensor) return Size({ input: input.denseShape }, scope);
    const x = convertToTensor(input);
    return x.shape.rank === null ? Rank({ input: x }, scope) : constant(x.shape.rank, "int32", [], scope);
  });

// ---- reshaping ----

export const Reshape = defineOp("Reshape", {
  inputs: { tensor: "T", shape: "Tshape" },
  outputs: { output: "T" },
  attrs: { T: attr.type(), Tshape: attr.type(attr.indexTypes, "int32") },
  shape: ({ tensor }, context) => reshapedShape(tensor, context.shapeFrom("shape")),
  isLenient: true,
  checks: ({ shape: wanted }) => need(wanted.length <= 1, () => `sizes input must be 1-D, not [${wanted}]`),
  gradient: ({ tensor }, d): Gradients => ({ tensor: reshapeLike(d.output, tensor) }),
  compileTimeInputs: ["shape"],
  partial: ({ tensor, shape }) => {
    if (tensor === undefined || shape === undefined || shape.values.includes(null)) return undefined;
    const dims = shape.values as readonly number[];
    const known = sizeOf(dims.filter(d => d !== -1));
    return { shape: dims.map(d => (d === -1 ? tensor.values.length / Math.max(known, 1) : d)), values: tensor.values };
  },
  simplify: ({ tensor, output }) => (tensor.shape.isFullyDefined && tensor.shape.equals(output.shape) ? tensor : undefined),
  lower: ({ tensor, shape }) => ir.reshape(tensor, completeShape(numbersOf(shape), tensor.shape)),
});

/** With one dimension of the input unknown, −1 stands for it, so that no Shape node is needed. */
function reshapeLike(gradient: Tensor, tensor: Tensor): Tensor {
  const { dims } = tensor.shape;
  const unknown = dims?.filter(d => d === null).length;
  if (dims && unknown === 1 && !dims.includes(0))
    return reshape(
      gradient,
      dims.map(d => d ?? -1),
    );
  return reshape(gradient, shape(tensor));
}

/** The shape asked for, its −1 worked out. @throws InvalidArgumentError with the kernel's text. */
export function completeShape(dims: readonly number[], source: readonly number[]): number[] {
  const elements = sizeOf(source);
  const free = dims.flatMap((d, i) => (d === -1 ? [i] : []));
  if (free.length > 1) throw new InvalidArgumentError(`Only one input size may be -1, not both ${free[0]} and ${free[1]}`);
  const bad = dims.findIndex(d => d < -1);
  if (bad >= 0) throw new InvalidArgumentError(`Size ${bad} must be non-negative, not ${dims[bad]}`);
  // Where a size of 0 is asked for, those of 0 do not count: the others say what is left for the −1.
  const isEmpty = dims.includes(0);
  const count = (sizes: readonly number[]): number => sizeOf(sizes.filter(d => d >= 0 && !(isEmpty && d === 0)));
  const [known, all] = [count(dims), count(source)];
  const given = `Input to reshape is a tensor with ${elements} values, but the requested shape`;
  if (free.length === 1 && all % known !== 0 && !(isEmpty && elements === 0))
    throw new InvalidArgumentError(`${given} requires a multiple of ${known}`);
  const complete = dims.map(d => (d === -1 ? Math.floor(all / known) : d));
  if (sizeOf(complete) !== elements) throw new InvalidArgumentError(`${given} has ${sizeOf(complete)}`);
  return complete;
}

/** The product of the known dimensions, and where the single unknown one is; undefined if there are several. */
function countOf(dims: readonly Dimension[]): { elements: number; unknown: number } | undefined {
  if (dims.includes(0)) return { elements: 0, unknown: -1 };
  const unknown = dims.flatMap((d, i) => (d === null ? [i] : []));
  if (unknown.length > 1) return undefined;
  return { elements: dims.reduce<number>((product, d) => product * (d ?? 1), 1), unknown: unknown[0] ?? -1 };
}

export function reshapedShape(input: TensorShape, wanted: TensorShape): TensorShape {
  if (input.dims === null || wanted.dims === null) return wanted;
  const [from, to] = [countOf(input.dims), countOf(wanted.dims)];
  if (!from || !to) return wanted;
  const complete = (dimension: Dimension): TensorShape =>
    new TensorShape((wanted.dims ?? []).map((d, i) => (i === to.unknown ? dimension : d)));
  if (from.unknown < 0 && to.unknown < 0) {
    if (from.elements !== to.elements)
      throw new ValueError(
        `Cannot reshape a tensor with ${from.elements} elements to shape ${wanted.format()} (${to.elements} elements)`,
        "The product of the new dimensions must equal the number of elements; one of them may be -1.",
      );
  } else if (from.unknown < 0 && to.elements > 0) return complete(evenly(from.elements, to.elements));
  else if (to.unknown < 0 && from.elements !== 0) evenly(to.elements, from.elements);
  else if (from.unknown >= 0 && to.unknown >= 0 && from.elements === to.elements) return complete(input.dims[from.unknown]);
  return wanted;
}

/** @throws ValueError with TensorFlow's text unless `by` divides `size`. */
export function evenly(size: number, by: number): number {
  if (size % by !== 0) throw new ValueError(`Dimension size must be evenly divisible by ${by} but is ${size}`);
  return size / by;
}

/** The same elements in row-major order under another shape; one dimension may be −1. TF: tf.reshape.
 *  @throws ValueError if the number of elements differs. */
export const reshape = (tensor: TensorLike, shape: TensorLike, options?: NameOption): Tensor => Reshape({ tensor, shape }, named(options));

export const ExpandDims = defineOp("ExpandDims", {
  inputs: { input: "T", dim: "Tdim" },
  outputs: { output: "T" },
  attrs: { T: attr.type(), Tdim: attr.type(attr.indexTypes, "int32") },
  shape: ({ input }, context) => {
    const given = context.partial("dim")?.values;
    if (given !== undefined && given.length !== 1) throw new ValueError("'dim' input must be a tensor with a single value");
    const at = given?.[0];
    if (input.dims === null) return TensorShape.unknown();
    const length = input.dims.length;
    if (at === undefined || at === null) return TensorShape.unknownOfRank(length + 1);
    if (at < -length - 1 || at > length) throw new ValueError(`dim ${at} not in the interval [${-length - 1}, ${length}].`);
    return new TensorShape(input.dims.toSpliced(at < 0 ? at + length + 1 : at, 0, 1));
  },
  gradient: ({ input }, d): Gradients => ({ input: reshape(d.output, shape(input)) }),
  compileTimeInputs: ["dim"],
  partial: ({ input }) => (input?.shape.length === 0 ? { shape: [1], values: input.values } : undefined),
  lower: ({ input, dim }) => {
    const length = input.shape.length;
    const [at] = numbersOf(dim);
    if (at < -length - 1 || at > length)
      throw new InvalidArgumentError(`Tried to expand dim index ${at} for tensor with ${length} dimensions.`);
    return ir.reshape(input, input.shape.toSpliced(at < 0 ? at + length + 1 : at, 0, 1));
  },
});

interface ExpandDimsOptions extends Named {
  readonly axis?: TensorLike | null;
  /** Older name of `axis`. */
  readonly dim?: TensorLike | null;
}

/** A dimension of size 1 put in before `axis` (from the end if negative). TF: tf.expand_dims. */
export function expandDims(input: TensorLike, axis: TensorLike, options?: NameOption): Tensor;
export function expandDims(input: TensorLike, options: ExpandDimsOptions): Tensor;
export function expandDims(input: TensorLike, ...rest: unknown[]): Tensor {
  const { axis, dim, name } = collect<ExpandDimsOptions>(["axis", "name", "dim"], rest);
  const at = eitherName("axis", axis, "dim", dim);
  if (at === undefined || at === null) throw new ValueError("Must specify an axis argument to tf.expand_dims()");
  return ExpandDims({ input, dim: at }, { name });
}

export const Squeeze = defineOp("Squeeze", {
  inputs: { input: "T" },
  outputs: { output: "T" },
  attrs: { T: attr.type(), squeezeDims: attr.ints([], 0) },
  shape: ({ input, squeezeDims }) => squeezedShape(input, squeezeDims),
  gradient: ({ input }, d): Gradients => ({ input: reshape(d.output, shape(input)) }),
  partial: ({ input }) => (input?.values.length === 1 ? { shape: [], values: input.values } : undefined),
  lower: ({ input, squeezeDims }) => {
    const axes = squeezeDims.map(axis => (axis < 0 ? axis + input.shape.length : axis));
    const bad = axes.find(axis => input.shape[axis] !== 1);
    if (bad !== undefined)
      throw new InvalidArgumentError(`Can not squeeze dim[${bad}], expected a dimension of 1, got ${input.shape[bad]}`);
    return ir.reshape(
      input,
      input.shape.filter((d, axis) => (axes.length === 0 ? d !== 1 : !axes.includes(axis))),
    );
  },
});

function squeezedShape({ dims }: TensorShape, squeezeDims: readonly number[]): TensorShape {
  if (dims === null) return TensorShape.unknown();
  const length = dims.length;
  const axes = squeezeDims.map((axis, i) => {
    if (axis < -length || axis >= length) throw new ValueError(`squeeze_dims[${i}] not in [${-length},${length}).`);
    return axis < 0 ? axis + length : axis;
  });
  // Which dimensions vanish is unknown while an unnamed one may be 1.
  if (axes.length === 0 && dims.includes(null)) return TensorShape.unknown();
  for (const axis of axes)
    if (dims[axis] !== 1 && dims[axis] !== null)
      throw new ValueError(`Can not squeeze dim[${axis}], expected a dimension of 1, got ${dims[axis]}`);
  return new TensorShape(dims.filter((d, axis) => (axes.length === 0 ? d !== 1 : !axes.includes(axis))));
}

interface SqueezeOptions extends Named {
  readonly axis?: number | readonly number[] | null;
  /** Older name of `axis`. */
  readonly squeezeDims?: number | readonly number[] | null;
}

/** Dimensions of size 1 taken out: those of `axis`, or all. TF: tf.squeeze. @throws ValueError if one is not 1. */
export function squeeze(input: TensorLike, axis?: number | readonly number[] | null, options?: NameOption): Tensor;
export function squeeze(input: TensorLike, options?: SqueezeOptions): Tensor;
export function squeeze(input: TensorLike, ...rest: unknown[]): Tensor {
  const { axis, squeezeDims, name } = collect<SqueezeOptions>(["axis", "name", "squeezeDims"], rest);
  const axes = eitherName("axis", axis, "squeeze_dims", squeezeDims) ?? [];
  if (typeof axes === "string") throw new TypeError(`Expected int for argument 'axis' not '${String(axes)}'.`);
  return Squeeze({ input, squeezeDims: typeof axes === "number" ? [axes] : axes }, { name });
}

export const EnsureShape = defineOp("EnsureShape", {
  inputs: { input: "T" },
  outputs: { output: "T" },
  attrs: { shape: attr.shape(), T: attr.type() },
  shape: ({ input, shape }) => {
    if (shape.rank === null && input.rank !== null) throw new ValueError(`Shape must be rank -1 but is rank ${input.rank}`);
    return shape.mergeWith(shape.rank === null ? input : input.withRank(shape.rank));
  },
  gradient: (_, d): Gradients => ({ input: d.output }),
  takesSlices: true,
  lower: ({ input, shape: wanted }, { runName }) => {
    if (wanted.isCompatibleWith(input.shape)) return input;
    throw new InvalidArgumentError(
      `Shape of tensor ${runName("input")} [${input.shape.join(",")}] is not compatible with expected shape ${wanted.format()}.`,
    );
  },
});

/** The tensor itself, its shape checked while running. TF: tf.ensure_shape. */
export const ensureShape = (x: TensorLike, shape: ShapeLike, options?: NameOption): Tensor =>
  EnsureShape({ input: x, shape: new TensorShape(shape) }, named(options));

// ---- bits, checks ----

const bitTypes = [
  "bfloat16",
  "float16",
  "float32",
  "float64",
  "int64",
  "int32",
  "uint8",
  "uint16",
  "uint32",
  "uint64",
  "int8",
  "int16",
  "complex64",
  "complex128",
  "qint8",
  "quint8",
  "qint16",
  "quint16",
  "qint32",
] as const satisfies readonly DType[];

/** The same bytes under another type; where sizes differ, the last dimension takes or gives the factor. */
export const Bitcast = defineOp("Bitcast", {
  inputs: { input: "T" },
  outputs: { output: "type" },
  attrs: { T: attr.type(bitTypes), type: attr.type(bitTypes) },
  shape: ({ input, T, type }) => bitcastShape(input, T, type),
  lower: ({ input, T, type }, { outputShapes }) => {
    const shape = outputShapes[0].asNumbers();
    if (dtypeTable[T].bytes === dtypeTable[type].bytes && T !== "complex64" && type !== "complex64")
      return ir.map(x => s.bitcast(x, type), input);
    return ir.call({ name: "Bitcast", run: ([from], [to]) => void bytesOf(to).set(bytesOf(from)) }, [input], [{ dtype: type, shape }]);
  },
});

const bytesOf = ({ data }: NDArray): Uint8Array => {
  const { buffer, byteOffset, byteLength } = data as Uint8Array;
  return new Uint8Array(buffer, byteOffset, byteLength);
};

function bitcastShape(input: TensorShape, own: DType, type: DType): TensorShape {
  const [from, to] = [dtypeTable[own].bytes, dtypeTable[type].bytes];
  if (input.dims === null || from === to) return input;
  if (from > to) return new TensorShape([...input.dims, from / to]);
  const last = input.withRankAtLeast(1).dim(-1);
  if (last !== null && last !== to / from)
    throw new ValueError(
      `Cannot bitcast from ${dtypeTable[own].number} to ${dtypeTable[type].number} due to shape. ${last} does not match ${to / from}`,
    );
  return input.slice(0, -1);
}

/** The same bytes read as another type. TF: tf.bitcast. */
export const bitcast = (input: TensorLike, type: DType, options?: NameOption): Tensor => Bitcast({ input, type }, named(options));

const checkNumericsFields = {
  inputs: { tensor: "T" },
  outputs: { output: "T" },
  attrs: { T: attr.type(["bfloat16", "float16", "float32", "float64"]), message: attr.string() },
  shape: ({ tensor }: { tensor: TensorShape }) => tensor,
  stateful: true,
} as const;

const refuseNonFinite = (tensor: Value, message: string): void =>
  ir.check(
    tensor.shape,
    r => {
      const x = s.load(tensor, r);
      return s.eq(s.sub(x, x), 0);
    },
    {
      label: "CheckNumerics",
      reads: [tensor],
      error: (_, read) => {
        const array = read(tensor);
        const values = numbersOf(array);
        const kinds = [
          ...(values.some(v => v === Infinity || v === -Infinity) ? ["Inf"] : []),
          ...(values.some(Number.isNaN) ? ["NaN"] : []),
        ];
        return new InvalidArgumentError(`${message} : Tensor had ${kinds.join(" and ")} values`);
      },
    },
  );

const nonFiniteGradient = (d: Tensor, message: string): Tensor =>
  CheckNumerics({ tensor: d, message: `Not a number (NaN) or infinity (Inf) values detected in gradient. ${message}` });

export const CheckNumerics = defineOp("CheckNumerics", {
  ...checkNumericsFields,
  gradient: ({ message }, d): Gradients => ({ tensor: nonFiniteGradient(d.output, message) }),
  lower: ({ tensor, message }) => {
    refuseNonFinite(tensor, message);
    return tensor;
  },
});

export const CheckNumericsV2 = defineOp("CheckNumericsV2", {
  ...checkNumericsFields,
  staticValue: ({ tensor }) => staticValue(tensor),
  gradient: ({ message }, d): Gradients => ({ tensor: nonFiniteGradient(d.output, message) }),
  lower: ({ tensor, message }) => {
    refuseNonFinite(tensor, message);
    return tensor;
  },
});

/** The tensor itself; the run fails with `message` if an element is infinite or NaN. TF: tf.check_numerics. */
export const checkNumerics = (tensor: TensorLike, message: string, options?: NameOption): Tensor =>
  CheckNumerics({ tensor, message }, named(options));

// ---- one-hot ----

export const OneHot = defineOp("OneHot", {
  inputs: { indices: "TI", depth: "int32", onValue: "T", offValue: "T" },
  outputs: { output: "T" },
  attrs: { axis: attr.int(-1), T: attr.type(), TI: attr.type(["uint8", "int8", "int32", "int64"], "int64") },
  shape: ({ indices, axis }, context) => {
    if (axis < -1) throw new ValueError(`axis must be >= -1`);
    const depth = context.scalarSize("depth");
    if (indices.dims === null) return TensorShape.unknown();
    // An axis beyond the last begins again at the first, and is refused by the run.
    const rank = indices.dims.length + 1;
    return new TensorShape(indices.dims.toSpliced((axis + rank) % rank, 0, depth));
  },
  isLenient: true,
  checks: ({ indices, depth, onValue, offValue, axis }) => {
    const most = indices.length + 1;
    need(axis === -1 || (axis >= 0 && axis < most), () => `Expected axis to be -1 or between [0, ${most}).  But received: ${axis}`);
    for (const [name, dims] of Object.entries({ depth, on_value: onValue, off_value: offValue }))
      need(dims.length === 0, () => `${name} must be a scalar, but got: [${dims}]`);
  },
  gradient: "none",
  compileTimeInputs: ["depth"],
  lower: ({ indices, depth, onValue, offValue, axis, TI }) => {
    const at = axis === -1 ? indices.shape.length : axis;
    const [size] = numbersOf(depth);
    need(size >= 0, () => `depth must be non-negative, got: ${size}`);
    const shape = indices.shape.toSpliced(at, 0, size);
    const type = TI === "int64" ? "int64" : "int32";
    return ir.generate(shape, i => {
      const isOn = s.eq(s.cast(s.load(indices, i.toSpliced(at, 1)), type), s.index(i[at] ?? constantIndex(0), type));
      return s.select(isOn, s.load(onValue, []), s.load(offValue, []));
    });
  },
});

interface OneHotOptions extends Named {
  readonly onValue?: TensorLike | null;
  readonly offValue?: TensorLike | null;
  readonly axis?: number | null;
  readonly dtype?: DType | null;
}

/** `onValue` (1) where the new axis equals the index, else `offValue` (0); indices out of range are all off. TF: tf.one_hot.
 *  @throws TypeError if the types of the values differ from each other or from `dtype`. */
export function oneHot(
  indices: TensorLike,
  depth: TensorLike,
  onValue: TensorLike | null,
  offValue: TensorLike | null,
  axis?: number | null,
  dtype?: DType | null,
  options?: NameOption,
): Tensor;
export function oneHot(indices: TensorLike, depth: TensorLike, options?: OneHotOptions): Tensor;
export function oneHot(indices: TensorLike, depth: TensorLike, ...rest: unknown[]): Tensor {
  const { onValue, offValue, axis, dtype, name } = collect<OneHotOptions>(["onValue", "offValue", "axis", "dtype", "name"], rest);
  return inNameScope({ name }, "one_hot", [indices, depth, onValue, offValue], scope => {
    const given = (value: TensorLike | null | undefined): Tensor | undefined =>
      value === null || value === undefined
        ? undefined
        : convertToTensor(value, value instanceof Tensor ? {} : { preferredDtype: dtype ?? undefined });
    const [on, off] = [given(onValue), given(offValue)];
    for (const [label, tensor] of [
      ["on_value", on],
      ["off_value", off],
    ] as const)
      if (dtype && tensor && tensor.dtype !== dtype)
        throw new TypeError(`dtype ${tensor.dtype} of ${label} does not match dtype parameter ${dtype}`);
    const type = dtype ?? on?.dtype ?? off?.dtype ?? "float32";
    const onTensor = on ?? convertToTensor(type === "bool" ? true : 1, { dtype: type, name: "on_value" });
    const offTensor = off ?? convertToTensor(type === "bool" ? false : 0, { dtype: type, name: "off_value" });
    if (onTensor.dtype !== offTensor.dtype)
      throw new TypeError(`dtype ${onTensor.dtype} of on_value does not match dtype ${offTensor.dtype} of off_value`);
    return OneHot({ indices, depth, onValue: onTensor, offValue: offTensor, axis: axis ?? -1 }, scope);
  });
}
