"""dtype, Size and device: PyTorch's names and prints, usable as NumPy's."""

import copy
import pickle

import numpy as np
import pytest

import tinygrad_cnn as tg

NAMES = {
    "float16": "half", "float32": "float", "float64": "double", "uint8": None, "int8": None,
    "int16": "short", "int32": "int", "int64": "long", "bool": None,
}  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_dtype_prints_as_pytorch_and_works_as_numpys(name):
    mine, numpys = getattr(tg, name), np.dtype(name)
    assert repr(mine) == str(mine) == f"torch.{name}"
    assert mine == numpys
    assert numpys == mine
    assert mine == numpys.type
    assert hash(mine) == hash(numpys)
    assert np.zeros(3, dtype=mine).dtype is numpys
    assert np.zeros(2).astype(mine).dtype is numpys
    assert mine.itemsize == numpys.itemsize
    assert mine.is_floating_point == (numpys.kind == "f")
    assert mine.is_signed == (numpys.kind in "if")
    assert not mine.is_complex


@pytest.mark.parametrize("name", NAMES)
def test_there_is_one_object_per_dtype(name):
    mine = getattr(tg, name)
    assert tg.zeros(2, dtype=mine).dtype is mine
    assert tg.zeros(2, dtype=name).dtype is mine
    assert NAMES[name] is None or getattr(tg, NAMES[name]) is mine
    assert pickle.loads(pickle.dumps(mine)) is mine
    assert copy.deepcopy(mine) is mine
    assert isinstance(mine, tg.dtype)


def test_a_dtype_differs_from_others_and_from_what_is_none():
    assert tg.float32 != tg.float64
    assert tg.float32 != np.float64
    assert tg.float32 != None  # noqa: E711
    assert tg.float32 not in (tg.int64, "abc")


@pytest.mark.parametrize("name", ["complex64", "complex128", "cfloat", "quint8", "float8_e4m3fn"])
def test_a_dtype_that_numpy_has_not_is_refused_with_the_nearest_one(name):
    assert not hasattr(tg, name)
    with pytest.raises(AttributeError, match=f"{name}.*float"):
        getattr(tg, name)


def test_bfloat16_is_a_name_that_is_refused_where_it_is_used():
    name = tg.bfloat16
    assert repr(name) == "torch.bfloat16"
    assert isinstance(name, tg.dtype)
    assert (name.is_floating_point, name.itemsize) == (True, 2)
    assert name != tg.float32
    assert tg.float32 != name
    assert tg.ones(1).dtype not in (name, tg.float16)
    assert copy.deepcopy(name) is pickle.loads(pickle.dumps(name)) is name
    for use in (
        lambda: tg.zeros(2, dtype=name),
        lambda: tg.ones(2).to(name),
        lambda: tg.ones(2).sum(dtype=name),
        lambda: tg.nn.Linear(2, 2, dtype=name),
        lambda: tg.nn.Linear(2, 2).to(dtype=name),
        lambda: tg.finfo(name),
        lambda: tg.set_default_dtype(name),
        *([lambda: np.zeros(2, name)] if np.lib.NumpyVersion(np.__version__) >= "2.4.0" else []),  # it hid it before
    ):
        with pytest.raises(TypeError, match="bfloat16: NumPy has no such dtype; use float16, float32 or float64"):
            use()


def test_a_size_is_a_tuple_that_prints_as_pytorchs():
    size = tg.zeros(2, 3).shape
    assert repr(size) == "torch.Size([2, 3])"
    assert size == (2, 3)
    assert tg.zeros(2, 3).size() == tg.Size([2, 3])
    assert size.numel() == 6
    assert repr(size[1:]) == "torch.Size([3])"
    assert repr(size + tg.Size([4])) == repr(tg.Size([2, 3, 4]))
    assert repr((4, *size)[:1] + size) == "torch.Size([4, 2, 3])"
    assert repr(tg.zeros(()).shape) == "torch.Size([])"
    assert size[0] == 2
    assert {size: 1}[(2, 3)] == 1


def test_the_device_is_the_cpu():
    x = tg.zeros(2)
    assert x.device == tg.device("cpu")
    assert repr(x.device) == "device(type='cpu')"
    assert (str(x.device), x.device.type, x.device.index) == ("cpu", "cpu", None)
    assert repr(tg.device("cpu:0")) == "device(type='cpu', index=0)"
    assert tg.device("cpu", 0) == tg.device("cpu:0") != tg.device("cpu")
    assert str(tg.device("cpu:0")) == "cpu:0"
    assert len({tg.device("cpu"), tg.device("cpu")}) == 1
    assert pickle.loads(pickle.dumps(tg.device("cpu:0"))) == tg.device("cpu:0")
    assert not x.is_cuda
    assert x.cpu() is x
    with tg.device("cpu"):
        assert tg.zeros(1).device.type == "cpu"


@pytest.mark.parametrize("name", ["cuda", "cuda:0", "mps", "gpu", "cpu:x", 3])
def test_another_device_is_refused(name):
    with pytest.raises(RuntimeError, match=r"device.*cpu"):
        tg.device(name)
    with pytest.raises(RuntimeError, match=r"zeros: device.*cpu"):
        tg.zeros(2, device=name)


def test_cuda_is_refused_where_it_is_used_and_says_so_where_it_is_asked():
    assert not tg.cuda.is_available()
    assert tg.cuda.device_count() == 0
    assert tg.cuda.manual_seed(1) is None
    assert tg.cuda.manual_seed_all(1) is None
    for call in (tg.zeros(1).cuda, tg.cuda.current_device, lambda: tg.zeros(1).to("cuda")):
        with pytest.raises(AssertionError, match=r"cpu|CPU"):
            call()
    assert not tg.backends.mps.is_available()
    assert not tg.backends.cudnn.is_available()
    assert not tg.accelerator.is_available()


@pytest.mark.parametrize(
    ("arguments", "options", "dtype"),
    [
        (("cpu",), {}, "float32"),
        ((tg.float64,), {}, "float64"),
        ((tg.device("cpu"), tg.float64), {}, "float64"),
        (("cpu", tg.float64), {"non_blocking": True}, "float64"),
        ((tg.zeros(1, dtype=tg.int64),), {}, "int64"),
        ((), {"dtype": tg.float16}, "float16"),
        ((), {"device": "cpu", "dtype": tg.float16, "copy": True}, "float16"),
        ((np.float64,), {}, "float64"),
    ],
)
def test_to_takes_pytorchs_arguments(arguments, options, dtype):
    assert tg.zeros(2).to(*arguments, **options).dtype == dtype


def test_to_returns_the_tensor_itself_unless_something_changes_or_a_copy_is_asked_for():
    x = tg.zeros(2)
    assert x.to("cpu") is x
    assert x.to(tg.float32) is x
    assert x.to("cpu", copy=True) is not x


@pytest.mark.parametrize("arguments", [(), ("float31",), (tg.float32, "cpu"), (3.5,)])
def test_to_refuses_what_it_does_not_understand(arguments):
    with pytest.raises((TypeError, RuntimeError), match=r"^to"):
        tg.zeros(2).to(*arguments)
