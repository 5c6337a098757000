"""CIFAR's files: read as torchvision has them; what else a pickle may hold is refused, and nothing of it is run."""

import io
import pickle
import tarfile

import numpy as np
import pytest
from PIL import Image

from tinygrad_cnn import datasets, transforms
from tinygrad_cnn.datasets import cifar, mnist
from tinygrad_cnn.datasets.idx import DatasetError


@pytest.fixture
def batches():
    random = np.random.default_rng(0)
    return {
        name: {"data": random.integers(0, 256, (3, 3072), np.uint8), "labels": [4, 0, 9], "filenames": ["a", "b", "c"]}
        for name in (*(f"data_batch_{k}" for k in range(1, 6)), "test_batch")
    }


def written(folder, batches, protocol=2):
    folder.mkdir(parents=True, exist_ok=True)
    names = [f"class {k}" for k in range(10)]
    for name, value in {**batches, "batches.meta": {"label_names": names}}.items():
        (folder / name).write_bytes(pickle.dumps(value, protocol))


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_images_are_rows_of_pixels_and_batches_follow_each_other(tmp_path, batches, protocol):
    written(tmp_path / "cifar-10-batches-py", batches, protocol)
    found = datasets.CIFAR10(str(tmp_path), download=True)
    assert (len(found), found.data.shape, found.data.dtype) == (15, (15, 32, 32, 3), np.uint8)
    assert found.targets == [4, 0, 9] * 5
    image, label = found[4]
    assert (image.mode, image.size, label) == ("RGB", (32, 32), 0)
    assert isinstance(image, Image.Image)
    red, _, blue = batches["data_batch_2"]["data"][1].reshape(3, 32, 32)
    assert np.asarray(image)[2, 5].tolist()[::2] == [red[2, 5], blue[2, 5]]
    assert found.class_to_idx["class 3"] == 3
    assert (
        repr(found) == f"Dataset CIFAR10\n    Number of datapoints: 15\n    Root location: {tmp_path}\n    Split: Train"
    )


def test_the_part_to_be_judged_by_is_transformed(tmp_path, batches):
    written(tmp_path / "cifar-10-batches-py", batches)
    found = datasets.CIFAR10(tmp_path, False, transforms.ToTensor(), lambda k: -k)
    image, label = found[0]
    np.testing.assert_array_equal(image.numpy().ravel(), batches["test_batch"]["data"][0] / np.float32(255))
    assert (len(found), label) == (3, -4)


def test_a_hundred_classes_have_names_of_their_own(tmp_path, batches):
    folder = tmp_path / "cifar-100-python"
    folder.mkdir()
    value = {"data": batches["test_batch"]["data"], "fine_labels": [1, 99, 3], "coarse_labels": [0, 1, 2]}
    for name, content in {"train": value, "test": value, "meta": {"fine_label_names": ["apple"] * 100}}.items():
        (folder / name).write_bytes(pickle.dumps(content, 2))
    assert datasets.CIFAR100(tmp_path).targets == [1, 99, 3]


def test_what_is_not_there_is_named(tmp_path):
    with pytest.raises(RuntimeError, match=r"data_batch_1 is not in .*; pass download=True, or unpack cifar-10-python"):
        datasets.CIFAR10(tmp_path)


class Dangerous:
    def __reduce__(self):
        return print, ("run!",)


@pytest.mark.parametrize(
    ("batch", "text"),
    [
        (Dangerous(), r"of arrays and lists: its pickle names (__builtin__|builtins)\.print, which is not loaded"),
        ([1, 2], "dict expected, list found"),
        ({"labels": [1]}, "no images of 3072 bytes"),
        ({"data": np.zeros((2, 5), np.uint8), "labels": [1, 2]}, "no images of 3072 bytes"),
        ({"data": np.zeros((2, 3072), np.uint8), "labels": [1]}, "2 images, but not as many labels"),
    ],
)
def test_a_file_of_something_else_is_refused(tmp_path, batches, batch, text, capsys):
    written(tmp_path / "cifar-10-batches-py", {**batches, "test_batch": batch})
    with pytest.raises(DatasetError, match=text):
        datasets.CIFAR10(tmp_path, train=False)
    assert capsys.readouterr().out == ""


def test_every_cut_of_a_file_is_refused(tmp_path):
    whole = pickle.dumps({"data": np.zeros((2, 4), np.uint8), "labels": [1, 2]}, 2)
    path = tmp_path / "cut"
    for end in range(len(whole)):
        path.write_bytes(whole[:end])
        with pytest.raises(DatasetError, match="not a whole pickle"):
            cifar.read_pickle(path)


def test_an_archive_is_fetched_checked_and_unpacked(tmp_path, batches, monkeypatch):
    written(tmp_path / "mirror" / "cifar-10-batches-py", batches)
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        archive.add(tmp_path / "mirror" / "cifar-10-batches-py", "cifar-10-batches-py")

    def download(target, mirrors, is_right):
        target.write_bytes(packed.getvalue())
        if not is_right(target):
            raise DatasetError("another checksum than expected")

    monkeypatch.setattr(mnist, "download", download)
    with pytest.raises(RuntimeError, match=r"another checksum than expected; or unpack cifar-10-python\.tar\.gz in"):
        datasets.CIFAR10(tmp_path / "new", download=True)
    monkeypatch.setattr(datasets.CIFAR10, "_is_right", lambda self, path: True)
    assert len(datasets.CIFAR10(tmp_path / "new", download=True)) == 15
    assert len(datasets.CIFAR10(tmp_path / "new", train=False)) == 3
