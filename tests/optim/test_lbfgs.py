"""L-BFGS and its line search, on functions whose minimum is known."""

import numpy as np
import pytest

from tinygrad_cnn import nn, optim
from tinygrad_cnn.optim.line_search import CURVATURE, DECREASE, Trial, strong_wolfe


def minimise(loss_of, start, steps=1, **options):
    w = nn.Parameter(np.array(start))
    optimizer = optim.LBFGS([w], **options)

    def closure():
        optimizer.zero_grad()
        loss = loss_of(w)
        loss.backward()
        return loss

    losses = [optimizer.step(closure).item() for _ in range(steps)]
    return w.detach().numpy(), losses, optimizer.state[w]


def rosenbrock(w):
    return (1 - w[0]) ** 2 + 100 * (w[1] - w[0] ** 2) ** 2


def test_the_valley_of_rosenbrock_is_followed_to_its_minimum():
    w, losses, state = minimise(rosenbrock, [-1.2, 1.0], 5, line_search_fn="strong_wolfe", tolerance_change=1e-14)
    np.testing.assert_allclose(w, [1, 1], atol=1e-6)
    assert losses[0] == pytest.approx(24.2)
    assert losses == sorted(losses, reverse=True)
    assert state["func_evals"] >= state["n_iter"] > 20


@pytest.mark.parametrize("line_search_fn", [None, "strong_wolfe"])
def test_a_bowl_of_few_dimensions_takes_few_steps(line_search_fn):
    curvatures = np.array([1.0, 10.0, 100.0])
    w, _, state = minimise(
        lambda w: (w * w * curvatures).sum(), [1.0, 1.0, 1.0], max_iter=30, line_search_fn=line_search_fn
    )
    np.testing.assert_allclose(w, 0, atol=1e-6)
    assert state["n_iter"] < 30


def test_nothing_moves_at_a_minimum():
    w, losses, state = minimise(lambda w: (w * w).sum(), [0.0, 0.0], 2)
    assert (w.tolist(), losses) == ([0, 0], [0, 0])
    assert state == {"func_evals": 2, "n_iter": 0}


def test_evaluations_are_limited():
    _, _, state = minimise(rosenbrock, [-1.2, 1.0], max_eval=7, line_search_fn="strong_wolfe")
    assert state["func_evals"] <= 8
    assert minimise(rosenbrock, [-1.2, 1.0], max_iter=0)[2] == {"func_evals": 1, "n_iter": 0}


def test_parameters_without_a_gradient_stay():
    w, v = nn.Parameter(np.ones(2)), nn.Parameter(np.ones(3))
    optimizer = optim.LBFGS([v, w])

    def closure():
        optimizer.zero_grad()
        loss = (w * w).sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    assert v.tolist() == [1, 1, 1]
    np.testing.assert_allclose(w.detach().numpy(), 0, atol=1e-6)


def test_what_it_refuses():
    w = nn.Parameter(np.ones(2))
    with pytest.raises(ValueError, match="2 groups given; all parameters are one group"):
        optim.LBFGS([{"params": w}, {"params": nn.Parameter(np.ones(1))}])
    with pytest.raises(ValueError, match="lr is -1"):
        optim.LBFGS([w], lr=-1)
    with pytest.raises(TypeError, match="closure"):
        optim.LBFGS([w]).step()
    with pytest.raises(RuntimeError, match="line_search_fn is 'armijo'; 'strong_wolfe' or None"):
        minimise(rosenbrock, [-1.2, 1.0], line_search_fn="armijo")


FUNCTIONS = [  # with a derivative that is negative at 0
    (lambda t: (t - 2) ** 2, lambda t: 2 * (t - 2)),
    (lambda t: (t - 0.001) ** 2, lambda t: 2 * (t - 0.001)),
    (lambda t: -t / (t**2 + 2), lambda t: (t**2 - 2) / (t**2 + 2) ** 2),
    (lambda t: np.cosh(t - 7), lambda t: np.sinh(t - 7)),
]


@pytest.mark.parametrize(("f", "slope"), FUNCTIONS)
@pytest.mark.parametrize("first", [1e-3, 0.1, 1.0, 30.0])
def test_the_point_found_meets_the_conditions(f, slope, first):
    def evaluate(t):
        return Trial(t, float(f(t)), np.array([slope(t)]), float(slope(t)))

    start = evaluate(0.0)
    found, calls = strong_wolfe(evaluate, start, first, np.ones(1), 25, 1e-9)
    assert found.loss <= start.loss + DECREASE * found.t * start.slope
    assert abs(found.slope) <= CURVATURE * abs(start.slope)
    assert 1 <= calls <= 26
