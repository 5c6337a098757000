"""Lazy layers and computed weights against PyTorch."""

import numpy as np
import pytest
import torch

import tinygrad_cnn as tg
from tinygrad_cnn import nn

LAZY = [
    (lambda n: n.LazyLinear(3, bias=False), (2, 5)),
    (lambda n: n.LazyConv1d(4, 3, padding=1), (2, 3, 5)),
    (lambda n: n.LazyConv2d(4, 3, groups=2), (2, 4, 5, 5)),
    (lambda n: n.LazyConv2d(4, 3, 2), (4, 5, 5)),
    (lambda n: n.LazyConv3d(4, 3), (2, 3, 5, 4, 5)),
    (lambda n: n.LazyConvTranspose3d(2, 3, 2), (2, 3, 4, 2, 3)),
    (lambda n: n.LazyConvTranspose1d(2, 3, 2), (2, 3, 4)),
    (lambda n: n.LazyConvTranspose2d(2, 3, 2), (2, 3, 4, 4)),
    (lambda n: n.LazyBatchNorm1d(), (4, 3)),
    (lambda n: n.LazyBatchNorm2d(momentum=0.2), (4, 3, 2, 2)),
    (lambda n: n.LazyBatchNorm3d(affine=False), (4, 3, 2, 2, 2)),
    (lambda n: n.LazyInstanceNorm1d(), (2, 3, 4)),
    (lambda n: n.LazyInstanceNorm2d(), (2, 3, 4, 4)),
    (lambda n: n.LazyInstanceNorm3d(), (2, 3, 2, 2, 2)),
]


@pytest.mark.filterwarnings("ignore:Lazy modules")
@pytest.mark.parametrize(("make", "shape"), LAZY)
def test_lazy_layers(make, shape):
    seen = []
    x = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    for n, t in ((nn, tg), (torch.nn, torch)):
        t.manual_seed(0)
        layer = make(n)
        before = (repr(layer), list(layer.state_dict()), [k for k, _ in layer.named_parameters()])
        y = layer(t.tensor(x))
        state = {k: v.numpy() for k, v in layer.state_dict().items()}
        seen.append((before, repr(layer), type(layer).__name__, y.detach().numpy(), state))
    (*ours, y, state), (*theirs, z, other) = seen
    assert ours == theirs
    np.testing.assert_allclose(y, z, rtol=1e-4, atol=1e-5)
    assert list(state) == list(other)
    for name, value in state.items():
        np.testing.assert_allclose(value, other[name], rtol=1e-5, atol=1e-6, err_msg=name)


LAYERS = [
    (lambda n: n.Linear(3, 4), (2, 3)),
    (lambda n: n.Conv2d(2, 4, 3), (2, 2, 4, 4)),
    (lambda n: n.ConvTranspose2d(2, 4, 3), (2, 2, 4, 4)),
]


@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.parametrize("norm", ["weight_norm", "spectral_norm"])
@pytest.mark.parametrize("dim", [None, 0, 1])
@pytest.mark.parametrize(("make", "shape"), LAYERS)
def test_computed_weights(make, shape, norm, dim):
    seen = []
    for n, t in ((nn, tg), (torch.nn, torch)):
        t.manual_seed(0)
        layer = getattr(n.utils, norm)(make(n), dim=dim)
        states = [dict(layer.state_dict())]
        x = t.rand(*shape, requires_grad=True)
        for _ in range(2):
            layer(x).square().sum().backward()
        states.append(dict(layer.state_dict()))
        states.append({k: p.grad for k, p in layer.named_parameters()})
        layer.eval()
        states.append({"y": layer(x).detach(), "x": x.grad})
        getattr(n.utils, f"remove_{norm}")(layer)
        states.append(dict(layer.state_dict()))
        states.append({"y": layer(x).detach()})
        seen.append((repr(layer), [{k: v.numpy().copy() for k, v in s.items()} for s in states]))
    assert seen[0][0] == seen[1][0]
    for ours, theirs in zip(seen[0][1], seen[1][1], strict=True):
        assert list(ours) == list(theirs)
        for name, value in ours.items():
            np.testing.assert_allclose(value, theirs[name], rtol=2e-3, atol=2e-4, err_msg=name)


@pytest.mark.parametrize("norm", ["weight_norm", "spectral_norm"])
@pytest.mark.parametrize("dim", [None, 0, 1])
@pytest.mark.parametrize(("make", "shape"), LAYERS)
def test_parametrizations(make, shape, norm, dim):
    seen = []
    for n, t in ((nn, tg), (torch.nn, torch)):
        t.manual_seed(0)
        layer = getattr(n.utils.parametrizations, norm)(make(n), dim=dim)
        states = [dict(layer.state_dict())]
        x = t.rand(*shape)
        for _ in range(2):
            layer(x).square().sum().backward()
        states.append(dict(layer.state_dict()))
        states.append({k: p.grad for k, p in layer.named_parameters()})
        layer.eval()
        states.append({"y": layer(x).detach(), "weight": layer.weight.detach()})
        texts = [repr(layer), type(layer).__name__, n.utils.parametrize.is_parametrized(layer, "weight")]
        n.utils.parametrize.remove_parametrizations(layer, "weight")
        states += [dict(layer.state_dict()), {"y": layer(x).detach()}]
        texts += [repr(layer), [k for k, _ in layer.named_parameters()]]
        seen.append((texts, [{k: v.numpy().copy() for k, v in s.items()} for s in states]))
    assert seen[0][0] == seen[1][0]
    for ours, theirs in zip(seen[0][1], seen[1][1], strict=True):
        assert list(ours) == list(theirs)
        for name, value in ours.items():
            np.testing.assert_allclose(value, theirs[name], rtol=2e-3, atol=2e-4, err_msg=name)


@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.parametrize(
    "call",
    [
        lambda n, t: n.utils.weight_norm(n.utils.weight_norm(n.Linear(2, 2))),
        lambda n, t: n.utils.spectral_norm(n.utils.spectral_norm(n.Linear(2, 2))),
        lambda n, t: n.utils.spectral_norm(n.Linear(2, 2), n_power_iterations=0),
        lambda n, t: n.utils.remove_weight_norm(n.Linear(2, 2)),
        lambda n, t: n.utils.remove_spectral_norm(n.Linear(2, 2)),
        lambda n, t: n.utils.weight_norm(n.ReLU()),
        lambda n, t: n.utils.parametrizations.spectral_norm(n.Linear(2, 2), "gain"),
        lambda n, t: n.utils.parametrizations.spectral_norm(n.Linear(2, 2), dim=5),
        lambda n, t: n.utils.parametrize.remove_parametrizations(n.Linear(2, 2), "weight"),
        lambda n, t: n.utils.parametrize.register_parametrization(n.Linear(2, 2), "gain", n.Identity()),
        lambda n, t: n.utils.parametrize.register_parametrization(n.Linear(2, 2), "weight", n.Flatten(0)),
        lambda n, t: n.LazyLinear(3).weight.shape,
        lambda n, t: n.LazyLinear(3).weight + 1,
        lambda n, t: n.init.xavier_uniform_(n.LazyLinear(3).weight),
        lambda n, t: n.LazyConv2d(3, 3)(t.ones(2, 2)),
        lambda n, t: n.LazyLinear(3)(t.tensor(1.0)),
    ],
)
def test_wrong_uses_are_refused_alike(call):
    with pytest.raises(Exception) as theirs:
        call(torch.nn, torch)
    with pytest.raises(theirs.type):
        call(nn, tg)
