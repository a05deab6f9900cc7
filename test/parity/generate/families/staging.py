"""What stays in a session between runs: staging areas, barriers, sparse tensors by number; memory of one run; calls that loop."""
import numpy as np
from google.protobuf import json_format

from ..core import flatten, graph_json, shape_fields, unique
from ..program import core_message
from ..recording import function_case, rows, run_errors
from ..tfenv import tf

HEAD = "R = tf.raw_ops\nF = tf.float32\n"


def runs(b, code, steps):
    """Steps on one session; each an expression in the code's names. Where a run fails, with its error."""
    g = tf.Graph()
    with g.as_default():
        ns = b.namespace()
        exec(compile(HEAD + code, "<case>", "exec"), ns)
        made = [(flatten(eval(compile(e, "<case>", "eval"), ns)), e) for e in steps]
        gd = g.as_graph_def()
        recs = []
        statics = shape_fields(g, gd)
    # In a graph without Python's frames, which errors would be told with.
    with tf.Graph().as_default() as plain:
        tf.import_graph_def(gd, name="")
        with tf.Session(graph=plain) as s:
            for items, e in made:
                fetches = unique([t.name for t in items if isinstance(t, tf.Tensor)])
                targets = [o.name for o in items if isinstance(o, tf.Operation)]
                rec = dict(feeds={}, fetches=fetches, targets=targets)
                try:
                    vals, _ = s.run([fetches, targets])
                    rec["expected"] = {n: b.expect(v) for n, v in zip(fetches, vals)}
                except tf.errors.OpError as x:
                    rec["error"] = {"class": type(x).__name__, "bases": [c.__name__ for c in type(x).__mro__[1:-1]], "message": core_message(x), "match": "exact", "code": x.error_code}
                recs.append(rec)
        graph = graph_json(gd)
        if gd.library.function:
            graph["library"] = json_format.MessageToDict(gd.library, preserving_proto_field_name=True)
        b.fam.cases.append(dict(id=b.new_id(), family=b.fam.name, op=b.fam.name, kind="run", python_call=HEAD + code, tags=[], graph=graph,
                                steps=recs, **statics))


def staging(b):
    b.family("staging")
    area = "k = dict(dtypes=[F, tf.int32], shared_name='s')\nput = lambda x: R.Stage(values=[tf.constant(x), tf.constant([1, int(x)])], shared_name='s')\n"
    runs(b, area, ["put(1.)", "put(2.)", "put(3.)", "R.StageSize(**k)", "R.StagePeek(index=1, **k)", "R.Unstage(**k)", "R.StageSize(**k)", "R.StageClear(**k)", "R.StageSize(**k)"])
    runs(b, "", ["R.Stage(values=[tf.ones([3])], memory_limit=4)", "R.Stage(values=[tf.ones([3])], shared_name='a')", "R.Unstage(dtypes=[F, F], shared_name='a')"])
    runs(b, "u = R.Unstage(dtypes=[F], shared_name='q')\ns = R.Stage(values=[tf.ones([2])], shared_name='q', capacity=1)\n", ["[s, u]", "s", "u"])
    for kind in ("Map", "OrderedMap"):
        m = (f"S, U, P, A = R.{kind}Stage, R.{kind}Unstage, R.{kind}Peek, R.{kind}UnstageNoKey\nk = dict(dtypes=[F, tf.int32], shared_name='m')\n"
             "L = lambda x: tf.constant(x, tf.int64)\nput = lambda key, i, *v: S(key=L(key), indices=i, values=[tf.constant(x) for x in v], **k)\n"
             f"sizes = lambda: (R.{kind}Size(**k), R.{kind}IncompleteSize(**k))\none = lambda t: dict(dtypes=[t], shared_name='m')\n")
        runs(b, m, ["put(1, [1, 0], 1, 2.)", "put(1, [5], 1.)", "put(1, [0], 1.)", "put(1, [0], 1.)", "sizes()", "put(1, [1], 7)", "sizes()", "P(key=L(1), indices=[0, 1], **k)",
                    "P(key=L(1), indices=[1], **one(tf.int32))", "P(key=L(1), indices=[2], **one(F))", "U(key=L(1), indices=[0], **one(F))", "U(key=L(1), indices=[0], **one(F))", "sizes()",
                    "U(key=L(1), indices=[1], **one(tf.int32))", "sizes()", "put(5, [0, 1], 5., 5)", "A(indices=[0, 1], **k)", "put(4, [0], 5.)", f"R.{kind}Clear(**k)", "sizes()",
                    "S(key=L(1), indices=tf.constant([], tf.int32), values=[1.], dtypes=[F], shared_name='z')", "S(key=L(1), indices=[0], values=[tf.ones([4])], dtypes=[F], memory_limit=2)"])
    runs(b, "L = lambda x: tf.constant(x, tf.int64)\nput = lambda k: R.OrderedMapStage(key=L(k), indices=[0], values=[tf.constant(k * 1.)], dtypes=[F], shared_name='o')\n"
         "get = lambda: R.OrderedMapUnstageNoKey(indices=[0], dtypes=[F], shared_name='o')\n", ["put(5)", "put(3)", "put(4)", "get()", "get()", "get()"])


def barrier(b):
    b.family("barrier")
    c = ("b = R.Barrier(component_types=[F, tf.int32], shapes=[[], [2]], shared_name='b')\nins = lambda k, v, c: R.BarrierInsertMany(handle=b, keys=k, values=v, component_index=c)\n"
         "take = lambda n, **o: R.BarrierTakeMany(handle=b, num_elements=n, component_types=[F, tf.int32], **o)\nsizes = lambda: (R.BarrierReadySize(handle=b), R.BarrierIncompleteSize(handle=b))\n"
         "late = lambda x: tf.placeholder_with_default(x, None)\n")
    runs(b, c, ["ins(['a', 'c', 'b'], [1., 2., 3.], 0)", "sizes()", "ins(['b', 'a'], [[1, 2], [3, 4]], 1)", "sizes()", "ins(['a'], [1.], 0)", "ins(['c'], [1.], 0)", "sizes()", "ins(['a'], [1.], 5)",
                "take(1)", "sizes()", "ins(['c'], [[7, 7]], 1)", "take(2)", "sizes()", "ins(['y'], [1.], 0)",
                "R.BarrierClose(handle=b)", "ins(['z'], [1.], 0)", "ins(['z', 'a'], [[1, 1], [2, 2]], 1)", "ins(['a'], [[7, 7]], 1)", "take(3, allow_small_batch=True)", "sizes()"])  # one more that fails makes TensorFlow wait for ever
    runs(b, c, ["ins(['a', 'c', 'b'], [1., 2., 3.], 0)", "ins(['a'], [[1, 2]], 1)", "R.BarrierClose(handle=b, cancel_pending_enqueues=True)", "sizes()", "ins(['b'], [[1, 2]], 1)", "take(1)", "take(1)"])
    runs(b, c, ["ins(['c'], [2.], 0)", "ins(['c'], [[1, 2, 3]], 1)"])
    runs(b, "one = lambda **k: R.BarrierInsertMany(handle=R.Barrier(component_types=[F], shared_name=str(k), **k), keys=['a'], values=tf.ones([1, 0]), component_index=0)\n",
         ["one(shapes=[[0]])", "one(shapes=[[None]])", "one(shapes=[])", "one(shapes=[[0]], capacity=3)"])


def sparse_maps(b):
    b.family("sparse_maps")
    c = ("I = tf.int64\nL = lambda x, d=None: tf.placeholder_with_default(tf.constant(x, d), None)\nA = lambda i, v, h: R.AddSparseToTensorsMap(sparse_indices=L(i, I), sparse_values=L(v), sparse_shape=L(h, I), shared_name='q')\n"
         "M = lambda i, v, h: R.AddManySparseToTensorsMap(sparse_indices=L(i, I), sparse_values=L(v), sparse_shape=L(h, I), shared_name='q')\n"
         "T = lambda h, d=F: R.TakeManySparseFromTensorsMap(sparse_handles=tf.constant(h, tf.int64), dtype=d, shared_name='q')\n")
    two = "[[0, 1]], [5.], [2, 3]"
    runs(b, c, [f"A({two})", f"A({two})", "A([[0, 0], [3, 1]], [5., 6.], [4, 2])", "T([2, 0])", "T([0])", "T([1], tf.int32)", "T([])", "A([[0]], [1.], [3])", f"A({two})", "T([4, 3])"])
    bad = ("[0], [5.], [2, 3]", "[[0, 1]], [5., 6.], [2, 3]", "[[0, 1]], [[5.]], [2, 3]", "[[0, 1]], [5.], [[2, 3]]", "[[0, 1]], [5.], [2, 3, 4]", "[[0, 9]], [5.], [2, 3]", "[[1, 0], [0, 0]], [5., 6.], [2, 3]")
    runs(b, c, [f"A({x})" for x in bad] + [f"M({x})" for x in bad] + ["M([[0]], [1.], [3])"])
    # TensorFlow gives the rows numbers in any order.
    runs(b, c, ["M([[0, 1], [0, 2]], [5., 6.], [1, 3])", "T([0])"])


def memory(b):
    b.family("memory")
    f = b.f
    t = "v = R.TemporaryVariable(shape=[2], dtype=F, var_name='t')\n"
    runs(b, t + "a = tf.raw_ops.Assign(ref=v, value=[1., 2.], validate_shape=False)\nc = tf.raw_ops.AssignAdd(ref=a, value=[3., 4.])\nd = R.DestroyTemporaryVariable(ref=c, var_name='t')\n", ["d", "d"])
    for i in (0, 1):
        runs(b, f"x, y = tf.Variable([1., 2.]), tf.Variable([3., 4.])\ninit = tf.global_variables_initializer()\nr = R.RefSelect(index={i}, inputs=[x._ref(), y._ref()])\ns = R.AssignAdd(ref=r, value=[10., 10.])\nz = [tf.identity(x), tf.identity(y)]\n",
             ["init", "tf.identity(r)", "s", "z"])
    calls = [(f"tf.raw_ops.ToBool(input={x})", d) for x, d in (("x", dict(x=np.float32(0))), ("x", dict(x=np.float32(2))), ("x", dict(x=f(3))), ("x", dict(x=f(0, 2))), ("x", dict(x=np.array(True))), ("tf.constant('')", {}), ("tf.constant('a')", {}))]
    calls += [("v = tf.raw_ops.EmptyTensorMap()\nv = tf.raw_ops.TensorMapInsert(input_handle=v, key=1, value=x)\nv = tf.raw_ops.TensorMapInsert(input_handle=v, key=2, value=x * 2)\nw = tf.raw_ops.TensorMapErase(input_handle=v, key=1, value_dtype=tf.float32)\n"
               "y = [tf.raw_ops.TensorMapSize(input_handle=m) for m in (v, w)] + [tf.raw_ops.TensorMapHasKey(input_handle=m, key=k) for m in (v, w) for k in (1, 2)] + [tf.raw_ops.TensorMapLookup(input_handle=w, key=2, value_dtype=tf.float32), tf.raw_ops.TensorMapStackKeys(input_handle=w, key_dtype=tf.int32)]", dict(x=f(2)))]
    calls += [("tf.nn.compute_accidental_hits(x, s, num_true=2)", dict(x=np.array([[1, 2], [3, 1]], "int64"), s=np.array([3, 1, 5], "int64")))]
    rows(b, calls, dynamic=0)
    e = "tf.raw_ops.TensorMapInsert(input_handle=tf.raw_ops.EmptyTensorMap(), key=1, value=2.)"
    run_errors(b, [f"tf.raw_ops.TensorMapLookup(input_handle={e}, key=2, value_dtype=tf.float32)", f"tf.raw_ops.TensorMapSize(input_handle=tf.raw_ops.TensorMapErase(input_handle={e}, key=2, value_dtype=tf.float32))",
                   "tf.raw_ops.TensorMapStackKeys(input_handle=tf.raw_ops.EmptyTensorMap(), key_dtype=tf.int32)"])
    body = "from tensorflow.python.framework import function\n@function.Defun(tf.int32, tf.float32, tf.float32)\ndef body(i, a, c):\n  return a + c * tf.cast(i, tf.float32), c * 0.5\n"
    for lo, hi, by in ((0, 4, 1), (5, 0, -2), (3, 3, 1)):
        function_case(b, body + f"y = tf.raw_ops.For(start={lo}, limit={hi}, delta={by}, input=[x, z], body=body)", dict(x=f(2), z=f(2)))


ALL = [staging, barrier, sparse_maps, memory]
