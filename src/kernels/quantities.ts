// Numbers that a kernel for any size reads from memory instead of having them in its code: sizes, strides, offsets, divisors, constants and
// the addresses of arrays. They lie in a block of 8-byte slots, in the order in which recording asks for them; what is written there for a
// plan makes the kernel that plan's.

import type { DType } from "../base/dtype.ts";
import type { Atom, Index } from "../ir/index-map.ts";
import type { Value } from "../ir/program.ts";
import { plus } from "./arithmetic.ts";
import { elementOf } from "./element.ts";
import { type Expr, i32, lanes, type ScalarType } from "./language/language.ts";
import type { FunctionRecorder } from "./language/recorder.ts";

/** What one slot holds: a number, or where a value lies. */
export type Slot = { readonly type: ScalarType; readonly value: number | bigint } | { readonly address: Value };

export const slotBytes = 8;

/** The block of one kernel while it is recorded. */
export class Quantities {
  readonly slots: Slot[] = [];
  private readonly k: FunctionRecorder;
  private readonly block: Expr<"i32">;
  private readonly addresses = new Map<Value, Expr<"i32">>();

  constructor(k: FunctionRecorder, block: Expr<"i32">) {
    this.k = k;
    this.block = block;
  }

  i32(value: number): Expr<"i32"> {
    return this.slot({ type: "i32", value }) as Expr<"i32">;
  }

  constant(dtype: DType, value: number | bigint): Expr {
    const { scalar } = elementOf(dtype);
    return this.slot({ type: scalar, value: scalar === "i64" ? BigInt(value) : Number(value) });
  }

  /** Where the array of a value begins. */
  address(value: Value): Expr<"i32"> {
    const known = this.addresses.get(value) ?? (this.slot({ address: value }) as Expr<"i32">);
    this.addresses.set(value, known);
    return known;
  }

  /** offset + Σ scale·atom. A scale of 1 is what neighbours have at any size; all else is a number that may change. */
  sum({ terms, offset }: Index, atomCode: (atom: Atom) => Expr<"i32">): Expr<"i32"> {
    const scaled = terms.map(({ atom, scale }) => (scale === 1 ? atomCode(atom) : i32.mul(atomCode(atom), this.i32(scale))));
    return scaled.reduce<Expr<"i32">>((sum, term) => plus(sum, term), this.i32(offset));
  }

  private slot(slot: Slot): Expr {
    const type = "address" in slot ? "i32" : slot.type;
    const at = this.slots.push(slot) - 1;
    return this.k.first<ScalarType>(lanes[type].load(this.block, at * slotBytes));
  }
}
