// Sums and products of addresses and counters. What is known while recording is done while recording: kernels read better, and baseline
// compilers, which run a kernel's first calls, do not fold.

import { type Arg, type Expr, i32 } from "./language/language.ts";

const valueOf = (x: Arg<"i32">): number | undefined => (typeof x === "number" ? x : x.kind === "const" ? Number(x.value) : undefined);

interface Sum {
  /** Nothing where all of it is known. */
  readonly rest: Expr<"i32"> | undefined;
  readonly constant: number;
}

/** An expression as another and a constant that is added to it. */
export function apart(x: Arg<"i32">): Sum {
  if (typeof x === "number") return { rest: undefined, constant: x };
  if (x.kind === "const") return { rest: undefined, constant: Number(x.value) };
  if (x.kind === "apply" && x.op === "i32.add") {
    const rest = x.args[0] as Expr<"i32">;
    const last = x.args[1];
    if (last.kind === "const") return { rest: isZero(rest) ? undefined : rest, constant: Number(last.value) };
  }
  return { rest: x, constant: 0 };
}

const isZero = (x: Expr<"i32">): boolean => x.kind === "const" && x.value === 0;

/** a + b, constants last. */
export function plus(a: Arg<"i32">, b: Arg<"i32">): Expr<"i32"> {
  const { rest: x, constant: m } = apart(a);
  const { rest: y, constant: n } = apart(b);
  const sum = x === undefined ? y : y === undefined ? x : i32.add(x, y);
  const constant = (m + n) | 0;
  if (sum === undefined) return i32.const(constant);
  return constant === 0 ? sum : i32.add(sum, constant);
}

/** a · by, constants last. */
export function times(a: Arg<"i32">, by: number): Expr<"i32"> {
  const { rest: x, constant } = apart(a);
  return plus(x === undefined ? 0 : scaled(x, by), Math.imul(constant, by));
}

function scaled(x: Expr<"i32">, by: number): Expr<"i32"> {
  if (isZero(x) || by === 0) return i32.const(0);
  if (by === 1) return x;
  if (x.kind === "apply" && (x.op === "i32.shl" || x.op === "i32.mul")) {
    const known = valueOf(x.args[1] as Expr<"i32">);
    if (known !== undefined) return scaled(x.args[0] as Expr<"i32">, by * (x.op === "i32.shl" ? 2 ** known : known));
  }
  const shift = Math.log2(by);
  return Number.isInteger(shift) ? i32.shl(x, shift) : i32.mul(x, by);
}

/** The lesser of two. */
export function least(a: Arg<"i32">, b: Arg<"i32">): Expr<"i32"> {
  const [known, other] = [valueOf(a), valueOf(b)];
  return known !== undefined && other !== undefined ? i32.const(Math.min(known, other)) : i32.min(a, b);
}
