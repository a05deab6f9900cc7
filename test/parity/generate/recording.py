"""What families of rare operations share: rows of calls, errors of a run, graphs with functions."""
import numpy as np
from google.protobuf import json_format
from tensorflow.python.ops import control_flow_util

from .core import flatten, graph_json, new_session, shape_fields, unique
from .program import core_message
from .tfenv import tf


def rows(b, calls, **common):
    """Each row: a call, its inputs, options of Builder.case."""
    for row in calls:
        call, inputs, options = (tuple(row) + ({}, {}))[:3] if not isinstance(row, str) else (row, {}, {})
        b.case(call, inputs, **{**common, **options})


def run_errors(b, calls):
    """What TensorFlow says to each call while it runs."""
    for call in calls:
        g = tf.Graph()
        with g.as_default():
            try:
                names = unique([t.name for t in flatten(b.run_code(call, b.namespace()))])
            except Exception as e:
                b.failures.append((b.fam.name, call, f"BUILD {str(e)[:300]}"))
                continue
            gd = g.as_graph_def()
            with new_session(g) as s:
                try:
                    s.run(names)
                except Exception as e:
                    rec = {"class": type(e).__name__, "bases": [c.__name__ for c in type(e).__mro__[1:-1]],
                           "message": core_message(e), "match": "exact"}
                    if isinstance(e, tf.errors.OpError):
                        rec["code"] = e.error_code
                        if e.op is not None:
                            rec["node"] = e.op.name
                    b.fam.cases.append(dict(id=b.new_id(), family=b.fam.name, op="error", kind="run_error", python_call=call, tags=[],
                                            graph=graph_json(gd), steps=[{"feeds": {}, "fetches": names, "targets": [], "error": rec}],
                                            **shape_fields(g, gd)))
                else:
                    b.failures.append((b.fam.name, call, "raised nothing"))


def function_case(b, call, inputs, grad=(), shapes={}):
    """A graph with functions, as TensorFlow 2 makes loops and branches; with TensorFlow's gradients, and to be derived."""
    before, control_flow_util.ENABLE_CONTROL_FLOW_V2 = control_flow_util.ENABLE_CONTROL_FLOW_V2, True
    try:
        g = tf.Graph()
        with g.as_default():
            ns, feeds = b.namespace(), {}
            for k, v in inputs.items():
                v = np.asarray(v)
                ns[k] = tf.placeholder(tf.as_dtype(v.dtype), shapes.get(k, list(v.shape)), name=k)
                feeds[ns[k].name] = v
            outs = flatten(b.run_code(call, ns))
            names = unique([t.name for t in outs])
            forward = g.as_graph_def()
            with new_session(g) as s:
                vals = dict(zip(names, s.run(names, feeds)))
            step = dict(feeds={n: b.fam.tensor(v) for n, v in feeds.items()}, fetches=names,
                        expected={n: b.expect(vals[n], None, None) for n in names})
            base = dict(family=b.fam.name, op="While", python_call=call, tags=[], static_shapes={})
            plain = lambda gd: json_format.MessageToDict(gd, preserving_proto_field_name=True)
            b.fam.cases.append(dict(base, id=b.new_id(), kind="run", graph=plain(forward), steps=[step]))
            if not grad:
                return
            xs = [ns[k] for k in grad]
            weights = [np.asarray(b.rng.uniform(-1, 1, vals[t.name].shape), "f") for t in outs]
            dx = tf.gradients(outs, xs, [tf.constant(w) for w in weights])
            full = g.as_graph_def()
            with new_session(g) as s:
                values = s.run(dx, feeds)
            expected = [b.expect(v, (1e-4, 1e-5), None) for v in values]
            found = [t.name for t in dx]
            b.fam.cases.append(dict(base, id=b.new_id(), kind="run", graph=plain(full),
                                    steps=[dict(step, fetches=found, expected=dict(zip(found, expected)))]))
            b.fam.cases.append(dict(base, id=b.new_id("g"), kind="grad", graph=plain(forward),
                                    steps=[dict(step, fetches=[], expected={})],
                                    grad_of={"ys": names, "xs": [t.name for t in xs], "grad_ys": [b.fam.tensor(w) for w in weights],
                                             "expected": expected, "gradient_kind": ["dense"] * len(xs)}))
    except Exception as e:
        b.failures.append((b.fam.name, call, f"{type(e).__name__}: {str(e)[:300]}"))
    finally:
        control_flow_util.ENABLE_CONTROL_FLOW_V2 = before
