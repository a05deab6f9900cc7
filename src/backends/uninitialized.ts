// The error of a run that reads a variable which holds nothing: TensorFlow's text for each kind of variable. All devices raise it.

import { FailedPreconditionError } from "../base/errors.ts";
import type { State } from "../ir/program.ts";

const advice = "Run its initializer first, usually tf.globalVariablesInitializer(), or restore it from a checkpoint.";

/** The error for reading `state`; `reader` is the node to blame. State ids are "variable:NAME" or "resource:NAME". */
export function uninitializedError({ id }: State, reader: string): FailedPreconditionError {
  const [kind, name] = id.split(/:(.*)/s);
  const message =
    kind === "resource"
      ? `Error while reading resource variable ${name} from Container: localhost. This could mean that the variable was uninitialized. ` +
        `Not found: Resource localhost/${name}/N10tensorflow3VarE does not exist.`
      : `Attempting to use uninitialized value ${name ?? id}`;
  return new FailedPreconditionError(`${message}\n\n${advice}`, { name: reader });
}
