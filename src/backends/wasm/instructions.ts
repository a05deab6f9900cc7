// The vector language in WebAssembly instructions: one row per operation, demanded by the type. A number is the instruction that takes
// the operands in order; a name is a way to write it with several, which printer.ts knows.

import type { MaskType, LaneName } from "../../kernels/language/language.ts";
import type { operationTable } from "../../kernels/language/language.ts";
import { misc, simd } from "./encoder.ts";

/** Operations without an instruction of their own. */
export type Lowering =
  /** Operands as they are: value, value, condition. */
  | "select"
  | "pmin"
  | "pmax"
  | "madd"
  | "nmadd"
  | "copySign"
  | "keep"
  | "not"
  | "neg"
  | "abs"
  /** The smaller (or greater) by a comparison of the same lane kind. */
  | "least"
  | "leastU"
  | "greatest"
  | "greatestU"
  /** Unsigned comparison by flipping the sign bits. */
  | "ltU"
  | "leU"
  | "gtU"
  | "geU";

export type Instruction = number | Lowering | readonly ["shift", number];

type Rows = { readonly [N in LaneName | MaskType]: { readonly [M in keyof (typeof operationTable)[N]]: Instruction } };

/** i64 shifts take their count as an i64. */
const shift = (opcode: number): Instruction => ["shift", opcode];

const scalarFloat = (compare: number, arithmetic: number) =>
  ({
    eq: compare,
    ne: compare + 1,
    lt: compare + 2,
    gt: compare + 3,
    le: compare + 4,
    ge: compare + 5,
    abs: arithmetic,
    neg: arithmetic + 1,
    ceil: arithmetic + 2,
    floor: arithmetic + 3,
    trunc: arithmetic + 4,
    nearest: arithmetic + 5,
    sqrt: arithmetic + 6,
    add: arithmetic + 7,
    sub: arithmetic + 8,
    mul: arithmetic + 9,
    div: arithmetic + 10,
    min: arithmetic + 11,
    max: arithmetic + 12,
    copySign: arithmetic + 13,
    pmin: "pmin",
    pmax: "pmax",
    madd: "madd",
    nmadd: "nmadd",
    select: "select",
  }) as const;

const scalarInteger = (compare: number, arithmetic: number, wide: boolean) => {
  const counted = (opcode: number): Instruction => (wide ? shift(opcode) : opcode);
  return {
    eqz: compare,
    eq: compare + 1,
    ne: compare + 2,
    lt: compare + 3,
    ltU: compare + 4,
    gt: compare + 5,
    gtU: compare + 6,
    le: compare + 7,
    leU: compare + 8,
    ge: compare + 9,
    geU: compare + 10,
    clz: arithmetic,
    ctz: arithmetic + 1,
    popcnt: arithmetic + 2,
    add: arithmetic + 3,
    sub: arithmetic + 4,
    mul: arithmetic + 5,
    div: arithmetic + 6,
    divU: arithmetic + 7,
    rem: arithmetic + 8,
    remU: arithmetic + 9,
    and: arithmetic + 10,
    or: arithmetic + 11,
    xor: arithmetic + 12,
    shl: counted(arithmetic + 13),
    shr: counted(arithmetic + 14),
    shrU: counted(arithmetic + 15),
    rotl: counted(arithmetic + 16),
    rotr: counted(arithmetic + 17),
    not: "not",
    neg: "neg",
    abs: "abs",
    min: "least",
    minU: "leastU",
    max: "greatest",
    maxU: "greatestU",
    select: "select",
  } as const;
};

const vectorFloat = (
  compare: number,
  arithmetic: number,
  rounding: readonly [ceil: number, floor: number, trunc: number, nearest: number],
) =>
  ({
    eq: simd(compare),
    ne: simd(compare + 1),
    lt: simd(compare + 2),
    gt: simd(compare + 3),
    le: simd(compare + 4),
    ge: simd(compare + 5),
    abs: simd(arithmetic),
    neg: simd(arithmetic + 1),
    sqrt: simd(arithmetic + 3),
    add: simd(arithmetic + 4),
    sub: simd(arithmetic + 5),
    mul: simd(arithmetic + 6),
    div: simd(arithmetic + 7),
    min: simd(arithmetic + 8),
    max: simd(arithmetic + 9),
    pmin: simd(arithmetic + 10),
    pmax: simd(arithmetic + 11),
    ceil: simd(rounding[0]),
    floor: simd(rounding[1]),
    trunc: simd(rounding[2]),
    nearest: simd(rounding[3]),
    madd: "madd",
    nmadd: "nmadd",
    copySign: "copySign",
    select: "select",
    keep: "keep",
  }) as const;

/** Integer vectors of one width: `arithmetic` is the number of abs; the instructions after it lie at the same distances for all widths. */
const vectorInteger = (splat: number, arithmetic: number) =>
  ({
    splat: simd(splat),
    abs: simd(arithmetic),
    neg: simd(arithmetic + 1),
    shl: simd(arithmetic + 11),
    shr: simd(arithmetic + 12),
    shrU: simd(arithmetic + 13),
    add: simd(arithmetic + 14),
    sub: simd(arithmetic + 17),
    not: simd(77),
    and: simd(78),
    andNot: simd(79),
    or: simd(80),
    xor: simd(81),
    select: "select",
    keep: "keep",
  }) as const;

const vectorCompare = (compare: number) =>
  ({
    eq: simd(compare),
    ne: simd(compare + 1),
    lt: simd(compare + 2),
    ltU: simd(compare + 3),
    gt: simd(compare + 4),
    gtU: simd(compare + 5),
    le: simd(compare + 6),
    leU: simd(compare + 7),
    ge: simd(compare + 8),
    geU: simd(compare + 9),
  }) as const;

const extremes = (min: number) => ({ min: simd(min), minU: simd(min + 1), max: simd(min + 2), maxU: simd(min + 3) }) as const;

const mask = (all: number) =>
  ({ and: simd(78), or: simd(80), xor: simd(81), not: simd(77), any: simd(83), all: simd(all), bits: simd(all + 1) }) as const;

export const instructions: Rows = {
  i32: {
    ...scalarInteger(0x45, 0x67, false),
    extend8: 0xc0,
    extend16: 0xc1,
    fromI64: 0xa7,
    fromF32: misc(0),
    fromF32U: misc(1),
    fromF64: misc(2),
    fromF64U: misc(3),
    ofBits: 0xbc,
  },
  i64: {
    ...scalarInteger(0x50, 0x79, true),
    extend8: 0xc2,
    extend16: 0xc3,
    extend32: 0xc4,
    fromI32: 0xac,
    fromI32U: 0xad,
    fromF32: misc(4),
    fromF32U: misc(5),
    fromF64: misc(6),
    fromF64U: misc(7),
    ofBits: 0xbd,
  },
  f32: { ...scalarFloat(0x5b, 0x8b), fromI32: 0xb2, fromI32U: 0xb3, fromI64: 0xb4, fromI64U: 0xb5, fromF64: 0xb6, ofBits: 0xbe },
  f64: { ...scalarFloat(0x61, 0x99), fromI32: 0xb7, fromI32U: 0xb8, fromI64: 0xb9, fromI64U: 0xba, fromF32: 0xbb, ofBits: 0xbf },
  i8x: {
    ...vectorInteger(15, 96),
    ...vectorCompare(35),
    ...extremes(118),
    popcnt: simd(98),
    narrow: simd(101),
    narrowU: simd(102),
  },
  i16x: {
    ...vectorInteger(16, 128),
    ...vectorCompare(45),
    ...extremes(150),
    mul: simd(149),
    narrow: simd(133),
    narrowU: simd(134),
    fromI8Low: simd(135),
    fromI8High: simd(136),
    fromI8LowU: simd(137),
    fromI8HighU: simd(138),
  },
  i32x: {
    ...vectorInteger(17, 160),
    ...vectorCompare(55),
    ...extremes(182),
    mul: simd(181),
    fromI16Low: simd(167),
    fromI16High: simd(168),
    fromI16LowU: simd(169),
    fromI16HighU: simd(170),
    fromF32: simd(248),
    fromF32U: simd(249),
    fromF64: simd(252),
    fromF64U: simd(253),
  },
  i64x: {
    ...vectorInteger(18, 192),
    eq: simd(214),
    ne: simd(215),
    lt: simd(216),
    gt: simd(217),
    le: simd(218),
    ge: simd(219),
    ltU: "ltU",
    leU: "leU",
    gtU: "gtU",
    geU: "geU",
    min: "least",
    minU: "leastU",
    max: "greatest",
    maxU: "greatestU",
    mul: simd(213),
    fromI32Low: simd(199),
    fromI32High: simd(200),
    fromI32LowU: simd(201),
    fromI32HighU: simd(202),
    mulI32LowU: simd(222),
    mulI32HighU: simd(223),
  },
  f32x: {
    ...vectorFloat(65, 224, [103, 104, 105, 106]),
    splat: simd(19),
    fromI32: simd(250),
    fromI32U: simd(251),
    fromF64: simd(94),
  },
  f64x: {
    ...vectorFloat(71, 236, [116, 117, 122, 148]),
    splat: simd(20),
    fromI32Low: simd(254),
    fromI32LowU: simd(255),
    fromF32Low: simd(95),
  },
  mask8: mask(99),
  mask16: mask(131),
  mask32: mask(163),
  mask64: mask(195),
};
