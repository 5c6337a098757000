"""The three databases as one list, run in several processes, and the figures by class."""

import fnmatch
import json
import multiprocessing
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import torch

from tests.parity.opdb import modules, ops, optims
from tests.parity.opdb.judge import CLASSES, WANTED_ZERO, Case

DATABASES = {"op_db": ops, "module_db": modules, "optim_db": optims}
FOLDER = Path(__file__).parent
COUNTS = FOLDER / "counts.json"
"""How many cases of each entry may be refused or not found; the figures go down only. No case may differ otherwise."""

BEFORE = FOLDER / "before.json"
"""The totals when the count was begun."""


def one(task: tuple[str, str]) -> tuple[str, str, list[Case]]:
    """All cases of an entry."""
    torch.set_num_threads(1)
    database, entry = task
    return database, entry, DATABASES[database].run_entry(entry)


def counted(only: str = "*", jobs: int = 1) -> Iterator[tuple[str, str, list[Case]]]:
    """The cases of all entries of a name."""
    tasks = [(d, e) for d, room in DATABASES.items() for e in room.ENTRIES if fnmatch.fnmatchcase(e, only)]
    if jobs == 1:
        yield from map(one, tasks)
        return
    with multiprocessing.get_context("fork").Pool(jobs) as pool:
        yield from pool.imap(one, tasks)


def figures(cases: list[Case]) -> dict[str, int]:
    """How many cases of each class; the entry itself counts as found or not."""
    counts = Counter(case.outcome for case in cases)
    return {name: counts[name] for name in CLASSES if counts[name]}


def is_found(cases: list[Case]) -> bool:
    """Whether an entry is here at all."""
    return not any(c.outcome == "not found" and c.variant in ("function", "module", "optimiser") for c in cases)


def allowed(database: str, entry: str) -> dict[str, int]:
    """What the file of counts allows an entry."""
    return _counts().get(database, {}).get(entry, {})


def _counts() -> dict[str, dict[str, dict[str, int]]]:
    """The file of counts."""
    return json.loads(COUNTS.read_text(encoding="utf-8")) if COUNTS.exists() else {}


def check_entry(database: str, entry: str) -> None:
    """Raise if a case of an entry differs, or if more are refused or not found than the file of counts allows."""
    cases = one((database, entry))[2]
    limits = {name: n for name, n in allowed(database, entry).items() if name not in WANTED_ZERO}
    found = {name: n for name, n in figures(cases).items() if name not in ("agree", "dtype absent", "excepted")}
    over = {name: (n, limits.get(name, 0)) for name, n in found.items() if n > limits.get(name, 0)}
    if over:
        shown = [c for c in cases if c.outcome in over][:20]
        lines = "\n".join(f"  {c.variant}, {c.dtype}, sample {c.sample}: {c.outcome}: {c.text}" for c in shown)
        raise AssertionError(
            f"{entry}: more cases differ than {COUNTS.name} allows (class: now, allowed): {over}\n{lines}"
        )
