"""Random programs whose sizes follow from values, with effects and several fetches, and what TensorFlow gives and leaves in variables.
`python varying_sizes.py OUT.json [FIRST COUNT]` (70 programs); then pack with scripts/pack-golden.ts spec. The same words in tensorloom's API:
../varying-sizes.test.ts. An effect waits for the last one on its variable and for the reads since, so that TensorFlow has no choice."""
import json
import random
import sys

import numpy as np

from tfenv import tf

f32, i32 = tf.float32, tf.int32

def whole(s, most):  # a scalar as a small count
    return tf.cast(tf.minimum(tf.abs(s), float(most)), i32)

OPS = {
    "mask": lambda v, c: tf.boolean_mask(v, tf.greater(v, c)),
    "uniq": lambda v: tf.unique(v).y,
    "counts": lambda v: tf.cast(tf.unique_with_counts(v).count, f32),
    "part": lambda v, c, k: tf.dynamic_partition(v, tf.cast(tf.greater(v, c), i32), 2)[k],
    "found": lambda v, c: tf.gather(v, tf.reshape(tf.where(tf.less(v, c)), [-1])),
    "concat": lambda a, b: tf.concat([a, b], 0),
    "plus": lambda v, s: tf.add(v, s),
    "times": lambda v, c: tf.multiply(v, c),
    "reverse": lambda v: tf.reverse(v, [0]),
    "cumsum": lambda v: tf.cumsum(v),
    "sum": lambda v: tf.reduce_sum(v),
    "size": lambda v: tf.cast(tf.size(v), f32),
    "max": lambda v: tf.reduce_max(tf.concat([v, [-9.0]], 0)),
    "range": lambda s: tf.cast(tf.range(whole(s, 6)), f32),
    "fill": lambda s, c: tf.fill([whole(s, 5)], c),
    "head": lambda v, s: tf.slice(v, [0], [tf.minimum(whole(s, 4), tf.size(v))]),
    "words": lambda t: tf.cast(tf.string_to_hash_bucket_fast(tf.string_split(t).values, 7), f32),
    "random": lambda seed: tf.floor(tf.random_uniform([3], 0, 5, seed=seed)),
    "drawn": lambda s, seed: tf.floor(tf.random_uniform([whole(s, 4)], 0, 5, seed=seed)),
    "read": lambda var: tf.add(var, 0.0),
    "add": lambda var, s: tf.add(tf.assign_add(var, s), 0.0),
    "set": lambda var, v: tf.add(tf.assign(var, v, validate_shape=False), 0.0),
    "scatter": lambda var, v: tf.add(tf.scatter_add(var, tf.cast(tf.floormod(v, 3.0), i32), v), 0.0),
    "either": lambda s, c, v, w: tf.cond(tf.greater(s, c), lambda: tf.boolean_mask(v, tf.greater(v, c)), lambda: tf.multiply(w, 2.0)),
    "addif": lambda s, c, var, v: tf.cond(tf.greater(s, c), lambda: tf.add(tf.assign_add(var, tf.reduce_sum(tf.unique(v).y)), 0.0), lambda: tf.constant(-1.0)),
    "loop": lambda s, v: tf.while_loop(lambda i, a: tf.less(i, whole(s, 3)), lambda i, a: [i + 1, a + tf.reduce_sum(tf.boolean_mask(v, tf.greater(v, tf.cast(i, f32))))], [0, 0.0])[1],
    "grow": lambda s, v: tf.while_loop(lambda i, a: tf.less(i, whole(s, 3)), lambda i, a: [i + 1, tf.concat([a, tf.unique(v).y], 0)], [0, v], shape_invariants=[tf.TensorShape([]), tf.TensorShape([None])])[1],
    "checked": lambda v, s: tf.gather(v, tf.cast(s, i32)),
    "gradient": lambda v, c: tf.gradients(tf.reduce_sum(tf.square(tf.boolean_mask(v, tf.greater(v, c)))), v)[0],
}

def program(rng):
    vecs, scalars, statements = ["x", "z"], [], []
    last = {"u": [], "w": [], "d": []}  # reads since the last write, and it
    wrote = {"u": None, "w": None, "d": None}
    n = 0
    def emit(op, args, kind, var=None, writes=False, after=()):
        nonlocal n
        name = f"t{n}"; n += 1
        after = list(after)
        if var:
            after += ([wrote[var]] if wrote[var] else []) + (last[var] if writes else [])
            if writes: wrote[var], last[var] = name, []
            else: last[var].append(name)
        statements.append({"name": name, "op": op, "args": args, "after": sorted(set(after))})
        if kind == "v": vecs.append(name)
        elif kind == "s": scalars.append(name)
        return name
    V = lambda: rng.choice(vecs[-5:] + ["x"])
    c = lambda: float(rng.randint(-2, 3))
    emit("sum", ["x"], "s")
    S = lambda: rng.choice(scalars[-4:])
    for _ in range(rng.randint(6, 16)):
        maybe = [rng.choice([s["name"] for s in statements])] if rng.random() < 0.2 else []
        k = rng.choice(["mask", "uniq", "counts", "part", "found", "concat", "plus", "times", "reverse", "cumsum", "sum", "sum", "size", "max", "range", "fill", "head", "words", "random", "drawn",
                        "read", "read", "readw", "readd", "add", "add", "scatter", "set", "either", "addif", "loop", "grow", "checked", "gradient"])
        if k in ("mask", "found", "gradient"): emit(k, [V(), c()], "v", after=maybe)
        elif k in ("uniq", "counts", "reverse", "cumsum"): emit(k, [V()], "v", after=maybe)
        elif k == "part": emit(k, [V(), c(), rng.randint(0, 1)], "v", after=maybe)
        elif k == "concat": emit(k, [V(), V()], "v", after=maybe)
        elif k == "plus": emit(k, [V(), S()], "v", after=maybe)
        elif k == "times": emit(k, [V(), c()], "v", after=maybe)
        elif k in ("sum", "size", "max"): emit(k, [V()], "s", after=maybe)
        elif k == "range": emit(k, [S()], "v", after=maybe)
        elif k == "fill": emit(k, [S(), c()], "v", after=maybe)
        elif k == "head": emit(k, [V(), S()], "v", after=maybe)
        elif k == "words": emit(k, ["t"], "v", after=maybe)
        elif k == "random": emit(k, [rng.randint(1, 99)], "v", after=maybe)
        elif k == "drawn": emit(k, [S(), rng.randint(1, 99)], "v", after=maybe)
        elif k == "read": emit(k, ["u"], "s", "u", after=maybe)
        elif k == "readw": emit("read", ["w"], "v", "w", after=maybe)
        elif k == "readd": emit("read", ["d"], "v", "d", after=maybe)
        elif k == "add": emit(k, ["u", S()], "s", "u", True, after=maybe)
        elif k == "scatter": emit(k, ["w", V()], "v", "w", True, after=maybe)
        elif k == "set": emit(k, ["d", V()], "v", "d", True, after=maybe)
        elif k == "either": emit(k, [S(), c(), V(), V()], "v", after=maybe)
        elif k == "addif": emit(k, [S(), c(), "u", V()], "s", "u", True, after=maybe)
        elif k in ("loop",): emit(k, [S(), V()], "s", after=maybe)
        elif k == "grow": emit(k, [S(), V()], "v", after=maybe)
        elif k == "checked" and rng.random() < 0.3: emit(k, [V(), S()], "s", after=maybe)
    names = [s["name"] for s in statements]
    runs = []
    sets = [sorted(rng.sample(names, min(len(names), rng.randint(1, 4))), key=names.index) for _ in range(2)]
    for r in range(6):
        size = rng.choice([0, 1, 2, 3, 4, 5, 7])
        runs.append({"fetches": sets[r % 2], "x": [float(rng.randint(-3, 4)) for _ in range(size)], "z": [float(rng.randint(-3, 4)) for _ in range(rng.choice([1, 2, 3, 5]))],
                     "t": [" ".join(rng.choice("abcde") for _ in range(rng.randint(0, 3))) for _ in range(rng.randint(1, 3))]})
    return {"statements": statements, "runs": runs}

def build(p):
    env = {"x": tf.placeholder(f32, [None], name="x"), "z": tf.placeholder(f32, [None], name="z"), "t": tf.placeholder(tf.string, [None], name="t"),
           "u": tf.Variable(1.0, name="u"), "w": tf.Variable([1.0, 2.0, 3.0], name="w"), "d": tf.Variable([1.0, 2.0], name="d", validate_shape=False, expected_shape=None)}
    for s in p["statements"]:
        args = [env[a] if isinstance(a, str) else a for a in s["args"]]
        with tf.control_dependencies([env[a] for a in s["after"]]):
            if s["op"] in ("either", "addif"): args[0] = tf.identity(args[0])
            if s["op"] in ("loop", "grow"): args = [tf.identity(a) for a in args]
            env[s["name"]] = OPS[s["op"]](*args)
    return env

def record(p):
    with tf.Graph().as_default():
        tf.set_random_seed(7)
        env = build(p)
        init = tf.global_variables_initializer()
        with tf.Session(config=tf.ConfigProto(inter_op_parallelism_threads=1, intra_op_parallelism_threads=1)) as s:
            s.run(init)
            for run in p["runs"]:
                try:
                    got = s.run([env[f] for f in run["fetches"]], {env[k]: np.array(run[k], object if k == "t" else np.float32) for k in "xzt"})
                    run["want"] = [np.asarray(g, np.float64).tolist() for g in got]
                except tf.errors.OpError as e:
                    run["error"] = type(e).__name__
                    s.run(init)
                # what the run left
                if "error" not in run: run["left"] = [np.asarray(g, np.float64).tolist() for g in s.run([env["u"], env["w"], env["d"]])]
    return p

if __name__ == "__main__":
    first, count = [int(arg) for arg in sys.argv[2:4]] or (0, 70)
    out = []
    for seed in range(first, first + count):
        p = program(random.Random(seed))
        p["seed"] = seed
        try:
            out.append(record(p))
        except ValueError as error:  # a mask of unknown rank: no program
            print(seed, str(error)[:80], file=sys.stderr)
    json.dump(out, open(sys.argv[1], "w"), separators=(",", ":"))
