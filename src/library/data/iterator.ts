// Iterators over datasets: three ways to begin, one to go on. TF: tf.data.Iterator.

import { ValueError } from "../../base/errors.ts";
import { TensorShape } from "../../base/shape.ts";
import { convertToTensor, type TensorLike } from "../../graph/conversion.ts";
import { getDefaultGraph } from "../../graph/default-graph.ts";
import type { Named } from "../../graph/op-definition.ts";
import type { Operation, Tensor } from "../../graph/operation.ts";
import { buildFactory } from "../../ops/data/dataset-functions.ts";
import {
  IteratorFromStringHandleV2,
  IteratorGetNext,
  IteratorGetNextAsOptional,
  IteratorToStringHandle,
  IteratorV2,
  MakeIterator,
  OneShotIterator,
} from "../../ops/data/iterator.ts";
import { type NameOption, named } from "../../ops/named.ts";
import { flatten, mapNested, type Nested } from "../../ops/flow/nested.ts";
import { SparseTensor } from "../../graph/sparse-tensor.ts";
import { SparseTensorSpec } from "../../ops/sparse/type-specs.ts";
import { ComponentSpec, componentsOf, specOf, typesAndShapes, valueOf } from "./element-spec.ts";
import { Optional } from "./optional.ts";
import { isOptionsOf, refuseOthers } from "../../ops/arguments.ts";

/** The collection of iterators; not one of GraphKeys. */
const iteratorsKey = "iterators";

/** What iterators need of a dataset. */
export interface Iterated {
  readonly variantTensor: Tensor;
  readonly elementSpec: Nested;
}

const asShape = (shape: unknown): TensorShape =>
  shape instanceof TensorShape ? shape : new TensorShape(shape as (number | null)[] | null);
function specFor(types: Nested, shapes: Nested, classes: Nested = null): Nested {
  const spec = specOf(types, typeof types === "string" && shapes !== null ? asShape(shapes) : shapes, asShape);
  if (classes === null) return spec;
  const given = flatten(classes);
  let next = 0;
  return mapNested(spec, leaf => {
    const component = leaf as ComponentSpec;
    const own = given[next++];
    if (own instanceof ComponentSpec) return own;
    return own === SparseTensor ? new SparseTensorSpec(component.shape, component.dtype) : component;
  });
}

/** Goes through a dataset. */
export class Iterator {
  readonly elementSpec: Nested;
  private readonly resource: Tensor;
  private readonly begin: Operation | null;
  private readonly text: Tensor;

  constructor(iteratorResource: Tensor, initializer: Operation | null, elementSpec: Nested) {
    this.resource = iteratorResource;
    this.begin = initializer;
    this.elementSpec = elementSpec;
    this.text = IteratorToStringHandle({ resourceHandle: iteratorResource });
    getDefaultGraph().addToCollection(iteratorsKey, iteratorResource);
  }

  /** An iterator over any dataset of these types and shapes: begin it with `makeInitializer`. TF: tf.data.Iterator.from_structure. */
  static fromStructure(
    outputTypes: Nested,
    outputShapes: Nested = null,
    options: { readonly sharedName?: string | null; readonly outputClasses?: Nested } = {},
  ): Iterator {
    if (isOptionsOf(outputShapes, "outputShapes", "sharedName", "outputClasses"))
      return Iterator.fromStructure(outputTypes, outputShapes.outputShapes, outputShapes);
    const { sharedName, outputClasses = null } = options;
    const spec = specFor(outputTypes, outputShapes, outputClasses);
    return new Iterator(IteratorV2({ container: "", sharedName: sharedName ?? "", ...typesAndShapes(spec) }), null, spec);
  }

  /** The iterator that a string names: what another iterator's `stringHandle` gave. TF: tf.data.Iterator.from_string_handle. */
  static fromStringHandle(
    stringHandle: TensorLike,
    outputTypes: Nested,
    outputShapes: Nested = null,
    { outputClasses = null }: { readonly outputClasses?: Nested } = {},
  ): Iterator {
    if (isOptionsOf(outputShapes, "outputShapes", "outputClasses"))
      return Iterator.fromStringHandle(stringHandle, outputTypes, outputShapes.outputShapes, outputShapes);
    const spec = specFor(outputTypes, outputShapes, outputClasses);
    const handle = convertToTensor(stringHandle, { dtype: "string" });
    return new Iterator(IteratorFromStringHandleV2({ stringHandle: handle, ...typesAndShapes(spec) }), null, spec);
  }

  get outputTypes(): Nested {
    return mapNested(this.elementSpec, leaf => (leaf as ComponentSpec).dtype);
  }

  get outputShapes(): Nested {
    return mapNested(this.elementSpec, leaf => (leaf as ComponentSpec).shape);
  }

  get outputClasses(): Nested {
    return mapNested(this.elementSpec, leaf => (leaf as ComponentSpec).valueClass);
  }

  /** Begins, or begins again. @throws ValueError for iterators that have none. */
  get initializer(): Operation {
    if (this.begin === null)
      throw new ValueError(
        "The iterator does not have an initializer. This means it was likely created using `tf.data.Dataset.make_one_shot_iterator()`. For an initializable iterator, use `tf.data.Dataset.make_initializable_iterator()` instead.",
      );
    return this.begin;
  }

  /** The operation that begins with a dataset. @throws TypeError for other types of elements, ValueError for other shapes. */
  makeInitializer(dataset: Iterated, options?: NameOption): Operation {
    const [own, other] = [componentsOf(this.elementSpec), componentsOf(dataset.elementSpec)];
    const classOf = (spec: Nested): unknown => spec.constructor;
    if (own.some((spec, k) => spec.flat.dtype !== other[k]?.flat.dtype && classOf(spec) !== classOf(other[k])))
      throw new TypeError(`Expected output classes of ${own.join(", ")} but got dataset with elements ${other.join(", ")}.`);
    if (own.map(({ dtype }) => dtype).join() !== other.map(({ dtype }) => dtype).join())
      throw new TypeError(
        `Expected output types ${own.map(({ dtype }) => dtype)} but got dataset with output types ${other.map(({ dtype }) => dtype)}.`,
      );
    own.forEach(({ shape }, k) => {
      if (!shape.isCompatibleWith(other[k].shape))
        throw new TypeError(`Expected output shapes compatible with ${shape} but got dataset with output shapes ${other[k].shape}.`);
    });
    return MakeIterator({ dataset: dataset.variantTensor, iterator: this.resource }, { name: named(options).name ?? "make_initializer" });
  }

  private besides<T>(make: () => T): T {
    const { graph, op } = this.resource;
    return graph.colocateWith(op, undefined, make);
  }

  /** The next element. @throws OutOfRangeError while running, "End of sequence", after the last; FailedPreconditionError before the initializer. */
  getNext(options?: NameOption): Nested {
    const tensors = this.besides(() => IteratorGetNext({ iterator: this.resource, ...typesAndShapes(this.elementSpec) }, named(options)));
    return valueOf(this.elementSpec, [...tensors]);
  }

  /** The next element, or none at the end: nothing is thrown there. */
  getNextAsOptional(): Optional {
    const optional = this.besides(() => IteratorGetNextAsOptional({ iterator: this.resource, ...typesAndShapes(this.elementSpec) }));
    return new Optional(optional, this.elementSpec);
  }

  /** A string scalar that names this iterator in its session. */
  stringHandle({ name, ...others }: Named = {}): Tensor {
    refuseOthers(others);
    return name ? IteratorToStringHandle({ resourceHandle: this.resource }, { name }) : this.text;
  }
}

/** An iterator that begins by itself when first asked, and goes through the dataset once. TF: tf.data.make_one_shot_iterator.
 *  @throws ValueError for a dataset that reads a placeholder, a variable or a table. */
export function makeOneShotIterator(dataset: Iterated): Iterator {
  const datasetFactory = buildFactory(dataset.variantTensor);
  return beside(dataset, attrs => ({ resource: OneShotIterator({ datasetFactory, ...attrs }), begin: null }));
}

/** An iterator that begins whenever its `initializer` is run. TF: tf.data.make_initializable_iterator. */
export function makeInitializableIterator(dataset: Iterated, { sharedName }: { readonly sharedName?: string | null } = {}): Iterator {
  return beside(dataset, attrs => {
    const resource = IteratorV2({ container: "", sharedName: sharedName ?? "", ...attrs });
    return { resource, begin: MakeIterator({ dataset: dataset.variantTensor, iterator: resource }) };
  });
}

/** An iterator on the device of its dataset. */
function beside(
  { variantTensor, elementSpec }: Iterated,
  make: (attrs: ReturnType<typeof typesAndShapes>) => { resource: Tensor; begin: Operation | null },
): Iterator {
  return variantTensor.graph.colocateWith(variantTensor.op, undefined, () => {
    const { resource, begin } = make(typesAndShapes(elementSpec));
    return new Iterator(resource, begin, elementSpec);
  });
}
