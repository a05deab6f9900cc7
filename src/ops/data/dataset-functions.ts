// Functions that nodes of tf.data name: how one is built from a JavaScript function (tensors of outer graphs become arguments of their own), and how a
// node calls it. A call runs a copy of the body that belongs to the node, so that what keeps a state in it is told apart, compiled once for each
// combination of shapes.

import type { DType } from "../../base/dtype.ts";
import { InternalError, InvalidArgumentError, ValueError } from "../../base/errors.ts";
import { NDArray } from "../../base/ndarray.ts";
import type { TensorShape } from "../../base/shape.ts";
import type { FunctionRef } from "../../graph/attributes.ts";
import { groupByName } from "../../graph/build-operation.ts";
import { noteCapture } from "../../graph/captures.ts";
import { getDefaultGraph } from "../../graph/default-graph.ts";
import { callFunction, effectsIn, type FuncGraph, functionsOf, neededBy, shareFunctions } from "../../graph/functions.ts";
import { Graph } from "../../graph/graph.ts";
import type { HostContext } from "../../graph/op-definition.ts";
import type { Operation, Tensor } from "../../graph/operation.ts";
import { identity } from "../array/array.ts";
import { afterEffects, ArgOp, bodyOf } from "../flow/functional-calls.ts";
import { generatorId } from "../random/random.ts";

// ---- building ----

interface ArgumentSpec {
  readonly dtype: DType;
  readonly shape: TensorShape;
}

export interface BuiltFunction {
  /** What a node's attribute is to hold. */
  readonly f: FunctionRef;
  /** Tensors of the graph around it that the function reads: the last of its arguments. */
  readonly captures: readonly Tensor[];
}

/** Letters, digits and underscores of a function's name, as TensorFlow writes `<lambda>`. */
const plainName = (name: string): string => name.replaceAll(/[^A-Za-z0-9_.]/g, "") || "lambda";

interface Making {
  /** The function's graph, still empty. */
  readonly graph: Graph;
  /** Attributes of the reference to the function. */
  readonly attrs: FunctionRef["attrs"];
  /** What runs although no result needs it, asked when the graph is built. */
  readonly effects: (graph: Graph) => readonly Operation[];
}
const ofDatasets = (): Making => ({ graph: new Graph(), attrs: { _tf_data_function: true }, effects: effectsIn });

/** A function's graph when its body is built. */
export interface TracedBody {
  readonly graph: Graph;
  readonly inputs: Tensor[];
  readonly outputs: readonly Tensor[];
  /** Tensors of the graphs around it → the arguments that stand for them. */
  readonly captures: ReadonlyMap<Tensor, Tensor>;
  /** The argument that stands for a tensor of a graph around. */
  readonly capture: (outside: Tensor) => Tensor;
}

/** Builds a function's graph inside the default one: `body` gets a tensor for each argument and returns the results. */
export function traceBody(graph: Graph, args: readonly ArgumentSpec[], body: (inputs: Tensor[]) => readonly Tensor[]): TracedBody {
  const outer = getDefaultGraph();
  graph.seed = outer.seed;
  shareFunctions(graph, functionsOf(outer));
  graph.around = outer;
  const inputs: Tensor[] = [];
  const argument = ({ dtype, shape }: ArgumentSpec, name: string): Tensor => {
    const input = ArgOp({ T: dtype, index: inputs.length }, { name });
    if (dtype !== "resource") input.setShape(shape);
    inputs.push(input);
    return input;
  };
  const captures = new Map<Tensor, Tensor>();
  const capture = (outside: Tensor): Tensor => {
    const known = captures.get(outside);
    if (known) return known;
    const input = graph.asDefault(() => graph.controlDependencies(null, () => argument(outside, outside.op.name)));
    noteCapture(input, outside);
    captures.set(outside, input);
    return input;
  };
  graph.capture = outside => (captures.has(outside) || isAround(outer, outside.graph) ? capture(outside) : undefined);
  const outputs = graph.asDefault(() => body(args.map((arg, i) => argument(arg, `args_${i}`))).map(result => identity(result)));
  return { graph, inputs, outputs, captures, capture };
}

/** Puts a function into the library of the default graph. */
export function addFunction(what: string, name: string, func: Omit<FuncGraph, "name">, attrs: FunctionRef["attrs"] = {}): FunctionRef {
  const graph = getDefaultGraph();
  const functions = functionsOf(graph);
  const prefix = `__inference_${what === "" ? "" : `${what}_`}${plainName(name)}`;
  const added = { ...func, name: functions.freeName(prefix, graph.version + functions.made.length) };
  functions.add(added);
  return { name: added.name, attrs };
}

/** Builds a function in a graph of its own: `body` gets a tensor for each argument and returns the results. `what` names it: `Dataset_map`. */
export function buildFunction(
  what: string,
  given: { readonly name: string },
  args: readonly ArgumentSpec[],
  body: (inputs: readonly Tensor[]) => readonly Tensor[],
  { graph, attrs, effects }: Making = ofDatasets(),
): BuiltFunction {
  const { inputs, outputs, captures } = traceBody(graph, args, body);
  const f = addFunction(what, given.name, { graph, inputs, outputs, effects: effects(graph) }, attrs);
  return { f, captures: [...captures.keys()] };
}

/** Is `graph` the innermost graph around a function, or around that? */
function isAround(innermost: Graph, graph: Graph): boolean {
  for (let each: Graph | null = innermost; each !== null; each = each.around) if (each === graph) return true;
  return false;
}

/** A function without arguments that gives a dataset of the graph: a copy of its nodes, all of them constants or datasets.
 *  @throws ValueError with TensorFlow's text for what has another value in each run, or a state. */
export function buildFactory(dataset: Tensor): FunctionRef {
  const { graph } = dataset;
  const functions = functionsOf(graph);
  const name = functions.freeName("_make_dataset", graph.version + functions.made.length);
  const func: FuncGraph = { name, graph, inputs: [], outputs: [dataset], effects: [] };
  for (const op of neededBy(func)) {
    if (op.definition.isPlaceholder) throw new ValueError(`Cannot capture a placeholder (name:${op.name}, type:${op.type}) by value.`);
    if (op.definition.stateful && !op.outputs.every(({ dtype }) => dtype === "variant"))
      throw new ValueError(
        `Cannot capture a stateful node (name:${op.name}, type:${op.type}) by value.: A likely cause of this error is that the dataset for which you are calling \`make_one_shot_iterator()\` captures a stateful object, such as a \`tf.Variable\` or \`tf.lookup.StaticHashTable\`, which is not supported. Use \`make_initializable_iterator()\` instead.`,
      );
  }
  functions.add(func);
  return { name, attrs: {} };
}

// ---- calling ----

/** What a node of the host may ask that begins to iterate. */
export type Beginning = Pick<HostContext, "run" | "restart">;

/** An iteration, which calls functions. */
export interface Iteration extends Beginning {
  /** The functions called so far, by their scopes. */
  readonly entered: Set<string>;
}

export const iterationOf = ({ run, restart }: Beginning): Iteration => ({ run, restart, entered: new Set() });

/** A function from element to element (or to whatever else). */
export type Call = (iteration: Iteration, element: readonly NDArray[]) => Promise<readonly NDArray[]>;

/** A function as a node calls it. `others` are the values of the node's input of that name: what comes behind the element. */
export function callOf(op: Operation, ref: FunctionRef, input?: string, others: readonly (NDArray | object)[] = []): Call {
  const { inputs, outputs, scope } = copyOf(op, ref, input);
  const values = others.filter(other => other instanceof NDArray);
  return ({ run, restart, entered }, element) => {
    const given = [...element, ...values];
    if (given.length !== inputs.length)
      throw new InvalidArgumentError(`Function '${ref.name}' takes ${inputs.length} arguments, but got ${given.length}.`);
    // An iteration has generators of its own.
    if (!entered.has(scope)) {
      entered.add(scope);
      restart(generatorId(scope));
    }
    return run(outputs, new Map(inputs.map((argument, i) => [argument, given[i]])));
  };
}

interface Copy {
  /** Arguments that are values. */
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
  /** The name scope of its nodes, with a slash. */
  readonly scope: string;
}

const copies = new WeakMap<Operation, Map<string, Copy>>();

/** The copy of a function that belongs to a node. */
function copyOf(op: Operation, ref: FunctionRef, input: string | undefined): Copy {
  let own = copies.get(op);
  if (!own) {
    own = new Map();
    copies.set(op, own);
  }
  const key = `${ref.name} ${input}`;
  let found = own.get(key);
  if (!found) {
    found = makeCopy(op, ref, input);
    own.set(key, found);
  }
  return found;
}

function makeCopy(op: Operation, ref: FunctionRef, input: string | undefined): Copy {
  const body = bodyOf(op, ref);
  const graph = new Graph();
  shareFunctions(graph, functionsOf(op.graph));
  const others = input === undefined ? [] : (groupByName(op.definition, "inputs", op.attrs, op.inputs)[input] as readonly Tensor[]);
  const first = body.inputs.length - others.length;
  const inputs: Tensor[] = [];
  const scope = `${op.name}/${ref.name}/`;
  return graph.asDefault(() => {
    const args = body.inputs.map((argument, index) => {
      if (argument.dtype === "resource") return copyHandle(graph, others[index - first], ref);
      const own = ArgOp({ T: argument.dtype, index }, { name: `${scope}argument_${index}/` });
      own.setShape(argument.shape);
      inputs.push(own);
      return own;
    });
    const outputs = graph.nameScope(scope, () => afterEffects(callFunction(body, args)));
    return { inputs, outputs, scope };
  });
}

/** The node that names an object of the session, under its own name: the name is how the object is found. */
function copyHandle(graph: Graph, handle: Tensor | undefined, ref: FunctionRef): Tensor {
  if (handle === undefined) throw new InternalError(`Function '${ref.name}' takes a resource that is not handed to it.`);
  let source = handle;
  while (source.op.definition.isCopy) [source] = source.op.inputs;
  const known = graph.findOperation(source.op.name);
  const { definition, inputs, name } = source.op;
  if (definition.isPlaceholder) throw new InvalidArgumentError(`The resource '${name}' that function '${ref.name}' needs is not there.`);
  const op =
    known ??
    graph.copyOperation(
      source.op,
      inputs.map(input => copyHandle(graph, input, ref)),
      [],
    );
  if (!known) graph.uniqueName(name);
  return op.outputs[source.valueIndex];
}
