"""What an entry of the catalogue is: a beginner's mistake as a few lines of program, and what has to be said of it."""

import inspect
import re
import textwrap
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Mistake:
    """A mistake, the error or warning that answers it, and the words without which the answer is no help."""

    symptom: str
    title: str
    kind: type[Exception]
    says: tuple[str, ...]
    make: Callable[[], object]

    @property
    def program(self) -> str:
        """The lines that make the mistake, as a reader sees them."""
        lines = inspect.getsource(self.make).splitlines()
        start = next(k for k, line in enumerate(lines) if line.startswith("def "))
        text = textwrap.dedent("\n".join(lines[start + 1 :])).strip()
        return re.sub(r"(\n +\S.*)\n\n(?=\S)", r"\1\n\n\n", text)  # at the top a class is followed by two blank lines


ENTERED: list[Mistake] = []
"""All of them, as their files are imported."""


def mistake(symptom: str, title: str, kind: type[Exception], *says: str) -> Callable[[Callable[[], object]], None]:
    """Enter a function that makes a mistake: the op or layer, shapes, cause and fix that must be named follow."""

    def enter(make: Callable[[], object]) -> None:
        ENTERED.append(Mistake(symptom, title, kind, says, make))

    return enter
