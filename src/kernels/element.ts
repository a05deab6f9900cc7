// How element types live in recorded code: the scalar type that computes them, how they are loaded, stored and kept in range.
// Types without a row here (complex, strings) are computed on the host. What halves need beyond their row is in halves.ts.

import type { DType } from "../base/dtype.ts";
import type { ScalarAccess, ScalarType } from "./language/language.ts";

export interface ElementRow {
  readonly scalar: ScalarType;
  readonly access: ScalarAccess;
  readonly bytes: number;
  readonly isUnsigned: boolean;
  /** Bits kept after integer arithmetic, where fewer than the scalar type has. */
  readonly bits: number;
  readonly isFloat: boolean;
}

const row = (scalar: ScalarType, access: ScalarAccess, bytes: number, rest: Partial<ElementRow> = {}): ElementRow => ({
  scalar,
  access,
  bytes,
  isUnsigned: false,
  bits: bytes * 8,
  isFloat: scalar === "f32" || scalar === "f64",
  ...rest,
});

const rows: Partial<Record<DType, ElementRow>> = {
  float32: row("f32", "f32", 4),
  float64: row("f64", "f64", 8),
  float16: row("f32", "u16", 2),
  bfloat16: row("f32", "u16", 2),
  int32: row("i32", "i32", 4),
  int64: row("i64", "i64", 8),
  int16: row("i32", "i16", 2),
  int8: row("i32", "i8", 1),
  uint8: row("i32", "u8", 1, { isUnsigned: true }),
  uint16: row("i32", "u16", 2, { isUnsigned: true }),
  uint32: row("i32", "i32", 4, { isUnsigned: true }),
  uint64: row("i64", "i64", 8, { isUnsigned: true }),
  bool: row("i32", "u8", 1, { isUnsigned: true }),
};

export const elementRow = (dtype: DType): ElementRow | undefined => rows[dtype];

/** The row of a type that recorded code computes. */
export function elementOf(dtype: DType): ElementRow {
  const found = rows[dtype];
  if (!found) throw new RangeError(`Elements of type ${dtype} are not computed in recorded code.`);
  return found;
}

/** How vectors hold a type: as float32 or int32 lanes, bool as masks; undefined where only scalars do. */
export type VectorKind = "f32x" | "i32x" | "mask32";

export function vectorKind(dtype: DType): VectorKind | undefined {
  if (dtype === "float32") return "f32x";
  if (dtype === "int32") return "i32x";
  return dtype === "bool" ? "mask32" : undefined;
}
