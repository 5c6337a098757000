"""What counts as the same: the tolerances, the classes of difference, and the kinds of exceptions."""

import dis
import re
import traceback
from collections.abc import Iterator
from types import CodeType
from typing import Any, NamedTuple

import numpy as np
import torch

import tinygrad_cnn as tg
from tests.parity.opdb.translate import DTypeAbsent, NameAbsent

TOLERANCE = {"float64": 1e-9, "float32": 2e-5, "float16": 4e-3}
"""Of values, in parts of a tensor's largest element; integers and booleans are exact."""

GRADIENT = 1e-7
SECOND = 1e-6
"""Of first and second derivatives in float64, in parts of the largest element."""

FLOOR = 1e-6
"""A tensor whose elements are all smaller is compared as if one were this large."""

WANTED_ZERO = (
    "wrong value",
    "wrong NaN or infinity",
    "wrong dtype",
    "wrong shape",
    "wrong gradient",
    "wrong second derivative",
    "view or copy",
    "bare exception",
    "NumPy's message",
    "accepted",
    "other exception",
)
CLASSES = ("agree", *WANTED_ZERO, "refused", "signature", "not found", "dtype absent", "excepted")


class Case(NamedTuple):
    """One comparison: an entry of a database, how it was called, the dtype, the number of the sample, the outcome."""

    entry: str
    variant: str
    dtype: str
    sample: int
    outcome: str
    text: str = ""


class Difference(Exception):
    """Where the two part: the class, and a few words."""

    def __init__(self, outcome: str, text: str = "", derivatives: Any = None) -> None:
        super().__init__(outcome, text)
        self.outcome, self.text = outcome, text
        self.derivatives = derivatives
        """Ours and PyTorch's of each input, if these differ."""


def leaves(value: Any) -> Iterator[Any]:
    """The tensors and numbers in nested tuples, lists and dicts."""
    if isinstance(value, (tuple, list)) and not isinstance(value, (torch.Size, tg.Size)):
        for v in value:
            yield from leaves(v)
    elif isinstance(value, dict):
        for v in value.values():
            yield from leaves(v)
    elif isinstance(value, (torch.Size, tg.Size)):
        yield tuple(value)
    else:
        yield value


def array(t: Any) -> np.ndarray:
    """A tensor's memory."""
    return t.numpy(force=True) if isinstance(t, torch.Tensor) else np.asarray(t.detach().numpy())


def check_same(ours: Any, theirs: Any, tolerance: dict[str, float] | float = TOLERANCE, name: str = "value") -> None:
    """Raise `Difference` unless values, shapes and dtypes agree."""
    a, b = list(leaves(ours)), list(leaves(theirs))
    if any(isinstance(t, torch.Tensor) and (t.is_complex() or t.layout is not torch.strided) for t in b):
        raise Difference("dtype absent", "the result")
    if len(a) != len(b):
        raise Difference("wrong shape", f"{len(a)} results, PyTorch {len(b)}")
    for i, (x, y) in enumerate(zip(a, b, strict=True)):
        where = f"result {i}: " if len(a) > 1 else ""
        if isinstance(y, torch.Tensor) != isinstance(x, tg.Tensor):
            raise Difference("wrong dtype", f"{where}{type(x).__name__}, PyTorch {type(y).__name__}")
        if isinstance(y, torch.Tensor):
            check_tensor(x, y, tolerance, name, where)
        elif not same_plain(x, y):
            raise Difference("wrong value", f"{where}{x!r}, PyTorch {y!r}")


def same_plain(x: Any, y: Any) -> bool:
    """Numbers, tuples and constants."""
    if isinstance(y, float):
        return isinstance(x, float) and (x == y or (x != x and y != y) or abs(x - y) <= 1e-6 * abs(y))
    if isinstance(y, (bool, int, str, tuple, type(None))):
        return type(x) is type(y) and x == y
    return str(x) == str(y)


def check_tensor(x: Any, y: torch.Tensor, tolerance: dict[str, float] | float, name: str, where: str) -> None:
    """Raise `Difference` unless shape, dtype and values agree."""
    if tuple(x.shape) != tuple(y.shape):
        raise Difference(
            f"wrong {name}" if name != "value" else "wrong shape",
            f"{where}shape {tuple(x.shape)}, PyTorch {tuple(y.shape)}",
        )
    if str(x.dtype) != str(y.dtype):
        raise Difference(
            f"wrong {name}" if name != "value" else "wrong dtype",
            f"{where}{str(x.dtype)[6:]}, PyTorch {str(y.dtype)[6:]}",
        )
    check_arrays(array(x), array(y), tolerance, name, where)


def check_arrays(a: np.ndarray, b: np.ndarray, tolerance: dict[str, float] | float, name: str, where: str) -> None:
    """Raise `Difference` unless they are close, to the largest element."""
    if not b.size:
        return
    if b.dtype.kind != "f":
        wrong = a != b
        if wrong.any():
            i = np.unravel_index(int(np.argmax(wrong)), wrong.shape)
            raise Difference(f"wrong {name}", f"{where}{a[i]} at {tuple(map(int, i))}, PyTorch {b[i]}")
        return
    finite = np.isfinite(b)
    if finite.all():
        scale = max(float(np.abs(b).max()), FLOOR)
        with np.errstate(all="ignore"):
            error = np.abs(a.astype(np.float64) - b)
    else:
        scale = max(float(np.abs(b[finite]).max()) if finite.any() else 0.0, FLOOR)
        with np.errstate(all="ignore"):
            error = np.where(finite, np.abs(a.astype(np.float64) - np.where(finite, b, 0)), 0.0)
        same = (a == b) | (np.isnan(a) & np.isnan(b)) | finite
        if not same.all():
            i = np.unravel_index(int(np.argmin(same)), same.shape)
            raise Difference(nan_class(name), f"{where}{a[i]} at {tuple(map(int, i))}, PyTorch {b[i]}")
    worst = int(np.argmax(error))  # a NaN counts as the largest
    bound = (tolerance[str(b.dtype)] if isinstance(tolerance, dict) else tolerance) * scale
    if not error.flat[worst] <= bound:
        i = np.unravel_index(worst, error.shape)
        outcome = f"wrong {name}" if np.isfinite(a[i]) else nan_class(name)
        raise Difference(outcome, f"{where}{a[i]} at {tuple(map(int, i))}, PyTorch {b[i]} (largest {scale:.3g})")


def nan_class(name: str) -> str:
    """The class of a NaN where there should be none, or the other way round."""
    return "wrong NaN or infinity" if name == "value" else f"wrong {name}"


SIGNATURE = re.compile(
    r"unexpected keyword|positional argument|required keyword|missing \d+ required|multiple values for|got some "
    r"positional|got an unexpected|takes no arguments|takes no keyword|invalid keyword"
)
ABSENT = re.compile(
    r"^(module 'tinygrad_cnn|torch\.[\w.]+ has no attribute|type object 'Tensor' has|'Tensor' object has)"
)


def kind_of(error: Exception) -> str:
    """How the package said no: by a clear error of its own, a bare one from inside, NumPy's, or by its signature."""
    if isinstance(error, NameAbsent):
        return "not found"
    if isinstance(error, DTypeAbsent):
        return "dtype absent"
    text = str(error)
    if isinstance(error, AttributeError) and ABSENT.match(text):
        return "not found"
    if isinstance(error, TypeError) and SIGNATURE.search(text):
        return "signature"
    frames = list(traceback.walk_tb(error.__traceback__))
    frame = frames[-1][0]
    file = frame.f_code.co_filename
    tb = error.__traceback__
    while tb is not None and tb.tb_next is not None:
        tb = tb.tb_next
    raised = tb is not None and opname(frame.f_code, tb.tb_lasti) == "RAISE_VARARGS"
    if "/numpy/" in file or NUMPYS_OWN.search(text) or type(error).__module__.startswith("numpy"):
        return "NumPy's message"
    if raised and "tinygrad_cnn" in file and not isinstance(error, (AssertionError, KeyError)):
        return "refused"
    if isinstance(error, (ValueError, IndexError, TypeError, OverflowError)) and numpys(text):
        return "NumPy's message"
    return "bare exception"


NUMPYS_OWN = re.compile(r"The numpy|numpy\.dtypes|ufunc '|_UFunc|numpy boolean")
"""What only NumPy says, even where an error of the package repeats it."""

NUMPYS = re.compile(
    r"operands could not|could not broadcast|shape|axis|axes|array|ufunc|dimension|index|dtype|zero-size|singular|"
    r"cannot reshape|operand|subscript|matmul|einsum|out of bounds|ambiguous|casting|NaN|converge"
)


def numpys(text: str) -> bool:
    """Whether a message from below reads like NumPy's."""
    return NUMPYS.search(text) is not None


_ops: dict[tuple[CodeType, int], str] = {}


def opname(code: CodeType, offset: int) -> str:
    """The instruction at an offset of a code."""
    key = (code, offset)
    if key not in _ops:
        _ops[key] = next((i.opname for i in dis.get_instructions(code) if i.offset == offset), "")
    return _ops[key]


def brief(error: BaseException, length: int = 150) -> str:
    """An exception on one line."""
    return f"{type(error).__name__}: {error}".replace("\n", " ")[:length]
