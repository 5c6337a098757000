"""Making tensors: of values, of constants, of ranges. PyTorch's names and defaults.

Every function takes `dtype` (the default floating dtype, where the values do not say otherwise), `device` (the CPU) and
`requires_grad`, and `out`; `layout`, `pin_memory` and `memory_format` are accepted at what they are by default.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from tinygrad_cnn.core.errors import ArgumentError, DTypeError
from tinygrad_cnn.core.types import ArrayLike, DType, NDArray, Shape
from tinygrad_cnn.ops.checks import check_dtype, fitted
from tinygrad_cnn.ops.shape import in_format
from tinygrad_cnn.tensor import Tensor, as_array, written
from tinygrad_cnn.tensor.memory import fresh
from tinygrad_cnn.tensor.out import check_dtypes
from tinygrad_cnn.torch_names.conversion import layout, strided
from tinygrad_cnn.torch_names.device import check_device
from tinygrad_cnn.torch_names.dtypes import get_default_dtype

__all__ = [
    "arange", "as_tensor", "asarray", "empty", "empty_like", "eye", "from_dlpack", "from_numpy", "full", "full_like",
    "linspace", "logspace", "ones", "ones_like", "scalar_tensor", "tensor", "tril_indices", "triu_indices", "zeros",
    "zeros_like",
]  # fmt: skip


def tensor(
    data: ArrayLike, *, dtype: Any = None, device: Any = None, requires_grad: bool = False, pin_memory: bool = False
) -> Tensor:
    """A tensor with a copy of the data; Python floats become the default dtype, float32.

    >>> tensor([[1, 2], [3, 4]]).shape
    torch.Size([2, 2])
    """
    return made("tensor", fresh(data, _given(dtype)), requires_grad, device, strided, pin_memory)


def as_tensor(data: ArrayLike, dtype: Any = None, device: Any = None) -> Tensor:
    """A tensor of the data, sharing memory where that is possible; a Tensor is returned as it is.

    Python floats become the default floating dtype, integers int64; an array keeps its dtype.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.as_tensor([1.0, 2.0])
    tensor([1., 2.])
    """
    check_device("as_tensor", device)
    if isinstance(data, Tensor):
        return data if dtype is None else data.astype(dtype)
    return Tensor.sharing(as_array(data, _given(dtype)))


def asarray(
    obj: ArrayLike, *, dtype: Any = None, device: Any = None, copy: bool | None = None, requires_grad: bool = False
) -> Tensor:
    """A tensor of the data, without a history; shares memory where that is possible and `copy` is not true.

    Dtypes as in `tensor`.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.asarray([1, 2], dtype=tg.float64)
    tensor([1., 2.], dtype=torch.float64)
    """
    check_device("asarray", device)
    array = as_array(obj, _given(dtype))
    if isinstance(obj, Tensor) and array is obj.array and not (copy or requires_grad):
        return obj.requires_grad_() if obj.requires_grad else obj
    if copy is False and not (
        isinstance(obj, (Tensor, np.ndarray)) and np.may_share_memory(array, as_array(obj, None))
    ):
        raise ArgumentError("asarray: these data cannot be shared without a copy; leave copy=False out")
    return Tensor(fresh(obj, _given(dtype)) if copy else array, requires_grad=requires_grad)


def from_numpy(ndarray: NDArray) -> Tensor:
    """A tensor that shares the memory of an array.

    The dtype is that of the array.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> import numpy as np
    >>> a = np.zeros(2)
    >>> x = tg.from_numpy(a)
    >>> a[0] = 7
    >>> x
    tensor([7., 0.], dtype=torch.float64)
    """
    if not isinstance(ndarray, np.ndarray):
        raise TypeError(f"from_numpy: expected a NumPy array, got {type(ndarray).__name__}; use tensor() to copy")
    return Tensor(ndarray)


def from_dlpack(ext_tensor: Any, *, device: Any = None, copy: bool | None = None) -> Tensor:
    """A tensor that shares the memory of an array of another library: whatever has ``__dlpack__``.

    Raises
    ------
    TypeError
        If the object cannot be exchanged so.
    BufferError
        If it lies on another device, or requires a gradient.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> import numpy as np
    >>> tg.from_dlpack(np.arange(3))
    tensor([0, 1, 2])
    """
    check_device("from_dlpack", device)
    if isinstance(ext_tensor, Tensor):
        shared = ext_tensor.detach()
        if ext_tensor.requires_grad:
            raise BufferError("from_dlpack: the tensor requires a gradient, which would be lost; use .detach()")
        return shared.clone() if copy else shared
    if not hasattr(ext_tensor, "__dlpack__"):
        raise DTypeError(f"from_dlpack: a {type(ext_tensor).__name__} has no __dlpack__; use tensor() or as_tensor()")
    array = np.from_dlpack(ext_tensor)
    return Tensor.sharing(fresh(array, None) if copy else as_array(array, None))


def scalar_tensor(
    s: float, *, dtype: Any = None, layout: layout = strided, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """A tensor without dims, floating unless a dtype says otherwise.

    The dtype is the default floating one unless it is given.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.scalar_tensor(2)
    tensor(2.)
    """
    return made(
        "scalar_tensor", np.array(_filling("scalar_tensor", s, chosen_dtype(dtype))), requires_grad, device, layout
    )


def made(
    op: str,
    array: NDArray,
    requires_grad: bool = False,
    device: Any = None,
    layout: Any = strided,
    pin_memory: bool | None = False,
    out: Any = None,
    memory_format: Any = None,
    exact: bool = True,
) -> Tensor:
    """The tensor of a new array, once the options are checked; `out` must have its dtype if that is `exact`."""
    check_device(op, device)
    array = in_format(op, array, memory_format)
    if layout is not None and layout is not strided:
        raise TypeError(f"{op}: layout is {layout!r}; the only one is torch.strided")
    if pin_memory:
        raise RuntimeError(f"{op}: pin_memory serves transfers to a GPU, and there is only the CPU; leave it out")
    result = Tensor(array, requires_grad=requires_grad)
    if exact:
        check_dtypes(op, result, out)
    return written(op, result, out)


def size_of(op: str, sizes: tuple[Any, ...], named: Any = None) -> Shape:
    """The shape given as ``f(2, 3)``, ``f((2, 3))`` or ``f(size=(2, 3))``."""
    if named is not None:
        if sizes:
            raise TypeError(f"{op}: the size is given twice, as {sizes} and as size={named!r}")
        sizes = (named,)
    if len(sizes) == 1 and isinstance(sizes[0], (Sequence, np.ndarray)):
        sizes = tuple(sizes[0])
    counts = [int(n) if isinstance(n, Tensor) and n.ndim == 0 and n.dtype.kind in "iu" else n for n in sizes]
    if any(isinstance(n, bool) or not isinstance(n, (int, np.integer)) for n in counts):
        raise TypeError(f"{op}: size {tuple(counts)} must be made of integers of at least 0")
    if any(n < 0 for n in counts):
        raise ArgumentError(f"{op}: size {tuple(counts)} must be made of integers of at least 0")
    return tuple(int(n) for n in counts)


def chosen_dtype(dtype: Any, out: Any = None) -> DType:
    """The dtype given, or that of `out`, or the default one."""
    if dtype is None and isinstance(out, Tensor):
        return out.array_dtype
    return np.dtype(get_default_dtype() if dtype is None else _given(dtype))


def _given(dtype: Any) -> DType | None:
    return None if dtype is None else check_dtype("tensor", dtype)


def zeros(
    *sizes: Any,
    size: Any = None,
    out: Any = None,
    dtype: Any = None,
    layout: Any = strided,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """Zeros of this shape.

    The dtype is the default floating one unless it is given; sizes below 0 are refused.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.zeros(2, 3)
    tensor([[0., 0., 0.],
            [0., 0., 0.]])
    """
    array = np.zeros(size_of("zeros", sizes, size), chosen_dtype(dtype, out))
    return made("zeros", array, requires_grad, device, layout, pin_memory, out)


def ones(
    *sizes: Any,
    size: Any = None,
    out: Any = None,
    dtype: Any = None,
    layout: Any = strided,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """Ones of this shape.

    The dtype is the default floating one unless it is given; sizes below 0 are refused.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.ones(2, 3)
    tensor([[1., 1., 1.],
            [1., 1., 1.]])
    """
    array = np.ones(size_of("ones", sizes, size), chosen_dtype(dtype, out))
    return made("ones", array, requires_grad, device, layout, pin_memory, out)


def empty(
    *sizes: Any,
    size: Any = None,
    out: Any = None,
    dtype: Any = None,
    layout: Any = strided,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """Memory of this shape, with whatever it holds.

    The dtype is the default floating one unless it is given; sizes below 0 are refused.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.empty(2, 3).shape
    torch.Size([2, 3])
    """
    array = np.empty(size_of("empty", sizes, size), chosen_dtype(dtype, out))
    return made("empty", array, requires_grad, device, layout, pin_memory, out, memory_format)


def full(
    size: Any,
    fill_value: Any,
    *,
    out: Any = None,
    dtype: Any = None,
    layout: Any = strided,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """One value in every place; its kind decides the dtype.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.full((2, 2), 7)
    tensor([[7, 7],
            [7, 7]])
    """
    value = _filling("full", fill_value, _given(out.dtype if dtype is None and isinstance(out, Tensor) else dtype))
    if value.ndim:
        raise TypeError(f"full: fill_value has shape {value.shape}; expected one number")
    array = np.full(size_of("full", (size,)), value, value.dtype)
    return made("full", array, requires_grad, device, layout, pin_memory, out)


def _filling(op: str, value: Any, dtype: DType | None) -> NDArray:
    """A number that is to be written everywhere: one of Python's must fit."""
    return as_array(value, dtype) if dtype is None or hasattr(value, "dtype") else fitted(op, value, dtype)


def arange(
    start: float,
    end: float | None = None,
    step: float = 1,
    *,
    out: Any = None,
    dtype: Any = None,
    layout: Any = strided,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """Numbers from start (0 if only one is given) up to but without end: int64 if all three are integers.

    The result is int64 if all numbers are integers, else of the default floating dtype. ValueError if the step is 0
    or points away from the end.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.arange(4)
    tensor([0, 1, 2, 3])
    >>> tg.arange(1.0, 2.0, 0.25)
    tensor([1.0000, 1.2500, 1.5000, 1.7500])
    """
    first, last = (0, start) if end is None else (start, end)
    first, last, stride = (v.item() if isinstance(v, (Tensor, np.generic)) else v for v in (first, last, step))
    if stride == 0 or (out is not None and dtype is None and chosen_dtype(None, out).kind in "iu" and not int(stride)):
        raise ArgumentError("arange: step is 0; it must not be")
    if (last - first) * stride < 0:
        raise ArgumentError(f"arange: from {first} to {last} leads no step of {stride}; its sign must be the other")
    if not all(map(math.isfinite, (first, last, stride))):
        raise ArgumentError(f"arange: unsupported range: {first} -> {last} by {stride}; all three must be finite")
    kind = chosen_dtype(dtype, out) if out is not None else _given(dtype)
    if kind is not None and kind.kind in "iu":
        return made("arange", _whole_steps(first, last, stride, kind), requires_grad, device, layout, pin_memory, out)
    values = np.arange(first, last, stride)
    if kind is None and values.dtype.kind == "f":
        kind = chosen_dtype(None)
    return made("arange", as_array(values, kind), requires_grad, device, layout, pin_memory, out)


def _whole_steps(first: float, last: float, stride: float, dtype: DType) -> NDArray:
    """As many numbers as the fractions ask for (of int64, as the integers do), from and by their whole parts."""
    start, end, step = int(first), int(last), int(stride)
    if step == 0 and dtype == np.int64:
        raise ArgumentError(f"arange: step {stride} is 0 as an integer; it must not be")
    count = -((start - end) // step) if dtype == np.int64 else math.ceil((last - first) / stride)
    return (start + step * np.arange(max(count, 0))).astype(dtype)


def linspace(
    start: float,
    end: float,
    steps: int,
    *,
    out: Any = None,
    dtype: Any = None,
    layout: Any = strided,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """`steps` evenly spaced numbers from start to end, both included.

    The dtype is the default floating one unless it is given.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.linspace(0, 1, 5)
    tensor([0.0000, 0.2500, 0.5000, 0.7500, 1.0000])
    """
    array = _evenly("linspace", start, end, steps, chosen_dtype(dtype, out)).astype(chosen_dtype(dtype, out))
    return made("linspace", array, requires_grad, device, layout, pin_memory, out)


def logspace(
    start: float,
    end: float,
    steps: int,
    base: float = 10.0,
    *,
    out: Any = None,
    dtype: Any = None,
    layout: Any = strided,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """`steps` powers of `base`, their exponents evenly spaced from start to end.

    The dtype is the default floating one unless it is given.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.logspace(0, 2, 3)
    tensor([  1.,  10., 100.])
    """
    kind = chosen_dtype(dtype, out)
    exponents = _evenly("logspace", start, end, steps, np.dtype(np.float64) if kind.kind == "f" else kind)
    if kind.itemsize < 8:  # whose digits float64 has to spare
        exponents = exponents.astype(np.float64)
    array = np.power(float(base), exponents).astype(kind)
    return made("logspace", array, requires_grad, device, layout, pin_memory, out)


def _evenly(op: str, start: Any, end: Any, steps: int, dtype: DType) -> NDArray:
    """From both ends to the middle, in steps of the dtype, as PyTorch computes them."""
    if isinstance(steps, float):
        raise TypeError(f"{op}: steps is {steps!r}; it must be an integer")
    if steps < 0:
        raise ArgumentError(f"{op}: steps is {steps}; it must be at least 0")
    first, last = float(start), float(end)
    if dtype.kind in "iu":
        first, last = float(int(first)), float(int(last))
    if dtype == np.float32:
        first, last = float(np.float32(first)), float(np.float32(last))
    step = (last - first) / max(steps - 1, 1)
    if dtype == np.float32:
        step = float(np.float32(step))  # PyTorch rounds the step, and then only the result
    k = np.arange(steps)
    if dtype.kind in "iu":
        return np.where((k < steps // 2) | (steps == 1), first + step * k, last - step * (steps - 1 - k))
    exact: Any = np.float64 if dtype.itemsize < 8 and steps < 2**24 else np.longdouble  # products of 24 digits by 24
    half = steps if steps == 1 else steps // 2
    up, down = k[:half].astype(exact), (steps - 1 - k[half:]).astype(exact)
    return np.concatenate([first + step * up, last - step * down])


def eye(
    n: int,
    m: int | None = None,
    *,
    out: Any = None,
    dtype: Any = None,
    layout: Any = strided,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """Ones on the diagonal of an (n, m) matrix.

    The dtype is the default floating one unless it is given.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.eye(2, 3)
    tensor([[1., 0., 0.],
            [0., 1., 0.]])
    """
    rows, columns = size_of("eye", (n, n if m is None else m))
    return made(
        "eye", np.eye(rows, columns, dtype=chosen_dtype(dtype, out)), requires_grad, device, layout, pin_memory, out
    )


def tril_indices(
    row: int, col: int, offset: int = 0, *, dtype: Any = np.int64, device: Any = None, layout: Any = strided
) -> Tensor:
    """Rows and columns (2, N) of the elements on and below a diagonal of a (row, col) matrix.

    The dtype is int64 unless it is given.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.tril_indices(2, 2)
    tensor([[0, 1, 1],
            [0, 0, 1]])
    """
    places = np.stack(np.tril_indices(row, offset, col)).astype(chosen_dtype(dtype))
    return made("tril_indices", places, False, device, layout)


def triu_indices(
    row: int, col: int, offset: int = 0, *, dtype: Any = np.int64, device: Any = None, layout: Any = strided
) -> Tensor:
    """Rows and columns (2, N) of the elements on and above a diagonal of a (row, col) matrix.

    The dtype is int64 unless it is given.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.triu_indices(2, 2)
    tensor([[0, 0, 1],
            [0, 1, 1]])
    """
    places = np.stack(np.triu_indices(row, offset, col)).astype(chosen_dtype(dtype))
    return made("triu_indices", places, False, device, layout)


def zeros_like(
    input: Tensor,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """Zeros in the shape and dtype of another tensor.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.zeros_like(tg.tensor([1, 2]))
    tensor([0, 0])
    """
    array = np.zeros(input.shape, dtype_like(input, dtype))
    return made("zeros_like", array, requires_grad, device, layout, memory_format=memory_format)


def ones_like(
    input: Tensor,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """Ones in the shape and dtype of another tensor.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.ones_like(tg.tensor([1.0, 2.0]))
    tensor([1., 1.])
    """
    array = np.ones(input.shape, dtype_like(input, dtype))
    return made("ones_like", array, requires_grad, device, layout, memory_format=memory_format)


def empty_like(
    input: Tensor,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """Memory in the shape and dtype of another tensor, with whatever it holds.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.empty_like(tg.tensor([1, 2])).dtype
    torch.int64
    """
    array = np.empty(input.shape, dtype_like(input, dtype))
    return made("empty_like", array, requires_grad, device, layout, memory_format=memory_format)


def full_like(
    input: Tensor,
    fill_value: float,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """One value in the shape and dtype of another tensor.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.full_like(tg.tensor([1, 2]), 7)
    tensor([7, 7])
    """
    kind = dtype_like(input, dtype)
    array = np.full(input.shape, _filling("full_like", fill_value, kind), kind)
    return made("full_like", array, requires_grad, device, layout, memory_format=memory_format)


def dtype_like(input: Tensor, dtype: Any) -> DType:
    """The dtype given, or that of another tensor."""
    return np.dtype(input.dtype) if dtype is None else chosen_dtype(dtype)
