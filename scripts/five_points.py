"""A gradient checker as in FiniteDifferences.jl and ChainRulesTestUtils.jl, restated from their documentation.

`central_fdm(5, 1)`: five equally spaced points, and a step that makes the sum of the errors of rounding and of
truncation as small as it can be. How large the fifth derivative is, which that needs, is estimated by another method
of seven points around the same place. `test_rrule`: the product of the whole Jacobian with one random cotangent, held
against the gradient array by array, by norms, with `rtol = atol = 1e-9`.
"""

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import cache
from math import factorial
from typing import Any, NamedTuple

import numpy as np

CONDITION = 10.0
"""How much larger derivatives are than values, as long as nothing is known of them."""

MOST = 1000.0
"""A step is at most so many times the one that is taken where nothing is known."""

REACH = 1e-2
"""How far from the input the function is evaluated at most: `max_range` of ChainRulesTestUtils."""

EPS = float(np.finfo(np.float64).eps)
RTOL = ATOL = 1e-9
POINTS = 5

Function = Callable[[float], np.ndarray]


class Differences(NamedTuple):
    """A central formula of p points for the derivative of order q."""

    p: int
    q: int
    grid: np.ndarray
    weights: np.ndarray
    around: tuple[np.ndarray, ...]
    """The weights for the same derivative one step to the left, here, and one step to the right."""


@cache
def weights(grid: tuple[int, ...], q: int) -> np.ndarray:
    """w with Σ w_j g_j^i = q! for i = q and 0 for the other powers, by elimination in fractions."""
    p = len(grid)
    rows = [[*(Fraction(g) ** i for g in grid), Fraction(factorial(q) if i == q else 0)] for i in range(p)]
    for k in range(p):
        pivot = next(i for i in range(k, p) if rows[i][k])
        rows[k], rows[pivot] = rows[pivot], rows[k]
        rows[k] = [x / rows[k][k] for x in rows[k]]
        for i in range(p):
            if i != k and rows[i][k]:
                rows[i] = [x - rows[i][k] * y for x, y in zip(rows[i], rows[k], strict=True)]
    return np.array([float(row[-1]) for row in rows])


@cache
def central(p: int, q: int) -> Differences:
    """The formula of an odd number of points around 0."""
    grid = tuple(range(-(p // 2), p // 2 + 1))
    around = tuple(weights(tuple(g - k for g in grid), q) for k in (1, 0, -1))
    return Differences(p, q, np.array(grid, dtype=float), weights(grid, q), around)


def step_for(m: Differences, derivative: float, error: float) -> float:
    """The step with the least sum of both errors: of rounding, error / h^q, and of truncation, derivative · h^(p-q)."""
    rounding = error * float(np.sum(np.abs(m.weights)))
    truncation = derivative * float(np.sum(np.abs(m.weights * m.grid**m.p))) / factorial(m.p)
    return float((m.q / (m.p - m.q) * rounding / truncation) ** (1 / m.p))


def usual_step(m: Differences) -> float:
    """The step where nothing is known of the function."""
    return min(step_for(m, CONDITION, EPS), REACH / float(np.max(m.grid)))


def values(m: Differences, f: Function, step: float) -> np.ndarray:
    """f at the points of the formula, one row each."""
    return np.stack([f(step * g) for g in m.grid])


def adapted_step(m: Differences, f: Function) -> float:
    """The step for a function whose values and derivative of order p are estimated by two points more."""
    wide = central(m.p + 2, m.p)
    step = usual_step(wide)
    fs = values(wide, f, step)
    derivative = max(float(np.max(np.abs(w @ fs))) for w in wide.around) / step**wide.q
    size = float(np.max(np.abs(fs)))
    if derivative == 0 or size == 0:
        return usual_step(m)
    best = step_for(m, derivative, float(np.spacing(size)))
    return min(best, REACH / float(np.max(m.grid)), MOST * step_for(m, CONDITION, EPS))


def derivative(f: Function) -> np.ndarray:
    """The derivative at 0 of a function of one number with a vector of values."""
    m = central(POINTS, 1)
    step = adapted_step(m, f)
    return np.asarray(m.weights @ values(m, f, step) / step)


def pulled_back(f: Callable[..., Any], g: np.ndarray, inputs: Sequence[np.ndarray], k: int) -> np.ndarray:
    """⟨g, the derivative of f for each element of input k⟩."""
    gradient = np.zeros(inputs[k].shape)
    for place in np.ndindex(inputs[k].shape):

        def along(t: float, place: tuple[int, ...] = place) -> np.ndarray:
            moved = inputs[k].copy()
            moved[place] += t
            return np.ravel(np.asarray(f(*inputs[:k], moved, *inputs[k + 1 :]), dtype=np.float64))

        gradient[place] = derivative(along) @ np.ravel(g)
    return gradient


def close(given: np.ndarray, expected: np.ndarray) -> bool:
    """Julia's `isapprox` of two arrays: by the norm of their difference."""
    if given.shape != expected.shape:
        raise ValueError(f"the gradient has shape {given.shape}, expected {expected.shape}")
    off = float(np.linalg.norm(np.ravel(given - expected)))
    return off <= max(ATOL, RTOL * max(float(np.linalg.norm(np.ravel(a))) for a in (given, expected)))


def accepts(f: Callable[..., Any], vjp: Callable[..., Any], inputs: Sequence[np.ndarray], seed: int = 0) -> bool:
    """`test_rrule`: one random cotangent, of numbers from -9 to 9 with two decimals."""
    random = np.random.default_rng(seed)
    g = random.integers(-900, 901, np.shape(f(*inputs))) / 100
    found = vjp(g, *inputs)
    every = [close(np.asarray(d), pulled_back(f, g, inputs, k)) for k, d in enumerate(found)]
    return all(every)
