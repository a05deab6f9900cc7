// What a list of tensors is while lowering: one value [size, …element], handed on from operation to operation, so loops and branches carry it as
// they carry everything. A list whose elements' shape nobody has told yet is open (docs/decisions.md). Whatever is not as regular as that (elements
// of several shapes, a mistake to complain about) is left to the host's form of the list (flow/tensor-list-elements.ts).

import type { DType } from "../../base/dtype.ts";
import type { NDArray } from "../../base/ndarray.ts";
import { InvalidArgumentError } from "../../base/errors.ts";
import { sameShape, TensorShape } from "../../base/shape.ts";
import type { LowerContext } from "../../graph/op-definition.ts";
import { check, concat, generate, scatter, slice, zeros } from "../../ir/build.ts";
import { constantIndex, dataIndex, type Index } from "../../ir/index-map.ts";
import type { Value } from "../../ir/program.ts";
import { loadScalar, type Scalar, s } from "../../ir/scalar.ts";
import { numbersOf } from "../array/array.ts";
import { gatherOutside, negativeScatter, readOutside, writeOutside } from "./tensor-list-failures.ts";
import { need } from "../arguments.ts";

/** The shape that an array of sizes stands for: -1 for an unknown size, a scalar for an unknown shape. */
export function declaredShape(sizes: NDArray): TensorShape {
  checkRank(sizes.shape);
  const numbers = numbersOf(sizes);
  if (sizes.rank === 0) {
    need(numbers[0] === -1, () => onlyScalar);
    return TensorShape.unknown();
  }
  for (const size of numbers) need(size >= -1, () => `Dimension ${size} must be >= -1`);
  return new TensorShape(numbers.map(size => (size < 0 ? null : size)));
}

const onlyScalar = "The only valid scalar shape tensor is the fully unknown shape specified as -1.";
const checkRank = ({ length }: readonly number[]): void => need(length <= 1, () => `Shape must be at most rank 1 but is rank ${length}`);

/** The same of sizes that may be known only while running: then it is unknown, and what is wrong is said while running. */
export function declaredBy(sizes: Value, context: LowerContext): TensorShape {
  const known = context.known("elementShape");
  if (known) return declaredShape(known);
  checkRank(sizes.shape);
  const isScalar = sizes.shape.length === 0;
  const least = s.constant(sizes.dtype, sizes.dtype === "int64" ? -1n : -1);
  check(sizes.shape, i => (isScalar ? s.eq(s.load(sizes, i), least) : s.ge(s.load(sizes, i), least)), {
    label: "element shape",
    reads: [sizes],
    error: ([i], read) => new InvalidArgumentError(isScalar ? onlyScalar : `Dimension ${read(sizes).get(i)} must be >= -1`),
  });
  return TensorShape.unknown();
}

/** Elements made of a tensor's rows fit the shape that is declared for them. */
export function checkElements(label: string, sizes: Value, { shape }: Value, context: LowerContext): void {
  need(sizes.shape.length <= 1, () => `${label}: element_shape must be at most rank 1 but has the shape of [${sizes.shape}]`);
  const declared = declaredBy(sizes, context);
  const element = shape.slice(1);
  const refusal = (asked: TensorShape): Error =>
    new InvalidArgumentError(`Specified a list with shape ${asked.format()} from a tensor with shape [${element}]`);
  if (!declared.isCompatibleWith(new TensorShape(element))) throw refusal(declared);
  if (context.known("elementShape") || sizes.shape.length === 0) return;
  const isSame = sizes.shape[0] === element.length;
  check(sizes.shape, ([i]) => (isSame ? fits(sizes, element, i) : s.ne(s.load(sizes, [i]), s.load(sizes, [i]))), {
    label: "element shape",
    reads: [sizes],
    error: (_, read) => refusal(declaredShape(read(sizes))),
  });
  if (sizes.shape[0] === 0 && element.length > 0) throw refusal(new TensorShape([]));
}

function fits(sizes: Value, element: readonly number[], i: Index): Scalar {
  const number = (n: number): Scalar => s.constant(sizes.dtype, sizes.dtype === "int64" ? BigInt(n) : n);
  const size = s.load(sizes, [i]);
  const actual = element.reduceRight<Scalar>((rest, d, axis) => s.select(s.eq(s.index(i), axis), number(d), rest), number(0));
  return s.or(s.eq(size, number(-1)), s.eq(size, actual));
}

export function newList(dtype: DType, size: number, declared: TensorShape, context: LowerContext): Value {
  if (size < 0) context.keepOnHost();
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
  const [count, ...element] = list.shape;
  const begin = list.shape.map(() => 0);
  const result = size <= count ? slice(list, begin, [size, ...element]) : concat([list, zeros(list.dtype, [size - count, ...element])], 0);
  return context.isOpen(list) ? context.open(result) : result;
}

/** out[k] = element indices[k]. */
export function gatherElements(list: Value, indices: Value): Value {
  const [size, ...element] = list.shape;
  const [count] = indices.shape;
  check([count], ([k]) => s.and(s.ge(s.load(indices, [k]), 0), s.lt(s.load(indices, [k]), size)), {
    label: "listGather",
    reads: [indices],
    error: ([k], read) => gatherOutside(Number(read(indices).get(k)), size),
  });
  if (size === 0) return zeros(list.dtype, [count, ...element]);
  return generate([count, ...element], ([k, ...i]) => loadScalar(list, [dataIndex(loadScalar(indices, [k]), size), ...i]));
}

/** Rows of `tensor` become the elements at `indices`; the list grows to hold them. */
export function scatterElements(list: Value, tensor: Value, indices: NDArray, context: LowerContext): Value {
  const at = numbersOf(indices);
  const [rows, ...element] = tensor.shape;
  if (list.dtype !== tensor.dtype || rows !== at.length) context.keepOnHost();
  if (at.some(k => k < 0)) throw negativeScatter();
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
