// What a joined kernel does with a row: passes over its columns, each with the reductions, column sums and stores that can share it. A map
// that only passes of this kernel read is computed again where that is cheap; what is expensive and wanted in several passes is stored once,
// in the place of an output of the row if there is one.

import { axisIndex, flattenIndex, type Index, unflattenIndex } from "../ir/index-map.ts";
import type { Combine, Value } from "../ir/program.ts";
import { forEachScalar, loadScalar, type Scalar, substituteScalar } from "../ir/scalar.ts";
import { axesOf, forEachLoad, isSamePosition, type Load } from "./access.ts";
import { evaluationCost, expensive, functionCost, strideAlong } from "./cost.ts";
import type { Node, PlainKernel } from "./draft.ts";
import type { Kernel, RowPass, Store } from "./plan.ts";
import { SharedScalars } from "./share.ts";
import type { Aliases } from "./sources.ts";

/** A kernel seen over rows × columns: expressions at axis 0 (the row) and axis 1 (the column). */
export interface Member {
  readonly node: Node;
  /** One result a row, a column or in all; an element for each place; or a map with one element a row. */
  readonly kind: "row" | "column" | "total" | "full" | "line";
  readonly combine?: Exclude<Combine, "argmax" | "argmin">;
  readonly accumulator?: Value["dtype"];
  /** What is reduced. */
  readonly body?: Scalar;
  /** What is stored: of reductions the epilogues. */
  readonly stores: readonly Store[];
}

/** The space of a cluster. */
export interface RowSpace {
  readonly rows: number;
  readonly length: number;
}

/** A value only this kernel reads is computed again, rather than stored and loaded, up to this cost. */
const cheap = 12;

/** Rows are summed up in at most so many blocks, whatever the number of threads. */
const mostBlocks = 64;
const fewestRows = 8;

type RowsKernel = Extract<Kernel, { kind: "rows" }>;
type Reduce = Extract<Kernel, { kind: "reduce" }>;

interface Context {
  readonly aliases: Aliases;
  newValue(like: Pick<Value, "dtype" | "shape">): Value;
  /** Is the value read outside of the kernel? */
  isNeeded(value: Value): boolean;
}

interface Pass {
  readonly before: Store[];
  readonly reductions: { combine: RowPass["reductions"][number]["combine"]; body: Scalar; stores: Store[] }[];
  readonly columns: { combine: RowPass["columns"][number]["combine"]; body: Scalar; out: Value }[];
  readonly stores: Store[];
}

/** The kernel of a cluster, and the reductions that finish its sums over columns and totals. */
export function passesOf(
  members: readonly Member[],
  space: RowSpace,
  context: Context,
): { kernel: PlainKernel; finishing: readonly PlainKernel[] } {
  return new RowPasses(members, space, context).kernels();
}

class RowPasses {
  private readonly members: readonly Member[];
  private readonly space: RowSpace;
  private readonly context: Context;
  private readonly shape: readonly number[];
  private readonly blockRows: number;
  private readonly shared: SharedScalars;
  private readonly writers = new Map<Value, Member>();
  private readonly levels = new Map<Member, number>();
  private readonly bodies = new Map<Value, Scalar>();
  private readonly passes: Pass[] = [];
  private readonly finishing: PlainKernel[] = [];
  private readonly needed = new Set<Value>();

  constructor(members: readonly Member[], space: RowSpace, context: Context) {
    this.space = space;
    this.context = context;
    this.shape = [space.rows, space.length];
    this.shared = new SharedScalars(this.shape, context.aliases);
    for (const member of members) for (const value of member.node.writes) this.writers.set(value, member);
    this.members = this.inOrder(members);
    const hasColumns = members.some(({ kind }) => kind === "column");
    this.blockRows = hasColumns ? Math.max(fewestRows, Math.ceil(space.rows / mostBlocks)) : 1;
  }

  kernels(): { kernel: PlainKernel; finishing: readonly PlainKernel[] } {
    for (const { kind, node, stores } of this.members) {
      for (const value of node.writes) if (this.context.isNeeded(value)) this.needed.add(value);
      if (kind !== "column" && kind !== "total") continue;
      const { draft } = node;
      const epilogues = draft.kind === "reduce" ? draft.stores : stores;
      for (const { body } of epilogues) forEachLoad(body, ({ source }) => void this.needed.add(this.context.aliases.rootOf(source)));
    }
    for (const member of this.members) this.enter(member);
    this.dropUnread();
    this.storeOnce();
    const { rows, length } = this.space;
    const passes = this.passes.filter(pass => pass.before.length + pass.reductions.length + pass.columns.length + pass.stores.length > 0);
    const kernel: RowsKernel = { kind: "rows", rows, length, blockRows: this.blockRows, passes };
    return { kernel, finishing: this.finishing };
  }

  private writerOf(load: Load): Member | undefined {
    return this.writers.get(this.context.aliases.rootOf(load.source));
  }

  private inOrder(members: readonly Member[]): Member[] {
    const done = new Set<Member>();
    const ordered: Member[] = [];
    const visit = (member: Member): void => {
      if (done.has(member)) return;
      done.add(member);
      for (const scalar of [...(member.body === undefined ? [] : [member.body]), ...member.stores.map(store => store.body)])
        if (!this.finishes(member, scalar))
          forEachLoad(scalar, load => {
            const writer = this.writerOf(load);
            if (writer !== undefined) visit(writer);
          });
      ordered.push(member);
    };
    for (const member of [...members].sort((a, b) => a.node.index - b.node.index)) visit(member);
    return ordered;
  }

  /** Is the expression an epilogue that a reduction of its own evaluates later? */
  private finishes({ kind, body }: Member, scalar: Scalar): boolean {
    return (kind === "column" || kind === "total") && scalar !== body;
  }

  /** The pass that a member belongs to: after every reduction of the row that it needs. */
  private levelOf(member: Member): number {
    let level = 0;
    const needs = (scalar: Scalar, isEpilogue: boolean): void =>
      forEachLoad(scalar, load => {
        const writer = this.writerOf(load);
        if (writer === undefined || writer === member) return;
        const from = this.levels.get(writer) ?? 0;
        const isFinished =
          writer.kind === "line" || isEpilogue || (writer.kind === "full" && member.kind !== "line" && isSamePosition(load, this.shape));
        level = Math.max(level, isFinished ? from : from + 1);
      });
    if (member.body !== undefined) needs(member.body, false);
    if (member.kind !== "column" && member.kind !== "total") for (const { body } of member.stores) needs(body, member.kind === "row");
    return level;
  }

  private pass(level: number): Pass {
    while (this.passes.length <= level) this.passes.push({ before: [], reductions: [], columns: [], stores: [] });
    return this.passes[level];
  }

  private enter(member: Member): void {
    const level = this.levelOf(member);
    this.levels.set(member, level);
    const pass = this.pass(level);
    const stores = member.stores.map(({ out, body }) => ({ out, body: this.written(body, level, member.kind === "row") }));
    const body = member.body && this.written(member.body, level, false);
    switch (member.kind) {
      case "line":
        pass.before.push(...stores);
        break;
      case "full":
        for (const store of stores) this.bodies.set(store.out, store.body);
        pass.stores.push(...stores);
        break;
      default:
        if (body === undefined || member.combine === undefined) return;
        if (member.kind === "row") pass.reductions.push({ combine: member.combine, body, stores });
        else if (member.kind === "column") pass.columns.push({ combine: member.combine, body, out: this.partial(member, "column") });
        else {
          const out = this.partial(member, "total");
          pass.reductions.push({ combine: member.combine, body, stores: [{ out, body: { kind: "accumulator", dtype: "float32" } }] });
        }
    }
  }

  /** Sums of blocks of rows, and the reduction that adds them up. */
  private partial({ node: { draft } }: Member, kind: "column" | "total"): Value {
    const { rows, length } = this.space;
    const { shape, combine, accumulator, stores } = draft as Reduce;
    const count = kind === "total" ? rows : Math.ceil(rows / this.blockRows);
    const partial = this.context.newValue({ dtype: "float32", shape: kind === "total" ? [count] : [count, length] });
    const at = axisIndex(shape.length, count);
    const body = loadScalar(partial, kind === "total" ? [at] : [at, flattenIndex(axesOf(shape), shape)]);
    this.finishing.push({ kind: "reduce", shape, over: [count], combine, body, accumulator, stores });
    return partial;
  }

  /** An expression with loads of the kernel's own maps replaced: by what they are in this pass, or where that is as cheap as loading. */
  private written(scalar: Scalar, level: number, isEpilogue: boolean): Scalar {
    const inline = (load: Load): Scalar => {
      const root = this.context.aliases.rootOf(load.source);
      const body = this.bodies.get(root);
      const writer = this.writers.get(root);
      if (body === undefined || writer === undefined) return load;
      const isNow = this.levels.get(writer) === level && !isEpilogue;
      const isCheap = !this.needed.has(root) && costBesides(body) <= cheap;
      return isNow || isCheap ? substituteScalar(body, this.placeOf(load)) : load;
    };
    return this.shared.share(substituteScalar(scalar, axesOf(this.shape), inline));
  }

  /** Row and column of a load from an array of full size. */
  private placeOf(load: Load): Index[] {
    return unflattenIndex(flattenIndex(load.at, load.source.shape), this.shape);
  }

  private scalars(): Scalar[] {
    return this.passes.flatMap(pass => [
      ...[...pass.before, ...pass.stores].map(store => store.body),
      ...pass.columns.map(column => column.body),
      ...pass.reductions.flatMap(({ body, stores }) => [body, ...stores.map(store => store.body)]),
    ]);
  }

  /** Leaves out stores that nobody reads. */
  private dropUnread(): void {
    for (let isChanging = true; isChanging; ) {
      const read = new Set(this.needed);
      for (const scalar of this.scalars()) forEachLoad(scalar, ({ source }) => void read.add(this.context.aliases.rootOf(source)));
      isChanging = false;
      for (const pass of this.passes)
        for (const stores of [pass.before, pass.stores])
          for (const store of [...stores])
            if (!read.has(store.out) && this.writers.has(store.out)) {
              stores.splice(stores.indexOf(store), 1);
              isChanging = true;
            }
    }
  }

  /** What is expensive and evaluated in several passes is kept from the first. */
  private storeOnce(): void {
    for (const [p, pass] of this.passes.entries()) {
      const later = this.passes.slice(p + 1);
      for (const node of expensiveIn(bodiesOf(pass))) {
        const users = later.filter(other => bodiesOf(other).some(body => contains(body, node)));
        if (users.length === 0) continue;
        const out = this.lender(node, users) ?? this.context.newValue({ dtype: "float32", shape: this.shape });
        pass.stores.push({ out, body: node });
        const load = loadScalar(out, unflattenIndex(flattenIndex(axesOf(this.shape), this.shape), out.shape));
        for (const user of users) replaceIn(user, node, load);
      }
    }
  }

  /** An output stored in the last pass that wants `node`, which may hold it until then. */
  private lender(node: Scalar, users: readonly Pass[]): Value | undefined {
    const last = users[users.length - 1];
    const isFree = (out: Value): boolean =>
      out.dtype === node.dtype &&
      this.passes.flatMap(pass => pass.stores).filter(store => store.out === out).length === 1 &&
      !this.scalars().some(scalar => {
        let reads = false;
        forEachLoad(scalar, ({ source }) => {
          reads ||= this.context.aliases.rootOf(source) === out;
        });
        return reads;
      });
    return last.stores.find(({ out }) => isFree(out))?.out;
  }
}

/** The cost of an expression without its expensive functions: those are kept, not computed again. */
function costBesides(body: Scalar): number {
  let kept = 0;
  forEachScalar(body, node => {
    if (node.kind === "apply" && functionCost(node.fn) >= expensive) kept += functionCost(node.fn);
  });
  return evaluationCost(body, [1]) - kept;
}

const bodiesOf = (pass: Pass): Scalar[] => [
  ...pass.reductions.map(({ body }) => body),
  ...pass.columns.map(({ body }) => body),
  ...pass.stores.map(({ body }) => body),
];

/** The distinct expensive function values that differ from column to column. */
function expensiveIn(bodies: readonly Scalar[]): Scalar[] {
  const found = new Set<Scalar>();
  const seen = new Set<Scalar>();
  for (const body of bodies)
    forEachScalar(
      body,
      node => {
        if (node.kind === "apply" && node.dtype === "float32" && functionCost(node.fn) >= expensive && moves(node)) found.add(node);
      },
      seen,
    );
  return [...found];
}

function moves(node: Scalar): boolean {
  let does = false;
  forEachScalar(node, part => {
    if (part.kind === "load") does ||= part.at.some(index => strideAlong(index, 1) !== 0);
    if (part.kind === "index") does ||= strideAlong(part.index, 1) !== 0;
  });
  return does;
}

function contains(root: Scalar, wanted: Scalar): boolean {
  let does = false;
  forEachScalar(root, node => {
    does ||= node === wanted;
  });
  return does;
}

/** Puts `by` in the place of a node wherever a pass evaluates it. */
function replaceIn(pass: Pass, node: Scalar, by: Scalar): void {
  const done = new Map<Scalar, Scalar>([[node, by]]);
  const visit = (at: Scalar): Scalar => {
    let result = done.get(at);
    if (result === undefined) {
      result = withParts(at, visit);
      done.set(at, result);
    }
    return result;
  };
  for (const [k, reduction] of pass.reductions.entries()) pass.reductions[k] = { ...reduction, body: visit(reduction.body) };
  for (const [k, column] of pass.columns.entries()) pass.columns[k] = { ...column, body: visit(column.body) };
  for (const [k, store] of pass.stores.entries()) pass.stores[k] = { ...store, body: visit(store.body) };
}

function withParts(node: Scalar, visit: (part: Scalar) => Scalar): Scalar {
  switch (node.kind) {
    case "apply": {
      const args = node.args.map(visit);
      return args.every((arg, k) => arg === node.args[k]) ? node : { ...node, args };
    }
    case "cast":
    case "bitcast": {
      const arg = visit(node.arg);
      return arg === node.arg ? node : { ...node, arg };
    }
    default:
      return node;
  }
}
