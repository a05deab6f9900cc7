// Work cut in two: the first segment runs, its results fix a value, a branch or sizes, and the rest is compiled for these. What happens between the
// two (operations of the host, the iterations of a loop) adds its results to what is known.

import { NDArray } from "../base/ndarray.ts";
import type { Operation, Tensor } from "../graph/operation.ts";
import { inputsOf, type StructuredCond, type StructuredLoop } from "../graph/structured.ts";
import type { NeedsValue } from "../lower/request.ts";
import { printSelection, resolve, type Selection } from "../optimize/selection.ts";
import type { Compiled, CompileFeed } from "./compiled.ts";
import { handleMakers, type HostCall, type RunContext, runTogether, valueInputs } from "./host.ts";
import { notScalar } from "../lower/structured.ts";
import { type Choices, choicesIn, deadIn, iterationOf, withCase, withChoices } from "./iterate.ts";
import { type Cut, isHandleSource, split } from "./split.ts";

/** What is to be cut, and how a part of it is compiled: under the name of its segment. */
export interface Whole {
  readonly selection: Selection;
  readonly feeds: readonly CompileFeed[];
  readonly build: (selection: Selection, feeds: readonly CompileFeed[], segment: string) => Promise<Compiled>;
  /** Counts the variables that came to hold another shape: what was compiled before does not fit any more. */
  readonly shapeChanges: () => number;
}

/** The arrays fed and computed so far. */
type Known = Map<Tensor, NDArray>;

/** Where to cut, and what happens there. */
interface Seam {
  readonly cut: Cut;
  readonly name: string;
  /** Why, for `explain`. */
  readonly reason: string;
  /** Values that the rest is compiled for. */
  readonly fixed?: readonly Tensor[];
  /** The rest under a name, for a choice among several, and what there is not of its fetches. */
  choose?(known: Known, rest: Selection): { readonly rest: Selection; readonly segment: string; readonly dead?: ReadonlySet<Tensor> };
  between?(known: Known, context: RunContext): Promise<void>;
  release?(): void;
}

/** Variants kept for the values and sizes met last; older ones are compiled again when they come back. */
const mostVariants = 64;

class Variants {
  private readonly kept = new Map<string, Promise<Compiled>>();

  get(key: string, make: () => Promise<Compiled>): Promise<Compiled> {
    const variant = this.kept.get(key) ?? make();
    this.kept.delete(key);
    this.kept.set(key, variant);
    for (const [oldest, old] of this.kept) {
      if (this.kept.size <= mostVariants) break;
      this.kept.delete(oldest);
      release(old);
    }
    return variant;
  }

  release(): void {
    for (const variant of this.kept.values()) release(variant);
    this.kept.clear();
  }
}

const release = (variant: Promise<Compiled>): void =>
  void variant.then(
    compiled => compiled.release(),
    () => undefined,
  );

const valueIn = (known: Known, tensor: Tensor): NDArray => known.get(tensor) as NDArray;

const copyOf = ({ dtype, shape, data }: NDArray): NDArray => new NDArray(dtype, shape, data.slice());

const sizesOf = (arrays: readonly NDArray[]): string => arrays.map(({ shape }) => shape.join()).join(";");

/** A text that is the same for the same elements alone: of words as they are, of strings by their bytes. */
function contentsOf({ data }: NDArray): string {
  return Array.isArray(data)
    ? data.map(bytes => [...bytes].join()).join(";")
    : new Uint8Array(data.buffer, data.byteOffset, data.byteLength).join();
}

/** What a part of a run hands on for a tensor of a case that was not taken: whoever reads it is not taken either. */
function nothingFor({ dtype, shape }: Tensor): NDArray {
  const sizes = (shape.dims ?? []).map(size => size ?? 0);
  const nothing = dtype === "variant" ? new NDArray(dtype, [], new Uint8Array(1)) : NDArray.zeros(dtype, sizes);
  nothings.add(nothing);
  return nothing;
}
const nothings = new WeakSet<NDArray>();
const noChoices: Choices = new Map();

async function inSegments({ selection, feeds, build, shapeChanges }: Whole, seam: Seam): Promise<Compiled> {
  const { name, fixed = [] } = seam;
  const halves = split(selection, seam.cut);
  const { first, crossing } = halves;
  // What is read of a variable is no feed of the rest, which may assign it.
  const isFeed = (tensor: Tensor): boolean => !tensor.isRef || fixed.includes(tensor) || selection.feeds.has(tensor);
  const all = { ...halves.rest, feeds: new Set([...halves.rest.feeds].filter(isFeed)) };
  // What is fetched and there already is no business of the rest.
  const isThere = all.fetches.map(fetch => all.feeds.has(resolve(all, fetch)));
  const rest = { ...all, fetches: all.fetches.filter((_, k) => !isThere[k]) };
  const head = first.nodes.length > 0 ? await build(first, feeds, `before ${name}`) : undefined;
  // What the sizes decide is no news to the rest, which is compiled for them.
  const constants = crossing.flatMap((tensor, i) => {
    const value = head?.constants?.[i];
    return value === undefined ? [] : [[tensor, value] as const];
  });
  const fed = feeds.map(({ tensor }) => tensor);
  const isRead = new Set(rest.nodes.flatMap(node => inputsOf(node).map(input => resolve(rest, input))));
  const crossed = [...crossing, ...halves.given].filter(tensor => rest.feeds.has(tensor) && isRead.has(tensor) && !fed.includes(tensor));
  const isDone = rest.targets.length === 0 && rest.fetches.length === 0 && rest.nodes.every(isHandleSource);
  const variants = new Variants();

  const compileRest = (known: Known, chosen: Selection, segment: string): Promise<Compiled> => {
    const given = [...feeds, ...crossed.map((tensor): CompileFeed => ({ tensor, shape: valueIn(known, tensor).shape }))];
    const values = new Map([...constants, ...fixed.map(tensor => [tensor, copyOf(valueIn(known, tensor))] as const)]);
    const withValues = given.map(feed => (values.has(feed.tensor) ? { ...feed, known: values.get(feed.tensor) } : feed));
    return build(chosen, withValues, segment);
  };

  const run = async (arrays: readonly NDArray[], context: RunContext): Promise<readonly NDArray[]> => {
    const known: Known = new Map();
    const values = head ? await head.run(arrays, context) : [];
    fed.forEach((tensor, i) => void known.set(tensor, arrays[i]));
    crossing.forEach((tensor, i) => void known.set(tensor, values[i]));
    await seam.between?.(known, context);
    const chosen = isDone ? undefined : (seam.choose?.(known, rest) ?? { rest, segment: `from ${name}` });
    const assemble = (computed: readonly NDArray[]): NDArray[] => {
      let next = 0;
      return all.fetches.map((fetch, k) => {
        if (isThere[k]) return thereIn(known, resolve(all, fetch));
        return chosen?.dead?.has(resolve(rest, fetch)) ? nothingFor(fetch) : computed[next++];
      });
    };
    if (!chosen) return assemble([]);
    const contents = fixed.map(tensor => contentsOf(valueIn(known, tensor))).join("|");
    const passed = crossed.map(tensor => valueIn(known, tensor));
    const sizes = sizesOf([...fixed.map(tensor => valueIn(known, tensor)), ...passed]);
    // Branches that would read what there is not are not taken: on predicates that are known.
    const given = [...arrays, ...passed];
    const choices = given.some(array => nothings.has(array)) ? choicesIn(chosen.rest, known) : noChoices;
    const key = [shapeChanges(), chosen.segment, contents, sizes, ...choices.values()].join(" ");
    const tail = await variants.get(key, () => compileRest(known, withChoices(chosen.rest, choices), chosen.segment));
    return assemble(await tail.run(given, context));
  };
  // What was fed is the caller's.
  const thereIn = (known: Known, tensor: Tensor): NDArray => {
    const value = valueIn(known, tensor);
    return fed.includes(tensor) && tensor.dtype !== "variant" ? copyOf(value) : value;
  };
  return {
    run,
    stages: { ...(head?.stages ?? { graph: () => printSelection(selection) }), segments: () => seam.reason },
    counts: head?.counts ?? {},
    release: () => {
      head?.release();
      variants.release();
      seam.release?.();
    },
  };
}

/** Runs what values depend on that shapes are made of, and then the calls of the host; the rest is compiled for each value and size that comes up. */
export function forEachValue(whole: Whole, missing: readonly NeedsValue[], calls: readonly HostCall[] = []): Promise<Compiled> {
  const { feeds } = whole.selection;
  const reasons = missing.map(({ tensor, op, message }) =>
    feeds.has(tensor) ? `compiled for each value of ${tensor.name}: ${message}` : `cut before ${op.name}: ${message}`,
  );
  const around = aroundCalls(whole, calls);
  const fixed = [...new Set(missing.map(({ tensor }) => tensor))];
  return inSegments(whole, {
    ...around,
    cut: { ...around.cut, needs: [...new Set([...fixed, ...around.cut.needs])], readers: [...missing, ...calls].map(({ op }) => op) },
    name: [...missing, ...calls].map(({ op }) => op.name).join(", "),
    reason: [...reasons, ...(calls.length > 0 ? [around.reason] : [])].join("\n"),
    fixed,
  });
}

/** Runs what a branch's predicate depends on; then the case taken is compiled as part of what is around it. */
export function forEachCase(whole: Whole, cond: StructuredCond): Promise<Compiled> {
  const predicate = resolve(whole.selection, cond.predicate);
  return inSegments(whole, {
    cut: { needs: [predicate], readers: [...cond.operations] },
    name: cond.name,
    reason: `cut before the branch '${cond.name}'`,
    // Other branches on the same predicate take the same case, and read what this one made in it; a variable may have changed until then.
    fixed: predicate.isRef ? [] : [predicate],
    choose: (known, rest) => {
      const chosen = valueIn(known, predicate);
      if (chosen.rank > 0) throw notScalar(cond, chosen.shape);
      const choice = Number(chosen.get(0));
      const dead = deadIn(cond, choice);
      const fetches = rest.fetches.filter(fetch => !dead.has(resolve(rest, fetch)));
      return { rest: withCase({ ...rest, fetches }, cond, choice), segment: `case ${choice} of ${cond.name}`, dead };
    },
  });
}

/** Runs what a loop depends on, then its iterations one by one; the rest is compiled for the sizes they give. */
export function aroundLoop(whole: Whole, loop: StructuredLoop): Promise<Compiled> {
  const { current, outside, initial, condition, crossing, body } = iterationOf(whole.selection, loop);
  const controls = [...loop.operations].flatMap(op => op.controlInputs).filter(op => !loop.operations.has(op));
  const [conditions, bodies] = [new Variants(), new Variants()];
  const inner = [...current, ...outside];
  return inSegments(whole, {
    cut: { needs: [...new Set([...initial, ...outside])], after: controls, between: loop.operations, readers: [current[0].op] },
    name: loop.name,
    reason: `the loop '${loop.name}' runs iteration by iteration`,
    between: async (known, context) => {
      const run = async (variants: Variants, part: Selection, name: string, fed: readonly Tensor[], arrays: readonly NDArray[]) => {
        const program = await variants.get(`${whole.shapeChanges()};${sizesOf(arrays)}`, () =>
          whole.build(
            part,
            fed.map((tensor, i): CompileFeed => ({ tensor, shape: arrays[i].shape })),
            `${name} of ${loop.name}`,
          ),
        );
        return program.run(arrays, context);
      };
      const around = outside.map(tensor => valueIn(known, tensor));
      let last: readonly NDArray[] = initial.map(tensor => valueIn(known, tensor));
      for (;;) {
        const [test, ...crossed] = await run(conditions, condition, "condition", inner, [...last, ...around]);
        if (!test.get(0)) break;
        last = await run(bodies, body, "body", [...inner, ...crossing], [...last, ...around, ...crossed]);
      }
      loop.exits.forEach((exit, k) => {
        if (exit !== undefined) known.set(exit, last[k]);
      });
    },
    release: () => {
      conditions.release();
      bodies.release();
    },
  });
}

/** Runs what calls of the host depend on, then these; the rest is compiled for the sizes they give. */
export const aroundHost = (whole: Whole, calls: readonly HostCall[]): Promise<Compiled> => inSegments(whole, aroundCalls(whole, calls));

function aroundCalls(whole: Whole, calls: readonly HostCall[]): Seam {
  const hosts: readonly Operation[] = calls.map(({ op }) => op);
  const name = hosts.map(op => op.name).join(", ");
  return {
    cut: {
      needs: [...new Set(hosts.flatMap(op => valueInputs(whole.selection, op)))],
      after: hosts.flatMap(op => [...op.controlInputs, ...handleMakers(op)]),
      between: new Set(hosts),
      readers: hosts,
    },
    name,
    reason: `on the host: ${name}`,
    between: async (known, context) => {
      const results = await runTogether(calls, known, context);
      hosts.forEach((op, k) => void op.outputs.forEach((output, i) => void known.set(output, results[k][i] as NDArray)));
    },
  };
}
