"""Print how many wrong gradients `gradcheck` calls wrong, and how many right ones it lets pass.

python -m scripts.power               # the set of tests/gradcheck/power, in float64
python -m scripts.power networks      # losses of float32 networks with ReLU and batch norm, one gradient 1% off
python -m scripts.power --peers       # the set, beside PyTorch, JAX and HIPS autograd where they are installed
python -m scripts.power --peers --write docs/power.md     # and right gradients at extreme scales, as a page
"""

import argparse
import sys
import warnings
from collections import Counter
from itertools import chain
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))

from scripts.corpus_table import ACCEPTS, REJECTS, Answer, answer, checkers, installed, own
from scripts.verdict_maps import FORMULAS
from tests.gradcheck.power import FAMILIES
from tests.gradcheck.power.case import Wrong
from tests.gradcheck.power.networks import NETWORKS
from tinygrad_cnn import autograd
from tinygrad_cnn.gradcheck import Verdict
from tinygrad_cnn.tensor import Tensor

EXPONENTS = range(-30, 31, 6)
"""Of the scales at which right gradients are asked."""


def judged(check):
    """The answers of a checker, by family: of each case its name, of the wrong gradient, of the right one."""
    return {
        family: [(case.name, answer(check, case, case.wrong), answer(check, case, case.right)) for case in cases]
        for family, cases in FAMILIES.items()
    }


def rejected(found: Answer) -> bool:
    """Whether a wrong gradient is called wrong, or stops the checker."""
    return found.said == REJECTS or found.said.startswith("error")


def row(name, cases):
    """How many wrong ones are called wrong, and what is said of the right ones."""
    wrong, right = [w for _, w, _ in cases], [r for _, _, r in cases]
    found, said = sum(map(rejected, wrong)), Counter(r.said for r in right)
    passed, alarms = said[ACCEPTS], sum(map(rejected, right))
    seconds = sum(a.seconds for a in (*wrong, *right))
    return (
        f"| {name} | {found} of {len(cases)} | {found / len(cases):.1%} | {passed} | {len(cases) - passed - alarms} | "
        f"{alarms} | {seconds:.1f} s |"
    )


HEAD = """| {} | called wrong | part | right ones that pass | undecided | called wrong | time |
|---|--:|--:|--:|--:|--:|--:|"""


def everything(by_family):
    """The answers of all families."""
    return list(chain.from_iterable(by_family.values()))


def table(results):
    """One line a family for ours, one line a checker for all; what ours misses."""
    ours = results["tinygrad_cnn"]
    lines = [HEAD.format("kind"), *(row(family, cases) for family, cases in ours.items())]
    lines += [row("**all**", everything(ours))]
    if len(results) > 1:
        lines += ["", HEAD.format("checker"), *(row(name, everything(found)) for name, found in results.items())]
    for name, wrong, right in everything(ours):
        if not rejected(wrong):
            lines += ["", f"not called wrong: {name} ({wrong.said})"]
        if right.said != ACCEPTS:
            lines += ["", f"right, but: {name} ({right.said})"]
    return lines


def by_checker(results):
    """One line a family, one column a checker: how many of its wrong gradients are called wrong."""
    lines = [f"| wrong gradients of | {' | '.join(results)} |", f"|---|{'--:|' * len(results)}"]
    for family, cases in FAMILIES.items():
        found = (sum(rejected(wrong) for _, wrong, _ in by_family[family]) for by_family in results.values())
        lines.append(f"| {family} ({len(cases)}) | {' | '.join(map(str, found))} |")
    return lines


def at_scales():
    """A right gradient of each formula at each scale where value and derivative are finite, by the exponent."""
    cases = {exponent: [] for exponent in EXPONENTS}
    for name, (at, function) in FORMULAS.items():

        def value(x, function=function):
            return np.array(function(Tensor(x)).numpy())

        def vjp(g, x, function=function):
            t = Tensor(x, requires_grad=True)
            (found,) = autograd.grad(function(t), [t], [Tensor(np.asarray(g))])
            return np.array(found.numpy())

        for exponent, found in cases.items():
            x = np.asarray(at, np.float64) * 10.0**exponent
            y = value(x)
            if np.isfinite(y).all() and np.isfinite(vjp(np.ones_like(y), x)).all():
                found.append(Wrong(f"{name} at 10^{exponent}", value, vjp, vjp, (x,)))
    return cases


def scales_table(asked):
    """One line a checker: how many right gradients it calls wrong, or stops at, at each scale."""
    cases = at_scales()
    head = " | ".join(f"10{_raised(exponent)} ({len(found)})" for exponent, found in cases.items())
    count = sum(map(len, cases.values()))
    lines = [f"| checker | {head} | of all {count} | undecided |", f"|---|{'--:|' * (len(cases) + 2)}"]
    for name, check in asked.items():
        said = {e: [answer(check, case, case.right) for case in found] for e, found in cases.items()}
        alarms = {e: sum(map(rejected, answers)) for e, answers in said.items()}
        undecided = sum(not rejected(a) and a.said != ACCEPTS for answers in said.values() for a in answers)
        lines.append(f"| {name} | {' | '.join(map(str, alarms.values()))} | {sum(alarms.values())} | {undecided} |")
    return lines


def _raised(exponent):
    return str(exponent).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


def page(results, asked):
    """What each checker finds, and what it wrongly rejects."""
    count = len(everything(results["tinygrad_cnn"]))
    packages = [f"{p} {installed(p)}" for p in ("numpy", "torch", "jax", "autograd") if installed(p)]
    return [
        "# What checkers find, and what they wrongly reject",
        "",
        f"{count} wrong gradients of our own in {len(FAMILIES)} families (`tests/gradcheck/power/`), written before "
        "any checker saw them. Each changes some value by more than 10⁻⁶ of the largest derivative. Each has a right "
        "gradient beside it. All are in float64, with the defaults of each checker, asked as on the page of "
        "[the corpus](corpus.md): it says which calls are made, and why MyGrad has no column. A checker that stops "
        "with an error counts as one that calls it wrong.",
        "",
        "## Wrong gradients",
        "",
        *by_checker(results),
        "",
        "*Weak and single* and *some cotangents* need more than usual: a term of a millionth of the largest "
        "derivative, a mistake that shows only for tiny, huge or zero cotangents.",
        "",
        HEAD.format("checker"),
        *(row(name, everything(found)) for name, found in results.items()),
        "",
        "## Right gradients at extreme scales",
        "",
        f"{len(FORMULAS)} formulas (those of [the maps of verdicts](verdict-maps.md)) at inputs of size 1 times the "
        "scale, where value and derivative are finite; in brackets, how many. The numbers are right gradients that "
        "the checker calls wrong. Kinks, jumps and functions that turn within less than a step are among them: there "
        "central differences are no derivative, and no checker promises anything. The step of most checkers is "
        "absolute, 10⁻⁶ or so: beside inputs of 10⁻¹² it is large, beside inputs of 10¹² it is nothing.",
        "",
        *scales_table(asked),
        "",
        f"Made with {', '.join(packages)} by `python -m scripts.power --peers --write docs/power.md`.",
        "",
    ]


def of_networks():
    """The verdicts on the losses of float32 networks, with the mistake and without."""
    counts = {"one gradient 1% off": Counter(), "right": Counter()}
    for network in NETWORKS:
        for what, mistake in zip(counts, (network.mistake, ""), strict=True):
            verdict = network.report(mistake, explain=False).verdict
            counts[what][verdict] += 1
            if (verdict is Verdict.FAIL) != bool(mistake) or verdict is Verdict.INCONCLUSIVE:
                print(f"{verdict.value}: {network.name}: {mistake or 'right'}", flush=True)
    print(f"| {len(NETWORKS)} networks in float32 | called wrong | undecided | pass |\n|---|--:|--:|--:|")
    for what, count in counts.items():
        print(f"| {what} | {count[Verdict.FAIL]} | {count[Verdict.INCONCLUSIVE]} | {count[Verdict.PASS]} |")


def main():
    """Ask the checkers and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="*", metavar="set", help="networks")
    parser.add_argument("--peers", action="store_true", help="ask the other checkers, too")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="write a page, with right ones at extreme scales")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    if "networks" in arguments.sets:
        of_networks()
        return
    asked = checkers() if arguments.peers else {"tinygrad_cnn": own}
    results = {name: judged(check) for name, check in asked.items()}
    print(*table(results), sep="\n", flush=True)
    if arguments.write:
        arguments.write.write_text("\n".join(page(results, asked)), encoding="utf-8")


if __name__ == "__main__":
    main()
