// Gradients of TensorFlow 1's control flow nodes. A conditional's gradient is a conditional on the same predicate: a Merge gives a Switch, a Switch
// a Merge with zeros on the side that was not taken.

import { UnimplementedError } from "../base/errors.ts";
import { getDefaultGraph } from "../graph/default-graph.ts";
import type { Gradients } from "../graph/op-definition.ts";
import type { Operation, Tensor } from "../graph/operation.ts";
import { identity, Shape, zeros, zerosLike } from "./array.ts";
import { Equal } from "./math.ts";
import { Merge, Switch } from "./control-flow.ts";
import { CondContext, switchOf, WhileContext } from "./control-flow-contexts.ts";

type Flows = (output: string) => boolean;

/** The gradient of a Merge goes to the side that was taken. */
export function mergeGradient(_record: object, d: { readonly output: Tensor }, op: Operation): Gradients {
  const context = op.inputs[0].op.context;
  if (context instanceof WhileContext) throw loopGradient(op);
  if (context instanceof CondContext) return { inputs: switchOf(d.output, context.predicate, { name: "cond_grad" }) };
  const chosen = op.inputs.map((_, i) => Equal({ x: op.outputs[1], y: i }));
  return { inputs: chosen.map(condition => switchOf(d.output, condition)[1]) };
}

/** The gradient of a Switch comes from the side that was taken; the other is zeros, made only if that side is taken. */
export function switchGradient(_record: object, d: { readonly outputFalse: Tensor; readonly outputTrue: Tensor }, op: Operation, flows: Flows): Gradients {
  const { context } = op;
  if (context instanceof WhileContext) throw loopGradient(op);
  if (!(context instanceof CondContext)) {
    const onFalse = Switch({ data: d.outputFalse, pred: op.inputs[1] }).outputFalse;
    const onTrue = Switch({ data: d.outputTrue, pred: op.inputs[1] }).outputTrue;
    return { data: Merge({ inputs: [onFalse, onTrue] }).output, pred: null };
  }
  const side = (branch: 0 | 1): Tensor => {
    if (flows(branch === 0 ? "outputFalse" : "outputTrue")) return branch === 0 ? d.outputFalse : d.outputTrue;
    return zerosUnder(op, context, branch);
  };
  const inputs = [side(0), side(1)];
  return { data: Merge({ inputs }, { name: "cond_grad" }).output, pred: null };
}

/** Zeros like the Switch's data that exist only on one side of its predicate; beside the gradients, not among this op's. */
function zerosUnder(op: Operation, context: CondContext, branch: 0 | 1): Tensor {
  const graph = getDefaultGraph();
  const scope = graph.getNameScope();
  const outside = scope.endsWith(`${op.name}_grad`) ? scope.slice(0, -`${op.name}_grad`.length) : `${scope}/`;
  return graph.nameScope(outside === "" ? null : outside, () => {
    const alive = switchOf(op.inputs[0], context.predicate)[branch];
    const pivot = identity(alive);
    const shape = Shape({ input: alive });
    return alive.dtype === "resource" ? zerosLike(alive) : graph.controlDependencies([pivot], () => zeros(shape, alive.dtype));
  });
}

const loopGradient = (op: Operation): UnimplementedError =>
  new UnimplementedError(`Gradients through tf.whileLoop are not made here yet (node '${op.name}').\n\nUnroll the loop, or stop the gradient before it with tf.stopGradient(x).`, op);
