"""What several threads share: leaves, nodes of a graph, hooks, what is written in place."""

import sys
import threading

import pytest

import tinygrad_cnn as tg

TIMES = 300


@pytest.fixture
def at_once():
    """Runs a function in eight threads, which take turns as often as Python lets them."""

    def run(function):
        failed = []

        def caught():
            try:
                for _ in range(TIMES):
                    function()
            except BaseException as error:
                failed.append(error)

        threads = [threading.Thread(target=caught) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failed == []

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield run
    sys.setswitchinterval(before)


def test_no_gradient_of_a_leaf_is_lost(at_once):
    w = tg.zeros(3, requires_grad=True)
    at_once(lambda: (w * 1).sum().backward())
    assert w.grad.tolist() == [8.0 * TIMES] * 3


def test_no_recorded_gradient_of_a_leaf_is_lost(at_once):
    w = tg.zeros(3, requires_grad=True)
    at_once(lambda: (w * w + w).sum().backward(create_graph=True))
    assert w.grad.tolist() == [8.0 * TIMES] * 3


def test_threads_may_go_back_through_one_graph(at_once):
    w = tg.full((3,), 2.0, requires_grad=True)
    inner = w * w
    inner.retain_grad()
    seen = []
    inner.register_hook(lambda g: seen.append(1))
    y = (inner * 3).sum()
    at_once(lambda: y.backward(retain_graph=True))
    assert len(seen) == 8 * TIMES
    assert inner.grad.tolist() == [24.0 * TIMES] * 3
    assert w.grad.tolist() == [96.0 * TIMES] * 3


def test_hooks_may_come_and_go_while_other_threads_go_back(at_once):
    w = tg.zeros(3, requires_grad=True)
    counted = []
    w.register_hook(lambda g: counted.append(1))

    def come_and_go():
        handles = [w.register_hook(lambda g: None), w.register_post_accumulate_grad_hook(lambda p: None)]
        (w * 1).sum().backward()
        for handle in handles:
            handle.remove()

    at_once(come_and_go)
    assert len(counted) == 8 * TIMES
    assert w.grad.tolist() == [8.0 * TIMES] * 3


def test_one_thread_only_may_free_a_graph(at_once):
    """The others are told that it was freed."""
    w, told = tg.full((3,), 2.0, requires_grad=True), []
    shared = []

    def back():
        if not shared:
            shared.append((w * w).exp().sum())
        try:
            shared[-1].backward()
            shared.append((w * w).exp().sum())
        except RuntimeError as error:
            told.append(str(error))

    at_once(back)
    assert all("were freed by an earlier backward pass" in text for text in told)


def test_every_write_is_noticed_whoever_makes_it(at_once):
    def write():
        x = tg.ones(3, requires_grad=True)
        h = x * 1
        y = (h * h).sum()
        with tg.no_grad():
            h.add_(1)
        with pytest.raises(RuntimeError, match="modified by an in-place operation"):
            y.backward()

    at_once(write)
