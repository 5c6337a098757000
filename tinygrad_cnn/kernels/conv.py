"""Convolution and its two gradients: the three contractions of one trilinear form.

Shapes are x (N,C,H,W), w (O,C/G,KH,KW) and g (N,O,P,Q); memory is (H,W,N,C), see `passes`. Windows are lowered to
matrices for a few rows and images at a time, so that they stay in cache; never for the whole batch. Which lowering
is the cheapest depends on the depth C·KH·KW of a window:

* shallow (a first layer): **taps as rows** (K, pixels), im2col transposed (Chellapilla, Puri, Simard 2006); each
  row is a shifted copy of whole image rows, and the bias is one more row, of ones.
* deep: **memory-efficient convolution**, MEC (Cho, Brand 2017): only the KH rows of a window are brought together.
  Windows side by side then overlap in memory, and each column of them is a matrix for BLAS as it is;
* one pixel: the image as it lies.

Windows of one channel a group are no matrix at all, see `depthwise`. The gradient in x of a convolution with a stride
is, phase by phase, a convolution without one, see `windows.reaching`.
"""

import itertools
import math
import operator
from collections.abc import Iterator, Sequence

import numpy as np

from tinygrad_cnn.core.types import NDArray, Pads, Pair, Shape
from tinygrad_cnn.kernels import depthwise, passes
from tinygrad_cnn.kernels.passes import from_pixels, matmul, pixels, planes_of_channels, row_blocks, share, split
from tinygrad_cnn.kernels.threads import thread_count
from tinygrad_cnn.kernels.windows import Phase, output_size, reaching, taps

SHALLOW = 32
"""Windows of at most this many elements are lowered with their taps as rows."""
NARROW = 8
"""Below this number of channels of x its gradient is scattered by taps: BLAS is slow at products so narrow."""
IMAGES_AS_ROWS = 8
"""From this number of images on they are the rows of MEC's matrices; below, the rows are rows of the plane."""
UNPACKED = 10**6
"""Multiplications up to which OpenBLAS multiplies matrices as they lie, where it has AVX-512."""
FEW_WINDOWS = 128
"""Up to so many windows the weight's gradient is one product with all of them lowered."""
MOSTLY_BORDER = 1.5
"""From this ratio of input to output on, a convolution of the bordered output would mostly multiply zeros."""

Block = tuple[slice, slice]
"""Rows of the plane, and images."""


def conv2d(
    x: NDArray,
    w: NDArray,
    b: NDArray | None = None,
    *,
    stride: Pair,
    padding: Pads,
    dilation: Pair,
    groups: int,
) -> NDArray:
    """y[n,o,p,q] = b[o] + Σ_cij w[o,c,i,j] x[n,c, p·stride + i·dilation - pad, …], per group of channels."""
    n, c, h, width = x.shape
    o, depth, *kernel = w.shape
    oh = output_size(h, kernel[0], stride[0], sum(padding[0]), dilation[0])
    ow = output_size(width, kernel[1], stride[1], sum(padding[1]), dilation[1])
    if kernel == [1, 1] and groups == 1:
        rows = matmul(pixels_seen(x, stride, padding), w.reshape(o, c).T)
        return from_pixels((rows if b is None else np.add(rows, b, out=rows)).reshape(oh, ow, n, o))
    y = np.empty((oh, ow, n, o), np.result_type(x, w))
    bias = np.zeros(o, y.dtype) if b is None else b
    if depth == 1 < groups:
        depthwise.correlate(pixels(x, padding), w, bias, y, stride, dilation)
        return from_pixels(y)
    shallow = depth * kernel[0] * kernel[1] <= SHALLOW or dilation[1] > 1
    source = planes_of_channels(x, padding) if shallow else pixels(x, padding)
    for ins, outs in zip(channel_groups(c, groups), channel_groups(o, groups), strict=True):
        if shallow:
            correlate_by_taps(source[ins], w[outs], bias[outs], y[..., outs], stride, dilation)
        else:
            correlate_by_rows(
                np.ascontiguousarray(source[..., ins]), w[outs], bias[outs], y[..., outs], stride, dilation
            )
    return from_pixels(y)


def conv2d_input(
    g: NDArray, w: NDArray, *, input_size: Pair, stride: Pair, padding: Pads, dilation: Pair, groups: int
) -> NDArray:
    """The gradient in x: each g[n,o,p,q] times w[o] added to the window it came from.

    With stride 1 and enough channels that is a convolution of g, bordered, with the kernel turned round, and with a
    stride one for each phase of x; else, and where g is small, the taps are scattered.
    """
    depth, by_planes = w.shape[1], w.shape[1] == 1 < groups
    as_convolution = turned(w, stride, padding, dilation, groups)
    narrow = not by_planes and (depth < NARROW or mostly_border(input_size, g.shape[2:], stride))
    if not narrow and as_convolution is not None:
        weight, back = as_convolution
        return conv2d(g, weight, stride=(1, 1), padding=back, dilation=dilation, groups=groups)
    if not narrow and not by_planes:
        return input_by_phases(g, w, input_size, stride, padding, dilation, groups)
    h, width = (n + sum(p) for n, p in zip(input_size, padding, strict=True))
    canvas = np.zeros((h, width, g.shape[0], groups * depth), np.result_type(g, w))
    source = pixels(g)
    if by_planes:
        depthwise.scatter(source, w, canvas, stride, dilation)
    else:
        for ins, outs in zip(channel_groups(groups * depth, groups), channel_groups(len(w), groups), strict=True):
            scatter_taps(source[..., outs], w[outs], canvas[..., ins], stride, dilation)
    (top, bottom), (left, right) = padding
    return from_pixels(canvas[top : h - bottom, left : width - right])


def mostly_border(size: Shape, windows: Shape, stride: Pair) -> bool:
    """Whether g of so many windows would need a border, to be convolved, that is most of the work."""
    return math.prod(size) >= MOSTLY_BORDER * math.prod(stride) * math.prod(windows)


def input_by_phases(
    g: NDArray, w: NDArray, size: Pair, stride: Pair, padding: Pads, dilation: Pair, groups: int
) -> NDArray:
    """The gradient in x, each phase of it a convolution of g with the taps that reach it."""
    o, depth, *kernel = w.shape
    weight = w.reshape(groups, o // groups, depth, *kernel).swapaxes(1, 2)
    weight = weight.reshape(groups * depth, o // groups, *kernel)
    dx = np.zeros((*size, g.shape[0], groups * depth), np.result_type(g, w))
    axes = [reaching(k, s, p[0], d) for k, s, p, d in zip(kernel, stride, padding, dilation, strict=True)]
    for down, across in itertools.product(*axes):
        part = dx[down.first :: stride[0], across.first :: stride[1]]
        if not (down.taps and across.taps and part.size):
            continue
        rows, columns = (seen_by(*each) for each in zip((down, across), part.shape, g.shape[2:], strict=False))
        if rows[0].start >= rows[0].stop or columns[0].start >= columns[0].stop:
            continue
        taps = weight[:, :, np.array(down.taps[::-1])[:, None], np.array(across.taps[::-1])]
        apart = dilation[0] // math.gcd(dilation[0], stride[0]), dilation[1] // math.gcd(dilation[1], stride[1])
        y = conv2d(
            g[:, :, rows[0], columns[0]],
            taps,
            stride=(1, 1),
            padding=(rows[1], columns[1]),
            dilation=apart,
            groups=groups,
        )
        part[...] = pixels(y)
    return from_pixels(dx)


def seen_by(phase: Phase, count: int, size: int) -> tuple[slice, Pair]:
    """What so many pixels of a phase see of an axis of g, and the border around it."""
    first, last = min(phase.offsets), count - 1 + max(phase.offsets)
    return slice(max(0, first), min(size, last + 1)), (max(0, -first), max(0, last + 1 - size))


def turned(w: NDArray, stride: Pair, padding: Pads, dilation: Pair, groups: int) -> tuple[NDArray, Pads] | None:
    """The kernel turned round, and the border of the convolution of g with it that is the gradient in x.

    None where there is no such convolution: with a stride, or more padding than the kernel reaches.
    """
    o, depth, *kernel = w.shape
    reach = [d * (k - 1) for d, k in zip(dilation, kernel, strict=True)]
    if stride != (1, 1) or any(max(p) > r for p, r in zip(padding, reach, strict=True)):
        return None
    weight = w.reshape(groups, o // groups, depth, *kernel)[..., ::-1, ::-1].swapaxes(1, 2)
    back = [(r - p[0], r - p[1]) for p, r in zip(padding, reach, strict=True)]
    return weight.reshape(groups * depth, o // groups, *kernel), (back[0], back[1])


def conv2d_weight(
    x: NDArray, g: NDArray, *, kernel_size: Pair, stride: Pair, padding: Pads, dilation: Pair, groups: int
) -> NDArray:
    """The gradient in w: Σ over images and places of g[n,o,p,q] times the window of x that y[n,·,p,q] saw."""
    c, o = x.shape[1], g.shape[1]
    depth = c // groups
    if depth == 1 < groups:
        return depthwise.contract(pixels(x, padding), pixels(g), kernel_size, stride, dilation)
    if kernel_size == (1, 1) and groups == 1:
        return matmul(pixels(g).reshape(-1, o).T, pixels_seen(x, stride, padding)).reshape(o, c, 1, 1)
    if groups == 1 and g.size // o <= FEW_WINDOWS:
        return contract_lowered(x, g, kernel_size, stride, padding, dilation)
    d = np.empty((o, depth, *kernel_size), np.result_type(x, g))
    by_taps = depth * kernel_size[0] * kernel_size[1] <= SHALLOW or stride[1] > 1
    source, cotangent = planes_of_channels(x, padding) if by_taps else pixels(x, padding), pixels(g)
    for ins, outs in zip(channel_groups(c, groups), channel_groups(o, groups), strict=True):
        g_group = np.ascontiguousarray(cotangent[..., outs])
        if by_taps:
            d[outs] = contract_by_taps(source[ins], g_group, kernel_size, stride, dilation)
        else:
            d[outs] = contract_by_rows(np.ascontiguousarray(source[..., ins]), g_group, kernel_size, stride, dilation)
    return d


def pixels_seen(x: NDArray, stride: Pair, padding: Pads) -> NDArray:
    """What windows of one pixel see, a row (C) each."""
    seen = pixels(x, padding)[:: stride[0], :: stride[1]]
    return np.ascontiguousarray(seen).reshape(-1, x.shape[1])


def correlate_by_taps(x: NDArray, w: NDArray, b: NDArray, y: NDArray, stride: Pair, dilation: Pair) -> None:
    """y (P,Q,N,O) = the taps of x (C,H,W,N), a row each, transposed, times w (O,C,KH,KW) with b below it."""
    oh, ow, n, o = y.shape
    matrix = np.concatenate([w.reshape(o, -1).T, b[None]]).astype(y.dtype, copy=False)  # (K + 1, O)

    def work(blocks: Sequence[slice]) -> None:
        for block, lowered in tap_blocks(x, blocks, (w.shape[2], w.shape[3]), stride, dilation, ow):
            out = y[block]
            if out.flags.c_contiguous:
                np.matmul(lowered.T, matrix, out=out.reshape(-1, o))
            else:  # the channels of one group among others
                out[...] = np.matmul(lowered.T, matrix).reshape(out.shape)

    share(row_blocks(oh, len(matrix) * ow * n), work, cost=y.nbytes + y.size * len(matrix) / 4)


def contract_by_taps(x: NDArray, g: NDArray, kernel: Pair, stride: Pair, dilation: Pair) -> NDArray:
    """The taps of x (C,H,W,N), a row each, times g (P,Q,N,O), as (O,C,KH,KW).

    Products so flat are slower in two threads than in one (0.98 against 0.66 ms), so that all stays in the caller's.
    """
    oh, ow, n, o = g.shape
    depth = len(x) * kernel[0] * kernel[1]
    d = np.zeros((depth, o), np.result_type(x, g))
    for block, lowered in tap_blocks(x, row_blocks(oh, depth * ow * n), kernel, stride, dilation, ow):
        d += np.matmul(lowered[:-1], g[block].reshape(-1, o))
    return d.T.reshape(o, len(x), *kernel)


def contract_lowered(x: NDArray, g: NDArray, kernel: Pair, stride: Pair, padding: Pads, dilation: Pair) -> NDArray:
    """The gradient in w of few windows: all of them lowered, and one product, whose cost is that of w."""
    n, o, *out = g.shape
    source = planes_of_channels(x, padding)
    taps = (len(source), *kernel)
    seen = view(source, (*taps, *out, n), (0, 1, 2, 1, 2, 3), (1, *dilation, *stride, 1), (0, 0))
    lowered = np.ascontiguousarray(seen).reshape(math.prod(taps), -1)
    return matmul(planes_of_channels(g).reshape(o, -1), lowered.T).reshape(o, *taps)


def tap_blocks(
    x: NDArray, blocks: Sequence[slice], kernel: Pair, stride: Pair, dilation: Pair, width: int
) -> Iterator[tuple[slice, NDArray]]:
    """For each block of rows the taps (K + 1, pixels) of x (C,H,W,N), the last row all ones.

    The memory is reused: a block is only valid until the next one is asked for.
    """
    c, n = len(x), x.shape[3]
    depth = c * kernel[0] * kernel[1]
    flat = np.empty(0, x.dtype)
    for block in blocks:
        rows = block.stop - block.start
        size = rows * width * n
        if flat.size != (depth + 1) * size:
            flat = np.empty((depth + 1) * size, x.dtype)
            flat[depth * size :] = 1
        np.copyto(
            flat[: depth * size].reshape(c, *kernel, rows, width, n),
            view(
                x,
                (c, *kernel, rows, width, n),
                (0, 1, 2, 1, 2, 3),
                (1, *dilation, *stride, 1),
                (0, block.start * stride[0]),
            ),
        )
        yield block, flat.reshape(depth + 1, size)


def correlate_by_rows(x: NDArray, w: NDArray, b: NDArray, y: NDArray, stride: Pair, dilation: Pair) -> None:
    """y (P,Q,N,O) of x (H,W,N,C) by MEC: for each column of y one product (images or rows, KW·KH·C) · (…, O)."""
    oh, ow, n, o = y.shape
    c, kh = x.shape[3], w.shape[2]
    matrix = w.transpose(3, 2, 1, 0).reshape(-1, o).astype(y.dtype, copy=False)  # (KW·KH·C, O)
    row = x.shape[1] * kh * c
    by_image, biased = n >= IMAGES_AS_ROWS, b.any()

    def work(blocks: Sequence[Block]) -> None:
        for rows, some, lowered in lowered_blocks(x, blocks, kh, stride[0], dilation[0], (2, 1)):
            p, m = lowered.shape[:2]
            out = y[rows, :, some]
            if by_image:
                windows = view(lowered, (p, ow, m, len(matrix)), (0, 2, 1, 4), (1, stride[1], 1, 1))
                np.matmul(windows, matrix, out=out)
            else:
                windows = view(lowered, (m, ow, p, len(matrix)), (1, 2, 0, 4), (1, stride[1], 1, 1))
                np.matmul(windows, matrix, out=out.transpose(2, 1, 0, 3))
            if biased:
                out += b

    some = min(n, max(16, min(64, UNPACKED // matrix.size))) if by_image else n
    share(row_and_image_blocks(oh, n, row, some), work, cost=y.nbytes + y.size * len(matrix) / 4)


def contract_by_rows(x: NDArray, g: NDArray, kernel: Pair, stride: Pair, dilation: Pair) -> NDArray:
    """The gradient (O,C,KH,KW) of x (H,W,N,C) and g (P,Q,N,O), horizontal stride 1: one product per row and tap.

    With the KH rows of a window brought together, the pixels under one horizontal tap, of a row of all images,
    are one matrix (Q·N, KH·C), and so are those of g.
    """
    oh, ow, n, o = g.shape
    w, c, (kh, kw) = x.shape[1], x.shape[3], kernel

    def work(blocks: Sequence[Block]) -> NDArray:
        d = np.zeros((kw, kh * c, o), np.result_type(x, g))
        for rows, some, lowered in lowered_blocks(x, blocks, kh, stride[0], dilation[0], (1, 2)):
            p, m = len(lowered), lowered.shape[2]
            under = view(lowered, (kw, p, kh * c, ow * m), (1, 0, 4, 2), (dilation[1], 1, 1, 1))
            g_block = np.ascontiguousarray(g[rows, :, some]).reshape(p, ow * m, o)
            d += np.add.reduce(np.matmul(under, g_block), axis=1)
        return d

    blocks = row_and_image_blocks(oh, n, w * kh * c, n)
    sums = share(blocks, work, cost=g.nbytes + g.size * kh * kw * c / 4)
    return sum(sums[1:], sums[0]).reshape(kw, kh, c, o).transpose(3, 2, 1, 0)


def lowered_blocks(
    x: NDArray, blocks: Sequence[Block], kh: int, stride: int, dilation: int, middle: Pair
) -> Iterator[tuple[slice, slice, NDArray]]:
    """For each block its rows, its images, and x (H,W,N,C) with the KH rows of a window brought together.

    That is (rows, ·, ·, KH, C), where `middle` names the axes of x between: (2, 1) images and columns, or (1, 2).
    The memory is reused: a block is only valid until the next one is asked for.
    """
    flat = np.empty(0, x.dtype)
    for rows, some in blocks:
        sizes = {1: x.shape[1], 2: some.stop - some.start}
        shape = (rows.stop - rows.start, sizes[middle[0]], sizes[middle[1]], kh, x.shape[3])
        if flat.size != math.prod(shape):
            flat = np.empty(math.prod(shape), x.dtype)
        lowered = flat.reshape(shape)
        start = (rows.start * stride, 0, some.start)
        np.copyto(lowered, view(x, shape, (0, *middle, 0, 3), (stride, 1, 1, dilation, 1), start))
        yield rows, some, lowered


def scatter_taps(g: NDArray, w: NDArray, canvas: NDArray, stride: Pair, dilation: Pair) -> None:
    """Add to the canvas (H,W,N,C), for each tap, g (P,Q,N,O) times w[:, :, i, j] (O,C) at its places.

    The adjoint of kn2row (Vasudevan, Anderson, Gregg 2017): one small product a tap, and runs of whole rows to add.
    """
    oh, ow, n, o = g.shape
    c, kh, kw = w.shape[1:]
    matrices = np.ascontiguousarray(w.transpose(2, 3, 0, 1)).reshape(-1, o, c)  # one (O,C) a tap

    def work(slices: Sequence[slice]) -> None:
        for some in slices:
            for rows in row_blocks(oh, ow * (some.stop - some.start) * max(o, c)):
                g_block = np.ascontiguousarray(g[rows, :, some])
                under = taps((len(g_block), ow), (kh, kw), stride, dilation, rows.start)
                for (down, across), matrix in zip(under, matrices, strict=True):
                    product = np.matmul(g_block.reshape(-1, o), matrix)
                    canvas[down, across, some] += product.reshape(*g_block.shape[:3], c)

    share(split(n, -(-n // thread_count())), work, cost=canvas.nbytes + g.size * kh * kw * c / 4)


def channel_groups(n: int, groups: int) -> list[slice]:
    """The channels of each group."""
    size = max(1, n // groups)
    return [slice(k, k + size) for k in range(0, n, size)]


def row_and_image_blocks(rows: int, n: int, elements: int, some: int) -> list[Block]:
    """Blocks of at most `some` images whose windows, `elements` a row of one image, fit the cache together."""
    some = max(1, min(some, passes.BLOCK_ELEMENTS // max(1, elements)))
    return [(r, m) for r in row_blocks(rows, some * elements) for m in split(n, some)]


def view(x: NDArray, shape: Shape, axes: tuple[int, ...], steps: tuple[int, ...], start: Shape = ()) -> NDArray:
    """Part of a contiguous x, from `start` on: axis k of it moves along axis ``axes[k]`` of x by ``steps[k]``."""
    offset = sum(map(operator.mul, x.strides, start))
    strides = [x.strides[a] * step for a, step in zip(axes, steps, strict=True)]
    return np.ndarray(shape, x.dtype, x, offset, strides)  # as_strided, at a twentieth of its overhead
