"""3×3 convolution in tiles of 4×4 results: F(4×4, 3×3) of Lavin, Gray 2016 (Fast algorithms for convolutional
neural networks), 36 products where the definition takes 144.

Y = Aᵀ [(G w Gᵀ) ⊙ (Bᵀ d B)] A for a 6×6 tile d of the input; summed over channels, the products at each of the 36
places are one matrix product. The gradient in w is the adjoint, Gᵀ [(A g Aᵀ) ⊙ (Bᵀ d B)] G, summed over tiles.
Vectors run along the images of a pixel. The result differs from the definition's by a few more roundings: errors
are three to four times those of a plain sum in float32, and a NaN or an infinity fills its whole tile.
"""

import math
from collections.abc import Sequence

import numpy as np

from tinygrad_cnn.kernels.compiled.jit import sums
from tinygrad_cnn.kernels.threads import get_num_threads, share
from tinygrad_cnn.types import NDArray, Pads, Pair

G = np.array([[6, 0, 0], [-4, -4, -4], [-4, 4, -4], [1, 2, 4], [1, -2, 4], [0, 0, 24]]) / 24
GG = np.kron(G, G)
"""(36, 9): G w Gᵀ of a flattened w."""
ELEMENTS = 600_000
"""Elements of both sides of the products worked on at once: 2.4 MB of float32."""
FEW_IMAGES, FEW_CHANNELS = 8, 16
"""Below these numbers plain sums are as fast."""

Tiles = tuple[int, int, int]
"""A row of the results, a column of them, and the number of tiles side by side from there."""


def pays(n: int, inputs: int, outputs: int, kernel: Pair, stride: Pair, dilation: Pair) -> bool:
    """Whether tiles are faster than plain sums, for a group of so many channels."""
    plain = kernel == (3, 3) and stride == dilation == (1, 1)
    return plain and n >= FEW_IMAGES and min(inputs, outputs) >= FEW_CHANNELS


def whole_tiles(padding: Pads, out: Pair) -> Pads:
    """The padding, and as much more below and to the right as whole tiles of results need."""
    (top, bottom), (left, right) = padding
    return (top, bottom + -out[0] % 4), (left, right + -out[1] % 4)


def correlate(x: NDArray, w: NDArray, b: NDArray, y: NDArray) -> None:
    """y (O,P,Q,N) of x (C,H,W,N), which has whole tiles, and w (O,C,3,3)."""
    (c, _, _, n), (o, oh, ow, _) = x.shape, y.shape
    u = np.matmul(GG.astype(x.dtype), w.reshape(o * c, 9).T).reshape(36, o, c)

    def work(blocks: Sequence[Tiles]) -> None:
        source, result, rows = Buffer(x.dtype), Buffer(x.dtype), Buffer(x.dtype)
        for row, column, tiles in blocks:
            v, m = source.array(36, c, tiles * n), result.array(36, o, tiles * n)
            t = rows.array(6, (4 * tiles + 2) * n)
            transform_input(x, row, column, tiles, v, t)
            np.matmul(u, v, out=m)
            transform_result(m, b, y, row, column, tiles, t)

    share(tiles_of((oh, ow), c, o, n), work, cost=y.nbytes + 9 * y.size * c / 16)


def contract(x: NDArray, g: NDArray) -> NDArray:
    """The gradient (O,C,3,3) of x (C,H,W,N) and g (O,P,Q,N), both with whole tiles."""
    (c, _, _, n), (o, oh, ow, _) = x.shape, g.shape

    def work(blocks: Sequence[Tiles]) -> NDArray:
        source, cotangent, rows = Buffer(x.dtype), Buffer(x.dtype), Buffer(x.dtype)
        d, part = np.zeros((36, o, c), x.dtype), np.empty((36, o, c), x.dtype)
        for row, column, tiles in blocks:
            v, z = source.array(36, c, tiles * n), cotangent.array(36, o, tiles * n)
            t = rows.array(6, (4 * tiles + 2) * n)
            transform_input(x, row, column, tiles, v, t)
            transform_cotangent(g, row, column, tiles, z, t)
            np.matmul(z, v.transpose(0, 2, 1), out=part)
            d += part
        return d

    shares = share(tiles_of((oh, ow), c, o, n), work, cost=g.nbytes + 9 * g.size * c / 16)
    u = sum(shares[1:], shares[0]).reshape(36, o * c)
    return np.asarray(np.matmul(GG.T.astype(x.dtype), u).T.reshape(o, c, 3, 3))


class Buffer:
    """Memory for one array after another."""

    def __init__(self, dtype: np.dtype[np.floating]) -> None:
        self.flat = np.empty(0, dtype)

    def array(self, *shape: int) -> NDArray:
        """An uninitialised array; the one before is no longer valid."""
        size = math.prod(shape)
        if self.flat.size < size:
            self.flat = np.empty(size, self.flat.dtype)
        return self.flat[:size].reshape(shape)


def tiles_of(out: Pair, c: int, o: int, n: int) -> list[Tiles]:
    """Blocks of tiles of one row that fit the cache, at least one a thread."""
    across = -(-out[1] // 4)
    size = max(1, min(across, ELEMENTS // (36 * (c + o) * n)))
    down = -(-out[0] // 4)
    if down * -(-across // size) < get_num_threads():
        size = -(-across // get_num_threads())
    return [(4 * i, 4 * j, min(size, across - j)) for i in range(down) for j in range(0, across, size)]


@sums
def _double(a: float) -> float:
    """2 a, in the dtype of a: a literal would make it float64."""
    return a + a


@sums
def _input_rule(d0: float, d1: float, d2: float, d3: float, d4: float, d5: float) -> tuple[float, ...]:
    """Bᵀ d"""
    a, b = d4 - _double(_double(d2)), d3 - _double(_double(d1))
    c, e = d4 - d2, _double(d3 - d1)
    return _double(_double(d0 - d2)) + c, a + b, a - b, c + e, c - e, _double(_double(d1 - d3)) + (d5 - d3)


@sums
def _result_rule(m0: float, m1: float, m2: float, m3: float, m4: float, m5: float) -> tuple[float, ...]:
    """Aᵀ m"""
    a, b, c, d = m1 + m2, m1 - m2, m3 + m4, _double(m3 - m4)
    return m0 + a + c, b + d, a + _double(_double(c)), b + _double(_double(d)) + m5


@sums
def _cotangent_rule(g0: float, g1: float, g2: float, g3: float) -> tuple[float, ...]:
    """A g"""
    a, b, c, d = g0 + g2, g1 + g3, g0 + _double(_double(g2)), _double(g1 + _double(_double(g3)))
    return g0, a + b, a - b, c + d, c - d, g3


@sums
def transform_input(x: NDArray, row: int, column: int, tiles: int, v: NDArray, t: NDArray) -> None:
    """v (36,C,tiles·N) = Bᵀ d B of the tiles of x (C,H,W,N); t (6, elements of a row) is room between."""
    n = x.shape[3]
    for c in range(len(x)):
        rows, a, e = x[c].reshape(x.shape[1], -1), column * n, (column + 4 * tiles + 2) * n
        x0, x1, x2 = rows[row, a:e], rows[row + 1, a:e], rows[row + 2, a:e]
        x3, x4, x5 = rows[row + 3, a:e], rows[row + 4, a:e], rows[row + 5, a:e]
        for k in range(e - a):
            t[0, k], t[1, k], t[2, k], t[3, k], t[4, k], t[5, k] = _input_rule(x0[k], x1[k], x2[k], x3[k], x4[k], x5[k])
        for i in range(6):
            for tile in range(tiles):
                s = t[i, 4 * tile * n :]
                s0, s1, s2, s3, s4, s5 = s, s[n:], s[2 * n :], s[3 * n :], s[4 * n :], s[5 * n :]
                a = tile * n
                v0, v1, v2 = v[6 * i, c, a:], v[6 * i + 1, c, a:], v[6 * i + 2, c, a:]
                v3, v4, v5 = v[6 * i + 3, c, a:], v[6 * i + 4, c, a:], v[6 * i + 5, c, a:]
                for k in range(n):
                    v0[k], v1[k], v2[k], v3[k], v4[k], v5[k] = _input_rule(s0[k], s1[k], s2[k], s3[k], s4[k], s5[k])


@sums
def transform_result(m: NDArray, b: NDArray, y: NDArray, row: int, column: int, tiles: int, t: NDArray) -> None:
    """The tiles of y (O,P,Q,N) = Aᵀ m A + b of m (36,O,tiles·N); of tiles at the edge what lies inside."""
    n = y.shape[3]
    spare = np.empty(4 * tiles * n, y.dtype)
    inside = min(4 * tiles, y.shape[2] - column) * n
    for o in range(len(y)):
        for i in range(6):
            for tile in range(tiles):
                a = tile * n
                m0, m1, m2 = m[6 * i, o, a:], m[6 * i + 1, o, a:], m[6 * i + 2, o, a:]
                m3, m4, m5 = m[6 * i + 3, o, a:], m[6 * i + 4, o, a:], m[6 * i + 5, o, a:]
                s = t[i, 4 * tile * n :]
                s0, s1, s2, s3 = s, s[n:], s[2 * n :], s[3 * n :]
                for k in range(n):
                    s0[k], s1[k], s2[k], s3[k] = _result_rule(m0[k], m1[k], m2[k], m3[k], m4[k], m5[k])
        rows, a = y[o].reshape(y.shape[1], -1), column * n
        y0 = rows[row, a:]
        y1 = rows[row + 1, a:] if row + 1 < len(rows) else spare
        y2 = rows[row + 2, a:] if row + 2 < len(rows) else spare
        y3 = rows[row + 3, a:] if row + 3 < len(rows) else spare
        bias = b[o]
        for k in range(inside):
            r0, r1, r2, r3 = _result_rule(t[0, k], t[1, k], t[2, k], t[3, k], t[4, k], t[5, k])
            y0[k], y1[k], y2[k], y3[k] = r0 + bias, r1 + bias, r2 + bias, r3 + bias


@sums
def transform_cotangent(g: NDArray, row: int, column: int, tiles: int, z: NDArray, t: NDArray) -> None:
    """z (36,O,tiles·N) = A g Aᵀ of the tiles of g (O,P,Q,N)."""
    n = g.shape[3]
    for o in range(len(g)):
        rows, a, e = g[o].reshape(g.shape[1], -1), column * n, (column + 4 * tiles) * n
        g0, g1, g2, g3 = rows[row, a:e], rows[row + 1, a:e], rows[row + 2, a:e], rows[row + 3, a:e]
        for k in range(e - a):
            t[0, k], t[1, k], t[2, k], t[3, k], t[4, k], t[5, k] = _cotangent_rule(g0[k], g1[k], g2[k], g3[k])
        for i in range(6):
            for tile in range(tiles):
                s = t[i, 4 * tile * n :]
                s0, s1, s2, s3 = s, s[n:], s[2 * n :], s[3 * n :]
                a = tile * n
                z0, z1, z2 = z[6 * i, o, a:], z[6 * i + 1, o, a:], z[6 * i + 2, o, a:]
                z3, z4, z5 = z[6 * i + 3, o, a:], z[6 * i + 4, o, a:], z[6 * i + 5, o, a:]
                for k in range(n):
                    z0[k], z1[k], z2[k], z3[k], z4[k], z5[k] = _cotangent_rule(s0[k], s1[k], s2[k], s3[k])
