"""What is given to a function, as the flat list of arrays that the checker moves, each with a name.

Dictionaries, lists and other structures are taken apart where something in them has a derivative, and put together
again before the function sees them. Keyword arguments follow the others, a module's parameters come before them, and
complex numbers are pairs of real ones.
"""

import inspect
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np

from tinygrad_cnn.autograd.function import Function
from tinygrad_cnn.core.op import Op
from tinygrad_cnn.gradcheck.functions import (
    Adapter,
    Checked,
    JaxFunction,
    NumpyPair,
    TensorFunction,
    TorchFunction,
    name_of,
)
from tinygrad_cnn.gradcheck.problems import Misbehaves
from tinygrad_cnn.gradcheck.trees import aligned, leaves

COMPLEX = " (re, im)"
"""Behind the name of an input whose numbers are pairs."""


class Given(NamedTuple):
    """What is checked, its flat arguments, their names (None: input 0, 1, …), and what the reader should know."""

    adapter: Any
    inputs: list[Any]
    names: list[str] | None
    notes: tuple[str, ...] = ()


def given_to(
    func: Any, inputs: Any, kwargs: Mapping[str, Any] | None, names: Sequence[str] | None, mode: str | None = None
) -> Given:
    """The arguments of a function, of a module, or of what an adapter made of one, flat and named.

    A module is checked in the mode that it is in, or in this one.
    """
    arguments = list(inputs) if isinstance(inputs, (list, tuple)) else [inputs]
    adapter = func if isinstance(func, Checked) else adapted(func, arguments)
    keywords = dict(kwargs or {})
    if names is None and not keywords:
        names = names_of_inputs(func, len(arguments))
    if not isinstance(adapter, Adapter):
        if mode is not None:
            raise TypeError(f"gradcheck: {name_of(adapter)} is no module, and has no {mode} mode")
        if keywords:
            raise TypeError(f"gradcheck: {name_of(adapter)} is given arrays alone; bind keyword arguments beforehand")
        return Given(adapter, arguments, None if names is None else list(names))
    called = [f"input {k}" for k in range(len(arguments))] if names is None else [str(name) for name in names]
    unbound = _of_a_module(adapter, mode)
    if mode is not None and unbound is None:
        raise TypeError(f"gradcheck: {name_of(adapter)} is no module, and has no {mode} mode")
    if unbound is None and not keywords and not any(_moving(adapter, a) for a in arguments):
        return Given(adapter, arguments, None if names is None else called)
    if unbound is not None:
        adapter = adapter.over(unbound.function)
        arguments, called = [*unbound.values, *arguments], [*unbound.names, *called]
    parts = [
        _Part(adapter, name, a) for name, a in zip([*called, *keywords], [*arguments, *keywords.values()], strict=True)
    ]
    flat = _Flat(parts, len(arguments), list(keywords))
    return Given(
        flat.adapter(adapter),
        [value for part in parts for value in part.values],
        [name for part in parts for name in part.names],
        () if unbound is None else unbound.notes,
    )


def names_of_inputs(func: Any, count: int) -> list[str] | None:
    """What an op or a Function calls its inputs, if `func` is its `apply`; None if nothing says it."""
    owner: Any = getattr(func, "__self__", None)
    if not isinstance(owner, type):
        return None
    names: list[str] = []
    if issubclass(owner, Op):
        names = [] if owner.variadic else list(owner.inputs)
    elif issubclass(owner, Function):
        parameters = inspect.signature(owner.forward).parameters.values()
        names = [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
        names = names[owner.setup_context is Function.setup_context :]  # without ctx
    return names[:count] if len(names) >= count else None


def adapted(func: Callable[..., Any], arguments: Sequence[Any]) -> Any:
    """The adapter of a function by what it is given, or is: of PyTorch, of JAX, else of our Tensors."""
    torch, jax = sys.modules.get("torch"), sys.modules.get("jax")  # what is not imported has made none of these
    values = [leaf for _, leaf in leaves(list(arguments))]
    if torch is not None and (isinstance(func, torch.nn.Module) or any(isinstance(a, torch.Tensor) for a in values)):
        return TorchFunction(func)
    if jax is not None and any(isinstance(a, jax.Array) for a in values):
        return JaxFunction(func)
    return TensorFunction(func)


def _moving(adapter: Adapter, argument: Any) -> bool:
    """Whether an argument is to be taken apart: a structure with something that has a derivative, or complex."""
    found, _ = adapter.flatten(argument)
    return any(adapter.moves(a) and (path or adapter.is_complex(a)) for path, a in found)


class _Part:
    """One argument, taken apart if there is something to move in it."""

    def __init__(self, adapter: Adapter, name: str, argument: Any) -> None:
        self.adapter, self.argument = adapter, argument
        found, self._rebuilt = adapter.flatten(argument)
        self.apart = _moving(adapter, argument)
        if not self.apart:
            found, self._rebuilt = [("", argument)], lambda values: next(iter(values))
        self.complex = [adapter.moves(a) and adapter.is_complex(a) for _, a in found]
        self.names = [f"{name}{path}{COMPLEX if z else ''}" for (path, _), z in zip(found, self.complex, strict=True)]
        self.values = [self._pairs(a) if z else a for (_, a), z in zip(found, self.complex, strict=True)]

    def take(self, flat: Iterator[Any]) -> Any:
        """The argument of the next of the flat values, as many as it has."""
        values = [next(flat) for _ in self.values]
        return self._rebuilt(
            [self.adapter.from_pairs(a) if z else a for a, z in zip(values, self.complex, strict=True)]
        )

    def put(self, gradient: Any) -> list[Any]:
        """A gradient in the structure of the argument as the gradients of its flat values."""
        found = aligned(self.argument, gradient) if self.apart else [gradient]
        both = zip(found, self.complex, strict=True)
        return [self.adapter.pairs(np.asarray(g)) if z and g is not None else g for g, z in both]

    def _pairs(self, a: Any) -> Any:
        if isinstance(self.adapter, TorchFunction):
            return self.adapter.pairs(a.detach()).clone().requires_grad_()
        return self.adapter.pairs(np.asarray(a))


class _Flat:
    """A function of the flat values, and how its VJP is asked."""

    def __init__(self, parts: Sequence[_Part], count: int, keywords: Sequence[str]) -> None:
        self.parts, self.count, self.keywords = parts, count, keywords

    def adapter(self, adapter: Adapter) -> Adapter:
        """What is checked, on flat values."""
        function = adapter.function

        def flat(*values: Any) -> Any:
            arguments, keywords = self.arguments(values)
            return function(*arguments, **keywords)

        if not isinstance(adapter, NumpyPair):
            return adapter.over(flat)
        written, written_jvp = adapter.written, adapter.written_jvp

        def vjp(g: Any, *values: Any) -> list[Any]:
            arguments, keywords = self.arguments(values)
            return self.gradients(written(g, *arguments, **keywords))

        def jvp(u: Any, *values: Any) -> Any:
            arguments, keywords = self.arguments(values)
            along, by_name = self.arguments(u if isinstance(u, tuple) else (u,))
            tangents = along[0] if len(along) == 1 and not by_name else (*along, *([by_name] if by_name else []))
            return written_jvp(tangents, *arguments, **keywords)  # type: ignore[misc]

        pair = NumpyPair(flat, vjp, None if written_jvp is None else jvp)
        pair.name, pair.takes_pairs = adapter.name, any(z for part in self.parts for z in part.complex)
        return pair

    def arguments(self, values: Iterable[Any]) -> tuple[list[Any], dict[str, Any]]:
        """The arguments as the function takes them, and the keyword arguments."""
        flat = iter(values)
        found = [part.take(flat) for part in self.parts]
        return found[: self.count], dict(zip(self.keywords, found[self.count :], strict=True))

    def gradients(self, result: Any) -> list[Any]:
        """The flat gradients of what a VJP returns: one per argument, and last a dictionary of those by keyword."""
        gradients = self._of_each(result)
        by_name = gradients.pop() if self.keywords and len(gradients) == self.count + 1 else {}
        if len(gradients) != self.count:
            raise Misbehaves(
                f"gradcheck: the vjp returns {len(gradients)} gradients for {self.count} inputs; expected one per "
                "input, None where there is none, and last a dictionary of those by keyword"
            )
        gradients += [by_name.get(name) for name in self.keywords]
        return [g for part, gradient in zip(self.parts, gradients, strict=True) for g in part.put(gradient)]

    def _of_each(self, result: Any) -> list[Any]:
        """What a VJP returns, one per argument: alone, or in the structure of its only argument, or in a sequence."""
        if not isinstance(result, (list, tuple)):
            return [result]
        only = self.parts[0].argument if self.count == 1 and self.parts[0].apart else None
        wrapped = len(result) == 1 and isinstance(result[0], type(only))
        return (
            [result]
            if isinstance(only, (list, tuple)) and isinstance(result, type(only)) and not wrapped
            else [*result]
        )


class _Unbound(NamedTuple):
    """A module as a function of what it learns and of its inputs."""

    function: Callable[..., Any]
    values: list[Any]
    names: list[str]
    notes: tuple[str, ...]


def _of_a_module(adapter: Adapter, mode: str | None) -> _Unbound | None:
    """What the adapter calls without the parameters in it, which come first among its inputs; None for a function."""
    model: Any = adapter.function
    if isinstance(adapter, JaxFunction):  # Equinox and Flax: a module is a pytree
        return _of_a_pytree(adapter, model, mode)
    framework = "torch" if isinstance(adapter, TorchFunction) else "tinygrad_cnn"
    if not isinstance(model, import_module(f"{framework}.nn").Module):
        return None
    call: Any = import_module(f"{framework}.func").functional_call
    learnt = {name: p for name, p in model.named_parameters() if p.requires_grad}
    held = {name: p for name, p in (*model.named_parameters(), *model.named_buffers()) if name not in learnt}

    def function(*given: Any, **by_name: Any) -> Any:
        copies = {name: p.detach().clone() for name, p in held.items()}  # training writes buffers
        parameters = dict(zip(learnt, given[: len(learnt)], strict=True))
        with _in_mode(model, mode):
            return call(model, {**parameters, **copies}, given[len(learnt) :], by_name)

    chosen = mode or ("training" if model.training else "evaluation")
    notes = [f"{name_of(model)} in {chosen} mode"]
    if held:
        notes.append(f"held constant: {', '.join(held)}")
    return _Unbound(function, list(learnt.values()), list(learnt), ("; ".join(notes),))


@contextmanager
def _in_mode(model: Any, mode: str | None) -> Iterator[None]:
    """A module of ours, or of PyTorch, is in a mode, and afterwards each part of it in the one it was in."""
    before = [(part, part.training) for part in model.modules()]
    try:
        if mode is not None:
            model.train(mode == "training")
        yield
    finally:
        for part, training in before:
            part.training = training


def _of_a_pytree(adapter: JaxFunction, model: Any, mode: str | None) -> _Unbound | None:
    """The same of a pytree that can be called."""
    found, rebuild = adapter.flatten(model)
    if not any(path and adapter.moves(leaf) for path, leaf in found):
        return None
    notes: tuple[str, ...] = ()
    if mode is not None:
        found, rebuild = adapter.flatten(_switched(rebuild([leaf for _, leaf in found]), mode))
        notes = (f"{name_of(model)} in {mode} mode",)
    names, values = [path.lstrip(".") for path, _ in found], [leaf for _, leaf in found]

    def function(*given: Any, **by_name: Any) -> Any:
        return rebuild(given[: len(values)])(*given[len(values) :], **by_name)

    return _Unbound(function, values, names, notes)


def _switched(model: Any, mode: str) -> Any:
    """A copy of a module of Flax's or Equinox's in a mode."""
    switch = getattr(model, "train" if mode == "training" else "eval", None)
    if callable(switch):  # Flax, in place
        switch()
        return model
    equinox: Any = sys.modules.get("equinox")
    if equinox is None or not isinstance(model, equinox.Module):
        raise TypeError(f"gradcheck: {name_of(model)} has neither train() and eval() nor Equinox's inference mode")
    return equinox.nn.inference_mode(model, mode == "evaluation")
