"""What CI guards: our times over those of a plain product, or of NumPy itself, in the same run. No absolute times.

The limits are half as much again as was measured on two machines, so that noise passes and a lost algorithm does not.
"""

import sys
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

import tinygrad_cnn as tg
from benchmarks import importing, sharing
from benchmarks.limits import PLAIN, POOL, SETS, lying
from benchmarks.measure import alternately
from tinygrad_cnn.kernels.chosen import chosen


class Guard(NamedTuple):
    """One of our functions, what it is measured by, and how many times as long it may take."""

    name: str
    ours: Callable[[], Any]
    plain: Callable[[], Any]
    limit: float


LIMITS = {"numpy": (2.5, 3.0, 3.0, 15, 15), "numba": (1.0, 1.2, 1.2, 12, 8)}
"""Of the convolution, its gradients, the pooling and its gradient."""


def guards(kit: str) -> list[Guard]:
    """Those of a set of kernels, on one thread."""
    tg.set_kernels(kit)
    x, g, w = lying(16, 32, 24), lying(16, 64, 24), np.ones((64, 32, 3, 3), np.float32)
    a, b = np.ones((16 * 24 * 24, 288), np.float32), np.ones((288, 64), np.float32)
    flat = np.ones(x.size, np.float32)
    y, taps = chosen.max_pool2d(x, **POOL, ceil_mode=False)
    product = lambda: np.matmul(a, b)  # noqa: E731
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
    }
    return [
        Guard(f"{kit}: {name}", *both, limit) for (name, both), limit in zip(ours.items(), LIMITS[kit], strict=True)
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
    found = failures([recording()])
    for kit in SETS:
        found += failures(guards(kit))
    found += importing.failures()
    found += sharing.failures()
    sys.exit("\n".join(found) or None)
