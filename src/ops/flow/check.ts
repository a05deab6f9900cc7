// Assertions on tensors, by value (assertEqual, assertLess …), rank and type. What is known while the graph is built is checked at once;
// the rest becomes an Assert node, to be waited for with control dependencies. TF: check_ops.

import type { DType } from "../../base/dtype.ts";
import { pythonClass } from "../../base/python-text.ts";
import { dtypeTable, isComplex, isDType, isFloating, isInteger, machineEpsilon, noDtype } from "../../base/dtype.ts";
import { InvalidArgumentError, ValueError } from "../../base/errors.ts";
import type { NDArray } from "../../base/ndarray.ts";
import { convertIntegers, convertToTensor, isAsTensor, type TensorLike } from "../../graph/conversion.ts";
import { itemsOf } from "../../graph/iterating.ts";
import type { Named } from "../../graph/op-definition.ts";
import type { Operation } from "../../graph/operation.ts";
import { Tensor } from "../../graph/operation.ts";
import { staticValue } from "../../graph/static-value.ts";
import { collect, eitherName } from "../arguments.ts";
import { CheckNumerics, numbersOf, rank, reshape, shape, size } from "../array/array.ts";
import { slice } from "../array/slicing.ts";
import { Assert, noOp, withDependencies } from "./control-flow.ts";
import { equal, greater, greaterEqual, less, lessEqual, notEqual } from "../math/comparison.ts";
import { maximum, minimum } from "../math/math.ts";
import { abs } from "../math/functions.ts";
import { reduceAll } from "../math/reduction.ts";
import { inNameScope } from "../named.ts";
import * as operator from "../operators.ts";

export interface CheckOptions extends Named {
  /** What to print instead of the tensors compared. */
  readonly data?: readonly TensorLike[] | null;
  /** How many elements of each tensor to print. */
  readonly summarize?: number | null;
  /** Put before the usual message. */
  readonly message?: string | null;
}

const checkNames = ["data", "summarize", "message", "name"] as const;
const prefixOf = (message: string | null | undefined): string => (message ? `${message}.  ` : "");

interface Comparison {
  readonly name: string;
  readonly sign: string;
  readonly op: (x: TensorLike, y: TensorLike) => Tensor;
  readonly holds: (x: number, y: number) => boolean;
}

/** Whether a comparison holds for all elements of two known arrays, broadcast to one shape. */
function holdsForAll(x: NDArray, y: NDArray, holds: Comparison["holds"]): boolean | undefined {
  if (x.dtype === "string") return undefined;
  const [a, b] = [numbersOf(x), numbersOf(y)];
  const rank = Math.max(x.shape.length, y.shape.length);
  const within = (from: readonly number[], axis: number): number => from[from.length - rank + axis] ?? 1;
  /** Do all pairs below an axis hold, from places on that count how many there are before? */
  const holdFrom = (axis: number, i: number, j: number): boolean => {
    if (axis === rank) return holds(a[i], b[j]);
    const [m, n] = [within(x.shape, axis), within(y.shape, axis)];
    const count = m === 1 ? n : m;
    for (let k = 0; k < count; k++) if (!holdFrom(axis + 1, i * m + (m === 1 ? 0 : k), j * n + (n === 1 ? 0 : k))) return false;
    return true;
  };
  return holdFrom(0, 0, 0);
}

/** Constants as numbers, other things as they print. */
const textOf = (item: TensorLike): string => (item instanceof Tensor ? String(staticValue(item) ?? item) : String(item));

function compare({ name: fallback, sign, op, holds }: Comparison, x: TensorLike, y: TensorLike, options: Partial<CheckOptions>): Operation {
  const { data, summarize, message, name } = options;
  return inNameScope({ name }, fallback, [x, y, data], () => {
    const [a, b] = operands(x, y);
    const told = data ?? [`Condition x ${sign} y did not hold element-wise:`, `x (${a.name}) = `, a, `y (${b.name}) = `, b];
    const shown = message === undefined || message === null ? told : [message, ...itemsOf(told)];
    const condition = reduceAll(op(a, b));
    const [known, other] = [staticValue(a), staticValue(b)];
    if (known && other && holdsForAll(known, other, holds) === false) throw new InvalidArgumentError(shown.map(textOf).join("\n"));
    return Assert(condition, shown, { summarize: summarize ?? undefined });
  });
}

const operands = (x: TensorLike, y: TensorLike): [Tensor, Tensor] => {
  const a = convertToTensor(x, { name: "x", preferredDtype: y instanceof Tensor ? y.dtype : undefined });
  return [a, convertToTensor(y, { name: "y", preferredDtype: a.dtype })];
};

const comparisons = {
  equal: { name: "assert_equal", sign: "==", op: (x, y) => equal(x, y), holds: (x, y) => x === y },
  noneEqual: { name: "assert_none_equal", sign: "!=", op: (x, y) => notEqual(x, y), holds: (x, y) => x !== y },
  less: { name: "assert_less", sign: "<", op: (x, y) => less(x, y), holds: (x, y) => x < y },
  lessEqual: { name: "assert_less_equal", sign: "<=", op: (x, y) => lessEqual(x, y), holds: (x, y) => x <= y },
  greater: { name: "assert_greater", sign: ">", op: (x, y) => greater(x, y), holds: (x, y) => x > y },
  greaterEqual: { name: "assert_greater_equal", sign: ">=", op: (x, y) => greaterEqual(x, y), holds: (x, y) => x >= y },
} as const satisfies Record<string, Comparison>;

type BinaryCheck = (x: TensorLike, y: TensorLike, ...rest: unknown[]) => Operation;

const binaryCheck =
  (comparison: () => Comparison): BinaryCheck =>
  (x, y, ...rest) =>
    compare(comparison(), x, y, collect<CheckOptions>(checkNames, rest));

/** Fails the run unless x == y everywhere. @throws InvalidArgumentError at once if both are known and differ. TF: tf.assert_equal. */
export const assertEqual: BinaryCheck = (x, y, ...rest) => {
  const options = collect<CheckOptions>(checkNames, rest);
  const isSame = inNameScope({ name: options.name }, "assert_equal", [x, y], () => (x === y ? noOp() : undefined));
  return isSame ?? compare(comparisons.equal, x, y, options);
};
export const assertNoneEqual = binaryCheck(() => comparisons.noneEqual);
export const assertLess = binaryCheck(() => comparisons.less);
export const assertLessEqual = binaryCheck(() => comparisons.lessEqual);
export const assertGreater = binaryCheck(() => comparisons.greater);
export const assertGreaterEqual = binaryCheck(() => comparisons.greaterEqual);

type UnaryCheck = (x: TensorLike, ...rest: unknown[]) => Operation;

/** A comparison with zero, on either side. */
const signCheck =
  (fallback: string, lines: (name: string) => string[], check: (x: Tensor, zero: Tensor, options: CheckOptions) => Operation): UnaryCheck =>
  (x, ...rest) => {
    const { data, summarize, message, name } = collect<CheckOptions>(checkNames, rest);
    return inNameScope({ name }, fallback, [x, data], () => {
      const tensor = convertToTensor(x, { name: "x" });
      const shown = data ?? [prefixOf(message), ...lines(tensor.name), tensor];
      return check(tensor, convertToTensor(0, { dtype: tensor.dtype }), { data: shown, summarize });
    });
  };

const condition =
  (sign: string) =>
  (name: string): string[] => [`Condition x ${sign} 0 did not hold element-wise:`, `x (${name}) = `];

/** Fails the run if an element is not below zero. TF: tf.assert_negative. */
export const assertNegative = signCheck("assert_negative", condition("<"), (x, zero, options) => assertLess(x, zero, options));
export const assertPositive = signCheck("assert_positive", condition(">"), (x, zero, options) => assertLess(zero, x, options));
export const assertNonNegative = signCheck("assert_non_negative", condition(">="), (x, zero, options) => assertLessEqual(zero, x, options));
export const assertNonPositive = signCheck(
  "assert_non_positive",
  name => [`Condition x <= 0 did not hold element-wise:x (${name}) = `],
  (x, zero, options) => assertLessEqual(x, zero, options),
);

interface NearOptions extends CheckOptions {
  readonly rtol?: TensorLike | null;
  readonly atol?: TensorLike | null;
}

/** Fails the run unless |x − y| < atol + rtol·|y|. TF: tf.assert_near(x, y, rtol, atol, data, summarize, message, name). */
export function assertNear(x: TensorLike, y: TensorLike, ...rest: unknown[]): Operation {
  const given = collect<NearOptions>(["rtol", "atol", "data", "summarize", "message", "name"], rest);
  return inNameScope({ name: given.name }, "assert_near", [x, y, given.rtol, given.atol, given.data], () => {
    const a = convertToTensor(x, { name: "x" });
    const b = convertToTensor(y, { name: "y", dtype: a.dtype });
    const dtype: DType = isComplex(a.dtype) ? (a.dtype === "complex64" ? "float32" : "float64") : a.dtype;
    const least = 10 * (machineEpsilon[dtype] ?? 0);
    const [rtol, atol] = [
      convertToTensor(given.rtol ?? least, { name: "rtol", dtype }),
      convertToTensor(given.atol ?? least, { name: "atol", dtype }),
    ];
    const shown = given.data ?? [
      prefixOf(given.message),
      `x and y not equal to tolerance rtol = ${rtol}, atol = ${atol}`,
      `x (${a.name}) = `,
      a,
      `y (${b.name}) = `,
      b,
    ];
    const tolerance = operator.add(atol, operator.mul(rtol, abs(b)));
    const isNear = reduceAll(less(abs(operator.sub(a, b)), tolerance));
    return Assert(isNear, shown, { summarize: given.summarize ?? undefined });
  });
}

// ---- ranks, types, scalars ----

interface RankCheck {
  readonly fallback: string;
  readonly words: string;
  readonly holds: (actual: number, wanted: number) => boolean;
  readonly op: (x: TensorLike, y: TensorLike) => Tensor;
}

function checkRank({ fallback, words, holds, op }: RankCheck, x: TensorLike, wanted: TensorLike, rest: readonly unknown[]): Operation {
  const { data, summarize, message, name } = collect<CheckOptions>(checkNames, rest);
  return inNameScope({ name }, fallback, [x, wanted, data], () => {
    const tensor = convertToTensor(x, { name: "x" });
    const expected = convertIntegers(wanted, "rank");
    const shown = data ?? [prefixOf(message), `Tensor ${tensor.name} must have rank${words}`, expected, "Received shape: ", shape(tensor)];
    assertType(expected, "int32");
    const known = staticValue(expected);
    if (known && known.rank !== 0) throw new ValueError("Rank must be a scalar.");
    const actual = tensor.shape.rank;
    if (known && actual !== null) {
      if (!holds(actual, Number(known.item())))
        throw new ValueError(
          `${prefixOf(message)}Tensor ${tensor.name} must have rank${words} ${known.item()}.  Received rank ${actual}, shape ${tensor.shape}`,
        );
      return noOp({ name: "static_checks_determined_all_ok" });
    }
    const isRight = op(rank(tensor), expected);
    const checked = known
      ? isRight
      : withDependencies([assertRank(expected, 0, ["Rank must be a scalar. Received rank: ", expected])], isRight);
    return Assert(checked, shown, { summarize: summarize ?? undefined });
  });
}

/** Checks the number of dimensions. @throws ValueError at once where it is known. TF: tf.assert_rank(x, rank, data, summarize, message, name). */
export const assertRank = (x: TensorLike, rank: TensorLike, ...rest: unknown[]): Operation =>
  checkRank({ fallback: "assert_rank", words: "", holds: (a, b) => a === b, op: equal }, x, rank, rest);
export const assertRankAtLeast = (x: TensorLike, rank: TensorLike, ...rest: unknown[]): Operation =>
  checkRank({ fallback: "assert_rank_at_least", words: " at least", holds: (a, b) => a >= b, op: greaterEqual }, x, rank, rest);

/** Checks that the number of dimensions is one of a few. TF: tf.assert_rank_in. */
export function assertRankIn(x: TensorLike, ranks: readonly TensorLike[], ...rest: unknown[]): Operation {
  const { data, summarize, message, name } = collect<CheckOptions>(checkNames, rest);
  return inNameScope({ name }, "assert_rank_in", [x, ranks, data], () => {
    const tensor = convertToTensor(x, { name: "x" });
    const expected = Array.from(ranks, r => convertIntegers(r, "rank"));
    const shown = data ?? [prefixOf(message), `Tensor ${tensor.name} must have rank in`, ...expected, "Received shape: ", shape(tensor)];
    for (const one of expected) assertType(one, "int32");
    const known = expected.map(staticValue);
    const actual = tensor.shape.rank;
    if (actual !== null && !known.includes(undefined)) {
      if (known.some(array => array?.rank !== 0)) throw new ValueError("Rank must be a scalar.");
      const numbers = known.map(array => Number(array?.item()));
      if (!numbers.includes(actual))
        throw new ValueError(
          `${prefixOf(message)}Tensor ${tensor.name} must have rank in (${numbers.join(", ")}${numbers.length === 1 ? "," : ""}).  Received rank ${actual}, shape ${tensor.shape}`,
        );
      return noOp({ name: "static_checks_determined_all_ok" });
    }
    const own = rank(tensor);
    const isOne = expected.map(r => equal(own, r)).reduce((some, one) => operator.or(some, one));
    return Assert(isOne, shown, { summarize: summarize ?? undefined });
  });
}

/** @throws TypeError unless the type is an integer type. TF: tf.assert_integer. */
export function assertInteger(x: TensorLike, ...rest: unknown[]): Operation {
  const { message, name } = collect<CheckOptions>(["message", "name"], rest);
  return inNameScope({ name }, "assert_integer", [x], () => {
    const tensor = convertToTensor(x, { name: "x" });
    if (!isInteger(tensor.dtype))
      throw new TypeError(
        `${prefixOf(message)}Expected "x" to be integer type.  Found: ${tensor.name} of dtype <dtype: '${tensor.dtype}'>`,
      );
    return noOp({ name: "statically_determined_was_integer" });
  });
}

/** @throws TypeError unless the type is `tfType`. TF: tf.assert_type. */
export function assertType(tensor: TensorLike, tfType: DType, ...rest: unknown[]): Operation {
  const { message, name } = collect<CheckOptions>(["message", "name"], rest);
  if (!isDType(tfType)) throw noDtype(tfType);
  return inNameScope({ name }, "assert_type", [tensor], () => {
    const x = convertToTensor(tensor, { name: "tensor" });
    if (x.dtype !== tfType) throw new TypeError(`${prefixOf(message)}${x.name} must be of type tf.${tfType}; got tf.${x.dtype}`);
    return noOp({ name: "statically_determined_correct_type" });
  });
}

/** The tensor itself. @throws ValueError unless it is known to be a scalar. TF: tf.assert_scalar(tensor, name, message). */
export function assertScalar(tensor: TensorLike, ...rest: unknown[]): Tensor {
  const { message, name } = collect<CheckOptions>(["name", "message"], rest);
  return inNameScope({ name }, "assert_scalar", [tensor], scope => {
    const x = convertToTensor(tensor, { name: String(scope) });
    if (x.shape.rank !== 0) throw new ValueError(`${prefixOf(message)}Expected scalar shape for ${x.name}, saw shape: ${x.shape}.`);
    return x;
  });
}

/** The float type that all tensors share. @throws ValueError if they differ, or it is no float type. TF: tf.assert_same_float_dtype. */
export function assertSameFloatDtype(tensors?: readonly Tensor[] | null, dtype?: DType | null): DType {
  const first = tensors?.find(tensor => tensor);
  const expected = dtype ?? first?.dtype ?? "float32";
  const other = tensors?.find(tensor => tensor && tensor.dtype !== expected);
  if (other !== undefined)
    throw new ValueError(
      `${other.name}, type=<dtype: '${other.dtype}'>, must be of the same type (${isDType(expected) ? `<dtype: '${expected}'>` : expected})${dtype ? "" : ` as ${first?.name}`}.`,
    );
  if (!isFloating(expected)) throw new ValueError(`Expected floating point type, got <dtype: '${expected}'>.`);
  return expected;
}

/** @throws TypeError unless the value is a list of things, rather than a tensor, array or string. TF: tf.assert_proper_iterable. */
export function assertProperIterable(values: unknown): void {
  if (Array.isArray(values)) return;
  const proper = typeof values === "string" || values instanceof Tensor || isAsTensor(values) ? 'a "proper" iterable' : "iterable";
  throw new TypeError(`Expected argument "values" to be ${proper}.  Found: ${pythonClass(values)}`);
}

/** Whether a value is a tensor of numbers. TF: tf.is_numeric_tensor. */
export const isNumericTensor = (tensor: unknown): tensor is Tensor =>
  tensor instanceof Tensor && ["float", "int", "uint", "complex"].includes(dtypeTable[tensor.dtype].kind);

// ---- order ----

/** Compares every element with the one before it; fewer than two elements are in order. */
function inOrder(x: TensorLike, fallback: string, compareOp: (x: TensorLike, y: TensorLike) => Tensor, name: Named["name"]): Tensor {
  return inNameScope({ name }, fallback, [x], () => {
    const flat = reshape(x, [-1]);
    if (!isNumericTensor(flat)) throw new TypeError(`Expected x to be numeric, instead found: ${flat}`);
    const count = size(flat);
    const steps = [maximum(operator.sub(count, 1), 0)];
    return reduceAll(compareOp(slice(flat, [minimum(count, 1)], steps), slice(flat, [0], steps)));
  });
}

/** Is no element below the one before it? TF: tf.is_non_decreasing. */
export const isNonDecreasing = (x: TensorLike, options?: Named): Tensor => inOrder(x, "is_non_decreasing", greaterEqual, options?.name);
/** Is every element above the one before it? TF: tf.is_strictly_increasing. */
export const isStrictlyIncreasing = (x: TensorLike, options?: Named): Tensor =>
  inOrder(x, "is_strictly_increasing", greater, options?.name);

interface VerifyOptions extends Named {
  /** The older names of `t` and `msg`. */
  readonly x?: TensorLike | null;
  readonly message?: string | null;
}

/** `t` itself, once it is seen to hold neither NaN nor infinities; `msg` begins the error. TF: tf.verify_tensor_all_finite, tf.debugging.assert_all_finite. */
export function verifyTensorAllFinite(t: TensorLike, msg: string, options?: VerifyOptions): Tensor;
export function verifyTensorAllFinite(options: VerifyOptions): Tensor;
export function verifyTensorAllFinite(...given: unknown[]): Tensor {
  const { t, msg, name, x, message } = collect<VerifyOptions & { readonly t?: TensorLike; readonly msg?: string }>(
    ["t", "msg", "name", "x", "message"],
    given,
  );
  const value = eitherName("x", x, "t", t);
  if (value === undefined || value === null) throw new ValueError("None values not supported.");
  return inNameScope({ name }, "VerifyFinite", [value], () => {
    const tensor = convertToTensor(value, { name: "x" });
    return tensor.graph.colocateWith(tensor, undefined, () => {
      const verified = CheckNumerics({ tensor, message: (eitherName("message", message, "msg", msg) ?? null) as string });
      return withDependencies([verified], tensor);
    });
  });
}
