"""Embedding, recurrent and attention layers against PyTorch: outputs, gradients to second order, state, printing."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_cnn as tg
from tinygrad_cnn import nn

F, TF = nn.functional, torch.nn.functional


def flat(value):
    """The floating tensors of nested outputs, in order; None where there is none."""
    if isinstance(value, (tuple, list)):
        return [t for v in value for t in flat(v)]
    return [value]


def twins(make):
    """The layer here and there, with the same weights, carried over both ways."""
    ours, theirs = make(nn).double(), make(torch.nn).double()
    assert repr(ours) == repr(theirs)
    assert {k: tuple(v.shape) for k, v in ours.state_dict().items()} == {
        k: tuple(v.shape) for k, v in theirs.state_dict().items()
    }
    assert [k for k, _ in ours.named_parameters()] == [k for k, _ in theirs.named_parameters()]
    theirs.load_state_dict({k: torch.tensor(v.numpy()) for k, v in ours.state_dict().items()})
    ours.load_state_dict(theirs.state_dict())
    return ours, theirs


def same_gradients(run, ours, theirs, arrays, *, second=True, near=1e-9):
    """`run(layer, tensors)` here and there: outputs, first and second derivatives by random cotangents."""
    random = np.random.default_rng(5)
    leaves = [tg.tensor(a, requires_grad=True) for a in arrays]
    others = [torch.tensor(a, requires_grad=True) for a in arrays]
    outputs, expected = flat(run(ours, leaves, tg)), flat(run(theirs, others, torch))
    assert len(outputs) == len(expected)
    pairs = []
    for y, t in zip(outputs, expected, strict=True):
        assert (y is None) == (t is None)
        if y is not None:
            assert tuple(y.shape) == tuple(t.shape)
            np.testing.assert_allclose(y.detach().numpy(), t.detach().numpy(), rtol=near, atol=near)
            if t.requires_grad:
                pairs.append((y, t, random.normal(size=tuple(t.shape))))
            assert y.requires_grad == t.requires_grad
    a = [*leaves, *[p for p in ours.parameters() if p.requires_grad]] if ours is not None else leaves
    b = [*others, *[p for p in theirs.parameters() if p.requires_grad]] if theirs is not None else others
    if not pairs or not a:
        return
    ys, ts, vs = zip(*pairs, strict=True)
    first = tg.autograd.grad(ys, a, [tg.tensor(v) for v in vs], create_graph=second, allow_unused=True)
    known = torch.autograd.grad(ts, b, [torch.tensor(v) for v in vs], create_graph=second, allow_unused=True)
    rows = []
    for k, (g, h) in enumerate(zip(first, known, strict=True)):
        value = 0.0 if g is None else g.detach().numpy()
        np.testing.assert_allclose(value, 0.0 if h is None else h.detach().numpy(), rtol=1e-7, atol=1e-8, err_msg=k)
        if second and g is not None and h is not None and h.requires_grad and g.requires_grad:
            rows.append((g, h, random.normal(size=tuple(h.shape))))
    if not rows:
        return
    gs, hs, vs = zip(*rows, strict=True)
    twice = tg.autograd.grad(gs, a, [tg.tensor(v) for v in vs], allow_unused=True)
    known = torch.autograd.grad(hs, b, [torch.tensor(v) for v in vs], allow_unused=True)
    for g, h in zip(twice, known, strict=True):
        value = 0.0 if g is None else g.numpy()
        np.testing.assert_allclose(value, 0.0 if h is None else h.numpy(), rtol=1e-6, atol=1e-7)


def refused_alike(call):
    with pytest.raises(Exception) as theirs:
        call(torch.nn, torch)
    with pytest.raises(theirs.type):
        call(nn, tg)


# ---- embedding -------------------------------------------------------------------------------------------


@settings(max_examples=30, deadline=None)
@given(
    st.integers(1, 5), st.integers(1, 3), st.lists(st.integers(0, 3), max_size=3).map(tuple),
    st.one_of(st.none(), st.integers(-1, 0)), st.sampled_from([None, 0.5, 2.0]), st.sampled_from([2.0, 1.0]),
    st.integers(0, 99),
)  # fmt: skip
def test_embedding(rows, columns, shape, padding, limit, order, seed):
    tg.manual_seed(seed)
    torch.manual_seed(seed)
    settings_ = {"padding_idx": padding, "max_norm": limit, "norm_type": order}
    begun = [n.Embedding(rows, columns, **settings_).weight.detach().numpy() for n in (nn, torch.nn)]
    np.testing.assert_allclose(*begun, rtol=1e-5, atol=1e-6)
    ours, theirs = twins(lambda n: n.Embedding(rows, columns, **settings_))
    x = np.random.default_rng(seed).integers(0, rows, shape)
    if limit is None:
        same_gradients(lambda layer, _, t: layer(t.tensor(x)) ** 2, ours, theirs, [], second=bool(x.size))
    else:
        np.testing.assert_allclose(
            ours(tg.tensor(x)).detach().numpy(), theirs(torch.tensor(x)).detach().numpy(), rtol=1e-9
        )
    np.testing.assert_allclose(ours.weight.detach().numpy(), theirs.weight.detach().numpy(), rtol=1e-9)


def test_embedding_from_pretrained():
    for n, t in ((nn, tg), (torch.nn, torch)):
        table = t.ones(3, 2)
        layer = n.Embedding.from_pretrained(table, padding_idx=1)
        assert not layer.weight.requires_grad
        table[0, 0] = 7
        assert layer(t.tensor([0])).tolist() == [[7, 1]]
        assert n.Embedding.from_pretrained(table, freeze=False).weight.requires_grad
        assert repr(layer) == "Embedding(3, 2, padding_idx=1)"


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(["sum", "mean", "max"]), st.booleans(), st.lists(st.integers(0, 3), min_size=1, max_size=4),
    st.one_of(st.none(), st.integers(0, 2)), st.booleans(), st.booleans(), st.integers(0, 99),
)  # fmt: skip
def test_embedding_bag(mode, two_dims, lengths, padding, last, weighted, seed):
    random = np.random.default_rng(seed)
    ours, theirs = twins(lambda n: n.EmbeddingBag(5, 2, mode=mode, padding_idx=padding, include_last_offset=last))
    shape = (len(lengths), max(lengths)) if two_dims else (sum(lengths),)
    if not all(shape):
        return
    x = random.integers(0, 5, shape)
    bounds = np.cumsum([0, *lengths])
    offsets = None if two_dims else bounds if last else bounds[:-1]
    arrays = [random.normal(size=shape)] if weighted and mode == "sum" else []
    same_gradients(
        lambda layer, w, t: layer(t.tensor(x), None if offsets is None else t.tensor(offsets), *w),
        ours,
        theirs,
        arrays,
        second=False,
    )


@pytest.mark.parametrize(
    "call",
    [
        lambda n, t: n.Embedding(3, 2, padding_idx=3),
        lambda n, t: n.Embedding(3, 2, padding_idx=-4),
        lambda n, t: n.Embedding(3, 2)(t.tensor([3])),
        lambda n, t: n.Embedding(3, 2)(t.tensor([-1])),
        lambda n, t: n.Embedding(3, 2)(t.tensor([0.5])),
        lambda n, t: n.Embedding.from_pretrained(t.ones(3)),
        lambda n, t: n.EmbeddingBag(3, 2)(t.tensor([1, 2])),
        lambda n, t: n.EmbeddingBag(3, 2)(t.tensor([[1, 2]]), t.tensor([0])),
        lambda n, t: n.EmbeddingBag(3, 2, mode="min")(t.tensor([[1, 2]])),
        lambda n, t: n.EmbeddingBag(3, 2)(t.tensor([[1, 2]]), per_sample_weights=t.ones(1, 2)),
        lambda n, t: n.EmbeddingBag(3, 2)(t.tensor([1, 2]), t.tensor([1])),
        lambda n, t: n.EmbeddingBag(3, 2, mode="sum")(t.tensor([[1, 2]]), per_sample_weights=t.ones(2)),
    ],
)
def test_wrong_embeddings_are_refused_alike(call):
    refused_alike(call)


# ---- recurrent layers --------------------------------------------------------------------------------------

KINDS = ["RNN", "LSTM", "GRU"]


@st.composite
def recurrent(draw):
    kind = draw(st.sampled_from(KINDS))
    options = {
        "num_layers": draw(st.integers(1, 2)),
        "bias": draw(st.booleans()),
        "batch_first": draw(st.booleans()),
        "bidirectional": draw(st.booleans()),
    }
    if kind == "RNN":
        options["nonlinearity"] = draw(st.sampled_from(["tanh", "relu"]))
    if kind == "LSTM":
        options["proj_size"] = draw(st.sampled_from([0, 0, 1]))
    return kind, options


@settings(max_examples=30, deadline=None)
@given(recurrent(), st.integers(1, 3), st.integers(0, 2), st.booleans(), st.integers(0, 99))
def test_recurrent_layers(layer, steps, batch, with_state, seed):
    kind, options = layer
    tg.manual_seed(seed)
    ours, theirs = twins(lambda n: getattr(n, kind)(2, 3, **options))
    random = np.random.default_rng(seed)
    count = options["num_layers"] * (2 if options["bidirectional"] else 1)
    rows = (batch,) if batch else ()
    shape = (steps, 2) if not batch else (batch, steps, 2) if options["batch_first"] else (steps, batch, 2)
    arrays = [random.normal(size=shape)]
    if with_state:
        arrays.append(random.normal(size=(count, *rows, options.get("proj_size") or 3)))
        arrays += [random.normal(size=(count, *rows, 3))] * (kind == "LSTM")

    def run(layer, tensors, _):
        x, *state = tensors
        return layer(x, (tuple(state) if kind == "LSTM" else state[0]) if state else None)

    same_gradients(run, ours, theirs, arrays)


@settings(max_examples=20, deadline=None)
@given(recurrent(), st.lists(st.integers(1, 3), min_size=1, max_size=3), st.booleans(), st.integers(0, 99))
def test_recurrent_layers_on_packed_sequences(layer, lengths, with_state, seed):
    kind, options = layer
    ours, theirs = twins(lambda n: getattr(n, kind)(2, 3, **options))
    random = np.random.default_rng(seed)
    first = options["batch_first"]
    shape = (len(lengths), max(lengths), 2) if first else (max(lengths), len(lengths), 2)
    arrays = [random.normal(size=shape)]
    count = options["num_layers"] * (2 if options["bidirectional"] else 1)
    if with_state:
        arrays.append(random.normal(size=(count, len(lengths), options.get("proj_size") or 3)))
        arrays += [random.normal(size=(count, len(lengths), 3))] * (kind == "LSTM")

    def run(layer, tensors, t):
        x, *state = tensors
        rnn = (nn if t is tg else torch.nn).utils.rnn
        packed = rnn.pack_padded_sequence(x, t.tensor(lengths), first, enforce_sorted=False)
        y, final = layer(packed, (tuple(state) if kind == "LSTM" else state[0]) if state else None)
        return rnn.pad_packed_sequence(y, first)[0], final

    same_gradients(run, ours, theirs, arrays)


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(KINDS), st.booleans(), st.integers(0, 2), st.booleans(), st.integers(0, 99))
def test_cells(kind, bias, batch, with_state, seed):
    ours, theirs = twins(lambda n: getattr(n, f"{kind}Cell")(2, 3, bias))
    random = np.random.default_rng(seed)
    rows = (batch,) if batch else ()
    arrays = [random.normal(size=(*rows, 2))]
    if with_state:
        arrays += [random.normal(size=(*rows, 3)) for _ in range(2 if kind == "LSTM" else 1)]

    def run(layer, tensors, _):
        x, *state = tensors
        return layer(x, (tuple(state) if kind == "LSTM" else state[0]) if state else None)

    same_gradients(run, ours, theirs, arrays)


@pytest.mark.parametrize(
    "make",
    [
        lambda n: n.LSTM(5, 4, 2, bidirectional=True),
        lambda n: n.GRU(5, 4, 1, False),
        lambda n: n.RNN(5, 4, 2, "relu", dropout=0.3),
        lambda n: n.RNN(5, 4, nonlinearity="relu"),
        lambda n: n.LSTM(5, 4, proj_size=2, batch_first=True),
        lambda n: n.LSTMCell(5, 4),
        lambda n: n.GRUCell(5, 4, bias=False),
        lambda n: n.RNNCell(5, 4, nonlinearity="relu"),
    ],
)
def test_recurrent_layers_begin_with_pytorchs_weights(make):
    tg.manual_seed(3)
    torch.manual_seed(3)
    ours, theirs = make(nn), make(torch.nn)
    assert repr(ours) == repr(theirs)
    for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
        np.testing.assert_allclose(p.detach().numpy(), q.detach().numpy(), rtol=1e-6, atol=1e-7)


def test_dropout_between_the_layers_drops_alike():
    outputs = []
    for n, t in ((nn, tg), (torch.nn, torch)):
        t.manual_seed(0)
        layer = n.GRU(3, 4, 3, dropout=0.5)
        x = t.rand(6, 2, 3)
        outputs.append((layer(x)[0].detach().numpy(), layer.eval()(x)[0].detach().numpy()))
    np.testing.assert_allclose(outputs[0], outputs[1], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "call",
    [
        lambda n, t: n.LSTM(3, 0),
        lambda n, t: n.LSTM(3, 2.5),
        lambda n, t: n.LSTM(3, 4, 0),
        lambda n, t: n.LSTM(3, 4, dropout=1.5),
        lambda n, t: n.LSTM(3, 4, dropout=True),
        lambda n, t: n.LSTM(3, 4, proj_size=4),
        lambda n, t: n.LSTM(3, 4, proj_size=-1),
        lambda n, t: n.GRU(3, 4, proj_size=2),
        lambda n, t: n.RNN(3, 4, proj_size=2),
        lambda n, t: n.RNN(3, 4, nonlinearity="sigmoid"),
        lambda n, t: n.RNN(3, 4, wrong=1),
        lambda n, t: n.GRU(3, 4)(t.ones(2, 2, 5)),
        lambda n, t: n.GRU(3, 4)(t.ones(2, 2, 2, 3)),
        lambda n, t: n.GRU(3, 4)(t.ones(0, 2, 3)),
        lambda n, t: n.GRU(3, 4)(t.ones(2, 2, 3), t.ones(1, 3, 4)),
        lambda n, t: n.GRU(3, 4)(t.ones(2, 2, 3), t.ones(2, 4)),
        lambda n, t: n.GRU(3, 4)(t.ones(2, 3), t.ones(1, 1, 4)),
        lambda n, t: n.LSTM(3, 4)(t.ones(2, 2, 3), (t.ones(1, 2, 4), t.ones(1, 2, 5))),
        lambda n, t: n.RNNCell(3, 4)(t.ones(2, 4)),
        lambda n, t: n.RNNCell(3, 4)(t.ones(2, 2, 3)),
        lambda n, t: n.RNNCell(3, 4)(t.ones(2, 3), t.ones(1, 4)),
        lambda n, t: n.RNNCell(3, 4, nonlinearity="elu")(t.ones(2, 3)),
        lambda n, t: n.GRUCell(3, 4)(t.ones(2, 3), t.ones(2, 5)),
    ],
)
def test_wrong_recurrent_layers_are_refused_alike(call):
    refused_alike(call)
