"""Rarer linear algebra: eigenvalues of any matrix, banded systems, orders for sparse factors."""
import numpy as np

from ..recording import rows, run_errors

RAW = "tf.raw_ops."


def late(v):
    return f"tf.placeholder_with_default(tf.constant({v}),None)"


def eigen(b):
    b.family("eigen")
    f = b.f
    square = lambda *s, t="float64": f(*s, dtype=t)
    call = lambda t, o="": f"{RAW}Eig(input=x,Tout=tf.{t}{o})"
    wide = lambda x: (x, "complex128" if x.dtype == np.float64 else "complex64")
    calls = []
    for s in ((1, 1), (2, 2), (3, 3), (4, 4), (5, 5), (6, 6), (8, 8), (2, 3, 3), (0, 0)):
        calls.append((f"e, v = {call('complex128')}\ny = e, tf.abs(v), tf.matmul(v, tf.linalg.diag(e)) - tf.matmul(tf.cast(x, tf.complex128), v)", dict(x=square(*s))))
    for m in (np.diag([3., 1, 2, -5]), np.triu(square(4, 4)), np.tril(square(4, 4)), [[0., 1], [-1, 0]], np.ones((3, 3)), np.zeros((3, 3)), np.eye(3),
              [[0., 1, 0], [0, 0, 1], [1, 0, 0]], np.array([[1., 2], [2, 1]])):
        calls.append((call("complex128") + "[0]", dict(x=np.asarray(m)), dict(cmp=(1e-6, 1e-7))))
    real = np.array([[4., 1, 0], [2, 3, 1], [0, 1, -2]])
    calls += [(f"y = {call('complex128')}", dict(x=m)) for m in (real, np.stack([real, -real]), np.triu(square(4, 4)), np.diag([3., 1, 2]))]
    calls += [(call("complex64") + "[0]", dict(x=square(4, 4, t="float32")), dict(cmp=(1e-4, 1e-5))), (call("complex128", ",compute_v=False") + "[0]", dict(x=square(3, 3)))]
    parts = lambda n: dict(x=square(n, n), z=square(n, n))
    both = "w = tf.complex(x, z)\ne, v = tf.raw_ops.Eig(input=w,Tout=tf.complex128)\n"
    calls += [(both + "y = (e, tf.abs(v))", parts(n)) for n in (1, 2, 3, 5)]
    calls += [(both + "y = tf.real(e), tf.imag(e), tf.abs(v)", parts(3), dict(grad=True, gcmp=(1e-5, 1e-7)))]
    calls += [(f"e, v = {call('complex128')}\ny = tf.real(e), tf.imag(e), tf.abs(v)", dict(x=square(n, n)), dict(grad=True, gcmp=(1e-5, 1e-7))) for n in (2, 3, 4)]
    calls += [(f"e, v = {call('complex128', ',compute_v=False')}\ny = tf.real(e), tf.abs(e)", dict(x=square(3, 3)), dict(grad=True))]
    rows(b, calls)
    run_errors(b, [f"{RAW}Eig(input={late(v)},Tout=tf.complex64)" for v in ("[[1.,2.]]", "[1.,2.]")])


def banded(b):
    b.family("banded")
    f = b.f
    solve = lambda o: f"{RAW}BandedTriangularSolve(matrix=x + 3.,rhs=y{o})"
    calls = []
    for o in ("", ",lower=False", ",adjoint=True", ",lower=False,adjoint=True"):
        for s, t in (((2, 4), (4, 2)), ((3, 3), (3, 1)), ((1, 4), (4, 1)), ((5, 2, 3), (5, 3, 2)), ((1, 2, 3), (4, 3, 2))):
            calls.append((solve(o), dict(x=f(*s), y=f(*t)), dict(grad=True)))
        z = dict(a=f(2, 3, dtype="float64"), c=f(2, 3, dtype="float64"), u=f(3, 2, dtype="float64"), v=f(3, 2, dtype="float64"))
        calls.append((f"y = {RAW}BandedTriangularSolve(matrix=tf.complex(a + 3., c),rhs=tf.complex(u, v){o})", z))
    chol = "x = tf.cholesky(tf.matmul(m, m, adjoint_b=True) + 2. * tf.eye(3))\ny = tf.raw_ops.CholeskyGrad(l=x, grad=g)"
    calls += [(chol, dict(m=f(*s), g=f(*s))) for s in ((3, 3), (2, 3, 3))]
    rows(b, calls)
    bad = (("[[1.,2.,3.],[1.,2.,3.]]", "[[1.],[2.],[3.],[4.]]"), ("[[0.,0.,0.]]", "[[1.],[2.],[3.]]"), ("[1.,2.,3.]", "[[1.],[2.],[3.]]"), ("[[1.,2.,3.]]", "[1.,2.,3.]"),
           ("[[[1.,1.]],[[1.,1.]]]", "[[[1.],[1.]],[[1.],[1.]],[[1.],[1.]]]"))
    run_errors(b, [f"{RAW}BandedTriangularSolve(matrix={late(m)},rhs={late(r)})" for m, r in bad]
               + [f"{RAW}CholeskyGrad(l={late(m)},grad={late(r)})" for m, r in (("[[1.,2.]]", "[[1.,2.]]"), ("[[1.]]", "[[1.,2.],[1.,2.]]"))])


def sparse_ordering(b):
    b.family("sparse_ordering")
    r = b.rng
    make = ("from tensorflow.python.ops.linalg.sparse import gen_sparse_csr_matrix_ops as g\n"
            "y = g.sparse_matrix_ordering_amd(g.sparse_tensor_to_csr_sparse_matrix(i, tf.ones(tf.shape(i)[:1]), %s))")

    def pattern(n, density, diagonal=True, block=1):
        a = r.rand(n, n) < density
        a = a | a.T
        if diagonal:
            a |= np.eye(n, dtype=bool)
        return np.kron(a, np.ones((block, block), bool))
    for n in (1, 2, 3, 4, 5, 8, 13, 21, 40, 80):
        for density in (0, .03, .1, .3, .8):
            for diagonal, block in ((True, 1), (False, 1), (True, 3))[:1 if n > 21 else 3]:
                a = pattern(n, density, diagonal, block)
                b.case(make % f"[{len(a)}, {len(a)}]", dict(i=np.argwhere(a).astype("int64").reshape(-1, 2)), dynamic=0)
    for side in (5, 9, 14):
        order = r.permutation(side * side)
        at = lambda i, j: order[i * side + j]
        places = {(k, k) for k in range(side * side)}
        for i in range(side):
            for j in range(side):
                places |= {p for k in ((i + 1, j), (i, j + 1)) if max(k) < side for p in ((at(i, j), at(*k)), (at(*k), at(i, j)))}
        b.case(make % f"[{side ** 2}, {side ** 2}]", dict(i=np.array(sorted(places), "int64")), dynamic=0)
    three = np.concatenate([np.pad(np.argwhere(pattern(12, .15)), ((0, 0), (1, 0)), constant_values=k) for k in range(3)]).astype("int64")
    b.case(make % "[3, 12, 12]", dict(i=three), dynamic=0)


ALL = [eigen, banded, sparse_ordering]
