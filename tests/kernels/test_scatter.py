"""What is added at places by index, beside `np.add.at`: the same numbers in the same order, to the last bit."""

import numpy as np
import pytest

from tests.kernels.test_definition import FAST
from tinygrad_cnn.kernels import definition
from tinygrad_cnn.kernels.chosen import chosen
from tinygrad_cnn.kernels.scatter import add_at

ROWS = np.random.default_rng(0).integers(0, 20, 400)
SIGNED = np.random.default_rng(1).integers(-9, 9, 400)
INDICES = {
    "rows": (ROWS,),
    "rows by a matrix": (ROWS.reshape(20, 20),),
    "negative": (SIGNED,),
    "an array alone": ROWS,
    "bytes": (ROWS.astype(np.uint8),),
    "two axes": (ROWS, SIGNED),
    "two axes that broadcast": (ROWS[:, None], np.arange(9)),
    "a number and an array": (3, ROWS % 9),
    "an array and a number": (ROWS, 3),
    "a slice and an array": (slice(None), SIGNED),
    "dots and an array": (..., SIGNED % 7),
    "a new axis": (ROWS, None),
    "a mask": np.arange(20) % 3 == 0,
    "three axes": (ROWS, SIGNED, SIGNED % 7),
}


@pytest.mark.parametrize("kernels", [*FAST, definition], ids=lambda kernels: kernels.name)
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16, np.int64])
@pytest.mark.parametrize("name", INDICES)
def test_every_index_is_that_of_add_at(kernels, dtype, name, monkeypatch):
    monkeypatch.setattr(chosen, "add_rows", kernels.add_rows)
    index, r = INDICES[name], np.random.default_rng(2)
    start = (9 * r.standard_normal((20, 9, 7))).astype(dtype)
    shape = start[index].shape
    for x in (np.ones(shape), 9 * r.standard_normal(shape), r.standard_normal(shape[-1:]), r.standard_normal(())):
        for y in (start.copy(), np.asfortranarray(start)):
            expected = start.copy()
            np.add.at(expected, index, x.astype(dtype))
            add_at(y, index, x.astype(dtype))
            np.testing.assert_array_equal(y, expected)


def test_an_index_beyond_the_end_is_refused_and_nothing_is_nothing():
    y, x = np.zeros((20, 30)), np.ones((300, 30))
    with pytest.raises(IndexError):
        add_at(y, (np.full(300, 20),), x)
    with pytest.raises(IndexError):
        add_at(y, (np.full(300, -21),), x)
    add_at(y, (np.zeros(0, int),), np.ones((0, 30)))
    add_at(np.zeros((5, 0)), (np.zeros(300, int),), np.ones((300, 0)))
    assert not y.any()


def test_another_dtype_is_converted_as_by_add_at():
    y, x = np.zeros((20, 30), np.float32), np.ones((300, 30))
    add_at(y, (np.arange(300) % 20,), x)
    np.testing.assert_array_equal(y, np.full((20, 30), 15, np.float32))
