"""Makes refusals of runs out of written cases: python -m generate.wrong_shapes DIR OUT [--pairs SEED]

Each operation's smallest case is run again with placeholders of unknown shape, its small integer constants fed as well, and one feed at a time
of another size, rank or value. Of what TensorFlow refuses, one case is kept for each operation and kind of message. A call may end the
process (some kernels abort), so each case's calls run in a child of their own. With --pairs the family is `wrong_pairs`: constants of every type
are fed, of two types of elements a case is taken, and a sample of more changes is made: rank 0 or 8, ones for sizes, numbers at the ends of their
types, alike, backwards or sorted, NaN, odd texts, all feeds at once, two feeds at once. With --all every answer goes into OUT/wrong_pairs/lines, those
that TensorFlow computes (`expected`) and those that end its process (`crash`) as well, for a comparison by hand.
"""
import argparse
import collections
import json
import os
import re
import resource
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
MEMORY = 6 << 30
# Children hand over lines of JSON: nothing goes into a file beside them.
core.INLINE_BYTES = 1 << 30


def chosen(directory, per=1):
    """The smallest cases of each operation, of different types."""
    rows = collections.defaultdict(list)
    for family in sorted(os.listdir(directory)):
        folder = os.path.join(directory, family)
        cases = load(folder) or []
        path = os.path.join(folder, "data.bin")
        blob = open(path, "rb").read() if os.path.exists(path) else b""
        for c in cases:
            nodes = c.get("graph", {}).get("node", [])
            if c["kind"] not in ("run", "grad") or not 0 < len(nodes) <= 25 or UNSUITABLE.search(c["python_call"]):
                continue
            if per == 1 and any(RANDOM.search(n["op"]) for n in nodes):
                continue
            types = str(sorted({str(x.get("type")) for n in nodes for x in n.get("attr", {}).values()}))
            for op in {n["op"] for n in nodes} - {"Const", "Placeholder", "NoOp"}:
                rows[op].append(((c["kind"] == "grad") == (per == 1), len(nodes), c["id"], types, c, blob))
    found = {}
    for op in rows:
        seen = set()
        for _, _, name, types, c, blob in sorted(rows[op], key=lambda row: row[:3]):
            if types not in seen and len(seen) < per:
                seen.add(types)
                found[name] = (c, blob)
    return found


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


def put(a, place, value):
    b = np.array(a, object) if a.dtype.kind in "OS" else np.array(a)
    b.reshape(-1)[place] = value
    return b.reshape(a.shape)


def odd(a):
    """Other forms and values of an array, and what was changed."""
    yield "rank up behind", a[..., None]
    if not a.size:
        return
    yield "rank 0", a.reshape(-1)[0]
    if a.ndim < 8:
        yield "rank 8", a.reshape((1,) * (8 - a.ndim) + a.shape)
    yield "ones", a[tuple(slice(0, 1) for _ in a.shape)]
    for axis in range(min(a.ndim, 4)):
        if a.shape[axis] > 1:
            yield f"axis {axis} shorter", a[part(a, axis, slice(0, -1))]
    places = sorted({0, a.size // 2, a.size - 1})
    flat = a.reshape(-1)
    if a.dtype.name in INTEGERS:
        ends = [2**31 - 1, -(2**31)] if a.dtype.name in ("int32", "int64") else []
        for p in places:
            for value in [2] + ends:
                yield f"[{p}] = {value}", put(a, p, value)
        yield "all alike", np.full_like(a, flat[0])
        yield "backwards", flat[::-1].reshape(a.shape)
        yield "sorted", np.sort(flat).reshape(a.shape)
        if a.dtype.name[0] != "u":
            yield "all -1", np.full_like(a, -1)
    elif a.dtype.kind == "f":
        for p in places:
            for value in (-1.0, 0.0, 2.0, np.nan, np.inf):
                yield f"[{p}] = {value}", put(a, p, value)
        yield "all 0", np.zeros_like(a)
        yield "all -2", np.full_like(a, -2)
    elif a.dtype.kind in "OS":
        for p in places:
            for value in (b"", b"x", b"\xff", b"1", b"-1.5"):
                yield f"[{p}] = {value}", put(a, p, value)
    elif a.dtype.kind == "b":
        for p in places:
            yield f"[{p}] turned", put(a, p, not flat[p])


def pairs(feeds, rng, count=30):
    """A sample of feeds with one or two arrays changed, or all."""
    singles = list(variants(feeds)) + [(f"{name} {what}", {**feeds, name: b}) for name, a in feeds.items() for what, b in odd(a)]
    if len(feeds) > 1:
        singles.append(("all axis 0 empty", {n: a[:0] if a.ndim else a for n, a in feeds.items()}))
        singles.append(("all rank up", {n: a[None] for n, a in feeds.items()}))
        singles.append(("all ones", {n: a[tuple(slice(0, 1) for _ in a.shape)] for n, a in feeds.items()}))
    found = [singles[i] for i in rng.permutation(len(singles))[:count]]
    for _ in range(count // 2 if len(feeds) > 1 else 0):
        (first, one), (second, other) = (singles[rng.randint(len(singles))] for _ in range(2))
        both = {n: other[n] if other[n] is not feeds[n] else one[n] for n in feeds}
        if sum(both[n] is not feeds[n] for n in feeds) > 1:
            found.append((f"{first} & {second}", both))
    return found


def opened(c, blob, every=False):
    """The graph with shapes forgotten and constants fed, `every` one that may be, and the feeds."""
    gd = graph_of(c)
    feeds = {k: tensor(v, blob) for k, v in c["steps"][-1]["feeds"].items()}
    for n in gd.node:
        if n.op == "Placeholder":
            n.attr["shape"].shape.CopyFrom(tf.TensorShape(None).as_proto())
    if every:
        for i in range(len(gd.node) if len(c["steps"]) == 1 else 0):
            free, more = fed(gd, [i], lambda a: a.dtype.name != "bfloat16")
            gd = free or gd
            feeds.update(more)
        return gd, feeds
    free, more = fed(gd, range(len(gd.node)) if len(c["steps"]) == 1 else [], lambda a: a.dtype.name in ("int32", "int64"))
    return (free, {**feeds, **more}) if free else (gd, feeds)


def fed(gd, places, suits):
    """The graph with small constants made placeholders, if it can be imported, and their values."""
    free, more = tf.GraphDef(), {}
    free.CopyFrom(gd)
    for n in (free.node[i] for i in places):
        if n.op != "Const" or n.input or n.attr["dtype"].type in (tf.resource.as_datatype_enum, tf.variant.as_datatype_enum):
            continue
        a = tf.make_ndarray(n.attr["value"].tensor)
        if not suits(a) or a.size > 24:
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
        return free, more
    except Exception:
        return None, {}


def refusals(c, blob, family, seed, takes_all, start, at, out):
    gd, feeds = opened(c, blob, seed is not None)
    b = Builder("dev", 1)
    fam = b.family(family)
    fetches = c["grad_of"]["ys"] if c["kind"] == "grad" else c["steps"][-1]["fetches"]
    changed = variants(feeds) if seed is None else pairs(feeds, np.random.RandomState(zlib.crc32(f"{c['id']} {seed}".encode()) % 2**31))
    for k, (what, given) in enumerate(changed):
        if k < start:
            continue
        with open(at, "w") as f:
            json.dump([k, what], f)
        signal.alarm(PATIENCE)
        g = tf.Graph()
        with g.as_default():
            tf.import_graph_def(gd, name="")
            steps = []
            with new_session(g) as s:
                for before in c["steps"][:-1]:
                    s.run([g.get_operation_by_name(n) for n in before.get("targets", [])], {n: tensor(v, blob) for n, v in before["feeds"].items()})
                    steps.append(dict(before, feeds={n: fam.tensor(tensor(v, blob)) for n, v in before["feeds"].items()}, fetches=[], expected={}))
                ask = {"feeds": {n: fam.tensor(v) for n, v in given.items()}, "fetches": list(fetches), "targets": []}
                try:
                    got = s.run(list(fetches), given)
                    if takes_all:
                        steps.append({**ask, "expected": {n: {**fam.tensor(v), "cmp": [1e-4, 1e-5]} for n, v in zip(fetches, got)}})
                        with open(out, "a") as f:
                            f.write(json.dumps(dict(op=None, id=c["id"], what=what, graph=graph_json(gd), steps=steps)) + "\n")
                except Exception as e:
                    rec = {"class": type(e).__name__, "message": core_message(e), "match": "exact"}
                    if not isinstance(e, tf.errors.OpError) or e.op is None or NO_KERNEL.search(rec["message"]):
                        continue
                    rec.update(code=e.error_code, node=e.op.name)
                    steps.append({**ask, "error": rec})
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
    ap.add_argument("--all", action="store_true")
    a = ap.parse_args()
    family = "wrong_shapes" if a.pairs is None else "wrong_pairs"
    folder = os.path.join(a.out, family)
    os.makedirs(folder, exist_ok=True)
    lines, at = os.path.join(folder, "lines"), os.path.join(folder, "at")
    open(lines, "w").close()
    for name, (c, blob) in sorted(chosen(a.dir, 1 if a.pairs is None else 2).items()):
        start = 0
        for _ in range(PATIENCE):
            with open(at, "w") as f:
                f.write("[0, null]")
            pid = os.fork()
            if pid == 0:
                resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
                try:
                    refusals(c, blob, family, a.pairs, a.all, start, at, lines)
                finally:
                    os._exit(0)
            status = os.waitpid(pid, 0)[1]
            if os.WIFEXITED(status):
                break
            k, what = json.loads(open(at).read() or "[0, null]")
            start = max(k, start) + 1
            if a.all:
                with open(lines, "a") as f:
                    f.write(json.dumps(dict(op=None, id=name, what=what, crash=os.WTERMSIG(status))) + "\n")
    kept = collections.OrderedDict()
    for line in open(lines):
        case = json.loads(line)
        if case["op"] is None:
            continue
        message = case["steps"][-1]["error"]["message"]
        kept.setdefault((case["op"], re.sub(r"-?\d+", "#", message)[:60]), case)
    cases = [dict(case, id=f"{family}/{n:04d}") for n, case in enumerate(kept.values())]
    with open(os.path.join(folder, "cases.json"), "w") as f:
        json.dump(cases, f)
    if not a.all:
        os.remove(lines)
    os.remove(at)
    print(len(cases), "refusals")


main()
