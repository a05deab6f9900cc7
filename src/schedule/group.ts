// Grouping steps into kernels. Maps over the same elements share one loop when they read the same arrays or each other (an optimizer's
// three variables); maps over the result of a reduction or contraction are computed where it is stored (bias, relu, residual).
// A value that is read only inside its kernel at the same position is never stored.

import { dtypeBytes } from "../base/dtype.ts";
import { sizeOf } from "../base/shape.ts";
import type { Program, Region, Step, Value } from "../ir/program.ts";
import { outputsOf } from "../ir/program.ts";
import type { Scalar } from "../ir/scalar.ts";
import { forEachScalar, substituteScalar } from "../ir/scalar.ts";
import { inputsOf } from "../ir/traverse.ts";
import { axesOf, forEachLoad, isHost, isSamePosition, type Load, nodeCount, positionOf, reindex } from "./access.ts";
import { evaluationCost, hasExpensiveFunction, innerAxes, isPlain } from "./cost.ts";
import { hasEffect } from "./dead-code.ts";
import {
  addEdge,
  type Block,
  capturesOfBlock,
  type Draft,
  type Home,
  newNode,
  type Node,
  type PlainKernel,
  readsOfKernel,
  writesOfKernel,
} from "./draft.ts";
import { SharedScalars } from "./share.ts";
import type { Aliases, Sources } from "./sources.ts";

type MapStep = Extract<Step, { kind: "map" }>;
type Head = Extract<Step, { kind: "reduce" | "contract" }>;

const limits = {
  /** Values computed by one kernel, and arrays of full size it streams through: more outrun the hardware's prefetchers. */
  map: { values: 8, streams: 12 },
  reduce: { values: 6, streams: 6 },
  /** Every store is repeated for each register of the tile. */
  contract: { values: 3, streams: 2 },
  nodes: 400,
  /** How far a search for a dependency goes before it is taken for granted. */
  search: 300,
  /** Kernels tried per value that is read in common, and how much later in the flow of data the joining map may stand: its result would
   *  be made that much too early and kept. */
  siblings: 3,
  distance: 8,
};

/** Iterations so short that a kernel of their own costs more than they do. */
const tiny = 64;

/** The program as one block of nodes with their data edges. */
export function group(program: Program, sources: Sources, aliases: Aliases): Block {
  const homes = new Map(sources.states.map(({ state, value }) => [state.id, value]));
  const updates = program.steps.filter(step => step.kind === "update");
  const finals = updates
    .filter(({ isReshaped }) => !isReshaped)
    .map(({ state, value }) => ({ home: { kind: "state", state } as const, value, old: homes.get(state.id) }));
  const results = [...program.results, ...sources.reshaped.map(({ value }) => value)];
  return new BlockGroups(program.steps, finals, results, aliases).block();
}

/** What a home holds after a block, and the value that names what it held before. */
interface Final {
  readonly home: Home;
  readonly value: Value;
  readonly old: Value | undefined;
}

/** A kernel in the making. */
interface Cluster {
  /** Where the latest of its steps stood. */
  last: number;
  /** More than that of every cluster it reads from: a cluster can only depend on those of lower levels. */
  level: number;
  readonly consumers: Set<Cluster>;
  /** The effect before this one, which must come first. */
  readonly follows?: Cluster | undefined;
  readonly reads: Set<Value>;
  readonly writes: Value[];
  /** Absent in what cannot be joined by maps. */
  readonly open?: {
    readonly head: Head | undefined;
    readonly shape: readonly number[];
    readonly isPlain: boolean;
    readonly shared: SharedScalars;
    readonly bodies: Map<Value, Scalar>;
    readonly streams: Set<Value>;
    nodes: number;
  };
  readonly step: Step;
}

class BlockGroups {
  private readonly steps: readonly Step[];
  private readonly finals: readonly Final[];
  private readonly results: readonly Value[];
  private readonly aliases: Aliases;
  private readonly clusters: Cluster[] = [];
  private readonly producers = new Map<Value, Cluster>();
  private lastEffect: Cluster | undefined;
  /** Open clusters of maps by what they stream through, latest last. */
  private readonly readers = new Map<Value, Cluster[]>();
  /** New values of homes → the values that name what the homes held before. */
  private readonly replaced = new Map<Value, Value>();

  constructor(steps: readonly Step[], finals: readonly Final[], results: readonly Value[], aliases: Aliases) {
    this.steps = steps;
    this.finals = finals;
    this.results = results;
    this.aliases = aliases;
    for (const { value, old } of finals) if (old !== undefined) this.replaced.set(aliases.rootOf(value), aliases.rootOf(old));
  }

  block(): Block {
    for (const [index, step] of this.steps.entries()) {
      if (step.kind === "map") this.addMap(step, index);
      else if (step.kind !== "update") this.addStep(step, index);
    }
    const nodes = this.connected(this.clusters.flatMap(cluster => this.nodeOf(cluster)));
    return { nodes, results: [...this.results], finals: this.finals.map(({ home, value }) => ({ home, value })) };
  }

  private root(value: Value): Value {
    return this.aliases.rootOf(value);
  }

  private addStep(step: Step, index: number): void {
    const reads = new Set(inputsOf(step).map(value => this.root(value)));
    if (step.kind === "loop")
      for (const [k, carried] of step.body.params.entries()) {
        this.aliases.add(step.condition.params[k], carried);
        this.aliases.add(step.outs[k], carried);
      }
    const writes = step.kind === "loop" ? [...step.body.params] : [...outputsOf(step)];
    const open = this.isOpen(step) ? { open: this.headed(step) } : {};
    const follows = hasEffect(step) ? this.lastEffect : undefined;
    const cluster: Cluster = { last: index, level: 0, consumers: new Set(), reads: new Set(), writes, step, follows, ...open };
    this.clusters.push(cluster);
    for (const value of reads) this.addRead(cluster, value);
    if (follows !== undefined) keepAbove(follows, cluster);
    if (hasEffect(step)) this.lastEffect = cluster;
    for (const value of writes) this.producers.set(value, cluster);
  }

  private addRead(cluster: Cluster, root: Value): void {
    cluster.reads.add(root);
    const producer = this.producers.get(root);
    if (producer !== undefined) keepAbove(producer, cluster);
  }

  private isOpen(step: Step): step is Head {
    return (step.kind === "reduce" || step.kind === "contract") && !isHost(step.out) && sizeOf(step.out.shape) > 0;
  }

  private headed(head: Head): Cluster["open"] {
    const shared = new SharedScalars(head.out.shape, this.aliases);
    const bodies = new Map<Value, Scalar>([[head.out, { kind: "accumulator", dtype: head.out.dtype }]]);
    return { head, shape: head.out.shape, isPlain: true, shared, bodies, streams: new Set(), nodes: 1 };
  }

  private addMap(step: MapStep, index: number): void {
    const loads: Load[] = [];
    forEachLoad(step.body, load => void loads.push(load));
    const onHost = isHost(step.out) || loads.some(load => isHost(load.source));
    const joined = !onHost && this.candidates(step, loads).some(cluster => this.join(cluster, step, loads, index));
    if (joined) return;
    const shape = onHost ? step.out.shape : bestShape(step);
    const shared = new SharedScalars(shape, this.aliases);
    const plain = isPlain(bodyOver(shape, step), shape);
    const open = { head: undefined, shape, isPlain: plain, shared, bodies: new Map<Value, Scalar>(), streams: new Set<Value>(), nodes: 0 };
    const cluster: Cluster = { last: index, level: 0, consumers: new Set(), reads: new Set(), writes: [], step, open };
    this.clusters.push(cluster);
    this.enter(cluster, step, loads, bodyOver(shape, step), index);
  }

  /** Clusters that compute what the map reads, then those that stream through the same arrays; the latest first. */
  private candidates({ out }: MapStep, loads: readonly Load[]): Cluster[] {
    const size = sizeOf(out.shape);
    const found = new Set<Cluster>();
    const roots = new Set(loads.map(load => this.root(load.source)));
    for (const root of roots) {
      const producer = this.producers.get(root);
      if (producer?.open !== undefined) found.add(producer);
    }
    const parents = [...found].sort((a, b) => b.last - a.last);
    const level = Math.max(0, ...[...roots].map(root => (this.producers.get(root)?.level ?? -1) + 1));
    for (const root of roots) {
      if (sizeOf(root.shape) !== size && size > tiny) continue;
      for (const reader of (this.readers.get(root) ?? []).slice(-limits.siblings).reverse())
        if (level - reader.level <= limits.distance) found.add(reader);
    }
    return [...new Set([...parents, ...found])];
  }

  private join(cluster: Cluster, step: MapStep, loads: readonly Load[], index: number): boolean {
    const { open } = cluster;
    if (open === undefined || sizeOf(open.shape) !== sizeOf(step.out.shape)) return false;
    if (isHost(cluster.writes[0]) || [...cluster.reads].some(isHost)) return false;
    const reads = loads.filter(load => open.bodies.has(this.root(load.source)));
    // Arrays of nothing may stand for each other whatever their type.
    if (!reads.every(load => load.dtype === this.root(load.source).dtype && isSamePosition(load, step.out.shape))) return false;
    if (open.head !== undefined && reads.length === 0) return false;
    const body = bodyOver(open.shape, step);
    if (isPlain(body, open.shape) !== open.isPlain || !this.hasRoom(cluster, step, loads, body)) return false;
    if (open.head !== undefined && !this.fitsEpilogue(open.head, step, body, loads)) return false;
    if (this.dependsThroughOthers(loads, cluster)) return false;
    this.enter(cluster, step, loads, body, index);
    return true;
  }

  private hasRoom({ open }: Cluster, { out }: MapStep, loads: readonly Load[], body: Scalar): boolean {
    if (open === undefined) return false;
    const { values, streams } = limits[open.head?.kind ?? "map"];
    const more = new Set(loads.map(load => this.root(load.source)).filter(root => isStream(root, out) && !open.bodies.has(root)));
    for (const root of open.streams) more.add(root);
    return open.bodies.size < values && more.size <= streams && open.nodes + nodeCount(body) <= limits.nodes;
  }

  /** An epilogue is straight vector code over affine loads. One that overwrites what it reads is left to a map, which can do so in place. */
  private fitsEpilogue(head: Head, { out }: MapStep, body: Scalar, loads: readonly Load[]): boolean {
    const old = this.replaced.get(out);
    if (old !== undefined && loads.some(load => this.root(load.source) === old)) return false;
    if (!isAffine(body)) return false;
    if (head.kind === "reduce") return true;
    const { dtype } = head.out;
    let fits = out.dtype === dtype && !hasExpensiveFunction(body);
    forEachScalar(body, node => {
      fits &&= node.dtype === dtype || (node.dtype === "bool" && node.kind === "apply");
    });
    return fits;
  }

  /** Would a kernel of both have to wait for itself, because the map also reads what another kernel makes from the cluster's values? */
  private dependsThroughOthers(loads: readonly Load[], cluster: Cluster): boolean {
    const seen = new Set<Cluster>();
    const open: Cluster[] = [];
    const visit = (producer: Cluster | undefined): void => {
      if (producer === undefined || producer === cluster || seen.has(producer) || producer.level <= cluster.level) return;
      seen.add(producer);
      open.push(producer);
    };
    for (const load of loads) visit(this.producers.get(this.root(load.source)));
    for (let other = open.pop(); other !== undefined; other = open.pop()) {
      if (seen.size > limits.search) return true;
      const producers = [other.follows, ...[...other.reads].map(root => this.producers.get(root))];
      if (producers.includes(cluster)) return true;
      for (const producer of producers) visit(producer);
    }
    return false;
  }

  private enter(cluster: Cluster, { out }: MapStep, loads: readonly Load[], body: Scalar, index: number): void {
    const open = cluster.open as NonNullable<Cluster["open"]>;
    const inner = (load: Load): Scalar => open.bodies.get(this.root(load.source)) ?? load;
    const usesInner = loads.some(load => open.bodies.has(this.root(load.source)));
    const result = open.shared.share(usesInner ? substituteScalar(body, axesOf(open.shape), inner) : body);
    open.nodes += nodeCount(body);
    for (const load of loads) {
      const root = this.root(load.source);
      if (open.bodies.has(root)) continue;
      this.addRead(cluster, root);
      if (!isStream(root, out) && sizeOf(out.shape) > tiny) continue;
      open.streams.add(root);
      if (open.head !== undefined) continue;
      const readers = this.readers.get(root) ?? [];
      if (!readers.includes(cluster)) this.readers.set(root, [...readers.slice(-limits.siblings), cluster]);
    }
    open.bodies.set(out, result);
    cluster.writes.push(out);
    cluster.last = index;
    this.producers.set(out, cluster);
  }

  /** Values read outside of the kernel that computes them. */
  private needed: ReadonlySet<Value> | undefined;

  private isNeeded(value: Value): boolean {
    if (this.needed === undefined) {
      const needed = new Set<Value>();
      for (const { reads } of this.clusters) for (const root of reads) needed.add(root);
      for (const result of this.results) needed.add(this.root(result));
      for (const { value: final } of this.finals) needed.add(this.root(final));
      this.needed = needed;
    }
    return this.needed.has(value);
  }

  private nodeOf(cluster: Cluster): Node[] {
    const { step, open, last } = cluster;
    if (step.kind === "branch" || step.kind === "loop") return [this.regionNode(step, last, cluster)];
    const kernel = open === undefined ? kernelOf(step) : this.openKernel(open);
    if (kernel === undefined) return [];
    const reads = [...readsOfKernel(kernel)].map(value => this.root(value));
    return [newNode(kernel, last, reads, writesOfKernel(kernel), hasEffect(step))];
  }

  private openKernel({ head, shape, bodies }: NonNullable<Cluster["open"]>): PlainKernel | undefined {
    const stores = [...bodies].filter(([out]) => this.isNeeded(out)).map(([out, body]) => ({ out, body }));
    if (sizeOf(shape) === 0 || stores.length === 0) return undefined;
    if (head === undefined) return { kind: "map", shape, stores };
    if (head.kind === "contract") return { kind: "contract", shape, over: head.over, left: head.left, right: head.right, stores };
    return { kind: "reduce", shape, over: head.over, combine: head.combine, body: head.body, accumulator: head.out.dtype, stores };
  }

  private regionNode(step: Extract<Step, { kind: "branch" | "loop" }>, index: number, { writes }: Cluster): Node {
    const draft: Draft = step.kind === "branch" ? this.branchDraft(step) : this.loopDraft(step);
    const blocks = draft.kind === "branch" ? draft.cases : draft.kind === "loop" ? [draft.condition, draft.body] : [];
    const params = draft.kind === "loop" ? draft.carried : [];
    const reads = new Set<Value>(blocks.flatMap(block => [...capturesOfBlock(block, params, this.aliases)]));
    for (const value of step.kind === "branch" ? [step.choice] : step.initial) reads.add(this.root(value));
    return newNode(draft, index, reads, writes, hasEffect(step));
  }

  private branchDraft({ outs, choice, cases }: Extract<Step, { kind: "branch" }>): Draft {
    const blocks = cases.map(({ steps, results }) => new BlockGroups(steps, [], results, this.aliases).block());
    return { kind: "branch", outs, choice, cases: blocks };
  }

  private loopDraft({ initial, condition, body }: Extract<Step, { kind: "loop" }>): Draft {
    const finalsOf = ({ params, results }: Region): Final[] =>
      params.map((value, k) => ({ home: { kind: "carried", value }, value: results[k], old: value }));
    return {
      kind: "loop",
      carried: body.params,
      initial,
      condition: new BlockGroups(condition.steps, [], condition.results, this.aliases).block(),
      test: condition.results[0],
      body: new BlockGroups(body.steps, finalsOf(body), [], this.aliases).block(),
    };
  }

  /** Edges from writers to readers, and between effects in the order of the program. */
  private connected(nodes: Node[]): Node[] {
    const writers = new Map<Value, Node>();
    for (const node of nodes) for (const value of node.writes) writers.set(value, node);
    let lastEffect: Node | undefined;
    for (const node of [...nodes].sort((a, b) => a.index - b.index)) {
      for (const value of node.reads) {
        const writer = writers.get(value);
        if (writer !== undefined) addEdge(writer, node);
      }
      if (!node.hasEffect) continue;
      if (lastEffect !== undefined) addEdge(lastEffect, node);
      lastEffect = node;
    }
    return nodes;
  }
}

/** Raises the levels of a cluster and of all that depend on it until they are above that of another. */
function keepAbove(lower: Cluster, cluster: Cluster): void {
  lower.consumers.add(cluster);
  const open: [Cluster, number][] = [[cluster, lower.level + 1]];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const [raised, level] = next;
    if (raised.level >= level) continue;
    raised.level = level;
    for (const consumer of raised.consumers) open.push([consumer, level + 1]);
  }
}

/** Is this an array that a kernel computing `out` walks through element by element? */
const isStream = (source: Value, out: Value): boolean =>
  sizeOf(source.shape) * Math.max(dtypeBytes(source.dtype), 1) * 2 >= sizeOf(out.shape) * Math.max(dtypeBytes(out.dtype), 1);

const bodyOver = (shape: readonly number[], { out, body }: MapStep): Scalar =>
  shape.length === out.shape.length && shape.every((size, axis) => size === out.shape[axis])
    ? body
    : substituteScalar(body, reindex(shape, out.shape));

/** The shape to iterate over: the map's own, or that of an array it reads under which its positions are simpler. */
function bestShape(step: MapStep): readonly number[] {
  const { out, body } = step;
  if (isPlain(body, out.shape)) return out.shape;
  const shapes = new Map<string, readonly number[]>();
  forEachLoad(body, ({ source: { shape } }) => {
    if (sizeOf(shape) === sizeOf(out.shape)) shapes.set(shape.join(), shape);
  });
  const cost = (shape: readonly number[]): number => evaluationCost(bodyOver(shape, step), innerAxes(shape));
  let best = out.shape;
  for (const shape of shapes.values()) if (cost(shape) < cost(best)) best = shape;
  return best;
}

/** Only loads at affine positions, no guards. */
function isAffine(body: Scalar): boolean {
  let affine = true;
  forEachScalar(body, node => {
    if (node.kind === "guard" || node.kind === "index") affine = false;
    if (node.kind === "load") affine &&= positionOf(node).terms.every(({ atom }) => atom.kind === "axis");
  });
  return affine;
}

/** Steps that are a kernel of their own; those without any element to compute are none. */
function kernelOf(step: Step): PlainKernel | undefined {
  switch (step.kind) {
    case "scan":
    case "random":
      return sizeOf(step.out.shape) === 0 ? undefined : step;
    case "scatter":
      return sizeOf(step.out.shape) === 0 ? undefined : { ...step, inPlace: false };
    case "sort":
      return sizeOf(step.values.shape) === 0 ? undefined : step;
    case "check":
      return sizeOf(step.over) === 0 ? undefined : step;
    case "call":
      return step;
    case "reduce":
      return sizeOf(step.out.shape) === 0
        ? undefined
        : {
            kind: "reduce",
            shape: step.out.shape,
            over: step.over,
            combine: step.combine,
            body: step.body,
            accumulator: step.out.dtype,
            stores: [{ out: step.out, body: { kind: "accumulator", dtype: step.out.dtype } }],
          };
    default:
      return undefined;
  }
}
