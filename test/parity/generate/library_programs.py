"""Records whole programs of TensorFlow's library: nodes in order, what they fetch, gradients. A program is a function that returns what to fetch, and
perhaps what to feed; `record(programs, "OUT.json")`. Its twin is test/parity/library-programs.ts."""
import json
import re

from tfenv import np, tf


def core_message(error):
    """The message of a failed run without where it comes from."""
    text = re.sub(r"^Graph execution error:\n\n", "", error.message)
    text = re.sub(r"^Detected at node[\s\S]*?\nNode: '[^\n]*'\n", "", text)
    return re.sub(r"\n\t \[\[[\s\S]*$", "", text).strip()


def node_lines():
    lines = []
    for op in tf.get_default_graph().get_operations():
        value = ""
        if op.type == "Const":
            array = tf.make_ndarray(op.get_attr("value"))
            value = " ".join(map(str, array.ravel()[:8])) if array.dtype.kind in "iub" else "string" if array.dtype.kind == "O" else str(array.dtype)
        inputs = ",".join(i.name for i in op.inputs) + "|" + ",".join(sorted(c.name for c in op.control_inputs))
        lines.append(f"{op.name} {op.type} {inputs} {value}".strip())
    return lines


def plain(value):
    if isinstance(value, (tf.compat.v1.ragged.RaggedTensorValue,)):
        return {"ragged": value.to_list()} if value.values is not None and not np.asarray(value.flat_values).dtype.kind == "O" else {"ragged": texts(value.to_list())}
    if isinstance(value, tf.SparseTensorValue):
        return {"indices": np.asarray(value.indices).tolist(), "values": plain(value.values), "dense_shape": np.asarray(value.dense_shape).tolist()}
    if value is None:
        return None
    array = np.asarray(value, dtype=object if isinstance(value, bytes) else None)
    if array.dtype.kind == "O":
        return {"shape": list(array.shape), "values": texts(array.ravel().tolist())}
    flat = array.ravel()
    if array.dtype.kind == "c":
        flat = np.stack([flat.real, flat.imag], -1).ravel()
    return {"shape": list(array.shape), "dtype": str(array.dtype), "values": flat.astype(np.float64).tolist() if array.dtype.kind in "fcV" or array.dtype.name == "bfloat16" else flat.astype(np.int64).tolist()}


def texts(item):
    return [texts(i) for i in item] if isinstance(item, list) else item.decode("latin1")


def leaves(fetch):
    if isinstance(fetch, dict):
        return [leaf for key in sorted(fetch) for leaf in leaves(fetch[key])]
    if isinstance(fetch, (list, tuple)) and not isinstance(fetch, tf.SparseTensorValue):
        return [leaf for item in fetch for leaf in leaves(item)]
    return [] if fetch is None else [fetch]


def static_shape(fetch):
    shape = getattr(fetch, "shape", None)
    if not isinstance(shape, tf.TensorShape):
        return None
    return None if shape.rank is None else shape.as_list()


def record(programs, path):
    out = {}
    for name, program in programs.items():
        with tf.Graph().as_default():
            tf.set_random_seed(11)
            try:
                made = program()
            except Exception as error:  # what TensorFlow refuses is recorded, too
                out[name] = {"error": type(error).__name__, "message": str(error).split("\n")[0]}
                continue
            fetch, feeds = made if isinstance(made, tuple) and len(made) == 2 and isinstance(made[1], dict) else (made, {})
            parameters = tf.get_collection("parameters")
            fetches = leaves(fetch)
            entry = {"nodes": node_lines(), "variables": [v.name for v in tf.global_variables()], "shapes": [static_shape(f) for f in fetches]}
            losses = [tf.reduce_sum(tf.cast(f, tf.float32)) for f in fetches if isinstance(f, tf.Tensor) and f.dtype.is_floating]
            wanted = list(parameters) + list(tf.trainable_variables())
            gradients = tf.gradients(losses, wanted) if wanted and losses else []
            gradients = [tf.convert_to_tensor(g) if g is not None else None for g in gradients]
            with tf.Session() as session:
                session.run([tf.global_variables_initializer(), tf.tables_initializer()])
                try:
                    entry["values"] = [plain(v) for v in session.run(fetches, feeds)]
                except Exception as error:
                    entry["run_error"] = {"class": type(error).__name__, "message": core_message(error).split("\n")[0]}
                else:
                    found = session.run([g for g in gradients if g is not None], feeds)
                    entry["gradients"] = [None if g is None else plain(found.pop(0)) for g in gradients]
            out[name] = entry
    with open(path, "w") as file:
        json.dump(out, file)
    print({name: len(entry.get("nodes", [])) or entry.get("message") or entry.get("run_error") for name, entry in out.items()})


def parameter(value, name, dtype=tf.float32):
    """A constant by which gradients are recorded."""
    tensor = tf.constant(value, dtype, name=name)
    tf.add_to_collection("parameters", tensor)
    return tensor
