// A TensorArray whose elements are kept as arrays on the host: where a loop that uses it runs iteration by iteration (docs/decisions.md), so that
// elements of any sizes can be written at any index.

import { type DType, wordsPerElement } from "../../base/dtype.ts";
import { InternalError, InvalidArgumentError } from "../../base/errors.ts";
import { type Complex, NDArray } from "../../base/ndarray.ts";
import { sizeOf, TensorShape } from "../../base/shape.ts";
import { holdsVariants, VariantArray } from "./variant-array.ts";
import {
  emptyConcat,
  emptyPack,
  negativeSize,
  readOutside,
  requireReadable,
  requireWritable,
  scalarConcat,
  scalarSplit,
  scatterOutside,
  unknownElement,
  writeOutside,
  wrongCount,
  wrongElement,
  wrongLengths,
} from "./tensor-array-failures.ts";

interface NewElements {
  readonly name: string;
  readonly dtype: DType;
  readonly size: number;
  /** What all elements have to fit. */
  readonly element: TensorShape;
  readonly isDynamic: boolean;
  /** All elements have the shape of the first one that is written. */
  readonly isEven: boolean;
  /** The array that this one has the gradients of: what is written is added, and what was not written is zeros of its elements' shapes. */
  readonly forward?: ArrayElements | undefined;
  /** The dimensions that a gradient's elements have in front of those of what they are gradients of. */
  readonly before?: readonly number[];
}

export class ArrayElements {
  readonly name: string;
  readonly dtype: DType;
  readonly elements: (NDArray | undefined)[];
  private element: TensorShape;
  private readonly given: NewElements;
  private readonly gradients = new Map<string, ArrayElements>();

  constructor(given: NewElements) {
    if (given.size < 0) throw negativeSize();
    this.given = given;
    this.name = given.name;
    this.dtype = given.dtype;
    this.element = given.element;
    this.elements = Array.from({ length: given.size });
  }

  get size(): number {
    return this.elements.length;
  }

  get isDynamic(): boolean {
    return this.given.isDynamic;
  }

  /** The array that gradients of this one are added up in; the same for every operation of one call of tf.gradients. Its elements have the
   *  dimensions `before` in front of this one's. */
  gradient(source: string, before: readonly number[]): ArrayElements {
    const { name, dtype, size, gradients } = this;
    const element = new TensorShape(before).concatenate(this.element);
    const made =
      gradients.get(source) ??
      new ArrayElements({ name: `${name}@${source}`, dtype, size, element, isDynamic: false, isEven: false, forward: this, before });
    gradients.set(source, made);
    return made;
  }

  write(index: number, value: NDArray): void {
    requireWritable(this, value.dtype);
    const { isDynamic, isEven, forward } = this.given;
    if (index < 0 || (index >= this.size && !isDynamic)) throw writeOutside(this, index, this.size);
    const shape = new TensorShape(value.shape);
    if (!this.element.isCompatibleWith(shape)) throw wrongElement(this, index, value.shape, this.element.format());
    if (isEven) this.element = shape;
    while (this.size <= index) this.elements.push(undefined);
    const old = forward && this.elements[index];
    this.elements[index] = old ? sumOf(old, value) : value;
  }

  read(index: number, dtype: DType, stated?: TensorShape): NDArray {
    requireReadable(this, dtype);
    if (index < 0 || index >= this.size) throw readOutside(index, this.size);
    const found = this.elements[index];
    if (found) return found;
    const like = this.given.forward?.elements[index];
    if (like instanceof VariantArray) return like.zeros();
    if (like) return NDArray.zeros(dtype, [...(this.given.before ?? []), ...like.shape]);
    const element = this.element.isFullyDefined ? this.element : stated;
    if (!element?.isFullyDefined) throw unknownElement(this, index);
    return NDArray.zeros(dtype, element.asNumbers());
  }

  scatter(indices: readonly number[], value: NDArray): void {
    requireWritable(this, value.dtype);
    const largest = Math.max(...indices);
    if (!this.given.isDynamic && largest >= this.size) throw scatterOutside(largest, this.size);
    const lengths = indices.map(() => 1);
    cut(value, lengths).forEach((part, k) => void this.write(indices[k], part.reshape(value.shape.slice(1))));
  }

  /** out[k] = element indices[k]. */
  gather(indices: readonly number[], dtype: DType, stated: TensorShape): NDArray {
    requireReadable(this, dtype);
    if (indices.length === 0) {
      const element = this.element.isFullyDefined ? this.element : stated;
      if (!element.isFullyDefined) throw emptyPack(element.format());
      return NDArray.zeros(dtype, [0, ...element.asNumbers()]);
    }
    const parts = indices.map(index => this.read(index, dtype, stated));
    requireEqualShapes(this, parts, parts[0].shape, ({ shape }) => shape);
    return joined(dtype, [indices.length, ...parts[0].shape], parts);
  }

  /** Cuts `value` along its first axis into the elements. */
  split(value: NDArray, lengths: readonly number[]): void {
    requireWritable(this, value.dtype);
    if (value.rank === 0) throw scalarSplit();
    const sum = lengths.reduce((a, b) => a + b, 0);
    if (sum !== value.shape[0]) throw wrongLengths(sum, value.shape);
    if (this.size !== lengths.length && !(this.given.isDynamic && this.size < lengths.length)) throw wrongCount(this.size, lengths.length);
    cut(value, lengths).forEach((part, k) => void this.write(k, part));
  }

  /** All elements joined along their first axis, and their lengths. */
  concat(dtype: DType, stated: TensorShape): { value: NDArray; lengths: readonly number[] } {
    requireReadable(this, dtype);
    if (this.size === 0) {
      if (!stated.isFullyDefined) throw emptyConcat(stated.format());
      return { value: NDArray.zeros(dtype, [0, ...stated.asNumbers()]), lengths: [] };
    }
    const parts = this.elements.map((_, k) => this.read(k, dtype));
    if (parts.some(({ rank }) => rank === 0)) throw scalarConcat();
    const rest = parts[0].shape.slice(1);
    requireEqualShapes(this, parts, rest, ({ shape }) => shape.slice(1));
    const lengths = parts.map(({ shape }) => shape[0]);
    const total = lengths.reduce((sum, n) => sum + n, 0);
    return { value: joined(dtype, [total, ...rest], parts), lengths };
  }
}

/** The array that a handle stands for. */
export function elementsOf(handle: object): ArrayElements {
  if (handle instanceof ArrayElements) return handle;
  throw new InternalError("A TensorArray's handle does not come from a TensorArrayV3 of the same run.");
}

function requireEqualShapes(
  { name }: ArrayElements,
  parts: readonly NDArray[],
  first: readonly number[],
  shapeOf: (part: NDArray) => readonly number[],
): void {
  const at = parts.findIndex(part => shapeOf(part).join() !== first.join());
  if (at < 0) return;
  throw new InvalidArgumentError(
    `TensorArray ${name} has inconsistent shapes.  Index 0 has shape: [${first}] but index ${at} has shape: [${shapeOf(parts[at])}]`,
  );
}

export function joined(dtype: DType, shape: readonly number[], parts: readonly NDArray[]): NDArray {
  if (parts.length > 0 && parts.every(holdsVariants)) {
    const items = parts.flatMap(part => part.items);
    return parts[0].withItems(shape, items);
  }
  const out = NDArray.zeros(dtype, shape);
  let at = 0;
  for (const { data } of parts) {
    if (Array.isArray(data)) data.forEach((bytes, k) => void ((out.data as Uint8Array[])[at + k] = bytes));
    else (out.data as Uint8Array).set(data as Uint8Array, at);
    at += data.length;
  }
  return out;
}

/** Consecutive runs of rows. */
export function cut(array: NDArray, lengths: readonly number[]): NDArray[] {
  const { dtype, shape, data } = array;
  const words = sizeOf(shape.slice(1)) * wordsPerElement(dtype);
  let row = 0;
  return lengths.map(length => {
    const from = row * words;
    row += length;
    if (holdsVariants(array)) return array.withItems([length, ...shape.slice(1)], array.items.slice(from, row * words));
    return new NDArray(dtype, [length, ...shape.slice(1)], data.slice(from, row * words));
  });
}

export function sumOf(x: NDArray, y: NDArray): NDArray {
  if (x instanceof VariantArray) return x.plus(VariantArray.of(y));
  if (x.shape.join() !== y.shape.join())
    throw new InvalidArgumentError(`Gradients of one element have shapes [${x.shape}] and [${y.shape}], which cannot be added.`);
  const out = NDArray.zeros(x.dtype, x.shape);
  for (let i = 0; i < x.size; i++) {
    const [a, b] = [x.get(i), y.get(i)];
    if (typeof a === "bigint") out.set(i, a + (b as bigint));
    else if (typeof a === "object") out.set(i, { re: (a as Complex).re + (b as Complex).re, im: (a as Complex).im + (b as Complex).im });
    else out.set(i, Number(a) + Number(b));
  }
  return out;
}
