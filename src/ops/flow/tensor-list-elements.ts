// A list of tensors kept as arrays on the host: where a list outlives a part of a run, or its elements differ in shape. The list is the value of a
// tensor of type variant; every change gives a new one.

import type { DType } from "../../base/dtype.ts";
import { InvalidArgumentError } from "../../base/errors.ts";
import { NDArray } from "../../base/ndarray.ts";
import { sizeOf, TensorShape } from "../../base/shape.ts";
import { numbersOf } from "../array/array.ts";
import { rowOf } from "../data/rows.ts";
import { checkListed, need } from "../arguments.ts";
import { cTypeOf } from "./tensor-array-failures.ts";
import { cut, joined, sumOf } from "./tensor-array-elements.ts";
import { shown } from "../summary/tensor-summary.ts";
import * as failures from "./tensor-list-failures.ts";
import { VariantArray, zerosOf } from "./variant-array.ts";

type Elements = readonly (NDArray | undefined)[];

/** Elements one after the other. Where some were scattered into a list of elements of another size, what fits is kept. */
function fitted(dtype: DType, shape: readonly number[], parts: readonly NDArray[]): NDArray {
  const size = sizeOf(shape);
  const given = parts.reduce((sum, part) => sum + part.size, 0);
  if (given <= size) return joined(dtype, shape, parts);
  const all = joined(dtype, [given], parts);
  return cut(all, [size])[0].reshape(shape);
}

const checkVector = ({ rank, shape }: NDArray): void => need(rank > 0, () => `Tensor must be at least a vector, but saw shape: [${shape}]`);

/** Are rows of `array` what a list's elements are to be? */
function checkRows(array: NDArray, element: TensorShape): void {
  checkVector(array);
  const own = array.shape.slice(1);
  need(element.isCompatibleWith(own), () => `Specified a list with shape ${element.format()} from a tensor with shape [${own}]`);
}

function merged(shape: TensorShape, other: TensorShape): TensorShape {
  need(
    shape.rank === null || other.rank === null || shape.rank === other.rank,
    () => `PartialTensorShape: Incompatible ranks during merge: ${shape.rank} vs. ${other.rank}`,
  );
  need(
    shape.isCompatibleWith(other),
    () => `PartialTensorShape: Incompatible shapes during merge: ${shape.format()} vs. ${other.format()}`,
  );
  return shape.mergeWith(other);
}

/** The shape that an array of sizes stands for: -1 for an unknown size, a scalar for an unknown shape. */
export function declaredShape(sizes: NDArray): TensorShape {
  need(sizes.rank <= 1, () => `Shape must be at most rank 1 but is rank ${sizes.rank}`);
  const numbers = numbersOf(sizes);
  if (sizes.rank === 0) {
    need(numbers[0] === -1, () => "The only valid scalar shape tensor is the fully unknown shape specified as -1.");
    return TensorShape.unknown();
  }
  for (const size of numbers) need(size >= -1, () => `Dimension ${size} must be >= -1`);
  return new TensorShape(numbers.map(size => (size < 0 ? null : size)));
}

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
    if (!(array instanceof ListArray))
      throw new InvalidArgumentError("Input handle is not a list. Saw: 'Variant<type: tensorflow::TensorMap value: TensorMap>'");
    return array;
  }

  static reserved(held: DType, element: TensorShape, size: number): ListArray {
    if (size < 0) throw failures.negativeReserve(size);
    checkListed(size, held);
    return new ListArray(held, element, Array.from({ length: size }));
  }

  /** The rows of an array. */
  static ofRows(array: NDArray, element: TensorShape): ListArray {
    checkRows(array, element);
    return new ListArray(
      array.dtype,
      element,
      Array.from({ length: array.shape[0] }, (_, i) => rowOf(array, i)),
    );
  }

  /** Rows of an array at their places in a list of so many elements, or of as many as it takes. */
  static scatter(array: NDArray, indices: readonly number[], element: TensorShape, numElements?: NDArray): ListArray {
    need(numElements === undefined || numElements.rank === 0, () => "num_elements must be a scalar");
    const size = numElements ? Number(numElements.get(0)) : -1;
    need(size >= -1, () => `TensorListScatter expects num_elements >= -1, found: ${size}`);
    checkRows(array, element);
    if (indices.length !== array.shape[0]) throw failures.wrongRows(indices.length, array.shape[0]);
    for (const index of indices) {
      if (index < 0) throw failures.negativeScatter();
      if (size >= 0 && index >= size) throw failures.scatterOutside(index, size);
    }
    return ListArray.reserved(array.dtype, element, Math.max(size, 0)).withRows(array, indices);
  }

  /** Runs of rows. */
  static split(array: NDArray, element: TensorShape, lengths: NDArray): ListArray {
    need(element.rank !== 0, () => `TensorListSplit requires element_shape to be at least of rank 1, but saw: ${element.format()}`);
    checkVector(array);
    need(
      (element.dims === null ? element : element.slice(1)).isCompatibleWith(array.shape.slice(1)),
      () => `tensor shape [${array.shape}] is not compatible with element_shape ${element.format()}`,
    );
    need(lengths.rank === 1, () => `Expected lengths to be a vector, received shape: [${lengths.shape}]`);
    const parts = numbersOf(lengths);
    const [total] = array.shape;
    let used = 0;
    for (const length of parts) {
      if (length < 0) throw failures.negativeLength(length);
      if (used + length > total) throw failures.sliceOutside(used, used + length, total);
      used += length;
    }
    if (used !== total) throw failures.unusedValues(total, used);
    return new ListArray(array.dtype, element, cut(array, parts));
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

  /** What the reader and the list say of the elements' shape. */
  private merged(asked: NDArray): TensorShape {
    return merged(declaredShape(asked), this.element);
  }

  /** The same as far as elements tell it. */
  private settled(asked: TensorShape, elements: Elements): TensorShape {
    return elements.reduce<TensorShape>((shape, element) => (element ? merged(shape, new TensorShape(element.shape)) : shape), asked);
  }

  elementAt(index: number, asked: NDArray, dtype: DType): NDArray {
    this.requireType(dtype);
    if (index < 0 || index >= this.length) throw failures.readOutside(index, this.length);
    const element = this.elements[index];
    if (element) return element;
    const declared = this.merged(asked);
    const shape = declared.isFullyDefined ? declared : this.settled(declared, this.elements);
    need(
      shape.isFullyDefined,
      () => `Trying to read an uninitialized tensor but element_shape is not fully defined: ${shape.format()} and no list element is set.`,
    );
    return NDArray.zeros(this.held, shape.asNumbers());
  }

  withItem(place: NDArray, item: NDArray, grows: boolean): ListArray {
    this.requireType(item.dtype);
    need(place.rank === 0, () => `Expected argument 1 to be a scalar. Received${shown(place)}`);
    const index = Number(place.get(0));
    if (!this.element.isCompatibleWith(item.shape)) throw failures.wrongItem(item.shape, this.element.format());
    if (index < 0 || (index >= this.length && !grows)) throw failures.writeOutside(index, this.length);
    const elements = [...this.resized(Math.max(this.length, index + 1)).elements];
    elements[index] = item;
    return this.with(elements);
  }

  pushed(item: NDArray): ListArray {
    if (!this.element.isCompatibleWith(item.shape)) throw failures.wrongPushed(item.shape, this.element.format());
    this.requireType(item.dtype);
    if (this.length >= this.most) throw failures.fullList(this.length, this.most);
    return this.with([...this.elements, item]);
  }

  popped(asked: NDArray, dtype: DType): { list: ListArray; item: NDArray } {
    this.requireType(dtype);
    if (this.length === 0) throw failures.emptyPop();
    return { list: this.with(this.elements.slice(0, -1)), item: this.elements[this.length - 1] ?? this.unset(this.merged(asked)) };
  }

  private unset(shape: TensorShape): NDArray {
    need(shape.isFullyDefined, () => `Trying to read an uninitialized tensor but element_shape is not fully defined.${shape.format()}`);
    return NDArray.zeros(this.held, shape.asNumbers());
  }

  resized(size: number): ListArray {
    if (size < 0) throw failures.negativeResize(size);
    checkListed(size, this.dtype);
    return this.with(Array.from({ length: size }, (_, k) => this.elements[k]));
  }

  stacked(asked: NDArray, dtype: DType, count: number): NDArray {
    this.requireType(dtype);
    if (count >= 0 && count !== this.length) throw failures.wrongCount(count, this.length);
    const declared = this.merged(asked);
    need(
      declared.isFullyDefined || this.length > 0,
      () => `Tried to stack elements of an empty list with non-fully-defined element_shape: ${declared.format()}`,
    );
    const shape = this.element.isFullyDefined ? declared : this.settled(declared, this.elements);
    need(
      shape.isFullyDefined,
      () => `Tried to stack list which only contains uninitialized tensors and has a non-fully-defined element_shape: ${shape.format()}`,
    );
    return this.rows(
      this.elements.map((_, k) => k),
      shape.asNumbers(),
    );
  }

  gathered(indices: readonly number[], asked: NDArray, dtype: DType): NDArray {
    this.requireType(dtype);
    const declared = this.merged(asked);
    need(
      declared.isFullyDefined || indices.length > 0,
      () => `Tried to gather 0-elements from a list with non-fully-defined shape: ${declared.format()}`,
    );
    const outside = indices.find(index => index < 0 || index >= this.length);
    if (outside !== undefined && !this.element.isFullyDefined) throw failures.gatherOutsideOpen(outside, this.length);
    const shape = this.element.isFullyDefined
      ? declared
      : this.settled(
          declared,
          indices.map(index => this.elements[index]),
        );
    need(
      shape.isFullyDefined,
      () => `Tried to gather uninitialized tensors from a list with non-fully-defined element_shape: ${shape.format()}`,
    );
    if (outside !== undefined && shape.size !== 0) throw failures.gatherOutside(outside, this.length);
    return this.rows(indices, shape.asNumbers());
  }

  private rows(indices: readonly number[], element: readonly number[]): NDArray {
    const parts = indices.map(index => this.elements[index] ?? NDArray.zeros(this.held, element));
    return fitted(this.held, [indices.length, ...element], parts);
  }

  /** Rows of `array` become the elements at `indices`, whatever their shape; the list grows to hold them. */
  scattered(array: NDArray, indices: NDArray): ListArray {
    need(
      array.dtype === this.held,
      () => `Invalid data types; input tensor type: ${cTypeOf(array.dtype)} list element_type: ${cTypeOf(this.held)}`,
    );
    checkVector(array);
    need(indices.rank === 1, () => `Expected indices to be a vector, but received shape: [${indices.shape}]`);
    const at = numbersOf(indices);
    need(at.length === array.shape[0], () => `Expected len(indices) == tensor.shape[0], but saw: ${at.length} vs. ${array.shape[0]}`);
    if (at.some(index => index < 0)) throw failures.negativeScatter();
    return this.withRows(array, at);
  }

  private withRows(array: NDArray, indices: readonly number[]): ListArray {
    const elements = [...this.resized(indices.reduce((size, index) => Math.max(size, index + 1), this.length)).elements];
    indices.forEach((index, row) => void (elements[index] = rowOf(array, row)));
    return this.with(elements);
  }

  /** Elements one after the other, as an attribute tells their shape or (the second version) the list and an input. */
  concatenated(asked: NDArray | TensorShape, leading: readonly number[], dtype: DType): { value: NDArray; lengths: number[] } {
    this.requireType(dtype);
    const declared = asked instanceof TensorShape ? asked : this.merged(asked);
    need(
      asked instanceof TensorShape || declared.rank !== 0,
      () => "Concat requires elements to be at least vectors, found scalars instead.",
    );
    let first = asked instanceof TensorShape ? null : (declared.dims?.[0] ?? null);
    let rest = declared.dims === null ? declared : declared.slice(1);
    need(
      this.length > 0 || rest.isFullyDefined,
      () => `All except the first dimension must be fully defined when concating an empty tensor list. element_shape: ${rest.format()}`,
    );
    if (!this.element.isFullyDefined) {
      this.elements.forEach((element, k) => {
        if (!element) return;
        need(element.rank > 0, () => `Concat saw a scalar shape at index ${k} but requires at least vectors.`);
        rest = merged(rest, new TensorShape(element.shape.slice(1)));
        const [length] = element.shape;
        need(
          first === null || first === length,
          () =>
            `First entry of element_shape input does not match the first dim of list element at index: ${k} Expected: ${first} Actual: ${length}`,
        );
      });
      const lengths = new Set(this.elements.flatMap(element => element?.shape[0] ?? []));
      if (first === null && lengths.size === 1) [first] = lengths;
    }
    need(
      rest.isFullyDefined,
      () =>
        `Trying to concat list with only uninitialized tensors but element_shape_except_first_dim is not fully defined: ${rest.format()}`,
    );
    const lengths = this.elements.map((element, k) => {
      if (element) return element.shape[0];
      need(
        first !== null || !(asked instanceof TensorShape),
        () =>
          "Concating lists with uninitialized tensors is not supported in this version of TensorListConcat. Consider updating your GraphDef to run the newer version.",
      );
      if (k >= leading.length && first === null) throw failures.unsetConcat(k, leading.length);
      return leading[k] ?? (first as number);
    });
    const total = lengths.reduce((sum, n) => sum + n, 0);
    const element = rest.asNumbers();
    const value = fitted(
      dtype,
      [total, ...element],
      this.elements.map((part, k) => part ?? NDArray.zeros(dtype, [lengths[k], ...element])),
    );
    return { value, lengths };
  }

  followedBy(other: ListArray): ListArray {
    return this.with([...this.elements, ...other.elements]);
  }

  override zeros(): ListArray {
    return this.with(this.elements.map(element => element && zerosOf(element)));
  }

  override plus(added: VariantArray): ListArray {
    const other = ListArray.of(added);
    need(
      other.held === this.held,
      () => `Trying to add two lists of tensors of different dtypes. One is ${cTypeOf(this.held)} and the other is ${cTypeOf(other.held)}`,
    );
    need(
      this.element.isCompatibleWith(other.element),
      () =>
        `Trying to add two lists of tensors with incompatible element shapes. One is ${this.element.format()} and the other is ${other.element.format()}`,
    );
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
