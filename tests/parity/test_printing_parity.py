"""repr of tensors against PyTorch's, character by character."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import tinygrad_cnn as tg

torch = pytest.importorskip("torch")

DTYPES = ["float32", "float64", "float16", "int64", "int32", "int16", "int8", "uint8", "bool"]
SHAPES = hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=7)


@st.composite
def arrays(draw):
    dtype = draw(st.sampled_from(DTYPES))
    shape = draw(SHAPES)
    if not dtype.startswith("float"):
        return draw(hnp.arrays(dtype, shape))
    unit = 10.0 ** draw(st.integers(-8, 10))
    special = st.sampled_from([0.0, -0.0, 1.0, -1.0, math.nan, math.inf, -math.inf, 0.5])
    numbers = draw(
        st.sampled_from(
            [
                st.integers(-1000, 1000).map(float),
                st.floats(-1, 1).map(lambda v: v * unit),
                st.integers(-20, 20).map(lambda v: v / 4),
                st.integers(-99999, 99999).map(lambda v: v * unit),
            ]
        )
    )
    elements = st.one_of(numbers, special) if draw(st.booleans()) else numbers
    with np.errstate(over="ignore"):
        return draw(hnp.arrays(np.float64, shape, elements=elements)).astype(dtype)


@settings(max_examples=150, deadline=None)
@given(arrays(), st.booleans())
def test_repr(values, wants_grad):
    wants_grad = wants_grad and values.dtype.kind == "f"
    mine = tg.tensor(values, requires_grad=wants_grad)
    theirs = torch.tensor(values, requires_grad=wants_grad)
    assert repr(mine) == repr(theirs)
    assert str(mine) == str(theirs)


@pytest.mark.parametrize(
    "shape",
    [(1001,), (40, 40), (1200, 1), (1, 1500), (11, 11, 11), (2, 600), (7, 8, 30), (3, 2, 5, 40), (1, 1, 1, 2000)],
)
@pytest.mark.parametrize("dtype", ["float32", "int64", "bool"])
def test_summaries(shape, dtype):
    values = (np.arange(math.prod(shape)).reshape(shape) * 0.37).astype(dtype)
    assert repr(tg.tensor(values)) == repr(torch.tensor(values))


OPTIONS = [
    {"precision": 2},
    {"threshold": 5, "edgeitems": 1},
    {"linewidth": 40},
    {"profile": "short"},
    {"profile": "full"},
    {"sci_mode": True},
    {"sci_mode": False},
    {"precision": 8, "linewidth": 120},
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize(
    "values", [np.arange(60.0).reshape(3, 20) / 7, np.arange(5), np.array([1e-9, 1.0]), np.ones(2000)]
)
def test_options(options, values):
    try:
        tg.set_printoptions(**options)
        torch.set_printoptions(**options)
        assert repr(tg.tensor(values)) == repr(torch.tensor(values))
    finally:
        tg.set_printoptions(profile="default")
        torch.set_printoptions(profile="default")


def made(lib):
    x = lib.ones(2, 3, requires_grad=True)
    y = lib.ones(3, 2, requires_grad=True)
    return {
        "add": x + 1,
        "sub": x - 1,
        "mul": x * 2,
        "div": x / 2,
        "neg": -x,
        "pow": x**2,
        "pow of tensors": x**x,
        "mm": x @ y,
        "addmm": lib.nn.functional.linear(x, y.t(), lib.ones(2)),
        "sum": x.sum(),
        "sum of a dim": x.sum(0),
        "mean": x.mean(),
        "mean of a dim": x.mean(1),
        "exp": x.exp(),
        "log": x.log(),
        "sqrt": x.sqrt(),
        "sin": x.sin(),
        "tanh": x.tanh(),
        "sigmoid": x.sigmoid(),
        "relu": x.relu(),
        "softmax": x.softmax(1),
        "log_softmax": x.log_softmax(1),
        "clamp": x.clamp(0, 1),
        "abs": x.abs(),
        "view": x.view(-1),
        "permute": x.permute(1, 0),
        "expand": x.expand(4, 2, 3),
        "cat": lib.cat([x, x]),
        "where": lib.where(x > 0, x, 2 * x),
        "clone": x.clone(),
        "max": x.max(0).values,
        "prod": x.prod(),
        "std": x.std(),
        "var": x.var(),
        "cumsum": x.cumsum(0),
        "gather": x.gather(0, lib.zeros(1, 3, dtype=lib.int64)),
        "double": x.double(),
        "maximum": lib.maximum(x, x),
        "logsumexp": x.logsumexp(0),
        "asin": x.asin(),
        "cross_entropy": lib.nn.functional.cross_entropy(x, lib.tensor([0, 1])),
        "conv2d": lib.nn.functional.conv2d(x[None, None], lib.ones(1, 1, 1, 1)),
        "max_pool2d": lib.nn.functional.max_pool2d(x[None, None], 2),
        "leaky_relu": lib.nn.functional.leaky_relu(x),
        "set": written(lib),
    }


def written(lib):
    x = lib.ones(2, requires_grad=True) * 1
    x[0] = 3
    return x


NAMES = list(made(tg))


@pytest.mark.parametrize("name", NAMES)
def test_the_name_of_what_made_it(name):
    assert repr(made(tg)[name]) == repr(made(torch)[name])
