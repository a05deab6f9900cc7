// Metrics that count at many thresholds at once: the area under a curve, precision and recall along it, sensitivity at a given specificity.

import { ValueError } from "../../base/errors.ts";
import { NDArray } from "../../base/ndarray.ts";
import { convertToTensor, type TensorLike } from "../../graph/conversion.ts";
import { getDefaultGraph } from "../../graph/default-graph.ts";
import type { Tensor } from "../../graph/operation.ts";
import { collect } from "../../ops/arguments.ts";
import { constant, expandDims, identity, onesLike, reshape, shape as shapeOf } from "../../ops/array/array.ts";
import { transpose } from "../../ops/array/rearranging.ts";
import { tile } from "../../ops/array/padding.ts";
import { where } from "../../ops/array/selection.ts";
import { getItem, stack } from "../../ops/array/slicing.ts";
import { assertGreaterEqual, assertLessEqual } from "../../ops/flow/check.ts";
import { cast } from "../../ops/math/cast.ts";
import { divide, divNoNan, maximum, minimum, multiply } from "../../ops/math/math.ts";
import { equal, greater, logicalAnd, logicalNot } from "../../ops/math/comparison.ts";
import { abs, log } from "../../ops/math/functions.ts";
import { argmax, argmin, cumsum, reduceMin, reduceSum } from "../../ops/math/reduction.ts";
import { add, mul, sub, truediv } from "../../ops/operators.ts";
import { collected, fitted, type Metric, type MetricOptions, metricVariable, type Rest } from "./metrics.ts";
import { variableScope } from "../variables/variable-scope.ts";
import { assignAdd } from "../variables/variables.ts";
import { broadcastWeights } from "../weights.ts";

type Count = "tp" | "fn" | "tn" | "fp";
type Counts = { readonly [K in Count]: Tensor };
const allCounts: readonly Count[] = ["tp", "fn", "tn", "fp"];
const variableNames = { tp: "true_positives", fn: "false_negatives", tn: "true_negatives", fp: "false_positives" } as const;
/** A little, so that thresholds at the ends hold all predictions and no divisor is 0. */
const epsilon = 1e-7;

/** Counts for each threshold: so far, and after a batch. */
function countsAtThresholds(
  labels: TensorLike,
  predictions: TensorLike,
  thresholds: readonly number[],
  weighted: TensorLike | null | undefined,
  wanted: readonly Count[] = allCounts,
): { values: Counts; updates: Counts } {
  const converted = convertToTensor(predictions);
  const message = "predictions must be in [0, 1]";
  const checks = [
    assertGreaterEqual(converted, cast(0, converted.dtype), { message }),
    assertLessEqual(converted, cast(1, converted.dtype), { message }),
  ];
  const pair = getDefaultGraph().controlDependencies(checks, () => fitted(cast(labels, "bool"), cast(converted, "float32"), weighted));
  const column = reshape(pair.predictions, [-1, 1]);
  const row = reshape(cast(pair.labels, "bool"), [1, -1]);
  const count = column.shape.dim(0) ?? getItem(shapeOf(column), 0);
  const given =
    Array.isArray(thresholds) && thresholds.every(limit => typeof limit === "number") ? NDArray.from(thresholds, "float32") : thresholds;
  const limits = expandDims(constant(given), [1]);
  const multiples = typeof count === "number" ? constant([1, count], "int32", { name: "stack" }) : stack([1, count]);
  const tiledLimits = tile(limits, multiples);
  const lines = thresholds.length;
  const predicted = greater(tile(transpose(column), [lines, 1]), tiledLimits);
  const has = (...counts: Count[]): boolean => counts.some(kind => wanted.includes(kind));
  const notPredicted = has("fn", "tn") ? logicalNot(predicted) : predicted;
  const actual = tile(row, [lines, 1]);
  const notActual = has("fp", "tn") ? logicalNot(actual) : actual;
  const weights =
    pair.weights === null ? null : tile(reshape(broadcastWeights(cast(pair.weights, "float32"), pair.predictions), [1, -1]), [lines, 1]);
  const sides = { tp: [actual, predicted], fn: [actual, notPredicted], tn: [notActual, notPredicted], fp: [notActual, predicted] } as const;
  const made = wanted.map(kind => {
    const variable = metricVariable([lines], "float32", variableNames[kind]);
    const held = cast(logicalAnd(...sides[kind]), "float32");
    const update = assignAdd(variable, reduceSum(weights === null ? held : mul(held, weights), 1));
    return [kind, convertToTensor(variable), convertToTensor(update)] as const;
  });
  return {
    values: Object.fromEntries(made.map(([kind, value]) => [kind, value])) as Counts,
    updates: Object.fromEntries(made.map(([kind, , update]) => [kind, update])) as Counts,
  };
}

/** Evenly spaced in (0, 1), with one below 0 and one at the top. */
const evenThresholds = (count: number, top = 1 + epsilon): number[] => [
  0 - epsilon,
  ...Array.from({ length: count - 2 }, (_, i) => (i + 1) / (count - 1)),
  top,
];

interface CurveOptions extends MetricOptions {
  readonly numThresholds?: number | null;
}
export interface AucOptions extends CurveOptions {
  readonly curve?: "ROC" | "PR" | null;
  readonly summationMethod?: "trapezoidal" | "careful_interpolation" | "minoring" | "majoring" | null;
  /** Thresholds in [0, 1] instead of evenly spaced ones. */
  readonly thresholds?: readonly number[] | null;
}

type Given<O> = readonly (O | TensorLike | readonly string[] | string | null | undefined)[];

/** The area under the ROC curve (or that of precision over recall) of predictions in [0, 1]. TF: tf.metrics.auc. */
export function auc(labels: TensorLike, predictions: TensorLike, ...rest: Given<AucOptions>): Metric {
  const order = ["weights", "numThresholds", "metricsCollections", "updatesCollections", "curve", "name", "summationMethod", "thresholds"];
  const options = collect<AucOptions>(order, rest);
  const { curve = "ROC", summationMethod = "trapezoidal" } = options;
  return variableScope(options.name ?? null, { defaultName: "auc", values: [labels, predictions] }, () => {
    if (curve !== "ROC" && curve !== "PR") throw new ValueError(`Curve must be either ROC or PR. Curve ${curve} is unknown.`);
    const own = options.thresholds && [...options.thresholds].sort((a, b) => a - b);
    const thresholds = own ? [0 - epsilon, ...own, 1 + epsilon] : evenThresholds(options.numThresholds ?? 200);
    const { values, updates } = countsAtThresholds(labels, predictions, thresholds, options.weights);
    const area = (counts: Counts, name: string): Tensor =>
      curve === "PR" && summationMethod === "careful_interpolation"
        ? interpolatedArea(counts, thresholds.length)
        : areaUnder(counts, thresholds.length, curve ?? "ROC", summationMethod ?? "trapezoidal", name);
    return collected([area(values, "value"), area(updates, "update_op")], options);
  });
}

/** All but the last, and all but the first. */
const ends = (x: Tensor, count: number): [Tensor, Tensor] => [getItem(x, [null, count - 1]), getItem(x, [1, null])];

function areaUnder({ tp, fn, tn, fp }: Counts, count: number, curve: "ROC" | "PR", method: string, name: string): Tensor {
  const little = 1e-6;
  const recall = divide(add(tp, little), add(add(tp, fn), little));
  const [x, y] =
    curve === "ROC" ? [divide(fp, add(add(fp, tn), little)), recall] : [recall, divide(add(tp, little), add(add(tp, fp), little))];
  const width = (): Tensor => sub(...ends(x, count));
  if (method === "trapezoidal" || method === "careful_interpolation")
    return reduceSum(multiply(width(), truediv(add(...ends(y, count)), 2)), null, { name });
  if (method === "minoring") return reduceSum(multiply(width(), minimum(...ends(y, count))), null, { name });
  if (method === "majoring") return reduceSum(multiply(width(), maximum(...ends(y, count))), null, { name });
  throw new ValueError(
    `Invalid summation_method: ${method} summation_method should be 'trapezoidal', 'careful_interpolation', 'minoring', or 'majoring'.`,
  );
}

/** Davis and Goadrich's interpolation of precision between thresholds. */
function interpolatedArea({ tp, fp, fn }: Counts, count: number): Tensor {
  const dtp = sub(...ends(tp, count));
  const p = add(tp, fp);
  const slope = divNoNan(dtp, maximum(sub(...ends(p, count)), 0), { name: "prec_slope" });
  const intercept = sub(getItem(tp, [1, null]), multiply(slope, getItem(p, [1, null])));
  const isPositive = logicalAnd(greater(getItem(p, [null, count - 1]), 0), greater(getItem(p, [1, null]), 0));
  const ratio = divNoNan(getItem(p, [null, count - 1]), maximum(getItem(p, [1, null]), 0), { name: "recall_relative_ratio" });
  const safeRatio = where(isPositive, ratio, onesLike(getItem(p, [1, null]))) as Tensor;
  const part = mul(slope, add(dtp, mul(intercept, log(safeRatio))));
  const all = maximum(add(getItem(tp, [1, null]), getItem(fn, [1, null])), 0);
  return reduceSum(divNoNan(part, all, { name: "pr_auc_increment" }), null, { name: "interpolate_pr_auc" });
}

// ---- one point of the curve ----

const curveOrder = ["weights", "numThresholds", "metricsCollections", "updatesCollections", "name"];

function pointMetric(
  name: string,
  labels: TensorLike,
  predictions: TensorLike,
  options: CurveOptions,
  top: number,
  point: (counts: Counts, name: string) => Tensor,
): Metric {
  return variableScope(options.name ?? null, { defaultName: name, values: [predictions, labels] }, () => {
    const thresholds = evenThresholds(options.numThresholds ?? 200, top);
    const { values, updates } = countsAtThresholds(labels, predictions, thresholds, options.weights);
    return collected([point(values, "value"), point(updates, "update_op")], options);
  });
}

function checkShare(name: string, value: number, is: string): void {
  if (value < 0 || value > 1) throw new ValueError(`\`${name}\` must be in the range [0, 1]. Currently, \`${name}\` ${is} ${value}.`);
}

/** The recall at the threshold whose specificity is nearest to the given one. TF: tf.metrics.sensitivity_at_specificity. */
export function sensitivityAtSpecificity(
  labels: TensorLike,
  predictions: TensorLike,
  specificity: number,
  ...rest: Given<CurveOptions>
): Metric {
  checkShare("specificity", specificity, "got");
  const options = collect<CurveOptions>(curveOrder, rest);
  return pointMetric("sensitivity_at_specificity", labels, predictions, options, 1 + epsilon, ({ tp, tn, fp, fn }, name) => {
    const found = divide(tn, add(add(tn, fp), epsilon));
    const at = cast(argmin(abs(sub(found, specificity)), 0), "int32");
    return divide(getItem(tp, at), add(add(getItem(tp, at), getItem(fn, at)), epsilon), { name });
  });
}

/** The specificity at the last threshold whose recall is nearest to the given one. TF: tf.metrics.specificity_at_sensitivity. */
export function specificityAtSensitivity(
  labels: TensorLike,
  predictions: TensorLike,
  sensitivity: number,
  ...rest: Given<CurveOptions>
): Metric {
  checkShare("sensitivity", sensitivity, "is");
  const options = collect<CurveOptions>(curveOrder, rest);
  return pointMetric("specificity_at_sensitivity", labels, predictions, options, 1 - epsilon, ({ tp, tn, fp, fn }, name) => {
    const found = divide(tp, add(add(tp, fn), epsilon));
    const least = reduceMin(abs(sub(found, sensitivity)));
    const isNearest = equal(abs(sub(found, sensitivity)), least);
    const at = cast(argmax(cumsum(cast(isNearest, "int64")), 0), "int32");
    return divide(getItem(tn, at), add(add(getItem(tn, at), getItem(fp, at)), epsilon), { name });
  });
}

// ---- at given thresholds ----

const optionsOf = (rest: Rest): MetricOptions =>
  collect<MetricOptions>(["weights", "metricsCollections", "updatesCollections", "name"], rest);

const countMetric =
  (kind: Count) =>
  (labels: TensorLike, predictions: TensorLike, thresholds: readonly number[], ...rest: Rest): Metric => {
    const options = optionsOf(rest);
    return variableScope(options.name ?? null, { defaultName: variableNames[kind], values: [predictions, labels] }, () => {
      const { values, updates } = countsAtThresholds(labels, predictions, thresholds, options.weights, [kind]);
      return collected([identity(values[kind]), updates[kind]], options);
    });
  };

/** Counts for each of the given thresholds. TF: tf.metrics.true_positives_at_thresholds and its like. */
export const truePositivesAtThresholds = countMetric("tp");
export const falseNegativesAtThresholds = countMetric("fn");
export const trueNegativesAtThresholds = countMetric("tn");
export const falsePositivesAtThresholds = countMetric("fp");

const shareMetric =
  (word: "precision" | "recall", name: string, other: "fp" | "fn") =>
  (labels: TensorLike, predictions: TensorLike, thresholds: readonly number[], ...rest: Rest): Metric => {
    const options = optionsOf(rest);
    return variableScope(options.name ?? null, { defaultName: name, values: [predictions, labels] }, () => {
      const { values, updates } = countsAtThresholds(labels, predictions, thresholds, options.weights, ["tp", other]);
      const share = (counts: Counts, suffix: string): Tensor => {
        const sum = word === "precision" ? add(add(epsilon, counts.tp), counts.fp) : add(add(epsilon, counts.tp), counts.fn);
        return divide(counts.tp, sum, { name: `${word}_${suffix}` });
      };
      return collected([share(values, "value"), share(updates, "update_op")], options);
    });
  };

/** Precision at each of the given thresholds. TF: tf.metrics.precision_at_thresholds. */
export const precisionAtThresholds = shareMetric("precision", "precision_at_thresholds", "fp");
/** Recall at each of the given thresholds. TF: tf.metrics.recall_at_thresholds. */
export const recallAtThresholds = shareMetric("recall", "recall_at_thresholds", "fn");
