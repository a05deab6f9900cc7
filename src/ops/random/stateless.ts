// Stateless random ops: the same seed gives the same numbers, in every run. The seed is scrambled to the key and counter of a Philox generator,
// from which numbers are drawn as the stateful ops draw them (random.ts). Only Philox (algorithm 1, and 3, "any") exists here.

import type { DType } from "../../base/dtype.ts";
import { isDType, isFloating, noDtype } from "../../base/dtype.ts";
import { InvalidArgumentError, ValueError } from "../../base/errors.ts";
import { NDArray } from "../../base/ndarray.ts";
import { pythonClass, pythonStr } from "../../base/python-text.ts";
import { TensorShape } from "../../base/shape.ts";
import * as attr from "../../graph/attributes.ts";
import { convertIntegers, convertToTensor, type TensorLike } from "../../graph/conversion.ts";
import { defineOp } from "../../graph/op-definition.ts";
import type { Tensor } from "../../graph/operation.ts";
import * as ir from "../../ir/build.ts";
import type { Routine, Value } from "../../ir/program.ts";
import { s } from "../../ir/scalar.ts";
import { collect, need } from "../arguments.ts";
import { numbersOf } from "../array/array.ts";
import { stack } from "../array/slicing.ts";
import { AddV2, Mul, Sub } from "../math/math.ts";
import { inNameScope } from "../named.ts";
import {
  convertFloat,
  normals,
  requestedShape,
  shapeTensor,
  shuffledRows,
  truncatedFloats,
  uniformFloats,
  uniformIntegers,
} from "./random.ts";
import { PhiloxStream } from "./philox.ts";

const floats = ["float16", "bfloat16", "float32", "float64"] as const;
const integers = ["int32", "int64", "uint32", "uint64"] as const;
const bits64 = (low: number, high: number): bigint => (BigInt(high) << 32n) | BigInt(low);

// ---- seeds to generators ----

/** A key that only scrambling uses. */
const scramblingKey = 0x02461e293ec8f720n;

/** One block of a generator of its own whose counter is the seed: half of it becomes the key, half the counter's upper half. */
function scrambled(seed: NDArray): { key: bigint; counter: bigint } {
  const [low, high] = [0, 1].map(i => BigInt(Number.isInteger(seed.get(i)) ? Number(seed.get(i)) : (seed.get(i) as bigint)));
  const stream = new PhiloxStream(new NDArray("int64", [3], BigInt64Array.of(scramblingKey, high, low)));
  const words = [stream.word(), stream.word(), stream.word(), stream.word()];
  return { key: bits64(words[0], words[1]), counter: bits64(words[2], words[3]) };
}

function checkSeed(seed: Value): void {
  if (seed.shape.length !== 1 || seed.shape[0] !== 2) throw new InvalidArgumentError(`seed must have shape [2], not [${seed.shape}]`);
}

export function seedShape(seed: TensorShape): void {
  const size = seed.withRank(1).dim(0);
  if (size !== null && size !== 2) throw new ValueError(`Dimension must be 2 but is ${size}`);
}

/** Key and counter of the generator that a seed stands for. */
export const StatelessRandomGetKeyCounter = defineOp("StatelessRandomGetKeyCounter", {
  inputs: { seed: "Tseed" },
  outputs: { key: "uint64", counter: "uint64" },
  attrs: { Tseed: attr.type(attr.indexTypes, "int64") },
  gradient: "none",
  shape: ({ seed }) => {
    seedShape(seed);
    return [new TensorShape([1]), new TensorShape([2])];
  },
  lower: ({ seed }) => keyAndCounter(seed),
});

function keyAndCounter(seed: Value): readonly Value[] {
  checkSeed(seed);
  const run = ([given]: readonly NDArray[], [key, counter]: readonly NDArray[]): void => {
    const generator = scrambled(given);
    key.set(0, generator.key);
    counter.set(1, generator.counter);
  };
  return ir.call(
    { name: "keyAndCounter", run },
    [seed],
    [
      { dtype: "uint64", shape: [1] },
      { dtype: "uint64", shape: [2] },
    ],
  );
}

const stateOutput = { dtype: "int64", shape: [3] } as const;

/** The state of a generator (seed, second seed, blocks used) from the seed of the older ops. */
export function stateOfSeed(seed: Value): Value {
  checkSeed(seed);
  const run = ([given]: readonly NDArray[], [state]: readonly NDArray[]): void => {
    const { key, counter } = scrambled(given);
    (state.data as BigInt64Array).set([key, counter].map(x => BigInt.asIntN(64, x)));
  };
  return ir.call({ name: "stateOfSeed", run }, [seed], [stateOutput])[0];
}

const stateOfKeyRoutine: Routine = {
  name: "stateOfKey",
  run: ([key, counter], [state]) => {
    const parts = [key.get(0), counter.get(1), counter.get(0)] as bigint[];
    (state.data as BigInt64Array).set(parts.map(x => BigInt.asIntN(64, x)));
  },
};

/** @throws for other algorithms than Philox, and for a key and counter that are not its. */
function checkGenerator(key: Value, counter: Value, alg: NDArray): void {
  need(alg.rank === 0, () => `input 3 (0-based) must have shape [], not [${alg.shape}]`);
  const [algorithm] = numbersOf(alg);
  if (key.shape.length !== 1 || key.shape[0] !== 1)
    throw new InvalidArgumentError(`key must have shape [1], not [${key.shape}]. (Note that batched keys are not supported yet.)`);
  // TensorFlow compares the length with the algorithm's number; of a counter of one word it reads on behind it.
  const isPhilox = algorithm === 1 || algorithm === 3;
  const least = !isPhilox ? algorithm : counter.shape.length === 1 && counter.shape[0] > 0 ? 2 : 1;
  if (counter.shape.length !== 1 || counter.shape[0] < least)
    throw new InvalidArgumentError(
      `counter must be a vector with length at least ${least}; got shape: [${counter.shape}]. (Note that batched counters are not supported yet.)`,
    );
  if (!isPhilox) throw new InvalidArgumentError(`Unsupported algorithm id: ${algorithm}`);
}

/** The same from key and counter. */
export function stateOfKey(key: Value, counter: Value, alg: NDArray): Value {
  checkGenerator(key, counter, alg);
  return ir.call(stateOfKeyRoutine, [key, counter], [stateOutput])[0];
}

// ---- floats ----

type Draw = (state: Value, dims: readonly number[], dtype: DType) => Value;

export function checkKey(key: TensorShape, counter: TensorShape, alg: TensorShape): void {
  const size = key.withRank(1).dim(0);
  if (size !== null && size !== 1) throw new ValueError(`Dimension must be 1 but is ${size}`);
  counter.withRank(1);
  alg.withRank(0);
}

/** An op that draws floats for a key and a counter. */
const floatsByKey = <const N extends string>(type: N, draw: Draw) =>
  defineOp(type, {
    inputs: { shape: "Tshape", key: "uint64", counter: "uint64", alg: "int32" },
    outputs: { output: "dtype" },
    attrs: { dtype: attr.type(floats, "float32"), Tshape: attr.type(attr.indexTypes, "int32") },
    gradient: "none",
    compileTimeInputs: ["shape", "alg"],
    shape: ({ key, counter, alg }, context) => {
      checkKey(key, counter, alg);
      return context.shapeFrom("shape");
    },
    lower: ({ shape, key, counter, alg, dtype }) => draw(stateOfKey(key, counter, alg), requestedShape(shape), dtype),
  });

/** The older op, that takes the seed itself. */
const floatsBySeed = <const N extends string>(type: N, draw: Draw) =>
  defineOp(type, {
    inputs: { shape: "T", seed: "Tseed" },
    outputs: { output: "dtype" },
    attrs: { dtype: attr.type(floats, "float32"), T: attr.type(attr.indexTypes, "int32"), Tseed: attr.type(attr.indexTypes, "int64") },
    gradient: "none",
    compileTimeInputs: ["shape"],
    shape: ({ seed }, context) => {
      seedShape(seed);
      return context.shapeFrom("shape");
    },
    lower: ({ shape, seed, dtype }) => draw(stateOfSeed(seed), requestedShape(shape), dtype),
  });

export const StatelessRandomUniformV2 = floatsByKey("StatelessRandomUniformV2", uniformFloats);
export const StatelessRandomNormalV2 = floatsByKey("StatelessRandomNormalV2", normals);
export const StatelessTruncatedNormalV2 = floatsByKey("StatelessTruncatedNormalV2", truncatedFloats);
export const StatelessRandomUniform = floatsBySeed("StatelessRandomUniform", uniformFloats);
export const StatelessRandomNormal = floatsBySeed("StatelessRandomNormal", normals);
export const StatelessTruncatedNormal = floatsBySeed("StatelessTruncatedNormal", truncatedFloats);

// ---- integers ----

export const checkRange = (minval: Value, maxval: Value): void =>
  ir.check([], () => s.lt(s.load(minval, []), s.load(maxval, [])), {
    label: "minval < maxval",
    reads: [minval, maxval],
    error: (_, read) => new InvalidArgumentError(`Need minval < maxval, got ${read(minval).get(0)} >= ${read(maxval).get(0)}`),
  });

/** Integers in [minval, maxval). */
export const StatelessRandomUniformIntV2 = defineOp("StatelessRandomUniformIntV2", {
  inputs: { shape: "Tshape", key: "uint64", counter: "uint64", alg: "int32", minval: "dtype", maxval: "dtype" },
  outputs: { output: "dtype" },
  attrs: { dtype: attr.type(integers), Tshape: attr.type(attr.indexTypes, "int32") },
  gradient: "none",
  compileTimeInputs: ["shape", "alg"],
  shape: ({ key, counter, alg, minval, maxval }, context) => {
    checkKey(key, counter, alg);
    minval.withRank(0);
    maxval.withRank(0);
    return context.shapeFrom("shape");
  },
  lower: ({ shape, key, counter, alg, minval, maxval, dtype }) => {
    checkRange(minval, maxval);
    return uniformIntegers(stateOfKey(key, counter, alg), requestedShape(shape), dtype, minval, maxval);
  },
});

/** The older op, that takes the seed itself. */
export const StatelessRandomUniformInt = defineOp("StatelessRandomUniformInt", {
  inputs: { shape: "T", seed: "Tseed", minval: "dtype", maxval: "dtype" },
  outputs: { output: "dtype" },
  attrs: { dtype: attr.type(attr.indexTypes), T: attr.type(attr.indexTypes), Tseed: attr.type(attr.indexTypes, "int64") },
  gradient: "none",
  compileTimeInputs: ["shape"],
  shape: ({ seed, minval, maxval }, context) => {
    seedShape(seed);
    minval.withRank(0);
    maxval.withRank(0);
    return context.shapeFrom("shape");
  },
  lower: ({ shape, seed, minval, maxval, dtype }) => {
    checkRange(minval, maxval);
    return uniformIntegers(stateOfSeed(seed), requestedShape(shape), dtype, minval, maxval);
  },
});

export const wholeWords = (dtype: DType): Routine => ({
  name: "statelessWords",
  run: ([state], [out]) => {
    const stream = new PhiloxStream(state);
    const isLong = dtype === "int64" || dtype === "uint64";
    for (let i = 0; i < out.size; i++) {
      const word = stream.word();
      if (isLong) (out.data as BigInt64Array)[i] = bits64(word, stream.word());
      else (out.data as Int32Array)[i] = word;
    }
  },
});

/** Integers over the whole range of their type. */
export const StatelessRandomUniformFullIntV2 = defineOp("StatelessRandomUniformFullIntV2", {
  inputs: { shape: "Tshape", key: "uint64", counter: "uint64", alg: "int32" },
  outputs: { output: "dtype" },
  attrs: { dtype: attr.type(integers, "uint64"), Tshape: attr.type(attr.indexTypes, "int32") },
  gradient: "none",
  compileTimeInputs: ["shape", "alg"],
  shape: ({ key, counter, alg }, context) => {
    checkKey(key, counter, alg);
    return context.shapeFrom("shape");
  },
  checks: ({ shape }) => need(shape.length === 1, () => `shape must be a vector of {int32,int64}, got shape [${shape}]`),
  lower: ({ shape, key, counter, alg, dtype }) => {
    const dims = requestedShape(shape);
    return ir.call(wholeWords(dtype), [stateOfKey(key, counter, alg)], [{ dtype, shape: dims }])[0];
  },
});

/** The older op, that takes the seed itself. */
export const StatelessRandomUniformFullInt = defineOp("StatelessRandomUniformFullInt", {
  inputs: { shape: "T", seed: "Tseed" },
  outputs: { output: "dtype" },
  attrs: { dtype: attr.type(integers, "uint64"), T: attr.type(attr.indexTypes, "int32"), Tseed: attr.type(integers, "int64") },
  gradient: "none",
  compileTimeInputs: ["shape"],
  shape: ({ seed }, context) => {
    seedShape(seed);
    return context.shapeFrom("shape");
  },
  lower: ({ shape, seed, dtype }) => ir.call(wholeWords(dtype), [stateOfSeed(seed)], [{ dtype, shape: requestedShape(shape) }])[0],
});

/** The number of the algorithm that "any" stands for here. */
export const StatelessRandomGetAlg = defineOp("StatelessRandomGetAlg", {
  inputs: {},
  outputs: { alg: "int32" },
  attrs: {},
  stateful: true,
  gradient: "none",
  shape: () => new TensorShape([]),
  lower: () => ir.constant(NDArray.full("int32", [], 1)),
});

/** Key, counter and algorithm of the generator that a seed stands for. */
export const StatelessRandomGetKeyCounterAlg = defineOp("StatelessRandomGetKeyCounterAlg", {
  inputs: { seed: "Tseed" },
  outputs: { key: "uint64", counter: "uint64", alg: "int32" },
  attrs: { Tseed: attr.type(attr.indexTypes, "int64") },
  gradient: "none",
  shape: ({ seed }) => {
    seedShape(seed);
    return [new TensorShape([1]), new TensorShape([2]), new TensorShape([])];
  },
  lower: ({ seed }) => [...keyAndCounter(seed), ir.constant(NDArray.full("int32", [], 1))],
});

// ---- functions ----

/** TensorFlow's number for "the best algorithm of the device". */
export const anyAlgorithm = 3;

const dimensions = shapeTensor;

interface NormalOptions {
  readonly mean?: TensorLike | null;
  readonly stddev?: TensorLike | null;
  readonly dtype?: DType | null;
  readonly name?: string | null;
  readonly alg?: string | number;
}

function scaled(
  fallback: string,
  op: typeof StatelessRandomNormalV2 | typeof StatelessTruncatedNormalV2,
  shape: TensorLike,
  seed: TensorLike,
  rest: unknown[],
): Tensor {
  const { mean = 0, stddev = 1, dtype, name, ...more } = collect<NormalOptions>(["mean", "stddev", "dtype", "name", "alg"], rest);
  const alg = knownAlgorithm(more.alg);
  const type = (dtype ?? "float32") as "float32";
  return inNameScope({ name }, fallback, [shape, seed, mean, stddev], scope => {
    const dims = dimensions(shape);
    const m = convertFloat(mean as TensorLike, type, "mean");
    const d = convertFloat(stddev as TensorLike, type, "stddev");
    const { key, counter } = StatelessRandomGetKeyCounter({ seed: seedTensor(seed) });
    const unit = op({ shape: dims, key, counter, dtype: type, alg });
    return AddV2({ x: Mul({ x: unit, y: d }, { name: "mul" }), y: m }, { name: scope });
  });
}

/** Seeds given as numbers, truth values among them, are int32, as numpy would have them. */
function isWhole(value: unknown): value is number | number[] {
  const leaves = Array.isArray(value) ? value.flat(9) : [value];
  return leaves.some(Number.isInteger) && leaves.every(leaf => Number.isInteger(leaf) || typeof leaf === "boolean");
}

export const seedTensor = (seed: TensorLike): TensorLike => (isWhole(seed) ? NDArray.from(seed, "int32") : seed);

/** Normal random numbers that depend on `seed` ([2] integers) and nothing else. TF: tf.random.stateless_normal(shape, seed, mean, stddev, dtype, name). */
export const statelessNormal = (shape: TensorLike, seed: TensorLike, ...rest: unknown[]): Tensor =>
  scaled("stateless_random_normal", StatelessRandomNormalV2, shape, seed, rest);

/** The same, redrawn where they lie more than two standard deviations from the mean. TF: tf.random.stateless_truncated_normal. */
export const statelessTruncatedNormal = (shape: TensorLike, seed: TensorLike, ...rest: unknown[]): Tensor =>
  scaled("stateless_truncated_normal", StatelessTruncatedNormalV2, shape, seed, rest);

/** The rows of a tensor in the order that a key and a counter give. */
export const StatelessShuffle = defineOp("StatelessShuffle", {
  inputs: { value: "T", key: "uint64", counter: "uint64", alg: "int32" },
  outputs: { output: "T" },
  attrs: { T: attr.type() },
  compileTimeInputs: ["alg"],
  sizesFromValues: false,
  shape: ({ value }) => value,
  lower: ({ value, key, counter, alg }) => shuffledRows(value, stateOfKey(key, counter, alg)),
});

// ---- rounding ----

const limits = { int8: [-(2 ** 7), 2 ** 7 - 1], int16: [-(2 ** 15), 2 ** 15 - 1], int32: [-(2 ** 31), 2 ** 31 - 1] } as const;

const units: Readonly<Record<(typeof floats)[number], (stream: PhiloxStream) => number>> = {
  float16: stream => (stream.word() & 0x3ff) * 2 ** -10,
  bfloat16: stream => (stream.word() & 0x7f) * 2 ** -7,
  float32: stream => stream.unit32(),
  float64: stream => stream.unit64(),
};

/** Numbers rounded up with the chance that their fraction is, down otherwise; a block of random words for each that is not whole. Where a number is a limit
 *  or beyond it, it is the limit as its own type has it. */
function roundedAtRandom(from: (typeof floats)[number], to: keyof typeof limits, state: NDArray, given: NDArray): NDArray {
  const stream = new PhiloxStream(state);
  const out = NDArray.zeros(from, given.shape);
  const one = NDArray.zeros(from, []);
  /** A number as its type has it. */
  const held = (x: number): number => {
    one.set(0, x);
    return Number(one.get(0));
  };
  const [least, most] = limits[to].map(held);
  const rounded = (x: number, block: number): number => {
    stream.skipTo(block);
    const random = units[from](stream);
    return Math.floor(x < 0 ? held(x + random) : held(held(x + 1) - random));
  };
  let block = 0;
  for (let i = 0; i < given.size; i++) {
    const x = Number(given.get(i));
    const isWhole = Number.isNaN(x) || x >= most || x <= least || Math.floor(x) === x;
    out.set(i, isWhole ? (Number.isNaN(x) ? 0 : Math.min(Math.max(x, least), most)) : rounded(x, block++));
  }
  return out;
}

/** The state of the kernel's generator, which takes the counter for its key and the key for the upper half of its counter. */
function seededState(key: Value, counter: Value, alg: NDArray): Value {
  checkGenerator(key, counter, alg);
  const run = ([given, count]: readonly NDArray[], [state]: readonly NDArray[]): void => {
    (state.data as BigInt64Array).set([count.get(0) as bigint, given.get(0) as bigint].map(x => BigInt.asIntN(64, x)));
  };
  return ir.call({ name: "seededState", run }, [key, counter], [stateOutput])[0];
}

/** Floats to integers, at random between the two nearest ones. */
export const StochasticCastToInt = defineOp("StochasticCastToInt", {
  inputs: { input: "Tin", key: "uint64", counter: "uint64", alg: "int32" },
  outputs: { output: "Tout" },
  attrs: { Tin: attr.type(floats), Tout: attr.type(["int8", "int16", "int32"]) },
  compileTimeInputs: ["alg"],
  gradient: "none",
  shape: ({ input, key, counter, alg }) => {
    checkKey(key, counter, alg);
    return input;
  },
  lower: ({ input, key, counter, alg, Tin, Tout }) => {
    const run = ([state, given]: readonly NDArray[], [out]: readonly NDArray[]): void => {
      const rounded = roundedAtRandom(Tin as (typeof floats)[number], Tout as keyof typeof limits, state, given);
      for (let i = 0; i < out.size; i++) out.set(i, rounded.get(i));
    };
    const [rounded] = ir.call(
      { name: "roundAtRandom", run },
      [seededState(key, counter, alg), input],
      [{ dtype: Tin, shape: input.shape }],
    );
    return ir.map(x => s.cast(x, Tout), rounded);
  },
});

const algorithms: Readonly<Record<string, number>> = { philox: 1, threefry: 2, autoselect: 3 };

/** @throws ValueError for the name of none. */
function knownAlgorithm(alg: string | number = "auto_select"): number {
  if (typeof alg !== "string" && !Number.isInteger(alg))
    throw new TypeError(`Can't convert argument \`alg\` (of value ${pythonStr(alg)} and type ${pythonClass(alg)}) to int.`);
  const number = typeof alg === "number" ? alg : algorithms[alg.trim().toLowerCase().replaceAll(/[-_]/g, "")];
  if (![1, 2, 3].includes(number)) {
    const [philox, threefry, chosen] = typeof alg === "number" ? [1, 2, 3] : ["philox", "threefry", "auto_select"];
    throw new ValueError(
      `Argument \`alg\` got unsupported value ${alg}. Supported values are ${philox} for the Philox algorithm, ${threefry} for the ThreeFry algorithm, and ${chosen} for auto-selection.`,
    );
  }
  return number;
}

/** The rows of `value` (slices along its first dimension) in an order that depends on `seed` ([2] integers) and nothing else. alg: "philox" or "auto_select".
 *  @throws ValueError for other algorithms, UnimplementedError while running for "threefry". TF: tf.random.experimental.stateless_shuffle. */
export function statelessShuffle(value: TensorLike, seed: TensorLike, ...rest: unknown[]): Tensor {
  const { alg, name } = collect<{ alg: string | number; name: string | null }>(["alg", "name"], rest);
  const number = knownAlgorithm(alg);
  return inNameScope({ name }, "stateless_shuffle", [value, seed], () => {
    const { key, counter } = StatelessRandomGetKeyCounter({ seed: seedTensor(seed) });
    return StatelessShuffle({ value, key, counter, alg: number });
  });
}

interface UniformOptions {
  readonly minval?: TensorLike | null;
  readonly maxval?: TensorLike | null;
  readonly dtype?: DType | null;
  readonly name?: string | null;
  readonly alg?: string | number;
}

/** Uniform random numbers in [minval, maxval) that depend on `seed` ([2] integers) and nothing else: floats in [0, 1) unless given;
 *  integers need a maxval, or null for both ends: then all of their type. TF: tf.random.stateless_uniform(shape, seed, minval, maxval, dtype, name). */
export function statelessUniform(shape: TensorLike, seed: TensorLike, ...rest: unknown[]): Tensor {
  const {
    minval: least = 0,
    maxval = null,
    dtype,
    name,
    ...more
  } = collect<UniformOptions>(["minval", "maxval", "dtype", "name", "alg"], rest);
  const isWhole =
    maxval === null && (rest[0] === null || rest.some(options => (options as UniformOptions | null | undefined)?.minval === null));
  const minval = isWhole ? null : least;
  const number = knownAlgorithm(more.alg);
  const type = drawnType(dtype ?? "float32");
  if (!isFloating(type)) {
    if ((minval === null) !== (maxval === null))
      throw new ValueError(
        `For integer \`dtype\` argument <dtype: '${type}'>, argument \`minval\` and \`maxval\` must be both None or not None. Got \`minval\`=${pythonStr(minval)} and \`maxval\`=${pythonStr(maxval)}.`,
        "Pass { minval: null, maxval: null } for the whole range of the type, or both ends.",
      );
    if (minval === null) return wholeRange(shape, seedTensor(seed), type, number, name);
    if (type === "uint32" || type === "uint64")
      throw new ValueError(
        `Argument \`dtype\` got invalid value <dtype: '${type}'> when argument \`minval\` is not None. Please don't use unsigned integers in this case.`,
        "Unsigned integers come from their whole range: pass { minval: null, maxval: null }.",
      );
  }
  return inNameScope({ name }, "stateless_random_uniform", [shape, seed, minval, maxval], scope => {
    const dims = dimensions(shape);
    const from = convertToTensor(minval ?? 0, { dtype: type, name: "min" });
    const to = convertToTensor((maxval ?? 1) as TensorLike, { dtype: type, name: "max" });
    const { key, counter } = StatelessRandomGetKeyCounter({ seed: seedTensor(seed) });
    if (!isFloating(type)) {
      const alg = convertToTensor(number, { dtype: "int32", name: "alg" });
      return StatelessRandomUniformIntV2({ shape: dims, key, counter, alg, minval: from, maxval: to }, { name: scope });
    }
    const unit = StatelessRandomUniformV2({ shape: dims, key, counter, dtype: type as "float32", alg: number });
    return AddV2({ x: Mul({ x: unit, y: Sub({ x: to, y: from }, { name: "sub" }) }, { name: "mul" }), y: from }, { name: scope });
  });
}

interface AlgorithmOption {
  readonly alg?: string | number;
}

/** Integers over the whole range of their type. */
function wholeRange(shape: TensorLike, seed: TensorLike, dtype: DType, alg: string | number, name?: string | null): Tensor {
  const number = knownAlgorithm(alg);
  return inNameScope({ name }, "stateless_random_uniform", [seed], scope => {
    const dims = dimensions(shape);
    const { key, counter } = StatelessRandomGetKeyCounter({ seed });
    return StatelessRandomUniformFullIntV2({ shape: dims, key, counter, alg: number, dtype: dtype as "int32" }, { name: scope });
  });
}

/** @throws ValueError for a type that integers over its whole range have not. */
function wholeType(dtype: DType): DType {
  if (isFloating(dtype)) throw new ValueError("None values not supported.");
  return drawnType(dtype);
}

/** @throws ValueError for a type that no numbers are drawn of. */
function drawnType(dtype: DType): DType {
  if (!isDType(dtype)) throw noDtype(dtype);
  if (!isFloating(dtype) && !(integers as readonly DType[]).includes(dtype))
    throw new ValueError(
      `Argument \`dtype\` got invalid value <dtype: '${dtype}'>. Accepted dtypes are (${["float16", "bfloat16", "float32", "float64", "int32", "int64", "uint32", "uint64"].map(type => `tf.${type}`).join(", ")}).`,
    );
  return dtype;
}

/** `num` seeds [num, 2] from one. TF: tf.random.split(seed, num, alg). */
export function statelessSplit(seed: TensorLike, ...rest: unknown[]): Tensor {
  const { num = 2, alg = "auto_select" } = collect<AlgorithmOption & { num: number }>(["num", "alg"], rest);
  const given = convertToTensor(seedTensor(seed));
  const dtype = wholeType(given.dtype);
  return wholeRange(convertIntegers([num, 2], undefined, true), given, dtype, alg);
}

/** The seed that another seed and a number make. TF: tf.random.fold_in(seed, data, alg). */
export function statelessFoldIn(seed: TensorLike, data: TensorLike, ...rest: unknown[]): Tensor {
  const { alg = "auto_select" } = collect<AlgorithmOption>(["alg"], rest);
  const number = Array.isArray(data) && data.length === 0 ? convertToTensor(data) : convertIntegers(data);
  return stack([wholeRange([], seedTensor(seed), wholeType(number.dtype), alg), number]);
}
