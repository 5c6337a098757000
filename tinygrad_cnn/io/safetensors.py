"""Tensors by name in the safetensors format, as `safetensors.torch` spells it: the exchange with PyTorch.

A file is eight bytes with the length of a JSON header, the header (name to dtype, shape and place), and the numbers. No
package is needed.
"""

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tinygrad_cnn.core.types import DType, NDArray
from tinygrad_cnn.files import write_atomically
from tinygrad_cnn.io.errors import UnreadableFileError
from tinygrad_cnn.io.numbers import ARRAY, array_of, checked_shape
from tinygrad_cnn.io.structure import parsed
from tinygrad_cnn.tensor import Tensor
from tinygrad_cnn.torch_names.device import check_device
from tinygrad_cnn.utils.reading import LIMITS, Allowance, FileError, Limits, contents, expect, refusing, shown

__all__ = ["load", "load_file", "metadata", "save", "save_file"]

DTYPES = {
    "F64": "<f8",
    "F32": "<f4",
    "F16": "<f2",
    "BOOL": "|b1",
    "I64": "<i8",
    "I32": "<i4",
    "I16": "<i2",
    "I8": "|i1",
    "U64": "<u8",
    "U32": "<u4",
    "U16": "<u2",
    "U8": "|u1",
}
NAMES = {np.dtype(kind): name for name, kind in DTYPES.items()}
METADATA = "__metadata__"
MOST_HEADER = 100_000_000
"""The bytes of the largest header that the format's own reader takes."""
DAMAGED = "safetensors: damaged, or another format"


def save_file(tensors: Mapping[str, Tensor], filename: str | os.PathLike[str], metadata: Any = None) -> None:
    """Write tensors by name to a file, atomically; `metadata` are texts by name.

    Raises
    ------
    ValueError
        If something is no tensor, or two of them share memory, as the format wants each by itself.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> import tempfile, pathlib
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "x.safetensors"
    >>> tg.io.save_file({"x": tg.tensor([1.0])}, file)
    >>> tg.io.load_file(file)
    {'x': tensor([1.])}
    """
    write_atomically(Path(filename), save(tensors, metadata))


def save(tensors: Mapping[str, Tensor], metadata: Mapping[str, str] | None = None) -> bytes:
    """The bytes of such a file.

    >>> from tinygrad_cnn import tensor
    >>> load(save({"w": tensor([1.0, 2.0])}))
    {'w': tensor([1., 2.])}
    """
    if not isinstance(tensors, Mapping):
        raise ValueError(f"safetensors: expected a dict of tensors, got {type(tensors).__name__}")
    header: dict[str, Any] = {}
    if metadata is not None:
        if not all(isinstance(k, str) and isinstance(v, str) for k, v in metadata.items()):
            raise ValueError("safetensors: metadata must be texts by name")
        header[METADATA] = dict(metadata)
    parts: list[bytes] = []
    owners: list[tuple[str, NDArray]] = []
    at = 0
    for name, value in tensors.items():
        array = checked(name, value, owners)
        content = array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes()
        header[name] = {
            "dtype": NAMES[array.dtype],
            "shape": list(array.shape),
            "data_offsets": [at, at + len(content)],
        }
        parts.append(content)
        at += len(content)
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    return b"".join([len(text).to_bytes(8, "little"), text, *parts])


def checked(name: str, value: Any, owners: list[tuple[str, NDArray]]) -> NDArray:
    """The array of a tensor, of a dtype that the format has, in memory that no other of them has."""
    if not isinstance(name, str) or name == METADATA:
        raise ValueError(f"safetensors: {name!r} cannot be the name of a tensor")
    if not isinstance(value, (Tensor, np.ndarray)):
        raise ValueError(f"safetensors: {name!r} is {type(value).__name__}; expected a Tensor")
    array: NDArray = value if isinstance(value, np.ndarray) else value.detach().numpy()
    if array.dtype not in NAMES:
        raise ValueError(f"safetensors: {name!r} has dtype {array.dtype}, which the format has not")
    for other, memory in owners:
        if np.may_share_memory(array, memory):
            raise ValueError(
                f"safetensors: {other!r} and {name!r} share memory, which the format cannot say; save one, or a clone()"
            )
    owners.append((name, array))
    return array


def load_file(filename: str | os.PathLike[str], device: Any = "cpu", *, limits: Limits = LIMITS) -> dict[str, Tensor]:
    """Read tensors by name from a file.

    Parameters
    ----------
    filename : the file
    device : the CPU
    limits : what reading it may take

    Raises
    ------
    OSError
        If there is no such file, or it cannot be opened.
    UnreadableFileError
        If it is not of this format, damaged, no regular file, or goes beyond the limits.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> import tempfile, pathlib
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "x.safetensors"
    >>> tg.io.save_file({"x": tg.tensor([1.0])}, file)
    >>> tg.io.load_file(file)
    {'x': tensor([1.])}
    """
    check_device("load_file", device)
    with refusing(UnreadableFileError, DAMAGED):
        return load(contents(filename, limits), limits)


def load(data: bytes, limits: Limits = LIMITS) -> dict[str, Tensor]:
    """The tensors in the bytes of such a file."""
    with refusing(UnreadableFileError, DAMAGED):
        allowance = Allowance(len(data), limits)
        header, body = _parts(data, allowance)
        _texts(header.pop(METADATA, None))
        places = [_place(name, expect(dict, form), limits) for name, form in header.items()]
        filled = 0
        for start, stop, _, _, name in sorted(places, key=lambda place: place[:2]):
            if start != filled:
                raise FileError(f"the tensor {shown(name)} begins at {start}, and the one before it ends at {filled}")
            filled = stop
        if filled != len(body):
            raise FileError(f"the tensors end at {filled}, and there are {len(body)} bytes")
        allowance.take(ARRAY * len(places))
        return {name: Tensor(array_of(body[start:stop], kind, shape)) for start, stop, kind, shape, name in places}


def metadata(data: bytes) -> dict[str, str]:
    """The texts by name in the bytes of such a file."""
    with refusing(UnreadableFileError, DAMAGED):
        return _texts(_parts(data, Allowance(len(data), LIMITS))[0].get(METADATA))


def _texts(found: Any) -> dict[str, str]:
    """The texts by name in a header."""
    if found is None:
        return {}
    if not isinstance(found, dict) or not all(isinstance(text, str) for text in found.values()):
        raise FileError(f"{METADATA} is not texts by name")
    return found


def _parts(data: bytes, allowance: Allowance) -> tuple[dict[str, Any], memoryview]:
    """The header, and the numbers behind it."""
    length = int.from_bytes(data[:8], "little")
    if len(data) < 8 or length > min(len(data) - 8, MOST_HEADER):
        raise FileError(f"{len(data)} bytes, and a header of {length}")
    header = parsed(data[8 : 8 + length], allowance)
    if not isinstance(header, dict):
        raise FileError("the header is not an object")
    return header, memoryview(data)[8 + length :]


def _place(name: str, form: dict[str, Any], limits: Limits) -> tuple[int, int, DType, tuple[int, ...], str]:
    """Where a tensor of the file begins and ends, and what it is."""
    spelled, offsets = form.get("dtype"), form.get("data_offsets")
    if not isinstance(spelled, str) or spelled not in DTYPES:
        raise FileError(f"dtype {shown(spelled)}; expected one of {', '.join(DTYPES)}")
    if not isinstance(offsets, list) or len(offsets) != 2 or any(type(n) is not int for n in offsets):
        raise FileError(f"the tensor {shown(name)} has no place")
    dtype, shape, (start, stop) = np.dtype(DTYPES[spelled]), checked_shape(form.get("shape"), limits), offsets
    if start < 0 or stop - start != math.prod(shape) * dtype.itemsize:
        raise FileError(f"the tensor {shown(name)} has other bytes than its shape needs")
    return start, stop, dtype, shape, name
