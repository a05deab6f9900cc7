// Sparse matrices by rows (CSR), and batches of them, as values of type variant: made of dense and sparse tensors, added, multiplied, transposed and
// made dense again. They are held on the host (sparse/csr-memory.ts), so these ops run between segments.

import { type DType, isComplex } from "../../base/dtype.ts";
import { InvalidArgumentError, NotImplementedError, UnimplementedError, ValueError } from "../../base/errors.ts";
import { NDArray } from "../../base/ndarray.ts";
import { type Dimension, TensorShape } from "../../base/shape.ts";
import * as attr from "../../graph/attributes.ts";
import { defineOp, type Gradients, type ShapeContext } from "../../graph/op-definition.ts";
import type { Tensor } from "../../graph/operation.ts";
import { numbersOf, shape as shapeOf } from "../array/array.ts";
import { gatherNd } from "../array/gather.ts";
import { transpose } from "../array/rearranging.ts";
import { concat, slice } from "../array/slicing.ts";
import { multiply } from "../math/math.ts";
import { conj } from "../math/functions.ts";
import { reduceSum } from "../math/reduction.ts";
import {
  adderOf,
  CsrArray,
  choleskyOf,
  conjugated,
  denseProduct,
  forEachEntry,
  fromPlaces,
  product,
  softmaxGradient,
  softmaxOf,
  symmetricPattern,
  transposed,
  weightedSum,
  wordsOf,
} from "./csr-memory.ts";
import { minimumDegreeOrder } from "./ordering.ts";
import { SparseSliceGrad } from "./structure.ts";
import { cTypeOf } from "../flow/tensor-array-failures.ts";

const type = attr.type(["float32", "float64", "complex64", "complex128"]);
const realType = attr.type(["float32", "float64"]);
const scalar = new TensorShape([]);

interface Held {
  readonly dtype: DType;
  readonly shape: TensorShape;
}

// ---- shapes ----

/** What the matrix of an input is like. @throws ValueError if that is not told. */
function heldBy(context: ShapeContext, input: string, position = 0, name = input): Held {
  context.shapeOf(input).withRank(0);
  const held = context.handle(input);
  if (!held || held.dtype === "variant") throw new ValueError(`Unable to access shape and type info from variant input ${position}`);
  held.shape.withRankAtLeast(2).withRankAtMost(3);
  if (held.shape.rank === null) throw new ValueError(`${name} has an unknown rank.`);
  return held;
}

/** The same while nothing is complained about. */
const told = (context: ShapeContext, input: string): Held | undefined => context.handle(input);

const requireRank = (rank: number | null, of = ""): void => {
  if (rank !== 2 && rank !== 3) throw new ValueError(`Invalid rank${of}: ${rank ?? -1}.  Expected a known rank of either 2 or 3.`);
};

const requireEqual = (a: Dimension, b: Dimension): void => {
  if (a !== null && b !== null && a !== b) throw new ValueError(`Dimensions must be equal, but are ${a} and ${b}`);
};

interface Turns {
  readonly transposeA: boolean;
  readonly transposeB: boolean;
  readonly adjointA: boolean;
  readonly adjointB: boolean;
}

function requireOneTurn({ transposeA, transposeB, adjointA, adjointB }: Turns): void {
  if (adjointA && transposeA) throw new ValueError("Only one of adjoint_a and transpose_a may be true.");
  if (adjointB && transposeB) throw new ValueError("Only one of adjoint_b and transpose_b may be true.");
}

/** The shape of a product of matrices, or of batches of them. */
function productShape(a: TensorShape, b: TensorShape, { transposeA, transposeB, adjointA, adjointB }: Turns): TensorShape {
  const [isA, isB] = [transposeA || adjointA, transposeB || adjointB];
  const batch = a.slice(0, -2).mergeWith(b.slice(0, -2));
  requireEqual(a.dim(isA ? -2 : -1), b.dim(isB ? -1 : -2));
  return batch.concatenate([a.dim(isA ? -1 : -2), b.dim(isB ? -2 : -1)]);
}

/** The last two dimensions in the other order. */
const flipped = (shape: TensorShape): TensorShape => shape.slice(0, -2).concatenate([shape.dim(-1), shape.dim(-2)]);

// ---- from and to other tensors ----

function requireType(matrix: CsrArray, asked: DType, what = "input"): CsrArray {
  if (matrix.elementType !== asked)
    throw new InvalidArgumentError(`dtype of ${what} is not equal to 'type': ${cTypeOf(matrix.elementType)} vs. ${cTypeOf(asked)}`);
  return matrix;
}

function sizesIn(array: NDArray): number[] {
  const dims = numbersOf(array);
  const negative = dims.find(size => size < 0);
  if (negative !== undefined) throw new InvalidArgumentError(`Dimension ${negative} must be >= 0`);
  return dims;
}

/** The elements of a dense matrix (or batch) at the given places. */
export const DenseToCSRSparseMatrix = defineOp("DenseToCSRSparseMatrix", {
  inputs: { denseInput: "T", indices: "int64" },
  outputs: { sparseOutput: "variant" },
  attrs: { T: type },
  shape: ({ denseInput, indices }) => {
    requireRank(denseInput.rank, " of dense");
    if (indices.rank !== 2) throw new ValueError(`indices must be a matrix; but its rank is not 2: ${indices.rank ?? -1}`);
    const width = indices.dim(1);
    if (width !== denseInput.rank)
      throw new ValueError(`indices.shape[1] must match rank of dense; saw: ${width ?? -1} vs. ${denseInput.rank}`);
    return scalar;
  },
  holds: ({ T }, context) => ({ dtype: T, shape: context.shapeOf("denseInput") }),
  gradient: ({ T }, d): Gradients => ({ denseInput: CSRSparseMatrixToDense({ sparseInput: d.sparseOutput, type: T }), indices: null }),
  host: ({ denseInput, indices }, { name }) => {
    const [dims, given] = [denseInput.shape, numbersOf(indices)];
    const [rank, count] = [dims.length, indices.shape[0]];
    const values = NDArray.zeros(denseInput.dtype, [count]);
    for (let n = 0; n < count; n++) {
      const place = dims.reduce((sum, size, axis) => sum * size + given[n * rank + axis], 0);
      if (place >= 0 && place < denseInput.size) values.set(n, denseInput.get(place));
    }
    return fromPlaces(
      indices,
      values,
      dims,
      (n, at) => `indices[${n}] = [${at.join(", ")}] does not index into param shape [${dims}], node name: ${name}`,
    );
  },
});

/** The elements of a sparse tensor: a matrix, or a batch of them. */
export const SparseTensorToCSRSparseMatrix = defineOp("SparseTensorToCSRSparseMatrix", {
  inputs: { indices: "int64", values: "T", denseShape: "int64" },
  outputs: { sparseMatrix: "variant" },
  attrs: { T: type },
  shape: ({ indices, values, denseShape }) => {
    const [width, rank] = [indices.withRank(2).dim(1), denseShape.withRank(1).dim(0)];
    const [count, given] = [indices.dim(0), values.withRank(1).dim(0)];
    if (count !== null && given !== null && count !== given)
      throw new ValueError(`Number of elements in index (${count}) and values (${given}) do not match.`);
    if (rank !== null && width !== null && rank !== width)
      throw new ValueError(`Index rank (${width}) and shape rank (${rank}) do not match.`);
    requireRank(rank ?? width);
    return scalar;
  },
  holds: ({ T }, context) => ({ dtype: T, shape: context.shapeFrom("denseShape") }),
  gradient: ({ T }, d): Gradients => ({
    indices: null,
    values: CSRSparseMatrixToSparseTensor({ sparseMatrix: d.sparseMatrix, type: T }).values,
    denseShape: null,
  }),
  host: ({ indices, values, denseShape }) => {
    const dims = sizesIn(denseShape);
    const [count, width] = indices.shape;
    if (count !== values.size)
      throw new InvalidArgumentError(`Number of elements in index (${count}) and values (${values.size}) do not match.`);
    if (width !== dims.length) throw new InvalidArgumentError(`Index rank (${width}) and shape rank (${dims.length}) do not match.`);
    return fromPlaces(indices, values, dims, (n, at) => `Sparse index tuple indices[${n}, :] = [${at.join(", ")}] is out of bounds`);
  },
});

/** The matrix, or batch, as a dense tensor. */
export const CSRSparseMatrixToDense = defineOp("CSRSparseMatrixToDense", {
  inputs: { sparseInput: "variant" },
  outputs: { denseOutput: "type" },
  attrs: { type },
  shape: (_, context) => heldBy(context, "sparseInput", 0, "sparse_matrix").shape,
  gradient: ({ sparseInput, type }, d): Gradients => {
    const { indices } = CSRSparseMatrixToSparseTensor({ sparseMatrix: sparseInput, type });
    const values = gatherNd(d.denseOutput, indices);
    return { sparseInput: SparseTensorToCSRSparseMatrix({ indices, values, denseShape: shapeOf(d.denseOutput, { outType: "int64" }) }) };
  },
  host: ({ sparseInput, type }) => {
    const given = CsrArray.of(sparseInput);
    if (given.elementType !== type)
      throw new InvalidArgumentError(`Asked for a CSRSparseMatrix of type ${cTypeOf(type)} but saw dtype: ${cTypeOf(given.elementType)}`);
    const dense = NDArray.zeros(type, given.dims);
    forEachEntry(given, ({ columns, values }, k, row, n) => {
      dense.set((k * given.rows + row) * given.columns + columns[n], values.get(n));
    });
    return dense;
  },
});

/** Places, values and shape of the matrix, or batch, as those of a sparse tensor. */
export const CSRSparseMatrixToSparseTensor = defineOp("CSRSparseMatrixToSparseTensor", {
  inputs: { sparseMatrix: "variant" },
  outputs: { indices: "int64", values: "type", denseShape: "int64" },
  attrs: { type },
  shape: (_, context) => {
    const { rank } = heldBy(context, "sparseMatrix", 0, "sparse_matrix").shape;
    return [new TensorShape([null, rank]), new TensorShape([null]), new TensorShape([rank])];
  },
  gradient: ({ indices, denseShape }, d): Gradients => ({
    sparseMatrix: SparseTensorToCSRSparseMatrix({ indices, values: d.values, denseShape }),
  }),
  host: ({ sparseMatrix, type }) => {
    const given = CsrArray.of(sparseMatrix);
    if (given.elementType !== type)
      throw new InvalidArgumentError(`Expected a CSRSparseMatrix of type ${cTypeOf(type)} but saw type: ${cTypeOf(given.elementType)}`);
    const { dims, matrices } = given;
    const count = matrices.reduce((sum, { columns }) => sum + columns.length, 0);
    const [places, values] = [new BigInt64Array(count * dims.length), NDArray.zeros(type, [count])];
    let to = 0;
    forEachEntry(given, (matrix, k, row, n) => {
      const at = [k, row, matrix.columns[n]].slice(-dims.length);
      at.forEach((index, axis) => void (places[to * dims.length + axis] = BigInt(index)));
      values.set(to++, matrix.values.get(n));
    });
    return [new NDArray("int64", [count, dims.length], places), values, NDArray.from(dims.map(BigInt), "int64")];
  },
});

/** Where the rows of one matrix of the batch begin, the columns of its entries, and their values. */
export const CSRSparseMatrixComponents = defineOp("CSRSparseMatrixComponents", {
  inputs: { csrSparseMatrix: "variant", index: "int32" },
  outputs: { rowPtrs: "int32", colInds: "int32", values: "type" },
  attrs: { type },
  shape: ({ index }, context) => {
    const { shape } = heldBy(context, "csrSparseMatrix", 0, "csr_sparse_matrix");
    if (index.rank !== 0) throw new ValueError("index must be a scalar.");
    const rows = shape.dim(-2);
    return [new TensorShape([rows === null ? null : rows + 1]), new TensorShape([null]), new TensorShape([null])];
  },
  host: ({ csrSparseMatrix, index, type }) => {
    const { matrices } = requireType(CsrArray.of(csrSparseMatrix), type);
    const at = Number(index.get(0));
    if (at < 0 || at >= matrices.length) throw new InvalidArgumentError(`index (${at}) not in [0, ${matrices.length})`);
    const { starts, columns, values } = matrices[at];
    return [new NDArray("int32", [starts.length], starts), new NDArray("int32", [columns.length], columns), values];
  },
});

/** How many entries there are; of a batch, in each matrix. */
export const SparseMatrixNNZ = defineOp("SparseMatrixNNZ", {
  inputs: { sparseMatrix: "variant" },
  outputs: { nnz: "int32" },
  attrs: {},
  gradient: "none",
  shape: (_, context) => heldBy(context, "sparseMatrix", 0, "sparse_matrix").shape.slice(0, -2),
  host: ({ sparseMatrix }) => {
    const { matrices, dims } = CsrArray.of(sparseMatrix);
    return new NDArray(
      "int32",
      dims.slice(0, -2),
      Int32Array.from(matrices, ({ columns }) => columns.length),
    );
  },
});

/** A matrix, or batch, without entries. */
export const SparseMatrixZeros = defineOp("SparseMatrixZeros", {
  inputs: { denseShape: "int64" },
  outputs: { sparseMatrix: "variant" },
  attrs: { type },
  gradient: "none",
  shape: ({ denseShape }) => {
    requireRank(denseShape.withRank(1).dim(0));
    return scalar;
  },
  holds: ({ type }, context) => ({ dtype: type, shape: context.shapeFrom("denseShape") }),
  host: ({ denseShape, type }) => CsrArray.empty(type, sizesIn(denseShape)),
});

// ---- sums and scaling ----

/** The entries of `given` at the places of another matrix: those it lacks are zero. */
function prunedTo(pattern: Tensor, given: Tensor, dtype: DType): Tensor {
  const asked = { type: dtype };
  const places = CSRSparseMatrixToSparseTensor({ sparseMatrix: pattern, ...asked });
  const { indices, values } = CSRSparseMatrixToSparseTensor({ sparseMatrix: given, ...asked });
  const inputStart = NDArray.zeros("int64", [Number(places.denseShape.shape.dim(0))]);
  const pruned = SparseSliceGrad({ backpropValGrad: values, inputIndices: places.indices, inputStart, outputIndices: indices });
  return SparseTensorToCSRSparseMatrix({ indices: places.indices, values: pruned, denseShape: places.denseShape });
}

/** alpha·a + beta·b, with an entry wherever one of the two has one. */
export const SparseMatrixAdd = defineOp("SparseMatrixAdd", {
  inputs: { a: "variant", b: "variant", alpha: "T", beta: "T" },
  outputs: { c: "variant" },
  attrs: { T: type },
  shape: ({ alpha, beta }, context) => {
    alpha.withRank(0);
    beta.withRank(0);
    heldBy(context, "a").shape.mergeWith(heldBy(context, "b", 1).shape);
    return scalar;
  },
  holds: (_, context) => told(context, "a"),
  gradient: ({ a, b, alpha, beta, T }, d): Gradients => ({
    a: SparseMatrixMul({ a: prunedTo(a, d.c, T), b: alpha }),
    b: SparseMatrixMul({ a: prunedTo(b, d.c, T), b: beta }),
    alpha: null,
    beta: null,
  }),
  host: ({ a: first, b: second, alpha, beta, T }) => {
    const [a, b] = [requireType(CsrArray.of(first), T, "a"), requireType(CsrArray.of(second, 1), T, "b")];
    if (a.dims.join() !== b.dims.join()) throw new InvalidArgumentError(`Shapes of a and b must match, saw: [${a.dims}] vs. [${b.dims}]`);
    return weightedSum(a, b, alpha, beta);
  },
});

/** The matrix times a number, or each matrix of a batch times its own (b: [batch, 1, 1]). */
export const SparseMatrixMul = defineOp("SparseMatrixMul", {
  inputs: { a: "variant", b: "T" },
  outputs: { output: "variant" },
  attrs: { T: attr.type() },
  shape: ({ b }, context) => {
    const { shape } = heldBy(context, "a");
    if (b.withRankAtMost(3).rank === null) throw new ValueError("b has an unknown rank.");
    if (b.rank === 0) return scalar;
    if (b.rank === 3 && shape.rank !== 3) throw new UnimplementedError("rank of b is 3 but rank of a is not.");
    if (b.rank !== 3 || b.dim(1) !== 1 || b.dim(2) !== 1) throw new UnimplementedError("b must be a scalar or shaped [batch_size, 1, 1]");
    requireEqual(shape.dim(0), b.dim(0));
    return scalar;
  },
  holds: (_, context) => told(context, "a"),
  gradient: (): Gradients => {
    throw new NotImplementedError("The gradient of SparseMatrixMul is not implemented, in TensorFlow neither.");
  },
  host: ({ a, b }) => {
    const given = CsrArray.of(a);
    if (given.elementType !== b.dtype)
      throw new InvalidArgumentError(
        `Input types don't match.  a.dtype == ${cTypeOf(given.elementType)} vs. b.dtype == ${cTypeOf(b.dtype)}`,
      );
    if (b.rank === 3 && b.size !== given.matrices.length)
      throw new InvalidArgumentError(`Batch sizes of a and b must match, saw: ${given.matrices.length} vs. ${b.size}.`);
    const addProduct = adderOf(b.dtype);
    return given.withValues(({ values }, k) => {
      const out = NDArray.zeros(b.dtype, values.shape);
      for (let n = 0; n < values.size; n++) addProduct(wordsOf(out), n, wordsOf(values), n, wordsOf(b), b.rank === 0 ? 0 : k);
      return out;
    });
  },
});

/** The softmax of each row over its entries: places without one count as −∞. */
export const SparseMatrixSoftmax = defineOp("SparseMatrixSoftmax", {
  inputs: { logits: "variant" },
  outputs: { softmax: "variant" },
  attrs: { type: realType },
  shape: (_, context) => {
    heldBy(context, "logits");
    return scalar;
  },
  holds: (_, context) => told(context, "logits"),
  gradient: ({ softmax, type }, d): Gradients => ({ logits: SparseMatrixSoftmaxGrad({ softmax, gradSoftmax: d.softmax, type }) }),
  host: ({ logits, type }) => softmaxOf(requireType(CsrArray.of(logits), type, "logits")),
});

export const SparseMatrixSoftmaxGrad = defineOp("SparseMatrixSoftmaxGrad", {
  inputs: { softmax: "variant", gradSoftmax: "variant" },
  outputs: { gradient: "variant" },
  attrs: { type: realType },
  shape: (_, context) => {
    heldBy(context, "softmax").shape.mergeWith(heldBy(context, "gradSoftmax", 1, "grad_softmax").shape);
    return scalar;
  },
  holds: (_, context) => told(context, "softmax"),
  host: ({ softmax, gradSoftmax, type }) => {
    const y = requireType(CsrArray.of(softmax), type, "softmax");
    const dy = requireType(CsrArray.of(gradSoftmax, 1), type, "grad_softmax");
    if (y.dims.join() !== dy.dims.join())
      throw new InvalidArgumentError(`Shapes of softmax and grad_softmax must match, saw: [${y.dims}] vs. [${dy.dims}]`);
    return softmaxGradient(y, dy);
  },
});

// ---- transposes and products ----

/** The matrix, or each of a batch, transposed, and with `conjugate` conjugated. */
export const SparseMatrixTranspose = defineOp("SparseMatrixTranspose", {
  inputs: { input: "variant" },
  outputs: { output: "variant" },
  attrs: { conjugate: attr.bool(false), type },
  shape: (_, context) => {
    heldBy(context, "input");
    return scalar;
  },
  holds: (_, context) => {
    const held = told(context, "input");
    return held && { dtype: held.dtype, shape: flipped(held.shape) };
  },
  gradient: ({ conjugate, type }, d): Gradients => ({ input: SparseMatrixTranspose({ input: d.output, conjugate, type }) }),
  host: ({ input, conjugate, type }) => turned(requireType(CsrArray.of(input), type), true, conjugate),
});

function turned(matrix: CsrArray, isTransposed: boolean, isConjugate: boolean): CsrArray {
  const given = isTransposed ? transposed(matrix) : matrix;
  return isConjugate ? given.withValues(({ values }) => conjugated(values)) : given;
}

function requireSizes(a: readonly number[], b: readonly number[], isA: boolean, isB: boolean): void {
  if (a.length !== b.length) throw new InvalidArgumentError(`Ranks of a and b must match, saw: ${a.length} vs. ${b.length}.`);
  if (a.length === 3 && a[0] !== b[0]) throw new InvalidArgumentError(`Batch sizes of a and b must match, saw: ${a[0]} vs. ${b[0]}.`);
  if (a[a.length - (isA ? 2 : 1)] !== b[b.length - (isB ? 1 : 2)])
    throw new InvalidArgumentError(`Inner product dimensions of A and B do not agree. Shapes are: [${a}] vs. [${b}]`);
}

/** How an operand stands in a product. */
type Turn = "plain" | "transpose" | "adjoint" | "conjugate";
const turnOf = (isTransposed: boolean, isAdjoint: boolean): Turn => (isAdjoint ? "adjoint" : isTransposed ? "transpose" : "plain");
const adjointOf = { plain: "adjoint", transpose: "conjugate", adjoint: "plain", conjugate: "transpose" } as const;
const conjugateOf = { plain: "conjugate", transpose: "adjoint", adjoint: "transpose", conjugate: "plain" } as const;

type Operand = readonly [matrix: Tensor, turn: Turn];

/** By what op(a) is multiplied, on which side, to give the gradient of a where d is that of op(a)·op(b): d·op(b)ᴴ, turned as a is. */
function firstFactors(d: Tensor, dTurn: "plain" | "transpose", turn: Turn, b: Tensor, bTurn: Turn): readonly [Operand, Operand] {
  if (turn === "transpose")
    return [
      [b, conjugateOf[bTurn]],
      [d, dTurn === "plain" ? "transpose" : "plain"],
    ];
  if (turn === "adjoint")
    return [
      [b, bTurn],
      [d, adjointOf[dTurn]],
    ];
  return [
    [d, dTurn],
    [b, adjointOf[bTurn]],
  ];
}

/** A sparse operand that is only to be conjugated is the adjoint's transpose. */
function sparseOperand([matrix, turn]: Operand, dtype: DType): Operand {
  if (turn !== "conjugate") return [matrix, turn];
  if (!isComplex(dtype)) return [matrix, "plain"];
  return [SparseMatrixTranspose({ input: matrix, conjugate: true, type: dtype }), "transpose"];
}

/** A matrix or batch of matrices as its turn says. */
function denseOperand([matrix, turn]: Operand, rank: number): Tensor {
  const given = turn === "adjoint" || turn === "conjugate" ? conj(matrix) : matrix;
  if (turn === "plain" || turn === "conjugate") return given;
  return transpose(given, rank === 3 ? [0, 2, 1] : [1, 0]);
}

/** The product of two dense matrices, computed at the places of a sparse one alone. */
function productAt(pattern: Tensor, dtype: DType, first: Operand, second: Operand): Tensor {
  const { indices, denseShape } = CSRSparseMatrixToSparseTensor({ sparseMatrix: pattern, type: dtype });
  const rank = Number(denseShape.shape.dim(0));
  const part = (axis: number, count: number): Tensor => slice(indices, [0, axis], [-1, count]);
  const columns = rank === 3 ? concat([part(0, 1), part(2, 1)], 1) : part(1, 1);
  const [matrix, turn] = second;
  const flippedTurn = { plain: "transpose", transpose: "plain", adjoint: "conjugate", conjugate: "adjoint" } as const;
  const rowsOfFirst = gatherNd(denseOperand(first, rank), part(0, rank - 1));
  const columnsOfSecond = gatherNd(denseOperand([matrix, flippedTurn[turn]], rank), columns);
  return SparseTensorToCSRSparseMatrix({ indices, values: reduceSum(multiply(rowsOfFirst, columnsOfSecond), 1), denseShape });
}

const turnAttrs = {
  transposeA: attr.bool(false),
  transposeB: attr.bool(false),
  adjointA: attr.bool(false),
  adjointB: attr.bool(false),
};

/** op(a)·op(b) with a sparse a and a dense b; the result transposed and conjugated where asked. */
export const SparseMatrixMatMul = defineOp("SparseMatrixMatMul", {
  inputs: { a: "variant", b: "T" },
  outputs: { output: "T" },
  attrs: { T: attr.type(), ...turnAttrs, transposeOutput: attr.bool(false), conjugateOutput: attr.bool(false) },
  shape: ({ b, ...turns }, context) => {
    const { shape } = heldBy(context, "a");
    b.withRankAtLeast(2).withRankAtMost(3);
    requireOneTurn(turns);
    const known = b.rank === null ? TensorShape.unknownOfRank(shape.rank ?? 2) : b;
    const result = productShape(shape, known, turns);
    return turns.transposeOutput ? flipped(result) : result;
  },
  gradient: ({ a, b, T, transposeA, transposeB, adjointA, adjointB, transposeOutput, conjugateOutput }, d): Gradients => {
    const given = conjugateOutput ? conj(d.output) : d.output;
    const dTurn = transposeOutput ? "transpose" : "plain";
    const [aTurn, bTurn] = [turnOf(transposeA, adjointA), turnOf(transposeB, adjointB)];
    const [matrix, turn] = sparseOperand([a, adjointOf[aTurn]], T);
    return {
      a: productAt(a, T, ...firstFactors(given, dTurn, aTurn, b, bTurn)),
      b: SparseMatrixMatMul({
        a: matrix,
        b: given,
        transposeA: turn === "transpose",
        adjointA: turn === "adjoint",
        transposeB: transposeOutput,
        transposeOutput: bTurn !== "plain",
        conjugateOutput: bTurn === "adjoint",
      }),
    };
  },
  host: ({ a, b, transposeA, transposeB, adjointA, adjointB, transposeOutput, conjugateOutput }) => {
    const given = CsrArray.of(a);
    if (given.elementType !== b.dtype)
      throw new InvalidArgumentError(
        `Input types don't match.  a.dtype == ${cTypeOf(given.elementType)} vs. b.dtype == ${cTypeOf(b.dtype)}`,
      );
    const [isA, isB] = [transposeA || adjointA, transposeB || adjointB];
    requireSizes(given.dims, b.shape, isA, isB);
    const result = denseProduct(turned(given, isA, adjointA), adjointB ? conjugated(b) : b, isB, transposeOutput);
    return conjugateOutput ? conjugated(result) : result;
  },
});

/** op(a)·op(b), both sparse: an entry wherever products meet, be their sum zero. */
export const SparseMatrixSparseMatMul = defineOp("SparseMatrixSparseMatMul", {
  inputs: { a: "variant", b: "variant" },
  outputs: { c: "variant" },
  attrs: { type, ...turnAttrs },
  shape: (turns, context) => {
    const [a, b] = [heldBy(context, "a"), heldBy(context, "b", 1)];
    requireOneTurn(turns);
    productShape(a.shape, b.shape, turns);
    return scalar;
  },
  holds: (turns, context) => {
    const [a, b] = [told(context, "a"), told(context, "b")];
    return a && b && { dtype: b.dtype, shape: productShape(a.shape, b.shape, turns) };
  },
  gradient: ({ a, b, type, transposeA, transposeB, adjointA, adjointB }, d): Gradients => {
    const [aTurn, bTurn] = [turnOf(transposeA, adjointA), turnOf(transposeB, adjointB)];
    const multiplied = (first: Operand, second: Operand): Tensor => {
      const [[x, xTurn], [y, yTurn]] = [sparseOperand(first, type), sparseOperand(second, type)];
      return SparseMatrixSparseMatMul({
        a: x,
        b: y,
        type,
        transposeA: xTurn === "transpose",
        adjointA: xTurn === "adjoint",
        transposeB: yTurn === "transpose",
        adjointB: yTurn === "adjoint",
      });
    };
    return {
      a: prunedTo(a, multiplied(...firstFactors(d.c, "plain", aTurn, b, bTurn)), type),
      b: prunedTo(b, multiplied(...secondFactors(d.c, bTurn, a, aTurn)), type),
    };
  },
  host: ({ a: first, b: second, type, transposeA, transposeB, adjointA, adjointB }) => {
    const [a, b] = [requireType(CsrArray.of(first), type, "a"), requireType(CsrArray.of(second, 1), type, "b")];
    const [isA, isB] = [transposeA || adjointA, transposeB || adjointB];
    requireSizes(a.dims, b.dims, isA, isB);
    return product(turned(a, isA, adjointA), turned(b, isB, adjointB));
  },
});

/** The same for b: op(a)ᴴ·d, turned as b is. */
function secondFactors(d: Tensor, turn: Turn, a: Tensor, aTurn: Turn): readonly [Operand, Operand] {
  if (turn === "transpose")
    return [
      [d, "transpose"],
      [a, conjugateOf[aTurn]],
    ];
  if (turn === "adjoint")
    return [
      [d, "adjoint"],
      [a, aTurn],
    ];
  return [
    [a, adjointOf[aTurn]],
    [d, "plain"],
  ];
}

/** Permutations with which the Cholesky factors of symmetric matrices stay sparse; the lower triangle is read. */
export const SparseMatrixOrderingAMD = defineOp("SparseMatrixOrderingAMD", {
  inputs: { input: "variant" },
  outputs: { output: "int32" },
  attrs: {},
  shape: (_, context) => {
    const { shape } = heldBy(context, "input");
    requireEqual(shape.dim(-2), shape.dim(-1));
    return shape.slice(0, -1);
  },
  host: ({ input }) => {
    const { dims, rows, columns, matrices } = CsrArray.of(input);
    if (rows !== columns) throw new InvalidArgumentError(`sparse matrix must be square; got: ${rows} != ${columns}`);
    const orders = matrices.map(matrix => minimumDegreeOrder(symmetricPattern(matrix)));
    return new NDArray("int32", dims.slice(0, -1), Int32Array.from(orders.flat()));
  },
});

/** The lower Cholesky factor of the matrix, or of each of a batch, its rows and columns in the order of `permutation`; the lower triangle is read. */
export const SparseMatrixSparseCholesky = defineOp("SparseMatrixSparseCholesky", {
  inputs: { input: "variant", permutation: "int32" },
  outputs: { output: "variant" },
  attrs: { type },
  shape: ({ permutation }, context) => {
    const { shape } = heldBy(context, "input");
    requireEqual(shape.dim(-2), shape.dim(-1));
    if (permutation.withRankAtLeast(1).withRankAtMost(2).rank === null) throw new ValueError("permutation has an unknown rank.");
    requireEqual(shape.dim(-1), permutation.dim(-1));
    return scalar;
  },
  holds: (_, context) => told(context, "input"),
  host: ({ input, permutation, type }) => {
    const given = CsrArray.of(input);
    if (given.elementType !== type)
      throw new InvalidArgumentError(`Asked for a CSRSparseMatrix of type ${cTypeOf(type)} but saw dtype: ${cTypeOf(given.elementType)}`);
    const { dims, rows, columns, matrices } = given;
    if (rows !== columns) throw new InvalidArgumentError(`sparse matrix must be square; got: ${rows} != ${columns}`);
    if (permutation.rank + 1 !== dims.length)
      throw new InvalidArgumentError(
        `sparse matrix must have the same rank as permutation; got: ${dims.length} != ${permutation.rank} + 1.`,
      );
    const wanted = dims.slice(0, -1);
    if (permutation.shape.join() !== wanted.join())
      throw new InvalidArgumentError(`permutation must have shape [${wanted}] for these matrices; got: [${permutation.shape}]`);
    const order = numbersOf(permutation);
    const factors = matrices.map((matrix, k) => {
      const own = order.slice(k * rows, (k + 1) * rows);
      if ([...own].sort((a, b) => a - b).some((place, i) => place !== i))
        throw new InvalidArgumentError(`permutation must hold each of the ${rows} rows once; got: [${own}]`);
      const factor = choleskyOf(matrix, own);
      if (!factor)
        throw new InvalidArgumentError(`Sparse Cholesky factorization failed for batch index ${k}. The input might not be valid.`);
      return factor;
    });
    return new CsrArray(type, dims, factors);
  },
});
