// Philox4x32-10: random bits from a key and a counter, as TensorFlow counts them (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3").

/** The high half of a 32-bit by 32-bit product. */
function multiplyHigh(x: number, y: number): number {
  const [xh, xl, yh, yl] = [x >>> 16, x & 0xffff, y >>> 16, y & 0xffff];
  const middle = xh * yl + ((xl * yl) >>> 16);
  const other = xl * yh + (middle & 0xffff);
  return (xh * yh + Math.floor(middle / 65536) + Math.floor(other / 65536)) >>> 0;
}

/** Four words for a 64-bit key and a 128-bit counter. */
export function philoxBlock(key: bigint, counter: bigint): [number, number, number, number] {
  const word = (x: bigint, n: number): number => Number((x >> BigInt(32 * n)) & 0xffffffffn);
  let [c0, c1, c2, c3] = [word(counter, 0), word(counter, 1), word(counter, 2), word(counter, 3)];
  let [k0, k1] = [word(key, 0), word(key, 1)];
  for (let round = 0; round < 10; round++) {
    const [high0, low0] = [multiplyHigh(0xd2511f53, c0), Math.imul(0xd2511f53, c0)];
    const [high1, low1] = [multiplyHigh(0xcd9e8d57, c2), Math.imul(0xcd9e8d57, c2)];
    [c0, c1, c2, c3] = [(high1 ^ c1 ^ k0) >>> 0, low1 >>> 0, (high0 ^ c3 ^ k1) >>> 0, low0 >>> 0];
    k0 = (k0 + 0x9e3779b9) >>> 0;
    k1 = (k1 + 0xbb67ae85) >>> 0;
  }
  return [c0, c1, c2, c3];
}

/** `count` words of the generator [seed, seed2, blocks used]: the counter is seed2·2^64 + blocks used, and counts blocks. */
export function philoxWords(state: readonly [seed: bigint, seed2: bigint, blocksUsed: bigint], count: number): Uint32Array {
  const [seed, seed2, blocksUsed] = state.map(x => BigInt.asUintN(64, x));
  const words = new Uint32Array(count);
  for (let at = 0; at < count; at += 4) {
    const counter = BigInt.asUintN(128, (seed2 << 64n) + blocksUsed + BigInt(at / 4));
    words.set(philoxBlock(seed, counter).slice(0, count - at), at);
  }
  return words;
}
