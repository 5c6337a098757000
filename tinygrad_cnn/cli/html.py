"""Checked gradients as one HTML file that needs nothing else: its style, script and drawings are in it."""

import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from html import escape
from importlib import resources

import numpy as np

from tinygrad_cnn.cli.gradcheck_display import (
    WORD,
    counts,
    many,
    ranked,
    ratio_text,
    reason,
    refuted,
    rows,
    shown,
    smallest_text,
    totals,
)
from tinygrad_cnn.cli.svg import histogram, step_curve
from tinygrad_cnn.gradcheck.report import Report
from tinygrad_cnn.gradcheck.sweep import Outcome, Trial
from tinygrad_cnn.gradcheck.verdicts import Verdict
from tinygrad_cnn.version import __version__

ROWS = 12
"""So many entries of a failing report are shown."""

OTHERS = 2
"""So many explanations beside the best one."""

COLUMNS = (
    ("op", "text", ""), ("family", "text", "wide"), ("checks", "number", "wide"), ("samples", "number", "wide"),
    ("worst error ÷ bound", "number", ""), ("time", "number", "wide"), ("verdict", "text", ""),
)  # fmt: skip


def page(outcomes: Sequence[Outcome], seconds: float, commands: Mapping[str, str]) -> str:
    """The page; `commands` say by name how to check an op again."""
    files = resources.files("tinygrad_cnn.cli")
    style, script = (files.joinpath(f"gradcheck.{kind}").read_text(encoding="utf-8") for kind in ("css", "js"))
    order = ranked(outcomes)
    verdict = order[0].verdict
    now = datetime.now(UTC)
    told = f"tinygrad-cnn {__version__}, NumPy {np.__version__}, Python {platform.python_version()}"
    title = f"Gradients: {totals(outcomes, seconds)}" if len(order) > 1 else f"Gradient of {order[0].name}"
    sections = "\n".join(_section(o, commands.get(o.name, ""), opened=len(order) == 1) for o in order)
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{escape(title)}</title>
<style>
{style}</style>
</head>
<body>
<header>
<h1>{"Every gradient, checked" if len(order) > 1 else f"Gradient of <code>{escape(order[0].name)}</code>"}</h1>
<p class="sum">{_badge(verdict)} {escape(totals(outcomes, seconds) if len(order) > 1 else counts(order[0]))}</p>
<p class="about">{escape(told)}, <time datetime="{now:%Y-%m-%dT%H:%MZ}">{now:%Y-%m-%d %H:%M} UTC</time></p>
</header>
<main>
{_table(order) if len(order) > 1 else ""}
<h2>{"One by one" if len(order) > 1 else "What was found"}</h2>
{sections}
<h2>How to read this</h2>
<p>Every derivative is compared with one found in another way: central differences, extrapolated, with an error bar.
Its <em>bound</em> is that error bar plus the tolerance; an error of 1 bound or more is a wrong gradient, once steps of
another kind confirm it. <em>Checks</em> are the claims that each op is put through: first and second order, linearity
in the cotangent, memory layouts, purity, float32, the adjoint identity on whole numbers where the op is linear, and the
declared gradients at its kinks.</p>
</main>
<script>
{script}</script>
</body>
</html>
"""


def _table(outcomes: Sequence[Outcome]) -> str:
    families = sorted({o.family for o in outcomes})
    heads = "".join(
        f'<th scope="col" class="{where}" data-kind="{kind}">{escape(name)}</th>' for name, kind, where in COLUMNS
    )
    options = "".join(f"<option>{escape(f)}</option>" for f in families)
    verdicts = "".join(f'<option value="{v.value}">{WORD[v]}</option>' for v in Verdict)
    return f"""<h2>All ops</h2>
<form class="filter" id="filter" hidden>
<label>Search <input type="search" id="words" placeholder="conv"></label>
<label>Family <select id="family"><option value="">all</option>{options}</select></label>
<label>Verdict <select id="verdict"><option value="">all</option>{verdicts}</select></label>
<output id="shown" aria-live="polite"></output>
</form>
<div class="scroll" role="region" aria-label="All ops" tabindex="0">
<table id="ops">
<caption>Those that do not pass come first. A name leads to the details.</caption>
<thead><tr>{heads}</tr></thead>
<tbody>
{"".join(_op_row(o) for o in outcomes)}</tbody>
</table>
</div>"""


def _op_row(o: Outcome) -> str:
    worst = -1.0 if o.worst is None else min(o.worst, 1e300)
    return (
        f'<tr data-family="{escape(o.family)}" data-verdict="{o.verdict.value}">'
        f'<th scope="row"><a href="#{_anchor(o)}">{escape(o.name)}</a></th>'
        f'<td class="wide">{escape(o.family)}</td>'
        f'<td class="wide number" data-value="{o.passed / max(len(o.trials), 1):.4f}">{o.passed}/{len(o.trials)}</td>'
        f'<td class="wide number">{len(o.samples)}</td>'
        f'<td class="number" data-value="{worst:.6g}">{ratio_text(o.worst)}</td>'
        f'<td class="wide number" data-value="{o.seconds:.4f}">{o.seconds:.2f} s</td>'
        f"<td>{_badge(o.verdict)}</td></tr>\n"
    )


def _section(o: Outcome, command: str, *, opened: bool) -> str:
    bad = o.verdict is not Verdict.PASS
    report = shown(o)
    parts = [f'<p class="formula">{escape(o.formula)}</p>'] if o.formula else []
    if bad:
        parts.append(f'<p class="reason"><strong>{escape(reason(o))}</strong></p>')
    parts += [f'<p class="reason">{escape(name)}: {escape(message)}</p>' for name, message in refuted(o)]
    if report is not None and (bad or opened):
        parts.append(_report(report))
    facts = [(f"Domain of {name}", words) for name, words in o.domain]
    facts += [("Kinks", "; ".join(o.kinks) or "none declared")] if o.family not in ("function", "NumPy pair") else []
    facts += [("Checks", "; ".join(f"{t.check} ({_part(t)})" for t in o.trials))]
    facts += [("Result", counts(o))]
    facts += [("Again", command)] if command else []
    listed = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(text)}</dd></div>" for name, text in facts)
    parts.append(f"<dl>{listed}</dl>")
    if o.ratios:
        parts.append(
            f"<figure>{histogram(o.ratios, o.name)}<figcaption>How far off the derivatives are, as a part of "
            "what each was allowed.</figcaption></figure>"
        )
    if o.samples:
        samples = "".join(f"<li>{escape(s)}</li>" for s in o.samples)
        parts.append(f"<details><summary>{many(len(o.samples), 'sample')}</summary><ol>{samples}</ol></details>")
    state = " open" if bad or opened else ""
    return (
        f'<details class="op" id="{_anchor(o)}"{state}><summary><h3>{escape(o.name)}</h3> {_badge(o.verdict)}</summary>'
        f"{''.join(parts)}</details>"
    )


def _report(report: Report) -> str:
    """The table of the worst entries, the diagnoses and the curve of the worst."""
    parts = []
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
        titles = ("input", "place", "analytic", "numeric", "±", "allowed", "verdict", *(("note",) if noted else ()))
        numbers = titles[2:6]
        heads = "".join(f'<th scope="col"{" data-kind=number" if t in numbers else ""}>{t}</th>' for t in titles)
        body = "".join(
            f'<tr{" class=worst" if k == 0 and not report else ""}><th scope="row">{escape(r.input)}</th>'
            f"<td>{escape(r.place)}</td>"
            + "".join(f'<td class="number">{escape(t)}</td>' for t in (r.analytic, r.numeric, r.error, r.allowed))
            + f"<td>{_badge(e.verdict)}</td>{f'<td>{escape(r.note)}</td>' if noted else ''}</tr>"
            for k, (e, r) in enumerate(worst)
        )
        more = f", of {len(report.entries)}" if len(report.entries) > len(worst) else ""
        parts.append(
            f'<div class="scroll" role="region" aria-label="Entries of {escape(report.function)}" tabindex="0"><table>'
            f"<caption>The worst {len(worst)} derivatives{more}</caption>"
            f"<thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>"
        )
        curve = step_curve(worst[0][0], report.noise)
        if curve:
            parts.append(
                f"<figure>{curve}<figcaption>The worst one: error of its central difference at each step (blue), "
                "rounding (dashed), and how far off the gradient is (red).</figcaption></figure>"
            )
    if report.smallest is not None:
        parts.append(f"<p>The smallest input found that fails: <code>{escape(smallest_text(report))}</code></p>")
    if report.oracles:
        parts.append(f"<p>Compared with {escape(', '.join(report.oracles))}.</p>")
    parts += [f"<p>{escape(note)}</p>" for note in report.notes]
    return "".join(parts)


def _badge(verdict: Verdict) -> str:
    mark = {Verdict.PASS: "✓", Verdict.FAIL: "✗", Verdict.INCONCLUSIVE: "?"}[verdict]
    return f'<span class="badge {verdict.value}"><span aria-hidden="true">{mark}</span> {WORD[verdict]}</span>'


def _anchor(o: Outcome) -> str:
    return "op-" + "".join(c if c.isalnum() or c in "-_" else "-" for c in o.name)


def _part(trial: Trial) -> str:
    told = [f"{len(trial.failures)} of {trial.runs} failed"] if trial.failures else []
    told += [f"{trial.undecided} of {trial.runs} inconclusive"] if trial.undecided else []
    return ", ".join(told) or str(trial.runs)
