// A list of tensors kept as arrays on the host: where a list outlives a part of a run, or its elements differ in shape. The list is the value of a
// tensor of type variant; every change gives a new one.

import type { DType } from "../../base/dtype.ts";
import { InvalidArgumentError } from "../../base/errors.ts";
import { NDArray } from "../../base/ndarray.ts";
import { TensorShape } from "../../base/shape.ts";
import { rowOf } from "../data/rows.ts";
import { cut, joined, sumOf } from "./tensor-array-elements.ts";
import * as failures from "./tensor-list-failures.ts";
import { VariantArray } from "./variant-array.ts";

type Elements = readonly (NDArray | undefined)[];

export class ListArray extends VariantArray {
  readonly held: DType;
  /** What every element has to fit. */
  readonly element: TensorShape;
  readonly elements: Elements;
  /** How many elements there may be at most. */
  readonly most: number;

  constructor(held: DType, element: TensorShape, elements: Elements, most = Number.POSITIVE_INFINITY) {
    super();
    this.held = held;
    this.element = element;
    this.elements = elements;
    this.most = most;
  }

  static override of(array: NDArray): ListArray {
    if (!(array instanceof ListArray)) throw new InvalidArgumentError("Input handle is not a list. Saw: 'variant'");
    return array;
  }

  static reserved(held: DType, element: TensorShape, size: number): ListArray {
    if (size < 0) throw failures.negativeReserve(size);
    return new ListArray(held, element, Array.from({ length: size }));
  }

  /** The rows of an array. */
  static ofRows(array: NDArray, element: TensorShape): ListArray {
    const rows = Array.from({ length: array.shape[0] }, (_, i) => rowOf(array, i));
    const own = array.shape.slice(1);
    if (!element.isCompatibleWith(new TensorShape(own)))
      throw new InvalidArgumentError(`Specified a list with shape ${element.format()} from a tensor with shape [${own}]`);
    return new ListArray(array.dtype, element, rows);
  }

  /** Runs of rows. */
  static split(array: NDArray, element: TensorShape, lengths: readonly number[]): ListArray {
    const negative = lengths.find(length => length < 0);
    if (negative !== undefined) throw failures.negativeLength(negative);
    const [total] = array.shape;
    let used = 0;
    for (const length of lengths) {
      if (used + length > total) throw failures.sliceOutside(used, used + length, total);
      used += length;
    }
    if (used !== total) throw failures.unusedValues(total, used);
    return new ListArray(array.dtype, element, cut(array, lengths));
  }

  override get length(): number {
    return this.elements.length;
  }

  private with(elements: Elements): ListArray {
    return new ListArray(this.held, this.element, elements, this.most);
  }

  private requireType(asked: DType): void {
    if (asked !== this.held) throw failures.wrongType(asked, this.held);
  }

  /** What the list and the reader say of the elements' shape. */
  private merged(asked: TensorShape): TensorShape {
    try {
      return this.element.mergeWith(asked);
    } catch {
      throw new InvalidArgumentError(
        `PartialTensorShape: Incompatible shapes during merge: ${asked.format()} vs. ${this.element.format()}`,
      );
    }
  }

  /** The same as far as the elements tell it. */
  private settled(asked: TensorShape): TensorShape {
    let shape = this.merged(asked);
    for (const element of this.elements) {
      if (!element) continue;
      if (!shape.isCompatibleWith(element.shape)) throw failures.unequalElements(shape.dims as number[], element.shape);
      shape = new TensorShape(element.shape);
    }
    return shape;
  }

  elementAt(index: number, asked: TensorShape, dtype: DType): NDArray {
    this.requireType(dtype);
    if (index < 0 || index >= this.length) throw failures.readOutside(index, this.length);
    return this.elements[index] ?? this.unset(this.merged(asked));
  }

  /** Zeros of the shape that the other elements have, as TensorFlow's kernels make them. */
  private unset(shape: TensorShape): NDArray {
    if (shape.isFullyDefined) return NDArray.zeros(this.held, shape.asNumbers());
    const like = this.elements.find(element => element !== undefined && shape.isCompatibleWith(element.shape));
    if (!like) throw failures.unsetElement(shape.format());
    return NDArray.zeros(this.held, like.shape);
  }

  withItem(index: number, item: NDArray, grows: boolean): ListArray {
    this.requireType(item.dtype);
    if (index < 0 || (index >= this.length && !grows)) throw failures.writeOutside(index, this.length);
    if (!this.element.isCompatibleWith(item.shape)) throw failures.wrongItem(item.shape, this.element.format());
    const elements = [...this.resized(Math.max(this.length, index + 1)).elements];
    elements[index] = item;
    return this.with(elements);
  }

  pushed(item: NDArray): ListArray {
    this.requireType(item.dtype);
    if (!this.element.isCompatibleWith(item.shape)) throw failures.wrongPushed(item.shape, this.element.format());
    if (this.length >= this.most) throw failures.fullList(this.length, this.most);
    return this.with([...this.elements, item]);
  }

  popped(asked: TensorShape, dtype: DType): { list: ListArray; item: NDArray } {
    this.requireType(dtype);
    if (this.length === 0) throw failures.emptyPop();
    const item = this.elementAt(this.length - 1, asked, dtype);
    return { list: this.with(this.elements.slice(0, -1)), item };
  }

  resized(size: number): ListArray {
    if (size < 0) throw failures.negativeResize(size);
    return this.with(Array.from({ length: size }, (_, k) => this.elements[k]));
  }

  stacked(asked: TensorShape, dtype: DType, count: number): NDArray {
    this.requireType(dtype);
    if (count >= 0 && count !== this.length) throw failures.wrongCount(count, this.length);
    const shape = this.settled(asked);
    if (!shape.isFullyDefined) throw failures.unsetStack(this.length, shape.format());
    return this.rows(
      this.elements.map((_, k) => k),
      shape.asNumbers(),
    );
  }

  gathered(indices: readonly number[], asked: TensorShape, dtype: DType): NDArray {
    this.requireType(dtype);
    const outside = indices.find(index => index < 0 || index >= this.length);
    if (outside !== undefined) throw failures.gatherOutside(outside, this.length);
    const shape = this.settled(asked);
    if (!shape.isFullyDefined) throw failures.unsetStack(indices.length, shape.format());
    return this.rows(indices, shape.asNumbers());
  }

  private rows(indices: readonly number[], element: readonly number[]): NDArray {
    const parts = indices.map(index => this.elements[index] ?? NDArray.zeros(this.held, element));
    return joined(this.held, [indices.length, ...element], parts);
  }

  /** Rows of `tensor` become the elements at `indices`; unless its size is fixed, the list grows to hold them. */
  scattered(tensor: NDArray, indices: readonly number[], isFixed = false): ListArray {
    if (indices.some(index => index < 0)) throw failures.negativeScatter();
    const outside = indices.find(index => index >= this.length);
    if (isFixed && outside !== undefined) throw failures.scatterOutside(outside, this.length);
    if (indices.length !== tensor.shape[0]) throw failures.wrongRows(indices.length, tensor.shape[0]);
    return indices.reduce<ListArray>((list, index, row) => list.withItem(index, rowOf(tensor, row), true), this);
  }

  concatenated(asked: TensorShape, leading: readonly number[], dtype: DType): { value: NDArray; lengths: number[] } {
    this.requireType(dtype);
    const declared = this.merged(asked);
    let rest = declared.dims === null || declared.dims.length === 0 ? TensorShape.unknown() : declared.slice(1);
    const parts = this.elements.map((element, k) => {
      if (element?.rank === 0) throw failures.scalarConcat();
      if (!element && k >= leading.length) throw failures.unsetConcat(k, leading.length);
      if (element && !rest.isCompatibleWith(element.shape.slice(1)))
        throw failures.unequalElements(rest.dims as number[], element.shape.slice(1));
      if (element) rest = new TensorShape(element.shape.slice(1));
      return element;
    });
    if (!rest.isFullyDefined) throw failures.emptyConcat(declared.format());
    const lengths = parts.map((part, k) => part?.shape[0] ?? leading[k]);
    const total = lengths.reduce((sum, n) => sum + n, 0);
    const element = rest.asNumbers();
    const value = joined(
      dtype,
      [total, ...element],
      parts.map((part, k) => part ?? NDArray.zeros(dtype, [lengths[k], ...element])),
    );
    return { value, lengths };
  }

  followedBy(other: ListArray): ListArray {
    return this.with([...this.elements, ...other.elements]);
  }

  override zeros(): ListArray {
    return this.with(this.elements.map(element => element && NDArray.zeros(this.held, element.shape)));
  }

  override plus(added: VariantArray): ListArray {
    const other = ListArray.of(added);
    this.requireType(other.held);
    if (other.length !== this.length)
      throw new InvalidArgumentError(
        `Trying to add two lists of tensors with different lengths. One is ${this.length} and the other is ${other.length}`,
      );
    return this.with(
      this.elements.map((element, k) => {
        const second = other.elements[k];
        return element && second ? sumOf(element, second) : (element ?? second);
      }),
    );
  }
}
