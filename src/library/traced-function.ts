// Functions as nodes: tf.function and tf.wrap_function. A JavaScript function builds nodes once for each kind of arguments, in a graph of its own; a call is one
// PartitionedCall node (StatefulPartitionedCall where something in it has an effect), and the function goes into the library of the graph's export.

import type { DType } from "../base/dtype.ts";
import { refuseOthers } from "../ops/arguments.ts";
import { NDArray } from "../base/ndarray.ts";
import { ValueError } from "../base/errors.ts";
import { pythonRepr } from "../base/python-text.ts";
import { type ShapeLike, TensorShape } from "../base/shape.ts";
import { convertToTensor, describe, isAsTensor, type TensorLike } from "../graph/conversion.ts";
import { getDefaultGraph } from "../graph/default-graph.ts";
import { neededBy } from "../graph/functions.ts";
import type { Graph } from "../graph/graph.ts";
import type { Operation } from "../graph/operation.ts";
import { Tensor } from "../graph/operation.ts";
import { addFunction, type BuiltFunction, traceBody } from "../ops/data/dataset-functions.ts";
import { FunctionGraph } from "../ops/flow/function-graph.ts";
import { BatchFunction, PartitionedCall, StatefulPartitionedCall } from "../ops/flow/functional-calls.ts";
import { flatten, mapNested, type Nested, packAs } from "../ops/flow/nested.ts";
import { GraphKeys } from "./variables/graph-keys.ts";

// any: arguments and results may be any nesting
type AnyFunction = (...args: any[]) => Nested;

interface Spec {
  readonly shape: ShapeLike | null;
  readonly dtype: DType;
}

export interface FunctionOptions {
  /** A type and a shape for each argument: one trace serves all that fit. */
  readonly inputSignature?: readonly Spec[] | null;
  /** Accepted: functions are traced as they are; use tf.cond and tf.whileLoop. */
  readonly autograph?: boolean;
  /** Accepted: every run is compiled. */
  readonly jitCompile?: boolean | null;
  readonly reduceRetracing?: boolean;
  readonly experimentalImplements?: string | null;
  readonly experimentalAutographOptions?: unknown;
  readonly experimentalAttributes?: unknown;
  readonly experimentalRelaxShapes?: boolean | null;
  readonly experimentalCompile?: boolean | null;
  readonly experimentalFollowTypeHints?: boolean | null;
}

interface Trace {
  readonly built: BuiltFunction;
  /** What a call waits for. */
  readonly controls: readonly Operation[];
  readonly isStateful: boolean;
  readonly structure: Nested;
  readonly shapes: readonly TensorShape[];
  readonly types: readonly DType[];
}

const isValue = (leaf: unknown): boolean => leaf instanceof Tensor || leaf instanceof NDArray || ArrayBuffer.isView(leaf);

/** `made` is what becomes of a trace that made variables: a first call is traced again, now that they are there. */
function trace(
  name: string,
  specs: readonly Spec[],
  build: (inputs: readonly Tensor[]) => Nested,
  made: "again" | "refused" | "kept",
): Trace {
  const graph = new FunctionGraph(true);
  const { outermost } = getDefaultGraph();
  const variables = (): number =>
    [GraphKeys.GLOBAL_VARIABLES, GraphKeys.LOCAL_VARIABLES].reduce((n, key) => n + outermost.getCollection(key).length, 0);
  const before = variables();
  let structure: Nested = null;
  const args = specs.map(({ dtype, shape }) => ({ dtype, shape: shape instanceof TensorShape ? shape : new TensorShape(shape) }));
  const body = traceBody(graph, args, inputs => {
    const result = build(inputs);
    structure = result === undefined ? null : result;
    return flatten(structure)
      .filter(leaf => leaf !== null)
      .map(leaf => convertToTensor(leaf as TensorLike));
  });
  if (made !== "kept" && variables() > before) {
    if (made === "again") return trace(name, specs, build, "refused");
    throw new ValueError(
      "tf.function only supports singleton tf.Variables created on the first call. Make sure the tf.Variable is only created once or created outside tf.function. See https://www.tensorflow.org/guide/function#creating_tfvariables for more information.",
    );
  }
  const { inputs, outputs } = body;
  const func = { graph, inputs, outputs, effects: graph.effects };
  const f = addFunction("", name, func);
  return {
    built: { f, captures: [...body.captures.keys()] },
    controls: [...graph.outerControls],
    isStateful: neededBy({ name, ...func }).some(({ definition }) => definition.stateful === true),
    structure,
    shapes: outputs.map(({ shape }) => shape),
    types: outputs.map(({ dtype }) => dtype),
  };
}

/** A node that calls the traced function. */
function call({ built, controls, isStateful, structure, shapes, types }: Trace, inputs: readonly Tensor[]): Nested {
  const op = isStateful ? StatefulPartitionedCall : PartitionedCall;
  const args = [...inputs, ...built.captures];
  const outputs = getDefaultGraph().controlDependencies(controls, () =>
    op({ args, Tin: args.map(({ dtype }) => dtype), Tout: [...types], f: built.f }),
  );
  outputs.forEach((output, i) => void output.setShape(shapes[i]));
  let next = 0;
  return mapNested(structure, leaf => (leaf === null ? null : outputs[next++]));
}

let runsInline = false;
/** With true, functions made by `tf.function` are called as they are, and no node stands for them. TF: tf.config.run_functions_eagerly. */
export const runFunctionsEagerly = (runEagerly: boolean): void => void (runsInline = runEagerly);
export const experimentalRunFunctionsEagerly = runFunctionsEagerly;
/** What was set. TF: tf.config.functions_run_eagerly. */
export const functionsRunEagerly = (): boolean => runsInline;
export const experimentalFunctionsRunEagerly = functionsRunEagerly;

/** Where a graph keeps its traces of a function. */
const tracesOf = (graph: Graph, func: AnyFunction): Map<string, Trace> => {
  const all = graph.attached(tracesOf, () => new Map<AnyFunction, Map<string, Trace>>());
  let own = all.get(func);
  if (!own) {
    own = new Map();
    all.set(func, own);
  }
  return own;
};

const ids = new WeakMap<object, number>();
let nextId = 0;
function idOf(value: object): number {
  let id = ids.get(value);
  if (id === undefined) {
    id = nextId++;
    ids.set(value, id);
  }
  return id;
}

/** A function whose calls are single nodes: it is traced once for each combination of types and shapes of its tensors and of its other arguments. Tensors of
 *  the graph around it and variables become further inputs of the node; effects happen in the order in which they are written. Gradients go through the
 *  function's nodes. Without `func`, what takes it. TF: tf.function. @throws ValueError if it makes variables in more than its first call. */
export function tracedFunction(func: AnyFunction, options?: FunctionOptions): AnyFunction;
export function tracedFunction(options?: FunctionOptions): (func: AnyFunction) => AnyFunction;
export function tracedFunction(first: AnyFunction | FunctionOptions | null = {}, rest: FunctionOptions = {}): unknown {
  if (typeof first !== "function") return (func: AnyFunction) => tracedFunction(func, first ?? rest);
  const { inputSignature = null } = rest;
  const name = first.name === "" ? "lambda" : first.name;
  return Object.defineProperty(
    (...given: Nested[]): Nested => {
      if (runsInline) return first(...given);
      if (inputSignature !== null) return call(...signed(first, name, given, inputSignature));
      const args: Nested = mapNested(given, leaf => (isValue(leaf) ? convertToTensor(leaf as TensorLike) : leaf));
      const leaves = flatten(args);
      const tensors = leaves.filter(leaf => leaf instanceof Tensor);
      const key = JSON.stringify(mapNested(args, keyOf));
      const traces = tracesOf(getDefaultGraph(), first);
      let known = traces.get(key);
      if (known === undefined) {
        known = trace(
          name,
          tensors,
          inputs => {
            let next = 0;
            const inside = leaves.map(leaf => (leaf instanceof Tensor ? inputs[next++] : leaf));
            return first(...(packAs(args, inside) as Nested[]));
          },
          traces.size === 0 ? "again" : "refused",
        );
        traces.set(key, known);
      }
      return call(known, tensors);
    },
    "name",
    { value: name },
  );
}

/** What tells one trace from another. */
function keyOf(leaf: unknown): string {
  if (leaf instanceof Tensor) return `${leaf.dtype} ${leaf.shape}`;
  return (typeof leaf === "object" && leaf !== null) || typeof leaf === "function" ? `#${idOf(leaf)}` : `${typeof leaf} ${String(leaf)}`;
}

const specText = (shape: TensorShape, dtype: DType): string => `TensorSpec(shape=${shape}, dtype=tf.${dtype}, name=None)`;

/** What a function calls its arguments. */
const parameterNames = (func: AnyFunction): string[] =>
  (/^(?:async )?(?:function)?[^(=]*\(([^)]*)\)|^(\w+) *=>/.exec(Function.prototype.toString.call(func))?.slice(1).find(Boolean) ?? "")
    .split(",")
    .map(each => /\w+/.exec(each)?.[0] ?? "");

function signed(func: AnyFunction, name: string, given: readonly Nested[], signature: readonly Spec[]): [Trace, readonly Tensor[]] {
  if (given.length !== signature.length)
    throw new TypeError(`${name}() takes ${signature.length} positional arguments but ${given.length} were given`);
  const inputs = signature.map(({ dtype, shape }, i) => {
    const value = given[i] as TensorLike;
    const tensor = convertToTensor(value, value instanceof Tensor || isAsTensor(value) ? {} : { dtype });
    const wanted = new TensorShape(shape instanceof TensorShape ? shape.dims : shape);
    if (tensor.dtype !== dtype || !wanted.isCompatibleWith(tensor.shape))
      throw new TypeError(
        `Binding inputs to tf.function failed due to \`Can not cast ${specText(tensor.shape, tensor.dtype)} to ${specText(wanted, dtype)}\`. Received args: (${given.map(value => (value instanceof Tensor ? describe(value) : String(value))).join(", ")}${given.length === 1 ? "," : ""}) and kwargs: {} for signature: (${signature.map((each, k) => `${parameterNames(func)[k]}: ${specText(new TensorShape(each.shape instanceof TensorShape ? each.shape.dims : each.shape), each.dtype)}`).join(", ")}).`,
      );
    return tensor;
  });
  const traces = tracesOf(getDefaultGraph(), func);
  let known = traces.get("signature");
  if (known === undefined) {
    known = trace(name, signature, args => func(...args), "again");
    traces.set("signature", known);
  }
  return [known, inputs];
}

/** `function` is a reserved word: inside the house it goes by another name. */
export { tracedFunction as function };

/** A function that is traced at once for arguments of the types and shapes of `signature`, and whose calls are single nodes.
 *  TF: tf.wrap_function. */
export const wrapFunction = (fn: AnyFunction, signature: readonly Spec[]): AnyFunction => {
  const wrapped = tracedFunction(fn, { inputSignature: signature });
  const name = fn.name === "" ? "lambda" : fn.name;
  const traces = tracesOf(getDefaultGraph(), fn);
  if (!traces.has("signature"))
    traces.set(
      "signature",
      trace(name, signature, args => fn(...args), "kept"),
    );
  return wrapped;
};

interface BatchOptions {
  /** Sizes that batches are padded to; ascending, the last is `maxBatchSize`. */
  readonly allowedBatchSizes?: readonly number[] | null;
  readonly maxEnqueuedBatches?: number;
  readonly autograph?: boolean;
  readonly enableLargeBatchSplitting?: boolean;
}

/** What takes a function of tensors of rows and gives one whose calls are single BatchFunction nodes: TensorFlow gathers the rows of several runs for them. A run
 *  here computes its own rows, which gives the same where each row is computed by itself. No gradients. TF: tf.nondifferentiable_batch_function.
 *  @throws ValueError for arguments that are no tensors. */
export function nondifferentiableBatchFunction(
  numBatchThreads: number,
  maxBatchSize: number,
  batchTimeoutMicros: number,
  { allowedBatchSizes, maxEnqueuedBatches = 10, autograph, enableLargeBatchSplitting = true, ...others }: BatchOptions = {},
): (fn: AnyFunction) => (...args: Tensor[]) => Nested {
  refuseOthers(others);
  void autograph;
  return fn =>
    (...args) => {
      for (const arg of args)
        if (!(arg instanceof Tensor))
          throw new ValueError(
            `All arguments to functions decorated with \`batch_function\`  are supposed to be Tensors; found ${pythonRepr(arg)}.`,
          );
      const { built, controls, structure, types } = trace("computation", args, inputs => fn(...inputs), "again");
      const graph = getDefaultGraph();
      const outputs = graph.controlDependencies(controls, () =>
        graph.nameScope("batch", scope =>
          BatchFunction({
            inTensors: args,
            capturedTensors: built.captures,
            f: built.f,
            numBatchThreads,
            maxBatchSize,
            batchTimeoutMicros,
            maxEnqueuedBatches,
            allowedBatchSizes: [...(allowedBatchSizes ?? [])],
            sharedName: String(scope),
            enableLargeBatchSplitting,
            Tout: [...types],
          }),
        ),
      );
      let next = 0;
      return mapNested(structure, leaf => (leaf === null ? null : outputs[next++]));
    };
}

/** The function itself: what its gradient needs of its values is decided where runs are compiled, which keep no more than they have to.
 *  Numbers are the same as TensorFlow's. TF: tf.recompute_grad. */
export const recomputeGrad =
  (f: AnyFunction): AnyFunction =>
  (...args) =>
    f(...args);
