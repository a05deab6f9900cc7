// SessionManager: makes a session whose variables have values, from a checkpoint or from their initializers. TF: tf.train.SessionManager.

import { DeadlineExceededError, FailedPreconditionError, RuntimeError, ValueError } from "../base/errors.ts";
import * as logging from "../base/logging.ts";
import { decodeText, type NDArray } from "../base/ndarray.ts";
import { getDefaultGraph } from "../graph/default-graph.ts";
import type { Graph } from "../graph/graph.ts";
import type { Operation, Tensor } from "../graph/operation.ts";
import type { Saver } from "../io/saver.ts";
import { getCheckpointState } from "../io/saver-checkpoints.ts";
import type { Feeds } from "../session/feeds.ts";
import { Session, type SessionConfig } from "../session/session.ts";

export interface SessionManagerOptions {
  readonly localInitOp?: Operation | null;
  readonly readyOp?: Tensor | null;
  readonly readyForLocalInitOp?: Tensor | null;
  readonly graph?: Graph | null;
  readonly recoveryWaitSecs?: number;
  readonly localInitFeedDict?: Feeds | null;
}

export interface RecoverOptions {
  readonly saver?: Saver | null;
  /** Restored from the newest checkpoint of this folder, if it has one. */
  readonly checkpointDir?: string | null;
  readonly checkpointFilenameWithPath?: string | null;
  readonly waitForCheckpoint?: boolean;
  readonly maxWaitSecs?: number | null;
  readonly config?: SessionConfig | null;
}

export interface PrepareOptions extends RecoverOptions {
  readonly initOp?: Operation | null;
  readonly initFeedDict?: Feeds | null;
  readonly initFn?: ((session: Session) => void | Promise<void>) | null;
}

/** Why something is not ready; null if it is. */
type Lack = string | null;

const pause = (seconds: number): Promise<void> => new Promise(resolve => void setTimeout(resolve, 1000 * seconds));

/** Makes sessions and sees that their variables have values. TF: tf.train.SessionManager.
 *  @throws ValueError for a readyForLocalInitOp without a localInitOp. */
export class SessionManager {
  private readonly options: SessionManagerOptions;
  private readonly graph: Graph;
  private readonly waitSecs: number;

  constructor(options: SessionManagerOptions = {}) {
    const { localInitOp, readyForLocalInitOp, graph, recoveryWaitSecs = 30 } = options;
    if (readyForLocalInitOp && !localInitOp)
      throw new ValueError(
        `If you pass a ready_for_local_init_op you must also pass a local_init_op , ready_for_local_init_op [${readyForLocalInitOp}]`,
      );
    this.options = options;
    this.graph = graph ?? getDefaultGraph();
    this.waitSecs = recoveryWaitSecs;
  }

  /** A session whose variables are restored from a checkpoint, or else initialized by `initOp` and `initFn`.
   *  @throws RuntimeError if the model is not ready afterwards. */
  async prepareSession(master: string | null, options: PrepareOptions = {}): Promise<Session> {
    const { initOp = null, initFeedDict = null, initFn = null } = options;
    const { session, isRestored } = await this.restored(master, options);
    try {
      if (!isRestored) {
        if (initOp === null && initFn === null && !this.options.localInitOp)
          throw new RuntimeError("Model is not initialized and no init_op or init_fn or local_init_op was given");
        if (initOp !== null) await session.run(initOp, initFeedDict);
        await initFn?.(session);
      }
      const given = `Init op: ${initOp?.name ?? "None"}, init fn: ${initFn === null ? "None" : "given"},`;
      const local = await this.initializeLocally(session);
      if (local !== null) throw new RuntimeError(`Init operations did not make model ready for local_init.  ${given} error: ${local}`);
      const lack = await this.modelReady(session);
      if (lack !== null)
        throw new RuntimeError(
          `Init operations did not make model ready.  ${given} local_init_op: ${this.options.localInitOp?.name ?? "None"}, error: ${lack}`,
        );
      return session;
    } catch (error) {
      await session.close();
      throw error;
    }
  }

  /** A session, and whether it was restored from a checkpoint and is ready. */
  async recoverSession(master: string | null, options: RecoverOptions = {}): Promise<[session: Session, isRestored: boolean]> {
    const { session, isRestored } = await this.restored(master, options);
    const local = await this.initializeLocally(session);
    if (!isRestored) return [session, false];
    const from = options.checkpointDir || options.checkpointFilenameWithPath;
    if (local !== null) {
      logging.info("Restoring model from %s did not make model ready for local init: %s", from, local);
      return [session, false];
    }
    const lack = await this.modelReady(session);
    if (lack !== null) logging.info("Restoring model from %s did not make model ready: %s", from, lack);
    else logging.info("Restored model from %s", from);
    return [session, lack === null];
  }

  /** A session on a model that somebody else initializes, once it is ready. @throws DeadlineExceededError if that takes too long. */
  async waitForSession(
    master: string | null,
    { config = null, maxWaitSecs = null }: { readonly config?: SessionConfig | null; readonly maxWaitSecs?: number | null } = {},
  ): Promise<Session> {
    const most = maxWaitSecs ?? Number.POSITIVE_INFINITY;
    const start = Date.now() / 1000;
    for (;;) {
      const session = new Session(master ?? "", { graph: this.graph, config });
      const local = await this.initializeLocally(session);
      const lack = local ?? (await this.modelReady(session));
      if (lack === null) return session;
      await session.close();
      if (start + most - Date.now() / 1000 < this.waitSecs)
        throw new DeadlineExceededError(`Session was not ready after waiting ${most} secs.`);
      logging.info("Waiting for model to be ready.  Ready_for_local_init_op:  %s, ready: %s", local, lack);
      await pause(this.waitSecs);
    }
  }

  private async restored(master: string | null, options: RecoverOptions): Promise<{ session: Session; isRestored: boolean }> {
    const { saver, checkpointDir, checkpointFilenameWithPath, waitForCheckpoint = false, maxWaitSecs, config } = options;
    if (checkpointDir && checkpointFilenameWithPath)
      throw new ValueError("Can not provide both checkpoint_dir and checkpoint_filename_with_path.");
    const session = new Session(master ?? "", { graph: this.graph, config: config ?? null });
    try {
      if (!saver || !(checkpointDir || checkpointFilenameWithPath)) return { session, isRestored: false };
      if (checkpointFilenameWithPath) {
        await this.restoreFrom(session, saver, checkpointFilenameWithPath);
        return { session, isRestored: true };
      }
      let state = await getCheckpointState(checkpointDir as string);
      for (let waited = 0; !state?.modelCheckpointPath; waited += this.waitSecs) {
        if (!waitForCheckpoint || waited >= (maxWaitSecs ?? 7200)) return { session, isRestored: false };
        logging.info("Waiting for checkpoint to be available.");
        await pause(this.waitSecs);
        state = await getCheckpointState(checkpointDir as string);
      }
      await this.restoreFrom(session, saver, state.modelCheckpointPath);
      await saver.recoverLastCheckpoints(state.allModelCheckpointPaths);
      return { session, isRestored: true };
    } catch (error) {
      await session.close();
      throw error;
    }
  }

  private async restoreFrom(session: Session, saver: Saver, path: string): Promise<void> {
    const initializers: Operation[] = this.graph.getCollection("saved_model_initializers");
    if (initializers.length > 0) await session.run(initializers);
    await saver.restore(session, path);
  }

  private modelReady(session: Session): Promise<Lack> {
    return lackOf(this.options.readyOp ?? null, session, "Model not ready");
  }

  private async initializeLocally(session: Session): Promise<Lack> {
    const { localInitOp, readyForLocalInitOp, localInitFeedDict } = this.options;
    if (!localInitOp) return null;
    const lack = await lackOf(readyForLocalInitOp ?? null, session, "Model not ready for local init");
    if (lack !== null) return lack;
    logging.info("Running local_init_op.");
    await session.run(localInitOp, localInitFeedDict ?? null);
    logging.info("Done running local_init_op.");
    return null;
  }
}

/** What a ready operation lists: the names of variables without a value. */
export async function lackOf(op: Tensor | null, session: Session, text: string): Promise<Lack> {
  if (op === null) return null;
  try {
    const value: NDArray | null = await session.run(op);
    if (value === null || value.dtype !== "string" || value.size === 0) return null;
    const names = Array.from({ length: value.size }, (_, i) => decodeText(value.get(i) as Uint8Array));
    return `Variables not initialized: ${names.join(", ")}`;
  } catch (error) {
    if (!(error instanceof FailedPreconditionError)) throw error;
    if (error.message.includes("uninitialized")) return error.message;
    logging.warning("%s : error [%s]", text, error.message);
    throw error;
  }
}
