"""Where a module keeps its parameters, its buffers and the modules below it."""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Mapping, MutableMapping
from typing import TYPE_CHECKING, Any, TypeVar

V = TypeVar("V")


class Entries(dict[str, V]):
    """Entries of a module by name, each of which is an attribute of the module, too.

    An entry stands in the module's ``__dict__``, too: reading ``self.weight`` costs what any attribute costs.
    Programs may write here themselves, ``module._parameters["weight"] = w``: every way to write changes both places.
    Copied or pickled, it is a plain dict; `Module.__setstate__` makes its entries attributes again.
    """

    __slots__ = ("_module",)

    def __init__(self, module: object, entries: Mapping[str, V] | Iterable[tuple[str, V]] = ()) -> None:
        super().__init__()
        self._module = weakref.ref(module)  # weak: a module is freed with its last user, not by the garbage collector
        self.update(entries)

    def _attributes(self) -> dict[str, Any]:
        module = self._module()
        return {} if module is None else module.__dict__

    def __setitem__(self, name: str, value: V) -> None:
        super().__setitem__(name, value)
        self._attributes()[name] = value

    def __delitem__(self, name: str) -> None:
        super().__delitem__(name)
        self._attributes().pop(name, None)

    def __reduce__(self) -> tuple[Any, ...]:
        return dict, (dict(self),)

    if not TYPE_CHECKING:  # other ways to write, which go by the two above; to type checkers they are those of dict
        popitem, clear = MutableMapping.popitem, MutableMapping.clear
        update, setdefault = MutableMapping.update, MutableMapping.setdefault

        def pop(self, name, *default):
            if name not in self:
                return super().pop(name, *default)
            value = self[name]
            del self[name]
            return value

        def __ior__(self, other):
            self.update(other)
            return self
