"""Exchange with arrays: what PyTorch shares, copies and refuses is the same here."""

import copy
import pickle

import numpy as np
import pytest
import torch

import tinygrad_cnn as tg
from tests.parity.both import check_same, leaf


def test_dlpack_shares_memory_with_pytorch_both_ways():
    ours = tg.zeros(2, 3)
    theirs = torch.from_dlpack(ours)
    theirs[0, 1] = 5
    assert ours.tolist() == theirs.tolist()
    back = tg.from_dlpack(theirs.t())
    back.fill_(2)
    assert theirs.tolist() == ours.tolist() == [[2, 2, 2], [2, 2, 2]]


CALLS = {
    "asarray": lambda t, x: np.asarray(x.detach()).tolist(),
    "asarray with a gradient": lambda t, x: np.asarray(x),
    "asarray under no_grad": lambda t, x: under_no_grad(t, lambda: x.numpy().tolist()),
    "dlpack with a gradient": lambda t, x: np.from_dlpack(x),
    "from_dlpack with a gradient": lambda t, x: t.from_dlpack(x),
    "from_dlpack of a list": lambda t, x: t.from_dlpack([1.0]),
    "from_dlpack": lambda t, x: t.from_dlpack(np.arange(3.0)),
    "from_numpy of a list": lambda t, x: t.from_numpy([1.0]),
    "from_numpy of texts": lambda t, x: t.from_numpy(np.array(["a"])),
    "numpy with a gradient": lambda t, x: x.numpy(),
    "numpy, forced": lambda t, x: x.numpy(force=True).tolist(),
    "deepcopy of a result": lambda t, x: copy.deepcopy(x * 2),
    "deepcopy": lambda t, x: with_gradient(copy.deepcopy, x),
    "copy": lambda t, x: with_gradient(copy.copy, x),
    "pickle": lambda t, x: with_gradient(lambda v: pickle.loads(pickle.dumps(v)), x),
    "sum of an array and a tensor": lambda t, x: t.from_numpy(np.ones(3)) + x,
    "tensor and array": lambda t, x: x.detach().float() * t.from_numpy(np.ones(3, np.float32)),
}


def under_no_grad(t, call):
    with t.no_grad():
        return call()


def with_gradient(copied, x):
    (x * x).sum().backward()
    y = copied(x)
    return y, y.grad, y is x, np.shares_memory(y.detach().numpy(), x.detach().numpy())


@pytest.mark.parametrize("name", CALLS)
def test_exchange_is_as_in_pytorch(name):
    check_same(lambda t: CALLS[name](t, leaf(t, [1.0, -2.0, 3.0])))


def test_from_numpy_shares_memory_as_in_pytorch():
    def program(t):
        a = np.zeros(3)
        x = t.from_numpy(a)
        x[0] = 1
        a[1] = 2
        b = np.asarray(x)
        b[2] = 3
        return x, a.tolist(), t.as_tensor(a).numpy() is not None, np.shares_memory(t.as_tensor(a).numpy(), a)

    check_same(program)
