"""How hard the tests of a run try, and who listens to what they find: what the pytest plugin sets, and tests read.

Nothing here knows pytest or Hypothesis.
"""

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

from tinygrad_cnn.gradcheck.check import gradcheck, gradgradcheck
from tinygrad_cnn.gradcheck.report import Report
from tinygrad_cnn.gradcheck.verdicts import GradientError


@dataclass(frozen=True)
class Checkup:
    """What is kept of one report."""

    report: Report
    seconds: float
    counts: bool = True
    """False for what was tried only to make a failing input smaller."""

    @property
    def ratio(self) -> float:
        """The largest error of an entry, in units of what is allowed; entries at kinks have none."""
        largest: dict[int, float] = {}
        for e in self.report.entries:
            largest[e.input] = max(largest.get(e.input, 0.0), abs(e.numeric))
        smooth = [e for e in self.report.entries if e.one_sided is None]
        return max((e.off / (1e-5 * largest[e.input] + e.error + 1e-300) for e in smooth), default=0.0)


@dataclass(frozen=True)
class Effort:
    """What a test run asks of its gradient checks."""

    least: int | None = None
    """So many inputs are drawn per test at least, whatever the test and Hypothesis' settings say."""
    most: int | None = None
    """And so many at most."""
    watch: Callable[[Checkup], None] = field(default=lambda checkup: None)
    """Is called with every report."""


USUAL = Effort()

EFFORT: ContextVar[Effort] = ContextVar("EFFORT", default=USUAL)
"""Of the test that is running."""


class Watched:
    """`gradcheck`, `gradgradcheck` and reports made elsewhere, given to whoever listens: the fixture of the plugin."""

    def __call__(self, func: Any, inputs: Any, **options: Any) -> Report:
        """Check as `gradcheck` does."""
        __tracebackhide__ = True
        return self._checked(gradcheck, func, inputs, options)

    def second(self, func: Any, inputs: Any, **options: Any) -> Report:
        """Check as `gradgradcheck` does."""
        __tracebackhide__ = True
        return self._checked(gradgradcheck, func, inputs, options)

    def record(self, report: Report, seconds: float = 0.0) -> Report:
        """Give a report to the summary."""
        EFFORT.get().watch(Checkup(report, seconds))
        return report

    def _checked(self, check: Callable[..., Report], func: Any, inputs: Any, options: dict[str, Any]) -> Report:
        __tracebackhide__ = True
        begun = perf_counter()
        try:
            report = check(func, inputs, **options)
        except GradientError as error:
            if error.report is not None:
                self.record(error.report, perf_counter() - begun)
            raise error.with_traceback(None) from None
        return self.record(report, perf_counter() - begun)
