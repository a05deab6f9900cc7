"""Graphs whose nodes call functions, with what TensorFlow computes: python generate/functions.py OUT_FILE

Each case: a GraphDef (base64), feeds, fetches with their values, and the gradient of one tensor with respect to another.
"""
import os, sys, json, base64, gzip

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"
import numpy as np
import tensorflow as tf2
import tensorflow.compat.v1 as tf
from tensorflow.python.framework.function import Defun

tf.disable_v2_behavior()
cases = []


def array(value):
    value = np.asarray(value)
    return {"dtype": value.dtype.name, "shape": list(value.shape), "values": value.ravel().tolist()}


def case(name, build):
    graph = tf.Graph()
    with graph.as_default():
        made = build()
        inits = tf.global_variables_initializer()
        graph_def = graph.as_graph_def()
        # The gradient that the importer is to find by itself is made after the graph is written.
        y, x = [graph.get_tensor_by_name(name) for name in made.get("gradient", made["fetches"][:1] * 2)]
        gradient, = tf.gradients(y, x) if "gradient" in made else (None,)
        asked = made["fetches"] + ([gradient] if gradient is not None else [])
        runs = []
        with tf.Session(graph=graph) as session:
            session.run(inits)
            for feeds in made["feeds"]:
                values = session.run(asked, {key: np.array(value, dtype) for key, (dtype, value) in feeds.items()})
                runs.append({"feeds": {key: array(np.array(value, dtype)) for key, (dtype, value) in feeds.items()},
                             "fetches": {tensor: array(value) for tensor, value in zip(made["fetches"], values)},
                             "gradient": array(values[-1]) if gradient is not None else None})
    cases.append({"name": name, "graph": base64.b64encode(graph_def.SerializeToString()).decode(), "init": inits.name,
                  "runs": runs, "gradient": made.get("gradient")})


def calls():
    @tf2.function
    def inner(x, y):
        return x * y + tf.sin(x)

    @tf2.function
    def outer(x, n):
        return inner(x, x) + inner(x, 2.0), tf.reduce_sum(x) * tf.cast(n, tf.float32)

    x = tf.placeholder(tf.float32, [None, 3], name="x")
    a, b = outer(x, tf.constant(3))
    loss = tf.reduce_sum(a * a) + b
    grad, = tf.gradients(loss, x)
    names = [tf.identity(a, name="a").name, tf.identity(loss, name="loss").name, tf.identity(grad, name="grad").name]
    return {"fetches": names, "feeds": [{"x:0": ("float32", [[1, 2, 3], [0.5, -1, 2]])}, {"x:0": ("float32", [[0, 1, -2]])}],
            "gradient": ["loss:0", "x:0"]}


def branches():
    tf.enable_control_flow_v2()
    x = tf.placeholder(tf.float32, [2], name="x")
    p = tf.placeholder(tf.bool, [], name="p")
    k = tf.placeholder(tf.int32, [], name="k")
    a = tf.cond(p, lambda: x * x, lambda: tf.cond(x[0] > 1.0, lambda: x + 10.0, lambda: x * 3.0))
    b = tf.switch_case(k, [lambda: x + 1.0, lambda: x * 2.0, lambda: tf.exp(x)])
    loss = tf.reduce_sum(a) + tf.reduce_sum(b * b)
    tf.disable_control_flow_v2()
    names = [tf.identity(t, name=n).name for t, n in [(a, "a"), (b, "b"), (loss, "loss")]]
    feeds = [{"x:0": ("float32", [x0, 0.5]), "p:0": ("bool", p0), "k:0": ("int32", k0)}
             for x0, p0, k0 in [(1.5, True, 0), (1.5, False, 1), (0.5, False, 2), (0.5, True, 7), (2, False, -1)]]
    return {"fetches": names, "feeds": feeds, "gradient": ["loss:0", "x:0"]}


def loops():
    tf.enable_control_flow_v2()
    x = tf.placeholder(tf.float32, [2], name="x")
    n = tf.placeholder(tf.int32, [], name="n")
    w = tf.get_variable("w", initializer=np.array([[0.5, -0.25], [0.1, 0.9]], "float32"), use_resource=True)

    def body(i, h):
        return i + 1, tf.tanh(tf.reshape(tf.matmul(tf.reshape(h, [1, 2]), w), [2]) + x)

    _, h = tf.while_loop(lambda i, h: i < n, body, [0, x])
    loss = tf.reduce_sum(h * h)
    names = [tf.identity(h, name="h").name, tf.identity(loss, name="loss").name]
    tf.disable_control_flow_v2()
    feeds = [{"x:0": ("float32", [0.3, -0.2]), "n:0": ("int32", k)} for k in [0, 1, 4]]
    return {"fetches": names, "feeds": feeds, "gradient": ["loss:0", "x:0"]}


def effects():
    v = tf.get_variable("v", initializer=np.float32(1.0), use_resource=True)

    @tf2.function
    def count(x):
        v.assign_add(x)
        return v.read_value() * 2.0

    x = tf.placeholder(tf.float32, [], name="x")
    y = count(x)
    names = [tf.identity(y, name="y").name]
    return {"fetches": names, "feeds": [{"x:0": ("float32", 2)}, {"x:0": ("float32", 3)}, {"x:0": ("float32", -1)}]}


def by_name():
    @Defun(tf.float32, tf.float32, func_name="Mixed")
    def mixed(x, y):
        return x * y, x - y

    x = tf.placeholder(tf.float32, [2], name="x")
    a, b = mixed(x, x * 2.0)
    names = [tf.identity(a, name="a").name, tf.identity(b + a, name="b").name]
    return {"fetches": names, "feeds": [{"x:0": ("float32", [2, 3])}], "gradient": ["b:0", "x:0"]}


for build in [calls, branches, loops, effects, by_name]:
    case(build.__name__, build)
with gzip.GzipFile(sys.argv[1], "wb", mtime=0) as out:
    out.write(json.dumps(cases).encode())
