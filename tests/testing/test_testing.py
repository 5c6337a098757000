"""The assertion says what is wrong, and where."""

import numpy as np
import pytest

from tinygrad_cnn import Tensor, tensor
from tinygrad_cnn.testing import assert_close


@pytest.mark.parametrize(
    ("actual", "expected", "text"),
    [
        ([1.0, 2.0, 4.0], [1.0, 2.5, 3.0], r"2 of 3 elements differ \(66\.7%\)"),
        (
            [1.0, 2.0, 4.0],
            [1.0, 2.5, 3.0],
            r"greatest absolute difference: 1 at \(2,\) \(1e-05 allowed\): 4\.0 != 3\.0",
        ),
        ([1.0, 2.0, 4.0], [1.0, 2.5, 3.0], r"greatest relative difference: 0\.333333 at \(2,\)"),
        ([1.0], [[1.0]], r"The shapes differ: \(1,\) != \(1, 1\)"),
        ([1.0], [1], "The dtypes differ: float32 != int64"),
        ([np.nan], [np.nan], "1 of 1 elements differ"),
    ],
)
def test_what_differs_is_said(actual, expected, text):
    with pytest.raises(AssertionError, match=text):
        assert_close(tensor(actual), tensor(expected))


def test_places_in_structures_are_said():
    with pytest.raises(AssertionError, match=r"in item 1\nin item 'b'"):
        assert_close({"a": [1.0], "b": [1.0, 2.0]}, {"a": [1.0], "b": [1.0, 3.0]})
    with pytest.raises(AssertionError, match="only in actual \\['a'\\], only in expected \\['b'\\]"):
        assert_close({"a": 1.0}, {"b": 1.0})


def test_a_message_of_ones_own():
    with pytest.raises(AssertionError, match=r"^mine$"):
        assert_close(1.0, 2.0, msg="mine")
    with pytest.raises(AssertionError, match=r"^mine: 1 of 1"):
        assert_close(1.0, 2.0, msg=lambda text: f"mine: {text}")


def test_what_is_close_passes():
    assert_close(Tensor([1.0, np.nan]), Tensor([1.0000001, np.nan]), equal_nan=True)
    assert_close(np.float64([1.0]), np.float32([1.0]), check_dtype=False)
    assert_close([1, Tensor([2.0])], (1, Tensor([2.0])))


def test_wrong_calls_are_explained():
    with pytest.raises(ValueError, match="both rtol and atol, or neither"):
        assert_close(1.0, 1.0, rtol=0.1)
    with pytest.raises(TypeError, match="cannot compare str with str"):
        assert_close("a", "a")
