"""Distributions against PyTorch's: the same numbers for the same seed, the same densities, the same gradients."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_cnn as tg
from tinygrad_cnn import distributions

seeds = st.integers(0, 2**64 - 1)
positive = st.floats(0.05, 5)
real = st.floats(-5, 5)


def drawn(element, shape=(3, 4)):
    return st.lists(element, min_size=12, max_size=12).map(lambda values: np.reshape(values, shape))


def chances(values):
    return values / 5.05


KINDS = {
    "Normal": ((real, positive), {}),
    "Uniform": ((st.floats(-5, 0), positive), {}),
    "Bernoulli of probs": ((positive.map(chances),), {"probs": 0}),
    "Bernoulli of logits": ((real,), {"logits": 0}),
    "Categorical of probs": ((positive,), {"probs": 0}),
    "Categorical of logits": ((real,), {"logits": 0}),
}


@st.composite
def pairs(draw, kind=None):
    """One distribution here and there, and the parameters of both."""
    kind = draw(st.sampled_from(sorted(KINDS))) if kind is None else kind
    elements, by_name = KINDS[kind]
    arrays = [draw(drawn(element)) for element in elements]
    ours = [tg.tensor(a, requires_grad=True) for a in arrays]
    theirs = [torch.tensor(a, requires_grad=True) for a in arrays]
    made = []
    for library, values in ((distributions, ours), (torch.distributions, theirs)):
        cls = getattr(library, kind.split()[0])
        made.append(cls(**{n: values[k] for n, k in by_name.items()}) if by_name else cls(*values))
    return (*made, ours, theirs)


def compare(ours, theirs, p, q):
    np.testing.assert_allclose(ours.detach().numpy(), theirs.detach().numpy(), rtol=1e-9, atol=1e-12)
    if theirs.requires_grad:
        weights = np.cos(np.arange(theirs.numel())).reshape(theirs.shape)
        first = tg.autograd.grad([ours], p, [tg.tensor(weights)], allow_unused=True, retain_graph=True)
        second = torch.autograd.grad([theirs], q, [torch.tensor(weights)], allow_unused=True, retain_graph=True)
        for a, b in zip(first, second, strict=True):
            assert (a is None) == (b is None)
            if a is not None:
                np.testing.assert_allclose(a.detach().numpy(), b.numpy(), rtol=1e-7, atol=1e-9)


@settings(max_examples=60)
@given(pairs(), seeds, st.sampled_from([(), (2,), (3, 1), (20,)]))
def test_samples_and_densities(pair, seed, shape):
    ours, theirs, p, q = pair
    assert repr(ours).replace("torch.Size([3, 4])", "(3, 4)") == repr(theirs).replace("torch.Size([3, 4])", "(3, 4)")
    tg.manual_seed(seed)
    torch.manual_seed(seed)
    a, b = ours.sample(shape), theirs.sample(shape)
    np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-9, atol=1e-12)
    assert not a.requires_grad
    compare(ours.log_prob(a), theirs.log_prob(b), p, q)
    for name in ("entropy", "perplexity"):
        compare(getattr(ours, name)(), getattr(theirs, name)(), p, q)
    for name in ("mean", "variance", "stddev"):
        compare(getattr(ours, name), getattr(theirs, name), p, q)
    if theirs.has_rsample:
        compare(ours.rsample(shape), theirs.rsample(shape), p, q)
    if hasattr(ours, "cdf"):
        compare(ours.cdf(a), theirs.cdf(b), p, q)


@settings(max_examples=30)
@given(st.data(), st.sampled_from([k for k in sorted(KINDS) if k != "Uniform"]))
def test_divergences(data, kind):
    (a, b, p, q), (c, d, r, s) = data.draw(pairs(kind)), data.draw(pairs(kind))
    compare(distributions.kl_divergence(a, c), torch.distributions.kl_divergence(b, d), p + r, q + s)


@settings(max_examples=40)
@given(seeds, st.integers(1, 6), st.integers(1, 9), st.booleans(), st.sampled_from(["float32", "float64"]), st.data())
def test_multinomial(seed, rows, classes, replacement, dtype, data):
    weights = np.random.default_rng(seed).uniform(0.01, 1, (rows, classes)).astype(dtype)
    count = data.draw(st.integers(1, 12 if replacement else classes))
    tg.manual_seed(seed)
    torch.manual_seed(seed)
    for given_ in (weights, weights[0]):
        ours = tg.multinomial(tg.tensor(given_), count, replacement)
        assert ours.tolist() == torch.multinomial(torch.tensor(given_), count, replacement).tolist()


@given(seeds, st.sampled_from([(), (3,), (4, 5)]))
def test_normal_and_bernoulli(seed, shape):
    random = np.random.default_rng(seed)
    mean, std, p = random.normal(size=shape), random.uniform(0.1, 3, shape), random.uniform(0, 1, shape)
    tg.manual_seed(seed)
    torch.manual_seed(seed)
    for make in (
        lambda n: n.normal(n.tensor(mean), n.tensor(std)),
        lambda n: n.normal(n.tensor(mean), 2.0),
        lambda n: n.normal(1.0, n.tensor(std)),
        lambda n: n.normal(1.0, 2.0, (3, 2)),
        lambda n: n.bernoulli(n.tensor(p)),
        lambda n: n.bernoulli(n.tensor(p), 0.3),
    ):
        ours, theirs = make(tg), make(torch)
        np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-6)
        assert str(ours.numpy().dtype) == str(theirs.numpy().dtype)


WRONG = [
    lambda n: n.distributions.Categorical(n.tensor([-1.0, 2.0])),
    lambda n: n.distributions.Categorical(),
    lambda n: n.distributions.Categorical(n.ones(2), n.ones(2)),
    lambda n: n.distributions.Categorical(n.tensor(1.0)),
    lambda n: n.distributions.Categorical(n.ones(3)).log_prob(n.tensor(3)),
    lambda n: n.distributions.Normal(0.0, -1.0),
    lambda n: n.distributions.Normal(0.0, 1.0).log_prob(n.tensor(float("nan"))),
    lambda n: n.distributions.Normal(n.ones(2), n.ones(3)),
    lambda n: n.distributions.Bernoulli(n.tensor(1.5)),
    lambda n: n.distributions.Bernoulli(n.tensor(0.5)).log_prob(n.tensor(0.5)),
    lambda n: n.distributions.Uniform(1.0, 0.0),
    lambda n: n.distributions.Uniform(0.0, 1.0).log_prob(n.tensor(2.0)),
    lambda n: n.distributions.kl_divergence(n.distributions.Normal(0.0, 1.0), n.distributions.Categorical(n.ones(2))),
    lambda n: n.distributions.Categorical(n.ones(2)).rsample(),
    lambda n: n.bernoulli(n.ones(2) * 2),
    lambda n: n.multinomial(n.ones(2), 3),
    lambda n: n.multinomial(n.ones(2), 0),
    lambda n: n.multinomial(-n.ones(2), 1),
    lambda n: n.multinomial(n.zeros(2), 1),
    lambda n: n.multinomial(n.ones(2, 2, 2), 1),
    lambda n: n.normal(0.0, -1.0, (2,)),
    lambda n: n.normal(n.zeros(2), -n.ones(2)),
]


@pytest.mark.parametrize("call", WRONG)
def test_wrong_arguments_raise_what_pytorch_raises(call):
    with pytest.raises(Exception) as theirs:
        call(torch)
    with pytest.raises(theirs.type):
        call(tg)
