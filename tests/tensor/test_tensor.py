"""Tensor: dtypes, creation, operators, NumPy in both directions, writing in place, errors."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_cnn as tg
from tinygrad_cnn.tensor import Tensor

F32, F64 = np.float32, np.float64


@pytest.mark.parametrize(
    ("made", "dtype"),
    [
        (lambda: tg.tensor([1.0, 2.0]), F32),
        (lambda: tg.tensor(1.5), F32),
        (lambda: tg.tensor([1, 2]), np.int64),
        (lambda: tg.tensor([True]), np.bool_),
        (lambda: tg.tensor(np.ones(2)), F64),
        (lambda: tg.tensor(np.ones(2, np.uint8)), np.uint8),
        (lambda: tg.zeros(2), F32),
        (lambda: tg.arange(3), np.int64),
        (lambda: tg.arange(0.0, 1.0, 0.5), F32),
        (lambda: tg.tensor([1.0]) * 2.5, F32),
        (lambda: tg.tensor([1]) * 2.5, F32),
        (lambda: tg.tensor([1]) / tg.tensor([2]), F32),
        (lambda: tg.tensor([1]).exp(), F32),
        (lambda: tg.tensor([1, 2]).double().mean(), F64),
        (lambda: tg.tensor([1]) + tg.tensor([1.0]), F32),
        (lambda: tg.tensor([1.0]) * tg.tensor(2.0, dtype=F64), F32),
        (lambda: tg.tensor([1.0], dtype=F64) * tg.tensor([2.0]), F64),
        (lambda: tg.tensor([1.0]) + np.array([1.0]), F64),
        (lambda: tg.tensor([1]) + True, np.int64),
        (lambda: tg.tensor([1.0]).sum(), F32),
        (lambda: tg.tensor([1.0], dtype=np.float16).exp(), np.float16),
        (lambda: tg.tensor([1.0]) > 0, np.bool_),
    ],
)
def test_dtypes_follow_pytorch(made, dtype):
    assert made().dtype == dtype


def test_a_gradient_has_the_dtype_of_its_leaf():
    x = tg.tensor([1.0], requires_grad=True)
    (x * tg.tensor([2.0], dtype=F64)).sum().backward()
    assert x.grad.dtype == F32


def test_numpy_functions_record():
    x = tg.tensor([1.0, 2.0], dtype=F64, requires_grad=True)
    y = np.sum(np.exp(x) * np.array([1.0, 3.0])) + np.mean(np.concatenate([x, np.ones(2)]))
    y.backward()
    np.testing.assert_allclose(x.grad.numpy(), np.exp([1.0, 2.0]) * [1, 3] + 0.25)


def test_an_array_on_the_left_records_too():
    x = tg.tensor([1.0, 2.0], dtype=F64, requires_grad=True)
    (np.array([3.0, 4.0]) * x).sum().backward()
    assert x.grad.tolist() == [3.0, 4.0]


def test_a_numpy_function_without_a_rule_says_so():
    x = tg.tensor([1.0], requires_grad=True)
    with pytest.raises(TypeError, match=r"numpy\.nextafter.*detach"):
        np.nextafter(x, x)
    with pytest.raises(TypeError, match=r"numpy\.add\.reduceat"):
        np.add.reduceat(x, [0])
    with pytest.raises(TypeError, match=r"numpy\.convolve"):
        np.convolve(x, x)


def test_asarray_shares_memory_and_numpy_refuses_to_lose_a_gradient():
    x = tg.tensor([1.0])
    assert np.shares_memory(np.asarray(x), x.numpy())
    with pytest.raises(RuntimeError, match="detach"):
        x.requires_grad_().numpy()


@given(st.data())
def test_operators_agree_with_numpy(data):
    a = np.array(data.draw(st.lists(st.integers(1, 9), min_size=3, max_size=3)), dtype=F64)
    b = np.array(data.draw(st.lists(st.integers(1, 9), min_size=3, max_size=3)), dtype=F64)
    x, y = Tensor(a), Tensor(b)
    for f in (
        lambda p, q: p + q, lambda p, q: p - q, lambda p, q: p * q, lambda p, q: p / q, lambda p, q: p**q,
        lambda p, q: -p, lambda p, q: abs(p - q), lambda p, q: p @ q, lambda p, q: p == q, lambda p, q: p < q,
        lambda p, q: 2 - p, lambda p, q: 2 / p, lambda p, q: 2**p, lambda p, q: p // q, lambda p, q: p % q,
    ):  # fmt: skip
        np.testing.assert_array_equal(np.asarray(f(x, y)), f(a, b))


def test_assignment_gives_gradients_to_both_sides():
    x = tg.tensor([1.0, 2.0, 3.0], requires_grad=True)
    v = tg.tensor([5.0], requires_grad=True)
    y = x * 2
    y[1:2] = v * 10
    (y * tg.tensor([1.0, 2.0, 3.0])).sum().backward()
    assert x.grad.tolist() == [2.0, 0.0, 6.0]
    assert v.grad.tolist() == [20.0]


def test_a_value_that_was_used_and_then_written_is_missed_by_the_backward_pass():
    x = tg.tensor([3.0], requires_grad=True)
    y = x * 1
    z = y * y
    y[0] = 100.0
    with pytest.raises(RuntimeError, match=r"Mul needs input 'b', of shape \(1,\).*test_tensor.py, line 108"):
        (z + y).sum().backward()


def test_a_leaf_that_requires_a_gradient_cannot_be_written_while_recording():
    x = tg.tensor([1.0], requires_grad=True)
    with pytest.raises(RuntimeError, match=r"leaf.*no_grad"):
        x[0] = 2.0
    with pytest.raises(RuntimeError, match=r"leaf.*no_grad"):
        x += 1
    with tg.no_grad():
        x[0] = 2.0
        x += 1
    assert x.tolist() == [3.0]


VIEW_WRITES = {
    "x[0][1] = v": lambda x, v: x[0].__setitem__(1, v),
    "x[:, 0] += v": lambda x, v: x.__setitem__((slice(None), 0), x[:, 0].add_(v)),
    "x[:, 0].add_(v)": lambda x, v: x[:, 0].add_(v),
    "x[1][1:].mul_(v)": lambda x, v: x[1][1:].mul_(v),
    "x.view(-1)[3] = v": lambda x, v: x.view(-1).__setitem__(3, v),
    "x.t()[0].mul_(v)": lambda x, v: x.t()[0].mul_(v),
    "x.unsqueeze(0).permute(2, 0, 1)[1].sub_(v)": lambda x, v: x.unsqueeze(0).permute(2, 0, 1)[1].sub_(v),
    "x.select(1, 2).fill_(v)": lambda x, v: x.select(1, 2).fill_(v),
}


@pytest.mark.parametrize("name", VIEW_WRITES)
def test_a_recorded_write_into_a_view_is_one_into_its_base(name):
    """The same write without recording, by NumPy in shared memory, says what the base must be; its gradient, too."""
    rng = np.random.default_rng(0)
    start, weight = rng.standard_normal((2, 3)), rng.standard_normal((2, 3))

    def base(v):
        x = tg.tensor(start)
        with tg.no_grad():
            VIEW_WRITES[name](x, v)
        return x.numpy()

    leaf, v = tg.tensor(start, requires_grad=True), tg.tensor(0.75, dtype=tg.float64, requires_grad=True)
    x = leaf * 1
    VIEW_WRITES[name](x, v)
    np.testing.assert_allclose(x.detach().numpy(), base(0.75))
    (x * tg.tensor(weight)).sum().backward()
    slope = ((base(0.75 + 1e-6) - base(0.75 - 1e-6)) * weight).sum() / 2e-6
    np.testing.assert_allclose(v.grad.item(), slope, rtol=1e-6)
    kept = np.isclose(base(0.75), start)
    np.testing.assert_allclose(leaf.grad.numpy()[kept], weight[kept])


def test_a_view_follows_its_own_recorded_write_and_is_still_a_view():
    x, v = tg.zeros(2, 2), tg.tensor(3.0, requires_grad=True)
    row = x[0]
    row.add_(v)
    row[1] = 2 * v
    assert x.tolist() == [[3, 6], [0, 0]]
    assert row.tolist() == [3, 6]
    x.sum().backward()
    assert v.grad.item() == 3


def test_recorded_writes_that_would_be_lost_are_refused():
    v = tg.tensor(1.0, requires_grad=True)
    leaf = tg.zeros(2, 2, requires_grad=True)
    with pytest.raises(RuntimeError, match="leaf"):
        leaf[0].add_(1)
    with pytest.raises(RuntimeError, match=r"single place in memory.*clone\(\)"):
        tg.zeros(1).expand(3).add_(v)


def test_a_view_taken_before_its_base_was_written_is_still_one():
    v, x = tg.tensor(1.0, requires_grad=True), tg.zeros(2, 2)
    row = x[0]
    x[1] = v
    row.add_(2 * v)
    assert x.tolist() == [[2, 2], [1, 1]]
    x.sum().backward()
    assert v.grad.item() == 6


def test_dims_can_be_turned_in_place():
    x = tg.zeros(2, 1, 3)
    assert x.squeeze_(1).shape == (2, 3)
    assert x.t_().shape == x.shape == (3, 2)
    assert x.unsqueeze_(0).transpose_(0, 2).shape == (2, 3, 1)
    y = tg.ones(2, 3, requires_grad=True) * 2
    y.t_()
    (y * tg.arange(6.0).view(3, 2)).sum().backward()


def test_unrecorded_writes_go_to_the_shared_memory():
    a = np.zeros(3)
    x = tg.from_numpy(a)
    x[1:].add_(2.0)
    x[0] = 7
    assert a.tolist() == [7.0, 2.0, 2.0]


def test_in_place_keeps_shape_and_kind():
    with pytest.raises(ValueError, match="must keep"):
        tg.zeros(1).add_(tg.zeros(2))
    with pytest.raises(TypeError, match="does not fit"):
        tg.tensor([1]).mul_(1.5)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: tg.zeros(2) + tg.zeros(3), ValueError, r"add: shapes \(2,\) and \(3,\) do not broadcast"),
        (lambda: tg.zeros(2) < tg.zeros(3), ValueError, r"lt: shapes"),
        (lambda: tg.zeros(2, 3) @ tg.zeros(2, 3), ValueError, r"matmul: shapes \(2, 3\) and \(2, 3\) do not fit"),
        (lambda: tg.zeros(2).sum(1), IndexError, r"sum: dim 1 is out of range"),
        (lambda: tg.zeros(2, 2).sum((0, 0)), ValueError, r"sum: dim \(0, 0\) names one dim twice"),
        (lambda: tg.zeros(2).reshape(3), ValueError, r"reshape: input of shape \(2,\) has 2 elements"),
        (lambda: tg.zeros(6).reshape(-1, 4), ValueError, r"reshape: cannot work out -1"),
        (lambda: tg.zeros(2)[5], IndexError, r"getitem: index 5.*shape \(2,\)"),
        (lambda: tg.zeros(2)[1.5], IndexError, r"getitem: an index of dtype float64"),
        (lambda: tg.zeros(2)[[True]], IndexError, r"getitem: .*shape \(2,\)"),
        (lambda: tg.zeros(2).permute(0, 1), IndexError, r"permute: dim 1 is out of range"),
        (lambda: tg.cat([tg.zeros(2, 2), tg.zeros(3, 3)]), ValueError, r"cat: tensor 1 has shape \(3, 3\)"),
        (lambda: tg.stack([tg.zeros(2), tg.zeros(3)]), ValueError, r"stack: expected one or more tensors of one"),
        (lambda: tg.zeros(0).max(), ValueError, r"amax: input of shape \(0,\) has no elements"),
        (lambda: tg.zeros(2).expand(3), ValueError, r"expand: input of shape \(2,\) cannot be expanded"),
        (lambda: tg.zeros(2).gather(0, tg.tensor([2])), IndexError, r"gather: index contains 2; valid are 0 to 1"),
        (lambda: tg.zeros(2).gather(0, tg.tensor([0.0])), TypeError, r"gather: index has dtype float32"),
        (lambda: tg.einsum("ij,jk->ik", tg.zeros(2, 3), tg.zeros(2, 3)), ValueError, r"einsum: 'j' of"),
        (lambda: tg.einsum("ij->k", tg.zeros(2, 3)), ValueError, r"einsum: the output of"),
        (lambda: tg.zeros(2).topk(3), ValueError, r"topk: k is 3"),
        (lambda: tg.zeros(2).clamp(), ValueError, r"clamp: both min and max"),
        (lambda: tg.tensor(["a"]), TypeError, r"Tensor: dtype"),
        (lambda: tg.tensor([[1], [1, 2]]), ValueError, r"Tensor: the nested sequences"),
        (lambda: tg.zeros(2).item(), ValueError, r"item: only a tensor of one element"),
        (lambda: bool(tg.zeros(2)), ValueError, r"bool: a tensor of shape \(2,\) has no single value"),
        (lambda: tg.zeros(-1), ValueError, r"zeros: size"),
        (lambda: tg.one_hot(tg.tensor([3]), 2), IndexError, r"one_hot: input contains 3"),
        (lambda: tg.embedding(tg.tensor([9]), tg.zeros(2, 2)), IndexError, r"embedding: input contains 9"),
        (
            lambda: tg.conv2d(tg.zeros(1, 3, 8, 8), tg.zeros(16, 1, 3, 3)),
            ValueError,
            r"conv2d: input has 3 channels but weight \(16, 1, 3, 3\) expects 1 \(groups=1\)",
        ),
        (lambda: tg.conv2d(tg.zeros(1, 1, 2, 2), tg.zeros(1, 1, 3, 3)), ValueError, r"kernel reaches over 3"),
        (lambda: tg.conv2d(tg.zeros(2, 2), tg.zeros(1, 1, 3, 3)), ValueError, r"conv2d: input has shape \(2, 2\)"),
        (lambda: tg.conv2d(tg.zeros(1, 1, 4, 4), tg.zeros(1, 1, 3, 3), stride=0), ValueError, r"conv2d: stride is 0"),
        (lambda: tg.conv2d(tg.zeros(1, 1, 4, 4), tg.zeros(1, 1, 3, 3), padding="full"), ValueError, r"'same', 'valid'"),
        (lambda: tg.max_pool2d(tg.zeros(1, 1, 4, 4), 2, padding=2), ValueError, r"max_pool2d: padding \(2, 2\)"),
        (lambda: tg.linear(tg.zeros(2, 3), tg.zeros(4, 5)), ValueError, r"linear: input has shape \(2, 3\), weight"),
        (lambda: tg.cross_entropy(tg.zeros(2, 3), tg.tensor([0, 3])), IndexError, r"cross_entropy: target contains 3"),
        (lambda: tg.cross_entropy(tg.zeros(2, 3), tg.tensor([0])), ValueError, r"cross_entropy: input has shape"),
        (lambda: tg.cross_entropy(tg.zeros(2, 3), tg.tensor([0, 1]), reduction="max"), ValueError, r"is 'max'"),
    ],
)  # fmt: skip
def test_errors_name_the_op_the_shapes_and_the_fix(call, error, message):
    with pytest.raises(error, match=message):
        call()


PRINTED = {
    "tensor([1.0000, 2.5000])": lambda: tg.tensor([1.0, 2.5]),
    "tensor([1., 2.], dtype=torch.float64)": lambda: tg.tensor([1.0, 2.0], dtype=F64),
    "tensor([1.], requires_grad=True)": lambda: tg.tensor([1.0], requires_grad=True),
    "tensor([2.], grad_fn=<MulBackward0>)": lambda: tg.tensor([1.0], requires_grad=True) * 2,
    "tensor(3)": lambda: tg.tensor(3),
    "tensor([ True, False])": lambda: tg.tensor([True, False]),
    "tensor([[ 1, 22],\n        [-3,  4]])": lambda: tg.tensor([[1, 22], [-3, 4]]),
    "tensor([1.0000e+00, 1.0000e-05])": lambda: tg.tensor([1.0, 1e-5]),
    "tensor([nan, inf, 0.])": lambda: tg.tensor([np.nan, np.inf, 0.0]),
    "tensor([])": lambda: tg.zeros(0),
    "tensor([], size=(0, 3), dtype=torch.int64)": lambda: tg.zeros(0, 3, dtype=tg.int64),
    "tensor([   0,    1,    2,  ..., 1998, 1999, 2000])": lambda: tg.arange(2001),
}


@pytest.mark.parametrize("text", PRINTED)
def test_printing(text):
    assert repr(PRINTED[text]()) == text


def test_printing_can_be_set():
    try:
        tg.set_printoptions(precision=1, linewidth=20)
        assert repr(tg.ones(8) / 3) == "tensor([0.3, 0.3,\n        0.3, 0.3,\n        0.3, 0.3,\n        0.3, 0.3])"
        with pytest.raises(ValueError, match="profile is 'long'"):
            tg.set_printoptions(profile="long")
    finally:
        tg.set_printoptions(profile="default")


def test_iteration_length_and_conversion():
    x = tg.tensor([[1, 2], [3, 4]])
    assert [row.tolist() for row in x] == [[1, 2], [3, 4]]
    assert len(x) == 2
    assert float(tg.tensor(2.0)) == 2.0
    assert [10, 20, 30][tg.tensor(1)] == 20
    assert f"{tg.tensor(0.5):.2f}" == "0.50"


def test_the_same_seed_draws_the_same_numbers():
    draws = []
    for _ in range(2):
        tg.manual_seed(3)
        draws.append((tg.rand(2).tolist(), tg.randn(2).tolist(), tg.randperm(5).tolist()))
    assert draws[0] == draws[1]


@given(st.integers(0, 2**32), st.integers(1, 3), st.integers(1, 3))
def test_indexing_agrees_with_numpy_in_every_form(seed, n, m):
    a = np.random.default_rng(seed).normal(size=(n, m, 2))
    x = Tensor(a)
    for index in (0, -1, slice(None, None, -1), (..., 0), None, (slice(None), [0, -1]), a > 0, a[:, 0, 0] > 0,
                  ([0, -1], [0, -1]), np.array(0), Tensor(np.array([0]))):  # fmt: skip
        plain = np.asarray(index) if isinstance(index, Tensor) else index
        np.testing.assert_array_equal(np.asarray(x[index]), a[plain])


def test_a_number_among_arrays_takes_its_slice_first_as_in_pytorch():
    x = tg.arange(24).reshape(2, 3, 4)
    assert x[1, :, [2, 0]].tolist() == x[1][:, [2, 0]].tolist()
    assert x[[0, 1], :, -1].tolist() == x[:, :, -1][[0, 1]].tolist()
    x[1, :, [2, 0]] = 0
    assert x[1].tolist() == [[0, 13, 0, 15], [0, 17, 0, 19], [0, 21, 0, 23]]
    y = tg.ones(2, 3, 4, requires_grad=True)
    y[1, :, [2, 2]].sum().backward()
    assert y.grad[1, 0].tolist() == [0, 0, 2, 0]


def test_a_list_of_indices_is_an_index_and_bytes_are_a_mask():
    x = tg.arange(12.0).view(3, 4)
    assert x[[[0, 1]]].shape == (2, 4)
    assert x[[tg.tensor([0, 1]), tg.tensor([1, 2])]].tolist() == [1, 6]
    assert x[[0, 2]].shape == (2, 4)
    with pytest.warns(UserWarning, match="uint8, which is a mask"):
        assert x[tg.tensor([1, 0, 1], dtype=tg.uint8)].shape == (2, 4)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: x + None, "add: got NoneType None; expected a Tensor, an array or a number"),
        (lambda x: "a" * x, "mul: got str 'a'; expected"),
        (lambda x: x < None, "lt: got NoneType"),
        (lambda x: None // x, "floor_divide: got NoneType None"),
        (lambda x: tg.ops.astype(np.ones(1), "wrong"), "astype: 'wrong' is no dtype"),
        (lambda x: x + np.array([None]), "add: got ndarray"),
        (lambda x: x.sum().backward("a"), "backward: got str 'a'"),
        (lambda x: x.detach().__setitem__(0, "a"), "setitem: got str 'a'"),
        (lambda x: tg.autograd.grad(3, x), "grad: got int; expected a Tensor or a sequence of them"),
        (lambda x: tg.autograd.grad(x, [x, 1.0]), "grad: got float; expected a Tensor"),
        (lambda x: tg.nn.Linear(1, 1).load_state_dict(3), "load_state_dict: got int; expected a mapping"),
    ],
)
def test_what_is_no_number_is_a_type_error(call, message):
    with pytest.raises(TypeError, match=message):
        call(tg.tensor([1.0], requires_grad=True))


def test_comparison_with_something_else_is_false_as_everywhere_in_python():
    x = tg.ones(2)
    assert (x == None) is False  # noqa: E711
    assert (x == "a") is False
    assert (x != None) is True  # noqa: E711


def test_gradients_of_a_generator_of_tensors():
    net = tg.nn.Linear(2, 1)
    gradients = tg.autograd.grad(net(tg.ones(1, 2)).sum(), net.parameters())
    assert [g.shape for g in gradients] == [(1, 2), (1,)]


def test_what_an_op_of_ones_own_may_get_wrong():
    class ReturnsNothing(tg.ops.Op):
        def forward(x):
            return None

        def d_x(g):
            return g

    class DerivativeReturnsNothing(tg.ops.Op):
        def forward(x):
            return x * 2

        def d_x(g):
            return None

    x = tg.ones(2, requires_grad=True)
    try:
        with pytest.raises(TypeError, match=r"ReturnsNothing\.forward: got NoneType"):
            ReturnsNothing.apply(x)
        with pytest.raises(TypeError, match="DerivativeReturnsNothing: d_x returned NoneType; a derivative returns an"):
            DerivativeReturnsNothing.apply(x).sum().backward()
        with pytest.raises(TypeError, match=r"ReturnsNothing: an op has no instances; call ReturnsNothing\.apply"):
            ReturnsNothing(x)
        assert ReturnsNothing.formula() == ""
    finally:
        del tg.ops.registry["ReturnsNothing"], tg.ops.registry["DerivativeReturnsNothing"]
    with pytest.raises(TypeError, match=r"op Nothing: forward is not defined; write def forward"):
        type("Nothing", (tg.ops.Op,), {})


def test_devices_and_hooks_that_do_not_exist():
    x = tg.ones(1, requires_grad=True)
    with pytest.raises(RuntimeError, match="to: device: there is no 'cuda' device, only 'cpu'"):
        x.to("cuda")
    with pytest.raises((RuntimeError, TypeError), match=r"cuda.*cpu"):
        tg.nn.Linear(1, 1).to("cuda")
    with pytest.raises(TypeError, match="register_hook: a hook is called with the gradient; int is no function"):
        x.register_hook(3)
