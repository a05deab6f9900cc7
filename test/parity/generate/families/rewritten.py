"""Graphs as quantization and rewriting tools leave them. The products with a bias, an activation or a new range have kernels in oneDNN alone:
their family is recorded with TF_ENABLE_ONEDNN_OPTS=1."""
import os

import numpy as np

from ..core import graph_json, new_session
from ..recording import rows, run_errors
from ..tfenv import tf

RAW = "tf.raw_ops."
ONEDNN = os.environ["TF_ENABLE_ONEDNN_OPTS"] == "1"
Q = lambda x, lo, hi, t="quint8": f"{RAW}QuantizeV2(input={x},min_range={lo},max_range={hi},T=tf.{t},mode='MIN_FIRST')"
INTS = lambda e: f"r = {e}\ny = (tf.cast(r[0], tf.int32), *r[1:])"


def quantized_normalization(b):
    if ONEDNN:
        return
    b.family("quantized_normalization")
    f, calls = b.f, []
    for l1, h1, l2, h2 in ((-2., 2., -1., 3.), (-2., 2., -2., 2.), (0., 1., -4., 4.)):
        two = f"a = {Q('x', l1, h1)}\nc = {Q('w', l2, h2)}\n"
        for x, w in ((f(2, 3), f(2, 3)), (f(2, 3), np.float32(.7)), (np.float32(-.4), f(2, 2)), (f(2, 3), f(3)), (f(4), f(3, 4))):
            calls.append((two + INTS(f"{RAW}QuantizedAdd(x=a[0],y=c[0],min_x=a[1],max_x=a[2],min_y=c[1],max_y=c[2])"), dict(x=x, w=w)))
        calls += [(two + INTS(f"{RAW}QuantizedBiasAdd(input=a[0],bias=c[0],min_input=a[1],max_input=a[2],min_bias=c[1],max_bias=c[2],out_type=tf.qint32)"), dict(x=f(*s, 3), w=f(3))) for s in ((2,), (2, 1, 2))]
    for o in ("", ",output_range_given=True,given_y_min=-2.0,given_y_max=1.5", ",variance_epsilon=0.1,min_separation=9.0"):
        calls += [(f"a = {Q('x', -2., 3.)}\n" + INTS(f"{RAW}QuantizedInstanceNorm(x=a[0],x_min=a[1],x_max=a[2]{o})"), dict(x=f(*s))) for s in ((1, 3, 4, 2), (2, 5, 2, 3))]
    for scaled in (True, False):
        for eps in (.001, .5):
            q = f"a = {Q('x', -2., 3.)}\nm = {Q('m', -1., 1.)}\nv = {Q('v', 0., 2.)}\nc = {Q('c', -1., 1.)}\ng = {Q('g', -2., 2.)}\n"
            args = ",".join(f"{n}={k}[0],{n}_min={k}[1],{n}_max={k}[2]" for n, k in (("t", "a"), ("m", "m"), ("v", "v"), ("beta", "c"), ("gamma", "g")))
            calls.append((q + INTS(f"{RAW}QuantizedBatchNormWithGlobalNormalization({args},out_type=tf.qint32,variance_epsilon={eps},scale_after_normalization={scaled})"),
                          dict(x=f(2, 2, 3, 2), m=f(2), v=f(2, lo=.2, hi=1.8), c=f(2), g=f(2))))
    for o in ("", ",align_corners=True", ",half_pixel_centers=True"):
        for size in ([3, 7], [8, 4], [1, 12], [4, 5]):
            for n, t in ((3, "quint8"), (1, "quint8"), (2, "quint8"), (1, "qint32"), (3, "qint32")):
                if b.keep(o, size, n, t):
                    calls.append((f"a = {Q('x', -2., 3., t)}\n" + INTS(f"{RAW}QuantizedResizeBilinear(images=a[0],size={size},min=a[1],max=a[2]{o})"), dict(x=f(2, 4, 5, n))))
            calls.append((f"y = {RAW}QuantizedResizeBilinear(images=x,size={size},min=-1.0,max=1.0{o})", dict(x=f(1, 4, 5, 2))))
    rows(b, calls, dynamic=0)


def uniform_products(b):
    if ONEDNN:
        return
    b.family("uniform_products")
    f, calls = b.f, []
    bounds = lambda p, t="8": f"{p}_quantization_min_val={-128 if t == '8' else -2**31},{p}_quantization_max_val={127 if t == '8' else 2**31 - 1}"
    quantize = lambda n, x, s, z, axis: f"{n} = {RAW}UniformQuantize(input={x}, scales={s}, zero_points={z}, Tout=tf.qint8, quantization_axis={axis}, quantization_min_val=-128, quantization_max_val=127)\n"
    one, many = ("0.05", "3", -1), lambda n, axis, zeros: (str([.02 + .01 * k for k in range(n)]), str([(3 * k - 2) * zeros for k in range(n)]), axis)
    for r, o in ((one, ("0.2", "-5", -1)), (many(4, 1, 0), ("0.1", "0", -1)), (many(4, 1, 0), many(4, 1, 1))):
        q = quantize("l", "x", ".04", "7", -1) + quantize("r", "w", *r)
        calls.append((q + f"y = tf.cast({RAW}UniformQuantizedDot(lhs=l,rhs=r,lhs_scales=.04,lhs_zero_points=7,rhs_scales={r[0]},rhs_zero_points={r[1]},output_scales={o[0]},output_zero_points={o[1]},Tout=tf.qint32,rhs_quantization_axis={r[2]},output_quantization_axis={o[2]},{bounds('lhs')},{bounds('rhs')},{bounds('output', '32')}), tf.int32)", dict(x=f(2, 3), w=f(3, 4))))
        calls.append((quantize("r", "w", *r) + f"y = {RAW}UniformQuantizedDotHybrid(lhs=x,rhs=r,rhs_scales={r[0]},rhs_zero_points={r[1]},Tout=tf.float32,rhs_quantization_axis={r[2]},{bounds('rhs')})", dict(x=f(2, 3), w=f(3, 4))))
    nhwc = "from tensorflow.core.util.quantization import uniform_quant_ops_attr_pb2 as P\nn = P.UniformQuantizedConvolutionDimensionNumbersAttr(input_batch_dimension=0,input_feature_dimension=3,input_spatial_dimensions=[1,2],kernel_output_feature_dimension=3,kernel_input_feature_dimension=2,kernel_spatial_dimensions=[0,1],output_batch_dimension=0,output_feature_dimension=3,output_spatial_dimensions=[1,2]).SerializeToString()\n"
    for w in ("padding='VALID'", "padding='SAME',window_strides=[2,1]", "padding='EXPLICIT',explicit_padding=[1,0,2,1],rhs_dilation=[2,1]", "padding='VALID',lhs_dilation=[2,3]"):
        for head, numbers, x, k, axes in (("", "", f(2, 3, 5, 6), f(4, 3, 2, 3), (0, 1)), (nhwc, ",dimension_numbers=n", f(2, 5, 6, 3), f(2, 3, 3, 4), (3, 3))):
            for r, o in ((one, ("0.2", "-5", -1)), (many(4, axes[0], 0), many(4, axes[1], 1))):
                q = head + quantize("l", "x", ".04", "7", -1) + quantize("r", "w", *r)
                calls.append((q + f"y = tf.cast({RAW}UniformQuantizedConvolution(lhs=l,rhs=r,lhs_scales=.04,lhs_zero_points=7,rhs_scales={r[0]},rhs_zero_points={r[1]},output_scales={o[0]},output_zero_points={o[1]},Tout=tf.qint32,rhs_quantization_axis={r[2]},output_quantization_axis={o[2]},{bounds('lhs')},{bounds('rhs')},{bounds('output', '32')},{w}{numbers}), tf.int32)", dict(x=x, w=k)))
                calls.append((head + quantize("r", "w", *r) + f"y = {RAW}UniformQuantizedConvolutionHybrid(lhs=x,rhs=r,rhs_scales={r[0]},rhs_zero_points={r[1]},Tout=tf.float32,rhs_quantization_axis={r[2]},{bounds('rhs')},{w}{numbers})", dict(x=x, w=k)))
    for g in ("feature_group_count=2", "batch_group_count=2"):
        x, k = (f(2, 4, 5), f(4, 2, 3)) if g[0] == "f" else (f(4, 2, 5), f(4, 2, 3))
        calls.append((quantize("r", "w", *one) + f"y = {RAW}UniformQuantizedConvolutionHybrid(lhs=x,rhs=r,rhs_scales=.05,rhs_zero_points=3,Tout=tf.float32,{bounds('rhs')},padding='SAME',{g})", dict(x=x, w=k)))
    rows(b, calls, dynamic=0)


def removed_normalization(b):
    """BatchNormWithGlobalNormalization, which only graphs of version 8 and before may hold: built in a graph that says it is one."""
    if ONEDNN:
        return
    b.family("removed_normalization")
    for scaled in (True, False):
        for grad in (False, True):
            shapes = dict(x=(2, 3, 2, 4), m=(4,), v=(4,), c=(4,), s=(4,), d=(2, 3, 2, 4))
            values = {k: b.f(*s, **(dict(lo=.2, hi=2.) if k == "v" else {})) for k, s in shapes.items()}
            g = tf.Graph()
            with g.as_default():
                for k, s in shapes.items():
                    tf.placeholder(tf.float32, s, name=k)
            gd = g.as_graph_def()
            gd.versions.producer = 8
            n = gd.node.add(name="n", op="BatchNormWithGlobalNormalization" + "Grad" * grad, input=["x", "m", "v", "s", "d"] if grad else ["x", "m", "v", "c", "s"])
            n.attr["T"].type, n.attr["variance_epsilon"].f, n.attr["scale_after_normalization"].b = 1, .01, scaled
            names, feeds = [f"n:{k}" for k in range(5 if grad else 1)], {k + ":0": v for k, v in values.items()}
            older = tf.Graph()
            with older.as_default():
                tf.import_graph_def(gd, name="")
            with new_session(older) as s:
                found = dict(zip(names, s.run(names, feeds)))
            b.fam.cases.append(dict(id=b.new_id(), family=b.fam.name, op="BatchNormWithGlobalNormalization", kind="run", python_call=f"scaled={scaled}", tags=[],
                                    graph=graph_json(gd), static_shapes={},
                                    steps=[dict(feeds={n: b.fam.tensor(v) for n, v in feeds.items()}, fetches=names,
                                                expected={n: b.expect(v, (1e-4, 1e-5)) for n, v in found.items()})]))


def rewritten(b):
    if not ONEDNN:
        return
    b.family("rewritten")
    f, calls = b.f, []
    bits = lambda x, t: f"tf.bitcast({x}, tf.{t})"
    # Below 128: without VNNI instructions oneDNN adds two products in 16 bits, which saturate
    # (and of signed images it halves the filters, so there is nothing exact to record).
    u8, s8 = lambda *s: b.i(*s, lo=0, hi=128).astype("uint8"), lambda *s: b.i(*s, lo=-128, hi=128).astype("int8")
    # Kernels of oneDNN want constants for filters.
    fixed = lambda w: f"filter=tf.constant(np.array({w.tolist()}, 'int8').view(tf.qint8.as_numpy_dtype), tf.qint8)"
    image, filters, deep = u8(2, 4, 5, 3), s8(2, 3, 3, 4), s8(2, 2, 3, 2)
    same, valid = "strides=[1,1,1,1],padding='SAME'", "strides=[1,2,2,1],padding='VALID'"
    for kind, w, depth in (("Conv2D", filters, 4), ("DepthwiseConv2D", deep, 6)):
        for parts in (("", "AndRelu", "AndRequantize", "AndReluAndRequantize", "WithBias", "WithBiasAndRelu", "WithBiasAndRequantize", "WithBiasAndReluAndRequantize", "PerChannel") if kind == "Conv2D" else ("", "WithBias", "WithBiasAndRelu", "WithBiasAndReluAndRequantize")):
            if kind == "Conv2D" and parts == "":
                continue
            for o in (same, valid):
                per = parts == "PerChannel" or "Bias" in parts and "Requantize" in parts and o == same
                lows = str([-1.0] * depth if "Requantize" not in parts else [-1.0 + .1 * k for k in range(depth)]) if per else "-1.0"
                highs = str([.5] * depth) if per else ".5"
                args = [f"input={bits('x', 'quint8')}", fixed(w), "min_input=0.0", "max_input=2.0", f"min_filter={lows}", f"max_filter={highs}", o]
                if "Bias" in parts:
                    args.append("bias=c")
                if "Requantize" in parts:
                    args.append("min_freezed_output=-3.0,max_freezed_output=40.0" if "Relu" not in parts else "min_freezed_output=0.0,max_freezed_output=60.0")
                feeds = dict(x=image, **({"c": f(depth) * 3} if "Bias" in parts else {}))
                calls.append((INTS(f"{RAW}Quantized{kind}{parts}({','.join(args)})"), feeds))
                if "Bias" in parts and "Requantize" in parts:
                    calls.append((INTS(f"{RAW}Quantized{kind}{parts}({','.join(args).replace('bias=c', 'bias=' + bits('c', 'qint32'))})"), dict(feeds, c=b.i(depth, lo=-9000, hi=9000))))
    # A sum as residual blocks have it: with the results of another convolution, whose memory the kernel takes over.
    square, other = b.i(2, 4, 5, 3, lo=0, hi=128).astype("uint8"), s8(1, 1, 3, 4)
    for signed, lo in (("", 0.), ("Signed", -6.)):
        for bias, c in ((f(4), "c"), (b.i(4, lo=-900, hi=900), bits("c", "qint32"))):
            images = f"input={bits('x', 'quint8')},min_input=0.0,max_input=2.0,min_filter=-1.0,max_filter=.5,bias={c},{same}"
            first = f"{RAW}QuantizedConv2DWithBiasAnd{'' if signed else 'ReluAnd'}Requantize({fixed(filters)},{images},min_freezed_output={lo},max_freezed_output=6.0)"
            calls.append((f"a = {first}\n" + INTS(f"{RAW}QuantizedConv2DWithBias{signed}SumAndReluAndRequantize({fixed(other)},{images},min_freezed_output=0.0,max_freezed_output=9.0,summand=a[0],min_summand=a[1],max_summand=a[2])"), dict(x=square, c=bias)))
    calls.append((INTS(f"{RAW}QuantizedConv2DAndRelu(input={bits('x', 'quint8')},{fixed(filters)},min_input=0.0,max_input=2.0,min_filter=-1.0,max_filter=.5,{valid},padding_list=[0,0,1,0,2,1,0,0])"), dict(x=image)))
    calls.append((INTS(f"{RAW}QuantizedConv2DAndRelu(input={bits('x', 'quint8')},{fixed(filters)},min_input=0.0,max_input=2.0,min_filter=-1.0,max_filter=.5,{same},dilations=[1,2,2,1])"), dict(x=image)))
    for parts in ("", "AndRelu", "AndRequantize", "AndReluAndRequantize", "AndDequantize"):
        for o in ("",):
            for mode in ("MIN_FIRST", "SCALED"):
                bias = ["float32"] if parts == "AndRelu" else ["float32", "qint32"]
                for t in bias:
                    c = "c" if t == "float32" else bits("c", "qint32")
                    frozen = ",min_freezed_output=0.0,max_freezed_output=40.0" if parts.endswith("ize") else ""
                    call = f"{RAW}QuantizedMatMulWithBias{parts}(a={bits('x', 'quint8')},b={bits('w', 'qint8')},bias={c},min_a=0.0,max_a=2.0,min_b=-1.0,max_b=.5,input_quant_mode='{mode}'{frozen}{o}"
                    calls.append((call + ",Toutput=tf.float32)" if parts == "AndDequantize" else INTS(call + ")"), dict(x=u8(3, 5), w=s8(4, 5) if o else s8(5, 4), c=f(4) * 4 if t == "float32" else b.i(4, lo=-9000, hi=9000))))
    lows, highs = "[-1.0, -.2, -.5]", "[.4, .8, .1]"
    for lo in (-2**30, 0):
        wide = dict(x=b.i(2, 2, 3, 3, lo=lo, hi=2**30))
        q = bits("x", "qint32")
        calls += [(f"y = {RAW}RequantizationRangePerChannel(input={q},input_min={lows},input_max={highs},clip_value_max={c})", wide) for c in (.1, 6.)]
        calls += [(INTS(f"{RAW}RequantizePerChannel(input={q},input_min={lows},input_max={highs},requested_output_min={-.4 if t == 'qint8' else 0.},requested_output_max=.5,out_type=tf.{t})"), wide) for t in ("quint8", "qint8")]
    make = ("from tensorflow.core.framework import attr_value_pb2 as A\nV = A.AttrValue\nS = lambda x: V(s=x.encode())\nI = lambda *x: V(list=V.ListValue(i=x))\nW = lambda *x: V(list=V.ListValue(s=[y.encode() for y in x]))\nF = V(type=1)\n"
            "new = lambda t, i, a, n=1: tf.get_default_graph().create_op(t, i, [tf.float32] * n, name='y', attrs=a).outputs\n")
    scaled = lambda x, top: f"{RAW}QuantizeV2(input={x},min_range=0.,max_range={top},T=tf.quint8,mode='SCALED')"
    for tops in ((2., 3.), (3., 3.), (4., .5)):
        for axis in (0, 1, -1):
            calls.append((make + f"a = {scaled('x', tops[0])}\nc = {scaled('w', tops[1])}\nN = [a[0], c[0], tf.constant({axis}), a[1], c[1], a[2], c[2]]\n"
                          "r = tf.get_default_graph().create_op('QuantizedConcatV2', N, [tf.quint8, tf.float32, tf.float32], name='y', attrs=dict(N=V(i=2), T=V(type=12), Tidx=V(type=3))).outputs\ny = (tf.cast(r[0], tf.int32), *r[1:])",
                          dict(x=f(2, 3, lo=0., hi=4.), w=f(2, 3, lo=0., hi=4.))))
    for a in ([], ["Relu"], ["Relu6"], ["Elu"]):
        for o in ("strides=I(1,1,1,1), padding=S('SAME')", "strides=I(1,2,2,1), padding=S('VALID')"):
            calls.append((make + f"y = new('_FusedDepthwiseConv2dNative', [x, w, c], dict(T=F, num_args=V(i=1), fused_ops=W('BiasAdd', *{a}), {o}))[0]", dict(x=f(2, 4, 5, 3), w=f(2, 3, 3, 2), c=f(6))))
        calls.append((make + f"y = new('_FusedConv3D', [x, w, c], dict(T=F, num_args=V(i=1), fused_ops=W('BiasAdd', *{a}), strides=I(1,1,2,1,1), padding=S('SAME')))[0]", dict(x=f(1, 4, 3, 4, 2), w=f(2, 2, 2, 2, 3), c=f(3))))
    for train in (True, False):
        for act in ("Identity", "Relu"):
            calls.append((make + f"y = new('_FusedBatchNormEx', [x, s, c, {'e, e' if train else 'm, v'}], dict(T=F, U=F, epsilon=V(f=.01), is_training=V(b={train}), activation_mode=S('{act}'), num_side_inputs=V(i=0)), 6)[:3]".replace("y = new", "e = tf.zeros([0])\ny = new"),
                          dict(x=f(2, 3, 4, 8), s=f(8), c=f(8), m=f(8), v=f(8, lo=.5, hi=2.))))
    rows(b, calls, dynamic=0)


ALL = [quantized_normalization, uniform_products, removed_normalization, rewritten]
