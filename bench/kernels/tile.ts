// The inner tile of a matrix product from the first cache, written in the vector language: how fast this engine's vectors are on this machine.
import { probeFeatures } from "../../src/backends/wasm/features.ts";
import { f32x, i32 } from "../../src/kernels/language/language.ts";
import { ModuleRecorder } from "../../src/kernels/language/recorder.ts";
import { wasmTarget } from "../../src/kernels/target.ts";
import { instantiate } from "../../test/kernels/instantiate.ts";

const depth = 256;
export const place = { a: 4096, b: 1 << 16, c: 1 << 17 };

/** The fastest of some calls, in nanoseconds; the first ones let the engine optimise. */
export function fastest(call: () => void, rounds: number): number {
  for (let i = 0; i < rounds; i++) call();
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < rounds; i++) {
    const began = performance.now();
    call();
    best = Math.min(best, performance.now() - began);
  }
  return best * 1e6;
}

/** C tile = A rows · packed B panel, so many times: checked once, then to be timed. */
function tileOf(rows: number, columns: number, relaxedMadd: boolean): { run(times: number): void; flops: number } {
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
  const run = (times: number): void => {
    exports.tile(place.a, place.b, place.c, times);
  };
  run(1);
  for (let r = 0; r < rows; r++) {
    for (let j = 0; j < columns; j++) {
      let sum = 0;
      for (let i = 0; i < depth; i++) sum += f32[place.a / 4 + r * depth + i] * f32[place.b / 4 + i * columns + j];
      if (!(Math.abs(sum - f32[place.c / 4 + r * columns + j]) < 1e-4)) throw new Error(`tile ${rows}×${columns} computes something else`);
    }
  }
  return { run, flops: 2 * rows * columns * depth };
}

/** GFLOP/s of a tile. */
export function tileSpeed(rows: number, columns: number, relaxedMadd: boolean, passes = 2000, rounds = 30): number {
  const { run, flops } = tileOf(rows, columns, relaxedMadd);
  return (flops * passes) / fastest(() => run(passes), rounds);
}

/** The best tile for a long comparison: each call gives the GFLOP/s of the moment, of so many passes. */
export function peakNow(passes = 500): () => number {
  const relaxedMadd = probeFeatures().relaxedSimd;
  const [{ rows, columns }] = wasmTarget({ relaxedMadd }).tiles;
  const { run, flops } = tileOf(rows, columns, relaxedMadd);
  for (let i = 0; i < 50; i++) run(100);
  return () => {
    const began = performance.now();
    run(passes);
    return (passes * flops) / (performance.now() - began) / 1e6;
  };
}
