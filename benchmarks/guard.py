"""What CI guards: our times over those of a plain product, or of NumPy itself, in the same run. No absolute times.

The limits are half as much again as was measured on two machines, so that noise passes and a lost algorithm does not.
"""

import sys
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

import tinygrad_cnn as tg
from benchmarks import importing, sharing
from benchmarks.limits import PLAIN, POOL, SETS, geometry, lying
from benchmarks.measure import alternately
from tinygrad_cnn.kernels.choices import choose
from tinygrad_cnn.kernels.chosen import chosen


class Guard(NamedTuple):
    """One of our functions, what it is measured by, and how many times as long it may take."""

    name: str
    ours: Callable[[], Any]
    plain: Callable[[], Any]
    limit: float


LIMITS = {
    "numpy": (2.5, 3.0, 3.0, 15, 15, 60, 60, 4.0, 4.0, 2.5, 4.0, 60, 60, 50),
    "numba": (1.0, 1.2, 1.2, 6, 6, 15, 12, 1.8, 2.2, 2.2, 2.2, 12, 12, 12),
}
"""Of the convolution, its gradients, the pooling of 2×2 and its gradient, that of 3×3 and its gradient, the convolution
of stride 2 and its gradients, that of one pixel, and the depthwise convolution and its gradients."""


def guards(kit: str) -> list[Guard]:
    """Those of a set of kernels, on one thread."""
    tg.set_kernels(kit)
    x, g, w = lying(16, 32, 24), lying(16, 64, 24), np.ones((64, 32, 3, 3), np.float32)
    a, b = np.ones((16 * 24 * 24, 288), np.float32), np.ones((288, 64), np.float32)
    flat = np.ones(x.size, np.float32)
    y, taps = chosen.max_pool2d(x, **POOL, ceil_mode=False)
    nine = {"kernel_size": (3, 3), "stride": (2, 2), "padding": (1, 1), "dilation": (1, 1)}
    z, marks = chosen.max_pool2d(x, **nine, ceil_mode=False)
    h, v, two, apart = lying(16, 64, 12), np.ones((32, 1, 3, 3), np.float32), geometry(3, 2), geometry(3, 1, 32)
    product, quarter = (lambda: np.matmul(a, b)), (lambda: np.matmul(a[: len(a) // 4], b))
    ours: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
        "conv2d over a product as large": (lambda: chosen.conv2d(x, w, **PLAIN), product),
        "conv2d_input over a product as large": (
            lambda: chosen.conv2d_input(g, w, input_size=(24, 24), **PLAIN),
            product,
        ),
        "conv2d_weight over a product as large": (
            lambda: chosen.conv2d_weight(x, g, kernel_size=(3, 3), **PLAIN),
            product,
        ),
        "max_pool2d over a copy": (lambda: chosen.max_pool2d(x, **POOL, ceil_mode=False), flat.copy),
        "window_put over a copy": (lambda: chosen.window_put(y, taps, input_size=(24, 24), **POOL), flat.copy),
        "max_pool2d of 3x3 over a copy": (lambda: chosen.max_pool2d(x, **nine, ceil_mode=False), flat.copy),
        "window_put of 3x3 over a copy": (lambda: chosen.window_put(z, marks, input_size=(24, 24), **nine), flat.copy),
        "conv2d of stride 2 over a product as large": (lambda: chosen.conv2d(x, w, **two), quarter),
        "conv2d_input of stride 2 over a product as large": (
            lambda: chosen.conv2d_input(h, w, input_size=(24, 24), **two),
            quarter,
        ),
        "conv2d of one pixel over a product as large": (
            lambda: chosen.conv2d(x, w[:, :, :1, :1], **geometry(1, 1)),
            lambda: np.matmul(a[:, :32], b[:32]),
        ),
        "conv2d_weight of stride 2 over a product as large": (
            lambda: chosen.conv2d_weight(x, h, kernel_size=(3, 3), **two),
            quarter,
        ),
        "depthwise conv2d over a copy": (lambda: chosen.conv2d(x, v, **apart), flat.copy),
        "depthwise conv2d_input over a copy": (
            lambda: chosen.conv2d_input(x, v, input_size=(24, 24), **apart),
            flat.copy,
        ),
        "depthwise conv2d_weight over a copy": (
            lambda: chosen.conv2d_weight(x, x, kernel_size=(3, 3), **apart),
            flat.copy,
        ),
    }
    return [
        Guard(f"{kit}: {name}", *both, limit) for (name, both), limit in zip(ours.items(), LIMITS[kit], strict=True)
    ]


NORM_LIMITS = {"numpy": (30, 40, 30, 45, 90, 3.5, 3.5), "numba": (7, 8, 10, 12, 14, 3.5, 3.5)}
"""Of batch norm, its gradients, layer norm, its gradients, GELU, attention and its gradients."""


def norm_guards(kit: str) -> list[Guard]:
    """Norms and GELU over a copy, attention over the products in it, on one thread."""
    tg.set_kernels(kit)
    x, w = lying(16, 32, 24), np.ones(32, np.float32)
    rows, v = np.ones((1024, 288), np.float32), np.ones(288, np.float32)
    q = np.random.default_rng(0).random((16, 4, 64, 32), np.float32)
    none = np.zeros((), np.float32)
    over: dict[str, Any] = {"axes": (0, 2, 3), "along": (1,), "eps": 1e-5, "centred": True}
    along: dict[str, Any] = {**over, "axes": (1,)}
    _, mean, variance = chosen.normalize(x, w, w, **over)
    _, middle, spread = chosen.normalize(rows, v, v, **along)
    _, kept = chosen.attend(q, q, q, none, scale=0.2, causal=False)
    asked = {"wanted": [True] * 3}
    flat = np.ones(x.size, np.float32)

    def products(count: int) -> Callable[[], Any]:
        scores = np.ones((16, 4, 64, 64), np.float32)
        return lambda: [np.matmul(scores, q) for _ in range(2 * count)]

    copy = flat.copy
    ours: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
        "batch norm over a copy": (lambda: chosen.normalize(x, w, w, **over), copy),
        "its gradients over a copy": (lambda: chosen.normalize_back(x, x, w, mean, variance, **over, **asked), copy),
        "layer norm over a copy": (lambda: chosen.normalize(rows, v, v, **along), copy),
        "its gradients over copies": (
            lambda: chosen.normalize_back(rows, rows, v, middle, spread, **along, **asked),
            copy,
        ),
        "gelu over a copy": (lambda: chosen.gelu(flat), copy),
        "attention over its products": (lambda: chosen.attend(q, q, q, none, scale=0.2, causal=False), products(2)),
        "its gradients over their products": (
            lambda: chosen.attend_back(q, q, q, q, none, kept, scale=0.2, causal=False),
            products(3),
        ),
    }
    return [
        Guard(f"{kit}: {name}", *both, limit)
        for (name, both), limit in zip(ours.items(), NORM_LIMITS[kit], strict=True)
    ]


STEPS = {"numpy": (6, 17), "numba": (3.5, 6)}
"""Of gradient descent with momentum, and of Adam."""


def steps(kit: str) -> list[Guard]:
    """Steps of optimisers over a copy, on one thread."""
    tg.set_kernels(kit)
    w, g, m, v = np.ones((4, 300_000), np.float32)
    heavy: dict[str, Any] = {"momentum": 0.9, "dampening": 0.0, "nesterov": False, "decay": 0.0}
    moments: dict[str, Any] = {"rate": 1e-6, "eps": 1e-8, "new": (0.1, 0.001), "decay": 0.0, "kept": 1.0}
    ours: list[tuple[str, Callable[[], Any]]] = [
        ("descent with momentum", lambda: chosen.descend_by_velocity(w, g, m, 1e-6, **heavy)),
        ("adam", lambda: chosen.adam(w, g, m, v, None, **moments)),
    ]
    return [
        Guard(f"{kit}: {name} over a copy", run, w.copy, limit)
        for (name, run), limit in zip(ours, STEPS[kit], strict=True)
    ]


CURVES = {"numpy": (18, 31, 55, 15, 26, 14, 25), "numba": (13, 13, 63, 3, 13, 3.5, 2.5)}
"""Of sigmoid, SiLU's slope, softplus, hardswish, softmax of rows, a choice, and rows added to a table."""


def curves(kit: str) -> list[Guard]:
    """Activations over a copy, on one thread."""
    tg.set_kernels(kit)
    x = np.random.default_rng(0).standard_normal((300, 1000), np.float32)
    above, table, places = x > 0, np.zeros((64, 1000), np.float32), np.arange(300) % 64
    ours: list[tuple[str, Callable[[], Any]]] = [
        ("sigmoid", lambda: chosen.sigmoid(x)),
        ("slope of SiLU", lambda: chosen.silu_slope(x)),
        ("softplus", lambda: chosen.softplus(x, 20.0)),
        ("hardswish", lambda: chosen.hardswish(x)),
        ("softmax", lambda: chosen.softmax(x, 1)),
        ("choice", lambda: choose(above, x, 0.5)),
        ("rows added at places", lambda: chosen.add_rows(table, places, x)),
    ]
    return [
        Guard(f"{kit}: {name} over a copy", run, x.copy, limit)
        for (name, run), limit in zip(ours, CURVES[kit], strict=True)
    ]


RECURRENT = {"numpy": (5, 5.5, 5.5), "numba": (3.5, 4.3, 4)}
"""Of the simple recurrence, LSTM and GRU."""


def recurrent(kit: str) -> list[Guard]:
    """Layers of 28 steps there and back, over the products of the steps there alone."""
    tg.set_kernels(kit)
    rng, (steps, batch, inputs, hidden) = np.random.default_rng(0), (28, 64, 28, 128)

    def array(*shape: int) -> Any:
        return rng.standard_normal(shape, np.float32) / 8

    def layer(gates: int) -> tuple[Any, ...]:
        n = gates * hidden
        return array(steps, batch, inputs), array(n, inputs), array(n, hidden), array(n), array(batch, hidden)

    def product(gates: int) -> Callable[[], Any]:
        z, w = array(batch, inputs + hidden + 1), array(inputs + hidden + 1, gates * hidden)
        return lambda: [np.matmul(z, w) for _ in range(steps)]

    g, options = array(steps + 1, batch, hidden), dict[str, Any](sizes=None, keep=True)

    def rnn() -> Any:
        x, w_ih, w_hh, b, h = given[1]
        _, z = chosen.rnn(x, w_ih, w_hh, b, h, relu=False, **options)
        return chosen.rnn_back(g, z, w_hh, relu=False, sizes=None)

    def lstm() -> Any:
        x, w_ih, w_hh, b, h = given[4]
        _, _, _, kept, tanhs = chosen.lstm(x, w_ih, w_hh, b, h, h, **options)
        return chosen.lstm_back(g, h, kept, tanhs, w_hh, sizes=None)

    def gru() -> Any:
        x, w_ih, w_hh, b, h = given[3]
        _, _, z, kept, seen = chosen.gru(x, w_ih, w_hh, b, b, h, **options)
        return chosen.gru_back(g, z, kept, seen, w_hh, sizes=None)

    given = {gates: layer(gates) for gates in (1, 3, 4)}
    ours = {"rnn": (rnn, 1), "lstm": (lstm, 4), "gru": (gru, 3)}
    return [
        Guard(f"{kit}: {name} of 28 steps, both ways, over its products one way", run, product(gates), limit)
        for (name, (run, gates)), limit in zip(ours.items(), RECURRENT[kit], strict=True)
    ]


def tail() -> list[Guard]:
    """Functions that were tens or thousands of times slower than PyTorch's, over NumPy's own passes as large."""
    r = np.random.default_rng(0)
    x = r.standard_normal(100_000, np.float32)
    t, u = tg.tensor(x), tg.tensor(r.random(100_000, np.float32) * np.float32(0.9) + np.float32(0.05))
    points, whole, targets = tg.tensor(x[:3000].reshape(300, 10)), tg.tensor(x.reshape(1000, 100)), np.arange(100_000)
    special = tg.special
    return [
        Guard("randperm over a sort", lambda: tg.randperm(100_000), lambda: np.sort(x), 7),
        Guard("sort over NumPy's stable argsort", lambda: tg.sort(t), lambda: np.argsort(x, kind="stable"), 0.3),
        Guard("median over a partition", lambda: tg.median(t), lambda: np.partition(x, 50_000), 3),
        Guard("topk of rows over their sort", lambda: tg.topk(whole, 5), lambda: np.sort(x.reshape(1000, 100)), 8),
        Guard("pdist over 30 copies", lambda: tg.nn.functional.pdist(points), lambda: [x.copy() for _ in range(30)], 6),
        Guard("erfinv over exp", lambda: tg.erfinv(u), lambda: np.exp(x), 40),
        Guard("ndtri over exp", lambda: special.ndtri(u), lambda: np.exp(x), 60),
        Guard("bessel_y0 over exp", lambda: special.bessel_y0(u), lambda: np.exp(x), 60),
        Guard("leaky_relu over a copy", lambda: tg.nn.functional.leaky_relu(t), x.copy, 25),
        Guard("logspace over exp", lambda: tg.logspace(0, 1, 100_000), lambda: np.exp(targets / 1e5), 30),
        Guard("log_normal_ over exp", lambda: t.clone().log_normal_(), lambda: np.exp(targets / 1e5), 120),
    ]


def recording() -> Guard:
    """What recording an op costs."""
    small = np.ones(8, np.float32)
    leaf = tg.tensor(small, requires_grad=True)
    return Guard("a recorded product of 8 over NumPy's", lambda: leaf * leaf, lambda: small * small, 8)


def failures(given: list[Guard]) -> list[str]:
    """A line for each that takes too long."""
    found = []
    for guard in given:
        times = alternately({"ours": guard.ours, "plain": guard.plain}, least=40, most=40, seconds=0)
        ratio = times["ours"]["low"] / times["plain"]["low"]
        print(f"{guard.name}: {ratio:.2f}, at most {guard.limit}")
        if ratio > guard.limit:
            found.append(f"{guard.name}: {ratio:.2f} times as long, more than {guard.limit}")
    return found


if __name__ == "__main__":
    tg.set_num_threads(1)
    found = failures([recording(), *tail()])
    for kit in SETS:
        found += failures(guards(kit)) + failures(norm_guards(kit)) + failures(steps(kit)) + failures(curves(kit))
        found += failures(recurrent(kit))
    found += importing.failures()
    found += sharing.failures()
    sys.exit("\n".join(found) or None)
