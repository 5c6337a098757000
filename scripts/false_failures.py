"""Check right gradients at random and count the verdicts: a checker must not cry wolf.

    python scripts/false_failures.py --checks 100000 --state false_failures.json

Every op of the registry in turn, on samples from its own sampler: first order and second, in float64 and now and
then in float32. The state is written after every thousand checks, and a later run goes on from there. What did not
pass is listed with its op, seed, order and dtype, and `--seed N` checks one number again and prints its report.
"""

import argparse
import json
from collections import Counter
from pathlib import Path
from time import monotonic

import numpy as np

from tinygrad_cnn.core.op import registry
from tinygrad_cnn.gradcheck import Report, gradcheck, gradgradcheck
from tinygrad_cnn.gradcheck.drawing import RandomDraw
from tinygrad_cnn.tensor import Tensor

OPS = sorted(name for name, op in registry.items() if op.__module__.startswith("tinygrad_cnn.") and op.differentiable)


def check(number: int) -> tuple[str, Report]:
    """The check of this number: the op goes round, the rest is drawn from the number."""
    op = registry[OPS[number % len(OPS)]]
    random = np.random.default_rng(number)
    order, dtype = ((1, "float64"), (2, "float64"), (1, "float32"))[int(random.choice(3, p=(0.5, 0.3, 0.2)))]
    inputs, options = op.sample(RandomDraw(random))
    wanted = range(len(inputs)) if op.variadic else [k for k, rule in enumerate(op.rules) if rule is not None]

    def tensor(k, a):
        a = np.asarray(a)
        return Tensor(a.astype(dtype) if a.dtype.kind == "f" else a, requires_grad=k in wanted)

    def func(*tensors):
        y = op.apply(*tensors, **options)
        return y[0] if op.aux else y

    tensors = [tensor(k, a) for k, a in enumerate(inputs)]
    checker = gradcheck if order == 1 else gradgradcheck
    try:
        report = checker(func, tensors, raise_exception=False, seed=number)
    except Exception as error:  # the sweep goes on, and lists it
        report = Report(op.name, problem=f"{type(error).__name__}: {error}")
    return f"{op.name}, order {order}, {dtype}", report


def none_to_check(report: Report) -> bool:
    """Whether there was nothing to check: a second derivative that is 0 by construction, or no element at all."""
    return not report.entries and not report.problem


def main() -> None:
    """Go on from the state, or check one number."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checks", type=int, default=5000, help="how many in all")
    parser.add_argument("--state", type=Path, default=Path("false_failures.json"))
    parser.add_argument("--minutes", type=float, default=float("inf"), help="stop after this time")
    parser.add_argument("--seed", type=int, help="check this number only, and print its report")
    options = parser.parse_args()
    if options.seed is not None:
        print(*check(options.seed), sep="\n")
        return
    state = {"done": 0, "counts": {}, "listed": []}
    if options.state.exists():
        state = json.loads(options.state.read_text(encoding="utf-8"))
    counts, end = Counter(state["counts"]), monotonic() + 60 * options.minutes
    number = state["done"]
    while number < options.checks and monotonic() < end:
        what, report = check(number)
        verdict = "nothing to check" if none_to_check(report) else report.verdict.value
        counts[verdict] += 1
        counts["entries"] += len(report.entries)
        if verdict not in ("pass", "nothing to check"):
            state["listed"].append({"seed": number, "what": what, "verdict": verdict, "said": report.headline()})
            print(number, what, verdict, report.headline(), flush=True)
        number += 1
        if number % 1000 == 0 or number == options.checks:
            state.update(done=number, counts=counts)
            options.state.write_text(json.dumps(state, indent=1), encoding="utf-8")
            print(number, dict(counts), flush=True)
    state.update(done=number, counts=counts)
    options.state.write_text(json.dumps(state, indent=1), encoding="utf-8")
    print(f"{number} checks: {dict(counts)}")


if __name__ == "__main__":
    main()
