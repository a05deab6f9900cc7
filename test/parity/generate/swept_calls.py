"""What to ask of each op of tiers A and B: calls whose elements, sizes and attributes are rare. NaN, infinities, zeros of both signs, integers at the
ends of their types, sizes of 0, ranks of 0 and of 6 to 8, ties, repeated indices, axes from behind, strides beyond sizes, bytes that are no text.

`OPS[op]` lists (draw, how often): a draw yields arguments of tf.raw_ops. Arrays are fed, `K` is a constant of the graph, `Ref` and `Var` are variables.
"""
import itertools
import random

import ml_dtypes
from tensorflow.python.framework import op_def_registry

from .tfenv import np, session_config, tf

nan, inf = np.nan, np.inf
FL = ["float32", "float64", "float16", "bfloat16"]
IN = "int8 int16 int32 int64 uint8 uint16 uint32 uint64".split()
CX = ["complex64", "complex128"]


class K:
    def __init__(self, v):
        self.v = np.asarray(v)


class Ref:
    def __init__(self, v):
        self.v = v


class Var:
    def __init__(self, v):
        self.v = v


def npt(t):
    return object if t == "string" else tf.as_dtype(t).as_numpy_dtype


def types(op, attr="T"):
    for a in op_def_registry.get(op).attr:
        if a.name == attr:
            allowed = [tf.as_dtype(t).name for t in a.allowed_values.list.type] or FL + IN + CX + ["bool", "string"]
            return [t for t in allowed if t in FL + IN + CX + ["bool", "string"]]
    return []


F = [0., -0., 1, -1, .5, -.5, 2, -2, 3, 1.5, 2.5, -2.5, 10, -20, nan, inf, -inf, 1e-3]
R = random.Random()
ch = R.choice


def pool(t, wild=True):
    """Elements to draw from; `wild` has NaN, infinities, ends of integers; 2: infinite complex parts."""
    if t == "bool":
        return [True, False]
    if t == "string":
        return [b"", b"a", b"b", b"\xff\xfe", "é".encode(), b"a\x00b", b"12", b" 1.5 ", b"z" * 40]
    if t in FL:
        return F if wild else [x for x in F if np.isfinite(x)]
    if t in CX:
        p = [0., -0., 1, -1, .5, 2, -3] + ([inf, -inf, nan] if wild == 2 else [])
        return [complex(a, b) for a in p for b in p]
    i = np.iinfo(t)
    ends = {i.min, i.min + 1, i.max, i.max - 1, 0, 1, 2, 3, 7, i.max // 2} | ({-1, -2, -3} if i.min else set())
    return sorted(ends) if wild else [0, 1, 2, 3, 7] + ([-1, -2, -5] if i.min else [])


def filled(t, values):
    a = np.empty(len(values), npt(t))
    for i, x in enumerate(values):
        a[i] = x
    return a


def arr(t, shape, wild=None, few=False):
    """An array of drawn elements; `few`: of few values, so that some tie."""
    p = pool(t, R.random() < .7 if wild is None else wild)
    if few:
        p = R.sample(p, min(len(p), 3))
    n = int(np.prod(shape, dtype=int))
    v = [ch(p) for _ in range(n)]
    if t in FL and not wild and all(np.isfinite(x) for x in p) and R.random() < .5:
        v = [R.uniform(-3, 3) for _ in range(n)]
    return filled(t, v).reshape(shape)


def allof(t, wild=True):
    return filled(t, pool(t, wild))


def shape(lo=0, hi=8, zero=.25, big=.1, rank=None):
    r = rank if rank is not None else ch([k for k in [0, 1, 1, 2, 2, 3, 3, 4, 5, 6, 7, 8] if lo <= k <= hi])
    s = [ch([1, 2, 3] if r < 5 else [1, 1, 2]) for _ in range(r)]
    if s and R.random() < big:
        s[R.randrange(r)] = ch([17, 33, 8, 5])
    if s and R.random() < zero:
        s[R.randrange(r)] = 0
    return s


def broadcast(hi=8):
    """Two shapes that broadcast: ones in either, axes that either lacks."""
    a, b = (list(s) for s in [shape(0, hi)] * 2)
    for i in range(len(a)):
        c = R.random()
        if c < .2:
            a[i] = 1
        elif c < .4:
            b[i] = 1
    c = R.random()
    return (a[R.randint(0, len(a)):], b) if c < .25 else (a, b[R.randint(0, len(b)):]) if c < .5 else (a, b)


OPS = {}   # op -> function yielding kwargs
def op(*names, n=6):
    def d(f):
        for name in names: OPS.setdefault(name, []).append((f, n))
        return f
    return d
def args(o): return [a.name for a in op_def_registry.get(o).input_arg]
def b01(): return R.random() < .5
def ids(n, lo, hi, t="int32"): return np.array([R.randint(lo, hi) if hi >= lo else 0 for _ in range(n)], t)
def axis(r, t="int32"):
    a = R.randint(-r, r - 1) if r else ch([0, -1]); a = np.array(a, t)
    return K(a) if b01() else a
def axes(r, t="int32"):
    l = R.sample(range(r), R.randint(0, r)) if r else []
    a = np.array([x - r if b01() else x for x in l], t)
    if len(l) == 1 and b01(): a = a.reshape(())
    return K(a) if b01() else a
def vec(l, t="int32"):
    a = np.array(l, t)
    return K(a) if b01() else a

UNARY = "Abs Neg Exp Log Log1p Expm1 Sqrt Rsqrt Square Sign Reciprocal Inv Sigmoid Tanh Elu Relu Relu6 Selu Softplus Softsign LeakyRelu Sin Cos Tan Asin Acos Atan Sinh Cosh Ceil Floor Rint Round Erf Erfc Digamma Lgamma IsFinite IsInf IsNan Identity ZerosLike OnesLike StopGradient PreventGradient GuaranteeConst Rank Size Shape LogicalNot L2Loss Conj".split()
@op(*UNARY, n=4)
def unary(o):
    a = args(o)[0]
    for t in (types(o) or ["bool"]):
        yield {a: allof(t, 2)}
        yield {a: arr(t, shape())}
        if R.random() < .5: yield {a: arr(t, shape(6, 8))}
for o in "Real Imag ComplexAbs Angle".split():
    @op(o, n=3)
    def cx(o):
        for t in CX:
            kw = dict(Tout=tf.float32 if t == "complex64" else tf.float64)
            yield {args(o)[0]: allof(t, 2), **kw}
            yield {args(o)[0]: arr(t, shape()), **kw}
@op("Complex", n=2)
def complex_(o):
    for t in ("float32", "float64"):
        a, b = broadcast(); yield dict(real=arr(t, a), imag=arr(t, b), Tout=tf.complex64 if t == "float32" else tf.complex128)
BINARY = "Add AddV2 Sub Mul RealDiv FloorDiv FloorMod Mod TruncateDiv TruncateMod Maximum Minimum Pow SquaredDifference DivNoNan Equal NotEqual Less LessEqual Greater GreaterEqual LogicalAnd LogicalOr Atan2 BroadcastGradientArgs".split()
@op(*BINARY, n=4)
def binary(o):
    if o == "BroadcastGradientArgs": return
    for t in (types(o) or ["bool"]):
        p = allof(t, 2); x, y = [m.reshape(-1) for m in np.meshgrid(p, p)]
        if t in CX: k = R.sample(range(len(x)), 150); x, y = x[k], y[k]
        if o in ("FloorDiv", "FloorMod", "Mod", "TruncateDiv", "TruncateMod") and t in IN: k = y != 0; x, y = x[k], y[k]
        if o == "Pow" and t in IN: k = (y >= 0) & (y < 20); x, y = x[k], y[k]
        yield dict(x=x, y=y)
        yield dict(x=p, y=p[R.randrange(len(p))])
        yield dict(x=p[R.randrange(len(p))], y=p)
        a, b = broadcast()
        yield dict(x=arr(t, a), y=arr(t, b))
        a, b = broadcast(); 
        yield dict(x=arr(t, a), y=arr(t, b))
GRAD = "SigmoidGrad TanhGrad SqrtGrad RsqrtGrad ReciprocalGrad ReluGrad Relu6Grad EluGrad SeluGrad SoftplusGrad SoftsignGrad LeakyReluGrad".split()
@op(*GRAD, n=2)
def grads(o):
    a, b = args(o)
    for t in types(o):
        p = allof(t, 2); x, y = [m.reshape(-1) for m in np.meshgrid(p, p)]
        if t in CX: k = R.sample(range(len(x)), 150); x, y = x[k], y[k]
        yield {a: x, b: y}
        s = shape(); yield {a: arr(t, s), b: arr(t, s)}
@op("BroadcastGradientArgs", n=20)
def bga(o):
    a, b = broadcast(); yield dict(s0=np.array(a, "int32"), s1=np.array(b, "int32")); yield dict(s0=np.array(a, "int64"), s1=np.array(b, "int64"))
@op("Sum", "Mean", "Prod", "Max", "Min", n=4)
def reduce(o):
    for t in types(o):
        s = shape(); yield dict(input=arr(t, s), axis=axes(len(s), ch(["int32", "int64"])), keep_dims=b01())
        s = shape(); yield dict(input=arr(t, s, few=True), axis=axes(len(s)), keep_dims=b01())
@op("All", "Any", n=12)
def reduceb(o):
    s = shape(); yield dict(input=arr("bool", s), axis=axes(len(s)), keep_dims=b01())
@op("ArgMax", "ArgMin", n=4)
def arg(o):
    for t in types(o):
        s = shape(1, 7, zero=.2); a = R.randint(-len(s), len(s) - 1)
        if s[a] == 0: s[a] = 2
        yield dict(input=arr(t, s, few=b01()), dimension=K(np.array(a, "int32")), output_type=ch([tf.int32, tf.int64]))
@op("Cumsum", "Cumprod", n=4)
def cum(o):
    for t in types(o):
        s = shape(0 if b01() else 1, 8); yield dict(x=arr(t, s), axis=axis(len(s)), exclusive=b01(), reverse=b01())
@op("AddN", n=3)
def addn(o):
    for t in types(o):
        if t in ("bool", "string"): continue
        s = shape(); yield dict(inputs=[arr(t, s) for _ in range(ch([1, 2, 3, 9, 11]))])
@op("Cast", n=1)
def cast(o):
    for a in FL + IN + CX + ["bool"]:
        for b in FL + IN + CX + ["bool"]:
            p = allof(a, 2)
            if (a in FL or a in CX) and b in IN:
                i = np.iinfo(b); q = (p.real if a in CX else p).astype("float64"); p = p[np.isfinite(q) & (q > i.min - .5) & (q < i.max)]
            yield dict(x=p, DstT=tf.as_dtype(b))
            if R.random() < .2: yield dict(x=arr(a, shape(zero=.5), False), DstT=tf.as_dtype(b))
@op("Bitcast", n=1)
def bitcast(o):
    for a in FL + IN + CX:
        for b in FL + IN + CX:
            sa, sb = np.dtype(npt(a)).itemsize, np.dtype(npt(b)).itemsize
            s = shape(0, 6)
            if sb > sa: s = s + [sb // sa]
            yield dict(input=arr(a, s), type=tf.as_dtype(b))
@op("ClipByValue", n=2)
def clip(o):
    for t in types(o):
        if t in CX: continue
        s = shape(); yield dict(t=arr(t, s), clip_value_min=arr(t, ch([[], s])), clip_value_max=arr(t, ch([[], s])))
@op("Select", n=2)
def select(o):
    for t in FL + IN + CX + ["bool", "string"]:
        s = shape(); yield dict(condition=arr("bool", ch([s, [], s[:1]])), x=arr(t, s), y=arr(t, s))
@op("SelectV2", n=2)
def select2(o):
    for t in FL + IN + CX + ["bool", "string"]:
        a, b = broadcast(); c, _ = broadcast(); c = ch([a, b, [], [1] * len(b)]); yield dict(condition=arr("bool", c), t=arr(t, a), e=arr(t, b))
@op("Where", n=3)
def where(o):
    for t in FL + IN + CX + ["bool"]: yield dict(condition=arr(t, shape(1, 8)))
ANY = FL + IN + CX + ["bool", "string"]
def anyt(): return ch(ANY)
@op("Reshape", n=30)
def reshape(o):
    s = shape(); n = int(np.prod(s)); r = ch([s[::-1], [n], [1] * 3 + [n], [-1], [-1] + ([x for x in s if x] if n else [2]), s + [1], [n, 1]])
    yield dict(tensor=arr(anyt(), s), shape=vec(r, ch(["int32", "int64"])))
@op("Transpose", n=30)
def transpose(o):
    s = shape(); p = list(range(len(s))); R.shuffle(p); yield dict(x=arr(anyt(), s), perm=vec([k for k in p], ch(["int32", "int64"])))
@op("Concat", "ConcatV2", n=40)
def concat(o):
    s = shape(1, 8); a = R.randrange(len(s)); t = anyt(); v = []
    for _ in range(ch([2, 2, 3, 5])):
        q = list(s); q[a] = ch([0, 1, 2, s[a]]); v.append(arr(t, q))
    k = np.array(a - len(s) if b01() else a, "int32"); k = K(k) if b01() else k
    yield dict(concat_dim=k, values=v) if o == "Concat" else dict(axis=k, values=v)
@op("Pack", n=30)
def pack(o):
    s = shape(0, 7); yield dict(values=[arr(t, s) for t in [anyt()] for _ in range(ch([1, 2, 3]))], axis=R.randint(-len(s) - 1, len(s)))
@op("Unpack", n=30)
def unpack(o):
    s = shape(1, 8); a = R.randint(-len(s), len(s) - 1); yield dict(value=arr(anyt(), s), num=s[a], axis=a)
@op("Split", n=30)
def split(o):
    s = shape(1, 8); a = R.randint(-len(s), len(s) - 1); n = ch([1, 2, 3]); s[a] = ch([0, n, 2 * n]); yield dict(axis=K(np.array(a, "int32")), value=arr(anyt(), s), num_split=n)
@op("SplitV", n=30)
def splitv(o):
    s = shape(1, 8); a = R.randint(-len(s), len(s) - 1); z = [ch([0, 1, 2, 0]) for _ in range(ch([1, 2, 3]))]; s[a] = sum(z)
    if b01(): z[R.randrange(len(z))] = -1
    yield dict(value=arr(anyt(), s), size_splits=vec(z, ch(["int32", "int64"])), axis=K(np.array(a, "int32")), num_split=len(z))
@op("ExpandDims", n=20)
def expand(o):
    s = shape(0, 7); yield dict(input=arr(anyt(), s), axis=vec(R.randint(-len(s) - 1, len(s)), ch(["int32", "int64"])))
@op("Squeeze", n=20)
def squeeze(o):
    s = shape(); l = [i for i, d in enumerate(s) if d == 1]; yield dict(input=arr(anyt(), s), axis=[x - ch([0, len(s)]) for x in R.sample(l, R.randint(0, len(l)))])
@op("Tile", n=40)
def tile(o):
    s = shape(0, 7); yield dict(input=arr(anyt(), s), multiples=vec([ch([0, 1, 2, 1, 1, 3]) for _ in s], ch(["int32", "int64"])))
@op("BroadcastTo", n=40)
def broadcastto(o):
    s = shape(0, 6); q = [ch([0, 1, 2]) for _ in range(R.randint(0, 2))] + [ch([0, 2, 3]) if d == 1 and b01() else d for d in s]; yield dict(input=arr(anyt(), s), shape=vec(q, ch(["int32", "int64"])))
@op("Fill", n=20)
def fill(o): yield dict(dims=vec(shape(), ch(["int32", "int64"])), value=arr(anyt(), []))
@op("Pad", "PadV2", "MirrorPad", n=40)
def pad(o):
    s = shape(0, 8 if o == "Pad" else 7); t = anyt(); m = ch(["REFLECT", "SYMMETRIC"])
    def w(d): return ch([0, 0, 1, 2]) if o != "MirrorPad" else R.randint(0, max(0, min(2, d - (m == "REFLECT"))))
    kw = dict(input=arr(t, s), paddings=vec(np.array([[w(d), w(d)] for d in s], ch(["int32", "int64"])).reshape(-1, 2), ch(["int32", "int64"])))
    if o == "PadV2": kw["constant_values"] = arr(t, [])
    if o == "MirrorPad": kw["mode"] = m
    yield kw
@op("MirrorPadGrad", n=40)
def mpg(o):
    s = shape(1, 5, zero=.1); m = ch(["REFLECT", "SYMMETRIC"]); p = [[R.randint(0, max(0, min(2, d - (m == "REFLECT")))) for _ in "ab"] for d in s]
    yield dict(input=arr(ch(FL + IN + CX), [d + sum(q) for d, q in zip(s, p)]), paddings=vec(p), mode=m)
@op("Slice", n=40)
def slice_(o):
    s = shape(); b = [R.randint(0, d) for d in s]; z = [ch([-1, R.randint(0, d - x)]) for d, x in zip(s, b)]; t = ch(["int32", "int64"])
    b, z = vec(b, t), vec(z, t); yield dict(input=arr(anyt(), s), begin=b, size=z)
def strided(s):
    n = R.randint(0, len(s)); t = ch(["int32", "int64"])
    def lim(d): return ch([0, 1, -1, d, -d, d + 3, -d - 3, 2 ** 31 - 1, -2 ** 31 + 1])
    b = [lim(d) for d in s[:n]]; e = [lim(d) for d in s[:n]]; st = [ch([1, 1, -1, 2, -2, 7, -2 ** 31 + 1]) for _ in range(n)]
    kw = dict(begin_mask=R.randrange(2 ** n), end_mask=R.randrange(2 ** n))
    if b01():  # new axes and an ellipsis
        at = R.randint(0, n); b.insert(at, 0); e.insert(at, 0); st.insert(at, 1)
        kw["new_axis_mask" if b01() or len(s) == n else "ellipsis_mask"] = 1 << at
        kw["begin_mask"] = R.randrange(2 ** (n + 1))
    for i in range(n):
        if R.random() < .2 and s[i] and not kw.get("new_axis_mask") and not kw.get("ellipsis_mask"):
            st[i] = 1; b[i] = R.randint(-s[i], s[i] - 1); kw["shrink_axis_mask"] = kw.get("shrink_axis_mask", 0) | 1 << i; kw["begin_mask"] &= ~(1 << i)
    mk = K if R.random() < .7 else lambda x: x
    return dict(begin=mk(np.array(b, t)), end=mk(np.array(e, t)), strides=mk(np.array(st, t)), **kw)
@op("StridedSlice", n=120)
def ss(o):
    s = shape(0, 7); yield dict(input=arr(anyt(), s), **strided(s))
@op("StridedSliceGrad", n=80)
def ssg(o):
    s = shape(0, 6); kw = strided(s)
    with tf.Graph().as_default():
        q = {k: (v.v if isinstance(v, K) else v) for k, v in kw.items()}
        y = tf.raw_ops.StridedSlice(input=tf.zeros(s), **q).shape
    if y.rank is None: return
    yield dict(shape=vec(s, kw["begin"].v.dtype if isinstance(kw["begin"], K) else kw["begin"].dtype), dy=arr(anyt(), y.as_list()), **kw)
@op("Reverse", n=20)
def reverse(o):
    s = shape(0, 8); yield dict(tensor=arr(anyt(), s), dims=vec([b01() for _ in s], "bool"))
@op("ReverseV2", n=20)
def reverse2(o):
    s = shape(0, 8); yield dict(tensor=arr(anyt(), s), axis=axes(len(s)))  if len(s) != 1 else dict(tensor=arr(anyt(), s), axis=vec([0]))
@op("ReverseSequence", n=30)
def revseq(o):
    s = shape(2, 6); a, c = R.sample(range(len(s)), 2); yield dict(input=arr(anyt(), s), seq_lengths=ids(s[c], 0, s[a], ch(["int32", "int64"])), seq_dim=a, batch_dim=c)
@op("Roll", n=30)
def roll(o):
    s = shape(1, 6); n = ch([1, 2, 3]); yield dict(input=arr(anyt(), s), shift=vec([ch([0, 1, -1, 7, -100, 2 ** 31 - 1]) for _ in range(n)]), axis=vec([R.randint(-len(s), len(s) - 1) for _ in range(n)]))
@op("InvertPermutation", n=6)
def invp(o):
    p = list(range(ch([0, 1, 5, 20]))); R.shuffle(p); yield dict(x=np.array(p, "int32")); yield dict(x=np.array(p, "int64"))
@op("Range", n=6)
def range_(o):
    for t in types(o, "Tidx"):
        p = pool(t, False); d = ch([x for x in p if x and (t != "string")]); a = ch(p); b = a + d * ch([0, 1, 3, 4.5 if t in FL else 4])
        if t in IN and (b < np.iinfo(t).min or a < np.iinfo(t).min): continue
        yield dict(start=np.array(a).astype(npt(t)), limit=np.array(b).astype(npt(t)), delta=np.array(d).astype(npt(t)))
@op("LinSpace", n=20)
def linspace(o):
    for t in types(o): yield dict(start=arr(t, []), stop=arr(t, []), num=vec(ch([1, 2, 3, 10]), ch(["int32", "int64"])))
@op("OneHot", n=30)
def onehot(o):
    s = shape(0, 7); t = anyt(); yield dict(indices=ids(int(np.prod(s)), -2, 5, ch(["int32", "int64", "uint8" , "int8"])).reshape(s), depth=vec(ch([0, 1, 3, 5])), on_value=arr(t, []), off_value=arr(t, []), axis=R.randint(-1, len(s)))
@op("ShapeN", n=8)
def shapen(o): yield dict(input=[arr("float32", shape()) for _ in range(ch([1, 2, 3]))], out_type=ch([tf.int32, tf.int64]))
@op("IdentityN", n=4)
def idn(o): yield dict(input=[arr(anyt(), shape()) for _ in range(3)])
@op("EnsureShape", n=6)
def ens(o):
    s = shape(); yield dict(input=arr(anyt(), s), shape=[None if b01() else d for d in s])
IDX = ["int32", "int64"]
@op("Gather", n=30)
def gather(o):
    s = shape(1, 6); q = shape(0, 3); 
    if s[0] == 0 and b01(): q = [0] + q
    hi = s[0] - 1
    yield dict(params=arr(anyt(), s), indices=ids(int(np.prod(q)), 0, hi, ch(IDX)).reshape(q))
@op("GatherV2", n=80)
def gather2(o):
    s = shape(1, 6); a = R.randrange(len(s)); bd = R.randint(0, a); q = s[:bd] + shape(0, 3)
    if len(q) > 7: return
    yield dict(params=arr(anyt(), s), indices=ids(int(np.prod(q)), 0, s[a] - 1, ch(IDX)).reshape(q), axis=K(np.array(a - ch([0, len(s)]), ch(IDX))), batch_dims=bd)
def ndidx(s, k=None, n=None):
    k = R.randint(0, min(len(s), 5)) if k is None else k; q = shape(0, 2) if n is None else n
    return np.stack([ids(int(np.prod(q)), 0, d - 1) for d in s[:k]], -1).reshape(q + [k]) if k else np.zeros(q + [0], "int32"), q, k
@op("GatherNd", n=60)
def gathernd(o):
    s = shape(1, 7); i, q, k = ndidx(s); yield dict(params=arr(anyt(), s), indices=i.astype(ch(IDX)))
@op("ScatterNd", n=60)
def scatternd(o):
    s = shape(1, 6); i, q, k = ndidx(s); t = ch(IDX); yield dict(indices=i.astype(t), updates=arr(ch(FL + IN + CX), q + s[k:]), shape=vec(s, t))
@op("TensorScatterAdd", "TensorScatterSub", "TensorScatterUpdate", "TensorScatterMax", "TensorScatterMin", n=50)
def tscatter(o):
    s = shape(1, 6); i, q, k = ndidx(s); t = ch(FL + IN + (CX if o[-3:] not in ("Max", "Min") else [])); few = o.endswith("Update") 
    yield dict(tensor=arr(t, s), indices=i.astype(ch(IDX)), updates=arr(t, q + s[k:]))
@op("ScatterNdAdd", "ScatterNdSub", "ScatterNdUpdate", n=30)
def scatterndref(o):
    s = shape(1, 6); i, q, k = ndidx(s, R.randint(1, min(len(s), 5))); t = ch(FL + IN + CX); yield dict(ref=Ref(arr(t, s)), indices=i.astype(ch(IDX)), updates=arr(t, q + s[k:]))
@op("ScatterAdd", "ScatterSub", "ScatterUpdate", n=30)
def scatterref(o):
    s = shape(1, 6); q = shape(0, 2); t = ch(FL + IN + CX); yield dict(ref=Ref(arr(t, s)), indices=ids(int(np.prod(q)), 0, s[0] - 1, ch(IDX)).reshape(q), updates=arr(t, ch([q + s[1:], []])))
@op(*"ResourceScatterAdd ResourceScatterSub ResourceScatterMul ResourceScatterDiv ResourceScatterMin ResourceScatterMax ResourceScatterUpdate".split(), n=40)
def rscatter(o):
    s = shape(1, 6); q = shape(0, 2); t = ch(FL + IN + (CX if o[-3:] not in ("Max", "Min") else []))
    u = arr(t, ch([q + s[1:], []]))
    if o.endswith("Div") and t in IN: u = np.where(u == 0, 3, u).astype(t)
    yield dict(resource=Var(arr(t, s)), indices=ids(int(np.prod(q)), 0, s[0] - 1, ch(IDX)).reshape(q), updates=u)
@op(*"ResourceScatterNdAdd ResourceScatterNdSub ResourceScatterNdMin ResourceScatterNdMax ResourceScatterNdUpdate".split(), n=30)
def rscatternd(o):
    s = shape(1, 6); i, q, k = ndidx(s, R.randint(1, min(len(s), 5))); t = ch(FL + IN + (CX if o[-3:] not in ("Max", "Min") else [])); yield dict(ref=Var(arr(t, s)), indices=i.astype(ch(IDX)), updates=arr(t, q + s[k:]))
@op("ResourceGather", n=30)
def rgather(o):
    s = shape(1, 6); q = shape(0, 3); t = ch(FL + IN + CX + ["bool"]); 
    yield dict(resource=Var(arr(t, s)), indices=ids(int(np.prod(q)), 0, s[0] - 1, ch(IDX)).reshape(q), dtype=tf.as_dtype(t))
@op("ResourceGatherNd", n=20)
def rgathernd(o):
    s = shape(1, 6); i, q, k = ndidx(s, R.randint(1, min(len(s), 5))); t = ch(FL + IN + CX + ["bool"]); yield dict(resource=Var(arr(t, s)), indices=i.astype(ch(IDX)), dtype=tf.as_dtype(t))
@op("AssignAdd", "AssignSub", "Assign", n=12)
def assign(o):
    s = shape(); t = ch(FL + IN + CX); yield dict(ref=Ref(arr(t, s)), value=arr(t, s))
@op("AssignAddVariableOp", "AssignSubVariableOp", "AssignVariableOp", n=12)
def rassign(o):
    s = shape(); t = ch(FL + IN + CX); yield dict(resource=Var(arr(t, s)), value=arr(t, s))
@op("CountUpTo", n=6)
def count(o):
    t = ch(IDX); yield dict(ref=Ref(np.array(ch([np.iinfo(t).min, -5, 0, 4]), t)), limit=5)
@op("DynamicPartition", n=40)
def dpart(o):
    s = shape(0, 6); k = R.randint(0, len(s)); n = ch([1, 2, 3]); yield dict(data=arr(anyt(), s), partitions=ids(int(np.prod(s[:k])), 0, n - 1).reshape(s[:k]), num_partitions=n)
@op("DynamicStitch", n=40)
def dstitch(o):
    rest = shape(0, 3); t = anyt(); i = [shape(0, 3) for _ in range(ch([1, 2, 3]))]
    # all places named
    tot = sum(int(np.prod(q)) for q in i); v = list(range(tot)); R.shuffle(v)
    if tot > 2 and b01(): v[v.index(tot - 1)] = 0
    out, at = [], 0
    for q in i: n = int(np.prod(q)); out.append(np.array(v[at:at + n], "int32").reshape(q)); at += n
    yield dict(indices=out, data=[arr(t, q + rest) for q in i])
SEG = "SegmentSum SegmentMean SegmentProd SegmentMax SegmentMin".split()
@op(*SEG, n=4)
def seg(o):
    for t in types(o):
        s = shape(1, 6); i = np.sort(ids(s[0], 0, ch([0, 2, 5]), ch(IDX))); yield dict(data=arr(t, s), segment_ids=i)
@op("SegmentSumV2", "SegmentProdV2", "SegmentMaxV2", "SegmentMinV2", n=3)
def segv2(o):
    for t in types(o):
        s = shape(1, 6); i = np.sort(ids(s[0], ch([0, -1]), ch([0, 2, 5]), ch(IDX))); yield dict(data=arr(t, s), segment_ids=i, num_segments=vec(ch([0, 1, 3, 6, 9]), ch(IDX)))
@op("UnsortedSegmentSum", "UnsortedSegmentProd", "UnsortedSegmentMax", "UnsortedSegmentMin", n=5)
def useg(o):
    for t in types(o):
        s = shape(0, 6); k = R.randint(0, len(s)); n = ch([0, 1, 3, 5]); yield dict(data=arr(t, s), segment_ids=ids(int(np.prod(s[:k])), -2, n - 1, ch(IDX)).reshape(s[:k]), num_segments=vec(n, ch(IDX)))
@op("UnsortedSegmentJoin", n=10)
def usegj(o):
    s = shape(0, 4); k = R.randint(0, len(s)); n = ch([1, 3, 5]); k = len(s); yield dict(inputs=arr("string", s), segment_ids=ids(int(np.prod(s[:k])), 0, n - 1, ch(IDX)).reshape(s[:k]), num_segments=vec(n, ch(IDX)), separator=ch(["", ",", "é"]))
SPS = "SparseSegmentSum SparseSegmentMean SparseSegmentSqrtN".split()
@op(*SPS, n=12)
def sps(o):
    for t in types(o):
        s = shape(1, 4); n = ch([0, 1, 4]) if s[0] else 0; yield dict(data=arr(t, s), indices=ids(n, 0, s[0] - 1, ch(IDX)), segment_ids=np.sort(ids(n, 0, ch([0, 3]), ch(IDX))))
@op(*[x + "WithNumSegments" for x in SPS], n=12)
def spsn(o):
    for t in types(o):
        s = shape(1, 4); n = ch([0, 1, 4]) if s[0] else 0; yield dict(data=arr(t, s), indices=ids(n, 0, s[0] - 1, ch(IDX)), segment_ids=np.sort(ids(n, 0, ch([0, 3]), ch(IDX))), num_segments=vec(ch([4, 6]), ch(IDX)))
@op(*[x + "Grad" for x in SPS], n=12)
def spsg(o):
    for t in types(o):  # without indices TensorFlow tells of its memory
        s = shape(1, 4); n = ch([1, 1, 4]) if s[0] else 0; d = ch([1, 3, 5]);
        if n:
            yield dict(grad=arr(t, s), indices=ids(n, 0, d - 1, ch(IDX)), segment_ids=np.sort(ids(n, 0, s[0] - 1, ch(IDX))), output_dim0=vec(d))
@op(*[x + "GradV2" for x in SPS], n=8)
def spsg2(o):
    for t in types(o):
        s = shape(1, 4); n = ch([0, 1, 4]) if s[0] else 0; d = ch([1, 3, 5]); yield dict(grad=arr(t, s), indices=ids(n, 0, d - 1, ch(IDX)), segment_ids=np.sort(ids(n, 0, s[0] - 1, ch(IDX))), dense_output_dim0=vec(d))
def mm():
    m, k, n = [ch([0, 1, 2, 3, 5, 17]) for _ in range(3)]; return m, k, n
@op("MatMul", n=10)
def matmul(o):
    for t in types(o):
        m, k, n = mm(); a, b = b01(), b01(); yield dict(a=arr(t, [k, m] if a else [m, k]), b=arr(t, [n, k] if b else [k, n]), transpose_a=a, transpose_b=b)
@op("SparseMatMul", n=10)
def smatmul(o):
    m, k, n = mm(); a, b = b01(), b01(); yield dict(a=arr(ch(["float32", "bfloat16"]), [k, m] if a else [m, k], False), b=arr(ch(["float32", "bfloat16"]), [n, k] if b else [k, n], False), transpose_a=a, transpose_b=b, a_is_sparse=b01(), b_is_sparse=b01())
@op("BatchMatMul", "BatchMatMulV2", n=8)
def bmm(o):
    for t in types(o):
        m, k, n = mm(); a, b = b01(), b01(); p, q = broadcast(4)
        if o == "BatchMatMul": q = p
        yield dict(x=arr(t, p + ([k, m] if a else [m, k])), y=arr(t, q + ([n, k] if b else [k, n])), adj_x=a, adj_y=b)
@op("BatchMatMulV3", n=30)
def bmm3(o):
    t, u, v = ch([("float32", "float32", "float32"), ("int8", "int8", "int32"), ("uint8", "int8", "int32"), ("bfloat16", "bfloat16", "float32")])
    m, k, n = mm(); a, b = b01(), b01(); p, q = broadcast(4); yield dict(x=arr(t, p + ([k, m] if a else [m, k])), y=arr(u, q + ([n, k] if b else [k, n])), adj_x=a, adj_y=b, Tout=tf.as_dtype(v))
@op("Einsum", n=40)
def einsum(o):
    d = {c: ch([0, 1, 2, 3]) if R.random() < .4 else ch([1, 2, 3]) for c in "abcdij"}; e = ch(["ab,bc->ac", "ab->ba", "aab->b", "ab,ab->", "ab->", "a...b,b...c->...ac", "aa->a", ",->", "a,->a", "ab,cd->abcd", "...ab,...bc->...ac", "abc,cd->abd", "aab,bcc->ac", "->"])
    x = e.split("->")[0].split(",")
    t = ch(["float32", "float64", "int32", "int64", "complex64", "bfloat16"])
    el = shape(0, 2)
    yield dict(inputs=[arr(t, [d[c] for c in s.replace("...", "")] if "..." not in s else [d[c] for c in s.split("...")[0]] + el + [d[c] for c in s.split("...")[1]]) for s in x], equation=e)
@op("BiasAdd", n=6)
def biasadd(o):
    for t in types(o):
        if t in ("bool", "string"): continue
        s = shape(2, 5); yield dict(value=arr(t, s), bias=arr(t, [s[-1]]))
@op("BiasAddGrad", n=5)
def biasaddg(o):
    for t in types(o):
        if t in ("bool", "string"): continue
        yield dict(out_backprop=arr(t, shape(2, 5)))
@op("Softmax", "LogSoftmax", n=8)
def softmax(o):
    for t in types(o): yield dict(logits=arr(t, shape(1, 6)))
@op("SoftmaxCrossEntropyWithLogits", n=10)
def xent(o):
    for t in types(o):
        s = shape(rank=2); yield dict(features=arr(t, ch([s, [1, s[1]], [s[0], 1]])), labels=arr(t, s))
@op("SparseSoftmaxCrossEntropyWithLogits", n=10)
def sxent(o):
    for t in types(o):
        s = shape(rank=2)
        if s[1] == 0: s[1] = 2
        yield dict(features=arr(t, s), labels=ids(s[0], 0, s[1] - 1, ch(IDX)))
@op("LRN", n=10)
def lrn(o):
    for t in types(o): yield dict(input=arr(t, shape(rank=4)), depth_radius=ch([0, 1, 5]), bias=ch([1., 0., -1.]), alpha=ch([1., 0., .5]), beta=ch([.5, 1., 0.]))
@op("LRNGrad", n=10)
def lrng(o):
    for t in types(o):
        s = shape(rank=4, zero=.2); yield dict(input_grads=arr(t, s, False), input_image=arr(t, s, False), output_image=arr(t, s, False), depth_radius=ch([0, 1, 5]), bias=ch([1., 2.]), alpha=ch([1., 0., .5]), beta=ch([.5, 1.]))
def window(hw, n=2, big=True):
    """ksize, strides, padding, out sizes"""
    while True:
        k = [R.randint(1, 3) if R.random() < .7 else max(1, d) for d in hw]; s = [ch([1, 1, 2, 3, 5]) for d in hw]; p = ch(["SAME", "VALID"])
        o = [-(-d // t) if p == "SAME" else -(-(d - a + 1) // t) for d, a, t in zip(hw, k, s)]
        if min(o) >= 0: return k, s, p, o
def img(zero=.2):
    return [ch([0, 1, 2]) if R.random() < zero else ch([1, 2]), ch([1, 2, 4, 5, 7]), ch([1, 3, 4, 6]), ch([1, 2, 3, 4, 5])]
FL3 = ["float32", "float64", "float16", "bfloat16"]
@op("MaxPool", "AvgPool", n=20)
def pool_(o):
    for t in types(o):
        if t not in FL + IN: continue
        s = img(); k, st, p, out = window(s[1:3]); yield {"input" if o == "MaxPool" else "value": arr(t, s, few=b01()), "ksize": [1, *k, 1], "strides": [1, *st, 1], "padding": p}
@op("AvgPoolGrad", n=16)
def avgpoolg(o):
    for t in types(o):
        s = img(); k, st, p, out = window(s[1:3]); yield dict(orig_input_shape=vec(s), grad=arr(t, [s[0], *out, s[3]]), ksize=[1, *k, 1], strides=[1, *st, 1], padding=p)
def mxp(t, x, k, st, p):
    with tf.Graph().as_default(), tf.Session(config=session_config()) as s:
        try: return s.run(tf.raw_ops.MaxPool(input=x, ksize=[1, *k, 1], strides=[1, *st, 1], padding=p))
        except Exception: return None
@op("MaxPoolGrad", "MaxPoolGradGrad", "MaxPoolGradV2", "MaxPoolGradGradV2", n=8)
def maxpoolg(o):
    for t in types(o):
        s = img(); k, st, p, out = window(s[1:3]); x = arr(t, s, few=b01()); y = mxp(t, x, k, st, p)
        if y is None: continue
        k, st = [1, *k, 1], [1, *st, 1]
        if o.endswith("V2"): k, st = K(np.array(k, "int32")), K(np.array(st, "int32"))
        yield dict(orig_input=x, orig_output=y, grad=arr(t, s if "GradGrad" in o else list(y.shape)), ksize=k, strides=st, padding=p)
@op("MaxPoolWithArgmax", n=8)
def mpam(o):
    for t in types(o):
        s = img(); k, st, p, out = window(s[1:3]); yield dict(input=arr(t, s, few=b01()), ksize=[1, *k, 1], strides=[1, *st, 1], padding=p, Targmax=ch([tf.int32, tf.int64]), include_batch_in_index=b01())
@op("MaxPoolGradWithArgmax", n=8)
def mpgam(o):
    for t in types(o):
        s = img(); k, st, p, out = window(s[1:3]); inb = b01(); os_ = [s[0], *out, s[3]]
        per = int(np.prod(s[1:])); a = ids(int(np.prod(os_)), 0, per - 1, "int64").reshape(os_)
        if inb and s[0]: a = a + np.arange(s[0]).reshape(-1, 1, 1, 1) * per
        yield dict(input=arr(t, s), grad=arr(t, os_), argmax=a, ksize=[1, *k, 1], strides=[1, *st, 1], padding=p, include_batch_in_index=inb)
@op("MaxPool3D", "AvgPool3D", n=12)
def pool3(o):
    for t in types(o):
        s = img(); s.insert(1, ch([1, 2, 3])); k, st, p, out = window(s[1:4]); st = [min(a, b + 1) for a, b in zip(st, k)]; yield dict(input=arr(t, s, o == "AvgPool3D" and b01()), ksize=[1, *k, 1], strides=[1, *st, 1], padding=p)
@op("AvgPool3DGrad", n=12)
def avgpool3g(o):
    for t in types(o):
        s = img(); s.insert(1, ch([1, 2, 3])); k, st, p, _ = window(s[1:4]); st = [min(a, b + 1) for a, b in zip(st, k)]; out = [-(-d // t_) if p == "SAME" else -(-(d - a + 1) // t_) for d, a, t_ in zip(s[1:4], k, st)]
        yield dict(orig_input_shape=vec(s), grad=arr(t, [s[0], *out, s[4]]), ksize=[1, *k, 1], strides=[1, *st, 1], padding=p)
def conv(n=2, dil=True):
    s = img(); s = s[:1] + [ch([1, 2, 4, 5]) for _ in range(n)] + s[3:]; p = ch(["SAME", "VALID"] + (["EXPLICIT"] if n == 2 else []))
    while True:
        k = [R.randint(1, 3) for _ in range(n)]; st = [ch([1, 1, 2, 3]) for _ in range(n)]; d = [ch([1, 1, 2]) if dil else 1 for _ in range(n)]
        if n == 3: st = [min(a, (b - 1) * c + 2) for a, b, c in zip(st, k, d)]
        e = [[R.randint(0, 2), R.randint(0, 2)] if p == "EXPLICIT" else [0, 0] for _ in range(n)]
        o = [-(-a // t) if p == "SAME" else (a + sum(x) - (b - 1) * c - 1) // t + 1 for a, b, c, t, x in zip(s[1:-1], k, d, st, e)]
        if min(o) > 0: break
    kw = dict(strides=[1, *st, 1], dilations=[1, *d, 1], padding=p)
    if p == "EXPLICIT": kw["explicit_paddings"] = [0, 0] + sum(e, []) + [0, 0]
    return s, k, o, kw
@op("Conv2D", "Conv2DBackpropFilter", "Conv2DBackpropInput", n=25)
def conv2d(o):
    for t in types(o):
        if t == "int32" and o != "Conv2D": continue
        s, k, out, kw = conv(); g = ch([1, 1, s[3]]) if o == "Conv2D" else 1; oc = ch([1, 2, 3]) * (g if g > 1 else 1); f = [*k, s[3] // g, oc]; y = [s[0], *out, oc]; w = False if o != "Conv2D" and b01() else None
        if o == "Conv2D": yield dict(input=arr(t, s, w), filter=arr(t, f, w), **kw)
        elif o.endswith("Filter"): yield dict(input=arr(t, s, w), filter_sizes=vec(f), out_backprop=arr(t, y, w), **kw)
        else: yield dict(input_sizes=vec(s), filter=arr(t, f, w), out_backprop=arr(t, y, w), **kw)
@op("Conv3D", n=16)
def conv3d(o):
    for t in types(o):
        s, k, out, kw = conv(3, o == "Conv3D"); oc = ch([1, 2, 3]); f = [*k, s[-1], oc]; y = [s[0], *out, oc]; w = None if b01() else False
        if o == "Conv3D": yield dict(input=arr(t, s, w), filter=arr(t, f, w), **kw)
        else: kw.pop("dilations"); yield dict(input=arr(t, s, w), filter=arr(t, f, w), out_backprop=arr(t, y, w), **kw)
@op("DepthwiseConv2dNative", "DepthwiseConv2dNativeBackpropFilter", "DepthwiseConv2dNativeBackpropInput", n=16)
def dwconv(o):
    for t in types(o):
        s, k, out, kw = conv(2, False); 
        st = max(kw["strides"]); 
        if kw["strides"][1] != kw["strides"][2]: continue
        m = ch([1, 2]); f = [*k, s[-1], m]; y = [s[0], *out, s[-1] * m]; w = None if b01() else False
        if o == "DepthwiseConv2dNative": yield dict(input=arr(t, s, w), filter=arr(t, f, w), **kw)
        elif o.endswith("Filter"): yield dict(input=arr(t, s, w), filter_sizes=vec(f), out_backprop=arr(t, y, w), **kw)
        else: yield dict(input_sizes=vec(s), filter=arr(t, f, w), out_backprop=arr(t, y, w), **kw)
@op("Dilation2D", "Dilation2DBackpropFilter", "Dilation2DBackpropInput", n=10)
def dil(o):
    for t in types(o):
        s, k, out, kw = conv(2); 
        if kw["padding"] == "EXPLICIT": continue
        f = [*k, s[-1]]; y = [s[0], *out, s[-1]]; w = None if b01() else False
        a = dict(input=arr(t, s, w), filter=arr(t, f, w), strides=kw["strides"], rates=kw["dilations"], padding=kw["padding"])
        if o != "Dilation2D": a["out_backprop"] = arr(t, y, w)
        yield a
@op("FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3", n=12)
def fbn(o):
    for t in ["float32"] + (["float16", "bfloat16"] if o != "FusedBatchNorm" else []):
        s = img(.3); c = s[3]; tr = b01(); e = ch([1., .5]) if tr else 1.
        u = "float32"; w = b01()
        yield dict(x=arr(t, s, w), scale=arr(u, [c], w), offset=arr(u, [c], w), mean=arr(u, [0] if tr and e == 1. else [c], w), variance=np.abs(arr(u, [0] if tr and e == 1. else [c], w)), epsilon=ch([.001, 0., .1]), exponential_avg_factor=e, is_training=tr)
@op("FusedBatchNormGrad", "FusedBatchNormGradV2", "FusedBatchNormGradV3", n=12)
def fbng(o):
    for t in ["float32"] + (["float16", "bfloat16"] if o != "FusedBatchNormGrad" else []):
        s = img(.3); c = s[3]; u = "float32"; w = b01(); kw = dict(y_backprop=arr(t, s, w), x=arr(t, s, w), scale=arr(u, [c], w), reserve_space_1=arr(u, [c], w), reserve_space_2=np.abs(arr(u, [c], w)), epsilon=ch([.001, .1]), is_training=b01())
        if o.endswith("V3"): kw["reserve_space_3"] = np.zeros([0], "float32")
        yield kw
for o, names in dict(InTopK=("predictions", "targets", "k"), InTopKV2=("predictions", "targets", "k")).items():
    @op(o, n=16)
    def intopk(o):
        s = shape(rank=2)
        if s[1] == 0: s[1] = 1
        t = ch(IDX); k = ch([0, 1, 2, 5]); yield dict(predictions=arr("float32", s, few=b01()), targets=ids(s[0], -1, s[1], t), k=k if o == "InTopK" else np.array(k, t))
@op("TopKV2", n=6)
def topk(o):
    for t in types(o):
        s = shape(1, 6); k = R.randint(0, s[-1]); yield dict(input=arr(t, s, few=b01()), k=k if o == "TopK" else vec(k), sorted=True)
@op("Unique", "UniqueWithCounts", n=3)
def unique(o):
    for t in ANY: yield dict(x=arr(t, [ch([0, 1, 5, 20])], few=b01()), out_idx=ch([tf.int32, tf.int64]))
@op("UniqueV2", "UniqueWithCountsV2", n=3)
def uniquev2(o):
    for t in ANY:
        s = shape(1, 4); yield dict(x=arr(t, s, few=b01()), axis=np.array([R.randint(-len(s), len(s) - 1)], ch(IDX)) if len(s) > 1 or b01() else np.array([], "int64"), out_idx=ch([tf.int32, tf.int64]))
@op("ListDiff", n=3)
def listdiff(o):
    for t in ANY: yield dict(x=arr(t, [ch([0, 1, 9])]), y=arr(t, [ch([0, 1, 9])]), out_idx=ch([tf.int32, tf.int64]))
@op("Bincount", n=20)
def bincount(o):
    s = shape(0, 4); n = int(np.prod(s)); t = ch(["int32", "int64", "float32", "float64"]); yield dict(arr=ids(n, 0, 6).reshape(s), size=vec(ch([0, 1, 4, 9])), weights=arr(t, ch([s, [0]])))
@op("SpaceToDepth", "DepthToSpace", n=16)
def s2d(o):
    t = anyt(); b = ch([2, 3]); s = [ch([0, 1, 2]), ch([b, 2 * b, 0]), ch([b, 2 * b]), ch([1, 2])]
    if o == "DepthToSpace": s = [s[0], ch([0, 1, 2]), ch([1, 3]), ch([1, 2]) * b * b]
    yield dict(input=arr(t, s), block_size=b)
@op("SpaceToBatchND", "BatchToSpaceND", n=24)
def s2b(o):
    t = ch(FL + IN + CX + ["bool"]); n = ch([1, 1, 2, 3, 4]); b = [ch([1, 2, 3]) for _ in range(n)]; p = [[ch([0, 1]), ch([0, 1, 2])] for _ in range(n)]; m = ch([1, 2]); rest = shape(0, 2)
    if o[0] == "S":
        sp = []
        for i in range(n):
            d = b[i] * ch([1, 2]) - sum(p[i])
            while d < 0: d += b[i]
            sp.append(d)
        yield dict(input=arr(t, [ch([0, 1, 2])] + sp + rest), block_shape=vec(b, ch(IDX)), paddings=vec(p, ch(IDX)))
    else:
        sp = [ch([2, 3]) for _ in range(n)]; p = [[min(x, 1) for x in q] for q in p]
        p = [[R.randint(0, 1), R.randint(0, max(0, d * c - 1))] for d, c in zip(sp, b)]
        yield dict(input=arr(t, [int(np.prod(b)) * ch([0, 1, 2])] + sp + rest), block_shape=vec(b, ch(IDX)), crops=vec(p, ch(IDX)))
@op("ExtractImagePatches", n=20)
def eip(o):
    for t in ["float32", "int32", "bool", "uint8", "float16"]:
        s, k, out, kw = conv(2)
        if kw["padding"] == "EXPLICIT": continue
        yield dict(images=arr(t, s), ksizes=[1, *k, 1], strides=kw["strides"], rates=kw["dilations"], padding=kw["padding"])
@op("MatrixBandPart", n=20)
def mbp(o):
    s = shape(2, 6); t = ch(FL + IN + CX + ["bool"]); u = ch(IDX); yield dict(input=arr(t, s), num_lower=np.array(R.randint(-1, s[-2]), u), num_upper=np.array(R.randint(-1, s[-1]), u))
@op("MatrixDiag", n=10)
def mdiag(o): yield dict(diagonal=arr(ch(FL + IN + CX + ["bool"]), shape(1, 5)))
@op("MatrixDiagPart", n=10)
def mdp(o): yield dict(input=arr(ch(FL + IN + CX + ["bool"]), shape(2, 5)))
@op("MatrixSetDiag", n=10)
def msd(o):
    s = shape(2, 5); t = ch(FL + IN + CX + ["bool"]); yield dict(input=arr(t, s), diagonal=arr(t, s[:-2] + [min(s[-2:])]))
def kk(r, c):
    a = R.randint(-r + 1, c - 1) if r and c else 0; b = R.randint(a, c - 1) if c else a
    return (a, b) if b01() else (a, a)
ALIGN = ["LEFT_RIGHT", "RIGHT_LEFT", "LEFT_LEFT", "RIGHT_RIGHT"]
@op("MatrixDiagPartV2", "MatrixDiagPartV3", n=30)
def mdp2(o):
    s = shape(2, 5, zero=.15); t = ch(FL + IN + CX + ["bool"]); a, b = kk(*s[-2:]); kw = dict(input=arr(t, s), k=vec([a, b]), padding_value=arr(t, []))
    if o.endswith("V3"): kw["align"] = ch(ALIGN)
    yield kw
def diaglen(r, c, a, b): return max(0, min(r + min(b, 0), c - max(a, 0)))
@op("MatrixSetDiagV2", "MatrixSetDiagV3", n=30)
def msd2(o):
    s = shape(2, 5, zero=.15); t = ch(FL + IN + CX + ["bool"]); a, b = kk(*s[-2:]); l = diaglen(*s[-2:], a, b); d = s[:-2] + ([b - a + 1] if a != b else []) + [l]
    kw = dict(input=arr(t, s), diagonal=arr(t, d), k=vec([a, b]))
    if o.endswith("V3"): kw["align"] = ch(ALIGN)
    yield kw
@op("MatrixDiagV2", "MatrixDiagV3", n=30)
def mdiag2(o):
    r, c = ch([1, 2, 3, 5]), ch([1, 2, 4]); t = ch(FL + IN + CX + ["bool"]); a, b = kk(r, c); l = diaglen(r, c, a, b); kw = dict(diagonal=arr(t, shape(0, 3) + ([b - a + 1] if a != b else []) + [l]), k=vec([a, b]), num_rows=vec(r), num_cols=vec(c), padding_value=arr(t, []))
    if o.endswith("V3"): kw["align"] = ch(ALIGN)
    yield kw
@op("MatrixInverse", "Qr", n=8)
def matinv(o):
    for t in types(o):
        n = ch([0, 1, 2, 3]); m = n if o != "Qr" else ch([1, 2, 4, 0]); x = np.asarray(arr(t, shape(0, 2) + [m, n], False))
        yield {("input" if o != "Qr" else "input"): x + (np.eye(m, n) * 5).astype(x.dtype), **(dict(adjoint=b01()) if o != "Qr" else dict(full_matrices=b01()))}
@op("CheckNumerics", n=4)
def checkn(o):
    for t in types(o): yield dict(tensor=arr(t, shape(), False), message="m"); yield dict(tensor=arr(t, [3]), message="m")
# images
UI = ["uint8", "int8", "uint16", "int16", "int32", "int64", "float16", "float32", "float64"]
@op("ResizeBilinear", "ResizeBicubic", "ResizeNearestNeighbor", "ResizeArea", n=8)
def resize(o):
    for t in UI:
        s = img(); a = b01(); h = b01() and not a and o != "ResizeArea"; kw = dict(align_corners=a)
        if o != "ResizeArea": kw["half_pixel_centers"] = h
        yield dict(images=arr(t, s, ch([True, False, False]) if t in IN else False), size=vec([ch([1, 2, 3, 8]), ch([1, 2, 7])]), **kw)
@op("ResizeBilinearGrad", "ResizeBicubicGrad", n=12)
def resizeg(o):
    for t in ["float32", "float64"]:
        s = img(); a = b01(); yield dict(grads=arr("float32", s, None if b01() else False), original_image=arr(t, [s[0], ch([1, 3, 5]), ch([1, 2, 6]), s[3]]), align_corners=a, half_pixel_centers=b01() and not a)
@op("ResizeNearestNeighborGrad", n=12)
def resizenn(o):
    for t in types(o):
        s = img(); a = b01(); yield dict(grads=arr(t, s), size=vec([ch([1, 3, 5]), ch([1, 2, 6])]), align_corners=a, half_pixel_centers=b01() and not a)
@op("CropAndResize", n=20)
def crop(o):
    s = img(0); n = ch([0, 1, 3]); t = ch(UI); yield dict(image=arr(t, s, False), boxes=np.array([[ch([0, 1, .5, -1, 2]) for _ in range(4)] for _ in range(n)], "f").reshape(n, 4), box_ind=ids(n, 0, s[0] - 1), crop_size=vec([ch([1, 2, 3]), ch([1, 4])]), method=ch(["bilinear", "nearest"]), extrapolation_value=ch([0., -1., nan, inf]))
@op("AdjustContrastv2", n=10)
def adjc(o):
    for t in (types(o) if o == "AdjustContrast" else ["float32", "float16"]):
        s = shape(0, 2) + img()[1:]; kw = dict(images=arr(t, s, None if b01() else False), contrast_factor=arr("float32", [], b01()))
        if o == "AdjustContrast": kw.update(min_value=np.float32(-5), max_value=np.float32(ch([5, 200])))
        yield kw
@op("AdjustHue", "AdjustSaturation", n=14)
def adjh(o):
    for t in ["float32", "float16"]:
        s = shape(0, 3) + [3]; kw = dict(images=np.abs(arr(t, s, None if b01() else False))); kw["delta" if o == "AdjustHue" else "scale"] = np.float32(ch([0, 1, -1, .5, 3, -2.5, 100])); yield kw
@op("RGBToHSV", "HSVToRGB", n=10)
def hsv(o):
    for t in types(o): yield dict(images=arr(t, shape(0, 4) + [3], None if b01() else False)); yield dict(images=np.abs(arr(t, shape(0, 4) + [3], False)))
@op("DrawBoundingBoxes", n=14)
def drawb(o):
    for t in ["float32", "float16"]:
        s = img(); s[3] = ch([1, 3, 4]); n = ch([0, 1, 3]); yield dict(images=arr(t, s), boxes=np.array([[ch([0, 1, .5, -1, 2, .25]) for _ in range(4)] for _ in range(n * s[0])], "f").reshape(s[0], n, 4))
def boxes(n): return np.array([[ch([0, 1, .5, .25, .75, 2, -1]) for _ in range(4)] for _ in range(n)], "f").reshape(n, 4)
@op(*["NonMaxSuppression" + v for v in ["", "V2", "V3", "V4", "V5"]], n=24)
def nms(o):
    n = ch([0, 1, 3, 8]); sc = arr("float32", [n], few=b01()); sc = np.where(np.isnan(sc), 1, sc).astype("f"); kw = dict(boxes=boxes(n), scores=sc, max_output_size=vec(ch([0, 1, 3, 20])))
    th = np.float32(ch([0, .5, 1, .25]))
    if o == "NonMaxSuppression": kw["iou_threshold"] = float(th)
    else: kw["iou_threshold"] = th
    if o[-2:] in ("V3", "V4", "V5"): kw["score_threshold"] = np.float32(ch([0, -inf, .5, 1, inf]))
    if o[-2:] in ("V4", "V5"): kw["pad_to_max_output_size"] = b01()
    if o[-2:] == "V5": kw["soft_nms_sigma"] = np.float32(ch([0, .5, 1]))
    yield kw
@op("NonMaxSuppressionWithOverlaps", n=20)
def nmso(o):
    n = ch([0, 1, 3, 6]); ov = arr("float32", [n, n], False); sc = arr("float32", [n], few=b01()); sc = np.where(np.isnan(sc), 1, sc).astype("f"); yield dict(overlaps=ov, scores=sc, max_output_size=vec(ch([0, 1, 3, 20])), overlap_threshold=np.float32(ch([0, .5, 1])), score_threshold=np.float32(ch([0, -inf, .5, 1])))
@op("CTCGreedyDecoder", n=14)
def ctcg(o):
    for t in types(o):
        tm, b, c = ch([0, 1, 4]), ch([1, 2]), ch([1, 2, 4]); yield dict(inputs=arr(t, [tm, b, c], False), sequence_length=ids(b, 0, tm), merge_repeated=b01(), blank_index=ch([-1, 0]))
@op("CTCLoss", n=20)
def ctcl(o):
    for t in types(o):
        tm, b, c = ch([1, 4, 6]), ch([1, 2, 3]), ch([2, 3, 4]); rows = [[R.randrange(c - 1) for _ in range(ch([0, 1, 2]))] for _ in range(b)]
        idx = [(i, j) for i, r in enumerate(rows) for j in range(len(r))]
        yield dict(inputs=arr(t, [tm, b, c], False if b01() else None), labels_indices=np.array(idx, "int64").reshape(-1, 2), labels_values=np.array(sum(rows, []), "int32"), sequence_length=ids(b, ch([0, tm]), tm), preprocess_collapse_repeated=b01(), ctc_merge_repeated=b01(), ignore_longer_outputs_than_inputs=b01())
@op("CTCBeamSearchDecoder", n=10)
def ctcb(o):
    for t in types(o):
        tm, b, c = ch([1, 4]), ch([1, 2]), ch([2, 4]); yield dict(inputs=arr(t, [tm, b, c], False), sequence_length=ids(b, 0, tm), beam_width=ch([1, 3]), top_paths=1, merge_repeated=b01())
# strings
@op("AsString", n=4)
def asstring(o):
    for t in FL + IN + CX + ["bool"]:
        kw = {}
        if t in FL + CX: kw = ch([{}, dict(precision=3), dict(scientific=True), dict(shortest=True), dict(width=9, fill=ch([" ", "0", "-", "+", ""])), dict(precision=0)])
        elif t in IN: kw = ch([{}, dict(width=5), dict(width=5, fill="0"), dict(width=5, fill="-")])
        yield dict(input=allof(t, 2), **kw); yield dict(input=arr(t, shape()), **kw)
@op("StringToNumber", n=2)
def s2n(o):
    S = [b"1", b" 1 ", b"-0", b"nan", b"inf", b"-inf", b"1e39", b"-1e400", b"1e-50", b"0x1p3", b"+5", b"1.5e3", b"9223372036854775807", b"-9223372036854775808", b"2147483647", b"", b"1_0", b"infinity", b"NaN", b"1.", b".5", b"1e", b"99999999999999999999", b"00012", b"0x10", b"1f", b"\xff", b"4294967295", b"18446744073709551615", b"-1", b"1 2", b"3.4028235e38", b"3.4028236e38", b"1.7976931348623157e308", b"-0.0", b"1e5"]
    for t in ["float32", "float64", "int32", "int64", "uint32", "uint64"]:
        for s in S: yield dict(string_tensor=np.array(s, object), out_type=tf.as_dtype(t))
@op("StringJoin", n=14)
def sjoin(o):
    s = shape(); yield dict(inputs=[arr("string", ch([s, s, []])) for _ in range(ch([1, 2, 3]))], separator=ch(["", ",", "é"]))
@op("StringSplit", n=24)
def ssplit(o):
    p = [b"", b"a b", b" a  b ", b",a,,b,", b"\xff,\xfe", "é,ü".encode(), b"a\x00b c"]; n = ch([0, 1, 4]); a = np.empty(n, object); a[:] = [ch(p) for _ in range(n)]
    yield dict(input=a, delimiter=np.array(ch([b" ", b",", b"", b" ,", "é".encode(), b"\x00"]), object), skip_empty=b01())
@op("StringSplitV2", n=24)
def ssplit2(o):
    p = [b"", b"a b", b" a  b ", b",a,,b,", b"\xff,\xfe", "é,ü".encode(), b"a\x00b c", b"a\t\n b"]; n = ch([0, 1, 4]); a = np.empty(n, object); a[:] = [ch(p) for _ in range(n)]
    yield dict(input=a, sep=np.array(ch([b" ", b",", b"", b",,", "é".encode()]), object), maxsplit=ch([-1, 0, 1, 2]))
@op("RegexReplace", n=20)
def rr(o): yield dict(input=arr("string", shape()), pattern=np.array(ch([b"a", b"", b"[ab]+", b".", b"(.)(.)", b"^", b"$", b"\\s*"]), object), rewrite=np.array(ch([b"", b"x", b"\\0\\0", b"\\\\"]), object), replace_global=b01())
@op("DecodeRaw", n=5)
def draw(o):
    for t in FL + IN + CX + ["bool"]:
        s = shape(0, 5); k = np.dtype(npt(t)).itemsize * ch([0, 1, 2]); a = np.empty(int(np.prod(s)), object); a[:] = [bytes(R.randrange(2 if t == "bool" else 256) for _ in range(k)) for _ in range(a.size)]
        yield dict(bytes=a.reshape(s), out_type=tf.as_dtype(t), little_endian=b01())
# sparse
def sparse(t, s, n=None, wild=None):
    cells = list(itertools.product(*[range(d) for d in s])); n = min(len(cells), R.randint(0, 4)) if n is None else n
    i = sorted(R.sample(cells, n)); return np.array(i, "int64").reshape(n, len(s)), arr(t, [n], wild), np.array(s, "int64")
NUM = FL + IN + CX
@op("SparseAdd", n=24)
def sadd(o):
    s = shape(1, 4); t = ch(["float32", "float64", "int32", "int64", "complex64", "int8", "int16"]); th = {"complex64": "float32"}.get(t, t); a, b = sparse(t, s), sparse(t, s)
    yield dict(a_indices=a[0], a_values=a[1], a_shape=a[2], b_indices=b[0], b_values=b[1], b_shape=b[2], thresh=np.array(ch([0, 1]), th))
@op("SparseConcat", n=16)
def sconcat(o):
    s = shape(1, 4); t = anyt(); a = R.randrange(len(s)); l = []
    for _ in range(ch([2, 3])): q = list(s); q[a] = ch([0, 1, 3]); l.append(sparse(t, q))
    yield dict(indices=[x[0] for x in l], values=[x[1] for x in l], shapes=[x[2] for x in l], concat_dim=a - ch([0, len(s)]))
@op("SparseDenseCwiseAdd", "SparseDenseCwiseMul", "SparseDenseCwiseDiv", n=24)
def sdc(o):
    s = shape(1, 4); t = ch(["float32", "float64", "int32", "int64", "float16"]); a = sparse(t, s); d = [1 if b01() else x for x in s][R.randint(0, len(s)):] if b01() else s; y = arr(t, d)
    if t in IN: y = np.where(y == 0, 1, y).astype(t)
    yield dict(sp_indices=a[0], sp_values=a[1], sp_shape=a[2], dense=y)
@op("SparseFillEmptyRows", n=16)
def sfer(o):
    s = shape(1, 4); t = anyt(); a = sparse(t, s); yield dict(indices=a[0], values=a[1], dense_shape=a[2], default_value=arr(t, []))
@op("SparseFillEmptyRowsGrad", n=10)
def sferg(o):
    t = ch(NUM); n = ch([0, 1, 3]); m = n + ch([0, 2]); yield dict(reverse_index_map=np.array(R.sample(range(m), n), "int64"), grad_values=arr(t, [m]))
@op("SparseReduceSum", "SparseReduceMax", n=24)
def sred(o):
    s = shape(1, 4); t = ch(["float32", "float64", "int32", "int64"] + (["complex64"] if o == "SparseReduceSum" else [])); a = sparse(t, s); yield dict(input_indices=a[0], input_values=a[1], input_shape=a[2], reduction_axes=axes(len(s)), keep_dims=b01())
@op("SparseReduceSumSparse", "SparseReduceMaxSparse", n=24)
def sreds(o):
    s = shape(1, 4); t = ch(["float32", "float64", "int32", "int64"]); a = sparse(t, s); yield dict(input_indices=a[0], input_values=a[1], input_shape=a[2], reduction_axes=axes(len(s)), keep_dims=b01())
@op("SparseReorder", n=16)
def sreorder(o):
    s = shape(1, 5); a = sparse(anyt(), s); p = np.array(R.sample(range(len(a[1])), len(a[1])), int); yield dict(input_indices=a[0][p], input_values=a[1][p], input_shape=a[2])
@op("SparseReshape", n=16)
def sreshape(o):
    s = shape(1, 4); a = sparse("float32", s); n = int(np.prod(s)); yield dict(input_indices=a[0], input_shape=a[2], new_shape=np.array(ch([[n], [-1], s[::-1], [1, n, 1], [-1, 1]]), "int64"))
@op("SparseSlice", n=16)
def sslice(o):
    s = shape(1, 4); a = sparse(anyt(), s); yield dict(indices=a[0], values=a[1], shape=a[2], start=np.array([R.randint(0, d) for d in s], "int64"), size=np.array([R.randint(0, d + 2) for d in s], "int64"))
@op("SparseSoftmax", n=16)
def ssoft(o):
    s = shape(2, 4); a = sparse(ch(["float32", "float64", "float16"]), s); yield dict(sp_indices=a[0], sp_values=a[1], sp_shape=a[2])
@op("SparseSparseMaximum", "SparseSparseMinimum", n=16)
def ssmax(o):
    s = shape(1, 4); t = ch(["float32", "float64", "int32", "int64"]); a, b = sparse(t, s), sparse(t, s); yield dict(a_indices=a[0], a_values=a[1], a_shape=a[2], b_indices=b[0], b_values=b[1], b_shape=b[2])
@op("SparseSplit", n=16)
def ssp(o):
    s = shape(1, 4, zero=.1); d = R.randrange(len(s)); n = R.randint(1, max(1, s[d])); a = sparse(anyt(), s); yield dict(split_dim=np.array(d, "int64"), indices=a[0], values=a[1], shape=a[2], num_split=n)
@op("SparseTensorDenseAdd", n=16)
def stda(o):
    s = shape(1, 5); t = ch(NUM); a = sparse(t, s); yield dict(a_indices=a[0], a_values=a[1], a_shape=a[2], b=arr(t, s))
@op("SparseTensorDenseMatMul", n=30)
def stdm(o):
    m, k, n = mm(); t = ch(["float32", "float64", "int32", "complex64", "float16", "bfloat16"]); x, y = b01(), b01(); a = sparse(t, [k, m] if x else [m, k]); yield dict(a_indices=a[0], a_values=a[1], a_shape=a[2], b=arr(t, [n, k] if y else [k, n]), adjoint_a=x, adjoint_b=y)
@op("SparseToDense", n=24)
def std(o):
    s = shape(1, 5); t = anyt(); a = sparse(t, s); u = ch(IDX); i = a[0].astype(u)
    if len(s) == 1 and b01(): i = i.reshape(-1)
    yield dict(sparse_indices=i, output_shape=vec(s, u), sparse_values=ch([a[1], arr(t, [])]), default_value=arr(t, []))
@op("SparseBincount", n=12)
def sbin(o):
    s = shape(rank=ch([1, 2])); t = ch(["float32", "int32", "float64", "int64"]); a = sparse("int32", s); u = ch(IDX); v = np.abs(a[1] % 7).astype(u); yield dict(indices=a[0], values=v, dense_shape=a[2], size=np.array(ch([0, 4, 9]), u), weights=arr(t, ch([[0], [len(v)]])), binary_output=b01())
@op("SparseCountSparseOutput", n=12)
def scnt(o):
    s = shape(rank=ch([1, 2])); t = ch(["float32", "int32", "float64", "int64"]); a = sparse("int32", s); v = np.abs(a[1] % 7).astype(ch(IDX)); yield dict(indices=a[0], values=v, dense_shape=a[2], weights=arr(t, ch([[0], [len(v)]])), binary_output=False, minlength=ch([-1, 0, 3]), maxlength=ch([-1, 5]))
# optimizers
FLV = ["float32", "float64", "float16", "bfloat16"]
def lr(t): return np.array(ch([0, .1, .5, 1, 2, inf, nan, -1]), npt(t)) if R.random() < .3 else np.array(ch([.1, .5]), npt(t))
APPLY = {
 "ApplyGradientDescent": "var alpha# delta", "ApplyAdagrad": "var accum lr# grad", "ApplyAdagradV2": "var accum lr# epsilon# grad", "ApplyMomentum": "var accum lr# grad momentum#", "ApplyRMSProp": "var ms mom lr# rho# momentum# epsilon# grad", "ApplyAdam": "var m v beta1_power# beta2_power# lr# beta1# beta2# epsilon# grad",
}
ATTRS = {"ApplyAdagrad": ["update_slots"], "ApplyAdagradV2": ["update_slots"], "ApplyMomentum": ["use_nesterov"], "ApplyAdam": ["use_nesterov"]}
SPARSE = {
 "SparseApplyAdadelta": "var accum accum_update lr# rho# epsilon# grad~", "SparseApplyAdagrad": "var accum lr# grad~", "SparseApplyAdagradDA": "var gradient_accumulator gradient_squared_accumulator grad~ lr# l1# l2# global_step!", "SparseApplyAdagradV2": "var accum lr# epsilon# grad~",
 "SparseApplyCenteredRMSProp": "var mg ms mom lr# rho# momentum# epsilon# grad~", "SparseApplyFtrl": "var accum linear grad~ lr# l1# l2# lr_power#", "SparseApplyFtrlV2": "var accum linear grad~ lr# l1# l2# l2_shrinkage# lr_power#", "SparseApplyMomentum": "var accum lr# grad~ momentum#", "SparseApplyKerasMomentum": "var accum lr# grad~ momentum#",
 "SparseApplyProximalAdagrad": "var accum lr# l1# l2# grad~", "SparseApplyProximalGradientDescent": "var alpha# l1# l2# grad~", "SparseApplyRMSProp": "var ms mom lr# rho# momentum# epsilon# grad~"}
def applied(spec, cls, t, s, rows):
    kw = {}
    for w in spec.split():
        n = w.rstrip("#~!")
        if w.endswith("#"):
            v = lr(t)
            if n == "lr_power": v = np.array(ch([-.5, -1, 0]), npt(t))
            if n in ("l1", "l2", "l2_shrinkage", "epsilon", "lr") : v = np.abs(v); v = np.array(.5, npt(t)) if not np.isfinite(float(v)) else v
            kw[n] = v
        elif w.endswith("!"): kw[n] = np.array(ch([1, 5]), "int64")
        elif w.endswith("~"): kw[n] = arr(t, [rows] + s[1:])
        elif n in ("delta", "grad"): kw[n] = arr(t, s)
        else:
            v = arr(t, s); kw[n] = cls(np.abs(v) if n in ("accum", "accum_update", "ms", "v", "gradient_squared_accumulator", "mg") and b01() else v)
    return kw
for name, spec in APPLY.items():
    for pre, cls in (("", Ref), ("Resource", Var)):
        @op(pre + name, n=4)
        def ap(o, spec=spec, cls=cls, name=name):
            for t in FLV:
                kw = applied(spec, cls, t, shape(0, 5), 0)
                for a in ATTRS.get(name, []): kw[a] = b01()
                yield kw
for name, spec in SPARSE.items():
    for pre, cls in (("", Ref), ("Resource", Var)):
        if op_def_registry.get(pre + name) is None: continue
        @op(pre + name, n=6)
        def sap(o, spec=spec, cls=cls, name=name):
            for t in FLV:
                s = shape(1, 4); n = min(ch([0, 1, 3]), s[0]); kw = applied(spec, cls, t, s, n); kw["indices"] = np.array(R.sample(range(s[0]), n), ch(IDX)); yield kw
# stateless random
SEED = lambda: np.array([R.randint(-5, 5), ch([0, -1, 2 ** 31 - 1])], ch(IDX))
@op("StatelessRandomNormal", "StatelessRandomUniform", "StatelessTruncatedNormal", n=10)
def sr(o): yield dict(shape=vec(shape(), ch(IDX)), seed=SEED(), dtype=tf.as_dtype(ch(FL)))
@op("StatelessRandomUniformInt", n=14)
def sri(o):
    t = ch(IDX); i = np.iinfo(t); a, b = sorted([ch(pool(t)), ch(pool(t))]); 
    if a == b: b = i.max; a = i.min
    yield dict(shape=vec(shape()), seed=SEED(), minval=np.array(a, t), maxval=np.array(b, t))
@op("StatelessRandomUniformFullInt", n=8)
def srf(o): yield dict(shape=vec(shape()), seed=SEED(), dtype=tf.as_dtype(ch(["int32", "int64", "uint32", "uint64"])))
@op("StatelessRandomPoisson", n=14)
def srp(o):
    s = shape(0, 2); t = ch(["float16", "float32", "float64", "int32", "int64"]); yield dict(shape=vec(shape(0, 2) + s), seed=SEED(), lam=np.array(np.abs(arr(t, s, False)), npt(t)), dtype=tf.as_dtype(ch(["float16", "float32", "float64", "int32", "int64"])))
@op("StatelessRandomBinomial", n=14)
def srb(o):
    s = shape(0, 2); t = ch(["float32", "float64"]); yield dict(shape=vec(shape(0, 2) + s), seed=SEED(), counts=np.abs(arr(t, s, False)), probs=np.array([ch([0, 1, .5, .25]) for _ in range(int(np.prod(s)))], t).reshape(s), dtype=tf.as_dtype(ch(["float16", "float32", "float64", "int32", "int64"])))
@op("StatelessRandomGammaV2", n=14)
def srg(o):
    s = shape(0, 2); t = ch(["float16", "float32", "float64"]); yield dict(shape=vec(shape(0, 2) + s), seed=SEED(), alpha=np.abs(arr(t, s, False)) + npt(t)(.25))
@op("StatelessMultinomial", n=14)
def smn(o):
    t = ch(["float32", "float64", "float16", "bfloat16"]); b, c = ch([0, 1, 2]), ch([1, 2, 4]); yield dict(logits=arr(t, [b, c], False), num_samples=vec(ch([0, 1, 3])), seed=SEED(), output_dtype=ch([tf.int32, tf.int64]))
@op("StatelessParameterizedTruncatedNormal", n=14)
def sptn(o):
    t = ch(["float32", "float64"]); s = shape(0, 2); yield dict(shape=vec(shape(0, 2) + s), seed=SEED(), means=arr(t, s, False), stddevs=np.abs(arr(t, s, False)) + npt(t)(.25), minvals=np.full(s, ch([-inf, -3, -1, 5]), t), maxvals=np.full(s, ch([inf, 6, 7]), t))


def floats(*v):
    return np.array(v, "float32")


def zeros(*s):
    return np.zeros(s, "float32")


def ftrl(**changed):
    """A step on one row of two, of a variable whose linear part is NaN in the other."""
    given = dict(var=Ref(floats(1, 2)), accum=Ref(floats(1, inf)), linear=Ref(floats(nan, 1)), grad=floats(3, 1), lr=np.float32(.5), l1=np.float32(1), l2=np.float32(.1), lr_power=np.float32(-.5), indices=np.array([0, 1]))
    return dict(given, **changed)


def adagrad(var, rows):
    return dict(var=Ref(var), accum=Ref(var), lr=np.float32(1), grad=var[:rows], indices=np.arange(rows))


def labels(*pairs, **others):
    return dict(inputs=np.ones([1, 2, 3], "float32"), labels_indices=np.array(pairs, "int64"), labels_values=np.ones(len(pairs), "int32"), sequence_length=np.array([1, 1], "int32"), **others)


def texts(*v):
    return filled("string", [t.encode() for t in v])


SMALL = dict(ksize=[1, 1, 2, 1], strides=[1, 1, 1, 1], padding="SAME")
STILL = dict(strides=[1, 1, 1, 1], rates=[1, 1, 1, 1], padding="VALID")
# What once went another way here, values and refusals.
FOUND = {
    "LinSpace": [dict(start=np.float32(.001), stop=np.float32(-inf), num=K(np.int32(10))), dict(start=np.float32(-inf), stop=np.float32(-inf), num=K(np.int32(2)))],
    "SplitV": [dict(value=zeros(n), size_splits=np.array([-1]), axis=np.int32(0), num_split=1) for n in (3, 0)],
    "Reverse": [dict(tensor=zeros(0, 3), dims=np.array([True, True])), dict(tensor=zeros(3, 0), dims=np.array([True, True]))],
    "ResourceScatterDiv": [dict(resource=Var(np.ones([3, 2], t)), indices=np.array([1]), updates=np.array(0, t)) for t in ("float32", "complex64")],
    "SparseApplyFtrl": [ftrl(), ftrl(lr=np.float32(0)), ftrl(lr=np.float32(0), multiply_linear_by_lr=True), ftrl(l1=np.float32(-1)), ftrl(l2=np.float32(nan)), ftrl(lr_power=np.float32(1)),
                        ftrl(var=Ref(zeros(2, 0)), accum=Ref(zeros(2, 0)), linear=Ref(zeros(2, 0)), grad=zeros(2, 0))],
    "ApplyProximalAdagrad": [dict(var=Ref(floats(1, 2)), accum=Ref(floats(1, 2)), lr=np.float32(lr), l1=np.float32(l1), l2=np.float32(1), grad=floats(1, nan)) for lr, l1 in ((.5, 1), (0, 1), (.5, -1))],
    "SparseApplyAdagrad": [adagrad(zeros(3, 0), 1), adagrad(zeros(3, 0), 0), adagrad(zeros(0, 2), 0)],
    "SparseDenseCwiseMul": [dict(sp_indices=np.zeros([0, 3], "int64"), sp_values=zeros(0), sp_shape=np.array([3, 0, 2]), dense=zeros(*s)) for s in ((1, 2), (2,), (3, 1, 1))],
    "SoftmaxCrossEntropyWithLogits": [dict(features=zeros(*a), labels=zeros(*b)) for a, b in (((1, 1), (1, 0)), ((2, 0), (2, 1)), ((1, 2), (0, 2)))],
    "TensorScatterAdd": [dict(tensor=zeros(*s), indices=np.zeros([0, 0], "int32"), updates=zeros(0, *s)) for s in ((3,), (0,))],
    "ScatterNd": [dict(indices=np.zeros([0, 0], "int32"), updates=zeros(0, 3), shape=np.array([3], "int32"))],
    "Dilation2DBackpropInput": [dict(input=np.array([3, 2**64 - 2, 2**63, 1], "uint64").reshape(1, 2, 2, 1), filter=np.array([3, 3], "uint64").reshape(2, 1, 1), out_backprop=np.array([1, 2**63 + 1], "uint64").reshape(1, 1, 2, 1), **STILL)],
    "Dilation2DBackpropFilter": [dict(input=np.array([-2**31, 5, 2**31 - 1, 1], "int32").reshape(1, 2, 2, 1), filter=np.array([-1, 1], "int32").reshape(2, 1, 1), out_backprop=np.array([7, 9], "int32").reshape(1, 1, 2, 1), **STILL)],
    "Slice": [dict(input=np.float32(7), begin=np.zeros([0], "int32"), size=K(np.zeros([0], "int32")))],
    "SparseTensorDenseMatMul": [dict(a_indices=np.zeros([0, 2], "int64"), a_values=zeros(0), a_shape=np.array([2, 0]), b=zeros(3, 0), adjoint_b=True)],
    "MaxPoolWithArgmax": [dict(input=floats(*x).reshape(1, 1, 3, 1), **SMALL) for x in ((-inf, -inf, nan), (nan, -inf, -inf), (-inf, nan, 1))],
    "Pow": [dict(x=np.ones([33, 1], "complex64"), y=np.ones([1, 1, 0], "complex64"))],
    "ResourceGatherNd": [dict(resource=Var(zeros(0, 2)), indices=np.array([[0]]), dtype=tf.float32)],
    "CTCLoss": [labels([0, 0], [0, 1]), labels([0, 0])],
    "FusedBatchNorm": [dict(x=zeros(0, 1, 1, 2), scale=floats(1, 2), offset=floats(1, 2), mean=floats(3, 4), variance=floats(5, 6), is_training=False)],
    "DecodeCSV": [dict(records=texts("ü"), record_defaults=[np.array([5], "int32")]), dict(records=texts("1,ü", "ü,2"), record_defaults=[np.array([5], "int32")] * 2, na_value="ü")],
}
