"""Models whose branches and loops are functions (enable_control_flow_v2, resource variables; one SavedModel of TensorFlow 2), trained, saved, imported and trained on: `python functions.py`.

What functions.json.gz keeps: the files, and for every model what the imported one gave afterwards, gradients through its loops included.
"""
import base64
import gzip
import json
import os
import subprocess
import sys
import tempfile

os.environ.update(TF_USE_LEGACY_KERAS="1", TF_CPP_MIN_LOG_LEVEL="3", TF_ENABLE_ONEDNN_OPTS="0", CUDA_VISIBLE_DEVICES="")
import numpy as np  # noqa: E402

def main():
    import tensorflow.compat.v1 as tf
    tf.logging.set_verbosity(tf.logging.FATAL)
    tf.disable_v2_behavior()
    tf.enable_control_flow_v2()
    tf.enable_resource_variables()
    tf.experimental.output_all_intermediates(True)  # otherwise the graph that is imported refuses gradients through its loops
    here = os.path.dirname(os.path.abspath(__file__))
    folder = tempfile.mkdtemp()
    recorded = {"files": {}, "models": {}}

    def values(x):
        return x.tolist() if hasattr(x, "tolist") else x

    def recurrent():
        x = tf.placeholder(tf.float32, [None, None, 3], name="x")
        lengths = tf.placeholder(tf.int32, [None], name="lengths")
        labels = tf.placeholder(tf.int32, [None], name="labels")
        cell = tf.nn.rnn_cell.MultiRNNCell([tf.nn.rnn_cell.GRUCell(4, kernel_initializer=tf.glorot_uniform_initializer(seed=i), name="g%d" % i) for i in (1, 2)])
        out, state = tf.nn.dynamic_rnn(cell, x, lengths, dtype=tf.float32)
        attention = tf.map_fn(lambda o: tf.reduce_sum(tf.nn.softmax(o, 0) * o, 0), out)
        logits = tf.layers.dense(tf.concat([attention, state[-1]], 1), 3, kernel_initializer=tf.glorot_uniform_initializer(seed=3), name="logits")
        loss = tf.identity(tf.losses.sparse_softmax_cross_entropy(labels, logits), name="loss")
        step = tf.train.get_or_create_global_step()
        rate = tf.train.piecewise_constant(step, [3, 6], [0.05, 0.02, 0.01], name="rate")
        opt = tf.train.AdamOptimizer(rate, epsilon=1e-4)
        gv = opt.compute_gradients(loss)
        grads, norm = tf.clip_by_global_norm([g for g, _ in gv], 1.0)
        tf.identity(norm, name="norm")
        tf.identity(tf.identity(rate), name="rate_now")
        tf.group(opt.apply_gradients(zip(grads, [v for _, v in gv]), global_step=step), name="train")
        feed = {"x:0": np.random.RandomState(1).randn(4, 5, 3), "lengths:0": np.array([5, 3, 1, 4]), "labels:0": np.array([0, 1, 2, 1])}
        return feed, ["loss:0", "norm:0", "rate_now:0"], ["train"], ["x:0"], "loss:0"

    def solver():
        y0 = tf.placeholder(tf.float32, [2], name="y0")
        n = tf.placeholder(tf.int32, [], name="n")
        k = tf.get_variable("k", initializer=[0.5, -0.3])
        count = tf.get_variable("count", initializer=0, trainable=False)
        kind = tf.get_variable("kind", initializer=0, trainable=False)

        def body(i, y, best):
            def euler():
                return y + 0.1 * k * y

            def heun():
                half = y + 0.05 * k * y
                return y + 0.1 * k * half

            def damped():
                with tf.control_dependencies([count.assign_add(1)]):
                    return tf.cond(tf.reduce_sum(y) > 1.0, lambda: 0.9 * y, lambda: y + tf.sin(k))

            new = tf.switch_case(tf.floormod(i + kind, 3), [euler, heun, damped])
            inner = tf.while_loop(lambda j, z: j < i, lambda j, z: [j + 1, z * 0.8 + tf.reduce_sum(new ** 2)], [0, 0.0])[1]
            return i + 1, new, tf.maximum(best, inner)

        _, y, best = tf.while_loop(lambda i, *_: i < n, body, [0, y0, -1.0], maximum_iterations=20, name="integrate")
        loss = tf.identity(tf.reduce_sum(tf.square(y - [1.0, 2.0])) + 0.01 * best, name="loss")
        with tf.control_dependencies([tf.identity(loss)]):
            advance = kind.assign(tf.floormod(kind + 1, 3))
        train = tf.train.MomentumOptimizer(0.05, 0.5).minimize(loss)
        with tf.control_dependencies([train]):
            tf.group(advance, name="train")
        tf.identity(y, name="y")
        tf.identity(count.read_value(), name="count_now")
        feed = {"y0:0": np.array([1.0, 0.5]), "n:0": np.array(5)}
        return feed, ["loss:0", "y:0"], ["train"], ["y0:0"], "loss:0"

    for name, build in (("recurrent", recurrent), ("solver", solver)):
        with tf.Graph().as_default(), tf.Session() as session:
            feed, fetches, train, sources, target = build()
            session.run(tf.global_variables_initializer())
            for _ in range(3):
                session.run(train, feed)
            tf.train.Saver(save_relative_paths=True).save(session, os.path.join(folder, name))
        with tf.Graph().as_default(), tf.Session() as session:
            saver = tf.train.import_meta_graph(os.path.join(folder, name + ".meta"))
            saver.restore(session, os.path.join(folder, name))
            graph = tf.get_default_graph()
            steps = [[values(v) for v in session.run(fetches + train, feed)[: len(fetches)]] for _ in range(4)]
            gradients = tf.gradients(graph.get_tensor_by_name(target), [graph.get_tensor_by_name(s) for s in sources] + tf.trainable_variables())
            recorded["models"][name] = {
                "feed": {k: values(v) for k, v in feed.items()}, "fetches": fetches, "steps": steps, "sources": sources, "target": target,
                "gradients": [values(v) for v in session.run([tf.convert_to_tensor(g) for g in gradients], feed)],
                "variables": {v.op.name: values(session.run(v)) for v in tf.global_variables()},
            }
    subprocess.run([sys.executable, os.path.join(here, "served.py"), os.path.join(folder, "served")], check=True, stderr=subprocess.DEVNULL)
    with tf.Graph().as_default(), tf.Session() as session:
        meta = tf.saved_model.load(session, ["serve"], os.path.join(folder, "served"))
        sig, nudge = meta.signature_def["serving_default"], meta.signature_def["nudge"]
        outs = {k: v.name for k, v in sig.outputs.items()}
        calls = []
        for mode, steps, k in (("up", 3, 2), ("down", 6, 1), ("other", 0, 2), ("down", 7, 3)):
            feed = {"x": np.linspace(-1, 1, 3 * k).reshape(k, 3), "mode": np.array(mode), "steps": np.array(steps)}
            got = session.run(outs, {sig.inputs[n].name: v for n, v in feed.items()})
            norm = session.run(nudge.outputs["norm"].name, {nudge.inputs["delta"].name: np.full([3, 3], 0.05)})
            calls.append({"feed": {n: values(v) for n, v in feed.items()}, "outputs": {n: values(v) for n, v in got.items()}, "norm": float(norm)})
        recorded["served"] = {"calls": calls}
    for root, _, files in os.walk(folder):
        for file in files:
            path = os.path.join(root, file)
            with open(path, "rb") as f:
                recorded["files"][os.path.relpath(path, folder)] = base64.b64encode(f.read()).decode()
    with open(os.path.join(here, "functions.json.gz"), "wb") as packed:
        packed.write(gzip.compress(json.dumps(recorded).encode(), 9, mtime=0))


if __name__ == "__main__":
    main()
