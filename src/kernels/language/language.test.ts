// The recorded form: what builders make, what the verifier refuses, how long locals live, how it reads as text.
// What operations mean is tested where they are printed: src/backends/wasm/operations.test.ts.
import { describe, expect, it } from "vitest";
import type { Expr, KernelModule, Statement } from "./language.ts";
import { applyOperation, f32, f32x, f64x, i32, i32x, i64, laneCount, type lanes, signatureOf, vectorConstant } from "./language.ts";
import { printFunction, printModule } from "./print-kernels.ts";
import { type FunctionRecorder, ModuleRecorder } from "./recorder.ts";
import { wasmTarget } from "../target.ts";
import { verifyModule } from "./verify-kernels.ts";

const target = wasmTarget();

/** One recorded function with three i32 parameters, not verified. */
function record(body: (k: FunctionRecorder, p: Expr<"i32">, q: Expr<"i32">, n: Expr<"i32">) => void) {
  let fn: ReturnType<FunctionRecorder["finish"]> | undefined;
  new ModuleRecorder(target).function("f", { params: { p: "i32", q: "i32", n: "i32" } }, (k, { p, q, n }) => {
    body(k, p, q, n);
    fn = k.finish("f", false, ["i32", "i32", "i32"]);
  });
  if (fn === undefined) throw new Error("not recorded");
  return fn;
}

const recordAndVerify = (body: (k: FunctionRecorder, p: Expr<"i32">, q: Expr<"i32">, n: Expr<"i32">) => void): KernelModule => {
  const m = new ModuleRecorder(target);
  m.function("f", { params: { p: "i32", q: "i32", n: "i32" } }, (k, { p, q, n }) => body(k, p, q, n));
  return m.finish();
};

describe("builders", () => {
  it("turn numbers into constants of the type an operation takes", () => {
    expect(f32x.add(f32x.load(0), 0.1)).toMatchObject({
      op: "f32x.add",
      args: [{}, { kind: "vconst", lane: "f32x", values: [Math.fround(0.1)] }],
    });
    expect(i64.add(i64.const(1), 2)).toMatchObject({ args: [{ value: 1n }, { value: 2n }] });
    expect(i32.const(2 ** 31)).toMatchObject({ value: -(2 ** 31) });
    expect(i64.const(2n ** 63n)).toMatchObject({ value: -(2n ** 63n) });
    expect(f32.const(0.1)).toMatchObject({ value: Math.fround(0.1) });
    expect(vectorConstant("i32x", 1, 2, 3, 4)).toMatchObject({ values: [1, 2, 3, 4] });
  });

  it("refuse operands of other types", () => {
    expect(() => applyOperation("f32.add", f32.const(1), i32.const(1))).toThrow("Argument 2 of f32.add is i32, not f32.");
    expect(() => applyOperation("f32x.select", 1, 2, 3)).toThrow("A mask is needed, not the number 1.");
    expect(() => applyOperation("f32.add", 1)).toThrow("f32.add takes 2 arguments, not 1.");
  });

  it("know masks by the bits of their lanes", () => {
    expect(f32x.lt(f32x.load(0), 0).type).toBe("mask32");
    expect(f64x.lt(f64x.load(0), 0).type).toBe("mask64");
    expect(signatureOf("i32x.select")).toEqual({ args: ["mask32", "vec", "vec"], result: "vec" });
    expect(signatureOf("i64.shl")).toEqual({ args: ["i64", "i32"], result: "i64" });
  });

  it("count lanes by the target", () => {
    const wide = { ...target, vectorBytes: 64 };
    expect(["f32", "f32x", "f64x", "i8x"].map(lane => laneCount(lane as keyof typeof lanes, wide))).toEqual([1, 16, 8, 64]);
  });
});

describe("pieces in turn", () => {
  it("alternate statement by statement, the longer one alone at its end", () => {
    const fn = record((k, p) => {
      const piece = (at: number, count: number) => (): void => {
        for (let i = 0; i < count; i++) k.store(i32, p, at + i, 0);
      };
      k.inTurn([piece(10, 1), piece(20, 3), piece(30, 2)]);
    });
    expect(fn.body.map(s => (s.kind === "store" ? s.offset : undefined))).toEqual([10, 20, 30, 21, 31, 22]);
  });
});

describe("live ranges", () => {
  it("run from declaration to last use", () => {
    const fn = record((k, p, q) => {
      const a = k.let(i32.add(p, q)); // 1
      const b = k.let(i32.add(a, 1)); // 2
      k.store(i32, 0, 0, b); // 3
      k.store(i32, 0, 4, p); // 4
    });
    expect(fn.locals.map(({ first, last }) => [first, last])).toEqual([
      [0, 4],
      [0, 1],
      [0, 0],
      [1, 2],
      [2, 3],
    ]);
  });

  it("last to the end of the outermost loop that began after the declaration", () => {
    const fn = record((k, p, _q, n) => {
      const outside = k.let(p, "outside"); // 1
      k.loop({ to: n, name: "i" }, () => {
        // 2 is the copy of the bound, 3 the loop
        const between = k.let(i32.const(7), "between"); // 4
        k.while(i32.ne(between, 0), () => {
          // 5
          k.set(between, i32.sub(between, outside)); // 6
          const inside = k.let(between, "inside"); // 7
          k.store(i32, 0, 0, inside); // 8, and 9 ends the inner loop
        });
        k.store(i32, 0, 4, 1); // 10
      }); // 11
      k.store(i32, 0, 8, 1); // 12
    });
    const range = (name: string) => fn.locals.filter(local => local.name === name).map(({ first, last }) => [first, last]);
    expect([range("outside"), range("i"), range("between"), range("inside")]).toEqual([[[1, 11]], [[3, 11]], [[4, 9]], [[7, 8]]]);
  });
});

describe("the verifier", () => {
  const broken = (...statements: Statement[]): (() => void) => {
    const locals = [
      { type: "i32", name: "p", first: 0, last: 9 },
      { type: "vec", name: "v", first: 1, last: 9 },
      { type: "mask32", name: "m", first: 1, last: 9 },
    ] as const;
    const fn = { name: "f", exported: false, params: ["i32"], results: [], locals, body: statements } as const;
    return () => verifyModule({ target, memory: { minPages: 1 }, globals: [], variables: [], imports: [], functions: [fn], data: [] });
  };
  const local = (id: number, type: "i32" | "vec" | "mask32") => ({ kind: "local", type, id }) as Expr;
  const declare = (id: number, value: Expr): Statement => ({ kind: "set", local: id, declares: true, value });

  const storeOf = (value: Expr): Statement => ({ kind: "store", access: "i32", address: i32.const(0), offset: 0, value });

  it.each<[string, () => void]>([
    ["the value: i32 was given, vec is needed", broken(declare(1, i32.const(1)))],
    ["local 1 is used before it is declared", broken(declare(1, local(1, "vec")))],
    ["local 1 is declared twice", broken(declare(1, f32x.zero()), declare(1, f32x.zero()))],
    [
      "local 1 is used outside the block that declared it",
      broken(
        { kind: "if", condition: i32.const(1), then: [declare(1, f32x.zero())], otherwise: [] },
        { kind: "set", local: 1, declares: false, value: f32x.zero() },
      ),
    ],
    ["local 0 is i32, not vec", broken(declare(1, local(0, "vec")))],
    ["an offset of -4 is not possible", broken(declare(1, f32x.load(0, -4)))],
    ["an offset of 0.5 is not possible", broken(declare(1, f32x.load(0, 0.5)))],
    ["f32x has 4 lanes, not 5", broken(declare(1, f32x.loadPart(5, 0)))],
    ["f32x has no lane 4", broken(declare(1, f32x.insert(f32x.zero(), 4, 1)))],
    ["i32x has no lane 8", broken(declare(1, i32x.shuffle(i32x.zero(), i32x.zero(), [0, 1, 2, 8])))],
    ["f32x has no access by u8", broken(declare(1, f32x.loadNarrow("u8", 0)))],
    ["u32 cannot be loaded as i32", broken(storeOf(i32.loadNarrow("u32", 0)))],
    ["a constant of 3 lanes does not fill f32x", broken(declare(1, f32x.const(1, 2, 3)))],
    ["there is no block @3 around it", broken({ kind: "break", label: 3, condition: null })],
    ["there is no function g", broken({ kind: "call", callee: "g", args: [], results: [] })],
    ["there is no global base", broken(declare(1, f32x.load({ kind: "global", type: "i32", name: "base" })))],
    ["a block of f32x has 4 rows, not 1", broken(declare(1, f32x.zero()), { kind: "transpose", lane: "f32x", rows: [1] })],
    ["a step of 0 is not possible", broken({ kind: "loop", counter: 0, from: i32.const(0), to: i32.const(1), step: 0, body: [] })],
    ["the results are 1, not 0", broken({ kind: "return", values: [i32.const(1)] })],
    ["f32 cannot be stored as i32", broken(storeOf(f32.const(1)))],
    [
      "a splat is a way to load",
      broken({ kind: "vstore", lane: "f32x", access: { form: "splat" }, address: i32.const(0), offset: 0, value: f32x.zero() }),
    ],
  ])("says: %s", (message, verify) => {
    expect(verify).toThrow(message);
    expect(verify).toThrow("This is a bug in tensorloom.");
  });

  it("refuses a loop whose body changes the bound, whichever way the record was made", () => {
    const body: Statement[] = [{ kind: "set", local: 0, declares: false, value: i32.const(1) }];
    const fn = {
      name: "f",
      exported: false,
      params: ["i32"],
      results: [],
      locals: [
        { type: "i32", name: "", first: 0, last: 3 },
        { type: "i32", name: "", first: 1, last: 3 },
      ],
      body: [{ kind: "loop", counter: 1, from: i32.const(0), to: local(0, "i32") as Expr<"i32">, step: 1, body }],
    } as const;
    expect(() =>
      verifyModule({ target, memory: { minPages: 1 }, globals: [], variables: [], imports: [], functions: [fn], data: [] }),
    ).toThrow("the body changes the bound");
  });

  it("shows the function that is wrong", () => {
    expect(broken(declare(1, i32.const(1)))).toThrow("let v.1: vec = 1");
  });

  it("looks at the module too", () => {
    const twice = new ModuleRecorder(target);
    twice.function("f", {}, () => {});
    twice.function("f", {}, () => {});
    expect(() => twice.finish()).toThrow("Two functions of one module are called f.");
    expect(() => new ModuleRecorder(target, { minPages: 1, shared: true }).finish()).toThrow("A shared memory needs a maximum of pages.");
    const open = new ModuleRecorder(target);
    open.function("f", { results: ["i32"] }, k => k.if(i32.const(1), () => k.return(1)));
    expect(() => open.finish()).toThrow("its end is reached without return");
    expect(() => recordAndVerify((k, p) => k.call({ name: "g", params: ["i32"], results: [] }, p))).toThrow("there is no function g");
  });
});

describe("the text", () => {
  it("of a function reads as it was recorded", () => {
    const m = new ModuleRecorder(target, { minPages: 2, maxPages: 4, shared: true });
    const base = m.global("arena");
    const twice = m.import("twice", ["f32"], ["f32"]);
    m.function("f", { params: { x: "i32", n: "i32" }, results: ["i32"], exported: true }, (k, { x, n }) => {
      const sum = k.vector("f32x", 0, "sum");
      k.loop({ to: n, step: target.vectorBytes, name: "at" }, at => {
        k.set(sum, f32x.madd(f32x.load(i32.add(x, at), 64), f32x.loadSplat(base), sum));
        k.if(
          i32.eq(at, 0),
          () => k.storePart("f32x", 3, base, 16, sum),
          () => k.storeNarrow("i32x", "u8", base, 0, sum),
        );
      });
      k.block(done => k.breakIf(done, i32.gt(n, 3)));
      k.store(f32, base, 4, k.call1("f32", twice, f32x.extract(sum, 0)));
      k.return(n);
    });
    const module = m.finish();
    expect(printFunction(module.functions[0])).toBe(
      `export func f(x.0: i32, n.1: i32) -> i32 {
  let sum.2: vec = f32x(0)
  let v3: i32 = n.1
  for at.4 = 0 to v3 step 16 {
    sum.2 = f32x.madd(f32x.load[i32.add(x.0, at.4) + 64], f32x.load.splat[$arena], sum.2)
    if i32.eq(at.4, 0) {
      f32x.store.first3 [$arena + 16] = sum.2
    } else {
      i32x.store.u8 [$arena] = sum.2
    }
  }
  block @0 {
    break @0 if i32.gt(n.1, 3)
  }
  let v5 = twice(f32x.extract(sum.2, 0))
  store.f32 [$arena + 4] = v5
  return n.1
}`,
    );
    expect(printModule(module).split("\n").slice(0, 3)).toEqual([
      "module for wasm128, memory 2..4 pages, shared",
      "global arena",
      "import twice(f32) -> f32",
    ]);
  });
});
