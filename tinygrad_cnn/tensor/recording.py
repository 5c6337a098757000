"""`Tensor`: an array that remembers the op that made it.

Here is how it records (`Tensor.__record__`), what it knows of its place in the graph, and how it is written in place.
Its other methods come in families, one file each beside this one, a line each: they hand over to `ops`. The backward
pass is in `autograd.engine`.
"""

from __future__ import annotations

import builtins
import math
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

import numpy as np

from tinygrad_cnn import autograd, ops
from tinygrad_cnn.absent import of_tensors
from tinygrad_cnn.autograd.graph import Edge, Node, save
from tinygrad_cnn.autograd.hooks import Hooks, RemovableHandle, add_hook, add_post_accumulate_hook, retain, retains
from tinygrad_cnn.autograd.mode import mode
from tinygrad_cnn.autograd.writes import note_write
from tinygrad_cnn.conversion import layout, strided
from tinygrad_cnn.device import CPU, device
from tinygrad_cnn.dtypes import dtype as dtype_class
from tinygrad_cnn.dtypes import dtype_named
from tinygrad_cnn.errors import ArgumentError, DTypeError
from tinygrad_cnn.ops.checks import check_axis, check_numbers
from tinygrad_cnn.ops.indexing import check_index
from tinygrad_cnn.ops.op import Op
from tinygrad_cnn.promotion import CATEGORY, FLOAT32, get_default_dtype
from tinygrad_cnn.size import Size
from tinygrad_cnn.tensor.arrays import as_array, unify
from tinygrad_cnn.tensor.conversions import ConversionMethods
from tinygrad_cnn.tensor.draws import DrawMethods
from tinygrad_cnn.tensor.elementwise import ElementwiseMethods
from tinygrad_cnn.tensor.facts import FactMethods
from tinygrad_cnn.tensor.indexing import IndexingMethods
from tinygrad_cnn.tensor.inplace import InPlaceMethods
from tinygrad_cnn.tensor.legacy import legacy_array
from tinygrad_cnn.tensor.numpy_methods import NumpyMethods
from tinygrad_cnn.tensor.operators import Operators
from tinygrad_cnn.tensor.printing import represented
from tinygrad_cnn.tensor.products import ProductMethods
from tinygrad_cnn.tensor.reductions import ReductionMethods
from tinygrad_cnn.tensor.shapes import ShapeMethods
from tinygrad_cnn.types import ArrayLike, DType, NDArray, Shape

NO_OPTIONS: dict[str, Any] = {}


class Tensor(
    Operators,
    ElementwiseMethods,
    ReductionMethods,
    ShapeMethods,
    IndexingMethods,
    ProductMethods,
    InPlaceMethods,
    DrawMethods,
    FactMethods,
    ConversionMethods,
    NumpyMethods,
):
    """An array with a gradient: PyTorch's Tensor, on the CPU, in NumPy.

    Parameters
    ----------
    data : array, number, nested sequences or Tensor
        Arrays keep their dtype and share their memory. As in PyTorch's older constructor, numbers in lists become the
        default dtype, float32, even integers, and integers alone are sizes: ``Tensor(2, 3)`` is a (2, 3) tensor.
    requires_grad : record what is computed from it, and fill `.grad` in `backward`; floating dtypes only
    dtype : convert to this one

    Examples
    --------
    >>> x = Tensor([1.0, 2.0], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> x.grad
    tensor([2., 4.])
    """

    __module__ = "tinygrad_cnn"  # the name that users know it by

    __slots__ = ("__weakref__", "_base", "_grad", "_node", "_wants", "array", "hooks")

    edges: tuple[()] = ()
    """A tensor that no op made has no edges; this makes it a leaf of the graph."""

    def __init__(self, data: ArrayLike = (), *more: Any, requires_grad: bool = False, dtype: Any = None) -> None:
        if more and isinstance(more[0], bool):
            requires_grad, more = more[0], more[1:]
        if more or (isinstance(data, (int, list, tuple)) and dtype is None):
            self.array = as_array(legacy_array((data, *more), get_default_dtype().dtype), None)
        else:
            self.array = as_array(data, dtype)
        self._node: Node | Tensor | None = None
        self._grad: Tensor | None = None
        self._base: tuple[Tensor, type[Op], dict[str, Any]] | None = None
        self.hooks: Hooks | None = None
        self._wants = False
        if requires_grad:
            self.requires_grad_()

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(of_tensors(name))

    # ---- recording ---------------------------------------------------------------------------------------------------

    @staticmethod
    def wrap(array: Any) -> Tensor:
        """A tensor of this very array, without a history; a Tensor is returned as it is."""
        if isinstance(array, Tensor):
            return array
        out = Tensor.__new__(Tensor)
        out.array = array
        out._node = out._grad = out._base = out.hooks = None
        out._wants = False
        return out

    @staticmethod
    def _alias(array: Any, edge: Any) -> Tensor:
        """A tensor of a saved array that stands at its old place in the graph."""
        out = Tensor.wrap(array)
        out._node = edge
        return out

    @staticmethod
    def __record__(op: type[Op], inputs: tuple[Any, ...], options: dict[str, Any]) -> Any:
        """Apply an op to inputs some of which are Tensors, and remember it if a gradient may be asked for."""
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
        if type(result) is not np.ndarray:
            result = check_numbers(f"{op.name}.forward", result)
        out = Tensor.wrap(result)
        if tracked and mode.recording and op.differentiable and (result.dtype is FLOAT32 or result.dtype.kind in "fc"):
            if op.constant:
                edges = [None if rule is None else e for rule, e in zip(op.rules, edges, strict=True)]
            if not op.constant or any(edge is not None for edge in edges):
                saved = save(op, arrays, result, aux) if op.saves_any else None
                out._node = Node(op, tuple(edges), saved, options, result)
        if op.views and isinstance(inputs[0], Tensor) and np.may_share_memory(result, inputs[0].array):
            out._base = (inputs[0], op, options)
        return (out, *(Tensor.wrap(np.asarray(a)) for a in aux)) if aux else out

    @staticmethod
    def _arithmetic(op: type[Op], a: Any, b: Any) -> Any:
        """`__record__` of the commonest case, two float32 tensors, without its questions: a third of its time."""
        if not (type(a) is type(b) is Tensor):
            return Tensor.__record__(op, (a, b), NO_OPTIONS)
        x, y = a.array, b.array
        if x.dtype is not FLOAT32 or y.dtype is not FLOAT32 or op.saves_any is not op.saves_inputs:
            return Tensor.__record__(op, (a, b), NO_OPTIONS)
        try:
            result = op.forward(x, y)
        except ValueError:
            op.check_shapes((x, y))
            raise
        out = Tensor.__new__(Tensor)
        out.array = result if type(result) is np.ndarray else np.asarray(result)
        out._node = out._grad = out._base = out.hooks = None
        out._wants = False
        if mode.recording:
            left = a if a._node is None and a._wants else a._node
            right = b if b._node is None and b._wants else b._node
            if left is not None or right is not None:
                saved = (None, x, y) if op.saves_inputs else None
                out._node = Node(op, (left, right), saved, NO_OPTIONS, out.array)
        return out

    @property
    def _edge(self) -> Any:
        """Where this tensor stands in the graph: its node, or, if a leaf, itself."""
        return self if self._node is None else self._node

    def _as_cotangent(self, value: ArrayLike) -> Tensor:
        """A value as a cotangent of this tensor: of its dtype, broadcast to its shape."""
        given = value if isinstance(value, Tensor) else Tensor.wrap(check_numbers("backward", value))
        return given if given.dtype == self.dtype else given.astype(self.dtype)

    def _accumulate(self, gradient: Any, owned: bool) -> None:
        """Add to `.grad`; an array that somebody else may hold is copied first."""
        if self._grad is not None:
            if isinstance(gradient, Tensor) or self._grad.requires_grad:
                self._grad = self._grad + gradient
            else:
                self._grad = Tensor.wrap(np.asarray(self._grad.array + gradient))
        elif isinstance(gradient, Tensor):
            self._grad = gradient
        else:
            self._grad = Tensor.wrap(gradient if owned else np.array(gradient))

    # ---- autograd ----------------------------------------------------------------------------------------------------

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

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Let a leaf ask for its gradient, or no longer."""
        if self._node is not None:
            if not requires_grad:
                raise RuntimeError(
                    "requires_grad_: only a leaf can be switched off; use .detach() for the result of an op"
                )
            return self
        if requires_grad and self.dtype.kind not in "fc":
            raise RuntimeError(
                f"requires_grad_: a tensor of dtype {self.dtype} has no gradient; only floating dtypes have, "
                "convert it with .float()"
            )
        self._wants = bool(requires_grad)
        return self

    @property
    def grad(self) -> Tensor | None:
        """The gradient that `backward` has accumulated here, or None."""
        return self._grad

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        if value is not None and (not isinstance(value, Tensor) or value.array_shape != self.array_shape):
            raise ValueError(f"grad: expected None or a Tensor of shape {self.array_shape}, got {value!r}")
        self._grad = value

    @property
    def is_leaf(self) -> bool:
        """Whether no recorded op made this tensor."""
        return self._node is None or isinstance(self._node, Tensor)

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
        given = None if gradient is None else [gradient]
        autograd.backward([self], given, retain_graph, create_graph, inputs=inputs)

    def detach(self) -> Tensor:
        """The same memory without the history."""
        return Tensor.wrap(self.array)

    @property
    def data(self) -> Tensor:
        """The same memory without the history; assigning gives this tensor other memory."""
        return self.detach()

    @data.setter
    def data(self, value: ArrayLike) -> None:
        array = as_array(value, None)
        if self._node is not None:
            raise RuntimeError("data: only a leaf can be given other data; this tensor is the result of an op")
        self.array = array

    def detach_(self) -> Tensor:
        """Leave the graph: this tensor becomes a leaf that requires no gradient."""
        if self._base is not None:
            raise RuntimeError("detach_: this tensor is a view of another one; use detach() instead")
        self._node, self._wants = None, False
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:
        """A leaf with memory of its own, and its gradient; ``copy.deepcopy`` of a module uses it."""
        known = memo.get(id(self))
        if known is None:
            if not self.is_leaf:
                raise RuntimeError(
                    "deepcopy: only a leaf can be copied with all that belongs to it, this tensor is the result of an "
                    "op; use .detach().clone()"
                )
            known = memo[id(self)] = self.detach().clone().requires_grad_(self.requires_grad)
            known._grad = deepcopy(self._grad, memo)
        return known

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickled as its array, without history and gradient."""
        return type(self), (self.array, self.requires_grad)

    def retain_grad(self) -> None:
        """Fill `.grad` of this result of an op, too, in `backward`."""
        retain(self)

    @property
    def retains_grad(self) -> bool:
        """Whether `retain_grad` was called on this result of an op."""
        return retains(self)

    def register_hook(self, hook: Callable[[Tensor], Tensor | None]) -> RemovableHandle:
        """Call `hook` with the gradient of this tensor in every backward pass; what it returns replaces it."""
        return add_hook(self, hook)

    def register_post_accumulate_grad_hook(self, hook: Callable[[Tensor], None]) -> RemovableHandle:
        """Call `hook` with this leaf each time a backward pass has added to its `.grad`."""
        return add_post_accumulate_hook(self, hook)

    # ---- writing in place --------------------------------------------------------------------------------------------

    def _become(self, op: str, function: Callable[[Any], Any], *operands: Any) -> Tensor:
        """Take the value of `function(self)`: in this tensor's memory if nothing is recorded, else as a new node."""
        if mode.recording and (self.requires_grad or any(isinstance(v, Tensor) and v.requires_grad for v in operands)):
            self._refuse_leaf(op)
            result = function(Tensor._alias(self.array, self._node))
            self._check_fits(op, result.array)
            self._take(op, result if result.dtype == self.dtype else result.astype(self.dtype))
            return self
        values = np.asarray(function(Tensor.wrap(self.array)).array)
        self._check_fits(op, values)
        self._write(values)
        return self

    def _refuse_leaf(self, op: str) -> None:
        if self._wants and self._node is None:
            raise RuntimeError(
                f"{op}: a leaf that requires a gradient cannot be modified in place; do it under no_grad(), or on a "
                "clone()"
            )

    def _check_fits(self, op: str, values: Any) -> None:
        if values.shape != self.array.shape:
            raise ArgumentError(f"{op}: the result has shape {values.shape}; in place it must keep {self.array_shape}")
        if CATEGORY[values.dtype.kind] > CATEGORY[self.array.dtype.kind]:
            raise DTypeError(f"{op}: the result has dtype {values.dtype}, which does not fit into {self.array.dtype}")

    def _take(self, op: str, value: Tensor) -> None:
        """Stand where a recorded value stands. If this is a view, its base takes the value, too, at its place."""
        if self._base is not None:
            base, how, options = self._base
            base._refuse_leaf(op)
            if how.write is None or not np.may_share_memory(self.array, base.array):
                why = "repeats elements" if how.write is None else "was taken before its base was written"
                raise RuntimeError(f"{op}: this tensor is a view that {why}; write into the base, or into a clone()")
            base._take(op, how.write(Tensor._alias(base.array, base._node), value, **options))
            value = how.apply(base, **options)
        self.array, self._node = value.array, value._node

    def _turn(self, op: str, function: Callable[[Any], Any]) -> Tensor:
        """Become a view of oneself: another shape of the same memory."""
        if mode.recording:
            self._refuse_leaf(op)
        before = Tensor._alias(self.array, self._node)
        before._base = self._base
        turned = function(before)
        self.array, self._node = turned.array, turned._node
        self._base = turned._base if self._base is not None else None
        return self

    def _resized(self, shape: tuple[Any, ...]) -> Tensor:
        """Have other memory, with as many of the elements as fit, in another shape."""
        if self.requires_grad:
            raise RuntimeError("resize_: a tensor that requires a gradient cannot be resized; use reshape, or detach()")
        self.array = np.resize(self.array, shape) if self.array.size >= math.prod(shape) else self._grown(shape)
        self._base = None
        return self

    def _grown(self, shape: tuple[Any, ...]) -> NDArray:
        grown = np.zeros(shape, self.array.dtype)
        grown.reshape(-1)[: self.array.size] = self.array.reshape(-1)
        return grown

    def _write(self, values: Any) -> None:
        self.array[...] = values
        note_write(self.array)

    def __setitem__(self, index: Any, value: ArrayLike) -> None:
        held = value if isinstance(value, (Tensor, int, float)) else check_numbers("setitem", value)
        if mode.recording and (self.requires_grad or (isinstance(held, Tensor) and held.requires_grad)):
            self._become("setitem", lambda x: ops.setitem(x, index, held), held)
            return
        plain = check_index("setitem", index, self.array_shape)
        try:
            self.array[plain] = held.array if isinstance(held, Tensor) else held
        except (IndexError, ValueError) as error:
            raise (ArgumentError if isinstance(error, ValueError) else IndexError)(
                f"setitem: {error} (input of shape {self.array_shape}, index {index!r}, "
                f"value of shape {np.shape(held)})"
            ) from None
        note_write(self.array)

    # ---- what it is --------------------------------------------------------------------------------------------------

    @property
    def array_shape(self) -> Shape:
        """The shape as a plain tuple: cheaper, and what the engine compares."""
        return self.array.shape

    @property
    def array_dtype(self) -> DType:
        """NumPy's dtype of the elements: cheaper, and what the engine compares."""
        return self.array.dtype

    @property
    def shape(self) -> Size:
        """The size of each dim."""
        return Size(self.array.shape)

    @property
    def dtype(self) -> dtype_class:
        """The type of the elements."""
        return dtype_named(self.array.dtype)

    @property
    def device(self) -> device:
        """Where the tensor lies: the CPU."""
        return CPU

    @property
    def is_cuda(self) -> builtins.bool:
        """Whether it lies on a GPU: no."""
        return False

    @property
    def layout(self) -> layout:
        """How it is stored: `strided`."""
        return strided

    @property
    def ndim(self) -> int:
        """The number of dims."""
        return self.array.ndim

    def size(self, dim: int | None = None) -> Any:
        """The shape, or the size of one dim."""
        return self.shape if dim is None else self.array_shape[check_axis("size", dim, self.ndim)]

    def __len__(self) -> int:
        if not self.ndim:
            raise TypeError("len: a tensor without dims has no length")
        return self.array_shape[0]

    def __iter__(self) -> Iterator[Tensor]:
        if not self.ndim:
            raise TypeError("iter: a tensor without dims cannot be iterated over")
        return iter(self.unbind(0))

    def __repr__(self) -> str:
        return represented(self)

    __hash__ = object.__hash__

    def __format__(self, spec: str) -> str:
        number = self.numel() == 1 if spec else not self.ndim and type(self) is Tensor
        return format(self.item(), spec) if number else object.__format__(self, spec)
