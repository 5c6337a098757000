"""`nn.init` and `nn.utils` against PyTorch: with the same seed the same numbers; packed sequences part by part."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_cnn as tg
from tinygrad_cnn import nn

FILLS = [
    (lambda i, t: i.uniform_(t, -2.0, 3.0), 0),
    (lambda i, t: i.normal_(t, 1.0, 0.5), 0),
    (lambda i, t: i.trunc_normal_(t), 0),
    (lambda i, t: i.trunc_normal_(t, 0.5, 2.0, -0.3, 0.6), 0),
    (lambda i, t: i.trunc_normal_(t, std=0.02), 0),
    (lambda i, t: i.constant_(t, 0.3), 0),
    (lambda i, t: i.ones_(t), 0),
    (lambda i, t: i.zeros_(t), 0),
    (lambda i, t: i.eye_(t), 2),
    (lambda i, t: i.dirac_(t), 3),
    (lambda i, t: i.dirac_(t, 2), 3),
    (lambda i, t: i.xavier_uniform_(t, gain=1.3), 0),
    (lambda i, t: i.xavier_normal_(t), 0),
    (lambda i, t: i.kaiming_uniform_(t, 0.2, "fan_out"), 0),
    (lambda i, t: i.kaiming_normal_(t, mode="fan_in", nonlinearity="relu"), 0),
    (lambda i, t: i.orthogonal_(t, 1.5), 0),
    (lambda i, t: i.sparse_(t, 0.3, 0.1), 2),
]
shapes = st.lists(st.integers(1, 6), min_size=0, max_size=4).map(tuple)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(FILLS), shapes, st.integers(0, 1000), st.sampled_from(["float32", "float64"]))
def test_the_same_seed_fills_alike(fill, shape, seed, dtype):
    ours, theirs = tg.zeros(shape, dtype=getattr(tg, dtype)), torch.zeros(shape, dtype=getattr(torch, dtype))
    tg.manual_seed(seed)
    torch.manual_seed(seed)
    try:
        fill[0](torch.nn.init, theirs)
    except Exception as error:
        with pytest.raises(type(error)):
            fill[0](nn.init, ours)
        return
    assert fill[0](nn.init, ours) is ours
    near = {"float32": 3e-5, "float64": 1e-9}[dtype]
    np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=near, atol=near)
    assert tg.rand(1).item() == torch.rand(1).item()


def test_a_generator_of_ones_own():
    for fill, _ in FILLS[:2]:
        a, b = tg.zeros(20), torch.zeros(20)
        nn.init.uniform_(a, generator=tg.Generator().manual_seed(5))
        torch.nn.init.uniform_(b, generator=torch.Generator().manual_seed(5))
        np.testing.assert_array_equal(a.numpy(), b.numpy())
        del fill


@pytest.mark.parametrize(
    "name", ["linear", "conv3d", "conv_transpose2d", "sigmoid", "tanh", "relu", "leaky_relu", "selu", "x"]
)
@pytest.mark.parametrize("param", [None, 0.3, 2, True, "a"])
def test_gains(name, param):
    try:
        expected = torch.nn.init.calculate_gain(name, param)
    except ValueError:
        with pytest.raises(ValueError):
            nn.init.calculate_gain(name, param)
    else:
        assert nn.init.calculate_gain(name, param) == expected


@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.parametrize(
    "name", ["uniform", "normal", "xavier_uniform", "xavier_normal", "kaiming_normal", "orthogonal", "eye"]
)
def test_old_names_warn(name):
    a, b = tg.zeros(3, 4), torch.zeros(3, 4)
    tg.manual_seed(0)
    torch.manual_seed(0)
    getattr(nn.init, name)(a)
    getattr(torch.nn.init, name)(b)
    np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-4, atol=1e-6)
    with pytest.warns(FutureWarning, match=f"nn.init.{name} is now deprecated"):
        getattr(nn.init, name)(a)


def test_a_mean_far_outside_warns():
    for init, t in ((nn.init, tg.zeros(2)), (torch.nn.init, torch.zeros(2))):
        with pytest.warns(UserWarning, match="mean"):
            init.trunc_normal_(t, 5.0, 1.0, -1.0, 1.0)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.lists(st.integers(1, 3), max_size=2).map(tuple), min_size=1, max_size=3),
    st.floats(0.01, 5),
    st.sampled_from([1, 2.0, 3.5, "inf", float("inf")]),
    st.integers(0, 99),
)
def test_clipping(several, bound, order, seed):
    random = np.random.default_rng(seed)
    values = [random.normal(size=shape) for shape in several]
    ours, theirs = [nn.Parameter(v.copy()) for v in values], [torch.nn.Parameter(torch.tensor(v)) for v in values]
    for p, q, v in zip(ours, theirs, values, strict=True):
        p.grad, q.grad = tg.tensor(2 * v), torch.tensor(2 * v)
    a = nn.utils.clip_grad_norm_(ours, bound, order)
    b = torch.nn.utils.clip_grad_norm_(theirs, bound, order)
    assert a.item() == pytest.approx(b.item(), rel=1e-9)
    assert nn.utils.get_total_norm(ours, order).item() == pytest.approx(
        torch.nn.utils.get_total_norm([q.detach() for q in theirs], order).item(), rel=1e-9
    )
    nn.utils.clip_grad_value_(ours, 0.4)
    torch.nn.utils.clip_grad_value_(theirs, 0.4)
    for p, q in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(p.grad.numpy(), q.grad.numpy(), rtol=1e-9)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.integers(1, 4), min_size=1, max_size=4), st.lists(st.integers(1, 3), min_size=1, max_size=2),
    st.booleans(), st.booleans(), st.integers(0, 2), st.sampled_from(["left", "right"]),
)  # fmt: skip
def test_packing_and_padding(lengths, rest, batch_first, enforce, extra, side):
    if enforce:
        lengths = sorted(lengths, reverse=True)
    random = np.random.default_rng(0)
    values = [random.normal(size=(n, *rest)) for n in lengths]
    a, b = nn.utils.rnn, torch.nn.utils.rnn
    ours = [tg.tensor(v, requires_grad=True) for v in values]
    theirs = [torch.tensor(v, requires_grad=True) for v in values]

    def equal(x, y):
        np.testing.assert_array_equal(x.detach().numpy(), y.detach().numpy())

    equal(a.pad_sequence(ours, batch_first, 0.5, side), b.pad_sequence(theirs, batch_first, 0.5, side))
    padded, other = a.pad_sequence(ours, batch_first), b.pad_sequence(theirs, batch_first)
    parts = a.unpad_sequence(padded, lengths, batch_first)
    for x, y in zip(parts, b.unpad_sequence(other.clone(), torch.tensor(lengths), batch_first), strict=True):
        equal(x, y)
    p = a.pack_padded_sequence(padded, tg.tensor(lengths), batch_first, enforce)
    q = b.pack_padded_sequence(other, torch.tensor(lengths), batch_first, enforce)
    equal(p.batch_sizes, q.batch_sizes)
    assert (p.sorted_indices is None) == (q.sorted_indices is None)
    total = max(lengths) + extra
    back, counts = a.pad_packed_sequence(p, batch_first, 7.0, total)
    there, their_counts = b.pad_packed_sequence(q, batch_first, 7.0, total)
    equal(back, there)
    equal(counts, their_counts)
    v = random.normal(size=back.shape)
    back.backward(v)
    there.backward(torch.tensor(v))
    for x, y in zip(ours, theirs, strict=True):
        equal(x.grad, y.grad)
    for x, y in zip(a.unpack_sequence(p), b.unpack_sequence(q), strict=True):
        equal(x, y)


@pytest.mark.parametrize(
    "call",
    [
        lambda n, t: n.utils.rnn.pack_padded_sequence(t.ones(3, 2), [1, 2]),
        lambda n, t: n.utils.rnn.pack_padded_sequence(t.ones(3, 2), [2, 0]),
        lambda n, t: n.utils.rnn.pack_padded_sequence(t.ones(3, 2), [2]),
        lambda n, t: n.utils.rnn.pad_packed_sequence(n.utils.rnn.pack_sequence([t.ones(3, 1)]), total_length=2),
        lambda n, t: n.utils.rnn.pad_sequence([]),
        lambda n, t: n.utils.rnn.pad_sequence([t.ones(2, 2), t.ones(2, 3)]),
        lambda n, t: n.utils.vector_to_parameters([1.0], [n.Parameter(t.ones(1))]),
        lambda n, t: n.utils.vector_to_parameters(t.ones(1), [n.Parameter(t.ones(2))]),
        lambda n, t: n.utils.parameters_to_vector([]),
    ],
)
def test_what_is_refused_is_refused_alike(call):
    with pytest.raises(Exception) as theirs:
        call(torch.nn, torch)
    with pytest.raises(theirs.type):
        call(nn, tg)
