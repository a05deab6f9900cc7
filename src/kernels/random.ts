// Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011): four words a block from a key and a counter.

import { sizeOf } from "../base/shape.ts";
import type { Kernel } from "../schedule/plan.ts";
import { least, plus, times } from "./arithmetic.ts";
import { type Expr, i32, i64, type Local } from "./language/language.ts";
import type { Phase, Recording } from "./phase.ts";
import { type Address, Addresses } from "./places.ts";
import type { FunctionRecorder } from "./language/recorder.ts";

const multipliers = [0xd2511f53n, 0xcd9e8d57n] as const;
const weyl = [0x9e3779b9, 0xbb67ae85] as const;
const rounds = 10;
export const wordsPerBlock = 4;
/** Ten rounds of scalar products for four words, as schedule/cost.ts counts. */
const wordCost = 100;
/** Blocks that make one unit of work. */
const unitBlocks = 64;

/** Words of the generator whose state is [seed, seed2, blocks used]; block b of the kernel is block used + b of the generator. */
export function recordRandom({ out, state }: Extract<Kernel, { kind: "random" }>, { module, places, name }: Recording): Phase[] {
  const words = sizeOf(out.shape);
  const blocks = Math.ceil(words / wordsPerBlock);
  if (blocks === 0) return [];
  const label = name("random");
  const ref = module.function(label, { params: { low: "i32", high: "i32" } }, (k, { low, high }) => {
    const addresses = new Addresses(k, places, [out, state]);
    const block = philoxBlocks(k, addresses.of(state), addresses.of(out));
    const first = k.let(times(low, unitBlocks));
    const last = k.let(least(times(high, unitBlocks), blocks));
    const whole = Math.floor(words / wordsPerBlock);
    k.loop({ from: first, to: least(last, whole) }, counter => block(counter, wordsPerBlock));
    if (whole < blocks) k.if(i32.eq(last, blocks), () => block(k.number("i32", whole), words - whole * wordsPerBlock));
  });
  return [{ name: label, function: ref, units: Math.ceil(blocks / unitBlocks), work: wordCost * words }];
}

/** Writes the first words of a block by its number: so many of them, or as many as a number known while running says. */
export function philoxBlocks(k: FunctionRecorder, from: Address, to: Address): (number: Expr<"i32">, count: number | Expr<"i32">) => void {
  const [seed, seed2, used] = [0, 8, 16].map(offset => k.let(i64.load(from.base, from.offset + offset)));
  return (number, count) => {
    // The counter has 128 bits: what passes 64 is carried into its upper half.
    const low = k.let(i64.add(used, i64.fromI32U(number)));
    const result = philox(k, seed, low, i64.add(seed2, i64.fromI32U(i64.ltU(low, used))));
    const at = k.let(plus(to.base, i32.shl(number, 4)));
    for (let w = 0; w < wordsPerBlock; w++) {
      const store = (): void => k.store("i32", at, to.offset + 4 * w, result[w]);
      if (typeof count !== "number") k.if(i32.gt(count, w), store);
      else if (w < count) store();
    }
  };
}

function philox(k: FunctionRecorder, key: Expr<"i64">, low: Expr<"i64">, high: Expr<"i64">): Expr<"i32">[] {
  const lowHalf = (x: Expr<"i64">): Local<"i32"> => k.let(i32.fromI64(x));
  const highHalf = (x: Expr<"i64">): Local<"i32"> => k.let(i32.fromI64(i64.shrU(x, 32)));
  const upper = k.let(high);
  let [c0, c1, c2, c3] = [lowHalf(low), highHalf(low), lowHalf(upper), highHalf(upper)];
  const [k0, k1] = [lowHalf(key), highHalf(key)];
  for (let round = 0; round < rounds; round++) {
    const product0 = k.let(i64.mul(i64.fromI32U(c0), multipliers[0]));
    const product1 = k.let(i64.mul(i64.fromI32U(c2), multipliers[1]));
    const key0 = plus(k0, Math.imul(weyl[0], round));
    const key1 = plus(k1, Math.imul(weyl[1], round));
    [c0, c1, c2, c3] = [
      k.let(i32.xor(i32.xor(highHalf(product1), c1), key0)),
      lowHalf(product1),
      k.let(i32.xor(i32.xor(highHalf(product0), c3), key1)),
      lowHalf(product0),
    ];
  }
  return [c0, c1, c2, c3];
}
