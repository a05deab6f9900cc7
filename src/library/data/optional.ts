// An element that may be missing. TF: tf.data.experimental.Optional.

import type { Tensor } from "../../graph/operation.ts";
import { type NameOption, named } from "../../ops/named.ts";
import { OptionalFromValue, OptionalGetValue, OptionalHasValue, OptionalNone } from "../../ops/data/iterator.ts";
import { flatten, mapNested, type Nested } from "../../ops/flow/nested.ts";
import { ComponentSpec, tensorsOf, typesAndShapes, valueOf } from "./element-spec.ts";

/** An element, or that there is none: what an iterator's `getNextAsOptional` gives. */
export class Optional {
  readonly variantTensor: Tensor;
  /** What the element is, if there is one. */
  readonly valueSpec: Nested;

  constructor(variantTensor: Tensor, valueSpec: Nested) {
    this.variantTensor = variantTensor;
    this.valueSpec = valueSpec;
  }

  /** One that has a value: a tensor or a nesting of tensors. */
  static fromValue(value: Nested): Optional {
    const given = tensorsOf(value, () => undefined);
    const spec = mapNested(given, leaf => ComponentSpec.of(leaf as Tensor));
    return new Optional(OptionalFromValue({ components: flatten(given) as Tensor[] }), spec);
  }

  /** One without a value; `elementSpec` says what it would be (that of a dataset or iterator). */
  static empty(elementSpec: Nested): Optional {
    return new Optional(OptionalNone({}), elementSpec);
  }

  /** A bool scalar. */
  hasValue(options?: NameOption): Tensor {
    return OptionalHasValue({ optional: this.variantTensor }, named(options));
  }

  /** The value. @throws InvalidArgumentError while running, if there is none. */
  getValue(options?: NameOption): Nested {
    const attrs = typesAndShapes(this.valueSpec);
    return valueOf(this.valueSpec, [...OptionalGetValue({ optional: this.variantTensor, ...attrs }, named(options))]);
  }
}
