// Functions of dual coordinate ascent for linear models: what they do is ops/nn/dual-ascent.ts.

import type { TensorLike } from "../../graph/conversion.ts";
import type { Named } from "../../graph/op-definition.ts";
import type { Operation, Tensor } from "../../graph/operation.ts";
import { type NameOption, named } from "../../ops/named.ts";
import { type LossType, SdcaFprint, SdcaOptimizer, SdcaShrinkL1 } from "../../ops/nn/dual-ascent.ts";

interface OptimizerResult {
  readonly outExampleStateData: Tensor;
  readonly outDeltaSparseWeights: readonly Tensor[];
  readonly outDeltaDenseWeights: readonly Tensor[];
}

/** A pass of dual coordinate ascent over a batch of examples for a linear model: what is to be added to its weights, and the examples' new state
 *  `[examples, 4]`. TF: tf.train.sdca_optimizer. @throws InvalidArgumentError while running, for labels that the loss does not know. */
export const sdcaOptimizer = (
  sparseExampleIndices: readonly TensorLike[],
  sparseFeatureIndices: readonly TensorLike[],
  sparseFeatureValues: readonly TensorLike[],
  denseFeatures: readonly TensorLike[],
  exampleWeights: TensorLike,
  exampleLabels: TensorLike,
  sparseIndices: readonly TensorLike[],
  sparseWeights: readonly TensorLike[],
  denseWeights: readonly TensorLike[],
  exampleStateData: TensorLike,
  lossType: LossType,
  l1: number,
  l2: number,
  numLossPartitions: number,
  numInnerIterations: number,
  { adaptative = true, name }: Named & { readonly adaptative?: boolean } = {},
): OptimizerResult =>
  SdcaOptimizer(
    {
      sparseExampleIndices,
      sparseFeatureIndices,
      sparseFeatureValues,
      denseFeatures,
      exampleWeights,
      exampleLabels,
      sparseIndices,
      sparseWeights,
      denseWeights,
      exampleStateData,
      lossType,
      l1,
      l2,
      numLossPartitions,
      numInnerIterations,
      adaptative,
    },
    { name },
  ) as OptimizerResult;

/** Fingerprints of 128 bits, `[strings, 2]`. TF: tf.train.sdca_fprint. */
export const sdcaFprint = (input: TensorLike, options?: NameOption): Tensor => SdcaFprint({ input }, named(options));

/** Shrinks variables of weights toward zero by l1 / l2. TF: tf.train.sdca_shrink_l1. */
export const sdcaShrinkL1 = (weights: readonly TensorLike[], l1: number, l2: number, options?: NameOption): Operation =>
  SdcaShrinkL1({ weights, l1, l2 }, named(options));
