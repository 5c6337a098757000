"""The complex step, dual numbers, exact adjoints: each agrees with what is known, and is used only where it holds."""

import numpy as np
import pytest

from tinygrad_cnn.gradcheck import Verdict, gradcheck, numpy_pair
from tinygrad_cnn.gradcheck.complex_step import complex_columns
from tinygrad_cnn.gradcheck.duals import LINEAR, SLOPES, Dual, forward_mode
from tinygrad_cnn.gradcheck.judge import Tolerance
from tinygrad_cnn.gradcheck.linear import exact_adjoint
from tinygrad_cnn.gradcheck.point import Point
from tinygrad_cnn.gradcheck.tolerances import RTOL

RANDOM = np.random.default_rng(0)
USUAL = Tolerance(None, RTOL, 2.0**-52, None)


def point(f, *arrays):
    return Point(numpy_pair(f, lambda g, *a: a), list(arrays), list(range(len(arrays))))


def test_the_complex_step_is_exact_to_the_last_digits():
    x = np.array([0.3, 1e-9, 2.0])
    column = complex_columns(point(lambda x: np.exp(x) / x, x), 0, np.eye(3), RANDOM)
    np.testing.assert_allclose(np.diag(column.numeric), np.exp(x) * (x - 1) / x**2, rtol=1e-14)


def test_cancellation_in_the_complex_step_shows_in_its_error():
    x = np.array([1e-4, 1e-3, 1e-2])
    column = complex_columns(point(lambda x: np.sin(x) / x, x), 0, np.eye(3), RANDOM)
    off = np.abs(np.diag(column.numeric) + x / 3 - x**3 / 30)  # and x⁵/840
    assert np.all(off <= np.diag(column.error) + x**5 / 800)
    assert off[0] > 1e-14 > np.finfo(float).eps * x[0]


@pytest.mark.parametrize(
    "f",
    [
        np.abs,
        lambda x: np.real(x) ** 2,
        lambda x: x * np.conj(x),
        lambda x: np.sqrt(np.sum(np.abs(x) ** 2)),
        lambda x: np.array([float(v) ** 2 for v in x]),
        lambda x: np.where(x > 1, x**2, x).astype(float),
    ],
)
def test_functions_that_do_not_respect_complex_numbers_fall_back_to_differences(f):
    size = np.size(f(np.ones(3)))
    assert complex_columns(point(f, np.array([0.5, -1.5, 2.0])), 0, np.ones((1, size)), RANDOM) is None


def test_the_oracles_are_named_in_the_report():
    report = gradcheck(numpy_pair(np.sin, lambda g, x: g * np.cos(x)), [np.array([0.5])])
    assert report.oracles == ("complex step", "dual numbers: ⟨v, Ju⟩ = ⟨Jᵀv, u⟩")
    report = gradcheck(numpy_pair(lambda x: 2 * x, lambda g, x: 2 * g), [np.array([0.5])])
    assert "exact adjoint on integers" in report.oracles


@pytest.mark.parametrize("ufunc", SLOPES, ids=lambda u: u.__name__)
def test_the_slopes_of_every_ufunc(ufunc):
    shift = 1.2 if ufunc is np.arccosh else 0.3
    arrays = [RANDOM.uniform(0.1, 0.6, 4) + (shift - 0.3) for _ in range(ufunc.nin)]
    u = [RANDOM.uniform(-1, 1, 4) for _ in arrays]
    y = ufunc(*(Dual(a, d) for a, d in zip(arrays, u, strict=True)))
    h = 1e-6
    ends = [ufunc(*(a + s * h * d for a, d in zip(arrays, u, strict=True))) for s in (1, -1)]
    np.testing.assert_array_equal(y.value, ufunc(*arrays))
    np.testing.assert_allclose(y.slope, (ends[0] - ends[1]) / (2 * h), rtol=1e-7, atol=1e-8)


COMPOSED = [
    lambda x: np.log(np.sum(np.exp(x - np.max(x, axis=1, keepdims=True)), axis=1)),
    lambda x: (x @ x.T)[0] / np.sqrt(np.mean(x**2)),
    lambda x: np.concatenate([x.reshape(-1)[:3] * 2, np.cumsum(x, axis=1).ravel()]),
    lambda x: np.einsum("ij,kj->ik", x, x) + np.outer(x[0, :2], x[1, :2]),
    lambda x: np.where(x > 0, x**3, np.tanh(x)).sum(axis=0),
    lambda x: np.prod(x, axis=1) * np.clip(x, -0.5, 0.5).max(),
    lambda x: np.stack([x[0], 1 - x[1]]).transpose().mean(axis=0) + np.minimum(x[0], x[1]).min(),
    lambda x: np.tensordot(x, np.ones((3, 2)), axes=1) - np.flip(x, 1)[:, :2] / 2,
]


@pytest.mark.parametrize("f", COMPOSED)
def test_dual_numbers_go_through_functions_written_in_numpy(f):
    x, u = RANDOM.normal(size=(2, 3)), RANDOM.normal(size=(2, 3))
    y = f(Dual(x, u))
    h = 1e-6
    np.testing.assert_allclose(y.slope, (f(x + h * u) - f(x - h * u)) / (2 * h), rtol=1e-6, atol=1e-8)
    assert forward_mode(point(f, x), np.ones((1, np.size(f(x)))), RANDOM) is not None


def test_dual_numbers_refuse_to_be_made_plain_numbers():
    with pytest.raises(TypeError, match="its derivative would be lost"):
        np.asarray(Dual(np.ones(2), 1.0))
    assert forward_mode(point(lambda x: np.array([float(v) for v in x]), np.ones(2)), np.ones((1, 2)), RANDOM) is None
    assert len(LINEAR) == len(set(LINEAR))


def test_dual_numbers_alone_would_find_a_wrong_gradient():
    x = RANDOM.normal(size=3)
    product = forward_mode(point(np.sin, x), np.ones((1, 3)), RANDOM)
    assert product.along[0] == pytest.approx(np.sum(np.cos(x) * product.directions[0]), rel=1e-14)
    assert product.along[0] != pytest.approx(np.sum(1.001 * np.cos(x) * product.directions[0]), rel=1e-6)


def test_the_exact_adjoint_of_a_linear_function():
    w = np.array([[1.0, -2.0, 3.0], [0.0, 4.0, -1.0]])
    right = Point(numpy_pair(lambda x: w @ x, lambda g, x: w.T @ g), [np.ones(3)], [0])
    wrong = Point(numpy_pair(lambda x: w @ x, lambda g, x: w.T @ g + 1e-9), [np.ones(3)], [0])
    assert exact_adjoint(right, 0, RANDOM, USUAL).exact
    assert exact_adjoint(wrong, 0, RANDOM, USUAL).wrong
    for f in (np.square, lambda x: np.maximum(x, 0), lambda x: x + 1, lambda x: np.remainder(x, 2)):
        assert exact_adjoint(point(f, np.ones(3)), 0, RANDOM, USUAL) is None


def test_a_gradient_wrong_by_less_than_differences_see_is_found_by_the_exact_adjoint():
    pair = numpy_pair(lambda x: 3 * x, lambda g, x: 3 * g * (1 + 1e-9))
    report = gradcheck(pair, [np.array([0.5])], raise_exception=False)
    assert report.verdict is Verdict.FAIL
    assert "on integers" in report.worst.reason


@pytest.mark.parametrize("f", [lambda x: np.maximum(x, 0), lambda x: np.remainder(x, 7.0), np.abs, np.round])
def test_one_element_of_a_function_with_kinks_is_not_taken_for_linear(f):
    pair = Point(numpy_pair(f, lambda g, x: 0 * g), [np.ones(())], [0])
    for seed in range(200):
        found = exact_adjoint(pair, 0, np.random.default_rng(seed), USUAL)
        assert found is None or not found.wrong


@pytest.mark.parametrize("fast", [False, True])
@pytest.mark.parametrize(
    ("f", "vjp"),
    [
        (lambda x: x**3, lambda g, x: 3.003 * g * x**2),  # dual numbers
        (lambda x: 3 * x, lambda g, x: 3.0015 * g),  # exact adjoints
        (np.sin, lambda g, x: g * np.cos(x) * (1 + 5e-4 * np.tanh(g))),  # linearity in the cotangent
        (np.max, lambda g, x: 1.0005 * g * np.array([1.0, 0, 0, 0])),  # ties
    ],
)
def test_what_the_user_tolerates_no_oracle_fails(f, vjp, fast):
    pair, x = numpy_pair(f, vjp), [np.array([1.5, 1.5, -0.25, 0.75])]
    assert gradcheck(pair, x, rtol=0.01, fast_mode=fast, raise_exception=False).verdict is not Verdict.FAIL
    assert gradcheck(pair, x, atol=0.2, fast_mode=fast, raise_exception=False).verdict is not Verdict.FAIL
    assert fast or gradcheck(pair, x, raise_exception=False).verdict is Verdict.FAIL
    assert fast or gradcheck(pair, x, rtol=1e-4, raise_exception=False).verdict is Verdict.FAIL


def test_what_is_off_by_more_than_the_user_tolerates_fails():
    pair = numpy_pair(lambda x: x**3, lambda g, x: 3.06 * g * x**2)
    assert gradcheck(pair, [np.array([0.5, -2.0])], rtol=0.01, raise_exception=False).verdict is Verdict.FAIL
