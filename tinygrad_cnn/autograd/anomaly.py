"""Anomaly mode: the graph remembers where each op was called, and the backward pass looks for NaN."""

import os.path
import warnings
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from tinygrad_cnn.autograd.switch import Switch
from tinygrad_cnn.autograd.watching import add_watcher, remove_watcher
from tinygrad_cnn.core.graph import Node
from tinygrad_cnn.core.tensor import Tensor

_PACKAGE = os.path.dirname(os.path.dirname(__file__))  # pathlib takes 5 ms to load
MACHINERY = tuple(os.path.join(_PACKAGE, room) for room in ("autograd", "core", "ops", "tensor"))
"""Where a traceback is of no help to the user any more."""


class _State:
    enabled = False
    check_nan = False


state = _State()


def _switch(enabled: bool, check_nan: bool) -> None:
    """Watch the graph, or do not."""
    if enabled != state.enabled:
        (add_watcher if enabled else remove_watcher)(_search)
    state.enabled, state.check_nan = enabled, check_nan


_calls: "WeakKeyDictionary[Any, list[str]]" = WeakKeyDictionary()
"""Of the nodes recorded in anomaly mode, the lines of the traceback of their forward call."""


def is_anomaly_enabled() -> bool:
    """Whether anomaly mode is on.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.is_anomaly_enabled()
    False
    """
    return state.enabled


def is_anomaly_check_nan_enabled() -> bool:
    """Whether anomaly mode looks for NaN.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.autograd.anomaly.is_anomaly_check_nan_enabled()
    False
    """
    return state.check_nan


class _Switch(Switch):
    """A switch of anomaly mode."""

    chain = "anomaly"

    def __init__(self, mode: bool, check_nan: bool) -> None:
        super().__init__()
        self.mode, self.check_nan = bool(mode), bool(check_nan)

    def _state(self) -> tuple[bool, bool]:
        return state.enabled, state.check_nan

    def _switch(self) -> None:
        _switch(self.mode, self.mode and self.check_nan)

    def _restore(self, state: tuple[bool, bool]) -> None:
        _switch(*state)


class set_detect_anomaly(_Switch):
    """Switch anomaly mode on or off: at once, or for a ``with`` block; see `detect_anomaly`.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> with tg.autograd.set_detect_anomaly(True): print(tg.is_anomaly_enabled())
    True
    """

    def __init__(self, mode: bool, check_nan: bool = True) -> None:
        super().__init__(mode, check_nan)
        self.at_first = self._state()
        self._switch()

    def __enter__(self) -> None:
        self._enter(self.at_first)


class detect_anomaly(_Switch):
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
        super().__init__(True, check_nan)
        warnings.warn(
            "detect_anomaly: each forward call is remembered with its place, which is slow; only for finding mistakes",
            stacklevel=2,
        )


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
