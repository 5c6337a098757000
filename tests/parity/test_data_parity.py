"""Data sets, samplers and loaders beside PyTorch's: the same batches, the same lengths, the same kinds of errors."""

import collections
import warnings
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_cnn as tg

Point = collections.namedtuple("Point", "x y")


def world(package):
    """A package's names, and data sets made with its classes."""
    names = SimpleNamespace(**{name: getattr(package.utils.data, name) for name in tg.utils.data.__all__}, tg=package)

    class Stream(names.IterableDataset):
        def __init__(self, n=5):
            self.n = n

        def __iter__(self):
            return iter(range(self.n))

    class CountedStream(Stream):
        def __len__(self):
            return self.n

    names.Stream, names.CountedStream = Stream, CountedStream
    names.five = names.TensorDataset(package.arange(5), package.arange(5) * 2.0)
    return names


OURS, THEIRS = world(tg), world(torch)


def plain(value):
    """A result as Python objects, with the kinds of containers and dtypes."""
    if isinstance(value, (tg.Tensor, torch.Tensor)):
        return "tensor", str(value.dtype).removeprefix("torch."), value.tolist()
    if isinstance(value, dict):
        return type(value).__name__, {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value).__name__, [plain(inner) for inner in value]
    return value if isinstance(value, (int, float, str, bytes, type(None))) else type(value).__name__


def outcome(names, what):
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        try:
            result = plain(what(names))
        except Exception as error:
            return error, []
    return result, [warning.category for warning in seen]


def compare(what):
    torch.manual_seed(1)
    theirs, their_warnings = outcome(THEIRS, what)
    tg.manual_seed(1)
    ours, our_warnings = outcome(OURS, what)
    if isinstance(theirs, Exception):
        assert isinstance(ours, type(theirs)), (ours, theirs)
    else:
        assert ours == theirs
        assert our_warnings == their_warnings


LOADERS = [
    lambda d: list(d.DataLoader(d.five, 2)),
    lambda d: list(d.DataLoader(d.five, 2, True)),
    lambda d: list(d.DataLoader(d.five, 2, drop_last=True)),
    lambda d: list(d.DataLoader(d.five, 2, pin_memory=True)),
    lambda d: list(d.DataLoader(d.five, 2, shuffle=True, generator=d.tg.Generator().manual_seed(3))),
    lambda d: [list(d.DataLoader(d.five, 2, shuffle=True)), d.tg.rand(1)],
    lambda d: [list(d.DataLoader(d.five, 2)), d.tg.rand(1)],
    lambda d: d.DataLoader(d.five, 2, multiprocessing_context="fork"),
    lambda d: d.DataLoader(d.five, 2, prefetch_factor=2),
    lambda d: d.DataLoader(d.five, 2, num_workers=-2),
    lambda d: d.DataLoader(d.five, 2, timeout=-2),
    lambda d: d.DataLoader(d.five, 2, persistent_workers=True),
    lambda d: list(d.DataLoader(d.five, 2, timeout=2)),
    lambda d: list(d.DataLoader(d.five, None)),
    lambda d: list(d.DataLoader([1, 2.5, np.float32(3), np.arange(2), "a"], None)),
    lambda d: d.DataLoader(d.five, 2.5),
    lambda d: d.DataLoader(d.five, 0),
    lambda d: d.DataLoader(d.five, True),
    lambda d: d.DataLoader(d.five, None, drop_last=True),
    lambda d: d.DataLoader([], shuffle=True),
    lambda d: list(d.DataLoader([])),
    lambda d: len(d.DataLoader(d.five, None)),
    lambda d: len(d.DataLoader(d.five, batch_sampler=[[0, 1], [2]])),
    lambda d: setattr(d.DataLoader(d.five, 2), "batch_size", 3),
    lambda d: setattr(d.DataLoader(d.five, 2), "num_workers", 0),
    lambda d: d.DataLoader(d.five, 2, False, None, [[1]]),
    lambda d: d.DataLoader(d.five, shuffle=True, sampler=[1]),
    lambda d: d.DataLoader(iter([1])),
    lambda d: list(d.DataLoader({0: 1, 1: 2})),
    lambda d: list(d.DataLoader(range(3), sampler=iter([2, 1]))),
    lambda d: len(d.DataLoader(range(3), sampler=iter([2, 1]))),
    lambda d: list(d.DataLoader(d.Stream() + d.Stream(2), 3)),
    lambda d: list(d.DataLoader(d.Stream(), 3, drop_last=True)),
    lambda d: list(d.DataLoader(d.Stream(), None)),
    lambda d: d.DataLoader(d.Stream(), 3, shuffle=True),
    lambda d: d.DataLoader(d.Stream(), 3, sampler=[1]),
    lambda d: len(d.DataLoader(d.Stream(), 3)),
    lambda d: len(d.DataLoader(d.CountedStream(), 3)),
    lambda d: len(d.DataLoader(d.CountedStream(), 3, drop_last=True)),
    lambda d: list(d.DataLoader(d.five, 2, collate_fn=lambda samples: samples[0])),
    lambda d: [
        getattr(d.DataLoader(d.five, batch_sampler=[[0]]), name)
        for name in ("batch_size", "drop_last", "num_workers", "prefetch_factor", "timeout", "in_order")
    ],
]
SAMPLES = [
    [1, 2], [1.0, 2], [True, False], [np.float32(1)], [np.bool_(1)], [None], [b"a"], ["a", "b"], [np.array("a")],
    [np.array(["a"])], [[1, 2], [3]], [(1, 2), (3, 4)], [[1, 2], [3, 4]], [Point(1, 2.0), Point(3, 4.0)],
    [{"a": 1}, {"a": 2, "b": 2}], [{"a": 1, "b": 3}, {"a": 2}], [collections.OrderedDict(a=1)], [], [object()], [{1}],
    [np.arange(3), np.arange(3)], [np.arange(3), np.arange(2)], [np.ones(2, np.int32)], [range(2), range(2)],
    [("x", np.float64(2), [1, 2.5])], [np.str_("a")], [np.uint8(3), np.uint8(4)],
]  # fmt: skip
DATASETS = [
    lambda d: d.TensorDataset(d.tg.ones(2), d.tg.ones(3)),
    lambda d: d.five[[1, 2]],
    lambda d: d.five[1:3],
    lambda d: d.Subset(d.five, [3, 4])[[0, 1]],
    lambda d: d.Subset(d.five, [3, 4]).__getitems__([0, 1]),
    lambda d: d.ConcatDataset([]),
    lambda d: (d.five + d.five)[-11],
    lambda d: (d.five + d.five)[10],
    lambda d: (d.five + d.five)[-1],
    lambda d: (d.five + d.five).cumulative_sizes,
    lambda d: d.ConcatDataset([iter([])]),
    lambda d: d.ConcatDataset([d.Stream()]),
    lambda d: d.StackDataset(),
    lambda d: d.StackDataset([1], a=[1]),
    lambda d: d.StackDataset([1], [1, 2]),
    lambda d: d.StackDataset(d.five, d.five)[1],
    lambda d: d.StackDataset(a=d.five, b=d.five)[1],
    lambda d: d.StackDataset(a=d.five, b=d.five).__getitems__([1, 3]),
    lambda d: list(d.DataLoader(d.StackDataset(d.five, range(5)), 2)),
    lambda d: d.Dataset()[0],
    lambda d: len(d.Dataset()),
    lambda d: len(d.Stream() + d.Stream()),
    lambda d: len(d.CountedStream() + d.CountedStream()),
    lambda d: list(d.ChainDataset([d.five])),
    lambda d: d.random_split(d.five, [3, 3]),
    lambda d: d.random_split(d.five, [0.5, 0.6]),
    lambda d: d.random_split(d.five, [-0.5, 1.5]),
    lambda d: d.random_split(range(3), [1.5, 1.5]),
    lambda d: [part.indices for part in d.random_split(d.five, [0.1, 0.1, 0.8])],
    lambda d: [part.indices for part in d.random_split(range(9), [0.3, 0.3, 0.4])],
    lambda d: [part.indices for part in d.random_split(range(7), [3, 4], d.tg.Generator().manual_seed(2))],
    lambda d: d.get_worker_info(),
]
SAMPLERS = [
    lambda d: list(d.WeightedRandomSampler([1, 0, 2], 4)),
    lambda d: list(d.WeightedRandomSampler([1, 0.1, 2], 3, False)),
    lambda d: list(d.WeightedRandomSampler([1, 0.1, 2], 1)),
    lambda d: list(d.WeightedRandomSampler([1, 0, 2], 4, False)),
    lambda d: list(d.WeightedRandomSampler([-1, 0, 2], 1)),
    lambda d: list(d.WeightedRandomSampler([0, 0], 1)),
    lambda d: d.WeightedRandomSampler([1, 0, 2], 0),
    lambda d: d.WeightedRandomSampler([[1, 0, 2]], 1),
    lambda d: d.WeightedRandomSampler([1], 1, 1),
    lambda d: d.RandomSampler([]),
    lambda d: d.RandomSampler([1], num_samples=-1),
    lambda d: d.RandomSampler([1], replacement=1),
    lambda d: list(d.RandomSampler(range(5), True, 40)),
    lambda d: list(d.RandomSampler(range(5), False, 12)),
    lambda d: list(d.SubsetRandomSampler([4, 7, 1])),
    lambda d: next(iter(d.Sampler())),
    lambda d: d.BatchSampler([1], 0, True),
    lambda d: d.BatchSampler([1], 1, None),
    lambda d: len(d.BatchSampler(iter([1]), 1, True)),
]


@pytest.mark.parametrize("what", LOADERS + DATASETS + SAMPLERS)
def test_the_same_batches_or_the_same_kind_of_error(what):
    compare(what)


@pytest.mark.parametrize("samples", SAMPLES, ids=lambda samples: repr(samples).split(" at 0x")[0])
def test_samples_are_collated_and_converted_alike(samples):
    compare(lambda d: d.default_collate(samples))
    compare(lambda d: d.default_convert(samples))


@settings(max_examples=30)
@given(
    st.integers(0, 13),
    st.one_of(st.none(), st.integers(1, 5)),
    st.booleans(),
    st.booleans(),
    st.sampled_from(["tensors", "list", "subset", "stream"]),
    st.integers(0, 2**40),
)
def test_loaders_draw_the_same_batches(n, size, shuffle, drop_last, kind, seed):
    def epochs(d):
        data = {
            "tensors": d.TensorDataset(d.tg.arange(n), d.tg.arange(n) / 2),
            "list": [(k, str(k), {"half": k / 2}) for k in range(n)],
            "subset": d.Subset(d.TensorDataset(d.tg.arange(2 * n)), range(1, 2 * n, 2)),
            "stream": d.CountedStream(n),
        }[kind]
        d.tg.manual_seed(seed)
        loader = d.DataLoader(data, size, shuffle=shuffle, drop_last=drop_last)
        return [len(loader), list(loader), list(loader)]

    compare(epochs)


PASSES = {
    "shuffled loader": lambda d, n, g: d.DataLoader(d.TensorDataset(d.tg.arange(n)), 3, shuffle=True, generator=g),
    "shuffled loader of few": lambda d, n, g: d.DataLoader(range(n), n + 1, shuffle=True, generator=g),
    "loader in order": lambda d, n, g: d.DataLoader(range(n), 2, generator=g),
    "loader of samples": lambda d, n, g: d.DataLoader(range(n), None, shuffle=True, generator=g),
    "RandomSampler": lambda d, n, g: d.RandomSampler(range(n), generator=g),
    "RandomSampler of fewer": lambda d, n, g: d.RandomSampler(range(n), num_samples=max(n // 2, 1), generator=g),
    "RandomSampler of more": lambda d, n, g: d.RandomSampler(range(n), num_samples=2 * n + 1, generator=g),
    "RandomSampler of twice as many": lambda d, n, g: d.RandomSampler(range(n), num_samples=2 * n, generator=g),
    "RandomSampler with replacement": lambda d, n, g: d.RandomSampler(range(n), True, generator=g),
    "RandomSampler with replacement, 64": lambda d, n, g: d.RandomSampler(range(n), True, 64, generator=g),
    "SubsetRandomSampler": lambda d, n, g: d.SubsetRandomSampler(range(5, 5 + n), generator=g),
    "WeightedRandomSampler": lambda d, n, g: d.WeightedRandomSampler(range(1, n + 1), n, generator=g),
    "WeightedRandomSampler once": lambda d, n, g: d.WeightedRandomSampler(range(1, n + 1), n, False, generator=g),
    "BatchSampler": lambda d, n, g: d.BatchSampler(d.RandomSampler(range(n), generator=g), 3, False),
    "BatchSampler that drops": lambda d, n, g: d.BatchSampler(d.RandomSampler(range(n), generator=g), 3, True),
    "loader of a BatchSampler": lambda d, n, g: d.DataLoader(
        range(n), batch_sampler=d.BatchSampler(d.RandomSampler(range(n), generator=g), 4, True), generator=g
    ),
    "loader of a sampler": lambda d, n, g: d.DataLoader(
        range(n), 4, sampler=d.WeightedRandomSampler(range(1, n + 1), n, generator=g)
    ),
}
"""What is gone through again and again."""


@pytest.mark.parametrize("own", [False, True], ids=["common generator", "own generator"])
@pytest.mark.parametrize("name", PASSES)
def test_the_first_pass_to_the_tenth(name, own):
    def passes(d):
        found = []
        for n in (1, 2, 7, 16, 40):
            generator = d.tg.Generator().manual_seed(n) if own else None
            again = PASSES[name](d, n, generator)
            found += [[plain(batch) for batch in again] for _ in range(10)]
            found.append(d.tg.rand(2, generator=generator))
        return found

    compare(passes)


@pytest.mark.parametrize("drop_last", [False, True])
@pytest.mark.parametrize("shuffle", [False, True])
def test_parts_for_several_processes(shuffle, drop_last):
    def passes(d):
        found = []
        for n, replicas in [(10, 1), (10, 3), (2, 5), (9, 3)]:
            for rank in range(replicas):
                sampler = d.DistributedSampler(range(n), replicas, rank, shuffle, 3, drop_last)
                found.append(len(sampler))
                if n > replicas:
                    for epoch in range(10):
                        sampler.set_epoch(epoch)
                        found.append(list(sampler))
        return found

    compare(passes)
    compare(lambda d: d.DistributedSampler(range(3), 2, 2))


def test_random_split_of_the_tenth_pass():
    def splits(d):
        own = d.tg.Generator().manual_seed(2)
        return [
            [list(part.indices) for part in d.random_split(range(11), lengths, generator)]
            for _ in range(10)
            for lengths in ([4, 7], [0.3, 0.3, 0.4])
            for generator in (own, d.tg.default_generator)
        ]

    compare(splits)
