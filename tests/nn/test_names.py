"""Every public name of `nn` is written once: in the `__all__` of the file that defines it."""

import ast
import importlib
from inspect import isclass, isroutine
from pathlib import Path

import pytest

import tinygrad_cnn.nn.functional as F
from tinygrad_cnn import nn

TESTS = Path(__file__).parents[1]
FROZEN = [line.split("(")[0] for line in (TESTS / "public_names.txt").read_text(encoding="utf-8").splitlines()]
ASSERTED = (TESTS / "typing" / "assert_nn.py").read_text(encoding="utf-8")


def starred(package):
    """The modules that the face of a package imports with a star, or that such a one imports so."""
    tree = ast.parse(Path(package.__file__).read_text(encoding="utf-8"))
    lines = [n for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) and n.names[0].name == "*"]
    found = [importlib.import_module(line.module) for line in lines]
    return [inner for module in found for inner in starred(module) or [module]]


def public(package, kind):
    return {name for name, value in vars(package).items() if kind(value) and not name.startswith("_")}


@pytest.mark.parametrize(("package", "kind"), [(nn, isclass), (F, isroutine), (nn.utils, isroutine)])
def test_a_face_shows_what_its_files_list(package, kind):
    listed = [name for module in starred(package) for name in module.__all__]
    from_ops = {n for n in public(package, kind) if getattr(package, n).__module__.startswith("tinygrad_cnn.ops")}
    assert len(listed) == len(set(listed))
    assert public(package, kind) == set(listed) | from_ops == {n for n in package.__all__ if kind(getattr(package, n))}


@pytest.mark.parametrize("package", [nn, F, nn.utils])
def test_every_file_lists_what_it_defines(package):
    for module in starred(package):
        for name in module.__all__:
            assert getattr(module, name).__module__ == module.__name__


@pytest.mark.parametrize("package", [nn, F, nn.init, nn.utils, nn.utils.parametrizations, nn.utils.parametrize])
def test_what_type_checkers_know_is_asserted_of_every_frozen_name(package):
    prefix = "F" if package is F else package.__name__.rpartition(".")[2]
    names = [name for name in package.__all__ if f"{package.__name__} {name}" in FROZEN]
    functions = [name for name in names if callable(getattr(package, name))]
    assert [name for name in functions if f"{prefix}.{name}(" not in ASSERTED and name != "Module"] == []
