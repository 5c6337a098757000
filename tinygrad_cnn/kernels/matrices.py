"""What LAPACK has and NumPy does not show: LU factors, triangular systems; and the exponential of a matrix.

All take stacks of matrices, (..., m, n), in float32 or float64.
"""

import math

import numpy as np

from tinygrad_cnn.core.types import NDArray

PADE = (
    64764752532480000.0, 32382376266240000.0, 7771770303897600.0, 1187353796428800.0, 129060195264000.0,
    10559470521600.0, 670442572800.0, 33522128640.0, 1323241920.0, 40840800.0, 960960.0, 16380.0, 182.0, 1.0,
)  # fmt: skip
"""The approximation [13/13] of the exponential: N. J. Higham, SIAM Journal on Matrix Analysis 26 (2005), 1179-1193."""
PADE_REACH = 5.371920351148152
"""Up to this norm it has the digits of float64."""

PANEL = 32
"""Columns that are eliminated one by one: with halves down to a single one, 316 took 34 ms instead of 12."""


def lu(a: NDArray, pivot: bool = True) -> tuple[NDArray, NDArray]:
    """L below the diagonal (its own is 1) and U on and above it, in one array; and LAPACK's pivots.

    Row k was exchanged with row ``pivots[k] - 1``, k = 0, 1, …
    """
    if a.dtype.itemsize < 4:  # as NumPy says of its own decompositions, which the derivative asks
        raise TypeError(f"array type {a.dtype} is unsupported in linalg")
    *lead, m, n = a.shape
    packed = np.array(a, order="C").reshape(math.prod(lead), m, n)
    pivots = np.tile(np.arange(1, min(m, n) + 1, dtype=np.int32), (len(packed), 1))
    with np.errstate(all="ignore"):
        _factor(packed, pivots, 0, min(m, n), pivot)
        if n > m:
            packed[..., m:] = substitute(packed[..., :m], packed[..., m:], upper=False, unit=True)
    return packed.reshape(a.shape), pivots.reshape(*lead, min(m, n))


def _factor(packed: NDArray, pivots: NDArray, start: int, end: int, pivot: bool) -> None:
    """The columns from start to end in place: the left half, what it does to the right, and that; few one by one."""
    if end - start > PANEL:
        middle = (start + end) // 2
        _factor(packed, pivots, start, middle, pivot)
        left, right = packed[:, start:, start:middle], packed[:, start:, middle:end]
        top = middle - start
        right[:, :top] = substitute(left[:, :top], right[:, :top], upper=False, unit=True)
        right[:, top:] -= left[:, top:] @ right[:, :top]
        _factor(packed, pivots, middle, end, pivot)
    elif len(packed):
        which = np.arange(len(packed))
        for k in range(start, end):
            if pivot:
                largest = k + np.argmax(np.abs(packed[:, k:, k]), axis=1)
                pivots[:, k] = largest + 1
                above = packed[:, k].copy()
                packed[:, k] = packed[which, largest]
                packed[which, largest] = above
            head = packed[:, k, k, None]
            packed[:, k + 1 :, k] /= np.where(head == 0, 1, head)
            packed[:, k + 1 :, k + 1 : end] -= packed[:, k + 1 :, k, None] * packed[:, k, None, k + 1 : end]


def rows_of(pivots: NDArray, m: int) -> NDArray:
    """The row of a matrix of m rows that stands in each row of L U, after all exchanges."""
    *lead, count = pivots.shape
    flat = pivots.reshape(math.prod(lead), count)
    rows = np.tile(np.arange(m), (len(flat), 1))
    which = np.arange(len(flat))
    for k in range(count):
        other = flat[:, k] - 1
        above = rows[:, k].copy()
        rows[:, k] = rows[which, other]
        rows[which, other] = above
    return rows.reshape(*lead, m)


def substitute(a: NDArray, b: NDArray, *, upper: bool, unit: bool = False) -> NDArray:
    """The x with ``a x = b``, of a only one triangle read, with `unit` not even the diagonal.

    A triangle is its own LU factor: LAPACK finds no row to exchange, if the zeros stand below.
    """
    n = a.shape[-1]
    triangle = np.triu(a, int(unit)) if upper else np.tril(a, -int(unit))
    if unit:
        triangle = triangle + np.eye(n, dtype=a.dtype)
    if not upper:
        triangle, b = triangle[..., ::-1, ::-1], b[..., ::-1, :]
    try:
        x = np.linalg.solve(triangle, b)
    except np.linalg.LinAlgError:
        x = _by_rows(triangle, b)
    return x if upper else x[..., ::-1, :]


def _by_rows(triangle: NDArray, b: NDArray) -> NDArray:
    """An upper triangle with zeros on its diagonal: what is divided by them is infinite or NaN."""
    x = np.array(np.broadcast_to(b, np.broadcast_shapes(triangle.shape[:-2], b.shape[:-2]) + b.shape[-2:]))
    with np.errstate(all="ignore"):
        for k in range(x.shape[-2] - 1, -1, -1):
            known = triangle[..., k : k + 1, k + 1 :] @ x[..., k + 1 :, :]
            x[..., k, :] = (x[..., k, :] - known[..., 0, :]) / triangle[..., k, k, None]
    return x


def solve(a: NDArray, b: NDArray) -> tuple[NDArray, NDArray]:
    """The x with ``a x = b``; and for each matrix 0, or the number of the first pivot that is 0: of that, x is NaN."""
    found = np.zeros(a.shape[:-2], np.int32)
    try:
        return np.linalg.solve(a, b), found
    except np.linalg.LinAlgError:
        regular = np.array(a)
    for place in np.ndindex(found.shape):
        try:
            np.linalg.solve(a[place], a[place])
        except np.linalg.LinAlgError:
            found[place] = np.argmin(np.abs(np.diagonal(lu(a[place])[0]))) + 1
            regular[place] = np.eye(a.shape[-1])
    x = np.linalg.solve(regular, b)
    return np.where((found > 0)[..., None, None], np.asarray(np.nan, x.dtype), x), found


def cholesky(a: NDArray) -> tuple[NDArray, NDArray]:
    """L with a = L Lᵀ; and for each matrix 0, or the order of the first minor that is not positive: of that, L is NaN.

    Of each matrix the lower triangle is read.
    """
    found = np.zeros(a.shape[:-2], np.int32)
    try:
        return np.linalg.cholesky(a), found
    except np.linalg.LinAlgError:
        factor = np.full_like(a, np.nan)
    part = a[..., :0, :0]
    for place in np.ndindex(found.shape):
        for size in range(1, a.shape[-1] + 1):
            try:
                part = np.linalg.cholesky(a[place][:size, :size])
            except np.linalg.LinAlgError:
                found[place] = size
                break
        else:
            factor[place] = part
    return factor, found


def exponential(a: NDArray) -> NDArray:
    """Σ aᵏ / k!, by Padé's approximation of a / 2ˢ, squared s times; each matrix has its own s."""
    n = a.shape[-1]
    if n == 0 or not a.size:
        return a.copy()
    dtype, a = a.dtype, a.astype(np.float64)
    size = np.abs(a).sum(-2).max(-1)
    with np.errstate(all="ignore"):
        wanted = np.ceil(np.log2(size / PADE_REACH))
        steps = np.where(np.isfinite(wanted), np.maximum(wanted, 0), 0).astype(int)[..., None, None]
        x = np.ldexp(a, -steps)
        one, c = np.eye(n), PADE
        x2 = x @ x
        x4 = x2 @ x2
        x6 = x4 @ x2
        odd = x @ (x6 @ (c[13] * x6 + c[11] * x4 + c[9] * x2) + c[7] * x6 + c[5] * x4 + c[3] * x2 + c[1] * one)
        even = x6 @ (c[12] * x6 + c[10] * x4 + c[8] * x2) + c[6] * x6 + c[4] * x4 + c[2] * x2 + c[0] * one
        y, _ = solve(even - odd, even + odd)
        for k in range(int(steps.max(initial=0))):
            y = np.where(k < steps, y @ y, y)
        return np.asarray(y, dtype)
