// Siblings: reductions of one shape over one space that read the same array (the two sums of batch norm's gradient) run in the same loops, which read
// it once. Those along rows are rows.ts's affair and have been joined before.

import { sizeOf } from "../base/shape.ts";
import { axisIndex, constantIndex, type Index } from "../ir/index-map.ts";
import type { Value } from "../ir/program.ts";
import { substituteScalar } from "../ir/scalar.ts";
import { nodeCount } from "./access.ts";
import { addEdge, type Block, newNode, type Node, scalarsOfKernel } from "./draft.ts";
import type { Kernel } from "./plan.ts";
import { SharedScalars } from "./share.ts";
import type { Aliases } from "./sources.ts";

type Reduce = Extract<Kernel, { kind: "reduce" }>;
type ReduceNode = Node & { readonly draft: Reduce };

const limits = {
  /** Each has sums of its own in registers. */
  reductions: 4,
  /** Arrays of full size walked through, and nodes of all expressions. */
  streams: 8,
  nodes: 400,
};

/** Joins reductions of a block, and of the blocks inside it. */
export function joinSiblings(block: Block, aliases: Aliases): void {
  for (const { draft } of block.nodes) {
    if (draft.kind === "branch") for (const region of draft.cases) joinSiblings(region, aliases);
    if (draft.kind === "loop") for (const region of [draft.condition, draft.body]) joinSiblings(region, aliases);
  }
  const open = new Map<string, ReduceNode[]>();
  for (const node of block.nodes) {
    if (!isReduce(node)) continue;
    const { draft } = node;
    const space = [draft.shape, draft.over].map(sizes => sizes.filter(size => size > 1).join()).join(" over ");
    const alike = open.get(space);
    if (alike === undefined) open.set(space, [node]);
    else alike.push(node);
  }
  const several = [...open.values()].filter(alike => alike.length > 1);
  if (several.length === 0) return;
  const depths = new Depths(block);
  for (const alike of several) joinAlike(block, alike, depths, aliases);
}

/** How many nodes at most come one after the other before a node: a path leads to deeper ones only. */
class Depths {
  private depths = new Map<Node, number>();

  constructor(block: Block) {
    this.measure(block);
  }

  private measure({ nodes }: Block): void {
    this.depths = new Map(nodes.map(node => [node, 0]));
    const waiting = new Map(nodes.map(node => [node, node.after.size]));
    const open = nodes.filter(node => node.after.size === 0);
    for (let node = open.pop(); node !== undefined; node = open.pop()) {
      const depth = this.of(node) + 1;
      for (const next of node.before) {
        this.depths.set(next, Math.max(depth, this.of(next)));
        const left = (waiting.get(next) as number) - 1;
        waiting.set(next, left);
        if (left === 0) open.push(next);
      }
    }
  }

  /** A node has come in the place of others. */
  replaced(members: readonly Node[], made: Node, block: Block): void {
    const depth = this.of(members[0]);
    if (members.every(member => this.of(member) === depth)) this.depths.set(made, depth);
    else this.measure(block);
  }

  private of(node: Node): number {
    return this.depths.get(node) as number;
  }

  /** Does a path of edges lead from one node to another? */
  leads(from: Node, to: Node): boolean {
    const seen = new Set<Node>();
    const open = [from];
    for (let node = open.pop(); node !== undefined; node = open.pop()) {
      for (const next of node.before) {
        if (next === to) return true;
        if (seen.has(next) || this.of(next) >= this.of(to)) continue;
        seen.add(next);
        open.push(next);
      }
    }
    return false;
  }
}

const isReduce = (node: Node): node is ReduceNode => {
  const { draft } = node;
  return draft.kind === "reduce" && !draft.combine.startsWith("arg") && sizeOf(draft.over) > 1 && sizeOf(draft.shape) > 0;
};

function joinAlike(block: Block, alike: readonly ReduceNode[], depths: Depths, aliases: Aliases): void {
  const readers = new Map<Value, ReduceNode[]>();
  const left = new Set([...alike].sort((a, b) => a.index - b.index));
  for (const node of left) for (const value of streamsOf(node)) readers.set(value, [...(readers.get(value) ?? []), node]);
  for (const first of left) {
    left.delete(first);
    const members = [first];
    // Each that joins may read an array that others do.
    const next = (): ReduceNode | undefined => {
      const near = new Set(members.flatMap(streamsOf).flatMap(value => readers.get(value) ?? []));
      return [...near].filter(node => left.has(node)).find(node => fits(members, node, depths));
    };
    for (let node = next(); node !== undefined; node = next()) {
      left.delete(node);
      members.push(node);
    }
    if (members.length > 1) replace(block, members, depths, aliases);
  }
}

/** Values with an element for every place that is reduced, or nearly. */
const streamsOf = ({ reads, draft: { shape, over } }: ReduceNode): Value[] =>
  [...reads].filter(value => 2 * sizeOf(value.shape) >= sizeOf(shape) * sizeOf(over));

function fits(members: readonly ReduceNode[], node: ReduceNode, depths: Depths): boolean {
  const all = [...members, node];
  const streams = new Set(members.flatMap(streamsOf));
  const own = streamsOf(node);
  if (all.length > limits.reductions || !own.some(value => streams.has(value))) return false;
  for (const value of own) streams.add(value);
  const nodes = all.flatMap(({ draft }) => scalarsOfKernel(draft)).reduce((sum, scalar) => sum + nodeCount(scalar), 0);
  if (streams.size > limits.streams || nodes > limits.nodes) return false;
  return members.every(member => !depths.leads(member, node) && !depths.leads(node, member));
}

/** One node in the place of several. */
function replace(block: Block, members: readonly ReduceNode[], depths: Depths, aliases: Aliases): void {
  const [{ draft: first }] = members;
  const shared = new SharedScalars([...first.shape, ...first.over], aliases);
  const reductions = members.map(({ draft }): Reduce => {
    const axes = axesIn(first, draft);
    const epilogues = draft.stores.map(({ out, body }) => ({ out, body: substituteScalar(body, axes) }));
    return { ...draft, shape: first.shape, over: first.over, body: shared.share(substituteScalar(draft.body, axes)), stores: epilogues };
  });
  const reads = members.flatMap(member => [...member.reads]);
  const made = newNode(
    { kind: "reductions", reductions },
    Math.max(...members.map(({ index }) => index)),
    reads,
    members.flatMap(({ writes }) => writes),
  );
  for (const member of members) {
    for (const previous of member.after) {
      previous.before.delete(member);
      addEdge(previous, made);
    }
    for (const next of member.before) {
      next.after.delete(member);
      addEdge(made, next);
    }
  }
  block.nodes = [...block.nodes.filter(node => !members.some(member => member === node)), made];
  depths.replaced(members, made, block);
}

/** The axes of a reduction in terms of another's, which may have more or fewer of size 1. */
function axesIn(first: Reduce, { shape, over }: Reduce): Index[] {
  const named = [...first.shape, ...first.over].flatMap((size, axis) => (size > 1 ? [axisIndex(axis, size)] : []));
  return [...shape, ...over].map(size => (size > 1 ? (named.shift() as Index) : constantIndex(0)));
}
