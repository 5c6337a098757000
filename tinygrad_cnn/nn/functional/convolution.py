"""What is convolution in another guise: transposed ones along a line, and windows cut out (`unfold`) and put back."""

import math
import operator
from functools import reduce
from typing import Any

from tinygrad_cnn import ops
from tinygrad_cnn.core.checks import shape_of
from tinygrad_cnn.core.errors import ArgumentError
from tinygrad_cnn.core.indexing import PutItem
from tinygrad_cnn.core.types import A, ArrayLike
from tinygrad_cnn.kernels.windows import output_size as windows_along
from tinygrad_cnn.kernels.windows import taps
from tinygrad_cnn.nn.functional.pooling import single
from tinygrad_cnn.ops.checks import check_ndim, check_pair
from tinygrad_cnn.ops.conv import check_fit

__all__ = ["conv_transpose1d", "fold", "unfold"]


def conv_transpose1d(
    input: A,
    weight: ArrayLike,
    bias: ArrayLike = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> A:
    """The adjoint of `conv1d`: input (N, C, L) or (C, L), weight (C, O / groups, K); `conv_transpose2d` of height 1.

    All dtypes must be equal and stay. ValueError if channels, groups or sizes do not fit.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.functional.conv_transpose1d(tg.tensor([[1.0, 2.0]]), tg.tensor([[[1.0, 1.0]]]))
    tensor([[1., 3., 2.]])
    """
    op = "conv_transpose1d"
    check_ndim(op, "input", input, (2, 3), "(N, C, L) or (C, L)")
    check_ndim(op, "weight", weight, (3,), "(C, O / groups, K)")
    steps, apart = (1, single(op, "stride", stride)), (1, single(op, "dilation", dilation))
    pads, extra = (0, single(op, "padding", padding)), (0, single(op, "output_padding", output_padding))
    x, w = ops.unsqueeze(input, -2), ops.unsqueeze(weight, -2)
    return ops.squeeze(ops.conv_transpose2d(x, w, bias, steps, pads, extra, groups, apart), -2)


def unfold(input: A, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> A:
    """The windows of a convolution as columns: (N, C, H, W) to (N, C·KH·KW, L), L the number of windows.

    >>> import numpy as np
    >>> unfold(np.arange(6.0).reshape(1, 1, 2, 3), 2)[0].T
    array([[0., 1., 3., 4.],
           [1., 2., 4., 5.]])
    """
    op = "unfold"
    check_ndim(op, "input", input, (3, 4), "(N, C, H, W) or (C, H, W)")
    shape = shape_of(input)
    kernel, steps = check_pair(op, "kernel_size", kernel_size, 1), check_pair(op, "stride", stride, 1)
    apart, c = check_pair(op, "dilation", dilation, 1), shape[-3]
    pads = check_fit(op, (1, *shape)[-4:], (c, 1, *kernel), steps, check_pair(op, "padding", padding, 0), apart, c)
    x = ops.pad(input, (*pads[1], *pads[0])) if any(map(any, pads)) else input
    along = [windows_along(shape[a - 2], kernel[a], steps[a], sum(pads[a]), apart[a]) for a in (0, 1)]
    seen = [x[..., down, across] for down, across in taps((along[0], along[1]), kernel, steps, apart)]
    return ops.reshape(ops.stack(seen, -3), (*shape[:-3], c * len(seen), math.prod(along)))


def fold(input: A, output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> A:
    """The adjoint of `unfold`: columns (N, C·KH·KW, L) added up at the places of their windows, (N, C, H, W).

    The dtype stays. ValueError if the columns are not as many as the windows.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.functional.fold(tg.ones(1, 4, 4), output_size=(3, 3), kernel_size=2)
    tensor([[[[1., 2., 1.],
              [2., 4., 2.],
              [1., 2., 1.]]]])
    """
    op = "fold"
    check_ndim(op, "input", input, (2, 3), "(N, C·KH·KW, L) or (C·KH·KW, L)")
    shape = shape_of(input)
    if len(shape) == 2:
        return ops.squeeze(fold(ops.unsqueeze(input, 0), output_size, kernel_size, dilation, padding, stride), 0)
    size, kernel = check_pair(op, "output_size", output_size, 1), check_pair(op, "kernel_size", kernel_size, 1)
    steps, apart = check_pair(op, "stride", stride, 1), check_pair(op, "dilation", dilation, 1)
    pads = check_pair(op, "padding", padding, 0)
    along = [windows_along(size[a], kernel[a], steps[a], 2 * pads[a], apart[a]) for a in (0, 1)]
    if shape[1] % math.prod(kernel):
        raise ArgumentError(f"{op}: dim 1 of input {shape} is no multiple of the {math.prod(kernel)} taps of {kernel}")
    if min(along) < 1 or shape[2] != math.prod(along):
        raise ArgumentError(
            f"{op}: input {shape} has {shape[2]} columns; output_size {size} has {along[0]} x {along[1]} windows of "
            f"{kernel} (stride {steps}, padding {pads}, dilation {apart})"
        )
    n, channels, count = shape[0], shape[1] // math.prod(kernel), math.prod(kernel)
    columns = ops.reshape(input, (n, channels, count, *along))
    whole = n, channels, size[0] + 2 * pads[0], size[1] + 2 * pads[1]
    places = enumerate(taps((along[0], along[1]), kernel, steps, apart))
    parts = [PutItem.apply(columns[:, :, k], index=(..., *place), shape=whole) for k, place in places]
    return reduce(operator.add, parts)[..., pads[0] : pads[0] + size[0], pads[1] : pads[1] + size[1]]
