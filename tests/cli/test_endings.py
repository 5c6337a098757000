"""How training ends: what each ending saves, says, records and returns; and what it leaves alone."""

import json
import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from tinygrad_cnn.cli import endings, main, train, training
from tinygrad_cnn.cli.stopping import Stopped, Stops
from tinygrad_cnn.datasets import Digits, load_sample
from tinygrad_cnn.io import load_model, save_model
from tinygrad_cnn.teach.networks import MODELS

pytestmark = pytest.mark.usefixtures("given_back")


@pytest.fixture
def few(monkeypatch):
    """A sample of 320 training and 100 test images."""
    digits = load_sample()
    small = Digits(*(a[:n] for a, n in zip(digits, (320, 320, 100, 100), strict=True)))
    monkeypatch.setattr(train, "load_sample", lambda: small)
    return small


@pytest.fixture
def at_step(few, monkeypatch):
    """Lets something happen after a step of the training."""

    def happen(step, what):
        whole = training.Training.step

        def stepped(self, images, labels):
            whole(self, images, labels)
            if self.steps_done == step:
                what(self)

        monkeypatch.setattr(training.Training, "step", stepped)

    return happen


def asked(number=signal.SIGINT):
    return lambda _: os.kill(os.getpid(), number)


def run(tmp_path, *options, save="model.tg"):
    """The exit status, and the record."""
    words = ["train", "--epochs", "2", "--batch-size", "32", "--json", str(tmp_path / "run.json"), *options]
    status = main([*words, "--save", str(tmp_path / save)] if save else words)
    return status, json.loads((tmp_path / "run.json").read_text())


def names(folder):
    return sorted(p.name for p in folder.iterdir())


@pytest.mark.parametrize(
    ("number", "status", "said"), [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")]
)
def test_a_signal_ends_it_after_the_step_and_all_is_written(at_step, tmp_path, capsys, number, status, said):
    at_step(13, asked(number))
    before = signal.getsignal(number)
    assert run(tmp_path) == (status, record := json.loads((tmp_path / "run.json").read_text()))
    assert (record["ending"], record["steps"], record["epochs"], record["confusion"]) == ("stopped", 13, 1, None)
    assert record["test_accuracy"] == record["history"]["test accuracy"][-1]
    assert load_model(tmp_path / "model.tg").facts["epochs"] == 1
    error = capsys.readouterr().err
    assert f"{said} after 1 whole epochs, 13 steps" in error
    assert f"saved what was trained to {tmp_path / 'model.tg'}" in error
    assert signal.getsignal(number) == before


def test_a_model_of_no_epoch_takes_no_other_ones_place(at_step, tmp_path, capsys):
    at_step(3, asked())
    target = tmp_path / "model.tg"
    save_model(target, MODELS["lenet"](), model="lenet", epochs=8)  # as an older version wrote it
    content = target.read_bytes()
    for name in ("model.stopped.tg", "model.stopped-2.tg"):
        assert run(tmp_path)[0] == 130
        assert "may hold a better model" in capsys.readouterr().err
        assert load_model(tmp_path / name).facts["epochs"] == 0
    assert target.read_bytes() == content


@pytest.mark.parametrize(("accuracy", "replaced"), [(0.0, True), (1.0, False), (None, False), ("1", False)])
def test_a_better_model_stays_and_a_worse_one_goes(at_step, tmp_path, accuracy, replaced):
    at_step(15, asked())
    target = tmp_path / "model.tg"
    facts = {} if accuracy is None else {"test_accuracy": accuracy}
    save_model(target, MODELS["lenet"](), model="old", epochs=8, **facts)
    assert run(tmp_path)[0] == 130
    assert (load_model(target).facts["model"] == "lenet") is replaced
    assert ("model.stopped.tg" in names(tmp_path)) is not replaced


def test_a_file_that_is_no_model_stays(at_step, tmp_path):
    at_step(15, asked())
    (tmp_path / "model.tg").write_text("my thesis")
    assert run(tmp_path)[0] == 130
    assert (tmp_path / "model.tg").read_text() == "my thesis"
    assert load_model(tmp_path / "model.stopped.tg").facts["epochs"] == 1


def test_before_the_first_step_nothing_is_saved(few, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(training.Training, "step", lambda *_: os.kill(os.getpid(), signal.SIGINT))
    status, record = run(tmp_path)
    assert (status, record["steps"], names(tmp_path)) == (130, 0, ["run.json"])
    assert "no step was trained: no model was saved" in capsys.readouterr().err


def test_a_second_signal_is_held_until_all_is_written(at_step, tmp_path, monkeypatch):
    at_step(13, asked())
    saved = []

    def slowly(*args, **facts):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGINT):
            os.kill(os.getpid(), number)
            time.sleep(0.01)
        saved.append(True)
        save_model(*args, **facts)

    monkeypatch.setattr(endings, "save_model", slowly)
    status, record = run(tmp_path)
    assert (status, record["ending"], saved, names(tmp_path)) == (130, "stopped", [True], ["model.tg", "run.json"])


def test_of_a_step_that_takes_too_long_a_second_signal_is_the_end(few, tmp_path, monkeypatch, capsys):
    """What the step was about to change has not changed: the weights are those after the step before."""
    whole, calls = training.shifted, []

    def endless(images, most):
        calls.append(None)
        if len(calls) == 13:
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGINT)
            raise AssertionError("nothing has ended it")
        return whole(images, most)

    monkeypatch.setattr(training, "shifted", endless)
    status, record = run(tmp_path, "--checkpoint", str(tmp_path / "run"))
    assert (status, record["ending"], record["steps"]) == (130, "stopped", 12)
    assert names(tmp_path / "run") == ["checkpoint-00000010.tg"]  # after the first epoch; not in the middle of a step
    assert load_model(tmp_path / "model.tg").facts["epochs"] == 1


def test_weights_change_in_one_piece():
    with Stops() as stops:
        with stops.hold():
            for _ in range(3):
                os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(Stopped, match="interrupted"):
            stops.check()


def test_what_is_held_can_be_released_for_a_while():
    with Stops() as stops, stops.hold():
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(KeyboardInterrupt), stops.released():
            os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(Stopped, match="terminated"):
            stops.check()


def test_other_threads_take_no_signals():
    seen = []

    def inside():
        with Stops() as stops:
            stops.check()
            seen.append(stops.before)

    thread = threading.Thread(target=inside)
    thread.start()
    thread.join()
    assert seen == [{}]


def test_what_is_ignored_stays_ignored():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with Stops():
            assert signal.getsignal(signal.SIGINT) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_signal_while_the_trained_model_is_judged_loses_nothing(few, tmp_path, monkeypatch):
    whole = endings.judgement

    def judged(run):
        os.kill(os.getpid(), signal.SIGINT)
        return whole(run)

    monkeypatch.setattr(endings, "judgement", judged)
    status, record = run(tmp_path)
    assert (status, record["ending"], record["epochs"]) == (130, "stopped", 2)
    assert load_model(tmp_path / "model.tg").facts["epochs"] == 2


# ---- divergence ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--lr", "1e6", "--optimizer", "sgd"], "the loss is nan in step"),
        (["--lr", "3", "--optimizer", "adam"], "in the last epoch"),
    ],
)
def test_divergence_is_said_and_returned(few, tmp_path, capsys, options, said):
    save_model(tmp_path / "model.tg", MODELS["lenet"](), model="old", epochs=8)
    content = (tmp_path / "model.tg").read_bytes()
    status, record = run(tmp_path, *options)
    error = capsys.readouterr().err
    assert (status, record["ending"]) == (1, "diverged")
    assert "tinygrad-cnn: training has diverged: " in error
    assert said in error
    assert f"give a smaller --lr (it was {options[1].replace('1e6', '1e+06')})" in error
    assert (tmp_path / "model.tg").read_bytes() == content
    for name in set(names(tmp_path)) - {"model.tg", "run.json"}:
        assert name == "model.diverged.tg"
        state = load_model(tmp_path / name).state
        assert all(np.isfinite(value.numpy()).all() for value in state.values())


@pytest.mark.parametrize("options", [[], ["--model", "article"], ["--optimizer", "adam"], ["--lr", "0.0001"]])
def test_what_learns_or_learns_nothing_has_not_diverged(few, tmp_path, options):
    status, record = run(tmp_path, *options)
    assert (status, record["ending"]) == (0, "finished")


def test_weights_that_are_not_finite_are_not_saved(at_step, tmp_path, capsys):
    def spoil(run):
        run.net[0].weight.data[0] = float("nan")

    at_step(3, spoil)
    status, record = run(tmp_path)
    assert (status, record["ending"], record["steps"], names(tmp_path)) == (1, "diverged", 3, ["run.json"])
    assert "its weights are not finite: no model was saved" in capsys.readouterr().err


# ---- what cannot be written ------------------------------------------------------------------------------------------

FULL = """
import resource, signal, sys
from tinygrad_cnn.cli import main, train, training
from tinygrad_cnn.datasets import Digits, load_sample
digits = load_sample()
small = Digits(*(a[:n] for a, n in zip(digits, (320, 320, 100, 100), strict=True)))
train.load_sample = lambda: small
whole = training.Training.step
def step(self, images, labels):
    whole(self, images, labels)
    if self.steps_done == int(sys.argv[1]):
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))  # as a disk that is full
        signal.raise_signal(signal.SIGINT)
training.Training.step = step
sys.exit(main(sys.argv[2:]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limits of this kind")
@pytest.mark.parametrize("kept", [False, True])
def test_a_full_disk_while_it_is_rescued_is_a_line(tmp_path, kept):
    target, folder = tmp_path / "model.tg", tmp_path / "run"
    save_model(target, MODELS["lenet"](), model="old", epochs=8)
    content = target.read_bytes()
    options = ["--checkpoint", str(folder), "--every", "5"] if kept else []
    words = [
        "train",
        "--epochs",
        "9",
        "--batch-size",
        "32",
        "--save",
        str(target),
        "--json",
        str(tmp_path / "run.json"),
    ]
    done = subprocess.run([sys.executable, "-c", FULL, "13", *words, *options], capture_output=True, text=True)
    assert done.returncode == 130
    lines = done.stderr.splitlines()
    assert "Traceback" not in done.stderr
    assert len(lines) == 3 + kept
    assert sum("cannot be written (File too large)" in line for line in lines) == 1
    assert sum("no checkpoint was written (File too large)" in line for line in lines) == kept
    assert target.read_bytes() == content
    assert json.loads((tmp_path / "run.json").read_text())["ending"] == "stopped"
    assert names(tmp_path) == ["model.tg", *["run"] * kept, "run.json"]
    assert not kept or names(folder) == ["checkpoint-00000005.tg", "checkpoint-00000010.tg"]


def test_a_model_that_cannot_be_written_does_not_keep_from_the_record(few, tmp_path, monkeypatch, capsys):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(endings, "save_model", full)
    status, record = run(tmp_path)
    assert (status, record["ending"], record["epochs"]) == (2, "finished", 2)
    captured = capsys.readouterr()
    assert "model.tg: cannot be written (No space left on device)" in captured.err
    assert "most confused" in captured.out


def test_an_error_inside_is_raised_when_all_is_written(at_step, tmp_path):
    def fail(_):
        raise ZeroDivisionError("a mistake of ours")

    at_step(13, fail)
    with pytest.raises(ZeroDivisionError, match="a mistake of ours"):
        run(tmp_path)
    assert json.loads((tmp_path / "run.json").read_text())["ending"] == "failed"
    assert load_model(tmp_path / "model.tg").facts["epochs"] == 1


def test_a_reader_that_goes_away_costs_no_model(tmp_path):
    command = [sys.executable, "-m", "tinygrad_cnn", "train", "--epochs=50", "--batch-size=500"]
    command += [f"--save={tmp_path / 'model.tg'}", f"--json={tmp_path / 'run.json'}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        while "epoch 1/" not in process.stdout.readline():
            assert process.poll() is None
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 141
    assert json.loads((tmp_path / "run.json").read_text())["ending"] == "failed"
    assert load_model(tmp_path / "model.tg").facts["epochs"] >= 1
