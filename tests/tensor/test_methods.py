"""Each method of `Tensor` is a function of `ops` with the same signature, and both do the same."""

import inspect

import numpy as np
import pytest

import tinygrad_cnn as tg
from tinygrad_cnn import Tensor, ops

METHODS = {name: f for name, f in inspect.getmembers(Tensor, inspect.isfunction) if not name.startswith("_")}
OLDER = ("cholesky", "qr", "svd")
"""Methods that are older than the functions of the same names, which are those of ``torch.linalg``."""
SHARED = [name for name in METHODS if hasattr(ops, name) and name not in OLDER]
OTHERWISE_CALLED = {"polygamma": ["n"], "where": ["condition", "other"], "split": ["split_size", "dim"]}
"""Parameters of methods that PyTorch, too, names otherwise than those of its functions."""

X = np.arange(1.0, 13.0).reshape(3, 4) / 16
INDEX = np.array([[0, 2, 1, 1]])
WITH_ANOTHER = """add sub mul div maximum minimum remainder pow max min allclose arctan2 atan2 copysign cdist dist
    divide eq equal floor_divide float_power fmax fmin fmod ge greater greater_equal gt heaviside hypot isclose kron le
    less less_equal logaddexp logaddexp2 logical_and logical_or logical_xor lt multiply ne not_equal subtract
    true_divide xlogy rsub inner ldexp nextafter""".split()
SQUARE = X[:, :3] + np.eye(3)
WITH_A_DIM = (
    *("cummax", "cummin", "cumprod", "kthvalue"),
    "cumsum",
    "logcumsumexp",
    "log_softmax",
    "softmax",
    "unsqueeze",
    "flip",
)
CALLS = {
    **dict.fromkeys(WITH_ANOTHER, (X[::-1],)),
    **dict.fromkeys(WITH_A_DIM, (1,)),
    **dict.fromkeys(("addbmm", "baddbmm", "addmm", "addmv", "addr", "ger", "vdot", "mv", "bincount", "cross"), None),
    **dict.fromkeys(("det", "inverse", "logdet", "slogdet", "matrix_power", "trace"), None),
    **dict.fromkeys(("cholesky_inverse", "cholesky_solve", "lu_solve", "matrix_exp", "triangular_solve"), None),
    **dict.fromkeys(("orgqr", "ormqr"), None),
    **dict.fromkeys(("bitwise_and", "bitwise_or", "bitwise_xor", "bitwise_not", "gcd", "lcm"), None),
    **dict.fromkeys(("bitwise_left_shift", "bitwise_right_shift", "is_nonzero", "acosh", "arccosh"), None),
    "as_strided": ((2, 2), (1, 3)),
    "addcdiv": (X, X),
    "addcmul": (X, X),
    "clamp_max": (0.5,),
    "clamp_min": (0.5,),
    "clip": (0.2, 0.5),
    "dsplit": None,
    "hsplit": (2,),
    "vsplit": (3,),
    "index_add": (0, INDEX[0], np.ones((4, 4))),
    "index_copy": (0, INDEX[0][:2], np.ones((2, 4))),
    "index_fill": (0, INDEX[0], 2.0),
    "index_put": ((INDEX[0],), 2.0),
    "isin": (X[0],),
    "lerp": (X[::-1], 0.25),
    "masked_scatter": (X > 0.5, X),
    "moveaxis": (0, 1),
    "narrow": (1, 1, 2),
    "narrow_copy": (1, 1, 2),
    "diagonal_scatter": (INDEX[0, :3] * 1.0,),
    **dict.fromkeys(("quantile", "nanquantile"), (0.5,)),
    "renorm": (2.0, 0, 0.5),
    "repeat_interleave": (2, 1),
    "scatter": (0, INDEX, X),
    "scatter_reduce": (0, INDEX, X, "sum"),
    "index_reduce": (0, INDEX[0][:2], np.ones((2, 4)), "amax"),
    "select": (0, 1),
    "select_scatter": (X[0], 0, 1),
    "slice_scatter": (X[:2], 0, 1, 3),
    "split_with_sizes": ((1, 2), 0),
    "put": (INDEX, np.ones(4)),
    "sum_to_size": (1, 4),
    "swapaxes": (0, 1),
    "swapdims": (0, 1),
    "take": (INDEX,),
    "take_along_dim": (INDEX, 0),
    "tensor_split": (3, 1),
    "tile": (2, 2),
    "astype": (np.float32,),
    "bmm": None,
    "broadcast_to": ((2, 3, 4),),
    "chunk": (2, 1),
    "clamp": (0.2, 0.5),
    "dot": None,
    "expand": (2, 3, 4),
    "gather": (0, INDEX),
    "index_select": (1, INDEX[0]),
    "masked_fill": (X > 0.5, 7.0),
    "masked_select": (X > 0.5,),
    "matmul": (X.T,),
    "mm": (X.T,),
    "movedim": (0, 1),
    "outer": None,
    "permute": (1, 0),
    "repeat": (2, 1),
    "reshape": (2, 6),
    "roll": (1, 0),
    "scatter_add": (0, INDEX, X),
    "split": (3, 1),
    "topk": (2,),
    "transpose": (0, 1),
    "unflatten": (1, (2, 2)),
    "view": (-1, 2),
    "where": None,
    "polygamma": (2,),
    "mvlgamma": (2,),
}
"""Arguments with which a method and a function of the same name are called on X: none, where nothing is said.

None: on other shapes, below.
"""

CASES = {
    "where": (X, (X > 0.5, 1.0)),
    "dot": (X[0], (X[1],)),
    "outer": (X[0], (X[1],)),
    "bmm": (X[None], (X.T[None],)),
    "addbmm": (X[:, :3], (X[None], X.T[None])),
    "baddbmm": (X[None, :, :3], (X[None], X.T[None])),
    "addmm": (X[:, :3], (X, X.T)),
    "addmv": (X[:, 0], (X, X[0])),
    "addr": (X, (X[:, 0], X[0])),
    **dict.fromkeys(("ger", "vdot"), (X[0], (X[1],))),
    "mv": (X, (X[0],)),
    "bincount": (INDEX[0], ()),
    "cross": (X, (X[::-1],)),
    **dict.fromkeys(("det", "inverse", "logdet", "slogdet", "trace"), (SQUARE, ())),
    **dict.fromkeys(("cholesky_inverse", "matrix_exp"), (SQUARE, ())),
    **dict.fromkeys(("cholesky_solve", "triangular_solve"), (X, (SQUARE,))),
    "lu_solve": (X, (SQUARE, np.array([2, 3, 3], np.int32))),
    "orgqr": (SQUARE, (X[0, :3],)),
    "ormqr": (SQUARE, (X[0, :3], X)),
    "matrix_power": (SQUARE, (3,)),
    **dict.fromkeys(("bitwise_and", "bitwise_or", "bitwise_xor", "gcd", "lcm"), (INDEX, (INDEX + 1,))),
    **dict.fromkeys(("bitwise_left_shift", "bitwise_right_shift"), (INDEX, (INDEX,))),
    "bitwise_not": (INDEX, ()),
    "is_nonzero": (X[:1, :1], ()),
    "dsplit": (X[None], (2,)),
    **dict.fromkeys(("acosh", "arccosh"), (X + 1, ())),
}
"""Input and arguments of those that X does not suit."""


def parameters(function, skip):
    return [(p.name, p.default, p.kind) for p in list(inspect.signature(function).parameters.values())[skip:]]


@pytest.mark.parametrize("name", SHARED)
def test_a_method_has_the_signature_of_its_function(name):
    found, expected = parameters(METHODS[name], 1), parameters(getattr(ops, name), 1)
    if name in OTHERWISE_CALLED:
        assert [p[0] for p in found] == OTHERWISE_CALLED[name]
        assert len(found) == len(expected)
    else:
        assert found == expected


def same(a, b):
    if isinstance(a, tuple):
        assert len(a) == len(b)
        for p, q in zip(a, b, strict=True):
            same(p, q)
    elif isinstance(a, bool):
        assert a is b
    else:
        assert isinstance(a, Tensor)
        np.testing.assert_array_equal(a.numpy(), np.asarray(b))
        assert a.dtype == np.asarray(b).dtype


@pytest.mark.parametrize("name", SHARED)
def test_method_function_and_array_speed_give_the_same(name):
    args = CALLS.get(name, ())
    x, args = (X, args) if args is not None else CASES[name]
    method = getattr(Tensor(x), name)(*args)
    if name == "where":
        args = (args[1],)
        same(method, ops.where(X > 0.5, Tensor(x), *args))
        same(method, ops.where(X > 0.5, x, *args))
    elif name == "polygamma":
        same(method, ops.polygamma(*args, Tensor(x)))
        same(method, ops.polygamma(*args, x))
    else:
        same(method, getattr(ops, name)(Tensor(x), *args))
        same(method, getattr(ops, name)(x, *args))


IN_PLACE = [name for name in METHODS if name.endswith("_") and name[:-1] in SHARED]


@pytest.mark.parametrize("name", IN_PLACE)
def test_a_method_in_place_writes_what_the_method_gives(name):
    args = CALLS.get(name[:-1], ())
    x, args = (X, args) if args is not None else CASES[name[:-1]]
    expected = getattr(Tensor(x), name[:-1])(*args)
    written = Tensor(x.copy())
    memory = written.numpy()
    assert getattr(written, name)(*args) is written
    np.testing.assert_array_equal(written.numpy(), expected.numpy().astype(x.dtype))
    assert np.shares_memory(written.numpy(), memory)


@pytest.mark.parametrize("name", IN_PLACE)
def test_a_recorded_method_in_place_has_the_gradient_of_the_method(name):
    args = CALLS.get(name[:-1], ())
    x, args = (X, args) if args is not None else CASES[name[:-1]]
    if x.dtype.kind != "f":
        with pytest.raises(RuntimeError, match="gradient"):
            Tensor(x).requires_grad_()
        return
    first, second = (Tensor(x.copy(), requires_grad=True) for _ in range(2))
    expected, found = getattr(first * 1, name[:-1])(*args), getattr(second * 1, name)(*args)
    assert found.requires_grad == (expected.requires_grad and expected.dtype.is_floating_point)
    if found.requires_grad:
        expected.sum().backward()
        found.sum().backward()
        assert tg.equal(first.grad, second.grad)


def test_every_public_function_has_a_docstring_of_its_own():
    for name in tg.__all__:
        value = getattr(tg, name)
        if callable(value) and not isinstance(value, type):
            assert (value.__doc__ or "").strip(), name
            assert value.__doc__ != ops.Op.apply.__doc__, name


OTHERS = {
    "reshape_as": lambda x: x.reshape_as(tg.zeros(6, 2)).shape == (6, 2),
    "expand_as": lambda x: x.expand_as(tg.zeros(2, 3, 4)).shape == (2, 3, 4),
    "contiguous": lambda x: x.t().contiguous().numpy().flags.c_contiguous and x.contiguous() is x,
    "T": lambda x: x.T.shape == (4, 3),
    "mT": lambda x: x.mT.shape == (4, 3),
    "clip": lambda x: tg.equal(x.clip(0.2), x.clamp(0.2)),
    "dim": lambda x: x.dim() == x.ndim == 2,
    "size": lambda x: x.size() == (3, 4) and x.size(-1) == 4,
    "numel": lambda x: x.numel() == 12,
    "float": lambda x: x.float().dtype == tg.float32,
    "double": lambda x: x.float().double().dtype == tg.float64,
    "long": lambda x: (x * 16).long().tolist()[0] == [1, 2, 3, 4] and x.long().dtype == tg.int64,
    "int": lambda x: x.int().dtype == tg.int32,
    "bool": lambda x: x.bool().dtype == tg.bool,
    "to": lambda x: x.to("cpu") is x and x.to(tg.float32).dtype == tg.float32,
    "add with alpha": lambda x: tg.equal(x.add(x, alpha=2), x * 3) and tg.equal(tg.sub(x, x, alpha=3), x * -2),
    "and or xor invert": lambda x: (~((x > 0.5) & (x < 0.6) | (x > 0.7) ^ (x > 9))).numpy().sum() == 10,
    "floor division": lambda x: tg.equal(x // 0.25 * 0.25 + x % 0.25, x) and (1 // x).tolist()[0][0] == 16,
    "remainder of a number": lambda x: (1 % x).tolist()[0][2] == 1 - 5 * 0.1875,
    "neg abs": lambda x: tg.equal(abs(-x), x) and +x is x,
    "matmul from the left": lambda x: tg.allclose(X.T @ x, Tensor(X).t() @ x) and tg.allclose([1.0] * 3 @ x, x.sum(0)),
    "div_": lambda x: tg.equal(x.clone().div_(2), x / 2),
    "sub_": lambda x: tg.equal(x.clone().sub_(x, alpha=2), -x),
    "clamp_": lambda x: tg.equal(x.clone().clamp_(max=0.5), x.clamp(max=0.5)),
    "masked_fill_": lambda x: tg.equal(x.clone().masked_fill_(x > 0.5, 0), x * (x <= 0.5)),
    "copy_": lambda x: tg.equal(tg.zeros(3, 4, dtype=tg.float64).copy_(x), x),
    "int()": lambda x: int(x[0, 0] * 32) == 2,
    "str": lambda x: f"{x}" == repr(x),
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_methods(name):
    assert OTHERS[name](Tensor(X))


@pytest.mark.parametrize(
    ("call", "same_as"),
    [
        (lambda x: x.sum(axis=0), lambda x: x.sum(0)),
        (lambda x: tg.mean(x, axis=1, keepdims=True), lambda x: x.mean(1, True)),
        (lambda x: x.max(axis=1).values, lambda x: x.max(1).values),
        (lambda x: tg.cat([x, x], axis=1), lambda x: tg.cat([x, x], 1)),
        (lambda x: x.argmax(axis=-1), lambda x: x.argmax(-1)),
        (lambda x: tg.permute(x, dims=(1, 0)), lambda x: x.permute(1, 0)),
        (lambda x: x.flip(dims=[1]), lambda x: x.flip(1)),
        (lambda x: tg.reshape(x, shape=(4, 3)), lambda x: x.reshape(4, 3)),
        (lambda x: tg.tile(x, dims=(2, 1)), lambda x: x.tile(2, 1)),
        (lambda x: tg.stack([x, x], axis=2), lambda x: tg.stack([x, x], 2)),
    ],
)
def test_numpys_names_of_dims_and_sizes_by_keyword_are_understood(call, same_as):
    assert tg.equal(call(Tensor(X)), same_as(Tensor(X)))


def test_a_dim_under_two_names_is_refused():
    with pytest.raises(TypeError, match="sum: axis and dim are two names of one argument"):
        Tensor(X).sum(dim=0, axis=1)
