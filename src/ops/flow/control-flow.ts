// Order and checks: NoOp, group, tuple, Assert, Print; and the raw nodes of TensorFlow 1's control flow (Switch, Merge, Enter, Exit …).
// The raw nodes have no lowering of their own: optimize/raise-control-flow.ts turns their patterns into branches and loops.
// tf.cond and tf.while_loop, which make those patterns, are in flow/control-flow-contexts.ts.

import { InvalidArgumentError, ValueError } from "../../base/errors.ts";
import { copyElements, NDArray } from "../../base/ndarray.ts";
import { pythonStr, pythonType } from "../../base/python-text.ts";
import type { Dimension } from "../../base/shape.ts";
import { TensorShape } from "../../base/shape.ts";
import * as attr from "../../graph/attributes.ts";
import { type AsTensor, convertToTensor, isAsTensor, representation, type TensorLike } from "../../graph/conversion.ts";
import { getDefaultGraph } from "../../graph/default-graph.ts";
import { IndexedSlices } from "../../graph/indexed-slices.ts";
import { defineOp, type Gradients, type Named, type OpDefinition, type PartialArray } from "../../graph/op-definition.ts";
import { itemsOf } from "../../graph/iterating.ts";
import { Operation, Tensor } from "../../graph/operation.ts";
import { call, check, constant, map } from "../../ir/build.ts";
import type { Routine } from "../../ir/program.ts";
import { loadScalar, s } from "../../ir/scalar.ts";
import { isOptions, refuseOthers } from "../arguments.ts";
import { CheckNumerics, identity } from "../array/array.ts";
import { cond } from "./control-flow-contexts.ts";
import { enterGradient, exitGradient, mergeGradient, nextIterationGradient, switchGradient } from "./control-flow-gradients.ts";
import { inNameScope } from "../named.ts";
import { HostStack, newStack, popFromStack, pushOnStack, stackOf } from "./stack-memory.ts";
import { summarize } from "../summary/tensor-summary.ts";

// ---- order ----

/** Does nothing; waits for its control inputs. */
export const NoOp = defineOp("NoOp", {
  inputs: {},
  outputs: {},
  attrs: {},
  shape: () => undefined,
  gradient: "none",
  lower: () => undefined,
});

/** A NoOp that also runs where its control inputs are dead. */
export const ControlTrigger = defineOp("ControlTrigger", {
  inputs: {},
  outputs: {},
  attrs: {},
  shape: () => undefined,
  gradient: "none",
  lower: () => undefined,
});

/** An operation that does nothing, to hang control dependencies on. TF: tf.no_op. */
export function noOp({ name, ...others }: Named = {}): Operation {
  refuseOthers(others);
  return NoOp({}, { name });
}

/** Anything with an operation behind it, or lists of such. */
export type Groupable =
  | Operation
  | Tensor
  | IndexedSlices
  | AsTensor
  | { readonly op: Operation }
  | null
  | undefined
  | readonly Groupable[];

/** An operation that is done when all its inputs are. The last argument may be `{ name }`. TF: tf.group. */
export function group(...given: readonly (Groupable | Named)[]): Operation {
  const last = given[given.length - 1];
  const options: Named = isOptions(last) ? (last as Named) : {};
  const items = (isOptions(last) ? given.slice(0, -1) : given) as readonly Groupable[];
  for (const item of items.flat(9)) if (item === null) operationOf(item as never);
  refuseOtherGraphs(items);
  const ops = operationsOf(items);
  const graph = ops[0]?.graph ?? getDefaultGraph();
  return graph.asDefault(() =>
    graph.nameScope(options.name ?? "group_deps", scope => {
      if (ops.length === 0) return noOp({ name: String(scope) });
      const devices = new Map<string, Operation[]>();
      for (const op of ops) devices.set(op.device, [...(devices.get(op.device) ?? []), op]);
      const groupOn = (device: string, on: readonly Operation[], name?: string): Operation =>
        graph.controlDependencies(on, () => graph.device(device, () => noOp({ name })));
      if (devices.size === 1) return [...devices].map(([device, on]) => groupOn(device, on, String(scope)))[0];
      // One operation per device, so that only one edge crosses from each.
      const gates = [...devices].sort(([a], [b]) => (a < b ? -1 : 1)).map(([device, on]) => groupOn(device, on));
      return graph.controlDependencies(gates, () => noOp({ name: String(scope) }));
    }),
  );
}

/** @throws ValueError for tensors of several graphs. */
function refuseOtherGraphs(given: readonly unknown[]): void {
  const tensors = (given.flat(9) as unknown[]).filter(item => item instanceof Tensor);
  for (const tensor of tensors) tensors[0].graph.assertOwn(tensor, tensors[0]);
}

function operationsOf(given: readonly Groupable[]): Operation[] {
  return given.flatMap((item): Operation[] => {
    if (item === null || item === undefined) return [];
    if (Array.isArray(item)) return operationsOf(item as readonly Groupable[]);
    return [operationOf(item as Exclude<Groupable, readonly Groupable[] | null | undefined>)];
  });
}

function operationOf(item: Operation | Tensor | IndexedSlices | AsTensor | { readonly op: Operation }): Operation {
  if (item instanceof Operation) return item;
  if (typeof item === "object" && item !== null && "op" in item && item.op instanceof Operation) return item.op;
  if (isAsTensor(item)) return item.asGraphTensor({ asRef: true }).op;
  throw new TypeError(
    `'inputs' should be zero or more (nested) Tensors. Received '${pythonStr(item)}' with type '<class '${pythonType(item)}'>'.`,
  );
}

/** `output` as a new tensor that is there only after `dependencies` have run. TF: control_flow_ops.with_dependencies. */
export function withDependencies(dependencies: readonly Groupable[], output: Tensor, options: Named = {}): Tensor {
  const { graph } = output;
  return inNameScope(options, "control_dependency", [output], scope =>
    graph.colocateWith(output, undefined, () =>
      graph.controlDependencies(operationsOf(dependencies), () => identity(output, { name: String(scope) })),
    ),
  );
}

interface TupleOptions extends Named {
  readonly controlInputs?: readonly Groupable[] | null;
}

/** What tuple takes as it is; other values become tensors. */
const gateable = (item: unknown): unknown =>
  item === null || item instanceof Operation || item instanceof IndexedSlices ? item : convertToTensor(item as TensorLike);

/** @throws TypeError for what is no operation and has none. */
function waitedFor(item: Groupable): Operation[] {
  if (item instanceof Operation || item instanceof Tensor || (typeof item === "object" && item !== null && "op" in item))
    return operationsOf([item]);
  throw new TypeError(`'control_inputs' must only contain Operation or Tensor. Received: <class '${pythonType(item)}'>`);
}

/** The same tensors, each there only when all of them are. nulls stay null. TF: tf.tuple. */
export function tuple<T extends Tensor | IndexedSlices | Operation | null>(tensors: readonly T[], options: TupleOptions = {}): T[] {
  const given = itemsOf(tensors, "asks");
  return inNameScope({ name: options.name }, "tuple", given, () => {
    refuseOtherGraphs(given);
    const tensors = given.map(gateable) as T[];
    const gating = [...operationsOf(tensors), ...itemsOf(options.controlInputs ?? []).flatMap(waitedFor)];
    if (gating.length === 0) throw new ValueError(`'tensors' must have at least one Tensor. Received: ${representation(tensors)}.`);
    const gate = group(...[...new Set(gating)].sort((a, b) => a.id - b.id));
    return tensors.map((item): T => {
      if (item === null) return item;
      if (item instanceof Operation) return withDependencies([gate], item.outputs[0]) as T;
      if (item instanceof IndexedSlices)
        return new IndexedSlices(withDependencies([gate], item.values), item.indices, item.denseShape) as T;
      return withDependencies([gate], item) as T;
    });
  });
}

// ---- checks ----

/** Stops the run if the condition is false; says the first elements of `data`. */
export const AssertOp = defineOp("Assert", {
  inputs: { condition: "bool", data: "T" },
  outputs: {},
  attrs: { T: attr.types(undefined, { minimum: 1 }), summarize: attr.int(3) },
  stateful: true,
  gradient: "none",
  shape: ({ condition }) => void condition.withRank(0),
  lower: ({ condition, data, summarize: limit }) => {
    if (condition.shape.length > 0) throw new InvalidArgumentError("In[0] should be a scalar");
    check([], () => loadScalar(condition, []), {
      label: "assertion",
      reads: data,
      error: (_, read) =>
        new InvalidArgumentError(`assertion failed: ${data.map(value => `[${summarize(read(value), limit)}]`).join(" ")}`),
    });
  },
});

interface AssertOptions extends Named {
  /** How many elements of each tensor the message shows (3); -1 for all. */
  readonly summarize?: number | null;
}

/** Raises InvalidArgumentError while running if `condition` is false, telling the values of `data`. Returns the operation: run it, or make
 *  others depend on it. Data other than strings and int32 are only computed when the assertion fails. TF: tf.Assert. */
export function Assert(condition: TensorLike, data: readonly TensorLike[], options: AssertOptions = {}): Operation {
  const attrs = { summarize: options.summarize ?? 3 };
  return inNameScope({ name: options.name }, "Assert", [condition, data], () => {
    if (typeof data === "string") throw new TypeError(`Expected list for 'data' argument to 'Assert' Op, not ${data}.`);
    if (!Array.isArray(data)) throw new TypeError("values must be a sequence.");
    const tensors = (data as readonly TensorLike[]).map(item => convertToTensor(item));
    if (tensors.every(({ dtype }) => dtype === "string" || dtype === "int32"))
      return AssertOp({ condition, data, ...attrs }, { name: "Assert" });
    const predicate = convertToTensor(condition, { name: "Condition" });
    const guarded = cond(predicate, noOp, () => AssertOp({ condition: predicate, data, ...attrs }, { name: "Assert" }), {
      name: "AssertGuard",
    });
    return (guarded as Tensor).op;
  });
}

/** Passes its input on and writes `message` and `data` to the error output, at most `firstN` times a session. */
export const PrintOp = defineOp("Print", {
  inputs: { input: "T", data: "U" },
  outputs: { output: "T" },
  attrs: {
    T: attr.type(),
    U: attr.types(undefined, { minimum: 0 }),
    message: attr.string(""),
    firstN: attr.int(-1),
    summarize: attr.int(3),
  },
  stateful: true,
  shape: ({ input }) => input,
  gradient: (_, d): Gradients => ({ input: d.output }),
  takesSlices: true,
  lower: ({ input, data, message, firstN, summarize: limit }, context) => {
    // How often this op has printed is kept as a generator's state: it belongs to the session and goes on from run to run.
    const counter = context.state({
      id: `printed:${context.name}`,
      role: "generator",
      dtype: "int64",
      shape: [3],
      initial: () => NDArray.zeros("int64", [3]),
    });
    const count = counter.read();
    counter.write(map((x, one) => s.add(x, one), count, constant(NDArray.from([0n, 0n, 1n], "int64"))));
    return call(printing(message, firstN, limit), [input, count, ...data], [input])[0];
  },
});

const printing = (message: string, firstN: number, limit: number): Routine => ({
  name: "print",
  run: ([input, count, ...data], [output]) => {
    if (firstN < 0 || Number(count.get(2)) < firstN) console.error(message + data.map(value => `[${summarize(value, limit)}]`).join(""));
    copyElements(input, output);
  },
});

interface PrintOptions extends Named {
  readonly message?: string | null;
  readonly firstN?: number | null;
  readonly summarize?: number | null;
}

/** `input`, and whenever it is computed, `message` and the first elements of `data` on the error output. TF: tf.Print. */
export function Print(
  input: TensorLike,
  data: readonly TensorLike[],
  message?: string | PrintOptions | null,
  options?: PrintOptions,
): Tensor {
  const given: PrintOptions = { ...(typeof message === "string" ? { message } : message), ...options };
  if (typeof given.message === "number" || typeof message === "number")
    throw new TypeError(`Expected string for argument 'message' not ${String(given.message ?? message)}.`);
  if (!Array.isArray(data))
    throw new TypeError(
      `Expected list for 'data' argument to 'Print' Op, not ${(data as unknown) instanceof Tensor ? data : pythonStr(data)}.`,
    );
  return PrintOp(
    {
      input,
      data: data as readonly TensorLike[],
      message: given.message ?? "",
      firstN: given.firstN ?? -1,
      summarize: given.summarize ?? 3,
    },
    { name: given.name },
  );
}

/** Adds a CheckNumerics to every floating output in the graph, each after the one before. Returns their group. TF: tf.add_check_numerics_ops. */
export function addCheckNumericsOps(): Operation {
  const graph = getDefaultGraph();
  const checks: Operation[] = [];
  for (const op of [...graph.getOperations()]) {
    for (const output of op.outputs) {
      if (!["float16", "bfloat16", "float32", "float64"].includes(output.dtype)) continue;
      if (op.context !== null)
        throw new ValueError(
          "`tf.add_check_numerics_ops() is not compatible with TensorFlow control flow operations such as `tf.cond()` or `tf.while_loop()`.",
        );
      const made = graph.controlDependencies(checks.slice(-1), () => CheckNumerics({ tensor: output, message: output.name }));
      checks.push(made.op);
    }
  }
  return group(...checks.slice(-1));
}

// ---- TensorFlow 1's control flow nodes ----

const anyType = { T: attr.type() };
const switchFields = {
  attrs: anyType,
  gradient: switchGradient,
  takesSlices: true,
  shape: ({ data, pred }: { data: TensorShape; pred: TensorShape }) => {
    pred.withRank(0);
    return [data, data];
  },
};
const mergeFields = {
  attrs: { T: attr.type(), N: attr.int(undefined, 1) },
  gradient: mergeGradient,
  shape: ({ inputs }: { inputs: readonly TensorShape[] }) => [mergedShape(inputs), new TensorShape([])],
};
const enterFields = {
  gradient: enterGradient,
  takesSlices: true,
  attrs: { T: attr.type(), frameName: attr.string(), isConstant: attr.bool(false), parallelIterations: attr.int(10) },
  shape: ({ data, isConstant }: { data: TensorShape; isConstant: boolean }) => (isConstant ? data : TensorShape.unknown()),
  partial: ({ data, isConstant }: { data: PartialArray | undefined; isConstant: boolean }) => (isConstant ? data : undefined),
};
const passFields = { attrs: anyType, shape: ({ data }: { data: TensorShape }) => data };

/** What all inputs agree on. */
function mergedShape(inputs: readonly TensorShape[]): TensorShape {
  const [first, ...rest] = inputs;
  if (first.dims === null) return first;
  const dims: Dimension[] = [...first.dims];
  for (const { dims: other } of rest) {
    if (other === null || other.length !== dims.length) return TensorShape.unknown();
    dims.forEach((d, axis) => {
      if (d !== other[axis]) dims[axis] = null;
    });
  }
  return new TensorShape(dims);
}

/** Sends `data` to the one output that the predicate chooses; the other is dead. */
export const Switch = defineOp("Switch", {
  inputs: { data: "T", pred: "bool" },
  outputs: { outputFalse: "T", outputTrue: "T" },
  ...switchFields,
  fold: ([data, pred]) => (pred.item() ? [undefined, data] : [data, undefined]),
});
export const RefSwitch = defineOp("RefSwitch", {
  onlyReads: true,
  inputs: { data: "Ref(T)", pred: "bool" },
  outputs: { outputFalse: "Ref(T)", outputTrue: "Ref(T)" },
  ...switchFields,
  allowsUninitializedInput: true,
});

/** Passes on whichever input is alive, and its number. */
export const Merge = defineOp("Merge", { inputs: { inputs: "N*T" }, outputs: { output: "T", valueIndex: "int32" }, ...mergeFields });
export const RefMerge = defineOp("RefMerge", {
  onlyReads: true,
  inputs: { inputs: "N*Ref(T)" },
  outputs: { output: "Ref(T)", valueIndex: "int32" },
  ...mergeFields,
});

/** Brings a value into a loop's frame. */
export const Enter = defineOp("Enter", { inputs: { data: "T" }, outputs: { output: "T" }, ...enterFields });
export const RefEnter = defineOp("RefEnter", {
  onlyReads: true,
  inputs: { data: "Ref(T)" },
  outputs: { output: "Ref(T)" },
  ...enterFields,
});
const exitFields = { ...passFields, gradient: exitGradient, takesSlices: true } as const;
/** Takes a value out of a loop's frame. */
export const Exit = defineOp("Exit", {
  inputs: { data: "T" },
  outputs: { output: "T" },
  ...exitFields,
});
export const RefExit = defineOp("RefExit", {
  onlyReads: true,
  inputs: { data: "Ref(T)" },
  outputs: { output: "Ref(T)" },
  ...exitFields,
});
/** Hands a value on to the next iteration. */
export const NextIteration = defineOp("NextIteration", {
  inputs: { data: "T" },
  outputs: { output: "T" },
  ...passFields,
  gradient: nextIterationGradient,
  endsPass: true,
});
export const RefNextIteration = defineOp("RefNextIteration", {
  onlyReads: true,
  inputs: { data: "Ref(T)" },
  outputs: { output: "Ref(T)" },
  ...passFields,
  gradient: nextIterationGradient,
  endsPass: true,
});
/** Marks the condition that keeps a loop going. */
export const LoopCond = defineOp("LoopCond", {
  inputs: { input: "bool" },
  outputs: { output: "bool" },
  attrs: {},
  gradient: "none",
  shape: ({ input }) => input.withRank(0),
});

const isOne =
  (...definitions: readonly OpDefinition[]) =>
  (op: Operation): boolean =>
    definitions.includes(op.definition);

export const isSwitch = isOne(Switch, RefSwitch);
export const isMerge = isOne(Merge, RefMerge);
export const isEnter = isOne(Enter, RefEnter);
export const isExit = isOne(Exit, RefExit);
export const isNext = isOne(NextIteration, RefNextIteration);
export const isLoopCond = isOne(LoopCond);

/** Is it one of these? They have no kernels: branches and loops are made of them before. */
export const isControlFlow = (definition: OpDefinition): boolean =>
  [Switch, Merge, Enter, Exit, NextIteration, LoopCond].some(op => op === definition) ||
  [RefSwitch, RefMerge, RefEnter, RefExit, RefNextIteration].some(op => op === definition);

/** A stack of tensors: what a loop pushes, the loop of its gradient pops. The elements are kept by the host, since how many there will be is not
 *  known; their count is a value of the run, which orders pushes and pops. */
export const StackV2 = defineOp("StackV2", {
  inputs: { maxSize: "int32" },
  outputs: { handle: "resource" },
  attrs: { elemType: attr.type(), stackName: attr.string("") },
  stateful: true,
  gradient: "none",
  shape: () => new TensorShape([2]),
  lower: (_, context) => newStack(context),
  onHost: () => [new HostStack()],
});
export const StackPushV2 = defineOp("StackPushV2", {
  inputs: { handle: "resource", elem: "T" },
  outputs: { output: "T" },
  attrs: { T: attr.type(), swapMemory: attr.bool(false) },
  stateful: true,
  shape: ({ elem }) => elem,
  lower: ({ handle, elem }, context) => {
    pushOnStack(handle, elem, context);
    return elem;
  },
  onHost: ({ handle, elem }) => {
    stackOf(handle).push(elem);
    return [elem];
  },
});
export const StackPopV2 = defineOp("StackPopV2", {
  inputs: { handle: "resource" },
  outputs: { elem: "elemType" },
  attrs: { elemType: attr.type() },
  stateful: true,
  gradient: "none",
  shape: () => TensorShape.unknown(),
  lower: ({ handle }, context) => popFromStack(handle, context),
  onHost: ({ handle }) => [stackOf(handle).pop()],
});
export const StackCloseV2 = defineOp("StackCloseV2", {
  inputs: { handle: "resource" },
  outputs: {},
  attrs: {},
  stateful: true,
  gradient: "none",
  shape: () => undefined,
  lower: () => undefined,
  onHost: () => [],
});
