"""`Tensor`: the micro-framework's, with all of PyTorch's methods.

How it records, its gradient and how it is written are in `core.tensor`. The methods come in families, one file each
beside this one, a line each: they hand over to `ops`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from copy import deepcopy
from importlib import import_module
from typing import TYPE_CHECKING, Any, Self

from tinygrad_cnn.autograd.hooks import RemovableHandle, add_hook, add_post_accumulate_hook, retain, retains
from tinygrad_cnn.autograd.nodes import Node
from tinygrad_cnn.core import tensor as core
from tinygrad_cnn.core.indexing import check_index, is_basic
from tinygrad_cnn.core.mode import mode
from tinygrad_cnn.core.promotion import default
from tinygrad_cnn.core.storage import in_order, version
from tinygrad_cnn.core.types import ArrayLike
from tinygrad_cnn.numpy_protocol.dispatch import MEANINGS
from tinygrad_cnn.ops.checks import check_same_dtype
from tinygrad_cnn.ops.mistakes import warn
from tinygrad_cnn.tensor import core_examples
from tinygrad_cnn.tensor.arrays import as_array
from tinygrad_cnn.tensor.conversions import ConversionMethods
from tinygrad_cnn.tensor.draws import DrawMethods
from tinygrad_cnn.tensor.elementwise import ElementwiseMethods
from tinygrad_cnn.tensor.indexing import IndexingMethods
from tinygrad_cnn.tensor.inplace import InPlaceMethods
from tinygrad_cnn.tensor.legacy import legacy_array
from tinygrad_cnn.tensor.memory import apart, beneath, copied, give, window
from tinygrad_cnn.tensor.operators import Operators
from tinygrad_cnn.tensor.printing import represented
from tinygrad_cnn.tensor.products import ProductMethods
from tinygrad_cnn.tensor.reductions import ReductionMethods
from tinygrad_cnn.tensor.shapes import ShapeMethods
from tinygrad_cnn.torch_names.absent import of_tensors

GRAD: Any = vars(core.Tensor)["grad"].fset, vars(core.Tensor)["grad"].fdel


class Tensor(
    Operators,
    ElementwiseMethods,
    ReductionMethods,
    ShapeMethods,
    IndexingMethods,
    ProductMethods,
    InPlaceMethods,
    DrawMethods,
    ConversionMethods,
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

    __slots__ = ()

    def __init__(self, data: ArrayLike = (), *more: Any, requires_grad: bool = False, dtype: Any = None) -> None:
        if more and isinstance(more[0], bool):
            requires_grad, more = more[0], more[1:]
        if more or (isinstance(data, (int, list, tuple)) and dtype is None):
            array = as_array(legacy_array((data, *more), default.dtype), None)
        else:
            array = as_array(data, dtype)
        super().__init__(array, requires_grad=requires_grad)

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            if name.startswith("__"):  # NumPy and Python ask every object for some
                raise AttributeError(name)
            raise AttributeError(of_tensors(name))

    if TYPE_CHECKING:  # what these give is no Parameter, of a Parameter

        @property
        def grad(self) -> Tensor | None: ...
        @grad.setter
        def grad(self, value: Tensor | None) -> None: ...
        @grad.deleter
        def grad(self) -> None: ...
        @property
        def grad_fn(self) -> Node | None: ...
        def detach(self) -> Tensor: ...
        @staticmethod
        def wrap(array: Any) -> Tensor: ...
        @staticmethod
        def alias(array: Any, edge: Any) -> Tensor: ...
        @staticmethod
        def arithmetic(op: Any, a: Any, b: Any) -> Tensor: ...
    else:

        def get_grad(self):
            """The gradient that `backward` has accumulated here, or None; the result of an op has one by `retain_grad`.

            Examples
            --------
            >>> import tinygrad_cnn as tg
            >>> x = tg.ones(2, requires_grad=True)
            >>> (3 * x).sum().backward()
            >>> x.grad
            tensor([3., 3.])
            """
            found = self._grad
            if found is None and self._node is not None and not (self.is_leaf or retains(self)):
                warn(
                    f"grad: this tensor of shape {self.array_shape} is the result of an op, not a leaf, so backward() "
                    "leaves no gradient here; call retain_grad() on it before. In a step, w = w - lr * w.grad makes "
                    "such a result of a leaf: write w -= lr * w.grad under no_grad()"
                )
            return found

        grad = property(get_grad, *GRAD)  # set without a call in between: a step sets all of them
        del get_grad

    def __setitem__(self, index: Any, value: ArrayLike) -> None:
        if isinstance(value, Tensor) and value.array_dtype != self.array_dtype:
            place = check_index("setitem", index, self.array_shape)
            masked = not is_basic(place) and len(place) == 1 and place[0].dtype.kind == "b"
            if not is_basic(place) and not (masked and value.numel() == 1):  # one number fills what a mask chooses
                check_same_dtype("setitem", self, value)
        super().__setitem__(index, value)

    # ---- autograd ----------------------------------------------------------------------------------------------------

    @property
    def data(self) -> Tensor:
        """The same memory without the history: what the graph saved is not checked for writes through it.

        Assigning gives this tensor other memory.

        Examples
        --------
        >>> import tinygrad_cnn as tg
        >>> x = tg.ones(2, requires_grad=True)
        >>> x.data
        tensor([1., 1.])
        """
        return self.sharing(apart(in_order(self)))

    @data.setter
    def data(self, value: ArrayLike) -> None:
        array = as_array(value, None)
        if self._wants and array.dtype.kind not in "fc":
            raise RuntimeError(f"data: a tensor that requires a gradient cannot hold data of dtype {array.dtype}")
        with suppress(RuntimeError):  # of a view that may not be written any more
            self.current()  # while it is known what was written
        give(self, array)

    def detach_(self) -> Self:
        """Leave the graph: this tensor becomes a leaf that requires no gradient.

        Examples
        --------
        >>> import tinygrad_cnn as tg
        >>> x = tg.ones(2, requires_grad=True) * 2
        >>> x.detach_().requires_grad
        False
        """
        if (view := self.seen_view()) is not None and view.base is not None:
            raise RuntimeError("detach_: this tensor is a view of another one; use detach() instead")
        self._node, self._wants = None, False
        return self

    @property
    def is_recorded(self) -> bool:
        """Whether what is computed from this tensor now is recorded.

        Examples
        --------
        >>> import tinygrad_cnn as tg
        >>> tg.ones(2, requires_grad=True).is_recorded, tg.ones(2).is_recorded
        (True, False)
        """
        return mode.recording and self.requires_grad

    @property
    def _base(self) -> Tensor | None:
        """The tensor of which this is a view."""
        return self.base

    def _is_view(self) -> bool:
        """Whether this is a view of another tensor."""
        return self._base is not None

    @property
    def _version(self) -> int:
        """How often the memory was written in place, through this tensor or what shares it, but for `.data`."""
        return version(self.array)

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:
        """A leaf with memory of its own, and its gradient; ``copy.deepcopy`` of a module uses it."""
        known: Tensor | None = memo.get(id(self))
        if known is None:
            if not self.is_leaf:
                raise RuntimeError(
                    "deepcopy: only a leaf can be copied with all that belongs to it, this tensor is the result of an "
                    "op; use .detach().clone()"
                )
            copy: Tensor = self.sharing(copied(in_order(self), memo)).requires_grad_(self.requires_grad)
            known = memo[id(self)] = copy
            copy._grad = deepcopy(self._grad, memo)
        return known

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickled as its array, without history and gradient; what lies in one place stays there."""
        array, row = self.array, beneath(self.array)
        if row is not None:
            return window, (type(self), row, array.shape, array.strides, self.requires_grad)
        return type(self), (array, self.requires_grad)

    def retain_grad(self) -> None:
        """Fill `.grad` of this result of an op, too, in `backward`.

        Examples
        --------
        >>> import tinygrad_cnn as tg
        >>> x = tg.ones(2, requires_grad=True)
        >>> y = 2 * x
        >>> y.retain_grad()
        >>> y.sum().backward()
        >>> y.grad
        tensor([1., 1.])
        """
        retain(self)

    @property
    def retains_grad(self) -> bool:
        """Whether `retain_grad` was called on this result of an op.

        Examples
        --------
        >>> import tinygrad_cnn as tg
        >>> y = 2 * tg.ones(2, requires_grad=True)
        >>> y.retain_grad()
        >>> y.retains_grad
        True
        """
        return retains(self)

    def register_hook(self, hook: Callable[[Self], Self | None]) -> RemovableHandle:
        """Call `hook` with the gradient of this tensor in every backward pass; what it returns replaces it.

        Examples
        --------
        >>> import tinygrad_cnn as tg
        >>> x = tg.ones(2, requires_grad=True)
        >>> _ = x.register_hook(lambda g: 10 * g)
        >>> x.sum().backward()
        >>> x.grad
        tensor([10., 10.])
        """
        return add_hook(self, hook)

    def register_post_accumulate_grad_hook(self, hook: Callable[[Self], None]) -> RemovableHandle:
        """Call `hook` with this leaf each time a backward pass has added to its `.grad`.

        Examples
        --------
        >>> import tinygrad_cnn as tg
        >>> x = tg.ones(2, requires_grad=True)
        >>> _ = x.register_post_accumulate_grad_hook(lambda p: print(p.grad))
        >>> x.sum().backward()
        tensor([1., 1.])
        """
        return add_post_accumulate_hook(self, hook)

    # ---- what it is --------------------------------------------------------------------------------------------------

    def __iter__(self) -> Iterator[Self]:
        if not self.ndim:
            raise TypeError("iter: a tensor without dims cannot be iterated over")
        return iter(self.unbind(0))

    def __repr__(self) -> str:
        return represented(self)

    def _repr_html_(self) -> str:
        """What a notebook shows: numbers as a heat map or an image, and what the tensor is."""
        html: str = import_module("tinygrad_cnn.tensor.notebook").notebook(self)
        return html

    def __format__(self, spec: str) -> str:
        number = self.numel() == 1 if spec else not self.ndim and type(self) is Tensor
        return format(self.item(), spec) if number else object.__format__(self, spec)


core.Tensor.kind = Tensor
core.Tensor.meanings.update(MEANINGS)
core_examples.show()
