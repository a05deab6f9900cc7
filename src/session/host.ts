// Operations of the host: computed between two segments of a run, from arrays to arrays whose shapes are only known then (queues, parsing,
// codecs). They may wait; while they do, other runs of the session go on.

import { CancelledError, InternalError, InvalidArgumentError } from "../base/errors.ts";
import type { NDArray } from "../base/ndarray.ts";
import type { Device } from "../backends/device.ts";
import { checkShapes, groupByName, typesOf } from "../graph/build-operation.ts";
import type { HostObject, SideRun } from "../graph/op-definition.ts";
import { Operation, type Tensor } from "../graph/operation.ts";
import { blamed } from "../lower/blame.ts";
import { resolve, type Node, type Selection } from "../optimize/selection.ts";
import { handleSource, producersIn, sourcesOf } from "./split.ts";
import { type RunTrace, tracedCall } from "./trace.ts";

/** What a run may ask of its session. */
export interface RunContext {
  /** Awaits `work` while other runs go on. */
  aside<T>(work: Promise<T>): Promise<T>;
  /** Aborted when the session closes. */
  readonly closing: AbortSignal;
  /** What this run keeps on the host, by its handle. */
  readonly kept?: Map<Tensor, object>;
  /** Another run of the session; to be awaited aside. */
  readonly run: SideRun;
  /** Takes down what this run does, if somebody wants to know. */
  readonly trace?: RunTrace;
}

/** Operations that can run on the host next: all that wait for no other one. What may wait for other runs comes last, and together. */
export function nextHostOperations(selection: Selection): readonly Operation[] {
  if (!selection.nodes.some(node => isHost(selection, node))) return [];
  const producers = producersIn(selection);
  const behind = new Set<Node>();
  const ready: Operation[] = [];
  for (const node of selection.nodes) {
    const isBehind = sourcesOf(selection, producers, node).some(source => behind.has(source));
    if (isHost(selection, node)) {
      if (!isBehind) ready.push(node as Operation);
      behind.add(node);
    } else if (isBehind) behind.add(node);
  }
  const prompt = ready.filter(op => !op.definition.waits);
  return prompt.length > 0 ? prompt : ready;
}

const isHost = (selection: Selection, node: Node): boolean => node instanceof Operation && isOnHost(selection, node);

export const isOnHost = ({ keepsOnHost }: Selection, op: Operation): boolean =>
  op.definition.host !== undefined ||
  (keepsOnHost === true && (passesOn(op) || (op.definition.onHost !== undefined && [...op.inputs, ...op.outputs].some(livesInARun))));

/** Does an operation only hand on a list that it does not know to be one? */
const passesOn = ({ definition: { lower, onHost }, inputs: [input, ...more], outputs: [output] }: Operation): boolean =>
  lower !== undefined && onHost === undefined && more.length === 0 && input?.dtype === "variant" && output?.dtype === "variant";

/** Handles and lists. */
const livesInARun = ({ dtype, isHandle }: Tensor): boolean => isHandle || dtype === "variant";

/** The tensors among an operation's inputs that are values, with the numbers of handles that are chosen while running. */
export const valueInputs = (selection: Selection, op: Operation): readonly Tensor[] => {
  const isHandle = handlesOf(op);
  return op.inputs.flatMap((input, i) => {
    if (!isHandle[i]) return resolve(selection, input);
    const source = handleSource(selection, input);
    return isChosen(source) ? source : [];
  });
};

const isChosen = ({ dtype, isHandle }: Tensor): boolean => dtype === "resource" && !isHandle;

/** Which inputs the operation takes as handles; elsewhere a reference stands for its value. */
const handlesOf = (op: Operation): boolean[] => typesOf(op.definition, "inputs", op.attrs).map(({ isRef, isHandle }) => isRef || isHandle);

/** What made an operation's handles, where the objects have to be told inputs first. */
export const handleMakers = (op: Operation): readonly Operation[] =>
  op.inputs.filter(input => input.isHandle && input.op.inputs.length > 0).map(input => input.op);

/** An operation of the host with what its handles stand for. Results that are handles are objects. */
export interface HostCall {
  readonly op: Operation;
  run(
    values: ReadonlyMap<Tensor, NDArray>,
    signal: AbortSignal,
    context: Pick<RunContext, "kept" | "run">,
  ): readonly object[] | Promise<readonly object[]>;
}

export function hostCall(selection: Selection, op: Operation, device: Device): HostCall {
  const { definition, attrs } = op;
  const isHandle = handlesOf(op);
  const sources = new Map<Tensor, Tensor>();
  const objects = new Map<Tensor, object>();
  const chosen = new Map<Tensor, Tensor>();
  for (const [i, input] of op.inputs.entries()) {
    if (!isHandle[i]) continue;
    const source = handleSource(selection, input);
    if (isChosen(source)) chosen.set(input, source);
    else if (source.op.definition.onHost) sources.set(input, source);
    else objects.set(input, objectBehind(source, device));
  }
  const run: HostCall["run"] = (values, signal, { kept, run: sideRun }) => {
    const items = op.inputs.map(input => {
      const source = sources.get(input);
      const choice = chosen.get(input);
      if (choice) return objectBehind(makerOf(op, values.get(choice)).outputs[0], device);
      return objects.get(input) ?? (source ? kept?.get(source) : values.get(resolve(selection, input)));
    });
    const record = { ...groupByName(definition, "inputs", attrs, items), ...attrs };
    const object = ({ id, make }: HostObject): object => device.resource(id, make);
    const context = { name: op.name, op, signal, run: sideRun, object, restart: (prefix: string) => device.restart(prefix) };
    try {
      if (definition.checks)
        checkShapes(
          op,
          items.map(item => (item as NDArray).shape ?? []),
        );
      if (!definition.host) return withHandles(op, definition.onHost?.(record, context) ?? (items as object[]), kept);
      const given = definition.host(record, context);
      return given instanceof Promise ? given.then(result => listed(op, result), fail) : listed(op, given);
    } catch (error) {
      return fail(error);
    }
  };
  const fail = (error: unknown): never => {
    throw error instanceof Error ? blamed(error, op) : error;
  };
  return { op, run };
}

function withHandles({ outputs }: Operation, results: readonly object[], kept: Map<Tensor, object> | undefined): readonly object[] {
  outputs.forEach((output, i) => {
    if (output.isHandle) kept?.set(output, results[i]);
  });
  return results;
}

/** Results in order, checked against the operation's outputs. */
function listed(op: Operation, given: NDArray | readonly NDArray[] | undefined | void): readonly NDArray[] {
  const list = given === undefined ? [] : Array.isArray(given) ? (given as readonly NDArray[]) : [given as NDArray];
  const outputs = typesOf(op.definition, "outputs", op.attrs);
  if (list.length !== outputs.length || list.some((array, i) => array.dtype !== outputs[i].dtype))
    throw new InternalError(
      `${op.type} gave ${list.map(({ dtype }) => dtype).join(", ")} instead of ${outputs.map(({ dtype }) => dtype).join(", ")}.`,
    );
  return list;
}

/** What made the handle of a number; of several the first counts, as in TensorFlow. */
function makerOf({ graph, name }: Operation, numbers: NDArray | undefined): Operation {
  if (!numbers?.size) throw new InvalidArgumentError(`'${name}' takes a resource, but none is chosen.`);
  return graph.getOperations()[Number(numbers.get(0))];
}

/** The object that a handle names; a variable, which is none, is handed on as its handle. */
function objectBehind(handle: Tensor, device: Device): object {
  const { op } = handle;
  const found = op.definition.resource?.(op.attrs, op);
  return found ? device.resource(found.id, found.make) : handle;
}

/** Runs all calls at once; where one fails, those that still wait are cancelled. */
export function runTogether(
  calls: readonly HostCall[],
  values: ReadonlyMap<Tensor, NDArray>,
  context: RunContext,
): readonly (readonly object[])[] | Promise<readonly (readonly object[])[]> {
  const { aside, closing } = context;
  if (closing.aborted) throw new CancelledError("The session was closed while it ran.");
  const abort = new AbortController();
  const cancel = (): void => abort.abort();
  closing.addEventListener("abort", cancel, { once: true });
  const stop = (): void => closing.removeEventListener("abort", cancel);
  const results: (readonly object[] | Promise<readonly object[]>)[] = [];
  try {
    for (const call of calls) results.push(tracedCall(context.trace, call.op, () => call.run(values, abort.signal, context)));
  } catch (error) {
    cancel();
    stop();
    for (const result of results) if (result instanceof Promise) result.catch(() => undefined);
    throw error;
  }
  if (!results.some(result => result instanceof Promise)) {
    stop();
    return results as (readonly object[])[];
  }
  const all = Promise.all(results).catch((error: unknown) => {
    cancel();
    throw error;
  });
  return aside(all).finally(stop);
}
