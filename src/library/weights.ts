// Weights of losses and metrics: made to fit the values they weigh, and checked. TF: weights_broadcast_ops, confusion_matrix.

import type { DType } from "../base/dtype.ts";
import { ValueError } from "../base/errors.ts";
import { convertToTensor, type TensorLike } from "../graph/conversion.ts";
import { getDefaultGraph } from "../graph/default-graph.ts";
import type { Operation, Tensor } from "../graph/operation.ts";
import { staticValue, staticValues } from "../graph/static-value.ts";
import { expandDims, numbersOf, onesLike, rank, shape as shapeOf, size, squeeze } from "../ops/array/array.ts";
import { concat } from "../ops/array/slicing.ts";
import { Assert, noOp } from "../ops/flow/control-flow.ts";
import { cond } from "../ops/flow/control-flow-contexts.ts";
import { equal } from "../ops/math/comparison.ts";
import { multiply } from "../ops/math/math.ts";
import { setDifference } from "../ops/sparse/sets.ts";

const mismatch = "weights can not be broadcast to values.";

/** An operation to wait for: weights are a scalar, or of the rank of the values with equal or single dimensions. Checked now where the shapes are known,
 *  else while running. @throws ValueError if the static shapes already disagree. */
function assertBroadcastable(givenWeights: TensorLike, givenValues: TensorLike): Operation {
  const graph = getDefaultGraph();
  return graph.nameScope("assert_broadcastable", scope => {
    const weights = graph.nameScope("weights", inner => described(givenWeights, String(inner)));
    const values = graph.nameScope("values", inner => described(givenValues, String(inner)));
    const [weightsRank, valuesRank] = [weights.rank, values.rank].map(each => staticValue(each)?.item());
    if (weightsRank === undefined || valuesRank === undefined) return checkWhileRunning(weights, values, String(scope));
    if (weightsRank === 0) return noOp({ name: "static_scalar_check_success" });
    const whole = `Received weights=${weights.tensor}, values=${values.tensor}`;
    if (weightsRank !== valuesRank)
      throw new ValueError(
        `${mismatch} values.rank=${valuesRank}. weights.rank=${weightsRank}. values.shape=${values.tensor.shape}. weights.shape=${weights.tensor.shape}. ${whole}`,
      );
    const known = staticValues([weights.shape, values.shape]);
    if (known === undefined) return checkWhileRunning(weights, values, String(scope));
    const [own, wanted] = known.map(numbersOf);
    own.forEach((size, i) => {
      if (size !== 1 && size !== wanted[i])
        throw new ValueError(
          `${mismatch} Mismatch at dim ${i}. values.shape=[${wanted.join(" ")}], weights.shape=[${own.join(" ")}]. ${whole}`,
        );
    });
    return noOp({ name: "static_dims_check_success" });
  });
}

interface Described {
  readonly tensor: Tensor;
  readonly shape: Tensor;
  readonly rank: Tensor;
}

function described(value: TensorLike, scope: string): Described {
  const tensor = convertToTensor(value, { name: scope });
  return { tensor, shape: shapeOf(tensor, { name: "shape" }), rank: rank(tensor, { name: "rank" }) };
}

function checkWhileRunning(weights: Described, values: Described, scope: string): Operation {
  const isScalar = equal(0, weights.rank, { name: "is_scalar" });
  const shown = [
    mismatch,
    "weights.shape=",
    weights.tensor.name,
    weights.shape,
    "values.shape=",
    values.tensor.name,
    values.shape,
    "is_scalar=",
    isScalar,
  ];
  const isValid = cond(
    isScalar,
    () => isScalar,
    () => hasValidShape(weights, values),
    { name: "is_valid_shape" },
  );
  return Assert(isValid as Tensor, shown, { name: scope });
}

const hasValidShape = (weights: Described, values: Described): Tensor =>
  getDefaultGraph().nameScope("has_valid_nonscalar_shape", scope => {
    const isSameRank = equal(values.rank, weights.rank, { name: "is_same_rank" });
    return cond(
      isSameRank,
      () => hasValidDims(weights.shape, values.shape),
      () => isSameRank,
      { name: String(scope) },
    ) as Tensor;
  });

/** Is each dimension of the weights that of the values, or 1? */
const hasValidDims = (weightsShape: Tensor, valuesShape: Tensor): Tensor =>
  getDefaultGraph().nameScope("has_invalid_dims", scope => {
    const column = expandDims(valuesShape, -1);
    const valid = concat([column, onesLike(column)], 1);
    const invalid = setDifference(expandDims(weightsShape, -1), valid);
    return equal(0, size(invalid.values, { name: "num_invalid_dims" }), { name: String(scope) });
  });

/** Runs `body` after the check that weights fit values. */
export function checkedWeights<R>(weights: TensorLike, values: TensorLike, body: () => R): R {
  return getDefaultGraph().controlDependencies([assertBroadcastable(weights, values)], body);
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
  /** What bare numbers become. */
  labelType?: DType,
): [labels: Tensor, predictions: Tensor] {
  return getDefaultGraph().nameScope("remove_squeezable_dimensions", () => {
    const predictions = convertToTensor(givenPredictions);
    const labels = convertToTensor(givenLabels, { preferredDtype: labelType });
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
