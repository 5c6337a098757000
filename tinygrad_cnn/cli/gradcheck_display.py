"""What the user sees of checked gradients: by rich if it is there and the output is a terminal, else lines."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol, TextIO

from tinygrad_cnn.cli import display
from tinygrad_cnn.display import many
from tinygrad_cnn.gradcheck.report import Report, aligned
from tinygrad_cnn.gradcheck.sweep import ORDERS, WORD, Outcome, rows, smallest_text
from tinygrad_cnn.gradcheck.verdicts import SEVERITY, Verdict

if TYPE_CHECKING or display.RICH:
    import rich.box
    import rich.console
    import rich.padding
    import rich.progress
    import rich.table
    import rich.text

ROWS = 8
"""So many entries of a report are shown."""

STYLE = {Verdict.PASS: "green", Verdict.FAIL: "bold red", Verdict.INCONCLUSIVE: "yellow"}


class Progress(Protocol):
    """Told how a run over many ops goes."""

    def start(self, count: int) -> None:
        """So many ops will be checked."""

    def begin(self, name: str) -> None:
        """An op is next."""

    def end(self, outcome: Outcome) -> None:
        """It has been checked."""

    def stop(self) -> None:
        """The run has ended, in whatever way."""


class Plain:
    """A line an op."""

    def __init__(self, out: TextIO) -> None:
        self.out = out

    def start(self, count: int) -> None:
        """Count from here."""
        self.count, self.done = count, 0

    def begin(self, name: str) -> None:
        """Say nothing yet."""

    def end(self, outcome: Outcome) -> None:
        """One line."""
        self.done += 1
        line = f"{self.done:{len(str(self.count))}}/{self.count}  {outcome.name}: {WORD[outcome.verdict]}"
        print(line, file=self.out, flush=True)

    def stop(self) -> None:
        """Nothing to take down."""


class Bar(Plain):
    """A bar that moves with the ops, and a line above it for each that does not pass."""

    def start(self, count: int) -> None:
        """Show the bar."""
        super().start(count)
        columns = (
            rich.progress.TextColumn("{task.description:20}"),
            rich.progress.BarColumn(),
            rich.progress.MofNCompleteColumn(),
            rich.progress.TimeRemainingColumn(),
        )
        self.bar = rich.progress.Progress(*columns, console=rich.console.Console(file=self.out), transient=True)
        self.task = self.bar.add_task("", total=count)
        self.bar.start()

    def begin(self, name: str) -> None:
        """The name beside the bar."""
        self.bar.update(self.task, description=name)

    def end(self, outcome: Outcome) -> None:
        """Move the bar."""
        self.bar.advance(self.task)
        if outcome.verdict is not Verdict.PASS:
            line = rich.text.Text.assemble(
                (WORD[outcome.verdict], STYLE[outcome.verdict]), f"  {outcome.name}: {reason(outcome)}"
            )
            self.bar.console.print(line, no_wrap=True, overflow="ellipsis")

    def stop(self) -> None:
        """Take the bar away."""
        self.bar.stop()


def progress_for(out: TextIO) -> Progress:
    """Rich on a terminal, if it is installed; else plain."""
    return Bar(out) if _rich(out) else Plain(out)


def counts(outcome: Outcome) -> str:
    """What was done, in one line."""
    entries = sum(len(report.entries) for report in outcome.reports)
    facts = [f"{outcome.passed} of {len(outcome.trials)} checks passed", many(len(outcome.samples), "sample")]
    if entries:
        facts += [f"{entries} derivatives compared", f"worst error {ratio_text(outcome.worst)} of its bound"]
    return f"{', '.join(facts)}, {outcome.seconds:.2f} s"


def ratio_text(ratio: float | None) -> str:
    """Short; a dash if there is none."""
    if ratio is None:
        return "–"
    return "0" if ratio == 0 else "∞" if ratio == float("inf") else f"{ratio:.1e}" if ratio < 0.01 else f"{ratio:.3g}"


def reason(outcome: Outcome) -> str:
    """Why it does not pass, in one sentence; why it does, if so."""
    failures = [message for trial in outcome.trials for message in trial.failures]
    report = outcome.report
    if report is not None and not report:
        if report.diagnoses:
            return f"{report.diagnoses[0].kind}: {report.diagnoses[0].message}"
        return report.headline().removeprefix("gradcheck: ")
    return failures[0] if failures else counts(outcome)


def ranked(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Failures first, the worst of them first, then what is inconclusive; else as they come."""
    return sorted(
        outcomes, key=lambda o: (-SEVERITY[o.verdict], 0.0 if o.verdict is Verdict.PASS else -(o.worst or 0.0))
    )


def totals(outcomes: Sequence[Outcome], seconds: float) -> str:
    """One sentence on all."""
    number = {v: sum(o.verdict is v for o in outcomes) for v in Verdict}
    entries = sum(len(r.entries) for o in outcomes for r in o.reports)
    others = [f"{number[v]} {v.value}" for v in (Verdict.FAIL, Verdict.INCONCLUSIVE) if number[v]]
    return (
        f"{many(len(outcomes), 'op')}: {', '.join([f'{number[Verdict.PASS]} pass', *others])}; "
        f"{entries:,} derivatives compared in {seconds:.1f} s"
    )


def print_table(outcomes: Sequence[Outcome], seconds: float, out: TextIO) -> None:
    """A row an op, those that do not pass first, and a sentence on all."""
    titles = ("op", "family", "checks", "samples", "worst error", "time", "verdict")
    cells = [
        (
            o.name, o.family, f"{o.passed}/{len(o.trials)}", str(len(o.samples)), ratio_text(o.worst),
            f"{o.seconds:.2f} s", WORD[o.verdict],
        )
        for o in ranked(outcomes)
    ]  # fmt: skip
    right = (2, 3, 4, 5)
    if _rich(out):
        table = rich.table.Table(box=rich.box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
        for k, title in enumerate(titles):
            table.add_column(title, justify="right" if k in right else "left", no_wrap=True, overflow="ellipsis")
        for o, row in zip(ranked(outcomes), cells, strict=True):
            table.add_row(*row[:-1], rich.text.Text(row[-1], style=STYLE[o.verdict]))
        console = rich.console.Console(file=out)
        console.print(table)
        console.print(totals(outcomes, seconds), highlight=False)
        console.print("worst error: the largest, over what it was allowed\n", style="dim", highlight=False)
        return
    for padded in aligned([titles, *cells], right):
        print("  ".join(padded).rstrip(), file=out)
    print(f"\n{totals(outcomes, seconds)}\nworst error: the largest, over what it was allowed\n", file=out)


def print_outcome(outcome: Outcome, command: str, out: TextIO) -> None:
    """The verdict, what refutes it, and the worst report; the command that checks it again."""
    if _rich(out):
        _Rich(out).outcome(outcome, command)
        return
    print(f"{WORD[outcome.verdict]}  {outcome.name}: {counts(outcome)}", file=out)
    for check, message in refuted(outcome):
        print(f"  {check}: {message}", file=out)
    if shown(outcome) is not None:
        lines = str(shown(outcome)).splitlines()
        print("\n".join(f"  {line}".rstrip() for line in lines), file=out)
    if command:
        print(f"  Again: {command}\n", file=out)


def refuted(outcome: Outcome) -> list[tuple[str, str]]:
    """Of each check of the battery that failed: its name, and its first message."""
    failed = [t for t in outcome.trials if t.failures and t.check not in ORDERS.values()]
    return [(t.check, " ".join(t.failures[0].removeprefix(f"{outcome.name}: ").split())) for t in failed]


def shown(outcome: Outcome) -> Report | None:
    """The worst report, unless it passes where something else does not."""
    report = outcome.report
    return None if report and outcome.verdict is not Verdict.PASS else report


class _Rich:
    """Prints by rich."""

    def __init__(self, out: TextIO) -> None:
        self.console = rich.console.Console(file=out, highlight=False)

    def outcome(self, outcome: Outcome, command: str) -> None:
        """All of it."""
        mark = (f" {WORD[outcome.verdict]} ", f"reverse {STYLE[outcome.verdict]}")
        self.line(mark, " ", (outcome.name, "bold"), f"  {counts(outcome)}")
        for check, message in refuted(outcome):
            self.line((f"{check}: ", "red"), message, indent=2)
        report = shown(outcome)
        if report is not None:
            self.report(report)
        if command:
            self.line(("Again: ", "dim"), command, "\n", indent=2)

    def report(self, report: Report) -> None:
        """Headline, diagnosis, table and notes."""
        if not report:
            self.line(report.headline().removeprefix("gradcheck: "), indent=2)
        if report.diagnoses:
            best = report.diagnoses[0]
            self.line("It looks like this (", (best.kind, "bold red"), f"): {best.message}", indent=2)
        if report.entries:
            self.console.print(rich.padding.Padding(self._table(report), (0, 0, 0, 2)))
        if report.oracles:
            self.line((f"Compared with {', '.join(report.oracles)}.", "dim"), indent=2)
        for note in report.notes:
            self.line((note, "dim"), indent=2)
        if report.smallest is not None:
            self.line(f"The smallest input found that fails: {smallest_text(report)}", indent=2)

    def _table(self, report: Report) -> Any:
        worst = rows(report, ROWS)
        table = rich.table.Table(box=rich.box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
        table.add_column("", width=1)
        table.add_column("input", no_wrap=True, overflow="ellipsis", max_width=18)
        table.add_column("place", no_wrap=True)
        for title in ("analytic", "numeric", "±", "allowed"):
            table.add_column(title, justify="right", no_wrap=True)
        table.add_column("verdict", no_wrap=True)
        if any(row.note for _, row in worst):
            table.add_column("", style="dim", overflow="fold")
        for k, (e, row) in enumerate(worst):
            verdict = rich.text.Text(row.verdict, style=STYLE[e.verdict])
            cells: list[Any] = ["→" if k == 0 and not report else "", *row[:-2], verdict, row.note]
            table.add_row(*cells[: len(table.columns)], style="bold" if cells[0] else "")
        if len(report.entries) > len(worst):
            table.caption, table.caption_justify = f"… and {len(report.entries) - len(worst)} more", "left"
        return table

    def line(self, *parts: str | tuple[str, str], indent: int = 0) -> None:
        """A paragraph, wrapped to the terminal."""
        self.console.print(rich.padding.Padding(rich.text.Text.assemble(*parts), (0, 0, 0, indent)))


def _rich(out: TextIO) -> bool:
    return display.RICH and out.isatty()
