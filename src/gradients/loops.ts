// Loops on the way of a gradient walk: which loop of gradients an operation's gradient belongs to, and when the gradients of a loop's results are
// all there, so that the walk can go into it. TensorFlow's control_flow_state.

import { ValueError } from "../base/errors.ts";
import type { Differentiate } from "../graph/graph.ts";
import type { Operation, Tensor } from "../graph/operation.ts";
import { constant, Shape, zeros, ZerosLike } from "../ops/array/array.ts";
import { isExit, isSwitch } from "../ops/flow/control-flow.ts";
import { CondContext, type Context, isLoopSwitch, loopOf, switchOf, type WhileContext } from "../ops/flow/control-flow-contexts.ts";
import { zerosHeld } from "../ops/flow/control-flow-gradients.ts";
import { LoopHistory, within } from "../ops/flow/loop-history.ts";
import { NDArray } from "../base/ndarray.ts";

interface Loop {
  readonly history: LoopHistory;
  /** The exits that the forward loop had before it counted its iterations. */
  readonly exits: readonly Tensor[];
  /** Exits that nothing flows into, and those that wait for the others. */
  readonly unused: Tensor[];
  readonly waiting: Tensor[];
  /** Exits whose gradients are still to come. */
  pending: number;
}

export class LoopGradients {
  private readonly loops = new Map<WhileContext, Loop>();

  /** The loops that a walk over `list` leaves through an Exit; their other exits are added to the list. Null if there are none. */
  static among(list: Operation[], members: Set<Operation>, inColocation: (op: Operation, body: () => void) => void): LoopGradients | null {
    let found: LoopGradients | null = null;
    // The list grows.
    for (const op of list) {
      if (!isExit(op)) continue;
      found ??= new LoopGradients();
      const { loops } = found;
      inColocation(op, () => addLoop(loops, op, list, members));
    }
    return found;
  }

  private loopFor(op: Operation, isBefore: boolean): Loop | undefined {
    const loop = isBefore && isExit(op) ? (loopOf(op)?.outer?.loop ?? null) : loopOf(op);
    return loop ? this.loops.get(loop) : undefined;
  }

  /** Runs `body` in the loop of gradients that the op's gradients belong to: those of its outputs (`isBefore`), or those it passes on. */
  inside<R>(op: Operation, isBefore: boolean, body: () => R): R {
    const loop = this.loopFor(op, isBefore);
    return loop ? loop.history.backward.inside(body) : body();
  }

  /** Exits that no gradient will come to although their loops are left through others, all of which are ready. */
  unusedExits(pending: Map<Operation, number>, targets: ReadonlySet<Operation>): Tensor[] {
    const found: Tensor[] = [];
    const countOf = (tensor: Tensor): number => pending.get(tensor.op) ?? 0;
    for (const loop of this.loops.values()) {
      for (const exit of loop.exits) {
        if (countOf(exit) !== 0) continue;
        loop.pending--;
        if (!targets.has(exit.op)) loop.unused.push(exit);
        if (loop.pending === 0) found.push(...loop.unused);
      }
      for (const enter of loop.history.forward.enters) if (countOf(enter) === 0) pending.set(enter.op, 1);
    }
    return found;
  }

  /** An exit's gradients are there: once those of all exits of its loop are, they can all be visited. `unused` get zeros if any other has a gradient. */
  exitReady(exit: Tensor, hasGradient: (exit: Tensor) => boolean): { ready: readonly Tensor[]; unused: readonly Tensor[] } {
    const loop = this.loopFor(exit.op, false) as Loop;
    loop.waiting.push(exit);
    loop.pending--;
    if (loop.pending !== 0) return { ready: [], unused: [] };
    const used = loop.waiting.filter(hasGradient);
    loop.unused.push(...loop.waiting.filter(waiting => !used.includes(waiting)));
    return { ready: [...used, ...loop.unused], unused: used.length > 0 ? loop.unused : [] };
  }

  /** Zeros as the gradient of an exit. Called in the context where gradients are asked for. */
  zerosForExit(exit: Tensor): Tensor {
    const forward = loopOf(exit.op) as WhileContext;
    const outerLoop = forward.outer?.loop;
    const outer = outerLoop && this.loops.get(outerLoop)?.history;
    // Of a variant only the value itself knows what its zeros are.
    const isVariant = exit.dtype === "variant";
    if (outer && isVariant) return outer.backward.inside(() => zerosHeld(outer.realValue(exit)));
    const known = exit.shape.isFullyDefined && !isVariant ? exit.shape.asNumbers() : undefined;
    if (!outer) return known ? zeros([...known], exit.dtype) : ZerosLike({ x: exit }, { name: "zeros_like" });
    if (known) return outer.backward.inside(() => zeros([...known], exit.dtype));
    const shape = within(forward.outer, () => Shape({ input: exit }));
    const stack = outer.push(shape);
    return outer.backward.inside(() => zeros(outer.pop(stack, shape), exit.dtype));
  }

  /** Zeros for an output that nothing flows into, in the loop of gradients; null for loop variables, undefined outside these loops. */
  zerosFor(op: Operation, index: number): Tensor | null | undefined {
    if (isLoopSwitch(op)) return null;
    const history = this.loopFor(op, false)?.history;
    if (!history) return undefined;
    const value = op.outputs[index];
    const branch = isSwitch(op) && op.context instanceof CondContext ? op.context : null;
    const isHeld = value.dtype === "variant" || value.dtype === "resource";
    if (isHeld || value.shape.isFullyDefined) {
      const zero = isHeld
        ? zerosHeld(history.realValue(branch ? op.inputs[0] : value))
        : constant(NDArray.zeros(value.dtype, value.shape.asNumbers()));
      return branch
        ? switchOf(zero, history.realValues.get(branch.predicate) ?? history.predicateOf(branch))[(1 - branch.branch) as 0 | 1]
        : zero;
    }
    const shape = shapeInForward(op, value, branch);
    const stack = history.backward.outside(() => history.push(shape, branch !== null));
    return zeros(history.pop(stack, shape, branch !== null), value.dtype);
  }

  finish(): void {
    for (const { history } of this.loops.values()) history.finish();
  }
}

function addLoop(loops: Map<WhileContext, Loop>, exit: Operation, list: Operation[], members: Set<Operation>): void {
  const forward = loopOf(exit);
  if (!forward)
    throw new ValueError(
      `Failed to call gradients on a while loop without properly serializing graph via MetaGraphDef\n\nThe loop of '${exit.name}' was imported from a GraphDef, which does not say what belongs to it. Ask for the gradients before exporting.`,
    );
  if (loops.has(forward)) return;
  const outerLoop = forward.outer?.loop;
  const outer = (outerLoop && loops.get(outerLoop)?.history) ?? null;
  const exits = [...forward.exits];
  loops.set(forward, { history: new LoopHistory(forward, outer), exits, unused: [], waiting: [], pending: exits.length });
  for (const { op } of exits) {
    if (members.has(op)) continue;
    members.add(op);
    list.push(op);
  }
}

/** Makes calls again of the outermost loop of gradients on the way, and of its loop, where those were calls; says whether there was such a loop. */
export function callsInstead(list: readonly Operation[], differentiate: Differentiate): boolean {
  return list.some(op => {
    let forward: WhileContext | null = null;
    for (let loop = isExit(op) ? loopOf(op) : null; loop; loop = loop.outer?.loop ?? null) forward = loop.history?.forward ?? forward;
    return forward?.asCalls?.(differentiate) ?? false;
  });
}

/** The shape of a value, taken in the forward loop; of a branch's Switch, on the side that is not taken. */
function shapeInForward(op: Operation, value: Tensor, branch: CondContext | null): Tensor {
  const context = op.context as Context;
  if (!branch) return context.inside(() => Shape({ input: value }));
  const { alive, shape } = within(branch.outer, () => {
    const side = switchOf(op.inputs[0], branch.predicate)[(1 - branch.branch) as 0 | 1];
    return { alive: side, shape: Shape({ input: side }) };
  });
  alive.op.context = branch;
  shape.op.context = branch;
  return shape;
}
