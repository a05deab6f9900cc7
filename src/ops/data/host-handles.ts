// Handles of objects that a session keeps on the host (queues, tables, iterators): what the ops that make them share.

import { TensorShape } from "../../base/shape.ts";
import * as attr from "../../graph/attributes.ts";
import type { Operation } from "../../graph/operation.ts";

export const sharedAttrs = { container: attr.string(""), sharedName: attr.string("") };

interface Shared {
  readonly container: string;
  readonly sharedName: string;
}

/** The fields of an op whose only output is a handle. */
export const handleFields = { stateful: true, gradient: "none", shape: () => new TensorShape([]) } as const;

/** The name under which a session keeps an object: equal for ops that share a name, else the op's own. */
export const objectId = (kind: string, { container, sharedName }: Shared, op: Operation): string =>
  `${kind}:${container}/${sharedName === "" ? op.name : sharedName}`;

/** TensorFlow numbers the objects that share no name. */
export function nameOf(op: Operation, { sharedName }: { readonly sharedName: string }): string {
  if (sharedName !== "") return sharedName;
  const isNameless = (other: Operation): boolean => other.definition.resource === op.definition.resource && other.attrs.sharedName === "";
  const earlier = op.graph.getOperations().filter(other => other.id < op.id && isNameless(other)).length;
  return `_${earlier}_${op.name}`;
}
