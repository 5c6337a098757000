"""`Tensor`: an array that remembers the op that made it.

Here is how it records (`Tensor.__record__`), what it knows of its place in the graph, and its arithmetic. How it is
written in place is in `writing`, the backward pass in `engine`.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from sys import getrefcount
from threading import RLock
from types import NoneType
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from tinygrad_cnn.core import engine, saved
from tinygrad_cnn.core.arrays import as_array, unify
from tinygrad_cnn.core.checks import check_numbers
from tinygrad_cnn.core.elementwise import Add, Div, Mul, Neg, PowScalar, Sub
from tinygrad_cnn.core.errors import ArgumentError, DTypeError
from tinygrad_cnn.core.graph import Edge, Node
from tinygrad_cnn.core.indexing import GetItem, check_index
from tinygrad_cnn.core.linalg import Matmul
from tinygrad_cnn.core.mode import mode
from tinygrad_cnn.core.op import NO_OPTIONS, Op
from tinygrad_cnn.core.promotion import FLOAT32
from tinygrad_cnn.core.shape import Cast
from tinygrad_cnn.core.storage import View, check_overlap, in_order, note_write, outside, owner
from tinygrad_cnn.core.types import ArrayLike, DType, NDArray, Shape
from tinygrad_cnn.core.writing import Writable


class Tensor(Writable):
    """An array with a gradient.

    Parameters
    ----------
    data : array, number or nested sequences; an array keeps its dtype and shares its memory
    requires_grad : record what is computed from it, and fill `.grad` in `backward`; floating dtypes only
    dtype : convert to this one

    Examples
    --------
    >>> x = Tensor([1.0, 2.0], requires_grad=True)
    >>> y = x * x + 3 * x
    >>> y.backward(np.ones(2))
    >>> x.grad.array
    array([5., 7.], dtype=float32)
    """

    __slots__ = ()

    kind: ClassVar[type[Tensor]]
    """The class that results have: the one with all the methods, if there is one."""
    meanings: ClassVar[dict[Any, Callable[..., Any]]] = {}
    """What NumPy's functions mean when they are given a tensor; `numpy_protocol` fills it."""

    __array_priority__ = 1000

    edges: tuple[()] = ()
    """A tensor that no op made has no edges; this makes it a leaf of the graph."""
    retained = True
    """A leaf keeps its gradient."""

    def __init__(self, data: ArrayLike = (), *, requires_grad: bool = False, dtype: Any = None) -> None:
        self.array = as_array(data, dtype)
        self._node: Node | Tensor | None = None
        self._grad: Any = None
        self.view_of: View | None = outside(self.array)
        self.hooks: Any = None
        self._wants = False
        if requires_grad:
            self.requires_grad_()

    # ---- recording ---------------------------------------------------------------------------------------------------

    @staticmethod
    def wrap(array: Any) -> Any:
        """A tensor of this very array, without a history; a tensor is returned as it is."""
        if isinstance(array, Tensor):
            return array
        out = new(Tensor.kind)
        out.array = array
        out._node = out._grad = out.view_of = out.hooks = None
        out._wants = False
        return out

    @staticmethod
    def sharing(array: Any) -> Any:
        """A tensor without a history of memory that others see."""
        out = Tensor.wrap(array)
        out.view_of = outside(array)
        return out

    @staticmethod
    def alias(array: Any, edge: Any) -> Any:
        """A tensor of a saved array that stands at its old place in the graph."""
        out = Tensor.wrap(array)
        out._node = edge
        return out

    @staticmethod
    def __record__(op: type[Op], inputs: tuple[Any, ...], options: dict[str, Any]) -> Any:
        """Apply an op to inputs some of which are tensors, and remember it if a gradient may be asked for."""
        arrays: list[Any] = []
        edges: list[Edge | None] = []
        tracked, plain = False, True  # plain: float32 and Python numbers only, so that no dtype has to change
        for value in inputs:
            edge = None
            if isinstance(value, Tensor):
                data = value.array
                if data.dtype is not FLOAT32:
                    plain = False
                edge = value._node
                if value.view_of is not None and mode.recording:
                    edge, tracked = value.current(), tracked or value.requires_grad
                if edge is None and value._wants:
                    edge = value
                if edge is not None:
                    tracked = True
                arrays.append(data)
            elif type(value) is float or type(value) is int:
                arrays.append(value)
            else:
                plain = False
                arrays.append(value if isinstance(value, (int, float)) else check_numbers(op.label, value))
            edges.append(edge)
        if not plain and (op.promotes or op.floating):
            unify(op, arrays)
        if views := op.views and isinstance(inputs[0], Tensor):
            arrays[0] = in_order(inputs[0])
        result, aux = computed(op, arrays, options)
        out = Tensor.wrap(result)
        if tracked and mode.recording and op.differentiable and (result.dtype is FLOAT32 or result.dtype.kind in "fc"):
            if op.constant:
                edges = [None if rule is None else e for rule, e in zip(op.rules, edges, strict=True)]
            asking = zip(op.rules, inputs, strict=True) if op.constant else ()
            if not op.constant or any(rule is not None and getattr(v, "requires_grad", False) for rule, v in asking):
                kept = saved.pack(op, arrays, result, aux) if op.saves_any else None
                out._node = Node.kind(op, tuple(edges), kept, options, result.shape, result.dtype)
        if views and owner(result) is owner(arrays[0]):
            out.view_of = View(inputs[0], op, options)
        return (out, *(Tensor.wrap(np.asarray(a)) for a in aux)) if aux else out

    @staticmethod
    def arithmetic(op: type[Op], a: Any, b: Any) -> Any:
        """`__record__` of the commonest case, two float32 tensors and no views, without its questions."""
        kind = Tensor.kind
        if not (type(a) is type(b) is kind):
            return Tensor.__record__(op, (a, b), NO_OPTIONS)
        x, y = a.array, b.array
        if x.dtype is not FLOAT32 or y.dtype is not FLOAT32 or not op.plain_arithmetic or a.view_of or b.view_of:
            return Tensor.__record__(op, (a, b), NO_OPTIONS)
        try:
            result = op.forward(x, y)
        except ValueError:
            op.check_shapes((x, y))
            raise
        out = new(kind)
        out.array = result if type(result) is np.ndarray else np.asarray(result)
        out._node = out._grad = out.view_of = out.hooks = None
        out._wants = False
        if mode.recording:
            left = a if a._node is None and a._wants else a._node
            right = b if b._node is None and b._wants else b._node
            if left is not None or right is not None:
                kept = (None, x, y) if op.saves_inputs else None
                out._node = Node.kind(op, (left, right), kept, NO_OPTIONS, out.array.shape, FLOAT32)
        return out

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        """NEP 13: what a universal function of NumPy means for tensors."""
        meaning = Tensor.meanings.get(ufunc) if method == "__call__" and not options else None
        if meaning is not None:
            return meaning(*inputs)
        other = Tensor.meanings.get("ufunc")
        return NotImplemented if other is None else other(ufunc, method, inputs, options)

    def __array_function__(self, function: Any, types: Any, args: Any, options: Any) -> Any:
        """NEP 18: the same for NumPy's other functions."""
        other = Tensor.meanings.get("function")
        return NotImplemented if other is None else other(function, args, options)

    # ---- its place in the graph --------------------------------------------------------------------------------------

    @property
    def edge(self) -> Any:
        """Where this tensor stands in the graph: its node, or, if a leaf, itself."""
        node = self._node if self.view_of is None else self.current()
        return self if node is None else node

    @property
    def requires_grad(self) -> bool:
        """Whether gradients flow to or through this tensor."""
        return self._wants or self._node is not None or (self.base is not None and self.base.requires_grad)

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        self.requires_grad_(value)

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Let a leaf ask for its gradient, or no longer."""
        if isinstance(self._node, Node) if requires_grad else not self.is_leaf:
            if not requires_grad:
                raise RuntimeError("requires_grad_: only a leaf can be switched off; use .detach() for a result")
            return self
        if requires_grad and self.array.dtype.kind not in "fc":
            raise RuntimeError(f"requires_grad_: dtype {self.array.dtype} has no gradient; convert it with .float()")
        self._wants = bool(requires_grad)
        return self

    @property
    def grad(self) -> Self | None:
        """The gradient that `backward` has accumulated here, or None."""
        return self._grad

    @grad.setter
    def grad(self, value: Any) -> None:
        if not isinstance(value, (Tensor, NoneType)):
            raise TypeError(f"grad: expected None or a Tensor, got {type(value).__name__}")
        own, given = ((x.array.shape, x.array.dtype) for x in (self, self if value is None else value))
        if value is self or given != own:
            raise ArgumentError(f"grad: shape and dtype {given} for {own}; they must agree, and not be one tensor")
        self._grad = value

    @grad.deleter
    def grad(self) -> None:
        self._grad = None

    @property
    def is_leaf(self) -> bool:
        """Whether no recorded op made this tensor."""
        return not isinstance(self.current(), Node)

    @property
    def grad_fn(self) -> Node | None:
        """The node of the op that made this tensor; None for a leaf."""
        node = self.current()
        return node if isinstance(node, Node) else None

    def backward(
        self,
        gradient: ArrayLike = None,
        retain_graph: bool | None = None,
        create_graph: bool = False,
        inputs: Any = None,
    ) -> None:
        """Add the gradient of this tensor to the `.grad` of every leaf it depends on.

        Parameters
        ----------
        gradient : the cotangent, of this tensor's shape; None, for a tensor of one element, means 1
        retain_graph : keep what the graph saved, for another pass; by default if `create_graph`
        create_graph : record the pass, so that the gradients can themselves be differentiated
        inputs : the tensors that get a gradient, leaves or results of ops; None means every leaf

        Raises
        ------
        RuntimeError
            If no gradient is required, if the tensor has several elements and no cotangent is given, if the
            graph was freed by an earlier pass, or if a saved array was modified in place since.
        """
        targets = [inputs] if isinstance(inputs, Tensor) else inputs if inputs is None else list(inputs)
        engine.backward(
            "backward", [self], [gradient], inputs=targets, retain_graph=retain_graph, create_graph=create_graph
        )

    def accumulate(self, gradient: Any, owned: bool) -> None:
        """Add to `.grad`, in its memory unless that is recorded; an array that somebody may hold is copied first."""
        if isinstance(self._node, Node) or (self.view_of is not None and not self.is_leaf):
            raise RuntimeError("backward: a leaf was made the result of an op, by a write, since it was used")
        with adding:
            held = self._grad
            if not self._wants:  # no longer
                pass
            elif isinstance(gradient, Tensor):
                self._grad = Cast.apply(gradient, dtype=gradient.array.dtype) if held is None else held + gradient
            elif held is None:
                self._grad = Tensor.wrap(gradient if owned else np.array(gradient))
            else:
                if 0 in held.array.strides:
                    check_overlap("backward", held.array)
                try:
                    np.add(held.array, gradient, out=held.array)
                except ValueError as error:
                    raise ArgumentError(f"backward: .grad was given another shape, {error}") from None
                if getrefcount(held) > 3 or getrefcount(held.array) > 2 or held.array.base is not None:  # else unseen
                    note_write(held.array)
        if self.hooks is not None:
            for told in self.hooks.after:
                told(self)

    def retain(self, gradient: Any, owned: bool) -> None:
        """Add to the `.grad` of the result of an op: a new one each time."""
        with adding:
            total = gradient if self._grad is None else self._grad + gradient
            recorded = isinstance(total, Tensor)
            self._grad = Cast.apply(total, dtype=total.array.dtype) if recorded else Tensor.wrap(np.array(total))

    def detach(self) -> Self:
        """The same memory without the history."""
        return Tensor.sharing(in_order(self))

    # ---- arithmetic --------------------------------------------------------------------------------------------------

    def __add__(self, other: ArrayLike) -> Self:
        return self.arithmetic(Add, self, other)

    def __radd__(self, other: ArrayLike) -> Self:
        return self.arithmetic(Add, self, other)

    def __sub__(self, other: ArrayLike) -> Self:
        return self.arithmetic(Sub, self, other)

    def __rsub__(self, other: ArrayLike) -> Self:
        return self.arithmetic(Sub, other, self)

    def __mul__(self, other: ArrayLike) -> Self:
        return self.arithmetic(Mul, self, other)

    def __rmul__(self, other: ArrayLike) -> Self:
        return self.arithmetic(Mul, self, other)

    def __truediv__(self, other: ArrayLike) -> Self:
        return self.arithmetic(Div, self, other)

    def __rtruediv__(self, other: ArrayLike) -> Self:
        return self.arithmetic(Div, other, self)

    def __pow__(self, other: ArrayLike) -> Self:
        if not isinstance(other, (int, float)):
            return NotImplemented
        return PowScalar.apply(self, p=other)

    def __matmul__(self, other: ArrayLike, /) -> Self:
        return Matmul.apply(self, other)

    def __neg__(self) -> Self:
        return self.__record__(Neg, (self,), NO_OPTIONS)

    def __getitem__(self, index: Any) -> Self:
        return GetItem.apply(self, index=check_index("getitem", index, self.array.shape))

    def astype(self, dtype: Any) -> Self:
        """Converted to another dtype; the gradient comes back in the own one."""
        return Cast.apply(self, dtype=np.dtype(dtype))

    # ---- what it is --------------------------------------------------------------------------------------------------

    if TYPE_CHECKING:
        array_shape: Shape
        """The shape as a plain tuple: cheaper, and what the engine compares."""
        array_dtype: DType
        """NumPy's dtype of the elements: cheaper, and what the engine compares."""
    else:  # in C: half the time
        array_shape, array_dtype = property(attrgetter("array.shape")), property(attrgetter("array.dtype"))

    @property
    def shape(self) -> Shape:
        """The size of each dim."""
        return self.array.shape

    @property
    def ndim(self) -> int:
        """The number of dims."""
        return self.array.ndim

    def __repr__(self) -> str:
        return f"Tensor({self.array!r})"


new = object.__new__
adding = RLock()
"""Held while a gradient is added to a `.grad`: several threads may reach one leaf, a signal one twice."""
Tensor.kind = Tensor


def computed(op: type[Op], arrays: list[Any], options: dict[str, Any]) -> tuple[NDArray, tuple[Any, ...]]:
    """The output of an op's forward rule, as an array, and its auxiliary outputs."""
    try:
        result = op.forward(*arrays, **options) if options else op.forward(*arrays)
    except ValueError:
        op.check_shapes(arrays)
        raise
    except TypeError as error:  # NumPy has no such function of these dtypes: -x of booleans
        raise DTypeError(f"{op.label}: is not defined for {np.result_type(*arrays)}; convert, with .float()") from error
    aux: tuple[Any, ...] = ()
    if op.aux:
        result, *rest = result
        aux = tuple(rest)
    return result if type(result) is np.ndarray else check_numbers(f"{op.name}.forward", result), aux
