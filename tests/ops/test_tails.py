"""Values, first and second derivatives of smooth functions from 1e-300 to 1e4, to the last digits."""

import math
import warnings

import pytest

import tinygrad_cnn as tg
from tests.ops.tails import FUNCTIONS, errors

BOUND = 8
"""Units in the last place, unless a reason below allows more."""
VALUE, FIRST, SECOND = range(3)
FLAT = 160, "near its end the slope is taken from the value, down to 2⁻⁸, where the digits in the tail begin"
FROM_VALUE = math.inf, "the second derivative is taken from the value, which has none of a small input's digits"
SUM = math.inf, "exp(-50) is added to 1"
ZERO = 250, "0.001 beside the zero of this derivative its two terms cancel"
ARGUMENT = 300, "exp of a polynomial of x: its rounding counts as often as it is large"
SQUARE = 60, "exp(y²) of a rounded y"
UNDERFLOW = 1000, "exp(740) is ∞ before its inverse is 0"
ALLOWED = {
    "tanh": {FIRST: FLAT, SECOND: FLAT},
    "sigmoid": {FIRST: FLAT, SECOND: FROM_VALUE},
    "logsigmoid": {SECOND: FLAT},
    "softplus": {SECOND: FLAT},
    "softplus, no threshold": {SECOND: FLAT},
    "logaddexp": {SECOND: FLAT},
    "logsumexp": {VALUE: SUM, FIRST: (10, "a sum of rounded parts"), SECOND: (10, "a sum of rounded parts")},
    "softmax": {FIRST: FROM_VALUE, SECOND: FROM_VALUE},
    "log_softmax": {VALUE: SUM, FIRST: SUM, SECOND: SUM},
    "gelu": {FIRST: ZERO},
    "gelu, tanh": {VALUE: ARGUMENT, FIRST: ARGUMENT, SECOND: ARGUMENT},
    "silu": {VALUE: UNDERFLOW, FIRST: UNDERFLOW, SECOND: UNDERFLOW},
    "mish": {FIRST: UNDERFLOW, SECOND: UNDERFLOW},
    "tanhshrink": {SECOND: FLAT},
    "erfinv": {FIRST: SQUARE, SECOND: SQUARE},
    "sinc": {SECOND: (12, "two terms of the second derivative cancel")},
}
"""Of none of them PyTorch has more digits: tests/parity/test_tails_parity.py compares."""


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_tails_keep_their_digits(name, dtype):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of overflow, which is meant
        found = errors(name, tg, dtype)
    for order, (what, worst) in enumerate(zip(("the value", "the derivative", "the second one"), found, strict=True)):
        bound, _ = ALLOWED.get(name, {}).get(order, (BOUND, ""))
        units, where = worst[0]
        assert units <= bound, f"{what} of {name} in {dtype} is {units:.3g} units in the last place off at {where!r}"


@pytest.mark.parametrize("name", ["tanh", "sigmoid", "expm1"])
def test_slopes_in_the_tails_survive_a_write_into_the_input(name):
    x = tg.tensor([40.0, -40.0, 0.5], dtype=tg.float64, requires_grad=True)
    h = x * 1
    y = getattr(tg, name)(h)
    h.zero_()
    y.sum().backward()
    exact = {
        "tanh": lambda v: 1 / math.cosh(v) ** 2,
        "sigmoid": lambda v: math.exp(-abs(v)) / (1 + math.exp(-abs(v))) ** 2,
        "expm1": math.exp,
    }[name]
    assert x.grad.tolist() == pytest.approx([exact(v) for v in (40.0, -40.0, 0.5)], rel=1e-14)
    again = tg.tensor([40.0, -40.0, 0.5], dtype=tg.float64, requires_grad=True)
    getattr(again * 1, f"{name}_")().sum().backward()
    assert again.grad.tolist() == x.grad.tolist()


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_the_second_derivative_of_the_normal_logarithm_is_right_far_out(dtype):
    x = tg.tensor([-3.0, 0.5, 1.0, 50.0, 1e4], dtype=getattr(tg, dtype), requires_grad=True)
    (slope,) = tg.autograd.grad(tg.special.log_ndtr(x).sum(), x, create_graph=True)
    (second,) = tg.autograd.grad(slope.sum(), x)

    def h(v):  # the density over the distribution
        return math.exp(-v * v / 2) / math.sqrt(2 * math.pi) / (math.erfc(-v / math.sqrt(2)) / 2)

    assert second.tolist() == pytest.approx([-h(v) * (v + h(v)) for v in x.tolist()], rel=1e-5, abs=1e-12)
    far = tg.tensor([-1e2, -1e5, -1e11], dtype=getattr(tg, dtype), requires_grad=True)
    (slope,) = tg.autograd.grad(tg.special.log_ndtr(far).sum(), far, create_graph=True)
    (second,) = tg.autograd.grad(slope.sum(), far)
    assert second.tolist() == pytest.approx([-0.9999000, -1.0, -1.0], abs=2e-6)
