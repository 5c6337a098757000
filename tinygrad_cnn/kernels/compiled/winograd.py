"""3×3 convolution in tiles of 4×4 results: F(4×4, 3×3) of Lavin, Gray 2016 (Fast algorithms for convolutional
neural networks), 36 products where the definition takes 144.

Y = Aᵀ [(G w Gᵀ) ⊙ (Bᵀ d B)] A for a 6×6 tile d of the input; summed over channels, the products at each of the 36
places are one matrix product. The gradient in w is the adjoint, Gᵀ [(A g Aᵀ) ⊙ (Bᵀ d B)] G, summed over tiles.
Vectors run along the images of a pixel. The result differs from the definition's by a few more roundings: errors
are three to four times those of a sum product by product in float32, and a NaN or an infinity fills its whole tile.
"""

from typing import Any

import numpy as np

from tinygrad_cnn.core.types import NDArray, Pads, Pair
from tinygrad_cnn.kernels.compiled.direct import SHORT_RUN, add_dots, room_for, set_runs
from tinygrad_cnn.kernels.compiled.jit import inlined, prange, shared, sums
from tinygrad_cnn.kernels.compiled.panel import copy_run
from tinygrad_cnn.kernels.compiled.registers import BYTES
from tinygrad_cnn.kernels.compiled.vectors import (
    get_four,
    get_six,
    load_four,
    load_six,
    load_three,
    set_four,
    set_six,
    store_four,
    store_six,
    vector_of,
)
from tinygrad_cnn.kernels.threads import thread_count

G = np.array([[6, 0, 0], [-4, -4, -4], [-4, 4, -4], [1, 2, 4], [1, -2, 4], [0, 0, 24]]) / 24
GG = np.kron(G, G)
"""(36, 9): G w Gᵀ of a flattened w."""
ELEMENTS, ELEMENTS_SUMMED = 600_000, 1_200_000
"""Elements of both sides of the products worked on at once, 2.4 MB of float32, and twice that where their results are
summed: measured with 16 to 256 images."""
LEAST_IMAGES, LEAST_CHANNELS = 8, 16
"""Below these numbers sums of shifted runs are as fast, see `direct`."""


LEAST_TILES = 16
"""Fewer tiles, of all images, do not fill a vector of the widest registers: a seventh of the speed."""


def pays(n: int, inputs: int, outputs: int, kernel: Pair, stride: Pair, dilation: Pair, out: Pair) -> bool:
    """Whether tiles are faster than sums of shifted runs, for a group of so many channels."""
    dense = kernel == (3, 3) and stride == dilation == (1, 1)
    enough = n * -(-out[0] // 4) * -(-out[1] // 4) >= LEAST_TILES
    return dense and enough and n >= LEAST_IMAGES and min(inputs, outputs) >= LEAST_CHANNELS


def whole_tiles(padding: Pads, out: Pair) -> Pads:
    """The padding, and as much more below and to the right as whole tiles of results need."""
    (top, bottom), (left, right) = padding
    return (top, bottom + -out[0] % 4), (left, right + -out[1] % 4)


def correlate(x: NDArray, w: NDArray, b: NDArray, y: NDArray) -> None:
    """y (O,P,Q,N) of x (C,H,W,N), which has whole tiles, and w (O,C,3,3)."""
    (c, _, _, n), (o, oh, ow, _) = x.shape, y.shape
    u = np.empty((36, o, c), x.dtype)
    _transform_weight(np.ascontiguousarray(w.reshape(o * c, 9).T), u.reshape(36, -1), w.dtype.type(1 / 24))
    _correlate(x, u, b, y, tiles_of((oh, ow), c, o, n, ELEMENTS), cost=y.nbytes + 9 * y.size * c / 16)


def contract(x: NDArray, g: NDArray) -> NDArray:
    """The gradient (O,C,3,3) of x (C,H,W,N) and g (O,P,Q,N), both with whole tiles."""
    (c, _, _, n), (o, oh, ow, _) = x.shape, g.shape
    u = np.zeros((thread_count(), 36, *room_for(o, c)), x.dtype)
    _contract(x, g, u, tiles_of((oh, ow), c, o, n, ELEMENTS_SUMMED), cost=g.nbytes + 9 * g.size * c / 16)
    places = (u[0] if len(u) == 1 else u.sum(axis=0))[:, :o, :c].reshape(36, o * c)
    return np.asarray(np.matmul(GG.T.astype(x.dtype), places).T.reshape(o, c, 3, 3))


def tiles_of(out: Pair, c: int, o: int, n: int, elements: int) -> NDArray:
    """(row, column, tiles, rows of tiles) of blocks that fit the cache: tiles side by side, or several whole rows."""
    across, down = -(-out[1] // 4), -(-out[0] // 4)
    most = max(1, elements // (36 * (c + o) * n))
    if most < across:
        return np.array([(4 * i, 4 * j, min(most, across - j), 1) for i in range(down) for j in range(0, across, most)])
    rows = min(most // across, -(-down // thread_count()))
    return np.array([(4 * i, 0, across, min(rows, down - i)) for i in range(0, down, rows)])


@shared
def _correlate(x: NDArray, u: NDArray, b: NDArray, y: NDArray, blocks: NDArray, shares: int) -> None:
    for share in prange(shares):
        _correlate_tiles(x, u, b, y, blocks[len(blocks) * share // shares : len(blocks) * (share + 1) // shares])


@sums
def _correlate_tiles(x: NDArray, u: NDArray, b: NDArray, y: NDArray, blocks: NDArray) -> None:
    none = np.zeros(u.shape[1], x.dtype)
    for k in range(len(blocks)):
        row, column, tiles, rows = blocks[k]
        side = tiles * x.shape[3]
        columns = rows * side
        v, m = np.empty((36, len(x), columns), x.dtype), np.empty((36, len(y), columns), x.dtype)
        t = np.empty((6, 4 * side + 2 * x.shape[3]), x.dtype)
        taps, run = np.arange(len(x)) * columns, np.array([[0, 0, columns]])
        for r in range(rows):
            transform_input(x, row + 4 * r, column, tiles, v, r * side, t)
        for i in range(36):
            set_runs(v[i].reshape(-1), taps, u[i], none, m[i], run)
        for r in range(rows):
            transform_result(m, r * side, b, y, row + 4 * r, column, tiles, t)


@shared
def _contract(x: NDArray, g: NDArray, u: NDArray, blocks: NDArray, shares: int) -> None:
    """Add to u (shares,36,O,C), whose sum over shares is meant."""
    for share in prange(shares):
        _contract_tiles(x, g, u[share], blocks[len(blocks) * share // shares : len(blocks) * (share + 1) // shares])


@sums
def _contract_tiles(x: NDArray, g: NDArray, u: NDArray, blocks: NDArray) -> None:
    for k in range(len(blocks)):
        row, column, tiles, rows = blocks[k]
        side = tiles * x.shape[3]
        columns = rows * side
        v, z = np.empty((36, len(x), columns), x.dtype), np.empty((36, len(g), columns), x.dtype)
        t = np.empty((6, 4 * side + 2 * x.shape[3]), x.dtype)
        taps, run = np.arange(len(x)) * columns, np.array([[0, 0, columns]])
        for r in range(rows):
            transform_input(x, row + 4 * r, column, tiles, v, r * side, t)
            transform_cotangent(g, row + 4 * r, column, tiles, z, r * side, t)
        for i in range(36):
            add_dots(v[i].reshape(-1), taps, z[i], u[i], run, SHORT_RUN)


@inlined
def _double(a: Any) -> Any:
    """2 a, of numbers and of vectors, in the dtype of a: a literal would make it float64."""
    return a + a


@inlined
def _input_rule(d: tuple[Any, ...]) -> tuple[Any, ...]:
    """Bᵀ d"""
    d0, d1, d2, d3, d4, d5 = d
    a, b = d4 - _double(_double(d2)), d3 - _double(_double(d1))
    c, e = d4 - d2, _double(d3 - d1)
    return _double(_double(d0 - d2)) + c, a + b, a - b, c + e, c - e, _double(_double(d1 - d3)) + (d5 - d3)


@inlined
def _result_rule(m: tuple[Any, ...]) -> tuple[Any, ...]:
    """Aᵀ m"""
    m0, m1, m2, m3, m4, m5 = m
    a, b, c, d = m1 + m2, m1 - m2, m3 + m4, _double(m3 - m4)
    return m0 + a + c, b + d, a + _double(_double(c)), b + _double(_double(d)) + m5


@inlined
def _cotangent_rule(g: tuple[Any, ...]) -> tuple[Any, ...]:
    """A g"""
    g0, g1, g2, g3 = g
    a, b, c, d = g0 + g2, g1 + g3, g0 + _double(_double(g2)), _double(g1 + _double(_double(g3)))
    return g0, a + b, a - b, c + d, c - d, g3


@inlined
def _weight_rule(w: tuple[Any, ...], scale: Any) -> tuple[Any, ...]:
    """G w, with scale = 1/24"""
    w0, w1, w2 = w
    a, b = scale * w0, _double(scale * w1)
    c = _double(_double(scale * w2))
    d, e = _double(_double(a)) + c, _double(b)
    zero = w0 - w0
    return _double(_double(a)) + _double(a), zero - (d + e), e - d, (a + c) + b, (a + c) - b, w2


@sums
def _transform_weight(w: NDArray, u: NDArray, scale: float) -> None:
    """u (36,K) = G w Gᵀ of w (9,K), for K of at least a vector."""
    n, lanes = w.shape[1], BYTES // w.itemsize
    source, out, p = w.reshape(-1), u.reshape(-1), vector_of(scale)
    for k in range(0, n, lanes):
        k = min(k, n - lanes)
        a = _weight_rule(load_three(source, k, 3 * n), p)
        b = _weight_rule(load_three(source, k + n, 3 * n), p)
        c = _weight_rule(load_three(source, k + 2 * n, 3 * n), p)
        store_six(out, k, n, _weight_rule((a[0], b[0], c[0]), p))
        store_six(out, k + 6 * n, n, _weight_rule((a[1], b[1], c[1]), p))
        store_six(out, k + 12 * n, n, _weight_rule((a[2], b[2], c[2]), p))
        store_six(out, k + 18 * n, n, _weight_rule((a[3], b[3], c[3]), p))
        store_six(out, k + 24 * n, n, _weight_rule((a[4], b[4], c[4]), p))
        store_six(out, k + 30 * n, n, _weight_rule((a[5], b[5], c[5]), p))


@sums
def transform_input(x: NDArray, row: int, column: int, tiles: int, v: NDArray, at: int, t: NDArray) -> None:
    """v (36,C,·) = Bᵀ d B of the tiles of x (C,H,W,N), from column `at` on; t (6, elements of a row) is room."""
    (channels, height, width, n), lanes = x.shape, BYTES // x.itemsize
    whole = n - n % lanes
    run, line, room, far = (4 * tiles + 2) * n, width * n, t.shape[1], channels * v.shape[2]
    source, half, out = x.reshape(-1), t.reshape(-1), v.reshape(-1)
    for c in range(channels):
        a = ((c * height + row) * width + column) * n
        for k in range(0, run, lanes):
            k = min(k, run - lanes)  # the last vector, some of it once more
            store_six(half, k, room, _input_rule(load_six(source, a + k, line)))
        for i in range(6):
            into = (6 * i * channels + c) * v.shape[2] + at
            for tile in range(tiles):
                b, o = i * room + 4 * tile * n, into + tile * n
                for k in range(0, whole, lanes):
                    store_six(out, o + k, far, _input_rule(load_six(half, b + k, n)))
            if whole < n:  # apart: within the loop above it would slow the vectors down by half
                for tile in range(tiles):
                    for k in range(whole, n):
                        b = i * room + 4 * tile * n + k
                        set_six(out, into + tile * n + k, far, _input_rule(get_six(half, b, n)))


@sums
def transform_result(
    m: NDArray, at: int, b: NDArray, y: NDArray, row: int, column: int, tiles: int, t: NDArray
) -> None:
    """The tiles of y (O,P,Q,N) = Aᵀ m A + b of m (36,O,·) from column `at` on; of tiles at the edge what is inside."""
    (channels, height, width, n), lanes = y.shape, BYTES // y.itemsize
    whole = n - n % lanes
    room, far = t.shape[1], channels * m.shape[2]
    source, half, out = m.reshape(-1), t.reshape(-1), y.reshape(-1)
    spare = np.empty((4, 4 * tiles * n), y.dtype).reshape(-1)
    inside, rows = min(4 * tiles, width - column) * n, min(4, height - row)
    for o in range(channels):
        for i in range(6):
            start = (6 * i * channels + o) * m.shape[2] + at
            for tile in range(tiles):
                a, into = start + tile * n, i * room + 4 * tile * n
                for k in range(0, whole, lanes):
                    store_four(half, into + k, n, _result_rule(load_six(source, a + k, far)))
            if whole < n:
                for tile in range(tiles):
                    for k in range(whole, n):
                        into = i * room + 4 * tile * n + k
                        set_four(half, into, n, _result_rule(get_six(source, start + tile * n + k, far)))
        a, bias = ((o * height + row) * width + column) * n, b[o]
        into, start, line = out, a, width * n
        if rows < 4:
            into, start, line = spare, 0, inside
        several = vector_of(bias)
        for k in range(0, inside - lanes + 1, lanes):
            r0, r1, r2, r3 = _result_rule(load_six(half, k, room))
            store_four(into, start + k, line, (r0 + several, r1 + several, r2 + several, r3 + several))
        for k in range(inside - inside % lanes, inside):
            r0, r1, r2, r3 = _result_rule(get_six(half, k, room))
            set_four(into, start + k, line, (r0 + bias, r1 + bias, r2 + bias, r3 + bias))
        if rows < 4:
            for r in range(rows):
                copy_run(spare, r * inside, out, a + r * width * n, inside)


@sums
def transform_cotangent(g: NDArray, row: int, column: int, tiles: int, z: NDArray, at: int, t: NDArray) -> None:
    """z (36,O,·) = A g Aᵀ of the tiles of g (O,P,Q,N), from column `at` on."""
    (channels, height, width, n), lanes = g.shape, BYTES // g.itemsize
    whole = n - n % lanes
    run, line, room, far = 4 * tiles * n, width * n, t.shape[1], channels * z.shape[2]
    source, half, out = g.reshape(-1), t.reshape(-1), z.reshape(-1)
    for o in range(channels):
        a = ((o * height + row) * width + column) * n
        for k in range(0, run, lanes):
            k = min(k, run - lanes)
            store_six(half, k, room, _cotangent_rule(load_four(source, a + k, line)))
        for i in range(6):
            into = (6 * i * channels + o) * z.shape[2] + at
            for tile in range(tiles):
                b, q = i * room + 4 * tile * n, into + tile * n
                for k in range(0, whole, lanes):
                    store_six(out, q + k, far, _cotangent_rule(load_four(half, b + k, n)))
            if whole < n:
                for tile in range(tiles):
                    for k in range(whole, n):
                        b = i * room + 4 * tile * n + k
                        set_six(out, into + tile * n + k, far, _cotangent_rule(get_four(half, b, n)))
