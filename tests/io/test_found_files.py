"""Files that crashed, hung, filled the memory or raised anything once: each is refused in a sentence, and cheaply."""

import io
import os
import sys
from pathlib import Path

import numpy as np
import pytest

import tinygrad_cnn as tg
from scripts.fuzz_readers.found import FOUND
from scripts.fuzz_readers.readers import prepare

measuring = pytest.importorskip("scripts.fuzz_readers.measuring", reason="it measures as Linux does")
HARMLESS = {"load: marks, searched from the bottom", "load: a zip for a later version", "picture: a line"}
"""What is read: it was only slow, or is no fault of the file."""


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    folder = tmp_path_factory.mktemp("found")
    prepare(folder)
    made = {name: (reader, make()) for name, (reader, make) in FOUND.items()}
    return dict(zip(made, measuring.read_all(list(made.values()), folder), strict=True))


@pytest.mark.skipif(sys.platform != "linux", reason="it measures as Linux does")
@pytest.mark.parametrize("name", [name for name, (reader, _) in FOUND.items() if reader != "predict"])
def test_it_is_refused_quickly_in_little_memory(outcomes, name):
    found = outcomes[name]
    assert (found.end, name in HARMLESS) in (("refused", False), ("read", True)), found.words
    assert found.words.isprintable()


@pytest.mark.parametrize("name", [name for name, (reader, _) in FOUND.items() if reader == "predict"])
def test_predict_refuses_a_model_in_one_line(tmp_path, capsys, name):
    prepare(tmp_path)
    (tmp_path / "model").write_bytes(FOUND[name][1]())
    assert tg.cli.main(["predict", "--model", str(tmp_path / "model"), str(tmp_path / "digit.png")]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert len(said.err.splitlines()) == 1
    assert len(said.err) < 900 + len(str(tmp_path))


PATHS = {
    "load": tg.load,
    "load_model": tg.io.load_model,
    "load_npz": tg.io.load_npz,
    "load_file": tg.io.load_file,
    "read_pickle": lambda path: tg.datasets.cifar.read_pickle(Path(path)),
    "read_idx": lambda path: tg.datasets.idx.read_any_idx(Path(path), 2049, 5),
    "read_digit": tg.teach.pictures.read_digit,
    "pil_loader": tg.datasets.folder.pil_loader,
}


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names")
@pytest.mark.parametrize("reader", PATHS)
@pytest.mark.parametrize("ending", ["", ".gz", ".png"])
def test_pipes_and_devices_are_refused_and_not_waited_for(tmp_path, reader, ending):
    os.mkfifo(tmp_path / f"pipe{ending}")
    (tmp_path / f"zero{ending}").symlink_to("/dev/zero")
    for name in ("pipe", "zero"):
        with pytest.raises(tg.io.FileError, match="is a pipe or a device"):
            PATHS[reader](tmp_path / f"{name}{ending}")


@pytest.mark.parametrize("reader", PATHS)
def test_a_huge_file_is_refused_before_it_is_read(tmp_path, reader):
    with open(tmp_path / "file", "wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(tg.io.FileError, match=r"has 1,099,511,627,776 bytes or more; at most 4,294,967,296 are read"):
        PATHS[reader](tmp_path / "file")


@pytest.mark.parametrize("reader", PATHS)
def test_a_path_that_is_none_is_said(reader):
    for path in ("a\0b", "\ud800" * 3):
        with pytest.raises(tg.io.FileError, match="no name of a file"):
            PATHS[reader](path)


def test_a_pipe_is_read_where_that_is_asked_for(tmp_path):
    buffer = io.BytesIO()
    tg.save(tg.ones(3), buffer)
    reading, writing = os.pipe()
    os.write(writing, buffer.getvalue())
    os.close(writing)
    if Path("/dev/fd").is_dir():
        found = tg.load(f"/dev/fd/{reading}", limits=tg.io.Limits(regular=False))
        assert found.tolist() == [1, 1, 1]
    os.close(reading)


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ({"file": 100}, r"at most 100 are read \(limits.file\)"),
        ({"elements": 3}, r"more than 3 elements \(limits.elements\)"),
        ({"objects": -5000}, r"give larger limits.objects"),
    ],
)
@pytest.mark.parametrize("name", ["m.tg", "m.npz", "m.safetensors"])
def test_every_limit_is_kept_and_named(tmp_path, limits, words, name):
    tg.io.save_model(tmp_path / name, {"a": tg.ones(5)})
    assert len(tg.io.load_model(tmp_path / name).state) == 1
    with pytest.raises(tg.io.ModelFileError, match=words):
        tg.io.load_model(tmp_path / name, tg.io.Limits(**limits))


def test_what_unpacks_is_counted(tmp_path):
    np.savez_compressed(tmp_path / "m.npz", __about__=np.array("{}"), a=np.zeros(30_000), b=np.zeros(30_000))
    assert len(tg.io.load_npz(tmp_path / "m.npz")[0]) == 2
    with pytest.raises(tg.io.ModelFileError, match=r"unpacks to 480,\d+ bytes or more; at most 400,000 are made"):
        tg.io.load_npz(tmp_path / "m.npz", tg.io.Limits(unpacked=400_000))


def test_pixels_are_counted(tmp_path):
    tg.utils.save_image(tg.ones(3, 20, 20), tmp_path / "a.png")
    for reader in (tg.teach.pictures.read_digit, tg.datasets.folder.pil_loader):
        with pytest.raises(tg.io.FileError, match=r"20×20 pixels; at most 399 are read \(limits.pixels\)"):
            reader(tmp_path / "a.png", limits=tg.io.Limits(pixels=399))
