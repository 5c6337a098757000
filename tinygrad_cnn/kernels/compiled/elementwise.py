"""Element-wise passes, one over memory each; compare `kernels.passes`."""

from typing import Any

import numpy as np

from tinygrad_cnn.core.types import NDArray
from tinygrad_cnn.kernels import numpy_set
from tinygrad_cnn.kernels.compiled.jit import exact, prange, shared, sums
from tinygrad_cnn.kernels.compiled.layout import DTYPES
from tinygrad_cnn.kernels.passes import memory_order

SMALL = 4096
"""Arrays of at most so many elements are left to NumPy: finding out how they lie costs more than the pass."""


def relu(x: NDArray) -> NDArray:
    """max(x, 0), in the memory order of x; NaN stays NaN."""
    if np.size(x) <= SMALL or x.dtype not in DTYPES or memory_order(x) is None:
        return numpy_set.relu(x)
    y = np.empty_like(x)
    _relu(x.ravel(order="K"), y.ravel(order="K"), cost=2 * x.nbytes)
    return y


def gate(x: NDArray, of: NDArray) -> NDArray:
    """0 where `of` is at most 0, else x, in the memory order of `of`."""
    order = memory_order(of) if np.size(of) > SMALL and x.dtype == of.dtype in DTYPES else None
    if order is None:
        return numpy_set.gate(x, of)
    y = np.empty_like(of)
    source = np.ascontiguousarray(x.transpose(order)).reshape(-1)
    _gate(source, of.ravel(order="K"), y.ravel(order="K"), cost=3 * x.nbytes)
    return y


def pick(holds: NDArray, a: Any, b: Any, out: NDArray) -> None:
    """The bits a where `holds`, else b: integers, runs of memory as out is, or single numbers."""
    loop = {(1, 1): _pick, (1, 0): _pick_first, (0, 1): _pick_second}.get((np.ndim(a), np.ndim(b)))
    if loop is None:
        numpy_set.pick(holds, a, b, out)
    else:
        loop(holds, a, b, out, cost=3 * out.nbytes)


def add_rows(y: NDArray, places: NDArray, rows: NDArray) -> None:
    """y[places[k]] += rows[k] for each k, in place; y is in C order."""
    if y.dtype in DTYPES:
        _add_rows(y, places, np.ascontiguousarray(rows))
    else:
        numpy_set.add_rows(y, places, rows)


def channel_sums(g: NDArray) -> NDArray:
    """Σ over images and places of g (N,C,H,W), as (C,)."""
    lying = g.transpose(1, 2, 3, 0)
    if g.dtype not in DTYPES or not lying.flags.c_contiguous:
        return numpy_set.channel_sums(g)
    rows, out = lying.reshape(len(lying), -1), np.empty(len(lying), g.dtype)
    _row_sums(rows, out, cost=g.nbytes)
    return out


@shared
def _relu(x: NDArray, y: NDArray, shares: int) -> None:
    for share in prange(shares):
        some = slice(x.size * share // shares, x.size * (share + 1) // shares)
        _relu_run(x[some], y[some])


@exact
def _relu_run(x: NDArray, y: NDArray) -> None:
    for k in range(x.size):
        y[k] = x[k] if (x[k] > 0) | (x[k] != x[k]) else 0


@shared
def _gate(x: NDArray, of: NDArray, y: NDArray, shares: int) -> None:
    for share in prange(shares):
        some = slice(x.size * share // shares, x.size * (share + 1) // shares)
        _gate_run(x[some], of[some], y[some])


@exact
def _gate_run(x: NDArray, of: NDArray, y: NDArray) -> None:
    for k in range(x.size):
        y[k] = 0 if of[k] <= 0 else x[k]


@shared
def _pick(holds: NDArray, a: NDArray, b: NDArray, out: NDArray, shares: int) -> None:
    for share in prange(shares):
        some = slice(out.size * share // shares, out.size * (share + 1) // shares)
        _pick_run(holds[some], a[some], b[some], out[some])


@exact
def _pick_run(holds: NDArray, a: NDArray, b: NDArray, out: NDArray) -> None:
    for k in range(out.size):
        x, y = a[k], b[k]  # both loaded before the choice, which is then none of the processor's
        out[k] = x if holds[k] else y


@shared
def _pick_first(holds: NDArray, a: NDArray, b: int, out: NDArray, shares: int) -> None:
    for share in prange(shares):
        some = slice(out.size * share // shares, out.size * (share + 1) // shares)
        _pick_first_run(holds[some], a[some], b, out[some])


@exact
def _pick_first_run(holds: NDArray, a: NDArray, b: int, out: NDArray) -> None:
    for k in range(out.size):
        x = a[k]
        out[k] = x if holds[k] else b


@shared
def _pick_second(holds: NDArray, a: int, b: NDArray, out: NDArray, shares: int) -> None:
    for share in prange(shares):
        some = slice(out.size * share // shares, out.size * (share + 1) // shares)
        _pick_second_run(holds[some], a, b[some], out[some])


@exact
def _pick_second_run(holds: NDArray, a: int, b: NDArray, out: NDArray) -> None:
    for k in range(out.size):
        y = b[k]
        out[k] = a if holds[k] else y


@exact
def _add_rows(y: NDArray, places: NDArray, rows: NDArray) -> None:
    for k in range(places.size):
        _add_row(y[places[k]], rows[k])


@exact
def _add_row(y: NDArray, row: NDArray) -> None:
    for c in range(y.size):
        y[c] += row[c]


@shared
def _row_sums(rows: NDArray, out: NDArray, shares: int) -> None:
    """The sum of each row, by sums of 4,096 elements, so that roundings do not pile up."""
    for share in prange(shares):
        for c in range(len(rows) * share // shares, len(rows) * (share + 1) // shares):
            total = 0.0
            for start in range(0, rows.shape[1], 4096):
                total += _sum(rows[c, start : start + 4096])
            out[c] = total


@sums
def _sum(run: NDArray) -> Any:
    total = run.dtype.type(0)
    for k in range(run.size):
        total += run[k]
    return total
