// The order of kernels: the program's own where nothing speaks against it. Nodes that need no memory of their own or set more free than
// they take run as soon as they may (checks, updates in place, reductions of what dies); nodes that take more than they set free move
// down to just before their first reader.

import { InternalError } from "../base/errors.ts";
import type { Value } from "../ir/program.ts";
import { bytesOf } from "./access.ts";
import type { Block, Node } from "./draft.ts";
import type { Homes } from "./settle.ts";
import type { Aliases } from "./sources.ts";

/** Orders the nodes of a block, and of the blocks inside it. `feeds` are values that also die when they have been read. */
export function order(block: Block, homes: Homes, feeds: readonly Value[], aliases: Aliases): void {
  for (const { draft } of block.nodes) {
    if (draft.kind === "branch") for (const region of draft.cases) order(region, homes, [], aliases);
    if (draft.kind === "loop") for (const region of [draft.condition, draft.body]) order(region, homes, [], aliases);
  }
  const memory = new Memory(block, homes, feeds, aliases);
  block.nodes = shrinkEarly(growLate(inTopologicalOrder(block.nodes), memory), memory);
}

/** What running a node takes and sets free. */
class Memory {
  private readonly owned = new Set<Value>();
  private readonly homes: Homes;
  private readonly readers = new Map<Value, Node[]>();

  constructor(block: Block, homes: Homes, feeds: readonly Value[], aliases: Aliases) {
    this.homes = homes;
    for (const value of feeds) this.owned.add(value);
    for (const node of block.nodes) {
      for (const value of node.writes) if (!homes.has(value)) this.owned.add(value);
      for (const value of node.reads) {
        const readers = this.readers.get(value);
        if (readers === undefined) this.readers.set(value, [node]);
        else readers.push(node);
      }
    }
    for (const result of block.results) this.owned.delete(aliases.rootOf(result));
  }

  /** The one node for which alone an array is still kept. */
  lastReader(value: Value, isPending: (reader: Node) => boolean): Node | undefined {
    if (!this.owned.has(value)) return undefined;
    const pending = (this.readers.get(value) ?? []).filter(isPending);
    return pending.length === 1 ? pending[0] : undefined;
  }

  taken(node: Node): number {
    return node.writes.reduce((sum, value) => sum + (this.homes.has(value) ? 0 : bytesOf(value)), 0);
  }

  /** Bytes of what nobody reads after `node`, where `isPending` tells which other readers are still to run. */
  freed(node: Node, isPending: (reader: Node) => boolean): number {
    let bytes = 0;
    for (const value of node.reads) {
      if (!this.owned.has(value)) continue;
      if (!(this.readers.get(value) ?? []).some(reader => reader !== node && isPending(reader))) bytes += bytesOf(value);
    }
    return bytes;
  }
}

/** Each node as early as its place in the program allows after all it depends on. */
function inTopologicalOrder(nodes: readonly Node[]): Node[] {
  const ordered: Node[] = [];
  const state = new Map<Node, "open" | "done">();
  const byIndex = (some: Iterable<Node>): Node[] => [...some].sort((a, b) => a.index - b.index);
  for (const root of byIndex(nodes)) {
    const open = [root];
    for (let node = open.at(-1); node !== undefined; node = open.at(-1)) {
      if (state.get(node) === "done") {
        open.pop();
        continue;
      }
      const waiting = byIndex([...node.after].filter(other => state.get(other) !== "done"));
      if (waiting.some(other => state.get(other) === "open")) throw new InternalError("Kernels wait for each other in a circle.");
      if (waiting.length > 0) {
        state.set(node, "open");
        open.push(...waiting.reverse());
        continue;
      }
      state.set(node, "done");
      ordered.push(node);
      open.pop();
    }
  }
  return ordered;
}

function growLate(nodes: readonly Node[], memory: Memory): Node[] {
  const position = new Map(nodes.map((node, k) => [node, k]));
  const at = (node: Node): number => position.get(node) as number;
  const moved = new Map<Node, number>();
  for (const node of [...nodes].reverse()) {
    let first = Number.POSITIVE_INFINITY;
    for (const next of node.before) first = Math.min(first, moved.get(next) ?? at(next));
    const own = at(node);
    const stays = node.hasEffect || first === Number.POSITIVE_INFINITY || first <= own + 1;
    const taken = memory.taken(node);
    const grows = !stays && taken > 0 && taken > memory.freed(node, reader => at(reader) > own);
    moved.set(node, grows ? first : own);
  }
  return [...nodes].sort((a, b) => (moved.get(a) as number) - (moved.get(b) as number) || at(a) - at(b));
}

function shrinkEarly(nodes: readonly Node[], memory: Memory): Node[] {
  const ordered: Node[] = [];
  const done = new Set<Node>();
  const isPending = (node: Node): boolean => !done.has(node);
  const isReady = (node: Node): boolean => isPending(node) && [...node.after].every(other => done.has(other));
  const shrinks = (node: Node): boolean => {
    const taken = memory.taken(node);
    return taken === 0 || taken < memory.freed(node, isPending);
  };
  const run = (first: Node): void => {
    const open = [first];
    for (let node = open.pop(); node !== undefined; node = open.pop()) {
      if (!isPending(node)) continue;
      done.add(node);
      ordered.push(node);
      const touched = new Set(node.before);
      for (const value of node.reads) {
        const reader = memory.lastReader(value, isPending);
        if (reader !== undefined) touched.add(reader);
      }
      for (const next of [...touched].reverse()) if (isReady(next) && shrinks(next)) open.push(next);
    }
  };
  for (const node of nodes) if (isPending(node)) run(node);
  return ordered;
}
