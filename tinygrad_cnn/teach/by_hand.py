"""A layer whose way there and back was written by hand in NumPy: run on a copy, and checked by differences."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Sequence
from typing import Any

import numpy as np

from tinygrad_cnn.core.errors import ArgumentError
from tinygrad_cnn.core.types import NDArray, Shape
from tinygrad_cnn.gradcheck import Report, gradcheck, numpy_pair

FORWARD = "forward_prop", "forward", "forward_pass", "__call__"
BACKWARD = "back_prop", "backward", "backprop", "backward_prop", "backward_pass"
SMALL = 6
"""The layer that is wrong is diagnosed on an input of so many rows and columns, if it takes one."""


class ByHand:
    """A layer that was written by hand; every run is one of a copy."""

    def __init__(self, layer: Any, k: int) -> None:
        self.layer, self.name = layer, type(layer).__name__
        self._forward, self._backward = (
            next((n for n in names if callable(getattr(layer, n, None))), None) for names in (FORWARD, BACKWARD)
        )
        if self._forward is None or self._backward is None:
            missing, names = ("forward", FORWARD) if self._forward is None else ("backward", BACKWARD)
            raise ArgumentError(
                f"compare: layer {k}, {self.name}, has no {missing} pass; expected {' or '.join(names[:2])}"
            )
        self._rate = _takes_rate(getattr(layer, self._backward))
        self.parameters: dict[str, NDArray] = {}

    def forward(self, x: NDArray) -> NDArray:
        """The output; what stays the same meanwhile are the parameters."""
        copied = copy.deepcopy(self.layer)
        before = {n: a for n, a in _attributes(copied).items() if isinstance(a, np.ndarray) and a.dtype.kind == "f"}
        y = self._called(copied, x)
        after = _attributes(copied)
        self.parameters = {n: a.copy() for n, a in before.items() if after.get(n) is a}
        return y

    def _called(self, layer: Any, x: NDArray) -> NDArray:
        try:
            return np.array(getattr(layer, str(self._forward))(x.copy()), np.float64)
        except Exception as error:
            said = " ".join(f"{type(error).__name__}: {error}".split())
            raise ArgumentError(f"compare: {self.name}.{self._forward} of an input {x.shape} raises {said}") from error

    def run(
        self, x: NDArray, g: NDArray, parameters: dict[str, NDArray] | None = None
    ) -> tuple[NDArray, Any, dict[str, NDArray | None]]:
        """The output, what `back_prop` returns, and the gradients of the parameters."""
        layer = copy.deepcopy(self.layer)
        for name, value in (parameters or {}).items():
            setattr(layer, name, value.copy())
        y = self._called(layer, x)
        before = {name: getattr(layer, name).copy() for name in self.parameters}
        known = {name: id(a) for name, a in _attributes(layer).items()}
        try:
            sent = getattr(layer, str(self._backward))(g.reshape(y.shape).copy(), *([1.0] if self._rate else []))
        except Exception as error:
            said = " ".join(f"{type(error).__name__}: {error}".split())
            raise ArgumentError(
                f"compare: {self.name}.{self._backward} of a gradient {y.shape} raises {said}"
            ) from error
        own: dict[str, NDArray | None] = {}
        for name, old in before.items():
            change = old - np.asarray(getattr(layer, name), np.float64)
            own[name] = change if self._rate else _gradient_attribute(layer, name, old.shape, known)
        return y, None if sent is None else np.asarray(sent, np.float64), own

    def checked(self, x: NDArray) -> Report | None:
        """What the gradient checker says of the layer's own way there and back, on a small input if it takes one."""
        small = x[tuple(slice(SMALL) if n > SMALL else slice(None) for n in x.shape)]
        for given in (small, x):
            names = list(self.parameters)
            try:
                _, sent, own = self.run(given, np.ones_like(self._called(copy.deepcopy(self.layer), given)))
            except ArgumentError:
                continue
            moved = [n for n in names if _shape(own[n]) == self.parameters[n].shape]
            to_input = sent is not None and sent.size == given.size
            return self._report(given, moved, to_input, self.parameters)
        return None

    def _report(self, x: NDArray, moved: list[str], to_input: bool, parameters: dict[str, NDArray]) -> Report | None:
        def there(*arrays: NDArray) -> NDArray:
            image, named = self._apart(arrays, x, moved, to_input)
            return self.run_forward(image, {**parameters, **named})

        def back(g: NDArray, *arrays: NDArray) -> tuple[Any, ...]:
            image, named = self._apart(arrays, x, moved, to_input)
            _, sent, own = self.run(image, g, {**parameters, **named})
            return (*([sent.reshape(image.shape)] if to_input else []), *(own[name] for name in moved))

        inputs = [*([x] if to_input else []), *(parameters[name] for name in moved)]
        if not inputs:
            return None
        names = [*(["input"] if to_input else []), *moved]
        return gradcheck(numpy_pair(there, back), inputs, raise_exception=False, names=names, shrink=False)

    def _apart(
        self, arrays: Sequence[NDArray], x: NDArray, moved: list[str], to_input: bool
    ) -> tuple[NDArray, dict[str, NDArray]]:
        rest = arrays[1:] if to_input else arrays
        return arrays[0] if to_input else x, dict(zip(moved, rest, strict=True))

    def run_forward(self, x: NDArray, parameters: dict[str, NDArray]) -> NDArray:
        """The output with other parameters."""
        layer = copy.deepcopy(self.layer)
        for name, value in parameters.items():
            setattr(layer, name, value.copy())
        return self._called(layer, x)


def _shape(array: NDArray | None) -> Shape | None:
    return None if array is None else array.shape


def _attributes(layer: Any) -> dict[str, Any]:
    return dict(vars(layer)) if hasattr(layer, "__dict__") else {}


def _takes_rate(method: Any) -> bool:
    """Whether it takes a learning rate beside the gradient."""
    try:
        parameters = list(inspect.signature(method).parameters.values())
    except (TypeError, ValueError):
        return False
    return len([p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]) > 1


def _gradient_attribute(layer: Any, name: str, shape: Shape, known: dict[str, int]) -> NDArray | None:
    """Where the layer has put the gradient of a parameter: in an attribute of its shape, called like it or new."""
    fits = {n: a for n, a in _attributes(layer).items() if n != name and np.shape(a) == shape and n[:1] != "__"}
    short = name.lower().lstrip("_")
    called = [a for n, a in fits.items() if n.lower() in (f"d{short}", f"d_{short}", f"grad_{short}", f"{short}_grad")]
    called = called or [
        a for n, a in fits.items() if short in n.lower() and ("grad" in n.lower() or n.lower()[0] == "d")
    ]
    new = [a for n, a in fits.items() if known.get(n) != id(a)]
    chosen = called[:1] or (new if len(new) == 1 else [])
    return np.asarray(chosen[0], np.float64) if chosen else None
