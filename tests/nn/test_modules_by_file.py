"""What programs find in `nn.modules`: files, bases, tuples, hooks of all modules, what stands beside a state."""

import importlib
from collections import OrderedDict

import numpy as np
import pytest

import tinygrad_cnn as tg
from tinygrad_cnn import nn
from tinygrad_cnn.nn.utils.parametrizations import orthogonal

BASES = {
    "batchnorm._BatchNorm": nn.BatchNorm3d, "batchnorm._NormBase": nn.InstanceNorm1d, "conv._ConvNd": nn.Conv3d,
    "conv._ConvTransposeNd": nn.ConvTranspose1d, "dropout._DropoutNd": nn.Dropout2d,
    "instancenorm._InstanceNorm": nn.InstanceNorm2d, "loss._Loss": nn.MSELoss, "loss._WeightedLoss": nn.NLLLoss,
    "padding._ConstantPadNd": nn.ZeroPad2d, "padding._ReflectionPadNd": nn.ReflectionPad1d,
    "pooling._AvgPoolNd": nn.AvgPool1d, "pooling._MaxPoolNd": nn.MaxPool3d, "pooling._LPPoolNd": nn.LPPool1d,
    "pooling._AdaptiveAvgPoolNd": nn.AdaptiveAvgPool2d, "pooling._AdaptiveMaxPoolNd": nn.AdaptiveMaxPool3d,
}  # fmt: skip


@pytest.mark.parametrize("name", BASES)
def test_a_base_is_imported_from_the_file_that_pytorch_has_it_in(name):
    file, base = name.split(".")
    found = getattr(importlib.import_module(f"tinygrad_cnn.nn.modules.{file}"), base)
    assert issubclass(BASES[name], found)
    assert not issubclass(nn.Linear, found)


def test_sizes_become_tuples():
    utils = importlib.import_module("tinygrad_cnn.nn.modules.utils")
    assert utils._single(2) == (2,)
    assert utils._pair(2) == (2, 2)
    assert utils._triple([1, 2, 3]) == (1, 2, 3)
    assert utils._quadruple(0) == (0,) * 4
    assert utils._reverse_repeat_tuple((1, 2), 2) == (2, 2, 1, 1)
    assert utils._list_with_default([None, 3], [5, 6, 7]) == [6, 3]
    with pytest.raises(ValueError, match="at least 3"):
        utils._list_with_default([1, 2], [1, 2])


def test_a_prefix_is_taken_from_names_and_from_what_stands_beside_them():
    state = nn.Sequential(OrderedDict(module=nn.BatchNorm1d(2))).state_dict()
    nn.modules.utils.consume_prefix_in_state_dict_if_present(state, "module.")
    assert set(state) == set(nn.BatchNorm1d(2).state_dict())
    assert nn.BatchNorm1d(2).load_state_dict(state) == ([], [])


def test_a_state_knows_the_version_of_each_module():
    state = nn.Sequential(nn.Linear(1, 1), nn.Sequential(nn.BatchNorm1d(1))).state_dict()
    assert state._metadata == {
        "": {"version": 1}, "0": {"version": 1}, "1": {"version": 1}, "1.0": {"version": 2},
    }  # fmt: skip


def test_the_first_version_of_a_norm_counted_no_batches():
    state = nn.BatchNorm1d(1).state_dict()
    del state["num_batches_tracked"]
    assert nn.BatchNorm1d(1).load_state_dict(dict(state)) == ([], [])
    with pytest.raises(RuntimeError, match="Missing key"):
        nn.BatchNorm1d(1).load_state_dict(state)  # which says that it is of version 2


def test_hooks_of_all_modules_see_every_call_until_they_are_removed():
    seen, every = [], nn.modules.module
    handles = [
        every.register_module_forward_pre_hook(lambda m, args: seen.append(f"before {m._get_name()}")),
        every.register_module_forward_hook(lambda m, args, y: y * 2),
        every.register_module_full_backward_pre_hook(lambda m, g: seen.append(f"backward {m._get_name()}")),
        every.register_module_full_backward_hook(lambda m, g, h: seen.append(f"behind {m._get_name()}")),
    ]
    x = tg.ones(1, requires_grad=True)
    try:
        y = nn.Sequential(nn.Identity())(x)
        y.sum().backward()
    finally:
        for handle in handles:
            handle.remove()
    assert y.tolist() == [4]
    assert x.grad.tolist() == [4]
    assert seen == [
        "before Sequential", "before Identity", "backward Sequential", "backward Identity", "behind Identity",
        "behind Sequential",
    ]  # fmt: skip
    assert nn.Identity()(x).tolist() == [1]


def test_hooks_of_registrations_may_put_another_in_the_place():
    names, every = [], nn.modules.module
    handles = [
        every.register_module_parameter_registration_hook(lambda m, name, p: names.append(name)),
        every.register_module_buffer_registration_hook(lambda m, name, b: None if b is None else b + 1),
        every.register_module_module_registration_hook(lambda m, name, child: nn.Identity()),
    ]
    try:
        norm, net = nn.BatchNorm1d(1), nn.Sequential(nn.Linear(1, 1))
    finally:
        for handle in handles:
            handle.remove()
    assert norm.running_mean.tolist() == [1]
    assert isinstance(net[0], nn.Identity)
    assert names == ["weight", "bias"] * 2


def test_the_deprecated_backward_hook_sees_the_gradients_of_inputs():
    layer, seen = nn.Linear(1, 1), []
    layer.register_backward_hook(lambda m, g, h: seen.append(g[0].item()))
    layer(tg.ones(1, 1, requires_grad=True)).sum().backward()
    assert seen == [layer.weight.item()]


@pytest.mark.parametrize("orthogonal_map", ["matrix_exp", "cayley", "householder"])
@pytest.mark.parametrize("shape", [(4, 4), (2, 4), (4, 2)])
@pytest.mark.parametrize("around", [True, False])
def test_an_orthogonal_weight_stays_so(orthogonal_map, shape, around):
    layer = nn.Linear(shape[1], shape[0], bias=False).double()
    if not around and orthogonal_map != "householder":
        with pytest.raises(NotImplementedError, match="use_trivialization=False"):
            orthogonal(layer, orthogonal_map=orthogonal_map, use_trivialization=False)
        return
    begin = layer.weight.detach().numpy()
    orthogonal(layer, orthogonal_map=orthogonal_map, use_trivialization=around)
    target = tg.tensor(begin)
    losses = []
    for _ in range(3):
        loss = (layer.weight - target).square().sum()
        losses.append(loss.item())
        (gradient,) = tg.autograd.grad(loss, layer.parametrizations.weight.original)
        with tg.no_grad():
            layer.parametrizations.weight.original.sub_(0.02 * gradient)
        q = layer.weight.detach().numpy()
        q = q if shape[0] >= shape[1] else q.T
        np.testing.assert_allclose(q.T @ q, np.eye(q.shape[1]), atol=1e-12)
    assert losses[0] > losses[1] > losses[2]


def test_what_cannot_be_orthogonal_is_refused():
    with pytest.raises(ValueError, match="Got a tensor of 1 dim"):
        orthogonal(nn.Linear(2, 2), "bias")
    with pytest.raises(ValueError, match="orthogonal_map has to be one of"):
        orthogonal(nn.Linear(2, 2), orthogonal_map="svd")
    with pytest.raises(ValueError, match="no parameter or buffer with name 'nothing'"):
        orthogonal(nn.Linear(2, 2), "nothing")
