// Arithmetic of a sparse tensor with a dense one that is broadcast to it: the result has the sparse one's places.

import { InvalidArgumentError, NotImplementedError } from "../../base/errors.ts";
import type { NDArray } from "../../base/ndarray.ts";
import { sizeOf, TensorShape } from "../../base/shape.ts";
import * as attr from "../../graph/attributes.ts";
import { convertToTensor, type TensorLike } from "../../graph/conversion.ts";
import { defineOp, type Gradients, type Named } from "../../graph/op-definition.ts";
import type { Tensor } from "../../graph/operation.ts";
import { SparseTensor } from "../../graph/sparse-tensor.ts";
import * as ir from "../../ir/build.ts";
import { dataIndex } from "../../ir/index-map.ts";
import type { Value } from "../../ir/program.ts";
import { loadScalar, type Scalar, s } from "../../ir/scalar.ts";
import { expandDims, numbersOf, ones, shape, size, zerosLike } from "../array/array.ts";
import { gatherNd } from "../array/gather.ts";
import { concat, slice } from "../array/slicing.ts";
import { cast } from "../math/cast.ts";
import { square } from "../math/functions.ts";
import { inNameScope } from "../named.ts";
import * as operator from "../operators.ts";
import { sparseAdd } from "./structure.ts";

const parts = { spIndices: "int64", spValues: "T", spShape: "int64", dense: "T" } as const;
const attrs = { T: attr.type(attr.numbers) };
type Parts<V> = { readonly [K in keyof typeof parts]: V };

function checkParts(indices: readonly number[], values: readonly number[], sizes: readonly number[]): void {
  if (indices.length !== 2) throw new InvalidArgumentError(`Input sp_indices should be a matrix but received shape: [${indices}]`);
  if (values.length !== 1 || sizes.length !== 1)
    throw new InvalidArgumentError(`Inputs sp_values and sp_shape should be vectors but received shapes: [${values}] and [${sizes}]`);
  if (values[0] !== indices[0])
    throw new InvalidArgumentError(`The first dimension of values and indices should match. (${values[0]} vs. ${indices[0]})`);
  if (sizes[0] !== indices[1])
    throw new InvalidArgumentError(
      `Number of dimensions must match second dimension of indices. Got ${sizes[0]} dimensions, indices shape: [${indices}]`,
    );
}

/** The number of the dense element that each place reads. */
function readers(indices: NDArray, sizes: readonly number[], dense: readonly number[], out: NDArray): void {
  const rank = sizes.length;
  const offset = rank - dense.length;
  if (offset < 0 || dense.some((length, axis) => length !== sizes[axis + offset] && (length !== 1 || sizes[axis + offset] === 0)))
    throw new InvalidArgumentError(
      `SparseDenseBinaryOpShared broadcasts dense to sparse only; got incompatible shapes: [${sizes}] vs. [${dense}]`,
    );
  for (let n = 0; n < out.size; n++) {
    let place = 0;
    for (let axis = 0; axis < rank; axis++) {
      const at = Number(indices.get(n * rank + axis));
      if (at < 0 || at >= sizes[axis])
        throw new InvalidArgumentError("Provided indices are out-of-bounds w.r.t. dense side with broadcasted shape");
      if (axis >= offset) place = place * dense[axis - offset] + (dense[axis - offset] === 1 ? 0 : at);
    }
    out.set(n, place);
  }
}

/** The dense elements at the places of the sparse tensor. */
function denseAt(indices: Value, sizes: Value, dense: Value): Value {
  const count = indices.shape[0];
  const run = ([places, given]: readonly NDArray[], [out]: readonly NDArray[]): void => readers(places, numbersOf(given), dense.shape, out);
  const [at] = ir.call({ name: "sparseDensePlaces", run }, [indices, sizes], [{ dtype: "int32", shape: [count] }]);
  const total = sizeOf(dense.shape);
  // Of an empty dense tensor nothing is read: `readers` has refused it unless there is no place either.
  if (total === 0) return ir.full(dense.dtype, [count], 0);
  const flat = ir.reshape(dense, [total]);
  return ir.generate([count], ([n]) => loadScalar(flat, [dataIndex(loadScalar(at, [n]), total)]));
}

function lowered({ spIndices, spValues, spShape, dense }: Parts<Value>, combine: (x: Scalar, y: Scalar) => Scalar): Value {
  checkParts(spIndices.shape, spValues.shape, spShape.shape);
  return ir.map(combine, spValues, denseAt(spIndices, spShape, dense));
}

const staticShape = ({ spIndices }: { readonly spIndices: TensorShape }): TensorShape => new TensorShape([spIndices.withRank(2).dim(0)]);

/** The places that the sparse tensor's read from the dense one, and the elements there. */
function readPlaces({ spIndices, spShape, dense }: Parts<Tensor>): { places: Tensor; elements: Tensor; denseShape: Tensor } {
  const denseShape = cast(shape(dense), "int64");
  const added = expandDims(operator.sub(size(spShape), size(denseShape)), 0);
  const scaling = operator.floordiv(spShape, concat([ones(added, "int64"), denseShape], 0));
  const places = slice(operator.floordiv(spIndices, scaling), concat([[0], added], 0), [-1, -1]);
  return { places, elements: gatherNd(dense, places), denseShape };
}

/** The dense tensor's gradient: several places may read one of its elements. */
const summedAt = (places: Tensor, values: Tensor, denseShape: Tensor, dense: Tensor): Tensor =>
  sparseAdd(zerosLike(dense), new SparseTensor(places, values, denseShape)) as Tensor;

/** The dense tensor added at the sparse one's places, and nowhere else. */
export const SparseDenseCwiseAdd = defineOp("SparseDenseCwiseAdd", {
  inputs: parts,
  outputs: { output: "T" },
  attrs,
  gradient: () => {
    throw new NotImplementedError("Gradient for SparseDenseCwiseAdd is not implemented.");
  },
  shape: staticShape,
  lower: record => lowered(record, s.add),
});

export const SparseDenseCwiseMul = defineOp("SparseDenseCwiseMul", {
  inputs: parts,
  outputs: { output: "T" },
  attrs,
  gradient: (record, d): Gradients => {
    const { places, elements, denseShape } = readPlaces(record);
    return {
      spValues: operator.mul(d.output, elements),
      dense: summedAt(places, operator.mul(d.output, record.spValues), denseShape, record.dense),
    };
  },
  shape: staticShape,
  lower: record => lowered(record, s.mul),
});

/** Integers truncate. @throws InvalidArgumentError while running where a dense element that is read is zero. */
export const SparseDenseCwiseDiv = defineOp("SparseDenseCwiseDiv", {
  inputs: parts,
  outputs: { output: "T" },
  attrs,
  gradient: (record, d): Gradients => {
    const { places, elements, denseShape } = readPlaces(record);
    const slope = operator.truediv(operator.neg(record.spValues), square(elements));
    return {
      spValues: operator.truediv(d.output, elements),
      dense: summedAt(places, operator.mul(d.output, slope), denseShape, record.dense),
    };
  },
  shape: staticShape,
  lower: ({ spIndices, spValues, spShape, dense }) => {
    checkParts(spIndices.shape, spValues.shape, spShape.shape);
    const divisor = denseAt(spIndices, spShape, dense);
    ir.check(divisor.shape, r => s.ne(s.load(divisor, r), 0), {
      label: "division",
      reads: [],
      error: () => new InvalidArgumentError("SparseDenseCwiseDiv cannot divide by zero,but input dense tensor contains zero "),
    });
    return ir.map(s.div, spValues, divisor);
  },
});

// ---- operators ----

/** A sparse tensor's operator with a dense operand, under TensorFlow's name for it. */
const binary =
  (name: string, make: (record: Parts<TensorLike>, options: Named) => Tensor) =>
  (sparse: SparseTensor, y: TensorLike): SparseTensor =>
    inNameScope(undefined, name, [sparse.indices, y], scope => {
      const dense = convertToTensor(y, { name: "y", dtype: sparse.dtype });
      const record = { spIndices: sparse.indices, spValues: sparse.values, spShape: sparse.denseShape, dense };
      return new SparseTensor(sparse.indices, make(record, { name: scope }), sparse.denseShape);
    });

export const sparseMul = binary("mul", SparseDenseCwiseMul);
export const sparseTruediv = binary("truediv", SparseDenseCwiseDiv);
export const sparseDiv = binary("div", SparseDenseCwiseDiv);
