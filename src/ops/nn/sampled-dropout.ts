// Dropout whose mask is drawn in another way than from the graph's seed: by two integers, or by a function of one's own.

import { ValueError } from "../../base/errors.ts";
import { pythonStr } from "../../base/python-text.ts";
import type { TensorLike } from "../../graph/conversion.ts";
import type { Tensor } from "../../graph/operation.ts";
import { statelessUniform } from "../random/stateless.ts";
import { droppedBy, dropRate, type MaskOptions, type UniformType } from "./nn.ts";

type UniformSampler = (shape: TensorLike, options: { readonly dtype: UniformType }) => Tensor;

/** Dropout whose mask is drawn by a function of one's own: uniform numbers in [0, 1), of the shape and type that it is given.
 *  TF: tf.nn.experimental.general_dropout(x, rate, uniform_sampler, noise_shape, name). */
export const generalDropout = (x: TensorLike, rate: TensorLike, uniformSampler: UniformSampler, options: MaskOptions = {}): Tensor =>
  droppedBy(x, dropRate(rate, null), options, "general_dropout", (shape, dtype) => uniformSampler(shape, { dtype }));

/** @throws ValueError for what is neither a number nor a tensor. */
function scalarRate(rate: TensorLike): number | Tensor {
  if (rate === null || rate === undefined || Array.isArray(rate))
    throw new ValueError(`\`rate\` must be a scalar or scalar tensor. Received: rate=${pythonStr(rate)}`);
  return dropRate(rate, null);
}

/** Dropout whose mask follows from `seed`, two integers: the same each time.
 *  TF: tf.nn.experimental.stateless_dropout(x, rate, seed, rng_alg, noise_shape, name). */
export const statelessDropout = (
  x: TensorLike,
  rate: TensorLike,
  seed: TensorLike,
  options: MaskOptions & { readonly rngAlg?: "philox" | "threefry" | "auto_select" | null } = {},
): Tensor =>
  droppedBy(x, scalarRate(rate), options, "stateless_dropout", (shape, dtype) =>
    statelessUniform(shape, seed, { dtype, ...(options.rngAlg ? { alg: options.rngAlg } : {}) }),
  );
