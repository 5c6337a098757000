"""Writes the pages of the ops from the registry: their mathematics, where they are defined, their kinks, and a picture.

A picture shows a function of one number and its derivative, as the package computes both.
"""

import importlib
import inspect
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
from made import at_the_beginning, first_sentence, keep
from sphinx.application import Sphinx

import tinygrad_cnn as tg
from tinygrad_cnn.core.op import registry

FOLDER = Path(__file__).parent.parent / "reference" / "ops"
POINTS = np.linspace(-3.5, 3.5, 701)


def drawn(op: Any, file: Path) -> bool:
    """Draw an op of one number and its derivative, if it is one and pyplot is there."""
    if op.inputs != ("x",) or op.options or not op.rules or not op.broadcasts:
        return False
    with np.errstate(all="ignore"):
        x = tg.tensor(POINTS, requires_grad=True)
        try:
            y = op.apply(x)
        except (TypeError, ValueError, RuntimeError):
            return False
        if y.shape != x.shape or not y.requires_grad:
            return False
        y.sum().backward()
    values, slopes = (np.where(np.abs(a) < 6, a, np.nan) for a in (y.detach().numpy(), x.grad.numpy()))
    if not np.isfinite(values).any():
        return False
    plt = importlib.import_module("matplotlib.pyplot")
    figure, axes = plt.subplots(figsize=(4.2, 2.6), layout="constrained")
    axes.axhline(0, color="#bbb", lw=0.8), axes.axvline(0, color="#bbb", lw=0.8)
    axes.plot(POINTS, values, color="#1f5fa8", lw=2, label="y")
    axes.plot(POINTS, slopes, color="#c2571a", lw=1.6, ls="--", label="dy/dx")
    axes.legend(frameon=False), axes.set_xlabel("x")
    figure.savefig(file, format="svg", metadata={"Date": None})
    plt.close(figure)
    return True


def entry(name: str, op: Any) -> str:
    """What a page says of one op."""
    lines = [f"## {name}", ""]
    text = inspect.getdoc(op) or op.formula()
    formula, _, rest = text.partition("\n\n")
    lines += ["```text", formula.strip(), "```", ""]
    if rest:
        lines += [" ".join(rest.split()), ""]
    for argument, domain in op.domain.items():
        lines.append(f"- **Domain** of `{argument}`, where the tests draw it: `{domain}`")
    lines += [f"- **Kink**: {kink.where}; the gradient there is {shown(kink.gradients)}" for kink in op.kinks]
    file = FOLDER / f"{name}.svg"
    if drawn(op, file):
        lines += ["", f"![{name} and its derivative]({file.name})"]
    return "\n".join([*lines, ""])


def shown(gradients: Any) -> str:
    """Gradients at a kink, in few words."""
    text = ", ".join(str(np.asarray(g).tolist()) for g in gradients if g is not None)
    return f"`{text}`" if text else "0"


def write(app: Sphinx) -> None:
    """Write a page for each family."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    by_family: dict[str, list[str]] = defaultdict(list)
    for name, op in registry.items():
        if op.__module__.startswith("tinygrad_cnn."):
            by_family[op.__module__.rpartition(".")[2]].append(name)
    for family, names in by_family.items():
        homes = {registry[name].__module__ for name in names}
        intro = first_sentence(importlib.import_module(min(homes)))
        title = f"# {family.replace('_', ' ').capitalize()}"
        text = "\n".join([title, "", intro, "", *[entry(name, registry[name]) for name in sorted(names)]])
        keep(FOLDER / f"{family}.md", text)
    index = [
        "# The ops",
        "",
        "What everything else is composed of: a forward rule and a derivative for each input.",
        "`dx` is the cotangent of `x` when `g` is that of the output.",
        "",
        "```{toctree}",
        ":maxdepth: 1",
        "",
        *sorted(by_family),
        "```",
        "",
    ]
    keep(FOLDER / "index.md", "\n".join(index))


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    return at_the_beginning(app, write)
