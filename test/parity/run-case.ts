// Runs one golden case and says why it fails: import, static shapes, steps on one session, gradients, errors. Programs are in run-program.ts.

import { type Complex, NDArray } from "../../src/base/ndarray.ts";
import { InternalError } from "../../src/base/errors.ts";
import { bytesFromBase64, messageFromBytes, messageFromJson } from "../../src/formats/message-codec.ts";
import { gradients } from "../../src/gradients/gradients.ts";
import { convertToTensor } from "../../src/graph/conversion.ts";
import { Graph } from "../../src/graph/graph.ts";
import { IndexedSlices } from "../../src/graph/indexed-slices.ts";
import { attachMethods } from "../../src/index/methods.ts";
import { Tensor } from "../../src/graph/operation.ts";
import { type GraphDefMessage, importGraphDef } from "../../src/io/graph-def.ts";
import { findOp } from "../../src/ops/registry.ts";
import { Session } from "../../src/session/session.ts";
import { difference } from "./compare.ts";
import { arrayOf, type ExpectedError, type GoldenCase, type Step, type TensorRecord } from "./golden.ts";
import { runProgram } from "./run-program.ts";

export type Backend = "wasm" | "reference";

/** Why a case fails; empty if it passes. */
export async function runCase(golden: GoldenCase, blob: Uint8Array, backend: Backend): Promise<string[]> {
  // As the main door does: static shapes follow constants with what it brings to graphs.
  attachMethods();
  try {
    if (golden.program) return await runProgram(golden);
    const message = graphOf(golden);
    const missing = missingOps(message);
    if (missing.length > 0) return missing.map(op => `missing op ${op}`);
    return await new CaseRun(golden, blob, backend).run(message);
  } catch (error) {
    return [describeError(error)];
  }
}

const graphOf = ({ graph, graph_b64 }: GoldenCase): GraphDefMessage =>
  graph_b64 === undefined ? messageFromJson("GraphDef", graph) : messageFromBytes("GraphDef", bytesFromBase64(graph_b64));

/** Functions are called by their names, and their gradients are no op of the registry's. */
function missingOps({ node, library }: GraphDefMessage): string[] {
  const others = new Set(["SymbolicGradient", ...(library?.function ?? []).map(({ signature }) => signature?.name)]);
  return [...new Set(node.map(({ op }) => op))].filter(op => findOp(op) === undefined && !others.has(op)).sort();
}

/** The error's class and first line; where it was thrown, for faults of our own. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return `threw ${String(error)}`;
  const ours = error instanceof InternalError || /^(?:TypeError|RangeError|ReferenceError)$/.test(error.constructor.name);
  const frame = ours ? error.stack?.split("\n").find(line => line.startsWith("    at ")) : undefined;
  const place = frame?.replace(/^\s*at (?:(?:async )?\S+ )?\(?.*?(src\/[^)]*)\)?$/, " ($1)").replace(/^\s*at .*$/, "") ?? "";
  return `${error.name}: ${error.message.split("\n")[0]}${place}`;
}

/** A message up to our blank line and TensorFlow's node mark. */
export const coreMessage = (error: Error): string =>
  error.message
    .split("\n\n")[0]
    .replace(/\n\t \[\[[\s\S]*$/, "")
    .trim();

export function errorDifference(error: unknown, want: ExpectedError): string | undefined {
  if (!(error instanceof Error)) return `threw ${String(error)}`;
  const message = coreMessage(error);
  const wordings = [want.message, want.message_tf1].filter(text => text !== undefined);
  if (error.name === want.class && wordings.some(text => isWording(error, message, text, want.match))) return undefined;
  return `raised ${error.name}: ${oneLine(message)} for ${want.class}: ${oneLine(want.message)}`;
}

/** TensorFlow's own text may hold blank lines: then ours has to go on with all of it. */
function isWording(error: Error, message: string, text: string, match: ExpectedError["match"]): boolean {
  if (match === "first") return firstLine(message) === text;
  if (match === "prefix") return message.startsWith(text) || error.message.startsWith(text);
  if (match === "suffix") return message.endsWith(text);
  return message === text || error.message === text || (text.includes("\n\n") && error.message.startsWith(`${text}\n\n`));
}

const firstLine = (text: string): string => text.split("\n")[0].trimEnd();
const oneLine = (text: string): string => text.replaceAll("\n", "\\n");

class CaseRun {
  private readonly golden: GoldenCase;
  private readonly blob: Uint8Array;
  private readonly session: Session;
  private readonly graph = new Graph();
  private readonly failures: string[] = [];

  constructor(golden: GoldenCase, blob: Uint8Array, backend: Backend) {
    this.golden = golden;
    this.blob = blob;
    this.session = new Session({ graph: this.graph, config: { backend } });
  }

  async run(message: GraphDefMessage): Promise<string[]> {
    this.graph.asDefault(() => void importGraphDef(message, { name: "" }));
    this.checkShapes();
    const gradient = this.golden.grad_of && this.addGradients();
    try {
      for (const step of this.golden.steps ?? []) await this.runStep(step);
      if (gradient) await this.checkGradients(gradient);
    } finally {
      await this.session.close();
    }
    return this.failures;
  }

  private checkShapes(): void {
    const shapes = { ...this.golden.static_shapes, ...this.golden.imported_shapes };
    for (const [name, want] of Object.entries(shapes)) {
      const got = this.graph.getTensorByName(name).shape.dims;
      if (JSON.stringify(got) !== JSON.stringify(want))
        this.failures.push(`static shape of ${this.typeOf(name)} ${name}: ${JSON.stringify(got)} for ${JSON.stringify(want)}`);
    }
  }

  private typeOf(name: string): string {
    return this.graph.getTensorByName(name).op.type;
  }

  private async runStep(step: Step): Promise<void> {
    const targets = (step.targets ?? []).map(name => this.graph.getOperationByName(name));
    if (step.error === undefined && step.fetches.length === 0 && targets.length === 0) return;
    if (step.error) return this.runToError(step, step.error);
    const [values] = await this.session.run([[...step.fetches], targets], this.feedsOf(step));
    for (const [i, name] of step.fetches.entries()) this.check(`${this.typeOf(name)} ${name}`, values[i], step.expected?.[name]);
  }

  private feedsOf(step: Step): Record<string, NDArray> {
    return Object.fromEntries(Object.entries(step.feeds).map(([name, record]) => [name, arrayOf(record, this.blob)]));
  }

  private async runToError(step: Step, want: ExpectedError): Promise<void> {
    try {
      const targets = (step.targets ?? []).map(name => this.graph.getOperationByName(name));
      await this.session.run([[...step.fetches], targets], this.feedsOf(step));
    } catch (error) {
      const why = errorDifference(error, want);
      if (why !== undefined) this.failures.push(why);
      return;
    }
    this.failures.push(`raised nothing for ${want.class}: ${oneLine(want.message)}`);
  }

  private check(what: string, got: unknown, want: TensorRecord | undefined | null): void {
    if (!want) return;
    if (!(got instanceof NDArray)) {
      this.failures.push(`${what}: ${String(got)} is no array`);
      return;
    }
    const why = difference(got, arrayOf(want, this.blob), want.cmp ?? "exact");
    if (why !== undefined) this.failures.push(`${what}: ${why}`);
  }

  private addGradients(): (Tensor | IndexedSlices | null)[] {
    const { grad_of: wanted } = this.golden;
    if (!wanted) return [];
    const { ys, xs, grad_ys, gradient_kind } = wanted;
    return this.graph.asDefault(() => {
      const tensor = (name: string): Tensor => this.graph.getTensorByName(name);
      const given = grad_ys.map(record => convertToTensor(arrayOf(record, this.blob)));
      const made = gradients(ys.map(tensor), xs.map(tensor), { gradYs: given });
      const kinds = made.map(item => (item === null ? "none" : item instanceof IndexedSlices ? "slices" : "dense"));
      if (String(kinds) !== String(gradient_kind)) this.failures.push(`gradient kinds ${kinds} for ${gradient_kind}`);
      return made;
    });
  }

  private async checkGradients(gradient: readonly (Tensor | IndexedSlices | null)[]): Promise<void> {
    const wanted = this.golden.grad_of?.expected ?? [];
    const live = gradient.flatMap((item, i) =>
      item === null || !wanted[i] ? [] : [{ item, want: wanted[i], x: this.golden.grad_of?.xs[i] }],
    );
    const last = this.golden.steps?.at(-1);
    const fetches = live.map(({ item }) => (item instanceof Tensor ? item : [item.values, item.indices]));
    const values = await this.session.run(fetches, last ? this.feedsOf(last) : undefined);
    live.forEach(({ want, x }, i) => {
      const got = values[i];
      this.check(`gradient for ${x}`, Array.isArray(got) ? denseOf(got[0], got[1], want.shape) : got, want);
    });
  }
}

/** The whole that rows belong to; rows of one index add up. */
function denseOf(values: NDArray, indices: NDArray, shape: readonly number[]): NDArray {
  const size = shape.reduce((product, d) => product * d, 1);
  const sums = NDArray.zeros("complex128", shape);
  const row = values.size / Math.max(indices.size, 1);
  const wide = values.cast("complex128");
  for (let i = 0; i < values.size; i++) {
    const at = Number(indices.get(Math.floor(i / row))) * row + (i % row);
    const [sum, added] = [sums.get(at), wide.get(i)] as Complex[];
    if (at < size) sums.set(at, { re: sum.re + added.re, im: sum.im + added.im });
  }
  return sums.cast(values.dtype);
}
