// A sum of many contractions alike (the gradient of a weight that every step of an unrolled loop uses) becomes one contraction over their stacked
// operands: Σ over t of Σ over r of a_t[r, i]·b_t[r, j] is a sum over t and r. Where operands are smaller than results, stacking them costs less than
// storing and adding the results, which then need no memory. Sums of what is stacked anyway (the gradient of a bias) follow.

import { isFloating } from "../base/dtype.ts";
import { sizeOf } from "../base/shape.ts";
import { axisIndex, type Index, indexKey, substituteIndex } from "../ir/index-map.ts";
import type { Operand, Program, Region, Step, Value } from "../ir/program.ts";
import { outputsOf } from "../ir/program.ts";
import { applyScalar, guardScalar, loadScalar, type Scalar, substituteScalar } from "../ir/scalar.ts";
import { inputsOf } from "../ir/traverse.ts";
import { axesOf, isSamePosition, type Load } from "./access.ts";

type MapStep = Extract<Step, { kind: "map" }>;
type Contract = Extract<Step, { kind: "contract" }>;
type Reduce = Extract<Step, { kind: "reduce" }>;
type NewValue = (like: Pick<Value, "dtype" | "shape">) => Value;

/** Fewer contractions are not worth a copy of their operands. */
const fewest = 4;

/** The program with such sums replaced, in regions too. */
export function stackSums(program: Program, newValue: NewValue): Program {
  return { ...program, steps: stacked(program.steps, program.results, newValue) };
}

function stacked(steps: readonly Step[], results: readonly Value[], newValue: NewValue): Step[] {
  const inRegion = (region: Region): Region => ({ ...region, steps: stacked(region.steps, region.results, newValue) });
  const { made, replaced, after } = new BlockSums(steps, results, newValue);
  const stepsFor = (step: Step): Step[] => {
    if (replaced.has(step)) return [];
    if (step.kind === "branch") return [{ ...step, cases: step.cases.map(inRegion) }];
    if (step.kind === "loop") return [{ ...step, condition: inRegion(step.condition), body: inRegion(step.body) }];
    return made.get(step) ?? [step];
  };
  return [...(after.get(undefined) ?? []), ...steps.flatMap(step => [...stepsFor(step), ...(after.get(step) ?? [])])];
}

/** One of the terms of a sum, and the steps that are there for it alone: what it is the sum of, last. */
interface Term {
  readonly load: Load;
  readonly steps: readonly Step[];
  readonly head: Contract | Reduce | undefined;
}

/** What stands for some of the terms of a sum. */
interface Joined {
  readonly terms: readonly Term[];
  readonly step: Contract | Reduce;
}

class BlockSums {
  /** Steps that are gone. */
  readonly replaced = new Set<Step>();
  /** What stands in the place of a sum. */
  readonly made = new Map<Step, Step[]>();
  /** Stacks, each behind the last step that makes one of its values; undefined: before all steps. */
  readonly after = new Map<Step | undefined, Step[]>();
  private readonly producers = new Map<Value, Step>();
  private readonly places = new Map<Step, number>();
  private readonly readers = new Map<Value, number>();
  private readonly newValue: NewValue;
  private readonly stacks: { readonly values: readonly Value[]; readonly stack: Value }[] = [];

  constructor(steps: readonly Step[], results: readonly Value[], newValue: NewValue) {
    this.newValue = newValue;
    for (const [place, step] of steps.entries()) {
      this.places.set(step, place);
      for (const value of outputsOf(step)) this.producers.set(value, step);
      for (const value of inputsOf(step)) this.readers.set(value, (this.readers.get(value) ?? 0) + 1);
    }
    for (const value of results) this.readers.set(value, Number.POSITIVE_INFINITY);
    const sums = steps.flatMap(step => {
      const terms = step.kind === "map" && isFloating(step.out.dtype) ? this.termsOf(step) : [];
      return step.kind === "map" && terms.length >= fewest ? [{ step, terms }] : [];
    });
    // Sums of operands of these have stacks to read then.
    for (const { step, terms } of sums) this.replace(step, terms, group => this.contracted(group));
    for (const { step, terms } of sums) if (!this.made.has(step)) this.replace(step, terms, group => this.reduced(group));
  }

  /** The terms of a map that adds loads of its own position; none if it is no such sum. */
  private termsOf({ out, body }: MapStep): Term[] {
    const loads: Load[] = [];
    const open: Scalar[] = [body];
    for (let node = open.pop(); node !== undefined; node = open.pop()) {
      if (node.kind === "apply" && node.fn === "add") open.push(...[...node.args].reverse());
      else if (node.kind === "load" && isSamePosition(node, out.shape)) loads.push(node);
      else return [];
    }
    return loads.map(load => this.termOf(load, out.shape));
  }

  /** Follows a load through maps that are read here alone and only give the bytes another shape. */
  private termOf(load: Load, shape: readonly number[]): Term {
    const steps: Step[] = [];
    let at: Scalar = load;
    while (at.kind === "load" && isSamePosition(at, shape) && this.readers.get(at.source) === 1) {
      const step = this.producers.get(at.source);
      if (step === undefined) break;
      steps.push(step);
      const isSum = step.kind === "contract" || (step.kind === "reduce" && step.combine === "sum" && step.body.kind === "load");
      if (isSum) return { load: at, steps, head: step };
      if (step.kind !== "map") break;
      at = substituteScalar(step.body, at.at);
    }
    return { load, steps: [], head: undefined };
  }

  /** Puts what `join` makes of each group of terms alike in the place of the terms. */
  private replace(step: MapStep, terms: readonly Term[], join: (group: readonly Term[]) => Joined | undefined): void {
    const groups = new Map<string, Term[]>();
    for (const term of terms) {
      if (term.head === undefined) continue;
      const key = keyOf(term.head);
      groups.set(key, [...(groups.get(key) ?? []), term]);
    }
    const joined = [...groups.values()].flatMap(group => (group.length < fewest ? [] : (join(group) ?? [])));
    if (joined.length === 0) return;
    const gone = new Set(joined.flatMap(({ terms: members }) => members));
    for (const member of gone) for (const made of member.steps) this.replaced.add(made);
    const left = terms.filter(term => !gone.has(term)).map(({ load }): Scalar => load);
    const sums = joined.map(({ terms: [{ load }], step: { out } }) => loadScalar(out, load.at));
    const body = [...left, ...sums].reduce((sum, addend) => applyScalar("add", sum, addend));
    this.made.set(step, [...joined.map(({ step: sum }) => sum), { ...step, body }]);
  }

  private contracted(terms: readonly Term[]): Joined | undefined {
    const heads = terms.flatMap(({ head }) => (head?.kind === "contract" ? [head] : []));
    if (heads.length === 0) return undefined;
    const [{ out, over, left, right }] = heads;
    const sources = [heads.map(head => head.left.source), heads.map(head => head.right.source)];
    // What all terms share would rather be taken out of the sum.
    if (sources.some(side => new Set(side).size === 1)) return undefined;
    if (sizeOf(left.source.shape) + sizeOf(right.source.shape) > sizeOf(out.shape)) return undefined;
    const operandOf = ({ at }: Operand, values: readonly Value[]): Operand => ({
      source: this.stackOf(values),
      at: stackedAt(at, { shape: out.shape, over, count: values.length }),
    });
    const step: Contract = {
      kind: "contract",
      out: this.newValue(out),
      over: [heads.length, ...over],
      left: operandOf(left, sources[0]),
      right: operandOf(right, sources[1]),
    };
    return { terms, step };
  }

  /** Reductions of values that are in a stack, all of them once. */
  private reduced(terms: readonly Term[]): Joined | undefined {
    const byValue = new Map<Value, Term>();
    for (const term of terms) if (term.head?.kind === "reduce" && term.head.body.kind === "load") byValue.set(term.head.body.source, term);
    const known = this.stacks.find(({ values }) => new Set(values).size === values.length && values.every(value => byValue.has(value)));
    const members = known?.values.flatMap(value => byValue.get(value) ?? []) ?? [];
    const head = members[0]?.head;
    if (known === undefined || head?.kind !== "reduce" || head.body.kind !== "load") return undefined;
    const { out, over, combine, body } = head;
    const at = stackedAt(body.at, { shape: out.shape, over, count: members.length });
    const sum = loadScalar(known.stack, at);
    return { terms: members, step: { kind: "reduce", out: this.newValue(out), over: [members.length, ...over], combine, body: sum } };
  }

  /** The values one after the other along a new first axis. */
  private stackOf(values: readonly Value[]): Value {
    const known = this.stacks.find(each => each.values.length === values.length && each.values.every((value, t) => value === values[t]));
    if (known !== undefined) return known.stack;
    const [{ dtype, shape }] = values;
    const stack = this.newValue({ dtype, shape: [values.length, ...shape] });
    const [t, ...at] = axesOf(stack.shape);
    const pieces = (from: number, to: number): Scalar => {
      if (to - from === 1) return loadScalar(values[from], at);
      const middle = (from + to) >> 1;
      return guardScalar([{ index: t, low: 0, high: middle }], pieces(from, middle), pieces(middle, to));
    };
    this.stacks.push({ values, stack });
    const places = values.map(value => this.producers.get(value)).filter(step => step !== undefined);
    const last = places.reduce<Step | undefined>((a, b) => (a !== undefined && this.placeOf(a) > this.placeOf(b) ? a : b), undefined);
    this.after.set(last, [...(this.after.get(last) ?? []), { kind: "map", out: stack, body: pieces(0, values.length) }]);
    return stack;
  }

  private placeOf(step: Step): number {
    return this.places.get(step) ?? -1;
  }
}

/** An index of an operand, seen from a sum over so many of them as well: its first axis is the one summed first. */
function stackedAt(
  at: readonly Index[],
  { shape, over, count }: { readonly shape: readonly number[]; readonly over: readonly number[]; readonly count: number },
): Index[] {
  const rank = shape.length;
  const axes = [...axesOf(shape), ...over.map((size, r) => axisIndex(rank + 1 + r, size))];
  return [axisIndex(rank, count), ...at.map(index => substituteIndex(index, axes, value => value))];
}

/** Equal where sums differ in what they read alone. */
function keyOf(head: Contract | Reduce): string {
  const read = ({ source: { dtype, shape }, at }: Operand): string => `${dtype}[${shape}] at ${at.map(indexKey).join()}`;
  const reads = head.kind === "contract" ? [read(head.left), read(head.right)] : head.body.kind === "load" ? [read(head.body)] : [];
  return [head.kind, head.out.shape.join(), head.over.join(), ...reads].join(" | ");
}
