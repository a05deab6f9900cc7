"""Trains a small text classifier with TensorFlow, saves it, restores it by its meta graph and goes on: `python recording.py`.

What recorded.json.gz keeps: the files that tf.train.Saver wrote (meta graph, index, data, `checkpoint`) and what the restored model gave afterwards.
"""
import base64
import gzip
import json
import os
import tempfile

os.environ.update(TF_USE_LEGACY_KERAS="1", TF_CPP_MIN_LOG_LEVEL="3", TF_ENABLE_ONEDNN_OPTS="0", CUDA_VISIBLE_DEVICES="")
import numpy as np  # noqa: E402
import tensorflow.compat.v1 as tf  # noqa: E402

tf.disable_v2_behavior()
tf.disable_resource_variables()
tf.disable_control_flow_v2()
WORDS, CLASSES, LENGTH = 12, 3, 7


def build():
    words = tf.placeholder(tf.int32, [None, LENGTH], name="words")
    labels = tf.placeholder(tf.int64, [None], name="labels")
    training = tf.placeholder_with_default(False, [], name="training")
    embedding = tf.get_variable("embedding", [WORDS, 6], initializer=tf.random_uniform_initializer(-1, 1, seed=1))
    x = tf.nn.embedding_lookup(embedding, words)
    cell = tf.nn.rnn_cell.MultiRNNCell([tf.nn.rnn_cell.LSTMCell(5, initializer=tf.glorot_uniform_initializer(seed=2 + i)) for i in range(2)])
    outputs, _ = tf.nn.dynamic_rnn(cell, x, sequence_length=tf.reduce_sum(tf.cast(tf.not_equal(words, 0), tf.int32), 1), dtype=tf.float32)
    h = tf.layers.conv1d(outputs, 6, 3, kernel_initializer=tf.glorot_uniform_initializer(seed=4))
    h = tf.nn.relu(tf.layers.batch_normalization(h, momentum=0.8, training=training))
    logits = tf.layers.dense(tf.reduce_max(h, 1), CLASSES, kernel_initializer=tf.glorot_uniform_initializer(seed=5), name="output")
    tf.nn.softmax(logits, name="probabilities")
    loss = tf.losses.sparse_softmax_cross_entropy(labels, logits)
    tf.identity(loss, name="loss")
    step = tf.train.get_or_create_global_step()
    rate = tf.train.exponential_decay(0.2, step, 3, 0.5, staircase=True, name="rate")
    averages = tf.train.ExponentialMovingAverage(0.9, step)
    optimizer = tf.train.MomentumOptimizer(rate, 0.9)
    with tf.control_dependencies(tf.get_collection(tf.GraphKeys.UPDATE_OPS)):
        gradients, variables = zip(*optimizer.compute_gradients(loss))
        gradients, _ = tf.clip_by_global_norm(gradients, 1.0)
        apply = optimizer.apply_gradients(zip(gradients, variables), global_step=step)
    with tf.control_dependencies([apply]):
        tf.group(averages.apply(tf.trainable_variables()), name="train")
    tf.identity(averages.average(embedding), name="average")


def main():
    folder = tempfile.mkdtemp()
    random = np.random.RandomState(3)
    words = random.randint(1, WORDS, [8, LENGTH])
    words[np.arange(LENGTH) >= random.randint(4, LENGTH + 1, [8, 1])] = 0
    feed = {"words:0": words.tolist(), "labels:0": random.randint(0, CLASSES, 8).tolist(), "training:0": True}
    with tf.Graph().as_default(), tf.Session() as session:
        build()
        session.run(tf.global_variables_initializer())
        for _ in range(4):
            session.run("train", feed)
        tf.train.Saver(max_to_keep=2, save_relative_paths=True).save(session, os.path.join(folder, "model"), global_step=tf.train.get_global_step())
    with tf.Graph().as_default(), tf.Session() as session:
        saver = tf.train.import_meta_graph(os.path.join(folder, "model-4.meta"))
        saver.restore(session, tf.train.latest_checkpoint(folder))
        evaluated = {key: feed[key] for key in ("words:0", "labels:0")}
        number = lambda a: np.asarray(a, np.float64).tolist()
        results = {"feed": feed, "probabilities": number(session.run("probabilities:0", evaluated)), "losses": [], "rates": []}
        for _ in range(5):
            loss, rate, _ = session.run(["loss:0", "rate:0", "train"], feed)
            results["losses"].append(number(loss))
            results["rates"].append(number(rate))
        results["average"] = number(session.run("average:0"))
        results["variables"] = {v.name: number(session.run(v)) for v in tf.global_variables()}
        results["trainable"] = [v.name for v in tf.trainable_variables()]
    results["files"] = {}
    for name in os.listdir(folder):
        with open(os.path.join(folder, name), "rb") as file:
            results["files"][name] = base64.b64encode(file.read()).decode()
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "recorded.json.gz"), "wb") as packed:
        packed.write(gzip.compress(json.dumps(results).encode(), 9, mtime=0))


if __name__ == "__main__":
    main()
