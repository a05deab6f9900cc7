// Equal steps are one step: what forward and gradient, or the updates of many variables, each compute from the same values is computed
// once. Only steps without effects; a region may use what has been computed before it, never the other way round.

import type { Index } from "../ir/index-map.ts";
import type { Operand, Program, Region, Step, Value } from "../ir/program.ts";
import { outputsOf } from "../ir/program.ts";
import type { Scalar } from "../ir/scalar.ts";
import { loadsOf, substituteScalar } from "../ir/scalar.ts";
import { scalarsOf } from "../ir/traverse.ts";
import { axesOf, forEachLoad, iterationOf } from "./access.ts";
import type { Aliases } from "./sources.ts";

/** The program with each step that repeats an earlier one left out, its values entered as aliases of that one's; all steps read the values
 *  that aliases stand for. */
export function mergeEqual(program: Program, aliases: Aliases): Program {
  const merge = new Merge(aliases);
  const steps = merge.steps(program.steps, new Scope());
  return { steps, results: program.results.map(value => aliases.rootOf(value)) };
}

/** The steps seen so far, by their keys: those of a region, then those around it. */
class Scope {
  private readonly known = new Map<string, Step>();
  private readonly outer: Scope | undefined;

  constructor(outer?: Scope) {
    this.outer = outer;
  }

  /** A map is cheaper made again in a region than kept for it. */
  find(key: string): Step | undefined {
    return this.known.get(key) ?? (key.startsWith("map ") ? undefined : this.outer?.find(key));
  }

  add(key: string, step: Step): void {
    this.known.set(key, step);
  }
}

class Merge {
  private readonly aliases: Aliases;
  private readonly numbers = new Map<string, number>();
  private readonly done = new Map<Scalar, number>();

  constructor(aliases: Aliases) {
    this.aliases = aliases;
  }

  private canonical(value: Value): Value {
    return this.aliases.rootOf(value);
  }

  steps(steps: readonly Step[], scope: Scope): Step[] {
    const kept: Step[] = [];
    for (const given of steps) {
      const step = this.withCanonicalInputs(given, scope);
      const key = this.keyOf(step);
      const same = key === undefined ? undefined : scope.find(key);
      if (same === undefined) {
        if (key !== undefined) scope.add(key, step);
        kept.push(step);
      } else for (const [k, out] of outputsOf(step).entries()) this.aliases.add(out, outputsOf(same)[k]);
    }
    return kept;
  }

  private region(region: Region, scope: Scope): Region {
    const steps = this.steps(region.steps, new Scope(scope));
    return { params: region.params, steps, results: region.results.map(value => this.canonical(value)) };
  }

  private withCanonicalInputs(step: Step, scope: Scope): Step {
    const value = (given: Value): Value => this.canonical(given);
    switch (step.kind) {
      case "map":
      case "reduce":
        return this.withScalars(step, ([body]) => ({ ...step, body }));
      case "scatter":
        return {
          ...this.withScalars(step, scalars => ({ ...step, at: scalars.slice(0, -1), body: scalars[scalars.length - 1] })),
          base: value(step.base),
        };
      case "check":
        return this.withScalars(step, ([ok]) => ({ ...step, ok }));
      case "contract":
        return { ...step, left: this.operand(step.left), right: this.operand(step.right) };
      case "scan":
      case "sort":
        return { ...step, source: value(step.source) };
      case "random":
        return { ...step, state: value(step.state) };
      case "update":
        return { ...step, value: value(step.value) };
      case "branch":
        return { ...step, choice: value(step.choice), cases: step.cases.map(region => this.region(region, scope)) };
      case "loop":
        return {
          ...step,
          initial: step.initial.map(value),
          condition: this.region(step.condition, scope),
          body: this.region(step.body, scope),
        };
      case "call":
        return { ...step, inputs: step.inputs.map(value) };
      default:
        return step;
    }
  }

  private operand(operand: Operand): Operand {
    const source = this.canonical(operand.source);
    return source === operand.source ? operand : { ...operand, source };
  }

  private withScalars<S extends Step>(step: S, rebuild: (scalars: Scalar[]) => S): S {
    const scalars = scalarsOf(step);
    let isOld = false;
    for (const scalar of scalars)
      forEachLoad(scalar, load => {
        isOld ||= this.canonical(load.source) !== load.source;
      });
    if (!isOld) return step;
    const axes = axesOf(iterationOf(step));
    return rebuild(scalars.map(scalar => substituteScalar(scalar, axes, load => ({ ...load, source: this.canonical(load.source) }))));
  }

  /** Equal for steps that compute the same; undefined for those that must each be done. A failure reads values by name, so checks stay. */
  private keyOf(step: Step): string | undefined {
    const type = outputsOf(step).map(({ dtype, shape }) => `${dtype}[${shape}]`);
    const scalars = (): string =>
      scalarsOf(step)
        .map(scalar => this.scalar(scalar))
        .join(" ");
    const operand = ({ source, at }: Operand): string => `${source.id}@${at.map(index => this.index(index)).join()}`;
    switch (step.kind) {
      case "map":
        // Fills and counts are better made where they are needed: a scatter may write over its own.
        return loadsOf(step.body).length === 0 ? undefined : `map ${type} ${scalars()}`;
      case "reduce":
        return `reduce ${type} ${step.combine} ${step.over.join()} ${scalars()}`;
      case "contract":
        return `contract ${type} ${step.over.join()} ${operand(step.left)} ${operand(step.right)}`;
      case "scan":
        return `scan ${type} ${step.source.id} ${step.axis} ${step.combine} ${step.exclusive} ${step.reverse}`;
      case "scatter":
        return `scatter ${type} ${step.combine} ${step.over.join()} ${step.base.id} ${scalars()}`;
      case "sort":
        return `sort ${type} ${step.source.id} ${step.descending}`;
      case "random":
        return `random ${type} ${step.state.id}`;
      default:
        return undefined;
    }
  }

  private number(key: string): number {
    let number = this.numbers.get(key);
    if (number === undefined) {
      number = this.numbers.size;
      this.numbers.set(key, number);
    }
    return number;
  }

  private index({ terms, offset }: Index): string {
    const atoms = terms.map(({ atom, scale }) => {
      if (atom.kind === "data") return `${scale}*d${this.scalar(atom.value)}<${atom.size}`;
      return `${scale}*${atom.kind === "axis" ? atom.key : `${atom.kind}(${this.index(atom.of)},${atom.by})`}`;
    });
    return [...atoms.sort(), offset].join("+");
  }

  /** The number of an expression; equal ones have the same. */
  private scalar(node: Scalar): number {
    let number = this.done.get(node);
    if (number === undefined) {
      number = this.number(this.scalarKey(node));
      this.done.set(node, number);
    }
    return number;
  }

  private scalarKey(node: Scalar): string {
    switch (node.kind) {
      case "constant":
        return `constant ${node.dtype} ${Object.is(node.value, -0) ? "-0" : node.value}`;
      case "accumulator":
        return "accumulator";
      case "index":
        return `index ${node.dtype} ${this.index(node.index)}`;
      case "load":
        return `load ${node.source.id} ${node.at.map(index => this.index(index)).join()}`;
      case "apply":
        return `${node.fn} ${node.args.map(arg => this.scalar(arg)).join(" ")}`;
      case "cast":
      case "bitcast":
        return `${node.kind} ${node.dtype} ${this.scalar(node.arg)}`;
      case "guard": {
        const bounds = node.when.map(({ index, low, high }) => `${low} ${this.index(index)} ${high}`);
        return `guard ${bounds.join()} ${this.scalar(node.value)} ${this.scalar(node.otherwise)}`;
      }
    }
  }
}
