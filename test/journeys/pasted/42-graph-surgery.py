"""Tools: graphs frozen, imported with an input map, meta graphs with collections, walks over operations, hooks, prints and asserts, summaries in event files."""
from recording import *
import tempfile
folder = tempfile.mkdtemp()
tf.set_random_seed(4)
x = tf.placeholder(tf.float32, [None, 3], name="x")
is_training = tf.placeholder_with_default(False, [], name="is_training")
with tf.variable_scope("layer1"):
    h = tf.layers.dense(x, 4, activation=tf.nn.relu, kernel_initializer=tf.glorot_normal_initializer(seed=2), kernel_regularizer=lambda w: 0.01 * tf.nn.l2_loss(w))
    h = tf.layers.batch_normalization(h, training=is_training, momentum=0.8)
    h = tf.cond(is_training, lambda: tf.nn.dropout(h, 0.5, seed=3), lambda: h, name="drop")
logits = tf.layers.dense(h, 2, name="logits"); probs = tf.nn.softmax(logits, name="probs")
labels = tf.placeholder(tf.int32, [None], name="labels")
loss = tf.losses.sparse_softmax_cross_entropy(labels, logits) + tf.add_n(tf.get_collection(tf.GraphKeys.REGULARIZATION_LOSSES))
loss = tf.Print(loss, [loss], message="loss: ", first_n=0)
checks = tf.check_numerics(loss, "loss is no number")
with tf.control_dependencies([tf.Assert(tf.reduce_all(tf.is_finite(logits)), [logits]), tf.assert_rank(logits, 2)] + tf.get_collection(tf.GraphKeys.UPDATE_OPS)):
    step = tf.train.get_or_create_global_step(); train = tf.train.RMSPropOptimizer(0.05, momentum=0.5, centered=True).minimize(loss, global_step=step, name="train")
tf.summary.scalar("loss", loss, family="training"); tf.summary.histogram("probs", probs); tf.summary.text("note", tf.constant("hello")); merged = tf.summary.merge_all()
for t in (x, labels, is_training): tf.add_to_collection("inputs", t)
tf.add_to_collection("outputs", probs); tf.add_to_collection("train_op", train)
class Watch(tf.train.SessionRunHook):
    def begin(self): self.seen = []; self.count = 0; self._step = tf.train.get_global_step()
    def after_create_session(self, session, coord): self.seen.append("created")
    def before_run(self, run_context): return tf.train.SessionRunArgs({"loss": loss})
    def after_run(self, run_context, run_values):
        self.count += 1; self.seen.append("%d" % self.count); self.last = run_values.results["loss"]
        if self.count >= 4: run_context.request_stop()
    def end(self, session): self.seen.append("end %d" % session.run(self._step))
watch = Watch(); saver = tf.train.Saver(max_to_keep=2)
hooks = [watch, tf.train.NanTensorHook(loss), tf.train.CheckpointSaverHook(folder, save_steps=2, saver=saver), tf.train.SummarySaverHook(save_steps=2, output_dir=folder, summary_op=merged), tf.train.FinalOpsHook(final_ops=probs, final_ops_feed_dict={x: rnd(5, 2, 3)})]
def feed(i): return {x: rnd(i, 6, 3), labels: ints(i + 40, 2, 6), is_training: True}
with tf.train.SingularMonitoredSession(hooks=hooks) as sess:
    i = 0
    while not sess.should_stop(): sess.run([train, checks], feed(i)); i += 1
show("seen", watch.seen); show("last", watch.last); show("final", hooks[-1].final_ops_values)
show("kept", [os.path.basename(p) for p in tf.train.get_checkpoint_state(folder).all_model_checkpoint_paths])
events = [f for f in sorted(os.listdir(folder)) if f.startswith("events")]
for e in tf.train.summary_iterator(os.path.join(folder, events[0])):
    for value in e.summary.value: show("event", ["%d %s %s" % (e.step, value.tag, value.WhichOneof("value"))])
# frozen, and read again with another input
with tf.Session() as sess:
    saver.restore(sess, tf.train.latest_checkpoint(folder))
    frozen = tf.graph_util.convert_variables_to_constants(sess, tf.get_default_graph().as_graph_def(), ["probs"])
    want = sess.run(probs, {x: rnd(9, 2, 3)})
frozen = tf.graph_util.remove_training_nodes(frozen, protected_nodes=["probs"])
show("frozen", sorted({n.op for n in frozen.node})); show("nodes", len(frozen.node))
sub = tf.graph_util.extract_sub_graph(frozen, ["logits/BiasAdd"]); show("sub", len(sub.node))
with tf.Graph().as_default() as g2:
    doubled = tf.placeholder(tf.float32, [2, 3], name="doubled")
    out, kernel = tf.import_graph_def(frozen, input_map={"x:0": doubled * 0.5}, return_elements=["probs:0", "logits/kernel:0"], name="net")
    extra = tf.reduce_max(out, 1, name="extra")
    op = g2.get_operation_by_name("net/logits/MatMul")
    show("op", [op.type, op.name, str(op.get_attr("transpose_a")), op.inputs[1].op.name, op.outputs[0].consumers()[0].name, op.node_def.op, str(len(op.node_def.input))])
    show("walk", [o.name for o in g2.get_operations() if o.type in ("MatMul", "Placeholder", "Max")])
    def ancestors(t, seen):
        for i in t.op.inputs:
            if i.op.name not in seen: seen.append(i.op.name); ancestors(i, seen)
        return seen
    show("ancestors", len(ancestors(extra, [])))
    with tf.Session(graph=g2): show("again", extra.eval({"doubled:0": rnd(9, 2, 3) * 2.0})); show("same", np.allclose(out.eval({doubled: rnd(9, 2, 3) * 2.0}), want, atol=1e-6)); show("kernel", kernel.eval())
# a meta graph trained on elsewhere
with tf.Graph().as_default() as g3:
    again = tf.train.import_meta_graph(tf.train.latest_checkpoint(folder) + ".meta", clear_devices=True)
    x3, labels3, training3 = tf.get_collection("inputs"); train3 = tf.get_collection("train_op")[0]
    frozen_part = tf.stop_gradient(g3.get_tensor_by_name("layer1/drop/Merge:0"))
    with tf.variable_scope("head"): new = tf.squeeze(tf.layers.dense(frozen_part, 1, kernel_initializer=tf.ones_initializer()), 1)
    new_loss = tf.losses.mean_squared_error(tf.cast(labels3, tf.float32), new, scope="new", loss_collection=None)
    tune = tf.train.GradientDescentOptimizer(0.1).minimize(new_loss, var_list=tf.get_collection(tf.GraphKeys.TRAINABLE_VARIABLES, scope="head"))
    with tf.Session() as sess:
        again.restore(sess, tf.train.latest_checkpoint(folder))
        missing = [v for v in tf.global_variables() if not sess.run(tf.is_variable_initialized(v))]; sess.run(tf.variables_initializer(missing)); show("missing", [v.name for v in missing])
        f3 = {x3: rnd(1, 6, 3), labels3: ints(41, 2, 6)}
        for i in range(3): show("tune", sess.run([new_loss, tune], f3)[0])
        show("report", [n.decode() for n in sess.run(tf.report_uninitialized_variables())]); show("params", sum(int(np.prod(v.shape.as_list())) for v in tf.trainable_variables()))
        f3[training3] = True; sess.run(train3, f3); show("step", sess.run("global_step:0"))
