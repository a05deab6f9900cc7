// Calls of functions that a GraphDef brings along: PartitionedCall, If, While, Case and their kin. None has a lowering: each says what it is in
// other nodes (`expand`), made where it is run, or in the graph itself when gradients go through it.

import { AbortedError, InvalidArgumentError, UnimplementedError } from "../../base/errors.ts";
import { isComplex, isFloating } from "../../base/dtype.ts";
import { decodeText, NDArray } from "../../base/ndarray.ts";
import { TensorShape } from "../../base/shape.ts";
import * as attr from "../../graph/attributes.ts";
import type { FunctionRef } from "../../graph/attributes.ts";
import { calls } from "../../graph/copy-calls.ts";
import { getDefaultGraph } from "../../graph/default-graph.ts";
import { type CalledFunction, callFunction, type Expansion, type FuncGraph, functionsOf, neededBy } from "../../graph/functions.ts";
import { defineOp, renameOp } from "../../graph/op-definition.ts";
import type { Operation, Tensor } from "../../graph/operation.ts";
import * as ir from "../../ir/build.ts";
import type { Value } from "../../ir/program.ts";
import { type Scalar, s } from "../../ir/scalar.ts";
import { need } from "../arguments.ts";
import { identity, IdentityN, rank, size } from "../array/array.ts";
import { caseOf, cond, loopOf, whileLoop } from "./control-flow-contexts.ts";
import { branchGradients, type Choose, type Loop, loopGradients, loopsAsCalls } from "./functional-gradients.ts";
import type { Nested } from "./nested.ts";
import { group, isEnter, isExit, isMerge, isNext, isSwitch } from "./control-flow.ts";
import { AddV2 } from "../math/math.ts";
import { cast } from "../math/cast.ts";
import { Equal, Greater, Less, LessEqual, LogicalAnd, LogicalOr } from "../math/comparison.ts";
import { reduceAll } from "../math/reduction.ts";
import { bytesAt } from "../string/string.ts";

/** The argument of a function, inside its body. */
export const ArgOp = defineOp("_Arg", {
  inputs: {},
  outputs: { output: "T" },
  attrs: { T: attr.type(), index: attr.int(undefined, 0) },
  shape: () => TensorShape.unknown(),
  isPlaceholder: true,
  stateful: true,
});

/** @throws UnimplementedError if the graph has no functions. */
export function bodyOf(op: Operation, ref: FunctionRef): FuncGraph {
  const body = functionsOf(op.graph).body(ref);
  if (!body) throw new UnimplementedError(`${op.type} node '${op.name}' calls '${ref.name}', but its graph has no function library.`, op);
  return body;
}

/** The effects that happen in any case: what waits for one side of a conditional is as dead as the other. */
const certainOf = ({ body, replaced }: CalledFunction): Operation[] => [
  ...new Set(body.effects.filter(effect => !isInside(effect)).flatMap(effect => replaced.get(effect)?.last ?? [])),
];

/** A function that becomes part of a conditional or a loop. */
function partOf(op: Operation, ref: FunctionRef): FuncGraph {
  const body = bodyOf(op, ref);
  return { ...body, effects: body.named ?? body.effects };
}

/** Results that are there only after the effects that happen in any case. */
export function afterEffects(call: CalledFunction): Tensor[] {
  const { outputs } = call;
  const certain = certainOf(call);
  if (certain.length === 0) return [...outputs];
  return getDefaultGraph().controlDependencies(certain, () => outputs.map(output => identity(output)));
}

/** Is the operation inside a conditional or a loop of raw nodes? On a way back, each Merge goes into a conditional and each Switch out of it; an Exit
 *  goes into a loop and a variable's branching there, and an Enter out of it. */
function isInside(effect: Operation): boolean {
  const lowest = new Map<Operation, number>();
  const ways: [Operation, number][] = [[effect, 0]];
  for (let way = ways.pop(); way !== undefined; way = ways.pop()) {
    const [op, depth] = way;
    if (depth >= (lowest.get(op) ?? Number.POSITIVE_INFINITY)) continue;
    lowest.set(op, depth);
    const isLoopMerge = isMerge(op) && op.inputs.some(input => isNext(input.op));
    const after = depth + (isExit(op) ? 2 : isMerge(op) && !isLoopMerge ? 1 : isSwitch(op) || isEnter(op) ? -1 : 0);
    if (after < 0) return true;
    for (const source of [...op.inputs.map(input => input.op), ...op.controlInputs]) if (!isNext(source)) ways.push([source, after]);
  }
  return false;
}

/** The nodes of a plain call. */
export function expandCall(op: Operation, ref: FunctionRef, inputs: readonly Tensor[]): Expansion {
  const call = callFunction(bodyOf(op, ref), inputs);
  return { outputs: afterEffects(call), effects: call.effects, certain: certainOf(call) };
}

const callFields = {
  inputs: { args: "Tin" },
  outputs: { output: "Tout" },
  attrs: {
    Tin: attr.types(undefined, { minimum: 0 }),
    Tout: attr.types(undefined, { minimum: 0 }),
    f: attr.func(),
    config: attr.string(""),
    configProto: attr.string(""),
    executorType: attr.string(""),
  },
  shape: () => undefined,
  expand: calls((op, inputs) => expandCall(op, op.attrs.f as FunctionRef, inputs)),
} as const;

/** Calls a function without effects. */
export const PartitionedCall = defineOp("PartitionedCall", callFields);
/** Calls a function. */
export const StatefulPartitionedCall = defineOp("StatefulPartitionedCall", { ...callFields, stateful: true });

// ---- branches ----

/** What counts as true: a bool, or a number other than zero. */
function truthOf(op: Operation, value: Tensor): Tensor {
  if (value.dtype === "string")
    throw new UnimplementedError(`${op.type} node '${op.name}' with a string for its condition is not supported.`, op);
  return value.dtype === "bool" ? value : cast(value, "bool");
}

/** The same for the kernel that chooses itself, to which a tensor of elements is true whatever they are. Other conditionals are switches, which take scalars. */
function presenceOf(op: Operation, value: Tensor): Tensor {
  const truth = truthOf(op, value);
  if (truth.shape.rank === 0) return truth;
  const isMany = Greater({ x: rank(value), y: 0 });
  return LogicalAnd({ x: Greater({ x: size(value), y: 0 }), y: LogicalOr({ x: isMany, y: reduceAll(truth) }) });
}

/** The nodes of a conditional: `choose` makes it of its branches. Each gives its results, or where there are none, an operation. */
function branched(
  op: Operation,
  refs: readonly FunctionRef[],
  inputs: readonly Tensor[],
  choose: (branches: (() => Nested)[]) => Nested,
): Expansion {
  const effects: Operation[] = [];
  const branchOf = (ref: FunctionRef) => (): Tensor[] | Operation => {
    const call = callFunction(partOf(op, ref), inputs);
    effects.push(...call.effects);
    return call.outputs.length > 0 ? afterEffects(call) : group(...certainOf(call));
  };
  const results = [choose(refs.map(branchOf))].flat() as Tensor[];
  const makers = results.map(tensor => tensor.op);
  const outputs = op.outputs.length > 0 ? joined(op, results) : [];
  return { outputs, effects: [...effects, ...makers], certain: makers };
}

/** Takes lists as they are on the host, too. */
const Together = renameOp("IdentityN", IdentityN, {
  gradient: (_: object, d: { readonly output: readonly Tensor[] }) => ({ input: d.output }),
  onHost: ({ input }: { readonly input: readonly NDArray[] }) => input,
});

/** Results of a call that is put into its own graph for gradients to go through it: where one has a gradient, the others have one of zeros, so that all
 *  inputs that some result depends on have one. */
function joined({ graph }: Operation, results: readonly Tensor[]): readonly Tensor[] {
  const places = results.flatMap(({ dtype, isRef }, k) =>
    (dtype === "variant" || isFloating(dtype) || isComplex(dtype)) && !isRef ? [k] : [],
  );
  if (graph !== getDefaultGraph() || places.length < 2) return results;
  const together = Together({ input: places.map(k => results[k]) }) as readonly Tensor[];
  return results.map((result, k) => (places.includes(k) ? together[places.indexOf(k)] : result));
}

const branchTypes = { Tin: attr.types(undefined, { minimum: 0 }), Tout: attr.types(undefined, { minimum: 0 }) };
const branchShapes = { outputShapes: attr.shapes([]) };
const shapesGiven = ({ outputShapes }: { readonly outputShapes: readonly TensorShape[] }): readonly TensorShape[] => outputShapes;

const chooses = (truth: typeof truthOf) =>
  calls((op, [condition, ...inputs]) => {
    const refs = [op.attrs.thenBranch, op.attrs.elseBranch] as FunctionRef[];
    return branched(op, refs, inputs, ([yes, no]) => cond(truth(op, condition), yes, no, { strict: true }));
  });

const ifFields = {
  inputs: { cond: "Tcond", input: "Tin" },
  outputs: { output: "Tout" },
  attrs: { Tcond: attr.type(), ...branchTypes, thenBranch: attr.func(), elseBranch: attr.func(), ...branchShapes },
  shape: shapesGiven,
  expand: chooses(truthOf),
  gradient: (_: object, d: { readonly output: readonly Tensor[] }, op: Operation) => {
    const [cond] = op.inputs;
    const refs = [op.attrs.thenBranch, op.attrs.elseBranch] as FunctionRef[];
    const make = op.definition.stateful ? If : StatelessIf;
    const choose: Choose = ([thenBranch, elseBranch], call) => make({ cond, Tcond: cond.dtype, thenBranch, elseBranch, ...call });
    return { input: branchGradients(op, refs, d.output, choose) };
  },
} as const;

/** Calls one of two functions. */
export const If = defineOp("If", { ...ifFields, stateful: true });
export const StatelessIf = defineOp("StatelessIf", ifFields);

const caseFields = {
  inputs: { branchIndex: "int32", input: "Tin" },
  outputs: { output: "Tout" },
  attrs: { ...branchTypes, branches: attr.funcs(undefined, 1), ...branchShapes },
  shape: shapesGiven,
  expand: calls((op, [index, ...inputs]) => {
    return branched(op, op.attrs.branches as readonly FunctionRef[], inputs, branches => {
      // Numbers outside run the last, so the first pairs are those of all others.
      const last = branches[branches.length - 1];
      const pairs = branches.slice(0, -1).map((call, k) => [Equal({ x: index, y: k }), call] as const);
      if (pairs.length === 0) return cond(LessEqual({ x: index, y: index }), last, last, { strict: true });
      return caseOf(pairs, { default: last, strict: true });
    });
  }),
  gradient: (_: object, d: { readonly output: readonly Tensor[] }, op: Operation) => {
    const make = op.definition.stateful ? Case : StatelessCase;
    const choose: Choose = (branches, call) => make({ branchIndex: op.inputs[0], branches, ...call });
    return { input: branchGradients(op, op.attrs.branches as readonly FunctionRef[], d.output, choose) };
  },
} as const;

/** Calls one of several functions by its number; the last for a number outside. */
export const Case = defineOp("Case", { ...caseFields, stateful: true });
export const StatelessCase = defineOp("StatelessCase", caseFields);

// ---- loops ----

/** Does a loop's body hand this variable on unchanged, waiting for nothing? Such a variable is no variable: handles of resources are always like this. */
function isInvariant({ inputs, outputs }: FuncGraph, k: number): boolean {
  let tensor = outputs[k];
  const isHandle = tensor.dtype === "resource";
  while (tensor.op.definition.isCopy && tensor !== inputs[k] && (isHandle || tensor.op.controlInputs.length === 0))
    [tensor] = tensor.op.inputs;
  return tensor === inputs[k];
}

/** A While node's functions, and which of its variables vary in which shapes. */
function partsOf(op: Operation, inputs: readonly Tensor[]): Loop {
  const body = partOf(op, op.attrs.body as FunctionRef);
  const condition = partOf(op, op.attrs.cond as FunctionRef);
  const varying = inputs.flatMap((_, k) => (isInvariant(body, k) ? [] : [k]));
  // Lowered forms say neither shapes nor how many iterations may run at once.
  const given = (op.attrs.outputShapes ?? []) as readonly TensorShape[];
  const shapes = inputs.map(({ shape }, k) =>
    varying.includes(k) ? shape.mostSpecificCompatibleShape(given[k] ?? body.outputs[k].shape) : shape,
  );
  const make = op.definition.stateful ? While : StatelessWhile;
  return { name: op.name, body, condition, inputs, varying, shapes, node: call => make({ ...call, parallelIterations: parallelIn(op) }) };
}

const parallelIn = ({ attrs }: Operation): number => (attrs.parallelIterations ?? 10) as number;

function expandWhile(op: Operation, inputs: readonly Tensor[]): Expansion {
  const { body, condition, varying, shapes } = partsOf(op, inputs);
  if (varying.length === 0) throw new UnimplementedError(`The loop '${op.name}' changes nothing: it would never end.`, op);
  const argumentsOf = (vars: readonly Tensor[]): Tensor[] =>
    inputs.map((input, k) => (varying.includes(k) ? vars[varying.indexOf(k)] : input));
  const shapeInvariants = varying.map(k => shapes[k]);
  const effects: Operation[] = [];
  const callPart = (part: FuncGraph, vars: readonly Tensor[]): Tensor[] => {
    const call = callFunction(part, argumentsOf(vars));
    effects.push(...call.effects);
    return afterEffects(call);
  };
  const results = whileLoop(
    (...vars: Tensor[]) => truthOf(op, callPart(condition, vars)[0]),
    (...vars: Tensor[]) => {
      const next = callPart(body, vars);
      // The attribute may know more than the body's nodes alone.
      varying.forEach((k, i) => void next[k].setShape(shapeInvariants[i]));
      return varying.map(k => next[k]);
    },
    varying.map(k => inputs[k]),
    {
      shapeInvariants,
      parallelIterations: parallelIn(op),
      returnSameStructure: true,
    },
  ) as Tensor[];
  const exits = results.map(result => result.op);
  const context = isExit(exits[0]) ? loopOf(exits[0]) : null;
  if (context) context.asCalls = differentiate => loopsAsCalls(context, partsOf(op, inputs), results, differentiate);
  // What only passes by is there after the loop nevertheless, with the effects of that; a variable's handle is the variable.
  const asked = new Set([...neededBy(condition)].flatMap(({ inputs }) => inputs));
  const last = results[varying.findIndex(k => asked.has(condition.inputs[k]))] ?? results[0];
  const passing = (input: Tensor): Tensor =>
    op.definition.stateful && !input.isHandle ? getDefaultGraph().controlDependencies([last.op], () => identity(input)) : input;
  const outputs = inputs.map((input, k) => (varying.includes(k) ? results[varying.indexOf(k)] : passing(input)));
  return { outputs: joined(op, outputs), effects: [...effects, ...exits], certain: exits };
}

const whileFields = {
  inputs: { input: "T" },
  outputs: { output: "T" },
  attrs: {
    T: attr.types(undefined, { minimum: 0 }),
    cond: attr.func(),
    body: attr.func(),
    ...branchShapes,
    parallelIterations: attr.int(10),
  },
  shape: ({ input, outputShapes }: { readonly input: readonly TensorShape[]; readonly outputShapes: readonly TensorShape[] }) =>
    outputShapes.length > 0 ? outputShapes : input,
  expand: calls(expandWhile),
  gradient: (_: object, d: { readonly output: readonly Tensor[] }, op: Operation) => loopGradients(op, partsOf(op, op.inputs), d.output),
} as const;

/** Calls `body` on its own results while `cond` of them is true. */
export const While = defineOp("While", { ...whileFields, stateful: true });
export const StatelessWhile = defineOp("StatelessWhile", whileFields);

/** Branches and loops as the runtime of TensorFlow names them once their inputs are lists. */
export const LoweredIf = renameOp("_If", If, {
  expand: chooses(presenceOf),
  attrs: {
    Tcond: attr.type(),
    Tin: attr.types(undefined, { minimum: 1 }),
    Tout: attr.types(undefined, { minimum: 1 }),
    thenBranch: attr.func(),
    elseBranch: attr.func(),
  },
  shape: ({ Tout }: { readonly Tout: readonly unknown[] }) => Tout.map(() => TensorShape.unknown()),
});
export const LoweredWhile = renameOp("_While", While, {
  attrs: { T: attr.types(undefined, { minimum: 0 }), cond: attr.func(), body: attr.func() },
  shape: ({ input }: { readonly input: readonly TensorShape[] }) => input,
});

/** Where a loop begins and ends and its step, asked what For's kernel asks of them: what stands for other nodes has none. */
const ForBounds = renameOp("IdentityN", IdentityN, {
  checks: ({ input }: { readonly input: readonly (readonly number[])[] }) =>
    input.forEach((shape, i) => void need(shape.length === 0, () => `${["start", "limit", "delta"][i]} must be a scalar, but [${shape}]`)),
  lower: ({ input }: { readonly input: readonly Value[] }) => {
    const [start, limit, delta] = input.map(value => s.load(value, []));
    const isGoing = (step: Scalar, from: Scalar, to: Scalar): Scalar => s.and(s.gt(step, 0), s.le(from, to));
    const isStill = s.and(s.eq(delta, 0), s.eq(start, limit));
    ir.check([], () => s.or(s.or(isGoing(delta, start, limit), isGoing(s.neg(delta), limit, start)), isStill), {
      label: "For",
      reads: input,
      error: (_, read) => new InvalidArgumentError(`Invalid start/limit/delta: ${input.map(value => read(value).get(0)).join(" ")}`),
    });
    return input;
  },
});

/** Calls `body` with a number from `start` to below `limit` before its own results. */
export const For = defineOp("For", {
  inputs: { start: "int32", limit: "int32", delta: "int32", input: "T" },
  outputs: { output: "T" },
  attrs: { T: attr.types(undefined, { minimum: 0 }), body: attr.func() },
  shape: ({ input }) => input.map(() => TensorShape.unknown()),
  expand: calls((op, [givenStart, givenLimit, givenDelta, ...inputs]) => {
    const [start, limit, delta] = ForBounds({ input: [givenStart, givenLimit, givenDelta] }) as readonly Tensor[];
    const body = bodyOf(op, op.attrs.body as FunctionRef);
    const [, ...results] = whileLoop(
      (i: Tensor) =>
        LogicalOr({
          x: LogicalAnd({ x: Greater({ x: delta, y: 0 }), y: Less({ x: i, y: limit }) }),
          y: LogicalAnd({ x: Less({ x: delta, y: 0 }), y: Greater({ x: i, y: limit }) }),
        }),
      (i: Tensor, ...vars: Tensor[]) => [AddV2({ x: i, y: delta }), ...afterEffects(callFunction(body, [i, ...vars]))],
      [start, ...inputs],
      {
        shapeInvariants: [start.shape, ...inputs.map((input, k) => input.shape.mostSpecificCompatibleShape(body.outputs[k].shape))],
        returnSameStructure: true,
      },
    ) as Tensor[];
    return { outputs: results, effects: results.map(result => result.op) };
  }),
});

// ---- calls with more around them ----

/** Calls a function on the device that `target` names. @throws UnimplementedError unless that is the one there is. */
export const RemoteCall = defineOp("RemoteCall", {
  inputs: { target: "string", args: "Tin" },
  outputs: { output: "Tout" },
  attrs: { Tin: attr.types(undefined, { minimum: 1 }), Tout: attr.types(undefined, { minimum: 1 }), f: attr.func() },
  stateful: true,
  shape: ({ Tout }) => Tout.map(() => TensorShape.unknown()),
  expand: calls((op, [target, ...inputs]) => {
    const value = target.op.attrs.value instanceof NDArray ? decodeText(bytesAt(target.op.attrs.value, 0)) : undefined;
    if (value === undefined || !/^(?:\/job:localhost)?(?:\/replica:0)?(?:\/task:0)?\/(?:device:)?cpu:0$/i.test(value))
      throw new UnimplementedError(
        `RemoteCall node '${op.name}' calls a function on ${value ?? "a device known while running"}; there is one device, /cpu:0.`,
        op,
      );
    return expandCall(op, op.attrs.f as FunctionRef, inputs);
  }),
});

/** Calls a function on rows that several runs have gathered; here each run's by themselves, which gives the same to functions of single rows. */
export const BatchFunction = defineOp("BatchFunction", {
  inputs: { inTensors: "Tin", capturedTensors: "Tcaptured" },
  outputs: { outTensors: "Tout" },
  attrs: {
    f: attr.func(),
    numBatchThreads: attr.int(),
    maxBatchSize: attr.int(),
    batchTimeoutMicros: attr.int(),
    maxEnqueuedBatches: attr.int(10),
    allowedBatchSizes: attr.ints([]),
    container: attr.string(""),
    sharedName: attr.string(""),
    batchingQueue: attr.string(""),
    lowPriorityMaxBatchSize: attr.int(0),
    lowPriorityBatchTimeoutMicros: attr.int(0),
    lowPriorityAllowedBatchSizes: attr.ints([]),
    lowPriorityMaxEnqueuedBatches: attr.int(0),
    mixedPriorityPolicy: attr.oneOf(
      [
        "low_priority_padding_with_max_batch_size",
        "low_priority_padding_with_next_allowed_batch_size",
        "priority_isolation",
        "priority_merge",
      ],
      "low_priority_padding_with_max_batch_size",
    ),
    batchPaddingPolicy: attr.oneOf(["PAD_UP", "BATCH_DOWN", "MINIMIZE_TPU_COST_PER_REQUEST"], "PAD_UP"),
    Tin: attr.types(undefined, { minimum: 1 }),
    Tcaptured: attr.types(undefined, { minimum: 0 }),
    Tout: attr.types(undefined, { minimum: 1 }),
    enableLargeBatchSplitting: attr.bool(false),
  },
  shape: ({ Tout }) => Tout.map(() => TensorShape.unknown()),
  expand: calls((op, inputs) => expandCall(op, op.attrs.f as FunctionRef, inputs)),
});

// ---- what stands beside functions ----

/** Stands for a value that nobody reads. */
export const FakeParam = defineOp("FakeParam", {
  inputs: {},
  outputs: { output: "dtype" },
  attrs: { dtype: attr.type(), shape: attr.shape() },
  shape: ({ shape }) => shape,
  lower: ({ shape, dtype }) =>
    ir.full(
      dtype,
      (shape.dims ?? []).map(size => size ?? 0),
      0,
    ),
});

/** Whether a scalar is other than zero or empty, or a tensor has elements. */
export const ToBool = defineOp("ToBool", {
  inputs: { input: "T" },
  outputs: { output: "bool" },
  attrs: { T: attr.type() },
  shape: () => new TensorShape([]),
  lower: ({ input }) => {
    if (input.shape.length > 0) return ir.full("bool", [], Number(!input.shape.includes(0)));
    if (input.dtype === "bool") return input;
    if (input.dtype !== "string") return ir.map(x => s.ne(x, s.constant(input.dtype, 0)), input);
    const run = ([text]: readonly NDArray[], [out]: readonly NDArray[]): void => out.set(0, bytesAt(text, 0).length > 0);
    return ir.call({ name: "ToBool", run }, [input], [{ dtype: "bool", shape: [] }])[0];
  },
});

/** Values of one type as a list of such. */
export const ListToArray = defineOp("_ListToArray", {
  inputs: { input: "Tin" },
  outputs: { output: "N*T" },
  attrs: { Tin: attr.types(undefined, { minimum: 1 }), T: attr.type(), N: attr.int(undefined, 1) },
  shape: ({ input }) => input,
  lower: ({ input }) => input,
});
export const ArrayToList = defineOp("_ArrayToList", {
  inputs: { input: "N*T" },
  outputs: { output: "outTypes" },
  attrs: { T: attr.type(), N: attr.int(undefined, 1), outTypes: attr.types(undefined, { minimum: 1 }) },
  shape: ({ input }) => input,
  lower: ({ input }) => input,
});

/** Stops the run; TensorFlow's stops its process. */
export const Abort = defineOp("Abort", {
  inputs: {},
  outputs: {},
  attrs: { errorMsg: attr.string(""), exitWithoutError: attr.bool(false) },
  shape: () => undefined,
  host: ({ errorMsg, exitWithoutError }, { name }) => {
    throw new AbortedError(exitWithoutError ? `Node '${name}' ended the program.` : errorMsg);
  },
});
