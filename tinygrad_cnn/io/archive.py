"""The format that `save` writes: one zip with the numbers of each array as they are, and a JSON text of the rest.

`structure.json` holds `format`, `arrays` (dtype and shape of each; of one that shares memory with others also which
storage, offset and strides, in bytes), `tensors` (which array, and what else they are) and `value`: what was saved, as
JSON. JSON's own null, truth values, texts, numbers and lists stand for themselves; everything else is an object with
one key, which names it. Nothing in a file can run: it is data that this module alone gives a meaning, and what it does
not know, it refuses. A Module is its class's name and its attributes.
"""

import base64
import io
import json
import math
import operator
import zipfile
from collections import Counter, OrderedDict
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.array_utils import byte_bounds

from tinygrad_cnn.core.storage import start
from tinygrad_cnn.core.types import DType, NDArray
from tinygrad_cnn.io.classes import computes, function, module_class
from tinygrad_cnn.io.errors import UnreadableFileError
from tinygrad_cnn.nn.hooks import CallHooks
from tinygrad_cnn.nn.module import Module
from tinygrad_cnn.nn.parameter import Parameter
from tinygrad_cnn.program.listing import Program
from tinygrad_cnn.program.saving import program_of, state_of
from tinygrad_cnn.tensor import Tensor
from tinygrad_cnn.torch_names.device import device
from tinygrad_cnn.torch_names.dtypes import dtype, dtype_named
from tinygrad_cnn.torch_names.size import Size

FORMATS = "tinygrad_cnn 1", "tinygrad_cnn 2"
"""The second has storages; a file without them is of the first."""
STRUCTURE = "structure.json"
DTYPES = {"|b1", "|i1", "|u1", *(f"<{kind}{size}" for kind in "fiu" for size in (2, 4, 8))}
DICTS: dict[str, type[dict[Any, Any]]] = {"dict": dict, "OrderedDict": OrderedDict, "Counter": Counter}
SEQUENCES: dict[str, Callable[[list[Any]], Any]] = {
    "tuple": tuple,
    "Size": Size,
    "set": set,
    "frozenset": frozenset,
}


class Writer:
    """Takes an object apart: its arrays into a list, and the rest into what JSON can hold."""

    def __init__(self) -> None:
        self.arrays: list[NDArray] = []
        self.tensors: list[dict[str, Any]] = []
        self.modules: list[Any] = []
        self.places: dict[Any, int] = {}
        """Of each piece of memory and each Tensor seen, its number: what is shared is written once."""
        self.inside: list[int] = []
        self.kept: list[Any] = []  # what has a number stays alive, so that no other object gets its id

    def written(self, value: Any, where: str) -> Any:
        """JSON for a value; `where` it stands in what is saved, for the error."""
        if value is None or type(value) in (bool, int, str):
            return value
        if type(value) is float:
            return value if math.isfinite(value) else {"float": repr(value)}
        if isinstance(value, Tensor):
            return {"tensor": self.tensor(value)}
        if isinstance(value, (np.ndarray, np.generic)):
            return {"array" if isinstance(value, np.ndarray) else "scalar": self.array(np.asarray(value), where)}
        if isinstance(value, bytes):
            return {"bytes": base64.b64encode(value).decode()}
        if isinstance(value, (dtype, device)):
            return {type(value).__name__: value.name if isinstance(value, dtype) else str(value)}
        if isinstance(value, Module):
            return {"module": self.module(value, where)}
        if isinstance(value, Program):
            return {"program": self.written(state_of(value), where)}
        if computes(value) and not isinstance(value, type):
            return {"function": [value.__module__, value.__qualname__]}
        return self.container(value, where)

    def module(self, value: Module, where: str) -> int:
        """The number of a Module: the name of its class, and its attributes."""
        key = ("module", id(value))
        if key not in self.places:
            self.kept.append(value)
            self.places[key] = len(self.modules)
            self.modules.append(None)
            kind = type(value)
            state = self.written(Module.__getstate__(value), where)
            self.modules[self.places[key]] = {"class": [kind.__module__, kind.__qualname__], "state": state}
        return self.places[key]

    def container(self, value: Any, where: str) -> Any:
        """JSON for a dict, list, tuple or set; TypeError for anything else."""
        kind = type(value).__name__
        known = type(value) in (list, *DICTS.values(), *SEQUENCES.values())
        if not known:
            raise TypeError(f"save: {where} is of type {kind}, which is not saved; {advice(value)}")
        if id(value) in self.inside:
            raise ValueError(f"save: {where} contains itself; only trees are saved")
        self.inside.append(id(value))
        if isinstance(value, dict):
            pairs = enumerate(value.items())
            parts: list[Any] = [
                [self.written(k, f"key {n} of {where}"), self.written(v, f"{where}[{k!r}]")] for n, (k, v) in pairs
            ]
        else:
            parts = [self.written(v, f"{where}[{k}]") for k, v in enumerate(value)]
        self.inside.pop()
        return parts if type(value) is list else {kind: parts}

    def tensor(self, value: Tensor) -> int:
        """The number of a Tensor; the same object has the same one."""
        key = ("tensor", id(value))
        if key not in self.places:
            self.kept.append(value)
            self.places[key] = len(self.tensors)
            described = {"array": self.array(value.detach().numpy(), "a tensor")}
            if value.requires_grad:
                described["requires_grad"] = True
            if isinstance(value, Parameter):
                described["parameter"] = True
            self.tensors.append(described)
        return self.places[key]

    def array(self, value: NDArray, where: str) -> int:
        """The number of an array; the same elements in memory have the same one."""
        native = value.dtype.newbyteorder("<").str.replace("=", "<")
        if native not in DTYPES:
            raise TypeError(f"save: {where} has dtype {value.dtype}; only numbers and truth values are saved")
        key = (start(value), value.shape, value.strides, native, bool(value.size))
        if key not in self.places:
            self.kept.append(value)
            self.places[key] = len(self.arrays)
            self.arrays.append(value.astype(native, copy=False))
        return self.places[key]

    def storages(self) -> list[tuple[int, int, list[int]]]:
        """The runs of memory that are kept as they lie: first and last address, and the numbers of the arrays there.

        Several arrays lie in one, or one in another order than that of its indices, or with elements in one place.
        """
        spans = sorted((*byte_bounds(a), k) for k, a in enumerate(self.arrays) if a.size)
        runs: list[tuple[int, int, list[int]]] = []
        for low, high, k in spans:
            if runs and low < runs[-1][1]:
                runs[-1] = (runs[-1][0], max(high, runs[-1][1]), [*runs[-1][2], k])
            else:
                runs.append((low, high, [k]))
        return [run for run in runs if len(run[2]) > 1 or self.laid_out(run[2][0], run[1] - run[0])]

    def laid_out(self, k: int, size: int) -> bool:
        """Whether an array fills its run of memory, but not in C order."""
        return not self.arrays[k].flags.c_contiguous and self.arrays[k].nbytes >= size


def advice(value: Any) -> str:
    """What to save instead."""
    if callable(value) or type(value).__module__ == CallHooks.__module__:
        return "of a Module with hooks or functions of its own, save the state_dict()"
    if callable(getattr(value, "state_dict", None)):
        return "save its state_dict()"
    return "save tensors, arrays, numbers, strings, and dicts, lists, tuples and sets of them"


def pack(value: Any) -> bytes:
    """The file for a value."""
    writer = Writer()
    tree = writer.written(value, "the object")
    described: list[dict[str, Any]] = [{"dtype": a.dtype.str, "shape": a.shape} for a in writer.arrays]
    storages = writer.storages()
    for k, (low, _, members) in enumerate(storages):
        for member in members:
            array = writer.arrays[member]
            described[member] |= {"storage": k, "offset": start(array) - low, "strides": array.strides}
    structure = {"format": FORMATS[bool(storages)], "arrays": described, "tensors": writer.tensors, "value": tree}
    if writer.modules:
        structure["modules"] = writer.modules
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(STRUCTURE, json.dumps(structure, allow_nan=False))
        for k, array in enumerate(writer.arrays):
            if "storage" not in described[k]:
                archive.writestr(f"arrays/{k}", array.tobytes())
        for k, (low, high, members) in enumerate(storages):
            archive.writestr(f"storages/{k}", run_of_bytes(low, high, [writer.arrays[m] for m in members]))
    return buffer.getvalue()


def run_of_bytes(low: int, high: int, arrays: list[NDArray]) -> bytes:
    """The bytes from one address to another, as far as the arrays have them; what lies between is 0."""
    run = np.zeros(high - low, np.uint8)
    for array in arrays:
        np.ndarray(array.shape, array.dtype, run, start(array) - low, array.strides)[...] = array
    return run.tobytes()


class Reader:
    """Puts together again what a `Writer` took apart."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        try:
            structure = json.loads(archive.read(STRUCTURE))
            if structure["format"] not in FORMATS:
                raise UnreadableFileError(
                    f"load: the file has format {structure['format']!r}; expected one of {FORMATS}"
                )
            self.storages: dict[int, NDArray] = {}
            self.arrays = [self.array(archive, k, form) for k, form in enumerate(structure["arrays"])]
            self.tensors = [self.tensor(form) for form in structure["tensors"]]
            self.forms = structure.get("modules", [])
            self.modules: dict[int, Module] = {}
            self.value = self.read(structure["value"])
        except UnreadableFileError:
            raise
        except (KeyError, TypeError, ValueError, IndexError, AttributeError, RecursionError) as error:
            raise UnreadableFileError(f"load: the file is damaged ({type(error).__name__}: {error})") from None

    def array(self, archive: zipfile.ZipFile, k: int, form: dict[str, Any]) -> NDArray:
        """One array, in memory of its own, or as a window on a storage."""
        if "storage" not in form:
            return stored(archive, k, form)
        number = counted(form["storage"])
        if number not in self.storages:
            self.storages[number] = np.frombuffer(bytearray(archive.read(f"storages/{number}")), np.uint8)
        row, found, shape = self.storages[number], dtype_in(form, k), tuple(counted(n) for n in form["shape"])
        array = np.ndarray(shape, found, row, counted(form["offset"]), tuple(map(operator.index, form["strides"])))
        return array if found.isnative else array.astype(found.newbyteorder("="))

    def tensor(self, form: dict[str, Any]) -> Tensor:
        """One Tensor."""
        kind = Parameter if form.get("parameter") is True else Tensor
        return kind(self.arrays[counted(form["array"])], requires_grad=form.get("requires_grad") is True)

    def module(self, k: int) -> Module:
        """One Module: an object of its class, made without calling it, with the attributes that it had."""
        if k not in self.modules:
            form = self.forms[k]
            kind = module_class(*form["class"])
            made = self.modules[k] = kind.__new__(kind)
            state = self.read(form["state"])
            if not isinstance(state, dict) or not {"_parameters", "_buffers", "_modules"} <= state.keys():
                raise ValueError("a module without parameters, buffers and modules")
            Module.__setstate__(made, state)
        return self.modules[k]

    def read(self, tree: Any) -> Any:
        """The value of a JSON tree."""
        if isinstance(tree, list):
            return [self.read(part) for part in tree]
        if not isinstance(tree, dict):
            return tree
        ((kind, content),) = tree.items()
        if kind in DICTS:
            return DICTS[kind]({self.read(k): self.read(v) for k, v in content})
        if kind in SEQUENCES:
            return SEQUENCES[kind]([self.read(part) for part in content])
        match kind:
            case "tensor":
                return self.tensors[counted(content)]
            case "array":
                return self.arrays[counted(content)]
            case "scalar":
                return self.arrays[counted(content)][()]
            case "float":
                return {"inf": math.inf, "-inf": -math.inf, "nan": math.nan}[content]
            case "bytes":
                return base64.b64decode(content, validate=True)
            case "dtype":
                return dtype_named(str(content))
            case "module":
                return self.module(counted(content))
            case "program":
                return program_of(self.read(content))
            case "function":
                return function(*content)
            case "device":
                return device(str(content))
        raise UnreadableFileError(f"load: the file names a {kind!r}, which is not known")


def counted(k: Any) -> int:
    """A number of a list."""
    if type(k) is not int or k < 0:
        raise ValueError(f"{k!r} is no number of an array")
    return k


def dtype_in(form: dict[str, Any], k: int) -> DType:
    """The dtype of an array of the file."""
    if form["dtype"] not in DTYPES:
        raise ValueError(f"array {k} has dtype {form['dtype']!r}")
    found: DType = np.dtype(form["dtype"])
    return found


def stored(archive: zipfile.ZipFile, k: int, form: dict[str, Any]) -> NDArray:
    """One array of the file, in memory of its own."""
    found, shape = dtype_in(form, k), tuple(counted(n) for n in form["shape"])
    content = archive.read(f"arrays/{k}")
    if len(content) != math.prod(shape) * found.itemsize:
        raise ValueError(f"array {k} has {len(content)} bytes for shape {shape} of {found}")
    array = np.frombuffer(bytearray(content), found).reshape(shape)
    return array if found.isnative else array.astype(found.newbyteorder("="))
