"""The networks that the command line trains, how images are prepared for them, and the network of a file."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.array_utils import byte_bounds

from tinygrad_cnn import nn
from tinygrad_cnn.core.types import NDArray
from tinygrad_cnn.io import ModelFileError, SavedModel
from tinygrad_cnn.teach.pictures import SIDE
from tinygrad_cnn.tensor import Tensor
from tinygrad_cnn.utils.reading import shown

MEAN, DEVIATION = 0.1307, 0.3081
"""Of the pixels of MNIST's training images, scaled to 0-1."""


def lenet() -> nn.Sequential:
    """After LeNet-5 (LeCun, Bottou, Bengio, Haffner 1998), with maximum pooling and rectifiers."""
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(400, 120),
        nn.ReLU(),
        nn.Linear(120, 84),
        nn.ReLU(),
        nn.Linear(84, 10),
    )


def article() -> nn.Sequential:
    """The network of the article: one convolution, one pooling, one linear map."""
    return nn.Sequential(nn.Conv2d(1, 16, 3), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(13 * 13 * 16, 10))


MODELS = {"lenet": lenet, "article": article}


def normalised(images: NDArray, mean: float = MEAN, deviation: float = DEVIATION) -> NDArray:
    """Images (N,28,28) of bytes as (N,1,28,28) float32; those of MNIST get mean 0 and deviation 1."""
    scaled = images.astype(np.float32) / np.float32(255)
    return ((scaled - np.float32(mean)) / np.float32(deviation))[:, None]


PREPROCESSING = {"kind": "mnist", "side": SIDE, "mean": MEAN, "deviation": DEVIATION}
"""What a model file says of how its images were prepared."""
CLASSES = [str(digit) for digit in range(10)]


class Use(NamedTuple):
    """How the network of a file is used: the names of its classes, and the scale of its images."""

    classes: list[str]
    mean: float
    deviation: float


def use(facts: Mapping[str, Any], path: object) -> Use:
    """What the facts of a model file say of its use; what they do not say is as for MNIST."""
    classes, how = facts.get("classes", CLASSES), facts.get("preprocessing", PREPROCESSING)
    if not isinstance(classes, list) or not classes or not all(isinstance(name, str) for name in classes):
        raise ModelFileError(f"{path}: its classes are no list of names")
    if not isinstance(how, Mapping) or how.get("kind") != "mnist" or how.get("side", SIDE) != SIDE:
        raise ModelFileError(f"{path}: its images are prepared in a way that is not known here; known is 'mnist'")
    mean, deviation = (how.get(name, default) for name, default in (("mean", MEAN), ("deviation", DEVIATION)))
    if not (is_scale(mean) and is_scale(deviation) and deviation > 0):
        raise ModelFileError(
            f"{path}: its images are scaled by {shown(mean)} and {shown(deviation)}, which are no scale"
        )
    return Use(classes, mean, deviation)


def is_scale(number: object) -> bool:
    """Whether it is a number that images in float32 can be scaled by."""
    return isinstance(number, (int, float)) and abs(number) < 1e30


def network(saved: SavedModel, path: object) -> nn.Module:
    """The network of a model file, in eval mode; ModelFileError if it is none that is known here."""
    check_numbers(saved.state, path)
    if saved.module is not None:
        return saved.module.eval()
    name = saved.facts.get("model")
    if name is None:  # numbers alone: whose shapes fit?
        shapes = {key: value.shape for key, value in saved.state.items()}
        fitting = [k for k, make in MODELS.items() if {n: v.shape for n, v in make().state_dict().items()} == shapes]
        name = fitting[0] if fitting else None
    if not isinstance(name, str) or name not in MODELS:
        what = "numbers without the name of a model" if name is None else f"a model {shown(name)}"
        raise ModelFileError(
            f"{path}: holds {what}; known are {', '.join(MODELS)}. For a network of your own build it in Python, "
            "load the numbers (io.load_model) and call teach.predict(net, picture)"
        )
    net = MODELS[name]()
    try:
        net.load_state_dict(saved.state)
    except RuntimeError as error:
        raise ModelFileError(f"{path}: does not fit the network {name!r} ({shortened(str(error))})") from None
    return net.eval()


def shortened(words: str, most: int = 500) -> str:
    """An error's words, of which there are as many as there are names in the file."""
    return words if len(words) <= most else f"{words[:most]}…"


LARGE = 1 << 26


def check_numbers(state: Mapping[str, Tensor], path: object) -> None:
    """ModelFileError if a network would compute with numbers that no training gives.

    Weights must be floating numbers; what counts, such as the batches that a batch norm has seen, may be whole. None
    may be NaN or infinite. Nor may a large tensor show the same memory many times, and so be larger than its file.
    """
    for name, value in state.items():
        array = value.detach().numpy()
        if array.dtype.kind != "f" and not name.endswith("num_batches_tracked"):
            raise ModelFileError(f"{path}: {shown(name)} is of dtype {array.dtype}; the weights of networks are floats")
        first, end = byte_bounds(array)
        if array.nbytes > LARGE and array.nbytes > end - first:
            raise ModelFileError(f"{path}: {shown(name)} shows the same numbers many times, as no network's file does")
        if not np.isfinite(array).all():
            raise ModelFileError(f"{path}: {shown(name)} has NaN or infinite numbers; its training has diverged")
