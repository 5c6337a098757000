"""The warning for what runs and is almost surely a mistake. What is looked at, and when, stands where it happens."""

import sys
import warnings
from typing import Any

from tinygrad_cnn.core.op import Op

OWN = __name__.partition(".")[0]


class MistakeWarning(UserWarning):
    """What you did runs, and is almost surely a mistake: softmax before cross-entropy, a forgotten `zero_grad`, …

    The page "Mistakes, by symptom" of the documentation lists all of them. Each costs nothing until it happens. The
    filters of Python's `warnings` turn them off, or into errors, as any warning.

    Examples
    --------
    >>> import warnings
    >>> import tinygrad_cnn as tg
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore", tg.MistakeWarning)
    ...     loss = tg.nn.functional.cross_entropy(tg.zeros(1, 2), tg.tensor([-100]))
    """

    __module__ = OWN


def warn(message: str) -> None:
    """Warn at the line outside of this package that led here."""
    frame, level = sys._getframe(1), 2
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == OWN:
        frame, level = frame.f_back, level + 1
    warnings.warn(message, MistakeWarning, stacklevel=level)


def made_by(value: Any, op: type[Op]) -> Any:
    """The node of a tensor that this op made, where it is recorded; else None."""
    node = getattr(value, "_node", None)
    return node if node is not None and getattr(node, "op", None) is op else None
