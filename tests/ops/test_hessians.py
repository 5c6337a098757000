"""Second derivatives at special points, where they exist: formulas that a rule with `where` could miss."""

import math

import numpy as np
import pytest

import tinygrad_cnn as tg
from tinygrad_cnn.gradcheck import gradcheck, gradgradcheck

F = tg.nn.functional


@np.errstate(divide="ignore", invalid="ignore")  # ln 0, and what comes of it
def hessian(function, *values):
    """The gradient of the sum, and the matrix of second derivatives, of all inputs in one row."""
    inputs = [tg.tensor(v, dtype=tg.float64, requires_grad=True) for v in values]
    first = tg.autograd.grad(function(*inputs).sum(), inputs, create_graph=True)
    flat = tg.cat([g.reshape(-1) for g in first])
    rows = []
    for entry in flat:
        parts = tg.autograd.grad(entry, inputs, retain_graph=True, allow_unused=True) if entry.requires_grad else ()
        row = [np.zeros(v.shape) if p is None else p.numpy() for p, v in zip(parts, inputs, strict=bool(parts))]
        rows.append(np.concatenate([p.ravel() for p in row]) if row else np.zeros(len(flat)))
    return flat.detach().numpy(), np.array(rows)


LENGTH = np.diag([0.5, 0.0])  # of |x| at (0, 2)
NORMS = {
    "norm": lambda x: tg.norm(x),
    "Tensor.norm": lambda x: x.norm(2),
    "along a dim": lambda x: tg.norm(x[None], 2, dim=1),
    "linalg.norm": lambda x: tg.linalg.norm(x),
    "vector_norm": lambda x: tg.linalg.vector_norm(x),
    "matrix_norm": lambda x: tg.linalg.matrix_norm(x[None]),
    "dist": lambda x: tg.dist(x, tg.zeros(2, dtype=tg.float64)),
    "cdist": lambda x: tg.cdist(x[None], tg.zeros(1, 2, dtype=tg.float64)),
    "pdist": lambda x: F.pdist(tg.stack([x, tg.zeros(2, dtype=tg.float64)])),
    "pairwise_distance": lambda x: F.pairwise_distance(x, tg.zeros(2, dtype=tg.float64), eps=0.0),
    "hypot": lambda x: tg.hypot(x[0], x[1]),
    "the root of the sum of squares": lambda x: (x * x).sum().sqrt(),
}


@pytest.mark.parametrize("name", NORMS)
def test_the_length_of_a_vector_with_a_zero_is_curved_across(name):
    first, second = hessian(NORMS[name], [0.0, 2.0])
    np.testing.assert_allclose(first, [0, 1])
    np.testing.assert_allclose(second, LENGTH, atol=1e-15)


@pytest.mark.parametrize(("p", "curvature"), [(1.0, 0.0), (2.5, 0.0), (3.0, 0.0), (4.0, 0.0)])
def test_other_norms_are_flat_across_a_zero(p, curvature):
    first, second = hessian(lambda x: tg.norm(x, p), [0.0, 2.0])
    np.testing.assert_allclose(first, [0, 1])
    np.testing.assert_allclose(second, np.diag([curvature, 0.0]), atol=1e-15)


def test_a_vector_brought_to_length_1_turns():
    """(0, 2) / 2 is (0, 1); a step t to the side gives (t / 2, 1 - t² / 8)."""
    _, second = hessian(lambda x: F.normalize(x, dim=0)[1], [0.0, 2.0])
    np.testing.assert_allclose(second, [[-0.25, 0], [0, 0]], atol=1e-15)
    _, second = hessian(lambda x: F.normalize(x, dim=0)[0], [0.0, 2.0])
    np.testing.assert_allclose(second, [[0, -0.25], [-0.25, 0]], atol=1e-15)


def test_the_cosine_of_an_angle_with_a_zero_component():
    """Of (t, 2) and (0, 1) it is 1 / √(1 + t²/4), whose second derivative at 0 is -1/4."""
    _, second = hessian(lambda x: F.cosine_similarity(x, tg.tensor([0.0, 1.0], dtype=tg.float64), 0), [0.0, 2.0])
    np.testing.assert_allclose(second, [[-0.25, 0], [0, 0]], atol=1e-15)


@pytest.mark.parametrize(
    ("a", "b"), [([1e-3, 2e-3], [3e-3, -1e-3]), ([0.0, 0.0], [1.0, 2.0]), ([1.0, -2.0], [3e-3, 1e-3])]
)
def test_the_cosine_of_a_vector_shorter_than_eps_has_the_derivative_of_its_formula(a, b):
    x, y = (tg.tensor(v, dtype=tg.float64, requires_grad=True) for v in (a, b))

    def function(x, y):
        return F.cosine_similarity(x, y, 0, eps=1e-2)

    assert gradcheck(function, [x, y], eps=1e-5)
    assert gradgradcheck(function, [x, y], eps=1e-5)


def test_at_the_origin_nothing_is_nan():
    for function in (tg.norm, lambda x: tg.norm(x, 3), lambda x: tg.dist(x, tg.zeros(2, dtype=tg.float64)), tg.std):
        first, second = hessian(function, [0.0, 0.0])
        assert not first.any()
        assert not second.any()


def test_sinc_is_a_parabola_at_0():
    first, second = hessian(tg.sinc, [0.0, 1e-3, 1e-8])
    np.testing.assert_allclose(first, [0, -(math.pi**2) / 3 * 1e-3, -(math.pi**2) / 3 * 1e-8], rtol=1e-5)
    np.testing.assert_allclose(np.diag(second), -(math.pi**2) / 3, rtol=1e-5)


def test_xlogy_where_x_is_0():
    first, second = hessian(tg.xlogy, [0.0], [2.0])
    np.testing.assert_allclose(first, [math.log(2), 0])
    np.testing.assert_allclose(second, [[0, 0.5], [0.5, 0]])
    first, _ = hessian(tg.xlogy, [0.0], [0.0])
    np.testing.assert_array_equal(first, [0, math.nan])


@pytest.mark.parametrize("function", [F.elu, F.selu, F.celu])
def test_the_second_derivative_of_elu_at_0_is_that_of_the_right(function):
    _, second = hessian(function, [0.0])
    assert second[0, 0] == 0


def test_of_equal_numbers_the_first_gets_the_gradient_of_fmax_and_fmin():
    for function in (tg.fmax, tg.fmin):
        first, _ = hessian(function, [1.0, math.nan, 2.0], [1.0, 3.0, math.nan])
        np.testing.assert_array_equal(first, [1, 0, 1, 0, 1, 0])


def test_the_divisor_of_a_remainder_counts_how_often_it_fits():
    """1 / 0.1 rounds to 10, but 0.1 is a little more than a tenth."""
    first, _ = hessian(tg.remainder, [1.0, 5.5, -7.25], [0.1, 0.3, 0.1])
    np.testing.assert_array_equal(first[3:], [-9, -18, 73])
    first, _ = hessian(tg.fmod, [1.0, 5.5, -7.25], [0.1, 0.3, 0.1])
    np.testing.assert_array_equal(first[3:], [-9, -18, 72])


def test_a_quantile_moves_with_q():
    first, second = hessian(lambda x, q: tg.quantile(x, q), [1.0, 2.0, 5.0], 0.3)
    np.testing.assert_allclose(first, [0.4, 0.6, 0, 2])
    np.testing.assert_allclose(second[3], [-2, 2, 0, 0])
    for way in ("lower", "higher", "nearest", "midpoint"):
        q = tg.tensor(0.3, dtype=tg.float64, requires_grad=True)
        assert not tg.quantile(tg.tensor([1.0, 2.0, 5.0], dtype=tg.float64), q, interpolation=way).requires_grad


def test_logit_outside_its_domain_is_nan_and_so_is_its_gradient():
    first, _ = hessian(tg.logit, [-0.5, 0.25, 1.5])
    np.testing.assert_allclose(first, [math.nan, 1 / (0.25 * 0.75), math.nan])
    first, _ = hessian(lambda p: tg.logit(p, 0.1), [-0.5, 0.25, 1.5])
    np.testing.assert_allclose(first, [0, 1 / (0.25 * 0.75), 0])


def test_large_equal_numbers_share_the_gradient_of_the_log_of_their_exponentials():
    first, second = hessian(tg.logaddexp, [1e30], [1e30])
    np.testing.assert_allclose(first, [0.5, 0.5])
    np.testing.assert_allclose(second, [[0.25, -0.25], [-0.25, 0.25]])
    first, second = hessian(lambda x: tg.logsumexp(x, 0), [1e30, 1e30])
    np.testing.assert_allclose(first, [0.5, 0.5])
    np.testing.assert_allclose(second, [[0.25, -0.25], [-0.25, 0.25]])


def test_the_product_of_others_at_zeros():
    first, second = hessian(lambda x: tg.prod(x), [0.0, 0.0, 3.0])
    assert not first.any()
    np.testing.assert_array_equal(second, [[0, 3, 0], [3, 0, 0], [0, 0, 0]])
    first, _ = hessian(lambda x: tg.cumprod(x, 0), [2.0, 0.0, 0.0, 3.0])
    np.testing.assert_array_equal(first, [1, 2, 0, 0])
