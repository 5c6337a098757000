"""The machine's own limits, what each kernel reaches of them, how cost grows, what recording costs."""

import importlib.util
from collections.abc import Iterator
from typing import Any

import numpy as np

import tinygrad_cnn as tg
from benchmarks.measure import alternately, best, exponent, least
from benchmarks.peers import FAST, installed
from tinygrad_cnn.kernels.chosen import chosen
from tinygrad_cnn.kernels.passes import matmul

PLAIN = {"stride": (1, 1), "padding": ((1, 1), (1, 1)), "dilation": (1, 1), "groups": 1}
POOL = {"kernel_size": (2, 2), "stride": (2, 2), "padding": (0, 0), "dilation": (1, 1)}


def peaks() -> dict[str, float]:
    """GFLOP/s of a product of two float32 matrices of 512², and GB/s, read and written, of copying 16 MiB."""
    a = np.random.default_rng(0).random((512, 512), np.float32)
    source = np.ones(1 << 22, np.float32)
    target = np.empty_like(source)
    return {
        "gemm": 2 * 512**3 / least(lambda: matmul(a, a), 100) / 1e9,
        "copy": 2 * source.nbytes / least(lambda: np.copyto(target, source)) / 1e9,
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
        out += with_reasons([{"set": kit, **row} for row in (*products(peak["gemm"]), *passes(peak["copy"]))])
    tg.set_kernels("numpy")
    return out


def geometry(kernel: int, stride: int = 1, groups: int = 1) -> dict[str, Any]:
    """The keywords of a convolution whose border keeps the size."""
    return {"stride": (stride, stride), "padding": ((kernel // 2,) * 2,) * 2, "dilation": (1, 1), "groups": groups}


def three(c: int, o: int, h: int, kernel: int, stride: int = 1, groups: int = 1) -> Iterator[tuple[str, Any, int]]:
    """A convolution and its gradients of 64 images: name, function, bytes of what is read and written."""
    x, w, how = lying(64, c, h), np.ones((o, c // groups, kernel, kernel), np.float32), geometry(kernel, stride, groups)
    g, moved = lying(64, o, -(-h // stride)), 4 * 64 * (c * h * h + o * (-(-h // stride)) ** 2)
    kind = f"{c} to {o}, {kernel}x{kernel}, {h}x{h}" + (", stride 2" if stride > 1 else "")
    kind += ", depthwise" if groups == c > 1 else f", {groups} groups" if groups > 1 else ""
    yield f"conv2d {kind}", lambda: chosen.conv2d(x, w, **how), moved
    yield f"conv2d_input {kind}", lambda: chosen.conv2d_input(g, w, input_size=(h, h), **how), moved
    yield f"conv2d_weight {kind}", lambda: chosen.conv2d_weight(x, g, kernel_size=(kernel, kernel), **how), moved


def products(peak: float) -> Iterator[dict[str, Any]]:
    """The convolutions and their gradients; the operations are those of the definition, also where Winograd saves."""
    for c, o, h, kernel, stride, groups in (
        *((1, 32, 28, 3, 1, 1), (32, 32, 32, 3, 1, 1), (32, 64, 24, 3, 1, 1), (64, 64, 16, 3, 1, 1)),
        *((6, 16, 14, 5, 1, 1), (64, 128, 16, 1, 1, 1), (32, 64, 16, 3, 2, 1), (64, 64, 16, 3, 1, 4)),
    ):
        out = -(-h // stride)
        work = 2 * 64 * o * (c // groups) * kernel**2 * out**2 / 1e9
        for name, function, moved in three(c, o, h, kernel, stride, groups):
            seconds = least(function)
            yield {
                "kernel": name,
                "ms": 1e3 * seconds,
                "gemm": work / seconds / peak,
                "intensity": 1e9 * work / moved,
            }


def passes(peak: float) -> Iterator[dict[str, Any]]:
    """What moves memory and hardly computes."""
    x, small = lying(64, 32, 26), (np.ones((512, 64), np.float32), np.arange(512) % 64)
    rows: list[tuple[str, Any, int]] = [
        ("relu 32, 26x26", lambda: chosen.relu(x), 2 * x.nbytes),
        ("gate 32, 26x26", lambda: chosen.gate(x, x), 2 * x.nbytes),
        ("channel_sums 32, 26x26", lambda: chosen.channel_sums(x), x.nbytes),
        ("class_losses 512, 64", lambda: chosen.class_losses(*small), small[0].nbytes),
    ]
    for kernel, stride, border in ((2, 2, 0), (3, 2, 1)):
        how = {"kernel_size": (kernel,) * 2, "stride": (stride,) * 2, "padding": (border,) * 2, "dilation": (1, 1)}
        y, taps = chosen.max_pool2d(x, **how, ceil_mode=False)
        moved, kind = x.nbytes + y.nbytes + taps.nbytes, f"{kernel}x{kernel}, stride {stride}, 32, 26x26"
        rows += [
            (f"max_pool2d {kind}", lambda how=how: chosen.max_pool2d(x, **how, ceil_mode=False), moved),
            (
                f"window_put {kind}",
                lambda y=y, taps=taps, how=how: chosen.window_put(y, taps, input_size=(26, 26), **how),
                moved,
            ),
        ]
    rows += three(64, 64, 32, 3, groups=64)
    for name, function, moved in rows:
        seconds = least(function)
        yield {"kernel": name, "ms": 1e3 * seconds, "copy": moved / seconds / 1e9 / peak}


ENOUGH = {"gemm": 0.6, "copy": 0.5}
"""The share of the peak product, or of the copying bandwidth, below which a kernel's row gives the reason."""
REASONS = {
    ("numpy", "max_pool2d"): "each tap is four passes over a block: NumPy has no maximum that says where it was",
    ("numpy", "window_put"): "each tap is a comparison, a product and, where windows overlap, an addition",
    ("numpy", "class_losses"): "an exponential and three passes for each number",
    ("numpy", "gate"): "a comparison, a product, and a sum that tells whether all is finite",
    ("numpy", "depthwise"): "nine products and nine additions, each a pass over a block in the cache",
    ("numpy", "groups"): "products as narrow as a group",
    ("numpy", "conv2d_input 1 to"): "one channel: each tap is a pass over the canvas, not a product",
    ("numpy", "conv2d_input 6 to"): "six channels: each tap is a narrow product and a pass over the canvas",
    ("numpy", "1 to 32"): "nine taps deep: as much is copied as multiplied",
    ("numpy", "6 to 16"): "six and sixteen channels: narrow products",
    ("numpy", "stride 2"): "taps two pixels apart are brought together before the product",
    ("numpy", "1x1"): "64 products for each number that is read: memory takes as long as multiplying",
    ("numpy", "32 to"): "a third of what im2col copies is still copied, and products are 32 wide",
    ("numba", "max_pool2d 3x3"): "nine comparisons a number, after the columns are sorted in the cache",
    ("numba", "window_put 3x3"): "nine comparisons and additions a number",
    ("numba", "class_losses"): "the exponential is not a vector instruction",
    ("numba", "depthwise"): "nine multiplications a number, and the border is made in the cache",
    ("numba", "groups"): "sums over one group are short",
    ("numba", "conv2d_input 1 to"): "one row of results: each value that is loaded is used once",
    ("numba", "6 to 16"): "six rows of results leave registers of a tile of eight unused",
    ("numba", "stride 2"): "short runs: the images of one pixel, or phases that are copied first",
}
"""Why: by the set, and by what the row's name has in it; the first that fits."""


def with_reasons(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows, and the reason in each that is below what a kernel should reach."""
    for row in rows:
        below = any(row[limit] < enough for limit, enough in ENOUGH.items() if limit in row)
        fits = [why for (kit, part), why in REASONS.items() if kit == row.get("set") and part in row["kernel"]]
        row["reason"] = "" if not below else fits[0] if fits else "not explained"
    return rows


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
