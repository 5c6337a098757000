"""torchvision's data sets: read from its folders, sample by sample; what is wrong with a folder is said."""

import gzip
import struct

import numpy as np
import pytest
from PIL import Image

import tinygrad_cnn as tg
from tinygrad_cnn import datasets, transforms
from tinygrad_cnn.utils.data import DataLoader


def idx(path, magic, array, *sizes):
    head = struct.pack(f">{2 + len(sizes)}i", magic, len(array), *sizes)
    content = head + array.astype(np.uint8).tobytes()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)


@pytest.fixture
def digits():
    random = np.random.default_rng(0)
    return {
        part: (random.integers(0, 256, (n, 28, 28)), random.integers(0, 10, n))
        for part, n in (("train", 7), ("t10k", 3))
    }


def written(folder, digits, end=""):
    for part, (images, labels) in digits.items():
        idx(folder / f"{part}-images-idx3-ubyte{end}", 2051, images, 28, 28)
        idx(folder / f"{part}-labels-idx1-ubyte{end}", 2049, labels)


@pytest.mark.parametrize("kind", [datasets.MNIST, datasets.FashionMNIST, datasets.KMNIST])
@pytest.mark.parametrize("end", ["", ".gz"])
@pytest.mark.parametrize("deep", [True, False])
def test_the_files_are_found_where_torchvision_puts_them_and_in_the_folder_itself(tmp_path, digits, kind, end, deep):
    written(tmp_path / kind.__name__ / "raw" if deep else tmp_path, digits, end)
    for train, part in ((True, "train"), (False, "t10k")):
        found = kind(str(tmp_path), train, download=True)
        images, labels = digits[part]
        assert len(found) == len(images)
        np.testing.assert_array_equal(found.data.numpy(), images)
        assert (found.data.dtype, found.targets.dtype) == (tg.uint8, tg.int64)
        image, label = found[2]
        assert isinstance(image, Image.Image)
        assert image.mode == "L"
        np.testing.assert_array_equal(np.asarray(image), images[2])
        assert label == labels[2]
        assert type(label) is int
    assert len(found.classes) == 10
    assert found.class_to_idx[found.classes[3]] == 3


def test_the_old_names_of_data_and_targets_warn(tmp_path, digits):
    written(tmp_path, digits)
    found = datasets.MNIST(tmp_path, train=True)
    for old, new in (
        ("train_data", "data"),
        ("test_data", "data"),
        ("train_labels", "targets"),
        ("test_labels", "targets"),
    ):
        with pytest.warns(UserWarning, match=f"{old} has been renamed {new}"):
            assert getattr(found, old) is getattr(found, new)


def test_samples_are_transformed_and_batched(tmp_path, digits):
    written(tmp_path, digits)
    transform = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.5,), (0.25,))])
    found = datasets.MNIST(tmp_path, train=True, transform=transform, target_transform=lambda k: -k)
    images, labels = next(iter(DataLoader(found, batch_size=7)))
    np.testing.assert_allclose(images.numpy(), (digits["train"][0][:, None] / 255 - 0.5) / 0.25, rtol=1e-5, atol=1e-6)
    assert labels.tolist() == [-k for k in digits["train"][1]]


def test_it_says_what_it_is_as_torchvision_does(tmp_path, digits):
    written(tmp_path, digits)
    found = datasets.MNIST(tmp_path, train=False, transform=transforms.Compose([transforms.ToTensor()]))
    assert repr(found).splitlines() == [
        "Dataset MNIST",
        "    Number of datapoints: 3",
        f"    Root location: {tmp_path}",
        "    Split: Test",
        "    StandardTransform",
        "Transform: Compose(",
        "               ToTensor()",
        "           )",
    ]


def test_missing_and_damaged_files_are_said(tmp_path, digits, monkeypatch):
    with pytest.raises(RuntimeError, match=r"pass download=True, or put the four IDX files there; .*load_sample"):
        datasets.MNIST(tmp_path)
    monkeypatch.setattr(datasets.mnist, "MIRRORS", ("http://127.0.0.1:9/",))
    with pytest.raises(RuntimeError, match=r"no mirror gave it .*put the four IDX files into"):
        datasets.MNIST(tmp_path, download=True)
    written(tmp_path, digits)
    path = tmp_path / "train-images-idx3-ubyte"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(datasets.DatasetError, match="truncated"):
        datasets.MNIST(tmp_path)
    idx(path, 2051, digits["train"][0][:5], 28, 28)
    with pytest.raises(datasets.DatasetError, match="5 images but 7 labels"):
        datasets.MNIST(tmp_path)
    with pytest.raises(AttributeError, match="FakeData, ImageFolder and DatasetFolder; for others, subclass"):
        datasets.SVHN


def test_without_pillow_a_sample_is_an_array(tmp_path, digits, monkeypatch):
    written(tmp_path, digits)
    monkeypatch.setitem(__import__("sys").modules, "PIL", None)
    image, _ = datasets.MNIST(tmp_path)[0]
    np.testing.assert_array_equal(image, digits["train"][0][0])
    tensor, _ = datasets.MNIST(tmp_path, transform=transforms.ToTensor())[0]
    assert tensor.shape == (1, 28, 28)


def test_fake_data_is_the_same_each_time():
    fake = datasets.FakeData(size=5, image_size=(3, 6, 4), num_classes=3, transform=transforms.ToTensor())
    assert len(fake) == 5
    image, label = fake[4]
    assert image.shape == (3, 6, 4)
    assert 0 <= label < 3
    again, same = fake[4]
    assert tg.equal(image, again)
    assert label == same
    assert not tg.equal(image, fake[3][0])
    with pytest.raises(IndexError, match="there are 5 images"):
        fake[5]


def test_folders_are_classes(tmp_path):
    for name, shades in (("b", (10, 20)), ("a", (30,))):
        (tmp_path / name / "deep").mkdir(parents=True)
        for shade in shades:
            Image.new("L", (2, 3), shade).save(tmp_path / name / "deep" / f"{shade}.png")
    (tmp_path / "a" / "notes.txt").write_text("no picture")
    found = datasets.ImageFolder(tmp_path, transform=transforms.ToTensor())
    assert (found.classes, found.targets, len(found)) == (["a", "b"], [0, 1, 1], 3)
    image, label = found[2]
    assert image.shape == (3, 3, 2)
    np.testing.assert_allclose(image.numpy(), 20 / 255)
    assert label == 1
    (tmp_path / "c").mkdir()
    with pytest.raises(FileNotFoundError, match="no files of c that count"):
        datasets.ImageFolder(tmp_path)
    with pytest.raises(FileNotFoundError, match="expected one for each class"):
        datasets.ImageFolder(tmp_path / "c")


def test_made_up_images_have_no_place_to_be_described():
    assert repr(datasets.FakeData(3)) == "Dataset FakeData\n    Number of datapoints: 3"


def test_a_folders_own_files_come_before_those_of_its_folders_and_links_are_followed(tmp_path):
    root, elsewhere = tmp_path / "root", tmp_path / "elsewhere"
    (root / "cat" / "a").mkdir(parents=True)
    elsewhere.mkdir()
    for path in (root / "cat" / "z.png", root / "cat" / "a" / "1.png", elsewhere / "2.png"):
        path.write_bytes(b"")
    (root / "cat" / "b").symlink_to(elsewhere, target_is_directory=True)
    found = [path[len(f"{root}/") :] for path, _ in datasets.ImageFolder(root).samples]
    assert found == ["cat/z.png", "cat/a/1.png", "cat/b/2.png"]


def test_links_that_lead_to_each_other_end(tmp_path):
    root = tmp_path / "root"
    for name in ("cat", "dog"):
        (root / name).mkdir(parents=True)
        (root / name / "1.png").write_bytes(b"")
        (root / name / "itself").symlink_to(root / name, target_is_directory=True)
        (root / name / "all").symlink_to(root, target_is_directory=True)
        (root / name / "nowhere").symlink_to(root / name / "nowhere")
    found = [path[len(f"{root}/") :] for path, _ in datasets.ImageFolder(root).samples]
    assert found == ["cat/1.png", "cat/all/dog/1.png", "dog/1.png", "dog/all/cat/1.png"]


def test_folders_that_links_make_of_a_few_are_too_many(tmp_path, monkeypatch):
    monkeypatch.setattr(datasets.folder, "MOST_FOLDERS", 500)
    for name in "abcdefgh":
        (tmp_path / "x" / name).mkdir(parents=True)
        for other in "abcdefgh":
            (tmp_path / "x" / name / other).symlink_to(tmp_path / "x" / other, target_is_directory=True)
    with pytest.raises(datasets.DatasetError, match="more than 500 folders; do links in it lead to each other"):
        datasets.ImageFolder(tmp_path)


def test_what_is_no_picture_is_a_damaged_file_of_the_data_set(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "1.png").write_bytes(b"DDS " + bytes(200))
    found = datasets.ImageFolder(tmp_path)
    with pytest.raises(datasets.DatasetError, match="cannot be read as a picture of the formats PNG, JPEG"):
        found[0]
