// Random ops of distributions with parameters: gamma, Poisson, binomial, bounded normals, and draws from categories by seed. How the samples are made is
// random/samplers.ts; here is what each op takes, refuses and sets aside of its generator.

import { type DType, isDType, noDtype } from "../../base/dtype.ts";
import { InvalidArgumentError, ValueError } from "../../base/errors.ts";
import { NDArray } from "../../base/ndarray.ts";
import { broadcastShapes, sizeOf, TensorShape } from "../../base/shape.ts";
import * as attr from "../../graph/attributes.ts";
import { convertToTensor, type TensorLike } from "../../graph/conversion.ts";
import { getDefaultGraph } from "../../graph/default-graph.ts";
import { defineOp, type Gradients, type LowerContext, type ShapeContext } from "../../graph/op-definition.ts";
import { Tensor } from "../../graph/operation.ts";
import * as ir from "../../ir/build.ts";
import type { Routine, Value } from "../../ir/program.ts";
import { castScalar, s } from "../../ir/scalar.ts";
import { collect } from "../arguments.ts";
import { numbersOf, ones, rank, reshape, shape as shapeOf } from "../array/array.ts";
import { BroadcastGradientArgs, BroadcastTo, broadcastDynamicShape } from "../array/padding.ts";
import { range } from "../array/ranges.ts";
import { concat, stridedSlice } from "../array/slicing.ts";
import { Erfc, Exp, Log, Log1p, Neg, Square } from "../math/functions.ts";
import { AddV2, clipByValue, Maximum, Mul, RealDiv, Sub } from "../math/math.ts";
import { reduceSum } from "../math/reduction.ts";
import { inNameScope } from "../named.ts";
import { categoricalDraws, requestedShape, seedAttrs, shapeTensor, takeBlocks } from "./random.ts";
import { binomialSamples, blocksPerSample, boundedNormals, gammaSamples, mostIterations, poissonSamples } from "./samplers.ts";
import { anyAlgorithm, checkKey, seedShape, seedTensor, StatelessRandomGetKeyCounter, stateOfKey, stateOfSeed } from "./stateless.ts";

const halves = ["float16", "float32", "float64"] as const satisfies readonly DType[];
const halvesAndIntegers = ["float16", "float32", "float64", "int32", "int64"] as const satisfies readonly DType[];
const seeds = { seed: attr.int(0), seed2: attr.int(0) };

// ---- shapes ----

/** [...samples, ...parameters]. */
const sampledShape = (parameters: TensorShape, context: ShapeContext): TensorShape => {
  const samples = context.shapeFrom("shape");
  return samples.dims === null || parameters.dims === null ? TensorShape.unknown() : new TensorShape([...samples.dims, ...parameters.dims]);
};

const notEnding = "Shape passed in must end with broadcasted shape.";

function checkEnding(dims: readonly number[], parameters: readonly number[], message: string): void {
  const tail = dims.slice(dims.length - parameters.length);
  if (dims.length < parameters.length || tail.some((size, i) => size !== parameters[i])) throw new InvalidArgumentError(message);
}

// ---- gamma ----

const sampled = (routine: Routine, state: Value, parameters: readonly Value[], dtype: DType, shape: readonly number[]): Value =>
  ir.call(routine, [state, ...parameters], [{ dtype, shape }])[0];

/** How many axes a shape tensor stands for. */
const numberOfAxes = (shape: Tensor): Tensor => stridedSlice(shapeOf(shape), [0], [1], { shrinkAxisMask: 1 });

/** The gradient by alpha, of samples whose first `axes` dimensions alpha does not have. */
function byAlpha(alpha: Tensor, samples: Tensor, d: Tensor, axes: Tensor): Tensor {
  const spread = reshape(alpha, concat([ones([axes], { dtype: "int32" }), shapeOf(alpha)], 0));
  return reduceSum(Mul({ x: d, y: RandomGammaGrad({ alpha: spread, sample: samples }) }), range(axes));
}

/** Gamma samples of shape parameters alpha, as many of each as `shape` says. The gradient by alpha keeps each sample's place in the distribution. */
export const RandomGamma = defineOp("RandomGamma", {
  inputs: { shape: "S", alpha: "T" },
  outputs: { output: "T" },
  attrs: { ...seeds, S: attr.type(attr.indexTypes), T: attr.type(halves) },
  stateful: true,
  compileTimeInputs: ["shape"],
  shape: ({ shape, alpha }, context) => {
    shape.withRank(1);
    return sampledShape(alpha, context);
  },
  gradient: ({ shape, alpha, output }, d): Gradients => ({ alpha: byAlpha(alpha, output, d.output, numberOfAxes(shape)) }),
  lower: ({ shape, alpha, T, ...w }, context) => {
    const samples = requestedShape(shape);
    const count = sizeOf(samples) * sizeOf(alpha.shape);
    if (sizeOf(samples) > 0 && sizeOf(alpha.shape) === 0)
      throw new InvalidArgumentError("Input alpha should have non-zero element count, got: 0");
    return sampled(gammaSamples, takeBlocks(context, w, blocksPerSample * count), [alpha], T, [...samples, ...alpha.shape]);
  },
});

/** The derivative of a gamma sample by alpha: −(∂P(a, x)/∂a) / p(x). */
export const RandomGammaGrad = defineOp("RandomGammaGrad", {
  inputs: { alpha: "T", sample: "T" },
  outputs: { output: "T" },
  attrs: { T: attr.type(["float32", "float64"]) },
  shape: ({ alpha, sample }) => broadcastShapes(alpha, sample),
  isLenient: true,
  lower: ({ alpha, sample, T }) =>
    ir.map((a, x) => castScalar(s.randomGammaGrad(castScalar(a, "float64"), castScalar(x, "float64")), T), alpha, sample),
});

/** The samples of a whole shape that ends like alpha. */
const gammaOf = (state: Value, dims: readonly number[], alpha: Value, dtype: DType): Value => {
  checkEnding(dims, alpha.shape, notEnding);
  return sampled(gammaSamples, state, [alpha], dtype, dims);
};

export const StatelessRandomGammaV2 = defineOp("StatelessRandomGammaV2", {
  inputs: { shape: "T", seed: "Tseed", alpha: "dtype" },
  outputs: { output: "dtype" },
  attrs: { dtype: attr.type(halves), T: attr.type(attr.indexTypes), Tseed: attr.type(attr.indexTypes, "int64") },
  gradient: ({ shape, alpha, output }, d): Gradients => ({
    alpha: byAlpha(alpha, output, d.output, Sub({ x: numberOfAxes(shape), y: rank(alpha) })),
  }),
  compileTimeInputs: ["shape"],
  shape: ({ seed, alpha }, context) => {
    seedShape(seed);
    return context.shapeFrom("shape");
  },
  lower: ({ shape, seed, alpha, dtype }) => gammaOf(stateOfSeed(seed), requestedShape(shape), alpha, dtype),
});

export const StatelessRandomGammaV3 = defineOp("StatelessRandomGammaV3", {
  inputs: { shape: "shapeDtype", key: "uint64", counter: "uint64", alg: "int32", alpha: "dtype" },
  outputs: { output: "dtype" },
  attrs: { dtype: attr.type(halves), shapeDtype: attr.type(attr.indexTypes, "int32") },
  gradient: ({ shape, alpha, output }, d): Gradients => ({
    alpha: byAlpha(alpha, output, d.output, Sub({ x: numberOfAxes(shape), y: rank(alpha) })),
  }),
  compileTimeInputs: ["shape", "alg"],
  shape: ({ key, counter, alg, alpha }, context) => {
    checkKey(key, counter, alg);
    return context.shapeFrom("shape");
  },
  lower: ({ shape, key, counter, alg, alpha, dtype }) => gammaOf(stateOfKey(key, counter, alg), requestedShape(shape), alpha, dtype),
});

// ---- Poisson ----

interface PoissonRecord {
  readonly shape: NDArray;
  readonly rate: Value;
  readonly dtype: DType;
  readonly seed: number;
  readonly seed2: number;
}

function poisson(context: LowerContext, given: PoissonRecord): Value {
  const samples = requestedShape(given.shape);
  const { rate, dtype } = given;
  if (sizeOf(samples) > 0 && sizeOf(rate.shape) === 0)
    throw new InvalidArgumentError("Input rate should have non-zero element count, got: 0");
  const state = takeBlocks(context, given, blocksPerSample * sizeOf(samples) * sizeOf(rate.shape));
  return sampled(poissonSamples, state, [rate], dtype, [...samples, ...rate.shape]);
}

/** Poisson samples of the given rates, as many of each as `shape` says. */
export const RandomPoissonV2 = defineOp("RandomPoissonV2", {
  inputs: { shape: "S", rate: "R" },
  outputs: { output: "dtype" },
  attrs: {
    ...seeds,
    S: attr.type(attr.indexTypes),
    R: attr.type(halvesAndIntegers, "float64"),
    dtype: attr.type(halvesAndIntegers, "int64"),
  },
  stateful: true,
  compileTimeInputs: ["shape"],
  shape: ({ shape, rate }, context) => {
    shape.withRank(1);
    return sampledShape(rate, context);
  },
  lower: (record, context) => poisson(context, record),
});

/** The older form, whose samples have the type of the rates. */
export const RandomPoisson = defineOp("RandomPoisson", {
  inputs: { shape: "S", rate: "dtype" },
  outputs: { output: "dtype" },
  attrs: { ...seeds, S: attr.type(attr.indexTypes), dtype: attr.type(halves) },
  removed: [25, "Replaced by RandomPoissonV2"],
  stateful: true,
  compileTimeInputs: ["shape"],
  shape: ({ shape, rate }, context) => {
    shape.withRank(1);
    return sampledShape(rate, context);
  },
  lower: (record, context) => poisson(context, record),
});

export const StatelessRandomPoisson = defineOp("StatelessRandomPoisson", {
  inputs: { shape: "T", seed: "Tseed", lam: "Rtype" },
  outputs: { output: "dtype" },
  attrs: {
    Rtype: attr.type(halvesAndIntegers),
    dtype: attr.type(halvesAndIntegers),
    T: attr.type(attr.indexTypes),
    Tseed: attr.type(attr.indexTypes, "int64"),
  },
  gradient: "none",
  compileTimeInputs: ["shape"],
  shape: ({ seed, lam }, context) => {
    seedShape(seed);
    return context.shapeFrom("shape");
  },
  lower: ({ shape, seed, lam, dtype }) => {
    const dims = requestedShape(shape);
    checkEnding(dims, lam.shape, notEnding);
    return sampled(poissonSamples, stateOfSeed(seed), [lam], dtype, dims);
  },
});

// ---- binomial ----

/** Samples of a whole shape that ends like counts and probabilities broadcast together. */
function binomial(state: Value, dims: readonly number[], counts: Value, probabilities: Value, dtype: DType): Value {
  const common = ir.broadcastShape(counts.shape, probabilities.shape);
  checkEnding(dims, common, notEnding);
  return sampled(binomialSamples, state, [ir.broadcastTo(counts, common), ir.broadcastTo(probabilities, common)], dtype, dims);
}

export const StatelessRandomBinomial = defineOp("StatelessRandomBinomial", {
  inputs: { shape: "S", seed: "Tseed", counts: "T", probs: "T" },
  outputs: { output: "dtype" },
  attrs: {
    S: attr.type(attr.indexTypes),
    Tseed: attr.type(attr.indexTypes, "int64"),
    T: attr.type(halvesAndIntegers, "float64"),
    dtype: attr.type(halvesAndIntegers, "int64"),
  },
  gradient: "none",
  compileTimeInputs: ["shape"],
  shape: ({ seed, counts, probs }, context) => {
    seedShape(seed);
    return context.shapeFrom("shape");
  },
  lower: ({ shape, seed, counts, probs, dtype }) => binomial(stateOfSeed(seed), requestedShape(shape), counts, probs, dtype),
});

export const generatorOfVariable: Routine = {
  name: "generatorOfVariable",
  run: ([held], [state]) => {
    const [low, high, key] = held.data as BigInt64Array;
    (state.data as BigInt64Array).set([key, high, low]);
  },
};

/** Binomial samples from a generator kept in a variable: int64[3] of counter (low, high) and key. */
export const StatefulRandomBinomial = defineOp("StatefulRandomBinomial", {
  inputs: { resource: "resource", algorithm: "int64", shape: "S", counts: "T", probs: "T" },
  outputs: { output: "dtype" },
  attrs: { S: attr.type(attr.indexTypes), T: attr.type(halvesAndIntegers, "float64"), dtype: attr.type(halvesAndIntegers, "int64") },
  stateful: true,
  compileTimeInputs: ["shape", "algorithm"],
  shape: ({ counts, probs }, context) => context.shapeFrom("shape"),
  lower: ({ resource, algorithm, shape, counts, probs, dtype }) => {
    const [id] = numbersOf(algorithm);
    if (id !== 1) throw new InvalidArgumentError(`Unsupported algorithm id: ${id}`);
    const dims = requestedShape(shape);
    const held = resource.read();
    const common = sizeOf(ir.broadcastShape(counts.shape, probs.shape));
    const perBatch = common === 0 ? 0 : sizeOf(dims) / common;
    const used = 256 * Math.floor((common * 200 * (perBatch + 3)) / 4);
    const [state] = ir.call(generatorOfVariable, [held], [{ dtype: "int64", shape: [3] }]);
    const result = binomial(state, dims, counts, probs, dtype);
    resource.write(ir.map((x, step) => s.add(x, step), held, ir.constant(advance(held.shape[0], used))));
    return result;
  },
});

const advance = (size: number, blocks: number): NDArray => {
  const step = NDArray.zeros("int64", [size]);
  step.set(0, BigInt(blocks));
  return step;
};

// ---- bounded normals ----

interface Bounds {
  readonly means: Value;
  readonly deviations: Value;
  readonly low: Value;
  readonly high: Value;
}

/** Batches as TensorFlow shares them out: rows of the first dimension, or hundreds where all have the same parameters. */
function batchesOf(dims: readonly number[], { means, deviations, low, high }: Bounds): { batches: number; samplesPerBatch: number } {
  const isShared = sizeOf(means.shape) === 1 && sizeOf(deviations.shape) === 1 && low.shape.length === 0 && high.shape.length === 0;
  if (isShared) return { batches: Math.ceil(sizeOf(dims) / 100), samplesPerBatch: 100 };
  const batches = dims[0] ?? 1;
  for (const [name, { shape }] of Object.entries({ means, stddevs: deviations, minvals: low, maxvals: high })) {
    if (shape.length > 1) throw new InvalidArgumentError(`Input ${name} should be a scalar or vector, got shape: [${shape}]`);
    if (shape.length === 1 && shape[0] !== 1 && shape[0] !== batches)
      throw new InvalidArgumentError(`Input ${name} should have length 1 or shape[0], got shape: [${shape}]`);
  }
  return { batches, samplesPerBatch: sizeOf(dims.slice(1)) };
}

/** Normals of given means and deviations, redrawn until they lie between bounds; parameters for all, or one for each row of the result. */
export const ParameterizedTruncatedNormal = defineOp("ParameterizedTruncatedNormal", {
  inputs: { shape: "T", means: "dtype", stdevs: "dtype", minvals: "dtype", maxvals: "dtype" },
  outputs: { output: "dtype" },
  attrs: { ...seeds, dtype: attr.type(["float16", "bfloat16", "float32", "float64"]), T: attr.type(attr.indexTypes) },
  stateful: true,
  gradient: "none",
  compileTimeInputs: ["shape"],
  shape: (record, context) => {
    for (const name of ["means", "stdevs", "minvals", "maxvals"] as const) record[name].withRankAtMost(1);
    return context.shapeFrom("shape");
  },
  lower: ({ shape, means, stdevs, minvals, maxvals, dtype, ...w }, context) => {
    const dims = requestedShape(shape);
    const bounds = { means, deviations: stdevs, low: minvals, high: maxvals };
    const batches = batchesOf(dims, bounds);
    const blocks = Math.floor((batches.batches * 2 * mostIterations * (batches.samplesPerBatch + 3)) / 4);
    const state = takeBlocks(context, w, blocks);
    return sampled(boundedNormals(batches), state, [means, stdevs, minvals, maxvals], dtype, dims);
  },
});

/** The share of a normal distribution below x. */
const below = (x: Tensor): Tensor => Mul({ x: 0.5, y: Erfc({ x: Mul({ x, y: -Math.SQRT1_2 }) }) });

/** The smallest normal number of a type, and the distance from 1 to the next. */
const precision = {
  float16: [2 ** -14, 2 ** -10],
  bfloat16: [2 ** -126, 2 ** -7],
  float32: [2 ** -126, 2 ** -23],
  float64: [2 ** -1022, 2 ** -52],
} as const;

/** How a bounded normal sample moves with its parameters while it keeps its place in the distribution, from samples and bounds in deviations from the mean.
 *  Source: Figurnov et al., Implicit Reparameterization Gradients (2018), section 2. */
function byParameters(samples: Tensor, low: Tensor, high: Tensor, dtype: keyof typeof precision): { byLow: Tensor; byHigh: Tensor } {
  const [tiny, epsilon] = precision[dtype];
  const share = (bound: Tensor): Tensor => Sub({ x: below(bound), y: below(low) });
  const place = clipByValue(RealDiv({ x: share(samples), y: share(high) }), tiny, 1 - epsilon);
  const density = (bound: Tensor, logarithm: Tensor): Tensor =>
    Exp({ x: AddV2({ x: Mul({ x: 0.5, y: Sub({ x: Square({ x: samples }), y: Square({ x: bound }) }) }), y: logarithm }) });
  return { byLow: density(low, Log1p({ x: Neg({ x: place }) })), byHigh: density(high, Log({ x: place })) };
}

export const StatelessParameterizedTruncatedNormal = defineOp("StatelessParameterizedTruncatedNormal", {
  inputs: { shape: "S", seed: "Tseed", means: "dtype", stddevs: "dtype", minvals: "dtype", maxvals: "dtype" },
  outputs: { output: "dtype" },
  attrs: { S: attr.type(attr.indexTypes), Tseed: attr.type(attr.indexTypes, "int64"), dtype: attr.type(halves) },
  gradient: ({ means, stddevs, minvals, maxvals, output, dtype }, d): Gradients =>
    getDefaultGraph().controlDependencies([d.output], () => {
      const scaled = (x: Tensor): Tensor => RealDiv({ x: Sub({ x, y: means }), y: stddevs });
      const samples = scaled(output);
      const { byLow, byHigh } = byParameters(samples, scaled(minvals), scaled(maxvals), dtype as keyof typeof precision);
      const sum = (parameter: Tensor, factor?: Tensor): Tensor => {
        const { r0 } = BroadcastGradientArgs({ s0: shapeOf(parameter), s1: shapeOf(output) });
        return reshape(reduceSum(factor ? Mul({ x: d.output, y: factor }) : d.output, r0), shapeOf(parameter));
      };
      return { means: sum(means), stddevs: sum(stddevs, samples), minvals: sum(minvals, byLow), maxvals: sum(maxvals, byHigh) };
    }),
  compileTimeInputs: ["shape"],
  shape: ({ seed, means, stddevs, minvals, maxvals }, context) => {
    seedShape(seed);
    return context.shapeFrom("shape");
  },
  lower: ({ shape, seed, means, stddevs, minvals, maxvals, dtype }) => {
    const dims = requestedShape(shape);
    const given = [means, stddevs, minvals, maxvals];
    const common = ir.broadcastShape(...given.map(value => value.shape));
    checkEnding(dims, common, notEnding);
    const parameters = given.map(value => ir.broadcastTo(value, common));
    const [batches, samples] = [sizeOf(common), sizeOf(common) === 0 ? 0 : sizeOf(dims) / sizeOf(common)];
    // Parameter by parameter, then turned: the samples of one parameter are neighbours in the stream, not in the result.
    const [byParameter] = ir.call(
      boundedNormals({ batches, samplesPerBatch: samples }),
      [stateOfSeed(seed), ...parameters.map(value => ir.reshape(value, [batches]))],
      [{ dtype, shape: [batches, samples] }],
    );
    return ir.reshape(ir.transpose(byParameter, [1, 0]), dims);
  },
});

// ---- categories ----

export const StatelessMultinomial = defineOp("StatelessMultinomial", {
  inputs: { logits: "T", numSamples: "int32", seed: "Tseed" },
  outputs: { output: "outputDtype" },
  attrs: { T: attr.type(attr.realNumbers), Tseed: attr.type(attr.indexTypes, "int64"), outputDtype: attr.type(attr.indexTypes, "int64") },
  gradient: "none",
  compileTimeInputs: ["numSamples"],
  shape: ({ logits, numSamples, seed }, context) => {
    seedShape(seed);
    numSamples.withRank(0);
    return new TensorShape([logits.withRank(2).dim(0), context.scalarSize("numSamples")]);
  },
  lower: ({ logits, numSamples, seed, outputDtype }) => {
    const [samples] = numbersOf(numSamples);
    return ir.call(categoricalDraws, [logits, stateOfSeed(seed)], [{ dtype: outputDtype, shape: [logits.shape[0], samples] }])[0];
  },
});

// ---- functions ----

interface SeedOptions {
  readonly seed?: number | null;
  readonly name?: string | null;
}

interface GammaOptions extends SeedOptions {
  readonly beta?: TensorLike | null;
  readonly dtype?: "float16" | "float32" | "float64" | null;
}

/** `shape` samples of each gamma distribution given by alpha (shape) and beta (inverse scale, 1), broadcast together: shape `[...shape, ...alpha]`.
 *  Samples are differentiable by alpha and beta. TF: tf.random_gamma. */
export function randomGamma(shape: TensorLike, alpha: TensorLike, ...rest: unknown[]): Tensor {
  const { beta = 1, dtype, seed, name } = collect<GammaOptions>(["beta", "dtype", "seed", "name"], rest);
  if (dtype && !isDType(dtype)) throw noDtype(dtype);
  const type = dtype ?? "float32";
  return inNameScope({ name }, "random_gamma", [shape, alpha, beta], () => {
    const dims = convertToTensor(shape, { name: "shape", dtype: shape instanceof Tensor ? undefined : "int32" });
    const { alphas, betas } = gammaParameters(alpha, beta as TensorLike, type);
    return positive(RandomGamma({ shape: dims, alpha: alphas, ...seedAttrs(seed) }), betas, type);
  });
}

function gammaParameters(alpha: TensorLike, beta: TensorLike, dtype: "float16" | "float32" | "float64"): { alphas: Tensor; betas: Tensor } {
  const a = convertToTensor(alpha, { name: "alpha", dtype });
  const betas = convertToTensor(beta, { name: "beta", dtype });
  return { alphas: BroadcastTo({ input: a, shape: broadcastDynamicShape(shapeOf(a), shapeOf(betas)) }), betas };
}

/** Gamma samples are raised to the least positive normal number. */
const positive = (samples: Tensor, betas: Tensor, dtype: keyof typeof precision): Tensor =>
  Maximum({ x: precision[dtype][0], y: RealDiv({ x: samples, y: betas }, { name: "truediv" }) });

interface PoissonOptions extends SeedOptions {
  readonly dtype?: "float16" | "float32" | "float64" | "int32" | "int64" | null;
}

/** `shape` samples of each Poisson distribution with rate `lam`: shape `[...shape, ...lam]`, float32 unless told otherwise. TF: tf.random_poisson. */
export function randomPoisson(lam: TensorLike, shape: TensorLike, ...rest: unknown[]): Tensor {
  const { dtype, seed, name } = collect<PoissonOptions>(["dtype", "seed", "name"], rest);
  return inNameScope({ name }, "random_poisson", [lam, shape], () =>
    RandomPoissonV2({
      shape: convertToTensor(shape, { name: "shape", dtype: shape instanceof Tensor ? undefined : "int32" }),
      rate: lam,
      dtype: dtype ?? "float32",
      ...seedAttrs(seed),
    }),
  );
}

// ---- functions of seeds ----

/** Gamma samples of a whole shape that ends like alpha and beta broadcast together, from `seed` ([2] integers) alone. TF: tf.random.stateless_gamma. */
export function statelessGamma(shape: TensorLike, seed: TensorLike, alpha: TensorLike, ...rest: unknown[]): Tensor {
  const { beta = 1, dtype, name } = collect<GammaOptions>(["beta", "dtype", "name"], rest);
  const type = dtype ?? "float32";
  return inNameScope({ name }, "stateless_random_gamma", [shape, seed, alpha, beta], () => {
    const dims = shapeTensor(shape);
    const { alphas, betas } = gammaParameters(alpha, beta as TensorLike, type);
    const { key, counter } = StatelessRandomGetKeyCounter({ seed: seedTensor(seed) });
    return positive(StatelessRandomGammaV3({ shape: dims, key, counter, alg: anyAlgorithm, alpha: alphas }), betas, type);
  });
}

interface IntegerOptions {
  readonly dtype?: "float16" | "float32" | "float64" | "int32" | "int64" | null;
  readonly outputDtype?: "float16" | "float32" | "float64" | "int32" | "int64" | null;
  readonly name?: string | null;
}

/** Poisson samples of a whole shape that ends like `lam`, int32 unless told otherwise. TF: tf.random.stateless_poisson. */
export function statelessPoisson(shape: TensorLike, seed: TensorLike, lam: TensorLike, ...rest: unknown[]): Tensor {
  const { dtype, name } = collect<IntegerOptions>(["dtype", "name"], rest);
  return inNameScope({ name }, "stateless_random_poisson", [shape, seed, lam], () =>
    StatelessRandomPoisson({ shape: shapeTensor(shape), seed: seedTensor(seed), lam, dtype: dtype ?? "int32" }),
  );
}

/** Binomial samples of a whole shape that ends like `counts` and `probs` broadcast together, int32 unless told otherwise. TF: tf.random.stateless_binomial. */
export function statelessBinomial(shape: TensorLike, seed: TensorLike, counts: TensorLike, probs: TensorLike, ...rest: unknown[]): Tensor {
  const { outputDtype, name } = collect<IntegerOptions>(["outputDtype", "name"], rest);
  return inNameScope({ name }, "stateless_random_binomial", [shape, seed, counts, probs], () => {
    const dims = shapeTensor(shape);
    const p = convertToTensor(probs, { name: "probs" });
    const n = convertToTensor(counts, { name: "counts", preferredDtype: p.dtype });
    return StatelessRandomBinomial({ shape: dims, seed: seedTensor(seed), counts: n, probs: p, dtype: outputDtype ?? "int32" });
  });
}

const drawnBySeed = (
  fallback: string,
  logits: TensorLike,
  numSamples: TensorLike,
  seed: TensorLike,
  { dtype, outputDtype, name }: IntegerOptions,
): Tensor =>
  inNameScope({ name }, fallback, [logits, seed], () => {
    const given = convertToTensor(logits, { name: "logits" });
    const type = dtype ?? outputDtype ?? "int64";
    if (!isDType(type)) throw noDtype(type);
    if (type !== "int32" && type !== "int64")
      throw new ValueError(`Argument \`dtype\` got invalid value <dtype: '${type}'>. Accepted dtypes are (tf.int32, tf.int64).`);
    return StatelessMultinomial({ logits: given, numSamples, seed: seedTensor(seed), outputDtype: type });
  });

/** `numSamples` class numbers for each row of `logits` `[batch, classes]` from `seed` ([2] integers) alone; int64. TF: tf.random.stateless_categorical. */
export const statelessCategorical = (logits: TensorLike, numSamples: TensorLike, seed: TensorLike, ...rest: unknown[]): Tensor =>
  drawnBySeed("stateless_categorical", logits, numSamples, seed, collect<IntegerOptions>(["dtype", "name"], rest));

/** The older name of statelessCategorical. TF: tf.random.stateless_multinomial. */
export const statelessMultinomial = (logits: TensorLike, numSamples: TensorLike, seed: TensorLike, ...rest: unknown[]): Tensor =>
  drawnBySeed("stateless_multinomial", logits, numSamples, seed, collect<IntegerOptions>(["outputDtype", "name"], rest));

interface BoundedOptions {
  readonly means?: TensorLike | null;
  readonly stddevs?: TensorLike | null;
  readonly minvals?: TensorLike | null;
  readonly maxvals?: TensorLike | null;
  readonly name?: string | null;
}

/** Normals between bounds (−2 and 2), of means (0) and deviations (1), from `seed` alone. TF: tf.random.stateless_parameterized_truncated_normal. */
export function statelessParameterizedTruncatedNormal(shape: TensorLike, seed: TensorLike, ...rest: unknown[]): Tensor {
  const names = ["means", "stddevs", "minvals", "maxvals", "name"];
  const { means = 0, stddevs = 1, minvals = -2, maxvals = 2, name } = collect<BoundedOptions>(names, rest);
  const given = { means, stddevs, minvals, maxvals } as Readonly<Record<"means" | "stddevs" | "minvals" | "maxvals", TensorLike>>;
  return inNameScope({ name }, "stateless_parameterized_truncated_normal", [shape, means, stddevs, minvals, maxvals], () => {
    const dims = shapeTensor(shape);
    return StatelessParameterizedTruncatedNormal({
      shape: dims,
      seed: seedTensor(seed),
      means: convertToTensor(given.means, { name: "means" }),
      stddevs: convertToTensor(given.stddevs, { name: "stddevs" }),
      minvals: convertToTensor(given.minvals, { name: "minvals" }),
      maxvals: convertToTensor(given.maxvals, { name: "maxvals" }),
    });
  });
}
