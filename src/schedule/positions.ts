// Where nodes stand in an order that their edges follow, kept while nodes are joined: what stands behind a node cannot be waited for by it, so searches for
// circles end there. An order that is mended where it must be, after Pearce and Kelly, "A dynamic topological sort algorithm for directed acyclic graphs" (2007).

import type { Node } from "./draft.ts";

export class Positions {
  private readonly positions = new Map<Node, number>();

  /** Each node behind those that it waits for, else as they come. */
  constructor(nodes: readonly Node[]) {
    for (const node of nodes)
      for (const open = [node]; open.length > 0; ) {
        const last = open[open.length - 1];
        const awaited = [...last.after].find(each => !this.positions.has(each));
        if (awaited) open.push(awaited);
        else {
          open.pop();
          if (!this.positions.has(last)) this.positions.set(last, this.positions.size);
        }
      }
  }

  of(node: Node): number {
    return this.positions.get(node) as number;
  }

  /** Would nodes joined into one have to wait for themselves, by way of a node outside? With more nodes to look at than `most` it is taken for granted. */
  isCircle(joined: ReadonlySet<Node>, most: number): boolean {
    const [, last] = this.ends(joined);
    const seen = new Set<Node>();
    const open: Node[] = [];
    const visit = (node: Node): void => {
      if (seen.has(node) || this.of(node) > last) return;
      seen.add(node);
      open.push(node);
    };
    for (const node of joined) for (const next of node.before) if (!joined.has(next)) visit(next);
    for (let node = open.pop(); node !== undefined; node = open.pop())
      for (const next of node.before) {
        if (joined.has(next) || seen.size > most) return true;
        visit(next);
      }
    return false;
  }

  /** Gives nodes' place to `made`, and to `ends`, which wait for it. Call it while the edges are the old ones. */
  join(members: ReadonlySet<Node>, made: Node, ends: readonly Node[]): void {
    const [first, last] = this.ends(members);
    const awaited = this.related(members, "after", node => this.of(node) > first);
    const waiting = this.related(members, "before", node => this.of(node) < last);
    const free = [...awaited, ...members, ...waiting].map(node => this.of(node)).sort((a, b) => a - b);
    const behind = free.length - waiting.length;
    awaited.forEach((node, i) => void this.positions.set(node, free[i]));
    waiting.forEach((node, i) => void this.positions.set(node, free[behind + i]));
    this.positions.set(made, free[awaited.length]);
    for (const end of ends) this.positions.set(end, free[behind - 1]);
  }

  /** The first and the last position of nodes. */
  private ends(nodes: ReadonlySet<Node>): [first: number, last: number] {
    const all = [...nodes].map(node => this.of(node));
    return [Math.min(...all), Math.max(...all)];
  }

  /** Other nodes on the way along edges that stand within a bound, in their order. */
  private related(from: Iterable<Node>, along: "after" | "before", isWithin: (node: Node) => boolean): Node[] {
    const seen = new Set(from);
    const open = [...seen];
    const found: Node[] = [];
    for (let node = open.pop(); node !== undefined; node = open.pop())
      for (const next of node[along])
        if (!seen.has(next) && isWithin(next)) {
          seen.add(next);
          found.push(next);
          open.push(next);
        }
    return found.sort((a, b) => this.of(a) - this.of(b));
  }
}
