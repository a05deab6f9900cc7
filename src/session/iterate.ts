// Loops that are run iteration by iteration, and branches that are chosen between segments: where something inside needs a value or a size that
// is only known while running. Each iteration is a segment of its own; its programs are those of the sizes it meets.

import type { NDArray } from "../base/ndarray.ts";
import { Operation, type Tensor } from "../graph/operation.ts";
import {
  type Case,
  inputsOf,
  isTensor,
  operationsOf,
  type StructuredCond,
  type StructuredLoop,
  type StructuredNode,
} from "../graph/structured.ts";
import { resolve, type Selection } from "../optimize/selection.ts";
import { isHandleSource, producersIn, requireKept, split } from "./split.ts";

/** The branch or loop at the top of a selection that an operation is inside of. */
export function around(selection: Selection, op: Operation): StructuredNode | undefined {
  const node = producersIn(selection).get(op);
  return node === undefined || node instanceof Operation ? undefined : node;
}

const caseOf = ({ cases }: StructuredCond, choice: number): Case => cases[choice] ?? cases[cases.length - 1];

/** What a branch does not give if this case is taken: tensors of the others that a later branch on the same predicate reads. */
export const deadIn = (cond: StructuredCond, choice: number): ReadonlySet<Tensor> =>
  new Set(cond.outputs.filter((_, k) => caseOf(cond, choice).results[k] === null));

/** A selection with the case of a branch that is known to be taken in its place. */
export function withCase(selection: Selection, cond: StructuredCond, choice: number): Selection {
  const taken = caseOf(cond, choice);
  if (taken.failure) throw taken.failure;
  const replaced = new Map(selection.replaced);
  const rename = (from: Tensor, to: Tensor): void => {
    if (from !== to) replaced.set(from, to);
  };
  for (const [inner, outer] of cond.aliases) rename(inner, outer);
  cond.outputs.forEach((output, k) => {
    const result = taken.results[k];
    if (isTensor(result)) rename(output, result);
  });
  const told = indicesOf(cond);
  const others = new Set(cond.operations);
  const ran = new Set(operationsOf(taken.nodes));
  for (const op of ran) others.delete(op);
  const predicate = cond.predicate.op;
  const entering = new Map([...cond.aliases].map(([inner, outer]) => [inner.op, { ran: new Set([outer.op]), predicate }] as const));
  return {
    ...selection,
    nodes: selection.nodes.flatMap(node => (node === cond ? [...told, ...taken.nodes] : [node])),
    targets: selection.targets.filter(target => !others.has(target)),
    replaced,
    dissolved: new Map([...(selection.dissolved ?? []), ...[...others].map(op => [op, entering.get(op) ?? { ran, predicate }] as const)]),
  };
}

export type Choices = ReadonlyMap<StructuredCond, number>;

/** The cases of branches whose predicates are known. */
export function choicesIn(selection: Selection, known: ReadonlyMap<Tensor, NDArray>): Choices {
  const choices = new Map<StructuredCond, number>();
  for (const node of selection.nodes) {
    const value = "kind" in node && node.kind === "cond" ? known.get(resolve(selection, node.predicate)) : undefined;
    if (value) choices.set(node as StructuredCond, Number(value.get(0)));
  }
  return choices;
}

/** A selection with nothing left of the cases that branches do not take. */
export const withChoices = (selection: Selection, choices: Choices): Selection => ({
  ...selection,
  nodes: selection.nodes.map(node => {
    const choice = choices.get(node as StructuredCond);
    return choice === undefined ? node : only(node as StructuredCond, choice);
  }),
});

function only(cond: StructuredCond, choice: number): StructuredCond {
  const taken = caseOf(cond, choice);
  const nothing = ({ results, failure }: Case): Case => ({ nodes: [], results: results.map(() => null), failure });
  return { ...cond, cases: cond.cases.map(each => (each === taken ? each : nothing(each))) };
}

/** What is left of a branch whose case is known: which of its inputs each Merge took. */
function indicesOf(cond: StructuredCond): StructuredCond[] {
  const isIndex = (_: unknown, k: number): boolean => cond.cases.some(({ results }) => typeof results[k] === "number");
  const outputs = cond.outputs.filter(isIndex);
  if (outputs.length === 0) return [];
  const cases = cond.cases.map(({ results }) => ({ nodes: [], results: results.filter(isIndex) }));
  return [{ ...cond, cases, outputs, aliases: new Map(), operations: new Set(outputs.map(({ op }) => op)) }];
}

/** A loop as two selections that are run in turns. */
export interface Iteration {
  /** The variables by their names inside, which both are fed with. */
  readonly current: readonly Tensor[];
  /** What both read from outside, and are fed with. */
  readonly outside: readonly Tensor[];
  /** What the variables begin with. */
  readonly initial: readonly Tensor[];
  /** Fetches whether the loop goes on, and what the body reads of it besides. */
  readonly condition: Selection;
  /** What the body is fed with of the condition's. */
  readonly crossing: readonly Tensor[];
  readonly body: Selection;
}

export function iterationOf(selection: Selection, loop: StructuredLoop): Iteration {
  const replaced = new Map(selection.replaced);
  for (const [inner, outer] of loop.aliases) if (inner !== outer) replaced.set(inner, outer);
  const current = loop.current.map(([first, ...others]) => {
    for (const other of others) replaced.set(other, first);
    return first;
  });
  const given = { ...selection, replaced };
  const handles = selection.nodes.filter(isHandleSource);
  const inside = new Set<Operation>(loop.operations);
  for (const node of [...loop.condition.nodes, ...loop.body.nodes]) for (const op of operationsOf([node])) inside.add(op);
  const read = [...loop.condition.nodes, ...loop.body.nodes].flatMap(inputsOf).concat(loop.condition.result, loop.body.results);
  const outside = new Set<Tensor>();
  const start = loop.initial.map(tensor => resolve(selection, tensor));
  for (const tensor of [...start, ...read.map(input => resolve(given, input))]) requireKept(selection, tensor, op => !inside.has(op));
  for (const tensor of read.map(input => resolve(given, input)))
    if (!current.includes(tensor) && !tensor.isRef && !tensor.isHandle && !inside.has(tensor.op)) outside.add(tensor);
  const feeds = new Set([...current, ...outside]);
  const { condition, body } = loop;
  const nodes = [...handles, ...condition.nodes, ...body.nodes];
  const isGiven = (tensor: Tensor): boolean => selection.feeds.has(tensor) && selection.earlier?.has(tensor) !== true;
  const earlier = new Set([...outside].filter(tensor => !isGiven(tensor)));
  const whole: Selection = { nodes, feeds, earlier, fetches: body.results, targets: [], replaced, keepsOnHost: selection.keepsOnHost };
  // What the condition does is done once for each time that it is asked: the body reads its results.
  const test = resolve(whole, condition.result);
  const halves = split(whole, {
    needs: [test],
    after: operationsOf(condition.nodes),
    readers: [current[0].op, ...operationsOf(body.nodes)],
  });
  const crossing = halves.crossing.filter(tensor => tensor !== test);
  return {
    current,
    outside: [...outside],
    initial: start,
    condition: { ...halves.first, fetches: [test, ...crossing] },
    crossing,
    body: { ...halves.rest, feeds: new Set([...feeds, ...crossing]) },
  };
}
