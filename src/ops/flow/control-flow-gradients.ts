// Gradients of TensorFlow 1's control flow nodes. A conditional's gradient is a conditional on the same predicate: a Merge gives a Switch, a Switch
// a Merge with zeros on the side that was not taken. A loop's is a loop that runs the iterations backwards (flow/loop-history.ts): an Exit gives an Enter,
// a Merge a Switch, the Switch of a loop variable a Merge whose other input comes when the body has been gone through.

import { ValueError } from "../../base/errors.ts";
import { getDefaultGraph } from "../../graph/default-graph.ts";
import { IndexedSlices } from "../../graph/indexed-slices.ts";
import type { Gradient, Gradients } from "../../graph/op-definition.ts";
import { type Operation, Tensor } from "../../graph/operation.ts";
import { handleOf } from "../../graph/shape-inference.ts";
import { identity, Shape, zeros, ZerosLike } from "../array/array.ts";
import { range } from "../array/ranges.ts";
import { getItem } from "../array/slicing.ts";
import { Exit, isSwitch, Merge, NextIteration, Switch } from "./control-flow.ts";
import { CondContext, type Context, outputContext, switchOf, WhileContext } from "./control-flow-contexts.ts";
import type { LoopHistory } from "./loop-history.ts";
import { cast } from "../math/cast.ts";
import { Equal } from "../math/comparison.ts";
import { slicesToTensor } from "../math/segment.ts";
import { VariableShape } from "../state/state.ts";

type Flows = (output: string) => boolean;

/** The loop of gradients that is being built, if any. */
function currentLoop(): WhileContext | null {
  return (getDefaultGraph().controlFlowContext as Context | null)?.loop ?? null;
}
const currentHistory = (): LoopHistory | null => (currentLoop()?.history ?? null) as LoopHistory | null;

/** The gradient of a Merge goes to the side that was taken; in a loop, to the iteration before, or to what entered the loop. */
export function mergeGradient(_record: object, d: { readonly output: Tensor }, op: Operation): Gradients {
  const context = outputContext(op.inputs[0].op);
  if (context instanceof WhileContext) return { inputs: switchOf(d.output, currentLoop()?.condition as Tensor) };
  if (context instanceof CondContext) {
    const predicate = currentHistory()?.predicateOf(context) ?? context.predicate;
    return { inputs: switchOf(d.output, predicate, { name: "cond_grad" }) };
  }
  const chosen = op.inputs.map((_, i) => Equal({ x: op.outputs[1], y: i }));
  return { inputs: chosen.map(condition => switchOf(d.output, condition)[1]) };
}

/** Does an operation ask, as gradients of a Merge do, whether two numbers (which input it took, and another) are equal? */
export const isQuestion = ({ definition }: Operation): boolean => definition === Equal;

/** The gradient of a Switch comes from the side that was taken; the other is zeros, made only if that side is taken. */
export function switchGradient(
  _record: object,
  sides: { readonly outputFalse: Tensor | IndexedSlices; readonly outputTrue: Tensor | IndexedSlices },
  op: Operation,
  flows: Flows,
): Gradients {
  const { context } = op;
  if (context instanceof CondContext) {
    const side = (branch: 0 | 1): Tensor | IndexedSlices => {
      if (flows(branch === 0 ? "outputFalse" : "outputTrue")) return branch === 0 ? sides.outputFalse : sides.outputTrue;
      return zerosUnder(op, context, branch);
    };
    return { data: joinSides([side(0), side(1)]), pred: null };
  }
  const d = {
    get outputFalse() {
      return slicesToTensor(sides.outputFalse);
    },
    get outputTrue() {
      return slicesToTensor(sides.outputTrue);
    },
  };
  if (context instanceof WhileContext) return loopSwitchGradient(d, op, flows);
  const onFalse = Switch({ data: d.outputFalse, pred: op.inputs[1] }).outputFalse;
  const onTrue = Switch({ data: d.outputTrue, pred: op.inputs[1] }).outputTrue;
  return { data: Merge({ inputs: [onFalse, onTrue] }).output, pred: null };
}

/** Whichever side there is. Where one is slices so is the result, of a dense side all rows. */
function joinSides(sides: readonly (Tensor | IndexedSlices)[]): Tensor | IndexedSlices {
  if (sides.every(side => side instanceof Tensor)) return Merge({ inputs: sides as Tensor[] }, { name: "cond_grad" }).output;
  return getDefaultGraph().nameScope("cond_grad", () => {
    const slices = sides.map(side => (side instanceof IndexedSlices ? bound(side) : allRows(side)));
    const isWide = slices.some(({ indices }) => indices.dtype === "int64");
    const indices = slices.map(each => (isWide && each.indices.dtype === "int32" ? cast(each.indices, "int64") : each.indices));
    const shapes = slices.flatMap(({ denseShape }) => denseShape ?? []);
    const joined = (inputs: readonly Tensor[]): Tensor => Merge({ inputs }).output;
    return new IndexedSlices(
      joined(slices.map(({ values }) => values)),
      joined(indices),
      shapes.length === slices.length ? joined(shapes) : null,
    );
  });
}

/** Slices whose places are there with their values only: made of constants they would be there on both sides. */
function bound({ values, indices, denseShape }: IndexedSlices): IndexedSlices {
  if (!isFromConstants(indices)) return new IndexedSlices(values, indices, denseShape);
  const there = isSwitch(values.op) ? identity(values) : values;
  const places = getDefaultGraph().controlDependencies([there], () => identity(indices));
  return new IndexedSlices(values, places, denseShape);
}

function isFromConstants(tensor: Tensor): boolean {
  const behind = new Set([tensor.op]);
  for (const op of behind) {
    const { inputs, outputs, definition } = op;
    const isOther = inputs.length === 0 && (definition.isPlaceholder || definition.stateful || outputs[0].isRef);
    if (isOther || isSwitch(op)) return false;
    for (const input of inputs) behind.add(input.op);
  }
  return true;
}

function allRows(dense: Tensor): IndexedSlices {
  const shape = Shape({ input: dense });
  return new IndexedSlices(dense, range(0, getItem(shape, 0)), shape);
}

/** A loop variable's Switch is visited twice: from its exit, then, the body gone through, from the iteration. */
function loopSwitchGradient(d: { readonly outputFalse: Tensor; readonly outputTrue: Tensor }, op: Operation, flows: Flows): Gradients {
  const history = currentHistory() as LoopHistory;
  const begun = history.switches.get(op);
  if (begun) {
    if (flows("outputTrue")) begun.op.replaceInput(1, NextIteration({ data: d.outputTrue }));
    return {};
  }
  if (!flows("outputFalse")) return {};
  const merged = Merge({ inputs: [d.outputFalse, d.outputFalse] }, { name: "b_switch" }).output;
  history.switches.set(op, merged);
  return { data: merged };
}

/** The gradient of an Exit enters the loop of gradients. */
export function exitGradient(_record: object, d: { readonly output: Tensor | IndexedSlices }, op: Operation): Gradients {
  const history = currentHistory();
  if (!history?.backward.backProp) return {};
  if (op.context instanceof WhileContext && op.context.history) throw new TypeError("Second-order gradient for while loops not supported.");
  // Slices become a tensor before they enter.
  return {
    data: history.enterExit(
      op,
      history.backward.outside(() => slicesToTensor(d.output)),
    ),
  };
}

export function nextIterationGradient(_record: object, d: { readonly output: Tensor }): Gradients {
  return { data: d.output };
}

/** The gradient of an Enter leaves the loop of gradients; that of a loop invariant is summed over the iterations first. */
export function enterGradient(_record: object, d: { readonly output: Tensor | IndexedSlices }, op: Operation): Gradients {
  const history = currentHistory();
  // The walk hands slices over as they are.
  const gradient: Gradient = d.output;
  if (!history?.backward.backProp) return { data: gradient };
  if (op.attrs.isConstant === true) {
    const sum = gradient instanceof IndexedSlices ? history.joinSlices(op, gradient) : history.sum(op, gradient);
    history.left.set(op, sum);
    return { data: sum };
  }
  if (gradient instanceof IndexedSlices)
    throw new ValueError(`The gradient of the loop variable ${op.inputs[0].name} is sparse; loop variables have dense ones.`);
  const left = Exit({ data: gradient });
  history.backward.exits.push(left);
  history.backward.exitResult([left]);
  history.left.set(op, left);
  return { data: left };
}

/** Zeros like the Switch's data that exist only on one side of its predicate; beside the gradients, not among this op's. */
function zerosUnder(op: Operation, context: CondContext, branch: 0 | 1): Tensor {
  const graph = getDefaultGraph();
  const scope = graph.getNameScope();
  const outside = scope.endsWith(`${op.name}_grad`) ? scope.slice(0, -`${op.name}_grad`.length) : `${scope}/`;
  return graph.nameScope(outside === "" ? null : outside, () => {
    const alive = Switch({ data: op.inputs[0], pred: context.predicate })[branch === 0 ? "outputFalse" : "outputTrue"];
    const pivot = identity(alive);
    if (alive.dtype === "resource" || alive.dtype === "variant") return graph.controlDependencies([pivot], () => zerosHeld(alive));
    const shape = Shape({ input: alive });
    return graph.controlDependencies([pivot], () => zeros(shape, alive.dtype));
  });
}

/** Zeros like what a handle or a variant holds: of a resource the variable's, of a variant what it has for them. */
export function zerosHeld(value: Tensor): Tensor {
  if (value.dtype === "variant") return ZerosLike({ x: value });
  return zeros(VariableShape({ input: value }), handleOf(value)?.dtype ?? "float32");
}
