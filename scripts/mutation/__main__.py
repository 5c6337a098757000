"""``python -m scripts.mutation``: try the mutants that have no result yet; ``--out docs`` writes the page."""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

from scripts.mutation import report
from scripts.mutation.areas import AREAS
from scripts.mutation.run import SECONDS, STATE, Mutant, controls, counts, drawn, keep, known, mutants, run
from scripts.mutation.targets import targets
from scripts.mutation.trial import SAMPLES
from tinygrad_cnn.kernels.chosen import set_kernels
from tinygrad_cnn.kernels.threads import set_num_threads


def main(arguments: list[str] | None = None) -> int:
    """Read the command line and do what it says; 1 if something survived that nobody explained."""
    parser = argparse.ArgumentParser(prog="python -m scripts.mutation", description=__doc__)
    parser.add_argument("--ops", nargs="+", default=(), metavar="NAME", help="only targets whose name contains one")
    parser.add_argument("--area", nargs="+", default=(), choices=[*AREAS], metavar="NAME", help=", ".join(AREAS))
    parser.add_argument("--jobs", type=int, default=1, help="processes at a time (default 1)")
    parser.add_argument("--samples", type=int, default=SAMPLES, help=f"samples of each op (default {SAMPLES})")
    parser.add_argument("--seconds", type=float, help="stop after so long; the next run goes on from there")
    parser.add_argument(
        "--sample",
        type=int,
        metavar="N",
        help="try N mutants, always the same, of those that must be killed; keep nothing",
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help="write mutation.md there; every mutant must be tried")
    parser.add_argument("--state", type=Path, default=STATE, help="where results are kept")
    parser.add_argument("--list", action="store_true", help="list the survivors that are not explained")
    options = parser.parse_args(arguments)
    set_kernels("numpy")
    set_num_threads(1)

    part = bool(options.ops or options.area)
    chosen = [t for t in targets() if not options.ops or any(name in t.name for name in options.ops)]
    chosen = [t for t in chosen if not options.area or t.area in options.area]
    there = list(mutants(chosen))
    every = drawn(there)
    unchanged = list(controls(m.target for m in every if m.target.kind == "tested"))
    if options.sample is not None:
        return sample(every, options.sample, options.jobs)

    results = known(options.state)
    if not part:  # what belongs to no mutant any more is forgotten
        current = {m.key for m in (*every, *unchanged)}
        results = {key: fate for key, fate in results.items() if key in current}
        keep(options.state, results.values())
    until = time.monotonic() + options.seconds if options.seconds else float("inf")
    for queue in (unchanged, every):  # a mutant is tried when its judges are known to let pass what is right
        waiting = [m for m in queue if not counts(m, results.get(m.key))]
        fates = run(
            waiting, jobs=options.jobs, samples=options.samples, until=until, path=options.state, show=progress()
        )
        results |= {fate.key: fate for fate in fates}
        wrong = [results[m.key] for m in unchanged if m.key in results and results[m.key].killed]
        if wrong:
            print("Killed though not mutated:", *(f"  {f.target} by {f.check}: {f.message}" for f in wrong), sep="\n")
            return 1
    done = [(m, results[m.key]) for m in every if counts(m, results.get(m.key))]
    print(f"\n{len(every)} mutants, {len(every) - len(done)} to be tried")
    explained = report.Explanations.read()
    print(report.summary(done, explained))
    problems = report.problems(done, explained, there=None if part else there)
    if options.list:
        print(*problems, sep="\n")
    if options.out:
        if part or len(done) < len(every):
            print("--out needs the results of every mutant")
            return 1
        (options.out / "mutation.md").write_text(
            report.page(done, there, explained, samples=options.samples, seconds=SECONDS), encoding="utf-8"
        )
    return 1 if problems else 0


def sample(every: list[Mutant], n: int, jobs: int) -> int:
    """Try n mutants that nobody explained, always the same: two thirds of rules and NumPy's kernels, the rest of all
    other areas alike.
    """
    explained = report.Explanations.read()
    by_area: dict[str, list[Mutant]] = {}
    for mutant in every:
        if explained.of(mutant) is None:
            by_area.setdefault(mutant.target.area, []).append(mutant)
    shares = {area: {"rules": 20, "kernels": 6}.get(area, 2) for area in by_area}
    queue = [m for area, m_ in by_area.items() for m in drawn(m_, n * shares[area] // sum(shares.values()) or 1)]
    mutants_by_key = {m.key: m for m in queue}
    fates = run(list(mutants_by_key.values()), jobs=jobs, show=progress())
    done = [(mutants_by_key[fate.key], fate) for fate in fates]
    problems = report.problems(done, explained)
    print("\n" + report.summary(done, explained), *problems, sep="\n")
    return 1 if problems else 0


def progress() -> Callable[[str], None]:
    """A line that is written over itself on a terminal; elsewhere one every ten seconds."""
    last = [time.monotonic()]

    def show(line: str) -> None:
        now = time.monotonic()
        if sys.stderr.isatty():
            sys.stderr.write(f"\r\x1b[K{line[:110]}")
        elif now - last[0] > 10:
            last[0] = now
            sys.stderr.write(f"{line}\n")

    return show


if __name__ == "__main__":
    sys.exit(main())
