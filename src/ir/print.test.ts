// The text of each step, and that it does not depend on what was built before.
import { describe, expect, it } from "vitest";
import { NDArray } from "../base/ndarray.ts";
import * as b from "./build.ts";
import { dataIndex } from "./index-map.ts";
import { printProgram } from "./print.ts";
import type { Program, State, Value } from "./program.ts";
import type { Scalar } from "./scalar.ts";
import { printScalar, s } from "./scalar.ts";

const weights: State = { id: "w", dtype: "float32", shape: [3], role: "variable" };
const generator: State = { id: "gen", dtype: "int64", shape: [3], role: "generator" };

function build(make: () => readonly Value[]): Program {
  const builder = new b.ProgramBuilder();
  const results = b.building(builder, make);
  return { steps: builder.root, results };
}

const everything = (): Program =>
  build(() => {
    const x = b.feed("x:0", "float32", [2, 3]);
    const ids = b.constant(NDArray.from([2, 0], "int32"));
    const w = b.readState(weights, "w/read");
    const bits = b.randomWords(b.readState(generator, "gen"), 5);
    const y = b.pad(x, [0, 1], [0, 0], -1);
    const z = b.contract([2], [3], ([i], [r]) => [b.operand(x, [i, r]), b.operand(w, [r])]);
    b.check([2], ([r]) => s.lt(s.load(ids, [r]), 3), { label: "bounds", reads: [ids], error: () => new Error() });
    const g = b.generate([2], ([i]) => s.load(w, [dataIndex(s.load(ids, [i]), 3)]));
    const t = b.scatter("add", w, [2], ([r]) => ({ at: [s.load(ids, [r])], body: s.load(g, [r]) }));
    const { values, indices } = b.sort(t, 2, true);
    b.updateState(weights, b.scan(t, 0, "sum", { exclusive: true }));
    const [c] = b.branch(b.isInitialized(weights), [b.region([], () => [values]), b.region([], () => [b.map(v => s.neg(v), values)])]);
    const [count] = b.loop(
      [b.full("int32", [], 0)],
      b.region([{ dtype: "int32", shape: [] }], i => [b.map(v => s.lt(v, 5), i)]),
      b.region([{ dtype: "int32", shape: [] }], i => [b.map(v => s.add(v, 1), i)]),
    );
    const [d] = b.call({ name: "qr", run: () => undefined }, [y], [{ dtype: "float64", shape: [2, 2] }]);
    return [b.reduce("max", y, [1], { f: v => s.mul(v, v) }), z, indices, c, bits, count, d];
  });

describe("printProgram", () => {
  it("has a line for every step", () => {
    expect(printProgram(everything())).toMatchInlineSnapshot(`
      "v0 = feed float32[2,3] "x:0"
      v1 = constant int32[2] [2 0]
      v2 = state float32[3] "w"
      v3 = state int64[3] "gen"
      v4 = random uint32[5] from v3
      v5 = map float32[2,4]: if(0 <= i1 - 1 < 3: v0[i0, i1 - 1] else -1)
      v6 = contract float32[2] over [3]: v0[i0, r0] * v2[r0]
      check "bounds" over [2]: lt(v1[r0], 3)
      v7 = map float32[2]: v2[clamp(v1[i0], 3)]
      v8 = scatter add float32[3] into v2 over [2]: [v1[r0]] gets v7[r0]
      v9, v10 = sort float32[2] of v8 descending
      v11 = scan sum float32[3] of v8 along 0 exclusive
      update "w" with v11
      v12 = initialized "w"
      v13 float32[2] = branch v12
        case 0
          give v9
        case 1
          v14 = map float32[2]: neg(v9[i0])
          give v14
      v15 = map int32[]: 0
      v16 int32[] = loop from v15
        while (v17 int32[])
          v18 = map bool[]: lt(v17[], 5)
          test v18
        do (v19 int32[])
          v20 = map int32[]: add(v19[], 1)
          next v20
      v21 float64[2,2] = call qr(v5)
      v22 = reduce max float32[2] over [4]: mul(v5[i0, r0], v5[i0, r0])
      results v22, v6, v10, v13, v4, v16, v21"
    `);
  });

  it("numbers by appearance, not by what was built before", () => {
    const before = printProgram(everything());
    build(() => [b.generate([2], ([i]) => s.load(b.feed("z", "float32", [3]), [dataIndex(s.index(i), 3)]))]);
    expect(printProgram(everything())).toBe(before);
  });

  it("cuts long arrays short", () => {
    const program = build(() => [b.constant(NDArray.zeros("float64", [4, 4, 4])), b.constant(NDArray.from("ab", "string"))]);
    expect(
      printProgram(program)
        .split("\n")
        .every(line => line.length < 110),
    ).toBe(true);
    expect(printProgram(program)).toContain("v1 = constant string[] ab");
  });
});

describe("printScalar", () => {
  it("names what is used twice, so that doubling sixty times stays short", () => {
    const x: Value = { id: 0, dtype: "float32", shape: [] };
    let scalar: Scalar = s.exp(s.load(x, []));
    for (let k = 0; k < 60; k++) scalar = s.add(scalar, scalar);
    expect(printScalar(s.mul(s.exp(s.load(x, [])), s.load(x, [])))).toBe("mul(exp(v0[]), v0[])");
    expect(printScalar(scalar)).toMatch(/^add\(t59, t59\) where t0 = exp\(v0\[\]\), t1 = add\(t0, t0\), /);
  });
});
