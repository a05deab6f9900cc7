// Weights of losses and metrics: made to fit the values they weigh, and checked. TF: weights_broadcast_ops, confusion_matrix.

import { ValueError } from "../base/errors.ts";
import { convertToTensor, type TensorLike } from "../graph/conversion.ts";
import { getDefaultGraph } from "../graph/default-graph.ts";
import type { Operation, Tensor } from "../graph/operation.ts";
import { expandDims, onesLike, rank, shape as shapeOf, squeeze } from "../ops/array.ts";
import { noOp } from "../ops/control-flow.ts";
import { multiply } from "../ops/math.ts";

const mismatch = "weights can not be broadcast to values.";

/** An operation to wait for: weights are a scalar, or of the rank of the values with equal or single dimensions. What is known only while running
 *  is left to the multiplication, which refuses other shapes; TensorFlow builds a check of its own for that case.
 *  @throws ValueError if the static shapes already disagree. */
export function assertBroadcastable(givenWeights: TensorLike, givenValues: TensorLike): Operation | null {
  const graph = getDefaultGraph();
  return graph.nameScope("assert_broadcastable", () => {
    const weights = graph.nameScope("weights", scope => described(givenWeights, String(scope)));
    const values = graph.nameScope("values", scope => described(givenValues, String(scope)));
    if (weights.shape.rank === 0) return noOp({ name: "static_scalar_check_success" });
    if (weights.shape.rank === null || values.shape.rank === null) return null;
    if (weights.shape.rank !== values.shape.rank)
      throw new ValueError(
        `${mismatch} values.rank=${values.shape.rank}. weights.rank=${weights.shape.rank}. values.shape=${values.shape}. weights.shape=${weights.shape}. Received weights=${weights}, values=${values}`,
      );
    if (!weights.shape.isFullyDefined || !values.shape.isFullyDefined) return null;
    weights.shape.asNumbers().forEach((size, i) => {
      if (size !== 1 && size !== values.shape.asNumbers()[i])
        throw new ValueError(
          `${mismatch} Mismatch at dim ${i}. values.shape=[${values.shape.asNumbers().join(" ")}], weights.shape=[${weights.shape.asNumbers().join(" ")}]. Received weights=${weights}, values=${values}`,
        );
    });
    return noOp({ name: "static_dims_check_success" });
  });
}

function described(value: TensorLike, scope: string): Tensor {
  const tensor = convertToTensor(value, { name: scope });
  shapeOf(tensor, { name: "shape" });
  rank(tensor, { name: "rank" });
  return tensor;
}

/** Runs `body` after the check that weights fit values. */
export function checkedWeights<R>(weights: TensorLike, values: TensorLike, body: () => R): R {
  const check = assertBroadcastable(weights, values);
  return check === null ? body() : getDefaultGraph().controlDependencies([check], body);
}

/** Weights in the full shape of the values. */
export function broadcastWeights(givenWeights: TensorLike, givenValues: TensorLike): Tensor {
  return getDefaultGraph().nameScope("broadcast_weights", scope => {
    const values = convertToTensor(givenValues, { name: "values" });
    const weights = convertToTensor(givenWeights, { dtype: values.dtype, name: "weights" });
    const [w, v] = [weights.shape, values.shape];
    if (w.isFullyDefined && v.isFullyDefined && w.isCompatibleWith(v)) return weights;
    return checkedWeights(weights, values, () => multiply(weights, onesLike(values), { name: String(scope) }));
  });
}

/** Drops a last dimension of size 1 where one of the two has it and the other lacks it. */
export function removeSqueezableDimensions(
  givenLabels: TensorLike,
  givenPredictions: TensorLike,
  expectedRankDifference = 0,
): [labels: Tensor, predictions: Tensor] {
  return getDefaultGraph().nameScope("remove_squeezable_dimensions", () => {
    const predictions = convertToTensor(givenPredictions);
    const labels = convertToTensor(givenLabels);
    if (predictions.shape.rank === null || labels.shape.rank === null) return [labels, predictions];
    const difference = predictions.shape.rank - labels.shape.rank;
    const isSingle = (tensor: Tensor): boolean => (tensor.shape.dim(-1) ?? 1) === 1;
    if (difference === expectedRankDifference + 1 && isSingle(predictions)) return [labels, squeeze(predictions, [-1])];
    if (difference === expectedRankDifference - 1 && isSingle(labels)) return [squeeze(labels, [-1]), predictions];
    return [labels, predictions];
  });
}

/** Weights with a last dimension dropped or added, so that their rank is that of the values. */
export function fittedWeights(given: TensorLike, values: Tensor): Tensor {
  const weights = convertToTensor(given);
  if (weights.shape.rank === null || weights.shape.rank === 0 || values.shape.rank === null) return weights;
  if (weights.shape.rank - values.shape.rank === 1) return squeeze(weights, [-1]);
  if (values.shape.rank - weights.shape.rank === 1) return expandDims(weights, -1);
  return weights;
}

/** @throws ValueError unless the static shapes can be the same. */
export function assertSameShape(a: Tensor, b: Tensor): void {
  if (!a.shape.isCompatibleWith(b.shape)) throw new ValueError(`Shapes ${a.shape} and ${b.shape} are incompatible`);
}
