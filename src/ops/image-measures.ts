// Numbers that say how images look: differences of neighbours, gradients, and how alike two images are. Made of other ops.

import { ValueError } from "../base/errors.ts";
import { convertToTensor, type TensorLike } from "../graph/conversion.ts";
import type { Tensor } from "../graph/operation.ts";
import { getItem } from "./array-slicing.ts";
import { abs } from "./math-functions.ts";
import { reduceSum } from "./math-reduction.ts";
import { inNameScope, type NameOption } from "./named.ts";
import * as operator from "./operators.ts";

const all = [null, null] as const;

/** Differences of neighbouring rows and of neighbouring columns, the first of them on axis `axis`. */
const neighbours = (images: Tensor, axis: number): Tensor[] =>
  [axis, axis + 1].map(along => {
    const before = Array.from({ length: along }, () => all);
    return operator.sub(getItem(images, ...before, [1, null]), getItem(images, ...before, [null, -1]));
  });

/** The sum of absolute differences of neighbouring pixels: of an image `[h, w, channels]`, or of each of a batch. TF: tf.image.total_variation.
 *  @throws ValueError for other ranks. */
export const totalVariation = (images: TensorLike, options?: NameOption): Tensor =>
  inNameScope(options, "total_variation", [], () => {
    const x = convertToTensor(images);
    const { rank } = x.shape;
    if (rank !== 3 && rank !== 4) throw new ValueError("'images' must be either 3 or 4-dimensional.");
    const [rows, columns] = neighbours(x, rank - 3).map(difference => reduceSum(abs(difference), rank === 4 ? [1, 2, 3] : null));
    return operator.add(rows, columns);
  });
