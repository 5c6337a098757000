"""3×3 convolution in tiles of 4×4 results: F(4×4, 3×3) of Lavin, Gray 2016 (Fast algorithms for convolutional
neural networks), 36 products where the definition takes 144.

Y = Aᵀ [(G w Gᵀ) ⊙ (Bᵀ d B)] A for a 6×6 tile d of the input; summed over channels, the products at each of the 36
places are one matrix product. The gradient in w is the adjoint, Gᵀ [(A g Aᵀ) ⊙ (Bᵀ d B)] G, summed over tiles.
Vectors run along the images of a pixel. The result differs from the definition's by a few more roundings: errors
are three to four times those of a plain sum in float32, and a NaN or an infinity fills its whole tile.
"""

import numpy as np

from tinygrad_cnn.kernels.compiled.direct import add_dots, set_runs
from tinygrad_cnn.kernels.compiled.jit import prange, shared, sums
from tinygrad_cnn.kernels.threads import get_num_threads
from tinygrad_cnn.types import NDArray, Pads, Pair

G = np.array([[6, 0, 0], [-4, -4, -4], [-4, 4, -4], [1, 2, 4], [1, -2, 4], [0, 0, 24]]) / 24
GG = np.kron(G, G)
"""(36, 9): G w Gᵀ of a flattened w."""
ELEMENTS = 1_200_000
"""Elements of both sides of the products worked on at once: 4.8 MB of float32."""
FEW_IMAGES, FEW_CHANNELS = 8, 16
"""Below these numbers plain sums are as fast."""


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
    _correlate(x, u, b, y, tiles_of((oh, ow), c, o, n), cost=y.nbytes + 9 * y.size * c / 16)


def contract(x: NDArray, g: NDArray) -> NDArray:
    """The gradient (O,C,3,3) of x (C,H,W,N) and g (O,P,Q,N), both with whole tiles."""
    (c, _, _, n), (o, oh, ow, _) = x.shape, g.shape
    u = np.zeros((get_num_threads(), 36, o + -o % 4, c + -c % 4), x.dtype)
    _contract(x, g, u, tiles_of((oh, ow), c, o, n), cost=g.nbytes + 9 * g.size * c / 16)
    places = u.sum(axis=0)[:, :o, :c].reshape(36, o * c)
    return np.asarray(np.matmul(GG.T.astype(x.dtype), places).T.reshape(o, c, 3, 3))


def tiles_of(out: Pair, c: int, o: int, n: int) -> NDArray:
    """(row, column, tiles, rows of tiles) of blocks that fit the cache: tiles side by side, or several whole rows."""
    across, down = -(-out[1] // 4), -(-out[0] // 4)
    most = max(1, ELEMENTS // (36 * (c + o) * n))
    if most < across:
        return np.array([(4 * i, 4 * j, min(most, across - j), 1) for i in range(down) for j in range(0, across, most)])
    rows = min(most // across, -(-down // get_num_threads()))
    return np.array([(4 * i, 0, across, min(rows, down - i)) for i in range(0, down, rows)])


@shared
def _correlate(x: NDArray, u: NDArray, b: NDArray, y: NDArray, blocks: NDArray, parts: int) -> None:
    for part in prange(parts):
        _correlate_tiles(x, u, b, y, blocks[len(blocks) * part // parts : len(blocks) * (part + 1) // parts])


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
def _contract(x: NDArray, g: NDArray, u: NDArray, blocks: NDArray, parts: int) -> None:
    """Add to u (parts,36,O,C), whose sum over parts is meant."""
    for part in prange(parts):
        _contract_tiles(x, g, u[part], blocks[len(blocks) * part // parts : len(blocks) * (part + 1) // parts])


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
            add_dots(v[i].reshape(-1), taps, z[i], u[i], run)


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
def transform_input(x: NDArray, row: int, column: int, tiles: int, v: NDArray, at: int, t: NDArray) -> None:
    """v (36,C,·) = Bᵀ d B of the tiles of x (C,H,W,N), from column `at` on; t (6, elements of a row) is room."""
    n = x.shape[3]
    for c in range(len(x)):
        rows, a, e = x[c].reshape(x.shape[1], -1), column * n, (column + 4 * tiles + 2) * n
        x0, x1, x2 = rows[row, a:e], rows[row + 1, a:e], rows[row + 2, a:e]
        x3, x4, x5 = rows[row + 3, a:e], rows[row + 4, a:e], rows[row + 5, a:e]
        for k in range(e - a):
            t[0, k], t[1, k], t[2, k], t[3, k], t[4, k], t[5, k] = _input_rule(x0[k], x1[k], x2[k], x3[k], x4[k], x5[k])
        for i in range(6):
            v0, v1, v2 = v[6 * i, c, at:], v[6 * i + 1, c, at:], v[6 * i + 2, c, at:]
            v3, v4, v5 = v[6 * i + 3, c, at:], v[6 * i + 4, c, at:], v[6 * i + 5, c, at:]
            for tile in range(tiles):
                a = tile * n
                s = t[i, 4 * a :]
                s0, s1, s2, s3, s4, s5 = s, s[n:], s[2 * n :], s[3 * n :], s[4 * n :], s[5 * n :]
                r0, r1, r2, r3, r4, r5 = v0[a:], v1[a:], v2[a:], v3[a:], v4[a:], v5[a:]
                for k in range(n):
                    r0[k], r1[k], r2[k], r3[k], r4[k], r5[k] = _input_rule(s0[k], s1[k], s2[k], s3[k], s4[k], s5[k])


@sums
def transform_result(
    m: NDArray, at: int, b: NDArray, y: NDArray, row: int, column: int, tiles: int, t: NDArray
) -> None:
    """The tiles of y (O,P,Q,N) = Aᵀ m A + b of m (36,O,·) from column `at` on; of tiles at the edge what is inside."""
    n = y.shape[3]
    spare = np.empty((3, 4 * tiles * n), y.dtype)  # a row each: loops over arrays that overlap stay scalar
    inside = min(4 * tiles, y.shape[2] - column) * n
    for o in range(len(y)):
        for i in range(6):
            m0, m1, m2 = m[6 * i, o, at:], m[6 * i + 1, o, at:], m[6 * i + 2, o, at:]
            m3, m4, m5 = m[6 * i + 3, o, at:], m[6 * i + 4, o, at:], m[6 * i + 5, o, at:]
            for tile in range(tiles):
                a = tile * n
                r0, r1, r2, r3, r4, r5 = m0[a:], m1[a:], m2[a:], m3[a:], m4[a:], m5[a:]
                s = t[i, 4 * a :]
                s0, s1, s2, s3 = s, s[n:], s[2 * n :], s[3 * n :]
                for k in range(n):
                    s0[k], s1[k], s2[k], s3[k] = _result_rule(r0[k], r1[k], r2[k], r3[k], r4[k], r5[k])
        rows, a = y[o].reshape(y.shape[1], -1), column * n
        y0 = rows[row, a:]
        y1 = rows[row + 1, a:] if row + 1 < len(rows) else spare[0]
        y2 = rows[row + 2, a:] if row + 2 < len(rows) else spare[1]
        y3 = rows[row + 3, a:] if row + 3 < len(rows) else spare[2]
        bias = b[o]
        for k in range(inside):
            q0, q1, q2, q3 = _result_rule(t[0, k], t[1, k], t[2, k], t[3, k], t[4, k], t[5, k])
            y0[k], y1[k], y2[k], y3[k] = q0 + bias, q1 + bias, q2 + bias, q3 + bias


@sums
def transform_cotangent(g: NDArray, row: int, column: int, tiles: int, z: NDArray, at: int, t: NDArray) -> None:
    """z (36,O,·) = A g Aᵀ of the tiles of g (O,P,Q,N), from column `at` on."""
    n = g.shape[3]
    for o in range(len(g)):
        rows, a, e = g[o].reshape(g.shape[1], -1), column * n, (column + 4 * tiles) * n
        g0, g1, g2, g3 = rows[row, a:e], rows[row + 1, a:e], rows[row + 2, a:e], rows[row + 3, a:e]
        for k in range(e - a):
            t[0, k], t[1, k], t[2, k], t[3, k], t[4, k], t[5, k] = _cotangent_rule(g0[k], g1[k], g2[k], g3[k])
        for i in range(6):
            z0, z1, z2 = z[6 * i, o, at:], z[6 * i + 1, o, at:], z[6 * i + 2, o, at:]
            z3, z4, z5 = z[6 * i + 3, o, at:], z[6 * i + 4, o, at:], z[6 * i + 5, o, at:]
            for tile in range(tiles):
                a = tile * n
                s = t[i, 4 * a :]
                s0, s1, s2, s3 = s, s[n:], s[2 * n :], s[3 * n :]
                r0, r1, r2, r3, r4, r5 = z0[a:], z1[a:], z2[a:], z3[a:], z4[a:], z5[a:]
                for k in range(n):
                    r0[k], r1[k], r2[k], r3[k], r4[k], r5[k] = _cotangent_rule(s0[k], s1[k], s2[k], s3[k])
