// Rows: reductions along rows, the maps before, between and after them, and sums over the rows' columns become one kernel that walks one row
// after another while it lies in the first cache (softmax, cross-entropy, layer norm, their gradients). Which kernels belong together is
// decided here; what their passes over a row are, in row-passes.ts.

import { sizeOf } from "../base/shape.ts";
import type { Index } from "../ir/index-map.ts";
import { axisIndex, flattenIndex, unflattenIndex } from "../ir/index-map.ts";
import type { Combine, Value } from "../ir/program.ts";
import { forEachScalar, type Scalar, substituteScalar } from "../ir/scalar.ts";
import { forEachLoad, type Load, nodeCount, positionOf } from "./access.ts";
import { strideAlong } from "./cost.ts";
import { addEdge, type Block, newNode, type Node, type PlainKernel, readsOfKernel, writesOfKernel } from "./draft.ts";
import { Positions } from "./positions.ts";
import { type Member, passesOf, type RowSpace } from "./row-passes.ts";
import type { Aliases } from "./sources.ts";

const limits = {
  /** Elements of a row: fewer are unrolled into maps, more do not stay in the cache. */
  shortest: 5,
  longest: 16384,
  /** Arrays of full size walked through, values stored, nodes of all expressions. */
  streams: 12,
  values: 16,
  nodes: 600,
  /** Kernels looked at in search of a circle. */
  search: 2000,
};

/** Joins kernels of a block, and of the blocks inside it, that work row by row. */
export function joinRows(block: Block, aliases: Aliases, newValue: (like: Pick<Value, "dtype" | "shape">) => Value): void {
  for (const { draft } of block.nodes) {
    if (draft.kind === "branch") for (const region of draft.cases) joinRows(region, aliases, newValue);
    if (draft.kind === "loop") for (const region of [draft.condition, draft.body]) joinRows(region, aliases, newValue);
  }
  const isSeed = ({ draft }: Node): boolean =>
    draft.kind === "reduce" && sizeOf(draft.over) >= limits.shortest && sizeOf(draft.over) <= limits.longest && sizeOf(draft.shape) > 1;
  const seeds = block.nodes.filter(isSeed);
  if (seeds.length === 0) return;
  const index = new BlockIndex(block);
  const results = new Set([...block.results, ...block.finals.map(final => final.value)].map(value => aliases.rootOf(value)));
  const joined = new Set<Node>();
  const made: Node[] = [];
  for (const seed of seeds) {
    if (joined.has(seed)) continue;
    const cluster = new RowCluster(index, aliases, seed, joined);
    if (cluster.members.size < 2) continue;
    for (const node of cluster.members.keys()) joined.add(node);
    const isNeeded = (value: Value): boolean => results.has(value) || (index.readers.get(value) ?? []).some(reader => !joined.has(reader));
    made.push(...replace(index, cluster, aliases, newValue, isNeeded));
  }
  block.nodes = [...block.nodes, ...made].filter(node => !joined.has(node));
}

/** Who makes and who reads each value of a block, and who may wait for whom. */
class BlockIndex {
  readonly writers = new Map<Value, Node>();
  readonly readers = new Map<Value, Node[]>();
  readonly positions: Positions;

  constructor(block: Block) {
    this.positions = new Positions(block.nodes);
    for (const node of block.nodes) this.add(node);
  }

  add(node: Node): void {
    for (const value of node.writes) this.writers.set(value, node);
    for (const value of node.reads) {
      const readers = this.readers.get(value);
      if (readers === undefined) this.readers.set(value, [node]);
      else readers.push(node);
    }
  }
}

class RowCluster {
  readonly space: RowSpace;
  readonly members = new Map<Node, Member>();
  private readonly aliases: Aliases;
  private readonly taken: ReadonlySet<Node>;
  private readonly index: BlockIndex;
  private readonly written = new Map<Value, Member>();

  constructor(index: BlockIndex, aliases: Aliases, seed: Node, taken: ReadonlySet<Node>) {
    this.index = index;
    this.aliases = aliases;
    this.taken = taken;
    const { draft } = seed;
    this.space = draft.kind === "reduce" ? { rows: sizeOf(draft.shape), length: sizeOf(draft.over) } : { rows: 0, length: 0 };
    const first = this.formOf(seed);
    if (first?.kind !== "row") return;
    this.add(first);
    for (let grown = true; grown; ) {
      grown = false;
      for (const node of this.neighbours()) {
        const member = this.formOf(node);
        if (member === undefined || !this.fits(member) || !this.hasRoom(member) || this.makesCircle(node)) continue;
        this.add(member);
        grown = true;
      }
    }
  }

  private add(member: Member): void {
    this.members.set(member.node, member);
    for (const value of member.node.writes) this.written.set(value, member);
  }

  /** Kernels that make or read what a member reads or makes, or that read the same array of full size. */
  private neighbours(): Node[] {
    const found = new Set<Node>();
    for (const { reads, writes } of this.members.keys()) {
      for (const value of reads) {
        const writer = this.index.writers.get(value);
        if (writer !== undefined) found.add(writer);
        if (this.isFull(value)) for (const reader of this.index.readers.get(value) ?? []) found.add(reader);
      }
      for (const value of writes) for (const reader of this.index.readers.get(value) ?? []) found.add(reader);
    }
    return [...found].filter(node => !this.members.has(node) && !this.taken.has(node)).sort((a, b) => a.index - b.index);
  }

  private isFull = ({ shape }: Value): boolean => sizeOf(shape) === this.space.rows * this.space.length;

  /** The kernel over rows and columns, if it can be seen so. */
  private formOf(node: Node): Member | undefined {
    const { draft } = node;
    const axes = this.axesFor(draft);
    if (axes === undefined || (draft.kind !== "map" && draft.kind !== "reduce")) return undefined;
    const { kind, out, over } = axes;
    if (!draft.stores.every(({ out: value }) => value.dtype === "float32")) return undefined;
    const stores = draft.stores.map(store => ({ out: store.out, body: substituteScalar(store.body, out) }));
    if (kind === "column" || kind === "total") {
      // Finished by a reduction of their own, so their epilogues stay as they are.
      if (draft.kind !== "reduce" || !this.isRowCode(substituteScalar(draft.body, [...out, ...over]))) return undefined;
    } else if (!stores.every(({ body }) => this.isRowCode(body))) return undefined;
    if (draft.kind === "map") return { node, kind, stores };
    if (draft.body.dtype !== "float32" || draft.accumulator !== "float32" || !isFold(draft.combine)) return undefined;
    const body = substituteScalar(draft.body, [...out, ...over]);
    if (!this.isRowCode(body)) return undefined;
    return { node, kind, combine: draft.combine, accumulator: draft.accumulator, body, stores };
  }

  /** What the kernel's own axes are in terms of row and column. */
  private axesFor(draft: Node["draft"]): { kind: Member["kind"]; out: Index[]; over: Index[] } | undefined {
    const { rows, length } = this.space;
    const [row, column] = [axisIndex(0, rows), axisIndex(1, length)];
    const place = flattenIndex([row, column], [rows, length]);
    if (draft.kind === "map") {
      const size = sizeOf(draft.shape);
      if (size === rows * length) return { kind: "full", out: unflattenIndex(place, draft.shape), over: [] };
      return size === rows ? { kind: "line", out: unflattenIndex(row, draft.shape), over: [] } : undefined;
    }
    if (draft.kind !== "reduce") return undefined;
    const [size, over] = [sizeOf(draft.shape), sizeOf(draft.over)];
    if (size * over !== rows * length) return undefined;
    if (size === 1) return { kind: "total", out: draft.shape.map(() => axisIndex(0, 1)), over: unflattenIndex(place, draft.over) };
    const along = (kind: "row" | "column", outer: Index, inner: Index) => ({
      kind,
      out: unflattenIndex(outer, draft.shape),
      over: unflattenIndex(inner, draft.over),
    });
    const candidates = [...(size === rows ? [along("row", row, column)] : []), ...(size === length ? [along("column", column, row)] : [])];
    return candidates.find(({ out, over: inner }) => this.isRowCode(substituteScalar(draft.body, [...out, ...inner])));
  }

  /** Straight vector code along a row: loads of neighbours or of one element, no guards. */
  private isRowCode(scalar: Scalar): boolean {
    let is = true;
    forEachScalar(scalar, node => {
      if (node.kind === "guard") is = false;
      else if (node.kind === "index") is &&= strideAlong(node.index, 1) !== "irregular";
      else if (node.kind === "load") {
        const stride = strideAlong(positionOf(node), 1);
        is &&= lanes.has(node.dtype) && (stride === 0 || stride === 1);
      } else is &&= lanes.has(node.dtype);
    });
    return is;
  }

  /** Does everything read across the members' bounds lie in the row itself, and come from what is finished with the row? */
  private fits(member: Member): boolean {
    const own = new Set(member.node.writes);
    const reads = (reader: Member, isWritten: (root: Value) => Member | undefined): boolean =>
      scalarsOf(reader).every(scalar => {
        let fits = true;
        forEachLoad(scalar, load => {
          const writer = isWritten(this.aliases.rootOf(load.source));
          fits &&= writer === undefined || this.isInRow(load, writer.kind);
        });
        return fits;
      });
    if (!reads(member, root => this.written.get(root))) return false;
    return [...this.members.values()].every(other => reads(other, root => (own.has(root) ? member : undefined)));
  }

  private isInRow(load: Load, kind: Member["kind"]): boolean {
    const { rows, length } = this.space;
    const { terms, offset, min, max } = positionOf(load);
    if (kind === "column" || kind === "total") return false;
    const scale = kind === "full" ? length : 1;
    const rest = terms.filter(({ atom }) => atom.kind !== "axis" || atom.axis !== 0);
    if (!terms.some(({ atom, scale: by }) => atom.kind === "axis" && atom.axis === 0 && by === scale)) return false;
    if (kind !== "full") return rest.length === 0 && offset === 0;
    const highest = (rows - 1) * length;
    return rest.every(({ atom }) => atom.kind === "axis" && atom.axis === 1) && min >= 0 && max - highest < length;
  }

  private hasRoom(member: Member): boolean {
    const streams = new Set<Value>();
    let nodes = 0;
    for (const each of [...this.members.values(), member])
      for (const scalar of scalarsOf(each)) {
        nodes += nodeCount(scalar);
        forEachLoad(scalar, ({ source }) => {
          if (this.isFull(source)) streams.add(this.aliases.rootOf(source));
        });
      }
    return streams.size <= limits.streams && nodes <= limits.nodes && this.written.size + member.node.writes.length <= limits.values;
  }

  /** Would the joined kernel have to wait for itself, by way of a kernel outside? */
  private makesCircle(candidate: Node): boolean {
    return this.index.positions.isCircle(new Set([candidate, ...this.members.keys()]), limits.search);
  }
}

const lanes: ReadonlySet<string> = new Set(["float32", "int32", "bool"]);
const isFold = (combine: Combine): combine is Exclude<Combine, "argmax" | "argmin"> => combine !== "argmax" && combine !== "argmin";

/** The expressions of a member that are evaluated row by row. */
function scalarsOf({ kind, body, stores }: Member): Scalar[] {
  const reduced = body === undefined ? [] : [body];
  return kind === "column" || kind === "total" ? reduced : [...reduced, ...stores.map(store => store.body)];
}

/** Puts one node in the place of a cluster's; sums over columns and totals are finished by reductions of their own. Returns the new nodes. */
function replace(
  index: BlockIndex,
  { members, space }: RowCluster,
  aliases: Aliases,
  newValue: (like: Pick<Value, "dtype" | "shape">) => Value,
  isNeeded: (value: Value) => boolean,
): Node[] {
  const { kernel, finishing } = passesOf([...members.values()], space, { aliases, newValue, isNeeded });
  const place = Math.max(...[...members.keys()].map(node => node.index));
  const [made, ...ends] = [kernel, ...finishing].map(each => newNodeOf(each, place, aliases));
  for (const node of [made, ...ends]) index.add(node);
  index.positions.join(new Set(members.keys()), made, ends);
  for (const node of members.keys()) {
    for (const previous of node.after) {
      previous.before.delete(node);
      if (!members.has(previous)) addEdge(previous, made);
    }
    for (const next of node.before) {
      next.after.delete(node);
      if (members.has(next)) continue;
      addEdge(made, next);
      for (const end of ends) if (end.writes.some(value => next.reads.has(value))) addEdge(end, next);
    }
  }
  for (const end of ends) {
    addEdge(made, end);
    // What a finishing epilogue reads besides may be made outside, or by another end.
    for (const value of end.reads) {
      const writer = index.writers.get(value);
      if (writer !== undefined && writer !== end) addEdge(writer, end);
    }
  }
  return [made, ...ends];
}

function newNodeOf(kernel: PlainKernel, index: number, aliases: Aliases): Node {
  const writes = writesOfKernel(kernel);
  const reads = [...readsOfKernel(kernel)].map(value => aliases.rootOf(value)).filter(value => !writes.includes(value));
  return newNode(kernel, index, reads, writes);
}
