// Values of type variant that gradients are taken of: they can be made zero and added.

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
