// Common subexpressions: operations of equal definition, attributes and inputs, without state, are computed once.

import { NDArray } from "../base/ndarray.ts";
import { TensorShape } from "../base/shape.ts";
import type { AttrValue } from "../graph/attributes.ts";
import { Operation, type Tensor } from "../graph/operation.ts";
import { resolve, type Selection } from "./selection.ts";

const identities = new WeakMap<object, number>();
let count = 0;
const identity = (object: object): number => {
  let id = identities.get(object);
  if (id === undefined) {
    id = count++;
    identities.set(object, id);
  }
  return id;
};

export function share(selection: Selection): Selection {
  const replaced = new Map(selection.replaced);
  const current: Selection = { ...selection, replaced };
  const known = new Map<string, Operation>();
  // Whoever waits for an operation names it: in a branch of an imported graph that edge alone says on which side a constant is.
  const awaited = new Set(selection.nodes.flatMap(node => (node instanceof Operation ? node.controlInputs : [])));
  const nodes = selection.nodes.filter(node => {
    if (!(node instanceof Operation) || awaited.has(node) || !isSharable(node, selection)) return true;
    const key = keyOf(node, tensor => resolve(current, tensor));
    const twin = known.get(key);
    if (!twin) {
      known.set(key, node);
      return true;
    }
    node.outputs.forEach((output, i) => void replaced.set(output, twin.outputs[i]));
    return false;
  });
  return { ...selection, nodes, replaced };
}

const isSharable = (op: Operation, { feeds, targets }: Selection): boolean =>
  !op.definition.stateful &&
  op.outputs.length > 0 &&
  op.controlInputs.length === 0 &&
  op.context === null &&
  op.inputs.every(input => !input.isRef && !input.isHandle) &&
  !op.outputs.some(output => feeds.has(output) || output.isRef) &&
  !targets.includes(op);

function keyOf(op: Operation, resolved: (tensor: Tensor) => Tensor): string {
  const inputs = op.inputs.map(resolved).map(tensor => `${identity(tensor.op)}:${tensor.valueIndex}`);
  if (op.definition.commutative) inputs.sort();
  const attrs = Object.entries(op.attrs).map(([name, value]) => `${name}=${attrKey(value)}`);
  return `${op.type}(${inputs.join(",")})${attrs.sort().join(",")}`;
}

function attrKey(value: AttrValue): string {
  if (value instanceof NDArray)
    return value.size > 256 || value.dtype === "string" ? `#${identity(value)}` : `${value.dtype}[${value.shape}]${keyOfElements(value)}`;
  if (value instanceof TensorShape) return value.format();
  if (Array.isArray(value)) return `[${value.map(attrKey).join(",")}]`;
  if (typeof value === "string") return JSON.stringify(value);
  return typeof value === "object" ? `#${identity(value)}` : textOf(value);
}

/** Of numbers 0 and -0 are two. */
const textOf = (value: unknown): string => (Object.is(value, -0) ? "-0" : String(value));

const keyOfElements = (value: NDArray): string => Array.from(value.data as Float64Array, textOf).join(",");
