// What a list of tensors is while lowering: one value [size, …element], handed on from operation to operation, so loops and branches carry it as
// they carry everything. A list whose elements' shape nobody has told yet is open (docs/decisions.md). Whatever is not as regular as that (elements
// of several shapes, a mistake to complain about) is left to the host's form of the list (flow/tensor-list-elements.ts).

import type { DType } from "../../base/dtype.ts";
import type { NDArray } from "../../base/ndarray.ts";
import { sameShape, sizeOf, TensorShape } from "../../base/shape.ts";
import type { LowerContext } from "../../graph/op-definition.ts";
import { handleOf } from "../../graph/shape-inference.ts";
import { check, concat, generate, scatter, slice, zeros } from "../../ir/build.ts";
import { constantIndex, dataIndex, type Index } from "../../ir/index-map.ts";
import type { Value } from "../../ir/program.ts";
import { loadScalar, s } from "../../ir/scalar.ts";
import { numbersOf } from "../array/array.ts";
import { declaredShape } from "./tensor-list-elements.ts";
import { gatherOutside, gatherOutsideOpen, readOutside, writeOutside } from "./tensor-list-failures.ts";
import { checkListed } from "../arguments.ts";

/** The shape that sizes declare for elements. What is known only while running, or wrong, is left to the host. */
export function declaredBy(context: LowerContext): TensorShape {
  const known = context.known("elementShape");
  const least = known?.rank === 0 ? Number(known.get(0)) : -1;
  if (!known || known.rank > 1 || least !== -1 || numbersOf(known).some(size => size < -1)) context.keepOnHost();
  return declaredShape(known);
}

/** The same of elements that are the rows of a tensor, which they have to be. */
export function declaredRows({ shape }: Value, context: LowerContext): TensorShape {
  const declared = declaredBy(context);
  if (shape.length === 0 || !declared.isCompatibleWith(shape.slice(1))) context.keepOnHost();
  return new TensorShape(shape.slice(1));
}

export function newList(dtype: DType, size: number, declared: TensorShape, context: LowerContext): Value {
  if (size < 0) context.keepOnHost();
  checkListed(size, dtype);
  const element = declared.isFullyDefined ? declared.asNumbers() : context.elementShape;
  return element ? zeros(dtype, [size, ...element]) : context.open(zeros(dtype, [size]));
}

/** The shape of the elements; that of `item` if nobody has told it yet. */
function elementOf(list: Value, item: readonly number[], context: LowerContext): readonly number[] {
  if (context.isOpen(list)) context.settle(list, item);
  const element = list.shape.slice(1);
  if (!sameShape(element, item)) context.keepOnHost();
  return element;
}

/** A list that is read as elements of a type and shape. */
export function readable(list: Value, dtype: DType, declared: TensorShape, context: LowerContext): Value {
  if (list.dtype !== dtype) context.keepOnHost();
  if (context.isOpen(list)) {
    if (!declared.isFullyDefined) context.keepOnHost();
    context.settle(list, declared.asNumbers());
  }
  if (!declared.isCompatibleWith(list.shape.slice(1))) context.keepOnHost();
  return list;
}

/** An index that is known, or a value, as an index into a list; stops the run if it lies outside. */
function checkedIndex(index: Value, size: number, context: LowerContext, failure: (index: number, size: number) => Error): Index {
  const known = context.known("index");
  const at = known && Number(known.get(0));
  if (at !== undefined && at >= 0 && at < size) return constantIndex(at);
  if (size === 0 || at !== undefined) context.keepOnHost();
  const read = loadScalar(index, []);
  check([], () => s.and(s.ge(read, 0), s.lt(read, size)), {
    label: "listIndex",
    reads: [index],
    error: (_, value) => failure(Number(value(index).get(0)), size),
  });
  return dataIndex(read, size);
}

export function getElement(list: Value, index: Value, context: LowerContext): Value {
  const at = checkedIndex(index, list.shape[0], context, readOutside);
  return generate(list.shape.slice(1), i => loadScalar(list, [at, ...i]));
}

export function setElement(list: Value, index: Value, item: Value, context: LowerContext): Value {
  if (list.dtype !== item.dtype) context.keepOnHost();
  elementOf(list, item.shape, context);
  const at = checkedIndex(index, list.shape[0], context, writeOutside);
  return scatter("assign", list, item.shape, r => ({ at: [s.index(at), ...r.map(i => s.index(i))], body: loadScalar(item, r) }));
}

export function pushBack(list: Value, item: Value, context: LowerContext): Value {
  if (list.dtype !== item.dtype) context.keepOnHost();
  const single = generate([1, ...item.shape], ([, ...i]) => loadScalar(item, i));
  if (context.isOpen(list) && list.shape[0] === 0) return single;
  elementOf(list, item.shape, context);
  return concat([list, single], 0);
}

/** The first `size` elements; behind the last one come zeros. */
export function resized(list: Value, size: number, context: LowerContext): Value {
  if (size < 0) context.keepOnHost();
  checkListed(size, list.dtype);
  const [count, ...element] = list.shape;
  const begin = list.shape.map(() => 0);
  const result = size <= count ? slice(list, begin, [size, ...element]) : concat([list, zeros(list.dtype, [size - count, ...element])], 0);
  return context.isOpen(list) ? context.open(result) : result;
}

/** out[k] = element indices[k]. */
export function gatherElements(list: Value, indices: Value, context: LowerContext): Value {
  const [size, ...element] = list.shape;
  const [count] = indices.shape;
  const shape = [count, ...element];
  if (sizeOf(shape) === 0) return zeros(list.dtype, shape);
  const failure = handleOf(context.op.inputs[0])?.shape.isFullyDefined ? gatherOutside : gatherOutsideOpen;
  check([count], ([k]) => s.and(s.ge(s.load(indices, [k]), 0), s.lt(s.load(indices, [k]), size)), {
    label: "listGather",
    reads: [indices],
    error: ([k], read) => failure(Number(read(indices).get(k)), size),
  });
  if (size === 0) return zeros(list.dtype, shape);
  return generate(shape, ([k, ...i]) => loadScalar(list, [dataIndex(loadScalar(indices, [k]), size), ...i]));
}

/** Rows of `tensor` become the elements at `indices`; the list grows to hold them. */
export function scatterElements(list: Value, tensor: Value, indices: NDArray, context: LowerContext): Value {
  const at = numbersOf(indices);
  const [rows, ...element] = tensor.shape;
  if (list.dtype !== tensor.dtype || rows !== at.length || at.some(k => k < 0)) context.keepOnHost();
  elementOf(list, element, context);
  const grown = resized(list, Math.max(list.shape[0], ...at.map(k => k + 1)), context);
  return at.reduce(
    (base, place, row) =>
      scatter("assign", base, element, r => ({
        at: [s.index(constantIndex(place)), ...r.map(i => s.index(i))],
        body: loadScalar(tensor, [constantIndex(row), ...r]),
      })),
    grown,
  );
}
