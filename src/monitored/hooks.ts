// Stock hooks that watch, report and stop. Those that write files: hooks-saving.ts. TF: basic_session_run_hooks.py.

import { OutOfRangeError, RuntimeError, ValueError } from "../base/errors.ts";
import * as logging from "../base/logging.ts";
import type { NDArray } from "../base/ndarray.ts";
import { getDefaultGraph } from "../graph/default-graph.ts";
import type { Operation, Tensor } from "../graph/operation.ts";
import { getOrCreateGlobalStepRead } from "../library/train/global-step.ts";
import type { Variable } from "../library/variables/variables.ts";
import type { Feeds } from "../session/feeds.ts";
import type { Fetches } from "../session/fetches.ts";
import type { Session } from "../session/session.ts";
import { type HookTimer, neverTimer, SecondOrStepTimer } from "./hook-timer.ts";
import { SessionRunArgs, type SessionRunContext, SessionRunHook, type SessionRunValues } from "./session-run-hook.ts";
import { refuseOthers } from "../ops/arguments.ts";

/** The tensor that reads the global step. @throws RuntimeError if the graph has none. */
export function globalStepOf(hook: string): Tensor {
  const step = getOrCreateGlobalStepRead();
  if (step === null) throw new RuntimeError(`Global step should be created to use ${hook}.`, { cause: "tf.train.getOrCreateGlobalStep()" });
  return step;
}

/** The value of the step now. */
export const stepIn = async (session: Session, step: Tensor): Promise<number> => Number(await session.run(step));

// ---- reporting ----

type Loggable = Tensor | Variable | Operation | string;

export interface LoggingTensorOptions {
  readonly everyNIter?: number | null;
  readonly everyNSecs?: number | null;
  readonly atEnd?: boolean;
  readonly formatter?: ((values: Readonly<Record<string, NDArray>>) => string) | null;
}

/** Logs tensors every so many runs or seconds, or at the end: a record of tags and tensors (or names), or a list. TF: tf.train.LoggingTensorHook.
 *  @throws ValueError unless it is said, in one way, how often. */
export class LoggingTensorHook extends SessionRunHook {
  private readonly tensors: ReadonlyMap<string, Loggable>;
  private readonly timer: HookTimer;
  private readonly atEnd: boolean;
  private readonly formatter: LoggingTensorOptions["formatter"];
  private current: { [tag: string]: Tensor } = {};
  private runs = 0;
  private isDue = false;

  constructor(
    tensors: Readonly<Record<string, Loggable>> | ReadonlyMap<string, Loggable> | readonly Loggable[],
    { everyNIter = null, everyNSecs = null, atEnd = false, formatter = null }: LoggingTensorOptions = {},
  ) {
    super();
    const onlyAtEnd = atEnd && everyNIter === null && everyNSecs === null;
    if (!onlyAtEnd && (everyNIter === null) === (everyNSecs === null))
      throw new ValueError("either at_end and/or exactly one of every_n_iter and every_n_secs must be provided.");
    if (everyNIter !== null && everyNIter <= 0) throw new ValueError(`invalid every_n_iter=${everyNIter}.`);
    if (Array.isArray(tensors)) this.tensors = new Map(tensors.map(item => [typeof item === "string" ? item : String(item), item]));
    else {
      const entries = [...(tensors instanceof Map ? tensors : Object.entries(tensors as Record<string, Loggable>))];
      this.tensors = new Map(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
    }
    this.atEnd = atEnd;
    this.formatter = formatter;
    this.timer = onlyAtEnd ? neverTimer : new SecondOrStepTimer({ everySecs: everyNSecs, everySteps: everyNIter });
  }

  override begin(): void {
    this.timer.reset();
    this.runs = 0;
    this.current = Object.fromEntries([...this.tensors].map(([tag, tensor]) => [tag, graphElement(tensor)]));
  }

  override beforeRun(): SessionRunArgs | null {
    this.isDue = this.timer.shouldTriggerForStep(this.runs);
    return this.isDue ? new SessionRunArgs(this.current) : null;
  }

  override afterRun(_: SessionRunContext, { results }: SessionRunValues): void {
    if (this.isDue) this.report(results);
    this.runs++;
  }

  override async end(session: Session): Promise<void> {
    if (this.atEnd) this.report((await session.run(this.current)) as Record<string, NDArray>);
  }

  private report(values: Readonly<Record<string, NDArray>>): void {
    const [seconds] = this.timer.updateLastTriggeredStep(this.runs);
    if (this.formatter) return logging.info(this.formatter(values));
    const text = [...this.tensors.keys()].map(tag => `${tag} = ${String(values[tag])}`).join(", ");
    logging.info(seconds === null ? text : `${text} (${seconds.toFixed(3)} sec)`);
  }
}

/** @throws ValueError for what is not of the default graph, or an operation's name that means several tensors. */
function graphElement(given: Loggable): Tensor {
  const graph = getDefaultGraph();
  if (typeof given !== "string") {
    if (given.graph !== graph)
      throw new ValueError(`Passed ${String(given)} should have graph attribute that is equal to current graph ${graph}.`);
    return graph.asGraphElement(given) as Tensor;
  }
  if (given.includes(":")) return graph.getTensorByName(given);
  const tensor = graph.getTensorByName(`${given}:0`);
  if (tensor.op.outputs.length > 1)
    throw new ValueError(`Name ${given} is ambiguous, as this \`Operation\` has multiple outputs (at least 2).`);
  return tensor;
}

// ---- stopping ----

/** Asks to stop after so many steps from the first one seen, or at a step. TF: tf.train.StopAtStepHook.
 *  @throws ValueError unless exactly one of both is given; RuntimeError without a global step. */
export class StopAtStepHook extends SessionRunHook {
  private readonly numSteps: number | null;
  private lastStep: number | null;
  private step: Tensor | undefined;

  constructor({ numSteps = null, lastStep = null }: { readonly numSteps?: number | null; readonly lastStep?: number | null } = {}) {
    super();
    if (numSteps === null && lastStep === null) throw new ValueError("One of num_steps or last_step must be specified.");
    if (numSteps !== null && lastStep !== null) throw new ValueError("Only one of num_steps or last_step can be specified.");
    this.numSteps = numSteps;
    this.lastStep = lastStep;
  }

  override begin(): void {
    this.step = globalStepOf("StopAtStepHook");
  }

  override async afterCreateSession(session: Session): Promise<void> {
    this.lastStep ??= (await stepIn(session, this.step as Tensor)) + (this.numSteps as number);
  }

  override beforeRun(): SessionRunArgs {
    return new SessionRunArgs(this.step as Tensor);
  }

  override async afterRun(runContext: SessionRunContext, { results }: SessionRunValues): Promise<void> {
    const last = this.lastStep as number;
    // The step may have been read before or after it was counted up: asked again where it matters.
    if (Number(results) + 1 >= last && (await stepIn(runContext.session, this.step as Tensor)) >= last) runContext.requestStop();
  }
}

/** Raised by NanTensorHook. TF: tf.train.NanLossDuringTrainingError. */
export class NanLossDuringTrainingError extends RuntimeError {
  override readonly name = "NanLossDuringTrainingError";
  constructor() {
    super("NaN loss during training.");
  }
}

/** Stops, or fails, when a loss is not a number. TF: tf.train.NanTensorHook. @throws NanLossDuringTrainingError from `run` unless told not to. */
export class NanTensorHook extends SessionRunHook {
  private readonly lossTensor: Tensor;
  private readonly failOnNanLoss: boolean;

  constructor(lossTensor: Tensor, { failOnNanLoss = true, ...others }: { readonly failOnNanLoss?: boolean } = {}) {
    super();
    refuseOthers(others);
    this.lossTensor = lossTensor;
    this.failOnNanLoss = failOnNanLoss;
  }

  override beforeRun(): SessionRunArgs {
    return new SessionRunArgs(this.lossTensor);
  }

  override afterRun(runContext: SessionRunContext, { results }: SessionRunValues): void {
    if (!Number.isNaN(Number(results))) return;
    const text = "Model diverged with loss = NaN.";
    if (this.failOnNanLoss) {
      logging.error(text);
      throw new NanLossDuringTrainingError();
    }
    logging.warning(text);
    runContext.requestStop();
  }
}

// ---- waiting, feeding, ending ----

const pause = (seconds: number): Promise<void> => new Promise(resolve => void setTimeout(resolve, 1000 * seconds));

/** Holds the first run back until the global step has reached a value. TF: tf.train.GlobalStepWaiterHook. */
export class GlobalStepWaiterHook extends SessionRunHook {
  private readonly waitUntilStep: number;
  private isStarted = false;
  private step: Tensor | undefined;

  constructor(waitUntilStep: number) {
    super();
    this.waitUntilStep = waitUntilStep;
  }

  override begin(): void {
    this.isStarted = false;
    this.step = globalStepOf("_GlobalStepWaiterHook");
  }

  override async beforeRun(runContext: SessionRunContext): Promise<null> {
    if (this.isStarted) return null;
    this.isStarted = true;
    if (this.waitUntilStep <= 0) return null;
    logging.info("Waiting for global step %d before starting training.", this.waitUntilStep);
    for (let logged = 0; ; ) {
      const step = await stepIn(runContext.session, this.step as Tensor);
      if (step >= this.waitUntilStep) return null;
      if (step - logged > 1000) {
        logging.info("Waiting for global step %d before starting training. Current step is %d.", this.waitUntilStep, step);
        logged = step;
      }
      await pause(0.5);
    }
  }
}

/** Runs something last; its results are in `finalOpsValues`. TF: tf.train.FinalOpsHook. */
export class FinalOpsHook extends SessionRunHook {
  private readonly finalOps: Fetches | null;
  private readonly finalOpsFeedDict: Feeds | null;
  // any: of the nesting of the fetches
  private values: any = null;

  constructor(finalOps: Fetches | null, { finalOpsFeedDict = null, ...others }: { readonly finalOpsFeedDict?: Feeds | null } = {}) {
    super();
    refuseOthers(others);
    this.finalOps = finalOps;
    this.finalOpsFeedDict = finalOpsFeedDict;
  }

  // any: of the nesting of the fetches
  get finalOpsValues(): any {
    return this.values;
  }

  override async end(session: Session): Promise<void> {
    if (this.finalOps === null) return;
    try {
      this.values = await session.run(this.finalOps, this.finalOpsFeedDict);
    } catch (error) {
      if (error instanceof OutOfRangeError)
        logging.warning("The operations of a FinalOpsHook read from an input that has ended; they should read variables only.");
      throw error;
    }
  }
}

/** Feeds every run what a function gives. TF: tf.train.FeedFnHook. */
export class FeedFnHook extends SessionRunHook {
  readonly feedFn: () => Feeds;

  constructor(feedFn: () => Feeds) {
    super();
    this.feedFn = feedFn;
  }

  override beforeRun(): SessionRunArgs {
    return new SessionRunArgs(null, { feedDict: this.feedFn() });
  }
}
