"""Messages are for readers: nothing in `gradcheck` or in the command line asks the text of one what to do."""

import ast
from pathlib import Path

import pytest

import tinygrad_cnn

PACKAGE = Path(tinygrad_cnn.__file__).parent
FILES = [
    *sorted(PACKAGE.glob("gradcheck/*.py")),
    *sorted(PACKAGE.glob("cli/*.py")),
    PACKAGE.parent / "pytest_tinygrad_cnn.py",
]
SAID = {"problem", "reason", "message", "headline", "args"}
"""Attributes and methods that hold what a reader is shown."""

CAUGHT = {"error", "problem", "wrong", "bad", "e", "exception", "caught"}
"""What exceptions are called."""

SEARCHES = {"startswith", "endswith", "find", "index", "count", "isdigit", "partition", "match", "search", "fullmatch"}


def is_message(node):
    """An expression such as `str(error)`, `report.problem`, `report.headline()` or `entry.reason[:4]`."""
    if isinstance(node, ast.Subscript):
        return is_message(node.value)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return node.func.id in ("str", "repr") and any(isinstance(a, ast.Name) and a.id in CAUGHT for a in node.args)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return is_message(node.func) or is_message(node.func.value)
    return isinstance(node, ast.Attribute) and node.attr in SAID


def is_text(node):
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and bool(node.value))


def is_name(node):
    return isinstance(node, ast.Attribute) and node.attr == "name"


def compares_text(left, op, right):
    if isinstance(op, ast.In | ast.NotIn) and is_message(right):
        return True
    return (is_message(left) and is_text(right)) or (is_text(left) and is_message(right))


def searches_text(call):
    if not isinstance(call.func, ast.Attribute) or call.func.attr not in SEARCHES:
        return False
    return is_name(call.func.value) or any(is_message(a) for a in (call.func.value, *call.args))


def asked(source):
    """The lines on which the text of a message decides something."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Compare):
            lefts = [node.left, *node.comparators[:-1]]
            if any(map(compares_text, lefts, node.ops, node.comparators)):
                yield node.lineno
        elif isinstance(node, ast.Call) and searches_text(node):
            yield node.lineno


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_no_message_is_asked_what_to_do(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    assert [lines[n - 1].strip() for n in asked("\n".join(lines))] == []


@pytest.mark.parametrize(
    "source",
    [
        'if str(error).startswith("gradcheck:"): pass',
        'hint = "choose inputs" in report.problem',
        'note = "at a kink" if e.reason.startswith("at a kink") else e.reason',
        'mine = [e for e in entries if e.reason[:4] != "proj"]',
        'whole = e.name.startswith("⟨")',
        're.search("kink", str(error))',
        'bad = "wrong" in report.headline()',
    ],
)
def test_asking_a_message_is_noticed(source):
    assert list(asked(source)) == [1]
