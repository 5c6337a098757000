"""Whatever an interrupt hits on the way into a ``with`` block, in it, or out of it: afterwards all is as it was."""

import dis
import gc
import os
import sys
import threading
import warnings

import pytest

import tinygrad_cnn as tg
from tinygrad_cnn.autograd import anomaly, packing, watching
from tinygrad_cnn.autograd import switch as switches
from tinygrad_cnn.utils.checkpoint import checkpoint

ROOM = os.path.dirname(switches.__file__)


class Interrupt(KeyboardInterrupt):
    pass


def interrupted(function, moment):
    """Whether the function was interrupted at the moment-th place in the switches where Python lets a signal in.

    It does so at the start of a function, after a call, and at the end of a loop's round.
    """
    count, after = 0, {}

    def trace(frame, event, argument):
        nonlocal count
        code = frame.f_code
        if not code.co_filename.startswith(ROOM) or code.co_name == "__del__" or count >= moment:
            return None
        frame.f_trace_opcodes = True
        if event == "call" or (event == "opcode" and after.get(frame, "").startswith(("CALL", "JUMP_BACKWARD"))):
            count += 1
            if count == moment:
                raise Interrupt
        if event == "opcode":
            after[frame] = dis.opname[code.co_code[frame.f_lasti]]
        return trace

    outside = sys.gettrace()
    sys.settrace(trace)
    try:
        function()
    except Interrupt:
        return True
    finally:
        sys.settrace(outside)
        after.clear()
    return False


def state():
    return (
        tg.is_grad_enabled(),
        tg.is_inference_mode_enabled(),
        anomaly.state.enabled,
        anomaly.state.check_nan,
        packing._here.hooks,
    )


def in_block(make):
    def run():
        with make():
            pass

    return run


def decorated(make):
    @make()
    def run():
        pass

    return run


def generator():
    @tg.no_grad()
    def numbers():
        yield 1
        yield 2

    list(numbers())


def nested():
    with tg.no_grad(), tg.enable_grad(), tg.inference_mode(), tg.no_grad():
        pass


def quiet_anomaly():
    with warnings.catch_warnings(action="ignore"):
        return tg.autograd.detect_anomaly()


SWITCHES = {
    "no_grad": in_block(tg.no_grad),
    "no_grad, decorated": decorated(tg.no_grad),
    "enable_grad": in_block(tg.enable_grad),
    "inference_mode": in_block(tg.inference_mode),
    "set_grad_enabled": in_block(lambda: tg.set_grad_enabled(True)),
    "nested": nested,
    "a generator": generator,
    "detect_anomaly": in_block(quiet_anomaly),
    "saved_tensors_hooks": in_block(lambda: tg.autograd.graph.saved_tensors_hooks(lambda t: t, lambda t: t)),
    "disable_saved_tensors_hooks": in_block(lambda: tg.autograd.graph.disable_saved_tensors_hooks("no")),
    "grad": lambda: tg.func.grad(lambda x: (x * x).sum())(tg.tensor([1.0, 2.0])),
    "checkpoint": lambda: (
        checkpoint(lambda x: x.exp(), tg.ones(2, requires_grad=True), use_reentrant=False).sum().backward()
    ),
}


@pytest.mark.parametrize("name", SWITCHES)
def test_an_interrupt_at_any_moment_leaves_the_mode_as_it_was(name):
    found, watchers, moment = state(), len(watching._watchers), 1
    while interrupted(SWITCHES[name], moment):
        gc.collect(0)
        assert state() == found, f"after the interrupt at place {moment}"
        moment += 1
    assert moment > 1
    assert state() == found
    del watching._watchers[watchers:]  # told of what nobody asks for any more, after an interrupt between two changes
    watching._appoint()


def test_the_mode_that_is_given_back_is_that_of_the_thread_that_entered():
    managers, found = [tg.no_grad()], []

    def enter():
        managers[0].__enter__()
        found.append(tg.is_grad_enabled())
        held.set()
        dropped.wait(10)
        found.append(tg.is_grad_enabled())

    held, dropped = threading.Event(), threading.Event()
    thread = threading.Thread(target=enter)
    thread.start()
    held.wait(10)
    with tg.set_grad_enabled(False):
        managers.clear()
        dropped.set()
        thread.join()
        assert found == [False, True]
        assert not tg.is_grad_enabled()


def test_a_switch_that_was_only_called_stays():
    try:
        tg.set_grad_enabled(False)
        gc.collect()
        assert not tg.is_grad_enabled()
    finally:
        tg.set_grad_enabled(True)
