"""How `tinygrad-cnn train` ends, and what it writes then: in every ending as much as there is.

A model that was stopped or has diverged takes no better one's place, but a name beside it.
"""

import argparse
import contextlib
import io
import json
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from tinygrad_cnn.cli.display import fail, print_confusion
from tinygrad_cnn.cli.options import INTERRUPTED
from tinygrad_cnn.cli.outputs import OutputError, cannot, is_stdout, told, write_output, write_to_stdout
from tinygrad_cnn.cli.report import report_page
from tinygrad_cnn.cli.stopping import Stopped, Stops
from tinygrad_cnn.cli.training import Diverged, Training
from tinygrad_cnn.io.errors import ModelFileError
from tinygrad_cnn.io.models import load_model, save_model
from tinygrad_cnn.teach.networks import CLASSES, PREPROCESSING, normalised

DIVERGED = 1
"""The exit status where the loss has become too large, or no number."""


@dataclass
class Ending:
    """What has happened, what is to be said of it, and with which exit status."""

    name: str = "finished"
    status: int = 0
    error: BaseException | None = None
    """What is raised again once everything is written."""
    complaints: list[str] = field(default_factory=list)
    news: list[str] = field(default_factory=list)

    @contextlib.contextmanager
    def noting(self, training: Training) -> Iterator[None]:
        """Whatever ends the work inside is noted, not raised."""
        try:
            yield
        except (Stopped, KeyboardInterrupt) as stop:
            self.name, self.status = "stopped", stop.status if isinstance(stop, Stopped) else INTERRUPTED
            how = str(stop) or "interrupted"
            self.complaints.append(f"{how} after {training.epochs_done} whole epochs, {training.steps_done} steps")
            if isinstance(stop, Stopped):  # between two steps
                training.keep()
        except Diverged as error:
            self.name, self.status = "diverged", DIVERGED
            lr = f"{training.recipe.lr:g}"
            self.complaints.append(f"training has diverged: {error}; give a smaller --lr (it was {lr})")
        except BaseException as error:
            self.name, self.error = "failed", error

    def attempt(self, write: Callable[[], None]) -> None:
        """Write something; what goes wrong does not keep from writing the rest."""
        try:
            write()
        except OutputError as error:
            self.complaints.append(str(error))
            self.status = self.status or 2
        except BrokenPipeError as error:
            self.error = self.error or error


def carry_out(args: argparse.Namespace, training: Training, stops: Stops) -> int:
    """Train, and write what was asked for; the exit status."""
    ending = Ending()
    counts, judged = None, dict[str, float]()
    with stops.hold():
        with ending.noting(training), stops.released(), warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # of numbers that overflow: the loss tells them
            training.run()
        if args.save is not None:
            ending.attempt(lambda: keep_model(args, training, ending))
        if ending.name == "finished":
            with ending.noting(training), stops.released():
                counts, judged = judgement(training)
        facts = record(args, training, ending) | judged | {"confusion": None if counts is None else counts.tolist()}
        if args.json is not None:
            text = json.dumps(facts, indent=2, allow_nan=False) + "\n"
            ending.attempt(lambda: write_output("--json", args.json, text.encode()))
        if args.report is not None and counts is not None:
            ending.attempt(lambda: write_report(args, training, ending, facts))
        return tell(training, ending, counts, judged)


def write_report(args: argparse.Namespace, training: Training, ending: Ending, facts: dict[str, Any]) -> None:
    """Write the page of the run."""
    write_output("--report", args.report, report_page(training.net, training.digits, training.history, facts).encode())
    ending.news.append(f"report written to {told(args.report)}")


def tell(training: Training, ending: Ending, counts: Any, judged: dict[str, float]) -> int:
    """Say what has happened; the exit status. What no terminal takes any more is not said."""
    if ending.error is not None:
        raise ending.error
    if counts is not None:
        print_confusion(counts, sys.stdout)
        train, test = judged["train_accuracy"], judged["test_accuracy"]
        print(f"training accuracy {train:.2%}, test accuracy {test:.2%}, {training.seconds:.1f} s")
    for line in ending.complaints:
        fail(line)
    for line in ending.news:
        print(line, file=sys.stdout if ending.name == "finished" else sys.stderr)
    return ending.status


def judgement(training: Training) -> tuple[Any, dict[str, float]]:
    """How often each digit is taken for which, and the shares of right answers."""
    digits = training.digits
    answers = training.classify(training.test)
    counts = np.zeros((10, 10), np.int64)
    np.add.at(counts, (digits.test_labels, answers), 1)
    right = training.classify(normalised(digits.train_images)) == digits.train_labels
    test = float(np.mean(answers == digits.test_labels))
    return counts, {"test_accuracy": test, "train_accuracy": float(np.mean(right))}


def record(args: argparse.Namespace, training: Training, ending: Ending) -> dict[str, Any]:
    """What the record of a run says in every ending."""
    tested, trained = training.history["test accuracy"], training.history["training accuracy"]
    return {
        **about(args, training),
        "ending": ending.name,
        "steps": training.steps_done,
        "test_accuracy": tested[-1] if tested else None,
        "train_accuracy": trained[-1] if trained else None,
        "seconds": training.seconds,
        "parameters": sum(p.numel() for p in training.net.parameters()),
        "training_images": len(training.digits.train_labels),
        "history": training.history,
        **{name: getattr(training.recipe, name) for name in ("batch_size", "optimizer", "lr")},
    }


def about(args: argparse.Namespace, training: Training) -> dict[str, Any]:
    """Which network it is, and how it came to be."""
    return {"model": args.model, "seed": args.seed, "epochs": training.epochs_done}


# ---- the model -------------------------------------------------------------------------------------------------------


def keep_model(args: argparse.Namespace, training: Training, ending: Ending) -> None:
    """Write the model, where it does no harm; OutputError if that fails."""
    if not training.steps_done:
        ending.news.append("no step was trained: no model was saved")
        return
    if not all(np.isfinite(p.numpy()).all() for p in training.net.state_dict().values()):
        ending.news.append("its weights are not finite: no model was saved")
        return
    tested = training.history["test accuracy"]
    facts = {**about(args, training), "classes": CLASSES, "preprocessing": PREPROCESSING}
    facts |= {"test_accuracy": tested[-1]} if tested else {}
    target = Path(args.save)
    if is_stdout(target):
        content = io.BytesIO()
        save_model(content, training.net, **facts)
        write_to_stdout(content.getvalue())
    else:
        if ending.name != "finished" and holds_better(target, tested):
            target = beside(target, ending.name)
            ending.news.append(f"{told(args.save)} may hold a better model and stays as it is")
        try:
            save_model(target, training.net, **facts)
        except OSError as error:
            raise OutputError(cannot("--save", target, error)) from None
    what = "" if ending.name == "finished" else "what was trained "
    ending.news.append(f"saved {what}to {told(target)}")


def holds_better(target: Path, tested: list[float]) -> bool:
    """Whether a file is there that is not surely a worse model than one of these accuracies, epoch by epoch."""
    if not target.exists():
        return False
    try:
        facts = load_model(target).facts
    except (ModelFileError, OSError, MemoryError):
        return True
    accuracy = facts.get("test_accuracy")
    return not (tested and isinstance(accuracy, float) and accuracy < tested[-1])


def beside(target: Path, ending: str) -> Path:
    """A name beside it that no file has: model.stopped.tg, model.stopped-2.tg, …"""
    names = (f"{target.stem}.{ending}{'' if k == 1 else f'-{k}'}{target.suffix}" for k in count(1))
    return next(path for path in map(target.with_name, names) if not path.exists())
