"""`assert_close`: PyTorch's comparison for tests, with tolerances that fit the dtype, and a message that says where."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from tinygrad_cnn.core.types import NDArray
from tinygrad_cnn.tensor import Tensor
from tinygrad_cnn.tensor.creation import tensor

__all__ = ["assert_allclose", "assert_close"]

TOLERANCES = {"float16": (1e-3, 1e-5), "float32": (1.3e-6, 1e-5), "float64": (1e-7, 1e-7)}
"""(rtol, atol) of each floating dtype, as PyTorch's; other dtypes must be equal."""
LOOSER = {"float16": (1e-3, 1e-3), "float32": (1e-4, 1e-5), "float64": (1e-5, 1e-8)}
"""Those of `assert_allclose`."""
SCALARS = (bool, int, float)


def assert_close(
    actual: Any,
    expected: Any,
    *,
    rtol: float | None = None,
    atol: float | None = None,
    equal_nan: bool = False,
    check_device: bool = True,
    check_dtype: bool = True,
    check_layout: bool = True,
    check_stride: bool = False,
    msg: str | Callable[[str], str] | None = None,
) -> None:
    """Raise AssertionError unless ``|actual - expected| <= atol + rtol |expected|`` everywhere.

    Parameters
    ----------
    actual, expected : tensors, arrays, numbers, or sequences or mappings of them; of the same kinds and shapes
    rtol, atol : both or neither; by default what suits the less precise of the two dtypes
    equal_nan : whether NaN equals NaN
    check_dtype : whether the dtypes must be the same
    check_device, check_layout : accepted, since all tensors are here and dense
    check_stride : whether the strides, in elements, must be the same
    msg : the error's text, or a function that makes one of the usual text

    Raises
    ------
    AssertionError
        That counts the elements which differ, and says where the greatest differences are.
    TypeError
        If the two are not of a kind that can be compared.
    ValueError
        If only one tolerance is given.

    Examples
    --------
    >>> assert_close(Tensor([1.0, 2.0]), Tensor([1.0, 2.000001]))
    """
    if (rtol is None) != (atol is None):
        raise ValueError("assert_close: give both rtol and atol, or neither")
    found = difference(actual, expected, (rtol, atol), equal_nan, check_dtype, check_stride)
    if found:
        raise AssertionError(found if msg is None else msg if isinstance(msg, str) else msg(found))


def assert_allclose(
    actual: Any,
    expected: Any,
    rtol: float | None = None,
    atol: float | None = None,
    equal_nan: bool = True,
    msg: str = "",
) -> None:
    """`assert_close` as it was called before PyTorch 1.12; deprecated, use that. Dtypes and strides may differ.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> import warnings
    >>> warnings.simplefilter("ignore", FutureWarning)
    >>> print(tg.testing.assert_allclose(tg.tensor([1.0]), [1.0]))
    None
    """
    warnings.warn(
        "`torch.testing.assert_allclose()` is deprecated since 1.12; use assert_close", FutureWarning, stacklevel=2
    )
    actual = actual if isinstance(actual, Tensor) else tensor(actual)
    expected = expected if isinstance(expected, Tensor) else tensor(expected, dtype=actual.dtype)
    if rtol is None and atol is None:
        rtol, atol = max(LOOSER.get(t.dtype.name, (0.0, 0.0)) for t in (actual, expected))
    assert_close(actual, expected, rtol=rtol, atol=atol, equal_nan=equal_nan, check_dtype=False, msg=msg or None)


def difference(a: Any, b: Any, tolerances: Any, equal_nan: bool, check_dtype: bool, check_stride: bool) -> str:
    """What is wrong, in words; "" if nothing is."""
    rest = tolerances, equal_nan, check_dtype, check_stride
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        if a.keys() != b.keys():
            more, fewer = list(a.keys() - b.keys()), list(b.keys() - a.keys())
            return f"The keys differ: only in actual {more}, only in expected {fewer}"
        return first((key, difference(a[key], b[key], *rest)) for key in a)
    if is_sequence(a) and is_sequence(b):
        if len(a) != len(b):
            return f"The lengths of the sequences differ: {len(a)} != {len(b)}"
        return first((k, difference(x, y, *rest)) for k, (x, y) in enumerate(zip(a, b, strict=True)))
    if a is None and b is None:
        return ""
    kinds = [kind for kind in (SCALARS, Tensor, np.ndarray) if isinstance(a, kind) and isinstance(b, kind)]
    if not kinds:
        raise TypeError(
            f"assert_close: cannot compare {type(a).__name__} with {type(b).__name__}; expected two tensors, two "
            "arrays, two numbers, or two sequences or mappings of them"
        )
    if kinds[0] is SCALARS and check_dtype and type(a) is not type(b):
        return f"The types differ: {type(a).__name__} != {type(b).__name__}"
    x, y = (np.asarray(v.detach() if isinstance(v, Tensor) else v) for v in (a, b))
    if x.shape != y.shape:
        return f"The shapes differ: {x.shape} != {y.shape}"
    if check_dtype and x.dtype != y.dtype:
        return f"The dtypes differ: {x.dtype} != {y.dtype}"
    if check_stride and x.strides != y.strides:
        return f"The strides differ: {x.strides} != {y.strides} bytes"
    return elements(x, y, *allowed(x, y, tolerances), equal_nan)


def is_sequence(value: Any) -> bool:
    """Whether it is to be compared item by item."""
    return isinstance(value, Sequence) and not isinstance(value, (str, bytes))


def first(found: Any) -> str:
    """The first of several differences, with where it is; "" if there is none."""
    for place, text in found:
        if text:
            return f"{text}\nin item {place!r}"
    return ""


def allowed(x: NDArray, y: NDArray, tolerances: Any) -> tuple[float, float]:
    """The given (rtol, atol), or the larger of those that suit the dtypes."""
    if tolerances[0] is not None:
        return float(tolerances[0]), float(tolerances[1])
    both = [TOLERANCES.get(array.dtype.name, (0.0, 0.0)) for array in (x, y)]
    return max(rtol for rtol, _ in both), max(atol for _, atol in both)


def elements(x: NDArray, y: NDArray, rtol: float, atol: float, equal_nan: bool) -> str:
    """How many elements differ by more, and where the most."""
    close = np.isclose(x, y, rtol, atol, equal_nan)
    if close.all():
        return ""
    with np.errstate(all="ignore"):
        apart = np.abs(np.subtract(x, y, dtype=np.result_type(x, y, np.float64)))
        relative = apart / np.abs(y)
    greatest = [(gap, np.unravel_index(np.argmax(np.where(close, -1, gap)), gap.shape)) for gap in (apart, relative)]
    lines = [f"{np.sum(~close)} of {close.size} elements differ ({np.mean(~close):.1%})"]
    for name, (gap, place), limit in zip(("absolute", "relative"), greatest, (atol, rtol), strict=True):
        index = tuple(int(k) for k in place)
        lines.append(
            f"greatest {name} difference: {gap[place]:.6g} at {index} ({limit:g} allowed): {x[place]} != {y[place]}"
        )
    return "\n".join(lines)
