// A session's device that runs Programs by their meaning, without a plan: slow and plain, for tests and for looking up what is right.

import { NDArray } from "../../base/ndarray.ts";
import { printProgram } from "../../ir/print.ts";
import type { Program } from "../../ir/program.ts";
import { loadSpecialFunctions } from "../host-functions.ts";
import { type Device, type Executable, resourceKeeper } from "../device.ts";
import { runReference } from "./index.ts";

const copyOf = ({ dtype, shape, data }: NDArray): NDArray => new NDArray(dtype, shape, data.slice());

export const openReferenceDevice = (): Device => new ReferenceDevice();

class ReferenceDevice implements Device {
  readonly name = "reference";
  readonly target = null;
  readonly anySizeTarget = null;
  readonly modules = 0;
  shapeChanges = 0;
  private readonly states = new Map<string, NDArray>();
  private readonly keeper = resourceKeeper();
  readonly resource = this.keeper.resource;
  readonly endResources = this.keeper.endResources;

  async compile(program: Program): Promise<Executable> {
    await loadSpecialFunctions();
    return {
      run: async feeds => this.run(program, feeds),
      texts: { program: () => printProgram(program) },
      counts: { steps: program.steps.length },
      heldBytes: 0,
      release: () => {},
    };
  }

  private run(program: Program, feeds: readonly NDArray[]): readonly NDArray[] {
    const named = new Map(feeds.map((array, i) => [String(i), array]));
    const { results, updates } = runReference(program, { feeds: named, states: this.states });
    for (const [id, array] of updates) this.hold(id, array);
    // Results may be the very arrays of states and constants, and callers may write into what they are given.
    return results.map(copyOf);
  }

  readState(id: string): NDArray | undefined {
    const held = this.states.get(id);
    return held && copyOf(held);
  }

  stateShape(id: string): readonly number[] | undefined {
    return this.states.get(id)?.shape;
  }

  writeState(id: string, value: NDArray): void {
    this.hold(id, copyOf(value));
  }

  private hold(id: string, array: NDArray): void {
    const before = this.states.get(id);
    if (before !== undefined && before.shape.join() !== array.shape.join()) this.shapeChanges++;
    this.states.set(id, array);
  }

  dropState(id: string): void {
    this.states.delete(id);
  }

  restart(prefix: string): void {
    for (const id of this.states.keys()) if (id.startsWith(prefix)) this.states.delete(id);
  }

  close(): void {
    this.states.clear();
  }
}
