"""A loader that goes on where another one was gives what that one would have given: batches and random numbers."""

import io
import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_cnn as tg
from tinygrad_cnn.utils import data
from tinygrad_cnn.utils.data import DataLoader, Dataset, IterableDataset, TensorDataset

N = 7


class Noisy(Dataset):
    """Draws a number for each sample, as augmentation does: in a worker from the worker's generator."""

    def __len__(self):
        return N

    def __getitem__(self, index):
        return index, tg.rand(()).item()


class Varied(Noisy):
    """Draws in every way that a generator has, NumPy's included, which is kept from the first sample on."""

    numpy = None

    def __getitem__(self, index):
        self.numpy = self.numpy or tg.random.default_generator.numpy
        ways = [
            lambda: tg.randn(()).item(),  # made in pairs, the second waits
            lambda: tg.randn(17).sum().item(),
            lambda: self.numpy.random(),
            lambda: int(tg.poisson(tg.tensor([3.0])).item()),
            lambda: tg.randperm(4).tolist()[0],
            lambda: tg.manual_seed(index).initial_seed(),
        ]
        return index, float(ways[index % len(ways)]())


class Counting(Noisy):
    """Knows how often it was asked, and tells that."""

    def __init__(self):
        self.asked = 0

    def __getitem__(self, index):
        self.asked += 1
        return index, self.asked

    def state_dict(self):
        return {"asked": self.asked}

    def load_state_dict(self, state):
        self.asked = state["asked"]


class Stream(IterableDataset):
    """Each worker has a part of it, and draws a number for each sample."""

    def __iter__(self):
        info = data.get_worker_info()
        for k in range(N)[info.id :: info.num_workers] if info else range(N):
            yield k, tg.rand(()).item()


class Lazy(IterableDataset):
    """A stream that is its own iterator and knows its place; reading it again would take longer than any test."""

    def __init__(self):
        self.place = 0

    def __iter__(self):
        self.place = 0
        return self

    def __next__(self):
        if self.place == N:
            raise StopIteration
        self.place += 1
        return self.place, tg.rand(()).item()

    def state_dict(self):
        return {"place": self.place}

    def load_state_dict(self, state):
        self.place = state["place"]


class Walk(data.Sampler):
    """Goes on from wherever it is, and draws between its numbers, so that it has to tell its place."""

    def __init__(self):
        self.done = 0

    def __iter__(self):
        while self.done < N:
            self.done += 1
            yield int(tg.randint(0, N, ()).item())
        self.done = 0

    def __len__(self):
        return N

    def state_dict(self):
        return {"done": self.done}

    def load_state_dict(self, state):
        self.done = state["done"]


class Eager(data.Sampler):
    """Draws when its iteration begins, not when the first number is taken."""

    def __iter__(self):
        return iter(tg.randperm(N).tolist())

    def __len__(self):
        return N


def own(seed=3):
    return tg.Generator().manual_seed(seed)


MAKE = {
    "in order": lambda **o: DataLoader(Noisy(), 3, **o),
    "shuffled": lambda **o: DataLoader(Noisy(), 3, shuffle=True, **o),
    "every way to draw": lambda **o: DataLoader(Varied(), 1, **o),
    "its own generator": lambda **o: DataLoader(Noisy(), 3, shuffle=True, generator=own(), **o),
    "without a rest": lambda **o: DataLoader(Noisy(), 3, shuffle=True, drop_last=True, **o),
    "samples, not batches": lambda **o: DataLoader(Noisy(), None, shuffle=True, **o),
    "tensors": lambda **o: DataLoader(TensorDataset(tg.arange(N), tg.arange(N) * 2), 3, shuffle=True, **o),
    "replacement": lambda **o: DataLoader(Noisy(), 9, sampler=data.RandomSampler(range(N), True, 40, own()), **o),
    "weighted": lambda **o: DataLoader(Noisy(), 3, sampler=data.WeightedRandomSampler([1.0] * N, 9), **o),
    "subset": lambda **o: DataLoader(Noisy(), 3, sampler=data.SubsetRandomSampler([1, 4, 2, 6], own()), **o),
    "batches of a sampler": lambda **o: DataLoader(Noisy(), batch_sampler=data.BatchSampler(Eager(), 4, False), **o),
    "a sampler that draws at once": lambda **o: DataLoader(Noisy(), 3, sampler=Eager(), **o),
    "stream": lambda **o: DataLoader(Stream(), 3, **o),
    "stream of samples": lambda **o: DataLoader(Stream(), None, **o),
    "stream without a rest": lambda **o: DataLoader(Stream(), 2, drop_last=True, **o),
    "stream that knows its place": lambda **o: DataLoader(Lazy(), 3, **o),
    "data that know how often they were asked": lambda **o: DataLoader(Counting(), 3, shuffle=True, **o),
}
ALONE = {"a sampler that knows its place": lambda **o: DataLoader(Noisy(), 3, sampler=Walk(), **o)}
"""With workers ahead of the program, this one's numbers would depend on when the program draws its own."""
WORKERS = [{}, {"num_workers": 3}, {"num_workers": 2, "persistent_workers": True}]


def run(loader, passes):
    """What a program sees of a loader and of the common generator, pass by pass."""
    for number in range(passes):
        for batch in loader:
            yield number, repr(batch), tg.rand(2).tolist()
        yield number, "end", tg.rand(1).tolist()


def through_a_file(value):
    file = io.BytesIO()
    tg.save(value, file)
    file.seek(0)
    return tg.load(file)


def taken_up(make, options, stop):
    """The rest of what is seen after so many steps, by another loader in what could be another process."""
    tg.manual_seed(1)
    loader = make(**options)
    flow = run(loader, 3)
    seen = [next(flow) for _ in range(stop)]
    kept = through_a_file({"loader": loader.state_dict(), "rng": tg.get_rng_state()})
    del flow, loader
    tg.manual_seed(99)
    again = make(**options)
    tg.rand(stop)
    tg.set_rng_state(kept["rng"])
    again.load_state_dict(kept["loader"])
    done = sum(what == "end" for _, what, _ in seen)
    return seen + [(number + done, *step) for number, *step in run(again, 3 - done)]


def whole(make, options):
    tg.manual_seed(1)
    return list(run(make(**options), 3))


@pytest.mark.parametrize(("name", "options"), [*itertools.product(MAKE, WORKERS), *((name, {}) for name in ALONE)])
def test_what_comes_after_any_batch_is_what_would_have_come(name, options):
    make = {**MAKE, **ALONE}[name]
    expected = whole(make, options)
    assert len({what for _, what, _ in expected}) > 3
    for stop in range(len(expected) + 1):
        assert taken_up(make, options, stop) == expected, stop


@settings(max_examples=20)
@given(st.sampled_from(sorted(MAKE)), st.sampled_from(WORKERS), st.data())
def test_it_can_be_taken_up_again_and_again(name, options, draw):
    expected = whole(MAKE[name], options)
    tg.manual_seed(1)
    loader, seen, number = MAKE[name](**options), [], 0
    while number < 3:
        steps = draw.draw(st.integers(0, 4))
        flow = run(loader, 3 - number)
        for step in flow:
            seen.append((number, *step[1:]))
            number += step[1] == "end"
            steps -= 1
            if steps <= 0:
                break
        kept = through_a_file({"loader": loader.state_dict(), "rng": tg.get_rng_state()})
        flow.close()
        tg.manual_seed(50)
        loader = MAKE[name](**options)
        loader.load_state_dict(kept["loader"])
        tg.set_rng_state(kept["rng"])
    assert seen == expected


def test_a_generator_that_the_program_draws_from_too_goes_on():
    def steps(generator, loader):
        for number in range(2):
            for batch in loader:
                yield number, batch.tolist(), tg.rand(1, generator=generator).item()

    def made():
        generator = own()
        return generator, DataLoader(list(range(N)), 2, shuffle=True, generator=generator)

    expected = list(steps(*made()))
    for stop in range(1, 5):
        generator, loader = made()
        flow = steps(generator, loader)
        seen = [next(flow) for _ in range(stop)]
        generator, again = made()
        again.load_state_dict(loader.state_dict())
        assert [*seen, *steps(generator, again)] == expected


def test_out_of_order_no_sample_is_lost_or_comes_twice():
    options = {"batch_size": 2, "shuffle": True, "num_workers": 3, "in_order": False}
    for stop in range(5):
        loader = DataLoader(list(range(N)), **options)
        flow = iter(loader)
        seen = [k for _ in range(stop) for k in next(flow).tolist()]
        again = DataLoader(list(range(N)), **options)
        again.load_state_dict(through_a_file(loader.state_dict()))
        assert sorted(seen + [k for batch in again for k in batch.tolist()]) == list(range(N))


def test_what_a_worker_was_prepared_with_is_prepared_again():
    class Told(Dataset):
        offset = 0

        def __len__(self):
            return N

        def __getitem__(self, index):
            return index + self.offset, tg.rand(()).item()

    def prepare(number):
        data.get_worker_info().dataset.offset = 100 * number + int(tg.randint(0, 9, ()).item())

    def make(**options):
        return DataLoader(Told(), 2, worker_init_fn=prepare, num_workers=2, **options)

    for options in ({}, {"persistent_workers": True}):
        if options:  # only of the first pass: later ones would be prepared with numbers of their own
            expected = whole(make, options)[:5]
            assert [taken_up(make, options, stop)[:5] for stop in range(5)] == [expected] * 5
        else:
            expected = whole(make, options)
            assert [taken_up(make, options, stop) for stop in range(len(expected))] == [expected] * len(expected)


def test_the_state_does_not_change_when_the_loader_goes_on():
    loader = DataLoader(Counting(), 2, num_workers=2)
    flow = iter(loader)
    next(flow)
    state = loader.state_dict()
    before = repr(state)
    list(flow)
    assert repr(state) == before


def test_before_the_next_iteration_it_tells_what_it_was_told():
    first = DataLoader(Noisy(), 2)
    next(iter(first))
    second = DataLoader(Noisy(), 2)
    second.load_state_dict(first.state_dict())
    assert second.state_dict()["batches"] == 1
    second.load_state_dict({})
    assert (second.state_dict()["batches"], len(list(second))) == (0, 4)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"batch_size": 3}, "batch_size 2, not 3"),
        ({"drop_last": True}, "drop_last False, not True"),
        ({"num_workers": 1}, "num_workers 0, not 1"),
        ({"generator": own()}, "generators 0, not 1"),
        ({"dataset": range(5)}, "samples 7, not 5"),
    ],
)
def test_the_state_of_a_loader_of_another_making_is_refused(change, said):
    state = DataLoader(range(N), batch_size=2).state_dict()
    with pytest.raises(ValueError, match=said):
        DataLoader(**{"dataset": range(N), "batch_size": 2, **change}).load_state_dict(state)


@pytest.mark.parametrize("state", [{"batches": 3}, [1], "batches"])
def test_what_is_no_state_is_refused(state):
    with pytest.raises(ValueError, match="what state_dict of a DataLoader gave"):
        DataLoader(range(N)).load_state_dict(state)
