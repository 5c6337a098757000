"""Losses of float32 networks with ReLU and batch norm, in one gradient of which a mistake of 1% is made.

Half of them are NumPy, forward and backward written out; half are functions of Tensors, with the mistake in a hook.
The float32 numbers are drawn, not chosen: units lie where they lie, some of them next to the kink.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import tinygrad_cnn as tg
from tinygrad_cnn.gradcheck import gradcheck, numpy_pair
from tinygrad_cnn.nn import functional as F

OFF = 1.01
"""A mistake makes a gradient, or a term of it, so many times as large; or a mask lets a hundredth through."""


@dataclass(frozen=True)
class Network:
    """A loss and its parameters; `function(mistake)` is what `gradcheck` takes, without one if it is empty."""

    name: str
    mistake: str
    function: Callable[[str], Any]
    inputs: tuple[Any, ...]

    def report(self, mistake, **options):
        """What is said of the gradient with this mistake in it."""
        return gradcheck(self.function(mistake), list(self.inputs), raise_exception=False, shrink=False, **options)


# ---- NumPy -----------------------------------------------------------------------------------------------------------


def softmax_loss(z, labels):
    """Cross-entropy and its gradient by the scores."""
    e = np.exp(z - z.max(1, keepdims=True))
    p = e / e.sum(1, keepdims=True)
    rows = np.arange(len(z))
    d = p.copy()
    d[rows, labels] -= 1
    return -np.log(p[rows, labels]).mean(), d / len(z)


def square_loss(z, labels):
    """Half the mean square of the distance to the labels."""
    d = z - labels[:, None]
    return (d * d).mean() / 2, d / d.size


class Dense:
    """Layers of a product, batch norm (or a bias) and ReLU; the last is a product and a bias."""

    def __init__(self, widths, norms, loss, labels):
        self.widths, self.norms, self.loss, self.labels = widths, norms, loss, labels

    def parameters(self, random):
        """Of each layer the weight, then gamma and beta or the bias."""
        found = []
        for i, (a, b) in enumerate(zip(self.widths, self.widths[1:], strict=False)):
            found.append(random.standard_normal((a, b)) * np.sqrt(2 / a))
            found += [random.uniform(0.5, 1.5, b), random.standard_normal(b) / 4] if self.normed(i) else []
            found += [] if self.normed(i) else [random.standard_normal(b) / 4]
        return found

    def normed(self, i):
        """Whether layer i has batch norm."""
        return self.norms and i < len(self.widths) - 2

    def run(self, x, parameters):
        """The scores, and what the way back needs of each layer."""
        given, kept = iter(parameters), []
        for i in range(len(self.widths) - 1):
            w = next(given)
            a = x @ w
            if self.normed(i):
                gamma, beta = next(given), next(given)
                s = np.sqrt(a.var(0) + 1e-5)
                h = (a - a.mean(0)) / s
                z = gamma * h + beta
            else:
                gamma = s = h = None
                z = a + next(given)
            kept.append((x, w, gamma, s, h, z))
            x = np.maximum(z, 0) if i < len(self.widths) - 2 else z
        return x, kept

    def forward(self, x, *parameters):
        """The loss."""
        return self.loss(self.run(x, parameters)[0], self.labels)[0]

    def vjp(self, g, x, *parameters, mistake=""):
        """The gradients of the input and of all parameters."""
        y, kept = self.run(x, parameters)
        d = g * self.loss(y, self.labels)[1]
        d = d.astype(x.dtype)
        found = []

        def off(what):
            return x.dtype.type(OFF if mistake == what else 1)

        for i in reversed(range(len(kept))):
            before, w, gamma, s, h, z = kept[i]
            if i < len(kept) - 1:
                d = d * np.where(z > 0, x.dtype.type(1), x.dtype.type(OFF - 1 if mistake == f"mask {i}" else 0))
            if gamma is not None:
                found += [d.sum(0) * off(f"beta {i}"), (d * h).sum(0) * off(f"gamma {i}")]
                d = d * gamma
                d = (d - off(f"mean {i}") * d.mean(0) - off(f"variance {i}") * h * (d * h).mean(0)) / s
                d = d * off(f"deviation {i}")
            else:
                found.append(d.sum(0) * off(f"bias {i}"))
            found.append(before.T @ d * off(f"weight {i}"))
            d = d @ w.T * off(f"input of {i}")
        return (d, *reversed(found))

    def pair(self, mistake):
        """What `gradcheck` takes."""
        return numpy_pair(self.forward, lambda g, *inputs: self.vjp(g, *inputs, mistake=mistake))


def dense(seed):
    """A network of two to four layers."""
    random = np.random.default_rng(seed)
    widths = [int(random.integers(3, 7)), *random.integers(5, 11, 1 + seed % 3).tolist(), 3]
    batch, norms = int(random.integers(6, 13)), seed % 4 != 3
    loss = softmax_loss if seed % 2 else square_loss
    net = Dense(widths, norms, loss, random.integers(0, 3, batch))
    inputs = [random.standard_normal((batch, widths[0])), *net.parameters(random)]
    last = len(widths) - 2
    inner = (
        ["gamma 0", "beta 0", "variance 0", "deviation 0", "weight 0", "mask 0"] if norms else ["bias 0", "weight 0"]
    )
    mistakes = [*inner, f"weight {last}", f"bias {last}", f"mask {last - 1}", "input of 1"]
    mistake = mistakes[seed % len(mistakes)]
    name = f"{'-'.join(map(str, widths))}{' with batch norm' if norms else ''}, {loss.__name__}, batch of {batch}"
    return Network(name, mistake, net.pair, tuple(a.astype(np.float32) for a in inputs))


# ---- Tensors ---------------------------------------------------------------------------------------------------------


def planted(name, tensor, mistake):
    """The tensor; the gradient that comes back through it is a hundredth too large, if that is the mistake."""
    if mistake != name:
        return tensor
    there = tensor * 1
    there.register_hook(lambda g: g * OFF)
    return there


def convolutional(seed):
    """Two convolutions with batch norm and ReLU, a pool and a linear layer."""
    random = np.random.default_rng(1000 + seed)
    shapes = {"weight 1": (3, 1, 3, 3), "gamma 1": (3,), "beta 1": (3,), "weight 2": (4, 3, 3, 3), "gamma 2": (4,),
              "beta 2": (4,), "weight 3": (3, 4), "bias 3": (3,)}  # fmt: skip
    x = tg.tensor(random.standard_normal((3, 1, 8, 8)), dtype=tg.float32)
    labels = tg.tensor(random.integers(0, 3, 3))
    inputs = [
        random.uniform(0.5, 1.5, s) if "gamma" in n else random.standard_normal(s) * np.sqrt(2 / max(1, np.prod(s[1:])))
        for n, s in shapes.items()
    ]

    def function(mistake):
        def loss(*given):
            w1, a1, b1, w2, a2, b2, w3, b3 = (planted(n, p, mistake) for n, p in zip(shapes, given, strict=True))
            h = F.conv2d(x.to(w1.dtype), w1)
            h = planted("between 1", F.relu(F.batch_norm(h, None, None, a1, b1, training=True)), mistake)
            h = planted("into the ReLU", F.batch_norm(F.conv2d(h, w2), None, None, a2, b2, training=True), mistake)
            h = (F.max_pool2d if seed % 2 else F.avg_pool2d)(F.relu(h), 2).mean(dim=(2, 3))
            return F.cross_entropy(F.linear(h, w3, b3), labels)

        return loss

    mistake = [*shapes, "between 1", "into the ReLU"][seed % (len(shapes) + 2)]
    tensors = tuple(tg.tensor(a, dtype=tg.float32, requires_grad=True) for a in inputs)
    return Network(f"convolutions {seed}", mistake, function, tensors)


NETWORKS = [*(dense(seed) for seed in range(50)), *(convolutional(seed) for seed in range(20))]
