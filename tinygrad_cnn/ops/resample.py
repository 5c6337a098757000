"""One axis resampled: each new element a weighted sum of a few old ones. Reading them and putting them are adjoint."""

from typing import NamedTuple

import numpy as np

from tinygrad_cnn.core.domain import Real
from tinygrad_cnn.core.draw import Draw
from tinygrad_cnn.core.op import Op, Sample
from tinygrad_cnn.core.types import Array, NDArray
from tinygrad_cnn.kernels.passes import added_neighbours, along_axis, repeated


class Taps(NamedTuple):
    """For each new element the places of the old ones, (new, taps), and what each counts for.

    The places of one tap do not fall from one new element to the next.
    """

    places: NDArray
    weights: NDArray


DENSE = 1 << 14
"""Elements of a matrix with which a product takes a sixth of the time of adding at places."""


def matrix(taps: Taps, size: int) -> NDArray:
    """The weights as (old, new)."""
    new, count = taps.places.shape
    found = np.zeros((size, new))
    np.add.at(found, (taps.places, np.repeat(np.arange(new)[:, None], count, 1)), taps.weights)
    return found


def by_matrix(x: Array, axis: int, taps: Taps, size: int, read: bool = False) -> Array | None:
    """The sums as one product, if the matrix is small and every sum is finite: 0 · ∞ is none of them."""
    if x.dtype.kind != "f" or not 0 < size * len(taps.places) <= DENSE or not x.size:
        return None
    weights = matrix(taps, size).astype(x.dtype)
    with np.errstate(invalid="ignore", over="ignore"):
        y = along_axis(x, axis, weights.T if read else weights)
        return y if np.isfinite(np.sum(y)) else None


class Resample(Op):
    """y[i] = Σ_t w[i,t] x[k[i,t]] along an axis        dx = g put back, times the same weights"""

    linear = "jointly"

    def forward(x: Array, *, axis: int, taps: Taps) -> Array:
        if taps.places.shape[1] > 2:
            product = by_matrix(x, axis, taps, x.shape[axis], read=True)
            if product is not None:
                return product
        source = np.moveaxis(x, axis, -1)
        y: Array = 0
        for k, w in zip(taps.places.T, taps.weights.T.astype(x.dtype), strict=True):
            y = y + source[..., k] * w
        return np.moveaxis(y, -1, axis)

    def d_x(g: Array, x_shape: tuple[int, ...], *, axis: int, taps: Taps) -> Array:
        return ResamplePut.apply(g, axis=axis, taps=taps, size=x_shape[axis])

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        x = draw.array(draw.shape(1, smallest=1), Real())
        axis, new, count = draw.integer(0, x.ndim - 1), draw.integer(1, 3), draw.integer(1, 2)
        places = np.sort(draw.index_array((new, count), x.shape[axis]), axis=0)
        return Sample((x,), {"axis": axis, "taps": Taps(places, draw.array((new, count), Real()))})


class Repeat(Op):
    """y[i] = x[i // n] along an axis        dx = Σ g over each n neighbours"""

    linear = "jointly"

    def forward(x: Array, *, axis: int, times: int) -> Array:
        return repeated(x, axis, times)

    def d_x(g: Array, *, axis: int, times: int) -> Array:
        return AddedNeighbours.apply(g, axis=axis, times=times)

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        x = draw.array(draw.shape(1, smallest=1), Real())
        return Sample((x,), {"axis": draw.integer(0, x.ndim - 1), "times": draw.integer(1, 3)})


class AddedNeighbours(Op):
    """y[i] = Σ x[n i + k], k = 0 … n - 1, along an axis        dx = g, each n times"""

    linear = "jointly"

    def forward(x: Array, *, axis: int, times: int) -> Array:
        return added_neighbours(x, axis, times)

    def d_x(g: Array, *, axis: int, times: int) -> Array:
        return Repeat.apply(g, axis=axis, times=times)

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        (x,), options = Repeat.sample(draw)
        return Sample((draw.layout(np.repeat(x, options["times"], options["axis"])),), options)


class ResamplePut(Op):
    """y[k[i,t]] = Σ w[i,t] v[i] along an axis, 0 where nothing was read        dv = Σ_t w[·,t] g[k[·,t]]"""

    linear = "jointly"

    def forward(v: Array, *, axis: int, taps: Taps, size: int) -> Array:
        product = by_matrix(v, axis, taps, size)
        if product is not None:
            return product
        source = np.moveaxis(v, axis, -1)
        y = np.zeros((*source.shape[:-1], size), v.dtype)
        for k, w in zip(taps.places.T, taps.weights.T.astype(v.dtype), strict=True):
            first = np.flatnonzero(np.diff(k, prepend=-1))  # of new elements with one place
            with np.errstate(invalid="ignore"):
                y[..., k[first]] += np.add.reduceat(source * w, first, axis=-1)
        return np.moveaxis(y, -1, axis)

    def d_v(g: Array, *, axis: int, taps: Taps) -> Array:
        return Resample.apply(g, axis=axis, taps=taps)

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        (x,), options = Resample.sample(draw)
        shape = list(x.shape)
        shape[options["axis"]] = len(options["taps"].places)
        return Sample((draw.array(tuple(shape), Real()),), {**options, "size": x.shape[options["axis"]]})
