// The vector language: what kernels are recorded in and printers print. Plain immutable data with typed builders, no opcode, no slot,
// no lane count: a `vec` is as wide as the target's vectors. The recorder is in recorder.ts, its verifier in language/verify-kernels.ts.
// An expression is evaluated where it stands in a statement, each time it stands there; `let` of the recorder pins a value.
// Names ending in U are unsigned, those without are signed. The seam as a whole: docs/vector-language.md.

import { InternalError } from "../../base/errors.ts";
import type { Target } from "../target.ts";

export type ScalarType = "i32" | "i64" | "f32" | "f64";
/** The result of comparing vectors, by the bits of a lane. Never in memory, never a parameter. */
export type MaskType = "mask8" | "mask16" | "mask32" | "mask64";
export type ValueType = ScalarType | "vec" | MaskType;

/** How an operation reads its vectors: `f32x` is as many float32 as fit. */
export type VectorName = "i8x" | "i16x" | "i32x" | "i64x" | "f32x" | "f64x";
export type FloatName = "f32" | "f64" | "f32x" | "f64x";
export type IntegerName = "i32" | "i64" | "i8x" | "i16x" | "i32x" | "i64x";
export type LaneName = ScalarType | VectorName;

interface LaneRow {
  readonly value: ValueType;
  /** What comparisons give and `select` takes. */
  readonly condition: "i32" | MaskType;
  /** One lane as a scalar. */
  readonly scalar: ScalarType;
  readonly bytes: number;
}

/** The lane kinds: what type their values, conditions and single lanes have, and the bytes of a lane. */
export const laneTable = {
  i32: { value: "i32", condition: "i32", scalar: "i32", bytes: 4 },
  i64: { value: "i64", condition: "i32", scalar: "i64", bytes: 8 },
  f32: { value: "f32", condition: "i32", scalar: "f32", bytes: 4 },
  f64: { value: "f64", condition: "i32", scalar: "f64", bytes: 8 },
  i8x: { value: "vec", condition: "mask8", scalar: "i32", bytes: 1 },
  i16x: { value: "vec", condition: "mask16", scalar: "i32", bytes: 2 },
  i32x: { value: "vec", condition: "mask32", scalar: "i32", bytes: 4 },
  i64x: { value: "vec", condition: "mask64", scalar: "i64", bytes: 8 },
  f32x: { value: "vec", condition: "mask32", scalar: "f32", bytes: 4 },
  f64x: { value: "vec", condition: "mask64", scalar: "f64", bytes: 8 },
} as const satisfies Record<LaneName, LaneRow>;

/** Lanes of one value: 1 for scalars. */
export const laneCount = (lane: LaneName, target: Target): number =>
  laneTable[lane].value === "vec" ? target.vectorBytes / laneTable[lane].bytes : 1;

// Operations. A signature has one letter per argument and one for the result: V the lane kind's value, M its condition,
// E one lane, I an i32, others as in `Letter`. One row here is one method of the builders and one demanded row per printer.

const floatOperations = {
  add: "VV>V",
  sub: "VV>V",
  mul: "VV>V",
  div: "VV>V",
  /** NaN if either is NaN; -0 is less than +0. */
  min: "VV>V",
  max: "VV>V",
  /** pmin(a, b) = b < a ? b : a, and pmax(a, b) = a < b ? b : a: the first where either is NaN or both are zero. */
  pmin: "VV>V",
  pmax: "VV>V",
  sqrt: "V>V",
  abs: "V>V",
  neg: "V>V",
  floor: "V>V",
  ceil: "V>V",
  trunc: "V>V",
  /** To the nearest integer, halves to even. */
  nearest: "V>V",
  /** The magnitude of the first with the sign of the second. */
  copySign: "VV>V",
  /** a·b + c; rounded once or twice as the target has it (scalars: always twice). */
  madd: "VVV>V",
  /** c - a·b, likewise. */
  nmadd: "VVV>V",
  eq: "VV>M",
  ne: "VV>M",
  lt: "VV>M",
  le: "VV>M",
  gt: "VV>M",
  ge: "VV>M",
  /** The second where the condition holds, else the third; both are evaluated. */
  select: "MVV>V",
} as const;

const integerOperations = {
  add: "VV>V",
  sub: "VV>V",
  and: "VV>V",
  or: "VV>V",
  xor: "VV>V",
  not: "V>V",
  neg: "V>V",
  /** Of the least integer: itself. */
  abs: "V>V",
  /** Counts are taken modulo the bits of a lane. */
  shl: "VI>V",
  shr: "VI>V",
  shrU: "VI>V",
  min: "VV>V",
  minU: "VV>V",
  max: "VV>V",
  maxU: "VV>V",
  eq: "VV>M",
  ne: "VV>M",
  lt: "VV>M",
  ltU: "VV>M",
  le: "VV>M",
  leU: "VV>M",
  gt: "VV>M",
  gtU: "VV>M",
  ge: "VV>M",
  geU: "VV>M",
  select: "MVV>V",
} as const;

const scalarIntegerOperations = {
  ...integerOperations,
  mul: "VV>V",
  /** Divisions trap on a zero divisor, and `div` on MIN / -1; rem(MIN, -1) is 0. */
  div: "VV>V",
  divU: "VV>V",
  rem: "VV>V",
  remU: "VV>V",
  rotl: "VI>V",
  rotr: "VI>V",
  clz: "V>V",
  ctz: "V>V",
  popcnt: "V>V",
  eqz: "V>I",
  /** Sign extension of the low 8 or 16 bits. */
  extend8: "V>V",
  extend16: "V>V",
} as const;

const vectorOperations = {
  splat: "E>V",
  /** The value where the mask holds, else zero. */
  keep: "MV>V",
} as const;

const vectorIntegerOperations = { ...integerOperations, ...vectorOperations, /** a & ~b. */ andNot: "VV>V" } as const;

const maskOperations = {
  and: "VV>V",
  or: "VV>V",
  xor: "VV>V",
  not: "V>V",
  any: "V>I",
  all: "V>I",
  /** Lane i is bit i. */ bits: "V>I",
} as const;

/** Every operation by lane kind. Conversions saturate from float to integer (NaN gives 0); `ofBits` keeps the bits.
 *  `Low` and `High` read that half of a vector; conversions to fewer bits fill the low half and zero the rest. */
export const operationTable = {
  i32: { ...scalarIntegerOperations, fromI64: "L>V", fromF32: "f>V", fromF32U: "f>V", fromF64: "d>V", fromF64U: "d>V", ofBits: "f>V" },
  i64: {
    ...scalarIntegerOperations,
    extend32: "V>V",
    fromI32: "I>V",
    fromI32U: "I>V",
    fromF32: "f>V",
    fromF32U: "f>V",
    fromF64: "d>V",
    fromF64U: "d>V",
    ofBits: "d>V",
  },
  f32: { ...floatOperations, fromI32: "I>V", fromI32U: "I>V", fromI64: "L>V", fromI64U: "L>V", fromF64: "d>V", ofBits: "I>V" },
  f64: { ...floatOperations, fromI32: "I>V", fromI32U: "I>V", fromI64: "L>V", fromI64U: "L>V", fromF32: "f>V", ofBits: "L>V" },
  i8x: { ...vectorIntegerOperations, popcnt: "V>V", /** The lanes of both, saturated. */ narrow: "VV>V", narrowU: "VV>V" },
  i16x: {
    ...vectorIntegerOperations,
    mul: "VV>V",
    narrow: "VV>V",
    narrowU: "VV>V",
    fromI8Low: "V>V",
    fromI8High: "V>V",
    fromI8LowU: "V>V",
    fromI8HighU: "V>V",
  },
  i32x: {
    ...vectorIntegerOperations,
    mul: "VV>V",
    fromI16Low: "V>V",
    fromI16High: "V>V",
    fromI16LowU: "V>V",
    fromI16HighU: "V>V",
    fromF32: "V>V",
    fromF32U: "V>V",
    fromF64: "V>V",
    fromF64U: "V>V",
  },
  i64x: {
    ...vectorIntegerOperations,
    mul: "VV>V",
    fromI32Low: "V>V",
    fromI32High: "V>V",
    fromI32LowU: "V>V",
    fromI32HighU: "V>V",
    /** Whole products of the unsigned 32-bit lanes in that half of both. */
    mulI32LowU: "VV>V",
    mulI32HighU: "VV>V",
  },
  f32x: { ...floatOperations, ...vectorOperations, fromI32: "V>V", fromI32U: "V>V", fromF64: "V>V" },
  f64x: { ...floatOperations, ...vectorOperations, fromI32Low: "V>V", fromI32LowU: "V>V", fromF32Low: "V>V" },
  mask8: maskOperations,
  mask16: maskOperations,
  mask32: maskOperations,
  mask64: maskOperations,
} as const satisfies Record<LaneName | MaskType, Record<string, string>>;

type OperationTable = typeof operationTable;
export type OperationName = { [N in keyof OperationTable]: `${N}.${keyof OperationTable[N] & string}` }[keyof OperationTable];

type Kind = LaneName | MaskType;
type ValueOf<N extends Kind> = N extends LaneName ? (typeof laneTable)[N]["value"] : N;
type ConditionOf<N extends Kind> = N extends LaneName ? (typeof laneTable)[N]["condition"] : never;
type LaneOf<N extends Kind> = N extends LaneName ? (typeof laneTable)[N]["scalar"] : never;
type Letter<L extends string, N extends Kind> = L extends "V"
  ? ValueOf<N>
  : L extends "M"
    ? ConditionOf<N>
    : L extends "E"
      ? LaneOf<N>
      : L extends "I"
        ? "i32"
        : L extends "L"
          ? "i64"
          : L extends "f"
            ? "f32"
            : "f64";

// Expressions.

/** An expression node. Offsets are bytes ≥ 0, added to the address without wrapping around. */
export type ExprNode =
  | { readonly kind: "const"; readonly type: ScalarType; readonly value: number | bigint }
  /** One value for all lanes, or one per lane. */
  | { readonly kind: "vconst"; readonly type: "vec"; readonly lane: VectorName; readonly values: readonly (number | bigint)[] }
  | { readonly kind: "local"; readonly type: ValueType; readonly id: number }
  /** An imported immutable number, such as where a region of memory begins. */
  | { readonly kind: "global"; readonly type: "i32"; readonly name: string }
  | {
      readonly kind: "load";
      readonly type: ScalarType;
      readonly access: ScalarAccess;
      readonly address: Expr<"i32">;
      readonly offset: number;
    }
  | {
      readonly kind: "vload";
      readonly type: "vec";
      readonly lane: VectorName;
      readonly access: VectorAccess;
      readonly address: Expr<"i32">;
      readonly offset: number;
    }
  | { readonly kind: "apply"; readonly type: ValueType; readonly op: OperationName; readonly args: readonly Expr[] }
  | { readonly kind: "extract"; readonly type: ScalarType; readonly lane: VectorName; readonly index: number; readonly vector: Expr<"vec"> }
  | {
      readonly kind: "insert";
      readonly type: "vec";
      readonly lane: VectorName;
      readonly index: number;
      readonly vector: Expr<"vec">;
      readonly value: Expr;
    }
  /** Lane i is lane `lanes[i]` of the two vectors one after the other. */
  | {
      readonly kind: "shuffle";
      readonly type: "vec";
      readonly lane: VectorName;
      readonly lanes: readonly number[];
      readonly a: Expr<"vec">;
      readonly b: Expr<"vec">;
    };

export type Expr<T extends ValueType = ValueType> = ExprNode & { readonly type: T };
export type Local<T extends ValueType = ValueType> = Expr<T> & { readonly kind: "local" };

/** Widths in memory; loads narrower than their type extend the sign, or zeros for u8, u16 and u32. */
export type ScalarAccess = "i8" | "u8" | "i16" | "u16" | "u32" | "i32" | "i64" | "f32" | "f64";

export type VectorAccess =
  | { readonly form: "whole" }
  /** The first `count` lanes, memory behind them untouched; the others are zero. */
  | { readonly form: "part"; readonly count: number }
  /** One element for all lanes. */
  | { readonly form: "splat" }
  /** As many narrow elements as there are lanes, each converted (loads) or cut to its low bits, floats rounded (stores). */
  | { readonly form: "narrow"; readonly element: ScalarAccess };

/** An expression, or a number that becomes a constant of the type needed (all lanes of a vector). */
export type Arg<T extends ValueType = ValueType> =
  | Expr<T>
  | (T extends MaskType ? never : T extends "i64" | "vec" ? number | bigint : number);

export const i32Const = (value: number): Expr<"i32"> => ({ kind: "const", type: "i32", value: value | 0 });

/** The number as its type holds it: integers wrapped, floats rounded. */
function exactValue(type: ScalarType, value: number | bigint): number | bigint {
  if (type === "i64") return BigInt.asIntN(64, BigInt(value));
  if (type === "i32") return Number(value) | 0;
  return type === "f32" ? Math.fround(Number(value)) : Number(value);
}

export const constant = <T extends ScalarType>(type: T, value: number | bigint): Expr<T> =>
  ({ kind: "const", type, value: type === "i32" ? Number(value) | 0 : exactValue(type, value) }) as Expr<T>;

/** A vector constant: one number for all lanes, or one number per lane of the target. */
export const vectorConstant = (lane: VectorName, ...values: readonly (number | bigint)[]): Expr<"vec"> => ({
  kind: "vconst",
  type: "vec",
  lane,
  values: values.map(value => exactValue(laneTable[lane].scalar, value)),
});

const letterTypes = (kind: Kind): Record<string, ValueType> => {
  const fixed = { I: "i32", L: "i64", f: "f32", d: "f64" } as const;
  if (kind.startsWith("mask")) return { ...fixed, V: kind as MaskType };
  const { value, condition, scalar } = laneTable[kind as LaneName];
  return { ...fixed, V: value, M: condition, E: scalar };
};

export interface Signature {
  readonly args: readonly ValueType[];
  readonly result: ValueType;
}

const signatures = new Map<OperationName, Signature>();

/** Argument and result types of an operation. */
export function signatureOf(op: OperationName): Signature {
  const known = signatures.get(op);
  if (known !== undefined) return known;
  const [kind, name] = op.split(".") as [Kind, string];
  const text = (operationTable[kind] as Record<string, string> | undefined)?.[name];
  if (text === undefined) throw new InternalError(`The vector language has no operation ${op}.`);
  const letters = letterTypes(kind);
  const [args, result] = text.split(">");
  const signature = { args: [...args].map(letter => letters[letter]), result: letters[result] };
  signatures.set(op, signature);
  return signature;
}

/** A number as a constant of the type wanted; vectors by the lane kind that an operation's name begins with. */
function liftArg(arg: Arg, type: ValueType, op: string): Expr {
  if (typeof arg === "object") return arg;
  if (type === "vec") return vectorConstant(op.split(".")[0] as VectorName, arg);
  if (type.startsWith("mask")) throw new InternalError(`A mask is needed, not the number ${arg}.`);
  return constant(type as ScalarType, arg);
}

/** Applies an operation; numbers become constants of the types it takes. */
export function applyOperation(op: OperationName, ...args: readonly Arg[]): Expr {
  const { args: types, result } = signatureOf(op);
  if (args.length !== types.length) throw new InternalError(`${op} takes ${types.length} arguments, not ${args.length}.`);
  const lifted: Expr[] = [];
  for (let i = 0; i < types.length; i++) {
    const given = args[i];
    const arg = typeof given === "object" ? given : liftArg(given, types[i], op);
    if (arg.type !== types[i]) throw new InternalError(`Argument ${i + 1} of ${op} is ${arg.type}, not ${types[i]}.`);
    lifted.push(arg);
  }
  return { kind: "apply", type: result, op, args: lifted };
}

// Builders: `f32x.add(a, 1)`. The rows of the table as methods, and what carries more than expressions beside them.

type Args<S extends string, N extends Kind> = S extends `${infer L}${infer Rest}` ? [Arg<Letter<L, N>>, ...Args<Rest, N>] : [];
type Method<S, N extends Kind> = S extends `${infer A}>${infer R}` ? (...args: Args<A, N>) => Expr<Letter<R, N>> : never;
type Methods<N extends Kind> = { readonly [M in keyof OperationTable[N]]: Method<OperationTable[N][M], N> };

/** What only vectors have. Offsets are in bytes. */
export interface VectorMethods<N extends VectorName> {
  load(address: Arg<"i32">, offset?: number): Expr<"vec">;
  /** The first `count` lanes; the others are zero, and nothing behind them is read. */
  loadPart(count: number, address: Arg<"i32">, offset?: number): Expr<"vec">;
  /** One element for all lanes. */
  loadSplat(address: Arg<"i32">, offset?: number): Expr<"vec">;
  /** As many narrower elements as there are lanes, converted: i16x from 8 bits, i32x from 8 and 16, i64x from 32, f64x from f32. */
  loadNarrow(element: ScalarAccess, address: Arg<"i32">, offset?: number): Expr<"vec">;
  /** Of i8x and i16x the sign is extended. */
  extract(vector: Expr<"vec">, index: number): Expr<LaneOf<N>>;
  insert(vector: Expr<"vec">, index: number, value: Arg<LaneOf<N>>): Expr<"vec">;
  shuffle(a: Expr<"vec">, b: Expr<"vec">, lanes: readonly number[]): Expr<"vec">;
  const(...values: readonly (number | bigint)[]): Expr<"vec">;
  /** Starting value of sums, fresh each time. */
  zero(): Expr<"vec">;
}

/** What only scalars have. */
export interface ScalarMethods<T extends ScalarType> {
  load(address: Arg<"i32">, offset?: number): Expr<T>;
  /** A narrower load; u8, u16 and u32 extend with zeros, i8, i16 and i32 with the sign. Integers only. */
  loadNarrow(element: ScalarAccess, address: Arg<"i32">, offset?: number): Expr<T>;
  const(value: number | bigint): Expr<T>;
  zero(): Expr<T>;
}

/** The builders of a lane kind. */
export type Lane<N extends LaneName> = Methods<N> & { readonly name: N } & (N extends VectorName
    ? VectorMethods<N>
    : N extends ScalarType
      ? ScalarMethods<N>
      : never);

const methodsOf = (kind: Kind): Record<string, (...args: readonly Arg[]) => Expr> =>
  Object.fromEntries(
    Object.keys(operationTable[kind]).map(name => {
      // Put together once: a string that was looked up keeps its hash.
      const op = `${kind}.${name}` as OperationName;
      return [name, (...args: readonly Arg[]) => applyOperation(op, ...args)];
    }),
  );

const addressOf = (address: Arg<"i32">): Expr<"i32"> => (typeof address === "number" ? i32Const(address) : address);

const scalarMethods = <T extends ScalarType>(type: T): ScalarMethods<T> => {
  const loadNarrow = (access: ScalarAccess, address: Arg<"i32">, offset = 0) =>
    ({ kind: "load", type, access, address: addressOf(address), offset }) as Expr<T>;
  return {
    load: (address, offset) => loadNarrow(type, address, offset),
    loadNarrow,
    const: value => constant(type, value),
    zero: () => constant(type, 0),
  };
};

const vectorMethods = <N extends VectorName>(lane: N): VectorMethods<N> => {
  const load = (access: VectorAccess, address: Arg<"i32">, offset = 0): Expr<"vec"> => ({
    kind: "vload",
    type: "vec",
    lane,
    access,
    address: addressOf(address),
    offset,
  });
  const scalar = laneTable[lane].scalar as LaneOf<N> & ScalarType;
  return {
    load: (address, offset) => load({ form: "whole" }, address, offset),
    loadPart: (count, address, offset) => load({ form: "part", count }, address, offset),
    loadSplat: (address, offset) => load({ form: "splat" }, address, offset),
    loadNarrow: (element, address, offset) => load({ form: "narrow", element }, address, offset),
    extract: (vector, index) => ({ kind: "extract", type: scalar, lane, index, vector }) as Expr<LaneOf<N>>,
    insert: (vector, index, value) => ({ kind: "insert", type: "vec", lane, index, vector, value: liftArg(value as Arg, scalar, lane) }),
    shuffle: (a, b, lanes) => ({ kind: "shuffle", type: "vec", lane, lanes, a, b }),
    const: (...values) => vectorConstant(lane, ...values),
    zero: () => vectorConstant(lane, 0),
  };
};

// The records are made from the table, so their types are stated once, there.
const scalarLane = <T extends ScalarType>(name: T) => ({ name, ...methodsOf(name), ...scalarMethods(name) }) as object as Lane<T>;
const vectorLane = <N extends VectorName>(name: N) => ({ name, ...methodsOf(name), ...vectorMethods(name) }) as object as Lane<N>;
const maskLane = <N extends MaskType>(name: N) => methodsOf(name) as object as Methods<N>;

export const i32: Lane<"i32"> = scalarLane("i32");
export const i64: Lane<"i64"> = scalarLane("i64");
export const f32: Lane<"f32"> = scalarLane("f32");
export const f64: Lane<"f64"> = scalarLane("f64");
export const i8x: Lane<"i8x"> = vectorLane("i8x");
export const i16x: Lane<"i16x"> = vectorLane("i16x");
export const i32x: Lane<"i32x"> = vectorLane("i32x");
export const i64x: Lane<"i64x"> = vectorLane("i64x");
export const f32x: Lane<"f32x"> = vectorLane("f32x");
export const f64x: Lane<"f64x"> = vectorLane("f64x");
export const mask8: Methods<"mask8"> = maskLane("mask8");
export const mask16: Methods<"mask16"> = maskLane("mask16");
export const mask32: Methods<"mask32"> = maskLane("mask32");
export const mask64: Methods<"mask64"> = maskLane("mask64");

/** All lane kinds by name. */
export const lanes: { readonly [N in LaneName]: Lane<N> } = { i32, i64, f32, f64, i8x, i16x, i32x, i64x, f32x, f64x };

/** A lane kind chosen while recording: the operations all floats (or all integers) share, with types checked only then. */
export type FloatLane = { readonly [M in keyof typeof floatOperations]: (...args: readonly Arg[]) => Expr } & LooseLane<FloatName>;
export type IntegerLane = { readonly [M in keyof typeof integerOperations]: (...args: readonly Arg[]) => Expr } & LooseLane<IntegerName>;

interface LooseLane<N extends LaneName> {
  readonly name: N;
  load(address: Arg<"i32">, offset?: number): Expr;
  const(value: number | bigint): Expr;
  zero(): Expr;
}

export const floatLane = (name: FloatName): FloatLane => lanes[name] as object as FloatLane;
export const integerLane = (name: IntegerName): IntegerLane => lanes[name] as object as IntegerLane;

// Statements, functions, modules.

export type AtomicOperation = "load" | "store" | "add" | "exchange" | "compareExchange" | "wait" | "notify";

export type Statement =
  /** The first `set` of a local declares it, for the rest of its block. */
  | { readonly kind: "set"; readonly local: number; readonly declares: boolean; readonly value: Expr }
  | { readonly kind: "store"; readonly access: ScalarAccess; readonly address: Expr<"i32">; readonly offset: number; readonly value: Expr }
  | {
      readonly kind: "vstore";
      readonly lane: VectorName;
      readonly access: VectorAccess;
      readonly address: Expr<"i32">;
      readonly offset: number;
      readonly value: Expr<"vec">;
    }
  /** For counter = from; counter < to (signed; > for a negative step); counter += step. `to` is a constant or a local the body leaves alone. */
  | {
      readonly kind: "loop";
      readonly counter: number;
      readonly from: Expr<"i32">;
      readonly to: Expr<"i32">;
      readonly step: number;
      readonly body: readonly Statement[];
    }
  | { readonly kind: "while"; readonly condition: Expr<"i32">; readonly body: readonly Statement[] }
  | { readonly kind: "if"; readonly condition: Expr<"i32">; readonly then: readonly Statement[]; readonly otherwise: readonly Statement[] }
  | { readonly kind: "block"; readonly label: number; readonly body: readonly Statement[] }
  /** Leaves the block of that label, if the condition holds or there is none. */
  | { readonly kind: "break"; readonly label: number; readonly condition: Expr<"i32"> | null }
  /** Results are new locals. */
  | { readonly kind: "call"; readonly callee: string; readonly args: readonly Expr[]; readonly results: readonly number[] }
  /** Gives a number of the module's own its value. */
  | { readonly kind: "assign"; readonly variable: string; readonly value: Expr<"i32"> }
  | { readonly kind: "return"; readonly values: readonly Expr[] }
  | { readonly kind: "trap" }
  /** The square block whose rows are these locals, as many as lanes, transposed in place. */
  | { readonly kind: "transpose"; readonly lane: VectorName; readonly rows: readonly number[] }
  | { readonly kind: "copyBytes"; readonly to: Expr<"i32">; readonly from: Expr<"i32">; readonly bytes: Expr<"i32"> }
  | { readonly kind: "fillBytes"; readonly to: Expr<"i32">; readonly byte: Expr<"i32">; readonly bytes: Expr<"i32"> }
  /** Sequentially consistent, on a 32-bit word; `result` is the word before, what `wait` says, or how many `notify` woke. */
  | {
      readonly kind: "atomic";
      readonly op: AtomicOperation;
      readonly address: Expr<"i32">;
      readonly offset: number;
      readonly args: readonly Expr[];
      readonly result: number | null;
    };

/** A local as a live range over statements, numbered in the order they are written (a loop's end counts as one). */
export interface LiveRange {
  readonly type: ValueType;
  readonly name: string;
  readonly first: number;
  readonly last: number;
}

export interface KernelFunction {
  readonly name: string;
  readonly exported: boolean;
  /** The first locals are the parameters. */
  readonly params: readonly ValueType[];
  readonly results: readonly ValueType[];
  readonly locals: readonly LiveRange[];
  readonly body: readonly Statement[];
}

export interface FunctionImport {
  readonly name: string;
  readonly params: readonly ValueType[];
  readonly results: readonly ValueType[];
}

/** Pages are of 64 KiB. A shared memory has a maximum. */
export interface MemoryImport {
  readonly minPages: number;
  readonly maxPages?: number;
  readonly shared?: boolean;
}

/** Everything one printer call turns into one executable module. Imports come from one namespace; names are unique in it. */
export interface KernelModule {
  readonly target: Target;
  readonly memory: MemoryImport;
  /** Imported immutable i32 numbers. */
  readonly globals: readonly string[];
  /** i32 numbers of the module's own, 0 at first, that functions assign; threads have their own. Read as globals are. */
  readonly variables: readonly string[];
  readonly imports: readonly FunctionImport[];
  readonly functions: readonly KernelFunction[];
  /** Bytes that lie at a global when the module starts: tables of constants. */
  readonly data: readonly { readonly global: string; readonly bytes: Uint8Array }[];
}

/** The argument types of the atomic operations beside the address, and whether they give an i32. */
export const atomicSignatures: Record<AtomicOperation, { readonly args: readonly ScalarType[]; readonly result: boolean }> = {
  load: { args: [], result: true },
  store: { args: ["i32"], result: false },
  add: { args: ["i32"], result: true },
  exchange: { args: ["i32"], result: true },
  compareExchange: { args: ["i32", "i32"], result: true },
  /** Expected word, nanoseconds or -1; gives 0 woken, 1 not equal, 2 timed out. Needs a shared memory. */
  wait: { args: ["i32", "i64"], result: true },
  notify: { args: ["i32"], result: true },
};

/** The narrow elements each vector lane kind can be loaded from or stored to, by `form: "narrow"`. */
export const narrowAccesses: Record<VectorName, readonly ScalarAccess[]> = {
  i8x: [],
  i16x: ["i8", "u8"],
  i32x: ["i8", "u8", "i16", "u16"],
  i64x: ["i32", "u32"],
  f32x: [],
  f64x: ["f32"],
};

export const accessBytes: Record<ScalarAccess, number> = { i8: 1, u8: 1, i16: 2, u16: 2, u32: 4, i32: 4, i64: 8, f32: 4, f64: 8 };
