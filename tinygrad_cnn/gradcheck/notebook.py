"""A report in HTML: the verdict, the diagnosis, the worst entries and the curve of the worst."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from tinygrad_cnn.display import figure, fragment, stacked_table
from tinygrad_cnn.gradcheck.svg import step_curve
from tinygrad_cnn.gradcheck.sweep import WORD, rows, smallest_text
from tinygrad_cnn.gradcheck.verdicts import Verdict

if TYPE_CHECKING:
    from tinygrad_cnn.gradcheck.report import Report

OTHERS = 2
"""So many explanations beside the best one."""

ROWS = 12
"""So many entries are shown."""

MARK = {Verdict.PASS: "✓", Verdict.FAIL: "✗", Verdict.INCONCLUSIVE: "?"}
HEADS = "input", "place", "analytic", "numeric", "±", "allowed", "verdict", "note"


def notebook(report: Report) -> str:
    """The display of one report."""
    parts = [
        f'<p class="tg-head">{badge(report.verdict)} gradient of <code>{escape(report.function)}</code></p>',
        f'<p class="tg-facts">{escape(report.counts())}</p>',
    ]
    if report.diagnoses:
        best = report.diagnoses[0]
        parts.append(f'<p class="reason">It looks like this (<b>{escape(best.kind)}</b>): {escape(best.message)}</p>')
    return fragment("".join([*parts, findings(report)]))


def findings(report: Report) -> str:
    """All but the verdict and the best diagnosis."""
    parts = []
    report = report.drawn()
    worst = rows(report, ROWS)
    if not report:
        parts.append(f"<p>{escape(report.headline().removeprefix('gradcheck: '))}</p>")
    told = {"unknown", *(d.kind for d in report.diagnoses[:1])}
    others = [d for d in report.diagnoses[1:] if d.kind not in told][:OTHERS]
    if others:
        items = "".join(f"<li>{escape(d.kind)}: {escape(d.message)}</li>" for d in others)
        parts.append(f"<p>Or else:</p><ul>{items}</ul>")
    if worst:
        noted = any(r.note for _, r in worst)
        heads = HEADS if noted else HEADS[:-1]
        cells = [
            [*map(escape, r[:6]), badge(e.verdict), escape(r.note)][: len(heads)] for e, r in worst
        ]  # fmt: skip
        classes = ["worst" if k == 0 and not report else "" for k in range(len(worst))]
        more = f", of {len(report.entries)}" if len(report.entries) > len(worst) else ""
        caption = f"The worst {len(worst)} derivatives{more}"
        parts.append(stacked_table(heads, cells, caption=caption, numbers=(2, 3, 4, 5), wraps=(7,), classes=classes))
        curve = step_curve(worst[0][0], report.noise)
        if curve:
            parts.append(
                figure(
                    curve,
                    "The worst one: error of its central difference at each step (blue), rounding (dashed), and how "
                    "far off the gradient is (red).",
                )
            )
    if report.smallest is not None:
        parts.append(f"<p>The smallest input found that fails: <code>{escape(smallest_text(report))}</code></p>")
    if report.oracles:
        parts.append(f"<p>Compared with {escape(', '.join(report.oracles))}.</p>")
    parts += [f"<p>{escape(note)}</p>" for note in report.notes]
    return "".join(parts)


def badge(verdict: Verdict) -> str:
    """The verdict as a word and a mark."""
    return f'<span class="badge {verdict.value}"><span aria-hidden="true">{MARK[verdict]}</span> {WORD[verdict]}</span>'
