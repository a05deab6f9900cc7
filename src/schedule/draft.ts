// The draft of a Plan: kernels whose order and places are not settled yet, as nodes of a graph of what must come before what.
// Regions are blocks of their own. Values are always given by the one that owns the bytes (`Aliases.rootOf`).

import { dtypeBytes } from "../base/dtype.ts";
import type { State, Value } from "../ir/program.ts";
import { loadsOf, type Scalar } from "../ir/scalar.ts";
import { forEachLoad, isSamePosition } from "./access.ts";
import type { Kernel } from "./plan.ts";
import type { Aliases } from "./sources.ts";

export type PlainKernel = Exclude<Kernel, { kind: "copy" | "branch" | "loop" }>;

/** Memory that outlives a node's own run: a state, or a value carried around a loop. */
export type Home = { readonly kind: "state"; readonly state: State } | { readonly kind: "carried"; readonly value: Value };

export type Draft =
  | PlainKernel
  /** Into a home, or (to keep a value that will be overwritten) into a new array. */
  | { readonly kind: "copy"; readonly from: Value; readonly to: Home | { readonly kind: "value"; readonly value: Value } }
  | { readonly kind: "branch"; readonly outs: readonly Value[]; readonly choice: Value; readonly cases: readonly Block[] }
  /** `carried` are the body's parameters; the condition's and the loop's results are aliases of them. */
  | {
      readonly kind: "loop";
      readonly carried: readonly Value[];
      readonly initial: readonly Value[];
      readonly condition: Block;
      readonly test: Value;
      readonly body: Block;
    };

/** A step of a block with its edges. `after` must have run before this node may. */
export interface Node {
  draft: Draft;
  /** Where it stood in the program. */
  readonly index: number;
  readonly reads: Set<Value>;
  readonly writes: readonly Value[];
  /** May stop the run or call the host. */
  readonly hasEffect: boolean;
  readonly after: Set<Node>;
  readonly before: Set<Node>;
}

export interface Block {
  nodes: Node[];
  /** Values that must be intact at the end of the block, aliases as they are. */
  results: Value[];
  /** What each home holds after the block. */
  readonly finals: readonly { readonly home: Home; readonly value: Value }[];
}

export const newNode = (draft: Draft, index: number, reads: Iterable<Value>, writes: readonly Value[], hasEffect = false): Node => ({
  draft,
  index,
  reads: new Set(reads),
  writes,
  hasEffect,
  after: new Set(),
  before: new Set(),
});

export function addEdge(first: Node, second: Node): void {
  if (first === second) return;
  first.before.add(second);
  second.after.add(first);
}

/** Is there a path of edges from one node to any of others? */
export function reachable(from: Node, isGoal: (node: Node) => boolean): boolean {
  const seen = new Set<Node>([from]);
  const open = [from];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    for (const next of node.before) {
      if (seen.has(next)) continue;
      if (isGoal(next)) return true;
      seen.add(next);
      open.push(next);
    }
  }
  return false;
}

/** The expressions of a kernel. */
export function scalarsOfKernel(kernel: Kernel | Draft): readonly Scalar[] {
  switch (kernel.kind) {
    case "map":
    case "contract":
      return kernel.stores.map(store => store.body);
    case "reduce":
      return [kernel.body, ...kernel.stores.map(store => store.body)];
    case "rows":
      return kernel.passes.flatMap(({ before, reductions, columns, stores }) => [
        ...[...before, ...stores].map(store => store.body),
        ...columns.map(column => column.body),
        ...reductions.flatMap(({ body, stores: epilogues }) => [body, ...epilogues.map(store => store.body)]),
      ]);
    case "sweep":
      return kernel.maps.flatMap(scalarsOfKernel);
    case "reductions":
      return kernel.reductions.flatMap(scalarsOfKernel);
    case "scatter":
      return [...kernel.at, kernel.body];
    case "check":
      return [kernel.ok];
    default:
      return [];
  }
}

/** May a kernel write `out` in the memory of `value`, which it reads? Only if it reads each position no later than it writes there, and at
 *  no other place. */
export function canOverwrite(kernel: Kernel | Draft, value: Value, out: Value, aliases: Aliases): boolean {
  const isInPlace = (scalar: Scalar, shape: readonly number[]): boolean => {
    let is = true;
    forEachLoad(scalar, load => {
      if (aliases.rootOf(load.source) === value) is &&= dtypeBytes(load.dtype) === dtypeBytes(value.dtype) && isSamePosition(load, shape);
    });
    return is;
  };
  const isUnread = (scalar: Scalar): boolean => !loadsOf(scalar).some(({ source }) => aliases.rootOf(source) === value);
  if (kernel.kind === "map") return kernel.stores.every(({ body }) => isInPlace(body, kernel.shape));
  if (kernel.kind !== "rows") return false;
  const first = kernel.passes.findIndex(({ stores }) => stores.some(store => store.out === out));
  if (first < 0) return false;
  return kernel.passes.every(({ before, reductions, columns, stores }, p) => {
    const along = [...reductions, ...columns, ...stores].map(({ body }) => body);
    const beside = [...before, ...reductions.flatMap(reduction => reduction.stores)].map(({ body }) => body);
    return beside.every(isUnread) && along.every(body => (p <= first ? isInPlace(body, [kernel.rows, kernel.length]) : isUnread(body)));
  });
}

/** Does a scatter read its base besides adding to it? Then it cannot write over it. */
export function readsItsBase(kernel: Extract<PlainKernel, { kind: "scatter" }>, aliases: Aliases): boolean {
  const base = aliases.rootOf(kernel.base);
  let found = false;
  for (const scalar of scalarsOfKernel(kernel))
    forEachLoad(scalar, load => {
      found ||= aliases.rootOf(load.source) === base;
    });
  return found;
}

/** The values a kernel reads (not those of kernels inside a branch or loop), as they are named there. */
export function readsOfKernel(kernel: Kernel | Draft): Set<Value> {
  const reads = new Set<Value>();
  for (const scalar of scalarsOfKernel(kernel)) forEachLoad(scalar, load => void reads.add(load.source));
  const add = (...values: readonly Value[]): void => {
    for (const value of values) reads.add(value);
  };
  switch (kernel.kind) {
    case "contract":
      add(kernel.left.source, kernel.right.source, ...(kernel.panels ? [kernel.panels] : []));
      break;
    case "scan":
    case "sort":
      add(kernel.source);
      break;
    case "scatter":
      add(kernel.base);
      break;
    case "random":
      add(kernel.state);
      break;
    case "check":
      add(...kernel.failure.reads);
      break;
    case "copy":
      add(kernel.from);
      break;
    case "branch":
      add(kernel.choice);
      break;
    case "call":
      add(...kernel.inputs);
      break;
  }
  return reads;
}

/** The values a kernel writes (not those of kernels inside a branch or loop). */
export function writesOfKernel(kernel: PlainKernel): readonly Value[] {
  switch (kernel.kind) {
    case "map":
    case "reduce":
    case "contract":
      return kernel.stores.map(store => store.out);
    case "sweep":
      return kernel.maps.flatMap(writesOfKernel);
    case "reductions":
      return kernel.reductions.flatMap(writesOfKernel);
    case "rows": {
      const written = kernel.passes.flatMap(({ before, reductions, columns, stores }) => [
        ...[...before, ...stores, ...columns].map(({ out }) => out),
        ...reductions.flatMap(reduction => reduction.stores.map(({ out }) => out)),
      ]);
      return [...new Set(written)];
    }
    case "scan":
    case "scatter":
    case "random":
      return [kernel.out];
    case "sort":
      return [kernel.values, kernel.indices];
    case "check":
      return [];
    case "call":
      return kernel.outs;
  }
}

/** Values that a block reads but neither its parameters nor its nodes give. */
export function capturesOfBlock(block: Block, params: readonly Value[], aliases: Aliases): Set<Value> {
  const inner = new Set<Value>(params);
  for (const node of block.nodes) for (const value of node.writes) inner.add(value);
  const captured = new Set<Value>();
  const read = (value: Value): void => {
    const root = aliases.rootOf(value);
    if (!inner.has(root)) captured.add(root);
  };
  for (const node of block.nodes) for (const value of node.reads) read(value);
  for (const value of block.results) read(value);
  for (const { value } of block.finals) read(value);
  return captured;
}
