"""Images in another size or another place: interpolation, sampling at points of a grid, shuffled pixels, borders."""

import math
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinygrad_cnn import ops
from tinygrad_cnn.core.checks import dtype_of, shape_of
from tinygrad_cnn.core.errors import ArgumentError
from tinygrad_cnn.core.types import A, Array, ArrayLike, NDArray, Shape
from tinygrad_cnn.nn.functional.distance import detached
from tinygrad_cnn.ops.checks import check_ndim
from tinygrad_cnn.torch_names.errors import OptionError

__all__ = [
    "affine_grid", "channel_shuffle", "grid_sample", "interpolate", "native_channel_shuffle", "pad",
    "pixel_shuffle", "pixel_unshuffle", "upsample", "upsample_bilinear", "upsample_nearest",
]  # fmt: skip

SMOOTH = {"linear": 3, "bilinear": 4, "bicubic": 4}
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
    """Resample (N, C, L) or (N, C, H, W) to a size, or by a factor.

    Parameters
    ----------
    size : the new length, or (height, width)
    scale_factor : a number, or one per dim, in its place
    mode : "nearest", "nearest-exact", "area" (means), "linear" (3 dims), "bilinear" or "bicubic" (4 dims)
    align_corners : whether the outermost *centres* of pixels lie on each other, not the outermost edges
    recompute_scale_factor : compute with the ratio of the sizes instead of the given factor
    antialias : not here

    Each row and column is a weighted sum of the old ones: two products of matrices.
    """
    shape = shape_of(input)
    _check_mode(mode, len(shape), align_corners, antialias)
    sizes, factors = _sizes(shape[2:], size, scale_factor, recompute_scale_factor)
    if mode == "area":
        flat = len(shape) == 3
        y = ops.adaptive_avg_pool2d(ops.unsqueeze(input, -2) if flat else input, (1, *sizes) if flat else sizes)
        return ops.squeeze(y, -2) if flat else y
    for axis, (n, m, factor) in enumerate(zip(shape[2:], sizes, factors, strict=True), start=2):
        if mode.startswith("nearest"):
            input = _repeated(input, axis, n, m, factor, mode == "nearest-exact")
        elif n != m or factor not in (None, 1):
            weights = _weights(_cubic if mode == "bicubic" else _hat, n, m, factor, bool(align_corners))
            input = np.swapaxes(ops.matmul(np.swapaxes(input, axis, -1), weights.T.astype(dtype_of(input))), axis, -1)
    return input


def _check_mode(mode: str, ndim: int, align_corners: bool | None, antialias: bool) -> None:
    if mode not in MODES or ndim not in (3, 4):
        raise OptionError(f"interpolate: mode {mode!r} of {ndim} dims; expected 3 or 4 dims and a mode of {MODES}")
    if mode in SMOOTH and SMOOTH[mode] != ndim:
        raise OptionError(f"interpolate: mode {mode!r} needs an input of {SMOOTH[mode]} dims, not {ndim}")
    if align_corners is not None and mode not in SMOOTH:
        raise ArgumentError(f"interpolate: align_corners has no meaning for mode {mode!r}; leave it None")
    if antialias:
        raise OptionError("interpolate: antialias is not here; use mode='area' to make images smaller")


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
        raise TypeError(f"interpolate: size is {size!r}; it must be of integers")
    sizes = tuple(int(n) if size is not None else math.floor(m * n) for m, n in zip(old, each, strict=True))
    if min(sizes) < 1 or min(old) < 1:
        raise ArgumentError(f"interpolate: places {old} to {sizes}; sizes must be at least 1")
    return sizes, [None if size is not None or recompute else float(f) for f in each]


def _repeated(x: A, axis: int, n: int, m: int, factor: float | None, exact: bool) -> A:
    """Each new element is the old one that it lies in."""
    if m % n == 0 and factor in (None, m // n):
        if m == n:
            return x
        shape = shape_of(x)
        copies = ops.broadcast_to(ops.unsqueeze(x, axis + 1), (*shape[: axis + 1], m // n, *shape[axis + 1 :]))
        return ops.reshape(copies, (*shape[:axis], m, *shape[axis + 1 :]))
    step = n / m if factor is None else 1 / factor
    places = np.floor((np.arange(m) + (0.5 if exact else 0.0)) * step).astype(np.int64)
    return x[(slice(None),) * axis + (np.minimum(places, n - 1),)]


def _weights(bump: Callable[[NDArray], NDArray], n: int, m: int, factor: float | None, corners: bool) -> NDArray:
    """The matrix (m, n) of what each old element counts for in each new one; beyond the ends the last one counts."""
    if corners:
        at = np.arange(m) * ((n - 1) / (m - 1) if m > 1 else 0.0)
    else:
        at = (np.arange(m) + 0.5) * (n / m if factor is None else 1 / factor) - 0.5
    if bump is _hat:
        at = np.maximum(at, 0)
    weights = np.zeros((m, n))
    first = np.floor(at).astype(np.int64)
    for k in range(-1, 3):
        np.add.at(weights, (np.arange(m), np.clip(first + k, 0, n - 1)), bump(at - (first + k)))
    return weights


def _hat(d: NDArray) -> NDArray:
    """Linear interpolation: 1 at 0, falling to 0 at distance 1."""
    return np.asarray(np.maximum(0, 1 - np.abs(d)))


def _cubic(d: NDArray) -> NDArray:
    """Cubic convolution with a = -3/4 (Keys 1981)."""
    a, d = -0.75, np.abs(d)
    near, far = ((a + 2) * d - (a + 3)) * d * d + 1, ((a * d - 5 * a) * d + 8 * a) * d - 4 * a
    return np.asarray(np.where(d <= 1, near, np.where(d < 2, far, 0.0)))


def upsample(
    input: A, size: Any = None, scale_factor: Any = None, mode: str = "nearest", align_corners: bool | None = None
) -> A:
    """`interpolate` under its old name, with PyTorch's warning."""
    warnings.warn("upsample: is deprecated; use interpolate", UserWarning, stacklevel=2)
    return interpolate(input, size, scale_factor, mode, align_corners)


def upsample_nearest(input: A, size: Any = None, scale_factor: Any = None) -> A:
    """`interpolate` by the nearest pixel, under its old name, with PyTorch's warning."""
    warnings.warn("upsample_nearest: is deprecated; use interpolate", UserWarning, stacklevel=2)
    return interpolate(input, size, scale_factor, mode="nearest")


def upsample_bilinear(input: A, size: Any = None, scale_factor: Any = None) -> A:
    """`interpolate` with aligned corners, under its old name, with PyTorch's warning."""
    warnings.warn("upsample_bilinear: is deprecated; use interpolate", UserWarning, stacklevel=2)
    return interpolate(input, size, scale_factor, mode="bilinear", align_corners=True)


def pixel_shuffle(input: A, upscale_factor: int) -> A:
    """Channels become pixels: (…, C·r², H, W) to (…, C, H·r, W·r) (Shi et al. 2016)."""
    *lead, channels, h, w = _image("pixel_shuffle", input, upscale_factor)
    r = upscale_factor
    if channels % (r * r):
        raise ArgumentError(f"pixel_shuffle: {channels} channels of input {shape_of(input)} are no multiple of {r * r}")
    k = len(lead)
    blocks = ops.reshape(input, (*lead, channels // (r * r), r, r, h, w))
    order = (*range(k), k, k + 3, k + 1, k + 4, k + 2)  # (…,C,r,r,H,W) -> (…,C,H,r,W,r)
    return ops.reshape(ops.permute(blocks, order), (*lead, channels // (r * r), h * r, w * r))


def pixel_unshuffle(input: A, downscale_factor: int) -> A:
    """Pixels become channels: (…, C, H·r, W·r) to (…, C·r², H, W), `pixel_shuffle` undone."""
    *lead, channels, h, w = _image("pixel_unshuffle", input, downscale_factor)
    r = downscale_factor
    if h % r or w % r:
        raise ArgumentError(f"pixel_unshuffle: planes of input {shape_of(input)} are no multiple of {r}")
    k = len(lead)
    blocks = ops.reshape(input, (*lead, channels, h // r, r, w // r, r))
    order = (*range(k), k, k + 2, k + 4, k + 1, k + 3)  # (…,C,H,r,W,r) -> (…,C,r,r,H,W)
    return ops.reshape(ops.permute(blocks, order), (*lead, channels * r * r, h // r, w // r))


def _image(op: str, x: ArrayLike, factor: int) -> Shape:
    shape = shape_of(x)
    if len(shape) < 3:
        raise ArgumentError(f"{op}: input has shape {shape}; expected at least 3 dims, (…, C, H, W)")
    if factor < 1:
        raise ArgumentError(f"{op}: the factor is {factor}; it must be at least 1")
    return shape


def channel_shuffle(input: A, groups: int) -> A:
    """The channels of (N, C, …) dealt out, so that each part has some of every group (Zhang et al. 2017)."""
    shape = shape_of(input)
    if len(shape) < 3:
        raise ArgumentError(f"channel_shuffle: input has shape {shape}; expected at least 3 dims, (N, C, …)")
    if groups < 1 or shape[1] % groups:
        raise ArgumentError(f"channel_shuffle: {shape[1]} channels of input {shape} cannot be divided into {groups}")
    parts = ops.reshape(input, (shape[0], groups, shape[1] // groups, *shape[2:]))
    return ops.reshape(ops.transpose(parts, 1, 2), shape)


native_channel_shuffle = channel_shuffle


def pad(input: A, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> A:
    """Pad, or crop by negative widths: pairs (before, after) from the last dim backwards.

    `mode` is "constant" (with `value`, 0 if None), or, for some of the last dims but not the first, "reflect",
    "replicate" or "circular".
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


def affine_grid(theta: A, size: Sequence[int], align_corners: bool | None = None) -> A:
    """Where an affine map takes the points of an image: maps (N, 2, 3), size (N, C, H, W); grid (N, H, W, 2).

    Points run from -1 to 1 between the outermost edges of pixels, or with `align_corners` their centres.
    """
    check_ndim("affine_grid", "theta", theta, (3,), "(N, 2, 3)")
    n, _, h, w = size
    if shape_of(theta) != (n, 2, 3):
        raise ArgumentError(f"affine_grid: theta has shape {shape_of(theta)}; size {tuple(size)} expects ({n}, 2, 3)")
    down, across = (_line(m, _aligned("affine_grid", align_corners), dtype_of(theta)) for m in (h, w))
    x, y = np.meshgrid(across, down)
    points: Array = np.stack([x, y, np.ones_like(x)], axis=-1).reshape(h * w, 3)
    return ops.reshape(ops.matmul(points, ops.transpose(theta, 1, 2)), (n, h, w, 2))


def _aligned(op: str, align_corners: bool | None) -> bool:
    if align_corners is None:
        warnings.warn(f"{op}: align_corners is taken for False; say which is meant", UserWarning, stacklevel=4)
    return bool(align_corners)


def _line(n: int, corners: bool, dtype: Any) -> NDArray:
    ends = 1.0 if corners and n > 1 else (n - 1) / n if not corners else 0.0
    return np.linspace(-ends, ends, n, dtype=dtype)


def grid_sample(
    input: A,
    grid: ArrayLike,
    mode: str = "bilinear",
    padding_mode: str = "zeros",
    align_corners: bool | None = None,
) -> A:
    """Read an image (N, C, H, W) at the points (x, y) of a grid (N, OH, OW, 2), -1 to 1 (Jaderberg et al. 2015).

    Between pixels it is interpolated ("bilinear"), or the nearest is taken; outside the image is 0 ("zeros"), what
    is at its "border", or its "reflection". The gradient flows to the image and to the grid.
    """
    op = "grid_sample"
    if mode not in ("bilinear", "nearest"):
        raise OptionError(f"{op}: mode is {mode!r}; here are 'bilinear' and 'nearest'")
    if padding_mode not in ("zeros", "border", "reflection"):
        raise OptionError(f"{op}: padding_mode is {padding_mode!r}; it must be 'zeros', 'border' or 'reflection'")
    corners = _aligned(op, align_corners)
    check_ndim(op, "input", input, (4,), "(N, C, H, W)")
    check_ndim(op, "grid", grid, (4,), "(N, OH, OW, 2)")
    n, _, h, w = shape_of(input)
    if shape_of(grid)[0] != n or shape_of(grid)[3] != 2:
        raise ArgumentError(f"{op}: grid has shape {shape_of(grid)}; input {shape_of(input)} expects ({n}, OH, OW, 2)")
    x, y = (_pixel(grid[..., k], size, corners, padding_mode) for k, size in ((0, w), (1, h)))
    if mode == "nearest":
        return _read(input, *(np.rint(np.asarray(detached(v))) for v in (y, x)))
    top, left = (np.floor(np.asarray(detached(v))) for v in (y, x))
    below, right = ops.unsqueeze(y - top, 1), ops.unsqueeze(x - left, 1)
    upper = _read(input, top, left) * (1 - right) + _read(input, top, left + 1) * right
    lower = _read(input, top + 1, left) * (1 - right) + _read(input, top + 1, left + 1) * right
    return upper * (1 - below) + lower * below


def _pixel(x: A, size: int, corners: bool, padding_mode: str) -> A:
    """A coordinate from -1 to 1 as one in pixels, brought into the image if it is not to be 0 outside."""
    at = (x + 1) * ((size - 1) / 2) if corners else ((x + 1) * size - 1) / 2
    if padding_mode == "zeros":
        return at
    if padding_mode == "reflection":
        low, span = (0.0, size - 1.0) if corners else (-0.5, float(size))
        if span == 0:
            return at * 0
        away = ops.abs(at - low)
        turns = np.floor(np.asarray(detached(away)) / span)
        rest = away - turns * span
        at = ops.where(turns % 2 == 0, rest + low, span - rest + low)
    return ops.hardtanh(at, 0.0, size - 1.0) if size > 1 else at * 0


def _read(image: A, rows: NDArray, columns: NDArray) -> A:
    """The pixels (N, C, OH, OW) at whole coordinates (N, OH, OW), 0 outside the image."""
    n, c, h, w = shape_of(image)
    inside = (rows >= 0) & (rows < h) & (columns >= 0) & (columns < w)
    places = np.where(inside, rows * w + columns, 0).astype(np.int64)
    index = np.broadcast_to(places.reshape(n, 1, -1), (n, c, places[0].size))
    read = ops.gather(ops.reshape(image, (n, c, h * w)), 2, index)
    return ops.reshape(read, (n, c, *rows.shape[1:])) * inside[:, None]
