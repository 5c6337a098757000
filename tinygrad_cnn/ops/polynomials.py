"""Orthogonal polynomials, by the recurrences of three terms: ``P[k+1] = (a x + b) P[k] - c P[k-1]``."""

from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_cnn.core.checks import shape_of
from tinygrad_cnn.core.promotion import common_dtype
from tinygrad_cnn.core.types import A, Array, ArrayLike
from tinygrad_cnn.ops.piecewise import where
from tinygrad_cnn.ops.untracked import array_of, dressed, plain

Step = Callable[[Array, int, Array, Array], Array]
"""From x, k, P[k] and P[k-1] to P[k+1]."""


def polynomial(name: str, x: Any, n: Any, first: Callable[[Array], Array], step: Step) -> Any:
    """P[n](x) for each x and n, from P[0] = 1 and P[1]; 0 for negative n. Composed, so that it has derivatives."""
    orders = np.trunc(plain(name, n)).astype(np.int64)
    dtype = common_dtype([array_of(name, x), array_of(name, n)], floating=True)
    x = x.astype(dtype) if hasattr(x, "astype") else np.asarray(x, dtype)
    before: Any = np.ones(shape_of(x), dtype)
    now: Any = first(x)
    found: Any = where(orders == 0, before, where(orders == 1, now, np.zeros((), dtype)))
    for k in range(1, int(orders.max(initial=0))):
        before, now = now, step(x, k, now, before)
        found = where(orders == k + 1, now, found)
    return dressed(found, n) if isinstance(found, np.ndarray) else found


def shifted(polynomial: Any, x: Any, n: Any) -> Any:
    """The polynomial of 2x - 1, which goes from -1 to 1 where x goes from 0 to 1."""
    values = array_of(polynomial.__name__, x)
    if isinstance(values, np.ndarray) and values.dtype.kind in "biu":
        x = x.astype(common_dtype([values, array_of(polynomial.__name__, n)], floating=True))
    return polynomial(2 * x - 1, n)


def _chebyshev(x: Array, k: int, now: Array, before: Array) -> Array:
    return 2 * x * now - before


def chebyshev_polynomial_t(input: A, n: ArrayLike) -> A:
    """Chebyshev's polynomial of the first kind, ``T[n](cos t) = cos nt``.

    Shapes of x and n broadcast; the result has a floating dtype. There is no derivative with respect to n.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.special.chebyshev_polynomial_t(tg.tensor([0.0, 0.5, 1.0]), 2)
    tensor([-1.0000, -0.5000,  1.0000])
    """
    return polynomial("chebyshev_polynomial_t", input, n, lambda x: x, _chebyshev)


def chebyshev_polynomial_u(input: A, n: ArrayLike) -> A:
    """Chebyshev's polynomial of the second kind, ``U[n](cos t) = sin (n+1)t / sin t``.

    Shapes of x and n broadcast; the result has a floating dtype. There is no derivative with respect to n.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.special.chebyshev_polynomial_u(tg.tensor([0.0, 0.5, 1.0]), 2)
    tensor([-1.,  0.,  3.])
    """
    return polynomial("chebyshev_polynomial_u", input, n, lambda x: 2 * x, _chebyshev)


def chebyshev_polynomial_v(input: A, n: ArrayLike) -> A:
    """Chebyshev's polynomial of the third kind, ``V[n](cos t) = cos (n+½)t / cos t/2``.

    Shapes of x and n broadcast; the result has a floating dtype. There is no derivative with respect to n.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.special.chebyshev_polynomial_v(tg.tensor([0.0, 0.5, 1.0]), 2)
    tensor([-1., -1.,  1.])
    """
    return polynomial("chebyshev_polynomial_v", input, n, lambda x: 2 * x - 1, _chebyshev)


def chebyshev_polynomial_w(input: A, n: ArrayLike) -> A:
    """Chebyshev's polynomial of the fourth kind, ``W[n](cos t) = sin (n+½)t / sin t/2``.

    Shapes of x and n broadcast; the result has a floating dtype. There is no derivative with respect to n.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.special.chebyshev_polynomial_w(tg.tensor([0.0, 0.5, 1.0]), 2)
    tensor([-1.,  1.,  5.])
    """
    return polynomial("chebyshev_polynomial_w", input, n, lambda x: 2 * x + 1, _chebyshev)


def shifted_chebyshev_polynomial_t(input: A, n: ArrayLike) -> A:
    """``chebyshev_polynomial_t(2x - 1, n)``, for x in [0, 1].

    Shapes of x and n broadcast; the result has a floating dtype. There is no derivative with respect to n.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.special.shifted_chebyshev_polynomial_t(tg.tensor([0.0, 0.5, 1.0]), 2)
    tensor([ 1., -1.,  1.])
    """
    return shifted(chebyshev_polynomial_t, input, n)


def shifted_chebyshev_polynomial_u(input: A, n: ArrayLike) -> A:
    """``chebyshev_polynomial_u(2x - 1, n)``, for x in [0, 1].

    Shapes of x and n broadcast; the result has a floating dtype. There is no derivative with respect to n.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.special.shifted_chebyshev_polynomial_u(tg.tensor([0.0, 0.5, 1.0]), 2)
    tensor([ 3., -1.,  3.])
    """
    return shifted(chebyshev_polynomial_u, input, n)


def shifted_chebyshev_polynomial_v(input: A, n: ArrayLike) -> A:
    """``chebyshev_polynomial_v(2x - 1, n)``, for x in [0, 1].

    Shapes of x and n broadcast; the result has a floating dtype. There is no derivative with respect to n.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.special.shifted_chebyshev_polynomial_v(tg.tensor([0.0, 0.5, 1.0]), 2)
    tensor([ 5., -1.,  1.])
    """
    return shifted(chebyshev_polynomial_v, input, n)


def shifted_chebyshev_polynomial_w(input: A, n: ArrayLike) -> A:
    """``chebyshev_polynomial_w(2x - 1, n)``, for x in [0, 1].

    Shapes of x and n broadcast; the result has a floating dtype. There is no derivative with respect to n.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.special.shifted_chebyshev_polynomial_w(tg.tensor([0.0, 0.5, 1.0]), 2)
    tensor([ 1., -1.,  5.])
    """
    return shifted(chebyshev_polynomial_w, input, n)


def hermite_polynomial_h(input: A, n: ArrayLike) -> A:
    """Hermite's polynomial of the physicists, orthogonal under ``exp(-x²)``.

    Shapes of x and n broadcast; the result has a floating dtype. There is no derivative with respect to n.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.special.hermite_polynomial_h(tg.tensor([0.0, 0.5, 1.0]), 2)
    tensor([-2., -1.,  2.])
    """
    return polynomial("hermite_polynomial_h", input, n, lambda x: 2 * x, lambda x, k, p, q: 2 * x * p - 2 * k * q)


def hermite_polynomial_he(input: A, n: ArrayLike) -> A:
    """Hermite's polynomial of probability, orthogonal under ``exp(-x²/2)``.

    Shapes of x and n broadcast; the result has a floating dtype. There is no derivative with respect to n.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.special.hermite_polynomial_he(tg.tensor([0.0, 0.5, 1.0]), 2)
    tensor([-1.0000, -0.7500,  0.0000])
    """
    return polynomial("hermite_polynomial_he", input, n, lambda x: x, lambda x, k, p, q: x * p - k * q)


def laguerre_polynomial_l(input: A, n: ArrayLike) -> A:
    """Laguerre's polynomial, orthogonal under ``exp(-x)`` on the positive numbers.

    Shapes of x and n broadcast; the result has a floating dtype. There is no derivative with respect to n.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.special.laguerre_polynomial_l(tg.tensor([0.0, 0.5, 1.0]), 2)
    tensor([ 1.0000,  0.1250, -0.5000])
    """
    step: Step = lambda x, k, p, q: ((2 * k + 1 - x) * p - k * q) / (k + 1)  # noqa: E731
    return polynomial("laguerre_polynomial_l", input, n, lambda x: 1 - x, step)


def legendre_polynomial_p(input: A, n: ArrayLike) -> A:
    """Legendre's polynomial, orthogonal on [-1, 1].

    Shapes of x and n broadcast; the result has a floating dtype. There is no derivative with respect to n.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.special.legendre_polynomial_p(tg.tensor([0.0, 0.5, 1.0]), 2)
    tensor([-0.5000, -0.1250,  1.0000])
    """
    step: Step = lambda x, k, p, q: ((2 * k + 1) * x * p - k * q) / (k + 1)  # noqa: E731
    return polynomial("legendre_polynomial_p", input, n, lambda x: x, step)
