// Errors of a run told as the fault of a node.

import { OpError } from "../base/errors.ts";
import type { Operation } from "../graph/operation.ts";

/** The same error, with the node it belongs to. */
export function blamed(error: Error, op: Operation): Error {
  if (!(error instanceof OpError) || error.op !== null) return error;
  const place = op.location.toString();
  const where = place === "" ? "" : `\n\nNode '${op.name}' was created at ${place}.`;
  const Class = error.constructor as new (message: string, op: Operation) => OpError;
  return new Class(`${error.message}\n\t [[{{node ${op.name}}}]]${where}`, op);
}
