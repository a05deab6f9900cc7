// Supervisor: a session that initializes, restores, saves and writes summaries by itself, as programs had it before MonitoredTrainingSession.
// What TensorFlow does in threads, loops of the coordinator do here. TF: supervisor.py.

import { RuntimeError, ValueError } from "../base/errors.ts";
import { joinPath } from "../base/files.ts";
import * as logging from "../base/logging.ts";
import { getDefaultGraph } from "../graph/default-graph.ts";
import type { Graph } from "../graph/graph.ts";
import type { Operation, Tensor } from "../graph/operation.ts";
import { exportGraphDef } from "../io/graph-def.ts";
import { metaGraphOf } from "../io/meta-graph.ts";
import { writeGraph } from "../io/meta-graph-files.ts";
import { startQueueRunners } from "../io/queue-runners.ts";
import { Saver } from "../io/saver.ts";
import { FileWriter, SessionLog } from "../io/summary-writer.ts";
import { GraphKeys } from "../library/variables/graph-keys.ts";
import { tablesInitializer } from "../library/lookup.ts";
import { mergeAll } from "../library/summary.ts";
import { Coordinator, LooperThread } from "../library/train/coordinator.ts";
import { getGlobalStep, globalStep as valueOfStep } from "../library/train/global-step.ts";
import {
  globalVariablesInitializer,
  localVariablesInitializer,
  reportUninitializedVariables,
} from "../library/variables/variable-lists.ts";
import type { Variable } from "../library/variables/variables.ts";
import { group } from "../ops/flow/control-flow.ts";
import type { Feeds } from "../session/feeds.ts";
import type { Session, SessionConfig } from "../session/session.ts";
import { refuseOthers } from "../ops/arguments.ts";
import { SessionManager } from "./session-start.ts";

/** What is left out is found in the graph, or made; null means without it. */
export interface SupervisorOptions {
  readonly graph?: Graph | null;
  readonly readyOp?: Tensor | null;
  readonly readyForLocalInitOp?: Tensor | null;
  /** A chief initializes, saves and writes; others wait for it. */
  readonly isChief?: boolean;
  readonly initOp?: Operation | null;
  readonly initFeedDict?: Feeds | null;
  readonly localInitOp?: Operation | null;
  /** The folder of checkpoints and event files. */
  readonly logdir?: string | null;
  readonly summaryOp?: Tensor | null;
  readonly saver?: Saver | null;
  readonly globalStep?: Variable | Tensor | null;
  /** Seconds between summaries; 0: none. */
  readonly saveSummariesSecs?: number;
  /** Seconds between checkpoints; 0: none. */
  readonly saveModelSecs?: number;
  readonly recoveryWaitSecs?: number;
  readonly stopGraceSecs?: number;
  readonly checkpointBasename?: string;
  readonly sessionManager?: SessionManager | null;
  readonly summaryWriter?: FileWriter | null;
  readonly initFn?: ((session: Session) => void | Promise<void>) | null;
}

export interface PreparedSessionOptions {
  readonly master?: string;
  readonly config?: SessionConfig | null;
  readonly waitForCheckpoint?: boolean;
  readonly maxWaitSecs?: number;
  readonly startStandardServices?: boolean;
}

export interface ManagedSessionOptions {
  readonly master?: string;
  readonly config?: SessionConfig | null;
  readonly startStandardServices?: boolean;
  readonly closeSummaryWriter?: boolean;
}

/** Looks after a session of training: `await supervisor.managedSession(async session => { … })`. The graph is finalized. TF: tf.train.Supervisor. */
export class Supervisor {
  readonly graph: Graph;
  readonly isChief: boolean;
  readonly coord = new Coordinator();
  readonly saver: Saver | null;
  readonly summaryOp: Tensor | null;
  readonly globalStep: Variable | Tensor | null;
  readonly summaryWriter: FileWriter | null;
  /** Where checkpoints go, but for the step; null without a folder. */
  readonly savePath: string | null;
  readonly sessionManager: SessionManager;
  private readonly options: SupervisorOptions;
  private readonly initOp: Operation | null;
  /** Is the graph in the writer's present file? */
  private isGraphWritten = false;
  private readonly ownReadyOp: Tensor | null;

  constructor(options: SupervisorOptions = {}) {
    this.options = options;
    this.graph = options.graph ?? getDefaultGraph();
    this.isChief = options.isChief ?? true;
    const { logdir = null, checkpointBasename = "model.ckpt", recoveryWaitSecs = 30 } = options;
    this.savePath = this.isChief && logdir ? joinPath(logdir, checkpointBasename) : null;
    const made = this.graph.asDefault(() => ({
      readyOp: options.readyOp === undefined ? this.known(GraphKeys.READY_OP, reportUninitializedVariables) : options.readyOp,
      readyForLocalInitOp:
        options.readyForLocalInitOp === undefined
          ? this.known<Tensor>(GraphKeys.READY_FOR_LOCAL_INIT_OP, () => null)
          : options.readyForLocalInitOp,
      initOp: options.initOp === undefined ? this.known(GraphKeys.INIT_OP, globalVariablesInitializer) : options.initOp,
      localInitOp:
        options.localInitOp === undefined
          ? this.known(GraphKeys.LOCAL_INIT_OP, () => group(localVariablesInitializer(), tablesInitializer()))
          : options.localInitOp,
      saver: options.saver === undefined ? this.known(GraphKeys.SAVERS, () => this.newSaver()) : options.saver,
      summaryOp: options.summaryOp === undefined ? this.known(GraphKeys.SUMMARY_OP, mergeAll) : options.summaryOp,
      globalStep: options.globalStep === undefined ? getGlobalStep(this.graph) : options.globalStep,
    }));
    if (!this.isChief) this.refuseUnplacedVariables();
    this.initOp = made.initOp;
    this.ownReadyOp = made.readyOp;
    this.summaryOp = made.summaryOp;
    this.saver = made.saver;
    this.globalStep = made.globalStep;
    const ownWriter = (): FileWriter | null => (logdir ? new FileWriter(logdir) : null);
    this.summaryWriter = !this.isChief ? null : options.summaryWriter === undefined ? ownWriter() : options.summaryWriter;
    this.sessionManager =
      options.sessionManager ??
      new SessionManager({
        localInitOp: made.localInitOp,
        readyOp: made.readyOp,
        readyForLocalInitOp: made.readyForLocalInitOp,
        graph: this.graph,
        recoveryWaitSecs,
      });
    this.graph.finalize();
  }

  /** Where TensorFlow writes this, what is left out is found or made; here leave it out. */
  static readonly USE_DEFAULT = undefined;

  get readyOp(): Tensor | null {
    return this.ownReadyOp;
  }
  get readyForLocalInitOp(): Tensor | null {
    return this.options.readyForLocalInitOp ?? null;
  }
  get initFeedDict(): Feeds | null {
    return this.options.initFeedDict ?? null;
  }
  get saveModelSecs(): number {
    return this.options.saveModelSecs ?? 600;
  }
  get saveSummariesSecs(): number {
    return this.options.saveSummariesSecs ?? 120;
  }

  /** Calls `target` every so many seconds, or as often as it can with null, until a stop is asked for. TF: Supervisor.loop. */
  loop(timerIntervalSecs: number | null, target: () => unknown): LooperThread {
    return LooperThread.loop(this.coord, timerIntervalSecs, target);
  }

  /** Runs `body`; an error of it asks all to stop. TF: Supervisor.stop_on_exception. */
  stopOnException(body: () => unknown): Promise<void> {
    return this.coord.stopOnException(body);
  }

  /** What a collection holds first, or is given now. */
  private known<T>(key: string, make: () => T | null): T | null {
    const [first] = this.graph.getCollection(key) as T[];
    if (first !== undefined) return first;
    const made = make();
    if (made !== null) this.graph.addToCollection(key, made as never);
    return made;
  }

  private newSaver(): Saver | null {
    return this.graph.getCollection(GraphKeys.GLOBAL_VARIABLES).length > 0 ? new Saver() : null;
  }

  /** Every worker would make its own. */
  private refuseUnplacedVariables(): void {
    const unplaced = this.graph.getOperations().find(({ type, device }) => (type === "Variable" || type === "VariableV2") && device === "");
    if (unplaced) throw new ValueError(`When using replicas, all Variables must have their device set: ${unplaced}`);
  }

  /** A session whose variables are restored from the newest checkpoint of the folder, or initialized, with queue runners started; of others than
   *  the chief, one that waited for it. TF: prepare_or_wait_for_session. */
  async prepareOrWaitForSession(options: PreparedSessionOptions = {}): Promise<Session> {
    const { master = "", config = null, waitForCheckpoint = false, maxWaitSecs = 7200, startStandardServices = true } = options;
    this.coord.clearStop();
    this.summaryWriter?.reopen();
    const session = this.isChief
      ? await this.sessionManager.prepareSession(master, {
          initOp: this.initOp,
          saver: this.saver,
          checkpointDir: this.options.logdir ?? null,
          waitForCheckpoint,
          maxWaitSecs,
          config,
          initFeedDict: this.options.initFeedDict ?? null,
          initFn: this.options.initFn ?? null,
        })
      : await this.sessionManager.waitForSession(master, { config, maxWaitSecs });
    try {
      if (this.isChief) {
        await this.writeGraph();
        if (startStandardServices) await this.startStandardServices(session);
      }
      if (startStandardServices) this.startQueueRunners(session);
      return session;
    } catch (error) {
      await session.close();
      throw error;
    }
  }

  private async writeGraph(): Promise<void> {
    const { logdir } = this.options;
    if (logdir) await writeGraph(exportGraphDef(this.graph, { addShapes: true }), logdir, "graph.pbtxt");
    if (this.summaryWriter === null || this.isGraphWritten) return;
    this.summaryWriter.addGraph(this.graph);
    this.summaryWriter.addMetaGraph(metaGraphOf({ graph: this.graph, saverDef: this.saver?.saverDef ?? null }));
    this.isGraphWritten = true;
  }

  /** Until `stop`, saves and writes summaries and steps per second, now and every so often. @throws RuntimeError of others than the chief.
   *  TF: start_standard_services. */
  async startStandardServices(session: Session): Promise<void> {
    if (!this.isChief)
      throw new RuntimeError("Only chief supervisor can start standard services. Because only chief supervisors can write events.");
    if (!this.options.logdir) {
      logging.warning("Standard services need a 'logdir' passed to the SessionManager");
      return;
    }
    const { saveSummariesSecs = 120, saveModelSecs = 600 } = this.options;
    const { coord, globalStep, saver, savePath, summaryOp, summaryWriter } = this;
    const step = async (): Promise<number | null> => (globalStep === null ? null : valueOfStep(session, globalStep));
    if (summaryWriter !== null && globalStep !== null)
      summaryWriter.addSessionLog({ status: SessionLog.START }, { globalStep: await step() });
    if (saveSummariesSecs > 0 && summaryWriter !== null) {
      if (summaryOp !== null)
        LooperThread.loop(coord, saveSummariesSecs, async () => this.summaryComputed(session, await session.run(summaryOp)));
      if (globalStep !== null) await this.countSteps(session, globalStep, summaryWriter, saveSummariesSecs);
    }
    if (saveModelSecs > 0 && saver !== null && savePath !== null)
      LooperThread.loop(coord, saveModelSecs, async () => {
        logging.info("Saving checkpoint to path %s", savePath);
        await saver.save(session, savePath, { globalStep });
        if (globalStep !== null)
          summaryWriter?.addSessionLog({ status: SessionLog.CHECKPOINT, checkpointPath: savePath }, { globalStep: await step() });
      });
  }

  private async countSteps(session: Session, globalStep: Variable | Tensor, writer: FileWriter, everySecs: number): Promise<void> {
    const tag = `${globalStep.op.name}/sec`;
    let last = { time: performance.now(), step: await valueOfStep(session, globalStep) };
    LooperThread.loop(this.coord, everySecs, async () => {
      const now = { time: performance.now(), step: await valueOfStep(session, globalStep) };
      const seconds = (now.time - last.time) / 1000;
      const stepsPerSecond = seconds > 0 ? (now.step - last.step) / seconds : Number.POSITIVE_INFINITY;
      last = now;
      writer.addSummary({ value: [{ tag, simpleValue: stepsPerSecond }] }, now.step);
      logging.logFirstN(logging.INFO, "%s: %g", 10, tag, stepsPerSecond);
    });
  }

  /** Starts the queue runners of the graph. TF: start_queue_runners. */
  startQueueRunners(session: Session): void {
    startQueueRunners({ sess: session, coord: this.coord });
  }

  /** Writes a summary that was fetched, at the step given or the global one. TF: summary_computed. */
  async summaryComputed(session: Session, summary: Parameters<FileWriter["addSummary"]>[0], globalStep?: number | null): Promise<void> {
    if (!this.summaryWriter) throw new RuntimeError("Writing a summary requires a summary writer.");
    const known = this.globalStep;
    this.summaryWriter.addSummary(summary, globalStep ?? (known === null ? null : await valueOfStep(session, known)));
  }

  shouldStop(): boolean {
    return this.coord.shouldStop();
  }

  /** Asks everything that looks at `shouldStop` to end. TF: request_stop. */
  requestStop(error?: Error | null): void {
    this.coord.requestStop(error ?? null);
  }

  waitForStop(): Promise<unknown> {
    return Promise.resolve(this.coord.waitForStop());
  }

  /** Ends the services and queue runners, and closes the writer. @throws what stopped them. TF: stop. */
  async stop({ closeSummaryWriter = true }: { readonly closeSummaryWriter?: boolean } = {}): Promise<void> {
    this.coord.requestStop();
    try {
      await this.coord.join([], { stopGracePeriodSecs: this.options.stopGraceSecs ?? 120 });
    } finally {
      if (closeSummaryWriter && this.summaryWriter !== null) {
        this.summaryWriter.addSessionLog({ status: SessionLog.STOP });
        await this.summaryWriter.close();
        this.isGraphWritten = false;
      }
    }
  }

  /** Runs `body` with a prepared session, then stops and closes it. An error of the body or of a service is thrown when all has stopped; an end of
   *  the input (OutOfRangeError) is a good end. Nothing is saved at the end but by `body`. Without `body` it is the session, which stops the
   *  supervisor when it is closed. TF: managed_session. */
  async managedSession(options?: ManagedSessionOptions): Promise<Session>;
  async managedSession<R>(body: (session: Session) => R | Promise<R>): Promise<R | undefined>;
  async managedSession<R>(options: ManagedSessionOptions, body: (session: Session) => R | Promise<R>): Promise<R | undefined>;
  async managedSession<R>(
    ...given: readonly (ManagedSessionOptions | ((session: Session) => R | Promise<R>) | undefined)[]
  ): Promise<R | Session | undefined> {
    const body = given.find(item => typeof item === "function");
    const options = given.find(item => typeof item === "object") ?? {};
    if (body === undefined) return this.stoppedWith(await this.prepareOrWaitForSession(options), options);
    let session: Session | undefined;
    try {
      session = await this.prepareOrWaitForSession(options);
      return await body(session);
    } catch (error) {
      // Thrown again by `stop`, unless it is a good end.
      this.requestStop(error as Error);
    } finally {
      try {
        await this.stop(options);
      } finally {
        await session?.close().catch(() => undefined);
      }
    }
    return undefined;
  }

  private stoppedWith(session: Session, options: ManagedSessionOptions): Session {
    const close = session.close.bind(session);
    session.close = async () => {
      session.close = close;
      try {
        await this.stop(options);
      } finally {
        await close();
      }
    };
    return session;
  }
}

interface LoopOptions {
  /** More arguments of the step. */
  readonly args?: readonly unknown[] | null;
  /** The step's last argument, where it is given. */
  readonly kwargs?: object | null;
  readonly master?: string;
}

/** Calls `trainStepFn(session, ...args)` in a session of the supervisor's until the supervisor is asked to stop. TF: tf.train.basic_train_loop. */
export async function basicTrainLoop(
  supervisor: Supervisor,
  // any: the step takes what it is given
  trainStepFn: (session: Session, ...args: any[]) => unknown,
  { args, kwargs, master = "", ...others }: LoopOptions = {},
): Promise<void> {
  refuseOthers(others);
  const more = [...(args ?? []), ...(kwargs ? [kwargs] : [])];
  await supervisor.managedSession({ master }, async session => {
    while (!supervisor.shouldStop()) await trainStepFn(session, ...more);
  });
}
