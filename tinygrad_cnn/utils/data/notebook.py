"""What a notebook shows of a DataLoader: how it makes batches, and the first samples; and of one batch."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_cnn.display import fragment, many, numbers_table
from tinygrad_cnn.random import default_generator
from tinygrad_cnn.tensor import Tensor
from tinygrad_cnn.tensor.notebook import shown
from tinygrad_cnn.utils.data.collate import default_collate
from tinygrad_cnn.utils.data.dataset import IterableDataset

if TYPE_CHECKING:
    from tinygrad_cnn.utils.data.dataloader import DataLoader

SAMPLES = 8
"""So many samples of a data set are shown."""

MOST = 16
"""So many parts of a batch are shown."""


def notebook(loader: DataLoader[Any]) -> str:
    """The display of a loader: the samples are those at the front of the data set; no batch is drawn."""
    data = loader.dataset
    facts = [f"data set <b>{escape(type(data).__name__)}</b>{_size(data, 'sample')}"]
    size = "batches by batch_sampler" if loader.batch_size is None and loader.batch_sampler is not None else None
    size = size or ("single samples" if loader.batch_size is None else f"batches of <b>{loader.batch_size}</b>")
    facts.append(f"{size}{_size(loader, 'batch')}")
    order = type(loader.sampler).__name__.removesuffix("Sampler").lower()
    facts.append(
        {"random": "shuffled", "sequential": "in order", "endless": "as they come"}.get(
            order, f"order: {escape(order)}"
        )
    )
    facts += ["the last one whole"] if loader.drop_last else []
    facts += [many(loader.num_workers, "worker thread")] if loader.num_workers else []
    head = f'<p class="tg-head">{type(loader).__name__}</p><p class="tg-facts">{" · ".join(facts)}</p>'
    return fragment(head + _first(loader))


def _size(data: Any, noun: str) -> str:
    try:
        return f", {many(len(data), noun)}"
    except TypeError:
        return ""


def _first(loader: DataLoader[Any]) -> str:
    """The first samples of the data set, made as for a batch."""
    data = loader.dataset
    if isinstance(data, IterableDataset):
        return '<p class="tg-note">It is a stream; to see a batch, show <code>next(iter(loader))</code>.</p>'
    try:
        with undrawn():
            if not len(data):
                return '<p class="tg-note">The data set is empty.</p>'
            samples = [data[k] for k in range(min(SAMPLES, len(data)))]
            batch = loader.collate_fn(samples) if loader.batch_sampler is not None else default_collate(samples)
    except Exception as error:
        said = " ".join(f"{type(error).__name__}: {error}".split())
        return f'<p class="tg-note">Its first samples cannot be shown: {escape(said)}</p>'
    return f'<p class="tg-note">The first {many(len(samples), "sample")} of the data set:</p>{batch_shown(batch)}'


def batch_shown(batch: Any) -> str:
    """A batch in HTML: its tensors, images with the labels beside them."""
    parts = named(batch)
    labels = _labels([part for _, part in parts])
    said = []
    for name, part in parts[:MOST]:
        if isinstance(part, Tensor):
            said.append(f"<div>{shown(part, name, labels if part.ndim == 4 else ())}</div>")
        else:
            texts = [
                " ".join(str(p).split())[:60] for p in (part if isinstance(part, (list, tuple)) else [part])[:MOST]
            ]
            said.append(f'<div><p class="tg-head">{escape(name)}</p>{numbers_table([texts])}</div>')
    more = f'<p class="tg-note">and {many(len(parts) - MOST, "part")} more</p>' if len(parts) > MOST else ""
    return "".join(said) + more


def named(batch: Any, name: str = "") -> list[tuple[str, Any]]:
    """The tensors and other values in lists, tuples and dicts, by their places: [0], ['x'][1]."""
    if isinstance(batch, Mapping):
        return [leaf for key, value in batch.items() for leaf in named(value, f"{name}[{key!r}]")]
    if isinstance(batch, (list, tuple)) and any(isinstance(p, (Tensor, list, tuple, Mapping)) for p in batch):
        return [leaf for k, value in enumerate(batch) for leaf in named(value, f"{name}[{k}]")]
    return [(name or type(batch).__name__, batch)]


def _labels(parts: list[Any]) -> list[str]:
    """What stands under the images: the whole numbers of a vector that is as long as the images are many."""
    images = [p for p in parts if isinstance(p, Tensor) and p.ndim == 4]
    for part in parts:
        if isinstance(part, Tensor) and part.ndim == 1 and images and len(part) == len(images[0]):
            values = np.asarray(part.detach().numpy())
            if values.dtype.kind in "iub":
                return [str(v) for v in values.tolist()]
    return []


@contextmanager
def undrawn() -> Iterator[None]:
    """Whatever is drawn meanwhile, the random numbers after it are those that would have come."""
    state, older, oldest = default_generator.get_state(), random.getstate(), np.random.get_state()  # noqa: NPY002  # data sets of users may draw from it
    try:
        yield
    finally:
        default_generator.set_state(state)
        random.setstate(older)
        np.random.set_state(oldest)  # noqa: NPY002
