// Live ranges → numbered WebAssembly locals: two ranges of one type that do not overlap may share a slot, parameters keep theirs.
// Linear scan in the order of first statements; there is no limit on slots, so nothing is ever spilled here.

import type { KernelFunction, ValueType } from "../../kernels/language/language.ts";
import type { WasmType } from "./encoder.ts";

/** Vectors and masks are both v128 here. */
export const wasmTypeOf = (type: ValueType): WasmType => (type === "vec" || type.startsWith("mask") ? "v128" : (type as WasmType));

export interface Slots {
  /** The slot of every local. */
  readonly slotOf: readonly number[];
  /** Types of the slots after the parameters. */
  readonly types: WasmType[];
}

/** A range may begin in the statement in which another ends: a statement reads its operands before it writes its result. Ranges that
 *  begin together never share, even if one is never read: they may be two results of one call. */
export function allocateSlots(fn: KernelFunction): Slots {
  const types: WasmType[] = [];
  const slotOf: number[] = [];
  const free: Record<WasmType, number[]> = { i32: [], i64: [], f32: [], f64: [], v128: [] };
  /** Locals by the statement they end in; all up to `swept` have given their slots back. */
  const ending: number[][] = [];
  let swept = -1;
  const typeOf = fn.locals.map(({ type }) => wasmTypeOf(type));
  const order = fn.locals.map((_, id) => id).sort((a, b) => fn.locals[a].first - fn.locals[b].first || a - b);
  for (const id of order) {
    const { first, last } = fn.locals[id];
    const type = typeOf[id];
    for (; swept < first; swept++) {
      const ended = ending[swept + 1];
      if (ended !== undefined) for (const local of ended) free[typeOf[local]].push(slotOf[local]);
    }
    const isParam = id < fn.params.length;
    const reused = isParam ? undefined : free[type].pop();
    slotOf[id] = isParam ? id : (reused ?? fn.params.length + types.push(type) - 1);
    // Behind `swept` nothing is looked at again: what ends where it begins keeps its slot to itself.
    if (last > first) (ending[last] ??= []).push(id);
  }
  return { slotOf, types };
}
