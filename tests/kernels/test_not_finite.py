"""NaN and infinity: both sets of kernels give the same kinds of numbers, in values and in derivatives."""

import importlib.util

import numpy as np
import pytest

import tinygrad_cnn as tg
from scripts.digits import NAMES
from scripts.false_failures import differentiated
from tests.profiles import THOROUGH
from tinygrad_cnn.core.op import registry
from tinygrad_cnn.gradcheck.drawing import RandomDraw
from tinygrad_cnn.tensor import Tensor

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("numba") is None, reason='Numba is not installed: pip install "tinygrad-cnn[fast]"'
)
SPECIAL = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0])
SEEDS = range(60 if THOROUGH else 6)


def planted(name, seed, dtype):
    """A sample in which some numbers are NaN or infinite."""
    random = np.random.default_rng(seed)
    op = registry[name]
    inputs, options = op.sample(RandomDraw(random))
    arrays = []
    for a in inputs:
        a = np.array(a)
        if a.dtype.kind == "f":
            a = a.astype(dtype)
            where = random.random(a.shape) < random.choice([0.05, 0.3])
            a[where] = random.choice(SPECIAL, where.sum())
        arrays.append(a)
    return op, arrays, options, random


def kinds(array):
    """NaN, infinity, minus infinity, or finite, of each element."""
    return np.select([np.isnan(array), np.isposinf(array), np.isneginf(array)], ["nan", "inf", "-inf"], "finite")


@np.errstate(all="ignore")
def outcome(kernels, name, seed, dtype):
    """What comes out with these kernels: the value and the derivatives, or the kind of error."""
    op, arrays, options, random = planted(name, seed, dtype)
    wanted = differentiated(op, len(arrays))
    tensors = [
        Tensor(a, requires_grad=op.differentiable and k in wanted and a.dtype.kind == "f") for k, a in enumerate(arrays)
    ]
    tg.set_kernels(kernels)
    try:
        y = op.apply(*tensors, **options)
        y = y[0] if op.aux else y
        if y.requires_grad:
            y.backward(Tensor(random.standard_normal(y.shape).astype(y.numpy().dtype)))
    except (ValueError, ArithmeticError, RuntimeError, np.linalg.LinAlgError) as error:
        return type(error).__name__, []
    return "", [y.detach().numpy(), *(t.grad.numpy() for t in tensors if t.grad is not None)]


@pytest.fixture(autouse=True)
def as_before():
    before = tg.get_kernels()
    yield
    tg.set_kernels(before)


@pytest.mark.parametrize("name", NAMES)
def test_both_sets_of_kernels_agree_on_what_is_not_finite(name):
    for seed in SEEDS:
        dtype = np.float32 if seed % 2 else np.float64
        (mine, ours), (theirs, others) = (outcome(kernels, name, seed, dtype) for kernels in ("numpy", "numba"))
        assert (mine, len(ours)) == (theirs, len(others))
        for a, b in zip(ours, others, strict=True):
            np.testing.assert_array_equal(kinds(a), kinds(b), err_msg=f"{name}, sample {seed}")
