"""What is found of a learner's answer, and how it is written down."""

import json
from dataclasses import asdict, dataclass
from typing import Any

from tinygrad_cnn.version import __version__

__all__ = ["Result"]

RIGHT, WRONG, COULD_NOT_RUN, NOT_DONE = "right", "wrong", "could not run", "not done yet"
VERDICTS = (RIGHT, WRONG, COULD_NOT_RUN, NOT_DONE)


@dataclass(frozen=True)
class Result:
    """What is found of an answer. True only if it is right.

    Examples
    --------
    >>> from tinygrad_cnn.learn import Result
    >>> result = Result("sigmoid", "right", "Right at every input.")
    >>> bool(result)
    True
    >>> Result.from_json(result.to_json()) == result
    True
    """

    exercise: str
    verdict: str
    """"right", "wrong", "could not run" or "not done yet"."""
    headline: str
    """One sentence."""
    kind: str = ""
    """The diagnosis' name, if it is wrong."""
    hints: tuple[str, ...] = ()
    """The ladder, as far as the teacher lets the learner climb: that, where, what kind, the formula."""
    student: str = ""
    seconds: float = 0.0
    notes: tuple[str, ...] = ()
    """What the reader should know, such as a limit that this system does not have."""
    printed: str = ""
    """The end of what the learner's code printed."""

    def __bool__(self) -> bool:
        return self.verdict == RIGHT

    def told(self, hints: int) -> str:
        """What the learner reads, with so many hints."""
        mark = {RIGHT: "✓", WRONG: "✗"}.get(self.verdict, "–")
        lines = [f"{mark} {self.exercise}: {self.headline}"]
        lines += [hint for hint in self.hints[1:hints] if hint]
        if self.verdict == WRONG and hints < len(self.hints):
            lines.append(f"(One hint more: --hints {hints + 1})")
        return "\n".join([*lines, *self.notes])

    def to_json(self) -> str:
        """As text; `from_json` reads it again."""
        return json.dumps({"tool": f"tinygrad-cnn {__version__}", **asdict(self)}, indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "Result":
        """The result that `to_json` wrote; ValueError if it is none."""
        data: Any = json.loads(text)
        wanted = {"exercise", "verdict", "headline"}
        if not isinstance(data, dict) or not wanted <= data.keys() or data["verdict"] not in VERDICTS:
            raise ValueError("it is no result of `tinygrad-cnn learn check --json`")
        facts: dict[str, Any] = {
            **{name: str(data.get(name, "")) for name in (*wanted, "kind", "student", "printed")},
            **{name: tuple(map(str, data.get(name, ()))) for name in ("hints", "notes")},
        }
        return cls(**facts, seconds=float(data.get("seconds", 0.0)))
