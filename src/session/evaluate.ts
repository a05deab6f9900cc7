// `tensor.eval()` and `operation.run()`: short for a run in the default session.

import { ValueError } from "../base/errors.ts";
import type { NDArray } from "../base/ndarray.ts";
import type { Graph } from "../graph/graph.ts";
import type { Operation, Tensor } from "../graph/operation.ts";
import { getDefaultSession } from "./default-session.ts";
import type { Feeds } from "./feeds.ts";
import type { SparseTensor } from "../graph/sparse-tensor.ts";
import type { SparseTensorValue } from "./fetches.ts";
import type { Session } from "./session.ts";

/** Feeds and session by name: names of tensors hold a colon, so an object with these keys is not one of feeds. */
export interface EvaluateOptions {
  readonly feedDict?: Feeds | null;
  readonly session?: Session | null;
}

const inOrder = (given: Feeds | EvaluateOptions | null | undefined, session: Session | null | undefined): EvaluateOptions =>
  typeof given === "object" && given !== null && ("feedDict" in given || "session" in given)
    ? (given as EvaluateOptions)
    : { feedDict: given as Feeds | null | undefined, session };

/** The value of a tensor in `session` or the default session. TF: Tensor.eval. */
export async function evaluateTensor(tensor: Tensor, given?: Feeds | EvaluateOptions | null, last?: Session | null): Promise<NDArray> {
  const { feedDict, session } = inOrder(given, last);
  return sessionFor(tensor.graph, session, "evaluate tensor using `eval()`", "tensor").run(tensor, feedDict);
}

/** The value of a sparse tensor in `session` or the default session. TF: SparseTensor.eval. */
export async function evaluateSparse(
  sparse: SparseTensor,
  given?: Feeds | EvaluateOptions | null,
  last?: Session | null,
): Promise<SparseTensorValue> {
  const { feedDict, session } = inOrder(given, last);
  return sessionFor(sparse.graph, session, "evaluate tensor using `eval()`", "tensor").run(sparse, feedDict);
}

/** Runs an operation in `session` or the default session. TF: Operation.run. */
export async function runOperation(op: Operation, given?: Feeds | EvaluateOptions | null, last?: Session | null): Promise<void> {
  const { feedDict, session } = inOrder(given, last);
  await sessionFor(op.graph, session, "execute operation using `run()`", "operation").run(op, feedDict);
}

function sessionFor(graph: Graph, given: Session | null | undefined, what: string, kind: "tensor" | "operation"): Session {
  const call = kind === "tensor" ? "eval" : "run";
  const session = given ?? getDefaultSession();
  if (!session)
    throw new ValueError(
      `Cannot ${what}: No default session is registered. Use \`with sess.as_default()${kind === "tensor" ? "" : ":"}\` or pass an explicit session to \`${call}(session=sess)\``,
      `Here: session.asDefault(() => tensor.${call}()), or session.run(tensor).`,
    );
  if (session.graph !== graph) {
    const verb = kind === "tensor" ? "evaluate tensor" : "execute operation";
    throw new ValueError(
      given
        ? `Cannot use the given session to ${verb}: the ${kind}'s graph is different from the session's graph.`
        : `Cannot use the default session to ${verb}: the ${kind}'s graph is different from the session's graph. Pass an explicit session to \`${call}(session=sess)\`.`,
    );
  }
  return session;
}
