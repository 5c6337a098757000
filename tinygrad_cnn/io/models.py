"""A trained network as a file: its numbers by name, and what is needed to use it, in one form for every writer.

The form is a dict: ``state_dict``, and facts beside it, such as ``model`` (the name of the architecture), ``classes``,
``preprocessing``, and, if training shall go on, ``optimizer``, ``loader`` and ``rng``. `save` writes it as it writes
any dict, so `load` gives it back; a .npz holds the arrays and the facts that JSON can hold, a .safetensors the same.
"""

import io
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, NamedTuple

from tinygrad_cnn.io import safetensors
from tinygrad_cnn.io.errors import ModelFileError
from tinygrad_cnn.io.npz import save_npz
from tinygrad_cnn.io.saving import load, save
from tinygrad_cnn.io.structure import parsed
from tinygrad_cnn.nn.module import Module
from tinygrad_cnn.tensor import Tensor
from tinygrad_cnn.utils.reading import LIMITS, Allowance, FileError, Limits, contents, expect, refusing

__all__ = ["SavedModel", "load_model", "save_model"]

Path_ = str | os.PathLike[str]
STATE, FACTS = "state_dict", "facts"


class SavedModel(NamedTuple):
    """What a model file holds.

    Attributes
    ----------
    state : the tensors by name
    facts : what else was written, by name
    module : the network itself, if it was saved whole

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> import tempfile, pathlib
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "layer.npz"
    >>> tg.io.save_npz(file, tg.nn.Linear(2, 1).state_dict(), {"made": "by hand"})
    >>> model = tg.io.load_model(file)
    >>> sorted(model.state)
    ['bias', 'weight']
    """

    state: dict[str, Tensor]
    facts: dict[str, Any]
    module: Module | None = None


def save_model(path: Path_ | IO[bytes], state: Module | Mapping[str, Tensor], **facts: Any) -> None:
    """Write a network's numbers and facts about it; `load_model`, `load` and ``tinygrad-cnn predict`` read it.

    Parameters
    ----------
    path : the file; one that ends in .npz or .safetensors is of that format, any other of `save`'s; or a file that is
        open for writing bytes, for `save`'s format
    state : a Module, whose state_dict is written, or tensors by name
    facts : what else shall stand in the file, such as ``model="lenet"``, ``classes=["cat", "dog"]``,
        ``optimizer=optimizer.state_dict()``; for .npz and .safetensors only what JSON can hold

    Raises
    ------
    TypeError
        If a fact cannot be written in that format.
    OSError
        If the file cannot be written; what was there is as before.

    Examples
    --------
    >>> import tempfile
    >>> from tinygrad_cnn import nn
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_model(f"{folder}/model.tg", nn.Linear(2, 1), model="linear", classes=["yes"])
    ...     found = load_model(f"{folder}/model.tg")
    >>> sorted(found.state), found.facts["classes"]
    (['bias', 'weight'], ['yes'])
    """
    numbers = dict(state.state_dict() if isinstance(state, Module) else state)
    if not isinstance(path, (str, os.PathLike)):
        save({**facts, STATE: numbers}, path)
        return
    suffix = Path(path).suffix.lower()
    if suffix == ".npz":
        save_npz(Path(path), numbers, facts)
    elif suffix == ".safetensors":
        safetensors.save_file(numbers, path, {FACTS: json.dumps(facts)})
    else:
        save({**facts, STATE: numbers}, path)


def load_model(path: Path_, limits: Limits = LIMITS) -> SavedModel:
    """Read a network's numbers, and the facts about them, from a file of any of the formats.

    Parameters
    ----------
    path : what `save_model`, `save`, `save_npz`, `safetensors.save_file` or PyTorch's ``torch.save`` wrote: a dict with
        a ``state_dict``, a state_dict alone, or a whole Module
    limits : what reading it may take

    Raises
    ------
    ModelFileError
        If it cannot be read, goes beyond the limits, or holds no network. Nothing in a file is executed.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> import tempfile, pathlib
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "layer.npz"
    >>> tg.io.save_npz(file, tg.nn.Linear(2, 1).state_dict(), {"made": "by hand"})
    >>> sorted(tg.io.load_model(file).state)
    ['bias', 'weight']
    """
    with refusing(ModelFileError, f"{path}: damaged or not a model file; give one that `train --save` wrote"):
        try:
            content = contents(path, limits)
            if content[8:9] == b"{":  # the header of safetensors, behind its length
                return _of_safetensors(content, limits)
            return _of_value(load(io.BytesIO(content), limits=limits))
        except OSError as error:
            raise ModelFileError(f"{path}: cannot be read ({error.strerror or error}); check the path") from None
        except RuntimeError as error:  # an UnreadableFileError, or tensors of another device
            raise FileError(str(error)) from None


def _of_value(found: object) -> SavedModel:
    """The model that a file of `save`'s or PyTorch's holds."""
    if isinstance(found, Module):
        return SavedModel(dict(found.state_dict()), {}, found)
    if isinstance(found, Mapping):
        state = found.get(STATE, found)
        if isinstance(state, Module):
            return SavedModel(dict(state.state_dict()), _without_state(found), state)
        if isinstance(state, Mapping) and all(isinstance(k, str) and isinstance(v, Tensor) for k, v in state.items()):
            return SavedModel(dict(state), {} if state is found else _without_state(found))
    raise FileError("it holds no state_dict")


def _without_state(found: Mapping[Any, Any]) -> dict[str, Any]:
    """The facts beside the numbers."""
    if not all(isinstance(name, str) for name in found):
        raise FileError("a fact has a name that is no text")
    return {name: fact for name, fact in found.items() if name != STATE}


def _of_safetensors(content: bytes, limits: Limits) -> SavedModel:
    text = safetensors.metadata(content).get(FACTS, "{}")
    try:
        facts = parsed(text.encode(), Allowance(len(content), limits))
        expect(dict, facts)
    except FileError as error:
        raise FileError(f"the facts in its header are damaged ({error})") from None
    return SavedModel(safetensors.load(content, limits), facts)
