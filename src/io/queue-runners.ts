// Queue runners of a graph: starting them in a session or in the default one, and their messages in meta graphs.

import type { DType } from "../base/dtype.ts";
import * as errors from "../base/errors.ts";
import { ValueError } from "../base/errors.ts";
import { createMessage } from "../formats/message-codec.ts";
import type { Message } from "../formats/messages.ts";
import type { Graph } from "../graph/graph.ts";
import { QueueBase } from "../library/queue.ts";
import { GraphKeys } from "../library/variables/graph-keys.ts";
import type { Coordinator, Loop } from "../library/train/coordinator.ts";
import { QueueRunner } from "../library/train/queue-runner.ts";
import { getDefaultSession } from "../session/default-session.ts";
import { Session } from "../session/session.ts";
import type { Renaming } from "./import-scope.ts";

interface StartOptions {
  readonly sess?: Session | null;
  readonly coord?: Coordinator | null;
  readonly daemon?: boolean;
  readonly start?: boolean;
  readonly collection?: string;
}

/** Starts the loops of all queue runners in the graph; give `coord` to stop them together. TF: tf.train.start_queue_runners.
 *  @throws ValueError if there is no session. */
export function startQueueRunners({
  sess,
  coord,
  daemon = true,
  start = true,
  collection = GraphKeys.QUEUE_RUNNERS,
}: StartOptions = {}): Loop[] {
  const session = sess ?? getDefaultSession();
  if (!session)
    throw new ValueError(
      "Cannot start queue runners: No default session is registered. Use `with sess.as_default()` or pass an explicit session to tf.start_queue_runners(sess=sess)",
      "Here: tf.train.startQueueRunners({ sess, coord }).",
    );
  if (!(session instanceof Session)) throw new TypeError("sess must be a `tf.Session` object.");
  const runners = session.graph.getCollection(collection).filter((item): item is QueueRunner => item instanceof QueueRunner);
  return runners.flatMap(runner => runner.createThreads(session, { coord: coord ?? null, daemon, start }));
}

// ---- in meta graphs ----

type ErrorClass = QueueRunner["queueClosedExceptionTypes"][number];

/** Classes of errors that have a code. */
const errorClasses = (): ErrorClass[] =>
  Object.values<unknown>(errors).filter(
    (each): each is ErrorClass => typeof each === "function" && each.prototype instanceof errors.OpError,
  );
const codeOf = (Class: ErrorClass): number => new Class("").code;

/** TF: QueueRunner.to_proto. */
export const queueRunnerToMessage = (runner: QueueRunner, strip: Renaming): Message<"QueueRunnerDef"> =>
  createMessage("QueueRunnerDef", {
    queueName: strip(runner.name),
    enqueueOpName: runner.enqueueOps.map(({ name }) => strip(name)),
    closeOpName: strip(runner.closeOp.name),
    cancelOpName: strip(runner.cancelOp.name),
    queueClosedExceptionTypes: runner.queueClosedExceptionTypes.map(codeOf),
  });

/** A runner over nodes of the graph that are there. TF: QueueRunner.from_proto. */
export function queueRunnerFromMessage(message: Message<"QueueRunnerDef">, graph: Graph, prefix: Renaming): QueueRunner {
  const op = (name: string) => graph.getOperationByName(prefix(name));
  const handle = op(message.queueName);
  const queue = new QueueBase((handle.attrs.componentTypes ?? []) as DType[], null, null, handle.outputs[0]);
  const codes = new Set(message.queueClosedExceptionTypes);
  const types = errorClasses().filter(Class => codes.has(codeOf(Class)));
  return new QueueRunner(queue, message.enqueueOpName.map(op), {
    closeOp: op(message.closeOpName),
    cancelOp: op(message.cancelOpName),
    // Files of old say nothing of errors.
    queueClosedExceptionTypes: types.length > 0 ? types : null,
  });
}
