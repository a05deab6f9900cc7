// Sparse tensors from others: of the elements that are not zero, a unit matrix, with another shape or one more dimension, as a table of marks.

import { ValueError } from "../../base/errors.ts";
import { type DType, isInteger } from "../../base/dtype.ts";
import { convertToTensor, type TensorLike } from "../../graph/conversion.ts";
import { staticValue } from "../../graph/static-value.ts";
import { getDefaultGraph } from "../../graph/default-graph.ts";
import { IndexedSlices } from "../../graph/indexed-slices.ts";
import { Tensor } from "../../graph/operation.ts";
import { SparseTensor } from "../../graph/sparse-tensor.ts";
import { constant, expandDims, fill, identity, ones, onesLike, shape as shapeOf, zeros, zerosLike } from "../array/array.ts";
import { gather, gatherNd } from "../array/gather.ts";
import { setdiff1d } from "../array/partition.ts";
import { range } from "../array/ranges.ts";
import { whereV2 } from "../array/selection.ts";
import { concat, getItem, slice, stack } from "../array/slicing.ts";
import { assertEqual, assertLessEqual } from "../flow/check.ts";
import { withDependencies } from "../flow/control-flow.ts";
import { add as addNamed, maximum, minimum } from "../math/math.ts";
import { cast } from "../math/cast.ts";
import { notEqual } from "../math/comparison.ts";
import { reduceMax } from "../math/reduction.ts";
import { add, greaterEqual } from "../operators.ts";
import { sparseOf, sparseTensorToDense } from "./sparse.ts";
import { sparseMerge } from "./structure.ts";
import { refuseOthers } from "../arguments.ts";

interface Named {
  readonly name?: string | null;
}
const inScope = <R>(name: string | null | undefined, defaultName: string, body: (scope: string) => R): R =>
  getDefaultGraph().nameScope(name || defaultName, scope => body(String(scope)));

/** The elements of a tensor that are not zero. TF: tf.sparse.from_dense. */
export function fromDense(tensor: TensorLike, { name, ...others }: Named = {}): SparseTensor {
  refuseOthers(others);
  return inScope(name, "dense_to_sparse", () => {
    const x = convertToTensor(tensor);
    const indices = whereV2(notEqual(x, zerosLike(x))) as Tensor;
    return new SparseTensor(indices, gatherNd(x, indices), shapeOf(x, { outType: "int64" }));
  });
}

/** @throws TypeError for what is no whole number. */
function sizeOf(given: TensorLike, name: string): Tensor {
  const isWhole =
    given instanceof Tensor ? isInteger(given.dtype) && given.shape.rank === 0 : typeof given === "boolean" || Number.isInteger(given);
  if (!isWhole) throw new TypeError(`${name} must be an integer value`);
  return convertToTensor(typeof given === "boolean" ? Number(given) : given, { dtype: "int64", name });
}

/** Ones on the diagonal. TF: tf.sparse.eye. */
export function eye(
  numRows: TensorLike,
  { numColumns, dtype = "float32", name }: Named & { readonly numColumns?: TensorLike | null; readonly dtype?: DType } = {},
): SparseTensor {
  return inScope(name, "eye", () => {
    const rows = sizeOf(numRows, "num_rows");
    const columns = numColumns === null || numColumns === undefined ? rows : sizeOf(numColumns, "num_columns");
    const count = minimum(rows, columns);
    const places = range(count, { dtype: "int64" });
    return new SparseTensor(stack([places, places], { axis: 1 }), ones(count as TensorLike as never, dtype), [rows, columns] as TensorLike);
  });
}

/** One more dimension, of size 1, at `axis` (default: last). TF: tf.sparse.expand_dims. */
export function sparseExpandDims(
  spInput: SparseTensor,
  { axis, name }: Named & { readonly axis?: number | Tensor | null } = {},
): SparseTensor {
  const rank = spInput.denseShape.shape.dim(0) ?? getItem(shapeOf(spInput.denseShape), 0);
  return inScope(name, "expand_dims", () => {
    const place = axis ?? -1;
    if (!(place instanceof Tensor) && !Number.isInteger(place) && typeof place !== "boolean")
      throw new TypeError("axis must be an integer value in range [-rank(sp_input) - 1, rank(sp_input)]");
    const given = convertToTensor(place, { name: "axis", dtype: place instanceof Tensor ? undefined : "int32" });
    const at = whereV2(greaterEqual(given, 0), given, add(add(given, rank), 1)) as Tensor;
    const { indices, denseShape, values } = spInput;
    const count = getItem(shapeOf(indices), 0);
    const column = zeros([count, 1] as TensorLike as never, "int64");
    const before = slice(indices, [0, 0], [-1, at] as TensorLike);
    const after = slice(indices, [0, at] as TensorLike, [-1, -1]);
    const places = concat([before, column, after], 1);
    const [sizesBefore, sizesAfter] = [slice(denseShape, [0], [at] as TensorLike), slice(denseShape, [at] as TensorLike, [-1])];
    const size = convertToTensor([1], { name: "new_shape", dtype: "int64" });
    const shape = concat([sizesBefore, size, sizesAfter], 0);
    return new SparseTensor(places, values, shape);
  });
}

/** The same elements in another shape of the same rank, no smaller; the smallest that holds them without `newShape`. TF: tf.sparse.reset_shape.
 *  @throws ValueError if a dimension would be smaller. */
export function sparseResetShape(spInput: SparseTensor, newShape?: TensorLike | null): SparseTensor {
  sparseOf(spInput);
  const [indices, values, oldShape] = [spInput.indices, spInput.values, spInput.denseShape].map(part => identity(part));
  if (newShape === null || newShape === undefined) {
    const most = reduceMax(indices, 0);
    return new SparseTensor(indices, values, maximum(constant(0, "int64"), addNamed(most, onesLike(oldShape))));
  }
  const given = convertToTensor(newShape, { preferredDtype: "int32" });
  const wanted = cast(given, "int64");
  const known = staticValue(given);
  if (known !== undefined && spInput.shape.isFullyDefined) {
    const sizes = Array.from({ length: known.size }, (_, i) => Number(known.get(i)));
    const old = spInput.shape.asNumbers();
    if (old.length !== sizes.length) throw new ValueError(`Dimensions ${sizes.length} and ${old.length} are not compatible`);
    if (old.some((size, i) => size > sizes[i]))
      throw new ValueError(
        `Requested new_shape should have dimension sizes >= sp_input.shape.  Found new_shape ([${old.join(" ")}]), sp_input.shape ([${sizes.join(" ")}]).`,
      );
    return new SparseTensor(indices, values, sizes.map(BigInt));
  }
  const sameRank = withDependencies([assertEqual(shapeOf(oldShape), shapeOf(wanted))], wanted);
  return new SparseTensor(indices, values, withDependencies([assertLessEqual(oldShape, sameRank)], sameRank));
}

/** True where an id stands: ids [..., any] become bool [..., vocabSize]. TF: tf.sparse.to_indicator. */
export function sparseToIndicator(spInput: SparseTensor, vocabSize: TensorLike, { name, ...others }: Named = {}): Tensor {
  refuseOthers(others);
  sparseOf(spInput);
  return inScope(name, "SparseToIndicator", scope => {
    const count = getItem(shapeOf(spInput.indices), 0);
    const marks = new SparseTensor(spInput.indices, fill(expandDims(count, 0), true), spInput.denseShape);
    const merged = sparseMerge(spInput, marks, vocabSize, { name: scope });
    return sparseTensorToDense(merged, { defaultValue: false, validateIndices: false, name: scope });
  });
}

/** Slices without those of some indices. TF: tf.sparse.mask. */
export function sparseMask(a: IndexedSlices, maskIndices: TensorLike, { name, ...others }: Named = {}): IndexedSlices {
  refuseOthers(others);
  return inScope(name, "sparse_mask", scope => {
    const { out, idx } = setdiff1d(a.indices, maskIndices);
    return new IndexedSlices(gather(a.values, idx, { name: scope }), out, a.denseShape);
  });
}

export { sparseExpandDims as expandDims, sparseMask as mask, sparseResetShape as resetShape, sparseToIndicator as toIndicator };
