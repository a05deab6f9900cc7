// A Selection: the operations one run needs, in an order that respects data and control edges, with tensors that stand in for others.
// Passes return new selections; the user's graph is never changed, so sharing and simplifying are replacements, not edits.

import type { Operation, Tensor } from "../graph/operation.ts";
import type { StructuredNode } from "../graph/structured.ts";
import { isSwitch } from "../ops/flow/control-flow.ts";

export type Node = Operation | StructuredNode;

export interface Selection {
  readonly nodes: readonly Node[];
  /** Tensors that the caller supplies. */
  readonly feeds: ReadonlySet<Tensor>;
  /** Of these, what an earlier part of the same run computes. */
  readonly earlier?: ReadonlySet<Tensor> | undefined;
  /** And of those, the ones whose sizes follow from values: in most runs they are others. */
  readonly varying?: ReadonlySet<Tensor> | undefined;
  /** What the caller wants: tensors as values, operations for their effect. */
  readonly fetches: readonly Tensor[];
  readonly targets: readonly Operation[];
  /** Replacements made by passes: read through `resolve`. */
  readonly replaced: ReadonlyMap<Tensor, Tensor>;
  /** Of branches whose case is known: each operation that has no node any more, for who waits for it. */
  readonly dissolved?: ReadonlyMap<Operation, Dissolved> | undefined;
  /** What lives in one run (TensorArrays, stacks) is kept on the host, so that it outlives a segment. */
  readonly keepsOnHost?: boolean | undefined;
}

/** What was part of a branch: what runs in its place (the case that is taken; of what leads into it, what it leads in), and the predicate's operation. */
export interface Dissolved {
  readonly ran: ReadonlySet<Operation>;
  readonly predicate: Operation;
}

/** The tensor that stands for `tensor` after all replacements. */
export function resolve({ replaced }: Pick<Selection, "replaced">, tensor: Tensor): Tensor {
  let current = tensor;
  for (let next = replaced.get(current); next !== undefined; next = replaced.get(current)) current = next;
  return current;
}

/** The tensor that a Switch gives another name. */
export const switched = ({ op }: Tensor): Tensor | undefined => (isSwitch(op) ? op.inputs[0] : undefined);

/** One line a node: name, type, inputs. */
export function printSelection(selection: Selection): string {
  const line = (node: Node): string => {
    if ("kind" in node) return `${node.kind} ${node.name}`;
    const inputs = node.inputs.map(tensor => resolve(selection, tensor).name);
    const controls = node.controlInputs.map(op => `^${op.name}`);
    const shapes = node.outputs.map(output => `${output.dtypeName}${output.shape.format()}`).join(", ");
    return `${node.name} = ${node.type}(${[...inputs, ...controls].join(", ")})${shapes ? ` : ${shapes}` : ""}`;
  };
  const feeds = [...selection.feeds].map(tensor => `feed ${tensor.name}`);
  const fetches = [
    ...selection.fetches.map(tensor => `fetch ${resolve(selection, tensor).name}`),
    ...selection.targets.map(op => `target ${op.name}`),
  ];
  return [...feeds, ...selection.nodes.map(line), ...fetches].join("\n");
}
