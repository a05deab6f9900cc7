"""Records what TensorFlow's summary ops give: nodes, and the messages, pictures as pixels. Usage: python summaries.py OUT.json.gz"""
import base64
import gzip
import json
import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"
import numpy as np
import tensorflow.compat.v1 as tf
from google.protobuf import json_format

tf.disable_v2_behavior()
tf.disable_resource_variables()
rng = np.random.RandomState(0)


def encode(array):
    array = np.asarray(array)
    return {"dtype": str(array.dtype), "shape": list(array.shape), "values": [str(v) for v in array.reshape(-1)]}


cases = []


def case(kind, array, args):
    tf.reset_default_graph()
    x = tf.constant(array, name="x") if array is not None else None
    build = {
        "scalar": lambda: tf.summary.scalar("a b/loss:0", x, **args),
        "histogram": lambda: tf.summary.histogram("h", x, **args),
        "image": lambda: tf.summary.image("pic", x, **args),
        "audio": lambda: tf.summary.audio("tone", x, 8000, **args),
        "text": lambda: tf.summary.text("note", tf.constant(["one", "two"], name="words")),
        "tensor": lambda: tf.summary.tensor_summary("t", x, **args),
    }[kind]
    with tf.name_scope("outer"):
        node = build()
    merged = tf.summary.merge_all()
    with tf.Session() as session:
        summary = tf.Summary.FromString(session.run(merged))
        pictures = []
        for value in summary.value:
            if value.HasField("image"):
                png = value.image.encoded_image_string
                pictures.append(encode(session.run(tf.image.decode_png(png))))
                value.image.encoded_image_string = b""
    graph = tf.get_default_graph()
    cases.append({
        "kind": kind, "input": None if array is None else encode(array), "args": args, "node": node.name,
        "names": [op.name for op in graph.get_operations() if not op.name.startswith(("DecodePng", "contents"))],
        "summary": json_format.MessageToDict(summary, preserving_proto_field_name=True), "pictures": pictures,
    })


case("scalar", np.float32(1.5), {})
case("scalar", np.int64(-7), {"family": "fam"})
case("scalar", np.float64("nan"), {})
for values in ([1.0, 1.0, 2.0], [], [0.0], [-1e-13, 1e-13, 1e21, -1e30], rng.randn(500).tolist()):
    case("histogram", np.asarray(values, np.float32), {})
case("histogram", np.arange(-5, 6, dtype=np.int32), {"family": "f"})
case("image", np.asarray([-1, 0, 1, 0.5], np.float32).reshape(1, 2, 2, 1), {"max_outputs": 1})
case("image", rng.rand(4, 5, 6, 3).astype(np.float32), {})
case("image", (rng.rand(2, 3, 4, 4) * 7 - 2).astype(np.float64), {"max_outputs": 5})
bad = rng.rand(1, 3, 3, 3).astype(np.float32)
bad[0, 1, 1, 0] = np.nan
bad[0, 2, 0, 2] = np.inf
case("image", bad, {})
case("image", np.zeros((1, 2, 2, 1), np.float32), {})
case("image", rng.randint(0, 256, (1, 40, 50, 3)).astype(np.uint8), {})
case("audio", (rng.rand(2, 20, 2) * 3 - 1.5).astype(np.float32), {})
case("audio", np.sin(np.arange(40)).astype(np.float32).reshape(1, 40), {"max_outputs": 1})
case("text", None, {})
case("tensor", np.arange(6, dtype=np.float32).reshape(2, 3), {"display_name": "shown", "summary_description": "what"})
with gzip.GzipFile(sys.argv[1], "wb", mtime=0) as out:
    out.write(json.dumps({"tensorflow": tf.__version__, "cases": cases}).encode())
