// Monitored sessions against what TensorFlow does: the nodes they add, the order in which hooks are called, errors, ends, restarts.
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { AbortedError, OutOfRangeError } from "../base/errors.ts";
import * as compat from "../compat.ts";
import * as tf from "../index.ts";

let folder = "";
let scope: Disposable;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "monitored-"));
  scope = new tf.Graph().asDefault();
});
afterEach(() => {
  scope[Symbol.dispose]();
  rmSync(folder, { recursive: true, force: true });
});

function counting(): { step: tf.Variable; train: tf.Tensor } {
  const step = tf.train.getOrCreateGlobalStep() as tf.Variable;
  return { step, train: tf.assignAdd(step, 1) as tf.Tensor };
}

/** Notes every call. */
class Watcher extends tf.train.SessionRunHook {
  readonly calls: string[] = [];
  override begin(): void {
    this.calls.push("begin");
  }
  override async afterCreateSession(): Promise<void> {
    this.calls.push("created");
  }
  override beforeRun(): null {
    this.calls.push("before");
    return null;
  }
  override afterRun(_: tf.train.SessionRunContext, { results }: tf.train.SessionRunValues): void {
    this.calls.push(`after ${String(results)}`);
  }
  override end(): void {
    this.calls.push("end");
  }
}

describe("the graph of a monitored session", () => {
  it("has TensorFlow's nodes", async () => {
    const x = tf.placeholder("float32", [null, 2], { name: "x" });
    tf.reduceMean(tf.matmul(x, tf.getVariable("w", [2, 1])));
    tf.train.getOrCreateGlobalStep();
    const before = tf.getDefaultGraph().version;
    await using session = await tf.train.MonitoredTrainingSession({ checkpointDir: folder });
    const graph = session.graph as tf.Graph;
    expect(graph.finalized).toBe(true);
    const made = graph
      .getOperations()
      .slice(before)
      .map(({ name }) => name)
      .filter(name => !name.startsWith("save/") && !/^report_uninitialized_variables(_1)?\/boolean_mask/.test(name));
    const report = (suffix: string, checks: readonly string[]): string[] => [
      ...checks.map(check => `report_uninitialized_variables${suffix}/IsVariableInitialized${check}`),
      ...["stack", "LogicalNot", "Const"].map(part => `report_uninitialized_variables${suffix}/${part}`),
      `report_uninitialized_resources${suffix}/Const`,
    ];
    const cond = ["Switch", "switch_t", "switch_f", "pred_id", "read", "read/Switch", "Switch_1", "Merge"];
    expect(made).toEqual([
      "global_step/IsVariableInitialized",
      ...cond.map(part => `global_step/cond/${part}`),
      "global_step/add/y",
      "global_step/add",
      "init",
      "init_1",
      "group_deps",
      ...report("", ["", "_1"]),
      "concat/axis",
      "concat",
      ...report("_1", ["", "_1"]),
      "concat_1/axis",
      "concat_1",
      "init_2",
      "init_all_tables",
      "init_3",
      "group_deps_1",
    ]);
  });
});

describe("hooks", () => {
  it("are called in TensorFlow's order, and not told to end after an error", async () => {
    const { train } = counting();
    const [first, second] = [new Watcher(), new Watcher()];
    const session = await tf.train.MonitoredTrainingSession({ hooks: [first, new tf.train.StopAtStepHook({ numSteps: 2 })] });
    while (!session.shouldStop()) await session.run(train);
    await expect(session.run(train)).rejects.toThrow("Run called even after should_stop requested.");
    await session.close();
    expect(first.calls).toEqual(["begin", "created", "before", "after null", "before", "after null", "end"]);
    expect(session.shouldStop()).toBe(true);
    await expect(session.close()).rejects.toThrow("Session is already closed.");
    const failing = await tf.train.MonitoredTrainingSession({ hooks: [second] });
    const ended = failing.use(async () => {
      throw new Error("mine");
    });
    await expect(ended).rejects.toThrow("mine");
    expect(second.calls).toEqual(["begin", "created"]);
    expect(tf.getDefaultGraph().finalized).toBe(false);
  });

  it("end well where the input ends or a step asks for it", async () => {
    counting();
    for (const ending of ["input", "request"]) {
      const watcher = new Watcher();
      const session = await tf.train.MonitoredTrainingSession({ hooks: [watcher] });
      const result = await session.use(async s => {
        if (ending === "input") throw new OutOfRangeError("no more");
        await s.runStepFn(stepContext => stepContext.requestStop());
      });
      expect(result).toBeUndefined();
      expect(watcher.calls.at(-1)).toBe("end");
    }
  });

  it("may fetch and feed, each tensor once", async () => {
    const { step, train } = counting();
    const x = tf.placeholder("float32", [], { name: "x" });
    const y = tf.multiply(x, 2);
    const asked = new tf.train.FeedFnHook(() => [[x, 3]]);
    const final = new tf.train.FinalOpsHook({ step });
    const session = await tf.train.MonitoredTrainingSession({ hooks: [asked, final] });
    const [value] = await session.run([y, train]);
    expect(value.item()).toBe(6);
    await expect(session.run(y, { "x:0": 1 })).rejects.toThrow(/^Same tensor is fed by a SessionRunHook and user. Conflict/);
    await session.close();
    expect(Number(final.finalOpsValues.step)).toBe(1);
    const two = await tf.train.MonitoredTrainingSession({ hooks: [asked, new tf.train.FeedFnHook(() => new Map([[x, 1]]))] });
    await expect(two.run(y)).rejects.toThrow(/^Same tensor is fed by two hooks./);
  });

  it("may be written in snake_case through the compat door", async () => {
    const { train } = counting();
    const seen: unknown[] = [];
    const Hook = compat.tf.train.SessionRunHook as new () => object;
    class Own extends Hook {
      before_run(): unknown {
        return compat.tf.train.SessionRunArgs({ step: tf.train.getGlobalStep() });
      }
      after_run(context: { stop_requested: boolean; request_stop(): void }, values: { results: { step: unknown } }): void {
        seen.push(context.stop_requested, Number(values.results.step));
        context.request_stop();
      }
    }
    const session = await compat.tf.train.MonitoredTrainingSession({ hooks: [new Own()] });
    while (!session.shouldStop()) await session.run(train);
    await session.close();
    expect(seen[0]).toBe(false);
    expect(seen).toHaveLength(2);
  });

  it("are timed by steps as runs give them", () => {
    const timer = new tf.train.SecondOrStepTimer({ everySteps: 2 });
    timer.updateLastTriggeredStep(3n);
    expect([3n, 4n, 5n, 5].map(step => timer.shouldTriggerForStep(step))).toEqual([false, false, true, true]);
    expect(timer.updateLastTriggeredStep(5)[1]).toBe(2);
  });

  it("refuse what TensorFlow refuses", () => {
    const { train } = tf;
    expect(() => new train.StopAtStepHook()).toThrow("One of num_steps or last_step must be specified.");
    expect(() => new train.StopAtStepHook({ numSteps: 1, lastStep: 2 })).toThrow("Only one of num_steps or last_step can be specified.");
    expect(() => new train.LoggingTensorHook(["x"])).toThrow("either at_end and/or exactly one of every_n_iter and every_n_secs must be");
    expect(() => new train.SecondOrStepTimer()).toThrow("Either every_secs or every_steps should be provided.");
    expect(() => new train.SummarySaverHook({ saveSteps: 1 })).toThrow("Exactly one of scaffold or summary_op must be provided.");
    expect(() => new train.StepCounterHook({ everyNSecs: 1 })).toThrow("exactly one of every_n_steps and every_n_secs should be provided.");
    expect(() => new train.StopAtStepHook({ numSteps: 1 }).begin()).toThrow("Global step should be created to use StopAtStepHook.");
  });
});

describe("a monitored session", () => {
  it("saves, restores and counts", async () => {
    const { step, train } = counting();
    for (const last of [3, 5]) {
      const hooks = [new tf.train.StopAtStepHook({ lastStep: last })];
      await using session = await tf.train.MonitoredTrainingSession({ checkpointDir: folder, hooks, saveCheckpointSteps: 2 });
      expect(Number(await session.runStepFn(context => context.session.run(step)))).toBe(last === 3 ? 0 : 3);
      while (!session.shouldStop()) await session.run(train);
    }
    expect(await tf.train.latestCheckpoint(folder)).toBe(join(folder, "model.ckpt-5"));
    expect(readdirSync(folder)).toContain("graph.pbtxt");
  });

  it("makes its session anew when a machine was lost", async () => {
    const { train } = counting();
    let left = 2;
    class Losing extends Watcher {
      override beforeRun(): null {
        if (left-- > 0) throw new AbortedError("gone");
        return super.beforeRun();
      }
    }
    const hook = new Losing();
    await using session = await new tf.train.MonitoredSession({ hooks: [hook] }).ready();
    await session.run(train);
    expect(hook.calls).toEqual(["begin", "created", "created", "created", "before", "after null"]);
    left = 1;
    const single = await new tf.train.SingularMonitoredSession({ hooks: [new Losing()] }).ready();
    await expect(single.run(train)).rejects.toThrow("gone");
    expect(single.rawSession()).toBeInstanceOf(tf.Session);
    await single.close();
  });

  it("says what is not initialized", async () => {
    const v = new tf.Variable(1, { name: "v", collections: [] });
    tf.getDefaultGraph().addToCollection(tf.GraphKeys.GLOBAL_VARIABLES, v);
    const scaffold = new tf.train.Scaffold({ initOp: tf.noOp({ name: "nothing" }) });
    await expect(tf.train.MonitoredTrainingSession({ scaffold })).rejects.toThrow(
      "Init operations did not make model ready for local_init.  Init op: nothing, init fn: None, error: Variables not initialized: v",
    );
  });

  it("runs queue runners and stops them", async () => {
    const [value] = tf.train.sliceInputProducer([tf.constant([1, 2, 3])], { numEpochs: 1, shuffle: false });
    counting();
    const seen: number[] = [];
    const session = await tf.train.MonitoredTrainingSession();
    await session.use(async s => {
      while (!s.shouldStop()) seen.push((await s.run(value)).item() as number);
    });
    expect(seen).toEqual([1, 2, 3]);
  });
});
