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

/** Zeros of an array's type and shape; of a variant, what it has for them. */
export const zerosOf = (array: NDArray): NDArray =>
  array.dtype === "variant" ? VariantArray.of(array).zeros() : NDArray.zeros(array.dtype, array.shape);

/** A tensor of variants, each of which holds something: rows are taken of it and joined again. */
export interface ManyVariants extends NDArray {
  readonly items: readonly unknown[];
  /** The same kind of tensor, of other variants. */
  withItems(shape: readonly number[], items: readonly unknown[]): NDArray;
}

export const holdsVariants = (array: NDArray): array is ManyVariants => "withItems" in array;

/** A tensor of variants, each of which holds a tensor: how sparse tensors are kept while they are elements of datasets. */
export class TensorVariants extends NDArray implements ManyVariants {
  readonly items: readonly NDArray[];

  constructor(shape: readonly number[], items: readonly NDArray[]) {
    super("variant", shape, new Uint8Array(items.length));
    this.items = items;
  }

  withItems(shape: readonly number[], items: readonly NDArray[]): TensorVariants {
    return new TensorVariants(shape, items);
  }
  override reshape(shape: readonly number[]): TensorVariants {
    return this.withItems(shape, this.items);
  }
}
