// Functions of a graph's library, as graphs of their own, and how one is called: its nodes are copied to where the call stands. Where the
// functions come from (a GraphDef) is not known here.

import { ResourceExhaustedError, UnimplementedError } from "../base/errors.ts";
import type { FunctionRef } from "./attributes.ts";
import { getDefaultGraph } from "./default-graph.ts";
import type { ControlFlowContext, Graph } from "./graph.ts";
import type { Operation } from "./operation.ts";
import { Tensor } from "./operation.ts";

/** A function's body: a graph with one tensor for each argument and each result. */
export interface FuncGraph {
  readonly name: string;
  readonly graph: Graph;
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
  /** What runs although no result needs it. */
  readonly effects: readonly Operation[];
  /** Of an imported function, the effects that it names: as a branch, a condition or a body, which become part of the graph around, it has no others. */
  readonly named?: readonly Operation[];
}

/** Where functions are found that did not begin as graphs. */
export interface FunctionLibrary {
  /** @throws NotFoundError if there is no function of that name. */
  body(ref: FunctionRef): FuncGraph;
  has(name: string): boolean;
  /** The function that a function names as its gradient. */
  gradientOf(name: string): string | undefined;
}

/** The functions that the nodes of a graph, and of the bodies of its functions, may call: those that the program made, and those that a GraphDef
 *  brought along. */
export class GraphFunctions {
  private readonly functions = new Map<string, FuncGraph>();
  brought: FunctionLibrary | undefined;

  /** What the program made, in order. */
  get made(): readonly FuncGraph[] {
    return [...this.functions.values()];
  }

  has(name: string): boolean {
    return this.functions.has(name) || this.brought?.has(name) === true;
  }

  /** A name of its own; `count` makes it unlikely in other graphs as well. */
  freeName(prefix: string, count: number): string {
    let n = count;
    while (this.has(`${prefix}_${n}`)) n++;
    return `${prefix}_${n}`;
  }

  add(func: FuncGraph): void {
    this.functions.set(func.name, func);
  }

  /** Undefined in a graph that has no function at all. @throws NotFoundError if it has others. */
  body(ref: FunctionRef): FuncGraph | undefined {
    return this.functions.get(ref.name) ?? this.brought?.body(ref);
  }
}

const libraries = new WeakMap<Graph, GraphFunctions>();

export function functionsOf(graph: Graph): GraphFunctions {
  let found = libraries.get(graph);
  if (!found) {
    found = new GraphFunctions();
    libraries.set(graph, found);
  }
  return found;
}

/** Of a graph made from another, or for a function of another. */
export const shareFunctions = (graph: Graph, functions: GraphFunctions): void => void libraries.set(graph, functions);

/** What runs in a function although no result needs it: what has an effect and no result that could be needed. */
export const effectsIn = (graph: Graph): readonly Operation[] =>
  graph.getOperations().filter(op => op.definition.stateful && (op.outputs.length === 0 || op.inputs.some(input => input.isRef)));

/** What a call has become: its results, and the operations that have to run besides. */
export interface Expansion {
  readonly outputs: readonly Tensor[];
  readonly effects: readonly Operation[];
  /** What is over when the call is, besides its results: the effects that happen in any case. Without this field, all. */
  readonly certain?: readonly Operation[];
}

/** The operations in place of one: those that must run for it, and those that are over when it is. */
export interface Replacement {
  readonly all: readonly Operation[];
  readonly last: readonly Operation[];
}

export const itself = (op: Operation): Replacement => ({ all: [op], last: [op] });

export function replacementOf({ outputs, effects, certain = effects }: Expansion): Replacement {
  const makers = outputs.map(output => output.op);
  return { all: [...new Set([...effects, ...makers])], last: [...new Set([...certain, ...makers])] };
}

/** A function's nodes in place of a call. */
export interface CalledFunction extends Expansion {
  readonly body: FuncGraph;
  /** What stands for the operations of the body. */
  readonly replaced: ReadonlyMap<Operation, Replacement>;
}

/** Calls within calls, and nodes that calls may make in all: a function that calls itself, or doubles at every level, ends here. */
const deepest = 64;
const mostNodes = 500_000;
let depth = 0;

/** Copies a function's nodes into the default graph, with `args` for its arguments. */
export function callFunction(body: FuncGraph, args: readonly Tensor[], copied: (copy: Operation) => void = () => {}): CalledFunction {
  if (depth >= deepest)
    throw new UnimplementedError(`Function '${body.name}' is called more than ${deepest} calls deep: recursive functions do not run here.`);
  depth++;
  try {
    return copyBody(body, args, copied);
  } finally {
    depth--;
  }
}

function copyBody(body: FuncGraph, args: readonly Tensor[], copied: (copy: Operation) => void): CalledFunction {
  const graph = getDefaultGraph();
  const tensors = new Map<Tensor, Tensor>(body.inputs.map((input, i) => [input, args[i]]));
  const operations = new Map<Operation, Replacement>();
  const needed = neededBy(body);
  const late: [op: Operation, index: number][] = [];
  const put = (op: Operation, outputs: readonly Tensor[], replacement: Replacement): void => {
    op.outputs.forEach((output, i) => void tensors.set(output, outputs[i]));
    operations.set(op, replacement);
  };
  for (const op of needed) {
    if (graph.version > mostNodes) throw new ResourceExhaustedError(`The calls of function '${body.name}' grow beyond ${mostNodes} nodes.`);
    const known = expansions.get(op);
    if (known) {
      const all = known.effects.flatMap(effect => operations.get(effect)?.all ?? []);
      const certain = (known.certain ?? known.effects).flatMap(effect => operations.get(effect)?.last ?? []);
      const outputs = known.outputs.map(output => tensors.get(output) as Tensor);
      put(op, outputs, replacementOf({ outputs, effects: all, certain }));
      continue;
    }
    const inputs = op.inputs.map((input, i) => {
      if (!tensors.has(input)) late.push([op, i]);
      return tensors.get(input) ?? standIn(op, input, tensors);
    });
    const controls = op.controlInputs.flatMap(control => operations.get(control)?.last ?? []);
    const make = (): void => {
      const { definition } = op;
      if (definition.expand && !staysCall(op, graph)) {
        const expansion = graph.nameScope(op.name, () => definition.expand?.nodes(op, inputs) as Expansion);
        put(op, expansion.outputs, replacementOf(expansion));
        return;
      }
      const copy = graph.createOperation(definition, inputs, op.attrs, op.name);
      put(op, copy.outputs, itself(copy));
      copied(copy);
    };
    const placed = op.device === "" ? make : () => graph.device(op.device, make);
    if (controls.length === 0) placed();
    else graph.controlDependencies(controls, placed);
  }
  for (const [op, i] of late) operations.get(op)?.all[0].replaceInput(i, tensors.get(op.inputs[i]) as Tensor);
  const effects = body.effects.flatMap(op => operations.get(op)?.all ?? []);
  const outputs = body.outputs.map(output => tensors.get(output) as Tensor);
  return { outputs, effects, body, replaced: operations };
}

/** A loop's way back is not there yet when its Merge is made: its first input stands in, of unknown shape. */
function standIn(op: Operation, input: Tensor, tensors: ReadonlyMap<Tensor, Tensor>): Tensor {
  const like = op.inputs.map(other => tensors.get(other)).find(found => found !== undefined) as Tensor;
  return new Tensor(like.op, like.valueIndex, input.dtype, input.isRef, input.shape);
}

/** What an operation waits for; of a call that has been expanded in place, its nodes. */
function sourcesOf(op: Operation): Operation[] {
  const expansion = expansions.get(op);
  return [...(expansion?.outputs ?? op.inputs).map(({ op }) => op), ...(expansion?.effects ?? op.controlInputs)];
}

/** The operations behind results and effects, sources first, otherwise in order of creation; arguments are not among them. What brings a tensor into a
 *  branch or loop is made after the operation that reads it there; only from one pass of a loop to the next a value goes back. */
export function neededBy({ inputs, outputs, effects }: FuncGraph): Operation[] {
  const given = new Set(inputs.map(input => input.op));
  const needed = new Set<Operation>();
  const stack = [...outputs.map(output => output.op), ...effects];
  for (let op = stack.pop(); op !== undefined; op = stack.pop()) {
    if (given.has(op) || needed.has(op)) continue;
    needed.add(op);
    stack.push(...sourcesOf(op));
  }
  const ordered = new Set<Operation>();
  const open = new Set<Operation>();
  for (const root of [...needed].sort((a, b) => a.id - b.id)) {
    const waiting = [root];
    for (let op = waiting.at(-1); op !== undefined; op = waiting.at(-1)) {
      const sources = open.has(op)
        ? []
        : sourcesOf(op).filter(source => needed.has(source) && !open.has(source) && !source.definition.endsPass);
      open.add(op);
      if (sources.length === 0) ordered.add(waiting.pop() as Operation);
      else waiting.push(...sources.sort((a, b) => b.id - a.id));
    }
  }
  return [...ordered];
}

const expansions = new WeakMap<Operation, Expansion>();

/** The nodes of the same graph that a call has been replaced by, if it has. */
export const expansionOf = (op: Operation): Expansion | undefined => expansions.get(op);

/** What stands for an operation in its own graph: calls that have been expanded there are their nodes. */
export function inPlace(op: Operation): Replacement {
  const expansion = expansions.get(op);
  if (expansion === undefined) return itself(op);
  const { all, last } = replacementOf(expansion);
  return { all: all.flatMap(each => inPlace(each).all), last: last.flatMap(each => inPlace(each).last) };
}

/** Does a call stay one in `graph`, where gradients go through it as it is? */
export const staysCall = ({ definition }: Operation, { differentiate }: Graph): boolean =>
  differentiate !== null && definition.gradient !== undefined;

/** The tensor that stands for a result of what has been replaced. */
export function standing(tensor: Tensor): Tensor {
  let current = tensor;
  for (let known = expansions.get(current.op); known; known = expansions.get(current.op)) current = known.outputs[current.valueIndex];
  return current;
}

/** From now on what read an operation's results reads those of other nodes of its graph. */
export function replaceBy(op: Operation, expansion: Expansion): void {
  expansions.set(op, expansion);
  for (const reader of op.graph.getOperations()) {
    reader.inputs.forEach((input, i) => {
      if (input.op === op) reader.replaceInput(i, expansion.outputs[input.valueIndex]);
    });
  }
}

/** Puts a call's nodes into its own graph, under its name; all that read its results read theirs from then on. Gradients go through these. */
export function expandInPlace(op: Operation): Expansion {
  const known = expansions.get(op);
  if (known) return known;
  const { graph } = op;
  const expansion = graph.replacing(() =>
    graph.asDefault(() =>
      graph.controlDependencies(null, () => {
        // In the branch or loop that the call stands in.
        graph.controlFlowContext = op.context as ControlFlowContext | null;
        return graph.controlDependencies(op.controlInputs, () =>
          graph.nameScope(`${op.name}/`, () => op.definition.expand?.nodes(op, op.inputs)),
        );
      }),
    ),
  ) as Expansion;
  replaceBy(op, expansion);
  return expansion;
}
