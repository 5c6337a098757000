"""What came of it: the kill rate per op, which check kills how many, and every survivor with its explanation."""

import math
import textwrap
import tomllib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from scripts.mutation.areas import AREAS
from scripts.mutation.run import Fate, Mutant
from tinygrad_cnn.gradcheck.battery import CHECKS, Check, check_exact_adjoint

EQUIVALENTS = Path(__file__).parent / "equivalents.toml"
Done = list[tuple[Mutant, Fate]]
KINDS = {
    "rule": "Rules of the ops",
    "adjoint": "Forward rules of ops that are another's derivative",
    "helper": "Functions that rules are made of",
    "kernel": "Kernels of gradients",
}


@dataclass(frozen=True)
class Explanations:
    """Why mutants cannot be told from the original, by target and label: nothing that a line number could spoil."""

    why: dict[tuple[str, str], str]
    different: frozenset[tuple[str, str]] = frozenset()
    """Those that differ all the same, and survive because no test asks."""

    @classmethod
    def read(cls, path: Path = EQUIVALENTS) -> "Explanations":
        """Those of the file beside this module. ValueError if a mutant is explained twice, or without a reason."""
        why: dict[tuple[str, str], str] = {}
        different: set[tuple[str, str]] = set()
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
        for entry in (*tables.get("equivalent", []), *tables.get("different", [])):
            for label in entry["mutants"]:
                key = entry["of"], label
                if key in why or not entry["why"].strip():
                    raise ValueError(f"{path.name}: {key} is explained twice, or not at all")
                why[key] = " ".join(entry["why"].split())
                if entry in tables.get("different", []):
                    different.add(key)
        return cls(why, frozenset(different))

    def equal(self, mutant: Mutant) -> bool:
        """Whether it is explained why no input tells the mutant from the original."""
        key = mutant.target.name, mutant.mutation.label
        return key in self.why and key not in self.different

    def of(self, mutant: Mutant) -> str | None:
        """The explanation of a mutant, if there is one."""
        return self.why.get((mutant.target.name, mutant.mutation.label))


def problems(done: Done, explained: Explanations, there: Iterable[Mutant] | None = None) -> list[str]:
    """Survivors without an explanation, and explanations of mutants that are killed or not among all that are there."""
    found = []
    for mutant, fate in done:
        why = explained.of(mutant)
        if not fate.killed and why is None:
            found.append(f"survived: {fate.target} ({fate.operator})\n    {fate.label}")
        if fate.killed and why is not None:
            found.append(f"explained, but killed by {fate.check}: {fate.target}\n    {fate.label}\n    {fate.message}")
    if there is not None:
        met = {(m.target.name, m.mutation.label) for m in there}
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

    def add(self, fate: Fate, equal: bool) -> None:
        """Count one in."""
        self.all += 1
        self.killed += fate.killed
        self.equivalent += not fate.killed and equal

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
        count.add(fate, explained.equal(mutant))
    return count


def summary(done: Done, explained: Explanations) -> str:
    """One line."""
    c = counted(done, explained)
    return (
        f"killed {c.killed} of {c.all} ({c.raw}); {c.equivalent} survivors are equivalent, which leaves "
        f"{c.score} of {c.all - c.equivalent}; {c.all - c.killed - c.equivalent} survivors differ"
    )


INTRODUCTION = """# The mutation score

A test of gradients is worth what it notices. `python -m scripts.mutation` makes what computes a gradient in this
package, or judges one, wrong in every small way it knows, one way at a time, and asks the tests that answer for it. Of
{there} mutants of {functions} functions {all} were tried, of which **{killed} are killed ({raw})**. Of the {survived}
survivors {equivalent} are *equivalent*: what they compute is the same for every input and every finite cotangent, but
for the rounding of a last bit; at most it takes other time or memory. That leaves **{score} of {different}**. Each
survivor is listed below with the reason.

## By area

{areas}
Where fewer were tried than there are, they are a sample: the first ones in the order of a digest of what they change,
which is always the same. In 95 of 100 such samples the score of all would lie within the last column.

What is mutated: every `d_*` of every registered op, the forward rules of ops that are another op's derivative
(`Conv2DInput`, `PutItem`, …), the functions that rules are made of, the engine's summing of cotangents to the shapes
of their inputs, NumPy's kernels of gradients; and the functions of the modules that `scripts/mutation/areas.py` names.
What is not: signatures, annotations, the messages of errors, the arguments `cost` (an estimate of time) and `strict`
(an assertion about lengths), and the order of arguments of functions that do not mind, such as `maximum`; functions
inside functions; of the compiled kernels those that write LLVM's instructions (`panel`, `vectors`) or only choose how
to compile (`jit`, `registers`).

What judges rules and NumPy's kernels: the checks of `tests/ops/test_gradients.py`
({checks})
over {samples} fixed samples of the op's sampler, sample by sample, and the declared kinks. (In the tests Hypothesis
draws the samples: 25 for each check, 1000 in the thorough profile.) For whatever is more than a rule several ops
answer, with a quarter of the samples each, also by their value against the definition in `tests/ops/test_forward.py`;
kernels and the engine are compared with the definitions in the tests of their rooms, too, {samples} times. A check that
the right function does not pass either, because differences are too coarse at that sample, decides nothing. What
judges the other areas: the tests of the package that `areas.py` names, as pytest runs them, until one fails.

Compiled kernels are mutated in their source and **compiled**, each mutant in a process of its own: the loops that run
the mutated function, themselves or by what they call, are compiled again there, and read and write no machine code on
disk. Without Numba (`NUMBA_DISABLE_JIT`) the same source would not do the same: there are vectors that only LLVM has,
division by 0 raises, an index out of bounds is noticed, and the shapes that take another path are so large that Python
needs minutes. To compile takes one to eight seconds for a mutant. A mutant that reads beyond an array has no meaning
that a test could ask for; it counts as it comes out.

Warnings are errors. The first check or test that fails has killed the mutant; "time" has if it does not end within
{seconds} s ({most} s where it is compiled), "crash" if its process dies, "sampler" if no sample can be drawn any more
(some samplers run forward rules). Unmutated functions pass all tests: the run begins with that, and stops if it is not
so.

```sh
python -m scripts.mutation                    # go on from where the last run stopped; --area or --ops NAME… for a part
python -m scripts.mutation --out docs         # write this page
python -m scripts.mutation --sample 150       # always the same 150 of those that differ, of all areas: what CI runs
```

Results are kept in `build/mutation.jsonl`, each under a digest of the sources that it depends on: what changes is
tried again. What a test of the package has killed stays killed when tests are added; what survived is tried again.
Explanations are in `scripts/mutation/equivalents.toml`: of mutants that are `equivalent`, and of those that are
`different` all the same and survive. A survivor without one, and an explanation of a mutant that is killed or no longer
there, fail the command.
"""


def name(check: Check) -> str:
    """The claim of a check, in words."""
    return check.__name__.removeprefix("check_").replace("_", " ")


def page(done: Done, there: Sequence[Mutant], explained: Explanations, *, samples: int, seconds: float) -> str:
    """The page of the documentation."""
    total = counted(done, explained)
    text = INTRODUCTION.format(
        there=len(there),
        functions=len({m.target.name for m in there}),
        all=total.all,
        killed=total.killed,
        raw=total.raw,
        survived=total.all - total.killed,
        equivalent=total.equivalent,
        score=total.score,
        different=total.all - total.equivalent,
        areas=_areas(done, there, explained),
        checks=textwrap.fill(", ".join(name(check) for check in (*CHECKS, check_exact_adjoint)), 116),
        samples=samples,
        seconds=f"{seconds:g}",
        most=f"{max(area.seconds for area in AREAS.values()):g}",
    )
    parts = [text]
    parts.append("## By operator\n\n" + _table("operator", done, explained, lambda m: m.mutation.operator))
    parts.append("## By the check that killed\n\n" + _killers(done))
    for kind, title in KINDS.items():
        some = [(m, fate) for m, fate in done if m.target.kind == kind]
        parts.append(f"## {title}\n\n" + _table("op" if kind == "rule" else "function", some, explained, _row))
    for area in AREAS:
        some = [(m, fate) for m, fate in done if m.target.kind == "tested" and m.target.area == area]
        if some:
            parts.append(f"## {AREAS[area].title}\n\n" + _table("module", some, explained, _module))
    parts.append("## The survivors\n\n" + _survivors(done, explained))
    if untried := _untried(done, there, explained):
        parts.append("## Explained, and not among those tried\n\n" + untried)
    return "\n".join(parts)


def _areas(done: Done, there: Sequence[Mutant], explained: Explanations) -> str:
    """How many mutants each area has, how many were tried, and what came of them."""
    lines = ["| area | functions | mutants | tried | killed | equivalent | survive | of those that differ | of all |"]
    lines.append("|---|--:|--:|--:|--:|--:|--:|--:|---|")
    for area, (title, *_) in AREAS.items():
        all_ = [m for m in there if m.target.area == area]
        tried = [(m, fate) for m, fate in done if m.target.area == area]
        c, functions = counted(tried, explained), len({m.target.name for m in all_})
        between = wilson(c.killed, c.all - c.equivalent) if len(tried) < len(all_) else "–"
        left = c.all - c.killed - c.equivalent
        lines.append(
            f"| {title} (`{area}`) | {functions} | {len(all_)} | {c.all} | {c.killed} | {c.equivalent} | {left} "
            f"| {c.score} | {between} |"
        )
    return "\n".join(lines) + "\n"


def wilson(part: int, whole: int) -> str:
    """Between which shares the true one lies in 95 of 100 cases (Wilson 1927)."""
    if not whole:
        return "–"
    z, share = 1.96, part / whole
    middle = (share + z * z / (2 * whole)) / (1 + z * z / whole)
    half = z * math.sqrt(share * (1 - share) / whole + z * z / (4 * whole * whole)) / (1 + z * z / whole)
    return f"{100 * (middle - half):.1f}–{100 * (middle + half):.1f}%"


def _module(mutant: Mutant) -> str:
    """The module of a function."""
    return str(mutant.target.function.__module__).removeprefix("tinygrad_cnn.")


def _row(mutant: Mutant) -> str:
    """The op of a rule; the name of anything else, without the room of the ops."""
    name = mutant.target.name
    return name.split(".")[-2] if mutant.target.kind == "rule" else name.removeprefix("ops.")


def _table(title: str, done: Done, explained: Explanations, key: Callable[[Mutant], str]) -> str:
    rows: dict[str, Count] = {}
    for mutant, fate in done:
        rows.setdefault(key(mutant), Count()).add(fate, explained.equal(mutant))
    lines = [f"| {title} | mutants | killed | equivalent | survive | killed of all | of those that differ |"]
    lines.append("|---|--:|--:|--:|--:|--:|--:|")
    for row, c in sorted(rows.items()):
        left = c.all - c.killed - c.equivalent
        lines.append(f"| `{row}` | {c.all} | {c.killed} | {c.equivalent} | {left} | {c.raw} | {c.score} |")
    return "\n".join(lines) + "\n"


def _killers(done: Done) -> str:
    said = Counter(fate.check for _, fate in done if fate.how == "said")
    raised = Counter(fate.check for _, fate in done if fate.how == "raised")
    lines = [
        "| check, or file of tests | it said that something is wrong | the mutant raised another error meanwhile |",
        "|---|--:|--:|",
    ]
    ranked = sorted(said | raised, key=lambda check: -(said[check] + raised[check]))
    lines += [
        f"| {check if '/' in check else check.replace('_', ' ')} | {said[check]} | {raised[check]} |"
        for check in ranked
    ]
    lines.append(f"| all | {said.total()} | {raised.total()} |")
    return "\n".join(lines) + "\n"


def _survivors(done: Done, explained: Explanations) -> str:
    return _reasons((m, explained.of(m) or "**Not explained.**") for m, fate in done if not fate.killed)


def _untried(done: Done, there: Sequence[Mutant], explained: Explanations) -> str:
    tried = {id(m) for m, _ in done}
    known = ((m, explained.of(m)) for m in there if id(m) not in tried)
    return _reasons((m, why) for m, why in known if why is not None)


def _reasons(pairs: Iterable[tuple[Mutant, str]]) -> str:
    groups: dict[tuple[str, str], list[str]] = {}
    for mutant, why in pairs:
        groups.setdefault((mutant.target.name, why), []).append(mutant.mutation.label)
    parts = []
    for (of, why), labels in groups.items():
        listed = "\n".join(label.replace("  →  ", "\n    → ") for label in labels)
        parts.append(f"**`{of}`** {why}\n\n```text\n{listed}\n```\n")
    return "\n".join(parts)
