"""Model files: round trips, damage, and no half-written file."""

import os
import pickle
import stat

import numpy as np
import pytest

import tinygrad_cnn as tg
from tinygrad_cnn.io import ModelFileError, load_npz, save_npz, write_atomically


def test_what_is_saved_is_loaded(tmp_path):
    path = tmp_path / "model.npz"
    save_npz(path, {"a.weight": tg.tensor([1.0, 2.0]), "n": tg.tensor(3)}, {"model": "x"})
    state, about = load_npz(path)
    assert about == {"model": "x"}
    assert state["a.weight"].tolist() == [1.0, 2.0]
    assert state["a.weight"].dtype == np.float32
    assert state["n"].item() == 3


class Evil:
    def __reduce__(self):
        return (os.abort, ())


@pytest.mark.parametrize(
    "content",
    [b"", b"rubbish", b"PK\x03\x04 and nothing", pickle.dumps(Evil()), b"\x93NUMPY\x01\x00"],
    ids=["empty", "rubbish", "zip head", "pickle", "npy head"],
)
def test_other_files_are_refused_and_nothing_is_executed(tmp_path, content):
    path = tmp_path / "model.npz"
    path.write_bytes(content)
    with pytest.raises(ModelFileError, match=r"model\.npz: .*model file"):
        load_npz(path)


def test_objects_in_an_npz_are_not_unpickled(tmp_path):
    path = tmp_path / "model.npz"
    np.savez(path, __about__=np.array("{}"), w=np.array([Evil()], dtype=object))
    with pytest.raises(ModelFileError, match="not a model file"):
        load_npz(path)


def test_a_truncated_file_is_refused(tmp_path):
    path = tmp_path / "model.npz"
    save_npz(path, {"a": tg.zeros(1000)}, {})
    path.write_bytes(path.read_bytes()[:-500])
    with pytest.raises(ModelFileError):
        load_npz(path)


def test_an_npz_of_somebody_else_is_refused(tmp_path):
    np.savez(tmp_path / "a.npz", x=np.ones(2))
    with pytest.raises(ModelFileError, match="not a model file"):
        load_npz(tmp_path / "a.npz")


def test_a_missing_file_is_said():
    with pytest.raises(ModelFileError, match="cannot be read"):
        load_npz("/nonexistent/model.npz")


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path, monkeypatch):
    path = tmp_path / "file"
    write_atomically(path, b"old")

    def fail(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="No space"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_files_have_ordinary_permissions(tmp_path):
    write_atomically(tmp_path / "a", b"x")
    (tmp_path / "b").write_bytes(b"x")
    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in "ab"]
    assert modes[0] == modes[1]


def test_a_tensor_with_the_name_of_the_facts_is_refused_and_an_old_file_stays(tmp_path):
    path = tmp_path / "model.npz"
    save_npz(path, {"file": tg.ones(2)}, {"made": "before"})
    with pytest.raises(ValueError, match="save_npz: a tensor is called '__about__', the name of the facts"):
        save_npz(path, {"__about__": tg.ones(2)}, {})
    state, about = load_npz(path)
    assert (state["file"].tolist(), about) == ([1.0, 1.0], {"made": "before"})
