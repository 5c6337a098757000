"""`summary`: a table of a network's layers in the terminal, from one pass of zeros through it."""

from __future__ import annotations

import math
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from html import escape
from typing import Any

import numpy as np

from tinygrad_cnn.autograd import enable_grad
from tinygrad_cnn.autograd.watching import add_watcher, remove_watcher
from tinygrad_cnn.core.errors import ArgumentError
from tinygrad_cnn.core.op import registry
from tinygrad_cnn.core.types import Shape
from tinygrad_cnn.display import fragment, in_bytes, stacked_table
from tinygrad_cnn.nn import Module
from tinygrad_cnn.nn.hooks import shapes_in
from tinygrad_cnn.nn.parameter import UninitializedParameter
from tinygrad_cnn.program import record
from tinygrad_cnn.random import default_generator
from tinygrad_cnn.tensor import Tensor
from tinygrad_cnn.tensor.creation import zeros
from tinygrad_cnn.torch_names.dtypes import dtype_named

__all__ = ["Layer", "Summary", "summary"]

WIDTH = 80
"""So wide the table is at most."""

RECURRENT = {"RNN", "LSTM", "ProjectedLSTM", "GRU"}
LINEAR = {"Linear", "Matmul", "Einsum", "Conv2D", "Conv2DBias", "Conv2DInput", "Conv2DWeight", "Attention", *RECURRENT}
"""The ops that multiply and add up."""


@dataclass(frozen=True)
class Layer:
    """One row: a module, called once or more."""

    path: str
    """Its dotted name; empty for the whole network."""
    kind: str
    depth: int
    input_shape: tuple[Shape, ...]
    output_shape: tuple[Shape, ...]
    """Of the first call."""
    has_parts: bool
    params: int
    """Of its own, or, where what is inside is not shown, of all inside; shared ones count where they come first."""
    mult_adds: int
    """Products that are added up: of convolutions, linear maps and products of matrices."""
    kept_bytes: int
    """What the backward pass keeps that was computed here; each array counts once, parameters do not count."""
    calls: int = 1


@dataclass(frozen=True)
class Summary:
    """What `summary` found; printing it shows the table."""

    model: str
    input_size: tuple[Shape, ...]
    layers: tuple[Layer, ...]
    total_params: int
    trainable_params: int
    total_param_bytes: int
    total_mult_adds: int
    total_kept_bytes: int
    training: bool

    def __str__(self) -> str:
        heads = ["layer", "kind", "output", "parameters", "mult-adds", "kept"]
        rows = [_cells(layer, self.model) for layer in self.layers]
        widths = [max(len(row[k]) for row in [heads, *rows]) for k in range(6)]
        narrowed(widths, WIDTH - 2 * 5)
        lines = [_line(heads, widths), "─" * (sum(widths) + 10), *(_line(row, widths) for row in rows)]
        return "\n".join([*lines, lines[1], *self._totals()])

    __repr__ = __str__

    def _totals(self) -> list[str]:
        frozen = self.total_params - self.trainable_params
        parts = f", {frozen:,} frozen" if frozen else ""
        sizes = ", ".join(str(s) for s in self.input_size)
        mode = "training" if self.training else "eval"
        return [
            f"parameters: {self.total_params:,} ({self.trainable_params:,} trainable{parts}), "
            f"{in_bytes(self.total_param_bytes)}",
            f"multiply-adds: {self.total_mult_adds:,}",
            f"kept for the backward pass: {in_bytes(self.total_kept_bytes)}",
            f"input: {sizes}, in {mode} mode",
        ]

    def _repr_html_(self) -> str:
        return fragment(f'<p class="tg-head">{escape(self.model)}</p>{self.table()}')

    def table(self) -> str:
        """The table in HTML, to stand in a page of `display`."""
        heads = ["layer", "kind", "in", "out", "parameters", "mult-adds", "kept"]
        rows = [
            [
                f"<code>{escape(layer.path or '(whole)')}</code>", escape(_kind(layer)), _shapes(layer.input_shape),
                _shapes(layer.output_shape), f"{layer.params:,}" if layer.params else "",
                f"{layer.mult_adds:,}" if layer.mult_adds else "",
                in_bytes(layer.kept_bytes) if layer.kept_bytes else "",
            ]
            for layer in self.layers
        ]  # fmt: skip
        told = "".join(f'<p class="tg-note">{escape(line)}</p>' for line in self._totals())
        return f"{stacked_table(heads, rows, numbers=(4, 5, 6))}{told}"


def summary(
    model: Module,
    input_size: Sequence[Any] | None = None,
    input_data: Any = None,
    batch_dim: int | None = None,
    *,
    depth: int | None = None,
    dtypes: Sequence[Any] | None = None,
    mode: str | None = None,
    verbose: int | None = None,
    **kwargs: Any,
) -> Summary:
    """The layers of a network by their paths: output shapes, parameters, multiply-adds, bytes kept for backward.

    The names are those of the package torchinfo. The network is run once, on zeros; its buffers and the random
    numbers are afterwards as they were.

    Parameters
    ----------
    input_size : of the input, with the batch: ``(1, 3, 32, 32)``; of several inputs, a list of sizes
    input_data : instead of sizes, the input itself, or a list, tuple or dict of them
    batch_dim : put a batch of 1 at this place of each size
    depth : show modules down to this depth only; what is inside the last ones is added to them
    dtypes : of the inputs, if not the default one: ``[tg.long]`` for an embedding
    mode : "train" or "eval"; by default, as the network is
    verbose : 0 does not print; by default, it prints unless Python is interactive, where the result shows itself
    kwargs : further arguments of `forward`

    Raises
    ------
    ArgumentError
        If the network cannot be run on such an input.

    Examples
    --------
    >>> from tinygrad_cnn import nn
    >>> found = summary(nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 2)), (5, 6))
    layer    kind        output  parameters  mult-adds  kept
    ─────────────────────────────────────────────────────────────
    (whole)  Sequential  (5, 2)           -          -  -
    0        Linear      (5, 8)          56        240  120 bytes
    1        Tanh        (5, 8)           -          -  160 bytes
    2        Linear      (5, 2)          18         80  -
    ─────────────────────────────────────────────────────────────
    parameters: 74 (74 trainable), 296 bytes
    multiply-adds: 320
    kept for the backward pass: 280 bytes
    input: (5, 6), in training mode
    >>> found.total_mult_adds
    320
    """
    if not isinstance(model, Module):
        raise TypeError(f"summary: expected a Module, got {type(model).__name__}; summary(model, input_size)")
    if mode not in (None, "train", "eval"):
        raise ArgumentError(f'summary: mode is {mode!r}; it must be "train", "eval" or None')
    args, named = _inputs(input_size, input_data, batch_dim, dtypes)
    named = {**named, **kwargs}
    sizes = tuple(shapes_in([*args, *named.values()]))
    with as_it_was(model, mode):
        training = model.training
        seen = _Seen(model)
        with seen, enable_grad():
            try:
                with record() as program:
                    model(*args, **named)
            except Exception as error:
                hint = _hint(sizes, input_size, batch_dim)
                said = " ".join(str(error).split()) or type(error).__name__
                raise ArgumentError(
                    f"summary: {type(model).__name__} cannot be run on {_sizes_text(sizes)}: {said}{hint}"
                ) from error
    multiplied: Counter[str] = Counter()
    for line in program.lines:
        if line.op in LINEAR and line.kind == "op" and line.module is not None:
            shapes = [program.values[n].shape for n in line.inputs]
            multiplied[line.module.partition(".")[2]] += _products(line, shapes, program.values[line.outputs[0]].shape)
    layers = _layers(model, seen, multiplied, math.inf if depth is None else depth)
    parameters = [p for p in model.parameters() if not isinstance(p, UninitializedParameter)]
    found = Summary(
        model=type(model).__name__,
        input_size=sizes,
        layers=tuple(layers),
        total_params=sum(p.numel() for p in parameters),
        trainable_params=sum(p.numel() for p in parameters if p.requires_grad),
        total_param_bytes=sum(p.numel() * p.element_size() for p in parameters),
        total_mult_adds=sum(multiplied.values()),
        total_kept_bytes=sum(seen.kept.values()),
        training=training,
    )
    if verbose or (verbose is None and not getattr(sys, "ps1", None)):
        print(found)
    return found


# ---- what goes in ----------------------------------------------------------------------------------------------------


def _inputs(
    input_size: Any, input_data: Any, batch_dim: int | None, dtypes: Sequence[Any] | None
) -> tuple[list[Any], dict[str, Any]]:
    """The arguments of the network."""
    if (input_size is None) == (input_data is None):
        raise ArgumentError("summary: give the input_size, with the batch, such as (1, 3, 32, 32), or the input_data")
    if input_data is not None:
        if isinstance(input_data, dict):
            return [], dict(input_data)
        given = list(input_data) if isinstance(input_data, (list, tuple)) else [input_data]
        return [Tensor(x) if isinstance(x, np.ndarray) else x for x in given], {}
    several = isinstance(input_size, (list, tuple)) and any(isinstance(n, (list, tuple)) for n in input_size)
    sizes = [_size(size) for size in (input_size if several else [input_size])]
    if batch_dim is not None:
        sizes = [(*size[:batch_dim], 1, *size[batch_dim:]) for size in sizes]
    kinds = [None] * len(sizes) if dtypes is None else list(dtypes)
    if len(kinds) != len(sizes):
        raise ArgumentError(f"summary: {len(sizes)} inputs and {len(kinds)} dtypes; give one for each")
    return [
        zeros(size, dtype=None if kind is None else dtype_named(kind)) for size, kind in zip(sizes, kinds, strict=True)
    ], {}


def _size(size: Any) -> Shape:
    if isinstance(size, (int, np.integer)):
        size = (size,)
    if not all(isinstance(n, (int, np.integer)) and n >= 0 for n in size):
        raise ArgumentError(f"summary: input_size is {size!r}; it must be whole numbers, such as (1, 3, 32, 32)")
    return tuple(int(n) for n in size)


def _hint(sizes: tuple[Shape, ...], input_size: Any, batch_dim: int | None) -> str:
    """What may have been meant: a size without the batch, as the package torchsummary takes it."""
    if input_size is None or batch_dim is not None or len(sizes) != 1 or not sizes[0]:
        return ""
    return f"; input_size has the batch in front: is it {(1, *sizes[0])}? Indices need dtypes=[tg.long]"


def _sizes_text(sizes: tuple[Shape, ...]) -> str:
    return f"an input of shape {sizes[0]}" if len(sizes) == 1 else f"inputs of shapes {', '.join(map(str, sizes))}"


@contextmanager
def as_it_was(model: Module, mode: str | None) -> Iterator[None]:
    """The mode meanwhile; afterwards modes, buffers and random numbers as they were before."""
    modes = [(module, module.training) for module in model.modules()]
    buffers = [(b, b.detach().clone()) for b in model.buffers() if not isinstance(b, UninitializedParameter)]
    lazy = any(isinstance(p, UninitializedParameter) for p in model.parameters())
    state = None if lazy else default_generator.get_state()  # what a lazy layer draws is used up
    if mode is not None:
        model.train(mode == "train")
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training
        for buffer, before in buffers:
            if tuple(buffer.shape) == tuple(before.shape) and not np.array_equal(buffer.numpy(), before.numpy()):
                buffer.detach().copy_(before)
        if state is not None:
            default_generator.set_state(state)


# ---- what happens meanwhile ------------------------------------------------------------------------------------------


class _Seen:
    """The calls of modules, and what the nodes that are made meanwhile keep."""

    def __init__(self, model: Module) -> None:
        self.model = model
        self.paths = {module: path for path, module in model.named_modules()}
        self.shapes: dict[str, tuple[list[Shape], list[Shape]]] = {}
        self.calls: Counter[str] = Counter()
        self.kept: Counter[str] = Counter()
        self._open: list[str] = []
        self._held: dict[int, Any] = {}
        """Memory that was counted, or is a parameter's or a buffer's: kept alive, so that no other takes its place."""

    def __enter__(self) -> None:
        for tensor in [*self.model.parameters(), *self.model.buffers()]:
            if not isinstance(tensor, UninitializedParameter):
                self._hold(tensor.detach().numpy())
        self._hooks = [(m, m.__dict__.get("_call_hooks"), "_call_hooks" in m.__dict__) for m in self.paths]
        self._handles = []
        for module in self.paths:
            before = module.register_forward_pre_hook(self._before, prepend=True)
            after = module.register_forward_hook(self._after, with_kwargs=True, always_call=True)
            self._handles += [before, after]
        add_watcher(self)

    def __exit__(self, *error: object) -> None:
        remove_watcher(self)
        for handle in self._handles:
            handle.remove()
        for module, hooks, own in self._hooks:
            module.__dict__.pop("_call_hooks", None)
            if own:
                module.__dict__["_call_hooks"] = hooks

    def _before(self, module: Module, args: Any) -> None:
        self._open.append(self.paths[module])

    def _after(self, module: Module, args: Any, kwargs: Any, result: Any) -> None:
        path = self._open.pop()
        self.calls[path] += 1
        if path not in self.shapes:
            self.shapes[path] = shapes_in([*args, *kwargs.values()]), shapes_in(result)

    def _hold(self, array: Any) -> int:
        """The bytes of the memory that an array lies in; 0 if it was counted before."""
        while isinstance(getattr(array, "base", None), np.ndarray):
            array = array.base
        if id(array) in self._held:
            return 0
        self._held[id(array)] = array
        return int(getattr(array, "nbytes", 0))

    def made(self, node: Any) -> None:
        """An op was recorded: what it keeps is its module's."""
        for array in _arrays([node.saved, node.options]):
            self.kept[self._open[-1] if self._open else ""] += self._hold(array)

    def returned(self, node: Any, k: int, gradient: Any) -> None:
        """There is no way back here."""

    def failed(self, node: Any) -> None:
        """There is no way back here."""


def _arrays(value: Any) -> Iterator[Any]:
    if isinstance(value, np.ndarray):
        yield value
    elif isinstance(value, (list, tuple)):
        for part in value:
            yield from _arrays(part)
    elif isinstance(value, dict):
        yield from _arrays(list(value.values()))


def _products(line: Any, shapes: list[Shape], made: Shape) -> int:
    """How many products an op adds up."""
    if line.op in ("Linear", "Matmul"):
        return math.prod(made) * shapes[0][-1]
    if line.op in ("Conv2D", "Conv2DBias"):
        return math.prod(made) * math.prod(shapes[1][1:])
    if line.op == "Conv2DInput":  # what comes in is each window's number, spread over the window
        return math.prod(shapes[0]) * math.prod(shapes[1][1:])
    if line.op == "Conv2DWeight":
        g = next(shape for shape in shapes if len(shape) == 4)
        return math.prod(made[1:]) * math.prod(g)
    if line.op in RECURRENT:  # every row of every step meets every weight
        named = zip(getattr(registry[line.op], "names", ()), shapes, strict=False)
        return math.prod(shapes[0][:-1]) * sum(math.prod(shape) for name, shape in named if name.startswith("w_"))
    if line.op == "Attention":  # scores, and the values that they weigh
        (*rows, features), (*_, keys, _), values = shapes[:3]
        return math.prod(rows) * keys * (features + values[-1])
    sizes = {
        axis: n
        for term, shape in zip(line.options["terms"], shapes, strict=True)
        for axis, n in zip(term, shape, strict=True)
    }
    return math.prod(sizes.values()) * (len(shapes) - 1)


# ---- the table -------------------------------------------------------------------------------------------------------


def _layers(model: Module, seen: _Seen, multiplied: Counter[str], deepest: float) -> list[Layer]:
    layers: list[Layer] = []
    counted: set[int] = set()
    for path, module in model.named_modules():
        depth = path.count(".") + 1 if path else 0
        new = [p for p in module._parameters.values() if p is not None and id(p) not in counted]
        counted.update(map(id, new))
        own = sum(p.numel() for p in new if not isinstance(p, UninitializedParameter))
        if depth > deepest:
            k = next(k for k in reversed(range(len(layers))) if _inside(path, layers[k].path))
            last = layers[k]
            layers[k] = replace(
                last,
                params=last.params + own,
                mult_adds=last.mult_adds + multiplied[path],
                kept_bytes=last.kept_bytes + seen.kept[path],
            )
            continue
        ins, outs = map(tuple, seen.shapes.get(path, ([], [])))
        sums = own, multiplied[path], seen.kept[path], seen.calls[path]
        layers.append(Layer(path, module._get_name(), depth, ins, outs, bool(module._modules), *sums))
    return layers


def _inside(path: str, parent: str) -> bool:
    return not parent or path.startswith(f"{parent}.")


def _kind(layer: Layer) -> str:
    return layer.kind + (f" ×{layer.calls}" if layer.calls > 1 else "")


def _shapes(shapes: Sequence[Shape]) -> str:
    return ", ".join(str(tuple(s)) for s in shapes)


def _cells(layer: Layer, name: str) -> list[str]:
    called = _shapes(layer.output_shape[:1]) + (" …" if len(layer.output_shape) > 1 else "")
    return [
        layer.path or "(whole)",
        _kind(layer),
        called if layer.calls else "-" if layer.has_parts else "(not called)",
        f"{layer.params:,}" if layer.params else "-",
        f"{layer.mult_adds:,}" if layer.mult_adds else "-",
        in_bytes(layer.kept_bytes) if layer.kept_bytes else "-",
    ]


def narrowed(widths: list[int], room: int) -> None:
    """Make the widest of the first three columns narrower until all fit."""
    while sum(widths) > room:
        k = max(range(3), key=lambda k: (widths[k], -k))
        if widths[k] <= 8:
            return
        widths[k] -= 1


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = []
    for k, (cell, width) in enumerate(zip(cells, widths, strict=True)):
        text = (
            cell if len(cell) <= width else f"…{cell[len(cell) - width + 1 :]}" if k == 0 else f"{cell[: width - 1]}…"
        )
        padded.append(text.rjust(width) if k in (3, 4) else text.ljust(width))
    return "  ".join(padded).rstrip()
