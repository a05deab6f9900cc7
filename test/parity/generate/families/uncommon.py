"""Ops that few graphs hold: what debuggers, partitions and groups of workers leave behind, words in windows, batches across runs, values of many parts."""
import numpy as np
from google.protobuf import descriptor_pb2
from tensorflow.core.framework import tensor_pb2

from ..core import graph_json, shape_fields
from ..program import core_message
from ..recording import rows, run_errors
from ..tfenv import tf
from .staging import runs

MAKE = ("from tensorflow.core.framework import attr_value_pb2 as A\nV = A.AttrValue\nS = lambda x: V(s=x.encode())\nI = lambda *x: V(list=V.ListValue(i=x))\nW = lambda *x: V(list=V.ListValue(s=[y.encode() for y in x]))\n"
        "T = lambda *x: V(list=V.ListValue(type=x))\nF32 = V(type=1)\nN = lambda i: V(i=i)\nZ = lambda s: tf.TensorShape(s).as_proto()\nR = tf.raw_ops\nL = lambda x: tf.constant(x, tf.int64)\n"
        "new = lambda t, i, o, a: (lambda p: p.outputs or p)(tf.get_default_graph().create_op(t, i, o, name='y', attrs=a))\nlate = lambda x: tf.placeholder_with_default(x, None)\n")


def debugging(b):
    b.family("debugging")
    odd = "tf.constant([[1., 2., np.nan, -np.inf, 0., -3., np.inf]])"
    some = [odd, "tf.constant([[1, 2], [0, -3]])", "tf.constant([], tf.float32)", "tf.constant([True, False])", "tf.constant(2.5)", "tf.constant([1., np.nan], tf.float64)", "tf.constant([250, 3], tf.uint8)"]
    for x in some:
        for o in ("", ", lower_bound=-2., upper_bound=1.5", ", mute_if_healthy=True"):
            runs(b, f"y = R.DebugNumericSummary(input={x}, tensor_name='x:0'{o})\n", ["y"])
    runs(b, "y = R.DebugNumericSummary(input=tf.constant([1.]), tensor_name='')\n", ["y"])
    for x in some + ["tf.zeros([1, 2, 1, 3, 1, 2, 1])", "tf.constant([1., 2.], tf.float16)"]:
        runs(b, f"y = [R.DebugNumericSummaryV2(input={x}, tensor_debug_mode=m, tensor_id=i, output_dtype=o) for m, i, o in ((1, 3, tf.float32), (2, 5, tf.float32), (3, 6, tf.float64), (4, -1, tf.float32), (5, 7, tf.float64), (6, 1, tf.float32), (8, 1, tf.float32), (-1, 1, tf.float32))]\n",
             [f"y[{k}]" for k in range(8)])
    runs(b, "y = R.DebugNumericSummaryV2(input=[1.], tensor_debug_mode=2, tensor_id=2**24 + 1)\n", ["y"])
    rows(b, [("tf.raw_ops.DebugGradientIdentity(input=x)", dict(x=b.f(2, 3))), ("tf.raw_ops.DebugGradientIdentity(input=x)", dict(x=b.i(2)))], dynamic=0)
    runs(b, "v = tf.Variable([1., 2.])\ninit = v.initializer\nr = R.DebugGradientRefIdentity(input=v._ref())\na = tf.assign_add(r, [1., 1.])\n", ["init", "r", "a", "v._ref()"])
    runs(b, MAKE + "y = R.Fact()\nz = R.DeviceIndex(device_names=['CPU', 'GPU'])\nw = R.DeviceIndex(device_names=['GPU', 'TPU'])\nt = new('IsTensorFloat32Enabled', [], [tf.bool], {})\n", ["y", "z", "w", "t"])


def partitions(b):
    b.family("partitions")
    for t, values in (("int32", "[1, -2, 30000]"), ("int8", "[-128, 127]"), ("uint8", "[0, 200]"), ("int16", "[[-5, 7]]"), ("int64", "[2**40, -2**62]"), ("uint64", "[2**63]"), ("uint16", "60000"), ("uint32", "[2**31]")):
        runs(b, MAKE + f"x = tf.constant({values}, tf.{t})\ny = new('_TensorToHashBucketFast', [x], [tf.int64], dict(T=V(type=x.dtype.as_datatype_enum), num_buckets=N(1000)))\n", ["y"])
    for t in ("int32", "float16", "bool", "float64", "uint8"):
        runs(b, MAKE + f"y = new('_HostCast', [late(tf.constant([1.7, -2.5, 0.]))], [tf.{t}], dict(SrcT=F32, DstT=V(type=tf.{t}.as_datatype_enum)))\n", ["y"])
    runs(b, MAKE + "y = new('_HostCast', [tf.constant([1.7, 1 + 2**-10 + 2**-11])], [tf.float16], dict(SrcT=F32, DstT=V(type=19), Truncate=V(b=True)))\n", ["y"])
    make = "s = new('_ParallelConcatStart', [], [tf.float32], dict(shape=V(shape=Z([2, 2])), dtype=F32))[0]\nu = lambda x, at, v: new('_ParallelConcatUpdate', [x, tf.convert_to_tensor(v)], [tf.float32], dict(T=F32, loc=N(at)))[0]\n"
    runs(b, MAKE + make + "y = u(u(s, 0, [[1., 2.]]), 1, [[3., 4.]])\nz = u(u(s, 1, [[1., 2.]]), -2, [[3., 4.]])\nw = u(s, 2, [[1., 2.]])\nt = u(s, 0, late([[1.]]))\n", ["y", "z", "t"])
    pair = "k = dict(tensor_name='a', send_device='/job:localhost/replica:0/task:0/device:CPU:0', send_device_incarnation=1, recv_device='/job:localhost/replica:0/task:0/device:CPU:0')\n"
    runs(b, MAKE + pair + "s = R.Send(tensor=[1., 2.], **k)\nwith tf.control_dependencies([s]):\n  y = R.Recv(tensor_type=tf.float32, **k)\n", ["y", "y"])
    low = pair + "a = dict(tensor_name=S('b'), send_device=S(k['send_device']), recv_device=S(k['send_device']), send_device_incarnation=N(1))\n"
    for kind in ("", "Host"):
        runs(b, MAKE + low + f"r = new('_{kind}Recv', [], [tf.float32], dict(tensor_type=F32, **a))\ns = new('_{kind}Send', [tf.constant([[3.]])], [], dict(T=F32, **a))\n", ["(r, s)", "(r, s)"])


def composites(b):
    b.family("composite_variants")
    make = "c = R.CompositeTensorVariantFromComponents(components=[%s], metadata='')\nto = lambda x, *t: R.CompositeTensorVariantToComponents(encoded=x, metadata='', Tcomponents=t)\n"
    runs(b, make % "tf.constant([1., 2.]), tf.constant(3)" + "y = to(c, tf.float32, tf.int32)\nz = to(c, tf.float32)\nw = to(c, tf.int32, tf.int32)\n", ["y", "z", "w"])
    runs(b, make % "" + "y = to(c)\nwith tf.control_dependencies([c]):\n  z = tf.constant(1)\n", ["z"])
    code = "c = tf.raw_ops.CompositeTensorVariantFromComponents(components=[x, u], metadata='')\ny = tf.raw_ops.CompositeTensorVariantToComponents(encoded=c, metadata='', Tcomponents=[tf.float32, tf.float32])"
    rows(b, [(code, dict(x=b.f(2), u=b.f(3)), dict(grad=True))], dynamic=0)



def symbolic_gradients(b):
    """Gradients of functions by their names, as TensorFlow 1's Defun leaves them; a mutex, which a critical section takes."""
    b.family("symbolic_gradients")
    head = MAKE + "from tensorflow.python.framework import function\nfrom tensorflow.python.ops import gen_functional_ops as G\nfn = lambda f, *t, **k: (lambda d: (d.add_to_graph(tf.get_default_graph()), d)[1])(function.Defun(*t, func_name='f%d' % next(n), **k)(f))\nn = iter(range(9))\nq = lambda x: late(tf.constant(x))\n"
    runs(b, head + "f = fn(lambda x: tf.sin(x) * x, tf.float32)\ny = G.symbolic_gradient(input=[q([1., 2.]), q([1., 3.])], Tout=[tf.float32], f=f)\n", ["y"])
    runs(b, head + "f = fn(lambda x, w: (tf.matmul(x, w), tf.reduce_sum(w)), tf.float32, tf.float32)\ny = G.symbolic_gradient(input=[q([[1., 2.]]), q([[3.], [4.]]), q([[2.]]), q(5.)], Tout=[tf.float32, tf.float32], f=f)\n", ["y"])
    runs(b, head + "g = fn(lambda x: tf.tanh(x), tf.float32)\nf = fn(lambda x: g(x) * 2., tf.float32)\nx = q([.5, -1.])\ny = f(x)\nz = tf.gradients(y, x)\n", ["y", "z"])
    own = "own = fn(lambda x, dy: dy * 7., tf.float32, tf.float32)\nf = fn(lambda x: tf.square(x), tf.float32, grad_func=own)\n"
    runs(b, head + own + "x = q([.5, -1.])\ny = f(x)\nz = tf.gradients(y, x)\nw = G.symbolic_gradient(input=[x, q([1., 2.])], Tout=[tf.float32], f=f)\n", ["y", "z", "w"])
    runs(b, MAKE + "v = tf.get_variable('v', [], initializer=tf.zeros_initializer(), use_resource=True)\ncs = tf.CriticalSection()\ndef count():\n  x = v.read_value()\n  with tf.control_dependencies([x]):\n    with tf.control_dependencies([v.assign_add(2.)]):\n      return tf.identity(x)\na = [cs.execute(count) for _ in range(3)]\ny = tf.add_n(a)\n", ["v.initializer", "y", "v.read_value()", "a[1]", "v.read_value()"])


def sobol(b):
    """Points of Sobol's sequence; the mark that savers leave at resource variables."""
    b.family("sobol")
    call = "tf.math.sobol_sample(%s, %s, skip=%s, dtype=tf.%s)"
    rows(b, [call % x for x in ((3, 5, 0, "float32"), (1, 1, 0, "float64"), (7, 40, 13, "float32"), (40, 6, 1000, "float64"), (1111, 3, 2**20 - 2, "float32"), (9, 4, 2**30 - 9, "float64"))]
         + [("tf.math.sobol_sample(d, n)", dict(d=np.int32(4), n=np.int32(6)))], dynamic=0)
    run_errors(b, ["tf.raw_ops.SobolSample(dim=%s, num_results=%s, skip=%s)" % x for x in ((0, 5, 0), (30000, 5, 0), (3, 0, 0), (3, 5, -1), (3, 2**31 - 1, 2), ("tf.placeholder_with_default([3], None)", 5, 0),
                                                                                       (3, "tf.placeholder_with_default([5], None)", 0), (3, 5, "tf.placeholder_with_default([[5]], None)"))])
    runs(b, MAKE + "v = tf.get_variable('v', [2], initializer=tf.ones_initializer(), use_resource=True)\nm = new('DisableCopyOnRead', [v.handle], [], {})\nwith tf.control_dependencies([m]):\n  y = v.read_value()\n", ["m", "v.initializer", "m", "y"])


def collectives(b):
    b.family("collectives")
    old = "group_size=%d, group_key=%d, instance_key=%d, timeout_seconds=2."
    runs(b, MAKE + f"y = R.CollectiveReduce(input=[1., 2.], merge_op='Add', final_op='Div', subdiv_offsets=[0], {old % (1, 1, 1)})\nz = R.CollectiveReduce(input=[3, -2], merge_op='Max', final_op='Id', subdiv_offsets=[], {old % (1, 1, 2)})\n", ["y", "z", "y"])
    runs(b, MAKE + f"y = R.CollectiveGather(input=late([[1., 2.]]), shape=[1, 2], {old % (1, 1, 1)})\nz = R.CollectiveBcastSend(input=late([True]), shape=[1], {old % (1, 1, 2)})\n", ["y", "z"])
    runs(b, MAKE + f"y = R.CollectiveReduce(input=[1., 2.], merge_op='Add', final_op='Id', subdiv_offsets=[0], {(old % (2, 1, 1)).replace('2.', '.2')})\n", ["y"])
    new = "group_size=%s, group_key=1, instance_key=%d, timeout_seconds=2."
    for size in (1, 0):
        for call in ("Reduce", "Gather"):
            more = "ordering_token=[]" + (", merge_op='Mul', final_op='Div'" if call == "Reduce" else "")
            runs(b, MAKE + f"y = R.Collective{call}V2(input=late([1., 2.]), {more}, {new % (size, 1)})\n", ["y"])
    runs(b, MAKE + f"y = R.CollectiveBcastSendV2(input=[1., 2.], {new % (1, 1)})\nz = R.CollectiveReduceV2(input=[1., 2.], ordering_token=[], merge_op='Min', final_op='Id', {new % ('late([1])', 1)})\n", ["y", "z"])
    runs(b, MAKE + "g = lambda a, i: R.CollectiveAssignGroupV2(group_assignment=a, device_index=i, base_key=7)\ny = [g(a, i) for a, i in (([[0, 1], [2, 3]], 2), ([[0, 1], [2, 3]], 1), ([[4, 1, 5]], 5), ([[0, 1], [2, 3]], 5), (late([0, 1]), 1))]\n", [f"y[{k}]" for k in range(5)])


def general_convolutions(b):
    b.family("general_convolutions")
    f = b.f
    conv = lambda s, p, o="": f"tf.raw_ops.Conv(input=x, filter=w, strides={s}, padding='{p}'{o})"
    calls = []
    for t in ("float32", "float64", "float16", "int32"):
        given = (lambda *s: b.i(*s)) if t == "int32" else (lambda *s: f(*s, dtype=t))
        calls += [(conv([1, 2, 1, 1], "SAME"), dict(x=given(2, 5, 6, 3), w=given(2, 3, 3, 4))), (conv([1, 1, 1, 1], "VALID", ", dilations=[1, 2, 2, 1]"), dict(x=given(1, 6, 6, 2), w=given(2, 3, 2, 3)))]
    calls += [(conv([1, 2, 2, 1], "EXPLICIT", ", explicit_paddings=[0, 0, 1, 1, 0, 2, 0, 0]"), dict(x=f(2, 5, 5, 3), w=f(2, 2, 3, 4))),
              (conv([1, 1, 2, 1, 1], "SAME"), dict(x=f(2, 3, 4, 4, 2), w=f(2, 2, 2, 2, 3))), (conv([1, 1, 1, 1, 1], "VALID"), dict(x=f(1, 4, 3, 5, 2), w=f(2, 3, 1, 2, 1))),
              (conv([1, 1, 1, 1], "VALID", ", batch_dims=2"), dict(x=f(2, 3, 4, 5, 2), w=f(2, 2, 2, 3))), (conv([1, 1, 2, 1, 1], "SAME", ", batch_dims=3"), dict(x=f(2, 1, 2, 3, 4, 5, 2), w=f(2, 2, 2, 2, 3))),
              (conv([1, 1, 1, 1], "VALID", ", batch_dims=0"), dict(x=f(5, 6, 2), w=f(2, 3, 2, 3))), (conv([1, 1, 1, 1], "SAME"), dict(x=f(0, 5, 6, 3), w=f(2, 3, 3, 4)))]
    for dynamic in (0, 1):
        rows(b, calls, dynamic=dynamic)
    made = "tf.raw_ops.Conv(input=tf.placeholder_with_default(tf.ones(%s),None),filter=tf.placeholder_with_default(tf.ones(%s),None),strides=%s,padding='%s'%s)"
    run_errors(b, [made % x for x in (([1, 5, 5], [2, 2, 1, 1], [1, 1, 1, 1], "VALID", ""), ([1, 5, 5, 3], [2, 2, 2, 4], [1, 1, 1, 1], "VALID", ""), ([1, 5, 5, 3], [2, 2, 3, 4], [1, 1, 1], "VALID", ""),
                                      ([1, 5, 5, 3], [2, 2, 3, 4], [1, 1, 1, 1], "VALID", ",groups=3"), ([1, 5, 5, 3], [2, 2, 3, 4], [1, 0, 1, 1], "VALID", ""),
                                      ([1, 5, 5, 3], [2, 2, 3, 4], [2, 1, 1, 1], "VALID", ""), ([1, 5, 5, 3], [2, 2, 3, 4], [1, 1, 1, 1], "VALID", ",dilations=[1,0,1,1]"), ([1, 5, 5, 3], [2, 2, 3, 4], [1, 1, 1, 1], "VALID", ",dilations=[1,1]"),
                                      ([1, 5, 5, 3], [2, 2, 3, 4], [1, 1, 1, 1], "EXPLICIT", ",explicit_paddings=[0,0,1,-1,0,0,0,0]"), ([1, 5, 5, 3], [2, 2, 3, 4], [1, 1, 1, 1], "EXPLICIT", ",explicit_paddings=[0,0,1]"), ([1, 5, 5, 3], [2, 2, 4], [1, 1, 1, 1], "VALID", ""),
                                      ([5, 5, 3], [2, 2, 3, 4], [1, 1, 1, 1], "VALID", ",batch_dims=2"), ([1, 5, 5, 3], [2, 2, 3, 4], [1, 1, 1, 1], "VALID", ",batch_dims=-1"))])


def older_generators(b):
    """StatefulStandardNormal, whose state begins with its algorithm: in a graph that says it is old enough."""
    b.family("older_generators")
    for state in ([1, 7, 0, 5], [1, -1, -1, 3], [1, -1, 0, -9, 4], [9, 7, 0, 5], [1, 2, 3]):
        for t in ("float32", "float64"):
            g = tf.Graph()
            with g.as_default():
                v = tf.Variable(np.array(state, "int64"), use_resource=True)
                read = v.read_value()
                shape = tf.constant([3, 2], tf.int64, name="shape")
            gd = g.as_graph_def()
            gd.versions.producer = 28
            n = gd.node.add(name="n", op="StatefulStandardNormal", input=[v.handle.op.name, "shape"])
            n.attr["dtype"].type, n.attr["shape_dtype"].type = tf.as_dtype(t).as_datatype_enum, 9
            older = tf.Graph()
            with older.as_default():
                tf.import_graph_def(gd, name="")
            steps = []
            with tf.Session(graph=older) as s:
                for fetches, targets in (([], [v.initializer.name]), (["n:0"], []), ([read.name], []), (["n:0"], []), ([read.name], [])):
                    rec = dict(feeds={}, fetches=fetches, targets=targets)
                    try:
                        vals, _ = s.run([fetches, targets])
                        rec["expected"] = {k: b.expect(x) for k, x in zip(fetches, vals)}
                    except tf.errors.OpError as x:
                        rec["error"] = {"class": type(x).__name__, "bases": [c.__name__ for c in type(x).__mro__[1:-1]], "message": core_message(x), "match": "exact", "code": x.error_code}
                    steps.append(rec)
            b.fam.cases.append(dict(id=b.new_id(), family=b.fam.name, op="StatefulStandardNormal", kind="run", python_call=f"{state} {t}", tags=[], graph=graph_json(gd), static_shapes={"n:0": [3, 2]}, steps=steps))


def word2vec(b):
    """The tutorial's ops, in a graph that says it is old enough; what is drawn at random is left out, or has one thing to be drawn."""
    b.family("word2vec")

    def old(build, add, steps):
        g = tf.Graph()
        with g.as_default():
            build()
        gd = g.as_graph_def()
        gd.versions.producer = 18
        add(gd.node.add())
        older = tf.Graph()
        with older.as_default():
            tf.import_graph_def(gd, name="")
        statics = shape_fields(older, gd)
        recs = []
        with tf.Session(graph=older) as s:
            for fetches, targets in steps:
                rec = dict(feeds={}, fetches=fetches, targets=targets)
                try:
                    vals, _ = s.run([fetches, targets])
                    rec["expected"] = {k: b.expect(x) for k, x in zip(fetches, vals)}
                except tf.errors.OpError as x:
                    rec["error"] = {"class": type(x).__name__, "bases": [c.__name__ for c in type(x).__mro__[1:-1]], "message": core_message(x), "match": "exact", "code": x.error_code}
                recs.append(rec)
        b.fam.cases.append(dict(id=b.new_id(), family=b.fam.name, op="NegTrain", kind="run", python_call="word2vec", tags=[], graph=graph_json(gd), steps=recs, **statics))

    for rows, width, examples, labels, counts, samples, rate in ((3, 2, [0, 1, 1], [1, 2, 0], [0, 0, 5], 2, .5), (4, 3, [3, 0, 3, 3], [1, 1, 2, 3], [0, 7, 0, 0], 3, .1), (3, 2, [0, 1], [1, 2], [1, 2, 3], 0, .5), (3, 2, [0, 1], [1], [1, 2, 3], 0, .5),
                                                                 (3, 2, [[0, 1]], [1], [1, 2, 3], 0, .5), (3, 2, [0, 1], [1, 2], [1, 2, 3], 0, [.5]), (3, 2, [], [], [1, 2, 3], 4, .5)):
        def build():
            for n in ("a", "c"):
                v = tf.Variable(b.f(rows, width), name=n)
            tf.constant(examples, tf.int32, name="e"), tf.constant(labels, tf.int32, name="l"), tf.constant(rate, name="r")
            tf.group(tf.global_variables_initializer(), name="init")

        def add(n):
            n.name, n.op = "t", "NegTrain"
            n.input.extend(["a", "c", "e", "l", "r"])
            n.attr["vocab_count"].list.i.extend(counts)
            n.attr["num_negative_samples"].i = samples
        old(build, add, [([], ["init"]), ([], ["t"]), (["a:0", "c:0"], []), ([], ["t"]), (["a:0", "c:0"], [])])

def batching(b):
    b.family("batching")
    batch = lambda x, o="": f"y = R.Batch(in_tensors={x}, num_batch_threads=1, max_batch_size=4, batch_timeout_micros=100, grad_timeout_micros=100000{o})\n"
    back = "u = [R.Unbatch(batched_tensor=t * 2, batch_index=y[1], id=y[2], timeout_micros=100000) for t in y[0]]\n"
    for x, o in (("[tf.constant([[1., 2.], [3., 4.]])]", ""), ("[late([1., 2., 3.]), late([[1], [2], [3]])]", ", allowed_batch_sizes=[2, 4]"), ("[late([5, 6, 7, 8])]", ", allowed_batch_sizes=[1, 2, 4]"), ("[tf.constant([1.5])]", ", batching_queue='q'")):
        runs(b, MAKE + batch(x, o) + back, ["y[0]", "u", "y[0]"])
    for x, o in (("[[1.], [1., 2.]]", ""), ("[[1., 2., 3., 4., 5.]]", ""), ("[[1., 2., 3.]]", ", allowed_batch_sizes=[2, 3]"), ("[[1., 2., 3.]]", ", allowed_batch_sizes=[4, 2]"), ("[late(3.)]", ""), ("[tf.zeros([0])]", "")):
        runs(b, MAKE + batch(x, o), ["y[0]"])
    un = "y = R.Unbatch(batched_tensor=%s, batch_index=%s, id=L(%s), timeout_micros=1000)\n"
    for x, index, i in (("[1., 2., 3.]", "L([[7, 0, 1], [8, 1, 3]])", 7), ("[1., 2., 3.]", "L([[7, 0, 1], [8, 1, 3]])", 9), ("[1., 2., 3.]", "L([[7, 0, 5]])", 7), ("[1., 2.]", "L([[7, 0, 1]])", "[7]"), ("tf.zeros([0])", "tf.zeros([0, 3], tf.int64)", 3)):
        runs(b, MAKE + un % (x, index, i), ["y"])
    runs(b, MAKE + batch("[tf.constant([[1., 2.], [3., 4.]])]") + back + "g = R.UnbatchGrad(original_input=y[0][0], batch_index=y[1], grad=u[0] * 3, id=y[2])\n", ["g"])


def protos(b):
    b.family("protos")
    decode = lambda x, m, names, types, o="": f"y = R.DecodeProtoV2(bytes={x}, message_type='{m}', field_names={names}, output_types=[{', '.join('tf.' + t for t in types)}]{o})\n"
    shape = tf.TensorShape([2, 3]).as_proto().SerializeToString()
    ten = [tf.make_tensor_proto(v, shape=s).SerializeToString() for v, s in (([1.5, 2.5], [2]), ([1, -2, 3], [3]), (["a", "bc"], [2]), ([True], [1]), (np.array([2**40], "int64"), [1]), ([1j], [1]))]
    plain = tensor_pb2.TensorProto(dtype=1, float_val=[1.5, -2.5], double_val=[3.25], int_val=[-1, 7], int64_val=[2**40, -1], bool_val=[True, False], uint32_val=[2**32 - 1], uint64_val=[2**63], string_val=[b"x", b"\xff"], half_val=[5], version_number=3).SerializeToString()
    ex = tf.train.Example(features=tf.train.Features(feature={"a": tf.train.Feature(int64_list=tf.train.Int64List(value=[1, 2]))})).SerializeToString()
    every = ["dtype", "float_val", "double_val", "int_val", "int64_val", "bool_val", "uint32_val", "uint64_val", "string_val", "version_number", "tensor_shape", "tensor_content"]
    types = ["int32", "float32", "float64", "int32", "int64", "bool", "uint32", "uint64", "string", "int32", "string", "string"]
    M = "tensorflow.TensorProto"
    for x in (ten + [plain, b""], [plain, plain + plain], [[ten[0]], [plain]], plain):
        runs(b, decode(f"tf.constant({x!r})", M, every, types), ["y"])
    runs(b, decode("tf.zeros([0], tf.string)", M, ["int_val"], ["int32"]), ["y"])
    runs(b, decode(f"tf.constant([{shape!r}])", "tensorflow.TensorShapeProto", ["dim", "unknown_rank"], ["string", "bool"]), ["y"])
    runs(b, decode(f"tf.constant([{ex!r}])", "tensorflow.Example", ["features"], ["string"]), ["y"])
    for names, ts in ((["float_val", "float_val"], ["float32", "float64"]), (["float_val"], ["float64"]), (["int_val"], ["int64"]), (["uint32_val"], ["uint64"]), (["uint32_val"], ["int64"]), (["uint64_val"], ["int64"]), (["int_val"], ["float32"]), (["double_val"], ["float32"]), (["int64_val"], ["int32"]),
                      (["bool_val"], ["int32"]), (["string_val"], ["int32"]), (["dtype"], ["string"]), (["nope"], ["int32"]), ([], []), (["int_val"], ["int32", "int32"])):
        runs(b, decode(f"tf.constant([{plain!r}])", M, names, ts), ["y"])
    for bad in (b"\xff\xff", plain[:3], b"\x2a\x05ab", b"\x08", b"\x00\x01"):
        runs(b, decode(f"tf.constant([{bad!r}])", M, ["float_val"], ["float32"]), ["y"])
    for m, o in (("tensorflow.Nope", ""), (M, ", descriptor_source='/nofile'"), (M, ", descriptor_source='bytes://zz'"), (M, ", descriptor_source=''"), (M, ", message_format='json'"), (M, ", sanitize=True")):
        runs(b, decode(f"tf.constant([{plain!r}])", m, ["int_val"], ["int32"], o), ["y"])
    for syntax in ("proto2", "proto3"):
        sets = descriptor_pb2.FileDescriptorSet(file=[descriptor_pb2.FileDescriptorProto(name="a", package="p", syntax=syntax, message_type=[descriptor_pb2.DescriptorProto(name="M", field=[
            descriptor_pb2.FieldDescriptorProto(name="z", number=2, type=17, label=3), descriptor_pb2.FieldDescriptorProto(name="x", number=1, type=7, label=1, **(dict(default_value="7") if syntax == "proto2" else {})), descriptor_pb2.FieldDescriptorProto(name="l", number=3, type=16, label=3)])])])
        source = ", descriptor_source=" + repr("bytes://" + sets.SerializeToString().decode())
        for x in (b"\x10\x01\x10\x0a", b"\x12\x02\x01\x0a\x0d\x00\x00\x00\x80", b"\x19" + b"\xff" * 8):
            runs(b, decode(f"tf.constant([{x!r}, b''])", "p.M", ["x", "z", "l"], ["uint32", "int32", "int64"], source), ["y"])
        runs(b, f"y = R.EncodeProto(sizes=[[1, 2, 1]], values=[tf.constant([[2**31]], tf.uint32), [[-1, 5]], tf.constant([[-2]], tf.int64)], field_names=['x', 'z', 'l'], message_type='p.M'{source})\n", ["y"])
    encode = lambda sizes, values, names, m=M: f"late = lambda x: tf.placeholder_with_default(x, None)\ny = R.EncodeProto(sizes={sizes}, values=[{values}], field_names={names}, message_type='{m}')\n"
    for sizes, values, names in (("[[1, 2], [0, 1]]", "[[5], [6]], [[1, 2], [3, 4]]", ["version_number", "int_val"]), ("[[2, 1, 1]]", "[['x', 'yz']], [[True]], [[1., 2.]]", ["string_val", "bool_val", "float_val"]), ("[[2]]", "[[5, 6]]", ["version_number"]), ("[[3]]", "[[5, 6]]", ["int_val"]),
                                 ("late([1])", "late([5, 6])", ["int_val"]), ("[[1]]", "[[5.]]", ["int_val"]), ("[[1]]", "[[5]]", ["nope"]), ("[[1]]", "[[3]]", ["dtype"]), ("[[1, 1]]", "[[3]], [[2]]", ["int_val", "dtype"]), ("[[-1]]", "[[3]]", ["int_val"]),
                                 ("[[1]]", "tf.constant([[1.5]], tf.float64)", ["float_val"]), ("[[1]]", "[[1.5]]", ["double_val"]), ("[[1]]", "tf.constant([[5]], tf.int64)", ["int_val"]), ("[[1]]", "tf.constant([[5]], tf.int64)", ["uint64_val"]), ("[[1]]", "tf.constant([[5]], tf.uint64)", ["uint32_val"]),
                                 ("[[[1]], [[0]]]", "[[[3]], [[4]]]", ["int_val"]), ("[[2]]", "tf.constant([[-1, 2**40]], tf.int64)", ["int64_val"]), ("[[1]]", "[['ab']]", ["tensor_shape"]), ("late([[1, 1]])", "late([[3]])", ["int_val"]), ("late([[1], [1]])", "late([[3]])", ["int_val"]), ("[[1]]", "[[3]], [[3]]", ["int_val"])):
        try:
            runs(b, encode(sizes, values, names), ["y"])
        except ValueError as e:
            b.failures.append(("protos", sizes, str(e)[:200]))


ALL = [sobol, symbolic_gradients, older_generators, debugging, partitions, composites, collectives, general_convolutions, word2vec, batching, protos]
