// Initial values made of other variables: reads are replaced by "the value if initialized, else the initial value", so that initializers
// may run in any order. Best effort, as in TensorFlow: graphs with cycles, and variables in no collection, stay as they are.

import type { Graph } from "../../graph/graph.ts";
import type { Operation, Tensor } from "../../graph/operation.ts";
import { RefSwitch, Switch } from "../../ops/flow/control-flow.ts";
import { GraphKeys } from "./graph-keys.ts";

/** `value`, or a copy of its graph that does not read uninitialized variables. `scope` is the name scope of the variable being made. */
export function guardedInitialValue(scope: string, value: Tensor): Tensor {
  if (hasCycle(value.op, new Map())) return value;
  const copies = new Map<Operation, Operation>();
  const guarded = (tensor: Tensor): Tensor => {
    const { op } = tensor;
    let copy = copies.get(op);
    if (copy === undefined) {
      copy = guardedOperation(op, scope, guarded);
      copies.set(op, copy);
    }
    return copy.outputs[tensor.valueIndex];
  };
  return guarded(value);
}

/** Ops that ask for state without needing a value, or read resources: left alone. */
const leaves = new Set(["IsVariableInitialized", "VarIsInitializedOp", "ReadVariableOp", "If"]);
const holders = new Set(["Variable", "VariableV2", "VarHandleOp"]);

function guardedOperation(op: Operation, scope: string, guarded: (tensor: Tensor) => Tensor): Operation {
  if (leaves.has(op.type)) return op;
  if (holders.has(op.type)) return initializedValue(op)?.op ?? op;
  const inputs = op.inputs.map(guarded);
  if (inputs.every((input, i) => input === op.inputs[i])) return op;
  const attrs = op.colocation.length > 0 ? { ...op.attrs, _class: op.colocation } : op.attrs;
  // The copy of a ref's switch switches a value.
  const definition = op.definition === RefSwitch ? Switch : op.definition;
  return op.graph.createOperation(definition, inputs, attrs, `${op.name}_${scope}`.replaceAll(":", "_"));
}

function initializedValue(op: Operation): Tensor | undefined {
  const graph: Graph = op.graph;
  for (const key of [GraphKeys.GLOBAL_VARIABLES, GraphKeys.LOCAL_VARIABLES]) {
    for (const variable of graph.getCollection(key)) {
      if (variable?.name === `${op.name}:0` && typeof variable.initializedValue === "function") return variable.initializedValue();
    }
  }
  return undefined;
}

function hasCycle(op: Operation, state: Map<Operation, "open" | "done">): boolean {
  const known = state.get(op);
  if (known !== undefined) return known === "open";
  state.set(op, "open");
  for (const source of [...op.inputs.map(input => input.op), ...op.controlInputs]) if (hasCycle(source, state)) return true;
  state.set(op, "done");
  return false;
}
