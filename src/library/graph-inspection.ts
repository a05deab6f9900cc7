// What a value is and what is known of it while the graph is built: tf.is_tensor, tf.get_static_value, conversions that keep slices and sparse
// tensors, tensors as messages; and the words of a few options.

import { type DType, dtypeEnumName } from "../base/dtype.ts";
import { RuntimeError, ValueError } from "../base/errors.ts";
import { type ArrayLike, NDArray } from "../base/ndarray.ts";
import { sizeOf, TensorShape } from "../base/shape.ts";
import { createMessage } from "../formats/message-codec.ts";
import type { Message } from "../formats/messages.ts";
import { arrayFromMessage, arrayToMessage, arrayToTypedValues, shapeToMessage } from "../formats/tensor-message.ts";
import { convertToTensor, isAsTensor, type TensorLike, toArray } from "../graph/conversion.ts";
import { getDefaultGraph } from "../graph/default-graph.ts";
import { IndexedSlices } from "../graph/indexed-slices.ts";
import { Tensor } from "../graph/operation.ts";
import { staticValue } from "../graph/static-value.ts";
import { SparseTensor } from "../graph/sparse-tensor.ts";

/** Is it a tensor, a sparse tensor, slices, or a variable? TF: tf.is_tensor. */
export const isTensor = (x: unknown): boolean =>
  x instanceof Tensor || x instanceof SparseTensor || x instanceof IndexedSlices || (typeof x === "object" && isAsTensor(x));

/** Is it a tensor of a graph? TF: tf.is_symbolic_tensor. */
export const isSymbolicTensor = (tensor: unknown): boolean =>
  tensor instanceof Tensor || tensor instanceof SparseTensor || tensor instanceof IndexedSlices;

/** The value of a tensor if it is known while the graph is built, else null. TF: tf.get_static_value. */
export const getStaticValue = (tensor: Tensor | ArrayLike | null): NDArray | null =>
  tensor instanceof Tensor ? (staticValue(tensor) ?? null) : tensor === null ? null : NDArray.from(tensor);

/** A dimension's size or null: sizes are numbers here. TF: tf.dimension_value. */
export const dimensionValue = (dimension: number | null): number | null => dimension;

/** A shape's size at an index; null if it is not known, or the rank is not. TF: tf.dimension_at_index. */
export const dimensionAtIndex = (shape: TensorShape | readonly (number | null)[], index: number): number | null => {
  const given = shape instanceof TensorShape ? shape : new TensorShape([...shape]);
  return given.rank === null ? null : given.dim(index);
};

/** As convertToTensor, but slices stay what they are. TF: tf.convert_to_tensor_or_indexed_slices. */
export function convertToTensorOrIndexedSlices(
  value: TensorLike | IndexedSlices,
  options: { readonly dtype?: DType; readonly name?: string } = {},
): Tensor | IndexedSlices {
  if (!(value instanceof IndexedSlices)) return convertToTensor(value, options);
  if (options.dtype !== undefined && options.dtype !== value.dtype)
    throw new ValueError(
      `Incompatible tensor conversion requested to \`dtype\` <dtype: '${options.dtype}'> for \`value\` (${value}) with dtype <dtype: '${value.dtype}'>`,
    );
  return value;
}

/** As convertToTensor, but sparse tensors stay what they are. TF: tf.convert_to_tensor_or_sparse_tensor. */
export function convertToTensorOrSparseTensor(
  value: TensorLike | SparseTensor,
  options: { readonly dtype?: DType; readonly name?: string } = {},
): Tensor | SparseTensor {
  if (!(value instanceof SparseTensor)) return convertToTensor(value, options);
  if (options.dtype !== undefined && options.dtype !== value.dtype)
    throw new RuntimeError(`Sparse dtype mismatch. Requested: ${options.dtype}  Actual: ${value.dtype}`);
  return value;
}

interface TensorProtoOptions {
  readonly dtype?: DType | null;
  readonly shape?: readonly number[] | null;
  readonly verifyShape?: boolean;
  /** Takes one element for all of the shape, and otherwise as many as it has. */
  readonly allowBroadcast?: boolean;
}

/** An array as a message. TF: tf.make_tensor_proto. @throws ValueError if it has another shape than the one asked for. */
export function makeTensorProto(
  values: ArrayLike,
  { dtype, shape, verifyShape = false, allowBroadcast = false }: TensorProtoOptions = {},
): Message<"TensorProto"> {
  if (values === null) throw new ValueError("None values not supported.");
  if (!shape) return arrayToMessage(toArray(values, dtype ?? undefined));
  const sizes = shape.map(Math.trunc);
  const size = sizeOf(sizes);
  if (size === 0) return arrayToMessage(NDArray.zeros(dtype ?? "float32", sizes));
  const array = toArray(values, dtype ?? undefined);
  const isOne = array.size === 1 && array.rank < 2;
  if (allowBroadcast ? !isOne && array.size !== size : verifyShape && array.shape.join() !== sizes.join())
    throw new TypeError(`Expected Tensor's shape: ${new TensorShape(sizes)}, but got ${new TensorShape(array.shape)}.`);
  if (array.size > size) throw new ValueError(`Too many elements provided. Takes at most ${size}, but got ${array.size}.`);
  if (array.size === size) return arrayToMessage(array.reshape(sizes));
  // The last of fewer values stands for those that are left out.
  const head = { dtype: dtypeEnumName(array.dtype), tensorShape: shapeToMessage(new TensorShape(sizes)) };
  return createMessage("TensorProto", { ...head, ...arrayToTypedValues(array) });
}

/** The array of a message. TF: tf.make_ndarray. */
export const makeNdarray = (tensor: Message<"TensorProto">): NDArray => arrayFromMessage(tensor);

/** Runs a body outside of all functions, loops, branches and control dependencies; name scopes stay. TF: tf.init_scope. */
export const initScope = <R>(body: () => R): R => getDefaultGraph().outside(body);

/** What an unconnected x gets from `gradients`. TF: tf.UnconnectedGradients. */
export const UnconnectedGradients = { NONE: "none", ZERO: "zero" } as const;
/** How a distributed variable's parts are put together. Accepted by variables. TF: tf.VariableAggregation. */
export const VariableAggregation = { NONE: 0, SUM: 1, MEAN: 2, ONLY_FIRST_REPLICA: 3 } as const;
/** When a distributed variable's parts are put together. Accepted by variables. TF: tf.VariableSynchronization. */
export const VariableSynchronization = { AUTO: 0, NONE: 1, ON_WRITE: 2, ON_READ: 3 } as const;
