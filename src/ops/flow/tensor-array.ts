// TensorArray: a list of tensors that loops read and write by number. The class makes TensorFlow's nodes; the ops run as one value
// [size, …element] (flow/tensor-array-memory.ts). A scalar called the flow orders the operations; its gradient has the flow of the gradients' array.

import { pythonClass, pythonStr } from "../../base/python-text.ts";
import { type DType, isDType, noDtype } from "../../base/dtype.ts";
import { InvalidArgumentError, ValueError } from "../../base/errors.ts";
import { NDArray } from "../../base/ndarray.ts";
import { mergedDimension, type ShapeLike, TensorShape } from "../../base/shape.ts";
import * as attr from "../../graph/attributes.ts";
import { convertToTensor, type TensorLike } from "../../graph/conversion.ts";
import { getDefaultGraph } from "../../graph/default-graph.ts";
import { defineOp, type Gradients, type LowerContext, type Named, type ShapeContext } from "../../graph/op-definition.ts";
import { type Operation, Tensor } from "../../graph/operation.ts";
import { staticValue } from "../../graph/static-value.ts";
import { constant as constantOf } from "../../ir/build.ts";
import { isOptions, need } from "../arguments.ts";
import { identity, numbersOf, shape } from "../array/array.ts";
import { range } from "../array/ranges.ts";
import { getItem } from "../array/slicing.ts";
import type { LoopCarried } from "./control-flow-contexts.ts";
import { cast, castInteger } from "../math/cast.ts";
import { inNameScope } from "../named.ts";
import { ArrayElements, elementsOf } from "./tensor-array-elements.ts";
import {
  gatherElements,
  gradientArray,
  joinedElements,
  newArray,
  readElement,
  scatterElements,
  sizeOfArray,
  splitInto,
  writeElement,
} from "./tensor-array-memory.ts";

// ---- ops ----

const scalar = new TensorShape([]);
const handleShape = new TensorShape([2]);
const zero = (): NDArray => NDArray.full("float32", [], 0);
const noFlow = (): ReturnType<typeof constantOf> => constantOf(zero());

/** The single number that an input is known to be. */
const knownIndex = (context: LowerContext, input: string): number | undefined => {
  const known = context.known(input);
  return known && Number(known.get(0));
};
const knownList = (context: LowerContext, input: string): number[] | undefined => {
  const known = context.known(input);
  return known && numbersOf(known);
};
const knownShape = (given: TensorShape): readonly number[] | undefined =>
  given.isFullyDefined ? (given.dims as readonly number[]) : undefined;

interface HandleAndFlow {
  readonly handle: TensorShape;
  readonly flowIn: TensorShape;
}

function checkHandle({ handle, flowIn }: HandleAndFlow): void {
  checkPair(handle);
  flowIn.withRank(0);
}

function checkPair(handle: TensorShape): void {
  const size = handle.withRank(1).dim(0);
  if (size !== null && size !== 2) throw new ValueError(`Dimension must be 2 but is ${size}`);
}

/** What one element has to fit, as far as the array says. */
const checkElement = (element: TensorShape, context: ShapeContext): void => void context.handle("handle")?.shape.mergeWith(element);

const needIndex = (shape: readonly number[]): void =>
  need(shape.length === 0, () => `TensorArray index must be scalar, but had shape: [${shape}]`);
const needVector = (name: string, shape: readonly number[]): void =>
  need(shape.length === 1, () => `Expected ${name} to be a vector, but received shape: [${shape}]`);

export const TensorArrayV3 = defineOp("TensorArrayV3", {
  inputs: { size: "int32" },
  outputs: { handle: "resource", flow: "float32" },
  attrs: {
    dtype: attr.type(),
    elementShape: attr.shape(TensorShape.unknown()),
    dynamicSize: attr.bool(false),
    clearAfterRead: attr.bool(true),
    identicalElementShapes: attr.bool(false),
    tensorArrayName: attr.string(""),
  },
  stateful: true,
  gradient: "none",
  compileTimeInputs: ["size"],
  holds: ({ dtype, elementShape, identicalElementShapes }) =>
    identicalElementShapes || elementShape.isFullyDefined ? { dtype, shape: elementShape } : undefined,
  shape: ({ size }) => {
    size.withRank(0);
    return [handleShape, scalar];
  },
  isLenient: true,
  checks: ({ size }) => need(size.length === 0, () => `TensorArray size must be scalar, but had shape: [${size}]`),
  lower: ({ size, dtype, elementShape, dynamicSize }, context) => [
    newArray({ dtype, size: Number(size.get(0)), element: knownShape(elementShape), isDynamic: dynamicSize }, context),
    noFlow(),
  ],
  onHost: ({ size, dtype, elementShape, dynamicSize, identicalElementShapes }, { name }) => {
    const given = { name, dtype, element: elementShape, isDynamic: dynamicSize, isEven: identicalElementShapes };
    return [new ArrayElements({ ...given, size: Number(size.get(0)) }), zero()];
  },
});

/** The array that gradients of another are added up in. */
export const TensorArrayGradV3 = defineOp("TensorArrayGradV3", {
  inputs: { handle: "resource", flowIn: "float32" },
  outputs: { gradHandle: "resource", flowOut: "float32" },
  attrs: { source: attr.string() },
  stateful: true,
  gradient: "none",
  shape: record => {
    checkHandle(record);
    return [handleShape, scalar];
  },
  lower: ({ handle, flowIn, source }, context) => [gradientArray(handle, source, [], context), flowIn],
  onHost: ({ handle, flowIn, source }) => [elementsOf(handle).gradient(source, []), flowIn],
});

/** The dimensions that a vector stands for. */
function dimensionsBefore(shape: NDArray): readonly number[] {
  if (shape.rank !== 1) throw new InvalidArgumentError(`shape must be a vector of {int32,int64}, got shape [${shape.shape}]`);
  const dims = numbersOf(shape);
  const negative = dims.find(n => n < 0);
  if (negative !== undefined) throw new InvalidArgumentError(`Dimension ${negative} must be >= 0`);
  return dims;
}

/** The same with dimensions before those of the other array's elements: gradients of many results at once. */
export const TensorArrayGradWithShape = defineOp("TensorArrayGradWithShape", {
  inputs: { handle: "resource", flowIn: "float32", shapeToPrepend: "int32" },
  outputs: { gradHandle: "resource", flowOut: "float32" },
  attrs: { source: attr.string() },
  stateful: true,
  gradient: "none",
  compileTimeInputs: ["shapeToPrepend"],
  shape: ({ handle }) => {
    handle.mergeWith(handleShape);
    return [handleShape, scalar];
  },
  holds: (_, context) => {
    const held = context.handle("handle");
    // Running refuses what is no vector.
    const count = context.shapeOf("shapeToPrepend").rank === 1 ? context.shapeFrom("shapeToPrepend").rank : null;
    return (
      held && {
        dtype: held.dtype,
        shape: count === null ? TensorShape.unknown() : TensorShape.unknownOfRank(count).concatenate(held.shape),
      }
    );
  },
  lower: ({ handle, flowIn, shapeToPrepend, source }, context) => [
    gradientArray(handle, source, dimensionsBefore(shapeToPrepend), context),
    flowIn,
  ],
  onHost: ({ handle, flowIn, shapeToPrepend, source }) => [elementsOf(handle).gradient(source, dimensionsBefore(shapeToPrepend)), flowIn],
});

export const TensorArrayWriteV3 = defineOp("TensorArrayWriteV3", {
  inputs: { handle: "resource", index: "int32", value: "T", flowIn: "float32" },
  outputs: { flowOut: "float32" },
  attrs: { T: attr.type() },
  stateful: true,
  shape: (record, context) => {
    checkHandle(record);
    record.index.withRank(0);
    checkElement(record.value, context);
    return scalar;
  },
  gradient: ({ handle, index, T }, d, op): Gradients => {
    const { array, flow } = gradientAfter(op, handle, T, d.flowOut);
    return { value: array.read(index), flowIn: flow };
  },
  isLenient: true,
  checks: ({ index }) => needIndex(index),
  lower: ({ handle, index, value, flowIn }, context) => {
    writeElement(handle, index, knownIndex(context, "index"), value, context);
    return flowIn;
  },
  onHost: ({ handle, index, value, flowIn }) => {
    elementsOf(handle).write(Number(index.get(0)), value);
    return [flowIn];
  },
});

export const TensorArrayReadV3 = defineOp("TensorArrayReadV3", {
  inputs: { handle: "resource", index: "int32", flowIn: "float32" },
  outputs: { value: "dtype" },
  attrs: { dtype: attr.type() },
  stateful: true,
  shape: (record, context) => {
    checkHandle(record);
    record.index.withRank(0);
    return context.handle("handle")?.shape ?? TensorShape.unknown();
  },
  gradient: ({ handle, index, flowIn, dtype }, d): Gradients => ({
    flowIn: gradientOf(handle, flowIn, dtype, d.value).write(index, d.value).flow,
  }),
  isLenient: true,
  checks: ({ index }) => needIndex(index),
  lower: ({ handle, index, dtype }, context) => readElement(handle, index, knownIndex(context, "index"), dtype, context),
  onHost: ({ handle, index, dtype }, { op }) => [elementsOf(handle).read(Number(index.get(0)), dtype, op.outputs[0].shape)],
});

export const TensorArrayGatherV3 = defineOp("TensorArrayGatherV3", {
  inputs: { handle: "resource", indices: "int32", flowIn: "float32" },
  outputs: { value: "dtype" },
  attrs: { dtype: attr.type(), elementShape: attr.shape(TensorShape.unknown()) },
  stateful: true,
  shape: (record, context) => {
    checkHandle(record);
    return record.indices.withRank(1).concatenate(context.handle("handle")?.shape ?? record.elementShape);
  },
  gradient: ({ handle, indices, flowIn, dtype }, d): Gradients => ({
    flowIn: gradientOf(handle, flowIn, dtype, d.value).scatter(indices, d.value).flow,
  }),
  isLenient: true,
  checks: ({ indices }) => needVector("indices", indices),
  lower: ({ handle, indices, dtype, elementShape }, context) =>
    gatherElements(handle, indices, knownList(context, "indices"), dtype, knownShape(elementShape), context),
  onHost: ({ handle, indices, dtype, elementShape }) => [elementsOf(handle).gather(numbersOf(indices), dtype, elementShape)],
});

export const TensorArrayScatterV3 = defineOp("TensorArrayScatterV3", {
  inputs: { handle: "resource", indices: "int32", value: "T", flowIn: "float32" },
  outputs: { flowOut: "float32" },
  attrs: { T: attr.type() },
  stateful: true,
  shape: (record, context) => {
    checkHandle(record);
    const { indices, value } = record;
    indices.withRank(1);
    if (value.dims === null) return scalar;
    mergedDimension(value.withRankAtLeast(1).dim(0), indices.dim(0));
    checkElement(new TensorShape(value.dims.slice(1)), context);
    return scalar;
  },
  gradient: ({ handle, indices, T }, d, op): Gradients => {
    const { array, flow } = gradientAfter(op, handle, T, d.flowOut);
    return { value: array.gather(indices), flowIn: flow };
  },
  isLenient: true,
  checks: ({ indices, value }) => {
    needVector("indices", indices);
    need(value.length > 0, () => `Input value for unpack must be at least a vector but received shape: [${value}]`);
    need(indices[0] === value[0], () => `Expected len(indices) == values.shape[0], but saw: ${indices[0]} vs. ${value[0]}`);
  },
  lower: ({ handle, indices, value, flowIn }, context) => {
    scatterElements(handle, indices, knownList(context, "indices"), value, context);
    return flowIn;
  },
  onHost: ({ handle, indices, value, flowIn }) => {
    elementsOf(handle).scatter(numbersOf(indices), value);
    return [flowIn];
  },
});

export const TensorArrayConcatV3 = defineOp("TensorArrayConcatV3", {
  inputs: { handle: "resource", flowIn: "float32" },
  outputs: { value: "dtype", lengths: "int64" },
  attrs: { dtype: attr.type(), elementShapeExcept0: attr.shape(TensorShape.unknown()) },
  stateful: true,
  shape: record => {
    checkHandle(record);
    return [TensorShape.unknown(), TensorShape.unknownOfRank(1)];
  },
  gradient: ({ handle, flowIn, dtype, lengths }, d): Gradients => ({
    flowIn: gradientOf(handle, flowIn, dtype, d.value).split(d.value, lengths).flow,
  }),
  lower: ({ handle, dtype, elementShapeExcept0 }, context) => {
    const { value, lengths } = joinedElements(handle, dtype, knownShape(elementShapeExcept0), context);
    return [value, constantOf(NDArray.from(lengths.map(BigInt), "int64", [lengths.length]))];
  },
  onHost: ({ handle, dtype, elementShapeExcept0 }) => {
    const { value, lengths } = elementsOf(handle).concat(dtype, elementShapeExcept0);
    return [value, NDArray.from(lengths.map(BigInt), "int64", [lengths.length])];
  },
});

export const TensorArraySplitV3 = defineOp("TensorArraySplitV3", {
  inputs: { handle: "resource", value: "T", lengths: "int64", flowIn: "float32" },
  outputs: { flowOut: "float32" },
  attrs: { T: attr.type() },
  stateful: true,
  compileTimeInputs: ["lengths"],
  shape: record => {
    checkHandle(record);
    record.lengths.withRank(1);
    return scalar;
  },
  gradient: ({ handle, T }, d, op): Gradients => {
    const { array, flow } = gradientAfter(op, handle, T, d.flowOut);
    return { value: array.concat(), flowIn: flow };
  },
  checks: ({ lengths }) => needVector("lengths", lengths),
  lower: ({ handle, value, lengths, flowIn }, context) => {
    splitInto(handle, value, numbersOf(lengths), context);
    return flowIn;
  },
  onHost: ({ handle, value, lengths, flowIn }) => {
    elementsOf(handle).split(value, numbersOf(lengths));
    return [flowIn];
  },
});

export const TensorArraySizeV3 = defineOp("TensorArraySizeV3", {
  inputs: { handle: "resource", flowIn: "float32" },
  outputs: { size: "int32" },
  attrs: {},
  stateful: true,
  gradient: "none",
  shape: ({ handle }) => {
    checkPair(handle);
    return scalar;
  },
  lower: ({ handle }) => constantOf(NDArray.full("int32", [], sizeOfArray(handle))),
  onHost: ({ handle }) => [NDArray.full("int32", [], elementsOf(handle).size)],
});

export const TensorArrayCloseV3 = defineOp("TensorArrayCloseV3", {
  inputs: { handle: "resource" },
  outputs: {},
  attrs: {},
  stateful: true,
  gradient: "none",
  shape: ({ handle }) => void handle.mergeWith(handleShape),
  lower: () => undefined,
  onHost: () => [],
});

// ---- gradients ----

/** Which call of tf.gradients a node belongs to: its name up to the last part that begins with "gradients". Each call has arrays of its own. */
function gradientSource(tensor: Tensor): string {
  const parts = tensor.name.split("/");
  const last = parts.findLastIndex(part => part.startsWith("gradients"));
  if (last >= 0) return parts.slice(0, last + 1).join("/");
  throw new ValueError(
    `Expected op/tensor name to start with gradients (excluding scope), got: ${tensor.name}. This means that a tf.gradients op with this op in its dependency path has a custom name that does not start with 'gradients'. Please make sure all calls to tf.gradients that have non-empty \`name\` arguments use names that start with 'gradients'.`,
  );
}

const arrayOf = (handle: Tensor, flow: Tensor, dtype: DType): TensorArray =>
  new TensorArray(dtype, { handle, flow, colocateWithFirstWriteCall: false });

/** Gradient of what reads: the array where its results' gradients go. */
const gradientOf = (handle: Tensor, flow: Tensor, dtype: DType, d: Tensor): TensorArray =>
  arrayOf(handle, flow, dtype).grad(gradientSource(d), { flow });

/** Gradient of what writes: the array to read from, once the last forward write is done. */
function gradientAfter(op: Operation, handle: Tensor, dtype: DType, d: Tensor): { array: TensorArray; flow: Tensor } {
  const source = gradientSource(d);
  const written = identity(op.outputs[0], { name: "flow_out" });
  const flow = getDefaultGraph().controlDependencies([written], () => identity(d, { name: "write_barrier" }));
  return { array: arrayOf(handle, flow, dtype).grad(source, { flow }), flow };
}

// ---- the class ----

interface TensorArrayOptions extends Named {
  /** How many elements; needed unless there is a `handle`. */
  readonly size?: TensorLike | null;
  /** Writes beyond the end make the array grow. Here only at indices that are known while compiling. */
  readonly dynamicSize?: boolean | null;
  /** Accepted; elements may be read again either way. */
  readonly clearAfterRead?: boolean | null;
  readonly tensorArrayName?: string | null;
  readonly handle?: Tensor | null;
  readonly flow?: Tensor | null;
  /** All elements have the same shape. */
  readonly inferShape?: boolean | null;
  readonly elementShape?: ShapeLike | null;
  readonly colocateWithFirstWriteCall?: boolean | null;
}

interface GradOptions extends Named {
  readonly flow?: Tensor | null;
}

/** What an array and its successors (one for each write) have in common. */
interface Common {
  readonly dtype: DType;
  readonly handle: Tensor;
  readonly size: TensorLike | null;
  readonly isDynamic: boolean;
  readonly infersShape: boolean;
  /** Shared with the gradients' array: what the first write finds out holds for both. */
  readonly element: { shape: TensorShape };
  /** The tensor first written, with which all writes are placed; null if they are not. */
  readonly place: { with: Tensor | undefined } | null;
}

/** A list of tensors that loops read and write by number. Every write gives a new TensorArray; go on with that one. TF: tf.TensorArray. */
export class TensorArray implements LoopCarried {
  readonly flow: Tensor;
  private common: Common;

  constructor(dtype: DType, size?: TensorLike | TensorArrayOptions | null, options?: TensorArrayOptions) {
    const given: TensorArrayOptions = isOptions(size)
      ? size
      : { ...options, size: (size as TensorLike | undefined) ?? options?.size ?? null };
    checkArguments(given);
    if (!isDType(dtype)) throw noDtype(dtype);
    const { handle, flow } = inNameScope({ name: given.name }, "TensorArray", [given.handle, given.size, given.flow], scope =>
      handleAndFlow(dtype, given, String(scope)),
    );
    this.flow = flow;
    this.common = {
      dtype,
      handle,
      size: given.size ?? null,
      isDynamic: given.dynamicSize ?? false,
      infersShape: given.inferShape ?? true,
      element: { shape: new TensorShape(given.elementShape ?? null) },
      place: (given.colocateWithFirstWriteCall ?? true) ? { with: undefined } : null,
    };
  }

  get dtype(): DType {
    return this.common.dtype;
  }

  get handle(): Tensor {
    return this.common.handle;
  }

  /** The shape of the elements, as far as known. */
  get elementShape(): TensorShape {
    return this.common.element.shape;
  }

  /** Are its elements taken to have one shape? */
  get infersShape(): boolean {
    return this.common.infersShape;
  }
  get dynamicSize(): boolean {
    return this.common.isDynamic;
  }

  /** The tensor by which a loop carries the array. */
  get loopFlow(): Tensor {
    return this.flow;
  }

  withLoopFlow(flow: Tensor): TensorArray {
    return this.withFlow(flow);
  }

  private withFlow(flow: Tensor): TensorArray {
    const { dtype, handle, infersShape, place } = this.common;
    const next = new TensorArray(dtype, { handle, flow, inferShape: infersShape, colocateWithFirstWriteCall: place !== null });
    next.common = this.common;
    return next;
  }

  /** The same array behind an Identity, to hang control dependencies on. */
  identity(): TensorArray {
    return this.withFlow(identity(this.flow));
  }

  /** The array in which gradients of this one are added up, for one call of tf.gradients. */
  grad(source: string, options: GradOptions = {}): TensorArray {
    const { dtype, handle, infersShape, element } = this.common;
    const flowIn = options.flow ?? this.flow;
    return inNameScope({ name: options.name }, "TensorArrayGrad", [handle], () =>
      handle.graph.colocateWith(handle, undefined, () => {
        const { gradHandle } = TensorArrayGradV3({ handle, source, flowIn }, { name: options.name });
        const flow = handle.graph.controlDependencies([gradHandle.op], () => identity(flowIn, { name: "gradient_flow" }));
        const array = new TensorArray(dtype, { handle: gradHandle, flow, inferShape: infersShape, colocateWithFirstWriteCall: false });
        array.common = { ...array.common, element };
        return array;
      }),
    );
  }

  /** Element `index`. */
  read(index: TensorLike, options: Named = {}): Tensor {
    const { dtype, handle } = this.common;
    const value = TensorArrayReadV3({ handle, index, flowIn: this.flow, dtype }, options);
    value.setShape(this.elementShape);
    return value;
  }

  /** The array with element `index` set. @throws ValueError if the shape is not that of the other elements. */
  write(index: TensorLike, value: TensorLike, options: Named = {}): TensorArray {
    const { dtype, handle } = this.common;
    return inNameScope(options, "TensorArrayWrite", [handle, index, value], () => {
      const tensor = convertToTensor(value, { preferredDtype: dtype, name: "value" });
      this.settleElement(tensor.shape);
      return this.withFlow(
        this.placed(tensor, () => TensorArrayWriteV3({ handle, index, value: tensor, flowIn: this.flow }, { name: options.name })),
      );
    });
  }

  /** All elements as one tensor, element number first. */
  stack(options: Named = {}): Tensor {
    const { handle, size, isDynamic } = this.common;
    return handle.graph.colocateWith(handle, undefined, () =>
      inNameScope(options, "TensorArrayStack", [handle], () => {
        const value = this.gather(range(0, this.size()), { name: options.name });
        const { dims } = this.elementShape;
        if (dims && !isDynamic && size !== null) value.setShape(new TensorShape([knownSize(size), ...dims]));
        return value;
      }),
    );
  }

  /** Some elements as one tensor. */
  gather(indices: TensorLike, options: Named = {}): Tensor {
    const { dtype, handle } = this.common;
    const elementShape = this.elementShape;
    const value = TensorArrayGatherV3({ handle, indices, flowIn: this.flow, dtype, elementShape }, options);
    if (elementShape.dims) value.setShape(new TensorShape([null, ...elementShape.dims]));
    return value;
  }

  /** All elements joined along their first axis. */
  concat(options: Named = {}): Tensor {
    const { dtype, handle, infersShape } = this.common;
    const { dims } = this.elementShape;
    const elementShapeExcept0 = new TensorShape(dims && dims.slice(1));
    const { value } = TensorArrayConcatV3({ handle, flowIn: this.flow, dtype, elementShapeExcept0 }, options);
    if (dims) {
      const count = infersShape ? knownSize(this.size()) : null;
      const length = dims[0] ?? null;
      value.setShape(new TensorShape([count === null || length === null ? null : count * length, ...dims.slice(1)]));
    }
    return value;
  }

  /** The array with the rows of `value` as its elements. */
  unstack(value: TensorLike, options: Named = {}): TensorArray {
    return inNameScope(options, "TensorArrayUnstack", [this.handle, value], () => {
      const count = getItem(shape(value), 0);
      return this.scatter(range(0, count), value, { name: options.name });
    });
  }

  /** The array with the rows of `value` as the elements `indices`. */
  scatter(indices: TensorLike, value: TensorLike, options: Named = {}): TensorArray {
    const { dtype, handle } = this.common;
    return inNameScope(options, "TensorArrayScatter", [handle, value, indices], () => {
      const tensor = convertToTensor(value, { preferredDtype: dtype, name: "value" });
      this.settleElement(new TensorShape(tensor.shape.dims && tensor.shape.dims.slice(1)));
      return this.withFlow(
        this.placed(tensor, () => TensorArrayScatterV3({ handle, indices, value: tensor, flowIn: this.flow }, { name: options.name })),
      );
    });
  }

  /** The array with `value` cut along its first axis into elements of the given lengths. */
  split(value: TensorLike, lengths: TensorLike, options: Named = {}): TensorArray {
    const { dtype, handle } = this.common;
    return inNameScope(options, "TensorArraySplit", [handle, value, lengths], () => {
      const tensor = convertToTensor(value, { dtype, name: "value" });
      const flow = this.placed(tensor, () => {
        const all = castLengths(lengths);
        const known = staticValue(all);
        const { dims } = tensor.shape;
        if (dims && known && known.size > 0 && numbersOf(known).every(n => n === Number(known.get(0))))
          this.settleElement(new TensorShape([Number(known.get(0)), ...dims.slice(1)]));
        return TensorArraySplitV3({ handle, value: tensor, lengths: all, flowIn: this.flow }, { name: options.name });
      });
      return this.withFlow(flow);
    });
  }

  /** How many elements there are. */
  size(options: Named = {}): Tensor {
    const { handle, size, isDynamic } = this.common;
    return isDynamic || size === null
      ? TensorArraySizeV3({ handle, flowIn: this.flow }, options)
      : convertToTensor(size, { dtype: "int32" });
  }

  /** An operation that lets go of the elements. */
  close(options: Named = {}): Operation {
    return TensorArrayCloseV3({ handle: this.handle }, options);
  }

  private settleElement(shape: TensorShape): void {
    const { element, infersShape } = this.common;
    if (!shape.isCompatibleWith(element.shape)) throw new ValueError(`Inconsistent shapes: saw ${shape} but expected ${element.shape} `);
    if (infersShape) element.shape = element.shape.mergeWith(shape);
  }

  /** Nodes that write are placed with the tensor that was written first. */
  private placed<R>(value: Tensor, make: () => R): R {
    const { place } = this.common;
    if (place === null) return make();
    place.with ??= value;
    return value.graph.colocateWith(place.with, undefined, make);
  }
}

const castLengths = (lengths: TensorLike): Tensor =>
  Array.isArray(lengths) ? castInteger(lengths as number[], "int64") : cast(lengths, "int64");

const knownSize = (size: TensorLike): number | null => {
  if (typeof size === "number") return size;
  const known = size instanceof Tensor ? staticValue(size) : undefined;
  return known ? Number(known.get(0)) : null;
};

function checkArguments({ handle, size, flow, tensorArrayName, elementShape, dynamicSize, clearAfterRead }: TensorArrayOptions): void {
  const isGiven = (value: unknown): boolean => value !== null && value !== undefined;
  if (!isGiven(handle)) {
    if (!isGiven(size)) throw new ValueError("Argument `size` must be provided if handle is not provided.");
    return;
  }
  if (tensorArrayName) throw new ValueError("Cannot provide both `handle` and `tensor_array_name` arguments at the same time.");
  if (!(handle instanceof Tensor))
    throw new TypeError(`Expected \`handle\` to be a Tensor, but got \`${pythonStr(handle)}\` of type \`${pythonClass(handle)}\` instead.`);
  if (isGiven(size)) throw new ValueError("Cannot provide both a `handle` and `size` arguments at the same time.");
  for (const [name, value] of Object.entries({ element_shape: elementShape, dynamic_size: dynamicSize, clear_after_read: clearAfterRead }))
    if (isGiven(value)) throw new ValueError(`Cannot provide both \`handle\` and \`${name}\` arguments at the same time.`);
  if (!isGiven(flow)) throw new ValueError("flow must not be None if handle is not None.");
}

function handleAndFlow(dtype: DType, given: TensorArrayOptions, name: string): { handle: Tensor; flow: Tensor } {
  if (given.handle) return { handle: given.handle, flow: given.flow as Tensor };
  const record = {
    size: given.size as TensorLike,
    dtype,
    elementShape: new TensorShape(given.elementShape ?? null),
    identicalElementShapes: given.inferShape ?? true,
    dynamicSize: given.dynamicSize ?? false,
    clearAfterRead: given.clearAfterRead ?? true,
    tensorArrayName: given.tensorArrayName ?? "",
  };
  if (!(given.colocateWithFirstWriteCall ?? true)) return TensorArrayV3(record, { name });
  const graph = getDefaultGraph();
  // Without a place of its own: the first write decides.
  return graph.device(null, () => graph.colocateWith(null, { ignoreExisting: true }, () => TensorArrayV3(record, { name })));
}
