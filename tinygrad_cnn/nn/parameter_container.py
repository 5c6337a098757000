"""Parameters in a list, and by name. What is put in as a Tensor becomes a Parameter; other things are only kept."""

from __future__ import annotations

import operator
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NoReturn, Self, TypeVar, overload

from tinygrad_cnn.nn.container import pairs
from tinygrad_cnn.nn.module import Module
from tinygrad_cnn.nn.parameter import Parameter
from tinygrad_cnn.tensor import Tensor
from tinygrad_cnn.torch_names.errors import NameMissingError

__all__ = ["ParameterDict", "ParameterList"]

T = TypeVar("T")
TYPE_NAMES = {
    "float16": "Half", "float32": "Float", "float64": "Double", "uint8": "Byte", "int8": "Char",
    "int16": "Short", "int32": "Int", "int64": "Long", "bool": "Bool",
}  # fmt: skip
"""What PyTorch called a tensor of each dtype before it had dtypes; a ParameterDict still prints it."""


def _kept(value: Any) -> Any:
    return Parameter(value) if isinstance(value, Tensor) and not isinstance(value, Parameter) else value


def _described(key: Any, value: Any, kind: str) -> str:
    if not isinstance(value, Tensor):
        return f"  ({key}): Object of type: {type(value).__name__}"
    holder = "Parameter" if isinstance(value, Parameter) else "Tensor"
    return f"  ({key}): {holder} containing: [{kind} of size {'x'.join(map(str, value.shape))}]"


class ParameterList(Module):
    """A list of parameters, all of which are found.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> weights = tg.nn.ParameterList([tg.ones(2), tg.zeros(3)])
    >>> len(weights), weights[0].requires_grad
    (2, True)
    """

    def __init__(self, values: Iterable[Any] | None = None) -> None:
        super().__init__()
        self._size = 0
        if values is not None:
            self.extend(values)

    def _key(self, index: int) -> str:
        n, k = len(self), operator.index(index)
        if not -n <= k < n:
            raise IndexError(f"ParameterList: index {k} is out of range for {n} values")
        return str(k % n)

    @overload
    def __getitem__(self, index: int) -> Parameter: ...
    @overload
    def __getitem__(self, index: slice) -> Self: ...
    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return type(self)([self[k] for k in range(*index.indices(len(self)))])
        return getattr(self, self._key(index))

    def __setitem__(self, index: int, value: Any) -> None:
        setattr(self, self._key(index), _kept(value))

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[Parameter]:
        return (self[k] for k in range(len(self)))

    def __iadd__(self, values: Iterable[Any]) -> Self:
        return self.extend(values)

    def append(self, value: Any) -> Self:
        """Add a value at the end."""
        self._size += 1
        self[-1] = value
        return self

    def extend(self, values: Iterable[Any]) -> Self:
        """Add several values at the end."""
        if not isinstance(values, Iterable) or isinstance(values, Tensor):
            raise TypeError(f"ParameterList.extend should be called with an iterable, but got {type(values).__name__}")
        for value in list(values):
            self.append(value)
        return self

    def extra_repr(self) -> str:
        """The shapes."""
        return "\n".join(_described(k, v, str(getattr(v, "dtype", ""))) for k, v in enumerate(self))

    def __call__(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise RuntimeError("ParameterList should not be called.")


class ParameterDict(Module):
    """Parameters by name, in the order in which they were added; of a plain dict in the order of their names.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> weights = tg.nn.ParameterDict({"w": tg.ones(2), "b": tg.zeros(1)})
    >>> list(weights), weights["w"].requires_grad
    (['b', 'w'], True)
    """

    def __init__(self, parameters: Any = None) -> None:
        super().__init__()
        self._keys: dict[str, None] = {}
        if parameters is not None:
            self.update(parameters)

    def _check_key(self, key: Any) -> None:
        if not isinstance(key, str):
            raise TypeError(f"ParameterDict: a key must be a string, not {type(key).__name__} {key!r}")

    def __getitem__(self, key: str) -> Parameter:
        self._check_key(key)
        if key not in self._keys:
            raise NameMissingError(key)
        held: Parameter = getattr(self, key)
        return held

    def __setitem__(self, key: str, value: Any) -> None:
        self._check_key(key)
        setattr(self, key, _kept(value))
        self._keys[key] = None

    def __delitem__(self, key: str) -> None:
        del self._keys[key]
        delattr(self, key)

    def __len__(self) -> int:
        return len(self._keys)

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __reversed__(self) -> Iterator[str]:
        return reversed(list(self._keys))

    def __contains__(self, key: object) -> bool:
        return key in self._keys

    def __or__(self, other: Any) -> ParameterDict:
        joined = self.copy()
        joined.update(other)
        return joined

    def __ror__(self, other: Any) -> dict[str, Parameter]:
        return {**other, **dict(self.items())}

    def __ior__(self, other: Any) -> Self:
        self.update(other)
        return self

    def copy(self) -> ParameterDict:
        """Another ParameterDict with the same parameters."""
        return ParameterDict(self.items())

    def setdefault(self, key: str, default: Any = None) -> Parameter:
        """The value of a key, which gets the default if it has none."""
        if key not in self:
            self[key] = default
        return self[key]

    def clear(self) -> None:
        """Take everything out."""
        for key in list(self._keys):
            del self[key]

    def pop(self, key: str) -> Parameter:
        """Take one value out."""
        value = self[key]
        del self[key]
        return value

    def popitem(self) -> tuple[str, Parameter]:
        """Take the last key and value out."""
        key = next(reversed(self._keys))
        return key, self.pop(key)

    def get(self, key: str, default: T | None = None) -> Parameter | T | None:
        """The value of a key, or the default."""
        return self[key] if key in self._keys else default

    def fromkeys(self, keys: Iterable[str], default: Any = None) -> ParameterDict:
        """A new ParameterDict with one value for all keys."""
        return ParameterDict((key, default) for key in keys)

    def keys(self) -> Iterable[str]:
        """The names."""
        return self._keys.keys()

    def items(self) -> Iterable[tuple[str, Parameter]]:
        """The names with their values."""
        return ((key, self[key]) for key in self._keys)

    def values(self) -> Iterable[Parameter]:
        """The values."""
        return (self[key] for key in self._keys)

    def update(self, parameters: Any) -> None:
        """Add the values of a mapping, or of (name, value) pairs; those of a plain dict in the order of their names."""
        found = pairs("ParameterDict", parameters)
        plain = isinstance(parameters, Mapping) and not isinstance(parameters, OrderedDict)
        for key, value in sorted(found, key=lambda pair: pair[0]) if plain else found:
            self[key] = value

    def extra_repr(self) -> str:
        """The shapes."""
        return "\n".join(
            _described(k, v, f"torch.{TYPE_NAMES[v.dtype.name]}Tensor" if isinstance(v, Tensor) else "")
            for k, v in self.items()
        )

    def __call__(self, input: Any) -> NoReturn:
        raise RuntimeError("ParameterDict should not be called.")
