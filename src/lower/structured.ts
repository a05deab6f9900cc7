// Structured control flow → branch and loop. Variables written inside are carried out as extra results, so state stays a value.

import { InvalidArgumentError } from "../base/errors.ts";
import { NDArray } from "../base/ndarray.ts";
import { sameShape } from "../base/shape.ts";
import { Operation, type Tensor } from "../graph/operation.ts";
import { inputsOf, operationsOf, type StructuredCond, type StructuredLoop, type StructuredNode } from "../graph/structured.ts";
import { branch, cast, check, full, loop, moment, NeedsUnrolling, NeedsUnrollingThroughout, region } from "../ir/build.ts";
import type { Region, State, Value } from "../ir/program.ts";
import { s } from "../ir/scalar.ts";
import { blamed } from "./blame.ts";
import type { Lowering, StateEntry } from "./index.ts";
import { type LoweringNode, NeedsHost, NeedsIterating, NeedsUnrolled, NeedsValue } from "./request.ts";

export const lowerStructured = (lowering: Lowering, node: StructuredNode): void =>
  node.kind === "cond" ? lowerCond(lowering, node) : lowerLoop(lowering, node);

function lowerCond(lowering: Lowering, node: StructuredCond): void {
  const { predicate, cases, outputs, aliases } = node;
  // The handle of an array or a variable stays what it was inside, for a later conditional on the same choice; what it holds goes by its state.
  const isObject = (result: Tensor): boolean =>
    result.isHandle && outputs.includes(result) && lowering.binding(result).handle !== undefined;
  // What belongs to a case that is known not to be taken was never lowered, and is not read.
  for (const [inner, outer] of aliases) if (lowering.has(outer)) lowering.alias(inner, outer);
  const known = lowering.known(predicate);
  if (known && known.rank > 0) throw notScalar(node, known.shape);
  if (known) return lowerKnownCase(lowering, node, Number(known.get(0)));
  const chosen = lowering.value(predicate);
  if (chosen.shape.length > 0) throw notScalar(node, chosen.shape);
  const choice = cast(chosen, "int32");
  const before = new Map(lowering.current);
  const written: Map<string, StateEntry>[] = [];
  const found: (Value | undefined)[][] = [];
  const regions = cases.map(({ nodes, results, failure }) =>
    region([], () => {
      restore(lowering, before);
      if (failure) check([], () => s.constant("bool", 0), { label: "fetch without value", reads: [], error: () => failure });
      for (const inner of nodes) lowering.node(inner);
      found.push(
        results.map(result => {
          if (typeof result === "number") return full("int32", [], result);
          return result === null || !lowering.has(result) || isObject(result) ? undefined : lowering.value(result);
        }),
      );
      written.push(changes(lowering, before));
      return [];
    }),
  );
  restore(lowering, before);
  // A result that no case computed was made under a choice known to be otherwise: nobody reads it.
  const kept = outputs.map((tensor, k) => ({ tensor, k })).filter(({ k }) => found.some(values => values[k] !== undefined));
  const filled = outputs.map((_, k) => fillerFor(found.map(values => values[k])));
  outputs.forEach((tensor, k) => {
    if (tensor.dtype !== "variant") return;
    const lists = found.flatMap(values => values[k] ?? []);
    requireLowered(lists, tensor.op);
    lowering.settleAlike(lists);
  });
  requireEqualShapes(node, found);
  const states = new Map(written.flatMap(entries => [...entries].map(([id, { state }]) => [id, state] as const)));
  // A variable without a value keeps none in a case that does not write it: then the case has to be chosen first.
  for (const [id, state] of states)
    if (!lowering.isHeld(state) && !written.every(entries => entries.has(id))) throw new NeedsHost([...node.operations][0]);
  // A state that only one case writes keeps its old value in the others: read it before branching.
  const old = new Map([...states].map(([id, state]) => [id, lowering.stateValue(state)] as const));
  requireEqualStates(node, written, old);
  const complete: Region[] = regions.map((given, c) => ({
    ...given,
    results: [
      ...kept.map(({ k }) => found[c][k] ?? (filled[k] as Value)),
      ...[...states.keys()].map(id => written[c].get(id)?.value ?? (old.get(id) as Value)),
    ],
  }));
  const outs = branch(choice, complete);
  kept.forEach(({ tensor, k }, at) => {
    // What was made inside and is known there stays known outside.
    const isKnown = cases.some(({ results }) => results[k] === tensor) && lowering.known(tensor) !== undefined;
    if (!isKnown) lowering.bind(tensor, { value: outs[at] });
    for (const values of found) if (values[k]) lowering.followList(values[k], outs[at]);
  });
  [...states.values()].forEach((state, k) => void lowering.assign(state, outs[kept.length + k]));
}

/** @throws NeedsHost for objects of the host (datasets, lists that are kept there): no value of the Program stands for one. */
function requireLowered(values: readonly Value[], op: Operation): void {
  if (values.some(({ dtype }) => dtype === "variant")) throw new NeedsHost(op);
}

/** TensorFlow's complaint, by the node that takes the choice. */
export function notScalar({ operations, predicate }: StructuredCond, shape: readonly number[]): Error {
  const error = new InvalidArgumentError(`The second input must be a scalar, but it has shape [${shape}]`);
  const taker = [...operations].find(op => op.inputs.includes(predicate));
  return taker ? blamed(error, taker) : error;
}

/** A choice that is known while compiling: the case taken becomes part of what is around it. */
function lowerKnownCase(lowering: Lowering, { cases, outputs }: StructuredCond, choice: number): void {
  const { nodes, results, failure } = cases[choice];
  if (failure) throw failure;
  for (const inner of nodes) lowering.node(inner);
  outputs.forEach((output, k) => {
    const result = results[k];
    if (typeof result === "number") lowering.bind(output, { known: NDArray.from(result, "int32") });
    else if (result !== null && lowering.has(result)) lowering.alias(output, result);
  });
}

/** @throws NeedsValue if the cases' results differ in shape: which it is must be known to compile. */
function requireEqualShapes({ predicate, outputs }: StructuredCond, found: readonly (readonly (Value | undefined)[])[]): void {
  outputs.forEach((output, k) => {
    const shapes = new Set(found.flatMap(values => values[k]?.shape.join() ?? []));
    if (shapes.size > 1) throw new NeedsValue(predicate, output.op, "pred");
  });
}

/** @throws NeedsValue if a variable has another shape after one case than after another. */
function requireEqualStates(
  { predicate, operations }: StructuredCond,
  written: readonly ReadonlyMap<string, StateEntry>[],
  old: ReadonlyMap<string, Value>,
): void {
  for (const [id, before] of old)
    if (new Set(written.map(entries => (entries.get(id)?.value ?? before).shape.join())).size > 1)
      throw new NeedsValue(predicate, [...operations][0], "pred");
}

/** What stands for a result that a case does not have: zeros of the shape it has in another. */
function fillerFor(values: readonly (Value | undefined)[]): Value | undefined {
  const like = values.find(value => value !== undefined);
  return like === undefined || !values.includes(undefined) ? undefined : full(like.dtype, like.shape, 0);
}

function lowerLoop(lowering: Lowering, node: StructuredLoop): void {
  // What is kept on the host is not there, and is not read.
  for (const [inner, outer] of node.aliases) if (lowering.has(outer)) lowering.alias(inner, outer);
  if (lowering.unrolled.has(node)) return unroll(lowering, node);
  const before = new Map(lowering.current);
  try {
    lowerAsLoop(lowering, node);
    for (const exit of node.exits) if (exit) lowering.loopExits.set(exit, node);
  } catch (error) {
    if (error instanceof NeedsUnrollingThroughout) throw new NeedsUnrolled(node);
    // What is refused in a body is not seen where there is no iteration.
    const isRefused = error instanceof InvalidArgumentError;
    if (!(isRefused || error instanceof NeedsUnrolling || (error instanceof NeedsValue && node.operations.has(error.tensor.op))))
      throw error;
    restore(lowering, before);
    try {
      unroll(lowering, node, error);
    } catch (other) {
      throw isRefused ? error : other;
    }
  }
}

function lowerAsLoop(lowering: Lowering, node: StructuredLoop): void {
  requireLowered(
    node.initial.map(tensor => lowering.value(tensor)),
    node.current[0][0].op,
  );
  const states = statesWritten(lowering, node);
  // A variable without a value has none to begin the loop with: then it is filled, or not, while the loop runs.
  if (states.some(state => !lowering.isHeld(state))) throw new NeedsHost(node.current[0][0].op);
  const { condition, body } = node;
  const first = node.initial.map(tensor => lowering.value(tensor));
  const isAskedOnce = operationsOf(condition.nodes).some(hasEffect);
  const crossing = isAskedOnce ? crossingIn(lowering, node) : [];
  const name = (values: readonly Value[]): void =>
    node.current.forEach((names, k) => {
      lowering.followList(first[k], values[k]);
      for (const tensor of names) lowering.bind(tensor, { value: values[k] });
    });
  const lowerAll = (nodes: readonly LoweringNode[]): void => nodes.forEach(inner => void lowering.node(inner));
  const ask = (values: readonly Value[]): Value[] => {
    name(values);
    lowerAll(condition.nodes);
    return crossing.map(tensor => lowering.value(tensor));
  };
  // An effect of the condition happens once for each time that it is asked: before the loop, then at the end of each iteration.
  const answers = isAskedOnce ? ask(first) : [];
  const initial = [...first, ...answers, ...states.map(state => lowering.stateValue(state))];
  const before = new Map(lowering.current);
  const enter = (params: readonly Value[]): void => {
    restore(lowering, before);
    name(params);
    crossing.forEach((tensor, k) => void lowering.bind(tensor, { value: params[first.length + k] }));
    states.forEach((state, k) => void lowering.assign(state, params[first.length + answers.length + k]));
  };
  const test = region(initial, (...params) => {
    enter(params);
    if (!isAskedOnce) lowerAll(condition.nodes);
    return [lowering.value(condition.result)];
  });
  const iteration = region(initial, (...params) => {
    enter(params);
    if (!isAskedOnce) lowerAll(condition.nodes);
    lowerAll(body.nodes);
    const next = body.results.map((tensor, k) => {
      const value = lowering.value(tensor);
      if (tensor.dtype === "variant") lowering.settleAlike([initial[k], value]);
      return checkedNext(value, initial[k], node.initial[k].name);
    });
    const asked = isAskedOnce ? ask(next).map((value, k) => checkedNext(value, answers[k], crossing[k].name)) : [];
    const held = states.map((state, k) => checkedNext(lowering.stateValue(state), initial[next.length + asked.length + k], state.id));
    return [...next, ...asked, ...held];
  });
  restore(lowering, before);
  const outs = loop(initial, test, iteration);
  node.exits.forEach((tensor, k) => {
    lowering.followList(initial[k], outs[k]);
    if (tensor !== undefined) lowering.bind(tensor, { value: outs[k] });
  });
  states.forEach((state, k) => void lowering.assign(state, outs[first.length + answers.length + k]));
}

/** Does it matter how often the operation is computed? */
const hasEffect = ({ definition, inputs }: Operation): boolean =>
  definition.stateful === true || (!definition.isCopy && inputs.some(({ isRef }) => isRef));

/** Whether a loop goes on, and what its body reads of the condition besides. */
function crossingIn({ request }: Lowering, { condition, body }: StructuredLoop): Tensor[] {
  const made = new Set(operationsOf(condition.nodes));
  const read = [...body.nodes.flatMap(inputsOf), ...body.results].map(tensor => request.resolve(tensor));
  const crossing = read.filter(({ op, isRef, isHandle }) => made.has(op) && !isRef && !isHandle);
  return [...new Set([request.resolve(condition.result), ...crossing])];
}

function checkedNext(next: Value, initial: Value, name: string): Value {
  if (sameShape(next.shape, initial.shape)) return next;
  throw new NeedsUnrolling(`Loop variable ${name} changes its shape from [${initial.shape}] to [${next.shape}] while looping.`);
}

/** Iterations that a loop is unrolled for at most. */
const mostUnrolled = 1024;

/** One iteration after the other, for loops whose iterations differ in what has to be known while compiling. The condition has to be known then.
 *  @throws NeedsValue if it is not, but would be with a value from outside; NeedsUnrolled if it would be with the results of another loop; NeedsIterating otherwise. */
function unroll(lowering: Lowering, node: StructuredLoop, reason?: Error): void {
  const bindings = (tensors: readonly Tensor[]) => tensors.map(tensor => lowering.binding(tensor));
  let values = bindings(node.initial);
  for (let iteration = 0; ; iteration++) {
    node.current.forEach((names, k) => {
      for (const tensor of names) lowering.bind(tensor, values[k]);
    });
    for (const inner of node.condition.nodes) lowering.node(inner);
    const goesOn = lowering.known(node.condition.result);
    if (goesOn === undefined || iteration === mostUnrolled) throw whatUnrollingNeeds(lowering, node) ?? new NeedsIterating(node, reason);
    if (!goesOn.get(0)) break;
    for (const inner of node.body.nodes) lowering.node(inner);
    values = bindings(node.body.results);
  }
  node.exits.forEach((exit, k) => {
    if (exit !== undefined) lowering.bind(exit, values[k]);
  });
}

/** The loop, or the value from outside, that the condition waits for. */
function whatUnrollingNeeds(lowering: Lowering, node: StructuredLoop): Error | undefined {
  for (const inner of node.condition.nodes) {
    if (!(inner instanceof Operation)) continue;
    for (const input of inner.inputs.map(tensor => lowering.request.resolve(tensor))) {
      const variable = node.current.findIndex(names => names.includes(input));
      const outer = variable >= 0 ? lowering.request.resolve(node.initial[variable]) : node.aliases.get(input);
      if (outer === undefined || !lowering.has(outer) || lowering.known(outer) || outer.isHandle) continue;
      const loop = lowering.loopExits.get(outer);
      if (loop) return new NeedsUnrolled(loop);
      if (outer.dtype === "int32" || outer.dtype === "int64") return new NeedsValue(outer, inner, "condition");
    }
  }
  return undefined;
}

/** The states a loop's body writes and hands on, found by a trial lowering whose steps are thrown away. What an iteration makes ends with it. */
function statesWritten(lowering: Lowering, node: StructuredLoop): State[] {
  const before = new Map(lowering.current);
  const found = new Map<string, State>();
  const start = moment();
  const initial = node.initial.map(tensor => lowering.value(tensor));
  region(initial, (...params) => {
    node.current.forEach((names, k) => {
      lowering.followList(initial[k], params[k]);
      for (const tensor of names) lowering.bind(tensor, { value: params[k] });
    });
    for (const inner of [...node.condition.nodes, ...node.body.nodes]) lowering.node(inner);
    for (const [id, { state }] of changes(lowering, before)) if (!(state.since !== undefined && state.since >= start)) found.set(id, state);
    return [];
  });
  restore(lowering, before);
  return [...found.values()];
}

function restore(lowering: Lowering, states: ReadonlyMap<string, StateEntry>): void {
  lowering.current.clear();
  for (const [id, entry] of states) lowering.current.set(id, entry);
}

/** States whose value differs from `before` because they were written (not merely read). */
function changes(lowering: Lowering, before: ReadonlyMap<string, StateEntry>): Map<string, StateEntry> {
  return new Map([...lowering.current].filter(([id, { value, isWritten }]) => isWritten && before.get(id)?.value !== value));
}
