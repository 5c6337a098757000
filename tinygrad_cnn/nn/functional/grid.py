"""Images in another place: points of a grid, moved by an affine map, and images read there (Jaderberg et al. 2015)."""

import itertools
import math
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from tinygrad_cnn import ops
from tinygrad_cnn.core.checks import dtype_of, shape_of
from tinygrad_cnn.core.errors import ArgumentError, DTypeError
from tinygrad_cnn.core.types import A, Array, ArrayLike, NDArray
from tinygrad_cnn.nn.functional.distance import detached
from tinygrad_cnn.ops.checks import check_ndim
from tinygrad_cnn.torch_names.errors import OptionError

__all__ = ["affine_grid", "grid_sample"]


def affine_grid(theta: A, size: Sequence[int], align_corners: bool | None = None) -> A:
    """Where an affine map takes the points of an image: maps (N, 2, 3), size (N, C, H, W); grid (N, H, W, 2).

    Of a volume: maps (N, 3, 4), size (N, C, D, H, W); grid (N, D, H, W, 3). Points run from -1 to 1 between the
    outermost edges of pixels, or with `align_corners` their centres.

    The grid has the dtype of the maps.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.functional.affine_grid(tg.tensor([[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]]), (1, 1, 1, 2), align_corners=False)
    tensor([[[[-0.5000,  0.0000],
              [ 0.5000,  0.0000]]]])
    """
    op = "affine_grid"
    if len(size) not in (4, 5) or min(size) < 1:
        raise ArgumentError(f"{op}: size is {tuple(size)}; expected (N, C, H, W) or (N, C, D, H, W), each at least 1")
    if dtype_of(theta).kind != "f":
        raise DTypeError(f"{op}: theta has dtype {dtype_of(theta)}; expected a floating dtype")
    n, _, *places = size
    dims = len(places)
    if shape_of(theta) != (n, dims, dims + 1):
        raise ArgumentError(
            f"{op}: theta has shape {shape_of(theta)}; size {tuple(size)} expects {(n, dims, dims + 1)}"
        )
    corners = _aligned(op, align_corners)
    lines = np.meshgrid(*(_line(m, corners, dtype_of(theta)) for m in places), indexing="ij")
    points: Array = np.stack([*reversed(lines), np.ones_like(lines[0])], axis=-1).reshape(-1, dims + 1)
    return ops.reshape(ops.matmul(points, ops.transpose(theta, 1, 2)), (n, *places, dims))


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
    """Read an image (N, C, H, W) at the points (x, y) of a grid (N, OH, OW, 2), -1 to 1.

    Or a volume (N, C, D, H, W) at the points (x, y, z) of a grid (N, OD, OH, OW, 3). Between pixels it is interpolated
    ("bilinear", of images "bicubic"), or the nearest is taken; outside the image is 0 ("zeros"), what is at its
    "border", or its "reflection". The gradient flows to the image and to the grid.

    The result is (N, C, OH, OW). Both must have the same floating dtype. ValueError if the shapes do not fit.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.functional.grid_sample(tg.tensor([[[[1.0, 3.0]]]]), tg.zeros(1, 1, 1, 2), align_corners=False)
    tensor([[[[2.]]]])
    """
    op = "grid_sample"
    if mode not in ("bilinear", "nearest", "bicubic"):
        raise OptionError(f"{op}: mode is {mode!r}; it must be 'bilinear', 'nearest' or 'bicubic'")
    if padding_mode not in ("zeros", "border", "reflection"):
        raise OptionError(f"{op}: padding_mode is {padding_mode!r}; it must be 'zeros', 'border' or 'reflection'")
    corners = _aligned(op, align_corners)
    check_ndim(op, "input", input, (4, 5), "(N, C, H, W) or (N, C, D, H, W)")
    (n, _, *size), points = shape_of(input), shape_of(grid)
    dims = len(size)
    if mode == "bicubic" and dims == 3:
        raise OptionError(f"{op}: mode 'bicubic' is for images, not for volumes; use 'bilinear'")
    if len(points) != dims + 2 or points[0] != n or points[-1] != dims:
        places = "OH, OW" if dims == 2 else "OD, OH, OW"
        raise ArgumentError(f"{op}: grid has shape {points}; input {shape_of(input)} expects ({n}, {places}, {dims})")
    if min(size) < 1:
        raise ArgumentError(f"{op}: input has shape {shape_of(input)}; every dim of places must have at least one")
    if dtype_of(grid) != dtype_of(input):
        raise DTypeError(f"{op}: input has dtype {dtype_of(input)}, grid {dtype_of(grid)}; convert one of them")
    at = [_pixel(grid[..., dims - 1 - a], m, corners) for a, m in enumerate(size)]  # x is the last dim
    if mode == "bicubic":
        return _cubic(input, at, corners, padding_mode)
    at = [_inside(p, m, corners, padding_mode) for p, m in zip(at, size, strict=True)]
    if mode == "nearest":
        return _read(input, [np.rint(np.asarray(detached(p))) for p in at])
    first = [np.floor(np.asarray(detached(p))) for p in at]
    after = [ops.unsqueeze(p - k, 1) for p, k in zip(at, first, strict=True)]
    total: Any = 0
    for corner in itertools.product((0, 1), repeat=dims):
        share = math.prod(t if far else 1 - t for t, far in zip(after, corner, strict=True))
        total = total + _read(input, [k + far for k, far in zip(first, corner, strict=True)]) * share
    return total


def _pixel(x: A, size: int, corners: bool) -> A:
    """A coordinate from -1 to 1 as one in pixels."""
    return (x + 1) * ((size - 1) / 2) if corners else ((x + 1) * size - 1) / 2


def _inside(at: A, size: int, corners: bool, padding_mode: str) -> A:
    """A coordinate in pixels brought into the image, if it is not to be 0 outside."""
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


def _cubic(image: Any, at: Sequence[Any], corners: bool, padding_mode: str) -> Any:
    """Of 4 x 4 pixels, each brought into the image, the sum with weights of cubic convolution (Keys 1981)."""
    first = [np.floor(np.asarray(detached(p))) for p in at]
    shares = [_cubic_shares(ops.unsqueeze(p - k, 1)) for p, k in zip(at, first, strict=True)]
    sizes = shape_of(image)[2:]
    total: Any = 0
    for k, row in enumerate(shares[0]):
        for j, column in enumerate(shares[1]):
            moved = [place + step - 1 for place, step in zip(first, (k, j), strict=True)]
            places = [_inside(p, m, corners, padding_mode) for p, m in zip(moved, sizes, strict=True)]
            total = total + _read(image, [np.trunc(p) for p in places]) * (row * column)
    return total


def _cubic_shares(t: Any) -> list[Any]:
    """What the pixels at -1, 0, 1 and 2 count for at a distance t behind 0, with a = -3/4."""
    a = -0.75
    far = [((a * d - 5 * a) * d + 8 * a) * d - 4 * a for d in (t + 1, 2 - t)]
    near = [((a + 2) * d - (a + 3)) * d * d + 1 for d in (t, 1 - t)]
    return [far[0], near[0], near[1], far[1]]


def _read(image: Any, at: Sequence[NDArray]) -> Any:
    """The pixels (N, C, …) at whole coordinates, an array (N, …) for each dim of places; 0 outside the image."""
    n, c, *size = shape_of(image)
    inside: Any = True
    flat: Any = 0
    for places, m in zip(at, size, strict=True):
        within = (places >= 0) & (places < m)  # of NaN, nowhere
        inside = inside & within
        flat = flat * m + np.where(within, places, 0).astype(np.int64)
    points = flat.shape[1:]
    index = np.broadcast_to(flat.reshape(n, 1, -1), (n, c, math.prod(points)))
    read = ops.gather(ops.reshape(image, (n, c, math.prod(size))), 2, index)
    return ops.where(inside[:, None], ops.reshape(read, (n, c, *points)), 0.0)
