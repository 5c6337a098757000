"""Whether a function or its VJP depends on how arrays lie in memory, which values alone should decide."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinygrad_cnn.core.types import NDArray
from tinygrad_cnn.gradcheck.point import signed


def memory_problem(thing: Any, inputs: Sequence[Any], checked: Sequence[int], random: np.random.Generator) -> str:
    """One sentence if values or gradients differ from those for copies in C order, else nothing.

    Inputs come as they were drawn; cotangents in Fortran order and read-only, reversed, and of stride 0, as the
    gradient of a sum is.
    """
    in_c_order = [np.array(a, order="C") if k in checked else a for k, a in enumerate(inputs)]
    outputs = [np.asarray(y) for y in thing.evaluate([_copy(a) for a in in_c_order])]
    which = ", ".join(f"input {k} {_described(inputs[k])}" for k in checked)
    try:
        same = _alike(thing.evaluate(inputs), outputs)
    except Exception as error:  # whatever the function does with memory that it did not expect
        return f"the function raises {type(error).__name__}: {error} ({which})"
    if not same:
        return f"the function gives another value for the same numbers in other memory ({which})"
    cotangents = [signed(random, y.shape).astype(y.dtype) if y.dtype.kind == "f" else None for y in outputs]
    for turn in LAYOUTS:
        given = [None if v is None else turn(v) for v in cotangents]
        whole = [None if v is None else np.array(v, order="C") for v in given]
        expected = thing.vjp([_copy(a) for a in in_c_order], whole)
        where = f"{which}, cotangent {', '.join(_described(v) for v in given if v is not None)}"
        try:
            found = thing.vjp(inputs, given)
        except Exception as error:  # likewise
            return f"the vjp raises {type(error).__name__}: {error} ({where})"
        if not _alike([found[k] for k in checked], [expected[k] for k in checked]):
            return f"the gradient is another one for the same numbers in other memory ({where})"
    return ""


def _copy(value: Any) -> Any:
    return value.copy() if isinstance(value, np.ndarray) else value


def _alike(found: Sequence[Any], expected: Sequence[Any]) -> bool:
    """Equal up to the order of summation."""
    for a, b in zip(found, expected, strict=True):
        if (a is None) != (b is None) or np.shape(a) != np.shape(b):
            return False
        if a is not None:
            b = np.asarray(b)
            most = np.sqrt(np.finfo(b.dtype).eps) * np.max(np.abs(b), initial=1.0) if b.dtype.kind == "f" else 0.0
            if not np.allclose(a, b, rtol=0, atol=most, equal_nan=True):
                return False
    return True


def _fortran(v: NDArray) -> NDArray:
    turned = np.array(v, order="F")
    turned.flags.writeable = False
    return turned


def _reversed(v: NDArray) -> NDArray:
    backwards = (slice(None, None, -1),) * v.ndim
    return v[backwards].copy()[backwards]


def _repeated(v: NDArray) -> NDArray:
    return np.broadcast_to(v.reshape(-1)[:1].reshape((1,) * v.ndim), v.shape) if v.size else v


LAYOUTS = (_fortran, _reversed, _repeated)


def _described(a: NDArray) -> str:
    lock = "" if a.flags.writeable else " read-only"
    return f"{a.shape} of strides {a.strides}{lock}"
