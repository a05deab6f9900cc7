// Queue runners: loops that run enqueue operations until the input ends, an error stops them, or a coordinator says so. TF: tf.train.QueueRunner.

import type { DType } from "../../base/dtype.ts";
import * as errors from "../../base/errors.ts";
import { OpError, OutOfRangeError, ValueError } from "../../base/errors.ts";
import { createMessage } from "../../formats/message-codec.ts";
import { classOf, type MessageObject } from "../../formats/message-class.ts";
import type { Message } from "../../formats/messages.ts";
import { getDefaultGraph } from "../../graph/default-graph.ts";
import type { Graph } from "../../graph/graph.ts";
import { isInScope, prependScope, type Renaming, stripScope } from "../../graph/import-scope.ts";
import type { Operation } from "../../graph/operation.ts";
import { GraphKeys } from "../variables/graph-keys.ts";
import { QueueBase } from "../queue.ts";
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
  /** A runner over nodes that are there, told by a message, in the place of queue and operations; with the name scope that they were imported into. */
  readonly queueRunnerDef?: Message<"QueueRunnerDef"> | null;
  readonly importScope?: string | null;
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

  constructor(queue: QueueBase | null, enqueueOps: readonly Operation[] | null = null, options: QueueRunnerOptions = {}) {
    const { queueRunnerDef, importScope, ...given } = options;
    if (queueRunnerDef && (queue || enqueueOps)) throw new ValueError("queue_runner_def and queue are mutually exclusive.");
    if (queueRunnerDef) {
      const told = partsFromMessage(queueRunnerDef, getDefaultGraph(), prependScope(importScope));
      [queue, enqueueOps] = [told.queue, told.enqueueOps];
      Object.assign(given, told.options);
    }
    const { closeOp, cancelOp, queueClosedExceptionTypes, ...others } = given;
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

  /** A runner over nodes of the default graph. TF: QueueRunner.from_proto. @throws KeyError for a node that is not there. */
  static fromProto(queueRunnerDef: Message<"QueueRunnerDef">, { importScope }: { importScope?: string | null } = {}): QueueRunner {
    return new QueueRunner(null, null, { queueRunnerDef, importScope });
  }

  /** The names of its nodes as a message; null for a queue outside of the scope. TF: QueueRunner.to_proto. */
  toProto({ exportScope }: { exportScope?: string | null } = {}): MessageObject<"QueueRunnerDef"> | null {
    if (!isInScope(this.name, exportScope)) return null;
    return classOf("QueueRunnerDef").of(queueRunnerToMessage(this, stripScope(exportScope)));
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
export function addQueueRunner(
  qr: QueueRunner,
  { collection = GraphKeys.QUEUE_RUNNERS, ...others }: { readonly collection?: string } = {},
): void {
  refuseOthers(others);
  getDefaultGraph().addToCollection(collection, qr);
}

// ---- as messages ----

/** Classes of errors that have a code. */
const errorClasses = (): ErrorClass[] =>
  Object.values<unknown>(errors).filter((each): each is ErrorClass => typeof each === "function" && each.prototype instanceof OpError);
const codeOf = (Class: ErrorClass): number => new Class("").code;

export const queueRunnerToMessage = (runner: QueueRunner, strip: Renaming): Message<"QueueRunnerDef"> =>
  createMessage("QueueRunnerDef", {
    queueName: strip(runner.name),
    enqueueOpName: runner.enqueueOps.map(({ name }) => strip(name)),
    closeOpName: strip(runner.closeOp.name),
    cancelOpName: strip(runner.cancelOp.name),
    queueClosedExceptionTypes: runner.queueClosedExceptionTypes.map(codeOf),
  });

interface Parts {
  readonly queue: QueueBase;
  readonly enqueueOps: readonly Operation[];
  readonly options: QueueRunnerOptions;
}

function partsFromMessage(message: Message<"QueueRunnerDef">, graph: Graph, prefix: Renaming): Parts {
  const op = (name: string): Operation => graph.getOperationByName(prefix(name));
  const handle = op(message.queueName);
  const codes = new Set(message.queueClosedExceptionTypes);
  const types = errorClasses().filter(Class => codes.has(codeOf(Class)));
  return {
    queue: new QueueBase((handle.attrs.componentTypes ?? []) as DType[], null, null, handle.outputs[0]),
    enqueueOps: message.enqueueOpName.map(op),
    options: {
      closeOp: op(message.closeOpName),
      cancelOp: op(message.cancelOpName),
      // Files of old say nothing of errors.
      queueClosedExceptionTypes: types.length > 0 ? types : null,
    },
  };
}

/** A runner over nodes of a graph that are there. */
export function queueRunnerFromMessage(message: Message<"QueueRunnerDef">, graph: Graph, prefix: Renaming): QueueRunner {
  const { queue, enqueueOps, options } = partsFromMessage(message, graph, prefix);
  return new QueueRunner(queue, enqueueOps, options);
}
