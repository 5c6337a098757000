"""Print how many wrong gradients are named right, and how long that takes.

python -m scripts.naming_score             # the textbook's mistakes and six sets of others
python -m scripts.naming_score textbook    # one of the seven
python -m scripts.naming_score false       # 2,000 wrong gradients that no mistake makes: no name may be given
"""

import argparse
import importlib
import itertools
import statistics
import sys
import warnings
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.gradcheck.mistakes.case import Cached
from tinygrad_cnn.gradcheck.naming.naming import SECONDS, name_mistake
from tinygrad_cnn.gradcheck.naming.program import Forward, Program
from tinygrad_cnn.gradcheck.naming.recording import Seen

SETS = "textbook", "fresh", "second", "third", "fourth", "fifth", "sixth"


def score(name, verbose):
    """The part of a set that is named right."""
    mistakes = importlib.import_module(f"tests.gradcheck.mistakes.{name}").MISTAKES
    right, seconds = 0, []
    for mistake in mistakes:
        failed, first, took = mistake.told()
        seconds.append(took)
        message = f"[{first.kind}] {first.message}" if first else "no diagnosis"
        good = failed and first is not None and mistake.is_right(first.message)
        right += good
        if verbose or not good:
            print(f"{'right' if good else 'MISS '} {took:.2f} s  {mistake.what}\n        {message}")
            if not good:
                print(f"        wanted: {mistake.says}" + ("" if failed else "  (NOT CALLED WRONG)"))
    median = statistics.median(seconds)
    part, most = right / len(mistakes), max(seconds)
    print(f"{name}: {right} of {len(mistakes)} named right ({part:.0%})")
    print(f"{name}: with the check, {median:.2f} s of processor at the median, {most:.2f} s at worst")


def right_gradients(function):
    """The VJP of a function, from its record."""
    seen = Seen(function)

    def vjp(g, *inputs):
        return Program(Forward(seen, inputs), g if isinstance(g, tuple) else (g,)).right

    return vjp


def no_mistake(kind, vjp, shapes, random):
    """A wrong VJP that nobody makes by a mistake: noise, a scale per element, one element, one scalar."""
    facts = [random.standard_normal(s) for s in shapes]
    place = [int(random.integers(max(f.size, 1))) for f in facts]
    scalar = random.standard_normal()

    def changed(d, k):
        if d is None or kind == "noise":
            return None if d is None else d + facts[k] * (np.abs(d).mean() + 1e-3)
        if kind == "scales":
            return d * (1.5 + facts[k])
        if kind == "scalar":
            return d * scalar
        out = np.array(d)
        out.reshape(-1)[place[k]] *= 1.5 + facts[k].reshape(-1)[place[k]]
        return out

    return lambda g, *inputs: [changed(d, k) for k, d in enumerate(vjp(g, *inputs))]


def false_names(count, seconds=SECONDS, most=10**9, seed=11):
    """How many wrong gradients that no mistake makes were asked for, and the names that were given to some."""
    sets = [importlib.import_module(f"tests.gradcheck.mistakes.{name}").MISTAKES for name in SETS]
    functions = {m.function: m for mistakes in sets for m in mistakes if not isinstance(m, Cached)}
    kinds = itertools.cycle(("noise", "scales", "one element", "scalar"))
    random = np.random.default_rng(seed)
    asked, named = 0, []
    while asked < count:
        for function, mistake in functions.items():
            inputs = [x for x in mistake.inputs if isinstance(x, np.ndarray)]
            sizes = [x.size for x in inputs]
            if asked >= count or not sizes or sum(sizes) > most or min(sizes) < 3:
                continue
            kind = next(kinds)
            vjp = no_mistake(kind, right_gradients(function), [np.shape(x) for x in mistake.inputs], random)
            asked += 1
            names = [n for n in name_mistake(function, vjp, mistake.inputs, seconds) if n.kind != "place"]
            named += [(kind, mistake.what, names[0].message)] if names else []
    return asked, named


def main():
    """Score the sets that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="*", metavar="set", help=f"{', '.join(SETS)} or false")
    parser.add_argument("--count", type=int, default=2000, help="how many for false")
    parser.add_argument("--verbose", action="store_true", help="print the right ones, too")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    for name in arguments.sets or SETS:
        if name == "false":
            asked, named = false_names(arguments.count)
            print(*named, f"{len(named)} false names of {asked}", sep="\n")
        else:
            score(name, arguments.verbose)


if __name__ == "__main__":
    main()
