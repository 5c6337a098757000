"""Generators against what is published of the Mersenne Twister, and against what distributions must be."""

import math

import numpy as np
import pytest

import tinygrad_cnn as tg
from tinygrad_cnn.random import Generator, fork_rng, get_rng_state, initial_seed, seed, set_rng_state


def test_the_words_are_those_that_the_standard_of_c_plus_plus_demands():
    """[rand.predef]: the 10,000th word of mt19937, whose seed is 5489, is 4123659995."""
    words = Generator().manual_seed(5489).words(10_000)
    assert (int(words[0]), int(words[-1])) == (3499211612, 4123659995)


def test_the_numbers_that_every_tutorial_of_pytorch_prints():
    tg.manual_seed(0)
    np.testing.assert_allclose(tg.rand(5).numpy(), [0.4963, 0.7682, 0.0885, 0.1320, 0.3074], atol=5e-5)
    tg.manual_seed(0)
    np.testing.assert_allclose(tg.randn(2).numpy(), [1.5410, -0.2934], atol=5e-5)


def test_the_same_seed_gives_the_same_stream_and_a_state_goes_on():
    g = Generator().manual_seed(7)
    first = g.normal((3,), np.float64)  # one more waits
    state = g.get_state()
    following = g.normal((30,), np.float64), g.normal((3,), np.float64)
    g.set_state(state)
    np.testing.assert_array_equal(g.normal((30,), np.float64), following[0])
    np.testing.assert_array_equal(g.normal((3,), np.float64), following[1])
    np.testing.assert_array_equal(Generator().manual_seed(7).normal((3,), np.float64), first)
    twin = g.clone_state()
    np.testing.assert_array_equal(twin.words(5), g.words(5))


def test_a_block_leaves_no_trace_in_the_stream():
    tg.manual_seed(3)
    state = get_rng_state()
    with fork_rng():
        tg.manual_seed(4)
        tg.rand(9)
    np.testing.assert_array_equal(get_rng_state(), state)
    set_rng_state(state)
    assert initial_seed() == 3
    assert seed() == initial_seed()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_moments(dtype):
    g, n = Generator().manual_seed(1), 40_000
    for drawn, mean, std in [
        (g.uniform((n,), dtype, -1, 3), 1, 4 / math.sqrt(12)),
        (g.normal((n,), dtype, 2, 3), 2, 3),
        (np.concatenate([g.normal((5,), dtype, 2, 3) for _ in range(n // 5)]), 2, 3),
        (g.exponential((n,), dtype, 4), 1 / 4, 1 / 4),
        (g.bernoulli(0.3, (n,)).astype(dtype), 0.3, math.sqrt(0.21)),
        (g.integers(-2, 5, (n,)).astype(dtype), 1, 2),
    ]:
        assert abs(drawn.mean() - mean) < 5 * std / math.sqrt(n)
        assert abs(drawn.std() / std - 1) < 0.03


def test_normal_numbers_are_normal():
    """The share below each of many thresholds, against the error function."""
    drawn = np.sort(Generator().manual_seed(2).normal((20_000,), np.float64))
    expected = [(1 + math.erf(z / math.sqrt(2))) / 2 for z in drawn]
    assert np.abs(np.arange(1, 20_001) / 20_000 - expected).max() < 1.63 / math.sqrt(20_000)  # Kolmogorov, 1 %


def test_every_order_is_as_likely():
    g = Generator().manual_seed(5)
    counts = {}
    for _ in range(6000):
        order = tuple(g.permutation(3))
        counts[order] = counts.get(order, 0) + 1
    assert len(counts) == 6
    assert sum((c - 1000) ** 2 / 1000 for c in counts.values()) < 20.5  # chi-squared of 5 degrees, 0.1 %


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: Generator("cuda"), RuntimeError, "no device 'cuda'"),
        (lambda: Generator().manual_seed(1.5), RuntimeError, "must be an integer"),
        (lambda: Generator().manual_seed(True), RuntimeError, "must be an integer"),
        (lambda: tg.manual_seed(2**64), ValueError, "64 bits"),
        (lambda: Generator().set_state(np.zeros(3, np.uint8)), RuntimeError, "expected the 5056 bytes"),
        (lambda: Generator().set_state(np.zeros(5056, np.uint8)), RuntimeError, "no state of a generator"),
    ],
)
def test_wrong_seeds_and_states(call, error, text):
    with pytest.raises(error, match=text):
        call()
