"""How long a row of a derivative takes decides how many are asked: one slow call must not cut a map short."""

import numpy as np

from tinygrad_cnn.core.op import registry
from tinygrad_cnn.teach import derivatives


def test_a_first_call_that_is_slow_leaves_the_map_whole(monkeypatch):
    calls = iter(range(10**6))
    clock = [0.0]

    def ticking():
        clock[0] += 0.45 if next(calls) == 1 else 1e-5  # the first row is slow, all others are quick
        return clock[0]

    monkeypatch.setattr(derivatives, "perf_counter", ticking)
    monkeypatch.setattr(derivatives, "PATIENCE", 10.0)
    x = np.random.default_rng(0).standard_normal((10, 8)).astype(np.float32)
    applied = derivatives.Applied(registry["Softmax"], (x,), {"axis": 1})
    found = derivatives._rows(applied, 0, applied.forward()[0], None)
    assert found.only is None
    assert len(found.rows) == x.size + 1


def test_rows_that_are_all_slow_are_asked_for_the_largest_cotangents_only(monkeypatch):
    clock = [0.0]

    def ticking():
        clock[0] += 1.0
        return clock[0]

    monkeypatch.setattr(derivatives, "perf_counter", ticking)
    monkeypatch.setattr(derivatives, "PATIENCE", 2.5)
    x = np.random.default_rng(0).standard_normal((10, 8)).astype(np.float32)
    g = np.arange(80.0, dtype=np.float32).reshape(10, 8)
    applied = derivatives.Applied(registry["Softmax"], (x,), {"axis": 1})
    found = derivatives._rows(applied, 0, applied.forward()[0], g)
    np.testing.assert_array_equal(found.only, np.arange(71, 80))
