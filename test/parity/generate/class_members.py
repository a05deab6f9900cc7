"""Records what the classes of tf.compat.v1 have: `python class_members.py OUT.json`. Of each public class, and of the objects that public functions make of
classes without a public name: methods, properties, and what else stands there (numbers, texts, classes). Names that begin with an underscore stay out."""
import inspect
import json
import sys
import tempfile

from tfenv import tf

NOT_TENSORFLOW = ("builtins", "abc", "typing", "enum", "collections", "threading")


def members(cls, instance=None):
    found = {}
    names = set(dir(cls)) | set(vars(instance) if instance is not None and hasattr(instance, "__dict__") else ())
    for name in sorted(names):
        if name.startswith("_"):
            continue
        owner = next((k for k in cls.__mro__ if name in vars(k)), None)
        if owner is None:
            found[name] = "field"
            continue
        if owner.__module__.split(".")[0] in NOT_TENSORFLOW and not issubclass(cls, Exception):
            continue
        if owner is BaseException and name in ("with_traceback", "add_note"):
            continue
        static = vars(owner)[name]
        if isinstance(static, type):
            found[name] = "class"
        elif inspect.isroutine(static) or isinstance(static, (staticmethod, classmethod)) or callable(static):
            found[name] = "method"
        elif hasattr(type(static), "__get__"):
            found[name] = "property"
        else:
            found[name] = "value"
    descriptor = getattr(cls, "DESCRIPTOR", None)
    if descriptor is not None:
        found.update({field.name: "field" for field in descriptor.fields})
        found.update({value.name: "value" for enum in descriptor.enum_types for value in enum.values})
    return found


def public_classes():
    seen = {}
    queue = [("", tf), ("layers", tf.layers), ("nn.rnn_cell", tf.nn.rnn_cell), ("initializers", tf.initializers)]
    visited = set()
    skipped = ("keras", "estimator", "distribute", "tpu", "lite", "compat", "app", "flags", "__internal__", "autograph", "raw_ops", "types", "test")
    while queue:
        prefix, module = queue.pop(0)
        if id(module) in visited:
            continue
        visited.add(id(module))
        for name in sorted(dir(module)):
            if name.startswith("_") or (prefix == "" and name in skipped):
                continue
            try:
                value = getattr(module, name)
            except Exception:
                continue
            path = f"{prefix}.{name}" if prefix else name
            if inspect.isclass(value):
                seen.setdefault(value, path)
            elif inspect.ismodule(value) and "tensorflow" in getattr(value, "__name__", "") and "v1" in getattr(value, "__name__", ""):
                queue.append((path, value))
    return {path: cls for cls, path in seen.items()}


def objects():
    """What public functions give, by how it is had."""
    with tf.Graph().as_default():
        x = tf.placeholder(tf.float32, [None, 3], name="x")
        column = tf.feature_column.numeric_column("a")
        words = tf.feature_column.categorical_column_with_hash_bucket("b", 10)
        sequence = tf.feature_column.sequence_categorical_column_with_identity("c", 5)
        yield "get_variable()", tf.get_variable("v", [2])
        yield "get_variable(use_resource=True)", tf.get_variable("r", [2], use_resource=True)
        yield "get_variable(partitioner=)", tf.get_variable("p", [4, 2], partitioner=tf.fixed_size_partitioner(2))
        yield "make_template()", tf.make_template("t", lambda: tf.get_variable("t", [1]))
        yield "data.Dataset.range(3).map()", tf.data.Dataset.range(3).map(lambda i: i)
        yield "data.make_one_shot_iterator()", tf.data.make_one_shot_iterator(tf.data.Dataset.range(3))
        yield "feature_column.numeric_column()", column
        yield "feature_column.bucketized_column()", tf.feature_column.bucketized_column(column, [0.0])
        yield "feature_column.categorical_column_with_hash_bucket()", words
        yield "feature_column.indicator_column()", tf.feature_column.indicator_column(words)
        yield "feature_column.embedding_column()", tf.feature_column.embedding_column(words, 2)
        yield "feature_column.crossed_column()", tf.feature_column.crossed_column(["b", "d"], 10)
        yield "feature_column.sequence_categorical_column_with_identity()", sequence
        yield "train.get_checkpoint_state()", tf.train.generate_checkpoint_state_proto("run", "m")
        yield "summary.FileWriter()", tf.summary.FileWriter(tempfile.mkdtemp())
        yield "function()", tf.function(lambda a: a + 1)
        yield "function().get_concrete_function()", tf.function(lambda a: a + 1).get_concrete_function(tf.TensorSpec([], tf.float32))
        yield "name_scope()", tf.name_scope("n")
        yield "get_variable_scope()", tf.get_variable_scope()
        yield "sparse_placeholder()", tf.sparse_placeholder(tf.float32)
        yield "ragged.constant()", tf.ragged.constant([[1], [2, 3]])
        yield "ragged.placeholder()", tf.ragged.placeholder(tf.int32, 1)
        yield "train.Saver()", tf.train.Saver()
        yield "layers.Dense(3)", tf.layers.Dense(3)
        yield "train.AdamOptimizer()", tf.train.AdamOptimizer()
        yield "Session()", tf.Session()
        yield "as_dtype()", tf.float32
        yield "op", x.op
        yield "graph", x.graph
        yield "train.Coordinator()", tf.train.Coordinator()
        yield "train.QueueRunner()", tf.train.QueueRunner(tf.FIFOQueue(1, tf.float32), [tf.no_op()])


def main():
    paths = {cls: path for path, cls in public_classes().items()}
    rows = {path: members(cls) for cls, path in paths.items()}
    for how, value in objects():
        rows.setdefault(paths.get(type(value), how), {}).update(members(type(value), value))
    with open(sys.argv[1], "w") as out:
        json.dump(rows, out, indent=0, sort_keys=True)
    print(len(rows), "classes", sum(map(len, rows.values())), "members")


main()
