"""The networks that the command line trains, and how images are prepared for them."""

import numpy as np

from tinygrad_cnn import nn
from tinygrad_cnn.core.types import NDArray
from tinygrad_cnn.io import ModelFileError, load_npz

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


def normalised(images: NDArray) -> NDArray:
    """Images (N,28,28) of bytes as (N,1,28,28) float32 of mean 0 and deviation 1."""
    scaled = images.astype(np.float32) / np.float32(255)
    return ((scaled - np.float32(MEAN)) / np.float32(DEVIATION))[:, None]


def load_model(path: str) -> nn.Sequential:
    """The network of a model file, in eval mode; ModelFileError if the file is not one."""
    state, about = load_npz(path)
    name = about.get("model") if isinstance(about, dict) else None
    if not isinstance(name, str) or name not in MODELS:
        raise ModelFileError(f"{path}: holds a model {name!r}; known are {', '.join(MODELS)}")
    net = MODELS[name]()
    try:
        net.load_state_dict(state)
    except RuntimeError as error:
        raise ModelFileError(f"{path}: does not fit the network {name!r} ({error})") from None
    return net.eval()
