// Algebra by each op's own rule (`simplify`): x·1 → x, reshape of a reshape, identity of a value. Only replacements by existing tensors.

import { groupByName } from "../graph/build-operation.ts";
import { Operation, type Tensor } from "../graph/operation.ts";
import { constantValue } from "../graph/shape-inference.ts";
import { resolve, type Selection } from "./selection.ts";

export function simplify(selection: Selection): Selection {
  const replaced = new Map(selection.replaced);
  const current: Selection = { ...selection, replaced };
  for (const node of selection.nodes) {
    if (!(node instanceof Operation) || node.definition.simplify === undefined || node.outputs.length !== 1) continue;
    const [output] = node.outputs;
    if (selection.feeds.has(output) || node.controlInputs.length > 0 || node.context !== null) continue;
    const inputs = node.inputs.map(tensor => resolve(current, tensor));
    if (inputs.some(input => input.isRef || selection.feeds.has(input))) continue;
    const grouped = groupByName<Tensor>(node.definition, "inputs", node.attrs, inputs);
    const context = {
      constant: (name: string) => {
        const input = grouped[name] as Tensor;
        return selection.feeds.has(input) ? undefined : constantValue(input);
      },
    };
    const simpler = node.definition.simplify(
      { ...grouped, ...node.attrs, ...groupByName(node.definition, "outputs", node.attrs, node.outputs) },
      context,
    );
    if (simpler !== undefined && simpler !== output && simpler.dtype === output.dtype) replaced.set(output, simpler);
  }
  return prune({ ...selection, replaced });
}

/** Drops operations that nothing needs any more; the order of the rest stays. A closure rather than a backward sweep: loops have no order. */
export function prune(selection: Selection): Selection {
  const needed = new Set<Operation>();
  const stack = [...selection.targets];
  const read = (tensor: Tensor): void => {
    const source = resolve(selection, tensor);
    if (!selection.feeds.has(source)) stack.push(source.op);
  };
  selection.fetches.forEach(read);
  for (let op = stack.pop(); op !== undefined; op = stack.pop()) {
    if (needed.has(op)) continue;
    needed.add(op);
    op.inputs.forEach(read);
    stack.push(...op.controlInputs);
  }
  return { ...selection, nodes: selection.nodes.filter(node => !(node instanceof Operation) || needed.has(node)) };
}
