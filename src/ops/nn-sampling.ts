// Candidate samplers: classes drawn for losses over many classes, with how often each was to be expected. The streams of random numbers are
// TensorFlow's (observed): a copy of the op's generator for each run, set forward by 512 blocks per candidate.

import { NDArray } from "../base/ndarray.ts";
import { InvalidArgumentError } from "../base/errors.ts";
import { TensorShape } from "../base/shape.ts";
import * as attr from "../graph/attributes.ts";
import type { TensorLike } from "../graph/conversion.ts";
import { defineOp } from "../graph/op-definition.ts";
import type { Tensor } from "../graph/operation.ts";
import * as ir from "../ir/build.ts";
import { collect } from "./arguments.ts";
import { seedAttrs, takeBlocks } from "./random.ts";
import { PhiloxStream } from "./random-philox.ts";

/** How classes are drawn, and how likely each is. */
interface Distribution {
  draw(stream: PhiloxStream, range: number): number;
  probability(id: number, range: number): number;
}

/** The lower the class number, the likelier (Zipf). */
const logUniform: Distribution = {
  draw: (stream, range) => (Math.floor(Math.exp(stream.unit64() * Math.log1p(range))) - 1) % range,
  probability: (id, range) => Math.log((id + 2) / (id + 1)) / Math.log1p(range),
};

const uniform: Distribution = {
  draw(stream, range) {
    const top = 2n ** 64n;
    const limit = top - (top % BigInt(range));
    for (;;) {
      const low = BigInt(stream.word());
      const word = low | (BigInt(stream.word()) << 32n);
      if (word < limit) return Number(word % BigInt(range));
    }
  },
  probability: (_, range) => 1 / range,
};

interface Request {
  readonly numSampled: number;
  readonly unique: boolean;
  readonly rangeMax: number;
}

/** Draws the classes; with `unique` repeated ones again. Returns how many draws it took. */
function drawInto(out: NDArray, stream: PhiloxStream, { draw }: Distribution, { unique, rangeMax }: Request): number {
  const seen = new Set<number>();
  let tries = 0;
  for (let i = 0; i < out.size; ) {
    const id = draw(stream, rangeMax);
    tries++;
    if (unique && seen.has(id)) continue;
    seen.add(id);
    out.set(i++, id);
  }
  return tries;
}

function expectedInto(
  out: NDArray,
  ids: NDArray,
  tries: number,
  { probability }: Distribution,
  { numSampled, rangeMax, unique }: Request,
): void {
  for (let i = 0; i < ids.size; i++) {
    const p = probability(Number(ids.get(i)), rangeMax);
    out.set(i, unique && tries !== numSampled ? -Math.expm1(tries * Math.log1p(-p)) : p * numSampled);
  }
}

const sampler = <const N extends string>(type: N, distribution: Distribution) =>
  defineOp(type, {
    inputs: { trueClasses: "int64" },
    outputs: { sampledCandidates: "int64", trueExpectedCount: "float32", sampledExpectedCount: "float32" },
    attrs: {
      numTrue: attr.int(undefined, 1),
      numSampled: attr.int(undefined, 1),
      unique: attr.bool(),
      rangeMax: attr.int(undefined, 1),
      seed: attr.int(0),
      seed2: attr.int(0),
    },
    stateful: true,
    gradient: "none",
    shape: ({ trueClasses, numTrue, numSampled }) => {
      const batch = trueClasses.withRank(2).dim(0);
      return [new TensorShape([numSampled]), new TensorShape([batch, numTrue]), new TensorShape([numSampled])];
    },
    lower: ({ trueClasses, numTrue, seed, seed2, ...request }, context) => {
      const [, columns] = trueClasses.shape;
      if (trueClasses.shape.length !== 2) throw new InvalidArgumentError("true_classes must be a matrix");
      if (columns !== numTrue)
        throw new InvalidArgumentError(`true_classes must have num_true columns, expected: ${columns} was: ${numTrue}`);
      if (request.unique && request.numSampled > request.rangeMax) throw new InvalidArgumentError("Sampler's range is too small.");
      const state = takeBlocks(context, { seed, seed2 }, 512 * request.numSampled);
      const run = ([classes, generator]: readonly NDArray[], [sampled, byClass, bySample]: readonly NDArray[]): void => {
        const tries = drawInto(sampled, new PhiloxStream(generator), distribution, request);
        expectedInto(byClass, classes, tries, distribution, request);
        expectedInto(bySample, sampled, tries, distribution, request);
      };
      return ir.call(
        { name: type, run },
        [trueClasses, state],
        [
          { dtype: "int64", shape: [request.numSampled] },
          { dtype: "float32", shape: trueClasses.shape },
          { dtype: "float32", shape: [request.numSampled] },
        ],
      );
    },
  });

/** Draws class numbers below rangeMax, the lower the likelier. */
export const LogUniformCandidateSampler = sampler("LogUniformCandidateSampler", logUniform);
/** Draws class numbers below rangeMax, all equally likely. */
export const UniformCandidateSampler = sampler("UniformCandidateSampler", uniform);

interface SamplerOptions {
  readonly numTrue?: number;
  readonly numSampled?: number;
  readonly unique?: boolean;
  readonly rangeMax?: number;
  readonly seed?: number;
  readonly name?: string;
}

/** Drawn classes `[numSampled]`, and how often each true class `[batch, numTrue]` and each drawn one was to be expected. */
export type Candidates = readonly [sampledCandidates: Tensor, trueExpectedCount: Tensor, sampledExpectedCount: Tensor];

function candidates(
  op: typeof LogUniformCandidateSampler | typeof UniformCandidateSampler,
  trueClasses: TensorLike,
  rest: unknown[],
): Candidates {
  const names = ["numTrue", "numSampled", "unique", "rangeMax", "seed", "name"];
  const { name, seed, ...request } = collect<SamplerOptions>(names, rest);
  const classes = Array.isArray(trueClasses) ? NDArray.from(trueClasses as number[][], "int64") : trueClasses;
  const made = op({ trueClasses: classes, ...request, ...seedAttrs(seed) }, { name });
  return [made.sampledCandidates, made.trueExpectedCount, made.sampledExpectedCount];
}

/** Draws class numbers below rangeMax with probability log((id + 2) / (id + 1)) / log(rangeMax + 1): for classes sorted by how often they occur.
 *  TF: tf.nn.log_uniform_candidate_sampler(true_classes, num_true, num_sampled, unique, range_max, seed, name). */
export const logUniformCandidateSampler = (trueClasses: TensorLike, ...rest: unknown[]): Candidates =>
  candidates(LogUniformCandidateSampler, trueClasses, rest);

/** Draws class numbers below rangeMax, all equally likely.
 *  TF: tf.nn.uniform_candidate_sampler(true_classes, num_true, num_sampled, unique, range_max, seed, name). */
export const uniformCandidateSampler = (trueClasses: TensorLike, ...rest: unknown[]): Candidates =>
  candidates(UniformCandidateSampler, trueClasses, rest);
