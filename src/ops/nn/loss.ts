// Losses of logits: softmax and sigmoid cross entropies, in TensorFlow's ops and its functions' very nodes.

import { pythonStr } from "../../base/python-text.ts";
import { InvalidArgumentError, ValueError } from "../../base/errors.ts";
import { broadcastShapes, TensorShape } from "../../base/shape.ts";
import * as attr from "../../graph/attributes.ts";
import { convertToTensor, type TensorLike } from "../../graph/conversion.ts";
import { defineOp, type Gradients } from "../../graph/op-definition.ts";
import { Tensor } from "../../graph/operation.ts";
import { broadcastTo, check, generate, loadBroadcast, map, reduceOver, reshape as reshapeValue } from "../../ir/build.ts";
import { constantIndex, dataIndex, type Index } from "../../ir/index-map.ts";
import type { Value } from "../../ir/program.ts";
import { indexScalar, loadScalar, s } from "../../ir/scalar.ts";
import { collect, eitherName } from "../arguments.ts";
import { expandDims, onesLike, rank, reshape, shape as shapeOf, squeeze, stopGradient, zerosLike } from "../array/array.ts";
import { range } from "../array/ranges.ts";
import { transpose } from "../array/rearranging.ts";
import { Select } from "../array/selection.ts";
import { concat, getItem, slice } from "../array/slicing.ts";
import { assertEqual, assertInteger, assertNonNegative, assertScalar } from "../flow/check.ts";
import { AddV2, Mul, Sub } from "../math/math.ts";
import { cast } from "../math/cast.ts";
import { GreaterEqual, LessEqual, LogicalAnd } from "../math/comparison.ts";
import { Abs, Exp, Log, Log1p, Neg } from "../math/functions.ts";
import { matmul } from "../math/matrix.ts";
import { reduceSum } from "../math/reduction.ts";
import { inNameScope } from "../named.ts";
import { logSoftmax, relu, rowExponentials, softmax } from "./nn.ts";
import * as operator from "../operators.ts";

const floats = ["float16", "bfloat16", "float32", "float64"] as const;

// ---- softmax cross entropy ----

/** Per row: loss = -Σ labels·log softmax(features), backprop = softmax(features) - labels. Rows of one broadcast against the other. */
export const SoftmaxCrossEntropyWithLogits = defineOp("SoftmaxCrossEntropyWithLogits", {
  inputs: { features: "T", labels: "T" },
  outputs: { loss: "T", backprop: "T" },
  attrs: { T: attr.type(floats) },
  shape: ({ features, labels }) => {
    // TensorFlow merges the shapes where it can, and broadcasts them else.
    const isMergeable = (features.rank ?? 2) === 2 && features.isCompatibleWith(labels);
    const both = isMergeable ? features.withRank(2).mergeWith(labels) : broadcastShapes(features, labels);
    if (both.rank !== 2) throw new ValueError(`Shape must be broadcasted with rank 2, but is rank ${both.rank ?? "unknown"}`);
    return [new TensorShape([both.dim(0)]), both];
  },
  gradient: ({ features, backprop }, d, _op, flows): Gradients => {
    const first = operator.mul(expandDims(d.loss, -1), backprop);
    const dFeatures = flows("backprop") ? withSecondOrder(first, features, d.backprop) : first;
    const surprise = operator.neg(logSoftmax(features));
    return { features: dFeatures, labels: operator.mul(expandDims(d.loss, -1), surprise) };
  },
  lower: ({ features, labels }) => {
    if (features.shape.length !== 2 || labels.shape.length !== 2)
      throw new InvalidArgumentError(
        `logits and labels must be either 2-dimensional, or broadcasted to be 2-dimensional: logits_size=[${features.shape}] labels_size=[${labels.shape}]`,
      );
    const rows = Math.max(features.shape[0], labels.shape[0]) * Math.min(1, features.shape[0], labels.shape[0]);
    const classes = Math.max(features.shape[1], labels.shape[1]) * Math.min(1, features.shape[1], labels.shape[1]);
    for (const value of [features, labels])
      if ((value.shape[0] !== rows && value.shape[0] !== 1) || (value.shape[1] !== classes && value.shape[1] !== 1))
        throw new InvalidArgumentError(
          `logits and labels must be broadcastable: logits_size=[${features.shape}] labels_size=[${labels.shape}]`,
        );
    const wide = features.shape[0] === rows && features.shape[1] === classes ? features : broadcastTo(features, [rows, classes]);
    const { most, sum } = rowExponentials(wide);
    const logSum = map(total => s.log(total), sum);
    const loss = reduceOver("sum", [rows], [classes], (i, r) => {
      const at = [i[0], r[0]];
      const row = [i[0], constantIndex(0)];
      const label = loadBroadcast(labels, at);
      return s.mul(label, s.sub(loadScalar(logSum, row), s.sub(loadScalar(wide, at), loadScalar(most, row))));
    });
    return [loss, map((x, m, total, label) => s.sub(s.div(s.expNonPositive(s.sub(x, m)), total), label), wide, most, sum, labels)];
  },
});

/** Adds what flows back through the op's own gradient. */
function withSecondOrder(first: Tensor, logits: Tensor, dBackprop: Tensor): Tensor {
  const p = softmax(logits);
  const inner = squeeze(matmul(expandDims(dBackprop, 1), expandDims(p, 2)), [1]);
  return operator.add(first, operator.mul(operator.sub(dBackprop, inner), p));
}

/** The same with one class number per row as label. @throws InvalidArgumentError while running for numbers outside [0, classes). */
export const SparseSoftmaxCrossEntropyWithLogits = defineOp("SparseSoftmaxCrossEntropyWithLogits", {
  inputs: { features: "T", labels: "Tlabels" },
  outputs: { loss: "T", backprop: "T" },
  attrs: { T: attr.type(floats), Tlabels: attr.type(attr.indexTypes, "int64") },
  shape: ({ features, labels }) => {
    const logits = features.withRank(2);
    const classes = labels.withRank(1);
    const [d, e] = [logits.dim(0), classes.dim(0)];
    if (d !== null && e !== null && d !== e) throw new ValueError(`Dimensions must be equal, but are ${d} and ${e}`);
    return [new TensorShape([d ?? e]), new TensorShape([d ?? e, logits.dim(1)])];
  },
  gradient: ({ features, backprop }, d, _op, flows): Gradients => {
    const first = operator.mul(expandDims(d.loss, -1), backprop);
    return { features: flows("backprop") ? withSecondOrder(first, features, d.backprop) : first, labels: null };
  },
  lower: ({ features, labels }) => {
    const [rows, classes] = checkSparse(features, labels);
    const { most, sum } = rowExponentials(features);
    const row = (n: Index): Index[] => [n, constantIndex(0)];
    const loss = map(
      (total, x) => s.sub(s.log(total), x),
      reshapeValue(sum, [rows]),
      generate([rows], i => s.sub(loadScalar(features, [i[0], dataIndex(loadScalar(labels, i), classes)]), loadScalar(most, row(i[0])))),
    );
    const backprop = generate([rows, classes], ([n, c]) => {
      const p = s.div(s.expNonPositive(s.sub(loadScalar(features, [n, c]), loadScalar(most, row(n)))), loadScalar(sum, row(n)));
      return s.select(s.eq(indexScalar(c, labels.dtype as "int32"), loadScalar(labels, [n])), s.sub(p, 1), p);
    });
    return [loss, backprop];
  },
});

function checkSparse(features: Value, labels: Value): readonly number[] {
  const [rows, classes] = features.shape;
  if (features.shape.length !== 2) throw new InvalidArgumentError(`logits must be 2-D, but got shape [${features.shape}]`);
  if (labels.shape.length !== 1) throw new InvalidArgumentError(`labels must be 1-D, but got shape [${labels.shape}]`);
  if (labels.shape[0] !== rows)
    throw new InvalidArgumentError(
      `logits and labels must have the same first dimension, got logits shape [${features.shape}] and labels shape [${labels.shape}]`,
    );
  if (classes === 0 && rows > 0) throw new InvalidArgumentError(`Must have at least one class, but got logits shape [${features.shape}]`);
  check(
    labels.shape,
    i => {
      const label = loadScalar(labels, i);
      return s.and(s.ge(label, 0), s.lt(label, classes));
    },
    {
      label: "labels in range",
      reads: [labels],
      error: (_, read) => {
        const values = Array.from({ length: rows }, (_row, i) => Number(read(labels).get(i)));
        const least = Math.min(...values);
        const blamed = least < 0 ? least : Math.max(...values);
        return new InvalidArgumentError(
          `Received a label value of ${blamed} which is outside the valid range of [0, ${classes}).  Label values: ${values.join(" ")}`,
        );
      },
    },
  );
  return features.shape;
}

interface CrossEntropyArguments {
  readonly labels?: TensorLike | null;
  readonly logits?: TensorLike | null;
  /** The axis of the classes; the last one. */
  readonly axis?: number | null;
  /** Another name of `axis`. */
  readonly dim?: number | null;
  readonly name?: string | null;
}

function bothGiven(fn: string, labels: TensorLike | null | undefined, logits: TensorLike | null | undefined): void {
  if (labels === null || labels === undefined || logits === null || logits === undefined)
    throw new ValueError(
      `Both \`labels\` and \`logits\` must be provided for ${fn}Received: labels=${pythonStr(labels)} and logits=${pythonStr(logits)}`,
      "Pass them by name: { labels, logits }.",
    );
}

/** Cross entropy between softmax(logits) and labels (probabilities, of the logits' shape); one loss per row. Gradients flow into labels too.
 *  Called as `({ labels, logits })`, or `(labels, logits, …)`. TF: tf.nn.softmax_cross_entropy_with_logits_v2. */
export function softmaxCrossEntropyWithLogitsV2(
  ...given: [CrossEntropyArguments] | [labels: TensorLike, logits: TensorLike, options?: CrossEntropyArguments]
): Tensor {
  const { labels, logits, axis, dim, name } = collect<CrossEntropyArguments>(["labels", "logits", "axis", "name", "dim"], given);
  if (labels === undefined || labels === null || logits === undefined || logits === null)
    throw new ValueError("None values not supported.");
  return softmaxLoss(labels, logits, eitherName("axis", axis, "dim", dim) ?? -1, name);
}

/** The same without gradients into labels. TF: tf.nn.softmax_cross_entropy_with_logits. */
export function softmaxCrossEntropyWithLogits(
  ...given: [CrossEntropyArguments] | [labels: TensorLike, logits: TensorLike, options?: CrossEntropyArguments]
): Tensor {
  const { labels, logits, axis, dim, name } = collect<CrossEntropyArguments>(["labels", "logits", "dim", "name", "axis"], given);
  // In TensorFlow `dim` has a default, so that `axis` always comes beside it.
  const last = eitherName("axis", axis, "dim", dim ?? -1) as number;
  bothGiven("softmax_cross_entropy_with_logits", labels, logits);
  return inNameScope({ name }, "softmax_cross_entropy_with_logits_sg", [logits, labels], scope => {
    const constantLabels = stopGradient(labels as TensorLike, { name: "labels_stop_gradient" });
    return softmaxLoss(constantLabels, logits as TensorLike, last, String(scope));
  });
}

/** The nodes of TensorFlow's function: classes moved to the end, everything else flattened into rows, and the losses shaped back. */
function softmaxLoss(labels: TensorLike, logits: TensorLike, axis: number, name: string | null | undefined): Tensor {
  return inNameScope({ name }, "softmax_cross_entropy_with_logits", [logits, labels], scope => {
    const given = convertToTensor(logits, { name: "logits" });
    const targets = convertToTensor(labels, { name: "labels", preferredDtype: given.dtype });
    const isNarrow = given.dtype === "float16" || given.dtype === "bfloat16";
    const x = isNarrow ? cast(given, "float32") : given;
    const y = targets.dtype === x.dtype ? targets : cast(targets, x.dtype);
    const count = rank(x);
    const shape = x.shape;
    const moved = moveToEnd(x, axis, count);
    const rows = moved === x ? y : moveToEnd(y, axis, count);
    const inputShape = shapeOf(moved);
    const op = SoftmaxCrossEntropyWithLogits({ features: flattenOuter(moved), labels: flattenOuter(rows) }, { name: scope });
    const outerCount = Sub({ x: count, y: 1 });
    const loss = reshape(op.loss, slice(inputShape, [0], [outerCount]));
    if (shape.dims !== null) {
      const at = axis < 0 ? axis + shape.dims.length : axis;
      loss.setShape(new TensorShape(shape.dims.filter((_, k) => k !== at)));
    }
    return isNarrow ? cast(loss, given.dtype) : loss;
  });
}

function moveToEnd(x: Tensor, axis: number, count: Tensor): Tensor {
  if (axis === -1) return x;
  return transpose(x, concat([range(axis), range(axis + 1, count), [axis]], 0));
}

/** `[rows, classes]`. */
function flattenOuter(x: Tensor): Tensor {
  const count = rank(x);
  const classes = slice(shapeOf(x), [Sub({ x: count, y: 1 })], [1]);
  const flat = reshape(x, concat([[-1], classes], 0));
  const { dims } = x.shape;
  if (dims !== null) {
    const outer = dims.slice(0, -1);
    if (!outer.includes(null)) flat.setShape([outer.reduce<number>((product, d) => product * (d as number), 1), dims[dims.length - 1]]);
  }
  return flat;
}

interface SparseArguments {
  readonly labels?: TensorLike | null;
  readonly logits?: TensorLike | null;
  readonly name?: string | null;
}

/** Cross entropy between softmax(logits) and class numbers: labels int32 or int64 of the logits' shape without its last dimension.
 *  While running, numbers outside [0, classes) raise InvalidArgumentError. TF: tf.nn.sparse_softmax_cross_entropy_with_logits. */
export function sparseSoftmaxCrossEntropyWithLogits(
  ...given: [SparseArguments] | [labels: TensorLike, logits: TensorLike, options?: SparseArguments]
): Tensor {
  const { labels, logits, name } = collect<SparseArguments>(["labels", "logits", "name"], given);
  bothGiven("sparse_softmax_cross_entropy_with_logits", labels, logits);
  return inNameScope({ name }, "SparseSoftmaxCrossEntropyWithLogits", [labels, logits], () => {
    const classes = convertToTensor(labels as TensorLike, { preferredDtype: "int32" });
    const x = convertToTensor(logits as TensorLike);
    const isNarrow = x.dtype === "float16" || x.dtype === "bfloat16";
    const precise = isNarrow ? cast(x, "float32") : x;
    const labelsShape = shapeOf(classes);
    const isKnown = checkSparseShapes(classes, x);
    const loss =
      x.shape.rank === 2
        ? SparseSoftmaxCrossEntropyWithLogits({ features: precise, labels: classes }, { name }).loss
        : sparseByRows({ labels: classes, logits: x, precise, labelsShape, isKnown, name });
    return isNarrow ? cast(loss, x.dtype) : loss;
  });
}

/** Whether the shapes are known, and then agree. */
function checkSparseShapes(labels: Tensor, logits: Tensor): boolean {
  const [a, b] = [labels.shape, logits.shape];
  if (b.dims !== null && b.dims.length === 0) throw new ValueError(`\`logits\` cannot be a scalar. Received logits=${logits}\``);
  if (a.dims === null || b.dims === null) return false;
  if (a.dims.length !== b.dims.length - 1)
    throw new ValueError(
      `\`labels.shape.rank\` must equal \`logits.shape.rank - 1\`. Received: labels.shape=${a} of rank ${a.dims.length} and logits.shape=${b} of rank ${b.dims.length}`,
      "Labels are class numbers, one per row of logits. For one-hot labels use softmaxCrossEntropyWithLogitsV2.",
    );
  if (!a.isCompatibleWith(b.slice(0, -1)))
    throw new ValueError(
      `\`labels.shape\` must equal \`logits.shape\` except for the last dimension. Received: labels.shape=${a} and logits.shape=${b}`,
    );
  return a.isFullyDefined && b.slice(0, -1).isFullyDefined;
}

interface ByRows {
  readonly labels: Tensor;
  readonly logits: Tensor;
  /** The logits in the type they are computed in. */
  readonly precise: Tensor;
  readonly labelsShape: Tensor;
  readonly isKnown: boolean;
  readonly name: string | null | undefined;
}

/** Labels of any rank: all but the last axis of the logits become rows. Shapes that are not known are compared while running. */
function sparseByRows({ labels, logits, precise, labelsShape, isKnown, name }: ByRows): Tensor {
  const checks = isKnown ? [] : [assertEqual(shapeOf(labels), getItem(shapeOf(logits), [null, -1]))];
  return logits.graph.controlDependencies(checks, () => {
    const classes = getItem(shapeOf(logits), Sub({ x: rank(logits), y: 1 }, { name: "sub" }));
    const flat = reshape(precise, [-1, classes]);
    const { loss } = SparseSoftmaxCrossEntropyWithLogits({ features: flat, labels: reshape(labels, [-1]) }, { name });
    const shaped = reshape(loss, labelsShape);
    shaped.setShape(labels.shape);
    return shaped;
  });
}

// ---- sigmoid cross entropy ----

/** Cross entropy of independent yes/no targets: `max(x, 0) - x·z + log(1 + exp(-|x|))` for logits x and labels z of one shape.
 *  TF: tf.nn.sigmoid_cross_entropy_with_logits. */
export function sigmoidCrossEntropyWithLogits(
  ...given: [SparseArguments] | [labels: TensorLike, logits: TensorLike, options?: SparseArguments]
): Tensor {
  const { labels, logits, name } = collect<SparseArguments>(["labels", "logits", "name"], given);
  bothGiven("sigmoid_cross_entropy_with_logits", labels, logits);
  return inNameScope({ name }, "logistic_loss", [logits, labels], scope => {
    const x = convertToTensor(logits as TensorLike, { name: "logits" });
    const z = convertToTensor(labels as TensorLike, { name: "labels", preferredDtype: x.dtype });
    sameShapes(x, z, "labels");
    // The derivative at 0 is that of the formula only if the two selections are made as written.
    const zeros = zerosLike(x);
    const positive = GreaterEqual({ x, y: zeros });
    const relued = Select({ condition: positive, t: x, e: zeros });
    const negative = Select({ condition: positive, t: Neg({ x }), e: x });
    const linear = Sub({ x: relued, y: operator.mul(x, z) }, { name: "sub" });
    return AddV2({ x: linear, y: Log1p({ x: Exp({ x: negative }) }) }, { name: scope });
  });
}

function sameShapes(logits: Tensor, labels: Tensor, name: string): void {
  if (!logits.shape.isCompatibleWith(labels.shape))
    throw new ValueError(`\`logits\` and \`${name}\` must have the same shape, received (${logits.shape} vs ${labels.shape}).`);
}

interface WeightedArguments extends SparseArguments {
  readonly posWeight?: TensorLike | null;
  /** Another name of `labels`. */
  readonly targets?: TensorLike | null;
}

/** Sigmoid cross entropy whose positive targets weigh `posWeight`: `(1 - z)·x + (1 + (q - 1)·z)·log(1 + exp(-x))`.
 *  TF: tf.nn.weighted_cross_entropy_with_logits. */
export function weightedCrossEntropyWithLogits(
  ...given: [WeightedArguments] | [labels: TensorLike, logits: TensorLike, posWeight: TensorLike, options?: WeightedArguments]
): Tensor {
  const { labels, logits, posWeight, name, targets } = collect<WeightedArguments>(
    ["labels", "logits", "posWeight", "name", "targets"],
    given,
  );
  return inNameScope({ name }, "logistic_loss", [logits, labels ?? targets], scope => {
    const x = convertToTensor(logits as TensorLike, { name: "logits" });
    const z = convertToTensor(eitherName("labels", labels, "targets", targets) as TensorLike, { name: "labels", preferredDtype: x.dtype });
    sameShapes(x, z, "labels");
    // Written so that the exponential never overflows: log(1 + exp(-x)) = log(1 + exp(-|x|)) + relu(-x).
    const excess = typeof posWeight === "number" ? posWeight - 1 : Sub({ x: posWeight as TensorLike, y: 1 }, { name: "sub" });
    const factor = excess instanceof Tensor ? excess : convertToTensor(excess, { dtype: z.dtype, name: "mul/x" });
    const weight = AddV2({ x: 1, y: operator.mul(factor, z) }, { name: "add" });
    const linear = operator.mul(Sub({ x: 1, y: z }, { name: "sub" }), x);
    const logarithm = Log1p({ x: Exp({ x: Neg({ x: Abs({ x }) }) }) });
    const softplus = AddV2({ x: logarithm, y: relu(Neg({ x })) }, { name: "add" });
    return AddV2({ x: linear, y: Mul({ x: weight, y: softplus }, { name: "mul" }) }, { name: scope });
  });
}

interface PoissonOptions {
  /** Adds Stirling's approximation of log(targets!), so that the loss is a likelihood. */
  readonly computeFullLoss?: boolean | null;
  readonly name?: string | null;
}

/** Poisson loss `exp(logInput) - logInput·targets`. TF: tf.nn.log_poisson_loss. */
export function logPoissonLoss(
  targets: TensorLike,
  logInput: TensorLike,
  computeFullLoss?: boolean | PoissonOptions,
  options?: PoissonOptions,
): Tensor {
  const given = collect<PoissonOptions>(["computeFullLoss", "name"], [computeFullLoss, options]);
  return inNameScope({ name: given.name }, "log_poisson_loss", [logInput, targets], () => {
    const c = convertToTensor(logInput, { name: "log_input" });
    const z = convertToTensor(targets, { name: "targets", preferredDtype: c.dtype });
    if (!c.shape.isCompatibleWith(z.shape))
      throw new ValueError(`\`log_input\` and \`targets\` must have the same shape, received (${c.shape} vs ${z.shape}).`);
    const loss = Sub({ x: Exp({ x: c }), y: operator.mul(c, z) }, { name: "sub" });
    if (given.computeFullLoss !== true) return loss;
    const half = convertToTensor(0.5, { dtype: z.dtype });
    const twoPi = convertToTensor(2 * Math.PI, { dtype: z.dtype });
    const main = Sub({ x: Mul({ x: z, y: Log({ x: z }) }, { name: "mul" }), y: z }, { name: "sub" });
    const rest = Mul({ x: half, y: Log({ x: Mul({ x: twoPi, y: z }, { name: "mul" }) }) }, { name: "mul" });
    const stirling = AddV2({ x: main, y: rest }, { name: "add" });
    const zeros = zerosLike(z);
    const ones = onesLike(z);
    const isSmall = LogicalAnd({ x: GreaterEqual({ x: z, y: zeros }), y: LessEqual({ x: z, y: ones }) });
    return AddV2({ x: loss, y: Select({ condition: isSmall, t: zeros, e: stirling }) }, { name: "add" });
  });
}

// ---- over a whole batch ----

/** The sum of losses of examples (times `sampleWeight`) by the size of the whole batch, that of the losses if not given. TF: tf.nn.compute_average_loss. */
export function computeAverageLoss(
  perExampleLoss: TensorLike,
  options: { readonly sampleWeight?: TensorLike | null; readonly globalBatchSize?: TensorLike | null } = {},
): Tensor {
  const losses = convertToTensor(perExampleLoss);
  const { sampleWeight, globalBatchSize } = options;
  if (losses.shape.rank === 0)
    throw new ValueError(
      `Invalid value passed for \`per_example_loss\`. Expected a tensor with at least rank 1. Received per_example_loss=${losses} with rank 0`,
    );
  const weighted = sampleWeight === null || sampleWeight === undefined ? losses : operator.mul(losses, cast(sampleWeight, losses.dtype));
  const size = globalBatchSize ?? getItem(shapeOf(losses), 0);
  const given =
    typeof size === "number" && Number.isInteger(size) ? convertToTensor(size, { dtype: "int32", name: "assert_scalar" }) : size;
  assertScalar(given, { message: "global_batch_size must be scalar." });
  assertInteger(given, { message: "global_batch_size must be an integer." });
  assertNonNegative(given, { message: "global_batch_size must be non-negative." });
  return operator.truediv(reduceSum(weighted), cast(given, losses.dtype));
}

/** The sum of regularization losses, which each of several replicas would add to its own. There is one. TF: tf.nn.scale_regularization_loss. */
export const scaleRegularizationLoss = (regularizationLoss: TensorLike): Tensor => reduceSum(regularizationLoss);
