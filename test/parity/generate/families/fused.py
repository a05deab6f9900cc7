"""Ops that stand for several: as graph rewriting leaves them; slices set in a tensor; integers with scales."""
import numpy as np

from ..recording import rows, run_errors

RAW = "tf.raw_ops."


def fused(b):
    b.family("fused")
    f = b.f
    make = ("from tensorflow.core.framework import attr_value_pb2 as A\nV = A.AttrValue\nS = lambda x: V(s=x.encode())\nI = lambda *x: V(list=V.ListValue(i=x))\nW = lambda *x: V(list=V.ListValue(s=[y.encode() for y in x]))\n"
            "F = V(type=1)\nnew = lambda t, i, a: tf.get_default_graph().create_op(t, i, [tf.float32], name='y', attrs=a).outputs[0]\n")
    acts = ([], ["Relu"], ["Relu6"], ["Elu"], ["Tanh"], ["Sigmoid"], ["LeakyRelu"])
    product = lambda ops, o="": make + f"y = new('_FusedMatMul', [x, w, c], dict(T=F, num_args=V(i=1), fused_ops=W(*{ops}), leakyrelu_alpha=V(f=.3){o}))"
    calls = [(product(["BiasAdd"] + a), dict(x=f(3, 4), w=f(4, 5), c=f(5))) for a in acts]
    calls += [(product(["BiasAdd"], ", transpose_a=V(b=True), transpose_b=V(b=True)"), dict(x=f(4, 3), w=f(5, 4), c=f(5)))]
    conv = lambda ops, args, o, n, types: make + (f"y = new('_FusedConv2D', [x, w{args}], dict(T=F, TArgs=V(list=V.ListValue(type={types})), num_args=V(i={n}), num_host_args=V(i=0), fused_ops=W(*{ops}), epsilon=V(f=.01), leakyrelu_alpha=V(f=.3), {o}))")
    valid, same = "strides=I(1, 2, 2, 1), padding=S('VALID')", "strides=I(1, 1, 1, 1), padding=S('SAME')"
    image = lambda n=2: dict(x=f(n, 5, 6, 3), w=f(3, 2, 3, 4))
    for o in (valid, same):
        for a in ([], ["Relu"], ["Elu"], ["LeakyRelu"]):
            calls.append((conv(["BiasAdd"] + a, ", c", o, 1, [1]), dict(image(), c=f(4))))
            calls.append((conv(["FusedBatchNorm"] + a, ", s, c, m, v", o, 4, [1] * 4), dict(image(), s=f(4), c=f(4), m=f(4), v=f(4, lo=.5, hi=2.))))
    # Of more than one image TensorFlow's kernels give the first only: what comes behind is not what the plain ops give.
    for mode in ("REFLECT", "SYMMETRIC"):
        for o in ("strides=[1, 1, 1, 1], padding='VALID'", "strides=[1, 2, 2, 1], padding='SAME'"):
            calls.append((f"{RAW}FusedPadConv2D(input=x, paddings=[[0, 0], [1, 2], [2, 1], [0, 0]], filter=w, mode='{mode}', {o})", image(1)))
            for corners in (False, True):
                calls.append((f"{RAW}FusedResizeAndPadConv2D(input=x, size=[7, 9], paddings=[[0, 0], [1, 0], [0, 2], [0, 0]], filter=w, mode='{mode}', resize_align_corners={corners}, {o})", image(1)))
    rows(b, calls, dynamic=0)


def slices_set(b):
    b.family("slices_set")
    f = b.f
    u = lambda begin, end, strides, o="": f"{RAW}TensorStridedSliceUpdate(input=x, begin={begin}, end={end}, strides={strides}, value=v{o})"
    calls = [(u([0, 1], [2, 3], [1, 1]), dict(x=f(3, 4), v=f(2, 2))), (u([0, 0], [3, 4], [2, 3]), dict(x=f(3, 4), v=f(2, 2))), (u([2, 3], [0, 0], [-1, -2]), dict(x=f(3, 4), v=f(2, 2))),
             (u([1, 0], [2, 4], [1, 1], ", shrink_axis_mask=1"), dict(x=f(3, 4), v=f(4))), (u([1], [2], [1], ", begin_mask=1, end_mask=1"), dict(x=f(3, 4), v=f(3, 4))),
             (u([0, 1], [0, 3], [1, 1], ", ellipsis_mask=1"), dict(x=f(2, 2, 4), v=f(2, 2, 2)))]
    rows(b, [c + (dict(grad=True),) for c in calls], dynamic=0)
    rows(b, [(u([0, 1], [2, 3], [1, 1]), dict(x=b.i(3, 4), v=b.i(2, 2))), (u([0, 1], [2, 3], [1, 1]), dict(x=f(3, 4), v=np.float32(7))), (u([0, 1], [2, 3], [1, 1]), dict(x=f(3, 4), v=f(2))), (u([0, 1], [2, 3], [1, 1]), dict(x=f(3, 4), v=f(2, 1)))], dynamic=0)
    run_errors(b, [u("[0, 1]", "[2, 3]", "[1, 1]").replace("x,", "tf.ones([3, 4]),").replace("=v", "=tf.placeholder_with_default(tf.ones([3]), None)")])


def uniform(b):
    b.family("uniform_quantized")
    f = b.f
    top = {"qint8": (-128, 127), "qint32": (-2**31, 2**31 - 1)}
    bounds = lambda t, p="": f"{p}quantization_min_val={top[t][0]}, {p}quantization_max_val={top[t][1]}"
    quantize = lambda t, s, z, axis=-1: f"q = {RAW}UniformQuantize(input=x, scales={s}, zero_points={z}, Tout=tf.{t}, quantization_axis={axis}, {bounds(t)})\n"
    calls = []
    for t in ("qint8", "qint32"):
        for s, z, axis in ((".05", "3", -1), (".1", "-10", -1), ("[.05, .1, .02]", "[1, 0, -4]", 1), ("[.5, .1]", "[1, 2]", 0)):
            q = quantize(t, s, z, axis)
            calls += [(q + "y = tf.cast(q, tf.int32)", dict(x=f(2, 3) * 3)),
                      (q + f"y = {RAW}UniformDequantize(input=q, scales={s}, zero_points={z}, Tout=tf.float32, quantization_axis={axis}, {bounds(t)})", dict(x=f(2, 3) * 3))]
    for s, t in (("qint8", "qint8"), ("qint32", "qint8")):
        for a, z, axis, to, w, at in ((".05", "3", -1, ".2", "-5", -1), ("[.05, .1, .02]", "[1, 0, -4]", 1, ".1", "0", -1), (".05", "3", -1, "[.05, .1, .02]", "[1, 0, -4]", 1)):
            calls.append((quantize(s, a, z, axis) + f"y = tf.cast({RAW}UniformRequantize(input=q, input_scales={a}, input_zero_points={z}, output_scales={to}, output_zero_points={w}, Tout=tf.{t}, input_quantization_axis={axis}, output_quantization_axis={at}, {bounds(s, 'input_')}, {bounds(t, 'output_')}), tf.int32)", dict(x=f(2, 3) * 3)))
    calls.append((quantize("qint32", ".05", "3") + f"y = tf.cast({RAW}UniformQuantizedClipByValue(operand=q, min=tf.bitcast(tf.constant(-20), tf.qint32), max=tf.bitcast(tf.constant(15), tf.qint32), scales=.05, zero_points=3, {bounds('qint32')}), tf.int32)", dict(x=f(2, 3) * 3)))
    add = f"y = tf.cast({RAW}UniformQuantizedAdd(lhs=q, rhs=p, lhs_scales=.05, lhs_zero_points=3, rhs_scales=.1, rhs_zero_points=-2, output_scales=.2, output_zero_points=1, {bounds('qint32', 'lhs_')}, {bounds('qint32', 'rhs_')}, {bounds('qint32', 'output_')}), tf.int32)"
    for s in ((2, 3), (3,)):
        calls.append((quantize("qint32", ".05", "3") + quantize("qint32", ".1", "-2").replace("q =", "p =").replace("input=x", "input=z") + add, dict(x=f(2, 3) * 3, z=f(*s) * 3)))
    rows(b, calls, dynamic=0)


ALL = [fused, slices_set, uniform]
