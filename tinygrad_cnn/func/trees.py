"""Nested dicts, lists and tuples of Tensors: taken apart into a list of leaves, and put together again."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from tinygrad_cnn.tensor import Tensor


class Shape(NamedTuple):
    """What is left of a tree without its leaves: how to build it of a list of parts, and the shapes of these."""

    build: Callable[[list[Any]], Any] | None
    """None at a leaf."""
    parts: tuple["Shape", ...]
    key: Any
    """Trees of the same kind, length and names have the same key."""

    @property
    def size(self) -> int:
        """The number of leaves."""
        return 1 if self.build is None else sum(part.size for part in self.parts)


LEAF = Shape(None, (), "leaf")


def flatten(tree: Any) -> tuple[list[Any], Shape]:
    """The leaves (whatever is no dict, list or tuple), and the shape that puts them together again."""
    if isinstance(tree, dict):
        names = list(tree)
        kind = OrderedDict if isinstance(tree, OrderedDict) else dict
        return _branch(list(tree.values()), lambda parts: kind(zip(names, parts, strict=True)), (kind, *names))
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        return _branch(list(tree), lambda parts: type(tree)(*parts), type(tree))
    if isinstance(tree, (list, tuple)):
        made = list if isinstance(tree, list) else tuple
        return _branch(list(tree), made, made)
    return [tree], LEAF


def _branch(values: list[Any], build: Callable[[list[Any]], Any], key: Any) -> tuple[list[Any], Shape]:
    flat = [flatten(value) for value in values]
    return [leaf for leaves, _ in flat for leaf in leaves], Shape(build, tuple(s for _, s in flat), key)


def build(leaves: Sequence[Any], shape: Shape) -> Any:
    """The tree of this shape with these leaves."""
    if shape.build is None:
        return leaves[0]
    parts, at = [], 0
    for part in shape.parts:
        parts.append(build(leaves[at : at + part.size], part))
        at += part.size
    return shape.build(parts)


def spread_over(name: str, value: Any, tree: Any) -> list[Any]:
    """One value per leaf of the tree: `value` is one for all, or a tree of which each leaf stands for a branch."""
    if isinstance(value, (dict, list, tuple)) and isinstance(tree, (dict, list, tuple)):
        given = value if isinstance(value, dict) else dict(enumerate(value))
        parts = tree if isinstance(tree, dict) else dict(enumerate(tree))
        if list(given) != list(parts):
            raise ValueError(f"{name}: {value!r} has not the structure of what it is for, of {len(parts)} parts")
        return [leaf for k in parts for leaf in spread_over(name, given[k], parts[k])]
    if isinstance(value, (dict, list, tuple)):
        raise ValueError(f"{name}: {value!r} is nested deeper than what it is for")
    return [value] * flatten(tree)[1].size


def all_tensors(name: str, leaves: list[Any]) -> None:
    """TypeError unless every leaf is a Tensor."""
    for leaf in leaves:
        if not isinstance(leaf, Tensor):
            raise TypeError(f"{name}: expected Tensors, or nested dicts, lists and tuples of them; got {leaf!r:.80}")
