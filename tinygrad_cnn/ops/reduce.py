"""Reductions over any axes, and what runs along one: cumulative sums, extremes, norms.

Every primitive takes `axes`, a tuple counted from the front, and `keepdim`; the doors below it check and
translate PyTorch's `dim`. In rules, `beside` brings a reduced array back beside the array it came from.
"""

import math
from collections.abc import Callable
from typing import Any, overload

import numpy as np

from tinygrad_cnn.core.checks import check_axes, check_axis, check_broadcast, dtype_of, shape_of
from tinygrad_cnn.core.domain import AwayFrom, Distinct, Real
from tinygrad_cnn.core.draw import Draw
from tinygrad_cnn.core.errors import ArgumentError, DTypeError
from tinygrad_cnn.core.op import Kink, Op, Sample
from tinygrad_cnn.core.reduce import Sum, beside, count, sample_reduction
from tinygrad_cnn.core.types import A, Array, ArrayLike, Axis, NDArray, Shape
from tinygrad_cnn.kernels.choices import choose
from tinygrad_cnn.kernels.passes import recurrence, reduced_dtype, running, summed
from tinygrad_cnn.ops.calling import flexible, vectorial
from tinygrad_cnn.ops.checks import check_dtype, check_floating
from tinygrad_cnn.ops.piecewise import maximum, minimum
from tinygrad_cnn.ops.untracked import dressed
from tinygrad_cnn.torch_names import return_types
from tinygrad_cnn.torch_names.errors import EmptyError

__all__ = [
    "all", "amax", "amin", "any", "argmax", "argmin", "cumsum", "dist", "logsumexp", "max", "mean", "min", "prod",
    "std", "sum", "var",
]  # fmt: skip


class Mean(Op):
    """y = Σ x / n        dx = g / n, spread"""

    floating = True

    def forward(x: Array, *, axes: tuple[int, ...], keepdim: bool) -> Array:
        n = count(x.shape, axes)
        if x.dtype.char == "e":  # the sum may be beyond float16
            return np.true_divide(summed(x.astype(np.float32), axes, keepdim), n).astype(x.dtype)
        return np.true_divide(summed(x, axes, keepdim), n, dtype=x.dtype if x.dtype.kind == "f" else None)

    def d_x(g: Array, x_shape: Shape, *, axes: tuple[int, ...], keepdim: bool) -> Array:
        return np.broadcast_to(beside(g / count(x_shape, axes), axes, keepdim), x_shape)

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        return sample_reduction(draw, smallest=1)


class Prod(Op):
    """y = Π x        dx = g times the product of the other elements (right with zeros, too)"""

    kinks = (
        Kink(
            "one zero",
            (np.array([2.0, 0.0, 3.0]),),
            (np.array([0.0, 6.0, 0.0]),),
            {"axes": (0,), "keepdim": False},
        ),
        Kink("two zeros", (np.array([0.0, 0.0, 3.0]),), (np.zeros(3),), {"axes": (0,), "keepdim": False}),
    )

    def forward(x: Array, *, axes: tuple[int, ...], keepdim: bool) -> Array:
        if x.dtype.char == "e":
            return np.prod(x, axis=axes, keepdims=keepdim, dtype=np.float32).astype(x.dtype)
        return np.prod(x, axis=axes, keepdims=keepdim, dtype=reduced_dtype(x.dtype))

    def d_x(g: Array, x: Array, *, axes: tuple[int, ...], keepdim: bool) -> Array:
        return beside(g, axes, keepdim) * product_of_others(x, axes)

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        return sample_reduction(draw, Real(-2, 2))


def product_of_others(x: Array, axes: tuple[int, ...]) -> Array:
    """At each element, the product of the other elements along the axes: from the left times from the right."""
    kept = tuple(a for a in range(x.ndim) if a not in axes)
    order = (*kept, *axes)
    rows = np.reshape(np.transpose(x, order), (*(x.shape[a] for a in kept), count(x.shape, axes)))
    last = rows.ndim - 1
    others = products_before(rows, last) * np.flip(products_before(np.flip(rows, last), last), last)
    return np.transpose(np.reshape(others, tuple(x.shape[a] for a in order)), tuple(np.argsort(order)))


def products_before(x: Array, axis: int) -> Array:
    """At each place along an axis, the product of the elements before it."""
    whole = (slice(None),) * axis
    first = np.ones_like(x[(*whole, slice(0, 1))])
    return np.concatenate([first, Cumprod.apply(x[(*whole, slice(0, -1))], axis=axis)], axis)


class Cumprod(Op):
    """y[k] = x[0] … x[k] along an axis        dx[k] = Π_{i<k} x[i] Σ_{j≥k} g[j] Π_{k<i≤j} x[i], right with zeros"""

    kinks = (Kink("a zero", (np.array([2.0, 0.0, 3.0]),), (np.array([1.0, 8.0, 0.0]),), {"axis": 0}),)

    def forward(x: Array, *, axis: int) -> Array:
        return running(np.multiply, x, axis)

    def d_x(g: Array, x: Array, *, axis: int) -> Array:
        return products_before(x, axis) * carried_back(g, x, axis)

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        x = draw.array(draw.shape(1), Real(-2, 2))
        return Sample((x,), {"axis": draw.integer(0, x.ndim - 1)})


class Recurrence(Op):
    """y[k] = a[k] y[k-1] + b[k] along an axis, y[-1] = 0        db[k] = g[k] + a[k+1] db[k+1],  da[k] = db[k] y[k-1]"""

    def forward(a: Array, b: Array, *, axis: int) -> Array:
        return recurrence(a, b, axis)

    def d_a(g: Array, y: Array, a: Array, *, axis: int) -> Array:
        whole = (slice(None),) * axis
        before = np.concatenate([np.zeros_like(y[(*whole, slice(0, 1))]), y[(*whole, slice(0, -1))]], axis)
        return carried_back(g, a, axis) * before

    def d_b(g: Array, a: Array, *, axis: int) -> Array:
        return carried_back(g, a, axis)

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        shape = draw.shape(1)
        a, b = draw.array(shape, Real(-2, 2)), draw.array(shape, Real())
        return Sample((a, b), {"axis": draw.integer(0, len(shape) - 1)})


def carried_back(g: Array, a: Array, axis: int) -> Array:
    """Σ_{j≥k} g[j] Π_{k<i≤j} a[i]: the recurrence of a, from the end."""
    return np.flip(Recurrence.apply(np.roll(np.flip(a, axis), 1, axis), np.flip(g, axis), axis=axis), axis)


class Var(Op):
    """y = Σ (x - x̄)² / (n - c)        dx = 2 g (x - x̄) / (n - c)"""

    floating = True
    kinks = (
        Kink("no freedom", (np.ones(1),), (np.array([np.nan]),), {"axes": (0,), "correction": 1, "keepdim": False}),
    )

    def forward(x: Array, *, axes: tuple[int, ...], correction: float, keepdim: bool) -> Array:
        return variance(x, axes, correction, keepdim).astype(x.dtype if x.dtype.kind == "f" else np.float64)

    def d_x(g: Array, x: Array, *, axes: tuple[int, ...], correction: float, keepdim: bool) -> Array:
        deviation = x - mean(x, axes, True)
        freedom = count(x.shape, axes) - correction
        if freedom <= 0:
            return beside(g, axes, keepdim) * choose(deviation == 0, math.nan, math.inf)
        return beside(g, axes, keepdim) * (2 / freedom) * deviation

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        rest = draw.shape(0, 2, smallest=1)
        long = draw.integer(0, len(rest))  # an axis of at least 2 elements, so that some freedom is left
        x = draw.array((*rest[:long], draw.integer(2, 3), *rest[long:]), Real())
        axes = tuple(a for a in range(x.ndim) if a == long or draw.boolean())
        return Sample((x,), {"axes": axes, "correction": draw.choice([1, 0, 0.5]), "keepdim": draw.boolean()})


class Std(Op):
    """y = √(Σ (x - x̄)² / (n - c))        dx = g (x - x̄) / (y (n - c)), 0 where y = 0"""

    floating = True
    kinks = (Kink("equal elements", (np.ones(3),), (np.zeros(3),), {"axes": (0,), "correction": 1, "keepdim": False}),)

    def forward(x: Array, *, axes: tuple[int, ...], correction: float, keepdim: bool) -> Array:
        deviation = np.sqrt(variance(x, axes, correction, keepdim))
        return deviation.astype(x.dtype if x.dtype.kind == "f" else np.float64)

    def d_x(g: Array, y: Array, x: Array, *, axes: tuple[int, ...], correction: float, keepdim: bool) -> Array:
        flat = y == 0
        slope = choose(flat, 0.0, g / (2 * choose(flat, 1.0, y)))
        return Var.d_x(slope, x, axes=axes, correction=correction, keepdim=keepdim)

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        (x,), options = Var.sample(draw)
        constant = np.all(x == np.min(x, axis=options["axes"], keepdims=True), axis=options["axes"], keepdims=True)
        ramp = 8.0 * np.arange(x.size).reshape(x.shape)
        return Sample((x + choose(constant, ramp, 0) if constant.any() else x,), options)


def variance(x: Array, axes: tuple[int, ...], correction: float, keepdim: bool) -> NDArray:
    """The variance in float64, and 0 of equal elements: their distances to the first of them have the mean 0.

    Without a degree of freedom it is not defined: NaN of equal elements, else ∞.
    """
    wide = np.array(x, np.float64)
    if x.dtype.itemsize > 4:  # of fewer digits, the mean of equal elements is exact
        wide -= wide[tuple(slice(1) if a in axes else slice(None) for a in range(x.ndim))]
    wide -= Mean.forward(wide, axes=axes, keepdim=True)
    np.multiply(wide, wide, out=wide)
    squares, freedom = summed(wide, axes, keepdim), count(x.shape, axes) - correction
    return squares / freedom if freedom > 0 else choose(squares > 0, math.inf, math.nan)


class Amin(Op):
    """y = min x        dx = g, shared evenly by the elements that attain the minimum"""

    domain = {"x": Distinct()}
    kinks = (
        Kink(
            "a tie",
            (np.array([3.0, 1.0, 1.0]),),
            (np.array([0.0, 0.5, 0.5]),),
            {"axes": (0,), "keepdim": False},
        ),
    )

    def forward(x: Array, *, axes: tuple[int, ...], keepdim: bool) -> Array:
        return np.min(x, axis=axes, keepdims=keepdim)

    def d_x(g: Array, y: Array, x: Array, *, axes: tuple[int, ...], keepdim: bool) -> Array:
        return evenly(g, y, x, axes, keepdim)

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        (x,), options = sample_reduction(draw, cls.domain["x"], smallest=1)
        return Sample((np.asarray(-with_ties(draw, -x, options["axes"])),), options)


class MinDim(Op):
    """y, i = min, argmin of x along one axis        dx = g at i (the first minimum wins)"""

    aux = ("indices",)
    domain = {"x": Distinct()}
    kinks = (Kink("a tie", (np.array([3.0, 1.0, 1.0]),), (np.array([0.0, 1.0, 0.0]),), {"axis": 0, "keepdim": False}),)

    def forward(x: Array, *, axis: int, keepdim: bool) -> tuple[Array, Array]:
        return extreme_along(x, np.argmin(x, axis=axis, keepdims=True), axis, keepdim)

    def d_x(g: Array, indices: Array, x_shape: Shape, *, axis: int, keepdim: bool) -> Array:
        return at_extreme(g, indices, x_shape, axis, keepdim)

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        (x,), options = MaxDim.sample(draw)
        return Sample((-x,), options)


class Logsumexp(Op):
    """y = ln Σ exp x        dx = g e / Σ e,  e = exp(x - y); 0 where y = -∞

    Σ e is 1, but for large x, where rounding takes digits of y.
    """

    floating = True
    kinks = (
        Kink("all -∞", (np.full(2, -np.inf),), (np.zeros(2),), {"axes": (0,), "keepdim": False}),
        Kink("large and equal", (np.full(2, 1e30),), (np.full(2, 0.5),), {"axes": (0,), "keepdim": False}),
        Kink("one ∞", (np.array([np.inf, 0.0]),), (np.array([np.nan, 0.0]),), {"axes": (0,), "keepdim": False}),
    )

    def forward(x: Array, *, axes: tuple[int, ...], keepdim: bool) -> Array:
        top = np.max(x, axis=axes, keepdims=True, initial=-np.inf)
        top = choose(np.isfinite(top), top, 0)  # of infinities no difference is taken
        total = summed(np.exp(x - top), axes, True)
        with np.errstate(divide="ignore"):  # ln 0 = -inf is meant
            y = np.log(total) + top
        return y if keepdim else np.squeeze(y, axis=axes)

    def d_x(g: Array, y: Array, x: Array, *, axes: tuple[int, ...], keepdim: bool) -> Array:
        e = np.exp(x - beside(choose(y == -math.inf, 0.0, y), axes, keepdim))
        total = np.sum(e, axis=axes, keepdims=True)
        return beside(g, axes, keepdim) * (e / choose(total > 0, total, 1.0))

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        return sample_reduction(draw, smallest=1)


class Norm(Op):
    """y = (Σ |x|ᵖ)^(1/p), max |x| for p = ∞, min |x| for -∞        dx = g sign(x) (|x| / y)^(p-1), 0 where y = 0

    For p >= 2 it is smooth where an element is 0; for p < 2 the slope there is 0, the middle of both sides.
    """

    floating = True
    domain = {"x": AwayFrom((0.0,))}
    kinks = (
        Kink("x = 0, p = 2", (np.zeros(3),), (np.zeros(3),), {"p": 2.0, "axes": (0,), "keepdim": False}),
        Kink("x = 0, p = 3", (np.zeros(3),), (np.zeros(3),), {"p": 3.0, "axes": (0,), "keepdim": False}),
        Kink(
            "an element 0, p = 1",
            (np.array([0.0, 2.0]),),
            (np.array([0.0, 1.0]),),
            {"p": 1.0, "axes": (0,), "keepdim": False},
        ),
        Kink(
            "an element 0, p = 1/2",
            (np.array([0.0, 2.0]),),
            (np.array([0.0, 1.0]),),
            {"p": 0.5, "axes": (0,), "keepdim": False},
        ),
        Kink(
            "an element 0, p = 3/2",
            (np.array([0.0, 2.0]),),
            (np.array([0.0, 1.0]),),
            {"p": 1.5, "axes": (0,), "keepdim": False},
        ),
        Kink(
            "an element 0, p = -1",
            (np.array([0.0, 2.0]),),
            (np.array([0.0, 0.0]),),
            {"p": -1.0, "axes": (0,), "keepdim": False},
        ),
        Kink(
            "a tie, p = ∞",
            (np.array([-2.0, 2.0]),),
            (np.array([-0.5, 0.5]),),
            {"p": math.inf, "axes": (0,), "keepdim": False},
        ),
    )

    def forward(x: Array, *, p: float, axes: tuple[int, ...], keepdim: bool) -> Array:
        if p == 2 and x.size > 4096 and x.dtype == np.float32 and len(axes) == x.ndim:
            run = x.ravel(order="K")
            parts = [run[k : k + 4096] for k in range(0, run.size, 4096)]
            with np.errstate(over="ignore", under="ignore", invalid="ignore"):
                whole = math.fsum(float(np.dot(part, part)) for part in parts)  # without arrays of the size of x
            if 1e-25 < whole < 1e35:
                return np.full((1,) * x.ndim if keepdim else (), math.sqrt(whole), x.dtype)
        size = np.absolute(x)
        if math.isinf(p):
            return np.max(size, axis=axes, keepdims=keepdim) if p > 0 else np.min(size, axis=axes, keepdims=keepdim)
        if p == 1:
            return summed(size, axes, keepdim)
        if p == 2 and x.dtype.itemsize > 2:
            with np.errstate(over="ignore", under="ignore"):
                total = summed(size * size, axes, keepdim)
            if np.all((total > 1e-25) & (total < 1e35)):  # no square has been too large, or mattered and too small
                return np.sqrt(total)
        largest = np.max(size, axis=axes, keepdims=True, initial=0) if p > 0 else np.min(size, axis=axes, keepdims=True)
        scale = choose((largest > 0) & np.isfinite(largest), largest, 1)  # powers of |x| / scale do not overflow
        with np.errstate(divide="ignore"):  # 0 to the power -1 is ∞, and the norm 0
            total = summed((size / scale) ** p, axes, True) ** (1 / p) * scale
        return total if keepdim else np.squeeze(total, axis=axes)

    def d_x(g: Array, y: Array, x: Array, *, p: float, axes: tuple[int, ...], keepdim: bool) -> Array:
        g, y = beside(g, axes, keepdim), beside(y, axes, keepdim)
        if math.isinf(p):
            return np.sign(x) * evenly(g, y, np.absolute(x), axes, True)
        if p == 2:
            return g * choose(y == 0, 0.0, x / choose(y == 0, 1.0, y))
        zero = np.logical_or(x == 0, y == 0)
        ratio = np.absolute(choose(zero, 1.0, x)) / choose(y == 0, 1.0, y)
        return g * choose(zero, 0.0, np.sign(x) * ratio ** (p - 1))

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        p = draw.choice([2.0, 1.0, 3.0, 1.5, 4.0, -1.0, -2.5, math.inf, -math.inf])
        domain = Distinct() if math.isinf(p) else Real() if p in (2, 4) else cls.domain["x"]
        (x,), options = sample_reduction(draw, domain, smallest=1)
        nothing = np.all(x == 0, axis=options["axes"], keepdims=True)
        x = choose(nothing, 1.0, x) if nothing.any() else x  # no slice is 0
        if math.isinf(p):  # sizes, too, must differ: make all positive, then flip some
            x = np.asarray((x + x.size) * choose(np.arange(x.size).reshape(x.shape) % 3 == 0, -1.0, 1.0))
        return Sample((x,), {"p": p, **options})


class Cumsum(Op):
    """y[k] = x[0] + … + x[k] along an axis        dx[k] = g[k] + … + g[n-1]"""

    linear = "jointly"

    def forward(x: Array, *, axis: int) -> Array:
        y = running(np.add, x, axis)
        return np.add(y, 0, out=y)  # the sum begins at 0: of -0 it is 0

    def d_x(g: Array, *, axis: int) -> Array:
        return np.flip(cumsum(np.flip(g, axis), axis), axis)

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        x = draw.array(draw.shape(1), Real())
        return Sample((x,), {"axis": draw.integer(0, x.ndim - 1)})


class Argmin(Op):
    """i = the place of the first minimum; no derivative"""

    constant = ("x",)

    def forward(x: Array, *, axis: int | None, keepdim: bool) -> Array:
        return np.argmin(x, axis=axis, keepdims=keepdim)

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        return Argmax.sample(draw)


class Any_(Op):
    """whether any element is not 0; no derivative"""

    constant = ("x",)

    def forward(x: Array, *, axes: tuple[int, ...], keepdim: bool) -> Array:
        return np.any(x, axis=axes, keepdims=keepdim)

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        return sample_reduction(draw)


class All(Op):
    """whether every element is not 0; no derivative"""

    constant = ("x",)

    def forward(x: Array, *, axes: tuple[int, ...], keepdim: bool) -> Array:
        return np.all(x, axis=axes, keepdims=keepdim)

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        return sample_reduction(draw)


def in_dtype(reduce: Callable[[Any], Any], input: Array, dtype: Any) -> Any:
    """What a sum or product makes of the input in this dtype, and in none but it; of integers, modulo its range.

    Without one, integers and truth values give int64.
    """
    if dtype is None:
        return reduce(input)
    wanted = check_dtype("dtype", dtype)
    result = reduce(input if dtype_of(input) == wanted else input.astype(wanted))
    return result if dtype_of(result) == wanted else result.astype(wanted)


class MaxDim(Op):
    """y, i = max, argmax of x along one axis        dx = g at i (the first maximum wins)"""

    aux = ("indices",)
    domain = {"x": Distinct()}
    kinks = (Kink("a tie", (np.array([1.0, 3.0, 3.0]),), (np.array([0.0, 1.0, 0.0]),), {"axis": 0, "keepdim": False}),)

    def forward(x: Array, *, axis: int, keepdim: bool) -> tuple[Array, Array]:
        return extreme_along(x, np.argmax(x, axis=axis, keepdims=True), axis, keepdim)

    def d_x(g: Array, indices: Array, x_shape: Shape, *, axis: int, keepdim: bool) -> Array:
        return at_extreme(g, indices, x_shape, axis, keepdim)

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        x = draw.array(draw.shape(1, 3, smallest=1), cls.domain["x"])
        axis = draw.integer(0, x.ndim - 1)
        return Sample((with_ties(draw, x, (axis,)),), {"axis": axis, "keepdim": draw.boolean()})


def with_ties(draw: Draw, x: Array, axes: tuple[int, ...]) -> Array:
    """At times, x with its elements other than the maxima along the axes rounded down, so that some of them tie."""
    if draw.boolean():
        return x
    return draw.layout(choose(x == np.max(x, axis=axes, keepdims=True), x, np.floor(x) - 1))


def extreme_along(x: Array, indices: Array, axis: int, keepdim: bool) -> tuple[Array, Array]:
    """The elements of x at these places of an axis, and the places, both without the axis unless `keepdim`."""
    values = np.take_along_axis(x, indices, axis)
    return (values, indices) if keepdim else (np.squeeze(values, axis), np.squeeze(indices, axis))


def at_extreme(g: Array, indices: Array, shape: Shape, axis: int, keepdim: bool) -> Array:
    """The cotangent where the extreme was found, 0 elsewhere."""
    places = np.arange(shape[axis]).reshape([-1 if a == axis else 1 for a in range(len(shape))])
    return choose(places == beside(indices, (axis,), keepdim), beside(g, (axis,), keepdim), 0.0)


class Argmax(Op):
    """i = the place of the first maximum; no derivative"""

    constant = ("x",)

    def forward(x: Array, *, axis: int | None, keepdim: bool) -> Array:
        return np.argmax(x, axis=axis, keepdims=keepdim)

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        x = draw.array(draw.shape(1, 3, smallest=1), Real())
        return Sample((x,), {"axis": draw.choice([None, 0, x.ndim - 1]), "keepdim": draw.boolean()})


class Amax(Op):
    """y = max x        dx = g, shared evenly by the elements that attain the maximum"""

    domain = {"x": Distinct()}
    kinks = (
        Kink(
            "a tie",
            (np.array([1.0, 3.0, 3.0]),),
            (np.array([0.0, 0.5, 0.5]),),
            {"axes": (0,), "keepdim": False},
        ),
    )

    def forward(x: Array, *, axes: tuple[int, ...], keepdim: bool) -> Array:
        return np.max(x, axis=axes, keepdims=keepdim)

    def d_x(g: Array, y: Array, x: Array, *, axes: tuple[int, ...], keepdim: bool) -> Array:
        return evenly(g, y, x, axes, keepdim)

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        (x,), options = sample_reduction(draw, cls.domain["x"], smallest=1)
        return Sample((with_ties(draw, x, options["axes"]),), options)


def evenly(g: Array, y: Array, x: Array, axes: tuple[int, ...], keepdim: bool) -> Array:
    """The cotangent, in equal parts, where x attains the extreme y; of NaN, where x is NaN."""
    extreme = beside(y, axes, keepdim)
    winners = np.logical_or(x == extreme, np.logical_and(x != x, extreme != extreme))
    return choose(winners, beside(g, axes, keepdim) / np.sum(winners, axis=axes, keepdims=True), 0.0)


def reduced_axes(op: str, input: Array, dim: Axis) -> tuple[int, ...]:
    """The dims to reduce, counted from the front: all for None and, as in PyTorch, for an empty tuple."""
    return check_axes(op, None if isinstance(dim, (tuple, list)) and not dim else dim, len(shape_of(input)))


@flexible
def sum(input: A, dim: Axis = None, keepdim: bool = False, *, dtype: Any = None) -> A:
    """Sum over the given dims, all of them by default; booleans and integers are summed as int64.

    The result lacks the dims, unless `keepdim`.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.sum(tg.tensor([[1, 2], [3, 4]]))
    tensor(10)
    >>> tg.sum(tg.tensor([[1, 2], [3, 4]]), dim=0)
    tensor([4, 6])
    """
    axes = reduced_axes("sum", input, dim)
    if dtype is None:
        return Sum.apply(input, axes=axes, keepdim=keepdim)
    return in_dtype(lambda x: Sum.apply(x, axes=axes, keepdim=keepdim), input, dtype)


@flexible
def mean(input: A, dim: Axis = None, keepdim: bool = False, *, dtype: Any = None) -> A:
    """Mean over the given dims, all of them by default.

    The result lacks the dims, unless `keepdim`. A floating dtype stays; integers give the default floating dtype,
    unless `dtype` is given.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.mean(tg.tensor([[1.0, 2.0], [3.0, 4.0]]), dim=1)
    tensor([1.5000, 3.5000])
    """
    axes = reduced_axes("mean", input, dim)
    if dtype is not None and np.dtype(dtype).kind != "f":
        raise DTypeError(f"mean: dtype is {np.dtype(dtype)}; a mean has a fraction, give a floating dtype")
    return Mean.apply(input if dtype is None else input.astype(dtype), axes=axes, keepdim=keepdim)


@flexible
def prod(input: A, dim: Axis = None, keepdim: bool = False, *, dtype: Any = None) -> A:
    """Product over the given dims; the gradient is right where elements are zero, too. See `sum` for integers.

    The result lacks the dims, unless `keepdim`.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.prod(tg.tensor([2, 3, 4]))
    tensor(24)
    """
    axes = check_axes("prod", dim, len(shape_of(input)))
    op = Prod if axes else Sum  # the product of one number is that number, and its derivative a constant
    return in_dtype(lambda x: op.apply(x, axes=axes, keepdim=keepdim), input, dtype)


@flexible
def var(
    input: A, dim: Any = None, unbiased: bool | None = None, keepdim: bool = False, *, correction: float | None = 1
) -> A:
    """Variance with `correction` degrees of freedom taken off; NaN of a single element.

    PyTorch's older form is understood, too: ``var(x, unbiased)`` and ``var(x, dim, unbiased)``, True for a correction
    of 1, False for 0.

    The result lacks the dims, unless `keepdim`. A floating dtype stays; integers give the default floating dtype.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.var(tg.tensor([1.0, 2.0, 3.0]))
    tensor(1.)
    """
    axes, correction = axes_and_correction("var", input, dim, unbiased, correction)
    return Var.apply(input, axes=axes, correction=correction, keepdim=keepdim)


@flexible
def std(
    input: A, dim: Any = None, unbiased: bool | None = None, keepdim: bool = False, *, correction: float | None = 1
) -> A:
    """Standard deviation, see `var`; where it is 0 its gradient is 0, as in PyTorch.

    The result lacks the dims, unless `keepdim`; a floating dtype stays, integers give the default one.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.std(tg.tensor([1.0, 2.0, 3.0]))
    tensor(1.)
    """
    axes, correction = axes_and_correction("std", input, dim, unbiased, correction)
    return Std.apply(input, axes=axes, correction=correction, keepdim=keepdim)


def axes_and_correction(
    op: str, input: Array, dim: Any, unbiased: bool | None, correction: float | None
) -> tuple[tuple[int, ...], float]:
    """The axes, and the degrees of freedom to take off, of either form of the arguments."""
    if isinstance(dim, bool):
        dim, unbiased = None, dim
    if unbiased is not None:
        correction = int(unbiased)
    return reduced_axes(op, input, dim), 1 if correction is None else correction


@flexible
def amax(input: A, dim: Axis = None, keepdim: bool = False) -> A:
    """Maximum over the given dims; elements that tie share the gradient evenly.

    The result lacks the dims, unless `keepdim`; the dtype stays.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.amax(tg.tensor([[1, 5], [7, 2]]), dim=1)
    tensor([5, 7])
    """
    return Amax.apply(input, axes=nonempty("amax", input, dim), keepdim=keepdim)


@flexible
def amin(input: A, dim: Axis = None, keepdim: bool = False) -> A:
    """Minimum over the given dims; elements that tie share the gradient evenly.

    The result lacks the dims, unless `keepdim`; the dtype stays.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.amin(tg.tensor([[1, 5], [7, 2]]), dim=1)
    tensor([1, 2])
    """
    return Amin.apply(input, axes=nonempty("amin", input, dim), keepdim=keepdim)


@overload
def max(input: A, dim: int, keepdim: bool = False) -> return_types.max[A]: ...
@overload
def max(input: A, dim: ArrayLike = None, keepdim: bool = False) -> A: ...
@flexible
def max(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """Maximum of all elements; with `dim` an integer, `(values, indices)` along it; with an array, `maximum`.

    Over all elements, ties share the gradient; along a dim, the first maximum gets it, as in PyTorch.

    The dtype stays; indices are int64. ValueError if there are no elements.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.max(tg.tensor([[1, 5], [7, 2]]))
    tensor(7)
    >>> tg.max(tg.tensor([[1, 5], [7, 2]]), dim=1)
    torch.return_types.max(
    values=tensor([5, 7]),
    indices=tensor([1, 0]))
    """
    return _max_or_min("max", input, dim, keepdim, amax, MaxDim, maximum, return_types.max)


@overload
def min(input: A, dim: int, keepdim: bool = False) -> return_types.min[A]: ...
@overload
def min(input: A, dim: ArrayLike = None, keepdim: bool = False) -> A: ...
@flexible
def min(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """Minimum of all elements; with `dim` an integer, `(values, indices)` along it; with an array, `minimum`.

    The dtype stays; indices are int64. ValueError if there are no elements.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.min(tg.tensor([[1, 5], [7, 2]]))
    tensor(1)
    >>> tg.min(tg.tensor([[1, 5], [7, 2]]), dim=1)
    torch.return_types.min(
    values=tensor([1, 2]),
    indices=tensor([0, 1]))
    """
    return _max_or_min("min", input, dim, keepdim, amin, MinDim, minimum, return_types.min)


def _max_or_min(
    op: str, x: Array, dim: Any, keepdim: bool, whole: Any, along: type[Op], pairwise: Any, kind: Any
) -> Any:
    if dim is None:
        return whole(x)
    if not isinstance(dim, (int, np.integer)):
        check_broadcast(op, shape_of(x), shape_of(dim))
        return pairwise(x, dim)
    (axis,) = nonempty(op, x, int(dim)) or (0,)
    if not shape_of(x):
        return kind(whole(x), dressed(np.int64(0), x))
    return kind(*along.apply(x, axis=axis, keepdim=keepdim))


def nonempty(op: str, x: Array, dim: Axis) -> tuple[int, ...]:
    shape, axes = shape_of(x), reduced_axes(op, x, dim)
    if count(shape, axes) == 0:
        raise EmptyError(f"{op}: input of shape {shape} has no elements along dim {dim}; an extreme needs one")
    return axes


@flexible
def logsumexp(input: A, dim: Axis = None, keepdim: bool = False) -> A:
    """The logarithm of the sum of exponentials, shifted by the maximum so that nothing overflows.

    The result lacks the dims, unless `keepdim`; integers give the default floating dtype.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.logsumexp(tg.tensor([1000.0, 1000.0]), dim=0)
    tensor(1000.6932)
    """
    return Logsumexp.apply(input, axes=reduced_axes("logsumexp", input, dim), keepdim=keepdim)


@flexible
def norm(input: A, p: float | str | None = "fro", dim: Axis = None, keepdim: bool = False, *, dtype: Any = None) -> A:
    """The p-norm of the elements along the dims (all: of the flattened array); its gradient at 0 is 0.

    "fro" means 2, and 0 counts the elements that are not 0.
    """
    order = 2.0 if p in ("fro", None) else p
    if isinstance(order, str):
        raise ArgumentError(f"norm: p is {p!r}; it must be a number, 'fro' or, of matrices, 'nuc'")
    check_floating("norm", "input", input)
    axes = reduced_axes("norm", input, dim)
    x = input if dtype is None else input.astype(dtype)
    if order == 0:
        return Sum.apply(np.absolute(np.sign(x)), axes=axes, keepdim=keepdim)
    return Norm.apply(x, p=float(order), axes=axes, keepdim=keepdim)


def dist(input: A, other: ArrayLike, p: float = 2) -> A:
    """The p-norm of the difference.

    Shapes broadcast; the result has no dims.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.dist(tg.tensor([1.0, 2.0]), tg.tensor([4.0, 6.0]))
    tensor(5.)
    """
    return norm(input - other, p)


@flexible
@vectorial
def cumsum(input: A, dim: int, *, dtype: Any = None) -> A:
    """Sums of the elements up to each place along a dim; see `sum` for integers.

    The shape stays.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.cumsum(tg.tensor([1, 2, 3]), dim=0)
    tensor([1, 3, 6])
    """
    axis = check_axis("cumsum", dim, len(shape_of(input)))
    return in_dtype(lambda x: Cumsum.apply(x, axis=axis), input, dtype)


@flexible
def argmax(input: A, dim: int | None = None, keepdim: bool = False) -> A:
    """Where the first maximum stands, or the first NaN: in the flattened array, or along a dim.

    The result is int64, without a gradient.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.argmax(tg.tensor([[1, 5], [7, 2]]))
    tensor(2)
    >>> tg.argmax(tg.tensor([[1, 5], [7, 2]]), dim=1)
    tensor([1, 0])
    """
    return Argmax.apply(input, axis=_one_axis("argmax", input, dim), keepdim=keepdim)


@flexible
def argmin(input: A, dim: int | None = None, keepdim: bool = False) -> A:
    """Where the first minimum stands, or the first NaN: in the flattened array, or along a dim.

    The result is int64, without a gradient.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.argmin(tg.tensor([[1, 5], [7, 2]]))
    tensor(0)
    >>> tg.argmin(tg.tensor([[1, 5], [7, 2]]), dim=1)
    tensor([0, 1])
    """
    return Argmin.apply(input, axis=_one_axis("argmin", input, dim), keepdim=keepdim)


def _one_axis(op: str, x: Array, dim: int | None) -> int | None:
    if dtype_of(x).kind == "b":
        raise DTypeError(f"{op}: of truth values none is the largest; convert the input with .int()")
    axes = nonempty(op, x, dim)
    return None if dim is None or not axes else axes[0]


@flexible
def any(input: A, dim: Axis = None, keepdim: bool = False) -> A:
    """Whether any element along the dims is not 0: a truth value, or 1 or 0 of bytes.

    The result lacks the dims, unless `keepdim`; it is bool, and uint8 of uint8.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.any(tg.tensor([[False, True], [False, False]]), dim=1)
    tensor([ True, False])
    """
    return _truth(Any_.apply(input, axes=check_axes("any", dim, len(shape_of(input))), keepdim=keepdim), input)


@flexible
def all(input: A, dim: Axis = None, keepdim: bool = False) -> A:
    """Whether every element along the dims is not 0: a truth value, or 1 or 0 of bytes.

    The result lacks the dims, unless `keepdim`; it is bool, and uint8 of uint8.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.all(tg.tensor([[True, True], [False, True]]), dim=1)
    tensor([ True, False])
    """
    return _truth(All.apply(input, axes=check_axes("all", dim, len(shape_of(input))), keepdim=keepdim), input)


def _truth(found: Array, input: Array) -> Array:
    return found.astype(np.uint8) if dtype_of(input) == np.uint8 else found
