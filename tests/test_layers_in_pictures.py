"""The pages of examples/layers run, with and without matplotlib, and a wrong layer makes them fail."""

import importlib.util
import re
import runpy
import sys
from contextlib import nullcontext
from pathlib import Path

import pytest

from tinygrad_cnn import nn
from tinygrad_cnn.tensor import Tensor

FOLDER = Path(__file__).parent.parent / "examples" / "layers"
PAGES = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem != "drawing")
MATPLOTLIB = importlib.util.find_spec("matplotlib") is not None


def source(page):
    return (FOLDER / f"{page}.py").read_text(encoding="utf-8")


LAYERS = [(page, name) for page in PAGES for name in sorted({*re.findall(r"\bnn\.([A-Z]\w+)\(", source(page))})]


@pytest.fixture
def run(monkeypatch):
    """Runs a page as a program with these arguments, without a window; returns its figures, which are closed after."""
    monkeypatch.syspath_prepend(FOLDER)
    pyplot = importlib.import_module("matplotlib.pyplot") if MATPLOTLIB else None
    if pyplot:
        pyplot.switch_backend("agg")
        pyplot.close("all")  # what other tests have left open is not a page's

    def run(page, *arguments):
        monkeypatch.setattr(sys, "argv", [f"{page}.py", *map(str, arguments)])
        runpy.run_path(FOLDER / f"{page}.py", run_name="__main__")
        return [pyplot.figure(number) for number in pyplot.get_fignums()] if pyplot else []

    with pyplot.rc_context() if pyplot else nullcontext():
        yield run
    sys.modules.pop("drawing", None)
    if pyplot:
        pyplot.close("all")


@pytest.fixture
def no_matplotlib(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)


def has_labels(axes):
    """Both axes have words, their own or those of the panel below or beside which they share."""
    across, up = axes.get_shared_x_axes().get_siblings(axes), axes.get_shared_y_axes().get_siblings(axes)
    return any(a.get_xlabel() for a in across) and any(a.get_ylabel() for a in up)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_runs_and_its_picture_has_labels(run, capsys, page):
    figures = run(page)
    printed = capsys.readouterr().out
    assert len(re.findall(r"\d", printed)) > 5
    if not MATPLOTLIB:
        assert f"{page}.png is not drawn: matplotlib is not installed; pip install 'tinygrad-cnn[plot]'" in printed
        return
    assert len(figures) == 1
    panels = [axes for axes in figures[0].axes if axes.axison and axes.get_label() != "<colorbar>"]
    assert len(panels) > 1 or page == "recurrent"
    assert all(has_labels(axes) for axes in panels)
    assert all(axes.get_ylabel() for axes in figures[0].axes if axes.get_label() == "<colorbar>")


@pytest.mark.parametrize("page", PAGES)
def test_a_page_says_what_it_shows_how_to_run_it_and_what_to_look_at(page):
    assert page in dict(LAYERS)
    text = source(page)
    title, line = text.splitlines()[1:3]
    assert line == "=" * len(title)
    assert f"Run it: ``python examples/layers/{page}.py FOLDER`` writes the picture into FOLDER." in text
    assert text.count("# **What to look at.**") == 1
    assert f'picture("{page}.png", draw, ' in text


def test_a_folder_gets_the_picture(run, capsys, tmp_path):
    run("attention", tmp_path / "new")
    assert (tmp_path / "new" / "attention.png").exists() is MATPLOTLIB
    assert ("wrote" in capsys.readouterr().out) is MATPLOTLIB


def test_without_matplotlib_the_numbers_are_there_and_a_word(run, no_matplotlib, capsys, tmp_path):
    run("cross_entropy", tmp_path)
    printed = capsys.readouterr().out
    assert "wrong and sure  loss 4.07" in printed
    assert "cross_entropy.png is not drawn: matplotlib is not installed; pip install 'tinygrad-cnn[plot]'" in printed
    assert not list(tmp_path.iterdir())


def wrong(result):
    """A tenth of another example, another step or another number is mixed into each."""
    if isinstance(result, tuple):
        return tuple(wrong(part) for part in result)
    return result + 0.1 * result.flip(0) if isinstance(result, Tensor) and result.is_floating_point() else result


@pytest.mark.parametrize(("page", "layer"), LAYERS)
def test_a_wrong_layer_makes_its_page_fail(run, no_matplotlib, monkeypatch, page, layer):
    kind = getattr(nn, layer)
    right = kind.forward
    monkeypatch.setattr(kind, "forward", lambda self, *given, **named: wrong(right(self, *given, **named)))
    with pytest.raises(AssertionError):
        run(page)
