"""The network beside layers that were written by hand: where each of them is in it, and how its arrays lie there."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_cnn.autograd import enable_grad
from tinygrad_cnn.core.errors import ArgumentError
from tinygrad_cnn.core.types import NDArray, Shape
from tinygrad_cnn.nn import Module, functional
from tinygrad_cnn.teach.by_hand import ByHand
from tinygrad_cnn.tensor import Tensor

CLOSE = 1e-6
"""Two numbers agree if they differ by less than this part of the largest beside them."""
COMBINATIONS = 600
"""So many ways to lay out the weights of a layer are tried."""

SOFTMAX = "softmax"
"""The name of the last stage: the probabilities of what the network gives."""


@dataclass(frozen=True)
class Layout:
    """How an array by hand lies in the network: its axes in this order, then in the network's shape."""

    order: tuple[int, ...]
    shape: Shape
    """By hand."""

    def in_network(self, array: NDArray, shape: Shape) -> NDArray:
        """As the network has it."""
        return array.transpose(self.order).reshape(shape)

    def by_hand(self, array: NDArray) -> NDArray:
        """As it is by hand."""
        moved = array.reshape([self.shape[k] for k in self.order])
        return moved.transpose(np.argsort(self.order))


@dataclass(frozen=True)
class Unfolded(Layout):
    """The same of a weight one of whose axes counts all places of the layer before: it is taken apart first."""

    apart: Shape = ()

    def in_network(self, array: NDArray, shape: Shape) -> NDArray:
        return array.reshape(self.apart).transpose(self.order).reshape(shape)

    def by_hand(self, array: NDArray) -> NDArray:
        moved = array.reshape([self.apart[k] for k in self.order])
        return moved.transpose(np.argsort(self.order)).reshape(self.shape)


@dataclass(frozen=True)
class Stage:
    """The output of a module that was called."""

    name: str
    module: Module | None
    output: Tensor


@dataclass(frozen=True)
class Place:
    """Where a layer that was written by hand is in the network."""

    stage: int
    layout: Layout
    weights: dict[str, tuple[Any, Layout]]


class Twin:
    """The network in float64, with the weights of the layers that were written by hand."""

    def __init__(self, net: Module, x: NDArray) -> None:
        self.net, self.notes = net, list[str]()
        self.parameters = [p.requires_grad_() for p in net.parameters()]
        error: Exception | None = None
        for lead in range(3):
            self.input = Tensor(x.reshape((1,) * lead + x.shape).copy(), requires_grad=True)
            try:
                self.run()
                return
            except Exception as raised:
                error = error or raised
        said = " ".join(f"{type(error).__name__}: {error}".split())
        raise ArgumentError(
            f"compare: the network cannot be run on an input {x.shape}, nor with axes of 1 in front: {said}"
        )

    def run(self) -> None:
        """The outputs of all modules that have no parts, in the order of their calls."""
        stages: list[Stage] = []
        leaves = [(n, m) for n, m in self.net.named_modules() if not any(True for _ in m.children())]
        handles = [m.register_forward_hook(_noting(stages, n or type(m).__name__)) for n, m in leaves]
        try:
            with enable_grad():
                output = self.net(self.input)
                if output.ndim == 2:
                    stages.append(Stage(SOFTMAX, None, functional.softmax(output, 1)))
        finally:
            for handle in handles:
                handle.remove()
        self.stages = stages

    def place(self, layers: Sequence[ByHand], inputs: Sequence[NDArray]) -> list[Place]:
        """Find each layer in the network, by the size of its output and by its numbers, and give it its weights."""
        places: list[Place] = []
        for k, layer in enumerate(layers):
            start = places[-1].stage + 1 if places else 0
            made = inputs[k + 1]
            fits = [j for j in range(start, len(self.stages)) if self.stages[j].output.numel() == made.size]
            if not fits:
                sizes = ", ".join(f"{s.name} {tuple(s.output.shape)}" for s in self.stages[start:]) or "nothing more"
                raise ArgumentError(
                    f"compare: layer {k}, {layer.name}, gives {made.shape}; the network has no such layer there, only "
                    f"{sizes}"
                )
            places.append(next((p for j in fits if (p := self._fitted(layer, inputs[k], made, start, j))), None) or (
                self._unfitted(layer, inputs[k], made, start, fits[0])
            ))  # fmt: skip
        return places

    def _fitted(self, layer: ByHand, x: NDArray, made: NDArray, start: int, j: int) -> Place | None:
        """The place at a stage, if the weights can be laid out so that the outputs agree."""
        for weights in itertools.islice(self._assignments(layer, x, start, j), COMBINATIONS):
            self._give(layer, weights, start, j)
            output = self.stages[j].output.detach().numpy()
            for order in itertools.permutations(range(made.ndim)):
                layout = Layout(order, made.shape)
                if difference(layout.in_network(made, output.shape), output) is None:
                    self._note(weights, start, j)
                    return Place(j, layout, weights)
        return None

    def _unfitted(self, layer: ByHand, x: NDArray, made: NDArray, start: int, j: int) -> Place:
        """The place if the outputs differ: laid out so that as much as possible agrees."""
        best: tuple[float, dict[str, Any], Layout] | None = None
        for weights in itertools.islice(self._assignments(layer, x, start, j), COMBINATIONS):
            self._give(layer, weights, start, j)
            output = self.stages[j].output.detach().numpy()
            for order in itertools.permutations(range(made.ndim)):
                layout = Layout(order, made.shape)
                off = float(np.sum(np.abs(layout.in_network(made, output.shape) - output)))
                if best is None or off < best[0]:
                    best = off, weights, layout
        assert best is not None, "there is at least one way to lay out no weights"
        self._give(layer, best[1], start, j)
        self._note(best[1], start, j)
        return Place(j, best[2], best[1])

    def _owned(self, start: int, j: int) -> list[tuple[str, Any]]:
        """The parameters of the modules between two stages."""
        called = [(s.name, s.module) for s in self.stages[start : j + 1] if s.module is not None]
        return [(f"{n} of {_called(name, m)}", p) for name, m in called for n, p in m.named_parameters()]

    def _assignments(self, layer: ByHand, x: NDArray, start: int, j: int) -> Iterator[dict[str, tuple[Any, Layout]]]:
        """The ways to give the parameters of a layer to those of the network."""
        free = [p for _, p in self._owned(start, j)]
        pairs: list[tuple[str, Any]] = []
        for name, value in sorted(layer.parameters.items(), key=lambda item: -item[1].size):
            chosen = next((p for p in free if p.numel() == value.size), None)
            if chosen is not None:
                pairs.append((name, chosen))
                free = [p for p in free if p is not chosen]
        ways = [list(_layouts(layer.parameters[name].shape, x.shape)) for name, _ in pairs]
        for chosen_ways in itertools.product(*ways):
            yield {name: (p, way) for (name, p), way in zip(pairs, chosen_ways, strict=True)}

    def _give(self, layer: ByHand, weights: dict[str, tuple[Any, Layout]], start: int, j: int) -> None:
        given = {id(p) for p, _ in weights.values()}
        for name, (p, layout) in weights.items():
            p.detach().copy_(Tensor(layout.in_network(layer.parameters[name], tuple(p.shape)).copy()))
        for _, p in self._owned(start, j):
            if id(p) not in given and p.ndim < 2:
                p.detach().zero_()
        self.run()

    def _note(self, weights: dict[str, tuple[Any, Layout]], start: int, j: int) -> None:
        given = {id(p) for p, _ in weights.values()}
        for name, p in self._owned(start, j):
            if id(p) not in given:
                done = "it was set to 0" if p.ndim < 2 else "it is as it was"
                self.notes.append(f"The {name} has no counterpart by hand: {done}.")

    def called(self, places: Sequence[Place], k: int) -> str:
        """What a layer by hand is in the network."""
        start = places[k - 1].stage + 1 if k else 0
        return ", ".join(stage.name for stage in self.stages[start : places[k].stage + 1])


def _called(name: str, module: Module) -> str:
    kind = type(module).__name__
    return kind if name == kind else f"{name} ({kind})"


def _noting(stages: list[Stage], name: str) -> Callable[..., None]:
    def note(module: Module, args: Any, result: Any) -> None:
        if isinstance(result, Tensor):
            stages.append(Stage(name, module, result))

    return note


def _layouts(shape: Shape, before: Shape) -> Iterator[Layout]:
    """How a weight may lie in the network: with its axes in any order, and places of the layer before taken apart."""
    for order in itertools.permutations(range(len(shape))):
        yield Layout(order, shape)
    size = int(np.prod(before))
    for axis, n in enumerate(shape):
        if n == size and len(before) > 1:
            apart = (*shape[:axis], *before, *shape[axis + 1 :])
            for order in itertools.permutations(range(len(apart))):
                yield Unfolded(order, shape, apart)


@dataclass(frozen=True)
class Difference:
    """Where two arrays differ most."""

    place: tuple[int, ...]
    by_hand: float
    autograd: float
    off: float
    """Relative to the largest number of autograd's."""


def difference(by_hand: NDArray, autograd: NDArray) -> Difference | None:
    """Where they differ most, if they do."""
    if by_hand.shape != autograd.shape:
        by_hand = by_hand.reshape(autograd.shape)
    size = float(np.max(np.abs(autograd), initial=0.0)) or 1e-300
    off = np.abs(by_hand - autograd)
    off[np.isnan(off)] = np.inf
    if not off.size or float(off.max()) <= CLOSE * size + 1e-12:
        return None
    place = tuple(int(k) for k in np.unravel_index(int(np.argmax(off)), off.shape))
    return Difference(place, float(by_hand[place]), float(autograd[place]), float(off[place]) / size)
