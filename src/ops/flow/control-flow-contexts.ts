// tf.cond, tf.case and tf.while_loop as TensorFlow 1 builds them: nodes made inside a branch or a loop body get their outer inputs through
// Switch or Enter nodes, results leave through Merge or Exit. Node for node and name for name; contexts are what keeps track while building.

import { ValueError } from "../../base/errors.ts";
import type { DType } from "../../base/dtype.ts";
import { pythonStr, pythonType } from "../../base/python-text.ts";
import { TensorShape } from "../../base/shape.ts";
import { convertToTensor, isAsTensor, representation, type TensorLike } from "../../graph/conversion.ts";
import { getDefaultGraph } from "../../graph/default-graph.ts";
import type { ControlFlowContext, Differentiate, Graph } from "../../graph/graph.ts";
import { IndexedSlices, partsOfSlices } from "../../graph/indexed-slices.ts";
import type { Named } from "../../graph/op-definition.ts";
import { Operation, Tensor } from "../../graph/operation.ts";
import { constant, identity } from "../array/array.ts";
import { stack } from "../array/slicing.ts";
import {
  Assert,
  Enter,
  Exit,
  isEnter,
  isExit,
  isSwitch,
  LoopCond,
  Merge,
  NextIteration,
  RefEnter,
  RefExit,
  RefMerge,
  RefNextIteration,
  RefSwitch,
  Switch,
  withDependencies,
} from "./control-flow.ts";
import { AddV2 } from "../math/math.ts";
import { cast } from "../math/cast.ts";
import { Less, LessEqual, LogicalAnd } from "../math/comparison.ts";
import { reduceSum } from "../math/reduction.ts";
import { inNameScope } from "../named.ts";
import { assertSameStructure, flatten, mapNested, type Nested, packAs } from "./nested.ts";
import { refuseOthers } from "../arguments.ts";

// ---- contexts ----

/** What cond branches and loop bodies share: which tensors are known inside, and by what name outer ones go. */
export abstract class Context implements ControlFlowContext {
  readonly graph: Graph;
  readonly outer: Context | null;
  /** Tensors that may be used here as they are. */
  readonly values = new Set<Tensor>();
  /** Outer tensors → what stands for them here. */
  readonly external = new Map<Tensor, Tensor>();

  /** Contexts made inside this one. */
  readonly nested: Context[] = [];

  constructor(graph: Graph) {
    this.graph = graph;
    this.outer = graph.controlFlowContext as Context | null;
    this.outer?.nested.push(this);
  }

  /** The tensor to use here for one made outside. */
  abstract addValue(tensor: Tensor): Tensor;
  /** Makes a new node one of this context's: its inputs are what stands here for them, and it waits for the pivot if for nothing else. */
  abstract take(op: Operation): void;
  /** The innermost loop around, this context included. */
  abstract get loop(): WhileContext | null;
  /** What operations without inputs wait for. */
  abstract get pivot(): Tensor;

  addOperation(op: Operation): void {
    this.take(op);
  }

  /** Contexts that this one was entered from, innermost last. */
  private readonly enteredFrom: (ControlFlowContext | null)[] = [];

  /** Runs `body` with this as the graph's context. */
  inside<R>(body: () => R): R {
    const before = this.graph.controlFlowContext;
    this.enteredFrom.push(before);
    this.graph.controlFlowContext = this;
    try {
      return body();
    } finally {
      this.graph.controlFlowContext = before;
      this.enteredFrom.pop();
    }
  }

  /** Within `inside`: runs `body` in the context around it. */
  outside<R>(body: () => R): R {
    const before = this.graph.controlFlowContext;
    this.graph.controlFlowContext = this.enteredFrom[this.enteredFrom.length - 1] ?? null;
    try {
      return body();
    } finally {
      this.graph.controlFlowContext = before;
    }
  }

  /** Results of this context may be used in the outer one. */
  exitResult(results: readonly Tensor[]): void {
    for (const tensor of results) this.outer?.values.add(tensor);
  }

  /** A node that an inner context made for itself. */
  addInner(op: Operation): void {
    for (const output of op.outputs) this.values.add(output);
    this.outer?.addInner(op);
  }

  /** Keeps control edges from within the same loop; returns the others. */
  protected dropExternalControls(op: Operation): Operation[] {
    const { loop } = this;
    if (loop === null) return [];
    const external = op.controlInputs.filter(input => outputContext(input)?.loop !== loop);
    op.keepControlInputs(input => !external.includes(input));
    return external;
  }

  protected isWithin(op: Operation): boolean {
    for (let context = op.context as Context | null; context !== null; context = context.outer) if (context === this) return true;
    return false;
  }
}

export const isConstantEnter = (op: Operation): boolean => isEnter(op) && op.attrs.isConstant === true;

/** A Switch of a loop variable, not of a branch inside the loop. */
export const isLoopSwitch = (op: Operation): boolean =>
  isSwitch(op) && op.context instanceof WhileContext && op.inputs[1].op.definition === LoopCond;

/** The innermost loop around an operation. */
export const loopOf = (op: Operation): WhileContext | null => (op.context as Context | null)?.loop ?? null;

/** The context that the outputs of an operation belong to: that of an Exit is the one around its loop. */
export function outputContext(op: Operation): Context | null {
  const context = op.context as Context | null;
  return isExit(op) ? (context?.outer ?? null) : context;
}

/** [false, true]: the two sides of a Switch on data, placed with the data. */
export function switchOf(data: Tensor, predicate: Tensor, { name = "Switch", ...others }: Named = {}): readonly [Tensor, Tensor] {
  refuseOthers(others);
  const made = data.graph.colocateWith(data, { ignoreExisting: true }, () =>
    data.isRef ? RefSwitch({ data, pred: predicate }, { name }) : Switch({ data, pred: predicate }, { name }),
  );
  return [made.outputFalse, made.outputTrue];
}

const merge = (inputs: readonly Tensor[], { name = "Merge" }: Named = {}): Tensor =>
  (inputs.every(input => input.isRef) ? RefMerge({ inputs }, { name }) : Merge({ inputs }, { name })).output;

/** One branch of a cond under construction. */
export class CondContext extends Context {
  readonly predicate: Tensor;
  readonly pivot: Tensor;
  readonly branch: 0 | 1;
  readonly name: string;

  constructor(graph: Graph, predicate: Tensor, pivot: Tensor, branch: 0 | 1, name?: string) {
    super(graph);
    this.name = name ?? graph.uniqueName("cond_text");
    this.predicate = predicate;
    this.pivot = pivot;
    this.branch = branch;
    this.values.add(predicate);
    this.external.set(predicate, predicate);
    this.values.add(pivot);
    pivot.op.context = this;
  }

  get loop(): WhileContext | null {
    return this.outer?.loop ?? null;
  }

  addValue(tensor: Tensor): Tensor {
    if (this.values.has(tensor)) return this.external.get(tensor) ?? tensor;
    this.values.add(tensor);
    let outer = tensor;
    if (this.outer) {
      outer = this.outer.addValue(tensor);
      this.values.add(outer);
      this.external.set(outer, outer);
    }
    const result = this.graph.controlDependencies(null, () => switchOf(outer, this.predicate)[this.branch]);
    this.outer?.addInner(result.op);
    this.graph.preventFetching(result.op);
    result.op.context = this;
    for (let context: Context | null = this; context !== null; context = context.outer) context.values.add(result);
    this.external.set(tensor, result);
    return result;
  }

  take(op: Operation): void {
    if (op.inputs.length === 0) {
      this.dropExternalControls(op);
      if (!op.controlInputs.some(input => this.isWithin(input))) op.addControlInput(this.pivot.op);
    } else {
      op.inputs.forEach((input, i) => {
        const real = this.addValue(input);
        if (real !== input) op.replaceInput(i, real);
      });
      this.dropExternalControls(op);
    }
    for (let context: Context | null = this; context !== null; context = context.outer)
      for (const output of op.outputs) context.values.add(output);
    if (this.outer || !isExit(op)) this.graph.preventFetching(op);
    this.outer?.addInner(op);
  }

  /** Builds the branch: what the function returned, and its leaves as tensors of this branch. */
  build(fn: () => Nested): { original: Nested; results: Tensor[] } {
    const original = fn();
    if (original === undefined || original === null) return { original: null, results: [] };
    return { original, results: flatten(original).flatMap(leaf => this.resultOf(leaf)) };
  }

  private resultOf(leaf: unknown): Tensor[] {
    // An operation is stood for by the pivot, once it has run.
    if (leaf instanceof Operation) return [withDependencies([leaf], this.pivot)];
    if (leaf instanceof IndexedSlices) return partsOfSlices(leaf).map(part => this.outputValue(part));
    return [this.outputValue(convertToTensor(leaf as TensorLike))];
  }

  /** A result of the branch; one that comes straight from outside goes through a Switch. */
  private outputValue(tensor: Tensor): Tensor {
    if (this.values.has(tensor)) return this.external.get(tensor) ?? tensor;
    this.values.add(tensor);
    let outer = tensor;
    if (this.outer) {
      outer = this.outer.addValue(tensor);
      this.values.add(outer);
      this.external.set(outer, outer);
    }
    const result = switchOf(outer, this.predicate)[this.branch];
    this.external.set(tensor, result);
    return result;
  }
}

interface VariableNames {
  readonly enter: string;
  readonly merge?: string;
  readonly exit: string;
  readonly keepsShape: boolean;
}

/** How a loop is to be run. */
export interface LoopSettings {
  readonly parallelIterations: number;
  readonly backProp: boolean;
  readonly swapMemory: boolean;
  readonly maximumIterations: Tensor | null;
}

/** What a loop of gradients knows of the loop whose gradients it computes (ops/flow/loop-history.ts). */
export interface History {
  readonly forward: WhileContext;
  readonly backward: WhileContext;
  /** The gradients that have come into the loop, by the forward loop's Exit. */
  readonly came: ReadonlyMap<Operation, Tensor>;
  /** The gradients that have left it, by the forward loop's Enter. */
  readonly left: ReadonlyMap<Operation, Tensor | IndexedSlices>;
  /** What stands, in an iteration of the gradients' loop, for a value of the same iteration of the forward loop. */
  realValue(value: Tensor): Tensor;
}

/** A loop under construction. */
export class WhileContext extends Context {
  readonly name: string;
  readonly parallelIterations: number;
  readonly backProp: boolean;
  readonly swapMemory: boolean;
  readonly maximumIterations: Tensor | null;
  enters: Tensor[] = [];
  exits: Tensor[] = [];
  /** The LoopCond's result. */
  condition: Tensor | null = null;
  pivotForCondition: Tensor | null = null;
  pivotForBody: Tensor | null = null;
  /** For loops of gradients. */
  readonly history: History | null;
  /** The loops of this one's gradients. */
  readonly histories: History[] = [];
  /** Of a loop that was a call: makes it one again, and the loops of its gradients, so that gradients go through these. False if that cannot be. */
  asCalls: ((differentiate: Differentiate) => boolean) | null = null;

  constructor(graph: Graph, given: LoopSettings & { readonly name?: string; readonly isNameTaken?: boolean; readonly history?: History }) {
    super(graph);
    this.history = given.history ?? null;
    this.name = given.isNameTaken && given.name !== undefined ? given.name : graph.uniqueName(given.name ?? "while_context");
    this.parallelIterations = given.parallelIterations;
    this.backProp = given.backProp;
    this.swapMemory = given.swapMemory;
    this.maximumIterations = given.maximumIterations;
  }

  get loop(): WhileContext {
    return this;
  }

  get pivot(): Tensor {
    return (this.pivotForBody ?? this.pivotForCondition) as Tensor;
  }

  addValue(tensor: Tensor): Tensor {
    if (this.values.has(tensor) || tensor.op.context === this) return this.external.get(tensor) ?? tensor;
    this.values.add(tensor);
    const real = this.fromHistory(tensor);
    if (real) {
      this.external.set(tensor, real);
      return real;
    }
    const outer = this.outer ? this.outer.addValue(tensor) : tensor;
    const entered = this.graph.controlDependencies(null, () => this.enter(outer, true));
    this.graph.preventFeeding(entered);
    this.outer?.addInner(entered.op);
    this.adopt(entered);
    this.values.add(entered);
    this.external.set(tensor, entered);
    return entered;
  }

  /** In a loop of gradients, what stands for a value of the forward loop. */
  private fromHistory(tensor: Tensor): Tensor | undefined {
    const history = (this.graph.controlFlowContext as Context | null)?.loop?.history;
    if (!history) return undefined;
    const loop = isExit(tensor.op) ? (loopOf(tensor.op)?.outer?.loop ?? null) : loopOf(tensor.op);
    return loop === history.forward ? history.realValue(tensor) : undefined;
  }

  enter(data: Tensor, isConstant: boolean, options: Named = {}): Tensor {
    const attrs = { data, frameName: this.name, isConstant, parallelIterations: this.parallelIterations };
    const entered = data.isRef ? RefEnter(attrs, options) : Enter(attrs, options);
    if (isConstant) entered.setShape(data.shape);
    return entered;
  }

  /** Makes an Enter one of this loop's nodes, with the control dependencies that were in force around the loop. */
  private adopt(entered: Tensor): void {
    const { op } = entered;
    op.context = this;
    const outerLoop = this.outer?.loop ?? null;
    for (const control of this.graph.controlDependenciesFor([op.inputs[0].op])) {
      const target = outputContext(control);
      let context: Context | null = this.outer;
      while (context !== target && context !== null && context !== outerLoop) context = context.outer;
      if (context === target) op.addControlInput(control);
    }
    this.graph.coverControlDependencies(op);
  }

  override addOperation(op: Operation): void {
    const forward = this.forwardContextOf(op);
    if (forward) op.context = forward;
    (forward ?? this).take(op);
  }

  take(op: Operation): void {
    let external: Operation[];
    if (op.inputs.length === 0) {
      external = this.dropExternalControls(op);
      if (op.controlInputs.length === 0) op.addControlInput(this.pivot.op);
    } else {
      op.inputs.forEach((input, i) => {
        const real = this.addValue(input);
        if (real !== input) op.replaceInput(i, real);
      });
      external = this.dropExternalControls(op);
      // A node of loop invariants alone would run once before the first iteration, whether or not there is one.
      if (op.controlInputs.length === 0 && op.inputs.every(input => isConstantEnter(input.op))) op.addControlInput(this.pivot.op);
    }
    for (const output of op.outputs) this.values.add(output);
    this.keepExternalControls(op, external);
    if (this.outer || !isExit(op)) {
      this.graph.preventFetching(op);
      for (const output of op.outputs) this.graph.preventFeeding(output);
    }
    this.outer?.addInner(op);
  }

  /** Shapes of forward values are taken in the forward loop, so that the shape is kept for the gradient and not the value. */
  private forwardContextOf(op: Operation): Context | null {
    if (!["Shape", "Size", "Rank"].includes(op.type)) return null;
    const forward = (this.graph.controlFlowContext as Context | null)?.loop?.history?.forward;
    const [{ op: source }] = op.inputs;
    return forward !== undefined && loopOf(source) === forward ? (source.context as Context) : null;
  }

  /** One more variable of this loop, which begins as `start` and goes on as what `step` makes of it; called inside the loop's context. */
  addVariable(
    start: Tensor,
    names: VariableNames,
    condition: (current: Tensor) => Tensor,
    step: (current: Tensor) => Tensor,
  ): { readonly exit: Tensor; readonly next: Tensor } {
    this.values.add(start);
    const entered = this.enter(start, false, { name: names.enter });
    if (names.keepsShape) entered.setShape(start.shape);
    this.enters.push(entered);
    const merged = merge([entered, entered], { name: names.merge });
    const sides = Switch({ data: merged, pred: condition(merged) });
    const next = NextIteration({ data: step(sides.outputTrue) });
    merged.op.replaceInput(1, next);
    const exit = Exit({ data: sides.outputFalse }, { name: names.exit });
    this.exits.push(exit);
    this.exitResult([exit]);
    return { exit, next };
  }

  /** Control inputs from outside become data inputs of Identity nodes, which can enter. */
  private keepExternalControls(op: Operation, external: readonly Operation[]): void {
    for (const control of external) {
      if (control.outputs.length === 0) continue;
      const inner = this.graph.controlDependencies(null, () => this.inside(() => identity(control.outputs[0])));
      op.addControlInput(inner.op);
    }
  }

  /** Builds the whole loop from its variables' initial values; returns the exits. */
  build(
    initial: readonly Tensor[],
    shapes: readonly TensorShape[],
    condition: (vars: Tensor[]) => Tensor,
    body: (vars: Tensor[]) => Tensor[],
  ): Tensor[] {
    return this.inside(() => {
      for (const tensor of initial) this.values.add(tensor);
      const real = initial.map(tensor => this.outer?.addValue(tensor) ?? tensor);
      this.enters = this.graph.controlDependencies(null, () => real.map((tensor, k) => this.enterVariable(tensor, shapes[k])));
      for (const entered of this.enters) this.adopt(entered);
      this.values.clear();
      for (const entered of this.enters) this.values.add(entered);
      const merges = this.enters.map(entered => merge([entered, entered]));
      this.pivotForCondition = merges[0];
      this.condition = LoopCond({ input: condition(merges) }, { name: "LoopCond" });
      const sides = merges.map(merged => switchOf(merged, this.condition as Tensor));
      const current = sides.map(([, stays]) => identity(stays));
      this.pivotForBody = current[0];
      const results = body(current);
      results.forEach((result, k) => void this.closeLoop(merges[k], result));
      this.exits = sides.map(([leaves]) => (leaves.isRef ? RefExit({ data: leaves }) : Exit({ data: leaves })));
      this.exitResult(this.exits);
      return this.exits;
    });
  }

  private enterVariable(tensor: Tensor, shape: TensorShape): Tensor {
    const entered = this.enter(tensor, false);
    entered.setShape(shape);
    this.graph.preventFeeding(entered);
    this.outer?.addInner(entered.op);
    return entered;
  }

  private closeLoop(merged: Tensor, result: Tensor): void {
    const next = result.isRef ? RefNextIteration({ data: result }) : NextIteration({ data: result });
    requireInvariant(merged.op.inputs[0].op.inputs[0], merged.shape, next);
    merged.op.replaceInput(1, next);
  }
}

/** @throws ValueError if what a loop makes of a variable has a shape that the variable cannot have. */
export function requireInvariant(start: Tensor, shape: TensorShape, next: Tensor): void {
  if (!fitsInvariant(shape, next.shape))
    throw new ValueError(
      `Input tensor '${start.name}' enters the loop with shape ${shape}, but has shape ${next.shape} after one iteration. To allow the shape to vary across iterations, use the \`shape_invariants\` argument of tf.while_loop to specify a less-specific shape.`,
    );
}

/** Is `after` at least as specific as the shape a loop variable has? */
function fitsInvariant(before: TensorShape, after: TensorShape): boolean {
  if (before.dims === null) return true;
  if (after.dims === null || after.dims.length !== before.dims.length) return false;
  return before.dims.every((d, axis) => d === null || d === after.dims?.[axis]);
}

// ---- cond ----

export type Branch = () => Nested;

interface CondOptions extends Named {
  /** Lists of one result stay lists. */
  readonly strict?: boolean | null;
  readonly trueFn?: Branch | null;
  readonly falseFn?: Branch | null;
  /** The names these had in TensorFlow 1.0. */
  readonly fn1?: Branch | null;
  readonly fn2?: Branch | null;
}

/** `trueFn()` if `pred` is true while running, else `falseFn()`. Both return the same structure: a tensor, nested lists or objects of tensors, or an
 *  operation. Nodes made inside a function run only if its branch is taken; tensors made outside are computed either way. TF: tf.cond. */
export function cond(pred: TensorLike, trueFn: Branch, falseFn: Branch, options?: CondOptions): Nested;
export function cond(pred: TensorLike, options: CondOptions): Nested;
export function cond(pred: TensorLike, first: Branch | CondOptions, second?: Branch, options: CondOptions = {}): Nested {
  const isByName =
    second === undefined && typeof first === "object" && first !== null && !(first instanceof Tensor) && !Array.isArray(first);
  const given: CondOptions = isByName ? (first as CondOptions) : { ...options, trueFn: first as Branch, falseFn: second };
  const [whenTrue, whenFalse] = [given.trueFn ?? given.fn1, given.falseFn ?? given.fn2];
  if (isGiven(given.fn1) && isGiven(given.trueFn)) throw new TypeError("cond(): 'true_fn' and 'fn1' may not be set simultaneously.");
  if (!isGiven(whenTrue)) throw new TypeError("cond(): 'true_fn' argument required");
  if (isGiven(given.fn2) && isGiven(given.falseFn)) throw new TypeError("cond(): 'false_fn' and 'fn2' may not be set simultaneously.");
  if (!isGiven(whenFalse)) throw new TypeError("cond(): 'false_fn' argument required");
  if (typeof whenTrue !== "function") throw new TypeError("'true_fn' must be callable.");
  if (typeof whenFalse !== "function") throw new TypeError("'false_fn' must be callable.");
  return inNameScope({ name: given.name }, "cond", [pred], () => {
    if (typeof pred === "boolean") throw new TypeError("'pred' must not be a Python bool.");
    const graph = getDefaultGraph();
    const isStrict = given.strict === true;
    if (graph.functional) return graph.functional.cond(convertToTensor(pred), whenTrue, whenFalse, isStrict);
    const chosen = Switch({ data: pred, pred });
    const pivots = [identity(chosen.outputTrue, { name: "switch_t" }), identity(chosen.outputFalse, { name: "switch_f" })];
    const predicate = identity(pred, { name: "pred_id" });
    for (const tensor of [chosen.outputTrue, ...pivots, predicate]) graph.preventFetching(tensor.op);
    const build = (branch: 0 | 1, fn: Branch, name: string) => {
      const context = new CondContext(graph, predicate, pivots[1 - branch], branch);
      const built = context.inside(() => context.build(fn));
      if (built.original === null) throw new ValueError(`'${name}' must have a return value.`);
      context.exitResult(built.results);
      return { context, ...built };
    };
    const yes = build(1, whenTrue, "true_fn");
    const no = build(0, whenFalse, "false_fn");
    return joined(yes, no, isStrict, check => {
      check();
      const merges = yes.results.map((x, k) => merge([no.results[k], x]));
      if (yes.context.outer === null) for (const { context } of [yes, no]) graph.addToCollection("cond_context", context);
      return merges;
    });
  });
}

const isGiven = (value: unknown): boolean => value !== undefined && value !== null;

export interface BuiltBranch {
  readonly original: Nested;
  readonly results: readonly Tensor[];
}

const unpackSingle = (structure: Nested): Nested => (Array.isArray(structure) && structure.length === 1 ? structure[0] : structure);

/** What both branches give, in their structure. `join` makes the tensors; it asks whether the branches fit when they are built. */
export function joined(yes: BuiltBranch, no: BuiltBranch, isStrict: boolean, join: (check: () => void) => readonly Tensor[]): Nested {
  const structures = (): Nested[] => [yes, no].map(({ original }) => (isStrict ? original : unpackSingle(original)));
  const merges = join(() => {
    const [a, b] = structures();
    assertSameStructure(a, b);
    if (yes.results.length === 0 && a !== null) throw new ValueError("'true_fn' and 'false_fn' must return at least one result.");
    yes.results.forEach((x, k) => {
      const y = no.results[k];
      if (x.dtype !== y.dtype)
        throw new ValueError(
          `Outputs of 'true_fn' and 'false_fn' must have the same type(s). Received ${x.dtype} from 'true_fn' and ${y.dtype} from 'false_fn'.`,
        );
    });
  });
  const [structure] = structures();
  const packed = packResults(structure, merges);
  return isStrict ? packed : unpackSingle(packed);
}

/** Tensors in the structure of what a branch returned. */
export function packResults(structure: Nested, results: readonly Tensor[]): Nested {
  let next = 0;
  return mapNested(structure, leaf => {
    if (leaf === null) return null;
    if (!(leaf instanceof IndexedSlices)) return results[next++];
    const [values, indices] = [results[next++], results[next++]];
    return new IndexedSlices(values, indices, leaf.denseShape ? results[next++] : null);
  });
}

// ---- case ----

interface CaseOptions extends Named {
  readonly default?: Branch | null;
  /** Checks that at most one predicate is true. */
  readonly exclusive?: boolean | null;
  readonly strict?: boolean | null;
}

/** The function of the first true predicate, else the default; without a default, one predicate has to be true. Pairs are `[predicate, function]`.
 *  TF: tf.case. @throws InvalidArgumentError while running if none is true and there is no default, or several are under `exclusive`. */
export function caseOf(pairs: readonly (readonly [TensorLike, Branch])[], options: CaseOptions = {}): Nested {
  checkPairs(pairs);
  if (pairs.length === 0 && !options.default)
    throw new ValueError("`pred_fn_pairs` must be a non-empty list of pairs, or there must be a `default`.");
  const predicates = pairs.map(([predicate]) => predicate);
  return inNameScope({ name: options.name ?? "case" }, "case", predicates, () => {
    const fallback = options.default ?? lastUnlessOthers(pairs);
    const rest = options.default ? pairs : pairs.slice(0, -1);
    // The innermost condition has the fallback itself, and so says itself what is wrong with it.
    const build = (k: number): Nested =>
      k === rest.length
        ? fallback()
        : cond(rest[k][0], rest[k][1], k === rest.length - 1 ? fallback : () => build(k + 1), { strict: options.strict ?? false });
    if (!options.exclusive) return build(0);
    const assertion = assertAtMostTrue(
      rest.map(([predicate]) => predicate),
      1,
      "Input error: exclusive=True",
    );
    return getDefaultGraph().controlDependencies([assertion], () => build(0));
  });
}

/** @throws TypeError unless these are pairs of a bool tensor and a function. */
function checkPairs(pairs: unknown): asserts pairs is readonly (readonly [Tensor, Branch])[] {
  if (!Array.isArray(pairs))
    throw new TypeError(`'pred_fn_pairs' must be a list, tuple, or dict. Received: <class '${pythonType(pairs)}'>`);
  for (const pair of pairs) {
    if (!Array.isArray(pair) || pair.length !== 2)
      throw new TypeError(`Each entry in 'pred_fn_pairs' must be a 2-tuple. Received ${shownPair(pair)}.`);
    const [predicate, fn] = pair as [unknown, unknown];
    if (!(predicate instanceof Tensor) && !isAsTensor(predicate))
      throw new TypeError(`pred must be a Tensor, got: ${typeof predicate === "string" ? predicate : representation(predicate)}`);
    if (predicate instanceof Tensor && predicate.dtype !== "bool")
      throw new TypeError(`pred must be Tensor of type bool: ${predicate.name}`);
    if (typeof fn !== "function")
      throw new TypeError(`fn for pred ${predicate instanceof Tensor ? predicate.name : "?"} must be callable.`);
  }
}

const shownPair = (pair: unknown): string =>
  pair instanceof Tensor
    ? String(pair)
    : Array.isArray(pair)
      ? `(${pair.map(representation).join(", ")}${pair.length === 1 ? "," : ""})`
      : pythonStr(pair);

/** The last pair's function, for when all other predicates are false: checks that, and that its own is true. */
function lastUnlessOthers(pairs: readonly (readonly [TensorLike, Branch])[]): Branch {
  const [predicate, fn] = pairs[pairs.length - 1];
  return () => {
    const all = stack(
      pairs.map(([p]) => p),
      { name: "preds_c" },
    );
    const others = pairs.slice(0, -1).map(([other]) => other);
    const message = `Implementation error: selected default action #${pairs.length - 1} was called, but some of other predicates are True: `;
    const gates = [assertAtMostTrue(others, 0, message), Assert(predicate, ["Input error: None of conditions evaluated as True:", all])];
    return getDefaultGraph().controlDependencies(gates, fn);
  };
}

function assertAtMostTrue(predicates: readonly TensorLike[], most: number, message: string): Operation {
  const all = stack(predicates, { name: "preds_c" });
  const count = reduceSum(cast(all, "int32"), null, { name: "num_true_conds" });
  const condition = LessEqual({ x: count, y: constant(most, "int32", { name: "n_true_conds" }) });
  const names = predicates.map(predicate => (predicate instanceof Tensor ? predicate.name : "?")).join(", ");
  return Assert(condition, [`${message}: more than ${most} conditions (${names}) evaluated as True:`, all], {
    summarize: predicates.length,
  });
}

/** `case` is a reserved word: inside the house it goes by another name. */
export { caseOf as case };

// ---- while ----

interface WhileOptions extends Named {
  readonly cond?: ((...vars: Nested[]) => TensorLike) | null;
  readonly body?: ((...vars: Nested[]) => Nested) | null;
  readonly loopVars?: readonly Nested[] | null;
  /** A shape for each variable where it may change from one iteration to the next. */
  readonly shapeInvariants?: readonly Nested[] | null;
  readonly parallelIterations?: number | null;
  readonly backProp?: boolean | null;
  readonly swapMemory?: boolean | null;
  readonly maximumIterations?: TensorLike | null;
  /** A loop of one variable returns a list of one. */
  readonly returnSameStructure?: boolean | null;
}

/** Repeats `vars = body(...vars)` while `cond(...vars)` is true; returns the variables' last values. body and cond build nodes, once.
 *  @throws ValueError if a variable's type or shape differs after an iteration. TF: tf.while_loop. */
export function whileLoop(
  condition: (...vars: Nested[]) => TensorLike,
  body: (...vars: Nested[]) => Nested,
  loopVars: readonly Nested[],
  options?: WhileOptions,
): Nested;
export function whileLoop(options: WhileOptions): Nested;
export function whileLoop(...given: unknown[]): Nested {
  const options: WhileOptions =
    given.length > 1 || typeof given[0] !== "object" || given[0] === null
      ? {
          ...((given[3] ?? {}) as WhileOptions),
          cond: given[0] as WhileOptions["cond"],
          body: given[1] as WhileOptions["body"],
          loopVars: given[2] as Nested[],
        }
      : (given[0] as WhileOptions);
  const { cond: condition, body, loopVars, parallelIterations = 10 } = options;
  if (typeof condition !== "function") throw new TypeError("'cond' must be callable.");
  if (typeof body !== "function") throw new TypeError("'body' must be callable.");
  if (typeof parallelIterations !== "number" || parallelIterations < 1)
    throw new TypeError("'parallel_iterations' must be a positive integer.");
  return inNameScope({ name: options.name }, "while", flatten(loopVars ?? []), () => {
    if (!loopVars || loopVars.length === 0) throw new ValueError("'loop_vars' must be provided.");
    const limit = options.maximumIterations;
    if (limit === undefined || limit === null) return buildLoop(condition, body, loopVars, options, null);
    const most = convertToTensor(limit, { name: "maximum_iterations", preferredDtype: "int32" });
    if (most.shape.rank !== null && most.shape.rank !== 0)
      throw new ValueError(`'maximum_iterations' must be a scalar. Received shape: ${most.shape}`);
    const counter = constant(0, most.dtype, { name: "iteration_counter" });
    const [result] = [
      buildLoop(
        (i: Tensor, vars: Nested[]) => LogicalAnd({ x: Less({ x: i, y: most }), y: condition(...vars) }),
        (i: Tensor, vars: Nested[]) => [AddV2({ x: i, y: 1 }, { name: "add" }), listOf(body(...vars))],
        [counter, loopVars],
        { ...options, shapeInvariants: options.shapeInvariants && [new TensorShape([]), options.shapeInvariants] },
        most,
      )[1],
    ];
    return result.length === 1 && options.returnSameStructure !== true ? result[0] : result;
  });
}

const listOf = (value: Nested): Nested[] => (Array.isArray(value) ? value : [value]);

function buildLoop(
  condition: (...vars: Nested[]) => TensorLike,
  body: (...vars: Nested[]) => Nested,
  loopVars: readonly Nested[],
  options: WhileOptions,
  maximumIterations: Tensor | null,
): Nested {
  const graph = getDefaultGraph();
  if (!Number.isInteger(options.parallelIterations ?? 10))
    throw new ValueError(`'parallel_iterations' must be a positive integer: ${options.parallelIterations}`);
  const parallelIterations = options.parallelIterations ?? 10;
  const backProp = options.backProp ?? true;
  const swapMemory = options.swapMemory ?? false;
  const context = new WhileContext(graph, { parallelIterations, backProp, swapMemory, maximumIterations });
  if (context.outer === null && !graph.functional) graph.addToCollection("while_context", context);
  const carried = flatten(loopVars);
  const initial = carried.map(item => convertToTensor(carrierOf(item)));
  const shapes = invariantsOf(initial, options.shapeInvariants);
  const pack = (tensors: readonly Tensor[]): Nested[] =>
    packAs(
      loopVars,
      tensors.map((tensor, k) => rewrap(carried[k], tensor)),
    );
  const goesOn = (vars: Tensor[]): Tensor => convertToTensor(condition(...pack(vars)));
  const next = (vars: Tensor[]): Tensor[] => {
    const packed = pack(vars);
    const result = listOf(body(...packed));
    assertSameStructure(packed, result);
    const flat = flatten(result);
    if (flat.length !== vars.length)
      throw new ValueError(
        `Number of inputs and outputs of 'body' must match 'loop_vars'. Got ${vars.length} inputs and ${flat.length} outputs.`,
      );
    return flat.map((item, k) =>
      convertToTensor(carrierOf(item), { dtype: carrierOf(item) instanceof Tensor ? undefined : (vars[k].dtype as DType) }),
    );
  };
  const exits =
    graph.functional?.loop(initial, shapes, goesOn, next, { parallelIterations, backProp }) ?? context.build(initial, shapes, goesOn, next);
  const packed = packAs(
    loopVars,
    exits.map((tensor, k) => rewrap(carried[k], tensor)),
  );
  return packed.length === 1 && options.returnSameStructure !== true && maximumIterations === null ? packed[0] : packed;
}

/** An object that travels through a loop by one tensor (a TensorArray by its flow). */
export interface LoopCarried {
  /** The tensor that carries it. */
  readonly loopFlow: Tensor;
  /** The same object around another tensor. */
  withLoopFlow(flow: Tensor): LoopCarried;
}

const isCarried = (item: unknown): item is LoopCarried => typeof item === "object" && item !== null && "loopFlow" in item;
const carrierOf = (item: unknown): TensorLike => (isCarried(item) ? item.loopFlow : (item as TensorLike));
const rewrap = (item: unknown, tensor: Tensor): unknown => (isCarried(item) ? item.withLoopFlow(tensor) : tensor);

function invariantsOf(initial: readonly Tensor[], invariants: readonly Nested[] | null | undefined): TensorShape[] {
  if (invariants === undefined || invariants === null) return initial.map(tensor => tensor.shape);
  if (typeof invariants !== "object") assertSameStructure(initial, invariants);
  const shapes = flattenShapes(invariants);
  if (shapes.length !== initial.length) throw new ValueError("'shape_invariants' and 'loop_vars' must have the same structure.");
  return initial.map((tensor, k) => {
    if (!fitsInvariant(shapes[k], tensor.shape))
      throw new ValueError(
        `The shape invariant specified for ${tensor.name} is not compatible with the initial shape of the loop variable. It enters the loop with shape ${tensor.shape}, but the specified shape invariant is ${shapes[k]}.`,
      );
    return shapes[k];
  });
}

/** Lists of numbers and nulls are shapes, other lists nest. */
function flattenShapes(given: Nested): TensorShape[] {
  if (given instanceof TensorShape) return [given];
  if (Array.isArray(given) && !given.every(d => d === null || typeof d === "number")) return given.flatMap(flattenShapes);
  if (Array.isArray(given) || given === null) return [new TensorShape(given)];
  if (typeof given !== "object")
    throw new TypeError(`'shape' must be one of TypeSpec, TensorShape or None. Received: <class '${pythonType(given)}'>`);
  return flatten(given).flatMap(flattenShapes);
}
