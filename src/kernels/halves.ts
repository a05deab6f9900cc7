// float16 and bfloat16 in recorded code: 16 bits in memory, float32 in locals, rounded (to even) after every function as if they were computed
// in their own type. Conversions by bit patterns: Fabian Giesen, "float->half variants" (2012).

import type { DType } from "../base/dtype.ts";
import { type Expr, f32, i32 } from "./language/language.ts";
import type { FunctionRecorder } from "./language/recorder.ts";

export type Half = "float16" | "bfloat16";
export const isHalf = (dtype: DType): dtype is Half => dtype === "float16" || dtype === "bfloat16";

/** The number that 16 bits stand for. */
export function halfFromBits(dtype: Half, bits: Expr<"i32">, k: FunctionRecorder): Expr<"f32"> {
  if (dtype === "bfloat16") return f32.ofBits(i32.shl(bits, 16));
  const given = k.let(bits);
  const magnitude = k.let(i32.and(given, 0x7fff));
  // The exponent is 112 too low, which a product mends, denormals included; infinities and NaN get the highest there is.
  const scaled = i32.ofBits(f32.mul(f32.ofBits(i32.shl(magnitude, 13)), 2 ** 112));
  const top = i32.select(i32.geU(magnitude, 0x7c00), i32.const(0x7f800000), i32.const(0));
  return f32.ofBits(i32.or(i32.or(scaled, top), i32.shl(i32.and(given, 0x8000), 16)));
}

/** The 16 bits of a number, rounded to nearest even; float16 overflows to infinity from 65520 on. */
export function bitsOfHalf(dtype: Half, value: Expr<"f32">, k: FunctionRecorder): Expr<"i32"> {
  const bits = k.let(i32.ofBits(value));
  const magnitude = k.let(i32.and(bits, 0x7fffffff));
  const isNan = i32.gtU(magnitude, 0x7f800000);
  if (dtype === "bfloat16") {
    const even = i32.and(i32.shrU(bits, 16), 1);
    const rounded = i32.shrU(i32.add(i32.add(bits, 0x7fff), even), 16);
    return i32.select(isNan, i32.or(i32.shrU(bits, 16), 0x40), rounded);
  }
  const even = i32.and(i32.shrU(magnitude, 13), 1);
  const normal = i32.shrU(i32.add(i32.add(magnitude, 0xfff - 0x38000000), even), 13);
  // Subnormal halves are multiples of 2^-24: the sum with 0.5 rounds to that grid.
  const subnormal = i32.sub(i32.ofBits(f32.add(f32.ofBits(magnitude), 0.5)), 0x3f000000);
  const finite = i32.select(i32.ltU(magnitude, 0x38800000), subnormal, normal);
  const large = i32.select(isNan, i32.const(0x7e00), i32.const(0x7c00));
  return i32.or(i32.select(i32.geU(magnitude, 0x47800000), large, finite), i32.and(i32.shrU(bits, 16), 0x8000));
}

/** A number as its type can hold it. */
export const roundToHalf = (dtype: Half, value: Expr<"f32">, k: FunctionRecorder): Expr<"f32"> =>
  halfFromBits(dtype, bitsOfHalf(dtype, value, k), k);
