// The verifier: checks that a Program says something. Each complaint carries the label of its constraint in docs/ir.md.
// Types, shapes and order are checked exactly; index ranges by their intervals and, where a guard must help, at concrete points.

import type { DType } from "../base/dtype.ts";
import { dtypeBytes, dtypeTable, isComplex, isFloating, isInteger } from "../base/dtype.ts";
import { InternalError } from "../base/errors.ts";
import { sameShape } from "../base/shape.ts";
import type { Index } from "./index-map.ts";
import { forEachAtom } from "./index-map.ts";
import { findLoadOutside } from "./load-range.ts";
import { printProgram } from "./print.ts";
import type { Combine, Program, Region, Step, Value } from "./program.ts";
import { outputsOf } from "./program.ts";
import type { Scalar, ScalarFunction } from "./scalar.ts";
import { forEachScalar, isDefinedFor, printScalar, resultType, scalarFunctions } from "./scalar.ts";

/** @throws InternalError naming the broken constraint and the step, with the program's text. */
export function verifyProgram(program: Program): void {
  new Verifier(program).run();
}

type StepOf<K extends Step["kind"]> = Extract<Step, { kind: K }>;

/** An axis of a step, and how far it runs. */
type Extents = readonly number[];

const typeText = ({ dtype, shape }: Value): string => `${dtype}[${shape}]`;
const sameType = (a: Value, b: Value): boolean => a.dtype === b.dtype && sameShape(a.shape, b.shape);

class Verifier {
  private readonly program: Program;
  /** Values that may be read here: those of enclosing regions too. */
  private readonly inScope = new Set<Value>();
  private readonly defined = new Set<Value>();
  private readonly feeds = new Set<string>();
  private step: Step | undefined;

  constructor(program: Program) {
    this.program = program;
  }

  run(): void {
    for (const step of this.program.steps) this.verify(step);
    this.step = undefined;
    for (const value of this.program.results) this.read(value, "a result");
  }

  /** Stops unless `holds`. */
  private need(label: string, holds: boolean, complaint: () => string): void {
    if (holds) return;
    const where = this.step ? ` in ${this.step.kind}${outputsOf(this.step).map(({ id }) => ` v${id}`)}` : "";
    throw new InternalError(`${label}${where}: ${complaint()}.`, printProgram(this.program));
  }

  private verify(step: Step): void {
    this.step = step;
    this.kind(step);
    this.step = step;
    for (const value of outputsOf(step)) this.define(value);
  }

  private define(value: Value): void {
    this.need("P1", !this.defined.has(value), () => `v${value.id} is defined twice`);
    this.need(
      "P3",
      value.shape.every(size => Number.isInteger(size) && size >= 0),
      () => `v${value.id} has the shape [${value.shape}]`,
    );
    this.defined.add(value);
    this.inScope.add(value);
  }

  private read(value: Value, what = "a value read"): void {
    this.need("P2", this.inScope.has(value), () => `${what}, v${value.id}, is not defined here`);
  }

  private same(label: string, a: Value, b: Value, what: string): void {
    this.need(label, sameType(a, b), () => `${what} is ${typeText(a)}, not ${typeText(b)}`);
  }

  private kind(step: Step): void {
    switch (step.kind) {
      case "feed":
        this.need("F1", !this.feeds.has(step.name), () => `"${step.name}" is fed twice`);
        this.feeds.add(step.name);
        break;
      case "constant":
        this.constant(step);
        break;
      case "state":
        this.need(
          "V1",
          step.out.dtype === step.state.dtype && sameShape(step.out.shape, step.state.shape),
          () => "it is not of the state's type",
        );
        break;
      case "initialized":
        this.need("V2", step.out.dtype === "bool" && step.out.shape.length === 0, () => `a flag is bool[], not ${typeText(step.out)}`);
        break;
      case "map":
        this.need("M1", step.body.dtype === step.out.dtype, () => `the body is ${step.body.dtype}, the result ${step.out.dtype}`);
        this.scalars([step.body], step.out.shape);
        break;
      case "reduce":
        this.reduce(step);
        break;
      case "contract":
        this.contract(step);
        break;
      case "scan":
        this.scan(step);
        break;
      case "scatter":
        this.scatter(step);
        break;
      case "sort":
        this.sort(step);
        break;
      case "random":
        this.read(step.state);
        this.need("X1", typeText(step.state) === "int64[3]", () => `the generator's state is ${typeText(step.state)}, not int64[3]`);
        this.need("X2", step.out.dtype === "uint32" && step.out.shape.length === 1, () => `words are uint32[n], not ${typeText(step.out)}`);
        break;
      case "check":
        this.need("A1", step.ok.dtype === "bool", () => `the condition is ${step.ok.dtype}`);
        this.scalars([step.ok], step.over);
        for (const value of step.failure.reads) this.read(value);
        break;
      case "update":
        this.read(step.value);
        this.need(
          "U1",
          step.value.dtype === step.state.dtype && sameShape(step.value.shape, step.state.shape),
          () => `${typeText(step.value)} does not fit "${step.state.id}", ${step.state.dtype}[${step.state.shape}]`,
        );
        break;
      case "branch":
        this.branch(step);
        break;
      case "loop":
        this.loop(step);
        break;
      case "call":
        for (const value of step.inputs) this.read(value);
        break;
    }
  }

  private constant({ out, data }: StepOf<"constant">): void {
    this.need(
      "K1",
      out.dtype === data.dtype && sameShape(out.shape, data.shape),
      () => `the array is ${data.dtype}[${data.shape}], the value ${typeText(out)}`,
    );
  }

  private reduce({ out, over, combine, body }: StepOf<"reduce">): void {
    this.scalars([body], [...out.shape, ...over]);
    this.need("R1", combineTakes(combine, body.dtype), () => `there is no ${combine} of ${body.dtype}`);
    if (combine === "argmax" || combine === "argmin")
      this.need("R2", out.dtype === "int32" || out.dtype === "int64", () => `a position is int32 or int64, not ${out.dtype}`);
    else this.need("R2", out.dtype === body.dtype, () => `the body is ${body.dtype}, the result ${out.dtype}`);
  }

  private contract({ out, over, left, right }: StepOf<"contract">): void {
    for (const { source, at } of [left, right]) {
      this.read(source);
      this.need("C1", source.dtype === out.dtype, () => `v${source.id} is ${source.dtype}, the result ${out.dtype}`);
      this.need("C2", at.length === source.shape.length, () => `v${source.id} of rank ${source.shape.length} has ${at.length} indices`);
      for (const index of at) {
        forEachAtom(index, ({ kind }) =>
          this.need("C3", kind === "axis", () => `an index of v${source.id} is not affine: it has a ${kind}`),
        );
        this.axes(index, [...out.shape, ...over]);
      }
    }
    const { kind } = dtypeTable[out.dtype];
    this.need("C4", ["float", "int", "uint", "complex"].includes(kind), () => `there are no products of ${out.dtype}`);
  }

  private scan({ out, source, axis, combine }: StepOf<"scan">): void {
    this.read(source);
    this.same("N1", out, source, "the result");
    this.need("N2", axis >= 0 && axis < source.shape.length, () => `there is no axis ${axis} in ${typeText(source)}`);
    const takes = combine === "logsumexp" ? isFloating(out.dtype) : combineTakes(combine, out.dtype);
    this.need("N3", takes, () => `there is no running ${combine} of ${out.dtype}`);
  }

  private scatter({ out, base, over, at, combine, body }: StepOf<"scatter">): void {
    this.read(base);
    this.same("S1", out, base, "the result");
    this.need("S2", body.dtype === out.dtype, () => `the updates are ${body.dtype}, the result ${out.dtype}`);
    this.need("S3", at.length === out.shape.length, () => `rank ${out.shape.length} needs as many indices, not ${at.length}`);
    for (const index of at) this.need("S4", isInteger(index.dtype), () => `an index is ${index.dtype}`);
    const needsOrder = combine === "min" || combine === "max";
    const takes = combine === "assign" || isNumeric(out.dtype) || (needsOrder && out.dtype === "bool");
    this.need("S5", takes && !(needsOrder && isComplex(out.dtype)), () => `there is no ${combine} of ${out.dtype}`);
    this.scalars([...at, body], over);
  }

  private sort({ values, indices, source }: StepOf<"sort">): void {
    this.read(source);
    const rank = source.shape.length;
    this.need("O1", rank > 0, () => "a single element has no last axis");
    this.need(
      "O2",
      values.dtype === source.dtype && !isComplex(source.dtype),
      () => `the source is ${source.dtype}, the result ${values.dtype}`,
    );
    const isPrefix = values.shape.length === rank && sameShape(values.shape.slice(0, -1), source.shape.slice(0, -1));
    this.need(
      "O3",
      isPrefix && values.shape[rank - 1] <= source.shape[rank - 1],
      () => `${typeText(values)} are not rows of ${typeText(source)}`,
    );
    this.need("O4", indices.dtype === "int32" && sameShape(indices.shape, values.shape), () => `the positions are ${typeText(indices)}`);
  }

  private branch({ outs, choice, cases }: StepOf<"branch">): void {
    this.read(choice);
    this.need("B1", ["bool", "int32"].includes(choice.dtype) && choice.shape.length === 0, () => `the choice is ${typeText(choice)}`);
    this.need("B2", cases.length > 0, () => "there are no cases");
    for (const [i, region] of cases.entries()) {
      this.need("B3", region.params.length === 0, () => `case ${i} has parameters`);
      this.region(region);
      this.results("B4", region, outs, `case ${i}`);
    }
  }

  private loop({ outs, initial, condition, body }: StepOf<"loop">): void {
    for (const value of initial) this.read(value);
    this.results("L1", { params: [], steps: [], results: initial }, outs, "the start");
    for (const { params } of [condition, body])
      this.results("L2", { params: [], steps: [], results: params }, outs, "a region's parameters");
    this.region(condition);
    const [test] = condition.results;
    this.need(
      "L3",
      condition.results.length === 1 && typeText(test) === "bool[]",
      () => `the condition gives ${condition.results.map(typeText)}`,
    );
    this.region(body);
    this.results("L4", body, outs, "the body");
  }

  private results(label: string, { results }: Region, outs: readonly Value[], what: string): void {
    this.need(label, results.length === outs.length, () => `${what} has ${results.length} values for ${outs.length}`);
    for (const [i, value] of results.entries()) this.same(label, value, outs[i], `${what}'s value ${i}`);
  }

  /** What is defined in a region ends with it. */
  private region({ params, steps, results }: Region): void {
    const outer = this.step;
    const before = new Set(this.inScope);
    for (const param of params) this.define(param);
    for (const step of steps) this.verify(step);
    this.step = outer;
    for (const value of results) this.read(value, "a region's result");
    for (const value of this.inScope) if (!before.has(value)) this.inScope.delete(value);
  }

  /** Checks expressions over axes of the given extents. */
  private scalars(roots: readonly Scalar[], extents: Extents): void {
    const seen = new Set<Scalar>();
    for (const root of roots) forEachScalar(root, node => this.node(node, extents), seen);
    const outside = findLoadOutside(roots, extents);
    this.need(
      "E6",
      outside === undefined,
      () => `at [${outside?.point}] ${outside && printScalar(outside.load)} reads index ${outside?.index} of axis ${outside?.axis}`,
    );
  }

  private node(node: Scalar, extents: Extents): void {
    const need = (label: string, holds: boolean, complaint: string): void =>
      this.need(label, holds, () => `${complaint} in ${printScalar(node)}`);
    switch (node.kind) {
      case "index":
        need("E4", node.dtype === "int32" || node.dtype === "int64", `an index of type ${node.dtype}`);
        this.axes(node.index, extents);
        break;
      case "load":
        this.read(node.source);
        need("E1", node.dtype === node.source.dtype, `a load of ${node.source.dtype} as ${node.dtype}`);
        need("E1", node.at.length === node.source.shape.length, `${node.at.length} indices for rank ${node.source.shape.length}`);
        for (const index of node.at) this.axes(index, extents);
        break;
      case "apply": {
        const complaint = applyComplaint(
          node.fn,
          node.dtype,
          node.args.map(({ dtype }) => dtype),
        );
        need("E2", complaint === undefined, complaint ?? "");
        break;
      }
      case "cast":
        need("E3", (node.dtype === "string") === (node.arg.dtype === "string"), `a cast from ${node.arg.dtype} to ${node.dtype}`);
        break;
      case "bitcast":
        need(
          "E3",
          dtypeBytes(node.dtype) > 0 && dtypeBytes(node.dtype) === dtypeBytes(node.arg.dtype),
          `a bitcast from ${node.arg.dtype} to ${node.dtype}`,
        );
        break;
      case "guard":
        need(
          "E2",
          node.value.dtype === node.dtype && node.otherwise.dtype === node.dtype,
          `sides of types ${node.value.dtype} and ${node.otherwise.dtype}`,
        );
        for (const { index } of node.when) this.axes(index, extents);
        break;
      case "accumulator":
        need("E7", false, "an accumulator outside an epilogue");
    }
  }

  private axes(index: Index, extents: Extents): void {
    forEachAtom(index, atom => {
      if (atom.kind === "axis")
        this.need(
          "E5",
          atom.size === extents[atom.axis],
          () => `axis ${atom.axis} of size ${atom.size} is used, the axes are [${extents}]`,
        );
      if (atom.kind === "data")
        this.need("E4", isInteger(atom.value.dtype), () => `an index is read from ${atom.value.dtype}: ${printScalar(atom.value)}`);
    });
  }
}

const isNumeric = (dtype: DType): boolean => ["float", "int", "uint", "complex"].includes(dtypeTable[dtype].kind);

function combineTakes(combine: Combine, dtype: DType): boolean {
  if (combine === "any" || combine === "all") return dtype === "bool";
  if (combine === "sum" || combine === "prod") return isNumeric(dtype);
  return (isNumeric(dtype) || dtype === "bool") && !isComplex(dtype);
}

/** What is wrong with the types of an application, if anything. */
function applyComplaint(fn: ScalarFunction, dtype: DType, args: readonly DType[]): string | undefined {
  const { arity, result } = scalarFunctions[fn];
  if (args.length !== arity) return `${args.length} arguments for ${arity}`;
  const values = fn === "select" ? args.slice(1) : args;
  if (fn === "select" && args[0] !== "bool") return `a condition of type ${args[0]}`;
  if (values.some(type => type !== values[0])) return `arguments of types ${args.join(", ")}`;
  if (!isDefinedFor(fn, values[0])) return `${fn} is not defined for ${values[0]}`;
  if (dtype !== resultType(result, values[0])) return `a result of type ${dtype}`;
  return undefined;
}
