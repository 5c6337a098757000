"""How a tensor prints: as PyTorch's, number for number.

All numbers of a tensor have one width. Floats that are all whole print as ``1.``, others with 4 decimals; if the
largest is more than 1000 times the smallest, or one is beyond 10⁸ or below 10⁻⁴, all are in scientific notation. Of
more than 1000 elements only 3 at each end of every dim are shown.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_cnn.core.errors import ArgumentError
from tinygrad_cnn.core.promotion import default
from tinygrad_cnn.core.types import NDArray

if TYPE_CHECKING:
    from tinygrad_cnn.core.tensor import Tensor


class Options:
    """What `set_printoptions` sets; `sci_mode` None lets the numbers decide."""

    def __init__(self) -> None:
        self.precision, self.threshold, self.edgeitems, self.linewidth = 4, 1000, 3, 80
        self.sci_mode: bool | None = None


options = Options()
PROFILES: dict[str, tuple[int, float, int, int]] = {
    "default": (4, 1000, 3, 80),
    "short": (2, 1000, 2, 80),
    "full": (4, math.inf, 3, 80),
}


def set_printoptions(
    precision: int | None = None,
    threshold: float | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    profile: str | None = None,
    sci_mode: bool | None = None,
) -> None:
    """Set how tensors print, as ``torch.set_printoptions``.

    Parameters
    ----------
    precision : digits behind the point (4)
    threshold : with more elements than this, a summary is printed (1000)
    edgeitems : how many elements a summary shows at each end of a dim (3)
    linewidth : characters of a line (80)
    profile : all of these at once: "default", "short" or "full"
    sci_mode : scientific notation always, never, or (None) when the numbers call for it

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.set_printoptions(precision=2)
    >>> tg.tensor([1.23456])
    tensor([1.23])
    >>> tg.set_printoptions(profile="default")
    """
    if profile is not None:
        if profile not in PROFILES:
            raise ArgumentError(f"set_printoptions: profile is {profile!r}; it must be one of {', '.join(PROFILES)}")
        values = PROFILES[profile]
        options.precision, options.threshold, options.edgeitems, options.linewidth = values  # type: ignore[assignment]
    for name, value in (
        ("precision", precision),
        ("threshold", threshold),
        ("edgeitems", edgeitems),
        ("linewidth", linewidth),
    ):
        if value is not None:
            setattr(options, name, value)
    options.sci_mode = sci_mode


class Style:
    """The common form of the numbers of an array: whole, with decimals or scientific, and how wide."""

    def __init__(self, shown: NDArray) -> None:
        self.floating = shown.dtype.kind == "f"
        self.whole, self.scientific, self.width = True, False, 1
        if not self.floating:
            self.width = max((len(str(v)) for v in shown.ravel().tolist()), default=1)
            return
        values = shown.astype(np.float64).ravel()
        values = values[np.isfinite(values) & (values != 0)]
        if not values.size:
            return
        sizes = np.abs(values)
        largest, smallest = float(sizes.max()), float(sizes.min())
        self.whole = bool(np.all(values == np.ceil(values)))
        with np.errstate(over="ignore"):
            spread = np.float64(largest) / smallest > 1000 or largest > 1e8
        self.scientific = bool(spread or (not self.whole and smallest < 1e-4))
        if options.sci_mode is not None:
            self.scientific = options.sci_mode
        self.width = max(len(self.number(v)) for v in values.tolist())

    def number(self, value: Any) -> str:
        """One number, as wide as it is."""
        if not self.floating:
            return str(value)
        if self.scientific:
            return f"{value:.{options.precision}e}"
        if not self.whole:
            return f"{value:.{options.precision}f}"
        return f"{value:.0f}" + ("." if math.isfinite(value) else "")

    def padded(self, value: Any) -> str:
        """One number, as wide as all."""
        return self.number(value).rjust(self.width)


def represented(x: Tensor) -> str:
    """As PyTorch prints it: the values, the dtype if it is not the default one, and where it came from."""
    values, prefix = x.array, "tensor("
    usual = (default.dtype, np.dtype(np.int64), np.dtype(np.bool_))
    facts = []
    if values.size:
        body = nested(values, len(prefix), values.size > options.threshold)
        if values.dtype not in usual:
            facts.append(f"dtype=torch.{values.dtype.name}")
    else:
        body = "[]"
        if values.ndim != 1:
            facts.append(f"size={tuple(values.shape)}")
        if values.dtype != usual[0]:
            facts.append(f"dtype=torch.{values.dtype.name}")
    if x.grad_fn is not None:
        facts.append(f"grad_fn=<{x.grad_fn.name()}>")
    elif x.requires_grad:
        facts.append("requires_grad=True")
    return with_facts(prefix + body, facts, len(prefix))


def with_facts(text: str, facts: list[str], indent: int) -> str:
    """The facts behind the values, on a new line where they do not fit."""
    length = len(text) - text.rfind("\n") + 1
    for fact in facts:
        if length + len(fact) + 2 > options.linewidth:
            text += ",\n" + " " * indent + fact
            length = indent + len(fact)
        else:
            text += ", " + fact
            length += len(fact) + 2
    return text + ")"


def nested(values: NDArray, indent: int, summarise: bool) -> str:
    """The values in brackets, dim by dim."""
    return _nested(values, indent, summarise, Style(edges(values) if summarise else values))


def edges(values: NDArray) -> NDArray:
    """The elements that a summary shows."""
    for axis, n in enumerate(values.shape):
        if n > 2 * options.edgeitems:
            shown = np.r_[0 : options.edgeitems, n - options.edgeitems : n]
            values = np.take(values, shown, axis=axis)
    return values


def _nested(values: NDArray, indent: int, summarise: bool, style: Style) -> str:
    if values.ndim == 0:
        return style.padded(values.item())
    n = options.edgeitems
    cut = summarise and values.shape[0] > 2 * n
    if values.ndim == 1:
        row = values.tolist()
        if cut:
            parts = [*map(style.padded, row[:n]), " ...", *map(style.padded, row[len(row) - n :])]
        else:
            parts = [style.padded(v) for v in row]
        per_line = max(1, (options.linewidth - indent) // (style.width + 2))
        lines = [", ".join(parts[k : k + per_line]) for k in range(0, len(parts), per_line)]
        return "[" + (",\n" + " " * (indent + 1)).join(lines) + "]"
    kept = [*values[:n], *values[len(values) - n :]] if cut else list(values)
    parts = [_nested(part, indent + 1, summarise, style) for part in kept]
    if cut:
        parts.insert(n, "...")
    return "[" + ("," + "\n" * (values.ndim - 1) + " " * (indent + 1)).join(parts) + "]"
