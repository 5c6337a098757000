"""`save` and `load`: what goes in comes out, what is no data is refused by name, and no file executes anything."""

import io
import json
import math
import pickle
import zipfile
from collections import Counter, OrderedDict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_cnn as tg
from tinygrad_cnn import nn, optim
from tinygrad_cnn.io import ModelFileError, UnreadableFileError


def through(value):
    buffer = io.BytesIO()
    tg.save(value, buffer)
    buffer.seek(0)
    return tg.load(buffer)


KEYS = st.one_of(st.text(max_size=3), st.integers(), st.booleans(), st.none())
PLAIN = st.one_of(KEYS, st.floats(), st.binary(max_size=4))
TREES = st.recursive(
    PLAIN,
    lambda part: st.one_of(
        st.lists(part, max_size=3),
        st.lists(part, max_size=3).map(tuple),
        st.dictionaries(KEYS, part, max_size=3),
        st.dictionaries(KEYS, part, max_size=3).map(OrderedDict),
        st.frozensets(KEYS, max_size=3),
    ),
    max_leaves=8,
)


@settings(max_examples=60)
@given(TREES)
def test_trees_of_plain_values_come_back_with_their_types(tree):
    assert spelled(through(tree)) == spelled(tree)


def spelled(tree):
    """Types and values as text, in which NaN is NaN, 1 is not True, and sets have an order."""
    kind = type(tree).__name__
    if isinstance(tree, dict):
        return kind, [(spelled(k), spelled(v)) for k, v in tree.items()]
    if isinstance(tree, frozenset):
        return kind, sorted(map(repr, tree))
    if isinstance(tree, (list, tuple)):
        return kind, [spelled(part) for part in tree]
    return kind, repr(tree)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int8", "int32", "int64", "uint8", "bool"])
@pytest.mark.parametrize("shape", [(), (0,), (2, 3)])
def test_tensors_of_every_dtype_come_back(dtype, shape):
    x = tg.tensor(np.arange(math.prod(shape)).reshape(shape).astype(dtype))
    y = through({"x": x})["x"]
    assert (y.dtype, y.shape) == (x.dtype, x.shape)
    np.testing.assert_array_equal(y.numpy(), x.numpy())
    y.fill_(1)  # it can be written


def test_what_a_tensor_is_comes_back():
    leaf, parameter = tg.ones(2, requires_grad=True), nn.Parameter(tg.zeros(2))
    transposed = tg.arange(6).reshape(2, 3).T
    values = through([leaf, parameter, leaf, leaf * 2, transposed, np.float32(3), tg.float16, tg.device("cpu")])
    assert values[0] is values[2]
    assert [v.requires_grad for v in values[:4]] == [True] * 4
    assert [type(v) for v in values[:4]] == [tg.Tensor, nn.Parameter, tg.Tensor, tg.Tensor]
    assert values[3].is_leaf
    assert values[4].tolist() == [[0, 3], [1, 4], [2, 5]]
    assert (values[5], values[5].dtype) == (3, np.float32)
    assert values[6] is tg.float16
    assert values[7] == tg.device("cpu")
    assert type(through(Counter("aab"))) is Counter
    assert isinstance(through(tg.ones(2, 3).shape), tg.Size)


def test_tensors_of_one_memory_share_it_after_loading():
    x = tg.zeros(3)
    a, b, c = through((x.detach(), x.detach(), x.clone()))
    a.fill_(1)
    assert (b.tolist(), c.tolist()) == ([1, 1, 1], [0, 0, 0])


def test_a_model_and_its_optimiser_go_on_where_they_were(tmp_path):
    def made():
        tg.manual_seed(0)
        model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 1))
        return model, optim.Adam(model.parameters(), lr=0.1)

    def step(model, optimiser):
        optimiser.zero_grad()
        model(tg.tensor(np.arange(12.0, dtype=np.float32).reshape(4, 3))).square().mean().backward()
        optimiser.step()

    model, optimiser = made()
    step(model, optimiser)
    path = tmp_path / "checkpoint.pt"
    tg.save({"epoch": 1, "model": model.state_dict(), "optimizer": optimiser.state_dict()}, path)
    step(model, optimiser)
    again, its = made()
    checkpoint = tg.load(path, weights_only=True, map_location="cpu")
    again.load_state_dict(checkpoint["model"])
    its.load_state_dict(checkpoint["optimizer"])
    step(again, its)
    for a, b in zip(model.state_dict().values(), again.state_dict().values(), strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())
    assert checkpoint["epoch"] == 1


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        ({"a": [1, print]}, TypeError, r"the object\['a'\]\[1\] is of type builtin_function_or_method"),
        (optim.SGD([tg.ones(1, requires_grad=True)], lr=1), TypeError, r"save its state_dict\(\)"),
        (np.array(["a"]), TypeError, "has dtype <U1"),
        (1j, TypeError, "is of type complex"),
    ],
)
def test_what_is_no_data_is_refused_with_its_place(value, error, message):
    with pytest.raises(error, match=message):
        tg.save(value, io.BytesIO())


def test_what_contains_itself_is_refused():
    loop = []
    loop.append(loop)
    with pytest.raises(ValueError, match="contains itself"):
        tg.save(loop, io.BytesIO())


def test_options_that_would_pickle_are_refused():
    for options in ({"pickle_module": json}, {"pickle_protocol": 4}, {"_use_new_zipfile_serialization": False}):
        with pytest.raises(ValueError, match="leave"):
            tg.save(1, io.BytesIO(), **options)
    for options in ({"pickle_module": pickle}, {"encoding": "latin1"}, {"mmap": True}):
        with pytest.raises(ValueError, match=r"unpickled|mmap"):
            tg.load(io.BytesIO(), **options)
    with pytest.raises(AttributeError, match="expected a path or a file"):
        tg.save(1, 3)
    with pytest.raises(AttributeError, match="expected a path or a file"):
        tg.load(3)
    with pytest.raises(TypeError, match="'rb'"):
        tg.load(io.StringIO("x"))


def test_a_missing_file_is_said():
    with pytest.raises(FileNotFoundError):
        tg.load("/nonexistent/model.pt")


@pytest.mark.parametrize("content", [b"", b"rubbish", b"PK\x03\x04 and nothing", pickle.dumps({"a": 1})])
def test_other_files_are_refused_as_pytorch_s_users_expect(content):
    with pytest.raises(UnreadableFileError) as caught:
        tg.load(io.BytesIO(content))
    for kind in (ModelFileError, RuntimeError, pickle.UnpicklingError, EOFError):
        assert isinstance(caught.value, kind)


def test_a_truncated_or_changed_file_is_refused(tmp_path):
    buffer = io.BytesIO()
    tg.save({"a": tg.ones(1000)}, buffer)
    content = buffer.getvalue()
    with pytest.raises(UnreadableFileError):
        tg.load(io.BytesIO(content[:-500]))
    at = content.index(np.ones(8, np.float32).tobytes())
    changed = content[:at] + b"\x00" * 4 + content[at + 4 :]
    with pytest.raises(UnreadableFileError, match="CRC"):
        tg.load(io.BytesIO(changed))


def archive(structure, arrays=(), **options):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", **options) as out:
        out.writestr("structure.json", structure if isinstance(structure, str) else json.dumps(structure))
        for k, content in enumerate(arrays):
            out.writestr(f"arrays/{k}", content)
    buffer.seek(0)
    return buffer


def described(value, arrays=(), tensors=()):
    return {"format": "tinygrad_cnn 1", "arrays": list(arrays), "tensors": list(tensors), "value": value}


@pytest.mark.parametrize(
    "file",
    [
        archive("{"),
        archive("[]"),
        archive(described({"evil": 1})),
        archive(described({"tensor": 0})),
        archive(described({"array": -1}, [{"dtype": "<f4", "shape": [1]}]), [bytes(4)]),
        archive(described(0, [{"dtype": "|O", "shape": [1]}]), [bytes(8)]),
        archive(described(0, [{"dtype": "<f4", "shape": [10**12]}]), [bytes(4)]),
        archive(described(0, [{"dtype": "<f4", "shape": [-1, -1]}]), [bytes(4)]),
        archive(described(0, [{"dtype": "<f4", "shape": [1]}])),
        archive(described({"dict": [[[], 1]]})),
        archive(described({"float": "1"})),
        archive(described({"list": 1, "tuple": 2})),
        archive({**described(0), "format": "other"}),
        archive("[" * 10000 + "]" * 10000),
        archive(described(0), compression=zipfile.ZIP_DEFLATED),
    ],
)
def test_a_damaged_structure_is_refused(file):
    with pytest.raises(UnreadableFileError):
        tg.load(file)


def test_tensors_of_another_device_need_a_map():
    with pytest.raises(RuntimeError, match="only 'cpu'"):
        tg.load(io.BytesIO(), map_location="cuda")


class Shifted(nn.Module):
    """A Module with attributes of several kinds, one layer in two places, and a function of this package."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3))
        self.again = self.body[0]
        self.register_buffer("shift", tg.ones(3), persistent=False)
        self.sizes, self.activation = (3, 3), nn.functional.relu

    def forward(self, x):
        return self.activation(self.again(self.body(x)) + self.shift)


def test_a_module_comes_back_whole():
    net = Shifted()
    net(tg.randn(5, 3)).sum().backward()
    net.eval()
    again = through({"net": net, "epoch": 3})["net"]
    x = tg.randn(4, 3)
    np.testing.assert_array_equal(again(x).detach().numpy(), net(x).detach().numpy())
    assert repr(again) == repr(net)
    assert (again.training, again.sizes, again.again is again.body[0]) == (False, (3, 3), True)
    assert list(again.state_dict()) == list(net.state_dict())
    assert all(isinstance(p, nn.Parameter) and p.requires_grad and p.grad is None for p in again.parameters())
    optim.SGD(again.parameters(), lr=0.1).zero_grad()


def test_a_module_is_refused_where_only_weights_are_wanted():
    buffer = io.BytesIO()
    tg.save(nn.Linear(2, 2), buffer)
    buffer.seek(0)
    with pytest.raises(UnreadableFileError, match=r"a whole Module \(Linear\), which weights_only=True refuses"):
        tg.load(buffer, weights_only=True)


def test_where_only_weights_are_wanted_a_module_of_listed_classes_is_made():
    def read():
        buffer.seek(0)
        return tg.load(buffer, weights_only=True)

    buffer = io.BytesIO()
    tg.save(nn.Sequential(nn.Linear(2, 2), nn.ReLU()), buffer)
    listed = tg.serialization
    with listed.safe_globals([nn.Sequential, nn.Linear, nn.ReLU]):
        assert read()(tg.ones(3, 2)).shape == (3, 2)
    with listed.safe_globals([nn.Sequential]), pytest.raises(UnreadableFileError, match=r"\(Linear, ReLU\)"):
        read()
    assert listed.get_safe_globals() == []
    listed.add_safe_globals([nn.Sequential, nn.Linear, nn.ReLU, nn.ReLU])
    try:
        assert len(read()) == 2
        assert len(listed.get_safe_globals()) == 3
    finally:
        listed.clear_safe_globals()
    with pytest.raises(UnreadableFileError):
        read()


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ('"Linear"', '"Absent"', "no Module of that name is loaded; define or import the class first"),
        ('"tinygrad_cnn.nn.linear", "Linear"', '"os", "system"', "no Module of that name is loaded"),
        ('"tinygrad_cnn.nn.linear", "Linear"', '"builtins", "dict"', "no Module of that name is loaded"),
        ('"tinygrad_cnn.nn.linear"', '"a_module_that_is_not_imported"', "no Module of that name is loaded"),
        ('"_modules"', '"_other"', "a Linear without parameters, buffers and modules"),
        ('"tensor": 0', '"tensor": 9', "the file is damaged"),
        ('{"module": 0}', '{"function": ["os", "system"]}', "is not one that computes"),
        ('{"module": 0}', '{"function": ["tinygrad_cnn.ops.op", "Op"]}', "is not one that computes"),
        ('{"module": 0}', '{"function": ["tinygrad_cnn", "save"]}', "is not one that computes"),
        ('{"module": 0}', '{"module": 7}', "the file is damaged"),
    ],
)
def test_a_module_in_a_hostile_file_is_refused(old, new, text):
    buffer, other = io.BytesIO(), io.BytesIO()
    tg.save(nn.Linear(2, 2), buffer)
    with zipfile.ZipFile(buffer) as whole, zipfile.ZipFile(other, "w") as changed:
        for name in whole.namelist():
            content = whole.read(name)
            if name == "structure.json":
                found = content.decode()
                assert old in found
                content = found.replace(old, new).encode()
            changed.writestr(name, content)
    other.seek(0)
    with pytest.raises(UnreadableFileError, match=text):
        tg.load(other)


def test_a_module_with_a_hook_is_refused():
    net = nn.Linear(2, 2)
    net.register_forward_hook(lambda *args: None)
    with pytest.raises(TypeError, match=r"of a Module with hooks or functions of its own, save the state_dict\(\)"):
        tg.save(net, io.BytesIO())
