"""Images under projective transformations."""
import numpy as np

from ..recording import rows, run_errors

V2 = "tf.raw_ops.ImageProjectiveTransformV2(images=x,transforms={t},output_shape={s},interpolation='{i}',fill_mode='{m}')"
V3 = "tf.raw_ops.ImageProjectiveTransformV3(images=x,transforms={t},output_shape={s},fill_value={f},interpolation='{i}',fill_mode='{m}')"


def projective(b):
    b.family("projective")
    turn, shift, warp = "[[.9,-.3,.7,.3,1.1,-.4,0.,0.]]", "[[1.,0.,-1.5,0.,1.,1.25,0.,0.]]", "[[1.1,.2,-.5,-.1,.9,.3,.02,-.03]]"
    calls = [(V2.format(t=t, s="[4,5]", i=i, m=m), dict(x=b.f(1, 4, 5, 2))) for t in (turn, shift, warp) for i in ("NEAREST", "BILINEAR") for m in ("CONSTANT", "NEAREST", "REFLECT", "WRAP")]
    calls += [(V3.format(t="t", s="[3,6]", i=i, m="CONSTANT", f=.5), dict(x=b.f(2, 4, 5, 1), t=np.array([[.9, -.3, .7, .3, 1.1, -.4, 0, 0], [1, .1, 0, 0, 1, .3, .01, 0]], "f"))) for i in ("NEAREST", "BILINEAR")]
    calls += [(V3.format(t=t, s="[4,4]", i=i, m="CONSTANT", f=7.), dict(x=b.i(1, 4, 4, 1, lo=0, hi=200, dtype=d))) for t in (turn, warp) for i in ("NEAREST", "BILINEAR") for d in ("uint8", "int32", "int64")]
    calls += [(V3.format(t=shift, s="[4,4]", i="BILINEAR", m="REFLECT", f=0.), dict(x=b.f(1, 4, 4, 1, dtype="float64")))]
    rows(b, calls, dynamic=0)
    rows(b, [(V3.format(t=t, s="[4,5]", i=i, m="CONSTANT", f=0.), dict(x=b.f(1, 4, 5, 1)), dict(grad=True)) for t in (turn, warp) for i in ("NEAREST", "BILINEAR")], dynamic=0, gcmp=(1e-4, 1e-4))
    late = lambda v: f"tf.placeholder_with_default({v},None)"
    run_errors(b, ["x = tf.ones([1,2,2,1])\ny = " + V2.format(t=t, s=s, i=i, m=m) for t, s, i, m in (
        (late("[[1.,0.]]"), "[2,2]", "NEAREST", "CONSTANT"), (turn, late("[2]"), "NEAREST", "CONSTANT"), (turn, late("[0,2]"), "NEAREST", "CONSTANT"))])


ALL = [projective]
