// Random ops whose generator is kept in a variable: int64[3] of counter (low, high) and key. Each use moves the counter by 256 blocks for every number
// drawn, so what a later one draws does not overlap. Permutations of indices, one index at a time.

import type { DType } from "../../base/dtype.ts";
import { InvalidArgumentError, UnimplementedError, ValueError } from "../../base/errors.ts";
import { NDArray } from "../../base/ndarray.ts";
import { sizeOf, TensorShape } from "../../base/shape.ts";
import * as attr from "../../graph/attributes.ts";
import { convertToTensor, type TensorLike } from "../../graph/conversion.ts";
import { defineOp, type StateHandle } from "../../graph/op-definition.ts";
import type { Tensor } from "../../graph/operation.ts";
import * as ir from "../../ir/build.ts";
import type { Routine, Value } from "../../ir/program.ts";
import { collect, need } from "../arguments.ts";
import { numbersOf } from "../array/array.ts";
import { PadV2 } from "../array/padding.ts";
import { normals, requestedShape, truncatedFloats, uniformFloats, uniformIntegers, sizedAs } from "./random.ts";
import { generatorOfVariable } from "./distributions.ts";
import { PhiloxStream } from "./philox.ts";
import { checkRange, seedTensor, wholeWords } from "./stateless.ts";

const floats = ["float16", "bfloat16", "float32", "float64"] as const;
const integers = ["int32", "int64", "uint32", "uint64"] as const;
const shapeDtype = attr.type(undefined, "int64");

function requirePhilox(algorithm: NDArray): void {
  const [id] = numbersOf(algorithm);
  if (algorithm.rank !== 0) throw new InvalidArgumentError(`algorithm must be of shape [], not [${algorithm.shape}]`);
  if (id === 2) throw new UnimplementedError("The ThreeFry algorithm (2) of random generators is not available; use Philox (1).");
  if (id !== 1) throw new InvalidArgumentError(`Unsupported algorithm id: ${id}`);
}

/** The counter, 128 bits of it, by some blocks further on. */
const skipping: Routine = {
  name: "skipBlocks",
  run: ([held, count], [out]) => {
    const state = held.data as BigInt64Array;
    const counter = (BigInt.asUintN(64, state[1]) << 64n) | BigInt.asUintN(64, state[0]);
    const next = counter + BigInt.asUintN(64, 256n * (count.get(0) as bigint));
    const result = out.data as BigInt64Array;
    result.set(state);
    result[0] = BigInt.asIntN(64, next);
    result[1] = BigInt.asIntN(64, next >> 64n);
  },
};

const moved = (resource: StateHandle, held: Value, count: Value): StateHandle =>
  resource.write(ir.call(skipping, [held, count], [{ dtype: "int64", shape: held.shape }])[0]);

function checkState(held: Value, least: number): void {
  if (held.dtype !== "int64") throw new InvalidArgumentError(`dtype of RNG state variable must be int64, not ${held.dtype}`);
  if (held.shape.length !== 1) throw new InvalidArgumentError(`RNG state must have one and only one dimension, not ${held.shape.length}`);
  if (held.shape[0] < least)
    throw new InvalidArgumentError(`For the Philox algorithm, the size of state must be at least ${least}; got ${held.shape[0]}`);
}

/** The generator as the other ops take it, which is then moved on behind what is drawn. */
function take(resource: StateHandle, count: number): Value {
  const held = resource.read();
  checkState(held, 3);
  const [state] = ir.call(generatorOfVariable, [held], [{ dtype: "int64", shape: [3] }]);
  moved(resource, held, ir.constant(NDArray.full("int64", [], BigInt(count))));
  return state;
}

type Draw = (state: Value, dims: readonly number[], dtype: DType) => Value;

const drawn = <const N extends string>(type: N, draw: Draw) =>
  defineOp(type, {
    inputs: { resource: "resource", algorithm: "int64", shape: "shapeDtype" },
    outputs: { output: "dtype" },
    attrs: { dtype: attr.type(undefined, "float32"), shapeDtype },
    stateful: true,
    compileTimeInputs: ["algorithm", "shape"],
    shape: ({ algorithm }, context) => {
      algorithm.withRank(0);
      return context.shapeFrom("shape");
    },
    lower: ({ resource, algorithm, shape, dtype }) => {
      requirePhilox(algorithm);
      const known: readonly DType[] = floats;
      if (!known.includes(dtype)) throw new InvalidArgumentError(`${type} draws ${floats.join(", ")}, not ${dtype}.`);
      const dims = requestedShape(shape);
      return draw(take(resource, sizeOf(dims)), dims, dtype);
    },
  });

export const StatefulUniform = drawn("StatefulUniform", uniformFloats);
export const StatefulStandardNormalV2 = drawn("StatefulStandardNormalV2", normals);

/** The state of a generator as the first of these ops kept it, behind the number of its algorithm. */
const behindAlgorithm: Routine = {
  name: "stateBehindAlgorithm",
  run: ([held], [out]) => {
    const state = held.data as BigInt64Array;
    if (state[0] !== 1n) throw new InvalidArgumentError(`Unsupported algorithm id: ${state[0]}`);
    (out.data as BigInt64Array).set(state.subarray(1));
  },
};
const withAlgorithm: Routine = {
  name: "stateWithAlgorithm",
  run: ([held, state], [out]) => {
    const result = out.data as BigInt64Array;
    result[0] = (held.data as BigInt64Array)[0];
    result.set(state.data as BigInt64Array, 1);
  },
};

/** Normal numbers from a generator whose state begins with its algorithm. */
export const StatefulStandardNormal = defineOp("StatefulStandardNormal", {
  inputs: { resource: "resource", shape: "shapeDtype" },
  outputs: { output: "dtype" },
  attrs: { dtype: attr.type(undefined, "float32"), shapeDtype },
  stateful: true,
  removed: [29, "Use StatefulStandardNormalV2 instead"],
  compileTimeInputs: ["shape"],
  shape: (_, context) => context.shapeFrom("shape"),
  lower: ({ resource, shape, dtype }) => {
    const dims = requestedShape(shape);
    const whole = resource.read();
    checkState(whole, 4);
    const [size] = whole.shape;
    let [held] = ir.call(behindAlgorithm, [whole], [{ dtype: "int64", shape: [size - 1] }]);
    const inner: StateHandle = {
      ...resource,
      read: () => held,
      write: value => {
        held = value;
        resource.write(ir.call(withAlgorithm, [whole, value], [{ dtype: "int64", shape: [size] }])[0]);
        return inner;
      },
    };
    return normals(take(inner, sizeOf(dims)), dims, dtype);
  },
});
export const StatefulTruncatedNormal = drawn("StatefulTruncatedNormal", truncatedFloats);

export const StatefulUniformInt = defineOp("StatefulUniformInt", {
  inputs: { resource: "resource", algorithm: "int64", shape: "shapeDtype", minval: "dtype", maxval: "dtype" },
  outputs: { output: "dtype" },
  attrs: { dtype: attr.type(undefined, "int64"), shapeDtype },
  stateful: true,
  compileTimeInputs: ["algorithm", "shape"],
  shape: ({ algorithm, minval, maxval }, context) => {
    algorithm.withRank(0);
    minval.withRank(0);
    maxval.withRank(0);
    return context.shapeFrom("shape");
  },
  lower: ({ resource, algorithm, shape, minval, maxval, dtype }) => {
    requirePhilox(algorithm);
    checkRange(minval, maxval);
    const dims = requestedShape(shape);
    return uniformIntegers(take(resource, sizeOf(dims)), dims, dtype, minval, maxval);
  },
});

/** Integers over the whole range of their type. */
export const StatefulUniformFullInt = defineOp("StatefulUniformFullInt", {
  inputs: { resource: "resource", algorithm: "int64", shape: "shapeDtype" },
  outputs: { output: "dtype" },
  attrs: { dtype: attr.type(undefined, "uint64"), shapeDtype },
  stateful: true,
  compileTimeInputs: ["algorithm", "shape"],
  shape: ({ algorithm }, context) => {
    algorithm.withRank(0);
    return context.shapeFrom("shape");
  },
  lower: ({ resource, algorithm, shape, dtype }) => {
    requirePhilox(algorithm);
    const dims = requestedShape(shape);
    return ir.call(wholeWords(dtype), [take(resource, sizeOf(dims))], [{ dtype, shape: dims }])[0];
  },
});

// ---- the generator itself ----

/** Moves the generator on as drawing `delta` numbers would. */
export const RngSkip = defineOp("RngSkip", {
  inputs: { resource: "resource", algorithm: "int64", delta: "int64" },
  outputs: {},
  attrs: {},
  stateful: true,
  compileTimeInputs: ["algorithm"],
  sizesFromValues: false,
  shape: ({ algorithm, delta }) => {
    algorithm.withRank(0);
    delta.withRank(0);
  },
  lower: ({ resource, algorithm, delta }) => {
    requirePhilox(algorithm);
    moved(resource, resource.read(), delta);
  },
});

/** The same; gives what the variable held before, its first three numbers. */
export const RngReadAndSkip = defineOp("RngReadAndSkip", {
  inputs: { resource: "resource", alg: "int32", delta: "uint64" },
  outputs: { value: "int64" },
  attrs: {},
  stateful: true,
  compileTimeInputs: ["alg"],
  sizesFromValues: false,
  shape: ({ alg, delta }) => {
    alg.withRank(0);
    delta.withRank(0);
    return new TensorShape([3]);
  },
  lower: ({ resource, alg, delta }) => {
    requirePhilox(alg);
    const held = resource.read();
    moved(resource, held, delta);
    return held.shape[0] === 3 ? held : ir.slice(held, [0], [3]);
  },
});

/** Integers that no seed repeats. */
export const NonDeterministicInts = defineOp("NonDeterministicInts", {
  inputs: { shape: "shapeDtype" },
  outputs: { output: "dtype" },
  attrs: { dtype: attr.type(undefined, "int64"), shapeDtype },
  stateful: true,
  compileTimeInputs: ["shape"],
  shape: ({ shape }, context) => sizedAs(shape, context),
  lower: ({ shape, dtype }) => {
    const known: readonly DType[] = integers;
    if (!known.includes(dtype)) throw new InvalidArgumentError(`NonDeterministicInts draws ${integers.join(", ")}, not ${dtype}.`);
    const run = (_: readonly NDArray[], [out]: readonly NDArray[]): void => {
      const seeds = globalThis.crypto.getRandomValues(new BigInt64Array(2));
      wholeWords(dtype).run([new NDArray("int64", [3], BigInt64Array.of(seeds[0], seeds[1], 0n))], [out]);
    };
    return ir.call({ name: "nonDeterministicInts", run }, [], [{ dtype, shape: requestedShape(shape) }])[0];
  },
});

// ---- permutations ----

/** One round's function of a Simon cipher on words of `bits` bits. */
function simonRound(x: bigint, bits: bigint): bigint {
  const left = (by: bigint): bigint => BigInt.asUintN(Number(bits), (x << by) | (x >> (bits - by)));
  return (left(1n) & left(8n)) ^ left(2n);
}

/** The keys of the rounds, after Beaulieu and others, "The SIMON and SPECK families of lightweight block ciphers" (2013), with three words. */
function roundKeys(seed: readonly bigint[], bits: bigint, rounds: number): bigint[] {
  const word = (x: bigint): bigint => BigInt.asUintN(Number(bits), x);
  const right = (x: bigint, by: bigint): bigint => word((x >> by) | (x << (bits - by)));
  const keys = seed.map(word);
  let z = word(0x7369f885192c0ef5n);
  for (let i = 3; i < rounds; i++) {
    keys.push(word(0xfffffffcn) ^ (z & 1n) ^ keys[i - 3] ^ right(keys[i - 1], 3n) ^ right(keys[i - 1], 4n));
    z >>= 1n;
  }
  return keys;
}

/** Where `index` goes in a permutation of 0 … most: a cipher of the next larger range, walked until it falls inside (Black and Rogaway 2002). */
function permutedIndex(index: bigint, seed: readonly bigint[], most: bigint, rounds: number): bigint {
  if (most === 0n) return 0n;
  const width = Math.ceil(Math.log2(Number(most)));
  const bits = BigInt(Math.max(width + (width % 2), 16) / 2);
  const keys = roundKeys(seed, bits, rounds);
  let at = index;
  do {
    let [left, right] = [BigInt.asUintN(Number(bits), at >> bits), BigInt.asUintN(Number(bits), at)];
    for (let i = 0; i < keys.length; i += 2) {
      left ^= simonRound(right, bits) ^ keys[i];
      right ^= simonRound(left, bits) ^ keys[i + 1];
    }
    at = (left << bits) | right;
  } while (at > most);
  return at;
}

/** Where indices go in a permutation of 0 … maxIndex. */
export const RandomIndexShuffle = defineOp("RandomIndexShuffle", {
  inputs: { index: "dtype", seed: "Tseed", maxIndex: "dtype" },
  outputs: { output: "dtype" },
  attrs: {
    rounds: attr.int(4),
    dtype: attr.type(["int32", "uint32", "int64", "uint64"]),
    Tseed: attr.type(["int32", "uint32", "int64", "uint64"]),
  },
  gradient: "none",
  shape: ({ index, seed, maxIndex }) => {
    const words = seed.withRankAtLeast(1).withRankAtMost(2);
    if (words.dims !== null && words.dim(-1) !== 3)
      throw new ValueError(`Seed must have shape [3] or [n, 3] but got [${words.dims.map(d => d ?? -1).join(", ")}].`);
    for (const part of [index, maxIndex]) part.withRankAtMost(1);
    // What holds one goes with all of the others; the first that holds more says how many there are.
    const seeds = words.dims === null ? words : words.slice(0, -1);
    const isOne = (part: TensorShape): boolean => part.rank === 0 || part.dim(0) === 1;
    const isMany = (part: TensorShape): boolean => part.rank === 1 && (part.dim(0) ?? 0) > 1;
    let whole = index;
    for (const part of [seeds, maxIndex]) {
      if (!isMany(part)) continue;
      if (!isMany(whole)) whole = isOne(whole) && whole.rank === 1 ? whole : part;
      else if (whole.dim(0) !== part.dim(0))
        throw new ValueError(
          part === seeds
            ? `Seed has shape [${seeds.dim(0)}, 3] but must have shape [${whole.dim(0)}, 3]. since index had shape ${whole.format()}.`
            : `Max index has shape ${part.format()} but must have shape ${whole.format()}.`,
        );
    }
    return whole;
  },
  checks: ({ index, seed, maxIndex }) => {
    need(index.length <= 1, () => "Index bust be a scalar or vector.");
    const many = [index.length === 1 ? index[0] : 1, seed.length === 2 ? seed[0] : 1, maxIndex.length === 1 ? maxIndex[0] : 1];
    const count = many.find(n => n !== 1) ?? 1;
    need(
      (seed.length === 1 && seed[0] === 3) || (seed.length === 2 && seed[0] === count && seed[1] === 3),
      () => `Seed must be a vector of size [3] or a matrix of size [${count}, 3] but got [${seed}].`,
    );
    need(
      maxIndex.length === 0 || (maxIndex.length === 1 && maxIndex[0] === count),
      () => `Maxval must be a scalar or a vector of the same size as index but got [${maxIndex}]`,
    );
  },
  isLenient: true,
  lower: ({ index, seed, maxIndex, rounds, dtype }) => {
    if (rounds < 4 || rounds % 2 !== 0) throw new InvalidArgumentError(`Number of rounds must be at least 4 and even but got ${rounds}.`);
    const counts = [
      index,
      ir.slice(
        seed,
        seed.shape.map(() => 0),
        [...seed.shape.slice(0, -1), 1],
      ),
      maxIndex,
    ];
    const count = Math.max(...counts.map(({ shape }) => sizeOf(shape)));
    const isBatch = index.shape.length > 0 || seed.shape.length > 1 || maxIndex.shape.length > 0;
    const run = ([indices, seeds, limits]: readonly NDArray[], [out]: readonly NDArray[]): void => {
      const at = (array: NDArray, i: number): bigint => BigInt(array.get(array.size === 1 ? 0 : i) as bigint | number);
      for (let i = 0; i < out.size; i++) {
        const row = seeds.size === 3 ? 0 : 3 * i;
        const words = [0, 1, 2].map(k => BigInt.asUintN(32, BigInt(seeds.get(row + k) as bigint | number)));
        const [given, most] = [at(indices, i), at(limits, i)];
        if (given < 0n) throw new InvalidArgumentError(`index must be >= 0 but was ${given}`);
        if (most < 0n) throw new InvalidArgumentError(`max_index must be >= 0 but was ${most}`);
        if (given > most) throw new InvalidArgumentError(`max_index must be >= index, but ${most} < ${given}`);
        const moved = permutedIndex(given, words, most, rounds);
        out.set(i, dtype.endsWith("64") ? moved : Number(moved));
      }
    };
    return ir.call({ name: "randomIndexShuffle", run }, [index, seed, maxIndex], [{ dtype, shape: isBatch ? [count] : [] }])[0];
  },
});

/** The place of `index` in a permutation of 0 … maxIndex that `seed` ([2] or [n, 2] integers) stands for.
 *  TF: tf.random.experimental.index_shuffle(index, seed, max_index). */
export function indexShuffle(index: TensorLike, seed: TensorLike, maxIndex: TensorLike): Tensor {
  const given = convertToTensor(seedTensor(seed));
  // The op wants one word more. TensorFlow puts it before the first dimension whatever the rank is, so that rows of seeds are refused.
  const paddings = Array.from({ length: Math.max(1, given.shape.rank ?? 1) }, (_, axis) => [axis === 0 ? 1 : 0, 0]);
  return RandomIndexShuffle({
    index,
    seed: PadV2({
      input: given,
      paddings,
      constantValues: NDArray.full(given.dtype, [], given.dtype.endsWith("64") ? 498247692n : 498247692),
    }),
    maxIndex,
  });
}

interface ShuffleOptions {
  readonly rounds?: number;
  readonly name?: string | null;
}

/** The same with a seed of three words. TF: tf.random_index_shuffle(index, seed, max_index, rounds, name). */
export function randomIndexShuffle(index: TensorLike, seed: TensorLike, maxIndex: TensorLike, ...rest: unknown[]): Tensor {
  const { rounds = 4, name } = collect<ShuffleOptions>(["rounds", "name"], rest);
  return RandomIndexShuffle({ index, seed: seedTensor(seed), maxIndex, rounds }, { name });
}

// ---- first centers ----

/** The last state of a Markov chain over candidates, of which one is moved to with a chance that grows with its distance (k-MC², Bachem and others 2016). */
export const KMC2ChainInitialization = defineOp("KMC2ChainInitialization", {
  inputs: { distances: "float32", seed: "int64" },
  outputs: { index: "int64" },
  attrs: {},
  shape: () => new TensorShape([]),
  host: ({ distances, seed }) => {
    if (distances.rank !== 1) throw new InvalidArgumentError("Input distances should be a vector.");
    if (seed.rank !== 0) throw new InvalidArgumentError("Input seed should be a scalar.");
    if (distances.size === 0) throw new InvalidArgumentError("Expected distances_tensor.size() > 0.");
    const stream = seeded(seed);
    let selected = 0;
    for (let i = 1; i < distances.size; i++) {
      const limit = Math.fround(stream.unit32() * Number(distances.get(selected)));
      if (Number(distances.get(i)) > limit) selected = i;
    }
    return NDArray.full("int64", [], BigInt(selected));
  },
});

const seeded = (seed: NDArray): PhiloxStream =>
  new PhiloxStream(new NDArray("int64", [3], BigInt64Array.of(seed.get(0) as bigint, 0n, 0n)));

/** A number below n, each with the same chance. */
function below(n: number, stream: PhiloxStream): number {
  const word = (): bigint => {
    const low = BigInt(stream.word());
    return low | (BigInt(stream.word()) << 32n);
  };
  const range = BigInt(n);
  if ((range & (range - 1n)) === 0n) return Number(word() & (range - 1n));
  const rest = ((2n ** 64n - 1n) % range) + 1n;
  let drawn = word();
  while (drawn < rest) drawn = word();
  return Number(drawn % range);
}

/** Some of the points, each drawn with a chance that grows with its squared distance from those drawn before; the best of a few tries
 *  (k-means++, Arthur and Vassilvitskii 2007). */
export const KmeansPlusPlusInitialization = defineOp("KmeansPlusPlusInitialization", {
  inputs: { points: "float32", numToSample: "int64", seed: "int64", numRetriesPerSample: "int64" },
  outputs: { samples: "float32" },
  attrs: {},
  shape: () => TensorShape.unknown(),
  host: ({ points, numToSample, seed, numRetriesPerSample }) => {
    const refuse = (reason: string): never => {
      throw new InvalidArgumentError(reason);
    };
    if (points.rank !== 2) refuse("Input points should be a matrix.");
    for (const [name, array] of [
      ["num_to_sample", numToSample],
      ["seed", seed],
      ["num_retries_per_sample", numRetriesPerSample],
    ] as const)
      if (array.rank !== 0) refuse(`Input ${name} should be a scalar.`);
    const [rows, columns] = points.shape;
    const count = Number(numToSample.get(0));
    if (rows === 0) refuse("Expected points.rows() > 0.");
    if (count <= 0) refuse("Expected num_to_sample > 0.");
    if (count > rows) refuse(`Expected num_to_sample <= points.rows(). ${count} vs ${rows}.`);
    const given = Number(numRetriesPerSample.get(0));
    const tries = 1 + (given >= 0 ? given : 2 + Math.trunc(Math.log(count)));
    const data = points.data as Float32Array;
    const stream = seeded(seed);
    const chosen: number[] = [];
    let nearest = new Float32Array(rows).fill(Infinity);
    const sums = new Float32Array(rows);
    const draw = (): number => {
      if (chosen.length === 0) return below(rows, stream);
      for (;;) {
        const total = sums[rows - 1];
        const limit = total > 0 ? Math.fround(stream.unit32() * total) : 0;
        const at = total > 0 ? sums.findIndex(sum => sum > limit) : below(rows, stream);
        const index = at < 0 ? rows - 1 : at;
        if (!chosen.includes(index)) return index;
      }
    };
    for (let k = 0; k < count; k++) {
      nearest.reduce((sum, distance, i) => (sums[i] = sum + distance), 0);
      let [best, least, bestNearest] = [0, Infinity, nearest];
      for (let n = 0; n < tries; n++) {
        const index = draw();
        const next = nearest.map((distance, i) => Math.min(distance, halfSquare(data, columns, i, index)));
        const potential = next.reduce((sum, distance) => sum + distance, 0);
        if (potential < least) [best, least, bestNearest] = [index, potential, next];
      }
      nearest = bestNearest;
      chosen.push(best);
    }
    const samples = new Float32Array(count * columns);
    chosen.forEach((row, k) => void samples.set(data.subarray(row * columns, (row + 1) * columns), k * columns));
    return new NDArray("float32", [count, columns], samples);
  },
});

function halfSquare(data: Float32Array, columns: number, a: number, b: number): number {
  let sum = 0;
  for (let j = 0; j < columns; j++) sum += (data[a * columns + j] - data[b * columns + j]) ** 2;
  return Math.fround(sum / 2);
}
