// Elementary functions against Math in double precision, and where Math has none or errs, against results of 100 digits (mpmath).
// The bounds are the figures math.ts states, for float64 with the unit that Math itself may be wrong by.
import { describe, expect, it } from "vitest";
import { singleBounds } from "../../../test/kernels/function-errors.ts";
import { instantiate } from "../../../test/kernels/instantiate.ts";
import type { Expr } from "../language/language.ts";
import { i32, lanes } from "../language/language.ts";
import { applyMath, isMathFunction, type MathFunction, mathFunctions } from "./math.ts";
import { ModuleRecorder } from "../language/recorder.ts";
import { wasmTarget } from "../target.ts";

type LaneKind = "f32" | "f64" | "f32x" | "f64x";
type Reference = (x: number, y: number) => number;

const count = 8192;
const [second, results] = [1 << 17, 1 << 18];
const names = Object.keys(mathFunctions) as MathFunction[];
const isExactName = (fn: string) => fn.endsWith("Exact");

/** A module with a loop per function and lane kind: results[i] = fn(first[i], second[i]). */
function record(relaxedMadd: boolean) {
  const target = wasmTarget({ relaxedMadd });
  const m = new ModuleRecorder(target, { minPages: 8 });
  for (const fn of names) {
    for (const lane of ["f32", "f64", "f32x", "f64x"] as const) {
      const bytes = lane.startsWith("f32") ? 4 : 8;
      m.function(`${fn}.${lane}`, { params: { n: "i32" }, exported: true }, (k, { n }) => {
        k.loop({ to: i32.mul(n, bytes), step: lane.endsWith("x") ? target.vectorBytes : bytes }, at => {
          const operands: Expr[] = [0, second].slice(0, mathFunctions[fn]).map(offset => k.let(lanes[lane].load(at, offset)));
          k.store(lane, at, results, applyMath(k, lane, fn, ...operands));
        });
      });
    }
  }
  return instantiate(m.finish());
}

const sigmoid = (x: number) => (x < 0 ? Math.exp(x) / (1 + Math.exp(x)) : 1 / (1 + Math.exp(-x)));

/** C's pow: 1 to any power and (-1) to an infinite one are 1. */
const power = (x: number, y: number) => (x === 1 || (x === -1 && Math.abs(y) === Number.POSITIVE_INFINITY) ? 1 : x ** y);

const references: Partial<Record<MathFunction, Reference>> = {
  exp: Math.exp,
  expNonPositive: x => Math.exp(Math.min(x, 0)),
  expm1: Math.expm1,
  log: Math.log,
  log1p: Math.log1p,
  tanh: Math.tanh,
  sigmoid,
  softplus: x => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
  sinh: Math.sinh,
  cosh: Math.cosh,
  asinh: Math.asinh,
  acosh: Math.acosh,
  atanh: Math.atanh,
  sin: Math.sin,
  cos: Math.cos,
  tan: Math.tan,
  asin: Math.asin,
  acos: Math.acos,
  atan: Math.atan,
  atan2: Math.atan2,
  pow: power,
  rsqrt: x => 1 / Math.sqrt(x),
  sinExact: Math.sin,
  cosExact: Math.cos,
  logExact: Math.log,
};

/** Largest errors in units of the last place; those of float32 in test/kernels/function-errors.ts. */
const doubleBounds: Partial<Record<MathFunction, number>> = {
  exp: 1,
  expNonPositive: 1,
  log: 1,
  log1p: 1,
  sin: 1,
  cos: 1,
  asin: 1.5,
  acos: 1.5,
  atan2: 3,
  sinh: 2.5,
  erfc: 4,
};
const exactBound = 0.5 + 2 ** -12;

const special = [
  0,
  1,
  2,
  3,
  0.5,
  1e-45,
  1e-40,
  2 ** -126,
  1e-8,
  1e-4,
  0.35,
  0.7,
  1 - 2 ** -24,
  1 + 2 ** -23,
  9.01,
  17.3,
  87.4,
  88.72,
  88.73,
  103.9,
  104,
  355,
  1e5,
  524289.5,
  16777216,
  1e10,
  1e22,
  1e30,
  3.4e38,
  Number.POSITIVE_INFINITY,
  Math.PI,
  Math.PI / 2,
  5e-324,
  1e-310,
  708.4,
  709.78,
  709.79,
  710.4,
  710.5,
  745.1,
  745.2,
  1e200,
  1e300,
  1.7e308,
  2 ** 53,
  2 ** 53 - 1,
].flatMap(x => [x, -x]);

/** The same pseudorandom numbers from 0 to 1 every time. */
function* random(seed: number): Generator<number, never> {
  for (let state = seed; ; ) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    yield (state >>> 0) / 2 ** 32;
  }
}

/** Arguments: special values, ranges around 0 of several sizes, and all exponents there are. */
function fillArguments(view: Float32Array | Float64Array, seed: number): void {
  const numbers = random(seed);
  const next = () => numbers.next().value;
  const bits = new DataView(new ArrayBuffer(8));
  const scales = [0.01, 1, 3, 12, 90, 750];
  for (let i = 0; i < count; i++) {
    bits.setUint32(0, next() * 2 ** 32);
    bits.setUint32(4, next() * 2 ** 32);
    const anything = view instanceof Float32Array ? bits.getFloat32(0) : bits.getFloat64(0);
    view[i] = i < special.length ? special[i] : i % 3 === 0 ? anything : (2 * next() - 1) * scales[i % scales.length];
  }
}

/** Second arguments: every special value meets every other, then small integers, halves and anything. */
function fillSecond(view: Float32Array | Float64Array, round: number): void {
  fillArguments(view, 99 + round);
  const given = [...special, Number.NaN];
  for (let i = 0; i < given.length; i++) view[i] = given[(i + 7 * round) % given.length];
  for (let i = given.length; i < count; i += 4) view[i] = Math.round(view[i]) / (i % 8 < 4 ? 1 : 2);
}

/** Distance of a result from the true value in units of the last place of the true one. Zeros must have the right sign. */
function unitsOff(got: number, want: number, digits: 24 | 53): number {
  const largest = digits === 24 ? 127 : 1023;
  const rounded = digits === 24 ? Math.fround(want) : want;
  if (Object.is(got, rounded) && !Number.isFinite(rounded)) return 0;
  if (Number.isNaN(got) || Number.isNaN(want)) return Number.POSITIVE_INFINITY;
  if (got === 0 && want === 0) return Object.is(got, want) ? 0 : Number.POSITIVE_INFINITY;
  const exponent = Math.max(1 - largest, Math.min(largest, Math.floor(Math.log2(Math.abs(want) || Number.MIN_VALUE))));
  const finite = (x: number) => (Number.isFinite(x) ? x / 2 ** exponent : Math.sign(x) * 2 ** (largest + 1 - exponent));
  return Math.abs(finite(got) - finite(want)) * 2 ** (digits - 1);
}

/** Results of 100 digits, rounded. 6381956970095103·2^797 is the double nearest to a multiple of π/2. */
const hardCases: readonly (readonly [MathFunction, readonly number[], number])[] = [
  ["erf", [0.1], 0.1124629160182849],
  ["erf", [0.49], 0.511668261188523],
  ["erf", [0.51], 0.5292436198411704],
  ["erf", [1.0], 0.8427007929497149],
  ["erf", [-1.5], -0.9661051464753108],
  ["erf", [2.5], 0.999593047982555],
  ["erf", [5.9], 0.9999999999999999],
  ["erfc", [-3.0], 1.9999779095030015],
  ["erfc", [-0.3], 1.3286267594591274],
  ["erfc", [0.3], 0.6713732405408726],
  ["erfc", [0.7], 0.32219880616258156],
  ["erfc", [1.5], 0.033894853524689274],
  ["erfc", [4.0], 1.541725790028002e-8],
  ["erfc", [10.0], 2.088487583762545e-45],
  ["erfc", [20.0], 5.395865611607901e-176],
  ["erfc", [26.0], 5.663192408856143e-296],
  ["sin", [100000.0], 0.03574879797201651],
  ["cos", [100000.0], -0.9993608074382124],
  ["tan", [100000.0], -0.035771662952898776],
  ["sin", [524289.5], 0.9952392734348897],
  ["cos", [524289.5], -0.09746172896472104],
  ["tan", [524289.5], -10.211590580289666],
  ["sin", [1e22], -0.8522008497671888],
  ["cos", [1e22], 0.523214785395139],
  ["tan", [1e22], -1.6287782256068988],
  ["sin", [-1e22], 0.8522008497671888],
  ["cos", [-1e22], 0.523214785395139],
  ["tan", [-1e22], 1.6287782256068988],
  ["sin", [5.319372648326541e255], 1.0],
  ["cos", [5.319372648326541e255], -4.687165924254628e-19],
  ["tan", [5.319372648326541e255], -2.133485385753704e18],
  ["sin", [8.98846567431158e307], 0.563127779850884],
  ["cos", [8.98846567431158e307], -0.826369834614148],
  ["tan", [8.98846567431158e307], -0.6814476476066215],
  ["sin", [1.5707963267948966], 1.0],
  ["cos", [1.5707963267948966], 6.123233995736766e-17],
  ["tan", [1.5707963267948966], 1.633123935319537e16],
  ["sin", [355.0], -3.014435335948845e-5],
  ["cos", [355.0], -0.999999999545659],
  ["tan", [355.0], 3.0144353373184265e-5],
  ["sin", [1e300], -0.8178819121159085],
  ["cos", [1e300], -0.5753861119575491],
  ["tan", [1e300], 1.4214488238747245],
  ["pow", [1.0000001, 5000000000.0], 1.4035575382338372e217],
  ["pow", [10.0, 308.0], 1e308],
  ["pow", [0.3, -500.25], 3.7161422201802527e261],
  ["pow", [0.9999999999999999, 1.152921504606847e18], 2.5722093726423967e-56],
  ["pow", [5e-324, 0.5], 2.2227587494850775e-162],
  ["pow", [3.0, 33.0], 5559060566555523.0],
  ["pow", [-3.0, 33.0], -5559060566555523.0],
];

describe.each([
  ["products rounded", false],
  ["multiply-add fused", true],
])("%s", (_, relaxedMadd) => {
  const { exports, f32: singles, f64: doubles } = record(relaxedMadd);

  function worst(fn: MathFunction, lane: LaneKind, reference: Reference): { units: number; at: string } {
    const isSingle = lane.startsWith("f32");
    const [view, bytes, digits] = isSingle ? ([singles, 4, 24] as const) : ([doubles, 8, 53] as const);
    let found = { units: 0, at: "" };
    for (let round = 0; round < (mathFunctions[fn] === 2 ? special.length : 3); round++) {
      fillArguments(view, 7 + round);
      fillSecond(view.subarray(second / bytes), round);
      view[special.length] = Number.NaN;
      const used = mathFunctions[fn] === 2 && round > 2 ? 2 * special.length : count;
      exports[`${fn}.${lane}`](used);
      for (let i = 0; i < used; i++) {
        const [x, y, got] = [view[i], view[second / bytes + i], view[results / bytes + i]];
        const units = unitsOff(got, reference(x, y), digits);
        if (units > found.units)
          found = { units, at: `${fn}(${x}${mathFunctions[fn] === 2 ? `, ${y}` : ""}) = ${got}, not ${reference(x, y)}` };
      }
    }
    return found;
  }

  it.each(names.filter(fn => references[fn] !== undefined))("%s", fn => {
    for (const lane of ["f32", "f32x", "f64", "f64x"] as const) {
      if (isExactName(fn) && lane.startsWith("f64")) continue;
      const bound = lane.startsWith("f32") ? (singleBounds[fn] ?? exactBound) : (doubleBounds[fn] ?? 2) + 1;
      const { units, at } = worst(fn, lane, references[fn] as Reference);
      expect(units, `${lane}: ${at}`).toBeLessThan(bound);
    }
  });

  it.each(["exp", "tanh", "sigmoid"] as const)("%s, from the least float32 to the largest", fn => {
    const words = new Uint32Array(singles.buffer);
    const reference = references[fn] as Reference;
    let found = { units: 0, at: 0 };
    let largest = 0;
    for (let next = 0; next < 2 ** 32; ) {
      for (let i = 0; i < count; i++, next += 4099) words[i] = next;
      exports[`${fn}.f32x`](count);
      for (let i = 0; i < count; i++) {
        const got = singles[results / 4 + i];
        if (Number.isNaN(singles[i])) {
          expect(got).toBeNaN();
          continue;
        }
        largest = Math.max(largest, Math.abs(got));
        const units = unitsOff(got, reference(singles[i], 0), 24);
        if (units > found.units) found = { units, at: singles[i] };
      }
    }
    expect(found.units, `at ${found.at}`).toBeLessThan(singleBounds[fn] as number);
    if (fn !== "exp") expect(largest).toBe(1);
  });

  it.each(["erf", "erfc"] as const)("%s, which Math lacks", fn => {
    const reference = fn === "erf" ? erf : erfc;
    for (const lane of ["f32", "f32x"] as const) {
      const { units, at } = worst(fn, lane, reference);
      expect(units, `${lane}: ${at}`).toBeLessThan(singleBounds[fn] ?? 0.51);
    }
  });

  it.each(hardCases)("%s(%j) = %d in double precision", (fn, operands, want) => {
    for (const lane of ["f64", "f64x"] as const) {
      operands.forEach((operand, i) => {
        doubles.fill(operand, (i * second) / 8, (i * second) / 8 + 4);
      });
      exports[`${fn}.${lane}`](4);
      expect(unitsOff(doubles[results / 8], want, 53)).toBeLessThan(doubleBounds[fn] ?? 2);
      expect(doubles[results / 8 + 3]).toBe(doubles[results / 8]);
    }
  });

  it("gives scalars and vectors the same float32 results", () => {
    for (const fn of names) {
      fillArguments(singles, 5);
      fillSecond(singles.subarray(second / 4), 0);
      exports[`${fn}.f32`](count);
      const scalar = singles.slice(results / 4, results / 4 + count);
      exports[`${fn}.f32x`](count);
      expect(singles.subarray(results / 4, results / 4 + count), fn).toEqual(scalar);
    }
  });
});

/** erf by its series, erfc by the continued fraction beyond 2: to a few units of double precision. */
function erf(x: number): number {
  if (x === 0) return x;
  if (Math.abs(x) > 2) return Math.sign(x) * (1 - erfc(Math.abs(x)));
  let [sum, term] = [x, x];
  for (let n = 1; n < 60; n++) {
    term *= (-x * x) / n;
    sum += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}

function erfc(x: number): number {
  if (!(x > 2)) return x < -2 ? 2 - erfc(-x) : 1 - erf(x);
  let fraction = x;
  for (let n = 120; n > 0; n--) fraction = x + n / 2 / fraction;
  return x > 27 ? 0 : Math.exp(-x * x) / Math.sqrt(Math.PI) / fraction;
}

describe("the table of functions", () => {
  it("knows its names", () => {
    expect(isMathFunction("exp")).toBe(true);
    expect(isMathFunction("toString")).toBe(false);
    expect(mathFunctions.pow).toBe(2);
    expect(names.filter(fn => references[fn] === undefined)).toEqual(["erf", "erfc"]);
  });

  it("refuses a wrong number of arguments", () => {
    const m = new ModuleRecorder(wasmTarget());
    expect(() => m.function("f", {}, k => void applyMath(k, "f32", "pow", lanes.f32.const(1)))).toThrow("pow takes 2 arguments, not 1.");
  });

  it("records for vectors of any width", () => {
    const wide = { ...wasmTarget(), vectorBytes: 64, lanes32: 16, lanes64: 8 };
    const m = new ModuleRecorder(wide);
    for (const fn of names) {
      m.function(`use.${fn}`, { params: { x: "vec" }, results: ["vec"] }, (k, { x }) => {
        k.return(applyMath(k, "f32x", fn, ...[x, x].slice(0, mathFunctions[fn])));
      });
    }
    expect(m.finish().functions.length).toBeGreaterThan(names.length);
  });

  it("records a function of the module once, however often it is used", () => {
    const m = new ModuleRecorder(wasmTarget());
    m.function("f", { params: { x: "f32" }, results: ["f32"] }, (k, { x }) => {
      const once = k.let(applyMath(k, "f32", "sin", x) as Expr<"f32">);
      k.return(applyMath(k, "f32", "sin", once));
    });
    expect(m.finish().functions.filter(({ name }) => name.startsWith("math.sin"))).toHaveLength(2);
  });
});
