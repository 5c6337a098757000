"""From PyTorch's samples to ours: the same memory layout, dtypes, devices, and functions with the import changed.

A function of PyTorch is found here by its public path. A Python function of PyTorch's tests (a lambda of op_db) is run
here with the same code and other globals: `torch` is the package.
"""

import functools
import importlib
import types
from typing import Any

import numpy as np
import torch

import tinygrad_cnn as tg

NAMESPACES = (
    "torch",
    "torch.nn.functional",
    "torch.linalg",
    "torch.special",
    "torch.fft",
    "torch.masked",
    "torch.signal.windows",
    "torch.Tensor",
    "torch.nn",
    "torch.optim",
    "torch.nn.init",
    "torch.nn.utils.rnn",
    "torch.ops.aten",
)
DTYPES = (
    "float64",
    "float32",
    "float16",
    "int64",
    "int32",
    "int16",
    "int8",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "bool",
)
"""What the package has of PyTorch's dtypes."""

OWN = ("torch.testing", "tests.")
"""Modules of Python functions whose code is run with our globals."""


class NameAbsent(Exception):
    """A function, method or module of PyTorch that is not here."""


class DTypeAbsent(Exception):
    """A sample of a dtype or layout that is not here: complex, sparse, quantized, bfloat16."""


@functools.cache
def paths() -> dict[int, list[str]]:
    """The public paths of every function of PyTorch, by its id."""
    found: dict[int, list[str]] = {}
    for space in NAMESPACES[:-1]:
        module, _, name = space.rpartition(".")
        room = getattr(importlib.import_module(module), name) if module else torch
        for attribute in dir(room):
            value = getattr(room, attribute, None)
            if callable(value) or isinstance(value, types.GetSetDescriptorType):
                found.setdefault(id(value), []).append(f"{space}.{attribute}"[len("torch.") :])
    return found


def at(path: str) -> Any:
    """What is at a path of the package."""
    value: Any = tg
    for part in path.split("."):
        try:
            value = getattr(value, part)
        except AttributeError as error:
            raise NameAbsent(path) from error
    return value


_known: dict[int, tuple[Any, Any]] = {}


def here(value: Any, hint: str = "") -> Any:
    """The package's counterpart of a function, class, module or constant of PyTorch."""
    if id(value) in _known:
        return _known[id(value)][1]
    result = _here(value, hint)
    _known[id(value)] = (value, result)  # the value is kept: its id stays its own
    return result


def _here(value: Any, hint: str) -> Any:
    named = paths().get(id(value), ())
    if named:
        return at(hint if hint in named else named[0])
    if isinstance(value, types.ModuleType):
        name = value.__name__
        return at(name[len("torch.") :]) if name.startswith("torch.") else tg if name == "torch" else value
    if isinstance(value, functools.partial):
        return functools.partial(here(value.func), *ours(value.args), **ours(value.keywords))
    if isinstance(value, types.FunctionType):
        if value.__module__ and value.__module__.startswith("torch") and not value.__module__.startswith(OWN):
            raise NameAbsent(f"{value.__module__}.{value.__qualname__}")
        return rebuilt(value)
    if type(value).__module__.startswith("torch.testing"):
        return value  # an entry itself, of which a function of samples asks the name
    if type(value).__module__.startswith("torch"):
        raise NameAbsent(str(value))
    return value


def names_in(code: types.CodeType) -> set[str]:
    """The global names that a code and the functions in it may read."""
    inner = (names_in(c) for c in code.co_consts if isinstance(c, types.CodeType))
    return set(code.co_names).union(*inner)


def rebuilt(function: types.FunctionType) -> types.FunctionType:
    """The same code, with the package for `torch` in its globals, its defaults and what it closes over."""
    if function.__name__ == "wrapper_set_seed":
        return seeded
    space = {"__builtins__": __builtins__, "__name__": function.__module__}
    empty = tuple(types.CellType() for _ in function.__closure__ or ())
    first = types.FunctionType(function.__code__, space, function.__name__, None, empty or None)
    _known[id(function)] = (function, first)  # for what refers to itself
    for name in names_in(function.__code__):
        if name in function.__globals__:
            space[name] = Later.resolved(function.__globals__[name])
    cells = tuple(types.CellType(Later.resolved(cell.cell_contents)) for cell in function.__closure__ or ())
    result = types.FunctionType(function.__code__, space, function.__name__, ours(function.__defaults__), cells or None)
    result.__kwdefaults__ = ours(function.__kwdefaults__)
    return result


class Later:
    """A global that is not here: an error only if it is used."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    @classmethod
    def resolved(cls, value: Any) -> Any:
        """What a global or closed-over name means here."""
        try:
            return ours(value)
        except (NameAbsent, DTypeAbsent) as error:
            return cls(error)

    def __call__(self, *args: Any, **options: Any) -> Any:
        raise self._error

    def __getattr__(self, name: str) -> Any:
        raise self._error


def seeded(op: Any, *args: Any, **options: Any) -> Any:
    """What PyTorch's tests do to compare random ops."""
    state = tg.get_rng_state()
    tg.manual_seed(42)
    result = op(*args, **options)
    tg.set_rng_state(state)
    return result


def array_of(t: torch.Tensor) -> np.ndarray:
    """A copy as an array, with the same strides."""
    t = t.detach()
    if t.is_contiguous():
        return t.numpy().copy()
    size = t.untyped_storage().nbytes() // t.itemsize
    memory = torch.empty(0, dtype=t.dtype).set_(t.untyped_storage(), 0, (size,), (1,)).numpy().copy()
    strides = [step * t.itemsize for step in t.stride()]
    return np.ndarray(tuple(t.shape), memory.dtype, memory, t.storage_offset() * t.itemsize, strides)


def ours(value: Any, grad: bool = True) -> Any:
    """Any argument of a sample, for the package."""
    kind = type(value)
    if kind in (int, float, bool, str, type(None)):
        return value
    if isinstance(value, torch.Tensor):
        if value.layout is not torch.strided or value.is_quantized or str(value.dtype)[6:] not in DTYPES:
            raise DTypeAbsent(str(value.dtype if value.layout is torch.strided else value.layout)[6:])
        if value.device.type != "cpu":
            raise DTypeAbsent(f"device {value.device.type}")
        if value.ndim > 64:
            raise DTypeAbsent("more dimensions than NumPy's 64")
        made = tg.from_numpy(array_of(value))
        if isinstance(value, torch.nn.Parameter):
            return tg.nn.Parameter(made, requires_grad=value.requires_grad)
        return made.requires_grad_() if grad and value.requires_grad else made
    if kind in (tuple, list):
        return kind(ours(v, grad) for v in value)
    if isinstance(value, dict):
        return {k: ours(v, grad) for k, v in value.items()}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return here(kind)(*(ours(v, grad) for v in value))
    if kind is complex:
        raise DTypeAbsent("complex")
    if isinstance(value, torch.dtype):
        if str(value)[6:] not in DTYPES:
            raise DTypeAbsent(str(value)[6:])
        return getattr(tg, str(value)[6:])
    if isinstance(value, torch.Size):
        return tg.Size(value)
    if isinstance(value, torch.device):
        return tg.device(str(value))
    if isinstance(value, torch.memory_format | torch.layout):
        if not hasattr(tg, str(value)[6:]):
            raise DTypeAbsent(str(value)[6:])
        return getattr(tg, str(value)[6:])
    if kind is slice:
        return slice(*(ours(v, grad) for v in (value.start, value.stop, value.step)))
    if isinstance(value, torch.Generator):
        return tg.Generator().manual_seed(value.initial_seed())
    if kind is torch.nn.TransformerEncoderLayer:
        return encoder_layer(value)
    if isinstance(value, torch.nn.Module) and not list(value.parameters()):
        made = here(kind)()
        vars(made).update({k: v for k, v in vars(value).items() if isinstance(v, int | float | str)})
        return made
    return here(value) if callable(value) or isinstance(value, types.ModuleType) else value


def encoder_layer(layer: torch.nn.TransformerEncoderLayer) -> Any:
    """A layer that is an argument of another: built as that was, of the same state."""
    made = tg.nn.TransformerEncoderLayer(
        layer.self_attn.embed_dim,
        layer.self_attn.num_heads,
        layer.linear1.out_features,
        layer.dropout.p,
        activation=here(layer.activation),
        layer_norm_eps=layer.norm1.eps,
        batch_first=layer.self_attn.batch_first,
        norm_first=layer.norm_first,
        bias=layer.linear1.bias is not None,
        dtype=ours(layer.linear1.weight.dtype),
    )
    made.load_state_dict(ours(layer.state_dict()))
    return made
