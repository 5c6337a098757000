"""`teach.predict`: pictures of any kind, by a network from memory or from a file."""

import numpy as np
import PIL.Image
import pytest

import tinygrad_cnn as tg
from tinygrad_cnn import nn, teach
from tinygrad_cnn.io import ModelFileError, save_model
from tinygrad_cnn.teach.networks import MODELS
from tinygrad_cnn.teach.pictures import ImageError


@pytest.fixture(scope="module")
def upright():
    """A network that tells a bar that stands from one that lies: the ink in the middle columns."""
    net = nn.Sequential(nn.Flatten(), nn.Linear(784, 2, bias=False))
    weight = np.zeros((2, 28, 28), np.float32)
    weight[0, :, 10:18] += 1
    weight[1, 10:18, :] += 1
    with tg.no_grad():
        net[1].weight.copy_(tg.tensor(weight.reshape(2, 784)))
    return net


def bar(standing, paper=255, ink=0, size=(90, 60)):
    grey = np.full(size, paper, np.uint8)
    grey[(slice(10, 50), slice(30, 36)) if standing else (slice(60, 66), slice(10, 50))] = ink
    return grey


NAMES = ["stands", "lies"]


@pytest.mark.parametrize(("paper", "ink"), [(255, 0), (0, 255), (120, 200)])
def test_arrays_lists_and_files_have_the_same_answer(upright, tmp_path, paper, ink):
    arrays = [bar(standing, paper, ink) for standing in (True, False)]
    paths = [tmp_path / f"{k}.png" for k in range(2)]
    for array, path in zip(arrays, paths, strict=True):
        PIL.Image.fromarray(array).save(path)
    answers = teach.predict(upright, arrays, NAMES)
    assert [a.label for a in answers] == NAMES
    assert [a.source for a in answers] == [0, 1]
    for pictures in (np.stack(arrays), tg.tensor(np.stack(arrays)), paths, [str(p) for p in paths], tmp_path):
        others = teach.predict(upright, pictures, NAMES)
        assert [a.probabilities for a in others] == [a.probabilities for a in answers]
    assert [a.source for a in teach.predict(upright, tmp_path, NAMES)] == [str(p) for p in paths]


def test_a_photograph_is_turned_as_its_exif_data_say(upright, tmp_path):
    turned = PIL.Image.fromarray(np.rot90(bar(True)))  # lies, and says: turn me by a quarter
    exif = PIL.Image.Exif()
    exif[0x0112] = 6
    turned.save(tmp_path / "a.jpg", exif=exif, quality=95)
    assert teach.predict(upright, tmp_path / "a.jpg", NAMES)[0].label == "stands"


def test_the_network_is_left_as_it_was(upright):
    upright.train()
    teach.predict(upright, bar(True), NAMES)
    assert upright.training


@pytest.mark.parametrize("name", ["m.tg", "m.npz", "m.safetensors"])
def test_a_file_says_how_it_is_used(tmp_path, name):
    tg.manual_seed(0)
    net = MODELS["article"]()
    classes = [f"c{k}" for k in range(10)]
    how = {"kind": "mnist", "side": 28, "mean": 0.5, "deviation": 0.25}
    save_model(tmp_path / name, net, model="article", classes=classes, preprocessing=how)
    (answer,) = teach.predict(tmp_path / name, bar(True))
    digit = teach.pictures.as_mnist(bar(True).astype(float))
    x = tg.tensor((digit[None, None].astype(np.float32) / 255 - 0.5) / 0.25)
    with tg.no_grad():
        expected = net(x).softmax(1)[0]
    assert list(answer.probabilities) == classes
    np.testing.assert_allclose(list(answer.probabilities.values()), expected.numpy(), rtol=1e-5)


def test_numbers_alone_are_known_by_their_shapes_and_a_whole_network_by_itself(tmp_path, upright):
    tg.save(MODELS["lenet"]().state_dict(), tmp_path / "numbers")
    assert len(teach.predict(tmp_path / "numbers", bar(True))[0].probabilities) == 10
    tg.save(upright, tmp_path / "whole")
    assert teach.predict(tmp_path / "whole", bar(False), NAMES)[0].label == "lies"


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"classes": 3}, "no list of names"),
        ({"classes": []}, "no list of names"),
        ({"preprocessing": {"kind": "imagenet"}}, "not known here"),
        ({"preprocessing": {"kind": "mnist", "side": 32}}, "not known here"),
        ({"preprocessing": {"kind": "mnist", "deviation": 0.0}}, "no scale"),
        ({"model": "resnet"}, "known are lenet, article"),
    ],
)
def test_a_file_that_cannot_be_used_is_explained(tmp_path, facts, words):
    save_model(tmp_path / "m", MODELS["article"](), **{"model": "article", **facts})
    with pytest.raises(ModelFileError, match=words):
        teach.predict(tmp_path / "m", bar(True))


def test_what_cannot_be_read_is_explained(upright, tmp_path):
    for blank in (np.zeros((20, 20)), np.full((5, 9), 255.0)):
        with pytest.raises(ImageError, match="no digit"):
            teach.predict(upright, blank, NAMES)
    with pytest.raises(ValueError, match=r"\(H, W\) or \(N, H, W\)"):
        teach.predict(upright, np.zeros((1, 2, 3, 4)), NAMES)
    with pytest.raises(ValueError, match="for 10 classes"):
        teach.predict(upright, bar(True))
    with pytest.raises(ImageError, match="without pictures"):
        teach.predict(upright, tmp_path, NAMES)
