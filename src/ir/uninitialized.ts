// The error of a run that reads a variable which holds nothing: TensorFlow's text for each kind of variable. Schedules and devices raise it.

import { FailedPreconditionError } from "../base/errors.ts";
import type { State } from "./program.ts";

const advice = "Run its initializer first, usually tf.globalVariablesInitializer(), or restore it from a checkpoint.";

/** The error for reading `state`; `reader` is the node to blame. State ids are "variable:NAME" or "resource:NAME". */
export function uninitializedError({ id }: State, reader: string): FailedPreconditionError {
  const [kind, name] = id.split(/:(.*)/s);
  const message =
    kind === "resource"
      ? `Could not find variable ${name}. This could mean that the variable has been deleted. In TF1, it can also mean the variable is uninitialized. ` +
        `Debug info: container=localhost, status error message=Container localhost does not exist. (Could not find resource: localhost/${name})`
      : `Attempting to use uninitialized value ${name ?? id}`;
  return new FailedPreconditionError(`${message}\n\n${advice}`, { name: reader });
}
