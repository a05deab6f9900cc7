// Packing never overlaps, and seldom wastes.
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Lifetime, largestLiveSum, pack } from "./arena.ts";

const lifetime = fc
  .record({ bytes: fc.integer({ min: 1, max: 5000 }), start: fc.integer({ min: 0, max: 60 }), length: fc.integer({ min: 0, max: 12 }) })
  .map(({ bytes, start, length }): Lifetime => ({ bytes, start, end: start + length }));

describe("pack", () => {
  it("never lets two that live at the same time overlap", () => {
    fc.assert(
      fc.property(fc.array(lifetime, { maxLength: 40 }), items => {
        const { offsets, bytes } = pack(items, 64);
        const at = (item: Lifetime): number => offsets.get(item) as number;
        for (const [k, x] of items.entries()) {
          expect(at(x) % 64).toBe(0);
          expect(at(x) + x.bytes).toBeLessThanOrEqual(bytes);
          for (const y of items.slice(0, k)) {
            const isTogether = x.start <= y.end && y.start <= x.end;
            expect(isTogether && at(x) < at(y) + y.bytes && at(y) < at(x) + x.bytes).toBe(false);
          }
        }
        expect(bytes).toBeGreaterThanOrEqual(largestLiveSum(items, 64));
      }),
    );
  });

  it("gives the memory of what has ended to what begins after it", () => {
    const items = [
      { bytes: 640, start: 0, end: 1 },
      { bytes: 640, start: 2, end: 3 },
      { bytes: 64, start: 0, end: 3 },
    ];
    expect(pack(items, 64).bytes).toBe(704);
    expect(pack([], 64).bytes).toBe(0);
  });

  it("is exact for chains, where each array ends when the next has begun", () => {
    const chain = Array.from({ length: 100 }, (_, k) => ({ bytes: 64 * (1 + ((k * 7) % 5)), start: k, end: k + 1 }));
    expect(pack(chain, 64).bytes).toBeLessThanOrEqual(1.1 * largestLiveSum(chain, 64));
  });
});
