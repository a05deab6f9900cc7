// Queue runners of a graph: starting them in a session or in the default one.

import { ValueError } from "../base/errors.ts";
import { GraphKeys } from "../library/variables/graph-keys.ts";
import type { Coordinator, Loop } from "../library/train/coordinator.ts";
import { QueueRunner } from "../library/train/queue-runner.ts";
import { getDefaultSession } from "../session/default-session.ts";
import { Session } from "../session/session.ts";

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
