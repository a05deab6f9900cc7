// A traced run: what each part of it took, by names of the graph. Told as TensorFlow's step stats, and as columns of `session.explain`.
// A traced run has a module of its own that tells when each part ends; the module of other runs does not know of it.

import { type DType, dtypeBytes, dtypeEnumName } from "../base/dtype.ts";
import { sizeOf } from "../base/shape.ts";
import type { NDArray } from "../base/ndarray.ts";
import type { Device, Executable, TracedTime } from "../backends/device.ts";
import type { Operation } from "../graph/operation.ts";
import type { Program, Value } from "../ir/program.ts";
import type { Selection } from "../optimize/selection.ts";
import { writesOfKernel } from "../schedule/draft.ts";
import { schedule } from "../schedule/index.ts";
import { type KernelOrigin, originsIn } from "../schedule/origins.ts";
import type { Kernel, Plan } from "../schedule/plan.ts";
import { operationsOf } from "../graph/structured.ts";

/** Something a run did, from and to in milliseconds of `performance.now()`. */
export interface TracedNode {
  readonly name: string;
  /** `name = what(inputs)`, as TensorFlow labels its nodes. */
  readonly label: string;
  readonly begin: number;
  readonly end: number;
  readonly outputs: readonly { readonly dtype: DType; readonly shape: readonly number[] }[];
}

/** Collects what one run does. */
export interface RunTrace {
  readonly nodes: TracedNode[];
  /** What was compiled for the run. */
  readonly operations: Set<Operation>;
}

/** The form of TensorFlow's StepStats message. */
export interface StepStats {
  readonly devStats: readonly {
    readonly device: string;
    readonly nodeStats: readonly NodeExecStats[];
    readonly threadNames: ReadonlyMap<number, string>;
  }[];
}

type NodeExecStats = ReturnType<typeof nodeStats>;

/** The step stats of a run on the one device there is. */
export const stepStats = ({ nodes }: RunTrace, device: string): StepStats => ({
  devStats: [{ device, nodeStats: nodes.map(nodeStats), threadNames: new Map() }],
});

function nodeStats({ name, label, begin, end, outputs }: TracedNode) {
  const nanos = (ms: number): bigint => BigInt(Math.round(ms * 1e6));
  // The epoch in nanoseconds is beyond what a number holds exactly.
  const start = BigInt(Math.round(performance.timeOrigin * 1e3)) * 1000n + nanos(begin);
  const length = nanos(end - begin);
  const bytes = outputs.map(({ dtype, shape }) => BigInt(sizeOf(shape) * dtypeBytes(dtype)));
  const total = bytes.reduce((sum, size) => sum + size, 0n);
  return {
    nodeName: name,
    allStartMicros: start / 1000n,
    opStartRelMicros: 0n,
    opEndRelMicros: length / 1000n,
    allEndRelMicros: length / 1000n,
    memory: total === 0n ? [] : [{ allocatorName: "cpu", totalBytes: total, peakBytes: total, liveBytes: total, allocatorBytesInUse: 0n }],
    output: outputs.map(({ dtype, shape }, slot) => ({
      slot,
      tensorDescription: {
        dtype: dtypeEnumName(dtype),
        shape: { dim: shape.map(size => ({ size: BigInt(size), name: "" })), unknownRank: false },
        allocationDescription: { requestedBytes: bytes[slot], allocatedBytes: bytes[slot], allocatorName: "cpu", allocationId: 0n },
      },
    })),
    timelineLabel: label,
    scheduledMicros: start / 1000n,
    threadId: 0,
    allStartNanos: start,
    opStartRelNanos: 0n,
    opEndRelNanos: length,
    allEndRelNanos: length,
    scheduledNanos: start,
  };
}

/** Runs `work` for an operation of the host and notes what it took. */
export function tracedCall<T>(trace: RunTrace | undefined, op: Operation, work: () => T | Promise<T>): T | Promise<T> {
  if (trace === undefined) return work();
  const begin = performance.now();
  const note = (result: T): T => {
    const label = `${op.name} = ${op.type}(${op.inputs.map(({ name }) => name.replace(/:0$/, "")).join(", ")})`;
    trace.operations.add(op);
    trace.nodes.push({ name: op.name, label, begin, end: performance.now(), outputs: [] });
    return result;
  };
  const result = work();
  return result instanceof Promise ? result.then(note) : note(result);
}

/** A compiled Program once more, as code that can be traced; made when it is first asked for. */
export class TracedProgram {
  private readonly selection: Selection;
  private readonly program: Program;
  private readonly device: Device;
  private compiled: Promise<{ executable: Executable; plan: Plan | null }> | undefined;
  /** Milliseconds of each part in the last traced run, by its name. */
  private measured: ReadonlyMap<string, number> | undefined;

  constructor(selection: Selection, program: Program, device: Device) {
    this.selection = selection;
    this.program = program;
    this.device = device;
  }

  async run(feeds: readonly NDArray[], trace: RunTrace): Promise<readonly NDArray[]> {
    const { executable, plan } = await (this.compiled ??= this.compile());
    for (const op of operationsOf(this.selection.nodes)) trace.operations.add(op);
    const begin = performance.now();
    const results = await executable.run(feeds);
    const end = performance.now();
    const done = executable.trace ?? [];
    const node = (name: string, label: string, from: number, to: number): void =>
      void trace.nodes.push({ name, label: `${name} = ${label}`, begin: from, end: to, outputs: [] });
    if (plan === null) node("program", "Program()", begin, end);
    else {
      const first = done[0]?.begin ?? end;
      if (feeds.length > 0) node("_feeds", `Copy(${this.namesOf([...this.selection.feeds].map(({ op }) => op.name))})`, begin, first);
      trace.nodes.push(...this.nodesOf(done, plan));
      const last = done.at(-1)?.end ?? first;
      if (results.length > 0) node("_fetches", `Copy(${this.namesOf(this.selection.fetches.map(({ op }) => op.name))})`, last, end);
    }
    const measured = new Map<string, number>();
    for (const part of done) measured.set(part.name, (measured.get(part.name) ?? 0) + part.end - part.begin);
    this.measured = measured;
    return results;
  }

  /** A line for each part of the code that usually runs: what it should take, what it took in the last traced run, and which nodes it is. */
  times(executable: Executable, plan: Plan): string {
    const { measured } = this;
    const originOf = originsIn(this.program, plan);
    const ms = (value: number | undefined): string => (value === undefined ? "" : `${value.toFixed(3)} ms`);
    const parts = executable.parts?.() ?? [];
    const estimated = parts.reduce((sum, part) => sum + part.estimatedMs, 0);
    const taken = measured && [...measured.values()].reduce((sum, part) => sum + part, 0);
    const rows = [
      ["estimated", "measured", "phase", "nodes"],
      ...parts.map(part => [
        ms(part.estimatedMs),
        ms(measured?.get(part.name)),
        part.name,
        shortened(originOf(part.kernel).nodes).join(" ") || part.kernel.kind,
      ]),
      [ms(estimated), ms(taken), "in all", measured ? "" : "(not measured: no run was traced)"],
    ];
    const widths = [0, 1, 2].map(column => Math.max(...rows.map(row => row[column].length)));
    const line = ([estimate, time, name, nodes]: string[]): string =>
      `${estimate.padStart(widths[0])}  ${time.padStart(widths[1])}  ${name.padEnd(widths[2])}  ${nodes}`.trimEnd();
    return `${rows.map(line).join("\n")}\n`;
  }

  release(): void {
    void this.compiled?.then(
      ({ executable }) => executable.release(),
      () => undefined,
    );
    this.compiled = undefined;
  }

  private async compile(): Promise<{ executable: Executable; plan: Plan | null }> {
    const { program, device } = this;
    const plan = device.target && schedule(program, device.target);
    return { plan, executable: await device.compile(program, plan, { isTraced: true }) };
  }

  private nodesOf(parts: readonly TracedTime[], plan: Plan): TracedNode[] {
    const originOf = originsIn(this.program, plan);
    const origins = new Map<Kernel, KernelOrigin>();
    const types = new Map(operationsOf(this.selection.nodes).map(op => [op.name, op.type]));
    const lastOf = new Map(parts.map(({ kernel, name }) => [kernel, name]));
    return parts.map(({ name: part, kernel, begin, end }) => {
      const origin = origins.get(kernel) ?? originOf(kernel);
      origins.set(kernel, origin);
      const name = origin.nodes.at(-1) ?? part;
      const what = shortened(origin.nodes.map(node => types.get(node) ?? node.split("/").at(-1) ?? node)).join("+") || kernel.kind;
      const outputs = lastOf.get(kernel) === part ? writtenBy(kernel) : [];
      return { name, label: `${name} = ${what}:${part}(${this.namesOf(origin.inputs)})`, begin, end, outputs };
    });
  }

  private readonly namesOf = (names: readonly string[]): string => shortened(names).join(", ");
}

const mostNames = 12;

/** The last of many names: what is stored comes last. */
const shortened = (names: readonly string[]): readonly string[] =>
  names.length <= mostNames ? names : [`${names.length - mostNames} more`, ...names.slice(-mostNames)];

const writtenBy = (kernel: Kernel): readonly Value[] =>
  kernel.kind === "copy" || kernel.kind === "branch" || kernel.kind === "loop" ? [] : writesOfKernel(kernel);
