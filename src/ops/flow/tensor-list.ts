// Lists of tensors, as the while-loops and TensorArrays of TensorFlow 2 use them: values of type variant that operations take and give. They are
// lowered to one value [size, …element] (flow/tensor-list-values.ts); where that does not do, they are arrays on the host (flow/tensor-list-elements.ts).

import type { DType } from "../../base/dtype.ts";
import { NDArray } from "../../base/ndarray.ts";
import { TensorShape } from "../../base/shape.ts";
import * as attr from "../../graph/attributes.ts";
import { defineOp, type Gradients, type LowerContext, type ShapeContext } from "../../graph/op-definition.ts";
import type { Tensor } from "../../graph/operation.ts";
import { handleOf } from "../../graph/shape-inference.ts";
import * as ir from "../../ir/build.ts";
import type { Value } from "../../ir/program.ts";
import { numbersOf, Shape, zerosLike } from "../array/array.ts";
import { concat, slice } from "../array/slicing.ts";
import { declaredShape, ListArray } from "./tensor-list-elements.ts";
import { wrongJoinedType, wrongPushedType, wrongReadType, wrongStaticType } from "./tensor-list-failures.ts";
import {
  declaredBy,
  declaredRows,
  gatherElements,
  getElement,
  newList,
  pushBack,
  readable,
  resized,
  scatterElements,
  setElement,
} from "./tensor-list-values.ts";
import { need } from "../arguments.ts";

const scalar = new TensorShape([]);
const shapeType = attr.type(attr.indexTypes);
const sizeOfList = (size: NDArray): number => Number(size.get(0));
const arrayOf = (sizes: readonly number[], dtype: DType): NDArray =>
  NDArray.from(dtype === "int64" ? sizes.map(BigInt) : [...sizes], dtype, [sizes.length]);

/** Held by lists whose elements' shape is an input. */
const holdsDeclared = (
  { elementDtype }: { readonly elementDtype: DType },
  context: ShapeContext,
): { dtype: DType; shape: TensorShape } => ({
  dtype: elementDtype,
  shape: context.shapeFrom("elementShape", true),
});

/** A list holds what the one it is made of does. */
const holdsAsInput = { holds: (_: unknown, context: ShapeContext) => context.handle("inputHandle") };

/** The elements' shape, as the list tells it. @throws ValueError if the list holds another type. */
function heldShape(context: ShapeContext, dtype: DType, wrong: (asked: DType, held: DType) => Error): TensorShape {
  const held = context.handle("inputHandle");
  if (held && held.dtype !== dtype) throw wrong(dtype, held.dtype);
  return held?.shape ?? TensorShape.unknown();
}

/** The same, as the list and the reader tell it. */
const elementShape = (context: ShapeContext, dtype: DType, wrong: (asked: DType, held: DType) => Error = wrongStaticType): TensorShape =>
  heldShape(context, dtype, wrong).mergeWith(context.shapeFrom("elementShape", true));

const wrongPopped = (asked: DType, held: DType): Error => wrongReadType(asked, held, true);
const wrongRead = (asked: DType, held: DType): Error => wrongReadType(asked, held, false);

/** @throws InvalidArgumentError unless `sizes` can declare a shape. */
const checkRank = (label: string, { rank, shape }: NDArray): void =>
  need(rank <= 1, () => `${label}: element_shape must be at most rank 1 but has the shape of [${shape}]`);

/** What a list's gradient looks like where none flows into it. */
const shapeOfElements = (list: Tensor): Tensor => TensorListElementShape({ inputHandle: list, shapeType: "int32" });
const shapeBehindRows = (tensor: Tensor): Tensor =>
  slice(Shape({ input: tensor }), NDArray.from([1], "int32"), NDArray.from([-1], "int32"));

// ---- making lists ----

export const EmptyTensorList = defineOp("EmptyTensorList", {
  inputs: { elementShape: "shapeType", maxNumElements: "int32" },
  outputs: { handle: "variant" },
  attrs: { elementDtype: attr.type(), shapeType },
  shape: (_, context) => {
    context.shapeFrom("elementShape", true);
    return scalar;
  },
  holds: holdsDeclared,
  isLenient: true,
  lower: ({ elementDtype }, context) => {
    const most = context.known("maxNumElements");
    if (!most || most.rank > 0 || Number(most.get(0)) >= 0) context.keepOnHost();
    return newList(elementDtype, 0, declaredBy(context), context);
  },
  onHost: ({ elementShape, maxNumElements, elementDtype }) => {
    need(maxNumElements.rank === 0, () => `max_num_elements expected to be a scalar but got shape: [${maxNumElements.shape}]`);
    const most = sizeOfList(maxNumElements);
    return [new ListArray(elementDtype, declaredShape(elementShape), [], most < 0 ? undefined : most)];
  },
});

export const TensorListReserve = defineOp("TensorListReserve", {
  inputs: { elementShape: "shapeType", numElements: "int32" },
  outputs: { handle: "variant" },
  attrs: { elementDtype: attr.type(), shapeType },
  compileTimeInputs: ["numElements"],
  shape: (_, context) => {
    context.shapeFrom("elementShape", true);
    return scalar;
  },
  holds: holdsDeclared,
  isLenient: true,
  lower: ({ numElements, elementDtype }, context) => {
    if (numElements.rank > 0) context.keepOnHost();
    return newList(elementDtype, sizeOfList(numElements), declaredBy(context), context);
  },
  onHost: ({ elementShape, numElements, elementDtype }) => {
    const declared = declaredShape(elementShape);
    need(numElements.rank === 0, () => `The num_elements to reserve must be a tensor size 1, but got [${numElements.shape}]`);
    return [ListArray.reserved(elementDtype, declared, sizeOfList(numElements))];
  },
});

export const TensorListFromTensor = defineOp("TensorListFromTensor", {
  inputs: { tensor: "elementDtype", elementShape: "shapeType" },
  outputs: { outputHandle: "variant" },
  attrs: { elementDtype: attr.type(), shapeType },
  shape: ({ tensor }, context) => {
    tensor.slice(1).mergeWith(context.shapeFrom("elementShape", true));
    return scalar;
  },
  holds: holdsDeclared,
  gradient: ({ tensor, elementDtype }, d): Gradients => ({
    tensor: TensorListStack({
      inputHandle: d.outputHandle,
      elementShape: shapeBehindRows(tensor),
      elementDtype,
      numElements: tensor.shape.dims?.[0] ?? -1,
    }),
  }),
  isLenient: true,
  lower: ({ tensor }, context) => {
    declaredRows(tensor, context);
    return tensor;
  },
  onHost: ({ tensor, elementShape }) => {
    checkRank("TensorListFromTensor", elementShape);
    return [ListArray.ofRows(tensor, declaredShape(elementShape))];
  },
});

export const TensorListSplit = defineOp("TensorListSplit", {
  inputs: { tensor: "elementDtype", elementShape: "shapeType", lengths: "int64" },
  outputs: { outputHandle: "variant" },
  attrs: { elementDtype: attr.type(), shapeType },
  compileTimeInputs: ["lengths"],
  shape: ({ tensor, lengths }, context) => {
    const rows = tensor.withRankAtLeast(1).slice(1);
    lengths.withRank(1);
    new TensorShape([null]).concatenate(rows).mergeWith(context.shapeFrom("elementShape", true));
    return scalar;
  },
  holds: holdsDeclared,
  gradient: ({ tensor, lengths, elementDtype }, d): Gradients => ({
    tensor: TensorListConcatV2({
      inputHandle: d.outputHandle,
      elementShape: concat([NDArray.from([-1], "int32"), shapeBehindRows(tensor)], 0),
      leadingDims: lengths,
      elementDtype,
    }).tensor,
  }),
  isLenient: true,
  lower: ({ tensor, lengths }, context) => {
    const declared = declaredBy(context);
    const parts = numbersOf(lengths);
    const [total, ...rest] = tensor.shape;
    const isEven = parts.length > 0 && parts.every(part => part === parts[0] && part >= 0) && parts.length * parts[0] === total;
    const fits = declared.dims === null || (declared.dims.length > 0 && declared.slice(1).isCompatibleWith(rest));
    if (tensor.shape.length === 0 || lengths.rank !== 1 || !isEven || !fits) context.keepOnHost();
    return ir.reshape(tensor, [parts.length, parts[0], ...rest]);
  },
  onHost: ({ tensor, elementShape, lengths }) => [ListArray.split(tensor, declaredShape(elementShape), lengths)],
});

const scatterFields = {
  outputs: { outputHandle: "variant" },
  attrs: { elementDtype: attr.type(), shapeType },
  compileTimeInputs: ["indices"],
  holds: holdsDeclared,
} as const;
const rowsOf = (indices: Tensor, tensor: Tensor, list: Tensor): Tensor =>
  TensorListGather({ inputHandle: list, indices, elementShape: shapeBehindRows(tensor), elementDtype: tensor.dtype });

export const TensorListScatter = defineOp("TensorListScatter", {
  ...scatterFields,
  inputs: { tensor: "elementDtype", indices: "int32", elementShape: "shapeType" },
  shape: (_, context) => {
    context.shapeFrom("elementShape", true);
    return scalar;
  },
  gradient: ({ tensor, indices }, d): Gradients => ({ tensor: rowsOf(indices, tensor, d.outputHandle) }),
  isLenient: true,
  lower: ({ tensor, indices, elementDtype }, context) =>
    scatterElements(newList(elementDtype, 0, declaredRows(tensor, context), context), tensor, indices, context),
  onHost: ({ tensor, indices, elementShape }) => {
    checkRank("TensorListScatter", elementShape);
    return [ListArray.scatter(tensor, numbersOf(indices), declaredShape(elementShape))];
  },
});

export const TensorListScatterV2 = defineOp("TensorListScatterV2", {
  ...scatterFields,
  inputs: { tensor: "elementDtype", indices: "int32", elementShape: "shapeType", numElements: "int32" },
  compileTimeInputs: ["indices", "numElements"],
  shape: (_, context) => {
    context.shapeFrom("elementShape", true);
    return scalar;
  },
  gradient: ({ tensor, indices }, d): Gradients => ({ tensor: rowsOf(indices, tensor, d.outputHandle) }),
  isLenient: true,
  lower: ({ tensor, indices, numElements, elementDtype }, context) => {
    const size = sizeOfList(numElements);
    const isWrong = numElements.rank > 0 || size < -1 || (size >= 0 && numbersOf(indices).some(index => index >= size));
    if (isWrong) context.keepOnHost();
    return scatterElements(newList(elementDtype, Math.max(size, 0), declaredRows(tensor, context), context), tensor, indices, context);
  },
  onHost: ({ tensor, indices, elementShape, numElements }) => {
    checkRank("TensorListScatter", elementShape);
    return [ListArray.scatter(tensor, numbersOf(indices), declaredShape(elementShape), numElements)];
  },
});

// ---- changing lists ----

export const TensorListScatterIntoExistingList = defineOp("TensorListScatterIntoExistingList", {
  ...holdsAsInput,
  inputs: { inputHandle: "variant", tensor: "elementDtype", indices: "int32" },
  outputs: { outputHandle: "variant" },
  attrs: { elementDtype: attr.type() },
  isLenient: true,
  compileTimeInputs: ["indices"],
  shape: ({ tensor, indices }) => {
    indices.withRank(1);
    tensor.withRankAtLeast(1);
    return scalar;
  },
  gradient: ({ tensor, indices }, d): Gradients => ({
    tensor: rowsOf(indices, tensor, d.outputHandle),
    inputHandle: TensorListScatterIntoExistingList({ inputHandle: d.outputHandle, tensor: zerosLike(tensor), indices }),
  }),
  lower: ({ inputHandle, tensor, indices }, context) => {
    if (tensor.shape.length === 0 || indices.rank !== 1) context.keepOnHost();
    return scatterElements(inputHandle, tensor, indices, context);
  },
  onHost: ({ inputHandle, tensor, indices }) => [ListArray.of(inputHandle).scattered(tensor, indices)],
});

export const TensorListSetItem = defineOp("TensorListSetItem", {
  ...holdsAsInput,
  inputs: { inputHandle: "variant", index: "int32", item: "elementDtype" },
  outputs: { outputHandle: "variant" },
  attrs: { elementDtype: attr.type(), resizeIfIndexOutOfBounds: attr.bool(false) },
  shape: ({ item }, context) => {
    item.mergeWith(context.handle("inputHandle")?.shape ?? TensorShape.unknown());
    return scalar;
  },
  gradient: ({ inputHandle, index, item, elementDtype, resizeIfIndexOutOfBounds }, d): Gradients => {
    const list = TensorListSetItem({ inputHandle: d.outputHandle, index, item: zerosLike(item) });
    const element = TensorListGetItem({ inputHandle: d.outputHandle, index, elementShape: Shape({ input: item }), elementDtype });
    if (!resizeIfIndexOutOfBounds) return { inputHandle: list, item: element };
    const size = TensorListLength({ inputHandle });
    return { inputHandle: TensorListResize({ inputHandle: list, size }), item: element };
  },
  isLenient: true,
  lower: ({ inputHandle, index, item, resizeIfIndexOutOfBounds }, context) => {
    if (index.shape.length > 0) context.keepOnHost();
    if (!resizeIfIndexOutOfBounds) return setElement(inputHandle, index, item, context);
    const needed = Number(context.required("index").get(0)) + 1;
    if (needed < 1) context.keepOnHost();
    const list = needed > inputHandle.shape[0] ? resized(inputHandle, needed, context) : inputHandle;
    return setElement(list, index, item, context);
  },
  onHost: ({ inputHandle, index, item, resizeIfIndexOutOfBounds }) => [
    ListArray.of(inputHandle).withItem(index, item, resizeIfIndexOutOfBounds),
  ],
});

export const TensorListPushBack = defineOp("TensorListPushBack", {
  ...holdsAsInput,
  inputs: { inputHandle: "variant", tensor: "elementDtype" },
  outputs: { outputHandle: "variant" },
  attrs: { elementDtype: attr.type() },
  shape: ({ elementDtype }, context) => {
    heldShape(context, elementDtype, wrongPushedType);
    return scalar;
  },
  gradient: ({ tensor, elementDtype }, d): Gradients => {
    const popped = TensorListPopBack({ inputHandle: d.outputHandle, elementShape: Shape({ input: tensor }), elementDtype });
    return { inputHandle: popped.outputHandle, tensor: popped.tensor };
  },
  lower: ({ inputHandle, tensor }, context) => pushBack(inputHandle, tensor, context),
  onHost: ({ inputHandle, tensor }) => [ListArray.of(inputHandle).pushed(tensor)],
});

export const TensorListPopBack = defineOp("TensorListPopBack", {
  ...holdsAsInput,
  inputs: { inputHandle: "variant", elementShape: "int32" },
  outputs: { outputHandle: "variant", tensor: "elementDtype" },
  attrs: { elementDtype: attr.type() },
  shape: ({ elementDtype }, context) => [scalar, heldShape(context, elementDtype, wrongPopped)],
  gradient: ({ outputHandle, tensor, elementDtype }, d, _, flows): Gradients => {
    const list = flows("outputHandle")
      ? d.outputHandle
      : EmptyTensorList({ elementShape: shapeOfElements(outputHandle), maxNumElements: -1, elementDtype });
    return { inputHandle: TensorListPushBack({ inputHandle: list, tensor: flows("tensor") ? d.tensor : zerosLike(tensor) }) };
  },
  isLenient: true,
  lower: ({ inputHandle, elementDtype }, context) => {
    const [size] = inputHandle.shape;
    if (size === 0) context.keepOnHost();
    const list = readable(inputHandle, elementDtype, declaredBy(context), context);
    const [, ...element] = list.shape;
    const last = ir.slice(list, [size - 1, ...element.map(() => 0)], [1, ...element]);
    return [resized(list, size - 1, context), ir.reshape(last, element)];
  },
  onHost: ({ inputHandle, elementShape, elementDtype }) => {
    const { list, item } = ListArray.of(inputHandle).popped(elementShape, elementDtype);
    return [list, item];
  },
});

export const TensorListResize = defineOp("TensorListResize", {
  ...holdsAsInput,
  inputs: { inputHandle: "variant", size: "int32" },
  outputs: { outputHandle: "variant" },
  attrs: {},
  isLenient: true,
  compileTimeInputs: ["size"],
  shape: ({ size }) => {
    size.withRank(0);
    return scalar;
  },
  gradient: ({ inputHandle }, d): Gradients => ({
    inputHandle: TensorListResize({ inputHandle: d.outputHandle, size: TensorListLength({ inputHandle }) }),
  }),
  lower: ({ inputHandle, size }, context) => {
    if (size.rank > 0) context.keepOnHost();
    return resized(inputHandle, sizeOfList(size), context);
  },
  onHost: ({ inputHandle, size }) => {
    need(size.rank === 0, () => "size must be a scalar");
    return [ListArray.of(inputHandle).resized(sizeOfList(size))];
  },
});

export const TensorListConcatLists = defineOp("TensorListConcatLists", {
  inputs: { inputA: "variant", inputB: "variant" },
  outputs: { output: "variant" },
  attrs: { elementDtype: attr.type() },
  gradient: "none",
  holds: (_, context) => context.handle("inputA"),
  shape: ({ inputA, inputB, elementDtype }, context) => {
    const held = context.handle("inputA");
    if (held && held.dtype !== elementDtype) throw wrongJoinedType(elementDtype, held.dtype);
    return inputA.mergeWith(inputB);
  },
  lower: ({ inputA, inputB }, context) => {
    const joined = ir.concat([inputA, inputB], 0);
    return context.isOpen(inputA) ? context.open(joined) : joined;
  },
  onHost: ({ inputA, inputB }) => [ListArray.of(inputA).followedBy(ListArray.of(inputB))],
});

// ---- reading lists ----

export const TensorListLength = defineOp("TensorListLength", {
  inputs: { inputHandle: "variant" },
  outputs: { length: "int32" },
  attrs: {},
  gradient: "none",
  shape: () => scalar,
  lower: ({ inputHandle }) => ir.constant(NDArray.full("int32", [], inputHandle.shape[0])),
  onHost: ({ inputHandle }) => [NDArray.full("int32", [], ListArray.of(inputHandle).length)],
});

/** -1 for what is unknown. */
function sizesOf({ dims }: TensorShape, dtype: DType): NDArray {
  return dims === null
    ? NDArray.full(dtype, [], -1)
    : arrayOf(
        dims.map(size => size ?? -1),
        dtype,
      );
}

export const TensorListElementShape = defineOp("TensorListElementShape", {
  inputs: { inputHandle: "variant" },
  outputs: { elementShape: "shapeType" },
  attrs: { shapeType },
  gradient: "none",
  shape: (_, context) => {
    const rank = context.handle("inputHandle")?.shape.rank ?? null;
    return rank === null ? TensorShape.unknown() : new TensorShape([rank]);
  },
  lower: ({ inputHandle, shapeType: dtype }, context) => {
    const declared = handleOf(context.op.inputs[0])?.shape;
    if (declared) return ir.constant(sizesOf(declared, dtype));
    const element = context.isOpen(inputHandle) ? TensorShape.unknown() : new TensorShape(inputHandle.shape.slice(1));
    return ir.constant(sizesOf(element, dtype));
  },
  onHost: ({ inputHandle, shapeType: dtype }) => [sizesOf(ListArray.of(inputHandle).element, dtype)],
});

export const TensorListGetItem = defineOp("TensorListGetItem", {
  inputs: { inputHandle: "variant", index: "int32", elementShape: "Tshape" },
  outputs: { item: "elementDtype" },
  attrs: { elementDtype: attr.type(), Tshape: attr.type(attr.indexTypes, "int32") },
  shape: ({ elementDtype }, context) => elementShape(context, elementDtype),
  gradient: ({ inputHandle, index }, d): Gradients => {
    const numElements = TensorListLength({ inputHandle });
    const list = TensorListReserve({ elementShape: shapeOfElements(inputHandle), numElements, elementDtype: d.item.dtype });
    return { inputHandle: TensorListSetItem({ inputHandle: list, index, item: d.item }) };
  },
  isLenient: true,
  lower: ({ inputHandle, index, elementDtype }, context) => {
    if (index.shape.length > 0) context.keepOnHost();
    return getElement(readable(inputHandle, elementDtype, declaredBy(context), context), index, context);
  },
  onHost: ({ inputHandle, index, elementShape, elementDtype }) => [
    ListArray.of(inputHandle).elementAt(sizeOfList(index), elementShape, elementDtype),
  ],
});

export const TensorListStack = defineOp("TensorListStack", {
  inputs: { inputHandle: "variant", elementShape: "int32" },
  outputs: { tensor: "elementDtype" },
  attrs: { elementDtype: attr.type(), numElements: attr.int(-1) },
  shape: ({ elementDtype, numElements }, context) =>
    new TensorShape([numElements < 0 ? null : numElements]).concatenate(elementShape(context, elementDtype, wrongRead)),
  gradient: (_, d): Gradients => {
    const { dims } = d.tensor.shape;
    const declared = dims === null ? NDArray.full("int32", [], -1) : sizesOf(new TensorShape(dims.slice(1)), "int32");
    return { inputHandle: TensorListFromTensor({ tensor: d.tensor, elementShape: declared }) };
  },
  isLenient: true,
  lower: ({ inputHandle, elementDtype, numElements }, context) => {
    if (numElements >= 0 && numElements !== inputHandle.shape[0]) context.keepOnHost();
    return readable(inputHandle, elementDtype, declaredBy(context), context);
  },
  onHost: ({ inputHandle, elementShape, elementDtype, numElements }) => [
    ListArray.of(inputHandle).stacked(elementShape, elementDtype, numElements),
  ],
});

export const TensorListGather = defineOp("TensorListGather", {
  inputs: { inputHandle: "variant", indices: "int32", elementShape: "int32" },
  outputs: { values: "elementDtype" },
  attrs: { elementDtype: attr.type() },
  shape: ({ indices, elementDtype }, context) => indices.concatenate(elementShape(context, elementDtype)),
  gradient: ({ inputHandle, indices }, d): Gradients => {
    const elementShape = shapeOfElements(inputHandle);
    const numElements = TensorListLength({ inputHandle });
    const list = TensorListReserve({ elementShape, numElements, elementDtype: d.values.dtype });
    return { inputHandle: TensorListScatterIntoExistingList({ inputHandle: list, tensor: d.values, indices }) };
  },
  isLenient: true,
  lower: ({ inputHandle, indices, elementDtype }, context) => {
    if (indices.shape.length !== 1) context.keepOnHost();
    return gatherElements(readable(inputHandle, elementDtype, declaredBy(context), context), indices, context);
  },
  onHost: ({ inputHandle, indices, elementShape, elementDtype }) => [
    ListArray.of(inputHandle).gathered(numbersOf(indices), elementShape, elementDtype),
  ],
});

const joinedShape = ({ dims }: TensorShape): TensorShape[] => [
  dims === null ? TensorShape.unknown() : new TensorShape([null, ...dims.slice(1)]),
  TensorShape.unknownOfRank(1),
];
const splitAgain = (inputHandle: Tensor, tensor: Tensor, lengths: Tensor): Tensor =>
  TensorListSplit({ tensor, elementShape: shapeOfElements(inputHandle), lengths });

/** All elements one after the other. */
function joinedRows(list: Value, dtype: DType, declared: TensorShape, context: LowerContext): readonly Value[] {
  const value = readable(list, dtype, declared, context);
  const [size, length, ...rest] = value.shape;
  if (length === undefined) context.keepOnHost();
  return [ir.reshape(value, [size * length, ...rest]), ir.constant(arrayOf(Array(size).fill(length), "int64"))];
}

const needRows = ({ rank }: TensorShape): void => need(rank !== 0, () => "element_shape must not be empty");

export const TensorListConcat = defineOp("TensorListConcat", {
  inputs: { inputHandle: "variant" },
  outputs: { tensor: "elementDtype", lengths: "int64" },
  attrs: { elementDtype: attr.type(), elementShape: attr.shape(TensorShape.unknown()) },
  shape: ({ elementDtype, elementShape: asked }, context) => joinedShape(heldShape(context, elementDtype, wrongRead).mergeWith(asked)),
  gradient: ({ inputHandle, lengths }, d): Gradients => ({ inputHandle: splitAgain(inputHandle, d.tensor, lengths) }),
  lower: ({ inputHandle, elementDtype, elementShape: asked }, context) => {
    needRows(asked);
    return joinedRows(inputHandle, elementDtype, asked, context);
  },
  onHost: ({ inputHandle, elementDtype, elementShape: asked }) => {
    needRows(asked);
    const { value, lengths } = ListArray.of(inputHandle).concatenated(asked, [], elementDtype);
    return [value, arrayOf(lengths, "int64")];
  },
});

export const TensorListConcatV2 = defineOp("TensorListConcatV2", {
  inputs: { inputHandle: "variant", elementShape: "shapeType", leadingDims: "int64" },
  outputs: { tensor: "elementDtype", lengths: "int64" },
  attrs: { elementDtype: attr.type(), shapeType },
  shape: ({ elementDtype }, context) => {
    const held = heldShape(context, elementDtype, wrongRead);
    return joinedShape(context.shapeFrom("elementShape", true).mergeWith(held));
  },
  gradient: ({ inputHandle, lengths }, d): Gradients => ({ inputHandle: splitAgain(inputHandle, d.tensor, lengths) }),
  isLenient: true,
  lower: ({ inputHandle, elementDtype }, context) => {
    const joined = joinedRows(inputHandle, elementDtype, declaredBy(context), context);
    // An element that nobody has set is as long as its number here says.
    const leading = context.known("leadingDims");
    if (leading && numbersOf(leading).some(length => length !== inputHandle.shape[1])) context.keepOnHost();
    return joined;
  },
  onHost: ({ inputHandle, elementShape: asked, leadingDims, elementDtype }) => {
    const { value, lengths } = ListArray.of(inputHandle).concatenated(asked, numbersOf(leadingDims), elementDtype);
    return [value, arrayOf(lengths, "int64")];
  },
});
