"""Print how many wrong gradients `gradcheck` calls wrong, and how many right ones it lets pass.

python -m scripts.power               # the set of tests/gradcheck/power, in float64
python -m scripts.power networks      # losses of float32 networks with ReLU and batch norm, one gradient 1% off
python -m scripts.power --peers       # the set, beside PyTorch, JAX and HIPS autograd where they are installed
"""

import argparse
import sys
import warnings
from collections import Counter
from itertools import chain
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))

from scripts.corpus_table import ACCEPTS, REJECTS, Answer, answer, checkers, own
from tests.gradcheck.power import FAMILIES
from tests.gradcheck.power.networks import NETWORKS
from tinygrad_cnn.gradcheck import Verdict


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


def table(results, misses):
    """One line a family for ours, one line a checker for all."""
    ours = results["tinygrad_cnn"]
    print(HEAD.format("kind"), *(row(family, cases) for family, cases in ours.items()), sep="\n")
    everything = {name: list(chain.from_iterable(by_family.values())) for name, by_family in results.items()}
    print(row("**all**", everything["tinygrad_cnn"]))
    if len(results) > 1:
        print("\n" + HEAD.format("checker"), *(row(name, cases) for name, cases in everything.items()), sep="\n")
    if misses:
        for name, wrong, right in everything["tinygrad_cnn"]:
            if not rejected(wrong):
                print(f"not called wrong: {name} ({wrong.said})")
            if right.said != ACCEPTS:
                print(f"right, but: {name} ({right.said})")


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
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    if "networks" in arguments.sets:
        of_networks()
        return
    asked = checkers() if arguments.peers else {"tinygrad_cnn": own}
    table({name: judged(check) for name, check in asked.items()}, misses=True)


if __name__ == "__main__":
    main()
