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
  /** What is made or changes inside of those. */
  readonly local: ReadonlySet<Value>;
}

/** Adds such maps to the outermost block, for contractions there and in the blocks inside it. */
export function packOnce(block: Block, aliases: Aliases, newValue: NewValue, target: ScheduleTarget): void {
  const uses: Use[] = [];
  const collect = (at: Block, around: readonly Node[], local: ReadonlySet<Value>): void => {
    for (const node of at.nodes) {
      const { draft } = node;
      const here = [...around, node];
      if (draft.kind === "contract") uses.push({ node, draft, around, local });
      if (draft.kind === "branch") for (const region of draft.cases) collect(region, here, withWrites(local, region));
      if (draft.kind === "loop")
        for (const region of [draft.condition, draft.body])
          collect(region, here, withWrites(new Set([...local, ...draft.carried]), region));
    }
  };
  collect(block, [], new Set());
  const isOften = oftenRead(uses, aliases);
  const alike = new Map<string, { readonly panels: Panels; readonly uses: Use[] }>();
  for (const use of uses) {
    // Most contractions have operands of their own: nothing is asked about those.
    if (!isInLoop(use) && !isOften(use.draft.left.source) && !isOften(use.draft.right.source)) continue;
    const panels = target.panelsOf?.(use.draft);
    if (panels === undefined || use.local.has(aliases.rootOf(panels.source))) continue;
    const key = keyOf(panels, aliases);
    const known = alike.get(key) ?? { panels, uses: [] };
    known.uses.push(use);
    alike.set(key, known);
  }
  for (const { panels, uses: all } of alike.values())
    if (all.length >= fewest || all.some(isInLoop)) pack(block, panels, all, aliases, newValue);
}

const isInLoop = ({ around }: Use): boolean => around.some(({ draft }) => draft.kind === "loop");

/** Which values enough contractions read. */
function oftenRead(uses: readonly Use[], aliases: Aliases): (value: Value) => boolean {
  const counts = new Map<Value, number>();
  for (const { draft } of uses)
    for (const root of new Set([draft.left, draft.right].map(({ source }) => aliases.rootOf(source))))
      counts.set(root, (counts.get(root) ?? 0) + 1);
  return value => (counts.get(aliases.rootOf(value)) ?? 0) >= fewest;
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
