// Cutting a selection in two: what some tensors depend on, and the rest, which is fed with what crosses the cut. Effects and fetches that do not wait
// for the cut are before it, as far as variables are read and written in the same order. Resource handles are on both sides: they are names, not values.

import { UnimplementedError } from "../base/errors.ts";
import { Operation, type Tensor } from "../graph/operation.ts";
import { typesOf } from "../graph/build-operation.ts";
import { inputsOf, operationsOf } from "../graph/structured.ts";
import { NeedsKeeping } from "../lower/request.ts";
import { resolve, type Node, type Selection, switched } from "../optimize/selection.ts";

/** Where to cut. */
export interface Cut {
  /** What must be computed before. */
  readonly needs: readonly Tensor[];
  /** What must have run before. */
  readonly after?: readonly Operation[];
  /** What runs between the two; its outputs are fed to the rest. */
  readonly between?: ReadonlySet<Operation>;
  /** What stays behind, with all that waits for it; the first is blamed for what cannot be cut. */
  readonly readers: readonly Operation[];
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
export function split(selection: Selection, { needs, after = [], between = noOperations, readers }: Cut): Halves {
  const producers = producersIn(selection);
  for (const tensor of needs) requireOutside(selection, producers, tensor, readers[0]);
  const early = closure(
    selection,
    producers,
    [...needs.filter(tensor => !selection.feeds.has(tensor)).map(({ op }) => op), ...after].map(op => producers.get(op)),
  );
  const behind = new Set([...between, ...readers].flatMap(op => producers.get(op) ?? []));
  addReadersOfArrays(selection, producers, early, node => behind.has(node));
  const varying = followers(selection, producers);
  const states = addIndependent(selection, producers, early, behind, varying);
  const isEarly = (node: Node): boolean => early.has(node);
  const remembered = variablesRead(selection);
  const firstNodes = selection.nodes.filter(node => isEarly(node) || (early.size > 0 && remembered.has(node)));
  const lateNodes = selection.nodes.filter(node => (isBetween(node, between) ? false : !isEarly(node) || isHandleSource(node)));
  const late: Selection = { ...selection, nodes: lateNodes, replaced: withoutRefs(selection, firstNodes) };
  const crossing = new Set(needs.filter(tensor => !selection.feeds.has(tensor)));
  const given = new Set<Tensor>();
  // Constants are on both sides, so that the rest knows their values; so are reads of variables that stay what they are.
  const repeated = new Set<Node>();
  const cross = (input: Tensor): void => {
    const source = resolve(late, input);
    requireKept(selection, source, op => early.has(producers.get(op) as Node) && !between.has(op));
    if (selection.feeds.has(source) || source.isRef || source.isHandle) return;
    if (between.has(source.op)) given.add(source);
    const producer = producers.get(source.op);
    if (producer === undefined || !isEarly(producer)) return;
    if (isConstant(producer) || (states.isUnchangedRead(producer) && !needs.includes(source))) repeated.add(producer);
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
      earlier: new Set([...(selection.earlier ?? []), ...crossing]),
      varying: new Set([
        ...(selection.varying ?? []),
        ...[...crossing].filter(({ op }) => varying.has(producers.get(op) as Node)),
        ...[...given].filter(followsValues),
      ]),
      targets: selection.targets.filter(target => !isDone(target)),
    },
    crossing: [...crossing],
    given: [...given],
  };
}

/** The variables that earlier parts of the run read: who waits for an update sees it through the old read, and so needs the variable. */
function variablesRead(selection: Selection): ReadonlySet<Node> {
  const sources = [...(selection.earlier ?? [])].map(tensor => handleSource(selection, tensor));
  return new Set(sources.filter(({ isRef }) => isRef).map(({ op }) => op));
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
  const nodesOf = (op: Operation): Node[] => {
    const producer = producers.get(op);
    const gone = selection.dissolved?.get(op);
    const left = producer ? [producer] : [];
    if (gone === undefined) return left;
    // Inside the case that is taken nobody waits for all of it.
    const isInside = operationsOf([node]).some(each => gone.ran.has(each));
    return [...left, ...[...(isInside ? [] : gone.ran), gone.predicate].flatMap(nodesOf)];
  };
  return [...read, ...controls].flatMap(nodesOf).filter(source => source !== node);
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

/** What a node does with a variable or an object: by what names it, and whether it may change it. */
interface Access {
  readonly state: Tensor;
  readonly isWrite: boolean;
}

/** What is computed from values whose sizes vary. */
function followers(selection: Selection, producers: ReadonlyMap<Operation, Node>): ReadonlySet<Node> {
  const found = new Set<Node>();
  if (!selection.varying?.size) return found;
  const varies = (input: Tensor): boolean => selection.varying?.has(input) === true || found.has(producers.get(input.op) as Node);
  for (const node of selection.nodes) if (inputsOf(node).some(input => varies(resolve(selection, input)))) found.add(node);
  return found;
}

/** Is it as large as values say? What comes out of a queue or an iterator mostly has the size of its batch. */
const followsValues = ({ op, shape }: Tensor): boolean => !shape.isFullyDefined && !op.inputs.some(({ isHandle }) => isHandle);

/** Adds what need not wait for the cut and is wanted for itself: fetches, targets, and writes of variables; not what has other sizes in most runs, since it
 *  would be one more part to compile for each. Whatever reads or writes a variable does so
 *  in the order in which it would without a cut: a write behind a read that waits for the cut waits, too, and a read before an early write is early.
 *  What may wait for another operation of the run waits for the cut. */
function addIndependent(
  selection: Selection,
  producers: ReadonlyMap<Operation, Node>,
  early: Set<Node>,
  behind: ReadonlySet<Node>,
  varying: ReadonlySet<Node>,
): { isUnchangedRead(node: Node): boolean } {
  const accesses = new Map(selection.nodes.map(node => [node, accessesOf(selection, node)] as const));
  const accessesBy = (node: Node): readonly Access[] => accesses.get(node) ?? [];
  const late = new Set<Node>();
  const [readLate, writtenLate] = [new Set<Tensor>(), new Set<Tensor>()];
  for (const node of selection.nodes) {
    if (early.has(node)) continue;
    const waits =
      behind.has(node) ||
      operationsOf([node]).some(({ definition }) => definition.waits) ||
      sourcesOf(selection, producers, node).some(source => late.has(source)) ||
      accessesBy(node).some(({ state, isWrite }) => writtenLate.has(state) || (isWrite && readLate.has(state)));
    if (!waits) continue;
    late.add(node);
    for (const { state, isWrite } of accessesBy(node)) (isWrite ? writtenLate : readLate).add(state);
  }
  const wanted = new Set<Node | undefined>([
    ...selection.targets.map(op => producers.get(op)),
    ...selection.fetches
      .map(fetch => resolve(selection, fetch))
      .flatMap(fetch => (selection.feeds.has(fetch) ? [] : producers.get(fetch.op))),
    ...selection.nodes.filter(node => accessesBy(node).some(({ isWrite }) => isWrite)),
  ]);
  const add = (node: Node): void => {
    for (const each of closure(selection, producers, [node])) early.add(each);
  };
  for (const node of wanted) if (node !== undefined && !late.has(node) && !early.has(node) && !varying.has(node)) add(node);
  const writtenEarly = new Set<Tensor>();
  for (const node of [...selection.nodes].reverse()) {
    const isRead = accessesBy(node).some(({ state }) => writtenEarly.has(state));
    if (isRead && !late.has(node) && !early.has(node)) add(node);
    if (early.has(node)) for (const { state, isWrite } of accessesBy(node)) if (isWrite) writtenEarly.add(state);
  }
  for (const node of behind) for (const { state, isWrite } of accessesBy(node)) if (isWrite) writtenEarly.add(state);
  return {
    isUnchangedRead: node =>
      node instanceof Operation &&
      node.definition.isCopy === true &&
      node.inputs[0].isRef &&
      accessesBy(node).every(({ state }) => !writtenEarly.has(state)),
  };
}

function accessesOf(selection: Selection, node: Node): readonly Access[] {
  if (node instanceof Operation && node.inputs.length === 0) return [];
  const stateOf = (tensor: Tensor): Tensor[] => {
    // What an operation writes through a reference, and gives on, is the variable.
    let state = handleSource(selection, tensor);
    while (state.isRef && state.op.inputs[0]?.isRef) state = handleSource(selection, state.op.inputs[0]);
    return state.op.definition.onHost === undefined && !selection.feeds.has(state) ? [state] : [];
  };
  if (!(node instanceof Operation)) {
    const isWrite = operationsOf([node]).some(mayWrite);
    return inputsOf(node)
      .filter(({ isRef, isHandle }) => isRef || isHandle)
      .flatMap(stateOf)
      .map(state => ({ state, isWrite }));
  }
  return node.inputs.flatMap((input, i) =>
    input.isRef || input.isHandle ? stateOf(input).map(state => ({ state, isWrite: mayWriteInput(node, i) })) : [],
  );
}

const mayWrite = (op: Operation): boolean => op.inputs.some((_, i) => mayWriteInput(op, i));

/** An operation that takes a variable by reference writes it, unless it hands it on; one that takes a handle may, unless it says that it only reads. */
function mayWriteInput({ definition, inputs, attrs }: Operation, i: number): boolean {
  if (definition.isCopy || definition.onlyReads) return false;
  const { isRef, isHandle } = typesOf(definition, "inputs", attrs)[i];
  return (inputs[i].isRef && isRef) || (inputs[i].isHandle && isHandle && definition.stateful === true);
}

/** What a handle comes from, behind other names. */
export function handleSource(selection: Selection, handle: Tensor): Tensor {
  let source = resolve(selection, handle);
  // Of a branch that is over no Switch is left, which gave the handle another name.
  for (;;) {
    const named = source.op.definition.isCopy ? source.op.inputs[0] : source.isHandle ? switched(source) : undefined;
    if (!named) return source;
    source = resolve(selection, named);
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

const isBetween = (node: Node, between: ReadonlySet<Operation>): boolean => operationsOf([node]).some(op => between.has(op));

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

/** What an early operation wrote through a reference is read from the variable itself, and what an early branch calls by another name is what it is. */
function withoutRefs({ replaced: given }: Selection, early: readonly Node[]): ReadonlyMap<Tensor, Tensor> {
  const replaced = new Map(given);
  for (const node of early) {
    if ("kind" in node) for (const [inner, outer] of node.aliases) if (inner !== outer && node.kind === "cond") replaced.set(inner, outer);
    if (!(node instanceof Operation) || isHandleSource(node)) continue;
    for (const output of node.outputs) if (output.isRef && !output.isHandle) replaced.set(output, node.inputs[0]);
  }
  return replaced;
}
