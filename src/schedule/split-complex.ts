// Arrays of complex numbers as arrays of floats with a last axis of two, wherever recorded code can compute with the parts: their bytes are the same, so what
// the session, routines and states know as complex is another name of them. A map gives both parts, a sum sums them, a contraction of complex matrices is
// one of real matrices with each term twice: (a + bi)(c + di) = a·(c, d) + b·(-d, c).

import { isComplex } from "../base/dtype.ts";
import { axisIndex, constantIndex, type Index, substituteIndex } from "../ir/index-map.ts";
import type { Program, Region, Step, Value } from "../ir/program.ts";
import { s, type Scalar, substituteScalar } from "../ir/scalar.ts";
import { axesOf } from "./access.ts";
import { canSplit, type Parts, partType, Splitting } from "./complex-parts.ts";
import type { Aliases } from "./sources.ts";

type NewValue = (like: Pick<Value, "dtype" | "shape">) => Value;
type Contract = Extract<Step, { kind: "contract" }>;

/** The program with complex arithmetic done by parts, in regions too; complex values are entered in `aliases`. */
export function splitComplex(program: Program, aliases: Aliases, newValue: NewValue): Program {
  const { steps } = new ComplexSplit(aliases, newValue).region({ params: [], steps: program.steps, results: program.results });
  return { ...program, steps };
}

const choosePart = (part: Index, { re, im }: Parts): Scalar => s.guard([{ index: part, low: 0, high: 1 }], re, im);

class ComplexSplit {
  private readonly aliases: Aliases;
  private readonly newValue: NewValue;
  private readonly views = new Map<Value, Value>();

  constructor(aliases: Aliases, newValue: NewValue) {
    this.aliases = aliases;
    this.newValue = newValue;
  }

  region(region: Region): Region {
    return { ...region, steps: region.steps.flatMap(step => this.step(step)) };
  }

  /** The parts of a value that is an array of complex numbers. */
  private viewOf(value: Value): Value {
    let view = this.views.get(value);
    if (view === undefined) {
      view = this.floats(value);
      this.aliases.add(view, value);
      this.views.set(value, view);
    }
    return view;
  }

  private floats({ dtype, shape }: Value): Value {
    return this.newValue({ dtype: partType(dtype), shape: [...shape, 2] });
  }

  /** The array that a step computes in place of a complex one. */
  private parted(value: Value): Value {
    const floats = this.floats(value);
    this.aliases.add(value, floats);
    this.views.set(value, floats);
    return floats;
  }

  private step(step: Step): readonly Step[] {
    switch (step.kind) {
      case "branch":
        return [{ ...step, cases: step.cases.map(region => this.region(region)) }];
      case "loop":
        return [{ ...step, condition: this.region(step.condition), body: this.region(step.body) }];
      case "map":
        return canSplit(step.body) ? [{ ...step, ...this.evaluated(step.out, step.body, step.out.shape.length) }] : [step];
      case "reduce":
        if (!canSplit(step.body) || (isComplex(step.out.dtype) && step.combine !== "sum")) return [step];
        return [{ ...step, ...this.evaluated(step.out, step.body, step.out.shape.length, step.over) }];
      case "check":
        return canSplit(step.ok) ? [{ ...step, ok: this.splitting().plain(step.ok) }] : [step];
      case "contract":
        return isComplex(step.out.dtype) ? this.contract(step) : [step];
      case "scan":
        if (!isComplex(step.out.dtype) || step.combine !== "sum") return [step];
        return [{ ...step, source: this.viewOf(step.source), out: this.parted(step.out) }];
      default:
        return [step];
    }
  }

  private splitting(): Splitting {
    return new Splitting(value => this.viewOf(value));
  }

  /** What a map or a sum evaluates: of a complex result one part at each place of an axis behind those of the result. */
  private evaluated(out: Value, body: Scalar, rank: number, over: readonly number[] = []): { out: Value; body: Scalar } {
    const splitting = this.splitting();
    if (!isComplex(out.dtype)) return { out, body: splitting.plain(body) };
    const axes = [...axesOf(out.shape), ...over.map((size, k) => axisIndex(rank + 1 + k, size))];
    const moved = (part: Scalar): Scalar => substituteScalar(part, axes);
    const { re, im } = splitting.pair(body);
    return { out: this.parted(out), body: choosePart(axisIndex(rank, 2), { re: moved(re), im: moved(im) }) };
  }

  /** Each term of the sum becomes two: a part of the left, and what it is multiplied by for each part of the result. */
  private contract({ out, over, left, right }: Contract): readonly Step[] {
    const rank = out.shape.length;
    const { shape, dtype } = right.source;
    const source = this.viewOf(right.source);
    const factors = this.newValue({ dtype: partType(dtype), shape: [...shape, 2, 2] });
    const at = axesOf(shape);
    const [re, im] = [0, 1].map(part => s.load(source, [...at, constantIndex(part)]));
    const [term, part] = [axisIndex(shape.length, 2), axisIndex(shape.length + 1, 2)];
    const body = choosePart(term, { re: choosePart(part, { re, im }), im: choosePart(part, { re: s.neg(im), im: re }) });
    const axes = [...axesOf(out.shape), ...over.map((size, k) => axisIndex(rank + 1 + k, size))];
    const [which, result] = [axisIndex(rank + 1 + over.length, 2), axisIndex(rank, 2)];
    const along = (index: Index): Index => substituteIndex(index, axes, value => value);
    return [
      { kind: "map", out: factors, body },
      {
        kind: "contract",
        out: this.parted(out),
        over: [...over, 2],
        left: { source: this.viewOf(left.source), at: [...left.at.map(along), which] },
        right: { source: factors, at: [...right.at.map(along), which, result] },
      },
    ];
  }
}
