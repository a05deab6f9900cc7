"""The ops of tiers A and B at rare values (swept_calls.py): python -m generate.swept OUT [--seed N] [--per N] [--only PATTERN]

A case holds the calls of one op, all in one graph; another takes their gradients. Then pack OUT with scripts/pack-golden.ts. swept_left.json lists what
is left out of seed 2, "op/number" or "op/number/gradient": where docs/from-tensorflow.md says that, and why, results differ.
"""
import argparse
import json
import pathlib
import re

from .core import Builder, flatten, graph_json
from .program import core_message
from .swept_calls import CX, FL, FOUND, K, OPS, R, Ref, Var, filled, npt
from .tfenv import new_session, np, tf

MOST = 300  # elements of a call's arrays together


class Call:
    def __init__(self, name, op, arguments):
        self.name, self.op, self.arguments, self.feeds = name, op, arguments, {}

    def given(self, v):
        if isinstance(v, K):
            return tf.constant(v.v)
        if isinstance(v, Ref):
            return tf.assign(tf.raw_ops.VariableV2(shape=v.v.shape, dtype=tf.as_dtype(v.v.dtype)), self.given(v.v))
        if isinstance(v, (np.ndarray, np.generic)):
            v = np.asarray(v)
            t = tf.placeholder(tf.string if v.dtype == object else tf.as_dtype(v.dtype), v.shape, name=f"x{len(self.feeds)}")
            self.feeds[t.name] = v
            return t
        if isinstance(v, list) and v and isinstance(v[0], (np.ndarray, np.generic, K)):
            return [self.given(x) for x in v]
        return v

    def build(self):
        """Its results; those of a step on variables are the variables."""
        self.feeds, handles, args = {}, [], {}
        with tf.name_scope(self.name):
            for k, v in self.arguments.items():
                if isinstance(v, Var):
                    dtype = tf.as_dtype(v.v.dtype)
                    args[k] = tf.raw_ops.VarHandleOp(dtype=dtype, shape=v.v.shape, shared_name=f"{self.name}_{k}")
                    handles.append((args[k], dtype, tf.raw_ops.AssignVariableOp(resource=args[k], value=self.given(v.v))))
                else:
                    args[k] = self.given(v)
            with tf.control_dependencies([assigned for _, _, assigned in handles]):
                y = getattr(tf.raw_ops, self.op)(**args)
            outs = [t for t in flatten(y) if isinstance(t, tf.Tensor) and t.dtype not in (tf.variant, tf.resource)]
            if self.op.startswith("FusedBatchNorm") and "Grad" not in self.op:
                outs = outs[:3]  # what is reserved may be anything
            with tf.control_dependencies([y if isinstance(y, tf.Operation) else flatten(y)[0]]):
                outs += [tf.raw_ops.ReadVariableOp(resource=h, dtype=dtype) for h, dtype, _ in handles]
        return outs

    def size(self):
        return sum(np.size(v) for v in self.feeds.values())


def alone(call, with_gradient=False):
    """Whether TensorFlow computes it, and how its gradients are made."""
    g = tf.Graph()
    with g.as_default():
        try:
            outs = call.build()
            if call.size() > MOST or not outs:
                return None
            if not with_gradient:
                with new_session(g) as s:
                    return s.run(outs, call.feeds)
            xs, ys = ends(g, call, outs)
            weights = [weight(y) for y in ys]
            grads = tf.gradients(ys, xs, [tf.constant(w) for w in weights])
            live = [tf.convert_to_tensor(t) for t in grads if t is not None]
            with new_session(g) as s:
                s.run(live, call.feeds)
            return weights if live else None
        except Exception:
            return None


def ends(g, call, outs):
    floating = lambda t: t.dtype.base_dtype.name in FL + CX
    return [t for t in map(g.get_tensor_by_name, call.feeds) if floating(t)], [t for t in outs if floating(t)]


def weight(y):
    t = y.dtype.base_dtype.name
    size = y.shape.num_elements()
    return filled(t, [R.choice([1, 1.5, -.5, 2, 0]) for _ in range(size)]).reshape(y.shape) if R.random() < .5 else np.full(y.shape, R.choice([1, -.5]), npt(t))


def drawn(op, seed, per):
    R.seed(f"{seed} {op}")
    number = len(FOUND.get(op, []))
    for k, arguments in enumerate(FOUND.get(op, [])):
        yield Call(f"c{k}", op, arguments)
    for draw, _ in OPS.get(op, []):
        found = 0
        for _ in range(40):
            try:
                made = list(draw(op))
            except (ValueError, IndexError, KeyError, OverflowError):  # sizes that do not go together
                continue
            for arguments in R.sample(made, min(len(made), 4)):
                if found < per:
                    found += 1
                    yield Call(f"c{number}", op, arguments)
                    number += 1


def refused(b, call):
    """One of FOUND that TensorFlow refuses while running."""
    g = tf.Graph()
    with g.as_default():
        outs = call.build()
        graph = graph_json(g.as_graph_def())
        with new_session(g) as s:
            try:
                s.run(outs, call.feeds)
            except tf.errors.OpError as e:
                error = {"class": type(e).__name__, "message": core_message(e), "match": "exact", "code": e.error_code}
    b.fam.cases.append(dict(id=b.new_id(), family=b.fam.name, op=call.op, kind="run_error", python_call=f"tf.raw_ops.{call.op}", tags=[call.name], graph=graph,
                            steps=[{"feeds": {k: b.fam.tensor(v) for k, v in call.feeds.items()}, "fetches": [t.name for t in outs], "error": error}]))


def record(b, op, seed, per, leave):
    for k, arguments in enumerate(FOUND.get(op, [])):
        if alone(call := Call(f"c{k}", op, arguments)) is None:
            refused(b, call)
    calls = [c for c in drawn(op, seed, per) if f"{op}/{c.name[1:]}" not in leave and alone(c) is not None]
    if not calls:
        return
    state = R.getstate()
    derived = {c.name: w for c in calls if f"{op}/{c.name[1:]}/gradient" not in leave and not any(isinstance(v, (Ref, Var)) for v in c.arguments.values())
               for w in [alone(c, True)] if w is not None}
    R.setstate(state)
    for names, kind in (([c.name for c in calls], "run"), (list(derived), "grad")):
        if not names:
            continue
        g = tf.Graph()
        with g.as_default():
            mine = [c for c in calls if c.name in names]
            outs = [c.build() for c in mine]
            feeds = {k: v for c in mine for k, v in c.feeds.items()}
            case = dict(id=b.new_id(), family=b.fam.name, op=op, kind=kind, python_call=f"tf.raw_ops.{op}", tags=[], graph=graph_json(g.as_graph_def()))
            step = {"feeds": {k: b.fam.tensor(v) for k, v in feeds.items()}, "fetches": [], "expected": {}}
            if kind == "run":
                fetches = [t.name for ts in outs for t in ts]
                with new_session(g) as s:
                    values = s.run(fetches, feeds)
                step.update(fetches=fetches, expected={n: b.expect(v) for n, v in zip(fetches, values)})
            else:
                pairs = [ends(g, c, ts) for c, ts in zip(mine, outs)]
                xs, ys = ([t for pair in pairs for t in pair[k]] for k in (0, 1))
                weights = [w for c in mine for w in derived[c.name]]
                grads = tf.gradients(ys, xs, [tf.constant(w) for w in weights])
                kinds = ["none" if t is None else "slices" if isinstance(t, tf.IndexedSlices) else "dense" for t in grads]
                live = [tf.convert_to_tensor(t) for t in grads if t is not None]
                with new_session(g) as s:
                    values = iter(s.run(live, feeds))
                case["grad_of"] = dict(ys=[t.name for t in ys], xs=[t.name for t in xs], grad_ys=[b.fam.tensor(w) for w in weights],
                                       expected=[None if t is None else b.expect(next(values)) for t in grads], gradient_kind=kinds)
            b.fam.cases.append(dict(case, steps=[step]))


def main():
    ap = argparse.ArgumentParser(prog="python -m generate.swept", description=__doc__)
    ap.add_argument("out")
    ap.add_argument("--seed", type=int, default=2)
    ap.add_argument("--per", type=int, default=5)
    ap.add_argument("--only", default=".")
    a = ap.parse_args()
    leave = set(json.loads(pathlib.Path(__file__).with_name("swept_left.json").read_text()))
    b = Builder("dev", a.seed)
    b.family("swept")
    for op in sorted({*OPS, *FOUND}):
        if re.search(a.only, op):
            record(b, op, a.seed, a.per, leave)
    b.write(a.out)
    print(len(b.fam.cases), "cases")


if __name__ == "__main__":
    main()
