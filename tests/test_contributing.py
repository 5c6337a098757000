"""The three examples of CONTRIBUTING.md, followed to the letter in a copy of the package: they work, and are short."""

import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path
from textwrap import dedent, indent

import pytest

ROOT = Path(__file__).parent.parent
EXAMPLES = {
    "How to add a function": (3, 2),
    "How to add a layer": (4, 2),
    "How to add an op": (10, 6),
}
"""The heading of each, and the most places and files that it may touch."""
STEP = re.compile(r"^\d+\. In `([^`]+)`,\s+(after|in)\s+`([^`]+)`,.*?\n\n   ```python\n(.*?)^   ```$", re.M | re.S)
USED = """
import inspect
import numpy as np
import tinygrad_cnn as tg
from tinygrad_cnn import nn, ops
from tinygrad_cnn.gradcheck import gradcheck, gradgradcheck
from tinygrad_cnn.nn import functional as F

x = tg.tensor([[-30.0, -0.5], [0.25, 2.0]], dtype=tg.float64, requires_grad=True)
array = x.detach().numpy()


def same(found, expected):
    assert type(found) is type(expected) or isinstance(found, tg.Tensor), type(found)
    np.testing.assert_allclose(np.asarray(found.detach() if isinstance(found, tg.Tensor) else found), expected, 1e-9)


isru, log_cosh, squareplus = array / np.sqrt(1 + array**2), np.log(np.cosh(array)), (array + np.sqrt(array**2 + 4)) / 2
for name, expected in (("isru", isru), ("log_cosh", log_cosh)):
    function, out = getattr(tg, name), tg.zeros(2, 2, dtype=tg.float64)
    assert function(x.detach(), out=out) is out
    for found in (function(x), getattr(ops, name)(x), getattr(x, name)(), out):
        assert isinstance(found, tg.Tensor)
        same(found, expected)
    assert isinstance(getattr(ops, name)(array), np.ndarray)
    same(getattr(ops, name)(array), expected)
    assert name in tg.__all__ and name in ops.__all__
    assert gradcheck(function, x) and gradgradcheck(function, x)
written = x.detach().clone()
assert written.isru_() is written
same(written, isru)
assert "isru" in F.__all__ and F.isru is ops.isru
for layer, expected in ((nn.ISRU(), isru), (nn.Squareplus(), squareplus)):
    assert type(layer).__name__ in nn.__all__
    same(layer(x), expected)
    assert gradcheck(layer, x)
assert "squareplus" in F.__all__
assert (repr(nn.ISRU()), repr(nn.Squareplus(2.0))) == ("ISRU()", "Squareplus(b=2.0)")
same(F.squareplus(x, 1.0), (array + np.sqrt(array**2 + 1)) / 2)
"""


def steps(heading):
    """(file, "after" or "in", of what, code) of each place of an example."""
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    section = page.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    found = [(file, where, of, dedent(code)) for file, where, of, code in STEP.findall(section)]
    assert len(found) == section.count("```python") > 0, "a place that is not given as the others are"
    return found


def with_code(text, where, of, code):
    """The text of a file with the code after the statement that begins so, or as one more of a list or dict."""
    lines = text.splitlines(keepends=True)
    begins = re.compile(rf"{re.escape(of)} = " if where == "in" else rf"{re.escape(of)}(?!\w)")
    found = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.stmt)]
    (statement,) = [s for s in found if begins.match(lines[s.lineno - 1][s.col_offset :])]
    place = statement.end_lineno
    if where == "in":
        place -= 1
        assert lines[place].strip()[0] in "]}", f"{of} does not end on a line of its own"
        code = indent(code, "    ")
    else:
        code = indent(code, " " * statement.col_offset)
        if isinstance(statement, (ast.ClassDef, ast.FunctionDef)):
            code = f"\n\n{code}"
    return "".join([*lines[:place], code, *lines[place:]])


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """A copy of the package and of the tests of ops, with all three examples in it."""
    folder = tmp_path_factory.mktemp("contributing")
    without = shutil.ignore_patterns("__pycache__", "*.npz")
    shutil.copytree(ROOT / "tinygrad_cnn", folder / "tinygrad_cnn", ignore=without)
    shutil.copytree(ROOT / "tests" / "ops", folder / "tests" / "ops", ignore=without)
    for name in ("pyproject.toml", "pytest_tinygrad_cnn.py", "tests/conftest.py"):
        shutil.copy(ROOT / name, folder / name)
    for heading in EXAMPLES:
        for file, where, of, code in steps(heading):
            path = folder / file
            path.write_text(with_code(path.read_text(encoding="utf-8"), where, of, code), encoding="utf-8")
    (folder / "used.py").write_text(f"import sys\nsys.path.insert(0, {str(folder)!r})\n{USED}", encoding="utf-8")
    return folder


@pytest.mark.parametrize("heading", EXAMPLES)
def test_an_addition_touches_few_places(heading):
    found = steps(heading)
    places, files = EXAMPLES[heading]
    assert len(found) <= places
    assert len({file for file, *_ in found}) <= files


def test_what_the_examples_add_is_there_and_works(copy):
    done = subprocess.run([sys.executable, "used.py"], capture_output=True, text=True, cwd=copy, check=False)
    assert done.returncode == 0, done.stderr


def test_the_tests_of_ops_find_the_new_op_and_pass(copy):
    command = [sys.executable, "-m", "pytest", "-v", "-n", "0", "tests/ops", "-k", "Isru or reference"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=copy, check=False)
    assert done.returncode == 0, done.stdout
    for test in ("test_forward.py::test_values", "test_gradients.py::test_every_op_passes_every_check"):
        assert re.search(rf"{test}\[Isru\] +PASSED", done.stdout), done.stdout
    assert re.search(r"test_a_rule_off_by_one_percent_fails\[Isru-0\] +PASSED", done.stdout), done.stdout
