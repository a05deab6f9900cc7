// tf.gradients: a reverse walk over the graph that calls each op's own gradient. The result is ordinary graph nodes under `gradients/`,
// so gradients export, run anywhere, and have gradients themselves. Names and order are TensorFlow's.

import { type DType, isDifferentiable, isFloating, isInteger } from "../base/dtype.ts";
import { InternalError, LookupError, ValueError } from "../base/errors.ts";
import { pythonStr } from "../base/python-text.ts";
import { groupByName } from "../graph/build-operation.ts";
import { type AsTensor, convertToTensor, isAsTensor, type TensorLike } from "../graph/conversion.ts";
import { captureSource } from "../graph/captures.ts";
import { getDefaultGraph, graphFor } from "../graph/default-graph.ts";
import { expandInPlace, standing, staysCall } from "../graph/functions.ts";
import type { Differentiate, Graph } from "../graph/graph.ts";
import { fromHere } from "../graph/location.ts";
import { IndexedSlices } from "../graph/indexed-slices.ts";
import type { Gradient, OpDefinition } from "../graph/op-definition.ts";
import { nodeText } from "../graph/format.ts";
import { Operation, Tensor } from "../graph/operation.ts";
import { SparseTensor } from "../graph/sparse-tensor.ts";
import { constant, fill, identity, shape, zerosLike } from "../ops/array/array.ts";
import { group, isExit, isSwitch } from "../ops/flow/control-flow.ts";
import { isOptions } from "../ops/arguments.ts";
import { slicesToTensor } from "../ops/math/segment.ts";
import { isLoopSwitch } from "../ops/flow/control-flow-contexts.ts";
import { aggregate, type AggregationMethod, AggregationMethods } from "./aggregate.ts";
import { callsInstead, LoopGradients } from "./loops.ts";
import { registeredGradient } from "./registry.ts";

export interface GradientsOptions {
  /** Gradients of the ys, where they are not all ones. */
  readonly gradYs?: TensorLike | readonly (TensorLike | IndexedSlices | null)[] | null;
  readonly name?: string | null;
  readonly colocateGradientsWithOps?: boolean;
  /** Waits for all gradients of an op before any is used. */
  readonly gateGradients?: boolean;
  readonly aggregationMethod?: AggregationMethod | null;
  /** Treated as constants: nothing flows through them. */
  readonly stopGradients?: Source | readonly Source[] | null;
  /** What an unconnected x gets: null, or zeros. */
  readonly unconnectedGradients?: "none" | "zero";
}

type Source = Tensor | AsTensor | IndexedSlices;
type Ys = TensorLike | readonly TensorLike[] | { readonly [name: string]: Tensor | Operation };

/** Sums of partial derivatives of `ys` with respect to each of `xs`, as graph nodes: one Tensor, IndexedSlices or null for each x.
 *  null means that no path leads from x to the ys (or only through integers). TF: tf.gradients.
 *  @throws LookupError if an op on the way has no gradient; TypeError for complex ys without gradYs; ValueError for wrong options. */
// any: which of the three a gradient is the program knows and no type
export function gradients(ys: Ys, xs: Source | readonly Source[], options: GradientsOptions = {}): any[] {
  const asList = tensorsOf(ys);
  const {
    gradYs = null,
    name = "gradients",
    gateGradients = false,
    colocateGradientsWithOps = false,
    unconnectedGradients = "none",
  } = options;
  const method = options.aggregationMethod ?? 0;
  if (unconnectedGradients !== "none" && unconnectedGradients !== "zero")
    throw new ValueError(`Unknown value for unconnected_gradients: '${pythonStr(unconnectedGradients)}'`);
  const graph = graphFor(graphOfList(asList));
  const build = (): (Tensor | IndexedSlices | null)[] => {
    const found = graph.nameScope(name ?? "gradients", () => {
      for (const item of [...listOf(asList), ...listOf(xs)]) refuseSource(item);
      const given = listOf(asList).map((y, i) => convertToTensor(y as TensorLike, { name: `y_${i}` }));
      const asked = listOf(xs).map((x, i) => sourceTensor(x, `x_${i}`));
      expandCallsBetween(asked, given);
      const [targets, sources] = [given.map(standing), asked.map(standing)];
      const stops = listOf(options.stopGradients ?? []).map(x => sourceTensor(x));
      if (!graph.buildingFunction) for (const tensor of [...given, ...asked, ...stops]) graph.assertOwn(tensor, given[0]);
      const walk = new ReverseWalk(graph, { gateGradients, colocate: colocateGradientsWithOps, method });
      walk.start(targets, initialGradients(targets, gradYs));
      walk.run(targets, sources, stops);
      return sources.map(x => ({ x, gradient: walk.gradientOf(x) }));
    });
    return found.map(({ x, gradient }) => gradient ?? (unconnectedGradients === "zero" ? zerosLike(x) : null));
  };
  return fromHere(() => graph.asDefault(build));
}

const differentiate: Differentiate = (ys, xs, given) =>
  gradients(ys, xs, { gradYs: given }).map(gradient => (gradient instanceof IndexedSlices ? slicesToTensor(gradient) : gradient));

/** Calls of functions on the way are put into the graph as nodes, through which the walk can go; loops of their gradients become calls before. */
function expandCallsBetween(xs: readonly Tensor[], ys: readonly Tensor[]): void {
  const between = (): Operation[] => operationsBetween(xs.map(standing), ys.map(standing)).list;
  let list = between();
  while (callsInstead(list, differentiate)) list = between();
  const isExpanded = (op: Operation): boolean => op.definition.expand !== undefined && !staysCall(op, op.graph);
  for (const op of list.filter(isExpanded).sort((a, b) => a.id - b.id)) expandInPlace(op);
}

const listOf = <T>(value: T | readonly T[]): readonly T[] => (Array.isArray(value) ? value : [value as T]);

/** Results that an operation gives by name (`topK`) are a list of them, as Python's named tuples are. */
const tensorsOf = (ys: Ys): TensorLike | readonly TensorLike[] => {
  if (typeof ys !== "object" || Object.getPrototypeOf(ys) !== Object.prototype) return ys as TensorLike;
  return Object.values(ys).filter(item => item instanceof Tensor);
};

function graphOfList(ys: unknown): Graph | undefined {
  for (const y of Array.isArray(ys) ? ys : [ys]) if (y instanceof Tensor) return y.graph;
  return undefined;
}

/** @throws TypeError for operations, ValueError for what is made of several tensors. */
function refuseSource(given: unknown): void {
  if (given instanceof Operation) throw new TypeError(`can't convert Operation '${given.name}' to Tensor`);
  if (isOptions(given)) throw new TypeError("Expected any non-tensor type, but got a tensor instead.");
  if (given instanceof SparseTensor) throw new ValueError("Type SparseTensor is not supported as a gradient source or gradient target.");
}

/** The tensor whose gradient is meant: for a ref variable its ref, for a resource its handle. */
function sourceTensor(x: Source, name?: string): Tensor {
  if (x instanceof Tensor) return x;
  if (x instanceof IndexedSlices) return x.values;
  if (typeof x === "object" && x !== null && "gradientTensor" in x && x.gradientTensor instanceof Tensor) return x.gradientTensor;
  if (isAsTensor(x)) return x.asGraphTensor({ asRef: true });
  return convertToTensor(x, { name });
}

function initialGradients(ys: readonly Tensor[], given: GradientsOptions["gradYs"]): (Tensor | IndexedSlices)[] {
  const list = given === null || given === undefined ? ys.map(() => null) : Array.isArray(given) ? given : [given];
  if (list.length !== ys.length) throw new ValueError(`Length mismatch. Passed ${list.length} grad_ys for ${ys.length} ys`);
  return ys.map((y, i) => {
    const gradient = list[i] as TensorLike | IndexedSlices | null;
    if (gradient instanceof Tensor && !y.graph.buildingFunction) y.graph.assertOwn(gradient, y);
    if (gradient === null) return onesFor(y, i);
    // Numbers have no type of their own here: they take that of y.
    const own = gradient instanceof Tensor || gradient instanceof IndexedSlices ? undefined : numericType(gradient, y);
    const made = gradient instanceof IndexedSlices ? gradient : convertToTensor(gradient, { dtype: own, name: `grad_y_${i}` });
    refuseKind(y, made);
    const name = `grad_ys_${i}`;
    if (made instanceof Tensor) return identity(made, { name });
    const indices = identity(made.indices, { name: `${name}_indices` });
    return new IndexedSlices(identity(made.values, { name: `${name}_values` }), indices, made.denseShape);
  });
}

const numericType = (value: TensorLike, y: Tensor): DType | undefined =>
  [value].flat(9).every(item => typeof item === "number") ? y.dtype : undefined;

/** @throws TypeError for a gradient of another kind than its y. */
function refuseKind(y: Tensor, { dtype }: Tensor | IndexedSlices): void {
  const isReal = (type: DType): boolean => isFloating(type) || isInteger(type);
  const generated = `Gradient type ${dtype} generated for`;
  if (isReal(y.dtype)) {
    if (!isReal(dtype)) throw new TypeError(`${generated} real or integer-valued tensor ${y} with type ${y.dtype} must be real or integer`);
  } else if (y.dtype.startsWith("complex")) {
    if (!dtype.startsWith("complex")) throw new TypeError(`${generated} complex-valued tensor ${y} with type ${y.dtype} must be real`);
  } else if (y.dtype === "variant") {
    if (dtype !== "variant") throw new TypeError(`${generated} variant tensor ${y} with type ${y.dtype} must be variant`);
  } else if (y.dtype !== "resource") throw new TypeError(`Tensor ${y} with type ${y.dtype} must be numeric to obtain a default gradient`);
}

function onesFor(y: Tensor, i: number): Tensor {
  if (y.dtype.startsWith("complex")) throw new TypeError(`Gradients of complex tensors (${y}) must set grad_ys (y.dtype = ${y.dtype})`);
  if (y.dtype === "string")
    throw new TypeError(`Expected string, but got 1 of type 'int'.\n\nThe text ${y} has no gradient: differentiate numbers.`);
  const graph = getDefaultGraph();
  const dims = shape(y);
  return graph.nameScope(`grad_ys_${i}`, scope =>
    fill(dims, constant(y.dtype === "bool" ? true : 1, y.dtype, { name: "Const" }), { name: scope }),
  );
}

interface WalkOptions {
  readonly gateGradients: boolean;
  readonly colocate: boolean;
  readonly method: AggregationMethod;
}

class ReverseWalk {
  private readonly graph: Graph;
  private readonly options: WalkOptions;
  /** Contributions to each tensor, in the order they arrive; joined when read. */
  private readonly contributions = new Map<Tensor, (Tensor | IndexedSlices)[]>();
  private loops: LoopGradients | null = null;
  private sources: ReadonlySet<Operation> = new Set();

  constructor(graph: Graph, options: WalkOptions) {
    this.graph = graph;
    this.options = options;
  }

  start(ys: readonly Tensor[], given: readonly (Tensor | IndexedSlices)[]): void {
    ys.forEach((y, i) => void this.add(y, given[i]));
  }

  private add(tensor: Tensor, gradient: Gradient): void {
    if (gradient === null || gradient === undefined) return;
    const list = this.contributions.get(tensor);
    if (list) list.push(gradient);
    else this.contributions.set(tensor, [gradient]);
  }

  gradientOf(tensor: Tensor): Tensor | IndexedSlices | null {
    const list = this.contributions.get(tensor);
    if (!list) return null;
    const joined = list.length === 1 ? list[0] : aggregate(list, tensor, this.options.method);
    this.contributions.set(tensor, [joined]);
    return joined;
  }

  /** Visits ops between ys and xs, readers before what they read; loops when the gradients of all their results are there. */
  run(ys: readonly Tensor[], xs: readonly Tensor[], stops: readonly Tensor[]): void {
    const { list, members } = operationsBetween(xs, ys);
    const targets = new Set(ys.map(y => y.op).filter(op => members.has(op)));
    this.loops = LoopGradients.among(list, members, (op, body) => this.inColocation(op, body));
    this.sources = new Set(xs.map(x => x.op));
    const stopOps = stopOperations(xs, stops, members);
    const pending = pendingCounts(list, members);
    const queue = [...targets].filter(op => pending.get(op) === undefined);
    for (const exit of this.loops?.unusedExits(pending, new Set(queue)) ?? []) {
      if (isDifferentiableType(exit)) this.add(exit, this.loops?.zerosForExit(exit));
      queue.push(exit.op);
    }
    for (let op = queue.shift(); op !== undefined; op = queue.shift()) {
      this.visit(op, stopOps.has(op));
      for (const input of inputsOf(op)) queue.push(...this.readyFrom(input, pending));
    }
    this.loops?.finish();
  }

  /** The operations that can be visited once one reader less of `tensor` is to come. */
  private readyFrom(tensor: Tensor, pending: Map<Operation, number>): Operation[] {
    const { op } = tensor;
    const left = (pending.get(op) ?? 0) - 1;
    pending.set(op, left);
    if (left !== 0 && !(this.loops && left > 0 && isLoopSwitch(op))) return [];
    if (!this.loops || !isExit(op)) return [op];
    const { ready, unused } = this.loops.exitReady(tensor, exit => this.contributions.has(exit));
    for (const exit of unused) if (isDifferentiableType(exit)) this.add(exit, this.loops.zerosForExit(exit));
    return ready.map(exit => exit.op);
  }

  private inLoop<R>(op: Operation, isBefore: boolean, body: () => R): R {
    return this.loops ? this.loops.inside(op, isBefore, body) : body();
  }

  private visit(op: Operation, isStop: boolean): void {
    const { method } = this.options;
    if (!AggregationMethods.includes(method))
      throw new ValueError(`Invalid \`aggregation_method\` specified ${pythonStr(method)}. Accepted values are [0, 1, 2].`);
    this.inColocation(op, () => {
      const outputs = this.inLoop(op, true, () => op.outputs.map(output => this.gradientOf(output)));
      if (isStop || outputs.every(gradient => gradient === null)) return;
      const outside = captureSource(op.outputs[0]);
      if (outside) {
        this.add(outside, outputs[0]);
        return;
      }
      const gradient = gradientFunction(op);
      if (gradient === "none") return;
      this.inLoop(op, false, () => {
        if (isLoopSwitch(op) && op.context === this.graph.controlFlowContext) throw throughLoopVariable(op, this.sources);
        const flowing = outputs.map(
          (value, i) => value ?? (isDifferentiableType(op.outputs[i]) ? this.loops?.zerosFor(op, i) : null) ?? null,
        );
        // As in TensorFlow, what does not flow is zeros: nodes outside the op's own scope, whether its gradient looks at them or not.
        const all = flowing.map((value, i) =>
          value === null && isDifferentiableType(op.outputs[i]) && !isSwitch(op) ? zerosLike(op.outputs[i], { optimize: false }) : value,
        );
        const inputs = this.graph.nameScope(`${op.name}_grad`, () => this.callGradient(op, gradient, all, flowing));
        this.pass(op, inputs);
      });
    });
  }

  /** Adds the gradients of an op's inputs to what has arrived there. */
  private pass(op: Operation, gradients: readonly Gradient[]): void {
    op.inputs.forEach((input, i) => {
      const given = gradients[i];
      if (given instanceof Tensor && input.dtype !== "resource") {
        if (!given.shape.isCompatibleWith(input.shape))
          throw new ValueError(
            `Incompatible shapes between op input and calculated input gradient. Forward operation: ${op.name}. Input index: ${i}. Original input shape: ${input.shape}. Calculated input gradient shape: ${given.shape}`,
          );
        given.setShape(input.shape);
      }
      this.add(input, given);
    });
  }

  private inColocation<R>(op: Operation, body: () => R): R {
    return this.options.colocate ? this.graph.colocateWith(op, undefined, body) : body();
  }

  private callGradient(
    op: Operation,
    gradient: GradientFunction,
    outputs: readonly (Tensor | IndexedSlices | null)[],
    flowing: readonly (Tensor | IndexedSlices | null)[],
  ): Gradient[] {
    const { definition } = op;
    const filled = outputs.map((value, i) => value ?? lazyZeros(op.outputs[i]));
    const record = {
      ...groupByName(definition, "inputs", op.attrs, op.inputs),
      ...groupByName(definition, "outputs", op.attrs, op.outputs),
      ...op.attrs,
    };
    const byName = groupByName(definition, "outputs", op.attrs, flowing);
    const flows = (name: string): boolean => [byName[name]].flat().some(value => value !== null);
    const result = gradient(record, lazyRecord(definition, op, filled), op, flows);
    const given = flatten(definition, op, result);
    return this.options.gateGradients && given.filter(item => item !== null && item !== undefined).length > 1 ? gated(given) : given;
  }
}

type GradientFunction = Exclude<OpDefinition["gradient"], "none" | undefined>;

/** @throws LookupError with TensorFlow's text. */
function gradientFunction(op: Operation): GradientFunction | "none" {
  const override = op.attrs._gradient_op_type;
  const found = typeof override === "string" ? registeredGradient(override) : (op.definition.gradient ?? registeredGradient(op.type));
  if (found === undefined)
    throw new LookupError(
      `No gradient defined for operation'${op.name}' (op type: ${op.type}). In general every operation must have an associated \`@tf.RegisterGradient\` for correct autodiff, which this op is lacking. If you want to pretend this operation is a constant in your program, you may insert \`tf.stop_gradient\`. This can be useful to silence the error in cases where you know gradients are not needed, e.g. the forward pass of tf.custom_gradient. Please see more details in https://www.tensorflow.org/api_docs/python/tf/custom_gradient.\n\nStop the gradient before it with tf.stopGradient(x), or give it one with tf.RegisterGradient("${op.type}", …).`,
    );
  return found;
}

/** Asked for inside a loop's body, a gradient would have to go through the iterations before this one. */
function throughLoopVariable(op: Operation, sources: ReadonlySet<Operation>): ValueError {
  const seen = new Set([op]);
  for (const source of seen) {
    if (sources.has(source))
      return new ValueError(
        `Cannot compute gradient inside while loop with respect to op '${source.name}'. We do not support taking the gradient wrt or through the initial value of a loop variable. Gradients can be computed through loop invariants or wrt the input parameters to the loop body.`,
      );
    for (const input of source.inputs) seen.add(input.op);
  }
  throw new InternalError("A gradient walk met a loop that leads to none of its sources.");
}

/** Zeros made only if the gradient function asks for them. */
const lazyZeros =
  (output: Tensor): (() => Tensor) =>
  () =>
    zerosLike(output);

type Lazy = Tensor | IndexedSlices | (() => Tensor);
const forced = (value: Lazy): Tensor | IndexedSlices => (typeof value === "function" ? value() : value);
const forcedDense = (value: Lazy): Tensor => slicesToTensor(forced(value));

/** Output gradients by name; slices are made dense (unless the op takes them), missing ones zero, when read. */
function lazyRecord(definition: OpDefinition, op: Operation, values: readonly Lazy[]): object {
  const grouped = groupByName(definition, "outputs", op.attrs, values);
  const force = definition.takesSlices ? forced : forcedDense;
  const record = {};
  for (const [name, value] of Object.entries(grouped)) {
    let made: unknown;
    Object.defineProperty(record, name, {
      enumerable: true,
      get: () => {
        made ??= Array.isArray(value) ? value.map(force) : force(value as Lazy);
        return made;
      },
    });
  }
  return record;
}

/** Gradients by input name (or, from registered functions, by position) → one per input. */
function flatten(definition: OpDefinition, op: Operation, result: Readonly<Record<string, unknown>> | readonly Gradient[]): Gradient[] {
  if (Array.isArray(result)) {
    if (result.length !== op.inputs.length)
      throw new ValueError(`Num gradients ${result.length} generated for op ${nodeText(op)} do not match num inputs ${op.inputs.length}`);
    return [...result];
  }
  for (const name of Object.keys(result))
    if (!(name in definition.inputs)) throw new InternalError(`The gradient of ${op.type} names '${name}', which is not an input.`);
  const positions = groupByName(
    definition,
    "inputs",
    op.attrs,
    op.inputs.map((_, i) => i),
  );
  const list: Gradient[] = op.inputs.map(() => null);
  for (const [name, at] of Object.entries(positions)) {
    const value = (result as Readonly<Record<string, unknown>>)[name];
    if (value === null || value === undefined) continue;
    if (typeof at === "number") list[at] = value as Gradient;
    else (at as readonly number[]).forEach((position, k) => void (list[position] = (value as readonly Gradient[])[k]));
  }
  return list;
}

/** All gradients of one op wait for each other. */
function gated(list: readonly Gradient[]): Gradient[] {
  const graph = getDefaultGraph();
  return graph.nameScope("tuple", () => {
    const tensors = list.flatMap(item => (item instanceof IndexedSlices ? [item.values, item.indices] : item ? [item] : []));
    const gate = group(...tensors, { name: "group_deps" });
    const wait = (tensor: Tensor, colocated: Tensor): Tensor =>
      graph.controlDependencies([gate], () =>
        graph.colocateWith(colocated.op, undefined, () => identity(tensor, { name: "control_dependency" })),
      );
    return list.map(item => {
      if (item instanceof IndexedSlices) return new IndexedSlices(wait(item.values, item.values), item.indices, item.denseShape);
      return item ? wait(item, item) : null;
    });
  });
}

/** What an operation reads: an argument, the tensor around its function that it stands for. */
function inputsOf(op: Operation): readonly Tensor[] {
  const outside = op.definition.isPlaceholder ? captureSource(op.outputs[0]) : undefined;
  return outside ? [outside] : op.inputs;
}

/** Operations on a path from the xs to the ys, through types that gradients flow in. */
function operationsBetween(xs: readonly Tensor[], ys: readonly Tensor[]): { list: Operation[]; members: Set<Operation> } {
  const backward = new Set<Operation>();
  const stack = ys.map(y => y.op);
  for (let op = stack.pop(); op !== undefined; op = stack.pop()) {
    if (backward.has(op)) continue;
    backward.add(op);
    for (const input of inputsOf(op)) stack.push(input.op);
  }
  // Forward from the xs by readers: operations inside conditionals and loops read tensors that were made after them.
  const readers = new Map<Tensor, Operation[]>();
  for (const op of backward)
    for (const input of inputsOf(op)) {
      const known = readers.get(input);
      if (known) known.push(op);
      else readers.set(input, [op]);
    }
  const reached = new Set<Operation>();
  const waiting = [
    ...xs.map(x => x.op).filter(op => backward.has(op)),
    ...xs.filter(isDifferentiableType).flatMap(x => readers.get(x) ?? []),
  ];
  for (let op = waiting.pop(); op !== undefined; op = waiting.pop()) {
    if (reached.has(op)) continue;
    reached.add(op);
    for (const output of op.outputs) if (isDifferentiableType(output)) waiting.push(...(readers.get(output) ?? []));
  }
  // In the order in which a search from the ys meets them.
  const members = new Set<Operation>();
  const queue = ys.map(y => y.op);
  for (let k = 0; k < queue.length; k++) {
    const op = queue[k];
    if (!reached.has(op) || members.has(op)) continue;
    members.add(op);
    queue.push(...inputsOf(op).map(input => input.op));
  }
  return { list: [...members], members };
}

const isDifferentiableType = ({ dtype }: Tensor): boolean => isDifferentiable(dtype);

/** Ops whose own gradient is not needed: those that make an x none of whose inputs lead to another x, and those of `stops`. */
function stopOperations(xs: readonly Tensor[], stops: readonly Tensor[], between: ReadonlySet<Operation>): Set<Operation> {
  const result = new Set<Operation>();
  for (const x of xs) if (!x.op.inputs.some(input => between.has(input.op))) result.add(x.op);
  for (const stop of stops) result.add(stop.op);
  return result;
}

/** How many inputs of other operations among them each operation still waits for. */
function pendingCounts(list: readonly Operation[], members: ReadonlySet<Operation>): Map<Operation, number> {
  const counts = new Map<Operation, number>();
  for (const op of list)
    for (const { op: source } of inputsOf(op)) if (members.has(source)) counts.set(source, (counts.get(source) ?? 0) + 1);
  return counts;
}
