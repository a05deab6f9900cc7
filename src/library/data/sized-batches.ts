// Batches of dense tensors that differ in size, as ragged or as sparse tensors, and the names that specs had before they were specs.
// TF: data/experimental/ops/batching, data/util/structure.

import type { DType } from "../../base/dtype.ts";
import { NDArray } from "../../base/ndarray.ts";
import { convertToTensor, type TensorLike } from "../../graph/conversion.ts";
import { Tensor } from "../../graph/operation.ts";
import { DenseToSparseBatchDataset } from "../../ops/data/dataset-experimental.ts";
import { mapNested, type Nested } from "../../ops/flow/nested.ts";
import { RaggedTensorSpec } from "../ragged/ragged-tensor-spec.ts";
import { RaggedTensor } from "../ragged/ragged-tensor.ts";
import type { SplitsType } from "../ragged/row-partition.ts";
import { type ComponentSpec, type ShapeGiven, SparseTensorSpec, TensorSpec } from "../../ops/sparse/type-specs.ts";
import { Dataset } from "./dataset.ts";
import { typesAndShapes } from "./element-spec.ts";
import { refuseOthers } from "../../ops/arguments.ts";

interface RaggedOptions {
  readonly dropRemainder?: boolean;
  readonly rowSplitsDtype?: SplitsType;
}

/** The spec of rows for a tensor of which a size is not known; undefined for others. */
function rowsSpec(of: Tensor | ComponentSpec, rowSplitsDtype: SplitsType): RaggedTensorSpec | undefined {
  const { dtype, shape } = of;
  if (dtype === "variant" || shape.dims === null || shape.isFullyDefined) return undefined;
  return new RaggedTensorSpec(shape, dtype, { raggedRank: shape.dims.lastIndexOf(null), rowSplitsDtype });
}

/** Batches in which tensors of a dimension that is not known are the rows of a ragged tensor. TF: tf.data.experimental.dense_to_ragged_batch. */
export const denseToRaggedBatch = (
  batchSize: TensorLike,
  { dropRemainder = false, rowSplitsDtype = "int64", ...others }: RaggedOptions = {},
): ((dataset: Dataset) => Dataset) => {
  refuseOthers(others);
  return dataset => {
    const encoded = (value: unknown): unknown => {
      const spec = value instanceof Tensor ? rowsSpec(value, rowSplitsDtype) : undefined;
      if (spec === undefined) return value;
      const { raggedRank } = spec;
      return spec.tensorOf(raggedRank > 0 ? RaggedTensor.fromTensor(value as Tensor, { raggedRank, rowSplitsDtype }) : value);
    };
    const mapped = dataset.map((...element: Nested[]) => mapNested(element.length === 1 ? element[0] : element, encoded));
    const spec = mapNested(dataset.elementSpec, leaf => {
      const component = leaf as ComponentSpec;
      return (component.flat.dtype === "variant" ? undefined : rowsSpec(component, rowSplitsDtype)) ?? component;
    });
    return new Dataset(mapped.variantTensor, spec).batch(batchSize, { dropRemainder });
  };
};

/** Batches of tensors no larger than `rowShape` (null for the largest of a batch) as sparse tensors, every element of theirs in its place.
 *  TF: tf.data.experimental.dense_to_sparse_batch. @throws TypeError for elements of several components. */
export const denseToSparseBatch =
  (batchSize: TensorLike, rowShape: readonly (number | null)[]) =>
  (dataset: Dataset): Dataset => {
    const { elementSpec } = dataset;
    if (!("dtype" in elementSpec && "flat" in elementSpec)) {
      const types = Object.values(mapNested(elementSpec, leaf => `tf.${(leaf as ComponentSpec).dtype}`)).join(", ");
      throw new TypeError(
        `\`dense_to_sparse_batch\` requires an input dataset whose elements have a single component, but the given dataset has the following component types: (${types}).`,
      );
    }
    const spec = new SparseTensorSpec([null, ...rowShape], elementSpec.dtype);
    const sizes = NDArray.from(
      rowShape.map(size => BigInt(size ?? -1)),
      "int64",
      [rowShape.length],
    );
    const inputs = { inputDataset: dataset.variantTensor, batchSize: convertToTensor(batchSize, { dtype: "int64" }), rowShape: sizes };
    return new Dataset(DenseToSparseBatchDataset({ ...inputs, ...typesAndShapes(spec) }), spec);
  };

/** TF: tf.data.experimental.TensorStructure. */
export const TensorStructure = (dtype: DType, shape: ShapeGiven): TensorSpec => new TensorSpec(shape, dtype);
/** TF: tf.data.experimental.SparseTensorStructure. */
export const SparseTensorStructure = (dtype: DType, shape: ShapeGiven): SparseTensorSpec => new SparseTensorSpec(shape, dtype);
/** TF: tf.data.experimental.RaggedTensorStructure. */
export const RaggedTensorStructure = (dtype: DType, shape: ShapeGiven, raggedRank: number): RaggedTensorSpec =>
  new RaggedTensorSpec(shape, dtype, { raggedRank });
