"""State dicts in NumPy's .npz format, with a few words about them; read without pickle."""

import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO

import numpy as np

from tinygrad_cnn.files import write_atomically
from tinygrad_cnn.io.errors import ModelFileError
from tinygrad_cnn.tensor import Tensor

__all__ = ["load_npz", "save_npz"]

ABOUT = "__about__"


def save_npz(path: str | Path, state: Mapping[str, Tensor], about: Mapping[str, object]) -> None:
    """Write tensors by name, and facts about them (what JSON can hold), atomically.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> import tempfile, pathlib
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "x.npz"
    >>> tg.io.save_npz(file, {"x": tg.tensor([1.0])}, {"made": "by hand"})
    >>> tg.io.load_npz(file)
    ({'x': tensor([1.])}, {'made': 'by hand'})
    """
    buffer = io.BytesIO()
    arrays = {name: value.detach().numpy() for name, value in state.items()}
    np.savez(buffer, **arrays, **{ABOUT: np.array(json.dumps(dict(about)))})  # type: ignore[arg-type]
    write_atomically(path, buffer.getvalue())


def load_npz(path: str | Path) -> tuple[dict[str, Tensor], dict[str, object]]:
    """Read what `save_npz` wrote: the tensors and the facts.

    Raises
    ------
    ModelFileError
        If the file cannot be read, is no .npz, holds pickled objects, or was not written by `save_npz`.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> import tempfile, pathlib
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "x.npz"
    >>> tg.io.save_npz(file, {"x": tg.tensor([1.0])}, {"made": "by hand"})
    >>> tg.io.load_npz(file)
    ({'x': tensor([1.])}, {'made': 'by hand'})
    """
    try:
        content = io.BytesIO(Path(path).read_bytes())
    except OSError as error:
        raise ModelFileError(f"{path}: cannot be read ({error.strerror or error}); check the path") from None
    return read_npz(content, path)


def read_npz(content: IO[bytes], path: object) -> tuple[dict[str, Tensor], dict[str, object]]:
    """The tensors and the facts in an open file, which errors call `path`."""
    try:
        with np.load(content, allow_pickle=False) as arrays:
            if isinstance(arrays, np.ndarray) or ABOUT not in arrays:
                raise ModelFileError(f"{path}: not a model file; give one that `train --save` wrote")
            about = json.loads(str(arrays[ABOUT]))
            state = {name: Tensor(arrays[name]) for name in arrays.files if name != ABOUT}
    except ModelFileError:
        raise
    except (ValueError, EOFError, KeyError, OSError, zipfile.BadZipFile, TypeError):  # NumPy's words advise pickle
        raise ModelFileError(f"{path}: damaged or not a model file; give one that `train --save` wrote") from None
    return state, about
