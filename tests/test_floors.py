"""The floors of docs/architecture.md: imports go downwards, without circles, and nothing optional is pulled in."""

import ast
import functools
import subprocess
import sys
from pathlib import Path

import pytest

import tinygrad_cnn

PACKAGE = Path(tinygrad_cnn.__file__).parent
FLOORS = {
    "core.types": 0, "core.errors": 0, "files": 0, "version": 0, "kernels": 0.5,
    "core": 1,
    "torch_names": 2, "display": 2,
    "ops": 3, "random": 3, "accelerator": 3, "jit": 3, "backends": 3, "cuda": 3, "onnx": 3,
    "numpy_protocol": 4, "autograd": 4,
    "tensor": 5,
    "program": 5.5,
    "functional": 6, "linalg": 6, "special": 6, "nn": 6, "gradcheck": 6, "utils": 6, "distributions": 6,
    "amp": 6, "cuda.amp": 7, "optim": 7, "io": 7, "func": 7, "transforms": 7, "data": 7, "testing": 7, "profiler": 7,
    "datasets": 8, "playback": 8, "teach": 8.5, "serialization": 8,
    "learn": 8.75,
    "later": 9, "cli": 9, "__main__": 10,
}  # fmt: skip
"""Rooms and single files, from the ground up: a module imports from its own room and from lower floors only."""
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")
HYPOTHESIS = {PACKAGE / "gradcheck" / name for name in ("strategies.py", "decorator.py")}


@functools.cache
def nodes(path):
    return list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


def dotted(path):
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


NAMES = {f"tinygrad_cnn.{dotted(path)}" for path in MODULES}


@functools.cache
def imported(path):
    """The modules that a file imports, those for type checkers included, each by its whole name."""
    return list(_imported(path))


def _imported(path):
    for node in nodes(path):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield whole if whole in NAMES else node.module


def floor(module):
    """The room, or the file of its own floor, in which a module lies."""
    return module if module in FLOORS else module.split(".")[0]


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_go_downwards(path):
    here = floor(dotted(path))
    for name in imported(path):
        assert name != "tinygrad_cnn", f"{path.name} imports the face of the package"
        if name in NAMES:
            there = floor(name.removeprefix("tinygrad_cnn."))
            allowed = there == here or FLOORS[there] < FLOORS[here]
            assert allowed, f"{dotted(path)} (floor {FLOORS[here]}) imports {name} (floor {FLOORS[there]})"


def test_no_module_leads_back_to_itself():
    below = {f"tinygrad_cnn.{dotted(path)}": NAMES.intersection(imported(path)) for path in MODULES}
    done, open_ = set(), []

    def descend(name):
        assert name not in open_, f"a circle: {' -> '.join([*open_[open_.index(name) :], name])}"
        if name not in done:
            open_.append(name)
            for lower in sorted(below[name]):
                descend(lower)
            open_.pop()
            done.add(name)

    for name in sorted(below):
        descend(name)


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
