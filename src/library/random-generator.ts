// Generators whose state is a variable: tf.random.Generator. What one draws are stateless ops with the key and counter that the variable held, and the
// variable is moved on. Only Philox (algorithm 1) exists here.

import { type DType, isFloating } from "../base/dtype.ts";
import { UnimplementedError, ValueError } from "../base/errors.ts";
import { type ArrayLike, NDArray } from "../base/ndarray.ts";
import { pythonClass, pythonStr } from "../base/python-text.ts";
import { convertToTensor, type TensorLike, toArray } from "../graph/conversion.ts";
import { getDefaultGraph } from "../graph/default-graph.ts";
import type { Named } from "../graph/op-definition.ts";
import { type Operation, Tensor } from "../graph/operation.ts";
import { collect } from "../ops/arguments.ts";
import { Bitcast, reshape, zerosLike } from "../ops/array/array.ts";
import { concat, getItem, stack } from "../ops/array/slicing.ts";
import { AddV2, Mul, Sub } from "../ops/math/math.ts";
import { cast } from "../ops/math/cast.ts";
import { reduceProd } from "../ops/math/reduction.ts";
import { inNameScope } from "../ops/named.ts";
import { StatefulRandomBinomial } from "../ops/random/distributions.ts";
import { NonDeterministicInts, RngReadAndSkip } from "../ops/random/stateful.ts";
import {
  StatelessRandomNormalV2,
  StatelessRandomUniformFullIntV2,
  StatelessRandomUniformIntV2,
  StatelessRandomUniformV2,
  StatelessTruncatedNormalV2,
} from "../ops/random/stateless.ts";
import { Variable } from "./variables/variables.ts";

/** The algorithms of random numbers, by TensorFlow's numbers. TF: tf.random.Algorithm. */
export const Algorithm = { PHILOX: 1, THREEFRY: 2, AUTO_SELECT: 3 } as const;
/** One of them: by number or by name. */
export type AlgorithmLike = number | string;

const stateSize = 3;
const namesOfAlgorithms: Readonly<Record<string, number>> = { philox: 1, threefry: 2, autoselect: 3 };

function philoxOf(alg: AlgorithmLike | null | undefined): number {
  if (typeof alg === "object" && alg !== null)
    throw new TypeError(`Can't convert argument \`alg\` (of value ${pythonStr(alg)} and type ${pythonClass(alg)}) to int.`);
  const number =
    alg === null || alg === undefined
      ? Algorithm.PHILOX
      : typeof alg === "string"
        ? namesOfAlgorithms[alg.trim().toLowerCase().replaceAll(/[-_]/g, "")]
        : Number(alg);
  if (number === Algorithm.PHILOX) return number;
  if (number === Algorithm.THREEFRY || number === Algorithm.AUTO_SELECT)
    throw new UnimplementedError(`The algorithm ${String(alg)} of random generators is not available; use Philox ("philox", 1).`);
  throw new ValueError(
    typeof alg === "string"
      ? `Argument \`alg\` got unsupported value ${alg}. Supported values are philox for the Philox algorithm, threefry for the ThreeFry algorithm, and auto_select for auto-selection.`
      : `Argument \`alg\` got unsupported value ${String(alg)}. Supported values are ${Algorithm.PHILOX} for the Philox algorithm, ${Algorithm.THREEFRY} for the ThreeFry algorithm, and ${Algorithm.AUTO_SELECT} for auto-selection.`,
  );
}

const wholeOf = (word: number | bigint): bigint => (typeof word === "bigint" ? word : BigInt(Math.trunc(word)));

/** The words of an integer, or a vector that is filled up with zeros in front. */
function stateOfSeed(seed: TensorLike | bigint): TensorLike {
  if (seed === null) throw new ValueError("None values not supported.");
  if ((typeof seed === "number" && Number.isInteger(seed)) || typeof seed === "bigint") {
    const whole = BigInt(seed);
    return new NDArray(
      "int64",
      [stateSize],
      BigInt64Array.from([0n, 64n, 128n], shift => BigInt.asIntN(64, whole >> shift)),
    );
  }
  const array = seed instanceof Tensor ? undefined : toArray(seed as ArrayLike, undefined, "int64");
  if (array === undefined || array.dtype === "string")
    return concat([new NDArray("int64", [stateSize - 1], new BigInt64Array(2)), reshape(cast(seed as TensorLike, "int64"), [-1])], 0);
  const words = new BigInt64Array(stateSize);
  const some = BigInt64Array.from(Array.from(array.data as Float64Array | BigInt64Array, wholeOf).slice(0, stateSize));
  words.set(some, stateSize - some.length);
  return new NDArray("int64", [stateSize], words);
}

/** The state that stands for a seed: int64[3], for the algorithm "philox" (1). TF: tf.random.create_rng_state(seed, alg). */
export function createRngState(seed: TensorLike | bigint, alg: AlgorithmLike): TensorLike {
  philoxOf(alg);
  return stateOfSeed(seed);
}

interface GeneratorOptions {
  readonly copyFrom?: Generator | null;
  readonly state?: TensorLike | null;
  readonly alg?: AlgorithmLike | null;
}

interface NormalOptions extends Named {
  readonly mean?: TensorLike;
  readonly stddev?: TensorLike;
  readonly dtype?: DType;
}

interface UniformOptions extends Named {
  readonly minval?: TensorLike;
  readonly maxval?: TensorLike | null;
  readonly dtype?: DType;
}

/** Random numbers from a state that a variable keeps, so that they go on from run to run; equal states give equal numbers.
 *  `tf.random.Generator.fromSeed(1).normal([2, 3])`. TF: tf.random.Generator. */
export class Generator {
  /** The variable: counter (low, high) and key. */
  readonly state: Variable;
  /** The algorithm's number. */
  readonly algorithm: number;

  constructor(...rest: unknown[]) {
    const { copyFrom, state, alg } = collect<GeneratorOptions>(["copyFrom", "state", "alg"], rest);
    if (copyFrom && (state || alg)) throw new ValueError("Nothing else may be given with copy_from.");
    this.algorithm = philoxOf(copyFrom ? copyFrom.algorithm : alg);
    const first = copyFrom ? copyFrom.state : state;
    if (first === null || first === undefined) throw new ValueError("A generator needs a state; `Generator.fromSeed` makes one.");
    this.state = inNameScope(
      null,
      "random_generator",
      [],
      () =>
        new Variable(convertToTensor(first as TensorLike, { dtype: "int64" }), { name: "StateVar", trainable: false, useResource: true }),
    );
  }

  /** TF: Generator.from_state(state, alg). */
  static fromState(state: TensorLike, alg: AlgorithmLike): Generator {
    return new Generator({ state, alg });
  }

  /** TF: Generator.from_seed(seed, alg). */
  static fromSeed(seed: TensorLike | bigint, ...rest: unknown[]): Generator {
    const { alg = null } = collect<{ alg: AlgorithmLike | null }>(["alg"], rest);
    const algorithm = philoxOf(alg);
    return new Generator({ state: stateOfSeed(seed), alg: algorithm });
  }

  /** A state that no seed repeats. TF: Generator.from_non_deterministic_state(alg). */
  static fromNonDeterministicState(...rest: unknown[]): Generator {
    const { alg = null } = collect<{ alg: AlgorithmLike | null }>(["alg"], rest);
    return new Generator({ state: NonDeterministicInts({ shape: [stateSize], dtype: "int64" }), alg: philoxOf(alg) });
  }

  /** TF: Generator.from_key_counter(key, counter, alg). */
  static fromKeyCounter(key: TensorLike, counter: TensorLike, alg: AlgorithmLike): Generator {
    return new Generator({ state: stateOfKey(key, counter), alg });
  }

  /** The key: an int64 scalar. */
  get key(): Tensor {
    return getItem(convertToTensor(this.state), 2);
  }

  reset(state: TensorLike): Tensor | Variable | Operation {
    return this.state.assign(convertToTensor(state, { dtype: "int64" }));
  }

  resetFromSeed(seed: TensorLike | bigint): Tensor | Variable | Operation {
    return this.reset(stateOfSeed(seed));
  }

  resetFromKeyCounter(key: TensorLike, counter: TensorLike): Tensor | Variable | Operation {
    return this.reset(stateOfKey(key, counter));
  }

  /** Moves the state on as drawing `delta` numbers would; gives the state before. */
  skip(delta: TensorLike): Tensor {
    const count = typeof delta === "number" ? new NDArray("uint64", [], BigUint64Array.of(BigInt(delta))) : cast(delta, "uint64");
    return RngReadAndSkip({ resource: this.state.handle, alg: this.algorithm, delta: count });
  }

  /** Key and counter for numbers of a shape, the state being moved on behind them. */
  private take(shape: Tensor): { key: Tensor; counter: Tensor; alg: number } {
    const before = this.skip(reduceProd(shape));
    const words = (from: number, to: number): Tensor => Bitcast({ input: getItem(before, [from, to]), type: "uint64" });
    return { key: words(2, 3), counter: words(0, 2), alg: this.algorithm };
  }

  normal(shape: TensorLike, ...rest: unknown[]): Tensor {
    return this.scaled("stateful_normal", StatelessRandomNormalV2, shape, rest);
  }

  truncatedNormal(shape: TensorLike, ...rest: unknown[]): Tensor {
    return this.scaled("truncated_normal", StatelessTruncatedNormalV2, shape, rest);
  }

  private scaled(
    fallback: string,
    op: typeof StatelessRandomNormalV2 | typeof StatelessTruncatedNormalV2,
    shape: TensorLike,
    rest: unknown[],
  ): Tensor {
    const { mean = 0, stddev = 1, dtype = "float32", name } = collect<NormalOptions>(["mean", "stddev", "dtype", "name"], rest);
    return inNameScope({ name }, fallback, [shape, mean, stddev], scope => {
      const dims = dimensions(shape);
      const [m, d] = [convertToTensor(mean, { dtype, name: "mean" }), convertToTensor(stddev, { dtype, name: "stddev" })];
      const unit = op({ shape: dims, ...this.take(dims), dtype: dtype as "float32" });
      return AddV2({ x: Mul({ x: unit, y: d }), y: m }, { name: scope });
    });
  }

  /** Floats in [minval, maxval), or integers in it. */
  uniform(shape: TensorLike, ...rest: unknown[]): Tensor {
    const { minval = 0, maxval, dtype = "float32", name } = collect<UniformOptions>(["minval", "maxval", "dtype", "name"], rest);
    const isReal = isFloating(dtype);
    if (!isReal && (maxval === null || maxval === undefined)) throw new ValueError(`Must specify maxval for integer dtype tf.${dtype}`);
    return inNameScope({ name }, "stateful_uniform", [shape, minval, maxval], scope => {
      const dims = dimensions(shape);
      const from = convertToTensor(minval, { dtype, name: "min" });
      const to = convertToTensor((maxval ?? 1) as TensorLike, { dtype, name: "max" });
      if (!isReal) return StatelessRandomUniformIntV2({ shape: dims, ...this.take(dims), minval: from, maxval: to }, { name: scope });
      const unit = StatelessRandomUniformV2({ shape: dims, ...this.take(dims), dtype: dtype as "float32" });
      return AddV2({ x: Mul({ x: unit, y: Sub({ x: to, y: from }) }), y: from }, { name: scope });
    });
  }

  /** Integers over the whole range of their type. */
  uniformFullInt(shape: TensorLike, ...rest: unknown[]): Tensor {
    const { dtype = "uint64", name } = collect<Named & { dtype: DType }>(["dtype", "name"], rest);
    return inNameScope({ name }, "stateful_uniform_full_int", [shape], scope => {
      const dims = dimensions(shape);
      return StatelessRandomUniformFullIntV2({ shape: dims, ...this.take(dims), dtype: dtype as "uint64" }, { name: scope });
    });
  }

  /** How many of `counts` throws succeed, each with a chance of `probs`. */
  binomial(shape: TensorLike, counts: TensorLike, probs: TensorLike, ...rest: unknown[]): Tensor {
    const { dtype = "int32", name } = collect<Named & { dtype: DType }>(["dtype", "name"], rest);
    return inNameScope({ name }, "binomial", [shape, counts, probs], scope => {
      const algorithm = new NDArray("int64", [], BigInt64Array.of(BigInt(this.algorithm)));
      const of = { resource: this.state.handle, algorithm, shape: dimensions(shape), counts, probs, dtype: dtype as "int32" };
      return StatefulRandomBinomial(of, { name: scope });
    });
  }

  /** Seeds for stateless ops: int64 [2, count]. */
  makeSeeds(...rest: unknown[]): Tensor {
    const { count = 1 } = collect<{ count: number }>(["count"], rest);
    const keys = this.uniformFullInt([count], { dtype: "int64" });
    return stack([keys, zerosLike(keys)]);
  }

  /** Generators with keys of their own, drawn from this one. TF: Generator.split(count). */
  split(...rest: unknown[]): Generator[] {
    const { count = 1 } = collect<{ count: number }>(["count"], rest);
    const keys = this.uniformFullInt([count], { dtype: "int64" });
    const { algorithm: alg } = this;
    const state = (k: number): Tensor => concat([new NDArray("int64", [2], new BigInt64Array(2)), getItem(keys, [k, k + 1])], 0);
    return Array.from({ length: count }, (_, k) => new Generator({ state: state(k), alg }));
  }
}

const dimensions = (shape: TensorLike): Tensor =>
  convertToTensor(Array.isArray(shape) && shape.length === 0 ? NDArray.zeros("int32", [0]) : shape, {
    name: "shape",
    dtype: Array.isArray(shape) ? "int32" : undefined,
  });

function stateOfKey(key: TensorLike, counter: TensorLike): Tensor {
  const [words, last] = [counter, key].map(part => reshape(convertToTensor(part, { dtype: "int64" }), [-1]));
  return concat([words, last], 0);
}

// The generator of programs that ask for one by no name: one for each graph.
const globals = new WeakMap<object, Generator>();

/** The generator of the default graph; made with a state that no seed repeats, if none was set. TF: tf.random.get_global_generator. */
export function getGlobalGenerator(): Generator {
  const graph = getDefaultGraph();
  const found = globals.get(graph) ?? Generator.fromNonDeterministicState();
  globals.set(graph, found);
  return found;
}

/** Makes `generator` the one that getGlobalGenerator gives. TF: tf.random.set_global_generator(generator). */
export function setGlobalGenerator(generator: Generator): void {
  globals.set(generator.state.graph, generator);
}
