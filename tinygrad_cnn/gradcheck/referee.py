"""The last word on what would be called wrong: where no difference can tell, and where only rounding is to blame.

Numbers whose neighbours are far apart do not show what happens between whole numbers. And what fails in a
coarse precision is asked again in float64, with the same function at the same inputs: if it is not wrong there, and
what it gave in the coarse precision differs from it by what rounding can do, then rounding is to blame.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from tinygrad_cnn.core.types import NDArray
from tinygrad_cnn.gradcheck.point import COARSE, UNSEEN, Point, finite, number_of
from tinygrad_cnn.gradcheck.tolerances import BESIDE, SAME
from tinygrad_cnn.gradcheck.verdicts import Entry, Verdict

APART = 2.0**-7
"""Neighbouring numbers that are so far apart do not resolve a function that turns within 1, above its rounding."""

IN_DOUBLE = "differences in float64"
"""What judged where those of the coarse precision were too coarse."""

SPARSE = "the input is so large that neighbouring numbers are too far apart"
ROUNDED = "not wrong in float64: rounding"
"""Why nothing can be said."""


def undecided(entry: Entry, reason: str) -> Entry:
    """The entry, about which nothing can be said for this reason."""
    return replace(entry, verdict=Verdict.INCONCLUSIVE, reason=reason)


def is_wrong(entry: Entry) -> bool:
    """Whether an entry is a number, and called wrong."""
    return entry.verdict is Verdict.FAIL and bool(np.isfinite(entry.analytic))


def resolved(point: Point, entries: Sequence[Entry]) -> list[Entry]:
    """The entries; nothing is said where an element of the input has no neighbour nearer than `APART`.

    The neighbours are those of the precision in which the point takes its differences.
    """

    def apart(e: Entry) -> bool:
        given = point.arrays[point.checked.index(e.input)]
        values = given[e.place] if len(e.place) == given.ndim else given
        return bool(np.max(np.spacing(np.abs(finite(values)).astype(given.dtype)), initial=0.0) >= APART)

    return [undecided(e, SPARSE) if is_wrong(e) and apart(e) else e for e in entries]


def in_double(point: Point) -> Point | None:
    """The same function at the same inputs in float64; None if it does not compute in float64."""
    inputs = list(point.inputs)
    for k, a in zip(point.checked, point.arrays, strict=True):
        inputs[k] = a.astype(np.float64)
    try:
        double = Point(point.adapter, inputs, point.checked)
    except Exception:  # a function may be written for one precision only, and refuse others in any way
        return None
    same = double.eps < COARSE and double.output_shapes == point.output_shapes
    return double if same else None


def agrees(double: Point, point: Point) -> bool:
    """Whether the function in float64 has the values that it has in the coarse precision, up to its rounding.

    Then its differences are those of the same function, without the noise; the gradient that is judged stays that of
    the coarse precision.
    """
    return bool(np.all(np.abs(double.values - point.values) <= SAME * point.noise))


def is_within_rounding(point: Point, k: int, i: int, where: float | None) -> bool:
    """Whether a kink that differences in float64 have seen is too near for the coarse precision to tell its side."""
    size = max(1.0, abs(float(point.arrays[k].reshape(-1)[i])))
    return where is not None and abs(where) <= BESIDE * point.eps * size


def blamed_on_rounding(
    point: Point,
    entries: Sequence[Entry],
    V: NDArray,
    analytic: Sequence[NDArray],
    exact: Sequence[NDArray],
    rough: Sequence[Sequence[NDArray]],
) -> list[Entry]:
    """The entries; nothing is said where the gradient differs from that in float64 by what rounding can do.

    `analytic` and `exact` are the gradients in either precision, per input (cotangents, elements), and `rough` is
    what rounding was seen to do, per cotangent and input.
    """

    def by_rounding(e: Entry) -> bool:
        k = point.checked.index(e.input)
        off = np.abs(analytic[k] - exact[k])
        most = np.stack([np.maximum(plausible(point, k, v), each[k]) for v, each in zip(V, rough, strict=True)])
        shape = point.arrays[k].shape
        at = [number_of(e.place, shape)] if len(e.place) == len(shape) else list(range(off.shape[1]))
        return bool(np.all(off[:, at] <= (most + 4 * point.eps * np.abs(exact[k]))[:, at]))

    return [undecided(e, ROUNDED) if is_wrong(e) and by_rounding(e) else e for e in entries]


def plausible(point: Point, k: int, v: NDArray) -> float:
    """What rounding may do to a gradient: terms that cancel may be larger than it by the size of the input."""
    size = point.extent(k)
    return UNSEEN * point.eps * float(np.sum(np.abs(v * point.values)) * max(size, 1 / size) + np.max(np.abs(v)))
