"""What came of it: the kill rate per op, which check kills how many, and every survivor with its explanation."""

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from mutation.run import Fate, Mutant

EQUIVALENTS = Path(__file__).parent / "equivalents.toml"
Done = Iterable[tuple[Mutant, Fate]]


@dataclass(frozen=True)
class Explanations:
    """Why mutants cannot be told from the original, by target and label: nothing that a line number could spoil."""

    why: dict[tuple[str, str], str]

    @classmethod
    def read(cls, path: Path = EQUIVALENTS) -> "Explanations":
        """Those of the file beside this module. ValueError if a mutant is explained twice, or without a reason."""
        why: dict[tuple[str, str], str] = {}
        for entry in tomllib.loads(path.read_text(encoding="utf-8")).get("equivalent", []):
            for label in entry["mutants"]:
                key = entry["of"], label
                if key in why or not entry["why"].strip():
                    raise ValueError(f"{path.name}: {key} is explained twice, or not at all")
                why[key] = " ".join(entry["why"].split())
        return cls(why)

    def of(self, mutant: Mutant) -> str | None:
        """The explanation of a mutant, if there is one."""
        return self.why.get((mutant.target.name, mutant.mutation.label))


def problems(done: Done, explained: Explanations, *, whole: bool) -> list[str]:
    """Survivors without an explanation, and explanations of mutants that are killed or, in the whole, not there."""
    found, met = [], set()
    for mutant, fate in done:
        why = explained.of(mutant)
        met.add((mutant.target.name, mutant.mutation.label))
        if not fate.killed and why is None:
            found.append(f"survived: {fate.target} ({fate.operator})\n    {fate.label}")
        if fate.killed and why is not None:
            found.append(f"explained, but killed by {fate.check}: {fate.target}\n    {fate.label}\n    {fate.message}")
    if whole:
        found += [
            f"explained, but no mutant: {of}\n    {label}" for of, label in explained.why if (of, label) not in met
        ]
    return found


@dataclass
class Count:
    """Mutants of one kind."""

    all: int = 0
    killed: int = 0
    equivalent: int = 0

    def add(self, fate: Fate, why: str | None) -> None:
        """Count one in."""
        self.all += 1
        self.killed += fate.killed
        self.equivalent += not fate.killed and why is not None

    @property
    def raw(self) -> str:
        """The killed of all."""
        return _percent(self.killed, self.all)

    @property
    def score(self) -> str:
        """The killed of those that differ from the original."""
        return _percent(self.killed, self.all - self.equivalent)


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f}%" if whole else "–"


def counted(done: Done, explained: Explanations) -> Count:
    """All of them."""
    count = Count()
    for mutant, fate in done:
        count.add(fate, explained.of(mutant))
    return count


def summary(done: Done, explained: Explanations) -> str:
    """One line."""
    c = counted(done, explained)
    return (
        f"killed {c.killed} of {c.all} ({c.raw}); {c.equivalent} survivors are equivalent, which leaves "
        f"{c.score} of {c.all - c.equivalent}; {c.all - c.killed - c.equivalent} are not explained"
    )
