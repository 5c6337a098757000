"""Methods of `Tensor` that say what it is, and make others of its kind."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self, overload

import numpy as np

from tinygrad_cnn.core.checks import check_axis
from tinygrad_cnn.core.errors import ArgumentError
from tinygrad_cnn.core.storage import in_order, note_write, owner, start
from tinygrad_cnn.core.tensor import Tensor
from tinygrad_cnn.core.types import ArrayLike, DType, NDArray, Shape
from tinygrad_cnn.ops.calling import flexible
from tinygrad_cnn.ops.checks import check_dtype, fitted
from tinygrad_cnn.ops.shape import is_laid_out
from tinygrad_cnn.tensor.arrays import as_plain
from tinygrad_cnn.tensor.legacy import dtype_of_legacy, legacy_name
from tinygrad_cnn.tensor.memory import UntypedStorage, fresh, give, storage_of, whole
from tinygrad_cnn.torch_names.conversion import layout as layout_class
from tinygrad_cnn.torch_names.conversion import strided
from tinygrad_cnn.torch_names.device import CPU, check_device
from tinygrad_cnn.torch_names.device import device as device_class
from tinygrad_cnn.torch_names.dtypes import dtype as dtype_class
from tinygrad_cnn.torch_names.dtypes import dtype_named
from tinygrad_cnn.torch_names.size import Size


class FactMethods(Tensor):
    """What it is, and others of its kind."""

    __slots__ = ()

    # ---- what it is --------------------------------------------------------------------------------------

    @property
    def shape(self) -> Size:
        """The size of each dim.

        Examples
        --------
        >>> import tinygrad_cnn as tg
        >>> tg.zeros(2, 3).shape
        torch.Size([2, 3])
        """
        return Size(self.array.shape)

    @property
    def dtype(self) -> dtype_class:
        """The type of the elements.

        Examples
        --------
        >>> import tinygrad_cnn as tg
        >>> tg.tensor([1.0, 2.0]).dtype
        torch.float32
        """
        return dtype_named(self.array.dtype)

    @property
    def device(self) -> device_class:
        """Where the tensor lies: the CPU.

        Examples
        --------
        >>> import tinygrad_cnn as tg
        >>> tg.tensor([1, 2]).device
        device(type='cpu')
        """
        return CPU

    @property
    def is_cuda(self) -> bool:
        """Whether it lies on a GPU: no.

        Examples
        --------
        >>> import tinygrad_cnn as tg
        >>> tg.tensor([1, 2]).is_cuda
        False
        """
        return False

    @property
    def layout(self) -> layout_class:
        """How it is stored: `strided`.

        Examples
        --------
        >>> import tinygrad_cnn as tg
        >>> tg.tensor([1, 2]).layout
        torch.strided
        """
        return strided

    @overload
    def size(self, dim: None = None) -> Size: ...
    @overload
    def size(self, dim: int) -> int: ...
    def size(self, dim: int | None = None) -> Size | int:
        """The shape, or the size of one dim.

        Examples
        --------
        >>> import tinygrad_cnn as tg
        >>> tg.zeros(2, 3).size()
        torch.Size([2, 3])
        >>> tg.zeros(2, 3).size(1)
        3
        """
        return self.shape if dim is None else self.array_shape[check_axis("size", dim, self.ndim)]

    def __len__(self) -> int:
        if not self.ndim:
            raise TypeError("len: a tensor without dims has no length")
        return self.array_shape[0]

    def dim(self) -> int:
        """The number of dims.

        Examples
        --------
        >>> import tinygrad_cnn as tg
        >>> tg.zeros(2, 3).dim()
        2
        """
        return self.ndim

    ndimension = dim

    def numel(self) -> int:
        """The number of elements.

        Examples
        --------
        >>> import tinygrad_cnn as tg
        >>> tg.zeros(2, 3).numel()
        6
        """
        return self.array.size

    nelement = numel

    def element_size(self) -> int:
        """The bytes of one element.

        Examples
        --------
        >>> import tinygrad_cnn as tg
        >>> tg.tensor([1.0, 2.0]).element_size()
        4
        """
        return self.array.itemsize

    @property
    def itemsize(self) -> int:
        """The bytes of one element.

        Examples
        --------
        >>> import tinygrad_cnn as tg
        >>> tg.tensor([1.0, 2.0]).itemsize
        4
        """
        return self.array.itemsize

    @property
    def nbytes(self) -> int:
        """The bytes of all elements.

        Examples
        --------
        >>> import tinygrad_cnn as tg
        >>> tg.tensor([1.0, 2.0]).nbytes
        8
        """
        return self.array.nbytes

    def data_ptr(self) -> int:
        """The address of the first element; 0 if there is none.

        Examples
        --------
        >>> import tinygrad_cnn as tg
        >>> x = tg.tensor([1, 2])
        >>> x.data_ptr() == x.view(2, 1).data_ptr()
        True
        """
        return start(in_order(self)) if self.array.size else 0

    @overload
    def stride(self, dim: None = None) -> Shape: ...
    @overload
    def stride(self, dim: int) -> int: ...
    @flexible
    def stride(self, dim: int | None = None) -> Shape | int:
        """How many elements further in memory the next index of each dim, or of one, lies.

        Examples
        --------
        >>> import tinygrad_cnn as tg
        >>> tg.zeros(2, 3).stride()
        (3, 1)
        """
        array = self.array if self.array.size else np.zeros([max(n, 1) for n in self.array.shape], self.array.dtype)
        strides = [step // array.itemsize for step in array.strides]
        for k in reversed(range(len(strides))):
            if not strides[k] and array.shape[k] == 1:  # NumPy's new dims have none; PyTorch's step over what follows
                strides[k] = strides[k + 1] * array.shape[k + 1] if k + 1 < len(strides) else 1
        return tuple(strides) if dim is None else strides[dim]

    def storage_offset(self) -> int:
        """How many elements into its memory the tensor begins.

        Examples
        --------
        >>> import tinygrad_cnn as tg
        >>> tg.tensor([1, 2, 3])[1:].storage_offset()
        1
        """
        return (start(self.array) - start(owner(self.array))) // self.array.itemsize

    def untyped_storage(self) -> UntypedStorage:
        """The memory that it is a window on.

        Examples
        --------
        >>> import tinygrad_cnn as tg
        >>> tg.tensor([1.0, 2.0]).untyped_storage().nbytes()
        8
        """
        return storage_of(in_order(self))

    def is_set_to(self, tensor: Tensor) -> bool:
        """Whether another tensor is the same window on the same memory.

        Examples
        --------
        >>> import tinygrad_cnn as tg
        >>> x = tg.zeros(2)
        >>> x.is_set_to(x.view(2)), x.is_set_to(tg.zeros(2))
        (True, False)
        """
        a, b = in_order(self), in_order(tensor)
        return (start(a), a.shape, a.strides) == (start(b), b.shape, b.strides) and whole(a) is whole(b)

    def set_(self, source: Tensor | None = None) -> Self:
        """Become the window on memory that another tensor is; without one, an empty tensor.

        Examples
        --------
        >>> import tinygrad_cnn as tg
        >>> x, y = tg.zeros(2), tg.tensor([1.0, 2.0])
        >>> x.set_(y)
        tensor([1., 2.])
        """
        self.records_write("set_", ())
        give(self, np.empty(0, self.array.dtype) if source is None else in_order(source))
        note_write(self.array)
        return self

    def is_contiguous(self, memory_format: Any = None) -> bool:
        """Whether the elements lie in C order, or with the channels last.

        Examples
        --------
        >>> import tinygrad_cnn as tg
        >>> tg.zeros(2, 3).is_contiguous(), tg.zeros(2, 3).T.is_contiguous()
        (True, False)
        """
        order = memory_format.order if memory_format is not None else ()
        return len(order) in (0, self.ndim) and is_laid_out(self, order or tuple(range(self.ndim)))

    def is_floating_point(self) -> bool:
        """Whether its numbers have a fraction.

        Examples
        --------
        >>> import tinygrad_cnn as tg
        >>> tg.tensor([1.0]).is_floating_point(), tg.tensor([1]).is_floating_point()
        (True, False)
        """
        return self.array.dtype.kind == "f"

    def is_complex(self) -> bool:
        """Whether its numbers are complex: no.

        Examples
        --------
        >>> import tinygrad_cnn as tg
        >>> tg.tensor([1.0]).is_complex()
        False
        """
        return False

    def is_signed(self) -> bool:
        """Whether its dtype has negative numbers.

        Examples
        --------
        >>> import tinygrad_cnn as tg
        >>> tg.tensor([1]).is_signed(), tg.tensor([1], dtype=tg.uint8).is_signed()
        (True, False)
        """
        return self.array.dtype.kind in "if"

    def is_same_size(self, other: Tensor) -> bool:
        """Whether another tensor has the same shape.

        Examples
        --------
        >>> import tinygrad_cnn as tg
        >>> tg.zeros(2, 3).is_same_size(tg.zeros(3, 2))
        False
        """
        return self.array_shape == other.array_shape

    def get_device(self) -> int:
        """The number of the GPU: -1, it is the CPU.

        Examples
        --------
        >>> import tinygrad_cnn as tg
        >>> tg.tensor([1, 2]).get_device()
        -1
        """
        return -1

    is_cpu = True
    is_xpu = is_mps = is_mtia = is_xla = is_ipu = is_meta = False
    is_sparse = is_sparse_csr = is_quantized = is_mkldnn = is_nested = False

    def __contains__(self, element: ArrayLike) -> bool:
        return bool(np.any(self.array == (element.array if isinstance(element, Tensor) else element)))

    # ---- its type, by its older name ---------------------------------------------------------------------

    @overload
    def type(self, dtype: None = None, non_blocking: bool = False) -> str: ...
    @overload
    def type(self, dtype: Any, non_blocking: bool = False) -> Self: ...
    def type(self, dtype: Any = None, non_blocking: bool = False) -> str | Self:
        """The name of its type, as "torch.FloatTensor"; with a dtype (or such a name), converted to it.

        Examples
        --------
        >>> import tinygrad_cnn as tg
        >>> tg.tensor([1.0]).type()
        'torch.FloatTensor'
        >>> tg.tensor([1.5]).type(tg.int64)
        tensor([1])
        """
        if dtype is None:
            return legacy_name(self.array_dtype)
        return self.astype(dtype_of_legacy(dtype))

    def type_as(self, other: Tensor) -> Self:
        """Converted to the dtype of another tensor.

        Examples
        --------
        >>> import tinygrad_cnn as tg
        >>> tg.tensor([1.5]).type_as(tg.tensor([1]))
        tensor([1])
        """
        return self.astype(other.array_dtype)

    # ---- others of its kind ------------------------------------------------------------------------------

    def _new(self, op: str, array: NDArray, device: Any, requires_grad: bool) -> Self:
        check_device(op, device)
        return self.wrap(array).requires_grad_(requires_grad)

    def _kind(self, dtype: Any) -> DType:
        return self.array_dtype if dtype is None else check_dtype("new", dtype)

    def new_tensor(
        self, data: ArrayLike, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
    ) -> Self:
        """A tensor with a copy of the data, of this dtype.

        Examples
        --------
        >>> import tinygrad_cnn as tg
        >>> tg.tensor([1.0]).new_tensor([1, 2])
        tensor([1., 2.])
        """
        return self._new("new_tensor", fresh(data, self._kind(dtype)), device, requires_grad)

    @flexible
    def new_zeros(self, *size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Self:
        """Zeros of this dtype.

        Examples
        --------
        >>> import tinygrad_cnn as tg
        >>> tg.tensor([1]).new_zeros(2)
        tensor([0, 0])
        """
        return self._new("new_zeros", np.zeros(_sizes(size), self._kind(dtype)), device, requires_grad)

    @flexible
    def new_ones(self, *size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Self:
        """Ones of this dtype.

        Examples
        --------
        >>> import tinygrad_cnn as tg
        >>> tg.tensor([1.0]).new_ones(2)
        tensor([1., 1.])
        """
        return self._new("new_ones", np.ones(_sizes(size), self._kind(dtype)), device, requires_grad)

    @flexible
    def new_empty(self, *size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Self:
        """Memory for elements of this dtype, with whatever it holds.

        Examples
        --------
        >>> import tinygrad_cnn as tg
        >>> tg.tensor([1.0]).new_empty(2, 3).shape
        torch.Size([2, 3])
        """
        return self._new("new_empty", np.empty(_sizes(size), self._kind(dtype)), device, requires_grad)

    def new_full(
        self, size: Any, fill_value: float, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
    ) -> Self:
        """One value everywhere, of this dtype.

        Examples
        --------
        >>> import tinygrad_cnn as tg
        >>> tg.tensor([1.0]).new_full((2,), 7)
        tensor([7., 7.])
        """
        value = fitted("new_full", as_plain(fill_value), self._kind(dtype))
        return self._new("new_full", np.full(_sizes((size,)), value), device, requires_grad)

    def new(self, *data: Any) -> Self:
        """The older form of `new_empty` (of sizes) and `new_tensor` (of a list).

        Examples
        --------
        >>> import tinygrad_cnn as tg
        >>> tg.tensor([1.0]).new([1, 2])
        tensor([1., 2.])
        """
        if len(data) == 1 and isinstance(data[0], (list, tuple, np.ndarray)):
            return self.new_tensor(data[0])
        return self.new_empty(*data)


def _sizes(size: tuple[Any, ...]) -> Shape:
    sizes = tuple(size[0]) if len(size) == 1 and isinstance(size[0], Sequence) else size
    if any(n < 0 for n in sizes):
        raise ArgumentError(f"new: size {sizes} must be made of integers of at least 0")
    return tuple(int(n) for n in sizes)
