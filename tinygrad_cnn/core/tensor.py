"""`Tensor`: an array that remembers the op that made it.

Here is how it records (`Tensor.__record__`), what it knows of its place in the graph, its arithmetic, and how it is
written in place. The backward pass is in `engine`.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from threading import RLock
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from tinygrad_cnn.core import engine, saved
from tinygrad_cnn.core.arrays import as_array, unify
from tinygrad_cnn.core.checks import check_numbers
from tinygrad_cnn.core.elementwise import Add, Div, Mul, Neg, PowScalar, Sub
from tinygrad_cnn.core.errors import ArgumentError, DTypeError
from tinygrad_cnn.core.graph import Edge, Node
from tinygrad_cnn.core.indexing import GetItem, SetItem, check_index
from tinygrad_cnn.core.linalg import Matmul
from tinygrad_cnn.core.mode import mode
from tinygrad_cnn.core.op import NO_OPTIONS, Op
from tinygrad_cnn.core.promotion import CATEGORY, FLOAT32
from tinygrad_cnn.core.shape import Cast
from tinygrad_cnn.core.types import ArrayLike, DType, NDArray, Shape
from tinygrad_cnn.core.writes import note_write


class Tensor:
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

    __slots__ = ("__weakref__", "_base", "_grad", "_node", "_wants", "array", "hooks")

    array: NDArray
    """The numbers."""
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
        self._base: tuple[Tensor, type[Op], dict[str, Any]] | None = None
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
        out._node = out._grad = out._base = out.hooks = None
        out._wants = False
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
        result, aux = computed(op, arrays, options)
        out = Tensor.wrap(result)
        if tracked and mode.recording and op.differentiable and (result.dtype is FLOAT32 or result.dtype.kind in "fc"):
            if op.constant:
                edges = [None if rule is None else e for rule, e in zip(op.rules, edges, strict=True)]
            if not op.constant or any(edge is not None for edge in edges):
                kept = saved.pack(op, arrays, result, aux) if op.saves_any else None
                out._node = Node.kind(op, tuple(edges), kept, options, result.shape, result.dtype)
        if op.views and isinstance(inputs[0], Tensor) and np.may_share_memory(result, inputs[0].array):
            out._base = (inputs[0], op, options)
        return (out, *(Tensor.wrap(np.asarray(a)) for a in aux)) if aux else out

    @staticmethod
    def arithmetic(op: type[Op], a: Any, b: Any) -> Any:
        """`__record__` of the commonest case, two float32 tensors, without its questions: a third of its time."""
        kind = Tensor.kind
        if not (type(a) is type(b) is kind):
            return Tensor.__record__(op, (a, b), NO_OPTIONS)
        x, y = a.array, b.array
        if x.dtype is not FLOAT32 or y.dtype is not FLOAT32 or not op.plain_arithmetic:
            return Tensor.__record__(op, (a, b), NO_OPTIONS)
        try:
            result = op.forward(x, y)
        except ValueError:
            op.check_shapes((x, y))
            raise
        out = new(kind)
        out.array = result if type(result) is np.ndarray else np.asarray(result)
        out._node = out._grad = out._base = out.hooks = None
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
        return self if self._node is None else self._node

    @property
    def requires_grad(self) -> bool:
        """Whether gradients flow to or through this tensor."""
        return self._wants or self._node is not None

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        self.requires_grad_(value)

    @property
    def is_recorded(self) -> bool:
        """Whether what is computed from this tensor now is recorded."""
        return mode.recording and self.requires_grad

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Let a leaf ask for its gradient, or no longer."""
        if self._node is not None:
            if not requires_grad:
                raise RuntimeError(
                    "requires_grad_: only a leaf can be switched off; use .detach() for the result of an op"
                )
            return self
        if requires_grad and self.array.dtype.kind not in "fc":
            raise RuntimeError(
                f"requires_grad_: a tensor of dtype {self.array.dtype} has no gradient; only floating dtypes have, "
                "convert it with .float()"
            )
        self._wants = bool(requires_grad)
        return self

    @property
    def grad(self) -> Self | None:
        """The gradient that `backward` has accumulated here, or None."""
        return self._grad

    @grad.setter
    def grad(self, value: Any) -> None:
        if value is not None and (not isinstance(value, Tensor) or value.array.shape != self.array.shape):
            raise ValueError(f"grad: expected None or a Tensor of shape {self.array.shape}, got {value!r}")
        self._grad = value

    @property
    def is_leaf(self) -> bool:
        """Whether no recorded op made this tensor."""
        return not isinstance(self._node, Node)

    @property
    def grad_fn(self) -> Node | None:
        """The node of the op that made this tensor; None for a leaf."""
        return self._node if isinstance(self._node, Node) else None

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
        """Add to `.grad`; an array that somebody else may hold is copied first."""
        with adding:
            if self._grad is not None:
                if isinstance(gradient, Tensor) or self._grad.requires_grad:
                    self._grad = self._grad + gradient
                else:
                    self._grad = Tensor.wrap(np.asarray(self._grad.array + gradient))
            elif isinstance(gradient, Tensor):
                self._grad = gradient
            else:
                self._grad = Tensor.wrap(gradient if owned else np.array(gradient))
        if self.hooks is not None:
            for told in self.hooks.after:
                told(self)

    def detach(self) -> Self:
        """The same memory without the history."""
        return Tensor.wrap(self.array)

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

    # ---- writing in place --------------------------------------------------------------------------------------------

    def become(self, op: str, function: Callable[[Any], Any], *operands: Any) -> Self:
        """Take the value of `function(self)`: in this tensor's memory if nothing is recorded, else as a new node."""
        if mode.recording and (self.requires_grad or any(isinstance(v, Tensor) and v.requires_grad for v in operands)):
            self.refuse_leaf(op)
            result = function(Tensor.alias(self.array, self._node))
            self._check_fits(op, result.array)
            dtype = self.array.dtype
            self._take(op, result if result.array.dtype == dtype else result.astype(dtype))
            return self
        values = np.asarray(function(Tensor.wrap(self.array)).array)
        self._check_fits(op, values)
        self.array[...] = values
        note_write(self.array)
        return self

    def refuse_leaf(self, op: str) -> None:
        """RuntimeError if this is a leaf that wants a gradient: it may not be written."""
        if self._wants and self._node is None:
            raise RuntimeError(
                f"{op}: a leaf that requires a gradient cannot be modified in place; do it under no_grad(), or on a "
                "clone()"
            )

    def _check_fits(self, op: str, values: NDArray) -> None:
        if values.shape != self.array.shape:
            raise ArgumentError(f"{op}: the result has shape {values.shape}; in place it must keep {self.array.shape}")
        if CATEGORY[values.dtype.kind] > CATEGORY[self.array.dtype.kind]:
            raise DTypeError(f"{op}: the result has dtype {values.dtype}, which does not fit into {self.array.dtype}")

    def _take(self, op: str, value: Tensor) -> None:
        """Stand where a recorded value stands. If this is a view, its base takes the value, too, at its place."""
        if self._base is not None:
            base, how, options = self._base
            base.refuse_leaf(op)
            if how.write is None or not np.may_share_memory(self.array, base.array):
                why = "repeats elements" if how.write is None else "was taken before its base was written"
                raise RuntimeError(f"{op}: this tensor is a view that {why}; write into the base, or into a clone()")
            base._take(op, how.write(Tensor.alias(base.array, base._node), value, **options))
            value = how.apply(base, **options)
        self.array, self._node = value.array, value._node

    def __setitem__(self, index: Any, value: ArrayLike) -> None:
        held = value if isinstance(value, (Tensor, int, float)) else check_numbers("setitem", value)
        place = check_index("setitem", index, self.array.shape)
        try:
            if mode.recording and (self.requires_grad or (isinstance(held, Tensor) and held.requires_grad)):
                self.become("setitem", lambda x: SetItem.apply(x, held, index=place), held)
                return
            self.array[place] = held.array if isinstance(held, Tensor) else held
        except (IndexError, ValueError) as error:
            raise (ArgumentError if isinstance(error, ValueError) else IndexError)(
                f"setitem: {error} (input of shape {self.array.shape}, index {index!r}, "
                f"value of shape {np.shape(value)})"
            ) from None
        note_write(self.array)

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
        raise DTypeError(f"{op.label}: {error}") from error
    aux: tuple[Any, ...] = ()
    if op.aux:
        result, *rest = result
        aux = tuple(rest)
    return result if type(result) is np.ndarray else check_numbers(f"{op.name}.forward", result), aux
