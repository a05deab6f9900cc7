// Candidate samplers: classes drawn for losses over many classes, with how often each was to be expected. The streams of random numbers are
// TensorFlow's (observed): a copy of the op's generator for each run, set forward by 512 blocks per candidate.

import type { DType } from "../../base/dtype.ts";
import { NDArray } from "../../base/ndarray.ts";
import { InvalidArgumentError, UnimplementedError } from "../../base/errors.ts";
import { TensorShape } from "../../base/shape.ts";
import * as attr from "../../graph/attributes.ts";
import type { TensorLike } from "../../graph/conversion.ts";
import { defineOp, type LowerContext } from "../../graph/op-definition.ts";
import type { Tensor } from "../../graph/operation.ts";
import * as ir from "../../ir/build.ts";
import type { Value } from "../../ir/program.ts";
import { collect } from "../arguments.ts";
import { seedAttrs, takeBlocks } from "../random/random.ts";
import { PhiloxStream } from "../random/philox.ts";
import { s } from "../../ir/scalar.ts";

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

/** What was met before, in this session, is likelier; each class begins with a weight of 1. */
const byWeight = (weights: Int32Array): Distribution => {
  const total = (): number => weights.reduce((sum, weight) => sum + weight, 0);
  return {
    draw(stream) {
      let left = stream.word() % total();
      return weights.findIndex(weight => (left -= weight) < 0);
    },
    probability: id => weights[id] / total(),
  };
};

/** Given weights, by Walker's alias method as TensorFlow fills its table. */
function byAliases(weights: readonly number[]): Distribution {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const share = weights.map(weight => (weight * weights.length) / total);
  const other = weights.map((_, id) => id);
  const [low, high]: [number[], number[]] = [[], []];
  const file = (id: number): void => void (share[id] < 1 ? low : high).push(id);
  weights.forEach((_, id) => void file(id));
  while (low.length > 0 && high.length > 0) {
    const [l, h] = [low.pop() as number, high.pop() as number];
    other[l] = h;
    share[h] -= 1 - share[l];
    file(h);
  }
  for (const id of [...low, ...high]) share[id] = 1;
  return {
    draw(stream) {
      const at = stream.unit32();
      const id = stream.word() % weights.length;
      return at < Math.fround(share[id]) ? id : other[id];
    },
    probability: id => weights[id] / total,
  };
}

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

const samplerFields = {
  inputs: { trueClasses: "int64" },
  outputs: { sampledCandidates: "int64", trueExpectedCount: "float32", sampledExpectedCount: "float32" },
  stateful: true,
  gradient: "none",
  shape: ({ trueClasses, numTrue, numSampled }: { trueClasses: TensorShape; numTrue: number; numSampled: number }) => {
    const batch = trueClasses.withRank(2).dim(0);
    return [new TensorShape([numSampled]), new TensorShape([batch, numTrue]), new TensorShape([numSampled])];
  },
} as const;
const counts = { numTrue: attr.int(undefined, 1), numSampled: attr.int(undefined, 1), unique: attr.bool() };
const seeds = { seed: attr.int(0), seed2: attr.int(0) };
const rangeAttrs = { ...counts, rangeMax: attr.int(undefined, 1), ...seeds };

interface SamplerRecord extends Request {
  readonly trueClasses: Value;
  readonly numTrue: number;
  readonly seed: number;
  readonly seed2: number;
}

const outputsOf = ({ trueClasses, numSampled }: SamplerRecord): { dtype: DType; shape: readonly number[] }[] => [
  { dtype: "int64", shape: [numSampled] },
  { dtype: "float32", shape: trueClasses.shape },
  { dtype: "float32", shape: [numSampled] },
];

function checkSampler({ trueClasses, numTrue, unique, numSampled, rangeMax }: SamplerRecord): void {
  if (trueClasses.shape.length !== 2) throw new InvalidArgumentError("true_classes must be a matrix");
  const [, columns] = trueClasses.shape;
  if (columns !== numTrue) throw new InvalidArgumentError(`true_classes must have num_true columns, expected: ${columns} was: ${numTrue}`);
  if (unique && numSampled > rangeMax) throw new InvalidArgumentError("Sampler's range is too small.");
}

/** Draws, and tells what was to be expected. */
function sampleInto(distribution: Distribution, request: Request, [classes, generator]: readonly NDArray[], out: readonly NDArray[]): void {
  const { rangeMax } = request;
  for (let i = 0; i < classes.size; i++) {
    const id = Number(classes.get(i));
    if (id < 0 || id >= rangeMax) throw new InvalidArgumentError(`\`true_candidate\` out of range [0, ${rangeMax}), received ${id}`);
  }
  const [sampled, byClass, bySample] = out;
  const tries = drawInto(sampled, new PhiloxStream(generator), distribution, request);
  expectedInto(byClass, classes, tries, distribution, request);
  expectedInto(bySample, sampled, tries, distribution, request);
}

function lowerSampler(name: string, distribution: Distribution, record: SamplerRecord, context: LowerContext): readonly Value[] {
  checkSampler(record);
  const state = takeBlocks(context, record, 512 * record.numSampled);
  const run = (given: readonly NDArray[], out: readonly NDArray[]): void => sampleInto(distribution, record, given, out);
  return ir.call({ name, run }, [record.trueClasses, state], outputsOf(record));
}

const sampler = <const N extends string>(type: N, distribution: Distribution) =>
  defineOp(type, {
    ...samplerFields,
    attrs: rangeAttrs,
    lower: (record, context) => lowerSampler(type, distribution, record, context),
  });

/** Draws class numbers below rangeMax, the lower the likelier. */
export const LogUniformCandidateSampler = sampler("LogUniformCandidateSampler", logUniform);
/** Draws class numbers below rangeMax, all equally likely. */
export const UniformCandidateSampler = sampler("UniformCandidateSampler", uniform);

/** A sampler that learns: the weights of a session's classes grow with each true class that it is shown. */
const learner = <const N extends string>(type: N) =>
  defineOp(type, {
    ...samplerFields,
    attrs: rangeAttrs,
    lower: (record, context) => {
      checkSampler(record);
      const { rangeMax, trueClasses } = record;
      const initial = (): NDArray => NDArray.full("int32", [rangeMax], 1);
      const weights = context.state({ id: `weights:${context.name}`, role: "variable", dtype: "int32", shape: [rangeMax], initial });
      const run = (given: readonly NDArray[], [sampled, byClass, bySample, next]: readonly NDArray[]): void => {
        const [classes, generator, held] = given;
        const now = next.data as Int32Array;
        now.set(held.data as Int32Array);
        sampleInto(byWeight(now), record, [classes, generator], [sampled, byClass, bySample]);
        for (let i = 0; i < classes.size; i++) now[Number(classes.get(i))]++;
      };
      const state = takeBlocks(context, record, 512 * record.numSampled);
      const learned = { dtype: "int32", shape: [rangeMax] } as const;
      const results = ir.call({ name: type, run }, [trueClasses, state, weights.read()], [...outputsOf(record), learned]);
      weights.write(results[3]);
      return results.slice(0, 3);
    },
  });

/** Draws class numbers below rangeMax, those likelier that were true classes before. */
export const LearnedUnigramCandidateSampler = learner("LearnedUnigramCandidateSampler");
export const ThreadUnsafeUnigramCandidateSampler = learner("ThreadUnsafeUnigramCandidateSampler");

/** Gives all classes, each once. */
export const AllCandidateSampler = defineOp("AllCandidateSampler", {
  ...samplerFields,
  attrs: { ...counts, ...seeds },
  lower: record => {
    const request = { ...record, rangeMax: record.numSampled };
    checkSampler({ ...request, unique: false });
    const { numSampled, trueClasses } = record;
    ir.check(trueClasses.shape, i => s.and(s.ge(s.load(trueClasses, i), 0), s.lt(s.load(trueClasses, i), numSampled)), {
      label: "true classes",
      reads: [trueClasses],
      error: (i, read) =>
        new InvalidArgumentError(
          `\`true_candidate\` out of range [0, ${numSampled}), received ${read(trueClasses).get(i[0] * trueClasses.shape[1] + i[1])}`,
        ),
    });
    return [ir.iota(numSampled, "int64"), ir.full("float32", trueClasses.shape, 1), ir.full("float32", [numSampled], 1)];
  },
});

/** Draws class numbers below rangeMax by given weights. */
export const FixedUnigramCandidateSampler = defineOp("FixedUnigramCandidateSampler", {
  ...samplerFields,
  attrs: {
    ...counts,
    rangeMax: attr.int(undefined, 1),
    vocabFile: attr.string(""),
    distortion: attr.float(1),
    numReservedIds: attr.int(0),
    numShards: attr.int(1, 1),
    shard: attr.int(0, 0),
    unigrams: attr.floats([]),
    ...seeds,
  },
  lower: (record, context) => {
    const { vocabFile, unigrams, numReservedIds, numShards, shard, distortion, rangeMax } = record;
    if (vocabFile === "" && unigrams.length === 0) throw new InvalidArgumentError("Must provide either vocab_file or unigrams.");
    if (vocabFile !== "" && unigrams.length > 0) throw new InvalidArgumentError("Must only provide one of vocab_file and unigrams.");
    if (vocabFile !== "")
      throw new UnimplementedError(
        "FixedUnigramCandidateSampler does not read vocab_file here.\n\nRead the weights yourself and pass them as unigrams.",
      );
    const given = [...Array<number>(numReservedIds).fill(0), ...unigrams.map(weight => Math.fround(weight ** distortion))];
    const weights = given.filter((_, id) => id % numShards === shard);
    if (weights.length !== rangeMax)
      throw new InvalidArgumentError(`range is ${rangeMax} must be equal to weights size  ${weights.length}`);
    return lowerSampler("FixedUnigramCandidateSampler", byAliases(weights), record, context);
  },
});

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

const listed = (made: Omit<ReturnType<typeof LogUniformCandidateSampler>, "op">): Candidates => [
  made.sampledCandidates,
  made.trueExpectedCount,
  made.sampledExpectedCount,
];

function candidates(
  op: typeof LogUniformCandidateSampler | typeof UniformCandidateSampler | typeof LearnedUnigramCandidateSampler,
  trueClasses: TensorLike,
  rest: unknown[],
): Candidates {
  const names = ["numTrue", "numSampled", "unique", "rangeMax", "seed", "name"];
  const { name, seed, ...request } = collect<SamplerOptions>(names, rest);
  return listed(op({ trueClasses, ...request, ...seedAttrs(seed) }, { name }));
}

/** Draws class numbers below rangeMax, those likelier that were true classes in earlier runs of the session.
 *  TF: tf.nn.learned_unigram_candidate_sampler(true_classes, num_true, num_sampled, unique, range_max, seed, name). */
export const learnedUnigramCandidateSampler = (trueClasses: TensorLike, ...rest: unknown[]): Candidates =>
  candidates(LearnedUnigramCandidateSampler, trueClasses, rest);

interface FixedOptions extends SamplerOptions {
  readonly vocabFile?: string;
  readonly distortion?: number;
  readonly numReservedIds?: number;
  readonly numShards?: number;
  readonly shard?: number;
  readonly unigrams?: readonly number[];
}

/** Draws class numbers below rangeMax by the weights `unigrams^distortion`; reserved ids come first and are never drawn. TF: tf.nn.fixed_unigram_candidate_sampler(true_classes,
 *  num_true, num_sampled, unique, range_max, vocab_file, distortion, num_reserved_ids, num_shards, shard, unigrams, seed, name). */
export function fixedUnigramCandidateSampler(trueClasses: TensorLike, ...rest: unknown[]): Candidates {
  const names = ["numTrue", "numSampled", "unique", "rangeMax", "vocabFile", "distortion", "numReservedIds", "numShards", "shard"];
  const { name, seed, ...request } = collect<FixedOptions>([...names, "unigrams", "seed", "name"], rest);
  return listed(FixedUnigramCandidateSampler({ trueClasses, ...request, ...seedAttrs(seed) }, { name }));
}

/** Gives all numSampled classes, each once. TF: tf.nn.all_candidate_sampler(true_classes, num_true, num_sampled, unique, seed, name). */
export function allCandidateSampler(trueClasses: TensorLike, ...rest: unknown[]): Candidates {
  const { name, seed, ...request } = collect<SamplerOptions>(["numTrue", "numSampled", "unique", "seed", "name"], rest);
  return listed(AllCandidateSampler({ trueClasses, ...request, ...seedAttrs(seed) }, { name }));
}

/** Draws class numbers below rangeMax with probability log((id + 2) / (id + 1)) / log(rangeMax + 1): for classes sorted by how often they occur.
 *  TF: tf.nn.log_uniform_candidate_sampler(true_classes, num_true, num_sampled, unique, range_max, seed, name). */
export const logUniformCandidateSampler = (trueClasses: TensorLike, ...rest: unknown[]): Candidates =>
  candidates(LogUniformCandidateSampler, trueClasses, rest);

/** Draws class numbers below rangeMax, all equally likely.
 *  TF: tf.nn.uniform_candidate_sampler(true_classes, num_true, num_sampled, unique, range_max, seed, name). */
export const uniformCandidateSampler = (trueClasses: TensorLike, ...rest: unknown[]): Candidates =>
  candidates(UniformCandidateSampler, trueClasses, rest);
