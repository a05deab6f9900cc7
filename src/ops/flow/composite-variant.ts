// Values of many parts (ragged tensors and others) as one of type variant: their components, in order. They are held on the host.

import { dtypeEnumName } from "../../base/dtype.ts";
import { InvalidArgumentError } from "../../base/errors.ts";
import { NDArray } from "../../base/ndarray.ts";
import { TensorShape } from "../../base/shape.ts";
import * as attr from "../../graph/attributes.ts";
import { defineOp, type Gradients } from "../../graph/op-definition.ts";

class CompositeArray extends NDArray {
  readonly components: readonly NDArray[];

  constructor(components: readonly NDArray[]) {
    super("variant", [], new Uint8Array(1));
    this.components = components;
  }
}

/** What the value is (its TypeSpec) is told by `metadata`, a serialized CompositeTensorVariantMetadata, and of no consequence to a run. */
const attrs = { metadata: attr.string(), Tcomponents: attr.types(undefined, { minimum: 0 }) };

export const CompositeTensorVariantFromComponents = defineOp("CompositeTensorVariantFromComponents", {
  inputs: { components: "Tcomponents" },
  outputs: { encoded: "variant" },
  attrs,
  shape: () => new TensorShape([]),
  gradient: ({ metadata, Tcomponents }, d): Gradients => ({
    components: CompositeTensorVariantToComponents({ encoded: d.encoded, metadata, Tcomponents }),
  }),
  host: ({ components }) => new CompositeArray(components),
});

export const CompositeTensorVariantToComponents = defineOp("CompositeTensorVariantToComponents", {
  inputs: { encoded: "variant" },
  outputs: { components: "Tcomponents" },
  attrs,
  shape: ({ Tcomponents }) => Tcomponents.map(() => TensorShape.unknown()),
  gradient: ({ metadata }, d): Gradients => ({
    encoded: CompositeTensorVariantFromComponents({ components: [...d.components], metadata }),
  }),
  host: ({ encoded, Tcomponents }) => {
    if (!(encoded instanceof CompositeArray))
      throw new InvalidArgumentError("The input `encoded` is not a valid CompositeTensorVariant tensor, got another variant.");
    const { components } = encoded;
    if (components.length !== Tcomponents.length)
      throw new InvalidArgumentError(
        `Encoded value has ${components.length} tensor components; expected ${Tcomponents.length} components based on type_spec`,
      );
    components.forEach(({ dtype }, k) => {
      if (dtype !== Tcomponents[k])
        throw new InvalidArgumentError(
          `Tensor component ${k} had dtype ${dtypeEnumName(dtype)}; expected dtype ${dtypeEnumName(Tcomponents[k])}`,
        );
    });
    return components;
  },
});
