"""Training that is killed at any moment and resumed ends as if nothing had happened: weights bit by bit, and record.

The kills are real: SIGKILL to a process, at random moments. `thorough` makes at least 50 for each set of kernels.
"""

import importlib.util
import json
import os
import random
import signal
import subprocess
import sys
import time

import pytest

from tests.cli.test_endings import at_step, few, names  # noqa: F401  fixtures
from tests.profiles import THOROUGH
from tinygrad_cnn.cli import main
from tinygrad_cnn.io import checkpoints, load_model
from tinygrad_cnn.kernels.chosen import get_kernels

pytestmark = [
    pytest.mark.usefixtures("given_back"),
    pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL"),
]

KILLS = 50 if THOROUGH else 3
"""At least so many, of each set of kernels."""
KERNELS = ["numpy", "numba"] if THOROUGH else [get_kernels()]

TRAIN = """
import sys
from tinygrad_cnn.cli import main, train
from tinygrad_cnn.datasets import Digits, load_sample
digits = load_sample()
train.load_sample = lambda: Digits(*(a[:n] for a, n in zip(digits, (320, 320, 100, 100), strict=True)))
sys.exit(main(["train", *sys.argv[1:]]))
"""
OPTIONS = ["--epochs", "3", "--batch-size", "32", "--seed", "4", "--threads", "1"]


def written(folder):
    """The weights and the record of a run, but for its time."""
    record = json.loads((folder / "run.json").read_text())
    record.pop("seconds")
    return {name: value.numpy().tobytes() for name, value in load_model(folder / "model.tg").state.items()}, record


def options_of(folder):
    return [*OPTIONS, "--save", str(folder / "model.tg"), "--json", str(folder / "run.json")]


def started(folder, *more):
    command = [sys.executable, "-c", TRAIN, *options_of(folder), *more]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def begun(process):
    """When the first line of the training has come."""
    assert ": 61,706 parameters" in (line := process.stdout.readline()), line
    return time.monotonic()


@pytest.mark.parametrize("kernels", KERNELS)
def test_killed_at_random_moments_training_ends_the_same(tmp_path, kernels, record_property):
    if kernels == "numba" and importlib.util.find_spec("numba") is None:
        pytest.skip('Numba is not installed: pip install "tinygrad-cnn[fast]"')
    kept = ["--checkpoint", str(tmp_path / "kept" / "run"), "--every", "1"]
    for name, more in (("whole", []), ("kept", kept)):  # the first may compile kernels, too; the second is timed
        (tmp_path / name).mkdir()
        with started(tmp_path / name, "--kernels", kernels, *more) as process:
            since = begun(process)
            process.communicate()
            takes = time.monotonic() - since
    expected = written(tmp_path / "whole")
    assert expected[1]["ending"] == "finished"
    assert written(tmp_path / "kept") == expected
    moments = random.Random(0)
    kills, left, runs = 0, set(), 0
    while kills < KILLS:
        runs += 1
        folder = tmp_path / f"run {runs}"
        folder.mkdir()
        resumed = ["--kernels", kernels, "--checkpoint", str(folder / "run"), "--every", "1", "--resume"]
        while True:
            with started(folder, *resumed) as process:
                if moments.random() < 0.9:  # else before it has begun, too
                    begun(process)
                try:
                    said, _ = process.communicate(timeout=moments.uniform(0, takes))
                except subprocess.TimeoutExpired:
                    process.kill()
                    said, _ = process.communicate()
            assert "Traceback" not in said
            if process.returncode != -signal.SIGKILL:
                break
            kills += 1
            left.add(len(checkpoints.checkpoints(folder / "run")) if (folder / "run").exists() else 0)
        assert process.returncode == 0, said
        assert written(folder) == expected
        assert names(folder) == ["model.tg", "run", "run.json"]
        assert all(name.startswith("checkpoint-") for name in names(folder / "run"))
    record_property("kills", kills)
    print(f"{kernels}: {kills} kills in {runs} runs; checkpoints found: {sorted(left)}")


@pytest.mark.parametrize("step", [3, 10, 17, 30])
def test_stopped_and_resumed_it_ends_the_same(at_step, tmp_path, step, capsys):  # noqa: F811
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    for folder in (whole, parts):
        folder.mkdir()
    assert main(["train", *options_of(whole)]) == 0
    resumed = ["--checkpoint", str(parts / "run"), "--resume"]
    at_step(step, lambda _: os.kill(os.getpid(), signal.SIGINT))
    assert main(["train", *options_of(parts), *resumed]) == 130
    assert json.loads((parts / "run.json").read_text())["steps"] == step
    assert f"checkpoint-{step:08}.tg" in names(parts / "run")
    (parts / "model.tg").unlink()
    capsys.readouterr()
    assert main(["train", *options_of(parts), *resumed]) == 0
    assert "going on from" in capsys.readouterr().out
    assert written(parts) == written(whole)
    assert main(["train", *options_of(parts), *resumed]) == 0  # once more, after the end: nothing is left to do
    assert written(parts) == written(whole)


@pytest.fixture
def kept(few, tmp_path):  # noqa: F811
    """A run with its checkpoints."""
    assert main(["train", *options_of(tmp_path), "--checkpoint", str(tmp_path / "run"), "--every", "7"]) == 0
    return tmp_path


def resume(folder, *more):
    return main(["train", *options_of(folder), "--checkpoint", str(folder / "run"), "--resume", *more])


def failed(capsys):
    error = capsys.readouterr().err
    assert len(error.splitlines()) == 1
    return error


def test_the_checkpoints_are_as_often_as_asked_and_the_last_three_stay(kept):
    assert names(kept / "run") == [f"checkpoint-000000{step}.tg" for step in (21, 28, 30)]


def test_a_damaged_checkpoint_is_told_in_one_line_and_the_one_before_is_taken(kept, capsys):
    expected = written(kept)
    content = (kept / "run" / "checkpoint-00000030.tg").read_bytes()
    (kept / "run" / "checkpoint-00000030.tg").write_bytes(content[:1000] + b"?" + content[1001:])
    capsys.readouterr()
    assert resume(kept) == 0
    captured = capsys.readouterr()
    (line,) = captured.err.splitlines()
    assert "passed over checkpoint-00000030.tg (damaged" in line
    assert line.endswith("going on from checkpoint-00000028.tg")
    assert "going on from" in captured.out
    assert written(kept) == expected


def test_where_all_are_damaged_training_does_not_begin_anew(kept, capsys):
    for path in (kept / "run").iterdir():
        path.write_bytes(b"")
    capsys.readouterr()
    assert resume(kept) == 2
    assert "no checkpoint can be used" in failed(capsys)


def test_a_run_is_not_begun_over_another_one(kept, capsys):
    before = {path: path.read_bytes() for path in (kept / "run").iterdir()}
    capsys.readouterr()
    assert main(["train", *options_of(kept), "--checkpoint", str(kept / "run")]) == 2
    assert "holds a run; give --resume to go on, or another folder" in failed(capsys)
    assert {path: path.read_bytes() for path in (kept / "run").iterdir()} == before


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--seed", "5"], "the run has seed 4, not 5"),
        (["--model", "article"], "the run has model lenet, not article"),
        (["--epochs", "4"], "the run has epochs 3, not 4"),
        (["--lr", "0.5", "--optimizer", "sgd"], "optimizer adamw, not sgd, lr 0.004, not 0.5"),
    ],
)
def test_options_of_another_run_are_refused(kept, capsys, options, said):
    capsys.readouterr()
    assert resume(kept, *options) == 2
    error = failed(capsys)
    assert said in error
    assert "give the options that it was begun with" in error


def test_other_kernels_go_on_with_a_note(kept, capsys):
    capsys.readouterr()
    assert resume(kept, "--kernels", "definition") == 0
    assert "not definition: its numbers may differ a little" in capsys.readouterr().err


@pytest.mark.parametrize("options", [["--resume"], ["--every", "3"]])
def test_without_a_folder_there_is_nothing_to_keep(few, capsys, options):  # noqa: F811
    assert main(["train", *options]) == 2
    assert "need --checkpoint FOLDER" in failed(capsys)


@pytest.mark.parametrize("folder", ["", "-"])
def test_a_folder_has_a_name(few, capsys, folder):  # noqa: F811
    assert main(["train", "--checkpoint", folder]) == 2
    assert "--checkpoint needs the name of a folder" in failed(capsys)


def test_a_checkpoint_of_another_program_is_refused(few, tmp_path, capsys):  # noqa: F811
    checkpoints.save_checkpoint(tmp_path / "run", 1, model={})
    assert resume(tmp_path) == 2
    assert "was not made by train" in failed(capsys)


def test_a_folder_that_cannot_be_is_told_before_training(few, tmp_path, capsys):  # noqa: F811
    (tmp_path / "file").write_text("no folder")
    assert main(["train", "--checkpoint", str(tmp_path / "file" / "run")]) == 2
    assert "cannot be written" in failed(capsys)


def test_what_a_killed_process_left_is_removed_at_the_next_start(few, tmp_path):  # noqa: F811
    (tmp_path / "run").mkdir()
    old, new = tmp_path / ".0123456789ab.tg-part", tmp_path / ".ba9876543210.tg-part"
    inside = tmp_path / "run" / ".0123456789ab.tg-part"
    for path in (old, new, inside):
        path.write_bytes(b"half")
    os.utime(old, (1, 1))
    assert resume(tmp_path, "--epochs", "1") == 0
    assert names(tmp_path) == [new.name, "model.tg", "run", "run.json"]  # the new one may be written at this moment
    assert names(tmp_path / "run") == ["checkpoint-00000010.tg"]
