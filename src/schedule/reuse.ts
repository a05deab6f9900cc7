// Writing over what dies: a map over an array it reads only where it writes, a scatter over its base, what a loop carries over its
// initial value, the result of a branch's case over the branch's own. Their buffers become one, and the copy between them falls away.

import { dtypeBytes } from "../base/dtype.ts";
import type { Value } from "../ir/program.ts";
import { type Block, canOverwrite, type Node, type PlainKernel, readsItsBase, readsOfKernel, writesOfKernel } from "./draft.ts";
import type { Buffer, LiveRanges, Span } from "./live-ranges.ts";
import type { Aliases } from "./sources.ts";

/** Joins buffers in `ranges` where one value can take over the memory of another. */
export function reuseDying(block: Block, ranges: LiveRanges, aliases: Aliases): void {
  new Reuse(ranges, aliases).block(block);
}

class Reuse {
  private readonly ranges: LiveRanges;
  private readonly aliases: Aliases;
  private readonly members = new Map<Buffer, Value[]>();
  /** Where a buffer was taken over last: what took it may be needed there for the last time too. */
  private readonly takenAt = new Map<Buffer, number>();

  constructor(ranges: LiveRanges, aliases: Aliases) {
    this.ranges = ranges;
    this.aliases = aliases;
    for (const [value, buffer] of ranges.buffers) this.members.set(buffer, [value]);
  }

  block(block: Block): void {
    for (const node of block.nodes) {
      const { draft } = node;
      const span = this.ranges.spans.get(node) as Span;
      if (draft.kind === "map" || draft.kind === "rows") this.reuseInPlace(draft, node, span.start);
      else if (draft.kind === "sweep") this.reuseInSweep(draft, span.start);
      else if (draft.kind === "scatter") this.reuseBase(draft, span.start);
      else if (draft.kind === "branch")
        for (const [k, region] of draft.cases.entries()) {
          this.block(region);
          for (const [i, result] of region.results.entries()) this.reuseResult(result, draft.outs[i], span, span.ends[k]);
        }
      else if (draft.kind === "loop") {
        for (const [k, initial] of draft.initial.entries()) this.take(this.bufferOf(initial), this.bufferOf(draft.carried[k]), span.start);
        this.block(draft.condition);
        this.block(draft.body);
      }
    }
  }

  private bufferOf(value: Value): Buffer | undefined {
    return this.ranges.buffers.get(this.aliases.rootOf(value));
  }

  /** Lets `taker` continue in the memory of `dying`, if that is needed for the last time at `position`. */
  private take(dying: Buffer | undefined, taker: Buffer | undefined, position: number): boolean {
    if (dying === undefined || taker === undefined || dying === taker) return false;
    if (dying.end !== position || taker.start !== position || dying.bytes !== taker.bytes || dying.bytes === 0) return false;
    if (this.takenAt.get(dying) === position) return false;
    this.takenAt.set(dying, position);
    dying.end = taker.end;
    this.join(taker, dying);
    return true;
  }

  private join(buffer: Buffer, into: Buffer): void {
    const members = this.members.get(into) as Value[];
    for (const value of this.members.get(buffer) as Value[]) {
      this.ranges.buffers.set(value, into);
      members.push(value);
    }
    this.members.delete(buffer);
  }

  private reuseInPlace(
    kernel: Extract<PlainKernel, { kind: "map" | "rows" }>,
    { reads, writes }: Pick<Node, "reads" | "writes">,
    position: number,
  ): void {
    for (const out of writes)
      for (const value of reads) {
        if (dtypeBytes(value.dtype) !== dtypeBytes(out.dtype) || !canOverwrite(kernel, value, out, this.aliases)) continue;
        if (this.take(this.bufferOf(value), this.bufferOf(out), position)) break;
      }
  }

  /** A map of a sweep writes over nothing that another reads: they run at the same time. */
  private reuseInSweep({ maps }: Extract<PlainKernel, { kind: "sweep" }>, position: number): void {
    const readers = new Map<Buffer, number>();
    const nodes = maps.map(map => {
      const reads = new Set([...readsOfKernel(map)].map(value => this.aliases.rootOf(value)));
      for (const buffer of new Set([...reads].flatMap(value => this.bufferOf(value) ?? [])))
        readers.set(buffer, (readers.get(buffer) ?? 0) + 1);
      return { map, reads, writes: writesOfKernel(map) };
    });
    for (const { map, reads, writes } of nodes) {
      const own = [...reads].filter(value => {
        const buffer = this.bufferOf(value);
        return buffer !== undefined && readers.get(buffer) === 1;
      });
      this.reuseInPlace(map, { reads: new Set(own), writes }, position);
    }
  }

  private reuseBase(kernel: Extract<PlainKernel, { kind: "scatter" }>, position: number): void {
    if (!readsItsBase(kernel, this.aliases)) this.take(this.bufferOf(kernel.base), this.bufferOf(kernel.out), position);
  }

  /** A result made inside its case, and needed for nothing else, is made in the memory of the branch's result. */
  private reuseResult(result: Value, out: Value, span: Span, end: number): void {
    const [made, wanted] = [this.bufferOf(result), this.bufferOf(out)];
    if (made === undefined || wanted === undefined || made === wanted) return;
    if (made.start > span.start && made.end === end && made.bytes === wanted.bytes) this.join(made, wanted);
  }
}
