"""Every reader of the package: how it is called, and what it may raise."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

import tinygrad_cnn as tg
from tinygrad_cnn import cli, datasets, io
from tinygrad_cnn.datasets.folder import pil_loader
from tinygrad_cnn.datasets.idx import IMAGES_MAGIC, LABELS_MAGIC, read_any_idx
from tinygrad_cnn.io import Limits, safetensors
from tinygrad_cnn.teach import pictures
from tinygrad_cnn.torch_names.errors import DeviceError

SMALL = Limits(unpacked=16 << 20, pixels=1_000_000)
"""What compressed files may become, so that the bound for others holds for them, too."""


class Reader(NamedTuple):
    """What reads a path, what it may raise, and what the file is called."""

    read: Callable[[Path], object]
    documented: tuple[type[Exception], ...]
    name: str = "file"


def labels(path: Path) -> object:
    """An IDX file of labels, or of at most 100 images."""
    try:
        return read_any_idx(path, LABELS_MAGIC, 100)
    except datasets.DatasetError:
        return read_any_idx(path, IMAGES_MAGIC, 100)


def named_tensors(path: Path) -> object:
    """A .safetensors, and the texts in it."""
    return io.load_file(path, limits=SMALL), safetensors.metadata(path.read_bytes())


def batch(path: Path) -> object:
    """CIFAR's test images, which are the file; the other files are there."""
    return datasets.CIFAR10(path.parents[1], train=False)


def predict(path: Path) -> None:
    """The command line with the file as the model."""
    status = cli.main(["predict", "--model", str(path), str(path.parent / "digit.png")])
    assert status in (0, 2), status


def predicted(path: Path) -> None:
    """The command line with the file as the picture."""
    status = cli.main(["predict", "--model", str(path.parent / "model.tg"), str(path)])
    assert status in (0, 2), status


READERS: dict[str, Reader] = {
    "load": Reader(lambda path: io.load(path, limits=SMALL), (io.UnreadableFileError, DeviceError)),
    "load_model": Reader(lambda path: io.load_model(path, SMALL), (io.ModelFileError,)),
    "npz": Reader(lambda path: io.load_npz(path, SMALL), (io.ModelFileError,)),
    "safetensors": Reader(named_tensors, (io.UnreadableFileError,)),
    "idx": Reader(labels, (datasets.DatasetError,)),
    "gzip": Reader(labels, (datasets.DatasetError,), "file.gz"),
    "cifar": Reader(batch, (datasets.DatasetError,), "cifar-10-batches-py/test_batch"),
    "picture": Reader(lambda path: pictures.read_digit(path, SMALL), (pictures.ImageError,)),
    "pil_loader": Reader(lambda path: pil_loader(path, SMALL), (datasets.DatasetError,)),
    "predict": Reader(predict, ()),
    "predicted": Reader(predicted, ()),
}


def prepare(folder: Path) -> None:
    """Put into a folder what the readers want beside the file."""
    import pickle

    import PIL.Image

    grey = np.full((60, 40), 255, np.uint8)
    grey[10:50, 18:22] = 0
    PIL.Image.fromarray(grey).save(folder / "digit.png")
    tg.manual_seed(0)
    net = tg.nn.Sequential(tg.nn.Flatten(), tg.nn.Linear(784, 10))
    io.save_model(folder / "model.tg", {}, state_dict=net)
    batches = folder / "cifar-10-batches-py"
    batches.mkdir()
    for name in (*datasets.CIFAR10.parts[True], datasets.CIFAR10.names[0]):
        (batches / name).write_bytes(pickle.dumps({datasets.CIFAR10.names[1]: ["cat"] * 10}, 2))
