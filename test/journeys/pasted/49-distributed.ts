// Distributed style in one process: ClusterSpec, replica_device_setter, SyncReplicasOptimizer with clipping in the middle, own hooks in a
// MonitoredTrainingSession that is stopped and taken up again, an own Scaffold, partitioned variables on parameter servers: its twin in Python line by line.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import * as tf from "tensorloom/compat";
import { ints, range, rnd, type Show } from "./inputs.ts";

export async function main(show: Show): Promise<void> {
  tf.set_random_seed(31);
  const logdir = mkdtempSync(join(tmpdir(), "distributed-"));
  const FLAGS = {
    ps_hosts: "localhost:42222,localhost:42223",
    worker_hosts: "localhost:42224",
    job_name: "worker",
    task_index: 0,
    learning_rate: 0.05,
    sync_replicas: true,
  };
  const cluster = new tf.train.ClusterSpec({ ps: FLAGS.ps_hosts.split(","), worker: FLAGS.worker_hosts.split(",") });
  const is_chief = FLAGS.task_index === 0,
    num_workers = cluster.num_tasks("worker");
  show("cluster", [
    [...cluster.jobs].sort(),
    cluster.num_tasks("ps"),
    cluster.task_address("ps", 1),
    cluster.as_dict()["ps"],
    cluster.job_tasks("worker"),
  ]);
  class ExamplesPerSecondHook extends tf.train.SessionRunHook {
    _timer: tf.train.SecondOrStepTimer;
    _batch_size: number;
    seen: number[][] = [];
    _global_step_tensor!: tf.Tensor | tf.Variable;
    constructor(batch_size: number, every_n_steps = 2) {
      super();
      this._timer = new tf.train.SecondOrStepTimer({ every_steps: every_n_steps });
      this._batch_size = batch_size;
    }
    override begin() {
      const step = tf.train.get_global_step();
      if (step === null) throw new Error("Global step should be created to use StepCounterHook.");
      this._global_step_tensor = step;
    }
    before_run(_run_context: tf.train.SessionRunContext) {
      return new tf.train.SessionRunArgs(this._global_step_tensor);
    }
    after_run(_run_context: tf.train.SessionRunContext, run_values: tf.train.SessionRunValues) {
      const global_step = run_values.results;
      if (this._timer.should_trigger_for_step(global_step)) {
        const [, elapsed_steps] = this._timer.update_last_triggered_step(global_step);
        this.seen.push([Number(global_step), elapsed_steps === null ? -1 : Number(elapsed_steps)]);
      }
    }
  }
  class EarlyStop extends tf.train.SessionRunHook {
    loss: tf.Tensor;
    below: number;
    losses: number[] = [];
    twice!: tf.Tensor;
    constructor(loss: tf.Tensor, below: number) {
      super();
      this.loss = loss;
      this.below = below;
    }
    override begin() {
      this.twice = this.loss.mul(2.0);
    }
    before_run(run_context: tf.train.SessionRunContext) {
      const fetches = run_context.original_args.fetches as unknown[];
      show(
        "args",
        fetches
          .slice(1)
          .filter(t => t instanceof tf.Tensor)
          .map(t => t.op.name),
      );
      return new tf.train.SessionRunArgs({ loss: this.loss, nested: [this.twice] }, { feed_dict: null });
    }
    after_run(run_context: tf.train.SessionRunContext, run_values: tf.train.SessionRunValues) {
      this.losses.push(Number(run_values.results["loss"]));
      if (run_values.results["nested"][0] < 2 * this.below) run_context.request_stop();
    }
    override async end(session: tf.Session) {
      show("end", [this.losses, Number(await session.run(tf.train.get_global_step()!))]);
    }
  }
  function build() {
    const greedy = tf.train.replica_device_setter({
      worker_device: `/job:${FLAGS.job_name}/task:${FLAGS.task_index}`,
      cluster,
      ps_device: "/job:ps/cpu:0",
    });
    const [global_step, x, y_, loss, acc_op] = tf.device(greedy, () => {
      const global_step = tf.Variable(0, {
        name: "global_step",
        trainable: false,
        dtype: tf.int64,
        collections: [tf.GraphKeys.GLOBAL_VARIABLES, tf.GraphKeys.GLOBAL_STEP],
      });
      const x = tf.placeholder(tf.float32, [null, 5], "x"),
        y_ = tf.placeholder(tf.int64, [null], "y");
      const w1 = tf.get_variable("w1", [5, 8], {
        initializer: tf.truncated_normal_initializer({ stddev: 0.5 }),
        partitioner: tf.fixed_size_partitioner(2),
      });
      const b1 = tf.Variable(tf.zeros([8]), { name: "b1" });
      const w2 = tf.get_variable("w2", [8, 3], { partitioner: tf.variable_axis_size_partitioner(64) });
      const b2 = tf.Variable(tf.zeros([3]), { name: "b2" });
      const h = tf.nn.relu6(tf.nn.xw_plus_b(x, tf.convert_to_tensor(w1), b1));
      const logits = tf.matmul(h, w2).add(b2);
      const loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits({ labels: y_, logits }));
      const [, acc_op] = tf.metrics.accuracy(y_, tf.argmax(logits, 1), { name: "acc" });
      return [global_step, x, y_, loss, acc_op] as const;
    });
    const lr = tf.train.exponential_decay(FLAGS.learning_rate, global_step, 4, 0.5, { staircase: true });
    let opt: tf.train.Optimizer = new tf.train.AdamOptimizer(lr, { epsilon: 1e-4 });
    if (FLAGS.sync_replicas)
      opt = new tf.train.SyncReplicasOptimizer(opt, {
        replicas_to_aggregate: num_workers,
        total_num_replicas: num_workers,
        name: "sync",
      });
    const pairs = opt.compute_gradients(loss);
    const tvars = pairs.map(([, v]) => v);
    const [grads, norm] = tf.clip_by_global_norm(
      pairs.map(([g]) => g),
      0.4,
    );
    const train_op = opt.apply_gradients(
      grads.map((g, i) => [g, tvars[i]]),
      { global_step },
    );
    tf.summary.scalar("loss", loss);
    tf.summary.scalar("lr", lr);
    return [x, y_, loss, train_op, opt as tf.train.SyncReplicasOptimizer, norm, acc_op, lr] as const;
  }
  for (const _ of range(2)) {
    using _graph = new tf.Graph().as_default();
    tf.set_random_seed(31);
    const [x, y_, loss, train_op, opt, norm, acc_op, lr] = build();
    show(
      "devices",
      tf
        .global_variables()
        .map(v => v.op.name + v.device)
        .slice(0, 8),
    );
    show(
      "trainable",
      tf.trainable_variables().map(v => v.op.name),
    );
    const local = tf.group(tf.local_variables_initializer(), tf.tables_initializer());
    const ready = tf.report_uninitialized_variables();
    const scaffold = new tf.train.Scaffold({
      init_op: tf.global_variables_initializer(),
      local_init_op: [is_chief ? opt.chief_init_op : opt.local_step_init_op, local],
      ready_op: ready,
      saver: new tf.train.Saver({ sharded: true, max_to_keep: 2 }),
    });
    const rate = new ExamplesPerSecondHook(6),
      early = new EarlyStop(loss, 0.35);
    const feed = new tf.train.FeedFnHook(
      () =>
        new Map([
          [x, rnd(3, 6, 5)],
          [y_, ints(4, 3, 6)],
        ]),
    );
    const final = new tf.train.FinalOpsHook(
      { loss },
      new Map([
        [x, rnd(5, 6, 5)],
        [y_, ints(6, 3, 6)],
      ]),
    );
    const hooks = [
      opt.make_session_run_hook(is_chief, { num_tokens: 0 }),
      rate,
      early,
      feed,
      new tf.train.StopAtStepHook({ num_steps: 5 }),
      final,
      new tf.train.CheckpointSaverHook(logdir, { save_steps: 3, scaffold }),
    ];
    {
      await using sess = await tf.train.MonitoredTrainingSession({
        master: "",
        is_chief,
        scaffold,
        checkpoint_dir: logdir,
        hooks,
        save_checkpoint_secs: null,
        save_summaries_steps: null,
        log_step_count_steps: null,
        stop_grace_period_secs: 0,
        config: tf.ConfigProto({ allow_soft_placement: true, device_filters: ["/job:ps", `/job:worker/task:${FLAGS.task_index}`] }),
      });
      while (!sess.should_stop()) {
        const [, n, a, r] = await sess.run([train_op, norm, acc_op, lr]);
        show("step", [n, a, r]);
      }
    }
    show("final", final.final_ops_values["loss"]);
    show(
      "rate",
      rate.seen.map(([, steps]) => steps),
    );
    show(
      "checkpoints",
      (await tf.train.get_checkpoint_state(logdir))!.all_model_checkpoint_paths.map(p => basename(p)),
    );
    show(
      "variables",
      (await tf.train.list_variables((await tf.train.latest_checkpoint(logdir))!)).map(([n]) => n),
    );
  }
  {
    using _graph = new tf.Graph().as_default();
    tf.set_random_seed(33);
    const [emb, ids, look] = tf.device(tf.train.replica_device_setter({ ps_tasks: 2, merge_devices: false }), () => {
      const emb = tf.get_variable("emb", [10, 2], { partitioner: tf.min_max_variable_partitioner(3, { min_slice_size: 8 }) });
      const ids = tf.placeholder(tf.int64, [null]);
      return [emb, ids, tf.nn.embedding_lookup(emb, ids, { partition_strategy: "div", max_norm: 1.0 })] as const;
    });
    const loss = tf.reduce_sum(tf.square(look.sub(0.5)));
    const tr = new tf.train.AdagradOptimizer(0.5).minimize(loss);
    show(
      "parts",
      [...emb].map(v => [v.op.name, v.device, String(v.shape)]),
    );
    {
      await using s = await tf.train.SingularMonitoredSession({
        hooks: tf.train.get_global_step() ? [new tf.train.StopAtStepHook({ last_step: 3 })] : [],
      });
      for (const i of range(3)) show("parted", (await s.run([loss, tr], { feed_dict: [[ids, ints(i, 10, 6)]] }))[0]);
      show("emb", await s.raw_session()!.run(tf.get_default_graph().get_tensor_by_name("emb/part_0/read:0")));
    }
    new tf.train.WorkerSessionCreator();
    const coordinated = new tf.train.Coordinator();
    coordinated.request_stop();
    show("stop", [coordinated.should_stop(), await coordinated.wait_for_stop(0.1)]);
  }
  rmSync(logdir, { recursive: true });
}
