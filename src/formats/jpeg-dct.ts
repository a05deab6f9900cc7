// The cosine transforms of JPEG in whole numbers, to the bit as libjpeg-turbo's vector code computes them: the accurate one (Loeffler, Ligtenberg,
// Moschytz 1989), the fast one (Arai, Agui, Nakajima 1988), those to fewer pixels, and the way back. Its words have 16 bits, so damaged files wrap
// and saturate here as they do there.

/** Pixels a block has on a side: fewer than 8 give a smaller picture. */
export type BlockSide = 1 | 2 | 4 | 8;
export type Method = "accurate" | "fast";

/** Writes the pixels of one block, `stride` apart row by row. `scales` are the quantization factors in the form of `scalesFor`. */
export type InverseTransform = (
  coefficients: Int16Array,
  at: number,
  scales: Int16Array,
  out: Uint8Array,
  outAt: number,
  stride: number,
) => void;

const wrap = (x: number): number => (x << 16) >> 16;
const saturate = (x: number): number => Math.min(Math.max(x, -32768), 32767);
/** A signed sample as a pixel. */
const pixel = (x: number): number => (x < -128 ? 0 : x > 127 ? 255 : x + 128);
const descale = (x: number, bits: number): number => (x + (1 << (bits - 1))) >> bits;

// Factors in 2¹³ths, as all of the accurate transforms have them.
const [c0_298, c0_390, c0_541, c0_765, c0_899, c1_175] = [2446, 3196, 4433, 6270, 7373, 9633];
const [c1_501, c1_847, c1_961, c2_053, c2_562, c3_072] = [12299, 15137, 16069, 16819, 20995, 25172];

/** How many more bits the first pass keeps. */
const passBits = 2;

/** Eight values `step` apart, transformed in place; the results have 13 more bits. */
function accuratePass(data: Int32Array, at: number, step: number, finish: (x: number) => number): void {
  const [x0, x1, x2, x3] = [data[at], data[at + step], data[at + 2 * step], data[at + 3 * step]];
  const [x4, x5, x6, x7] = [data[at + 4 * step], data[at + 5 * step], data[at + 6 * step], data[at + 7 * step]];
  const shared = (x2 + x6) * c0_541;
  const [e2, e3] = [shared - x6 * c1_847, shared + x2 * c0_765];
  const [e0, e1] = [wrap(x0 + x4) << 13, wrap(x0 - x4) << 13];
  const [s0, s3, s1, s2] = [e0 + e3, e0 - e3, e1 + e2, e1 - e2];
  const [z3, z4] = [wrap(x7 + x3), wrap(x5 + x1)];
  const z5 = (z3 + z4) * c1_175;
  const [z1, z2] = [-(x7 + x1) * c0_899, -(x5 + x3) * c2_562];
  const [a, b] = [z5 - z3 * c1_961, z5 - z4 * c0_390];
  const o0 = x7 * c0_298 + z1 + a;
  const o1 = x5 * c2_053 + z2 + b;
  const o2 = x3 * c3_072 + z2 + a;
  const o3 = x1 * c1_501 + z1 + b;
  data[at] = finish(s0 + o3);
  data[at + 7 * step] = finish(s0 - o3);
  data[at + step] = finish(s1 + o2);
  data[at + 6 * step] = finish(s1 - o2);
  data[at + 2 * step] = finish(s2 + o1);
  data[at + 5 * step] = finish(s2 - o1);
  data[at + 3 * step] = finish(s3 + o0);
  data[at + 4 * step] = finish(s3 - o0);
}

const toColumns = (x: number): number => saturate(descale(x, 13 - passBits));
const toRows = (x: number): number => pixel(descale(x, 13 + passBits + 3));

/** The product of two 16-bit words of which the second is in 2⁸ths. */
const scaled = (x: number, factor: number): number => (wrap(x << 2) * factor) >> 10;

function fastPass(data: Int32Array, at: number, step: number, finish: (x: number) => number): void {
  const [x0, x1, x2, x3] = [data[at], data[at + step], data[at + 2 * step], data[at + 3 * step]];
  const [x4, x5, x6, x7] = [data[at + 4 * step], data[at + 5 * step], data[at + 6 * step], data[at + 7 * step]];
  const [e10, e11, e13] = [wrap(x0 + x4), wrap(x0 - x4), wrap(x2 + x6)];
  const e12 = wrap(scaled(wrap(x2 - x6), 362) - e13);
  const [e0, e3, e1, e2] = [wrap(e10 + e13), wrap(e10 - e13), wrap(e11 + e12), wrap(e11 - e12)];
  const [z13, z10, z11, z12] = [wrap(x5 + x3), wrap(x5 - x3), wrap(x1 + x7), wrap(x1 - x7)];
  const o7 = wrap(z11 + z13);
  const z5 = scaled(wrap(z10 + z12), 473);
  const o6 = wrap(wrap(scaled(z10, -413) - z10) + z5 - o7);
  const o5 = wrap(scaled(wrap(z11 - z13), 362) - o6);
  const o4 = wrap(wrap(scaled(z12, 277) - z5) + o5);
  data[at] = finish(wrap(e0 + o7));
  data[at + 7 * step] = finish(wrap(e0 - o7));
  data[at + step] = finish(wrap(e1 + o6));
  data[at + 6 * step] = finish(wrap(e1 - o6));
  data[at + 2 * step] = finish(wrap(e2 + o5));
  data[at + 5 * step] = finish(wrap(e2 - o5));
  data[at + 4 * step] = finish(wrap(e3 + o4));
  data[at + 3 * step] = finish(wrap(e3 - o4));
}

const asIs = (x: number): number => x;
const fromFast = (x: number): number => pixel(x >> (passBits + 3));

/** An inverse transform that does columns, then rows, in one way. */
function inBothDirections(
  pass: (data: Int32Array, at: number, step: number, finish: (x: number) => number) => void,
  columnsDone: (x: number) => number,
  rowsDone: (x: number) => number,
): InverseTransform {
  const data = new Int32Array(64);
  return (coefficients, at, scales, out, outAt, stride) => {
    for (let i = 0; i < 64; i++) data[i] = wrap(coefficients[at + i] * scales[i]);
    for (let column = 0; column < 8; column++) pass(data, column, 8, columnsDone);
    for (let row = 0; row < 8; row++) {
      pass(data, 8 * row, 1, rowsDone);
      for (let column = 0; column < 8; column++) out[outAt + row * stride + column] = data[8 * row + column];
    }
  };
}

/** Four of eight: the highest odd frequency and the middle even one have no part in it. */
function halfPass(data: Int32Array, at: number, step: number, finish: (x: number) => number): void {
  const [x0, x1, x2, x3] = [data[at], data[at + step], data[at + 2 * step], data[at + 3 * step]];
  const [x5, x6, x7] = [data[at + 5 * step], data[at + 6 * step], data[at + 7 * step]];
  const mean = x0 << 14;
  const even = x2 * c1_847 - x6 * c0_765;
  const inner = x5 * 11893 - x7 * 1730 - x3 * 17799 + x1 * 8697;
  const outer = x3 * 7373 - x7 * 4176 - x5 * 4926 + x1 * 20995;
  data[at] = finish(mean + even + outer);
  data[at + 3 * step] = finish(mean + even - outer);
  data[at + step] = finish(mean - even + inner);
  data[at + 2 * step] = finish(mean - even - inner);
}

function quarterPass(data: Int32Array, at: number, step: number, finish: (x: number) => number): void {
  const [x0, x1, x3, x5, x7] = [data[at], data[at + step], data[at + 3 * step], data[at + 5 * step], data[at + 7 * step]];
  const mean = x0 << 15;
  const odd = x5 * 6967 - x7 * 5906 - x3 * 10426 + x1 * 29692;
  data[at] = finish(mean + odd);
  data[at + step] = finish(mean - odd);
}

/** A transform to 4 or 2 pixels a side. */
function reduced(side: 2 | 4, pass: typeof halfPass, extraBits: number): InverseTransform {
  const data = new Int32Array(64);
  const columnsDone = (x: number): number => saturate(descale(x, 13 - passBits + extraBits));
  const rowsDone = (x: number): number => pixel(descale(x, 13 + passBits + 3 + extraBits));
  return (coefficients, at, scales, out, outAt, stride) => {
    for (let i = 0; i < 64; i++) data[i] = wrap(coefficients[at + i] * scales[i]);
    for (let column = 0; column < 8; column++) pass(data, column, 8, columnsDone);
    for (let row = 0; row < side; row++) {
      pass(data, 8 * row, 1, rowsDone);
      for (let column = 0; column < side; column++) out[outAt + row * stride + column] = data[8 * row + column];
    }
  };
}

/** The mean alone: this one is not vector code there, and wraps at ten bits. */
const toOne: InverseTransform = (coefficients, at, scales, out, outAt) => {
  out[outAt] = pixel((descale(coefficients[at] * scales[0], 3) << 22) >> 22);
};

/** The transform of blocks to `side` pixels a side. */
export function inverseTransform(side: BlockSide, method: Method): InverseTransform {
  if (side === 1) return toOne;
  if (side === 2) return reduced(2, quarterPass, 2);
  if (side === 4) return reduced(4, halfPass, 1);
  return method === "fast" ? inBothDirections(fastPass, asIs, fromFast) : inBothDirections(accuratePass, toColumns, toRows);
}

/** What each frequency of the fast transform is scaled by, in 2¹⁴ths along each axis: 1 and cos(kπ/16)·√2. */
const fastFactor = (k: number): number => (k === 0 ? 1 : Math.cos((k * Math.PI) / 16) * Math.SQRT2);

/** Quantization factors (row by row) as the transform takes them. */
export function scalesFor(quantization: Uint16Array, side: BlockSide, method: Method): Int16Array {
  if (side !== 8 || method === "accurate") return Int16Array.from(quantization);
  return Int16Array.from(quantization, (factor, i) => {
    const weight = Math.round(fastFactor(i >> 3) * fastFactor(i & 7) * 2 ** 14);
    return (factor * weight + (1 << 11)) >> 12;
  });
}

/** One pass of the way there; results have 13 more bits but for the sums. */
function forwardPass(data: Int32Array, at: number, step: number, ofSums: (x: number) => number, finish: (x: number) => number): void {
  const x = (i: number): number => data[at + i * step];
  const [p0, p1, p2, p3] = [x(0) + x(7), x(1) + x(6), x(2) + x(5), x(3) + x(4)];
  const [m0, m1, m2, m3] = [x(0) - x(7), x(1) - x(6), x(2) - x(5), x(3) - x(4)];
  const [e0, e3, e1, e2] = [p0 + p3, p0 - p3, p1 + p2, p1 - p2];
  data[at] = ofSums(e0 + e1);
  data[at + 4 * step] = ofSums(e0 - e1);
  const shared = (e2 + e3) * c0_541;
  data[at + 2 * step] = finish(shared + e3 * c0_765);
  data[at + 6 * step] = finish(shared - e2 * c1_847);
  const [z1, z2, z3, z4] = [-(m3 + m0) * c0_899, -(m2 + m1) * c2_562, m3 + m1, m2 + m0];
  const z5 = (z3 + z4) * c1_175;
  const [a, b] = [z5 - z3 * c1_961, z5 - z4 * c0_390];
  data[at + 7 * step] = finish(m3 * c0_298 + z1 + a);
  data[at + 5 * step] = finish(m2 * c2_053 + z2 + b);
  data[at + 3 * step] = finish(m1 * c3_072 + z2 + a);
  data[at + step] = finish(m0 * c1_501 + z1 + b);
}

/** 64 samples around 0, to coefficients 8 times their size, in place. */
export function forwardTransform(block: Int32Array): void {
  for (let row = 0; row < 8; row++)
    forwardPass(
      block,
      8 * row,
      1,
      x => x << passBits,
      x => descale(x, 13 - passBits),
    );
  for (let column = 0; column < 8; column++)
    forwardPass(
      block,
      column,
      8,
      x => descale(x, passBits),
      x => descale(x, 13 + passBits),
    );
}
