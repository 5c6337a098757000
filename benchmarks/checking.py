"""`python -m benchmarks.checking [NAME …]`: what it takes to check a gradient, ours and PyTorch's own by turns.

The functions are those that the checker was measured on: three elements, a convolution, an LSTM, scalar losses of 300
to 9,000 inputs, and fast mode at 10⁵ elements; in float64, with one thread. Ours checks our functions, and PyTorch's
through `torch_function`; the ratios are our time over PyTorch's. Times are those of the processor, the shortest of
each: what else the machine does is not counted.
"""

import argparse
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from tinygrad_cnn.core.types import Shape

Function = Callable[..., Any]


class Case(NamedTuple):
    """The shapes of the inputs, the function of a library, and whether projections are judged."""

    shapes: list[Shape]
    function: Callable[[Any], Function]
    fast: bool = False


def lstm(lib: Any) -> Function:
    """Five steps of two sequences."""
    lib.manual_seed(0)
    layer = lib.nn.LSTM(3, 4).double()
    return lambda x: layer(x)[0]


def perceptron(lib: Any) -> Function:
    """The loss of 30 points under a perceptron."""
    lib.manual_seed(0)
    model = lib.nn.Sequential(lib.nn.Linear(10, 16), lib.nn.Tanh(), lib.nn.Linear(16, 1)).double()
    return lambda x: (model(x) ** 2).mean()


CASES: dict[str, Case] = {
    "tanh, 3": Case([(3,)], lambda lib: lambda x: x.tanh()),
    "exp(-x²), 3": Case([(3,)], lambda lib: lambda x: (-(x * x)).exp()),
    "softmax, 3": Case([(3,)], lambda lib: lambda x: x.softmax(0)),
    "x · w + b, 3 × 3": Case([(3,), (3,), (3,)], lambda lib: lambda x, w, b: x * w + b),
    "conv2d, 496": Case([(2, 3, 8, 8), (4, 3, 3, 3), (4,)], lambda lib: lib.nn.functional.conv2d),
    "LSTM, 30": Case([(5, 2, 3)], lstm),
    "perceptron's loss, 300": Case([(30, 10)], perceptron),
    "mean of tanh², 3,000": Case([(3000,)], lambda lib: lambda x: (x.tanh() ** 2).mean()),
    "cross-entropy, 9,000": Case(
        [(300, 30)], lambda lib: lambda x: lib.nn.functional.cross_entropy(x, lib.tensor(np.arange(300) % 30))
    ),
    "fast: tanh, 10⁵": Case([(100_000,)], lambda lib: lambda x: x.tanh(), fast=True),
    "fast: mean of tanh², 10⁵": Case([(100_000,)], lambda lib: lambda x: (x.tanh() ** 2).mean(), fast=True),
    "fast: linear, 10⁵": Case([(20, 100), (980, 100)], lambda lib: lib.nn.functional.linear, fast=True),
}
"""By name, with the number of inputs that are checked."""


def checks(case: Case) -> dict[str, Callable[[], Any]]:
    """The same check by each checker."""
    import torch

    import tinygrad_cnn
    from tinygrad_cnn.gradcheck import gradcheck, torch_function

    random = np.random.default_rng(0)
    arrays = [random.standard_normal(shape) for shape in case.shapes]
    mine = [tinygrad_cnn.tensor(a, dtype=tinygrad_cnn.float64, requires_grad=True) for a in arrays]
    theirs = tuple(torch.tensor(a, requires_grad=True) for a in arrays)
    ours, of_torch = case.function(tinygrad_cnn), case.function(torch)
    return {
        "ours": lambda: gradcheck(ours, mine, fast_mode=case.fast),
        "of PyTorch": lambda: gradcheck(torch_function(of_torch), theirs, fast_mode=case.fast),
        "PyTorch": lambda: torch.autograd.gradcheck(of_torch, theirs, fast_mode=case.fast),
    }


def shortest(turns: dict[str, Callable[[], Any]], least: int, seconds: float) -> dict[str, float]:
    """The shortest processor time of each in ms, by turns: as many as are asked for, then more while seconds last."""
    times: dict[str, list[float]] = {name: [] for name in turns}
    end = time.process_time() + seconds
    while len(times[next(iter(turns))]) <= least or time.process_time() < end:
        for name, turn in turns.items():
            start = time.process_time()
            turn()
            times[name].append(1e3 * (time.process_time() - start))
    return {name: min(series[1:]) for name, series in times.items()}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.checking", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="functions whose names contain one of these")
    parser.add_argument("--least", type=int, default=3, help="rounds at least")
    parser.add_argument("--seconds", type=float, default=1.0, help="for each function")
    chosen = parser.parse_args()
    import torch

    import tinygrad_cnn

    torch.set_num_threads(1)
    tinygrad_cnn.set_num_threads(1)
    print("| function, inputs | PyTorch's gradcheck | ours, of our function | | ours, of PyTorch's | |")
    print("|---|---|---|---|---|---|")
    for name, case in CASES.items():
        if chosen.names and not any(part in name for part in chosen.names):
            continue
        low = shortest(checks(case), chosen.least, chosen.seconds)
        cells = [f"{low[checker]:.3g} ms | {low[checker] / low['PyTorch']:.1f}×" for checker in ("ours", "of PyTorch")]
        print(f"| {name} | {low['PyTorch']:.3g} ms | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
