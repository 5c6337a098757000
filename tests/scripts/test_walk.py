"""The walk of a cotangent stays short, and the page says what it is."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import tinygrad_cnn as tg
from scripts import walk

ROOT = Path(__file__).parents[2]


def launch(*arguments):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"}
    command = [sys.executable, "-m", "scripts.walk", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, encoding="utf-8")


@pytest.fixture
def numpys():
    before, n_threads = tg.get_kernels(), tg.get_num_threads()
    tg.set_kernels("numpy")
    tg.set_num_threads(1)
    yield
    tg.set_kernels(before)
    tg.set_num_threads(n_threads)


def test_a_cotangent_moves_at_most_60_times_between_at_most_12_files(numpys):
    carried = walk.cotangent()
    assert carried.files <= 12
    assert carried.moves <= 60


def test_the_figures_of_the_page_are_those_of_the_code():
    done = launch("--check")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_page_that_is_out_of_date_is_noticed_and_renewed(tmp_path, monkeypatch, numpys, capsys):
    page = tmp_path / "page.md"
    page.write_text(f"above\n{walk.START}\n| old | figures |\n{walk.END}\nbelow\n", encoding="utf-8")
    monkeypatch.setattr(walk, "PAGE", page)
    assert walk.main(["--check"]) == 1
    assert "python -m scripts.walk --write" in capsys.readouterr().out
    assert walk.main(["--write"]) == 0
    assert walk.main(["--check"]) == 0
    text = page.read_text(encoding="utf-8")
    assert text.startswith("above\n")
    assert text.endswith("below\n")
    assert "figures" not in text


def test_calls_files_and_moves_are_counted_and_the_profiler_is_put_back():
    seen = []
    before = sys.getprofile()
    sys.setprofile(lambda *event: seen.append(event))
    try:
        followed = walk.Walk(lambda: tg.core.checks.shape_of(tg.core.checks.shape_of))
        assert sys.getprofile() is not None
    finally:
        sys.setprofile(before)
    assert (followed.path, followed.calls, followed.files, followed.moves) == (["core/checks.py"], 1, 1, 0)
    assert seen
    assert walk.Walk(lambda: None).moves == 0


def test_a_return_to_the_engine_begins_a_line():
    followed = walk.Walk(lambda: None)
    followed.path = ["core/tensor.py", "core/engine.py", "core/engine.py", "core/op.py", "core/engine.py"]
    assert list(walk.legs(followed)) == ["core/tensor.py", "core/engine.py > core/op.py", "core/engine.py"]
    assert (followed.calls, followed.files, followed.moves) == (5, 3, 3)
