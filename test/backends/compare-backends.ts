// A program on the wasm backend must give what the reference gives. Floats are compared with a tolerance; where they differ by more, the
// reference runs again, adding in the worst order, with functions off by as much as they may be, and with inputs changed by a millionth: an
// element that moves as far by itself (a comparison on the edge, a difference of equal numbers, a product too large for its type) says nothing. Memory is poisoned before the run, every access is checked against the places of its kernel, and phases
// run in several pieces, the last first.
import { loadSpecialFunctions } from "../../src/backends/host-functions.ts";
import { runReference } from "../../src/backends/reference/index.ts";
import type { Summation } from "../../src/backends/reference/primitives.ts";
import { OwnCode } from "../../src/backends/wasm/code.ts";
import { WasmDevice } from "../../src/backends/wasm/device.ts";
import { WasmExecutable } from "../../src/backends/wasm/executable.ts";
import { engineTarget } from "../../src/backends/wasm/features.ts";
import { printWasm } from "../../src/backends/wasm/printer.ts";
import { isComplex, isFloating } from "../../src/base/dtype.ts";
import { NDArray } from "../../src/base/ndarray.ts";
import { printProgram } from "../../src/ir/print.ts";
import type { Program, Step } from "../../src/ir/program.ts";
import { verifyProgram } from "../../src/ir/verify.ts";
import type { Target } from "../../src/kernels/target.ts";
import { type Recorded, record, type RecordOptions } from "../../src/kernels/index.ts";
import { printPlan, schedule } from "../../src/schedule/index.ts";
import { withFunctionErrors } from "../kernels/function-errors.ts";
import { type RandomCase, randomNumbers } from "../plans/random-program.ts";
import { withAddressChecks } from "./check-addresses.ts";
import { withSplitPhases } from "./split-phases.ts";

await loadSpecialFunctions();

type Arrays = ReadonlyMap<string, NDArray>;

interface Run {
  readonly results: readonly NDArray[];
  readonly states: Arrays;
}

export interface Comparison {
  /** What is wrong, with all texts; undefined if nothing is. */
  readonly fault?: string;
  /** Elements compared, and those of them that say nothing. */
  readonly elements: number;
  readonly undecided: number;
}

/** Feeds by number, as devices want them. */
export function numbered({ program, feeds, states }: RandomCase): RandomCase {
  const names = [...feeds.keys()];
  const rename = (step: Step): Step => (step.kind === "feed" ? { ...step, name: String(names.indexOf(step.name)) } : step);
  return {
    program: { ...program, steps: program.steps.map(rename) },
    feeds: new Map(names.map((name, i) => [String(i), feeds.get(name) as NDArray])),
    states,
  };
}

function runOnReference({ program, feeds }: RandomCase, states: Arrays, summation: Summation = "exact"): Run {
  const { results, updates } = runReference(program, { feeds, states, summation });
  return { results, states: new Map([...states, ...updates]) };
}

export interface CompareOptions {
  readonly isChecked?: boolean;
  /** An absolute tolerance instead of the usual one. */
  readonly within?: number;
  readonly target?: Target;
  /** By kernels for any size. */
  readonly anySize?: boolean;
  readonly recording?: RecordOptions;
}

/** Runs on both; a program with states twice, the second time with the states the first left. */
export async function compareBackends(
  given: RandomCase,
  { isChecked = true, within, target = engineTarget(), anySize = false, recording = {} }: CompareOptions = {},
): Promise<Comparison> {
  const aCase = numbered(given);
  verifyProgram(aCase.program);
  const device = new WasmDevice(target);
  const plan = schedule(aCase.program, anySize ? device.anySizeTarget : device.target);
  for (const [id, value] of aCase.states) device.writeState(id, value);
  const own = async (): Promise<WasmExecutable> => {
    let recorded: Recorded = record(plan, target, recording);
    if (isChecked) recorded = { ...recorded, module: withSplitPhases(withAddressChecks(recorded, plan), recorded) };
    const bytes = printWasm(recorded.module);
    return new WasmExecutable(device, plan, new OwnCode(device, recorded, await WebAssembly.compile(bytes), bytes.length));
  };
  const executable = anySize ? await device.compile(aCase.program, plan, { anySize }) : await own();
  const counts = { elements: 0, undecided: 0 };
  const complain = (what: string): Comparison => ({
    ...counts,
    fault: `${what}\n${printProgram(aCase.program)}\n\n${printPlan(plan)}\n\n${executable.texts.kernels()}`,
  });
  let states = aCase.states;
  for (let round = 0; round < (plan.states.length > 0 ? 2 : 1); round++) {
    new Uint8Array(device.memory.buffer, device.arena.offset, device.arena.bytes).fill(0xff);
    let expected: Run | undefined;
    let failure: string | undefined;
    try {
      expected = runOnReference(aCase, states);
    } catch (error) {
      failure = (error as Error).message;
    }
    let results: readonly NDArray[];
    try {
      results = await executable.run([...aCase.feeds.values()]);
    } catch (error) {
      if ((error as Error).message === failure) return counts;
      return complain(`round ${round}: ${(error as Error).stack}`);
    }
    if (expected === undefined) return complain(`round ${round}: not stopped by ${failure}`);
    const after = new Map([...expected.states.keys()].map(id => [id, device.readState(id) as NDArray]));
    const edges = new Edges(aCase, states);
    const pairs: [string, NDArray, NDArray, (run: Run) => NDArray][] = [
      ...expected.results.map((array, k): [string, NDArray, NDArray, (run: Run) => NDArray] => [
        `result ${k}`,
        array,
        results[k],
        run => run.results[k],
      ]),
      ...[...expected.states].map(([id, array]): [string, NDArray, NDArray, (run: Run) => NDArray] => [
        `state ${id}`,
        array,
        after.get(id) as NDArray,
        run => run.states.get(id) as NDArray,
      ]),
    ];
    for (const [name, want, got, of] of pairs) {
      if (want.shape.join() !== got.shape.join() || want.dtype !== got.dtype) return complain(`${name}: ${got.dtype}[${got.shape}]`);
      for (let i = 0; i < want.size; i++) {
        counts.elements++;
        if (within === undefined ? isClose(want, got, i, tolerance(want)) : Math.abs(Number(want.get(i)) - Number(got.get(i))) <= within)
          continue;
        if (within === undefined && edges.isOnEdge(want, got, i, of)) counts.undecided++;
        else return complain(`round ${round}, ${name}, element ${i}: ${text(got, i)} instead of ${text(want, i)}`);
      }
    }
    states = after;
  }
  return counts;
}

const text = (array: NDArray, i: number): string =>
  JSON.stringify(array.get(i), (_, x) => (typeof x === "bigint" || (typeof x === "number" && !Number.isFinite(x)) ? String(x) : x));

const tolerance = ({ dtype }: NDArray): number =>
  dtype === "float64" || dtype === "complex128" ? 2e-6 : dtype === "bfloat16" ? 3e-2 : dtype === "float16" ? 4e-3 : 1e-4;

function isClose(want: NDArray, got: NDArray, i: number, within: number): boolean {
  const [a, b] = [want.get(i), got.get(i)] as unknown[];
  const near = (x: number, y: number): boolean =>
    Object.is(x, y) || (x === 0 && y === 0) || (Number.isNaN(x) && Number.isNaN(y)) || Math.abs(x - y) <= within * Math.max(1, Math.abs(x));
  if (isFloating(want.dtype)) return near(Number(a), Number(b));
  if (isComplex(want.dtype)) {
    const [x, y] = [a, b] as { re: number; im: number }[];
    const size = Math.hypot(x.re, x.im);
    return (near(x.re, y.re) && near(x.im, y.im)) || Math.hypot(x.re - y.re, x.im - y.im) <= within * Math.max(1, size);
  }
  return text(want, i) === text(got, i);
}

/** What the reference gives for inputs and functions that differ a little, and for sums in the worst order. */
class Edges {
  private readonly aCase: RandomCase;
  private readonly states: Arrays;
  private readonly runs: Run[] = [];
  private readonly more: Iterator<Run, void>;

  constructor(aCase: RandomCase, states: Arrays) {
    this.aCase = aCase;
    this.states = states;
    this.more = this.run();
  }

  /** Do runs of the reference differ among themselves here, or does one of them agree? */
  isOnEdge(want: NDArray, got: NDArray, i: number, of: (run: Run) => NDArray): boolean {
    const says = (run: Run): boolean => !isClose(want, of(run), i, tolerance(want) / 4) || isClose(of(run), got, i, tolerance(want));
    if (this.runs.some(says)) return true;
    for (let next = this.more.next(); !next.done; next = this.more.next()) {
      this.runs.push(next.value);
      if (says(next.value)) return true;
    }
    return false;
  }

  /** One after the other, as long as none says anything. The last bits of what cancels (numbers normalized one by one) decide between equals in few of them. */
  private *run(): Generator<Run, void> {
    yield runOnReference(this.aCase, this.states, "worst");
    for (const upwards of [1, -1] as const)
      yield runOnReference({ ...this.aCase, program: withFunctionErrors(this.aCase.program, upwards) }, this.states);
    for (let k = 0; k < 48; k++) yield this.perturbed([1e-6, 3e-7, 1e-7][k % 3], randomNumbers(k + 1));
  }

  private perturbed(by: number, random: () => number): Run {
    const moved = (array: NDArray): NDArray => {
      if (!isFloating(array.dtype) && !isComplex(array.dtype)) return array;
      const copy = new NDArray(array.dtype, array.shape, array.data.slice());
      const near = (x: number): number => x * (1 + (random() - 0.5) * by) + (random() - 0.5) * by;
      for (let i = 0; i < array.size; i++) {
        const x = array.get(i) as number | { re: number; im: number };
        copy.set(i, typeof x === "number" ? near(x) : { re: near(x.re), im: near(x.im) });
      }
      return copy;
    };
    const { program } = this.aCase;
    const steps = program.steps.map((step): Step => (step.kind === "constant" ? { ...step, data: moved(step.data) } : step));
    const feeds = new Map([...this.aCase.feeds].map(([name, array]) => [name, moved(array)]));
    const changed: Program = { steps, results: program.results };
    return runOnReference(
      { program: changed, feeds, states: this.states },
      new Map([...this.states].map(([id, array]) => [id, moved(array)])),
    );
  }
}
