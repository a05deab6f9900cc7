"""Records functions of tf.compat.v1 that give ragged tensors, tables of files and the like: `python functions.py`, which writes functions.json.gz beside itself.

Of each case: the nodes that it makes (name, type, inputs) and the value it has, or the error that building or running it ends with.
"""
import gzip
import json
import os

os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", TF_ENABLE_ONEDNN_OPTS="0", TF_USE_LEGACY_KERAS="1")
import numpy as np  # noqa: E402
import tensorflow.compat.v1 as tf  # noqa: E402

tf.disable_v2_behavior()
tf.disable_resource_variables()
tf.disable_control_flow_v2()


def plain(x):
    if isinstance(x, tf.ragged.RaggedTensorValue):
        return plain(x.to_list())
    if isinstance(x, (list, tuple)):
        return [plain(i) for i in x]
    if isinstance(x, np.ndarray):
        return plain(x.tolist())
    if isinstance(x, bytes):
        return x.decode("utf8", "replace")
    return str(x) if isinstance(x, int) and abs(x) > 2**53 else x


def recorded(name, build):
    graph = tf.Graph()
    with graph.as_default(), tf.Session() as session:
        try:
            fetches = build()
        except Exception as error:
            return {"name": name, "error": [type(error).__name__, str(error).split("\n")[0]]}
        nodes = [[node.name, node.op, list(node.input)] for node in graph.as_graph_def().node]
        if graph.get_collection(tf.GraphKeys.TABLE_INITIALIZERS):
            session.run(tf.tables_initializer())
        return {"name": name, "nodes": nodes, "value": plain(session.run(fetches))}


VOCABULARY = "vocabulary.txt"


def words():
    return tf.ragged.constant([["a", "b", "c", "d"], ["e"], []])


def accented():
    return tf.ragged.constant([["héllo", "a"], [], ["😀b"]])


def fed(strings):
    """What no shape function sees the value of."""
    return tf.placeholder_with_default(strings, [] if isinstance(strings, str) else [None])


def deep():
    return tf.ragged.constant([[["ab"], []], [["c", "dé"]]])


def a():
    return tf.ragged.constant([[1, 2], [], [3]])


def b():
    return tf.ragged.constant([[4], [5, 6], []])


def sparse():
    return tf.SparseTensor([[0, 0], [1, 0], [1, 1]], ["x", "y", "z"], [2, 2])


def looked_up(keys, default, *arguments, **options):
    table = tf.lookup.StaticHashTable(tf.lookup.TextFileInitializer(VOCABULARY, *arguments, **options), default, name="words")
    return table.lookup(tf.constant(keys))


def replaced():
    variable = tf.Variable(tf.zeros([2, 4]), name="v")
    with tf.control_dependencies([tf.assign(variable, tf.zeros([2, 4]))]):
        return tf.batch_scatter_update(variable, [[0, 2], [1, 3]], [[1.0, 2.0], [3.0, 4.0]], name="put")


CASES = {
    "bytes of a scalar": lambda: tf.strings.bytes_split("abc"),
    "bytes of a vector": lambda: tf.strings.bytes_split(["ab", "", "c"]),
    "bytes of a matrix": lambda: tf.strings.bytes_split([["ab", "c"],["","d"]]),
    "bytes of rows": lambda: tf.strings.bytes_split(tf.ragged.constant([["ab"],[],["c","dd"]])),
    "bytes of an unknown rank": lambda: tf.strings.bytes_split(tf.placeholder(tf.string)),
    "points of a scalar": lambda: tf.strings.unicode_decode("héa", "UTF-8"),
    "points of a vector": lambda: tf.strings.unicode_decode(["hé", "", "😀"], "UTF-8"),
    "points of a matrix": lambda: tf.strings.unicode_decode([["hé", ""], ["😀", "ab"]], "UTF-8"),
    "points of rows": lambda: tf.strings.unicode_decode(accented(), "UTF-8"),
    "points of deeper rows": lambda: tf.strings.unicode_decode(deep(), "UTF-8", name="deep"),
    "points and offsets": lambda: list(tf.strings.unicode_decode_with_offsets(accented(), "UTF-8")),
    "points and offsets of a scalar": lambda: list(tf.strings.unicode_decode_with_offsets("h\x01é", "UTF-8", replace_control_characters=True)),
    "points of an unknown rank": lambda: tf.strings.unicode_decode(tf.placeholder(tf.string), "UTF-8"),
    "characters of a scalar": lambda: tf.strings.unicode_split(fed("héa"), "UTF-8"),
    "characters of a vector": lambda: tf.strings.unicode_split(fed(["hé", "", "😀"]), "UTF-8"),
    "characters of rows": lambda: tf.strings.unicode_split(accented().with_flat_values(fed(["héllo", "a", "😀b"])), "UTF-8"),
    "characters and offsets": lambda: list(tf.strings.unicode_split_with_offsets(fed(["hé", "", "😀b"]), "UTF-8")),
    "text of a vector": lambda: tf.strings.unicode_encode([104, 233], "UTF-8"),
    "text of a matrix": lambda: tf.strings.unicode_encode([[104, 233],[97, 98]], "UTF-8"),
    "text of a cube": lambda: tf.strings.unicode_encode([[[104, 233],[97, 98]]], "UTF-8"),
    "text of rows": lambda: tf.strings.unicode_encode(tf.ragged.constant([[104, 233], [], [128512]]), "UTF-8", name="text"),
    "text of deeper rows": lambda: tf.strings.unicode_encode(tf.ragged.constant([[[104, 233], []], [[128512]]]), "UTF-8"),
    "text of a scalar": lambda: tf.strings.unicode_encode(104, "UTF-8"),
    "pairs of a vector": lambda: tf.strings.ngrams(["a","b","c"], 2),
    "pairs of a matrix": lambda: tf.strings.ngrams([["a","b","c"],["d","e","f"]], 2, separator="-"),
    "pairs of rows": lambda: tf.strings.ngrams(words(), 2, name="pairs"),
    "runs of several widths": lambda: tf.strings.ngrams(words(), [2, 3], preserve_short_sequences=True),
    "padded runs": lambda: tf.strings.ngrams(words(), 3, pad_values=("<", ">")),
    "runs padded once": lambda: tf.strings.ngrams(words(), 3, pad_values="_", padding_width=1),
    "runs of deeper rows": lambda: tf.strings.ngrams(tf.ragged.constant([[["a","b"],["c"]],[["d","e","f"]]]), 2),
    "runs of no width": lambda: tf.strings.ngrams(words(), 0),
    "runs padded without pads": lambda: tf.strings.ngrams(words(), 2, padding_width=1),
    "runs of a scalar": lambda: tf.strings.ngrams("a", 2),
    "stack rows": lambda: tf.ragged.stack([a(), b()]),
    "stack rows beside": lambda: tf.ragged.stack([a(), b()], axis=1),
    "stack vectors": lambda: tf.ragged.stack([[1,2],[3]], name="two"),
    "stack scalars": lambda: tf.ragged.stack([1, 2]),
    "stack matrices": lambda: tf.ragged.stack([[[1,2]],[[3,4]]], axis=1),
    "stack a matrix and rows": lambda: tf.ragged.stack([tf.constant([[1,2],[3,4],[5,6]]), b()]),
    "stack innermost": lambda: tf.ragged.stack([a(), a()], axis=2),
    "stack deeper": lambda: tf.ragged.stack([tf.ragged.constant([[[1],[2,3]],[]]), tf.ragged.constant([[[4,5]],[[6]]])], axis=1),
    "stack nothing": lambda: tf.ragged.stack([]),
    "stack along no axis": lambda: tf.ragged.stack([a(), b()], axis=3),
    "stack unequal ranks": lambda: tf.ragged.stack([a(), [1]]),
    "cross rows": lambda: tf.ragged.cross([tf.ragged.constant([["a","b"],["c"]]), tf.ragged.constant([["d"],["e","f"]]), tf.constant([["g"],["h"]])]),
    "cross rows and a sparse tensor": lambda: tf.ragged.cross([tf.ragged.constant([[1,2],[3]]), sparse()], name="cross"),
    "cross rows hashed": lambda: tf.ragged.cross_hashed([tf.ragged.constant([["a","b"],["c"]]), tf.ragged.constant([["d"],["e","f"]])], num_buckets=100),
    "cross rows hashed by a key": lambda: tf.ragged.cross_hashed([tf.ragged.constant([["a","b"],["c"]]), tf.constant([[1],[2]])], 0, hash_key=956888297470),
    "cross floats": lambda: tf.ragged.cross([tf.ragged.constant([[1.0]])]),
    "cross deeper rows": lambda: tf.ragged.cross([tf.ragged.constant([[[1]]])]),
    "cross no list": lambda: tf.ragged.cross(a()),
    "sparse cross": lambda: tf.sparse.cross([sparse(), tf.constant([["a"],["b"]])], separator="-").values,
    "sparse cross hashed": lambda: tf.sparse.cross_hashed([sparse(), tf.constant([[1],[2]])], num_buckets=50).values,
    "batch scatter": replaced,
    "lines to numbers": lambda: looked_up(["lake", "no"], -1, tf.string, 0, tf.int64, 1),
    "lines to line numbers": lambda: looked_up(["palmer", "no"], -1, tf.string, 0, tf.int64, tf.lookup.TextFileIndex.LINE_NUMBER),
    "numbers to lines": lambda: looked_up(np.array([0, 9]), "none", tf.int64, tf.lookup.TextFileIndex.LINE_NUMBER, tf.string, 0),
    "lines of another delimiter": lambda: looked_up(["lake\t2"], -1, tf.string, tf.lookup.TextFileIndex.WHOLE_LINE, tf.int64, -1, delimiter=" ", vocab_size=2),
    "table without a file": lambda: tf.lookup.TextFileInitializer("", tf.string, 0, tf.int64, 1),
    "table of a bad index": lambda: tf.lookup.TextFileInitializer(VOCABULARY, tf.string, -3, tf.int64, 1),
    "table of line numbers of another type": lambda: tf.lookup.TextFileInitializer(VOCABULARY, tf.int32, -1, tf.string, 0),
    "table of whole lines of floats": lambda: tf.lookup.TextFileInitializer(VOCABULARY, tf.string, 0, tf.float32, -2),
    "table of no words": lambda: tf.lookup.TextFileInitializer(VOCABULARY, tf.string, 0, tf.int64, -1, vocab_size=0),
}

if __name__ == "__main__":
    here = os.path.dirname(os.path.abspath(__file__))
    os.chdir(here)
    with open(VOCABULARY, "w") as file:
        file.write("emerson\t1\nlake\t2\npalmer\t3\n")
    cases = [recorded(name, build) for name, build in CASES.items()]
    os.remove(VOCABULARY)
    with open("functions.json.gz", "wb") as packed:
        packed.write(gzip.compress(json.dumps(cases, ensure_ascii=False).encode(), 9, mtime=0))
