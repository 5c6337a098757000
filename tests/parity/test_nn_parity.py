"""Layers, initialisation, state dicts, optimisers and schedules against PyTorch."""

import numpy as np
import pytest
import torch

import tinygrad_cnn as tg
from tinygrad_cnn import nn, optim

LAYERS = [
    (lambda n: n.Linear(5, 3), (4, 5)),
    (lambda n: n.Linear(5, 3, bias=False), (2, 4, 5)),
    (lambda n: n.Conv2d(2, 4, 3, stride=2, padding=1, dilation=1, groups=2), (3, 2, 7, 6)),
    (lambda n: n.Conv2d(2, 4, (3, 1), padding="same", bias=False), (3, 2, 7, 6)),
    (lambda n: n.Conv1d(2, 4, 3, 2, 1), (3, 2, 8)),
    (lambda n: n.ConvTranspose2d(2, 4, 3, 2, 1, 1), (3, 2, 5, 4)),
    (lambda n: n.BatchNorm2d(3), (4, 3, 5, 5)),
    (lambda n: n.BatchNorm2d(3, momentum=None, affine=False), (4, 3, 5, 5)),
    (lambda n: n.BatchNorm1d(3, track_running_stats=False), (4, 3)),
    (lambda n: n.LayerNorm((3, 5)), (4, 3, 5)),
    (lambda n: n.MaxPool2d(2), (2, 3, 7, 6)),
    (lambda n: n.MaxPool2d(3, 2, padding=1, ceil_mode=True), (2, 3, 7, 6)),
    (lambda n: n.AvgPool2d(2, padding=1, count_include_pad=False), (2, 3, 7, 6)),
    (lambda n: n.AdaptiveAvgPool2d((3, 2)), (2, 3, 7, 6)),
    (lambda n: n.Flatten(), (2, 3, 4)),
    (lambda n: n.Identity(), (2, 3)),
    (lambda n: n.ReLU(), (2, 3)),
    (lambda n: n.LeakyReLU(0.1), (2, 3)),
    (lambda n: n.ELU(), (2, 3)),
    (lambda n: n.SELU(), (2, 3)),
    (lambda n: n.GELU(), (2, 3)),
    (lambda n: n.SiLU(), (2, 3)),
    (lambda n: n.Softplus(), (2, 3)),
    (lambda n: n.Hardtanh(), (2, 3)),
    (lambda n: n.Sigmoid(), (2, 3)),
    (lambda n: n.Tanh(), (2, 3)),
    (lambda n: n.Softmax(dim=1), (2, 3)),
    (lambda n: n.LogSoftmax(dim=1), (2, 3)),
    (lambda n: n.Dropout(0.0), (2, 3)),
    (lambda n: n.Sequential(n.Conv2d(1, 2, 3), n.ReLU(), n.Flatten(), n.Linear(8, 2)), (3, 1, 4, 4)),
]


def twins(make):
    """The layer here and there, with the same weights."""
    ours, theirs = make(nn).double(), make(torch.nn).double()
    ours.load_state_dict({name: value.numpy() for name, value in theirs.state_dict().items()})
    return ours, theirs


@pytest.mark.parametrize(("make", "shape"), LAYERS)
@pytest.mark.parametrize("training", [True, False])
def test_layers(make, shape, training):
    ours, theirs = twins(make)
    ours.train(training)
    theirs.train(training)
    assert repr(ours) == repr(theirs)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    for seed in range(2):  # twice, so that running statistics are used after they were changed
        x = np.random.default_rng(seed).normal(size=shape)
        a, b = tg.Tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
        y, t = ours(a), theirs(b)
        np.testing.assert_allclose(y.detach().numpy(), t.detach().numpy(), rtol=1e-9, atol=1e-10)
        v = np.random.default_rng(9).normal(size=y.shape)
        y.backward(v)
        t.backward(torch.tensor(v))
        np.testing.assert_allclose(a.grad.numpy(), b.grad.numpy(), rtol=1e-8, atol=1e-9)
    for (name, p), q in zip(ours.named_parameters(), theirs.parameters(), strict=True):
        np.testing.assert_allclose(p.grad.numpy(), q.grad.numpy(), rtol=1e-8, atol=1e-9, err_msg=name)
    for (name, p), q in zip(ours.state_dict().items(), theirs.state_dict().values(), strict=True):
        np.testing.assert_allclose(p.numpy(), q.numpy(), rtol=1e-9, err_msg=name)


@pytest.mark.parametrize(
    "make",
    [
        lambda n: n.Linear(40, 400),
        lambda n: n.Conv2d(8, 64, 5),
        lambda n: n.Conv2d(8, 64, 5, groups=4),
        lambda n: n.Conv1d(8, 64, 5),
        lambda n: n.ConvTranspose2d(16, 32, 3),
    ],
)
def test_layers_begin_alike(make):
    tg.manual_seed(0)
    torch.manual_seed(0)
    ours, theirs = make(nn), make(torch.nn)
    for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert p.shape == tuple(q.shape)
        n = p.numel()
        a, b = p.detach().numpy(), q.detach().numpy()
        assert abs(a.std() / b.std() - 1) < 6 / np.sqrt(n)
        assert abs(np.abs(a).max() / np.abs(b).max() - 1) < 30 / n


def test_a_module_with_names_of_its_own():
    def make(n):
        class Net(n.Module):
            def __init__(self):
                super().__init__()
                self.body = n.Sequential(n.Linear(2, 3), n.ReLU())
                self.heads = n.ModuleList([n.Linear(3, 1), n.Linear(3, 2)])

        return Net()

    ours, theirs = make(nn), make(torch.nn)
    assert repr(ours) == repr(theirs)
    assert [n for n, _ in ours.named_parameters()] == [n for n, _ in theirs.named_parameters()]
    assert [n for n, _ in ours.named_modules()] == [n for n, _ in theirs.named_modules()]


def test_a_training_run_follows_pytorch_step_for_step():
    ours, theirs = twins(
        lambda n: n.Sequential(
            n.Conv2d(1, 4, 3), n.BatchNorm2d(4), n.ReLU(), n.MaxPool2d(2), n.Flatten(), n.Linear(36, 3)
        )
    )
    a = optim.SGD(ours.parameters(), lr=0.1, momentum=0.9)
    b = torch.optim.SGD(theirs.parameters(), lr=0.1, momentum=0.9)
    random = np.random.default_rng(0)
    for _ in range(5):
        x, labels = random.normal(size=(8, 1, 8, 8)), random.integers(0, 3, 8)
        a.zero_grad()
        b.zero_grad()
        p = nn.CrossEntropyLoss()(ours(tg.Tensor(x)), tg.Tensor(labels))
        q = torch.nn.CrossEntropyLoss()(theirs(torch.tensor(x)), torch.tensor(labels))
        assert p.item() == pytest.approx(q.item(), rel=1e-9)
        p.backward()
        q.backward()
        a.step()
        b.step()
    for s, t in zip(ours.state_dict().values(), theirs.state_dict().values(), strict=True):
        np.testing.assert_allclose(s.numpy(), t.numpy(), rtol=1e-7)


@pytest.mark.parametrize(
    "call",
    [
        lambda n, o, p: o.SGD([p], lr=-1.0),
        lambda n, o, p: o.SGD([p], lr=0.1, nesterov=True),
        lambda n, o, p: o.Adam([p], betas=(1.0, 0.9)),
        lambda n, o, p: o.SGD([]),
        lambda n, o, p: n.Conv2d(3, 4, 3, groups=2),
        lambda n, o, p: n.Dropout(1.5),
        lambda n, o, p: n.CrossEntropyLoss(reduction="no")(p, p),
    ],
)
def test_wrong_settings_are_a_value_error_here_and_there(call):
    with pytest.raises(ValueError):
        call(torch.nn, torch.optim, torch.nn.Parameter(torch.ones(2, 2)))
    with pytest.raises(ValueError):
        call(nn, optim, nn.Parameter(np.ones((2, 2))))
