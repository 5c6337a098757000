"""safetensors: the bytes that the format's description says, and what is not of it is refused."""

import json

import numpy as np
import pytest

import tinygrad_cnn as tg
from tinygrad_cnn import nn
from tinygrad_cnn.io import UnreadableFileError, load_file, safetensors, save_file


def file_of(header, body=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + body


def test_the_bytes_are_those_of_the_format():
    content = safetensors.save({"a": tg.tensor([1.0, 2.0]), "b": tg.tensor(3)}, {"k": "v"})
    length = int.from_bytes(content[:8], "little")
    assert length % 8 == 0
    assert json.loads(content[8 : 8 + length]) == {
        "__metadata__": {"k": "v"},
        "a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]},
        "b": {"dtype": "I64", "shape": [], "data_offsets": [8, 16]},
    }
    assert content[8 + length :] == np.array([1, 2], "<f4").tobytes() + np.array(3, "<i8").tobytes()


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "bool"])
def test_every_dtype_comes_back(tmp_path, dtype):
    x = tg.tensor(np.arange(6).reshape(2, 3).astype(dtype)).T
    save_file({"x": x, "none": x[:0]}, tmp_path / "x.safetensors")
    found = load_file(tmp_path / "x.safetensors")
    assert found["x"].dtype == x.dtype
    np.testing.assert_array_equal(found["x"].numpy(), x.numpy())
    assert found["none"].shape == (0, 2)


def test_a_state_dict_is_loaded_by_a_model(tmp_path):
    model, other = (nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3)) for _ in range(2))
    save_file(model.state_dict(), tmp_path / "m.safetensors")
    other.load_state_dict(load_file(tmp_path / "m.safetensors"))
    assert other[0].weight.tolist() == model[0].weight.tolist()


@pytest.mark.parametrize(
    ("tensors", "message"),
    [
        ([tg.ones(1)], "expected a dict"),
        ({"a": 3.0}, "'a' is float"),
        ({"__metadata__": tg.ones(1)}, "cannot be the name"),
        ({"a": (x := tg.ones(3)), "b": x[1:]}, "'a' and 'b' share memory"),
        ({"a": np.array(["x"])}, "dtype <U1"),
    ],
)
def test_what_the_format_cannot_hold_is_refused(tensors, message):
    with pytest.raises(ValueError, match=message):
        safetensors.save(tensors)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"short",
        (2**62).to_bytes(8, "little") + b"{}",
        file_of(b"rubbish"),
        file_of([]),
        file_of({"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}),
        file_of({"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 4]}}, bytes(4)),
        file_of({"a": {"dtype": "BF16", "shape": [2], "data_offsets": [0, 4]}}, bytes(4)),
        file_of({"a": {"dtype": "F32", "shape": [-1], "data_offsets": [0, -4]}}, bytes(4)),
        file_of({"a": {"dtype": "F32", "shape": [1.0], "data_offsets": [0, 4]}}, bytes(4)),
        file_of({"a": {"dtype": "F32", "shape": [1]}}, bytes(4)),
        file_of({}, bytes(4)),
        file_of(b"[" * 9999),
    ],
)
def test_damaged_files_are_refused(content):
    with pytest.raises(UnreadableFileError, match="safetensors: damaged"):
        safetensors.load(content)


def test_a_missing_file_and_another_device_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError):
        load_file(tmp_path / "none.safetensors")
    with pytest.raises(RuntimeError, match="cuda"):
        load_file(tmp_path / "none.safetensors", device="cuda")
