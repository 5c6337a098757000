"""What is said of PyTorch's names that are not here is said of names that are not here."""

import pytest

import tinygrad_cnn as tg
from tinygrad_cnn.torch_names.absent import OF_PACKAGE, OF_TENSORS


def test_nothing_that_is_here_is_called_absent():
    assert not set(OF_PACKAGE) & set(tg.__all__)
    assert not set(OF_TENSORS) & set(dir(tg.Tensor))


@pytest.mark.parametrize("name", ["hardshrink"])
def test_a_missing_method_names_the_function_that_is_here(name):
    assert callable(getattr(tg, name))
    with pytest.raises(AttributeError, match=rf"'Tensor' object has no attribute '{name}', .*{name}\(x\)"):
        getattr(tg.ones(2, 2), name)


def test_a_missing_name_says_what_is_nearest():
    with pytest.raises(AttributeError, match=r"float8_e5m2.*float16, float32 and float64"):
        tg.float8_e5m2
    with pytest.raises(AttributeError, match="__array_struct__"):
        tg.ones(2).__array_struct__
