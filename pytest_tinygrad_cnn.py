"""The pytest plugin: `pytest --gradcheck`, the marker and the fixture `gradcheck`, a summary of the gradients checked.

Outside the package, because importing anything inside it imports NumPy; pytest loads this file at every start, also in
projects that check no gradients. `tinygrad_cnn` is imported by the first test that needs it.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

QUICK = 10
"""Inputs per test of `check_gradients` without --gradcheck, at most."""

THOROUGH = 200
"""The same with --gradcheck, at least."""


@dataclass
class Tally:
    """What was found of one function in one test."""

    test: str
    function: str
    checks: int = 0
    entries: int = 0
    seconds: float = 0.0
    ratio: float = 0.0
    verdicts: dict[str, int] = field(default_factory=lambda: {"pass": 0, "fail": 0, "inconclusive": 0})
    failed: dict[str, Any] | None = None
    """The report of a failure, as its `to_json` has it."""
    headline: str = ""
    """What it says in one line, and what the failure looks like."""

    @property
    def verdict(self) -> str:
        """Fail if anything failed; what could not be judged counts if its test failed, or nothing else was judged."""
        if self.verdicts["fail"]:
            return "fail"
        return "pass" if self.verdicts["pass"] and self.failed is None else "inconclusive"

    def add(self, checkup: Any) -> None:
        """Count one report."""
        self.seconds += checkup.seconds
        if not checkup.counts:
            return
        report = checkup.report
        self.checks += 1
        self.entries += len(report.entries)
        self.verdicts[report.verdict.value] += 1
        if report.verdict.value == "pass":
            self.ratio = max(self.ratio, checkup.ratio)
        if report.verdict.value == "fail":
            self.fail(report)

    def fail(self, report: Any) -> None:
        """Keep the report of a failure, in a form that another process can read."""
        told = "".join(f" ({d.kind})" for d in report.diagnoses[:1])
        self.failed = json.loads(report.to_json())
        self.headline = report.headline().removeprefix("gradcheck: ") + told


TALLIES = pytest.StashKey[dict[tuple[str, str], Tally]]()


@dataclass
class Listener:
    """Counts the reports of one test, each to the tally of its function."""

    test: str
    tallies: dict[tuple[str, str], Tally]
    last: Tally | None = None

    def __call__(self, checkup: Any) -> None:
        name = checkup.report.function
        self.last = self.tallies.setdefault((self.test, name), Tally(self.test, name))
        self.last.add(checkup)


def pytest_addoption(parser: pytest.Parser) -> None:
    """The three options."""
    group = parser.getgroup("gradcheck", "checking gradients (tinygrad_cnn)")
    group.addoption(
        "--gradcheck",
        action="store_true",
        help=f"check gradients thoroughly: {THOROUGH} inputs per test marked gradcheck, instead of {QUICK}",
    )
    group.addoption("--gradcheck-examples", type=_positive, metavar="N", help="draw N inputs per test marked gradcheck")
    group.addoption("--gradcheck-json", type=Path, metavar="PATH", help="write what was found, as JSON")


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise ValueError(text)
    return int(text)


def pytest_configure(config: pytest.Config) -> None:
    """The marker, and a place for what is found."""
    config.addinivalue_line(
        "markers",
        f"gradcheck(examples=N): checks gradients, on {QUICK} inputs, or with --gradcheck on {THOROUGH} (or N); "
        "tests of check_gradients and tests that use the fixture gradcheck have it by themselves",
    )
    config.stash[TALLIES] = {}


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark what checks gradients, so that `-m gradcheck` selects it."""
    checks = getattr(getattr(item, "obj", None), "checks_gradients", False) is True
    if checks or "gradcheck" in getattr(item, "fixturenames", ()):
        item.add_marker("gradcheck")


@pytest.fixture
def gradcheck() -> Any:
    """`gradcheck(f, inputs, ...)` and `gradcheck.second(...)`, whose reports are in the summary of the run.

    `gradcheck.record(report)` puts a report made elsewhere there.
    """
    return import_module("tinygrad_cnn.gradcheck.watching").Watched()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Tell a marked test how many inputs to draw, and listen to what it finds."""
    __tracebackhide__ = True
    if item.get_closest_marker("gradcheck") is None:
        return (yield)
    watching: Any = import_module("tinygrad_cnn.gradcheck.watching")
    listener = Listener(item.nodeid, item.config.stash[TALLIES])
    token = watching.EFFORT.set(watching.Effort(*_effort(item), listener))
    try:
        return (yield)
    except AssertionError as error:
        report = getattr(error, "report", None)
        if report is not None and listener.last is not None:
            listener.last.fail(report)
        raise
    finally:
        watching.EFFORT.reset(token)


def _effort(item: pytest.Item) -> tuple[int | None, int | None]:
    """How many inputs, at least and at most."""
    number: int | None = item.config.getoption("--gradcheck-examples")
    if number is None and not item.config.getoption("--gradcheck"):
        return None, QUICK
    wanted = [m.kwargs["examples"] for m in item.iter_markers("gradcheck") if "examples" in m.kwargs]
    exact = number or (wanted[0] if wanted else None)
    return (THOROUGH, None) if exact is None else (exact, exact)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """The section at the end, if any gradient was checked."""
    tallies = list(config.stash[TALLIES].values())
    if not tallies:
        return
    write = terminalreporter.write_line
    terminalreporter.section("gradient checks")
    counts = {v: sum(t.verdict == v for t in tallies) for v in ("pass", "fail", "inconclusive")}
    write(
        f"{len(tallies)} functions on {sum(t.checks for t in tallies)} inputs"
        f" ({sum(t.verdicts['inconclusive'] for t in tallies)} inconclusive), "
        f"{sum(t.entries for t in tallies)} entries judged in {sum(t.seconds for t in tallies):.1f} s: "
        + ", ".join(f"{n} {v}" for v, n in counts.items())
    )
    worst, slowest = max(tallies, key=lambda t: t.ratio), max(tallies, key=lambda t: t.seconds)
    write(f"worst error that passed: {worst.ratio:.2g} of what is allowed, {worst.test}")
    write(f"slowest: {slowest.seconds:.1f} s for {slowest.checks} inputs, {slowest.test}")
    for tally in tallies:
        if tally.failed is not None:
            write(f"{tally.verdict.upper()} {tally.test}: {tally.headline}")
    if not config.getoption("--gradcheck") and config.getoption("--gradcheck-examples") is None:
        write(f"at most {QUICK} inputs per test; --gradcheck draws {THOROUGH}")


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take what a worker of pytest-xdist found, when it ends."""
    for row in json.loads(getattr(node, "workeroutput", {}).get("gradcheck", "[]")):
        node.config.stash[TALLIES][row["test"], row["function"]] = Tally(**row)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write the JSON; a worker of pytest-xdist gives what it found to the process that started it."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["gradcheck"] = json.dumps([asdict(t) for t in session.config.stash[TALLIES].values()])
        return
    path = session.config.getoption("--gradcheck-json")
    if path is None:
        return
    found = [
        {
            "test": t.test,
            "function": t.function,
            "verdict": t.verdict,
            "checks": t.checks,
            "entries": t.entries,
            "verdicts": t.verdicts,
            "worst_ratio": t.ratio,
            "seconds": round(t.seconds, 6),
            "report": t.failed,
        }
        for t in session.config.stash[TALLIES].values()
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"functions": found}, indent=1), encoding="utf-8")
