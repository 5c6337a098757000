"""Integers, bytes, NaN and many numbers: every op of a kind, in every dtype, against Python's own numbers."""

import math
import operator

import numpy as np
import pytest

import tinygrad_cnn as tg
from tinygrad_cnn import ops

WHOLE = [tg.uint8, tg.int8, tg.int16, tg.int32, tg.int64]
FLOATS = [tg.float16, tg.float32, tg.float64]
SUMS = {
    "sum": sum,
    "prod": math.prod,
    "nansum": sum,
    "cumsum": lambda v: [sum(v[: k + 1]) for k in range(len(v))],
    "cumprod": lambda v: [math.prod(v[: k + 1]) for k in range(len(v))],
}
NAN = math.nan


def called(op, x, **options):
    return getattr(tg, op)(x, *((0,) if op.startswith("cum") else ()), **options)


def modulo(value, dtype):
    """A whole number as this dtype holds it."""
    limits = np.iinfo(dtype.dtype)
    span = int(limits.max) - int(limits.min) + 1
    return (value - int(limits.min)) % span + int(limits.min)


def limits(dtype):
    found = np.iinfo(dtype.dtype)
    return int(found.min), int(found.max)


def by_order(values, descending=False):
    """The places that sort Python's numbers, NaN as the largest; equal ones keep their order."""
    rank = [(1, 0) if math.isnan(v) else (0, v) for v in values]
    sign = -1 if descending else 1
    return sorted(range(len(values)), key=lambda k: (sign * rank[k][0], sign * rank[k][1]))


# ---- integers --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [*WHOLE, tg.bool], ids=str)
@pytest.mark.parametrize("op", SUMS)
def test_sums_and_products_of_integers_are_int64(op, dtype):
    values = [1, 0, 1] if dtype is tg.bool else [limits(dtype)[1] % 120, 3, 2]
    y = called(op, tg.tensor(values, dtype=dtype))
    assert y.dtype is tg.int64
    assert y.tolist() == SUMS[op](values)
    assert called(op, tg.tensor(values, dtype=dtype).numpy()).dtype == np.int64


@pytest.mark.parametrize("dtype", WHOLE, ids=str)
@pytest.mark.parametrize("op", SUMS)
def test_a_dtype_that_is_asked_for_is_kept_and_numbers_wrap_around(op, dtype):
    values = [100, 100, 100]
    y = called(op, tg.tensor(values), dtype=dtype)
    expected = SUMS[op](values)
    assert y.dtype is dtype
    assert y.tolist() == ([modulo(v, dtype) for v in expected] if op[:3] == "cum" else modulo(expected, dtype))


@pytest.mark.parametrize("dtype", [*WHOLE, *FLOATS], ids=str)
@pytest.mark.parametrize("source", [tg.bool, *WHOLE, *FLOATS], ids=str)
@pytest.mark.parametrize("op", SUMS)
def test_every_dtype_gives_the_one_that_is_asked_for(op, source, dtype):
    assert called(op, tg.ones(2, dtype=source), dtype=dtype).dtype is dtype


@pytest.mark.parametrize("op", [operator.add, operator.sub, operator.mul, operator.and_, operator.or_, operator.xor])
@pytest.mark.parametrize("number", [-1, 200, 300, 70000, -(2**40), 2**63])
@pytest.mark.parametrize("dtype", WHOLE, ids=str)
def test_a_number_beyond_a_dtype_is_taken_modulo_its_range(dtype, number, op):
    assert op(tg.tensor([1, 7], dtype=dtype), number).tolist() == [modulo(op(v, number), dtype) for v in (1, 7)]


@pytest.mark.parametrize("op", [operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne])
@pytest.mark.parametrize("dtype", WHOLE, ids=str)
def test_what_is_compared_has_one_dtype(dtype, op):
    values, number = [1, 100], limits(dtype)[1] + 2 if dtype is not tg.int64 else 5
    x = tg.tensor(values, dtype=dtype)
    assert op(x, number).tolist() == [op(v, modulo(number, dtype)) for v in values]
    assert op(x, tg.tensor([number, 100])).tolist() == [op(1, number), op(100, 100)]


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda d, v: tg.tensor([v], dtype=d), "tensor"),
        (lambda d, v: tg.tensor(v, dtype=d), "tensor"),
        (lambda d, v: tg.full((2,), v, dtype=d), "full"),
        (lambda d, v: tg.full_like(tg.zeros(2, dtype=d), v), "full_like"),
        (lambda d, v: tg.zeros(2, dtype=d).new_full((2,), v), "new_full"),
        (lambda d, v: tg.scalar_tensor(v, dtype=d), "scalar_tensor"),
        (lambda d, v: tg.zeros(2, dtype=d).fill_(v), "fill_"),
        (lambda d, v: tg.zeros(2, dtype=d).masked_fill(tg.tensor([True, False]), v), "masked_fill"),
        (lambda d, v: tg.zeros(2, dtype=d).clamp(min=v), "clamp"),
    ],
)
@pytest.mark.parametrize("dtype", WHOLE[:-1], ids=str)
def test_a_number_that_a_dtype_cannot_hold_is_refused_where_it_is_stored(dtype, make, text):
    with pytest.raises(RuntimeError, match=rf"{text}: value \d+ cannot be converted to type {dtype.name} without"):
        make(dtype, limits(dtype)[1] + 1)
    assert make(dtype, limits(dtype)[1]).dtype is dtype


@pytest.mark.parametrize(
    "op",
    [
        operator.floordiv,
        operator.mod,
        tg.fmod,
        lambda a, b: tg.div(a, b, rounding_mode="floor"),
        lambda a, b: tg.div(a, b, rounding_mode="trunc"),
    ],
)
@pytest.mark.parametrize("dtype", WHOLE, ids=str)
def test_an_integer_is_not_divided_by_0(dtype, op):
    x = tg.tensor([7, 1], dtype=dtype)
    for zero in (0, tg.tensor([3, 0], dtype=dtype)):
        for error in (ZeroDivisionError, RuntimeError):
            with pytest.raises(error, match="integer division by zero"):
                op(x, zero)
    assert op(x, tg.tensor([3, 2], dtype=dtype)).dtype is dtype


@pytest.mark.parametrize("dtype", WHOLE[1:], ids=str)
def test_quotients_of_integers_are_rounded_as_python_rounds(dtype):
    a, b = [7, -7, 7, -7, 6], [2, 2, -2, -2, 3]
    x, y = tg.tensor(a, dtype=dtype), tg.tensor(b, dtype=dtype)
    pairs = list(zip(a, b, strict=True))
    assert (x // y).tolist() == [p // q for p, q in pairs]
    assert (x % y).tolist() == [p % q for p, q in pairs]
    assert tg.div(x, y, rounding_mode="trunc").tolist() == [math.trunc(p / q) for p, q in pairs]
    assert tg.fmod(x, y).tolist() == [int(math.fmod(p, q)) for p, q in pairs]


# ---- orders ----------------------------------------------------------------------------------------------------------

ROWS = {
    **{str(d): (d, [limits(d)[1], limits(d)[0], 3, limits(d)[0], 3, 0]) for d in WHOLE},
    **{str(d): (d, [1.0, NAN, -math.inf, 1.0, math.inf, NAN, -0.0, 0.0]) for d in FLOATS},
    "bool": (tg.bool, [True, False, True, False]),
}


def same(found, expected):
    np.testing.assert_array_equal(np.asarray(found.numpy(), float), np.asarray(expected, float))


@pytest.mark.parametrize("name", ROWS)
@pytest.mark.parametrize("descending", [False, True])
def test_sort_and_argsort_put_nan_above_every_number(name, descending):
    dtype, values = ROWS[name]
    x, order = tg.tensor(values, dtype=dtype), by_order(values, descending)
    found, places = tg.sort(x, descending=descending)
    assert places.tolist() == tg.argsort(x, descending=descending).tolist() == order
    same(found, [values[k] for k in order])


@pytest.mark.parametrize("name", [n for n in ROWS if n != "bool"])
def test_picks_by_rank_count_nan_above_every_number(name):
    dtype, values = ROWS[name]
    x, up, down = tg.tensor(values, dtype=dtype), by_order(values), by_order(values, True)
    for k in range(1, len(values) + 1):
        same(tg.kthvalue(x, k).values, values[up[k - 1]])
        same(tg.topk(x, k).values, [values[j] for j in down[:k]])
        same(tg.topk(x, k, largest=False).values, [values[j] for j in up[:k]])
    missing = sum(map(math.isnan, values))
    middle = values[up[len(values) - missing]] if missing else values[up[(len(values) - 1) // 2]]
    same(tg.median(x), middle)
    same(tg.median(x, 0).values, middle)
    same(tg.nanmedian(x), values[up[(len(values) - missing - 1) // 2]])
    assert tg.argmax(x).item() == (
        values.index(max(values)) if not missing else [math.isnan(v) for v in values].index(1)
    )


def test_mode_and_unique_count_each_nan_once():
    x = tg.tensor([NAN, 2.0, NAN, 1.0, 2.0, NAN])
    assert tg.mode(x) == (2.0, 4)
    found, inverse, counts = tg.unique(x, return_inverse=True, return_counts=True)
    same(found, [1, 2, NAN, NAN, NAN])
    assert counts.tolist() == [1, 2, 1, 1, 1]
    assert inverse.tolist()[1] == inverse.tolist()[4] == 1
    assert tg.mode(tg.randint(0, 9, (100_000,))).values.item() in range(9)  # a table of all pairs would be 10 GB


def test_quantiles_are_nan_where_a_number_is_missing_and_nanquantile_leaves_it_out():
    x = tg.tensor([[1.0, NAN, 4.0], [3.0, 1.0, 2.0], [NAN, NAN, NAN]])
    same(tg.quantile(x, 0.5, dim=1), [NAN, 2, NAN])
    same(tg.nanquantile(x, 0.5, dim=1), [2.5, 2, NAN])
    same(tg.quantile(tg.tensor(3.0), tg.tensor([0.5, 0.1]), dim=0), [3, 3])


def grad(function, *values):
    leaves = [tg.tensor(v, dtype=tg.float64, requires_grad=True) for v in values]
    function(*leaves).sum().backward()
    return [leaf.grad.tolist() for leaf in leaves]


@pytest.mark.parametrize(
    ("function", "values", "expected"),
    [
        (tg.relu, [[NAN, -1.0, 2.0]], [[1, 0, 1]]),
        (tg.abs, [[NAN, -1.0, 2.0]], [[0, -1, 1]]),
        (tg.sign, [[NAN, -1.0]], [[0, 0]]),
        (tg.max, [[NAN, 1.0, NAN]], [[0.5, 0, 0.5]]),
        (tg.min, [[NAN, 1.0, NAN]], [[0.5, 0, 0.5]]),
        (tg.amax, [[NAN, 1.0]], [[1, 0]]),
        (tg.median, [[NAN, 1.0, 2.0]], [[1, 0, 0]]),
        (tg.median, [[2.0, 1.0, 2.0]], [[0.5, 0, 0.5]]),
        (tg.maximum, [[NAN, 1.0], [1.0, NAN]], [[1, 1], [1, 1]]),
        (tg.fmax, [[NAN, 1.0, 1.0], [1.0, NAN, 1.0]], [[0, 1, 1], [1, 0, 0]]),
        (tg.clamp, [[NAN, 2.0], [0.0, 3.0]], [[0, 0], [0, 1]]),
        (lambda x: tg.clamp(x, 0, 1), [[NAN, 0.5]], [[0, 1]]),
        (lambda x: tg.div(x, 0.0, rounding_mode="floor"), [[1.0]], [[0]]),
    ],
)
def test_gradients_at_nan(function, values, expected):
    with np.errstate(divide="ignore"):
        assert grad(function, *values) == expected


# ---- many numbers ----------------------------------------------------------------------------------------------------

LAYOUTS = {
    "in a row": lambda x: (x, 0),
    "rows of 2": lambda x: (x.reshape(-1, 2), 0),
    "rows of 5": lambda x: (x.reshape(-1, 5), 0),
    "rows of 1,000": lambda x: (x.reshape(-1, 1000), 0),
    "outer and inner dims": lambda x: (x.reshape(-1, 2, 2), (0, 2)),
    "every other column": lambda x: (x.reshape(-1, 4)[:, ::2], 0),
    "transposed": lambda x: (x.reshape(2, -1).T, 1),
    "repeated": lambda x: (np.broadcast_to(x[:1], x.shape), 0),
}


@pytest.mark.parametrize("constant", [0.1, 1 / 3, 0.7, 0.001])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_millions_of_float32_are_summed_to_a_millionth(layout, constant):
    x, axes = LAYOUTS[layout](np.full(2_000_000, constant, np.float32))
    exact = np.sum(x.astype(np.float64), axis=axes)
    n = x.size // exact.size
    for found, expected in ((ops.sum(x, axes), exact), (ops.mean(x, axes), exact / n)):
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, expected, rtol=1e-6)
    np.testing.assert_allclose(ops.norm(x, 2, axes), np.sqrt(np.sum(x.astype(np.float64) ** 2, axis=axes)), rtol=1e-6)


def test_ten_million_running_sums_are_right_to_a_millionth():
    x = np.full(10_000_000, 0.1, np.float32)
    exact = np.arange(1, x.size + 1) * np.float64(np.float32(0.1))
    np.testing.assert_allclose(ops.cumsum(x, 0), exact, rtol=1e-6)
    np.testing.assert_allclose(
        ops.cumprod(np.full(1_000_000, 1 + 2**-20, np.float32), 0)[-1], math.exp(0.9536738), 1e-6
    )


@pytest.mark.parametrize("axis", [0, 1])
def test_running_sums_in_blocks_are_those_of_the_whole(axis):
    x = np.random.default_rng(0).integers(-9, 9, (300, 700)).astype(np.float32)
    np.testing.assert_array_equal(ops.cumsum(x, axis), np.cumsum(x.astype(np.float64), axis))
    np.testing.assert_array_equal(ops.cumsum(x.astype(np.int8), axis), np.cumsum(x.astype(np.int64), axis))


@pytest.mark.parametrize("scale", [1e-25, 1.0, 1e18])
@pytest.mark.parametrize("offset", [0.0, 1000.0])
def test_deviations_of_very_small_and_very_large_numbers(scale, offset):
    x = (np.random.default_rng(1).normal(size=(50, 40)) + offset).astype(np.float32) * np.float32(scale)
    exact = np.std(x.astype(np.float64), axis=0, ddof=1)
    np.testing.assert_allclose(ops.std(x, 0), exact, rtol=1e-6)
    np.testing.assert_allclose(tg.std(tg.tensor(x), 0).numpy(), exact, rtol=1e-6)


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_equal_numbers_have_no_deviation_and_no_gradient(dtype):
    x = tg.full((7, 3), 0.1, dtype=dtype).requires_grad_()
    y = x.std(0)
    y.sum().backward()
    assert y.tolist() == [0, 0, 0]
    assert not x.grad.any()


def test_float16_is_summed_as_float32():
    x = tg.full((70_000,), 1.0, dtype=tg.float16)
    assert tg.mean(x).item() == tg.mean(x.reshape(-1, 7), 0)[0].item() == 1
    assert tg.sum(tg.full((60_000, 2), 0.25, dtype=tg.float16), 0).tolist() == [15_000, 15_000]
    assert tg.mean(tg.full((10,), 60_000.0, dtype=tg.float16)).item() == 60_000


# ---- nothing, and numbers without dims -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("op", "expected"),
    [("sum", 0.0), ("prod", 1.0), ("mean", NAN), ("var", NAN), ("median", NAN), ("nanmedian", NAN), ("norm", 0.0)],
)
def test_reductions_of_nothing(op, expected):
    with np.errstate(invalid="ignore"):
        same(getattr(tg, op)(tg.zeros(0)), expected)


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: tg.max(tg.zeros(0, 2), 0), IndexError, "max: input of shape"),
        (lambda: tg.aminmax(tg.zeros(0)), RuntimeError, "aminmax: input of shape"),
        (lambda: tg.kthvalue(tg.zeros(0), 1), IndexError, "kthvalue: input of shape"),
        (lambda: tg.mode(tg.zeros(2, 0), 1), IndexError, "mode: input of shape"),
        (lambda: tg.quantile(tg.zeros(0), 0.5), RuntimeError, "quantile: input of shape .* must be non-empty"),
        (lambda: tg.quantile(tg.tensor([1]), 0.5), RuntimeError, "quantile: input has dtype int64"),
        (lambda: tg.quantile(tg.ones(2), tg.ones(1, dtype=tg.float64)), RuntimeError, "quantile: q has dtype float64"),
        (lambda: tg.quantile(tg.ones(2), [[0.5]]), RuntimeError, "quantile: q has shape"),
        (lambda: tg.unique(tg.zeros(2, 0), dim=0), RuntimeError, "unique: input of shape"),
        (lambda: tg.topk(tg.tensor([True]), 1), RuntimeError, "topk: of truth values"),
        (lambda: tg.argmax(tg.tensor([True])), RuntimeError, "argmax: of truth values"),
        (lambda: tg.median(tg.tensor([True])), RuntimeError, "median: truth values have no order"),
        (lambda: tg.tensor([True]) % tg.tensor([True]), TypeError, "remainder: truth values cannot be divided"),
        (lambda: -tg.tensor([True]), TypeError, "neg: is not defined for bool"),
        (lambda: tg.mean(tg.ones(2), dtype=tg.int64), RuntimeError, "mean: dtype is int64"),
        (lambda: tg.nanmean(tg.tensor([1])), RuntimeError, "nanmean: input has dtype int64"),
        (lambda: tg.tensor([2**63]), RuntimeError, "tensor: value 9223372036854775808 cannot be converted"),
        (lambda: tg.tensor([1]) + 2**64, OverflowError, "18446744073709551616: this integer does not fit"),
        (
            lambda: tg.tensor([2.5], dtype=tg.uint8).masked_fill(tg.tensor(True), tg.ones(1)),
            RuntimeError,
            "masked_fill",
        ),
        (lambda: tg.isclose(tg.ones(1), tg.ones(1), rtol=-1), RuntimeError, "isclose: rtol is -1"),
        (lambda: tg.searchsorted(tg.tensor(3.0), tg.ones(1)), RuntimeError, "searchsorted: the sorted sequence"),
        (
            lambda: tg.searchsorted(tg.ones(2), tg.ones(1), sorter=tg.tensor([0, 5])),
            RuntimeError,
            "searchsorted: sorter index out of range",
        ),
        (
            lambda: tg.searchsorted(tg.ones(2), tg.ones(1), sorter=tg.tensor([0])),
            RuntimeError,
            r"searchsorted: sorter has shape \(1,\)",
        ),
        (
            lambda: tg.searchsorted(tg.ones(2), tg.ones(1), sorter=tg.ones(2)),
            RuntimeError,
            "searchsorted: sorter has dtype float32",
        ),
        (lambda: tg.arange(0, math.inf, 2), RuntimeError, "arange: unsupported range"),
        (lambda: tg.cov(tg.ones(1, 1, 1)), RuntimeError, "cov: input has shape"),
        (lambda: tg.cov(tg.ones(2), fweights=tg.ones(2)), RuntimeError, "cov: fweights has dtype"),
        (lambda: tg.cov(tg.ones(2), aweights=tg.ones(3)), RuntimeError, "cov: aweights has shape"),
        (lambda: tg.cov(tg.ones(2), aweights=-tg.ones(2)), RuntimeError, "cov: aweights has a negative"),
        (lambda: tg.cov(tg.ones(2), aweights=tg.zeros(2)), RuntimeError, "cov: the weights sum to zero"),
        (lambda: tg.corrcoef(tg.ones(1, 1, 1)), RuntimeError, "corrcoef: input has shape"),
        (lambda: tg.gradient(tg.ones(3), edge_order=3), RuntimeError, "gradient: edge_order is 3"),
        (lambda: tg.gradient(tg.ones(3), spacing=[1.0, 2.0]), RuntimeError, "gradient: 2 spacings for 1 dims"),
        (lambda: tg.gradient(tg.ones(1)), RuntimeError, "gradient: input of shape"),
        (lambda: tg.gradient(tg.ones(3), spacing=[tg.ones(2)]), RuntimeError, "gradient: coordinates of shape"),
        (lambda: tg.trapezoid(tg.ones(3), tg.ones(2)), RuntimeError, "trapezoid: x has shape"),
        (lambda: tg.imag(tg.ones(3)), RuntimeError, "imag: is not implemented for real numbers"),
        (lambda: tg.histogramdd(tg.ones(3), 2), RuntimeError, "histogramdd: float32 of shape"),
        (lambda: tg.histogramdd(tg.ones(3, 2), [2]), RuntimeError, "histogramdd: 1 bins for points"),
        (lambda: tg.ones(2).float_power_(2), RuntimeError, "float_power_: this tensor has dtype float32"),
        (lambda: tg.linspace(0, 1, 2.0), TypeError, "linspace: steps is 2.0"),
        (lambda: tg.pow(2, 3), TypeError, "pow: argument 0 is the number 2"),
        (lambda: tg.frexp(tg.tensor([1])), RuntimeError, "frexp: input has dtype int64"),
    ],
)
def test_what_cannot_be_computed_is_refused_with_the_reason(call, error, text):
    with pytest.raises(error, match=text):
        call()


@pytest.mark.parametrize(
    "op", ["softmax", "log_softmax", "cumsum", "cumprod", "logcumsumexp", "cummax", "sort", "argsort", "median", "mode"]
)
@pytest.mark.parametrize("dim", [0, -1])
def test_a_number_without_dims_is_a_vector_of_one(op, dim):
    x = tg.tensor(2.0, requires_grad=True)
    found, expected = getattr(tg, op)(x, dim), getattr(tg, op)(tg.tensor([2.0]), dim)
    for a, b in zip(*(v if isinstance(v, tuple) else (v,) for v in (found, expected)), strict=True):
        assert a.shape == ()
        assert a.item() == b.reshape(1).item()


# ---- functions that are new here -------------------------------------------------------------------------------------


def test_products_and_quotients_are_taken_in_the_dtype_of_the_sum():
    large, one = tg.tensor([2**40]), tg.tensor([100], dtype=tg.int8)
    assert tg.addcmul(tg.zeros(1, dtype=tg.float64), large, large).item() == 2.0**80
    assert tg.zeros(1, dtype=tg.float64).addcmul_(large, large, value=2).item() == 2.0**81
    assert tg.addcmul(tg.zeros(1), one, one).item() == 10000
    assert tg.addcdiv(tg.zeros(1, dtype=tg.float64), tg.ones(1), tg.full((1,), 3.0)).item() == 1 / 3
    assert tg.addcmul(tg.zeros(1), tg.tensor(1.0, dtype=tg.float64), one).dtype == tg.float32


def test_a_running_sum_begins_at_zero():
    assert not tg.signbit(tg.cumsum(tg.full((2, 3), -0.0), 1)).any()
    assert not tg.signbit(tg.cumulative_trapezoid(tg.full((3,), -0.0))).any()


def test_logcumsumexp_of_infinities_and_its_gradient():
    x = tg.tensor([-math.inf, -math.inf, 0.0, 800.0, math.log(2) + 800], dtype=tg.float64, requires_grad=True)
    y = tg.logcumsumexp(x, 0)
    np.testing.assert_allclose(y.detach(), [-math.inf, -math.inf, 0, 800, 800 + math.log(3)])
    (g,) = tg.autograd.grad(y[-1], x)
    np.testing.assert_allclose(g, [0, 0, 0, 1 / 3, 2 / 3], atol=1e-12)


def test_areas_of_bytes_do_not_overflow():
    x = tg.tensor([200, 200, 100], dtype=tg.uint8)
    assert tg.trapezoid(x).item() == 350
    assert tg.cumulative_trapezoid(x).tolist() == [200, 350]
    assert tg.trapezoid(tg.zeros(0)).item() == 0


@pytest.mark.parametrize("edge_order", [1, 2])
def test_slopes_of_a_parabola(edge_order):
    places = np.array([0.0, 1.0, 3.0, 3.5, 5.0])
    (found,) = tg.gradient(tg.tensor(places**2 + places), spacing=(tg.tensor(places),), edge_order=edge_order)
    expected = 2 * places + 1
    np.testing.assert_allclose(found[1:-1], expected[1:-1])
    assert np.allclose(found, expected) == (edge_order == 2)


def test_covariances_with_weights_are_those_of_repeated_observations():
    x = tg.tensor([[1.0, 2.0, 4.0], [3.0, 1.0, 1.0]], dtype=tg.float64)
    repeated = tg.repeat_interleave(x, tg.tensor([1, 3, 2]), 1)
    np.testing.assert_allclose(tg.cov(x, fweights=tg.tensor([1, 3, 2])), tg.cov(repeated))
    np.testing.assert_allclose(tg.cov(x, aweights=tg.ones(3, dtype=tg.float64)), tg.cov(x))


def test_mantissas_and_exponents_make_up_the_number():
    x = tg.tensor([0.0, -3.0, 0.1, 1e30], dtype=tg.float64)
    mantissa, exponent = tg.frexp(x)
    assert exponent.dtype is tg.int32
    assert tg.ldexp(mantissa, exponent).tolist() == x.tolist()
    assert tg.nextafter(tg.tensor(1.0), tg.tensor(2.0)).item() == 1 + 2**-23
    assert tg.angle(tg.tensor([-1.0, 2.0])).tolist() == pytest.approx([math.pi, 0])


def test_fractions_of_float64_do_not_pass_through_float32():
    assert tg.full_like(tg.zeros(1, dtype=tg.float64), 0.3).item() == 0.3
    assert tg.normal(tg.tensor([0.1], dtype=tg.float64), 1e-30).item() == 0.1
    assert tg.normal(0.1, tg.tensor([1e-30], dtype=tg.float64)).item() == 0.1


@pytest.mark.parametrize("name", ["add", "sub", "rsub"])
def test_alpha_multiplies_in_the_dtype_of_the_result(name):
    bytes_, x = tg.tensor([200, 100], dtype=tg.uint8), tg.tensor([0.5, 1.0], dtype=tg.float64)
    first, second, sign = (bytes_, x, -1) if name == "rsub" else (x, bytes_, 1 if name == "add" else -1)
    assert getattr(tg, name)(first, second, alpha=2).tolist() == [0.5 + sign * 400, 1 + sign * 200]
    with pytest.raises(RuntimeError, match=r"alpha is 0\.5, and the result has dtype uint8"):
        getattr(tg, name)(bytes_, bytes_, alpha=0.5)
    with pytest.raises(RuntimeError, match="alpha is True, and the result has dtype float64"):
        getattr(tg, name)(first, second, alpha=True)


def test_alpha_of_truth_values_and_numbers():
    true, false = tg.tensor([True, False]), tg.tensor([False, False])
    assert tg.add(false, true, alpha=2).tolist() == [True, False]
    assert tg.add(false, true, alpha=False).tolist() == [False, False]
    number = tg.add(tg.tensor(1, dtype=tg.int32), 3, alpha=2)
    assert (number.item(), number.dtype) == (7, tg.int32)
