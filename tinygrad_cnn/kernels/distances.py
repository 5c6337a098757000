"""Distances between all rows of one matrix and all of another, coordinate by coordinate."""

import math

import numpy as np

from tinygrad_cnn.core.types import NDArray

BLOCK = 1 << 14
"""So many distances at a time stay in the processor's cache."""
COORDINATES = 16
"""So many are added up in the dtype of the rows, the sums of these in float64."""


def distances(a: NDArray, b: NDArray, p: float) -> NDArray:
    """y[…, i, j] = (Σ_k |a[…, i, k] - b[…, j, k]|ᵖ)^(1/p), max for p = ∞; a (…, n, d) and b (…, m, d), p > 0."""
    lead = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    (n, d), m = a.shape[-2:], b.shape[-2]
    out = np.empty((*lead, n, m), a.dtype)
    columns = np.ascontiguousarray(np.moveaxis(b, -1, 0))[..., None, :]
    rows = max(1, BLOCK // max(1, m * math.prod(lead)))
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        for start in range(0, n, rows):
            part = a[..., start : start + rows, :]
            total = np.zeros((*lead, part.shape[-2], m), np.float64 if d > COORDINATES else a.dtype)
            for first in range(0, d, COORDINATES):
                some = range(first, min(first + COORDINATES, d))
                sums = _powers([(part[..., k, None], columns[k]) for k in some], p)
                total = np.maximum(total, sums) if math.isinf(p) else total + sums
            out[..., start : start + rows, :] = _root(total, p)
    return out


def _powers(pairs: list[tuple[NDArray, NDArray]], p: float) -> NDArray:
    """The sum of the p-th powers of these differences, or the largest."""
    total: NDArray | None = None
    for left, right in pairs:
        part = left - right
        if p == 2:
            part *= part
        else:
            np.absolute(part, out=part)
            if p != 1 and not math.isinf(p):
                part = part.astype(np.float64, copy=False)  # the root of a power of float32 has lost digits
                part **= p
        if total is None:
            total = part
        elif math.isinf(p):
            np.maximum(total, part, out=total)
        else:
            total += part
    assert total is not None
    return total


def _root(total: NDArray, p: float) -> NDArray:
    if p == 1 or math.isinf(p):
        return total
    return np.sqrt(total) if p == 2 else np.asarray(total ** (1 / p))
