// Stock hooks that write: checkpoints, summaries, steps per second. TF: basic_session_run_hooks.py.

import { RuntimeError, ValueError } from "../base/errors.ts";
import { joinPath } from "../base/files.ts";
import * as logging from "../base/logging.ts";
import type { NDArray } from "../base/ndarray.ts";
import { Timeline } from "../formats/timeline.ts";
import type { Tensor } from "../graph/operation.ts";
import { GFile } from "../io/file-access.ts";
import { exportGraphDef } from "../io/graph-def.ts";
import { metaGraphOf } from "../io/meta-graph.ts";
import { writeGraph } from "../io/meta-graph-files.ts";
import { type RunMetadata, RunOptions } from "../io/run-metadata.ts";
import type { Saver } from "../io/saver.ts";
import { type FileWriter, FileWriterCache, SessionLog } from "../io/summary-writer.ts";
import { GraphKeys } from "../library/variables/graph-keys.ts";
import { getGlobalStep } from "../library/train/global-step.ts";
import type { Session } from "../session/session.ts";
import { globalStepOf, stepIn } from "./hooks.ts";
import { SecondOrStepTimer } from "./hook-timer.ts";
import type { Scaffold } from "./scaffold.ts";
import { SessionRunArgs, type SessionRunContext, SessionRunHook, type SessionRunValues } from "./session-run-hook.ts";
import { refuseOthers } from "../ops/arguments.ts";

/** Called around every checkpoint of a CheckpointSaverHook. TF: tf.train.CheckpointSaverListener. */
export class CheckpointSaverListener {
  begin(): void {}
  beforeSave(_session: Session, _globalStepValue: number): void | Promise<void> {}
  /** @returns true to ask that training stop. */
  afterSave(_session: Session, _globalStepValue: number): void | boolean | Promise<void | boolean> {}
  end(_session: Session, _globalStepValue: number): void | Promise<void> {}
}

export interface CheckpointSaverOptions {
  readonly saveSecs?: number | null;
  readonly saveSteps?: number | null;
  readonly saver?: Saver | null;
  readonly checkpointBasename?: string;
  readonly scaffold?: Scaffold | null;
  readonly listeners?: readonly CheckpointSaverListener[] | null;
  readonly saveGraphDef?: boolean;
}

/** Saves checkpoints every so many steps or seconds, first after creation and last at the end. TF: tf.train.CheckpointSaverHook.
 *  @throws ValueError for both a saver and a scaffold; RuntimeError without a global step or a saver. */
export class CheckpointSaverHook extends SessionRunHook {
  private readonly checkpointDir: string;
  private readonly options: CheckpointSaverOptions;
  private readonly savePath: string;
  private readonly timer: SecondOrStepTimer;
  private readonly listeners: readonly CheckpointSaverListener[];
  private writer: FileWriter | undefined;
  private step: Tensor | undefined;

  constructor(checkpointDir: string, options: CheckpointSaverOptions = {}) {
    super();
    const { saver, scaffold, saveSecs, saveSteps, checkpointBasename = "model.ckpt", listeners } = options;
    logging.info("Create CheckpointSaverHook.");
    if (saver && scaffold) throw new ValueError("You cannot provide both saver and scaffold.");
    this.checkpointDir = checkpointDir;
    this.options = options;
    this.savePath = joinPath(checkpointDir, checkpointBasename);
    this.timer = new SecondOrStepTimer({ everySecs: saveSecs ?? null, everySteps: saveSteps ?? null });
    this.listeners = listeners ?? [];
  }

  override begin(): void {
    this.writer = FileWriterCache.get(this.checkpointDir);
    this.step = globalStepOf("CheckpointSaverHook");
    for (const listener of this.listeners) listener.begin();
  }

  override async afterCreateSession(session: Session): Promise<void> {
    const step = await this.stepNow(session);
    const { graph } = session;
    const graphDef = exportGraphDef(graph, { addShapes: true });
    if (this.options.saveGraphDef ?? true) await writeGraph(graphDef, this.checkpointDir, "graph.pbtxt");
    this.writer?.addGraph(graph);
    this.writer?.addMetaGraph(metaGraphOf({ graph, saverDef: this.saver(graph).saverDef }));
    await this.save(session, step);
    this.timer.updateLastTriggeredStep(step);
  }

  override beforeRun(): SessionRunArgs {
    return new SessionRunArgs(this.step as Tensor);
  }

  override async afterRun(runContext: SessionRunContext, { results }: SessionRunValues): Promise<void> {
    // The step read in the run may be old by as much as one run counts; the timer is asked again with the real one.
    if (!this.timer.shouldTriggerForStep(Number(results) + 1_000_000)) return;
    const step = await this.stepNow(runContext.session);
    if (!this.timer.shouldTriggerForStep(step)) return;
    this.timer.updateLastTriggeredStep(step);
    if (await this.save(runContext.session, step)) runContext.requestStop();
  }

  override async end(session: Session): Promise<void> {
    const step = await this.stepNow(session);
    if (step !== this.timer.lastTriggeredStep()) await this.save(session, step);
    for (const listener of this.listeners) await listener.end(session, step);
    await this.writer?.flush();
  }

  private stepNow(session: Session): Promise<number> {
    return stepIn(session, this.step as Tensor);
  }

  /** @returns whether a listener wants training to stop. */
  private async save(session: Session, step: number): Promise<boolean> {
    for (const listener of this.listeners) await listener.beforeSave(session, step);
    logging.info("Saving checkpoints for %d into %s.", step, this.savePath);
    await this.saver(session.graph).save(session, this.savePath, {
      globalStep: step,
      writeMetaGraph: this.options.saveGraphDef ?? true,
    });
    this.writer?.addSessionLog({ status: SessionLog.CHECKPOINT, checkpointPath: this.savePath }, { globalStep: step });
    let shouldStop = false;
    for (const listener of this.listeners)
      if ((await listener.afterSave(session, step)) === true) {
        logging.info("A CheckpointSaverListener requested that training be stopped.");
        shouldStop = true;
      }
    return shouldStop;
  }

  private saver(graph: { getCollection(key: string): Saver[] }): Saver {
    const { saver, scaffold } = this.options;
    if (saver) return saver;
    if (scaffold) return scaffold.saver as Saver;
    const savers = graph.getCollection(GraphKeys.SAVERS);
    if (savers.length === 0)
      throw new RuntimeError(
        `No items in collection ${GraphKeys.SAVERS}. Please add a saver to the collection or provide a saver or scaffold.`,
      );
    if (savers.length > 1)
      throw new RuntimeError(
        `More than one item in collection ${GraphKeys.SAVERS}. Please indicate which one to use by passing it to the constructor.`,
      );
    return savers[0];
  }
}

export interface StepCounterOptions {
  readonly everyNSteps?: number | null;
  readonly everyNSecs?: number | null;
  readonly outputDir?: string | null;
  readonly summaryWriter?: FileWriter | null;
}

const stepHint =
  "It seems that global step (tf.train.get_global_step) has not been increased. Current value (could be stable): %s vs previous value: %s. You could increase the global step by passing tf.train.get_global_step() to Optimizer.apply_gradients or Optimizer.minimize.";

/** Logs and writes steps per second. TF: tf.train.StepCounterHook. @throws ValueError unless it is said, in one way, how often. */
export class StepCounterHook extends SessionRunHook {
  private readonly timer: SecondOrStepTimer;
  private readonly outputDir: string | null;
  private writer: FileWriter | null;
  private step: Tensor | undefined;
  private tag = "";
  private lastStep: number | null = null;

  constructor({ everyNSteps = 100, everyNSecs = null, outputDir = null, summaryWriter = null, ...others }: StepCounterOptions = {}) {
    super();
    refuseOthers(others);
    if ((everyNSteps === null) === (everyNSecs === null))
      throw new ValueError("exactly one of every_n_steps and every_n_secs should be provided.");
    this.timer = new SecondOrStepTimer({ everySteps: everyNSteps, everySecs: everyNSecs });
    this.outputDir = outputDir;
    this.writer = summaryWriter;
  }

  override begin(): void {
    if (this.writer === null && this.outputDir) this.writer = FileWriterCache.get(this.outputDir);
    this.step = globalStepOf("StepCounterHook");
    this.tag = `${getGlobalStep()?.op.name}/sec`;
  }

  override beforeRun(): SessionRunArgs {
    return new SessionRunArgs(this.step as Tensor);
  }

  override async afterRun(runContext: SessionRunContext, { results }: SessionRunValues): Promise<void> {
    const stale = Number(results);
    if (this.timer.shouldTriggerForStep(stale + 1)) {
      const step = await stepIn(runContext.session, this.step as Tensor);
      if (this.timer.shouldTriggerForStep(step)) {
        const [seconds, steps] = this.timer.updateLastTriggeredStep(step);
        if (seconds !== null && steps !== null) this.report(steps / seconds, step);
      }
    }
    if (stale === this.lastStep) logging.logFirstN(logging.WARN, stepHint, 5, stale, this.lastStep);
    this.lastStep = stale;
  }

  private report(stepsPerSecond: number, step: number): void {
    this.writer?.addSummary({ value: [{ tag: this.tag, simpleValue: stepsPerSecond }] }, step);
    logging.info("%s: %g", this.tag, stepsPerSecond);
  }
}

export interface SummarySaverOptions {
  readonly saveSteps?: number | null;
  readonly saveSecs?: number | null;
  readonly outputDir?: string | null;
  readonly summaryWriter?: FileWriter | null;
  readonly scaffold?: Scaffold | null;
  readonly summaryOp?: Tensor | readonly Tensor[] | null;
}

/** Writes summaries every so many steps or seconds, the first run's included. TF: tf.train.SummarySaverHook.
 *  @throws ValueError unless exactly one of scaffold and summaryOp is given. */
export class SummarySaverHook extends SessionRunHook {
  private readonly options: SummarySaverOptions;
  private readonly timer: SecondOrStepTimer;
  private writer: FileWriter | null;
  private step: Tensor | undefined;
  private nextStep: number | null = null;
  private isDue = false;

  constructor(options: SummarySaverOptions = {}) {
    super();
    const { scaffold, summaryOp, saveSecs, saveSteps, summaryWriter } = options;
    if (!scaffold === !summaryOp) throw new ValueError("Exactly one of scaffold or summary_op must be provided.");
    this.options = options;
    this.writer = summaryWriter ?? null;
    this.timer = new SecondOrStepTimer({ everySecs: saveSecs ?? null, everySteps: saveSteps ?? null });
  }

  override begin(): void {
    if (this.writer === null && this.options.outputDir) this.writer = FileWriterCache.get(this.options.outputDir);
    this.nextStep = null;
    this.step = globalStepOf("SummarySaverHook");
  }

  override beforeRun(): SessionRunArgs {
    this.isDue = this.nextStep === null || this.timer.shouldTriggerForStep(this.nextStep);
    const summaryOp = this.options.summaryOp ?? this.options.scaffold?.summaryOp ?? null;
    const list = !this.isDue || summaryOp === null ? [] : Array.isArray(summaryOp) ? summaryOp : [summaryOp];
    return new SessionRunArgs({ globalStep: this.step as Tensor, summary: list as readonly Tensor[] });
  }

  override async afterRun(runContext: SessionRunContext, { results }: SessionRunValues): Promise<void> {
    if (this.writer === null) return;
    const { globalStep, summary } = results as { globalStep: NDArray; summary: readonly NDArray[] };
    const isFirst = this.nextStep === null;
    const step = isFirst || this.isDue ? await stepIn(runContext.session, this.step as Tensor) : Number(globalStep) + 1;
    if (isFirst) this.writer.addSessionLog({ status: SessionLog.START }, { globalStep: step });
    if (this.isDue) {
      this.timer.updateLastTriggeredStep(step);
      for (const each of summary) this.writer.addSummary(each, step);
    }
    this.nextStep = step + 1;
  }

  override async end(): Promise<void> {
    await this.writer?.flush();
  }
}

export interface ProfilerOptions {
  readonly saveSteps?: number | null;
  readonly saveSecs?: number | null;
  readonly outputDir?: string;
  readonly showDataflow?: boolean;
  readonly showMemory?: boolean;
}

/** Traces a run every so many steps or seconds: `timeline-STEP.json` in the folder for chrome://tracing, and the run's metadata among its events.
 *  TF: tf.train.ProfilerHook. @throws ValueError unless it is said, in one way, how often. */
export class ProfilerHook extends SessionRunHook {
  private readonly options: Required<Pick<ProfilerOptions, "outputDir" | "showDataflow" | "showMemory">>;
  private readonly timer: SecondOrStepTimer;
  private readonly writer: FileWriter;
  private step: Tensor | undefined;
  private nextStep: number | null = null;
  private isDue = false;

  constructor({ saveSteps = null, saveSecs = null, outputDir = "", showDataflow = true, showMemory = false }: ProfilerOptions = {}) {
    super();
    this.options = { outputDir, showDataflow, showMemory };
    this.timer = new SecondOrStepTimer({ everySecs: saveSecs, everySteps: saveSteps });
    this.writer = FileWriterCache.get(outputDir === "" ? "." : outputDir);
  }

  override begin(): void {
    this.nextStep = null;
    this.step = globalStepOf("ProfilerHook");
  }

  override beforeRun(): SessionRunArgs {
    this.isDue = this.nextStep !== null && this.timer.shouldTriggerForStep(this.nextStep);
    const options = this.isDue ? new RunOptions({ traceLevel: RunOptions.FULL_TRACE }) : null;
    return new SessionRunArgs({ globalStep: this.step as Tensor }, { options });
  }

  override async afterRun(runContext: SessionRunContext, { results, runMetadata }: SessionRunValues): Promise<void> {
    const stale = Number((results as { globalStep: NDArray }).globalStep);
    if (this.nextStep === null) this.timer.updateLastTriggeredStep(stale);
    let step = stale + 1;
    if (this.isDue && runMetadata !== null) {
      step = await stepIn(runContext.session, this.step as Tensor);
      this.timer.updateLastTriggeredStep(step);
      const { outputDir, ...shown } = this.options;
      const path = `${outputDir === "" ? "" : `${outputDir}/`}timeline-${step}.json`;
      logging.info("Saving timeline for %d into '%s'.", step, path);
      const metadata = runMetadata as RunMetadata;
      const file = new GFile(path, "w");
      await file.write(new Timeline(metadata.stepStats).generateChromeTraceFormat(shown));
      await file.close();
      this.writer.addRunMetadata(metadata, `step_${step}`);
    }
    this.nextStep = step + 1;
  }

  override async end(): Promise<void> {
    await this.writer.flush();
  }
}
