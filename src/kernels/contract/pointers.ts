// What a kernel stores, said by pointers alone: each array it reads or writes in its epilogue is an address that whoever calls gives, so that
// functions of contractions that differ in sizes and places are the same. Where that cannot be said, there is no such form.

import { axisIndex, constantIndex, type Index, indexKey } from "../../ir/index-map.ts";
import type { Value } from "../../ir/program.ts";
import { forEachScalar, type Scalar, substitution } from "../../ir/scalar.ts";
import { plus, times } from "../arithmetic.ts";
import { blockPoint } from "../block-point.ts";
import { elementRow } from "../element.ts";
import { formOf } from "../language/kernel-form.ts";
import { type Expr, i32 } from "../language/language.ts";
import { indexCode, type Point } from "../language/scalar-code.ts";
import { flatIndex, pace } from "../language/vector-code.ts";
import { storesLeaf } from "../map.ts";
import { isAffine, scaleOf } from "../nest.ts";
import type { Addresses } from "../places.ts";
import type { FunctionRecorder } from "../language/recorder.ts";

export interface PlacedStore {
  readonly out: Value;
  readonly body: Scalar;
  readonly flat: Index;
}

/** An array, and the element of it that belongs to a place of the kernel. */
export interface Pointer {
  readonly value: Value;
  readonly flat: Index;
  /** Do neighbours along the vectors have neighbours of it? */
  readonly moves: boolean;
}

/** Stores whose arrays are pointers, and a text that is equal where their code is. */
export interface PointedStores {
  readonly text: string;
  readonly pointers: readonly Pointer[];
  readonly stores: readonly PlacedStore[];
}

const bytes = 4;
/** Along one axis, of any size: the vectors'. */
const along = axisIndex(0, 2 ** 24);
const start = constantIndex(0);

/** The stores as seen from a place at which vectors along `inner` begin; undefined if they read otherwise than by neighbours or one element. */
export function pointedStores(stores: readonly PlacedStore[], inner: number): PointedStores | undefined {
  const pointers: Pointer[] = [];
  const values: Value[] = [];
  const numbers = new Map<string, number>();
  const ids = new Map<Value, number>();
  let isPointed = true;
  const pointerTo = (value: Value, flat: Index): { source: Value; at: Index } => {
    const way = pace(flat, inner);
    isPointed &&= isAffine(flat) && way !== "gather" && elementRow(value.dtype) !== undefined && (way === "fixed" || isWord(value));
    const id = ids.get(value) ?? ids.size;
    ids.set(value, id);
    const key = `${id}:${indexKey(flat)}`;
    const number = numbers.get(key) ?? pointers.length;
    numbers.set(key, number);
    if (number === pointers.length) {
      pointers.push({ value, flat, moves: way === "step" });
      values.push({ id: -100 - number, dtype: value.dtype, shape: [2 ** 24] });
    }
    return { source: values[number], at: way === "step" ? along : start };
  };
  const axes = new Map<number, Index>();
  for (const { body } of stores)
    forEachScalar(body, node => {
      // A splat is a number and no array; what else has no place along the vectors has none here.
      isPointed &&= node.kind !== "index" && node.kind !== "guard" && !(node.kind === "load" && node.source.splat !== undefined);
      if (node.kind !== "load") return;
      isPointed &&= node.at.every(isAffine);
      for (const { terms } of node.at)
        for (const { atom } of terms) if (atom.kind === "axis") axes.set(atom.axis, axisIndex(atom.axis, atom.size));
    });
  if (!isPointed) return undefined;
  const same = Array.from({ length: 1 + Math.max(-1, ...axes.keys()) }, (_, axis) => axes.get(axis) ?? start);
  const pointed = substitution(same, load => {
    const { source, at } = pointerTo(load.source, flatIndex(load));
    return { ...load, source, at: [at] };
  });
  const placed = stores.map(({ out, body, flat }): PlacedStore => {
    const { source, at } = pointerTo(out, flat);
    return { body: pointed(body), out: source, flat: at };
  });
  if (!isPointed || placed.some(({ flat }) => scaleOf(flat, 0) !== 1)) return undefined;
  const form = formOf({ kind: "map", shape: [2 ** 24], stores: placed });
  return form && { text: form.text, pointers, stores: placed };
}

const isWord = ({ dtype }: Value): boolean => dtype === "float32" || dtype === "int32";

/** Where a pointer is at a place, in bytes. */
export function pointerAt({ value, flat }: Pointer, addresses: Addresses, point: Point): Expr<"i32"> {
  const { base, offset } = addresses.of(value);
  return plus(plus(base, times(indexCode(flat, point), bytesOf(value))), offset);
}

/** What a step along an axis moves a pointer by, in bytes. */
export const pointerStep = ({ value, flat }: Pointer, axis: number): number => scaleOf(flat, axis) * bytesOf(value);

const bytesOf = ({ dtype }: Value): number => elementRow(dtype)?.bytes ?? bytes;

/** Stores vector `v` behind the pointers, `part` lanes of it if not all. */
export function storeAt(
  k: FunctionRecorder,
  { stores, pointers }: PointedStores,
  at: {
    readonly pointers: readonly Expr<"i32">[];
    readonly accumulator: Expr<"vec">;
    readonly v?: number;
    readonly part?: number | undefined;
  },
): void {
  const addresses = { of: ({ id }: Value) => ({ base: at.pointers[-100 - id], offset: 0 }) };
  if (at.pointers.length !== pointers.length)
    throw new RangeError(`${pointers.length} pointers, and not ${at.pointers.length}, are stored through.`);
  const point: Point = { k, addresses, axes: [i32.const(0)], memo: new Map(), accumulator: at.accumulator };
  storesLeaf(stores, 0).vector?.(blockPoint(point, 0, at.v ?? 0, at.part, k), 0);
}
