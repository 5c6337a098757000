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
    markdown: str = ""
    """The same as its `to_markdown` has it."""

    @property
    def verdict(self) -> str:
        """Fail if anything failed; what could not be judged counts if its test failed, or nothing else was judged."""
        if self.verdicts["fail"]:
            return "fail"
        return "pass" if self.verdicts["pass"] and self.failed is None else "inconclusive"

    def told(self) -> str:
        """The verdict and what it rests on, in a few words."""
        kinds = [d["kind"] for d in self.failed["diagnoses"][:1]] if self.failed else []
        inputs = f"{self.checks} input{'s' * (self.checks != 1)}"
        return ", ".join([f"{self.function}: {self.verdict}", *kinds, inputs, f"{self.entries} entries judged"])

    def add(self, checkup: Any) -> None:
        """Count one report."""
        self.seconds += checkup.seconds
        if not checkup.counts:
            return
        report = checkup.report
        self.count(report)
        if report.verdict.value == "pass":
            self.ratio = max(self.ratio, checkup.ratio)
        if report.verdict.value == "fail":
            self.fail(report)

    def count(self, report: Any) -> None:
        """One report more."""
        self.checks += 1
        self.entries += len(report.entries)
        self.verdicts[report.verdict.value] += 1

    def fail(self, report: Any) -> None:
        """Keep the report of a failure, in a form that another process can read."""
        told = "".join(f" ({d.kind})" for d in report.diagnoses[:1])
        self.failed, self.markdown = json.loads(report.to_json()), report.to_markdown()
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

    def failed(self, report: Any) -> None:
        """The test failed with this report: that of its last check, or of one that it made without telling."""
        if self.last is None:
            self.last = Tally(self.test, report.function)
            self.tallies[self.test, report.function] = self.last
            self.last.count(report)
        self.last.fail(report)

    def properties(self) -> list[tuple[str, object]]:
        """What was found in this test, as JUnit's properties of it."""
        return [("gradcheck", tally.told()) for (test, _), tally in self.tallies.items() if test == self.test]


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options."""
    group = parser.getgroup("gradcheck", "checking gradients (tinygrad_cnn)")
    group.addoption(
        "--gradcheck",
        action="store_true",
        help=f"check gradients thoroughly: {THOROUGH} inputs per test marked gradcheck, instead of {QUICK}",
    )
    group.addoption("--gradcheck-examples", type=_positive, metavar="N", help="draw N inputs per test marked gradcheck")
    group.addoption("--gradcheck-json", type=Path, metavar="PATH", help="write what was found, as JSON")
    group.addoption(
        "--gradcheck-markdown", type=Path, metavar="PATH", help="write the reports of what failed, for a pull request"
    )


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
    listener = Listener(item.nodeid, item.config.stash[TALLIES])
    watching: Any = None
    token: Any = None
    if item.get_closest_marker("gradcheck") is not None:
        watching = import_module("tinygrad_cnn.gradcheck.watching")
        token = watching.EFFORT.set(watching.Effort(*_effort(item), listener))
    try:
        return (yield)
    except AssertionError as error:
        report = getattr(error, "report", None)
        if hasattr(report, "to_markdown"):
            listener.failed(report)
        raise
    finally:
        if token is not None:
            watching.EFFORT.reset(token)
        if listener.last is not None:
            item.user_properties += listener.properties()


def _effort(item: pytest.Item) -> tuple[int | None, int | None]:
    """How many inputs, at least and at most."""
    number: int | None = item.config.getoption("--gradcheck-examples")
    if number is None and not item.config.getoption("--gradcheck"):
        return None, QUICK
    wanted = [m.kwargs["examples"] for m in item.iter_markers("gradcheck") if "examples" in m.kwargs]
    exact = number or (wanted[0] if wanted else None)
    return (THOROUGH, None) if exact is None else (exact, exact)


def _summary(tallies: list[Tally]) -> tuple[str, str]:
    """How much was checked, and with which verdicts."""
    counts = {v: sum(t.verdict == v for t in tallies) for v in ("pass", "fail", "inconclusive")}
    return (
        f"{len(tallies)} functions on {sum(t.checks for t in tallies)} inputs"
        f" ({sum(t.verdicts['inconclusive'] for t in tallies)} inconclusive), "
        f"{sum(t.entries for t in tallies)} entries judged in {sum(t.seconds for t in tallies):.1f} s"
    ), ", ".join(f"{n} {v}" for v, n in counts.items())


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """The section at the end, if any gradient was checked."""
    tallies = list(config.stash[TALLIES].values())
    if not tallies:
        return
    write = terminalreporter.write_line
    terminalreporter.section("gradient checks")
    write(": ".join(_summary(tallies)))
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
    """Write the files; a worker of pytest-xdist gives what it found to the process that started it."""
    tallies = list(session.config.stash[TALLIES].values())
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["gradcheck"] = json.dumps([asdict(t) for t in tallies])
        return
    for option, content in (("--gradcheck-json", _as_json), ("--gradcheck-markdown", _as_markdown)):
        path = session.config.getoption(option)
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            import_module("tinygrad_cnn.files").write_atomically(path, content(tallies).encode())


def _as_json(tallies: list[Tally]) -> str:
    """Everything that was found."""
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
        for t in tallies
    ]
    return json.dumps({"functions": found}, indent=1)


def _as_markdown(tallies: list[Tally]) -> str:
    """A heading with the verdicts, and the report of each failure under its test."""
    if not tallies:
        return "### Gradient checks\n\nNo gradient was checked.\n"
    checked, verdicts = _summary(tallies)
    parts = [f"### Gradient checks: {verdicts}\n\n{checked}.\n"]
    parts += [f"`{t.test}`, `{t.function}`\n\n{t.markdown}" for t in tallies if t.failed is not None]
    return "\n".join(parts)
