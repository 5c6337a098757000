"""Pictures with matplotlib (the extra `plot`): how training went, and what a network has learned and sees.

Every function returns a figure with titles, labels and a scale, draws on `ax` if one is given, and writes to `path`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any

import numpy as np

from tinygrad_cnn.autograd import grad, no_grad
from tinygrad_cnn.core.errors import ArgumentError
from tinygrad_cnn.core.types import NDArray
from tinygrad_cnn.display.figures import write_figure
from tinygrad_cnn.display.maps import LIGHT, largest, span_of
from tinygrad_cnn.nn import Module
from tinygrad_cnn.tensor import Tensor

__all__ = [
    "plot_confusion",
    "plot_feature_maps",
    "plot_filters",
    "plot_history",
    "plot_landscape",
    "plot_saliency",
]

INK, ACCENT, SOFT = "#1c2024", "#b0125b", "#59616a"
MARKS = "os^Dv"


def plot_history(
    history: Mapping[str, Sequence[float]] | Sequence[Mapping[str, float]],
    *,
    title: str = "training",
    ax: Any = None,
    path: Any = None,
) -> Any:
    """Curves by epoch: losses and accuracies in panels of their own.

    Parameters
    ----------
    history : lists by name, such as ``{"loss": [...], "test accuracy": [...]}``, or a dict for each epoch
    ax : draw everything on these axes
    path : write the figure here
    """
    kept = _history(history)
    shares = {name: values for name, values in kept.items() if "acc" in name.lower()}
    others = {name: values for name, values in kept.items() if name not in shares}
    panels = [(label, part) for label, part in (("loss", others), ("accuracy", shares)) if part]
    if ax is not None:
        panels = [("", kept)]
    figure, axes = _axes("plot_history", ax, 1, len(panels), (5.2 * len(panels), 3.6))
    for panel, (label, part) in zip(axes, panels, strict=True):
        for k, (name, values) in enumerate(part.items()):
            colour = INK if k % 2 == 0 else ACCENT
            style = "-" if k % 2 == 0 else "--"
            steps = range(1, len(values) + 1)
            panel.plot(steps, values, style, marker=MARKS[k % len(MARKS)], ms=4, color=colour, label=name)
        panel.set_xlabel("epoch")
        panel.set_ylabel(label or "value")
        panel.xaxis.get_major_locator().set_params(integer=True)
        panel.grid(axis="y", color="#dcd8d0", lw=0.8)
        panel.legend(frameon=False)
        panel.set_title(f"{title}: {label}" if label else title)
    return _written(figure, path)


def _history(history: Any) -> dict[str, list[float]]:
    if not isinstance(history, Mapping):
        rows = list(history)
        if not rows or not all(isinstance(row, Mapping) for row in rows):
            raise ArgumentError("plot_history: history is no dict of lists and no list of dicts, or it is empty")
        names = dict.fromkeys(name for row in rows for name in row)
        history = {name: [row.get(name, math.nan) for row in rows] for name in names}
    kept = {str(name): [float(v) for v in values] for name, values in history.items()}
    if not kept or not any(kept.values()):
        raise ArgumentError("plot_history: there is nothing to draw; each name needs one number or more")
    return kept


def plot_filters(weight: Any, *, most: int = 64, columns: int = 8, title: str = "filters", path: Any = None) -> Any:
    """The kernels of a convolution as heat maps on one scale; orange wants ink, blue wants none.

    Parameters
    ----------
    weight : a layer with a `weight`, or the array (O, I, H, W); of several input channels each has its own map
    most : at most so many maps
    """
    kernels = _array(weight.weight if isinstance(weight, Module) else weight)
    if kernels.ndim != 4:
        raise ArgumentError(f"plot_filters: the weight has shape {kernels.shape}; expected (out, in, height, width)")
    one = kernels.shape[1] == 1
    maps = kernels.reshape(-1, *kernels.shape[2:])
    names = [f"{k}" if one else f"{o}, {i}" for k, (o, i) in enumerate(np.ndindex(*kernels.shape[:2]))]
    shape = " × ".join(map(str, kernels.shape))
    return _sheet("plot_filters", maps[:most], names, columns, _more(title, shape, len(maps), most), path)


def plot_feature_maps(
    model: Any,
    image: Any = None,
    layer: str | None = None,
    *,
    most: int = 64,
    columns: int = 8,
    title: str | None = None,
    path: Any = None,
) -> Any:
    """What a layer makes of one image: each channel as a heat map, on one scale.

    Parameters
    ----------
    model : the network; or, without an image, the maps themselves, (C, H, W) or (1, C, H, W)
    image : one input of the network, (C, H, W) or (1, C, H, W)
    layer : its path; by default the first that gives maps (N, C, H, W)
    """
    if image is None:
        maps, told = _array(model), "feature maps"
    else:
        maps, path_of_layer = _output_of(model, image, layer)
        told = f"feature maps of {path_of_layer or 'the network'}"
    maps = maps[0] if maps.ndim == 4 and len(maps) == 1 else maps
    if maps.ndim != 3:
        raise ArgumentError(f"plot_feature_maps: the maps have shape {maps.shape}; expected (C, H, W) of one image")
    shape = " × ".join(map(str, maps.shape))
    head = _more(title or told, shape, len(maps), most)
    return _sheet("plot_feature_maps", maps[:most], [f"{k}" for k in range(len(maps))], columns, head, path)


@no_grad()
def _output_of(model: Module, image: Any, layer: str | None) -> tuple[NDArray, str]:
    found: list[tuple[str, NDArray]] = []
    handles = []
    for name, part in model.named_modules():
        if layer is None or name == layer:
            handles.append(part.register_forward_hook(_keeper(found, name)))
    if not handles:
        names = ", ".join(name for name, _ in model.named_modules() if name)
        raise ArgumentError(f"plot_feature_maps: no layer is called {layer!r}; there are {names}")
    try:
        model(_batch(image, "plot_feature_maps"))
    finally:
        for handle in handles:
            handle.remove()
    kept = [(name, y) for name, y in found if y.ndim == 4]
    if not kept:
        raise ArgumentError("plot_feature_maps: no layer gives maps (N, C, H, W); name one that does")
    name, maps = kept[0]
    return maps, name


def _keeper(found: list[tuple[str, NDArray]], name: str) -> Callable[..., None]:
    def keep(module: Module, args: Any, result: Any) -> None:
        if isinstance(result, Tensor):
            found.append((name, result.detach().numpy().copy()))

    return keep


def plot_confusion(
    counts: Any,
    predicted: Any = None,
    *,
    names: Sequence[str] | None = None,
    title: str = "answers",
    ax: Any = None,
    path: Any = None,
) -> Any:
    """The confusion table: the true class by row, the answer by column, coloured by share of the row.

    Parameters
    ----------
    counts : the table of counts, or, with `predicted`, the true classes
    predicted : the answers, as classes
    names : of the classes
    """
    table = _array(counts)
    if predicted is not None:
        answers = _array(predicted)
        if table.shape != answers.shape or table.ndim != 1:
            raise ArgumentError(
                f"plot_confusion: {table.shape} true classes and {answers.shape} answers; expected two vectors alike"
            )
        size = int(max(table.max(initial=0), answers.max(initial=0))) + 1
        size = max(size, len(names or ()))
        filled = np.zeros((size, size), np.int64)
        np.add.at(filled, (table.astype(np.int64), answers.astype(np.int64)), 1)
        table = filled
    if table.ndim != 2 or table.shape[0] != table.shape[1]:
        raise ArgumentError(f"plot_confusion: counts have shape {table.shape}; expected (classes, classes)")
    called = [str(k) for k in range(len(table))] if names is None else [str(n) for n in names]
    if len(called) != len(table):
        raise ArgumentError(f"plot_confusion: {len(called)} names for {len(table)} classes")
    side = 1.8 + 0.42 * len(table)
    figure, (axes,) = _axes("plot_confusion", ax, 1, 1, (side + 0.8, side))
    share = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    shown = axes.imshow(share, cmap=_map((LIGHT[2], LIGHT[3], LIGHT[4])), vmin=0, vmax=1)
    for (r, c), n in np.ndenumerate(table):
        if n:
            colour = "white" if share[r, c] > 0.7 else INK
            axes.text(c, r, f"{n:g}", ha="center", va="center", color=colour, fontsize=8)
    axes.set_xticks(range(len(called)), called, rotation=0 if max(map(len, called)) < 4 else 45)
    axes.set_yticks(range(len(called)), called)
    axes.set_xlabel("answer")
    axes.set_ylabel("true class")
    right = np.trace(table) / max(table.sum(), 1)
    axes.set_title(f"{title}: {right:.2%} of {table.sum():,} right")
    figure.colorbar(shown, ax=axes, label="share of the true class", fraction=0.046)
    return _written(figure, path)


def plot_saliency(
    model: Module, image: Any, label: int | None = None, *, title: str | None = None, path: Any = None
) -> Any:
    """Where more ink would raise or lower the score of a class: the gradient of its logit by the pixels.

    Parameters
    ----------
    model : gives logits (1, classes)
    image : (C, H, W), (1, C, H, W) or (H, W)
    label : the class; by default the answer of the network
    """
    x = _batch(image, "plot_saliency").detach().requires_grad_()
    logits = model(x)
    if not isinstance(logits, Tensor) or logits.ndim != 2:
        raise ArgumentError("plot_saliency: the network must give logits (1, classes) for one image")
    answer = int(logits.argmax(1).item())
    wanted = answer if label is None else int(label)
    if not 0 <= wanted < logits.shape[1]:
        raise ArgumentError(f"plot_saliency: label is {label}; there are classes 0 to {logits.shape[1] - 1}")
    (slope,) = grad(logits[0, wanted], x)
    pixels, slopes = x.detach().numpy()[0], slope.numpy()[0]
    slopes = slopes[0] if len(slopes) == 1 else slopes.sum(axis=0)
    figure, (left, right) = _axes("plot_saliency", None, 1, 2, (8.4, 3.9))
    low, high = span_of(pixels)
    plane = pixels[0] if len(pixels) == 1 else np.clip((pixels.transpose(1, 2, 0) - low) / ((high - low) or 1), 0, 1)
    shown = left.imshow(plane, cmap="gray", vmin=low, vmax=high)
    figure.colorbar(shown, ax=left, label="pixel", fraction=0.046)
    left.set_title(f"the network answers {answer}")
    limit = largest(slopes) or 1.0
    shown = right.imshow(slopes, cmap=_map(LIGHT), vmin=-limit, vmax=limit)
    figure.colorbar(shown, ax=right, label=f"∂ logit {wanted} / ∂ pixel", fraction=0.046)
    right.set_title(f"what would raise (orange) or lower\n(blue) the logit of {wanted}")
    for panel in (left, right):
        panel.set_xlabel("column")
        panel.set_ylabel("row")
    figure.suptitle(title or "saliency")
    return _written(figure, path)


def plot_landscape(
    model: Module,
    loss: Callable[[Any, Any], Tensor],
    x: Any,
    y: Any,
    *,
    span: float = 1.0,
    steps: int = 21,
    seed: int = 0,
    title: str = "loss landscape",
    ax: Any = None,
    path: Any = None,
) -> Any:
    """The loss around the weights, in two random directions, each filter as long as that of the network.

    After Li, Xu, Taylor, Studer, Goldstein, "Visualizing the Loss Landscape of Neural Nets" (2018). The weights are
    afterwards as they were.

    Parameters
    ----------
    loss : ``loss(model(x), y)``, one number
    span : how far to go, in lengths of the weights
    steps : so many points in each direction; the network is run steps² times
    """
    if steps < 3:
        raise ArgumentError(f"plot_landscape: steps is {steps}; it must be at least 3")
    figure, (axes,) = _axes("plot_landscape", ax, 1, 1, (5.8, 4.6))
    places = np.linspace(-span, span, steps)
    found = _landscape(model, loss, x, y, places, np.random.default_rng(seed))
    levels = 18
    filled = axes.contourf(places, places, found, levels=levels, cmap="cividis_r")
    axes.contour(places, places, found, levels=levels, colors="white", linewidths=0.4)
    axes.plot(0, 0, marker="*", ms=14, color=ACCENT, mec="white", label="the weights as they are")
    axes.legend(loc="upper right")
    axes.set_xlabel("along the first direction")
    axes.set_ylabel("along the second direction")
    axes.set_title(title)
    figure.colorbar(filled, ax=axes, label="loss")
    return _written(figure, path)


@no_grad()
def _landscape(
    model: Module, loss: Callable[[Any, Any], Tensor], x: Any, y: Any, places: NDArray, random: np.random.Generator
) -> NDArray:
    """The loss at [row, column] = weights + places[column]·first + places[row]·second direction."""
    parameters = list(model.parameters())
    if not parameters:
        raise ArgumentError("plot_landscape: the network has no parameters to change")
    before = [p.detach().numpy().copy() for p in parameters]
    first, second = ([_direction(w, random) for w in before] for _ in range(2))
    inputs = Tensor(x) if isinstance(x, np.ndarray) else x
    found = np.zeros((len(places), len(places)))
    try:
        for r, c in np.ndindex(*found.shape):
            for p, w, a, b in zip(parameters, before, first, second, strict=True):
                p.detach().copy_(Tensor((w + places[c] * a + places[r] * b).astype(w.dtype)))
            found[r, c] = loss(model(inputs), y).item()
    finally:
        for p, w in zip(parameters, before, strict=True):
            p.detach().copy_(Tensor(w))
    return found


def _direction(w: NDArray, random: np.random.Generator) -> NDArray:
    """Normal numbers, each filter (or row) as long as that of the weight; biases are not moved."""
    if w.ndim < 2:
        return np.zeros_like(w)
    drawn = random.normal(size=w.shape)
    axes = tuple(range(1, w.ndim))
    lengths = [np.sqrt(np.sum(a.astype(np.float64) ** 2, axis=axes, keepdims=True)) for a in (w, drawn)]
    return np.asarray(drawn * (lengths[0] / np.maximum(lengths[1], 1e-300)))


# ---- what they share -------------------------------------------------------------------------------------------------


def _axes(function: str, ax: Any, rows: int, columns: int, size: tuple[float, float]) -> tuple[Any, list[Any]]:
    """A figure and its axes, or those that were given."""
    figures = _matplotlib(function, "figure")
    if ax is not None:
        return ax.figure, [ax]
    figure = figures.Figure(figsize=size, layout="constrained")
    return figure, list(np.ravel(figure.subplots(rows, columns, squeeze=False)))


def _matplotlib(function: str, part: str) -> Any:
    try:
        return import_module(f"matplotlib.{part}")
    except ImportError as error:
        raise ImportError(f"{function}: matplotlib is not installed; run: pip install 'tinygrad-cnn[plot]'") from error


def _map(stops: Sequence[str]) -> Any:
    return _matplotlib("plot", "colors").LinearSegmentedColormap.from_list("tinygrad_cnn", list(stops))


def _sheet(function: str, maps: NDArray, names: Sequence[str], columns: int, title: str, path: Any) -> Any:
    """Heat maps in rows, with one scale and one bar."""
    if not len(maps):
        raise ArgumentError(f"{function}: there is nothing to draw")
    across = min(columns, len(maps))
    down = -(-len(maps) // across)
    figure, axes = _axes(function, None, down, across, (1.15 * across + 1.2, 1.3 * down + 0.8))
    limit = largest(maps) or 1.0
    shown = None
    for k, panel in enumerate(axes):
        if k >= len(maps):
            panel.set_axis_off()
            continue
        shown = panel.imshow(maps[k], cmap=_map(LIGHT), vmin=-limit, vmax=limit, interpolation="nearest")
        panel.set_title(names[k], fontsize=8, pad=2)
        panel.set_xticks([])
        panel.set_yticks([])
    figure.colorbar(shown, ax=axes, fraction=0.03, label="value; 0 is white")
    figure.suptitle(title)
    return _written(figure, path)


def _more(title: str, shape: str, count: int, most: int) -> str:
    return f"{title}, {shape}" + (f" (the first {most} of {count} maps)" if count > most else "")


def _written(figure: Any, path: Any) -> Any:
    if path is not None:
        write_figure(figure, path, dpi=150)
    return figure


def _array(value: Any) -> NDArray:
    return np.asarray(value.detach().numpy() if isinstance(value, Tensor) else value)


def _batch(image: Any, function: str) -> Tensor:
    """One image as a batch of one."""
    x = image if isinstance(image, Tensor) else Tensor(np.asarray(image))
    x = x[None, None] if x.ndim == 2 else x[None] if x.ndim == 3 else x
    if x.ndim != 4 or len(x) != 1:
        raise ArgumentError(f"{function}: the image has shape {tuple(x.shape)}; expected one image, (C, H, W)")
    return x
