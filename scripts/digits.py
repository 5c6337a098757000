"""How many digits of a float32 result are right: for every op, its value and its derivatives, in units of rounding.

    python -m scripts.digits --write docs/reference/digits.md

Each op of the registry is computed in float32 and, from the same numbers, in float64, whose own digits are measured
against mpmath in tests/ops/test_tails.py. Functions of one number are compared with mpmath itself.

The error of a result is counted in units in the last place (ULP) of y + Σ |∂y/∂x · x|, the number beside what a
rounding of every input would change in it. A sum of large terms that cancel is as good as its terms. The same holds for
a derivative, whose inputs are those of the op and the gradient that comes from above. The derivatives of derivatives
that this needs come from float64.

The bounds on the page are what was found over many samples, times 3, rounded up to a power of 2.
tests/scripts/test_digits.py draws samples of its own and holds every op to its bound.
"""

import argparse
import math
import sys
import zlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

import tinygrad_cnn as tg
from scripts.false_failures import differentiated
from tests.ops.tails import FUNCTIONS, errors
from tinygrad_cnn.core.op import Op, Sample, registry
from tinygrad_cnn.gradcheck.drawing import RandomDraw
from tinygrad_cnn.tensor import Tensor

PAGE = Path(__file__).parent.parent / "docs" / "reference" / "digits.md"
START, END = "<!-- digits: made by python -m scripts.digits -->", "<!-- /digits -->"
LIMITS = np.finfo(np.float32)
MOST = 60
"""Elements of a result or a derivative that are looked at in one sample."""
NAMES = sorted(name for name, op in registry.items() if op.__module__.startswith("tinygrad_cnn."))


LARGEST = {
    **dict.fromkeys(
        ("RNN", "LSTM", "GRU", "ProjectedLSTM"),
        "the slope of a gate comes from its value, whose error is large beside the slope of a gate nearly shut",
    ),
    **dict.fromkeys(("Attention", "Softmax", "SoftmaxCrossEntropy"), "the slope of a probability comes from its value"),
    **dict.fromkeys(
        ("LogSoftmax", "ClassCrossEntropy", "ClassCrossEntropyInput"),
        "small probabilities are added to 1, so the logarithm of one near 1 has an absolute error",
    ),
    "Pinv": "of a matrix of low rank, what is left of its inverse is nothing but rounding",
    "Det": "of a matrix of low rank, minors are 0 by terms that cancel",
}
"""Ops whose errors are counted in units of the largest number of the result, not of each, and why."""


class Digits(NamedTuple):
    """The largest errors of an op, in ULP: of its value, and of its derivatives; None if it has none."""

    value: float | None
    derivative: float | None


class Given(NamedTuple):
    """The same numbers as float32 and as float64."""

    op: type[Op]
    options: dict[str, Any]
    single: list[Tensor]
    double: list[Tensor]
    wanted: list[int]
    """Which of them have a derivative."""


def given(op: type[Op], sample: Sample) -> Given:
    """Tensors of a sample, all of whose numbers are float32's."""
    able = op.differentiable
    arrays = [np.asarray(a) for a in sample.inputs]
    single = [a.astype(np.float32) if a.dtype.kind == "f" else a for a in arrays]
    wanted = [k for k in differentiated(op, len(arrays)) if able and arrays[k].dtype.kind == "f"]
    double = [a.astype(np.float64) if a.dtype.kind == "f" else a for a in single]
    tensors = [[Tensor(a, requires_grad=k in wanted) for k, a in enumerate(each)] for each in (single, double)]
    return Given(op, sample.options, *tensors, wanted)


def value(what: Given, tensors: list[Tensor]) -> Tensor:
    """The op's result, without what it keeps besides."""
    y = what.op.apply(*tensors, **what.options)
    return y[0] if what.op.aux else y


def sensitivity(results: list[Tensor], inputs: list[Tensor]) -> NDArray:
    """For the first elements of the results in a row: what a rounding of every input by 1 in 1 would change."""
    flat = [t.reshape(-1)[k] for t in results for k in range(t.numel())][:MOST]
    changes = np.zeros(len(flat))
    for k, element in enumerate(flat):
        if element.requires_grad:
            slopes = tg.autograd.grad(element, inputs, retain_graph=True, allow_unused=True)
            changes[k] = sum(
                float(np.nansum(np.abs(slope.numpy() * x.detach().numpy())))
                for slope, x in zip(slopes, inputs, strict=True)
                if slope is not None
            )
    return changes


def units(found: list[Tensor], exact: list[Tensor], inputs: list[Tensor], above: Tensor | None = None) -> float:
    """The largest error, in units in the last place of each number beside its sensitivity.

    If the gradient from above is given, it is in units of the largest of all these numbers.
    """
    ours, right = (np.concatenate([t.detach().numpy().reshape(-1) for t in each])[:MOST] for each in (found, exact))
    size = np.abs(right) + sensitivity(exact, inputs)
    judged = np.isfinite(right) & (size < LIMITS.max)
    if not judged.any():
        return 0.0
    ours, right, size = (a[judged].astype(float) for a in (ours, right, size))
    if above is not None:
        size = np.full_like(size, max(size.max(), np.abs(above.detach().numpy()).max()))
    unit = np.spacing(np.maximum(size, 64 * float(LIMITS.tiny)).astype(np.float32)).astype(float)
    return float(np.max(np.where(np.isfinite(ours), np.abs(ours - right) / unit, math.inf)))


@np.errstate(all="ignore")
def measured(name: str, seed: int) -> Digits:
    """One sample of an op."""
    random = np.random.default_rng([seed, zlib.crc32(name.encode())])
    what = given(registry[name], registry[name].sample(RandomDraw(random)))
    y, exact = value(what, what.single), value(what, what.double)
    if y.dtype != tg.float32 or not y.numel():
        return Digits(None, None)
    inputs = [what.double[k] for k in what.wanted]
    g = random.standard_normal(y.shape).astype(np.float32)
    above = Tensor(g.astype(np.float64), requires_grad=True)
    most = above if name in LARGEST else None
    first = units([y], [exact], inputs, most)
    if not y.requires_grad:
        return Digits(first, None)
    found = tg.autograd.grad(y, [what.single[k] for k in what.wanted], Tensor(g), allow_unused=True)
    right = tg.autograd.grad(exact, inputs, above, create_graph=True, allow_unused=True)
    both = [(a, b) for a, b in zip(found, right, strict=True) if a is not None and b is not None and a.numel()]
    if not both:
        return Digits(first, None)
    return Digits(first, units([a for a, _ in both], [b for _, b in both], [*inputs, above], most))


def worst(name: str, seeds: range) -> Digits:
    """The largest errors over samples."""
    all_of = [measured(name, seed) for seed in seeds]
    largest = [max((e for e in column if e is not None), default=None) for column in zip(*all_of, strict=True)]
    return Digits(*largest)


def rounded_up(error: float | None) -> str:
    """The bound that is stated for an error that was found."""
    if error is None:
        return "-"
    return f"{2 ** math.ceil(math.log2(max(error * 3, 0.5))):g}" if math.isfinite(error) else "none"


@cache
def of_one_number() -> dict[str, list[tuple[float, float]]]:
    """For each function of tests/ops/tails.py, and its derivatives: the largest error in float32, and where."""
    return {name: [each[0] for each in errors(name, tg, "float32")] for name in FUNCTIONS}


def rows(seeds: range, sets: list[str]) -> Iterator[str]:
    """The table of the ops: value and derivative with each set of kernels."""
    before, found = tg.get_kernels(), dict[str, list[Digits]]()
    try:
        for kernels in sets:
            tg.set_kernels(kernels)
            for name in NAMES:
                found.setdefault(name, []).append(worst(name, seeds))
                print(kernels, name, found[name][-1], flush=True)
    finally:
        tg.set_kernels(before)
    for name, each in found.items():
        if any(d.value is not None for d in each):
            mark = "\\*" if name in LARGEST else ""
            cells = " | ".join(f"{rounded_up(d.value)} | {rounded_up(d.derivative)}" for d in each)
            yield f"| `{name}`{mark} | {cells} |"


def bounds(page: str) -> dict[str, dict[str, list[str]]]:
    """What the page states: for each op, by kernels, the bounds of value and derivative."""
    _, _, rest = page.partition(START)
    table, _, _ = rest.partition(END)
    lines = [line.strip("|").split("|") for line in table.splitlines() if line.startswith("| `")]
    cells = [[cell.strip() for cell in line] for line in lines]
    return {name.strip("`\\*"): {"numpy": more[:2], "numba": more[2:4]} for name, *more in cells}


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=200, help="of each op")
    parser.add_argument("--write", type=Path, help="the page whose table is renewed")
    options = parser.parse_args()
    table = [
        "| op | value | derivative | value, compiled | derivative, compiled |",
        "|---|--:|--:|--:|--:|",
        *rows(range(options.samples), ["numpy", "numba"]),
    ]
    table += ["", "\\* in units of the largest number of the result and of the gradient from above:", ""]
    table += [f"- `{name}`: {why}." for name, why in LARGEST.items()]
    one = ["| function | value | derivative | second derivative |", "|---|--:|--:|--:|"]
    with np.errstate(all="ignore"):
        for name, each in of_one_number().items():
            one.append(f"| {name} | " + " | ".join(f"{units:.3g}" for units, _ in each) + " |")
    text = "\n".join([START, "", *table, "", "## Functions of one number", "", *one, "", END])
    if options.write is None:
        print(text)
        return 0
    page = options.write.read_text(encoding="utf-8")
    before, _, rest = page.partition(START)
    options.write.write_text(before + text + rest.partition(END)[2], encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
