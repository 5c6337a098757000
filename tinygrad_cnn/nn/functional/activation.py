"""Activations with PyTorch's signatures: the ops' doors, what is composed of them, and their forms in place."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_cnn import ops
from tinygrad_cnn.core.checks import check_axis, dtype_of, shape_of
from tinygrad_cnn.core.errors import ArgumentError
from tinygrad_cnn.core.piecewise import Relu
from tinygrad_cnn.core.types import A, Array, ArrayLike
from tinygrad_cnn.ops.checks import check_floating
from tinygrad_cnn.ops.elementwise import Softplus, Tanhshrink
from tinygrad_cnn.ops.norm import column
from tinygrad_cnn.ops.piecewise import Elu, Hardswish, Softsign
from tinygrad_cnn.ops.piecewise import threshold as above
from tinygrad_cnn.random import default_generator
from tinygrad_cnn.tensor import Tensor, as_array
from tinygrad_cnn.torch_names.errors import KernelMissingError

__all__ = [
    "celu", "celu_", "elu", "elu_", "glu", "gumbel_softmax", "hardshrink", "hardsigmoid", "hardswish", "hardtanh",
    "hardtanh_", "leaky_relu", "leaky_relu_", "log_softmax", "logsigmoid", "mish", "prelu", "relu", "relu6",
    "relu_", "rrelu", "rrelu_", "selu", "selu_", "silu", "softmax", "softmin", "softplus", "softshrink", "softsign",
    "tanhshrink", "threshold", "threshold_",
]  # fmt: skip


def applied(name: str, function: Callable[[A], A], input: A, inplace: bool) -> A:
    """The function of the input; with `inplace` the input takes that value, and is returned, as in PyTorch.

    Where a gradient is recorded the input gets new memory, so that what was computed from its old value keeps it.
    """
    if not inplace:
        return function(input)
    if not isinstance(input, Tensor):
        raise TypeError(f"{name}: inplace=True writes into a Tensor, not into {type(input).__name__}")
    changed: Any = input.become(f"{name}_", function)
    return changed


def relu(input: A, inplace: bool = False) -> A:
    """Rectifier, ``max(x, 0)``; its gradient at 0 is 0.

    Shape and dtype stay.

    >>> from tinygrad_cnn import tensor
    >>> x = tensor([-1.0, 2.0])
    >>> relu(x, inplace=True) is x
    True
    >>> x
    tensor([0., 2.])
    """
    return applied("relu", Relu.apply, input, True) if inplace else Relu.apply(input)


def relu6(input: A, inplace: bool = False) -> A:
    """Rectifier that ends at 6: ``min(max(x, 0), 6)``.

    Works element by element: the shape stays, and a floating dtype.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.functional.relu6(tg.tensor([-1.0, 3.0, 8.0]))
    tensor([0., 3., 6.])
    """
    return hardtanh(input, 0.0, 6.0, inplace)


def leaky_relu(input: A, negative_slope: float = 0.01, inplace: bool = False) -> A:
    """``x`` where positive, else ``negative_slope x`` (Maas et al. 2013).

    Works element by element: the shape stays, and a floating dtype.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.functional.leaky_relu(tg.tensor([-2.0, 3.0]))
    tensor([-0.0200,  3.0000])
    """
    return applied("leaky_relu", lambda x: ops.leaky_relu(x, negative_slope), input, inplace)


def prelu(input: A, weight: ArrayLike) -> A:
    """``x`` where positive, else ``weight x``, with one weight, or one per channel (dim 1) (He et al. 2015).

    Works element by element: the shape stays, and a floating dtype.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.functional.prelu(tg.tensor([-2.0, 3.0]), tg.tensor([0.25]))
    tensor([-0.5000,  3.0000])
    """
    shape, count = shape_of(input), int(np.prod(shape_of(weight)))
    channels = shape[1] if len(shape) > 1 else 1
    if len(shape_of(weight)) > 1 or (count != 1 and count != channels):
        raise ArgumentError(
            f"prelu: weight has shape {shape_of(weight)}; input {shape} has {channels} channels; expected 1 or "
            f"{channels} weights"
        )
    slopes: Array = np.reshape(weight, column(shape) if count > 1 else ())
    return ops.where(input > 0, input, slopes * input)


def rrelu(input: A, lower: float = 1 / 8, upper: float = 1 / 3, training: bool = False, inplace: bool = False) -> A:
    """Leaky rectifier whose slopes are drawn from [lower, upper] in training, else their middle (Xu et al. 2015).

    Works element by element: the shape stays, and a floating dtype.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.functional.rrelu(tg.tensor([-2.0, 3.0]), 0.25, 0.75)
    tensor([-1.,  3.])
    """
    if lower > upper:
        raise ArgumentError(f"rrelu: lower is {lower}, upper {upper}; lower must not be above upper")
    if not training:
        return leaky_relu(input, (lower + upper) / 2, inplace)
    given = as_array(input, None)
    if given.dtype.kind != "f":
        raise KernelMissingError(f"rrelu: input has dtype {given.dtype}; slopes are real numbers, use .float()")
    slopes = np.ones(given.shape, given.dtype)
    falling = given <= 0
    slopes[falling] = default_generator.uniform(
        (int(falling.sum()),), np.float64, lower, upper
    )  # those alone are drawn
    return applied("rrelu", lambda x: x * slopes, input, inplace)


def elu(input: A, alpha: float = 1.0, inplace: bool = False) -> A:
    """``x`` where positive, else ``alpha (exp(x) - 1)`` (Clevert et al. 2015).

    Works element by element: the shape stays, and a floating dtype.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.functional.elu(tg.tensor([-1.0, 1.0]))
    tensor([-0.6321,  1.0000])
    """
    return applied("elu", lambda x: ops.elu(x, alpha), input, inplace)


def selu(input: A, inplace: bool = False) -> A:
    """Self-normalising exponential linear unit (Klambauer et al. 2017).

    Works element by element: the shape stays, and a floating dtype.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.functional.selu(tg.tensor([-1.0, 1.0]))
    tensor([-1.1113,  1.0507])
    """
    return applied("selu", ops.selu, input, inplace)


def celu(input: A, alpha: float = 1.0, inplace: bool = False) -> A:
    """``max(0, x) + min(0, alpha (exp(x / alpha) - 1))``, smooth for every alpha (Barron 2017).

    Works element by element: the shape stays, and a floating dtype.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.functional.celu(tg.tensor([-1.0, 1.0]), alpha=2.0)
    tensor([-0.7869,  1.0000])
    """
    if alpha == 0:
        raise ArgumentError("celu: alpha is 0, by which x is divided; give another number")
    return applied("celu", lambda x: Elu.apply(x, alpha=float(alpha), rate=1 / alpha), input, inplace)


def silu(input: A, inplace: bool = False) -> A:
    """``x sigmoid(x)``, also known as swish (Elfwing et al. 2017).

    Works element by element: the shape stays, and a floating dtype.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.functional.silu(tg.tensor([-1.0, 0.0, 1.0]))
    tensor([-0.2689,  0.0000,  0.7311])
    """
    return applied("silu", ops.silu, input, inplace)


def mish(input: A, inplace: bool = False) -> A:
    """``x tanh(softplus(x))`` (Misra 2019).

    Works element by element: the shape stays, and a floating dtype.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.functional.mish(tg.tensor([-1.0, 0.0, 1.0]))
    tensor([-0.3034,  0.0000,  0.8651])
    """
    return applied("mish", lambda x: x * ops.tanh(Softplus.apply(x, threshold=np.inf)), input, inplace)


def softplus(input: A, beta: float = 1.0, threshold: float = 20.0) -> A:
    """``ln(1 + exp(beta x)) / beta``, and ``x`` itself where ``beta x`` is above the threshold.

    Works element by element: the shape stays, and a floating dtype.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.functional.softplus(tg.tensor([-1.0, 0.0, 30.0]))
    tensor([ 0.3133,  0.6931, 30.0000])
    """
    return ops.softplus(input, beta, threshold)


def logsigmoid(input: A) -> A:
    """``ln sigmoid(x) = -ln(1 + exp(-x))``; nothing overflows, and nothing is lost for large x.

    Works element by element: the shape stays, and a floating dtype.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.functional.logsigmoid(tg.tensor([-1.0, 0.0, 1.0]))
    tensor([-1.3133, -0.6931, -0.3133])
    """
    return -Softplus.apply(-input, threshold=np.inf)


def hardtanh(input: A, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> A:
    """Clipped to [min_val, max_val]; the gradient at both ends is 0.

    Works element by element: the shape stays, and a floating dtype.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.functional.hardtanh(tg.tensor([-2.0, 0.5, 3.0]))
    tensor([-1.0000,  0.5000,  1.0000])
    """
    return applied("hardtanh", lambda x: ops.hardtanh(x, min_val, max_val), input, inplace)


def hardsigmoid(input: A, inplace: bool = False) -> A:
    """``min(max(x + 3, 0), 6) / 6``

    Works element by element: the shape stays, and a floating dtype.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.functional.hardsigmoid(tg.tensor([-4.0, 0.0, 4.0]))
    tensor([0.0000, 0.5000, 1.0000])
    """
    return applied("hardsigmoid", lambda x: relu6(x + 3) / 6, input, inplace)


def hardswish(input: A, inplace: bool = False) -> A:
    """``x hardsigmoid(x)`` (Howard et al. 2019).

    Works element by element: the shape stays, and a floating dtype.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.functional.hardswish(tg.tensor([-4.0, 1.0, 4.0]))
    tensor([-0.0000, 0.6667, 4.0000])
    """
    return applied("hardswish", Hardswish.apply, input, inplace)


def hardshrink(input: A, lambd: float = 0.5) -> A:
    """``x`` outside [-lambd, lambd], 0 inside.

    Works element by element: the shape stays, and a floating dtype.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.functional.hardshrink(tg.tensor([-1.0, 0.25, 1.0]))
    tensor([-1.,  0.,  1.])
    """
    inside = np.logical_and(input >= -lambd, input <= lambd)
    return ops.masked_fill(input, inside, 0.0)


def softshrink(input: A, lambd: float = 0.5) -> A:
    """``x`` moved towards 0 by lambd, and 0 within [-lambd, lambd].

    Works element by element: the shape stays, and a floating dtype.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.functional.softshrink(tg.tensor([-1.0, 0.25, 1.0]))
    tensor([-0.5000,  0.0000,  0.5000])
    """
    if lambd < 0:
        raise ArgumentError(f"softshrink: lambd is {lambd}; it must be at least 0")
    return input - ops.clamp(input, -lambd, lambd)


def tanhshrink(input: A) -> A:
    """``x - tanh(x)``

    Works element by element: the shape stays, and a floating dtype.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.functional.tanhshrink(tg.tensor([-1.0, 0.0, 1.0]))
    tensor([-0.2384,  0.0000,  0.2384])
    """
    return Tanhshrink.apply(input)


def softsign(input: A) -> A:
    """``x / (1 + |x|)``

    Works element by element: the shape stays, and a floating dtype.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.functional.softsign(tg.tensor([-1.0, 0.0, 3.0]))
    tensor([-0.5000,  0.0000,  0.7500])
    """
    return Softsign.apply(input)


def threshold(input: A, threshold: float, value: float, inplace: bool = False) -> A:
    """``x`` above the threshold, else `value`.

    Works element by element: the shape stays, and a floating dtype.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.functional.threshold(tg.tensor([0.5, 2.0]), 1.0, 20.0)
    tensor([20.,  2.])
    """
    return applied("threshold", lambda x: above(x, threshold, value), input, inplace)


def glu(input: A, dim: int = -1) -> A:
    """Gated linear unit: ``a sigmoid(b)`` of the two halves of a dim (Dauphin et al. 2016).

    The dim, of even size, is half as long; the floating dtype stays.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.functional.glu(tg.tensor([1.0, 2.0, 0.0, 0.0]))
    tensor([0.5000, 1.0000])
    """
    shape = shape_of(input)
    axis = check_axis("glu", dim, len(shape))
    if shape[axis] % 2:
        raise ArgumentError(f"glu: dim {dim} of input {shape} has {shape[axis]} elements; only an even number halves")
    a, b = ops.split(input, shape[axis] // 2, axis) if shape[axis] else (input, input)
    return a * ops.sigmoid(b)


def softmax(input: A, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> A:
    """Exponentials along a dim, normalised to sum 1. Without `dim` one is guessed, with a warning.

    The shape stays, and a floating dtype; or `dtype` is given.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.functional.softmax(tg.tensor([1.0, 2.0, 3.0]), dim=0)
    tensor([0.0900, 0.2447, 0.6652])
    """
    return ops.softmax(input, _dim("softmax", input, _stacklevel) if dim is None else dim, dtype)


def log_softmax(input: A, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> A:
    """The logarithm of softmax along a dim, exact where softmax underflows.

    The shape stays, and a floating dtype; or `dtype` is given.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.functional.log_softmax(tg.tensor([1.0, 2.0, 3.0]), dim=0)
    tensor([-2.4076, -1.4076, -0.4076])
    """
    return ops.log_softmax(input, _dim("log_softmax", input, _stacklevel) if dim is None else dim, dtype)


def softmin(input: A, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> A:
    """``softmax(-x)``

    The shape stays, and a floating dtype; or `dtype` is given.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.functional.softmin(tg.tensor([1.0, 2.0, 3.0]), dim=0)
    tensor([0.6652, 0.2447, 0.0900])
    """
    return ops.softmax(-input, _dim("softmin", input, _stacklevel) if dim is None else dim, dtype)


def _dim(name: str, input: ArrayLike, stacklevel: int) -> int:
    """PyTorch's guess: the first dim of 0, 1 or 3 dims, else the second."""
    warnings.warn(
        f"{name}: which dim is meant is guessed from the number of dims; give dim=...",
        UserWarning,
        stacklevel=stacklevel,
    )
    return 0 if len(shape_of(input)) in (0, 1, 3) else 1


def gumbel_softmax(logits: A, tau: float = 1, hard: bool = False, eps: float = 1e-10, dim: int = -1) -> A:
    """A sample of the categorical distribution, relaxed so that it has a gradient (Jang et al. 2016).

    ``softmax((logits + Gumbel noise) / tau)``; with `hard` its largest entry as a one-hot vector, with the gradient
    of the relaxed sample. `eps` is ignored, as in PyTorch.

    The shape and the floating dtype stay. DTypeError for integers.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> _ = tg.manual_seed(0)
    >>> tg.nn.functional.gumbel_softmax(tg.tensor([[1.0, 2.0, 3.0]]), hard=True).sum()
    tensor(1.)
    """
    if eps != 1e-10:
        warnings.warn("gumbel_softmax: eps is deprecated and has no effect", UserWarning, stacklevel=2)
    check_floating("gumbel_softmax", "logits", logits)
    noise = -np.log(default_generator.exponential(shape_of(logits), dtype_of(logits)))
    soft = ops.softmax((logits + noise) / tau, dim)
    if not hard:
        return soft
    top = np.argmax(np.asarray(soft.detach()), axis=dim, keepdims=True)
    places = np.moveaxis(np.arange(shape_of(logits)[dim])[(None,) * (logits.ndim - 1)], -1, dim)
    return (top == places).astype(dtype_of(soft)) - soft.detach() + soft


def relu_(input: A) -> A:
    """`relu` in place.

    The input itself is changed, and returned. RuntimeError for a leaf that requires a gradient.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> x = tg.tensor([-1.0, 2.0])
    >>> tg.nn.functional.relu_(x)
    tensor([0., 2.])
    >>> x
    tensor([0., 2.])
    """
    return relu(input, True)


def leaky_relu_(input: A, negative_slope: float = 0.01) -> A:
    """`leaky_relu` in place.

    The input itself is changed, and returned. RuntimeError for a leaf that requires a gradient.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> x = tg.tensor([-1.0, 2.0])
    >>> tg.nn.functional.leaky_relu_(x) is x
    True
    >>> x
    tensor([-0.0100,  2.0000])
    """
    return leaky_relu(input, negative_slope, True)


def rrelu_(input: A, lower: float = 1 / 8, upper: float = 1 / 3, training: bool = False) -> A:
    """`rrelu` in place.

    The input itself is changed, and returned. RuntimeError for a leaf that requires a gradient.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> x = tg.tensor([-2.0, 3.0])
    >>> tg.nn.functional.rrelu_(x, 0.25, 0.75) is x
    True
    >>> x
    tensor([-1.,  3.])
    """
    return rrelu(input, lower, upper, training, True)


def elu_(input: A, alpha: float = 1.0) -> A:
    """`elu` in place.

    The input itself is changed, and returned. RuntimeError for a leaf that requires a gradient.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> x = tg.tensor([-1.0, 2.0])
    >>> tg.nn.functional.elu_(x) is x
    True
    >>> x
    tensor([-0.6321,  2.0000])
    """
    return elu(input, alpha, True)


def selu_(input: A) -> A:
    """`selu` in place.

    The input itself is changed, and returned. RuntimeError for a leaf that requires a gradient.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> x = tg.tensor([-1.0, 2.0])
    >>> tg.nn.functional.selu_(x) is x
    True
    >>> x
    tensor([-1.1113,  2.1014])
    """
    return selu(input, True)


def celu_(input: A, alpha: float = 1.0) -> A:
    """`celu` in place.

    The input itself is changed, and returned. RuntimeError for a leaf that requires a gradient.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> x = tg.tensor([-1.0, 2.0])
    >>> tg.nn.functional.celu_(x) is x
    True
    >>> x
    tensor([-0.6321,  2.0000])
    """
    return celu(input, alpha, True)


def hardtanh_(input: A, min_val: float = -1.0, max_val: float = 1.0) -> A:
    """`hardtanh` in place.

    The input itself is changed, and returned. RuntimeError for a leaf that requires a gradient.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> x = tg.tensor([-3.0, 0.5])
    >>> tg.nn.functional.hardtanh_(x) is x
    True
    >>> x
    tensor([-1.0000,  0.5000])
    """
    return hardtanh(input, min_val, max_val, True)


def threshold_(input: A, threshold: float, value: float) -> A:
    """`threshold` in place.

    The input itself is changed, and returned. RuntimeError for a leaf that requires a gradient.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> x = tg.tensor([0.5, 2.0])
    >>> tg.nn.functional.threshold_(x, 1.0, 20.0) is x
    True
    >>> x
    tensor([20.,  2.])
    """
    return applied("threshold", lambda x: above(x, threshold, value), input, True)
