"""The networks as data, so that every peer builds the same one from the same numbers."""

from typing import Any, NamedTuple

import numpy as np


class Layer(NamedTuple):
    """One layer: "conv" (inputs, outputs, kernel, padding), "linear" (inputs, outputs), "relu", "pool" or "flatten"."""

    kind: str
    sizes: tuple[int, ...] = ()


def conv(inputs: int, outputs: int, kernel: int, padding: int = 0) -> Layer:
    """A convolution with a bias."""
    return Layer("conv", (inputs, outputs, kernel, padding))


def linear(inputs: int, outputs: int) -> Layer:
    """A fully connected layer with a bias."""
    return Layer("linear", (inputs, outputs))


RELU, POOL, FLATTEN = Layer("relu"), Layer("pool"), Layer("flatten")

NETWORKS: dict[str, tuple[tuple[int, int, int], list[Layer]]] = {
    "article": ((1, 28, 28), [conv(1, 32, 3), POOL, FLATTEN, linear(32 * 13 * 13, 10)]),
    "LeNet-5": (
        (1, 28, 28),
        [
            *(conv(1, 6, 5, 2), RELU, POOL, conv(6, 16, 5), RELU, POOL, FLATTEN),
            *(linear(400, 120), RELU, linear(120, 84), RELU, linear(84, 10)),
        ],
    ),
    "MNIST example": (
        (1, 28, 28),
        [conv(1, 32, 3), RELU, conv(32, 64, 3), RELU, POOL, FLATTEN, linear(9216, 128), RELU, linear(128, 10)],
    ),
    "CIFAR-like": (
        (3, 32, 32),
        [
            *(conv(3, 32, 3, 1), RELU, conv(32, 32, 3, 1), RELU, POOL),
            *(conv(32, 64, 3, 1), RELU, conv(64, 64, 3, 1), RELU, POOL, FLATTEN),
            *(linear(4096, 256), RELU, linear(256, 10)),
        ],
    ),
}


class Work(NamedTuple):
    """What one training step computes with."""

    layers: list[Layer]
    parameters: list[Any]
    images: Any
    labels: Any


def work(name: str, batch: int) -> Work:
    """A network's layers, its parameters (weight, bias, weight, …), a batch of images and its labels."""
    shape, layers = NETWORKS[name]
    rng = np.random.default_rng(0)
    parameters = []
    for layer in layers:
        if layer.kind == "conv":
            inputs, outputs, kernel, _ = layer.sizes
            weight = (outputs, inputs, kernel, kernel)
        elif layer.kind == "linear":
            weight = (layer.sizes[1], layer.sizes[0])
        else:
            continue
        bound = 1 / np.sqrt(np.prod(weight[1:]))
        parameters += [rng.uniform(-bound, bound, s).astype(np.float32) for s in (weight, weight[:1])]
    return Work(layers, parameters, rng.standard_normal((batch, *shape)).astype(np.float32), rng.integers(0, 10, batch))
