"""Convolution: one trilinear form T(x, w, v) = ⟨v, conv(x, w)⟩ and its three contractions.

Each of `Conv2D`, `Conv2DInput` and `Conv2DWeight` is linear in either argument, and the VJPs of each are the
other two: the set is closed under differentiation. How arrays are moved about is in `kernels.conv`.
"""

import operator
from functools import lru_cache, reduce
from typing import Any, cast

import numpy as np

from tinygrad_cnn.core.checks import shape_of
from tinygrad_cnn.core.conv import Conv2D, Conv2DBias, Conv2DInput, Geometry
from tinygrad_cnn.core.errors import ArgumentError
from tinygrad_cnn.core.indexing import PutItem
from tinygrad_cnn.core.types import A, Array, ArrayLike, Pads, Pair, Shape, Size2, Size3
from tinygrad_cnn.kernels.windows import output_size
from tinygrad_cnn.ops.checks import check_dims, check_each, check_ndim, check_pair, check_same_dtype, check_triple
from tinygrad_cnn.ops.shape import movedim, pad, reshape, squeeze, stack, unsqueeze

__all__ = [
    "conv1d", "conv2d", "conv3d", "conv_transpose2d", "conv_transpose3d",
]  # fmt: skip


def conv2d(
    input: A,
    weight: ArrayLike,
    bias: ArrayLike | None = None,
    stride: Size2 = 1,
    padding: Size2 | str = 0,
    dilation: Size2 = 1,
    groups: int = 1,
) -> A:
    """Two-dimensional convolution (cross-correlation), as ``torch.nn.functional.conv2d``.

    All dtypes must be equal and stay. ValueError if channels, groups or sizes do not fit.

    Parameters
    ----------
    input : (N, C, H, W) or (C, H, W)
    weight : (O, C / groups, KH, KW)
    bias : (O,), optional
    stride, dilation : int or (int, int)
    padding : int or (int, int) on both sides, or "valid" (none), or "same" (as many outputs as inputs)
    groups : int, that divides C and O

    Returns
    -------
    (N, O, OH, OW) or (O, OH, OW), with ``OH = (H + padding - dilation (KH - 1) - 1) // stride + 1``

    Examples
    --------
    >>> import numpy as np
    >>> conv2d(np.ones((1, 1, 4, 4)), np.ones((2, 1, 3, 3)), padding="same").shape
    (1, 2, 4, 4)
    """
    return _convolve("conv2d", input, weight, bias, stride, padding, dilation, groups)


def _convolve(
    op: str, x: Array, w: Array, b: Array | None, stride: Any, padding: Any, dilation: Any, groups: int
) -> Array:
    image, kernel = shape_of(x), shape_of(w)
    if len(image) == 3 and len(kernel) == 4:
        return squeeze(_convolve(op, unsqueeze(x, 0), w, b, stride, padding, dilation, groups), 0)
    check_same_dtype(op, x, w, b)
    steps, dilations = check_pair(op, "stride", stride, 1), check_pair(op, "dilation", dilation, 1)
    pads = padding if isinstance(padding, str) else check_pair(op, "padding", padding, 0)
    options = {"geometry": check_convolution(op, image, kernel, steps, pads, dilations, groups)}
    if b is None:
        return Conv2D.apply(x, w, **options)
    _check_bias(op, b, kernel[0], kernel)
    return Conv2DBias.apply(x, w, b, **options)


@lru_cache(1024, typed=True)
def check_convolution(
    op: str, image: Shape, kernel: Shape, steps: Pair, padding: Pair | str, dilations: Pair, groups: int
) -> Geometry:
    """How the windows lie, if image and kernel fit; asked once for the same shapes."""
    row = "; rows of pixels become images with .reshape(-1, C, H, W)" if len(image) < 3 else ""
    check_dims(op, "input", image, (3, 4), f"(N, C, H, W) or (C, H, W){row}")
    check_dims(op, "weight", kernel, (4,), "(O, C / groups, KH, KW)")
    pads = check_fit(op, image, kernel, steps, padding, dilations, groups)
    return Geometry(steps, cast(Pads, pads), dilations, groups)


def check_fit(
    op: str, image: Shape, kernel: Shape, steps: Any, padding: Any, dilations: Any, groups: int
) -> tuple[Pair, ...]:
    """The padding of each dim of places, if channels, groups and windows fit."""
    check_groups(op, groups, outputs=kernel[0])
    if image[1] != (wanted := kernel[1] * groups):
        fix = f"give a weight of shape ({kernel[0]}, {image[1]} / groups, …)"
        if image[0] == wanted == 1:  # three axes were taken as one image
            fix = "for a batch of images with one channel, unsqueeze(1) gives them the axis of the channels"
        elif image[-1] == wanted:
            fix = "if the channels are the last axis, movedim(-1, 1) puts them behind the batch"
        raise ArgumentError(
            f"{op}: input has {image[1]} channels but weight {kernel} expects {wanted} (groups={groups}); {fix}"
        )
    pads = check_padding(op, padding, kernel[2:], steps, dilations)
    for dim, (n, k, d, p) in enumerate(zip(image[2:], kernel[2:], dilations, pads, strict=True), start=2):
        reach = d * (k - 1) + 1
        if reach > n + sum(p):
            raise ArgumentError(
                f"{op}: the kernel reaches over {reach} elements but dim {dim} of input {image}, padded, has "
                f"{n + sum(p)}; use a smaller kernel or dilation, or more padding"
            )
    return pads


def check_groups(op: str, groups: int, **counts: int) -> None:
    """`groups` is at least 1 and divides each of the counts."""
    if isinstance(groups, bool) or not isinstance(groups, int) or groups < 1:
        raise ArgumentError(f"{op}: groups is {groups!r}; it must be an integer of at least 1")
    for name, n in counts.items():
        if n % groups:
            raise ArgumentError(f"{op}: {n} {name} cannot be divided into groups={groups}")


def _check_bias(op: str, b: Array | None, outputs: int, weight: Shape) -> None:
    if b is not None and shape_of(b) != (outputs,):
        raise ArgumentError(f"{op}: bias has shape {shape_of(b)}; weight {weight} expects ({outputs},)")


def check_padding(op: str, padding: Any, kernel: Any, stride: Any, dilation: Any) -> tuple[Pair, ...]:
    """(before, after) of each dim of places, of a number, one for each dim, "valid" or "same"."""
    if isinstance(padding, str):
        if padding == "valid":
            return ((0, 0),) * len(kernel)
        if padding != "same":
            raise ArgumentError(f"{op}: padding is {padding!r}; it must be 'same', 'valid', an integer or a pair")
        if set(stride) != {1}:
            raise ArgumentError(f"{op}: padding='same' needs stride 1, not {stride}; give the padding in numbers")
        reach = [d * (k - 1) for d, k in zip(dilation, kernel, strict=True)]
        return tuple((r // 2, r - r // 2) for r in reach)
    return tuple((n, n) for n in check_each(op, "padding", padding, len(kernel), 0))


def conv1d(
    input: A,
    weight: ArrayLike,
    bias: ArrayLike | None = None,
    stride: int | tuple[int] = 1,
    padding: int | tuple[int] | str = 0,
    dilation: int | tuple[int] = 1,
    groups: int = 1,
) -> A:
    """One-dimensional convolution: input (N, C, L) or (C, L), weight (O, C / groups, K), as `conv2d` of height 1.

    All dtypes must be equal and stay. ValueError if channels, groups or sizes do not fit.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.functional.conv1d(tg.tensor([[1.0, 2.0, 3.0, 4.0]]), tg.tensor([[[1.0, 1.0]]]))
    tensor([[3., 5., 7.]])
    """
    check_ndim("conv1d", "input", input, (2, 3), "(N, C, L) or (C, L)")
    check_ndim("conv1d", "weight", weight, (3,), "(O, C / groups, K)")
    across = padding if isinstance(padding, str) else (0, _one("padding", padding))
    steps, dilations = (1, _one("stride", stride)), (1, _one("dilation", dilation))
    y = _convolve("conv1d", unsqueeze(input, -2), unsqueeze(weight, -2), bias, steps, across, dilations, groups)
    return squeeze(y, -2)


def _one(name: str, value: Any) -> int:
    n = value[0] if isinstance(value, tuple) and len(value) == 1 else value
    if isinstance(n, bool) or not isinstance(n, (int, np.integer)):
        raise TypeError(f"conv1d: {name} must be an integer, not {value!r}")
    return int(n)


def conv_transpose2d(
    input: A,
    weight: ArrayLike,
    bias: ArrayLike | None = None,
    stride: Size2 = 1,
    padding: Size2 = 0,
    output_padding: Size2 = 0,
    groups: int = 1,
    dilation: Size2 = 1,
) -> A:
    """Transposed convolution: the adjoint of `conv2d` in its input, applied forwards.

    Shapes: input (N, C, H, W) or (C, H, W), weight (C, O / groups, KH, KW), bias (O,); the result has
    ``OH = (H - 1) stride - 2 padding + dilation (KH - 1) + output_padding + 1``.

    All dtypes must be equal and stay. ValueError if channels, groups or sizes do not fit.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.functional.conv_transpose2d(tg.ones(1, 1, 2, 2), tg.ones(1, 1, 2, 2))
    tensor([[[[1., 2., 1.],
              [2., 4., 2.],
              [1., 2., 1.]]]])
    """
    op = "conv_transpose2d"
    check_ndim(op, "input", input, (3, 4), "(N, C, H, W) or (C, H, W)")
    check_ndim(op, "weight", weight, (4,), "(C, O / groups, KH, KW)")
    if len(shape_of(input)) == 3:
        y = conv_transpose2d(unsqueeze(input, 0), weight, bias, stride, padding, output_padding, groups, dilation)
        return squeeze(y, 0)
    image, kernel = shape_of(input), shape_of(weight)
    check_same_dtype(op, input, weight, bias)
    steps, dilations = check_pair(op, "stride", stride, 1), check_pair(op, "dilation", dilation, 1)
    pads, extra = check_pair(op, "padding", padding, 0), check_pair(op, "output_padding", output_padding, 0)
    size = check_transposed(op, image, kernel, bias, steps, pads, extra, groups, dilations)
    ends, bare = pads, (0, 0)
    if extra[0] >= steps[0] or extra[1] >= steps[1]:  # more than the stride leaves open: less is cut off, zeros follow
        ends = max(0, pads[0] - extra[0]), max(0, pads[1] - extra[1])
        bare = max(0, extra[0] - pads[0]), max(0, extra[1] - pads[1])
    geometry = Geometry(steps, ((pads[0], ends[0]), (pads[1], ends[1])), dilations, groups)
    y = Conv2DInput.apply(input, weight, size=(size[0] - bare[0], size[1] - bare[1]), geometry=geometry)
    y = pad(y, (0, bare[1], 0, bare[0])) if any(bare) else y
    return y if bias is None else y + np.reshape(bias, (-1, 1, 1))


def check_transposed(
    op: str,
    image: Shape,
    kernel: Shape,
    bias: Array | None,
    steps: tuple[int, ...],
    pads: tuple[int, ...],
    extra: tuple[int, ...],
    groups: int,
    dilations: tuple[int, ...],
) -> tuple[int, ...]:
    """The size of the result, if channels, groups and sizes fit."""
    check_groups(op, groups, channels=image[1])
    if image[1] != kernel[0]:
        raise ArgumentError(f"{op}: input has {image[1]} channels but weight {kernel} expects {kernel[0]}")
    _check_bias(op, bias, kernel[1] * groups, kernel)
    if any(e >= max(s, d) for e, s, d in zip(extra, steps, dilations, strict=True)):
        raise ArgumentError(f"{op}: output_padding {extra} must be smaller than stride {steps} or dilation {dilations}")
    places = zip(image[2:], kernel[2:], steps, pads, dilations, extra, strict=True)
    size = tuple((n - 1) * s - 2 * p + d * (k - 1) + e + 1 for n, k, s, p, d, e in places)
    if min(size) < 1:
        raise ArgumentError(f"{op}: the result of input {image} and weight {kernel} would have size {size}")
    return size


def conv3d(
    input: A,
    weight: ArrayLike,
    bias: ArrayLike | None = None,
    stride: Size3 = 1,
    padding: Size3 | str = 0,
    dilation: Size3 = 1,
    groups: int = 1,
) -> A:
    """Three-dimensional convolution: input (N, C, D, H, W) or (C, D, H, W), weight (O, C / groups, KD, KH, KW).

    It is a `conv2d`: the KD planes that a window sees become channels of one plane, and the OD depths of windows
    become images.

    All dtypes must be equal and stay. ValueError if channels, groups or sizes do not fit.

    >>> import numpy as np
    >>> conv3d(np.ones((1, 1, 4, 4, 4)), np.ones((2, 1, 3, 3, 3)), padding="same").shape
    (1, 2, 4, 4, 4)
    """
    op = "conv3d"
    check_ndim(op, "input", input, (4, 5), "(N, C, D, H, W) or (C, D, H, W)")
    check_ndim(op, "weight", weight, (5,), "(O, C / groups, KD, KH, KW)")
    if len(shape_of(input)) == 4:
        return squeeze(conv3d(unsqueeze(input, 0), weight, bias, stride, padding, dilation, groups), 0)
    (n, c, d, h, w), kernel = shape_of(input), shape_of(weight)
    steps, apart = check_triple(op, "stride", stride, 1), check_triple(op, "dilation", dilation, 1)
    pads = padding if isinstance(padding, str) else check_triple(op, "padding", padding, 0)
    edges = check_fit(op, shape_of(input), kernel, steps, pads, apart, groups)
    _check_bias(op, bias, kernel[0], kernel)
    depths = output_size(d, kernel[2], steps[0], sum(edges[0]), apart[0])
    x = pad(input, (0, 0, 0, 0, *edges[0])) if any(edges[0]) else input
    seen = stack([x[:, :, at] for at in _depth_taps(depths, kernel[2], steps[0], apart[0])], 2)  # (N,C,KD,OD,H,W)
    planes = reshape(movedim(seen, 3, 1), (n * depths, c * kernel[2], h, w))
    weights = reshape(weight, (kernel[0], kernel[1] * kernel[2], *kernel[3:]))
    across = pads if isinstance(pads, str) else pads[1:]
    y = _convolve(op, planes, weights, bias, steps[1:], across, apart[1:], groups)
    return movedim(reshape(y, (n, depths, *shape_of(y)[1:])), 1, 2)


def _depth_taps(depths: int, kernel: int, stride: int, dilation: int) -> list[slice]:
    """For each tap of the kernel along the depth, the planes that lie under it, one for each of `depths` windows."""
    return [slice(k * dilation, k * dilation + (depths - 1) * stride + 1, stride) for k in range(kernel)]


def conv_transpose3d(
    input: A,
    weight: ArrayLike,
    bias: ArrayLike | None = None,
    stride: Size3 = 1,
    padding: Size3 = 0,
    output_padding: Size3 = 0,
    groups: int = 1,
    dilation: Size3 = 1,
) -> A:
    """The adjoint of `conv3d` in its input: (N, C, D, H, W) or (C, D, H, W), weight (C, O / groups, KD, KH, KW).

    It is a `conv_transpose2d` of all planes, whose outputs for the KD taps are added up at their depths.

    All dtypes must be equal and stay. ValueError if channels, groups or sizes do not fit.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.functional.conv_transpose3d(tg.ones(1, 2, 4, 4, 4), tg.ones(2, 3, 2, 2, 2), stride=2).shape
    torch.Size([1, 3, 8, 8, 8])
    """
    op = "conv_transpose3d"
    check_ndim(op, "input", input, (4, 5), "(N, C, D, H, W) or (C, D, H, W)")
    check_ndim(op, "weight", weight, (5,), "(C, O / groups, KD, KH, KW)")
    if len(shape_of(input)) == 4:
        y = conv_transpose3d(unsqueeze(input, 0), weight, bias, stride, padding, output_padding, groups, dilation)
        return squeeze(y, 0)
    image, kernel = shape_of(input), shape_of(weight)
    steps, apart = check_triple(op, "stride", stride, 1), check_triple(op, "dilation", dilation, 1)
    pads, extra = check_triple(op, "padding", padding, 0), check_triple(op, "output_padding", output_padding, 0)
    size = check_transposed(op, image, kernel, bias, steps, pads, extra, groups, apart)
    n, c, d, h, w = image
    outputs = kernel[1] * groups
    planes = reshape(movedim(input, 2, 1), (n * d, c, h, w))
    weights = reshape(weight, (c, kernel[1] * kernel[2], *kernel[3:]))
    y = conv_transpose2d(planes, weights, None, steps[1:], pads[1:], extra[1:], groups, apart[1:])
    y = movedim(reshape(y, (n, d, outputs, kernel[2], *size[1:])), 1, 3)  # (N,O,KD,D,OH,OW)
    whole = n, outputs, size[0] + 2 * pads[0], *size[1:]
    places = [(slice(None), slice(None), at) for at in _depth_taps(d, kernel[2], steps[0], apart[0])]
    parts = [PutItem.apply(y[:, :, k], index=at, shape=whole) for k, at in enumerate(places)]
    y = reduce(operator.add, parts)[:, :, pads[0] : pads[0] + size[0]]
    return y if bias is None else y + np.reshape(bias, (-1, 1, 1, 1))
