// The one list of what functions of the public API do with linear operators. They themselves know nothing of it: the generated index wraps those that
// stand here (graph/composite.ts), and an operator among their arguments answers in their stead. TF: the dispatch of linalg/linear_operator.

import { ValueError } from "../../base/errors.ts";
import type { Callable, Given } from "../../graph/composite.ts";
import { convertToTensor, type TensorLike } from "../../graph/conversion.ts";
import { getDefaultGraph } from "../../graph/default-graph.ts";
import type { Named } from "../../graph/op-definition.ts";
import type { Tensor } from "../../graph/operation.ts";
import { collect } from "../../ops/arguments.ts";
import { expandDims, squeeze } from "../../ops/array/array.ts";
import { matrixDiagPart, trace } from "../../ops/array/matrix.ts";
import { adjoint, cholesky, logdet, matrixDeterminant, matrixInverse, matrixSolve } from "../../ops/linalg/linalg.ts";
import { log, real } from "../../ops/math/functions.ts";
import { matmul, matvec } from "../../ops/math/matrix.ts";
import { reduceSum } from "../../ops/math/reduction.ts";
import { inNameScope, type NameOption, named } from "../../ops/named.ts";
import * as operators from "../../ops/operators.ts";
import type { LinearOperator } from "./linear-operator.ts";

/** A function of matrices whose result is no operator where its argument is one. */
export type OfOperator = (operator: LinearOperator, ...rest: Given) => Tensor;
/** A function whose result is an operator where its argument is one. */
export type BetweenOperators = (operator: LinearOperator, ...rest: Given) => LinearOperator;
/** A function whose result is an operator where both arguments are. */
export interface OfTwoOperators {
  (left: LinearOperator, right: LinearOperator, ...rest: Given): LinearOperator;
  (left: LinearOperator, right: TensorLike, ...rest: Given): Tensor;
}
export interface OperatorProduct extends OfTwoOperators {
  (left: TensorLike, right: LinearOperator, ...rest: Given): Tensor;
}

type Matrix = LinearOperator | TensorLike;

const isOperator = (value: Matrix): value is LinearOperator =>
  typeof value === "object" && value !== null && "domainDimensionTensor" in value;

/** TensorFlow tries the function of tensors first: its name counts as used. */
const passedOver = (name: Named["name"], fallback: string): void => void getDefaultGraph().nameScope(name ?? fallback, () => {});

interface ProductOptions extends Named {
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
  readonly adjointA?: boolean;
  readonly adjointB?: boolean;
  readonly aIsSparse?: boolean;
  readonly bIsSparse?: boolean;
}
const productNames = ["transposeA", "transposeB", "adjointA", "adjointB", "aIsSparse", "bIsSparse", "outputType", "name"];

/** A product in which a tensor may be the left factor: AB = (Bᴴ·Aᴴ)ᴴ. @throws ValueError for factors that are transposed or called sparse. */
function product(a: Matrix, b: Matrix, options: ProductOptions): LinearOperator | Tensor {
  const { adjointA = false, adjointB = false, name = null } = options;
  if (options.transposeA || options.transposeB) throw new ValueError("Transposing not supported at this time.");
  if (options.aIsSparse || options.bIsSparse) throw new ValueError("Sparse methods not supported at this time.");
  if (isOperator(a)) return a.matmul(b as TensorLike, { adjoint: adjointA, adjointArg: adjointB, name });
  return adjoint((b as LinearOperator).matmul(a, { adjoint: !adjointB, adjointArg: !adjointA, name }));
}

function operatorMatmul(_: Callable, a: Matrix, b: Matrix, ...rest: readonly unknown[]): LinearOperator | Tensor {
  const options = collect<ProductOptions>(productNames, rest);
  inNameScope({ name: options.name }, "MatMul", [a, b], () => void (isOperator(a) || convertToTensor(a, { name: "a" })));
  return product(a, b, options);
}

/** `x.matmul(operator)` of a tensor x. */
const matmulOperator = (_: Callable, x: TensorLike, y: Matrix): LinearOperator | Tensor =>
  inNameScope(null, "matmul", [x, y], ({ name }) => product(x, y, { name }));

function operatorMatvec(_: Callable, a: LinearOperator, b: TensorLike, ...rest: readonly unknown[]): Tensor {
  const { name, ...options } = collect<ProductOptions>(["transposeA", "adjointA", "aIsSparse", "bIsSparse", "name"], rest);
  return inNameScope({ name }, "MatVec", [a, b], () => squeeze(product(a, expandDims(b, -1), options) as Tensor, [-1]));
}

function operatorInverse(_: Callable, input: LinearOperator, ...rest: readonly unknown[]): LinearOperator {
  const options = collect<Named & { adjoint: boolean }>(["adjoint", "name"], rest);
  passedOver(options.name, "MatrixInverse");
  const inverse = input.inverse({ name: options.name ?? null });
  return options.adjoint ? inverse.adjoint() : inverse;
}

/** @throws ValueError unless the first is the operator. */
function operatorSolve(_: Callable, matrix: Matrix, rhs: TensorLike, ...rest: readonly unknown[]): Tensor {
  const options = collect<Named & { adjoint: boolean }>(["adjoint", "name"], rest);
  passedOver(options.name, "MatrixSolve");
  if (!isOperator(matrix)) throw new ValueError("Passing in `matrix` as a Tensor and `rhs` as a LinearOperator is not supported.");
  return matrix.solve(rhs, { adjoint: options.adjoint, name: options.name ?? null });
}

/** @throws ValueError unless the operator is known to be self-adjoint and positive definite. */
function operatorLogdet(_: Callable, matrix: LinearOperator, options?: NameOption): Tensor {
  if (!(matrix.isPositiveDefinite && matrix.isSelfAdjoint)) throw new ValueError("Expected matrix to be self-adjoint positive definite.");
  return inNameScope(options, "logdet", [], () => operators.mul(2, reduceSum(log(real(matrix.cholesky({ name: null }).diagPart())), [-1])));
}

function operatorDiagPart(_: Callable, input: LinearOperator, ...rest: readonly unknown[]): Tensor {
  const { name = "diag_part" } = collect<Named>(["name", "k", "paddingValue", "align"], rest);
  passedOver(name, "diag_part");
  return input.diagPart({ name });
}

/** The method of this name, and the name of what TensorFlow tries before it. */
const method =
  (name: "adjoint" | "cholesky" | "determinant" | "trace", tried: string) =>
  (_: Callable, operator: LinearOperator, option?: NameOption): unknown => {
    const given = named(option).name ?? null;
    passedOver(given, tried);
    return operator[name]({ name: given });
  };

interface Answer {
  readonly type: "OfOperator" | "BetweenOperators" | "OfTwoOperators" | "OperatorProduct";
  readonly answer: (plain: Callable, ...given: Given) => unknown;
}

let answers: ReadonlyMap<Callable, Answer> | undefined;

/** Function → what linear operators do in its stead, and the name of the type that says so. */
export function operatorAnswers(): ReadonlyMap<Callable, Answer> {
  answers ??= new Map<Callable, Answer>([
    [matmul, { type: "OperatorProduct", answer: operatorMatmul }],
    [operators.matmul, { type: "OperatorProduct", answer: matmulOperator }],
    [matvec, { type: "OfOperator", answer: operatorMatvec }],
    [matrixInverse, { type: "BetweenOperators", answer: operatorInverse }],
    [matrixSolve, { type: "OfTwoOperators", answer: operatorSolve }],
    [logdet, { type: "OfOperator", answer: operatorLogdet }],
    [matrixDiagPart, { type: "OfOperator", answer: operatorDiagPart }],
    [adjoint, { type: "BetweenOperators", answer: method("adjoint", "adjoint") }],
    [cholesky, { type: "BetweenOperators", answer: method("cholesky", "Cholesky") }],
    [matrixDeterminant, { type: "OfOperator", answer: method("determinant", "MatrixDeterminant") }],
    [trace, { type: "OfOperator", answer: method("trace", "Trace") }],
  ]);
  return answers;
}
