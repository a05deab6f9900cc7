// Does the vector language cost anything? The inner tile of a matrix product, and elementary functions over an array in cache, written in
// the language and printed as WebAssembly: GFLOP/s and elements per nanosecond, the best of many rounds. `node bench/kernels/micro.ts`.
import { probeFeatures } from "../../src/backends/wasm/features.ts";
import { f32x, i32 } from "../../src/kernels/language.ts";
import { applyMath, type MathFunction } from "../../src/kernels/math.ts";
import { ModuleRecorder } from "../../src/kernels/recorder.ts";
import { wasmTarget } from "../../src/kernels/target.ts";
import { instantiate } from "../../test/kernels/instantiate.ts";

const depth = 256;
const passes = 2000;
const elements = 4096;
const place = { a: 4096, b: 1 << 16, c: 1 << 17 };

/** The fastest of some calls, in nanoseconds; the first ones let the engine optimise. */
function fastest(call: () => void, rounds: number): number {
  for (let i = 0; i < rounds; i++) call();
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < rounds; i++) {
    const began = performance.now();
    call();
    best = Math.min(best, performance.now() - began);
  }
  return best * 1e6;
}

/** C tile = A rows · packed B panel, `passes` times. */
function tileSpeed(rows: number, columns: number, relaxedMadd: boolean): number {
  const target = wasmTarget({ relaxedMadd });
  const m = new ModuleRecorder(target, { minPages: 16 });
  m.function("tile", { params: { a: "i32", b: "i32", c: "i32", times: "i32" }, exported: true }, (k, { a, b, c, times }) => {
    k.loop({ to: times }, () => {
      const [left, right] = [k.let(a), k.let(b)];
      const sums = Array.from({ length: rows }, () => Array.from({ length: columns / target.lanes32 }, () => k.vector("f32x")));
      k.loop({ to: depth }, () => {
        const panel = sums[0].map((_, v) => k.let(f32x.load(right, v * target.vectorBytes)));
        for (const [r, row] of sums.entries()) {
          const factor = k.let(f32x.loadSplat(left, 4 * r * depth));
          for (const [v, sum] of row.entries()) k.set(sum, f32x.madd(factor, panel[v], sum));
        }
        k.set(left, i32.add(left, 4));
        k.set(right, i32.add(right, 4 * columns));
      });
      for (const [r, row] of sums.entries())
        for (const [v, sum] of row.entries()) k.store(f32x, c, 4 * r * columns + v * target.vectorBytes, sum);
    });
  });
  const { exports, f32 } = instantiate(m.finish());
  for (let i = 0; i < rows * depth; i++) f32[place.a / 4 + i] = Math.sin(i);
  for (let i = 0; i < columns * depth; i++) f32[place.b / 4 + i] = Math.cos(i);
  const run = (times: number) => exports.tile(place.a, place.b, place.c, times);
  run(1);
  for (let r = 0; r < rows; r++) {
    for (let j = 0; j < columns; j++) {
      let sum = 0;
      for (let i = 0; i < depth; i++) sum += f32[place.a / 4 + r * depth + i] * f32[place.b / 4 + i * columns + j];
      if (!(Math.abs(sum - f32[place.c / 4 + r * columns + j]) < 1e-4)) throw new Error(`tile ${rows}×${columns} computes something else`);
    }
  }
  return (2 * rows * columns * depth * passes) / fastest(() => run(passes), 30);
}

function mathSpeed(fn: MathFunction, relaxedMadd: boolean): number {
  const target = wasmTarget({ relaxedMadd });
  const m = new ModuleRecorder(target, { minPages: 16 });
  m.function("map", { params: { from: "i32", to: "i32", n: "i32" }, exported: true }, (k, { from, to, n }) => {
    k.loop({ to: i32.shl(n, 2), step: target.vectorBytes }, at => {
      k.store(f32x, i32.add(to, at), 0, applyMath(k, "f32x", fn, k.let(f32x.load(i32.add(from, at)))));
    });
  });
  const { exports, f32 } = instantiate(m.finish());
  for (let i = 0; i < elements; i++) f32[place.a / 4 + i] = 0.001 + (8 * i) / elements;
  return (
    (30 * elements) /
    fastest(() => {
      for (let i = 0; i < 30; i++) exports.map(place.a, place.b, elements);
    }, 60)
  );
}

const fused = probeFeatures().relaxedSimd ? [false, true] : [false];
for (const relaxedMadd of fused) {
  console.log(relaxedMadd ? "multiply-add fused" : "products rounded");
  for (const { rows, columns } of wasmTarget({ relaxedMadd }).tiles) {
    console.log(`  tile ${rows}×${columns}`.padEnd(16), tileSpeed(rows, columns, relaxedMadd).toFixed(1), "GFLOP/s");
  }
  for (const fn of ["exp", "log", "tanh", "sigmoid", "expm1", "log1p", "erf", "sin"] as const) {
    console.log(`  ${fn}`.padEnd(16), mathSpeed(fn, relaxedMadd).toFixed(2), "elements/ns");
  }
}
