"""`python -m benchmarks.playback`: steps that are played back, beside our eager ones, PyTorch eager and JAX jit.

Four programs in which kernels take little of the time: an MLP 2-16-16-1 of 32 points, a chain of 40 ops on 8 elements,
LeNet-5 of one image, and an LSTM of one sequence of 20 steps. One thread; all take turns; medians. A turn is a row of
20 calls, as in a training loop; the times of one call after a pause, when caches are cold, stand beside.
"""

import json
from collections.abc import Callable
from contextlib import suppress
from itertools import pairwise
from typing import Any

import numpy as np

import tinygrad_cnn as tg
from benchmarks.limits import SETS
from benchmarks.measure import alternately, in_rows
from benchmarks.networks import NETWORKS
from benchmarks.peers import FAST, LR, installed, model_of

Step = Callable[[], Any]
RNG = np.random.default_rng(0)
POINTS, TARGETS = RNG.standard_normal((32, 2), np.float32), RNG.standard_normal((32, 1), np.float32)
EIGHT = RNG.random((2, 8), np.float32)
IMAGE, LABEL = RNG.standard_normal((1, 1, 28, 28), np.float32), np.array([3])
SEQUENCE = RNG.standard_normal((1, 20, 64), np.float32)


def trained(
    lib: Any, model: Any, loss: Callable[..., Any], x: Any, y: Any
) -> tuple[Callable[..., Any], tuple[Any, Any]]:
    """A step of training by gradient descent, and what it is given."""
    optimiser = lib.optim.SGD(model.parameters(), lr=LR)

    def step(x: Any, y: Any) -> Any:
        optimiser.zero_grad()
        value = loss(model(x), y)
        value.backward()
        optimiser.step()
        return value

    return step, (lib.tensor(x), lib.tensor(y))


def mlp(lib: Any) -> Any:
    """2-16-16-1 with tanh."""
    nn = lib.nn
    model = nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, 16), nn.Tanh(), nn.Linear(16, 1))
    return trained(lib, model, nn.functional.mse_loss, POINTS, TARGETS)


def chain(lib: Any) -> Any:
    """20 products and 20 sums of 8 elements, and back."""
    x, c = lib.tensor(EIGHT[0], requires_grad=True), lib.tensor(EIGHT[1])

    def step(c: Any) -> Any:
        x.grad = None
        y = x
        for _ in range(20):
            y = y * c + c
        loss = y.sum()
        loss.backward()
        return loss

    return step, (c,)


def lenet(lib: Any) -> Any:
    """LeNet-5 and one image."""
    return trained(lib, model_of(lib, NETWORKS["LeNet-5"][1]), lib.nn.functional.cross_entropy, IMAGE, LABEL)


def lstm(lib: Any) -> Any:
    """64 features, 32 of state, the last step told apart in 10 classes."""
    nn = lib.nn

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer, self.head = nn.LSTM(64, 32, batch_first=True), nn.Linear(32, 10)

        def forward(self, x: Any) -> Any:
            return self.head(self.layer(x)[0][:, -1])

    return trained(lib, Net(), nn.functional.cross_entropy, SEQUENCE, LABEL)


def dense(rng: Any, *sizes: int) -> list[Any]:
    """Weights and biases of fully connected layers."""
    pairs = pairwise(sizes)
    return [(rng.standard_normal((o, i), np.float32) * 0.1, np.zeros(o, np.float32)) for i, o in pairs]


def in_jax(name: str) -> Step:
    """The same in JAX, the whole step compiled."""
    import jax
    import jax.numpy as jnp

    def labelled(logits: Any) -> Any:
        return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(logits), LABEL[:, None], axis=1))

    def layers(x: Any, weights: Any, bend: Any) -> Any:
        for k, (w, b) in enumerate(weights):
            x = x @ w.T + b
            x = bend(x) if k < len(weights) - 1 else x
        return x

    def mlp(p: Any) -> Any:
        return jnp.mean((layers(POINTS, p, jnp.tanh) - TARGETS) ** 2)

    def chain(p: Any) -> Any:
        for _ in range(20):
            p = p * EIGHT[1] + EIGHT[1]
        return p.sum()

    def pooled(x: Any) -> Any:
        return jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, (1, 1, 2, 2), (1, 1, 2, 2), "VALID")

    def lenet(p: Any) -> Any:
        (w1, b1), (w2, b2), *rest = p
        x = jnp.pad(IMAGE, ((0, 0), (0, 0), (2, 2), (2, 2)))
        x = pooled(jax.nn.relu(jax.lax.conv(x, w1, (1, 1), "VALID") + b1[:, None, None]))
        x = pooled(jax.nn.relu(jax.lax.conv(x, w2, (1, 1), "VALID") + b2[:, None, None]))
        return labelled(layers(x.reshape(1, -1), rest, jax.nn.relu))

    def lstm(p: Any) -> Any:
        (w_ih, b_ih), (w_hh, b_hh), head = p
        given = SEQUENCE @ w_ih.T + b_ih + b_hh

        def one(state: Any, x: Any) -> Any:
            h, c = state
            i, f, g, o = jnp.split(x + h @ w_hh.T, 4, axis=-1)
            c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
            h = jax.nn.sigmoid(o) * jnp.tanh(c)
            return (h, c), None

        zero = jnp.zeros((1, 32))
        (h, _), _ = jax.lax.scan(one, (zero, zero), given.swapaxes(0, 1))
        return labelled(layers(h, [head], None))

    rng = np.random.default_rng(1)
    kernels = [
        (rng.standard_normal(s, np.float32) * 0.1, np.zeros(s[0], np.float32)) for s in ((6, 1, 5, 5), (16, 6, 5, 5))
    ]
    begin: dict[str, Any] = {
        "MLP": dense(rng, 2, 16, 16, 1),
        "chain of 40": EIGHT[0],
        "LeNet-5": kernels + dense(rng, 400, 120, 84, 10),
        "LSTM": dense(rng, 64, 128) + dense(rng, 32, 128) + dense(rng, 32, 10),
    }
    loss = {"MLP": mlp, "chain of 40": chain, "LeNet-5": lenet, "LSTM": lstm}[name]
    update = jax.jit(lambda p: jax.tree.map(lambda a, g: a - LR * g, p, jax.grad(loss)(p)))
    only = jax.jit(jax.grad(loss))
    state = [jax.tree.map(jnp.asarray, begin[name])]

    def step() -> None:
        if name == "chain of 40":  # nothing is trained here
            jax.block_until_ready(only(state[0]))
        else:
            state[0] = jax.block_until_ready(update(state[0]))

    return step


PROGRAMS = {"MLP": mlp, "chain of 40": chain, "LeNet-5": lenet, "LSTM": lstm}


def playback(rounds: int = 40) -> list[dict[str, Any]]:
    """µs of a step of each, in a loop and after a pause, and how many times as long PyTorch and JAX take in a loop."""
    out = []
    libraries = {}
    if "PyTorch" in installed(FAST):
        import torch

        torch.set_num_threads(1)
        libraries["PyTorch"] = torch
    for name, build in PROGRAMS.items():
        steps: dict[str, Step] = {}

        def add(key: str, lib: Any, kit: str | None, played: bool, build: Any = build, steps: Any = steps) -> None:
            step, given = build(lib)
            call = lib.compile(step) if played else step

            def run() -> None:
                if kit is not None:
                    lib.set_kernels(kit)
                call(*given)

            for _ in range(4):
                run()
            steps[key] = run

        for kit in SETS:
            add(f"eager, {kit}", tg, kit, False)
            add(f"played, {kit}", tg, kit, True)
        for key, lib in libraries.items():
            add(key, lib, None, False)
        with suppress(ImportError):
            steps["JAX jit"] = in_jax(name)
        cold = alternately(steps, least=rounds, most=rounds, seconds=0)
        times = in_rows(steps, rounds=rounds)
        row: dict[str, Any] = {"name": name, "us": {key: 1e3 * t for key, t in times.items()}}
        row["us after a pause"] = {key: 1e3 * t["median"] for key, t in cold.items()}
        for peer in ("PyTorch", "JAX jit"):
            if peer in times:
                row[peer] = {kit: times[peer] / times[f"played, {kit}"] for kit in SETS}
        out.append(row)
    tg.set_kernels("numpy")
    return out


if __name__ == "__main__":
    tg.set_num_threads(1)
    for found in playback():
        print(json.dumps(found))
