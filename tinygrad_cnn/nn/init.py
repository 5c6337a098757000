"""How weights begin. Each function fills a tensor in place, without recording, and returns it."""

import math
import warnings
from collections.abc import Callable
from typing import Any, ParamSpec

import numpy as np

from tinygrad_cnn.autograd import no_grad
from tinygrad_cnn.random import Generator, default_generator
from tinygrad_cnn.tensor import Tensor
from tinygrad_cnn.torch_names.errors import KernelMissingError

__all__ = [
    "calculate_gain", "constant", "constant_", "dirac", "dirac_", "eye", "eye_", "kaiming_normal",
    "kaiming_normal_", "kaiming_uniform", "kaiming_uniform_", "normal", "normal_", "ones_", "orthogonal",
    "orthogonal_", "sparse", "sparse_", "trunc_normal_", "uniform", "uniform_", "xavier_normal", "xavier_normal_",
    "xavier_uniform", "xavier_uniform_", "zeros_",
]  # fmt: skip

P = ParamSpec("P")
GAINS = {
    **dict.fromkeys(("linear", "conv1d", "conv2d", "conv3d"), 1.0),
    **dict.fromkeys(("conv_transpose1d", "conv_transpose2d", "conv_transpose3d", "sigmoid"), 1.0),
    "tanh": 5 / 3,
    "relu": math.sqrt(2),
    "selu": 0.75,
}


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """The factor that keeps the variance of activations through this nonlinearity.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.init.calculate_gain("leaky_relu", 1.0)
    1.0
    """
    if nonlinearity == "leaky_relu":
        if param is not None and (isinstance(param, bool) or not isinstance(param, (int, float))):
            raise ValueError(f"calculate_gain: the negative slope is {param!r}, not a valid number")
        return math.sqrt(2 / (1 + (0.01 if param is None else param) ** 2))
    if nonlinearity not in GAINS:
        raise ValueError(
            f"calculate_gain: nonlinearity is {nonlinearity!r}; known are {sorted([*GAINS, 'leaky_relu'])}"
        )
    return GAINS[nonlinearity]


def _calculate_fan_in_and_fan_out(tensor: Tensor) -> tuple[int, int]:
    if tensor.ndim < 2:
        raise ValueError(f"init: a tensor of shape {tensor.shape} has no fan; it needs at least 2 dims")
    places = math.prod(tensor.shape[2:])
    return tensor.shape[1] * places, tensor.shape[0] * places


def _fan(tensor: Tensor, mode: str) -> int:
    fans = dict(zip(("fan_in", "fan_out"), _calculate_fan_in_and_fan_out(tensor), strict=True))
    if mode not in fans:
        raise ValueError(f"init: mode is {mode!r}; it must be 'fan_in' or 'fan_out'")
    return fans[mode]


@no_grad()
def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Numbers drawn evenly from [a, b).

    Writes into the tensor, without a record, and returns it: shape and dtype stay.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> _ = tg.manual_seed(0)
    >>> tg.nn.init.uniform_(tg.empty(3), -1, 1)
    tensor([-0.0075,  0.5364, -0.8230])
    """
    return tensor.uniform_(a, b, generator)


@no_grad()
def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Numbers drawn from a normal distribution.

    Writes into the tensor, without a record, and returns it: shape and dtype stay.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> _ = tg.manual_seed(0)
    >>> tg.nn.init.normal_(tg.empty(3), 0.0, 0.5)
    tensor([ 0.7705, -0.1467, -1.0894])
    """
    return tensor.normal_(mean, std, generator)


@no_grad()
def trunc_normal_(
    tensor: Tensor,
    mean: float = 0.0,
    std: float = 1.0,
    a: float = -2.0,
    b: float = 2.0,
    generator: Generator | None = None,
) -> Tensor:
    """Numbers drawn from the part of a normal distribution that lies in [a, b].

    If that part is large, normal numbers are drawn until they lie in it; else even ones in [a, b] are kept with the
    probability that the density has at them, relative to its peak in [a, b].

    Writes into the tensor, without a record, and returns it: shape and dtype stay.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> _ = tg.manual_seed(0)
    >>> tg.nn.init.trunc_normal_(tg.empty(3))
    tensor([ 1.5410, -0.2934, -1.3986])
    """
    if mean < a - 2 * std or mean > b + 2 * std:
        warnings.warn(
            f"trunc_normal_: mean {mean} is more than 2 std from [{a}, {b}]; the distribution may be incorrect",
            stacklevel=2,
        )
    source, shape, dtype = generator or default_generator, tuple(tensor.shape), np.dtype(tensor.dtype)
    low, high = dtype.type(a), dtype.type(b)

    def normal() -> tuple[Any, Any]:
        drawn = source.normal(shape, dtype, mean, std)
        return drawn, (drawn < low) | (drawn > high)

    def even() -> tuple[Any, Any]:
        drawn = source.uniform(shape, dtype, a, b)
        peak = ((max(a, min(mean, b)) - mean) / std) ** 2
        with np.errstate(divide="ignore"):
            chance = np.log(source.uniform(shape, dtype))
        return drawn, chance > (peak - ((drawn - mean) / std) ** 2) / 2

    inside = _normal_cdf((b - mean) / std) - _normal_cdf((a - mean) / std)
    propose = normal if inside > 0.3 else even
    values, rejected = propose()
    while rejected.any():
        drawn, again = propose()
        values, rejected = np.where(rejected, drawn, values), rejected & again
    return tensor.copy_(values)


def _normal_cdf(x: float) -> float:
    return (1 + math.erf(x / math.sqrt(2))) / 2


@no_grad()
def constant_(tensor: Tensor, val: float) -> Tensor:
    """One value everywhere.

    Writes into the tensor, without a record, and returns it: shape and dtype stay.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.init.constant_(tg.empty(3), 0.5)
    tensor([0.5000, 0.5000, 0.5000])
    """
    return tensor.fill_(val)


def zeros_(tensor: Tensor) -> Tensor:
    """Zeros.

    Writes into the tensor, without a record, and returns it: shape and dtype stay.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.init.zeros_(tg.empty(3))
    tensor([0., 0., 0.])
    """
    return constant_(tensor, 0.0)


def ones_(tensor: Tensor) -> Tensor:
    """Ones.

    Writes into the tensor, without a record, and returns it: shape and dtype stay.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.init.ones_(tg.empty(3))
    tensor([1., 1., 1.])
    """
    return constant_(tensor, 1.0)


def kaiming_uniform_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:
    """Even in ±gain √(3 / fan) (He et al. 2015).

    Writes into the tensor, without a record, and returns it: shape and dtype stay.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> _ = tg.manual_seed(0)
    >>> tg.nn.init.kaiming_uniform_(tg.empty(2, 3))
    tensor([[-0.0106,  0.7586, -1.1640],
            [-1.0408, -0.5447,  0.3792]])
    """
    bound = calculate_gain(nonlinearity, a) * math.sqrt(3 / _fan(tensor, mode))
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:
    """Normal with deviation gain / √fan (He et al. 2015).

    Writes into the tensor, without a record, and returns it: shape and dtype stay.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> _ = tg.manual_seed(0)
    >>> tg.nn.init.kaiming_normal_(tg.empty(2, 3))
    tensor([[ 1.2582, -0.2396, -1.7790],
            [ 0.4641, -0.8855, -1.1419]])
    """
    return normal_(tensor, 0.0, calculate_gain(nonlinearity, a) / math.sqrt(_fan(tensor, mode)), generator)


def xavier_uniform_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Even in ±gain √(6 / (fan_in + fan_out)) (Glorot & Bengio 2010).

    Writes into the tensor, without a record, and returns it: shape and dtype stay.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> _ = tg.manual_seed(0)
    >>> tg.nn.init.xavier_uniform_(tg.empty(2, 3))
    tensor([[-0.0082,  0.5876, -0.9016],
            [-0.8062, -0.4219,  0.2938]])
    """
    bound = gain * math.sqrt(6 / sum(_calculate_fan_in_and_fan_out(tensor)))
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Normal with deviation gain √(2 / (fan_in + fan_out)) (Glorot & Bengio 2010).

    Writes into the tensor, without a record, and returns it: shape and dtype stay.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> _ = tg.manual_seed(0)
    >>> tg.nn.init.xavier_normal_(tg.empty(2, 3))
    tensor([[ 0.9746, -0.1856, -1.3780],
            [ 0.3595, -0.6859, -0.8845]])
    """
    return normal_(tensor, 0.0, gain * math.sqrt(2 / sum(_calculate_fan_in_and_fan_out(tensor))), generator)


@no_grad()
def eye_(tensor: Tensor) -> Tensor:
    """The identity matrix; also of a matrix that is not square.

    Writes into the tensor, without a record, and returns it: shape and dtype stay.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.init.eye_(tg.empty(2, 3))
    tensor([[1., 0., 0.],
            [0., 1., 0.]])
    """
    if tensor.ndim != 2:
        raise ValueError(f"eye_: a tensor of shape {tuple(tensor.shape)}; only tensors with 2 dimensions are supported")
    return tensor.copy_(np.eye(*tensor.shape, dtype=np.dtype(tensor.dtype)))


@no_grad()
def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """The convolution that hands on as many of its input channels as it can: 1 in the middle of the kernel.

    Weight (out, in / groups, …) with 1 to 3 dims of places; every group hands on its own channels.

    Writes into the tensor, without a record, and returns it: shape and dtype stay.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.init.dirac_(tg.empty(1, 1, 3))
    tensor([[[0., 1., 0.]]])
    """
    if tensor.ndim not in (3, 4, 5):
        raise ValueError(
            f"dirac_: a tensor of shape {tuple(tensor.shape)}; only tensors with 3, 4 or 5 dimensions are supported"
        )
    outputs, inputs, *places = tensor.shape
    if outputs % groups:
        raise ValueError(f"dirac_: dim 0 of size {outputs} must be divisible by groups {groups}")
    per_group = outputs // groups
    middle = tuple(n // 2 for n in places)
    values = np.zeros(tuple(tensor.shape), np.dtype(tensor.dtype))
    for group in range(groups):
        for k in range(min(per_group, inputs)):
            values[(group * per_group + k, k, *middle)] = 1
    return tensor.copy_(values)


@no_grad()
def orthogonal_(tensor: Tensor, gain: float = 1, generator: Generator | None = None) -> Tensor:
    """A matrix with orthonormal rows or columns, whichever are fewer, times gain (Saxe et al. 2013).

    All dims but the first are taken as one.

    Writes into the tensor, without a record, and returns it: shape and dtype stay.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> w = tg.nn.init.orthogonal_(tg.empty(2, 3))
    >>> tg.allclose(w @ w.T, tg.eye(2), atol=1e-5)
    True
    """
    if tensor.ndim < 2:
        raise ValueError(f"orthogonal_: a tensor of shape {tuple(tensor.shape)}; it needs 2 dimensions or more")
    if tensor.numel() == 0:
        return tensor
    if tensor.dtype not in (np.float32, np.float64):
        raise KernelMissingError(f"orthogonal_: no QR decomposition in {tensor.dtype}; use float32 or float64")
    rows, columns = tensor.shape[0], tensor.numel() // tensor.shape[0]
    drawn = (generator or default_generator).normal((rows, columns), np.dtype(tensor.dtype))
    q, r = np.linalg.qr(drawn.T if rows < columns else drawn)
    q = q * np.sign(np.diagonal(r))  # so that all orthogonal matrices are equally likely (Mezzadri 2006)
    return tensor.copy_((gain * (q.T if rows < columns else q)).reshape(tensor.shape))


@no_grad()
def sparse_(tensor: Tensor, sparsity: float, std: float = 0.01, generator: Generator | None = None) -> Tensor:
    """Normal numbers, of which in each column a fraction `sparsity` is 0 (Martens 2010).

    Writes into the tensor, without a record, and returns it: shape and dtype stay.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> w = tg.nn.init.sparse_(tg.empty(4, 2), sparsity=0.5)
    >>> (w == 0).sum()
    tensor(4)
    """
    if tensor.ndim != 2:
        raise ValueError(
            f"sparse_: a tensor of shape {tuple(tensor.shape)}; only tensors with 2 dimensions are supported"
        )
    rows, columns = tensor.shape
    zeros = math.ceil(sparsity * rows)
    values = (generator or default_generator).normal((rows, columns), np.dtype(tensor.dtype), 0, std)
    for column in range(columns):
        values[default_generator.order(rows)[:zeros], column] = 0  # in PyTorch, too, not from `generator`
    return tensor.copy_(values)


def _deprecated(function: Callable[P, Tensor]) -> Callable[P, Tensor]:
    name = function.__name__

    def old(*args: P.args, **kwargs: P.kwargs) -> Tensor:
        warnings.warn(f"nn.init.{name[:-1]} is now deprecated in favor of nn.init.{name}.", FutureWarning, stacklevel=2)
        return function(*args, **kwargs)

    old.__name__, old.__doc__ = (
        name[:-1],
        (function.__doc__ or "").replace("\n\n", f"\n\n    The old name of `{name}`, with a FutureWarning.\n\n", 1),
    )
    return old


uniform, normal, constant = _deprecated(uniform_), _deprecated(normal_), _deprecated(constant_)
eye, dirac, sparse = _deprecated(eye_), _deprecated(dirac_), _deprecated(sparse_)
xavier_uniform, xavier_normal = _deprecated(xavier_uniform_), _deprecated(xavier_normal_)
kaiming_uniform, kaiming_normal = _deprecated(kaiming_uniform_), _deprecated(kaiming_normal_)
orthogonal = _deprecated(orthogonal_)
