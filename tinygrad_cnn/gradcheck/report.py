"""The report of a check: a verdict, the entries that were judged, a table, a picture, and JSON."""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from importlib import import_module
from textwrap import wrap
from typing import Any, NamedTuple

import numpy as np

from tinygrad_cnn.core.types import NDArray, Shape
from tinygrad_cnn.gradcheck.patterns import Diagnosis
from tinygrad_cnn.gradcheck.plotting import Figure, draw
from tinygrad_cnn.gradcheck.verdicts import INSIDE, OUTSIDE, SEVERITY, Entry, GradientError, Projected, Verdict

__all__ = ["Report"]

ROWS = 8
"""So many entries the table shows."""

WIDTH = 100
"""So wide it is at most."""

GRADIENT_OF = "the gradient of "
"""How the function is called of which a second derivative is checked."""

NAME = 28
"""So wide is the name of an input."""

Steps = tuple[tuple[float, float], ...]
"""Pairs of a step and the difference there."""

MARK = {Verdict.PASS: "pass", Verdict.FAIL: "FAIL", Verdict.INCONCLUSIVE: "?"}


SIGN = {Verdict.PASS: "✅", Verdict.FAIL: "❌", Verdict.INCONCLUSIVE: "❔"}


class Row(NamedTuple):
    """An entry as the texts of a table's row."""

    input: str
    place: str
    analytic: str
    numeric: str
    error: str
    allowed: str
    verdict: str
    note: str

    @staticmethod
    def of(e: Entry, name: str, verdict: str) -> "Row":
        """The texts of an entry whose input and verdict are called so."""
        note = "at a kink" if e.reason in (INSIDE, OUTSIDE) else e.reason
        if e.where is not None and e.verdict is not Verdict.PASS and e.one_sided is not None:
            note = f"kink at {e.where:+.1g}: {e.one_sided[0]:.3g} | {e.one_sided[1]:.3g}"
        place = str(e.place).replace(",)", ")") if e.place else ""
        numbers = f"{e.analytic:.8g}", f"{e.numeric:.8g}", f"{e.error:.0e}", f"{e.allowed:.0e}"
        return Row(name, place, *numbers, verdict, note)


@dataclass(frozen=True)
class Report:
    """What a check found. True only if it passed.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> from tinygrad_cnn.gradcheck import gradcheck
    >>> x = tg.tensor([0.5], dtype=tg.float64, requires_grad=True)
    >>> report = gradcheck(tg.sin, x)
    >>> bool(report), len(report.entries)
    (True, 1)
    """

    function: str
    """The name of what was checked."""
    entries: tuple[Entry, ...] = ()
    """Every entry that was judged."""
    diagnoses: tuple[Diagnosis, ...] = ()
    """What the wrong gradient looks like, the best first; empty if it passed."""
    problem: str = ""
    """One sentence, if the function or its VJP cannot be judged as it is: it returns NaN, depends on state, ..."""
    smallest: tuple[NDArray, ...] | None = None
    """The smallest inputs found that still fail."""
    oracles: tuple[str, ...] = ()
    """What the gradient was compared with."""
    notes: tuple[str, ...] = ()
    """What the reader should know of how it was judged."""
    shapes: dict[int, Shape] = field(default_factory=dict)
    """The shape of each checked input, by its place."""
    dtypes: dict[int, str] = field(default_factory=dict)
    """The dtype of each checked input, by its place."""
    seed: int = 0
    """What cotangents and directions were drawn from."""
    noise: float = 0.0
    """What rounding amounts to at the worst entry: its difference at step h is off by up to noise / h."""
    raised: type[Exception] | None = None
    """What `gradcheck` raises for the problem, if not just a `GradientError`."""
    _curve: Callable[[], tuple[Steps, float]] | None = field(default=None, init=False, repr=False, compare=False)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_curve": None}

    @staticmethod
    def of_several(reports: "Mapping[Any, Report]") -> "Report":
        """One report of the same function in several ways, such as a module's modes; entries are named by them."""
        ways = sorted(reports, key=lambda way: reports[way]._rank(), reverse=True)
        worst = reports[ways[0]]
        offset = 1 + max((k for r in reports.values() for k in r.shapes), default=0)
        places = {way: offset * number for number, way in enumerate(reports)}
        whole = replace(
            worst,
            entries=tuple(
                replace(e, input=e.input + places[way], name=f"{way}: {e.name}")
                for way, r in reports.items()
                for e in r.entries
            ),
            diagnoses=tuple(
                replace(d, message=f"in {way}: {d.message}") for way in ways for d in reports[way].diagnoses
            ),
            problem=f"{worst.problem} (in {ways[0]})" if worst.problem else "",
            notes=tuple(dict.fromkeys(note for r in reports.values() for note in r.notes)),
            oracles=tuple(dict.fromkeys(oracle for r in reports.values() for oracle in r.oracles)),
            shapes={k + places[way]: shape for way, r in reports.items() for k, shape in r.shapes.items()},
            dtypes={k + places[way]: dtype for way, r in reports.items() for k, dtype in r.dtypes.items()},
        )
        return whole if worst._curve is None else whole.to_draw(worst._curve)

    def _rank(self) -> tuple[bool, int, tuple[int, float]]:
        """How bad it is."""
        return bool(self.problem), SEVERITY[self.verdict], (0, 0.0) if self.worst is None else _badness(self.worst)

    def to_draw(self, curve: Callable[[], tuple[Steps, float]]) -> "Report":
        """The report with what takes the differences of the worst entry at all steps, and `noise`, when it is drawn."""
        found = replace(self)
        object.__setattr__(found, "_curve", curve)
        return found

    def drawn(self) -> "Report":
        """The report with the differences of its worst entry at all steps from large to tiny: what pictures show.

        Of what passed they are taken when they are asked for.
        """
        if self._curve is None:
            return self
        worst, (steps, noise) = self.worst, self._curve()
        entries = tuple(replace(e, steps=steps) if e is worst else e for e in self.entries)
        return replace(self, entries=entries, noise=noise)

    @property
    def verdict(self) -> Verdict:
        """Fail if anything fails, else inconclusive if anything is, else pass."""
        if self.problem or any(e.verdict is Verdict.FAIL for e in self.entries):
            return Verdict.FAIL
        if any(e.verdict is Verdict.INCONCLUSIVE for e in self.entries):
            return Verdict.INCONCLUSIVE
        return Verdict.PASS

    @property
    def worst(self) -> Entry | None:
        """The entry that is worst off: failures first, by their distance in units of what was allowed."""
        return max(self.entries, key=_badness, default=None)

    def __bool__(self) -> bool:
        return self.verdict is Verdict.PASS

    def __repr__(self) -> str:
        return f"<Report of {self.function}: {self.verdict.value}, {self.counts()}>"

    def _repr_html_(self) -> str:
        """What a notebook shows: the verdict, the diagnosis, the worst entries and the curve of the worst."""
        html: str = import_module("tinygrad_cnn.gradcheck.notebook").notebook(self)
        return html

    def error(self) -> Exception:
        """What `gradcheck` raises if it is not passed."""
        if self.raised is None or issubclass(self.raised, GradientError):
            return (self.raised or GradientError)(str(self), self)
        return self.raised(str(self))

    def headline(self) -> str:
        """One sentence: the verdict and the worst entry."""
        worst = self.worst
        if self.problem:
            return self.problem
        if self.verdict is Verdict.FAIL and worst is not None:
            second = self.function.startswith(GRADIENT_OF)
            wrong = "gradgradcheck: the second derivative is wrong" if second else "gradcheck: the gradient is wrong"
            return f"{wrong}; the worst element is {_described(worst)}"
        if self.verdict is Verdict.INCONCLUSIVE and worst is not None:
            return f"gradcheck: the differences are too coarse to judge {_described(worst)}; {worst.reason}"
        if not self.entries:
            return f"gradcheck: nothing was checked of {self.function}: there is no element to move"
        return f"gradcheck: the gradient of {self.function} is right"

    def __str__(self) -> str:
        lines = [self.headline()]
        if self.diagnoses:
            lines += _wrapped(f"It looks like this ({self.diagnoses[0].kind}): {self.diagnoses[0].message}", "  ")
        if self.entries:
            lines += ["", *self._table(), ""]
            lines += _wrapped(f"{self.counts()}; compared with {', '.join(self.oracles)}", "  ")
        for note in self.notes:
            lines += _wrapped(note, "  ")
        if self.smallest is not None:
            lines += _wrapped(f"The smallest input found that fails: {self.smallest_text()}", "  ")
        return "\n".join(lines)

    def smallest_text(self) -> str:
        """The smallest inputs that fail, in one line."""
        arrays = [np.array2string(a, precision=4, threshold=12, separator=", ") for a in self.smallest or ()]
        return " ".join(", ".join(arrays).split())

    def counts(self) -> str:
        """How many entries there are, and how many of each verdict."""
        counts = [f"{sum(e.verdict is v for e in self.entries)} {v.value}" for v in Verdict]
        return f"{len(self.entries)} entries: {', '.join(counts)}"

    def _table(self) -> list[str]:
        shown = sorted(self.entries, key=_badness, reverse=True)[:ROWS]
        rows: list[tuple[str, ...]] = [("", "input", "place", "analytic", "numeric", "±", "allowed", "verdict", "")]
        for k, e in enumerate(shown):
            arrow = "→" if k == 0 and not self else ""
            shape = "×".join(map(str, self.shapes.get(e.input, ())))
            rows.append((arrow, *Row.of(e, _shortened(f"{e.name} {shape}".strip()), MARK[e.verdict])))
        lines = ["  ".join(cells).rstrip() for cells in aligned(rows)]
        lines = [line if len(line) <= WIDTH else line[: WIDTH - 1] + "…" for line in lines]
        if len(self.entries) > ROWS:
            lines.append(f"   … and {len(self.entries) - ROWS} more")
        return lines

    def to_markdown(self) -> str:
        """The same for a pull request, as GitHub shows it: verdict, diagnosis, the worst entries as a table."""
        lines = [f"#### {SIGN[self.verdict]} {_cell(self.headline().removeprefix('gradcheck: '))}", ""]
        if self.diagnoses:
            best = self.diagnoses[0]
            lines += [f"It looks like this (**{_cell(best.kind)}**): {_cell(best.message)}", ""]
        if self.entries:
            rows = [
                (f"`{e.name}`", *Row.of(e, "", f"{SIGN[e.verdict]} {e.verdict.value}")[1:])
                for e in sorted(self.entries, key=_badness, reverse=True)[:ROWS]
            ]
            lines += [
                "| input | place | analytic | numeric | ± | allowed | verdict | |",
                "|---|---|--:|--:|--:|--:|---|---|",
            ]
            lines += [f"| {' | '.join(map(_cell, row))} |" for row in rows]
            lines += ["", f"{self.counts()}; compared with {', '.join(self.oracles)}", ""]
        lines += [f"- {_cell(note)}" for note in self.notes]
        if self.smallest is not None:
            lines.append(f"- The smallest input found that fails: `{self.smallest_text()}`")
        return "\n".join(lines).rstrip() + "\n"

    def to_json(self) -> str:
        """Everything but the arrays of heat maps, as text; `from_json` reads it again."""
        return self.drawn()._as_json()

    def _as_json(self) -> str:
        data = {
            **{name: getattr(self, name) for name in ("function", "problem", "oracles", "notes", "seed", "noise")},
            "verdict": self.verdict.value,
            "entries": [
                {**asdict(e), "verdict": e.verdict.value, "projected": isinstance(e, Projected)} for e in self.entries
            ],
            "diagnoses": [asdict(d) for d in self.diagnoses],
            "smallest": None
            if self.smallest is None
            else [{"values": a.tolist(), "dtype": str(a.dtype), "shape": a.shape} for a in self.smallest],
            "inputs": [{"input": k, "shape": s, "dtype": self.dtypes[k]} for k, s in self.shapes.items()],
        }
        return json.dumps(_plain(data))

    @classmethod
    def from_json(cls, text: str) -> "Report":
        """The report that `to_json` wrote."""
        data = json.loads(text)
        smallest = data["smallest"]
        return cls(
            function=data["function"],
            entries=tuple(_entry(e) for e in data["entries"]),
            diagnoses=tuple(Diagnosis(**d) for d in data["diagnoses"]),
            problem=data["problem"],
            smallest=None
            if smallest is None
            else tuple(np.array(_numbers(a["values"]), a["dtype"]).reshape(a["shape"]) for a in smallest),
            oracles=tuple(data["oracles"]),
            notes=tuple(data["notes"]),
            shapes={row["input"]: tuple(row["shape"]) for row in data["inputs"]},
            dtypes={row["input"]: row["dtype"] for row in data["inputs"]},
            seed=data["seed"],
            noise=_numbers(data["noise"]),
        )

    def plot(self, path: Any = None) -> Figure:
        """Draw the worst entry: error against step size, and heat maps of its input; needs matplotlib.

        Returns the figure, and writes it to `path` if one is given.
        """
        title = self.problem or f"{self.function}: {self.verdict.value}, {self.counts()}"
        if self.diagnoses:
            title += f"\n{self.diagnoses[0].message}"
        wrapped = "\n".join(line for part in title.splitlines() for line in wrap(part, 110))
        drawn = self.drawn()
        return draw(wrapped, drawn.worst, drawn.entries, drawn.shapes, drawn.noise, path)


def aligned(rows: Sequence[Sequence[str]], right: Collection[int] = ()) -> list[list[str]]:
    """The cells of a table, all of a column equally wide; the columns of these numbers are flush right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        [c.rjust(w) if k in right else c.ljust(w) for k, (c, w) in enumerate(zip(row, widths, strict=True))]
        for row in rows
    ]


def _shortened(name: str) -> str:
    """A name without its middle, if it is long: what tells it from its like is at the end."""
    return name if len(name) <= NAME else f"{name[: NAME // 3]}…{name[NAME // 3 + 1 - NAME :]}"


def _cell(text: str) -> str:
    """In Markdown a line break or a bar would end the cell."""
    return " ".join(text.split()).replace("|", "\\|")


def _wrapped(text: str, indent: str = "") -> list[str]:
    return wrap(text, WIDTH, initial_indent=indent, subsequent_indent=f"{indent}  ") or [""]


def _badness(entry: Entry) -> tuple[int, float]:
    allowed = entry.error + 1e-9 * (abs(entry.numeric) + 1e-300)
    return SEVERITY[entry.verdict], entry.off / allowed


def _described(e: Entry) -> str:
    place = f" at {e.place}" if e.place else ""
    return f"{e.name}{place}: analytic {e.analytic:.9g}, numeric {e.numeric:.9g} ± {e.error:.1g}"


SPECIAL = {"nan": float("nan"), "inf": float("inf"), "-inf": float("-inf")}


def _plain(value: Any) -> Any:
    """The same in lists, dictionaries, finite numbers and texts: JSON knows no NaN."""
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if isinstance(value, float) and not np.isfinite(value):
        return str(float(value))
    return value.item() if isinstance(value, np.generic) else value


def _numbers(value: Any) -> Any:
    """The inverse of `_plain` for numbers and lists of them."""
    if isinstance(value, list):
        return [_numbers(v) for v in value]
    return SPECIAL[value] if isinstance(value, str) else value


def _entry(data: dict[str, Any]) -> Entry:
    """The inverse of `asdict` and `_plain`; earlier reports have neither `allowed` nor `projected`."""
    numbers = {name: _numbers(data[name]) for name in ("analytic", "numeric", "error", "where")}
    given = {**data, **numbers, "allowed": _numbers(data.get("allowed", 0.0))}
    kind = Projected if given.pop("projected", False) else Entry
    sides = data["one_sided"]
    given["place"], given["verdict"] = tuple(data["place"]), Verdict(data["verdict"])
    given["one_sided"] = None if sides is None else (_numbers(sides[0]), _numbers(sides[1]))
    given["steps"] = tuple((_numbers(h), _numbers(d)) for h, d in data["steps"])
    return kind(**given)
