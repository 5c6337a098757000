"""Densities integrate to 1, moments and entropies are the integrals that define them, samples have them."""

import math

import numpy as np
import pytest

import tinygrad_cnn as tg
from tinygrad_cnn.distributions import Bernoulli, Categorical, Normal, Uniform, kl_divergence

GRID = np.linspace(-14, 15, 200_001)
CONTINUOUS = [Normal(0.5, 1.5), Normal(-1.0, 0.3), Uniform(-2.0, 3.5)]
DISCRETE = [Bernoulli(0.3), Bernoulli(logits=1.2), Categorical([1.0, 2.0, 5.0]), Categorical(logits=[0.1, -2.0])]


def integral(values):
    return float(np.sum((values[1:] + values[:-1]) / 2) * (GRID[1] - GRID[0]))


def density(d):
    if isinstance(d, Uniform):
        inside = (d.low.item() <= GRID) & (d.high.item() > GRID)
        logs = d.log_prob(np.clip(GRID, d.low.item(), d.high.item() - 1e-9))
        return np.exp(logs.numpy()) * inside
    return np.exp(d.log_prob(GRID).numpy())


@pytest.mark.parametrize("d", CONTINUOUS, ids=str)
def test_a_density_has_the_integrals_that_it_says(d):
    p = density(d).astype(np.float64)
    mean = integral(p * GRID)
    assert integral(p) == pytest.approx(1, abs=1e-3)
    assert d.mean.item() == pytest.approx(mean, abs=2e-3)
    assert d.variance.item() == pytest.approx(integral(p * (GRID - mean) ** 2), rel=5e-3)
    assert d.entropy().item() == pytest.approx(
        -integral(np.where(p > 0, p * np.log(np.maximum(p, 1e-300)), 0)), abs=2e-3
    )


@pytest.mark.parametrize("d", DISCRETE, ids=str)
def test_probabilities_add_up_and_make_the_entropy(d):
    classes = d.param_shape[-1] if isinstance(d, Categorical) else 2
    logs = np.array([d.log_prob(tg.tensor(float(k))).item() for k in range(classes)])
    assert np.exp(logs).sum() == pytest.approx(1, rel=1e-6)
    assert d.entropy().item() == pytest.approx(-(np.exp(logs) * logs).sum(), rel=1e-5)
    assert d.perplexity().item() == pytest.approx(math.exp(d.entropy().item()), rel=1e-5)


@pytest.mark.parametrize("d", [*CONTINUOUS, *DISCRETE], ids=str)
def test_samples_have_the_moments(d):
    tg.manual_seed(0)
    drawn = d.sample((20_000,)).numpy().astype(np.float64)
    if isinstance(d, Categorical):
        shares = np.bincount(drawn.astype(int)) / len(drawn)
        np.testing.assert_allclose(shares, d.probs.numpy(), atol=0.02)
    else:
        assert drawn.mean() == pytest.approx(d.mean.item(), abs=0.05)
        assert drawn.std() == pytest.approx(d.stddev.item(), rel=0.03)


def test_the_divergence_is_the_expected_difference_of_log_probabilities():
    p, q = Normal(0.5, 1.5), Normal(-1.0, 1.0)
    expected = integral(density(p) * (p.log_prob(GRID) - q.log_prob(GRID)).numpy())
    assert kl_divergence(p, q).item() == pytest.approx(expected, rel=1e-3)
    a, b = Categorical([1.0, 2.0, 0.0]), Categorical([1.0, 1.0, 1.0])
    assert kl_divergence(a, b).item() == pytest.approx(math.log(3) - a.entropy().item(), rel=1e-5)
    assert kl_divergence(b, a).item() == math.inf
    c, d = Bernoulli(0.2), Bernoulli(0.7)
    assert kl_divergence(c, d).item() == pytest.approx(0.2 * math.log(0.2 / 0.7) + 0.8 * math.log(0.8 / 0.3), rel=1e-5)


def test_a_policy_learns_the_better_of_two_arms():
    """REINFORCE: the gradient of log_prob times the reward, with the reward 1 for arm 1 and 0 for arm 0."""
    tg.manual_seed(1)
    logits = tg.zeros(2, requires_grad=True)
    for _ in range(200):
        policy = Categorical(logits=logits)
        arms = policy.sample((16,))
        loss = -(policy.log_prob(arms) * (arms == 1)).mean()
        (g,) = tg.autograd.grad([loss], [logits])
        with tg.no_grad():
            logits.sub_(0.5 * g)
    assert Categorical(logits=logits).probs[1].item() > 0.97


def test_a_reparametrised_sample_has_a_gradient_and_a_sample_has_none():
    loc, scale = tg.tensor(1.0, requires_grad=True), tg.tensor(2.0, requires_grad=True)
    d = Normal(loc, scale)
    x = d.rsample()
    x.backward()
    assert loc.grad.item() == 1
    assert scale.grad.item() == pytest.approx((x.item() - 1) / 2, rel=1e-5)
    assert not d.sample().requires_grad


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: Categorical(), ValueError, "Either `probs` or `logits` must be specified, but not both"),
        (
            lambda: Categorical([-1.0, 2.0]),
            ValueError,
            r"distribution Categorical.* satisfy the constraint Simplex",
        ),
        (
            lambda: Categorical([1.0, 2.0]).log_prob(2),
            ValueError,
            r"support \(IntegerInterval\(lower_bound=0, upper_",
        ),
        (
            lambda: Normal(0.0, 0.0),
            ValueError,
            r"distribution Normal.* the constraint GreaterThan\(lower_",
        ),
        (
            lambda: Uniform(1.0, 1.0),
            ValueError,
            r"parameter low .* the constraint LessThan\(upper_bound=1.0\)",
        ),
        (lambda: Bernoulli(0.5).log_prob(0.5), ValueError, r"within the support \(Boolean\(\)\)"),
        (lambda: Bernoulli(0.5).rsample(), NotImplementedError, r"no reparametrised samples; use sample\(\)"),
        (
            lambda: kl_divergence(Normal(0, 1), Categorical([1.0])),
            NotImplementedError,
            "for p type Normal and q",
        ),
        (lambda: tg.multinomial([1.0, 1.0], 3), RuntimeError, "3 of 2 categories without replacement"),
        (lambda: tg.normal(0.0, -1.0, 3), RuntimeError, "std is -1.0; a standard deviation is at least 0"),
    ],
)
def test_wrong_parameters_and_values_are_said(call, error, text):
    with pytest.raises(error, match=text):
        call()
