"""Arguments and results of any structure: dictionaries, lists, tuples and dataclasses, one in another.

JAX has its own such things, `jax.tree_util`, which its adapter uses.
"""

import copy
import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

Named = tuple[str, Any]
"""Where a leaf is, as Python would write it behind the name of the whole, and the leaf."""


def leaves(tree: Any, path: str = "") -> Iterator[Named]:
    """The leaves in their order; None is one of them."""
    parts = _parts(tree)
    if parts is None:
        yield path, tree
    else:
        for step, part in parts:
            yield from leaves(part, path + step)


def rebuilt(tree: Any, values: Iterable[Any]) -> Any:
    """The same structure with other leaves, in the order of `leaves`."""
    return _rebuilt(tree, iter(values))


def aligned(tree: Any, other: Any) -> list[Any]:
    """What another tree has at the leaves of this one: None where it has nothing, or None above them."""
    parts = _parts(tree)
    if parts is None:
        return [other]
    found = {} if other is None else dict(_parts(other) or [])
    return [leaf for step, part in parts for leaf in aligned(part, found.get(step))]


def _parts(tree: Any) -> list[Named] | None:
    """The parts of a container, None for a leaf."""
    if isinstance(tree, Mapping):
        return [(f"[{key!r}]", part) for key, part in tree.items()]
    if isinstance(tree, (list, tuple)):
        names = getattr(tree, "_fields", None)
        return [(f".{names[k]}" if names else f"[{k}]", part) for k, part in enumerate(tree)]
    if dataclasses.is_dataclass(tree) and not isinstance(tree, type):
        return [(f".{field.name}", getattr(tree, field.name)) for field in dataclasses.fields(tree)]
    return None


def _rebuilt(tree: Any, values: Iterator[Any]) -> Any:
    if isinstance(tree, (list, tuple)):
        parts = [_rebuilt(part, values) for part in tree]
        return type(tree)(*parts) if hasattr(tree, "_fields") else type(tree)(parts)
    if isinstance(tree, Mapping):
        found = {key: _rebuilt(part, values) for key, part in tree.items()}
        if type(tree) is dict or not isinstance(tree, dict):
            return found
        same_kind = copy.copy(tree)  # an OrderedDict, a defaultdict
        same_kind.update(found)
        return same_kind
    if dataclasses.is_dataclass(tree) and not isinstance(tree, type):
        same: Any = copy.copy(tree)
        for field in dataclasses.fields(tree):  # frozen ones, too
            object.__setattr__(same, field.name, _rebuilt(getattr(tree, field.name), values))
        return same
    return next(values)
