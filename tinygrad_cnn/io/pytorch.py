"""Files that PyTorch's `torch.save` wrote, read without executing them.

Such a file is a zip: `data.pkl`, a pickle, and the numbers of each storage beside it. A pickle is a program for a small
stack machine, and dangerous because it may call any function by name. The machine here knows the instructions that a
tree of tensors needs, and the names of a dozen things; it calls nothing but its own functions, and refuses every other
instruction and name. `pickletools` only splits the bytes into instructions.
"""

import codecs
import pickletools
import zipfile
from collections import Counter, OrderedDict
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import numpy as np

from tinygrad_cnn.core.types import DType, NDArray
from tinygrad_cnn.io.errors import UnreadableFileError
from tinygrad_cnn.nn.parameter import Parameter
from tinygrad_cnn.tensor import Tensor
from tinygrad_cnn.torch_names.device import device
from tinygrad_cnn.torch_names.dtypes import dtype, dtype_named
from tinygrad_cnn.torch_names.size import Size

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


Order = Literal["<", ">"]
Locator = Callable[[str], None]


class Called(NamedTuple):
    """What a name of the pickle stands for: a function of ours, called with the arguments that the pickle gives."""

    function: Callable[..., Any]


class Storage(NamedTuple):
    """The numbers of one storage."""

    values: NDArray


class StorageType(NamedTuple):
    """The dtype of a storage, as its name says it."""

    dtype: DType


class Mark:
    """Where the stack was when the pickle said so."""


MARK = Mark()


def read(archive: zipfile.ZipFile, prefix: str, located: Locator) -> object:
    """What is in such a file. `located` is told where each storage lay, and may refuse it."""
    order = f"{prefix}byteorder"
    little = order not in archive.namelist() or archive.read(order) == b"little"
    machine = Machine(archive, prefix, "<" if little else ">", located)
    try:
        return machine.run(archive.read(f"{prefix}data.pkl"))
    except UnreadableFileError:
        raise
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError) as error:
        raise UnreadableFileError(f"load: the file is damaged ({type(error).__name__}: {error})") from None


class Machine:
    """The stack, the memo, and one method per group of instructions."""

    def __init__(self, archive: zipfile.ZipFile, prefix: str, order: Order, located: Locator) -> None:
        self.archive, self.prefix, self.located = archive, prefix, located
        self.order: Order = order
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}
        self.storages: dict[str, NDArray] = {}
        self.names: dict[str, Any] = {
            "collections OrderedDict": Called(OrderedDict),
            "collections Counter": Called(Counter),
            "torch._utils _rebuild_tensor_v2": Called(rebuilt),
            "torch._utils _rebuild_tensor": Called(rebuilt),
            "torch._utils _rebuild_tensor_v3": Called(rebuilt_of_bytes),
            "torch._utils _rebuild_parameter": Called(parameter),
            "torch Size": Called(lambda sizes: Size(tuple(sizes))),
            "torch device": Called(lambda kind, index=None: self.device(kind, index)),
            "_codecs encode": Called(encoded),
            "builtins set": Called(lambda values=(): set(values)),
            "__builtin__ set": Called(lambda values=(): set(values)),
            "torch.storage UntypedStorage": StorageType(np.dtype("u1")),
            **{f"torch {name}": StorageType(np.dtype(kind)) for name, kind in STORAGES.items()},
            **{f"torch {name}": dtype_named(name) for name in DTYPES},
            **{f"torch {name}": dtype_named(full) for name, full in ALIASES.items()},
        }

    def device(self, kind: str, index: int | None) -> device:
        """A device that is named in the file: where its tensors are now."""
        self.located(kind)
        return device("cpu")

    def run(self, program: bytes) -> Any:
        """Carry out the instructions up to STOP, whose value is on top."""
        for opcode, arg, _ in pickletools.genops(program):
            name = opcode.name
            if name == "STOP":
                return self.stack.pop()
            if name in CONSTANTS:
                self.stack.append(CONSTANTS[name]())
            elif name in LITERALS:
                self.stack.append(arg)
            else:
                step = STEPS.get(name)
                if step is None:
                    raise UnreadableFileError(
                        f"load: the file's pickle has the instruction {name}, which tensors, state_dicts and plain "
                        "values do not need; it is not carried out. Save a state_dict instead"
                    )
                step(self, arg)
        raise UnreadableFileError("load: the file's pickle ends early")

    def since_mark(self) -> list[Any]:
        """What was put on the stack since the last mark."""
        at = max(k for k, value in enumerate(self.stack) if value is MARK)
        values = self.stack[at + 1 :]
        del self.stack[at:]
        return values

    def nothing(self, arg: Any) -> None:
        """PROTO, FRAME"""

    def mark(self, arg: Any) -> None:
        """MARK"""
        self.stack.append(MARK)

    def put(self, arg: int) -> None:
        """BINPUT"""
        self.memo[arg] = self.stack[-1]

    def memoize(self, arg: Any) -> None:
        """MEMOIZE"""
        self.memo[len(self.memo)] = self.stack[-1]

    def get(self, arg: int) -> None:
        """BINGET"""
        self.stack.append(self.memo[arg])

    def named(self, arg: str) -> None:
        """GLOBAL: a name, looked up in the list."""
        if arg not in self.names:
            module, _, name = arg.partition(" ")
            raise UnreadableFileError(
                f"load: the file's pickle names {module}.{name}, which is not loaded: only tensors, numbers, strings, "
                "and dicts, lists and tuples of them are. Save a state_dict, or numbers, instead"
            )
        self.stack.append(self.names[arg])

    def stack_named(self, arg: Any) -> None:
        """STACK_GLOBAL"""
        name, module = self.stack.pop(), self.stack.pop()
        self.named(f"{module} {name}")

    def tuple_of(self, count: int) -> None:
        """TUPLE1, TUPLE2, TUPLE3"""
        values = self.stack[len(self.stack) - count :]
        del self.stack[len(self.stack) - count :]
        self.stack.append(tuple(values))

    def tuple_since_mark(self, arg: Any) -> None:
        """TUPLE"""
        self.stack.append(tuple(self.since_mark()))

    def append(self, arg: Any) -> None:
        """APPEND"""
        value = self.stack.pop()
        expect(list, self.stack[-1]).append(value)

    def appends(self, arg: Any) -> None:
        """APPENDS"""
        values = self.since_mark()
        expect(list, self.stack[-1]).extend(values)

    def add_items(self, arg: Any) -> None:
        """ADDITEMS"""
        values = self.since_mark()
        expect(set, self.stack[-1]).update(values)

    def set_item(self, arg: Any) -> None:
        """SETITEM"""
        value, key = self.stack.pop(), self.stack.pop()
        expect(dict, self.stack[-1])[key] = value

    def set_items(self, arg: Any) -> None:
        """SETITEMS"""
        values = self.since_mark()
        expect(dict, self.stack[-1]).update(zip(values[::2], values[1::2], strict=True))

    def reduce(self, arg: Any) -> None:
        """REDUCE: call what a name stands for."""
        args, called = expect(tuple, self.stack.pop()), expect(Called, self.stack.pop())
        self.stack.append(called.function(*args))

    def build(self, arg: Any) -> None:
        """BUILD: the attributes of an object; of an OrderedDict, `_metadata`, the versions of a state_dict's layers."""
        state = self.stack.pop()
        target = expect(OrderedDict, self.stack[-1])
        if isinstance(state, dict) and set(state) <= {"_metadata"}:
            target.__dict__.update(state)
            return
        raise UnreadableFileError("load: the file's pickle sets attributes of an OrderedDict; save a dict instead")

    def persistent(self, arg: Any) -> None:
        """BINPERSID: a storage, ("storage", type, key, location, number of elements)."""
        kind, storage_type, key, location, count = expect(tuple, self.stack.pop())
        if kind != "storage" or not isinstance(storage_type, StorageType):
            raise UnreadableFileError(f"load: the file refers to a {kind!r} of {storage_type!r}; expected a storage")
        self.located(location)
        if key not in self.storages:
            content = self.archive.read(f"{self.prefix}data/{key}")
            order = storage_type.dtype.newbyteorder(self.order)
            if len(content) != count * order.itemsize:
                raise ValueError(f"storage {key} has {len(content)} bytes for {count} elements of {order}")
            self.storages[key] = np.frombuffer(bytearray(content), order).astype(storage_type.dtype, copy=False)
        self.stack.append(Storage(self.storages[key]))


def expect(kind: type[Any], value: Any) -> Any:
    """The value, which must be of this kind."""
    if not isinstance(value, kind):
        raise ValueError(f"{kind.__name__} expected, {type(value).__name__} found")
    return value


def rebuilt(
    storage: Any,
    offset: int,
    size: Any,
    stride: Any,
    requires_grad: bool = False,
    hooks: Any = None,
    metadata: Any = None,
) -> Tensor:
    """A tensor that is a view of a storage; tensors of one storage share its memory, as they did."""
    values = expect(Storage, storage).values
    whole = (offset, *size, *stride)
    if len(size) != len(stride) or any(type(n) is not int or n < 0 for n in whole):
        raise ValueError(f"size {size} and stride {stride} from element {offset}")
    if 0 in size:
        return Tensor(np.zeros(size, values.dtype), requires_grad=bool(requires_grad))
    last = offset + sum((n - 1) * step for n, step in zip(size, stride, strict=True))
    if last >= values.size:
        raise ValueError(f"a tensor reaches element {last} of a storage of {values.size}")
    steps = tuple(step * values.itemsize for step in stride)
    view = np.lib.stride_tricks.as_strided(values[offset:], tuple(size), steps)
    return Tensor(view, requires_grad=bool(requires_grad))


def rebuilt_of_bytes(
    storage: Any, offset: int, size: Any, stride: Any, requires_grad: bool, hooks: Any, kind: Any, more: Any = None
) -> Tensor:
    """A tensor of a storage without a type of its own, such as those of uint16."""
    typed = Storage(expect(Storage, storage).values.view(expect(dtype, kind).dtype))
    return rebuilt(typed, offset, size, stride, requires_grad)


def parameter(data: Any, requires_grad: bool, hooks: Any) -> Parameter:
    """A parameter."""
    return Parameter(expect(Tensor, data).detach(), requires_grad=bool(requires_grad))


def encoded(text: str, encoding: str) -> bytes:
    """Bytes, which pickles of protocol 2 write as text."""
    if encoding != "latin1":
        raise ValueError(f"bytes encoded as {encoding!r}")
    return codecs.latin_1_encode(text)[0]


CONSTANTS: dict[str, Callable[[], Any]] = {
    "NONE": lambda: None,
    "NEWTRUE": lambda: True,
    "NEWFALSE": lambda: False,
    "EMPTY_DICT": dict,
    "EMPTY_LIST": list,
    "EMPTY_TUPLE": tuple,
    "EMPTY_SET": set,
}
LITERALS = {
    *("BININT", "BININT1", "BININT2", "LONG1", "LONG4", "BINFLOAT", "INT", "LONG", "FLOAT"),
    *("BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8"),
}
STEPS: dict[str, Callable[[Machine, Any], None]] = {
    "PROTO": Machine.nothing,
    "FRAME": Machine.nothing,
    "MARK": Machine.mark,
    "BINPUT": Machine.put,
    "LONG_BINPUT": Machine.put,
    "MEMOIZE": Machine.memoize,
    "BINGET": Machine.get,
    "LONG_BINGET": Machine.get,
    "GLOBAL": Machine.named,
    "STACK_GLOBAL": Machine.stack_named,
    "TUPLE": Machine.tuple_since_mark,
    "TUPLE1": lambda machine, _: machine.tuple_of(1),
    "TUPLE2": lambda machine, _: machine.tuple_of(2),
    "TUPLE3": lambda machine, _: machine.tuple_of(3),
    "APPEND": Machine.append,
    "APPENDS": Machine.appends,
    "ADDITEMS": Machine.add_items,
    "SETITEM": Machine.set_item,
    "SETITEMS": Machine.set_items,
    "REDUCE": Machine.reduce,
    "BUILD": Machine.build,
    "BINPERSID": Machine.persistent,
}
