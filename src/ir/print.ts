// A Program as text: what explain() shows, what golden files hold, what a verifier's error quotes. One line a step; values are numbered
// in the order they appear, so the text of a program does not depend on what was built before it.

import type { NDArray } from "../base/ndarray.ts";
import type { Index } from "./index-map.ts";
import { printIndex } from "./index-map.ts";
import type { Operand, Program, Region, Step, Value } from "./program.ts";
import type { PrintNames, Scalar } from "./scalar.ts";
import { printScalar } from "./scalar.ts";

/** `v2 = map float32[2,3]: add(v0[i0, i1], v1[i1])` and so on; axes are i0 … of the result, r0 … of what is run over. */
export const printProgram = ({ steps, results }: Program): string => new ProgramPrinter().program(steps, results);

const printType = ({ dtype, shape }: Value): string => `${dtype}[${shape}]`;

/** The beginning of an array's text. */
function printArray(array: NDArray): string {
  const text = String(array);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

/** Prints steps with one numbering; a verifier keeps it to name a value in its message as the text does. */
export class ProgramPrinter {
  private readonly names = new Map<Value, string>();

  program(steps: readonly Step[], results: readonly Value[]): string {
    return [...steps.flatMap(step => this.step(step)), `results ${this.list(results)}`].join("\n");
  }

  name(value: Value): string {
    let name = this.names.get(value);
    if (name === undefined) {
      name = `v${this.names.size}`;
      this.names.set(value, name);
    }
    return name;
  }

  /** The lines of a step; more than one for steps with regions. */
  step(step: Step): string[] {
    switch (step.kind) {
      case "branch":
        return [
          `${this.outs(step.outs)}branch ${this.name(step.choice)}`,
          ...step.cases.flatMap((region, i) => this.region(`case ${i}`, region, "give")),
        ];
      case "loop":
        return [
          `${this.outs(step.outs)}loop from ${this.list(step.initial)}`,
          ...this.region("while", step.condition, "test"),
          ...this.region("do", step.body, "next"),
        ];
      default:
        return [this.line(step)];
    }
  }

  private line(step: Exclude<Step, { kind: "branch" | "loop" }>): string {
    switch (step.kind) {
      case "feed":
        return `${this.name(step.out)} = feed ${printType(step.out)} ${JSON.stringify(step.name)}`;
      case "constant":
        return `${this.name(step.out)} = constant ${printType(step.out)} ${printArray(step.data)}`;
      case "state":
        return `${this.name(step.out)} = state ${printType(step.out)} ${JSON.stringify(step.state.id)}`;
      case "initialized":
        return `${this.name(step.out)} = initialized ${JSON.stringify(step.state.id)}`;
      case "map":
        return `${this.name(step.out)} = map ${printType(step.out)}: ${this.scalar(step.body, step.out.shape.length)}`;
      case "reduce":
        return `${this.name(step.out)} = reduce ${step.combine} ${printType(step.out)} over [${step.over}]: ${this.scalar(step.body, step.out.shape.length)}`;
      case "contract": {
        const operands = [step.left, step.right].map(operand => this.operand(operand, step.out.shape.length));
        return `${this.name(step.out)} = contract ${printType(step.out)} over [${step.over}]: ${operands.join(" * ")}`;
      }
      case "scan": {
        const flags = `${step.exclusive ? " exclusive" : ""}${step.reverse ? " reverse" : ""}`;
        return `${this.name(step.out)} = scan ${step.combine} ${printType(step.out)} of ${this.name(step.source)} along ${step.axis}${flags}`;
      }
      case "scatter": {
        const at = step.at.map(index => this.scalar(index, 0)).join(", ");
        const target = `${printType(step.out)} into ${this.name(step.base)}`;
        return `${this.name(step.out)} = scatter ${step.combine} ${target} over [${step.over}]: [${at}] gets ${this.scalar(step.body, 0)}`;
      }
      case "sort": {
        const order = step.descending ? " descending" : "";
        return `${this.name(step.values)}, ${this.name(step.indices)} = sort ${printType(step.values)} of ${this.name(step.source)}${order}`;
      }
      case "random":
        return `${this.name(step.out)} = random ${printType(step.out)} from ${this.name(step.state)}`;
      case "check":
        return `check ${JSON.stringify(step.failure.label)} over [${step.over}]: ${this.scalar(step.ok, 0)}`;
      case "update":
        return `${step.isReshaped ? "reshape" : "update"} ${JSON.stringify(step.state.id)} with ${this.name(step.value)}`;
      case "call":
        return `${this.outs(step.outs)}call ${step.routine.name}(${this.list(step.inputs)})`;
    }
  }

  private region(title: string, { params, steps, results }: Region, verb: string): string[] {
    const head = params.length > 0 ? `${title} (${params.map(param => `${this.name(param)} ${printType(param)}`).join(", ")})` : title;
    const body = [...steps.flatMap(step => this.step(step)), `${verb} ${this.list(results)}`];
    return [`  ${head}`, ...body.map(line => `    ${line}`)];
  }

  private outs(values: readonly Value[]): string {
    return values.length > 0 ? `${values.map(value => `${this.name(value)} ${printType(value)}`).join(", ")} = ` : "";
  }

  private list(values: readonly Value[]): string {
    return values.length > 0 ? values.map(value => this.name(value)).join(", ") : "nothing";
  }

  private scalarNames(rank: number): PrintNames {
    return { value: value => this.name(value), axis: axis => (axis < rank ? `i${axis}` : `r${axis - rank}`) };
  }

  private scalar(scalar: Scalar, rank: number): string {
    return printScalar(scalar, this.scalarNames(rank));
  }

  private operand({ source, at }: Operand, rank: number): string {
    const names = this.scalarNames(rank);
    const index = (i: Index): string => printIndex(i, scalar => printScalar(scalar, names), names.axis);
    return `${this.name(source)}[${at.map(index).join(", ")}]`;
  }
}
