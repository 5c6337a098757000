"""Which kernels are in use."""

import importlib.util

import pytest

import tinygrad_cnn as tg


@pytest.fixture(autouse=True)
def numpys():
    before = tg.get_kernels()
    tg.set_kernels("numpy")
    yield
    tg.set_kernels(before)


@pytest.mark.parametrize("name", ["", "fast", None, 1])
def test_unknown_kernels_are_refused(name):
    with pytest.raises(ValueError, match='must be "numpy", "numba" or "definition"'):
        tg.set_kernels(name)
    assert tg.get_kernels() == "numpy"


def test_without_numba_it_is_said_how_to_get_it(monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(importlib.util, "find_spec", lambda name: None)
        with pytest.raises(ImportError, match=r"tinygrad-cnn\[fast\]"):
            tg.set_kernels("numba")
    assert tg.get_kernels() == "numpy"
