"""Records the programs of this folder: `python recording.py`, or those that are named: `python recording.py 03 07`. Each runs in a graph of its own and shows
numbers as it goes; recorded/ keeps of each its name, how many there were, the first 16 and their sum. The TypeScript twin shows the same."""
import gzip
import json
import os
import runpy
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

shown = []


def rnd(seed, *shape):
    """Numbers in [0, 1) that JavaScript makes as well."""
    out = []
    for _ in range(int(np.prod(shape))):
        seed = (seed * 1664525 + 1013904223) % 2**32
        out.append(seed / 2**32)
    return np.array(out, np.float32).reshape(shape)


def ints(seed, high, *shape):
    return np.floor(rnd(seed, *shape) * np.float32(high)).astype(np.int32)


def nodes():
    """Every node of the graph with its inputs."""
    return "\n".join("%s %s %s" % (op.name, op.type, " ".join(i.name for i in op.inputs)) for op in tf.get_default_graph().get_operations())


def flat(value):
    if isinstance(value, (list, tuple)):
        return [item for inner in value for item in flat(inner)]
    if isinstance(value, str):
        return [value]
    return [float(item) for item in np.asarray(value).ravel()]


def show(name, value):
    items = flat(value)
    shown.append({"name": name, "length": len(items), "values": items[:16], "sum": sum(x for x in items if not isinstance(x, str))})


def main(names):
    here = os.path.dirname(os.path.abspath(__file__))
    for file in sorted(os.listdir(here)):
        if file[0].isdigit() and file.endswith(".py") and (not names or file.startswith(tuple(names))):
            tf.reset_default_graph()
            shown.clear()
            runpy.run_path(os.path.join(here, file))
            with open(os.path.join(here, "recorded", file[:-3] + ".json.gz"), "wb") as packed:
                packed.write(gzip.compress(json.dumps(shown).encode(), 9, mtime=0))


if __name__ == "__main__":
    sys.modules["recording"] = sys.modules["__main__"]
    main(sys.argv[1:])
