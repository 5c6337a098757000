"""A line that says how far a long check is: which input, how many calls, how long still."""

from collections.abc import Sequence
from time import perf_counter
from typing import TextIO

PATIENCE, EVERY = 2.0, 0.1
"""Seconds before the line appears, and between two states of it."""

BAR = 20
"""So many characters are the bar."""

CALLS = 2
"""So many calls an element takes where nothing is doubtful."""


class Progress:
    """The state of one check; `called` is told of every call of the function."""

    def __init__(self, labels: Sequence[str], sizes: Sequence[int], out: TextIO) -> None:
        self.labels, self.sizes, self.out = labels, sizes, out
        self.calls = self.at = self.begun = 0
        self.start = perf_counter()
        self.drawn = self.start + PATIENCE - EVERY
        self.width = 0

    def input(self, k: int) -> None:
        """Input k is next."""
        self.at, self.begun = k, self.calls

    def called(self) -> None:
        """The function was called once more."""
        self.calls += 1
        now = perf_counter()
        if now - self.drawn >= EVERY:
            self.drawn = now
            self._show(self.line(now - self.start))

    def line(self, seconds: float) -> str:
        """What is shown after so many seconds."""
        size = self.sizes[self.at]
        here = min(1.0, (self.calls - self.begun) / max(1, CALLS * size))
        part = (sum(self.sizes[: self.at]) + here * size) / max(1, sum(self.sizes))
        bar = ("━" * round(BAR * part)).ljust(BAR, "─")
        left = f", about {seconds * (1 - part) / part:.0f} s left" if 0.05 < part < 1 else ""
        where = f"{self.labels[self.at]} ({self.at + 1} of {len(self.labels)})"
        return f"gradcheck {bar} {part:4.0%}  {where}  {self.calls:,} calls, {seconds:.0f} s{left}"

    def close(self) -> None:
        """Wipe the line."""
        if self.width:
            self._show("")
            self.out.write("\r")
            self.out.flush()

    def _show(self, line: str) -> None:
        self.out.write(f"\r{line.ljust(self.width)}")
        self.out.flush()
        self.width = len(line)
