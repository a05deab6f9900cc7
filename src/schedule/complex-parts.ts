// Expressions over complex numbers as expressions over their two parts: what of complex arithmetic recorded code computes. Functions without a row here
// are left whole, and so is the map that has them. Formulas, special values included, are those of backends/reference/complex.ts.

import { type DType, isComplex } from "../base/dtype.ts";
import { constantIndex, forEachAtom, type Index, readsData } from "../ir/index-map.ts";
import type { Value } from "../ir/program.ts";
import { applyScalar, forEachScalar, resultType, s, type Scalar, type ScalarFunction } from "../ir/scalar.ts";

export interface Parts {
  readonly re: Scalar;
  readonly im: Scalar;
}

/** The type of the parts of a complex type. */
export const partType = (dtype: DType): DType => resultType("real", dtype);

const isInfinite = (x: Scalar): Scalar => s.eq(s.abs(x), Number.POSITIVE_INFINITY);
const isFinite = (x: Scalar): Scalar => s.lt(s.abs(x), Number.POSITIVE_INFINITY);
const isNegative = (x: Scalar): Scalar => s.or(s.lt(x, 0), s.lt(s.div(s.constant(x.dtype, 1), x), 0));

/** √(re² + im²) without overflow; infinite where a part is. */
function modulus({ re, im }: Parts): Scalar {
  const [a, b] = [s.abs(re), s.abs(im)];
  const [large, small] = [s.max(a, b), s.min(a, b)];
  const ratio = s.div(small, large);
  const length = s.select(s.eq(large, 0), large, s.mul(large, s.sqrt(s.add(s.mul(ratio, ratio), 1))));
  return s.select(s.or(isInfinite(re), isInfinite(im)), s.constant(re.dtype, Number.POSITIVE_INFINITY), length);
}

const times = (x: Parts, y: Parts): Parts => ({
  re: s.sub(s.mul(x.re, y.re), s.mul(x.im, y.im)),
  im: s.add(s.mul(x.re, y.im), s.mul(x.im, y.re)),
});

const choose = (condition: Scalar, x: Parts, y: Parts): Parts => ({
  re: s.select(condition, x.re, y.re),
  im: s.select(condition, x.im, y.im),
});

/** Smith's method; what is finite over what is infinite is zero, as in C. */
function over(x: Parts, y: Parts): Parts {
  const { dtype } = x.re;
  const isWide = s.ge(s.abs(y.re), s.abs(y.im));
  const [large, small] = [s.select(isWide, y.re, y.im), s.select(isWide, y.im, y.re)];
  const ratio = s.select(s.and(isWide, s.eq(small, 0)), s.constant(dtype, 0), s.div(small, large));
  const bottom = s.add(large, s.mul(small, ratio));
  const [p, q] = [s.select(isWide, x.re, x.im), s.select(isWide, x.im, x.re)];
  const crossed = s.mul(p, ratio);
  const usual: Parts = {
    re: s.div(s.add(p, s.mul(q, ratio)), bottom),
    im: s.div(s.select(isWide, s.sub(q, crossed), s.sub(crossed, q)), bottom),
  };
  const unit = (part: Scalar): Scalar =>
    s.select(isInfinite(part), s.sign(part), s.select(s.isNan(part), s.constant(dtype, 0), s.mul(part, 0)));
  const [re, im] = [unit(y.re), unit(y.im)];
  const nothing: Parts = {
    re: s.mul(s.add(s.mul(x.re, re), s.mul(x.im, im)), 0),
    im: s.mul(s.sub(s.mul(x.im, re), s.mul(x.re, im)), 0),
  };
  const hasInfinity = s.or(isInfinite(y.re), isInfinite(y.im));
  const isOver = s.and(hasInfinity, s.and(isFinite(x.re), isFinite(x.im)));
  return choose(isOver, nothing, usual);
}

function root({ re, im }: Parts): Parts {
  const half = s.sqrt(s.add(s.mul(s.abs(re), 0.5), s.mul(modulus({ re, im }), 0.5)));
  const other = s.div(s.abs(im), s.mul(half, 2));
  const signed = (x: Scalar): Scalar => s.select(isNegative(im), s.neg(x), x);
  const usual = choose(s.ge(re, 0), { re: half, im: signed(other) }, { re: other, im: signed(half) });
  const known = choose(s.and(s.eq(re, 0), s.eq(im, 0)), { re: s.constant(re.dtype, 0), im }, usual);
  return choose(isInfinite(im), { re: s.abs(im), im }, known);
}

function power({ re, im }: Parts): Parts {
  const size = s.exp(re);
  const usual = choose(s.eq(im, 0), { re: size, im }, { re: s.mul(size, s.cos(im)), im: s.mul(size, s.sin(im)) });
  // As in C: infinite whatever the angle, or nothing.
  const isNowhere = s.and(isInfinite(re), s.not(isFinite(im)));
  const isLarge = s.gt(re, 0);
  return choose(isNowhere, { re: size, im: s.select(isLarge, s.constant(re.dtype, Number.NaN), size) }, usual);
}

type Unary = (x: Parts) => Parts;
type Binary = (x: Parts, y: Parts) => Parts;

/** Functions that give complex numbers for complex numbers. */
const complexRows: Partial<Record<ScalarFunction, Unary | Binary>> = {
  add: (x: Parts, y: Parts) => ({ re: s.add(x.re, y.re), im: s.add(x.im, y.im) }),
  sub: (x: Parts, y: Parts) => ({ re: s.sub(x.re, y.re), im: s.sub(x.im, y.im) }),
  mul: times,
  div: over,
  neg: (x: Parts) => ({ re: s.neg(x.re), im: s.neg(x.im) }),
  conj: (x: Parts) => ({ re: x.re, im: s.neg(x.im) }),
  sqrt: root,
  exp: power,
};

/** Functions that give something else for complex numbers. */
const realRows: Partial<Record<ScalarFunction, (x: Parts, y: Parts) => Scalar>> = {
  real: x => x.re,
  imag: x => x.im,
  abs: modulus,
  arg: x => s.atan2(x.im, x.re),
  eq: (x, y) => s.and(s.eq(x.re, y.re), s.eq(x.im, y.im)),
  ne: (x, y) => s.or(s.ne(x.re, y.re), s.ne(x.im, y.im)),
};

const isComplexArgument = ({ args }: Extract<Scalar, { kind: "apply" }>): boolean => args.some(arg => isComplex(arg.dtype));

/** Are there complex numbers in an expression, and can all that is done with them be done with their parts? */
export function canSplit(root: Scalar): boolean {
  let [hasComplex, can] = [false, true];
  const visit = (node: Scalar): void => {
    if (isComplex(node.dtype)) hasComplex = true;
    switch (node.kind) {
      case "apply":
        if (node.fn === "select" || node.fn === "complex" || !isComplexArgument(node)) return;
        can &&= node.fn in complexRows || node.fn in realRows;
        return;
      case "bitcast":
        can &&= !isComplex(node.dtype) && !isComplex(node.arg.dtype);
        return;
      case "load":
      case "index":
      case "guard":
        can &&= indicesOf(node).every(index => isFreeOfComplex(index));
    }
  };
  forEachScalar(root, visit);
  return hasComplex && can;
}

const indicesOf = (node: Extract<Scalar, { kind: "load" | "index" | "guard" }>): readonly Index[] =>
  node.kind === "load" ? node.at : node.kind === "index" ? [node.index] : node.when.map(({ index }) => index);

function isFreeOfComplex(index: Index): boolean {
  let isFree = true;
  if (readsData(index))
    forEachAtom(index, atom => {
      if (atom.kind === "data") forEachScalar(atom.value, node => void (isFree &&= !isComplex(node.dtype)));
    });
  return isFree;
}

/** Takes expressions apart; `viewOf` gives the parts of a complex value as an array with one axis more. What was shared stays so. */
export class Splitting {
  private readonly viewOf: (value: Value) => Value;
  private readonly pairs = new Map<Scalar, Parts>();
  private readonly others = new Map<Scalar, Scalar>();

  constructor(viewOf: (value: Value) => Value) {
    this.viewOf = viewOf;
  }

  /** The parts of a complex expression. */
  pair(node: Scalar): Parts {
    let parts = this.pairs.get(node);
    if (parts === undefined) {
      parts = this.split(node);
      this.pairs.set(node, parts);
    }
    return parts;
  }

  /** An expression that is not complex, made of parts of what in it is. */
  plain(node: Scalar): Scalar {
    let result = this.others.get(node);
    if (result === undefined) {
      result = this.rebuild(node);
      this.others.set(node, result);
    }
    return result;
  }

  private split(node: Scalar): Parts {
    const type = partType(node.dtype);
    switch (node.kind) {
      case "constant":
        return { re: s.constant(type, node.value), im: s.constant(type, 0) };
      case "load": {
        const view = this.viewOf(node.source);
        return { re: s.load(view, [...node.at, constantIndex(0)]), im: s.load(view, [...node.at, constantIndex(1)]) };
      }
      case "cast": {
        if (!isComplex(node.arg.dtype)) return { re: s.cast(this.plain(node.arg), type), im: s.constant(type, 0) };
        const { re, im } = this.pair(node.arg);
        return { re: s.cast(re, type), im: s.cast(im, type) };
      }
      case "guard": {
        const [value, otherwise] = [this.pair(node.value), this.pair(node.otherwise)];
        return { re: s.guard(node.when, value.re, otherwise.re), im: s.guard(node.when, value.im, otherwise.im) };
      }
      case "apply": {
        if (node.fn === "complex") return { re: this.plain(node.args[0]), im: this.plain(node.args[1]) };
        if (node.fn === "select") return choose(this.plain(node.args[0]), this.pair(node.args[1]), this.pair(node.args[2]));
        const [x, y] = node.args.map(arg => this.pair(arg));
        return (complexRows[node.fn] as Binary)(x, y);
      }
      default:
        throw new RangeError(`A ${node.kind} has no parts.`);
    }
  }

  private rebuild(node: Scalar): Scalar {
    switch (node.kind) {
      case "apply": {
        if (!isComplexArgument(node)) return applyScalar(node.fn, ...node.args.map(arg => this.plain(arg)));
        const [x, y] = node.args.map(arg => this.pair(arg));
        return (realRows[node.fn] as NonNullable<(typeof realRows)[ScalarFunction]>)(x, y);
      }
      case "cast":
        return s.cast(isComplex(node.arg.dtype) ? this.pair(node.arg).re : this.plain(node.arg), node.dtype);
      case "bitcast":
        return s.bitcast(this.plain(node.arg), node.dtype);
      case "guard":
        return s.guard(node.when, this.plain(node.value), this.plain(node.otherwise));
      default:
        return node;
    }
  }
}
