// The reference backend: runs a Program directly, step by step. Its only virtue is clarity; every other backend must agree with it.
// Also what constant folding uses: a program of one step needs no feeds and no states.

import { InternalError } from "../../base/errors.ts";
import { NDArray } from "../../base/ndarray.ts";
import { sameShape } from "../../base/shape.ts";
import type { Program, Region, State, Step, Value } from "../../ir/program.ts";
import { outputsOf } from "../../ir/program.ts";
import { uninitializedError } from "../../ir/uninitialized.ts";
import { type Summation, runCheck, runContract, runMap, runRandom, runReduce, runScan, runScatter, runSort } from "./primitives.ts";

/** What a run is given: feeds by name, states by id. A state that is missing starts with its `initial`, or uninitialized. */
export interface ReferenceInputs {
  readonly feeds?: ReadonlyMap<string, NDArray>;
  readonly states?: ReadonlyMap<string, NDArray>;
  /** How floats are added; "exact" if nothing is said. */
  readonly summation?: Summation;
}

/** The program's results in order, and the new contents of the states it updated, by id. */
export interface ReferenceOutputs {
  readonly results: readonly NDArray[];
  readonly updates: ReadonlyMap<string, NDArray>;
}

/** Runs a program once. Arrays given are not kept and not changed.
 *  @throws FailedPreconditionError if it reads a variable that holds nothing; the error of a check that fails. */
export function runReference(program: Program, inputs: ReferenceInputs = {}): ReferenceOutputs {
  const run = new ReferenceRun(inputs);
  run.steps(program.steps);
  return { results: program.results.map(value => run.read(value)), updates: run.updates };
}

class ReferenceRun {
  readonly updates = new Map<string, NDArray>();
  private readonly values = new Map<Value, NDArray>();
  private readonly inputs: ReferenceInputs;

  constructor(inputs: ReferenceInputs) {
    this.inputs = inputs;
  }

  readonly read = (value: Value): NDArray => {
    const array = this.values.get(value);
    if (!array) throw new InternalError(`v${value.id} is read before it is made.`);
    return array;
  };

  steps(steps: readonly Step[]): void {
    for (const step of steps) this.step(step);
  }

  private define(value: Value, array: NDArray): void {
    if (array.dtype !== value.dtype || !sameShape(array.shape, value.shape))
      throw new InternalError(`v${value.id} is ${value.dtype} [${value.shape}], but was given ${array.dtype} [${array.shape}].`);
    this.values.set(value, array);
  }

  private step(step: Step): void {
    const arrays = this.execute(step);
    for (const [i, value] of outputsOf(step).entries()) this.define(value, arrays[i]);
  }

  /** The arrays of the values that the step defines. */
  private execute(step: Step): readonly NDArray[] {
    switch (step.kind) {
      case "feed":
        return [this.feed(step.name)];
      case "constant":
        return [step.data];
      case "state":
        return [this.state(step.state, step.reader)];
      case "initialized":
        return [NDArray.full("bool", [], this.stateOrNothing(step.state) !== undefined)];
      case "map":
        return [runMap(step, this.read)];
      case "reduce":
        return [runReduce(step, this.read, this.inputs.summation)];
      case "contract":
        return [runContract(step, this.read, this.inputs.summation)];
      case "scan":
        return [runScan(step, this.read, this.inputs.summation)];
      case "scatter":
        return [runScatter(step, this.read)];
      case "sort":
        return runSort(step, this.read);
      case "random":
        return [runRandom(step, this.read)];
      case "check":
        runCheck(step, this.read);
        return [];
      case "update":
        this.updates.set(step.state.id, this.read(step.value));
        return [];
      case "branch":
        return this.region(step.cases[this.choose(step)], []);
      case "loop":
        return this.loop(step);
      case "call":
        return this.call(step);
    }
  }

  private feed(name: string): NDArray {
    const array = this.inputs.feeds?.get(name);
    if (!array) throw new InternalError(`Nothing was fed for ${name}.`);
    return new NDArray(array.dtype, array.shape, array.data.slice());
  }

  private stateOrNothing(state: State): NDArray | undefined {
    return this.inputs.states?.get(state.id) ?? state.initial?.();
  }

  private state(state: State, reader: string): NDArray {
    const array = this.stateOrNothing(state);
    if (!array) throw uninitializedError(state, reader);
    return array;
  }

  /** bool: false is case 0, true case 1. Numbers outside the cases choose the last, as TensorFlow's Case does. */
  private choose({ choice, cases }: Extract<Step, { kind: "branch" }>): number {
    const i = Number(this.read(choice).get(0));
    return i >= 0 && i < cases.length ? i : cases.length - 1;
  }

  private region({ params, steps, results }: Region, args: readonly NDArray[]): NDArray[] {
    for (const [i, param] of params.entries()) this.define(param, args[i]);
    this.steps(steps);
    return results.map(this.read);
  }

  private loop({ initial, condition, body }: Extract<Step, { kind: "loop" }>): readonly NDArray[] {
    let carried = initial.map(this.read);
    while (this.region(condition, carried)[0].get(0)) carried = this.region(body, carried);
    return carried;
  }

  private call({ outs, routine, inputs }: Extract<Step, { kind: "call" }>): readonly NDArray[] {
    const outputs = outs.map(({ dtype, shape }) => NDArray.zeros(dtype, shape));
    routine.run(inputs.map(this.read), outputs);
    return outputs;
  }
}
