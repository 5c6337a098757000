"""NumPy's reductions, and what runs along an axis: sums, extremes, statistics, sorting."""

from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_cnn import ops
from tinygrad_cnn.core.types import Array, Axis


def refused(name: str, **options: Any) -> None:
    """TypeError for arguments of NumPy that no op has."""
    given = sorted(option for option, value in options.items() if value is not None)
    if given:
        raise TypeError(f"numpy.{name}: has no {', '.join(given)} for Tensors; use the result, or .detach().numpy()")


def over(door: Callable[..., Array], x: Array, axis: Axis, keepdims: bool, **options: Any) -> Array:
    """A reduction over the axes that NumPy means: over none for an empty tuple, which is all of them in PyTorch."""
    if isinstance(axis, tuple) and not axis:
        return door(ops.unsqueeze(x, 0), 0, keepdim=False, **options)
    return door(x, axis, keepdim=keepdims, **options)


def reduction(name: str, door: Callable[..., Array]) -> Callable[..., Array]:
    """A reduction that has a dtype, called as NumPy calls it."""

    def reduce(a: Array, axis: Axis = None, dtype: Any = None, out: Any = None, keepdims: bool = False) -> Array:
        refused(name, out=out)
        x = a if dtype is None else ops.astype(a, np.dtype(dtype))
        return over(door, x, axis, keepdims)

    return reduce


def extreme(name: str, door: Callable[..., Array]) -> Callable[..., Array]:
    """A reduction that has none."""

    def reduce(a: Array, axis: Axis = None, out: Any = None, keepdims: bool = False) -> Array:
        refused(name, out=out)
        return over(door, a, axis, keepdims)

    return reduce


def spread_of(name: str, door: Callable[..., Array]) -> Callable[..., Array]:
    """A variance or deviation: of the population, if `ddof` does not say otherwise."""

    def reduce(
        a: Array,
        axis: Axis = None,
        dtype: Any = None,
        out: Any = None,
        ddof: float = 0,
        keepdims: bool = False,
        *,
        correction: float | None = None,
    ) -> Array:
        refused(name, out=out)
        x = a if dtype is None else ops.astype(a, np.dtype(dtype))
        return over(door, x, axis, keepdims, correction=ddof if correction is None else correction)

    return reduce


def running(name: str, door: Callable[..., Array]) -> Callable[..., Array]:
    """A cumulative function: of the flattened array if no axis is given."""

    def cumulate(a: Array, axis: int | None = None, dtype: Any = None, out: Any = None) -> Array:
        refused(name, out=out)
        x = a if dtype is None else ops.astype(a, np.dtype(dtype))
        return door(ops.flatten(x), 0) if axis is None else door(x, axis)

    return cumulate


def ptp(a: Array, axis: Axis = None, out: Any = None, keepdims: bool = False) -> Array:
    """``np.ptp``: the largest less the smallest."""
    refused("ptp", out=out)
    return ops.amax(a, axis, keepdims) - ops.amin(a, axis, keepdims)


def average(a: Array, axis: int | None = None, weights: Any = None, returned: bool = False) -> Array:
    """``np.average`` with weights of the shape of `a`, or of its axis."""
    refused("average", returned=returned or None)
    if weights is None:
        return ops.mean(a, axis)
    w = weights
    if np.ndim(w) == 1 and a.ndim != 1:
        if axis is None:
            raise TypeError("numpy.average: 1-dimensional weights need an axis")
        w = w.reshape(tuple(-1 if k == axis % a.ndim else 1 for k in range(a.ndim)))
    w = np.broadcast_to(w, a.shape)
    return ops.sum(a * w, axis) / ops.sum(w, axis)


def quantile(a: Array, q: Any, axis: int | None = None, out: Any = None, *, keepdims: bool = False) -> Array:
    """``np.quantile``, interpolated linearly."""
    refused("quantile", out=out)
    dtype = np.dtype(a.dtype)
    return ops.quantile(a, np.asarray(q, dtype if dtype.kind == "f" else None), axis, keepdims)


def percentile(a: Array, q: Any, axis: int | None = None, out: Any = None, *, keepdims: bool = False) -> Array:
    """``np.percentile``, interpolated linearly."""
    return quantile(a, np.asarray(q) / 100, axis, out, keepdims=keepdims)


def median(a: Array, axis: int | None = None, out: Any = None, *, keepdims: bool = False) -> Array:
    """``np.median``: the middle, or the mean of the two middle ones (`torch.median` takes the lower)."""
    return quantile(a, 0.5, axis, out, keepdims=keepdims)


def sort(a: Array, axis: int | None = -1, kind: Any = None, *, stable: bool | None = None) -> Array:
    """``np.sort``, always stable."""
    values: Array = (ops.sort(ops.flatten(a), 0) if axis is None else ops.sort(a, axis))[0]
    return values


def clip(a: Array, a_min: Any = None, a_max: Any = None, out: Any = None, *, min: Any = None, max: Any = None) -> Array:
    """``np.clip``"""
    refused("clip", out=out)
    return ops.clamp(a, a_min if min is None else min, a_max if max is None else max)


def nan_to_num(x: Array, copy: bool = True, nan: Any = 0.0, posinf: Any = None, neginf: Any = None) -> Array:
    """``np.nan_to_num``"""
    refused("nan_to_num", copy=None if copy else copy)
    return ops.nan_to_num(x, nan, posinf, neginf)


def rounded(a: Array, decimals: int = 0, out: Any = None) -> Array:
    """``np.round``"""
    refused("round", out=out)
    return ops.round(a, decimals=decimals)


def trapezoid(y: Array, x: Any = None, dx: float = 1.0, axis: int = -1) -> Array:
    """``np.trapezoid``"""
    if x is None:
        return ops.trapezoid(y, dx=dx, dim=axis)
    return ops.trapezoid(y, x if hasattr(x, "shape") else np.asarray(x), dim=axis)


FUNCTIONS: dict[Any, Callable[..., Any]] = {
    np.sum: reduction("sum", ops.sum),
    np.mean: reduction("mean", ops.mean),
    np.prod: reduction("prod", ops.prod),
    np.nansum: reduction("nansum", ops.nansum),
    np.nanmean: reduction("nanmean", ops.nanmean),
    np.max: extreme("max", ops.amax),
    np.min: extreme("min", ops.amin),
    np.amax: extreme("amax", ops.amax),
    np.amin: extreme("amin", ops.amin),
    np.any: extreme("any", ops.any),
    np.all: extreme("all", ops.all),
    np.argmax: extreme("argmax", ops.argmax),
    np.argmin: extreme("argmin", ops.argmin),
    np.var: spread_of("var", ops.var),
    np.std: spread_of("std", ops.std),
    np.cumsum: running("cumsum", ops.cumsum),
    np.cumprod: running("cumprod", ops.cumprod),
    np.ptp: ptp,
    np.average: average,
    np.quantile: quantile,
    np.percentile: percentile,
    np.median: median,
    np.sort: sort,
    np.clip: clip,
    np.nan_to_num: nan_to_num,
    np.round: rounded,
    np.around: rounded,
    np.fix: ops.trunc,
    np.sinc: ops.sinc,
    np.diff: lambda a, n=1, axis=-1: ops.diff(a, n, axis),
    np.trapezoid: trapezoid,
}
