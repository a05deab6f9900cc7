"""Runs graphs in TensorFlow: python run_graph.py FOLDER < jobs.json > results.json

A job: {"file", "kind": "graph" | "meta" | "saved_model" | "text" | "checkpoint" | "variable", "init": [operation], "runs": [{"feeds", "fetches"}]}. Arrays as in recorded.ts.
"""
import os, sys, json, base64

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"
import numpy as np
import tensorflow.compat.v1 as tf
from google.protobuf import text_format

tf.disable_v2_behavior()


def decoded(value):
    kind = np.dtype(object) if value["dtype"] == "string" else np.dtype(value["dtype"])
    values = [base64.b64decode(v) for v in value["values"]] if value["dtype"] == "string" else value["values"]
    return np.array(values, kind).reshape(value["shape"])


def encoded(value):
    value = np.asarray(value)
    if value.dtype.kind in "OS":
        return {"dtype": "string", "shape": list(value.shape), "values": [base64.b64encode(v).decode() for v in value.ravel()]}
    values = [str(v) for v in value.ravel()] if value.dtype in (np.int64, np.uint64) else value.ravel().tolist()
    return {"dtype": value.dtype.name, "shape": list(value.shape), "values": values}


def run(folder, job):
    path = os.path.join(folder, job["file"])
    if job["kind"] == "checkpoint":
        reader = tf.train.load_checkpoint(path)
        return [[encoded(reader.get_tensor(name)) for name in r["fetches"]] for r in job["runs"]]
    graph = tf.Graph()
    with graph.as_default(), tf.Session(graph=graph) as session:
        if job["kind"] == "saved_model":
            tf.saved_model.loader.load(session, job["tags"], path)
        elif job["kind"] == "variable":
            partitioner = tf.fixed_size_partitioner(job["parts"])
            variable = tf.get_variable(job["name"], job["shape"], partitioner=partitioner)
            tf.train.Saver().restore(session, path)
            tf.identity(variable, name="whole")
        elif job["kind"] == "meta":
            saver = tf.train.import_meta_graph(path)
            if job.get("restore"):
                saver.restore(session, os.path.join(folder, job["restore"]))
            if job.get("gradient"):
                y, x = [graph.get_tensor_by_name(name) for name in job["gradient"]]
                tf.identity(tf.gradients(y, x)[0], name="python_gradient")
        else:
            graph_def = tf.GraphDef()
            with open(path, "rb") as file:
                data = file.read()
            text_format.Parse(data, graph_def) if job["kind"] == "text" else graph_def.ParseFromString(data)
            tf.import_graph_def(graph_def, name="")
        for name in job.get("init", []):
            session.run(name)
        return [[encoded(v) for v in session.run(r["fetches"], {k: decoded(v) for k, v in r["feeds"].items()})] for r in job["runs"]]


json.dump([run(sys.argv[1], job) for job in json.load(sys.stdin)], sys.stdout)
