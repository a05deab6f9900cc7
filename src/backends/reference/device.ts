// The reference backend as a device: Programs run as they are, variables are arrays. Slow and right; tests and constant folding use it.

import { FailedPreconditionError } from "../../base/errors.ts";
import type { NDArray } from "../../base/ndarray.ts";
import type { Program, Step } from "../../ir/program.ts";
import type { Device, Executable } from "../device.ts";
import { runReference } from "./index.ts";

export function openReferenceDevice(): Device {
  const states = new Map<string, NDArray>();
  return {
    name: "reference",
    target: null,
    compile: async program => executable(program, states),
    readState: id => states.get(id),
    stateShape: id => states.get(id)?.shape,
    writeState: (id, value) => void states.set(id, value),
    dropState: id => void states.delete(id),
    close: () => states.clear(),
  };
}

function executable(program: Program, states: Map<string, NDArray>): Executable {
  return {
    texts: {},
    counts: { steps: program.steps.length },
    run: feeds => {
      for (const step of program.steps) prepare(step, states);
      const named = new Map(feeds.map((value, i) => [String(i), value]));
      const { results, updates } = runReference(program, { feeds: named, states });
      for (const [id, value] of updates) states.set(id, value);
      return results;
    },
  };
}

function prepare(step: Step, states: Map<string, NDArray>): void {
  if (step.kind !== "state" || states.has(step.state.id)) return;
  if (!step.state.initial) throw uninitialized(step.state.id, step.reader);
  states.set(step.state.id, step.state.initial());
}

/** TensorFlow's error for a variable that is read before it was initialized. */
export function uninitialized(id: string, reader: string): FailedPreconditionError {
  const name = id.replace(/^variable:/, "");
  return new FailedPreconditionError(
    `Attempting to use uninitialized value ${name}\n\t [[{{node ${reader}}}]]\n\nRun the initializers first: await session.run(tf.globalVariablesInitializer()).`,
    { name: reader },
  );
}
