"""Layers written by hand beside autograd: those of the articles agree, and an error in one is found in that one."""

import numpy as np
import pytest

import tinygrad_cnn as tg
from tests.display.reading import Reading
from tinygrad_cnn import nn
from tinygrad_cnn.teach import compare


class Convolution:
    """As in "Building a CNN from scratch using NumPy": (H, W) to (H - 2, W - 2, kernels); gives dE/dk, not dE/dx."""

    def __init__(self, count, size, random):
        self.count, self.size = count, size
        self.kernels = random.normal(size=(count, size, size)) / size**2

    def patches(self, image):
        h, w = image.shape
        self.image = image
        for i in range(h - self.size + 1):
            for j in range(w - self.size + 1):
                yield image[i : i + self.size, j : j + self.size], i, j

    def forward_prop(self, image):
        h, w = image.shape
        out = np.zeros((h - self.size + 1, w - self.size + 1, self.count))
        for patch, i, j in self.patches(image):
            out[i, j] = np.sum(patch * self.kernels, axis=(1, 2))
        return out

    def back_prop(self, dE_dY, alpha):
        dE_dk = np.zeros(self.kernels.shape)
        for patch, i, j in self.patches(self.image):
            for f in range(self.count):
                dE_dk[f] += patch * dE_dY[i, j, f]
        self.kernels -= alpha * self.scale * dE_dk
        return dE_dk

    scale = 1.0


class Pooling:
    """Of 2×2: the gradient goes to the largest."""

    slope = 1.0

    def patches(self, image):
        self.image = image
        for h in range(image.shape[0] // 2):
            for w in range(image.shape[1] // 2):
                yield image[2 * h : 2 * h + 2, 2 * w : 2 * w + 2], h, w

    def forward_prop(self, image):
        h, w, c = image.shape
        out = np.zeros((h // 2, w // 2, c))
        for patch, i, j in self.patches(image):
            out[i, j] = patch.max(axis=(0, 1))
        return out

    def back_prop(self, dE_dY, alpha):
        sent = np.zeros(self.image.shape)
        for patch, h, w in self.patches(self.image):
            for i, j, c in np.ndindex(*patch.shape):
                if patch[i, j, c] == patch[:, :, c].max():
                    sent[2 * h + i, 2 * w + j, c] = self.slope * dE_dY[h, w, c]
        return sent


class Softmax:
    """A linear map of all numbers, and softmax; its way back looks for the one gradient that is not 0."""

    def __init__(self, inputs, outputs, random):
        self.weight = random.normal(size=(inputs, outputs)) / inputs
        self.bias = np.zeros(outputs)

    def forward_prop(self, image):
        self.shape, self.flat = image.shape, image.flatten()
        self.output = np.dot(self.flat, self.weight) + self.bias
        return np.exp(self.output) / np.sum(np.exp(self.output))

    def back_prop(self, dE_dY, alpha):
        for i, gradient in enumerate(dE_dY):
            if gradient == 0:
                continue
            powers = np.exp(self.output)
            total = np.sum(powers)
            dY_dZ = -powers[i] * powers / total**2
            dY_dZ[i] = powers[i] * (total - powers[i]) / total**2
            dE_dZ = gradient * dY_dZ
            dE_dX = self.weight @ dE_dZ
            self.weight -= alpha * self.flat[:, None] @ dE_dZ[None]
            self.bias -= alpha * dE_dZ
            return dE_dX.reshape(self.shape)
        return None


@pytest.fixture
def article():
    random = np.random.default_rng(0)
    layers = [Convolution(4, 3, random), Pooling(), Softmax(5 * 5 * 4, 10, random)]
    net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(100, 10))
    return layers, net, random.normal(size=(12, 12))


def test_the_articles_layers_agree_in_their_own_layout(article):
    layers, net, image = article
    kernels, weight = layers[0].kernels.copy(), net[0].weight.detach().numpy().copy()
    found = compare(layers, net, image, 3)
    assert found, str(found)
    assert [row.path for row in found.rows] == ["0", "1", "2, 3, softmax"]
    assert found.rows[0].differences == {"forward": None, "input": "none", "kernels": None}
    assert found.rows[2].differences == {"forward": None, "input": None, "weight": None, "bias": None}
    assert "The bias of 0 (Conv2d) has no counterpart by hand: it was set to 0." in found.notes
    assert np.array_equal(layers[0].kernels, kernels)
    assert np.array_equal(net[0].weight.detach().numpy(), weight)
    assert "Everything that could be compared agrees." in str(found)


def test_an_error_is_found_in_its_layer_and_named(article):
    layers, net, image = article
    layers[1].slope = 2.0
    found = compare(layers, net, image, 3)
    assert not found
    assert found.first.number == 1
    assert found.first.wrong == ["input"]
    wrong = found.first.differences["input"]
    assert wrong.by_hand == pytest.approx(2 * wrong.autograd)
    assert found.report.diagnoses[0].kind == "factor"
    text = str(found)
    assert "The first that differs, on the way back: layer 1, Pooling, the gradient to its input." in " ".join(
        text.split()
    )
    assert "It looks like this (factor): everything is multiplied by 2" in text
    assert "→ 1 Pooling" in text
    assert max(map(len, text.splitlines())) <= 80
    assert [row.wrong for row in found.rows] == [[], ["input"], []]  # the others are right


def test_an_error_in_the_gradient_of_a_parameter_is_found(article):
    layers, net, image = article
    layers[0].scale = -1.0
    found = compare(layers, net, image, 3)
    assert found.first.wrong == ["kernels"]
    assert found.report.diagnoses[0].kind == "sign"
    layers[1].slope = 0.5
    assert compare(layers, net, image, 3).first.number == 1  # the first on the way back


def test_an_error_on_the_way_there_comes_first(article):
    layers, net, image = article
    forward = layers[1].forward_prop
    layers[1].forward_prop = lambda image: forward(image) + (np.arange(4) == 2)
    found = compare(layers, net, image, 3)
    assert found.first.number == 1
    assert "on the way there: layer 1, Pooling, its output" in str(found)
    wrong = found.first.differences["forward"]
    assert wrong.place[2] == 2
    assert wrong.by_hand - wrong.autograd == pytest.approx(1)


class Line:
    def __init__(self, w, b):
        self.w, self.b = w, b

    def forward(self, x):
        self.x = x
        return x @ self.w + self.b

    def backward(self, g):
        self.dw, self.db = self.x.T @ g, g.sum(axis=0)
        return g @ self.w.T


class Rectifier:
    def forward(self, x):
        self.x = x
        return np.maximum(x, 0)

    def backward(self, g):
        return g * (self.x > 0)


def test_batches_and_gradients_that_are_kept_as_attributes():
    random = np.random.default_rng(0)
    first = Line(random.normal(size=(5, 5)), random.normal(size=5))
    layers = [first, Rectifier(), Line(random.normal(size=(5, 3)), np.zeros(3))]
    net = nn.Sequential(nn.Linear(5, 5), nn.ReLU(), nn.Linear(5, 3))
    x = random.normal(size=(7, 5))
    assert compare(layers, net, x, random.integers(0, 3, 7))
    assert compare(layers, net, tg.tensor(x), tg.tensor(random.normal(size=(7, 3))))
    assert compare(layers, net, x, random.normal(size=(7, 3)), loss=lambda out, y: (out * y).sum())
    layers[2].backward = lambda g: (g @ layers[2].w.T)[::-1]
    found = compare(layers, net, x, random.integers(0, 3, 7))
    assert found.first.number == 2


def test_a_gradient_of_another_shape_is_wrong():
    line = Line(np.ones((5, 3)), np.zeros(3))
    line.backward = lambda g: g[:, :2]
    found = compare([line], nn.Linear(5, 3), np.ones((2, 5)), np.zeros(2, int))
    assert found.first.wrong == ["input"]
    assert "By hand it has another shape (2, 2)." in str(found)


def test_a_notebook_shows_it_too(article):
    layers, net, image = article
    layers[1].slope = 2.0
    shown = Reading(compare(layers, net, image, 3)._repr_html_())
    assert [line[0] for line in shown.tables[0][1:]] == ["0 Convolution", "1 Pooling", "2 Softmax"]
    assert "✗ differs written by hand, beside autograd" in shown.text
    assert "everything is multiplied by 2" in shown.text


@pytest.mark.parametrize(
    ("layers", "net", "x", "y", "message"),
    [
        ([], nn.ReLU(), np.ones(3), 0, "there is no layer"),
        (
            [object()],
            nn.ReLU(),
            np.ones(3),
            0,
            "layer 0, object, has no forward pass; expected forward_prop or forward",
        ),
        ([Rectifier()], nn.Linear(4, 2), np.ones(3), 0, r"the network cannot be run on an input \(3,\)"),
        (
            [Rectifier()],
            nn.Linear(3, 2),
            np.ones((1, 3)),
            0,
            r"Rectifier, gives \(1, 3\); the network has no such layer",
        ),
        ([Rectifier()], nn.ReLU(), np.ones((2, 3)), [0, 7], "the network has 3 classes, from 0 on"),
        ([Rectifier()], nn.ReLU(), np.ones((2, 3)), np.ones(5), r"y has shape \(5,\) and the output \(2, 3\)"),
        ([Line(np.ones((4, 2)), 0)], nn.Linear(4, 2), np.ones(3), 0, "Line.forward of an input .* raises ValueError"),
    ],
)
def test_wrong_use_says_what_is_missing(layers, net, x, y, message):
    with pytest.raises(ValueError, match=message):
        compare(layers, net, x, y)
