"""Makes refusals of runs out of written cases: python -m generate.wrong_shapes DIR OUT [--pairs SEED]

Each operation's smallest case is run again with placeholders of unknown shape, its small integer constants fed as well, and one feed at a time
of another size, rank or value. Of what TensorFlow refuses, one case is kept for each operation and kind of message. A call may end the
process (some kernels abort), so each case's calls run in a child of their own. With --pairs the family is `wrong_pairs`: two feeds are changed at
once, or one has rank 0 or 8, ones for sizes, or a number at the end of its type.
"""
import argparse
import collections
import json
import os
import re
import signal
import zlib

import numpy as np

from . import core
from .core import Builder, graph_json, new_session
from .program import core_message
from .replay import graph_of, load, tensor
from .tfenv import tf

RANDOM = re.compile(r"Random|Multinomial|Shuffle|Sampler|Dropout|Stateless|TruncatedNormal|FractionalMax|FractionalAvg|Unigram")
UNSUITABLE = re.compile(r"Queue|FIFO|Barrier|file", re.I)
NO_KERNEL = re.compile(r"No OpKernel|not registered|No registered|not supported for|Unsupported|not implemented|no kernel", re.I)
INTEGERS = ("int8", "int16", "int32", "int64", "uint8")
PATIENCE = 8
# Children hand over lines of JSON: nothing goes into a file beside them.
core.INLINE_BYTES = 1 << 30


def chosen(directory):
    """The smallest case of each operation."""
    best = {}
    for family in sorted(os.listdir(directory)):
        folder = os.path.join(directory, family)
        cases = load(folder) or []
        path = os.path.join(folder, "data.bin")
        blob = open(path, "rb").read() if os.path.exists(path) else b""
        for c in cases:
            nodes = c.get("graph", {}).get("node", [])
            if c["kind"] not in ("run", "grad") or not 0 < len(nodes) <= 25 or UNSUITABLE.search(c["python_call"]):
                continue
            if any(RANDOM.search(n["op"]) for n in nodes):
                continue
            for op in {n["op"] for n in nodes} - {"Const", "Placeholder", "NoOp"}:
                key = (c["kind"] != "grad", len(nodes), c["id"])
                if op not in best or key < best[op][0]:
                    best[op] = (key, c, blob)
    return {c["id"]: (c, blob) for _, c, blob in best.values()}


def part(a, axis, cut):
    return tuple(cut if x == axis else slice(None) for x in range(a.ndim))


def variants(feeds):
    """Feeds with one array changed, and what was changed."""
    for name, a in feeds.items():
        for axis in range(min(a.ndim, 4)):
            if a.shape[axis]:
                yield f"{name} axis {axis} empty", {**feeds, name: a[part(a, axis, slice(0, 0))]}
            yield f"{name} axis {axis} longer", {**feeds, name: np.concatenate([a, a[part(a, axis, slice(0, 1))]], axis)}
        if a.ndim and a.shape[0]:
            yield f"{name} rank down", {**feeds, name: a[0]}
        yield f"{name} rank up", {**feeds, name: a[None]}
        if a.dtype.name not in INTEGERS or not a.size:
            continue
        for place in sorted({0, a.size // 2, a.size - 1}):
            for value in ([] if a.dtype.name[0] == "u" else [-1, -9]) + [0, 1, 99]:
                b = np.array(a).reshape(-1)
                b[place] = value
                yield f"{name}[{place}] = {value}", {**feeds, name: b.reshape(a.shape)}


def pairs(feeds, rng, count=14):
    """Feeds with two arrays changed, or one as far as its type lets it."""
    found = []
    for name, a in feeds.items():
        if not a.size:
            continue
        found.append((f"{name} rank 0", {**feeds, name: a.reshape(-1)[0]}))
        found.append((f"{name} rank 8", {**feeds, name: a.reshape((1,) * (8 - a.ndim) + a.shape)}))
        found.append((f"{name} ones", {**feeds, name: a[tuple(slice(0, 1) for _ in a.shape)]}))
        ends = (2**31 - 1, -(2**31)) if a.dtype.name in ("int32", "int64") else (np.nan, np.inf) if a.dtype.kind == "f" else ()
        for value in ends:
            b = np.array(a).reshape(-1)
            b[rng.randint(b.size)] = value
            found.append((f"{name} holds {value}", {**feeds, name: b.reshape(a.shape)}))
    singles = list(variants(feeds))
    for _ in range(30 if len(feeds) > 1 else 0):
        (first, one), (second, other) = (singles[rng.randint(len(singles))] for _ in range(2))
        both = {n: other[n] if other[n] is not feeds[n] else one[n] for n in feeds}
        if sum(both[n] is not feeds[n] for n in feeds) > 1:
            found.append((f"{first} & {second}", both))
    rng.shuffle(found)
    return found[:count]


def opened(c, blob):
    """The graph with shapes forgotten and constants fed, and the feeds."""
    gd = graph_of(c)
    feeds = {k: tensor(v, blob) for k, v in c["steps"][-1]["feeds"].items()}
    for n in gd.node:
        if n.op == "Placeholder":
            n.attr["shape"].shape.CopyFrom(tf.TensorShape(None).as_proto())
    free, more = tf.GraphDef(), {}
    free.CopyFrom(gd)
    for n in free.node if len(c["steps"]) == 1 else []:
        a = tf.make_ndarray(n.attr["value"].tensor) if n.op == "Const" and not n.input else None
        if a is None or a.dtype.name not in ("int32", "int64") or a.size > 24:
            continue
        name, dtype = n.name, n.attr["dtype"].type
        n.Clear()
        n.name, n.op = name, "Placeholder"
        n.attr["dtype"].type = dtype
        n.attr["shape"].shape.CopyFrom(tf.TensorShape(None).as_proto())
        more[name + ":0"] = a
    try:
        with tf.Graph().as_default():
            tf.import_graph_def(free, name="")
        return free, {**feeds, **more}
    except Exception:
        return gd, feeds


def refusals(c, blob, family, seed, start, at, out):
    gd, feeds = opened(c, blob)
    b = Builder("dev", 1)
    fam = b.family(family)
    fetches = c["grad_of"]["ys"] if c["kind"] == "grad" else c["steps"][-1]["fetches"]
    changed = variants(feeds) if seed is None else pairs(feeds, np.random.RandomState(zlib.crc32(f"{c['id']} {seed}".encode()) % 2**31))
    for k, (what, given) in enumerate(changed):
        if k < start:
            continue
        with open(at, "w") as f:
            f.write(str(k))
        signal.alarm(PATIENCE)
        g = tf.Graph()
        with g.as_default():
            tf.import_graph_def(gd, name="")
            steps = []
            with new_session(g) as s:
                for before in c["steps"][:-1]:
                    s.run([g.get_operation_by_name(n) for n in before.get("targets", [])], {n: tensor(v, blob) for n, v in before["feeds"].items()})
                    steps.append(dict(before, feeds={n: fam.tensor(tensor(v, blob)) for n, v in before["feeds"].items()}, fetches=[], expected={}))
                try:
                    s.run(list(fetches), given)
                except Exception as e:
                    rec = {"class": type(e).__name__, "message": core_message(e), "match": "exact"}
                    if not isinstance(e, tf.errors.OpError) or e.op is None or NO_KERNEL.search(rec["message"]):
                        continue
                    rec.update(code=e.error_code, node=e.op.name)
                    steps.append({"feeds": {n: fam.tensor(v) for n, v in given.items()}, "fetches": list(fetches), "targets": [], "error": rec})
                    case = dict(family=fam.name, op=e.op.type, kind="run_error", python_call=f"{c['id']} {what}: {c['python_call']}", tags=[],
                                graph=graph_json(gd), steps=steps, static_shapes={})
                    with open(out, "a") as f:
                        f.write(json.dumps(case) + "\n")
        signal.alarm(0)


def main():
    ap = argparse.ArgumentParser(description=__doc__)
    ap.add_argument("dir")
    ap.add_argument("out")
    ap.add_argument("--pairs", type=int, metavar="SEED")
    a = ap.parse_args()
    family = "wrong_shapes" if a.pairs is None else "wrong_pairs"
    folder = os.path.join(a.out, family)
    os.makedirs(folder, exist_ok=True)
    lines, at = os.path.join(folder, "lines"), os.path.join(folder, "at")
    open(lines, "w").close()
    for _, (c, blob) in sorted(chosen(a.dir).items()):
        start = 0
        for _ in range(PATIENCE):
            with open(at, "w") as f:
                f.write("0")
            pid = os.fork()
            if pid == 0:
                try:
                    refusals(c, blob, family, a.pairs, start, at, lines)
                finally:
                    os._exit(0)
            if os.WIFEXITED(os.waitpid(pid, 0)[1]):
                break
            start = int(open(at).read() or 0) + 1
    kept = collections.OrderedDict()
    for line in open(lines):
        case = json.loads(line)
        message = case["steps"][-1]["error"]["message"]
        kept.setdefault((case["op"], re.sub(r"-?\d+", "#", message)[:60]), case)
    cases = [dict(case, id=f"{family}/{n:04d}") for n, case in enumerate(kept.values())]
    with open(os.path.join(folder, "cases.json"), "w") as f:
        json.dump(cases, f)
    os.remove(lines)
    os.remove(at)
    print(len(cases), "refusals")


main()
