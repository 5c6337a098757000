"""Files of PyTorch's format, made by hand here: data is read, and everything that could run is refused by name."""

import io
import os
import pickle
import zipfile
from collections import OrderedDict

import numpy as np
import pytest

import tinygrad_cnn as tg
from tinygrad_cnn.io import UnreadableFileError


def file_of(program, storages=None, **members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as out:
        out.writestr("archive/data.pkl", program)
        for key, values in (storages or {}).items():
            out.writestr(f"archive/data/{key}", values.tobytes())
        for name, content in members.items():
            out.writestr(f"archive/{name}", content)
    buffer.seek(0)
    return buffer


def text(value):
    return b"X" + len(value).to_bytes(4, "little") + value.encode()


def ints(*values):
    return b"(" + b"".join(b"J" + v.to_bytes(4, "little", signed=True) for v in values) + b"t"


def storage(count, key="0", kind="FloatStorage", location="cpu"):
    parts = text("storage") + b"ctorch\n" + kind.encode() + b"\n" + text(key) + text(location)
    return b"(" + parts + b"J" + count.to_bytes(4, "little") + b"tQ"


def tensor(count, offset, size, stride, requires_grad=False, **where):
    args = storage(count, **where) + b"J" + offset.to_bytes(4, "little", signed=True) + ints(*size) + ints(*stride)
    flag = b"\x88" if requires_grad else b"\x89"
    return b"ctorch._utils\n_rebuild_tensor_v2\n(" + args + flag + b"ccollections\nOrderedDict\n)RtR"


def program(body):
    return b"\x80\x02" + body + b"."


NUMBERS = np.arange(6, dtype=np.float32)


def test_a_tensor_is_a_view_of_its_storage():
    x = tg.load(file_of(program(tensor(6, 1, (2, 2), (1, 2), requires_grad=True)), {"0": NUMBERS}))
    assert x.tolist() == [[1, 3], [2, 4]]
    assert x.requires_grad
    assert x.dtype == tg.float32


def test_tensors_of_one_storage_share_memory():
    pair = b"(" + tensor(6, 0, (3,), (1,)) + tensor(6, 2, (3,), (1,)) + b"t"
    a, b = tg.load(file_of(program(pair), {"0": NUMBERS}))
    a.fill_(9)
    assert b.tolist() == [9, 3, 4]


@pytest.mark.parametrize(
    ("kind", "dtype"),
    [
        ("DoubleStorage", "f8"),
        ("HalfStorage", "f2"),
        ("LongStorage", "i8"),
        ("ByteStorage", "u1"),
        ("BoolStorage", "?"),
    ],
)
def test_storages_of_every_kind(kind, dtype):
    values = np.array([1, 0, 1], dtype)
    x = tg.load(file_of(program(tensor(3, 0, (3,), (1,), kind=kind)), {"0": values}))
    np.testing.assert_array_equal(x.numpy(), values)
    assert x.numpy().dtype == values.dtype


def test_big_endian_files_are_turned():
    values = NUMBERS.astype(">f4")
    x = tg.load(file_of(program(tensor(6, 0, (6,), (1,))), {"0": values}, byteorder=b"big"))
    assert x.tolist() == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize(
    "value",
    [
        {"a": [1, -5, 2**40, 2.5, True, None, ("x", "é" * 300)], 3: {}},
        OrderedDict(a=1, b=(1, 2, 3, 4)),
        [list(range(1000)), b"bytes", [], ()],
        [same := [1], same],
        {1, 2},
    ],
)
def test_plain_values_are_those_of_pickle(value, protocol):
    assert repr(tg.load(file_of(pickle.dumps(value, protocol)))) == repr(value)


class Evil:
    def __init__(self, function, *args):
        self.call = function, args

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
@pytest.mark.parametrize(
    "evil",
    [
        Evil(os.abort),
        Evil(eval, "__import__('os').abort()"),
        Evil(__import__, "os"),
        Evil(pickle.loads, b""),
        Evil(np.load, "x"),
        Evil(open, "/tmp/x", "w"),
    ],
    ids=lambda evil: getattr(evil.call[0], "__name__", "?"),
)
def test_calls_are_refused_and_not_made(evil, protocol):
    for value in (evil, [evil], {"a": evil}):
        with pytest.raises(UnreadableFileError, match=r"names .*, which is not loaded|instruction"):
            tg.load(file_of(pickle.dumps(value, protocol)))


HOSTILE = {
    "an extension": b"\x80\x02\x82\x01.",
    "INST": b"(S'x'\nios\nsystem\n.",
    "OBJ": b"(cos\nsystem\nX\x01\x00\x00\x00xo.",
    "NEWOBJ": b"\x80\x02ccollections\nOrderedDict\n)\x81.",
    "a persistent name": b"Pabc\n.",
    "attributes of a dict": b"\x80\x02ccollections\nOrderedDict\n)R}X\x05\x00\x00\x00itemsK\x01sb.",
    "BUILD of a list": b"\x80\x02]}b.",
    "a call of a number": b"\x80\x02K\x01)R.",
    "a call of a dtype": b"\x80\x02ctorch\nfloat32\n)R.",
    "a dotted name": b"\x80\x04\x8c\x0bcollections\x8c\x14OrderedDict.__init__\x93.",
    "an empty stack": b"\x80\x02R.",
    "no mark": b"\x80\x02K\x01t.",
    "no STOP": b"\x80\x02K\x01",
    "an unknown memo": b"\x80\x02h\x07.",
    "append to a tuple": b"\x80\x02)K\x01a.",
    "an unhashable key": b"\x80\x02}]K\x01s.",
    "rubbish": b"\xff\xfe",
    "an odd dict": b"\x80\x02}(K\x01u.",
    "a text too short": b"\x80\x02X\xff\xff\xff\x7fabc.",
    "other bytes": program(b"c_codecs\nencode\n" + text("x") + text("rot13") + b"\x86R"),
    "size without stride": program(tensor(6, 0, (2, 2), (1,))),
    "beyond the storage": program(tensor(6, 3, (4,), (1,))),
    "before the storage": program(tensor(6, -1, (2,), (1,))),
    "backwards": program(tensor(6, 5, (2,), (-1,))),
    "a huge size": program(tensor(6, 0, (2**31 - 1, 2**31 - 1), (1, 1))),
    "a missing storage": program(tensor(6, 0, (6,), (1,), key="1")),
    "a storage outside": program(tensor(6, 0, (6,), (1,), key="../data.pkl")),
    "a longer storage": program(tensor(7, 0, (6,), (1,))),
    "another dtype": program(tensor(6, 0, (6,), (1,), kind="BFloat16Storage")),
    "a storage alone as a tensor": program(b"ctorch._utils\n_rebuild_parameter\n(" + storage(6) + b"\x89)tR"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_and_damaged_programs_are_refused(name):
    with pytest.raises(UnreadableFileError):
        tg.load(file_of(HOSTILE[name], {"0": NUMBERS}))


def test_tensors_of_another_device_are_mapped_or_refused():
    def file():
        return file_of(program(tensor(6, 0, (6,), (1,), location="cuda:0")), {"0": NUMBERS})

    with pytest.raises(RuntimeError, match=r"'cuda:0'.*map_location='cpu'"):
        tg.load(file())
    with pytest.raises(RuntimeError, match="cuda"):
        tg.load(file(), map_location={"cuda:1": "cpu"})
    for place in ("cpu", tg.device("cpu"), {"cuda:0": "cpu"}, lambda storage, location: storage):
        assert tg.load(file(), map_location=place).tolist() == NUMBERS.tolist()


def test_old_and_scripted_files_say_what_to_do():
    with pytest.raises(UnreadableFileError, match=r"before 1\.6"):
        tg.load(io.BytesIO(b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19." + b"more"))
    with pytest.raises(UnreadableFileError, match="TorchScript"):
        tg.load(file_of(program(b"N"), **{"constants.pkl": b""}))
