"""Linear models by dual coordinate ascent, and calls of functions in lowered forms. Examples come in random order, so those of a case share no feature."""
import numpy as np
from google.protobuf import json_format
from tensorflow.python.framework import function
from tensorflow.python.ops import control_flow_util

from ..core import graph_json, new_session
from ..recording import rows, run_errors
from ..tfenv import tf

RAW = "tf.raw_ops."


def linear_models(b):
    b.family("linear_models")
    f, calls = b.f, []
    for loss in ("logistic_loss", "squared_loss", "hinge_loss", "smooth_hinge_loss", "poisson_loss"):
        labels = b.i(3, lo=0, hi=2).astype("f") if loss not in ("squared_loss", "poisson_loss") else f(3, lo=.2, hi=3.)
        # The kernel writes into the state it is given: into what is fed, were it not multiplied first.
        state = np.zeros((3, 4), "f")
        for l1, l2, parts in ((0., 1., 1), (.1, .5, 2)):
            common = f"loss_type='{loss}',l1={l1},l2={l2},num_loss_partitions={parts},num_inner_iterations=1"
            sparse = ("sparse_example_indices=[tf.constant([0, 0, 1, 2], tf.int64)],sparse_feature_indices=[tf.constant([5, 7, 9, 2], tf.int64)],sparse_feature_values=%s,dense_features=[],"
                      "example_weights=e,example_labels=l,sparse_indices=[tf.constant([2, 5, 7, 9], tf.int64)],sparse_weights=[w],dense_weights=[],example_state_data=s * 1.,")
            feeds = dict(w=f(4), e=f(3, lo=.5, hi=1.5), l=labels, s=state)
            for values in ("[]", "[v]"):
                calls.append((f"r = {RAW}SdcaOptimizerV2({sparse % values}adaptive=False,{common})\ny = (r[0], r[1][0])", dict(feeds, **({"v": f(4)} if values == "[v]" else {}))))
            dense = "sparse_example_indices=[],sparse_feature_indices=[],sparse_feature_values=[],dense_features=[x],example_weights=e,example_labels=l,sparse_indices=[],sparse_weights=[],dense_weights=[w],example_state_data=s * 1.,"
            for kind, spelled in (("", "adaptative"), ("V2", "adaptive")):
                for chosen in (True, False):
                    calls.append((f"r = {RAW}SdcaOptimizer{kind}({dense}{spelled}={chosen},{common})\ny = (r[0], r[2][0])", dict(x=f(1, 3), w=f(3), e=f(1, lo=.5, hi=1.5), l=labels[:1], s=state[:1])))
    rows(b, calls, dynamic=0)
    texts = [bytes(b.i(n, lo=0, hi=256).astype("uint8")) for n in (0, 1, 3, 4, 7, 8, 15, 16, 17, 24, 31, 32, 33, 40, 64, 100, 127, 143, 144, 145, 200, 271, 272, 300, 500)]
    rows(b, [(f"tf.train.sdca_fprint(x)", dict(x=np.array(texts, object)))], dynamic=0)
    b.steps_case("w = [tf.Variable(x, use_resource=False) for x in ([[1., -.3, .05], [0., 2., -.2]], [.1, -4., .3])]\ninit = tf.global_variables_initializer()\nstep = tf.train.sdca_shrink_l1([v._ref() for v in w], l1=.1, l2=.5)",
                 [({}, [], ["init"]), ({}, ["w"], []), ({}, [], ["step"]), ({}, ["w"], []), ({}, [], ["step"]), ({}, ["w"], [])])
    bad = "sparse_example_indices=[],sparse_feature_indices=[],sparse_feature_values=[],dense_features=[tf.ones([1, %d])],example_weights=[1.],example_labels=[%s],sparse_indices=[],sparse_weights=[],dense_weights=[tf.ones([3])],example_state_data=tf.zeros([%d, 4]),"
    tail = "loss_type='logistic_loss',l1=0.,l2=1.,num_loss_partitions=1,num_inner_iterations=1)"
    run_errors(b, [f"y = {RAW}SdcaOptimizerV2({bad % given}adaptive=False,{tail}[0]" for given in ((3, ".5", 1), (4, "1.", 1), (3, "1.", 2))])


def lowered_calls(b):
    b.family("lowered_calls")
    plain = lambda gd: json_format.MessageToDict(gd, preserving_proto_field_name=True)

    def keep(gd, feeds, names):
        with tf.Graph().as_default() as g:
            tf.import_graph_def(gd, name="")
            with new_session(g) as s:
                vals = dict(zip(names, s.run(names, feeds)))
        b.fam.cases.append(dict(id=b.new_id(), family=b.fam.name, op="_If", kind="run", python_call="", tags=[], graph=plain(gd), static_shapes={},
                                steps=[dict(feeds={n: b.fam.tensor(v) for n, v in feeds.items()}, fetches=names, expected={n: b.expect(v) for n, v in vals.items()})]))
    before, control_flow_util.ENABLE_CONTROL_FLOW_V2 = control_flow_util.ENABLE_CONTROL_FLOW_V2, True
    try:
        for make, values in ((lambda x: tf.cond(tf.reduce_sum(x) > 0, lambda: (x * 2, x[0]), lambda: (x - 1, x[1])), (b.f(3), -abs(b.f(3)))),
                             (lambda x: tf.while_loop(lambda i, y: i < 3, lambda i, y: (i + 1, y * 2 + x), [tf.constant(0), x]), (b.f(3),))):
            g = tf.Graph()
            with g.as_default():
                x = tf.placeholder(tf.float32, [3], name="x")
                outs = [t.name for t in tf.nest.flatten(make(x))]
            gd = g.as_graph_def()
            for n in gd.node:
                if n.op in ("If", "StatelessIf", "While", "StatelessWhile"):
                    n.op = "_If" if "If" in n.op else "_While"
                    for k in [k for k in n.attr if k not in ("Tcond", "Tin", "Tout", "then_branch", "else_branch", "T", "cond", "body")]:
                        del n.attr[k]
            for v in values:
                keep(gd, {"x:0": v}, outs)
    finally:
        control_flow_util.ENABLE_CONTROL_FLOW_V2 = before

    @function.Defun(tf.float32, tf.float32)
    def both(x, y):
        return x * y + 1., x - y
    g = tf.Graph()
    with g.as_default():
        x, y = tf.placeholder(tf.float32, [3], name="x"), tf.placeholder(tf.float32, [3], name="y")
        outs = tf.raw_ops.RemoteCall(target="/job:localhost/replica:0/task:0/device:CPU:0", args=[x, y], Tout=[tf.float32, tf.float32], f=both)
        outs += tf.raw_ops.RemoteCall(target="/cpu:0", args=[x, outs[0]], Tout=[tf.float32, tf.float32], f=both)
        batch = dict(num_batch_threads=1, max_batch_size=4, batch_timeout_micros=0, Tout=[tf.float32, tf.float32], f=both)
        outs += tf.raw_ops.BatchFunction(in_tensors=[x, y], captured_tensors=[], **batch)
        outs += tf.raw_ops.BatchFunction(in_tensors=[x], captured_tensors=[tf.constant(2.)], **batch)
        names = [t.name for t in outs]
    keep(g.as_graph_def(), {"x:0": b.f(3), "y:0": b.f(3)}, names)
    make = "from tensorflow.core.framework import attr_value_pb2 as A\ny = tf.get_default_graph().create_op('_UnaryOpsComposition', [x], [tf.float32], name='y', attrs=dict(T=A.AttrValue(type=1), op_names=A.AttrValue(list=A.AttrValue.ListValue(s=%s)))).outputs[0]"
    for names in (["Abs", "Sqrt", "Neg"], ["Relu", "Exp", "Log1p"], ["Square", "Rsqrt", "Sigmoid", "Tanh"], ["Relu6", "Elu", "Selu"], ["Atan", "Sinh", "Expm1"], ["Sin", "Asin", "Cos", "Acos"], ["Ceil", "Inv"], ["Rint", "Floor", "Round"], ["Square", "Cosh", "Acosh", "Log", "Tan", "Atanh"], ["Reciprocal", "Asinh"]):
        b.case(make % [n.encode() for n in names], dict(x=b.f(2, 3)), dynamic=0)


ALL = [linear_models, lowered_calls]
