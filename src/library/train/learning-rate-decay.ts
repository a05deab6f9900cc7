// Learning rates that fall with the global step, as graph nodes: p is the step as a float. Names are TensorFlow's.

import { isInteger } from "../../base/dtype.ts";
import type { DType } from "../../base/dtype.ts";
import { ValueError } from "../../base/errors.ts";
import { NDArray } from "../../base/ndarray.ts";
import { convertToTensor, type TensorLike } from "../../graph/conversion.ts";
import { getDefaultGraph } from "../../graph/default-graph.ts";
import { Tensor } from "../../graph/operation.ts";
import { collect, refuseOthers } from "../../ops/arguments.ts";
import { constant } from "../../ops/array/array.ts";
import { caseOf, cond } from "../../ops/flow/control-flow-contexts.ts";
import { ceil, cos, exp, floor, log, negative, sqrt } from "../../ops/math/functions.ts";
import { add as addNamed, divide, minimum, multiply, pow as powNamed } from "../../ops/math/math.ts";
import { Cast } from "../../ops/math/cast.ts";
import { equal } from "../../ops/math/comparison.ts";
import { add, and, greater, lessEqual, mul, pow, sub, truediv } from "../../ops/operators.ts";
import { randomNormal } from "../../ops/random/random.ts";
import { whereV2 } from "../../ops/array/selection.ts";

interface Named {
  readonly name?: string | null;
}
interface StaircaseOptions extends Named {
  /** Falls in steps: p / decaySteps is rounded down. */
  readonly staircase?: boolean;
}

type Rest<O> = readonly (O | TensorLike | null | undefined)[];

/** Whole numbers are int32 constants here, as in Python: step counts, mostly. */
const counted = (value: TensorLike): TensorLike =>
  typeof value === "number" && Number.isInteger(value) ? NDArray.from(value, "int32") : value;

const required = (globalStep: TensorLike | null | undefined, caller: string): TensorLike => {
  if (globalStep === null || globalStep === undefined)
    throw new ValueError("None values not supported.", `global_step is required for ${caller}.`);
  return globalStep;
};

/** A scope with the initial rate in it, and the means to bring other numbers to its type. */
function decay<R>(
  name: string | null | undefined,
  fallback: string,
  learningRate: TensorLike,
  body: (rate: Tensor, inType: (value: TensorLike) => Tensor, scope: { readonly name: string }) => R,
): R {
  if (name !== null && name !== undefined && typeof name !== "string") throw new ValueError("name for name_scope must be a string.");
  return getDefaultGraph().nameScope(name ?? fallback, scope => {
    const rate = convertToTensor(learningRate, { name: "initial_learning_rate" });
    return body(rate, value => converted(value, rate.dtype), { name: String(scope) });
  });
}

/** tf.cast as it treats Python's numbers: a whole one is an int32 constant first. */
function converted(value: TensorLike, dtype: DType): Tensor {
  if (value instanceof Tensor && value.dtype === dtype) return value;
  return getDefaultGraph().nameScope("Cast", scope => {
    const tensor = convertToTensor(value, { name: "x" });
    return tensor.dtype === dtype ? tensor : Cast({ x: tensor, DstT: dtype }, { name: String(scope) });
  });
}

/** learningRate · decayRate^(p / decaySteps). TF: tf.train.exponential_decay. */
export function exponentialDecay(
  learningRate: TensorLike,
  globalStep: TensorLike | null,
  decaySteps: TensorLike,
  decayRate: TensorLike,
  ...rest: Rest<StaircaseOptions>
): Tensor {
  const step = required(globalStep, "exponential_decay");
  const { staircase = false, name } = collect<StaircaseOptions>(["staircase", "name"], rest);
  return decay(name, "ExponentialDecay", learningRate, (rate, inType, scope) => {
    const steps = inType(counted(decaySteps));
    const factor = inType(decayRate);
    const p = truediv(inType(step), steps);
    return multiply(rate, powNamed(factor, staircase ? floor(p) : p), scope);
  });
}

/** learningRate · e^(-decayRate · p / decaySteps). TF: tf.train.natural_exp_decay. */
export function naturalExpDecay(
  learningRate: TensorLike,
  globalStep: TensorLike | null,
  decaySteps: TensorLike,
  decayRate: TensorLike,
  ...rest: Rest<StaircaseOptions>
): Tensor {
  const step = required(globalStep, "natural_exp_decay");
  return exponentialDecay(learningRate, step, decaySteps, exp(negative(decayRate)), ...rest);
}

/** learningRate / (1 + decayRate · p / decaySteps). TF: tf.train.inverse_time_decay. */
export function inverseTimeDecay(
  learningRate: TensorLike,
  globalStep: TensorLike | null,
  decaySteps: TensorLike,
  decayRate: TensorLike,
  ...rest: Rest<StaircaseOptions>
): Tensor {
  const step = required(globalStep, "inverse_time_decay");
  const { staircase = false, name } = collect<StaircaseOptions>(["staircase", "name"], rest);
  return decay(name, "InverseTimeDecay", learningRate, (rate, inType, scope) => {
    const steps = inType(counted(decaySteps));
    const factor = inType(decayRate);
    const exact = truediv(inType(step), steps);
    const p = staircase ? floor(exact) : exact;
    const one = inType(constant(1, "int32"));
    return divide(rate, addNamed(one, multiply(factor, p)), scope);
  });
}

interface PolynomialOptions extends Named {
  readonly endLearningRate?: TensorLike;
  readonly power?: TensorLike;
  /** Starts anew after each decaySteps, ever longer. */
  readonly cycle?: boolean;
}

/** (learningRate - end)(1 - min(p, steps) / steps)^power + end. TF: tf.train.polynomial_decay. */
export function polynomialDecay(
  learningRate: TensorLike,
  globalStep: TensorLike | null,
  decaySteps: TensorLike,
  ...rest: Rest<PolynomialOptions>
): Tensor {
  const given = required(globalStep, "polynomial_decay");
  const order = ["endLearningRate", "power", "cycle", "name"];
  const { endLearningRate = 0.0001, power = 1, cycle = false, name } = collect<PolynomialOptions>(order, rest);
  return decay(name, "PolynomialDecay", learningRate, (rate, inType, scope) => {
    const end = inType(endLearningRate);
    const exponent = inType(power);
    let step = inType(given);
    let steps = inType(counted(decaySteps));
    if (cycle) {
      const multiplier = whereV2(equal(step, 0), 1, ceil(truediv(step, decaySteps)));
      steps = multiply(steps, multiplier);
    } else step = minimum(step, steps);
    const p = divide(step, steps);
    return addNamed(multiply(sub(rate, end), powNamed(sub(1, p), exponent)), end, scope);
  });
}

/** What stands in lists of lists; a value by itself is one. */
const leavesOf = (values: TensorLike): TensorLike[] => (Array.isArray(values) ? (values.flat(9) as TensorLike[]) : [values]);

/** values[i] while x ≤ boundaries[i]; the last value after all boundaries. TF: tf.train.piecewise_constant.
 *  @throws ValueError if boundaries and x, or the values among themselves, differ in type. */
export function piecewiseConstant(
  x: TensorLike,
  boundaries: readonly TensorLike[],
  values: readonly TensorLike[],
  { name, ...others }: Named = {},
): Tensor {
  refuseOthers(others);
  if (name !== null && name !== undefined && typeof name !== "string") throw new ValueError("name for name_scope must be a string.");
  const steps = convertToTensor(x);
  // Whole numbers would be floats if Python had written them so, which it has to beside a float.
  const whole = steps.dtype === "string" || isInteger(steps.dtype);
  const limits = leavesOf(boundaries).map(boundary => convertToTensor(whole ? counted(boundary) : boundary));
  const rates = leavesOf(values).map(value => convertToTensor(value));
  const bounds = limits.map(limit => {
    if (limit.dtype === steps.dtype) return limit;
    if (limit.dtype === "int32" && steps.dtype === "int64") return converted(limit, steps.dtype);
    throw new ValueError(`Boundaries (<dtype: '${limit.dtype}'>) must have the same dtype as x (<dtype: '${steps.dtype}'>).`);
  });
  for (const rate of rates.slice(1)) {
    if (rate.dtype !== rates[0].dtype)
      throw new ValueError(`Values must have elements all with the same dtype (<dtype: '${rates[0].dtype}'> vs <dtype: '${rate.dtype}'>).`);
  }
  if (bounds.length !== rates.length - 1) throw new ValueError("The length of boundaries should be 1 less than the length of values");
  return getDefaultGraph().nameScope(name ?? "PiecewiseConstant", () => {
    const choices: [Tensor, () => Tensor][] = [
      [lessEqual(steps, bounds[0]), () => rates[0]],
      [greater(steps, bounds[bounds.length - 1]), () => rates[rates.length - 1]],
    ];
    for (let i = 0; i + 1 < bounds.length; i++) {
      const inside = and(greater(steps, bounds[i]), lessEqual(steps, bounds[i + 1]));
      choices.push([inside, () => rates[i + 1]]);
    }
    return caseOf(choices, { default: () => rates[0], exclusive: true }) as Tensor;
  });
}
/** The newer name. */
export const piecewiseConstantDecay = piecewiseConstant;

interface AlphaOptions extends Named {
  /** The least rate, as a fraction of the first. */
  readonly alpha?: TensorLike;
}

/** Half a cosine from learningRate down to alpha·learningRate. TF: tf.train.cosine_decay. */
export function cosineDecay(
  learningRate: TensorLike,
  globalStep: TensorLike | null,
  decaySteps: TensorLike,
  ...rest: Rest<AlphaOptions>
): Tensor {
  const given = required(globalStep, "cosine_decay");
  const { alpha = 0, name } = collect<AlphaOptions>(["alpha", "name"], rest);
  return decay(name, "CosineDecay", learningRate, (rate, inType) => {
    const steps = inType(counted(decaySteps));
    const step = minimum(inType(given), steps);
    const cosine = halfCosine(truediv(step, steps));
    const fraction = typeof alpha === "number" ? 1 - alpha : sub(1, alpha);
    return multiply(rate, add(mul(fraction, cosine), alpha));
  });
}

/** ½(1 + cos πx). */
const halfCosine = (x: Tensor): Tensor => mul(0.5, add(1, cos(mul(constant(Math.PI), x))));

interface RestartOptions extends AlphaOptions {
  /** Each period is longer by this factor. */
  readonly tMul?: TensorLike;
  /** Each period starts lower by this factor. */
  readonly mMul?: TensorLike;
}

/** Cosine decay in periods that start anew. TF: tf.train.cosine_decay_restarts. */
export function cosineDecayRestarts(
  learningRate: TensorLike,
  globalStep: TensorLike | null,
  firstDecaySteps: TensorLike,
  ...rest: Rest<RestartOptions>
): Tensor {
  const given = required(globalStep, "cosine_decay_restarts");
  const options = collect<RestartOptions>(["tMul", "mMul", "alpha", "name"], rest);
  return decay(options.name, "SGDRDecay", learningRate, (rate, inType, scope) => {
    const first = inType(counted(firstDecaySteps));
    const alpha = inType(options.alpha ?? 0);
    const tMul = inType(options.tMul ?? 2);
    const mMul = inType(options.mMul ?? 1);
    const periods = truediv(inType(given), first);
    const equalPeriods = (): Tensor[] => {
      const restarts = floor(periods);
      return [restarts, sub(periods, restarts)];
    };
    const growingPeriods = (): Tensor[] => {
      const restarts = floor(truediv(log(sub(1, mul(periods, sub(1, tMul)))), log(tMul)));
      const elapsed = truediv(sub(1, pow(tMul, restarts)), sub(1, tMul));
      return [restarts, truediv(sub(periods, elapsed), pow(tMul, restarts))];
    };
    const [restarts, fraction] = cond(equal(tMul, 1), equalPeriods, growingPeriods) as readonly Tensor[];
    const amplitude = pow(mMul, restarts);
    const cosine = mul(mul(0.5, amplitude), add(1, cos(mul(constant(Math.PI), fraction))));
    return multiply(rate, add(mul(sub(1, alpha), cosine), alpha), scope);
  });
}

interface LinearCosineOptions extends AlphaOptions {
  readonly numPeriods?: TensorLike;
  readonly beta?: TensorLike;
}

/** (alpha + a straight line down)·(a cosine of numPeriods) + beta. TF: tf.train.linear_cosine_decay. */
export function linearCosineDecay(
  learningRate: TensorLike,
  globalStep: TensorLike | null,
  decaySteps: TensorLike,
  ...rest: Rest<LinearCosineOptions>
): Tensor {
  const given = required(globalStep, "linear_cosine_decay");
  const options = collect<LinearCosineOptions>(["numPeriods", "alpha", "beta", "name"], rest);
  return decay(options.name, "LinearCosineDecay", learningRate, (rate, inType, scope) => {
    const steps = inType(counted(decaySteps));
    const [numPeriods, alpha, beta] = [inType(options.numPeriods ?? 0.5), inType(options.alpha ?? 0), inType(options.beta ?? 0.001)];
    const step = minimum(inType(given), steps);
    const line = truediv(sub(steps, step), steps);
    const completed = truediv(step, steps);
    const cosine = halfCosine(mul(mul(2, numPeriods), completed));
    return multiply(rate, add(mul(add(alpha, line), cosine), beta), scope);
  });
}

interface NoisyOptions extends LinearCosineOptions {
  readonly initialVariance?: TensorLike;
  readonly varianceDecay?: TensorLike;
}

/** linearCosineDecay with normal noise that dies out. TF: tf.train.noisy_linear_cosine_decay. */
export function noisyLinearCosineDecay(
  learningRate: TensorLike,
  globalStep: TensorLike | null,
  decaySteps: TensorLike,
  ...rest: Rest<NoisyOptions>
): Tensor {
  const given = required(globalStep, "noisy_linear_cosine_decay");
  const options = collect<NoisyOptions>(["initialVariance", "varianceDecay", "numPeriods", "alpha", "beta", "name"], rest);
  return decay(options.name, "NoisyLinearCosineDecay", learningRate, (rate, inType, scope) => {
    const steps = inType(counted(decaySteps));
    const [start, fall] = [inType(options.initialVariance ?? 1), inType(options.varianceDecay ?? 0.55)];
    const [numPeriods, alpha, beta] = [inType(options.numPeriods ?? 0.5), inType(options.alpha ?? 0), inType(options.beta ?? 0.001)];
    const step = minimum(inType(given), steps);
    const line = truediv(sub(steps, step), steps);
    const deviation = sqrt(truediv(start, powNamed(add(1, step), fall)));
    const noisy = add(line, randomNormal(line.shape, { stddev: deviation }));
    const completed = truediv(step, steps);
    const cosine = halfCosine(mul(mul(2, numPeriods), completed));
    return multiply(rate, add(mul(add(alpha, noisy), cosine), beta), scope);
  });
}
