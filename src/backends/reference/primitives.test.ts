// Each primitive by its formula in docs/ir.md, hard cases first: empty, rank 0, NaN, signed zeros, limits of integers, rank 8.
import { loadSpecialFunctions } from "../host-functions.ts";
import { describe, expect, it } from "vitest";
import type { DType } from "../../base/dtype.ts";
import { FailedPreconditionError, InvalidArgumentError } from "../../base/errors.ts";
import { type ArrayLike, NDArray } from "../../base/ndarray.ts";
import { sizeOf } from "../../base/shape.ts";
import * as b from "../../ir/build.ts";
import { addIndex, constantIndex, dataIndex, scaleIndex } from "../../ir/index-map.ts";
import type { Combine, Program, ScatterCombine, State, Value } from "../../ir/program.ts";
import { s } from "../../ir/scalar.ts";
import { verifyProgram } from "../../ir/verify.ts";
import { runReference } from "./index.ts";
import { philoxBlock } from "./philox.ts";

await loadSpecialFunctions();

function build(make: () => readonly Value[]): Program {
  const builder = new b.ProgramBuilder();
  const program = { steps: builder.root, results: b.building(builder, make) };
  verifyProgram(program);
  return program;
}

const evaluate = (make: () => Value): unknown => runReference(build(() => [make()])).results[0].toArray();
const constant = (x: ArrayLike, dtype: DType = "float32", shape?: readonly number[]): Value => b.constant(NDArray.from(x, dtype, shape));
const empty = (dtype: DType, shape: readonly number[]): Value => b.constant(NDArray.zeros(dtype, shape));
const iota = (shape: readonly number[]): Value => b.reshape(b.iota(sizeOf(shape), "float32"), shape);
const [min32, max32, min64, max64] = [-(2 ** 31), 2 ** 31 - 1, -(2n ** 63n), 2n ** 63n - 1n];

describe("reduce", () => {
  it.each<[Combine, DType, unknown]>([
    ["sum", "float32", 0],
    ["sum", "int64", 0n],
    ["sum", "complex64", { re: 0, im: 0 }],
    ["prod", "float32", 1],
    ["prod", "uint64", 1n],
    ["prod", "complex128", { re: 1, im: 0 }],
    ["max", "float32", -Infinity],
    ["max", "bfloat16", -Infinity],
    ["max", "int32", min32],
    ["max", "uint8", 0],
    ["max", "int64", min64],
    ["min", "float64", Infinity],
    ["min", "int8", 127],
    ["min", "uint32", 4294967295],
    ["min", "int64", max64],
    ["min", "uint64", 2n ** 64n - 1n],
    ["any", "bool", false],
    ["all", "bool", true],
    ["argmax", "float32", 0n],
  ])("%s of no %s is %s", (combine, dtype, expected) => {
    expect(evaluate(() => b.reduce(combine, empty(dtype, [0]), [0]))).toEqual(expected);
  });

  it.each<[string, Combine, DType, ArrayLike, unknown]>([
    ["NaN wins a maximum", "max", "float32", [1, NaN, 3], NaN],
    ["NaN wins a minimum", "min", "float32", [NaN, 1], NaN],
    ["infinities", "max", "float32", [-Infinity, -Infinity], -Infinity],
    ["integers wrap", "sum", "int32", [max32, 1, 1], min32 + 1],
    ["narrow integers wrap", "sum", "uint8", [200, 100], 44],
    ["wide integers wrap", "prod", "int64", [2n ** 62n, 4n], 0n],
    ["wide integers are exact", "sum", "int64", [2n ** 53n, 1n], 2n ** 53n + 1n],
    ["floats are accumulated in double precision", "sum", "float32", [2 ** 24, 1, 1, 1, 1], 2 ** 24 + 4],
    ["halves too", "sum", "float16", [2048, 1, 1], 2050],
    [
      "complex products",
      "prod",
      "complex64",
      [
        { re: 0, im: 1 },
        { re: 0, im: 1 },
      ],
      { re: -1, im: 0 },
    ],
    ["a complex infinity alone", "prod", "complex64", [{ re: Number.POSITIVE_INFINITY, im: 0 }], { re: Number.POSITIVE_INFINITY, im: 0 }],
    ["largest of bool", "max", "bool", [false, true], true],
    ["any", "any", "bool", [false, true], true],
    ["all", "all", "bool", [false, true], false],
    ["the first of equals", "argmax", "float32", [1, 3, 3], 1n],
    ["the first of equal smallest", "argmin", "int32", [3, 1, 1], 1n],
    ["NaN never wins a position", "argmax", "float32", [NaN, 1, NaN, 3], 3n],
    ["nor a lowest one", "argmin", "float32", [NaN, 1, 3], 1n],
    ["all NaN", "argmax", "float32", [NaN, NaN], 0n],
    ["-inf after NaN, which is not better than nothing", "argmax", "float32", [NaN, -Infinity], 0n],
    ["wide integers", "argmax", "int64", [min64, max64], 1n],
  ])("%s: %s of %s", (_, combine, dtype, x, expected) => {
    expect(evaluate(() => b.reduce(combine, constant(x, dtype), [0]))).toEqual(expected);
  });

  it("over nothing to nothing, and of rank 8", () => {
    expect(evaluate(() => b.reduce("sum", empty("float32", [0, 3]), [0]))).toEqual([0, 0, 0]);
    expect(evaluate(() => b.reduce("sum", empty("float32", [3, 0]), [0]))).toEqual([]);
    const shape = [2, 1, 2, 2, 1, 2, 2, 2];
    expect(evaluate(() => b.reduce("sum", iota(shape), [0, 2, 3, 5, 6, 7, 1, 4]))).toBe(2016);
    expect(evaluate(() => b.reduce("max", iota(shape), [0, 1, 3, 4, 5, 6]))).toEqual([
      [46, 47],
      [62, 63],
    ]);
  });

  it("flattens the positions of several axes in the order given", () => {
    expect(
      evaluate(() =>
        b.reduce(
          "argmax",
          constant([
            [1, 9, 2],
            [3, 4, 5],
          ]),
          [0, 1],
          { indexType: "int32" },
        ),
      ),
    ).toBe(1);
    expect(
      evaluate(() =>
        b.reduce(
          "argmax",
          constant([
            [1, 9, 2],
            [3, 4, 5],
          ]),
          [1, 0],
        ),
      ),
    ).toBe(2n);
  });

  it("takes windows, with a guard for what lies outside", () => {
    const pooled = (): Value => {
      const x = constant([1, NaN, 2, 3, -1]);
      return b.reduceOver("max", [3], [2], ([i], [r]) => {
        const at = addIndex(scaleIndex(i, 2), r);
        return s.guard([{ index: at, low: 0, high: 5 }], s.load(x, [at]), s.constant("float32", -Infinity));
      });
    };
    expect(evaluate(pooled)).toEqual([NaN, 3, -1]);
  });
});

describe("contract", () => {
  const product = (x: Value, w: Value): Value =>
    b.contract([x.shape[0], w.shape[1]], [x.shape[1]], ([i, j], [k]) => [b.operand(x, [i, k]), b.operand(w, [k, j])]);

  it("of no terms is zero", () => {
    expect(evaluate(() => product(empty("float32", [2, 0]), empty("float32", [0, 2])))).toEqual([
      [0, 0],
      [0, 0],
    ]);
    expect(evaluate(() => product(empty("int64", [0, 2]), empty("int64", [2, 3])))).toEqual([]);
  });

  it.each<[DType, ArrayLike, ArrayLike, unknown]>([
    ["float32", [[2 ** 24, 1, 1]], [[1], [1], [1]], [[2 ** 24 + 2]]],
    ["float16", [[300, -300]], [[300], [300]], [[0]]],
    ["float32", [[Infinity, 1]], [[0], [1]], [[NaN]]],
    ["int32", [[65537]], [[65537]], [[131073]]],
    ["int64", [[2n ** 40n]], [[2n ** 40n]], [[0n]]],
    ["complex64", [[{ re: 0, im: 1 }]], [[{ re: 0, im: 1 }]], [[{ re: -1, im: 0 }]]],
  ])("of %s", (dtype, x, w, expected) => {
    expect(evaluate(() => product(constant(x, dtype), constant(w, dtype)))).toEqual(expected);
  });

  it("reads zero outside its operands: a convolution with stride, dilation and padding", () => {
    const convolved = (stride: number, dilation: number, before: number): unknown =>
      evaluate(() => {
        const x = constant([1, 2, 3, 4]);
        const k = constant([1, 10, 100]);
        return b.contract([4 / stride], [3], ([i], [r]) => [
          b.operand(x, [addIndex(addIndex(scaleIndex(i, stride), scaleIndex(r, dilation)), constantIndex(-before))]),
          b.operand(k, [r]),
        ]);
      });
    expect(convolved(1, 1, 1)).toEqual([210, 321, 432, 43]);
    expect(convolved(2, 1, 0)).toEqual([321, 43]);
    expect(convolved(1, 2, 2)).toEqual([310, 420, 31, 42]);
  });
});

describe("scan", () => {
  it.each<[Parameters<typeof b.scan>[2], DType, ArrayLike, { exclusive?: boolean; reverse?: boolean }, unknown]>([
    ["sum", "float32", [1, 2, 3], {}, [1, 3, 6]],
    ["sum", "float32", [1, 2, 3], { exclusive: true }, [0, 1, 3]],
    ["sum", "float32", [1, 2, 3], { reverse: true }, [6, 5, 3]],
    ["sum", "float32", [1, 2, 3], { exclusive: true, reverse: true }, [5, 3, 0]],
    ["sum", "float32", [2 ** 24, 1, 1], {}, [2 ** 24, 2 ** 24, 2 ** 24 + 2]],
    ["sum", "int32", [max32, 1], {}, [max32, min32]],
    ["sum", "int64", [max64, 1n], {}, [max64, min64]],
    ["prod", "int8", [100, 2], { exclusive: true }, [1, 100]],
    [
      "prod",
      "complex64",
      [
        { re: 0, im: 1 },
        { re: 0, im: 1 },
      ],
      {},
      [
        { re: 0, im: 1 },
        { re: -1, im: 0 },
      ],
    ],
    ["max", "float32", [2, NaN, 3], {}, [2, NaN, NaN]],
    ["max", "int32", [2, 1, 3], { exclusive: true }, [min32, 2, 2]],
    ["logsumexp", "float64", [1000, 1000], {}, [1000, 1000 + Math.LN2]],
    ["logsumexp", "float64", [0, 0], { exclusive: true }, [-Infinity, 0]],
    ["sum", "float32", [], {}, []],
    ["sum", "float16", [2048, 1, 1, 1], {}, [2048, 2048, 2048, 2048]],
    ["sum", "bfloat16", [256, 1, 1, 3], {}, [256, 256, 256, 260]],
  ])("%s of %s %o %o", (combine, dtype, x, options, expected) => {
    expect(evaluate(() => b.scan(constant(x, dtype), 0, combine, options))).toEqual(expected);
  });

  it("runs along the axis asked for", () => {
    expect(evaluate(() => b.scan(iota([2, 2, 2]), 1, "sum"))).toEqual([
      [
        [0, 1],
        [2, 4],
      ],
      [
        [4, 5],
        [10, 12],
      ],
    ]);
    expect(evaluate(() => b.scan(empty("float32", [0, 2]), 1, "sum"))).toEqual([]);
  });
});

describe("scatter", () => {
  const scattered = (combine: ScatterCombine, dtype: DType, base: ArrayLike, at: number[], updates: ArrayLike): unknown =>
    evaluate(() => {
      const ids = constant(at, "int32", [at.length]);
      const x = constant(updates, dtype, [at.length]);
      return b.scatter(combine, constant(base, dtype), [at.length], ([r]) => ({ at: [s.load(ids, [r])], body: s.load(x, [r]) }));
    });

  it.each<[ScatterCombine, DType, ArrayLike, number[], ArrayLike, unknown]>([
    ["assign", "float32", [1, 2, 3], [2, 0, 2], [7, 8, 9], [8, 2, 9]],
    ["add", "float32", [1, 2, 3], [0, 0, 0], [1, 10, 100], [112, 2, 3]],
    ["sub", "int32", [min32, 0, 0], [0], [1], [max32, 0, 0]],
    ["mul", "int64", [3n, 3n], [1], [5n], [3n, 15n]],
    ["div", "float32", [1, 2], [0], [0], [Infinity, 2]],
    ["min", "float32", [1, 2], [0, 1], [NaN, 1], [NaN, 1]],
    ["max", "bool", [false, false], [1], [true], [false, true]],
    ["assign", "string", ["a", "b"], [1], ["c"], ["a", "c"]],
    ["add", "float32", [1, 2], [-1, 2, 5], [9, 9, 9], [1, 2]],
    ["add", "float32", [1, 2], [], [], [1, 2]],
  ])("%s into %s %o at %j", (combine, dtype, base, at, updates, expected) => {
    expect(scattered(combine, dtype, base, at, updates)).toEqual(expected);
  });

  it("leaves its base as it was, and takes several indices of any integer type", () => {
    const program = build(() => {
      const base = constant([
        [1, 2],
        [3, 4],
      ]);
      const at = constant([1n], "int64");
      const out = b.scatter("add", base, [1, 2], ([r, c]) => ({ at: [s.load(at, [r]), s.index(c)], body: s.constant("float32", 10) }));
      return [base, out];
    });
    expect(runReference(program).results.map(x => x.toArray())).toEqual([
      [
        [1, 2],
        [3, 4],
      ],
      [
        [1, 2],
        [13, 14],
      ],
    ]);
  });
});

describe("sort", () => {
  const sorted = (x: ArrayLike, dtype: DType, count: number, descending: boolean, shape?: readonly number[]): unknown[] =>
    runReference(
      build(() => {
        const { values, indices } = b.sort(constant(x, dtype, shape), count, descending);
        return [values, indices];
      }),
    ).results.map(y => y.toArray());

  it.each<[string, ArrayLike, DType, number, boolean, unknown, unknown]>([
    ["ties keep their order", [3, 1, 3, 1], "float32", 4, false, [1, 1, 3, 3], [1, 3, 0, 2]],
    ["descending too", [3, 1, 3, 1], "float32", 4, true, [3, 3, 1, 1], [0, 2, 1, 3]],
    ["NaN is the largest", [NaN, 1, Infinity, NaN], "float32", 4, false, [1, Infinity, NaN, NaN], [1, 2, 0, 3]],
    ["NaN comes first descending", [1, NaN, Infinity], "float32", 2, true, [NaN, Infinity], [1, 2]],
    ["the zeros are equal", [0, -0, 0], "float32", 3, false, [0, -0, 0], [0, 1, 2]],
    ["limits of wide integers", [max64, min64, 0n], "int64", 3, false, [min64, 0n, max64], [1, 2, 0]],
    ["large unsigned", [2 ** 31, 1], "uint32", 1, true, [2 ** 31], [0]],
    ["strings by bytes", ["b", "", "ab", "a"], "string", 4, false, ["", "a", "ab", "b"], [1, 3, 2, 0]],
    ["none asked for", [1, 2], "float32", 0, false, [], []],
  ])("%s", (_, x, dtype, count, descending, values, indices) => {
    expect(sorted(x, dtype, count, descending)).toEqual([values, indices]);
  });

  it("works on rows, and on no rows", () => {
    expect(
      sorted(
        [
          [2, 1],
          [3, 4],
        ],
        "int32",
        1,
        false,
      ),
    ).toEqual([
      [[1], [3]],
      [[1], [0]],
    ]);
    expect(sorted([], "int32", 2, false, [0, 2])).toEqual([[], []]);
  });
});

describe("random", () => {
  it("is Philox4x32-10: the test vectors of its authors", () => {
    const hex = (words: readonly number[]): string => words.map(word => word.toString(16)).join(" ");
    expect(hex(philoxBlock(0n, 0n))).toBe("6627e8d5 e169c58d bc57ac4c 9b00dbd8");
    expect(hex(philoxBlock(2n ** 64n - 1n, 2n ** 128n - 1n))).toBe("408f276d 41c83b0e a20bc7c6 6d5451fd");
  });

  const words = (state: readonly bigint[], count: number): number[] =>
    evaluate(() => b.randomWords(constant(state, "int64"), count)) as number[];

  it("counts blocks from those used, under the second seed", () => {
    const first = words([42n, 0n, 0n], 9);
    expect(first.slice(0, 4)).toEqual([0x9ceaf053, 0x77f5493b, 0x12bf50ad, 0x5742b3d7]);
    expect(words([42n, 0n, 1n], 5)).toEqual(first.slice(4, 9));
    expect(words([42n, 1n, 0n], 4)).not.toEqual(first.slice(0, 4));
    expect(words([42n, 0n, 0n], 0)).toEqual([]);
  });

  it("takes negative seeds as unsigned, and carries blocks into the second seed", () => {
    expect(words([-1n, -1n, -1n], 4)).toEqual([...philoxBlock(2n ** 64n - 1n, 2n ** 128n - 1n)]);
    expect(words([0n, 0n, -1n], 8).slice(4)).toEqual([...philoxBlock(0n, 2n ** 64n)]);
  });
});

describe("check", () => {
  const bounded = (ids: number[]): Program =>
    build(() => {
      const x = constant(ids, "int32", [ids.length]);
      b.check([ids.length], ([r]) => s.lt(s.load(x, [r]), 3), {
        label: "bounds",
        reads: [x],
        error: ([r], read) => new InvalidArgumentError(`indices[${r}] = ${read(x).get(r)} is not in [0, 3)`),
      });
      return [x];
    });

  it("stops at the first that fails, in row-major order", () => {
    expect(() => runReference(bounded([0, 7, 2, 8]))).toThrow(new InvalidArgumentError("indices[1] = 7 is not in [0, 3)"));
  });

  it("passes where all hold, and where there are none", () => {
    expect(runReference(bounded([0, 2])).results[0].toArray()).toEqual([0, 2]);
    expect(runReference(bounded([])).results[0].toArray()).toEqual([]);
  });
});

describe("states", () => {
  const v: State = { id: "variable:v", dtype: "float32", shape: [2], role: "variable" };
  const counter: State = { id: "g", dtype: "int64", shape: [3], role: "generator", initial: () => NDArray.from([1n, 2n, 0n], "int64") };
  const increment = build(() => {
    const old = b.readState(v, "v/read");
    b.updateState(
      v,
      b.map(x => s.add(x, 1), old),
    );
    return [old, b.isInitialized(v)];
  });

  it("are read as they were when the run began, and updates are handed back", () => {
    const given = NDArray.from([1, 2]);
    const { results, updates } = runReference(increment, { states: new Map([[v.id, given]]) });
    expect(results.map(x => x.toArray())).toEqual([[1, 2], true]);
    expect(updates.get(v.id)?.toArray()).toEqual([2, 3]);
    expect(given.toArray()).toEqual([1, 2]);
  });

  it("blame the reader where they hold nothing", () => {
    expect(() => runReference(increment)).toThrow(FailedPreconditionError);
    expect(() => runReference(increment)).toThrow("Attempting to use uninitialized value v\n");
    expect(runReference(build(() => [b.isInitialized(v)])).results[0].item()).toBe(false);
  });

  it("start with what they bring along", () => {
    expect(runReference(build(() => [b.readState(counter, "r")])).results[0].toArray()).toEqual([1n, 2n, 0n]);
  });
});

describe("branch", () => {
  const chosen = (dtype: DType, choice: ArrayLike): unknown =>
    evaluate(() => {
      const x = constant([1, 2]);
      const cases = [10, 20, 30].map(by => b.region([], () => [b.map(y => s.mul(y, by), x)]));
      return b.branch(constant(choice, dtype), cases)[0];
    });

  it.each<[DType, ArrayLike, number[]]>([
    ["bool", false, [10, 20]],
    ["bool", true, [20, 40]],
    ["int32", 2, [30, 60]],
    ["int32", 3, [30, 60]],
    ["int32", -1, [30, 60]],
  ])("by %s %o", (dtype, choice, expected) => {
    expect(chosen(dtype, choice)).toEqual(expected);
  });

  it("runs only the case chosen: checks and updates of the others do not happen", () => {
    const state: State = { id: "s", dtype: "int32", shape: [], role: "variable" };
    const fails = { label: "never", reads: [], error: () => new Error("reached") };
    const program = build(() => {
      const flag = constant(true, "bool");
      const bad = b.region([], () => {
        b.check([1], () => s.lt(s.cast(s.load(flag, []), "int32"), 0), fails);
        b.updateState(state, constant(5, "int32"));
        return [];
      });
      b.branch(flag, [bad, b.region([], () => [])]);
      return [flag];
    });
    expect(runReference(program).updates.size).toBe(0);
  });
});

describe("loop", () => {
  const int = { dtype: "int32", shape: [] } as const;

  it("carries values until the condition fails: 2^n by doubling, nested in a sum", () => {
    const program = build(() => {
      const [n, total] = b.loop(
        [constant(0, "int32"), constant(0, "int32")],
        b.region([int, int], n => [b.map(x => s.lt(x, 5), n)]),
        b.region([int, int], (n, total) => {
          const [, power] = b.loop(
            [constant(0, "int32"), constant(1, "int32")],
            b.region([int, int], k => [b.map((x, y) => s.lt(x, y), k, n)]),
            b.region([int, int], (k, power) => [b.map(x => s.add(x, 1), k), b.map(x => s.mul(x, 2), power)]),
          );
          return [b.map(x => s.add(x, 1), n), b.map((x, y) => s.add(x, y), total, power)];
        }),
      );
      return [n, total];
    });
    expect(runReference(program).results.map(x => x.item())).toEqual([5, 31]);
  });

  it("that never starts gives its start", () => {
    const start = (): Value =>
      b.loop(
        [constant(7, "int32")],
        b.region([int], () => [constant(false, "bool")]),
        b.region([int], x => [x]),
      )[0];
    expect(evaluate(start)).toBe(7);
  });

  it("may swap what it carries", () => {
    const program = build(() =>
      b.loop(
        [constant(1, "int32"), constant(2, "int32"), constant(0, "int32")],
        b.region([int, int, int], (_, __, k) => [b.map(x => s.lt(x, 3), k)]),
        b.region([int, int, int], (x, y, k) => [y, x, b.map(z => s.add(z, 1), k)]),
      ),
    );
    expect(runReference(program).results.map(x => x.item())).toEqual([2, 1, 3]);
  });
});

describe("call", () => {
  it("fills numeric outputs and replaces strings", () => {
    const program = build(() =>
      b.call(
        {
          name: "describe",
          run([x], [sum, text]) {
            sum.set(
              0,
              x.toArray().reduce((a: number, y: number) => a + y, 0),
            );
            text.set(0, `${x.shape}`);
          },
        },
        [constant([1, 2, 3])],
        [
          { dtype: "float64", shape: [] },
          { dtype: "string", shape: [] },
        ],
      ),
    );
    expect(runReference(program).results.map(x => x.item())).toEqual([6, "3"]);
  });
});

describe("map", () => {
  it("gathers by data, clamping what the check before it lets pass", () => {
    expect(
      evaluate(() => {
        const x = constant([10, 20, 30]);
        const ids = constant([2, -5, 99, 0], "int64");
        return b.generate([4], ([i]) => s.load(x, [dataIndex(s.load(ids, [i]), 3)]));
      }),
    ).toEqual([30, 10, 30, 10]);
  });

  it("moves strings, bool, complex and halves as they are", () => {
    expect(evaluate(() => b.reverse(constant(["a", "bc"], "string"), [0]))).toEqual(["bc", "a"]);
    expect(evaluate(() => b.pad(constant(["a"], "string"), [1], [0]))).toEqual(["", "a"]);
    expect(evaluate(() => b.concat([constant([true], "bool"), constant([false], "bool")], 0))).toEqual([true, false]);
    expect(evaluate(() => b.pad(constant([{ re: 1, im: 2 }], "complex64"), [0], [1], 3))).toEqual([
      { re: 1, im: 2 },
      { re: 3, im: 0 },
    ]);
    expect(evaluate(() => b.reverse(constant([1.5, NaN, -0], "bfloat16"), [0]))).toEqual([-0, NaN, 1.5]);
  });

  it("reaches rank 8, rank 0 and nothing", () => {
    const shape = [2, 1, 2, 1, 2, 1, 2, 2];
    const turned = evaluate(() => b.reshape(b.transpose(iota(shape), [7, 6, 5, 4, 3, 2, 1, 0]), [32])) as number[];
    expect(turned).toEqual(
      Array.from({ length: 32 }, (_, i) => Number.parseInt(i.toString(2).padStart(5, "0").split("").reverse().join(""), 2)),
    );
    expect(evaluate(() => b.map(x => s.exp(x), constant(0)))).toBe(1);
    expect(evaluate(() => b.map(x => s.exp(x), empty("float32", [2, 0, 3])))).toEqual([[], []]);
  });
});

describe("feeds", () => {
  it("are copied, so that writing into them later changes nothing", () => {
    const x = NDArray.from(Float32Array.of(1, 2));
    const { results } = runReference(
      build(() => [b.feed("x", "float32", [2])]),
      { feeds: new Map([["x", x]]) },
    );
    (x.data as Float32Array)[0] = 9;
    expect(results[0].toArray()).toEqual([1, 2]);
  });

  it("must be there, of the type declared", () => {
    const program = build(() => [b.feed("x", "float32", [2])]);
    expect(() => runReference(program)).toThrow("Nothing was fed for x");
    expect(() => runReference(program, { feeds: new Map([["x", NDArray.from([1, 2, 3])]]) })).toThrow(
      "float32 [2], but was given float32 [3]",
    );
  });
});
