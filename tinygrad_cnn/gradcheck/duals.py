"""An independent forward mode: dual numbers for functions written in NumPy.

A `Dual` is a value and its derivative along one direction, (x, dx), and NumPy's functions compute with it through the
protocols of NEP 13 and NEP 18. It shares nothing with the reverse mode it is compared with. What it does not know it
refuses, and then it is not used.
"""

import warnings
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.exceptions import ComplexWarning

from tinygrad_cnn.core.types import NDArray
from tinygrad_cnn.gradcheck.functions import NumpyPair
from tinygrad_cnn.gradcheck.judge import Scale, Tolerance
from tinygrad_cnn.gradcheck.point import Point, signed
from tinygrad_cnn.gradcheck.problems import Misbehaves
from tinygrad_cnn.gradcheck.thorough import Line
from tinygrad_cnn.gradcheck.tolerances import BELIEVED
from tinygrad_cnn.gradcheck.trees import leaves

SLOPES: dict[np.ufunc, Callable[..., Sequence[Any]]] = {
    np.add: lambda y, a, b: (1.0, 1.0),
    np.subtract: lambda y, a, b: (1.0, -1.0),
    np.multiply: lambda y, a, b: (b, a),
    np.true_divide: lambda y, a, b: (1 / b, -a / b**2),
    np.power: lambda y, a, b: (b * a ** (b - 1.0), y * np.log(np.where(np.asarray(a) > 0, a, 1.0))),
    np.float_power: lambda y, a, b: (b * a ** (b - 1.0), y * np.log(np.where(np.asarray(a) > 0, a, 1.0))),
    np.maximum: lambda y, a, b: (a > b, b >= a),
    np.minimum: lambda y, a, b: (a < b, b <= a),
    np.fmax: lambda y, a, b: (a > b, b >= a),
    np.fmin: lambda y, a, b: (a < b, b <= a),
    np.hypot: lambda y, a, b: (a / y, b / y),
    np.arctan2: lambda y, a, b: (b / (a * a + b * b), -a / (a * a + b * b)),
    np.logaddexp: lambda y, a, b: (np.exp(a - y), np.exp(b - y)),
    np.remainder: lambda y, a, b: (1.0, -np.floor(a / b)),
    np.negative: lambda y, a: (-1.0,),
    np.positive: lambda y, a: (1.0,),
    np.conjugate: lambda y, a: (1.0,),
    np.absolute: lambda y, a: (np.sign(a),),
    np.fabs: lambda y, a: (np.sign(a),),
    np.square: lambda y, a: (2 * a,),
    np.sqrt: lambda y, a: (0.5 / y,),
    np.cbrt: lambda y, a: (1 / (3 * y * y),),
    np.reciprocal: lambda y, a: (-y * y,),
    np.exp: lambda y, a: (y,),
    np.exp2: lambda y, a: (y * np.log(2),),
    np.expm1: lambda y, a: (y + 1,),
    np.log: lambda y, a: (1 / a,),
    np.log2: lambda y, a: (1 / (a * np.log(2)),),
    np.log10: lambda y, a: (1 / (a * np.log(10)),),
    np.log1p: lambda y, a: (1 / (1 + a),),
    np.sin: lambda y, a: (np.cos(a),),
    np.cos: lambda y, a: (-np.sin(a),),
    np.tan: lambda y, a: (1 + y * y,),
    np.arcsin: lambda y, a: (1 / np.sqrt(1 - a * a),),
    np.arccos: lambda y, a: (-1 / np.sqrt(1 - a * a),),
    np.arctan: lambda y, a: (1 / (1 + a * a),),
    np.sinh: lambda y, a: (np.cosh(a),),
    np.cosh: lambda y, a: (np.sinh(a),),
    np.tanh: lambda y, a: (1 - y * y,),
    np.arcsinh: lambda y, a: (1 / np.sqrt(a * a + 1),),
    np.arccosh: lambda y, a: (1 / np.sqrt(a * a - 1),),
    np.arctanh: lambda y, a: (1 / (1 - a * a),),
}
"""Per ufunc its partial derivatives, of the value and the arguments."""

CONSTANT = {
    np.less, np.less_equal, np.greater, np.greater_equal, np.equal, np.not_equal,
    np.isnan, np.isinf, np.isfinite, np.signbit, np.logical_and, np.logical_or, np.logical_not,
}  # fmt: skip
"""Ufuncs whose result has no derivative and is a plain array."""

FLAT = {np.sign, np.floor, np.ceil, np.rint, np.trunc, np.floor_divide}
"""Ufuncs whose derivative is 0."""

LINEAR = (
    np.sum, np.mean, np.reshape, np.transpose, np.moveaxis, np.swapaxes, np.ravel, np.squeeze, np.expand_dims,
    np.broadcast_to, np.roll, np.flip, np.fliplr, np.flipud, np.rot90, np.repeat, np.tile, np.cumsum, np.diff,
    np.trace, np.diagonal, np.diag, np.tril, np.triu, np.take, np.take_along_axis, np.copy, np.atleast_1d,
    np.atleast_2d, np.compress, np.delete, np.real, np.rollaxis, np.resize,
)  # fmt: skip
"""Functions that treat the derivative as they treat the value."""

JOINED = (np.concatenate, np.stack, np.vstack, np.hstack, np.column_stack, np.dstack)
BILINEAR = (np.dot, np.tensordot, np.outer, np.inner, np.convolve, np.kron, np.vdot)
PICKING = {np.max: np.argmax, np.min: np.argmin, np.amax: np.argmax, np.amin: np.argmin}


def _method(function: Callable[..., Any]) -> Any:
    return lambda self, *args, **kwargs: function(self, *args, **kwargs)


def _operator(ufunc: np.ufunc) -> tuple[Any, Any]:
    """The operator, and the one that is called if the dual number stands on the right."""
    return lambda self, other: ufunc(self, other), lambda self, other: ufunc(other, self)


def _of_both(name: str) -> Any:
    """A method of arrays, of the value and of the derivative."""
    return lambda self, *args: Dual(getattr(self.value, name)(*args), getattr(self.slope, name)(*args))


class Dual:
    """A value and its derivative along one direction."""

    __array_priority__ = 1000.0

    def __init__(self, value: Any, slope: Any) -> None:
        self.value = np.asarray(value)
        self.slope = np.broadcast_to(np.asarray(slope, dtype=np.float64), self.value.shape)

    shape = property(lambda self: self.value.shape)
    ndim = property(lambda self: self.value.ndim)
    size = property(lambda self: self.value.size)
    dtype = property(lambda self: self.value.dtype)
    T = property(lambda self: Dual(self.value.T, self.slope.T))
    real = property(lambda self: self)

    def __len__(self) -> int:
        return len(self.value)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray:
        raise TypeError("Dual: its derivative would be lost")

    def __iter__(self) -> Any:
        return (self[k] for k in range(len(self)))

    def __getitem__(self, index: Any) -> "Dual":
        return Dual(self.value[index], self.slope[index])

    def __bool__(self) -> bool:
        return bool(self.value)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if kwargs.get("out") is not None or kwargs.get("where", True) is not True:
            return NotImplemented
        if method == "reduce" and ufunc in REDUCED:
            options = {k: v for k, v in kwargs.items() if k in ("axis", "keepdims")}
            options.setdefault("axis", 0)
            return self.__array_function__(REDUCED[ufunc], (), inputs, options)
        values = [a.value if isinstance(a, Dual) else a for a in inputs]
        if method != "__call__":
            return NotImplemented
        y = ufunc(*values, **kwargs)
        if ufunc in CONSTANT:
            return y
        if ufunc in FLAT:
            return Dual(y, 0.0)
        if ufunc is np.matmul:
            slopes = [_slope(a) for a in inputs]
            return Dual(y, np.matmul(slopes[0], values[1]) + np.matmul(values[0], slopes[1]))
        if ufunc not in SLOPES:
            return NotImplemented
        partials = SLOPES[ufunc](y, *values)
        terms = [p * a.slope for p, a in zip(partials, inputs, strict=True) if isinstance(a, Dual)]
        return Dual(y, sum(terms))

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if function in LINEAR:
            y, *rest = args
            others = {k: v for k, v in kwargs.items() if v is not np._NoValue}
            if any(isinstance(a, Dual) for a in (*rest, *others.values())):
                return NotImplemented
            return Dual(function(y.value, *rest, **others), function(y.slope, *rest, **others))
        if function in JOINED:
            parts, *rest = args
            return Dual(function([_value(p) for p in parts], *rest, **kwargs),
                        function([_slope(p) for p in parts], *rest, **kwargs))  # fmt: skip
        if function in BILINEAR or function is np.einsum:
            return _multilinear(function, args, kwargs)
        if function in PICKING:
            return _picked(PICKING[function], *args, **kwargs)
        if function is np.where and len(args) == 3:
            mask, a, b = args
            if isinstance(mask, Dual):
                mask = mask.value != 0
            return Dual(np.where(mask, _value(a), _value(b)), np.where(mask, _slope(a), _slope(b)))
        if function is np.clip:
            bounds = [kwargs[k] for k in ("a_min", "a_max", "min", "max") if k in kwargs]
            x, low, high = list(args) + bounds
            y = np.clip(_value(x), low, high)
            return Dual(y, np.where(y == _value(x), _slope(x), 0.0))
        if function is np.prod:
            return _product(*args, **kwargs)
        if function in (np.zeros_like, np.ones_like, np.shape, np.ndim, np.size, np.argmax, np.argmin, np.argsort):
            return function(args[0].value, *args[1:], **kwargs)
        return NotImplemented

    sum, mean, max, min = (_method(function) for function in (np.sum, np.mean, np.max, np.min))
    reshape, transpose, swapaxes, ravel, copy = (
        _of_both(name) for name in ("reshape", "transpose", "swapaxes", "ravel", "copy")
    )

    def argmax(self, *args: Any, **kwargs: Any) -> Any:
        return self.value.argmax(*args, **kwargs)

    __add__, __radd__ = _operator(np.add)
    __sub__, __rsub__ = _operator(np.subtract)
    __mul__, __rmul__ = _operator(np.multiply)
    __truediv__, __rtruediv__ = _operator(np.true_divide)
    __pow__, __rpow__ = _operator(np.power)
    __matmul__, __rmatmul__ = _operator(np.matmul)
    __neg__, __abs__ = _method(np.negative), _method(np.absolute)
    __lt__, __le__ = _method(np.less), _method(np.less_equal)
    __gt__, __ge__ = _method(np.greater), _method(np.greater_equal)
    __eq__, __ne__ = _method(np.equal), _method(np.not_equal)
    __hash__ = None  # type: ignore[assignment]


REDUCED: dict[np.ufunc, Any] = {np.add: np.sum, np.maximum: np.max, np.minimum: np.min, np.multiply: np.prod}


def _value(a: Any) -> Any:
    return a.value if isinstance(a, Dual) else a


def _slope(a: Any) -> Any:
    return a.slope if isinstance(a, Dual) else np.zeros(np.shape(a))


def _multilinear(function: Any, args: Any, kwargs: Any) -> Dual:
    """The product rule: one term per factor."""
    values = [_value(a) for a in args]
    y = function(*values, **kwargs)
    slope = np.zeros(np.shape(y))
    for k, a in enumerate(args):
        if isinstance(a, Dual):
            slope = slope + function(*values[:k], a.slope, *values[k + 1 :], **kwargs)
    return Dual(y, slope)


def _picked(arg: Any, x: Dual, axis: Any = None, out: Any = None, keepdims: Any = False, **kwargs: Any) -> Any:
    """The slope of the first extreme element."""
    if isinstance(axis, tuple):
        if len(axis) != x.ndim:
            raise TypeError("Dual: max over several axes, but not all")
        axis = None
    keep = keepdims is True
    if axis is None:
        k = int(arg(x.value))
        y = Dual(x.value.reshape(-1)[k], x.slope.reshape(-1)[k])
        return y.reshape((1,) * x.ndim) if keep else y
    place = np.expand_dims(arg(x.value, axis=axis), axis)
    y = Dual(np.take_along_axis(x.value, place, axis), np.take_along_axis(x.slope, place, axis))
    return y if keep else Dual(y.value.squeeze(axis), y.slope.squeeze(axis))


def _product(x: Dual, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False, **_: Any) -> Dual:
    """Each factor replaced by its slope in turn, so that zeros do no harm."""
    keep = keepdims is True
    if axis is None:
        y = _product(x.reshape(-1), axis=0)
        return y.reshape((1,) * x.ndim) if keep else y
    if isinstance(axis, tuple):
        raise TypeError("Dual: prod over several axes")
    slope = 0.0
    for k in range(x.shape[axis]):
        factors = np.moveaxis(x.value, axis, 0).copy()
        factors[k] = np.moveaxis(x.slope, axis, 0)[k]
        slope = slope + np.prod(factors, axis=0)
    y = Dual(np.prod(x.value, axis=axis), slope)
    return Dual(np.expand_dims(y.value, axis), np.expand_dims(y.slope, axis)) if keep else y


class Product(NamedTuple):
    """⟨v, Ju⟩ for each cotangent, and the directions u of the inputs."""

    along: list[float]
    directions: list[NDArray]


def forward_mode(point: Point, V: NDArray, random: np.random.Generator) -> Product | None:
    """Ju along a random direction, if the function takes dual numbers and differences agree with what comes out."""
    if not isinstance(point.adapter, NumpyPair) or not all(np.all(np.isfinite(a)) for a in point.arrays):
        return None
    directions = [signed(random, a.shape) for a in point.arrays]
    arguments = list(point.inputs)
    for k, a, u in zip(point.checked, point.arrays, directions, strict=True):
        arguments[k] = Dual(a, u)
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("error", ComplexWarning)
            result = point.adapter.function(*arguments)
        outputs = point.differentiable([y for _, y in leaves(result) if y is not None])
    except Exception:  # dual numbers are refused in any way
        return None
    if not all(isinstance(y, Dual) for y in outputs) or [y.shape for y in outputs] != point.output_shapes:
        return None
    slopes = np.concatenate([y.slope.reshape(-1) for y in outputs])

    scale = float(np.sqrt(np.sum((V[0] * slopes) ** 2)))
    tolerance = Tolerance(None, BELIEVED, point.eps, None)
    line = Line(point, V[0], point.ends_along(directions), tolerance, Scale(scale, scale))
    found = line.examine(2.0**-8, kinks=False)
    if found.why or not abs(float(V[0] @ slopes) - found.numeric) <= found.error + BELIEVED * scale:
        return None
    return Product([float(v @ slopes) for v in V], directions)


def pushed_forward(point: Point, V: NDArray, random: np.random.Generator) -> Product:
    """Ju along a random direction by the JVP that the adapter has."""
    directions = [signed(random, a.shape) for a in point.arrays]
    arguments = list(point.inputs)
    for k, a in zip(point.checked, point.arrays, strict=True):
        arguments[k] = a.copy()
    try:
        with np.errstate(all="ignore"):
            found = point.adapter.jvp(arguments, directions)
    except Exception as error:  # what a JVP may do wrong has no bounds
        raise Misbehaves(f"gradcheck: {point.adapter.forward} raises {type(error).__name__}: {error}") from error
    slopes = [np.asarray(y, np.float64) for y in point.differentiable(found)]
    if [u.shape for u in slopes] != point.output_shapes:
        raise Misbehaves(
            f"gradcheck: {point.adapter.forward} returns shapes {[u.shape for u in slopes]} for outputs of shapes "
            f"{point.output_shapes}"
        )
    flat = np.concatenate([u.reshape(-1) for u in slopes])
    return Product([float(v @ flat) for v in V], directions)
