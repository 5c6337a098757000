"""Attention in blocks of queries, so that scores stay in the cache and are never kept.

What is kept of each query is its largest score, and one over the sum of the exponentials of the distances to it: with
them the way back makes the weights again. (Rabe, Staats 2021; Dao et al. 2022 keep the logarithm of both as one, which
has lost the sum if the scores are large.)
"""

from collections.abc import Iterator, Sequence

import numpy as np

from tinygrad_cnn.core.types import NDArray
from tinygrad_cnn.kernels.passes import share, split

SCORES = 1 << 16
"""Scores of a block: 256 KiB of float32."""
FEWEST = 32
"""Queries of a block."""

Block = tuple[slice, slice]
"""Some of the batch, and some of the heads."""


def attend(q: NDArray, k: NDArray, v: NDArray, mask: NDArray, *, scale: float, causal: bool) -> tuple[NDArray, NDArray]:
    """softmax(scale q kᵀ + mask) v of (N,H,L,E), (N,H,S,E) and (N,H,S,V), and what is kept of each query, (N,H,L,2).

    The mask broadcasts to (N,H,L,S), or is 0. A query that may see no key gets 0, and all its weights are 0.
    """
    n, heads, length, _ = q.shape
    y = np.empty((n, heads, length, v.shape[3]), q.dtype)
    kept = np.empty((n, heads, length, 2), q.dtype)

    def work(blocks: Sequence[Block]) -> None:
        ones = np.ones((k.shape[2], 1), q.dtype)
        with np.errstate(all="ignore"):
            for block in blocks:
                for rows, seen in queries(length, k.shape[2], causal):
                    s = scores(q[block][:, :, rows], k[block][:, :, :seen], mask, block, rows, scale, causal)
                    top = np.maximum.reduce(s, axis=3, keepdims=True)
                    top[np.isneginf(top)] = 0
                    np.exp(np.subtract(s, top, out=s), out=s)
                    total = s @ ones[:seen]
                    np.divide(s @ v[block][:, :, :seen], np.where(total == 0, 1, total), out=y[block][:, :, rows])
                    kept[block][:, :, rows, :1], kept[block][:, :, rows, 1:] = top, np.where(total == 0, 0, 1 / total)

    share(parts(q, k), work, cost=work_of(q, k))
    return y, kept


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
    """The cotangents s k, sᵀ q and pᵀ g of q, k and v: p are the weights, and s = scale p (g vᵀ - Σ p g vᵀ)."""
    dq, dk, dv = (np.empty_like(a) for a in (q, k, v))
    length, keys = q.shape[2], k.shape[2]

    def work(blocks: Sequence[Block]) -> None:
        with np.errstate(all="ignore"):
            for block in blocks:
                some = list(queries(length, keys, causal))
                into_k, into_v = dk[block], dv[block]
                if several := len(some) > 1 or some[0][1] < keys:
                    into_k[...], into_v[...] = 0, 0
                for rows, seen in some:
                    near, far, values = q[block][:, :, rows], k[block][:, :, :seen], v[block][:, :, :seen]
                    p = scores(near, far, mask, block, rows, scale, causal)
                    top, share_of_one = kept[block][:, :, rows, :1], kept[block][:, :, rows, 1:]
                    np.multiply(np.exp(np.subtract(p, top, out=p), out=p), share_of_one, out=p)
                    h = g[block][:, :, rows]
                    s = h @ values.swapaxes(2, 3)
                    np.subtract(s, np.einsum("nhls,nhls->nhl", p, s)[..., None], out=s)
                    np.multiply(np.multiply(s, p, out=s), q.dtype.type(scale), out=s)
                    np.matmul(s, far, out=dq[block][:, :, rows])
                    if several:
                        into_k[:, :, :seen] += s.swapaxes(2, 3) @ near
                        into_v[:, :, :seen] += p.swapaxes(2, 3) @ h
                    else:
                        np.matmul(s.swapaxes(2, 3), near, out=into_k)
                        np.matmul(p.swapaxes(2, 3), h, out=into_v)

    share(parts(q, k), work, cost=2.5 * work_of(q, k))
    return dq, dk, dv


def scores(q: NDArray, k: NDArray, mask: NDArray, block: Block, rows: slice, scale: float, causal: bool) -> NDArray:
    """scale q kᵀ + mask of a block; -∞ where a query may not see a key."""
    s: NDArray = np.matmul(np.multiply(q, q.dtype.type(scale)), k.swapaxes(2, 3))
    if mask.ndim:
        s += mask[of_block(mask, block, rows)][..., : s.shape[3]]
    if causal:
        s[..., np.arange(s.shape[3]) > np.arange(rows.start, rows.start + s.shape[2])[:, None]] = -np.inf
    return s


def of_block(mask: NDArray, block: Block, rows: slice) -> tuple[slice, slice, slice]:
    """The part of a mask with four axes, some of them of size 1, that a block needs."""
    whole = slice(None)
    places = [part if n > 1 else whole for part, n in zip((*block, rows), mask.shape, strict=False)]
    return places[0], places[1], places[2]


def queries(length: int, keys: int, causal: bool) -> Iterator[tuple[slice, int]]:
    """Rows of queries whose scores fit the cache, and how many keys the last of them may see."""
    size = length if length * keys <= SCORES else max(FEWEST, SCORES // max(1, keys))
    for rows in split(length, size):
        yield rows, min(keys, rows.stop) if causal else keys


def parts(q: NDArray, k: NDArray) -> list[Block]:
    """Some of the batch and some of the heads, whose scores fit the cache together."""
    n, heads, each = q.shape[0], q.shape[1], q.shape[2] * k.shape[2]
    many = max(1, SCORES // max(1, each))
    if many >= heads:
        return [(some, slice(0, heads)) for some in split(n, many // heads)]
    return [(slice(i, i + 1), some) for i in range(n) for some in split(heads, many)]


def work_of(q: NDArray, k: NDArray) -> float:
    """The cost of a way there: bytes moved and an eighth of the operations."""
    return float(q.shape[0] * q.shape[1] * q.shape[2] * k.shape[2] * (20 + q.shape[3] / 2))
