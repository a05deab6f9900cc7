// Cutting a selection in two: what some tensors depend on, and the rest, which is fed with what crosses the cut. Resource handles are on both
// sides: they are names, not values.

import { UnimplementedError } from "../base/errors.ts";
import { Operation, type Tensor } from "../graph/operation.ts";
import { inputsOf } from "../graph/structured.ts";
import { NeedsKeeping } from "../lower/request.ts";
import { resolve, type Node, type Selection } from "../optimize/selection.ts";

/** Where to cut. */
export interface Cut {
  /** What must be computed before. */
  readonly needs: readonly Tensor[];
  /** What must have run before. */
  readonly after?: readonly Operation[];
  /** What runs between the two; its outputs are fed to the rest. */
  readonly between?: ReadonlySet<Operation>;
  /** The node to blame for what cannot be cut. */
  readonly reader: Operation;
}

export interface Halves {
  /** Fetches `needs` and whatever else the rest reads of it. */
  readonly first: Selection;
  readonly rest: Selection;
  /** What crosses, in the order of first's fetches, then the outputs of what runs between that the rest reads. */
  readonly crossing: readonly Tensor[];
  readonly given: readonly Tensor[];
}

const noOperations: ReadonlySet<Operation> = new Set();

/** @throws UnimplementedError if a needed tensor is made inside a branch or loop; NeedsKeeping. */
export function split(selection: Selection, { needs, after = [], between = noOperations, reader }: Cut): Halves {
  const producers = producersIn(selection);
  for (const tensor of needs) requireOutside(selection, producers, tensor, reader);
  const early = closure(
    selection,
    producers,
    [...needs.filter(tensor => !selection.feeds.has(tensor)).map(({ op }) => op), ...after].map(op => producers.get(op)),
  );
  addReadersOfArrays(selection, producers, early, node => isBetween(node, between) || node === producers.get(reader));
  const isEarly = (node: Node): boolean => early.has(node);
  const firstNodes = selection.nodes.filter(isEarly);
  const lateNodes = selection.nodes.filter(node => (isBetween(node, between) ? false : !isEarly(node) || isHandleSource(node)));
  const late: Selection = { ...selection, nodes: lateNodes, replaced: withoutRefs(selection, firstNodes) };
  const crossing = new Set(needs.filter(tensor => !selection.feeds.has(tensor)));
  const given = new Set<Tensor>();
  // Constants are on both sides, so that the rest knows their values.
  const repeated = new Set<Node>();
  const cross = (input: Tensor): void => {
    const source = resolve(late, input);
    requireKept(selection, source, op => early.has(producers.get(op) as Node) && !between.has(op));
    if (selection.feeds.has(source) || source.isRef || source.isHandle) return;
    if (between.has(source.op)) given.add(source);
    const producer = producers.get(source.op);
    if (producer === undefined || !isEarly(producer)) return;
    if (isConstant(producer)) repeated.add(producer);
    else crossing.add(source);
  };
  for (const node of lateNodes) for (const input of inputsOf(node)) cross(input);
  for (const fetch of selection.fetches) cross(fetch);
  const isDone = (target: Operation): boolean => {
    const producer = producers.get(target);
    return between.has(target) || (producer !== undefined && isEarly(producer));
  };
  const isLate = new Set(lateNodes);
  return {
    first: { ...selection, nodes: firstNodes, fetches: [...crossing], targets: selection.targets.filter(isDone) },
    rest: {
      ...late,
      nodes: repeated.size === 0 ? lateNodes : selection.nodes.filter(node => repeated.has(node) || isLate.has(node)),
      feeds: new Set([...selection.feeds, ...[...crossing, ...given].filter(({ op }) => !repeated.has(op))]),
      targets: selection.targets.filter(target => !isDone(target)),
    },
    crossing: [...crossing],
    given: [...given],
  };
}

/** @throws NeedsKeeping if a handle that is read comes from a part that has ended. */
export function requireKept({ keepsOnHost, feeds }: Selection, handle: Tensor, hasEnded: (op: Operation) => boolean): void {
  const lives = handle.dtype === "variant" ? !feeds.has(handle) : handle.isHandle && handle.op.definition.onHost !== undefined;
  if (!keepsOnHost && lives && hasEnded(handle.op)) throw new NeedsKeeping(handle);
}

/** The node of the selection that an operation is, or is part of. */
export function producersIn({ nodes }: Selection): ReadonlyMap<Operation, Node> {
  const producers = new Map<Operation, Node>();
  for (const node of nodes) {
    if (node instanceof Operation) producers.set(node, node);
    else for (const op of node.operations) producers.set(op, node);
  }
  return producers;
}

/** The nodes that a node waits for. */
export function sourcesOf(selection: Selection, producers: ReadonlyMap<Operation, Node>, node: Node): Node[] {
  const read = inputsOf(node)
    .map(input => resolve(selection, input))
    .filter(input => !selection.feeds.has(input))
    .map(({ op }) => op);
  const controls = node instanceof Operation ? node.controlInputs : [...node.operations].flatMap(op => op.controlInputs);
  return [...read, ...controls].flatMap(op => producers.get(op) ?? []).filter(source => source !== node);
}

function closure(selection: Selection, producers: ReadonlyMap<Operation, Node>, roots: readonly (Node | undefined)[]): Set<Node> {
  const found = new Set<Node>();
  const stack = [...roots];
  while (stack.length > 0) {
    const next = stack.pop();
    if (next === undefined || found.has(next)) continue;
    found.add(next);
    stack.push(...sourcesOf(selection, producers, next));
  }
  return found;
}

/** What lives inside one run (an array of tensors) is read where it was filled, as far as that needs nothing that comes later. */
function addReadersOfArrays(
  selection: Selection,
  producers: ReadonlyMap<Operation, Node>,
  early: Set<Node>,
  isLater: (node: Node) => boolean,
): void {
  const isEarlyArray = (input: Tensor): boolean => {
    const producer = producers.get(resolve(selection, input).op);
    return input.isHandle && producer !== undefined && early.has(producer) && !isHandleSource(producer);
  };
  for (const node of selection.nodes) {
    if (early.has(node) || !inputsOf(node).some(isEarlyArray)) continue;
    const needed = closure(selection, producers, [node]);
    if (![...needed].some(isLater)) for (const each of needed) early.add(each);
  }
}

function requireOutside({ feeds }: Selection, producers: ReadonlyMap<Operation, Node>, tensor: Tensor, reader: Operation): void {
  const producer = producers.get(tensor.op);
  const isInside =
    producer !== undefined &&
    !(producer instanceof Operation) &&
    !(producer.kind === "cond" ? producer.outputs : producer.exits).includes(tensor);
  if (feeds.has(tensor) || (producer !== undefined && !isInside)) return;
  throw new UnimplementedError(
    `${reader.type} node '${reader.name}' inside a branch or loop needs a size that is only known while running.\n\nMake the size a constant, or compute it outside.`,
    reader,
  );
}

const isBetween = (node: Node, between: ReadonlySet<Operation>): boolean =>
  node instanceof Operation ? between.has(node) : [...node.operations].some(op => between.has(op));

/** Without anything that it depends on, and the same in every run. */
const isConstant = (node: Node): boolean =>
  node instanceof Operation &&
  !node.definition.stateful &&
  node.inputs.length === 0 &&
  node.controlInputs.length === 0 &&
  node.outputs.every(output => !output.isRef && !output.isHandle);

export const isHandleSource = (node: Node): boolean =>
  node instanceof Operation &&
  (node.definition.resource !== undefined || (node.inputs.length === 0 && node.outputs.some(output => output.isRef || output.isHandle)));

/** What an early operation wrote through a reference is read from the variable itself. */
function withoutRefs({ replaced: given }: Selection, early: readonly Node[]): ReadonlyMap<Tensor, Tensor> {
  const replaced = new Map(given);
  for (const node of early) {
    if (!(node instanceof Operation) || isHandleSource(node)) continue;
    for (const output of node.outputs) if (output.isRef && !output.isHandle) replaced.set(output, node.inputs[0]);
  }
  return replaced;
}
