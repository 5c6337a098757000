"""Print how many wrong gradients are named right, and how long that takes.

python -m scripts.naming_score             # the textbook's mistakes and the fresh ones
python -m scripts.naming_score textbook    # one of the two
python -m scripts.naming_score false       # 2,000 wrong gradients that no mistake makes: no name may be given
"""

import argparse
import importlib
import statistics
import sys
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

SETS = "textbook", "fresh"


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
    print(f"{name}: with the check, {median:.2f} s at the median, {most:.2f} s at worst")


def main():
    """Score the sets that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="*", default=SETS, metavar="set", choices=(*SETS, "false"))
    parser.add_argument("--verbose", action="store_true", help="print the right ones, too")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    for name in arguments.sets:
        score(name, arguments.verbose)


if __name__ == "__main__":
    main()
