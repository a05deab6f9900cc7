// Supervisor: a session that initializes, restores, saves and writes summaries by itself, as programs had it before MonitoredTrainingSession.
// Where TensorFlow has threads there are timers here, stopped with everything else by `stop`. TF: supervisor.py.

import { RuntimeError } from "../base/errors.ts";
import * as logging from "../base/logging.ts";
import { getDefaultGraph } from "../graph/default-graph.ts";
import type { Graph } from "../graph/graph.ts";
import type { Operation, Tensor } from "../graph/operation.ts";
import { startQueueRunners } from "../io/queue-runners.ts";
import { Saver } from "../io/saver.ts";
import { FileWriter, SessionLog } from "../io/summary-writer.ts";
import { GraphKeys } from "../library/variables/graph-keys.ts";
import { tablesInitializer } from "../library/lookup.ts";
import { mergeAll } from "../library/summary.ts";
import { Coordinator } from "../library/train/coordinator.ts";
import { getGlobalStep } from "../library/train/global-step.ts";
import {
  globalVariablesInitializer,
  localVariablesInitializer,
  reportUninitializedVariables,
} from "../library/variables/variable-lists.ts";
import type { Variable } from "../library/variables/variables.ts";
import { group } from "../ops/flow/control-flow.ts";
import type { Feeds } from "../session/feeds.ts";
import type { Session, SessionConfig } from "../session/session.ts";
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
  readonly globalStep?: Variable | null;
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
  readonly globalStep: Variable | null;
  readonly summaryWriter: FileWriter | null;
  /** Where checkpoints go, but for the step; null without a folder. */
  readonly savePath: string | null;
  readonly sessionManager: SessionManager;
  private readonly options: SupervisorOptions;
  private readonly initOp: Operation | null;
  private timers: ReturnType<typeof setInterval>[] = [];
  /** Timed work under way. */
  private working: Promise<void> = Promise.resolve();

  constructor(options: SupervisorOptions = {}) {
    this.options = options;
    this.graph = options.graph ?? getDefaultGraph();
    this.isChief = options.isChief ?? true;
    const { logdir = null, checkpointBasename = "model.ckpt", recoveryWaitSecs = 30 } = options;
    this.savePath = this.isChief && logdir !== null ? `${logdir}/${checkpointBasename}` : null;
    this.summaryWriter = !this.isChief
      ? null
      : options.summaryWriter !== undefined
        ? options.summaryWriter
        : logdir === null
          ? null
          : new FileWriter(logdir);
    const made = this.graph.asDefault(() => ({
      initOp: this.isChief
        ? options.initOp === undefined
          ? this.known(GraphKeys.INIT_OP, globalVariablesInitializer)
          : options.initOp
        : null,
      readyOp: options.readyOp === undefined ? this.known(GraphKeys.READY_OP, reportUninitializedVariables) : options.readyOp,
      localInitOp:
        options.localInitOp === undefined
          ? this.known(GraphKeys.LOCAL_INIT_OP, () => group(localVariablesInitializer(), tablesInitializer()))
          : options.localInitOp,
      summaryOp: options.summaryOp === undefined ? this.known(GraphKeys.SUMMARY_OP, mergeAll) : options.summaryOp,
      saver: options.saver === undefined ? this.known(GraphKeys.SAVERS, () => this.newSaver()) : options.saver,
      globalStep: options.globalStep === undefined ? ((getGlobalStep(this.graph) as Variable | null) ?? null) : options.globalStep,
    }));
    this.initOp = made.initOp;
    this.summaryOp = made.summaryOp;
    this.saver = made.saver;
    this.globalStep = made.globalStep;
    this.sessionManager =
      options.sessionManager ??
      new SessionManager({
        localInitOp: made.localInitOp,
        readyOp: made.readyOp,
        readyForLocalInitOp: options.readyForLocalInitOp ?? null,
        graph: this.graph,
        recoveryWaitSecs,
      });
    this.graph.finalize();
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

  /** A session whose variables are restored from the newest checkpoint of the folder, or initialized, with queue runners started; of others than
   *  the chief, one that waited for it. TF: prepare_or_wait_for_session. */
  async prepareOrWaitForSession(options: PreparedSessionOptions = {}): Promise<Session> {
    const { master = "", config = null, waitForCheckpoint = false, maxWaitSecs = 7200, startStandardServices = true } = options;
    this.coord.clearStop();
    if (!this.isChief) {
      const session = await this.sessionManager.waitForSession(master, { config, maxWaitSecs });
      this.startQueueRunners(session);
      return session;
    }
    const session = await this.sessionManager.prepareSession(master, {
      initOp: this.initOp,
      saver: this.saver,
      checkpointDir: this.options.logdir ?? null,
      waitForCheckpoint,
      maxWaitSecs,
      config,
      initFeedDict: this.options.initFeedDict ?? null,
      initFn: this.options.initFn ?? null,
    });
    this.summaryWriter?.addGraph(this.graph);
    if (startStandardServices) await this.startStandardServices(session);
    this.startQueueRunners(session);
    return session;
  }

  /** Saves and writes summaries every so often until `stop`. @throws RuntimeError of others than the chief. TF: start_standard_services. */
  async startStandardServices(session: Session): Promise<void> {
    if (!this.isChief) throw new RuntimeError("Only chief supervisor can start standard services.");
    if (!this.options.logdir) {
      logging.warning("Standard services need a 'logdir' passed to the SessionManager");
      return;
    }
    const { saveSummariesSecs = 120, saveModelSecs = 600 } = this.options;
    if (this.globalStep !== null && this.summaryWriter !== null) {
      const globalStep = Number((await session.run(this.globalStep.value())).item());
      this.summaryWriter.addSessionLog({ status: SessionLog.START }, { globalStep });
    }
    if (saveSummariesSecs > 0 && this.summaryWriter !== null && this.summaryOp !== null)
      this.every(saveSummariesSecs, async () => this.summaryComputed(session, await session.run(this.summaryOp as Tensor)));
    if (saveModelSecs > 0 && this.saver !== null) this.every(saveModelSecs, () => this.save(session));
  }

  private async save(session: Session): Promise<void> {
    if (this.saver !== null && this.savePath !== null) await this.saver.save(session, this.savePath, { globalStep: this.globalStep });
  }

  /** At once, and then again and again. */
  private every(seconds: number, work: () => Promise<unknown>): void {
    const turn = (): void => {
      this.working = this.working.then(work).then(
        () => undefined,
        (error: unknown) => this.coord.requestStop(error),
      );
    };
    turn();
    const timer: { unref?(): unknown } & ReturnType<typeof setInterval> = setInterval(turn, 1000 * seconds);
    timer.unref?.();
    this.timers.push(timer);
  }

  /** Starts the queue runners of the graph. TF: start_queue_runners. */
  startQueueRunners(session: Session): void {
    startQueueRunners({ sess: session, coord: this.coord });
  }

  /** Writes a summary that was fetched, at the step given or the global one. TF: summary_computed. */
  async summaryComputed(session: Session, summary: Parameters<FileWriter["addSummary"]>[0], globalStep?: number | null): Promise<void> {
    if (!this.summaryWriter) throw new RuntimeError("Writing a summary requires a summary writer.");
    const known = this.globalStep;
    const step = globalStep ?? (known === null ? undefined : Number((await session.run(known.value())).item()));
    this.summaryWriter.addSummary(summary, step);
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

  /** Ends timers and queue runners, and closes the writer. TF: stop. */
  async stop(options: { readonly closeSummaryWriter?: boolean } = {}): Promise<void> {
    this.coord.requestStop();
    for (const timer of this.timers) clearInterval(timer);
    this.timers = [];
    await this.working;
    await this.coord.join([], { stopGracePeriodSecs: this.options.stopGraceSecs ?? 120 });
    if (!(options.closeSummaryWriter ?? true) || this.summaryWriter === null) return;
    if (this.globalStep !== null) this.summaryWriter.addSessionLog({ status: SessionLog.STOP });
    await this.summaryWriter.close();
  }

  /** Runs `body` with a prepared session, then stops and closes it; an error stops as well and is thrown on. Nothing is saved at the end but by
   *  `body`. Without `body` it is the session, which stops the supervisor when it is closed. TF: managed_session. */
  async managedSession(options?: ManagedSessionOptions): Promise<Session>;
  async managedSession<R>(body: (session: Session) => R | Promise<R>): Promise<R>;
  async managedSession<R>(options: ManagedSessionOptions, body: (session: Session) => R | Promise<R>): Promise<R>;
  async managedSession<R>(
    ...given: readonly (ManagedSessionOptions | ((session: Session) => R | Promise<R>) | undefined)[]
  ): Promise<R | Session> {
    const body = given.find(item => typeof item === "function");
    const options = given.find(item => typeof item === "object") ?? {};
    const session = await this.prepareOrWaitForSession(options);
    if (body === undefined) return this.stoppedWith(session, options);
    try {
      return await body(session);
    } catch (error) {
      this.requestStop(error as Error);
      throw error;
    } finally {
      await this.stop(options).catch(() => undefined);
      await session.close();
    }
  }

  private stoppedWith(session: Session, options: ManagedSessionOptions): Session {
    const close = session.close.bind(session);
    session.close = async () => {
      await this.stop(options);
      await close();
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
  { args, kwargs, master = "" }: LoopOptions = {},
): Promise<void> {
  const more = [...(args ?? []), ...(kwargs ? [kwargs] : [])];
  await supervisor.managedSession({ master }, async session => {
    while (!supervisor.shouldStop()) await trainStepFn(session, ...more);
  });
}
