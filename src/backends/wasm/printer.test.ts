// Statements, memory accesses and module parts as printed: run, and checked by a second opinion (wabt). Operations: operations.test.ts.
import wabt from "wabt";
import { describe, expect, it } from "vitest";
import { instantiate } from "../../../test/kernels/instantiate.ts";
import { f32, f32x, f64x, i16x, i32, i32x, i64, i64x, mask32 } from "../../kernels/language/language.ts";
import { type FunctionRecorder, ModuleRecorder } from "../../kernels/language/recorder.ts";
import { wasmTarget } from "../../kernels/target.ts";
import { engineTarget, probeFeatures } from "./features.ts";
import { printWasm } from "./printer.ts";

/** Runs one recorded function without parameters, or with i32 ones. */
function run(params: number, body: (k: FunctionRecorder, args: ReturnType<typeof i32.const>[]) => void, results: ("i32" | "f32")[] = []) {
  const m = new ModuleRecorder(wasmTarget());
  const names = Object.fromEntries(Array.from({ length: params }, (_, i) => [`p${i}`, "i32" as const]));
  m.function("f", { params: names, results, exported: true }, (k, locals) => body(k, Object.values(locals)));
  return instantiate(m.finish());
}

describe("memory", () => {
  const bytes = Uint8Array.from({ length: 64 }, (_, i) => (i * 37 + 5) & 0xff);

  it.each([
    ["i16x", 2, i16x],
    ["i32x", 4, i32x],
    ["i64x", 8, i64x],
  ] as const)("partial accesses of %s touch the first lanes only", (name, size, lane) => {
    for (let count = 1; count <= 16 / size; count++) {
      const { u8, exports } = run(0, k => {
        k.store(lane, 128, 0, lane.loadPart(count, 0, 1));
        k.storePart(name, count, 256, 1, lane.load(0, 3));
      });
      u8.set(bytes);
      u8.fill(0xee, 128, 300);
      exports.f();
      expect([...u8.subarray(128, 144)]).toEqual([...bytes.subarray(1, 1 + count * size), ...Array(16 - count * size).fill(0)]);
      expect([...u8.subarray(256, 280)]).toEqual([0xee, ...bytes.subarray(3, 3 + count * size), ...Array(23 - count * size).fill(0xee)]);
    }
  });

  it("single bytes as partial loads", () => {
    for (let count = 1; count <= 16; count++) {
      const m = new ModuleRecorder(wasmTarget());
      m.function("f", { params: { from: "i32" }, exported: true }, (k, { from }) => {
        k.storePart(
          "i8x",
          count,
          i32.add(from, 128),
          0,
          i16x.shuffle(i16x.loadPart(1, from), i16x.loadPart(1, i32.add(from, 2)), [0, 8, 1, 9, 2, 3, 4, 5]),
        );
      });
      const { u8, exports } = instantiate(m.finish());
      u8.set(bytes);
      exports.f(0);
      const whole = [...bytes.subarray(0, 4), ...Array(12).fill(0)];
      expect([...u8.subarray(128, 144)]).toEqual([...whole.slice(0, count), ...Array(16 - count).fill(0)]);
    }
  });

  it("a partial load at the very end of memory does not trap", () => {
    const { exports, f32: view } = run(0, k => k.store(f32x, 0, 0, f32x.loadPart(3, 65524)));
    view.set([1, 2, 3], 65524 / 4);
    exports.f();
    expect([...view.subarray(0, 4)]).toEqual([1, 2, 3, 0]);
  });

  it("narrow vector loads convert, narrow stores cut", () => {
    const {
      u8,
      i32: words,
      f32: floats,
      f64: doubles,
      exports,
    } = run(0, k => {
      k.store(i32x, 512, 0, i32x.loadNarrow("u8", 1));
      k.store(i32x, 528, 0, i32x.loadNarrow("i8", 1));
      k.store(i32x, 544, 0, i32x.loadNarrow("u16", 2));
      k.store(i32x, 560, 0, i32x.loadNarrow("i16", 2));
      k.store(i16x, 576, 0, i16x.loadNarrow("u8", 1));
      k.store(f64x, 592, 0, f64x.loadNarrow("f32", 64));
      k.store(i64x, 608, 0, i64x.loadNarrow("i32", 64));
      k.storeNarrow("i32x", "u8", 640, 0, i32x.load(0));
      k.storeNarrow("i32x", "i16", 656, 0, i32x.load(0));
      k.storeNarrow("i16x", "i8", 672, 0, i16x.load(0));
      k.storeNarrow("i64x", "i32", 688, 0, i64x.load(0));
      k.storeNarrow("f64x", "f32", 704, 0, f64x.load(80));
    });
    u8.set(bytes);
    floats.set([1.5, -2.25], 16);
    doubles.set([1 / 3, 1e300], 10);
    exports.f();
    const view = new DataView(u8.buffer);
    expect([...words.subarray(128, 132)]).toEqual([...bytes.subarray(1, 5)]);
    expect([...words.subarray(132, 136)]).toEqual([...new Int8Array(bytes.buffer, 1, 4)]);
    expect([...words.subarray(136, 140)]).toEqual([...new Uint16Array(bytes.buffer, 2, 4)]);
    expect([...words.subarray(140, 144)]).toEqual([...new Int16Array(bytes.buffer, 2, 4)]);
    expect([...new Uint16Array(u8.buffer, 576, 8)]).toEqual([...bytes.subarray(1, 9)]);
    expect([...doubles.subarray(74, 76)]).toEqual([1.5, -2.25]);
    expect([view.getBigInt64(608, true), view.getBigInt64(616, true)]).toEqual([
      BigInt(view.getInt32(64, true)),
      BigInt(view.getInt32(68, true)),
    ]);
    expect([...u8.subarray(640, 645)]).toEqual([bytes[0], bytes[4], bytes[8], bytes[12], 0]);
    expect([...u8.subarray(656, 665)]).toEqual([bytes[0], bytes[1], bytes[4], bytes[5], bytes[8], bytes[9], bytes[12], bytes[13], 0]);
    expect([...u8.subarray(672, 681)]).toEqual([...[0, 2, 4, 6, 8, 10, 12, 14].map(i => bytes[i]), 0]);
    expect([...u8.subarray(688, 697)]).toEqual([...bytes.subarray(0, 4), ...bytes.subarray(8, 12), 0]);
    expect([...floats.subarray(176, 179)]).toEqual([Math.fround(1 / 3), Number.POSITIVE_INFINITY, 0]);
  });

  it("scalar widths, splats, lanes, bytes copied and filled", () => {
    const {
      u8,
      i32: words,
      f32: floats,
      exports,
    } = run(0, k => {
      k.store(i32, 512, 0, i32.loadNarrow("i8", 3));
      k.store(i32, 516, 0, i32.loadNarrow("u16", 3));
      k.store(i64, 520, 0, i64.loadNarrow("u32", 4));
      k.storeNarrow("i32", "u8", 528, 0, 0x1ff);
      k.storeNarrow("i64", "i16", 530, 0, 0x12345n);
      k.store(f32x, 544, 0, f32x.insert(f32x.loadSplat(512, 48), 2, 7));
      k.store(f32, 560, 0, f32x.extract(f32x.const(1, 2, 3, 4), 3));
      k.copyBytes(576, 0, 5);
      k.fillBytes(581, 9, 2);
    });
    u8.set(bytes);
    floats[140] = 2.5;
    exports.f();
    const view = new DataView(u8.buffer);
    expect([words[128], words[129], view.getBigUint64(520, true)]).toEqual([
      view.getInt8(3),
      view.getUint16(3, true),
      BigInt(view.getUint32(4, true)),
    ]);
    expect([...u8.subarray(528, 533)]).toEqual([0xff, 0, 0x45, 0x23, 0]);
    expect([...floats.subarray(136, 141)]).toEqual([2.5, 2.5, 7, 2.5, 4]);
    expect([...u8.subarray(576, 584)]).toEqual([...bytes.subarray(0, 5), 9, 9, 0]);
  });

  it.each([
    ["f32x", 4],
    ["f64x", 2],
    ["i16x", 8],
    ["i8x", 16],
  ] as const)("transposes a block of %s", (lane, count) => {
    const { u8, exports } = run(0, k => {
      const rows = Array.from({ length: count }, (_, i) => k.let(i32x.load(0, 16 * i)));
      k.transpose(lane, rows);
      rows.forEach((row, i) => {
        k.store(i32x, 512, 16 * i, row);
      });
    });
    const size = 16 / count;
    const element = (at: number) => [...u8.subarray(at, at + size)];
    for (let i = 0; i < 16 * count; i++) u8[i] = (i * 73 + (i >> 4)) & 0xff;
    exports.f();
    for (let i = 0; i < count; i++)
      for (let j = 0; j < count; j++) expect(element(512 + 16 * i + size * j)).toEqual(element(16 * j + size * i));
  });
});

describe("statements", () => {
  const counted = (from: number, to: number, step: number) => {
    const visited: number[] = [];
    for (let i = from; step > 0 ? i < to : i > to; i += step) visited.push(i);
    return visited;
  };

  it.each([
    [0, 5, 1],
    [0, 0, 1],
    [3, 1, 1],
    [2, 11, 4],
    [-3, 3, 2],
    [5, -1, -1],
    [5, 5, -2],
    [-1, 4, -1],
  ])("loops from %i to %i by %i, with bounds known or not", (from, to, step) => {
    for (const known of [true, false]) {
      const { i32: words, exports } = run(2, (k, [p, q]) => {
        const at = k.number("i32", 4);
        k.loop({ from: known ? from : p, to: known ? to : q, step }, i => {
          k.store(i32, at, 0, i);
          k.set(at, i32.add(at, 4));
        });
        k.store(i32, 0, 0, i32.shrU(i32.sub(at, 4), 2));
      });
      exports.f(from, to);
      expect([...words.subarray(1, 1 + words[0])]).toEqual(counted(from, to, step));
    }
  });

  it("while, if, else, blocks and breaks: the Collatz length of 27", () => {
    const { exports } = run(
      1,
      (k, [start]) => {
        const x = k.let(start, "x");
        const steps = k.number("i32", 0, "steps");
        k.while(i32.ne(x, 1), () => {
          k.block(odd => {
            k.breakIf(odd, i32.and(x, 1));
            k.set(x, i32.shr(x, 1));
            k.break(odd);
          });
          k.block(done => {
            k.breakIf(done, i32.or(i32.eq(i32.and(x, 1), 0), i32.eq(x, 1)));
            k.if(
              i32.gt(x, 1),
              () => k.set(x, i32.add(i32.mul(x, 3), 1)),
              () => k.trap(),
            );
            k.set(steps, i32.add(steps, 1));
          });
          k.set(steps, i32.add(steps, 1));
        });
        k.return(steps);
      },
      ["i32"],
    );
    // Each pass halves an even number; if the result is odd, 3x + 1 follows in the same pass.
    const reference = (x: number) => {
      let steps = 0;
      while (x !== 1) {
        if (x % 2 === 0) x /= 2;
        if (x % 2 === 1 && x !== 1) {
          x = 3 * x + 1;
          steps++;
        }
        steps++;
      }
      return steps;
    };
    for (const start of [1, 2, 6, 27, 97]) expect(exports.f(start)).toBe(reference(start));
  });

  it("functions with several results, recursion, imports and globals", () => {
    const m = new ModuleRecorder(wasmTarget());
    const base = m.global("base");
    const twice = m.import("twice", ["f32"], ["f32"]);
    const divide = m.function("divide", { params: { a: "i32", b: "i32" }, results: ["i32", "i32"] }, (k, { a, b }) =>
      k.return(i32.div(a, b), i32.rem(a, b)),
    );
    m.function("factorial", { params: { n: "i32" }, results: ["i32"], exported: true }, (k, { n }, self) => {
      k.if(i32.le(n, 1), () => k.return(1));
      const rest = k.call1("i32", self, i32.sub(n, 1));
      k.return(i32.mul(n, rest));
    });
    m.function("f", { params: { a: "i32", b: "i32" }, exported: true }, (k, { a, b }) => {
      const [quotient, rest] = k.call(divide, a, b);
      k.store(i32, base, 0, quotient);
      k.store(i32, base, 4, rest);
      k.store(f32, base, 8, k.call1("f32", twice, 1.25));
      k.call(divide, a, b);
    });
    const { exports, i32: words, f32: floats } = instantiate(m.finish(), { base: 400 }, { twice: x => 2 * x });
    exports.f(17, 5);
    expect([words[100], words[101], floats[102]]).toEqual([3, 2, 2.5]);
    expect(exports.factorial(10)).toBe(3628800);
  });

  it("vectors as parameters, masks and constants in loops", () => {
    const m = new ModuleRecorder(wasmTarget());
    const clip = m.function("clip", { params: { x: "vec", low: "vec" }, results: ["vec"] }, (k, { x, low }) => {
      const above = k.let(f32x.gt(x, low));
      k.if(mask32.all(above), () => k.return(x));
      k.return(f32x.select(mask32.not(above), f32x.add(low, 0.5), x));
    });
    m.function("f", { params: { n: "i32" }, exported: true }, (k, { n }) => {
      k.loop({ to: n, step: 4 }, i => {
        const at = k.let(i32.shl(i, 2));
        k.store(f32x, at, 0, f32x.mul(k.call1("vec", clip, f32x.load(at), f32x.const(1)), 2));
      });
    });
    const { exports, f32: floats } = instantiate(m.finish());
    floats.set([0, 1, 2, 3, 4, 5, 6, 7]);
    exports.f(8);
    expect([...floats.subarray(0, 8)]).toEqual([3, 3, 4, 6, 8, 10, 12, 14]);
  });

  it("atomics on a shared memory", () => {
    const m = new ModuleRecorder(wasmTarget(), { minPages: 1, maxPages: 2, shared: true });
    m.function("f", { results: ["i32"], exported: true }, k => {
      k.atomic("store", 64, 0, 5);
      const before = k.atomic("add", 60, 4, 3);
      const swapped = k.atomic("exchange", 64, 0, 20);
      const compared = k.atomic("compareExchange", 64, 0, 20, 21);
      const woken = k.atomic("notify", 64, 0, 1);
      const unequal = k.atomic("wait", 64, 0, 0, -1n);
      const now = k.atomic("load", 64, 0);
      const decimal = (digits: ReturnType<typeof i32.const>[]) => digits.reduce((sum, digit) => i32.add(i32.mul(sum, 100), digit));
      k.return(decimal([before, swapped, compared, woken, i32.mul(unequal, 10), i32.rem(now, 100)]));
    });
    expect(BigInt(instantiate(m.finish()).exports.f())).toBe(BigInt.asIntN(32, 50820001021n));
  });

  it("puts data where a global says", () => {
    const m = new ModuleRecorder(wasmTarget());
    m.data("table", Uint8Array.of(1, 2, 3));
    m.function("f", { exported: true }, () => {});
    expect([...instantiate(m.finish(), { table: 1000 }).u8.subarray(999, 1004)]).toEqual([0, 1, 2, 3, 0]);
  });
});

describe("slots", () => {
  it("two results of one call never share one, read or not", () => {
    const m = new ModuleRecorder(wasmTarget());
    const pair = m.function("pair", { results: ["i32", "i32"] }, k => k.return(1, 2));
    m.function("f", { results: ["i32"], exported: true }, k => {
      const [first] = k.call(pair);
      const [, second] = k.call(pair);
      k.return(i32.add(i32.mul(10, i32.add(first as ReturnType<typeof i32.const>, 0)), second as ReturnType<typeof i32.const>));
    });
    expect(instantiate(m.finish()).exports.f()).toBe(12);
  });

  it("a local from before a loop keeps its value through every pass", () => {
    const { exports } = run(
      1,
      (k, [n]) => {
        const kept = k.let(i32.add(n, 100));
        const sum = k.number("i32");
        k.loop({ to: n }, () => {
          k.set(sum, i32.add(sum, kept));
          const inner = k.let(i32.mul(sum, 0));
          k.loop({ to: 2 }, j => k.set(sum, i32.add(sum, i32.add(inner, j))));
        });
        k.return(sum);
      },
      ["i32"],
    );
    expect(exports.f(4)).toBe(4 * 104 + 4);
  });
});

describe("the bytes", () => {
  const record = (relaxedMadd: boolean) => {
    const target = wasmTarget({ relaxedMadd });
    const m = new ModuleRecorder(target, { minPages: 1, maxPages: 4 });
    m.function("axpy", { params: { x: "i32", y: "i32", n: "i32" }, exported: true }, (k, { x, y, n }) => {
      k.loop({ to: n, step: target.vectorBytes }, i => {
        const at = k.let(i32.add(y, i));
        k.store(f32x, at, 0, f32x.madd(f32x.load(i32.add(x, i), 16), 2, f32x.load(at)));
      });
    });
    return printWasm(m.finish());
  };

  it("are what wabt reads as valid, constants hoisted and multiply-add fused only where asked", async () => {
    const { readWasm } = await wabt();
    const features = { simd: true, relaxed_simd: true };
    const texts = [false, true].map(relaxed => {
      const parsed = readWasm(record(relaxed), { readDebugNames: true, ...features });
      // wabt validates with the features it has switched on by itself; relaxed SIMD is not one of them.
      if (!relaxed) parsed.validate();
      return parsed.toText({});
    });
    expect(texts[0]).toContain("(func $axpy");
    const [before, inside] = texts[0].slice(texts[0].indexOf("(func $axpy")).split("loop");
    expect(before).toMatch(/global\.get 0\s+local\.set/);
    expect(inside).toContain("f32x4.mul");
    expect(inside.slice(0, inside.indexOf("f32x4.add"))).not.toMatch(/v128\.const|global\.get/);
    expect(texts.map(text => text.includes("f32x4.relaxed_madd"))).toEqual([false, true]);
    expect(texts.map(text => text.includes("f32x4.mul"))).toEqual([true, false]);
  });

  it("are the same for the same record", () => {
    expect(record(true)).toEqual(record(true));
  });

  it("are refused for vectors of another width", () => {
    const m = new ModuleRecorder({ ...wasmTarget(), name: "wide", vectorBytes: 32 });
    expect(() => printWasm(m.finish())).toThrow("WebAssembly has vectors of 16 bytes, wide of 32.");
  });
});

describe("features", () => {
  it("of Node 22 and later, and the targets that follow", () => {
    const features = probeFeatures();
    expect(features).toEqual({ simd: true, relaxedSimd: Number(process.versions.node.split(".")[0]) >= 22, threads: true });
    expect(engineTarget({ features: { ...features, relaxedSimd: true } }).hasRelaxedMadd).toBe(true);
    expect(engineTarget({ deterministic: true }).hasRelaxedMadd).toBe(false);
  });
});
