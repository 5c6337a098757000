"""`draw`: each op once, each edge once, nothing on top of anything else, and text that cannot break out."""

import re
from xml.etree import ElementTree

import pytest

import tinygrad_cnn as tg
from tinygrad_cnn.program import record
from tinygrad_cnn.teach import draw


def fork(a, b, c):
    s = a * b + c
    return s.relu() + s * a


def leaves():
    return [tg.tensor(v, requires_grad=True) for v in (2.0, -1.5, 4.0)]


def test_mermaid_has_each_op_and_each_edge():
    lines = draw(fork, *leaves()).mermaid.splitlines()
    boxes = dict(re.match(r'    (v\d+)[\[(]+"(.*?)<br/>', line).groups() for line in lines if "<br/>" in line)
    edges = [tuple(boxes[v] for v in line.split(" --> ")) for line in (row.strip() for row in lines) if "-->" in line]
    assert sorted(edges) == sorted(
        [("a", "× mul"), ("b", "× mul"), ("× mul", "+ add"), ("c", "+ add"), ("+ add", "ReLU"), ("+ add", "× mul"),
         ("a", "× mul"), ("ReLU", "+ add"), ("× mul", "+ add")]
    )  # fmt: skip


def test_the_picture_has_them_too_and_boxes_do_not_overlap():
    drawing = draw(fork, *leaves())
    root = ElementTree.fromstring(drawing.svg)
    ns = "{http://www.w3.org/2000/svg}"
    rects = [{k: float(r.get(k)) for k in ("x", "y", "width", "height")} for r in root.iter(f"{ns}rect")]
    assert len(rects) == 8
    for k, a in enumerate(rects):
        for b in rects[:k]:
            beside = a["x"] + a["width"] <= b["x"] + 0.2 or b["x"] + b["width"] <= a["x"] + 0.2
            assert beside or abs(a["y"] - b["y"]) >= a["height"]
    x, y, wide, high = map(float, root.get("viewBox").split())
    assert all(x <= r["x"] and r["x"] + r["width"] <= x + wide and y <= r["y"] and r["y"] <= y + high for r in rects)
    assert len([p for p in root.iter(f"{ns}path") if p.get("marker-end")]) == 9


def test_a_loss_a_program_and_a_function_are_drawn_alike():
    a, b, c = leaves()
    by_graph = draw(fork(a, b, c)).mermaid
    by_program = draw(record(fork, a, b, c)).mermaid
    assert by_graph.count("-->") == by_program.count("-->") == 9


def test_names_are_escaped(tmp_path):
    program = record(lambda x: (x * 2).sum(), tg.ones(2))
    program.values[0].name = '</script><b>"]'
    drawing = draw(program)
    assert "<b>" not in drawing.svg
    assert '"]"]' not in drawing.mermaid
    assert "<b>" not in drawing.save(tmp_path / "g.html").read_text(encoding="utf-8")


def test_wrong_use_is_refused(tmp_path):
    with pytest.raises(TypeError, match="expected a loss, a Program or a function, got int"):
        draw(3)
    with pytest.raises(ValueError, match=r"ends in none of .svg, .html and .mmd"):
        draw(fork, *leaves()).save(tmp_path / "graph.png")

    def many(x):
        for _ in range(500):
            x = x * 0.9
        return x

    with pytest.raises(ValueError, match="501 boxes, at most 400"):
        draw(many, tg.ones(2))
