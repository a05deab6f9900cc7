// Every operation of the vector language, printed and run, against its meaning in plain JavaScript: one lane at a time, bit for bit.
import { describe, expect, it } from "vitest";
import type { Expr, LaneName, MaskType, OperationName, ScalarType, VectorName } from "../../kernels/language/language.ts";
import { applyOperation, i32x, laneTable, lanes, operationTable, signatureOf } from "../../kernels/language/language.ts";
import { ModuleRecorder } from "../../kernels/language/recorder.ts";
import { wasmTarget } from "../../kernels/target.ts";
import { instantiate } from "../../../test/kernels/instantiate.ts";

type Value = number | bigint;

/** How the lanes of an operand or a result lie in memory: an element type, and how many there are. */
type Layout = { readonly element: LaneElement; readonly count: number };
type LaneElement = "i8" | "i16" | "i32" | "i64" | "f32" | "f64";

const elements = {
  i8: {
    bytes: 1,
    get: (v: DataView, at: number): Value => v.getInt8(at),
    set: (v: DataView, at: number, x: Value) => v.setInt8(at, Number(x)),
  },
  i16: {
    bytes: 2,
    get: (v: DataView, at: number): Value => v.getInt16(at, true),
    set: (v: DataView, at: number, x: Value) => v.setInt16(at, Number(x), true),
  },
  i32: {
    bytes: 4,
    get: (v: DataView, at: number): Value => v.getInt32(at, true),
    set: (v: DataView, at: number, x: Value) => v.setInt32(at, Number(x), true),
  },
  i64: {
    bytes: 8,
    get: (v: DataView, at: number): Value => v.getBigInt64(at, true),
    set: (v: DataView, at: number, x: Value) => v.setBigInt64(at, BigInt(x), true),
  },
  f32: {
    bytes: 4,
    get: (v: DataView, at: number): Value => v.getFloat32(at, true),
    set: (v: DataView, at: number, x: Value) => v.setFloat32(at, Number(x), true),
  },
  f64: {
    bytes: 8,
    get: (v: DataView, at: number): Value => v.getFloat64(at, true),
    set: (v: DataView, at: number, x: Value) => v.setFloat64(at, Number(x), true),
  },
} as const;

const floatSamples = [0, -0, 1, -1, 0.5, -0.5, 1.5, 2.5, -3.7, 1e-40, 1e30, -1e30, 2147483648, -2147483649, 4294967296, 1e20, 3e9, 2 ** 53];
const samples: Record<LaneElement, readonly Value[]> = {
  i8: [0, 1, -1, 2, 7, 8, 100, -100, 127, -128],
  i16: [0, 1, -1, 2, 15, 16, 300, -300, 32767, -32768],
  i32: [0, 1, -1, 2, 31, 32, 33, 70000, -70000, 0x55555555, 2147483647, -2147483648],
  i64: [0n, 1n, -1n, 2n, 63n, 64n, 5000000000n, -5000000000n, 0x7fffffffffffffffn, -0x8000000000000000n],
  f32: [...floatSamples.map(Math.fround), Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN],
  f64: [...floatSamples, 1e300, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN],
};

const elementOf = (lane: LaneName): LaneElement => lane.replace("x", "") as LaneElement;

// The meaning of operations, on single lanes. Floats compute in double precision and are rounded by the caller.

const nearest = (x: number): number => {
  const low = Math.floor(x);
  const rest = x - low;
  const rounded = rest < 0.5 ? low : rest > 0.5 ? low + 1 : low % 2 === 0 ? low : low + 1;
  return rounded === 0 ? Math.sign(x) * 0 || x * 0 : rounded;
};
const copySign = (x: number, y: number) => (y < 0 || Object.is(y, -0) ? -Math.abs(x) : Math.abs(x));

const floatMeaning: Record<string, (...x: number[]) => number> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  min: (a, b) => Math.min(a, b),
  max: (a, b) => Math.max(a, b),
  pmin: (a, b) => [a, b][+(b < a)],
  pmax: (a, b) => [a, b][+(a < b)],
  sqrt: Math.sqrt,
  abs: Math.abs,
  neg: a => -a,
  floor: Math.floor,
  ceil: Math.ceil,
  trunc: Math.trunc,
  nearest,
  copySign,
  eq: (a, b) => +(a === b),
  ne: (a, b) => +(a !== b),
  lt: (a, b) => +(a < b),
  le: (a, b) => +(a <= b),
  gt: (a, b) => +(a > b),
  ge: (a, b) => +(a >= b),
  select: (c, a, b) => (c ? a : b),
  keep: (c, a) => (c ? a : 0),
  splat: a => a,
};

const trap = (): never => {
  throw new RangeError("trap");
};
const pick = (first: boolean, a: bigint, b: bigint): bigint => (first ? a : b);
const absolute = (a: bigint): bigint => (a < 0n ? -a : a);

/** On lanes of `bits` bits; results are wrapped by the caller. */
const integerMeaning = (bits: bigint): Record<string, (...x: bigint[]) => bigint> => {
  const u = (a: bigint) => BigInt.asUintN(Number(bits), a);
  const s = (n: number, a: bigint) => BigInt.asIntN(n, a);
  const count = (b: bigint) => u(b) % bits;
  const clz = (a: bigint) => bits - BigInt(u(a) === 0n ? 0 : u(a).toString(2).length);
  const lowest = -(1n << (bits - 1n));
  return {
    add: (a, b) => a + b,
    sub: (a, b) => a - b,
    mul: (a, b) => a * b,
    and: (a, b) => a & b,
    or: (a, b) => a | b,
    xor: (a, b) => a ^ b,
    andNot: (a, b) => a & ~b,
    not: a => ~a,
    neg: a => -a,
    abs: absolute,
    shl: (a, b) => a << count(b),
    shr: (a, b) => a >> count(b),
    shrU: (a, b) => u(a) >> count(b),
    rotl: (a, b) => (u(a) << count(b)) | (u(a) >> (bits - count(b))),
    rotr: (a, b) => (u(a) >> count(b)) | (u(a) << (bits - count(b))),
    div: (a, b) => (b === 0n || (a === lowest && b === -1n) ? trap() : a / b),
    divU: (a, b) => (b === 0n ? trap() : u(a) / u(b)),
    rem: (a, b) => (b === 0n ? trap() : a % b),
    remU: (a, b) => (b === 0n ? trap() : u(a) % u(b)),
    min: (a, b) => pick(a < b, a, b),
    minU: (a, b) => pick(u(a) < u(b), a, b),
    max: (a, b) => pick(a > b, a, b),
    maxU: (a, b) => pick(u(a) > u(b), a, b),
    clz,
    ctz: a => (u(a) === 0n ? bits : bits - 1n - clz(a & -a)),
    popcnt: a => BigInt([...u(a).toString(2)].filter(digit => digit === "1").length),
    eqz: a => BigInt(a === 0n),
    eq: (a, b) => BigInt(a === b),
    ne: (a, b) => BigInt(a !== b),
    lt: (a, b) => BigInt(a < b),
    le: (a, b) => BigInt(a <= b),
    gt: (a, b) => BigInt(a > b),
    ge: (a, b) => BigInt(a >= b),
    ltU: (a, b) => BigInt(u(a) < u(b)),
    leU: (a, b) => BigInt(u(a) <= u(b)),
    gtU: (a, b) => BigInt(u(a) > u(b)),
    geU: (a, b) => BigInt(u(a) >= u(b)),
    select: (c, a, b) => (c !== 0n ? a : b),
    keep: (c, a) => (c !== 0n ? a : 0n),
    splat: a => a,
    extend8: a => s(8, a),
    extend16: a => s(16, a),
    extend32: a => s(32, a),
  };
};

const saturate = (bits: number, signed: boolean, x: number): bigint => {
  const [low, high] = signed ? [-(2n ** BigInt(bits - 1)), 2n ** BigInt(bits - 1) - 1n] : [0n, 2n ** BigInt(bits) - 1n];
  if (Number.isNaN(x)) return 0n;
  if (x <= Number(low)) return low;
  return x >= Number(high) ? high : BigInt(Math.trunc(x));
};

/** Numbers and bit patterns of other types. `fromX` of scalars and the lanes of vectors. */
function convertLane(to: LaneElement, from: LaneElement, unsigned: boolean, x: Value): Value {
  const fromFloat = from.startsWith("f");
  if (to.startsWith("f")) return Number(unsigned ? BigInt.asUintN(8 * elements[from].bytes, BigInt(x)) : x);
  if (fromFloat) return saturate(8 * elements[to].bytes, !unsigned, Number(x));
  return unsigned ? BigInt.asUintN(8 * elements[from].bytes, BigInt(x)) : BigInt(x);
}

const toElement = (element: LaneElement, x: Value): Value => {
  const view = new DataView(new ArrayBuffer(8));
  if (typeof x === "bigint" && !element.startsWith("f")) x = BigInt.asIntN(8 * elements[element].bytes, x);
  elements[element].set(view, 0, x);
  return elements[element].get(view, 0);
};

const sameBits = (a: Value, b: Value): boolean => Object.is(a, b);

interface OperationCase {
  readonly args: readonly Layout[];
  readonly result: Layout;
  readonly meaning: (lanes: readonly (readonly Value[])[]) => readonly Value[];
}

/** How the arguments and the result of an operation lie in memory, and what it means. */
function caseOf(kind: LaneName | MaskType, method: string): OperationCase {
  if (kind.startsWith("mask")) return maskCase(kind as MaskType, method);
  const lane = kind as LaneName;
  const own: Layout = { element: elementOf(lane), count: laneTable[lane].value === "vec" ? 16 / laneTable[lane].bytes : 1 };
  const conversion = method.match(/^(?:from([IF]\d+)(Low|High)?|ofBits)(U)?$/);
  if (conversion !== null || method.startsWith("narrow")) return conversionCase(lane, own, method, conversion);
  if (method.startsWith("mulI32")) return halfProductCase(own, method.includes("High"));
  const { args } = signatureOf(`${lane}.${method}` as OperationName);
  const single = laneTable[lane].scalar;
  const asElement = (type: string): Layout =>
    type === "vec" || type === laneTable[lane].value
      ? own
      : type.startsWith("mask")
        ? { element: `i${type.slice(4)}` as LaneElement, count: own.count }
        : { element: type as LaneElement, count: 1 };
  const layouts = args.map((type, i) =>
    method === "splat"
      ? { element: single as LaneElement, count: 1 }
      : i > 0 && /sh[lr]|rot/.test(method)
        ? asElement("i32")
        : asElement(type),
  );
  const isCondition = /^(eq|ne|lt|le|gt|ge)U?$|^eqz$/.test(method);
  const isVector = own.count > 1;
  const result: Layout =
    isCondition && isVector
      ? { element: `i${8 * laneTable[lane].bytes}` as LaneElement, count: own.count }
      : isCondition
        ? { element: "i32", count: 1 }
        : own;
  const isFloat = own.element.startsWith("f");
  const single1 = (values: readonly Value[]): Value => {
    if (isFloat) {
      if (method === "madd" || method === "nmadd") {
        const [a, b, c] = values.map(Number);
        const product = toElement(own.element, a * b) as number;
        return method === "madd" ? product + c : c - product;
      }
      return floatMeaning[method](...values.map(Number));
    }
    return integerMeaning(BigInt(8 * laneTable[lane].bytes))[method](...values.map(BigInt));
  };
  return {
    args: layouts,
    result,
    meaning: operands =>
      Array.from({ length: result.count }, (_, i) => {
        const value = toElement(result.element, single1(operands.map(values => values[i % values.length])));
        return isCondition && isVector ? toElement(result.element, -BigInt(value)) : value;
      }),
  };
}

function conversionCase(lane: LaneName, own: Layout, method: string, conversion: RegExpMatchArray | null): OperationCase {
  if (conversion === null) {
    const wide: Layout = { element: lane === "i8x" ? "i16" : "i32", count: own.count / 2 };
    const [low, high] =
      method === "narrowU"
        ? [0, 2 ** (8 * laneTable[lane].bytes) - 1]
        : [-(2 ** (8 * laneTable[lane].bytes - 1)), 2 ** (8 * laneTable[lane].bytes - 1) - 1];
    const meaning = ([a, b]: readonly (readonly Value[])[]) =>
      [...a, ...b].map(x => toElement(own.element, BigInt(Math.min(high, Math.max(low, Number(x))))));
    return { args: [wide, wide], result: own, meaning };
  }
  const [, source, half, unsigned] = conversion;
  if (source === undefined) {
    const from = { i32: "f32", i64: "f64", f32: "i32", f64: "i64" }[lane as ScalarType] as LaneElement;
    const view = new DataView(new ArrayBuffer(8));
    return {
      args: [{ element: from, count: 1 }],
      result: own,
      meaning: ([[x]]) => {
        elements[from].set(view, 0, x);
        return [elements[own.element].get(view, 0)];
      },
    };
  }
  const from = source.toLowerCase() as LaneElement;
  const count = own.count === 1 ? 1 : 16 / elements[from].bytes;
  const start = half === "High" ? count / 2 : 0;
  const meaning = ([values]: readonly (readonly Value[])[]) =>
    Array.from({ length: own.count }, (_, i) => {
      const value = values[start + i];
      // Fewer lanes come in than go out: the rest is zero.
      return toElement(own.element, value === undefined ? 0n : convertLane(own.element, from, unsigned === "U", value));
    });
  return { args: [{ element: from, count }], result: own, meaning };
}

/** Whole products of half the lanes. */
function halfProductCase(result: Layout, isHigh: boolean): OperationCase {
  const narrow: Layout = { element: "i32", count: 2 * result.count };
  const start = isHigh ? result.count : 0;
  const unsigned = (x: Value): bigint => BigInt.asUintN(32, BigInt(x));
  const meaning = ([a, b]: readonly (readonly Value[])[]) =>
    Array.from({ length: result.count }, (_, i) => toElement(result.element, unsigned(a[start + i]) * unsigned(b[start + i])));
  return { args: [narrow, narrow], result, meaning };
}

function maskCase(kind: MaskType, method: string): OperationCase {
  const bits = Number(kind.slice(4));
  const own: Layout = { element: `i${bits}` as LaneElement, count: 128 / bits };
  const held = (x: Value) => BigInt(x) !== 0n;
  const lanewise: Record<string, (a: boolean, b: boolean) => boolean> = {
    and: (a, b) => a && b,
    or: (a, b) => a || b,
    xor: (a, b) => a !== b,
    not: a => !a,
  };
  if (method in lanewise) {
    const meaning = ([a, b = a]: readonly (readonly Value[])[]) =>
      a.map((x, i) => toElement(own.element, lanewise[method](held(x), held(b[i])) ? -1n : 0n));
    return { args: Array(method === "not" ? 1 : 2).fill(own), result: own, meaning };
  }
  const whole: Record<string, (a: readonly Value[]) => number> = {
    any: a => +a.some(held),
    all: a => +a.every(held),
    bits: a => a.reduce((sum: number, x, i) => sum + (held(x) ? 2 ** i : 0), 0),
  };
  return { args: [own], result: { element: "i32", count: 1 }, meaning: ([a]) => [whole[method](a)] };
}

/** Reads an operand from memory as the type an operation wants. */
function read(type: string, layout: Layout, address: number): Expr {
  if (type === "vec") return i32x.load(address);
  if (type.startsWith("mask")) {
    const lane = `i${type.slice(4)}x` as VectorName;
    return applyOperation(`${lane}.ne` as OperationName, i32x.load(address), lanes[lane].zero());
  }
  return lanes[layout.element as ScalarType].load(address);
}

const operations = Object.entries(operationTable).flatMap(([kind, methods]) =>
  Object.keys(methods).map(method => ({ name: `${kind}.${method}` as OperationName, ...caseOf(kind as LaneName | MaskType, method) })),
);

function recordAll(relaxedMadd: boolean) {
  const m = new ModuleRecorder(wasmTarget({ relaxedMadd }));
  for (const { name, args } of operations) {
    const signature = signatureOf(name);
    m.function(name, { exported: true }, k => {
      const value = applyOperation(name, ...signature.args.map((type, i) => read(type, args[i], 64 * (i + 1))));
      if (value.type === "vec") k.store("i32x", 0, 0, value);
      else if (value.type.startsWith("mask")) {
        const lane = `i${value.type.slice(4)}x` as VectorName;
        k.store(lane, 0, 0, applyOperation(`${lane}.select` as OperationName, value, lanes[lane].const(-1), lanes[lane].zero()));
      } else k.store(value.type as ScalarType, 0, 0, value);
    });
  }
  return instantiate(m.finish());
}

/** Operands for all lanes: samples in all combinations, a few lanes at a time. */
function* operandsFor(args: readonly Layout[]): Generator<Value[][]> {
  const lists = args.map(({ element }) => samples[element]);
  const total = lists.reduce((product, list) => product * list.length, 1);
  const perCall = Math.max(...args.map(({ count }) => count));
  for (let start = 0; start < total; start += perCall) {
    yield args.map(({ count }, i) => {
      const stride = lists.slice(0, i).reduce((product, list) => product * list.length, 1);
      return Array.from({ length: count }, (_, lane) => lists[i][Math.floor((start + lane) / stride) % lists[i].length]);
    });
  }
}

/** Masks as lanes of 0 and -1 in many patterns, none and all among them. */
function* masksFor(args: readonly Layout[]): Generator<Value[][]> {
  for (let pattern = 0; pattern < 1024; pattern++) {
    yield args.map(({ element, count }, i) =>
      Array.from({ length: count }, (_, lane) => {
        const bit = pattern < 2 ? pattern : (Math.imul(pattern + 977 * i, 0x9e3779b1) >>> (lane + 3)) & 1;
        return element === "i64" ? BigInt(-bit) : bit === 0 ? 0 : -1;
      }),
    );
  }
}

describe("every operation of the vector language", () => {
  const { exports, memory } = recordAll(false);
  const view = new DataView(memory.buffer);
  const write = ({ element }: Layout, address: number, values: readonly Value[]) =>
    values.forEach((value, i) => {
      elements[element].set(view, address + i * elements[element].bytes, value);
    });
  const readBack = ({ element, count }: Layout): Value[] =>
    Array.from({ length: count }, (_, i) => elements[element].get(view, i * elements[element].bytes));

  it.each(operations)("$name", ({ name, args, result, meaning }) => {
    let compared = 0;
    for (const operands of (name.startsWith("mask") ? masksFor : operandsFor)(args)) {
      operands.forEach((values, i) => {
        write(args[i], 64 * (i + 1), values);
      });
      let expected: readonly Value[];
      try {
        expected = meaning(operands);
      } catch {
        expect(() => exports[name](), `${name}(${operands.join(" | ")})`).toThrow(WebAssembly.RuntimeError);
        continue;
      }
      exports[name]();
      const actual = readBack(result);
      if (!expected.every((value, i) => sameBits(value, actual[i]))) expect(actual, `${name}(${operands.join(" | ")})`).toEqual(expected);
      compared += actual.length;
    }
    expect(compared).toBeGreaterThan(4);
  });

  it("madd rounds once or twice where the target has it relaxed", () => {
    const relaxed = recordAll(true);
    const relaxedView = new DataView(relaxed.memory.buffer);
    const [a, b, c] = [1 + 2 ** -12, 1 - 2 ** -12, -1];
    [a, b, c].forEach((value, i) => {
      for (let lane = 0; lane < 4; lane++) relaxedView.setFloat32(64 * (i + 1) + 4 * lane, value, true);
    });
    relaxed.exports["f32x.madd"]();
    expect([0, -(2 ** -24)]).toContain(relaxedView.getFloat32(0, true));
    relaxed.exports["f32x.nmadd"]();
    expect([-2, Math.fround(-2 + 2 ** -24)]).toContain(relaxedView.getFloat32(0, true));
  });
});
