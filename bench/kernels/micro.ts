// Does the vector language cost anything? The inner tile of a matrix product, and elementary functions over an array in cache, written in
// the language and printed as WebAssembly: GFLOP/s and elements per nanosecond, the best of many rounds. `node bench/kernels/micro.ts`.
import { probeFeatures } from "../../src/backends/wasm/features.ts";
import { f32x, i32 } from "../../src/kernels/language/language.ts";
import { applyMath, type MathFunction } from "../../src/kernels/math/math.ts";
import { ModuleRecorder } from "../../src/kernels/language/recorder.ts";
import { wasmTarget } from "../../src/kernels/target.ts";
import { instantiate } from "../../test/kernels/instantiate.ts";
import { fastest, place, tileSpeed } from "./tile.ts";

const elements = 4096;

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
