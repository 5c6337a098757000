"""`compare`: layers whose way back was written by hand, in NumPy, beside autograd, one by one."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from html import escape
from textwrap import wrap
from typing import Any

import numpy as np

from tinygrad_cnn.autograd import enable_grad, grad
from tinygrad_cnn.core.errors import ArgumentError
from tinygrad_cnn.core.types import NDArray
from tinygrad_cnn.display import fragment, number, stacked_table
from tinygrad_cnn.gradcheck import Report
from tinygrad_cnn.nn import Module, functional
from tinygrad_cnn.teach.by_hand import ByHand
from tinygrad_cnn.teach.twin import SOFTMAX, Difference, Layout, Twin, difference
from tinygrad_cnn.tensor import Tensor

__all__ = ["Comparison", "Row", "compare"]

WIDTH = 80
"""So wide it prints at most."""


@dataclass(frozen=True)
class Row:
    """One layer."""

    number: int
    layer: str
    """The class of the layer that was written by hand."""
    path: str
    """What it is in the network."""
    differences: dict[str, Difference | str | None]
    """Of "forward", "input", and each parameter: None if both agree, and a word if there is nothing to compare."""

    @property
    def wrong(self) -> list[str]:
        """What differs."""
        return [name for name, found in self.differences.items() if found not in (None, "none")]


@dataclass(frozen=True)
class Comparison:
    """What `compare` found. True only if everything that could be compared agrees."""

    rows: tuple[Row, ...]
    report: Report | None = None
    """What the gradient checker says of the first layer that differs."""
    notes: tuple[str, ...] = field(default=())

    @property
    def first(self) -> Row | None:
        """The first layer that differs: on the way there, else on the way back, from the loss on."""
        there = [row for row in self.rows if "forward" in row.wrong]
        back = [row for row in reversed(self.rows) if row.wrong]
        return next(iter([*there, *back]), None)

    def __bool__(self) -> bool:
        return self.first is None

    def _cells(self) -> list[list[str]]:
        cells = []
        for row in self.rows:
            parameters = [f"{n} {_mark(d)}" for n, d in row.differences.items() if n not in ("forward", "input")]
            mark = "→ " if row is self.first else "  "
            cells.append(
                [
                    f"{mark}{row.number} {row.layer}", row.path, _mark(row.differences["forward"]),
                    _mark(row.differences["input"]), ", ".join(parameters) or "-",
                ]
            )  # fmt: skip
        return cells

    def _said(self) -> list[str]:
        """What is wrong, in sentences."""
        row = self.first
        if row is None:
            return ["Everything that could be compared agrees.", *self.notes]
        name = "forward" if "forward" in row.wrong else row.wrong[0]
        found = row.differences[name]
        what = {"forward": "its output", "input": "the gradient to its input"}.get(name, f"the gradient of {name}")
        way = "on the way there" if name == "forward" else "on the way back"
        said = [f"The first that differs, {way}: layer {row.number}, {row.layer}, {what}."]
        if isinstance(found, Difference):
            place = f" at {found.place}" if found.place else ""
            said.append(f"Most{place}: by hand {number(found.by_hand)}, autograd {number(found.autograd)}.")
        else:
            said.append(f"By hand it has another {found}.")
        if self.report is not None and self.report.diagnoses:
            best = self.report.diagnoses[0]
            said.append(f"It looks like this ({best.kind}): {best.message}")
        elif self.report is not None and name != "forward":
            said.append(f"The gradient checker: {self.report.headline().removeprefix('gradcheck: ')}.")
        return [*said, *self.notes]

    def __str__(self) -> str:
        heads = ["  layer", "network", "forward", "to input", "parameters"]
        cells = self._cells()
        widths = [max(len(line[k]) for line in [heads, *cells]) for k in range(5)]
        lines = ["  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)).rstrip() for line in [heads, *cells]]
        said = [part for line in self._said() for part in wrap(line, WIDTH)]
        return "\n".join([lines[0], "─" * min(WIDTH, max(map(len, lines))), *lines[1:], "", *said])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        heads = ["layer", "network", "forward", "gradient to input", "parameters"]
        cells = [[escape(c.strip("→ ") if k == 0 else c) for k, c in enumerate(line)] for line in self._cells()]
        classes = ["worst" if row is self.first else "" for row in self.rows]
        verdict = "pass" if self else "fail"
        badge = f'<span class="badge {verdict}">{"✓ agrees" if self else "✗ differs"}</span>'
        said = "".join(
            f'<p class="reason">{escape(line)}</p>' if not self else f"<p>{escape(line)}</p>" for line in self._said()
        )
        return fragment(
            f'<p class="tg-head">{badge} written by hand, beside autograd</p>'
            f"{stacked_table(heads, cells, classes=classes, wraps=(4,))}{said}"
        )


def compare(
    hand_written: Sequence[Any], net: Module, x: Any, y: Any, loss: Callable[[Tensor, Any], Tensor] | None = None
) -> Comparison:
    """Layers with a `back_prop` written by hand beside autograd: the first that differs, where, and what it looks like.

    Each layer gets the gradient that autograd gives for its output, so an error in one is not found in all before it.
    The network gets the weights of the layers; it, and they, stay as they were.

    Parameters
    ----------
    hand_written : objects with ``forward_prop(x)`` and ``back_prop(g)`` or ``back_prop(g, learning_rate)``; the names
        `forward` and `backward` will do. What `back_prop` returns is the gradient of the input; the gradient of a
        parameter is what it changes at a learning rate of 1, or an attribute such as ``dw``
    net : the same network, such as an ``nn.Sequential``; it may have other layouts (N, C, H, W) and more layers, such
        as a Flatten. If the last layer gives probabilities, the network may end with logits
    x : the input as the first layer takes it
    y : what the loss compares with: the class, or the numbers
    loss : ``loss(output, y)``; by default the cross-entropy of a class, else the mean squared error

    Examples
    --------
    >>> import numpy as np
    >>> from tinygrad_cnn import nn
    >>> class Line:
    ...     def __init__(self):
    ...         self.w = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    ...     def forward(self, x):
    ...         self.x = x
    ...         return x @ self.w
    ...     def backward(self, g):
    ...         self.dw = 2 * self.x.T @ g
    ...         return g @ self.w.T
    >>> print(compare([Line()], nn.Linear(2, 3), np.ones((4, 2)), np.zeros((4, 3))))
      layer   network  forward  to input  parameters
    ────────────────────────────────────────────────
    → 0 Line  Linear   ✓        ✓         w ✗
    <BLANKLINE>
    The first that differs, on the way back: layer 0, Line, the gradient of w.
    Most at (0, 2): by hand 12, autograd 6.
    It looks like this (factor): w: everything is multiplied by 2
    The bias of Linear has no counterpart by hand: it was set to 0.
    """
    layers = [ByHand(layer, k) for k, layer in enumerate(hand_written)]
    if not layers:
        raise ArgumentError("compare: there is no layer that was written by hand")
    inputs = [np.asarray(x.detach().numpy() if isinstance(x, Tensor) else x, np.float64)]
    for layer in layers:
        inputs.append(layer.forward(inputs[-1]))
    twin = Twin(copy.deepcopy(net).double(), inputs[0])
    places = twin.place(layers, inputs)
    output, target = twin.stages[places[-1].stage].output, y.detach().numpy() if isinstance(y, Tensor) else y
    with enable_grad():
        value = _loss(output, target, loss, twin.stages[places[-1].stage].name == SOFTMAX)
    tensors = [twin.input, *(twin.stages[place.stage].output for place in places)]
    found = grad(value, [*tensors, *twin.parameters], allow_unused=True)
    gradients = [_zeros_for(g, t) for g, t in zip(found, [*tensors, *twin.parameters], strict=True)]
    of_parameter = dict(zip(map(id, twin.parameters), gradients[len(tensors) :], strict=True))
    layouts = [Layout(tuple(range(inputs[0].ndim)), inputs[0].shape), *(place.layout for place in places)]
    rows = []
    for k, (layer, place) in enumerate(zip(layers, places, strict=True)):
        expected = place.layout.by_hand(twin.stages[place.stage].output.detach().numpy())
        g = layouts[k + 1].by_hand(gradients[k + 1])
        _, sent, own = layer.run(inputs[k], g)
        differences: dict[str, Difference | str | None] = {"forward": difference(inputs[k + 1], expected)}
        differences["input"] = _sent(sent, layouts[k].by_hand(gradients[k]), own)
        for name, (parameter, layout) in place.weights.items():
            wanted = layout.by_hand(of_parameter[id(parameter)])
            mine = own.get(name)
            differences[name] = "none" if mine is None else difference(mine, wanted)
        rows.append(Row(k, layer.name, twin.called(places, k), differences))
    result = Comparison(tuple(rows), notes=tuple(twin.notes))
    first = result.first
    if first is None or "forward" in first.wrong:
        return result
    report = layers[first.number].checked(inputs[first.number])
    return Comparison(result.rows, report, result.notes)


def _loss(output: Tensor, y: Any, loss: Callable[[Tensor, Any], Tensor] | None, chances: bool) -> Tensor:
    target = np.asarray(y)
    if loss is not None:
        return loss(output, Tensor(target) if target.ndim else y)
    if target.dtype.kind in "iu" and output.ndim == 2 and target.size == len(output):
        classes = Tensor(target.reshape(-1).astype(np.int64))
        if int(target.max()) >= output.shape[1] or int(target.min()) < 0:
            raise ArgumentError(f"compare: y is {y}; the network has {output.shape[1]} classes, from 0 on")
        return functional.nll_loss(output.log(), classes) if chances else functional.cross_entropy(output, classes)
    if target.size == output.numel():
        return functional.mse_loss(output, Tensor(target.astype(np.float64).reshape(output.shape)))
    raise ArgumentError(
        f"compare: y has shape {target.shape} and the output {tuple(output.shape)}; expected classes or numbers alike, "
        "or give loss"
    )


def _zeros_for(g: Any, t: Tensor) -> NDArray:
    return np.zeros(tuple(t.shape)) if g is None else np.asarray(g.detach().numpy(), np.float64)


def _sent(sent: Any, expected: NDArray, own: dict[str, NDArray | None]) -> Difference | str | None:
    """Whether what was sent is the gradient of the input."""
    if sent is None:
        return "none"
    if sent.shape != expected.shape:
        if any(g is not None and g.shape == sent.shape for g in own.values()):
            return "none"  # it returns the gradient of a parameter, as the first layer may
        if sent.size != expected.size:
            return f"shape {sent.shape}"
        sent = sent.reshape(expected.shape)
    return difference(sent, expected)


def _mark(found: Difference | str | None) -> str:
    return "✓" if found is None else "-" if found == "none" else "✗" if isinstance(found, Difference) else f"✗ {found}"
