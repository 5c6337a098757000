"""Worker threads: what comes out is what one thread makes, and none is left behind."""

import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_cnn as tg
from tinygrad_cnn.utils.data import DataLoader, Dataset, IterableDataset, TensorDataset, get_worker_info


@pytest.fixture(autouse=True)
def no_thread_is_left():
    before = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) <= before


class Slow(Dataset):
    """Each third sample takes its time."""

    def __init__(self, n):
        self.n = n

    def __len__(self):
        return self.n

    def __getitem__(self, index):
        time.sleep(0.002 * (index % 3 == 0))
        return index


class Stream(IterableDataset):
    def __init__(self, n):
        self.first, self.n = 0, n

    def __iter__(self):
        return iter(range(self.first, self.n))


class SharedStream(Stream):
    def __iter__(self):
        info = get_worker_info()
        return iter(range(self.n)[info.id :: info.num_workers] if info else range(self.n))


@settings(max_examples=15)
@given(st.integers(0, 20), st.integers(1, 4), st.integers(1, 3), st.integers(0, 3), st.booleans())
def test_batches_come_in_order(n, size, workers, ahead, persistent):
    loader = DataLoader(Slow(n), size, num_workers=workers, prefetch_factor=ahead, persistent_workers=persistent)
    for _ in range(2):
        assert [b.tolist() for b in loader] == [b.tolist() for b in DataLoader(Slow(n), size)]


def test_tensor_data_sets_and_random_orders():
    def orders(workers):
        tg.manual_seed(5)
        loader = DataLoader(TensorDataset(tg.arange(20)), 3, shuffle=True, num_workers=workers)
        return [[b.tolist() for (b,) in loader] for _ in range(2)]

    assert orders(0) == orders(2)


def test_as_soon_as_they_are_made():
    loader = DataLoader(Slow(20), 2, num_workers=3, in_order=False)
    assert sorted(k for b in loader for k in b.tolist()) == list(range(20))


def test_random_numbers_do_not_depend_on_who_is_faster():
    class Noise(Slow):
        def __getitem__(self, index):
            return super().__getitem__(index) + tg.rand(1)

    def epoch(seed):
        tg.manual_seed(seed)
        return [x.tolist() for x in DataLoader(Noise(12), 2, num_workers=3)]

    assert epoch(1) == epoch(1)
    assert epoch(1) != epoch(2)
    flat = [x[0] % 1 for batch in epoch(1) for x in batch]
    assert len({round(x, 4) for x in flat}) == 12


def test_streams_share_the_work_or_repeat_it():
    assert [b.tolist() for b in DataLoader(SharedStream(5), 2, num_workers=2)] == [[0, 2], [1, 3], [4]]
    assert [b.tolist() for b in DataLoader(Stream(3), 2, num_workers=2)] == [[0, 1], [0, 1], [2], [2]]
    assert [b.tolist() for b in DataLoader(Stream(3), 2, drop_last=True, num_workers=2)] == [[0, 1], [0, 1]]
    assert list(DataLoader(SharedStream(3), None, num_workers=2)) == [0, 1, 2]


def test_workers_are_prepared_with_a_copy_of_the_data_set():
    def prepare(worker_id):
        info = get_worker_info()
        assert (info.id, info.num_workers) == (worker_id, 2)
        info.dataset.first, info.dataset.n = (0, 2) if worker_id == 0 else (2, 5)
        calls.append(info.seed)

    calls, data = [], Stream(5)
    loader = DataLoader(data, num_workers=2, worker_init_fn=prepare, persistent_workers=True)
    for _ in range(2):
        assert [b.item() for b in loader] == [0, 2, 1, 3, 4]
    assert (data.first, data.n) == (0, 5)
    assert len(calls) == 2
    assert abs(calls[1] - calls[0]) == 1
    assert get_worker_info() is None


def test_an_early_end_leaves_no_thread():
    for batch in DataLoader(Slow(100), 4, num_workers=3):
        assert batch.tolist() == [0, 1, 2, 3]
        break
    loader = DataLoader(Slow(100), num_workers=2, persistent_workers=True)
    assert next(iter(loader)).item() == next(iter(loader)).item() == 0


def test_an_exception_in_the_loop_leaves_no_thread():
    def interrupted():
        for _ in DataLoader(Slow(100), num_workers=2):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()


class Broken(Slow):
    def __getitem__(self, index):
        if index == 5:
            raise KeyError("five is missing")
        return index


def test_exceptions_of_workers_are_raised_with_their_traceback():
    seen = []
    with pytest.raises(KeyError, match="five is missing") as caught:
        seen.extend(batch.tolist() for batch in DataLoader(Broken(20), 2, num_workers=2))
    assert seen == [[0, 1], [2, 3]]
    text = "".join(traceback.format_exception(caught.value))
    assert 'raise KeyError("five is missing")' in text
    assert "raised in DataLoader worker 0" in text
    with pytest.raises(ZeroDivisionError):
        list(DataLoader(Slow(3), num_workers=1, worker_init_fn=lambda k: 1 / k))


@pytest.mark.parametrize("end", [SystemExit, KeyboardInterrupt, GeneratorExit, MemoryError])
def test_a_worker_that_dies_takes_the_iteration_with_it(end):
    class Deadly(Slow):
        def __getitem__(self, index):
            if index == 5:
                raise end("of this worker")
            return index

    with pytest.raises(end, match="of this worker"):
        list(DataLoader(Deadly(20), 2, num_workers=2))


def slowly(samples):
    time.sleep(1e-4)
    return tg.utils.data.default_collate(samples)


ITERATORS = {
    "here": lambda: DataLoader(Slow(40), 2),
    "arrays": lambda: DataLoader(TensorDataset(tg.arange(40)), 2, True, collate_fn=lambda s: slowly([k for (k,) in s])),
    "a stream": lambda: DataLoader(Stream(40), 2, collate_fn=slowly),
    "workers": lambda: DataLoader(Slow(40), 2, num_workers=2),
    "as they come": lambda: DataLoader(Slow(40), 2, num_workers=2, in_order=False),
}


@pytest.mark.parametrize("kind", ITERATORS)
def test_threads_may_share_an_iterator(kind):
    batches, seen = iter(ITERATORS[kind]()), []

    def take(_):
        for batch in batches:
            seen.append(batch.tolist())  # noqa: PERF401  several threads append

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(take, range(4)))
    assert sorted(k for batch in seen for k in batch) == list(range(40))
    assert all(len(batch) == 2 for batch in seen)


def test_a_data_set_that_asks_its_own_iterator_is_told():
    class Circle(Slow):
        def __getitem__(self, index):
            return next(batches)

    batches = iter(DataLoader(Circle(3)))
    with pytest.raises(ValueError, match="already executing"):
        next(batches)


def test_a_batch_that_does_not_come_in_time_is_an_error():
    class Hanging(Slow):
        def __getitem__(self, index):
            gate.wait()

    gate = threading.Event()
    try:
        with pytest.raises(RuntimeError, match=r"no batch came within 0\.05 seconds"):
            list(DataLoader(Hanging(3), num_workers=1, timeout=0.05))
    finally:
        gate.set()
    for thread in threading.enumerate():
        if thread.name.startswith("DataLoader"):
            thread.join()
