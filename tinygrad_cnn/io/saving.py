"""`save` and `load`, as PyTorch spells them, without pickle: no file can make `load` execute anything."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any

from tinygrad_cnn.files import write_atomically
from tinygrad_cnn.io import archive, npz, pytorch, safe
from tinygrad_cnn.io.errors import UnreadableFileError
from tinygrad_cnn.io.members import Members
from tinygrad_cnn.torch_names.device import device
from tinygrad_cnn.torch_names.errors import DeviceError
from tinygrad_cnn.utils.reading import LIMITS, FileError, Limits, contents, expect, refusing, rest_of, shown

__all__ = ["load", "save"]

File = str | os.PathLike[str] | IO[bytes]
LEGACY = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."
"""How files of PyTorch before 1.6 begin."""


def save(
    obj: Any,
    f: File,
    pickle_module: Any = None,
    pickle_protocol: int = 2,
    _use_new_zipfile_serialization: bool = True,
) -> None:
    """Write tensors, state_dicts, and trees of them, to a file; `load` reads it.

    Parameters
    ----------
    obj : Tensors, Parameters, arrays, numbers, strings, bytes, None, dtypes, and dicts, lists, tuples and sets of them;
        Modules with such attributes, and a `program.Program`
    f : a path, written atomically, or a file that is open for writing bytes
    pickle_module, pickle_protocol, _use_new_zipfile_serialization : PyTorch's; only the defaults, nothing is pickled

    Tensors that share memory still do after loading, if they have the same elements. The format is this project's own,
    a zip of plain numbers and a JSON text (`io/archive.py`); for files that PyTorch reads see `io.safetensors`.

    Raises
    ------
    TypeError
        For any other object, such as a Module with hooks or an optimiser, with the place where it stands: save its
        state_dict.

    Examples
    --------
    >>> import io
    >>> from tinygrad_cnn import tensor
    >>> buffer = io.BytesIO()
    >>> save({"weights": tensor([1.0, 2.0]), "epoch": 3}, buffer)
    >>> _ = buffer.seek(0)
    >>> load(buffer)
    {'weights': tensor([1., 2.]), 'epoch': 3}
    """
    if getattr(pickle_module, "__name__", "pickle") != "pickle" or pickle_protocol != 2:
        raise ValueError("save: nothing is pickled; leave pickle_module and pickle_protocol out")
    if not _use_new_zipfile_serialization:
        raise ValueError("save: there is one format, a zip; leave _use_new_zipfile_serialization out")
    content = archive.pack(obj)
    if isinstance(f, (str, os.PathLike)):
        write_atomically(Path(f), content)
    elif hasattr(f, "write"):
        f.write(content)
    else:
        raise AttributeError(f"save: expected a path or a file to write to, got {type(f).__name__}")


def load(
    f: File,
    map_location: Any = None,
    pickle_module: Any = None,
    *,
    weights_only: bool | None = None,
    mmap: bool | None = None,
    limits: Limits = LIMITS,
    **pickle_load_args: Any,
) -> object:
    """Read what `save` wrote, tensors and state_dicts that PyTorch's ``torch.save`` wrote, or a model file in .npz.

    Parameters
    ----------
    f : a path, or a file that is open for reading bytes and can be searched
    map_location : where tensors of other devices go: "cpu", a function or a dict to the CPU; None refuses them
    weights_only : True refuses Modules but those of `serialization.safe_globals`. No file is ever executed: a Module
        is made of data and of a class that the program has loaded already
    limits : what reading it may take: the size of the file, of what it unpacks to, of an array, of all objects
    pickle_module, mmap, pickle_load_args : PyTorch's; only the defaults

    Raises
    ------
    OSError
        If there is no such file, or it cannot be opened.
    UnreadableFileError
        A ModelFileError (ValueError), RuntimeError and UnpicklingError: if the file is damaged, is no regular file,
        goes beyond the limits, or holds anything else than data, which is then named.
    RuntimeError
        If it has tensors of another device, and `map_location` is None.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> import io
    >>> file = io.BytesIO()
    >>> tg.save({"x": tg.tensor([1.0])}, file)
    >>> _ = file.seek(0)
    >>> tg.load(file)
    {'x': tensor([1.])}
    """
    if pickle_module is not None or pickle_load_args:
        raise ValueError("load: nothing is unpickled; leave pickle_module and its arguments out")
    if mmap:
        raise ValueError("load: mmap=True is not here; arrays are read into memory")
    located = locator(map_location)
    content = content_of(f, limits)
    with refusing(UnreadableFileError, "load"):
        return value_in(content, located, bool(weights_only), limits)


def content_of(f: File, limits: Limits) -> bytes:
    """The bytes of a path, or of a file from where it stands."""
    if not isinstance(f, (str, os.PathLike)):
        if not hasattr(f, "read"):
            raise AttributeError(f"load: expected a path or a file to read from, got {type(f).__name__}")
        if not isinstance(f.read(0), bytes):
            raise TypeError("load: the file is open for text; open it with mode 'rb'")
    try:
        return contents(f, limits) if isinstance(f, (str, os.PathLike)) else rest_of(f, 0, limits)
    except FileError as error:
        raise UnreadableFileError(f"load: {error}") from None


def value_in(content: bytes, located: Callable[[str], None], weights_only: bool, limits: Limits) -> object:
    """The value of a zip, ours or PyTorch's."""
    if not content:
        raise FileError("the file is empty")
    if content.startswith(LEGACY):
        raise FileError("the file is in PyTorch's format of before 1.6; load and save it again with a newer PyTorch")
    try:
        members = Members(content, limits)
    except (FileError, ValueError) as error:
        raise FileError(
            f"not a file that save() or torch.save() wrote, or damaged ({error}); "
            "for safetensors use io.safetensors.load_file"
        ) from None
    if npz.MEMBER in members:
        state, facts = npz.state_in(members)
        return {**facts, "state_dict": state}
    if members.compressed():
        raise FileError("the file is a compressed zip; save() and torch.save() do not write such")
    if archive.STRUCTURE in members:
        return whole(archive.Reader(members, limits), weights_only)
    pickles = [name for name in members.names() if name == "data.pkl" or name.endswith("/data.pkl")]
    if len(pickles) != 1:
        raise FileError("a zip, but not one that save() or torch.save() wrote")
    prefix = pickles[0].removesuffix("data.pkl")
    if f"{prefix}constants.pkl" in members:
        raise FileError("a TorchScript archive; save the state_dict of the model instead")
    return pytorch.read(members, prefix, located, limits)


def whole(reader: archive.Reader, weights_only: bool) -> object:
    """The value of a file of our own; FileError if it holds Modules, and only weights are wanted."""
    unlisted = {type(module) for module in reader.modules.values()}.difference(safe.get_safe_globals())
    if weights_only and unlisted:
        named = ", ".join(sorted(kind.__qualname__ for kind in unlisted))
        raise FileError(
            f"the file holds a whole Module ({named}), which weights_only=True refuses; give "
            "weights_only=False, or name the classes in serialization.safe_globals([…])"
        )
    return reader.value


def locator(map_location: Any) -> Callable[[str], None]:
    """What refuses tensors of devices that are not here, unless they are mapped to the CPU."""
    if map_location is not None and not callable(map_location) and not isinstance(map_location, Mapping):
        device(map_location)

    def located(where: Any) -> None:
        target, where = map_location, expect(str, where)
        if callable(map_location):
            return  # "where it is": whatever it would answer, the tensor is on the CPU
        if isinstance(map_location, Mapping):
            target = map_location.get(where, where)
            device(target)
        if target is None and where.partition(":")[0] != "cpu":
            raise DeviceError(
                f"load: the file has tensors of {shown(where)}, and there is only the CPU; pass map_location='cpu'"
            )

    return located
