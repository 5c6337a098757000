"""The examples of docstrings print the same in PyTorch, where only ``import tinygrad_cnn as tg`` is changed."""

import contextlib
import doctest
import importlib
import io
import warnings

import pytest
import torch

import tinygrad_cnn as tg
from scripts.public_names import PATHS

HEAD = "import tinygrad_cnn as tg\n"
OWN = "tinygrad_cnn", "tg.ops.", "tg.compile"
"""What is not run there: other modules of this package, `torch.ops`, which is another thing, and a C++ compiler."""
OTHERWISE = {
    "tinygrad_cnn.autocast": "bfloat16, which NumPy has not",
    "tinygrad_cnn.get_num_interop_threads": "ops are computed one after the other",
}
"""Names whose examples print something else in PyTorch, and why."""


def examples():
    """The examples that begin with that line, each once, by a name."""
    found = {}
    values = [
        (f"{path}.{name}", getattr(importlib.import_module(path), name))
        for path in PATHS
        for name in importlib.import_module(path).__all__
    ]
    values += [(f"Tensor.{name}", getattr(tg.Tensor, name)) for name in dir(tg.Tensor) if name[0] != "_"]
    for name, value in values:
        parts = doctest.DocTestParser().get_examples(getattr(value, "__doc__", None) or "")
        if parts and parts[0].source == HEAD and not any(own in part.source for part in parts[1:] for own in OWN):
            found.setdefault(tuple((part.source, part.want) for part in parts[1:] if not part.exc_msg), name)
    return {name: parts for parts, name in found.items()}


EXAMPLES = examples()


def printed(source, names):
    """What a statement prints at the prompt."""
    with contextlib.redirect_stdout(io.StringIO()) as text, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exec(compile(source, "example", "single"), names)
    return text.getvalue().replace("\n\n", "\n<BLANKLINE>\n").split()


def test_there_are_many_examples():
    assert len(EXAMPLES) > 800


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_prints_the_same(name):
    names = {"tg": torch}
    for source, want in EXAMPLES[name]:
        try:
            there = printed(source, names)
        except AttributeError:
            return  # PyTorch has no such name
        assert name in OTHERWISE or there == want.split()
