// Boxes within tensors: `10 4 4,3:0,4` as save and restore ops write them, the keys under which checkpoints keep slices (made so that
// they sort), and copying a box from one array into another.

import { InvalidArgumentError } from "../base/errors.ts";
import { encodeText, type NDArray } from "../base/ndarray.ts";
import { stridesOf } from "../base/shape.ts";
import { wordsPerElement } from "../base/dtype.ts";

/** Along one dimension; a length of -1 is all of it. */
export interface Extent {
  readonly start: number;
  readonly length: number;
}

export interface ShapeAndSlice {
  /** The shape of the whole tensor. */
  readonly shape: readonly number[];
  readonly extents: readonly Extent[];
  /** As written: -1 for the length of what is given as "-". Keys of slices are made of it. */
  readonly written: readonly Extent[];
}

/** Reads `4 5 0,2:-`; null for the empty text, which means all. @throws InvalidArgumentError if it makes no sense. */
export function parseShapeAndSlice(text: string): ShapeAndSlice | null {
  if (text === "") return null;
  const parts = text.split(" ");
  if (parts.length < 2) throw new InvalidArgumentError(`Need least two elements in shape_and_slice specification: ${text}`);
  const slice = parts.pop() as string;
  const shape = parts.map(part => wholeNumber(part, text));
  const extents = slice === "" ? [] : slice.split(":").map(part => parseExtent(part, text));
  if (shape.length !== extents.length) throw invalid(text, `the shape has ${shape.length} dimensions, the slice ${extents.length}`);
  const resolved = extents.map(({ start, length }, axis) => ({ start, length: length < 0 ? shape[axis] : length }));
  const outside = resolved.findIndex(({ start, length }, axis) => start + length > shape[axis]);
  if (outside >= 0) throw invalid(text, `dimension ${outside} ends behind the shape`);
  return { shape, extents: resolved, written: extents };
}

const invalid = (text: string, reason: string): InvalidArgumentError =>
  new InvalidArgumentError(
    `Invalid shape and slice specification: ${text}\n\nIt is a shape and, for each dimension, "start,length" or "-": ${reason}.`,
  );

function wholeNumber(part: string, text: string): number {
  if (!/^\d{1,15}$/.test(part)) throw invalid(text, `"${part}" is no whole number`);
  return Number(part);
}

function parseExtent(part: string, text: string): Extent {
  if (part === "-") return { start: 0, length: -1 };
  const pair = part.split(",");
  if (pair.length !== 2) throw invalid(text, `"${part}" is no pair`);
  return { start: wholeNumber(pair[0], text), length: wholeNumber(pair[1], text) };
}

// ---- keys ----

/** The key of one slice of a tensor. Full dimensions are start 0, length -1 where `extents` says so. */
export function sliceKey(name: string, extents: readonly Extent[]): Uint8Array {
  const bytes: number[] = [0];
  for (const byte of encodeText(name)) {
    bytes.push(byte);
    if (byte === 0) bytes.push(0xff);
    else if (byte === 0xff) bytes.push(0);
  }
  bytes.push(0, 1, ...orderedUnsigned(extents.length));
  for (const { start, length } of extents) bytes.push(...orderedSigned(start), ...orderedSigned(length));
  return Uint8Array.from(bytes);
}

function orderedUnsigned(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return [bytes.length, ...bytes];
}

/** n bytes of two's complement, exclusive-ored with n leading ones: longer numbers sort behind shorter positive and before shorter negative ones. */
export function orderedSigned(value: number): number[] {
  let count = 1;
  while (value < -(2 ** (7 * count - 1)) || value >= 2 ** (7 * count - 1)) count++;
  const wide = BigInt.asUintN(8 * count, BigInt(value));
  const header = ((1n << BigInt(count)) - 1n) << BigInt(7 * count);
  const mixed = wide ^ header;
  return Array.from({ length: count }, (_, i) => Number((mixed >> BigInt(8 * (count - 1 - i))) & 255n));
}

// ---- boxes ----

/** Of two boxes in the same tensor, what they share; null if nothing. */
export function intersection(a: readonly Extent[], b: readonly Extent[]): readonly Extent[] | null {
  const shared = a.map((one, axis) => {
    const start = Math.max(one.start, b[axis].start);
    return { start, length: Math.min(one.start + one.length, b[axis].start + b[axis].length) - start };
  });
  return shared.every(({ length }) => length > 0) ? shared : null;
}

/** Copies the box `shared` from an array that stands at `fromBox` of a tensor into one that stands at `toBox`, row by row. */
export function copyBox(from: NDArray, fromBox: readonly Extent[], to: NDArray, toBox: readonly Extent[], shared: readonly Extent[]): void {
  const words = wordsPerElement(from.dtype);
  const [fromStrides, toStrides] = [stridesOf(from.shape), stridesOf(to.shape)];
  const row = shared.length === 0 ? 1 : (shared.at(-1) as Extent).length;
  const copyRow = (source: number, target: number): void => {
    if (from.dtype === "string")
      for (let i = 0; i < row; i++) (to.data as Uint8Array[])[target + i] = (from.data as Uint8Array[])[source + i];
    else (to.data as Uint8Array).set((from.data as Uint8Array).subarray(source * words, (source + row) * words), target * words);
  };
  const walk = (axis: number, source: number, target: number): void => {
    if (axis >= shared.length - 1) {
      const last = shared.at(-1);
      const shift = last === undefined ? [0, 0] : [last.start - fromBox[axis].start, last.start - toBox[axis].start];
      copyRow(source + shift[0], target + shift[1]);
      return;
    }
    const { start, length } = shared[axis];
    for (let i = start; i < start + length; i++)
      walk(axis + 1, source + (i - fromBox[axis].start) * fromStrides[axis], target + (i - toBox[axis].start) * toStrides[axis]);
  };
  walk(0, 0, 0);
}

/** More slices of one tensor than anybody makes; comparing them takes their square. */
const mostSlices = 4096;

/** Do the boxes, of which no two share an element, make up `whole`? */
export function tiles(boxes: readonly (readonly Extent[])[], whole: readonly Extent[]): boolean {
  if (boxes.length > mostSlices) return false;
  const volume = (box: readonly Extent[]): number => box.reduce((product, { length }) => product * length, 1);
  const inside = boxes.map(box => intersection(box, whole)).filter(box => box !== null);
  if (inside.reduce((sum, box) => sum + volume(box), 0) !== volume(whole)) return false;
  return inside.every((box, i) => inside.slice(i + 1).every(other => intersection(box, other) === null));
}
