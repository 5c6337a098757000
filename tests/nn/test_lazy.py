"""Layers that take their size from the first input, and weights that are computed."""

import copy
import pickle

import numpy as np
import pytest

import tinygrad_cnn as tg
from tinygrad_cnn import nn, optim


def test_a_lazy_layer_becomes_the_layer_itself():
    layer = nn.LazyLinear(3)
    assert repr(layer) == "LazyLinear(in_features=0, out_features=3, bias=True)"
    assert repr(layer.weight) == "<UninitializedParameter>"
    weight = layer.weight
    step = optim.SGD(layer.parameters(), lr=1.0)
    layer.double()(tg.ones(2, 5, dtype=tg.float64)).sum().backward()
    assert type(layer) is nn.Linear
    assert layer.weight is weight
    assert type(weight) is nn.Parameter
    assert (weight.dtype, weight.shape, layer.in_features) == (tg.float64, (3, 5), 5)
    before = weight.detach().clone()
    step.step()
    np.testing.assert_allclose((before - weight).detach().numpy(), 2.0)


def test_an_uninitialized_parameter_cannot_be_used():
    for layer in (nn.LazyLinear(3), copy.deepcopy(nn.LazyLinear(3)), pickle.loads(pickle.dumps(nn.LazyLinear(3)))):
        with pytest.raises(RuntimeError, match="Can't access the shape"):
            layer.weight.shape
        with pytest.raises(ValueError, match="Attempted to use an uninitialized parameter"):
            layer.weight * 2
        with pytest.raises(ValueError, match="Attempted to use an uninitialized parameter"):
            nn.init.xavier_uniform_(layer.weight)


def test_lazy_networks_know_their_sizes_after_one_image():
    net = nn.Sequential(
        nn.LazyConv2d(4, 3, groups=2),
        nn.LazyBatchNorm2d(),
        nn.LazyConvTranspose2d(3, 2),
        nn.Flatten(),
        nn.LazyLinear(2),
    )
    assert list(net.state_dict())[:3] == ["0.weight", "0.bias", "1.weight"]
    net.eval()(tg.zeros(1, 2, 5, 5))
    assert [type(m).__name__ for m in net] == ["Conv2d", "BatchNorm2d", "ConvTranspose2d", "Flatten", "Linear"]
    assert net[1].running_mean.shape == (4,)
    assert not net[1].training
    with pytest.raises(RuntimeError, match=r"Expected 3D .* or 4D"):
        nn.LazyConv2d(4, 3)(tg.zeros(2, 2))


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_weight_norm_parts_length_and_direction():
    layer = nn.Linear(3, 2)
    weight = layer.weight.detach().clone()
    nn.utils.weight_norm(layer)
    assert [name for name, _ in layer.named_parameters()] == ["bias", "weight_g", "weight_v"]
    np.testing.assert_allclose(layer.weight_g.detach().numpy()[:, 0], np.linalg.norm(weight.numpy(), axis=1), rtol=1e-6)
    layer.weight_g.data *= 2
    layer(tg.ones(1, 3)).sum().backward()
    np.testing.assert_allclose(layer.weight.detach().numpy(), 2 * weight.numpy(), rtol=1e-5)
    assert layer.weight_v.grad is not None
    with pytest.raises(RuntimeError, match="cannot register two WeightNorm hooks"):
        nn.utils.weight_norm(layer)
    nn.utils.remove_weight_norm(layer)
    assert sorted(layer.state_dict()) == ["bias", "weight"]
    with pytest.raises(ValueError, match="not found"):
        nn.utils.remove_weight_norm(layer)


def test_spectral_norm_divides_by_the_largest_singular_value():
    layer = nn.utils.spectral_norm(nn.Linear(4, 3), n_power_iterations=50)
    layer(tg.ones(1, 4)).sum().backward()
    assert np.linalg.norm(layer.weight.detach().numpy(), 2) == pytest.approx(1, rel=1e-4)
    assert layer.weight_orig.grad is not None
    kept = layer.weight_u.numpy().copy()
    layer.eval()(tg.ones(1, 4))
    np.testing.assert_array_equal(layer.weight_u.numpy(), kept)
    nn.utils.remove_spectral_norm(layer)
    assert sorted(layer.state_dict()) == ["bias", "weight"]
    with pytest.raises(ValueError, match="to be positive"):
        nn.utils.spectral_norm(nn.Linear(2, 2), n_power_iterations=0)
    with pytest.raises(AttributeError, match=r"use func.functional_call"):
        nn.utils.stateless


def test_a_parametrized_weight_is_computed_when_it_is_read():
    class Symmetric(nn.Module):
        def forward(self, x):
            return x.triu() + x.triu(1).T

    layer = nn.Linear(3, 3)
    nn.utils.parametrize.register_parametrization(layer, "weight", Symmetric())
    assert type(layer).__name__ == "ParametrizedLinear"
    assert isinstance(layer, nn.Linear)
    np.testing.assert_array_equal(layer.weight.detach().numpy(), layer.weight.T.detach().numpy())
    layer(tg.ones(1, 3)).sum().backward()
    assert not np.tril(layer.parametrizations.weight.original.grad.numpy(), -1).any()
    other = copy.deepcopy(layer)
    other.weight = tg.ones(3, 3)
    assert not tg.equal(other.weight, layer.weight)
    nn.utils.parametrize.remove_parametrizations(layer, "weight")
    assert type(layer) is nn.Linear
    assert isinstance(layer.weight, nn.Parameter)
    with pytest.raises(ValueError, match="does not have a parametrization on weight"):
        nn.utils.parametrize.remove_parametrizations(layer, "weight")
    with pytest.raises(ValueError, match="may not change the shape"):
        nn.utils.parametrize.register_parametrization(layer, "weight", nn.Flatten(0))
