// How a phase is cut for threads: every unit once, chunks that differ by a unit at most, so that nobody has much more than the others.
import { expect, test } from "vitest";
import { instantiate } from "../../test/kernels/instantiate.ts";
import { i32 } from "./language/language.ts";
import { ModuleRecorder } from "./language/recorder.ts";
import { wasmTarget } from "./target.ts";
import { controlGlobal, mayWaitGlobal, Sharing, sharedMemory, usualRules } from "./threads.ts";

/** The [low, high) of every chunk of a phase. */
function chunksOf(units: number, threads: number, work: number): [number, number][] {
  const m = new ModuleRecorder(wasmTarget({ threads }), sharedMemory);
  const sharing = new Sharing(m, usualRules);
  // Appends what it is called with.
  const phase = m.function("phase", { params: { low: "i32", high: "i32" } }, (k, { low, high }) => {
    const at = k.let(i32.load(i32.const(512), 0));
    k.store("i32", at, 1024, low);
    k.store("i32", at, 1028, high);
    k.store("i32", i32.const(512), 0, i32.add(at, 8));
  });
  m.function("run", { exported: true, results: [] }, k => sharing.share({ name: "phase", function: phase, units, work }, k));
  sharing.finish();
  const { exports, i32: words } = instantiate(m.finish(), { [controlGlobal]: 64, [mayWaitGlobal]: 1 });
  exports.run();
  const count = words[128] / 8;
  return Array.from({ length: count }, (_, i): [number, number] => [words[256 + 2 * i], words[257 + 2 * i]]);
}

test("every unit once, in chunks that differ by one at most, the larger first", () => {
  for (const threads of [2, 3, 8])
    for (const units of [2, 3, 5, 7, 16, 49, 100, 131, 1400, 100_000]) {
      const chunks = chunksOf(units, threads, 1e9);
      expect(chunks.length, `${units} units`).toBe(Math.min(units, 16 * threads));
      const sizes = chunks.map(([low, high]) => high - low);
      expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
      expect(sizes).toEqual([...sizes].sort((a, b) => b - a));
      const inOrder = [...chunks].sort(([a], [b]) => a - b);
      expect(inOrder.map(([low]) => low)).toEqual([0, ...inOrder.slice(0, -1).map(([, high]) => high)]);
      expect(inOrder.at(-1)?.[1]).toBe(units);
    }
});

test("little work is cut in as many chunks as there are threads", () => {
  expect(chunksOf(100, 2, usualRules.leastPhase)).toEqual([
    [50, 100],
    [0, 50],
  ]);
  expect(chunksOf(100, 2, 5 * usualRules.leastChunk).length).toBe(5);
});
