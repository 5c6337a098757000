"""Choosing by bits beside `np.where`."""

import importlib
import importlib.util

import numpy as np
import pytest

from tinygrad_cnn.kernels import definition, numpy_set
from tinygrad_cnn.kernels.choices import choose
from tinygrad_cnn.kernels.chosen import chosen

SETS = [numpy_set, definition]
if importlib.util.find_spec("numba") is not None:  # test_compiled says if it is not
    SETS.append(importlib.import_module("tinygrad_cnn.kernels.compiled"))


@pytest.mark.parametrize("kernels", SETS, ids=lambda kernels: kernels.name)
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int64])
@pytest.mark.parametrize("order", ["C", "F", "HWNC"])
def test_choosing_is_where(kernels, dtype, order, monkeypatch):
    monkeypatch.setattr(chosen, "pick", kernels.pick)
    r = np.random.default_rng(0)

    def laid(x):
        return np.asfortranarray(x) if order == "F" else x.transpose(1, 2, 0) if order == "HWNC" else x

    x, y = (laid((r.standard_normal((20, 30, 40)) * 9).astype(dtype)) for _ in range(2))
    if np.dtype(dtype).kind == "f":
        x[x > 8], y[y < -8] = np.nan, -np.inf
        x[:2], y[:2] = -0.0, 0.0
    condition = laid(r.random((20, 30, 40)) > 0.5)
    for a in (x, 0.0, -0.0, 2.5, 3, np.float64(1.5), x[:, :1], x[::-1]):
        for b in (y, 0.0, -0.0, np.nan, 1):
            found, wanted = choose(condition, a, b), np.where(condition, a, b)
            assert found.dtype == wanted.dtype
            np.testing.assert_array_equal(found, wanted)
            if found.dtype.kind == "f":
                np.testing.assert_array_equal(np.signbit(found), np.signbit(wanted))
