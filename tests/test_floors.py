"""The floors of docs/architecture.md: imports go downwards, without circles, and nothing optional is pulled in."""

import ast
import functools
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "tinygrad_cnn"
FLOORS = {
    "types": 0, "version": 0, "atomic": 0, "promotion": 0, "errors": 0, "kernels": 0,
    "dtypes": 0, "size": 0, "device": 0, "conversion": 0, "cuda": 0, "backends": 0, "accelerator": 0, "absent": 0,
    "onnx": 0,
    "ops": 1,
    "linalg": 2, "legacy_types": 2, "functions": 2, "functional": 2, "inquiry": 2, "settings": 0,
    "autograd": 2, "random": 2, "tensor": 2, "numpy_protocol": 2, "creation": 2, "sampling": 2,
    "nn": 3, "optim": 3, "utils": 3, "data": 3, "transforms": 3, "datasets": 3, "gradcheck": 3,
    "distributions": 3, "testing": 3,
    "teach": 4, "io": 4, "func": 4,
    "serialization": 5, "cli": 5, "__main__": 6,
}  # fmt: skip
SIDEWAYS = {
    ("optim", "nn"),
    ("data", "utils"), ("transforms", "nn"), ("datasets", "utils"), ("datasets", "transforms"),
}  # fmt: skip
"""Rooms of the same floor of which the first may import the second."""
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")
HYPOTHESIS = {PACKAGE / "gradcheck" / name for name in ("strategies.py", "decorator.py")}


@functools.cache
def nodes(path):
    return list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


def imported(path):
    for node in nodes(path):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def room(path):
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_go_downwards(path):
    here = FLOORS[room(path)]
    for name in imported(path):
        if name.startswith("tinygrad_cnn."):
            there = name.split(".")[1]
            if there in FLOORS:
                allowed = FLOORS[there] < here or there == room(path) or (here == FLOORS[there] and here in (0, 2))
                allowed = allowed or (room(path), there) in SIDEWAYS
                assert allowed, f"{path.name} (floor {here}) imports {name} (floor {FLOORS[there]})"
            else:
                assert there == "__version__", f"{path.name} imports the face of the package: {name}"


def test_the_rooms_of_the_second_floor_have_no_circle():
    order = ["autograd", "random", "numpy_protocol", "tensor", "creation", "sampling"]
    for path in MODULES:
        if room(path) in order:
            for name in imported(path):
                there = name.split(".")[1] if name.startswith("tinygrad_cnn.") else ""
                if there in order and there != room(path):
                    assert order.index(there) < order.index(room(path)), f"{path.name} imports {name}"


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_only_the_strategies_import_hypothesis(path):
    uses = any(name.split(".")[0] in ("hypothesis", "pytest") for name in imported(path))
    assert uses == (path in HYPOTHESIS)


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_no_own_import_hides_in_a_function(path):
    for node in nodes(path):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            inner = [n for n in ast.walk(node) if isinstance(n, ast.ImportFrom)]
            assert not [n for n in inner if (n.module or "").startswith("tinygrad_cnn")]


def test_importing_the_package_pulls_in_nothing_optional():
    code = (
        "import sys, tinygrad_cnn\n"
        "own = {m.split('.')[0] for m in sys.modules}\n"
        "print(sorted(own & {'hypothesis', 'pytest', 'rich', 'PIL', 'matplotlib', 'torch', 'safetensors', 'onnx'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
