"""Which files Python walks through when a gradient is computed, and how often it moves from one to another.

Two walks are followed: that of a cotangent, ``loss.backward()`` behind a convolution, a rectifier, a pooling, a linear
map and cross-entropy, and that of a training step of LeNet. ``python -m scripts.walk`` prints both; ``--write`` puts
the figures and the route of the cotangent into docs/architecture.md, and ``--check`` fails if they are out of date.
"""

import argparse
import os
import sys
from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path
from types import FrameType
from typing import Any

import tinygrad_cnn as tg
from tinygrad_cnn import optim
from tinygrad_cnn.nn import functional as F
from tinygrad_cnn.teach.networks import lenet

PACKAGE = Path(tg.__file__).parent
PAGE = Path(__file__).parent.parent / "docs" / "architecture.md"
START, END = "<!-- walk: made by scripts/walk.py -->", "<!-- /walk -->"
COMPREHENSIONS = {"<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>"}
"""Parts of the function around them. Some versions of Python report them as calls and others do not."""
ENGINE = "core/engine.py"


class Walk:
    """The files of all calls into the package while a function ran, in their order.

    A call is what `sys.setprofile` reports as one, but for comprehensions: a generator that goes on counts, and what is
    written in C does not.
    """

    def __init__(self, function: Callable[[], Any]) -> None:
        self.path: list[str] = []
        before = sys.getprofile()
        sys.setprofile(self._note)
        try:
            function()
        finally:
            sys.setprofile(before)

    def _note(self, frame: FrameType, event: str, argument: Any) -> None:
        code = frame.f_code
        inside = code.co_filename.startswith(f"{PACKAGE}{os.sep}")
        if event == "call" and inside and code.co_name not in COMPREHENSIONS:
            self.path.append(Path(code.co_filename).relative_to(PACKAGE).as_posix())

    @property
    def calls(self) -> int:
        """How many calls there were."""
        return len(self.path)

    @property
    def files(self) -> int:
        """How many files they were into."""
        return len(set(self.path))

    @property
    def moves(self) -> int:
        """How many calls were into another file than the call before."""
        return max(0, len(self.route) - 1)

    @property
    def route(self) -> list[str]:
        """The files, each once for every time that it is entered."""
        return [file for file, _ in groupby(self.path)]


def cotangent() -> Walk:
    """A cotangent on its way from a loss to the parameters, the second time: what is found out once is known."""
    tg.manual_seed(0)
    x, labels = tg.randn(4, 1, 12, 12), tg.tensor([1, 2, 3, 4])
    w, b = tg.randn(3, 1, 3, 3, requires_grad=True), tg.zeros(3, requires_grad=True)
    v, c = tg.randn(10, 75, requires_grad=True), tg.zeros(10, requires_grad=True)

    def loss() -> tg.Tensor:
        y = F.max_pool2d(F.relu(F.conv2d(x, w, b)), 2)
        return F.cross_entropy(F.linear(y.flatten(1), v, c), labels)

    loss().backward()
    for leaf in (w, b, v, c):
        leaf.grad = None
    return Walk(loss().backward)


def training_step() -> Walk:
    """A step of LeNet by stochastic gradient descent: forward, backward, and the step of the optimiser; the second."""
    tg.manual_seed(0)
    x, labels, net = tg.randn(4, 1, 28, 28), tg.tensor([1, 2, 3, 4]), lenet()
    optimizer = optim.SGD(net.parameters(), lr=0.01, momentum=0.9)

    def step() -> None:
        F.cross_entropy(net(x), labels).backward()
        optimizer.step()

    step()
    optimizer.zero_grad()
    return Walk(step)


def legs(walk: Walk) -> Iterator[str]:
    """The route of a cotangent as lines, a new one for each return to the engine."""
    leg: list[str] = []
    for file in walk.route:
        if file == ENGINE and leg:
            yield " > ".join(leg)
            leg = []
        leg.append(file)
    yield " > ".join(leg)


def section(carried: Walk, trained: Walk) -> str:
    """What stands in docs/architecture.md."""
    rows = ["| | calls | files | moves |", "|---|--:|--:|--:|"]
    for name, walk in (("a cotangent, `loss.backward()`", carried), ("a training step of LeNet", trained)):
        rows.append(f"| {name} | {walk.calls} | {walk.files} | {walk.moves} |")
    return "\n".join([*rows, "", "```text", *legs(carried), "```"])


def main(arguments: list[str] | None = None) -> int:
    """Print, renew or compare the section."""
    parser = argparse.ArgumentParser(prog="python -m scripts.walk", description=__doc__)
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--write", action="store_true", help="put the figures into docs/architecture.md")
    what.add_argument("--check", action="store_true", help="fail if docs/architecture.md is out of date")
    options = parser.parse_args(arguments)
    tg.set_kernels("numpy")
    tg.set_num_threads(1)

    found = section(cotangent(), training_step())
    if not (options.write or options.check):
        print(found)
        return 0
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(START)
    _, _, after = rest.partition(END)
    new = f"{before}{START}\n{found}\n{END}{after}"
    if options.write:
        PAGE.write_text(new, encoding="utf-8")
    elif new != text:
        print("docs/architecture.md: the walks are out of date; run python -m scripts.walk --write")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
