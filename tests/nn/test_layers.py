"""Layers against direct definitions in NumPy; parity with PyTorch is tested apart."""

import math

import numpy as np
import pytest

import tinygrad_cnn as tg
from tinygrad_cnn import nn, ops
from tinygrad_cnn.nn import functional as F


def test_linear():
    layer, x = nn.Linear(3, 2), tg.randn(4, 5, 3)
    expected = x.numpy() @ layer.weight.detach().numpy().T + layer.bias.detach().numpy()
    np.testing.assert_allclose(layer(x).detach().numpy(), expected, rtol=1e-5, atol=1e-6)


def test_convolutions_stack():
    net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Conv2d(4, 6, 3, stride=2, padding="valid"))
    y = net(tg.randn(2, 1, 12, 12))
    assert y.shape == (2, 6, 4, 4)
    y.sum().backward()
    assert net[0].weight.grad.shape == (4, 1, 3, 3)
    assert np.any(net[0].weight.grad.numpy())


@pytest.mark.parametrize("k", [1, 2, 3, 4, 5])
def test_same_padding_keeps_the_size(k):
    assert nn.Conv2d(1, 2, k, padding="same", dilation=2)(tg.randn(1, 1, 9, 7)).shape == (1, 2, 9, 7)
    assert nn.Conv1d(1, 2, k, padding="same")(tg.randn(1, 1, 9)).shape == (1, 2, 9)


def test_a_transposed_convolution_is_the_adjoint_of_the_convolution():
    down, up = nn.Conv2d(2, 3, 3, stride=2, bias=False).double(), nn.ConvTranspose2d(3, 2, 3, stride=2, bias=False)
    up.double().load_state_dict(down.state_dict())
    x, v = tg.randn(1, 2, 9, 7, dtype=tg.float64), tg.randn(1, 3, 4, 3, dtype=tg.float64)
    assert (down(x) * v).sum().item() == pytest.approx((x * up(v)).sum().item(), rel=1e-12)


@pytest.mark.parametrize(
    "make", [lambda: nn.Linear(25, 400), lambda: nn.Conv2d(1, 400, 5), lambda: nn.Conv1d(5, 400, 5)]
)
def test_weights_begin_evenly_in_one_over_the_root_of_the_fan_in(make):
    tg.manual_seed(0)
    for p in make().parameters():
        values = p.detach().numpy()
        assert 0.95 / 5 < np.abs(values).max() <= 1 / 5
        assert abs(values.mean()) < 5 * (1 / 5) / math.sqrt(3 * p.numel())


def test_batch_norm_normalises_each_channel_and_remembers():
    layer = nn.BatchNorm2d(3, momentum=0.25)
    x = tg.randn(8, 3, 4, 4) * 5 + 2
    y = layer(x).detach().numpy()
    np.testing.assert_allclose(y.mean((0, 2, 3)), 0, atol=1e-6)
    np.testing.assert_allclose(y.var((0, 2, 3)), 1, rtol=1e-4)
    mean, var = x.numpy().mean((0, 2, 3)), x.numpy().var((0, 2, 3), ddof=1)
    np.testing.assert_allclose(layer.running_mean.numpy(), 0.25 * mean, rtol=1e-5)
    np.testing.assert_allclose(layer.running_var.numpy(), 0.75 + 0.25 * var, rtol=1e-5)
    assert layer.num_batches_tracked.item() == 1
    column = (1, 3, 1, 1)
    expected = (x.numpy() - 0.25 * mean.reshape(column)) / np.sqrt(0.75 + 0.25 * var.reshape(column) + 1e-5)
    np.testing.assert_allclose(layer.eval()(x).detach().numpy(), expected, rtol=1e-4, atol=1e-5)
    assert layer.num_batches_tracked.item() == 1


def test_batch_norm_without_momentum_averages_all_batches():
    layer = nn.BatchNorm1d(2, momentum=None)
    batches = [tg.randn(6, 2) + k for k in range(3)]
    for x in batches:
        layer(x)
    np.testing.assert_allclose(layer.running_mean.numpy(), np.mean([x.numpy().mean(0) for x in batches], 0), rtol=1e-5)


def test_layer_norm_normalises_each_sample():
    y = nn.LayerNorm((2, 3))(tg.randn(5, 2, 3) * 9 + 1).detach().numpy()
    np.testing.assert_allclose(y.mean((1, 2)), 0, atol=1e-6)
    np.testing.assert_allclose(y.var((1, 2)), 1, rtol=1e-4)


def test_dropout_keeps_the_mean_and_leaves_evaluation_alone():
    tg.manual_seed(0)
    layer, x = nn.Dropout(0.25), tg.ones(10000)
    y = layer(x).numpy()
    assert set(np.unique(y)) == {np.float32(0), np.float32(1 / 0.75)}
    assert abs((y == 0).mean() - 0.25) < 4 * math.sqrt(0.25 * 0.75 / 10000)
    assert layer.eval()(x) is x
    assert not nn.Dropout(1.0)(x).numpy().any()
    np.testing.assert_array_equal(nn.Dropout(0.0)(x).numpy(), x.numpy())


def test_dropout_gives_a_gradient_where_it_gave_a_value():
    x = tg.ones(100, requires_grad=True)
    y = F.dropout(x, 0.5)
    y.sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), y.detach().numpy())


def test_losses():
    logits, labels = tg.randn(6, 4), tg.randint(0, 4, (6,))
    p = np.exp(logits.numpy()) / np.exp(logits.numpy()).sum(1, keepdims=True)
    expected = -np.log(p[np.arange(6), labels.numpy()])
    assert nn.CrossEntropyLoss()(logits, labels).item() == pytest.approx(expected.mean(), rel=1e-5)
    assert nn.CrossEntropyLoss(reduction="sum")(logits, labels).item() == pytest.approx(expected.sum(), rel=1e-5)
    assert nn.NLLLoss()(nn.LogSoftmax(1)(logits), labels).item() == pytest.approx(expected.mean(), rel=1e-5)
    a, b = tg.randn(3, 2), tg.randn(3, 2)
    for reduction, reduce in (("mean", np.mean), ("sum", np.sum), ("none", np.array)):
        found = nn.MSELoss(reduction=reduction)(a, b).numpy()
        np.testing.assert_allclose(found, reduce((a.numpy() - b.numpy()) ** 2), rtol=1e-5)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: nn.Linear(0, 2), "Linear: in_features is 0; it must be an integer of at least 1"),
        (lambda: nn.Conv2d(3, 4, 3, groups=2), "Conv2d: .*groups"),
        (lambda: nn.Conv2d(3, 4, 3, groups=0), "Conv2d: .*groups"),
        (lambda: nn.Conv2d(3, 4, 0), "Conv2d: kernel_size"),
        (lambda: nn.Conv2d(3, 4, 3, stride=0), "Conv2d: stride"),
        (lambda: nn.Conv2d(3, 4, 3, padding=-1), "Conv2d: padding"),
        (lambda: nn.Conv2d(3, 4, 3, padding_mode="mirror"), "Conv2d: padding_mode is 'mirror'; it must be one of"),
        (lambda: nn.Dropout(1.5), r"ropout: p is 1\.5"),
        (lambda: nn.BatchNorm2d(0), "BatchNorm2d: num_features is 0"),
        (
            lambda: nn.BatchNorm2d(3)(tg.ones(2, 4, 5, 5)),
            r"input has shape \(2, 4, 5, 5\); the running .* expect 3 ch",
        ),
        (lambda: nn.BatchNorm1d(3)(tg.ones(2, 3, 5, 5)), "BatchNorm1d: .* expected 2 or 3 dims"),
        (
            lambda: nn.Conv2d(1, 16, 3)(tg.ones(2, 3, 8, 8)),
            r"conv2d: input has 3 channels but weight \(16, 1, 3, 3\) expects 1 \(groups=1\); give a weight of shape",
        ),
        (lambda: nn.Conv2d(1, 16, 3)(tg.ones(64, 8, 8)), r"64 channels .*; for a batch .* unsqueeze\(1\)"),
        (lambda: nn.Conv2d(3, 16, 3)(tg.ones(2, 8, 8, 3)), r"8 channels .*; if the channels are the last .* movedim"),
        (lambda: nn.Conv1d(3, 16, 3)(tg.ones(2, 8, 3)), r"8 channels .*; if the channels are the last .* movedim"),
        (lambda: nn.Linear(3, 2)(tg.ones(4, 5)), r"linear: input has shape \(4, 5\).*weight \(2, 3\)"),
        (lambda: nn.MSELoss(reduction="no")(tg.ones(2), tg.ones(2)), "mse_loss: reduction is 'no'; it must be"),
        (
            lambda: F.batch_norm(tg.ones(2, 3), tg.ones(4), tg.ones(4)),
            r"batch_norm: input has shape \(2, 3\); the running statistics expect 4 channels",
        ),
        (lambda: nn.MaxPool2d(3)(tg.ones(1, 1, 2, 2)), "max_pool2d: "),
    ],
)
def test_wrong_arguments_are_explained(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_wrong_types_and_labels_are_explained():
    with pytest.raises(
        ValueError, match=r"Conv2d: kernel_size must be an integer or a pair of integers, not \(3, 3, 3\)"
    ):
        nn.Conv2d(3, 4, (3, 3, 3))
    with pytest.raises(TypeError, match=r"Linear: out_features is 2\.5; it must be an integer"):
        nn.Linear(2, 2.5)
    with pytest.raises(IndexError, match="cross_entropy: target contains 3; 3 classes expect labels 0 to 2"):
        nn.CrossEntropyLoss()(tg.ones(2, 3), tg.tensor([0, 3]))


ACTIVATIONS = {
    "ReLU(inplace=True)": (nn.ReLU(True), lambda x: np.maximum(x, 0)),
    "ReLU()": (nn.ReLU(), lambda x: np.maximum(x, 0)),
    "Sigmoid()": (nn.Sigmoid(), lambda x: 1 / (1 + np.exp(-x))),
    "Tanh()": (nn.Tanh(), np.tanh),
    "SiLU()": (nn.SiLU(), lambda x: x / (1 + np.exp(-x))),
    "SELU()": (nn.SELU(), lambda x: 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * np.expm1(x))),
    "LeakyReLU(negative_slope=0.2, inplace=True)": (nn.LeakyReLU(0.2, True), lambda x: np.where(x > 0, x, 0.2 * x)),
    "ELU(alpha=2.0)": (nn.ELU(2.0), lambda x: np.where(x > 0, x, 2 * np.expm1(x))),
    "GELU(approximate='none')": (nn.GELU(), lambda x: x * np.vectorize(lambda t: math.erfc(-t / 2**0.5) / 2)(x)),
    "Softplus(beta=2.0, threshold=20.0)": (nn.Softplus(2.0), lambda x: np.log1p(np.exp(2 * x)) / 2),
    "Hardtanh(min_val=-0.5, max_val=1.0)": (nn.Hardtanh(-0.5), lambda x: np.clip(x, -0.5, 1)),
    "Softmax(dim=0)": (nn.Softmax(0), lambda x: np.exp(x) / np.exp(x).sum(0)),
    "LogSoftmax(dim=1)": (nn.LogSoftmax(1), lambda x: x - np.log(np.exp(x).sum(1, keepdims=True))),
    "Identity()": (nn.Identity(3, any="thing"), lambda x: x),
    "Dropout(p=0.0, inplace=True)": (nn.Dropout(0.0, inplace=True), lambda x: x),
}


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations(name):
    layer, definition = ACTIVATIONS[name]
    x = np.random.default_rng(0).normal(size=(3, 4))
    before = x.copy()
    np.testing.assert_allclose(layer(tg.Tensor(x)).numpy(), definition(before), rtol=1e-9)
    np.testing.assert_array_equal(x, definition(before) if "inplace" in name else before)
    assert repr(layer) == name


def test_pooling_layers():
    x = np.random.default_rng(0).normal(size=(2, 3, 6, 4))
    windows = x.reshape(2, 3, 3, 2, 2, 2)
    np.testing.assert_allclose(nn.MaxPool2d(2)(tg.Tensor(x)).numpy(), windows.max((3, 5)))
    np.testing.assert_allclose(nn.AvgPool2d(2)(tg.Tensor(x)).numpy(), windows.mean((3, 5)))
    np.testing.assert_allclose(nn.AdaptiveAvgPool2d((3, 2))(tg.Tensor(x)).numpy(), windows.mean((3, 5)))
    values, places = nn.MaxPool2d(2, return_indices=True)(tg.Tensor(x))
    flat = np.take_along_axis(x.reshape(2, 3, 24), places.numpy().reshape(2, 3, 6), 2)
    np.testing.assert_array_equal(flat.reshape(2, 3, 3, 2), values.numpy())
    assert repr(nn.MaxPool2d(3, 2, ceil_mode=True)) == (
        "MaxPool2d(kernel_size=3, stride=2, padding=0, dilation=1, ceil_mode=True)"
    )
    assert repr(nn.AvgPool2d(2)) == "AvgPool2d(kernel_size=2, stride=2, padding=0)"
    assert repr(nn.AdaptiveAvgPool2d(1)) == "AdaptiveAvgPool2d(output_size=1)"
    assert repr(nn.Flatten()) == "Flatten(start_dim=1, end_dim=-1)"


def test_channels_may_be_shifted_without_being_scaled():
    x, b = tg.randn(3, 4, 5, dtype=tg.float64), tg.tensor([1.0, -2.0, 3.0, 0.5], dtype=tg.float64)
    plain = F.group_norm(x, 2).numpy()
    np.testing.assert_allclose(F.group_norm(x, 2, bias=b).numpy(), plain + b.numpy()[:, None], rtol=1e-12)
    np.testing.assert_allclose(F.group_norm(x, 2, weight=b).numpy(), plain * b.numpy()[:, None], rtol=1e-12)
    mean, var = tg.zeros(4, dtype=tg.float64), tg.ones(4, dtype=tg.float64)
    shifted = F.batch_norm(x, mean, var, None, b, eps=0.0)
    np.testing.assert_allclose(shifted.numpy(), x.numpy() + b.numpy()[:, None], rtol=1e-12)
    np.testing.assert_array_equal(
        ops.batch_norm(x, 2 * b, b).numpy(), F.batch_norm(x, None, None, 2 * b, b, training=True).numpy()
    )


def test_running_statistics_that_are_missing_are_asked_for():
    x, one = tg.ones(3, 2), tg.ones(2)
    for mean, var in ((None, one), (one, None), (None, None)):
        with pytest.raises(RuntimeError, match="running_mean and running_var are needed"):
            F.batch_norm(x, mean, var)
    with pytest.raises(RuntimeError, match=r"\(N, C, …\)"):
        F.batch_norm(tg.ones(3), one, one)


@pytest.mark.parametrize("make", [lambda: nn.RNN(3, 9), lambda: nn.GRUCell(3, 9), lambda: nn.LSTM(3, 9, proj_size=2)])
def test_weights_of_recurrent_layers_begin_on_both_sides_of_zero(make):
    for weight in make().parameters():
        assert -1 / 3 <= weight.min() < -0.05 < 0.05 < weight.max() <= 1 / 3
