"""Muon: steps of nearly orthonormal matrices."""

import numpy as np
import pytest

import tinygrad_cnn as tg
from tinygrad_cnn import nn, optim
from tinygrad_cnn.optim.muon import bfloat16, orthogonal

COEFFICIENTS = (3.4445, -4.775, 2.0315)


@pytest.mark.parametrize("shape", [(4, 4), (3, 7), (7, 3), (1, 5)])
def test_the_step_has_singular_values_near_1_and_the_singular_vectors_of_the_gradient(shape):
    matrix = np.random.default_rng(0).normal(size=shape)
    step = orthogonal(matrix, COEFFICIENTS, 5, 1e-7)
    u, _, v = np.linalg.svd(matrix, full_matrices=False)
    inner = u.T @ step @ v.T
    assert np.all((np.diagonal(inner) > 0.6) & (np.diagonal(inner) < 1.3))
    assert np.abs(inner - np.diag(np.diagonal(inner))).max() < 0.05


def test_numbers_are_rounded_to_eight_digits_and_to_even_in_a_tie():
    given = np.array([1 + 2.0**-7, 1 + 2.0**-8, 1 + 3 * 2.0**-8, 3.0e38, np.nan, -np.inf, 0.0], np.float32)
    np.testing.assert_array_equal(bfloat16(given)[:3], [1 + 2.0**-7, 1, 1 + 2.0**-6])
    assert np.isnan(bfloat16(given)[4])
    assert bfloat16(given)[5] == -np.inf


@pytest.mark.parametrize("adjust_lr_fn", [None, "match_rms_adamw"])
def test_a_layer_learns(adjust_lr_fn):
    tg.manual_seed(0)
    x, layer = tg.randn(32, 5), nn.Linear(5, 3, bias=False)
    target = x @ tg.randn(5, 3)
    optimizer = optim.Muon(layer.parameters(), lr=0.05, weight_decay=0.0, adjust_lr_fn=adjust_lr_fn)
    losses = []
    for _ in range(60):
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(layer(x), target)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]
