"""What a notebook shows of a tensor: what it is, and its numbers as a heat map or an image."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from tinygrad_cnn.core.types import NDArray
from tinygrad_cnn.display import (
    exact,
    figure,
    fragment,
    heat_map,
    in_bytes,
    largest,
    legend,
    looks_like_image,
    many,
    number,
    numbers_table,
    picture,
    pooled,
    row,
    span_of,
)

if TYPE_CHECKING:
    from tinygrad_cnn.tensor.tensor import Tensor

PLANES = 16
"""So many matrices or images of a larger tensor are shown."""

LISTED = 1024
"""Up to so many numbers stand in a table; of more there is the text that `print` shows."""


def notebook(x: Tensor) -> str:
    """The display of one tensor."""
    return fragment(shown(x))


def shown(x: Tensor, title: str = "", names: Sequence[str] = ()) -> str:
    """The same without the frame, for a display of several; `names` go under the images of a batch."""
    values = np.asarray(x.detach().numpy())
    parts = [
        f'<p class="tg-head">{escape(title or type(x).__name__)} <code>{escape(str(tuple(values.shape)))}</code></p>',
        f'<p class="tg-facts">{" · ".join(_facts(x, values))}</p>',
    ]
    if values.size:
        parts += [*_drawn(values, names), *_notes(values), _listed(x, values)]
    return "".join(parts)


def _facts(x: Tensor, values: NDArray) -> list[str]:
    """What it is, in HTML."""
    facts = [
        f"<b>{escape(str(x.dtype).removeprefix('torch.'))}</b>",
        many(values.size, "element"),
        in_bytes(values.nbytes),
    ]
    if x.grad_fn is not None:
        facts.append(f"grad_fn <b>{escape(x.grad_fn.name())}</b>")
    elif x.requires_grad:
        facts.append("<b>requires_grad</b>")
    if (x.is_leaf or x.retains_grad) and x.grad is not None:
        facts.append(f"<b>.grad</b> is there, largest magnitude {number(largest(x.grad.detach().numpy()))}")
    return facts


def _drawn(values: NDArray, names: Sequence[str]) -> list[str]:
    """The picture: an image, images, or heat maps of the last two axes."""
    if not values.ndim:
        return [f'<p class="tg-big" title="{escape(exact(values[()]))}">{number(values)}</p>']
    images = _images(values)
    if images is not None:
        return _pictures(values, images, names)
    limit = largest(values)
    if values.ndim < 3:
        return [figure(heat_map(values, limit=limit), legend(limit) + _blocks(values))]
    planes = values.reshape(-1, *values.shape[-2:])
    places = list(np.ndindex(*values.shape[:-2]))[:PLANES]
    few = planes[:PLANES].size <= 160
    titles = planes[:PLANES].size <= LISTED
    maps = [
        figure(
            heat_map(
                plane,
                limit=limit,
                width=128,
                numbers=few,
                index=place,
                label=f"[{_list(place)}]",
                ticks=few,
                titles=titles,
            ),
            f"[{_list(place)}]",
        )
        for place, plane in zip(places, planes, strict=False)
    ]
    more = f", the first {PLANES} of {len(planes):,}" if len(planes) > PLANES else ""
    told = f"{legend(limit)}; each map has the last two axes{more}{_blocks(planes[0])}"
    return [row(maps), f'<p class="tg-note">{told}</p>']


def _images(values: NDArray) -> NDArray | None:
    """The images (N, 1, H, W) or (N, 3, H, W) that an array is, if it looks like that."""
    if not looks_like_image(values):
        return None
    if values.ndim == 2:
        return values[None, None]
    if values.ndim == 3:
        return values[None] if values.shape[0] in (1, 3) else values[:, None]
    return values if values.ndim == 4 and values.shape[1] in (1, 3) else None


def _pictures(values: NDArray, images: NDArray, names: Sequence[str]) -> list[str]:
    low, high = span = span_of(values)
    kept = images[:PLANES]
    many_ = len(images) > 1
    figures = []
    for k, image in enumerate(kept):
        index = (k,) if many_ else (0,) * (values.ndim == 4)
        name = names[k] if k < len(names) else ""
        caption = f"[{k}] {f'<b>{escape(name)}</b>' if name else ''}" if many_ else escape(name)
        plane = image[0] if values.ndim == 2 or (values.ndim == 3 and many_) else image
        size = 84 if many_ else min(max(168, 4 * image.shape[-1]), 512)
        figures.append(figure(picture(plane, span=span, width=size, index=index, titles=kept.size <= LISTED), caption))
    told = f"black is {number(low)}, white is {number(high)}"
    told += f"; the first {PLANES} of {len(images):,} images" if len(images) > PLANES else ""
    told += "; index it to read the numbers of one, as in x[0]" if kept.size > LISTED and many_ else ""
    return [row(figures), f'<p class="tg-note">{told}</p>']


def _blocks(plane: NDArray) -> str:
    """What one cell of the map stands for, if it is more than one number."""
    down, right = pooled(plane)[1] if plane.ndim == 2 else pooled(plane.reshape(1, -1), 64 * 64)[1]
    if down == right == 1:
        return ""
    return f"; a cell shows the number of largest magnitude of {many(down * right, 'number')} ({down} × {right})"


def _notes(values: NDArray) -> list[str]:
    """Where the numbers lie, if there are more than a glance takes in; and what is no finite number."""
    notes = []
    ends = float(values.min()), float(values.max())
    whole = all(map(math.isfinite, ends))
    if values.size > 24 and values.dtype.kind in "fiu":
        finite = values if whole else values[np.isfinite(values)]
        if finite.size:
            zeros = float(np.mean(values == 0))
            said = f"{zeros:.0%}" if zeros in (0, 1) or 0.01 <= zeros <= 0.99 else f"{zeros:.2%}"
            notes.append(
                f"min {number(finite.min())}, max {number(finite.max())}, "
                f"mean {number(finite.mean(dtype=np.float64))}, "
                f"standard deviation {number(finite.std(dtype=np.float64))}, zero: {said}"
            )
    if not whole:
        odd = {"nan": np.isnan(values), "infinite": np.isinf(values)}
        notes += [
            f"<b>{many(int(there.sum()), 'element')} {'is' if there.sum() == 1 else 'are'} {word}</b>, the first at "
            f"[{_list(np.argwhere(there)[0].tolist())}]"
            for word, there in odd.items()
            if there.any()
        ]
    return [f'<p class="tg-note">{note}</p>' for note in notes]


def _listed(x: Tensor, values: NDArray) -> str:
    """The numbers as text, behind a click."""
    if values.ndim == 0:
        return ""
    if values.size > LISTED:
        return f"<details><summary>as text</summary><pre>{escape(repr(x))}</pre></details>"
    lines = values.reshape(1, -1) if values.ndim == 1 else values.reshape(-1, values.shape[-1])
    places = [":"] if values.ndim == 1 else [f"{_list(p)}, :" for p in np.ndindex(*values.shape[:-1])]
    cells = [[f"[{place}]", *map(exact, line)] for place, line in zip(places, lines, strict=True)]
    heads = ["", *map(str, range(lines.shape[1]))]
    return f"<details><summary>exact numbers</summary>{numbers_table(cells, heads)}</details>"


def _list(place: Sequence[int]) -> str:
    return ", ".join(map(str, place))
