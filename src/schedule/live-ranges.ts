// When arrays live: positions of nodes in the order of execution, regions included, and for each array the first and last that need it.
// Inside a loop an array from outside lives until the loop ends, for the next iteration may read it.

import type { Value } from "../ir/program.ts";
import { bytesOf, isHost } from "./access.ts";
import type { Block, Node } from "./draft.ts";
import type { Homes } from "./settle.ts";
import type { Aliases } from "./sources.ts";

/** Memory that values take turns in. */
export interface Buffer {
  readonly bytes: number;
  start: number;
  end: number;
  /** The loops around the place where it is first written. */
  readonly depth: number;
}

/** Where a node stands. For a branch, `ends` are the ends of its cases; for a loop, where its condition is tested and where it ends. */
export interface Span {
  readonly start: number;
  readonly ends: readonly number[];
  readonly end: number;
}

export interface LiveRanges {
  readonly spans: ReadonlyMap<Node, Span>;
  /** For values in the arena, by the value that owns the bytes. */
  readonly buffers: Map<Value, Buffer>;
}

/** Positions, and a buffer of its own for each array that has no home and is not a constant or a state. `given` exist from the start. */
export function liveRanges(block: Block, given: readonly Value[], homes: Homes, aliases: Aliases): LiveRanges {
  const spans = new Map<Node, Span>();
  const end = number(block, 0, spans);
  const walk = new LiveRangeWalk(spans, homes, aliases);
  for (const value of given) walk.define(value, -1, []);
  walk.block(block, []);
  for (const result of block.results) walk.use(result, end, []);
  return { spans, buffers: walk.buffers };
}

function number(block: Block, from: number, spans: Map<Node, Span>): number {
  let position = from;
  for (const node of block.nodes) {
    const { draft } = node;
    const start = position++;
    const ends: number[] = [];
    if (draft.kind === "branch")
      for (const region of draft.cases) {
        position = number(region, position, spans);
        ends.push(position++);
      }
    if (draft.kind === "loop")
      for (const region of [draft.condition, draft.body]) {
        position = number(region, position, spans);
        ends.push(position++);
      }
    spans.set(node, { start, ends, end: ends.at(-1) ?? start });
  }
  return position;
}

class LiveRangeWalk {
  readonly buffers = new Map<Value, Buffer>();
  private readonly spans: ReadonlyMap<Node, Span>;
  private readonly homes: Homes;
  private readonly aliases: Aliases;

  constructor(spans: ReadonlyMap<Node, Span>, homes: Homes, aliases: Aliases) {
    this.spans = spans;
    this.homes = homes;
    this.aliases = aliases;
  }

  /** The value whose buffer a value lies in. */
  private owner(value: Value): Value {
    const root = this.aliases.rootOf(value);
    const home = this.homes.get(root);
    return home?.kind === "carried" ? this.owner(home.value) : root;
  }

  define(value: Value, position: number, loops: readonly Node[]): void {
    if (this.homes.has(value) || isHost(value) || this.buffers.has(value)) return;
    this.buffers.set(value, { bytes: bytesOf(value), start: position, end: position, depth: loops.length });
  }

  use(value: Value, position: number, loops: readonly Node[]): void {
    const buffer = this.buffers.get(this.owner(value));
    if (buffer === undefined) return;
    const loop = loops[buffer.depth];
    buffer.end = Math.max(buffer.end, loop === undefined ? position : (this.spans.get(loop) as Span).end);
  }

  block(block: Block, loops: readonly Node[]): void {
    for (const node of block.nodes) {
      const { draft } = node;
      const { start, ends, end } = this.spans.get(node) as Span;
      if (draft.kind === "branch") {
        this.use(draft.choice, start, loops);
        for (const out of draft.outs) this.define(out, start, loops);
        for (const [k, region] of draft.cases.entries()) {
          this.block(region, loops);
          for (const result of region.results) this.use(result, ends[k], loops);
        }
        for (const out of draft.outs) this.use(out, end, loops);
      } else if (draft.kind === "loop") {
        for (const value of draft.initial) this.use(value, start, loops);
        for (const value of draft.carried) this.define(value, start, loops);
        this.block(draft.condition, [...loops, node]);
        this.use(draft.test, ends[0], [...loops, node]);
        this.block(draft.body, [...loops, node]);
        for (const value of draft.carried) this.use(value, end, loops);
      } else {
        for (const value of node.reads) this.use(value, start, loops);
        for (const value of node.writes) this.define(value, start, loops);
      }
    }
  }
}
