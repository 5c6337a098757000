"""Modules that hold others in order."""

from __future__ import annotations

import operator
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from typing import Any, overload

from tinygrad_cnn.nn.module import Module


class _Ordered(Module):
    """Modules by number."""

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[Module]:
        return iter(self._modules.values())

    def _key(self, index: int) -> str:
        n, k = len(self), operator.index(index)
        if not -n <= k < n:
            raise IndexError(f"{type(self).__name__}: index {k} is out of range for {n} modules")
        names: list[str] = list(self._modules)
        return names[k]

    def append(self, module: Module) -> Any:
        """Add a module at the end."""
        self.add_module(str(len(self)), module)
        return self


class Sequential(_Ordered):
    """Modules applied one after the other; slices are Sequentials.

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
            if not isinstance(module, Module):
                raise TypeError(f"Sequential: element {name} is {type(module).__name__}; expected a Module")
            self.add_module(str(name), module)

    def forward(self, input: Any) -> Any:
        """Apply every module in turn."""
        for module in self:
            input = module(input)
        return input

    @overload
    def __getitem__(self, index: int) -> Module: ...
    @overload
    def __getitem__(self, index: slice) -> Sequential: ...
    def __getitem__(self, index: int | slice) -> Module | Sequential:
        if isinstance(index, slice):
            return Sequential(OrderedDict(list(self._modules.items())[index]))
        module: Module = self._modules[self._key(index)]
        return module


class ModuleList(_Ordered):
    """A list of modules, all of whose parameters are found."""

    def __init__(self, modules: Iterable[Module] = ()) -> None:
        super().__init__()
        for module in modules:
            self.append(module)

    def __getitem__(self, index: int) -> Module:
        module: Module = self._modules[self._key(index)]
        return module
