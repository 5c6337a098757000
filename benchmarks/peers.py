"""Every peer as two functions of the same work: one training step, and its loss and gradients as arrays."""

import importlib.util
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from benchmarks.networks import Layer, Work

LR = 0.01


class Peer(NamedTuple):
    """A peer built for one work."""

    step: Callable[[], Any]
    gradients: Callable[[], tuple[float, list[Any]]]


def model_of(lib: Any, layers: list[Layer]) -> Any:
    """The layers as a Sequential of this framework or of PyTorch."""
    nn = lib.nn
    make = {
        "conv": lambda i, o, k, p: nn.Conv2d(i, o, k, padding=p),
        "linear": nn.Linear,
        "relu": nn.ReLU,
        "pool": lambda: nn.MaxPool2d(2),
        "flatten": nn.Flatten,
    }
    return nn.Sequential(*(make[layer.kind](*layer.sizes) for layer in layers))


def give(lib: Any, model: Any, parameters: list[Any]) -> None:
    """Let a model of this framework or of PyTorch begin with these parameters."""
    with lib.no_grad():
        for p, value in zip(model.parameters(), parameters, strict=True):
            p.copy_(lib.tensor(value))


def modular(lib: Any, given: Work, channels_last: bool = False, compiled: bool = False) -> Peer:
    """This framework and PyTorch: the same program, the library apart."""
    functional = lib.nn.functional
    model = model_of(lib, given.layers)
    give(lib, model, given.parameters)
    images, labels = lib.tensor(given.images), lib.tensor(given.labels)
    if channels_last:
        model, images = model.to(memory_format=lib.channels_last), images.to(memory_format=lib.channels_last)
    parameters = list(model.parameters())
    forward = lib.compile(model) if compiled else model
    optimiser = lib.optim.SGD(parameters, lr=LR)

    def step() -> None:
        optimiser.zero_grad()
        functional.cross_entropy(forward(images), labels).backward()
        optimiser.step()

    def gradients() -> tuple[float, list[Any]]:
        optimiser.zero_grad()
        loss = functional.cross_entropy(forward(images), labels)
        loss.backward()
        return loss.item(), [np.array(p.grad.detach().numpy()) for p in parameters]

    return Peer(step, gradients)


def ours(given: Work, kernels: str = "numpy") -> Peer:
    """tinygrad_cnn, with these kernels."""
    import tinygrad_cnn

    peer = modular(tinygrad_cnn, given)

    def step() -> None:
        tinygrad_cnn.set_kernels(kernels)
        peer.step()

    def gradients() -> tuple[float, list[Any]]:
        tinygrad_cnn.set_kernels(kernels)
        return peer.gradients()

    return Peer(step, gradients)


def ours_compiled(given: Work) -> Peer:
    """tinygrad_cnn with the kernels of the extra `fast`."""
    return ours(given, "numba")


def torch_contiguous(given: Work) -> Peer:
    """PyTorch eager, NCHW."""
    import torch

    return modular(torch, given)


def torch_channels_last(given: Work) -> Peer:
    """PyTorch eager, NHWC."""
    import torch

    return modular(torch, given, channels_last=True)


def torch_compiled(given: Work) -> Peer:
    """PyTorch with torch.compile."""
    import torch

    return modular(torch, given, compiled=True)


def jax_jit(given: Work) -> Peer:
    """JAX, the whole step compiled."""
    import jax
    import jax.numpy as jnp

    def loss(parameters: list[Any], x: Any, y: Any) -> Any:
        rest = list(parameters)
        for layer in given.layers:
            if layer.kind == "conv":
                p = layer.sizes[3]
                w, b = rest.pop(0), rest.pop(0)
                x = jax.lax.conv(jnp.pad(x, ((0, 0), (0, 0), (p, p), (p, p))), w, (1, 1), "VALID")
                x = x + b[:, None, None]
            elif layer.kind == "linear":
                x = x @ rest.pop(0).T + rest.pop(0)
            elif layer.kind == "relu":
                x = jnp.maximum(x, 0)
            elif layer.kind == "pool":
                x = jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, (1, 1, 2, 2), (1, 1, 2, 2), "VALID")
            else:
                x = x.reshape(len(x), -1)
        return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(x), y[:, None], axis=1))

    value_and_grad = jax.value_and_grad(loss)
    differentiated = jax.jit(value_and_grad)

    @jax.jit
    def update(parameters: list[Any], x: Any, y: Any) -> list[Any]:
        _, grads = value_and_grad(parameters, x, y)
        return [p - LR * g for p, g in zip(parameters, grads, strict=True)]

    x, y = jnp.asarray(given.images), jnp.asarray(given.labels)
    state = [[jnp.asarray(p) for p in given.parameters]]

    def step() -> None:
        state[0] = jax.block_until_ready(update(state[0], x, y))

    def gradients() -> tuple[float, list[Any]]:
        value, grads = differentiated(state[0], x, y)
        return float(value), [np.asarray(g) for g in grads]

    return Peer(step, gradients)


def mygrad_numpy(given: Work) -> Peer:
    """MyGrad, with its own convolution, pooling and loss."""
    import mygrad
    from mygrad.nnet.activations import relu
    from mygrad.nnet.layers import conv_nd, max_pool
    from mygrad.nnet.losses import softmax_crossentropy

    parameters = [mygrad.tensor(p.copy()) for p in given.parameters]

    def loss() -> Any:
        rest, x = list(parameters), given.images
        for layer in given.layers:
            if layer.kind == "conv":
                w, b = rest.pop(0), rest.pop(0)
                x = conv_nd(x, w, stride=1, padding=layer.sizes[3]) + b.reshape(1, -1, 1, 1)
            elif layer.kind == "linear":
                x = mygrad.matmul(x, rest.pop(0).T) + rest.pop(0)
            elif layer.kind == "relu":
                x = relu(x)
            elif layer.kind == "pool":
                x = max_pool(x, (2, 2), 2)
            else:
                x = x.reshape(x.shape[0], -1)
        return softmax_crossentropy(x, given.labels)

    def gradients() -> tuple[float, list[Any]]:
        value = loss()
        value.backward()
        return float(value.data), [np.asarray(p.grad) for p in parameters]

    def step() -> None:
        _, grads = gradients()
        for p, g in zip(parameters, grads, strict=True):
            p.data[...] -= np.float32(LR) * g

    return Peer(step, gradients)


def hips_autograd(given: Work) -> Peer:
    """HIPS autograd, with its own convolution of scipy.signal, pooling as in its example of a convnet."""
    import autograd
    import autograd.numpy as anp
    from autograd.scipy.signal import convolve

    def loss(parameters: list[Any]) -> Any:
        rest, x = list(parameters), given.images
        for layer in given.layers:
            if layer.kind == "conv":
                w, b, p = rest.pop(0), rest.pop(0), layer.sizes[3]
                x = anp.pad(x, ((0, 0), (0, 0), (p, p), (p, p)), "constant") if p else x
                x = convolve(x, w[:, :, ::-1, ::-1], axes=([2, 3], [2, 3]), dot_axes=([1], [1]), mode="valid")
                x = x + anp.reshape(b, (1, -1, 1, 1))
            elif layer.kind == "linear":
                x = anp.dot(x, rest.pop(0).T) + rest.pop(0)
            elif layer.kind == "relu":
                x = anp.maximum(x, 0)
            elif layer.kind == "pool":
                n, c, h, w = x.shape
                x = anp.max(anp.max(anp.reshape(x, (n, c, h // 2, 2, w // 2, 2)), axis=3), axis=4)
            else:
                x = anp.reshape(x, (x.shape[0], -1))
        top = anp.max(x, axis=1, keepdims=True)
        logs = x - top - anp.log(anp.sum(anp.exp(x - top), axis=1, keepdims=True))
        return -anp.mean(logs[anp.arange(len(x)), given.labels])

    differentiated = autograd.value_and_grad(loss)
    parameters = [p.copy() for p in given.parameters]

    def gradients() -> tuple[float, list[Any]]:
        value, grads = differentiated(parameters)
        return float(value), [np.asarray(g) for g in grads]

    def step() -> None:
        _, grads = gradients()
        for p, g in zip(parameters, grads, strict=True):
            p -= LR * g

    return Peer(step, gradients)


OURS, COMPILED = "tinygrad_cnn", "tinygrad_cnn[fast]"
MINE: dict[str, tuple[str, Callable[[Work], Peer]]] = {
    OURS: ("numpy", ours),
    COMPILED: ("numba", ours_compiled),
}
"""This framework with either set of kernels."""
FAST: dict[str, tuple[str, Callable[[Work], Peer]]] = {
    "PyTorch": ("torch", torch_contiguous),
    "PyTorch channels_last": ("torch", torch_channels_last),
}
"""The peers of every case, and the package that each needs."""
OTHERS: dict[str, tuple[str, Callable[[Work], Peer]]] = {
    "torch.compile": ("torch", torch_compiled),
    "JAX jit": ("jax", jax_jit),
    "MyGrad": ("mygrad", mygrad_numpy),
    "HIPS autograd": ("autograd", hips_autograd),
}
"""The peers of fewer cases: they take long, or cannot be told how many threads to use."""


def installed(peers: dict[str, tuple[str, Callable[[Work], Peer]]]) -> dict[str, Callable[[Work], Peer]]:
    """Those whose package is there."""
    return {name: build for name, (package, build) in peers.items() if importlib.util.find_spec(package) is not None}
