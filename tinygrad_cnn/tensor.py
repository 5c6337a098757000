"""`Tensor`: an array that remembers the op that made it.

Its methods are one line each and hand over to `ops`; what they compute is described there. The arithmetic of
recording is in `Tensor.__record__`, that of the backward pass in `autograd.engine`.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NoReturn

import numpy as np

from tinygrad_cnn import autograd, ops
from tinygrad_cnn.autograd.graph import Edge, Node, save
from tinygrad_cnn.autograd.hooks import Hooks, RemovableHandle, add_hook, add_post_accumulate_hook, retain, retains
from tinygrad_cnn.autograd.mode import mode
from tinygrad_cnn.autograd.writes import note_write
from tinygrad_cnn.conversion import asked_dtype, check_memory_format, layout, strided
from tinygrad_cnn.device import CPU, device
from tinygrad_cnn.dtypes import dtype as dtype_class
from tinygrad_cnn.dtypes import dtype_named
from tinygrad_cnn.errors import DeviceError
from tinygrad_cnn.numpy_protocol import FUNCTIONS, UFUNCS, WITHOUT_GRADIENT
from tinygrad_cnn.ops.checks import check_axis, check_dtype, check_numbers
from tinygrad_cnn.ops.elementwise import Add, Div, Mul, Neg, Sub
from tinygrad_cnn.ops.indexing import SetItem, check_index
from tinygrad_cnn.ops.op import Op
from tinygrad_cnn.ops.reduce import Extreme
from tinygrad_cnn.ops.shape import Clone
from tinygrad_cnn.promotion import FLOAT32, FLOAT64, common_dtype, get_default_dtype
from tinygrad_cnn.random import Generator, default_generator
from tinygrad_cnn.size import Size
from tinygrad_cnn.types import ArrayLike, Axis, DType, NDArray, Shape

NO_OPTIONS: dict[str, Any] = {}


class Tensor:
    """An array with a gradient: PyTorch's Tensor, on the CPU, in NumPy.

    Parameters
    ----------
    data : array, number, nested sequences or Tensor
        Arrays keep their dtype and share their memory; Python floats become the default dtype, float32.
    requires_grad : record what is computed from it, and fill `.grad` in `backward`; floating dtypes only
    dtype : convert to this one

    Examples
    --------
    >>> x = Tensor([1.0, 2.0], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> x.grad
    tensor([2., 4.])
    """

    __slots__ = ("__weakref__", "_base", "_data", "_grad", "_node", "_wants", "hooks")

    edges: tuple[()] = ()
    """A tensor that no op made has no edges; this makes it a leaf of the graph."""

    def __init__(self, data: ArrayLike, requires_grad: bool = False, dtype: Any = None) -> None:
        self._data = as_array(data, dtype)
        self._node: Node | Tensor | None = None
        self._grad: Tensor | None = None
        self._base: Tensor | None = None
        self.hooks: Hooks | None = None
        self._wants = False
        if requires_grad:
            self.requires_grad_()

    # ---- recording ---------------------------------------------------------------------------------------

    @staticmethod
    def _wrap(array: Any) -> Tensor:
        """A tensor of this very array, without a history; a Tensor is returned as it is."""
        if isinstance(array, Tensor):
            return array
        out = Tensor.__new__(Tensor)
        out._data = array
        out._node = out._grad = out._base = out.hooks = None
        out._wants = False
        return out

    @staticmethod
    def _alias(array: Any, edge: Any) -> Tensor:
        """A tensor of a saved array that stands at its old place in the graph."""
        out = Tensor._wrap(array)
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
                data = value._data
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
        aux: tuple[Any, ...] = ()
        if op.aux:
            result, *rest = result
            aux = tuple(rest)
        if type(result) is not np.ndarray:
            result = check_numbers(f"{op.name}.forward", result)
        out = Tensor._wrap(result)
        if tracked and mode.recording and op.differentiable and (result.dtype is FLOAT32 or result.dtype.kind in "fc"):
            if op.constant:
                edges = [None if rule is None else e for rule, e in zip(op.rules, edges, strict=True)]
            if not op.constant or any(edge is not None for edge in edges):
                saved = save(op, arrays, result, aux) if op.saves_any else None
                out._node = Node(op, tuple(edges), saved, options, result)
        if op.views and isinstance(inputs[0], Tensor) and np.may_share_memory(result, inputs[0]._data):
            out._base = inputs[0] if inputs[0]._base is None else inputs[0]._base
        return (out, *(Tensor._wrap(np.asarray(a)) for a in aux)) if aux else out

    @staticmethod
    def _arithmetic(op: type[Op], a: Any, b: Any) -> Any:
        """`__record__` of the commonest case, two float32 tensors, without its questions: a third of its time."""
        if not (type(a) is type(b) is Tensor):
            return Tensor.__record__(op, (a, b), NO_OPTIONS)
        x, y = a._data, b._data
        if x.dtype is not FLOAT32 or y.dtype is not FLOAT32 or op.saves_any is not op.saves_inputs:
            return Tensor.__record__(op, (a, b), NO_OPTIONS)
        try:
            result = op.forward(x, y)
        except ValueError:
            op.check_shapes((x, y))
            raise
        out = Tensor.__new__(Tensor)
        out._data = result if type(result) is np.ndarray else np.asarray(result)
        out._node = out._grad = out._base = out.hooks = None
        out._wants = False
        if mode.recording:
            left = a if a._node is None and a._wants else a._node
            right = b if b._node is None and b._wants else b._node
            if left is not None or right is not None:
                saved = (None, x, y) if op.saves_inputs else None
                out._node = Node(op, (left, right), saved, NO_OPTIONS, out._data)
        return out

    @property
    def _edge(self) -> Any:
        """Where this tensor stands in the graph: its node, or, if a leaf, itself."""
        return self if self._node is None else self._node

    def _as_cotangent(self, value: ArrayLike) -> Tensor:
        """A value as a cotangent of this tensor: of its dtype, broadcast to its shape."""
        given = value if isinstance(value, Tensor) else Tensor._wrap(check_numbers("backward", value))
        return given if given.dtype == self.dtype else given.astype(self.dtype)

    def _accumulate(self, gradient: Any, owned: bool) -> None:
        """Add to `.grad`; an array that somebody else may hold is copied first."""
        if self._grad is not None:
            if isinstance(gradient, Tensor) or self._grad.requires_grad:
                self._grad = self._grad + gradient
            else:
                self._grad = Tensor._wrap(np.asarray(self._grad._data + gradient))
        elif isinstance(gradient, Tensor):
            self._grad = gradient
        else:
            self._grad = Tensor._wrap(gradient if owned else np.array(gradient))

    # ---- autograd ----------------------------------------------------------------------------------------

    @property
    def requires_grad(self) -> bool:
        """Whether gradients flow to or through this tensor."""
        return self._wants or self._node is not None

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        self.requires_grad_(value)

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
        return Tensor._wrap(self._data)

    @property
    def data(self) -> Tensor:
        """The same memory without the history; assigning gives this tensor other memory."""
        return self.detach()

    @data.setter
    def data(self, value: ArrayLike) -> None:
        array = as_array(value, None)
        if self._node is not None:
            raise RuntimeError("data: only a leaf can be given other data; this tensor is the result of an op")
        self._data = array

    def detach_(self) -> Tensor:
        """Leave the graph: this tensor becomes a leaf that requires no gradient."""
        if self._base is not None:
            raise RuntimeError("detach_: this tensor is a view of another one; use detach() instead")
        self._node, self._wants = None, False
        return self

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

    # ---- writing in place --------------------------------------------------------------------------------

    def _become(self, op: str, function: Callable[[Any], Any], *operands: Any) -> Tensor:
        """Take the value of `function(self)`: in this tensor's memory if nothing is recorded, else as a new node."""
        if mode.recording and (self.requires_grad or any(isinstance(v, Tensor) and v.requires_grad for v in operands)):
            if self._wants and self._node is None:
                raise RuntimeError(
                    f"{op}: a leaf that requires a gradient cannot be modified in place; "
                    "do it under no_grad(), or on a clone()"
                )
            if self._base is not None:
                raise RuntimeError(
                    f"{op}: this tensor is a view of another one, which would not see a recorded write; write into "
                    "the other one (x[i, j] = v, not x[i][j] = v), or into a clone()"
                )
            result = function(Tensor._alias(self._data, self._node))
            if result.array_shape != self.shape:
                raise ValueError(
                    f"{op}: the result has shape {result.array_shape}; in place it must keep {self.array_shape}"
                )
            result = result if result.dtype == self.dtype else result.astype(self.dtype)
            self._data, self._node = result._data, result._node
            return self
        values = np.asarray(function(Tensor._wrap(self._data))._data)
        if values.shape != self.shape:
            raise ValueError(f"{op}: the result has shape {values.shape}; in place it must keep {self.array_shape}")
        if values.dtype.kind == "f" and self.dtype.kind in "biu":
            raise TypeError(f"{op}: the result has dtype {values.dtype}, which does not fit into {self.dtype}")
        self._write(values)
        return self

    def _write(self, values: Any) -> None:
        self._data[...] = values
        note_write(self._data)

    def __setitem__(self, index: Any, value: ArrayLike) -> None:
        held = value if isinstance(value, (Tensor, int, float)) else check_numbers("setitem", value)
        if mode.recording and (self.requires_grad or (isinstance(held, Tensor) and held.requires_grad)):
            self._become("setitem", lambda x: ops.setitem(x, index, held), held)
            return
        plain = check_index("setitem", index, self.array_shape)
        try:
            self._data[plain] = held._data if isinstance(held, Tensor) else held
        except (IndexError, ValueError) as error:
            raise type(error)(
                f"setitem: {error} (input of shape {self.array_shape}, index {index!r}, "
                f"value of shape {np.shape(held)})"
            ) from None
        note_write(self._data)

    def copy_(self, src: ArrayLike) -> Tensor:
        """Take the values of `src`, broadcast."""
        return self._become("copy_", lambda x: SetItem.apply(x, src, index=...), src)

    def fill_(self, value: float) -> Tensor:
        """Make every element this value."""
        return self._become("fill_", lambda x: SetItem.apply(x, value, index=...))

    def zero_(self) -> Tensor:
        """Make every element 0."""
        return self.fill_(0)

    def add_(self, other: ArrayLike, *, alpha: float = 1) -> Tensor:
        """Add in place."""
        return self._become("add_", lambda x: x.add(other, alpha=alpha), other)

    def sub_(self, other: ArrayLike, *, alpha: float = 1) -> Tensor:
        """Subtract in place."""
        return self._become("sub_", lambda x: x.sub(other, alpha=alpha), other)

    def mul_(self, other: ArrayLike) -> Tensor:
        """Multiply in place."""
        return self._become("mul_", lambda x: x * other, other)

    def div_(self, other: ArrayLike) -> Tensor:
        """Divide in place."""
        return self._become("div_", lambda x: x / other, other)

    def clamp_(self, min: float | None = None, max: float | None = None) -> Tensor:
        """Clip in place."""
        return self._become("clamp_", lambda x: x.clamp(min, max))

    def masked_fill_(self, mask: ArrayLike, value: float) -> Tensor:
        """Write `value` where the mask holds."""
        return self._become("masked_fill_", lambda x: x.masked_fill(mask, value))

    def uniform_(self, a: float = 0.0, b: float = 1.0, generator: Generator | None = None) -> Tensor:
        """Fill with numbers drawn evenly from [a, b)."""
        drawn = (generator or default_generator).uniform(self.array_shape, self.array_dtype, a, b)
        return self._become("uniform_", lambda x: SetItem.apply(x, drawn, index=...))

    def normal_(self, mean: float = 0.0, std: float = 1.0, generator: Generator | None = None) -> Tensor:
        """Fill with numbers drawn from a normal distribution."""
        drawn = (generator or default_generator).normal(self.array_shape, self.array_dtype, mean, std)
        return self._become("normal_", lambda x: SetItem.apply(x, drawn, index=...))

    __iadd__ = add_
    __isub__ = sub_
    __imul__ = mul_
    __itruediv__ = div_

    # ---- what it is --------------------------------------------------------------------------------------

    @property
    def array_shape(self) -> Shape:
        """The shape as a plain tuple: cheaper, and what the engine compares."""
        return self._data.shape

    @property
    def array_dtype(self) -> DType:
        """NumPy's dtype of the elements: cheaper, and what the engine compares."""
        return self._data.dtype

    @property
    def shape(self) -> Size:
        """The size of each dim."""
        return Size(self._data.shape)

    @property
    def dtype(self) -> dtype_class:
        """The type of the elements."""
        return dtype_named(self._data.dtype)

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
        return self._data.ndim

    def size(self, dim: int | None = None) -> Any:
        """The shape, or the size of one dim."""
        return self.shape if dim is None else self.array_shape[check_axis("size", dim, self.ndim)]

    def dim(self) -> int:
        """The number of dims."""
        return self.ndim

    def numel(self) -> int:
        """The number of elements."""
        return self._data.size

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

    def numpy(self) -> NDArray:
        """The array itself, sharing memory; a tensor that requires a gradient must be detached first."""
        if self.requires_grad and mode.recording:
            raise RuntimeError(
                "numpy: this tensor requires a gradient, which the array would lose; use .detach().numpy()"
            )
        return self._data

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray:
        return np.array(self.numpy(), dtype=dtype, copy=copy)

    def item(self) -> Any:
        """The only element as a Python number."""
        if self._data.size != 1:
            raise ValueError(f"item: only a tensor of one element is a number, this one has shape {self.array_shape}")
        return self._data.item()

    def tolist(self) -> Any:
        """Nested lists of Python numbers."""
        return self._data.tolist()

    def __bool__(self) -> bool:
        return bool(self._single("bool"))

    def __float__(self) -> float:
        return float(self._single("float"))

    def __int__(self) -> int:
        return int(self._single("int"))

    def __index__(self) -> int:
        if self.dtype.kind not in "biu":
            raise TypeError(f"index: a tensor of dtype {self.dtype} cannot be an index; expected an integer")
        return int(self._single("index"))

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if spec and self.numel() == 1 else repr(self)

    def _single(self, op: str) -> Any:
        if self._data.size != 1:
            raise ValueError(
                f"{op}: a tensor of shape {self.array_shape} has no single value; use .any(), .all() or .item()"
            )
        return self._data.item()

    def astype(self, dtype: Any) -> Tensor:
        """Converted to another dtype; gradients flow back in the own one."""
        wanted = check_dtype("astype", dtype)
        return self if wanted == self.dtype else ops.astype(self, wanted)

    def to(self, *args: Any, **options: Any) -> Tensor:
        """Converted as ``to(dtype)``, ``to(device)``, ``to(device, dtype)`` or ``to(other)`` asks, or itself.

        The device is the CPU. `copy=True` makes a new tensor in any case; `non_blocking` means nothing here.
        """
        asked = asked_dtype("to", *args, **options)
        converted = self if asked is None else self.astype(asked)
        return self.clone() if converted is self and options.get("copy") else converted

    def cpu(self, memory_format: Any = None) -> Tensor:
        """On the CPU, where it is already."""
        check_memory_format("cpu", memory_format)
        return self

    def cuda(self, device: Any = None, non_blocking: builtins.bool = False, memory_format: Any = None) -> NoReturn:
        """On a GPU; there is none: a RuntimeError (an AssertionError, too, as in PyTorch)."""
        raise DeviceError("cuda: there is no GPU, only the CPU; ask cuda.is_available() first")

    def clone(self) -> Tensor:
        """A copy in memory of its own; gradients flow through."""
        return ops.clone(self)

    def contiguous(self) -> Tensor:
        """In C order, copied only if it is not."""
        return self if self._data.flags.c_contiguous else Clone.apply(self, order="C")

    # ---- NumPy's protocols -------------------------------------------------------------------------------

    __array_priority__ = 1000

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        """NEP 13: a NumPy function of a Tensor is the op that means it, recorded."""
        if method == "__call__" and not kwargs:
            op = UFUNCS.get(ufunc)
            if op is not None:
                return op(*inputs)
            if ufunc in WITHOUT_GRADIENT:
                return Tensor._wrap(np.asarray(ufunc(*(as_plain(v) for v in inputs))))
        options = f" with {sorted(kwargs)}" if kwargs else ""
        called = f"numpy.{ufunc.__name__}" + ("" if method == "__call__" else f".{method}")
        raise TypeError(
            f"{called}: has no derivative rule for Tensors{options}; use .detach().numpy() to leave the graph, "
            "or the methods of Tensor"
        )

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        """NEP 18: the same for NumPy's other functions."""
        handler = FUNCTIONS.get(func)
        if handler is None:
            raise TypeError(
                f"numpy.{func.__name__}: is not defined for Tensors; use .detach().numpy() to leave the graph, or "
                "the methods of Tensor"
            )
        return handler(*args, **kwargs)

    # ---- operators ---------------------------------------------------------------------------------------

    def __getitem__(self, index: Any) -> Tensor:
        return ops.getitem(self, index)

    def __add__(self, other: ArrayLike) -> Tensor:
        return Tensor._arithmetic(Add, self, other)

    def __radd__(self, other: ArrayLike) -> Tensor:
        return Tensor._arithmetic(Add, other, self)

    def __sub__(self, other: ArrayLike) -> Tensor:
        return Tensor._arithmetic(Sub, self, other)

    def __rsub__(self, other: ArrayLike) -> Tensor:
        return Tensor._arithmetic(Sub, other, self)

    def __mul__(self, other: ArrayLike) -> Tensor:
        return Tensor._arithmetic(Mul, self, other)

    def __rmul__(self, other: ArrayLike) -> Tensor:
        return Tensor._arithmetic(Mul, other, self)

    def __truediv__(self, other: ArrayLike) -> Tensor:
        return Tensor._arithmetic(Div, self, other)

    def __rtruediv__(self, other: ArrayLike) -> Tensor:
        return Tensor._arithmetic(Div, other, self)

    def __pow__(self, other: ArrayLike) -> Tensor:
        return ops.pow(self, other)

    def __rpow__(self, other: ArrayLike) -> Tensor:
        return ops.pow(other, self)

    def __matmul__(self, other: ArrayLike) -> Tensor:
        return ops.matmul(self, other)

    def __rmatmul__(self, other: ArrayLike) -> Tensor:
        return ops.matmul(other, self)

    def __neg__(self) -> Tensor:
        return Tensor.__record__(Neg, (self,), {})

    def __pos__(self) -> Tensor:
        return self

    def __abs__(self) -> Tensor:
        return ops.abs(self)

    def __eq__(self, other: ArrayLike) -> Tensor:  # type: ignore[override]
        return NotImplemented if other is None or isinstance(other, str) else compared(np.equal, self, other)

    def __ne__(self, other: ArrayLike) -> Tensor:  # type: ignore[override]
        return NotImplemented if other is None or isinstance(other, str) else compared(np.not_equal, self, other)

    def __lt__(self, other: ArrayLike) -> Tensor:
        return compared(np.less, self, other)

    def __le__(self, other: ArrayLike) -> Tensor:
        return compared(np.less_equal, self, other)

    def __gt__(self, other: ArrayLike) -> Tensor:
        return compared(np.greater, self, other)

    def __ge__(self, other: ArrayLike) -> Tensor:
        return compared(np.greater_equal, self, other)

    def __and__(self, other: ArrayLike) -> Tensor:
        return compared(np.bitwise_and, self, other)

    def __or__(self, other: ArrayLike) -> Tensor:
        return compared(np.bitwise_or, self, other)

    def __xor__(self, other: ArrayLike) -> Tensor:
        return compared(np.bitwise_xor, self, other)

    def __mod__(self, other: ArrayLike) -> Tensor:
        return ops.remainder(self, other)

    def __rmod__(self, other: ArrayLike) -> Tensor:
        return ops.remainder(other, self)

    def __floordiv__(self, other: ArrayLike) -> Tensor:
        return compared(np.floor_divide, self, other)

    def __rfloordiv__(self, other: ArrayLike) -> Tensor:
        return compared(np.floor_divide, Tensor._wrap(check_numbers("floor_divide", other)), self)

    def __invert__(self) -> Tensor:
        return Tensor._wrap(np.asarray(np.invert(self._data)))

    # ---- element-wise ------------------------------------------------------------------------------------

    def add(self, other: ArrayLike, *, alpha: float = 1) -> Tensor:
        """``self + alpha * other``"""
        return ops.add(self, other, alpha=alpha)

    def sub(self, other: ArrayLike, *, alpha: float = 1) -> Tensor:
        """``self - alpha * other``"""
        return ops.sub(self, other, alpha=alpha)

    def mul(self, other: ArrayLike) -> Tensor:
        """Product, element by element; see `ops.mul`."""
        return ops.mul(self, other)

    def div(self, other: ArrayLike) -> Tensor:
        """Quotient, element by element; see `ops.div`."""
        return ops.div(self, other)

    def remainder(self, other: ArrayLike) -> Tensor:
        """What is left after division, element by element; see `ops.remainder`."""
        return ops.remainder(self, other)

    def pow(self, exponent: ArrayLike) -> Tensor:
        """Power, element by element; see `ops.pow`."""
        return ops.pow(self, exponent)

    def maximum(self, other: ArrayLike) -> Tensor:
        """Larger of two; equal ones share the gradient, element by element; see `ops.maximum`."""
        return ops.maximum(self, other)

    def minimum(self, other: ArrayLike) -> Tensor:
        """Smaller of two; equal ones share the gradient, element by element; see `ops.minimum`."""
        return ops.minimum(self, other)

    def neg(self) -> Tensor:
        """Element-wise -x."""
        return ops.neg(self)

    def abs(self) -> Tensor:
        """Element-wise |x|."""
        return ops.abs(self)

    def sign(self) -> Tensor:
        """Element-wise -1, 0 or 1."""
        return ops.sign(self)

    def exp(self) -> Tensor:
        """Element-wise eˣ."""
        return ops.exp(self)

    def expm1(self) -> Tensor:
        """Element-wise eˣ - 1."""
        return ops.expm1(self)

    def log(self) -> Tensor:
        """Element-wise ln x."""
        return ops.log(self)

    def log1p(self) -> Tensor:
        """Element-wise ln (1 + x)."""
        return ops.log1p(self)

    def sqrt(self) -> Tensor:
        """Element-wise √x."""
        return ops.sqrt(self)

    def rsqrt(self) -> Tensor:
        """Element-wise 1 / √x."""
        return ops.rsqrt(self)

    def square(self) -> Tensor:
        """Element-wise x²."""
        return ops.square(self)

    def reciprocal(self) -> Tensor:
        """Element-wise 1 / x."""
        return ops.reciprocal(self)

    def sin(self) -> Tensor:
        """Element-wise sin x."""
        return ops.sin(self)

    def cos(self) -> Tensor:
        """Element-wise cos x."""
        return ops.cos(self)

    def tan(self) -> Tensor:
        """Element-wise tan x."""
        return ops.tan(self)

    def sinh(self) -> Tensor:
        """Element-wise sinh x."""
        return ops.sinh(self)

    def cosh(self) -> Tensor:
        """Element-wise cosh x."""
        return ops.cosh(self)

    def tanh(self) -> Tensor:
        """Element-wise tanh x."""
        return ops.tanh(self)

    def arcsin(self) -> Tensor:
        """Element-wise arcsin x."""
        return ops.arcsin(self)

    def arccos(self) -> Tensor:
        """Element-wise arccos x."""
        return ops.arccos(self)

    def arctan(self) -> Tensor:
        """Element-wise arctan x."""
        return ops.arctan(self)

    def asin(self) -> Tensor:
        """Element-wise arcsin x."""
        return ops.asin(self)

    def acos(self) -> Tensor:
        """Element-wise arccos x."""
        return ops.acos(self)

    def atan(self) -> Tensor:
        """Element-wise arctan x."""
        return ops.atan(self)

    def sigmoid(self) -> Tensor:
        """Element-wise 1 / (1 + e⁻ˣ)."""
        return ops.sigmoid(self)

    def erf(self) -> Tensor:
        """Element-wise the error function."""
        return ops.erf(self)

    def relu(self) -> Tensor:
        """Element-wise max(x, 0)."""
        return ops.relu(self)

    def clamp(self, min: float | None = None, max: float | None = None) -> Tensor:
        """Clipped to [min, max]; see `ops.clamp`."""
        return ops.clamp(self, min, max)

    clip = clamp

    def where(self, condition: ArrayLike, other: ArrayLike) -> Tensor:
        """These elements where the condition holds, else those of `other`."""
        return ops.where(condition, self, other)

    def masked_fill(self, mask: ArrayLike, value: float) -> Tensor:
        """With `value` where the mask holds."""
        return ops.masked_fill(self, mask, value)

    # ---- reductions --------------------------------------------------------------------------------------

    def sum(self, dim: Axis = None, keepdim: bool = False, dtype: Any = None) -> Tensor:
        """Sum; see `ops.sum`."""
        return ops.sum(self, dim, keepdim, dtype)

    def mean(self, dim: Axis = None, keepdim: bool = False) -> Tensor:
        """Mean; see `ops.mean`."""
        return ops.mean(self, dim, keepdim)

    def prod(self, dim: Axis = None, keepdim: bool = False) -> Tensor:
        """Product; see `ops.prod`."""
        return ops.prod(self, dim, keepdim)

    def amax(self, dim: Axis = None, keepdim: bool = False) -> Tensor:
        """Maximum, ties sharing the gradient; see `ops.amax`."""
        return ops.amax(self, dim, keepdim)

    def amin(self, dim: Axis = None, keepdim: bool = False) -> Tensor:
        """Minimum, ties sharing the gradient; see `ops.amin`."""
        return ops.amin(self, dim, keepdim)

    def logsumexp(self, dim: Axis = None, keepdim: bool = False) -> Tensor:
        """ln Σ exp x; see `ops.logsumexp`."""
        return ops.logsumexp(self, dim, keepdim)

    def any(self, dim: Axis = None, keepdim: bool = False) -> Tensor:
        """Whether any element is not 0; see `ops.any`."""
        return ops.any(self, dim, keepdim)

    def all(self, dim: Axis = None, keepdim: bool = False) -> Tensor:
        """Whether every element is not 0; see `ops.all`."""
        return ops.all(self, dim, keepdim)

    def var(self, dim: Axis = None, *, correction: float = 1, keepdim: bool = False) -> Tensor:
        """Variance; see `ops.var`."""
        return ops.var(self, dim, correction=correction, keepdim=keepdim)

    def std(self, dim: Axis = None, *, correction: float = 1, keepdim: bool = False) -> Tensor:
        """Standard deviation; see `ops.std`."""
        return ops.std(self, dim, correction=correction, keepdim=keepdim)

    def max(self, dim: Any = None, keepdim: bool = False) -> Any:
        """The maximum of all, or `(values, indices)` along a dim, or of two tensors; see `ops.max`."""
        return ops.max(self, dim, keepdim)

    def min(self, dim: Any = None, keepdim: bool = False) -> Any:
        """The minimum of all, or `(values, indices)` along a dim, or of two tensors; see `ops.min`."""
        return ops.min(self, dim, keepdim)

    def norm(self, p: float | str = 2.0, dim: Axis = None, keepdim: bool = False) -> Tensor:
        """The p-norm; see `ops.norm`."""
        return ops.norm(self, p, dim, keepdim)

    def cumsum(self, dim: int) -> Tensor:
        """Cumulative sums along a dim."""
        return ops.cumsum(self, dim)

    def argmax(self, dim: int | None = None, keepdim: bool = False) -> Tensor:
        """Where the first maximum stands."""
        return ops.argmax(self, dim, keepdim)

    def argmin(self, dim: int | None = None, keepdim: bool = False) -> Tensor:
        """Where the first minimum stands."""
        return ops.argmin(self, dim, keepdim)

    def softmax(self, dim: int, dtype: Any = None) -> Tensor:
        """See `ops.softmax`."""
        return ops.softmax(self, dim, dtype)

    def log_softmax(self, dim: int, dtype: Any = None) -> Tensor:
        """See `ops.log_softmax`."""
        return ops.log_softmax(self, dim, dtype)

    # ---- shape -------------------------------------------------------------------------------------------

    def reshape(self, *shape: Any) -> Tensor:
        """In another shape; see `ops.reshape`."""
        return ops.reshape(self, *shape)

    def view(self, *shape: Any) -> Tensor:
        """In another shape; see `ops.view`."""
        return ops.view(self, *shape)

    def permute(self, *dims: Any) -> Tensor:
        """With the dims in another order; see `ops.permute`."""
        return ops.permute(self, *dims)

    def expand(self, *sizes: Any) -> Tensor:
        """Repeated to this shape; see `ops.expand`."""
        return ops.expand(self, *sizes)

    def repeat(self, *repeats: Any) -> Tensor:
        """Laid several times along each dim; see `ops.repeat`."""
        return ops.repeat(self, *repeats)

    def flip(self, *dims: Any) -> Tensor:
        """Reversed along dims; see `ops.flip`."""
        return ops.flip(self, *dims)

    def reshape_as(self, other: Tensor) -> Tensor:
        """In the shape of another tensor."""
        return ops.reshape(self, other.array_shape)

    def expand_as(self, other: Tensor) -> Tensor:
        """Repeated to the shape of another tensor."""
        return ops.expand(self, other.array_shape)

    def transpose(self, dim0: int, dim1: int) -> Tensor:
        """With two dims swapped."""
        return ops.transpose(self, dim0, dim1)

    def t(self) -> Tensor:
        """The transpose of a matrix."""
        return ops.t(self)

    @property
    def T(self) -> Tensor:
        """With the dims in reverse order."""
        return ops.permute(self, *reversed(range(self.ndim)))

    @property
    def mT(self) -> Tensor:
        """With the last two dims swapped."""
        return ops.transpose(self, -1, -2)

    def flatten(self, start_dim: int = 0, end_dim: int = -1) -> Tensor:
        """With the dims from start to end made one."""
        return ops.flatten(self, start_dim, end_dim)

    def unflatten(self, dim: int, sizes: Sequence[int]) -> Tensor:
        """With one dim split into several."""
        return ops.unflatten(self, dim, sizes)

    def squeeze(self, dim: Axis = None) -> Tensor:
        """Without dims of size 1."""
        return ops.squeeze(self, dim)

    def unsqueeze(self, dim: int) -> Tensor:
        """With a new dim of size 1."""
        return ops.unsqueeze(self, dim)

    def movedim(self, source: int, destination: int) -> Tensor:
        """With one dim moved."""
        return ops.movedim(self, source, destination)

    def roll(self, shifts: int | Sequence[int], dims: Axis = None) -> Tensor:
        """Shifted cyclically."""
        return ops.roll(self, shifts, dims)

    def split(self, split_size: int | Sequence[int], dim: int = 0) -> tuple[Tensor, ...]:
        """Parts of a dim; see `ops.split`."""
        return ops.split(self, split_size, dim)

    def chunk(self, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
        """At most this many equal parts of a dim."""
        return ops.chunk(self, chunks, dim)

    def unbind(self, dim: int = 0) -> tuple[Tensor, ...]:
        """The slices along a dim."""
        return ops.unbind(self, dim)

    def tril(self, diagonal: int = 0) -> Tensor:
        """With zeros above a diagonal."""
        return ops.tril(self, diagonal)

    def triu(self, diagonal: int = 0) -> Tensor:
        """With zeros below a diagonal."""
        return ops.triu(self, diagonal)

    def diagonal(self, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
        """The diagonal of two dims."""
        return ops.diagonal(self, offset, dim1, dim2)

    # ---- indexing ----------------------------------------------------------------------------------------

    def gather(self, dim: int, index: ArrayLike) -> Tensor:
        """Read along a dim; see `ops.gather`."""
        return ops.gather(self, dim, index)

    def scatter_add(self, dim: int, index: ArrayLike, src: ArrayLike) -> Tensor:
        """Added along a dim; see `ops.scatter_add`."""
        return ops.scatter_add(self, dim, index, src)

    def index_select(self, dim: int, index: ArrayLike) -> Tensor:
        """Some slices of a dim."""
        return ops.index_select(self, dim, index)

    def masked_select(self, mask: ArrayLike) -> Tensor:
        """The elements where the mask holds."""
        return ops.masked_select(self, mask)

    def sort(self, dim: int = -1, descending: bool = False) -> Extreme:
        """`(values, indices)` sorted along a dim."""
        return ops.sort(self, dim, descending)

    def topk(self, k: int, dim: int = -1, largest: bool = True) -> Extreme:
        """`(values, indices)` of the k largest along a dim."""
        return ops.topk(self, k, dim, largest)

    # ---- linear algebra ----------------------------------------------------------------------------------

    def matmul(self, other: ArrayLike) -> Tensor:
        """See `ops.matmul`."""
        return ops.matmul(self, other)

    def mm(self, mat2: ArrayLike) -> Tensor:
        """See `ops.mm`."""
        return ops.mm(self, mat2)

    def bmm(self, mat2: ArrayLike) -> Tensor:
        """See `ops.bmm`."""
        return ops.bmm(self, mat2)

    def dot(self, tensor: ArrayLike) -> Tensor:
        """See `ops.dot`."""
        return ops.dot(self, tensor)

    def outer(self, vec2: ArrayLike) -> Tensor:
        """See `ops.outer`."""
        return ops.outer(self, vec2)

    # ---- dtypes: last, since these names are types above -----------------------------------------------

    def float(self) -> Tensor:
        """As float32."""
        return self.astype(FLOAT32)

    def double(self) -> Tensor:
        """As float64."""
        return self.astype(FLOAT64)

    def long(self) -> Tensor:
        """As int64."""
        return self.astype(np.int64)

    def int(self) -> Tensor:
        """As int32."""
        return self.astype(np.int32)

    def bool(self) -> Tensor:
        """As booleans."""
        return self.astype(np.bool_)


def as_array(data: ArrayLike, dtype: Any) -> NDArray:
    """The array of a Tensor, an array or nested sequences; Python floats become the default dtype."""
    if isinstance(data, Tensor):
        array = data._data
    elif isinstance(data, (np.ndarray, np.generic)):
        array = np.asarray(data)
    else:
        array = from_python(data, None if dtype is None else np.dtype(dtype))
    if dtype is not None:
        array = array.astype(dtype, copy=False)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"Tensor: dtype {array.dtype} is not supported; expected numbers or booleans")
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))


def from_python(data: Any, dtype: DType | None) -> NDArray:
    """Nested sequences of Python numbers (and Tensors) as an array; floats in the default dtype if none is given."""
    try:
        array = np.array(data)
    except ValueError as error:
        raise ValueError(f"Tensor: the nested sequences have different lengths ({error})") from None
    return array.astype(get_default_dtype()) if dtype is None and array.dtype == FLOAT64 else array


def as_plain(value: Any) -> Any:
    """The array of a Tensor; anything else as it is."""
    return value._data if isinstance(value, Tensor) else value


def unify(op: type[Op], arrays: list[Any]) -> None:
    """Bring the inputs of an op to a common dtype, in the list itself."""
    chosen: Sequence[int] = range(len(arrays)) if op.variadic or not op.constant else op.places
    first = arrays[0].dtype if type(arrays[0]) is np.ndarray else None
    same = first is FLOAT32 or first is FLOAT64
    if same:
        for k in chosen:
            kind = type(arrays[k])
            if kind is np.ndarray:
                same = same and arrays[k].dtype is first
            elif kind is not int and kind is not float:
                same = False
    if same:
        return
    dtype = common_dtype([arrays[k] for k in chosen], op.floating)
    for k in chosen:
        if isinstance(arrays[k], (np.ndarray, np.generic)) and arrays[k].dtype != dtype:
            arrays[k] = np.asarray(arrays[k]).astype(dtype)
        elif op.variadic and not isinstance(arrays[k], np.ndarray):
            arrays[k] = np.asarray(arrays[k], dtype)
    if not any(isinstance(arrays[k], np.ndarray) for k in chosen):
        arrays[chosen[0]] = np.asarray(arrays[chosen[0]], dtype)


def compared(ufunc: np.ufunc, x: Tensor, other: Any) -> Tensor:
    """A comparison or integer operation: no gradient."""
    value = as_plain(other)
    if not isinstance(value, (int, float)):
        value = check_numbers(ufunc.__name__, value)
    try:
        return Tensor._wrap(np.asarray(ufunc(x._data, value)))
    except ValueError:
        raise ValueError(
            f"{ufunc.__name__}: shapes {x.array_shape} and {np.shape(other)} do not broadcast; from the right, each "
            "pair of sizes must be equal or contain a 1"
        ) from None


def represented(x: Tensor) -> str:
    """As PyTorch prints it: the values, the dtype if it is not the default one, and where it came from."""
    values = np.array2string(x._data, separator=", ", prefix="tensor(", precision=4, suppress_small=False)
    extras = [values]
    if x.dtype not in (get_default_dtype(), np.dtype(np.int64), np.dtype(bool)):
        extras.append(f"dtype={x.dtype}")
    if x.grad_fn is not None:
        extras.append(f"grad_fn={x.grad_fn!r}")
    elif x.requires_grad:
        extras.append("requires_grad=True")
    return f"tensor({', '.join(extras)})"
