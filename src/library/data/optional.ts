// An element that may be missing. TF: tf.data.experimental.Optional.

import { TensorShape } from "../../base/shape.ts";
import type { Tensor } from "../../graph/operation.ts";
import { type NameOption, named } from "../../ops/named.ts";
import { OptionalFromValue, OptionalGetValue, OptionalHasValue, OptionalNone } from "../../ops/data/iterator.ts";
import type { Nested } from "../../ops/flow/nested.ts";
import { ComponentSpec, componentsOf, componentTensors, specOfValue, tensorsOf, typesAndShapes, valueOf } from "./element-spec.ts";

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
    const spec = specOfValue(given);
    return new Optional(OptionalFromValue({ components: componentTensors(spec, given) }), spec);
  }

  /** One without a value; `elementSpec` says what it would be (that of a dataset or iterator). */
  static empty(elementSpec: Nested): Optional {
    return new Optional(OptionalNone({}), elementSpec);
  }

  /** What it is as a component of elements. */
  get typeSpec(): OptionalSpec {
    return new OptionalSpec(this.valueSpec);
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

/** What an optional is, as a component of elements. TF: tf.OptionalSpec. */
export class OptionalSpec extends ComponentSpec {
  constructor(elementSpec: Nested) {
    super("variant", new TensorShape([]), elementSpec);
  }
  /** TF: OptionalSpec.from_value. */
  static fromValue(value: Optional): OptionalSpec {
    return new OptionalSpec(value.valueSpec);
  }
  override valueFrom(tensor: Tensor): Optional {
    return new Optional(tensor, this.inner);
  }
  override tensorOf(value: unknown): Tensor {
    return (value as Optional).variantTensor;
  }
  override withShape(): OptionalSpec {
    return this;
  }
  override get valueClass(): unknown {
    return this;
  }
  override toString(): string {
    return `OptionalSpec(${componentsOf(this.inner).join(", ")})`;
  }
}
export { OptionalSpec as OptionalStructure };
