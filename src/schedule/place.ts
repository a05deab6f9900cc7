// Places: an offset in the arena for every buffer, among the constants for every constant that is read, a slot for what lives on the host;
// and with them the kernels of the Plan. Copies whose two ends have become one place are left out.

import { InternalError } from "../base/errors.ts";
import type { NDArray } from "../base/ndarray.ts";
import type { State, Value } from "../ir/program.ts";
import { bytesOf, isHost } from "./access.ts";
import { type Lifetime, pack } from "./arena.ts";
import type { Block, Home, Node, PlainKernel } from "./draft.ts";
import { type Buffer, type LiveRanges, liveRanges, type Span } from "./live-ranges.ts";
import { type Kernel, mayHaveScratch, type Place, type Plan, type ScheduleTarget } from "./plan.ts";
import { reuseDying } from "./reuse.ts";
import type { Homes } from "./settle.ts";
import type { Aliases, Sources } from "./sources.ts";

/** A constant from here on that is only copied into states (the initial value of a variable) stays where the host has it: among the constants it
 *  would be copied twice and held twice. Below, asking the host costs more than the copy. */
const largeBytes = 2 ** 16;

/** Gives every value its place and writes the Plan. */
export function place(block: Block, sources: Sources, homes: Homes, aliases: Aliases, target: ScheduleTarget): Plan {
  const given = [...sources.feeds, ...sources.flags].map(({ value }) => value);
  const ranges = liveRanges(block, given, homes, aliases);
  reuseDying(block, ranges, aliases);
  return new Placement(block, sources, homes, aliases, target, ranges).plan();
}

class Placement {
  private readonly block: Block;
  private readonly sources: Sources;
  private readonly homes: Homes;
  private readonly aliases: Aliases;
  private readonly target: ScheduleTarget;
  private readonly ranges: LiveRanges;
  private readonly places = new Map<Value, Place>();
  private readonly scratch = new Map<Node, Lifetime>();
  private readonly offsets: ReadonlyMap<Lifetime, number>;
  private readonly arenaBytes: number;
  private readonly bufferPlaces = new Map<Buffer, Place>();
  private readonly statePlaces = new Map<string, Place>();
  private readonly constants: { data: NDArray; offsetBytes: number }[] = [];
  private readonly hostConstants: { data: NDArray; slot: number }[] = [];
  private constantBytes = 0;
  private hostSlots = 0;

  constructor(block: Block, sources: Sources, homes: Homes, aliases: Aliases, target: ScheduleTarget, ranges: LiveRanges) {
    this.block = block;
    this.sources = sources;
    this.homes = homes;
    this.aliases = aliases;
    this.target = target;
    this.ranges = ranges;
    this.addScratch(block);
    const lifetimes = [...new Set(ranges.buffers.values()), ...this.scratch.values()].filter(({ bytes }) => bytes > 0);
    const packing = pack<Lifetime>(lifetimes, target.alignment);
    this.offsets = packing.offsets;
    this.arenaBytes = packing.bytes;
  }

  plan(): Plan {
    this.placeConstants();
    for (const { value, state } of this.sources.states) this.places.set(value, this.placeOfState(state));
    for (const { value } of [...this.sources.feeds, ...this.sources.flags]) this.placeOf(value);
    const kernels = this.kernelsOf(this.block);
    for (const result of this.block.results) this.placeOf(result);
    for (const [value, root] of this.aliases.entries()) {
      const place = this.places.get(root);
      if (place !== undefined) this.places.set(value, place);
    }
    const results = this.block.results.slice(0, this.block.results.length - this.sources.reshaped.length);
    return {
      kernels,
      places: this.places,
      feeds: this.sources.feeds,
      results,
      reshaped: this.sources.reshaped.map(({ state }, k) => ({ state, value: this.block.results[results.length + k] })),
      states: this.states(),
      flags: this.sources.flags,
      constants: this.constants,
      hostConstants: this.hostConstants,
      constantBytes: this.constantBytes,
      arenaBytes: this.arenaBytes,
      hostSlots: this.hostSlots,
    };
  }

  private states(): Plan["states"] {
    const written = new Map<string, State>();
    for (const { home } of this.block.finals) if (home.kind === "state") written.set(home.state.id, home.state);
    const read = this.sources.states.map(({ state, reader }) => ({ state, reader, written: written.delete(state.id) }));
    return [...read, ...[...written.values()].map(state => ({ state, reader: undefined, written: true }))];
  }

  private addScratch(block: Block): void {
    for (const node of block.nodes) {
      const { draft } = node;
      if (draft.kind === "branch") for (const region of draft.cases) this.addScratch(region);
      else if (draft.kind === "loop") for (const region of [draft.condition, draft.body]) this.addScratch(region);
      else if (mayHaveScratch(draft)) {
        const { start } = this.ranges.spans.get(node) as Span;
        this.scratch.set(node, { bytes: this.target.scratchBytes(draft), start, end: start });
      }
    }
  }

  private placeConstants(): void {
    const read = new Set<Value>();
    /** Read by more than copies into states. */
    const inMemory = new Set<Value>();
    const collect = (block: Block): void => {
      for (const { draft, reads } of block.nodes) {
        const isInitial = draft.kind === "copy" && draft.to.kind === "state";
        for (const value of reads) {
          read.add(this.aliases.rootOf(value));
          if (!isInitial) inMemory.add(this.aliases.rootOf(value));
        }
        if (draft.kind === "branch") for (const region of draft.cases) collect(region);
        if (draft.kind === "loop") for (const region of [draft.condition, draft.body]) collect(region);
      }
      for (const result of block.results) {
        read.add(this.aliases.rootOf(result));
        inMemory.add(this.aliases.rootOf(result));
      }
    };
    collect(this.block);
    const known = new Map<string, { data: NDArray; place: Place }[]>();
    for (const { data, value } of this.sources.constants) {
      const root = this.aliases.rootOf(value);
      if (!read.has(root)) continue;
      if (isHost(value) || (!inMemory.has(root) && bytesOf(value) >= largeBytes)) {
        const slot = this.hostSlots++;
        this.hostConstants.push({ data, slot });
        this.places.set(value, { region: "host", slot });
        continue;
      }
      const key = contentKey(data);
      const same = known.get(key) ?? [];
      let place = same.find(other => sameBytes(other.data, data))?.place;
      if (place === undefined) {
        place = { region: "constant", offsetBytes: this.constantBytes, bytes: bytesOf(value) };
        this.constants.push({ data, offsetBytes: this.constantBytes });
        this.constantBytes += Math.ceil(bytesOf(value) / this.target.alignment) * this.target.alignment;
        known.set(key, [...same, { data, place }]);
      }
      this.places.set(value, place);
    }
  }

  private placeOfState(state: State): Place {
    let place = this.statePlaces.get(state.id);
    if (place === undefined) {
      place = { region: "state", state, bytes: bytesOf(state) };
      this.statePlaces.set(state.id, place);
    }
    return place;
  }

  private placeOfHome(home: Home): Place {
    return home.kind === "state" ? this.placeOfState(home.state) : this.placeOf(home.value);
  }

  /** The place of a value, entered in the Plan. */
  private placeOf(value: Value): Place {
    const root = this.aliases.rootOf(value);
    let place = this.places.get(root);
    if (place === undefined) {
      place = this.newPlace(root);
      this.places.set(root, place);
    }
    if (root !== value) this.places.set(value, place);
    return place;
  }

  private newPlace(root: Value): Place {
    const home = this.homes.get(root);
    if (home !== undefined) return this.placeOfHome(home);
    if (isHost(root)) return { region: "host", slot: this.hostSlots++ };
    const buffer = this.ranges.buffers.get(root);
    if (bytesOf(root) === 0) return { region: "arena", offsetBytes: 0, bytes: 0 };
    if (buffer === undefined) throw new InternalError(`v${root.id} ${root.dtype}[${root.shape}] is read but never made.`);
    let place = this.bufferPlaces.get(buffer);
    if (place === undefined) {
      place = { region: "arena", offsetBytes: this.offsets.get(buffer) as number, bytes: buffer.bytes };
      this.bufferPlaces.set(buffer, place);
    }
    return place;
  }

  private kernelsOf(block: Block): Kernel[] {
    return block.nodes.flatMap(node => {
      for (const value of [...node.reads, ...node.writes]) this.placeOf(value);
      const { draft } = node;
      switch (draft.kind) {
        case "copy":
          return this.copy(draft.from, draft.to.kind === "value" ? this.placeOf(draft.to.value) : this.placeOfHome(draft.to));
        case "branch":
          return [{ kind: "branch", choice: draft.choice, cases: draft.cases.map(region => this.caseOf(region, draft.outs)) }];
        case "loop":
          return [
            ...draft.initial.flatMap((value, k) => this.copy(value, this.placeOf(draft.carried[k]))),
            { kind: "loop", condition: this.kernelsOf(draft.condition), test: draft.test, body: this.kernelsOf(draft.body) },
          ];
        default:
          return [this.placed(draft, node)];
      }
    });
  }

  private caseOf(region: Block, outs: readonly Value[]): Kernel[] {
    return [...this.kernelsOf(region), ...region.results.flatMap((result, k) => this.copy(result, this.placeOf(outs[k])))];
  }

  private copy(from: Value, to: Place): Kernel[] {
    const isEmpty = to.region !== "host" && to.bytes === 0 && !isHost(from);
    return isEmpty || this.placeOf(from) === to ? [] : [{ kind: "copy", from, to }];
  }

  private placed(kernel: PlainKernel, node: Node): Kernel {
    for (const value of kernel.kind === "check" ? kernel.failure.reads : []) this.placeOf(value);
    if (kernel.kind === "scatter") return { ...kernel, inPlace: this.placeOf(kernel.base) === this.placeOf(kernel.out) };
    if (!mayHaveScratch(kernel)) return kernel;
    const scratch = this.scratch.get(node) as Lifetime;
    return scratch.bytes === 0
      ? kernel
      : { ...kernel, scratch: { offsetBytes: this.offsets.get(scratch) as number, bytes: scratch.bytes } };
  }
}

const bytesIn = ({ data }: NDArray): Uint8Array =>
  Array.isArray(data) ? new Uint8Array(0) : new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

/** Length and a hash of the first bytes: enough to find candidates for equality. */
function contentKey(array: NDArray): string {
  const bytes = bytesIn(array);
  let hash = 17;
  for (let i = 0; i < Math.min(bytes.length, 64); i++) hash = (Math.imul(hash, 31) + bytes[i]) | 0;
  return `${bytes.length} ${hash}`;
}

function sameBytes(a: NDArray, b: NDArray): boolean {
  if (a.data === b.data) return true;
  const [x, y] = [wordsIn(bytesIn(a)), wordsIn(bytesIn(b))];
  if (x.length !== y.length) return false;
  for (let i = 0; i < x.length; i++) if (x[i] !== y[i]) return false;
  return true;
}

/** Bytes by fours where they lie so. */
const wordsIn = (bytes: Uint8Array): Uint8Array | Int32Array =>
  bytes.byteOffset % 4 === 0 && bytes.length % 4 === 0 ? new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4) : bytes;
