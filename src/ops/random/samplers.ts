// Samples of gamma, Poisson, binomial and bounded normal distributions, word for word as TensorFlow's kernels consume the generator: each sample
// has a stretch of 256 blocks of its own. Marsaglia & Tsang 2000 (gamma); Knuth and Hörmann 1993 (Poisson, binomial); Robert 1995 (bounded normal).
// Arithmetic is rounded to the type after each step, so that rejections fall where TensorFlow's do.

import { type DType, isBigInteger } from "../../base/dtype.ts";
import { InternalError, InvalidArgumentError } from "../../base/errors.ts";
import { NDArray } from "../../base/ndarray.ts";
import type { Routine } from "../../ir/program.ts";
import { logarithm64 } from "./double.ts";
import { PhiloxStream } from "./philox.ts";
import { logarithm32 } from "./trigonometry.ts";

/** Blocks set aside for each sample. */
export const blocksPerSample = 256;

type Round = (x: number) => number;

const identity: Round = x => x;

/** Rounding to a type, one value at a time. */
function roundTo(dtype: DType): Round {
  if (dtype === "float32") return Math.fround;
  if (dtype !== "float16" && dtype !== "bfloat16") return identity;
  const cell = NDArray.zeros(dtype, []);
  return x => {
    cell.set(0, x);
    return cell.get(0) as number;
  };
}

const numberAt = (array: NDArray, i: number): number => Number(array.get(i));

const store = (array: NDArray, i: number, x: number): void =>
  array.set(i, isBigInteger(array.dtype) ? (Number.isFinite(x) ? BigInt(Math.trunc(x)) : -(2n ** 63n)) : x);

/** Random numbers of one stretch: uniform and normal ones, drawn a block at a time and used from its end. */
class Draws {
  private readonly stream: PhiloxStream;
  private readonly dtype: DType;
  private readonly round: Round;
  private readonly perBlock: number;
  private readonly uniforms = new Float64Array(4);
  private readonly normals = new Float64Array(4);
  private uniformsLeft = 0;
  private normalsLeft = 0;
  private readonly pair = new Float64Array(2);

  constructor(state: NDArray, dtype: DType) {
    this.stream = new PhiloxStream(state);
    this.dtype = dtype;
    this.round = roundTo(dtype);
    this.perBlock = dtype === "float64" ? 2 : 4;
  }

  begin(block: number): void {
    this.stream.skipTo(block);
    this.uniformsLeft = 0;
    this.normalsLeft = 0;
  }

  uniform(): number {
    if (this.uniformsLeft === 0) this.uniformsLeft = this.uniformBlock().length;
    return this.uniforms[--this.uniformsLeft];
  }

  normal(): number {
    if (this.normalsLeft === 0) this.normalsLeft = this.normalBlock().length;
    return this.normals[--this.normalsLeft];
  }

  /** A block of uniform numbers, in order. */
  uniformBlock(): Float64Array {
    const { stream, perBlock, dtype } = this;
    for (let i = 0; i < perBlock; i++) this.uniforms[i] = dtype === "float64" ? stream.unit64() : this.unit();
    return this.uniforms.subarray(0, perBlock);
  }

  private unit(): number {
    const { stream, dtype } = this;
    if (dtype === "float32") return stream.unit32();
    return dtype === "float16" ? (stream.word() & 0x3ff) * 2 ** -10 : (stream.word() & 0x7f) * 2 ** -7;
  }

  /** A block of normal numbers, in order. */
  normalBlock(): Float64Array {
    const { stream, perBlock, dtype, pair } = this;
    for (let i = 0; i < perBlock; i += 2) {
      if (dtype === "float64") stream.normalPair64(pair);
      else stream.normalPair32(pair);
      this.normals[i] = this.round(pair[0]);
      this.normals[i + 1] = this.round(pair[1]);
    }
    return this.normals.subarray(0, perBlock);
  }
}

const logarithmOf = (dtype: DType): ((x: number) => number) =>
  dtype === "float32" ? x => (x > 0 ? logarithm32(x) : Math.log(x)) : x => (x > 0 && x < 1 && x >= 1e-7 ? logarithm64(x) : Math.log(x));

/** Calls `sample(k, parameter)` for sample `k` of all: parameter by parameter, each with all of its samples. */
function forEachSample(parameters: number, samples: number, sample: (k: number, parameter: number, at: number) => void): void {
  for (let parameter = 0; parameter < parameters; parameter++)
    for (let i = 0; i < samples; i++) sample(parameter * samples + i, parameter, i * parameters + parameter);
}

// ---- gamma ----

/** Gamma samples of shape parameter alpha and rate 1, in double precision whatever the type; out is [...samples, ...alpha]. */
export const gammaSamples: Routine = {
  name: "randomGamma",
  run: ([state, alphas], [out]) => {
    const draws = new Draws(state, "float64");
    forEachSample(alphas.size, out.size / Math.max(alphas.size, 1), (k, parameter, at) => {
      const alpha = numberAt(alphas, parameter);
      const isSmall = alpha < 1;
      const d = alpha + (isSmall ? 2 / 3 : -1 / 3);
      const c = 1 / 3 / Math.sqrt(d);
      draws.begin(blocksPerSample * k);
      // The exponential distribution, which TensorFlow samples directly.
      if (alpha === 1) {
        store(out, at, -Math.log1p(-draws.uniform()));
        return;
      }
      for (;;) {
        const x = draws.normal();
        const root = 1 + c * x;
        if (root <= 0) continue;
        const v = root * root * root;
        const u = draws.uniform();
        const isInside = u < 1 - 0.0331 * (x * x) * (x * x);
        if (!isInside && !(Math.log(u) < 0.5 * x * x + d * (1 - v + Math.log(v)))) continue;
        const sample = d * v;
        store(out, at, isSmall ? sample * draws.uniform() ** (1 / alpha) : sample);
        return;
      }
    });
  },
};

// ---- Poisson ----

/** log k!, by Stirling's formula and what it leaves. */
const logFactorial = (k: number): number => (k + 0.5) * Math.log(k + 1) - (k + 1) + 0.5 * Math.log(2 * Math.PI) + stirlingTail(k);

/** Poisson samples, in double precision whatever the type; out is [...samples, ...rate]. */
export const poissonSamples: Routine = {
  name: "randomPoisson",
  run: ([state, rates], [out]) => {
    const draws = new Draws(state, "float64");
    forEachSample(rates.size, out.size / Math.max(rates.size, 1), (k, parameter, at) => {
      const rate = numberAt(rates, parameter);
      draws.begin(blocksPerSample * k);
      store(out, at, !(rate >= 0 && rate < Infinity) ? Number.NaN : rate < 10 ? byProducts(rate, draws) : byPoissonRejection(rate, draws));
    });
  },
};

/** Counts how many uniform numbers multiply to e^-rate. */
function byProducts(rate: number, draws: Draws): number {
  const least = Math.exp(-rate);
  let product = 1;
  for (let x = 0; ; x++) {
    product *= draws.uniform();
    if (product <= least) return x;
  }
}

/** Hörmann's transformed rejection. */
function byPoissonRejection(rate: number, draws: Draws): number {
  const b = 0.931 + 2.53 * Math.sqrt(rate);
  const a = -0.059 + 0.02483 * b;
  const inverseAlpha = 1.1239 + 1.1328 / (b - 3.4);
  for (;;) {
    const u = draws.uniform() - 0.5;
    const v = draws.uniform();
    const shifted = 0.5 - Math.abs(u);
    const k = Math.floor(((2 * a) / shifted + b) * u + rate + 0.43);
    if (shifted >= 0.07 && v <= 0.9277 - 3.6224 / (b - 2)) return k;
    if (k < 0 || (shifted < 0.013 && v > shifted)) continue;
    const s = Math.log((v * inverseAlpha) / (a / (shifted * shifted) + b));
    if (s <= -rate + k * Math.log(rate) - logFactorial(k)) return k;
  }
}

// ---- binomial ----

/** Blocks between samples that are found by inversion. */
const blocksPerInversion = 42;

/** Sums geometric numbers until they exceed the count. */
function byInversion(count: number, probability: number, draws: Draws): number {
  let sum = 0;
  for (let found = 0; ; found++) {
    sum += Math.ceil(Math.log(draws.uniform()) / Math.log1p(-probability));
    if (!(sum <= count)) return found;
  }
}

const stirlingTails = [
  0.0810614667953272, 0.0413406959554092, 0.0276779256849983, 0.02079067210376509, 0.0166446911898211, 0.0138761288230707,
  0.0118967099458917, 0.010411265261972, 0.00925546218271273, 0.00833056343336287,
];

/** What Stirling's formula leaves of log k!. */
function stirlingTail(k: number): number {
  if (k <= 9) return stirlingTails[Math.trunc(k)];
  const square = (k + 1) * (k + 1);
  return (1 / 12 - (1 / 360 - 1 / 1260 / square) / square) / (k + 1);
}

/** Hörmann's transformed rejection, for means of 10 and more. */
function byTransformedRejection(count: number, probability: number, draws: Draws): number {
  const deviation = Math.sqrt(count * probability * (1 - probability));
  const b = 1.15 + 2.53 * deviation;
  const a = -0.0873 + 0.0248 * b + 0.01 * probability;
  const c = count * probability + 0.5;
  const tight = 0.92 - 4.2 / b;
  const odds = probability / (1 - probability);
  const alpha = (2.83 + 5.1 / b) * deviation;
  const mode = Math.floor((count + 1) * probability);
  for (;;) {
    const u0 = draws.uniform();
    const v = draws.uniform();
    const u = u0 - 0.5;
    const us = 0.5 - Math.abs(u);
    const k = Math.floor(((2 * a) / us + b) * u + c);
    if (us >= 0.07 && v <= tight) return k;
    if (k < 0 || k > count) continue;
    const bound =
      (mode + 0.5) * Math.log((mode + 1) / (odds * (count - mode + 1))) +
      (count + 1) * Math.log((count - mode + 1) / (count - k + 1)) +
      (k + 0.5) * Math.log((odds * (count - k + 1)) / (k + 1)) +
      stirlingTail(mode) +
      stirlingTail(count - mode) -
      stirlingTail(k) -
      stirlingTail(count - k);
    if (Math.log((v * alpha) / (a / (us * us) + b)) <= bound) return k;
  }
}

/** Binomial samples; counts and probabilities have been broadcast to one shape, out is [...samples, ...that]. */
export const binomialSamples: Routine = {
  name: "randomBinomial",
  run: ([state, counts, probabilities], [out]) => {
    const r = roundTo(probabilities.dtype);
    const draws = new Draws(state, "float64");
    const draw = (count: number, probability: number, k: number): number => {
      const isLarge = r(count * probability) >= 10;
      draws.begin((isLarge ? blocksPerSample : blocksPerInversion) * k);
      return isLarge ? byTransformedRejection(count, probability, draws) : byInversion(count, probability, draws);
    };
    forEachSample(counts.size, out.size / Math.max(counts.size, 1), (k, parameter, at) => {
      const count = numberAt(counts, parameter);
      const probability = numberAt(probabilities, parameter);
      if (count <= 0 || probability <= 0) store(out, at, 0);
      else if (probability >= 1) store(out, at, count);
      else if (probability <= 0.5) store(out, at, draw(count, probability, k));
      else if (probability > 0.5) store(out, at, count - draw(count, r(1 - probability), k));
      else store(out, at, Number.NaN);
    });
  },
};

// ---- normals between bounds ----

export const mostIterations = 1000;

/** How many of one batch's samples share its parameters; the last batch may be short. */
export interface Batches {
  readonly batches: number;
  readonly samplesPerBatch: number;
}

/** Normals of a mean and deviation between bounds, batch after batch from one stream; parameters have one element or one a batch. */
export const boundedNormals = ({ batches, samplesPerBatch }: Batches): Routine => ({
  name: "boundedNormals",
  run: ([state, ...parameters], [out]) => {
    const { dtype } = out;
    const r = roundTo(dtype);
    const draws = new Draws(state, dtype);
    const log = logarithmOf(dtype);
    draws.begin(0);
    for (let batch = 0; batch < batches; batch++) {
      const of = (array: NDArray): number => numberAt(array, array.size === 1 ? 0 : batch);
      const [mean, deviation, low, high] = parameters.map(of);
      const first = batch * samplesPerBatch;
      const end = Math.min(first + samplesPerBatch, out.size);
      if (end <= first) continue;
      if (!(deviation > 0 && low < high && (Number.isFinite(low) || Number.isFinite(high))))
        throw new InvalidArgumentError("Invalid parameters");
      // Turned around where that makes the lower bound the finite or the nearer one.
      const isTurned = low === -Infinity || high < mean;
      const scale = isTurned ? -deviation : deviation;
      const [from, to] = (isTurned ? [high, low] : [low, high]).map(bound => r(r(bound - mean) / scale));
      let at = first;
      let misses = 0;
      const isFull = (z: number): boolean => {
        store(out, at++, r(r(z * scale) + mean));
        misses = 0;
        return at >= end;
      };
      const miss = (sampler: string): void => {
        if (++misses >= mostIterations) throw new InternalError(`TruncatedNormal ${sampler} rejection sampler failed to accept a sample.`);
      };
      const root = r(Math.sqrt(r(r(from * from) + 4)));
      const cutoff = r(r(2 * r(Math.exp(r(0.5 + r(r(from * r(from - root)) / 4))))) / r(from + root));
      const width = r(to - from);
      if ((from < -r(1.3) && to >= 0) || (to > r(1.3) && from <= 0)) fromNormals();
      else if (width < cutoff) fromUniforms();
      else fromExponentials();

      function fromNormals(): void {
        for (;;)
          for (const z of draws.normalBlock()) {
            if (!(z >= from && z <= to)) miss("randn");
            else if (isFull(z)) return;
          }
      }

      function fromUniforms(): void {
        const plus = from < 0 ? 0 : r(from * from);
        for (;;) {
          const candidates = [...draws.uniformBlock()].map(u => r(r(u * width) + from));
          const uniforms = draws.uniformBlock();
          for (const [i, z] of candidates.entries()) {
            if (!(uniforms[i] <= r(Math.exp(r(r(plus - r(z * z)) / 2))))) miss("uniform");
            else if (isFull(z)) return;
          }
        }
      }

      function fromExponentials(): void {
        const alpha = r(r(from + r(Math.sqrt(r(r(from * from) + 4)))) / 2);
        for (;;) {
          const uniforms = draws.uniformBlock();
          for (let i = 0; i < uniforms.length; i += 2) {
            const z = r(r(-r(log(uniforms[i])) / alpha) + from);
            const x = from < alpha ? r(alpha - z) : r(from - alpha);
            const g = r(Math.exp(r(r(-x * x) / 2)));
            if (!(uniforms[i + 1] <= g && z < to)) miss("exponential distribution");
            else if (isFull(z)) return;
          }
        }
      }
    }
  },
});
