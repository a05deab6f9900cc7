// The wasm backend against the reference: random elementwise expressions, data movement, reductions, contractions, odd sizes.

import { describe, test } from "vitest";
import { compareBackends } from "../../../test/backends/compare-backends.ts";
import type { DType } from "../../base/dtype.ts";
import { NDArray } from "../../base/ndarray.ts";
import * as ir from "../../ir/build.ts";
import { ProgramBuilder } from "../../ir/build.ts";
import { addIndex, constantIndex, dataIndex, type Index, scaleIndex } from "../../ir/index-map.ts";
import type { Value } from "../../ir/program.ts";
import { type Scalar, s } from "../../ir/scalar.ts";

let seed = 1;
const random = (): number => {
  seed = (seed * 1103515245 + 12345) & 0x7fffffff;
  return seed / 0x7fffffff - 0.5;
};

function arrayOf(dtype: DType, shape: readonly number[]): NDArray {
  const array = NDArray.zeros(dtype, shape);
  for (let i = 0; i < array.size; i++)
    array.set(i, dtype.startsWith("float") ? random() * 4 : dtype === "bool" ? random() > 0 : Math.round(random() * 20));
  return array;
}

/** Builds with fed values, random or given, and compares both backends. */
async function same(
  given: readonly (NDArray | readonly [DType, readonly number[]])[],
  build: (...feeds: Value[]) => readonly Value[],
): Promise<void> {
  const builder = new ProgramBuilder();
  const arrays = given.map(each => (each instanceof NDArray ? each : arrayOf(...each)));
  const results = ir.building(builder, () => build(...arrays.map(({ dtype, shape }, i) => ir.feed(String(i), dtype, shape))));
  const feeds = new Map(arrays.map((array, i) => [String(i), array]));
  const aCase = { program: { steps: builder.root, results }, feeds, states: new Map() };
  const { fault } = await compareBackends(aCase);
  if (fault !== undefined) throw new Error(fault);
  const { fault: otherFault } = await compareBackends(aCase, { anySize: true });
  if (otherFault !== undefined) throw new Error(`by kernels for any size: ${otherFault}`);
}

const f32 = (...shape: number[]): readonly [DType, readonly number[]] => ["float32", shape];

describe("maps", () => {
  for (const n of [0, 1, 3, 4, 7, 64, 257, 1000])
    test(`chain of ${n}`, () => same([f32(n), f32(n)], (x, y) => [ir.map((a, b) => s.max(s.add(s.mul(a, b), 1), s.sqrt(s.abs(b))), x, y)]));
  test("broadcast", () =>
    same([f32(5, 7, 6), f32(6), f32(7, 1), f32()], (x, b, c, d) => [ir.map((p, q, r, t) => s.add(s.mul(p, q), s.sub(r, t)), x, b, c, d)]));
  test("transpose, slice, pad, reverse, tile, concat", () =>
    same([f32(5, 6), f32(3, 6)], (x, y) => [
      ir.transpose(x, [1, 0]),
      ir.slice(x, [1, 4], [3, 2], [1, -2]),
      ir.pad(x, [1, 2], [0, 3], 7),
      ir.reverse(x, [0, 1]),
      ir.tile(x, [2, 3]),
      ir.concat([x, y, x], 0),
      ir.concat([x, x], 1),
      ir.reshape(ir.transpose(x, [1, 0]), [3, 10]),
    ]));
  test("types", () =>
    same(
      [
        ["int32", [9]],
        ["int64", [9]],
        ["uint8", [9]],
        ["bool", [9]],
        ["float64", [9]],
        ["int8", [9]],
      ],
      (i, l, u, b, d, c) => [
        ir.cast(i, "float32"),
        ir.cast(l, "float32"),
        ir.cast(u, "float32"),
        ir.cast(b, "float32"),
        ir.cast(d, "int32"),
        ir.map(x => s.mul(x, 100), c),
        ir.map(x => s.floorDiv(x, 3), i),
        ir.map((x, y) => s.select(x, y, s.neg(y)), b, i),
        ir.map(x => s.floorMod(x, -7), l),
        ir.map(x => s.lt(x, 3), i),
      ],
    ));
  test("functions", () =>
    same([f32(37)], x =>
      (["exp", "tanh", "sigmoid", "log1p", "sin", "erf", "round", "sign"] as const).map(fn => ir.map(a => s[fn](s.mul(a, a)), x)),
    ));
  test("choices between what is compared, by sign of zero too", () => {
    const values = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, -0, 1, -1];
    const [x, y] = [values.flatMap(a => values.map(() => a)), values.flatMap(() => values)].map(grid => NDArray.from(grid, "float32"));
    return same([x, y], (p, q) => {
      const signed = (choose: (a: Scalar, b: Scalar) => Scalar): Value => ir.map((a, b) => s.div(1, choose(a, b)), p, q);
      return [
        ...[s.lt, s.gt].flatMap(test => [
          signed((a, b) => s.select(test(a, b), a, b)),
          signed((a, b) => s.select(test(a, b), b, a)),
          signed(a => s.select(test(a, 0), 0, a)),
          signed(a => s.select(test(a, 0), a, 0)),
          signed(a => s.select(test(a, 0), -0, a)),
        ]),
        ...[s.max, s.min].flatMap(most => [signed((a, b) => most(a, b)), signed(a => most(a, 1)), signed(a => most(-1, a))]),
      ];
    });
  });
  test("gather", () => same([f32(10, 6), ["int32", [5]]], (x, i) => [ir.generate([5, 6], ([a, b]) => s.load(x, [dataOf(i, a, 10), b]))]));
});

const dataOf = (value: Value, at: Index, size: number): Index => dataIndex(s.load(value, [at]), size);

describe("reductions", () => {
  for (const shape of [[7], [300], [6, 5], [33, 40], [4, 10], [3, 9, 17], [1, 1], [2000, 12], [12, 2000]]) {
    const axes = shape.map((_, axis) => axis);
    for (const over of [axes, [0], [axes.length - 1]])
      test(`[${shape}] over ${over}`, () =>
        same([["float32", shape]], x => [
          ir.reduce("sum", x, over),
          ir.reduce("max", x, over),
          ir.reduce("argmax", x, over, { indexType: "int32" }),
          ir.reduce("prod", x, over),
        ]));
  }
  test("windows", () =>
    same([f32(2, 7, 7, 5)], x => [
      ir.reduceOver("max", [2, 4, 4, 5], [2, 2], ([n, h, w, c], [y, k]) =>
        s.guard(
          [
            { index: addIndex(scaleIndex(h, 2), y), low: 0, high: 7 },
            { index: addIndex(scaleIndex(w, 2), k), low: 0, high: 7 },
          ],
          s.load(x, [n, addIndex(scaleIndex(h, 2), y), addIndex(scaleIndex(w, 2), k), c]),
          s.constant("float32", -Infinity),
        ),
      ),
    ]));
});

describe("contractions and scatters", () => {
  test("matmul", () =>
    same([f32(9, 13), f32(13, 11)], (a, b) => [
      ir.contract([9, 11], [13], ([m, n], [k]) => [ir.operand(a, [m, k]), ir.operand(b, [k, n])]),
    ]));
  for (const [m, k, n] of [
    [1, 5, 7],
    [2, 3, 4],
    [5, 8, 8],
    [33, 40, 24],
    [40, 1100, 10],
    [19, 2100, 36],
    [7, 1, 3],
    // Rows packed too, in tiles and blocks of uneven size.
    [40, 130, 136],
    [35, 530, 140],
    // A row or two with a matrix read in runs.
    [1, 200, 68],
    [2, 70, 264],
    [1, 65, 300],
  ])
    for (const [ta, tb] of [
      [false, false],
      [true, false],
      [false, true],
      [true, true],
    ])
      test(`matmul ${m}x${k}x${n} ${ta ? "t" : ""}${tb ? "T" : ""} with bias and relu`, () =>
        same([f32(...(ta ? [k, m] : [m, k])), f32(...(tb ? [n, k] : [k, n])), f32(n)], (a, b, bias) => {
          const product = ir.contract([m, n], [k], ([i, j], [r]) => [
            ir.operand(a, ta ? [r, i] : [i, r]),
            ir.operand(b, tb ? [j, r] : [r, j]),
          ]);
          return [ir.map((x, c) => s.max(s.add(x, c), 0), product, bias), product];
        }));
  for (const [h, kh, c, o, stride, pad] of [
    [9, 3, 5, 8, 1, 1],
    [9, 5, 1, 32, 1, 2],
    [7, 3, 4, 6, 2, 1],
    [7, 5, 18, 16, 1, 2],
    [4, 1, 8, 12, 1, 0],
  ]) {
    const out = Math.floor((h + 2 * pad - kh) / stride) + 1;
    const at = (y: Index, ky: Index): Index => addIndex(addIndex(scaleIndex(y, stride), ky), constantIndex(-pad));
    test(`conv ${h}x${h}x${c} by ${kh}x${kh}x${o} stride ${stride}: forward, filter gradient, input gradient`, () =>
      same([f32(3, h, h, c), f32(kh, kh, c, o), f32(3, out, out, o)], (x, f, dy) => [
        ir.contract([3, out, out, o], [kh, kh, c], ([n, y, w, q], [ky, kx, p]) => [
          ir.operand(x, [n, at(y, ky), at(w, kx), p]),
          ir.operand(f, [ky, kx, p, q]),
        ]),
        ir.contract([kh, kh, c, o], [3, out, out], ([ky, kx, p, q], [n, y, w]) => [
          ir.operand(x, [n, at(y, ky), at(w, kx), p]),
          ir.operand(dy, [n, y, w, q]),
        ]),
        ...(stride === 1
          ? [
              ir.contract([3, h, h, c], [kh, kh, o], ([n, y, w, p], [ky, kx, q]) => {
                const back = (i: Index, k: Index): Index => addIndex(addIndex(i, scaleIndex(k, -1)), constantIndex(pad));
                return [ir.operand(dy, [n, back(y, ky), back(w, kx), q]), ir.operand(f, [ky, kx, p, q])];
              }),
            ]
          : []),
      ]));
  }
  test("depthwise", () =>
    same([f32(2, 6, 6, 8), f32(3, 3, 8)], (x, f) => [
      ir.contract([2, 6, 6, 8], [3, 3], ([n, y, w, c], [ky, kx]) => [
        ir.operand(x, [n, addIndex(addIndex(y, ky), constantIndex(-1)), addIndex(addIndex(w, kx), constantIndex(-1)), c]),
        ir.operand(f, [ky, kx, c]),
      ]),
    ]));
  test("batched", () =>
    same([f32(3, 4, 5), f32(3, 5, 8)], (a, b) => [
      ir.contract([3, 4, 8], [5], ([p, m, n], [k]) => [ir.operand(a, [p, m, k]), ir.operand(b, [p, k, n])]),
    ]));
  test("scatter rows", () =>
    same([f32(10, 6), ["int32", [4]], f32(4, 6)], (x, i, u) => [
      ir.scatter("add", x, [4, 6], ([r, c]) => ({ at: [s.load(i, [r]), s.index(c)], body: s.load(u, [r, c]) })),
    ]));
  for (const words of [1, 4, 7, 1003])
    test(`random words ${words}`, () => same([["int64", [3]]], state => [ir.cast(ir.randomWords(state, words), "float64")]));
});

describe("scans and sorts", () => {
  for (const dtype of ["float32", "float64", "int32", "int64", "uint8", "float16"] as const) {
    test(`scans of ${dtype} along each axis`, () =>
      same([[dtype, [3, 11, 10]]], x =>
        [0, 1, 2].flatMap(axis => [
          ir.scan(x, axis, "sum"),
          ir.scan(x, axis, "max", { reverse: true }),
          ir.scan(x, axis, "prod", { exclusive: true }),
        ]),
      ));
    for (const [rows, length, count] of [
      [1, 1000, 1000],
      [20, 300, 5],
      [9, 33, 33],
      [3, 40, 20],
    ])
      test(`sort of ${dtype} [${rows}, ${length}], the first ${count}`, () =>
        same([[dtype, [rows, length]]], x => {
          const [up, down] = [ir.sort(x, count, false), ir.sort(x, count, true)];
          return [up.values, up.indices, down.values, down.indices];
        }));
  }
  test("log-sum-exp", () => same([f32(4, 9)], x => [ir.scan(x, 1, "logsumexp"), ir.scan(x, 0, "logsumexp", { exclusive: true })]));
});
