"""Data sets made of others: every sample is where it was."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_cnn as tg
from tinygrad_cnn.utils.data import (
    ChainDataset,
    ConcatDataset,
    DataLoader,
    Dataset,
    IterableDataset,
    StackDataset,
    Subset,
    TensorDataset,
    random_split,
)


class Letters(IterableDataset):
    def __init__(self, text):
        self.text = text

    def __iter__(self):
        return iter(self.text)

    def __len__(self):
        return len(self.text)


def test_the_short_name_is_the_same_package():
    assert tg.data.Dataset is tg.utils.data.Dataset is Dataset


def test_wrong_data_sets_are_explained():
    with pytest.raises(ValueError, match=r"tensors of lengths \[2, 3\]") as caught:
        TensorDataset(tg.ones(2), tg.ones(3))
    assert isinstance(caught.value, AssertionError)  # PyTorch's
    with pytest.raises(NotImplementedError, match="Dataset: __getitem__ is not written"):
        Dataset()[0]
    with pytest.raises(TypeError, match="has no len"):
        len(Dataset())
    with pytest.raises(NotImplementedError, match="__iter__ is not written"):
        iter(IterableDataset())


def test_subsets_of_subsets():
    data = TensorDataset(tg.arange(10))
    part = Subset(Subset(data, [9, 7, 5, 3]), [2, 0])
    assert len(part) == 2
    assert part[0][0].item() == 5
    assert part[[0, 1]][0].tolist() == [5, 9]
    assert [b.tolist() for (b,) in DataLoader(part, 2)] == [[5, 9]]
    assert [b.tolist() for b in DataLoader(Subset([1, 2, 3], [2, 0]), 2)] == [[3, 1]]


def test_a_subset_with_samples_of_its_own_is_asked_for_them():
    class Negative(Subset):
        def __getitem__(self, index):
            return -super().__getitem__(index)

    assert [b.tolist() for b in DataLoader(Negative(range(5), [4, 2]), 2)] == [[-4, -2]]


@given(st.lists(st.integers(0, 4), min_size=1, max_size=4))
def test_one_data_set_after_the_other(lengths):
    parts = [[(k, i) for i in range(n)] for k, n in enumerate(lengths)]
    flat = [sample for part in parts for sample in part]
    whole = ConcatDataset(parts)
    assert len(whole) == len(flat)
    assert [whole[k] for k in range(len(flat))] == flat
    assert [whole[-k - 1] for k in range(len(flat))] == flat[::-1]
    with pytest.raises(IndexError, match="out of range"):
        whole[len(flat)]
    with pytest.raises(ValueError, match="out of range"):
        whole[-len(flat) - 1]


def test_sums_of_data_sets():
    numbers = TensorDataset(tg.arange(2)) + TensorDataset(tg.arange(3))
    assert isinstance(numbers, ConcatDataset)
    assert [x.item() for (x,) in (numbers[k] for k in range(5))] == [0, 1, 0, 1, 2]
    letters = Letters("ab") + Letters("c")
    assert isinstance(letters, ChainDataset)
    assert list(letters) == ["a", "b", "c"]
    assert len(letters) == 3


def test_sums_of_the_wrong_kinds_are_refused():
    with pytest.raises(AssertionError, match="no data sets"):
        ConcatDataset([])
    with pytest.raises(AssertionError, match="use ChainDataset"):
        ConcatDataset([Letters("a")])
    with pytest.raises(AssertionError, match="use ConcatDataset"):
        list(ChainDataset([[1]]))


def test_data_sets_side_by_side():
    data = TensorDataset(tg.arange(3))
    assert StackDataset("abc", [1, 2, 3])[1] == ("b", 2)
    named = StackDataset(x=Subset([4, 5, 6], [2, 1, 0]), y=[1, 2, 3])
    assert named[0] == {"x": 6, "y": 1}
    assert named.__getitems__([0, 2]) == [{"x": 6, "y": 1}, {"x": 4, "y": 3}]
    (batch,) = DataLoader(StackDataset(data, [7, 8, 9]), 3)
    assert [batch[0][0].tolist(), batch[1].tolist()] == [[0, 1, 2], [7, 8, 9]]


def test_data_sets_that_cannot_stand_side_by_side():
    with pytest.raises(ValueError, match="by place and by name"):
        StackDataset([1], x=[1])
    for arguments in ((), ([1], [1, 2])):
        with pytest.raises(ValueError, match="of the same length"):
            StackDataset(*arguments)

    class Short(Dataset):
        def __len__(self):
            return 2

        def __getitems__(self, indices):
            return [0]

    with pytest.raises(ValueError, match="1 samples for 2 indices"):
        list(DataLoader(Short(), 2))


@given(st.integers(4, 30), st.lists(st.floats(0.2, 1), min_size=1, max_size=4))
def test_random_split_is_a_partition(n, shares):
    fractions = np.array(shares) / sum(shares)
    fractions[-1] = 1 - fractions[:-1].sum()
    while fractions.sum() > 1:
        fractions[-1] = np.nextafter(fractions[-1], 0)
    parts = random_split(TensorDataset(tg.arange(n)), fractions.tolist())
    assert sorted(k for part in parts for k in part.indices) == list(range(n))
    assert all(abs(len(part) - n * f) <= 1 for part, f in zip(parts, fractions, strict=True))


def test_random_split_by_sizes():
    data = TensorDataset(tg.arange(10))
    a, b = random_split(data, [7, 3], tg.Generator().manual_seed(0))
    assert (len(a), len(b)) == (7, 3)
    with pytest.raises(ValueError, match=r"sizes \[7, 4\] do not add up to 10"):
        random_split(data, [7, 4])
    with pytest.raises(ValueError, match=r"fraction 0 is -0\.5"):
        random_split(data, [-0.5, 1.5])
    with pytest.raises(TypeError, match="must be integers"):
        random_split(data, [2.5, 7.5])
    with pytest.warns(UserWarning, match="part 1 is empty"):
        random_split(range(2), [0.9, 0.1])
