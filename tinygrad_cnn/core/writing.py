"""Writing in place: into the memory, so that all who see it see the write, and then into the history.

`Tensor` takes these methods over. A recorded write computes the new value as any op would, writes it into the memory
and moves the tensor to the node of that value. Of a view it is the base that moves, to one node that says "the base
with this value written there" (`CopySlices`); the view, and every other view of that memory, takes its place in the
graph from the base when somebody next asks for it (`current`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from tinygrad_cnn.core import saved
from tinygrad_cnn.core.checks import check_numbers, shape_of
from tinygrad_cnn.core.errors import ArgumentError, DTypeError
from tinygrad_cnn.core.graph import Node
from tinygrad_cnn.core.indexing import CopySlices, GetItem, Path, SetItem, check_index, is_basic
from tinygrad_cnn.core.mode import mode
from tinygrad_cnn.core.promotion import CATEGORY
from tinygrad_cnn.core.shape import Cast, Expand, Reshape
from tinygrad_cnn.core.storage import View, check_overlap, clock, note_write, outside, owner, start, written_since
from tinygrad_cnn.core.types import ArrayLike, NDArray
from tinygrad_cnn.core.watch import watch


class Writable:
    """What can be written in place, and the place in the graph that changes with it."""

    __slots__ = ("__weakref__", "_grad", "_node", "_wants", "array", "hooks", "view_of")
    array: NDArray
    """The numbers."""
    view_of: View | None
    """Of what it is a view; None if its memory is its own."""
    _node: Any
    _wants: bool
    if TYPE_CHECKING:  # what `Tensor` says of itself
        _grad: Any
        wrap: Any
        alias: Any
        requires_grad: Any

    # ---- the place in the graph --------------------------------------------------------------------------------------

    @property
    def base(self) -> Any:
        """The tensor of which this is a view, or None."""
        return None if self.view_of is None else self.view_of.base

    def current(self) -> Any:
        """The node of this tensor, None of a leaf; that of a view is made anew if its memory was written since."""
        view = self.view_of
        if view is None or view.base is None:
            return self._node
        if view.time != clock.now:
            if written_since(self.array, view.time):
                if self._node is None and not view.base.requires_grad:
                    return None  # as stale as it is, until its base is switched on
                view.check("backward")
                self._stand_at(history(view))
            view.time = clock.now
        return self._node

    def _stand_at(self, node: Any) -> None:
        """Move to another place in the graph, and be told of the gradient there, if that was asked for."""
        old = self._node
        if isinstance(old, Node) and node is not None and old.retained is not None and old.retained() is self:
            node.retained, old.retained = old.retained, None
        self._node = node

    def move_to(self, node: Any, seen: bool = True) -> None:
        """Stand, once written, where the written value stands; of a view the base does, and the view, if it is seen."""
        view, base = self.view_of, self.base
        if view is None or base is None:
            self._stand_at(node)
        elif node is not None or base._node is not None:
            old, options = base.array, {"path": path(view)}
            kept = saved.pack(CopySlices, [old, self.array], old, ())
            base._stand_at(Node.kind(CopySlices, (base._node, node), kept, options, old.shape, old.dtype))
            if seen:  # at once, whatever is done to the base later
                self.current()

    # ---- writes ------------------------------------------------------------------------------------------------------

    def become(self, op: str, function: Callable[[Any], Any], *operands: Any, place: Any = ...) -> Self:
        """Take the value of `function(self)`, in this tensor's memory; nothing is written but at the place."""
        if not self.records_write(op, operands):
            values = np.asarray(function(self.wrap(self.array)).array)
            self._check_fits(op, values)
            self.write(op, values)
            return self
        clock.now += 1  # the nodes of this write are known by their time
        old = self.array[...] if watch.watcher is None else np.array(self.array)  # a watcher may keep it
        view = self.view_of if self.requires_grad and self.base is not None else None
        result = function(self.alias(old, self.current() if view is None else history(view)))  # nobody is told there
        self._check_fits(op, result.array)
        result = result if result.array.dtype == self.array.dtype else result.astype(self.array.dtype)
        node = result.edge if result.requires_grad else None
        if fresh := isinstance(node, Node) and node.time == clock.now:
            self._keep_old(node, [v.array for v in operands if isinstance(v, Writable) and self._clear_of(v.array)])
        self.write(op, result.array[place], place is not ..., place)
        if fresh:
            self._keep_output(node)
        self.move_to(node)
        return self

    def assign(self, op: str, value: ArrayLike, seen: bool = True) -> Self:
        """Take a value, broadcast: of what was here before nothing is needed."""
        recorded, node, array = self.records_write(op, (value,)), None, value
        if recorded and self.base is None:
            return self.become(op, lambda x: SetItem.apply(x, value, index=...), value)
        if isinstance(value, Writable):
            if recorded and value.requires_grad:
                value = value if value.array.dtype == self.array.dtype else Cast.apply(value, dtype=self.array.dtype)
                whole = value if value.array.shape == self.array.shape else Expand.apply(value, shape=self.array.shape)
                node = whole.edge if whole.requires_grad else None  # integers have none
            array = value.array
        self.write(op, array, repeatable=not isinstance(value, Writable) and not shape_of(array))
        if recorded:
            self.move_to(node, seen)
        return self

    def __setitem__(self, index: Any, value: ArrayLike) -> None:
        held: Any = value if isinstance(value, (Writable, int, float)) else check_numbers("setitem", value)
        place = check_index("setitem", index, self.array.shape)
        try:
            if is_basic(place) and (isinstance(held, Writable) or self.requires_grad):
                part, target = GetItem.forward(self.array, index=place), self
                if (part.shape, part.strides) != (self.array.shape, self.array.strides):  # not all of it
                    target = self.alias(part, self if self._wants and self._node is None else self._node)
                    target.view_of = View(self, GetItem, {"index": place})
                extra = len(shape_of(held)) - part.ndim  # NumPy drops leading axes of size 1
                held = Reshape.apply(held, shape=shape_of(held)[extra:]) if extra > 0 else held
                target.assign("setitem", held, target is self)
            elif self.records_write("setitem", (held,)):
                self.become("setitem", lambda x: SetItem.apply(x, held, index=place), held, place=place)
            else:
                self.array[place] = held.array if isinstance(held, Writable) else held
                note_write(self.array)
        except (IndexError, ValueError) as error:
            raise (ArgumentError if isinstance(error, ValueError) else IndexError)(
                f"setitem: {error} (input of shape {self.array.shape}, index {index!r}, value of shape "
                f"{np.shape(held.array if isinstance(held, Writable) else held)})"
            ) from None

    def write(self, op: str, values: Any, repeatable: bool = False, place: Any = ...) -> None:
        """Write into the memory and say so. `repeatable`: an element may be written twice."""
        array = self.array
        if 0 in array.strides and not repeatable:
            check_overlap(op, array)
        try:
            array[place] = values
        except (ValueError, TypeError) as error:
            raise ArgumentError(f"{op}: {error}") from None
        finally:  # after an interrupt, too
            note_write(array)

    def turn(self, op: str, function: Callable[[Any], Any]) -> None:
        """Become a view of oneself: another shape of the same memory. It counts as a write."""
        recorded, view = self.records_write(op, ()), self.view_of
        before = self.alias(self.array, self._node)
        before.view_of = view
        turned = function(before)
        self.array = turned.array
        if view is not None and view.base is not None:  # its history is made anew, for it was written
            self.view_of = turned.view_of
            turned.view_of.refusal = view.refusal
        else:
            self.view_of = outside(self.array)
            if recorded:
                self._stand_at(turned._node)
                self._grad = None if self._grad is None else function(self._grad)
        note_write(self.array)

    def records_write(self, op: str, operands: tuple[Any, ...]) -> bool:
        """Whether a write of these into this tensor is recorded; RuntimeError if that is refused."""
        if not mode.recording or not (self.requires_grad or any(getattr(v, "requires_grad", False) for v in operands)):
            return False
        if (view := self.seen_view()) is not None and view.base is not None:
            view.check(op)
        base: Any = self if self.base is None else self.base
        if (self._wants and self.current() is None) or (self.requires_grad and base.is_leaf):
            raise RuntimeError(
                f"{op}: a leaf that requires a gradient, or a view of it, cannot be modified in place; do it under "
                "no_grad(), or on a clone()"
            )
        return True

    def seen_view(self) -> View | None:
        """Of what this is a view; no longer of a base that nobody sees."""
        if self.view_of is not None and self.view_of.hidden():
            self.current()
            self.view_of = outside(self.array)
        return self.view_of

    def _check_fits(self, op: str, values: NDArray) -> None:
        if values.shape != self.array.shape:
            raise ArgumentError(f"{op}: the result has shape {values.shape}; in place it must keep {self.array.shape}")
        if CATEGORY[values.dtype.kind] > CATEGORY[self.array.dtype.kind]:
            raise DTypeError(f"{op}: dtype {values.dtype} does not fit into {self.array.dtype}; use .float() before")

    def _keep_old(self, node: Any, operands: list[NDArray]) -> None:
        """Give the nodes of this write a copy of the value from before, where they saved it; not those of operands."""
        memory, stack = owner(self.array), [node]

        def kept(part: Any) -> Any:
            if type(part) is tuple:
                return tuple(map(kept, part))
            old = type(part) is np.ndarray and (owner(part) is memory or np.may_share_memory(part, self.array))
            return np.array(part) if old and not any(part is o for o in operands) else part

        while stack:
            node = stack.pop()
            if isinstance(node, Node) and node.time == clock.now:
                stack += node.edges
                node.saved = node.saved and kept(node.saved)
                node.options = {name: kept(value) for name, value in node.options.items()}

    def _clear_of(self, other: NDArray) -> bool:
        """Whether a write here leaves another array as it is, or writes just the whole of it."""
        own, its = ((start(a), a.shape, a.strides, a.dtype) for a in (self.array, other))
        return own == its or not np.shares_memory(self.array, other)

    def _keep_output(self, node: Any) -> None:
        """Of a value that its op saved keep the place where it was written, not where it was computed."""
        (first, *rest), memory = node.saved or (None,), owner(self.array)
        if type(first) is np.ndarray and not any(type(p) is np.ndarray and owner(p) is memory for p in rest):
            node.saved, node.time = (self.array, *rest), clock.now


def path(view: View) -> Path:
    """The ops from the base to this view, first to last; before them those that undo a turn of the base since."""
    steps, array = [(view.op, view.options)], view.base.array
    while view.before is not None:
        view = view.before
        steps.append((view.op, view.options))
    old: Any = view.seen
    if (old.shape, old.strides) != (array.shape, array.strides):
        here, there = (np.tensordot(np.array(a.strides), np.indices(a.shape), 1) for a in (array, old))
        if np.isin(there, here).all():
            order = here.argsort(None)  # of the elements in memory
            places = order[np.searchsorted(here.ravel()[order], there)]
            steps += (GetItem, {"index": (places,)}), (Reshape, {"shape": (-1,)})
    return tuple(reversed(steps))


def history(view: View) -> Any:
    """The place in the graph of this view of its base, as the base is now: the nodes, and no values."""
    edge, array = (view.base.edge if view.base.requires_grad else None), view.base.array
    for op, options in path(view):
        try:
            result = op.forward(array, **options)
        except (IndexError, ValueError) as error:
            raise RuntimeError(f"this view, or its base, was given data of another shape: {error}") from None
        kept = saved.pack(op, [array], result, ()) if op.saves_any else None
        edge, array = Node.kind(op, (edge,), kept, options, result.shape, result.dtype), result
    return edge
