"""The n-th and the best of rows; sparse tensors as strings."""
import numpy as np

from ..recording import rows, run_errors

G = dict(grad=True)


def nth_element(b):
    b.family("nth_element")
    f = b.f
    calls = [(f"tf.raw_ops.NthElement(input=x, n={n}, reverse={r})", dict(x=f(*s)), G) for n, r, s in ((0, False, (4,)), (2, False, (2, 5)), (1, True, (2, 3, 4)), (3, True, (4,)))]
    calls += [("tf.raw_ops.NthElement(input=x, n=n)", dict(x=b.i(3, 6, lo=0, hi=4), n=np.int32(2))), ("tf.raw_ops.NthElement(input=x, n=1)", dict(x=np.array([[1., 1., 2.]], "f")), G)]
    calls += [(f"tf.math.approx_max_k(x, {k}{r})", dict(x=f(*s)), G) for k, r, s in ((2, "", (5,)), (3, "", (2, 6)), (2, ", reduction_dimension=0", (4, 3)), (2, ", reduction_dimension=1", (2, 5, 3)))]
    rows(b, calls, dynamic=0)
    run_errors(b, ["tf.raw_ops.NthElement(input=[[3.,1.,2.],[6.,5.,4.]],n=tf.placeholder_with_default(3,[]))"])


def serialize_sparse(b):
    b.family("serialize_sparse")
    s = "tf.SparseTensor([[0,1],[1,0],[1,2]],%s,[2,3])"
    cube = "tf.SparseTensor([[0,0,1],[0,1,0],[2,0,0]],x,[3,2,2])"
    x = dict(x=b.f(3))
    calls = [(f"tf.{k}_sparse({v})", d) for k in ("serialize", "serialize_many")
             for v, d in ((s % "x", x), (cube, x), (s % "['a','','bc']", {}), (s % "tf.constant([1,-2,3],tf.int64)", {}), ("tf.SparseTensor(np.zeros((0,2),'int64'),tf.constant([],tf.float32),[2,3])", {}))]
    calls += [(f"tf.deserialize_many_sparse(tf.serialize_many_sparse({v}), {t}{r})", d) for v, t, d in ((s % "x", "tf.float32", x), (cube, "tf.float32", x), (s % "['a','','bc']", "tf.string", {})) for r in ("",)]
    calls += [(f"tf.raw_ops.DeserializeSparse(serialized_sparse={v}, dtype=tf.string)", {}) for v in (
        "tf.serialize_sparse(%s)" % (s % "['a','','bc']"), "tf.stack([tf.serialize_sparse(%s),tf.serialize_sparse(tf.SparseTensor([[0,1]],['q'],[1,4]))])" % (s % "['a','','bc']"))]
    calls.append(("tf.deserialize_many_sparse(tf.serialize_many_sparse(%s), tf.float32, rank=2)" % (s % "x"), x))
    rows(b, calls, dynamic=0)
    run_errors(b, ["tf.deserialize_many_sparse(tf.constant([['a','b','c']]),tf.string)", "tf.serialize_many_sparse(tf.SparseTensor([[0],[1]],[1.5,2.5],[2]))",
                   "tf.deserialize_many_sparse(tf.serialize_many_sparse(%s),tf.int32)" % (s % "[1.,2.,3.]"),
                   "tf.raw_ops.DeserializeSparse(serialized_sparse=tf.placeholder_with_default(['a','b'],None), dtype=tf.string)"])


ALL = [nth_element, serialize_sparse]
