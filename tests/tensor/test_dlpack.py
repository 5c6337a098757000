"""DLPack: memory is shared with NumPy's arrays, both ways."""

import numpy as np
import pytest

import tinygrad_cnn as tg


def test_memory_is_shared_both_ways():
    t = tg.zeros(2, 3)
    a = np.from_dlpack(t)
    a[0, 1] = 5
    assert t.tolist() == [[0, 5, 0], [0, 0, 0]]
    again = tg.from_dlpack(a.T)
    again.fill_(1)
    assert t.sum().item() == 6
    assert again.shape == (3, 2)
    assert tg.from_dlpack(t) is not t
    assert np.shares_memory(tg.from_dlpack(t), t)
    assert not np.shares_memory(tg.from_dlpack(a, copy=True), t)


@pytest.mark.parametrize("dtype", ["float16", "float64", "int8", "int64", "uint8", "bool"])
def test_dtypes_stay(dtype):
    assert tg.from_dlpack(np.zeros(2, dtype)).dtype == getattr(tg, dtype)


def test_a_tensor_of_read_only_memory_gives_a_copy():
    a = np.zeros(2, np.float32)
    a.flags.writeable = False
    assert not np.shares_memory(np.from_dlpack(tg.from_numpy(a)), a)


def test_what_cannot_be_exchanged_is_refused():
    x = tg.ones(2, requires_grad=True)
    for call in (lambda: np.from_dlpack(x), lambda: tg.from_dlpack(x)):
        with pytest.raises(BufferError, match="requires a gradient"):
            call()
    with pytest.raises(TypeError, match="a list has no __dlpack__"):
        tg.from_dlpack([1.0])
    with pytest.raises(BufferError, match="streams"):
        x.detach().__dlpack__(stream=1)
    assert x.__dlpack_device__() == (1, 0)
