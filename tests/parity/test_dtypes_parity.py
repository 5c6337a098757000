"""Integers, bytes and NaN beside PyTorch: every op of a kind, in every dtype."""

import itertools
import math

import pytest

pytest.importorskip("torch")

from tests.parity.both import check_same

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")
NAMES = ["uint8", "int8", "int16", "int32", "int64"]
FLOATS = ["float16", "float32", "float64"]
NAN, INF = math.nan, math.inf


@pytest.mark.parametrize("target", [None, *NAMES, "float32", "float64", "bool"])
@pytest.mark.parametrize("source", ["bool", *NAMES, *FLOATS])
@pytest.mark.parametrize("op", ["sum", "prod", "cumsum", "cumprod", "nansum"])
def test_sums_and_products_in_every_dtype(op, source, target):
    if op[:3] == "cum" and target == "bool":
        pytest.skip("PyTorch has no such kernel; here it is whether all, or any, of the elements so far are not 0")
    if op == "nansum" and target not in (None, "float32", "float64") and source in FLOATS:
        pytest.skip("PyTorch has no such kernel")

    def program(t):
        x = t.tensor([[1, 100, 3], [0, 2, 100]]).to(getattr(t, source))
        options = {} if target is None else {"dtype": getattr(t, target)}
        return getattr(t, op)(x, *((1,) if op.startswith("cum") else ()), **options)

    check_same(program)


@pytest.mark.parametrize("number", [-1, 3, 200, 300, 70_000])
@pytest.mark.parametrize("source", NAMES)
@pytest.mark.parametrize("op", ["add", "sub", "mul", "lt", "le", "gt", "ge", "eq", "ne", "bitwise_and", "bitwise_or"])
def test_numbers_beyond_a_dtype(op, source, number):
    check_same(lambda t: getattr(t, op)(t.tensor([1, 100, 0], dtype=getattr(t, source)), number))


@pytest.mark.parametrize("number", [0, -1, 3, 256, 300])
@pytest.mark.parametrize("source", NAMES)
@pytest.mark.parametrize("op", ["floor_divide", "remainder", "fmod", "floor", "trunc"])
def test_integers_divided(op, source, number):
    def program(t):
        x = t.tensor([1, 100, 0], dtype=getattr(t, source))
        return t.div(x, number, rounding_mode=op) if op in ("floor", "trunc") else getattr(t, op)(x, number)

    check_same(program)


@pytest.mark.parametrize("value", [-300, -1, 2.7, 100, 200, 300, 1e6, 1e60, NAN, INF, True])
@pytest.mark.parametrize("source", [*NAMES, *FLOATS, "bool"])
@pytest.mark.parametrize("op", ["full_like", "fill_", "masked_fill", "tensor"])
def test_numbers_stored(op, source, value):
    def program(t):
        dtype = getattr(t, source)
        x = t.zeros(2, dtype=dtype)
        if op == "tensor":
            return t.tensor([value], dtype=dtype)
        return (
            x.masked_fill(t.tensor([True, False]), value)
            if op == "masked_fill"
            else (t.full_like(x, value) if op == "full_like" else x.fill_(value))
        )

    check_same(program)


PICKS = {
    "sort": lambda t, x: t.sort(x, stable=True),
    "sort descending": lambda t, x: t.sort(x, descending=True, stable=True),
    "argsort": lambda t, x: t.argsort(x, stable=True),
    "topk": lambda t, x: t.topk(x, 3)[0],
    "topk smallest": lambda t, x: t.topk(x, 3, largest=False)[0],
    "kthvalue": lambda t, x: t.kthvalue(x, 2)[0],
    "median": lambda t, x: t.median(x),
    "nanmedian": lambda t, x: t.nanmedian(x),
    "max": lambda t, x: t.max(x, 0),
    "min": lambda t, x: t.min(x, 0),
    "argmax": lambda t, x: t.argmax(x),
    "cummax": lambda t, x: t.cummax(x, 0),
    "cummin": lambda t, x: t.cummin(x, 0),
    "unique": lambda t, x: t.unique(x, return_inverse=True, return_counts=True),
    "unique_consecutive": lambda t, x: t.unique_consecutive(x, return_counts=True),
    "sign": lambda t, x: t.sign(x),
    "heaviside": lambda t, x: t.heaviside(x, t.ones_like(x)),
    "aminmax": lambda t, x: tuple(t.aminmax(x)),
    "maximum": lambda t, x: t.maximum(x, x.flip(0)),
    "fmin": lambda t, x: t.fmin(x, x.flip(0)),
    "clamp": lambda t, x: t.clamp(x, 0, 1),
    "any": lambda t, x: t.any(x),
    "all": lambda t, x: t.all(x, 0),
}
ROWS = {
    "uint8": [255, 0, 3, 255, 7],
    "int8": [-128, 127, 0, -128, 3],
    "int64": [-(2**63), 2**63 - 1, 0, 5, 5],
    "bool": [True, False, True, False, False],
    "float32": [1.0, NAN, -INF, 1.0, INF],
    "float64": [-0.0, 0.0, NAN, NAN, 2.0],
    "float16": [1.0, NAN, 3.0, 2.0, 3.0],
}


@pytest.mark.parametrize(("op", "row"), list(itertools.product(PICKS, ROWS)))
def test_orders_in_every_dtype(op, row):
    check_same(lambda t: PICKS[op](t, t.tensor(ROWS[row], dtype=getattr(t, row))))


@pytest.mark.parametrize("op", ["relu", "abs", "sign", "max", "min", "median", "nanmedian", "sum", "nansum", "nanmean"])
@pytest.mark.parametrize("values", [[NAN, 1.0, -2.0], [1.0, 1.0, NAN], [2.0, 2.0, -1.0], [INF, -INF, 0.0]])
def test_gradients_at_nan(op, values):
    def program(t):
        x = t.tensor(values, dtype=t.float64, requires_grad=True)
        getattr(t, op)(x).sum().backward()
        return x.grad

    check_same(program)


@pytest.mark.parametrize("op", ["maximum", "minimum", "fmax", "fmin", "clamp_min", "clamp_max"])
def test_gradients_of_pairs_at_nan(op):
    def program(t):
        a = t.tensor([NAN, 1.0, 1.0, NAN, 2.0], dtype=t.float64, requires_grad=True)
        b = t.tensor([1.0, NAN, 1.0, NAN, 3.0], dtype=t.float64, requires_grad=True)
        getattr(t, op)(a, b).sum().backward()
        return a.grad, b.grad

    check_same(program)
