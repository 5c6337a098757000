"""What the user sees while training and after: by rich if it is there and the output is a terminal, else lines."""

import importlib.util
import sys
import time
from typing import Any, Protocol, TextIO

from tinygrad_cnn.cli.options import clipped
from tinygrad_cnn.core.types import NDArray

RICH = importlib.util.find_spec("rich") is not None
"""Whether rich is installed; it is imported when something is shown with it."""


class Display(Protocol):
    """Told how training goes."""

    def start(self, epochs: int, images: int, done: int = 0) -> None:
        """Training begins, or goes on: so many epochs of so many images, of which some are done."""

    def batch(self, images: int, loss: float, accuracy: float) -> None:
        """So many images of the epoch are done, at this running loss and accuracy."""

    def epoch(self, number: int, loss: float, train: float, test: float) -> None:
        """An epoch is done."""

    def stop(self) -> None:
        """Training has ended, in whatever way."""


class Plain:
    """A line an epoch."""

    def __init__(self, out: TextIO) -> None:
        self.out = out

    def start(self, epochs: int, images: int, done: int = 0) -> None:
        """Remember the time."""
        self.epochs, self.images, self.since = epochs, images, time.perf_counter()

    def batch(self, images: int, loss: float, accuracy: float) -> None:
        """Say nothing between epochs."""

    def epoch(self, number: int, loss: float, train: float, test: float) -> None:
        """One line."""
        now = time.perf_counter()
        speed = self.images / (now - self.since)
        self.since = now
        self.line(
            f"epoch {number}/{self.epochs}  loss {loss:.4f}  right: train {train:.2%}, test {test:.2%}  "
            f"{speed:,.0f} images/s"
        )

    def line(self, text: str) -> None:
        """Write a line."""
        print(text, file=self.out, flush=True)

    def stop(self) -> None:
        """Nothing to take down."""


class Rich(Plain):
    """A bar that moves with the batches, and a line an epoch above it."""

    def start(self, epochs: int, images: int, done: int = 0) -> None:
        """Show the bar."""
        import rich.console
        import rich.progress

        super().start(epochs, images, done)
        columns = (
            rich.progress.TextColumn("{task.description}"),
            rich.progress.BarColumn(),
            rich.progress.TextColumn(
                "loss {task.fields[loss]:.4f}  accuracy {task.fields[accuracy]:.2%}  {task.fields[speed]:,.0f} images/s"
            ),
            rich.progress.TimeRemainingColumn(),
        )
        self.bar = rich.progress.Progress(*columns, console=rich.console.Console(file=self.out), transient=True)
        fields: dict[str, Any] = {"loss": 0.0, "accuracy": 0.0, "speed": 0.0}
        self.done = done * images
        self.task = self.bar.add_task(
            f"epoch {min(done + 1, epochs)}", total=epochs * images, completed=self.done, **fields
        )
        self.bar.start()

    def batch(self, images: int, loss: float, accuracy: float) -> None:
        """Move the bar."""
        speed = images / max(time.perf_counter() - self.since, 1e-9)
        self.bar.update(self.task, completed=self.done + images, loss=loss, accuracy=accuracy, speed=speed)

    def epoch(self, number: int, loss: float, train: float, test: float) -> None:
        """A line above the bar."""
        self.done = number * self.images
        self.bar.update(self.task, completed=self.done, description=f"epoch {min(number + 1, self.epochs)}")
        super().epoch(number, loss, train, test)

    def line(self, text: str) -> None:
        """Write a line above the bar."""
        self.bar.console.print(text, highlight=False, soft_wrap=True)

    def stop(self) -> None:
        """Take the bar away."""
        self.bar.stop()


def display_for(out: TextIO) -> Display:
    """Rich on a terminal, if it is installed; else plain."""
    return Rich(out) if RICH and out.isatty() else Plain(out)


def print_confusion(counts: NDArray, out: TextIO) -> None:
    """The confusion table (true digit by row, answer by column) and the pairs most confused."""
    if RICH and out.isatty():
        import rich.console
        import rich.table

        table = rich.table.Table(title="answers (columns) for each true digit (rows)")
        table.add_column("", justify="right", style="bold")
        for digit in range(10):
            table.add_column(str(digit), justify="right")
        for digit, row in enumerate(counts):
            cells = [f"[green]{n}[/]" if k == digit else (f"[red]{n}[/]" if n else "·") for k, n in enumerate(row)]
            table.add_row(str(digit), *cells)
        rich.console.Console(file=out).print(table)
    else:
        print("answers (columns) for each true digit (rows)", file=out)
        print("      " + "".join(f"{digit:6}" for digit in range(10)), file=out)
        for digit, row in enumerate(counts):
            print(f"{digit:6}" + "".join(f"{n:6}" for n in row), file=out)
    wrong = [(int(counts[i, k]), i, k) for i in range(10) for k in range(10) if i != k and counts[i, k]]
    most = sorted(wrong, key=lambda item: (-item[0], item[1:]))[:3]
    said = ", ".join(f"{i} taken for {k} ({n})" for n, i, k in most)
    print(f"most confused: {said or 'none'}", file=out)


def fail(message: str) -> int:
    """Say in one line what is wrong; the exit status for it."""
    print(f"tinygrad-cnn: {clipped(message)}", file=sys.stderr)
    return 2
