// Scalar functions and conversions by type, hard values first. Casts were observed in TensorFlow 2.21 on x86.
import { loadSpecialFunctions } from "../host-functions.ts";
import { describe, expect, it } from "vitest";
import type { DType } from "../../base/dtype.ts";
import { dtypeNames, dtypeTable } from "../../base/dtype.ts";
import { NDArray } from "../../base/ndarray.ts";
import * as b from "../../ir/build.ts";
import type { Value } from "../../ir/program.ts";
import type { Scalar, ScalarFunction } from "../../ir/scalar.ts";
import { applyScalar, isDefinedFor, s, scalarFunctions } from "../../ir/scalar.ts";
import { runReference } from "./index.ts";

await loadSpecialFunctions();

type Plain = number | bigint | boolean | string | { re: number; im: number };

function evaluate(dtype: DType, args: readonly Plain[], f: (...x: Scalar[]) => Scalar): unknown {
  const builder = new b.ProgramBuilder();
  const result = b.building(builder, () => {
    // Fed, so that nothing is known while building.
    const arrays = args.map(() => b.feed(String(builder.steps.length), dtype, [2]));
    return b.map(f, ...arrays);
  });
  const feeds = new Map(args.map((arg, i) => [String(i), NDArray.from([arg, arg], dtype)]));
  return runReference({ steps: builder.steps, results: [result] }, { feeds }).results[0].toArray()[0];
}

const apply = (fn: ScalarFunction, dtype: DType, ...args: Plain[]): unknown => evaluate(dtype, args, (...x) => applyScalar(fn, ...x));
const cast = (from: DType, to: DType, x: Plain): unknown => evaluate(from, [x], v => s.cast(v, to));
const f32 = Math.fround;
const min32 = -(2 ** 31);
const min64 = -(2n ** 63n);

describe("functions of floats", () => {
  it.each<[ScalarFunction, DType, Plain[], unknown]>([
    ["add", "float32", [16777216, 1], 16777216],
    ["add", "float16", [2048, 1], 2048],
    ["add", "bfloat16", [256, 1], 256],
    ["mul", "float16", [300, 300], Infinity],
    ["mul", "float32", [1e-30, 1e-30], 0],
    ["div", "float32", [1, 0], Infinity],
    ["div", "float32", [1, -0], -Infinity],
    ["div", "float32", [0, 0], NaN],
    ["div", "float32", [1, 3], f32(1 / 3)],
    ["div", "bfloat16", [1, 3], 0.333984375],
    ["rem", "float64", [-7, 2], -1],
    ["rem", "float64", [7, 0], NaN],
    ["rem", "float64", [5, Infinity], 5],
    ["min", "float32", [NaN, 1], NaN],
    ["max", "float32", [1, NaN], NaN],
    ["max", "float32", [-Infinity, 3], 3],
    ["sign", "float32", [-0], 0],
    ["sign", "float32", [NaN], NaN],
    ["sign", "float64", [-1e-300], -1],
    ["abs", "float32", [-0], 0],
    ["neg", "float32", [0], -0],
    ["sqrt", "float32", [2], f32(Math.SQRT2)],
    ["sqrt", "float64", [-1], NaN],
    ["sqrt", "float32", [-0], -0],
    ["rsqrt", "float32", [0], Infinity],
    ["exp", "float32", [89], Infinity],
    ["exp", "float32", [-104], 0],
    ["log", "float32", [0], -Infinity],
    ["log", "float32", [-1], NaN],
    ["log1p", "float64", [1e-300], 1e-300],
    ["expm1", "float64", [-1e-300], -1e-300],
    ["pow", "float32", [1, NaN], 1],
    ["pow", "float32", [-8, f32(1 / 3)], NaN],
    ["pow", "float32", [0, -1], Infinity],
    ["atan2", "float64", [0, -1], Math.PI],
    ["atan2", "float64", [-0, -1], -Math.PI],
    ["floor", "float32", [-0.5], -1],
    ["ceil", "float32", [-0.5], -0],
    ["trunc", "float32", [-2.7], -2],
    ["round", "float32", [2.5], 2],
    ["round", "float32", [-1.5], -2],
    ["round", "float32", [-0.4], -0],
    ["tanh", "float32", [-Infinity], -1],
    ["sigmoid", "float32", [-1000], 0],
    ["erf", "float32", [3], f32(0.9999779095030014)],
    ["lgamma", "float32", [0.5], f32(0.5723649429247001)],
    ["nextAfter", "float32", [0, 1], 2 ** -149],
    ["nextAfter", "float32", [1, 2], 1 + 2 ** -23],
    ["nextAfter", "float32", [1, 0], 1 - 2 ** -24],
    ["nextAfter", "float64", [0, -1], -(2 ** -1074)],
    ["nextAfter", "float64", [-1, -2], -1 - 2 ** -52],
    ["nextAfter", "float64", [3, 3], 3],
    ["nextAfter", "float64", [NaN, 3], NaN],
    ["eq", "float32", [NaN, NaN], false],
    ["ne", "float32", [NaN, NaN], true],
    ["eq", "float32", [0, -0], true],
    ["lt", "float32", [NaN, 1], false],
    ["ge", "float32", [1, 1], true],
  ])("%s of %s %o", (fn, dtype, args, expected) => {
    expect(apply(fn, dtype, ...args)).toBe(expected);
  });

  it("rounds after every function, not at the end", () => {
    const big = f32(2 ** 24);
    expect(evaluate("float32", [big, 1], (x, y) => s.sub(s.add(x, y), x))).toBe(0);
    expect(evaluate("float16", [2048, 1], (x, y) => s.sub(s.add(x, y), x))).toBe(0);
  });
});

describe("functions of integers", () => {
  it.each<[ScalarFunction, DType, Plain[], unknown]>([
    ["add", "int32", [2147483647, 1], min32],
    ["add", "int8", [127, 1], -128],
    ["add", "uint8", [255, 2], 1],
    ["sub", "uint32", [0, 1], 4294967295],
    ["add", "int64", [2n ** 63n - 1n, 1n], min64],
    ["sub", "uint64", [0n, 1n], 2n ** 64n - 1n],
    ["mul", "int32", [65537, 65537], 131073],
    ["mul", "uint32", [4294967295, 4294967295], 1],
    ["mul", "int16", [300, 300], 24464],
    ["mul", "int64", [2n ** 62n, 4n], 0n],
    ["div", "int32", [-7, 2], -3],
    ["div", "int32", [7, 0], 0],
    ["div", "int32", [min32, -1], min32],
    ["div", "int8", [-128, -1], -128],
    ["div", "uint32", [4294967295, 2], 2147483647],
    ["div", "int64", [min64, -1n], min64],
    ["div", "int64", [5n, 0n], 0n],
    ["rem", "int32", [-7, 2], -1],
    ["rem", "int32", [7, 0], 0],
    ["rem", "int32", [min32, -1], 0],
    ["rem", "int64", [-7n, 4n], -3n],
    ["abs", "int32", [min32], min32],
    ["abs", "int64", [min64], min64],
    ["neg", "int8", [-128], -128],
    ["neg", "uint8", [1], 255],
    ["sign", "int64", [-9n], -1n],
    ["pow", "int32", [3, 21], 1870418611],
    ["pow", "int32", [-2, 31], min32],
    ["pow", "int64", [3n, 41n], BigInt.asIntN(64, 3n ** 41n)],
    ["pow", "int32", [0, 0], 1],
    ["pow", "int32", [2, -1], 0],
    ["pow", "int32", [-1, -3], -1],
    ["min", "uint32", [4294967295, 1], 1],
    ["max", "uint64", [2n ** 63n, 1n], 2n ** 63n],
    ["and", "int32", [-1, 12], 12],
    ["or", "uint32", [2147483648, 1], 2147483649],
    ["xor", "int64", [-1n, 1n], -2n],
    ["not", "uint8", [0], 255],
    ["not", "int64", [0n], -1n],
    ["shl", "int32", [1, 31], min32],
    ["shl", "int32", [1, 33], 2],
    ["shl", "int8", [65, 1], -126],
    ["shl", "uint64", [2n ** 63n, 1n], 0n],
    ["shr", "int32", [-8, 1], -4],
    ["shr", "uint32", [4294967288, 1], 2147483644],
    ["shr", "uint8", [255, 9], 127],
    ["shr", "int64", [-8n, 65n], -4n],
    ["popcount", "int32", [-1], 32],
    ["popcount", "int8", [-1], 8],
    ["popcount", "uint64", [2n ** 64n - 1n], 64n],
    ["lt", "uint32", [2147483648, 1], false],
    ["lt", "int64", [min64, 0n], true],
    ["eq", "uint64", [2n ** 64n - 1n, 2n ** 64n - 1n], true],
  ])("%s of %s %o", (fn, dtype, args, expected) => {
    expect(apply(fn, dtype, ...args)).toBe(expected);
  });

  it.each<[number, number, number, number]>([
    [7, -2, -4, -1],
    [-7, 2, -4, 1],
    [-7, -2, 3, -1],
    [6, -2, -3, 0],
    [7, 0, 0, 0],
    [min32, -1, min32, 0],
  ])("floor division of %i by %i", (x, y, quotient, rest) => {
    expect(evaluate("int32", [x, y], s.floorDiv)).toBe(quotient);
    expect(evaluate("int32", [x, y], s.floorMod)).toBe(rest);
    expect(evaluate("int64", [BigInt(x), BigInt(y)], s.floorMod)).toBe(BigInt(rest));
  });

  it("floors floats toward minus infinity, the rest with the sign of the divisor", () => {
    expect(evaluate("float32", [7, -2], s.floorDiv)).toBe(-4);
    expect(evaluate("float32", [7, -2], s.floorMod)).toBe(-1);
    expect(evaluate("float32", [-7, 2], s.floorMod)).toBe(1);
    expect(evaluate("float32", [7, 0], s.floorMod)).toBe(NaN);
    expect(evaluate("uint8", [7, 2], s.floorMod)).toBe(1);
  });
});

describe("functions of bool, complex and string", () => {
  it.each<[ScalarFunction, DType, Plain[], unknown]>([
    ["and", "bool", [true, false], false],
    ["or", "bool", [true, false], true],
    ["xor", "bool", [true, true], false],
    ["not", "bool", [false], true],
    ["max", "bool", [false, true], true],
    ["ne", "bool", [false, true], true],
    [
      "mul",
      "complex64",
      [
        { re: 1, im: 2 },
        { re: 3, im: -1 },
      ],
      { re: 5, im: 5 },
    ],
    [
      "div",
      "complex128",
      [
        { re: 3, im: 4 },
        { re: 0, im: 1 },
      ],
      { re: 4, im: -3 },
    ],
    ["abs", "complex64", [{ re: 3, im: -4 }], 5],
    ["real", "complex64", [{ re: 0.1, im: 2 }], f32(0.1)],
    ["imag", "complex128", [{ re: 1, im: 2 }], 2],
    ["arg", "complex128", [{ re: -1, im: 0 }], Math.PI],
    ["conj", "complex64", [{ re: 1, im: 2 }], { re: 1, im: -2 }],
    ["complex", "float32", [1, 2], { re: 1, im: 2 }],
    [
      "eq",
      "complex64",
      [
        { re: 1, im: 2 },
        { re: 1, im: 2 },
      ],
      true,
    ],
    ["eq", "string", ["ab", "ab"], true],
    ["ne", "string", ["ab", "abc"], true],
    ["lt", "string", ["ab", "abc"], true],
    ["lt", "string", ["b", "abc"], false],
    ["lt", "string", ["", "a"], true],
  ])("%s of %s %o", (fn, dtype, args, expected) => {
    expect(apply(fn, dtype, ...args)).toEqual(expected);
  });

  it("rounds complex64 parts to float32", () => {
    expect(apply("div", "complex64", { re: 1, im: 0 }, { re: 3, im: 0 })).toEqual({ re: f32(1 / 3), im: 0 });
  });

  it("selects any type, and computes only the side taken", () => {
    expect(evaluate("string", ["a", "b"], (x, y) => s.select(s.lt(x, y), y, x))).toBe("b");
    expect(evaluate("complex64", [{ re: 1, im: 2 }], x => s.select(s.eq(x, x), x, x))).toEqual({ re: 1, im: 2 });
  });

  it("refuses a function that a type does not have", () => {
    expect(() => apply("sqrt", "int32", 4)).toThrow("sqrt is not defined for int32");
    expect(() => apply("lt", "complex64", { re: 1, im: 0 }, { re: 1, im: 0 })).toThrow("lt is not defined for complex64");
    expect(() => apply("add", "string", "a", "b")).toThrow("add is not defined for string");
  });

  it("has every function of the table, for the types it is defined for", () => {
    const types = dtypeNames.filter(dtype => dtypeTable[dtype].kind !== "handle");
    const args: Partial<Record<DType, Plain>> = { string: "a", bool: true, int64: 1n, uint64: 1n };
    for (const fn of Object.keys(scalarFunctions) as ScalarFunction[]) {
      for (const dtype of types.filter(type => isDefinedFor(fn, type))) {
        const x = args[dtype] ?? 1;
        const result = evaluate(dtype, [x], y =>
          fn === "select" ? s.select(s.eq(y, y), y, y) : applyScalar(fn, ...Array<Scalar>(scalarFunctions[fn].arity).fill(y)),
        );
        expect(result, `${fn} of ${dtype}`).toBeDefined();
      }
    }
  });
});

describe("cast", () => {
  it.each<[DType, DType, [Plain, unknown][]]>([
    [
      "float32",
      "int32",
      [
        [1.9, 1],
        [-1.9, -1],
        [-0.5, 0],
        [3e9, min32],
        [-3e9, min32],
        [NaN, min32],
        [Infinity, min32],
      ],
    ],
    [
      "float32",
      "int64",
      [
        [-1.9, -1n],
        [3e9, 3000000000n],
        [9.3e18, min64],
        [NaN, min64],
        [-Infinity, min64],
      ],
    ],
    [
      "float32",
      "uint8",
      [
        [300, 44],
        [-1, 255],
        [-1.9, 255],
        [70000, 112],
        [3e9, 0],
        [NaN, 0],
      ],
    ],
    [
      "float32",
      "int8",
      [
        [300, 44],
        [-129, 127],
        [1e20, 0],
      ],
    ],
    ["float32", "int16", [[70000, 4464]]],
    ["float32", "uint16", [[-129, 65407]]],
    [
      "float64",
      "uint32",
      [
        [3e9, 3000000000],
        [-1, 4294967295],
        [4294967301, 5],
        [NaN, 0],
      ],
    ],
    [
      "float64",
      "uint64",
      [
        [-1, 2n ** 64n - 1n],
        [9.3e18, 9300000000000000000n],
        [1e20, 2n ** 63n],
        [NaN, 2n ** 63n],
      ],
    ],
    [
      "float32",
      "bool",
      [
        [0, false],
        [-0, false],
        [NaN, true],
        [0.1, true],
      ],
    ],
    [
      "float64",
      "float32",
      [
        [0.1, f32(0.1)],
        [1e300, Infinity],
        [1e-300, 0],
      ],
    ],
    [
      "float32",
      "float16",
      [
        [65519, 65504],
        [65520, Infinity],
        [2 ** -25, 0],
        [2049, 2048],
        [2051, 2052],
      ],
    ],
    [
      "float32",
      "bfloat16",
      [
        [257, 256],
        [259, 260],
        [NaN, NaN],
      ],
    ],
    [
      "int32",
      "uint8",
      [
        [-1, 255],
        [300, 44],
      ],
    ],
    ["int32", "int64", [[-1, -1n]]],
    [
      "int32",
      "bool",
      [
        [2, true],
        [0, false],
      ],
    ],
    [
      "int64",
      "int32",
      [
        [2n ** 31n, min32],
        [2n ** 32n + 5n, 5],
      ],
    ],
    ["int64", "uint64", [[-1n, 2n ** 64n - 1n]]],
    ["uint32", "int32", [[4294967295, -1]]],
    [
      "int32",
      "float32",
      [
        [16777217, 16777216],
        [16777219, 16777220],
      ],
    ],
    // Rounding to double first would lose the last bit and round to even below.
    [
      "int64",
      "float32",
      [
        [2n ** 53n + 2n ** 29n + 1n, 2 ** 53 + 2 ** 30],
        [-(2n ** 62n) - 2n ** 38n - 1n, -(2 ** 62 + 2 ** 39)],
      ],
    ],
    ["uint64", "float64", [[2n ** 64n - 1n, 2 ** 64]]],
    [
      "int64",
      "bool",
      [
        [0n, false],
        [2n ** 40n, true],
      ],
    ],
    ["bool", "float32", [[true, 1]]],
    ["bool", "int64", [[true, 1n]]],
    ["float32", "complex64", [[2, { re: 2, im: 0 }]]],
    ["int64", "complex128", [[2n, { re: 2, im: 0 }]]],
    ["complex64", "float32", [[{ re: 2, im: 3 }, 2]]],
    ["complex64", "int32", [[{ re: -2.7, im: 3 }, -2]]],
    [
      "complex128",
      "complex64",
      [
        [
          { re: 0.1, im: 3 },
          { re: f32(0.1), im: 3 },
        ],
      ],
    ],
  ])("%s to %s", (from, to, rows) => {
    expect(rows.map(([x]) => cast(from, to, x))).toEqual(rows.map(([, y]) => y));
  });

  it("gives integers no -0", () => {
    expect(cast("float32", "int32", -0.5)).toBe(0);
    expect(evaluate("float32", [-0.5], x => s.cast(s.cast(x, "int32"), "float32"))).toBe(0);
  });
});

describe("bitcast", () => {
  it.each<[DType, DType, Plain, unknown]>([
    ["float32", "int32", 1, 0x3f800000],
    ["int32", "float32", 0x40490fdb, f32(Math.PI)],
    ["uint32", "int32", 4294967295, -1],
    ["float64", "int64", -0, min64],
    ["float16", "uint16", 1, 0x3c00],
    ["bfloat16", "float16", 1, 1.875],
    ["int8", "uint8", -1, 255],
    ["complex64", "float64", { re: 0, im: 1.875 }, 1],
  ])("%s to %s", (from, to, x, expected) => {
    expect(evaluate(from, [x], v => s.bitcast(v, to))).toBe(expected);
  });
});

describe("expressions", () => {
  const doubled = (times: number) => (x: Scalar) => {
    let y = x;
    for (let k = 0; k < times; k++) y = s.add(y, y);
    return y;
  };

  it("compute shared parts once: doubling fifty times takes fifty additions", () => {
    expect(evaluate("float64", [1], doubled(50))).toBe(2 ** 50);
  });

  it("fail loudly where a load lies outside", () => {
    const builder = new b.ProgramBuilder();
    const result: Value = b.building(builder, () => {
      const x = b.feed("x", "float32", [2]);
      return b.generate([3], ([i]) => s.load(x, [i]));
    });
    const feeds = new Map([["x", NDArray.from([1, 2])]]);
    expect(() => runReference({ steps: builder.steps, results: [result] }, { feeds })).toThrow("reads index 2 of axis 0 of [2] at [2]");
  });
});
