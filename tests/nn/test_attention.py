"""Attention and transformers without PyTorch: by their formulas, and what they refuse."""

import math

import numpy as np
import pytest

import tinygrad_cnn as tg
from tinygrad_cnn import nn
from tinygrad_cnn.nn.functional import attention, scaled_dot_product_attention


def attended(q, k, v, hidden=None):
    """One head, in NumPy; `hidden` is True for the pairs to leave out."""
    scores = q @ k.T / math.sqrt(q.shape[-1])
    if hidden is not None:
        scores = np.where(hidden, -np.inf, scores)
    weights = np.exp(scores - scores.max(1, keepdims=True))
    weights /= weights.sum(1, keepdims=True)
    return weights @ v, weights


def arrays(*shapes):
    random = np.random.default_rng(0)
    return [random.normal(size=shape) for shape in shapes]


def test_attention_is_a_weighted_mean_of_the_values():
    q, k, v = arrays((3, 4), (5, 4), (5, 2))
    y = scaled_dot_product_attention(tg.tensor(q), tg.tensor(k), tg.tensor(v))
    np.testing.assert_allclose(y.numpy(), attended(q, k, v)[0])
    causal = scaled_dot_product_attention(tg.tensor(q), tg.tensor(k), tg.tensor(v), is_causal=True)
    np.testing.assert_allclose(causal.numpy(), attended(q, k, v, np.triu(np.ones((3, 5)), 1) > 0)[0])
    np.testing.assert_allclose(causal[0].numpy(), v[0])


def test_a_query_that_may_see_nothing_gets_zero_and_no_gradient():
    q = tg.ones(2, 3, requires_grad=True)
    mask = tg.tensor([[True, False], [False, False]])
    y = scaled_dot_product_attention(q, tg.ones(2, 3), tg.ones(2, 3), mask)
    assert y.tolist() == [[1, 1, 1], [0, 0, 0]]
    y.sum().backward()
    assert np.isfinite(q.grad.numpy()).all()


def test_heads_attend_side_by_side():
    layer = nn.MultiheadAttention(4, 2).double()
    q, k, v = arrays((3, 4), (5, 4), (5, 4))
    y, weights = layer(tg.tensor(q), tg.tensor(k), tg.tensor(v), average_attn_weights=False)
    w, b = layer.in_proj_weight.detach().numpy(), layer.in_proj_bias.detach().numpy()
    parts = [x @ w[4 * i : 4 * i + 4].T + b[4 * i : 4 * i + 4] for i, x in enumerate((q, k, v))]
    heads = [attended(*(x[:, 2 * h : 2 * h + 2] for x in parts)) for h in range(2)]
    joined = np.concatenate([value for value, _ in heads], 1)
    expected = joined @ layer.out_proj.weight.detach().numpy().T + layer.out_proj.bias.detach().numpy()
    np.testing.assert_allclose(y.detach().numpy(), expected, rtol=1e-9)
    np.testing.assert_allclose(weights.detach().numpy(), np.stack([w for _, w in heads]), rtol=1e-9)


def test_padded_keys_change_nothing():
    layer = nn.MultiheadAttention(4, 2, batch_first=True)
    x = tg.randn(1, 3, 4)
    longer = tg.cat([x, tg.randn(1, 2, 4)], 1)
    padding = tg.tensor([[False, False, False, True, True]])
    y, weights = layer(x, longer, longer, key_padding_mask=padding)
    np.testing.assert_allclose(y.detach().numpy(), layer(x, x, x)[0].detach().numpy(), rtol=1e-4, atol=1e-6)
    assert weights[0, :, 3:].tolist() == [[0, 0]] * 3


def test_a_causal_transformer_does_not_look_ahead():
    net = nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 2, 8, dropout=0.0, batch_first=True), 2).double()
    mask = nn.Transformer.generate_square_subsequent_mask(4)
    x = tg.randn(1, 4, 4, dtype=tg.float64)
    other = x.clone()
    other[0, 3] = 7.0
    a, b = net(x, mask=mask, is_causal=True), net(other, mask=mask, is_causal=True)
    np.testing.assert_allclose(a[0, :3].detach().numpy(), b[0, :3].detach().numpy())
    assert not np.allclose(a[0, 3].detach().numpy(), b[0, 3].detach().numpy())


def test_copied_layers_are_trained_apart():
    net = nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 2, 8), 2)
    first, second = net.layers
    assert first.linear1.weight is not second.linear1.weight
    assert tg.equal(first.linear1.weight, second.linear1.weight)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: nn.MultiheadAttention(4, 3), AssertionError, "divisible by num_heads 3"),
        (lambda: nn.MultiheadAttention(4, 0), ValueError, "must be greater than 0"),
        (lambda: nn.MultiheadAttention(4, 2)(*[tg.ones(2, 5)] * 3), AssertionError, "expected embedding dimensions"),
        (
            lambda: nn.MultiheadAttention(4, 2)(*[tg.ones(2, 4)] * 3, attn_mask=tg.ones(3, 3)),
            RuntimeError,
            r"shape of attn_mask is \(3, 3\), but should be \(2, 2\)",
        ),
        (
            lambda: nn.MultiheadAttention(4, 2)(*[tg.ones(2, 4)] * 3, is_causal=True),
            RuntimeError,
            "Need attn_mask if specifying the is_causal hint",
        ),
        (
            lambda: scaled_dot_product_attention(tg.ones(2, 3), tg.ones(2, 4), tg.ones(2, 3)),
            RuntimeError,
            r"query \(2, 3\), key \(2, 4\)",
        ),
        (lambda: nn.TransformerEncoderLayer(4, 2, activation="tanh"), RuntimeError, "should be relu/gelu"),
    ],
)
def test_wrong_attention_is_explained(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_attention_in_blocks_is_what_it_is_composed_of(monkeypatch):
    """Long sequences, which are cut into several blocks, masks of every shape, and rows that see nothing."""
    rng = np.random.default_rng(0)
    seen = rng.random((1, 3, 600, 300)) > 0.3
    seen[0, 1, 7] = False
    masks = [None, seen, seen[0, 0], np.where(seen, rng.standard_normal(seen.shape), -np.inf), seen[..., :1, :]]
    for lead in ((2, 3), (3,), (), (2, 1, 3)):
        shapes = (*lead, 600, 4), (*lead, 300, 4), (*lead, 300, 5)
        if lead == (3,):  # more keys than queries
            shapes = (3, 70, 4), (3, 300, 4), (3, 300, 5)
        for mask in masks:
            if mask is not None and len(lead) < 2:
                mask = mask.reshape(-1, *mask.shape[-2:])[0, : shapes[0][-2]]
            for causal in (False, True) if mask is None else (False,):
                found = []
                for fused in (True, False):
                    q, k, v = (
                        tg.tensor(np.random.default_rng(1).standard_normal(s), requires_grad=True) for s in shapes
                    )
                    with monkeypatch.context() as patch:
                        if not fused:
                            patch.setattr(attention, "fits", lambda *shapes: False)
                        y = scaled_dot_product_attention(q, k, v, mask, is_causal=causal)
                    (y * y).sum().backward()
                    found.append([t.detach().numpy() for t in (y, q.grad, k.grad, v.grad)])
                for mine, other in zip(*found, strict=True):
                    np.testing.assert_allclose(mine, other, atol=1e-10)
