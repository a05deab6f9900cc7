// What several contractions copy of one operand in the same order (the weights of a recurrent net, at every step and in every pass of a loop) is
// copied once: a map of the plan makes it before the first of them, and all read it. How it lies is the target's affair (`panelsOf`).

import { indexKey } from "../ir/index-map.ts";
import type { Value } from "../ir/program.ts";
import { loadsOf } from "../ir/scalar.ts";
import { addEdge, type Block, type Draft, newNode, type Node } from "./draft.ts";
import type { Panels, ScheduleTarget } from "./plan.ts";
import type { Aliases } from "./sources.ts";

/** Outside of loops fewer contractions are not worth an array that lives from the first to the last. */
const fewest = 4;

type Contract = Extract<Draft, { kind: "contract" }>;

/** A contraction, and the branches and loops around it, the outermost first. */
interface Use {
  readonly node: Node;
  readonly draft: Contract;
  readonly around: readonly Node[];
}

/** Adds such maps to the outermost block, for contractions there and in the blocks inside it. */
export function packOnce(block: Block, aliases: Aliases, newValue: NewValue, target: ScheduleTarget): void {
  const alike = new Map<string, { readonly panels: Panels; readonly uses: Use[] }>();
  const collect = (at: Block, around: Use["around"], local: ReadonlySet<Value>): void => {
    for (const node of at.nodes) {
      const { draft } = node;
      const here = [...around, node];
      if (draft.kind === "branch") for (const region of draft.cases) collect(region, here, withWrites(local, region));
      if (draft.kind === "loop")
        for (const region of [draft.condition, draft.body])
          collect(region, here, withWrites(new Set([...local, ...draft.carried]), region));
      if (draft.kind !== "contract") continue;
      const panels = target.panelsOf?.(draft);
      if (panels === undefined || local.has(aliases.rootOf(panels.source))) continue;
      const key = keyOf(panels, aliases);
      const known = alike.get(key) ?? { panels, uses: [] };
      known.uses.push({ node, draft, around });
      alike.set(key, known);
    }
  };
  collect(block, [], new Set());
  for (const { panels, uses } of alike.values()) {
    const isInLoop = uses.some(({ around }) => around.some(({ draft }) => draft.kind === "loop"));
    if (uses.length >= fewest || isInLoop) pack(block, panels, uses, aliases, newValue);
  }
}

const withWrites = (values: ReadonlySet<Value>, { nodes }: Block): Set<Value> =>
  new Set([...values, ...nodes.flatMap(({ writes }) => writes)]);

const keyOf = ({ source, shape, body }: Panels, aliases: Aliases): string =>
  [aliases.rootOf(source).id, shape.join(), ...loadsOf(body).flatMap(({ at }) => at.map(indexKey))].join(" | ");

type NewValue = (like: Pick<Value, "dtype" | "shape">) => Value;

/** Puts the map into the block, and its result into what is given to each contraction. */
function pack(block: Block, { source, shape, body }: Panels, uses: readonly Use[], aliases: Aliases, newValue: NewValue): void {
  const out = newValue({ dtype: source.dtype, shape });
  const root = aliases.rootOf(source);
  const readers = new Set(uses.map(({ node, around }) => around[0] ?? node));
  const map = newNode({ kind: "map", shape, stores: [{ out, body }] }, Math.min(...[...readers].map(({ index }) => index)), [root], [out]);
  for (const node of block.nodes) if (node.writes.includes(root)) addEdge(node, map);
  for (const reader of readers) addEdge(map, reader);
  for (const { node, draft, around } of uses) {
    node.draft = { ...draft, panels: out };
    for (const reader of [node, ...around]) reader.reads.add(out);
  }
  block.nodes.push(map);
}
