// Attribute specifications, one function per kind of TensorFlow's OpDef attributes; their value types flow into every callback of defineOp.

import type { DType } from "../base/dtype.ts";
import type { NDArray } from "../base/ndarray.ts";
import type { TensorShape } from "../base/shape.ts";

export type AttrKind = "type" | "int" | "float" | "bool" | "string" | "shape" | "tensor" | "func";

/** A function named by a GraphDef, with its own attributes. */
export interface FunctionRef {
  readonly name: string;
  readonly attrs: Readonly<Record<string, AttrValue>>;
}

const isRef = (value: unknown): value is FunctionRef => typeof value === "object" && value !== null && "name" in value && "attrs" in value;
/** The functions that a node's attributes name. */
export const refsIn = (attrs: Readonly<Record<string, unknown>>): FunctionRef[] => Object.values(attrs).flat().filter(isRef);

export type AttrValue = DType | number | boolean | string | TensorShape | NDArray | FunctionRef | bigint | readonly AttrValue[];

/** What an op says of one attribute. `isList` marks list(…) kinds; `allowed` the admitted values; `minimum` the least int or list length. */
export interface Attr<T extends AttrValue = AttrValue, D extends T | undefined = T | undefined> {
  readonly kind: AttrKind;
  readonly isList: boolean;
  readonly default: D;
  readonly allowed?: readonly unknown[] | undefined;
  readonly minimum?: number | undefined;
}

type Spec<T extends AttrValue> = Attr<T, T | undefined>;

const spec = <T extends AttrValue>(
  kind: AttrKind,
  isList: boolean,
  fallback: T | undefined,
  rest: { allowed?: readonly unknown[] | undefined; minimum?: number | undefined } = {},
): Spec<T> => ({
  kind,
  isList,
  default: fallback,
  ...rest,
});

/** A type attribute: `T: type(floats, "float32")`. */
export const type = (allowed?: readonly DType[], fallback?: DType): Spec<DType> => spec("type", false, fallback, { allowed });
export const types = (fallback?: readonly DType[], rest: { allowed?: readonly DType[]; minimum?: number } = {}): Spec<readonly DType[]> =>
  spec("type", true, fallback, rest);
export const int = (fallback?: number, minimum?: number): Spec<number> => spec("int", false, fallback, { minimum });
export const ints = (fallback?: readonly number[], minimum?: number): Spec<readonly number[]> => spec("int", true, fallback, { minimum });
export const float = (fallback?: number): Spec<number> => spec("float", false, fallback);
export const floats = (fallback?: readonly number[], minimum?: number): Spec<readonly number[]> =>
  spec("float", true, fallback, { minimum });
export const bool = (fallback?: boolean): Spec<boolean> => spec("bool", false, fallback);
export const bools = (fallback?: readonly boolean[]): Spec<readonly boolean[]> => spec("bool", true, fallback);
export const string = (fallback?: string): Spec<string> => spec("string", false, fallback);
export const strings = (fallback?: readonly string[], minimum?: number): Spec<readonly string[]> =>
  spec("string", true, fallback, { minimum });
/** A string out of a few: `padding: oneOf(["SAME", "VALID"])`. */
export const oneOf = <const O extends readonly string[]>(allowed: O, fallback?: O[number]): Spec<O[number]> =>
  spec("string", false, fallback, { allowed });
export const shape = (fallback?: TensorShape): Spec<TensorShape> => spec("shape", false, fallback);
export const shapes = (fallback?: readonly TensorShape[], minimum?: number): Spec<readonly TensorShape[]> =>
  spec("shape", true, fallback, { minimum });
export const tensor = (fallback?: NDArray): Spec<NDArray> => spec<NDArray>("tensor", false, fallback);
export const func = (): Spec<FunctionRef> => spec<FunctionRef>("func", false, undefined);
export const funcs = (fallback?: readonly FunctionRef[], minimum?: number): Spec<readonly FunctionRef[]> =>
  spec("func", true, fallback, { minimum });

/** Sets of types that TensorFlow's registry uses again and again. */
export const realNumbers = [
  "float32",
  "float64",
  "int32",
  "uint8",
  "int16",
  "int8",
  "int64",
  "bfloat16",
  "uint16",
  "float16",
  "uint32",
  "uint64",
] as const satisfies readonly DType[];
/** TensorFlow's "numbertype". */
export const numbers = [
  "float32",
  "float64",
  "int32",
  "uint8",
  "int16",
  "int8",
  "complex64",
  "int64",
  "qint8",
  "quint8",
  "qint32",
  "bfloat16",
  "qint16",
  "quint16",
  "uint16",
  "complex128",
  "float16",
  "uint32",
  "uint64",
] as const satisfies readonly DType[];
export const floatTypes = ["float16", "bfloat16", "float32", "float64"] as const satisfies readonly DType[];
export const indexTypes = ["int32", "int64"] as const satisfies readonly DType[];
