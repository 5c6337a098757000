"""Orders beside NumPy's stable sort: ties, NaN, infinities, zeros of both signs, every dtype, short rows and long."""

import numpy as np
import pytest

from tinygrad_cnn.kernels.orders import first_places, order_along, ranked

SHAPES = ((7,), (3000,), (3, 5), (4, 2500), (2500, 3), (2, 3000, 2))


def sorted_by_numpy(x, axis, descending):
    if not descending:
        return np.argsort(x, axis=axis, kind="stable")
    return x.shape[axis] - 1 - np.flip(np.argsort(np.flip(x, axis), axis=axis, kind="stable"), axis)


def numbers(dtype, shape, few):
    """Many different numbers, or few, with odd ones among them."""
    r, kind = np.random.default_rng(0), np.dtype(dtype).kind
    if not few:
        return (np.abs(r.standard_normal(shape)) * 100).astype(dtype)
    x = r.integers(0 if kind == "u" else -5, 6, shape).astype(dtype)
    if kind == "f":
        x[x == 0] = -0.0
        x[r.random(shape) < 0.1] = 0
        x[r.random(shape) < 0.2] = np.nan
        x[r.random(shape) < 0.1] = -np.inf
    elif x.dtype.itemsize >= 4:
        x[r.random(shape) < 0.1] = np.iinfo(dtype).max
        x[r.random(shape) < 0.1] = np.iinfo(dtype).min
    return x


@pytest.mark.parametrize("few", [False, True])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int8", "uint8", "int32", "int64"])
def test_orders_are_those_of_a_stable_sort(dtype, shape, few):
    x = numbers(dtype, shape, few)
    for axis in range(x.ndim):
        n = x.shape[axis]
        for descending in (False, True):
            order = sorted_by_numpy(x, axis, descending)
            np.testing.assert_array_equal(order_along(x, axis, descending), order)
            for count in {0, 1, 2, n // 2, n - 1, n}:
                first = order[(slice(None),) * axis + (slice(count),)]
                np.testing.assert_array_equal(first_places(x, count, axis, descending), first)
        order = sorted_by_numpy(x, axis, False)
        for rank in {0, 1, n // 2, n - 1}:
            np.testing.assert_array_equal(ranked(x, rank, axis), np.take(order, [rank], axis))
