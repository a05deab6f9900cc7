"""TensorFlow 2.21 (compat.v1 graph mode) on the workloads of bench/README.md.

Started by bench/peers.ts with the number of threads; speaks protocol.py.
"""
import os
import sys
from urllib.parse import unquote

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# Its fastest kernels, whatever the surroundings ask for: without them some of its convolutions take more than twice the time.
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "1"
threads = int(sys.argv[1])
import numpy as np
import tensorflow as tf2

import tensorflow_ops
from protocol import serve

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


def resident(build):
    """Operations on values that stay where they are; results are not copied out."""
    values = build()
    return [value.op for value in (values if isinstance(values, list) else [values])], {}


def held(shape, scale=1.0):
    return variable(shape, scale).read_value()


def convolution(kind, direction):
    xs, fs = {
        "conv3": ([8, 56, 56, 64], [3, 3, 64, 64]),
        "conv1": ([8, 56, 56, 256], [1, 1, 256, 64]),
        "dw3": ([8, 56, 56, 144], [3, 3, 144, 1]),
    }[kind]
    x, f, dy = held(xs), held(fs, 0.1), held(xs[:3] + [144 if kind == "dw3" else 64])
    ones = [1, 1, 1, 1]
    if kind == "dw3":
        return {
            "fwd": lambda: tf.nn.depthwise_conv2d(x, f, ones, "SAME"),
            "dx": lambda: tf.nn.depthwise_conv2d_native_backprop_input(xs, f, dy, ones, "SAME"),
            "dw": lambda: tf.nn.depthwise_conv2d_native_backprop_filter(x, fs, dy, ones, "SAME"),
        }[direction]()
    return {
        "fwd": lambda: tf.nn.conv2d(x, f, strides=ones, padding="SAME"),
        "dx": lambda: tf.nn.conv2d_backprop_input(xs, f, dy, strides=ones, padding="SAME"),
        "dw": lambda: tf.nn.conv2d_backprop_filter(x, fs, dy, strides=ones, padding="SAME"),
    }[direction]()


def chain():
    x, a, b = [held([4096, 1024]) for _ in range(3)]
    return tf.reduce_sum(tf.tanh(a * x + b) * tf.sigmoid(x), -1)


def layer_norm():
    x, w = held([4096, 1024]), held([4096, 1024])
    g, b = held([1024]), held([1024])
    d = x - tf.reduce_mean(x, -1, keepdims=True)
    v = tf.reduce_mean(tf.square(d), -1, keepdims=True)
    loss = tf.reduce_sum((d * tf.rsqrt(v + 1e-5) * g + b) * w)
    return [loss] + tf.gradients(loss, [x, g, b])


def minimized(loss, feeds):
    return [tf.train.GradientDescentOptimizer(0.01).minimize(loss), loss], feeds


def lstm():
    x = tf.placeholder(tf.float32, [32, 64, 128])
    kernel, bias = variable([256, 512], 0.05), variable([512], 0.1)
    c = h = tf.zeros([32, 128])
    for step in tf.unstack(x, axis=1):
        i, j, f, o = tf.split(tf.matmul(tf.concat([step, h], 1), kernel) + bias, 4, 1)
        c = tf.sigmoid(f + 1.0) * c + tf.sigmoid(i) * tf.tanh(j)
        h = tf.sigmoid(o) * tf.tanh(c)
    return minimized(tf.reduce_mean(tf.square(h)), {x: normal(32, 64, 128)})


def embedding():
    centers, positive = tf.placeholder(tf.int32, [128]), tf.placeholder(tf.int32, [128])
    negative = tf.placeholder(tf.int32, [128, 5])
    inner, outer = variable([50000, 128], 0.1), variable([50000, 128], 0.1)
    u = tf.nn.embedding_lookup(inner, centers)
    near = tf.reduce_sum(u * tf.nn.embedding_lookup(outer, positive), -1)
    far = tf.reduce_sum(u[:, None] * tf.nn.embedding_lookup(outer, negative), -1)
    loss = tf.reduce_mean(tf.nn.softplus(-near) + tf.reduce_sum(tf.nn.softplus(far), -1))
    ids = lambda *shape: random.randint(0, 50000, shape).astype("int32")
    return minimized(loss, {centers: ids(128), positive: ids(128), negative: ids(128, 5)})


BOTTLENECKS = [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)]


def mobile_net():
    x = tf.placeholder(tf.float32, [1, 224, 224, 3])
    he = lambda *shape: variable(list(shape), (2.0 / np.prod(shape[:-1])) ** 0.5)

    def pointwise(value, inputs, outputs, size=1, stride=1):
        return tf.nn.conv2d(value, he(size, size, inputs, outputs), strides=[1, stride, stride, 1], padding="SAME") + variable([outputs], 0.1)

    h, channels = tf.nn.relu6(pointwise(x, 3, 32, 3, 2)), 32
    for expansion, outputs, repeats, first in BOTTLENECKS:
        for i in range(repeats):
            stride, wide, entry = first if i == 0 else 1, channels * expansion, h
            if expansion != 1:
                h = tf.nn.relu6(pointwise(h, channels, wide))
            h = tf.nn.relu6(tf.nn.depthwise_conv2d(h, he(3, 3, wide, 1), [1, stride, stride, 1], "SAME") + variable([wide], 0.1))
            h = pointwise(h, wide, outputs)
            if stride == 1 and channels == outputs:
                h = h + entry
            channels = outputs
    pooled = tf.reduce_mean(tf.nn.relu6(pointwise(h, 320, 1280)), [1, 2])
    return tf.matmul(pooled, he(1280, 1000)) + variable([1000], 0.1), {x: normal(1, 224, 224, 3)}


WORKLOADS = {
    "W1_adam_B100": lambda: train_cnn(100, "adam"),
    "W1_sgd_B100": lambda: train_cnn(100, "sgd"),
    "W1_adam_B32": lambda: train_cnn(32, "adam"),
    "W1i_B1": lambda: infer_cnn(1),
    "W1i_B100": lambda: infer_cnn(100),
    "W2_B128": lambda: perceptron(128, [784, 512, 512, 10], True),
    "W3_lin_B1": lambda: perceptron(1, [1, 1], False),
    "W3_lin_B1_call": lambda: perceptron(1, [1, 1], False),
    "W3_lin_B32": lambda: perceptron(32, [1, 1], False),
    "W3_mlp_B1": lambda: perceptron(1, [4, 16, 2], False),
    "W3_mlp_B32": lambda: perceptron(32, [4, 16, 2], False),
    **{f"W4_gemm_{n}": lambda n=n: resident(lambda: tf.matmul(held([n, n]), held([n, n]))) for n in (512, 1024, 2048)},
    **{
        f"W4_{kind}_{direction}": lambda kind=kind, direction=direction: resident(lambda: convolution(kind, direction))
        for kind in ("conv3", "conv1", "dw3")
        for direction in ("fwd", "dx", "dw")
    },
    "W5_chain": lambda: resident(chain),
    "W5_softmax": lambda: resident(lambda: tf.nn.softmax(held([4096, 1000]))),
    "W5_ln_fb": lambda: resident(layer_norm),
    "W6_lstm": lstm,
    "W7_emb": embedding,
    "W8_mnv2_B1": mobile_net,
}


CALLED = {"W3_lin_B1_call"}


def start(name):
    if name.startswith("op:"):
        return tensorflow_ops.start(unquote(name[3:]), tf, random, threads)
    graph = tf.Graph()
    with graph.as_default():
        fetches, feeds = WORKLOADS[name]()
        initialize = tf.global_variables_initializer()
    config = tf.ConfigProto(intra_op_parallelism_threads=threads, inter_op_parallelism_threads=threads)
    session = tf.Session(graph=graph, config=config)
    session.run(initialize)
    if name in CALLED:
        call = session.make_callable(fetches, feed_list=list(feeds))
        values = list(feeds.values())
        return lambda: call(*values)
    return lambda: session.run(fetches, feeds)


class Known:
    """The workloads, and every `op:` with an expression of its own."""

    def __contains__(self, name):
        return name in WORKLOADS or name.startswith("op:")


serve(tf2.__version__, Known(), start)
