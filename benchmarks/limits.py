"""The machine's own limits, what each kernel reaches of them, how cost grows, what recording costs."""

import importlib.util
from collections.abc import Iterator
from typing import Any

import numpy as np

import tinygrad_cnn as tg
from benchmarks.measure import alternately, best, exponent
from benchmarks.peers import FAST, installed
from tinygrad_cnn.kernels.chosen import chosen
from tinygrad_cnn.kernels.passes import matmul

PLAIN = {"stride": (1, 1), "padding": ((1, 1), (1, 1)), "dilation": (1, 1), "groups": 1}
POOL = {"kernel_size": (2, 2), "stride": (2, 2), "padding": (0, 0), "dilation": (1, 1)}


def peaks() -> dict[str, float]:
    """GFLOP/s of a product of two float32 matrices of 1024², and GB/s, read and written, of copying 16 MiB."""
    a = np.random.default_rng(0).random((1024, 1024), np.float32)
    source = np.ones(1 << 22, np.float32)
    target = np.empty_like(source)
    return {
        "gemm": 2 * 1024**3 / best(lambda: matmul(a, a)) / 1e9,
        "copy": 2 * source.nbytes / best(lambda: np.copyto(target, source)) / 1e9,
    }


SETS = ["numpy"] + ["numba"] * (importlib.util.find_spec("numba") is not None)
"""The sets of kernels that are installed."""


def lying(n: int, c: int, h: int) -> Any:
    """Random images in the memory order of the kernels in use."""
    rng = np.random.default_rng(0)
    if tg.get_kernels() == "numba":
        return rng.random((c, h, h, n), np.float32).transpose(3, 0, 1, 2)
    return rng.random((h, h, n, c), np.float32).transpose(2, 3, 0, 1)


def kernels() -> list[dict[str, Any]]:
    """For each kernel at batch 64: ms, and its part of the machine's peak product or of its copying bandwidth."""
    peak = peaks()
    out: list[dict[str, Any]] = [{"peak": peak}]
    for kit in SETS:
        tg.set_kernels(kit)
        out += [{"set": kit, **row} for row in (*products(peak["gemm"]), *passes(peak["copy"]))]
    tg.set_kernels("numpy")
    return out


def products(peak: float) -> Iterator[dict[str, Any]]:
    """The convolutions and their gradients; the operations are those of the definition, also where Winograd saves."""
    for c, o, h in ((1, 32, 28), (32, 32, 32), (32, 64, 24), (64, 64, 16)):
        x, w, g = lying(64, c, h), np.ones((o, c, 3, 3), np.float32), lying(64, o, h)
        work = 2 * 64 * o * c * 9 * h * h / 1e9
        for name, function in (
            ("conv2d", lambda x=x, w=w: chosen.conv2d(x, w, **PLAIN)),
            ("conv2d_input", lambda g=g, w=w, h=h: chosen.conv2d_input(g, w, input_size=(h, h), **PLAIN)),
            ("conv2d_weight", lambda x=x, g=g: chosen.conv2d_weight(x, g, kernel_size=(3, 3), **PLAIN)),
        ):
            seconds = best(function)
            where = f"{name} {c} to {o}, 3x3, {h}x{h}"
            intensity = 1e9 * work / (4 * 64 * h * h * (c + o))
            yield {"kernel": where, "ms": 1e3 * seconds, "gemm": work / seconds / peak, "intensity": intensity}


def passes(peak: float) -> Iterator[dict[str, Any]]:
    """What moves memory and hardly computes."""
    x = lying(64, 32, 26)
    y, taps = chosen.max_pool2d(x, **POOL, ceil_mode=False)
    pooled = x.nbytes + y.nbytes + taps.nbytes
    for name, function, moved in (
        ("relu", lambda: chosen.relu(x), 2 * x.nbytes),
        ("gate", lambda: chosen.gate(x, x), 2 * x.nbytes),
        ("channel_sums", lambda: chosen.channel_sums(x), x.nbytes),
        ("max_pool2d", lambda: chosen.max_pool2d(x, **POOL, ceil_mode=False), pooled),
        ("window_put", lambda: chosen.window_put(y, taps, input_size=(26, 26), **POOL), pooled),
    ):
        seconds = best(function)
        yield {"kernel": f"{name} 32, 26x26", "ms": 1e3 * seconds, "copy": moved / seconds / 1e9 / peak}


def growth() -> dict[str, dict[str, Any]]:
    """Forward and backward of one convolution as batch, channels and pixels grow, and the fitted exponents."""

    def cost(n: int, c: int, h: int) -> float:
        x, w, g = lying(n, c, h), np.ones((32, c, 3, 3), np.float32), lying(n, 32, h)

        def step() -> None:
            chosen.conv2d(x, w, **PLAIN)
            chosen.conv2d_input(g, w, input_size=(h, h), **PLAIN)
            chosen.conv2d_weight(x, g, kernel_size=(3, 3), **PLAIN)

        return best(step, 7)

    axes = {
        "batch": ([16, 32, 64, 128], lambda k: cost(k, 32, 16)),
        "channels": ([16, 32, 64, 128], lambda k: cost(16, k, 16)),
        "pixels": ([256, 1024, 4096, 16384], lambda k: cost(8, 32, round(k**0.5))),
    }
    out: dict[str, dict[str, Any]] = {}
    for kit in SETS:
        tg.set_kernels(kit)
        for name, (sizes, measured) in axes.items():
            seconds = [measured(k) for k in sizes]
            fitted = {"sizes": sizes, "ms": [1e3 * s for s in seconds], "exponent": exponent(sizes, seconds)}
            out.setdefault(kit, {})[name] = fitted
    tg.set_kernels("numpy")
    return out


def small_graphs(rounds: int) -> dict[str, Any]:
    """µs of a chain of 40 ops on 8 elements and of a small MLP's step, and the cost of a recorded op over NumPy's."""
    libraries = {"tinygrad_cnn": tg}
    if "PyTorch" in installed(FAST):
        import torch

        libraries["PyTorch"] = torch
    a, b = np.random.default_rng(0).random((2, 8), np.float32)
    forwards: dict[str, Any] = {}
    chains: dict[str, Any] = {}
    steps: dict[str, Any] = {}

    def plain() -> Any:
        y = a
        for _ in range(20):
            y = y * b + b
        return y

    def add(name: str, lib: Any) -> None:
        x, c = lib.tensor(a, requires_grad=True), lib.tensor(b)

        def forward() -> Any:
            y = x
            for _ in range(20):
                y = y * c + c
            return y

        def chain() -> None:
            x.grad = None
            forward().sum().backward()

        nn = lib.nn
        model = nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 1))
        rng = np.random.default_rng(1)
        points, targets = (lib.tensor(rng.random((100, k), np.float32)) for k in (2, 1))
        optimiser = lib.optim.SGD(model.parameters(), lr=0.01)

        def step() -> None:
            optimiser.zero_grad()
            nn.functional.mse_loss(model(points), targets).backward()
            optimiser.step()

        forwards[name], chains[name], steps[name] = forward, chain, step

    for name, lib in libraries.items():
        add(name, lib)
    timed = {
        "forward": alternately({**forwards, "NumPy": plain}, least=rounds, most=rounds, seconds=0),
        "chain": alternately(chains, least=rounds, most=rounds, seconds=0),
        "mlp": alternately(steps, least=rounds, most=rounds, seconds=0),
    }
    out: dict[str, Any] = {k: {n: 1e3 * v["median"] for n, v in values.items()} for k, values in timed.items()}
    out["over_numpy"] = (out["forward"]["tinygrad_cnn"] - out["forward"]["NumPy"]) / 40
    return out
