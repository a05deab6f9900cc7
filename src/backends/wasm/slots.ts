// Live ranges → numbered WebAssembly locals: two ranges of one type that do not overlap may share a slot, parameters keep theirs.
// Linear scan in the order of first statements; there is no limit on slots, so nothing is ever spilled here.

import type { KernelFunction, ValueType } from "../../kernels/language.ts";
import type { WasmType } from "./encoder.ts";

/** Vectors and masks are both v128 here. */
export const wasmTypeOf = (type: ValueType): WasmType => (type === "vec" || type.startsWith("mask") ? "v128" : (type as WasmType));

export interface Slots {
  /** The slot of every local. */
  readonly slotOf: readonly number[];
  /** Types of the slots after the parameters. */
  readonly types: WasmType[];
}

/** A range may begin in the statement in which another ends: a statement reads its operands before it writes its result. */
export function allocateSlots(fn: KernelFunction): Slots {
  const types: WasmType[] = [];
  const slotOf: number[] = [];
  const free = new Map<WasmType, number[]>();
  const freeOf = (type: WasmType): number[] => free.get(type) ?? (free.set(type, []).get(type) as number[]);
  const active: { first: number; last: number; slot: number; type: WasmType }[] = [];
  const order = fn.locals.map((_, id) => id).sort((a, b) => fn.locals[a].first - fn.locals[b].first || a - b);
  for (const id of order) {
    const { type: valueType, first, last } = fn.locals[id];
    const type = wasmTypeOf(valueType);
    for (let i = active.length - 1; i >= 0; i--) {
      // Two results of one call begin together, even if one is never read.
      if (active[i].last > first || active[i].first === first) continue;
      freeOf(active[i].type).push(active[i].slot);
      active.splice(i, 1);
    }
    const isParam = id < fn.params.length;
    const reused = isParam ? undefined : freeOf(type).pop();
    slotOf[id] = isParam ? id : (reused ?? fn.params.length + types.push(type) - 1);
    active.push({ first, last, slot: slotOf[id], type });
  }
  return { slotOf, types };
}
