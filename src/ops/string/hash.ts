// Hash functions of byte strings that TensorFlow's ops promise: FarmHash's Fingerprint64 and Fingerprint128, SipHash-2-4 and MurmurHash64A.
// 64-bit arithmetic on halves of 32 bits, several times as fast as on bigints; nothing here knows tensors.

/** A number of 64 bits: its low half, then its high one. Functions change their first word; nothing is made on the way. */
type Word = Int32Array;

const word = (low = 0, high = 0): Word => Int32Array.of(low, high);
const wordOf = (x: bigint): Word => word(Number(BigInt.asIntN(32, x)), Number(BigInt.asIntN(32, x >> 32n)));
const valueOf = (a: Word): bigint => (BigInt(a[1] >>> 0) << 32n) | BigInt(a[0] >>> 0);

function set(a: Word, b: Word): void {
  a[0] = b[0];
  a[1] = b[1];
}

function setNumber(a: Word, low: number, high = 0): void {
  a[0] = low;
  a[1] = high;
}

function add(a: Word, b: Word): void {
  const low = (a[0] >>> 0) + (b[0] >>> 0);
  a[1] += b[1] + (low > 0xffffffff ? 1 : 0);
  a[0] = low;
}

/** Adds a number from 0 up to 2³². */
function addNumber(a: Word, n: number): void {
  const low = (a[0] >>> 0) + n;
  a[1] += low > 0xffffffff ? 1 : 0;
  a[0] = low;
}

function xor(a: Word, b: Word): void {
  a[0] ^= b[0];
  a[1] ^= b[1];
}

function times(a: Word, b: Word): void {
  const [al, ah, bl, bh] = [a[0], a[1], b[0], b[1]];
  const [a0, a1, b0, b1] = [al & 0xffff, al >>> 16, bl & 0xffff, bl >>> 16];
  const middle = a1 * b0 + ((a0 * b0) >>> 16);
  const other = a0 * b1 + (middle & 0xffff);
  a[0] = Math.imul(al, bl);
  a[1] = a1 * b1 + (middle >>> 16) + (other >>> 16) + Math.imul(al, bh) + Math.imul(ah, bl);
}

/** By 1 to 63 bits. */
function rotateRight(a: Word, by: number): void {
  const [low, high] = by < 32 ? [a[0], a[1]] : [a[1], a[0]];
  const bits = by & 31;
  a[0] = bits === 0 ? low : (low >>> bits) | (high << (32 - bits));
  a[1] = bits === 0 ? high : (high >>> bits) | (low << (32 - bits));
}

/** x ^ (x >> 47) */
function shiftMix(a: Word): void {
  a[0] ^= a[1] >>> 15;
}

const half = (s: Uint8Array, at: number): number => s[at] | (s[at + 1] << 8) | (s[at + 2] << 16) | (s[at + 3] << 24);

function load(a: Word, s: Uint8Array, at: number): void {
  a[0] = half(s, at);
  a[1] = half(s, at + 4);
}

/** The bytes from a place on, fewer than eight. */
function loadRest(a: Word, s: Uint8Array, at: number): void {
  setNumber(a, 0);
  for (let i = at; i < s.length; i++) a[(i - at) >> 2] |= s[i] << (8 * ((i - at) & 3));
}

const loaded = word();
function addLoaded(a: Word, s: Uint8Array, at: number): void {
  load(loaded, s, at);
  add(a, loaded);
}

// ---- what hashes are asked for ----

/** Hashes a string into a word. */
export type Hash = (out: Word, s: Uint8Array) => void;

const result = word();

/** The remainder of a hash by a number of buckets. */
export function bucketOf(hash: Hash, s: Uint8Array, buckets: number): number | bigint {
  hash(result, s);
  if (buckets > 2 ** 21) return valueOf(result) % BigInt(buckets);
  // Exact as long as a remainder with 32 bits behind it is.
  return (((result[1] >>> 0) % buckets) * 2 ** 32 + (result[0] >>> 0)) % buckets;
}

function value(hash: Hash, s: Uint8Array): bigint {
  hash(result, s);
  return valueOf(result);
}

// ---- FarmHash (farmhashna::Hash64), Pike 2014 ----

const k0 = word(0x97cb3127, 0xc3a5c85c);
const k1 = word(0xbe98f273, 0xb492b66f);
const k2 = word(0x2f90404f, 0x9ae16a3b);

const [a, b, c, d, e, f, g, h, second, by] = Array.from({ length: 10 }, () => word());

function mix(u: Word, v: Word, by: Word): void {
  xor(u, v);
  times(u, by);
  shiftMix(u);
  xor(u, v);
  times(u, by);
  shiftMix(u);
  times(u, by);
}

function setFactor(n: number): void {
  set(by, k2);
  addNumber(by, 2 * n);
}

function upTo16(out: Word, s: Uint8Array): void {
  const n = s.length;
  setFactor(n);
  if (n >= 8) {
    load(a, s, 0);
    add(a, k2);
    load(b, s, n - 8);
    set(out, b);
    rotateRight(out, 37);
    times(out, by);
    add(out, a);
    rotateRight(a, 25);
    add(a, b);
    times(a, by);
    mix(out, a, by);
  } else if (n >= 4) {
    const first = half(s, 0);
    setNumber(out, first << 3, first >>> 29);
    addNumber(out, n);
    setNumber(a, half(s, n - 4));
    mix(out, a, by);
  } else if (n === 0) set(out, k2);
  else {
    setNumber(out, s[0] + (s[n >> 1] << 8));
    times(out, k2);
    setNumber(a, n + (s[n - 1] << 2));
    times(a, k0);
    xor(out, a);
    shiftMix(out);
    times(out, k2);
  }
}

/** first = rotated (p + q) + rotated r + t; second = p + rotated (q + seed) + r */
function joinFour(first: Word, p: Word, q: Word, r: Word, t: Word, seed: Word): void {
  set(second, q);
  add(second, seed);
  rotateRight(second, 18);
  add(second, p);
  add(second, r);
  set(first, p);
  add(first, q);
  rotateRight(first, 43);
  add(first, t);
  rotateRight(r, 30);
  add(first, r);
}

function loadEnds(s: Uint8Array, factor: Word): void {
  const n = s.length;
  load(a, s, 0);
  times(a, factor);
  load(b, s, 8);
  load(c, s, n - 8);
  times(c, by);
  load(d, s, n - 16);
  times(d, k2);
}

function upTo32(out: Word, s: Uint8Array): void {
  setFactor(s.length);
  loadEnds(s, k1);
  joinFour(out, a, b, c, d, k2);
  mix(out, second, by);
}

function upTo64(out: Word, s: Uint8Array): void {
  const n = s.length;
  setFactor(n);
  loadEnds(s, k2);
  joinFour(g, a, b, c, d, k2);
  set(h, g);
  mix(h, second, by);
  load(e, s, 16);
  times(e, by);
  load(f, s, 24);
  addLoaded(g, s, n - 32);
  times(g, by);
  addLoaded(h, s, n - 24);
  times(h, by);
  joinFour(out, e, f, g, h, a);
  mix(out, second, by);
}

const [x, y, z, v0, v1, w0, w1, t] = Array.from({ length: 8 }, () => word());

/** Both words of a pair from 32 bytes and two seeds, which are changed. */
function weak(first: Word, last: Word, s: Uint8Array, at: number, seedA: Word, seedB: Word): void {
  addLoaded(seedA, s, at);
  add(seedB, seedA);
  addLoaded(seedB, s, at + 24);
  rotateRight(seedB, 21);
  set(first, seedA);
  addLoaded(first, s, at + 8);
  addLoaded(first, s, at + 16);
  set(last, first);
  addLoaded(first, s, at + 24);
  rotateRight(last, 44);
  add(last, seedB);
  add(last, seedA);
}

const [seedA, seedB] = [word(), word()];

/** A round over 64 bytes. */
function round(s: Uint8Array, at: number, by: Word, isLast: boolean): void {
  add(x, y);
  add(x, v0);
  addLoaded(x, s, at + 8);
  rotateRight(x, 37);
  times(x, by);
  add(y, v1);
  addLoaded(y, s, at + 48);
  rotateRight(y, 42);
  times(y, by);
  set(t, w1);
  if (isLast) times(t, nine);
  xor(x, t);
  set(t, v0);
  if (isLast) times(t, nine);
  add(y, t);
  addLoaded(y, s, at + 40);
  add(z, w0);
  rotateRight(z, 33);
  times(z, by);
  set(seedA, v1);
  times(seedA, by);
  set(seedB, x);
  add(seedB, w0);
  weak(v0, v1, s, at, seedA, seedB);
  set(seedA, z);
  add(seedA, w1);
  set(seedB, y);
  addLoaded(seedB, s, at + 16);
  weak(w0, w1, s, at + 32, seedA, seedB);
  set(t, z);
  set(z, x);
  set(x, t);
}

const nine = word(9);
const seed = word(81);

/** The hash behind string_to_hash_bucket_fast; the same on all machines. */
export const farmHash: Hash = (out, s) => {
  const n = s.length;
  if (n <= 16) return upTo16(out, s);
  if (n <= 32) return upTo32(out, s);
  if (n <= 64) return upTo64(out, s);
  set(y, seed);
  times(y, k1);
  addNumber(y, 113);
  set(z, y);
  times(z, k2);
  addNumber(z, 113);
  shiftMix(z);
  times(z, k2);
  set(x, seed);
  times(x, k2);
  addLoaded(x, s, 0);
  for (const each of [v0, v1, w0, w1]) setNumber(each, 0);
  const rest = (n - 1) & 63;
  const end = n - 1 - rest;
  for (let at = 0; at < end; at += 64) round(s, at, k1, false);
  set(by, k1);
  addNumber(by, (z[0] & 0xff) << 1);
  addNumber(w0, rest);
  add(v0, w0);
  add(w0, v0);
  round(s, end + rest - 63, by, true);
  mix(v0, w0, by);
  shiftMix(y);
  times(y, k0);
  add(v0, y);
  add(v0, z);
  mix(v1, w1, by);
  add(v1, x);
  set(out, v0);
  mix(out, v1, by);
};

export const fingerprint64 = (s: Uint8Array): bigint => value(farmHash, s);

// ---- CityHash of 128 bits (farmhashcc), Pike and Alakuijala 2011 ----

const pairBy = word(0xeb382d69, 0x9ddfea08);

/** A fingerprint of 128 bits, the low half first; the same on all machines. */
export function fingerprint128(s: Uint8Array): [low: bigint, high: bigint] {
  set(x, k0);
  set(y, k1);
  if (s.length < 16) return seeded128(s);
  load(x, s, 0);
  load(y, s, 8);
  add(y, k0);
  return seeded128(s.subarray(16));
}

/** Of bytes and the seeds in x and y. */
function seeded128(s: Uint8Array): [low: bigint, high: bigint] {
  const n = s.length;
  if (n < 128) return murmur128(s);
  setNumber(z, n);
  times(z, k1);
  set(v0, y);
  xor(v0, k1);
  rotateRight(v0, 49);
  times(v0, k1);
  addLoaded(v0, s, 0);
  set(v1, v0);
  rotateRight(v1, 42);
  times(v1, k1);
  addLoaded(v1, s, 8);
  set(w0, y);
  add(w0, z);
  rotateRight(w0, 35);
  times(w0, k1);
  add(w0, x);
  set(w1, x);
  addLoaded(w1, s, 88);
  rotateRight(w1, 53);
  times(w1, k1);
  const end = n - (n % 128);
  for (let at = 0; at < end; at += 64) round(s, at, k1, false);
  set(t, v0);
  add(t, z);
  rotateRight(t, 49);
  times(t, k0);
  add(x, t);
  set(t, w1);
  rotateRight(t, 37);
  times(y, k0);
  add(y, t);
  set(t, w0);
  rotateRight(t, 27);
  times(z, k0);
  add(z, t);
  times(w0, nine);
  times(v0, k0);
  for (let done = 32; done - 32 < n - end; done += 32) {
    const at = n - done;
    add(y, x);
    rotateRight(y, 42);
    times(y, k0);
    add(y, v1);
    addLoaded(w0, s, at + 16);
    times(x, k0);
    add(x, w0);
    add(z, w1);
    addLoaded(z, s, at);
    add(w1, v0);
    set(seedA, v0);
    add(seedA, z);
    set(seedB, v1);
    weak(v0, v1, s, at, seedA, seedB);
    times(v0, k0);
  }
  mix(x, v0, pairBy);
  add(y, z);
  mix(y, w0, pairBy);
  set(a, x);
  add(a, v1);
  mix(a, w1, pairBy);
  add(a, y);
  add(x, w1);
  add(y, v1);
  mix(x, y, pairBy);
  return [valueOf(a), valueOf(x)];
}

function murmur128(s: Uint8Array): [low: bigint, high: bigint] {
  const n = s.length;
  if (n <= 16) {
    upTo16(z, s);
    times(x, k1);
    shiftMix(x);
    times(x, k1);
    set(w0, y);
    times(w0, k1);
    add(w0, z);
    set(w1, x);
    if (n >= 8) addLoaded(w1, s, 0);
    else add(w1, w0);
    shiftMix(w1);
  } else {
    load(w0, s, n - 8);
    add(w0, k1);
    mix(w0, x, pairBy);
    set(w1, y);
    addNumber(w1, n);
    set(t, w0);
    addLoaded(t, s, n - 16);
    mix(w1, t, pairBy);
    add(x, w1);
    for (let at = 0; at < n - 16; at += 16) {
      murmurStep(x, s, at);
      xor(y, x);
      murmurStep(w0, s, at + 8);
      xor(w1, w0);
    }
  }
  mix(x, w0, pairBy);
  mix(w1, y, pairBy);
  set(t, x);
  xor(t, w1);
  mix(w1, x, pairBy);
  return [valueOf(t), valueOf(w1)];
}

function murmurStep(u: Word, s: Uint8Array, at: number): void {
  load(t, s, at);
  times(t, k1);
  shiftMix(t);
  times(t, k1);
  xor(u, t);
  times(u, k1);
}

// ---- SipHash-2-4, Aumasson and Bernstein 2012 ----

function sipRounds(count: number): void {
  for (let i = 0; i < count; i++) {
    add(a, b);
    add(c, d);
    rotateRight(b, 51);
    xor(b, a);
    rotateRight(d, 48);
    xor(d, c);
    rotateRight(a, 32);
    add(c, b);
    add(a, d);
    rotateRight(b, 47);
    xor(b, c);
    rotateRight(d, 43);
    xor(d, a);
    rotateRight(c, 32);
  }
}

/** The keyed hash behind string_to_hash_bucket_strong. */
export function sipHashOf(key0: bigint, key1: bigint): Hash {
  const [first, last] = [wordOf(key0), wordOf(key1)];
  return (out, s) => {
    setNumber(a, 0x70736575, 0x736f6d65);
    setNumber(b, 0x6e646f6d, 0x646f7261);
    setNumber(c, 0x6e657261, 0x6c796765);
    setNumber(d, 0x79746573, 0x74656462);
    for (const each of [a, c]) xor(each, first);
    for (const each of [b, d]) xor(each, last);
    const whole = s.length - (s.length % 8);
    for (let at = 0; at <= whole; at += 8) {
      if (at < whole) load(t, s, at);
      else {
        loadRest(t, s, at);
        t[1] |= s.length << 24;
      }
      xor(d, t);
      sipRounds(2);
      xor(a, t);
    }
    c[0] ^= 0xff;
    sipRounds(4);
    set(out, a);
    for (const each of [b, c, d]) xor(out, each);
  };
}

export const sipHash = (s: Uint8Array, key0: bigint, key1: bigint): bigint => value(sipHashOf(key0, key1), s);

// ---- MurmurHash64A, Appleby ----

const murmur = word(0x5bd1e995, 0xc6a4a793);

const murmurOf =
  (seed: Word): Hash =>
  (out, s) => {
    setNumber(out, s.length);
    times(out, murmur);
    xor(out, seed);
    const whole = s.length - (s.length % 8);
    for (let at = 0; at < whole; at += 8) {
      load(t, s, at);
      times(t, murmur);
      shiftMix(t);
      times(t, murmur);
      xor(out, t);
      times(out, murmur);
    }
    if (whole < s.length) {
      loadRest(t, s, whole);
      xor(out, t);
      times(out, murmur);
    }
    shiftMix(out);
    times(out, murmur);
    shiftMix(out);
  };

/** The hash behind string_to_hash_bucket. */
export const murmurHash = murmurOf(word(0xcafcaffe, 0xde));

/** The same with a seed of one's own: TensorFlow's Hash64. */
export const hash64 = (s: Uint8Array, seed: bigint): bigint => value(murmurOf(wordOf(seed)), s);
