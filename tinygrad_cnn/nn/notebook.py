"""What a notebook shows of a module: its layers, what goes in and comes out, and its parameters."""

from __future__ import annotations

from html import escape
from typing import Any

from tinygrad_cnn.core.types import Shape
from tinygrad_cnn.display import fragment, in_bytes, many, stacked_table
from tinygrad_cnn.nn.hooks import SHAPES
from tinygrad_cnn.nn.module import Module
from tinygrad_cnn.nn.parameter import UninitializedParameter

UNKNOWN = "?"
"""The number of parameters of a lazy layer before its first input."""


def notebook(module: Module) -> str:
    """The display of one module."""
    rows, counted = [], set[int]()
    for path, part in module.named_modules():
        own = [p for p in part._parameters.values() if p is not None]
        new = [p for p in own if id(p) not in counted]
        counted.update(map(id, own))
        ins, outs = SHAPES.get(part, ([], []))
        name = part._get_name()
        settings = " ".join(part.extra_repr().split())
        if part._modules and not own and not path and not settings:
            settings = many(len(part._modules), "part")
        said = f"<b>{escape(name)}</b>({escape(settings)})" if settings else f"<b>{escape(name)}</b>"
        note = "" if len(new) == len(own) else " (shared)"
        frozen = " frozen" if own and not any(p.requires_grad for p in own) else ""
        count = f"{_count(new)}{note}{frozen}" if own else ""
        rows.append([f"<code>{escape(path or '(whole)')}</code>", said, shapes_text(ins), shapes_text(outs), count])
    parameters = list(module.parameters())
    trained = [p for p in parameters if p.requires_grad]
    buffers = list(module.buffers())
    facts = [f"<b>{many_of(parameters)}</b>", f"{_count(trained)} of them trained" if trained != parameters else ""]
    facts += [_memory(parameters), many(len(buffers), "buffer") if buffers else "", _mode(module)]
    heads = ["module", "layer", "in", "out", "parameters"]
    called = any(line[2] or line[3] for line in rows)
    if not called:
        heads, rows = heads[:2] + heads[4:], [line[:2] + line[4:] for line in rows]
    notes = [] if called else ['<p class="tg-note">Shapes stand here once the module was called.</p>']
    return fragment(
        f'<p class="tg-head">{escape(module._get_name())}</p>'
        f'<p class="tg-facts">{" · ".join(fact for fact in facts if fact)}</p>'
        f"{stacked_table(heads, rows, numbers=(len(heads) - 1,), wraps=(1,))}{''.join(notes)}"
    )


def shapes_text(shapes: list[Shape]) -> str:
    """The shapes of several tensors."""
    return ", ".join(str(tuple(shape)) for shape in shapes)


def many_of(parameters: list[Any]) -> str:
    """How many numbers they hold."""
    count = _count(parameters)
    return f"{count} parameter{'' if count == '1' else 's'}"


def _count(parameters: list[Any]) -> str:
    known = [p for p in parameters if not isinstance(p, UninitializedParameter)]
    total = f"{sum(p.numel() for p in known):,}"
    return total if len(known) == len(parameters) else UNKNOWN if not known else f"{total} + {UNKNOWN}"


def _memory(parameters: list[Any]) -> str:
    known = [p for p in parameters if not isinstance(p, UninitializedParameter)]
    return in_bytes(sum(p.numel() * p.element_size() for p in known)) if known else ""


def _mode(module: Module) -> str:
    return "in training mode" if module.training else "in eval mode"
