"""Orders of elements, in which NaN is the largest number: what sorts, ranks and picks takes its order from here.

Long rows are sorted by their bits, 16 at a time, which NumPy does by counting: a tenth of the time of comparing. What
asks for a few ranks only does not sort, but partitions.
"""

import numpy as np

from tinygrad_cnn.core.types import NDArray


def is_nan(x: NDArray) -> NDArray:
    """Where an element is NaN; integers and truth values never are."""
    return np.isnan(x) if x.dtype.kind == "f" else np.zeros(x.shape, bool)


def order_along(x: NDArray, axis: int, descending: bool = False) -> NDArray:
    """The places that sort x along an axis, NaN last, or first if descending; equal elements keep their order.

    Descending is ascending of the reversed row, read backwards: no element has to be negated, which neither unsigned
    nor the smallest signed integers survive.
    """
    if not descending:
        return _ascending(x, axis)
    order = _ascending(np.flip(x, axis), axis)
    return np.asarray(x.shape[axis] - 1 - np.flip(order, axis))


COUNTED = 2000
"""Elements of a row from which counting is faster."""


def _ascending(x: NDArray, axis: int) -> NDArray:
    if x.shape[axis] < COUNTED or not (digits := _digits(x)):
        return np.argsort(x, axis=axis, kind="stable")
    order = np.argsort(digits[0], axis=axis, kind="stable")
    for digit in digits[1:]:
        turn = np.argsort(np.take_along_axis(digit, order, axis), axis=axis, kind="stable")
        order = np.take_along_axis(order, turn, axis)
    return order


def _digits(x: NDArray) -> list[NDArray]:
    """Numbers of 16 bits that order as the elements do, the least first; none where there would be more than two."""
    if x.dtype == np.float32:
        bits = (x + np.float32(0)).view(np.int32)  # one zero
        bits[np.isnan(x)] = np.iinfo(np.int32).max  # one NaN
        code = (bits ^ (bits >> 31 & np.int32(2**31 - 1))).view(np.uint32) ^ np.uint32(2**31)
    elif x.dtype.kind in "iu" and x.dtype.itemsize > 2:
        least, most = int(x.min()), int(x.max())
        if most - least >= 2**32:
            return []
        code = (x - x.dtype.type(least)).astype(np.uint32)  # beyond the dtype's range it is right modulo 2**32
        if most - least < 2**16:
            return [code.astype(np.uint16)]
    else:
        return []
    return [code.astype(np.uint16), (code >> np.uint32(16)).astype(np.uint16)]


def ranked(x: NDArray, rank: int, axis: int) -> NDArray:
    """Where the element of this rank, from 0 on, stands along an axis; of equal ones, in the order in which they stand.

    The axis is kept, with one place.
    """
    rows = _rows(x, axis)
    value = np.partition(rows, rank, axis=-1)[:, rank, None]
    below, equal = _beside(rows, value)
    start = np.cumsum(equal.sum(1)) - equal.sum(1)
    place = np.flatnonzero(equal)[start + rank - below.sum(1)] - np.arange(len(rows)) * rows.shape[1]
    return _along(place[:, None], x, axis)


def first_places(x: NDArray, count: int, axis: int, descending: bool) -> NDArray:
    """The first `count` places of `order_along`."""
    n = x.shape[axis]
    if not 0 < count < n:
        order = order_along(x, axis, descending)
        return order[(slice(None),) * axis + (slice(count),)]
    rows = _rows(x, axis)
    rank = n - count if descending else count - 1
    value = np.partition(rows, rank, axis=-1)[:, rank, None]
    below, equal = _beside(rows, value)
    before = ~(below | equal) if descending else below
    missing = count - before.sum(1, keepdims=True)
    extra = equal.sum(1, keepdims=True) > missing
    if extra.any():  # of equal ones the first
        equal &= np.cumsum(equal, axis=1) <= missing
    place = np.flatnonzero(before | equal).reshape(len(rows), count)
    values = rows.reshape(-1)[place]
    place -= np.arange(len(rows))[:, None] * n
    return _along(np.take_along_axis(place, order_along(values, 1, descending), 1), x, axis)


def _rows(x: NDArray, axis: int) -> NDArray:
    """The rows along an axis, one below the other."""
    return np.ascontiguousarray(np.moveaxis(x, axis, -1)).reshape(-1, x.shape[axis])


def _along(place: NDArray, x: NDArray, axis: int) -> NDArray:
    """What was found in each of `_rows`, along the axis again."""
    shape = x.shape[:axis] + x.shape[axis + 1 :]
    return np.moveaxis(place.reshape(*shape, place.shape[1]), -1, axis)


def _beside(rows: NDArray, value: NDArray) -> tuple[NDArray, NDArray]:
    """What is less than the value of its row, and what equals it, NaN being the largest number."""
    below, equal = rows < value, rows == value
    if (odd := is_nan(value)[:, 0]).any():
        equal[odd] = is_nan(rows[odd])
        below[odd] = ~equal[odd]
    return below, equal


def run_lengths(rows: NDArray) -> NDArray:
    """How many elements equal to each stand before it and there, along the last axis of sorted rows."""
    place = np.arange(rows.shape[-1])
    starts = np.ones(rows.shape, bool)
    starts[..., 1:] = rows[..., 1:] != rows[..., :-1]
    return np.asarray(place + 1 - np.maximum.accumulate(np.where(starts, place, 0), axis=-1))
