// Random ops, bit for bit TensorFlow's on the CPU: Philox4x32-10 words from a generator that each op owns and advances with every run.
// Uniform, integer and normal numbers are maps over the words; truncated normals, shuffles and draws from categories, which consume words
// one after another, are routines. Salmon et al. 2011; the conversions and skips are those of TensorFlow's kernels (observed, see the golden cases).

import type { DType } from "../../base/dtype.ts";
import { isDType, isFloating, isInteger, noDtype } from "../../base/dtype.ts";
import { InvalidArgumentError, ValueError } from "../../base/errors.ts";
import { NDArray, numbersIn } from "../../base/ndarray.ts";
import { floatText } from "../../base/python-text.ts";
import { sizeOf, TensorShape } from "../../base/shape.ts";
import * as attr from "../../graph/attributes.ts";
import { convertIntegers, convertToTensor, type TensorLike } from "../../graph/conversion.ts";
import { getDefaultGraph } from "../../graph/default-graph.ts";
import type { Graph } from "../../graph/graph.ts";
import { type ShapeContext, defineOp, type LowerContext } from "../../graph/op-definition.ts";
import { Tensor } from "../../graph/operation.ts";
import { call, check, constant, generate, map, randomWords } from "../../ir/build.ts";
import { addIndex, constantIndex, dataIndex, divIndex, flattenIndex, type Index, modIndex, scaleIndex } from "../../ir/index-map.ts";
import type { Routine, Value } from "../../ir/program.ts";
import { bitcastScalar, castScalar, constantScalar, guardScalar, loadScalar, type Scalar, s } from "../../ir/scalar.ts";
import { collect } from "../arguments.ts";
import { numbersOf, shape as shapeOf } from "../array/array.ts";
import { slice } from "../array/slicing.ts";
import { Assert, withDependencies } from "../flow/control-flow.ts";
import { AddV2, FloorMod, Mul, Sub } from "../math/math.ts";
import { GreaterEqual } from "../math/comparison.ts";
import { reduceAll } from "../math/reduction.ts";
import { inNameScope } from "../named.ts";
import { normalPair64, PhiloxStream, unit64 } from "./philox.ts";
import { logarithm32Scalar, trigonometric32 } from "./trigonometry.ts";

/** The shape that an input says, which has to be a vector. */
export function sizedAs(shape: TensorShape, context: ShapeContext): TensorShape {
  shape.withRank(1);
  return context.shapeFrom("shape");
}

const floats = ["float16", "bfloat16", "float32", "float64"] as const;
const integers = ["int32", "int64"] as const;
const seeds = { seed: attr.int(0), seed2: attr.int(0) };

/** A number that Python writes as a float, in a type that floats fit. @throws TypeError for others, as Python's 0.0 is refused. */
export function convertFloat(value: TensorLike, dtype: DType, name: string): Tensor {
  const isWhole = typeof value === "number" && Number.isInteger(value);
  if (isWhole && (dtype === "string" || dtype === "bool" || isInteger(dtype)))
    throw new TypeError(`Expected ${dtype}, but got ${floatText(value)} of type 'float'.`);
  return convertToTensor(value, { dtype, name });
}

// ---- generators ----

interface Seeds {
  readonly seed: number;
  readonly seed2: number;
}

/** The state of the op of that name; of a name scope, how the ids of all in it begin. */
export const generatorId = (name: string): string => `generator:${name}`;

/** The op's generator at this point of the run, advanced by `blocks` of four words for whatever comes after. */
export function takeBlocks(context: LowerContext, { seed, seed2 }: Seeds, blocks: number): Value {
  const initial = (): NDArray => {
    const isUnseeded = seed === 0 && seed2 === 0;
    const [a, b] = isUnseeded ? globalThis.crypto.getRandomValues(new BigInt64Array(2)) : [BigInt(seed), BigInt(seed2)];
    return new NDArray("int64", [3], BigInt64Array.of(a, b, 0n));
  };
  const handle = context.state({ id: generatorId(context.name), role: "generator", dtype: "int64", shape: [3], initial });
  const state = handle.read();
  if (blocks > 0) handle.write(map((x, step) => s.add(x, step), state, constant(NDArray.from([0n, 0n, BigInt(blocks)], "int64"))));
  return state;
}

/** Blocks that TensorFlow sets aside per output element: enough for any rejection sampling. */
const reservedPerElement = 256;

export function requestedShape(shape: NDArray): number[] {
  const dims = numbersOf(shape);
  for (const d of dims) if (d < 0) throw new InvalidArgumentError(`Dimension ${d} must be >= 0`);
  return dims;
}

// ---- words to numbers ----

const wordAt = (words: Value, at: Index): Scalar => loadScalar(words, [at]);

/** A float in [0, 1) from the low bits of one word (float64: of two), by way of [1, 2). */
function unitFloat(words: Value, at: Index, dtype: DType): Scalar {
  const word = wordAt(words, at);
  switch (dtype) {
    case "float16":
    case "bfloat16": {
      const [one, mask] = dtype === "float16" ? [0x3c00, 0x3ff] : [0x3f80, 0x7f];
      return s.sub(bitcastScalar(castScalar(s.or(s.and(word, mask), one), "uint16"), dtype), 1);
    }
    case "float32":
      return s.sub(bitcastScalar(s.or(s.and(word, 0x7fffff), 0x3f800000), "float32"), 1);
    default: {
      const high = castScalar(s.or(s.and(word, 0xfffff), 0x3ff00000), "uint64");
      return s.sub(bitcastScalar(s.or(s.shl(high, 32), castScalar(wordAt(words, addIndex(at, constantIndex(1))), "uint64")), "float64"), 1);
    }
  }
}

/** Element number of a multi-index. */
const elementOf = (i: readonly Index[], shape: readonly number[]): Index => flattenIndex(i, shape);
const wordsPer = (dtype: DType): number => (dtype === "float64" || dtype === "int64" || dtype === "uint64" ? 2 : 1);

/** Uniform floats in [0, 1), of the given shape. */
export const RandomUniform = defineOp("RandomUniform", {
  inputs: { shape: "T" },
  outputs: { output: "dtype" },
  attrs: { ...seeds, dtype: attr.type(floats), T: attr.type(attr.indexTypes) },
  stateful: true,
  gradient: "none",
  compileTimeInputs: ["shape"],
  shape: ({ shape }, context) => sizedAs(shape, context),
  lower: ({ shape, dtype, ...w }, context) => {
    const dims = requestedShape(shape);
    const size = sizeOf(dims);
    return uniformFloats(takeBlocks(context, w, reservedPerElement * size), dims, dtype);
  },
});

/** Floats in [0, 1) from the generator state on. */
export function uniformFloats(state: Value, dims: readonly number[], dtype: DType): Value {
  const words = randomWords(state, sizeOf(dims) * wordsPer(dtype));
  return generate(dims, i => unitFloat(words, scaleIndex(elementOf(i, dims), wordsPer(dtype)), dtype));
}

/** Uniform integers in [minval, maxval): a word modulo the range, so slightly uneven for large ranges, as TensorFlow's. */
export const RandomUniformInt = defineOp("RandomUniformInt", {
  inputs: { shape: "T", minval: "Tout", maxval: "Tout" },
  outputs: { output: "Tout" },
  attrs: { ...seeds, Tout: attr.type(integers), T: attr.type(attr.indexTypes) },
  stateful: true,
  gradient: "none",
  compileTimeInputs: ["shape"],
  shape: ({ minval, maxval }, context) => {
    for (const [name, bound] of Object.entries({ minval, maxval }))
      if (bound.rank !== null && bound.rank > 0) throw new ValueError(`${name} must be a scalar; got a tensor of shape ${bound.format()}`);
    return context.shapeFrom("shape");
  },
  lower: ({ shape, minval, maxval, Tout, ...w }, context) => {
    const dims = requestedShape(shape);
    const size = sizeOf(dims);
    if (minval.shape.length > 0) throw new InvalidArgumentError(`minval must be 0-D, got shape [${minval.shape}]`);
    if (maxval.shape.length > 0) throw new InvalidArgumentError(`maxval must be 0-D, got shape [${maxval.shape}]`);
    const low = loadScalar(minval, []);
    const high = loadScalar(maxval, []);
    if (size > 0)
      check([], () => s.lt(low, high), {
        label: "minval < maxval",
        reads: [minval, maxval],
        error: (_, read) => new InvalidArgumentError(`Need minval < maxval, got ${read(minval).get(0)} >= ${read(maxval).get(0)}`),
      });
    return uniformIntegers(takeBlocks(context, w, reservedPerElement * size), dims, Tout, minval, maxval);
  },
});

/** Integers in [minval, maxval) from the generator state on. */
export function uniformIntegers(state: Value, dims: readonly number[], dtype: DType, minval: Value, maxval: Value): Value {
  const words = randomWords(state, sizeOf(dims) * wordsPer(dtype));
  const unsigned = dtype === "int32" || dtype === "uint32" ? "uint32" : "uint64";
  return generate(dims, i => {
    const at = scaleIndex(elementOf(i, dims), wordsPer(dtype));
    const [a, b] = [castScalar(loadScalar(minval, []), unsigned), castScalar(loadScalar(maxval, []), unsigned)];
    return castScalar(s.add(a, s.rem(unsignedAt(words, at, unsigned), s.sub(b, a))), dtype);
  });
}

function unsignedAt(words: Value, at: Index, dtype: "uint32" | "uint64"): Scalar {
  if (dtype === "uint32") return wordAt(words, at);
  return s.or(castScalar(wordAt(words, at), "uint64"), s.shl(castScalar(wordAt(words, addIndex(at, constantIndex(1))), "uint64"), 32));
}

/** Normals of mean 0 and deviation 1, two from each pair of words (Box & Muller): sin and cos of one angle times one radius. */
export const RandomStandardNormal = defineOp("RandomStandardNormal", {
  inputs: { shape: "T" },
  outputs: { output: "dtype" },
  attrs: { ...seeds, dtype: attr.type(floats), T: attr.type(attr.indexTypes) },
  stateful: true,
  gradient: "none",
  compileTimeInputs: ["shape"],
  shape: ({ shape }, context) => sizedAs(shape, context),
  lower: ({ shape, dtype, ...w }, context) => {
    const dims = requestedShape(shape);
    const size = sizeOf(dims);
    return normals(takeBlocks(context, w, reservedPerElement * size), dims, dtype);
  },
});

/** Normals of mean 0 and deviation 1 from the generator state on. */
export function normals(state: Value, dims: readonly number[], dtype: DType): Value {
  const pairs = Math.ceil(sizeOf(dims) / 2);
  const words = randomWords(state, pairs * (dtype === "float64" ? 4 : 2));
  if (dtype === "float64") return call(doubleNormals, [words], [{ dtype, shape: dims }])[0];
  const { radius, angle } = polar(words, pairs);
  return generate(dims, i => {
    const element = elementOf(i, dims);
    const pair = [divIndex(element, 2)];
    const v = loadScalar(angle, pair);
    const isFirst = [{ index: modIndex(element, 2), low: 0, high: 1 }];
    return castScalar(s.mul(guardScalar(isFirst, trigonometric32(v, true), trigonometric32(v, false)), loadScalar(radius, pair)), dtype);
  });
}

/** Radius √(-2 ln u) and angle 2π·v of each pair of uniform floats; the angle is a product in double precision, rounded. */
function polar(words: Value, pairs: number): { radius: Value; angle: Value } {
  const logarithm = logarithm32Scalar();
  const radius = generate([pairs], i => s.sqrt(s.mul(logarithm(s.max(unitFloat(words, scaleIndex(i[0], 2), "float32"), 1e-7)), -2)));
  const angle = generate([pairs], i => {
    const v = unitFloat(words, addIndex(scaleIndex(i[0], 2), constantIndex(1)), "float32");
    return castScalar(s.mul(castScalar(v, "float64"), constantScalar("float64", 2 * Math.PI)), "float32");
  });
  return { radius, angle };
}

/** The same in double precision, one pair from four words. */
const doubleNormals: Routine = {
  name: "randomNormal64",
  run: ([words], [out]) => {
    const given = words.data as Uint32Array;
    const normals = out.data as Float64Array;
    const two = new Float64Array(2);
    for (let i = 0; i < normals.length; i += 2) {
      normalPair64(unit64(given[2 * i], given[2 * i + 1]), unit64(given[2 * i + 2], given[2 * i + 3]), two);
      normals.set(two.subarray(0, normals.length - i), i);
    }
  },
};

// ---- rejection: truncated normal ----

const truncation = 2;

function truncatedNormals(dtype: DType): Routine {
  const perGroup = dtype === "float64" ? 2 : 4;
  const blocksPerGroup = (perGroup * reservedPerElement) / 4;
  return {
    name: "truncatedNormal",
    run: ([state], [out]) => {
      const stream = new PhiloxStream(state);
      const pair = new Float64Array(2);
      const { size } = out;
      const plain = dtype === "float32" || dtype === "float64" ? (out.data as Float32Array) : undefined;
      for (let group = 0, first = 0; first < size; group++, first += perGroup) {
        stream.skipTo(group * blocksPerGroup);
        for (let found = 0; found < perGroup; ) {
          if (dtype === "float64") stream.normalPair64(pair);
          else stream.normalPair32(pair);
          for (let k = 0; k < 2; k++) {
            const at = first + found;
            if (Math.abs(pair[k]) >= truncation || found >= perGroup) continue;
            found++;
            if (at >= size) continue;
            if (plain) plain[at] = pair[k];
            else out.set(at, pair[k]);
          }
        }
      }
    },
  };
}

/** Standard normals, redrawn until they lie within two deviations. */
export const TruncatedNormal = defineOp("TruncatedNormal", {
  inputs: { shape: "T" },
  outputs: { output: "dtype" },
  attrs: { ...seeds, dtype: attr.type(floats), T: attr.type(attr.indexTypes) },
  stateful: true,
  gradient: "none",
  compileTimeInputs: ["shape"],
  shape: ({ shape }, context) => sizedAs(shape, context),
  lower: ({ shape, dtype, ...w }, context) => {
    const dims = requestedShape(shape);
    return truncatedFloats(takeBlocks(context, w, reservedPerElement * sizeOf(dims)), dims, dtype);
  },
});

/** Standard normals within two deviations from the generator state on. */
export function truncatedFloats(state: Value, dims: readonly number[], dtype: DType): Value {
  return call(truncatedNormals(dtype), [state], [{ dtype, shape: dims }])[0];
}

// ---- order and choice ----

/** The order that swapping each place with a random later one leaves behind. */
const permutation: Routine = {
  name: "randomPermutation",
  run: ([state], [out]) => {
    const order = out.data as Int32Array;
    const n = order.length;
    const stream = new PhiloxStream(state);
    for (let i = 0; i < n; i++) order[i] = i;
    for (let i = 0; i < n - 1; i++) {
      const j = i + (stream.word() % (n - i));
      [order[i], order[j]] = [order[j], order[i]];
    }
  },
};

/** The rows of a tensor (its slices along the first dimension) in random order. */
export const RandomShuffle = defineOp("RandomShuffle", {
  inputs: { value: "T" },
  outputs: { output: "T" },
  attrs: { ...seeds, T: attr.type() },
  stateful: true,
  gradient: "none",
  shape: ({ value }) => value,
  lower: ({ value, ...w }, context) => {
    const rows = value.shape[0] ?? 0;
    const state = takeBlocks(context, w, rows > 1 ? Math.ceil((rows - 1) / 4) : 0);
    return shuffledRows(value, state);
  },
});

/** Rows in the order that the generator state from here on gives. */
export function shuffledRows(value: Value, state: Value): Value {
  const rows = value.shape[0] ?? 0;
  if (rows <= 1) return generate(value.shape, i => loadScalar(value, i));
  const [order] = call(permutation, [state], [{ dtype: "int32", shape: [rows] }]);
  return generate(value.shape, i => loadScalar(value, [dataIndex(loadScalar(order, [i[0]]), rows), ...i.slice(1)]));
}

/** Class numbers with probabilities in proportion to exp(logit), from the running sums of each row. */
export const categoricalDraws: Routine = {
  name: "multinomial",
  run: ([logits, state], [out]) => {
    const [rows, classes] = logits.shape;
    const samples = out.shape[1];
    const stream = new PhiloxStream(state);
    const sums = new Float64Array(classes);
    const numbers = numbersIn(logits);
    for (let row = 0; row < rows; row++) {
      const values = numbers.subarray(row * classes, (row + 1) * classes);
      let most = -Infinity;
      for (let k = 0; k < classes; k++) if (values[k] > most && values[k] < Infinity) most = values[k];
      let total = 0;
      for (let k = 0; k < classes; k++) {
        if (Number.isFinite(values[k])) total += Math.exp(values[k] - most);
        sums[k] = total;
      }
      for (let k = 0; k < samples; k++) {
        const target = stream.unit64() * total;
        let low = 0;
        for (let high = classes; low < high; ) {
          const middle = (low + high) >> 1;
          if (sums[middle] > target) high = middle;
          else low = middle + 1;
        }
        out.set(row * samples + k, out.dtype === "int64" ? BigInt(low) : low);
      }
    }
  },
};

/** Draws class numbers from each row of unnormalized log probabilities. */
export const Multinomial = defineOp("Multinomial", {
  inputs: { logits: "T", numSamples: "int32" },
  outputs: { output: "outputDtype" },
  attrs: { ...seeds, T: attr.type(attr.realNumbers), outputDtype: attr.type(integers, "int64") },
  stateful: true,
  gradient: "none",
  compileTimeInputs: ["numSamples"],
  shape: ({ logits, numSamples }, context) => {
    numSamples.withRank(0);
    return new TensorShape([logits.withRank(2).dim(0), context.scalarSize("numSamples")]);
  },
  lower: ({ logits, numSamples, outputDtype, ...w }, context) => {
    const [samples] = numbersOf(numSamples);
    if (logits.shape.length !== 2) throw new InvalidArgumentError(`logits should be a matrix, got shape [${logits.shape}]`);
    if (samples < 0) throw new InvalidArgumentError(`num_samples should be nonnegative, got ${samples}`);
    const [rows, classes] = logits.shape;
    if (classes === 0 && rows * samples > 0) throw new InvalidArgumentError(`num_classes should be positive, got ${classes}`);
    const state = takeBlocks(context, w, 512 * rows * 4 * Math.ceil(samples / 4));
    return call(categoricalDraws, [logits, state], [{ dtype: outputDtype, shape: [rows, samples] }])[0];
  },
});

// ---- seeds ----

const defaultGraphSeed = 87654321;
const seedModulus = 2 ** 31 - 1;
const reduced = (seed: number): number => ((seed % seedModulus) + seedModulus) % seedModulus;

/** Sets the graph-level seed: with it, every random op made afterwards without a seed of its own gets one, and runs repeat. TF: tf.set_random_seed. */
export function setRandomSeed(seed: number | null): void {
  getDefaultGraph().seed = seed;
}

/** The two seeds of a new op from the graph's seed and its own; nulls if neither is set. TF: tf.get_seed. */
export function getSeed(opSeed: number | null | undefined): [number | null, number | null] {
  const graph: Graph = getDefaultGraph();
  if (graph.seed === null && (opSeed === null || opSeed === undefined)) return [null, null];
  const pair: [number, number] =
    graph.seed === null ? [defaultGraphSeed, reduced(opSeed as number)] : [reduced(graph.seed), reduced(opSeed ?? graph.nextOpSeed())];
  return pair[0] === 0 && pair[1] === 0 ? [0, seedModulus] : pair;
}

export function seedAttrs(opSeed: number | null | undefined): Seeds {
  const [seed, seed2] = getSeed(opSeed);
  return { seed: seed ?? 0, seed2: seed2 ?? 0 };
}

// ---- functions ----

export const shapeTensor = (shape: TensorLike): Tensor => convertIntegers(shape, "shape", true);

interface UniformOptions {
  readonly minval?: TensorLike | null;
  readonly maxval?: TensorLike | null;
  readonly dtype?: DType | null;
  readonly seed?: number | null;
  readonly name?: string | null;
}

/** Uniform random numbers in [minval, maxval): floats in [0, 1) unless given; integers need a maxval. TF: tf.random_uniform. */
export function randomUniform(
  shape: TensorLike,
  ...given: [options?: UniformOptions] | [minval: TensorLike | null, maxval?: TensorLike | UniformOptions | null, options?: UniformOptions]
): Tensor {
  const {
    minval = 0,
    maxval,
    dtype = "float32",
    seed,
    name,
  } = collect<UniformOptions>(["minval", "maxval", "dtype", "seed", "name"], given);
  const type = dtype as DType;
  if (!isDType(type)) throw noDtype(type);
  if (!floats.includes(type as "float32") && !integers.includes(type as "int32"))
    throw new ValueError(
      `Argument \`dtype\` got invalid value <dtype: '${type}'>. Accepted dtypes are (tf.float16, tf.bfloat16, tf.float32, tf.float64, tf.int32, tf.int64).`,
    );
  if (isInteger(type) && (maxval === undefined || maxval === null))
    throw new ValueError(`Must specify maxval for integer dtype tf.${type}`);
  const high = maxval ?? 1;
  return inNameScope({ name }, "random_uniform", [shape, minval, maxval], scope => {
    const dims = shapeTensor(shape);
    if (isFloating(type) && minval === 0 && high === 1) return RandomUniform({ shape: dims, dtype: type as "float32", ...seedAttrs(seed) });
    const from = convertToTensor(minval as TensorLike, { dtype: type, name: "min" });
    const to = convertToTensor(high, { dtype: type, name: "max" });
    if (isInteger(type)) return RandomUniformInt({ shape: dims, minval: from, maxval: to, ...seedAttrs(seed) }, { name: scope });
    const unit = RandomUniform({ shape: dims, dtype: type as "float32", ...seedAttrs(seed) });
    if (minval === 0) return Mul({ x: unit, y: to });
    return AddV2({ x: Mul({ x: unit, y: Sub({ x: to, y: from }, { name: "sub" }) }, { name: "mul" }), y: from }, { name: scope });
  });
}

interface NormalOptions {
  readonly mean?: TensorLike | null;
  readonly stddev?: TensorLike | null;
  readonly dtype?: DType | null;
  readonly seed?: number | null;
  readonly name?: string | null;
}
type NormalArguments =
  | [options?: NormalOptions]
  | [mean: TensorLike | null, stddev?: TensorLike | NormalOptions | null, options?: NormalOptions];

function scaledNormal(fallback: string, op: typeof RandomStandardNormal, shape: TensorLike, given: NormalArguments): Tensor {
  const {
    mean = 0,
    stddev = 1,
    dtype = "float32",
    seed,
    name,
  } = collect<NormalOptions>(["mean", "stddev", "dtype", "seed", "name"], given);
  const type = dtype as DType;
  return inNameScope({ name }, fallback, [shape, mean, stddev], scope => {
    const dims = shapeTensor(shape);
    const m = convertFloat(mean as TensorLike, type, "mean");
    const d = convertFloat(stddev as TensorLike, type, "stddev");
    const unit = op({ shape: dims, dtype: type as "float32", ...seedAttrs(seed) });
    return AddV2({ x: Mul({ x: unit, y: d }, { name: "mul" }), y: m }, { name: scope });
  });
}

/** Normal random numbers of a mean (0) and a standard deviation (1). TF: tf.random_normal. */
export const randomNormal = (shape: TensorLike, ...given: NormalArguments): Tensor =>
  scaledNormal("random_normal", RandomStandardNormal, shape, given);

/** Normal random numbers, redrawn where they lie more than two standard deviations from the mean. TF: tf.truncated_normal. */
export const truncatedNormal = (shape: TensorLike, ...given: NormalArguments): Tensor =>
  scaledNormal("truncated_normal", TruncatedNormal, shape, given);

interface SeedOptions {
  readonly seed?: number | null;
  readonly name?: string | null;
}

/** The rows of `value` (slices along its first dimension) in random order. TF: tf.random_shuffle. */
export function randomShuffle(value: TensorLike, options: SeedOptions = {}): Tensor {
  return RandomShuffle({ value, ...seedAttrs(options.seed) }, { name: options.name });
}

interface MultinomialOptions extends SeedOptions {
  readonly outputDtype?: "int32" | "int64" | null;
}

/** `numSamples` class numbers for each row of `logits` `[batch, classes]`, unnormalized log probabilities; int64. TF: tf.multinomial. */
export function multinomial(logits: TensorLike, numSamples: TensorLike, options: MultinomialOptions = {}): Tensor {
  return inNameScope({ name: options.name }, "multinomial", [logits], () => draw(logits, numSamples, options.outputDtype, options.seed));
}

/** The newer name of multinomial. TF: tf.random.categorical. */
export function categorical(
  logits: TensorLike,
  numSamples: TensorLike,
  options: SeedOptions & { readonly dtype?: "int32" | "int64" | null } = {},
): Tensor {
  return inNameScope({ name: options.name }, "categorical", [logits], () => draw(logits, numSamples, options.dtype, options.seed));
}

function draw(
  logits: TensorLike,
  numSamples: TensorLike,
  dtype: "int32" | "int64" | null | undefined,
  seed: number | null | undefined,
): Tensor {
  if (dtype && !isDType(dtype)) throw noDtype(dtype);
  if (dtype && dtype !== "int32" && dtype !== "int64")
    throw new ValueError(`Argument \`dtype\` got invalid value <dtype: '${dtype}'>. Accepted dtypes are (tf.int32, tf.int64).`);
  const tensor = convertToTensor(logits, { name: "logits" });
  return Multinomial({ logits: tensor, numSamples, outputDtype: dtype ?? "int64", ...seedAttrs(seed) });
}

/** A piece of `value` of the given size from a random place. TF: tf.random_crop.
 *  @throws InvalidArgumentError while running if the size exceeds the value's. */
export function randomCrop(value: TensorLike, size: TensorLike, options: SeedOptions = {}): Tensor {
  return inNameScope({ name: options.name }, "random_crop", [value, size], scope => {
    const whole = convertToTensor(value, { name: "value" });
    const wanted = convertToTensor(size, { name: "size", dtype: size instanceof Tensor ? undefined : "int32" });
    const shape = shapeOf(whole);
    const assertion = Assert(reduceAll(GreaterEqual({ x: shape, y: wanted })), ["Need value.shape >= size, got ", shape, wanted], {
      summarize: 1000,
    });
    const checked = withDependencies([assertion], shape);
    const limit = AddV2({ x: Sub({ x: checked, y: wanted }, { name: "sub" }), y: 1 }, { name: "add" });
    const any = randomUniform(shapeOf(limit), {
      dtype: wanted.dtype,
      maxval: wanted.dtype === "int32" ? 2 ** 31 - 1 : 2n ** 63n - 1n,
      seed: options.seed,
    });
    return slice(whole, FloorMod({ x: any, y: limit }, { name: "mod" }), wanted, { name: String(scope) });
  });
}
