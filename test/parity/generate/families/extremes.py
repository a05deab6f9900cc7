"""Integers at the ends of their types through every operation that takes them, and casts of what is hard to cast."""
import ml_dtypes
import numpy as np

from ..recording import rows, run_errors

RAW = "tf.raw_ops."
INTEGERS = "int8 int16 int32 int64 uint8 uint16 uint32 uint64".split()


def ends(t):
    i = np.iinfo(t)
    values = [i.min, i.min + 1, i.max - 1, i.max, 0, 1, 2, 3, 7, i.bits - 1, i.bits, i.bits + 1, i.max // 2, i.max // 2 + 1]
    if i.min < 0:
        values += [-1, -2, -3, -7, i.min // 2, -i.bits]
    return np.array(sorted(set(values)), t)


def integers(b):
    b.family("integer_extremes")
    calls = []
    for t in INTEGERS:
        i, v = np.iinfo(t), ends(t)
        x, y = (m.reshape(-1) for m in np.meshgrid(v, v))
        two = dict(x=x, y=y)
        for o in "AddV2 Sub Mul Maximum Minimum SquaredDifference BitwiseAnd BitwiseOr BitwiseXor Equal Less GreaterEqual LeftShift RightShift".split():
            calls.append((f"{RAW}{o}(x=x, y=y)", two))
        for k in (v[0], v[-1]):
            calls.append((f"{RAW}Mul(x=x, y=y)", dict(x=v, y=k)))
        whole = (y != 0) & ~((x == i.min) & (y.astype("float64") == -1))
        for o in "Div FloorDiv TruncateDiv FloorMod Mod TruncateMod".split():
            calls.append((f"{RAW}{o}(x=x, y=y)", dict(x=x[whole], y=y[whole])))
        if i.min < 0:
            for o in "FloorDiv TruncateDiv FloorMod".split():
                calls.append((f"{RAW}{o}(x=x, y=y)", dict(x=np.array([i.min, 5], t), y=np.array([-1, 2], t))))
        small = (y >= 0) & (y < 70)
        calls += [(f"{RAW}Pow(x=x, y=y)", dict(x=x[small], y=y[small])), (f"{RAW}Pow(x=x, y=y)", dict(x=np.array([0, 1, 2, 3], t), y=np.full(4, i.max, t)))]
        calls += [(f"{RAW}{o}(x=x)", dict(x=v)) for o in "Neg Abs Sign Square Invert PopulationCount".split()]
        calls += [(f"{RAW}{o}(features=x)", dict(x=v)) for o in ("Relu", "Relu6")]
        m = np.stack([v, v[::-1], np.roll(v, 1)])
        calls += [(f"{RAW}{o}(input=x, axis={axis})", dict(x=m)) for o in "Sum Prod Max Min Mean".split() for axis in ([0], [1])]
        calls += [(f"{RAW}{o}(input=x, axis=[0])", dict(x=np.full((7, 3), i.max, t))) for o in ("Sum", "Mean", "Prod")]
        calls += [(f"{RAW}{o}(input=x, dimension=1)", dict(x=m)) for o in ("ArgMax", "ArgMin")]
        calls += [(f"{RAW}{o}(x=x, axis=1, exclusive={e}, reverse={r})", dict(x=m)) for o in ("Cumsum", "Cumprod") for e, r in ((False, False), (True, True))]
        calls += [(f"{RAW}MatMul(a=x, b=y)", dict(x=m, y=m.T.copy())), ("tf.einsum('ij,kj->ik', x, y)", dict(x=m, y=m)), (f"{RAW}AddN(inputs=[x, y, x])", two)]
        calls += [(f"{RAW}Segment{o}(data=x, segment_ids=[0, 0, 2])", dict(x=m)) for o in "Sum Prod Max Min Mean".split()]
        calls += [(f"{RAW}UnsortedSegment{o}(data=x, segment_ids=[0, 0, 2], num_segments=4)", dict(x=m)) for o in "Sum Prod Max Min".split()]
        calls += [(f"{RAW}TensorScatter{o}(tensor=x, indices=[[0], [0], [2]], updates=y)", dict(x=m, y=m[::-1].copy())) for o in "Add Sub Max Min".split()]
        calls += [(f"{RAW}BiasAdd(value=x, bias=y)", dict(x=m, y=v)), (f"{RAW}Cross(a=x, b=y)", dict(x=m[:, :3].copy(), y=m[:, -3:].copy()))]
        calls += [("tf.argsort(x, direction='DESCENDING', stable=True)", dict(x=m)), ("tf.sort(x)", dict(x=m)), (f"{RAW}TopKV2(input=x, k=5)", dict(x=m))]
        if t in ("int32", "int64", "uint32", "uint64", "int16", "uint16", "int8"):
            number = lambda n: np.array(n, t)
            calls += [(f"{RAW}Range(start=x, limit=y, delta=z)", dict(x=number(p), y=number(q), z=number(r))) for p, q, r in
                      [(i.max - 5, i.max, 2), (i.min, i.max, i.max)] + ([(i.min + 5, i.min, -2)] if i.min < 0 else [])]
    rows(b, calls, dynamic=0)
    run_errors(b, [f"{RAW}{o}(x=tf.constant([1, 2], tf.{t}), y=tf.constant([1, 0], tf.{t}))" for t in ("int8", "int32", "uint16", "uint64") for o in ("FloorDiv", "FloorMod", "Div")])


def casts(b):
    b.family("cast_extremes")
    floats, calls = "float16 bfloat16 float32 float64".split(), []
    numbers = sorted({float(s * (2.0**k + d)) for k in (7, 8, 15, 16, 31, 32, 63, 64) for d in (-1, -.5, 0, .5, 1) for s in (1, -1)}
                     | {0., .5, -.5, .99, -.99, 1.5, -1.5, 2.5, 1e10, -1e10, 1e20, -1e20, 3e38, -3e38, 65504., 65520., -65520.}) + [np.inf, -np.inf, np.nan, -0.]
    kinds = floats + ["complex64", "complex128", "bool"] + INTEGERS
    for s in kinds:
        with np.errstate(all="ignore"):
            dt = ml_dtypes.bfloat16 if s == "bfloat16" else np.dtype(s)
            v = np.array([True, False]) if s == "bool" else ends(s) if s in INTEGERS else np.array(numbers).astype(dt)
        for d in kinds:
            known = v
            if d in INTEGERS and s not in INTEGERS + ["bool"]:
                # What does not fit is cast another way in whole vectors than alone (docs/from-tensorflow.md): alone, then.
                i, real = np.iinfo(d), np.real(v).astype("float64")
                fits = np.isfinite(real) & (real > float(i.min) - 1) & (real < float(i.max))
                known = v[fits]
                calls += [(f"tf.cast(x, tf.{d})", dict(x=np.array(x))) for x in v[~fits][::5]]
            calls.append((f"tf.cast(x, tf.{d})", dict(x=known)))
            if s in floats + INTEGERS and d in INTEGERS:
                calls.append((f"tf.saturate_cast(x, tf.{d})", dict(x=known)))
    rows(b, calls, dynamic=0)


ALL = [integers, casts]
