"""Checkpoints: the same gradients with less memory; beside PyTorch in `tests/parity/test_saved_hooks_parity.py`."""

import weakref

import pytest

import tinygrad_cnn as tg
from tinygrad_cnn import nn
from tinygrad_cnn.utils import checkpoint as room
from tinygrad_cnn.utils.checkpoint import checkpoint, checkpoint_sequential


def network():
    tg.manual_seed(0)
    return nn.Sequential(*(layer for _ in range(4) for layer in (nn.Linear(5, 5), nn.Tanh(), nn.Dropout(0.2))))


def gradients(call):
    net = network()
    x = tg.linspace(-1, 1, 10).reshape(2, 5).requires_grad_()
    tg.manual_seed(1)
    call(net, x).sum().backward()
    return [x.grad.tolist(), *(p.grad.tolist() for p in net.parameters())]


@pytest.mark.parametrize("reentrant", [False, True])
def test_the_gradients_are_the_same(reentrant):
    expected = gradients(lambda net, x: net(x))
    assert gradients(lambda net, x: checkpoint(net, x, use_reentrant=reentrant)) == expected
    assert gradients(lambda net, x: checkpoint_sequential(net, 3, x, use_reentrant=reentrant)) == expected


def test_what_is_in_between_is_not_kept():
    held = []

    def function(x):
        y = x.exp()
        held.append(weakref.ref(y.array))
        return y.sin()

    x = tg.ones(3, requires_grad=True)
    y = checkpoint(function, x, use_reentrant=False)
    assert held[0]() is None
    y.sum().backward()
    assert x.grad.tolist() == pytest.approx([tg.e * tg.cos(tg.tensor(tg.e)).item()] * 3)


def test_what_cannot_be_asked_of_the_older_way():
    x = tg.ones(3, requires_grad=True)
    with pytest.warns(UserWarning, match="use_reentrant parameter should be passed explicitly"):
        y = checkpoint(lambda x: x.exp(), x)
    with pytest.raises(RuntimeError, match=r"incompatible with .grad\(\)"):
        tg.autograd.grad(y.sum(), x)
    with pytest.raises(ValueError, match="unexpected keyword arguments k"):
        checkpoint(lambda x, k: x, x, k=1, use_reentrant=True)
    with pytest.raises(ValueError, match="only for use_reentrant=False"):
        checkpoint(lambda x: x, x, debug=True, use_reentrant=True)
    with pytest.warns(UserWarning, match="None of the inputs have requires_grad=True"):
        checkpoint(lambda x: x, tg.ones(1), use_reentrant=True)
    with pytest.raises(ValueError, match="unexpected keyword arguments k"):
        checkpoint_sequential(network(), 2, x, use_reentrant=True, k=1)
    with pytest.warns(UserWarning, match="checkpoint_sequential: the use_reentrant"):
        checkpoint_sequential([tg.exp, tg.sin], 2, x)
    y = checkpoint(lambda x: x.detach(), x, use_reentrant=True)
    with pytest.raises(RuntimeError, match="none of output has requires_grad=True"):
        y.sum().backward()


@pytest.mark.parametrize(
    ("later", "message"),
    [
        (lambda x: x.sin(), "a different number of tensors was saved when it was computed again: 3 before, 1 now"),
        (lambda x: (x[:1] * x[:1]).sin(), r"number 0: \(2,\), torch.float32 before, \(1,\), torch.float32 now"),
    ],
)
def test_what_is_computed_again_must_be_the_same(later, message):
    calls = []

    def function(x):
        calls.append(1)
        return (x * x).sin() if len(calls) == 1 else later(x)

    y = checkpoint(function, tg.ones(2, requires_grad=True), use_reentrant=False)
    with pytest.raises(room.CheckpointError, match=message):
        y.sum().backward()
    with pytest.raises(ValueError, match="determinism_check is 'all'"):
        checkpoint(function, tg.ones(2), use_reentrant=False, determinism_check="all")


def test_switches_and_what_is_not_here():
    calls = []

    def function(x):
        y = x.exp()
        calls.append(1)
        return y + 1

    x = tg.ones(2, requires_grad=True)
    for early, count in ((True, 1), (False, 3)):
        with room.set_checkpoint_early_stop(early), room.set_checkpoint_debug_enabled(True):
            checkpoint(function, x, use_reentrant=False).sum().backward()
        assert len(calls) == count
    with pytest.raises(AttributeError, match="checkpoint its parts"):
        room.CheckpointPolicy
