"""DataLoader: every sample once, in the order asked for."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_cnn as tg
from tinygrad_cnn.utils.data import BatchSampler, DataLoader, Dataset, IterableDataset, Subset, TensorDataset


class Squares(Dataset):
    def __init__(self, n):
        self.n = n

    def __getitem__(self, index):
        return {"x": index, "y": (np.full(2, index**2), f"{index}")}

    def __len__(self):
        return self.n


@given(st.integers(1, 12), st.integers(1, 5), st.booleans(), st.booleans())
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
    assert batch["y"][1] == ("0", "1", "2")


def test_a_collate_function_of_ones_own():
    loader = DataLoader(TensorDataset(tg.arange(4)), 2, collate_fn=lambda samples: [x.item() for (x,) in samples])
    assert list(loader) == [[0, 1], [2, 3]]


def test_samplers():
    data = TensorDataset(tg.arange(5))
    assert [b.tolist() for (b,) in DataLoader(data, 2, sampler=[4, 0, 2])] == [[4, 0], [2]]
    loader = DataLoader(data, batch_sampler=[[3, 1], [0]])
    assert [b.tolist() for (b,) in loader] == [[3, 1], [0]]
    assert len(loader) == 2


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"batch_size": 0}, "batch_size is 0; it must be a positive integer"),
        ({"batch_size": 2.5}, r"batch_size is 2\.5"),
        ({"batch_size": True}, r"batch_size is True"),
        ({"batch_size": None, "drop_last": True}, r"batch_size is None, .* excludes drop_last"),
        ({"num_workers": -1}, "num_workers is -1; it must be at least 0"),
        ({"timeout": -1}, "timeout is -1; it must be at least 0"),
        ({"prefetch_factor": 2}, "prefetch_factor is 2; .* needs workers"),
        ({"persistent_workers": True}, "persistent_workers needs num_workers"),
        ({"num_workers": 2, "multiprocessing_context": "fork"}, "workers are threads here"),
        ({"shuffle": True, "sampler": [0]}, "shuffle and a sampler exclude each other"),
        ({"batch_sampler": [[0]], "drop_last": True}, "batch_sampler excludes"),
        ({"batch_sampler": [[0]], "batch_size": 4}, "batch_sampler excludes"),
    ],
)
def test_wrong_settings_are_explained(settings, message):
    with pytest.raises(ValueError, match=message):
        DataLoader(TensorDataset(tg.arange(3)), **settings)


class Stream(IterableDataset):
    def __init__(self, n):
        self.n = n

    def __iter__(self):
        return iter(range(self.n))


class CountedStream(Stream):
    def __len__(self):
        return self.n


@pytest.mark.parametrize("option", [{"shuffle": True}, {"sampler": [0]}, {"batch_sampler": [[0]]}])
def test_a_stream_has_its_own_order(option):
    with pytest.raises(ValueError, match="an IterableDataset has its own order"):
        DataLoader(Stream(3), **option)


@given(st.integers(0, 12), st.integers(1, 5), st.booleans())
def test_a_stream_is_cut_in_batches(n, size, drop_last):
    loader = DataLoader(CountedStream(n), size, drop_last=drop_last)
    batches = [batch.tolist() for batch in loader]
    assert len(batches) == len(loader)
    assert [k for batch in batches for k in batch] == list(range(n // size * size if drop_last else n))
    assert all(len(batch) == size for batch in batches[:-1])


def test_without_a_batch_size_samples_come_as_they_are():
    assert list(DataLoader(Stream(3), None)) == [0, 1, 2]
    a, b = DataLoader([np.ones(2), "x"], batch_size=None)
    assert isinstance(a, tg.Tensor)
    assert b == "x"
    loader = DataLoader(TensorDataset(tg.arange(6)), None, sampler=BatchSampler(range(6), 4, False))
    assert [x.tolist() for (x,) in loader] == [[0, 1, 2, 3], [4, 5]]


def test_a_stream_without_a_length_has_none():
    with pytest.raises(TypeError, match="has no len"):
        len(DataLoader(Stream(3)))


def test_batches_of_a_tensor_data_set_are_those_made_sample_by_sample():
    data = Subset(TensorDataset(tg.randn(7, 2), tg.arange(7)), [6, 2, 0, 5])
    for (x, y), (u, v) in zip(DataLoader(data, 3), DataLoader([data[k] for k in range(4)], 3), strict=True):
        assert x.tolist() == u.tolist()
        assert y.tolist() == v.tolist()


def test_batches_of_tensors_that_want_a_gradient_give_it():
    w = tg.ones(4, requires_grad=True)
    for (batch,) in DataLoader(TensorDataset(w), 3):
        (batch * batch).sum().backward()
    assert w.grad.tolist() == [2.0] * 4


def test_samples_are_asked_for_together_where_that_is_possible():
    class Together(Dataset):
        def __len__(self):
            return 4

        def __getitems__(self, indices):
            return [10 * k for k in indices]

    assert [b.tolist() for b in DataLoader(Together(), 3)] == [[0, 10, 20], [30]]


def test_what_a_loader_was_made_from_cannot_be_set():
    loader = DataLoader(range(3))
    with pytest.raises(ValueError, match="batch_size cannot be set"):
        loader.batch_size = 2
    with pytest.raises(AssertionError, match="without workers"):
        iter(DataLoader(range(3), timeout=1))


def test_pinned_memory_is_said_to_have_no_effect():
    with pytest.warns(UserWarning, match="pin_memory has no effect"):
        assert [b.tolist() for b in DataLoader(range(2), pin_memory=True)] == [[0], [1]]


def test_the_attributes_are_pytorchs():
    loader = DataLoader(range(3), 2)
    assert (loader.batch_size, loader.drop_last, loader.num_workers) == (2, False, 0)
    assert loader.prefetch_factor is None
    assert len(loader.dataset) == 3
    assert DataLoader(range(3), batch_sampler=[[0]]).batch_size is None
    assert DataLoader[int].__origin__ is DataLoader
