"""Memory: what shares it, what a write reaches, and what a backward pass says of a value that is no longer there."""

import copy
import io
import pickle
import sys

import numpy as np
import pytest

import tinygrad_cnn as tg
from tinygrad_cnn.nn import functional as F

# ---- a write reaches everything that shares the memory


def pair(values=(0.0, 0.0), other=(1.0, 2.0)):
    """A parameter, and a tensor that requires a gradient: writing it is recorded where anything is."""
    return tg.nn.Parameter(tg.tensor(list(values))), tg.nn.Parameter(tg.tensor(list(other)))


WRITES_OF_Q = {
    "copy_": lambda t, q: t.copy_(q),
    "add_": lambda t, q: t.add_(q),
    "add_ with alpha": lambda t, q: t.add_(q, alpha=1),
    "mul_ and add_": lambda t, q: t.mul_(0.5).add_(q),
    "lerp_": lambda t, q: t.lerp_(q, 1.0),
    "setitem of all": lambda t, q: t.__setitem__(slice(None), q),
    "setitem of one and the other": lambda t, q: [t.__setitem__(k, q[k]) for k in (0, 1)],
    "setitem with a mask": lambda t, q: t.__setitem__(tg.tensor([True, True]), q),
    "setitem with an index tensor": lambda t, q: t.__setitem__(tg.tensor([0, 1]), q),
    "through a view": lambda t, q: t.view(-1).copy_(q),
    "through elements": lambda t, q: [t.view(-1)[k].fill_(q[k]) for k in (0, 1)],
    "index_add_": lambda t, q: t.index_add_(0, tg.tensor([0, 1]), q),
    "scatter_": lambda t, q: t.scatter_(0, tg.tensor([0, 1]), q),
    "masked_scatter_": lambda t, q: t.masked_scatter_(tg.tensor([True, True]), q),
    "put_": lambda t, q: t.put_(tg.tensor([0, 1]), q),
    "data of data": lambda t, q: t.data.copy_(q),
}


@pytest.mark.parametrize("write", WRITES_OF_Q.values(), ids=WRITES_OF_Q)
@pytest.mark.parametrize("seen", ["data", "detach", "numpy", "view", "itself", "data under no_grad"])
def test_a_write_of_what_requires_a_gradient_reaches_the_memory(write, seen):
    p, q = pair()
    array = p.detach().numpy()
    if seen == "numpy":
        write(tg.from_numpy(array), q)
    elif seen in ("view", "itself", "data under no_grad"):
        with tg.no_grad():
            write({"view": p.view(-1), "itself": p, "data under no_grad": p.data}[seen], q)
    else:
        write(getattr(p, seen) if seen == "data" else p.detach(), q)
    assert p.tolist() == [1, 2]
    assert array.tolist() == [1, 2]
    assert p.is_leaf
    assert p.requires_grad


@pytest.mark.parametrize("write", WRITES_OF_Q.values(), ids=WRITES_OF_Q)
def test_a_recorded_write_reaches_arrays_and_views_taken_before(write):
    q = tg.tensor([1.0, 2.0], requires_grad=True)
    array = np.zeros(2, np.float32)
    x = tg.from_numpy(array)
    first, turned = x[:1], x.view(2, 1)
    write(x, q)
    assert array.tolist() == [1, 2]
    assert first.tolist() == [1]
    assert turned.tolist() == [[1], [2]]


@pytest.mark.parametrize(
    "write", [w for name, w in WRITES_OF_Q.items() if "element" not in name and "data" not in name]
)
@pytest.mark.parametrize("whole", [True, False])
def test_the_gradient_of_a_recorded_write_is_found_through_every_view(write, whole):
    q = tg.tensor([1.0, 2.0], requires_grad=True)
    base = tg.zeros(2) if whole else tg.zeros(3, 2)
    before = base.view(-1)
    write(base if whole else base[1], q)
    assert before.requires_grad
    (before * before).sum().backward()
    assert q.grad.tolist() == [2, 4]  # d q² / dq


def test_state_dict_and_gradients_lie_in_the_module_s_memory():
    layer, (_, q) = tg.nn.Linear(2, 2), pair()
    layer.state_dict()["bias"].copy_(q)
    assert layer.bias.tolist() == [1, 2]
    layer(tg.ones(1, 2)).sum().backward()
    layer.bias.grad.data.add_(q)
    assert layer.bias.grad.tolist() == [2, 3]


def test_vector_to_parameters_writes_what_the_module_uses():
    layer = tg.nn.Linear(1, 1)
    tg.nn.utils.vector_to_parameters(tg.tensor([1.0, 2.0], requires_grad=True), layer.parameters())
    assert layer(tg.tensor([[3.0]])).item() == 5


def test_data_takes_the_place_of_other_data_and_of_no_history():
    p, q = pair()
    p.data = q
    q.data.fill_(7)
    assert p.tolist() == [7, 7]
    assert p.is_leaf


# ---- what is a view, what is a copy

VIEWS = {
    "element": lambda x: x[0, 1],
    "row": lambda x: x[1],
    "slice": lambda x: x[:, ::2],
    "None": lambda x: x[None],
    "select": lambda x: x.select(0, 1),
    "narrow": lambda x: x.narrow(1, 1, 2),
    "transpose": lambda x: x.transpose(0, 1),
    "t": lambda x: x.t(),
    "T": lambda x: x.T,
    "permute": lambda x: x.permute(1, 0),
    "movedim": lambda x: x.movedim(0, 1),
    "unsqueeze": lambda x: x.unsqueeze(1),
    "squeeze": lambda x: x[:, :1].squeeze(1),
    "view": lambda x: x.view(3, 2),
    "reshape": lambda x: x.reshape(6),
    "flatten": lambda x: x.flatten(),
    "unflatten": lambda x: x.unflatten(1, (3, 1)),
    "view_as": lambda x: x.view_as(tg.zeros(6)),
    "expand": lambda x: x.expand(2, 2, 3),
    "broadcast_to": lambda x: tg.broadcast_to(x, (2, 2, 3)),
    "diagonal": lambda x: x.diagonal(),
    "unfold": lambda x: x.unfold(1, 2, 1),
    "unbind": lambda x: x.unbind()[1],
    "iteration": lambda x: list(x)[1],
    "split": lambda x: x.split(2, 1)[0],
    "chunk": lambda x: x.chunk(3, 1)[2],
    "tensor_split": lambda x: x.tensor_split(2, 1)[1],
    "as_strided": lambda x: x.as_strided((2,), (4,), 1),
    "detach": lambda x: x.detach(),
    "data": lambda x: x.data,
    "view of a dtype": lambda x: x.view(tg.int64),
    "contiguous": lambda x: x.contiguous(),
    "view of a view of a view": lambda x: x.t()[1:].unsqueeze(0)[0, 1],
}
COPIES = {
    "clone": lambda x: x.clone(),
    "index tensor": lambda x: x[tg.tensor([0])],
    "list": lambda x: x[[0]],
    "mask": lambda x: x[x > -9],
    "index_select": lambda x: x.index_select(0, tg.tensor([0])),
    "gather": lambda x: x.gather(0, tg.tensor([[0, 0, 0]])),
    "take": lambda x: x.take(tg.tensor([0])),
    "flip": lambda x: x.flip(0),
    "rot90": lambda x: tg.rot90(x),
    "roll": lambda x: x.roll(0),
    "repeat": lambda x: x.repeat(1, 1),
    "tile": lambda x: x.tile((1,)),
    "diag": lambda x: x.diag(),
    "cat of one": lambda x: tg.cat([x]),
    "stack of one": lambda x: tg.stack([x]),
    "matrix_power": lambda x: tg.matrix_power(x[:, :2], 1),
    "contiguous of a transpose": lambda x: x.t().contiguous(),
    "reshape of a transpose": lambda x: x.t().reshape(6),
    "ravel of a transpose": lambda x: x.t().ravel(),
    "pixel_shuffle": lambda x: tg.nn.functional.pixel_shuffle(x[None], 1),
    "where": lambda x: tg.where(x > -9, x, x),
    "float": lambda x: x.float(),
    "new tensor": lambda x: x.new_tensor(x.tolist()),
    "round": lambda x: x.round(),
}


@pytest.mark.parametrize("take", VIEWS.values(), ids=VIEWS)
def test_a_view_writes_into_its_base_and_sees_what_is_written_there(take):
    x = tg.arange(6, dtype=tg.float64).view(2, 3)
    array = x.numpy()
    v = take(x)
    assert np.shares_memory(v.numpy(), array)
    x.fill_(7)
    assert set(v.view(tg.float64).flatten().tolist()) == {7.0}
    v.zero_() if not any(s == 0 for s in v.stride()) else v[0].zero_()
    assert 0 in array


@pytest.mark.parametrize("take", COPIES.values(), ids=COPIES)
@pytest.mark.parametrize("dtype", [tg.float64, tg.int64])
def test_a_copy_does_not(take, dtype):
    x = tg.arange(6).view(2, 3).to(dtype)
    y = take(x)
    assert not np.shares_memory(y.numpy(), x.numpy())
    y.fill_(9)
    assert x.tolist() == [[0, 1, 2], [3, 4, 5]]


def test_the_new_tensors_of_integers_are_copies():
    for name in ("round", "floor", "ceil", "trunc", "nan_to_num"):
        x = tg.arange(3)
        getattr(x, name)().fill_(9)
        assert x.tolist() == [0, 1, 2], name


def test_elements_rows_and_parts_of_a_vector_are_views():
    x = tg.arange(4.0)
    x[0].add_(1)
    x.select(0, 1).mul_(5)
    x.unbind()[2].fill_(7)
    assert x.tolist() == [1, 5, 7, 3]
    for element in x:
        element.zero_()
    assert x.tolist() == [0, 0, 0, 0]


ALONE = [k for k in VIEWS if k not in ("unbind", "iteration", "split", "chunk")]


@pytest.mark.parametrize("name", [k for k in ALONE if k not in ("detach", "data", "view of a dtype")])
def test_a_recorded_write_into_a_view_changes_the_gradient_of_what_it_covers(name):
    """Of the elements that the view covers, three times the value is taken."""
    x = tg.arange(6, dtype=tg.float64).view(2, 3).requires_grad_()
    y, covered = x * 1, np.zeros((2, 3))
    v, mark = VIEWS[name](y), VIEWS[name](tg.from_numpy(covered))
    while any(step == 0 for step in v.stride()):
        v, mark = v[0], mark[0]
    if name == "unfold":  # its windows overlap
        v, mark = v[:, 0], mark[:, 0]
    mark.fill_(1)
    v.mul_(3)
    (y * tg.ones(2, 3, dtype=tg.float64)).sum().backward()
    assert x.grad.tolist() == (1 + 2 * covered).tolist()
    assert y.tolist() == (np.arange(6).reshape(2, 3) * (1 + 2 * covered)).tolist()


@pytest.mark.parametrize("take", [VIEWS[k] for k in VIEWS if k not in ALONE])
def test_a_recorded_write_into_one_of_several_views_is_refused(take):
    y = tg.ones(2, 3, requires_grad=True) * 1
    with pytest.raises(RuntimeError, match=r"several views .* clone\(\)"):
        take(y).mul_(3)
    with tg.no_grad():
        take(y).mul_(3)
    assert 3 in y


def test_sister_views_and_views_of_views_have_the_history_of_the_base():
    q = tg.tensor([1.0, 2.0], requires_grad=True)
    x = tg.zeros(2, 2)
    row, column, corner = x[0], x[:, 0], x[0][:1]
    row.copy_(q)
    assert column.tolist() == [1, 0]
    for v in (column, corner, x):
        assert v.requires_grad
        assert v.grad_fn is not None
    (column.sum() * 3 + corner.sum()).backward(retain_graph=True)
    assert q.grad.tolist() == [4, 0]
    column.mul_(q)  # the whole base again
    (g,) = tg.autograd.grad(x.sum(), q)
    assert g.tolist() == [2, 1]  # x is ((q0², q1), (0·q1, 0))


def test_derivatives_of_writes_can_be_differentiated():
    def f(q):
        x = tg.zeros(3, dtype=tg.float64)
        x[:2] = q * q
        x[1:].mul_(q[0])
        x[tg.tensor([2])] = q[1]
        return (x * x).sum()

    q = tg.tensor([2.0, 3.0], dtype=tg.float64, requires_grad=True)
    (g,) = tg.autograd.grad(f(q), q, create_graph=True)
    # f = a⁴ + a² b⁴ + b²
    a, b = 2.0, 3.0
    assert g.tolist() == [4 * a**3 + 2 * a * b**4, 4 * a**2 * b**3 + 2 * b]
    hessian = [tg.autograd.grad(g[k], q, retain_graph=True)[0].tolist() for k in (0, 1)]
    assert hessian == [[12 * a**2 + 2 * b**4, 8 * a * b**3], [8 * a * b**3, 12 * a**2 * b**2 + 2]]


def test_three_thousand_views_of_views_are_written_and_differentiated_without_recursion():
    q = tg.tensor(2.0, requires_grad=True)
    x = tg.zeros(4)
    v = x
    for _ in range(3000):
        v = v.view(2, 2).view(4)
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(200)
    try:
        v[1:].copy_(q * tg.ones(3))
        v.sum().backward()
        assert v[::2].grad_fn is not None
    finally:
        sys.setrecursionlimit(before)
    assert x.tolist() == [0, 2, 2, 2]
    assert q.grad.item() == 3


def test_what_a_layer_returns_is_viewed_in_place():
    """Kernels lay images out in an order of their own."""
    x = tg.arange(2 * 3 * 4 * 4.0).view(2, 3, 4, 4)
    for layer in (tg.nn.Conv2d(3, 2, 3), tg.nn.MaxPool2d(2), tg.nn.BatchNorm2d(3), tg.nn.AvgPool2d(2)):
        y = layer(x)
        flat = y.view(-1)
        with tg.no_grad():
            flat.mul_(2)
            assert np.allclose(y.numpy(force=True), 2 * layer(x).numpy(force=True), atol=1e-4)
            y.zero_()
        assert not flat.any()


@pytest.mark.parametrize("turned", [lambda x: x.clone().T, lambda x: tg.rot90(x), lambda x: (x * 1).t()])
def test_a_view_of_what_nobody_holds_is_viewed_and_written_in_place(turned):
    x = turned(tg.arange(6.0).view(2, 3))
    array = x.numpy()
    parts = [*x.split(1, 1), x[:, 1:], x.diagonal(), x.unfold(0, 2, 1)]
    assert all(np.shares_memory(part.numpy(), array) for part in parts)
    for part in parts[:2]:
        part.fill_(7)
    assert (array == 7).all()
    assert x.eq(7).all()


# ---- expanded memory


@pytest.mark.parametrize("write", [
    lambda t: t.add_(1),
    lambda t: t.mul_(tg.ones(2, 3)),
    lambda t: t.copy_(tg.ones(2, 3)),
    lambda t: t.exp_(),
    lambda t: t.__setitem__(slice(None), tg.arange(6.0).view(2, 3)),
    lambda t: tg.add(t, 1, out=t),
])  # fmt: skip
def test_a_write_into_expanded_memory_says_clone(write):
    x = tg.zeros(3)
    with pytest.raises(RuntimeError, match=r"place in memory.*clone\(\)"):
        write(x.expand(2, 3))
    assert x.tolist() == [0, 0, 0]


def test_one_row_of_expanded_memory_or_one_number_for_all_may_be_written():
    x = tg.zeros(3)
    x.expand(2, 3)[0].add_(1)
    assert x.tolist() == [1, 1, 1]
    x.expand(2, 3).fill_(4)
    assert x.tolist() == [4, 4, 4]
    x.expand(2, 3).zero_()
    assert x.tolist() == [0, 0, 0]


# ---- values that were saved


def line_of(mark):
    """The line of this file that ends with the comment."""
    with open(__file__) as file:
        return next(k for k, line in enumerate(file, 1) if line.rstrip().endswith(f"# {mark}"))


def test_a_saved_value_that_was_written_is_named_with_the_op_and_the_place_of_the_write():
    x = tg.ones(3, requires_grad=True) * 2
    y = x * x
    x[1:].add_(1)  # the write
    with pytest.raises(RuntimeError, match=r"Mul .*in-place") as raised:
        y.sum().backward()
    assert f"{__file__}, line {line_of('the write')}" in str(raised.value)


@pytest.mark.parametrize("write", [
    lambda x: x.add_(1),
    lambda x: x[0].zero_(),
    lambda x: x.detach().fill_(2),
    lambda x: x.view(-1)[1:].mul_(2),
    lambda x: x.__setitem__(0, 5.0),
    lambda x: x.__setitem__(tg.tensor([0]), 5.0),
    lambda x: tg.mul(x.detach(), 2, out=x.detach()),
    lambda x: x.t_(),
    lambda x: tg.nn.init.zeros_(x),
])  # fmt: skip
def test_every_write_is_seen_by_the_backward_pass(write):
    x = tg.ones(2, 2, requires_grad=True) * 2
    y = x * x
    write(x)
    with pytest.raises(RuntimeError, match="modified by an in-place operation"):
        y.sum().backward()


def test_a_step_of_an_optimiser_is_a_write():
    p = tg.nn.Parameter(tg.ones(2))
    y = (p * p).sum()
    y.backward(retain_graph=True)
    tg.optim.SGD([p], lr=0.1).step()
    with pytest.raises(RuntimeError, match="modified by an in-place operation"):
        y.backward()


@pytest.mark.parametrize("optimizer", ["SGD", "Adam", "RMSprop"])
def test_an_optimiser_does_not_step_into_expanded_memory(optimizer):
    p = tg.nn.Parameter(tg.ones(2, 3))
    p.sum().backward()
    p.data = tg.tensor(2.0).expand(2, 3)
    with pytest.raises(RuntimeError, match="refers to a single place in memory"):
        getattr(tg.optim, optimizer)([p], lr=0.1).step()
    assert p.tolist() == [[2, 2, 2], [2, 2, 2]]


def test_what_no_rule_needs_may_be_written():
    x = tg.ones(2, requires_grad=True) * 2
    y = x + 1  # needs no value
    z = x * 3  # needs 3
    x.zero_()
    (y + z).sum().backward()
    w = tg.ones(2) * 2
    q = tg.ones(2, requires_grad=True)
    v = w + q * 2  # w requires no gradient
    w.zero_()
    v.sum().backward()
    assert q.grad.tolist() == [2, 2]


def test_the_old_value_that_a_recorded_write_needs_is_kept():
    q = tg.tensor([2.0, 3.0], requires_grad=True)
    x = q * 1
    x.mul_(q)  # the derivative by q is the old x
    x.exp_()
    x.sum().backward()  # exp(q²)
    assert q.grad.tolist() == pytest.approx([4 * np.exp(4), 6 * np.exp(9)], rel=1e-6)


def test_data_has_a_version_of_its_own_and_detach_has_not():
    w = tg.ones(2, requires_grad=True)
    y = w[:1] * w[:1]
    w.data[1] = 5
    y.sum().backward()
    assert w.grad.tolist() == [2, 0]
    y = w[:1] * w[:1]
    w.detach()[1] = 6
    with pytest.raises(RuntimeError, match="modified by an in-place operation"):
        y.sum().backward()


INDEXED = {
    "getitem": lambda a, i: a[i],
    "getitem of a column": lambda a, i: a[:, i],
    "index_select": lambda a, i: a.index_select(0, i),
    "take": lambda a, i: a.take(i),
    "embedding": lambda a, i: tg.nn.functional.embedding(i, a),
    "gather": lambda a, i: a.gather(0, i[:, None]),
    "take_along_dim": lambda a, i: tg.take_along_dim(a, i[:, None], 0),
    "setitem": lambda a, i: (lambda z: (z.__setitem__(i, a[:2]), z)[1])(tg.zeros(3, 3)),
    "index_add": lambda a, i: tg.zeros(3, 3).index_add(0, i, a[:2]),
    "index_copy": lambda a, i: tg.zeros(3, 3).index_copy(0, i, a[:2]),
    "index_fill": lambda a, i: a.index_fill(0, i, 0.0),
    "scatter": lambda a, i: tg.zeros(3, 3).scatter(0, i[:, None], a[:2, :1]),
    "scatter_add": lambda a, i: tg.zeros(3, 3).scatter_add(0, i[:, None], a[:2, :1]),
    "put": lambda a, i: tg.zeros(3, 3).put(i, a[0, :2]),
    "nll_loss": lambda a, i: tg.nn.functional.nll_loss(a[:2], i),
    "cross_entropy": lambda a, i: tg.nn.functional.cross_entropy(a[:2], i),
}


def check_seen_or_of_no_consequence(use, index, change):
    """Writing the index must not send the gradient elsewhere: it raises, unless the op has made its own copy."""

    def outcome(write):
        i, n = index.clone(), 3 if index.ndim == 1 else 2
        a = tg.arange(1.0 * n * n).view(n, n).requires_grad_()
        y = use(a * 1, i)
        if write:
            change(i)
        try:
            y.sum().backward()
        except RuntimeError as error:
            return str(error)
        return a.grad.tolist()

    found = outcome(True)
    assert "modified by an in-place operation" in found or found == outcome(False)


@pytest.mark.parametrize("use", INDEXED.values(), ids=INDEXED)
def test_an_index_that_was_written_since_sends_no_gradient_to_other_rows(use):
    check_seen_or_of_no_consequence(use, tg.tensor([0, 1]), lambda i: i.add_(1))


MASKED = {
    "getitem": lambda a, m: a[m],
    "masked_select": lambda a, m: a.masked_select(m),
    "masked_fill": lambda a, m: a.masked_fill(m, 0.0),
    "where": lambda a, m: tg.where(m, a, 2 * a),
    "setitem": lambda a, m: (a.__setitem__(m, 0.0), a)[1],
    "masked_scatter": lambda a, m: tg.zeros(2, 2).masked_scatter(m, a),
}


@pytest.mark.parametrize("use", MASKED.values(), ids=MASKED)
def test_a_mask_that_was_written_since_sends_no_gradient_to_other_elements(use):
    check_seen_or_of_no_consequence(use, tg.tensor([[True, False], [False, True]]), lambda m: m.logical_not_())


@pytest.mark.parametrize("name", ["getitem", "index_select", "take", "embedding", "gather", "scatter", "index_add"])
def test_an_index_that_was_written_since_is_refused(name):
    i = tg.tensor([0, 1])
    y = INDEXED[name](tg.ones(3, 3, requires_grad=True) * 1, i)
    i[0] = 2
    with pytest.raises(RuntimeError, match="modified by an in-place operation"):
        y.sum().backward()


# ---- gradients


def test_a_gradient_is_added_to_in_place():
    p = tg.ones(2, requires_grad=True)
    p.sum().backward()
    held = p.grad
    (3 * p).sum().backward()
    assert p.grad is held
    assert held.tolist() == [4, 4]


def test_a_buffer_given_as_gradient_is_added_to():
    p, buffer = tg.ones(2, requires_grad=True), tg.zeros(3)
    p.grad = buffer[1:]
    p.sum().backward()
    assert buffer.tolist() == [0, 1, 1]


def test_a_gradient_that_is_recorded_is_a_new_tensor():
    p = tg.ones(2, requires_grad=True)
    (p * p).sum().backward()
    held = p.grad
    (p * p).sum().backward(create_graph=True)
    assert held.tolist() == [2, 2]
    assert p.grad.tolist() == [4, 4]
    assert p.grad.requires_grad


def test_a_gradient_can_be_deleted_and_shares_nothing_with_what_it_came_from():
    p, g = tg.ones(2, requires_grad=True), tg.ones(2)
    p.backward(g)
    p.grad.add_(1)
    assert g.tolist() == [1, 1]
    del p.grad
    assert p.grad is None


def test_a_retained_gradient_is_that_of_the_value_after_the_write():
    x = tg.ones(2, requires_grad=True)
    y = x * 1
    y.retain_grad()
    y.mul_(5)
    (y * 3).sum().backward()
    assert y.grad.tolist() == [3, 3]
    assert x.grad.tolist() == [15, 15]


WRITES_OF_A_VIEW = {
    "mul_": lambda v: v.mul_(2),
    "fill_": lambda v: v.fill_(2.0),
    "an index": lambda v: v.__setitem__(tg.tensor([0]), 2.0),
    "all of it": lambda v: v.__setitem__(slice(None), tg.tensor(2.0)),
}


@pytest.mark.parametrize("write", WRITES_OF_A_VIEW.values(), ids=WRITES_OF_A_VIEW)
def test_a_view_that_was_written_is_told_of_its_new_value_only(write):
    base = tg.ones(3, requires_grad=True) * 1
    view, told = base[:2], []
    view.retain_grad()
    view.register_hook(told.append)
    before = view * 3
    write(view)
    base.sum().backward(retain_graph=True)
    assert view.grad is None
    assert not told
    before.sum().backward(retain_graph=True)
    assert view.grad is None
    assert told[0].tolist() == [3, 3]
    (view * 5).sum().backward()
    assert view.grad.tolist() == [5, 5]
    assert len(told) == 1


def test_what_a_retained_gradient_holds_turns_with_its_tensor():
    x = tg.ones(2, 3, requires_grad=True)
    y = x * 1
    y.retain_grad()
    y.sum().backward(retain_graph=True)
    y.t_()
    (y * tg.arange(6.0).view(3, 2)).sum().backward()
    assert y.grad.tolist() == [[1, 2], [3, 4], [5, 6]]


def test_a_recorded_pass_adds_a_constant_gradient_to_a_new_tensor():
    x = tg.ones(2, requires_grad=True)
    (x * x).sum().backward(create_graph=True)
    held = x.grad
    held.fill_(tg.tensor(3.0))
    (held * held).sum().backward(create_graph=True)
    assert x.grad is not held
    assert x.grad.tolist() == held.tolist() == [3, 3]


def test_whoever_waits_for_the_gradient_of_what_left_the_graph_is_called_without_one():
    x, told = tg.ones(2, requires_grad=True), []
    x.register_post_accumulate_grad_hook(lambda leaf: told.append(leaf.grad))
    y = x * 2
    x.detach_()
    y.sum().backward()
    assert told == [None]


@pytest.mark.parametrize("index", [..., slice(None), slice(0, 5), (slice(None), slice(None))], ids=str)
def test_a_write_over_all_of_a_tensor_sends_zeros_that_require_no_gradient(index):
    x = tg.ones(2, 2, requires_grad=True)
    y = x * 1
    view = y.diagonal()
    y[index] = tg.tensor(3.0)
    (view * view).sum().backward(create_graph=True)
    assert x.grad.tolist() == [[0, 0], [0, 0]]
    assert not x.grad.requires_grad


def test_integers_require_no_gradient_whatever_is_written_into_them():
    number, w = tg.tensor([1, 2]), tg.tensor(3.5, requires_grad=True)
    number[0] = w
    number.copy_(w)
    number.masked_fill_(number > 0, w)
    assert number.tolist() == [3, 3]
    assert not number.requires_grad


OVERLAPPING = {
    "expand": (lambda x: x.view(4, 1).expand(4, 2), (2, 2), (1, 1), [[1, 1], [2, 2], [1, 1], [0, 0]]),
    "unfold": (lambda x: x.unfold(0, 2, 1), (2, 2), (1, 2), [[1, 0.5], [0.5, 0.5], [0.5, 1]]),
}


@pytest.mark.parametrize("case", OVERLAPPING.values(), ids=OVERLAPPING)
def test_elements_in_one_place_share_the_gradient_of_a_strided_view(case):
    take, size, stride, places = case
    x = tg.arange(4.0).requires_grad_()
    view = take(x)
    view.retain_grad()
    view.as_strided(size, stride).sum().backward(create_graph=True)
    assert (view.grad * (2 if take is OVERLAPPING["expand"][0] else 1)).tolist() == places
    assert x.grad.tolist() == ([1, 2, 1, 0] if take is OVERLAPPING["expand"][0] else [1, 1, 1, 1])


EMPTY = {
    "cat of vectors": (lambda x: tg.cat([x[:0].flatten(), tg.ones(2)]), False),
    "cat of a vector and a matrix": (lambda x: tg.cat([x[:0].flatten(), tg.ones(2, 2)]), False),
    "hstack": (lambda x: tg.hstack([x[:0].flatten()]), False),
    "cat of matrices": (lambda x: tg.cat([x[:0], tg.ones(2, 3)]), True),
    "stack": (lambda x: tg.stack([x[:0].flatten()]), True),
}


@pytest.mark.parametrize("case", EMPTY.values(), ids=EMPTY)
def test_nothing_leads_to_an_empty_vector_that_is_left_out(case):
    join, leads = case
    x = tg.ones(2, 3, requires_grad=True)
    joined = join(x)
    assert joined.requires_grad
    (gradient,) = tg.autograd.grad((joined * joined).sum(), x, create_graph=True)
    assert gradient.requires_grad is leads
    assert gradient.tolist() == [[0, 0, 0], [0, 0, 0]]


# ---- other data


def test_views_taken_before_other_data_count_the_writes_of_their_base():
    x = tg.arange(4.0).requires_grad_()
    base = x * 1
    view, told = base[:2], []
    view.register_hook(told.append)
    base.data = tg.tensor([9.0, 9.0, 9.0, 9.0])
    version = view._version
    base.mul_(3)
    assert view._version == version + 1
    assert view.tolist() == [0, 1]
    view.sum().backward()
    assert not told
    assert x.grad.tolist() == [3, 3, 0, 0]


def test_data_given_to_a_tensor_are_not_checked_for_its_writes():
    x, y = tg.ones(2), tg.zeros(2)
    x.data = y
    x.add_(1)
    assert y.tolist() == [1, 1]
    assert y._version == 0
    assert x._version == 1


def test_a_view_finds_its_place_in_a_base_with_other_data_that_was_turned():
    x = tg.arange(6.0).view(2, 3).requires_grad_()
    base = x * 1
    row = base[0]
    base.data = tg.zeros(2, 3)
    base.t_()
    row.sum().backward()
    assert x.grad.tolist() == [[1, 1, 1], [0, 0, 0]]


DATA_OF_ANOTHER_SHAPE = {
    "wider": (lambda x: x[:, 1:], (3, 2), [[1, 1, 1], [1, 1, 1]]),
    "one number": (lambda x: x[:, 1:], (1,), [[1, 0, 0], [0, 0, 0]]),
    "smaller": (lambda x: x.view(3, 2), (2, 2), [[1, 1, 1], [1, 0, 0]]),
    "flat": (lambda x: x.t(), (6,), [[1, 1, 1], [1, 1, 1]]),
    "empty": (lambda x: x[:0], (2, 0), [[0, 0, 0], [0, 0, 0]]),
}


@pytest.mark.parametrize("write", [lambda x, v: x.add_(1), lambda x, v: v.add_(1)], ids=["of the base", "of the view"])
@pytest.mark.parametrize("case", DATA_OF_ANOTHER_SHAPE.values(), ids=DATA_OF_ANOTHER_SHAPE)
def test_a_view_with_data_of_another_shape_is_the_part_of_its_base_that_lies_so(case, write):
    take, shape, places = case
    x = tg.zeros(2, 3)
    view = take(x)
    view.data = tg.ones(shape)
    write(x, view)
    x.requires_grad_()
    assert view.shape == shape
    (view * 1).sum().backward()
    assert x.grad.tolist() == places


def test_a_recorded_write_into_a_view_with_data_of_another_shape_covers_that_part():
    x, factor = tg.zeros(2, 3, requires_grad=True), tg.full((), 5.0, requires_grad=True)
    base = x * 1
    view = base[:, 1:]
    view.data = tg.ones(1)
    view.mul_(factor)
    base.sum().backward()
    assert x.grad.tolist() == [[5, 1, 1], [1, 1, 1]]
    assert factor.grad == 1


@pytest.mark.parametrize("give", [lambda v, y: setattr(v, "data", y), lambda v, y: v.set_(y)], ids=["data", "set_"])
def test_a_view_with_data_of_another_shape_may_not_reach_beyond_its_base(give):
    x = tg.zeros(2, 3)
    view = x[0]
    give(view, tg.ones(7))
    view.add_(1)
    x.requires_grad_()
    with pytest.raises(RuntimeError, match="this view, or its base, was given data of another shape: as_strided"):
        view.sum().backward()


def test_what_counted_the_writes_of_memory_is_forgotten_with_it():
    from tinygrad_cnn.core.storage import _written

    x = tg.ones(2)
    x.add_(1)
    before = len(_written)
    for _ in range(10):
        x.data = x * 1
        x.add_(1)
    assert len(_written) <= before + 1


@pytest.mark.parametrize(
    "take",
    [
        lambda x: x.expand(2, 8),
        lambda x: x.unfold(0, 2, 1),
        lambda x: x.as_strided((2, 2), (1, 1)),
        lambda x: x[::7].expand(2, 2),  # with gaps, so that the row is no shorter
        lambda x: x.as_strided((2, 3), (2, 2)),
    ],
)
def test_what_lies_in_one_place_lies_there_when_it_was_pickled(take):
    x = take(tg.arange(8.0))
    y = pickle.loads(pickle.dumps(x))
    assert y.tolist() == x.tolist()
    assert y.stride() == x.stride()
    assert len(pickle.loads(pickle.dumps(tg.arange(8.0)[::7])).untyped_storage()) == 8
    assert type(pickle.loads(pickle.dumps(tg.nn.Parameter(x)))) is tg.nn.Parameter


@pytest.mark.parametrize("make", [tg.tensor, lambda a: tg.asarray(a, copy=True), tg.ones(1).new_tensor])
def test_a_copy_of_an_expanded_array_lies_in_order(make):
    made = make(np.broadcast_to(np.arange(3.0)[:, None], (2, 3, 1)))
    assert made.stride() == (3, 1, 1)
    assert made.view(1, 6).tolist() == [[0, 1, 2, 0, 1, 2]]


# ---- copies of everything, and files


def saved(things):
    file = io.BytesIO()
    tg.save(things, file)
    file.seek(0)
    return tg.load(file)


@pytest.mark.parametrize("again", [copy.deepcopy, saved])
@pytest.mark.parametrize("take", [VIEWS[k] for k in VIEWS if k not in ("detach", "data")])
def test_copies_of_a_tensor_and_its_view_share_memory_as_these_do(again, take):
    x = tg.arange(6, dtype=tg.float64).view(2, 3)
    v = take(x)
    y, w = again([x, v])
    assert y.tolist() == x.tolist()
    assert w.stride() == v.stride()
    y.fill_(7)
    assert w.tolist() == tg.full((2, 3), 7.0, dtype=tg.float64).as_strided(v.shape, v.stride()).view(v.dtype).tolist()
    assert x[1, 2] == 5


def test_a_module_s_tied_weights_stay_tied():
    a, b = tg.nn.Linear(2, 2), tg.nn.Linear(2, 2)
    a.weight = b.weight
    both = copy.deepcopy(tg.nn.Sequential(a, b))
    assert both[0].weight is both[1].weight
    state = saved(both.state_dict())
    state["0.weight"].fill_(3)
    assert state["1.weight"].eq(3).all()


# ---- questions about memory


def test_a_version_counts_the_writes_into_memory():
    x = tg.zeros(2, 2)
    v, d, own = x[0], x.detach(), x.data
    assert x._version == 0
    v.add_(1)
    x[1] = 5
    x.t_()
    assert x._version == v._version == d._version == 3
    assert own._version == 0
    own.zero_()
    assert (x._version, own._version) == (3, 1)
    with tg.no_grad():
        x.fill_(1)
    assert x._version == 4
    _ = x + 1
    assert x._version == 4


def test_a_storage_is_the_same_for_all_its_views():
    x = tg.arange(6.0)
    v = x[2:].view(2, 2)
    assert v.untyped_storage().data_ptr() == x.untyped_storage().data_ptr() == x.data_ptr()
    assert v.data_ptr() == x.data_ptr() + 2 * 4
    assert v.storage_offset() == 2
    assert x.untyped_storage().nbytes() == 24
    assert x.clone().untyped_storage().data_ptr() != x.data_ptr()


def test_a_base_is_that_of_all_views_of_views():
    x = tg.arange(6.0)
    v = x[2:].view(2, 2)[0]
    assert v._base is x
    assert x._base is None
    assert x.detach()._base is None
    assert x.data._base is None


def test_is_set_to_and_set_():
    x, y = tg.arange(3.0), tg.zeros(1)
    assert not y.is_set_to(x)
    y.set_(x)
    assert y.is_set_to(x)
    assert not y.is_set_to(x[1:])
    y[0] = 9
    assert x.tolist() == [9, 1, 2]


def test_as_strided_counts_in_the_storage():
    x = tg.arange(6.0)
    v = x[2:].as_strided((2, 2), (1, 2), 1)
    assert v.tolist() == [[1, 3], [2, 4]]
    v.zero_()
    assert x.tolist() == [0, 0, 0, 0, 0, 5]
    assert x[2:].as_strided((2,), (1,)).tolist() == [0, 0]


def test_strides_count_in_the_memory_also_of_data_with_gaps():
    x = tg.arange(12.0).reshape(3, 4)
    assert x[::2].data.as_strided((3,), (1,)).tolist() == [0, 1, 2]
    assert x[::2, 1:].data.as_strided((2,), (2,)).tolist() == [1, 3]
    assert x.t().data[1:].as_strided((2, 2), (4, 1), 1).tolist() == [[1, 2], [5, 6]]
    assert x[1].data.storage_offset() == 4


def test_one_over_x_keeps_what_it_gave():
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    y = 3 / x
    x.detach().fill_(5)
    y.sum().backward()
    assert x.grad.tolist() == [-3, -0.75]
    z = 1 / (x * 1)
    z.clamp_(-1, 1)
    z.sum().backward()


def test_a_view_without_history_makes_what_is_computed_require_a_gradient():
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    with tg.no_grad():
        v = x[...]
    assert tg.where(v > 0, v, v).requires_grad
    assert v.gather(0, tg.tensor([0])).requires_grad
    y = v * v
    (y * y).sum().backward()
    y.sum().backward()  # it leads nowhere, and so needs nothing that was freed
    assert x.grad is None


def test_a_copy_may_leave_the_graph_and_an_empty_vector_has_a_dtype():
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    assert not tg.tile(x, (1,)).detach_().requires_grad
    assert tg.cat([tg.zeros(0, dtype=tg.float64), tg.tensor([[1]])]).dtype == tg.float64


@pytest.mark.parametrize(
    "turn",
    [
        lambda y: y.squeeze_(),
        lambda y: y.unsqueeze_(1),
        lambda y: y.transpose_(0, 2),
        lambda y: y.swapdims_(1, 2),
        lambda y: y.squeeze_(1).t_().unsqueeze_(0),
    ],
)
@pytest.mark.parametrize("write", [False, True])
def test_a_view_is_of_the_same_elements_after_its_base_was_turned(turn, write):
    x = tg.arange(6.0).reshape(2, 1, 3).requires_grad_()
    y = x * 2
    column, window = y[:, 0, 1], y.unfold(2, 2, 1)[0, 0]
    turn(y)
    if write:
        column.mul_(5)
        assert sorted(y.flatten().tolist()) == [0, 4, 6, 10, 10, 40]
    (grad,) = tg.autograd.grad(column.sum(), x, retain_graph=True)
    assert grad.tolist() == [[[0, 10 if write else 2, 0]]] * 2
    (grad,) = tg.autograd.grad(window.sum(), x, retain_graph=True)
    assert grad.tolist() == [[[2, 20 if write else 4, 2]], [[0, 0, 0]]]
    (grad,) = tg.autograd.grad(y.sum(), x)
    assert grad.tolist() == [[[2, 10 if write else 2, 2]]] * 2


def test_a_gradient_that_was_given_another_shape_takes_no_more():
    x = tg.ones(2, 1, 3, requires_grad=True)
    x.sum().backward()
    x.grad.transpose_(0, 2)
    with pytest.raises(RuntimeError, match="grad was given another shape"):
        x.sum().backward()
    with pytest.raises(RuntimeError, match="step: "):
        tg.optim.SGD([x]).step()
    x.grad = tg.ones(1).expand(2, 1, 3)
    with pytest.raises(RuntimeError, match="refers to a single place in memory"):
        x.sum().backward()


@pytest.mark.parametrize("write", ["mul_", "div_", "atan2_", "addcmul_"])
@pytest.mark.parametrize("part", [lambda y: y[0], lambda y: y[:1], lambda y: y.as_strided((1,), (1,))])
def test_an_operand_that_lies_in_a_part_of_the_target_is_kept_as_it_was(write, part):
    def grads(seen):
        x = tg.tensor([2.0, 3.0], requires_grad=True)
        y = x * 1
        operand = seen(part(y))
        getattr(y, write)(*[operand] * (2 if write == "addcmul_" else 1))
        return tg.autograd.grad(y.sum(), x)[0].tolist()

    assert grads(lambda v: v) == grads(tg.clone)


def test_an_operand_that_is_just_the_target_or_beside_it_is_not_copied():
    for first, second in ((slice(0, 2), slice(0, 2)), (slice(0, 2), slice(2, 4))):
        y = tg.ones(4, requires_grad=True) * 2
        y[first].mul_(y[second])
        with pytest.raises(RuntimeError, match="modified by an in-place operation"):
            y.sum().backward()


@pytest.mark.parametrize("several", [lambda x: x.unbind(), lambda x: x.split(1), lambda x: x.chunk(2)])
def test_parts_of_a_value_that_nobody_holds_are_not_written(several):
    part = several(tg.ones(2, 3, requires_grad=True) * 2)[0]
    for write in (lambda: part.mul_(2), lambda: part.__setitem__(0, 1.0), lambda: part[:1].fill_(0)):
        with pytest.raises(RuntimeError, match="one of several views"):
            write()


@pytest.mark.parametrize("made", [lambda x: x, lambda x: x * 2])
def test_a_view_of_what_has_left_the_graph_is_not_written(made):
    x = made(tg.ones(2, 3, requires_grad=True))
    view = x.view_as(x)
    x.detach_()
    x[0] = 5  # its own elements may be
    for write in (lambda: view.mul_(2), lambda: view[0].fill_(1)):
        with pytest.raises(RuntimeError, match="a leaf that requires a gradient, or a view of it"):
            write()


def test_a_leaf_that_became_a_result_since_it_was_used_takes_no_gradient():
    y = tg.ones(2) / 2
    view = y[...].requires_grad_()
    y.add_(view)
    with pytest.raises(RuntimeError, match="a leaf was made the result of an op"):
        y.sum().backward()


def test_a_tensor_is_not_written_into_expanded_memory_however_small():
    for value in (tg.tensor(3.0), tg.tensor([3.0])):
        with pytest.raises(RuntimeError, match="refers to a single place in memory"):
            tg.ones(3, 1).expand(3, 2)[:] = value
    with pytest.raises(RuntimeError, match="refers to a single place in memory"):
        tg.ones(3, 1).expand(3, 2).fill_(tg.tensor(3.0))
    assert tg.ones(3, 1).expand(3, 2).fill_(3.0).tolist() == [[3, 3]] * 3


@pytest.mark.parametrize("name", ["T", "mT", "H", "mH"])
def test_a_number_transposed(name):
    x = tg.tensor(2.0)
    assert getattr(x, name).item() == 2
    assert name == "T" or getattr(x, name) is x


@pytest.mark.parametrize(
    ("shape", "sizes"), [((2, 1, 0), (2, -1)), ((0, 2), (0, 5)), ((0, 2), (3,)), ((0, 2), ()), ((0, 2), (-1, -1))]
)
def test_sizes_that_do_not_make_up_the_dim_do_not_unflatten(shape, sizes):
    with pytest.raises(RuntimeError, match="unflatten: sizes"):
        tg.zeros(shape).unflatten(1, sizes)


def test_a_scaled_operand_keeps_nothing():
    x = tg.ones(2, requires_grad=True)
    for y in (tg.add(x, x, alpha=2), tg.sub(x, x, alpha=2), tg.rsub(x, x, alpha=2)):
        y.sum().backward()
        y.sum().backward()


@pytest.mark.parametrize(
    "function",
    [
        *(F.relu, F.leaky_relu, F.hardtanh, F.relu6, F.hardsigmoid, F.rrelu),
        lambda x: F.threshold(x, 0.5, 7),
    ],
)
def test_a_slope_that_is_constant_in_pieces_can_be_differentiated(function):
    x = tg.tensor([-1.5, 0.75, 2.0], requires_grad=True)
    (grad,) = tg.autograd.grad(function(x).sum(), x, create_graph=True)
    assert grad.requires_grad
    assert tg.autograd.grad(grad.sum(), x)[0].tolist() == [0, 0, 0]


def test_nothing_lies_nowhere():
    assert tg.ones(3)[3:].data_ptr() == tg.zeros(2, 0).data_ptr() == 0
    y = tg.zeros(0, 1, requires_grad=True) * 1
    view = y[1:]
    y.squeeze_(1)
    view.sum().backward()


def test_integers_are_not_divided_by_addcdiv_and_a_number_has_no_diagonal():
    with pytest.raises(RuntimeError, match="addcdiv: tensor1 and tensor2 are integers"):
        tg.ones(2).addcdiv_(tg.tensor([1, 2]), tg.tensor([2, 2]))
    with pytest.raises(IndexError, match="diag_embed: dim -2 is out of range"):
        tg.diag_embed(tg.tensor(1.0))


@pytest.mark.parametrize(
    "shapes", [((), ()), ((2,), ()), ((2,), (2,), (2,)), ((2, 2, 2), (2,)), ((2, 2), (2,), (2, 2))]
)
def test_a_chain_of_what_is_no_matrix_is_not_multiplied(shapes):
    with pytest.raises(RuntimeError, match="multi_dot: tensor"):
        tg.linalg.multi_dot([tg.ones(shape) for shape in shapes])


@pytest.mark.parametrize("laid_out", [lambda y: y.transpose_(0, 1), lambda y: y])
def test_a_result_written_over_whole_stays_the_result_of_an_op(laid_out):
    x = tg.ones(2, 2, requires_grad=True)
    for y in (laid_out(x * 2), laid_out(tg.rot90(x))):
        y.copy_(tg.zeros(2, 2))
        assert y.requires_grad
        y.sum().backward()
    assert x.grad.tolist() == [[0, 0]] * 2


def test_an_index_that_lies_in_the_target_is_kept_as_it_was():
    x = tg.zeros(2, dtype=tg.float64, requires_grad=True)
    y = x * 1
    y.index_add_(0, y.view(tg.int64), tg.ones(2, dtype=tg.float64))
    y.sum().backward()
    assert x.grad.tolist() == [1, 1]
    assert y.tolist() == [2, 0]


@pytest.mark.parametrize("last", [float("nan"), float("inf")])
@pytest.mark.parametrize(
    "function", [tg.relu, tg.max, tg.amax, lambda x: x.max(0)[0], lambda x: x.median(), F.hardtanh, F.leaky_relu]
)
def test_a_gradient_without_bound_stays_where_it_belongs(function, last):
    x = tg.tensor([-2.0, 0.5, -3.0], requires_grad=True)
    y = function(x)
    (grad,) = tg.autograd.grad(y, x, tg.full_like(y, last))
    assert [bool(tg.isfinite(g)) for g in grad] == [bool(g == 0) for g in grad]


def test_data_without_elements_is_given():
    x, y = tg.zeros(0), tg.zeros(2, 0).flip(0)[-1]
    x.data = y
    assert x.shape == x.data.shape == (0,)


def test_nothing_shares_no_writes():
    """An array without elements lies in the memory of what it was taken of, and a write there changes nothing."""
    x = tg.ones(4, 2, requires_grad=True)
    y = x * 1
    (part,) = y.chunk(1, 1)
    array = y.detach()[:0].numpy()
    for empty in (tg.from_numpy(array), tg.as_tensor(array), tg.asarray(array), tg.Tensor(array)):
        version = y._version
        empty.mul_(0.5)
        assert y._version == version
    part.sum().backward()  # is one of several views, and would be stale
    assert x.grad.tolist() == [[1, 1]] * 4


HIDDEN = {
    "a product of vectors": lambda x: x[0] @ x[1],
    "a matrix times a vector": lambda x: x @ x[0],
    "stack": lambda x: tg.stack([x, x]),
    "take": lambda x: x.take(tg.tensor([0, 3])),
    "roll": lambda x: x.roll(1),
    "repeat": lambda x: x.repeat(2, 1),
    "unfold": lambda x: F.unfold(x[None, None], 2),
    "a view of a copy": lambda x: x.clone().T,
}


@pytest.mark.parametrize("take", HIDDEN.values(), ids=HIDDEN)
def test_a_result_that_is_another_shape_of_a_value_is_told_of_its_gradient_whoever_writes_it(take):
    x, told = tg.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True), []
    y = take(x)
    y.register_hook(told.append)
    y.retain_grad()
    y.detach().mul_(2)
    y.sum().backward()
    assert [g.tolist() for g in told] == [y.grad.tolist()] == [tg.ones_like(y).tolist()]
    assert x.grad is not None


COVERING_TWICE = {
    "windows": lambda y: y.unfold(0, 3, 1),
    "windows, turned": lambda y: y.unfold(0, 2, 1).T,
    "strides": lambda y: y.as_strided((2, 2), (2, 1), 1),
    "strides in another order": lambda y: y.as_strided((3, 2), (1, 2)),
    "a part of windows": lambda y: y.unfold(0, 3, 1)[1:, :2],
}


@pytest.mark.parametrize("take", COVERING_TWICE.values(), ids=COVERING_TWICE)
@pytest.mark.parametrize("write", [
    lambda v, q: v.copy_(q),
    lambda v, q: v.mul_(q),
    lambda v, q: v.sin_(),
    lambda v, q: v.fill_diagonal_(2.0),
])  # fmt: skip
def test_of_a_target_that_overlaps_itself_the_value_that_is_left_gets_the_gradient(take, write):
    x = tg.tensor([0.5, -1.0, 2.0, 0.25, 1.5], dtype=tg.float64, requires_grad=True)
    q = tg.from_numpy(np.arange(1.0, take(x).numel() + 1).reshape(take(x).shape)).requires_grad_()

    def written(x, q):
        y = x * 1
        write(take(y), q)
        return y * y

    assert tg.autograd.gradgradcheck(written, (x, q))
    assert tg.autograd.gradcheck(written, (x, q))


def test_a_written_view_keeps_its_history_when_its_base_leaves_the_graph():
    q = tg.tensor([2.0, 3.0], requires_grad=True)
    base = tg.ones(2, 2, requires_grad=True) * 1
    row, sister = base[0], base[1]
    row.mul_(q)
    base.detach_()
    (row * 5).sum().backward()
    assert q.grad.tolist() == [5, 5]
    assert not sister.detach().requires_grad
    assert not (base * 1).requires_grad


@pytest.mark.parametrize("write", [
    lambda v, q: v.__setitem__(0, q),
    lambda v, q: v[:].__setitem__(0, q),
    lambda v, q: v[0].copy_(q),
    lambda v, q: v[:1].fill_(q),
])  # fmt: skip
def test_a_part_of_a_view_that_is_a_leaf_is_not_written(write):
    base, q = tg.zeros(2), tg.tensor(1.0, requires_grad=True)
    view = base.view(1, 2)[0].requires_grad_()
    with pytest.raises(RuntimeError, match="a leaf that requires a gradient, or a view of it"):
        write(view, q)
    with tg.no_grad():
        write(view, q)
    assert base.tolist() == [1, 0]


def test_an_operand_in_memory_that_was_given_to_the_target_is_kept_as_it_was():
    x = tg.tensor([2.0, 3.0], requires_grad=True)
    y = x * 1
    part = y[1:]
    y.data = y
    y.addcmul_(part, part)
    assert y.tolist() == [11, 12]
    y.sum().backward()
    assert x.grad.tolist() == [1, 13]


def test_a_gradient_in_memory_that_others_see_is_added_to_by_a_write():
    x, whole = tg.ones(2, requires_grad=True), tg.ones(4)
    x.grad = whole[1:3]
    square = (whole.requires_grad_() ** 2).sum()
    version = whole._version
    x.sum().backward()
    assert whole.tolist() == [1, 2, 2, 1]
    assert whole._version == version + 1
    with pytest.raises(RuntimeError, match="modified by an in-place operation"):
        square.backward()
