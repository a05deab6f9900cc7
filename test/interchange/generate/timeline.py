"""Records a traced run of TensorFlow and what its timeline tool makes of it. Usage: python timeline.py OUT.json.gz"""
import base64
import gzip
import json
import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"
import numpy as np
import tensorflow.compat.v1 as tf
from tensorflow.python.client import timeline

tf.disable_v2_behavior()
tf.disable_resource_variables()
a = tf.placeholder(tf.float32, [None, 64], name="a")
w = tf.Variable(np.full([64, 256], 0.01, "float32"), name="w")
heads = [tf.reduce_sum(tf.matmul(tf.nn.relu(tf.matmul(a, w) + float(i)), w, transpose_b=True), name="head%d" % i) for i in range(3)]
total = tf.add_n(heads, name="total")
session = tf.Session(config=tf.ConfigProto(intra_op_parallelism_threads=1, inter_op_parallelism_threads=2))
session.run(tf.global_variables_initializer())
metadata = tf.RunMetadata()
options = tf.RunOptions(trace_level=tf.RunOptions.FULL_TRACE)
for _ in range(3):
    session.run(total, {a: np.ones([500, 64])}, options=options, run_metadata=metadata)
stats = metadata.step_stats
traces = [
    {"options": given, "text": timeline.Timeline(stats).generate_chrome_trace_format(**given)}
    for given in ({}, {"show_dataflow": False}, {"show_memory": True})
]
with gzip.GzipFile(sys.argv[1], "wb", mtime=0) as out:
    out.write(json.dumps({"metadata": base64.b64encode(metadata.SerializeToString()).decode(), "traces": traces}).encode())
