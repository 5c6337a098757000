"""NumPy's functions on Tensors: the same values as on arrays, and gradients that NumPy's own arrays do not have."""

import numpy as np
import pytest

import tinygrad_cnn as tg
from tinygrad_cnn.core.op import Op, registry

X = np.random.default_rng(0).uniform(0.2, 0.9, (3, 4))
CALLS = {
    "var": lambda x: np.var(x, axis=0, ddof=1),
    "std": lambda x: np.std(x, keepdims=True),
    "sum": lambda x: np.sum(x, axis=(0, 1)),
    "prod": lambda x: np.prod(x, 1),
    "max": lambda x: np.max(x, axis=1, keepdims=True),
    "min": lambda x: np.min(x),
    "clip": lambda x: np.clip(x, 0.3, 0.6),
    "cumsum": lambda x: np.cumsum(x),
    "cumsum along": lambda x: np.cumsum(x, axis=1),
    "flip": lambda x: np.flip(x, 1),
    "flip all": lambda x: np.flip(x),
    "flip some": lambda x: np.flip(x, (0, 1)),
    "roll": lambda x: np.roll(x, 2, axis=1),
    "transpose": lambda x: np.transpose(x),
    "transpose axes": lambda x: np.transpose(x, (1, 0)),
    "swapaxes": lambda x: np.swapaxes(x, 0, 1),
    "moveaxis": lambda x: np.moveaxis(x, 0, 1),
    "expand_dims": lambda x: np.expand_dims(x, (0, -1)),
    "squeeze": lambda x: np.squeeze(x[:, :1], 1),
    "ravel": lambda x: np.ravel(x),
    "reshape": lambda x: np.reshape(x, (2, 6)),
    "concatenate": lambda x: np.concatenate([x, x * 2], axis=1),
    "stack": lambda x: np.stack([x, x * 2], 1),
    "where": lambda x: np.where(x > 0.5, x, -x),
    "tril": lambda x: np.tril(x, 1),
    "diagonal": lambda x: np.diagonal(x),
    "dot": lambda x: np.dot(x, x.T),
    "outer": lambda x: np.outer(x[0], x[1]),
    "einsum": lambda x: np.einsum("ij,kj->ik", x, x),
    "take_along_axis": lambda x: np.take_along_axis(x, np.array([[0, 2]]), 1),
    "broadcast_to": lambda x: np.broadcast_to(x, (2, 3, 4)),
    "remainder": lambda x: np.remainder(x, 0.13),
    "power": lambda x: np.power(x, 1.5),
    "square": lambda x: np.square(x) + np.reciprocal(x),
    "argmax": lambda x: np.argmax(x, axis=1) * 1.0,
    "any and all": lambda x: np.any(x > 0.5, axis=0) & np.all(x > 0, axis=0),
    "floor": lambda x: np.floor(x * 4),
    "sum by position": lambda x: np.sum(x, 0, None, None, True),
    "mean of a dtype": lambda x: np.mean(x, 0, np.float64),
    "amax": lambda x: np.amax(x, 0) + np.amin(x, axis=0),
    "ptp": lambda x: np.ptp(x, axis=1),
    "nansum": lambda x: np.nansum(x, axis=0) * np.nanmean(x, 0),
    "cumprod": lambda x: np.cumprod(x, axis=1),
    "average": lambda x: np.average(x, axis=1),
    "weighted average": lambda x: np.average(x, axis=1, weights=np.array([1.0, 2.0, 3.0, 4.0])),
    "average weighted by a tensor": lambda x: np.average(X, axis=0, weights=x),
    "median": lambda x: np.median(x, axis=1),
    "quantile": lambda x: np.quantile(x, [0.2, 0.7], axis=0),
    "percentile": lambda x: np.percentile(x, 30),
    "sort": lambda x: np.sort(x, axis=0),
    "sort all": lambda x: np.sort(x, axis=None),
    "clip by name": lambda x: np.clip(x, min=0.4),
    "nan_to_num": lambda x: np.nan_to_num(x),
    "diff": lambda x: np.diff(x, axis=0),
    "trapezoid": lambda x: np.trapezoid(x, axis=1) + np.trapezoid(x, x=[0.0, 1.0, 3.0, 4.0]),
    "sinc": lambda x: np.sinc(x),
    "hstack": lambda x: np.hstack([x, X]),
    "vstack": lambda x: np.vstack((X, x)),
    "dstack": lambda x: np.dstack([x, x]),
    "column_stack": lambda x: np.column_stack([x[0], X[1]]),
    "concatenate all": lambda x: np.concatenate([x, X[0]], axis=None),
    "append": lambda x: np.append(x, X, axis=0),
    "split": lambda x: np.split(x, 2, axis=1)[1] * np.split(x, [1, 3], 1)[1],
    "array_split": lambda x: np.array_split(x, 2)[0] + np.array_split(x, 2)[1],
    "hsplit": lambda x: np.hsplit(x, 2)[0] * np.vsplit(x, 3)[0][:, :1],
    "pad": lambda x: np.pad(x, ((1, 0), (2, 3)), constant_values=2.0),
    "pad all": lambda x: np.pad(x, 1),
    "pad edge": lambda x: np.pad(x, (1, 2), mode="edge"),
    "pad reflect": lambda x: np.pad(x, ((0, 2), (1, 1)), mode="reflect"),
    "pad symmetric": lambda x: np.pad(x, 2, mode="symmetric"),
    "pad wrap": lambda x: np.pad(x, 1, mode="wrap"),
    "take": lambda x: np.take(x, [[2, 0], [1, 1]], axis=1),
    "take all": lambda x: np.take(x, [3, 3, 7]),
    "repeat": lambda x: np.repeat(x, 2, axis=1),
    "repeat by counts": lambda x: np.repeat(x, [1, 0, 2], axis=0),
    "tile": lambda x: np.tile(x, (2, 1)),
    "rot90": lambda x: np.rot90(x) + np.fliplr(np.flipud(x)).T,
    "trace": lambda x: np.trace(x, 1),
    "diag": lambda x: np.diag(x[0]),
    "meshgrid": lambda x: np.meshgrid(x[0], x[1])[0] * np.meshgrid(x[0], x[1])[1],
    "atleast_2d": lambda x: np.atleast_2d(x[0]) * np.atleast_1d(x[0, 0]),
    "broadcast_arrays": lambda x: np.broadcast_arrays(x, x[0])[1],
    "copy": lambda x: np.copy(x),
    "dot of batches": lambda x: np.dot(x, np.reshape(x, (1, 4, 3))),
    "dot with a number": lambda x: np.dot(x, 2.0),
    "inner": lambda x: np.inner(x, X),
    "vdot": lambda x: np.vdot(x, X),
    "tensordot": lambda x: np.tensordot(x, X, axes=([0, 1], [0, 1])) + np.tensordot(x, X.T, 1).sum(),
    "kron": lambda x: np.kron(x, X),
    "cross": lambda x: np.cross(x.T, X.T),
    "norm": lambda x: np.linalg.norm(x),
    "norm along": lambda x: np.linalg.norm(x, axis=1, keepdims=True),
    "norm of an order": lambda x: np.linalg.norm(x, 1, axis=0),
    "det": lambda x: np.linalg.det(x[:, :3]),
    "inv": lambda x: np.linalg.inv(x[:, :3] + np.eye(3)),
    "solve": lambda x: np.linalg.solve(x[:, :3] + np.eye(3), x),
    "matrix_power": lambda x: np.linalg.matrix_power(x[:, :3], 3),
    "multi_dot": lambda x: np.linalg.multi_dot([x, X.T, x]),
    "other ufuncs": lambda x: np.exp2(x) + np.logaddexp2(x, X) + np.float_power(x, 1.5) + np.cbrt(x) + np.positive(x),
    "angles": lambda x: np.deg2rad(x) + np.radians(x) + np.rad2deg(x) + np.degrees(x),
    "fmax": lambda x: np.fmax(x, 0.5) + np.fmin(x, 0.6) + np.copysign(x, -X),
    "vecdot": lambda x: np.vecdot(x, X),
    "add.reduce": lambda x: np.add.reduce(x) + np.add.reduce(x, axis=(0, 1), keepdims=True),
    "multiply.reduce": lambda x: np.multiply.reduce(x, 1)[:, None] * np.maximum.reduce(x, axis=0),
    "add.accumulate": lambda x: np.add.accumulate(x, axis=1),
    "multiply.outer": lambda x: np.multiply.outer(x, X[0]) + np.multiply.outer(X, x[0]),
    "a ufunc's dtype": lambda x: np.multiply(x, 2, dtype=np.float64),
    "an array first": lambda x: (X + x) * (X / x) - (X - x) @ x.T @ X,
    "round": lambda x: np.round(x, 1) + np.fix(x * 3),
    "likes": lambda x: np.zeros_like(x) + np.ones_like(x),
    "shape": lambda x: np.array([*np.shape(x), np.ndim(x), np.size(x)]),
}


@pytest.mark.filterwarnings("ignore:numpy.fix is deprecated")  # since 2.5; it is one of the functions that record
@pytest.mark.parametrize("name", CALLS)
def test_values(name):
    found = CALLS[name](tg.Tensor(X))
    np.testing.assert_allclose(np.asarray(found), CALLS[name](X), rtol=1e-12)


@pytest.mark.parametrize(
    "name", [n for n in CALLS if n not in ("argmax", "any and all", "floor", "round", "likes", "shape")]
)
def test_gradients(name):
    x = tg.Tensor(X, requires_grad=True)
    y = CALLS[name](x)
    v, u = np.random.default_rng(1).normal(size=y.shape), np.random.default_rng(2).normal(size=X.shape)
    (y * v).sum().backward()
    h = 1e-6
    slope = np.sum(v * (CALLS[name](X + h * u) - CALLS[name](X - h * u))) / (2 * h)
    np.testing.assert_allclose(np.sum(x.grad.numpy() * u), slope, rtol=1e-6)


def test_keywords_that_no_rule_knows_are_refused():
    with pytest.raises(TypeError, match=r"numpy\.add: has no derivative rule for Tensors with \['where'\]; use"):
        np.add(tg.Tensor(X), 1, where=X > 0.5)


def test_what_has_no_gradient_is_computed_on_the_arrays():
    x = tg.Tensor(X, requires_grad=True)
    assert np.allclose(x, X)
    assert not np.array_equal(x, X + 1)
    assert np.shares_memory(x, x.detach())
    assert [part.tolist() for part in np.nonzero(x > 0.5)] == [part.tolist() for part in np.nonzero(X > 0.5)]
    assert isinstance(np.argsort(x), tg.Tensor)
    assert np.argsort(x, axis=0).tolist() == np.argsort(X, axis=0).tolist()
    assert np.count_nonzero(x) == 12
    assert [part.tolist() for part in np.where(x > 0.5)] == [part.tolist() for part in np.where(X > 0.5)]
    assert np.result_type(x, np.float32) == np.float64


def test_arrays_are_added_to_in_place_where_no_gradient_is_lost():
    a, t = np.ones(2, np.float32), tg.tensor([1.0, 2.0])
    kept = a
    a += t
    assert a is kept
    assert a.tolist() == [2.0, 3.0]
    a *= 2
    t += a
    assert t.tolist() == [5.0, 8.0]
    with pytest.raises(RuntimeError, match="an array cannot hold the gradient"):
        a += t.requires_grad_()
    with pytest.raises(TypeError, match="same_kind"):
        np.add(tg.tensor([0.5]), 1, out=np.zeros(1, int))
    with pytest.raises(ValueError, match="out has shape"):
        np.add(tg.ones(2, 2), 1, out=np.zeros(2))


def test_an_array_written_so_is_noticed_by_the_graph():
    a = np.ones(2, np.float32)
    x = tg.from_numpy(a)
    w = tg.ones(2, requires_grad=True)
    y = (x * w).sum()
    np.multiply(tg.ones(2), 3, out=a)
    with pytest.raises(RuntimeError, match="modified by an in-place operation"):
        y.backward()


def test_a_tensor_as_out_is_written_in_place():
    out, x = tg.zeros(2), tg.tensor([1.0, 2.0], requires_grad=True)
    assert np.multiply(x, 3, out=out) is out
    out.sum().backward()
    assert x.grad.tolist() == [3.0, 3.0]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: np.sum(x, out=np.zeros(4)), r"numpy\.sum: has no out for Tensors"),
        (lambda x: np.sum(x, where=X > 0.5), r"numpy\.sum: got an unexpected keyword argument 'where'; Tensors take"),
        (lambda x: np.add.at(x, [0], 1), r"numpy\.add\.at: has no derivative rule"),
        (lambda x: np.add.reduceat(x, [0]), r"numpy\.add\.reduceat: has no derivative rule"),
        (lambda x: np.convolve(x[0], x[0]), r"numpy\.convolve: is not defined for Tensors"),
        (lambda x: np.pad(x, 1, mode="mean"), "mode 'mean' has no rule"),
        (lambda x: np.average(x, weights=np.ones(4)), "need an axis"),
    ],
)
def test_what_no_op_means_is_refused_by_name(call, message):
    with pytest.raises(TypeError, match=message):
        call(tg.Tensor(X))


def test_parts_that_are_not_equal_are_refused():
    with pytest.raises(ValueError, match=r"4 elements are not 3 equal parts"):
        np.split(tg.Tensor(X), 3, axis=1)


def test_arrays_and_tensors_share_memory_both_ways():
    a = np.zeros(3, np.float32)
    t = tg.from_numpy(a)
    assert np.shares_memory(np.asarray(t), a)
    assert np.asarray(t) is a
    t.fill_(2)
    assert a.tolist() == [2.0, 2.0, 2.0]
    with pytest.raises(RuntimeError, match="detach"):
        np.asarray(tg.ones(1, requires_grad=True))
    assert np.asarray(t, dtype=np.float64).dtype == np.float64


WINDOWS = [
    ((2, 3), None),
    (2, 1),
    ((2, 2), (0, 0)),
    ((3,), -1),
    ((2, 2), (1, 0)),
]


@pytest.mark.parametrize(("size", "axis"), WINDOWS)
def test_sliding_windows_are_numpys_and_record(size, axis):
    view = np.lib.stride_tricks.sliding_window_view
    x = tg.tensor(X, requires_grad=True)
    windows = view(x, size, axis)
    expected = view(X, size, axis)
    assert windows.shape == expected.shape
    assert np.array_equal(windows.detach().numpy(), expected)
    g = np.random.default_rng(0).standard_normal(expected.shape)
    windows.backward(tg.tensor(g))
    counted = np.zeros(X.size)
    np.add.at(counted, view(np.arange(X.size).reshape(X.shape), size, axis), g)
    np.testing.assert_allclose(x.grad.numpy().ravel(), counted, rtol=1e-6)


@pytest.mark.parametrize(("size", "axis", "message"), [((2, 2), 0, "a size for each"), (9, 0, "does not fit axis 0")])
def test_windows_that_do_not_fit_are_refused(size, axis, message):
    with pytest.raises(ValueError, match=message):
        np.lib.stride_tricks.sliding_window_view(tg.Tensor(X), size, axis)


def test_inside_a_rule_nobody_is_told_to_leave_the_graph():
    class Convolved(Op):
        """y = 2 x        dx = 2 g, by a function that no Tensor goes through"""

        def forward(x):
            return 2 * x

        def d_x(g):
            return np.convolve(g, [2.0])

    try:
        x = tg.tensor([1.0, 2.0], requires_grad=True)
        Convolved.apply(x).sum().backward()
        assert x.grad.tolist() == [2.0, 2.0]
        with pytest.raises(TypeError, match=r"numpy\.convolve.*Convolved\.d_x is differentiated itself") as caught:
            Convolved.apply(x).sum().backward(create_graph=True)
        assert "detach" not in str(caught.value)
    finally:
        registry.pop("Convolved", None)
