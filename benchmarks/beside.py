"""`python -m benchmarks.beside [NAME …]`: steps and inference of the programs, ours and PyTorch's by turns.

The ratio is PyTorch's time in its better memory format over ours, above 1 where we are faster.
"""

import argparse
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from benchmarks.limits import SETS
from benchmarks.measure import alternately
from benchmarks.peers import give
from benchmarks.programs import PROGRAMS
from tinygrad_cnn.core.types import NDArray


class Running(NamedTuple):
    """A program of one library: a training step, its inference, and its loss and gradients as arrays."""

    step: Callable[[], Any]
    infer: Callable[[], Any]
    gradients: Callable[[], tuple[float, list[Any]]]


def parameters(name: str, batch: int) -> list[NDArray]:
    """The parameters that every library begins with."""
    import tinygrad_cnn

    tinygrad_cnn.manual_seed(0)
    model = PROGRAMS[name][0](tinygrad_cnn, batch).model
    return [p.detach().numpy().copy() for p in model.parameters()]


def running(
    lib: Any, name: str, batch: int, *, channels_last: bool = False, kernels: str | None = None, double: bool = False
) -> Running:
    """A program of this framework, with these kernels, or of PyTorch; both begin with the same parameters."""
    program = PROGRAMS[name][0](lib, batch)
    model = program.model
    give(lib, model, parameters(name, batch))
    inputs = [lib.tensor(a) for a in program.inputs]
    if double:
        model.double()
        inputs = [a.double() if a.is_floating_point() else a for a in inputs]
    if channels_last:
        model.to(memory_format=lib.channels_last)
        inputs = [a.to(memory_format=lib.channels_last) if a.ndim == 4 else a for a in inputs]
    trained = [p for p in model.parameters() if p.requires_grad]
    optimiser = program.optimiser(trained)

    def begin() -> None:
        if kernels is not None:
            lib.set_kernels(kernels)
        model.train()

    def step() -> None:
        begin()
        if program.step is not None:
            program.step(optimiser, *inputs)
            return
        optimiser.zero_grad()
        program.loss(*inputs).backward()
        optimiser.step()

    def infer() -> Any:
        begin()
        model.eval()
        with lib.no_grad():
            return program.infer(*inputs)

    def gradients() -> tuple[float, list[Any]]:
        begin()
        for p in trained:
            p.grad = None
        loss = program.loss(*inputs)
        loss.backward()
        return loss.item(), [np.array(p.grad.detach().numpy()) for p in trained]

    return Running(step, infer, gradients)


def geometric_mean(ratios: list[float]) -> float:
    """The mean of ratios."""
    return math.exp(sum(map(math.log, ratios)) / len(ratios))


def check_agreement(name: str, batch: int, kits: list[str]) -> None:
    """AssertionError if ours and PyTorch's loss and gradients differ, in float64, where kinks meet no rounding."""
    import torch

    import tinygrad_cnn

    loss, gradients = running(torch, name, batch, double=True).gradients()
    for kit in kits:
        found, ours = running(tinygrad_cnn, name, batch, kernels=kit, double=True).gradients()
        np.testing.assert_allclose(found, loss, rtol=1e-7, err_msg=f"{name}, {kit}: the loss")
        for k, (mine, other) in enumerate(zip(ours, gradients, strict=True)):
            scale = float(np.abs(other).max())
            np.testing.assert_allclose(mine, other, rtol=1e-5, atol=1e-6 * scale + 1e-12, err_msg=f"{name}, {kit}: {k}")


def beside(name: str, batch: int, kits: list[str], least: int = 9, seconds: float = 0.5) -> dict[str, Any]:
    """Times in ms of a training step and of inference, for each set of kernels and each format of PyTorch."""
    import torch

    import tinygrad_cnn

    check_agreement(name, batch, kits)
    runs = {kit: running(tinygrad_cnn, name, batch, kernels=kit) for kit in kits}
    runs["torch"] = running(torch, name, batch)
    if any(a.ndim == 4 for a in PROGRAMS[name][0](tinygrad_cnn, 1).inputs):
        runs["torch channels_last"] = running(torch, name, batch, channels_last=True)
    row: dict[str, Any] = {"name": name, "batch": batch}
    for what in ("step", "infer"):
        times = alternately({n: getattr(r, what) for n, r in runs.items()}, least=least, most=200, seconds=seconds)
        rival = min(times[n]["low"] for n in times if n.startswith("torch"))
        row[what] = {"times": times, "ratios": {kit: rival / times[kit]["low"] for kit in kits}}
    return row


def main() -> None:
    """Print a line for each program, and the geometric means and the worst."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.beside", description=__doc__)
    parser.add_argument("names", nargs="*", default=[], metavar="NAME")
    parser.add_argument("--kernels", nargs="*", default=SETS)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--least", type=int, default=9)
    chosen = parser.parse_args()
    import torch

    import tinygrad_cnn

    torch.set_num_threads(chosen.threads)
    tinygrad_cnn.set_num_threads(chosen.threads)
    ratios: dict[tuple[str, str], list[float]] = {}
    for name in chosen.names or PROGRAMS:
        for batch in PROGRAMS[name][1]:
            row = beside(name, batch, chosen.kernels, chosen.least)
            line = f"{name:20s} {batch:3d} "
            for what in ("step", "infer"):
                line += f" {what} torch {min(t['low'] for n, t in row[what]['times'].items() if 'torch' in n):8.2f} ms"
                for kit, ratio in row[what]["ratios"].items():
                    ratios.setdefault((what, kit), []).append(ratio)
                    line += f" {kit} {ratio:5.2f}"
            print(line, flush=True)
    for (what, kit), found in ratios.items():
        print(f"{what}, {kit}: geometric mean {geometric_mean(found):.2f}, least {min(found):.2f}")


if __name__ == "__main__":
    main()
