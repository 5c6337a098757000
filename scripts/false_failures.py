"""Check right gradients at random and count the verdicts: a checker must not cry wolf.

    python scripts/false_failures.py --checks 100000 --state false_failures.json

Every op of the registry in turn, on samples from its own sampler, times a scale between 10⁻¹² and 10¹²: first order
and second, in float64 and float32. And functions that turn within a scale drawn from 10¹² down to 10⁻³⁰, finer than
any step that is looked at first. Whatever has a finite value and a finite derivative may be inconclusive, and never
fails. The state is written after every thousand checks, and a later run goes on from there. What failed is listed with
its op, seed, order and dtype, and `--seed N` checks one number again and prints its report. At the end stand two
figures: how many right gradients failed, and how many of those with finite value and derivative passed.
"""

import argparse
import json
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from time import monotonic

import numpy as np

from tinygrad_cnn.core.op import Op, registry
from tinygrad_cnn.gradcheck import Report, gradcheck, gradgradcheck
from tinygrad_cnn.gradcheck.drawing import RandomDraw
from tinygrad_cnn.gradcheck.problems import OutsideDomain
from tinygrad_cnn.nn import functional
from tinygrad_cnn.tensor import Tensor

OPS = sorted(name for name, op in registry.items() if op.__module__.startswith("tinygrad_cnn.") and op.differentiable)


LEAST = {"BinaryCrossEntropy": 1e-11}
"""The scale below which an op gives, by PyTorch's convention, no derivative: there 1/p is bounded."""

Narrow = Callable[[Tensor, float], Tensor]
NARROW: dict[str, tuple[str, Narrow]] = {
    "sine": ("anywhere", lambda x, s: (x / s).sin()),
    "sum of sines": ("anywhere", lambda x, s: (x / s).sin().sum()),
    "sine beside a line": ("anywhere", lambda x, s: (x / s).cos() + x),
    "sine of 1/x": ("near 0", lambda x, s: x * (1 / x).sin()),
    "step": ("at 0", lambda x, s: (x / s).tanh()),
    "side of a step": ("near 0", lambda x, s: (x / s).sigmoid()),
    "peak": ("near 0", lambda x, s: (-((x / s) ** 2)).exp()),
    "top of a peak": ("at 0", lambda x, s: (-((x / s) ** 2)).exp() + x),
    "logarithm": ("above 0", lambda x, s: x.log()),
    "reciprocal": ("near 0", lambda x, s: 1 / x),
    "root": ("above 0", lambda x, s: x.sqrt()),
    "power": ("near 0", lambda x, s: x.abs() ** 1.5),
    "length": ("near 0", lambda x, s: x.norm()),
    "normalize": ("near 0", lambda x, s: functional.normalize(x, dim=0, eps=1e-30)),
    "normalize 0": ("at 0", lambda x, s: functional.normalize(x, dim=0, eps=s)),
    "cosine": ("near 0", lambda x, s: functional.cosine_similarity(x, x.detach() * 0 + 1, dim=0, eps=1e-30)),
    "cosine of 0": ("at 0", lambda x, s: functional.cosine_similarity(x, x.detach() * 0 + 1, dim=0, eps=s)),
    "layer norm": ("near 0", lambda x, s: functional.layer_norm(x, x.shape)),
    "softmax": ("near 0", lambda x, s: (x / s).softmax(0)),
    "rounded corner": ("at 0", lambda x, s: (x * x + s * s).sqrt()),
}
"""Functions of a scale, by name, and where they are checked: within the scale of 0, at 0, or anywhere."""


def check(number: int, *, explain: bool = False) -> tuple[str, Report]:
    """The check of this number: ops and functions go round, the rest is drawn from the number."""
    k = number % (len(OPS) + len(NARROW))
    if k < len(OPS):
        return check_op(OPS[k], number, explain=explain)
    return check_narrow(list(NARROW)[k - len(OPS)], number, explain=explain)


def narrow(number: int) -> bool:
    """Whether a check is one of a function of a scale."""
    return number % (len(OPS) + len(NARROW)) >= len(OPS)


@np.errstate(all="ignore")
def check_narrow(name: str, number: int, *, explain: bool = True) -> tuple[str, Report]:
    """Check a function that turns within a scale of 10¹² to 10⁻³⁰: larger ones where 1/x³ would be infinite."""
    where, func = NARROW[name]
    random = np.random.default_rng(number)
    order, dtype = ((1, "float64"), (1, "float32"), (2, "float64"), (2, "float32"))[random.integers(4)]
    least = {(1, "float64"): -30, (2, "float32"): -8}.get((order, dtype), -12)
    scale = 10.0 ** random.uniform(least, 12)
    x = random.standard_normal(random.integers(1, 5))
    x *= {"anywhere": 1.0, "near 0": scale, "above 0": scale, "at 0": 0.0}[where]
    x = np.abs(x) if where == "above 0" else x
    checker = gradcheck if order == 1 else gradgradcheck
    given = Tensor(x.astype(dtype), requires_grad=True)
    options = {"raise_exception": False, "seed": number, "explain": explain, "shrink": False}
    report = checker(lambda t: func(t, scale), given, **options)
    return f"{name} at scale {scale:.2g}, order {order}, {dtype}", report


@np.errstate(all="ignore")
def check_op(name: str, number: int, scale: float | None = None, *, explain: bool = True) -> tuple[str, Report]:
    """Check an op on a sample of its own, times a scale, drawn unless it is given."""
    op = registry[name]
    random = np.random.default_rng(number)
    order, dtype = ((1, "float64"), (2, "float64"), (1, "float32"), (2, "float32"))[random.integers(4)]
    scale = max(10.0 ** random.uniform(-12, 12), LEAST.get(name, 0.0)) if scale is None else scale
    inputs, options = op.sample(RandomDraw(random))
    wanted = differentiated(op, len(inputs))

    def tensor(k, a):
        a = np.asarray(a)
        return Tensor((scale * a).astype(dtype) if a.dtype.kind == "f" else a, requires_grad=k in wanted)

    def func(*tensors):
        y = op.apply(*tensors, **options)
        return y[0] if op.aux else y

    what = f"{op.name} at scale {scale:.2g}, order {order}, {dtype}"
    tensors = [tensor(k, a) for k, a in enumerate(inputs)]
    checker = gradcheck if order == 1 else gradgradcheck
    try:
        report = checker(func, tensors, raise_exception=False, seed=number, explain=explain, shrink=False)
    except Exception as error:  # the sweep goes on, and lists it
        report = Report(op.name, problem=f"{type(error).__name__}: {error}")
    return what, report


def differentiated(op: type[Op], count: int) -> Sequence[int]:
    """Which of so many inputs of an op have a derivative."""
    return range(count) if op.variadic else [k for k, rule in enumerate(op.rules) if rule is not None]


def none_to_check(report: Report) -> bool:
    """Whether there was nothing to check: a second derivative that is 0 by construction, or no element at all."""
    return not report.entries and not report.problem


def category(report: Report) -> str:
    """The verdict, or why there is none: nothing to check, or a value or a derivative that is no finite number."""
    if none_to_check(report):
        return "nothing to check"
    if report.raised is OutsideDomain or not all(np.isfinite(e.analytic) for e in report.entries):
        return "not finite"
    return report.verdict.value


def figures(counts: Counter[str]) -> str:
    """How many right gradients failed, and how many passed, of those with finite value and derivative."""
    verdicts = {v: counts[v] + counts[f"{v}, narrow"] for v in ("pass", "inconclusive", "fail")}
    judged = sum(verdicts.values())
    passed = 100 * verdicts["pass"] / max(1, judged)
    return f"called wrong: {verdicts['fail']} of {judged} with finite value and derivative; passed: {passed:.1f} %"


def main() -> None:
    """Go on from the state, or check one number."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checks", type=int, default=5000, help="how many in all")
    parser.add_argument("--state", type=Path, default=Path("false_failures.json"))
    parser.add_argument("--minutes", type=float, default=float("inf"), help="stop after this time")
    parser.add_argument("--seed", type=int, help="check this number only, and print its report")
    options = parser.parse_args()
    if options.seed is not None:
        print(*check(options.seed, explain=True), sep="\n")
        return
    state = {"done": 0, "counts": {}, "listed": []}
    if options.state.exists():
        state = json.loads(options.state.read_text(encoding="utf-8"))
    counts, end = Counter(state["counts"]), monotonic() + 60 * options.minutes
    number = state["done"]
    while number < options.checks and monotonic() < end:
        what, report = check(number)
        verdict = category(report)
        counts[f"{verdict}, narrow" if narrow(number) else verdict] += 1
        counts["entries"] += len(report.entries)
        if verdict == "fail":
            state["listed"].append({"seed": number, "what": what, "verdict": verdict, "said": report.headline()})
            print(number, what, verdict, report.headline(), flush=True)
        number += 1
        if number % 1000 == 0 or number == options.checks:
            state.update(done=number, counts=counts)
            options.state.write_text(json.dumps(state, indent=1), encoding="utf-8")
            print(number, dict(counts), flush=True)
    state.update(done=number, counts=counts)
    options.state.write_text(json.dumps(state, indent=1), encoding="utf-8")
    print(f"{number} checks: {dict(counts)}", figures(counts), sep="\n")


if __name__ == "__main__":
    main()
