"""The three verdicts, and what is known of one judged entry of a gradient."""

from dataclasses import dataclass
from enum import Enum
from typing import Any

__all__ = ["Entry", "GradientError", "Verdict"]

INSIDE = "at a kink, inside the subdifferential"
OUTSIDE = "at a kink, outside the subdifferential"
UNJUDGED = {x: f"not judged: the input is {x}" for x in ("nan", "inf", "-inf")}
"""The reasons of entries that are shown in a way of their own."""


class Verdict(Enum):
    """What can be said of a derivative: it is right, it is wrong, or nothing can be said.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> from tinygrad_cnn.gradcheck import gradcheck
    >>> x = tg.tensor([0.5], dtype=tg.float64, requires_grad=True)
    >>> gradcheck(tg.sin, x).entries[0].verdict
    <Verdict.PASS: 'pass'>
    """

    PASS = "pass"
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"


SEVERITY = {Verdict.PASS: 0, Verdict.INCONCLUSIVE: 1, Verdict.FAIL: 2}


@dataclass(frozen=True, slots=True)
class Entry:
    """One judged number: an entry of Jᵀv, or a projection ⟨Jᵀv, u⟩.

    ``error`` is the error bar of ``numeric``, and ``allowed`` the tolerance: what ``analytic`` may be off by beside
    it, absolute and relative together (at a kink, from the nearer of the slopes). ``one_sided`` are the derivatives
    to the left and to the right, and ``where`` the signed distance to the kink along this coordinate, if one was
    seen. ``steps`` are the pairs (step, central difference) that the numeric value was made of, kept for entries that
    did not pass.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> from tinygrad_cnn.gradcheck import gradcheck
    >>> x = tg.tensor([0.5], dtype=tg.float64, requires_grad=True)
    >>> entry = gradcheck(tg.sin, x).entries[0]
    >>> entry.input, entry.place, round(entry.analytic, 3) == round(entry.numeric, 3)
    (0, (0,), True)
    """

    input: int
    name: str
    place: tuple[int, ...]
    analytic: float
    numeric: float
    error: float
    verdict: Verdict
    reason: str = ""
    one_sided: tuple[float, float] | None = None
    where: float | None = None
    steps: tuple[tuple[float, float], ...] = ()
    allowed: float = 0.0

    @property
    def off(self) -> float:
        """How far the analytic value is from the numeric one; infinite if it is no number."""
        distance = abs(self.analytic - self.numeric)
        return distance if distance == distance else float("inf")

    @property
    def judged(self) -> bool:
        """Whether anything can be said: not if the input is no finite number."""
        return self.reason not in UNJUDGED.values()


@dataclass(frozen=True, slots=True)
class Projected(Entry):
    """A projection ⟨Jᵀv, u⟩: it asks all elements of an input at once, and none of them alone."""


@dataclass(frozen=True, slots=True)
class ByJvp(Projected):
    """A projection whose other side, ⟨v, Ju⟩, is by a JVP of the caller's or the framework's."""


class GradientError(AssertionError):
    """A derivative is not what it should be.

    ``report`` is the `Report` that says all that is known, or None where nothing was judged.

    Examples
    --------
    >>> from tinygrad_cnn.gradcheck import GradientError
    >>> issubclass(GradientError, AssertionError)
    True
    """

    def __init__(self, message: str, report: Any = None) -> None:
        super().__init__(message)
        self.report = report
