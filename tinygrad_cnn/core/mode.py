"""Whether ops are recorded: one switch per thread."""

import threading
from types import TracebackType


class Mode(threading.local):
    """`recording`: whether ops are recorded now; `inference`: whether nothing may switch recording on."""

    recording = True
    inference = False


mode = Mode()


class recording:
    """``with recording(on):`` record the ops inside, or do not."""

    __slots__ = ("before", "on")

    def __init__(self, on: bool) -> None:
        self.on = on

    def __enter__(self) -> None:
        self.before = mode.recording
        mode.recording = self.on and not mode.inference

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        mode.recording = self.before
