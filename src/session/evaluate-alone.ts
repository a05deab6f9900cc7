// One operation on known values, by the reference: what is computed between two segments of a run, and what shapes follow while a graph is built.

import { runReference } from "../backends/reference/index.ts";
import { InternalError, InvalidArgumentError } from "../base/errors.ts";
import type { NDArray } from "../base/ndarray.ts";
import type { Operation, Tensor } from "../graph/operation.ts";
import type { Program } from "../ir/program.ts";
import { blamed } from "../lower/blame.ts";
import { lower } from "../lower/index.ts";

/** Runs a closed program. */
export const evaluate = (closed: Program): readonly NDArray[] => runReference(closed, { feeds: new Map(), states: new Map() }).results;

/** The results of an operation on the `values` of its `inputs`. */
export const evaluateAlone = (
  op: Operation,
  inputs: readonly Tensor[],
  values: readonly NDArray[],
  resolve: (tensor: Tensor) => Tensor = tensor => tensor,
): readonly NDArray[] =>
  evaluate(
    lower({
      nodes: [op],
      fetches: op.outputs,
      feeds: inputs.map((tensor, i) => ({ tensor, dtype: tensor.dtype, shape: values[i].shape, known: values[i] })),
      resolve,
      isFed: tensor => inputs.includes(tensor),
      isOnHost: () => false,
      resource: () => {
        throw new InternalError(`${op.type} has no resource.`);
      },
      currentState: state => state,
      evaluate,
      runtimeError: (at, message) => blamed(new InvalidArgumentError(message), at),
    }),
  );

/** Elements of the inputs and results together at most: a value that a shape is made of is small, and building a graph must be quick. */
const mostElements = 65_536;

/** The results of an operation on constants, for the shapes of what reads them, or undefined where it fails (TensorFlow goes on without, too) or
 *  is no small matter. */
export function evaluateConstants(op: Operation, values: readonly NDArray[]): readonly NDArray[] | undefined {
  const elements = [...values.map(value => value.size), ...op.outputs.map(output => output.shape.size ?? 0)].reduce((a, b) => a + b, 0);
  if (elements > mostElements) return undefined;
  try {
    return evaluateAlone(op, op.inputs, values);
  } catch {
    return undefined;
  }
}
