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
from collections import Counter, OrderedDict
from collections.abc import Callable, Generator
from typing import Any, TypeAlias

import numpy as np
from numpy.lib.array_utils import byte_bounds

from tinygrad_cnn.core.storage import start
from tinygrad_cnn.core.types import DType, NDArray
from tinygrad_cnn.io.classes import check_tree, checked_state, computes, function, module_class
from tinygrad_cnn.io.members import Members, new_zip
from tinygrad_cnn.io.numbers import ARRAY, array_of, checked_shape, native
from tinygrad_cnn.io.structure import Keys, parsed
from tinygrad_cnn.nn.hooks import CallHooks
from tinygrad_cnn.nn.module import Module
from tinygrad_cnn.nn.parameter import Parameter
from tinygrad_cnn.program.listing import Program
from tinygrad_cnn.program.saving import program_of, state_of
from tinygrad_cnn.tensor import Tensor
from tinygrad_cnn.torch_names.device import device
from tinygrad_cnn.torch_names.dtypes import dtype, dtype_named
from tinygrad_cnn.torch_names.size import Size
from tinygrad_cnn.utils.reading import Allowance, FileError, Limits, expect, shown, without_collecting

FORMATS = "tinygrad_cnn 1", "tinygrad_cnn 2"
"""The second has storages; a file without them is of the first."""
STRUCTURE = "structure.json"
DTYPES = {"|b1", "|i1", "|u1", *(f"<{kind}{size}" for kind in "fiu" for size in (2, 4, 8))}
DICTS: dict[str, type[dict[Any, Any]]] = {"dict": dict, "OrderedDict": OrderedDict, "Counter": Counter}
SEQUENCES: dict[str, Callable[[Any], Any]] = {
    "tuple": tuple,
    "Size": Size,
    "set": set,
    "frozenset": frozenset,
}
SETS = "set", "frozenset"


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
    with new_zip(buffer) as archive:
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


Walk: TypeAlias = Generator[Any, Any, Any]
"""Reads a part of a tree: it yields the parts inside of it, gets their values, and returns its own."""


class Reader:
    """Puts together again what a `Writer` took apart, without calling itself, however deep the value is nested."""

    def __init__(self, members: Members, limits: Limits) -> None:
        self.members, self.limits = members, limits
        self.allowance = Allowance(len(members.content), limits)
        self.keys = Keys(self.allowance)
        structure = expect(dict, parsed(members.read(STRUCTURE), self.allowance))
        if structure.get("format") not in FORMATS:
            raise FileError(f"the file has format {shown(structure.get('format'))}; expected one of {FORMATS}")
        self.storages: dict[int, NDArray] = {}
        self.arrays = [self.array(k, expect(dict, form)) for k, form in enumerate(expect(list, structure["arrays"]))]
        self.tensors = [self.tensor(expect(dict, form)) for form in expect(list, structure["tensors"])]
        self.forms = expect(list, structure.get("modules", []))
        self.modules: dict[int, Module] = {}
        with without_collecting():
            self.value = walked(self.read(structure["value"]))
        check_tree(self.modules.values())

    def array(self, k: int, form: dict[str, Any]) -> NDArray:
        """One array, in memory of its own, or as a window on a storage."""
        self.allowance.take(ARRAY)
        found, shape = dtype_in(form), checked_shape(form["shape"], self.limits)
        if "storage" not in form:
            return array_of(self.members.read(f"arrays/{k}"), found, shape)
        number = counted(form["storage"])
        if number not in self.storages:
            content = self.members.read(f"storages/{number}")
            self.storages[number] = np.frombuffer(bytearray(content), np.uint8)
        strides = tuple(map(operator.index, form["strides"]))
        return native(np.ndarray(shape, found, self.storages[number], counted(form["offset"]), strides))

    def tensor(self, form: dict[str, Any]) -> Tensor:
        """One Tensor."""
        self.allowance.take(ARRAY)
        array, wanted = self.arrays[counted(form["array"])], form.get("requires_grad") is True
        if wanted and array.dtype.kind != "f":
            raise FileError(f"a tensor of {array.dtype} requires a gradient, which only floating numbers have")
        kind = Parameter if form.get("parameter") is True else Tensor
        return kind(array, requires_grad=wanted)

    def module(self, k: int) -> Walk:
        """One Module: an object of its class, made without calling it, with the attributes that it had."""
        if k not in self.modules:
            form = self.forms[k]
            kind = module_class(*form["class"])
            made = self.modules[k] = kind.__new__(kind)
            Module.__setstate__(made, checked_state(kind, (yield self.read(form["state"]))))
        return self.modules[k]

    def read(self, tree: Any) -> Walk:
        """The value of a JSON tree."""
        if isinstance(tree, list):
            return (yield self.parts(tree))
        if not isinstance(tree, dict):
            return tree
        ((kind, content),) = tree.items()
        self.allowance.take(250 + (150 * len(content) if isinstance(content, list) else 0))
        if kind in DICTS:
            pairs = yield self.parts(expect(list, content))
            return DICTS[kind]({self.keys.check(k): v for k, v in pairs})
        if kind in SEQUENCES:
            parts = yield self.parts(expect(list, content))
            return SEQUENCES[kind](map(self.keys.check, parts) if kind in SETS else parts)
        match kind:
            case "module":
                return (yield self.module(counted(content)))
            case "program":
                return program_of((yield self.read(content)))
        return self.single(kind, content)

    def parts(self, trees: list[Any]) -> Walk:
        """The values of a list of JSON trees."""
        found = list(trees)
        for k, tree in enumerate(trees):
            if isinstance(tree, (list, dict)):
                found[k] = yield self.read(tree)
        return found

    def single(self, kind: str, content: Any) -> Any:
        """The value of an object with one key in which there are no others."""
        match kind:
            case "tensor":
                return self.tensors[counted(content)]
            case "array":
                return self.arrays[counted(content)]
            case "scalar":
                return self.arrays[counted(content)].reshape(())[()]
            case "float":
                return {"inf": math.inf, "-inf": -math.inf, "nan": math.nan}[content]
            case "bytes":
                return base64.b64decode(expect(str, content), validate=True)
            case "dtype":
                return dtype_named(short(content))
            case "function":
                return function(*content)
            case "device":
                return device(short(content))
        raise FileError(f"the file names a {shown(kind)}, which is not known")


def walked(walk: Walk) -> Any:
    """What a walk returns; the walks that it waits for lie in a list, not on Python's stack."""
    waiting, value = [walk], None
    while waiting:
        try:
            waiting.append(waiting[-1].send(value))
            value = None
        except StopIteration as done:
            waiting.pop()
            value = done.value
    return value


def short(name: Any) -> str:
    """The name of a dtype or device, whose own errors may quote it."""
    if not isinstance(name, str) or not name.replace(":", "").isalnum() or len(name) > 20:
        raise FileError(f"{shown(name)} names no dtype or device")
    return name


def counted(k: Any) -> int:
    """A number of a list."""
    if type(k) is not int or k < 0:
        raise FileError(f"{shown(k)} is no number of an array")
    return k


def dtype_in(form: dict[str, Any]) -> DType:
    """The dtype of an array of the file."""
    if form["dtype"] not in DTYPES:
        raise FileError(f"an array has dtype {shown(form['dtype'])}")
    found: DType = np.dtype(form["dtype"])
    return found
