// Calls of functions → the nodes of their bodies. What a run needs of the user's graph is copied into a new one, calls replaced; the user's graph
// stays as it is.

import type { Wanted } from "./expand-calls.ts";
import { type Expansion, expansionOf, functionsOf, itself, type Replacement, replacementOf, shareFunctions } from "./functions.ts";
import { Graph } from "./graph.ts";
import type { Calls } from "./op-definition.ts";
import type { Operation, Tensor } from "./operation.ts";

/** What an operation that calls functions is: `nodes` makes the same of other nodes. */
export const calls = (nodes: Calls["nodes"]): Calls => ({ nodes, copy });

/** The same request to a copy of the needed operations without calls. */
function copy(needed: readonly Operation[], wanted: Wanted): Wanted {
  const copy = new Copy(needed, wanted.feeds);
  // Who fetches one result of a call fetches the call, with all that it reads.
  const fetched = wanted.fetches.flatMap(tensor => (tensor.op.definition.expand && !wanted.feeds.includes(tensor) ? tensor.op : []));
  const besides = fetched.flatMap(op => [...copy.replacement(op).last, ...op.inputs.map(input => copy.tensor(input).op)]);
  return {
    fetches: wanted.fetches.map(tensor => copy.tensor(tensor)),
    targets: [...wanted.targets.flatMap(op => copy.replacement(op).all), ...besides],
    feeds: wanted.feeds.map(tensor => copy.tensor(tensor)),
  };
}

class Copy {
  private readonly graph = new Graph();
  private readonly tensors = new Map<Tensor, Tensor>();
  private readonly made = new Map<Operation, Replacement>();
  private readonly fed: ReadonlySet<Tensor>;

  constructor(needed: readonly Operation[], feeds: readonly Tensor[]) {
    this.fed = new Set(feeds);
    shareFunctions(this.graph, functionsOf(needed[0].graph));
    // What calls make must not take the names that states go by.
    for (const op of [...needed, ...feeds.map(tensor => tensor.op)]) this.graph.uniqueName(op.name);
    for (const tensor of feeds) this.feed(tensor);
    const isNeeded = new Set(needed);
    const open = new Set<Operation>();
    for (const root of needed) this.make(root, isNeeded, open);
    for (const op of needed) this.closeLoop(op);
  }

  /** A fed tensor is only a name for the value: what makes it is not copied. */
  private feed(tensor: Tensor): void {
    this.tensors.set(tensor, this.graph.copyOperation(tensor.op, [], []).outputs[tensor.valueIndex]);
  }

  /** Sources first: a call that was expanded in place is made of nodes younger than its readers. Only from one pass of a loop to the next a value goes
   *  back. */
  private make(root: Operation, needed: ReadonlySet<Operation>, open: Set<Operation>): void {
    const stack = [root];
    for (let op = stack.at(-1); op !== undefined; op = stack.at(-1)) {
      const waiting = open.has(op)
        ? []
        : this.sourcesOf(op).filter(source => needed.has(source) && !open.has(source) && !source.definition.endsPass);
      open.add(op);
      if (waiting.length > 0) stack.push(...waiting.sort((a, b) => b.id - a.id));
      else {
        stack.pop();
        if (!this.made.has(op)) this.made.set(op, this.put(op));
      }
    }
  }

  private sourcesOf(op: Operation): Operation[] {
    const expansion = expansionOf(op);
    const read = (expansion?.outputs ?? op.inputs).filter(tensor => !this.fed.has(tensor)).map(tensor => tensor.op);
    return [...read, ...(expansion?.effects ?? op.controlInputs)];
  }

  private put(op: Operation): Replacement {
    const { definition } = op;
    const known = expansionOf(op);
    if (known)
      return this.define(op, {
        outputs: known.outputs.map(output => this.tensor(output)),
        effects: known.effects.flatMap(effect => this.replacement(effect).all),
        certain: (known.certain ?? known.effects).flatMap(effect => this.replacement(effect).last),
      });
    const inputs = op.inputs.map(input => this.tensors.get(input) ?? (this.tensors.get(op.inputs[0]) as Tensor));
    const controls = op.controlInputs.flatMap(control => this.replacement(control).last);
    const { expand } = definition;
    if (!expand) {
      const copy = this.graph.copyOperation(op, inputs, controls);
      this.define(op, { outputs: copy.outputs, effects: [copy] });
      return itself(copy);
    }
    const make = (): Expansion =>
      this.graph.controlDependencies(controls, () => this.graph.nameScope(`${op.name}/`, () => expand.nodes(op, inputs)));
    return this.define(op, this.graph.asDefault(make));
  }

  private define(op: Operation, expansion: Expansion): Replacement {
    op.outputs.forEach((output, i) => {
      if (!this.fed.has(output)) this.tensors.set(output, expansion.outputs[i]);
    });
    return replacementOf(expansion);
  }

  /** The edge back into a loop is the one that was missing when its Merge was copied, as were edges of what waits for that. */
  private closeLoop(op: Operation): void {
    if (op.definition.expand) return;
    const [copy] = this.replacement(op).all;
    op.inputs.forEach((input, i) => {
      const source = this.tensor(input);
      if (copy.inputs[i] !== source) copy.replaceInput(i, source);
    });
    for (const control of op.controlInputs) for (const source of this.replacement(control).last) copy.addControlInput(source);
  }

  tensor(tensor: Tensor): Tensor {
    return this.tensors.get(tensor) as Tensor;
  }

  /** Nothing, for what is fed. */
  replacement(op: Operation): Replacement {
    return this.made.get(op) ?? { all: [], last: [] };
  }
}
