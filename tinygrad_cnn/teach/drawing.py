"""`draw`: the graph of a computation as a picture (SVG) or as text for Mermaid, without Graphviz."""

from __future__ import annotations

import os
from collections import defaultdict
from dataclasses import dataclass, field
from html import escape
from itertools import pairwise
from pathlib import Path
from typing import Any

from tinygrad_cnn.core.tensor import Tensor
from tinygrad_cnn.files import write_atomically
from tinygrad_cnn.program import Program, record
from tinygrad_cnn.teach.explain import from_graph
from tinygrad_cnn.teach.words import SYMBOLS

__all__ = ["Drawing", "draw"]

HIGH, GAP, BESIDE, LETTER = 46, 34, 22, 7.4
"""Of a box: its height, the distance to the next row and to its neighbour, and the width of a letter."""
MOST = 400
"""More boxes are too many to look at."""
STYLE = """
svg.graph{font:13px ui-monospace,Menlo,Consolas,"DejaVu Sans Mono",monospace;--ink:#1c2024;--soft:#59616a;
--line:#b9b4aa;--card:#fff;--leaf:#f4f2ed;--want:#b0125b;max-width:100%;height:auto;background:#faf9f6}
svg.graph .box{fill:var(--card);stroke:var(--line)}svg.graph .leaf{fill:var(--leaf)}
svg.graph .wants{stroke:var(--want)}svg.graph text{fill:var(--ink)}svg.graph .soft{fill:var(--soft);font-size:11px}
svg.graph path{fill:none;stroke:var(--soft)}svg.graph marker path{fill:var(--soft);stroke:none}
@media (prefers-color-scheme:dark){svg.graph{--ink:#ebe8e2;--soft:#a5adb6;--line:#4a525c;--card:#1b1e23;--leaf:#22262c;
--want:#ff83b6;background:#14161a}}
"""


@dataclass
class Box:
    """A value: of an op, or a leaf."""

    number: int
    head: str
    below: str
    leaf: bool
    wants: bool
    parents: list[int] = field(default_factory=list)
    layer: int = 0
    x: float = 0.0
    y: float = 0.0
    thin: bool = False
    """A place on a long edge, no box."""

    @property
    def wide(self) -> float:
        """Its width."""
        return 8.0 if self.thin else 26 + LETTER * max(len(self.head), len(self.below), 5)


class Drawing:
    """A picture of a graph: notebooks show it; `svg` and `mermaid` are its text, `save` writes it to a file."""

    def __init__(self, program: Program) -> None:
        self.boxes = _boxes(program)
        if len(self.boxes) > MOST:
            raise ValueError(
                f"draw: the graph has {len(self.boxes)} boxes, at most {MOST} can be looked at; teach.explain folds "
                "modules"
            )

    @property
    def mermaid(self) -> str:
        """A flow chart for Mermaid, as Markdown of GitHub and others shows it."""
        lines = ["flowchart TD"]
        for box in self.boxes.values():
            text = f"{_quoted(box.head)}<br/>{_quoted(box.below)}"
            lines.append(f'    v{box.number}(["{text}"])' if box.leaf else f'    v{box.number}["{text}"]')
        lines += [f"    v{parent} --> v{box.number}" for box in self.boxes.values() for parent in box.parents]
        return "\n".join(lines)

    @property
    def svg(self) -> str:
        """The picture, forward from top to bottom."""
        boxes, edges = _laid_out({n: Box(**vars(box)) for n, box in self.boxes.items()})
        left = min((b.x - b.wide / 2 for b in boxes.values()), default=0.0) - 12
        right = max((b.x + b.wide / 2 for b in boxes.values()), default=0.0) + 12
        top, low = -HIGH / 2 - 12, max((b.y for b in boxes.values()), default=0.0) + HIGH / 2 + 12
        wide, high = f"{right - left:.0f}", f"{low - top:.0f}"
        parts = [
            f'<svg class="graph" xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{escape(self.said())}" '
            f'width="{wide}" height="{high}" viewBox="{left:.0f} {top:.0f} {wide} {high}"><style>{STYLE}</style>',
            '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
            '<path d="M0 0L8 4L0 8z"/></marker></defs>',
        ]
        for points in edges:
            (x, y), text = points[0], ""
            for a, b in points[1:]:
                bend = (b - y) / 2
                text += f"C{x:.1f} {y + bend:.1f} {a:.1f} {b - bend:.1f} {a:.1f} {b:.1f}"
                x, y = a, b
            parts.append(f'<path d="M{points[0][0]:.1f} {points[0][1]:.1f}{text}" marker-end="url(#tip)"/>')
        for box in boxes.values():
            if not box.thin:
                kind = f"box{' leaf' if box.leaf else ''}{' wants' if box.wants else ''}"
                corner, x, y = (HIGH / 2 if box.leaf else 8), box.x - box.wide / 2, box.y - HIGH / 2
                size = f'x="{x:.1f}" y="{y:.1f}" width="{box.wide:.1f}" height="{HIGH}" rx="{corner}"'
                middle = f'x="{box.x:.1f}" text-anchor="middle"'
                parts.append(
                    f'<g><rect class="{kind}" {size}/><text {middle} y="{box.y - 3:.1f}">{escape(box.head)}</text>'
                    f'<text class="soft" {middle} y="{box.y + 14:.1f}">{escape(box.below)}</text></g>'
                )
        return "".join([*parts, "</svg>"])

    def said(self) -> str:
        """The graph in a sentence."""
        ops = sum(not box.leaf for box in self.boxes.values())
        return f"A graph of {ops} ops: " + ", ".join(box.head for box in list(self.boxes.values())[:12])

    def _repr_svg_(self) -> str:
        return self.svg

    def __repr__(self) -> str:
        return self.mermaid

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the picture to a file: .svg, .html, or .mmd for Mermaid."""
        path = Path(path)
        kinds = {".svg": self.svg, ".mmd": self.mermaid}
        if path.suffix == ".html":
            text = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Graph</title>{self.svg}</html>'
        elif path.suffix in kinds:
            text = kinds[path.suffix]
        else:
            raise ValueError(f"save: {path.name} ends in none of .svg, .html and .mmd")
        write_atomically(path, text.encode())
        return path


def draw(what: Any, /, *inputs: Any) -> Drawing:
    """Draw the graph of a loss, of a recorded `Program`, or of a function of the inputs.

    Examples
    --------
    >>> from tinygrad_cnn import tensor
    >>> x = tensor([1.0, 2.0], requires_grad=True)
    >>> print(draw((x * 3).sum()).mermaid)
    flowchart TD
        v0(["x<br/>(2,)"])
        v1["× mul<br/>(2,)"]
        v2["Σ sum<br/>scalar"]
        v0 --> v1
        v1 --> v2
    """
    if isinstance(what, Program):
        program = what
    elif isinstance(what, Tensor):
        program = from_graph(what if what.array.size == 1 else what.sum())  # type: ignore[attr-defined] # has its methods
    elif callable(what):
        program = record(what, *inputs)
    else:
        raise TypeError(f"draw: expected a loss, a Program or a function, got {type(what).__name__}")
    return Drawing(program)


def _quoted(text: str) -> str:
    return escape(text).replace("&quot;", "#quot;").replace("&", "#").replace("#amp;", "#amp;")


def _boxes(program: Program) -> dict[int, Box]:
    """A box for each line, and for each leaf that a line takes; numbers stand in the box of their op."""
    alias = program.aliases()

    def at(number: int) -> int:
        while number in alias:
            number = alias[number]
        return number

    boxes: dict[int, Box] = {}
    for line in program.lines:
        if line.outputs[0] in alias:
            continue
        taken = [at(n) for n in line.inputs]
        values = [program.values[n] for n in taken]
        literals = [v.label() for v in values if v.literal]
        for value in values:
            if value.number not in boxes and not value.literal:
                label = value.label() if value.name else f"x{value.number}"
                boxes[value.number] = Box(value.number, label, _shape(value.shape), True, value.wants)
        out = program.values[line.outputs[0]]
        head = " ".join([SYMBOLS.get(line.op, line.op.lower()), *literals])
        name = f"{out.name} " if out.name else ""
        parents = [v.number for v in values if not v.literal]
        boxes[out.number] = Box(out.number, head, f"{name}{_shape(out.shape)}", False, False, parents)
    return boxes


def _shape(shape: Any) -> str:
    return str(tuple(shape)) if shape else "scalar"


def _laid_out(boxes: dict[int, Box]) -> tuple[dict[int, Box], list[list[tuple[float, float]]]]:
    """Places: layers by the longest path, their order by the middle of the neighbours, no two boxes on each other."""
    children = defaultdict(list)
    for box in boxes.values():
        for parent in box.parents:
            children[parent].append(box.number)
    for box in boxes.values():  # in order: parents come before
        box.layer = 1 + max((boxes[p].layer for p in box.parents), default=-1)
    for box in boxes.values():
        if box.leaf and children[box.number]:
            box.layer = min(boxes[c].layer for c in children[box.number]) - 1
    chains: list[list[int]] = []
    fresh = max(boxes, default=0) + 1
    for box in list(boxes.values()):
        for parent in box.parents:
            chain = [parent]
            for layer in range(boxes[parent].layer + 1, box.layer):
                boxes[fresh] = Box(fresh, "", "", False, False, layer=layer, thin=True)
                chain.append(fresh)
                fresh += 1
            chains.append([*chain, box.number])
    near: dict[int, list[int]] = defaultdict(list)
    for chain in chains:
        for a, b in pairwise(chain):
            near[a].append(b)
            near[b].append(a)
    layers: dict[int, list[Box]] = defaultdict(list)
    for box in boxes.values():
        layers[box.layer].append(box)
    for row in layers.values():
        for k, box in enumerate(row):
            box.x = 120.0 * k
    for turn in range(24):
        for number in sorted(layers, reverse=bool(turn % 2)):
            row = layers[number]
            wish = {}
            for box in row:
                around = [n for n in near[box.number] if not boxes[n].leaf] or near[box.number] or [box.number]
                wish[box.number] = sum(boxes[n].x for n in around) / len(around)
            row.sort(key=lambda b: (wish[b.number], b.leaf))
            _apart(row, wish)
    for box in boxes.values():
        box.y = box.layer * (HIGH + GAP)
    edges = []
    for chain in chains:
        first, last = boxes[chain[0]], boxes[chain[-1]]
        inner = [(boxes[n].x, boxes[n].y) for n in chain[1:-1]]
        edges.append([(first.x, first.y + HIGH / 2), *inner, (last.x, last.y - HIGH / 2 - 2)])
    return boxes, edges


def _apart(row: list[Box], wish: dict[int, float]) -> None:
    """Put boxes as near to where they wish to be as their widths allow: the best fit that keeps their order.

    Leaves give way to ops, so that a chain of ops is a straight line.
    """
    offset = 0.0
    blocks: list[_Block] = []
    for k, box in enumerate(row):
        if k:
            offset += (row[k - 1].wide + box.wide) / 2 + BESIDE
        weight = 0.02 if box.leaf else 1.0
        blocks.append(_Block(weight * (wish[box.number] - offset), weight, [(box, offset)]))
        while len(blocks) > 1 and blocks[-2].mean > blocks[-1].mean:
            last = blocks.pop()
            before = blocks[-1]
            members = before.members + last.members
            blocks[-1] = _Block(before.total + last.total, before.weight + last.weight, members)
    for block in blocks:
        for box, at in block.members:
            box.x = block.mean + at


@dataclass
class _Block:
    """Boxes that stand side by side, and the weighted sum of where they wish to begin."""

    total: float
    weight: float
    members: list[tuple[Box, float]]

    @property
    def mean(self) -> float:
        return self.total / self.weight
