// Hash functions of byte strings that TensorFlow's ops promise: FarmHash's Fingerprint64 and Fingerprint128, SipHash-2-4 and MurmurHash64A.
// 64-bit arithmetic modulo 2^64 on bigints; nothing here knows tensors.

const mask = (1n << 64n) - 1n;
const wrap = (x: bigint): bigint => x & mask;
const times = (x: bigint, y: bigint): bigint => (x * y) & mask;
const rotateRight = (x: bigint, by: bigint): bigint => wrap((x >> by) | (x << (64n - by)));
const rotateLeft = (x: bigint, by: bigint): bigint => rotateRight(x, 64n - by);
const shiftMix = (x: bigint): bigint => x ^ (x >> 47n);

function word(bytes: Uint8Array, at: number, count = 8): bigint {
  let result = 0n;
  for (let i = count - 1; i >= 0; i--) result = (result << 8n) | BigInt(bytes[at + i] ?? 0);
  return result;
}

// ---- FarmHash (farmhashna::Hash64), Pike 2014 ----

const k0 = 0xc3a5c85c97cb3127n;
const k1 = 0xb492b66fbe98f273n;
const k2 = 0x9ae16a3b2f90404fn;

function mix(u: bigint, v: bigint, by: bigint): bigint {
  const a = shiftMix(times(u ^ v, by));
  return times(shiftMix(times(v ^ a, by)), by);
}

function upTo16(s: Uint8Array): bigint {
  const n = s.length;
  const by = wrap(k2 + BigInt(2 * n));
  if (n >= 8) {
    const [a, b] = [wrap(word(s, 0) + k2), word(s, n - 8)];
    return mix(wrap(times(rotateRight(b, 37n), by) + a), times(wrap(rotateRight(a, 25n) + b), by), by);
  }
  if (n >= 4) return mix(wrap(BigInt(n) + (word(s, 0, 4) << 3n)), word(s, n - 4, 4), by);
  if (n === 0) return k2;
  const y = BigInt(s[0] + (s[n >> 1] << 8));
  const z = BigInt(n + (s[n - 1] << 2));
  return times(shiftMix(times(y, k2) ^ times(z, k0)), k2);
}

function upTo32(s: Uint8Array): bigint {
  const n = s.length;
  const by = wrap(k2 + BigInt(2 * n));
  const [a, b] = [times(word(s, 0), k1), word(s, 8)];
  const [c, d] = [times(word(s, n - 8), by), times(word(s, n - 16), k2)];
  return mix(wrap(rotateRight(wrap(a + b), 43n) + rotateRight(c, 30n) + d), wrap(a + rotateRight(wrap(b + k2), 18n) + c), by);
}

function upTo64(s: Uint8Array): bigint {
  const n = s.length;
  const by = wrap(k2 + BigInt(2 * n));
  const [a, b] = [times(word(s, 0), k2), word(s, 8)];
  const [c, d] = [times(word(s, n - 8), by), times(word(s, n - 16), k2)];
  const y = wrap(rotateRight(wrap(a + b), 43n) + rotateRight(c, 30n) + d);
  const z = mix(y, wrap(a + rotateRight(wrap(b + k2), 18n) + c), by);
  const [e, f] = [times(word(s, 16), by), word(s, 24)];
  const g = times(wrap(y + word(s, n - 32)), by);
  const h = times(wrap(z + word(s, n - 24)), by);
  return mix(wrap(rotateRight(wrap(e + f), 43n) + rotateRight(g, 30n) + h), wrap(e + rotateRight(wrap(f + a), 18n) + g), by);
}

type Pair = [first: bigint, second: bigint];

function weak(s: Uint8Array, at: number, seedA: bigint, seedB: bigint): Pair {
  const [w, x, y, z] = [0, 8, 16, 24].map(offset => word(s, at + offset));
  const a = wrap(seedA + w);
  const b = rotateRight(wrap(seedB + a + z), 21n);
  const sum = wrap(a + x + y);
  return [wrap(sum + z), wrap(b + rotateRight(sum, 44n) + a)];
}

/** The fingerprint behind string_to_hash_bucket_fast; the same on all machines. */
export function fingerprint64(s: Uint8Array): bigint {
  const n = s.length;
  if (n <= 16) return upTo16(s);
  if (n <= 32) return upTo32(s);
  if (n <= 64) return upTo64(s);
  const seed = 81n;
  let y = wrap(seed * k1 + 113n);
  let z = times(shiftMix(wrap(y * k2 + 113n)), k2);
  let x = wrap(seed * k2 + word(s, 0));
  let [v, w]: [Pair, Pair] = [
    [0n, 0n],
    [0n, 0n],
  ];
  const rest = (n - 1) & 63;
  const end = n - 1 - rest;
  const round = (at: number, by: bigint, nine: bigint): void => {
    x = times(rotateRight(wrap(x + y + v[0] + word(s, at + 8)), 37n), by);
    y = times(rotateRight(wrap(y + v[1] + word(s, at + 48)), 42n), by);
    x ^= times(w[1], nine);
    y = wrap(y + times(v[0], nine) + word(s, at + 40));
    z = times(rotateRight(wrap(z + w[0]), 33n), by);
    v = weak(s, at, times(v[1], by), wrap(x + w[0]));
    w = weak(s, at + 32, wrap(z + w[1]), wrap(y + word(s, at + 16)));
    [z, x] = [x, z];
  };
  for (let at = 0; at < end; at += 64) round(at, k1, 1n);
  const by = wrap(k1 + ((z & 0xffn) << 1n));
  w[0] = wrap(w[0] + BigInt(rest));
  v[0] = wrap(v[0] + w[0]);
  w[0] = wrap(w[0] + v[0]);
  round(end + rest - 63, by, 9n);
  return mix(wrap(mix(v[0], w[0], by) + times(shiftMix(y), k0) + z), wrap(mix(v[1], w[1], by) + x), by);
}

// ---- CityHash of 128 bits (farmhashcc), Pike and Alakuijala 2011 ----

const pairBy = 0x9ddfea08eb382d69n;
const joined = (u: bigint, v: bigint): bigint => mix(u, v, pairBy);

/** A fingerprint of 128 bits, the low half first; the same on all machines. */
export function fingerprint128(s: Uint8Array): Pair {
  const n = s.length;
  return n >= 16 ? seeded128(s.subarray(16), word(s, 0), wrap(word(s, 8) + k0)) : seeded128(s, k0, k1);
}

function seeded128(s: Uint8Array, low: bigint, high: bigint): Pair {
  const n = s.length;
  if (n < 128) return murmur128(s, low, high);
  let [x, y, z] = [low, high, wrap(BigInt(n) * k1)];
  const first = wrap(times(rotateRight(y ^ k1, 49n), k1) + word(s, 0));
  let v: Pair = [first, wrap(times(rotateRight(first, 42n), k1) + word(s, 8))];
  let w: Pair = [wrap(times(rotateRight(wrap(y + z), 35n), k1) + x), times(rotateRight(wrap(x + word(s, 88)), 53n), k1)];
  const end = n - (n % 128);
  for (let at = 0; at < end; at += 64) {
    x = times(rotateRight(wrap(x + y + v[0] + word(s, at + 8)), 37n), k1);
    y = times(rotateRight(wrap(y + v[1] + word(s, at + 48)), 42n), k1);
    x ^= w[1];
    y = wrap(y + v[0] + word(s, at + 40));
    z = times(rotateRight(wrap(z + w[0]), 33n), k1);
    v = weak(s, at, times(v[1], k1), wrap(x + w[0]));
    w = weak(s, at + 32, wrap(z + w[1]), wrap(y + word(s, at + 16)));
    [z, x] = [x, z];
  }
  x = wrap(x + times(rotateRight(wrap(v[0] + z), 49n), k0));
  y = wrap(times(y, k0) + rotateRight(w[1], 37n));
  z = wrap(times(z, k0) + rotateRight(w[0], 27n));
  w = [times(w[0], 9n), w[1]];
  v = [times(v[0], k0), v[1]];
  for (let done = 32; done - 32 < n - end; done += 32) {
    const at = n - done;
    y = wrap(times(rotateRight(wrap(x + y), 42n), k0) + v[1]);
    w[0] = wrap(w[0] + word(s, at + 16));
    x = wrap(times(x, k0) + w[0]);
    z = wrap(z + w[1] + word(s, at));
    w[1] = wrap(w[1] + v[0]);
    v = weak(s, at, wrap(v[0] + z), v[1]);
    v[0] = times(v[0], k0);
  }
  x = joined(x, v[0]);
  y = joined(wrap(y + z), w[0]);
  return [wrap(joined(wrap(x + v[1]), w[1]) + y), joined(wrap(x + w[1]), wrap(y + v[1]))];
}

function murmur128(s: Uint8Array, low: bigint, high: bigint): Pair {
  const n = s.length;
  let [a, b] = [low, high];
  let c: bigint;
  let d: bigint;
  if (n <= 16) {
    a = times(shiftMix(times(a, k1)), k1);
    c = wrap(times(b, k1) + upTo16(s));
    d = shiftMix(wrap(a + (n >= 8 ? word(s, 0) : c)));
  } else {
    c = joined(wrap(word(s, n - 8) + k1), a);
    d = joined(wrap(b + BigInt(n)), wrap(c + word(s, n - 16)));
    a = wrap(a + d);
    for (let at = 0; at < n - 16; at += 16) {
      a = times(a ^ times(shiftMix(times(word(s, at), k1)), k1), k1);
      b ^= a;
      c = times(c ^ times(shiftMix(times(word(s, at + 8), k1)), k1), k1);
      d ^= c;
    }
  }
  a = joined(a, c);
  b = joined(d, b);
  return [a ^ b, joined(b, a)];
}

// ---- SipHash-2-4, Aumasson and Bernstein 2012 ----

/** The keyed hash behind string_to_hash_bucket_strong. */
export function sipHash(s: Uint8Array, key0: bigint, key1: bigint): bigint {
  let [a, b] = [wrap(key0) ^ 0x736f6d6570736575n, wrap(key1) ^ 0x646f72616e646f6dn];
  let [c, d] = [wrap(key0) ^ 0x6c7967656e657261n, wrap(key1) ^ 0x7465646279746573n];
  const rounds = (count: number): void => {
    for (let i = 0; i < count; i++) {
      a = wrap(a + b);
      c = wrap(c + d);
      b = rotateLeft(b, 13n) ^ a;
      d = rotateLeft(d, 16n) ^ c;
      a = rotateLeft(a, 32n);
      c = wrap(c + b);
      a = wrap(a + d);
      b = rotateLeft(b, 17n) ^ c;
      d = rotateLeft(d, 21n) ^ a;
      c = rotateLeft(c, 32n);
    }
  };
  const whole = s.length - (s.length % 8);
  for (let at = 0; at <= whole; at += 8) {
    const m = at < whole ? word(s, at) : word(s, at, s.length - whole) | (BigInt(s.length & 0xff) << 56n);
    d ^= m;
    rounds(2);
    a ^= m;
  }
  c ^= 0xffn;
  rounds(4);
  return a ^ b ^ c ^ d;
}

// ---- MurmurHash64A, Appleby ----

const murmur = 0xc6a4a7935bd1e995n;

/** The hash behind string_to_hash_bucket. */
export function hash64(s: Uint8Array, seed = 0xdecafcaffen): bigint {
  let h = seed ^ times(BigInt(s.length), murmur);
  const whole = s.length - (s.length % 8);
  for (let at = 0; at < whole; at += 8) {
    const k = times(shiftMix(times(word(s, at), murmur)), murmur);
    h = times(h ^ k, murmur);
  }
  if (whole < s.length) h = times(h ^ word(s, whole, s.length - whole), murmur);
  return shiftMix(times(shiftMix(h), murmur));
}
