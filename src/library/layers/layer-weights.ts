// Setting the variables of a layer: loaded when it is first asked for. TF: Layer.set_weights.

import { ValueError } from "../../base/errors.ts";
import { type ArrayLike, NDArray } from "../../base/ndarray.ts";
import type { Runner, Variable } from "../variables/variables.ts";

interface Weighted {
  readonly name: string;
  readonly weights: readonly Variable[];
}

const tuple = (sizes: readonly unknown[]): string => `(${sizes.join(", ")}${sizes.length === 1 ? "," : ""})`;

export async function setWeights(layer: Weighted, weights: readonly ArrayLike[], session?: Runner | null): Promise<void> {
  const own = layer.weights;
  if (own.length !== weights.length)
    throw new ValueError(
      `You called \`set_weights(weights)\` on layer "${layer.name}" with a weight list of length ${weights.length}, but the layer was expecting ${own.length} weights.`,
    );
  const arrays = weights.map((value, k) => NDArray.from(value, own[k].dtype));
  arrays.forEach(({ shape }, k) => {
    if (!own[k].shape.isCompatibleWith(shape))
      throw new ValueError(`Layer weight shape ${tuple(own[k].shape.asList())} not compatible with provided weight shape ${tuple(shape)}`);
  });
  await Promise.all(own.map((variable, k) => variable.load(arrays[k], session)));
}
