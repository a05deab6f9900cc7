// tf.train.CheckpointManager: checkpoints of one folder, of which the last few are kept. What one holds: saver-objects.ts.

import { files } from "#platform";
import { ValueError } from "../base/errors.ts";
import { joinPath } from "../base/files.ts";
import { removeCheckpointFiles, writeCheckpointState } from "../formats/checkpoint.ts";
import { Tensor } from "../graph/operation.ts";
import { globalStep } from "../library/train/global-step.ts";
import { type Runner, Variable } from "../library/variables/variables.ts";
import { refuseOthers } from "../ops/arguments.ts";
import { getDefaultSession } from "../session/default-session.ts";
import { getCheckpointState } from "./saver-checkpoints.ts";
import { type Checkpoint, sessionFor } from "./saver-objects.ts";

export interface CheckpointManagerOptions {
  /** Of the removed ones, one in so many hours is kept. */
  readonly keepCheckpointEveryNHours?: number | null;
  /** How names of files begin. */
  readonly checkpointName?: string;
  /** The step that `checkpointInterval` counts. */
  readonly stepCounter?: Variable | null;
  /** So many steps lie between two checkpoints at least. */
  readonly checkpointInterval?: number | null;
  /** Called by `restoreOrInitialize` where there is no checkpoint. */
  readonly initFn?: (() => unknown) | null;
  readonly lastCheckpointStep?: number | null;
}

interface ManagerSaveOptions {
  /** In the name instead of the count of calls, which goes on all the same. */
  readonly checkpointNumber?: number | bigint | Tensor | Variable | null;
  /** False: saves though fewer than `checkpointInterval` steps were made. */
  readonly checkInterval?: boolean;
  readonly session?: Runner | null;
}

interface Kept {
  latest: string | null;
  /** Seconds; checkpoints that are older were kept for good. */
  preserved: number;
  /** Paths and when they were written, the oldest first. */
  readonly times: Map<string, number>;
}

const now = (): number => Date.now() / 1000;
const secondsOfHour = 3600;

/** Saves a checkpoint's objects as `directory/ckpt-N` and keeps the last `maxToKeep` (null: all), going on where an earlier manager of the folder stopped.
 *  `latestCheckpoint` and `checkpoints` are promises here, since the folder has to be read. TF: tf.train.CheckpointManager.
 *  @throws ValueError for a `maxToKeep` below 1 or an interval without `stepCounter`. */
export class CheckpointManager {
  readonly checkpoint: Checkpoint;
  readonly directory: string;
  readonly checkpointInterval: number | null;
  private readonly maxToKeep: number | null;
  private readonly options: CheckpointManagerOptions;
  private lastStep: number | null;
  private state: Promise<Kept> | undefined;

  constructor(checkpoint: Checkpoint, directory: string, maxToKeep: number | null, options: CheckpointManagerOptions = {}) {
    const {
      keepCheckpointEveryNHours,
      checkpointName,
      stepCounter,
      checkpointInterval = null,
      initFn,
      lastCheckpointStep,
      ...others
    } = options;
    refuseOthers(others);
    if (maxToKeep === undefined) throw new TypeError("CheckpointManager.__init__() missing 1 required positional argument: 'max_to_keep'");
    if (maxToKeep !== null && maxToKeep <= 0)
      throw new ValueError(`Expected a positive integer or \`None\` for \`max_to_keep\`, got ${maxToKeep}.`);
    if (checkpointInterval !== null && !stepCounter)
      throw new ValueError("`step_counter` should be passed if `checkpoint_interval` is not None.");
    this.checkpoint = checkpoint;
    this.directory = directory;
    this.maxToKeep = maxToKeep;
    this.checkpointInterval = checkpointInterval;
    this.options = { keepCheckpointEveryNHours, checkpointName, stepCounter, initFn };
    this.lastStep = lastCheckpointStep ?? null;
  }

  /** The path of the latest checkpoint, for `checkpoint.restore`; null without one. */
  get latestCheckpoint(): Promise<string | null> {
    return this.kept().then(({ latest }) => latest);
  }

  /** Paths that are kept, the oldest first. */
  get checkpoints(): Promise<string[]> {
    return this.kept().then(({ times }) => [...times.keys()]);
  }

  private kept(): Promise<Kept> {
    this.state ??= this.recovered();
    return this.state;
  }

  private async recovered(): Promise<Kept> {
    const found = await getCheckpointState(this.directory);
    const clock = now();
    if (!found) return { latest: null, preserved: clock - 1, times: new Map() };
    const preserved = Math.min(found.lastPreservedTimestamp, clock);
    const times = found.allModelCheckpointPaths.map((path, i): [string, number] => [
      path,
      Math.min(found.allModelCheckpointTimestamps[i] ?? preserved, clock),
    ]);
    return { latest: found.modelCheckpointPath, preserved, times: new Map(times.filter(([, time]) => time > preserved)) };
  }

  /** Writes a checkpoint and removes what is too many; returns its path, or null where the interval is not over. Without `session`, in the default session. */
  async save({
    checkpointNumber = null,
    checkInterval = true,
    session = null,
    ...others
  }: ManagerSaveOptions = {}): Promise<string | null> {
    refuseOthers(others);
    const prefix = joinPath(this.directory, this.options.checkpointName ?? "ckpt");
    const runner = sessionFor(session, prefix);
    if (this.checkpointInterval !== null) {
      const step = await this.step(runner);
      const last = this.lastStep;
      if (last !== null && (step === last || (checkInterval && step < last + this.checkpointInterval))) return null;
      this.lastStep = step;
    }
    const kept = await this.kept();
    const count = await this.checkpoint.counted(runner);
    const given = checkpointNumber instanceof Tensor || checkpointNumber instanceof Variable;
    const number = given ? await globalStep(runner, checkpointNumber) : (checkpointNumber ?? count);
    const path = await this.checkpoint.write(`${prefix}-${number}`, runner);
    kept.times.delete(path);
    kept.times.set(path, now());
    kept.latest = path;
    // Told before anything is removed: who stops here finds the new one.
    await this.record(kept);
    await this.removeOld(kept);
    await this.record(kept);
    return path;
  }

  private async step(runner: Runner): Promise<number> {
    return Number(await globalStep(runner, this.options.stepCounter as Variable));
  }

  private async record({ latest, preserved, times }: Kept): Promise<void> {
    await writeCheckpointState(files, this.directory, latest as string, {
      allModelCheckpointPaths: [...times.keys()],
      allModelCheckpointTimestamps: [...times.values()],
      lastPreservedTimestamp: preserved,
      saveRelativePaths: true,
    });
  }

  private async removeOld(kept: Kept): Promise<void> {
    const { keepCheckpointEveryNHours: hours } = this.options;
    if (this.maxToKeep === null) return;
    for (const [path, time] of [...kept.times].slice(0, -this.maxToKeep)) {
      kept.times.delete(path);
      if (hours && time - hours * secondsOfHour >= kept.preserved) kept.preserved = time;
      else await removeCheckpointFiles(files, path);
    }
  }

  /** Opens the latest checkpoint, or calls `initFn` where there is none; returns its path. In a graph this makes nodes and runs none, here as in TensorFlow:
   *  `(await checkpoint.restore(manager.latestCheckpoint)).initializeOrRestore(session)` sets the values. TF: CheckpointManager.restore_or_initialize. */
  async restoreOrInitialize(): Promise<string | null> {
    const latest = await this.latestCheckpoint;
    if (latest === null) {
      await this.options.initFn?.();
      return null;
    }
    await this.checkpoint.restore(latest);
    if (this.checkpointInterval !== null) this.lastStep = await this.step(getDefaultSession() as Runner);
    return latest;
  }

  /** Nothing is under way when a save has been awaited. TF: CheckpointManager.sync. */
  sync(): void {}
}
