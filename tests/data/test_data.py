"""Data sets and loaders: every sample once, in the order asked for."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_cnn as tg
from tinygrad_cnn.data import DataLoader, Dataset, Subset, TensorDataset, default_collate, random_split


class Squares(Dataset):
    def __init__(self, n):
        self.n = n

    def __getitem__(self, index):
        return {"x": index, "y": (np.full(2, index**2), f"{index}")}

    def __len__(self):
        return self.n


@given(st.integers(0, 12), st.integers(1, 5), st.booleans(), st.booleans())
def test_every_sample_comes_once(n, size, shuffle, drop_last):
    loader = DataLoader(TensorDataset(tg.arange(n), tg.arange(n) * 2), size, shuffle, drop_last=drop_last)
    for _ in range(2):
        batches = list(loader)
        assert len(batches) == len(loader)
        seen = [k for x, _ in batches for k in x.tolist()]
        assert all(y.tolist() == [2 * k for k in x.tolist()] for x, y in batches)
        assert len(set(seen)) == len(seen) == (n // size * size if drop_last else n)
        assert shuffle or seen == list(range(len(seen)))


def test_shuffling_is_new_each_time_and_the_same_for_the_same_seed():
    def orders(seed):
        loader = DataLoader(TensorDataset(tg.arange(50)), 50, True, generator=tg.Generator().manual_seed(seed))
        return [next(iter(loader))[0].tolist() for _ in range(2)]

    first, second = orders(1)
    assert first != second
    assert orders(1) == [first, second]
    assert orders(2)[0] != first


def test_samples_of_any_kind_are_collated():
    (batch,) = DataLoader(Squares(3), batch_size=3)
    assert batch["x"].tolist() == [0, 1, 2]
    assert batch["y"][0].tolist() == [[0, 0], [1, 1], [4, 4]]
    assert batch["y"][1] == ["0", "1", "2"]
    assert default_collate([tg.ones(2), tg.zeros(2)]).shape == (2, 2)
    assert default_collate([0.5, 1.0]).dtype == np.float32


def test_a_collate_function_of_ones_own():
    loader = DataLoader(TensorDataset(tg.arange(4)), 2, collate_fn=lambda samples: [x.item() for (x,) in samples])
    assert list(loader) == [[0, 1], [2, 3]]


def test_samplers():
    data = TensorDataset(tg.arange(5))
    assert [b.tolist() for (b,) in DataLoader(data, 2, sampler=[4, 0, 2])] == [[4, 0], [2]]
    loader = DataLoader(data, batch_sampler=[[3, 1], [0]])
    assert [b.tolist() for (b,) in loader] == [[3, 1], [0]]
    assert len(loader) == 2


def test_subsets_of_subsets():
    data = TensorDataset(tg.arange(10))
    part = Subset(Subset(data, [9, 7, 5, 3]), [2, 0])
    assert len(part) == 2
    assert part[0][0].item() == 5
    assert [b.tolist() for (b,) in DataLoader(part, 2)] == [[5, 9]]
    assert [b["x"].tolist() for b in DataLoader(Subset(Squares(5), [4, 1]), 2)] == [[4, 1]]


@given(st.integers(0, 30), st.lists(st.floats(0.05, 1), min_size=1, max_size=4))
def test_random_split_is_a_partition(n, shares):
    fractions = [s / sum(shares) for s in shares]
    parts = random_split(TensorDataset(tg.arange(n)), fractions)
    assert sorted(k for part in parts for k in part.indices) == list(range(n))
    assert all(abs(len(part) - n * f) <= 1 for part, f in zip(parts, fractions, strict=True))


def test_random_split_by_sizes():
    data = TensorDataset(tg.arange(10))
    a, b = random_split(data, [7, 3], tg.Generator().manual_seed(0))
    assert (len(a), len(b)) == (7, 3)
    with pytest.raises(ValueError, match=r"sizes \[7, 4\] do not add up to 10"):
        random_split(data, [7, 4])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"batch_size": 0}, "batch_size is 0; it must be an integer of at least 1"),
        ({"batch_size": 2.5}, r"batch_size is 2\.5"),
        ({"num_workers": 2}, "num_workers is 2; only 0 is available"),
        ({"shuffle": True, "sampler": [0]}, "shuffle and a sampler exclude each other"),
        ({"batch_sampler": [[0]], "drop_last": True}, "batch_sampler excludes"),
    ],
)
def test_wrong_settings_are_explained(settings, message):
    with pytest.raises(ValueError, match=message):
        DataLoader(TensorDataset(tg.arange(3)), **settings)


def test_wrong_data_sets_are_explained():
    with pytest.raises(ValueError, match=r"tensors of lengths \[2, 3\]"):
        TensorDataset(tg.ones(2), tg.ones(3))
    with pytest.raises(NotImplementedError, match="Dataset: __getitem__ is not written"):
        Dataset()[0]
    with pytest.raises(NotImplementedError, match="Dataset: __len__ is not written"):
        len(Dataset())
