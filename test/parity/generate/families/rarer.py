"""Rarer operations: memory, formats of images, neighbours and monotone rows."""
import numpy as np

from ..recording import rows, run_errors

RAW = "tf.raw_ops."


def late(v, t="None"):
    return f"tf.placeholder_with_default(tf.constant({v},{t}),None)"


def inplace(b):
    b.family("inplace")
    f = b.f
    calls = [(f"{RAW}Inplace{k}(x=x + 0,i={i},v=v)", dict(x=f(4, 2), v=f(n, 2))) for k in ("Add", "Sub", "Update") for i, n in (("[0,2]", 2), ("[1,1,5,-1]", 4), ("tf.constant([],tf.int32)", 0))]
    calls += [(f"{RAW}InplaceAdd(x=x + 0,i=[1],v=v)", dict(x=b.i(3), v=b.i(1))), (f"{RAW}InplaceUpdate(x=x + 0,i=[1],v=v)", dict(x=np.arange(6).reshape(3, 2), v=np.array([[7, 8]])))]
    calls += [(f"{RAW}Empty(shape=[2,3],dtype=tf.{t},init=True)", {}) for t in ("float32", "int32", "int64")]
    calls += [(f"{RAW}DataFormatDimMap(x=x{o})", dict(x=np.array(v, t))) for v, o, t in (([0, 1, 2, 3, -1, -2, -3, -4], "", "int32"), (2, "", "int32"), ([[3, -1]], ",src_format='NCHW',dst_format='NHWC'", "int64"), ([4, -2, 0], ",src_format='NDHWC',dst_format='NCDHW'", "int32"))]
    calls += [(f"{RAW}DataFormatVecPermute(x=x{o})", dict(x=np.array(v, t))) for v, o, t in (([7, 4, 9, 3], "", "int32"), ([[1, 2], [3, 4], [5, 6], [7, 8]], "", "int64"), ([7, 4, 9, 3], ",src_format='NCHW',dst_format='NHWC'", "int32"),
                                                                                    ([5, 6], "", "int32"), ([7, 4, 9, 3], ",src_format='NHWC',dst_format='HWNC'", "int32"), ([7, 4, 9, 3, 1], ",src_format='NDHWC',dst_format='NCDHW'", "int32"))]
    calls += [(f"{RAW}Copy(input=x)", dict(x=f(2)))]
    calls += [(f"{RAW}NearestNeighbors(points=x,centers=y,k={k})", dict(x=f(4, 3), y=f(5, 3))) for k in (1, 3, 9)]
    calls += [(f"{RAW}IsotonicRegression(input=x)", dict(x=f(*s)), dict(grad=True)) for s in ((1, 6), (3, 5), (2, 1))]
    calls += [(f"{RAW}IsotonicRegression(input=x)", dict(x=b.i(2, 5))), (f"{RAW}IsotonicRegression(input=x,output_dtype=tf.float64)", dict(x=f(2, 4, dtype='float64')))]
    calls += [(f"tf.sparse_matmul(x, y{o})", dict(x=f(*s), y=f(*t)), dict(grad=True)) for s, t, o in (((2, 3), (3, 4), ""), ((3, 2), (4, 3), ", transpose_a=True, transpose_b=True, a_is_sparse=True"))]
    rows(b, calls, dynamic=0)
    wrong = [f"{RAW}InplaceAdd(x={late(x)},i={late(i, 'tf.int32')},v={late(v)})" for x, i, v in (("[1.,2.]", "[0]", "[[1.]]"), ("[[1.,2.]]", "[0]", "[[1.]]"), ("[1.,2.]", "[0,1]", "[1.]"), ("[1.,2.]", "[[0]]", "[1.]"))]
    wrong += [f"{RAW}DataFormatDimMap(x={late(x)}{o})" for x, o in (("[1]", ",src_format='NHW'"), ("[1]", ",dst_format='NHWX'"))]
    wrong += [f"{RAW}DataFormatVecPermute(x={late(x)}{o})" for x, o in (("[1]", ""), ("[[1]]", ""), ("[[[1]]]", ""), ("[[1],[2],[3],[4]]", ""))]
    wrong += [f"{RAW}NearestNeighbors(points={late(p)},centers={late(c)},k={late(k, 'tf.int64')})" for p, c, k in (("[1.]", "[[1.]]", 1), ("[[1.]]", "[[1.,2.]]", 1), ("[[1.]]", "[1.]", 1))]
    run_errors(b, wrong)


def amsgrad(b):
    b.family("amsgrad")
    names = ("v", "m", "s", "h")
    for shape in ((3,), (2, 2)):
        code = "".join(f"{n} = tf.Variable(np.array({np.abs(b.f(*shape)).tolist()}, 'f'), use_resource=True)\n" for n in names)
        code += "g = tf.placeholder(tf.float32, " + repr(list(shape)) + ", name='g')\ninit = tf.global_variables_initializer()\n"
        code += (f"train = {RAW}ResourceApplyAdamWithAmsgrad(var=v.handle,m=m.handle,v=s.handle,vhat=h.handle,beta1_power=.81,beta2_power=.98,lr=.1,beta1=.9,beta2=.99,epsilon=1e-4,grad=g)\n"
                 "r = [tf.identity(x) for x in (v, m, s, h)]")
        steps = [({}, [], ["init"])]
        for _ in range(2):
            steps += [({"g": b.f(*shape)}, [], ["train"]), ({}, ["r"], [])]
        b.steps_case(code, steps, op="ResourceApplyAdamWithAmsgrad")


ALL = [inplace, amsgrad]
