// What the gradient of a loop needs of the loop itself. Gradients run the iterations backwards, in a loop of their own: the forward loop counts its
// iterations and pushes the values that gradients need on stacks (f_acc); the other loop counts down and pops them. Node for node TensorFlow's.

import type { DType } from "../../base/dtype.ts";
import { NDArray } from "../../base/ndarray.ts";
import { TensorShape } from "../../base/shape.ts";
import type { Graph } from "../../graph/graph.ts";
import { IndexedSlices } from "../../graph/indexed-slices.ts";
import type { Operation, Tensor } from "../../graph/operation.ts";
import { constant, Shape, zeros, zerosLike } from "../array/array.ts";
import { concat, getItem } from "../array/slicing.ts";
import { ControlTrigger, Exit, LoopCond, Merge, NextIteration, StackPopV2, StackPushV2, StackV2, Switch } from "./control-flow.ts";
import {
  CondContext,
  type Context,
  type History,
  isConstantEnter,
  outputContext,
  switchOf,
  WhileContext,
} from "./control-flow-contexts.ts";
import { add, maximum, subtract } from "../math/math.ts";
import { addN } from "../math/add-n.ts";
import { greaterEqual } from "../math/comparison.ts";
import { VariableShape } from "../state/state.ts";

/** The pair of a forward loop and the loop of its gradients, for one call of tf.gradients. */
export class LoopHistory implements History {
  readonly graph: Graph;
  readonly forward: WhileContext;
  /** The loop of gradients. */
  readonly backward: WhileContext;
  readonly outer: LoopHistory | null;
  /** Forward values → what stands for them in the loop of gradients. */
  readonly realValues = new Map<Tensor, Tensor>();
  /** Switches of loop variables → the Merge of their gradients, once their exit's gradient is known. */
  readonly switches = new Map<Operation, Tensor>();
  readonly came = new Map<Operation, Tensor>();
  readonly left = new Map<Operation, Tensor | IndexedSlices>();
  /** The NextIterations of both counters: what has to happen within an iteration comes before them. */
  private readonly forwardCounter: Tensor;
  private readonly backwardCounter: Tensor;
  private forwardGate: Operation | undefined;
  private backwardGate: Operation | undefined;

  constructor(forward: WhileContext, outer: LoopHistory | null) {
    this.graph = forward.graph;
    this.forward = forward;
    this.outer = outer;
    forward.histories.push(this);
    const around = outer ? outer.forward : forward.outer;
    const count = within(around, () => this.countForward());
    this.forwardCounter = count.next;
    const makeBackward = (): WhileContext => {
      const { maximumIterations, parallelIterations, backProp, swapMemory, name } = forward;
      return new WhileContext(this.graph, { maximumIterations, parallelIterations, backProp, swapMemory, name, history: this });
    };
    if (outer === null) {
      [this.backward, this.backwardCounter] = within(around, () => {
        const backward = makeBackward();
        return [backward, this.countBackward(backward, count.exit)];
      });
      return;
    }
    outer.forward.values.add(count.exit);
    const stack = outer.push(count.exit);
    [this.backward, this.backwardCounter] = outer.backward.inside(() => {
      const backward = makeBackward();
      return [backward, this.countBackward(backward, outer.pop(stack, count.exit))];
    });
  }

  /** Counts the forward loop's iterations. */
  private countForward(): { exit: Tensor; next: Tensor } {
    const { forward, outer } = this;
    const zero = constant(0, "int32", { name: "f_count" });
    if (outer) zero.op.addControlInput(outer.forwardCounter.op.inputs[0].op);
    const names = { enter: "f_count", exit: "f_count", keepsShape: true };
    return forward.inside(() =>
      forward.addVariable(
        zero,
        names,
        () => forward.condition as Tensor,
        n => add(n, NDArray.full("int32", [], 1)),
      ),
    );
  }

  /** Makes the loop of gradients go on as often as the forward loop did. */
  private countBackward(backward: WhileContext, count: Tensor): Tensor {
    const one = constant(1, "int32", { name: "b_count" });
    return backward.inside(() => {
      const condition = (n: Tensor): Tensor => {
        backward.pivotForCondition = n;
        backward.condition = LoopCond({ input: greaterEqual(n, one) }, { name: "b_count" });
        return backward.condition;
      };
      const step = (n: Tensor): Tensor => {
        const less = subtract(n, one);
        backward.pivotForBody = less;
        return less;
      };
      const { exit, next } = backward.addVariable(count, { enter: "b_count", exit: "b_count", keepsShape: true }, condition, step);
      if (this.outer) this.outer.popGate.addControlInput(exit.op);
      return next;
    });
  }

  /** Comes after the pushes of an iteration that only happen in a branch. */
  private get pushGate(): Operation {
    if (!this.forwardGate) {
      this.forwardGate = this.graph.controlDependencies(null, () => ControlTrigger({}, { name: "f_sync" }));
      this.forwardGate.context = this.forward;
      this.forwardCounter.op.addControlInput(this.forwardGate);
    }
    return this.forwardGate;
  }

  /** Comes after the pops of an iteration. */
  private get popGate(): Operation {
    if (!this.backwardGate) {
      this.backwardGate = this.graph.controlDependencies(null, () => ControlTrigger({}, { name: "b_sync" }));
      this.backwardGate.context = this.backward;
      this.backwardCounter.op.addControlInput(this.backwardGate);
      this.backward.outer?.addInner(this.backwardGate);
    }
    return this.backwardGate;
  }

  /** Pushes a forward value on a new stack in each iteration; returns the stack. Called in the context where gradients are asked for. */
  push(value: Tensor, isDeadBranch = false): Tensor {
    const { graph, forward } = this;
    const around = graph.controlFlowContext as Context | null;
    return graph.controlDependencies(null, () => {
      const stack = within(around, () =>
        graph.colocateWith(value, undefined, () => {
          const maxSize = constant(-1, "int32");
          return StackV2({ maxSize, elemType: value.dtype }, { name: "f_acc" });
        }),
      );
      const handle = forward.addValue(stack);
      const makePush = (): Tensor => StackPushV2({ handle, elem: value, swapMemory: forward.swapMemory });
      const context = outputContext(value.op);
      let pushed: Tensor;
      if (context === forward) {
        pushed = forward.inside(makePush);
        this.forwardCounter.op.addControlInput(pushed.op);
      } else if (context instanceof CondContext) {
        pushed = isDeadBranch ? within(context.outer, makePush) : context.inside(makePush);
        if (isDeadBranch) pushed.op.context = context;
        this.pushGate.addControlInput(pushed.op);
      } else throw new TypeError(`value_ctxt is not a CondContext: ${String(context)}`);
      pushed.op.addControlInput(this.forwardCounter.op.inputs[0].op);
      return stack;
    });
  }

  /** The value that the matching forward iteration pushed. */
  pop(stack: Tensor, value: Tensor, isDeadBranch = false): Tensor {
    const branch = this.branchBetween(stack, value);
    const popped = this.graph.controlDependencies(null, () =>
      this.backward.inside(() => {
        const side = branch && (isDeadBranch ? 1 - branch.branch : branch.branch);
        const handle = branch ? switchOf(stack, this.realPredicate(branch))[side as 0 | 1] : stack;
        const element = StackPopV2({ handle, elemType: value.dtype });
        element.setShape(value.shape);
        return element;
      }),
    );
    if (this.backward.parallelIterations > 1) this.popGate.addControlInput(popped.op);
    return popped;
  }

  /** The branch that a value belongs to, inside the context of its stack. */
  private branchBetween(stack: Tensor, value: Tensor): CondContext | null {
    for (let context = value.op.context as Context | null; context !== null && context !== stack.op.context; context = context.outer)
      if (context instanceof CondContext) return context;
    return null;
  }

  private realPredicate({ predicate }: CondContext): Tensor {
    for (let history: LoopHistory | null = this; history !== null; history = history.outer) {
      const real = history.realValues.get(predicate);
      if (real) return real;
    }
    return predicate;
  }

  /** The predicate of a branch in the forward loop, as the loop of gradients sees it. Called inside that loop's context. */
  predicateOf({ predicate }: CondContext): Tensor {
    let real = this.realValues.get(predicate);
    if (!real) {
      const stack = this.backward.outside(() => this.push(predicate));
      real = this.pop(stack, predicate);
      this.realValues.set(predicate, real);
    }
    return real;
  }

  /** A loop invariant stands for itself, a constant is made again, everything else is kept on a stack. */
  realValue(value: Tensor): Tensor {
    const known = this.realValues.get(value);
    if (known) return known;
    const real = this.findRealValue(value);
    this.realValues.set(value, real);
    return real;
  }

  private findRealValue(value: Tensor): Tensor {
    let current = value;
    let history: LoopHistory = this;
    for (let enter = constantEnterOf(current); enter !== null; enter = constantEnterOf(current)) {
      [current] = enter.inputs;
      if (history.outer === null) return this.backward.addValue(current);
      history = history.outer;
    }
    const { value: data } = current.op.attrs;
    if (current.op.type === "Const" && data instanceof NDArray) return constant(data, current.dtype);
    const owner = history;
    const stack = this.backward.outside(() => owner.push(current));
    const real = owner.pop(stack, current);
    return owner === this ? real : this.backward.addValue(real);
  }

  // ---- sums over the iterations ----

  /** Σ over the iterations of the gradient of a loop invariant. Called inside the loop of gradients. */
  sum(enter: Operation, gradient: Tensor): Tensor {
    const { backward } = this;
    const start = backward.outside(() =>
      gradient.shape.isFullyDefined && gradient.dtype !== "variant"
        ? this.zeroSum(gradient, "b_acc")
        : this.zerosLikeInvariant(enter.inputs[0], gradient),
    );
    const names = { enter: "b_acc", merge: "b_acc", exit: "b_acc", keepsShape: true };
    return backward.addVariable(
      start,
      names,
      () => backward.condition as Tensor,
      sum => (gradient.dtype === "variant" ? addN([sum, gradient]) : add(sum, gradient)),
    ).exit;
  }

  private zeroSum({ dtype, shape }: Tensor, name: string): Tensor {
    return within(this.backward.outer, () => constant(NDArray.zeros(dtype, shape.asNumbers()), { name }));
  }

  private zerosLikeInvariant(value: Tensor, { dtype }: Tensor): Tensor {
    const { backward, outer } = this;
    if (dtype === "variant") return within(backward.outer, () => zerosLike(this.isNested && outer ? outer.realValue(value) : value));
    const shape = this.shapeOfInvariant(value);
    return within(backward.outer, () => zeros(shape, dtype));
  }

  /** Is the loop of gradients inside another? */
  private get isNested(): boolean {
    const { outer } = this.backward;
    return outer instanceof WhileContext && outer.history !== null;
  }

  /** The shape of a loop invariant, around the loop of gradients. */
  private shapeOfInvariant(value: Tensor, dtype?: DType): Tensor {
    const { backward, forward, outer } = this;
    if (!this.isNested || !outer) return within(backward.outer, () => shapeOf(value, dtype));
    const shape = within(forward.outer, () => shapeOf(value, dtype));
    const stack = outer.push(shape);
    return within(backward.outer, () => outer.pop(stack, shape));
  }

  /** The same where each iteration gives slices: one after the other, behind one row of zeros. */
  joinSlices(enter: Operation, { values, indices, denseShape }: IndexedSlices): IndexedSlices {
    const { backward } = this;
    const begin = backward.outside(() => {
      const row = this.firstRow(enter, values);
      const place = within(backward.outer, () => constant(NDArray.zeros(indices.dtype, [1])));
      return [place, row, ...(denseShape ? [this.firstShape(enter, denseShape)] : [])];
    });
    for (const start of begin) backward.values.add(start);
    const entered = begin.map(start => backward.enter(start, false, { name: "b_acc" }));
    entered[0].setShape(new TensorShape([null]));
    const { dims } = begin[1].shape;
    if (dims) entered[1].setShape(new TensorShape([null, ...dims.slice(1)]));
    backward.enters.push(...entered);
    const merges = entered.map(x => Merge({ inputs: [x, x] }, { name: "b_acc" }).output);
    const sides = merges.map(data => Switch({ data, pred: backward.condition as Tensor }));
    const sums = [indices, values].map((added, k) => concat([sides[k].outputTrue, added], 0));
    if (denseShape) sums.push(maximum(denseShape, sides[2].outputTrue));
    const nexts = sums.map(data => NextIteration({ data }));
    nexts.forEach((next, k) => void merges[k].op.replaceInput(1, next));
    const exits = sides.map(({ outputFalse }) => Exit({ data: outputFalse }, { name: "b_acc" }));
    backward.exits.push(...exits);
    backward.exitResult(exits);
    return new IndexedSlices(exits[1], exits[0], exits[2] ?? null);
  }

  private firstRow({ inputs: [value] }: Operation, { dtype, shape }: Tensor): Tensor {
    const { outer } = this.backward;
    if (shape.isFullyDefined)
      return within(outer, () => constant(NDArray.zeros(dtype, [1, ...shape.asNumbers().slice(1)]), { name: "b_acc" }));
    const sizes = this.shapeOfInvariant(value);
    return within(outer, () => zeros(concat([NDArray.from([1], "int32"), getItem(sizes, [1, null])], 0), dtype));
  }

  /** What the shape begins as: zeros, as TensorFlow 1 has it, so that slices of no iteration have none; of a loop that was a call, the shape. */
  private firstShape({ inputs: [value] }: Operation, { dtype, shape }: Tensor): Tensor {
    const { outer } = this.backward;
    if (this.forward.asCalls) return this.shapeOfInvariant(value, dtype);
    if (shape.isFullyDefined) return within(outer, () => constant(NDArray.zeros(dtype, shape.asNumbers())));
    const sizes = this.shapeOfInvariant(value, dtype);
    return within(outer, () => zerosLike(sizes));
  }

  /** An exit's gradient enters the loop of gradients. */
  enterExit(exit: Operation, gradient: Tensor): Tensor {
    const { backward } = this;
    this.came.set(exit, gradient);
    backward.values.add(gradient);
    const entered = backward.inside(() => backward.enter(gradient, false, { name: "b_exit" }));
    entered.setShape(gradient.shape);
    backward.enters.push(entered);
    return entered;
  }

  /** Gives variables whose next value does not depend on the last one a gradient of zero to go on with. */
  finish(): void {
    for (const merged of this.switches.values()) {
      const [first, second] = merged.op.inputs;
      if (first !== second) continue;
      const zero = (): Tensor => constant(NDArray.zeros(first.dtype, first.shape.asNumbers()));
      const outerZero =
        first.dtype === "variant"
          ? within(this.backward.outer, () => zerosLike(first.op.inputs[0]))
          : first.shape.isFullyDefined
            ? null
            : within(this.backward.outer, () => zeros(Shape({ input: first.op.inputs[0] }), first.dtype));
      merged.op.replaceInput(
        1,
        this.backward.inside(() => NextIteration({ data: outerZero ?? zero() })),
      );
    }
  }
}

/** Of a variable's handle, the variable's shape. */
function shapeOf(value: Tensor, dtype: DType = "int32"): Tensor {
  const outType = dtype as "int32" | "int64";
  return value.dtype === "resource" ? VariableShape({ input: value, outType }) : Shape({ input: value, outType });
}

/** Runs `body` in a context, or as it is if there is none. */
export const within = <R>(context: Context | null, body: () => R): R => (context ? context.inside(body) : body());

/** The Enter of the loop invariant that a value is, behind Switches and Identities. */
function constantEnterOf(value: Tensor): Operation | null {
  let { op } = value;
  while (["Switch", "RefSwitch", "Identity", "RefIdentity"].includes(op.type)) op = op.inputs[0].op;
  return isConstantEnter(op) ? op : null;
}
