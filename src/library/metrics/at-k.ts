// Metrics of the k best predictions: precision, recall and average precision at k. Labels are classes, several for each example, dense or sparse.
// Node names follow TensorFlow's metrics_impl.py.

import { ValueError } from "../../base/errors.ts";
import { convertToTensor, type TensorLike } from "../../graph/conversion.ts";
import { getDefaultGraph } from "../../graph/default-graph.ts";
import type { Tensor } from "../../graph/operation.ts";
import { staticValue } from "../../graph/static-value.ts";
import { SparseTensor } from "../../graph/sparse-tensor.ts";
import { collect } from "../../ops/arguments.ts";
import { expandDims, fill, ones, onesLike, rank, reshape, shape as shapeOf, size, zerosLike } from "../../ops/array/array.ts";
import { tile } from "../../ops/array/padding.ts";
import { dynamicStitch } from "../../ops/array/partition.ts";
import { range } from "../../ops/array/ranges.ts";
import { whereV2 } from "../../ops/array/selection.ts";
import { concat, getItem, slice } from "../../ops/array/slicing.ts";
import { cond } from "../../ops/flow/control-flow-contexts.ts";
import { add as addNamed, divide, divNoNan, minimum, multiply } from "../../ops/math/math.ts";
import { cast, castInteger } from "../../ops/math/cast.ts";
import { equal, greaterEqual } from "../../ops/math/comparison.ts";
import { cumsum, reduceMax, reduceSum } from "../../ops/math/reduction.ts";
import { topK } from "../../ops/nn/embedding.ts";
import { add, mod, mul, sub } from "../../ops/operators.ts";
import { setDifference, setIntersection, setSize } from "../../ops/sparse/sets.ts";
import { sparseConcat, sparseReshape, sparseRetain } from "../../ops/sparse/structure.ts";
import { type Metric, metricVariable } from "./metrics.ts";
import { assignAdd } from "../variables/variables.ts";
import { broadcastWeights, checkedWeights } from "../weights.ts";

type Labels = TensorLike | SparseTensor;

export interface AtKOptions {
  /** Only this class counts. */
  readonly classId?: number | null;
  /** A scalar, or one for each example; 0 leaves an example out. */
  readonly weights?: TensorLike | null;
  readonly metricsCollections?: readonly string[] | string | null;
  readonly updatesCollections?: readonly string[] | string | null;
  readonly name?: string | null;
}
type Rest = readonly (AtKOptions | TensorLike | null | undefined)[];

const order = ["classId", "weights", "metricsCollections", "updatesCollections", "name"];
const inScope = <R>(name: string | null | undefined, defaultName: string, body: (scope: string) => R): R =>
  getDefaultGraph().nameScope(name || defaultName, scope => body(String(scope)));

const atK = (name: string, k: number | null, classId: number | null): string =>
  `${name}_at_${k ?? "k"}${classId === null ? "" : `_class${classId}`}`;

const sparseOr = (labels: Labels): Tensor | SparseTensor => (labels instanceof SparseTensor ? labels : convertToTensor(labels));

/** Labels with a dimension of their own, of size 1 where each example has one label. @throws ValueError for ranks that do not fit. */
function expandedLabels(given: Labels, predictions: Tensor): Tensor | SparseTensor {
  return inScope(null, "expand_labels", scope => {
    const labels = sparseOr(given);
    if (labels instanceof SparseTensor) {
      const { denseShape } = labels;
      const isShort = equal(rank(predictions), add(size(denseShape), 1));
      const parts = cond(
        isShort,
        () => partsOf(sparseReshape(labels, concat([denseShape, [1]], 0), { name: scope })),
        () => partsOf(labels),
      ) as Tensor[];
      return new SparseTensor(parts[0], parts[1], parts[2]);
    }
    const [labelsRank, predictionsRank] = [labels.shape.rank, predictions.shape.rank];
    const expanded = (): Tensor => expandDims(labels, -1, { name: scope });
    if (labelsRank !== null && predictionsRank !== null) {
      if (predictionsRank === labelsRank) return labels;
      if (predictionsRank === labelsRank + 1) return expanded();
      throw new ValueError(
        `Unexpected labels shape ${labels.shape} for predictions shape ${predictions.shape}. Predictions rank should be the same rank as labels rank or labels rank plus one .`,
      );
    }
    return cond(equal(rank(predictions), add(rank(labels), 1)), expanded, () => labels) as Tensor;
  });
}

const partsOf = ({ indices, values, denseShape }: SparseTensor): Tensor[] => [indices, values, denseShape];

/** A shape with 1 at some axes. */
function withSizeOne(shape: Tensor, axes: Tensor): TensorLike {
  const [knownShape, knownAxes] = [staticValue(shape), staticValue(axes)];
  if (knownShape !== undefined && knownAxes !== undefined) {
    const at = Array.from({ length: knownAxes.size }, (_, i) => Number(knownAxes.get(i)));
    return Array.from({ length: knownShape.size }, (_, i) => (at.includes(i) ? 1 : Number(knownShape.get(i))));
  }
  const count = size(shape, { outType: axes.dtype });
  const wrapped = mod(add(axes, count), count);
  const axesShape = shapeOf(wrapped);
  return dynamicStitch([range(count), wrapped], [shape, ones(axesShape, shape.dtype)]);
}

/** Only one class of a set of ids. */
function ofClass(given: Tensor | SparseTensor, classId: number): SparseTensor {
  if (given instanceof SparseTensor) return sparseRetain(given, equal(given.values, classId));
  const shape = shapeOf(given, { outType: "int64" });
  const last = sub(size(shape), 1);
  const filled = fill(withSizeOne(shape, reshape(last, [1])), castInteger(classId, "int64"));
  const { indices, values } = setIntersection(filled, given);
  return new SparseTensor(indices, values, shape);
}

const selected = (
  labels: Tensor | SparseTensor,
  predictions: Tensor,
  classId: number | null,
): [Tensor | SparseTensor, Tensor | SparseTensor] =>
  classId === null ? [labels, predictions] : [ofClass(labels, classId), ofClass(predictions, classId)];

type Sets = (predictions: Tensor | SparseTensor, labels: Tensor | SparseTensor) => SparseTensor;
/** How many of each example's predictions and labels are right, wrong, or missed. */
const kinds = {
  true_positive: (predictions, labels) => setIntersection(predictions, labels),
  false_positive: (predictions, labels) => setDifference(predictions, labels, { aminusb: true }),
  false_negative: (predictions, labels) => setDifference(predictions, labels, { aminusb: false }),
} as const satisfies Readonly<Record<string, Sets>>;
type Kind = keyof typeof kinds;

interface Sides {
  readonly labels: Tensor | SparseTensor;
  readonly predictions: Tensor;
  readonly classId: number | null;
  readonly weights: TensorLike | null;
}

function countsOf(kind: Kind, { labels, predictions, classId, weights }: Sides, name: string | null = null): Tensor {
  return inScope(name, `${kind}s`, () => {
    const [l, p] = selected(labels, predictions, classId);
    const counts = cast(setSize(kinds[kind](p, l)), "float64");
    if (weights === null) return counts;
    return checkedWeights(weights, counts, () => multiply(counts, cast(weights, "float64")));
  });
}

/** The sum over all batches: a variable and its update. */
function summed(kind: Kind, k: number | null, sides: Sides): [total: Tensor, update: Tensor] {
  return inScope(null, atK(kind, k, sides.classId), scope => {
    const batchTotal = cast(reduceSum(countsOf(kind, sides)), "float64");
    const total = metricVariable([], "float64", scope);
    return [convertToTensor(total), convertToTensor(assignAdd(total, batchTotal, { name: "update" }))];
  });
}

/** Right ones among right ones and those of another kind. */
function share(
  what: "precision" | "recall",
  other: Kind,
  labels: Labels,
  predictionsIdx: TensorLike,
  k: number | null,
  options: AtKOptions,
): Metric {
  const classId = options.classId ?? null;
  return inScope(options.name, atK(what, k, classId), scope => {
    const indices = convertToTensor(predictionsIdx);
    const expanded = expandedLabels(labels, indices);
    const sides: Sides = { labels: expanded, predictions: cast(indices, "int64"), classId, weights: options.weights ?? null };
    const [right, rightUpdate] = summed("true_positive", k, sides);
    const [wrong, wrongUpdate] = summed(other, k, sides);
    const value = divide(right, addNamed(right, wrong), { name: scope });
    const update = divide(rightUpdate, addNamed(rightUpdate, wrongUpdate), { name: "update" });
    return listed([value, update], options);
  });
}

function listed(metric: Metric, { metricsCollections, updatesCollections }: AtKOptions): Metric {
  const graph = getDefaultGraph();
  if (metricsCollections) graph.addToCollections(metricsCollections, metric[0]);
  if (updatesCollections) graph.addToCollections(updatesCollections, metric[1]);
  return metric;
}

/** Labelled classes among the predicted ones `predictionsIdx` [..., k], over all batches. TF: tf.metrics.precision_at_top_k. */
export const precisionAtTopK = (
  labels: Labels,
  predictionsIdx: TensorLike,
  ...rest: readonly (number | Rest[number] | { readonly k?: number | null })[]
): Metric => {
  const { k = null, ...options } = collect<AtKOptions & { k: number | null }>(["k", ...order], rest);
  return share("precision", "false_positive", labels, predictionsIdx, k, options);
};

/** Predicted classes `predictionsIdx` [..., k] among the labelled ones, over all batches. TF: tf.metrics.recall_at_top_k. */
export const recallAtTopK = (
  labels: Labels,
  predictionsIdx: TensorLike,
  ...rest: readonly (number | Rest[number] | { readonly k?: number | null })[]
): Metric => {
  const { k = null, ...options } = collect<AtKOptions & { k: number | null }>(["k", ...order], rest);
  return share("recall", "false_negative", labels, predictionsIdx, k, options);
};

const ofBest =
  (what: "precision" | "recall", other: Kind) =>
  (labels: Labels, predictions: TensorLike, k: number, ...rest: Rest): Metric => {
    const options = collect<AtKOptions>(order, rest);
    return inScope(options.name, atK(what, k, options.classId ?? null), scope => {
      if (k === null) throw new ValueError("Tried to convert 'k' to a tensor and failed. Error: None values not supported.");
      return share(what, other, labels, topK(predictions, k).indices, k, { ...options, name: scope });
    });
  };

/** Of the k best predictions, those that are labelled: labels [..., n] of classes, predictions [..., classes]. TF: tf.metrics.precision_at_k. */
export const precisionAtK = ofBest("precision", "false_positive");
/** Of the labels, those among the k best predictions. TF: tf.metrics.recall_at_k. */
export const recallAtK = ofBest("recall", "false_negative");
export { precisionAtK as sparsePrecisionAtK };

// ---- average precision ----

/** Repeated `multiple` times along a new dimension before the last. */
function repeated(given: Tensor | SparseTensor, multiple: number, name: string): Tensor | SparseTensor {
  const dim = -1;
  return inScope(name, "expand_and_tile", scope => {
    if (given instanceof SparseTensor) {
      const at = reshape(add(size(given.denseShape), dim), [1]);
      const shape = concat([slice(given.denseShape, [0], at), [1], slice(given.denseShape, at, [-1])], 0, { name: "expanded_shape" });
      const expanded = sparseReshape(given, shape, { name: "expand" });
      return multiple === 1 ? expanded : sparseConcat(dim - 1, Array<SparseTensor>(multiple).fill(expanded), { name: scope });
    }
    const expanded = expandDims(given, dim - 1, { name: "expand" });
    if (multiple === 1) return expanded;
    const units = onesLike(shapeOf(given));
    const parts = [getItem(units, [null, dim]), [multiple], getItem(units, [dim, null])];
    return tile(expanded, concat(parts, 0, { name: "multiples" }), { name: scope });
  });
}

/** How many of an example's labels the first k can hold. */
function relevantCount(labels: Tensor | SparseTensor, k: number): Tensor {
  return inScope(null, "num_relevant", scope => {
    if (labels instanceof SparseTensor) return minimum(setSize(labels), k, { name: scope });
    const isLabel = whereV2(greaterEqual(labels, 0), onesLike(labels), zerosLike(labels)) as Tensor;
    return minimum(reduceSum(isLabel, -1), k, { name: scope });
  });
}

/** Of each example: the mean of the precisions at those positions where a label is found. */
function averagePrecision(given: Tensor | SparseTensor, predictionsIdx: Tensor): Tensor {
  return inScope(null, "average_precision", scope => {
    const indices = cast(predictionsIdx, "int64", { name: "predictions_idx" });
    if (indices.shape.rank === 0) throw new ValueError("The rank of `predictions_idx` must be at least 1.");
    const k = indices.shape.dim(-1);
    if (k === null) throw new ValueError("The last dimension of predictions_idx must be set. Currently, it is None.");
    const labels = expandedLabels(given, indices);
    const perK = expandDims(indices, -1, { name: "predictions_idx_per_k" });
    const labelsPerK = repeated(labels, k, "labels_per_k");
    const relevant = countsOf("true_positive", { labels: labelsPerK, predictions: perK, classId: null, weights: null }, "relevant_per_k");
    const right = cumsum(relevant, -1, { name: "tp_per_k" });
    const retrieved = cumsum(onesLike(relevant), -1, { name: "retrieved_per_k" });
    const precision = divide(cast(right, "float64"), cast(retrieved, "float64"), { name: "precision_per_k" });
    const relevantPrecision = multiply(precision, cast(relevant, "float64"), { name: "relevant_precision_per_k" });
    const sum = reduceSum(relevantPrecision, [-1], { name: "precision_sum" });
    return divide(sum, cast(relevantCount(labels, k), "float64"), { name: scope });
  });
}

/** Labels that are no class become -1, which no prediction is. */
function withoutUnknown(labels: Tensor | SparseTensor, classes: Tensor): Tensor | SparseTensor {
  const cleaned = (values: Tensor): Tensor => whereV2(greaterEqual(values, classes), mul(-1, onesLike(values)), values) as Tensor;
  if (!(labels instanceof SparseTensor))
    return cond(
      greaterEqual(reduceMax(labels), classes),
      () => cleaned(labels),
      () => labels,
    ) as Tensor;
  const parts = cond(
    greaterEqual(reduceMax(labels.values), classes),
    () => [labels.indices, cleaned(labels.values), labels.denseShape],
    () => partsOf(labels),
  ) as Tensor[];
  return new SparseTensor(parts[0], parts[1], parts[2]);
}

/** The mean, over all examples so far, of the average precision of the k best predictions. TF: tf.metrics.average_precision_at_k.
 *  @throws ValueError if k is less than 1. */
export function averagePrecisionAtK(labels: Labels, predictions: TensorLike, k: number, ...rest: Rest): Metric {
  if (k < 1) throw new ValueError(`Invalid k=${k}. \`k\` should be >= 1.`);
  const options = collect<AtKOptions>(order.slice(1), rest);
  return inScope(options.name, atK("average_precision", k, null), outer => {
    const scores = convertToTensor(predictions);
    const indices = topK(scores, k).indices;
    const known = withoutUnknown(sparseOr(labels), cast(getItem(shapeOf(scores), -1), "int64"));
    return inScope(outer, "average_precision_at_top_k", scope => {
      let precision = averagePrecision(known, indices);
      const given = options.weights ?? null;
      const weights = given === null ? null : broadcastWeights(cast(given, "float64"), precision);
      if (weights !== null) precision = multiply(precision, weights);
      const [most, mostUpdate] = inScope(null, "max", maxScope => {
        const variable = metricVariable([], "float64", maxScope);
        const batch =
          weights === null ? cast(size(precision, { name: "batch_max" }), "float64") : reduceSum(weights, null, { name: "batch_max" });
        return [convertToTensor(variable), convertToTensor(assignAdd(variable, batch, { name: "update" }))];
      });
      const [total, totalUpdate] = inScope(null, "total", totalScope => {
        const variable = metricVariable([], "float64", totalScope);
        const batch = reduceSum(precision, null, { name: "batch_total" });
        return [convertToTensor(variable), convertToTensor(assignAdd(variable, batch, { name: "update" }))];
      });
      return listed([divNoNan(total, most, { name: "mean" }), divNoNan(totalUpdate, mostUpdate, { name: scope })], options);
    });
  });
}
export { averagePrecisionAtK as sparseAveragePrecisionAtK };
