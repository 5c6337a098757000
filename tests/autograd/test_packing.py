"""Hooks on what the graph saves; beside PyTorch in `tests/parity/test_saved_hooks_parity.py`."""

import threading
import weakref

import numpy as np
import pytest

import tinygrad_cnn as tg
from tinygrad_cnn.autograd.graph import disable_saved_tensors_hooks, save_on_cpu, saved_tensors_hooks
from tinygrad_cnn.core.watch import watch


def test_what_is_saved_is_packed_and_unpacked():
    packed, unpacked = [], []
    x = tg.tensor([2.0, 3.0], requires_grad=True)
    with saved_tensors_hooks(lambda t: packed.append(t) or 10 * t, lambda t: unpacked.append(t) or t / 10):
        y = x.exp()
    y.sum().backward()
    assert [t.tolist() for t in packed] == [y.tolist()]
    assert unpacked[0].tolist() == pytest.approx([10 * v for v in y.tolist()])
    assert x.grad.tolist() == pytest.approx(y.tolist())
    assert watch.watcher is None


def test_memory_is_freed_when_it_is_packed_away():
    x = tg.ones(3, requires_grad=True)
    with saved_tensors_hooks(lambda t: t.tolist(), tg.tensor):
        h = x * 2
        y = h * h
    held = weakref.ref(h.array)
    del h
    assert held() is None
    y.sum().backward()
    assert x.grad.tolist() == [8.0] * 3


def test_hooks_are_those_of_a_thread():
    seen = []
    x = tg.ones(3, requires_grad=True)
    with saved_tensors_hooks(lambda t: seen.append(t) or t, lambda t: t):
        thread = threading.Thread(target=lambda: (x * x).sum().backward())
        thread.start()
        thread.join()
    assert seen == []
    assert x.grad.tolist() == [2.0] * 3


def test_several_watchers_are_told():
    x, seen = tg.zeros(2, requires_grad=True), []
    with (
        pytest.warns(UserWarning, match="only for finding mistakes|Error detected in SqrtBackward0"),
        tg.autograd.detect_anomaly(),
        np.errstate(all="ignore"),
        saved_tensors_hooks(lambda t: seen.append(1) or t, lambda t: t),
        pytest.raises(RuntimeError, match="'SqrtBackward0' returned nan"),
    ):
        (x.sqrt() * 0).sum().backward()
    assert seen
    assert watch.watcher is None


@pytest.mark.parametrize(
    ("unpack", "error", "message"),
    [
        (lambda t: 3, TypeError, "expected to be a Tensor but got result of type int"),
        (lambda t: t[:1], RuntimeError, r"unpack_hook returned shape \(1,\) for what was saved with shape \(3,\)"),
    ],
)
def test_what_unpack_has_to_return(unpack, error, message):
    x = tg.ones(3, requires_grad=True)
    with saved_tensors_hooks(lambda t: t, unpack):
        y = x.exp()
    with pytest.raises(error, match=message):
        y.sum().backward()


def test_pack_may_not_write():
    x = tg.ones(3, requires_grad=True)
    with saved_tensors_hooks(lambda t: t.add_(1), lambda t: t), pytest.raises(RuntimeError, match="pack a clone"):
        x.exp()


def test_hooks_may_be_refused():
    def hooks():
        return saved_tensors_hooks(lambda t: t, lambda t: t)

    with disable_saved_tensors_hooks("none here"), pytest.raises(RuntimeError, match="none here"), hooks():
        pass
    with hooks(), pytest.raises(RuntimeError, match="none here"), disable_saved_tensors_hooks("none here"):
        pass


@pytest.mark.parametrize("pin_memory", [False, True])
def test_saved_on_the_cpu(pin_memory):
    x = tg.ones(3, requires_grad=True)
    with save_on_cpu(pin_memory):
        y = x * x
    with tg.no_grad():
        x.add_(1)
    y.sum().backward()
    assert x.grad.tolist() == [2.0 if pin_memory else 4.0] * 3
