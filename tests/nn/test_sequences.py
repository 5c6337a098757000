"""Embedding and recurrent layers without PyTorch: by their formulas, and what they refuse."""

import math

import numpy as np
import pytest

import tinygrad_cnn as tg
from tinygrad_cnn import nn
from tinygrad_cnn.nn.utils import rnn


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
def test_packed_sequences_give_what_each_sequence_gives_alone(kind):
    layer = getattr(nn, kind)(2, 3, num_layers=2, bidirectional=True, batch_first=True).double()
    sequences = [tg.randn(n, 2, dtype=tg.float64) for n in (2, 4, 1)]
    packed, state = layer(rnn.pack_sequence(sequences, enforce_sorted=False))
    for k, (y, x) in enumerate(zip(rnn.unpack_sequence(packed), sequences, strict=True)):
        alone, own = layer(x)
        np.testing.assert_allclose(y.detach().numpy(), alone.detach().numpy(), rtol=1e-9)
        h, g = (state[0], own[0]) if kind == "LSTM" else (state, own)
        np.testing.assert_allclose(h[:, k].detach().numpy(), g.detach().numpy(), rtol=1e-9)


def test_cells_make_the_layers_steps():
    layer, cell = nn.LSTM(2, 3), nn.LSTMCell(2, 3)
    cell.load_state_dict({name.removesuffix("_l0"): value for name, value in layer.state_dict().items()})
    x, state = tg.randn(4, 2, 2), None
    for step in x:
        state = cell(step, state)
    np.testing.assert_allclose(state[0].detach().numpy(), layer(x)[1][0][0].detach().numpy(), rtol=1e-5)


def test_wrong_recurrent_layers_are_explained():
    with pytest.raises(ValueError, match="proj_size argument is only supported for LSTM"):
        nn.GRU(2, 3, proj_size=1)
    with pytest.raises(RuntimeError, match=r"Expected hidden size \(1, 2, 3\), got \(1, 1, 3\)"):
        nn.GRU(2, 3)(tg.ones(4, 2, 2), tg.ones(1, 1, 3))
    with pytest.raises(RuntimeError, match="Expected 2, got 5"):
        nn.GRU(2, 3)(tg.ones(4, 2, 5))
    with pytest.warns(UserWarning, match="num_layers greater than 1"):
        nn.GRU(2, 3, dropout=0.1)
