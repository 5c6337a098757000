"""Modules that hold others: in order, and by name."""

from __future__ import annotations

import operator
from collections import OrderedDict
from collections.abc import ItemsView, Iterable, Iterator, KeysView, Mapping, ValuesView
from itertools import chain, groupby
from types import FunctionType
from typing import Any, Self, overload

from tinygrad_cnn.nn.module import Module, framed, indented
from tinygrad_cnn.tensor import Tensor

__all__ = ["ModuleDict", "ModuleList", "Sequential"]


class _Ordered(Module):
    """Modules by number: what `Sequential` and `ModuleList` share. Whatever moves the modules numbers them anew."""

    _modules: dict[str, Module]  # type: ignore[assignment]  # without gaps

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[Module]:
        return iter(self._modules.values())

    def _key(self, index: int) -> str:
        n, k = len(self), operator.index(index)
        if not -n <= k < n:
            raise IndexError(f"{type(self).__name__}: index {k} is out of range for {n} modules")
        return list(self._modules)[k]

    def _checked(self, module: Any) -> Module:
        if not isinstance(module, Module):
            hint = f", write {module.__name__}()" if isinstance(module, type) else ""
            hint = ", unpack it with *" if isinstance(module, (list, tuple)) else hint
            if isinstance(module, FunctionType):
                hint = f": {module.__name__} has a layer, such as nn.ReLU() for F.relu, or is called in forward"
            raise TypeError(f"{type(self).__name__}: {type(module).__name__} is not a Module{hint}")
        return module

    def _listed(self, modules: Iterable[Module]) -> list[Module]:
        if not isinstance(modules, Iterable):
            raise TypeError(
                f"{type(self).__name__}.extend should be called with an iterable, but got {type(modules).__name__}"
            )
        return list(modules)

    def _number(self, modules: Iterable[Module]) -> None:
        held = {str(k): module for k, module in enumerate(modules)}
        self._modules.clear()
        self._modules.update(held)

    def __setitem__(self, index: int, module: Module) -> None:
        setattr(self, self._key(index), module)

    def __delitem__(self, index: int | slice) -> None:
        modules = list(self)
        if not isinstance(index, slice):
            self._key(index)
        del modules[index]
        self._number(modules)

    def append(self, module: Module) -> Self:
        """Add a module at the end."""
        self.add_module(str(len(self)), module)
        return self

    def extend(self, modules: Iterable[Module]) -> Self:
        """Add several modules at the end."""
        for module in self._listed(modules):
            self.append(module)
        return self

    @overload
    def __getitem__(self, index: int) -> Module: ...
    @overload
    def __getitem__(self, index: slice) -> Self: ...
    def __getitem__(self, index: int | slice) -> Module | Self:
        if isinstance(index, slice):
            return self._part(index)
        return self._modules[self._key(index)]

    def _part(self, index: slice) -> Self:
        raise NotImplementedError

    @overload
    def pop(self, key: int) -> Module: ...
    @overload
    def pop(self, key: slice) -> Self: ...
    def pop(self, key: int | slice) -> Module | Self:
        """Take out a module; what follows moves up."""
        taken = self[key]
        del self[key]
        return taken


class Sequential(_Ordered):
    """Modules applied one after the other; slices are Sequentials.

    TypeError for what is no module.

    >>> from tinygrad_cnn import nn
    >>> nn.Sequential(nn.Linear(2, 3), nn.ReLU())
    Sequential(
      (0): Linear(in_features=2, out_features=3, bias=True)
      (1): ReLU()
    )
    """

    def __init__(self, *args: Any) -> None:
        super().__init__()
        named = args[0].items() if len(args) == 1 and isinstance(args[0], OrderedDict) else enumerate(args)
        for name, module in named:
            self.add_module(str(name), self._checked(module))

    def forward(self, input: Any) -> Tensor:
        """Apply every module in turn."""
        for module in self._modules.values():
            input = module(input)
        return input

    def _part(self, index: slice) -> Self:
        return type(self)(OrderedDict(list(self._modules.items())[index]))

    def insert(self, index: int, module: Module) -> Self:
        """Add a module before the one of this number."""
        n, modules = len(self), list(self)
        if not -n <= index <= n:
            raise IndexError(f"Sequential: index {index} is out of range for {n} modules")
        modules.insert(index, self._checked(module))
        self._number(modules)
        return self

    def _as_other(self, other: Any) -> Sequential:
        if not isinstance(other, Sequential):
            raise ValueError(f"Sequential: only another Sequential can be added, not {type(other).__name__}")
        return other

    def __add__(self, other: Any) -> Sequential:
        return type(self)(*self, *self._as_other(other))

    def __iadd__(self, other: Any) -> Self:
        return self.extend(self._as_other(other))

    def _times(self, other: Any) -> list[Module]:
        if not isinstance(other, int):
            raise TypeError(f"Sequential: can be multiplied by an integer, not {type(other).__name__}")
        if other <= 0:
            raise ValueError(f"Sequential: Non-positive multiplication factor {other}")
        return list(self) * other

    def __mul__(self, other: int) -> Sequential:
        return type(self)(*self._times(other))

    __rmul__ = __mul__

    def __imul__(self, other: int) -> Self:
        self._number(self._times(other))
        return self


class ModuleList(_Ordered):
    """A list of modules, all of whose parameters are found.

    TypeError for what is no module.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> layers = tg.nn.ModuleList([tg.nn.Linear(2, 3), tg.nn.ReLU()])
    >>> len(layers), layers[1]
    (2, ReLU())
    >>> len(list(layers.parameters()))
    2
    """

    def __init__(self, modules: Iterable[Module] | None = None) -> None:
        super().__init__()
        self.extend(() if modules is None else modules)

    def _part(self, index: slice) -> Self:
        return type(self)(list(self)[index])

    def insert(self, index: int, module: Module) -> None:
        """Add a module before the one of this number."""
        modules = list(self)
        modules.insert(index, self._checked(module))
        self._number(modules)

    def __add__(self, other: Iterable[Module]) -> ModuleList:
        return ModuleList(chain(self, other))

    def __iadd__(self, other: Iterable[Module]) -> Self:
        return self.extend(other)

    def __repr__(self) -> str:
        children, first = [], 0
        for text, equal in groupby(repr(module) for module in self):
            count = len(list(equal))
            place = f"({first})" if count == 1 else f"({first}-{first + count - 1})"
            children.append(f"{place}: " + (f"{count} x " if count > 1 else "") + indented(text))
            first += count
        return framed(self._get_name(), [], children)


class ModuleDict(Module):
    """Modules by name, in the order in which they were added; all of their parameters are found.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> layers = tg.nn.ModuleDict({"first": tg.nn.Linear(2, 3), "act": tg.nn.ReLU()})
    >>> list(layers), layers["act"]
    (['first', 'act'], ReLU())
    """

    _modules: dict[str, Module]  # type: ignore[assignment]  # without gaps

    def __init__(self, modules: Any = None) -> None:
        super().__init__()
        if modules is not None:
            self.update(modules)

    def __getitem__(self, key: str) -> Module:
        return self._modules[key]

    def __setitem__(self, key: str, module: Module) -> None:
        self.add_module(key, module)

    def __delitem__(self, key: str) -> None:
        del self._modules[key]

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __contains__(self, key: object) -> bool:
        return key in self._modules

    def clear(self) -> None:
        """Take all modules out."""
        self._modules.clear()

    def pop(self, key: str) -> Module:
        """Take one module out."""
        return self._modules.pop(key)

    def keys(self) -> KeysView[str]:
        """The names."""
        return self._modules.keys()

    def items(self) -> ItemsView[str, Module]:
        """The names with their modules."""
        return self._modules.items()

    def values(self) -> ValuesView[Module]:
        """The modules."""
        return self._modules.values()

    def update(self, modules: Any) -> None:
        """Add the modules of a mapping, or of (name, module) pairs."""
        for key, module in pairs("ModuleDict", modules):
            self[key] = module


def pairs(name: str, values: Any) -> list[tuple[Any, Any]]:
    """The (key, value) pairs of a mapping or an iterable of pairs.

    Raises
    ------
    TypeError, ValueError
        If it is neither, as ``dict.update`` does.
    """
    items: Any = getattr(values, "items", None)
    if items is not None and isinstance(values, (Mapping, Module)):
        return list(items())
    if not isinstance(values, Iterable):
        raise TypeError(
            f"{name}.update should be called with an iterable of key/value pairs, but got {type(values).__name__}"
        )
    found = []
    for k, pair in enumerate(values):
        if not isinstance(pair, Iterable):
            raise TypeError(f"{name} update sequence element #{k} should be Iterable; is {type(pair).__name__}")
        entry = tuple(pair)
        if len(entry) != 2:
            raise ValueError(f"{name} update sequence element #{k} has length {len(entry)}; 2 is required")
        found.append(entry)
    return found
