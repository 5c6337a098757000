"""Attention in float32, a head at a time: scores, weights and results stay in the cache; compare `kernels.attention`.

Products are panels, as in a convolution of 1×1: the keys and the values of a head lie by columns or by rows with whole
vectors, so that no product has a rest. Queries come in blocks, and in causal attention a block asks only those keys
that its last query may see.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_cnn.core.types import NDArray
from tinygrad_cnn.kernels import numpy_set
from tinygrad_cnn.kernels.attention import work_of
from tinygrad_cnn.kernels.compiled.activations import ONE, ZERO, decaying, largest, total_of
from tinygrad_cnn.kernels.compiled.direct import channels_of, set_wide
from tinygrad_cnn.kernels.compiled.jit import contracted, exact, inner, prange, shared
from tinygrad_cnn.kernels.compiled.matmul import dot, scaled
from tinygrad_cnn.kernels.compiled.registers import BYTES, TILES

BLOCK, CAUSAL = 64, 32
"""Queries of a block; in causal attention fewer, so that less is computed that nobody may see."""
SMALL = 1024
"""Scores of a head below which the products of many heads at once are NumPy's strength."""
LANES = BYTES // 4
ROWS, VECTORS = TILES.panel
WIDE, PAIR = VECTORS * LANES, 2 * LANES


def attend(q: NDArray, k: NDArray, v: NDArray, mask: NDArray, *, scale: float, causal: bool) -> tuple[NDArray, NDArray]:
    """softmax(scale q kᵀ + mask) v, and what is kept of each query; see `kernels.attention`.

    The result lies as (N,L,H,V), so that to put heads side by side needs no copy.
    """
    if not _fits(q, k, v, mask):
        return numpy_set.attend(q, k, v, mask, scale=scale, causal=causal)
    (n, heads, length, _), keys = q.shape, k.shape[2]
    y = np.empty((n, length, heads, v.shape[3]), q.dtype)
    kept = np.empty((n, heads, length, 2), q.dtype)
    every = np.broadcast_to(mask, (n, heads, length, keys))
    given = (_by_places(a) for a in (q, k, v))
    _attend(*given, every, np.float32(scale), mask.ndim > 0, causal, y, kept, cost=work_of(q, k))
    return y.transpose(0, 2, 1, 3), kept


def attend_back(
    g: NDArray,
    q: NDArray,
    k: NDArray,
    v: NDArray,
    mask: NDArray,
    kept: NDArray,
    *,
    scale: float,
    causal: bool,
) -> tuple[NDArray, NDArray, NDArray]:
    """The cotangents of q, k and v; see `kernels.attention`."""
    if not _fits(q, k, v, mask) or g.dtype != q.dtype:
        return numpy_set.attend_back(g, q, k, v, mask, kept, scale=scale, causal=causal)
    every = np.broadcast_to(mask, (*q.shape[:3], k.shape[2]))
    given = [_by_places(a) for a in (g, q, k, v)]
    dq, dk, dv = (np.empty_like(a) for a in given[1:])
    _attend_back(*given, every, kept, np.float32(scale), mask.ndim > 0, causal, dq, dk, dv, cost=2.5 * work_of(q, k))
    return dq.transpose(0, 2, 1, 3), dk.transpose(0, 2, 1, 3), dv.transpose(0, 2, 1, 3)


def _fits(q: NDArray, k: NDArray, *others: NDArray) -> bool:
    same = all(a.dtype == np.float32 and a.size for a in (q, k, *others))
    return same and q.shape[2] * k.shape[2] >= SMALL


def _by_places(x: NDArray) -> NDArray:
    """(N,H,L,E) as (N,L,H,E), in that order in memory: as it lies where heads are parts of a row."""
    return np.ascontiguousarray(x.transpose(0, 2, 1, 3))


# ---- what both ways have -------------------------------------------------------------------------------------------


def products_of(*, onto: bool) -> Callable[..., None]:
    """A function for Numba: ``products(x, taps, w, b, y)``.

    It sets y[r, v] = Σ_k w[r, k] x[taps[k] + v]; or, with `onto`, adds Σ_k w[k, r] x[taps[k] + v] to it. x and taps are
    flat; rows of y are whole vectors; b are zeros, as many as rows.
    """
    wide = channels_of(VECTORS, onto=True, turned=True) if onto else set_wide
    pair, one = (channels_of(n, onto=onto, turned=onto, most=rows) for n, rows in ((2, ROWS * VECTORS // 2), (1, 8)))

    def products(x: NDArray, taps: NDArray, w: NDArray, b: NDArray, y: NDArray) -> None:
        n = y.shape[1]
        for v in range(0, n - WIDE + 1, WIDE):
            wide(x, taps, v, w, b, y, v)
        for v in range(n - n % WIDE, n - PAIR + 1, PAIR):
            pair(x, taps, v, w, b, y, v)
        if n % PAIR:
            one(x, taps, n - LANES, w, b, y, n - LANES)

    return inner(products)


_set, _add = (products_of(onto=onto) for onto in (False, True))


@exact
def _whole(n: int) -> int:
    """So many numbers as whole vectors."""
    return n + -n % LANES


@exact
def _rows(x: NDArray, h: int, out: NDArray, step: int, factor: Any) -> None:
    """out[r step + e] = factor x[r, h, e]; out is flat."""
    for r in range(len(x)):
        for e in range(x.shape[2]):
            out[r * step + e] = factor * x[r, h, e]


@exact
def _columns(x: NDArray, h: int, out: NDArray, step: int) -> None:
    """out[e step + r] = x[r, h, e]; out is flat."""
    for e in range(x.shape[2]):
        for r in range(len(x)):
            out[e * step + r] = x[r, h, e]


@exact
def _plus(row: NDArray, mask: NDArray) -> None:
    for k in range(row.size):
        row[k] += mask[k]


@contracted
def _weigh(row: NDArray, top: Any, factor: Any) -> None:
    for k in range(row.size):
        row[k] = factor * decaying(row[k] - top)


@contracted
def _slopes(p: NDArray, middle: Any, h: NDArray) -> None:
    for k in range(p.size):
        h[k] = p[k] * (h[k] - middle)


# ---- the way there -------------------------------------------------------------------------------------------------


@shared
def _attend(
    q: NDArray,
    k: NDArray,
    v: NDArray,
    mask: NDArray,
    scale: Any,
    masked: bool,
    causal: bool,
    y: NDArray,
    kept: NDArray,
    shares: int,
) -> None:
    heads = q.shape[0] * q.shape[2]
    for share in prange(shares):
        first, last = heads * share // shares, heads * (share + 1) // shares
        _some_heads(q, k, v, mask, scale, masked, causal, y, kept, first, last)


@exact
def _some_heads(
    q: NDArray,
    k: NDArray,
    v: NDArray,
    mask: NDArray,
    scale: Any,
    masked: bool,
    causal: bool,
    y: NDArray,
    kept: NDArray,
    first: int,
    last: int,
) -> None:
    (length, width), (keys, depth) = (q.shape[1], q.shape[3]), (k.shape[1], v.shape[3])
    room, broad = _whole(keys), _whole(depth)
    most = CAUSAL if causal else BLOCK
    columns, values = np.zeros(width * room, q.dtype), np.zeros(room * broad, q.dtype)
    block, out, none = np.empty(BLOCK * width, q.dtype), np.empty((BLOCK, broad), q.dtype), np.zeros(BLOCK, q.dtype)
    weights = np.empty(BLOCK * room, q.dtype)
    of_columns, of_values = np.arange(width) * room, np.arange(room) * broad
    for place in range(first, last):
        n, h = place // q.shape[2], place % q.shape[2]
        _columns(k[n], h, columns, room)
        _rows(v[n], h, values, broad, ONE)
        for start in range(0, length, most):
            few = min(most, length - start)
            seen = _whole(min(keys, start + few)) if causal else room
            p = weights[: few * seen].reshape(few, seen)
            _rows(q[n, start : start + few], h, block, width, scale)
            _set(columns, of_columns, block[: few * width].reshape(few, width), none, p)
            for r in range(few):
                some = min(keys, start + r + 1) if causal else keys
                row = p[r, :some]
                if masked:
                    _plus(row, mask[n, h, start + r])
                top = largest(row)
                if top == -np.inf:
                    top = ZERO
                _weigh(row, top, ONE)
                p[r, some:] = ZERO
                total = total_of(row)
                kept[n, h, start + r, 0] = top
                kept[n, h, start + r, 1] = ZERO if total == ZERO else ONE / total
            _set(values, of_values[:seen], p, none, out[:few])
            for r in range(few):
                scaled(kept[n, h, start + r, 1], out[r, :depth], y[n, start + r, h])


# ---- the way back --------------------------------------------------------------------------------------------------


@shared
def _attend_back(
    g: NDArray,
    q: NDArray,
    k: NDArray,
    v: NDArray,
    mask: NDArray,
    kept: NDArray,
    scale: Any,
    masked: bool,
    causal: bool,
    dq: NDArray,
    dk: NDArray,
    dv: NDArray,
    shares: int,
) -> None:
    heads = q.shape[0] * q.shape[2]
    for share in prange(shares):
        first, last = heads * share // shares, heads * (share + 1) // shares
        _some_heads_back(g, q, k, v, mask, kept, scale, masked, causal, dq, dk, dv, first, last)


@exact
def _some_heads_back(
    g: NDArray,
    q: NDArray,
    k: NDArray,
    v: NDArray,
    mask: NDArray,
    kept: NDArray,
    scale: Any,
    masked: bool,
    causal: bool,
    dq: NDArray,
    dk: NDArray,
    dv: NDArray,
    first: int,
    last: int,
) -> None:
    """With p the weights, h = g vᵀ and s = p (h - Σ p h): dq = scale s k, dk = sᵀ (scale q), dv = pᵀ g.

    Rows of a block follow each other, so that whole vectors of one reach into the next: what comes of that is dropped.
    """
    (length, width), (keys, depth) = (q.shape[1], q.shape[3]), (k.shape[1], v.shape[3])
    room, broad, deep = _whole(keys), _whole(width), _whole(depth)
    most = CAUSAL if causal else BLOCK
    columns, near = np.zeros(width * room, q.dtype), np.zeros(room * broad, q.dtype)
    values, none = np.zeros(depth * room, q.dtype), np.zeros(max(room, BLOCK), q.dtype)
    block, cotangents = np.zeros(BLOCK * width + LANES, q.dtype), np.zeros(BLOCK * depth + LANES, q.dtype)
    weights, slopes = np.empty(BLOCK * room, q.dtype), np.empty(BLOCK * room, q.dtype)
    out, into_k = np.empty((BLOCK, broad), q.dtype), np.empty((room, broad), q.dtype)
    into_v = np.empty((room, deep), q.dtype)
    of_columns, of_near, of_values = np.arange(width) * room, np.arange(room) * broad, np.arange(depth) * room
    of_block, of_cotangents = np.arange(BLOCK) * width, np.arange(BLOCK) * depth
    for place in range(first, last):
        n, head = place // q.shape[2], place % q.shape[2]
        _columns(k[n], head, columns, room)
        _columns(v[n], head, values, room)
        _rows(k[n], head, near, broad, ONE)
        into_k[:], into_v[:] = ZERO, ZERO
        for start in range(0, length, most):
            few = min(most, length - start)
            seen = _whole(min(keys, start + few)) if causal else room
            p, h = weights[: few * seen].reshape(few, seen), slopes[: few * seen].reshape(few, seen)
            _rows(q[n, start : start + few], head, block, width, scale)
            _rows(g[n, start : start + few], head, cotangents, depth, ONE)
            _set(columns, of_columns, block[: few * width].reshape(few, width), none, p)
            _set(values, of_values, cotangents[: few * depth].reshape(few, depth), none, h)
            for r in range(few):
                some = min(keys, start + r + 1) if causal else keys
                row = p[r, :some]
                if masked:
                    _plus(row, mask[n, head, start + r])
                _weigh(row, kept[n, head, start + r, 0], kept[n, head, start + r, 1])
                p[r, some:] = ZERO
                _slopes(row, dot(row, h[r, :some]), h[r, :some])
                h[r, some:] = ZERO
            _set(near, of_near[:seen], h, none, out[:few])
            for r in range(few):
                scaled(scale, out[r, :width], dq[n, start + r, head])
            _add(block, of_block[:few], h, none, into_k[:seen])
            _add(cotangents, of_cotangents[:few], p, none, into_v[:seen])
        for r in range(keys):
            dk[n, r, head] = into_k[r, :width]
            dv[n, r, head] = into_v[r, :depth]
