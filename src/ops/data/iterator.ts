// Iterators over datasets: objects of the session that handles name. And optionals: elements that may be missing.

import { InternalError, InvalidArgumentError } from "../../base/errors.ts";
import { encodeText, NDArray } from "../../base/ndarray.ts";
import { TensorShape } from "../../base/shape.ts";
import * as attr from "../../graph/attributes.ts";
import { defineOp, type Gradients, type HostContext, type HostObject } from "../../graph/op-definition.ts";
import { elementAttrs, elementShapes, made, textOf } from "./dataset-fields.ts";
import { callOf } from "./dataset-functions.ts";
import { DatasetArray } from "./host-dataset.ts";
import { HostIterator, iteratorHandles, IteratorPlace, OptionalArray } from "./iterator-memory.ts";
import { handleFields, objectId } from "./host-handles.ts";
import { change } from "./lookup.ts";

const scalar = new TensorShape([]);

function iteratorOf(handle: object): HostIterator {
  const found = handle instanceof IteratorPlace ? handle.iterator : handle;
  if (!(found instanceof HostIterator)) throw new InternalError("The handle is no iterator's.");
  return found;
}

const newIterator = {
  inputs: {},
  outputs: { handle: "resource" },
  attrs: { sharedName: attr.string(), container: attr.string(), ...elementAttrs },
  ...handleFields,
  resource: (attrs: { sharedName: string; container: string }, op: Parameters<typeof objectId>[2]): HostObject => ({
    id: objectId("iterator", attrs, op),
    make: () => new HostIterator(),
  }),
} as const;

export const IteratorV2 = defineOp("IteratorV2", newIterator);
/** The older form. */
export const Iterator = defineOp("Iterator", newIterator);

/** One that nobody else can name. */
const anonymous = {
  inputs: {},
  outputs: { handle: "resource" },
  attrs: elementAttrs,
  ...handleFields,
  resource: (_attrs: object, op: Parameters<typeof objectId>[2]): HostObject => ({
    id: `iterator:anonymous/${op.name}`,
    make: () => new HostIterator(),
  }),
} as const;

export const AnonymousIterator = defineOp("AnonymousIterator", anonymous);
export const AnonymousIteratorV3 = defineOp("AnonymousIteratorV3", anonymous);

/** Begins with the dataset that its function gives, when first asked. */
export const OneShotIterator = defineOp("OneShotIterator", {
  inputs: {},
  outputs: { handle: "resource" },
  attrs: { datasetFactory: attr.func(), ...elementAttrs, container: attr.string(""), sharedName: attr.string("") },
  ...handleFields,
  resource: (attrs, op): HostObject => ({
    id: objectId("iterator", attrs, op),
    make: () => new HostIterator(async iteration => DatasetArray.of((await callOf(op, attrs.datasetFactory)(iteration, []))[0])),
  }),
});

/** Begins an iterator, or begins it again. */
export const MakeIterator = defineOp("MakeIterator", {
  inputs: { dataset: "variant", iterator: "resource" },
  outputs: {},
  attrs: {},
  stateful: true,
  gradient: "none",
  shape: () => undefined,
  host: ({ dataset, iterator }, context) => iteratorOf(iterator).begin(DatasetArray.of(dataset), context),
});

const getNext = {
  inputs: { iterator: "resource" },
  outputs: { components: "outputTypes" },
  attrs: elementAttrs,
  stateful: true,
  gradient: "none",
  shape: ({ iterator, ...of }: { readonly iterator: TensorShape } & Parameters<typeof elementShapes>[0]) => {
    iterator.withRank(0);
    return elementShapes(of);
  },
  host: ({ iterator }: { iterator: object }, context: HostContext) => iteratorOf(iterator).next(context),
} as const;

export const IteratorGetNext = defineOp("IteratorGetNext", getNext);
export const IteratorGetNextSync = defineOp("IteratorGetNextSync", getNext);

/** The next element, or none at the end. */
export const IteratorGetNextAsOptional = defineOp("IteratorGetNextAsOptional", {
  inputs: { iterator: "resource" },
  outputs: { optional: "variant" },
  attrs: elementAttrs,
  stateful: true,
  ...made,
  host: async ({ iterator }, context) => new OptionalArray(await iteratorOf(iterator).nextOrNone(context)),
});

export const IteratorToStringHandle = defineOp("IteratorToStringHandle", {
  inputs: { resourceHandle: "resource" },
  outputs: { stringHandle: "string" },
  attrs: {},
  stateful: true,
  ...made,
  host: ({ resourceHandle }) => new NDArray("string", [], [encodeText(iteratorHandles.of(iteratorOf(resourceHandle)))]),
});

/** The iterator of a string that IteratorToStringHandle gave. */
const fromString = {
  inputs: { stringHandle: "string" },
  outputs: { resourceHandle: "resource" },
  attrs: { outputTypes: attr.types([], { minimum: 0 }), outputShapes: attr.shapes([], 0) },
  ...handleFields,
  resource: (_attrs: object, op: { readonly name: string }): HostObject => ({
    id: `iteratorPlace:${op.name}`,
    make: () => new IteratorPlace(),
  }),
} as const;

export const IteratorFromStringHandleV2 = defineOp("IteratorFromStringHandleV2", {
  ...fromString,
  lower: ({ stringHandle }, context) => {
    const handle = context.object();
    const place = context.resource(handle);
    if (!(place instanceof IteratorPlace)) throw new InternalError(`'${handle.state.id}' is no iterator's place.`);
    change(handle, "iteratorOfString", [stringHandle], ([text]) => {
      place.iterator = iteratorHandles.find(textOf(text));
    });
    return handle;
  },
});
/** The older form. */
export const IteratorFromStringHandle = defineOp("IteratorFromStringHandle", {
  ...fromString,
  lower: (record, context) => IteratorFromStringHandleV2.lower?.(record, context),
});

// ---- optionals ----

const optionalOutput = { optional: "variant" } as const;

export const OptionalFromValue = defineOp("OptionalFromValue", {
  inputs: { components: "Toutput_types" },
  outputs: optionalOutput,
  attrs: { Toutput_types: attr.types(undefined, { minimum: 1 }) },
  shape: () => scalar,
  gradient: ({ components, Toutput_types }, d): Gradients => ({
    components: OptionalGetValue({
      optional: d.optional,
      outputTypes: Toutput_types,
      outputShapes: components.map(({ shape }) => shape),
    }),
  }),
  host: ({ components }) => new OptionalArray(components),
});

export const OptionalNone = defineOp("OptionalNone", {
  inputs: {},
  outputs: optionalOutput,
  attrs: {},
  ...made,
  host: () => new OptionalArray(undefined),
});

export const OptionalHasValue = defineOp("OptionalHasValue", {
  inputs: optionalOutput,
  outputs: { hasValue: "bool" },
  attrs: {},
  ...made,
  host: ({ optional }) => NDArray.full("bool", [], OptionalArray.of(optional).element !== undefined),
});

export const OptionalGetValue = defineOp("OptionalGetValue", {
  inputs: optionalOutput,
  outputs: { components: "outputTypes" },
  attrs: elementAttrs,
  shape: ({ outputShapes }) => [...outputShapes],
  gradient: (_record, d): Gradients => ({ optional: OptionalFromValue({ components: [...d.components] }) }),
  host: ({ optional }) => {
    const { element } = OptionalArray.of(optional);
    if (element === undefined) throw new InvalidArgumentError("The given optional does not have a value.");
    return element;
  },
});
