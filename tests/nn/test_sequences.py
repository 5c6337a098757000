"""Embedding and recurrent layers without PyTorch: by their formulas, and what they refuse."""

import math

import numpy as np
import pytest

import tinygrad_cnn as tg
from tinygrad_cnn import nn
from tinygrad_cnn.kernels import numpy_set
from tinygrad_cnn.kernels.chosen import chosen
from tinygrad_cnn.nn.utils import rnn
from tinygrad_cnn.ops import recurrent as recurrent_ops
from tinygrad_cnn.ops.recurrence import GATES, STEPS, Weights, walk
from tinygrad_cnn.ops.recurrent import recurrent


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def test_an_embedding_reads_rows_and_leaves_the_padding_untrained():
    layer = nn.Embedding(4, 2, padding_idx=-1)
    assert layer.padding_idx == 3
    assert layer.weight[3].tolist() == [0, 0]
    layer(tg.tensor([[0, 3], [0, 1]])).sum().backward()
    assert layer.weight.grad.tolist() == [[2, 2], [1, 1], [0, 0], [0, 0]]


def test_a_maximal_norm_scales_rows_that_are_read():
    layer = nn.Embedding.from_pretrained(tg.tensor([[3.0, 4.0], [6.0, 8.0]]), max_norm=1.0)
    np.testing.assert_allclose(layer(tg.tensor([0])).tolist(), [[0.6, 0.8]], rtol=1e-6)
    assert layer.weight[1].tolist() == [6, 8]


@pytest.mark.parametrize(
    ("mode", "expected"), [("sum", [[3], [0], [4]]), ("mean", [[1], [0], [4]]), ("max", [[2], [0], [4]])]
)
def test_a_bag_reduces_rows(mode, expected):
    table = tg.tensor([[0.0], [1.0], [2.0], [4.0]])
    layer = nn.EmbeddingBag.from_pretrained(table, mode=mode)
    assert layer(tg.tensor([0, 1, 2, 3]), tg.tensor([0, 3, 3])).tolist() == expected


def test_a_gradient_is_divided_by_how_often_its_row_is_read():
    for make in (nn.Embedding, nn.EmbeddingBag):
        layer = make(3, 1, scale_grad_by_freq=True, sparse=True, **({"mode": "sum"} if make is nn.EmbeddingBag else {}))
        layer(tg.tensor([[0, 2], [2, 2]])).sum().backward()
        np.testing.assert_allclose(layer.weight.grad.tolist(), [[1], [0], [1]], rtol=1e-6)
    with pytest.raises(RuntimeError, match="mode 'max' has neither scale_grad_by_freq nor sparse"):
        nn.EmbeddingBag(3, 1, mode="max", sparse=True)(tg.tensor([[0]]))


def test_a_padding_row_is_one_of_the_table():
    with pytest.raises(AssertionError, match="must be within num_embeddings 2"):
        nn.Embedding(2, 2, padding_idx=2)


def test_bags_end_where_the_last_offset_says():
    table, rows = tg.arange(6.0).reshape(6, 1), tg.tensor([1, 2, 3, 4])
    for mode, expected in (("sum", [[3], [3]]), ("mean", [[1.5], [3]]), ("max", [[2], [3]])):
        bags = tg.embedding_bag(rows, table, tg.tensor([0, 2, 3]), mode=mode, include_last_offset=True)
        assert bags.tolist() == expected


def reference(kind, layer, x):
    """One layer, step by step, in NumPy."""
    w_ih, w_hh, b_ih, b_hh = (p.detach().numpy() for p in layer.parameters())
    n = layer.hidden_size
    h = c = np.zeros((x.shape[1], n))
    outputs = []
    for step in x:
        a, b = step @ w_ih.T + b_ih, h @ w_hh.T + b_hh
        if kind == "RNN":
            h = np.tanh(a + b)
        elif kind == "LSTM":
            i, f, g, o = np.split(a + b, 4, axis=1)
            c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
            h = sigmoid(o) * np.tanh(c)
        else:
            r, z = sigmoid(a[:, :n] + b[:, :n]), sigmoid(a[:, n : 2 * n] + b[:, n : 2 * n])
            h = (1 - z) * np.tanh(a[:, 2 * n :] + r * b[:, 2 * n :]) + z * h
        outputs.append(h)
    return np.stack(outputs)


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
def test_a_recurrent_layer_is_its_formula(kind):
    layer = getattr(nn, kind)(3, 4).double()
    x = np.random.default_rng(0).normal(size=(5, 2, 3))
    y, state = layer(tg.tensor(x))
    np.testing.assert_allclose(y.detach().numpy(), reference(kind, layer, x), rtol=1e-9)
    h = state[0] if kind == "LSTM" else state
    np.testing.assert_array_equal(h[0].detach().numpy(), y[-1].detach().numpy())
    assert all(abs(p.detach().numpy()).max() <= 1 / math.sqrt(4) for p in layer.parameters())


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
@pytest.mark.parametrize("begun", [False, True])
@pytest.mark.parametrize("double", [False, True])
def test_packed_sequences_give_what_each_sequence_gives_alone(kind, begun, double):
    layer = getattr(nn, kind)(2, 3, num_layers=2, bidirectional=True, batch_first=True)
    layer, near = (layer.double(), 1e-9) if double else (layer, 1e-4)
    dtype = layer.weight_ih_l0.dtype
    sequences = [tg.randn(n, 2, dtype=dtype) for n in (2, 4, 1)]
    first = tg.randn(2, 4, 3, 3, dtype=dtype) if begun else None  # two states, of layers and directions, a batch

    def begin(k=None):
        if first is None:
            return None
        parts = tuple(first) if k is None else tuple(part[:, k] for part in first)
        return parts if kind == "LSTM" else parts[0]

    packed, state = layer(rnn.pack_sequence(sequences, enforce_sorted=False), begin())
    for k, (y, x) in enumerate(zip(rnn.unpack_sequence(packed), sequences, strict=True)):
        alone, own = layer(x, begin(k))
        np.testing.assert_allclose(y.detach().numpy(), alone.detach().numpy(), rtol=near, atol=near)
        for h, g in zip(state, own, strict=True) if kind == "LSTM" else [(state, own)]:
            np.testing.assert_allclose(h[:, k].detach().numpy(), g.detach().numpy(), rtol=near, atol=near)


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
def test_two_directions_are_two_layers_each_with_its_own_state(kind):
    layer, x = getattr(nn, kind)(2, 3, bidirectional=True).double(), tg.randn(4, 2, 2, dtype=tg.float64)
    parts = tuple(tg.randn(2, 2, 2, 3, dtype=tg.float64))
    y, last = layer(x, parts if kind == "LSTM" else parts[0])
    for d, suffix in enumerate(("_l0", "_l0_reverse")):
        alone = getattr(nn, kind)(2, 3).double()
        named = {name: value for name, value in layer.state_dict().items() if name.endswith(suffix)}
        alone.load_state_dict({name.removesuffix("_reverse"): value for name, value in named.items()})
        own = tuple(part[d : d + 1] for part in parts)
        outputs, end = alone(x.flip(0) if d else x, own if kind == "LSTM" else own[0])
        outputs = outputs.flip(0) if d else outputs
        np.testing.assert_allclose(y[..., 3 * d : 3 * d + 3].detach().numpy(), outputs.detach().numpy(), rtol=1e-9)
        for a, b in zip(last, end, strict=True) if kind == "LSTM" else [(last, end)]:
            np.testing.assert_allclose(a[d].detach().numpy(), b[0].detach().numpy(), rtol=1e-9)


LAYERS = ["RNN_TANH", "RNN_RELU", "LSTM", "LSTM, projected", "GRU"]


@pytest.mark.parametrize("kind", LAYERS)
@pytest.mark.parametrize("sizes", [None, (3, 3, 2, 1)])
@pytest.mark.parametrize("backwards", [False, True])
def test_a_layer_as_one_op_is_its_steps_to_second_order(kind, sizes, backwards):
    mode, projected = kind.removesuffix(", projected"), kind.endswith("projected")
    rng, gates, size = np.random.default_rng(1), GATES[mode], 1 if projected else 2
    shapes = {"x": (9, 2) if sizes else (4, 3, 2), "h": (3, size), "w_ih": (gates * 2, 2), "w_hh": (gates * 2, size)}
    shapes |= {"b_ih": (gates * 2,), "b_hh": (gates * 2,)}
    shapes |= {"w_hr": (size, 2)} if projected else {}
    shapes |= {"c": (3, 2)} if mode == "LSTM" else {}
    arrays = {name: rng.standard_normal(shape) for name, shape in shapes.items()}

    def derivatives(layer):
        given = {name: tg.tensor(a, requires_grad=True) for name, a in arrays.items()}
        state = tuple(given[name] for name in ("h", "c") if name in given)
        y, last = layer(given, state)
        total = sum((part * np.random.default_rng(4).standard_normal(part.shape)).sum() for part in (y, *last))
        first = tg.autograd.grad(total, list(given.values()), create_graph=True)
        length = sum((g * g).sum() for g in first)
        return [y, *last, *first, *tg.autograd.grad(length, list(given.values()))]

    def at_once(given, state):
        weights = tuple(given.get(name) for name in ("w_ih", "w_hh", "b_ih", "b_hh", "w_hr"))
        return recurrent(mode, given["x"], state, weights, sizes, backwards)

    def step_by_step(given, state):
        names = ("w_ih", "w_hh", "b_ih", "b_hh", "w_hr")
        weights = Weights(*(given.get(name) for name in names), one_bias=mode != "GRU")
        counts = sizes or [3] * 4
        y, last = walk(STEPS[mode], given["x"].reshape(-1, 2), counts, state, weights, backwards)
        return (y if sizes else y.reshape(4, 3, -1)), tuple(part[None] for part in last)

    for found, expected in zip(derivatives(at_once), derivatives(step_by_step), strict=True):
        np.testing.assert_allclose(found.detach().numpy(), expected.detach().numpy(), rtol=1e-9, atol=1e-11)


def test_one_walk_back_serves_the_rules_of_all_inputs(monkeypatch):
    calls = []
    back = numpy_set.lstm_back
    monkeypatch.setattr(chosen, "lstm_back", lambda *args, **options: calls.append(1) or back(*args, **options))
    layer = nn.LSTM(2, 3)
    layer(tg.randn(4, 2, 2, requires_grad=True))[0].sum().backward()
    assert len(calls) == 1
    assert not recurrent_ops._found  # forgotten with the cotangent


def test_a_cotangent_that_meets_two_layers_is_not_taken_for_the_same():
    a, b, x = nn.GRU(2, 3).double(), nn.GRU(2, 3).double(), tg.randn(4, 1, 2, dtype=tg.float64)
    (a(x)[0] + b(x)[0]).sum().backward()
    together = [p.grad.clone() for p in (*a.parameters(), *b.parameters())]
    for layer in (a, b):
        layer.zero_grad()
        layer(x)[0].sum().backward()
    for found, p in zip(together, (*a.parameters(), *b.parameters()), strict=True):
        np.testing.assert_allclose(found.numpy(), p.grad.numpy(), rtol=1e-12)


def test_weights_that_depend_on_the_input_have_second_derivatives():
    x = tg.tensor(np.random.default_rng(0).standard_normal((3, 1, 2)), requires_grad=True)
    hidden = tg.tensor(np.random.default_rng(1).standard_normal((2, 2)), requires_grad=True)

    def run(x, hidden):
        made = x[0].T @ x[1] + hidden  # (2, 2), of the same x
        return recurrent("RNN_TANH", x, (tg.zeros(1, 2, dtype=tg.float64),), (made, hidden, None, None, None))[0]

    assert tg.autograd.gradcheck(run, (x, hidden))
    assert tg.autograd.gradgradcheck(run, (x, hidden))


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU", "LSTM, projected"])
def test_rules_asked_one_by_one_give_what_all_give_together(kind):
    options = {"proj_size": 1} if kind.endswith("projected") else {}
    layer = getattr(nn, kind.removesuffix(", projected"))(2, 3, **options).double()
    x, found = tg.randn(4, 2, 2, dtype=tg.float64, requires_grad=True), []
    for watched in (False, True):  # whoever watches for NaN asks rule by rule
        with tg.autograd.set_detect_anomaly(watched):
            y = layer(x)[0]
            found.append(tg.autograd.grad((y * y).sum(), [x, *layer.parameters()]))
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-12)


def test_an_output_may_be_written_in_place():
    layer, x = nn.LSTM(2, 3), tg.randn(4, 2, 2)
    y, _ = layer(x)
    y.mul_(2).sum().backward()
    found = layer.weight_ih_l0.grad.clone()
    layer.zero_grad()
    (2 * layer(x)[0]).sum().backward()
    np.testing.assert_allclose(found.numpy(), layer.weight_ih_l0.grad.numpy(), rtol=1e-5)


def test_cells_make_the_layers_steps():
    layer, cell = nn.LSTM(2, 3), nn.LSTMCell(2, 3)
    cell.load_state_dict({name.removesuffix("_l0"): value for name, value in layer.state_dict().items()})
    x, state = tg.randn(4, 2, 2), None
    for step in x:
        state = cell(step, state)
    np.testing.assert_allclose(state[0].detach().numpy(), layer(x)[1][0][0].detach().numpy(), rtol=1e-5)


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
@pytest.mark.parametrize("dtype", [tg.float32, tg.float64])
def test_infinity_times_zero_is_nan_and_no_warning(kind, dtype):
    layer = getattr(nn, kind)(1, 1).to(dtype)
    with tg.no_grad():
        for parameter in layer.parameters():
            parameter.zero_()
    y, _ = layer(tg.full((3, 1, 1), math.inf, dtype=dtype))
    assert y.isnan().all()


def test_wrong_recurrent_layers_are_explained():
    with pytest.raises(ValueError, match="proj_size argument is only supported for LSTM"):
        nn.GRU(2, 3, proj_size=1)
    with pytest.raises(RuntimeError, match=r"Expected hidden size \(1, 2, 3\), got \(1, 1, 3\)"):
        nn.GRU(2, 3)(tg.ones(4, 2, 2), tg.ones(1, 1, 3))
    with pytest.raises(RuntimeError, match="Expected 2, got 5"):
        nn.GRU(2, 3)(tg.ones(4, 2, 5))
    with pytest.warns(UserWarning, match="num_layers greater than 1"):
        nn.GRU(2, 3, dropout=0.1)
