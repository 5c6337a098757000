"""A run of `tinygrad-cnn train`: the network, its data, how far it is, and how it goes on from a checkpoint."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tinygrad_cnn import nn, optim, random
from tinygrad_cnn.autograd import no_grad
from tinygrad_cnn.cli.display import Display
from tinygrad_cnn.cli.stopping import Stops
from tinygrad_cnn.core.types import NDArray
from tinygrad_cnn.datasets import Digits
from tinygrad_cnn.io.checkpoints import Checkpoint, save_checkpoint
from tinygrad_cnn.teach.networks import normalised
from tinygrad_cnn.tensor import Tensor
from tinygrad_cnn.utils.data.dataloader import DataLoader
from tinygrad_cnn.utils.data.dataset import TensorDataset

FAR = 10.0
"""So many times the loss of the first step: what ends above it has not learned, but diverged."""


@dataclass(frozen=True)
class Recipe:
    """How a model is trained unless the user says otherwise."""

    epochs: int
    batch_size: int
    optimizer: str
    lr: float
    shift: int
    """Training images are moved by up to this many pixels, anew in every batch."""
    anneal: bool
    """Whether the learning rate follows half a cosine to 0."""


class Diverged(Exception):
    """The loss is no number any more, or far above that of the first step."""


@dataclass
class Keeper:
    """Where checkpoints go, and how often; what is told if one cannot be written."""

    folder: Path
    every: int | None
    """Steps from one to the next; None for one after each epoch."""
    run: dict[str, Any]
    """What the run is: another one does not go on from its checkpoints."""
    warn: Callable[[str], object]
    failed: bool = False


class Training:
    """One run: the network, its data, and where it has got to."""

    def __init__(
        self,
        net: nn.Sequential,
        recipe: Recipe,
        digits: Digits,
        display: Display,
        stops: Stops,
        keeper: Keeper | None = None,
    ) -> None:
        self.net, self.recipe, self.digits, self.display = net, recipe, digits, display
        self.stops, self.keeper = stops, keeper
        images = Tensor(normalised(digits.train_images))
        dataset = TensorDataset(images, Tensor(digits.train_labels))
        self.loader: DataLoader[list[Tensor]] = DataLoader(dataset, batch_size=recipe.batch_size, shuffle=True)
        kinds: dict[str, Any] = {"sgd": optim.SGD, "adam": optim.Adam, "adamw": optim.AdamW}
        self.optimizer: optim.Optimizer = kinds[recipe.optimizer](net.parameters(), lr=recipe.lr)
        steps = recipe.epochs * len(self.loader)
        self.schedule = optim.lr_scheduler.CosineAnnealingLR(self.optimizer, steps) if recipe.anneal else None
        self.test = normalised(digits.test_images)
        self.loss = nn.CrossEntropyLoss()
        self.epochs_done, self.steps_done = 0, 0
        self.history: dict[str, list[float]] = {"loss": [], "training accuracy": [], "test accuracy": []}
        self.first_loss: float | None = None
        self.tally = {"seen": 0, "right": 0, "loss": 0.0, "over": False}
        """Of the epoch that is going on; `over` when all its images have been seen, and the test is due."""
        self.before, self.since = 0.0, time.perf_counter()

    @property
    def seconds(self) -> float:
        """How long it has been trained, the processes before this one included."""
        return self.before + time.perf_counter() - self.since

    def run(self) -> None:
        """All epochs; the test images are judged after each. Diverged at the end if the loss is far too large."""
        self.display.start(self.recipe.epochs, len(self.digits.train_labels), self.epochs_done)
        try:
            while self.epochs_done < self.recipe.epochs:
                self.epoch()
        finally:
            self.display.stop()
        last = self.history["loss"][-1]
        if self.first_loss is not None and last > FAR * self.first_loss:
            raise Diverged(f"the loss was {self.first_loss:.3g} at first and {last:.3g} in the last epoch")

    def epoch(self) -> None:
        """One pass over the images, or what is left of it, and its test."""
        self.net.train()
        for images, labels in () if self.tally["over"] else self.loader:
            self.step(images, labels)
            self.stops.check()
        self.tally["over"] = True
        answers = self.classify(self.test)
        seen = self.tally["seen"]
        values = (
            self.tally["loss"] / seen,
            self.tally["right"] / seen,
            float((answers == self.digits.test_labels).mean()),
        )
        with self.stops.hold():
            for told, value in zip(self.history.values(), values, strict=True):
                told.append(value)
            self.epochs_done += 1
            self.tally = {"seen": 0, "right": 0, "loss": 0.0, "over": False}
            self.keep()
        self.display.epoch(self.epochs_done, *values)
        self.stops.check()

    def step(self, images: Tensor, labels: Tensor) -> None:
        """One batch. The weights change in one piece: nothing interrupts the end of the step."""
        tally = self.tally
        self.optimizer.zero_grad()
        logits = self.net(shifted(images, self.recipe.shift))
        loss = self.loss(logits, labels)
        value = loss.item()
        if not math.isfinite(value):
            raise Diverged(f"the loss is {value} in step {self.steps_done + 1}, epoch {self.epochs_done + 1}")
        if self.first_loss is None:
            self.first_loss = value
        loss.backward()
        right = int((logits.argmax(1) == labels).sum().item())
        with self.stops.hold():
            self.optimizer.step()
            if self.schedule is not None:
                self.schedule.step()
            tally["seen"] += len(labels)
            tally["right"] += right
            tally["loss"] += value * len(labels)
            self.steps_done += 1
            if self.keeper is not None and self.keeper.every and self.steps_done % self.keeper.every == 0:
                self.keep()
        self.display.batch(int(tally["seen"]), tally["loss"] / tally["seen"], tally["right"] / tally["seen"])

    @no_grad()
    def classify(self, images: NDArray) -> NDArray:
        """The most probable digit of each image."""
        self.net.eval()
        parts = []
        for k in range(0, len(images), 500):
            self.stops.check()
            parts.append(self.net(Tensor(images[k : k + 500])).argmax(1).numpy())
        return np.concatenate(parts)

    # ---- checkpoints -------------------------------------------------------------------------------------

    @property
    def parts(self) -> dict[str, Any]:
        """What has a state."""
        found = {"model": self.net, "optimizer": self.optimizer, "schedule": self.schedule, "loader": self.loader}
        return {name: part for name, part in found.items() if part is not None}

    def keep(self) -> None:
        """Make a checkpoint, if that was asked for; a full disk is told, and training goes on."""
        if self.keeper is None:
            return
        told: dict[str, Any] = {
            "epoch": self.epochs_done,
            "history": self.history,
            "first_loss": self.first_loss,
            "tally": self.tally,
            "seconds": self.seconds,
            "run": self.keeper.run,
        }
        try:
            save_checkpoint(self.keeper.folder, self.steps_done, **self.parts, **told)
            self.keeper.failed = False
        except OSError as error:
            if not self.keeper.failed:
                self.keeper.warn(f"no checkpoint was written ({error.strerror or error})")
            self.keeper.failed = True

    def go_on_from(self, checkpoint: Checkpoint) -> None:
        """Be where the checkpoint was made."""
        checkpoint.restore(**self.parts)
        told = checkpoint.parts
        self.steps_done, self.epochs_done, self.history = checkpoint.step, told["epoch"], told["history"]
        self.first_loss, self.tally, self.before = told["first_loss"], told["tally"], told["seconds"]
        self.since = time.perf_counter()


def shifted(images: Tensor, most: int) -> Tensor:
    """The batch moved by up to so many pixels in each direction; what comes in is background."""
    if not most:
        return images
    down, right = random.default_generator.numpy.integers(0, 2 * most + 1, 2)
    values = images.numpy()
    border = ((0, 0), (0, 0), (most, most), (most, most))
    wide = np.pad(values, border, constant_values=values.min())
    return Tensor(wide[:, :, down : down + values.shape[2], right : right + values.shape[3]])
