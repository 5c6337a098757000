"""Ctrl-C and SIGTERM while a command works on what must not be lost: they wait for a good moment."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any

SIGNALS = {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated"}
"""What they ask for, and what is said then."""


class Stopped(Exception):
    """The user, or the system, wants the work to end here."""

    def __init__(self, number: int) -> None:
        super().__init__(SIGNALS[signal.Signals(number)])
        self.status = 128 + number


class Stops:
    """Takes the signals while its block lasts.

    The first is noted, and `check` raises Stopped, between two steps of the work. If a step takes too long, a second
    one raises KeyboardInterrupt at once, but not in what is held: a step that writes weights, and all that comes after
    the work was stopped, such as saving what there is. In threads other than the main one no signals come.
    """

    def __init__(self) -> None:
        self.asked: int | None = None
        self.holds = 0
        self.before: dict[int, Any] = {}

    def __enter__(self) -> "Stops":
        if threading.current_thread() is threading.main_thread():
            for number in SIGNALS:
                if signal.getsignal(number) not in (signal.SIG_IGN, None):
                    self.before[number] = signal.signal(number, self._take)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for number, handler in self.before.items():
            signal.signal(number, handler)

    def _take(self, number: int, frame: FrameType | None) -> None:
        if self.asked is None:
            self.asked = number
        elif not self.holds:
            self.holds += 1  # from here on, until the command has ended
            raise KeyboardInterrupt

    def check(self) -> None:
        """Raise Stopped if it was asked for; nothing interrupts what comes after it."""
        if self.asked is not None:
            self.holds += 1
            raise Stopped(self.asked)

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Nothing interrupts what is done in here."""
        self.holds += 1
        try:
            yield
        finally:
            self.holds -= 1

    @contextmanager
    def released(self) -> Iterator[None]:
        """Inside what is held, this may be interrupted."""
        self.holds -= 1
        try:
            yield
        finally:
            self.holds += 1
