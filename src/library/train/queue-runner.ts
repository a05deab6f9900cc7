// Queue runners: loops that run enqueue operations until the input ends, an error stops them, or a coordinator says so. TF: tf.train.QueueRunner.

import { OpError, OutOfRangeError, ValueError } from "../../base/errors.ts";
import { getDefaultGraph } from "../../graph/default-graph.ts";
import type { Operation } from "../../graph/operation.ts";
import { GraphKeys } from "../variables/graph-keys.ts";
import type { QueueBase } from "../queue.ts";
import { type Coordinator, Loop } from "./coordinator.ts";
import { refuseOthers } from "../../ops/arguments.ts";

/** What a runner asks of a session. */
export interface RunnerSession {
  run(operation: Operation): Promise<unknown>;
}

// `any`: constructor parameters do not matter to instanceof
type ErrorClass = new (...args: any[]) => OpError;

interface QueueRunnerOptions {
  readonly closeOp?: Operation | null;
  readonly cancelOp?: Operation | null;
  /** Errors that mean the end of the input; OutOfRangeError unless given. */
  readonly queueClosedExceptionTypes?: readonly ErrorClass[] | null;
}

interface ThreadOptions {
  readonly coord?: Coordinator | null;
  /** Accepted: loops keep no process alive by themselves. */
  readonly daemon?: boolean;
  readonly start?: boolean;
}

/** Keeps a queue filled: one loop for each enqueue operation. When the last has found its input ended, the queue is closed. */
export class QueueRunner {
  readonly queue: QueueBase;
  readonly enqueueOps: readonly Operation[];
  readonly closeOp: Operation;
  readonly cancelOp: Operation;
  readonly queueClosedExceptionTypes: readonly ErrorClass[];
  private readonly running = new WeakMap<RunnerSession, number>();
  private raised: Error[] = [];

  constructor(
    queue: QueueBase,
    enqueueOps: readonly Operation[],
    { closeOp, cancelOp, queueClosedExceptionTypes, ...others }: QueueRunnerOptions = {},
  ) {
    refuseOthers(others);
    if (!queue || !enqueueOps || enqueueOps.length === 0) throw new ValueError("Must provide queue and enqueue_ops.");
    const types = queueClosedExceptionTypes ?? [OutOfRangeError];
    if (types.length === 0 || !types.every(type => type === OpError || type.prototype instanceof OpError))
      throw new TypeError("queue_closed_exception_types, when provided, must be a tuple of tf.error types.");
    this.queue = queue;
    this.enqueueOps = enqueueOps;
    this.closeOp = closeOp ?? queue.close();
    this.cancelOp = cancelOp ?? queue.close({ cancelPendingEnqueues: true });
    this.queueClosedExceptionTypes = types;
  }

  get name(): string {
    return this.queue.name;
  }

  /** Errors that stopped loops which no coordinator watches. */
  get exceptionsRaised(): readonly Error[] {
    return this.raised;
  }

  /** The loops for a session, not started unless `start`; none if those of an earlier call still run. */
  createThreads(sess: RunnerSession, { coord, start = false, ...others }: ThreadOptions = {}): Loop[] {
    refuseOthers(others, "daemon");
    if ((this.running.get(sess) ?? 0) > 0) return [];
    this.running.set(sess, this.enqueueOps.length);
    this.raised = [];
    const loops = this.enqueueOps.map(
      op => new Loop(`QueueRunnerThread-${this.name}-${op.name}`, () => this.fill(sess, op, coord ?? null)),
    );
    if (coord) loops.push(new Loop(`QueueRunnerThread-${this.name}-close_on_stop`, () => this.cancelOnStop(sess, coord)));
    for (const loop of loops) {
      coord?.registerThread(loop);
      if (start) loop.start();
    }
    return loops;
  }

  private left(sess: RunnerSession): number {
    const left = (this.running.get(sess) ?? 1) - 1;
    this.running.set(sess, left);
    return left;
  }

  private async fill(sess: RunnerSession, op: Operation, coord: Coordinator | null): Promise<void> {
    try {
      while (!coord?.shouldStop()) await sess.run(op);
      this.left(sess);
    } catch (error) {
      const isLast = this.left(sess) === 0;
      if (this.queueClosedExceptionTypes.some(type => error instanceof type)) {
        // Closing fails where the queue is closed or the session gone; either way there is nothing to close.
        if (isLast) await sess.run(this.closeOp).catch(() => undefined);
      } else if (coord) coord.requestStop(error);
      else this.raised.push(error as Error);
    }
  }

  private async cancelOnStop(sess: RunnerSession, coord: Coordinator): Promise<void> {
    await coord.stopsWithin();
    await sess.run(this.cancelOp).catch(() => undefined);
  }
}

/** Adds a runner to the graph's collection, for startQueueRunners. TF: tf.train.add_queue_runner. */
export const addQueueRunner = (qr: QueueRunner, { collection = GraphKeys.QUEUE_RUNNERS }: { readonly collection?: string } = {}): void =>
  getDefaultGraph().addToCollection(collection, qr);
