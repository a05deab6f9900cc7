// Initializers: functions from a shape to the nodes of an initial value. Each is made by a function that may be called with or without `new`,
// as TensorFlow programs write both. Regularizers, which also speak about a variable's values, are at the end.

import { floatText, pythonStr } from "../../base/python-text.ts";
import type { DType } from "../../base/dtype.ts";
import { isFloating } from "../../base/dtype.ts";
import { asDtype } from "../../base/dtype-names.ts";
import { ValueError } from "../../base/errors.ts";
import type { ArrayLike } from "../../base/ndarray.ts";
import { NDArray } from "../../base/ndarray.ts";
import type { Tensor } from "../../graph/operation.ts";
import { collect } from "../../ops/arguments.ts";
import { constant, ones, zeros } from "../../ops/array/array.ts";
import { randomNormal, randomUniform, truncatedNormal } from "../../ops/random/random.ts";

/** The whole of which a part is initialized, and where the part begins in it. */
export interface PartPlace {
  readonly fullShape: readonly number[];
  readonly varOffset: readonly number[];
}

interface InitializerOptions {
  readonly dtype?: DType | null | undefined;
  readonly partitionInfo?: PartPlace | null | undefined;
}

/** Makes the initial value of a variable of a given shape, or of a part of one. */
export type Initializer = (shape: readonly number[], options?: InitializerOptions) => Tensor;

/** An initializer that tells its settings. */
export interface ConfiguredInitializer extends Initializer {
  /** The settings under TensorFlow's names, for `fromConfig`. TF: Initializer.get_config. */
  getConfig(): Readonly<Record<string, unknown>>;
}

/** Called with or without `new`. */
interface InitializerFunction<A extends readonly unknown[]> {
  (...args: A): ConfiguredInitializer;
  new (...args: A): ConfiguredInitializer;
}

export interface InitializerClass<A extends readonly unknown[]> extends InitializerFunction<A> {
  /** The initializer of settings. TF: Initializer.from_config. @throws TypeError for a setting that it has not. */
  fromConfig(config: Readonly<Record<string, unknown>>): ConfiguredInitializer;
}

/** `initializer: tf.zerosInitializer` for `tf.zerosInitializer()`: a class, of either door, stands for what it makes of nothing. */
export const instantiated = <I>(initializer: I): I => (isClass(initializer) ? (initializer() as I) : initializer);

const isClass = (value: unknown): value is () => unknown =>
  typeof value === "function" && ("fromConfig" in value || "from_config" in value);

/** The class of what `make` makes of options. `settings` are those that getConfig tells, at their defaults; `more` are others that may be given. */
export const initializerClass = <O, A extends readonly unknown[]>(
  settings: Readonly<Partial<Record<keyof O & string, unknown>>>,
  make: (options: Partial<O>) => Initializer,
  more: readonly (keyof O & string)[] = [],
): InitializerClass<A> => {
  const told = Object.keys(settings) as (keyof O & string)[];
  function initializer(...args: A): ConfiguredInitializer {
    const options = collect<O>([...told, ...more], args);
    const { dtype } = options as Typed;
    if (dtype !== undefined) asDtype(dtype);
    const config = told.map(name => [name, options[name] ?? settings[name]]);
    const made = make(options);
    // A type may be given by place, as Python programs do.
    const initialize = (shape: readonly number[], ...rest: (InitializerOptions | DType | undefined)[]): Tensor =>
      made(shape, ...rest.map(given => (typeof given === "string" ? { dtype: asDtype(given) } : given)));
    return Object.assign(initialize, { getConfig: () => Object.fromEntries(config) });
  }
  const fromConfig = (config: Readonly<Record<string, unknown>>): ConfiguredInitializer => {
    const unknown = Object.keys(config).find(key => !told.some(name => name === key));
    if (unknown !== undefined) throw new TypeError(`__init__() got an unexpected keyword argument '${unknown}'`);
    return initializer(...([config] as readonly unknown[] as A));
  };
  // A plain function is also a constructor whose result is what it returns.
  return Object.assign(initializer, { fromConfig }) as InitializerClass<A>;
};

export interface Typed {
  readonly dtype?: DType;
}

export interface Seeded extends Typed {
  /** Op seed; with the graph's seed it fixes the values. */
  readonly seed?: number | null;
}

type TypedArguments = [dtype?: DType | Typed];

export const assertFloat = (dtype: DType): void => {
  if (!isFloating(dtype)) throw new ValueError(`Argument \`dtype\` is expected to be floating point. Received: <dtype: '${dtype}'>.`);
};

/** All zeros. TF: tf.zeros_initializer. */
export const zerosInitializer = initializerClass<Typed, TypedArguments>(
  { dtype: "float32" },
  ({ dtype: own = "float32" }) =>
    (shape, { dtype } = {}) =>
      zeros(shape, dtype ?? own),
);

/** All ones. TF: tf.ones_initializer. */
export const onesInitializer = initializerClass<Typed, TypedArguments>(
  { dtype: "float32" },
  ({ dtype: own = "float32" }) =>
    (shape, { dtype } = {}) =>
      ones(shape, dtype ?? own),
);

interface ConstantOptions extends Typed {
  readonly value?: ArrayLike;
  /** Refuses values of another shape; without it too few values are filled up with the last. */
  readonly verifyShape?: boolean;
}

/** A fixed number, or numbers in order. TF: tf.constant_initializer. */
export const constantInitializer = initializerClass<
  ConstantOptions,
  [value?: ArrayLike | ConstantOptions, dtype?: DType | ConstantOptions, verifyShape?: boolean]
>(
  { value: 0, dtype: "float32" },
  ({ value = 0, dtype: own = "float32", verifyShape = false }) =>
    (shape, { dtype } = {}) =>
      constant(value instanceof NDArray ? value.cast(dtype ?? own) : value, { dtype: dtype ?? own, shape, verifyShape }),
  ["verifyShape"],
);

interface UniformOptions extends Seeded {
  readonly minval?: number;
  readonly maxval?: number | null;
}

/** Uniform in [minval, maxval). TF: tf.random_uniform_initializer. */
export const randomUniformInitializer = initializerClass<
  UniformOptions,
  [minval?: number | UniformOptions, maxval?: number | UniformOptions | null, seed?: number | UniformOptions | null, dtype?: DType]
>(
  { minval: 0, maxval: null, seed: null, dtype: "float32" },
  ({ minval = 0, maxval, seed, dtype: own = "float32" }) =>
    (shape, { dtype } = {}) =>
      randomUniform(shape, { minval, maxval: maxval ?? undefined, dtype: dtype ?? own, seed: seed ?? null }),
);

interface NormalOptions extends Seeded {
  readonly mean?: number;
  readonly stddev?: number;
}
type NormalArguments = [
  mean?: number | NormalOptions,
  stddev?: number | NormalOptions,
  seed?: number | NormalOptions | null,
  dtype?: DType,
];

/** Normal with a mean and a standard deviation. TF: tf.random_normal_initializer. */
export const randomNormalInitializer = initializerClass<NormalOptions, NormalArguments>(
  { mean: 0, stddev: 1, seed: null, dtype: "float32" },
  ({ mean = 0, stddev = 1, seed, dtype: own = "float32" }) => {
    assertFloat(own);
    return (shape, { dtype } = {}) => randomNormal(shape, { mean, stddev, dtype: dtype ?? own, seed: seed ?? null });
  },
);

/** Normal without values beyond two standard deviations. TF: tf.truncated_normal_initializer. */
export const truncatedNormalInitializer = initializerClass<NormalOptions, NormalArguments>(
  { mean: 0, stddev: 1, seed: null, dtype: "float32" },
  ({ mean = 0, stddev = 1, seed, dtype: own = "float32" }) => {
    assertFloat(own);
    return (shape, { dtype } = {}) => truncatedNormal(shape, { mean, stddev, dtype: dtype ?? own, seed: seed ?? null });
  },
);

interface UnitScalingOptions extends Seeded {
  readonly factor?: number;
}

/** Uniform with variance factor²/fan_in. TF: tf.uniform_unit_scaling_initializer. */
export const uniformUnitScalingInitializer = initializerClass<
  UnitScalingOptions,
  [factor?: number | UnitScalingOptions, seed?: number | UnitScalingOptions | null, dtype?: DType]
>({ factor: 1, seed: null, dtype: "float32" }, ({ factor = 1, seed, dtype: own = "float32" }) => {
  assertFloat(own);
  return (shape, { dtype, partitionInfo } = {}) => {
    const inputs = Math.max(
      (partitionInfo?.fullShape ?? shape).slice(0, -1).reduce((product, size) => product * size, 1),
      1,
    );
    const limit = Math.sqrt(3 / inputs) * factor;
    return randomUniform(shape, { minval: -limit, maxval: limit, dtype: dtype ?? own, seed: seed ?? null });
  };
});

/** Units that feed one output and that one input feeds; for convolutions times the window. */
function fansOf(shape: readonly number[]): { readonly fanIn: number; readonly fanOut: number } {
  if (shape.length === 0) return { fanIn: 1, fanOut: 1 };
  if (shape.length === 1) return { fanIn: shape[0], fanOut: shape[0] };
  const window = shape.slice(0, -2).reduce((product, size) => product * size, 1);
  return { fanIn: shape[shape.length - 2] * window, fanOut: shape[shape.length - 1] * window };
}

type Mode = "fan_in" | "fan_out" | "fan_avg";
type Distribution = "normal" | "uniform" | "truncated_normal" | "untruncated_normal";

interface VarianceOptions extends Seeded {
  readonly scale?: number;
  readonly mode?: Mode;
  readonly distribution?: Distribution;
}

/** Standard deviation of a standard normal cut at ±2. */
const truncatedDeviation = 0.87962566103423978;

function varianceScaling({
  scale = 1,
  mode = "fan_in",
  distribution = "truncated_normal",
  seed,
  dtype: own = "float32",
}: VarianceOptions): Initializer {
  if (scale <= 0) throw new ValueError(`Argument \`scale\` must be a positive float. Received: ${floatText(scale)}`);
  if (!["fan_in", "fan_out", "fan_avg"].includes(mode))
    throw new ValueError(`Argument \`mode\` should be one of ('fan_in', 'fan_out', 'fan_avg'). Received: ${pythonStr(mode)}`);
  const kind = distribution.toLowerCase();
  if (!["normal", "uniform", "truncated_normal", "untruncated_normal"].includes(kind))
    throw new ValueError(
      `Argument \`distribution\` should be one of ('normal', uniform', 'truncated_normal', 'untruncated_normal'). Received: ${kind}`,
    );
  assertFloat(own);
  return (shape, { dtype, partitionInfo } = {}) => {
    const { fanIn, fanOut } = fansOf(partitionInfo?.fullShape ?? shape);
    const variance = scale / Math.max(1, mode === "fan_in" ? fanIn : mode === "fan_out" ? fanOut : (fanIn + fanOut) / 2);
    const rest = { dtype: dtype ?? own, seed: seed ?? null };
    if (kind === "uniform") {
      const limit = Math.sqrt(3 * variance);
      return randomUniform(shape, { minval: -limit, maxval: limit, ...rest });
    }
    if (kind === "untruncated_normal") return randomNormal(shape, { mean: 0, stddev: Math.sqrt(variance), ...rest });
    return truncatedNormal(shape, { mean: 0, stddev: Math.sqrt(variance) / truncatedDeviation, ...rest });
  };
}

/** Scaled so that the variance of activations is kept: variance = scale / fan. TF: tf.variance_scaling_initializer. */
export const varianceScalingInitializer = initializerClass<
  VarianceOptions,
  [
    scale?: number | VarianceOptions,
    mode?: Mode | VarianceOptions,
    distribution?: Distribution | VarianceOptions,
    seed?: number | null,
    dtype?: DType,
  ]
>({ scale: 1, mode: "fan_in", distribution: "truncated_normal", seed: null, dtype: "float32" }, varianceScaling);

type SeedArguments = [seed?: number | Seeded | null, dtype?: DType | Seeded];

/** TensorFlow's take a type and do not look at it: without one they give float32. */
const scaled = (scale: number, mode: Mode, distribution: Distribution): InitializerClass<SeedArguments> =>
  initializerClass<Seeded, SeedArguments>({ seed: null, dtype: "float32" }, ({ seed }) =>
    varianceScaling({ scale, mode, distribution, seed }),
  );

/** Functions that give a scaling with all of its settings, as TensorFlow's do. */
function scaling(scale: number, mode: Mode, distribution: Distribution): InitializerFunction<SeedArguments> {
  function initializer(...args: SeedArguments): ConfiguredInitializer {
    return varianceScalingInitializer({ scale, mode, distribution, ...collect<Seeded>(["seed", "dtype"], args) });
  }
  return initializer as InitializerFunction<SeedArguments>;
}

/** Uniform within ±√(6 / (fan_in + fan_out)): the default of getVariable. TF: tf.glorot_uniform_initializer. */
export const glorotUniformInitializer = scaled(1, "fan_avg", "uniform");
export const glorotNormalInitializer = scaled(1, "fan_avg", "truncated_normal");
/** For relu: variance 2 / fan_in. TF: tf.initializers.he_normal. */
export const heNormal = scaling(2, "fan_in", "truncated_normal");
export const heUniform = scaling(2, "fan_in", "uniform");
export const lecunNormal = scaling(1, "fan_in", "truncated_normal");
export const lecunUniform = scaling(1, "fan_in", "uniform");
