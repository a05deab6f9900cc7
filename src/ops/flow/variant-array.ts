// Values of type variant: those that gradients are taken of, which can be made zero and added, and tensors of tensors.

import { InvalidArgumentError } from "../../base/errors.ts";
import { NDArray } from "../../base/ndarray.ts";
import { sizeOf } from "../../base/shape.ts";

export abstract class VariantArray extends NDArray {
  constructor(shape: readonly number[] = []) {
    super("variant", shape, new Uint8Array(sizeOf(shape)));
  }

  abstract zeros(): VariantArray;
  abstract plus(other: VariantArray): VariantArray;

  static of(array: NDArray): VariantArray {
    if (array instanceof VariantArray) return array;
    throw new InvalidArgumentError("The given variant tensor has neither zeros nor sums.");
  }
}

/** A tensor of variants, each of which holds a tensor: how sparse tensors are kept while they are elements of datasets. */
export class TensorVariants extends NDArray {
  readonly items: readonly NDArray[];

  constructor(shape: readonly number[], items: readonly NDArray[]) {
    super("variant", shape, new Uint8Array(items.length));
    this.items = items;
  }

  override reshape(shape: readonly number[]): TensorVariants {
    return new TensorVariants(shape, this.items);
  }
}
