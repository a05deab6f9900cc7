// The graph of a function while it is built: its conditionals and loops are nodes that call functions of their own (If, Case, While), and what has an
// effect happens in the order in which it is written.

import { ValueError } from "../../base/errors.ts";
import { TensorShape } from "../../base/shape.ts";
import { type FunctionRef, refsIn } from "../../graph/attributes.ts";
import { getDefaultGraph } from "../../graph/default-graph.ts";
import { functionsOf } from "../../graph/functions.ts";
import { type FunctionalFlow, Graph } from "../../graph/graph.ts";
import { convertToTensor, type TensorLike } from "../../graph/conversion.ts";
import { IndexedSlices, partsOfSlices } from "../../graph/indexed-slices.ts";
import type { Named } from "../../graph/op-definition.ts";
import { Operation, type Tensor } from "../../graph/operation.ts";
import { identity, stopGradient } from "../array/array.ts";
import { joined, requireInvariant } from "./control-flow-contexts.ts";
import { flatten, type Nested } from "./nested.ts";
import { addFunction, traceBody, type TracedBody } from "../data/dataset-functions.ts";
import { Case, If, StatelessCase, StatelessIf, StatelessWhile, While } from "./functional-calls.ts";

/** A graph whose conditionals and loops call functions. With `isSequenced`, each effect waits for the one before, as in a function made by
 *  `tf.function`; else nothing runs unasked, as in the branches of a node in a plain graph. */
export class FunctionGraph extends Graph {
  override functional: FunctionalFlow | null = flow;
  readonly isSequenced: boolean;
  private isReplacing = false;
  private readonly sequence: Operation[] = [];

  constructor(isSequenced: boolean) {
    super();
    this.isSequenced = isSequenced;
  }

  /** What runs although no result needs it. */
  get effects(): readonly Operation[] {
    return this.sequence;
  }

  override refuseInitial(value: Tensor, variable: unknown): void {
    throw new ValueError(
      `Argument \`initial_value\` (${value}) could not be lifted out of a \`tf.function\`. (Tried to create variable with name='${variable ?? null}'). To avoid this error, when constructing \`tf.Variable\`s inside of \`tf.function\` you can create the \`initial_value\` tensor in a \`tf.init_scope\` or pass a callable \`initial_value\` (e.g., \`tf.Variable(lambda : tf.truncated_normal([10, 40]))\`). Please file a feature request if this restriction inconveniences you.`,
    );
  }

  override replacing<R>(body: () => R): R {
    const before = this.isReplacing;
    this.isReplacing = true;
    try {
      return super.replacing(body);
    } finally {
      this.isReplacing = before;
    }
  }

  override createOperation(...given: Parameters<Graph["createOperation"]>): Operation {
    if (!this.isSequenced || this.isReplacing || !this.isEffect(...given)) return super.createOperation(...given);
    const last = this.sequence.at(-1);
    const op = last ? this.controlDependencies([last], () => super.createOperation(...given)) : super.createOperation(...given);
    this.sequence.push(op);
    return op;
  }

  private isEffect(...[definition, inputs, attrs]: Parameters<Graph["createOperation"]>): boolean {
    // What lives in one run goes by its flow; what has a state of its own only, such as the generator of a random op, nothing else sees.
    if (!definition.stateful || definition.isPlaceholder || definition.onHost) return false;
    if (definition.expand) return refsIn(attrs).some(ref => functionsOf(this).body(ref)?.effects.length);
    const touches = inputs.some(input => input.isRef || input.dtype === "resource") || Object.keys(definition.outputs).length === 0;
    return touches || definition.host !== undefined;
  }
}

/** An empty graph for a function of a node in the default graph, with the same collections. */
const newGraph = (): FunctionGraph => {
  const around = getDefaultGraph();
  const graph = new FunctionGraph(around instanceof FunctionGraph && around.isSequenced);
  graph.shareCollections(around);
  return graph;
};

/** Has something in a function a state or an effect? */
const isStateful = ({ graph }: TracedBody): boolean =>
  graph.getOperations().some(({ definition }) => definition.stateful && !definition.isPlaceholder);

/** Functions of one node, each with `count` arguments and all tensors of graphs around that one of them reads. */
function shared(
  bodies: readonly TracedBody[],
  count: number,
): { readonly outside: readonly Tensor[]; readonly inputs: readonly (readonly Tensor[])[] } {
  const outside = [...new Set(bodies.flatMap(({ captures }) => [...captures.keys()]))];
  return { outside, inputs: bodies.map(({ inputs, capture }) => [...inputs.slice(0, count), ...outside.map(capture)]) };
}

/** Runs `make` after what the functions wait for outside. */
const afterOuter = <R>(bodies: readonly TracedBody[], make: () => R): R =>
  getDefaultGraph().controlDependencies([...new Set(bodies.flatMap(({ graph }) => [...graph.outerControls]))], make);

const added = (name: string, { graph, outputs }: TracedBody, inputs: readonly Tensor[], more: readonly Tensor[] = []): FunctionRef =>
  addFunction("", name, { graph, inputs, outputs: [...outputs, ...more], effects: (graph as FunctionGraph).effects });

/** @throws ValueError where a branch reads what another made. */
function refuseOthers(graphs: readonly Graph[], own: number): void {
  const { capture } = graphs[own];
  graphs[own].capture = outside => {
    const other = graphs.indexOf(outside.graph);
    if (other >= 0 && other !== own) throw new ValueError(`Tensor ${outside.name} in branch ${other} is accessed from branch ${own}.`);
    return capture?.(outside);
  };
}

/** A node that calls one of several functions without arguments: by a bool the first for false, by a number the last for one outside. */
export function branch(choice: Tensor, branches: readonly (() => readonly Tensor[])[], check: () => void, name?: Named["name"]): Tensor[] {
  const graphs = branches.map(newGraph);
  const bodies = branches.map((build, k) =>
    traceBody(graphs[k], [], () => {
      refuseOthers(graphs, k);
      return build();
    }),
  );
  check();
  const { outside, inputs } = shared(bodies, 0);
  const [first] = bodies;
  const types = { Tin: outside.map(({ dtype }) => dtype), Tout: first.outputs.map(({ dtype }) => dtype) };
  const outputShapes = first.outputs.map((_, k) =>
    bodies.map(({ outputs }) => outputs[k].shape).reduce((shape, other) => shape.mostSpecificCompatibleShape(other)),
  );
  const common = { input: outside, ...types, outputShapes };
  const hasState = bodies.some(isStateful);
  const outputs = afterOuter(bodies, () => {
    if (choice.dtype === "bool") {
      const [elseBranch, thenBranch] = bodies.map((body, k) => added(["cond_false", "cond_true"][k], body, inputs[k]));
      return (hasState ? If : StatelessIf)({ cond: choice, Tcond: "bool", thenBranch, elseBranch, ...common });
    }
    const refs = bodies.map((body, k) => added(`indexed_case_branch${k}`, body, inputs[k]));
    return (hasState ? Case : StatelessCase)({ branchIndex: choice, branches: refs, ...common }, { name });
  });
  return (types.Tout.length === 0 ? [] : (outputs as readonly Tensor[])).map(output => identity(output));
}

/** A branch as it is built; an operation that it returns is stood for by the choice, once it has run. */
export function branchOf(fn: () => unknown, choice: Tensor) {
  const resultsOf = (leaf: unknown): Tensor[] => {
    if (leaf === null) return [];
    if (leaf instanceof Operation) return [getDefaultGraph().controlDependencies([leaf], () => identity(choice))];
    if (leaf instanceof IndexedSlices) return partsOfSlices(leaf);
    return [convertToTensor(leaf as TensorLike)];
  };
  const built = {
    original: null as Nested,
    results: [] as Tensor[],
    build: () => {
      built.original = fn() ?? null;
      built.results = built.original === null ? [] : flatten(built.original).flatMap(resultsOf);
      return built.results;
    },
  };
  return built;
}

function cond(predicate: Tensor, whenTrue: () => unknown, whenFalse: () => unknown, isStrict: boolean): Nested {
  const [yes, no] = [whenTrue, whenFalse].map(fn => branchOf(fn, predicate));
  return joined(yes, no, isStrict, check => branch(predicate, [no.build, yes.build], check));
}

/** A node that calls a function on its own results while another of them is true. */
function loop(...[initial, shapes, condition, step, { parallelIterations, backProp }]: Parameters<FunctionalFlow["loop"]>): Tensor[] {
  const body = (vars: Tensor[]): Tensor[] => {
    const results = step(vars);
    results.forEach((result, k) => void requireInvariant(initial[k], shapes[k], result));
    return results;
  };
  const args = initial.map(({ dtype }, k) => ({ dtype, shape: shapes[k] }));
  const bodies = [traceBody(newGraph(), args, vars => [condition(vars)]), traceBody(newGraph(), args, body)];
  const { outside, inputs } = shared(bodies, args.length);
  const all = [...initial, ...outside];
  const outputs = afterOuter(bodies, () =>
    (bodies.some(isStateful) ? While : StatelessWhile)({
      input: all,
      T: all.map(({ dtype }) => dtype),
      cond: added("while_cond", bodies[0], inputs[0]),
      body: added("while_body", bodies[1], inputs[1], inputs[1].slice(args.length)),
      outputShapes: [...shapes, ...outside.map(({ shape }) => shape)],
      parallelIterations,
    }),
  ) as readonly Tensor[];
  return outputs.slice(0, args.length).map(output => (backProp ? identity(output) : stopGradient(identity(output))));
}

const flow: FunctionalFlow = { cond, loop };

/** A While node as TensorFlow 1's library makes them by itself: its functions know no shapes of their arguments. TF: functional_ops.While. */
export function loopOfFunctions(
  condition: (vars: readonly Tensor[]) => Tensor,
  step: (vars: readonly Tensor[]) => readonly Tensor[],
  initial: readonly Tensor[],
): readonly Tensor[] {
  const args = initial.map(({ dtype }) => ({ dtype, shape: TensorShape.unknown() }));
  const bodies = [traceBody(newGraph(), args, vars => [condition(vars)]), traceBody(newGraph(), args, step)];
  const { outside, inputs } = shared(bodies, args.length);
  const input = [...initial, ...outside];
  const outputs = While({
    input,
    T: input.map(({ dtype }) => dtype),
    cond: added("cond", bodies[0], inputs[0]),
    body: added("body", bodies[1], inputs[1], inputs[1].slice(args.length)),
  }) as readonly Tensor[];
  return outputs.slice(0, args.length);
}
