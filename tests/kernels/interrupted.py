"""Steps that are interrupted at random moments, and whether what comes after them is right.

    python -m tests.kernels.interrupted numba recurrent 200

A signal raises in the middle of a step: in Python, in a kernel, while threads are at work. Then another step is made,
whole, and every number of it must be the one that it was before the first interrupt.
"""

import argparse
import random
import signal
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count

import numpy as np

import tinygrad_cnn as tg
from tinygrad_cnn import nn
from tinygrad_cnn.io import load_checkpoint, save_checkpoint
from tinygrad_cnn.utils.data import DataLoader, TensorDataset

Step = Callable[[int], list[np.ndarray]]
KINDS = 4
"""Each step has its own inputs, of so many."""


class Interrupt(KeyboardInterrupt):
    """What the signal raises."""


def numbers(*tensors: tg.Tensor) -> list[np.ndarray]:
    """Copies of them."""
    return [t.detach().numpy().copy() for t in tensors]


def training(net: nn.Module, x: tg.Tensor, optimizer: type[tg.optim.Optimizer] = tg.optim.Adam) -> Step:
    """One step of training from the same weights: the loss, the gradients, the new weights."""
    inputs = [x * (k + 1) for k in range(KINDS)]
    start = {name: value.clone() for name, value in net.state_dict().items()}

    def step(k: int) -> list[np.ndarray]:
        net.load_state_dict(start)
        net.zero_grad()
        y = net(inputs[k])
        loss = ((y[0] if isinstance(y, tuple) else y) ** 2).mean()
        loss.backward()
        found = numbers(loss, *(p.grad for p in net.parameters()))
        optimizer(net.parameters(), lr=0.01).step()
        return [*found, *numbers(*net.parameters())]

    return step


def convolutions() -> Step:
    """A convolution, a pool and a product."""
    layers = nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(2304, 512)
    return training(nn.Sequential(*layers), tg.randn(64, 8, 24, 24))


def sides() -> Step:
    """Convolutions with steps, depthwise, transposed, grouped; batch and group norm."""
    layers = (
        nn.Conv2d(8, 16, 3, stride=2, padding=1), nn.BatchNorm2d(16), nn.SiLU(), nn.Conv2d(16, 16, 3, groups=16),
        nn.GroupNorm(4, 16), nn.GELU(), nn.ConvTranspose2d(16, 8, 2, stride=2), nn.AdaptiveAvgPool2d(4),
    )  # fmt: skip
    return training(nn.Sequential(*layers), tg.randn(32, 8, 24, 24), tg.optim.RMSprop)


def recurrent() -> Step:
    """Two layers of LSTM in both directions."""
    return training(nn.LSTM(16, 32, 2, bidirectional=True, batch_first=True), tg.randn(16, 20, 16))


def attention() -> Step:
    """A block of a transformer."""
    return training(nn.TransformerEncoderLayer(64, 4, 128, dropout=0.0, batch_first=True), tg.randn(8, 64, 64))


def playback() -> Step:
    """A whole step of training that is recorded, and then played back."""
    net = nn.Sequential(nn.Linear(16, 64), nn.Tanh(), nn.LayerNorm(64), nn.Linear(64, 4))
    inputs = [tg.randn(32, 16) * (k + 1) for k in range(KINDS)]
    start = {name: value.clone() for name, value in net.state_dict().items()}
    optimizer = tg.optim.SGD(net.parameters(), lr=0.1)

    @tg.compile
    def trained(x: tg.Tensor) -> tg.Tensor:
        optimizer.zero_grad()
        loss = (net(x) ** 2).mean()
        loss.backward()
        optimizer.step()
        return loss

    def step(k: int) -> list[np.ndarray]:
        net.load_state_dict(start)
        return numbers(trained(inputs[k]), *net.parameters())

    return step


def loader() -> Step:
    """Batches of two workers, in an order drawn anew from the same seed."""
    data = TensorDataset(tg.randn(64, 16), tg.arange(64))

    def step(k: int) -> list[np.ndarray]:
        order = tg.Generator().manual_seed(k)
        return numbers(*(t for batch in DataLoader(data, 8, True, num_workers=2, generator=order) for t in batch))

    return step


def checkpoint() -> Step:
    """A checkpoint is written and read; after an interrupt there is one of before, or of now, and no half of one."""
    room, saves = tempfile.TemporaryDirectory(), count(1)
    weights = [tg.randn(64, 64) for _ in range(KINDS)]

    def newest() -> tg.Tensor:
        found = load_checkpoint(room.name)
        return found.parts["weight"] if found else weights[0]

    def step(k: int) -> list[np.ndarray]:
        if not any(np.array_equal(newest().numpy(), w.numpy()) for w in weights):
            raise SystemExit("a checkpoint that nobody wrote")
        save_checkpoint(room.name, next(saves), weight=weights[k])
        return numbers(newest())

    return step


WORK: dict[str, Callable[[], Step]] = {
    f.__name__: f for f in (convolutions, sides, recurrent, attention, playback, loader, checkpoint)
}


@contextmanager
def interrupted(moments: random.Random, most: float) -> Iterator[None]:
    """A signal within `most` seconds, unless the work ends before."""
    armed = True

    def raised(*_: object) -> None:
        if armed:
            raise Interrupt

    signal.signal(signal.SIGALRM, raised)
    try:
        signal.setitimer(signal.ITIMER_REAL, moments.uniform(1e-5, most))
        yield
        armed = False
    finally:
        armed = False
        signal.setitimer(signal.ITIMER_REAL, 0)


def usual_seconds(step: Step) -> float:
    """What one step takes."""
    begun = time.perf_counter()
    for k in range(KINDS):
        step(k)
    return (time.perf_counter() - begun) / KINDS


def main() -> None:
    """Interrupt until it was often enough; SystemExit at the first wrong number."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kernels", choices=["numpy", "numba"])
    parser.add_argument("work", choices=WORK)
    parser.add_argument("interrupts", type=int)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    warnings.simplefilter("error")
    warnings.simplefilter("ignore", ResourceWarning)  # a file whose opening was interrupted is closed when forgotten
    tg.set_kernels(options.kernels)
    tg.set_num_threads(2)
    tg.manual_seed(0)
    step = WORK[options.work]()
    for _ in range(3):  # a tape is recorded in three calls
        expected = [step(k) for k in range(KINDS)]
    usual, moments, interrupts, rounds = usual_seconds(step), random.Random(options.seed), 0, 0
    threads = threading.active_count()
    while interrupts < options.interrupts:
        rounds += 1
        try:
            with interrupted(moments, usual):
                step(rounds % KINDS)
        except Interrupt:
            interrupts += 1
        if not tg.is_grad_enabled():
            raise SystemExit(f"recording stays off after interrupt {interrupts}")
        after = (rounds + 1) % KINDS
        if not all(np.array_equal(a, b) for a, b in zip(step(after), expected[after], strict=True)):
            raise SystemExit(f"wrong numbers after interrupt {interrupts}")
    end = time.monotonic() + 10
    while threading.active_count() > threads and time.monotonic() < end:
        time.sleep(0.01)
    if threading.active_count() > threads:
        raise SystemExit(f"threads are left: {[t.name for t in threading.enumerate()]}")
    print(interrupts, "interrupts in", rounds, "steps: the numbers are right")


if __name__ == "__main__":
    sys.exit(main())
