"""Images in another size: interpolation, shuffled pixels, borders."""

import math
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from tinygrad_cnn import ops
from tinygrad_cnn.core.checks import dtype_of, shape_of
from tinygrad_cnn.core.errors import ArgumentError, DTypeError
from tinygrad_cnn.core.types import A, ArrayLike, NDArray, Shape
from tinygrad_cnn.nn.functional.distance import detached
from tinygrad_cnn.ops.pool import means_of_parts
from tinygrad_cnn.ops.resample import Repeat, Resample, Taps
from tinygrad_cnn.ops.shape import Clone
from tinygrad_cnn.tensor import Tensor
from tinygrad_cnn.torch_names.errors import OptionError

__all__ = [
    "channel_shuffle", "interpolate", "native_channel_shuffle", "pad", "pixel_shuffle", "pixel_unshuffle", "upsample",
    "upsample_bilinear", "upsample_nearest",
]  # fmt: skip

SMOOTH = {"linear": 3, "bilinear": 4, "bicubic": 4, "trilinear": 5}
"""The modes that weigh neighbours, and the number of dims of their input."""
MODES = ("nearest", "nearest-exact", "area", *SMOOTH)


def interpolate(
    input: A,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> A:
    """Resample (N, C, L), (N, C, H, W) or (N, C, D, H, W) to a size, or by a factor.

    The floating dtype stays; integers are refused. ValueError if both a size and a factor are given.

    Parameters
    ----------
    size : the new length, or (height, width), or (depth, height, width)
    scale_factor : a number, or one per dim, in its place
    mode : "nearest", "nearest-exact", "area" (means), "linear" (3 dims), "bilinear" or "bicubic" (4 dims), "trilinear"
    align_corners : whether the outermost *centres* of pixels lie on each other, not the outermost edges
    recompute_scale_factor : compute with the ratio of the sizes instead of the given factor
    antialias : of "bilinear" and "bicubic", weigh all pixels that lie under a new one when an image becomes smaller

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.functional.interpolate(tg.tensor([[[1.0, 2.0]]]), scale_factor=2)
    tensor([[[1., 1., 2., 2.]]])
    """
    shape = shape_of(input)
    _check_mode(mode, len(shape), align_corners, antialias)
    sizes, factors = _sizes(shape[2:], size, scale_factor, recompute_scale_factor)
    if 0 in shape[1:]:
        raise ArgumentError(f"interpolate: input has shape {shape}; only the batch may be empty")
    if mode == "area":
        return means_of_parts(input, sizes)
    if dtype_of(input).kind != "f" and (mode not in ("nearest", "nearest-exact") or dtype_of(input) != np.uint8):
        return _of_bytes(input, sizes, factors, mode, bool(align_corners), antialias)
    for axis, (n, m, factor) in enumerate(zip(shape[2:], sizes, factors, strict=True), start=2):
        if mode.startswith("nearest"):
            input = _repeated(input, axis, n, m, factor, mode == "nearest-exact")
        elif n != m or factor not in (None, 1):
            input = Resample.apply(input, axis=axis, taps=_taps(mode, n, m, factor, bool(align_corners), antialias))
    return input


def _check_mode(mode: str, ndim: int, align_corners: bool | None, antialias: bool) -> None:
    if mode not in MODES or ndim not in (3, 4, 5):
        raise OptionError(
            f"interpolate: mode {mode!r} of {ndim} dims; expected 3 to 5 dims and a mode of {MODES}; images have shape "
            "(N, C, H, W)"
        )
    if mode in SMOOTH and SMOOTH[mode] != ndim:
        raise OptionError(f"interpolate: mode {mode!r} needs an input of {SMOOTH[mode]} dims, not {ndim}")
    if align_corners is not None and mode not in SMOOTH:
        raise ArgumentError(f"interpolate: align_corners has no meaning for mode {mode!r}; leave it None")
    if antialias and mode not in ("bilinear", "bicubic"):
        raise ArgumentError(f"interpolate: antialias is for the modes 'bilinear' and 'bicubic', not {mode!r}")


def _sizes(old: Shape, size: Any, scale: Any, recompute: bool | None) -> tuple[Shape, list[float | None]]:
    """The new sizes, and the factors to compute with: None where the ratio of the sizes is."""
    if (size is None) == (scale is None):
        raise ArgumentError(f"interpolate: size is {size}, scale_factor {scale}; give one of them")
    if size is not None and recompute:
        raise ArgumentError("interpolate: recompute_scale_factor has no meaning with a size; leave it None")
    given = size if size is not None else scale
    each = tuple(given) if isinstance(given, Sequence) else (given,) * len(old)
    if len(each) != len(old):
        raise ArgumentError(f"interpolate: {given} for {len(old)} dims of places; give a number, or one per dim")
    if size is not None and not all(isinstance(n, (int, np.integer)) for n in each):
        raise DTypeError(f"interpolate: size is {size!r}; it must be of integers")
    sizes = tuple(int(n) if size is not None else math.floor(m * n) for m, n in zip(old, each, strict=True))
    if min(sizes) < 1 or min(old) < 1:
        raise ArgumentError(f"interpolate: places {old} to {sizes}; sizes must be at least 1")
    return sizes, [None if size is not None or recompute else float(f) for f in each]


def _repeated(x: A, axis: int, n: int, m: int, factor: float | None, exact: bool) -> A:
    """Each new element is the old one that it lies in."""
    if m % n == 0 and factor in (None, m // n):
        if m == n:
            return x
        return Repeat.apply(x, axis=axis, times=m // n)
    step = n / m if factor is None else 1 / factor
    places = np.minimum(np.floor((np.arange(m) + (0.5 if exact else 0.0)) * step).astype(np.int64), n - 1)
    return Resample.apply(x, axis=axis, taps=Taps(places[:, None], np.ones((m, 1))))


def _taps(mode: str, n: int, m: int, factor: float | None, corners: bool, antialias: bool) -> Taps:
    """The old elements that each new one is a mean of; beyond the ends the last one counts."""
    if corners:
        step = (n - 1) / (m - 1) if m > 1 else 0.0
    else:
        step = n / m if factor is None else 1 / factor
    if antialias:
        return _broad_taps(mode, n, m, step)
    at = np.arange(m) * step if corners else (np.arange(m) + 0.5) * step - 0.5
    cubic = mode == "bicubic"
    near = np.arange(-1, 3) if cubic else np.arange(2)
    at = at if cubic else np.clip(at, 0, n - 1)
    places = np.floor(at).astype(np.int64)[:, None] + near
    weights = _cubic(at[:, None] - places, -0.75) if cubic else _hat(at[:, None] - places)
    return Taps(np.clip(places, 0, n - 1), weights)


def _broad_taps(mode: str, n: int, m: int, step: float) -> Taps:
    """The same where an image becomes smaller, with a bump as much broader, cut off at the ends of the image."""
    broader = max(step, 1.0)
    reach = (2 if mode == "bicubic" else 1) * broader
    centre = step * (np.arange(m) + 0.5)
    first = np.maximum((centre - reach + 0.5).astype(np.int64), 0)
    end = np.minimum((centre + reach + 0.5).astype(np.int64), n)
    places = first[:, None] + np.arange(int((end - first).max()))
    distance = (places - centre[:, None] + 0.5) / broader
    weights = _cubic(distance, -0.5) if mode == "bicubic" else _hat(distance)
    weights = np.where(places < end[:, None], weights, 0.0)
    return Taps(np.minimum(places, end[:, None] - 1), weights / weights.sum(axis=1, keepdims=True))


def _hat(d: NDArray) -> NDArray:
    """Linear interpolation: 1 at 0, falling to 0 at distance 1."""
    return np.asarray(np.maximum(0, 1 - np.abs(d)))


def _cubic(d: NDArray, a: float) -> NDArray:
    """Cubic convolution (Keys 1981)."""
    d = np.abs(d)
    near, far = ((a + 2) * d - (a + 3)) * d * d + 1, ((a * d - 5 * a) * d + 8 * a) * d - 4 * a
    return np.asarray(np.where(d <= 1, near, np.where(d < 2, far, 0.0)))


def _of_bytes(x: A, sizes: Shape, factors: Sequence[float | None], mode: str, corners: bool, antialias: bool) -> A:
    """Of uint8, as Pillow and PyTorch compute it: weights of 16 bits, and bytes between width and height."""
    if dtype_of(x) != np.uint8 or mode not in ("bilinear", "bicubic"):
        raise DTypeError(f"interpolate: mode {mode!r} of dtype {dtype_of(x)}; convert it with .float()")
    values: Any = np.asarray(detached(x))
    for axis in (3, 2):
        n, m, factor = values.shape[axis], sizes[axis - 2], factors[axis - 2]
        if n == m and factor in (None, 1):
            continue
        taps, weights = _taps(mode, n, m, factor, corners, antialias), np.zeros((m, n))
        np.add.at(weights, (np.arange(m)[:, None], taps.places), taps.weights)
        bits = next(b for b in range(22) if b == 21 or int(0.5 + weights.max() * 2 ** (b + 1)) >= 2**15)
        whole = np.trunc(weights * 2**bits + np.copysign(0.5, weights))
        total = np.moveaxis(values, axis, -1).astype(np.float64) @ whole.T  # of integers, so exact
        values = np.moveaxis(np.clip(np.floor(total / 2**bits + 0.5), 0, 255).astype(np.uint8), -1, axis)
    made: Any = x.wrap(values) if isinstance(x, Tensor) else values
    return made


def upsample(
    input: A, size: Any = None, scale_factor: Any = None, mode: str = "nearest", align_corners: bool | None = None
) -> A:
    """`interpolate` under its old name, with PyTorch's warning.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> import warnings
    >>> warnings.simplefilter("ignore", UserWarning)
    >>> tg.nn.functional.upsample(tg.tensor([[[1.0, 2.0]]]), scale_factor=2)
    tensor([[[1., 1., 2., 2.]]])
    """
    warnings.warn("upsample: is deprecated; use interpolate", UserWarning, stacklevel=2)
    return interpolate(input, size, scale_factor, mode, align_corners)


def upsample_nearest(input: A, size: Any = None, scale_factor: Any = None) -> A:
    """`interpolate` by the nearest pixel, under its old name, with PyTorch's warning.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> import warnings
    >>> warnings.simplefilter("ignore", UserWarning)
    >>> tg.nn.functional.upsample_nearest(tg.tensor([[[[1.0, 2.0]]]]), scale_factor=2)
    tensor([[[[1., 1., 2., 2.],
              [1., 1., 2., 2.]]]])
    """
    warnings.warn("upsample_nearest: is deprecated; use interpolate", UserWarning, stacklevel=2)
    return interpolate(input, size, scale_factor, mode="nearest")


def upsample_bilinear(input: A, size: Any = None, scale_factor: Any = None) -> A:
    """`interpolate` with aligned corners, under its old name, with PyTorch's warning.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> import warnings
    >>> warnings.simplefilter("ignore", UserWarning)
    >>> tg.nn.functional.upsample_bilinear(tg.tensor([[[[1.0, 2.0]]]]), size=(1, 3))
    tensor([[[[1.0000, 1.5000, 2.0000]]]])
    """
    warnings.warn("upsample_bilinear: is deprecated; use interpolate", UserWarning, stacklevel=2)
    return interpolate(input, size, scale_factor, mode="bilinear", align_corners=True)


def pixel_shuffle(input: A, upscale_factor: int) -> A:
    """Channels become pixels: (…, C·r², H, W) to (…, C, H·r, W·r) (Shi et al. 2016).

    The dtype stays. ValueError if r² does not divide the channels.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.functional.pixel_shuffle(tg.arange(4).reshape(4, 1, 1), 2)
    tensor([[[0, 1],
             [2, 3]]])
    """
    *lead, channels, h, w = _image("pixel_shuffle", input, upscale_factor)
    r = upscale_factor
    if channels % (r * r):
        raise ArgumentError(f"pixel_shuffle: {channels} channels of input {shape_of(input)} are no multiple of {r * r}")
    k = len(lead)
    blocks = ops.reshape(input, (*lead, channels // (r * r), r, r, h, w))
    order = (*range(k), k, k + 3, k + 1, k + 4, k + 2)  # (…,C,r,r,H,W) -> (…,C,H,r,W,r)
    return ops.reshape(Clone.apply(ops.permute(blocks, order), order="C"), (*lead, channels // (r * r), h * r, w * r))


def pixel_unshuffle(input: A, downscale_factor: int) -> A:
    """Pixels become channels: (…, C, H·r, W·r) to (…, C·r², H, W), `pixel_shuffle` undone.

    The dtype stays. ValueError if r does not divide height and width.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.functional.pixel_unshuffle(tg.arange(4).reshape(1, 2, 2), 2).shape
    torch.Size([4, 1, 1])
    """
    *lead, channels, h, w = _image("pixel_unshuffle", input, downscale_factor)
    r = downscale_factor
    if h % r or w % r:
        raise ArgumentError(f"pixel_unshuffle: planes of input {shape_of(input)} are no multiple of {r}")
    k = len(lead)
    blocks = ops.reshape(input, (*lead, channels, h // r, r, w // r, r))
    order = (*range(k), k, k + 2, k + 4, k + 1, k + 3)  # (…,C,H,r,W,r) -> (…,C,r,r,H,W)
    return ops.reshape(Clone.apply(ops.permute(blocks, order), order="C"), (*lead, channels * r * r, h // r, w // r))


def _image(op: str, x: ArrayLike, factor: int) -> Shape:
    shape = shape_of(x)
    if len(shape) < 3:
        raise ArgumentError(f"{op}: input has shape {shape}; expected at least 3 dims, (…, C, H, W)")
    if factor < 1:
        raise ArgumentError(f"{op}: the factor is {factor}; it must be at least 1")
    return shape


def channel_shuffle(input: A, groups: int) -> A:
    """The channels of (N, C, …) dealt out, so that each part has some of every group (Zhang et al. 2017).

    Shape and dtype stay. ValueError if the groups do not divide the channels.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.functional.channel_shuffle(tg.arange(4).reshape(1, 4, 1, 1), 2).flatten()
    tensor([0, 2, 1, 3])
    """
    shape = shape_of(input)
    if len(shape) < 3:
        raise ArgumentError(f"channel_shuffle: input has shape {shape}; expected at least 3 dims, (N, C, …)")
    if groups < 1 or shape[1] % groups:
        raise ArgumentError(f"channel_shuffle: {shape[1]} channels of input {shape} cannot be divided into {groups}")
    parts = ops.reshape(input, (shape[0], groups, shape[1] // groups, *shape[2:]))
    return ops.reshape(Clone.apply(ops.transpose(parts, 1, 2), order="C"), shape)


native_channel_shuffle = channel_shuffle


def pad(input: A, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> A:
    """Pad, or crop by negative widths: pairs (before, after) from the last dim backwards.

    `mode` is "constant" (with `value`, 0 if None), or, for some of the last dims but not the first, "reflect",
    "replicate" or "circular".

    The dtype stays. ValueError if a width is too large for the mode.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.functional.pad(tg.tensor([[1.0, 2.0, 3.0]]), (1, 1), mode="reflect")
    tensor([[2., 1., 2., 3., 2.]])
    """
    if mode == "constant":
        return ops.pad(input, pad, mode, 0.0 if value is None else value)
    shape = shape_of(input)
    if mode not in ("reflect", "replicate", "circular"):
        raise OptionError(f"pad: mode is {mode!r}; it must be 'constant', 'reflect', 'replicate' or 'circular'")
    if len(pad) % 2 or not len(pad) // 2 < len(shape) <= len(pad) // 2 + 2:
        raise OptionError(
            f"pad: {len(pad)} widths for an input of shape {shape}; mode {mode!r} pads all dims of places of (N, C, …) "
            "or (C, …)"
        )
    if value is not None:
        raise ArgumentError(f"pad: mode {mode!r} takes no value; leave it None")
    return ops.pad(input, pad, mode)
