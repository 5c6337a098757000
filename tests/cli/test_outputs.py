"""Where a command writes: `-` is standard output everywhere, a file is written once, terminals show what they can."""

import io
import json
import os
import subprocess
import sys

import numpy as np
import pytest

from tests.cli.terminal import Terminal
from tinygrad_cnn.cli import main, outputs, train
from tinygrad_cnn.datasets import Digits, load_sample
from tinygrad_cnn.display import escaping, printable
from tinygrad_cnn.io import load
from tinygrad_cnn.learn.record import Result

pytestmark = pytest.mark.usefixtures("given_back")


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with a function and a script, and training that takes a moment."""
    (tmp_path / "mine.py").write_text("def f(x):\n    print('mine')\n    return (x * x).sum()\n")
    (tmp_path / "back.py").write_text(
        "import tinygrad_cnn as tg\nprint('mine')\nx = tg.ones(2, requires_grad=True)\nx.sum().backward()\n"
    )
    monkeypatch.chdir(tmp_path)
    digits = Digits(*(a[:50] for a in load_sample()))
    monkeypatch.setattr(train, "load_sample", lambda: digits)
    return tmp_path


def test_a_record_of_training_on_standard_output_is_all_that_is_there(here, capsys):
    assert main(["train", "--epochs", "1", "--json", "-"]) == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["epochs"] == 1
    assert "epoch 1/1" in said.err


def test_a_model_on_standard_output_is_a_model(here, capsysbinary):
    assert main(["train", "--epochs", "1", "--save", "-", "--seed", "3"]) == 0
    said = capsysbinary.readouterr()
    assert b"saved to standard output" in said.err
    main(["train", "--epochs", "1", "--save", "model", "--seed", "3"])
    piped, written = load(io.BytesIO(said.out)), load("model")
    assert piped.keys() == written.keys()
    for name, value in written["state_dict"].items():
        np.testing.assert_array_equal(piped["state_dict"][name].numpy(), value.numpy())


@pytest.mark.parametrize("command", [["train", "--epochs", "1", "--report"], ["explain", "back.py", "--out"]])
def test_a_page_on_standard_output_is_all_that_is_there(here, capfdbinary, command):
    assert main([*command, "-"]) == 0
    said = capfdbinary.readouterr()
    assert said.out.lower().startswith(b"<!doctype html>")
    assert said.out.rstrip().endswith(b"</html>")
    assert b"standard output" in said.err
    assert (b"mine" in said.err) == (command[0] == "explain")


@pytest.mark.parametrize(("option", "begins"), [("--json", b"{"), ("--html", b"<!doctype"), ("--plot", b"\x89png")])
def test_what_gradcheck_writes_on_standard_output_is_all_that_is_there(here, capsysbinary, option, begins):
    if option == "--plot":
        pytest.importorskip("matplotlib", reason='matplotlib is not installed: pip install "tinygrad-cnn[plot]"')
    assert main(["gradcheck", "mine.py:f", "--shape", "2", option, "-"]) == 0
    said = capsysbinary.readouterr()
    assert said.out.lower().startswith(begins)
    assert b"pass  mine.py:f" in said.err
    assert b"mine\n" in said.err
    assert b"mine\n" not in said.out


def test_results_of_exercises_on_standard_output(here, capsys):
    main(["learn", "start", "tanh"])
    capsys.readouterr()
    assert main(["learn", "check", "tanh.py", "--json", "-"]) == 3
    said = capsys.readouterr()
    assert Result.from_json(said.out).exercise == "tanh"
    assert said.err.strip()
    assert main(["learn", "check", "tanh.py", "--json", "one.json", "--gradescope", "-"]) == 3
    assert "score" in capsys.readouterr().out
    assert main(["learn", "results", ".", "--out", "-"]) == 0
    said = capsys.readouterr()
    assert said.out.lower().startswith("<!doctype html>")
    assert "standard output: 1 result of 1 student" in said.err


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("train --save a --json a", "--save a and --json a name the same file; nothing was trained"),
        ("train --save a --report ./a", "--save a and --report ./a name the same file; nothing was trained"),
        ("gradcheck mine.py:f --shape 2 --json a --html ./a", "--json a and --html ./a name the same file"),
        ("gradcheck mine.py:f --shape 2 --html mine.py", "--html mine.py and mine.py name the same file"),
        ("gradcheck mine.py:f --shape 2 --html - --json -", "--json - and --html - name standard output"),
        ("explain back.py --out back.py", "--out back.py and back.py name the same file; the script was not run"),
        ("learn check mine.py --exercise tanh --json mine.py", "--json mine.py and mine.py name the same file"),
        ("learn check mine.py --exercise tanh --json a --gradescope a", "--json a and --gradescope a name the same"),
    ],
)
def test_one_file_is_not_written_twice_nor_over_an_input(here, capsys, command, said):
    before = {path.name: path.read_text() for path in here.iterdir()}
    assert main(command.split()) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert {path.name: path.read_text() for path in here.iterdir()} == before


@pytest.mark.skipif(os.name != "posix", reason="pipes in folders")
@pytest.mark.parametrize(
    "command",
    [
        "train --epochs 1 --save it",
        "train --epochs 1 --json it",
        "train --epochs 1 --report it",
        "gradcheck mine.py:f --shape 2 --json it",
        "gradcheck mine.py:f --shape 2 --html it",
        "explain back.py --out it",
        "learn check mine.py --exercise tanh --json it",
        "learn check mine.py --exercise tanh --gradescope it",
        "learn results . --out it",
    ],
)
def test_a_pipe_is_refused_before_the_work_begins(here, capsys, monkeypatch, command):
    monkeypatch.setattr(train.Training, "run", lambda self: pytest.fail("training began"))
    os.mkfifo("it")
    assert main(command.split()) == 2
    error = capsys.readouterr().err
    assert "it: cannot be written (is a pipe, not a file)" in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    "command",
    [
        ["gradcheck", "Exp", "--samples", "1"],
        ["train", "--epochs", "1", "--batch-size", "2500", "--save", "é.npz"],
        ["explain", "back.py", "--out", "é.html"],
        ["learn", "start", "tanh", "é"],
        ["learn"],
        ["gradcheck", "--help"],
    ],
)
def test_a_terminal_that_knows_ascii_alone_is_shown_escapes(here, command):
    done = subprocess.run(
        [sys.executable, "-m", "tinygrad_cnn", *command],
        env={**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
    )
    assert done.returncode == 0, done.stderr
    assert b"Traceback" not in done.stderr
    assert done.stdout.isascii()
    assert (b"\\xe9" in done.stdout) == any("é" in word for word in command)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no full device")
@pytest.mark.parametrize("command", [["gradcheck", "Exp", "--samples", "1"], ["learn"], ["--help"]])
def test_output_that_cannot_be_written_is_one_line(command):
    line = [sys.executable, "-m", "tinygrad_cnn", *command]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    with open("/dev/full", "w") as full:  # opened to be written into, never named as an output
        done = subprocess.run(line, stdout=full, stderr=subprocess.PIPE, text=True, env=environment)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert done.stderr.startswith("tinygrad-cnn: the output cannot be written (No space left on device)")


def test_streams_are_given_back_as_they_were():
    stream = io.TextIOWrapper(io.BytesIO(), encoding="latin-1")
    with escaping(stream, None, Terminal()):
        assert stream.errors == "backslashreplace"
        stream.write("é±€\udcff")
    assert stream.errors == "strict"
    assert stream.buffer.getvalue() == b"\xe9\xb1\\u20ac\\udcff"


def test_names_cannot_move_the_cursor():
    assert printable("a\nb\x1b[2J\t\udcff\u202eé±") == "a\\nb\\x1b[2J\\t\\udcff\\u202eé±"


def test_a_stream_of_text_alone_takes_what_is_text(monkeypatch):
    shown = io.StringIO()
    monkeypatch.setattr(sys, "stdout", shown)
    outputs.write_output("--json", "-", b"{}")
    assert shown.getvalue() == "{}"
