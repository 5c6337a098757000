"""Every example in a docstring and in the pages runs, and gives what it says."""

import doctest
import importlib
import importlib.util
import pkgutil
import re
from pathlib import Path

import pytest

import tinygrad_cnn

ROOT = Path(__file__).parent.parent
OMITTED = ("__main__",) if importlib.util.find_spec("numba") else ("__main__", "kernels.compiled")
MODULES = [
    m.name
    for m in pkgutil.walk_packages(tinygrad_cnn.__path__, "tinygrad_cnn.")
    if not any(part in m.name for part in OMITTED)
]
MADE = "_build", "names", "ops"
"""Folders of pages that Sphinx's extensions write."""
PAGES = [ROOT / "README.md", *[p for p in sorted((ROOT / "docs").rglob("*.md")) if not set(MADE) & set(p.parts)]]


@pytest.mark.parametrize("name", ["tinygrad_cnn", *MODULES])
def test_the_examples_of_a_module_run(name):
    module = importlib.import_module(name)
    failed, _ = doctest.testmod(module, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert not failed


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_the_python_of_a_page_runs(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # a page may write files
    blocks = re.findall(r"^```python\n(.*?)^```", page.read_text(encoding="utf-8"), re.M | re.S)
    names = {"__name__": "page"}
    for block in blocks:
        exec(compile(block, str(page), "exec"), names)
    assert page.exists()
