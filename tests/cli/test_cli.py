"""The command line as users call it, and every wrong input: one line, exit status 2, nothing half-written."""

import json
import os
import re
import signal
import subprocess
import sys

import numpy as np
import PIL.Image
import pytest

from tests.cli.terminal import Terminal
from tests.display.reading import Reading
from tinygrad_cnn.cli import display, main, train
from tinygrad_cnn.cli.training import shifted
from tinygrad_cnn.datasets import Digits, load_sample
from tinygrad_cnn.io import load_model, load_npz, save_npz
from tinygrad_cnn.kernels.chosen import get_kernels, set_kernels
from tinygrad_cnn.teach import pictures
from tinygrad_cnn.teach.networks import MODELS, normalised
from tinygrad_cnn.tensor import Tensor

HANGS = 600
"""Seconds after which a process is given up."""
pytestmark = pytest.mark.usefixtures("given_back")  # the program chooses kernels and threads


@pytest.fixture
def few(monkeypatch):
    """A sample of 640 training and 500 test images, so that training takes a second."""
    digits = load_sample()
    small = Digits(*(a[:n] for a, n in zip(digits, (640, 640, 500, 500), strict=True)))
    monkeypatch.setattr(train, "load_sample", lambda: small)
    return small


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A model of the article's network, trained on the whole sample for one epoch."""
    path = tmp_path_factory.mktemp("model") / "model.npz"
    assert main(["train", "--model", "article", "--epochs", "1", "--save", str(path)]) == 0
    return path


def failed(capsys, argv):
    """Status 2 and one line on standard error."""
    try:
        status = main([str(a) for a in argv])
    except SystemExit as end:  # argparse's own
        status = end.code
    error = capsys.readouterr().err
    assert status == 2
    assert "Traceback" not in error
    return error


def test_training_reports_and_records(few, tmp_path, capsys):
    record, model = tmp_path / "run.json", tmp_path / "model.npz"
    options = ["--epochs", "3", "--seed", "5", "--json", str(record), "--save", str(model), "--threads", "2"]
    assert main(["train", *options]) == 0
    out = capsys.readouterr().out
    assert "epoch 3/3" in out
    assert "images/s" in out
    assert "most confused:" in out
    assert max(len(line) for line in out.splitlines() if str(tmp_path) not in line) <= 80
    run = json.loads(record.read_text())
    assert {"test_accuracy", "train_accuracy", "epochs", "seconds", "parameters", "seed"} <= set(run)
    assert (run["epochs"], run["seed"], run["parameters"]) == (3, 5, 61706)
    assert run["test_accuracy"] > 0.6  # 640 images, 3 epochs; guessing gives 0.1
    counts = np.array(run["confusion"])
    assert counts.sum() == 500
    assert np.trace(counts) / 500 == run["test_accuracy"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["model.npz", "run.json"]


@pytest.mark.parametrize("model", ["lenet", "article"])
def test_the_report_shows_what_the_record_says(few, tmp_path, model, capsys):
    record, page = tmp_path / "run.json", tmp_path / "out.html"
    options = ["--model", model, "--epochs", "2", "--json", str(record), "--report", str(page)]
    assert main(["train", *options]) == 0
    assert f"report written to {page}" in capsys.readouterr().out
    run, html = json.loads(record.read_text()), page.read_text()
    shown = Reading(html)
    assert f"{run['test_accuracy']:.2%} right" in shown.text
    assert f"{run['parameters']:,} parameters" in shown.text
    counts = [[0 if c == "·" else int(c) for c in line[1:-1]] for line in shown.tables[0][1:]]
    assert counts == run["confusion"]
    wrong = 500 - np.trace(run["confusion"])
    assert f"{wrong} of 500 answers are wrong; here are the {min(wrong, 24)} it was surest of." in shown.text
    labels = [found["aria-label"] for tag, found in shown.tags if tag == "svg"]
    assert sum(label.startswith("test image ") for label in labels) == min(wrong, 24)
    filters = {"lenet": 6, "article": 16}[model]
    assert sum(label.startswith("filter ") for label in labels) == filters
    assert f"after layer 0, Conv2d: {filters} × " in shown.text
    accuracy = [t for t in shown.titles if t.startswith("test, epoch 2: ")]
    assert accuracy == [f"test, epoch 2: {run['test_accuracy']:.2%}"]
    assert len(html) < 1_000_000
    assert all(label for label in labels)


@pytest.mark.parametrize("model", ["lenet", "article"])
def test_the_same_seed_gives_the_same_weights_bit_for_bit(few, tmp_path, model):
    states = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        path = tmp_path / name
        assert main(["train", "--model", model, "--epochs", "1", "--seed", str(seed), "--save", str(path)]) == 0
        states.append({k: v.numpy().tobytes() for k, v in load_model(path).state.items()})
    assert states[0] == states[1]
    assert states[0] != states[2]


def test_training_from_a_folder(tmp_path, capsys):
    assert "has none of" in failed(capsys, ["train", "--data", tmp_path])


def test_ctrl_c_keeps_what_was_trained(tmp_path):
    path = tmp_path / "model.npz"
    command = [sys.executable, "-m", "tinygrad_cnn", "train", "--epochs=50", "--batch-size=500", f"--save={path}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        while "epoch 1/" not in (line := process.stdout.readline()):  # training goes on after it
            assert line, process.communicate()
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=HANGS)
    assert process.returncode == 130
    assert "interrupted" in error
    assert "Traceback" not in error
    state, about = load_npz(path)
    assert about["model"] == "lenet"
    assert all(np.isfinite(v.numpy()).all() for v in state.values())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--epochs", "0"], "whole number from 1 to 1,000,000"),
        (["--epochs", "-1"], "from 1"),
        (["--epochs", "two"], "'two' must be a whole number"),
        (["--lr", "nan"], "'nan' must be a number from 1e-12 to 1e+06"),
        (["--lr", "-0.1"], "from 1e-12"),
        (["--batch-size", "1.5"], "whole number"),
        (["--seed", "-1"], "from 0 to 18,446,744,073,709,551,615"),
        (["--seed", str(2**64)], "from 0 to 18,446,744,073,709,551,615"),
        (["--batch-size", str(10**20)], "from 1 to 1,000,000"),
        (["--threads", "3000"], "from 1 to 1,024"),
        (["--kernels", "cuda"], "invalid choice"),
        (["--threads", "0"], "from 1 to 1,024"),
        (["--model", "resnet"], "invalid choice"),
        (["--optimizer", "magic"], "invalid choice"),
        (["--save", "/nonexistent/folder/model.npz"], "cannot be written"),
        (["--json", "/"], "cannot be written (is a folder)"),
        (["--save", "a", "--json", "./a"], "--save a and --json ./a name the same file"),
        (["--report", "-", "--json", "-"], "name standard output"),
        (["--data", "/nonexistent"], "has none of"),
    ],
)
def test_wrong_options_are_refused_before_training(capsys, options, message):
    assert message in failed(capsys, ["train", *options])


def test_the_kernels_are_chosen_or_it_is_said_what_is_missing(few, monkeypatch, capsys):
    pytest.importorskip("numba", reason='Numba is not installed: pip install "tinygrad-cnn[fast]"')
    set_kernels("numpy")
    with monkeypatch.context() as patch:
        patch.setattr("importlib.util.find_spec", lambda name: None)
        assert "tinygrad-cnn[fast]" in failed(capsys, ["train", "--kernels", "numba"])
    assert main(["train", "--epochs", "1", "--kernels", "numba"]) == 0
    assert get_kernels() == "numba"
    assert "epoch 1/1" in capsys.readouterr().out


def test_an_unwritable_target_is_noticed_before_training(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(train, "load_sample", lambda: pytest.fail("training began"))
    assert "nothing was trained" in failed(capsys, ["train", "--save", tmp_path])
    assert list(tmp_path.iterdir()) == []


def picture(digit, size, *, inverted, margin):
    """A test digit, enlarged, on white or black."""
    image = PIL.Image.fromarray(digit).resize((size, size), PIL.Image.Resampling.BICUBIC)
    canvas = PIL.Image.new("L", (size + 2 * margin, size + 3 * margin), 0)
    canvas.paste(image, (margin, 2 * margin))
    values = np.asarray(canvas)
    return PIL.Image.fromarray(255 - values if inverted else values)


@pytest.mark.parametrize(
    ("size", "inverted", "margin"), [(28, False, 0), (28, True, 5), (200, True, 30), (97, False, 3)]
)
def test_predict_knows_digits_of_any_size_and_colour(trained, tmp_path, capsys, size, inverted, margin):
    digits = load_sample()
    paths = []
    for k in range(10):
        place = int(np.flatnonzero(digits.test_labels == k)[3])
        paths.append(tmp_path / f"{k}.png")
        picture(digits.test_images[place], size, inverted=inverted, margin=margin).save(paths[-1])
    assert main(["predict", *map(str, paths), "--model", str(trained)]) == 0
    lines = capsys.readouterr().out.splitlines()
    answers = [int(line.split(": ")[1][0]) for line in lines[::2]]
    assert sum(a == k for k, a in enumerate(answers)) >= 8
    shares = [float(part.split(": ")[1].rstrip("%")) for part in lines[1].strip().split("  ")]
    assert len(shares) == 10
    assert sum(shares) == pytest.approx(100, abs=1)


def test_a_picture_in_colour_with_transparency_is_read(trained, tmp_path, capsys):
    digit = load_sample().test_images[0]
    rgba = np.zeros((28, 28, 4), np.uint8)
    rgba[..., 2], rgba[..., 3] = 200, digit  # blue ink on nothing
    PIL.Image.fromarray(rgba).save(tmp_path / "a.png")
    assert main(["predict", str(tmp_path / "a.png"), "--model", str(trained)]) == 0
    assert f"a.png: {load_sample().test_labels[0]}" in capsys.readouterr().out


def test_bad_pictures_and_models_are_one_line_each(trained, tmp_path, capsys):
    (tmp_path / "bad.png").write_bytes(b"no picture")
    PIL.Image.new("L", (30, 30), 255).save(tmp_path / "blank.png")
    good = tmp_path / "good.png"
    PIL.Image.fromarray(load_sample().test_images[0]).save(good)
    model = ["--model", trained]
    assert "cannot be read as a picture" in failed(capsys, ["predict", tmp_path / "bad.png", *model])
    assert "no digit" in failed(capsys, ["predict", tmp_path / "blank.png", *model])
    assert "cannot be read" in failed(capsys, ["predict", tmp_path / "none.png", *model])
    assert "not a model file" in failed(capsys, ["predict", good, "--model", good])
    assert "cannot be read" in failed(capsys, ["predict", good, "--model", tmp_path / "none"])
    save_npz(tmp_path / "other.npz", {}, {"model": "resnet"})
    assert "known are lenet, article" in failed(capsys, ["predict", good, "--model", tmp_path / "other.npz"])
    save_npz(tmp_path / "empty.npz", {}, {"model": "lenet"})
    assert "does not fit" in failed(capsys, ["predict", good, "--model", tmp_path / "empty.npz"])


def test_a_folder_is_read_by_name(trained, tmp_path, capsys):
    for name in ("b.png", "a.jpg"):
        PIL.Image.fromarray(load_sample().test_images[0]).save(tmp_path / name)
    (tmp_path / "notes.txt").write_text("no picture")
    (tmp_path / "empty").mkdir()
    assert main(["predict", str(tmp_path), "--model", str(trained)]) == 0
    found = re.findall(r"(\S+\.(?:png|jpg)): 7", capsys.readouterr().out)
    assert [os.path.basename(path) for path in found] == ["a.jpg", "b.png"]
    assert "without pictures" in failed(capsys, ["predict", tmp_path / "empty", "--model", trained])


def test_other_pictures_are_answered_when_one_is_bad(trained, tmp_path, capsys):
    PIL.Image.fromarray(load_sample().test_images[0]).save(tmp_path / "good.png")
    assert main(["predict", "/none.png", str(tmp_path / "good.png"), "--model", str(trained)]) == 2
    assert "good.png: " in capsys.readouterr().out


def test_without_pillow_the_message_names_the_extra(trained, monkeypatch, capsys):
    monkeypatch.setattr(pictures, "PILLOW", False)
    assert "tinygrad-cnn[cli]" in failed(capsys, ["predict", "a.png", "--model", trained])


def test_on_a_terminal_there_is_a_bar_and_a_table(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    out = Terminal()
    shown = display.display_for(out)
    assert isinstance(shown, display.Rich)
    shown.start(2, 10)
    shown.batch(5, 0.5, 0.75)
    shown.epoch(1, 0.5, 0.8, 0.7)
    shown.stop()
    display.print_confusion(np.eye(10, dtype=int) + np.eye(10, k=1, dtype=int), out)
    assert re.search(r"[\r\n](\x1b\[[0-9;]*[A-Za-z])*epoch 1/2  loss 0\.5000", out.text)  # a line of its own
    assert "0 taken for 1 (1)" in out.text


def test_without_rich_there_are_plain_lines(monkeypatch):
    monkeypatch.setattr(display, "RICH", False)
    out = Terminal()
    shown = display.display_for(out)
    assert type(shown) is display.Plain
    display.print_confusion(np.eye(10, dtype=int), out)
    assert "most confused: none" in out.text


def test_the_module_runs_and_knows_its_version():
    done = subprocess.run(
        [sys.executable, "-m", "tinygrad_cnn", "--version"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ},
    )
    assert done.stdout.startswith("tinygrad-cnn ")


def test_images_are_normalised_as_mnist_is():
    x = normalised(load_sample().train_images)
    assert x.shape == (5000, 1, 28, 28)
    assert x.dtype == np.float32
    assert abs(float(x.mean())) < 0.02
    assert abs(float(x.std()) - 1) < 0.02
    assert set(MODELS) == {"lenet", "article"}


def test_shifted_images_are_moved_and_filled_with_background():
    x = Tensor(normalised(load_sample().train_images[:2]))
    assert shifted(x, 0) is x
    seen = {shifted(x, 1).numpy().tobytes() for _ in range(60)}
    assert len(seen) == 9
    assert all(shifted(x, 2).numpy().min() == x.numpy().min() for _ in range(5))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGPIPE")
@pytest.mark.parametrize(
    "command",
    [["gradcheck", "Tanh", "--samples", "2"], ["gradcheck", "--all", "--samples", "1"], ["train", "--epochs", "1"]],
)
def test_output_that_is_closed_early_ends_it_quietly(command):
    code = "import sys; from tinygrad_cnn.cli import main; sys.exit(main())"
    process = subprocess.Popen(
        [sys.executable, "-c", code, *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    process.stdout.close()  # nobody reads it
    _, complaint = process.communicate(timeout=HANGS)
    assert complaint == ""
    assert process.returncode == 141


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGPIPE")
def test_head_takes_a_line_and_nothing_complains(tmp_path):
    command = f"{sys.executable} -m tinygrad_cnn gradcheck --all --samples 1 2>{tmp_path / 'complaints'} | head -1"
    assert len(subprocess.run(command, shell=True, capture_output=True, text=True).stdout.splitlines()) == 1
    assert (tmp_path / "complaints").read_text() == ""


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["predict", "--help"]])
def test_only_the_command_that_is_given_is_imported(words):
    code = (
        "import sys\n"
        "from contextlib import suppress\n"
        "from tinygrad_cnn.cli import COMMANDS, main\n"
        f"with suppress(SystemExit): main({words!r})\n"
        "print([name for name in COMMANDS if f'tinygrad_cnn.cli.{name}' in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    given = [word for word in words if word == "predict"]
    assert done.stdout.splitlines()[-1] == repr(given)


def test_help_names_every_command(capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    shown = capsys.readouterr().out
    assert all(f"    {name} " in shown for name in ("train", "predict", "gradcheck"))
