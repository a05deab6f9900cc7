// One dimension of a shape as TensorFlow 1's programs hold it: an object with a `value` that may be unknown. The house itself keeps numbers and nulls.

import { ValueError } from "./errors.ts";
import { pythonRepr, pythonType } from "./python-text.ts";

type Size = number | null;

/** A size of a shape, null where unknown. */
export type Dimension = Size;

class DimensionOfShape {
  readonly value: Size;

  /** @throws TypeError for what is no whole number, ValueError for a negative one. */
  constructor(value: Size | DimensionOfShape) {
    const given = value instanceof DimensionOfShape ? value.value : (value ?? null);
    // A bool is an int in Python.
    const size = typeof given === "boolean" ? Number(given) : given;
    if (size !== null && !Number.isInteger(size))
      throw new TypeError(
        `Dimension value must be integer or None or have an __index__ method, got value '${pythonRepr(size)}' with type '<class '${pythonType(size)}'>'`,
      );
    if (size !== null && size < 0) throw new ValueError(`Dimension ${size} must be >= 0`);
    this.value = size;
  }

  isCompatibleWith(other: Size | DimensionOfShape): boolean {
    const that = new DimensionOfShape(other).value;
    return this.value === null || that === null || this.value === that;
  }

  /** @throws ValueError unless both may be the same. */
  assertIsCompatibleWith(other: Size | DimensionOfShape): void {
    if (!this.isCompatibleWith(other)) throw new ValueError(`Dimensions ${this} and ${new DimensionOfShape(other)} are not compatible`);
  }

  /** The one of both that is known. @throws ValueError if both are, and differ. */
  mergeWith(other: Size | DimensionOfShape): DimensionOfShape {
    this.assertIsCompatibleWith(other);
    return this.value === null ? new DimensionOfShape(other) : this;
  }

  /** The size, so that `2 * x.shape[1]` is a number. @throws TypeError if it is unknown. */
  valueOf(): number {
    if (this.value === null) throw new TypeError("__int__ returned non-int (type NoneType)");
    return this.value;
  }

  toString(): string {
    return this.value === null ? "?" : String(this.value);
  }

  [Symbol.toPrimitive](hint: string): number | string {
    return hint === "string" ? this.toString() : this.valueOf();
  }
}

/** A dimension of a shape, `value` null where unknown; known ones count as numbers in arithmetic. TF: tf.Dimension. */
export const Dimension = DimensionOfShape;
