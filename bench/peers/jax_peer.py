"""JAX (jit) on the workloads of bench/README.md. Started by bench/peers.ts with the number of threads, which XLA takes from its CPUs."""
import os
import sys

threads = int(sys.argv[1])
os.environ["JAX_PLATFORMS"] = "cpu"
if threads == 1:
    os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from protocol import serve

random = np.random.RandomState(0)
SPEC = ("NHWC", "HWIO", "NHWC")


def normal(*shape, scale=1.0):
    return jnp.array((random.standard_normal(shape) * scale).astype("float32"))


def integers(below, *shape):
    return jnp.array(random.randint(0, below, shape).astype("int32"))


def conv(x, f, stride=1, groups=1):
    return lax.conv_general_dilated(x, f, (stride, stride), "SAME", dimension_numbers=SPEC, feature_group_count=groups)


def cnn(v, x):
    pool = lambda h: lax.reduce_window(h, -jnp.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "SAME")
    h = pool(jax.nn.relu(conv(x, v[0]) + v[1]))
    h = pool(jax.nn.relu(conv(h, v[2]) + v[3]))
    return jax.nn.relu(h.reshape(-1, 3136) @ v[4] + v[5]) @ v[6] + v[7]


def cnn_variables():
    shapes = [((5, 5, 1, 32), 0.1), ((5, 5, 32, 64), 0.03), ((3136, 1024), 0.02), ((1024, 10), 0.03)]
    return [each for shape, scale in shapes for each in (normal(*shape, scale=scale), normal(shape[-1], scale=0.1))]


def cross_entropy(logits, labels):
    return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(logits), labels[:, None], 1))


def trained(loss, variables, *data, adam=False):
    state = {"v": variables}
    if adam:
        state.update(m=[jnp.zeros_like(v) for v in variables], n=[jnp.zeros_like(v) for v in variables], t=jnp.float32(0))

    def update(state, *data):
        value, gradients = jax.value_and_grad(loss)(state["v"], *data)
        if not adam:
            return {"v": [v - 0.01 * g for v, g in zip(state["v"], gradients)]}, value
        t = state["t"] + 1
        rate = 1e-4 * jnp.sqrt(1 - 0.999**t) / (1 - 0.9**t)
        m = [0.9 * m + 0.1 * g for m, g in zip(state["m"], gradients)]
        n = [0.999 * n + 0.001 * g * g for n, g in zip(state["n"], gradients)]
        return {"v": [v - rate * p / (jnp.sqrt(q) + 1e-8) for v, p, q in zip(state["v"], m, n)], "m": m, "n": n, "t": t}, value

    compiled = jax.jit(update, donate_argnums=0)

    def step():
        nonlocal state
        state, value = compiled(state, *data)
        return float(value)

    return step


def train_cnn(batch, adam):
    loss = lambda v, x, y: cross_entropy(cnn(v, x), y)
    return trained(loss, cnn_variables(), normal(batch, 28, 28, 1), integers(10, batch), adam=adam)


def infer_cnn(batch):
    compiled, v, x = jax.jit(cnn), cnn_variables(), normal(batch, 28, 28, 1)
    return lambda: np.asarray(compiled(v, x))


def perceptron(batch, sizes, classifier):
    v = [each for m, n in zip(sizes, sizes[1:]) for each in (normal(m, n, scale=0.05), normal(n, scale=0.1))]

    def loss(v, x, y):
        for i in range(0, len(v), 2):
            x = x @ v[i] + v[i + 1]
            if i < len(v) - 2:
                x = jax.nn.relu(x)
        return cross_entropy(x, y) if classifier else jnp.mean((x - y) ** 2)

    return trained(loss, v, normal(batch, sizes[0]), integers(sizes[-1], batch) if classifier else normal(batch, sizes[-1]))


def called(function, *arguments):
    compiled = jax.jit(function)
    return lambda: jax.block_until_ready(compiled(*arguments))


def convolution(kind, direction):
    xs, fs, groups = {
        "conv3": ((8, 56, 56, 64), (3, 3, 64, 64), 1),
        "conv1": ((8, 56, 56, 256), (1, 1, 256, 64), 1),
        "dw3": ((8, 56, 56, 144), (3, 3, 1, 144), 144),
    }[kind]
    x, f, dy = normal(*xs), normal(*fs, scale=0.1), normal(8, 56, 56, fs[3])
    if direction == "fwd":
        return called(lambda x, f: conv(x, f, 1, groups), x, f)
    if direction == "dx":
        return called(lambda x, f, dy: jax.vjp(lambda x: conv(x, f, 1, groups), x)[1](dy)[0], x, f, dy)
    return called(lambda x, f, dy: jax.vjp(lambda f: conv(x, f, 1, groups), f)[1](dy)[0], x, f, dy)


def layer_norm_loss(x, g, b, w):
    d = x - x.mean(-1, keepdims=True)
    return jnp.sum((d * lax.rsqrt((d * d).mean(-1, keepdims=True) + 1e-5) * g + b) * w)


def lstm():
    def loss(v, x):
        kernel, bias = v

        def cell(state, step):
            c, h = state
            i, j, f, o = jnp.split(jnp.concatenate([step, h], 1) @ kernel + bias, 4, 1)
            c = jax.nn.sigmoid(f + 1) * c + jax.nn.sigmoid(i) * jnp.tanh(j)
            return (c, jax.nn.sigmoid(o) * jnp.tanh(c)), None

        zeros = jnp.zeros((32, 128))
        (_, h), _ = lax.scan(cell, (zeros, zeros), jnp.swapaxes(x, 0, 1))
        return jnp.mean(h * h)

    return trained(loss, [normal(256, 512, scale=0.05), normal(512, scale=0.1)], normal(32, 64, 128))


def embedding():
    def loss(rows):
        u, near, far = rows
        return jnp.mean(jax.nn.softplus(-(u * near).sum(-1)) + jax.nn.softplus((u[:, None] * far).sum(-1)).sum(-1))

    def update(inner, outer, centers, positive, negative):
        value, (du, dnear, dfar) = jax.value_and_grad(loss)((inner[centers], outer[positive], outer[negative]))
        return inner.at[centers].add(-0.01 * du), outer.at[positive].add(-0.01 * dnear).at[negative].add(-0.01 * dfar), value

    compiled = jax.jit(update, donate_argnums=(0, 1))
    inner, outer = normal(50000, 128, scale=0.1), normal(50000, 128, scale=0.1)
    ids = integers(50000, 128), integers(50000, 128), integers(50000, 128, 5)

    def step():
        nonlocal inner, outer
        inner, outer, value = compiled(inner, outer, *ids)
        return float(value)

    return step


BOTTLENECKS = [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)]


def mobile_net():
    weights = []

    def add(*shape):
        weights.append(normal(*shape, scale=(2.0 / np.prod(shape[:-1])) ** 0.5))
        weights.append(normal(shape[-1], scale=0.1))

    add(3, 3, 3, 32)
    channels = 32
    for expansion, outputs, repeats, _ in BOTTLENECKS:
        for _ in range(repeats):
            wide = channels * expansion
            if expansion != 1:
                add(1, 1, channels, wide)
            add(3, 3, 1, wide)
            add(1, 1, wide, outputs)
            channels = outputs
    add(1, 1, 320, 1280)
    add(1280, 1000)

    def net(weights, x):
        left = iter(weights)
        layer = lambda h, stride=1, groups=1: conv(h, next(left), stride, groups) + next(left)
        h, channels = jax.nn.relu6(layer(x, 2)), 32
        for expansion, outputs, repeats, first in BOTTLENECKS:
            for i in range(repeats):
                stride, wide, entry = first if i == 0 else 1, channels * expansion, h
                if expansion != 1:
                    h = jax.nn.relu6(layer(h))
                h = layer(jax.nn.relu6(layer(h, stride, wide)))
                if stride == 1 and channels == outputs:
                    h = h + entry
                channels = outputs
        return jax.nn.relu6(layer(h)).mean((1, 2)) @ next(left) + next(left)

    compiled, x = jax.jit(net), normal(1, 224, 224, 3)
    return lambda: np.asarray(compiled(weights, x))


def big():
    return normal(4096, 1024)


WORKLOADS = {
    **{
        f"W1_{name}_B{batch}": lambda name=name, batch=batch: train_cnn(batch, name == "adam")
        for name in ("adam", "sgd")
        for batch in (32, 100)
    },
    **{f"W1i_B{batch}": lambda batch=batch: infer_cnn(batch) for batch in (1, 100)},
    "W2_B128": lambda: perceptron(128, [784, 512, 512, 10], True),
    **{
        f"W3_{name}_B{batch}": lambda sizes=sizes, batch=batch: perceptron(batch, sizes, False)
        for name, sizes in (("lin", [1, 1]), ("mlp", [4, 16, 2]))
        for batch in (1, 32)
    },
    **{f"W4_gemm_{n}": lambda n=n: called(lambda a, b: a @ b, normal(n, n), normal(n, n)) for n in (512, 1024, 2048)},
    **{
        f"W4_{kind}_{direction}": lambda kind=kind, direction=direction: convolution(kind, direction)
        for kind in ("conv3", "conv1", "dw3")
        for direction in ("fwd", "dx", "dw")
    },
    "W5_chain": lambda: called(lambda x, a, b: jnp.sum(jnp.tanh(a * x + b) * jax.nn.sigmoid(x), -1), big(), big(), big()),
    "W5_softmax": lambda: called(lambda x: jax.nn.softmax(x, -1), normal(4096, 1000)),
    "W5_ln_fb": lambda: called(jax.value_and_grad(layer_norm_loss, (0, 1, 2)), big(), normal(1024), normal(1024), big()),
    "W6_lstm": lstm,
    "W7_emb": embedding,
    "W8_mnv2_B1": mobile_net,
}
serve(jax.__version__, WORKLOADS, lambda name: WORKLOADS[name]())
