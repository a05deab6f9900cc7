"""Records tf.linalg.LinearOperator*: `python linear_operators.py OUT.json`. The same programs in tensorloom's API: ../linear-operators.test.ts."""
import sys

from library_programs import parameter, record
from tfenv import np, tf

la = tf.linalg


def used(op, columns=2, rhs=None, wide=None):
    """What an operator gives, method by method: those that it has for its hints."""
    n = op.domain_dimension.value or wide
    dtype = op.dtype.as_numpy_dtype
    x = (np.arange(n * columns).reshape(n, columns) % 5 - 1.5).astype(dtype)
    out = [op.shape_tensor(), op.batch_shape_tensor(), op.domain_dimension_tensor(), op.range_dimension_tensor(), op.tensor_rank_tensor()]
    out += [op.matmul(x), op.matvec(x[:, 0]), op.matmul(x.T.copy(), adjoint_arg=True), op.to_dense(), op.diag_part(), op.cond()]
    if op.is_square:
        out += [op.matmul(x, adjoint=True), op.matvec(x[:, 1], adjoint=True), op.trace()]
        out += [op.add_to_tensor(np.broadcast_to(np.eye(n), op.batch_shape.as_list() + [n, n]).astype(dtype)), op.determinant()]
        if op.is_non_singular:
            out += [op.log_abs_determinant(), op.solve(x), op.solve(x, adjoint=True), op.solve(x.T.copy(), adjoint_arg=True), op.solvevec(x[:, 0])]
            out += [op.inverse().to_dense()]
        out += [op.adjoint().to_dense()]
    if op.is_self_adjoint:
        out += [op.eigvals()]
        if op.is_positive_definite:
            out += [op.cholesky().to_dense()]
    return out


def checks(op, *names):
    with tf.control_dependencies([getattr(op, "assert_" + name)() for name in names]):
        return tf.identity(op.to_dense())


def spd(n, seed=0):
    a = np.random.RandomState(seed).uniform(-1, 1, [n, n]).astype(np.float32)
    return np.round(a @ a.T + n * np.eye(n, dtype=np.float32), 2).astype(np.float32)


M = [[1.0, 2.0, 0.0], [0.5, 3.0, -1.0], [2.0, 0.0, 4.0]]
L = [[2.0, 9.0, 9.0], [1.0, 3.0, 9.0], [-1.0, 0.5, 1.5]]
C = [[2 + 1j, 1j], [1 - 1j, 3 + 0j]]


def diag():
    return used(la.LinearOperatorDiag(parameter([[1.0, 2.0, 3.0], [0.5, 4.0, 1.0]], "d"), is_positive_definite=True))


def diag_complex():
    op = la.LinearOperatorDiag(tf.constant([1 + 1j, 2 - 1j], tf.complex64), is_non_singular=True)
    return used(op) + [op.H.diag, checks(op, "non_singular", "positive_definite")]


def diag_asserts():
    return checks(la.LinearOperatorDiag(parameter([1.0, 2.0], "d")), "non_singular", "positive_definite", "self_adjoint")


def diag_fails():
    return checks(la.LinearOperatorDiag(tf.placeholder_with_default([1.0, 0.0], [2])), "non_singular")


def diag_open():
    d = tf.placeholder(tf.float32, None, name="d")
    op = la.LinearOperatorDiag(d)
    x = tf.placeholder(tf.float32, None, name="x")
    return [op.matmul(x), op.shape_tensor(), op.batch_shape_tensor(), op.tensor_rank_tensor(), op.solve(x)], {d: [[1.0, 2.0]], x: [[3.0], [4.0]]}


def lower():
    op = la.LinearOperatorLowerTriangular(parameter(L, "l"), is_non_singular=True)
    return used(op) + [checks(op, "non_singular")]


def full():
    return used(la.LinearOperatorFullMatrix(parameter(M, "m"), is_non_singular=True))


def full_definite():
    op = la.LinearOperatorFullMatrix(parameter(spd(3), "m"), is_self_adjoint=True, is_positive_definite=True)
    return used(op) + [checks(op, "non_singular", "positive_definite", "self_adjoint")]


def full_wide():
    return used(la.LinearOperatorFullMatrix(parameter(M[:2], "m")))


def full_complex():
    op = la.LinearOperatorFullMatrix(tf.constant(C, tf.complex64), is_non_singular=True)
    return used(op)


def full_batch_solve():
    op = la.LinearOperatorFullMatrix(parameter(M, "m"))
    rhs = np.arange(24, dtype=np.float32).reshape(4, 3, 2) % 7
    return [op.solve(rhs), op.solve(rhs, adjoint=True), op.solve(rhs[:, :, :1]), checks(op, "non_singular")]


def full_open():
    m = tf.placeholder(tf.float32, None, name="m")
    op = la.LinearOperatorFullMatrix(m, is_square=True)
    return [op.matvec([1.0, 2.0]), op.to_dense(), op.shape_tensor(), op.domain_dimension_tensor(), op.determinant(), op.solvevec([1.0, 1.0]), op.trace()], {m: [[2.0, 1.0], [1.0, 3.0]]}


def identity():
    op = la.LinearOperatorIdentity(3, batch_shape=[2])
    return used(op) + used(la.LinearOperatorIdentity(2, dtype=tf.float64)) + [checks(op, "non_singular", "positive_definite", "self_adjoint")]


def identity_checked():
    op = la.LinearOperatorIdentity(tf.placeholder_with_default(2, []), assert_proper_shapes=True)
    return [op.matmul([[1.0], [2.0]]), op.to_dense(), op.trace(), op.eigvals()]


def identity_open():
    n = tf.placeholder(tf.int32, [], name="n")
    batch = tf.placeholder(tf.int32, [None], name="b")
    op = la.LinearOperatorIdentity(n, batch_shape=batch)
    return [op.to_dense(), op.matmul([[1.0], [2.0]]), op.trace(), op.determinant(), op.diag_part()], {n: 2, batch: [3]}


def scaled():
    op = la.LinearOperatorScaledIdentity(3, parameter([2.0, -0.5], "k"), is_non_singular=True)
    return used(op) + used(la.LinearOperatorScaledIdentity(2, 3.0, is_positive_definite=True)) + [checks(op, "non_singular", "self_adjoint")]


def scaled_complex():
    return used(la.LinearOperatorScaledIdentity(2, tf.constant(1 + 2j, tf.complex64), is_non_singular=True))


def zeros():
    op = la.LinearOperatorZeros(3, batch_shape=[2])
    x = np.ones([3, 2], np.float32)
    wide = la.LinearOperatorZeros(2, 3, is_square=False, is_self_adjoint=False)
    return [op.matmul(x), op.matmul(x.T.copy(), adjoint_arg=True), op.to_dense(), op.diag_part(), op.trace(), op.determinant(), op.eigvals(), op.shape_tensor(), wide.matmul(x), wide.to_dense(), wide.diag_part()]


def products():
    d = la.LinearOperatorDiag(parameter([1.0, 2.0, 3.0], "d"), is_non_singular=True)
    e = la.LinearOperatorDiag([2.0, 1.0, 0.5], is_positive_definite=True)
    s = la.LinearOperatorScaledIdentity(3, parameter(2.0, "s"), is_non_singular=True)
    i = la.LinearOperatorIdentity(3)
    t = la.LinearOperatorLowerTriangular(L, is_non_singular=True)
    m = la.LinearOperatorFullMatrix(parameter(M, "m"), is_non_singular=True)
    z = la.LinearOperatorZeros(3)
    made = [a.matmul(b) for a in (d, s, i, t, m) for b in (d, e, s, i, t, m, z)] + [z.matmul(m)]
    made += [a.solve(b) for a in (d, s, i, t, m) for b in (e, s, i, t, m)]
    made += [m.matmul(m, adjoint=True), m.inverse().solve(t), m.inverse().inverse(), m.adjoint().adjoint()]
    return [op.to_dense() for op in made] + [tf.constant([str(op.name) + "/" + type(op).__name__ for op in made])]


def composition():
    a = la.LinearOperatorFullMatrix(parameter(M[:2], "a"))
    b = la.LinearOperatorFullMatrix(parameter([[1.0, 2.0], [0.0, 1.0], [2.0, 2.0]], "b"))
    op = la.LinearOperatorComposition([a, b])
    x = np.ones([2, 1], np.float32)
    return [op.matmul(x), op.matmul(x, adjoint=True), op.to_dense(), op.trace(), op.shape_tensor(), op.cond()]


def composition_cholesky():
    t = la.LinearOperatorLowerTriangular(parameter(L, "l"), is_non_singular=True)
    op = la.LinearOperatorComposition([t, t.H])
    return used(op) + [checks(op, "non_singular"), tf.constant([op.is_self_adjoint, op.is_positive_definite])]


def composition_open():
    a = tf.placeholder(tf.float32, [None, None, 2], name="a")
    op = la.LinearOperatorComposition([la.LinearOperatorFullMatrix(a), la.LinearOperatorDiag([1.0, 2.0])])
    return [op.to_dense(), op.shape_tensor(), op.matvec([1.0, 1.0])], {a: np.ones([2, 3, 2])}


def adjoint():
    op = la.LinearOperatorAdjoint(la.LinearOperatorFullMatrix(parameter(M, "m"), is_non_singular=True))
    return used(op)


def adjoint_complex():
    return used(la.LinearOperatorAdjoint(la.LinearOperatorFullMatrix(tf.constant(C, tf.complex64), is_non_singular=True)))


def inversion():
    op = la.LinearOperatorInversion(la.LinearOperatorFullMatrix(parameter(spd(3), "m"), is_self_adjoint=True, is_positive_definite=True))
    return used(op)


def kronecker():
    a = la.LinearOperatorFullMatrix(parameter(spd(2), "a"), is_self_adjoint=True, is_positive_definite=True)
    b = la.LinearOperatorDiag(parameter([1.0, 3.0], "b"), is_positive_definite=True)
    op = la.LinearOperatorKronecker([a, b])
    return used(op) + [checks(op, "non_singular", "self_adjoint")]


def kronecker_wide():
    a = la.LinearOperatorFullMatrix(parameter([[1.0, 2.0], [0.0, 1.0], [2.0, 2.0]], "a"))
    b = la.LinearOperatorFullMatrix(parameter([[1.0, 2.0]], "b"))
    op = la.LinearOperatorKronecker([a, b])
    return [op.matmul(np.ones([4, 2], np.float32)), op.matmul(np.ones([3, 2], np.float32), adjoint=True), op.to_dense(), op.shape_tensor()]


def kronecker_complex():
    a = la.LinearOperatorFullMatrix(tf.constant(C, tf.complex64), is_non_singular=True)
    return used(la.LinearOperatorKronecker([a, la.LinearOperatorDiag(tf.constant([1j, 2.0], tf.complex64), is_non_singular=True)]))


def block_diag():
    a = la.LinearOperatorFullMatrix(parameter(spd(2), "a"), is_self_adjoint=True, is_positive_definite=True)
    b = la.LinearOperatorDiag(parameter([[1.0, 3.0, 2.0]], "b"), is_positive_definite=True)
    op = la.LinearOperatorBlockDiag([a, b])
    parts = [tf.constant([[1.0], [2.0]]), tf.constant([[3.0], [4.0], [5.0]])]
    more = op.matmul(list(parts)) + op.solve(list(parts)) + op.matvec([tf.constant([1.0, 2.0]), tf.constant([1.0, 1.0, 1.0])]) + op.solvevec([tf.constant([1.0, 2.0]), tf.constant([1.0, 1.0, 1.0])])
    return used(op) + more + [op.matmul(op).to_dense(), op.solve(op).to_dense(), checks(op, "non_singular", "positive_definite", "self_adjoint")]


def block_diag_wide():
    a = la.LinearOperatorFullMatrix(parameter(M[:2], "a"))
    b = la.LinearOperatorFullMatrix(parameter([[2.0], [1.0]], "b"))
    op = la.LinearOperatorBlockDiag([a, b], is_square=None)
    return [op.matmul(np.ones([4, 2], np.float32)), op.matmul(np.ones([4, 1], np.float32), adjoint=True), op.to_dense(), op.shape_tensor()]


def block_lower():
    a = la.LinearOperatorFullMatrix(parameter(M, "a"), is_non_singular=True)
    b = la.LinearOperatorFullMatrix(parameter(M[:2], "b"))
    d = la.LinearOperatorDiag(parameter([2.0, 4.0], "d"), is_non_singular=True)
    op = la.LinearOperatorBlockLowerTriangular([[a], [b, d]])
    parts = [tf.constant([[1.0], [2.0], [3.0]]), tf.constant([[3.0], [4.0]])]
    return used(op) + op.matmul(list(parts)) + op.solve(list(parts)) + op.solve(list(parts), adjoint=True)


def block_lower_diagonal():
    d, e, f = (la.LinearOperatorDiag(parameter(v, k), is_non_singular=True) for v, k in (([2.0, 4.0], "d"), ([1.0, -1.0], "e"), ([3.0, 5.0], "f")))
    s = la.LinearOperatorScaledIdentity(2, 2.0, is_non_singular=True)
    t = la.LinearOperatorLowerTriangular([[1.0, 0.0], [2.0, 3.0]], is_non_singular=True)
    op = la.LinearOperatorBlockLowerTriangular([[d], [e, f], [t, s, s]])
    return [op.inverse().to_dense(), op.to_dense(), op.determinant(), op.solvevec(np.ones(6, np.float32))]


def householder():
    op = la.LinearOperatorHouseholder(parameter([[1.0, 2.0, -1.0]], "v"), is_non_singular=True)
    return used(op) + [checks(op, "non_singular", "self_adjoint")]


def permutation():
    return used(la.LinearOperatorPermutation([2, 0, 1], is_non_singular=True)) + [la.LinearOperatorPermutation(tf.constant([[1, 0], [0, 1]]), dtype=tf.float64).to_dense()]


def toeplitz():
    return used(la.LinearOperatorToeplitz(parameter([4.0, 2.0, 1.0], "c"), parameter([4.0, -1.0, 0.5], "r"), is_non_singular=True))


def circulant():
    op = la.LinearOperatorCirculant(tf.constant([3.0, 1.0, 2.0]), is_positive_definite=True)
    return used(op) + [op.convolution_kernel(), op.matmul(op).to_dense(), op.solve(op).to_dense(), checks(op, "non_singular", "positive_definite", "self_adjoint")]


def circulant_real():
    op = la.LinearOperatorCirculant(tf.constant([3.0, 1 + 1j, 1 - 1j], tf.complex64), input_output_dtype=tf.float32, is_non_singular=True)
    return [op.matmul(np.ones([3, 2], np.float32)), op.to_dense(), op.trace(), op.diag_part(), op.convolution_kernel(), op.solvevec(np.arange(3, dtype=np.float32)), op.cond()]


def circulant_2d():
    op = la.LinearOperatorCirculant2D(tf.constant([[3.0, 1.0, 2.0], [1.0, 4.0, 1.5]]), is_positive_definite=True)
    x = np.arange(6).reshape(6, 1).astype(np.complex64)
    return [op.matmul(x), op.matmul(x, adjoint=True), op.solve(x), op.to_dense(), op.trace(), op.diag_part(), op.eigvals(), op.cond(), op.determinant(), op.log_abs_determinant(), op.inverse().to_dense(), op.shape_tensor(), op.block_shape_tensor()]


def circulant_3d():
    op = la.LinearOperatorCirculant3D(tf.constant(np.arange(1, 9).reshape(2, 2, 2) + 0.5j, tf.complex64), is_non_singular=True)
    x = np.ones([8, 1]).astype(np.complex64)
    return [op.matmul(x), op.matmul(x, adjoint=True), op.solve(x), op.trace(), op.diag_part(), op.determinant(), op.adjoint().to_dense()]


def circulant_open():
    s = tf.placeholder(tf.float32, None, name="s")
    op = la.LinearOperatorCirculant(s)
    return [op.matmul(np.ones([2, 1]).astype(np.complex64)), op.shape_tensor(), op.trace(), op.diag_part(), op.eigvals()], {s: [1.0, 2.0]}


def low_rank():
    base = la.LinearOperatorDiag(parameter([1.0, 2.0, 3.0], "base"), is_positive_definite=True)
    return used(la.LinearOperatorLowRankUpdate(base, parameter([[1.0, 2.0], [0.5, 1.0], [-1.0, 0.0]], "u")))


def low_rank_general():
    base = la.LinearOperatorFullMatrix(parameter(M, "base"), is_non_singular=True)
    op = la.LinearOperatorLowRankUpdate(base, parameter([[1.0], [0.5], [-1.0]], "u"), diag_update=parameter([2.0], "d"), v=parameter([[1.0], [1.0], [0.0]], "v"), is_non_singular=True)
    return used(op)


def low_rank_diagonal():
    base = la.LinearOperatorIdentity(3)
    op = la.LinearOperatorLowRankUpdate(base, parameter([[1.0, 2.0], [0.5, 1.0], [-1.0, 0.0]], "u"), diag_update=parameter([1.0, 2.0], "d"), is_diag_update_positive=True)
    return used(op)


def tridiag():
    return used(la.LinearOperatorTridiag(parameter([[1.0, 2.0, 0.0], [4.0, 5.0, 6.0], [0.0, -1.0, 1.0]], "d"), is_non_singular=True))


def tridiag_sequence():
    op = la.LinearOperatorTridiag([parameter(v, k) for v, k in (([1.0, 2.0, 0.0], "a"), ([4.0, 5.0, 6.0], "b"), ([0.0, 1.0, 2.0], "c"))], diagonals_format="sequence", is_non_singular=True)
    return used(op) + [checks(op, "self_adjoint")]


def tridiag_matrix():
    op = la.LinearOperatorTridiag(parameter([[4.0, 1.0, 0.0], [1.0, 5.0, 2.0], [0.0, 2.0, 6.0]], "m"), diagonals_format="matrix", is_non_singular=True)
    return used(op) + [checks(op, "self_adjoint")]


def tridiagonal_solves():
    d = tf.constant([[1.0, 2.0, 0.0], [4.0, 5.0, 6.0], [0.0, -1.0, 1.0]])
    return [la.tridiagonal_solve(d, tf.constant([1.0, 2.0, 3.0])), la.tridiagonal_solve(d, tf.constant([[1.0, 2.0, 3.0]]), transpose_rhs=True), la.tridiagonal_solve((tf.constant([1.0, 2.0]), tf.constant([4.0, 5.0, 6.0]), tf.constant([-1.0, 1.0])), tf.ones([3, 1]), diagonals_format="sequence")]


refused = {
    "square_hint": lambda: la.LinearOperatorFullMatrix(M, is_non_singular=True, is_square=False),
    "singular_definite": lambda: la.LinearOperatorFullMatrix(M, is_non_singular=False, is_positive_definite=True),
    "adjoint_square": lambda: la.LinearOperatorFullMatrix(M, is_self_adjoint=True, is_square=False),
    "square_said_no": lambda: la.LinearOperatorFullMatrix(M, is_square=False).is_square,
    "diag_scalar": lambda: la.LinearOperatorDiag(1.0),
    "diag_hint": lambda: la.LinearOperatorDiag([1.0], is_self_adjoint=False),
    "integer_matrix": lambda: la.LinearOperatorFullMatrix([[1]]),
    "vector_matrix": lambda: la.LinearOperatorFullMatrix([1.0]),
    "vector_tril": lambda: la.LinearOperatorLowerTriangular([1.0]),
    "matmul_type": lambda: la.LinearOperatorDiag([1.0]).matmul(tf.constant([[1]])),
    "matmul_size": lambda: la.LinearOperatorDiag([1.0]).matmul([[1.0], [2.0]]),
    "product_size": lambda: la.LinearOperatorDiag([1.0]).matmul(la.LinearOperatorDiag([1.0, 2.0])),
    "solve_size": lambda: la.LinearOperatorDiag([1.0]).solve(la.LinearOperatorDiag([1.0, 2.0])),
    "solve_singular": lambda: la.LinearOperatorDiag([1.0], is_non_singular=False).solve([[1.0]]),
    "solve_wide": lambda: la.LinearOperatorFullMatrix(M[:2]).solve([[1.0], [2.0]]),
    "det_wide": lambda: la.LinearOperatorFullMatrix(M[:2]).determinant(),
    "inverse_wide": lambda: la.LinearOperatorFullMatrix(M[:2]).inverse(),
    "inverse_singular": lambda: la.LinearOperatorDiag([1.0], is_non_singular=False).inverse(),
    "cholesky_unknown": lambda: la.LinearOperatorFullMatrix(M).cholesky(),
    "eigvals_unknown": lambda: la.LinearOperatorFullMatrix(M).eigvals(),
    "definite_unknown": lambda: la.LinearOperatorFullMatrix(M).assert_positive_definite(),
    "identity_hint": lambda: la.LinearOperatorIdentity(2, is_non_singular=None),
    "identity_rows": lambda: la.LinearOperatorIdentity(-1),
    "identity_float": lambda: la.LinearOperatorIdentity(2.5),
    "identity_vector": lambda: la.LinearOperatorIdentity([2]),
    "identity_batch": lambda: la.LinearOperatorIdentity(2, batch_shape=3),
    "identity_negative_batch": lambda: la.LinearOperatorIdentity(2, batch_shape=[3, -2]),
    "zeros_square": lambda: la.LinearOperatorZeros(2, 3),
    "zeros_inverse": lambda: la.LinearOperatorZeros(2).assert_non_singular(),
    "zeros_definite": lambda: la.LinearOperatorZeros(2, is_positive_definite=True),
    "composition_none": lambda: la.LinearOperatorComposition([]),
    "composition_types": lambda: la.LinearOperatorComposition([la.LinearOperatorDiag([1.0]), la.LinearOperatorIdentity(1, dtype=tf.float64)]),
    "composition_sizes": lambda: la.LinearOperatorComposition([la.LinearOperatorIdentity(2), la.LinearOperatorIdentity(3)]).shape,
    "composition_hint": lambda: la.LinearOperatorComposition([la.LinearOperatorIdentity(2)], is_non_singular=False),
    "inversion_singular": lambda: la.LinearOperatorInversion(la.LinearOperatorDiag([1.0]), is_non_singular=False),
    "inversion_hint": lambda: la.LinearOperatorInversion(la.LinearOperatorIdentity(1), is_self_adjoint=False),
    "kronecker_hint": lambda: la.LinearOperatorKronecker([la.LinearOperatorIdentity(1)], is_self_adjoint=False),
    "kronecker_none": lambda: la.LinearOperatorKronecker([]),
    "block_counts": lambda: la.LinearOperatorBlockDiag([la.LinearOperatorIdentity(1)] * 2).matmul(la.LinearOperatorBlockDiag([la.LinearOperatorIdentity(2)])),
    "block_rows": lambda: la.LinearOperatorBlockLowerTriangular([[la.LinearOperatorIdentity(1)], [la.LinearOperatorIdentity(1)]]),
    "block_sizes": lambda: la.LinearOperatorBlockLowerTriangular([[la.LinearOperatorIdentity(1)], [la.LinearOperatorIdentity(2), la.LinearOperatorIdentity(2)]]),
    "block_hint": lambda: la.LinearOperatorBlockLowerTriangular([[la.LinearOperatorIdentity(1)]], is_non_singular=False),
    "householder_definite": lambda: la.LinearOperatorHouseholder([1.0], is_positive_definite=True),
    "householder_assert": lambda: la.LinearOperatorHouseholder([1.0]).assert_positive_definite(),
    "permutation_twice": lambda: la.LinearOperatorPermutation([0, 0]),
    "permutation_float": lambda: la.LinearOperatorPermutation([0.0]),
    "permutation_hint": lambda: la.LinearOperatorPermutation([0], is_square=False),
    "toeplitz_sizes": lambda: la.LinearOperatorToeplitz([1.0], [1.0, 2.0]),
    "circulant_depth": lambda: la.LinearOperatorCirculant2D([1.0]),
    "circulant_hint": lambda: la.LinearOperatorCirculant([1.0], is_self_adjoint=False),
    "low_rank_hint": lambda: la.LinearOperatorLowRankUpdate(la.LinearOperatorIdentity(2), [[1.0], [2.0]], is_self_adjoint=False),
    "low_rank_sizes": lambda: la.LinearOperatorLowRankUpdate(la.LinearOperatorIdentity(2), [[1.0]]),
    "tridiag_format": lambda: la.LinearOperatorTridiag([[1.0]], diagonals_format="rows"),
    "tridiagonal_rows": lambda: la.tridiagonal_solve(tf.ones([2, 3]), tf.ones([3])),
    "tridiagonal_pivots": lambda: la.tridiagonal_solve(tf.ones([3, 3]), tf.ones([3]), partial_pivoting=False, perturb_singular=True),
}

names = "diag diag_complex diag_asserts diag_fails diag_open lower full full_definite full_wide full_complex full_batch_solve full_open identity identity_checked identity_open scaled scaled_complex zeros products composition composition_cholesky composition_open adjoint adjoint_complex inversion kronecker kronecker_wide kronecker_complex block_diag block_diag_wide block_lower block_lower_diagonal householder permutation toeplitz circulant circulant_real circulant_2d circulant_3d circulant_open low_rank low_rank_general low_rank_diagonal tridiag tridiag_sequence tridiag_matrix tridiagonal_solves"
if __name__ == "__main__":
    record({**{name: globals()[name] for name in names.split()}, **{"refused_" + name: make for name, make in refused.items()}}, sys.argv[1])
