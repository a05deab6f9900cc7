// Sweeps: maps that do not wait for each other become one kernel, the updates that an optimizer makes of all variables above all. Threads
// then meet once for all of them, and small ones are shared with the large. An earlier map moves down to a later one, past everything
// that does not need it, unless keeping what it reads until then would make the arena larger by more than a fiftieth.

import type { Value } from "../ir/program.ts";
import { isHost } from "./access.ts";
import { addEdge, type Block, type Draft, newNode, type Node } from "./draft.ts";
import { type Buffer, type LiveRanges, liveRanges, type Span } from "./live-ranges.ts";
import { mayHaveScratch, type ScheduleTarget } from "./plan.ts";
import { reuseDying } from "./reuse.ts";
import type { Homes } from "./settle.ts";
import type { Aliases, Sources } from "./sources.ts";

type MapDraft = Extract<Draft, { kind: "map" }>;
type MapNode = Node & { readonly draft: MapDraft };

/** How much larger than without sweeps the arena may become: what a few small gradients take should not make a second sweep. */
const mayGrow = 1.02;

/** Joins maps of ordered blocks, of those inside as well. */
export function sweep(block: Block, sources: Sources, homes: Homes, aliases: Aliases, target: ScheduleTarget): void {
  if (!hasTwoMaps(block)) return;
  const given = [...sources.feeds, ...sources.flags].map(({ value }) => value);
  const ranges = liveRanges(block, given, homes, aliases);
  reuseDying(block, ranges, aliases);
  const sweeps = new Sweeps(new LiveSums(ranges, target), ranges, aliases);
  const inner = (at: Block): void => {
    for (const { draft } of at.nodes) {
      if (draft.kind === "branch") draft.cases.forEach(inner);
      if (draft.kind === "loop") [draft.condition, draft.body].forEach(inner);
    }
    at.nodes = sweeps.joined(at.nodes);
  };
  inner(block);
}

const hasTwoMaps = ({ nodes }: Block): boolean =>
  nodes.filter(isJoinable).length > 1 ||
  nodes.some(
    ({ draft }) =>
      (draft.kind === "branch" && draft.cases.some(hasTwoMaps)) ||
      (draft.kind === "loop" && [draft.condition, draft.body].some(hasTwoMaps)),
  );

const isJoinable = (node: Node): node is MapNode =>
  node.draft.kind === "map" && !node.hasEffect && ![...node.reads, ...node.writes].some(isHost);

/** Maps that run where the last of them stands. */
interface Group {
  readonly at: number;
  /** The last one first. */
  readonly members: MapNode[];
  /** Memory of the arena that they write. */
  readonly written: Set<Buffer>;
}

class Sweeps {
  private readonly sums: LiveSums;
  private readonly ranges: LiveRanges;
  private readonly aliases: Aliases;

  constructor(sums: LiveSums, ranges: LiveRanges, aliases: Aliases) {
    this.sums = sums;
    this.ranges = ranges;
    this.aliases = aliases;
  }

  joined(nodes: readonly Node[]): Node[] {
    const groups = this.groups(nodes);
    const large = groups.filter(({ members }) => members.length > 1);
    if (large.length === 0) return [...nodes];
    const gone = new Set<Node>(large.flatMap(({ members }) => members));
    const joints = new Map(large.map(({ at, members }) => [at, joint(members.reverse())]));
    return nodes.flatMap((node, at) => joints.get(at) ?? (gone.has(node) ? [] : [node]));
  }

  /** From the last node back, each map into a group that it can run with, as late a one as memory allows. */
  private groups(nodes: readonly Node[]): Group[] {
    const places = new Map<Node, number>();
    const groups: Group[] = [];
    for (let at = nodes.length - 1; at >= 0; at--) {
      const node = nodes[at];
      places.set(node, at);
      if (!isJoinable(node)) continue;
      const latest = Math.min(nodes.length, ...[...node.before].map(next => places.get(next) as number));
      const group = someOf(groups, latest).find(other => this.moves(node, other));
      if (group === undefined) groups.push({ at, members: [node], written: new Set(this.buffers(node.writes)) });
      else {
        group.members.push(node);
        for (const buffer of this.buffers(node.writes)) group.written.add(buffer);
        places.set(node, group.at);
      }
    }
    return groups;
  }

  private buffers(values: Iterable<Value>): Buffer[] {
    return [...new Set([...values].flatMap(value => this.ranges.buffers.get(this.aliases.rootOf(value)) ?? []))];
  }

  /** Moves a map to a group, if that writes over nothing it reads and the arena need not grow. */
  private moves(node: MapNode, { members: [last], written }: Group): boolean {
    const [from, until] = [node, last].map(each => (this.ranges.spans.get(each) as Span).start);
    const read = this.buffers(node.reads);
    if (read.some(buffer => written.has(buffer))) return false;
    const kept = read.filter(({ end }) => end < until);
    const made = this.buffers(node.writes).filter(({ start }) => start === from);
    if (!this.sums.move(kept, made, from, until)) return false;
    for (const buffer of kept) buffer.end = until;
    for (const buffer of made) buffer.start = until;
    return true;
  }
}

/** The latest and the nearest of groups that stand before a position: all of them would be too many. */
function someOf(groups: readonly Group[], position: number): Group[] {
  let [low, high] = [0, groups.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (groups[middle].at < position) high = middle;
    else low = middle + 1;
  }
  const tries = 2;
  return [...groups.slice(low, low + tries), ...groups.slice(Math.max(low + tries, groups.length - tries)).reverse()];
}

/** How many bytes are alive at each position. */
class LiveSums {
  readonly #sums: RangeSums;
  readonly #most: number;
  readonly #sizeOf: (item: { readonly bytes: number }) => number;

  constructor({ spans, buffers }: LiveRanges, { alignment, scratchBytes }: ScheduleTarget) {
    this.#sizeOf = ({ bytes }) => Math.ceil(bytes / alignment) * alignment;
    const added = new Float64Array(Math.max(...[...spans.values()].map(({ end }) => end)) + 3);
    const add = (item: { readonly bytes: number }, start: number, end: number): void => {
      added[Math.max(start, 0)] += this.#sizeOf(item);
      added[end + 1] -= this.#sizeOf(item);
    };
    for (const buffer of new Set(buffers.values())) add(buffer, buffer.start, buffer.end);
    for (const [{ draft }, { start }] of spans) if (mayHaveScratch(draft)) add({ bytes: scratchBytes(draft) }, start, start);
    let sum = 0;
    this.#sums = new RangeSums(Array.from(added, bytes => (sum += bytes)));
    this.#most = mayGrow * this.#sums.most(0, added.length);
  }

  /** Keeps buffers, and makes others, until a later position; says no where more would be alive then than there may be. */
  move(kept: readonly Buffer[], made: readonly Buffer[], from: number, until: number): boolean {
    const change = (sign: 1 | -1): void => {
      for (const buffer of kept) this.#sums.add(sign * this.#sizeOf(buffer), buffer.end + 1, until + 1);
      for (const buffer of made) this.#sums.add(-sign * this.#sizeOf(buffer), from, until);
    };
    change(1);
    const fits = this.#sums.most(from, until + 1) <= this.#most;
    if (!fits) change(-1);
    return fits;
  }
}

/** Numbers to ranges of which something is added, and the most of which in a range is asked for, in steps that grow as the logarithm. */
class RangeSums {
  readonly #size: number;
  /** Node n stands for the range of nodes 2n and 2n + 1; `#most` of it does not know what was added to ranges around it. */
  readonly #most: Float64Array;
  readonly #added: Float64Array;

  constructor(numbers: readonly number[]) {
    this.#size = 2 ** Math.ceil(Math.log2(Math.max(1, numbers.length)));
    this.#most = new Float64Array(2 * this.#size).fill(Number.NEGATIVE_INFINITY);
    this.#added = new Float64Array(2 * this.#size);
    this.#most.set(numbers, this.#size);
    for (let n = this.#size - 1; n > 0; n--) this.#most[n] = Math.max(this.#most[2 * n], this.#most[2 * n + 1]);
  }

  /** The most at low ≤ position < high. */
  most(low: number, high: number, n = 1, start = 0, end = this.#size): number {
    if (low >= end || high <= start) return Number.NEGATIVE_INFINITY;
    if (low <= start && end <= high) return this.#most[n];
    const middle = (start + end) / 2;
    return this.#added[n] + Math.max(this.most(low, high, 2 * n, start, middle), this.most(low, high, 2 * n + 1, middle, end));
  }

  /** Adds at low ≤ position < high. */
  add(number: number, low: number, high: number, n = 1, start = 0, end = this.#size): void {
    if (low >= end || high <= start || number === 0) return;
    if (low <= start && end <= high) {
      this.#most[n] += number;
      this.#added[n] += number;
      return;
    }
    const middle = (start + end) / 2;
    this.add(number, low, high, 2 * n, start, middle);
    this.add(number, low, high, 2 * n + 1, middle, end);
    this.#most[n] = this.#added[n] + Math.max(this.#most[2 * n], this.#most[2 * n + 1]);
  }
}

/** One node of maps, in the order of the program. */
function joint(members: readonly MapNode[]): Node {
  const reads = members.flatMap(node => [...node.reads]);
  const writes = members.flatMap(node => node.writes);
  const joined = newNode({ kind: "sweep", maps: members.map(({ draft }) => draft) }, members[members.length - 1].index, reads, writes);
  for (const node of members) {
    for (const earlier of node.after) {
      earlier.before.delete(node);
      addEdge(earlier, joined);
    }
    for (const later of node.before) {
      later.after.delete(node);
      addEdge(joined, later);
    }
  }
  return joined;
}
