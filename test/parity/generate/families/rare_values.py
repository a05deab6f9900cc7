"""What random calls of rare ops found: second gradients of conditionals, shapes that letters or zeros tell, limits, singular matrices."""
from ..recording import rows, run_errors
from ..tfenv import np
from .edge_cases import refusal

TWICE = "; g = tf.gradients(z, x)[0]; h = tf.gradients(g, x)[0]; y = [z, g, h]"


def rare_values(b):
    b.family("rare_values")
    x = np.array([1, 2, 3], "f")
    for taken in (True, False):
        feeds = {"x": x, "p": np.asarray(taken)}
        rows(b, [
            ("z = tf.cond(p, lambda: x * x, lambda: x * x * x)" + TWICE, feeds),
            # Chosen between two parts of a run, and one inside another.
            ("a = tf.cond(p, lambda: (x * x)[:2], lambda: x * x * x); z = tf.cond(p, lambda: tf.reduce_sum(a * a), lambda: tf.reduce_sum(tf.sin(a)))" + TWICE, feeds),
            ("z = tf.cond(p, lambda: tf.cond(x[0] > 2., lambda: x * x, lambda: x ** 4), lambda: tf.sin(x))" + TWICE + "; y += tf.gradients(h, x)", feeds),
        ], dynamic=0)
    matrix = np.array([[1, .5], [.25, 2]], "f")
    rows(b, [
        ("z = tf.linalg.expm(x)" + TWICE, {"x": matrix}, dict(shapes={"x": [None, None]}, cmp=(1e-4, 1e-4))),
        ("z = tf.linalg.lstsq(x, x, l2_regularizer=0.5)" + TWICE, {"x": matrix}, dict(shapes={"x": [None, 2]}, cmp=(1e-4, 1e-4))),
    ], dynamic=0)
    unknown = ("float32", None)
    for call, sizes in (("tf.einsum('ij,kj->ik', x, z)", (3, None)), ("tf.einsum('ab,bc,ca->abc', x, z, z)", (3, 4)), ("tf.einsum('ii', x)", (2, 2)),
                        ("tf.einsum('...i,i->...', x, z)", (4,))):
        b.shape_case(call, {"x": unknown, "z": ("float32", sizes)} if "z" in call else {"x": unknown})
    b.shape_case("[tf.image.rgb_to_hsv(x), tf.image.hsv_to_rgb(x)]", {"x": ("float32", (None, 4, None))})
    b.shape_case("list(tf.linalg.qr(x)) + [tf.linalg.svd(x, compute_uv=False)]", {"x": ("float32", (2, None, 0))})
    inf, nan = np.inf, np.nan
    for dt in ("float32", "float64"):
        b.case("tf.raw_ops.IgammaGradA(a=x, x=z)", inputs={"x": np.array([inf, inf, inf, 1, 0, nan], dt), "z": np.array([inf, 1, 0, inf, inf, 1], dt)}, dynamic=0)
    for dt in ("complex64", "complex128"):
        b.case("[tf.linalg.triangular_solve(x, z), tf.linalg.lstsq(x, z)]", inputs={"x": np.zeros((2, 2), dt), "z": np.zeros((2, 1), dt)}, dynamic=0)
        b.case("list(tf.linalg.lu(x))", inputs={"x": np.zeros((0, 0), dt)}, dynamic=0)
    for call in ("tf.linalg.diag(tf.zeros([3]), num_rows=5, num_cols=6)", "tf.linalg.diag(tf.zeros([3]), k=-1, num_rows=3, num_cols=9)",
                 "tf.linalg.diag(tf.zeros([3]), k=1, num_rows=9, num_cols=3)", "tf.math.reduce_std(tf.constant([1, 2]))",
                 "tf.linalg.diag(tf.zeros([3]), k=5, num_rows=2)"):
        refusal(b, call)
    for call in ("x = tf.placeholder(tf.float32, [3, None])\nq = tf.linalg.qr(x)\ng = tf.gradients(q[1], x)",
                 "x = tf.placeholder(tf.float32, [3, 2])\nq = tf.linalg.qr(x, full_matrices=True)\ng = tf.gradients(q[1], x)",
                 "x = tf.placeholder(tf.float32, [3, None])\nq = tf.linalg.svd(x)\ng = tf.gradients(q[1], x)"):
        refusal(b, call)
    run_errors(b, ["tf.round(tf.constant([1.5 + 2j], tf.complex64))"])
    told = b.fam.cases[-1]["steps"][-1]["error"]
    told.update(message=told["message"].split("\n")[0], match="first")  # the kernels of that build follow


ALL = [rare_values]
