// Eigenvalues and eigenvectors of matrices that need not be Hermitian.

import { type DType, isComplex } from "../../base/dtype.ts";
import { InvalidArgumentError } from "../../base/errors.ts";
import { TensorShape } from "../../base/shape.ts";
import * as attr from "../../graph/attributes.ts";
import { defineOp, type Gradients } from "../../graph/op-definition.ts";
import * as ir from "../../ir/build.ts";
import { need } from "../arguments.ts";
import { expandDims, zerosLike } from "../array/array.ts";
import { matrixDiag, matrixDiagPart, matrixSetDiag } from "../array/matrix.ts";
import { eachComplexMatrix } from "./each-matrix.ts";
import { adjoint, matrixSolve, safeReciprocal, squareShape } from "./linalg.ts";
import { realEigen } from "./real-schur.ts";
import { triangularEigen } from "./schur.ts";
import { cast } from "../math/cast.ts";
import { conj, real } from "../math/functions.ts";
import { matmul } from "../math/matrix.ts";
import * as operator from "../operators.ts";

const doubled: Readonly<Partial<Record<DType, DType>>> = { float32: "complex64", float64: "complex128" };

/** Eigenvalues and, if wanted, eigenvectors of length one as columns: in the order of Eigen's QR steps, of complex matrices by size. Which multiple of
 *  a complex eigenvector is given is nobody's promise. */
export const Eig = defineOp("Eig", {
  inputs: { input: "T" },
  outputs: { e: "Tout", v: "Tout" },
  attrs: {
    computeV: attr.bool(true),
    T: attr.type(["float32", "float64", "complex64", "complex128"]),
    Tout: attr.type(["complex64", "complex128"]),
  },
  shape: ({ input, computeV }) => {
    const square = squareShape(input);
    if (square.dims === null) return [square, computeV ? square : new TensorShape([0])];
    return [square.slice(0, -1), computeV ? square : new TensorShape([0])];
  },
  gradient: ({ input, e, v, computeV, T, Tout }, d): Gradients =>
    input.graph.controlDependencies([d.e, d.v], () => {
      const vectors = computeV ? v : Eig({ input, Tout }).v;
      const turned = adjoint(vectors);
      if (!computeV) return { input: cast(matrixSolve(turned, matmul(matrixDiag(d.e), turned)), T) };
      const gaps = safeReciprocal(operator.sub(expandDims(e, -2), expandDims(e, -1)));
      const f = conj(matrixSetDiag(gaps, zerosLike(e)));
      const inner = matmul(turned, d.v);
      const values = matrixDiag(d.e);
      const lengths = matrixDiag(matrixDiagPart(cast(real(inner), inner.dtype)));
      const rest = operator.sub(inner, matmul(matmul(turned, vectors), lengths));
      return { input: cast(matrixSolve(turned, matmul(operator.add(values, operator.mul(f, rest)), turned)), T) };
    }),
  lower: ({ input, computeV, T, Tout }) => {
    if ((doubled[T] ?? T) !== Tout)
      throw new InvalidArgumentError(`The eigenvalues of a matrix of ${T} are ${doubled[T] ?? T}, not ${Tout}.`);
    if (input.shape.length < 2) throw new InvalidArgumentError(`Input tensor 0 must have rank >= 2, got ${input.shape.length}`);
    if (input.shape.at(-1) !== input.shape.at(-2)) throw new InvalidArgumentError("Input matrix must be square.");
    const dtype = Tout;
    const outputs = [{ dtype, shape: input.shape.slice(0, -1) }, ...(computeV ? [{ dtype, shape: input.shape }] : [])];
    const results = eachComplexMatrix("Eig", [input], outputs, a => {
      const { values, vectors } = isComplex(T) ? triangularEigen(a) : realEigen(a);
      need(
        values.re.every(Number.isFinite) && values.im.every(Number.isFinite),
        () => "Eigen decomposition was not successful. The input might not be valid.",
      );
      return computeV ? [values, vectors] : [values];
    });
    // TensorFlow gives a number that means nothing, where it has promised an empty vector.
    return computeV ? results : [results[0], ir.full(dtype, [0], 0)];
  },
});
