// Hooks: objects that a monitored session calls at the turns of its life, and what they are given. TF: session_run_hook.py. The stock ones: hooks*.ts.

import type { Coordinator } from "../library/train/coordinator.ts";
import type { Feeds } from "../session/feeds.ts";
import type { Fetches } from "../session/fetches.ts";
import type { Session } from "../session/session.ts";

/** What a hook adds to a run: more fetches, more feeds. TF: tf.train.SessionRunArgs. */
export class SessionRunArgs {
  readonly fetches: Fetches | null;
  readonly feedDict: Feeds | null;
  readonly options: object | null;

  constructor(
    fetches: Fetches | null,
    { feedDict = null, options = null }: { readonly feedDict?: Feeds | null; readonly options?: object | null } = {},
  ) {
    this.fetches = fetches;
    this.feedDict = feedDict;
    this.options = options;
  }
}

/** What a run gave a hook: the results of its fetches. TF: tf.train.SessionRunValues. */
export class SessionRunValues {
  // any: of the same nesting as the hook's fetches, which only the hook knows
  readonly results: any;
  readonly options: object | null;
  readonly runMetadata: object | null;

  // any: see `results`
  constructor(results: any, options: object | null, runMetadata: object | null) {
    this.results = results;
    this.options = options;
    this.runMetadata = runMetadata;
  }
}

/** One run as hooks see it: what the caller asked for, the session, and a way to stop. TF: tf.train.SessionRunContext. */
export class SessionRunContext {
  readonly originalArgs: SessionRunArgs;
  readonly session: Session;
  private isStopRequested = false;

  constructor(originalArgs: SessionRunArgs, session: Session) {
    this.originalArgs = originalArgs;
    this.session = session;
  }

  get stopRequested(): boolean {
    return this.isStopRequested;
  }

  /** After this run, the monitored session's `shouldStop` says true. */
  requestStop(): void {
    this.isStopRequested = true;
  }
}

type Eventually<T> = T | Promise<T>;

/** Called by a monitored session; a hook overrides what it needs. All but `begin` may be async and are waited for. TF: tf.train.SessionRunHook. */
export class SessionRunHook {
  /** Before the session is made: the last chance to add nodes, since the graph is finalized next. */
  begin(): void {}

  /** When a session has been made and initialized; again if it has to be made anew. */
  afterCreateSession(_session: Session, _coord: Coordinator): Eventually<void> {}

  /** Before each run. @returns what to fetch and feed besides, or null. */
  beforeRun(_runContext: SessionRunContext): Eventually<SessionRunArgs | null | undefined | void> {
    return null;
  }

  /** After each run that did not fail. */
  afterRun(_runContext: SessionRunContext, _runValues: SessionRunValues): Eventually<void> {}

  /** When the session ends well; not after an error. */
  end(_session: Session): Eventually<void> {}
}
