"""Anomaly mode: the graph remembers where each op was called, and the backward pass looks for NaN."""

import os.path
import warnings
from types import TracebackType
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from tinygrad_cnn.autograd.watching import add_watcher, remove_watcher
from tinygrad_cnn.core.graph import Node
from tinygrad_cnn.core.tensor import Tensor

_PACKAGE = os.path.dirname(os.path.dirname(__file__))  # pathlib takes 5 ms to load
MACHINERY = tuple(os.path.join(_PACKAGE, room) for room in ("autograd", "core", "ops", "tensor"))
"""Where a traceback is of no help to the user any more."""


class _State:
    enabled = False
    check_nan = False

    def switch(self, enabled: bool, check_nan: bool) -> None:
        """Watch the graph, or do not."""
        if enabled != self.enabled:
            (add_watcher if enabled else remove_watcher)(_search)
        self.enabled, self.check_nan = enabled, check_nan


state = _State()
_calls: "WeakKeyDictionary[Any, list[str]]" = WeakKeyDictionary()
"""Of the nodes recorded in anomaly mode, the lines of the traceback of their forward call."""


def is_anomaly_enabled() -> bool:
    """Whether anomaly mode is on."""
    return state.enabled


def is_anomaly_check_nan_enabled() -> bool:
    """Whether anomaly mode looks for NaN."""
    return state.check_nan


class set_detect_anomaly:
    """Switch anomaly mode on or off: at once, or for a ``with`` block; see `detect_anomaly`."""

    def __init__(self, mode: bool, check_nan: bool = True) -> None:
        self.before = state.enabled, state.check_nan
        state.switch(bool(mode), bool(mode and check_nan))

    def __enter__(self) -> None:
        """Nothing: it is switched already."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        state.switch(*self.before)


class detect_anomaly:
    """Find the op whose derivative fails or is NaN: ``with detect_anomaly(): ...``

    Ops recorded inside remember the line that called them. If the backward pass fails at one, or finds NaN in a
    gradient that it returns (`check_nan`), a warning shows that line, and a NaN is a RuntimeError. Slow: for
    debugging.

    Examples
    --------
    >>> import warnings
    >>> from tinygrad_cnn import tensor
    >>> with warnings.catch_warnings(action="ignore"), detect_anomaly():
    ...     x = tensor(0.0, requires_grad=True)
    ...     try:
    ...         (x.sqrt() * 0).backward()
    ...     except RuntimeError as error:
    ...         print(error)
    Function 'SqrtBackward0' returned nan values in its 0th output.
    """

    def __init__(self, check_nan: bool = True) -> None:
        self.check_nan = check_nan
        self.before: list[tuple[bool, bool]] = []
        warnings.warn(
            "detect_anomaly: each forward call is remembered with its place, which is slow; only for finding mistakes",
            stacklevel=2,
        )

    def __enter__(self) -> None:
        self.before.append((state.enabled, state.check_nan))
        state.switch(True, bool(self.check_nan))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        state.switch(*self.before.pop())


class _Search:
    """Watches the graph: where each op was called, and whether a gradient is NaN."""

    def made(self, node: Node) -> None:
        """Keep where the op of a new node was called."""
        import traceback  # not before somebody looks for NaN

        frames = traceback.extract_stack()
        while len(frames) > 1 and frames[-1].filename.startswith(MACHINERY):
            frames.pop()
        _calls[node] = traceback.format_list(frames)

    def returned(self, node: Node, k: int, gradient: Any) -> None:
        """RuntimeError if the gradient that a node returned for its k-th input has a NaN."""
        array = np.asarray(gradient.array if isinstance(gradient, Tensor) else gradient)
        if state.check_nan and array.dtype.kind == "f" and np.isnan(array).any():
            raise RuntimeError(f"Function '{node.name()}' returned nan values in its {k}th output.")

    def failed(self, node: Node | None) -> None:
        """Show where the op was called whose derivative failed."""
        if node is None:
            return
        lines = _calls.get(node)
        if lines is None:
            told = (
                "No forward pass information available. Enable detect anomaly during forward pass for more information."
            )
        else:
            told = "Traceback of forward call that caused the error:\n" + "".join(lines)
        warnings.warn(f"Error detected in {node.name()}. {told}", stacklevel=4)


_search = _Search()
