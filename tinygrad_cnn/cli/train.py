"""`tinygrad-cnn train`: a network learns MNIST."""

import argparse
import io
import json
import sys
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_cnn import nn, optim, random
from tinygrad_cnn.autograd import no_grad
from tinygrad_cnn.cli.display import Display, display_for, fail, print_confusion
from tinygrad_cnn.cli.options import INTERRUPTED, SEEDS, number, whole
from tinygrad_cnn.cli.outputs import (
    OutputError,
    cannot,
    check_outputs,
    is_stdout,
    told,
    told_beside,
    write_output,
    write_to_stdout,
)
from tinygrad_cnn.cli.report import report_page
from tinygrad_cnn.core.types import NDArray
from tinygrad_cnn.datasets import DatasetError, Digits, load_full, load_sample
from tinygrad_cnn.io.models import save_model
from tinygrad_cnn.kernels.chosen import set_kernels
from tinygrad_cnn.kernels.threads import set_num_threads
from tinygrad_cnn.teach.networks import CLASSES, MODELS, PREPROCESSING, normalised
from tinygrad_cnn.tensor import Tensor
from tinygrad_cnn.utils.data.dataloader import DataLoader
from tinygrad_cnn.utils.data.dataset import TensorDataset


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


RECIPES = {
    "lenet": Recipe(epochs=8, batch_size=32, optimizer="adamw", lr=4e-3, shift=2, anneal=True),
    "article": Recipe(epochs=4, batch_size=8, optimizer="sgd", lr=0.02, shift=0, anneal=True),
}
FULL_LENET = Recipe(epochs=8, batch_size=64, optimizer="adamw", lr=3e-3, shift=2, anneal=True)

MOST_THREADS = 1024


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument("--model", choices=sorted(MODELS), default="lenet", help="the network (default: lenet)")
    parser.add_argument("--full", action="store_true", help="train on all 60,000 images, downloaded once")
    parser.add_argument("--data", metavar="DIR", help="read the four MNIST files from this folder (implies --full)")
    parser.add_argument("--epochs", type=whole(1, 1_000_000), help="passes over the images")
    parser.add_argument("--batch-size", type=whole(1, 1_000_000), help="images a step")
    parser.add_argument("--lr", type=number(1e-12, 1e6), help="learning rate")
    parser.add_argument("--optimizer", choices=["sgd", "adam", "adamw"], help="sgd is the plain one")
    parser.add_argument("--seed", type=whole(0, SEEDS), default=0, help="the same gives the same weights (default: 0)")
    parser.add_argument("--save", metavar="FILE", help="write the trained model here; - for standard output")
    parser.add_argument("--threads", type=whole(1, MOST_THREADS), help="threads of the linear algebra")
    parser.add_argument(
        "--kernels",
        choices=["numpy", "numba", "definition"],
        help="numba: compiled loops, of the extra fast; definition: formulas to read, slow",
    )
    parser.add_argument("--json", metavar="FILE", help="write a record of the run here; - for standard output")
    parser.add_argument("--report", metavar="FILE", help="write a page with curves, filters, maps and mistakes here")


def run(args: argparse.Namespace) -> int:
    """Train, report, save; the exit status."""
    outputs = {f"--{name}": getattr(args, name) for name in ("save", "json", "report")}
    check_outputs(outputs, {}, "nothing was trained")
    with told_beside(*outputs.values()):
        return _run(args)


def _run(args: argparse.Namespace) -> int:
    full = args.full or args.data is not None
    try:
        digits = load_full(args.data, progress=_download_progress) if full else load_sample()
    except DatasetError as error:
        return fail(str(error))
    if args.threads is not None:
        set_num_threads(args.threads)
    if args.kernels is not None:
        try:
            set_kernels(args.kernels)
        except ImportError as error:
            return fail(str(error))
    recipe = _recipe(args, full)
    random.manual_seed(args.seed)
    net = MODELS[args.model]()
    print(
        f"{args.model}: {sum(p.numel() for p in net.parameters()):,} parameters, {recipe.epochs} epochs, "
        f"seed {args.seed}\n"
        f"{len(digits.train_labels):,} training and {len(digits.test_labels):,} test images",
        flush=True,
    )
    start = time.perf_counter()
    training = Training(net, recipe, digits, display_for(sys.stdout))
    try:
        training.run()
    except KeyboardInterrupt:
        return _interrupted(args, net, training)
    return _report(args, net, training, time.perf_counter() - start)


def _recipe(args: argparse.Namespace, full: bool) -> Recipe:
    base = FULL_LENET if full and args.model == "lenet" else RECIPES[args.model]
    optimizer = args.optimizer or base.optimizer
    usual = {"sgd": 0.02, "adam": 3e-3, "adamw": 3e-3}
    return Recipe(
        epochs=args.epochs or base.epochs,
        batch_size=args.batch_size or base.batch_size,
        optimizer=optimizer,
        lr=args.lr or (base.lr if optimizer == base.optimizer else usual[optimizer]),
        shift=base.shift,
        anneal=base.anneal,
    )


def _download_progress(name: str, received: int, total: int) -> None:
    if sys.stderr.isatty():
        share = f"{received / total:.0%}" if total else f"{received / 1e6:.1f} MB"
        print(
            f"\rdownloading {name}: {share}",
            end="\n" if received == total else "",
            file=sys.stderr,
            flush=True,
        )


class Training:
    """One run: the network, its data, and where it has got to."""

    def __init__(self, net: nn.Sequential, recipe: Recipe, digits: Digits, display: Display) -> None:
        self.net, self.recipe, self.digits, self.display = net, recipe, digits, display
        images = Tensor(normalised(digits.train_images))
        dataset = TensorDataset(images, Tensor(digits.train_labels))
        self.loader = DataLoader(dataset, batch_size=recipe.batch_size, shuffle=True)
        kinds: dict[str, Any] = {"sgd": optim.SGD, "adam": optim.Adam, "adamw": optim.AdamW}
        self.optimizer: optim.Optimizer = kinds[recipe.optimizer](net.parameters(), lr=recipe.lr)
        steps = recipe.epochs * len(self.loader)
        self.schedule = optim.lr_scheduler.CosineAnnealingLR(self.optimizer, steps) if recipe.anneal else None
        self.test = normalised(digits.test_images)
        self.loss = nn.CrossEntropyLoss()
        self.epochs_done = 0
        self.history: dict[str, list[float]] = {"loss": [], "training accuracy": [], "test accuracy": []}
        self.train_accuracy = 0.0

    def run(self) -> None:
        """All epochs; the test images are judged after each."""
        self.display.start(self.recipe.epochs, len(self.digits.train_labels))
        try:
            for number in range(1, self.recipe.epochs + 1):
                loss = self.epoch()
                self.epochs_done = number
                answers = classify(self.net, self.test)
                test = float(np.mean(answers == self.digits.test_labels))
                for told, value in zip(self.history.values(), (loss, self.train_accuracy, test), strict=True):
                    told.append(value)
                self.display.epoch(number, loss, self.train_accuracy, test)
        finally:
            self.display.stop()

    def epoch(self) -> float:
        """One pass over the images; the mean loss."""
        seen, right, total = 0, 0, 0.0
        self.net.train()
        for images, labels in self.loader:
            self.optimizer.zero_grad()
            logits = self.net(shifted(images, self.recipe.shift))
            loss = self.loss(logits, labels)
            loss.backward()
            self.optimizer.step()
            if self.schedule is not None:
                self.schedule.step()
            seen += len(labels)
            right += int((logits.argmax(1) == labels).sum().item())
            total += loss.item() * len(labels)
            self.train_accuracy = right / seen
            self.display.batch(seen, total / seen, self.train_accuracy)
        return total / seen


def shifted(images: Tensor, most: int) -> Tensor:
    """The batch moved by up to so many pixels in each direction; what comes in is background."""
    if not most:
        return images
    down, right = random.default_generator.numpy.integers(0, 2 * most + 1, 2)
    values = images.numpy()
    border = ((0, 0), (0, 0), (most, most), (most, most))
    wide = np.pad(values, border, constant_values=values.min())
    return Tensor(wide[:, :, down : down + values.shape[2], right : right + values.shape[3]])


@no_grad()
def classify(net: nn.Sequential, images: NDArray) -> NDArray:
    """The most probable digit of each image."""
    net.eval()
    parts = [net(Tensor(images[k : k + 500])).argmax(1).numpy() for k in range(0, len(images), 500)]
    return np.concatenate(parts)


def _interrupted(args: argparse.Namespace, net: nn.Sequential, training: Training) -> int:
    print(f"interrupted after {training.epochs_done} whole epochs", file=sys.stderr)
    if args.save is not None:
        _save(args, net, training)
        print(f"saved what was trained to {told(args.save)}", file=sys.stderr)
    return INTERRUPTED


def _save(args: argparse.Namespace, net: nn.Sequential, training: Training) -> None:
    """Write the model where it was asked for; OutputError if that fails."""
    if is_stdout(args.save):
        content = io.BytesIO()
        save_model(content, net, **_facts(args, training))
        write_to_stdout(content.getvalue())
        return
    try:
        save_model(args.save, net, **_facts(args, training))
    except OSError as error:
        raise OutputError(cannot("--save", args.save, error)) from None


def _about(args: argparse.Namespace, training: Training) -> dict[str, Any]:
    return {"model": args.model, "seed": args.seed, "epochs": training.epochs_done}


def _facts(args: argparse.Namespace, training: Training) -> dict[str, Any]:
    """What a model file says beside the numbers."""
    return {**_about(args, training), "classes": CLASSES, "preprocessing": PREPROCESSING}


def _report(args: argparse.Namespace, net: nn.Sequential, training: Training, seconds: float) -> int:
    digits = training.digits
    answers = classify(net, training.test)
    test_accuracy = float(np.mean(answers == digits.test_labels))
    whole = classify(net, normalised(digits.train_images))
    train_accuracy = float(np.mean(whole == digits.train_labels))
    counts = np.zeros((10, 10), np.int64)
    np.add.at(counts, (digits.test_labels, answers), 1)
    print_confusion(counts, sys.stdout)
    print(f"training accuracy {train_accuracy:.2%}, test accuracy {test_accuracy:.2%}, {seconds:.1f} s")
    record = {
        **_about(args, training),
        "test_accuracy": test_accuracy,
        "train_accuracy": train_accuracy,
        "seconds": seconds,
        "parameters": sum(p.numel() for p in net.parameters()),
        "training_images": len(digits.train_labels),
        "confusion": counts.tolist(),
        **{name: getattr(training.recipe, name) for name in ("batch_size", "optimizer", "lr")},
    }
    if args.save is not None:
        _save(args, net, training)
        print(f"saved to {told(args.save)}")
    if args.json is not None:
        write_output("--json", args.json, (json.dumps(record, indent=2) + "\n").encode())
    if args.report is not None:
        write_output("--report", args.report, report_page(net, digits, training.history, record).encode())
        print(f"report written to {told(args.report)}")
    return 0
