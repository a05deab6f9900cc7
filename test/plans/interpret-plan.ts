// Runs a Plan literally: one ArrayBuffer as the arena, every value at its place, kernels in order. Meant to find faults, not to be fast:
// memory is poisoned before it is written, positions of a map are written one after another, and so whatever reads a place too early,
// too late or beside the position it may read gives a wrong result. The arithmetic is the reference backend's.
import { runCheck, runContract, runRandom, runReduce, runScan, runScatter, runSort } from "../../src/backends/reference/primitives.ts";
import { ScalarCompiler } from "../../src/backends/reference/scalar.ts";
import { viewTypedArray } from "../../src/base/dtype.ts";
import { NDArray } from "../../src/base/ndarray.ts";
import { sizeOf } from "../../src/base/shape.ts";
import type { Value } from "../../src/ir/program.ts";
import { loadsOf, type Scalar, substituteScalar } from "../../src/ir/scalar.ts";
import { axesOf } from "../../src/schedule/access.ts";
import { scalarsOfKernel, readsOfKernel } from "../../src/schedule/draft.ts";
import type { Kernel, Place, Plan, Store } from "../../src/schedule/plan.ts";

const poison = 0xff;

export interface PlanRun {
  readonly results: readonly NDArray[];
  /** Contents of all states after the run, by id. */
  readonly states: ReadonlyMap<string, NDArray>;
}

/** Runs a Plan once on copies of what is given. */
export function interpretPlan(plan: Plan, feeds: ReadonlyMap<string, NDArray>, states: ReadonlyMap<string, NDArray>): PlanRun {
  const run = new Interpretation(plan, feeds, states);
  run.kernels(plan.kernels);
  return { results: plan.results.map(value => run.copyOf(value)), states: run.states() };
}

/** The states as they are when a kernel failed, for tests of what an error leaves behind. */
export function interpretUntilError(
  plan: Plan,
  feeds: ReadonlyMap<string, NDArray>,
  states: ReadonlyMap<string, NDArray>,
): PlanRun["states"] {
  const run = new Interpretation(plan, feeds, states);
  try {
    run.kernels(plan.kernels);
  } catch {
    return run.states();
  }
  throw new Error("No kernel failed.");
}

class Interpretation {
  private readonly plan: Plan;
  private readonly arena: ArrayBuffer;
  private readonly constants: ArrayBuffer;
  private readonly memories = new Map<string, { bytes: ArrayBuffer; like: NDArray }>();
  private readonly slots: (NDArray | undefined)[];

  constructor(plan: Plan, feeds: ReadonlyMap<string, NDArray>, states: ReadonlyMap<string, NDArray>) {
    this.plan = plan;
    this.arena = new ArrayBuffer(plan.arenaBytes);
    new Uint8Array(this.arena).fill(poison);
    this.constants = new ArrayBuffer(plan.constantBytes);
    this.slots = Array<NDArray | undefined>(plan.hostSlots).fill(undefined);
    for (const { data, offsetBytes } of plan.constants) bytesAt(this.constants, offsetBytes).set(bytesOfArray(data));
    for (const { data, slot } of plan.hostConstants) this.slots[slot] = data;
    for (const { state, reader } of plan.states) {
      const given = states.get(state.id) ?? state.initial?.();
      if (given === undefined && reader !== undefined) throw new Error(`State ${state.id} is uninitialized.`);
      const like = given ?? NDArray.zeros(state.dtype, state.shape);
      const bytes = new ArrayBuffer(bytesOfArray(like).length);
      const memory = new Uint8Array(bytes);
      if (given === undefined) memory.fill(poison);
      else memory.set(bytesOfArray(given));
      this.memories.set(state.id, { bytes, like });
    }
    for (const { name, value } of plan.feeds) this.write(value, feeds.get(name) as NDArray);
    for (const { state, value } of plan.flags)
      this.write(value, NDArray.full("bool", [], states.has(state.id) || state.initial !== undefined));
  }

  states(): Map<string, NDArray> {
    return new Map(
      [...this.memories].map(([id, { bytes, like }]) => [
        id,
        new NDArray(like.dtype, like.shape, viewTypedArray(like.dtype, bytes.slice(0), 0, like.size)),
      ]),
    );
  }

  private placeOf(value: Value): Place {
    const place = this.plan.places.get(value);
    if (place === undefined) throw new Error(`v${value.id} has no place.`);
    return place;
  }

  private memory(place: Exclude<Place, { region: "host" }>): { buffer: ArrayBuffer; offset: number } {
    if (place.region === "state") return { buffer: (this.memories.get(place.state.id) as { bytes: ArrayBuffer }).bytes, offset: 0 };
    return { buffer: place.region === "arena" ? this.arena : this.constants, offset: place.offsetBytes };
  }

  /** A view of a value where it lies, or the array in its slot. */
  readonly read = (value: Value): NDArray => {
    const place = this.placeOf(value);
    if (place.region === "host") {
      const array = this.slots[place.slot];
      if (array === undefined) throw new Error(`v${value.id} is read before it is written.`);
      return new NDArray(array.dtype, value.shape, array.data);
    }
    const { buffer, offset } = this.memory(place);
    return new NDArray(value.dtype, value.shape, viewTypedArray(value.dtype, buffer, offset, sizeOf(value.shape)));
  };

  copyOf(value: Value): NDArray {
    const { dtype, shape, data } = this.read(value);
    return new NDArray(dtype, shape, data.slice());
  }

  private write(value: Value, array: NDArray): void {
    this.writeAt(this.placeOf(value), array);
  }

  private writeAt(place: Place, array: NDArray): void {
    if (place.region === "constant") throw new Error("A constant is written.");
    if (place.region === "host") {
      this.slots[place.slot] = array;
      return;
    }
    const { buffer, offset } = this.memory(place);
    const bytes = bytesOfArray(array);
    if (bytes.length !== place.bytes) throw new Error(`${bytes.length} bytes are written to a place of ${place.bytes}.`);
    bytesAt(buffer, offset).set(bytes);
  }

  private spoil(place: Place): void {
    if (place.region === "host") return;
    const { buffer, offset } = this.memory(place);
    new Uint8Array(buffer, offset, place.bytes).fill(poison);
  }

  kernels(kernels: readonly Kernel[]): void {
    for (const kernel of kernels) this.kernel(kernel);
  }

  private kernel(kernel: Kernel): void {
    for (const value of readsOfKernel(kernel)) this.read(value);
    if ("scratch" in kernel && kernel.scratch !== undefined) this.spoil({ region: "arena", ...kernel.scratch });
    switch (kernel.kind) {
      case "map":
        this.stores(kernel.shape, kernel.stores);
        break;
      case "sweep":
        // Backwards: a map that needed one before it would show.
        this.kernels([...kernel.maps].reverse());
        return;
      case "reductions":
        this.kernels([...kernel.reductions].reverse());
        return;
      case "reduce": {
        const out: Value = { id: -1, dtype: kernel.accumulator, shape: kernel.shape };
        for (const store of kernel.stores) this.spoil(this.placeOf(store.out));
        this.epilogue(kernel.stores, runReduce({ ...kernel, out }, this.read), out);
        break;
      }
      case "contract": {
        const out: Value = { id: -1, dtype: kernel.left.source.dtype, shape: kernel.shape };
        for (const store of kernel.stores) this.spoil(this.placeOf(store.out));
        this.epilogue(kernel.stores, runContract({ ...kernel, out }, this.read), out);
        break;
      }
      case "rows":
        this.rows(kernel);
        break;
      case "scan":
        this.spoil(this.placeOf(kernel.out));
        this.write(kernel.out, runScan(kernel, this.read));
        break;
      case "scatter":
        this.scatter(kernel);
        break;
      case "sort": {
        for (const out of [kernel.values, kernel.indices]) this.spoil(this.placeOf(out));
        const [values, indices] = runSort(kernel, this.read);
        this.write(kernel.values, values);
        this.write(kernel.indices, indices);
        break;
      }
      case "random":
        this.spoil(this.placeOf(kernel.out));
        this.write(kernel.out, runRandom(kernel, this.read));
        break;
      case "check":
        runCheck(kernel, this.read);
        break;
      case "copy":
        this.writeAt(kernel.to, this.copyOf(kernel.from));
        break;
      case "branch": {
        const i = Number(this.read(kernel.choice).get(0));
        this.kernels(kernel.cases[i >= 0 && i < kernel.cases.length ? i : kernel.cases.length - 1]);
        break;
      }
      case "loop":
        this.kernels(kernel.condition);
        while (this.read(kernel.test).get(0)) {
          this.kernels(kernel.body);
          this.kernels(kernel.condition);
        }
        break;
      case "call": {
        const outputs = kernel.outs.map(({ dtype, shape }) => NDArray.zeros(dtype, shape));
        for (const out of kernel.outs) this.spoil(this.placeOf(out));
        kernel.routine.run(
          kernel.inputs.map(value => this.copyOf(value)),
          outputs,
        );
        for (const [k, out] of kernel.outs.entries()) this.write(out, outputs[k]);
      }
    }
  }

  /** Position by position: all stores are evaluated, then written. */
  private stores(shape: readonly number[], stores: readonly Store[], read: (value: Value) => NDArray = this.read): void {
    const compiler = new ScalarCompiler({ at: [], visited: 0 }, read);
    const evaluate = stores.map(({ body }) => compiler.scalar(body));
    const onHost = new Map(
      stores.flatMap(({ out }) => (this.placeOf(out).region === "host" ? [[out, NDArray.zeros(out.dtype, out.shape)] as const] : [])),
    );
    for (const [out, array] of onHost) this.write(out, array);
    const outs = stores.map(({ out }) => onHost.get(out) ?? this.read(out));
    for (let position = 0; position < sizeOf(shape); position++) {
      compiler.frame.visited++;
      let rest = position;
      for (let axis = shape.length - 1; axis >= 0; axis--) {
        compiler.frame.at[axis] = rest % shape[axis];
        rest = Math.floor(rest / shape[axis]);
      }
      const elements = evaluate.map(compute => compute());
      for (const [k, out] of outs.entries()) out.set(position, elements[k]);
    }
  }

  /** Row by row, place by place, as the kernel's passes say. */
  private rows({ rows, length, blockRows, passes }: Extract<Kernel, { kind: "rows" }>): void {
    const frame = { at: [0, 0], visited: 0 };
    const compiler = new ScalarCompiler(frame, this.read);
    const finished = new Map<Value, NDArray>();
    const epilogues = new ScalarCompiler(frame, value => finished.get(value) ?? this.read(value));
    const compiled = passes.map(({ before, reductions, columns, stores }) => ({
      before: before.map(({ out, body }) => ({ out: this.read(out), compute: compiler.scalar(body) })),
      reductions: reductions.map(({ combine, body, stores: ends }) => {
        const total: Value = { id: -1, dtype: body.dtype, shape: [] };
        finished.set(total, NDArray.zeros(body.dtype, []));
        const load: Scalar = { kind: "load", dtype: body.dtype, source: total, at: [] };
        const axes = axesOf([rows, length]);
        const bodies = ends.map(({ out, body: end }) => ({
          out: this.read(out),
          compute: epilogues.scalar(substituteScalar(end, axes, other => other, load)),
        }));
        return { combine, total, compute: compiler.scalar(body), bodies };
      }),
      columns: columns.map(({ combine, body, out }) => ({ combine, out: this.read(out), compute: compiler.scalar(body) })),
      stores: stores.map(({ out, body }) => ({ out: this.read(out), compute: compiler.scalar(body) })),
    }));
    for (let row = 0; row < rows; row++)
      for (const pass of compiled) {
        const place = (column: number): void => {
          frame.at[0] = row;
          frame.at[1] = column;
          frame.visited++;
        };
        place(0);
        for (const { out, compute } of pass.before) out.set(row, compute());
        const terms = pass.reductions.map((): number[] => []);
        for (let column = 0; column < length; column++) {
          place(column);
          for (const [r, { compute }] of pass.reductions.entries()) terms[r].push(compute() as number);
          const values = [...pass.columns, ...pass.stores].map(({ compute }) => compute());
          for (const [c, { out, combine }] of pass.columns.entries()) {
            const position = Math.floor(row / blockRows) * length + column;
            const isFirst = row % blockRows === 0;
            const all = isFirst ? [values[c] as number] : [out.get(position) as number, values[c] as number];
            out.set(position, folded(combine, all));
          }
          for (const [k, { out }] of pass.stores.entries()) out.set(row * length + column, values[pass.columns.length + k]);
        }
        place(0);
        for (const [r, { combine, total, bodies }] of pass.reductions.entries()) {
          (finished.get(total) as NDArray).set(0, folded(combine, terms[r]));
          for (const { out, compute } of bodies) {
            frame.visited++;
            out.set(row, compute());
          }
        }
      }
  }

  private epilogue(stores: readonly Store[], result: NDArray, out: Value): void {
    const load: Scalar = { kind: "load", dtype: out.dtype, source: out, at: axesOf(out.shape) };
    const bodies = stores.map(store => ({ out: store.out, body: substituteScalar(store.body, axesOf(out.shape), other => other, load) }));
    this.stores(out.shape, bodies, value => (value === out ? result : this.read(value)));
  }

  private scatter(kernel: Extract<Kernel, { kind: "scatter" }>): void {
    const samePlace = this.placeOf(kernel.base) === this.placeOf(kernel.out);
    if (samePlace !== kernel.inPlace) throw new Error("inPlace does not say where base and out lie.");
    for (const { source } of scalarsOfKernel(kernel).flatMap(loadsOf))
      if (this.placeOf(source) === this.placeOf(kernel.out)) throw new Error("A scatter reads what it writes.");
    if (!kernel.inPlace) this.spoil(this.placeOf(kernel.out));
    const result = runScatter(kernel, this.read);
    this.write(kernel.out, result);
  }
}

/** Numbers combined in double precision, as the reference does. */
function folded(combine: string, numbers: readonly number[]): number {
  if (combine === "sum") return numbers.reduce((sum, x) => sum + x, 0);
  if (combine === "prod") return numbers.reduce((product, x) => product * x, 1);
  return combine === "max" ? Math.max(...numbers) : Math.min(...numbers);
}

const bytesOfArray = ({ data }: NDArray): Uint8Array =>
  Array.isArray(data) ? new Uint8Array(0) : new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
const bytesAt = (buffer: ArrayBuffer, offset: number): Uint8Array => new Uint8Array(buffer, offset);
