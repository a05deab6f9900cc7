// Settling what outlives a block: new values of states, and of what a loop carries, must reach their homes at its end.
// A kernel writes straight into the home when everything else that reads the old value can run before it and it reads the old value only
// where it writes; otherwise a copy at the end does. Copies are parallel (values may swap homes), so some first save what they copy.

import { InternalError } from "../base/errors.ts";
import type { Value } from "../ir/program.ts";
import { loadsOf } from "../ir/scalar.ts";
import { bytesOf, isHost } from "./access.ts";
import { addEdge, type Block, canOverwrite, type Home, newNode, type Node, reachable, readsItsBase, scalarsOfKernel } from "./draft.ts";
import type { Aliases, Sources } from "./sources.ts";

/** Values written straight into the memory that outlives the block. */
export type Homes = ReadonlyMap<Value, Home>;

/** Adds copies, and edges that keep old values intact until they have been read, to a block and the blocks inside it. */
export function settle(block: Block, sources: Sources, aliases: Aliases, newValue: (like: Value) => Value): Homes {
  const homes = new Map<Value, Home>();
  const inner = (at: Block): void => {
    for (const { draft } of at.nodes) {
      if (draft.kind === "branch") for (const region of draft.cases) inner(region);
      if (draft.kind === "loop") for (const region of [draft.condition, draft.body]) inner(region);
    }
    new Settlement(at, sources, aliases, newValue, homes).run();
  };
  inner(block);
  return homes;
}

interface Final {
  readonly home: Home;
  readonly value: Value;
  /** Names what the home holds when the block begins, if anything reads it. */
  readonly old: Value | undefined;
}

const writable: ReadonlySet<string> = new Set(["map", "reduce", "reductions", "rows", "contract", "scan", "scatter", "random", "sort"]);

class Settlement {
  private readonly block: Block;
  private readonly aliases: Aliases;
  private readonly newValue: (like: Value) => Value;
  private readonly homes: Map<Value, Home>;
  private readonly finals: readonly Final[];
  private readonly writers = new Map<Value, Node>();
  private readonly readers = new Map<Value, Set<Node>>();
  private readonly lastEffect: Node | undefined;

  constructor(block: Block, sources: Sources, aliases: Aliases, newValue: (like: Value) => Value, homes: Map<Value, Home>) {
    this.block = block;
    this.aliases = aliases;
    this.newValue = newValue;
    this.homes = homes;
    const olds = new Map(sources.states.map(({ state, value }) => [state.id, value]));
    this.finals = block.finals
      .map(({ home, value }) => ({ home, value, old: home.kind === "state" ? olds.get(home.state.id) : home.value }))
      .filter(({ value, old }) => old === undefined || aliases.rootOf(value) !== old);
    for (const node of block.nodes) this.register(node);
    const effects = block.nodes.filter(node => node.hasEffect);
    this.lastEffect = effects.find(node => ![...node.before].some(next => next.hasEffect)) ?? effects.at(-1);
  }

  run(): void {
    this.keepOldResults();
    const isDirect = (final: Final): boolean => this.chainInto(final) !== undefined;
    const copies = new Map<Final, Node>();
    for (const final of this.finals) if (!isDirect(final)) copies.set(final, this.copyInto(final));
    for (const final of this.finals) if (!copies.has(final) && !this.writeDirectly(final)) copies.set(final, this.copyInto(final));
    for (const [final, copy] of copies) this.orderCopy(final, copy);
  }

  private register(node: Node): void {
    for (const value of node.writes) this.writers.set(value, node);
    for (const value of node.reads) {
      const readers = this.readers.get(value);
      if (readers === undefined) this.readers.set(value, new Set([node]));
      else readers.add(node);
    }
  }

  private addNode(node: Node): Node {
    this.block.nodes.push(node);
    this.register(node);
    for (const value of node.reads) {
      const writer = this.writers.get(value);
      if (writer !== undefined) addEdge(writer, node);
    }
    return node;
  }

  /** Results that name the old value of a state that changes are copied while it is there. */
  private keepOldResults(): void {
    const olds = new Set(this.finals.map(final => final.old));
    const kept = new Map<Value, Value>();
    this.block.results = this.block.results.map(result => {
      if (!olds.has(this.aliases.rootOf(result))) return result;
      let copy = kept.get(result);
      if (copy === undefined) {
        copy = this.saved(result, this.aliases.rootOf(result)).writes[0];
        kept.set(result, copy);
      }
      return copy;
    });
  }

  private saved(value: Value, root: Value): Node {
    const to = this.newValue(value);
    return this.addNode(newNode({ kind: "copy", from: value, to: { kind: "value", value: to } }, this.block.nodes.length, [root], [to]));
  }

  private copyInto({ home, value }: Final): Node {
    const root = this.aliases.rootOf(value);
    if (home.kind === "state" && bytesOf(home.state) !== bytesOf(value))
      throw new InternalError(`State ${home.state.id} [${home.state.shape}] is updated with an array of shape [${value.shape}].`);
    return this.addNode(newNode({ kind: "copy", from: value, to: home }, Number.MAX_SAFE_INTEGER, [root], []));
  }

  /** The nodes that could write a final value in its home, the last first: its own, and while one scatters into a base, that of the base.
   *  Only the first to write may still read the old value, and only where it writes. */
  private chainInto({ home, value, old }: Final): Node[] | undefined {
    const bytes = bytesOf(home.kind === "state" ? home.state : home.value);
    const chain: Node[] = [];
    for (let root = this.aliases.rootOf(value); root !== old; ) {
      const node = this.writers.get(root);
      if (node === undefined || !writable.has(node.draft.kind) || this.homes.has(root) || isHost(root) || bytesOf(root) !== bytes) break;
      if (chain.length > 0 && !this.isOnlyReadBy(root, chain[chain.length - 1])) break;
      chain.push(node);
      if (node.draft.kind !== "scatter" || readsItsBase(node.draft, this.aliases)) break;
      root = this.aliases.rootOf(node.draft.base);
    }
    if (old === undefined) return chain.length === 0 ? undefined : chain;
    for (; chain.length > 0; chain.pop()) {
      const first = chain[chain.length - 1];
      const written = chain.length === 1 ? this.aliases.rootOf(value) : this.baseOfNext(chain, first);
      if (this.readsOnlyInPlace(first, old, written) && chain.every(node => node === first || !node.reads.has(old))) return chain;
    }
    return undefined;
  }

  private isOnlyReadBy(root: Value, reader: Node): boolean {
    const isKept = this.block.results.some(result => this.aliases.rootOf(result) === root);
    const isFinal = this.block.finals.some(final => this.aliases.rootOf(final.value) === root);
    return !isKept && !isFinal && [...(this.readers.get(root) ?? [])].every(node => node === reader);
  }

  /** Does the node read `old`, if at all, at the very position where it writes `root`? */
  private readsOnlyInPlace({ draft, reads }: Node, old: Value, root: Value): boolean {
    if (!reads.has(old)) return true;
    if (draft.kind !== "scatter") return canOverwrite(draft, old, root, this.aliases);
    return scalarsOfKernel(draft).every(scalar => loadsOf(scalar).every(({ source }) => this.aliases.rootOf(source) !== old));
  }

  /** Lets the kernels of a final value write its home, if all that reads the old value, and all that may fail, can come before them. */
  private writeDirectly(final: Final): boolean {
    const chain = this.chainInto(final);
    if (chain === undefined) return false;
    const first = chain[chain.length - 1];
    const before = new Set(this.before(final).filter(node => !chain.includes(node)));
    if (reachable(first, node => before.has(node))) return false;
    for (const node of before) addEdge(node, first);
    for (const node of chain) {
      const root = node === chain[0] ? this.aliases.rootOf(final.value) : this.baseOfNext(chain, node);
      this.homes.set(root, final.home);
    }
    return true;
  }

  private baseOfNext(chain: readonly Node[], node: Node): Value {
    const { draft } = chain[chain.indexOf(node) - 1];
    if (draft.kind !== "scatter") throw new InternalError("Only scatters continue in the memory of their base.");
    return this.aliases.rootOf(draft.base);
  }

  /** What must have run before a home may be overwritten. */
  private before({ home, old }: Final): Node[] {
    const nodes = old === undefined ? [] : [...(this.readers.get(old) ?? [])];
    if (home.kind === "state" && this.lastEffect !== undefined && !nodes.includes(this.lastEffect)) nodes.push(this.lastEffect);
    return nodes;
  }

  private orderCopy(final: Final, copy: Node): void {
    const before = new Set(this.before(final).filter(node => node !== copy));
    const last = reachable(copy, node => before.has(node)) ? this.split(copy) : copy;
    for (const node of before) addEdge(node, last);
  }

  /** Saves what a copy reads, so that its source may be overwritten before the copy arrives; gives the copy from there. */
  private split(copy: Node): Node {
    const { draft } = copy;
    if (draft.kind !== "copy") throw new InternalError("Only copies are split.");
    const [root] = copy.reads;
    const save = this.saved(draft.from, root);
    for (const next of copy.before) {
      addEdge(save, next);
      next.after.delete(copy);
    }
    for (const previous of copy.after) previous.before.delete(copy);
    this.readers.get(root)?.delete(copy);
    this.block.nodes.splice(this.block.nodes.indexOf(copy), 1);
    return this.addNode(newNode({ ...draft, from: save.writes[0] }, copy.index, save.writes, []));
  }
}
