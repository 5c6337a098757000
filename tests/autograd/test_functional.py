"""`autograd.functional`: products and matrices of derivatives, against formulas."""

import numpy as np
import pytest

import tinygrad_cnn as tg
from tinygrad_cnn.autograd import functional

A = np.random.default_rng(0).normal(size=(2, 3))
X = np.array([0.3, -1.2, 2.0])
U = np.array([1.0, -2.0])


def double(values, **options):
    return tg.tensor(values, dtype=tg.float64, **options)


def warped(v):
    """f(v) = A sin v, whose Jacobian is A diag(cos v)."""
    return double(A) @ v.sin()


def test_a_jacobian_is_the_one_of_the_formula():
    np.testing.assert_allclose(functional.jacobian(warped, double(X)).numpy(), A * np.cos(X), rtol=1e-12)


def test_products_are_those_with_the_matrix():
    _, pulled = functional.vjp(warped, double(X), double(U))
    _, pushed = functional.jvp(warped, double(X), double(X))
    np.testing.assert_allclose(pulled.numpy(), U @ (A * np.cos(X)), rtol=1e-12)
    np.testing.assert_allclose(pushed.numpy(), (A * np.cos(X)) @ X, rtol=1e-12)


def test_products_with_a_hessian_are_those_with_the_matrix():
    def f(v):
        return (v**3).sum() * v[0]

    matrix = functional.hessian(f, double(X)).numpy()
    expected = np.diag(6 * X * X[0])
    expected[0] += 3 * X**2
    expected[:, 0] += 3 * X**2
    np.testing.assert_allclose(matrix, expected, rtol=1e-12)
    for product in (functional.vhp, functional.hvp):
        np.testing.assert_allclose(product(f, double(X), double(X))[1].numpy(), expected @ X, rtol=1e-12)


def test_nothing_is_left_in_the_callers_graph():
    x = double(X, requires_grad=True)
    found = functional.jacobian(warped, x)
    assert not found.requires_grad
    assert x.grad is None


def test_an_output_without_elements_has_an_empty_jacobian():
    assert functional.jacobian(lambda v: v[:0], double(X)).shape == (0, 3)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: functional.jacobian(warped, X),
            TypeError,
            "inputs must be a Tensor or a tuple",
        ),
        (lambda: functional.jacobian(lambda v: X, double(X)), TypeError, "what func returns must be a Tensor"),
        (
            lambda: functional.vjp(warped, double(X), double(X)),
            ValueError,
            r"v\[0\] has shape .*\[3\].*expected .*\[2\]",
        ),
        (lambda: functional.jvp(warped, double(X), (double(X),) * 2), ValueError, "v has 2 Tensors; expected 1"),
        (lambda: functional.hessian(warped, double(X)), ValueError, "should return a single element"),
        (
            lambda: functional.jacobian(lambda a, b: a, (double(X),) * 2, strict=True),
            RuntimeError,
            "independent of input 1",
        ),
    ],
)
def test_what_does_not_fit_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()
