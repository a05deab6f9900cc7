// What distributions do with their arguments: logits or probabilities, checks while running, seeds for a second generator.

import { type DType, dtypeTable, isFloating, isInteger, isUnsigned } from "../../base/dtype.ts";
import { ValueError } from "../../base/errors.ts";
import { md5 } from "../../base/md5.ts";
import { convertToTensor, type TensorLike } from "../../graph/conversion.ts";
import { getDefaultGraph } from "../../graph/default-graph.ts";
import type { Operation, Tensor } from "../../graph/operation.ts";
import { constant, shape as shapeOf } from "../../ops/array/array.ts";
import { getItem } from "../../ops/array/slicing.ts";
import {
  assertEqual,
  assertGreaterEqual,
  assertLessEqual,
  assertNear,
  assertNonNegative,
  assertRankAtLeast,
} from "../../ops/flow/check.ts";
import { noOp, withDependencies } from "../../ops/flow/control-flow.ts";
import { cast } from "../../ops/math/cast.ts";
import { lgamma, log, log1p, sigmoid } from "../../ops/math/functions.ts";
import { reduceSum } from "../../ops/math/reduction.ts";
import { inNameScope } from "../../ops/named.ts";
import { softmax } from "../../ops/nn/nn.ts";
import { add, mul, sub } from "../../ops/operators.ts";
import type { SampleOptions } from "./distribution.ts";

export type Seed = SampleOptions["seed"];

export interface LogitsOrProbs {
  readonly logits?: TensorLike | null;
  readonly probs?: TensorLike | null;
}

/** Both, from the one that is given. @throws ValueError for none or two; TypeError for integers. */
export function logitsAndProbs(
  { logits, probs }: LogitsOrProbs,
  { scope, validateArgs, multidimensional = false }: { scope: string; validateArgs: boolean; multidimensional?: boolean },
): { logits: Tensor; probs: Tensor } {
  return inNameScope(scope, "", [probs, logits], () => {
    const [fromLogits, fromProbs] = [logits ?? undefined, probs ?? undefined];
    if (fromLogits !== undefined && fromProbs === undefined) {
      let given = convertToTensor(fromLogits, { name: "logits" });
      if (!isFloating(given.dtype)) throw new TypeError("logits must having floating type.");
      if (!multidimensional) return { logits: given, probs: sigmoid(given, { name: "probs" }) };
      if (validateArgs) given = checkedEventShape(given);
      return { logits: given, probs: softmax(given, { name: "probs" }) };
    }
    if (fromLogits !== undefined || fromProbs === undefined) throw new ValueError("Must pass probs or logits, but not both.");
    let given = convertToTensor(fromProbs, { name: "probs" });
    if (!isFloating(given.dtype)) throw new TypeError("probs must having floating type.");
    const graph = getDefaultGraph();
    if (validateArgs) given = graph.nameScope("validate_probs", () => checkedProbs(given, multidimensional));
    return graph.nameScope("logits", () => ({
      logits: multidimensional ? log(given) : sub(log(given), log1p(mul(-1, given))),
      probs: given,
    }));
  });
}

function checkedProbs(given: Tensor, multidimensional: boolean): Tensor {
  const one = constant(1, given.dtype);
  const isPositive = assertNonNegative(given);
  if (!multidimensional)
    return withDependencies([isPositive, assertLessEqual(given, one, { message: "probs has components greater than 1." })], given);
  const probs = checkedEventShape(given);
  return withDependencies([isPositive, assertNear(reduceSum(probs, -1), one, { message: "probs does not sum to 1." })], probs);
}

/** The greatest integer up to which a type holds all integers. */
function greatestInteger(dtype: DType): number {
  if (isFloating(dtype)) return 2 ** ({ float16: 11, float32: 24, float64: 53 }[dtype as string] ?? 0);
  if (dtype === "bool") return 1;
  return isInteger(dtype) ? 2 ** (8 * dtypeTable[dtype].bytes - (isUnsigned(dtype) ? 0 : 1)) - 1 : 0;
}

/** A parameter whose last dimension counts events, checked to have two of them or more, and no more than its type can tell apart. */
export function checkedEventShape(parameter: TensorLike): Tensor {
  return inNameScope("embed_check_categorical_event_shape", "", [parameter], () => {
    const x = convertToTensor(parameter, { name: "categorical_param" });
    const most = isFloating(x.dtype) ? greatestInteger(x.dtype) : 0;
    if (most === 0) throw new TypeError(`Unable to validate size of unrecognized dtype (${x.dtype}).`);
    if (x.shape.rank === 0) throw new ValueError("A categorical-distribution parameter must have at least 1 dimension.");
    const size = x.shape.dim(-1);
    if (size !== null) {
      if (size < 2) throw new ValueError("A categorical-distribution parameter must have at least 2 events.");
      if (size > most)
        throw new ValueError(
          `Number of classes exceeds \`dtype\` precision, i.e., ${x.dtype} implies shape (${size}) cannot exceed ${most}.`,
        );
      return x;
    }
    const events = getItem(shapeOf(x, { name: "x_shape" }), -1);
    return withDependencies(
      [
        assertRankAtLeast(x, 1, { message: "A categorical-distribution parameter must have at least 1 dimension." }),
        assertGreaterEqual(getItem(shapeOf(x), -1), 2, {
          message: "A categorical-distribution parameter must have at least 2 events.",
        }),
        assertLessEqual(events, most, {
          message: `Number of classes exceeds \`dtype\` precision, i.e., ${x.dtype} dtype cannot exceed ${most} shape.`,
        }),
      ],
      x,
    );
  });
}

/** Fails the run where an element of a float tensor is no integer. */
function assertIntegerForm(given: Tensor, message: string, intDtype?: DType): Operation {
  return inNameScope("assert_integer_form", "", [given], () => {
    if (isInteger(given.dtype)) return noOp();
    const through = intDtype ?? ({ float16: "int16", float32: "int32", float64: "int64" } as Record<string, DType>)[given.dtype];
    if (through === undefined) throw new TypeError(`Unrecognized type ${given.dtype}`);
    return assertEqual(given, cast(cast(given, through), given.dtype), { message, name: "assert_integer_form" });
  });
}

/** Values that count something, checked to be non-negative and whole. */
export function checkedCounts(value: TensorLike): Tensor {
  return inNameScope("embed_check_nonnegative_integer_form", "", [value], () => {
    const x = convertToTensor(value, { name: "x" });
    const assertions = [assertNonNegative(x, { message: `'${x}' must be non-negative.` })];
    if (!isInteger(x.dtype)) assertions.push(assertIntegerForm(x, `'${x}' cannot contain fractional components.`));
    return withDependencies(assertions, x);
  });
}

/** Values that are to be cast to an integer type (or bool), checked to survive it. */
export function checkedCasting(value: TensorLike, target: DType): Tensor {
  return inNameScope("embed_check_casting_closed", "", [value], () => {
    const x = convertToTensor(value, { name: "x" });
    const assertions = [assertNonNegative(x, { message: "Elements must be non-negative." })];
    if (isFloating(x.dtype)) assertions.push(assertIntegerForm(x, `Elements must be ${target}-equivalent.`, target));
    else if (greatestInteger(x.dtype) > greatestInteger(target))
      assertions.push(assertLessEqual(x, greatestInteger(target), { message: `Elements cannot exceed ${greatestInteger(target)}.` }));
    return withDependencies(assertions, x);
  });
}

/** The logarithm of the multinomial coefficient: in how many orders n draws give these counts. */
export const logCombinations = (n: TensorLike, counts: TensorLike): Tensor =>
  inNameScope("log_combinations", "", [n, counts], () => {
    const total = convertToTensor(n, { name: "n" });
    const each = convertToTensor(counts, { name: "counts" });
    const all = lgamma(add(total, 1));
    return sub(all, reduceSum(lgamma(add(each, 1)), [-1]));
  });

/** A seed for another generator of the same sample: 31 bits of the MD5 of seed and salt. */
export const derivedSeed = (seed: Seed, salt: string): number | undefined =>
  seed === undefined || seed === null ? undefined : Number.parseInt(md5(`${seed}${salt}`).slice(0, 8), 16) & 0x7fffffff;

/** The shapes of parameters that are as large as a sample. */
export const shapesLike = (sampleShape: TensorLike, names: readonly string[]): Readonly<Record<string, Tensor>> => {
  const shape = convertToTensor(sampleShape, { dtype: "int32" });
  return Object.fromEntries(names.map(name => [name, shape]));
};
