// Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011): four words a block from a key and a counter.

import { sizeOf } from "../base/shape.ts";
import type { Kernel } from "../schedule/plan.ts";
import { least, plus, times } from "./arithmetic.ts";
import { type Expr, i32, i32x, i64, i64x, type Local, mask32 } from "./language/language.ts";
import type { Phase, Recording } from "./phase.ts";
import { type Address, Addresses } from "./places.ts";
import type { FunctionRecorder } from "./language/recorder.ts";

const multipliers = [0xd2511f53n, 0xcd9e8d57n] as const;
const weyl = [0x9e3779b9, 0xbb67ae85] as const;
const rounds = 10;
export const wordsPerBlock = 4;
/** Ten rounds for as many blocks as there are lanes, as schedule/cost.ts counts: measured, 1.5 ns a word. */
const wordCost = 45;
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
    const vectors = philoxVectors(k, addresses.of(state), addresses.of(out));
    const first = k.let(times(low, unitBlocks));
    const last = k.let(least(times(high, unitBlocks), blocks));
    const whole = Math.floor(words / wordsPerBlock);
    const { lanes32 } = k.target;
    const together = k.let(least(last, whole - (whole % lanes32)));
    k.loop({ from: first, to: together, step: lanes32 }, counter => vectors(counter));
    if (whole % lanes32 > 0) k.loop({ from: i32.max(first, together), to: least(last, whole) }, counter => block(counter, wordsPerBlock));
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

/** As many blocks as vectors have lanes, beginning with one by its number: lane n of a vector is a word of block n. */
function philoxVectors(k: FunctionRecorder, from: Address, to: Address): (number: Expr<"i32">) => void {
  const { lanes32, vectorBytes } = k.target;
  const lanes = Array.from({ length: lanes32 }, (_, lane) => lane);
  const splat = (x: Expr<"i64">, shift: 0 | 32): Local<"vec"> => k.let(i32x.splat(i32.fromI64(shift === 0 ? x : i64.shrU(x, shift))));
  const [seed, seed2, used] = [0, 8, 16].map(offset => k.let(i64.load(from.base, from.offset + offset)));
  const keys = [splat(seed, 0), splat(seed, 32)];
  const numbers = k.let(i32x.const(...lanes));
  /** 1 where a word that was counted up has become less, to be added to the next. */
  const carry = (has: Expr<"mask32">, word: Expr<"vec">): Local<"vec"> => k.let(i32x.sub(word, i32x.keep(has, -1)));
  return number => {
    const low = k.let(i64.add(used, i64.fromI32U(number)));
    const high = k.let(i64.add(seed2, i64.fromI32U(i64.ltU(low, used))));
    const begin = splat(low, 0);
    let c0 = k.let(i32x.add(begin, numbers));
    const carries = k.let(i32x.ltU(c0, begin));
    let c1 = carry(carries, splat(low, 32));
    const carriesOn = k.let(mask32.and(carries, i32x.eq(c1, 0)));
    let c2 = carry(carriesOn, splat(high, 0));
    let c3 = carry(mask32.and(carriesOn, i32x.eq(c2, 0)), splat(high, 32));
    for (let round = 0; round < rounds; round++) {
      const [low0, high0] = wholeProducts(k, c0, multipliers[0]);
      const [low1, high1] = wholeProducts(k, c2, multipliers[1]);
      const [key0, key1] = keys.map((key, i) => i32x.add(key, Math.imul(weyl[i], round)));
      [c0, c1, c2, c3] = [k.let(i32x.xor(i32x.xor(high1, c1), key0)), low1, k.let(i32x.xor(i32x.xor(high0, c3), key1)), low0];
    }
    // Four words of a block after the other: the lanes of all four in turn.
    const inTurn = (a: Expr<"vec">, b: Expr<"vec">): [Local<"vec">, Local<"vec">] => {
      const half = (start: number): number[] => lanes.map(lane => start + (lane >> 1) + (lane & 1) * lanes32);
      return [k.let(i32x.shuffle(a, b, half(0))), k.let(i32x.shuffle(a, b, half(lanes32 / 2)))];
    };
    const [even, odd] = [inTurn(c0, c2), inTurn(c1, c3)];
    const at = k.let(plus(to.base, i32.shl(number, 4)));
    const results = [0, 1].flatMap(half => inTurn(even[half], odd[half]));
    for (const [v, words] of results.entries()) k.store("i32x", at, to.offset + v * vectorBytes, words);
  };
}

/** The low and the high words of products with one number. */
function wholeProducts(k: FunctionRecorder, x: Expr<"vec">, by: bigint): readonly [low: Local<"vec">, high: Local<"vec">] {
  const factor = i32x.const(Number(by));
  const [first, second] = [k.let(i64x.mulI32LowU(x, factor)), k.let(i64x.mulI32HighU(x, factor))];
  const every = (start: number): number[] => Array.from({ length: k.target.lanes32 }, (_, lane) => 2 * lane + start);
  return [k.let(i32x.shuffle(first, second, every(0))), k.let(i32x.shuffle(first, second, every(1)))];
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
