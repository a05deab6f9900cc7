"""TensorFlow 2.21 (compat.v1 graph mode) on the workloads of bench/README.md.

Started by bench/peers.ts. Reads lines `start NAME`, `time SECONDS`, `stop`; answers each with one line of JSON.
"""
import json
import os
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
threads = int(sys.argv[1])
import numpy as np
import tensorflow as tf2

tf = tf2.compat.v1
tf.disable_v2_behavior()
tf.logging.set_verbosity(tf.logging.ERROR)
random = np.random.RandomState(0)


def normal(*shape, scale=1.0):
    return (random.standard_normal(shape) * scale).astype("float32")


def variable(shape, scale):
    return tf.Variable(normal(*shape, scale=scale))


def cnn(x):
    def layer(value, shape, scale):
        h = tf.nn.relu(tf.nn.conv2d(value, variable(shape, scale), [1, 1, 1, 1], "SAME") + variable(shape[-1:], 0.1))
        return tf.nn.max_pool(h, [1, 2, 2, 1], [1, 2, 2, 1], "SAME")

    h = layer(layer(x, [5, 5, 1, 32], 0.1), [5, 5, 32, 64], 0.03)
    h = tf.nn.relu(tf.matmul(tf.reshape(h, [-1, 3136]), variable([3136, 1024], 0.02)) + variable([1024], 0.1))
    return tf.matmul(h, variable([1024, 10], 0.03)) + variable([10], 0.1)


def cross_entropy(logits, labels):
    return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(logits=logits, labels=labels))


def train_cnn(batch, optimizer):
    x, y = tf.placeholder(tf.float32, [batch, 28, 28, 1]), tf.placeholder(tf.int32, [batch])
    loss = cross_entropy(cnn(x), y)
    chosen = tf.train.AdamOptimizer(1e-4) if optimizer == "adam" else tf.train.GradientDescentOptimizer(0.01)
    return [chosen.minimize(loss), loss], {x: normal(batch, 28, 28, 1), y: random.randint(0, 10, batch).astype("int32")}


def infer_cnn(batch):
    x = tf.placeholder(tf.float32, [batch, 28, 28, 1])
    return cnn(x), {x: normal(batch, 28, 28, 1)}


def perceptron(batch, sizes, classifier):
    x = tf.placeholder(tf.float32, [batch, sizes[0]])
    y = tf.placeholder(tf.int32, [batch]) if classifier else tf.placeholder(tf.float32, [batch, sizes[-1]])
    h = x
    for i, (m, n) in enumerate(zip(sizes, sizes[1:])):
        h = tf.matmul(h, variable([m, n], 0.05)) + variable([n], 0.1)
        if i < len(sizes) - 2:
            h = tf.nn.relu(h)
    loss = cross_entropy(h, y) if classifier else tf.reduce_mean(tf.square(h - y))
    target = random.randint(0, sizes[-1], batch).astype("int32") if classifier else normal(batch, sizes[-1])
    return [tf.train.GradientDescentOptimizer(0.01).minimize(loss), loss], {x: normal(batch, sizes[0]), y: target}


WORKLOADS = {
    "W1_adam_B100": lambda: train_cnn(100, "adam"),
    "W1_sgd_B100": lambda: train_cnn(100, "sgd"),
    "W1_adam_B32": lambda: train_cnn(32, "adam"),
    "W1i_B1": lambda: infer_cnn(1),
    "W1i_B100": lambda: infer_cnn(100),
    "W2_B128": lambda: perceptron(128, [784, 512, 512, 10], True),
    "W3_lin_B1": lambda: perceptron(1, [1, 1], False),
    "W3_lin_B32": lambda: perceptron(32, [1, 1], False),
    "W3_mlp_B1": lambda: perceptron(1, [4, 16, 2], False),
    "W3_mlp_B32": lambda: perceptron(32, [4, 16, 2], False),
}


def start(name):
    """Builds the workload and runs it until it is warm; returns one step."""
    began = time.perf_counter()
    graph = tf.Graph()
    with graph.as_default():
        fetches, feeds = WORKLOADS[name]()
        initialize = tf.global_variables_initializer()
    config = tf.ConfigProto(intra_op_parallelism_threads=threads, inter_op_parallelism_threads=threads)
    session = tf.Session(graph=graph, config=config)
    session.run(initialize)
    step = lambda: session.run(fetches, feeds)
    step()
    first = time.perf_counter() - began
    for _ in range(3):
        step()
    return step, {"first_ms": first * 1e3}


def time_for(step, seconds):
    times = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(times) < 3:
        began = time.perf_counter()
        step()
        times.append((time.perf_counter() - began) * 1e3)
    return {"times_ms": times}


def main():
    print(json.dumps({"version": tf2.__version__}), flush=True)
    step = None
    for line in sys.stdin:
        command, *arguments = line.split()
        if command == "stop":
            return
        if command == "start":
            step, answer = start(arguments[0])
        else:
            answer = time_for(step, float(arguments[0]))
        print(json.dumps(answer), flush=True)


main()
