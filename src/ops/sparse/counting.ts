// Counts of values as sparse tensors: tf.sparse.bincount. The ops are in math/count-sparse.ts.

import { ValueError } from "../../base/errors.ts";
import { NDArray } from "../../base/ndarray.ts";
import { convertToTensor, pythonType, type TensorLike } from "../../graph/conversion.ts";
import type { Named } from "../../graph/op-definition.ts";
import type { Tensor } from "../../graph/operation.ts";
import { SparseTensor } from "../../graph/sparse-tensor.ts";
import { constant, reshape } from "../array/array.ts";
import { DenseCountSparseOutput, SparseCountSparseOutput } from "../math/count-sparse.ts";
import { inNameScope } from "../named.ts";

interface BincountOptions extends Named {
  readonly weights?: TensorLike | SparseTensor | null;
  /** 0 counts all values together, -1 those of each row. */
  readonly axis?: number | null;
  readonly minlength?: number | null;
  readonly maxlength?: number | null;
  /** Only whether a value occurs. */
  readonly binaryOutput?: boolean;
}

/** How often each value of `values` (non-negative integers) occurs, or the sums of their weights, as a sparse tensor of the values that do. TF: tf.sparse.bincount.
 *  @throws ValueError for other axes and for weights that do not fit. */
export function bincount(values: TensorLike | SparseTensor, options: BincountOptions = {}): SparseTensor {
  const { weights = null, axis, minlength, maxlength, binaryOutput = false } = options;
  return inNameScope({ name: options.name }, "count", [values, weights], () => {
    const sparse = values instanceof SparseTensor ? values : null;
    const given = sparse ? sparse.values : convertToTensor(values as TensorLike, { name: "values" });
    const weighed =
      weights === null ? null : weights instanceof SparseTensor ? weights : convertToTensor(weights as TensorLike, { name: "weights" });
    if (weighed !== null && binaryOutput)
      throw new ValueError("Arguments `binary_output` and `weights` are mutually exclusive. Please specify only one.");
    if (axis !== undefined && axis !== null && axis !== 0 && axis !== -1)
      throw new ValueError(`Unsupported value for argument axis=${axis}. Only 0 and -1 are currently supported.`);
    if ((sparse === null) !== !(weighed instanceof SparseTensor) && weighed !== null)
      throw new ValueError(
        sparse === null
          ? `Argument \`weights\` must be a tf.Tensor if \`values\` is a tf.Tensor. Received \`weights\`=${String(weighed)} of type: ${pythonType(weighed)}`
          : `Argument \`weights\` must be a SparseTensor if \`values\` is a SparseTensor. Received weights=${String(weighed)} of type: ${pythonType(weighed)}`,
      );
    const plain = weighed instanceof SparseTensor ? weighed.values : weighed;
    const counting = { minlength: minlength ?? -1, maxlength: maxlength ?? -1, binaryOutput };
    const none = (): Tensor => constant(NDArray.zeros("int32", [0]));
    const isWhole = (axis ?? 0) === 0;
    if (sparse !== null && !isWhole) {
      const { indices, denseShape } = sparse;
      const out = SparseCountSparseOutput({ indices, values: given, denseShape, weights: plain ?? none(), ...counting });
      return new SparseTensor(out.outputIndices, out.outputValues, out.outputDenseShape);
    }
    const flat = (tensor: Tensor): Tensor => (isWhole && sparse === null ? reshape(tensor, [-1]) : tensor);
    const weighing = plain === null ? null : flat(plain);
    const out = DenseCountSparseOutput({ values: flat(given), weights: weighing ?? none(), ...counting });
    return new SparseTensor(out.outputIndices, out.outputValues, out.outputDenseShape);
  });
}
