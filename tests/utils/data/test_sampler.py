"""Samplers: orders, with and without replacement, and batches of them."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_cnn as tg
from tinygrad_cnn.utils.data import (
    BatchSampler,
    DataLoader,
    RandomSampler,
    Sampler,
    SequentialSampler,
    SubsetRandomSampler,
    WeightedRandomSampler,
)


def test_in_order():
    sampler = SequentialSampler("abc")
    assert list(sampler) == [0, 1, 2]
    assert len(sampler) == 3


@given(st.integers(1, 9), st.integers(1, 70))
def test_random_orders_give_every_number_as_often_as_the_others(n, count):
    sampler = RandomSampler(range(n), num_samples=count)
    times = Counter(sampler)
    assert sum(times.values()) == len(sampler) == count
    assert max(times.values()) - min(times[k] for k in range(n)) <= 1
    replaced = list(RandomSampler(range(n), replacement=True, num_samples=count))
    assert len(replaced) == count
    assert set(replaced) <= set(range(n))


def test_the_seed_decides_the_order():
    for make in (
        lambda g: RandomSampler(range(20), generator=g),
        lambda g: RandomSampler(range(20), True, 20, g),
        lambda g: SubsetRandomSampler(range(20), g),
        lambda g: WeightedRandomSampler(range(1, 21), 20, True, g),
        lambda g: WeightedRandomSampler(range(1, 21), 20, False, g),
    ):
        assert list(make(tg.Generator().manual_seed(1))) == list(make(tg.Generator().manual_seed(1)))
        assert list(make(tg.Generator().manual_seed(1))) != list(make(tg.Generator().manual_seed(2)))


def test_a_subset_in_random_order():
    sampler = SubsetRandomSampler([5, 7, 9])
    assert sorted(sampler) == [5, 7, 9]
    assert len(sampler) == 3
    assert sorted(x.item() for x in DataLoader(range(10), sampler=sampler)) == [5, 7, 9]


def test_weights_are_chances():
    tg.manual_seed(0)
    times = Counter(WeightedRandomSampler([1, 0, 3], 4000))
    assert set(times) == {0, 2}
    assert abs(times[2] - 3000) < 5 * (4000 * 0.25 * 0.75) ** 0.5
    firsts = Counter(next(iter(WeightedRandomSampler([1, 0, 3], 2, replacement=False))) for _ in range(1000))
    assert abs(firsts[2] - 750) < 5 * (1000 * 0.25 * 0.75) ** 0.5
    assert sorted(WeightedRandomSampler([1, 2, 3], 3, replacement=False)) == [0, 1, 2]


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        (lambda: RandomSampler([]), ValueError, "num_samples is 0"),
        (lambda: RandomSampler([1], replacement=1), TypeError, "replacement is 1"),
        (lambda: RandomSampler([1], num_samples=-1), ValueError, "num_samples is -1"),
        (lambda: WeightedRandomSampler([1], 0), ValueError, "num_samples is 0"),
        (lambda: WeightedRandomSampler([1], 1, 1), ValueError, "replacement is 1"),
        (lambda: WeightedRandomSampler([[1]], 1), ValueError, r"weights of shape \(1, 1\)"),
        (lambda: list(WeightedRandomSampler([-1, 2], 1)), RuntimeError, "below 0"),
        (lambda: list(WeightedRandomSampler([0, 0], 1)), RuntimeError, "all 0"),
        (lambda: list(WeightedRandomSampler([1, 1], 3, False)), RuntimeError, "3 of 2 categories without replacement"),
        (lambda: BatchSampler([1], 0, True), ValueError, "batch_size is 0"),
        (lambda: BatchSampler([1], 1, 1), ValueError, "drop_last is 1"),
        (lambda: iter(Sampler()), NotImplementedError, "__iter__ is not written"),
    ],
)
def test_wrong_arguments_are_explained(make, kind, message):
    with pytest.raises(kind, match=message):
        make()


@given(st.integers(0, 12), st.integers(1, 5), st.booleans())
def test_batches_of_numbers(n, size, drop_last):
    sampler = BatchSampler(SequentialSampler(range(n)), size, drop_last)
    batches = list(sampler)
    assert len(batches) == len(sampler)
    assert [k for batch in batches for k in batch] == list(range(n // size * size if drop_last else n))
