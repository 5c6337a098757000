"""Orders of elements, in which NaN is the largest number: what sorts, ranks and picks takes its order from here."""

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
        return np.argsort(x, axis=axis, kind="stable")
    order = np.argsort(np.flip(x, axis), axis=axis, kind="stable")
    return np.asarray(x.shape[axis] - 1 - np.flip(order, axis))


def run_lengths(rows: NDArray) -> NDArray:
    """How many elements equal to each stand before it and there, along the last axis of sorted rows."""
    place = np.arange(rows.shape[-1])
    starts = np.ones(rows.shape, bool)
    starts[..., 1:] = rows[..., 1:] != rows[..., :-1]
    return np.asarray(place + 1 - np.maximum.accumulate(np.where(starts, place, 0), axis=-1))
