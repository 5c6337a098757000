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

from tinygrad_cnn.core.types import NDArray
from tinygrad_cnn.files import write_atomically
from tinygrad_cnn.io.errors import UnreadableFileError
from tinygrad_cnn.tensor import Tensor
from tinygrad_cnn.torch_names.device import check_device

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


def load_file(filename: str | os.PathLike[str], device: Any = "cpu") -> dict[str, Tensor]:
    """Read tensors by name from a file.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    UnreadableFileError
        If it is not of this format, or damaged.

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
    return load(Path(filename).read_bytes())


def load(data: bytes) -> dict[str, Tensor]:
    """The tensors in the bytes of such a file."""
    header, body = _parts(data)
    header.pop(METADATA, None)
    try:
        found = {name: Tensor(placed(form, body)) for name, form in header.items()}
        if sum(t.detach().numpy().nbytes for t in found.values()) != len(body):
            raise ValueError("the tensors do not fill the file")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UnreadableFileError(f"{DAMAGED} ({error})") from None
    return found


def metadata(data: bytes) -> dict[str, str]:
    """The texts by name in the bytes of such a file."""
    texts = _parts(data)[0].get(METADATA) or {}
    if not isinstance(texts, dict) or not all(isinstance(text, str) for text in texts.values()):
        raise UnreadableFileError(f"{DAMAGED} ({METADATA} is not texts by name)")
    return texts


def _parts(data: bytes) -> tuple[dict[str, Any], memoryview]:
    """The header, and the numbers behind it."""
    length = int.from_bytes(data[:8], "little")
    if len(data) < 8 or length > len(data) - 8:
        raise UnreadableFileError(f"{DAMAGED} ({len(data)} bytes, and a header of {length})")
    try:
        header = json.loads(data[8 : 8 + length])
    except (ValueError, RecursionError) as error:
        raise UnreadableFileError(f"{DAMAGED} ({error})") from None
    if not isinstance(header, dict):
        raise UnreadableFileError(f"{DAMAGED} (the header is not an object)")
    return header, memoryview(data)[8 + length :]


def placed(form: dict[str, Any], body: memoryview) -> NDArray:
    """One array of the file, in memory of its own."""
    kind = DTYPES.get(form["dtype"])
    if kind is None:
        raise ValueError(f"dtype {form['dtype']!r}; expected one of {', '.join(DTYPES)}")
    shape, (start, stop) = tuple(form["shape"]), form["data_offsets"]
    if any(type(n) is not int or n < 0 for n in (*shape, start, stop)):
        raise ValueError(f"shape {shape} at {start} to {stop}")
    dtype = np.dtype(kind)
    if stop > len(body) or stop - start != math.prod(shape) * dtype.itemsize:
        raise ValueError(f"shape {shape} of {dtype} at {start} to {stop} of {len(body)} bytes")
    array = np.frombuffer(bytearray(body[start:stop]), dtype).reshape(shape)
    return array if dtype.isnative else array.astype(dtype.newbyteorder("="))
