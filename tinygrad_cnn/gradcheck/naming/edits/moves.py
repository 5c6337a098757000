"""Ways to take an array wrongly, or an index: shifted, reversed, exchanged, off by one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from tinygrad_cnn.core.types import NDArray, Shape

OF_PART = "of its entries along axis"
Way = tuple[str, Callable[[NDArray], NDArray], float]


def using(function: Callable[..., Any], *facts: Any) -> Callable[[Any], Any]:
    """A function of a value alone, of one that takes these facts, too."""
    return lambda v: function(v, *facts)


def masks() -> Iterator[Way]:
    """Ways to take a mask wrongly."""
    yield "the inverse", np.logical_not, 1.1
    yield "a mask that lets all pass", np.ones_like, 1.1
    yield "a mask that lets nothing pass", np.zeros_like, 1.5


def variants(shape: Shape, boolean: bool) -> Iterator[Way]:
    """Ways to take an array of this shape wrongly: words, function, cost."""
    nd = len(shape)
    if boolean:
        yield from masks()
    big = [a for a in range(nd) if shape[a] > 1]
    for a, b in combinations(big, 2):
        if shape[a] == shape[b]:
            words = "the transpose" if nd == 2 else f"a copy with axes {a} and {b} exchanged"
            yield words, using(lambda x, a, b: x.swapaxes(a, b), a, b), 1.25
    for r in (1, 2):
        for axes in combinations(big, r):
            if r == 1 or axes[1] == axes[0] + 1:
                kernel = " (a kernel flipped, or not)" if r == 2 and axes[1] == nd - 1 else ""
                along = f"axes {axes}" if r > 1 else f"axis {axes[0]}"
                yield (
                    f"a copy reversed along {along}{kernel}",
                    using(lambda x, axes: np.flip(x, axes), axes),
                    1.35 + 0.05 * r,
                )
    for a in big:
        n = shape[a]
        if n % 2 == 0 and n > 2:
            yield (
                f"a copy with halves along axis {a} exchanged",
                using(lambda x, a, n: np.roll(x, n // 2, a), a, n),
                1.5,
            )
        for s in (1, -1):
            yield f"a copy shifted by one along axis {a} (cyclic)", using(lambda x, a, s: np.roll(x, s, a), a, s), 1.5
            yield f"a copy shifted by one along axis {a}", using(lambda x, a, s: shifted(x, s, a), a, s), 1.5
        for what, cut in (("first", slice(0, 1)), ("last", slice(-1, None))):
            yield f"the {what} {OF_PART} {a} for all of them", using(repeated, a, cut), 1.42
            yield (
                f"only the {what} {OF_PART} {a}",
                using(lambda x, a, cut: kept(x, a, cut), a, cut),
                1.4,
            )
    if nd >= 2:
        for s in (1, -1):
            words = "a copy shifted by one along the last two axes"
            yield words, using(lambda x, s: shifted(shifted(x, s, nd - 1), s, nd - 2), s), 1.5


def shifted(x: NDArray, s: int, a: int) -> NDArray:
    """The array shifted by s along an axis, zeros behind it."""
    y = np.roll(x, s, a)
    index: list[Any] = [slice(None)] * x.ndim
    index[a] = slice(0, s) if s > 0 else slice(s, None)
    y[tuple(index)] = 0
    return y


def repeated(x: NDArray, a: int, cut: slice) -> NDArray:
    """A part along an axis for all of it."""
    index: list[Any] = [slice(None)] * x.ndim
    index[a] = cut
    return np.broadcast_to(x[tuple(index)], x.shape)


def kept(x: NDArray, a: int, cut: slice) -> NDArray:
    """The array, zeros but for a part along an axis."""
    y = np.zeros_like(x)
    index: list[Any] = [slice(None)] * x.ndim
    index[a] = cut
    y[tuple(index)] = x[tuple(index)]
    return y


def other_indices(index: Any, shape: Shape) -> Iterator[tuple[Any, str]]:
    """Indices that are off by one, from the start, without step, or with labels shifted."""
    parts = list(index) if isinstance(index, tuple) else [index]
    dots = any(q is Ellipsis for q in parts if not isinstance(q, np.ndarray))
    found: list[tuple[int, Any, str]] = []
    flexible: list[tuple[int, int, int, int]] = []
    for j, q in enumerate(parts):
        n = shape[j] if j < len(shape) and not dots else None
        if isinstance(q, slice) and q != slice(None) and n:
            start, stop, step = q.indices(n)
            m = len(range(start, stop, step))
            flexible.append((j, start, m, step))
            for d in (1, -1):
                if start + d >= 0 and start + d + (m - 1) * step < n:
                    moved = slice(start + d, start + d + (m - 1) * step + 1, step)
                    found.append((j, moved, f"the slice is off by one ({'+1' if d > 0 else '-1'})"))
            if start and step > 0:
                found.append((j, slice(0, (m - 1) * step + 1, step), "the slice starts at 0"))
            if step > 1:
                found.append((j, slice(start, start + m, 1), "the step is ignored"))
        elif isinstance(q, np.ndarray) and q.dtype.kind in "iu" and n:
            if q.ndim == 1 and len(q) <= n:
                found.append((j, np.arange(len(q)), "the index is not used (rows 0, 1, 2, … in order)"))
            found += [(j, (q + d) % n, f"the index is off by one ({'+1' if d > 0 else '-1'})") for d in (1, -1)]
        elif isinstance(q, (int, np.integer)) and not isinstance(q, bool) and n:
            found += [(j, q % n + d, "the index is off by one") for d in (1, -1) if 0 <= q % n + d < n]
    for j, q, words in found:
        yield tuple(q if i == j else old for i, old in enumerate(parts)), words
    if len(flexible) > 1:
        joint = {j: slice(0, (m - 1) * step + 1, step) for j, start, m, step in flexible if start and step > 0}
        if joint:
            words = "all slices start at 0 (the offset, the padding, is forgotten)"
            yield tuple(joint.get(i, q) for i, q in enumerate(parts)), words
        joint = {j: slice(start, start + m, 1) for j, start, m, step in flexible if step > 1}
        if joint:
            yield tuple(joint.get(i, q) for i, q in enumerate(parts)), "the steps (the stride) are ignored"


def progression(indices: Sequence[Any]) -> Iterator[tuple[str, list[Any]]]:
    """Slices or places of the turns of a loop, as they would be without their stride, or offset."""
    rows = [list(q) if isinstance(q, tuple) else [q] for q in indices]
    if len(rows) < 2 or len({len(q) for q in rows}) > 1:
        return
    closer: dict[int, list[Any]] = {}
    for j in range(len(rows[0])):
        part = [q[j] for q in rows]
        slices = all(isinstance(q, slice) and q.start is not None and q.stop is not None for q in part)
        if not slices and not all(isinstance(q, (int, np.integer)) and not isinstance(q, bool) for q in part):
            continue
        starts = [q.start if slices else q for q in part]
        length = [q.stop - q.start if slices else 0 for q in part]

        def made(new: Sequence[int], length: list[int] = length, slices: bool = bool(slices)) -> list[Any]:
            return [slice(s, s + m) if slices else s for s, m in zip(new, length, strict=True)]

        places = list(dict.fromkeys(starts))
        if len(places) > 1 and abs(places[1] - places[0]) > 1:
            closer[j] = made([places[0] + places.index(s) for s in starts])
            yield "the stride is ignored (steps of 1)", _with_part(rows, {j: closer[j]})
        if len(places) > 1:
            yield "every turn takes the place of the first", _with_part(rows, {j: made([starts[0]] * len(starts))})
            yield "the turns go the other way round", _with_part(rows, {j: made(starts[::-1])})
    if len(closer) > 1:
        yield "the strides are ignored (steps of 1)", _with_part(rows, closer)


def _with_part(rows: Sequence[list[Any]], parts: dict[int, list[Any]]) -> list[Any]:
    """Indices with other parts at some axes."""
    return [tuple(parts[j][t] if j in parts else q for j, q in enumerate(row)) for t, row in enumerate(rows)]


def other_options(option: str, value: Any, a: Any) -> Iterator[tuple[Any, str]]:
    """Other values of an option of an op, and words for them."""
    if option in ("min", "max", "low", "high") and value is not None:
        yield None, f"{option} left out"
        yield (-np.inf if option in ("min", "low") else np.inf), f"{option} left out"
    if option == "correction":
        for c in (0, 1):
            if c != value:
                yield c, f"n{'' if c == 0 else ' - 1'} for n{'' if value == 0 else f' - {value}'} (ddof)"
    if option == "axes" and isinstance(value, tuple):
        for r in range(1, a.ndim + 1):
            for axes in combinations(range(a.ndim), r):
                if axes != value:
                    yield axes, f"{named_axes(axes)} instead of {named_axes(value)}"
    if option == "axis" and isinstance(value, int):
        for ax in range(a.ndim):
            if ax != value:
                yield ax, f"axis {ax} instead of axis {value}"
    if option in ("k", "p", "shift") and isinstance(value, (int, float)):
        for d in (-1, 1):
            yield value + d, f"{option} = {value + d} instead of {value}"
        if value:
            yield -value, f"{option} = {-value} instead of {value}"


def named_axes(axes: Sequence[int]) -> str:
    """Axes in words."""
    if len(axes) == 1:
        return f"axis {axes[0]}"
    return f"axes {', '.join(map(str, axes))}"
