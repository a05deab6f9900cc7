// Fusion by substitution: a map whose readers can compute it themselves gets no kernel and no memory; its expression stands in theirs.
// Decided from the readers back, by cost (cost.ts): stored once and loaded, or computed in every evaluation that reads it.
// What moves no data (reshapes) becomes another name for the same bytes. Idea: XLA's fusion decisions, tinygrad's rangeify.

import { isComplex, isFloating } from "../base/dtype.ts";
import { sizeOf } from "../base/shape.ts";
import type { Operand, Program, Region, Step, Value } from "../ir/program.ts";
import type { Scalar } from "../ir/scalar.ts";
import { applyScalar, constantScalar, substituteScalar } from "../ir/scalar.ts";
import { inputsOf, scalarsOf } from "../ir/traverse.ts";
import { axesOf, equalIndex, forEachLoad, isHost, isSamePosition, iterationOf, type Load, nodeCount } from "./access.ts";
import { evaluationCost, hasExpensiveFunction, innerAxes, isPlain, kernelCost, loadCost, storeCost } from "./cost.ts";
import { readThrough, sameBytesAs } from "./movement.ts";
import { SharedScalars } from "./share.ts";
import type { Aliases } from "./sources.ts";

type MapStep = Extract<Step, { kind: "map" }>;
type Contract = Extract<Step, { kind: "contract" }>;
type Side = "left" | "right";

/** A load of a map's value in a reader's expression; `share` of the reader's evaluations get to it. */
interface Use {
  readonly reader: Step;
  readonly load: Load;
  readonly share: number;
}

/** Expressions larger than this are stored rather than substituted further, which also keeps substitution from growing exponentially. */
const largestInlined = 96;

/** The program with maps substituted into their readers, in regions too (never across a region's edge). Values that share their bytes
 *  with another are entered in `aliases` and have no step. */
export function fuse(program: Program, aliases: Aliases): Program {
  return { steps: new BlockFusion(program.steps, program.results, aliases).fused(), results: program.results };
}

const fuseRegion = (region: Region, aliases: Aliases): Region => ({
  ...region,
  steps: new BlockFusion(region.steps, region.results, aliases).fused(),
});

/** A reduction over a single element is a map. Sums begin at 0, which turns -0 into 0. */
function simplify(step: Step): Step {
  if (step.kind !== "reduce" || sizeOf(step.over) !== 1) return step;
  const { out, combine, body } = step;
  if (combine === "argmax" || combine === "argmin") return { kind: "map", out, body: constantScalar(out.dtype, 0) };
  const hasSignedZero = combine === "sum" && (isFloating(out.dtype) || isComplex(out.dtype));
  return { kind: "map", out, body: hasSignedZero ? applyScalar("add", body, 0) : body };
}

class BlockFusion {
  private readonly steps: readonly Step[];
  private readonly aliases: Aliases;
  private readonly maps = new Map<Value, MapStep>();
  private readonly uses = new Map<Value, Use[]>();
  private readonly operandUses = new Map<Value, { step: Contract; side: Side }[]>();
  private readonly operands = new Map<Step, { left: Operand; right: Operand }>();
  /** Values that must exist as arrays. */
  private readonly pinned = new Set<Value>();
  /** Maps without a kernel of their own: substituted, or names for other bytes. */
  private readonly virtual = new Set<Value>();
  /** Stored, and yet so cheap that readers compute them. */
  private readonly trivial = new Set<Value>();
  /** Names for other bytes that are read at other positions than the one being computed. */
  private readonly spread = new Set<Step>();
  private readonly dead = new Set<Step>();
  private readonly evaluations = new Map<Step, number>();
  /** Values that a contraction can store itself, if they are stored at all. */
  private readonly fromContract = new Set<Value>();
  /** Expressions that stand for loads of a value; `unstored` values are nowhere else. */
  private readonly bodies = new Map<Value, Scalar>();
  private readonly unstored = new Set<Value>();

  constructor(steps: readonly Step[], results: readonly Value[], aliases: Aliases) {
    this.steps = steps.map(simplify);
    this.aliases = aliases;
    for (const step of this.steps) if (step.kind === "map") this.maps.set(step.out, step);
    for (const step of this.steps) this.collect(step);
    for (const step of this.steps) if (step.kind === "scatter") this.keepOffBase(step);
    for (const value of results) this.pinned.add(value);
    // Under another name, too.
    for (const value of [...this.pinned]) this.pinned.add(this.aliases.rootOf(value));
  }

  fused(): Step[] {
    for (let i = this.steps.length - 1; i >= 0; i--) this.decide(this.steps[i]);
    return this.steps.flatMap(step => this.rewrite(step));
  }

  private collect(step: Step): void {
    for (const scalar of scalarsOf(step))
      forEachLoad(scalar, (load, share) => {
        if (!this.maps.has(load.source)) this.pinned.add(this.aliases.rootOf(load.source));
        else entry(this.uses, load.source).push({ reader: step, load, share });
      });
    switch (step.kind) {
      case "map":
        if (this.isEpilogue(step)) this.fromContract.add(step.out);
        break;
      case "reduce":
        break;
      case "contract":
        this.fromContract.add(step.out);
        this.operands.set(step, { left: step.left, right: step.right });
        for (const side of ["left", "right"] as const) entry(this.operandUses, step[side].source).push({ step, side });
        break;
      case "scatter":
        this.pinned.add(step.base);
        break;
      case "check":
        for (const value of step.failure.reads) this.pinned.add(this.aliases.rootOf(value));
        break;
      default:
        for (const value of inputsOf(step)) this.pinned.add(value);
    }
  }

  /** What a scatter reads of its own base (rows that an update moves) is stored beforehand: then the base can be overwritten in place. */
  private keepOffBase(step: Extract<Step, { kind: "scatter" }>): void {
    const base = this.aliases.rootOf(step.base);
    const seen = new Set<Value>();
    const visit = (scalar: Scalar): void =>
      forEachLoad(scalar, ({ source }) => {
        const map = this.maps.get(source);
        if (map === undefined || seen.has(source)) return;
        seen.add(source);
        forEachLoad(map.body, load => {
          if (this.aliases.rootOf(load.source) === base) this.pinned.add(source);
        });
        visit(map.body);
      });
    for (const scalar of [...step.at, step.body]) visit(scalar);
  }

  /** May this map be computed where a contraction's result is stored? */
  private isEpilogue({ body, out }: MapStep): boolean {
    let reads = false;
    forEachLoad(body, load => {
      reads ||= this.fromContract.has(load.source) && load.dtype === out.dtype && isSamePosition(load, out.shape);
    });
    return reads && isPlain(body, out.shape) && !hasExpensiveFunction(body);
  }

  private decide(step: Step): void {
    if (step.kind !== "map") {
      this.evaluations.set(step, sizeOf(iterationOf(step)));
      return;
    }
    const { out } = step;
    this.readOperandsThrough(step);
    const uses = (this.uses.get(out) ?? []).filter(({ reader }) => !this.dead.has(reader));
    const evaluations = uses.reduce((sum, use) => sum + this.evaluationsOf(use), 0);
    const source = sameBytesAs(step);
    if (!this.pinned.has(out) && uses.length === 0) this.dead.add(step);
    else if (source !== undefined) {
      this.virtual.add(out);
      this.evaluations.set(step, evaluations);
      if (this.pinned.has(out)) this.pinned.add(source);
      if (!uses.every(use => this.isElementwise(use))) this.spread.add(step);
    } else if (this.pinned.has(out) || this.touchesHost(step)) {
      this.evaluations.set(step, sizeOf(out.shape));
      if (isTrivial(step)) this.trivial.add(out);
    } else if (this.isWorthSubstituting(step, uses, evaluations)) {
      this.virtual.add(out);
      this.evaluations.set(step, evaluations);
    } else this.evaluations.set(step, sizeOf(out.shape));
  }

  private evaluationsOf({ reader, share }: Use): number {
    return share * (this.evaluations.get(reader) as number);
  }

  private isElementwise({ reader, load }: Use): boolean {
    return reader.kind === "map" && !this.spread.has(reader) && isSamePosition(load, reader.out.shape);
  }

  private touchesHost({ body, out }: MapStep): boolean {
    let found = isHost(out);
    forEachLoad(body, load => {
      found ||= isHost(load.source);
    });
    return found;
  }

  /** Contractions read what a movement was made from, where they can; else the moved value must exist. */
  private readOperandsThrough({ body, out }: MapStep): void {
    for (const { step, side } of this.operandUses.get(out) ?? []) {
      const operands = this.operands.get(step) as { left: Operand; right: Operand };
      const through = readThrough(body, out, operands[side].at);
      if (through === undefined) this.pinned.add(out);
      else {
        operands[side] = through;
        entry(this.operandUses, through.source).push({ step, side });
      }
    }
  }

  private isWorthSubstituting({ body, out }: MapStep, uses: readonly Use[], evaluations: number): boolean {
    if (evaluations === 0) return true;
    const size = sizeOf(out.shape);
    if (this.fromContract.has(out) && !uses.every(use => this.isElementwise(use))) return false;
    if (evaluations > 1.25 * size && evaluations > 64 && hasExpensiveFunction(body)) return false;
    const own = evaluationCost(body, innerAxes(out.shape));
    let stored = size * (own + storeCost) + kernelCost;
    let substituted = 0;
    for (const use of uses) {
      const { reader, load } = use;
      const inner = reader.kind === "reduce" ? innerAxes(reader.out.shape, reader.over) : innerAxes(iterationOf(reader));
      const inPlace = this.isElementwise(use) ? own : evaluationCost(substituteScalar(body, load.at), inner);
      stored += this.evaluationsOf(use) * loadCost(load, inner);
      substituted += this.evaluationsOf(use) * inPlace;
    }
    return substituted <= stored;
  }

  private rewrite(step: Step): Step[] {
    switch (step.kind) {
      case "map":
        return this.rewriteMap(step);
      case "reduce":
        return [{ ...step, body: this.substitute(step.body, step) }];
      case "contract":
        return [{ ...step, ...this.operands.get(step) }];
      case "scatter":
        return [{ ...step, at: step.at.map(at => this.substitute(at, step)), body: this.substitute(step.body, step) }];
      case "check":
        return [{ ...step, ok: this.substitute(step.ok, step) }];
      case "branch":
        return [{ ...step, cases: step.cases.map(region => fuseRegion(region, this.aliases)) }];
      case "loop":
        return [{ ...step, condition: fuseRegion(step.condition, this.aliases), body: fuseRegion(step.body, this.aliases) }];
      default:
        return [step];
    }
  }

  private rewriteMap(step: MapStep): Step[] {
    const { out } = step;
    if (this.dead.has(step)) return [];
    const source = sameBytesAs(step);
    if (source !== undefined && !this.unstored.has(source)) {
      this.aliases.add(out, source);
      if (this.bodies.has(source)) this.bodies.set(out, this.substitute(step.body, step));
      return [];
    }
    const body = this.substitute(step.body, step);
    const isStored = !this.virtual.has(out) || nodeCount(body) > largestInlined;
    if (!isStored) this.unstored.add(out);
    if (!isStored || this.trivial.has(out)) this.bodies.set(out, body);
    return isStored ? [{ ...step, body }] : [];
  }

  /** An expression of `step` with the loads of substituted values replaced by their expressions. */
  private substitute(scalar: Scalar, step: Step): Scalar {
    let found = false;
    forEachLoad(scalar, load => {
      found ||= this.bodies.has(load.source);
    });
    if (!found) return scalar;
    const iteration = iterationOf(step);
    const known = new Map<Value, { load: Load; body: Scalar }[]>();
    const inline = (load: Load): Scalar => {
      const body = this.bodies.get(load.source);
      if (body === undefined) return load;
      const before = entry(known, load.source);
      const same = before.find(other => other.load.at.every((index, k) => equalIndex(index, load.at[k])));
      if (same !== undefined) return same.body;
      const result = substituteScalar(body, load.at);
      before.push({ load, body: result });
      return result;
    };
    return new SharedScalars(iteration, this.aliases).share(substituteScalar(scalar, axesOf(iteration), inline));
  }
}

/** Known without reading anything, or repeated from an array so much smaller that it is as good as a register. */
function isTrivial({ body, out }: MapStep): boolean {
  const inner = body.kind === "cast" ? body.arg : body;
  if (inner.kind === "constant" || inner.kind === "index") return true;
  if (body.kind !== "load") return false;
  return 4 * sizeOf(body.source.shape) <= sizeOf(out.shape) && loadCost(body, innerAxes(out.shape)) <= 1;
}

function entry<K, T>(map: Map<K, T[]>, key: K): T[] {
  let list = map.get(key);
  if (list === undefined) map.set(key, (list = []));
  return list;
}
