"""The same seed gives PyTorch's numbers: bit for bit where nothing is rounded, else to the last places of `log`."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_cnn as tg
from tinygrad_cnn import nn
from tinygrad_cnn.random import Generator, default_generator

seeds = st.integers(-(2**63), 2**64 - 1)
shapes = st.lists(st.integers(0, 9), max_size=3).map(tuple)
floats = st.sampled_from(["float32", "float64"])


def seeded(seed):
    tg.manual_seed(seed)
    torch.manual_seed(seed)
    return default_generator


def same_place():
    """Both generators have drawn equally many words."""
    np.testing.assert_array_equal(tg.rand(3).numpy(), torch.rand(3).numpy())


@given(seeds, shapes, floats)
def test_uniform(seed, shape, dtype):
    seeded(seed)
    ours, theirs = tg.rand(shape, dtype=getattr(tg, dtype)), torch.rand(shape, dtype=getattr(torch, dtype))
    np.testing.assert_array_equal(ours.numpy(), theirs.numpy())
    ours.uniform_(-0.3, 0.7)
    theirs.uniform_(-0.3, 0.7)
    np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-6, atol=1e-7)
    same_place()


@given(seeds, st.lists(shapes, min_size=1, max_size=3), floats)
def test_normal_of_few_and_of_many(seed, several, dtype):
    seeded(seed)
    for shape in several:
        ours, theirs = tg.randn(shape, dtype=getattr(tg, dtype)), torch.randn(shape, dtype=getattr(torch, dtype))
        near = {"float32": {"rtol": 2e-5, "atol": 2e-6}, "float64": {"rtol": 1e-12, "atol": 1e-13}}[dtype]
        np.testing.assert_allclose(ours.numpy(), theirs.numpy(), **near)
        ours.normal_(2, 0.5)
        theirs.normal_(2, 0.5)
        np.testing.assert_allclose(ours.numpy(), theirs.numpy(), **near)
    same_place()


@given(seeds, st.integers(-(2**40), 2**40), st.sampled_from([1, 2, 10, 2**28 - 1, 2**28, 2**32, 2**41]), shapes)
def test_integers(seed, low, values, shape):
    seeded(seed)
    ours, theirs = tg.randint(low, low + values, shape), torch.randint(low, low + values, shape)
    np.testing.assert_array_equal(ours.numpy(), theirs.numpy())
    same_place()


@given(seeds, shapes, st.sampled_from("uint8 int8 int16 int32 int64 bool float16 float32 float64".split()))
def test_any_integers(seed, shape, dtype):
    generator = seeded(seed)
    theirs = torch.empty(shape, dtype=getattr(torch, dtype)).random_()
    np.testing.assert_array_equal(generator.any_integers(shape, dtype), theirs.numpy())
    same_place()


@given(seeds, st.integers(0, 300))
def test_permutations(seed, n):
    seeded(seed)
    assert tg.randperm(n).tolist() == torch.randperm(n).tolist()
    same_place()


@given(seeds, st.floats(0, 1), shapes)
def test_bernoulli(seed, p, shape):
    generator = seeded(seed)
    np.testing.assert_array_equal(generator.bernoulli(p, shape), torch.empty(shape).bernoulli_(p).numpy())
    same_place()


def test_bernoulli_decides_ties_by_the_lower_word():
    generator = seeded(3)
    u = torch.rand(4, dtype=torch.float64)
    for k, p in enumerate([*u.tolist(), *np.nextafter(u.numpy(), 1)]):
        generator.manual_seed(3)
        assert generator.bernoulli(p, (4,))[k % 4] == (k >= 4)


@given(seeds, st.floats(0.1, 5), shapes, floats)
def test_exponential(seed, rate, shape, dtype):
    generator = seeded(seed)
    theirs = torch.empty(shape, dtype=getattr(torch, dtype)).exponential_(rate)
    np.testing.assert_allclose(generator.exponential(shape, dtype, rate), theirs.numpy(), rtol=1e-6, atol=1e-7)
    same_place()


@given(seeds, st.floats(0, 1), shapes)
def test_dropout(seed, p, shape):
    seeded(seed)
    ours, theirs = nn.functional.dropout(tg.ones(shape), p), torch.nn.functional.dropout(torch.ones(shape), p)
    np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-6)
    same_place()


@pytest.mark.parametrize(
    "make",
    [
        lambda n: n.Linear(7, 5),
        lambda n: n.Conv2d(4, 6, 3, groups=2),
        lambda n: n.Conv1d(2, 3, 3, bias=False),
        lambda n: n.ConvTranspose2d(2, 4, 3),
        lambda n: n.Sequential(n.Conv2d(1, 4, 3), n.ReLU(), n.Linear(9, 3)),
    ],
)
def test_layers_begin_with_pytorchs_weights(make):
    seeded(1)
    ours, theirs = make(nn), make(torch.nn)
    for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
        np.testing.assert_allclose(p.detach().numpy(), q.detach().numpy(), rtol=1e-6, atol=1e-8)


@given(seeds, st.integers(0, 2000), st.integers(0, 3))
def test_states_are_exchanged_with_pytorch(seed, words, normals):
    generator = seeded(seed)
    generator.words(words)
    tg.randn(normals)
    theirs = torch.Generator()
    theirs.set_state(torch.from_numpy(generator.get_state()))
    there = torch.randn(5, generator=theirs).numpy()
    back = Generator().set_state(theirs.get_state().numpy())
    np.testing.assert_allclose(tg.randn(5).numpy(), there, rtol=1e-6)
    np.testing.assert_array_equal(back.uniform((3,), np.float32), torch.rand(3, generator=theirs).numpy())
    assert back.initial_seed() == theirs.initial_seed() == default_generator.initial_seed()


@pytest.mark.parametrize("seed", [2**64, -(2**63) - 1])
def test_seeds_that_do_not_fit(seed):
    for library in (tg, torch):
        with pytest.raises(ValueError):
            library.manual_seed(seed)
