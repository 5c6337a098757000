"""Embedding, recurrent and attention layers against PyTorch: outputs, gradients to second order, state, printing."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_cnn as tg
from tinygrad_cnn import nn

F, TF = nn.functional, torch.nn.functional
torch.backends.cuda.enable_flash_sdp(False)  # on the CPU, too: that form of attention has no second derivative


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
    a = leaves if ours is None else [*leaves, *(p for p in ours.parameters() if p.requires_grad)]
    b = others if ours is None else [*others, *(p for p in theirs.parameters() if p.requires_grad)]
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


# ---- attention ---------------------------------------------------------------------------------------------


def mask_of(random, shape, kind):
    """None, or a mask under which every query sees the first key: True, or a number, for what takes part."""
    if kind == "none":
        return None
    seen = random.random(shape) < 0.7
    seen[..., 0] = True
    return seen if kind == "bool" else np.where(seen, random.normal(size=shape), -np.inf)


def hiding(mask):
    """The same with True for what does not take part."""
    return ~mask if mask is not None and mask.dtype == bool else mask


def given_to(t, mask):
    return None if mask is None else t.tensor(mask)


masks = st.sampled_from(["none", "bool", "float"])


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.integers(1, 2), max_size=2), st.integers(1, 3), st.integers(1, 3), masks, st.booleans(),
    st.sampled_from([None, 0.3]), st.integers(0, 99),
)  # fmt: skip
def test_scaled_dot_product_attention(batch, length, source, mask, causal, scale, seed):
    random = np.random.default_rng(seed)
    arrays = [random.normal(size=(*batch, n, m)) for n, m in ((length, 2), (source, 2), (source, 3))]
    mask = None if causal else mask_of(random, (length, source), mask)

    def run(_, tensors, t):
        f = F if t is tg else TF
        return f.scaled_dot_product_attention(*tensors, attn_mask=given_to(t, mask), is_causal=causal, scale=scale)

    same_gradients(run, None, None, arrays)


def test_attention_with_grouped_heads_and_with_queries_that_see_nothing():
    random = np.random.default_rng(0)
    arrays = [random.normal(size=(2, n, 3, 4)) for n in (4, 2, 2)]
    same_gradients(
        lambda _, x, t: (F if t is tg else TF).scaled_dot_product_attention(*x, enable_gqa=True), None, None, arrays
    )
    mask = np.array([[True, False], [False, False]])
    arrays = [random.normal(size=(1, 2, 3)) for _ in range(3)]
    same_gradients(
        lambda _, x, t: (F if t is tg else TF).scaled_dot_product_attention(*x, t.tensor(mask)), None, None, arrays
    )


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_multihead_attention(data):
    draw, flags = data.draw, st.booleans()
    options = {name: draw(flags) for name in ("bias", "add_bias_kv", "add_zero_attn", "batch_first")}
    apart = draw(st.sampled_from([{}, {"kdim": 3}, {"kdim": 3, "vdim": 5}]))
    ours, theirs = twins(lambda n: n.MultiheadAttention(4, 2, **options, **apart))
    batch, length, source = draw(st.integers(0, 2)), draw(st.integers(1, 3)), draw(st.integers(1, 3))
    random = np.random.default_rng(draw(st.integers(0, 99)))
    itself = not apart and draw(flags)
    source = length if itself else source

    def sequence(n, size):
        rows = (batch, n) if options["batch_first"] else (n, batch)
        return random.normal(size=(*rows, size) if batch else (n, size))

    arrays = [sequence(length, 4)]
    if not itself:
        arrays += [sequence(source, apart.get("kdim", 4)), sequence(source, apart.get("vdim", 4))]
    kind = draw(masks)
    shape = draw(st.sampled_from([(length, source), (max(batch, 1) * 2, length, source)]))
    mask = hiding(mask_of(random, shape, kind))
    second_kind = draw(st.sampled_from(["none", kind]))
    padding = hiding(mask_of(random, (batch, source) if batch else (source,), second_kind))
    weights, mean = draw(flags), draw(flags)

    def run(layer, tensors, t):
        return layer(
            *(tensors * 3 if itself else tensors),
            key_padding_mask=given_to(t, padding),
            need_weights=weights,
            attn_mask=given_to(t, mask),
            average_attn_weights=mean,
        )

    same_gradients(run, ours, theirs, arrays)


@settings(max_examples=12, deadline=None)
@given(st.booleans(), st.booleans(), st.booleans(), st.sampled_from(["relu", "gelu", "silu"]), masks, st.data())
def test_transformer_layers(batch_first, norm_first, bias, activation, mask, data):
    random = np.random.default_rng(data.draw(st.integers(0, 9)))

    def layer(n, kind):
        chosen = n.functional.silu if activation == "silu" else activation
        return getattr(n, f"Transformer{kind}Layer")(4, 2, 6, 0.0, chosen, 1e-4, batch_first, norm_first, bias)

    shapes = [(2, n, 4) if batch_first else (n, 2, 4) for n in (3, 2)]
    hide = [hiding(mask_of(random, (n, n), mask)) for n in (3, 2)]
    padding = data.draw(st.sampled_from(["none", mask]))
    absent = [hiding(mask_of(random, (2, n), padding)) for n in (3, 2)]
    same_gradients(
        lambda m, x, t: m(x[0], given_to(t, hide[0]), given_to(t, absent[0])),
        *twins(lambda n: n.TransformerEncoder(layer(n, "Encoder"), 2, n.LayerNorm(4), enable_nested_tensor=False)),
        [random.normal(size=shapes[0])],
        near=1e-8,
    )
    same_gradients(
        lambda m, x, t: m(*x, tgt_mask=given_to(t, hide[1]), memory_key_padding_mask=given_to(t, absent[0])),
        *twins(lambda n: n.TransformerDecoder(layer(n, "Decoder"), 1)),
        [random.normal(size=s) for s in (shapes[1], shapes[0])],
        near=1e-8,
    )


@pytest.mark.filterwarnings("ignore:enable_nested_tensor")
@pytest.mark.parametrize(
    "options", [{}, {"batch_first": True, "norm_first": True, "bias": False, "activation": "gelu"}]
)
def test_the_whole_transformer(options):
    def make(n):
        return n.Transformer(4, 2, 1, 2, 6, dropout=0.0, **options)

    tg.manual_seed(1)
    torch.manual_seed(1)
    for p, q in zip(make(nn).parameters(), make(torch.nn).parameters(), strict=True):
        np.testing.assert_allclose(p.detach().numpy(), q.detach().numpy(), rtol=1e-5, atol=1e-6)
    random = np.random.default_rng(0)
    first = "batch_first" in options
    arrays = [random.normal(size=(2, n, 4) if first else (n, 2, 4)) for n in (3, 2)]

    def run(layer, tensors, t):
        mask = layer.generate_square_subsequent_mask(2, dtype=t.float64)
        return layer(*tensors, tgt_mask=mask, tgt_is_causal=True)

    same_gradients(run, *twins(make), arrays, near=1e-8)
    causal = [n.Transformer.generate_square_subsequent_mask(3) for n in (nn, torch.nn)]
    assert causal[0].tolist() == causal[1].tolist()
    assert str(causal[0].dtype) == str(causal[1].dtype)


def test_dropout_in_a_transformer_drops_alike():
    outputs = []
    for n, t in ((nn, tg), (torch.nn, torch)):
        t.manual_seed(0)
        layer = n.TransformerEncoderLayer(8, 2, 16)
        decoder = n.TransformerDecoderLayer(8, 2, 16)
        x = t.rand(3, 5, 8)
        outputs.append(decoder(x, layer(x)).detach().numpy())
    np.testing.assert_allclose(*outputs, rtol=1e-4, atol=1e-5)


@pytest.mark.filterwarnings("ignore:enable_nested_tensor")
@pytest.mark.parametrize(
    "call",
    [
        lambda n, t: n.MultiheadAttention(4, 3),
        lambda n, t: n.MultiheadAttention(0, 1),
        lambda n, t: n.MultiheadAttention(4, 2)(t.ones(2, 1, 5), t.ones(2, 1, 4), t.ones(2, 1, 4)),
        lambda n, t: n.MultiheadAttention(4, 2)(t.ones(2, 1, 4), t.ones(2, 1, 4), t.ones(3, 1, 4)),
        lambda n, t: n.MultiheadAttention(4, 2)(t.ones(2, 4), t.ones(2, 1, 4), t.ones(2, 1, 4)),
        lambda n, t: n.MultiheadAttention(4, 2)(t.ones(2, 4), t.ones(2, 4), t.ones(2, 4), attn_mask=t.ones(3, 3)),
        lambda n, t: n.MultiheadAttention(4, 2)(t.ones(2, 4), t.ones(2, 4), t.ones(2, 4), is_causal=True),
        lambda n, t: n.MultiheadAttention(4, 2)(
            t.ones(2, 1, 4), t.ones(2, 1, 4), t.ones(2, 1, 4), key_padding_mask=t.zeros(2, 2)
        ),
        lambda n, t: n.MultiheadAttention(4, 2)(
            t.ones(2, 4), t.ones(2, 4), t.ones(2, 4), attn_mask=t.ones(2, 2, dtype=t.int64)
        ),
        lambda n, t: n.functional.scaled_dot_product_attention(t.ones(2, 3), t.ones(2, 4), t.ones(2, 3)),
        lambda n, t: n.functional.scaled_dot_product_attention(
            t.ones(2, 3), t.ones(2, 3), t.ones(2, 3), t.ones(2, 2), is_causal=True
        ),
        lambda n, t: n.TransformerEncoderLayer(4, 2, activation="tanh"),
        lambda n, t: n.Transformer(4, 2, 1, 1, 4)(t.ones(2, 1, 5), t.ones(2, 1, 4)),
        lambda n, t: n.Transformer(4, 2, 1, 1, 4)(t.ones(2, 1, 4), t.ones(2, 3, 4)),
        lambda n, t: n.TransformerEncoder(n.TransformerEncoderLayer(4, 2, 4, batch_first=True), 1)(
            t.ones(2, 3, 4), is_causal=True
        ),
    ],
)
def test_wrong_attention_is_refused_alike(call):
    refused_alike(call)
