// A session that initializes, restores, saves and writes summaries by itself, through hooks: stopped at a step, taken up again, stopped by a NaN.

import * as tf from "tensorloom";
import { type Data, type Journal, range } from "./record.ts";

/** Asks for the loss with every step, and notes in which order it is called. */
class LossHook extends tf.train.SessionRunHook {
  readonly calls: string[] = [];
  private readonly loss: tf.Tensor;
  private readonly journal: Journal;
  private step: tf.Tensor | tf.Variable | undefined;

  constructor(loss: tf.Tensor, journal: Journal) {
    super();
    this.loss = loss;
    this.journal = journal;
  }

  override begin(): void {
    this.step = tf.train.getGlobalStep() as tf.Variable;
    this.calls.push(`begin, finalized: ${this.step.graph.finalized ? "True" : "False"}`);
  }

  override async afterCreateSession(session: tf.Session): Promise<void> {
    this.calls.push("after_create_session");
    this.calls.push(`step ${await session.run(this.step as tf.Variable)}`);
  }

  override beforeRun(): tf.train.SessionRunArgs {
    return new tf.train.SessionRunArgs({ loss: this.loss });
  }

  override afterRun(runContext: tf.train.SessionRunContext, runValues: tf.train.SessionRunValues): void {
    this.journal.step({ loss: runValues.results.loss });
    this.calls.push("after_run");
    if (runContext.stopRequested) this.calls.push("stop requested");
  }

  override end(): void {
    this.calls.push("end");
  }
}

function build(data: Data): { batch: tf.Tensor; loss: tf.Tensor; train: tf.Operation } {
  const batch = tf.placeholder("int32", [null], { name: "rows" });
  const [x, y] = [data.x, data.y].map(array => tf.gather(tf.constant(array), batch));
  const { w1, b1, w2 } = tf.variableScope("net", () => ({
    w1: tf.getVariable("w1", [4, 12], { initializer: tf.randomNormalInitializer({ stddev: 0.7, seed: 151 }) }),
    b1: tf.getVariable("b1", [12], { initializer: tf.zerosInitializer() }),
    w2: tf.getVariable("w2", [12, 1], { initializer: tf.randomNormalInitializer({ stddev: 0.4, seed: 152 }) }),
  }));
  const prediction = tf.matmul(tf.nn.softplus(tf.matmul(x, w1).add(b1)), w2);
  const loss = tf.losses.meanSquaredError(y, prediction);
  tf.summary.scalar("loss", loss);
  tf.summary.histogram("prediction", prediction);
  const globalStep = tf.train.getOrCreateGlobalStep() as tf.Variable;
  const rate = tf.train.naturalExpDecay(0.1, globalStep, 10, 0.3) as tf.Tensor;
  const train = new tf.train.MomentumOptimizer(rate, 0.8).minimize(loss, { globalStep }) as tf.Operation;
  return { batch, loss, train };
}

const rows = (i: number): number[] => range(0, 16).map(k => (3 * k + 7 * i) % 64);

async function session(data: Data, journal: Journal, lastStep: number, name: string): Promise<void> {
  using _ = new tf.Graph().asDefault();
  const folder = `${journal.folder}/run`;
  const { batch, loss, train } = build(data);
  const watcher = new LossHook(loss, journal);
  const saver = new tf.train.Saver(null, { maxToKeep: 3 });
  const scaffold = new tf.train.Scaffold({ saver, initFn: () => void watcher.calls.push("init_fn") });
  const hooks = [
    watcher,
    new tf.train.StopAtStepHook({ lastStep }),
    new tf.train.NanTensorHook(loss),
    new tf.train.CheckpointSaverHook(folder, { saveSteps: 5, saver, checkpointBasename: "model.ckpt" }),
    // Every step: with a longer period TensorFlow's hook reads the step while it is being counted up, early or late by chance.
    new tf.train.SummarySaverHook({ saveSteps: 1, outputDir: folder, summaryOp: tf.summary.mergeAll() }),
    new tf.train.LoggingTensorHook({ loss }, { everyNIter: 10 }),
  ];
  journal.graph(name);
  const training = await tf.train.MonitoredTrainingSession({
    checkpointDir: folder,
    scaffold,
    hooks,
    saveCheckpointSecs: null,
    saveSummariesSteps: null,
    saveSummariesSecs: null,
    logStepCountSteps: null,
  });
  await training.use(async sess => {
    const start = await sess.runStepFn(async step => Number(await step.session.run(tf.train.getGlobalStep() as tf.Variable)));
    if (name === "first") {
      journal.value("finalized", sess.graph?.finalized);
      await sess.runStepFn(step => journal.initial(step.session, name));
    }
    for (let i = start; !sess.shouldStop(); i++) await sess.run(train, [[batch, rows(i)]]);
    journal.value(`${name} start`, start);
  });
  journal.value(`${name} calls`, watcher.calls);
  const state = await tf.train.getCheckpointState(folder);
  journal.value(
    `${name} checkpoints`,
    state?.allModelCheckpointPaths.map(path => path.slice(path.lastIndexOf("/") + 1)),
  );
  const newest = (await tf.train.latestCheckpoint(folder)) as string;
  const reader = await tf.train.loadCheckpoint(newest);
  journal.value(`${name} variables`, await tf.train.listVariables(newest));
  for (const variable of ["net/w1", "net/w2", "net/w2/Momentum", "global_step"])
    journal.value(`${name} ${variable}`, await reader.getTensor(variable));
}

async function stoppedByNan(journal: Journal): Promise<void> {
  using _ = new tf.Graph().asDefault();
  const step = tf.train.getOrCreateGlobalStep() as tf.Variable;
  const x = tf.getVariable("x", [], { initializer: tf.constantInitializer(1) });
  const loss = tf.log(x);
  const train = tf.group(tf.assignSub(x, 0.4), tf.assignAdd(step, 1));
  try {
    await using sess = await tf.train.MonitoredTrainingSession({ hooks: [new tf.train.NanTensorHook(loss)] });
    while (!sess.shouldStop()) await sess.run(train);
  } catch (error) {
    if (!(error instanceof tf.train.NanLossDuringTrainingError)) throw error;
    journal.value("nan", [error.name, error.message]);
  }
}

export async function main(data: Data, journal: Journal): Promise<void> {
  await session(data, journal, 20, "first");
  await session(data, journal, 30, "second");
  await journal.events("events", `${journal.folder}/run`);
  await stoppedByNan(journal);
}
