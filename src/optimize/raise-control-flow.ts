// From TensorFlow 1's control flow nodes to structure: the nodes of a loop's frame become one StructuredLoop, the nodes that a Switch on one
// predicate guards become one StructuredCond. Works on any graph of that form, imported ones too: nothing but nodes and edges is looked at.
//
// Loops first: a node belongs to the frame its inputs are in; Enter goes into a frame, Exit out of it. Then, level by level, conditionals: every
// node has a guard, the set of (predicate, side) under which it is alive; a Merge joins two sides again. Nodes of one predicate are collected by
// stage (the number of joins they come after), since a later conditional on the same predicate may depend on an earlier one's result.

import { type InvalidArgumentError, UnimplementedError } from "../base/errors.ts";
import { NDArray } from "../base/ndarray.ts";
import { Operation, type Tensor } from "../graph/operation.ts";
import { noValue, type StructuredCond, type StructuredLoop } from "../graph/structured.ts";
import { staticValue } from "../graph/static-value.ts";
import { isQuestion } from "../ops/flow/control-flow-gradients.ts";
import { isEnter, isExit, isLoopCond, isMerge, isNext, isSwitch } from "../ops/flow/control-flow.ts";
import { type Node, resolve, type Selection } from "./selection.ts";

const isCopy = (op: Operation): boolean => op.definition.isCopy === true || (isEnter(op) && op.attrs.isConstant === true);
const isConst = (op: Operation): boolean => op.attrs.value instanceof NDArray;
const isRaw = (op: Operation): boolean => isSwitch(op) || isMerge(op) || isEnter(op);

/** The same selection with structured nodes in place of raw control flow. */
export function raiseControlFlow(selection: Selection): Selection {
  const ops = selection.nodes.filter(node => node instanceof Operation);
  if (!ops.some(isRaw)) return selection;
  const raiser = new Raiser(selection);
  const nodes = raiser.structure(raiser.items(raiser.withoutGates(ops)), always);
  return { ...selection, nodes, fetches: raiser.fetches, replaced: new Map([...raiser.replaced, ...outerNames(nodes)]) };
}

/** What Switches give other names: a branch on the same predicate may read them in a part of the run without the branch that has them. */
const names = (nodes: readonly Node[]): [Tensor, Tensor][] =>
  nodes.flatMap(node => {
    if (!("kind" in node)) return [];
    if (node.kind === "loop") return names([...node.condition.nodes, ...node.body.nodes]);
    return [...node.aliases, ...names(node.cases.flatMap(each => each.nodes))];
  });

/** Those of what is outside all branches and loops. */
function outerNames(nodes: readonly Node[]): [Tensor, Tensor][] {
  const known = new Map(names(nodes));
  const inside = new Set(nodes.flatMap(node => ("kind" in node ? [...node.operations] : [])));
  return [...known.keys()]
    .map((name): [Tensor, Tensor] => [name, resolve({ replaced: known }, name)])
    .filter(([, tensor]) => !inside.has(tensor.op));
}

/** A loop's nodes, apart from those of loops inside it. */
interface Frame {
  readonly name: string;
  readonly parent: Frame | null;
  readonly ops: Operation[];
  readonly children: Frame[];
}

/** What a level is made of: an operation, or a whole loop. */
interface Item {
  readonly order: number;
  readonly op?: Operation;
  readonly loop?: Frame;
  readonly reads: readonly Tensor[];
  readonly controls: readonly Operation[];
  readonly operations: readonly Operation[];
}

type Side = 0 | 1;
/** Predicates and the sides of them that must be taken. */
type Guard = ReadonlyMap<Tensor, Side>;
const always: Guard = new Map();
/** Whether nothing but what `path` says is asked. */
const isWithin = (guard: Guard, path: Guard): boolean => [...guard.keys()].every(predicate => path.has(predicate));

class Raiser {
  private readonly selection: Selection;
  /** The selection's replacements, and those of Switches whose side is decided around the loop they are in. */
  readonly replaced: Map<Tensor, Tensor>;
  private readonly exits = new Map<Tensor, Frame>();
  readonly fetches: readonly Tensor[];

  /** Where a loop waits for what comes out of it: initial values that do not wait here, and Enters (with copies of theirs) that are left out. */
  private readonly late: ReadonlySet<Operation>;

  constructor(selection: Selection) {
    this.replaced = new Map(selection.replaced);
    this.selection = { ...selection, replaced: this.replaced };
    this.fetches = selection.fetches.map(fetch => this.beforeLoop(fetch));
    this.late = new Set(this.lateOperations());
  }

  /** A gradient adds a counter to a loop that is already there. Made under control dependencies on what that loop gave (statistics of a batch normalization
   *  behind an RNN, as UPDATE_OPS ask for), it waits for the end of its own loop, at its first value and again inside. TensorFlow runs the variables of a
   *  loop one by one, so others are not held up; here a loop is one node, and the counter waits for nothing. */
  private lateOperations(): Operation[] {
    const readers = new Map<Operation, Operation[]>();
    for (const node of this.selection.nodes)
      if (node instanceof Operation) for (const { op } of this.inputs(node)) readers.set(op, [...(readers.get(op) ?? []), node]);
    const readersOf = (op: Operation): readonly Operation[] => readers.get(op) ?? [];
    return [...readers.keys()].flatMap(op => {
      if (isEnter(op)) {
        const gates = readersOf(op);
        const isGate = gates.every(gate => isCopy(gate) && readersOf(gate).length === 0);
        return isGate && this.follows(op, op) ? [op, ...gates] : [];
      }
      const isStart = op.inputs.length === 0 && op.controlInputs.length > 0 && !op.definition.stateful && readersOf(op).every(isEnter);
      return isStart && readersOf(op).some(enter => this.follows(op, enter)) ? [op] : [];
    });
  }

  /** Whether an operation waits for the loop that an Enter leads into. */
  private follows(op: Operation, enter: Operation): boolean {
    const seen = new Set<Operation>();
    // Not around a loop: what an earlier iteration gave is there.
    const sources = (of: Operation): Operation[] => [
      ...this.inputs(of).flatMap(input => (this.isFed(input) || (isMerge(of) && isNext(input.op)) ? [] : input.op)),
      ...of.controlInputs,
    ];
    const stack = sources(op);
    for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
      if (seen.has(next)) continue;
      seen.add(next);
      if (isEnter(next) && next.attrs.frameName === enter.attrs.frameName) return true;
      stack.push(...sources(next));
    }
    return false;
  }

  /** What is left of a run's operations. */
  withoutGates(ops: readonly Operation[]): Operation[] {
    return ops.filter(op => !this.late.has(op) || op.inputs.length === 0);
  }

  private controls(op: Operation): readonly Operation[] {
    return this.late.has(op) ? [] : op.controlInputs;
  }

  private read(tensor: Tensor): Tensor {
    return resolve(this.selection, tensor);
  }

  /** A Switch's predicate by its first name: copies of it, and what brings it into a loop, are the same. */
  private predicateOf(op: Operation): Tensor {
    let predicate = this.read(op.inputs[1]);
    while (isCopy(predicate.op) && !this.isFed(predicate)) predicate = this.read(predicate.op.inputs[0]);
    return predicate;
  }

  private isFed(tensor: Tensor): boolean {
    return this.selection.feeds.has(tensor);
  }

  /** What enters a loop can be fetched, and is there without the loop. */
  private beforeLoop(fetch: Tensor): Tensor {
    const tensor = this.read(fetch);
    return isEnter(tensor.op) && !this.isFed(tensor) ? this.beforeLoop(tensor.op.inputs[0]) : tensor;
  }

  private inputs(op: Operation): Tensor[] {
    return op.inputs.map(input => this.read(input));
  }

  // ---- frames ----

  /** The outermost level: operations outside all loops, and the outermost loops. */
  items(ops: readonly Operation[]): Item[] {
    const present = new Set(ops);
    const ordered = forwardOrder(ops, op => this.sources(op, present));
    const frames = new Map<Operation, Frame | null>();
    const known = new Map<string, Frame>();
    const outside: Operation[] = [];
    const roots: Frame[] = [];
    for (const op of ordered) {
      const around = this.frameOfInputs(op, frames, present);
      const frame = isEnter(op) ? this.enterFrame(op, around, known, roots) : around;
      frames.set(op, frame);
      if (frame === null) outside.push(op);
      else frame.ops.push(op);
      if (isExit(op) && frame) this.exits.set(op.outputs[0], frame);
    }
    return this.level(
      outside,
      roots.filter(loop => loop.ops.some(isLoopCond)),
    );
  }

  /** Data and control sources among the operations present; the edge that closes a loop is not one. */
  private sources(op: Operation, present: ReadonlySet<Operation>): Operation[] {
    const data = this.inputs(op)
      .filter(input => !this.isFed(input))
      .map(input => input.op)
      .filter(source => !(isMerge(op) && isNext(source)));
    return [...data, ...this.controls(op)].filter(source => present.has(source));
  }

  private frameOfInputs(op: Operation, frames: ReadonlyMap<Operation, Frame | null>, present: ReadonlySet<Operation>): Frame | null {
    let deepest: Frame | null = null;
    for (const source of this.sources(op, present)) {
      const frame = frames.get(source) ?? null;
      const outward = isExit(source) ? (frame?.parent ?? null) : frame;
      if (depth(outward) > depth(deepest)) deepest = outward;
    }
    return deepest;
  }

  private enterFrame(op: Operation, parent: Frame | null, known: Map<string, Frame>, roots: Frame[]): Frame {
    const name = String(op.attrs.frameName);
    const key = `${parent?.name ?? ""} ${name}`;
    let frame = known.get(key);
    if (!frame) {
      frame = { name, parent, ops: [], children: [] };
      known.set(key, frame);
      (parent ? parent.children : roots).push(frame);
    }
    return frame;
  }

  private level(ops: readonly Operation[], loops: readonly Frame[]): Item[] {
    const plain = ops.map((op, order): Item => ({ order, op, reads: this.inputs(op), controls: this.controls(op), operations: [op] }));
    const looped = loops.map((loop, k): Item => {
      const operations = operationsOf(loop);
      const inner = new Set(operations);
      // A constant may be read inside without an Enter.
      const reads = [...new Set(operations.flatMap(op => this.inputs(op).filter(input => this.isFed(input) || !inner.has(input.op))))];
      const controls = operations.flatMap(op => op.controlInputs.filter(control => !inner.has(control)));
      return { order: ops.length + k, loop, reads, controls, operations };
    });
    return [...plain, ...looped];
  }

  // ---- loops ----

  private loopNode(frame: Frame, path: Guard): StructuredLoop {
    const condition = frame.ops.find(isLoopCond) as Operation;
    const merges = frame.ops.filter(op => isMerge(op) && this.inputs(op).some(input => isNext(input.op)));
    const variables = merges.map(merge => this.variable(frame, merge, condition));
    const leaving = new Set(frame.ops.filter(isExit).flatMap(exit => this.wayToExit(exit, condition)));
    const structural = new Set(
      frame.ops.filter(
        op => merges.includes(op) || leaving.has(op) || isEnter(op) || isNext(op) || isLoopCond(op) || this.isLoopSwitch(op, condition),
      ),
    );
    const rest = this.level(
      frame.ops.filter(op => !structural.has(op) && !this.settle(op, path)),
      frame.children,
    );
    const [before, after] = this.splitAtCondition(rest, this.inputs(condition)[0]);
    const aliases = new Map(
      frame.ops.filter(op => isEnter(op) && op.attrs.isConstant === true).map(op => [op.outputs[0], this.inputs(op)[0]] as const),
    );
    return {
      kind: "loop",
      name: frame.name,
      initial: variables.map(({ initial }) => initial),
      current: variables.map(({ current }) => current),
      condition: { nodes: this.structure(before, path), result: this.inputs(condition)[0] },
      body: { nodes: this.structure(after, path), results: variables.map(({ next }) => next) },
      exits: variables.map(({ exit }) => exit),
      aliases,
      operations: new Set(operationsOf(frame)),
    };
  }

  /** Whether the side of a Switch is already decided: the loop itself is only there if it is taken. Its data then stand for the result. */
  private settle(op: Operation, path: Guard): boolean {
    const side = isSwitch(op) ? path.get(this.predicateOf(op)) : undefined;
    if (side === undefined) return false;
    this.replaced.set(op.outputs[side], this.inputs(op)[0]);
    return true;
  }

  /** An Exit, and the copies between it and the Switch of its loop variable: gates of gradients put them there. */
  private wayToExit(exit: Operation, condition: Operation): Operation[] {
    const way = [exit];
    let from = this.inputs(exit)[0];
    while (isCopy(from.op) && !this.isFed(from)) {
      way.push(from.op);
      from = this.inputs(from.op)[0];
    }
    return this.isLoopSwitch(from.op, condition) ? way : [exit];
  }

  private isLoopSwitch(op: Operation, condition: Operation): boolean {
    return isSwitch(op) && this.inputs(op)[1].op === condition;
  }

  private variable(
    frame: Frame,
    merge: Operation,
    condition: Operation,
  ): { initial: Tensor; current: Tensor[]; next: Tensor; exit: Tensor | undefined } {
    const inputs = this.inputs(merge);
    const enter = inputs.find(input => isEnter(input.op))?.op;
    const next = inputs.find(input => isNext(input.op))?.op;
    if (!enter || !next)
      throw new UnimplementedError(`The Merge '${merge.name}' of loop '${frame.name}' does not join an Enter and a NextIteration.`);
    const switches = frame.ops.filter(op => this.isLoopSwitch(op, condition) && this.inputs(op)[0] === merge.outputs[0]);
    const leaving = frame.ops.find(op => {
      const last = isExit(op) ? this.wayToExit(op, condition).at(-1) : undefined;
      return last !== undefined && switches.includes(this.inputs(last)[0].op);
    });
    return {
      initial: this.inputs(enter)[0],
      current: [merge.outputs[0], ...switches.map(op => op.outputs[1])],
      next: this.inputs(next)[0],
      exit: leaving?.outputs[0],
    };
  }

  /** What the condition needs, and everything else. */
  private splitAtCondition(items: readonly Item[], result: Tensor): [Item[], Item[]] {
    const producer = producers(items);
    const needed = new Set<Item>();
    const stack = [producer.get(result.op)];
    for (let item = stack.pop(); stack.length > 0 || item !== undefined; item = stack.pop()) {
      if (item === undefined || needed.has(item)) continue;
      needed.add(item);
      for (const source of [...item.reads.map(tensor => tensor.op), ...item.controls]) stack.push(producer.get(source));
    }
    return [items.filter(item => needed.has(item)), items.filter(item => !needed.has(item))];
  }

  // ---- conditionals ----

  /** The nodes of one level in order, conditionals and loops among them as one node each. */
  structure(items: readonly Item[], path: Guard): Node[] {
    const flow = this.flowOf(items);
    if (flow.dead.size + flow.passed.size === 0) return this.branch(flow, items, path);
    const living = this.withoutDead(flow, items);
    return this.branch(this.flowOf(living), living, path);
  }

  private flowOf(items: readonly Item[]): GuardedFlow {
    return new GuardedFlow(
      items,
      this.fetches.map(fetch => this.read(fetch)),
      tensor => this.read(tensor),
      tensor => this.isFed(tensor),
      op => this.predicateOf(op),
    );
  }

  /** The items that may run and do something. Gradients made under control dependencies on one side of a conditional (UPDATE_OPS of a batch
   *  normalization inside `tf.cond`) are on that side: what they choose there has been chosen, and of what they merge one input is alive. */
  private withoutDead(flow: GuardedFlow, items: readonly Item[]): Item[] {
    for (const [index, fetch] of this.fetches.entries())
      if (flow.isDead(this.read(fetch)))
        throw noValue(
          fetch,
          index,
          "waits for both sides of a conditional, so that it never runs: ask for it without control dependencies on one of them.",
        );
    for (const [output, input] of flow.passed) this.replaced.set(output, input);
    const passed = new Map([...flow.passed].map(([output, input]) => [output.op, input.op]));
    const follow = (op: Operation): Operation => {
      let at = op;
      for (let next = passed.get(at); next !== undefined; next = passed.get(at)) at = next;
      return at;
    };
    return items
      .filter(item => !flow.dead.has(item) && !(item.op && passed.has(item.op)))
      .map(item => ({ ...item, reads: item.reads.map(tensor => this.read(tensor)), controls: item.controls.map(follow) }));
  }

  /** The nodes of a branch that is taken under `path`. */
  private branch(flow: GuardedFlow, items: readonly Item[], path: Guard): Node[] {
    return flow
      .groups(items, path)
      .map(group => (isConditional(group) ? this.condNode(flow, group, path) : this.single(group.items[0], path)));
  }

  private single(item: Item, path: Guard): Node {
    return item.op ?? this.loopNode(item.loop as Frame, path);
  }

  private condNode(flow: GuardedFlow, { predicate, items }: Conditional, path: Guard): StructuredCond {
    const joins = items.filter(item => flow.joinedBy(item) === predicate && isWithin(flow.guardOf(item), path));
    const switches = items.filter(item => flow.isSwitchOn(item, predicate));
    const sides = ([0, 1] as const).map(side =>
      items.filter(item => !switches.includes(item) && flow.guardOf(item).get(predicate) === side),
    );
    const exported = flow.exportsOf(items, sides);
    const told = joins.filter(item => flow.isRead((item.op as Operation).outputs[1]));
    const results = ([0, 1] as const).map(side => [
      ...joins.map(item => flow.sideOfMerge(item, predicate, side)),
      ...told.map(item => flow.indexOfSide(item, predicate, side)),
      ...exported.map(({ tensor, side: of }) => (of === side ? tensor : null)),
    ]);
    const first = joins[0]?.op ?? items[0].operations[0];
    const fetched = flow.fetchedOf(items);
    const failure = (side: number): InvalidArgumentError | undefined => {
      const index = fetched.find(each => each.guard.get(predicate) === 1 - side)?.index;
      const reason = `waits for one side of the conditional '${first.name}', and the other was taken: fetch what joins both.`;
      return index === undefined ? undefined : noValue(this.fetches[index], index, reason);
    };
    return {
      kind: "cond",
      name: first.name,
      predicate,
      cases: sides.map((side, k) => ({
        nodes: this.branch(flow, side, new Map([...path, [predicate, k as Side]])),
        results: results[k],
        failure: failure(k),
      })),
      outputs: [
        ...joins.map(item => (item.op as Operation).outputs[0]),
        ...told.map(item => (item.op as Operation).outputs[1]),
        ...exported.map(({ tensor }) => tensor),
      ],
      aliases: new Map(
        switches.flatMap(({ op }) => (op as Operation).outputs.map(output => [output, this.inputs(op as Operation)[0]] as const)),
      ),
      operations: new Set(items.flatMap(({ operations }) => operations)),
    };
  }
}

const depth = (frame: Frame | null): number => (frame === null ? 0 : 1 + depth(frame.parent));
const operationsOf = (frame: Frame): Operation[] => [...frame.ops, ...frame.children.flatMap(operationsOf)];
const producers = (items: readonly Item[]): Map<Operation, Item> =>
  new Map(items.flatMap(item => item.operations.map(op => [op, item] as const)));

/** Items that become one node: a single one, or all of one conditional. */
interface Group {
  readonly predicate: Tensor | undefined;
  readonly items: Item[];
}
interface Conditional extends Group {
  readonly predicate: Tensor;
}
/** What a Switch asks, and the side of it that its second output stands for. */
interface Choice {
  readonly predicate: Tensor;
  readonly side: Side;
}
const isConditional = (group: Group): group is Conditional => group.predicate !== undefined;

/** The guards of all items between two loops, and how they fall into groups. */
class GuardedFlow {
  private readonly items: readonly Item[];
  private readonly fetches: readonly Tensor[];
  private readonly producer: Map<Operation, Item>;
  private readonly read: (tensor: Tensor) => Tensor;
  private readonly isFed: (tensor: Tensor) => boolean;
  private readonly firstPredicateOf: (op: Operation) => Tensor;
  private readonly choices = new Map<Operation, Choice>();
  private readonly guards = new Map<Item, Guard>();
  private readonly joined = new Map<Item, Tensor>();
  /** What waits for both sides of a conditional, and so never runs. */
  readonly dead = new Set<Item>();
  /** Results of Merges that have one living input, and of Switches whose side is decided already, with what they pass on. */
  readonly passed = new Map<Tensor, Tensor>();

  constructor(
    items: readonly Item[],
    fetches: readonly Tensor[],
    read: (tensor: Tensor) => Tensor,
    isFed: (tensor: Tensor) => boolean,
    predicateOf: (op: Operation) => Tensor,
  ) {
    this.firstPredicateOf = predicateOf;
    this.items = items;
    this.fetches = fetches;
    this.read = read;
    this.isFed = isFed;
    this.producer = producers(items);
    for (const item of forwardOrder(items, each => this.sourcesOf(each))) this.settle(item);
  }

  guardOf(item: Item): Guard {
    return this.guards.get(item) ?? always;
  }

  /** The predicate whose sides this Merge joins. */
  joinedBy(item: Item): Tensor | undefined {
    return this.joined.get(item);
  }

  private predicateOf(op: Operation): Tensor {
    return this.choiceOf(op).predicate;
  }

  /** The side of the predicate on which a Switch's output is alive. */
  private sideOf({ op, valueIndex }: Tensor): Side {
    return valueIndex === 1 ? this.choiceOf(op).side : ((1 - this.choiceOf(op).side) as Side);
  }

  private choiceOf(op: Operation): Choice {
    let choice = this.choices.get(op);
    if (choice === undefined) this.choices.set(op, (choice = this.choiceAsked(this.firstPredicateOf(op))));
    return choice;
  }

  /** Gradients of a Merge ask which of its inputs it took (`value_index == 1`): that is the predicate whose sides it joins. */
  private choiceAsked(predicate: Tensor): Choice {
    const [index, asked] = isQuestion(predicate.op) && !this.isFed(predicate) ? predicate.op.inputs.map(input => this.read(input)) : [];
    const merge = index && isMerge(index.op) && index.valueIndex === 1 && !this.isFed(index) ? this.producer.get(index.op) : undefined;
    const joined = merge && this.joined.get(merge);
    const known = joined && staticValue(asked);
    const input = known && index.op.inputs[Number(known.get(0))];
    const side = joined && input && this.guardOfTensor(this.read(input)).get(joined);
    return joined && side !== undefined ? { predicate: joined, side } : { predicate, side: 1 };
  }

  isSwitchOn({ op }: Item, predicate: Tensor): boolean {
    return op !== undefined && isSwitch(op) && this.predicateOf(op) === predicate;
  }

  private sourcesOf(item: Item): Item[] {
    const data = item.reads.filter(tensor => !this.isFed(tensor)).map(tensor => tensor.op);
    return [...data, ...item.controls].flatMap(op => this.producer.get(op) ?? []).filter(source => source !== item);
  }

  private guardOfTensor(tensor: Tensor): Guard {
    const item = this.isFed(tensor) ? undefined : this.producer.get(tensor.op);
    if (item === undefined) return always;
    const guard = this.guardOf(item);
    if (!item.op || !isSwitch(item.op)) return guard;
    return new Map([...guard, [this.predicateOf(item.op), this.sideOf(tensor)]]);
  }

  isDead(tensor: Tensor): boolean {
    const item = this.isFed(tensor) ? undefined : this.producer.get(tensor.op);
    if (item === undefined) return false;
    const decided = item.op && isSwitch(item.op) ? this.guardOf(item).get(this.predicateOf(item.op)) : undefined;
    return this.dead.has(item) || (decided !== undefined && decided !== this.sideOf(tensor));
  }

  private settle(item: Item): void {
    if (item.op && isMerge(item.op)) return this.settleMerge(item);
    const controls = item.controls.flatMap(control => this.producer.get(control) ?? []);
    const guard = new Map<Tensor, Side>();
    let isDead = item.reads.some(tensor => this.isDead(tensor)) || controls.some(source => this.dead.has(source));
    for (const source of [...item.reads.map(tensor => this.guardOfTensor(tensor)), ...controls.map(each => this.guardOf(each))])
      for (const [predicate, side] of source) {
        isDead ||= (guard.get(predicate) ?? side) !== side;
        guard.set(predicate, side);
      }
    this.guards.set(item, guard);
    if (isDead) this.dead.add(item);
    const side = item.op && isSwitch(item.op) ? guard.get(this.predicateOf(item.op)) : undefined;
    const taken = side === undefined ? undefined : item.op?.outputs.find(output => this.sideOf(output) === side);
    if (item.op && taken) this.passed.set(taken, this.read(item.op.inputs[0]));
  }

  private settleMerge(item: Item): void {
    const living = item.reads.filter(tensor => !this.isDead(tensor));
    const [first, ...rest] = living.map(tensor => this.guardOfTensor(tensor));
    if (living.length < item.reads.length && living.length < 2) {
      this.guards.set(item, first ?? always);
      if (living.length === 0) this.dead.add(item);
      else this.passed.set((item.op as Operation).outputs[0], living[0]);
      return;
    }
    const common = new Map([...first].filter(([predicate, side]) => rest.every(guard => guard.get(predicate) === side)));
    const differing = [...first.keys()].filter(
      predicate => rest.length === 1 && rest[0].has(predicate) && rest[0].get(predicate) !== first.get(predicate),
    );
    // Of several (a conditional whose branches end in others), the outermost is what is joined.
    const outermost = differing.find(
      candidate => !differing.some(other => other !== candidate && this.guardOfTensor(candidate).has(other)),
    );
    // A constant of neither side is always there, and may be taken: the shape of slices, which both sides know.
    const ready = living.find(
      tensor => isConst(resolve({ replaced: this.passed }, tensor).op) && this.guardOfTensor(tensor).size === common.size,
    );
    if (outermost === undefined && ready && !this.isRead((item.op as Operation).outputs[1])) {
      this.guards.set(item, common);
      this.passed.set((item.op as Operation).outputs[0], ready);
      return;
    }
    if (outermost === undefined)
      throw new UnimplementedError(
        `The Merge '${item.op?.name}' does not join the two sides of one Switch: such graphs do not run here.`,
        item.op,
      );
    this.joined.set(item, outermost);
    this.guards.set(item, common);
  }

  /** The items of a branch as groups, sources before readers. */
  groups(items: readonly Item[], path: Guard): Group[] {
    const stages = this.stages(items, path);
    const byKey = new Map<string, Group>();
    const numbers = new Map<Tensor, number>();
    const groupOf = new Map<Item, Group>();
    const groups: Group[] = [];
    for (const item of items) {
      const predicate = this.predicateAt(item, path);
      let group: Group = { predicate, items: [item] };
      if (predicate !== undefined) {
        if (!numbers.has(predicate)) numbers.set(predicate, numbers.size);
        const key = `${numbers.get(predicate)} ${stages.get(item)}`;
        const known = byKey.get(key);
        known?.items.push(item);
        byKey.set(key, (group = known ?? group));
      }
      if (group.items.length === 1) groups.push(group);
      groupOf.set(item, group);
    }
    const sourcesOf = (group: Group): Group[] => {
      const predicate = group.predicate && this.producer.get(group.predicate.op);
      const sources = [...group.items.flatMap(item => this.sourcesOf(item)), ...(predicate ? [predicate] : [])];
      return [...new Set(sources.flatMap(source => groupOf.get(source) ?? []))].filter(source => source !== group);
    };
    return forwardOrder(groups, sourcesOf);
  }

  /** The predicate, decided right under `path`, that an item belongs to, if any. */
  private predicateAt(item: Item, path: Guard): Tensor | undefined {
    const own = item.op && isSwitch(item.op) ? this.predicateOf(item.op) : this.joined.get(item);
    const open = [...this.guardOf(item).keys(), ...(own ? [own] : [])].filter(predicate => !path.has(predicate));
    return open.find(predicate => [...this.guardOfTensor(predicate).keys()].every(other => path.has(other) || !open.includes(other)));
  }

  /** How many joins right under `path` lie before each item: a conditional may depend on the result of an earlier one on the same predicate. */
  private stages(items: readonly Item[], path: Guard): Map<Item, number> {
    const stages = new Map<Item, number>();
    const inside = new Set(items);
    const sourcesOf = (item: Item): Item[] => this.sourcesOf(item).filter(source => inside.has(source));
    const isJoin = (item: Item): boolean => this.joined.has(item) && isWithin(this.guardOf(item), path);
    for (const item of forwardOrder(items, sourcesOf))
      stages.set(item, Math.max(0, ...sourcesOf(item).map(source => (stages.get(source) ?? 0) + (isJoin(source) ? 1 : 0))));
    return stages;
  }

  /** Which input of a Merge comes from a side. */
  sideOfMerge(item: Item, predicate: Tensor, side: Side): Tensor {
    return this.read((item.op as Operation).inputs[this.indexOfSide(item, predicate, side)]);
  }

  indexOfSide({ op }: Item, predicate: Tensor, side: Side): number {
    return (op as Operation).inputs.findIndex(input => this.guardOfTensor(this.read(input)).get(predicate) === side);
  }

  isRead(tensor: Tensor): boolean {
    return this.fetches.includes(tensor) || this.items.some(({ reads }) => reads.includes(tensor));
  }

  /** The fetches of the run that these items make, by their numbers, with what must be taken for them. */
  fetchedOf(items: readonly Item[]): { readonly index: number; readonly guard: Guard }[] {
    const made = new Set(items);
    return this.fetches.flatMap((tensor, index) => {
      const item = this.isFed(tensor) ? undefined : this.producer.get(tensor.op);
      return item && made.has(item) ? [{ index, guard: this.guardOfTensor(tensor) }] : [];
    });
  }

  /** What is asked before an item runs, or to choose what it gives. */
  private predicatesOf(item: Item): Tensor[] {
    const joined = this.joined.get(item);
    const asked = item.op && isSwitch(item.op) ? [this.predicateOf(item.op)] : [];
    return [...asked, ...(joined ? [joined] : []), ...this.guardOf(item).keys()];
  }

  /** Tensors made inside a conditional that the run fetches or nodes outside it read: those of a later conditional on the same side. What a Switch, a Merge or
   *  a guard asks is read by its first name as well, for by that the conditional it becomes is chosen. */
  exportsOf(group: readonly Item[], sides: readonly (readonly Item[])[]): { tensor: Tensor; side: Side }[] {
    const members = new Set(group);
    const inside = new Map(sides.flatMap((side, k) => side.map(item => [item, k as Side] as const)));
    const found = new Map<Tensor, Side>();
    const sideOf = (tensor: Tensor): Side | undefined => {
      const item = this.isFed(tensor) ? undefined : this.producer.get(tensor.op);
      const side = item && inside.get(item);
      // A Switch is another name of what it is given: made here only if that is.
      return item?.op && isSwitch(item.op) && sideOf(item.reads[0]) === undefined ? undefined : side;
    };
    const read = (tensor: Tensor): void => {
      const side = sideOf(tensor);
      if (side !== undefined) found.set(tensor, side);
    };
    for (const reader of this.items) {
      if (members.has(reader)) continue;
      for (const predicate of this.predicatesOf(reader)) read(predicate);
      reader.reads.forEach(read);
    }
    this.fetches.forEach(read);
    return [...found].map(([tensor, side]) => ({ tensor, side }));
  }
}

/** Sources before readers; otherwise in the given order. Without recursion: graphs are deep. */
function forwardOrder<T extends object>(items: readonly T[], sourcesOf: (item: T) => readonly T[]): T[] {
  const result: T[] = [];
  const done = new Set<T>();
  const open = new Set<T>();
  for (const root of items) {
    const stack = [root];
    while (stack.length > 0) {
      const item = stack[stack.length - 1];
      if (done.has(item)) {
        stack.pop();
        continue;
      }
      const waiting = open.has(item) ? [] : sourcesOf(item).filter(source => !done.has(source) && !open.has(source));
      open.add(item);
      if (waiting.length > 0) stack.push(...waiting.reverse());
      else {
        done.add(item);
        result.push(item);
        stack.pop();
      }
    }
  }
  return result;
}
