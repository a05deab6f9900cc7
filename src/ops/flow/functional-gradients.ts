// Gradients of If, Case and While nodes that are such nodes again: what loops of gradients become when gradients go through them a second time, and what
// calls in functions of gradients have. A branch, or a pass of a loop, is computed again where its gradient is: a loop keeps what each pass began with,
// in lists, and what would not be the same a second time.

import { type DType, isDifferentiable } from "../../base/dtype.ts";
import { NDArray } from "../../base/ndarray.ts";
import { TensorShape } from "../../base/shape.ts";
import { type FunctionRef, refsIn } from "../../graph/attributes.ts";
import { noteCapture } from "../../graph/captures.ts";
import { callFunction, type FuncGraph, functionsOf, neededBy, replaceBy, standing } from "../../graph/functions.ts";
import { type Differentiate, Graph } from "../../graph/graph.ts";
import { IndexedSlices } from "../../graph/indexed-slices.ts";
import type { Gradients } from "../../graph/op-definition.ts";
import type { Operation, Tensor } from "../../graph/operation.ts";
import { handleOf } from "../../graph/shape-inference.ts";
import { constant, Shape, zerosLike } from "../array/array.ts";
import { range } from "../array/ranges.ts";
import { getItem } from "../array/slicing.ts";
import { addFunction, traceBody } from "../data/dataset-functions.ts";
import { addN } from "../math/add-n.ts";
import { cast } from "../math/cast.ts";
import { Greater } from "../math/comparison.ts";
import { AddV2, Sub } from "../math/math.ts";
import type { WhileContext } from "./control-flow-contexts.ts";
import { zerosHeld } from "./control-flow-gradients.ts";
import { within } from "./loop-history.ts";
import { EmptyTensorList, TensorListPopBack, TensorListPushBack } from "./tensor-list.ts";

interface Argument {
  readonly dtype: DType;
  readonly shape: TensorShape;
  /** Of a handle, a tensor around the function that is the same. */
  readonly outside?: Tensor;
}

/** Does everything in a function, and in those that it calls, give the same a second time? */
const isRepeatable = (func: FuncGraph): boolean =>
  neededBy(func).every(op => {
    const { definition, attrs, graph } = op;
    if (!definition.expand) return !hasState(op) || isCheck(op);
    return refsIn(attrs).every(ref => isRepeatable(functionsOf(graph).body(ref) as FuncGraph));
  });

const hasState = ({ definition }: Operation): boolean =>
  definition.stateful === true && definition.isPlaceholder !== true && definition.onlyReads !== true && !definition.expand;
const touches = ({ inputs }: Operation): boolean => inputs.some(({ dtype, isRef }) => isRef || dtype === "resource");
/** Only stops the run, or says something. */
const isCheck = (op: Operation): boolean => op.outputs.length === 0 && !touches(op);

/** A function in the library of the default graph, made of a JavaScript function. */
function added(
  name: string,
  args: readonly Argument[],
  differentiate: Differentiate,
  body: (vars: Tensor[], happens: (effects: readonly Operation[]) => void) => readonly Tensor[],
): FunctionRef {
  const graph = new Graph();
  graph.differentiate = differentiate;
  const effects: Operation[] = [];
  const { inputs, outputs } = traceBody(graph, args, vars => {
    args.forEach(({ outside }, k) => void (outside && noteCapture(vars[k], outside)));
    return body(vars, more => void effects.push(...more));
  });
  return addFunction("", name, { graph, inputs, outputs, effects });
}

/** Zeros for the gradient of a tensor, of a handle of what it holds. */
const zerosFor = (tensor: Tensor): Tensor =>
  tensor.dtype === "resource" || tensor.dtype === "variant" ? zerosHeld(tensor) : zerosLike(tensor);

const argumentOf = (tensor: Tensor): Argument => ({
  ...argumentLike(tensor, tensor.shape),
  ...(tensor.dtype === "resource" && { outside: tensor }),
});
const argumentLike = ({ dtype }: Tensor, shape: TensorShape): Argument => ({ dtype, shape });

// ---- branches ----

/** What a call gives: nodes of one result give it alone, or none. */
type Results = Tensor | readonly Tensor[] | Operation;

/** Makes a node that chooses among functions. */
export type Choose = (
  refs: readonly FunctionRef[],
  call: { input: readonly Tensor[]; Tin: readonly DType[]; Tout: readonly DType[]; outputShapes: readonly TensorShape[] },
) => Results;

/** The gradients of a choice of functions: `choose` makes the same choice of others. */
export function branchGradients(
  op: Operation,
  refs: readonly FunctionRef[],
  flowing: readonly Tensor[],
  choose: Choose,
): readonly (Tensor | null)[] {
  const differentiate = op.graph.differentiate as Differentiate;
  const [, ...inputs] = op.inputs;
  const ys = placesOf(op.outputs).filter(k => op.outputs[k].dtype !== "resource");
  const xs = placesOf(inputs);
  if (xs.length === 0) return inputs.map(() => null);
  const given = ys.map(k => flowing[k]);
  const input = [...inputs, ...given];
  const branches = refs.map(ref =>
    added(`${ref.name}_grad`, input.map(argumentOf), differentiate, vars => {
      const { outputs } = callFunction(functionsOf(op.graph).body(ref) as FuncGraph, vars.slice(0, inputs.length));
      const found = differentiate(
        ys.map(k => outputs[k]),
        xs.map(k => vars[k]),
        vars.slice(inputs.length),
      );
      return xs.map((k, i) => found[i] ?? zerosFor(vars[k]));
    }),
  );
  const kinds = xs.map(k => gradientOf(inputs[k], inputs[k].shape));
  const results = resultsOf(
    choose(branches, {
      input,
      Tin: input.map(({ dtype }) => dtype),
      Tout: kinds.map(({ dtype }) => dtype),
      outputShapes: kinds.map(({ shape }) => shape),
    }),
  );
  return inputs.map((_, k) => (xs.includes(k) ? results[xs.indexOf(k)] : null));
}

const resultsOf = (results: Results): readonly Tensor[] => [results].flat() as Tensor[];

const placesOf = (tensors: readonly Tensor[]): number[] => tensors.flatMap(({ dtype }, k) => (isDifferentiable(dtype) ? [k] : []));

/** What the gradient of a tensor is. */
function gradientOf(tensor: Tensor, shape: TensorShape): Argument {
  if (tensor.dtype !== "resource") return { dtype: tensor.dtype, shape };
  return handleOf(tensor) ?? { dtype: "float32", shape: TensorShape.unknown() };
}

// ---- loops ----

/** A While node as its gradient needs it. */
export interface Loop {
  readonly name: string;
  readonly condition: FuncGraph;
  readonly body: FuncGraph;
  readonly inputs: readonly Tensor[];
  /** The shapes of its variables in all passes. */
  readonly shapes: readonly TensorShape[];
  /** The variables that its body does not hand on as they are. */
  readonly varying: readonly number[];
  /** Makes such a node. */
  readonly node: (call: {
    input: readonly Tensor[];
    T: DType[];
    cond: FunctionRef;
    body: FunctionRef;
    outputShapes: readonly TensorShape[];
  }) => Results;
}

/** How a pass is computed again. */
interface Again {
  /** Results of operations that would give others a second time (random numbers, elements of queues). */
  readonly once: readonly Tensor[];
  /** The body, with these for further arguments and without effects. */
  readonly again: FuncGraph;
}

/** Undefined if a pass cannot be computed again: it writes what it may read, or has a state in functions that it calls. */
function computedAgain({ body, inputs, varying }: Loop): Again | undefined {
  const ops = neededBy(body);
  const states = ops.filter(hasState);
  const once = states.flatMap(({ outputs }) => outputs);
  const again = { ...body, inputs: [...body.inputs, ...once], effects: [] };
  const isRead = ops.some(op => touches(op) && !hasState(op));
  const isRight =
    !(isRead && states.some(touches)) &&
    states.every(({ definition }) => typeof definition.gradient !== "function") &&
    once.every(({ dtype, isRef }) => dtype !== "resource" && !isRef) &&
    varying.every(k => inputs[k].dtype !== "resource") &&
    isRepeatable(again);
  return isRight ? { once, again } : undefined;
}

interface KeptLoop extends Loop, Again {
  readonly outputs: readonly Tensor[];
  readonly count: Tensor;
  /** What each variable that varies began the passes with. */
  readonly lists: readonly Tensor[];
}

const scalar = new TensorShape([]);
const counter: Argument = { dtype: "int32", shape: scalar };
const list: Argument = { dtype: "variant", shape: scalar };
const typesOf = (tensors: readonly Tensor[]): DType[] => tensors.map(({ dtype }) => dtype);
const int = (value: number): Tensor => constant(value, "int32");

/** The loop with a counter and lists. */
function keeping(loop: Loop & Again, differentiate: Differentiate): KeptLoop {
  const { inputs, shapes, varying, once, condition, body } = loop;
  const { length } = inputs;
  const empty = [...varying.map(k => argumentLike(inputs[k], shapes[k])), ...once].map(({ dtype, shape }) =>
    EmptyTensorList({
      elementShape: shape.isFullyDefined ? constant(NDArray.from([...shape.asNumbers()], "int32", [shape.rank as number])) : -1,
      maxNumElements: -1,
      elementDtype: dtype,
    }),
  );
  const input = [...inputs, int(0), ...empty];
  const args = [...inputs.map((tensor, k) => ({ ...argumentOf(tensor), shape: shapes[k] })), counter, ...empty.map(() => list)];
  const results = resultsOf(
    loop.node({
      input,
      T: typesOf(input),
      cond: added(`${condition.name}_kept`, args, differentiate, (vars, happens) => {
        const { outputs, effects } = callFunction(condition, vars.slice(0, length));
        happens(effects);
        return [outputs[0]];
      }),
      body: added(`${body.name}_kept`, args, differentiate, (vars, happens) => {
        const { outputs, effects } = callFunction({ ...body, outputs: [...body.outputs, ...once] }, vars.slice(0, length));
        happens(effects);
        const next = inputs.map((_, k) => (varying.includes(k) ? outputs[k] : vars[k]));
        const kept = [...varying.map(k => vars[k]), ...outputs.slice(length)];
        const lists = kept.map((tensor, i) => TensorListPushBack({ inputHandle: vars[length + 1 + i], tensor }));
        return [...next, AddV2({ x: vars[length], y: int(1) }), ...lists];
      }),
      outputShapes: args.map(({ shape }) => shape),
    }),
  );
  return { ...loop, outputs: results.slice(0, length), count: results[length], lists: results.slice(length + 1) };
}

/** The gradients of a loop's inputs, given those of its results that there are: a loop that takes its passes from the last to the first. */
function backwards(
  loop: KeptLoop,
  given: readonly (Tensor | null | undefined)[],
  differentiate: Differentiate,
): readonly (Tensor | null)[] {
  const { inputs, shapes, varying, once, body, again, lists } = loop;
  const flowing = placesOf(inputs);
  const kept = [...varying.map(k => inputs[k]), ...once];
  const invariant = inputs.flatMap((_, k) => (varying.includes(k) ? [] : [k]));
  const begin = flowing.map(k => given[k] ?? zerosFor(varying.includes(k) ? loop.outputs[k] : inputs[k]));
  const input = [loop.count, ...begin, ...lists, ...invariant.map(k => inputs[k])];
  const kinds = flowing.map(k => gradientOf(inputs[k], shapes[k]));
  const args = [counter, ...kinds, ...lists.map(() => list), ...invariant.map(k => argumentOf(inputs[k]))];
  const step = ([n, ...vars]: Tensor[]): readonly Tensor[] => {
    const flow = vars.slice(0, flowing.length);
    const popped = vars
      .slice(flowing.length, flowing.length + lists.length)
      .map((inputHandle, i) => TensorListPopBack({ inputHandle, elementShape: int(-1), elementDtype: kept[i].dtype }));
    const passing = vars.slice(flowing.length + lists.length);
    const began = inputs.map((_, k) => {
      if (!varying.includes(k)) return passing[invariant.indexOf(k)];
      const { tensor } = popped[varying.indexOf(k)];
      if (tensor.dtype !== "variant") tensor.setShape(shapes[k]);
      return tensor;
    });
    const { outputs } = callFunction(again, [...began, ...popped.slice(varying.length).map(({ tensor }) => tensor)]);
    const changed = flowing.filter(k => varying.includes(k));
    const found = differentiate(
      changed.map(k => outputs[k]),
      flowing.map(k => began[k]),
      changed.map(k => flow[flowing.indexOf(k)]),
    );
    const next = flowing.map((k, i) => {
      const gradient = found[i];
      if (varying.includes(k)) return gradient ?? zerosFor(began[k]);
      return gradient ? addN([flow[i], gradient]) : flow[i];
    });
    return [Sub({ x: n, y: int(1) }), ...next, ...popped.map(({ outputHandle }) => outputHandle), ...passing];
  };
  const [, ...results] = resultsOf(
    loop.node({
      input,
      T: typesOf(input),
      cond: added(`${body.name}_goes_back`, args, differentiate, ([n]) => [Greater({ x: n, y: int(0) })]),
      body: added(`${body.name}_back`, args, differentiate, step),
      outputShapes: args.map(({ shape }) => shape),
    }),
  );
  return inputs.map((_, k) => (flowing.includes(k) ? results[flowing.indexOf(k)] : null));
}

/** The gradient of a While node in a function of gradients. From then on the node is one that keeps what its passes began with. */
export function loopGradients(op: Operation, loop: Loop, given: readonly Tensor[]): Gradients {
  const differentiate = op.graph.differentiate as Differentiate;
  const kept = keeping({ ...loop, once: [], again: loop.body }, differentiate);
  replaceBy(op, { outputs: kept.outputs, effects: [], certain: [] });
  // Zeros like a handle are none.
  const flowing = given.map(gradient => (gradient.dtype === "resource" ? null : gradient));
  return { input: backwards(kept, flowing, differentiate) };
}

/** A loop that was a While node, and the loops of its gradients, as nodes again; `exits` are those of its variables that vary. */
export function loopsAsCalls(context: WhileContext, given: Loop, exits: readonly Tensor[], differentiate: Differentiate): boolean {
  const leaving = [...exits, ...context.histories.flatMap(({ left }) => [...left.values()])];
  const isDone = leaving.map(each => (each instanceof IndexedSlices ? each.values : each)).every(tensor => standing(tensor) !== tensor);
  const again = isDone ? undefined : computedAgain(given);
  if (!again) return false;
  const loop = { ...given, ...again };
  const { graph, outer, enters } = context;
  const { varying } = loop;
  const build = (): void =>
    graph.nameScope(`${loop.name}/`, () => {
      const kept = within(outer, () => keeping(loop, differentiate));
      for (const { came } of context.histories) for (const gradient of came.values()) outer?.values.add(standing(gradient));
      exits.forEach((exit, i) => void replaceBy(exit.op, { outputs: [kept.outputs[varying[i]]], effects: [], certain: [] }));
      for (const history of context.histories) {
        const came = loop.inputs.map((_, k) => {
          const gradient = varying.includes(k) ? history.came.get(exits[varying.indexOf(k)].op) : undefined;
          return gradient && standing(gradient);
        });
        const gradients = within(history.backward.outer, () => backwards(kept, came, differentiate));
        for (const [enter, left] of history.left) {
          const place = enters.findIndex(({ op }) => op === enter);
          const places =
            place >= 0
              ? [varying[place]]
              : loop.inputs.flatMap((input, k) => (isBroughtBy(enter, input, outer) && !varying.includes(k) ? [k] : []));
          if (places.length > 0)
            replaceGradient(
              left,
              within(history.backward.outer, () => sum(places.map(k => gradients[k] as Tensor))),
            );
        }
      }
    });
  graph.asDefault(() => graph.replacing(() => graph.controlDependencies(null, build)));
  return true;
}

/** Does an Enter bring `input` into its loop? */
const isBroughtBy = (enter: Operation, input: Tensor, outer: WhileContext["outer"]): boolean =>
  enter.inputs[0] === (outer?.external.get(input) ?? input);

const sum = (gradients: readonly Tensor[]): Tensor => (gradients.length === 1 ? gradients[0] : addN(gradients));

function replaceGradient(left: Tensor | IndexedSlices, gradient: Tensor): void {
  const put = (old: Tensor, tensor: Tensor): void => replaceBy(old.op, { outputs: [tensor], effects: [], certain: [] });
  if (!(left instanceof IndexedSlices)) return put(left, gradient);
  const shape = Shape({ input: gradient });
  const { values, indices, denseShape } = left;
  put(indices, cast(range(0, getItem(shape, 0)), indices.dtype));
  put(values, gradient);
  if (denseShape) put(denseShape, cast(shape, denseShape.dtype));
}
