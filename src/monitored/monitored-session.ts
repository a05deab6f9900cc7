// Sessions that look after themselves: initialize or restore, start queue runners, call hooks around every run, and end in order.
// TF: monitored_session.py. What TensorFlow stacks as sessions wrapped in sessions is one class here, since a wrapper adds one thing each.

import { AbortedError, OutOfRangeError, RuntimeError, UnavailableError } from "../base/errors.ts";
import * as logging from "../base/logging.ts";
import { getDefaultGraph } from "../graph/default-graph.ts";
import type { Graph } from "../graph/graph.ts";
import { startQueueRunners } from "../io/queue-runners.ts";
import { RunMetadata, RunOptions } from "../io/run-metadata.ts";
import { GraphKeys } from "../library/variables/graph-keys.ts";
import { Coordinator } from "../library/train/coordinator.ts";
import type { FeedKey, Feeds, FeedValue } from "../session/feeds.ts";
import type { Fetches, Results } from "../session/fetches.ts";
import type { Session, SessionConfig } from "../session/session.ts";
import { CheckpointSaverHook, StepCounterHook, SummarySaverHook } from "./hooks-saving.ts";
import { Scaffold } from "./scaffold.ts";
import { SessionManager } from "./session-start.ts";
import { SessionRunArgs, SessionRunContext, type SessionRunHook, SessionRunValues } from "./session-run-hook.ts";

/** Makes the session of a monitored session. TF: tf.train.SessionCreator. */
export abstract class SessionCreator {
  abstract createSession(): Promise<Session>;
}

export interface ChiefOptions {
  readonly scaffold?: Scaffold | null;
  readonly master?: string;
  readonly config?: SessionConfig | null;
  readonly checkpointDir?: string | null;
  readonly checkpointFilenameWithPath?: string | null;
}

function managerFor(scaffold: Scaffold): SessionManager {
  const { localInitOp, localInitFeedDict, readyOp, readyForLocalInitOp } = scaffold;
  return new SessionManager({ localInitOp, localInitFeedDict, readyOp, readyForLocalInitOp, graph: getDefaultGraph() });
}

/** Initializes the variables, or restores them from a folder's newest checkpoint. TF: tf.train.ChiefSessionCreator. */
export class ChiefSessionCreator extends SessionCreator {
  private readonly scaffold: Scaffold;
  private readonly options: ChiefOptions;
  private manager: SessionManager | undefined;

  constructor(options: ChiefOptions = {}) {
    super();
    this.scaffold = options.scaffold ?? new Scaffold();
    this.options = options;
  }

  override createSession(): Promise<Session> {
    const { initOp, initFeedDict, initFn, saver } = this.scaffold.finalize();
    this.manager ??= managerFor(this.scaffold);
    const { master = "", config = null, checkpointDir = null, checkpointFilenameWithPath = null } = this.options;
    return this.manager.prepareSession(master, {
      saver,
      checkpointDir,
      checkpointFilenameWithPath,
      config,
      initOp,
      initFeedDict,
      initFn,
    });
  }
}

export interface WorkerOptions {
  readonly scaffold?: Scaffold | null;
  readonly master?: string;
  readonly config?: SessionConfig | null;
  readonly maxWaitSecs?: number;
}

/** Waits until the chief has initialized the variables. TF: tf.train.WorkerSessionCreator. */
export class WorkerSessionCreator extends SessionCreator {
  private readonly scaffold: Scaffold;
  private readonly options: WorkerOptions;
  private manager: SessionManager | undefined;

  constructor(options: WorkerOptions = {}) {
    super();
    this.scaffold = options.scaffold ?? new Scaffold();
    this.options = options;
  }

  override createSession(): Promise<Session> {
    this.scaffold.finalize();
    this.manager ??= managerFor(this.scaffold);
    const { master = "", config = null, maxWaitSecs = 30 * 60 } = this.options;
    return this.manager.waitForSession(master, { config, maxWaitSecs });
  }
}

/** Python's StopIteration: a step function asked to stop. */
class StopIteration extends Error {
  override readonly name = "StopIteration";
}

/** What a step function is given: the session as it is, and a run with hooks. */
export interface StepContext {
  readonly session: Session;
  runWithHooks<const F extends Fetches>(fetches: F, feeds?: Feeds | null): Promise<Results<F>>;
  /** Ends the iterations by an error that the body of `use` lets pass. */
  requestStop(): never;
}

interface Live {
  readonly session: Session;
  readonly coord: Coordinator;
}

/** Errors after which a session is made anew: a machine of the cluster was lost. */
const isPreemption = (error: unknown): boolean => error instanceof AbortedError || error instanceof UnavailableError;
const isEnd = (error: unknown): boolean => error instanceof OutOfRangeError || error instanceof StopIteration;

interface CommonOptions {
  readonly hooks?: readonly SessionRunHook[] | null;
  readonly stopGracePeriodSecs?: number;
}

/** What both kinds share. Hooks begin and the graph is finalized when it is constructed; the session itself is there when `ready` resolves. */
abstract class HookedSession {
  private readonly hooks: readonly SessionRunHook[];
  private readonly creator: SessionCreator;
  private readonly recovers: boolean;
  private readonly graceSecs: number;
  private readonly ownGraph: Graph;
  private readonly wasFinalized: boolean;
  private live: Live | null = null;
  private opening: Promise<Live> | null = null;
  private isStopping = false;
  private isClosed = false;
  private failure: unknown;

  constructor(creator: SessionCreator, recovers: boolean, { hooks, stopGracePeriodSecs = 120 }: CommonOptions) {
    this.ownGraph = getDefaultGraph();
    this.wasFinalized = this.ownGraph.finalized;
    this.hooks = hooks ?? [];
    this.creator = creator;
    this.recovers = recovers;
    this.graceSecs = stopGracePeriodSecs;
    for (const hook of this.hooks) {
      const begun: unknown = hook.begin();
      if (begun instanceof Promise)
        throw new TypeError("A hook's begin() must not be async: the graph is finalized right after it. Use afterCreateSession() instead.");
    }
    // Told by whoever waits for it.
    this.open().catch(() => undefined);
  }

  /** Resolves when the session is made, initialized, and the hooks know it. */
  async ready(): Promise<this> {
    await this.opened();
    return this;
  }

  get graph(): Graph | null {
    return this.isClosed ? null : this.ownGraph;
  }

  /** The plain session, while there is one. */
  protected get plainSession(): Session | null {
    return this.live?.session ?? null;
  }

  private open(): Promise<Live> {
    this.opening ??= this.create();
    return this.opening;
  }

  private async create(): Promise<Live> {
    for (;;) {
      try {
        // Nodes are made before the first await, so that much belongs in the graph's scope.
        const session = await this.ownGraph.asDefault(() => ({ made: this.creator.createSession() })).made;
        const coord = new Coordinator({ cleanStopExceptionTypes: [] });
        const live = { session, coord };
        this.live = live;
        if (this.ownGraph.getCollection(GraphKeys.QUEUE_RUNNERS).length > 0) startQueueRunners({ sess: session, coord });
        for (const hook of this.hooks) await hook.afterCreateSession(session, coord);
        return live;
      } catch (error) {
        this.failure ??= error;
        if (!this.recovers || !isPreemption(error)) throw error;
        logging.info("An error was raised while a session was being created. A new session will be created. Error: %s", error);
        await this.abandon();
      }
    }
  }

  private async opened(): Promise<Live> {
    if (this.isClosed) throw new RuntimeError("Session is already closed.");
    return this.open();
  }

  /** Ends a session that is to be made anew. */
  private async abandon(): Promise<void> {
    const { live } = this;
    this.live = null;
    this.opening = null;
    this.failure = undefined;
    if (live !== null) await this.end(live).catch(() => undefined);
  }

  private async end({ session, coord }: Live): Promise<void> {
    coord.requestStop();
    try {
      await coord.join(null, { stopGracePeriodSecs: this.graceSecs, ignoreLiveThreads: true });
    } finally {
      await session.close().catch(() => undefined);
    }
  }

  /** Runs as Session.run does, with what hooks fetch and feed besides.
   *  @throws RuntimeError after a stop was asked for, or if two feed the same tensor. */
  run<const F extends Fetches>(fetches: F, feeds?: Feeds | null): Promise<Results<F>> {
    return this.recovering(live => this.runWithHooks(live, fetches, feeds ?? null));
  }

  /** Calls a step function with the plain session and a run with hooks. @returns what it returns. */
  runStepFn<R>(stepFn: (stepContext: StepContext) => R | Promise<R>): Promise<R> {
    if (typeof stepFn !== "function" || stepFn.length !== 1)
      throw new TypeError(
        "`step_fn` may either have one `step_context` argument, or `self` and `step_context` arguments if it's an instance method.",
      );
    return this.recovering(async live =>
      stepFn({
        session: live.session,
        runWithHooks: (fetches, feeds) => this.runWithHooks(live, fetches, feeds ?? null),
        requestStop: () => {
          throw new StopIteration("step_fn has requested the iterations to stop.");
        },
      }),
    );
  }

  private async recovering<R>(body: (live: Live) => Promise<R>): Promise<R> {
    for (;;) {
      const live = await this.opened();
      try {
        return await body(live);
      } catch (error) {
        if (!this.recovers || !isPreemption(error)) {
          this.failure ??= error;
          throw error;
        }
        logging.info("An error was raised. The current session will be closed and a new session will be created. Error: %s", error);
        await this.abandon();
      }
    }
  }

  private async runWithHooks<F extends Fetches>({ session }: Live, fetches: F, userFeeds: Feeds | null): Promise<Results<F>> {
    if (this.isStopping) throw new RuntimeError("Run called even after should_stop requested.");
    const context = new SessionRunContext(new SessionRunArgs(fetches, { feedDict: userFeeds }), session);
    const asked: Fetches[] = [];
    const places = new Map<SessionRunHook, number>();
    const hookFeeds = new FeedUnion(this.ownGraph);
    let level = 0;
    for (const hook of this.hooks) {
      const request = await hook.beforeRun(context);
      if (!request) continue;
      if (request.fetches !== null) places.set(hook, asked.push(request.fetches) - 1);
      hookFeeds.add(request.feedDict, "Same tensor is fed by two hooks.");
      level = Math.max(level, traceLevelOf(request.options));
    }
    hookFeeds.add(userFeeds, "Same tensor is fed by a SessionRunHook and user.");
    // What one hook wants traced is traced for all.
    const traced = level === 0 ? null : { options: new RunOptions({ traceLevel: level }), runMetadata: new RunMetadata() };
    const { caller, hooks } = (await session.run({ caller: fetches, hooks: asked }, hookFeeds.pairs, traced ?? {})) as {
      caller: Results<F>;
      hooks: unknown[];
    };
    for (const hook of this.hooks) {
      const place = places.get(hook);
      await hook.afterRun(
        context,
        new SessionRunValues(place === undefined ? null : hooks[place], traced?.options ?? null, traced?.runMetadata ?? null),
      );
    }
    this.isStopping ||= context.stopRequested;
    return caller;
  }

  /** Should the loop around `run` end? True when a hook or a queue runner asked for it, and after `close`. */
  shouldStop(): boolean {
    if (this.isClosed) return true;
    const coord = this.live?.coord;
    if (coord?.shouldStop()) return true;
    return this.isStopping;
  }

  /** Calls the hooks' `end`, stops queue runners and closes the session. @throws RuntimeError if that has been done. */
  async close(): Promise<void> {
    await this.closeAfter(undefined);
  }

  /** Python's `with`: runs the body, then closes. An end of the input (OutOfRangeError) or `requestStop` ends it well; other errors skip
   *  the hooks' `end` and are thrown on. */
  async use<R>(body: (session: this) => R | Promise<R>): Promise<R | undefined> {
    let result: R | undefined;
    try {
      await this.ready();
      result = await body(this);
    } catch (error) {
      const failure = isEnd(error) ? undefined : error;
      await this.closeAfter(failure);
      if (failure !== undefined) throw failure;
      return undefined;
    }
    await this.closeAfter(undefined);
    return result;
  }

  /** `await using`: as `close`, but hooks are not told to end after a run that failed. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.isClosed) await this.closeAfter(isEnd(this.failure) ? undefined : this.failure);
  }

  private async closeAfter(failure: unknown): Promise<void> {
    if (this.isClosed) throw new RuntimeError("Session is already closed.");
    // What failed while the session was made has been told to whoever waited for it.
    await this.opening?.catch(() => undefined);
    const { live } = this;
    try {
      if (failure === undefined && live !== null) for (const hook of this.hooks) await hook.end(live.session);
    } finally {
      this.isClosed = true;
      this.live = null;
      try {
        if (live !== null) await this.end(live);
      } finally {
        if (!this.wasFinalized) this.ownGraph.unfinalize();
      }
    }
  }
}

/** Feeds of several sources, each tensor fed by one. */
class FeedUnion {
  readonly pairs: (readonly [FeedKey, FeedValue])[] = [];
  private readonly graph: Graph;
  private readonly fed = new Set<unknown>();

  constructor(graph: Graph) {
    this.graph = graph;
  }

  /** @throws RuntimeError with `complaint` if one of the tensors is fed already. */
  add(feeds: Feeds | null, complaint: string): void {
    if (feeds === null) return;
    const entries = (feeds instanceof Map ? [...feeds] : Array.isArray(feeds) ? feeds : Object.entries(feeds)) as [FeedKey, FeedValue][];
    // What cannot be fed at all is refused by the run, in its words.
    const elements = entries.map(([key]) => (typeof key === "string" ? this.graph.asGraphElement(key) : key));
    const both = elements.filter(element => this.fed.has(element));
    if (both.length > 0) throw new RuntimeError(`${complaint} Conflict(s): [${both.map(String).join(", ")}]`);
    for (const element of elements) this.fed.add(element);
    this.pairs.push(...entries);
  }
}

export interface MonitoredSessionOptions extends CommonOptions {
  readonly sessionCreator?: SessionCreator | null;
}

/** A session with hooks that is made anew when a machine of its cluster was lost: `await using session = await new MonitoredSession({ hooks }).ready()`.
 *  TF: tf.train.MonitoredSession. */
export class MonitoredSession extends HookedSession {
  constructor({ sessionCreator, ...options }: MonitoredSessionOptions = {}) {
    super(sessionCreator ?? new ChiefSessionCreator(), true, options);
  }
}

/** A session with hooks that is made once; `rawSession` is the plain one. TF: tf.train.SingularMonitoredSession. */
export class SingularMonitoredSession extends HookedSession {
  constructor({ hooks, stopGracePeriodSecs, ...options }: ChiefOptions & CommonOptions = {}) {
    super(new ChiefSessionCreator(options), false, { hooks: hooks ?? null, stopGracePeriodSecs: stopGracePeriodSecs ?? 120 });
  }

  /** The plain session: hooks do not see its runs. */
  rawSession(): Session | null {
    return this.plainSession;
  }
}

export interface MonitoredTrainingOptions extends CommonOptions {
  readonly master?: string;
  /** false: waits for a chief to initialize the variables. */
  readonly isChief?: boolean;
  /** Restored from, and saved to, every `saveCheckpointSecs` (600) or `saveCheckpointSteps`; null: not. */
  readonly checkpointDir?: string | null;
  readonly scaffold?: Scaffold | null;
  readonly chiefOnlyHooks?: readonly SessionRunHook[] | null;
  readonly saveCheckpointSecs?: number | null;
  readonly saveCheckpointSteps?: number | null;
  /** Summaries are written every so many steps (100) or seconds; null: not. */
  readonly saveSummariesSteps?: number | null;
  readonly saveSummariesSecs?: number | null;
  readonly config?: SessionConfig | null;
  readonly logStepCountSteps?: number | null;
  readonly maxWaitSecs?: number;
  readonly summaryDir?: string | null;
  readonly saveGraphDef?: boolean;
}

/** A session for training that saves checkpoints and summaries and logs its speed: `const session = await tf.train.MonitoredTrainingSession({ checkpointDir })`,
 *  then `while (!session.shouldStop()) await session.run(trainOp)` and `await session.close()`; or `await using`; or `session.use(…)`, which is
 *  Python's `with`. TF: tf.train.MonitoredTrainingSession. */
export async function MonitoredTrainingSession(options: MonitoredTrainingOptions = {}): Promise<MonitoredSession> {
  return trainingSession(options).ready();
}

const isPositive = (value: number | null | undefined): value is number => typeof value === "number" && value > 0;

/** One of two periods: as given, or else a default for the first; a second that is given replaces that default. */
const periods = (
  first: number | null | undefined,
  second: number | null | undefined,
  firstDefault: number,
): readonly [first: number | null, second: number | null] => [
  first === undefined ? (second === undefined ? firstDefault : null) : first,
  second ?? null,
];

function trainingSession(options: MonitoredTrainingOptions): MonitoredSession {
  const { master = "", isChief = true, checkpointDir = null, hooks, config = null, maxWaitSecs = 7200, saveGraphDef = true } = options;
  const { stopGracePeriodSecs = 120, logStepCountSteps = 100 } = options;
  const [saveSteps, saveSecs] = periods(options.saveSummariesSteps, options.saveSummariesSecs, 100);
  const [checkpointSecs, checkpointSteps] = periods(options.saveCheckpointSecs, options.saveCheckpointSteps, 600);
  const scaffold = options.scaffold ?? new Scaffold();
  if (!isChief) {
    const sessionCreator = new WorkerSessionCreator({ scaffold, master, config, maxWaitSecs });
    return new MonitoredSession({ sessionCreator, hooks: hooks ?? [], stopGracePeriodSecs });
  }
  const all: SessionRunHook[] = [...(options.chiefOnlyHooks ?? [])];
  const sessionCreator = new ChiefSessionCreator({ scaffold, checkpointDir, master, config });
  const outputDir = options.summaryDir || checkpointDir;
  if (outputDir) {
    if (isPositive(logStepCountSteps)) all.push(new StepCounterHook({ outputDir, everyNSteps: logStepCountSteps }));
    if (isPositive(saveSteps) || isPositive(saveSecs)) all.push(new SummarySaverHook({ scaffold, saveSteps, saveSecs, outputDir }));
  }
  if (checkpointDir && (isPositive(checkpointSecs) || isPositive(checkpointSteps)))
    all.push(new CheckpointSaverHook(checkpointDir, { saveSteps: checkpointSteps, saveSecs: checkpointSecs, scaffold, saveGraphDef }));
  all.push(...(hooks ?? []));
  return new MonitoredSession({ sessionCreator, hooks: all, stopGracePeriodSecs });
}

/** How much of a run a hook wants traced. */
function traceLevelOf(options: object | null): number {
  const level: unknown = options === null ? 0 : Reflect.get(options, "traceLevel");
  return typeof level === "number"
    ? level
    : level === undefined
      ? 0
      : Object.keys(RunOptions).includes(String(level))
        ? RunOptions.FULL_TRACE
        : 0;
}
