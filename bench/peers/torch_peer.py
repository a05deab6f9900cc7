"""PyTorch (eager, channels last) on the workloads of bench/README.md. Started by bench/peers.ts with the number of threads."""
import sys

import torch
import torch.nn as nn
import torch.nn.functional as F

from protocol import serve

threads = int(sys.argv[1])
torch.set_num_threads(threads)
torch.set_num_interop_threads(threads)
torch.manual_seed(0)
LAST = torch.channels_last


def cnn():
    return nn.Sequential(
        *[nn.Conv2d(1, 32, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(32, 64, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)],
        *[nn.Flatten(), nn.Linear(3136, 1024), nn.ReLU(), nn.Linear(1024, 10)],
    ).to(memory_format=LAST)


def image(*shape):
    return torch.randn(*shape).to(memory_format=LAST)


def trained(model, x, y, measure, adam=False):
    optimizer = torch.optim.Adam(model.parameters(), 1e-4) if adam else torch.optim.SGD(model.parameters(), 0.01)

    def step():
        optimizer.zero_grad(set_to_none=True)
        loss = measure(model(x), y)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def inferred(model, x):
    model = model.eval().to(memory_format=LAST)

    def step():
        with torch.inference_mode():
            return model(x).numpy()

    return step


def perceptron(sizes):
    layers = []
    for i, (m, n) in enumerate(zip(sizes, sizes[1:])):
        layers += [nn.Linear(m, n)] + ([nn.ReLU()] if i < len(sizes) - 2 else [])
    return nn.Sequential(*layers)


def product(n):
    a, b, c = torch.randn(n, n), torch.randn(n, n), torch.empty(n, n)
    return lambda: torch.mm(a, b, out=c)


def convolution(kind, direction):
    inputs, outputs, size, groups = {"conv3": (64, 64, 3, 1), "conv1": (256, 64, 1, 1), "dw3": (144, 144, 3, 144)}[kind]
    x, dy = image(8, inputs, 56, 56), image(8, outputs, 56, 56)
    f = image(outputs, inputs // groups, size, size)
    pad = size // 2
    if direction == "fwd":
        return lambda: F.conv2d(x, f, padding=pad, groups=groups)
    wanted = [direction == "dx", direction == "dw", False]
    return lambda: torch.ops.aten.convolution_backward(dy, x, f, None, [1, 1], [pad, pad], [1, 1], False, [0, 0], groups, wanted)


def chain():
    x, a, b = [torch.randn(4096, 1024) for _ in range(3)]
    return lambda: (torch.tanh(a * x + b) * torch.sigmoid(x)).sum(-1)


def softmax():
    x = torch.randn(4096, 1000)
    return lambda: torch.softmax(x, -1)


def layer_norm():
    x, w = torch.randn(4096, 1024, requires_grad=True), torch.randn(4096, 1024)
    g, b = torch.randn(1024, requires_grad=True), torch.randn(1024, requires_grad=True)

    def step():
        d = x - x.mean(-1, keepdim=True)
        loss = ((d * torch.rsqrt(d.square().mean(-1, keepdim=True) + 1e-5) * g + b) * w).sum()
        return torch.autograd.grad(loss, [x, g, b])

    return step


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.LSTM(128, 128, batch_first=True)

    def forward(self, x):
        return self.cell(x)[0][:, -1]


def embedding():
    inner, outer = nn.Embedding(50000, 128, sparse=True), nn.Embedding(50000, 128, sparse=True)
    optimizer = torch.optim.SGD([inner.weight, outer.weight], 0.01)
    ids = lambda *shape: torch.randint(0, 50000, shape)
    centers, positive, negative = ids(128), ids(128), ids(128, 5)

    def step():
        optimizer.zero_grad()
        u = inner(centers)
        near = (u * outer(positive)).sum(-1)
        far = (u[:, None] * outer(negative)).sum(-1)
        loss = (F.softplus(-near) + F.softplus(far).sum(-1)).mean()
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


BOTTLENECKS = [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)]


class MobileNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem, channels, self.blocks = nn.Sequential(nn.Conv2d(3, 32, 3, 2, 1), nn.ReLU6()), 32, nn.ModuleList()
        for expansion, outputs, repeats, first in BOTTLENECKS:
            for i in range(repeats):
                wide, stride = channels * expansion, first if i == 0 else 1
                layers = [nn.Conv2d(channels, wide, 1), nn.ReLU6()] if expansion != 1 else []
                layers += [nn.Conv2d(wide, wide, 3, stride, 1, groups=wide), nn.ReLU6(), nn.Conv2d(wide, outputs, 1)]
                block = nn.Sequential(*layers)
                block.has_skip = stride == 1 and channels == outputs
                self.blocks.append(block)
                channels = outputs
        self.head, self.dense = nn.Sequential(nn.Conv2d(320, 1280, 1), nn.ReLU6()), nn.Linear(1280, 1000)

    def forward(self, x):
        x = self.stem(x)
        for block in self.blocks:
            x = x + block(x) if block.has_skip else block(x)
        return self.dense(self.head(x).mean([2, 3]))


def classes(batch):
    return torch.randint(0, 10, (batch,))


WORKLOADS = {
    **{
        f"W1_{name}_B{batch}": lambda name=name, batch=batch: trained(
            cnn(), image(batch, 1, 28, 28), classes(batch), F.cross_entropy, name == "adam"
        )
        for name in ("adam", "sgd")
        for batch in (32, 100)
    },
    **{f"W1i_B{batch}": lambda batch=batch: inferred(cnn(), image(batch, 1, 28, 28)) for batch in (1, 100)},
    "W2_B128": lambda: trained(perceptron([784, 512, 512, 10]), torch.randn(128, 784), classes(128), F.cross_entropy),
    **{
        f"W3_{name}_B{batch}": lambda sizes=sizes, batch=batch: trained(
            perceptron(sizes), torch.randn(batch, sizes[0]), torch.randn(batch, sizes[-1]), F.mse_loss
        )
        for name, sizes in (("lin", [1, 1]), ("mlp", [4, 16, 2]))
        for batch in (1, 32)
    },
    **{f"W4_gemm_{n}": lambda n=n: product(n) for n in (512, 1024, 2048)},
    **{
        f"W4_{kind}_{direction}": lambda kind=kind, direction=direction: convolution(kind, direction)
        for kind in ("conv3", "conv1", "dw3")
        for direction in ("fwd", "dx", "dw")
    },
    "W5_chain": chain,
    "W5_softmax": softmax,
    "W5_ln_fb": layer_norm,
    "W6_lstm": lambda: trained(Recurrent(), torch.randn(32, 64, 128), torch.zeros(32, 128), F.mse_loss),
    "W7_emb": embedding,
    "W8_mnv2_B1": lambda: inferred(MobileNet(), image(1, 3, 224, 224)),
}
serve(torch.__version__, WORKLOADS, lambda name: WORKLOADS[name]())
