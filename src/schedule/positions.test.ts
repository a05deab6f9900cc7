// Positions against plain searches: in random graphs whose nodes are joined two and three at a time, edges keep following the order, and what would wait for
// itself is found.

import { expect, test } from "vitest";
import { randomly } from "../../test/fuzzing.ts";
import { addEdge, type Node, newNode, reachable } from "./draft.ts";
import { Positions } from "./positions.ts";

const node = (index: number): Node => newNode({ kind: "map", shape: [], stores: [] }, index, [], []);

/** Some nodes with edges from earlier to later ones, mostly near. */
function randomGraph(random: (n: number) => number): Node[] {
  const nodes = Array.from({ length: 12 + random(12) }, (_, i) => node(i));
  nodes.forEach((later, i) => {
    for (let edges = random(3); edges > 0 && i > 0; edges--) addEdge(nodes[Math.max(0, i - 1 - random(6))], later);
  });
  return nodes;
}

/** Puts `made` in the place of nodes, and `end` behind it for what one of them is awaited by. */
function replaceNodes(members: ReadonlySet<Node>, made: Node, end: Node): void {
  let isFirst = true;
  for (const member of members) {
    for (const previous of member.after) {
      previous.before.delete(member);
      if (!members.has(previous)) addEdge(previous, made);
    }
    for (const next of member.before) {
      next.after.delete(member);
      if (!members.has(next)) addEdge(isFirst ? end : made, next);
    }
    isFirst = false;
  }
  addEdge(made, end);
}

function requireOrder(positions: Positions, nodes: readonly Node[]): void {
  for (const each of nodes) for (const next of each.before) expect(positions.of(each)).toBeLessThanOrEqual(positions.of(next));
}

test("keeps an order that edges follow, and finds circles", () => {
  let [joins, circles] = [0, 0];
  for (let seed = 1; seed <= 300; seed++) {
    const random = randomly(seed * 7919);
    let nodes = randomGraph(random);
    // They need not come in order.
    const positions = new Positions(nodes.toSorted(() => random(3) - 1));
    requireOrder(positions, nodes);
    for (let step = 0; step < 12 && nodes.length > 4; step++) {
      const members = new Set(Array.from({ length: 2 + random(2) }, () => nodes[random(nodes.length)]));
      const isCircle = [...members].some(member =>
        [...member.before].some(next => !members.has(next) && reachable(next, other => members.has(other))),
      );
      expect(positions.isCircle(members, 1000), `seed ${seed}, step ${step}`).toBe(isCircle);
      if (isCircle) circles++;
      if (isCircle || members.size < 2) continue;
      joins++;
      const [made, end] = [node(0), node(0)];
      positions.join(members, made, [end]);
      replaceNodes(members, made, end);
      nodes = [...nodes.filter(each => !members.has(each)), made, end];
      requireOrder(positions, nodes);
    }
  }
  expect(joins).toBeGreaterThan(300);
  expect(circles).toBeGreaterThan(300);
});
