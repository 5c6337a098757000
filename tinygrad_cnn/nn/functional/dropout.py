"""Dropout: single elements, or whole channels, made 0 (or, for SELU networks, their lowest value) at random."""

import math
import warnings

import numpy as np

from tinygrad_cnn import ops
from tinygrad_cnn.core.checks import dtype_of, shape_of
from tinygrad_cnn.core.errors import ArgumentError
from tinygrad_cnn.core.types import A, Shape
from tinygrad_cnn.nn.functional.activation import applied
from tinygrad_cnn.ops.checks import check_floating, check_ndim
from tinygrad_cnn.ops.piecewise import SELU_ALPHA, SELU_SCALE
from tinygrad_cnn.random import Generator, default_generator

__all__ = ["alpha_dropout", "dropout", "dropout1d", "dropout2d", "dropout3d", "feature_alpha_dropout"]


def check_probability(name: str, p: float) -> None:
    """p is a probability."""
    if not 0.0 <= p <= 1.0:
        raise ArgumentError(f"{name}: p is {p}; a probability is between 0 and 1")


def dropout(
    input: A, p: float = 0.5, training: bool = True, inplace: bool = False, *, generator: Generator | None = None
) -> A:
    """Zero elements with probability p in training, and scale the others by 1 / (1 - p); else the input itself.

    The shape and the floating dtype stay. ValueError if p is not in [0, 1].

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> _ = tg.manual_seed(0)
    >>> tg.nn.functional.dropout(tg.ones(6))
    tensor([0., 0., 2., 0., 0., 0.])
    >>> tg.nn.functional.dropout(tg.ones(3), training=False)
    tensor([1., 1., 1.])
    """
    check_probability("dropout", p)
    if not training or p == 0 or 0 in shape_of(input):
        return input
    source = generator or default_generator
    return applied("dropout", lambda x: ops.drop(x, p, source), input, inplace)


def dropout1d(input: A, p: float = 0.5, training: bool = True, inplace: bool = False) -> A:
    """`dropout` of whole channels of (N, C, L) or (C, L) (Tompson et al. 2015).

    The shape and the floating dtype stay. ValueError if p is not in [0, 1].

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> _ = tg.manual_seed(0)
    >>> tg.nn.functional.dropout1d(tg.ones(1, 4, 2))
    tensor([[[0., 0.],
             [0., 0.],
             [2., 2.],
             [0., 0.]]])
    """
    check_ndim("dropout1d", "input", input, (2, 3), "(N, C, L) or (C, L)")
    shape = shape_of(input)
    return _of_channels("dropout1d", input, (*shape[:-1], 1), p, training, inplace)


def dropout2d(input: A, p: float = 0.5, training: bool = True, inplace: bool = False) -> A:
    """`dropout` of whole channels of (N, C, H, W) (Tompson et al. 2015).

    As in PyTorch, an input of other than 4 dims is warned about: of three, (N, C, L), the channels are dim 1.

    The shape and the floating dtype stay. ValueError if p is not in [0, 1].

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> _ = tg.manual_seed(0)
    >>> tg.nn.functional.dropout2d(tg.ones(1, 4, 1, 2)).flatten()
    tensor([0., 0., 0., 0., 2., 2., 0., 0.])
    """
    shape = shape_of(input)
    if len(shape) != 4:
        warnings.warn(
            f"dropout2d: input has shape {shape}; expected (N, C, H, W). The first two dims are taken for images and "
            "channels; use dropout1d for (N, C, L)",
            UserWarning,
            stacklevel=2,
        )
    return _of_channels("dropout2d", input, _per_channel("dropout2d", shape), p, training, inplace)


def dropout3d(input: A, p: float = 0.5, training: bool = True, inplace: bool = False) -> A:
    """`dropout` of whole channels of (N, C, D, H, W) or (C, D, H, W).

    As in PyTorch, an input of other than 4 or 5 dims is warned about, and its dim 0 is that of the channels.

    The shape and the floating dtype stay. ValueError if p is not in [0, 1].

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> _ = tg.manual_seed(0)
    >>> tg.nn.functional.dropout3d(tg.ones(1, 4, 1, 1, 2)).flatten()
    tensor([0., 0., 0., 0., 2., 2., 0., 0.])
    """
    shape = shape_of(input)
    if len(shape) not in (4, 5):
        warnings.warn(
            f"dropout3d: input has shape {shape}; expected (N, C, D, H, W) or (C, D, H, W)", UserWarning, stacklevel=2
        )
    channels = _per_channel("dropout3d", shape if len(shape) == 5 else (1, *shape))
    return _of_channels("dropout3d", input, channels[len(channels) - len(shape) :], p, training, inplace)


def _per_channel(name: str, shape: Shape) -> Shape:
    if len(shape) < 2 and 0 not in shape:
        raise ArgumentError(f"{name}: input has shape {shape}; channels need at least 2 dims")
    return (*shape[:2], *(1,) * (len(shape) - 2))


def _of_channels(name: str, input: A, shape: Shape, p: float, training: bool, inplace: bool) -> A:
    check_probability(name, p)
    if not training or p == 0 or 0 in shape_of(input):
        return input
    mask = ops.drop(np.ones(shape, dtype_of(input)), p, default_generator)
    return applied(name, lambda x: x * mask, input, inplace)


def alpha_dropout(input: A, p: float = 0.5, training: bool = False, inplace: bool = False) -> A:
    """Dropout that keeps mean and variance of what SELU gives (Klambauer et al. 2017).

    Dropped elements become SELU's lowest value; an affine map then brings mean 0 and variance 1 back.

    The shape and the floating dtype stay. ValueError if p is not in [0, 1].

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> _ = tg.manual_seed(0)
    >>> tg.nn.functional.alpha_dropout(tg.zeros(6), training=True)
    tensor([-0.7792, -0.7792,  0.7792, -0.7792, -0.7792, -0.7792])
    """
    return _alpha("alpha_dropout", input, shape_of(input), p, training, inplace)


def feature_alpha_dropout(input: A, p: float = 0.5, training: bool = False, inplace: bool = False) -> A:
    """`alpha_dropout` of whole channels of (N, C, …).

    The shape and the floating dtype stay. ValueError if p is not in [0, 1].

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> _ = tg.manual_seed(0)
    >>> tg.nn.functional.feature_alpha_dropout(tg.zeros(1, 4, 2), training=True)
    tensor([[[-0.7792, -0.7792],
             [-0.7792, -0.7792],
             [ 0.7792,  0.7792],
             [-0.7792, -0.7792]]])
    """
    shape = _per_channel("feature_alpha_dropout", shape_of(input)) if training and p != 0 else ()
    return _alpha("feature_alpha_dropout", input, shape, p, training, inplace)


def _alpha(name: str, input: A, shape: Shape, p: float, training: bool, inplace: bool) -> A:
    check_probability(name, p)
    if not training or p == 0 or 0 in shape_of(input):
        return input
    if p == 1:
        return applied(name, lambda x: x * 0, input, inplace)
    check_floating(name, "input", input)
    lowest = -SELU_SCALE * SELU_ALPHA
    mask = default_generator.bernoulli(1 - p, shape)
    scale = 1 / math.sqrt((lowest**2 * p + 1) * (1 - p))
    shift = -scale * lowest * p
    factor = (scale * mask).astype(dtype_of(input))
    offset = (scale * lowest * ~mask + shift).astype(dtype_of(input))
    return applied(name, lambda x: x * factor + offset, input, inplace)
