"""Records functions of TensorFlow that linear operators answer for, and slices of operators: `python operator_functions.py OUT.json`.
The same programs in tensorloom's API: ../operator-functions.test.ts."""
import sys

from library_programs import parameter, record
from tfenv import np, tf

la = tf.linalg

M = [[1.0, 2.0, 0.0], [0.5, 3.0, -1.0], [2.0, 0.0, 4.0]]
L = [[2.0, 9.0, 9.0], [1.0, 3.0, 9.0], [-1.0, 0.5, 1.5]]
S = [[4.0, 1.0, 0.5], [1.0, 3.0, -1.0], [0.5, -1.0, 5.0]]
X = [[1.0, -2.0], [0.5, 3.0], [2.0, 1.0]]
V = [1.0, -2.0, 0.5]
C = [[2 + 1j, 1j], [1 - 1j, 3 + 0j]]


def full(**hints):
    return la.LinearOperatorFullMatrix(parameter(M, "m"), **hints)


def definite(**options):
    return la.LinearOperatorFullMatrix(parameter(S, "s"), is_self_adjoint=True, is_positive_definite=True, **options)


def diag(**hints):
    return la.LinearOperatorDiag(parameter([1.0, 2.0, 3.0], "d"), **hints)


def shown(op):
    return [op.to_dense(), tf.constant([op.name + "/" + type(op).__name__, str(op.is_non_singular), str(op.is_self_adjoint), str(op.is_positive_definite), str(op.is_square)])]


def products():
    x = parameter(X, "x")
    m = full()
    wide = parameter(np.transpose(X).tolist(), "w")
    return [tf.matmul(m, x), tf.matmul(wide, m), tf.matmul(m, x, adjoint_a=True), tf.matmul(m, wide, adjoint_b=True), tf.matmul(x, m, adjoint_a=True), tf.matmul(wide, m, adjoint_b=True), tf.linalg.matmul(m, X, name="named")]


def operator_products():
    m, d = full(), diag()
    made = [tf.matmul(m, d), tf.matmul(d, d), tf.matmul(m, m, adjoint_a=True), tf.matmul(d, m, adjoint_b=True, name="named"), m @ d]
    return [shown(op) for op in made]


def at_signs():
    m = full()
    return [m @ parameter(X, "x"), parameter(np.transpose(X).tolist(), "w") @ m]


def vectors():
    return [la.matvec(full(), parameter(V, "v")), la.matvec(diag(), V, adjoint_a=True)]


def vectors_named():
    return [la.matvec(full(), parameter(V, "v"), name="named")]


def determinants():
    m = full()
    return [la.det(m), tf.matrix_determinant(diag()), la.det(m, name="named"), la.logdet(definite()), la.logdet(definite(name="other"), name="named")]


def traces():
    m = full()
    return [la.trace(m), tf.trace(diag()), la.trace(m, name="named"), la.diag_part(m), tf.matrix_diag_part(m, name="named"), la.diag_part(diag(), k=1), la.diag_part(definite(), "third")]


def inverses():
    m, d = full(is_non_singular=True), diag(is_non_singular=True)
    return [shown(op) for op in (la.inv(m), la.inv(d), la.inv(m, adjoint=True), tf.matrix_inverse(m, name="named"))]


def adjoints():
    m = full()
    return [shown(op) for op in (la.adjoint(m), la.adjoint(diag(is_self_adjoint=True)), la.adjoint(m, name="named"))]


def complex_operators():
    c = la.LinearOperatorFullMatrix(tf.constant(C, tf.complex64), is_non_singular=True)
    x = tf.constant([[1 + 2j, 0.5], [1j, -1]], tf.complex64)
    return [tf.matmul(c, x), tf.matmul(x, c), tf.matmul(x, c, adjoint_a=True), tf.matmul(x, c, adjoint_b=True), la.adjoint(c).to_dense(), la.inv(c, adjoint=True).to_dense(), la.solve(c, x, adjoint=True), la.det(c), la.trace(c)]


def triangles():
    s = definite()
    return [shown(op) for op in (la.cholesky(s), tf.cholesky(diag(is_positive_definite=True)), la.cholesky(s, name="named"))]


def solutions():
    m, x = full(is_non_singular=True), parameter(X, "x")
    return [la.solve(m, x), la.solve(m, x, adjoint=True), tf.matrix_solve(m, X, name="named"), la.solve(definite(), x)]


def operator_solutions():
    m, d = full(is_non_singular=True), diag(is_non_singular=True)
    return [shown(op) for op in (la.solve(m, d), la.solve(d, d), la.solve(d, m, adjoint=True))]


def batches():
    b = la.LinearOperatorFullMatrix(parameter([M, S], "b"), is_non_singular=True)
    x = parameter(X, "x")
    return [tf.matmul(b, x), la.solve(b, x), la.det(b), la.trace(b), la.diag_part(b), tf.matmul(parameter([[1.0, 2.0, 3.0]], "row"), b), la.matvec(b, V)]


def open_products():
    m = tf.placeholder(tf.float32, None, name="m")
    op = la.LinearOperatorFullMatrix(m, is_square=True)
    x = tf.placeholder(tf.float32, None, name="x")
    return [tf.matmul(op, x), tf.matmul(x, op), la.det(op), la.trace(op)], {m: [[2.0, 1.0], [1.0, 3.0]], x: [[1.0, 2.0], [3.0, 4.0]]}


def special():
    eye = la.LinearOperatorIdentity(3)
    k = la.LinearOperatorScaledIdentity(3, parameter(2.0, "k"), is_positive_definite=True)
    low = la.LinearOperatorLowerTriangular(parameter(L, "l"), is_non_singular=True)
    x = parameter(X, "x")
    made = [tf.matmul(op, x) for op in (eye, k, low)] + [la.det(op) for op in (eye, k, low)] + [la.trace(op) for op in (eye, k, low)]
    made += [shown(tf.matmul(a, b)) for a in (eye, k, low) for b in (eye, k, low)] + [shown(la.inv(op)) for op in (eye, k, low)]
    return made + [shown(la.cholesky(eye)), shown(la.cholesky(k)), la.logdet(k), la.solve(low, x)]


def block_products():
    b = la.LinearOperatorBlockDiag([diag(), la.LinearOperatorIdentity(2)])
    x = np.arange(10.0).reshape(5, 2).astype(np.float32)
    return [tf.matmul(b, x), la.trace(b), la.det(b), la.diag_part(b), shown(tf.matmul(b, b)), shown(la.adjoint(b)), tf.matmul(np.ones([2, 5], np.float32), b)]


refused = dict(
    transposed_a=lambda: tf.matmul(full(), X, transpose_a=True),
    transposed_b=lambda: tf.matmul(full(), X, transpose_b=True),
    sparse=lambda: tf.matmul(full(), X, a_is_sparse=True),
    both_a=lambda: tf.matmul(full(), X, transpose_a=True, adjoint_a=True),
    both_b=lambda: tf.matmul(full(), X, transpose_b=True, adjoint_b=True),
    sizes=lambda: tf.matmul(full(), tf.ones([2, 3])),
    sizes_left=lambda: tf.matmul(tf.ones([3, 2]), full()),
    sizes_operators=lambda: tf.matmul(full(), la.LinearOperatorIdentity(2)),
    types=lambda: tf.matmul(full(), tf.ones([3, 2], tf.float64)),
    types_left=lambda: tf.matmul(tf.ones([2, 3], tf.float64), full()),
    logdet=lambda: la.logdet(full()),
    cholesky=lambda: la.cholesky(full()),
    solve_by=lambda: la.solve(M, full()),
    solve_singular=lambda: la.solve(full(is_non_singular=False), X),
    solve_sizes=lambda: la.solve(full(), tf.ones([2, 3])),
    inverse=lambda: la.inv(full(is_non_singular=False)),
    determinant=lambda: la.det(la.LinearOperatorFullMatrix(M[:2])),
    vector=lambda: la.matvec(full(), [1.0, 2.0]),
    slice_last=lambda: sliced(lambda op: op[..., 0, ...]),
)
refused = {"refused_" + name: make for name, make in refused.items()}


def sliced(take):
    b = la.LinearOperatorFullMatrix(parameter(np.arange(24.0).reshape(2, 3, 2, 2).tolist(), "b"))
    return shown(take(b))


slices = [
    lambda op: op[0],
    lambda op: op[-1],
    lambda op: op[...],
    lambda op: op[:, 1],
    lambda op: op[..., 2],
    lambda op: op[1:],
    lambda op: op[:, ::2],
    lambda op: op[0, 1],
    lambda op: op[tf.newaxis],
    lambda op: op[:, tf.newaxis, 1:2],
    lambda op: op[..., tf.newaxis],
]


def names_used():
    m, s, x = full(is_non_singular=True), definite(), parameter(S, "x")

    def of(matrix):
        out = [tf.matmul(matrix, x), la.matvec(matrix, V), la.det(matrix), la.trace(matrix), la.diag_part(matrix), la.solve(matrix, x)]
        la.inv(matrix)
        la.adjoint(matrix)
        return out

    made = of(m) + [la.logdet(s)]
    la.cholesky(s)
    made += of(x) + [la.logdet(x), la.cholesky(x)]
    return made


def full_slices():
    return [sliced(take) for take in slices]


def named_slices():
    b = la.LinearOperatorFullMatrix(parameter(np.arange(24.0).reshape(2, 3, 2, 2).tolist(), "b"), is_non_singular=True, name="mine")
    return [shown(b[0]), shown(b[0][1]), tf.matmul(b[:, 1], [[1.0], [2.0]])]


def at_tensor():
    i = tf.placeholder(tf.int32, [], name="i")
    b = la.LinearOperatorFullMatrix(parameter(np.arange(24.0).reshape(2, 3, 2, 2).tolist(), "b"))
    return [b[i].to_dense(), b[:, i].to_dense(), b[i:].to_dense()], {i: 1}


def open_slices():
    m = tf.placeholder(tf.float32, None, name="m")
    b = la.LinearOperatorFullMatrix(m)
    d = tf.placeholder(tf.float32, [None, None, None], name="d")
    e = la.LinearOperatorDiag(d)
    return [b[0].to_dense(), e[0].to_dense(), e[:, 1:].to_dense()], {m: np.arange(24.0).reshape(2, 3, 2, 2), d: np.arange(12.0).reshape(2, 3, 2)}


def diag_slices():
    d = la.LinearOperatorDiag(parameter(np.arange(12.0).reshape(2, 3, 2).tolist(), "d"), is_non_singular=True)
    return [shown(take(d)) for take in slices]


def several_slices():
    low = la.LinearOperatorLowerTriangular(parameter(np.arange(12.0).reshape(3, 2, 2).tolist(), "low"))
    k = la.LinearOperatorScaledIdentity(2, parameter([1.0, 2.0, 3.0], "k"))
    h = la.LinearOperatorHouseholder(parameter([[1.0, 0.0], [0.6, 0.8]], "h"))
    t = la.LinearOperatorToeplitz(parameter([[1.0, 2.0], [3.0, 4.0]], "col"), parameter([[1.0, 5.0], [3.0, 6.0]], "row"))
    c = la.LinearOperatorCirculant(tf.constant([[1.0, 2.0], [3.0, 4.0]], tf.complex64))
    p = la.LinearOperatorPermutation([[0, 1, 2], [2, 0, 1]])
    tri = la.LinearOperatorTridiag(parameter(np.arange(18.0).reshape(2, 3, 3).tolist(), "tri"), diagonals_format="compact")
    return [shown(op[0]) for op in (low, k, h, t, c, p, tri)] + [shown(op[1:]) for op in (low, k, h, t, c, p, tri)]


def sequence_slices():
    a, b, c = [tf.constant(np.arange(6.0).reshape(2, 3) + i, tf.float32) for i in range(3)]
    tri = la.LinearOperatorTridiag([a, b, c], diagonals_format="sequence")
    return [shown(tri[0]), shown(tri[:, tf.newaxis])]


def identity_slices():
    eye = la.LinearOperatorIdentity(2, batch_shape=[2, 3])
    z = la.LinearOperatorZeros(2, batch_shape=[2, 3])
    return [shown(op[i]) for op in (eye, z) for i in (0, Ellipsis, slice(1, None))]


def identity_slices_of_none():
    return [la.LinearOperatorIdentity(2)[0].to_dense()]


def nested_slices():
    m = la.LinearOperatorFullMatrix(parameter(np.arange(8.0).reshape(2, 2, 2).tolist(), "m"))
    d = la.LinearOperatorDiag(parameter([[1.0, 2.0], [3.0, 4.0]], "d"))
    one = la.LinearOperatorDiag(parameter([5.0, 6.0], "one"))
    made = [la.LinearOperatorComposition([m, d]), la.LinearOperatorBlockDiag([m, d]), la.LinearOperatorKronecker([d, m]), la.LinearOperatorAdjoint(m), la.LinearOperatorInversion(m, is_non_singular=True)]
    return [shown(op[i]) for op in made for i in (0, slice(1, None))]


def broadcast_slices():
    m = la.LinearOperatorFullMatrix(parameter(np.arange(8.0).reshape(2, 2, 2).tolist(), "m"))
    one = la.LinearOperatorDiag(parameter([5.0, 6.0], "one"))
    whole = la.LinearOperatorFullMatrix(parameter([[1.0, 2.0], [3.0, 4.0]], "whole"))
    made = [la.LinearOperatorComposition([m, one]), la.LinearOperatorBlockDiag([one, m]), la.LinearOperatorKronecker([m, whole])]
    return [shown(op[i]) for op in made for i in (1, slice(1, None))]


def triangle_slices():
    m = la.LinearOperatorFullMatrix(parameter(np.arange(8.0).reshape(2, 2, 2).tolist(), "m"))
    d = la.LinearOperatorDiag(parameter([[1.0, 2.0], [3.0, 4.0]], "d"))
    t = la.LinearOperatorBlockLowerTriangular([[m], [d, m]])
    return [shown(t[i]) for i in (0, slice(1, None))]


def update_slices():
    d = la.LinearOperatorDiag(parameter([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], "d"), is_positive_definite=True)
    u = parameter(np.arange(12.0).reshape(2, 3, 2).tolist(), "u")
    v = parameter((np.arange(12.0) - 3).reshape(2, 3, 2).tolist(), "v")
    low = la.LinearOperatorLowRankUpdate(d, u, diag_update=parameter([[1.0, 2.0], [3.0, 4.0]], "k"), v=v)
    plain = la.LinearOperatorLowRankUpdate(d, u)
    return [shown(op[i]) for op in (low, plain) for i in (0, slice(1, None))]


names = [
    "products", "operator_products", "at_signs", "vectors", "vectors_named", "determinants", "traces", "inverses", "adjoints", "complex_operators", "triangles", "solutions",
    "operator_solutions", "batches", "open_products", "special", "block_products", "names_used", "full_slices", "named_slices", "at_tensor", "open_slices", "diag_slices", "several_slices",
    "sequence_slices", "identity_slices", "identity_slices_of_none", "nested_slices", "broadcast_slices", "triangle_slices", "update_slices",
]
if __name__ == "__main__":
    record({**{name: globals()[name] for name in names}, **refused}, sys.argv[1])
