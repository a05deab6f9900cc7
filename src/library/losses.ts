// Losses: one number for how wrong predictions are, weighted, and listed in the `losses` collection. TF: tf.losses.

import { ValueError } from "../base/errors.ts";
import { convertToTensor, type TensorLike } from "../graph/conversion.ts";
import { getDefaultGraph } from "../graph/default-graph.ts";
import type { Tensor } from "../graph/operation.ts";
import { type ByName, byName, collect, eitherName, isOptions, refuseOthers } from "../ops/arguments.ts";
import { constant, onesLike, rank, shape as shapeOf, size, stopGradient, zerosLike } from "../ops/array/array.ts";
import { range } from "../ops/array/ranges.ts";
import { where } from "../ops/array/selection.ts";
import { getItem } from "../ops/array/slicing.ts";
import { abs, log, negative, square } from "../ops/math/functions.ts";
import { add as addNamed, divNoNan, maximum, minimum, multiply, squaredDifference, subtract } from "../ops/math/math.ts";
import { addN } from "../ops/math/add-n.ts";
import { cast } from "../ops/math/cast.ts";
import { equal } from "../ops/math/comparison.ts";
import { reduceSum } from "../ops/math/reduction.ts";
import { relu } from "../ops/nn/nn.ts";
import { sigmoidCrossEntropyWithLogits, softmaxCrossEntropyWithLogitsV2, sparseSoftmaxCrossEntropyWithLogits } from "../ops/nn/loss.ts";
import { add, greater, mul, sub, truediv } from "../ops/operators.ts";
import { GraphKeys } from "./variables/graph-keys.ts";
import { assertSameShape, broadcastWeights, checkedWeights, fittedWeights, removeSqueezableDimensions } from "./weights.ts";

/** How the losses of single elements become one. */
export const Reduction = {
  NONE: "none",
  SUM: "weighted_sum",
  SUM_OVER_BATCH_SIZE: "weighted_sum_over_batch_size",
  MEAN: "weighted_mean",
  /** The sum over the number of elements whose weight is not zero: the default. */
  SUM_BY_NONZERO_WEIGHTS: "weighted_sum_by_nonzero_weights",
  SUM_OVER_NONZERO_WEIGHTS: "weighted_sum_by_nonzero_weights",
} as const;
export type ReductionKind = (typeof Reduction)[keyof typeof Reduction];

export interface LossOptions {
  /** A scalar, or weights of the rank of the losses. */
  readonly weights?: TensorLike;
  readonly scope?: string | null;
  /** The collection the loss is added to; null for none. */
  readonly lossCollection?: string | null;
  readonly reduction?: ReductionKind;
}

type Rest<O> = readonly (O | TensorLike | null | undefined)[];

/** Arguments by position or name; a loss collection given as null means none. */
function optionsOf<O extends LossOptions>(order: readonly string[], rest: readonly unknown[]): O & { lossCollection: string | null } {
  const options = collect<O>(order, rest) as O;
  const last = rest[rest.length - 1];
  const isNull = (isOptions(last) && last.lossCollection === null) || rest[order.indexOf("lossCollection")] === null;
  return { ...options, lossCollection: isNull ? null : (options.lossCollection ?? GraphKeys.LOSSES) };
}

const usual = ["weights", "scope", "lossCollection", "reduction"];

function required(labels: unknown, labelsName: string, predictions: unknown, predictionsName: string): void {
  if (labels === null || labels === undefined) throw new ValueError(`Argument \`${labelsName}\` must not be None.`);
  if (predictions === null || predictions === undefined) throw new ValueError(`Argument \`${predictionsName}\` must not be None.`);
}

/** A loss in its scope: both sides as float32 of one shape, the losses of elements from `body`, then weighted. */
function elementwiseLoss(
  name: string,
  options: LossOptions,
  labels: TensorLike,
  predictions: TensorLike,
  body: (labels: Tensor, predictions: Tensor) => Tensor,
): Tensor {
  return getDefaultGraph().nameScope(options.scope ?? name, scope => {
    const p = cast(predictions, "float32");
    const l = cast(labels, "float32");
    assertSameShape(p, l);
    return weightedLoss(body(l, p), { ...options, scope: String(scope) });
  });
}

/** Weighs the losses of elements and reduces them. TF: tf.losses.compute_weighted_loss. @throws ValueError for weights that do not fit. */
export const computeWeightedLoss = (losses: TensorLike, ...rest: Rest<LossOptions>): Tensor =>
  weightedLoss(losses, optionsOf<LossOptions>(usual, rest));

function weightedLoss(losses: TensorLike, options: LossOptions): Tensor {
  const { weights = 1, scope, lossCollection, reduction = Reduction.SUM_BY_NONZERO_WEIGHTS } = options;
  if (!(Object.values(Reduction) as readonly string[]).includes(reduction))
    throw new ValueError(
      `Invalid Reduction Key ${reduction}. Key should be one of ('none', 'weighted_sum', 'weighted_mean', 'weighted_sum_over_batch_size', 'weighted_sum_by_nonzero_weights', 'weighted_sum_by_nonzero_weights').`,
    );
  return getDefaultGraph().nameScope(scope ?? "weighted_loss", () =>
    checkedWeights(weights, losses, () => {
      const given = convertToTensor(losses);
      const values = cast(given, "float32");
      const factors = cast(weights, "float32");
      const loss = cast(reduced(values, factors, multiply(values, factors), reduction), given.dtype);
      addLoss(loss, { lossCollection });
      return loss;
    }),
  );
}

function reduced(values: Tensor, factors: Tensor, weighted: Tensor, reduction: ReductionKind): Tensor {
  if (reduction === Reduction.NONE) return weighted;
  const sum = reduceSum(weighted);
  switch (reduction) {
    case Reduction.MEAN:
      return safeMean(sum, reduceSum(mul(onesLike(values), factors)));
    case Reduction.SUM_BY_NONZERO_WEIGHTS:
      return safeMean(sum, numPresent(values, factors));
    case Reduction.SUM_OVER_BATCH_SIZE:
      return safeMean(sum, numElements(values));
    default:
      return sum;
  }
}

/** 0 where nothing is present. */
const safeMean = (losses: Tensor, present: Tensor): Tensor => divNoNan(reduceSum(losses), present, { name: "value" });

const numElements = (losses: Tensor): Tensor =>
  getDefaultGraph().nameScope("num_elements", scope => cast(size(losses, { name: String(scope) }), losses.dtype));

/** How many elements have a weight other than zero. */
function numPresent(losses: Tensor, weights: Tensor, perBatch = false): Tensor {
  return getDefaultGraph().nameScope("num_present", scope => {
    const factors = cast(weights, "float32");
    const present = broadcastWeights(where(equal(factors, 0), zerosLike(factors), onesLike(factors)) as Tensor, losses);
    if (perBatch) return reduceSum(present, range(1, rank(present)), { keepdims: true, name: String(scope) });
    return reduceSum(present, null, { name: String(scope) });
  });
}

/** |predictions - labels|. TF: tf.losses.absolute_difference. */
export function absoluteDifference(labels: TensorLike, predictions: TensorLike, ...rest: Rest<LossOptions>): Tensor {
  required(labels, "labels", predictions, "predictions");
  return elementwiseLoss("absolute_difference", optionsOf<LossOptions>(usual, rest), labels, predictions, (l, p) => abs(subtract(p, l)));
}

/** (predictions - labels)². TF: tf.losses.mean_squared_error. */
export function meanSquaredError(labels: TensorLike, predictions: TensorLike, ...rest: Rest<LossOptions>): Tensor {
  required(labels, "labels", predictions, "predictions");
  return elementwiseLoss("mean_squared_error", optionsOf<LossOptions>(usual, rest), labels, predictions, (l, p) => squaredDifference(p, l));
}

export interface CosineOptions extends LossOptions {
  /** The dimension along which vectors lie; they should be of unit length. */
  readonly axis?: number | null;
  readonly dim?: number | null;
}

/** 1 - Σ predictions·labels along `axis`. TF: tf.losses.cosine_distance. */
export function cosineDistance(labels: TensorLike, predictions: TensorLike, ...rest: Rest<CosineOptions>): Tensor {
  const options = optionsOf<CosineOptions>(["axis", ...usual, "dim"], rest);
  const axis = eitherName("axis", options.axis, "dim", options.dim);
  if (axis === null || axis === undefined) throw new ValueError("You must specify argument `axis`.");
  required(labels, "labels", predictions, "predictions");
  return elementwiseLoss("cosine_distance_loss", options, labels, predictions, (l, p) =>
    sub(1, reduceSum(multiply(p, l), [axis], { keepdims: true })),
  );
}

/** max(0, 1 - (2·label - 1)·logit) for labels 0 and 1. TF: tf.losses.hinge_loss. */
export function hingeLoss(labels: TensorLike, logits: TensorLike, ...rest: Rest<LossOptions>): Tensor {
  required(labels, "labels", logits, "logits");
  return elementwiseLoss("hinge_loss", optionsOf<LossOptions>(usual, rest), labels, logits, (l, z) => {
    const ones = onesLike(l);
    const signs = subtract(mul(2, l), ones);
    return relu(subtract(ones, multiply(signs, z)));
  });
}

export interface HuberOptions extends LossOptions {
  /** Where the square turns into a straight line. */
  readonly delta?: number;
}

/** Squared below `delta`, linear above. TF: tf.losses.huber_loss. */
export function huberLoss(labels: TensorLike, predictions: TensorLike, ...rest: Rest<HuberOptions>): Tensor {
  required(labels, "labels", predictions, "predictions");
  const options = optionsOf<HuberOptions>(["weights", "delta", "scope", "lossCollection", "reduction"], rest);
  const { delta = 1 } = options;
  return elementwiseLoss("huber_loss", options, labels, predictions, (l, p) => {
    const error = abs(subtract(p, l));
    const quadratic = minimum(error, delta);
    const linear = subtract(error, quadratic);
    const half = convertToTensor(0.5, { dtype: quadratic.dtype });
    return addNamed(multiply(half, multiply(quadratic, quadratic)), multiply(delta, linear));
  });
}

export interface LogLossOptions extends LossOptions {
  readonly epsilon?: number;
}

/** -label·log(p + ε) - (1 - label)·log(1 - p + ε). TF: tf.losses.log_loss. */
export function logLoss(labels: TensorLike, predictions: TensorLike, ...rest: Rest<LogLossOptions>): Tensor {
  required(labels, "labels", predictions, "predictions");
  const options = optionsOf<LogLossOptions>(["weights", "epsilon", "scope", "lossCollection", "reduction"], rest);
  const { epsilon = 1e-7 } = options;
  return elementwiseLoss("log_loss", options, labels, predictions, (l, p) => {
    const positive = negative(multiply(l, log(add(p, epsilon))));
    return sub(positive, multiply(sub(1, l), log(add(sub(1, p), epsilon))));
  });
}

/** Squared error of the differences between all pairs of a batch's elements. TF: tf.losses.mean_pairwise_squared_error. */
export function meanPairwiseSquaredError(labels: TensorLike, predictions: TensorLike, ...rest: Rest<LossOptions>): Tensor {
  required(labels, "labels", predictions, "predictions");
  const { weights = 1, scope, lossCollection } = optionsOf<LossOptions>(["weights", "scope", "lossCollection"], rest);
  return getDefaultGraph().nameScope(scope ?? "mean_pairwise_squared_error", () => {
    const factors = cast(weights, "float32");
    const l = cast(labels, "float32");
    return checkedWeights(factors, l, () => {
      const p = cast(predictions, "float32");
      assertSameShape(p, l);
      const differences = subtract(p, l);
      const axes = range(1, rank(differences));
      const squares = reduceSum(square(differences), axes, { keepdims: true });
      const present = numPresent(differences, factors, true);
      const first = mul(2, divNoNan(squares, maximum(sub(present, 1), 0), { name: "value" }));
      const sum = reduceSum(differences, axes, { keepdims: true });
      const squareOfSum = square(sum);
      const pairs = maximum(multiply(present, sub(present, 1)), 0);
      const second = mul(2, divNoNan(squareOfSum, pairs, { name: "value" }));
      const loss = reduceSum(multiply(sub(first, second), factors));
      const mean = where(greater(reduceSum(present), 0), loss, zerosLike(loss), { name: "value" }) as Tensor;
      addLoss(mean, { lossCollection });
      return mean;
    });
  });
}

export interface SmoothedOptions extends LossOptions {
  /** Moves labels this far toward indifference. */
  readonly labelSmoothing?: number;
}
const smoothed = ["weights", "labelSmoothing", "scope", "lossCollection", "reduction"];

/** Sigmoid cross entropy of independent classes. TF: tf.losses.sigmoid_cross_entropy. */
export function sigmoidCrossEntropy(multiClassLabels: TensorLike, logits: TensorLike, ...rest: Rest<SmoothedOptions>): Tensor {
  required(multiClassLabels, "multi_class_labels", logits, "logits");
  const options = optionsOf<SmoothedOptions>(smoothed, rest);
  const { labelSmoothing = 0 } = options;
  return getDefaultGraph().nameScope(options.scope ?? "sigmoid_cross_entropy_loss", scope => {
    const z = convertToTensor(logits);
    let labels = cast(multiClassLabels, z.dtype);
    assertSameShape(z, labels);
    if (labelSmoothing > 0) labels = add(mul(labels, 1 - labelSmoothing), 0.5 * labelSmoothing);
    const losses = sigmoidCrossEntropyWithLogits({ labels, logits: z, name: "xentropy" });
    return weightedLoss(losses, { ...options, scope: String(scope) });
  });
}

/** Softmax cross entropy with probabilities (one-hot) as labels. TF: tf.losses.softmax_cross_entropy. */
export function softmaxCrossEntropy(onehotLabels: TensorLike, logits: TensorLike, ...rest: Rest<SmoothedOptions>): Tensor {
  required(onehotLabels, "onehot_labels", logits, "logits");
  const options = optionsOf<SmoothedOptions>(smoothed, rest);
  const { labelSmoothing = 0 } = options;
  return getDefaultGraph().nameScope(options.scope ?? "softmax_cross_entropy_loss", scope => {
    const z = convertToTensor(logits);
    let labels = cast(onehotLabels, z.dtype);
    assertSameShape(z, labels);
    if (labelSmoothing > 0) {
      const classes = cast(getItem(shapeOf(labels), -1), z.dtype);
      const rest = truediv(labelSmoothing, classes);
      labels = add(mul(labels, 1 - labelSmoothing), rest);
    }
    const fixed = stopGradient(labels, { name: "labels_stop_gradient" });
    const losses = softmaxCrossEntropyWithLogitsV2({ labels: fixed, logits: z, name: "xentropy" });
    return weightedLoss(losses, { ...options, scope: String(scope) });
  });
}

/** Softmax cross entropy with class numbers as labels. TF: tf.losses.sparse_softmax_cross_entropy. */
export function sparseSoftmaxCrossEntropy(labels: TensorLike, logits: TensorLike, ...rest: Rest<LossOptions>): Tensor {
  required(labels, "labels", logits, "logits");
  const options = optionsOf<LossOptions>(usual, rest);
  return getDefaultGraph().nameScope(options.scope ?? "sparse_softmax_cross_entropy_loss", scope => {
    const [classes, z] = removeSqueezableDimensions(labels, logits, 1, "int32");
    const weights = fittedToLabels(options.weights ?? 1, classes);
    const losses = sparseSoftmaxCrossEntropyWithLogits({ labels: classes, logits: z, name: "xentropy" });
    return weightedLoss(losses, { ...options, weights, scope: String(scope) });
  });
}

/** Weights may have one dimension more than the labels, never one less. */
function fittedToLabels(given: TensorLike, labels: Tensor): Tensor {
  const weights = convertToTensor(given);
  const isWider = weights.shape.rank !== null && labels.shape.rank !== null && weights.shape.rank - labels.shape.rank === 1;
  return isWider ? fittedWeights(weights, labels) : weights;
}

// ---- the collections ----

interface Collected {
  readonly lossCollection?: string | null;
}

/** TF: tf.losses.add_loss. */
export function addLoss(loss: Tensor, { lossCollection = GraphKeys.LOSSES, ...others }: Collected = {}): void {
  refuseOthers(others);
  if (lossCollection) getDefaultGraph().addToCollection(lossCollection, loss);
}

/** TF: tf.losses.get_losses. */
export const getLosses = (
  ...given: readonly (string | null | undefined | (Collected & { readonly scope?: string | null }))[]
): Tensor[] => {
  const { scope, lossCollection = GraphKeys.LOSSES } = collect<{ scope: string; lossCollection: string }>(
    ["scope", "lossCollection"],
    given,
  );
  return getDefaultGraph().getCollection(lossCollection, scope);
};
/** TF: tf.losses.get_regularization_losses. */
export const getRegularizationLosses = (scope?: ByName<"scope", string | null>): Tensor[] =>
  getDefaultGraph().getCollection(GraphKeys.REGULARIZATION_LOSSES, byName("scope", scope));

/** The sum of the regularization losses; 0 if there are none. TF: tf.losses.get_regularization_loss. */
export function getRegularizationLoss(...rest: readonly (string | null | { scope?: string | null; name?: string | null })[]): Tensor {
  const { scope, name } = collect<{ scope: string; name: string }>(["scope", "name"], rest);
  const losses = getRegularizationLosses(scope);
  return losses.length > 0 ? addN(losses, { name: name ?? "total_regularization_loss" }) : constant(0);
}

interface TotalOptions {
  readonly addRegularizationLosses?: boolean;
  readonly name?: string | null;
  readonly scope?: string | null;
}

/** The sum of all losses. TF: tf.losses.get_total_loss. */
export function getTotalLoss(...rest: readonly (TotalOptions | boolean | string | null)[]): Tensor {
  const { addRegularizationLosses = true, name, scope } = collect<TotalOptions>(["addRegularizationLosses", "name", "scope"], rest);
  const losses = [...getLosses(scope), ...(addRegularizationLosses ? getRegularizationLosses(scope) : [])];
  return addN(losses, { name: name ?? "total_loss" });
}
