"""What an exercise is: one Python file with the text, the code that is given, the solution and common wrong answers.

Parts are marked as nbgrader marks them. What stands between ``### BEGIN SOLUTION`` and ``### END SOLUTION`` is a gap in
the learner's file, and what stands between ``### BEGIN HIDDEN TESTS`` and ``### END HIDDEN TESTS`` is not in it.
"""

import ast
import functools
import linecache
import os
import re
import types
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tinygrad_cnn.utils.near import near

__all__ = ["Exercise", "ExerciseError", "Wrong", "exercises", "load", "name_in"]

FOLDER = Path(__file__).parent / "exercises"
SOLUTION, HIDDEN = "SOLUTION", "HIDDEN TESTS"
GAP = "...  # write this"
NAMED = re.compile(r"^# exercise: (.+)$", re.M)
"""The line of a learner's file that says which exercise it is."""
CHAPTERS = (
    "Scalars and the chain rule",
    "Elementwise functions",
    "Broadcasting and sums",
    "Matrix products",
    "Softmax and losses",
    "Normalisation",
    "Convolution and pooling",
    "Indexing",
    "Sequences and attention",
    "Graphs and training",
)
"""The order in which they are listed; chapters of a teacher's own come behind."""

ALL_HINTS = 4


class ExerciseError(ValueError):
    """There is no such exercise, or its file is not what it should be; one sentence."""


class Wrong(NamedTuple):
    """A common wrong answer: the solution with one text in place of another, and what must be said of it."""

    right: str
    wrong: str
    kind: str
    says: str
    """What is said of it, or a part of that; of an exercise that is judged by values, the sentence."""


@dataclass(frozen=True, eq=False)
class Exercise:
    """One exercise, read from its file.

    Examples
    --------
    >>> from tinygrad_cnn import learn
    >>> exercise = learn.exercises()[0]
    >>> isinstance(exercise, learn.Exercise), exercise.most_hints
    (True, 4)
    """

    name: str
    path: Path
    source: str
    hidden: dict[str, Any]
    """What the hidden part defines."""

    @property
    def text(self) -> str:
        """What the learner is asked to do."""
        return ast.get_docstring(ast.parse(self.source)) or ""

    @property
    def title(self) -> str:
        """The first line of the text."""
        return self.text.partition("\n")[0]

    @property
    def chapter(self) -> str:
        """Where it is listed."""
        return str(self.hidden.get("CHAPTER", "Other"))

    @property
    def formula(self) -> str:
        """The last hint."""
        return str(self.hidden["FORMULA"])

    @property
    def most_hints(self) -> int:
        """So far up the ladder of hints its teacher lets learners go."""
        return int(self.hidden.get("HINTS", ALL_HINTS))

    @property
    def wrongs(self) -> tuple[Wrong, ...]:
        """The common wrong answers."""
        return tuple(Wrong(*row) for row in self.hidden.get("WRONG", ()))

    @property
    def judged_by_values(self) -> bool:
        """Whether what a function returns is compared with the solution's, in place of a gradient."""
        return "values" in self.hidden

    def inputs(self, seed: int) -> list[Any]:
        """The inputs at which it is checked."""
        return list(self.hidden["inputs"](np.random.default_rng(seed)))

    def start(self, most_hints: int | None = None) -> str:
        """The learner's file: the solution is a gap, and what is hidden is left out."""
        allowed = "" if most_hints is None else f"\n# hints: {most_hints}"
        code = _tidy(without(without(self.source, HIDDEN), SOLUTION, GAP))
        return f"# exercise: {self.name}{allowed}\n{code}"

    def filled(self, solution: str | None = None) -> str:
        """The learner's file as it is when it is done, with the solution or another answer."""
        code = _tidy(_without_marks(without(self.source if solution is None else solution, HIDDEN)))
        return f"# exercise: {self.name}\n{code}"

    def wrong_source(self, wrong: Wrong) -> str:
        """The file with a wrong answer in place of the solution."""
        count = self.source.split(f"### BEGIN {HIDDEN}")[0].count(wrong.right)
        if count != 1:
            raise ExerciseError(
                f"learn: {self.path.name}: a wrong answer replaces {wrong.right!r}, which stands there {count} times; "
                "expected once"
            )
        return self.source.replace(wrong.right, wrong.wrong, 1)


def exercises() -> list[Exercise]:
    """The exercises of this package, in the order of the chapters.

    Examples
    --------
    >>> from tinygrad_cnn import learn
    >>> [exercise.name for exercise in learn.exercises()][:2]
    ['chain_rule', 'product_rule']
    """
    found = [load(path.stem) for path in FOLDER.glob("*.py")]
    return sorted(found, key=lambda e: (CHAPTERS.index(e.chapter), int(e.hidden.get("ORDER", 0)), e.name))


def load(name: str) -> Exercise:
    """The exercise of this name, or that of a file, if the name ends in ``.py``.

    Examples
    --------
    >>> from tinygrad_cnn import learn
    >>> learn.load("tanh").title
    'The derivative of tanh'
    """
    path = Path(name) if name.endswith(".py") else FOLDER / f"{name}.py"
    if not name.endswith(".py") and not (name.isidentifier() and os.path.isfile(path)):
        hint = near(name, (p.stem for p in FOLDER.glob("*.py"))) or "`tinygrad-cnn learn` lists them"
        raise ExerciseError(f"learn: there is no exercise {name!r}; {hint}")
    try:
        return _read(path.absolute())
    except OSError as error:
        raise ExerciseError(f"learn: {cannot_read(path, error)}") from None


def cannot_read(path: Path, error: OSError | UnicodeDecodeError) -> str:
    """What is said of a file that cannot be read, with the name of one that is there and has nearly its name."""
    meant = near(path.name, (p.name for p in path.parent.glob("*.py"))) if isinstance(error, FileNotFoundError) else ""
    return f"{path}: cannot be read ({getattr(error, 'strerror', None) or error}){meant and f'; {meant}'}"


def name_in(source: str) -> str | None:
    """The exercise that a learner's file says it is."""
    found = NAMED.search(source)
    return found[1].strip() if found else None


def hints_in(source: str) -> int | None:
    """So many hints at most, as a learner's file says."""
    found = re.search(r"^# hints: ([1-4])$", source, re.M)
    return int(found[1]) if found else None


def namespace(source: str, path: str) -> types.SimpleNamespace:
    """What a source defines; diagnoses and tracebacks quote its lines."""
    linecache.cache[path] = (len(source), None, source.splitlines(keepends=True), path)
    names: dict[str, Any] = {"__name__": Path(path).stem}
    exec(compile(source, path, "exec", dont_inherit=True), names)
    return types.SimpleNamespace(**{name: value for name, value in names.items() if name != "__builtins__"})


@functools.lru_cache(maxsize=256)
def _read(path: Path) -> Exercise:
    source = path.read_text(encoding="utf-8")
    try:
        hidden = vars(namespace(source, str(path)))
    except Exception as error:
        raise ExerciseError(f"learn: {path}: raises {type(error).__name__}: {error}") from error
    missing = [name for name in ("FORMULA", "inputs") if name not in hidden]
    if missing:
        raise ExerciseError(f"learn: {path}: its hidden part must define {' and '.join(missing)}")
    if f"### BEGIN {SOLUTION}" not in source:
        raise ExerciseError(f"learn: {path}: it has no solution between ### BEGIN SOLUTION and ### END SOLUTION")
    return Exercise(path.stem, path, source, hidden)


def without(source: str, part: str, gap: str | None = None) -> str:
    """The source with a gap in the place of each such part, indented as its mark; or with nothing there."""
    found: list[str] = []
    inside = False
    for line in source.splitlines():
        mark = line.strip()
        if mark == f"### BEGIN {part}":
            inside = True
            if gap is not None:
                found.append(line[: len(line) - len(line.lstrip())] + gap)
        elif mark == f"### END {part}":
            inside = False
        elif not inside:
            found.append(line)
    return "\n".join(found)


def _without_marks(source: str) -> str:
    marks = (f"### BEGIN {SOLUTION}", f"### END {SOLUTION}")
    return "\n".join(line for line in source.splitlines() if line.strip() not in marks)


def _tidy(source: str) -> str:
    return re.sub(r"\n{4,}", "\n\n\n", source).rstrip() + "\n"


def gaps(source: str) -> Iterator[int]:
    """The lines with a gap that is still to be filled in."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and node.value.value is Ellipsis:
            yield node.lineno


def outputs(values: Callable[..., Any], answer: Any, inputs: Sequence[Any]) -> list[Any]:
    """What an exercise that is judged by values computes with an answer."""
    found = values(answer, *inputs)
    return list(found) if isinstance(found, (tuple, list)) else [found]
