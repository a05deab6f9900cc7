"""Records programs: `python recording.py OUT_FOLDER [NAME ...]`, then `node scripts/pack-graphs.ts OUT_FOLDER`.

A program is NN-name.py beside this file with `build()`, which makes the default graph, and `run(session, record)`, which runs it; its twin
NN-name.ts has the same `build`. What is kept: the GraphDef, and of every run what was fetched and fed by name, and what came out. Each
program runs three times more with its trainable variables changed by a random relative 1e-6; ten times the largest deviation, and at
least 1e-5, is the tolerance of a result (0 for what is exact, null where rounding decides).
"""
import importlib.util
import json
import math
import os
import sys
import warnings

os.environ.update(TF_USE_LEGACY_KERAS="1", TF_CPP_MIN_LOG_LEVEL="3", TF_ENABLE_ONEDNN_OPTS="0", CUDA_VISIBLE_DEVICES="")
warnings.filterwarnings("ignore")
import numpy as np  # noqa: E402
import tensorflow.compat.v1 as tf  # noqa: E402

tf.logging.set_verbosity(tf.logging.FATAL)
tf.disable_v2_behavior()
tf.disable_resource_variables()
tf.disable_control_flow_v2()

HERE = os.path.dirname(os.path.abspath(__file__))


def session_config():
    """One thread and no graph rewriting: results do not depend on the machine's load."""
    config = tf.ConfigProto(intra_op_parallelism_threads=1, inter_op_parallelism_threads=1)
    config.graph_options.rewrite_options.disable_meta_optimizer = True
    config.graph_options.optimizer_options.opt_level = -1
    return config


def plain(array):
    array = np.asarray(array)
    if array.dtype == object:
        return np.vectorize(lambda item: item.decode() if isinstance(item, bytes) else str(item), otypes=[object])(array).tolist()
    if array.dtype.kind == "f":  # as few digits as tell the number
        return np.vectorize(lambda x: float(str(x)) if np.isfinite(x) else str(x), otypes=[object])(array).tolist() if array.size else array.tolist()
    return array.tolist()


def described(array):
    """All of an array of at most 64 elements, else its first eight, its sum and its norm."""
    array = np.asarray(array)
    result = {"shape": list(array.shape), "dtype": "string" if array.dtype == object else array.dtype.name}
    if array.size <= 64:
        result["values"] = plain(array)
    else:
        wide = array.astype(np.float64).ravel()
        result.update(first=plain(array.ravel()[:8]), sum=float(wide.sum()), norm=float(np.sqrt((wide * wide).sum())))
    return result


class Record:
    def __init__(self, noise=None):
        self.runs, self.arrays = [], []
        self.noise = None if noise is None else np.random.RandomState(noise)

    def run(self, session, fetches, feeds=None, keep=True):
        """`session.run`, kept by names. Of operations nothing comes out."""
        flat = tf.nest.flatten(fetches, expand_composites=True)
        results = session.run(flat, feeds)
        if keep:
            elements = [getattr(item, "_as_graph_element", lambda item=item: item)() for item in flat]
            feed = {key.name: {"dtype": key.dtype.base_dtype.name, "value": plain(np.asarray(value, key.dtype.base_dtype.as_numpy_dtype)), "shape": list(np.shape(value))}
                    for key, value in (feeds or {}).items()}
            self.runs.append({"fetches": [e.name for e in elements], "feeds": feed, "results": [None if r is None else described(r) for r in results]})
            self.arrays.append(results)
        return tf.nest.pack_sequence_as(fetches, results, expand_composites=True)

    def initialize(self, session):
        """Runs the initializers and keeps what they gave."""
        self.run(session, session.graph.get_operation_by_name("initialize"))
        self.run(session, tf.global_variables())
        if self.noise:
            for v in tf.trainable_variables():
                x = session.run(v)
                if x.dtype.kind == "f":
                    v.load((x * (1 + 1e-6 * self.noise.uniform(-1, 1, x.shape))).astype(x.dtype), session)

    def final(self, session):
        self.run(session, tf.global_variables())


def load(path):
    spec = importlib.util.spec_from_file_location("program", path)
    program = importlib.util.module_from_spec(spec)
    sys.modules["recording"] = sys.modules[__name__]
    spec.loader.exec_module(program)
    return program


def perform(program, noise=None):
    record = Record(noise)
    with tf.Graph().as_default() as graph:
        program.build()
        tf.group(tf.global_variables_initializer(), tf.local_variables_initializer(), tf.tables_initializer(), name="initialize")
        definition = graph.as_graph_def()
        with tf.Session(config=session_config()) as session:
            program.run(session, record)
    return definition, record


def deviation(want, got):
    want, got = np.asarray(want), np.asarray(got)
    if want.dtype.kind != "f":
        return 0 if want.shape == got.shape and (want == got).all() else None
    if want.shape != got.shape:
        return None
    want, got = want.astype(np.float64), got.astype(np.float64)
    if want.size == 0:
        return 0
    with np.errstate(invalid="ignore"):
        scale = np.maximum(np.abs(want), np.sqrt(np.mean(want * want)) or 1)
        difference = np.where(want == got, 0, np.abs(want - got) / scale)
    return float(np.nanmax(difference)) if (np.isnan(want) == np.isnan(got)).all() else None


def tolerance(want, others):
    found = [deviation(want, other) for other in others]
    if any(f is None for f in found):
        return None
    if np.asarray(want).dtype.kind != "f":
        return 0
    largest = max(10 * max(found), 1e-5)
    power = 10.0 ** math.floor(math.log10(largest))
    rounded = next(k * power for k in (1, 2, 5, 10) if k * power >= largest * (1 - 1e-9))
    return rounded if rounded <= 0.2 else None


def main():
    out, names = sys.argv[1], sys.argv[2:]
    os.makedirs(out, exist_ok=True)
    for file in sorted(os.listdir(HERE)):
        if not file[0].isdigit() or not file.endswith(".py") or names and not any(file.startswith(n) for n in names):
            continue
        program = load(os.path.join(HERE, file))
        definition, record = perform(program)
        noisy = [perform(program, seed)[1] for seed in (1, 2, 3)]
        for i, run in enumerate(record.runs):
            run["tolerances"] = [None if r is None else tolerance(r, [n.arrays[i][k] for n in noisy]) for k, r in enumerate(record.arrays[i])]
        with open(os.path.join(out, file[:-3] + ".pb"), "wb") as pb:
            pb.write(definition.SerializeToString(deterministic=True))
        with open(os.path.join(out, file[:-3] + ".json"), "w") as text:
            json.dump(record.runs, text)
        unstable = sum(t is None and r is not None for run in record.runs for t, r in zip(run["tolerances"], run["results"]))
        print(f"{file}: {len(definition.node)} nodes, {len(record.runs)} runs, {unstable} results unstable", flush=True)


if __name__ == "__main__":
    main()
