"""Every option of every command, as the parser itself lists them, with values that nobody should give: no traceback.

What takes long is replaced by something short; what is asked, checked and said is not. Nothing may be written outside
of one folder, so values have neither slashes of their own nor two dots.
"""

import argparse
import contextlib
import io
import os
import subprocess
import sys
from collections import Counter
from dataclasses import replace

import numpy as np
import PIL.Image
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tinygrad_cnn.cli import COMMANDS, explain, gradcheck, learn, main, parser_of, run, train
from tinygrad_cnn.datasets import DatasetError, Digits, load_full, load_sample
from tinygrad_cnn.io import save_model
from tinygrad_cnn.learn import apart
from tinygrad_cnn.learn.record import COULD_NOT_RUN, Result
from tinygrad_cnn.ops import registry
from tinygrad_cnn.teach import script
from tinygrad_cnn.teach.networks import CLASSES, MODELS, PREPROCESSING

FILES = {
    "pair.py": "def f(x): return (x * x).sum()\ndef vjp(g, x): return 2 * g * x\n",
    "broken.py": "def f(:\n",
    "raises.py": "raise ValueError('mine')\n",
    "back.py": "import tinygrad_cnn as tg\nx = tg.ones(2, requires_grad=True)\nx.sum().backward()\n",
    "answer.py": "# exercise: tanh\n",
    "result.json": "{}",
    "é.txt": "",
}
NUMBERS = [
    *("0", "1", "2", "-1", "+3", "0.5", "-0.0", "1e-320", "1e-30", "1e30", "1e308", "-1e308", "1e400", "nan", "inf"),
    *(str(2**31), str(2**63), str(2**64 - 1), str(2**64), "1" * 25, "9" * 5000, "0x10", "1_000", "²", "٣", "1e", " 2 "),
]
NAMES = [
    *(
        *FILES,
        "good.npz",
        "digit.png",
        "folder",
        "pipe",
        "link",
        "none",
        "none/under",
        "pair.py/under",
        "out",
        "out.html",
    ),
    *("", ".", "-", "--", "-x", "a" * 300, "a" * 250, "é\x1b[2J\n", "\udcff", "pair.py:f", "pair.py:vjp", "back.py:x"),
    *("Exp", "Conv2D", "tanh", "numpy:exp", ":", "a..b:f", "...:f", "2,3", "()", "2x2", "1," * 71, "0", "99999,99999"),
]
TEXT = st.text(
    st.characters(exclude_characters="\0/\\", exclude_categories=["Cs"])
    | st.characters(min_codepoint=0xDC80, max_codepoint=0xDCFF),
    max_size=12,
).filter(lambda text: ".." not in text)
VALUE = st.sampled_from(NUMBERS) | st.sampled_from(NAMES) | TEXT


def subparsers(parser):
    """The commands of a parser by name."""
    found = [a for a in parser._actions if isinstance(a, argparse._SubParsersAction)]
    return found[0].choices if found else {}


def commands():
    """The words that choose a command, and its options."""
    for name in COMMANDS:
        parser = subparsers(parser_of(name))[name]
        yield (name,), parser
        for inner, under in subparsers(parser).items():
            yield (name, inner), under


PARSERS = dict(commands())


GOOD = {
    "target": ["pair.py:f", "Exp"], "shape": ["2,3", "2", "()"], "vjp": ["pair.py:vjp"], "file": ["answer.py"],
    "name": ["tanh", "relu"], "folder": ["folder", "."], "script": ["back.py"], "program": ["back.py"],
    "files": ["digit.png"], "seed": ["7"], "low": ["-1"], "high": ["1.5"], "eps": ["1e-4"], "epochs": ["1"],
    "lr": ["0.1"], "json": ["out.json", "-"], "html": ["out.html", "-"], "out": ["out.html", "-"],
    "save": ["out.npz", "-"], "plot": ["out.png"], "report": ["out.html"],
    "gradescope": ["out.json"], "exercise": ["tanh"],
}  # fmt: skip
"""What each option takes, so that the others are looked at, too."""


def value_of(action):
    usual = [*map(str, action.choices or ()), *([] if action.default in (None, []) else [str(action.default)])]
    usual += GOOD.get(action.dest, ["good.npz"] if action.dest == "model" else [])
    good = st.sampled_from(usual) if usual else VALUE
    return st.integers(0, 7).flatmap(lambda k: good if k else VALUE)


def given_as(action):
    """The words with which an option, or an argument, can be given."""
    if isinstance(action, argparse._SubParsersAction):
        return st.just([])
    if action.nargs == 0:
        return st.sampled_from([[flag] for flag in action.option_strings])
    values = (
        st.lists(value_of(action), max_size=3)
        if action.nargs in ("+", "*", "?", "...")
        else value_of(action).map(lambda v: [v])
    )
    if not action.option_strings:
        return values
    flag = st.sampled_from(action.option_strings)
    apart_ = st.tuples(flag, values).map(lambda both: [both[0], *both[1]])
    joined = st.tuples(flag, value_of(action)).map(lambda both: ["=".join(both)])
    return apart_ | joined


@st.composite
def lines(draw, words):
    """A command line: arguments that are needed mostly there, each option sometimes."""
    actions = [a for a in PARSERS[words]._actions if a.dest != "help"]
    parts = [draw(given_as(a)) for a in actions if not a.option_strings and (a.required or draw(st.booleans()))]
    options = [a for a in actions if a.option_strings]
    chosen = draw(st.lists(st.sampled_from(options), max_size=4)) if options else []
    parts += [draw(given_as(a)) for a in options if a.required]
    parts += [draw(given_as(a)) for a in chosen]
    return [*words, *(word for part in draw(st.permutations(parts)) for word in part)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("hostile")
    for name, text in FILES.items():
        (made / name).write_text(text, encoding="utf-8")
    save_model(made / "good.npz", MODELS["article"](), model="article", classes=CLASSES, preprocessing=PREPROCESSING)
    PIL.Image.fromarray(load_sample().test_images[0]).save(made / "digit.png")
    (made / "folder").mkdir()
    (made / "link").symlink_to("pair.py")
    os.mkfifo(made / "pipe")
    return made


@pytest.fixture(scope="module")
def short(folder):
    """The work cut down: thirty images and one epoch, few elements, three ops; no network, no other process."""
    digits = Digits(*(a[:30] for a in load_sample()))
    recipe, samples = train._recipe, gradcheck._samples

    def full(data, progress):
        if data is None:
            raise DatasetError("there is no network")
        return load_full(data)

    def explained(command, **_):
        argv = sys.argv, list(sys.path)
        try:
            return subprocess.CompletedProcess(command, script.main(command[3:]))
        finally:
            sys.argv, sys.path[:] = argv

    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(train, "load_sample", lambda: digits)
        patch.setattr(train, "load_full", full)
        patch.setattr(train, "set_kernels", lambda name: None)
        patch.setattr(train, "_recipe", lambda *given: replace(recipe(*given), epochs=1))
        patch.setattr(gradcheck, "MOST_ELEMENTS", 50)
        patch.setattr(gradcheck, "_samples", lambda *given: min(samples(*given), 2))
        patch.setattr(gradcheck, "own_ops", lambda: [registry[name] for name in ("Exp", "Add", "Sign")])
        patch.setattr(explain.subprocess, "run", explained)
        patch.setattr(run, "execute", lambda *given: None)
        patch.setattr(apart, "_run", lambda exercise, *given: Result(exercise.name, COULD_NOT_RUN, "it was not run."))
        yield


def ended(words):
    """The exit status and standard error of a command, on a terminal that shows ASCII only."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="ascii") for _ in range(2))
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            status = main(words)
        except SystemExit as end:  # argparse's
            status = end.code or 0
    err.flush()
    return status, err.buffer.getvalue().decode("ascii")


TRIED = Counter()


@pytest.fixture(scope="module", autouse=True)
def counted():
    yield
    print(f"{TRIED.total()} command lines of {len(TRIED)} commands")


def check_ended_well(words):
    TRIED[words[0] if words and words[0] in COMMANDS else ""] += 1
    before = os.getcwd(), os.stat("pipe")
    status, error = ended(words)
    assert status in (0, 1, 2, 3), (words, status, error)
    assert "Traceback" not in error or any("raises.py" in word for word in words), (words, error)
    theirs = any(name in word for word in words for name in ("broken.py", "raises.py"))
    if status == 2 and not theirs:
        said = [line for line in error.splitlines() if line.startswith("tinygrad-cnn")]
        assert said, (words, error)
        assert all(len(line) < 1500 and line.isprintable() for line in said), (words, error)
    assert (os.getcwd(), os.stat("pipe").st_ino) == (before[0], before[1].st_ino)


@pytest.mark.skipif(os.name != "posix", reason="the folder has a pipe")
@pytest.mark.usefixtures("short", "given_back")
@pytest.mark.parametrize("words", PARSERS, ids=" ".join)
def test_no_command_line_ends_in_a_traceback(words):
    @given(lines(words))
    def every(line):
        check_ended_well(line)

    every()


@pytest.mark.skipif(os.name != "posix", reason="the folder has a pipe")
@pytest.mark.usefixtures("short", "given_back")
@given(st.lists(VALUE | st.sampled_from([*COMMANDS, "--help", "--version", "start", "check"]), max_size=4))
@example([])
def test_no_words_end_in_a_traceback(words):
    check_ended_well(words)


def test_every_number_on_the_command_line_has_a_range():
    for words, parser in PARSERS.items():
        for action in parser._actions:
            assert action.type not in (int, float) or action.choices, (words, action.dest)
            default = action.default
            if isinstance(default, (int, float)) and not isinstance(default, bool) and not action.choices:
                assert action.type(str(default)) == default, (words, action.dest)


@pytest.mark.parametrize("limits", [["--seconds", "0.01"], ["--memory", "0.01"], ["--seconds=86400", "--memory=4096"]])
def test_the_ends_of_the_ranges_of_limits_can_be_served(tmp_path, capsys, limits):
    answer = tmp_path / "tanh.py"
    assert main(["learn", "start", "tanh", str(tmp_path)]) == 0
    assert main(["learn", "check", str(answer), *limits]) in (1, 3)
    assert capsys.readouterr().err == ""


@pytest.mark.usefixtures("given_back")
def test_the_most_threads_and_the_largest_seed_can_be_served(tmp_path, monkeypatch):
    digits = Digits(*(a[:30] for a in load_sample()))
    monkeypatch.setattr(train, "load_sample", lambda: digits)
    options = [
        "--epochs",
        "1",
        "--threads",
        str(train.MOST_THREADS),
        "--seed",
        str(2**64 - 1),
        "--batch-size",
        "1000000",
    ]
    assert main(["train", *options]) == 0


def test_a_list_of_results_is_not_overwritten_by_the_page(tmp_path, capsys):
    (tmp_path / "one.json").write_text(Result("tanh", COULD_NOT_RUN, "").to_json())
    assert main(["learn", "results", str(tmp_path), "--out", str(tmp_path / "one.json")]) == 2
    assert "name the same file; nothing was written" in capsys.readouterr().err
    assert learn.read_results(tmp_path)[0]
    assert np.size(learn.read_results(tmp_path)[1]) == 0
