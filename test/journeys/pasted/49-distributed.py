"""Distributed style in one process: ClusterSpec, replica_device_setter with a greedy strategy, SyncReplicasOptimizer with clipping in the middle, own hooks in a MonitoredTrainingSession that is stopped and taken up again; own Scaffold; PartitionedVariables on parameter servers."""
from recording import *
import os, tempfile
tf.set_random_seed(31); logdir = tempfile.mkdtemp()

class FLAGS: ps_hosts, worker_hosts, job_name, task_index, learning_rate, sync_replicas = "localhost:42222,localhost:42223", "localhost:42224", "worker", 0, 0.05, True
cluster = tf.train.ClusterSpec({"ps": FLAGS.ps_hosts.split(","), "worker": FLAGS.worker_hosts.split(",")}); is_chief = FLAGS.task_index == 0; num_workers = cluster.num_tasks("worker")
show("cluster", [sorted(cluster.jobs), cluster.num_tasks("ps"), cluster.task_address("ps", 1), cluster.as_dict()["ps"], cluster.job_tasks("worker")])
servers = []
def master(part):
    fresh = tf.train.ClusterSpec({"ps": ["localhost:%d" % (42222 + 10 * part + i) for i in range(2)], "worker": ["localhost:%d" % (42224 + 10 * part)]}); servers.extend(tf.train.Server(fresh, job_name=job, task_index=i) for job, i in [("ps", 0), ("ps", 1), ("worker", 0)]); return servers[-1].target
class ExamplesPerSecondHook(tf.train.SessionRunHook):
    def __init__(self, batch_size, every_n_steps=2):
        self._timer = tf.train.SecondOrStepTimer(every_steps=every_n_steps); self._batch_size = batch_size; self.seen = []
    def begin(self):
        self._global_step_tensor = tf.train.get_global_step()
        if self._global_step_tensor is None: raise RuntimeError("Global step should be created to use StepCounterHook.")
    def before_run(self, run_context): return tf.train.SessionRunArgs(self._global_step_tensor)
    def after_run(self, run_context, run_values):
        global_step = run_values.results
        if self._timer.should_trigger_for_step(global_step):
            elapsed_time, elapsed_steps = self._timer.update_last_triggered_step(global_step); self.seen.append([int(global_step), -1 if elapsed_steps is None else int(elapsed_steps)])
class EarlyStop(tf.train.SessionRunHook):
    def __init__(self, loss, below): self.loss, self.below, self.losses = loss, below, []
    def begin(self): self.twice = self.loss * 2.0
    def before_run(self, run_context):
        show("args", [t.op.name for t in run_context.original_args.fetches[1:] if isinstance(t, tf.Tensor)]); return tf.train.SessionRunArgs({"loss": self.loss, "nested": [self.twice]}, feed_dict=None)
    def after_run(self, run_context, run_values):
        self.losses.append(float(run_values.results["loss"]))
        if run_values.results["nested"][0] < 2 * self.below: run_context.request_stop()
    def end(self, session): show("end", [self.losses, int(session.run(tf.train.get_global_step()))])
def build():
    greedy = tf.train.replica_device_setter(worker_device="/job:%s/task:%d" % (FLAGS.job_name, FLAGS.task_index), cluster=cluster, ps_device="/job:ps/cpu:0")
    with tf.device(greedy):
        global_step = tf.Variable(0, name="global_step", trainable=False, dtype=tf.int64, collections=[tf.GraphKeys.GLOBAL_VARIABLES, tf.GraphKeys.GLOBAL_STEP]); x = tf.placeholder(tf.float32, [None, 5], "x"); y_ = tf.placeholder(tf.int64, [None], "y")
        w1 = tf.get_variable("w1", [5, 8], initializer=tf.truncated_normal_initializer(stddev=0.5), partitioner=tf.fixed_size_partitioner(2)); b1 = tf.Variable(tf.zeros([8]), name="b1"); w2 = tf.get_variable("w2", [8, 3], partitioner=tf.variable_axis_size_partitioner(64)); b2 = tf.Variable(tf.zeros([3]), name="b2")
        h = tf.nn.relu6(tf.nn.xw_plus_b(x, tf.convert_to_tensor(w1), b1)); logits = tf.matmul(h, w2) + b2; loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y_, logits=logits)); acc, acc_op = tf.metrics.accuracy(y_, tf.argmax(logits, 1), name="acc")
    lr = tf.train.exponential_decay(FLAGS.learning_rate, global_step, 4, 0.5, staircase=True); opt = tf.train.AdamOptimizer(lr, epsilon=1e-4)
    if FLAGS.sync_replicas: opt = tf.train.SyncReplicasOptimizer(opt, replicas_to_aggregate=num_workers, total_num_replicas=num_workers, name="sync")
    grads, tvars = zip(*opt.compute_gradients(loss)); grads, norm = tf.clip_by_global_norm(grads, 0.4); train_op = opt.apply_gradients(zip(grads, tvars), global_step=global_step); tf.summary.scalar("loss", loss); tf.summary.scalar("lr", lr); return x, y_, loss, train_op, opt, norm, acc_op, lr
for part in range(2):
    with tf.Graph().as_default() as graph:
        tf.set_random_seed(31); x, y_, loss, train_op, opt, norm, acc_op, lr = build(); show("devices", [v.op.name + v.device for v in tf.global_variables()][:8]); show("trainable", [v.op.name for v in tf.trainable_variables()])
        local = tf.group(tf.local_variables_initializer(), tf.tables_initializer()); ready = tf.report_uninitialized_variables(); scaffold = tf.train.Scaffold(init_op=tf.global_variables_initializer(), local_init_op=[opt.chief_init_op if is_chief else opt.local_step_init_op, local], ready_op=ready, saver=tf.train.Saver(sharded=True, max_to_keep=2))
        rate, early = ExamplesPerSecondHook(6), EarlyStop(loss, 0.35); feed = tf.train.FeedFnHook(lambda: {x: rnd(3, 6, 5), y_: ints(4, 3, 6)})
        hooks = [opt.make_session_run_hook(is_chief, num_tokens=0), rate, early, feed, tf.train.StopAtStepHook(num_steps=5), tf.train.FinalOpsHook({"loss": loss}, {x: rnd(5, 6, 5), y_: ints(6, 3, 6)}), tf.train.CheckpointSaverHook(logdir, save_steps=3, scaffold=scaffold)]
        with tf.train.MonitoredTrainingSession(master=master(part), is_chief=is_chief, scaffold=scaffold, checkpoint_dir=logdir, hooks=hooks, save_checkpoint_secs=None, save_summaries_steps=None, log_step_count_steps=None, stop_grace_period_secs=0.5, config=tf.ConfigProto(allow_soft_placement=True, device_filters=["/job:ps", "/job:worker/task:%d" % FLAGS.task_index])) as sess:
            while not sess.should_stop(): _, n, a, r = sess.run([train_op, norm, acc_op, lr]); show("step", [n, a, r])
        show("final", hooks[5].final_ops_values["loss"]); show("rate", [steps for _, steps in rate.seen]); show("checkpoints", [os.path.basename(p) for p in tf.train.get_checkpoint_state(logdir).all_model_checkpoint_paths]); show("variables", [n for n, _ in tf.train.list_variables(tf.train.latest_checkpoint(logdir))])
with tf.Graph().as_default():
    tf.set_random_seed(33); towers = []
    with tf.device(tf.train.replica_device_setter(ps_tasks=2, merge_devices=False)):
        emb = tf.get_variable("emb", [10, 2], partitioner=tf.min_max_variable_partitioner(3, min_slice_size=8)); ids = tf.placeholder(tf.int64, [None]); look = tf.nn.embedding_lookup(emb, ids, partition_strategy="div", max_norm=1.0)
    loss = tf.reduce_sum(tf.square(look - 0.5)); tr = tf.train.AdagradOptimizer(0.5).minimize(loss); show("parts", [[v.op.name, v.device, str(v.shape)] for v in emb])
    with tf.train.SingularMonitoredSession(master=master(2), hooks=[tf.train.StopAtStepHook(last_step=3)] if tf.train.get_global_step() else []) as s:
        for i in range(3): show("parted", s.run([loss, tr], {ids: ints(i, 10, 6)})[0])
        show("emb", s.raw_session().run(tf.get_default_graph().get_tensor_by_name("emb/part_0/read:0")))
    sv = tf.train.WorkerSessionCreator(); coordinated = tf.train.Coordinator(); coordinated.request_stop(); show("stop", [coordinated.should_stop(), coordinated.wait_for_stop(0.1)])
