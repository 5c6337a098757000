"""PyTorch's op_db, module_db and optim_db against the package: every case that differs, and totals by class.

    python -m scripts.parity_count --only 'nn.functional.*' --jobs 2     # prints what differs
    python -m scripts.parity_count --class 'wrong *' --verbose           # of these classes only; and times
    python -m scripts.parity_count --jobs 2 --write docs/parity.md       # renews the page
    python -m scripts.parity_count --jobs 2 --counts                     # lowers tests/parity/opdb/counts.json

One case is (entry, variant, dtype, sample); its class is the first difference. Needs the group `parity`.
"""

import argparse
import fnmatch
import json
import re
import sys
import time
from collections import Counter, defaultdict
from pathlib import Path

import torch

from tests.parity.opdb import count, judge
from tests.parity.opdb.exceptions import EXEMPTIONS, USED
from tests.parity.opdb.judge import CLASSES, Case

QUIET = ("agree", "dtype absent", "excepted")
Totals = dict[str, dict[str, int]]
Results = list[tuple[str, str, list[Case]]]


def totals(results: Results) -> Totals:
    """By database, by class; and how many entries were found."""
    sums: dict[str, Counter[str]] = {database: Counter() for database in count.DATABASES}
    for database, _, cases in results:
        sums[database].update(count.figures(cases))
        sums[database]["entries"] += 1
        sums[database]["entries found"] += count.is_found(cases)
    return {database: dict(counter) for database, counter in sums.items() if counter}


def table(now: Totals, before: Totals) -> list[str]:
    """Before and now, by class and database."""
    spaces = list(count.DATABASES)
    lines = ["| | " + " | ".join(f"{s}: before | now" for s in spaces) + " |", "|---|" + "--:|--:|" * len(spaces)]
    for row in ("entries", "entries found", *CLASSES):
        cells = [f"{totals.get(s, {}).get(row, 0):,}" for s in spaces for totals in (before, now)]
        lines.append(f"| {row} | " + " | ".join(cells) + " |")
    return lines


def cause(text: str) -> str:
    """A message without what is special to a sample."""
    text = re.sub(r"\(\d[\d, ]*,?\)|\(\)|\[\d[\d, ]*\]", "(…)", text)
    return re.sub(r"-?\d+(\.\d+)?(e[-+]?\d+)?", "N", text).replace("|", "/")[:140]


def page(results: Results, before: Totals) -> str:
    """The page, in Markdown."""
    every = [case for _, _, cases in results for case in cases]
    lines = [
        "# Parity with PyTorch's own tests",
        "",
        "Made by `python -m scripts.parity_count --jobs 2 --write docs/parity.md`, of PyTorch "
        f"{torch.__version__.split('+')[0]}.",
        "PyTorch tests its ops, modules and optimisers with three databases of samples (`torch.testing._internal`).",
        "Here each sample runs in PyTorch and in this package. An op runs as function, as function of tensors that",
        "are not contiguous, as method, in place, as operator and with `out=`, in every dtype that the package has.",
        "Compared are values, shapes, dtypes, whether a result is a view of its input, and in float64 the first and",
        "the second derivatives. PyTorch's samples of wrong input must raise here, too. One case is an entry, a",
        "variant, a dtype and a sample. Its class is the first difference. *Before* is the state of commit 441c151.",
        "",
        *table(totals(results), before),
        "",
        "* *dtype absent*: complex, bfloat16, quantized and sparse tensors; the package does not have them.",
        "* *refused*: a clear error of the package says what it does not take. The causes are listed below.",
        "* *signature*: a parameter that is not here, mostly `out`.",
        "* *accepted*: PyTorch refuses the input, the package computes something.",
        "",
        "Tolerances, in parts of the largest element of the result (at least "
        f"{judge.FLOOR:g}): " + ", ".join(f"{d} {t:g}" for d, t in judge.TOLERANCE.items()) + "; "
        f"first derivatives {judge.GRADIENT:g}, second {judge.SECOND:g}; integers and booleans are exact.",
        "",
        "## Where PyTorch is wrong or arbitrary",
        "",
    ]
    if EXEMPTIONS:
        lines += ["| entry | variant | dtype | class | why the package differs |", "|---|---|---|---|---|"]
        lines += [f"| `{e.entry}` | {e.variant} | {e.dtype} | {e.outcome} | {e.reason} |" for e in EXEMPTIONS]
    else:
        lines.append("None is marked.")
    for outcome, title in (
        ("refused", "Refused, by cause"),
        ("signature", "Signatures"),
        ("dtype absent", "Dtypes absent"),
    ):
        lines += ["", f"## {title}", "", "| cases | cause | entries |", "|--:|---|---|"]
        groups: dict[str, list[Case]] = defaultdict(list)
        for case in every:
            if case.outcome == outcome:
                groups[cause(case.text)].append(case)
        for text, cases in sorted(groups.items(), key=lambda item: (-len(item[1]), item[0])):
            entries = sorted({c.entry for c in cases})
            shown = ", ".join(f"`{e}`" for e in entries[:6]) + (
                f" and {len(entries) - 6} more" if len(entries) > 6 else ""
            )
            lines.append(f"| {len(cases):,} | {text} | {shown} |")
    absent = [e for _, e, cases in results if not count.is_found(cases)]
    lines += ["", f"## Entries not found ({len(absent)})", "", ", ".join(f"`{e}`" for e in absent), ""]
    return "\n".join(lines)


def floors(results: Results) -> dict[str, dict[str, dict[str, int]]]:
    """The counts of every entry that are not 0, never above those that stand in the file."""
    limits: dict[str, dict[str, dict[str, int]]] = {}
    known = count.COUNTS.exists()
    for database, entry, cases in results:
        now = {name: n for name, n in count.figures(cases).items() if name not in QUIET}
        if known:
            old = count.allowed(database, entry)
            now = {name: min(n, old.get(name, 0)) for name, n in now.items() if old.get(name, 0)}
        if now:
            limits.setdefault(database, {})[entry] = now
    return limits


def main() -> int:
    """Count, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="*", help="a pattern of entries, such as 'linalg.*'")
    parser.add_argument("--class", dest="outcome", default="*", help="a pattern of classes, such as 'wrong *'")
    parser.add_argument("--jobs", type=int, default=1, help="processes (default 1)")
    parser.add_argument("--verbose", action="store_true", help="print the time of each entry")
    parser.add_argument("--quiet", action="store_true", help="print totals only")
    parser.add_argument("--write", type=Path, help="write the page")
    parser.add_argument("--counts", action="store_true", help="lower the counts that the tests allow")
    parser.add_argument("--before", action="store_true", help="write the totals as those from before")
    options = parser.parse_args()
    results = []
    started = time.perf_counter()
    for database, entry, cases in count.counted(options.only, options.jobs):
        results.append((database, entry, cases))
        if options.verbose:
            print(f"# {database} {entry}: {time.perf_counter() - started:.1f} s in all, {count.figures(cases)}")
        for c in cases:
            if not options.quiet and c.outcome not in QUIET and fnmatch.fnmatchcase(c.outcome, options.outcome):
                print(f"{c.entry}, {c.variant}, {c.dtype}, {c.sample}: {c.outcome}: " + c.text.replace("\n", " "))
    if options.only == "*" and options.jobs == 1:
        for number, e in enumerate(EXEMPTIONS):
            if not USED[number]:
                print(f"no case needs the exemption of {e.entry}, {e.variant}, {e.dtype}: {e.outcome}")
    now = totals(results)
    before = json.loads(count.BEFORE.read_text(encoding="utf-8")) if count.BEFORE.exists() else now
    print("\n".join(table(now, before)) if options.only == "*" else json.dumps(now, indent=1))
    print(f"{time.perf_counter() - started:.0f} s")
    if options.before:
        count.BEFORE.write_text(json.dumps(now, indent=1) + "\n", encoding="utf-8")
    if options.write:
        options.write.write_text(page(results, before), encoding="utf-8")
    if options.counts:
        count.COUNTS.write_text(json.dumps(floors(results), indent=1, sort_keys=True) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
