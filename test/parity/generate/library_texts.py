"""Records short programs of the upper library, written as text: python -m generate.library_texts OUT.json [TEXTS.json]

The text is compiled to instructions (program.py), which tensorloom's compat door runs, too: no program is written twice. `r` is what is fetched;
`f` what is fed, or a list of it for several runs; `t` is run before each fetch; `p` are tensors by which the sum of all fetched floats is derived.
"""
import json
import signal
import sys

from .program import Interp, compile_text, core_message, tf1_message
from .spoiled import PYTHON
from .tfenv import new_session, np, tf

TEXTS = """
a = tf.SparseTensor([[0, 0], [1, 2]], [0.5, -0.25], [2, 3])
r = [tf.abs(a), tf.negative(a), tf.asinh(a), tf.sin(a), tf.tan(a), tf.atan(a), tf.asin(a), tf.atanh(a), tf.sign(a), tf.square(a), tf.sqrt(tf.abs(a)), tf.erf(a), tf.tanh(a), tf.math.bessel_i0e(a), tf.math.bessel_i1e(a, name='k')]
---
v = tf.constant([1.5, -2.0])
s = tf.SparseTensor([[0, 1], [2, 0]], v, [3, 2])
d = tf.constant([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
r = [tf.sparse.sparse_dense_matmul(d, s), tf.sparse.matmul(d, s, adjoint_a=True, adjoint_b=True), tf.sparse_tensor_dense_matmul(s, d)]
p = [v, d]
---
v = tf.constant([1.5, -2.0])
s = tf.SparseTensor([[0, 1], [1, 0]], v, [2, 3])
d = tf.constant([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
r = [tf.sparse.sparse_dense_matmul(d, s, adjoint_b=True), tf.sparse.sparse_dense_matmul(d, s, adjoint_a=True)]
p = [v, d]
---
a = tf.SparseTensor([[0, 0]], [1.0], [2, 3])
r = tf.sparse.split(a, 2, 1)
---
v = tf.constant([1.0])
r = tf.sparse.split(sp_input=tf.SparseTensor([[0, 0]], v, [2, 3]), num_split=2, axis=1)
p = [v]
---
a = tf.sparse_placeholder(tf.float32)
r = tf.sparse.transpose(a)
f = {a: tf.SparseTensorValue(A([[0, 1], [1, 2]], 'int64'), A([1.0, 2.0], 'float32'), A([2, 3], 'int64'))}
---
a = tf.sparse_placeholder(tf.float32, [2, 3])
k = tf.placeholder(tf.int32, [2])
r = [tf.sparse.transpose(a, k), tf.sparse.transpose(a, tf.constant([1, 0]))]
f = {k: A([1, 0], 'int32'), a: tf.SparseTensorValue(A([[0, 1], [1, 2]], 'int64'), A([1.0, 2.0], 'float32'), A([2, 3], 'int64'))}
---
a = tf.SparseTensor([[0, 0], [1, 1]], tf.constant([1, 2], tf.int64), [2, 2])
b = tf.sparse_placeholder(tf.float32)
r = tf.sparse.merge(a, b, 5)
f = {b: tf.SparseTensorValue(A([[0, 0]], 'int64'), A([1.0], 'float32'), A([2, 2], 'int64'))}
---
i = tf.placeholder(tf.int64, None)
v = tf.placeholder(tf.float32, None)
s = tf.placeholder(tf.int64, None)
r = tf.raw_ops.SparseReorder(input_indices=i, input_values=v, input_shape=s)
f = {i: A([[0, 1], [1, 0]], 'int64'), v: A([1.0, 2.0], 'float32'), s: A([2, 2, 2], 'int64')}
---
r = [tf.math.bincount(tf.constant([], tf.int32)), tf.math.bincount(tf.constant([], tf.int32), minlength=3)]
---
x = tf.RaggedTensor.from_value_rowids(tf.zeros([0]), tf.constant([], tf.int64))
r = [x, x.bounding_shape()]
---
r = tf.assert_less([[0.25], [1.5]], [0.5, 0.75, 1.25])
---
with tf.control_dependencies([tf.assert_less([[0.25], [0.125]], [0.5, 0.75, 1.25])]):
    r = tf.identity(1.5)
---
r = tf.strings.ngrams(tf.ragged.constant([[]], dtype=tf.string), [1, 2], pad_values='_', padding_width=2, preserve_short_sequences=True)
---
x = tf.constant([['a b', ''], ['c,d e', 'f']])
y = tf.ragged.constant([['p  q'], [], ['r', 's t']], dtype=tf.string)
r = [tf.strings.split(x), tf.strings.split(x, result_type='RaggedTensor'), tf.strings.split(y, result_type='RaggedTensor'), tf.strings.split(y), tf.strings.split('u v w', maxsplit=1), tf.strings.split('u v w', sep=' ', result_type='RaggedTensor')]
---
x = tf.placeholder(tf.string, None)
r = [tf.strings.split(x, ',', result_type='RaggedTensor'), tf.string_split(['a b', 'c'], result_type='RaggedTensor')]
f = {x: A(['a,b', '', 'c'], 'string')}
---
r = tf.strings.split(['a'], result_type='Tensor')
---
r = tf.string_split(['a'], result_type='Tensor')
---
x = tf.constant([[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]])
r = [tf.RaggedTensor.from_tensor(x, lengths=([2], [1, 3])), tf.RaggedTensor.from_tensor(x, lengths=[tf.constant([1], tf.int64), tf.constant([2], tf.int64)], ragged_rank=2)]
p = [x]
---
r = tf.RaggedTensor.from_tensor(tf.zeros([1, 2, 3]), lengths=([2], [1, 3]), ragged_rank=3)
---
r = [tf.ones([tf.constant(2, tf.int64)]), tf.zeros([tf.constant(2, tf.int64), 3]), tf.convert_to_tensor([tf.constant(2.0), 1], dtype=tf.float64), tf.slice([1.0, 2.0], [tf.constant(1)], [tf.constant(1, tf.int64)])]
---
r = tf.convert_to_tensor([[tf.constant(2)], [tf.constant(1.5)]], dtype=tf.int32)
---
x = tf.ragged.constant([[[1.0], []], [[2.0, -3.0]]], dtype=tf.float32)
r = [tf.identity(x), tf.stop_gradient(x)]
---
v = tf.constant([1.5])
x = tf.SparseTensor([[0, 1]], v, [2, 2])
r = [tf.identity(x), tf.stop_gradient(x)]
p = [v]
---
l = tf.layers.Dense(2, activation=tf.tanh, kernel_regularizer=tf.nn.l2_loss, kernel_initializer=tf.constant_initializer(0.5), dtype=tf.float32)
x = tf.constant([[1.0, -2.0]])
r = [l(x), l(x * 2.0), l.losses, l.dtype, l.name, tf.get_collection(tf.GraphKeys.REGULARIZATION_LOSSES)]
p = [x]
---
r = [tf.layers.Conv2D(2, 2, dtype=tf.float32).dtype, tf.layers.BatchNormalization(dtype=tf.float32).name, tf.layers.Flatten(name='f').name, tf.layers.MaxPooling2D(2, 2, trainable=False).trainable, tf.layers.Dropout(0.5, dtype=tf.float32).dtype]
---
h = tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(['a', 'b'], tf.constant([1, 2], tf.int64)), -1)
v = tf.lookup.StaticVocabularyTable(tf.lookup.KeyValueTensorInitializer(['a', 'b'], tf.constant([0, 1], tf.int64)), 3)
x = tf.ragged.constant([['a'], [], ['z', 'b']], dtype=tf.string)
r = [h.lookup(x), v.lookup(x), h.lookup(tf.SparseTensor([[0, 1]], tf.constant(['b']), [2, 2]))]
---
x = tf.constant(A([[[0.5, -1.0, 0.25, 1.5], [0.1, 0.9, -0.4, 0.3]], [[1.5, 0.2, -0.75, 0.0], [-0.6, 0.8, 0.4, -1.1]], [[-0.2, 0.7, 1.1, -0.9], [0.35, -0.15, 0.6, 0.05]], [[0.3, -0.3, 0.9, 0.45], [1.2, -0.8, 0.15, 0.65]], [[0.0, 0.4, -1.3, 0.85], [0.7, 0.55, -0.25, -0.5]]], 'float32'))
l = tf.constant([[1, 2, 2], [3, 1, 0]])
r = [tf.nn.ctc_loss_v2(l, x, [3, 2], [5, 4]), tf.nn.ctc_loss_v2(l, x, [2, 0], [5, 3], unique=tf.nn.ctc_unique_labels(l))]
p = [x]
---
x = tf.constant(A([[[0.5, -1.0, 0.25, 1.5], [0.1, 0.9, -0.4, 0.3], [1.5, 0.2, -0.75, 0.0], [-0.6, 0.8, 0.4, -1.1]], [[-0.2, 0.7, 1.1, -0.9], [0.35, -0.15, 0.6, 0.05], [0.3, -0.3, 0.9, 0.45], [1.2, -0.8, 0.15, 0.65]]], 'float32'))
l = tf.constant([[0, 2], [2, 0]])
r = [tf.nn.ctc_loss_v2(l, x, [2, 1], [4, 3], logits_time_major=False, blank_index=-1), tf.nn.ctc_loss_v2(l, x, [2, 1], [4, 3], logits_time_major=False, blank_index=1, unique=tf.nn.ctc_unique_labels(l))]
p = [x]
---
x = tf.placeholder(tf.float32)
l = tf.placeholder(tf.int32)
r = [tf.nn.ctc_loss_v2(l, x, tf.placeholder_with_default(A([1], 'int32'), None), [3]), tf.nn.ctc_loss_v2(l, tf.cast(x, tf.float16), [2], [2])]
p = [x]
f = {x: A([[[0.5, -1.0, 0.25]], [[0.1, 0.9, -0.4]], [[1.5, 0.2, -0.75]]], 'float32'), l: A([[1, 2, 1]], 'int32')}
---
x = tf.placeholder(tf.float32, [5, 2, 4])
l = tf.placeholder(tf.int32, [2, 3])
r = tf.nn.ctc_loss_v2(l, x, tf.placeholder(tf.int32, [1, 2]), [5, 4])
---
x = tf.placeholder(tf.float32, [5, 2, 4])
r = tf.nn.ctc_loss_v2(tf.placeholder(tf.int32, [2, 3]), x, tf.placeholder(tf.float64, [2]), [5, 4])
---
b = tf.image.convert_image_dtype(A([255, 1, 64], 'uint8'), tf.int64)
r = [b, tf.image.convert_image_dtype(b, tf.float32), tf.image.convert_image_dtype(b, tf.uint8), tf.image.convert_image_dtype(b, tf.int16, saturate=True)]
---
a = tf.placeholder(tf.bool, [3])
r = [a * a, a * tf.constant([2, 0, 1]), tf.constant([0.5, 1.5, 0.0]) * a, a * True]
f = {a: A([True, True, False], 'bool')}
---
a = tf.SparseTensor([[0, 0], [0, 1]], [0.25, 2.0], [1, 3])
b = tf.SparseTensor([[0, 0], [0, 2]], [0.125, -1.0], [1, 3])
r = [tf.sparse_add(a, b, thresh=0.5), tf.sparse_add(a, b)]
---
r = [tf.convert_to_tensor([1, 2], dtype_hint=tf.float64), tf.divide(1.5, tf.constant([2.0, 3.0])), tf.math.divide_no_nan(1.5, tf.constant([0.0, 3.0]))]
---
r = tf.feature_column.input_layer({'a': tf.constant(['x', 'y'])}, [tf.feature_column.indicator_column(tf.feature_column.categorical_column_with_vocabulary_list('a', 'xy'))])
t = tf.tables_initializer()
""".split("\n---\n")


def plain(v):
    """An array as JSON: numbers that JSON lacks are text, complex numbers pairs, bytes latin letters."""
    a = np.asarray(v, dtype=object if isinstance(v, bytes) else None)
    if a.dtype.kind in "OSU":
        return {"dtype": "string", "shape": list(a.shape), "values": [x.decode("latin-1") if isinstance(x, bytes) else str(x) for x in a.ravel().tolist()]}
    name = tf.as_dtype(a.dtype).name
    flat = a.ravel()
    if a.dtype.kind == "c":
        flat = np.stack([flat.real, flat.imag], -1).ravel()
    if a.dtype.kind not in "biu":
        flat = flat.astype(np.float64)
    number = lambda x: x if not isinstance(x, float) or np.isfinite(x) else repr(x)
    return {"dtype": name, "shape": list(a.shape), "values": [number(int(x) if a.dtype.kind == "b" else x) for x in flat.tolist()]}


def parts(v):
    """The tensors of a fetched thing and what it is: its static shape, or the word for it."""
    if isinstance(v, tf.RaggedTensor):
        return [("ragged", v.flat_values)] + [("", s) for s in v.nested_row_splits]
    if isinstance(v, tf.SparseTensor):
        return [("sparse", v.indices), ("", v.values), ("", v.dense_shape)]
    if isinstance(v, tf.IndexedSlices):
        return [("slices", v.values), ("", v.indices)]
    if isinstance(v, dict):
        return [q for k in sorted(v) for q in parts(v[k])]
    if isinstance(v, (list, tuple)):
        return [q for x in v for q in parts(x)]
    if isinstance(v, tf.Operation) or v is None:
        return [("none", None)]
    if type(v).__name__ == "_LazyEvalTensor":
        v = tf.convert_to_tensor(v)
    if isinstance(v, tf.Tensor) or hasattr(v, "initializer") and hasattr(v, "assign"):
        return [("", v)]
    if isinstance(v, tf.TensorShape):
        return [("value", None if v.rank is None else v.as_list())]
    if isinstance(v, tf.DType):
        return [("value", v.name)]
    if isinstance(v, (np.ndarray, np.generic)):
        return [("value", np.asarray(v).tolist())]
    return [("value", v if isinstance(v, (str, bool, int, float)) else type(v).__name__)]


def entry(kind, tensor):
    if kind in ("value", "none"):
        return {"kind": kind, "value": tensor}
    s = tensor.shape
    return {"kind": kind, "static": None if s.rank is None else s.as_list(), "dtype": tensor.dtype.base_dtype.name}


def refusal(e):
    m = core_message(e) if isinstance(e, tf.errors.OpError) else str(e.args[0] if isinstance(e, KeyError) and e.args else e)
    m = m.split("\n")[0].rstrip()
    out = {"class": type(e).__name__, "message": m, "match": "first"}
    if tf1_message(m) != m:
        out["message_tf1"] = tf1_message(m)
    if isinstance(e, (AttributeError, IndexError, NameError, AssertionError, OverflowError, UnboundLocalError)) or PYTHON.search(m) or not m or "/site-packages/" in m:
        out["python"] = True
    return out


def gradients(found, by):
    losses = [tf.reduce_sum(tf.cast(t, tf.float32)) for k, t in found if k not in ("value", "none") and t.dtype.base_dtype.is_floating]
    made = tf.gradients(losses, by) if losses else [None] * len(by)
    return [None if g is None else tf.convert_to_tensor(g) for g in made]


def answer(text):
    case = {"text": text, "program": compile_text(text)}
    it = Interp()
    with tf.Graph().as_default() as g:
        tf.set_random_seed(7)
        try:
            it.run(case["program"])
            found = parts(it.env.get("r"))
            derived = gradients(found, list(it.env["p"])) if "p" in it.env else []
        except Exception as e:
            case["refused"] = refusal(e)
            return case
        case["entries"] = [entry(*q) for q in found] + [{"kind": "none"} if t is None else entry("", t) for t in derived]
        fetched = [t for k, t in found if k not in ("value", "none")] + [t for t in derived if t is not None]
        feeds = it.env.get("f", {})
        with new_session(g) as s:
            try:
                s.run([tf.global_variables_initializer(), tf.local_variables_initializer(), tf.tables_initializer()])
                case["runs"] = []
                for feed in feeds if isinstance(feeds, list) else [feeds]:
                    if "t" in it.env:
                        s.run(it.env["t"], feed)
                    case["runs"].append([plain(v) for v in s.run(fetched, feed)])
            except Exception as e:
                case["stopped"] = refusal(e)
    return case


def late(*_):
    raise TimeoutError()


def main():
    texts = json.load(open(sys.argv[2])) if len(sys.argv) > 2 else TEXTS
    signal.signal(signal.SIGALRM, late)
    cases = []
    for text in texts:
        text = text.strip("\n")
        signal.alarm(20)
        try:
            cases.append(answer(text))
            json.dumps(cases[-1], allow_nan=False)
        except (ValueError, TypeError, SyntaxError, TimeoutError) as e:
            print(f"left out: {text}: {type(e).__name__} {e}", file=sys.stderr)
            cases = [c for c in cases if c["text"] != text]
        finally:
            signal.alarm(0)
    with open(sys.argv[1], "w") as f:
        json.dump(cases, f)
    print(len(cases), "programs", sum("refused" in c for c in cases), "refused", sum("stopped" in c for c in cases), "stopped")


if __name__ == "__main__":
    main()
