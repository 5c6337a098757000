"""``torch.utils._pytree``: nested containers as a list of leaves and a spec that puts them together again."""

from __future__ import annotations

from collections import OrderedDict, defaultdict, deque, namedtuple
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

__all__ = [
    "LeafSpec", "TreeSpec", "register_pytree_node", "tree_all", "tree_any", "tree_flatten", "tree_iter", "tree_leaves",
    "tree_map", "tree_map_", "tree_map_only", "tree_map_only_", "tree_structure", "tree_unflatten",
]  # fmt: skip

PyTree = Any
IsLeaf = Callable[[Any], bool] | None


class _Kind(NamedTuple):
    """How one type of containers is taken apart, into children and what else it is, and put together."""

    flatten: Callable[[Any], tuple[Iterable[Any], Any]]
    unflatten: Callable[[Iterable[Any], Any], Any]


_kinds: dict[type, _Kind] = {
    list: _Kind(lambda v: (v, None), lambda parts, _: list(parts)),
    tuple: _Kind(lambda v: (v, None), lambda parts, _: tuple(parts)),
    dict: _Kind(lambda v: (v.values(), list(v)), lambda parts, names: dict(zip(names, parts, strict=True))),
    OrderedDict: _Kind(
        lambda v: (v.values(), list(v)), lambda parts, names: OrderedDict(zip(names, parts, strict=True))
    ),
    defaultdict: _Kind(
        lambda v: (v.values(), [v.default_factory, list(v)]),
        lambda parts, told: defaultdict(told[0], zip(told[1], parts, strict=True)),
    ),
    deque: _Kind(lambda v: (v, v.maxlen), lambda parts, most: deque(parts, maxlen=most)),
    namedtuple: _Kind(lambda v: (v, type(v)), lambda parts, kind: kind(*parts)),  # type: ignore[dict-item]  # as there
}


def register_pytree_node(
    cls: type,
    flatten_fn: Callable[[Any], tuple[Iterable[Any], Any]],
    unflatten_fn: Callable[[Iterable[Any], Any], Any],
    **more: Any,
) -> None:
    """Let a class of yours be a container: `flatten_fn` gives (children, context), `unflatten_fn` takes them."""
    if cls in _kinds:
        raise ValueError(f"{cls} is already registered as pytree node.")
    _kinds[cls] = _Kind(flatten_fn, unflatten_fn)


@dataclass(frozen=True)
class TreeSpec:
    """What is left of a tree without its leaves: the type, its context, and the specs of the children."""

    type: Any
    context: Any
    children_specs: tuple[TreeSpec, ...]

    @property
    def num_nodes(self) -> int:
        """Containers and leaves, this one included."""
        return 1 + sum(spec.num_nodes for spec in self.children_specs)

    @property
    def num_leaves(self) -> int:
        """The number of leaves."""
        return sum(spec.num_leaves for spec in self.children_specs)

    @property
    def num_children(self) -> int:
        """The number of children."""
        return len(self.children_specs)

    def children(self) -> list[TreeSpec]:
        """The specs of the children."""
        return list(self.children_specs)

    def is_leaf(self) -> bool:
        """Whether it stands for a leaf."""
        return self.type is None

    def unflatten(self, leaves: Iterable[Any]) -> PyTree:
        """The tree with these leaves."""
        listed = list(leaves)
        if len(listed) != self.num_leaves:
            raise ValueError(
                f"treespec.unflatten(leaves): `leaves` has length {len(listed)} but the spec refers to a pytree that "
                f"holds {self.num_leaves} items ({self})."
            )
        return self._built(iter(listed))

    def _built(self, leaves: Any) -> PyTree:
        if self.is_leaf():
            return next(leaves)
        return _kinds[self.type].unflatten([spec._built(leaves) for spec in self.children_specs], self.context)

    def flatten_up_to(self, tree: PyTree) -> list[PyTree]:
        """The parts of a tree that stand where this has leaves; ValueError if it is no tree of this structure."""
        if self.is_leaf():
            return [tree]
        kind = kind_of(tree)
        parts, context = ((), None) if kind is None else _kinds[kind].flatten(tree)
        listed = list(parts)
        if kind is not self.type or context != self.context or len(listed) != self.num_children:
            raise ValueError(f"Type mismatch: expected a tree of {self}, but got {type(tree).__name__}")
        return [
            leaf for spec, part in zip(self.children_specs, listed, strict=True) for leaf in spec.flatten_up_to(part)
        ]

    def __repr__(self) -> str:
        if self.is_leaf():
            return "*"
        return f"TreeSpec({self.type.__name__}, {self.context}, [{', '.join(map(repr, self.children_specs))}])"


class LeafSpec(TreeSpec):
    """The spec of a leaf."""

    def __init__(self) -> None:
        super().__init__(None, None, ())

    @property
    def num_nodes(self) -> int:
        """One."""
        return 1

    @property
    def num_leaves(self) -> int:
        """One."""
        return 1

    __repr__ = TreeSpec.__repr__


_LEAF = LeafSpec()


def kind_of(tree: PyTree) -> Any:
    """The type of container that it is taken for; None of a leaf."""
    kind = type(tree)
    if kind in _kinds:
        return kind
    return namedtuple if isinstance(tree, tuple) and hasattr(tree, "_fields") else None


def tree_flatten(tree: PyTree, is_leaf: IsLeaf = None) -> tuple[list[Any], TreeSpec]:
    """The leaves of a tree, and the spec that puts them together again.

    >>> leaves, spec = tree_flatten({"a": [1, 2], "b": (3,)})
    >>> leaves
    [1, 2, 3]
    >>> tree_unflatten([10, 20, 30], spec)
    {'a': [10, 20], 'b': (30,)}
    """
    leaves: list[Any] = []
    return leaves, _flatten(tree, leaves, is_leaf)


def _flatten(tree: PyTree, leaves: list[Any], is_leaf: IsLeaf) -> TreeSpec:
    kind = None if is_leaf is not None and is_leaf(tree) else kind_of(tree)
    if kind is None:
        leaves.append(tree)
        return _LEAF
    parts, context = _kinds[kind].flatten(tree)
    return TreeSpec(kind, context, tuple([_flatten(part, leaves, is_leaf) for part in parts]))


def tree_unflatten(leaves: Iterable[Any], treespec: TreeSpec) -> PyTree:
    """The tree of this spec with these leaves."""
    if not isinstance(treespec, TreeSpec):
        raise TypeError(
            f"tree_unflatten(leaves, treespec): Expected `treespec` to be instance of TreeSpec but got item of type "
            f"{type(treespec)}."
        )
    return treespec.unflatten(leaves)


def tree_leaves(tree: PyTree, is_leaf: IsLeaf = None) -> list[Any]:
    """The leaves."""
    return tree_flatten(tree, is_leaf)[0]


def tree_iter(tree: PyTree, is_leaf: IsLeaf = None) -> Iterable[Any]:
    """The leaves, one after the other."""
    return iter(tree_leaves(tree, is_leaf))


def tree_structure(tree: PyTree, is_leaf: IsLeaf = None) -> TreeSpec:
    """The spec."""
    return tree_flatten(tree, is_leaf)[1]


def tree_map(func: Callable[..., Any], tree: PyTree, *rests: PyTree, is_leaf: IsLeaf = None) -> PyTree:
    """The tree of what a function makes of each leaf, and of what stands there in the other trees."""
    leaves, spec = tree_flatten(tree, is_leaf)
    return spec.unflatten(map(func, leaves, *(spec.flatten_up_to(rest) for rest in rests)))


def tree_map_(func: Callable[..., Any], tree: PyTree, *rests: PyTree, is_leaf: IsLeaf = None) -> PyTree:
    """Call a function with each leaf; the tree itself is returned."""
    tree_map(func, tree, *rests, is_leaf=is_leaf)
    return tree


def tree_map_only(kind: Any, func: Any = None, tree: PyTree = None, is_leaf: IsLeaf = None) -> PyTree:
    """`tree_map` for the leaves of some types, or for those that a function picks; the others stay."""
    picked = kind if callable(kind) and not isinstance(kind, type) else lambda leaf: isinstance(leaf, kind)
    return tree_map(lambda leaf: func(leaf) if picked(leaf) else leaf, tree, is_leaf=is_leaf)


def tree_map_only_(kind: Any, func: Any = None, tree: PyTree = None, is_leaf: IsLeaf = None) -> PyTree:
    """`tree_map_` for the leaves of some types."""
    tree_map_only(kind, func, tree, is_leaf)
    return tree


def tree_all(pred: Callable[[Any], bool], tree: PyTree, is_leaf: IsLeaf = None) -> bool:
    """Whether it holds of every leaf."""
    return all(map(pred, tree_leaves(tree, is_leaf)))


def tree_any(pred: Callable[[Any], bool], tree: PyTree, is_leaf: IsLeaf = None) -> bool:
    """Whether it holds of any leaf."""
    return any(map(pred, tree_leaves(tree, is_leaf)))
