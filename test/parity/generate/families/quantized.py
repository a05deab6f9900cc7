"""Arithmetic of quantized tensors. What is fed is float; it is quantized in the graph, and compared as plain integers."""
import numpy as np

from ..recording import rows

RAW = "tf.raw_ops."


def quantized_arithmetic(b):
    b.family("quantized_arithmetic")
    q = lambda x, lo, hi, t="quint8": f"{RAW}QuantizeV2(input={x},min_range={lo},max_range={hi},T=tf.{t},mode='MIN_FIRST')"
    ints = lambda e, t="uint8": f"r = {e}\ny = (tf.cast(r[0], tf.int32), r[1], r[2])"
    three = lambda name, a, *more: f"a = {a}\n" + ints(f"{RAW}{name}({', '.join(more)})")
    x, w = dict(x=b.f(3, 4)), dict(x=b.f(2, 3), w=b.f(3, 4))
    calls = []
    for op, o in (("QuantizedRelu", ""), ("QuantizedRelu6", "")):
        for lo, hi, t in ((-2., 3., "quint8"), (-1., 8., "quint8"), (-2., 3., "qint32")):
            calls.append((three(op, q("x * 3", lo, hi, t), "features=a[0]", "min_features=a[1]", "max_features=a[2]", f"out_type=tf.{t}"), x))
    calls += [(three("QuantizedReshape", q("x", -2., 2.), "tensor=a[0]", "shape=[2,6]", "input_min=a[1]", "input_max=a[2]"), x)]
    pool = dict(x=b.f(1, 4, 5, 2))
    for op in ("QuantizedMaxPool", "QuantizedAvgPool"):
        for k, s, p in (([1, 2, 2, 1], [1, 2, 2, 1], "VALID"), ([1, 3, 3, 1], [1, 1, 1, 1], "SAME"), ([1, 2, 2, 1], [1, 2, 2, 1], "SAME")):
            calls.append((three(op, q("x", -2., 2.), "input=a[0]", "min_input=a[1]", "max_input=a[2]", f"ksize={k}", f"strides={s}", f"padding='{p}'"), pool))
    for lo, hi, l2, h2, o in ((-2., 2., -1., 3., ""), (0., 2., -3., 1., ""), (-2., 2., -2., 2., ", transpose_b=True")):
        d = dict(x=b.f(2, 3), w=b.f(*((4, 3) if o else (3, 4))))
        calls.append((f"a = {q('x', lo, hi)}\nc = {q('w', l2, h2)}\n" + ints(f"{RAW}QuantizedMatMul(a=a[0],b=c[0],min_a=a[1],max_a=a[2],min_b=c[1],max_b=c[2]{o})"), d))
    for s, p in (([1, 1, 1, 1], "SAME"), ([1, 2, 2, 1], "VALID"), ([1, 1, 1, 1], "VALID")):
        calls.append((f"a = {q('x', -2., 3.)}\nc = {q('w', -1., 2.)}\n" + ints(f"{RAW}QuantizedConv2D(input=a[0],filter=c[0],min_input=a[1],max_input=a[2],min_filter=c[1],max_filter=c[2],strides={s},padding='{p}')"),
                      dict(x=b.f(1, 4, 5, 2), w=b.f(2, 3, 2, 3))))
    product = f"a = {q('x', -2., 2.)}\nc = {q('w', -1., 3.)}\np = {RAW}QuantizedMatMul(a=a[0],b=c[0],min_a=a[1],max_a=a[2],min_b=c[1],max_b=c[2])\n"
    calls += [(product + ints(f"{RAW}QuantizeDownAndShrinkRange(input=p[0],input_min=p[1],input_max=p[2],out_type=tf.quint8)"), w),
              (product + f"y = {RAW}RequantizationRange(input=p[0],input_min=p[1],input_max=p[2])", w)]
    calls += [(product + ints(f"{RAW}Requantize(input=p[0],input_min=p[1],input_max=p[2],requested_output_min={lo},requested_output_max={hi},out_type=tf.quint8)"), w) for lo, hi in ((-3., 3.), (-1., 2.), (0., 4.))]
    for l1, h1, l2, h2 in ((-2., 2., -1., 3.), (-2., 2., -2., 2.), (0., 1., -4., 4.)):
        two = f"a = {q('x', l1, h1)}\nc = {q('w', l2, h2)}\n"
        d = dict(x=b.f(2, 3), w=b.f(2, 3))
        calls += [(two + ints(f"{RAW}QuantizedConcat(concat_dim={k},values=[a[0],c[0]],input_mins=[a[1],c[1]],input_maxes=[a[2],c[2]])"), d) for k in (0, 1)]
        calls += [(two + ints(f"{RAW}{op}(x=a[0],y=c[0],min_x=a[1],max_x=a[2],min_y=c[1],max_y=c[2])"), v) for op in ("QuantizedMul",) for v in (d, dict(x=b.f(2, 3), w=b.f(3)))]
    rows(b, calls, dynamic=0)


ALL = [quantized_arithmetic]
