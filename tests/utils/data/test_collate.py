"""Batches out of samples of every kind."""

from collections import OrderedDict, defaultdict, namedtuple

import numpy as np
import pytest

import tinygrad_cnn as tg
from tinygrad_cnn.utils.data import default_collate, default_convert

Point = namedtuple("Point", "x y")


def test_numbers_keep_their_kind():
    assert default_collate([0.5, 1.0]).dtype == np.float64
    assert default_collate([1, 2]).dtype == np.int64
    assert default_collate([True, False]).dtype == np.bool_
    assert default_collate([np.float32(1), np.float32(2)]).dtype == np.float32
    assert default_collate([np.float64(1)]).dtype == np.float64
    assert default_collate([np.ones(2, np.int32)]).dtype == np.int32


def test_containers_keep_theirs():
    assert default_collate([tg.ones(2), tg.zeros(2)]).shape == (2, 2)
    point = default_collate([Point(1, 2), Point(3, 4)])
    assert (type(point), point.x.tolist(), point.y.tolist()) == (Point, [1, 3], [2, 4])
    assert type(default_collate([OrderedDict(a=1)])) is OrderedDict
    assert default_collate([defaultdict(int, a=1)])["a"].tolist() == [1]
    assert [column.tolist() for column in default_collate([(1, 2), (3, 4)])] == [[1, 3], [2, 4]]
    assert [column.tolist() for column in default_collate([range(2), range(2)])] == [[0, 0], [1, 1]]
    assert default_collate([b"a", b"b"]) == [b"a", b"b"]
    assert default_collate([np.str_("a")]) == ["a"]


@pytest.mark.parametrize("sample", [None, object(), {1}, np.array(["a"]), np.array([None])])
def test_what_has_no_batch_is_refused(sample):
    with pytest.raises(TypeError, match="default_collate: cannot make a batch"):
        default_collate([sample])


def test_samples_that_do_not_fit_together_are_refused():
    with pytest.raises(RuntimeError, match=r"samples of lengths \[1, 2\]"):
        default_collate([[1, 2], [3]])
    with pytest.raises(KeyError, match="b"):
        default_collate([{"a": 1, "b": 2}, {"a": 1}])
    with pytest.raises(ValueError, match="shape"):
        default_collate([tg.ones(2), tg.ones(3)])


def test_converting_goes_inside_and_leaves_the_rest():
    data = default_convert({"a": np.arange(2), "b": (1, "x"), "c": Point(np.float32(2), [np.ones(1)]), "d": {3}})
    assert isinstance(data["a"], tg.Tensor)
    assert data["b"] == [1, "x"]
    assert data["c"].x.item() == 2
    assert data["c"].y[0].tolist() == [1]
    assert data["d"] == {3}
    x = tg.ones(2)
    assert default_convert(x) is x
    assert default_convert(np.array(["a"])).tolist() == ["a"]
