"""Files that PyTorch's `torch.save` wrote, read without executing them.

Such a file is a zip: `data.pkl`, a pickle, and the numbers of each storage beside it. The pickle is carried out by the
machine of `unpickling.py`; here are the names of a dozen things that it may make, and how tensors lie in storages.
"""

import codecs
from collections import Counter, OrderedDict
from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_cnn.core.types import NDArray
from tinygrad_cnn.io.members import Members
from tinygrad_cnn.io.numbers import ARRAY, array_of, checked_shape, native
from tinygrad_cnn.io.unpickling import Called, Kind, Machine, Name
from tinygrad_cnn.nn.parameter import Parameter
from tinygrad_cnn.tensor import Tensor
from tinygrad_cnn.torch_names.device import device
from tinygrad_cnn.torch_names.dtypes import dtype, dtype_named
from tinygrad_cnn.torch_names.size import Size
from tinygrad_cnn.utils.reading import Allowance, FileError, Limits, expect, shown

STORAGES = {
    "DoubleStorage": "f8",
    "FloatStorage": "f4",
    "HalfStorage": "f2",
    "LongStorage": "i8",
    "IntStorage": "i4",
    "ShortStorage": "i2",
    "CharStorage": "i1",
    "ByteStorage": "u1",
    "BoolStorage": "b1",
}
DTYPES = ("float16", "float32", "float64", "bool", *(f"{u}int{bits}" for u in ("", "u") for bits in (8, 16, 32, 64)))
ALIASES = {
    "float": "float32",
    "double": "float64",
    "half": "float16",
    "long": "int64",
    "int": "int32",
    "short": "int16",
}


Locator = Callable[[str], None]


class Storage(Name):
    """The numbers of one storage."""

    __slots__ = ("values",)

    def __init__(self, values: NDArray) -> None:
        self.values = values


def read(members: Members, prefix: str, located: Locator, limits: Limits) -> object:
    """What is in such a file. `located` is told where each storage lay, and may refuse it."""
    order = f"{prefix}byteorder"
    little = order not in members or bytes(members.read(order)) == b"little"
    return TensorMachine(members, prefix, little, located, limits).run(bytes(members.read(f"{prefix}data.pkl")))


class TensorMachine(Machine):
    """The machine with what PyTorch's files name."""

    advice = ". Save a state_dict, or numbers, instead"

    def __init__(self, members: Members, prefix: str, little: bool, located: Locator, limits: Limits) -> None:
        super().__init__(Allowance(len(members.content), limits))
        self.members, self.prefix, self.little, self.located, self.limits = members, prefix, little, located, limits
        self.storages: dict[str, NDArray] = {}
        self.builders[OrderedDict] = set_metadata
        self.names |= {
            "collections OrderedDict": Called(self.ordered),
            "collections Counter": Called(self.counter),
            "torch._utils _rebuild_tensor_v2": Called(self.rebuilt),
            "torch._utils _rebuild_tensor": Called(self.rebuilt),
            "torch._utils _rebuild_tensor_v3": Called(self.rebuilt_of_bytes),
            "torch._utils _rebuild_parameter": Called(self.parameter),
            "torch Size": Called(self.size),
            "torch device": Called(self.device),
            "_codecs encode": Called(self.encoded),
            "builtins set": Called(self.set_of),
            "__builtin__ set": Called(self.set_of),
            "torch.storage UntypedStorage": Kind(np.dtype("u1")),
            **{f"torch {name}": Kind(np.dtype(kind)) for name, kind in STORAGES.items()},
            **{f"torch {name}": dtype_named(name) for name in DTYPES},
            **{f"torch {name}": dtype_named(full) for name, full in ALIASES.items()},
        }

    # ---- containers --------------------------------------------------------------------------------------------------

    def ordered(self, pairs: Any = ()) -> OrderedDict[Any, Any]:
        """An OrderedDict, of pairs as Python 2 writes it."""
        self.allowance.take(400)
        if isinstance(pairs, (list, tuple)):
            halves = [half for pair in pairs for half in two_of(pair)]
        else:
            halves = [half for pair in expect(dict, pairs).items() for half in pair]
        found: OrderedDict[Any, Any] = OrderedDict()
        self.fill(found, halves)
        return found

    def counter(self, counts: Any = None) -> Counter[Any]:
        """A Counter of a dict."""
        found: Counter[Any] = Counter()
        given = {} if counts is None else expect(dict, counts)
        self.allowance.take(400)
        self.fill(found, [half for pair in given.items() for half in pair])
        return found

    def set_of(self, values: Any = ()) -> set[Any]:
        """A set of a list."""
        self.allowance.take(220)
        return {self.key(value) for value in listed(values)}

    def size(self, sizes: Any) -> Size:
        """A Size."""
        self.allowance.take(64 + 8 * len(listed(sizes)))
        return Size(expect(int, n) for n in sizes)

    def encoded(self, text: Any, encoding: Any = "latin1") -> bytes:
        """Bytes, which pickles of protocol 2 write as text."""
        if encoding != "latin1":
            raise FileError(f"its pickle encodes bytes as {shown(encoding)}")
        self.allowance.take(64 + len(expect(str, text)))
        return codecs.latin_1_encode(text)[0]

    def device(self, kind: Any, index: Any = None) -> device:
        """A device that is named in the file: where its tensors are now."""
        self.located(expect(str, kind))
        return device("cpu")

    # ---- tensors -----------------------------------------------------------------------------------------------------

    def persistent(self, said: Any) -> Storage:
        """A storage, ("storage", type, key, location, number of elements)."""
        if not isinstance(said, tuple) or len(said) != 5 or said[0] != "storage":
            raise FileError("the file refers to something else than a storage")
        _, kind, key, location, count = said
        dtype = expect(Kind, kind).value
        self.located(expect(str, location))
        if expect(str, key) not in self.storages:
            stored = dtype.newbyteorder("<" if self.little else ">")
            size = checked_shape([count], self.limits)
            self.allowance.take(ARRAY)
            self.storages[key] = array_of(self.members.read(f"{self.prefix}data/{key}"), stored, size)
        values = self.storages[key]
        if values.dtype != dtype:
            raise FileError(f"the storage {shown(key)} has two types")
        return Storage(values)

    def rebuilt(
        self,
        storage: Any,
        offset: Any,
        size: Any,
        stride: Any,
        requires_grad: Any = False,
        hooks: Any = None,
        metadata: Any = None,
    ) -> Tensor:
        """A tensor that is a view of a storage; tensors of one storage share its memory, as they did."""
        return self.window(expect(Storage, storage).values, offset, size, stride, requires_grad)

    def rebuilt_of_bytes(
        self,
        storage: Any,
        offset: Any,
        size: Any,
        stride: Any,
        requires_grad: Any,
        hooks: Any,
        kind: Any,
        more: Any = None,
    ) -> Tensor:
        """A tensor of a storage without a type of its own, such as those of uint16."""
        values = expect(Storage, storage).values.view(expect(dtype, kind).dtype)
        return self.window(native(values), offset, size, stride, requires_grad)

    def window(self, values: NDArray, offset: Any, size: Any, stride: Any, requires_grad: Any) -> Tensor:
        """A window on a storage, which must lie inside of it."""
        shape, steps = checked_shape(size, self.limits), listed(stride)
        if len(shape) != len(steps) or any(type(n) is not int or not 0 <= n < 1 << 62 for n in (offset, *steps)):
            raise FileError("a tensor has strides that do not go with its size")
        self.allowance.take(ARRAY)
        if 0 in shape:
            return leaf(np.zeros(shape, values.dtype), requires_grad)
        last = offset + sum((n - 1) * step for n, step in zip(shape, steps, strict=True))
        if last >= values.size:
            raise FileError(f"a tensor reaches element {last} of a storage of {values.size}")
        strides = tuple(0 if n == 1 else step * values.itemsize for n, step in zip(shape, steps, strict=True))
        view = np.lib.stride_tricks.as_strided(values[offset:], shape, strides)
        return leaf(view, requires_grad)

    def parameter(self, data: Any, requires_grad: Any, hooks: Any) -> Parameter:
        """A parameter."""
        self.allowance.take(ARRAY)
        array = expect(Tensor, data).detach().numpy()
        return Parameter(array, requires_grad=differentiable(array, requires_grad))


def leaf(array: NDArray, requires_grad: Any) -> Tensor:
    """A Tensor of an array."""
    return Tensor(array, requires_grad=differentiable(array, requires_grad))


def differentiable(array: NDArray, requires_grad: Any) -> bool:
    """Whether a gradient is wanted; FileError if numbers of this dtype have none."""
    if requires_grad is True and array.dtype.kind != "f":
        raise FileError(f"a tensor of {array.dtype} requires a gradient, which only floating numbers have")
    return bool(expect(bool, requires_grad))


def listed(values: Any) -> Any:
    """A list or tuple of the file."""
    return values if isinstance(values, list) else expect(tuple, values)


def two_of(pair: Any) -> Any:
    """A pair of the file."""
    if len(listed(pair)) != 2:
        raise FileError("its pickle has a key without a value")
    return pair


def set_metadata(target: Any, state: Any) -> None:
    """The one attribute of an OrderedDict that is known: `_metadata`, the versions of a state_dict's layers."""
    if isinstance(state, dict) and set(state) <= {"_metadata"}:
        versions = state.get("_metadata", {})
        if isinstance(versions, dict) and all(isinstance(v, dict) for v in versions.values()):
            target.__dict__.update(state)
            return
    raise FileError("its pickle sets attributes of an OrderedDict; save a dict instead")
