// Metrics that keep a count for every class: mean intersection over union, mean accuracy by class.

import { convertToTensor, type TensorLike } from "../../graph/conversion.ts";
import type { Tensor } from "../../graph/operation.ts";
import { ones, onesLike, reshape, size } from "../../ops/array/array.ts";
import { diagPart } from "../../ops/array/matrix.ts";
import { where } from "../../ops/array/selection.ts";
import { cast, castInteger } from "../../ops/math/cast.ts";
import { divide, divNoNan, maximum } from "../../ops/math/math.ts";
import { equal, greater, notEqual } from "../../ops/math/comparison.ts";
import { confusionMatrix } from "../../ops/math/counting.ts";
import { reduceMean, reduceSum } from "../../ops/math/reduction.ts";
import { add, mul, sub, truediv } from "../../ops/operators.ts";
import { collect } from "../../ops/arguments.ts";
import { collected, type Metric, type MetricOptions, metricVariable, type Rest } from "./metrics.ts";
import { variableScope } from "../variables/variable-scope.ts";
import { assignAdd, scatterAdd } from "../variables/variables.ts";
import { assertSameShape } from "../weights.ts";

const optionsOf = (rest: Rest): MetricOptions =>
  collect<MetricOptions>(["weights", "metricsCollections", "updatesCollections", "name"], rest);

/** A list of numbers; matrices are flattened. */
const flat = (tensor: Tensor): Tensor => ((tensor.shape.rank ?? 2) > 1 ? reshape(tensor, [-1]) : tensor);
const weightsOf = ({ weights }: MetricOptions): Tensor | null =>
  weights === null || weights === undefined ? null : flat(convertToTensor(weights));

/** The mean over classes of true positives / (true positives + false positives + false negatives); classes that never appear do not count.
 *  TF: tf.metrics.mean_iou. */
export function meanIou(labels: TensorLike, predictions: TensorLike, numClasses: number, ...rest: Rest): Metric {
  const options = optionsOf(rest);
  return variableScope(options.name ?? null, { defaultName: "mean_iou", values: [predictions, labels] }, () => {
    const [l, p] = [convertToTensor(labels), convertToTensor(predictions)];
    assertSameShape(p, l);
    const total = metricVariable([numClasses, numClasses], "float64", "total_confusion_matrix");
    const [predicted, actual, classes] = [cast(p, "int64"), cast(l, "int64"), castInteger(numClasses, "int64")];
    const [flatPredicted, flatActual] = [flat(predicted), flat(actual)];
    const current = confusionMatrix(flatActual, flatPredicted, classes, { weights: weightsOf(options) ?? undefined, dtype: "float64" });
    const update = convertToTensor(assignAdd(total, current));
    const matrix = convertToTensor(total);
    const rows = cast(reduceSum(matrix, 0), "float32");
    const columns = cast(reduceSum(matrix, 1), "float32");
    const diagonal = cast(diagPart(matrix), "float32");
    const union = sub(add(rows, columns), diagonal);
    const valid = reduceSum(cast(notEqual(union, 0), "float32"));
    const divisor = where(greater(union, 0), union, onesLike(union)) as Tensor;
    const shares = divide(diagonal, divisor);
    const value = where(greater(valid, 0), truediv(reduceSum(shares, null, { name: "mean_iou" }), valid), 0) as Tensor;
    return collected([value, update], options);
  });
}

/** The mean over classes of how often a class is predicted where it is true. TF: tf.metrics.mean_per_class_accuracy. */
export function meanPerClassAccuracy(labels: TensorLike, predictions: TensorLike, numClasses: number, ...rest: Rest): Metric {
  const options = optionsOf(rest);
  return variableScope(options.name ?? null, { defaultName: "mean_accuracy", values: [predictions, labels] }, () => {
    const actual = flat(Array.isArray(labels) ? castInteger(labels, "int64") : cast(labels, "int64"));
    let predicted = flat(convertToTensor(predictions));
    assertSameShape(predicted, actual);
    const total = metricVariable([numClasses], "float32", "total");
    const count = metricVariable([numClasses], "float32", "count");
    let counted = ones([size(actual)], "float32");
    if (predicted.dtype !== actual.dtype) predicted = cast(predicted, actual.dtype);
    let right = cast(equal(predicted, actual), "float32");
    const given = weightsOf(options);
    if (given !== null) {
      const weights = cast(given, "float32");
      [right, counted] = [mul(right, weights), mul(counted, weights)];
    }
    const newTotal = scatterAdd(total, actual, counted);
    const newCount = scatterAdd(count, actual, right);
    const value = reduceMean(divNoNan(count, maximum(total, 0)), null, { name: "mean_accuracy" });
    return collected([value, divNoNan(newCount, maximum(newTotal, 0), { name: "update_op" })], options);
  });
}
