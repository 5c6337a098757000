"""State dicts in NumPy's .npz format, with a few words about them; read without pickle, and without NumPy's reader.

NumPy's own parses the header of an array as Python, and makes an array of whatever size it says. Here a header must be
spelled as NumPy writes it, and the elements must be there.
"""

import io
import json
import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from tinygrad_cnn.core.types import DType
from tinygrad_cnn.files import write_atomically
from tinygrad_cnn.io.errors import ModelFileError
from tinygrad_cnn.io.members import Members, new_zip
from tinygrad_cnn.io.numbers import ARRAY, array_of, checked_shape
from tinygrad_cnn.io.structure import parsed
from tinygrad_cnn.tensor import Tensor
from tinygrad_cnn.utils.reading import LIMITS, Allowance, FileError, Limits, contents, expect, refusing, shown

__all__ = ["load_npz", "save_npz"]

ABOUT = "__about__"
MEMBER = f"{ABOUT}.npy"
HEADER = re.compile(
    rb"\{'descr': '(?P<kind>[<>|=][biufU]\d{1,9})', 'fortran_order': (?P<turned>True|False), "
    rb"'shape': \((?P<shape>(?:\d{1,19}, ?)*\d{0,19})\), ?\} *\n?"
)
"""How NumPy writes the header of an array of numbers, or of one text."""
NUMBERS = {"b1", *(f"{kind}{size}" for kind in "iu" for size in (1, 2, 4, 8)), "f2", "f4", "f8"}


def save_npz(path: str | Path, state: Mapping[str, Tensor], about: Mapping[str, object]) -> None:
    """Write tensors by name, and facts about them (what JSON can hold), atomically.

    ValueError if a tensor has the name of the facts, ``__about__``.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> import tempfile, pathlib
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "x.npz"
    >>> tg.io.save_npz(file, {"x": tg.tensor([1.0])}, {"made": "by hand"})
    >>> tg.io.load_npz(file)
    ({'x': tensor([1.])}, {'made': 'by hand'})
    """
    if ABOUT in state:
        raise ValueError(f"save_npz: a tensor is called {ABOUT!r}, the name of the facts; give it another one")
    buffer = io.BytesIO()
    arrays = {name: value.detach().numpy() for name, value in state.items()}
    with new_zip(buffer) as archive:
        for name, array in {**arrays, ABOUT: np.array(json.dumps(dict(about)))}.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, array, allow_pickle=False)
    write_atomically(path, buffer.getvalue())


def load_npz(path: str | Path, limits: Limits = LIMITS) -> tuple[dict[str, Tensor], dict[str, object]]:
    """Read what `save_npz` wrote: the tensors and the facts.

    Parameters
    ----------
    path : the file
    limits : what reading it may take

    Raises
    ------
    ModelFileError
        If the file cannot be read, is no .npz, holds pickled objects, goes beyond the limits, or was not written by
        `save_npz`.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> import tempfile, pathlib
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "x.npz"
    >>> tg.io.save_npz(file, {"x": tg.tensor([1.0])}, {"made": "by hand"})
    >>> tg.io.load_npz(file)
    ({'x': tensor([1.])}, {'made': 'by hand'})
    """
    with refusing(ModelFileError, f"{path}: damaged or not a model file; give one that `train --save` wrote"):
        try:
            content = contents(path, limits)
        except OSError as error:
            raise ModelFileError(f"{path}: cannot be read ({error.strerror or error}); check the path") from None
        return state_in(Members(content, limits))


def state_in(members: Members) -> tuple[dict[str, Tensor], dict[str, object]]:
    """The tensors and the facts in a zip of arrays."""
    if MEMBER not in members:
        raise FileError("it has no facts")
    allowance = Allowance(len(members.content), members.limits)
    kind, _, _, text = header_of(members.read(MEMBER))
    if kind.kind != "U" or len(text) != kind.itemsize:
        raise FileError("its facts are no text")
    allowance.take(3 * len(text))
    order = "utf-32-be" if kind.str[0] == ">" else "utf-32-le"
    facts = parsed(str(text, order).rstrip("\0").encode(), allowance)
    state = {}
    for name in members.names():
        if name != MEMBER:
            allowance.take(ARRAY)
            state[name.removesuffix(".npy")] = tensor_in(members.read(name), members.limits)
    return state, expect(dict, facts)


def tensor_in(content: memoryview, limits: Limits) -> Tensor:
    """The numbers of a .npy."""
    kind, turned, sizes, elements = header_of(content)
    if kind.str[1:] not in NUMBERS:
        raise FileError(f"an array has dtype {kind}; expected numbers")
    shape = checked_shape(sizes, limits)
    return Tensor(array_of(elements, kind, shape[::-1]).T if turned else array_of(elements, kind, shape))


def header_of(content: memoryview) -> tuple[DType, bool, list[int], memoryview]:
    """The dtype, whether the first index runs fastest, the shape, and the bytes of the elements."""
    start = bytes(content[:12])
    version, wide = start[6:7], start[6:7] != b"\x01"
    if not start.startswith(b"\x93NUMPY") or version not in (b"\x01", b"\x02", b"\x03"):
        raise FileError("a member is no array of NumPy's")
    begin = 12 if wide else 10
    size = int.from_bytes(start[8:begin], "little")
    said = HEADER.fullmatch(content[begin : begin + min(size, 10_000)])
    if said is None or size > 10_000:
        raise FileError(f"an array has the header {shown(str(content[begin : begin + 60], 'latin-1'))}")
    sizes = [int(n) for n in said["shape"].replace(b",", b" ").split()]
    return np.dtype(said["kind"].decode()), said["turned"] == b"True", sizes, content[begin + size :]
