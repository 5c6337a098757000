"""Every example runs, and does what its docstring promises; the long ones on fewer images."""

import importlib.util
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tinygrad_cnn.datasets import load_sample
from tinygrad_cnn.ops import registry

FOLDER = Path(__file__).parent.parent / "examples"


@pytest.fixture
def example():
    """The example of this name as a module; what it registers is forgotten afterwards."""
    before = dict(registry)

    def load(name):
        spec = importlib.util.spec_from_file_location(f"examples_{name}", FOLDER / f"{name}.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    yield load
    registry.clear()
    registry.update(before)


def test_every_example_has_a_test():
    text = Path(__file__).read_text(encoding="utf-8")
    assert all(f'example("{path.stem}")' in text for path in FOLDER.glob("*.py"))


def test_mnist_cnn(example, capsys):
    assert example("mnist_cnn").main(epochs=1, images=3000) > 0.8
    assert "epoch 1: loss of the last batch" in capsys.readouterr().out


def test_fully_connected(example):
    assert example("fully_connected").main(epochs=3, images=2000) > 0.85


def test_own_op(example):
    verdicts = example("own_op").main()
    right = {key for key, said in verdicts.items() if said == "right, to second order"}
    assert right == {("LogCosh", "near"), ("LogCosh", "far"), ("Overflowing", "near"), ("Approximate", "far")}


def test_newton(example):
    path = example("newton").main()
    np.testing.assert_allclose(path[-1], [1, 1], atol=1e-9)
    assert len(path) < 10


def test_edges(example, tmp_path):
    edges, maps = example("edges").main(tmp_path, steps=20)
    assert edges.shape == (5, 26, 26)
    assert maps.shape == (32, 26, 26)
    digit = example("edges").load_sample().train_images[0] / 255
    expected = 8 * digit[1:-1, 1:-1] - sum(
        digit[1 + i : 27 + i, 1 + j : 27 + j] for i in (-1, 0, 1) for j in (-1, 0, 1) if (i, j) != (0, 0)
    )
    np.testing.assert_allclose(edges[3], expected, atol=1e-5)
    for name, planes in (("edges.png", (6, 1)), ("feature_maps.png", (8, 4))):
        with Image.open(tmp_path / name) as picture:
            width, height = picture.size
        assert width / height == pytest.approx(planes[0] / planes[1], rel=0.3)


@pytest.fixture
def few_digits(tmp_path):
    """A folder as torchvision lays it out, with 2,000 images to learn and 500 to judge by."""
    digits = load_sample()
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for name, images, labels in (
        ("train", digits.train_images[:2000], digits.train_labels[:2000]),
        ("t10k", digits.test_images[:500], digits.test_labels[:500]),
    ):
        head = struct.pack(">iiii", 2051, len(images), 28, 28)
        (raw / f"{name}-images-idx3-ubyte").write_bytes(head + images.tobytes())
        head = struct.pack(">ii", 2049, len(labels))
        (raw / f"{name}-labels-idx1-ubyte").write_bytes(head + labels.astype(np.uint8).tobytes())
    return tmp_path


def size_of(path):
    with Image.open(path) as picture:
        return picture.size


def test_lenet(example, few_digits):
    picture = few_digits / "mistakes.png"
    assert example("lenet").main(few_digits, epochs=3, picture=picture) > 0.85
    assert size_of(picture)[0] > 28


def test_vae(example, tmp_path):
    example_ = example("vae")
    assert example_.main(tmp_path, epochs=3, images=1000) < 215  # 207 nats is what the mean image costs
    width, height = size_of(tmp_path / "vae.png")
    assert width >= 12 * 28
    assert height >= 14 * 28


def test_char_rnn(example, capsys):
    assert example("char_rnn").main(steps=60) < 3.6  # to guess costs 4.5
    assert "Return" in capsys.readouterr().out


def test_transformer(example):
    example_ = example("transformer")
    texts = example_.sums(50).tolist()
    for text in texts:  # the sums are sums, lowest digit first
        a, b, total = text[:3], text[4:7], text[8:]
        value = [sum(digit * 10**k for k, digit in enumerate(digits)) for digits in (a, b, total)]
        assert value[0] + value[1] == value[2]
    assert 0 <= example_.main(None, steps=10) <= 1


def test_dcgan(example, tmp_path):
    real, drawn = example("dcgan").main(tmp_path, epochs=1, images=500)
    assert 0 < drawn < 1
    assert 0 < real < 1
    width, height = size_of(tmp_path / "dcgan.png")
    assert width >= 10 * 28
    assert 28 <= height < 3 * 28
