// A Plan as text: what explain() shows and golden tests compare. One line per source, kernel and store; places as offsets in bytes.
// Values are numbered in the order they appear, so the text does not depend on what was built before it. What a state holds at first goes
// by the state's name, a constant by its place; v3' is v3 under another shape.

import type { NDArray } from "../base/ndarray.ts";
import type { Index } from "../ir/index-map.ts";
import { printIndex } from "../ir/index-map.ts";
import type { Operand, Value } from "../ir/program.ts";
import type { PrintNames, Scalar } from "../ir/scalar.ts";
import { printScalar } from "../ir/scalar.ts";
import type { Kernel, Place, Plan, Store } from "./plan.ts";

/** The Plan, one line per kernel and store. Axes are i0 … of what a kernel computes, r0 … of what it runs over. */
export const printPlan = (plan: Plan): string => new PlanPrinter(plan).plan();

function printPlace(place: Place | undefined): string {
  switch (place?.region) {
    case "arena":
    case "constant":
      return `${place.region}+${place.offsetBytes}`;
    case "state":
      return `state ${place.state.id}`;
    case "host":
      return `host slot ${place.slot}`;
    case undefined:
      return "nowhere";
  }
}

const printArray = (array: NDArray): string =>
  array.size > 8 ? `${array.size} elements` : Array.from({ length: array.size }, (_, i) => String(array.get(i))).join(" ");

const indent = (lines: readonly string[]): string[] => lines.map(line => `  ${line}`);
const extents = (sizes: readonly number[]): string => `[${sizes}]`;
const joined = (...words: readonly string[]): string => words.filter(Boolean).join(" ");

class PlanPrinter {
  private readonly given: Plan;
  private count = 0;
  private readonly names = new Map<Value, string>();
  /** The name of what lies at a place now. */
  private readonly occupants = new Map<Place, string>();

  constructor(plan: Plan) {
    this.given = plan;
  }

  plan(): string {
    const plan = this.given;
    const lines = [
      `arena ${plan.arenaBytes} bytes, constants ${plan.constantBytes} bytes, ${plan.hostSlots} host slots`,
      ...plan.feeds.map(({ name, value }) => `feed ${name} -> ${this.value(value)}`),
      ...plan.flags.map(({ state, value }) => `initialized ${state.id} -> ${this.value(value)}`),
      ...plan.states.map(({ state, reader, written }) => {
        const how = joined(reader === undefined ? "" : "read", written ? "written" : "");
        return `state ${state.id} ${state.dtype}[${state.shape}] ${how}`;
      }),
      ...plan.constants.map(
        ({ data, offsetBytes }) => `constant ${data.dtype}[${data.shape}] @ constant+${offsetBytes} = ${printArray(data)}`,
      ),
      ...plan.hostConstants.map(({ data, slot }) => `constant ${data.dtype}[${data.shape}] @ host slot ${slot}`),
      ...this.kernels(plan.kernels),
      ...plan.results.map(result => `result ${this.named(this.name(result), result)}`),
      ...plan.reshaped.map(({ state, value }) => `state ${state.id} becomes ${this.named(this.name(value), value)}`),
    ];
    return `${lines.join("\n")}\n`;
  }

  /** The name of a value that is read. */
  private name(value: Value): string {
    const known = this.names.get(value);
    if (known !== undefined) return known;
    const place = this.given.places.get(value);
    const occupant = place && this.occupants.get(place);
    const name = occupant !== undefined ? `${occupant}'` : this.nameAt(place);
    this.names.set(value, name);
    return name;
  }

  private nameAt(place: Place | undefined): string {
    if (place?.region === "state") return place.state.id;
    if (place?.region === "constant") return printPlace(place);
    return `v${this.count++}`;
  }

  /** The line of a value that is made here. */
  private value(value: Value): string {
    const place = this.given.places.get(value);
    let name = this.names.get(value);
    if (name === undefined) {
      name = `v${this.count++}`;
      this.names.set(value, name);
    }
    if (place !== undefined) this.occupants.set(place, name);
    return this.named(name, value);
  }

  private named(name: string, value: Value): string {
    return `${name} ${value.dtype}[${value.shape}] @ ${printPlace(this.given.places.get(value))}`;
  }

  private printNames(rank: number): PrintNames {
    return { value: value => this.name(value), axis: axis => (axis < rank ? `i${axis}` : `r${axis - rank}`) };
  }

  private scalar(scalar: Scalar, rank: number): string {
    return printScalar(scalar, this.printNames(rank));
  }

  private operand({ source, at }: Operand, rank: number): string {
    const index = (i: Index): string => printIndex(i, inner => this.scalar(inner, rank), this.printNames(rank).axis);
    return `${this.name(source)}[${at.map(index).join(", ")}]`;
  }

  private stores(stores: readonly Store[], rank: number): string[] {
    const bodies = stores.map(({ body }) => this.scalar(body, rank));
    return stores.map(({ out }, k) => `  ${this.value(out)} = ${bodies[k]}`);
  }

  private kernels(kernels: readonly Kernel[]): string[] {
    return kernels.flatMap(kernel => this.kernel(kernel));
  }

  private kernel(kernel: Kernel): string[] {
    switch (kernel.kind) {
      case "map":
        return [`map ${extents(kernel.shape)}`, ...this.stores(kernel.stores, kernel.shape.length)];
      case "reduce": {
        const rank = kernel.shape.length;
        const head = `reduce ${extents(kernel.shape)} over ${extents(kernel.over)} ${kernel.combine} ${kernel.accumulator}`;
        return [`${head} of ${this.scalar(kernel.body, rank)}`, ...this.stores(kernel.stores, rank)];
      }
      case "reductions":
        return [
          `reductions ${kernel.reductions.map(({ shape }) => extents(shape)).join(", ")} over ${extents(kernel.reductions[0].over)}`,
          ...indent(this.kernels(kernel.reductions)),
        ];
      case "rows":
        return this.rows(kernel);
      case "contract":
        return this.contract(kernel);
      case "sweep":
        return [`sweep ${kernel.maps.map(({ shape }) => extents(shape)).join(", ")}`, ...indent(this.kernels(kernel.maps))];
      case "scan":
        return [
          joined("scan", kernel.combine, kernel.exclusive ? "exclusive" : "", kernel.reverse ? "reverse" : "") +
            ` of ${this.name(kernel.source)} along ${kernel.axis}`,
          `  ${this.value(kernel.out)}`,
        ];
      case "scatter":
        return this.scatter(kernel);
      case "sort":
        return [
          `sort ${this.name(kernel.source)}${kernel.descending ? " descending" : ""}`,
          ...[kernel.values, kernel.indices].map(out => `  ${this.value(out)}`),
        ];
      case "random":
        return [`random from ${this.name(kernel.state)}`, `  ${this.value(kernel.out)}`];
      case "check":
        return [`check ${extents(kernel.over)} ${kernel.failure.label}: ${this.scalar(kernel.ok, 0)}`];
      case "copy": {
        const name = this.name(kernel.from);
        return [`copy ${name} to ${printPlace(kernel.to)}`];
      }
      case "branch": {
        const cases = kernel.cases.flatMap((inner, k) => [`  case ${k}`, ...indent(indent(this.kernels(inner)))]);
        return [`branch on ${this.name(kernel.choice)}`, ...cases];
      }
      case "loop": {
        const condition = indent(indent(this.kernels(kernel.condition)));
        const test = `  while ${this.name(kernel.test)}`;
        return ["loop", ...condition, test, ...indent(indent(this.kernels(kernel.body)))];
      }
      case "call":
        return [
          `call ${kernel.routine.name}(${kernel.inputs.map(value => this.name(value)).join(", ")})`,
          ...kernel.outs.map(out => `  ${this.value(out)}`),
        ];
    }
  }

  private rows({ rows, length, blockRows, passes }: Extract<Kernel, { kind: "rows" }>): string[] {
    const along = (combine: string, body: Scalar): string => `  ${combine} of ${this.scalar(body, 2)}`;
    const lines = passes.flatMap(({ before, reductions, columns, stores }, p) => [
      `pass ${p}`,
      ...this.stores(before, 1),
      ...reductions.flatMap(({ combine, body, stores: epilogues }) => [along(combine, body), ...indent(this.stores(epilogues, 1))]),
      ...columns.flatMap(({ combine, body, out }) => [along(`columns ${combine}`, body), `    ${this.value(out)}`]),
      ...this.stores(stores, 2),
    ]);
    return [`rows ${rows} of ${length}${blockRows > 1 ? `, ${blockRows} a block` : ""}`, ...indent(lines)];
  }

  private contract(kernel: Extract<Kernel, { kind: "contract" }>): string[] {
    const rank = kernel.shape.length;
    const product = `${this.operand(kernel.left, rank)} * ${this.operand(kernel.right, rank)}`;
    const scratch = kernel.scratch === undefined ? "" : `, scratch ${kernel.scratch.bytes} bytes @ arena+${kernel.scratch.offsetBytes}`;
    const panels = kernel.panels === undefined ? "" : `, panels ${this.name(kernel.panels)}`;
    return [
      `contract ${extents(kernel.shape)} over ${extents(kernel.over)} ${product}${panels}${scratch}`,
      ...this.stores(kernel.stores, rank),
    ];
  }

  private scatter({ combine, over, inPlace, base, out, at, body }: Extract<Kernel, { kind: "scatter" }>): string[] {
    const position = at.map(index => this.scalar(index, 0)).join(", ");
    return [
      `scatter ${combine} over ${extents(over)} ${inPlace ? "in place of" : "onto"} ${this.name(base)}`,
      `  ${this.value(out)} at [${position}] ${this.scalar(body, 0)}`,
    ];
  }
}
