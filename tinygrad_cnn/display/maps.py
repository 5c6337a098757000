"""Arrays as pictures, in SVG: heat maps of signed numbers, and images.

A heat map diverges from blue over the colour of the page to orange, alike about 0, so that zeros recede. The colours of
the light and of the dark page are both in it, and the page's style shows one. Every cell says its number when pointed
at, as long as there are not too many.
"""

from __future__ import annotations

import base64
import math
import struct
import zlib
from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np

from tinygrad_cnn.core.types import NDArray
from tinygrad_cnn.display.numbers import exact, number

__all__ = ["heat_map", "largest", "legend", "looks_like_image", "picture", "png", "pooled", "span_of"]

LIGHT = "#1f4b99", "#86aedd", "#faf9f6", "#efb277", "#a04a00"
DARK = "#8fbaff", "#3a64a8", "#14161a", "#96591a", "#ffbc6e"
"""From the most negative over 0, which is the page, to the most positive."""

NO_NUMBER = "#9a9a9a"
"""Where there is NaN."""

MOST = 64
"""So many rows and columns of a heat map are drawn; larger arrays are pooled."""

TITLED = 1024
"""Up to so many cells say their numbers when pointed at."""

NUMBERED = 16, 10
"""Up to so many rows and columns the numbers stand in the cells."""

STEPS = 127
"""Colours on each side of 0."""


# ---- heat maps -----------------------------------------------------------------------------------------------------


def heat_map(
    array: Any,
    *,
    label: str = "",
    limit: float | None = None,
    width: int = 320,
    numbers: bool | None = None,
    index: Sequence[int] = (),
    ticks: bool = True,
    titles: bool = True,
) -> str:
    """A matrix (or vector, or number) as an SVG element; larger ones than 64×64 are pooled by magnitude.

    A vector of more than 10 elements goes on from row to row, as text does; the rows begin with their first index.

    Parameters
    ----------
    label : what it shows, for those who do not see it; its range and shape are added
    limit : the number of the strongest colour; by default the largest magnitude. `legend` shows it
    width : of the drawing, in pixels, if the numbers do not need more
    numbers : whether numbers stand in the cells; by default if there are few
    index : the place of this matrix in a larger array, for the titles: ``(0, 3)`` makes them ``[0, 3, row, column]``
    ticks : whether the first and last numbers of rows and columns stand at the edges
    titles : whether each cell says its number when pointed at, if there are up to 1,024
    """
    whole = np.asarray(array)
    matrix = whole.reshape(1, -1) if whole.ndim < 2 else whole
    values, (down, right) = pooled(matrix) if whole.ndim > 1 else pooled(matrix, MOST * MOST)
    count, folded = values.size, whole.ndim < 2 and values.size > NUMBERED[1]
    if folded:
        across = next(n for n, most in ((10, 160), (32, 1024), (MOST, MOST * MOST)) if count <= most)
        values = np.concatenate([values[0], np.zeros(-count % across, values.dtype)]).reshape(-1, across)
    rows, columns = values.shape
    limit = largest(matrix) if limit is None else limit
    numbered = (rows <= NUMBERED[0] and columns <= NUMBERED[1]) if numbers is None else numbers
    texts = [[number(v) for v in row] for row in values] if numbered else []
    longest = max((len(t) for row in texts for t in row), default=0)
    wide = max(34.0, 8.2 * longest + 12) if numbered else max(2.0, min(24.0, width / max(columns, 1)))
    tall = 30.0 if numbered else wide
    edge, top = (18.0, 15.0) if ticks and matrix.size > 1 else (0.0, 0.0)
    edge = max(edge, 8.0 * len(str(len(matrix) - 1)) + 6) if edge and len(matrix) > 1 else 2.0 * bool(edge)
    if folded:
        edge, top = 8.0 * len(str(whole.size)) + 6, 1.0
    breadth, high = edge + columns * wide + 1, top + rows * tall + 1
    parts = [_colours(values, limit, edge, top, columns * wide, rows * tall)]
    if folded:
        starts = {r: r * columns * right for r in range(rows) if numbered or r in (0, rows - 1)}
        parts += [_tick(edge, top + (r + 0.5) * tall + 4, n) for r, n in starts.items()]
    elif edge:
        parts += _ticks(matrix.shape, (rows, columns), edge, top, wide, tall, every=numbered)
    if titles and count <= TITLED and down == right == 1:
        places = [(k,) for k in range(count)] if whole.ndim == 1 else list(np.ndindex(*whole.shape))
        said = [f"{_at((*index, *place))}{exact(value)}" for place, value in zip(places, values.ravel(), strict=False)]
        parts.append(_cells(said, columns, edge, top, wide, tall))
    parts += [
        f'<text class="tg-n{_weight(v, limit)}" x="{edge + (c + 0.5) * wide:.1f}" y="{top + r * tall + 20:.1f}">'
        f"{text}</text>"
        for r, line in enumerate(texts)
        for c, (text, v) in enumerate(zip(line, values[r], strict=True))
        if r * columns + c < count
    ]
    wider = " tg-wide" if numbered else ""
    told = f"{label or 'heat map'}: {_described(whole)}"
    return (
        f'<svg class="tg-map{wider}" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {breadth:.1f} {high:.1f}" '
        f'width="{breadth:.0f}" height="{high:.0f}" role="img" aria-label="{escape(told)}">{"".join(parts)}</svg>'
    )


def legend(limit: float) -> str:
    """The scale of a heat map: one bar, from the strongest blue to the strongest orange, and ±limit."""
    if not limit:
        return '<span class="tg-legend">all 0</span>'
    return f'<span class="tg-legend"><i></i> ±{number(limit)}, 0 is the colour of the page</span>'


def largest(array: Any) -> float:
    """The largest finite magnitude; 0 if there is none."""
    a = np.asarray(array)
    if not a.size:
        return 0.0
    found = max(abs(float(a.min())), abs(float(a.max())))
    if math.isfinite(found):
        return found
    finite = a[np.isfinite(a)]
    return max(abs(float(finite.min(initial=0))), abs(float(finite.max(initial=0))))


def pooled(matrix: NDArray, most: int = MOST) -> tuple[NDArray, tuple[int, int]]:
    """At most so many rows and columns: of each block its number of largest magnitude; and the size of a block."""
    a: NDArray = np.asarray(matrix)
    blocks = []
    for axis in (0, 1):
        block = -(-a.shape[axis] // most) or 1
        blocks.append(block)
        if block > 1:
            starts = np.arange(0, a.shape[axis], block)
            floats = a if a.dtype.kind == "f" else a.astype(np.float64)
            high, low = np.fmax.reduceat(floats, starts, axis=axis), np.fmin.reduceat(floats, starts, axis=axis)
            a = np.asarray(np.where(np.abs(high) >= np.abs(low), high, low))
    return a, (blocks[0], blocks[1])


def _weight(value: Any, limit: float) -> str:
    """How a number is written that stands on a strong colour, or on none."""
    if np.isnan(value):
        return " tg-nan"
    strong = np.isinf(value) or (limit and abs(value) > 0.72 * limit)
    return " tg-over" if strong else ""


def _colours(values: NDArray, limit: float, x: float, y: float, width: float, height: float) -> str:
    """One picture for the light page and one for the dark."""
    with np.errstate(all="ignore"):
        share = np.nan_to_num(values.astype(np.float64) / (limit or 1.0), nan=0.0, posinf=1.0, neginf=-1.0)
    steps = np.rint(np.clip(share, -1, 1) * STEPS).astype(np.int64) + STEPS
    steps[np.isnan(values.astype(np.float64))] = 2 * STEPS + 1
    pixels = steps.astype(np.uint8)
    place = f'x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" preserveAspectRatio="none"'
    light, dark = (png(pixels, palette(stops)) for stops in (LIGHT, DARK))
    return (
        f'<image class="tg-light" {place} href="{light}"/><image class="tg-dark" display="none" {place} href="{dark}"/>'
        f'<rect class="tg-frame" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"/>'
    )


def palette(stops: Sequence[str]) -> NDArray:
    """The 2·127 + 1 colours between five stops, and that of NaN: (256, 3) bytes."""
    ends = np.array([[int(stop[k : k + 2], 16) for k in (1, 3, 5)] for stop in stops], np.float64)
    at = np.linspace(0, len(stops) - 1, 2 * STEPS + 1)
    colours = np.stack([np.interp(at, np.arange(len(stops)), ends[:, k]) for k in range(3)], axis=1)
    grey = [[int(NO_NUMBER[k : k + 2], 16) for k in (1, 3, 5)]]
    both: NDArray = np.concatenate([colours, grey])
    return np.asarray(np.rint(both), np.uint8)


def _cells(said: Sequence[str], columns: int, x: float, y: float, wide: float, tall: float) -> str:
    """Invisible cells, row by row, that say something when pointed at."""
    cells = "".join(
        f'<rect x="{k % columns}" y="{k // columns}" width="1" height="1"><title>{escape(text)}</title></rect>'
        for k, text in enumerate(said)
    )
    return f'<g class="tg-cells" transform="translate({x:.1f} {y:.1f}) scale({wide:.4g} {tall:.4g})">{cells}</g>'


def _at(place: Sequence[int | str]) -> str:
    return f"[{', '.join(map(str, place))}] = " if place else ""


def _tick(x: float, y: float, text: int) -> str:
    """The number of a row."""
    return f'<text class="tg-tick tg-end" x="{x - 5:.1f}" y="{y:.1f}">{text}</text>'


def _ticks(
    real: tuple[int, ...], drawn: tuple[int, int], x: float, y: float, wide: float, tall: float, every: bool
) -> list[str]:
    """The numbers of rows and columns: all, or the first and the last."""
    parts = []
    for axis, (n, cells) in enumerate(zip(real, drawn, strict=True)):
        if axis == 0 and n == 1:
            continue
        places = range(cells) if every else sorted({0, cells - 1})
        for k in places:
            text = k if every or k == 0 else n - 1
            if axis:
                end = not every and k and wide < 4 * len(str(n))
                kind, at = ("tg-tick tg-end", k + 1) if end else ("tg-tick", k + 0.5)
                parts.append(f'<text class="{kind}" x="{x + at * wide:.1f}" y="{y - 4:.1f}">{text}</text>')
            else:
                parts.append(_tick(x, y + (k + 0.5) * tall + 4, text))
    return parts


def _described(a: NDArray) -> str:
    """Shape and range in words."""
    shape = " by ".join(map(str, a.shape)) or "one number"
    finite = a[np.isfinite(a)]
    if not finite.size:
        return f"{shape}, no finite number"
    return f"{shape}, from {number(finite.min())} to {number(finite.max())}"


# ---- images --------------------------------------------------------------------------------------------------------


def picture(
    array: Any,
    *,
    label: str = "",
    span: tuple[float, float] | None = None,
    ink: bool = False,
    width: int = 168,
    index: Sequence[int] = (),
    titles: bool = True,
) -> str:
    """An image (H, W), (1, H, W) or (3, H, W) as an SVG element: the low end of `span` is black, the high end white.

    Parameters
    ----------
    span : by default that of `span_of`
    ink : draw as ink on paper where the page is light, and as light on black where it is dark: for digits and letters
    width : of the drawing, in pixels
    index : the place of this image in a larger array, for the titles
    titles : whether each pixel says its number when pointed at, if there are up to 1,024
    """
    whole = np.asarray(array)
    planes = whole[None] if whole.ndim == 2 else whole
    channels, height, across = planes.shape
    low, high = span_of(whole) if span is None else span
    with np.errstate(all="ignore"):
        share = (planes.astype(np.float64) - low) / ((high - low) or 1.0)
    bytes_ = np.rint(np.clip(np.nan_to_num(share), 0, 1) * 255).astype(np.uint8).transpose(1, 2, 0)
    cell = width / max(across, 1)
    tall = cell * height
    place = f'x="0" y="0" width="{width}" height="{tall:.1f}" preserveAspectRatio="none"'
    if ink and channels == 1:
        parts = [
            f'<image class="tg-light" {place} href="{png(255 - bytes_)}"/>'
            f'<image class="tg-dark" display="none" {place} href="{png(bytes_)}"/>'
        ]
    else:
        parts = [f'<image {place} href="{png(bytes_)}"/>']
    parts.append(f'<rect class="tg-frame" x="0.5" y="0.5" width="{width - 1}" height="{tall - 1:.1f}"/>')
    if titles and height * across <= TITLED:
        lead: tuple[int | str, ...] = (
            (*index, 0) if whole.ndim == 3 and channels == 1 else (*index, ":") if channels > 1 else tuple(index)
        )
        said = [
            _at((*lead, r, c)) + ", ".join(exact(v) for v in planes[:, r, c]) for r, c in np.ndindex(height, across)
        ]
        parts.append(_cells(said, across, 0, 0, cell, cell))
    told = f"{label or 'image'}: {_described(whole)}"
    return (
        f'<svg class="tg-map" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {tall:.1f}" width="{width}" '
        f'height="{tall:.0f}" role="img" aria-label="{escape(told)}">{"".join(parts)}</svg>'
    )


def span_of(array: Any) -> tuple[float, float]:
    """What is black and what is white: 0 and 255 of bytes, 0 and 1 of floats between them, else least and greatest."""
    a = np.asarray(array)
    finite = a[np.isfinite(a)]
    if not finite.size:
        return 0.0, 1.0
    low, high = float(finite.min()), float(finite.max())
    if a.dtype == np.uint8:
        return 0.0, 255.0
    return (0.0, 1.0) if low >= 0 and high <= 1 else (low, high)


def looks_like_image(array: Any) -> bool:
    """Whether an array (…, H, W) or (…, 3, H, W) is more likely an image than a matrix of numbers.

    It is if it has at least 8×8 pixels, is of bytes or of floats, and neighbours are alike; bytes and floats
    between 0 and 1 need not be as smooth as others.
    """
    a = np.asarray(array)
    if a.ndim < 2 or a.dtype.kind not in "fu" or (a.dtype.kind == "u" and a.dtype != np.uint8):
        return False
    height, width = a.shape[-2:]
    if min(height, width) < 8 or max(height, width) > 4 * min(height, width):
        return False
    values = (a[:8] if a.ndim > 2 else a).astype(np.float64)
    if not np.all(np.isfinite(values)):
        return False
    spread = float(np.mean(np.abs(values - values.mean())))
    if not spread:
        return a.dtype == np.uint8
    steps = [float(np.mean(np.abs(np.diff(values, axis=axis)))) for axis in (-2, -1)]
    rough = max(steps) / spread
    plain = a.dtype == np.uint8 or (float(values.min()) >= 0 and float(values.max()) <= 1)
    return rough < (1.0 if plain else 0.6)


def png(pixels: NDArray, colours: NDArray | None = None) -> str:
    """Bytes (H, W), (H, W, 1) or (H, W, 3) as the address of a PNG that stands in the page; `colours` are a palette."""
    image = np.ascontiguousarray(pixels, np.uint8)
    height, width = image.shape[:2]
    kind = 3 if colours is not None else 2 if image.ndim == 3 and image.shape[2] == 3 else 0
    rows = image.reshape(height, -1)
    lines = np.concatenate([np.zeros((height, 1), np.uint8), rows], axis=1).tobytes()  # 0: no filter
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0))]
    chunks += [(b"PLTE", np.asarray(colours, np.uint8).tobytes())] if colours is not None else []
    chunks += [(b"IDAT", zlib.compress(lines, 9)), (b"IEND", b"")]
    written = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in chunks
    )
    return f"data:image/png;base64,{base64.b64encode(written).decode()}"
