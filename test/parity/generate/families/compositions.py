"""Functions one after the other, at random: what a compiler joins, moves and shares shows only where functions meet.

Each program is drawn step by step while TensorFlow runs it: a step that TensorFlow refuses, that grows too large or that leaves
the finite numbers is drawn again. ``t`` in a step's text is the tensor before it.
"""
import re

from ..tfenv import np, tf, new_session

POINTWISE = """tf.tanh(t)|tf.sigmoid(t)|tf.nn.relu(t)|tf.nn.elu(t)|tf.nn.selu(t)|tf.nn.leaky_relu(t)|tf.nn.softplus(t)|tf.nn.softsign(t)
tf.sin(t)|tf.cos(t)|tf.square(t)|tf.abs(t)|tf.exp(tf.minimum(t, 1.0))|tf.log(tf.abs(t) + 1.0)|tf.sqrt(tf.abs(t) + 0.5)
tf.rsqrt(tf.square(t) + 1.0)|tf.atan(t)|tf.erf(t)|-t|t * t|1.0 / (tf.square(t) + 1.0)|tf.floor(t * 3.0)|tf.round(t * 2.0)|tf.sign(t) * t
tf.pow(tf.abs(t) + 0.1, 1.5)|tf.lgamma(tf.abs(t) + 1.0)|tf.digamma(tf.abs(t) + 1.0)|tf.clip_by_value(t, -0.7, 0.9)
tf.where(t > 0.1, t, 0.5 * t)|tf.maximum(t, 0.2)|tf.minimum(t, tf.zeros_like(t))|tf.stop_gradient(t) * t
tf.cast(tf.cast(t, tf.float64) * 2.0, tf.float32)|tf.cast(tf.cast(t * 5.0, tf.int32), tf.float32) + t
tf.real(tf.complex(t, 0.5 * t) * tf.complex(t, t))|tf.abs(tf.complex(t, t + 1.5))|tf.atan2(t, tf.square(t) + 0.5)|tf.mod(t, 0.7)
tf.floordiv(t, 0.3)|tf.squared_difference(t, 0.5)|tf.clip_by_norm(t, 1.0)|tf.check_numerics(t, 'm')|tf.add_n([t, t, t])
tf.igamma(1.5, tf.abs(t) + 0.2)|tf.nn.dropout(t, rate=0.4, seed=7)|tf.fake_quant_with_min_max_args(t, -2.0, 2.0)
tf.zeros_like(t) + tf.reduce_mean(t)|tf.reshape(t, tf.shape(t))|t * tf.cast(tf.size(t), tf.float32) / 10.0
tf.cond(tf.reduce_sum(t) > 0.0, lambda: t * 2.0, lambda: tf.sin(t))
tf.while_loop(lambda i, u: i < 3, lambda i, u: [i + 1, tf.tanh(u) + t], [0, t])[1]
tf.case([(tf.reduce_sum(t) > 1.0, lambda: t + 1.0), (tf.reduce_sum(t) < -1.0, lambda: t - 1.0)], default=lambda: t * 1.5)"""

# {ax}: an axis, maybe from the end; {axis}: from the front; {some}: some axes; {n0}, {n}: the first and that axis' size; {last}: the last one's.
OF_ARRAYS = """tf.transpose(t, {order})|tf.reshape(t, [-1, {divisor}])|tf.reshape(t, [{divisor}, -1])|tf.concat([t, tf.tanh(t)], {ax})
tf.stack([t, t * t], {ax})|tf.unstack(t, axis={ax})[0]|tf.tile(t, {ones_or_twos})|tf.pad(t, {paddings})|tf.reverse(t, [{ax}])|tf.roll(t, 2, {ax})
tf.cumsum(t, {ax}, exclusive={flag}, reverse={other_flag})|tf.cumprod(t, {ax}, exclusive={flag})|tf.gather(t, {indices}, axis={ax})
tf.expand_dims(t, {ax})|tf.nn.softmax(t, {ax})|tf.nn.log_softmax(t, {ax})|tf.nn.l2_normalize(t, {ax})|tf.nn.moments(t, [{axis}])[1]
tf.nn.moments(t, {some}, keep_dims=True)[0]|tf.segment_sum(t, {sorted_rows})|tf.segment_mean(t, {sorted_rows})|tf.segment_max(t, {sorted_rows})
tf.unsorted_segment_sum(t, {rows}, 4)|tf.unsorted_segment_mean(t, {rows}, 5)|tf.dynamic_partition(t, {bits}, 2)[1]
tf.boolean_mask(t, tf.cast({bits}, tf.bool))|tf.boolean_mask(t, t > 0.0)|tf.scatter_nd([[row] for row in {rows}], t, tf.concat([[6], tf.shape(t)[1:]], 0))
tf.tensor_scatter_add(t, [[0]], t[:1])|tf.nn.top_k(t, {some_of_last})[0]|tf.sort(t, axis={ax})
tf.cast(tf.argmax(t, {ax}), tf.float32) + tf.reduce_max(t, {ax})|tf.one_hot(tf.argmin(t, {ax}), 4) * tf.reduce_sum(t)
tf.map_fn(lambda u: u * tf.reduce_sum(u), t)|tf.scan(lambda p, u: tf.tanh(p + u), t)|tf.foldl(lambda p, u: p + tf.sin(u), t)
tf.scan(lambda p, u: 0.5 * p + u, t, initializer=tf.zeros_like(t[0]), reverse=True)|tf.split(t, [1, {n} - 1], {ax})[1]
t + tf.constant({numbers_of_last})|t * tf.constant({numbers_of_last})|tf.broadcast_to(t, [2] + {shape})|tf.repeat(t, 2, axis={axis})
tf.tensordot(t, tf.constant({matrix_of_last}), 1)|tf.TensorArray(tf.float32, {n0}).unstack(t).stack() * 2.0|tf.linalg.diag(t)
tf.slice(t, {starts}, {rests})|tf.strided_slice(t, {zeros}, {shape}, {ones_or_twos})
tf.nn.embedding_lookup(t, {first_rows})|t[{slices}]|t[{slices}]|tf.histogram_fixed_width(t, [-1.0, 1.0], 4)
tf.{reduction}(t, {some}, keepdims={flag})|tf.{reduction}(t, {some}, keepdims={flag})|tf.{reduction}(t, {some}, keepdims={flag})"""

OF_RANK = {
    2: """tf.matmul(t, tf.constant({matrix_of_last}))|tf.matmul(t, tf.constant({matrix_of_last}))|tf.matmul(t, t, transpose_b=True)
tf.matmul(t, t, transpose_a=True)|tf.linalg.band_part(t, 1, 0)|tf.linalg.trace(t) * t|tf.matrix_diag_part(t)
tf.cholesky(tf.matmul(t, t, transpose_b=True) + 3.0 * tf.eye({n0}))|tf.linalg.inv(tf.matmul(t, t, transpose_b=True) + 3.0 * tf.eye({n0}))
tf.nn.softmax_cross_entropy_with_logits_v2(labels=tf.stop_gradient(tf.nn.softmax(t)), logits=t * 2.0)
tf.sparse_tensor_dense_matmul(tf.SparseTensor([[0, 0], [1, {n0} - 1]], [1.5, -2.0], [3, {n0}]), t)
tf.sparse_segment_sum(t, {first_rows}, [0] * len({first_rows}))""",
    3: """tf.matmul(t, t, transpose_b=True)|tf.matmul(t, tf.tanh(t), transpose_a=True)|tf.einsum('abc,abd->acd', t, t)|tf.matrix_transpose(t)
tf.einsum('...c->...', t)|tf.nn.conv1d(t, tf.constant([{matrix_of_last}]), 1, 'SAME')|tf.expand_dims(t, -1)|tf.nn.max_pool1d(t, 2, 1, 'SAME')""",
    4: """tf.nn.conv2d(t, tf.constant([[{matrix_of_last}], [{matrix_of_last}]]), [1, {stride}, {stride}, 1], {padding})
tf.nn.conv2d(t, tf.constant([[{matrix_of_last}] * 3] * 3), [1, 1, 1, 1], 'SAME')|tf.image.resize_bilinear(t, [5, 3])
tf.nn.depthwise_conv2d(t, tf.constant([[{matrix_of_last}, {matrix_of_last}]]), [1, {stride}, {stride}, 1], {padding})
tf.nn.max_pool(t, [1, 2, 3, 1], [1, {stride}, {stride}, 1], {padding})|tf.nn.avg_pool(t, [1, 2, 3, 1], [1, {stride}, {stride}, 1], {padding})
tf.nn.fused_batch_norm(t, tf.constant({numbers_of_last}), tf.constant({numbers_of_last}))[0]|tf.nn.lrn(t)|tf.image.resize_bicubic(t, [4, 4])
tf.image.crop_and_resize(t, [[0.1, 0.2, 0.8, 0.9]], [0], [3, 3])|tf.image.extract_patches(t, [1, 2, 2, 1], [1, 1, 1, 1], [1, 1, 1, 1], 'VALID')
tf.nn.conv2d_transpose(t, tf.constant([[{matrix_to_last}] * 2] * 2), [2 * {n0} // 2] + [2 * d for d in {shape}[1:3]] + [3], [1, 2, 2, 1])
tf.nn.convolution(t, tf.constant([[{matrix_of_last}], [{matrix_of_last}]]), 'SAME', dilation_rate=[2, 1])|tf.image.flip_left_right(t)""",
}

REDUCTIONS = ["reduce_sum", "reduce_mean", "reduce_max", "reduce_min", "reduce_prod", "reduce_logsumexp", "math.reduce_std", "math.reduce_variance"]

OF_TWO = ["t + {other}", "t * {other}", "{other} - t", "tf.maximum(t, {other})", "tf.squared_difference({other}, t)",
          "tf.where(t > {other}, t, {other} * tf.ones_like(t))"]

# A variable's shape, and the step that uses it.
OF_VARIABLES = [("[last]", "t * {v}"), ("[last]", "t + {v}"), ("[]", "t * {v}"), ("shape", "t * {v}"),
                ("[5, 3]", "tf.nn.embedding_lookup({v}, [4, 0, 4]) * tf.reduce_sum(t)"),
                ("[6, 2]", "tf.gather({v}, tf.cast(tf.minimum(tf.abs(tf.reshape(t, [-1])[:3]) * 3.0, 5.0), tf.int32)) + tf.reduce_mean(t)"),
                ("[last, 4]", "tf.tensordot(t, {v}, 1)"), ("[last, 4]", "tf.matmul(t, {v})"),
                ("[2, last, 3]", "tf.nn.conv1d(t, {v}, 1, 'SAME')"), ("[3, 2, last, 4]", "tf.nn.conv2d(t, {v}, [1, 1, 1, 1], 'SAME')"),
                ("[2, 2, last, 2]", "tf.nn.depthwise_conv2d(t, {v}, [1, 2, 2, 1], 'VALID')")]

LOSSES = ["tf.reduce_mean(tf.square({t}))", "tf.nn.l2_loss({t}) * 0.1", "tf.reduce_sum(tf.tanh({t}))",
          "tf.losses.huber_loss(tf.zeros_like({t}), {t})", "tf.reduce_mean(tf.abs({t})) + tf.reduce_logsumexp({t})"]

OPTIMIZERS = ["GradientDescentOptimizer(0.1)", "MomentumOptimizer(0.1, 0.9)", "MomentumOptimizer(0.05, 0.8, use_nesterov=True)",
              "AdagradOptimizer(0.1)", "AdamOptimizer(0.05)", "RMSPropOptimizer(0.01)",
              "RMSPropOptimizer(0.02, decay=0.8, momentum=0.5, centered=True)", "AdadeltaOptimizer(0.5)",
              "FtrlOptimizer(0.1, l1_regularization_strength=0.01)", "ProximalAdagradOptimizer(0.1)"]

APPLIED = ["[(None if d is None else tf.clip_by_norm(d, 0.5), v) for d, v in grads]",
           "list(zip(tf.clip_by_global_norm([d for d, _ in grads], 0.7)[0], [v for _, v in grads]))"]


def choices(text):
    return [c for line in text.split("\n") for c in line.split("|")]


class Drawer:
    """One program, drawn while it runs."""

    def __init__(self, rng, first, session, space, feeds):
        self.rng, self.session, self.space, self.feeds = rng, session, space, feeds
        self.values = dict(first)
        self.name, self.value = next(iter(first.items()))
        self.lines, self.variables = [], []

    def pick(self, items):
        return items[self.rng.randint(len(items))]

    def numbers(self, *shape):
        return repr(np.round(self.rng.uniform(-1, 1, shape), 2).tolist())

    def step(self):
        """The text of a step that follows."""
        a, r = self.value, self.rng
        others = [k for k, v in self.values.items() if k != self.name and fits(v.shape, a.shape)]
        if others and r.rand() < 0.25:
            return self.pick(OF_TWO).replace("{other}", self.pick(others))
        lists = choices(POINTWISE)
        if a.ndim and a.size:
            lists += choices(OF_ARRAYS) + 2 * choices(OF_RANK.get(a.ndim, "-t"))
        text = self.pick(lists)
        return re.sub(r"\{(\w+)\}", lambda m: str(self.argument(m.group(1))), text)

    def argument(self, name):
        r, shape = self.rng, list(self.value.shape)
        rank, axis = len(shape), r.randint(len(shape))
        if name in ("ax", "axis"):
            return axis - rank if name == "ax" and r.rand() < 0.5 else axis
        made = {
            "shape": lambda: shape, "n0": lambda: shape[0], "n": lambda: min(shape), "last": lambda: shape[-1],
            "order": lambda: r.permutation(rank).tolist(),
            "some": lambda: sorted(r.choice(rank, r.randint(1, rank + 1), replace=False).tolist()),
            "divisor": lambda: self.pick([d for d in range(1, self.value.size + 1) if self.value.size % d == 0]),
            "ones_or_twos": lambda: r.randint(1, 3, rank).tolist(),
            "paddings": lambda: r.randint(0, 3, (rank, 2)).tolist(),
            "indices": lambda: r.randint(0, min(shape), r.randint(1, 5)).tolist(),
            "first_rows": lambda: r.randint(0, shape[0], 3).tolist(),
            "rows": lambda: r.randint(0, 4, shape[0]).tolist(),
            "sorted_rows": lambda: sorted(r.randint(0, 3, shape[0]).tolist()),
            "bits": lambda: r.randint(0, 2, shape[0]).tolist(),
            "some_of_last": lambda: r.randint(1, shape[-1] + 1),
            "starts": lambda: [int(r.randint(d)) for d in shape], "rests": lambda: [-1] * rank, "zeros": lambda: [0] * rank,
            "numbers_of_last": lambda: self.numbers(shape[-1]), "matrix_of_last": lambda: self.numbers(shape[-1], 3),
            "matrix_to_last": lambda: self.numbers(3, shape[-1]),
            "slices": lambda: ", ".join(self.pick([":", ":", "::-1", f"{r.randint(d)}:", "::2", str(r.randint(d)), "None, :"]) for d in shape),
            "reduction": lambda: self.pick(REDUCTIONS), "stride": lambda: r.randint(1, 3),
            "padding": lambda: self.pick(["'SAME'", "'VALID'"]),
            "flag": lambda: self.pick(["True", "False"]), "other_flag": lambda: self.pick(["True", "False"]),
        }
        return made[name]()

    def variable_step(self):
        """A line that makes a variable, and the text of a step with it."""
        shape, text = self.pick(OF_VARIABLES)
        sizes = eval(shape, {"shape": list(self.value.shape), "last": self.value.shape[-1] if self.value.ndim else 1})
        v = f"v{len(self.variables)}"
        made = f"tf.Variable(tf.constant({self.numbers(*sizes)}, tf.float32, {sizes}), name='{v}', use_resource={self.pick(['False', 'True'])})"
        return f"{v} = {made}", text.replace("{v}", v)

    def draw(self, length, with_variables=False):
        for _ in range(8 * length):
            if len(self.values) > length:
                break
            made, text = self.variable_step() if with_variables and self.rng.rand() < 0.4 else (None, self.step())
            text = re.sub(r"(?<![\w.'])t\b(?!f\.)", self.name, text)
            try:
                if made:
                    exec(made, self.space)
                    self.session.run(self.space[made.split(" ")[0]].initializer)
                new = eval(text, self.space)
                if new.dtype != tf.float32:
                    text, new = f"tf.cast({text}, tf.float32)", tf.cast(new, tf.float32)
                value = self.session.run(new, self.feeds)
            except (ValueError, TypeError, IndexError, tf.errors.OpError):
                continue
            if not 0 < value.size <= 400 or value.ndim > 5 or not np.isfinite(value).all() or np.abs(value).max() > 1e3:
                continue
            if made:
                self.lines.append(made)
                self.variables.append(made.split(" ")[0])
            self.name = f"t{len(self.values)}"
            self.lines.append(f"{self.name} = {text}")
            self.space[self.name], self.values[self.name], self.value = new, value, value


def fits(small, large):
    try:
        return np.broadcast_shapes(small, large) == tuple(large)
    except ValueError:
        return False


def drawn(b, length, inputs, with_variables=False):
    g = tf.Graph()
    with g.as_default(), new_session(g) as session:
        space = b.namespace()
        for k, v in inputs.items():
            space[k] = tf.placeholder(tf.float32, v.shape)
        drawer = Drawer(b.rng, inputs, session, space, {space[k]: v for k, v in inputs.items()})
        drawer.draw(length, with_variables)
    return drawer


def some_shape(b):
    rank = b.rng.randint(1, 5)
    return [b.dim(1, 2), b.dim(3, 6), b.dim(3, 6), b.dim(1, 3)] if rank == 4 else b.dims(rank)


def compositions(b):
    b.family("compositions")
    for _ in range(b.n(110, 60)):
        shape = some_shape(b)
        inputs = {"x": b.f(*shape, lo=-1.2, hi=1.2), "z": b.f(*(shape if b.rng.rand() < 0.6 else shape[-1:]), lo=-1.2, hi=1.2)}
        d = drawn(b, b.rng.randint(5, 13), inputs)
        text = "\n".join(d.lines)
        fetched = [d.name] + ([f"t{len(d.values) - 3}"] if f"t{len(d.values) - 3} =" in text else [])
        used = {k: v for k, v in inputs.items() if re.search(rf"\b{k}\b", text)}
        if used:
            b.case(f"{text}\ny = [{', '.join(fetched)}]", used, grad=True, cmp=(1e-4, 1e-5), gcmp=(1e-3, 1e-4), dynamic=0.5)
    forget_shapes(b)


def trainings(b):
    b.family("trainings")
    for _ in range(b.n(70, 40)):
        x = b.f(*some_shape(b), lo=-1.2, hi=1.2)
        d = drawn(b, b.rng.randint(3, 9), {"x": x}, with_variables=True)
        if not d.variables:
            continue
        lines = [f"x = tf.placeholder(tf.float32, {[None if b.rng.rand() < 0.3 else size for size in x.shape]})", *d.lines]
        lines += [f"loss = {d.pick(LOSSES).replace('{t}', d.name)}", f"opt = tf.train.{d.pick(OPTIMIZERS)}"]
        if b.rng.rand() < 0.5:
            lines.append("step = opt.minimize(loss, global_step=tf.train.get_or_create_global_step())")
        else:
            lines += ["grads = opt.compute_gradients(loss)", f"step = opt.apply_gradients({d.pick(APPLIED)})"]
        if b.rng.rand() < 0.3:
            lines += ["ema = tf.train.ExponentialMovingAverage(0.9)", "with tf.control_dependencies([step]):",
                      "    step = ema.apply(tf.trainable_variables())"]
        lines.append("init = tf.global_variables_initializer()")
        steps = [({"x": (x * (1 + 0.1 * k)).astype("f")}, ["loss"], ["step"]) for k in range(3)]
        b.steps_case("\n".join(lines), [({}, [], ["init"]), *steps, ({}, d.variables, [])], cmp=(2e-3, 2e-4))
    forget_shapes(b)


def forget_shapes(b):
    """Numbers are the matter here; and shapes that Python set, as tf.gradients does, are not in the graph."""
    for case in b.fam.cases:
        case["static_shapes"] = {}


ALL = [compositions, trainings]
