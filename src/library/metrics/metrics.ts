// Metrics over many batches: each keeps sums in local variables and gives [value, update operation]. TF: tf.metrics.

import type { DType } from "../../base/dtype.ts";
import type { ShapeLike } from "../../base/shape.ts";
import { convertToTensor, type TensorLike } from "../../graph/conversion.ts";
import { getDefaultGraph } from "../../graph/default-graph.ts";
import type { Tensor } from "../../graph/operation.ts";
import { collect } from "../../ops/arguments.ts";
import { identity, onesLike, rank, size, zeros, zerosLike } from "../../ops/array/array.ts";
import { where } from "../../ops/array/selection.ts";
import { assertRankIn, assertType } from "../../ops/flow/check.ts";
import { abs, sqrt } from "../../ops/math/functions.ts";
import { cast } from "../../ops/math/cast.ts";
import { divNoNan, divide, maximum, multiply, squaredDifference, subtract } from "../../ops/math/math.ts";
import { equal, greater, less, logicalAnd } from "../../ops/math/comparison.ts";
import { reduceSum } from "../../ops/math/reduction.ts";
import { add, sub } from "../../ops/operators.ts";
import { GraphKeys } from "../variables/graph-keys.ts";
import { variableScope } from "../variables/variable-scope.ts";
import { assignAdd, Variable } from "../variables/variables.ts";
import { assertSameShape, broadcastWeights, fittedWeights, removeSqueezableDimensions } from "../weights.ts";

export interface MetricOptions {
  /** A scalar, or weights that fit the values; 0 leaves a value out. */
  readonly weights?: TensorLike | null;
  readonly metricsCollections?: readonly string[] | string | null;
  readonly updatesCollections?: readonly string[] | string | null;
  readonly name?: string | null;
}
export type Rest = readonly (MetricOptions | TensorLike | null | undefined)[];
/** The value so far, and the operation that takes in a batch (its result is the value after it). */
export type Metric = [value: Tensor, updateOp: Tensor];

const order = ["weights", "metricsCollections", "updatesCollections", "name"];
const optionsOf = (rest: Rest): MetricOptions => collect<MetricOptions>(order, rest);

/** A local variable that starts at zero. */
export const metricVariable = (shape: ShapeLike, dtype: DType, name: string): Variable =>
  new Variable(() => zeros(shape as readonly number[], dtype), {
    trainable: false,
    collections: [GraphKeys.LOCAL_VARIABLES, GraphKeys.METRIC_VARIABLES],
    name,
  });

export function collected(metric: Metric, { metricsCollections, updatesCollections }: MetricOptions): Metric {
  const graph = getDefaultGraph();
  if (metricsCollections) graph.addToCollections(metricsCollections, metric[0]);
  if (updatesCollections) graph.addToCollections(updatesCollections, metric[1]);
  return metric;
}

const ratio = (total: TensorLike, count: TensorLike, name: string): Tensor => divNoNan(total, maximum(count, 0), { name });

/** The weighted mean of all values so far. TF: tf.metrics.mean. */
export function mean(values: TensorLike, ...rest: Rest): Metric {
  const options = optionsOf(rest);
  return variableScope(options.name ?? null, { defaultName: "mean", values: [values] }, () => {
    let converted = cast(values, "float32");
    const total = metricVariable([], "float32", "total");
    const count = metricVariable([], "float32", "count");
    let added: Tensor;
    if (options.weights === null || options.weights === undefined) added = cast(size(converted), "float32");
    else {
      const weights = broadcastWeights(cast(fittedWeights(options.weights, converted), "float32"), converted);
      converted = multiply(converted, weights);
      added = reduceSum(weights);
    }
    const newTotal = assignAdd(total, reduceSum(converted));
    const newCount = getDefaultGraph().controlDependencies([converted], () => assignAdd(count, added));
    return collected([ratio(total, count, "value"), ratio(newTotal, newCount, "update_op")], options);
  });
}

/** Element by element: the weighted mean of all tensors so far. TF: tf.metrics.mean_tensor. */
export function meanTensor(values: TensorLike, ...rest: Rest): Metric {
  const options = optionsOf(rest);
  return variableScope(options.name ?? null, { defaultName: "mean", values: [values] }, () => {
    let converted = cast(values, "float32");
    const total = metricVariable(converted.shape, "float32", "total_tensor");
    const count = metricVariable(converted.shape, "float32", "count_tensor");
    let added = onesLike(converted);
    if (options.weights !== null && options.weights !== undefined) {
      const weights = broadcastWeights(cast(fittedWeights(options.weights, converted), "float32"), converted);
      converted = multiply(converted, weights);
      added = multiply(added, weights);
    }
    const newTotal = assignAdd(total, converted);
    const newCount = getDefaultGraph().controlDependencies([converted], () => assignAdd(count, added));
    return collected([ratio(total, count, "value"), ratio(newTotal, newCount, "update_op")], options);
  });
}

interface Fitted {
  readonly labels: Tensor;
  readonly predictions: Tensor;
  readonly weights: Tensor | null;
}

export function fitted(labels: TensorLike, predictions: TensorLike, given: TensorLike | null | undefined): Fitted {
  const [l, p] = removeSqueezableDimensions(labels, convertToTensor(predictions));
  assertSameShape(p, l);
  return { labels: l, predictions: p, weights: given === null || given === undefined ? null : fittedWeights(given, p) };
}

/** How often predictions equal labels. TF: tf.metrics.accuracy. */
export function accuracy(labels: TensorLike, predictions: TensorLike, ...rest: Rest): Metric {
  const options = optionsOf(rest);
  const pair = fitted(labels, predictions, options.weights);
  const p = pair.labels.dtype === pair.predictions.dtype ? pair.predictions : cast(pair.predictions, pair.labels.dtype);
  return mean(cast(equal(p, pair.labels), "float32"), { ...options, weights: pair.weights, name: options.name || "accuracy" });
}

/** TF: tf.metrics.mean_squared_error. */
export function meanSquaredError(labels: TensorLike, predictions: TensorLike, ...rest: Rest): Metric {
  const options = optionsOf(rest);
  const pair = fitted(labels, predictions, options.weights);
  const errors = squaredDifference(pair.labels, pair.predictions);
  return mean(errors, { ...options, weights: pair.weights, name: options.name || "mean_squared_error" });
}

/** TF: tf.metrics.mean_absolute_error. */
export function meanAbsoluteError(labels: TensorLike, predictions: TensorLike, ...rest: Rest): Metric {
  const options = optionsOf(rest);
  const pair = fitted(labels, predictions, options.weights);
  const errors = abs(sub(pair.predictions, pair.labels));
  return mean(errors, { ...options, weights: pair.weights, name: options.name || "mean_absolute_error" });
}

/** TF: tf.metrics.root_mean_squared_error. */
export function rootMeanSquaredError(labels: TensorLike, predictions: TensorLike, ...rest: Rest): Metric {
  const options = optionsOf(rest);
  const pair = fitted(labels, predictions, options.weights);
  const [value, update] = meanSquaredError(pair.labels, pair.predictions, {
    weights: pair.weights,
    name: options.name || "root_mean_squared_error",
  });
  return collected([sqrt(value), sqrt(update)], options);
}

/** How often values lie below a threshold. TF: tf.metrics.percentage_below. */
export function percentageBelow(values: TensorLike, threshold: TensorLike, ...rest: Rest): Metric {
  const options = optionsOf(rest);
  return mean(cast(less(values, threshold), "float32"), { ...options, name: options.name || "percentage_below_threshold" });
}

// ---- counts of right and wrong ----

type Condition = (labels: Tensor, predictions: Tensor) => Tensor;

/** @throws ValueError for weights of another rank than 0 or that of the values. */
const weightedBy = (weights: Tensor, values: Tensor): Tensor =>
  getDefaultGraph().controlDependencies([assertRankIn(weights, [0, rank(values)])], () => multiply(values, cast(weights, "float32")));

/** Weighted count of the elements for which a condition on labels and predictions (both as bool) holds. */
const counter =
  (name: string, condition: Condition) =>
  (labels: TensorLike, predictions: TensorLike, ...rest: Rest): Metric => {
    const options = optionsOf(rest);
    return variableScope(options.name ?? null, { defaultName: name, values: [predictions, labels] }, () => {
      const p = cast(predictions, "bool");
      const pair = fitted(cast(labels, "bool"), p, options.weights);
      const held = condition(pair.labels, pair.predictions);
      assertType(held, "bool");
      const count = metricVariable([], "float32", "count");
      const values = cast(held, "float32");
      const weighted = pair.weights === null ? values : weightedBy(pair.weights, values);
      return collected([identity(count), convertToTensor(assignAdd(count, reduceSum(weighted)))], options);
    });
  };

export const truePositives = counter("true_positives", (l, p) => logicalAnd(equal(l, true), equal(p, true)));
export const falsePositives = counter("false_positives", (l, p) => logicalAnd(equal(l, false), equal(p, true)));
export const falseNegatives = counter("false_negatives", (l, p) => logicalAnd(equal(l, true), equal(p, false)));
export const trueNegatives = counter("true_negatives", (l, p) => logicalAnd(equal(l, false), equal(p, false)));

const share = (part: TensorLike, rest: TensorLike, name: string): Tensor =>
  where(greater(add(part, rest), 0), divide(part, add(part, rest)), 0, { name }) as Tensor;

const shareOf =
  (name: string, rest: typeof truePositives) =>
  (labels: TensorLike, predictions: TensorLike, ...given: Rest): Metric => {
    const options = optionsOf(given);
    return variableScope(options.name ?? null, { defaultName: name, values: [predictions, labels] }, () => {
      const p = cast(predictions, "bool");
      const pair = fitted(cast(labels, "bool"), p, options.weights);
      const [right, updateRight] = truePositives(pair.labels, pair.predictions, { weights: pair.weights });
      const [wrong, updateWrong] = rest(pair.labels, pair.predictions, { weights: pair.weights });
      return collected([share(right, wrong, "value"), share(updateRight, updateWrong, "update_op")], options);
    });
  };

/** True positives among all predicted positives. TF: tf.metrics.precision. */
export const precision = shareOf("precision", falsePositives);
/** True positives among all actual positives. TF: tf.metrics.recall. */
export const recall = shareOf("recall", falseNegatives);

// ---- distances ----

/** 1 minus the mean cosine of the angles between vectors along `dim`, which must have length one. TF: tf.metrics.mean_cosine_distance. */
export function meanCosineDistance(labels: TensorLike, predictions: TensorLike, dim: number, ...rest: Rest): Metric {
  const options = optionsOf(rest);
  const pair = fitted(labels, predictions, options.weights);
  const cosines = reduceSum(multiply(pair.predictions, pair.labels), [dim], { keepdims: true });
  const [value, update] = mean(cosines, { weights: pair.weights, name: options.name || "mean_cosine_distance" });
  return collected([subtract(1, value), subtract(1, update)], options);
}

/** The mean of |labels - predictions| / normalizer, 0 where the normalizer is 0. TF: tf.metrics.mean_relative_error. */
export function meanRelativeError(labels: TensorLike, predictions: TensorLike, normalizer: TensorLike, ...rest: Rest): Metric {
  const options = optionsOf(rest);
  const pair = fitted(labels, predictions, options.weights);
  const [p, n] = removeSqueezableDimensions(pair.predictions, convertToTensor(normalizer));
  assertSameShape(p, n);
  const errors = where(equal(n, 0), zerosLike(pair.labels), divide(abs(sub(pair.labels, p)), n)) as Tensor;
  return mean(errors, { ...options, weights: pair.weights, name: options.name || "mean_relative_error" });
}
