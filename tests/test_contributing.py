"""The three examples of CONTRIBUTING.md, followed to the letter in a copy of the package: they work, and are short.

And the page on the architecture, which CONTRIBUTING.md sends readers to, draws the floors that a test keeps.
"""

import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path
from textwrap import dedent, indent

import pytest

import tinygrad_cnn

ROOT, PACKAGE = Path(__file__).parent.parent, Path(tinygrad_cnn.__file__).parent
EXAMPLES = {
    "How to add a function": (3, 2),
    "How to add a layer": (4, 2),
    "How to add an op": (10, 6),
}
"""The heading of each, and the most places and files that it may touch."""
STEP = re.compile(
    r"^\d+\. In `(?P<file>[^`]+)`,\s+"
    r"(?:add\s+`(?P<item>[^`]+)`\s+to\s+`(?P<list>[^`]+)`"
    r"|after\s+`(?P<before>[^`]+)`,.*?\n\n   ```python\n(?P<code>.*?)^   ```$)",
    re.M | re.S,
)
"""A place of an example: an item to add to a list, or code to put after a statement."""
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
    """What is to be done in each place of an example."""
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    section = page.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    found = list(STEP.finditer(section))
    assert len(found) == len(re.findall(r"^\d+\.", section, re.M)) > 0, "a place that is not given as the others are"
    assert sum(step["code"] is not None for step in found) == section.count("```python")
    return found


def with_step(text, step):
    """The text of a file with the code after the statement that begins so, or with one more item in the list."""
    lines = text.splitlines(keepends=True)
    begins = f"{step['list']} = " if step["list"] else step["before"]
    found = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.stmt)]
    first_lines = [(node, lines[node.lineno - 1][node.col_offset :]) for node in found]
    (statement,) = [node for node, line in first_lines if re.match(rf"{re.escape(begins)}(?!\w)", line)]
    place = statement.end_lineno
    if step["list"]:
        place -= 1
        assert lines[place].strip()[0] in "]}", f"{step['list']} does not end on a line of its own"
        code = f"    {step['item']}\n"
    else:
        code = indent(dedent(step["code"]), " " * statement.col_offset)
        if isinstance(statement, (ast.ClassDef, ast.FunctionDef)):
            code = f"\n\n{code}"
    return "".join([*lines[:place], code, *lines[place:]])


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """A copy of the package and of some tests, with all three examples in it."""
    folder = tmp_path_factory.mktemp("contributing")
    without = shutil.ignore_patterns("__pycache__", "*.npz")
    shutil.copytree(PACKAGE, folder / "tinygrad_cnn", ignore=without)
    for room in ("ops", "nn", "tensor", "typing"):
        shutil.copytree(ROOT / "tests" / room, folder / "tests" / room, ignore=without)
    shutil.copy(PACKAGE.parent / "pytest_tinygrad_cnn.py", folder)
    for name in ("pyproject.toml", "tests/conftest.py", "tests/public_names.txt"):
        shutil.copy(ROOT / name, folder / name)
    for heading in EXAMPLES:
        for step in steps(heading):
            path = folder / step["file"]
            path.write_text(with_step(path.read_text(encoding="utf-8"), step), encoding="utf-8")
    (folder / "used.py").write_text(f"import sys\nsys.path.insert(0, {str(folder)!r})\n{USED}", encoding="utf-8")
    return folder


@pytest.mark.parametrize("heading", EXAMPLES)
def test_an_addition_touches_few_places(heading):
    found = steps(heading)
    places, files = EXAMPLES[heading]
    assert len(found) <= places
    assert len({step["file"] for step in found}) <= files


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


def test_no_other_test_asks_for_one_place_more(copy):
    files = ["tests/tensor/test_methods.py", "tests/nn/test_names.py"]
    command = [sys.executable, "-m", "pytest", "-q", "-n", "0", *files, "-k", "isru or log_cosh or test_names"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=copy, check=False)
    assert done.returncode == 0, done.stdout


def test_the_page_on_the_architecture_draws_the_floors_that_are_kept():
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    drawn = [re.findall(r"`([^`]+)`", rooms) for rooms in re.findall(r"^\| \d+ \| ([^|]*) \|", page, re.M)]
    source = ast.parse((ROOT / "tests" / "test_floors.py").read_text(encoding="utf-8"))
    (floors,) = [n.value for n in source.body if isinstance(n, ast.Assign) and n.targets[0].id == "FLOORS"]
    kept = {}
    for name, height in ast.literal_eval(floors).items():
        path = PACKAGE / name.replace(".", "/")
        if path.is_dir() or path.with_suffix(".py").exists():
            kept.setdefault(height, set()).add(name)
    shown = [{room.removesuffix(".py").strip("/").replace("/", ".") for room in rooms} for rooms in drawn]
    assert shown == [kept[height] for height in sorted(kept, reverse=True)]
