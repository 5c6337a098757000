"""`predict`: which class is in a picture, by a network that was trained here."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tinygrad_cnn.autograd import no_grad
from tinygrad_cnn.core.types import NDArray
from tinygrad_cnn.io import SavedModel, load_model
from tinygrad_cnn.nn.module import Module
from tinygrad_cnn.teach.networks import Use, network, normalised, shortened, use
from tinygrad_cnn.teach.pictures import as_mnist, pictures_in, read_digit
from tinygrad_cnn.tensor import Tensor

AT_ONCE = 500
"""Pictures that go through the network together."""


class Prediction(NamedTuple):
    """What a network says of one picture.

    Attributes
    ----------
    label : the most probable class
    probability : how probable it is, from 0 to 1
    probabilities : of each class, in their order
    source : the picture: its path, or its number among those that were given
    """

    label: str
    probability: float
    probabilities: dict[str, float]
    source: str | int


def predict(
    model: Module | SavedModel | str | os.PathLike[str], pictures: Any, classes: Sequence[str] | None = None
) -> list[Prediction]:
    """Say of each picture which digit it shows.

    Each picture is made as MNIST's are before the network sees it: white on black, in a box of 20×20, its centre of
    mass in the middle of 28×28, then scaled. Without this a network that is right on 98% of MNIST fails on most
    photographs.

    Parameters
    ----------
    model : a network that takes (N, 1, 28, 28), or the path of a file that ``train --save`` or `io.save_model` wrote,
        or what `io.load_model` gave
    pictures : the path of a picture or of a folder of pictures, an array (H, W) or (N, H, W) of grey values from 0 to
        255, black on white or white on black; or a list of such
    classes : the names of the classes; those of the file, or else "0" to "9"

    Returns
    -------
    list of Prediction, in the order of the pictures

    Raises
    ------
    ImageError
        If a picture cannot be read, or shows nothing.
    ModelFileError
        If the model's file cannot be read, or holds a network that is not known here.
    ValueError
        If the network does not give a number for each class.

    Examples
    --------
    >>> import numpy as np
    >>> from tinygrad_cnn import manual_seed, nn, teach
    >>> _ = manual_seed(0)
    >>> untrained = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
    >>> one = np.full((60, 40), 255.0)
    >>> one[10:50, 18:22] = 0
    >>> [answer] = teach.predict(untrained, one)
    >>> answer.label in "0123456789", round(sum(answer.probabilities.values()), 6)
    (True, 1.0)
    """
    net, how = ready(model)
    return answers(net, how if classes is None else how._replace(classes=[str(name) for name in classes]), pictures)


def ready(model: Module | SavedModel | str | os.PathLike[str]) -> tuple[Module, Use]:
    """The network, and how it is used."""
    if isinstance(model, Module):
        return model, use({}, "predict")
    saved = model if isinstance(model, SavedModel) else load_model(model)
    path = "predict" if saved is model else model
    return network(saved, path), use(saved.facts, path)


def answers(net: Module, how: Use, pictures: Any) -> list[Prediction]:
    """What the network says of each picture; it is left in the mode that it was in."""
    found = list(_digits(pictures))
    said: list[Prediction] = []
    training = net.training
    net.eval()
    try:
        for at in range(0, len(found), AT_ONCE):
            some = found[at : at + AT_ONCE]
            x = normalised(np.stack([digit for _, digit in some]), how.mean, how.deviation)
            y, names = computed(net, x), how.classes
            if y.shape != (len(some), len(names)):
                raise ValueError(f"predict: the network gives {y.shape[1:]} numbers a picture for {len(names)} classes")
            said += [_answer(names, row, source) for row, (source, _) in zip(y, some, strict=True)]
    finally:
        net.train(training)
    return said


def computed(net: Module, x: NDArray) -> NDArray:
    """The probabilities that a network gives; ValueError if it cannot compute with pictures."""
    try:
        with no_grad():
            y: NDArray = net(Tensor(x)).softmax(1).numpy()
    except Exception as error:  # a network of somebody's file may be anything
        words = f"{type(error).__name__}: {shortened(str(error))}"
        raise ValueError(
            f"predict: the network cannot compute with pictures of shape {x.shape[1:]} ({words})"
        ) from error
    return y


def _answer(names: list[str], row: NDArray, source: str | int) -> Prediction:
    by_name = {name: float(p) for name, p in zip(names, row, strict=True)}
    return Prediction(names[int(row.argmax())], float(row.max()), by_name, source)


def _digits(pictures: Any) -> Iterable[tuple[str | int, NDArray]]:
    """Of each picture where it is from, and it as MNIST would have it."""
    if isinstance(pictures, (str, os.PathLike)):
        path = Path(pictures)
        for file in pictures_in(path) if os.path.isdir(path) else [path]:
            yield str(file), read_digit(file)
        return
    if isinstance(pictures, (np.ndarray, Tensor)):
        array = np.asarray(pictures.detach().numpy() if isinstance(pictures, Tensor) else pictures, np.float64)
        if array.ndim not in (2, 3):
            raise ValueError(f"predict: expected pictures (H, W) or (N, H, W), got {array.shape}")
        for number, grey in enumerate(array if array.ndim == 3 else array[None]):
            yield number, as_mnist(grey, f"picture {number}")
        return
    for number, one in enumerate(pictures):
        for source, digit in _digits(one):
            yield (number if isinstance(source, int) else source), digit
