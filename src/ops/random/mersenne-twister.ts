// The 64-bit Mersenne Twister (Nishimura and Matsumoto, 2000) and the order in which the C++ library shuffles with it. Few things are drawn from it, so it
// counts in bigints.

const [size, middle] = [312, 156];
const mask = (1n << 64n) - 1n;
const lowBits = (1n << 31n) - 1n;

export class MersenneTwister64 {
  private readonly state: bigint[];
  private next = size;

  constructor(seed: bigint) {
    const state = [seed & mask];
    for (let i = 1; i < size; i++) {
      const last = state[i - 1];
      state.push((6364136223846793005n * (last ^ (last >> 62n)) + BigInt(i)) & mask);
    }
    this.state = state;
  }

  /** The next 64 bits. */
  word(): bigint {
    if (this.next === size) this.twist();
    let x = this.state[this.next++];
    x ^= (x >> 29n) & 0x5555555555555555n;
    x ^= (x << 17n) & 0x71d67fffeda60000n;
    x ^= (x << 37n) & 0xfff7eee000000000n;
    return x ^ (x >> 43n);
  }

  private twist(): void {
    const { state } = this;
    for (let i = 0; i < size; i++) {
      const x = (state[i] & (mask ^ lowBits)) | (state[(i + 1) % size] & lowBits);
      state[i] = state[(i + middle) % size] ^ (x >> 1n) ^ ((x & 1n) === 0n ? 0n : 0xb5026f5aa96619e9n);
    }
    this.next = 0;
  }

  /** A number from 0 up to `count`, each equally likely. */
  below(count: number): number {
    const n = BigInt(count);
    const scale = mask / n;
    for (;;) {
      const x = this.word() / scale;
      if (x < n) return Number(x);
    }
  }

  /** Brings a list into another order. */
  shuffle<T>(list: T[]): void {
    const swap = (i: number, j: number): void => {
      [list[i], list[j]] = [list[j], list[i]];
    };
    let i = 1;
    if (list.length % 2 === 0 && list.length > 0) swap(i++, this.below(2));
    // Two places from one number.
    for (; i < list.length; i += 2) {
      const places = this.below((i + 1) * (i + 2));
      swap(i, Math.floor(places / (i + 2)));
      swap(i + 1, places % (i + 2));
    }
  }
}
