"""Checkpoints: what training needs to go on after its process has ended, in a folder whose newest good file counts.

Each is a file of `save`'s format that ends with its own checksum, as the comment of a zip, so `load` reads it, too. It
is written whole and on the disk before an older one is removed. Nothing in it is pickled, and nothing in it can run.
"""

import hashlib
import io
import os
import random as python_random
import re
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tinygrad_cnn.files import remove_strays, sync_folder, write_atomically
from tinygrad_cnn.io import archive
from tinygrad_cnn.io.errors import ModelFileError, UnreadableFileError
from tinygrad_cnn.io.saving import load
from tinygrad_cnn.random import get_rng_state, set_rng_state
from tinygrad_cnn.utils.data.place import stateful
from tinygrad_cnn.utils.reading import FileError, contents

__all__ = ["Checkpoint", "load_checkpoint", "save_checkpoint"]

FORMAT = "tinygrad_cnn checkpoint 1"
NAME = re.compile(r"checkpoint-([0-9]{8,18})\.tg")
SEAL = b"sha256 "
SEAL_SIZE = 2 + len(SEAL) + 64
"""The last bytes of a checkpoint: how long the comment is, and the comment."""

Folder = str | os.PathLike[str]
fcntl: Any = import_module("fcntl") if os.name == "posix" else None


class Checkpoint(NamedTuple):
    """What a checkpoint holds.

    Attributes
    ----------
    step : the number that it was saved under
    parts : what was given by name: values as they were, and the state_dicts of models, optimisers, loaders
    path : the file
    rng : the states of the generators of random numbers
    damaged : newer files that cannot be used, with the reason

    Examples
    --------
    >>> import tempfile
    >>> from tinygrad_cnn import io
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = io.save_checkpoint(folder, 7, epoch=2, history=[0.5, 0.25])
    ...     found = io.load_checkpoint(folder)
    >>> found.step, found.parts
    (7, {'epoch': 2, 'history': [0.5, 0.25]})
    """

    step: int
    parts: dict[str, Any]
    path: Path
    rng: dict[str, Any]
    damaged: dict[str, str]

    def restore(self, **parts: Any) -> None:
        """Give each part its state by ``load_state_dict``, and the generators theirs.

        Raises
        ------
        KeyError
            If the checkpoint holds no part of that name.
        TypeError
            If a part cannot be given a state.
        ModelFileError
            If the states of the generators are none.

        Examples
        --------
        >>> import tempfile
        >>> from tinygrad_cnn import io, nn
        >>> net = nn.Linear(2, 1)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = io.save_checkpoint(folder, 1, model=net)
        ...     found = io.load_checkpoint(folder)
        >>> found.restore(model=net)
        """
        for name, part in parts.items():
            if name not in self.parts:
                raise KeyError(f"{self.path.name} holds no {name!r}; it has {', '.join(self.parts)}")
            if not stateful(part):
                raise TypeError(
                    f"load_checkpoint: {name} is a {type(part).__name__}, which has no load_state_dict; read its value "
                    f"from .parts[{name!r}]"
                )
        for name, part in parts.items():
            part.load_state_dict(self.parts[name])
        set_rng_states(self.rng)

    def said(self) -> str:
        """One line on the newer files that cannot be used."""
        told = ", ".join(f"{name} ({why})" for name, why in self.damaged.items())
        return f"{self.path.parent}: passed over {told}; going on from {self.path.name}"


def save_checkpoint(folder: Folder, step: int, *, keep: int = 3, **parts: Any) -> Path:
    """Write all that training needs to go on as a file of this folder; `load_checkpoint` reads the newest.

    Parameters
    ----------
    folder : of this run alone; made if it is not there
    step : of the training, larger each time; the same one again replaces its file
    keep : so many of the newest checkpoints stay, older ones are removed
    parts : by name: what has a ``state_dict`` (a Module, an optimiser, a schedule, a DataLoader), whose state is
        written, and whatever else `save` takes (the epoch, a history)

    The states of the generators of random numbers are written, too: this package's, Python's and NumPy's common one.
    The path of the file is returned. A kill or a full disk at any moment leaves the checkpoints that were there.

    Raises
    ------
    ValueError
        If the folder has a good checkpoint of a later step: it belongs to another run, or should have been loaded.
    TypeError
        If a part cannot be saved.
    OSError
        If the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from tinygrad_cnn import io, nn, optim
    >>> net = nn.Linear(2, 1)
    >>> optimizer = optim.SGD(net.parameters(), lr=0.1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = io.save_checkpoint(folder, 100, model=net, optimizer=optimizer, epoch=3)
    ...     found = io.load_checkpoint(folder, model=net, optimizer=optimizer)
    >>> path.name, found.step, found.parts["epoch"]
    ('checkpoint-00000100.tg', 100, 3)
    """
    if isinstance(step, bool) or not isinstance(step, int) or not 0 <= step < 10**18:
        raise ValueError(f"save_checkpoint: step is {step!r}; it must be a whole number of at least 0")
    if isinstance(keep, bool) or not isinstance(keep, int) or keep < 1:
        raise ValueError(f"save_checkpoint: keep is {keep!r}; it must be a whole number of at least 1")
    value = {"format": FORMAT, "step": step, "parts": {k: written(v) for k, v in parts.items()}, "rng": rng_states()}
    content = sealed(archive.pack(value))
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    with alone(place):
        later = [path for number, path in checkpoints(place).items() if number > step]
        for path in later:
            if not checked(path)[1]:
                raise ValueError(
                    f"save_checkpoint: {place} holds {path.name}, of a later step than {step}; go on from it with "
                    "load_checkpoint, or give another folder"
                )
        path = place / f"checkpoint-{step:08}.tg"
        write_atomically(path, content)
        sync_folder(place.parent)  # the folder may be new
        for damaged in later:
            damaged.unlink(missing_ok=True)
        for _, old in sorted(checkpoints(place).items())[:-keep]:
            old.unlink(missing_ok=True)
        remove_strays(place)
    return path


def load_checkpoint(folder: Folder, **parts: Any) -> Checkpoint | None:
    """Go on from the newest good checkpoint of a folder: give the parts their states, and the generators theirs.

    Parameters
    ----------
    folder : what `save_checkpoint` was given; None is returned if there is no checkpoint, or no such folder
    parts : by the names under which they were saved: what has ``load_state_dict``, made as it was made before

    If the newest files are damaged, a warning says so in one line, and the next older one is taken. What was left by a
    process that was killed while it wrote is removed.

    Raises
    ------
    ModelFileError
        If there are checkpoints, and all of them are damaged; or the newest was written by another version of the
        format.
    KeyError
        If a part was not saved.

    Examples
    --------
    >>> import tempfile
    >>> import tinygrad_cnn as tg
    >>> from tinygrad_cnn.utils.data import DataLoader, TensorDataset
    >>> def train(folder, stop=None):
    ...     _ = tg.manual_seed(0)
    ...     net = tg.nn.Linear(1, 1)
    ...     optimizer = tg.optim.Adam(net.parameters())
    ...     loader = DataLoader(TensorDataset(tg.arange(6.0)[:, None]), batch_size=2, shuffle=True)
    ...     run = {"model": net, "optimizer": optimizer, "loader": loader}
    ...     done = tg.io.load_checkpoint(folder, **run)
    ...     step = done.step if done else 0
    ...     for epoch in range(done.parts["epoch"] if done else 0, 2):
    ...         for (x,) in loader:
    ...             optimizer.zero_grad()
    ...             ((net(x) - 2 * x) ** 2).mean().backward()
    ...             optimizer.step()
    ...             step += 1
    ...             tg.io.save_checkpoint(folder, step, epoch=epoch, **run)
    ...             if step == stop:  # as if it were killed here
    ...                 return
    ...     return net.weight.item()
    >>> with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
    ...     train(one, stop=2)
    ...     train(one) == train(other)
    True
    """
    found = newest_checkpoint(folder)
    if found is None:
        return None
    if found.damaged:
        warnings.warn(found.said(), stacklevel=2)
    found.restore(**parts)
    return found


def newest_checkpoint(folder: Folder) -> Checkpoint | None:
    """The newest good checkpoint, not yet given to anything."""
    place = Path(folder)
    if not place.is_dir():
        return None
    with alone(place):
        remove_strays(place)
        damaged: dict[str, str] = {}
        for _, path in sorted(checkpoints(place).items(), reverse=True):
            content, why = checked(path)
            if not why:
                return opened(path, content, damaged)
            damaged[path.name] = why
    if not damaged:
        return None
    told = ", ".join(f"{name} ({why})" for name, why in damaged.items())
    raise UnreadableFileError(f"{place}: no checkpoint can be used: {told}; remove them to begin anew")


def opened(path: Path, content: bytes, damaged: dict[str, str]) -> Checkpoint:
    """A checkpoint with this content, whose checksum is right."""
    value: Any = load(io.BytesIO(content))
    form = value.get("format") if isinstance(value, dict) else None
    if form != FORMAT:
        told = repr(form[:40]) if isinstance(form, str) else "none that is known"
        raise ModelFileError(f"{path}: its format is {told}; expected {FORMAT!r}; use the version that wrote it")
    kinds = {"step": int, "parts": dict, "rng": dict}
    if not all(type(value.get(name)) is kind for name, kind in kinds.items()):
        raise ModelFileError(f"{path}: is no checkpoint; it has no {', '.join(kinds)}")
    return Checkpoint(value["step"], value["parts"], path, value["rng"], damaged)


def checkpoints(folder: Path) -> dict[int, Path]:
    """The files in a folder that are called as checkpoints are, by their steps."""
    found = ((NAME.fullmatch(path.name), path) for path in folder.iterdir())
    return {int(match[1]): path for match, path in found if match}


def written(part: Any) -> Any:
    """What stands in the file for a part."""
    state = part.state_dict() if stateful(part) else part
    return dict(state) if isinstance(state, Mapping) and stateful(part) else state


# ---- the checksum ----------------------------------------------------------------------------------------------------


def seal_of(body: memoryview) -> bytes:
    """The end of a file with this beginning: the length of the zip's comment, and the comment."""
    comment = SEAL + hashlib.sha256(body).hexdigest().encode()
    return len(comment).to_bytes(2, "little") + comment


def sealed(content: bytes) -> bytes:
    """A zip without a comment, with its checksum as a comment."""
    body = memoryview(content)[:-2]
    return b"".join((body, seal_of(body)))


def checked(path: Path) -> tuple[bytes, str]:
    """What is in a file, and what is wrong with it, or nothing."""
    try:
        content = contents(path)
    except OSError as error:
        return b"", f"cannot be read: {error.strerror or error}"
    except FileError as error:
        return b"", str(error)
    if len(content) < SEAL_SIZE:
        return content, f"cut off after {len(content)} bytes"
    right = content[-SEAL_SIZE:] == seal_of(memoryview(content)[:-SEAL_SIZE])
    return content, "" if right else "damaged: its checksum is another one"


# ---- random numbers --------------------------------------------------------------------------------------------------


def rng_states() -> dict[str, Any]:
    """Where the common generators are: this package's, Python's, NumPy's."""
    version, words, normal = python_random.getstate()
    return {
        "tinygrad_cnn": get_rng_state(),
        "python": (version, np.array(words, np.uint32), normal),
        "numpy": np.random.get_state(legacy=False),  # noqa: NPY002  a program may draw from it
    }


def set_rng_states(states: Mapping[str, Any]) -> None:
    """Let them go on from there."""
    try:
        set_rng_state(states["tinygrad_cnn"])
        version, words, normal = states["python"]
        python_random.setstate((version, tuple(words.tolist()), normal))
        np.random.set_state(states["numpy"])  # noqa: NPY002
    except (LookupError, TypeError, ValueError, AttributeError, RuntimeError, OverflowError) as error:
        raise ModelFileError(f"the states of its random generators are damaged ({type(error).__name__})") from None


# ---- the folder ------------------------------------------------------------------------------------------------------


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """In here no other process writes checkpoints into the folder, nor clears it."""
    if fcntl is None:
        yield
        return
    number = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # a file system without locks
            fcntl.flock(number, fcntl.LOCK_EX)
        yield
    finally:
        os.close(number)
