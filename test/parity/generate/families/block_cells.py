"""Recurrent cells in one operation each."""
import numpy as np

from ..recording import rows, run_errors

LSTM = "tf.raw_ops.LSTMBlockCell(x=x,cs_prev=c,h_prev=h,w=w,wci=p,wcf=q,wco=r,b=b%s)"
BLOCK = "tf.raw_ops.%s(seq_len_max=n,x=x,cs_prev=c,h_prev=h,w=w,wci=p,wcf=q,wco=r,b=b%s)"
GATES = dict(i="i", cs="cs", f="f", o="o", ci="ci", co="co")


def block_cells(b):
    b.family("block_cells")

    def lstm(batch, n, cell, time=None, dtype="float32"):
        f = lambda *s: b.f(*s, dtype=dtype, scale=.7)
        x = f(batch, n) if time is None else f(time, batch, n)
        return dict(x=x, c=f(batch, cell), h=f(batch, cell), w=f(n + cell, 4 * cell), p=f(cell), q=f(cell), r=f(cell), b=f(4 * cell))

    calls = [(LSTM % o, lstm(*s)) for s, o in (((2, 3, 4), ""), ((1, 2, 3), ",use_peephole=True"), ((3, 1, 2), ",cell_clip=-1.,forget_bias=0."), ((2, 2, 2), ",cell_clip=.3,use_peephole=True"), ((0, 2, 3), ""))]
    calls += [(LSTM % "", lstm(2, 3, 2, dtype="float16"))]
    for name, o in (("BlockLSTM", ""), ("BlockLSTM", ",use_peephole=True,forget_bias=.5,cell_clip=-1."), ("BlockLSTMV2", ""), ("BlockLSTMV2", ",use_peephole=True,cell_clip=.4")):
        for (t, bt, n, cell), m in (((3, 2, 2, 3), 3), ((4, 1, 3, 2), 2), ((2, 2, 1, 2), 0)):
            # What is not written holds anything: where steps are left out, only the states are compared. TensorFlow's gradient of BlockLSTMV2 takes its
            # gates for those of BlockLSTM, so that one is recorded by its own operation below.
            call = BLOCK % (name, o) if m == t else f"(lambda r: (r.cs, r.h))({BLOCK % (name, o)})"
            calls.append((call, dict(lstm(bt, n, cell, t), n=np.int64(m)), dict(grad=name == "BlockLSTM", gcmp=(1e-4, 1e-5))))
    gates = lambda bt, cell: {k: b.f(bt, cell, lo=.1, hi=.9) for k in "icfow"}
    for o in ("True",):
        d = lstm(2, 3, 4)
        calls.append((f"tf.raw_ops.LSTMBlockCellGrad(x=x,cs_prev=c,h_prev=h,w=w,wci=p,wcf=q,wco=r,b=b,i=gi,cs=gs,f=gf,o=go,ci=gc,co=gt,cs_grad=ds,h_grad=dh,use_peephole={o})",
                      dict(d, **{k: b.f(2, 4, lo=.1, hi=.9) for k in ("gi", "gs", "gf", "go", "gc", "gt")}, ds=b.f(2, 4), dh=b.f(2, 4))))
    for o in (True, False):
        d = dict(lstm(2, 2, 3, 3), n=np.int64(3), ds=b.f(3, 2, 3), dh=b.f(3, 2, 3))
        calls.append((f"y = {BLOCK % ('BlockLSTMV2', f',use_peephole={o}')}\ny = tf.raw_ops.BlockLSTMGradV2(seq_len_max=n,x=x,cs_prev=c,h_prev=h,w=w,wci=p,wcf=q,wco=r,b=b,"
                      f"i=y.i,cs=y.cs,f=y.f,o=y.o,ci=y.ci,co=y.co,h=y.h,cs_grad=ds,h_grad=dh,use_peephole={o})", d, dict(cmp=(1e-4, 1e-5))))
    gru = lambda bt, n, c: dict(x=b.f(bt, n), h=b.f(bt, c), w=b.f(n + c, 2 * c, scale=.7), v=b.f(n + c, c, scale=.7), b=b.f(2 * c), d=b.f(c))
    calls += [("tf.raw_ops.GRUBlockCell(x=x,h_prev=h,w_ru=w,w_c=v,b_ru=b,b_c=d)", gru(*s)) for s in ((2, 3, 4), (1, 1, 1), (3, 2, 2))]
    calls += [("tf.raw_ops.GRUBlockCellGrad(x=x,h_prev=h,w_ru=w,w_c=v,b_ru=b,b_c=d,r=r,u=u,c=c,d_h=g)", dict(gru(bt, n, c), **{k: b.f(bt, c, lo=.1, hi=.9) for k in "ruc"}, g=b.f(bt, c))) for bt, n, c in ((2, 3, 4), (1, 2, 1))]
    rows(b, calls, dynamic=0)
    o = lambda *s: f"tf.placeholder_with_default(tf.ones({list(s)}),None)"
    cell = lambda x, c, h, w, bb: f"tf.raw_ops.LSTMBlockCell(x={o(*x)},cs_prev={o(*c)},h_prev={o(*h)},w={o(*w)},wci={o(3)},wcf={o(3)},wco={o(3)},b={o(*bb)})"
    good = ((2, 4), (2, 3), (2, 3), (7, 12), (12,))
    swap = lambda t, k, v: tuple(v if i == k else x for i, x in enumerate(t))
    run_errors(b, [cell(*swap(good, k, v)) for k, v in ((1, (3, 3)), (2, (3, 3)), (2, (2, 4)), (3, (6, 12)), (3, (7, 8)), (4, (8,)))])
    g = lambda x, h, w, v, bb, d: f"tf.raw_ops.GRUBlockCell(x={o(*x)},h_prev={o(*h)},w_ru={o(*w)},w_c={o(*v)},b_ru={o(*bb)},b_c={o(*d)})"
    good = ((2, 4), (2, 3), (7, 6), (7, 3), (6,), (3,))
    run_errors(b, [g(*swap(good, k, v)) for k, v in ((1, (3, 3)), (2, (6, 6)), (2, (7, 3)), (3, (6, 3)), (3, (7, 6)), (4, (3,)), (5, (6,)))])


ALL = [block_cells]
