"""Checked gradients as one HTML file that needs nothing else: its style, script and drawings are in it."""

import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from html import escape
from importlib import resources

import numpy as np

from tinygrad_cnn.cli.gradcheck_display import counts, ranked, ratio_text, reason, refuted, shown, totals
from tinygrad_cnn.display import document, many
from tinygrad_cnn.gradcheck.notebook import badge, findings
from tinygrad_cnn.gradcheck.svg import histogram
from tinygrad_cnn.gradcheck.sweep import WORD, Outcome, Trial
from tinygrad_cnn.gradcheck.verdicts import Verdict
from tinygrad_cnn.version import __version__

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
    body = f"""<header>
<h1>{"Every gradient, checked" if len(order) > 1 else f"Gradient of <code>{escape(order[0].name)}</code>"}</h1>
<p class="tg-lead">{badge(verdict)} {escape(totals(outcomes, seconds) if len(order) > 1 else counts(order[0]))}</p>
<p class="tg-facts">{escape(told)}, <time datetime="{now:%Y-%m-%dT%H:%MZ}">{now:%Y-%m-%d %H:%M} UTC</time></p>
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
</main>"""
    return document(title, body, extra_style=style, script=script)


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
<div class="tg-scroll" role="region" aria-label="All ops" tabindex="0">
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
        f"<td>{badge(o.verdict)}</td></tr>\n"
    )


def _section(o: Outcome, command: str, *, opened: bool) -> str:
    bad = o.verdict is not Verdict.PASS
    report = shown(o)
    parts = [f'<p class="formula">{escape(o.formula)}</p>'] if o.formula else []
    if bad:
        parts.append(f'<p class="reason"><strong>{escape(reason(o))}</strong></p>')
    parts += [f'<p class="reason">{escape(name)}: {escape(message)}</p>' for name, message in refuted(o)]
    if report is not None and (bad or opened):
        parts.append(findings(report))
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
        f'<details class="op" id="{_anchor(o)}"{state}><summary><h3>{escape(o.name)}</h3> {badge(o.verdict)}</summary>'
        f"{''.join(parts)}</details>"
    )


def _anchor(o: Outcome) -> str:
    return "op-" + "".join(c if c.isalnum() or c in "-_" else "-" for c in o.name)


def _part(trial: Trial) -> str:
    told = [f"{len(trial.failures)} of {trial.runs} failed"] if trial.failures else []
    told += [f"{trial.undecided} of {trial.runs} inconclusive"] if trial.undecided else []
    return ", ".join(told) or str(trial.runs)
