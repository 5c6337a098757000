"""Functions of one float32 number from tables: what is dear in float64 costs four look-ups and three products.

A table is made of the float64 function, once, when it is first needed: polynomials on equal cells, each compared with
the function. Where a cell's polynomial is not right to the last digits, as beside zeros and poles, and beyond the
table, the function itself is asked, element by element.
"""

from collections.abc import Callable, Hashable
from functools import wraps

import numpy as np

from tinygrad_cnn.core.types import NDArray

BLOCK = 1 << 13
"""So many elements at a time stay in the processor's cache."""
RIGHT = 2.0**-25
"""The largest relative error of a polynomial: a quarter of a float32's last digit."""

Function = Callable[[NDArray], NDArray]


class Table:
    """A function on [low, high] by polynomials on `1 / cells` wide cells, cells being a power of two."""

    def __init__(self, function: Function, low: int, high: int, cells: int, degree: int) -> None:
        self.function, self.cells, self.first = function, cells, low * cells - 1
        centres = np.arange(low * cells - 1, high * cells + 2, dtype=np.float64)[:, None]
        nodes = 0.5 * np.cos(np.pi * (np.arange(degree + 2) + 0.5) / (degree + 2))
        checks = np.linspace(-0.5, 0.5, 8)
        powers = np.arange(1, degree + 1)
        with np.errstate(all="ignore"):
            middle = self._exact(centres)
            rest = np.nan_to_num(self._exact(centres + nodes) - middle)
            slopes = rest @ np.linalg.pinv(nodes[:, None] ** powers).T
            rows = np.concatenate([middle, slopes], axis=1).astype(np.float32)
            terms = rows[:, None, :].astype(np.float64) * checks[:, None] ** np.arange(degree + 1)
            wanted = np.abs(values := self._exact(centres + checks))
            off = np.abs(rows[:, :1] - middle) + RIGHT * wanted  # what rounding the middle costs
            wrong = (np.abs(terms.sum(-1) - values) > off) | ~(np.abs(terms).sum(-1) <= 2 * wanted)
            wrong |= ~(wanted > 1e-30)
            rows[wrong.any(axis=1) & (centres[:, 0] != 0)] = np.nan
            rows[[0, -1]] = np.nan  # where what lies outside is looked up
            self._check_zero(rows, checks)
        self.vanishes = bool(np.any(rows[:, 0] == 0))
        self.columns = [np.ascontiguousarray(column) for column in rows.T[:0:-1]]
        self.middles = np.where(np.isnan(rows[:, 0]), np.nan, middle[:, 0])

    def _exact(self, places: NDArray) -> NDArray:
        return self.function(places / self.cells)

    def _check_zero(self, rows: NDArray, checks: NDArray) -> None:
        """Around 0 the error counts beside the value, which may vanish there; checked down to small numbers."""
        at = -self.first
        if not 0 < at < len(rows) - 1 or np.isnan(rows[at, 0]):
            return
        places = np.concatenate([checks, checks * 1e-3, checks * 1e-6])
        found = np.polyval(rows[at, ::-1].astype(np.float64), places)
        values = self._exact(places)
        if not np.all(np.abs(found - values) <= 4 * RIGHT * np.abs(values)):
            rows[at] = np.nan

    def __call__(self, x: NDArray) -> NDArray:
        """The function of float32 numbers."""
        flat = x.reshape(-1)
        out = np.empty(flat.size, np.float32)
        with np.errstate(all="ignore"):
            for start in range(0, flat.size, BLOCK):
                part = slice(start, start + BLOCK)
                self._block(flat[part], out[part])
            asked = np.isnan(out)
            if self.vanishes:  # a zero has a sign
                asked |= flat == 0
            rest = np.flatnonzero(asked)
            if rest.size:
                out[rest] = self.function(flat[rest])
        return out.reshape(x.shape)

    def _block(self, x: NDArray, out: NDArray) -> None:
        place = x * np.float32(self.cells)
        cell = np.rint(place)
        place -= cell
        cell -= np.float32(self.first)
        index = cell.astype(np.intp)
        first, *others = self.columns
        first.take(index, out=out, mode="clip")
        for column in others:
            out *= place
            out += column.take(index, out=cell, mode="clip")
        out *= place
        np.add(self.middles.take(index, mode="clip"), out, out=out, casting="same_kind")  # rounded once


_tables: dict[Hashable, Table] = {}


def by_table(key: Hashable, function: Function, low: int, high: int, cells: int = 64, degree: int = 3) -> Function:
    """The function with a table for float32; the key names it among all tables."""

    @wraps(function)
    def called(x: NDArray) -> NDArray:
        if getattr(x, "dtype", None) != np.float32 or not x.size:
            return function(x)
        table = _tables.get(key)
        if table is None:
            table = _tables[key] = Table(function, low, high, cells, degree)
        return table(x)

    return called


def tabulated(low: int, high: int, cells: int = 64, degree: int = 3) -> Callable[[Function], Function]:
    """A decorator: `by_table` under the function's own name."""
    return lambda function: by_table(function.__qualname__, function, low, high, cells, degree)
