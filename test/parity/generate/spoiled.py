"""Makes refusals of construction out of working calls: python -m generate.spoiled DIR … --out OUT [--seed N] [--per N] [--pairs N] [--only PATTERN] [--leave FILE]

The working calls are those of the recorded cases in DIR … (their placeholders written out) and of working_calls.py. Each argument of a call is spoiled in
turn: another rank, size or type, None, text for a number, a number outside its range, lists too long, too short or mixed, a word that no
attribute has, an illegal name; then two at once. TensorFlow's answer is recorded: class and message, or the static description of the result.
A call may end the process, so each working call's spoiled ones run in a child of their own.
"""
import argparse
import collections
import copy
import json
import os
import re
import signal
import zlib

from tensorflow.core.framework import types_pb2

from . import working_calls
from .core import shape_json
from .program import Interp, collections as graph_collections, compile_text, core_message, describe, ops_list, tf1_message
from .replay import load
from .tfenv import np, tf

PATIENCE = 8
# What Python itself says of a call; its wording is not TensorFlow's.
PYTHON = re.compile(
    r"positional argument|keyword argument|object is not (?:iterable|callable|subscriptable)|object has no attribute|unsupported operand type|"
    r"has no len\(\)|not supported between instances|object cannot be interpreted|must be a string, a bytes-like|to unpack|list indices must|"
    r"can only concatenate|can't multiply sequence|object of type|argument must be a|could not convert string to float|invalid literal for int|list index out of range|"
    r"tuple index out of range|index out of range|unhashable type|must be str, not|bad operand type|must be real number|not all arguments converted|format string|"
    r"is not in list|cannot unpack|a number is required|could not be broadcast|no ufunc|^ufunc|numpy|setting an array element|division by zero|expected str|object does not support|"
    r"must have the same (?:length|type)|isinstance\(\) arg|not an iterator|np\.|takes no arguments|arg must be|expected string or bytes|The truth value of an array|name '\w+' is not defined|zip\(\) argument|"
    r"%d format|issubclass\(\) arg|loop of ufunc|input operand has more dimensions|Cannot interpret|object is not a mapping|math domain|argument must be|must be None or a string|only (?:integer|length-1|0-dimensional)|has type .* but expected one of|bad argument type for built-in")


def literal(a):
    """A small array as a program's value."""
    return {"$array": a.tolist(), "dtype": a.dtype.name}


def placeholder(name, dtype, shape):
    return {"do": "call", "fn": "placeholder", "args": [{"$dtype": dtype}] + ([] if shape is None else [[d for d in shape]]), "as": name}


def working(directories):
    """Programs of the recorded cases: their placeholders, and the call."""
    for directory in directories:
        for family in sorted(os.listdir(directory)):
            for c in load(os.path.join(directory, family)) or []:
                if c["kind"] == "program":
                    yield c["program"]
                if c["kind"] not in ("run", "shape"):
                    continue
                text = c["python_call"]
                nodes = {n["name"]: n for n in c.get("graph", {}).get("node", [])}
                lines = []
                for word in sorted(set(re.findall(r"\b[a-z]\w*\b", text))):
                    n = nodes.get(word)
                    if n is None or re.search(rf"\b{word} *=(?!=)|\.{word}\b|\w\(.*\b{word}=", text):
                        continue
                    if n["op"] == "Placeholder":
                        dtype = tf.as_dtype(types_pb2.DataType.Value(n["attr"]["dtype"]["type"])).name
                        shape = (c.get("static_shapes") or {}).get(word + ":0", None)
                        lines.append(f"{word} = tf.placeholder(tf.{dtype}, {shape})" if shape is not None else f"{word} = tf.placeholder(tf.{dtype})")
                try:
                    yield compile_text("\n".join(lines + [text]))
                except Exception:
                    continue
    for text in working_calls.TEXTS:
        yield compile_text(text)


def identity(fn):
    """Aliases are one function."""
    o = tf
    for p in fn.split("."):
        o = getattr(o, p, None)
    return id(o)


def templates(directories, per, only):
    """The smallest programs that reach each function, cut off after the call."""
    best = collections.defaultdict(list)
    for program in working(directories):
        for i, ins in enumerate(program):
            if ins["do"] not in ("call", "method", "operator"):
                continue
            if ins["do"] == "call" and (ins["fn"].startswith("placeholder") and i < len(program) - 1):
                continue
            key = ins["fn"] if ins["do"] == "call" else ins["do"] + " " + ins["fn"]
            if only and not re.search(only, key):
                continue
            try:
                cut = json.dumps(program[: i + 1])
            except TypeError:
                continue
            if len(cut) < 4000:
                best[identity(key) if ins["do"] == "call" else key].append((len(cut), key, cut))
    for rows in best.values():
        seen, count = set(), 0
        for size, key, cut in sorted(rows):
            shape = json.dumps(sorted((json.loads(cut)[-1].get("kwargs") or {}).keys())), len(json.loads(cut)[-1].get("args", []))
            if shape in seen or cut in seen:
                continue
            seen.update({shape, cut})
            yield key, json.loads(cut)
            count += 1
            if count >= per:
                break


WORDS = [None, "SANE", 3, ""]


def tensor_variants(t):
    """Instructions' arguments of another dtype or static shape."""
    dtype = t.dtype.base_dtype.name
    shape = None if t.shape.rank is None else t.shape.as_list()
    found = []
    for other in ("int32", "string", "float64", "complex64", "bool", "uint8", "float32"):
        if other != dtype and tf.as_dtype(dtype) not in (tf.resource, tf.variant):
            found.append(("dtype " + other, other, shape))
    if shape is not None:
        found.append(("rank up", dtype, shape + [2]))
        found.append(("rank up front", dtype, [1] + shape))
        if shape:
            found.append(("rank down", dtype, shape[1:]))
            found.append(("scalar", dtype, []))
            found.append(("rank 7", dtype, [1] * (7 - min(6, len(shape))) + shape))
        for i, d in list(enumerate(shape))[:4]:
            found.append((f"axis {i}", dtype, shape[:i] + [(d or 6) + 5] + shape[i + 1:]))
        if shape:
            found.append(("empty", dtype, [0] * len(shape)))
            found.append(("sizes forgotten", dtype, [None] * len(shape)))
        found.append(("rank forgotten", dtype, None))
    return found


def spoiled_values(json_value, value, name, depth=0):
    """(what, extra instructions, value) for an argument."""
    out = []
    add = lambda what, v, *ins: out.append((what, list(ins), v))
    if isinstance(value, (tf.Tensor, tf.Variable)):
        for what, dtype, shape in tensor_variants(value):
            add(what, {"$": f"p_{name}"}, placeholder(f"p_{name}", dtype, shape))
        add("None", None)
        add("text", "x")
        add("list of None", [None])
        add("a list of it", [json_value])
        return out
    if isinstance(value, bool):
        for v in (None, "x", [], ):
            add(repr(v), v)
        return out
    if isinstance(value, int):
        for v in (-1, 0, 99, -99, 1.5, None, "x", [], [value, value], [[value]], True):
            if isinstance(v, bool) or v != value:
                add(repr(v), v)
        return out
    if isinstance(value, float):
        for v in ({"$float": -1.0}, {"$float": 0.0}, {"$float": 2.0}, None, "x", []):
            add(repr(v), v)
        return out
    if isinstance(value, str):
        for v in WORDS + [value.lower() if value.lower() != value else value.upper()]:
            add(repr(v), v)
        if name == "name":
            for v in ("bad name", "*x", "a//b", "/a", "_u", "a:0"):
                add(repr(v), v)
        return out
    if isinstance(value, tf.DType):
        for v in ("string", "int32", "float64", "complex64", "bool", "float16", "uint8", "int64"):
            if v != value.name:
                add(v, {"$dtype": v})
        add("no dtype", "foo")
        add("None", None)
        return out
    if isinstance(value, tf.TensorShape):
        for v in ([-1], [None], "x", None, 3):
            add(repr(v), v)
        return out
    if isinstance(value, np.ndarray):
        if value.dtype.kind in "if":
            for dtype in ("int32", "float32", "float64", "int64"):
                if dtype != value.dtype.name:
                    add("dtype " + dtype, literal(value.astype(dtype)))
            add("rank up", literal(value[None]))
            if value.ndim and value.shape[0]:
                add("rank down", literal(value[0]))
                add("longer", literal(np.concatenate([value, value[:1]])))
                add("shorter", literal(value[:-1]))
        add("None", None)
        add("text", "x")
        return out
    items = value if isinstance(value, (list, tuple)) else None
    j = json_value if isinstance(json_value, list) else json_value.get("$tuple") if isinstance(json_value, dict) and "$tuple" in json_value else None
    if items is not None and j is not None and len(j) == len(items):
        wrap = (lambda v: v) if isinstance(json_value, list) else (lambda v: {"$tuple": v})
        add("[]", wrap([]))
        if j:
            add("shorter", wrap(j[:-1]))
            add("longer", wrap(j + j[-1:]))
            add("nested", wrap([wrap(j)]))
            add("first only", j[0])
        if depth < 2:
            for i in sorted({0, len(j) - 1} if j else []):
                for what, ins, v in spoiled_values(j[i], items[i], f"{name}_{i}", depth + 1):
                    out.append((f"[{i}] {what}", ins, wrap(j[:i] + [v] + j[i + 1:])))
        add("None", None)
        add("text", "x")
        return out
    if isinstance(value, dict) and isinstance(json_value, dict) and "$map" in json_value:
        add("{}", {"$map": []})
        add("None", None)
        for i, (k, v) in enumerate(json_value["$map"][:3]):
            for what, ins, w in spoiled_values(v, list(value.values())[i], f"{name}_{i}", depth + 1)[:8]:
                m = copy.deepcopy(json_value)
                m["$map"][i][1] = w
                out.append((f"[{i}] {what}", ins, m))
        return out
    if isinstance(json_value, dict) and "$lambda" in json_value:
        f = json_value["$lambda"]
        for what, ret in (("gives None", None), ("gives text", "x"), ("gives an int", 1), ("gives a list", [f["ret"]]), ("gives two", [f["ret"], f["ret"]]), ("gives nothing", [])):
            add(what, {"$lambda": dict(f, ret=ret)})
        for what, dtype, shape in (("gives int64", "int64", []), ("gives a vector", "float32", [3]), ("gives unknown", "float32", None), ("gives bool", "bool", [])):
            add(what, {"$lambda": dict(f, body=f["body"] + [placeholder("p_r", dtype, shape)], ret={"$": "p_r"})})
        add("None", None)
        add("text", "x")
        add("a tensor", {"$": "p_f"}, placeholder("p_f", "float32", []))
        return out
    add("None", None)
    add("text", "x")
    add("5", 5)
    add("[]", [])
    return out


def defaults_of(fn):
    """TensorFlow's optional arguments of a public function."""
    import inspect
    o = tf
    for p in fn.split("."):
        o = getattr(o, p)
    try:
        s = inspect.signature(o)
    except (TypeError, ValueError):
        return [], []
    ps = [p for p in s.parameters.values() if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY) and p.name != "self"]
    return [p.name for p in ps], {p.name: p.default for p in ps if p.default is not p.empty}


def option_values(name, default):
    if name == "name":
        return ["bad name", "*x", 3]
    if isinstance(default, bool):
        return [None, "x", 3]
    if isinstance(default, int):
        return [-1, -99, 99, None, "x", 1.5, [1]]
    if isinstance(default, float):
        return [{"$float": -1.0}, {"$float": 2.0}, None, "x"]
    if isinstance(default, str):
        return ["SANE", None, 3]
    if isinstance(default, tf.DType):
        return [{"$dtype": "string"}, {"$dtype": "int32"}, {"$dtype": "complex64"}, None, "foo"]
    if isinstance(default, (list, tuple)):
        return [[], [-1], None, "x", 2, list(default) + [1]]
    if re.search("dtype|type", name):
        return [{"$dtype": "string"}, {"$dtype": "int32"}, "foo"]
    if re.search("axis|dim|num|size|depth|count|seed|max|min|k$", name):
        return [-99, 99, "x", [1, 2], 1.5]
    if re.search("shape", name):
        return [[-2], [7, 7, 7], "x", 3]
    return ["x", 99, [], {"$float": 1.0}]


def variants(program, rng, pairs):
    ins = program[-1]
    it = Interp()
    it.run(program[:-1])
    args = ins.get("args", [])
    kwargs = ins.get("kwargs", {})
    order, defaults = defaults_of(ins["fn"]) if ins["do"] == "call" else ([], {})
    singles = []
    for i, a in enumerate(args):
        name = order[i] if i < len(order) else f"a{i}"
        for what, extra, v in spoiled_values(a, it.val(a), name):
            singles.append((f"{name} {what}", extra, ("a", i, v)))
    for k, a in kwargs.items():
        for what, extra, v in spoiled_values(a, it.val(a), k):
            singles.append((f"{k} {what}", extra, ("k", k, v)))
    given = set(order[: len(args)]) | set(kwargs)
    for k, default in (defaults or {}).items():
        if k not in given:
            for v in option_values(k, default):
                singles.append((f"{k} = {v!r}"[:60], [], ("k", k, v)))

    def made(changes, extra):
        new = copy.deepcopy(ins)
        new.setdefault("args", [])
        for where, k, v in changes:
            if where == "a":
                new["args"][k] = v
            else:
                new.setdefault("kwargs", {})[k] = v
        return program[:-1] + extra + [new]
    if ins["do"] == "call" and args:
        yield "one argument fewer", program[:-1] + [dict(ins, args=args[:-1])]
    for what, extra, change in singles:
        yield what, made([change], extra)
    if len(singles) > 1:
        for _ in range(pairs):
            a, b = (singles[rng.randint(len(singles))] for _ in range(2))
            if a[2][:2] != b[2][:2]:
                yield f"{a[0]} & {b[0]}", made([a[2], b[2]], [x for x in a[1] + b[1]])


def described(v):
    if isinstance(v, (tf.Tensor, tf.Operation, tf.SparseTensor, tf.IndexedSlices, tf.TensorShape, tf.DType, str, bool, int, float)) or v is None:
        return describe(v)
    if isinstance(v, (list, tuple)) and len(v) < 60:
        return {"list": [described(x) for x in v]}
    try:
        return describe(v)
    except Exception:
        return None


def text_of(program):
    """A program as one reads it."""
    def value(v):
        if isinstance(v, list):
            return "[" + ", ".join(map(value, v)) + "]"
        if isinstance(v, dict):
            (k, x), *rest = v.items()
            return {"$": lambda: x, "$float": lambda: repr(float(x)), "$tuple": lambda: "(" + ", ".join(map(value, x)) + ("," if len(x) == 1 else "") + ")",
                    "$map": lambda: "{" + ", ".join(f"{value(a)}: {value(b)}" for a, b in x) + "}", "$dtype": lambda: "tf." + x, "$shape": lambda: f"T({x})",
                    "$array": lambda: f"A({x}, '{v.get('dtype')}')", "$tf": lambda: "tf." + x, "$attr": lambda: f"{value(x[0])}.{x[1]}",
                    "$item": lambda: f"{value(x[0])}[{x[1]!r}]", "$lambda": lambda: f"lambda {', '.join(x['params'])}: {lines(x['body'])}{value(x['ret'])}"}[k]()
        return repr(v)

    def line(i):
        args = ", ".join([value(a) for a in i.get("args", [])] + [f"{k}={value(a)}" for k, a in i.get("kwargs", {}).items()])
        what = {"call": lambda: f"tf.{i['fn']}({args})", "method": lambda: f"{value(i['on'])}.{i['fn']}({args})", "invoke": lambda: f"{value(i['on'])}({args})",
                "operator": lambda: f" {i['fn']} ".join(map(value, i["args"])), "let": lambda: value(i["value"]), "enter": lambda: f"enter {value(i['on'])}",
                "exit": lambda: "exit"}[i["do"]]()
        return f"{i['as']} = {what}" if i.get("as") else what

    def lines(body):
        return "".join(line(i) + "; " for i in body)
    return "\n".join(line(i) for i in program)


def answer(key, what, program):
    case = {"family": "spoiled", "op": key, "python_call": text_of(program), "tags": [what], "program": program}
    it = Interp()
    with tf.Graph().as_default() as g:
        try:
            it.run(program)
        except (KeyboardInterrupt, SystemExit, TimeoutError):
            return None
        except Exception as e:
            m = core_message(e) if isinstance(e, tf.errors.OpError) else str(e.args[0] if isinstance(e, KeyError) and e.args else e)
            match = "exact"
            for cut in ("Originally defined at:", "(graphs are "):
                if cut in m:
                    m, match = m[: m.index(cut) + len(cut)], "prefix"
            rec = {"class": type(e).__name__, "bases": [c.__name__ for c in type(e).__mro__[1:-1]], "message": m, "match": match}
            t1 = tf1_message(m)
            if t1 != m:
                rec["message_tf1"] = t1
            case.update(kind="construct_error", raises_at=it.at, error=rec)
            if isinstance(e, (AttributeError, IndexError, SyntaxError, NameError, AssertionError, OverflowError, ZeroDivisionError, UnboundLocalError)) or PYTHON.search(m.split("\n")[0]) or not m or isinstance(e, KeyError):
                case["tags"].append("python")
            elif "/site-packages/" in m or " at 0x" in m or "/work" in m:
                case["tags"].append("python")
        else:
            ins = program[-1]
            value = it.env.get(ins["as"])
            ops = ops_list(g)
            case.update(kind="program", expected={"values": {ins["as"]: described(value)}, "ops": ops, "collections": graph_collections(g)})
    return case


def child(key, program, seed, pairs, start, at, out):
    def late(*_):
        raise TimeoutError()
    signal.signal(signal.SIGALRM, late)
    rng = np.random.RandomState(zlib.crc32(f"{json.dumps(program)} {seed}".encode()) % 2**31)
    with tf.Graph().as_default():
        try:
            rows = list(variants(program, rng, pairs))
            Interp().run(program)
        except Exception as e:
            with open(out + ".skipped", "a") as f:
                f.write(f"{key}: {type(e).__name__} {str(e)[:100]}\n")
            return
    for k, (what, spoiled) in enumerate(rows):
        if k < start:
            continue
        with open(at, "w") as f:
            f.write(str(k))
        signal.alarm(PATIENCE)
        try:
            case = answer(key, what, spoiled)
            line = json.dumps(case, allow_nan=False) if case else None
        except Exception:
            line = None
        signal.alarm(0)
        if line:
            with open(out, "a") as f:
                f.write(line + "\n")


def main():
    ap = argparse.ArgumentParser(description=__doc__)
    ap.add_argument("dirs", nargs="*")
    ap.add_argument("--out", required=True)
    ap.add_argument("--seed", type=int, default=1)
    ap.add_argument("--per", type=int, default=1)
    ap.add_argument("--pairs", type=int, default=6)
    ap.add_argument("--only", default="")
    ap.add_argument("--leave", help="a JSON list of calls that are not kept")
    a = ap.parse_args()
    os.makedirs(a.out, exist_ok=True)
    lines, at = os.path.join(a.out, "lines"), os.path.join(a.out, "at")
    if not os.path.exists(lines):
        record(a, lines, at)
    keep(lines, a.out, set(json.load(open(a.leave))) if a.leave else set())


def record(a, lines, at):
    open(lines, "w").close()
    for key, program in templates(a.dirs, a.per, a.only):
        start = 0
        for _ in range(PATIENCE):
            with open(at, "w") as f:
                f.write("0")
            pid = os.fork()
            if pid == 0:
                os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
                try:
                    child(key, program, a.seed, a.pairs, start, at, lines)
                finally:
                    os._exit(0)
            if os.WIFEXITED(os.waitpid(pid, 0)[1]):
                break
            start = int(open(at).read() or 0) + 1


def keep(lines, out, left):
    """Of each operation the first refusals of two kinds of message."""
    kept, counts = collections.OrderedDict(), collections.Counter()
    for line in open(lines):
        case = json.loads(line)
        if "python" in case["tags"] or case["python_call"] in left:
            continue
        if "error" not in case:
            continue
        message = case["error"]["message"]
        kind = re.sub(r"'[^']*'|-?\d+|\[[^\]]*\]", "#", re.sub(r"\{\{node.*", "", message))[:50]
        if (case["op"], kind) not in kept and counts[case["op"]] < 2:
            kept[case["op"], kind] = case
            counts[case["op"]] += 1
    cases = [dict(case, id=f"spoiled/{n:04d}") for n, case in enumerate(kept.values())]
    os.makedirs(os.path.join(out, "spoiled"), exist_ok=True)
    with open(os.path.join(out, "spoiled", "cases.json"), "w") as f:
        json.dump(cases, f)
    print(len(cases), "calls")


if __name__ == "__main__":
    main()
