// Losses over many classes by a few drawn ones: noise-contrastive estimation and sampled softmax. The samplers are in nn/sampling.ts.

import { NDArray } from "../../base/ndarray.ts";
import { ValueError } from "../../base/errors.ts";
import { TensorShape } from "../../base/shape.ts";
import * as attr from "../../graph/attributes.ts";
import { convertToTensor, type TensorLike } from "../../graph/conversion.ts";
import { defineOp } from "../../graph/op-definition.ts";
import type { Tensor } from "../../graph/operation.ts";
import { collect, need } from "../arguments.ts";
import { constant, expandDims, ones, onesLike, reshape, shape as shapeOf, stopGradient, zerosLike } from "../array/array.ts";
import { concat, getItem, slice, stack } from "../array/slicing.ts";
import { cast } from "../math/cast.ts";
import { multiply } from "../math/math.ts";
import { log } from "../math/functions.ts";
import { matmul } from "../math/matrix.ts";
import { inNameScope } from "../named.ts";
import { embeddingLookup, piecesOf } from "./embedding.ts";
import { sigmoidCrossEntropyWithLogits, softmaxCrossEntropyWithLogitsV2 } from "./loss.ts";
import { type Candidates, logUniformCandidateSampler } from "./sampling.ts";
import { add, sub, truediv } from "../operators.ts";
import { seedAttrs } from "../random/random.ts";
import { SparseToDense } from "../sparse/sparse.ts";

/** Where a drawn candidate is one of a row's true classes: the row, the candidate's position, and a weight that makes it impossible. */
export const ComputeAccidentalHits = defineOp("ComputeAccidentalHits", {
  inputs: { trueClasses: "int64", sampledCandidates: "int64" },
  outputs: { indices: "int32", ids: "int64", weights: "float32" },
  attrs: { numTrue: attr.int(), seed: attr.int(0), seed2: attr.int(0) },
  checks: ({ trueClasses, sampledCandidates, numTrue }) => {
    need(trueClasses.length === 2 && trueClasses[1] === numTrue, () => "true_candidates must be a batch_size * num_true matrix");
    need(sampledCandidates.length === 1, () => "sampled_candidates must be a vector, which is typically an output from CandidateSampler");
  },
  gradient: "none",
  shape: ({ trueClasses, sampledCandidates, numTrue }) => {
    const given = trueClasses.withRank(2).dim(1);
    if (given !== null && given !== numTrue) throw new ValueError(`Dimension must be ${numTrue} but is ${given}`);
    sampledCandidates.withRank(1);
    return [new TensorShape([null]), new TensorShape([null]), new TensorShape([null])];
  },
  host: ({ trueClasses, sampledCandidates, numTrue }) => {
    const positions = new Map(Array.from({ length: sampledCandidates.size }, (_, i) => [Number(sampledCandidates.get(i)), i] as const));
    const hits = Array.from(
      { length: trueClasses.size },
      (_, i) => [Math.floor(i / numTrue), positions.get(Number(trueClasses.get(i)))] as const,
    );
    const found = hits.filter((hit): hit is readonly [number, number] => hit[1] !== undefined);
    const shape = [found.length];
    return [
      NDArray.from(
        found.map(([row]) => row),
        "int32",
        shape,
      ),
      NDArray.from(
        found.map(([, position]) => position),
        "int64",
        shape,
      ),
      NDArray.full("float32", shape, -3.4028234663852886e38),
    ];
  },
});

/** The positions `[row, candidate]` where drawn candidates are true classes, and their weights (-float max).
 *  TF: tf.nn.compute_accidental_hits(true_classes, sampled_candidates, num_true, seed, name). */
export function computeAccidentalHits(
  trueClasses: TensorLike,
  sampledCandidates: TensorLike,
  numTrue: number,
  options: { readonly seed?: number | null; readonly name?: string | null } = {},
): readonly [indices: Tensor, ids: Tensor, weights: Tensor] {
  const made = ComputeAccidentalHits({ trueClasses, sampledCandidates, numTrue, ...seedAttrs(options.seed) }, { name: options.name });
  return [made.indices, made.ids, made.weights];
}

export interface SampledLossOptions {
  /** How many true classes each row has. */
  readonly numTrue?: number | null;
  /** Candidates drawn by a sampler, instead of by logUniformCandidateSampler. */
  readonly sampledValues?: Candidates | readonly TensorLike[] | null;
  /** Leaves drawn candidates out that are true classes of the row. */
  readonly removeAccidentalHits?: boolean | null;
  readonly partitionStrategy?: "mod" | "div" | null;
  readonly name?: string | null;
  readonly seed?: number | null;
}

interface SampledLossArguments extends SampledLossOptions {
  readonly weights: TensorLike | readonly TensorLike[];
  readonly biases: TensorLike;
  readonly labels: TensorLike;
  readonly inputs: TensorLike;
  readonly numSampled: number;
  readonly numClasses: number;
}

const order = [
  "weights",
  "biases",
  "labels",
  "inputs",
  "numSampled",
  "numClasses",
  "numTrue",
  "sampledValues",
  "removeAccidentalHits",
  "partitionStrategy",
  "name",
  "seed",
];

/** Sums of rows by a product with ones, whose gradient is cheaper than reduceSum's. */
function sumRows(x: Tensor): Tensor {
  const columns = getItem(shapeOf(x), 1);
  return reshape(matmul(x, ones(stack([columns, 1]), x.dtype)), [-1]);
}

/** Logits and labels of the true and the drawn classes, true ones first. */
function sampledLogits(given: SampledLossArguments, name: string, removesHits: boolean): { logits: Tensor; labels: Tensor } {
  const { numSampled, numClasses } = given;
  const numTrue = given.numTrue ?? 1;
  const partitionStrategy = given.partitionStrategy ?? "mod";
  const listed = piecesOf(given.weights);
  return inNameScope({ name }, "compute_sampled_logits", [...listed, given.biases, given.labels, given.inputs], () => {
    let labels = convertToTensor(given.labels);
    const inputs = convertToTensor(given.inputs);
    if (labels.dtype !== "int64") labels = cast(labels, "int64");
    const flatLabels = reshape(labels, [-1]);
    const drawn =
      given.sampledValues ??
      logUniformCandidateSampler(labels, { numTrue, numSampled, unique: true, rangeMax: numClasses, seed: given.seed ?? undefined });
    const [sampledValues, trueCount, sampledCount] = Array.from(drawn as readonly TensorLike[], value => stopGradient(value));
    const sampled = cast(sampledValues, "int64");
    const ids = concat([flatLabels, sampled], 0);
    const look = (params: TensorLike | readonly TensorLike[]): Tensor => {
      const found = embeddingLookup(params, ids, { partitionStrategy });
      return found.dtype === inputs.dtype ? found : cast(found, inputs.dtype);
    };
    const count = (): Tensor => getItem(shapeOf(flatLabels), 0);
    const allWeights = look(listed);
    const trueWeights = slice(allWeights, [0, 0], stack([count(), -1]));
    const sampledWeights = slice(allWeights, stack([count(), 0]), [-1, -1]);
    let sampledResult = matmul(inputs, sampledWeights, { transposeB: true });
    const allBiases = look(given.biases);
    const trueBiases = slice(allBiases, [0], shapeOf(flatLabels));
    const sampledBiases = slice(allBiases, shapeOf(flatLabels), [-1]);
    const depth = getItem(shapeOf(trueWeights), [1, 2]);
    const newShape = concat([NDArray.from([-1, numTrue], "int32"), depth], 0);
    const dots = multiply(expandDims(inputs, 1), reshape(trueWeights, newShape));
    const asMatrix = reshape(dots, concat([NDArray.from([-1], "int32"), depth], 0));
    let trueResult = reshape(sumRows(asMatrix), [-1, numTrue]);
    trueResult = add(trueResult, reshape(trueBiases, [-1, numTrue]));
    sampledResult = add(sampledResult, sampledBiases);
    if (removesHits) sampledResult = add(sampledResult, accidentalHits(labels, sampled, numTrue, numSampled, sampledResult));
    trueResult = sub(trueResult, log(trueCount));
    sampledResult = sub(sampledResult, log(sampledCount));
    const logits = concat([trueResult, sampledResult], 1);
    return { logits, labels: concat([truediv(onesLike(trueResult), numTrue), zerosLike(sampledResult)], 1) };
  });
}

/** What makes drawn candidates that are true classes impossible: a matrix `[batch, numSampled]`. */
function accidentalHits(labels: Tensor, sampled: Tensor, numTrue: number, numSampled: number, logits: Tensor): Tensor {
  const [rows, positions, weights] = computeAccidentalHits(labels, sampled, numTrue);
  const rows2d = reshape(rows, [-1, 1]);
  const positions2d = reshape(cast(positions, "int32"), [-1, 1]);
  const sparseIndices = concat([rows2d, positions2d], 1, { name: "sparse_indices" });
  const batch = getItem(shapeOf(labels), [null, 1]);
  const outputShape = concat([batch, expandDims(constant(numSampled, "int32", { name: "ExpandDims_1/input" }), 0)], 0);
  const sparseValues = weights.dtype === logits.dtype ? weights : cast(weights, logits.dtype);
  return SparseToDense({ sparseIndices, outputShape, sparseValues, defaultValue: 0, validateIndices: false });
}

/** Noise-contrastive estimation: for each row the sum of the logistic losses of telling its true classes from `numSampled` drawn ones, `[batch]`.
 *  weights [numClasses, depth], biases [numClasses], labels [batch, numTrue], inputs [batch, depth]. TF: tf.nn.nce_loss. */
export function nceLoss(...given: unknown[]): Tensor {
  const options = collect<SampledLossArguments>(order, given) as SampledLossArguments;
  const { logits, labels } = sampledLogits(options, options.name ?? "nce_loss", options.removeAccidentalHits ?? false);
  return sumRows(sigmoidCrossEntropyWithLogits({ labels, logits, name: "sampled_losses" }));
}

/** Softmax cross entropy over the true classes and `numSampled` drawn ones instead of all: `[batch]`, for training only. Arguments as for nceLoss.
 *  TF: tf.nn.sampled_softmax_loss. */
export function sampledSoftmaxLoss(...given: unknown[]): Tensor {
  const options = collect<SampledLossArguments>(order, given) as SampledLossArguments;
  const made = sampledLogits(options, options.name ?? "sampled_softmax_loss", options.removeAccidentalHits ?? true);
  const labels = stopGradient(made.labels, { name: "labels_stop_gradient" });
  return softmaxCrossEntropyWithLogitsV2({ labels, logits: made.logits });
}
