"""Find the bug: from a seed, exercises that are solved but for one mistake each.

The mistakes are the common wrong answers of the exercises, and what the operators of the mutation run make of their
solutions. Each is asked whether the checker really rejects it, so no bug is one that changes nothing.
"""

import ast
import functools
import hashlib
import unicodedata
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import NamedTuple

import numpy as np

from tinygrad_cnn.gradcheck.verdicts import Verdict
from tinygrad_cnn.learn.exercise import Exercise, exercises, load, namespace
from tinygrad_cnn.learn.judging import report_on
from tinygrad_cnn.learn.operators import MODULES, mutations

__all__ = ["Bug", "find_the_bug"]

BY_HAND = "a common wrong answer"
OPERATORS = (
    "sign", "operand", "arithmetic", "axis", "constant", "dropped term", "dropped call", "swapped", "mask", "bounds",
    "function",
)  # fmt: skip
"""Those whose mutants read as a person might have written them."""

TASK = "# Find the bug: there is one mistake in the code below."
"""The second line of a file."""

COUNT = 2
"""So many bugs make a sheet: of single ones two students of sixty would often have the same."""


@dataclass(frozen=True)
class Bug:
    """One mistake in one exercise."""

    exercise: str
    how: str
    """Which operator made it, or that it is a common wrong answer."""
    file: str
    """The learner's file with the mistake in it."""

    def sheet(self, student: str, hints: int | None = None) -> str:
        """The file as it is handed out: with the name of its student, and with so many hints at most."""
        allowed = "" if hints is None else f"\n# hints: {hints}\n"
        return self.file.replace(TASK, f"{TASK} For {' '.join(student.split())}.", 1) + allowed

    def solution(self) -> str:
        """What a teacher reads: the line, what stands there, and what should."""
        exercise = load(self.exercise)
        right = _rewritten(exercise, exercise.filled(), {}).splitlines()
        wrong = self.file.splitlines()
        changes = []
        for tag, a, b, c, d in SequenceMatcher(None, right, wrong, autojunk=False).get_opcodes():
            if tag != "equal":
                is_there, should_be = (_joined(lines) for lines in (wrong[c:d], right[a:b]))
                changes.append(f"line {c + 1}: {is_there} should be {should_be}")
        return f"{self.exercise} ({self.how}), {'; '.join(changes)}"


def find_the_bug(seed: str | int, count: int = COUNT) -> list[Bug]:
    """So many bugs, each in another exercise; the same seed gives the same ones.

    Letters may be large or small, and spaces at the ends or twice: a name that is typed anew gives the same bugs.

    Examples
    --------
    >>> from tinygrad_cnn import learn
    >>> first, second = learn.find_the_bug("Ada Lovelace")
    >>> first == learn.find_the_bug("Ada Lovelace")[0], first.exercise == second.exercise
    (True, False)
    """
    name = " ".join(unicodedata.normalize("NFKC", str(seed)).casefold().split())
    digest = hashlib.sha256(name.encode()).digest()
    random = np.random.default_rng(int.from_bytes(digest, "big"))
    names = [e.name for e in exercises() if not e.judged_by_values]
    found: list[Bug] = []
    for name in random.permutation(names).tolist():
        if len(found) == count:
            break
        possible = candidates(name)
        for k in random.permutation(len(possible)).tolist():
            bug = Bug(name, possible[k].how, _rewritten(load(name), possible[k].source, possible[k].instead))
            if is_wrong(bug):
                found.append(bug)
                break
    return found


class Candidate(NamedTuple):
    """What may become a bug: how it is made, and the source or the function that is to be rewritten for it."""

    how: str
    source: str
    instead: dict[str, ast.FunctionDef]


@functools.cache
def candidates(name: str) -> tuple[Candidate, ...]:
    """Everything that may be a bug of an exercise."""
    exercise = load(name)
    return (*_by_hand(exercise), *_by_operators(exercise))


@functools.lru_cache(maxsize=4096)
def is_wrong(bug: Bug) -> bool:
    """Whether the checker rejects it by its numbers: not because it raises, nor for a shape."""
    exercise = load(bug.exercise)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            answer = namespace(bug.file, f"<bug in {bug.exercise}>")
            report = report_on(exercise, answer, exercise.inputs(0), explain=False, shrink=False)
        except Exception:  # whatever a mutant may raise
            return False
    finite = all(np.isfinite(e.analytic) for e in report.entries)
    return report.verdict is Verdict.FAIL and not report.problem and finite


def _by_hand(exercise: Exercise) -> Iterator[Candidate]:
    for wrong in exercise.wrongs:
        yield Candidate(BY_HAND, exercise.filled(exercise.wrong_source(wrong)), {})


def _by_operators(exercise: Exercise) -> Iterator[Candidate]:
    source = exercise.filled()
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef) and node.name in _to_write(exercise):
            for mutation in mutations(node):
                if mutation.operator in OPERATORS and _is_plain(mutation.after):
                    yield Candidate(mutation.operator, source, {node.name: mutation.function})


@functools.cache
def _to_write(exercise: Exercise) -> frozenset[str]:
    """The names of the functions in which something is to be written."""
    found = ast.parse(exercise.start()).body
    return frozenset(n.name for n in found if isinstance(n, ast.FunctionDef) and "Ellipsis" in ast.dump(n))


def _is_plain(text: str) -> bool:
    """Whether nobody sees at once that a machine wrote it: no product with a module, no condition that is known."""
    return not any(f" {name} " in f" {text} " for name in (*MODULES, "True", "False"))


def _rewritten(exercise: Exercise, source: str, instead: Mapping[str, ast.FunctionDef]) -> str:
    """The source with its functions written as Python writes them: a changed line must not stand out by its spaces."""
    lines = source.splitlines()
    for node in reversed(ast.parse(source).body):
        if isinstance(node, ast.FunctionDef) and node.name in _to_write(exercise):
            lines[node.lineno - 1 : node.end_lineno] = ast.unparse(instead.get(node.name, node)).splitlines()
    return "\n".join([lines[0], TASK, *lines[1:]]) + "\n"


def _joined(lines: list[str]) -> str:
    return f"`{'; '.join(line.strip() for line in lines)}`" if lines else "nothing"
