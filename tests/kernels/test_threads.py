"""The pool of threads: what it computes, and that no interrupt, wherever it comes, is felt by who uses it next."""

import dis
import math
import os
import signal
import subprocess
import sys
import threading
import time
from itertools import count
from pathlib import Path

import pytest

import tinygrad_cnn as tg
from tests.kernels.interrupted import WORK
from tests.profiles import THOROUGH
from tinygrad_cnn.kernels import passes, threads
from tinygrad_cnn.kernels.threads import in_threads

ROOT = Path(__file__).parents[2]


@pytest.fixture
def three_threads():
    before = tg.get_num_threads()
    tg.set_num_threads(3)
    yield
    tg.set_num_threads(before)


def squares(shares):
    return in_threads(lambda k: k * k, shares)


def check_pool_is_in_order():
    assert threads._pool.used == {}
    for k in range(3):
        assert squares([k, k + 10, k + 20]) == [k * k, (k + 10) ** 2, (k + 20) ** 2]


class InterruptAt:
    """Raises KeyboardInterrupt at the k-th moment at which Python could see a signal while it is in these files.

    Python looks for signals when a function is entered, after a call, and at the end of each round of a loop.
    """

    def __init__(self, k, *files):
        self.moments, self.files = count(-k), files
        self.last = {}

    def __call__(self, frame, event, argument):
        if frame.f_code.co_filename not in self.files:
            return None
        frame.f_trace_opcodes = True
        before = self.last.get(frame, "")
        name = dis.opname[frame.f_code.co_code[frame.f_lasti]] if event == "opcode" else ""
        if event == "opcode":
            self.last[frame] = name
        looks = event == "call" or (event == "opcode" and before.startswith(("CALL", "JUMP_BACKWARD")))
        if looks and next(self.moments) == 0:
            raise KeyboardInterrupt
        return self


def test_an_interrupt_at_any_moment_leaves_the_pool_in_order(three_threads, monkeypatch):
    begun, ended, run = [], [], threads._Worker.run

    def noted(worker):
        begun.append(worker)
        run(worker)
        ended.append(worker)

    monkeypatch.setattr(threads, "_pool", threads._Pool())
    monkeypatch.setattr(threads._Worker, "run", noted)
    for fresh in (False, True):  # with the workers of the call before, and with workers to be made
        for k in count():
            if fresh:
                left, threads._pool.workers = threads._pool.workers, []
                threads.stop(left)
            try:
                sys.settrace(InterruptAt(k, threads.__file__, threading.__file__))
                try:
                    found = squares([1, 2, 3])
                finally:
                    sys.settrace(None)
            except KeyboardInterrupt:
                check_pool_is_in_order()
            else:
                assert found == [1, 4, 9]
                break
        assert k > (40 if fresh else 20)
    threads.stop(threads._pool.workers)
    for _ in range(100):  # one that was interrupted while it began ends a moment later
        if len(begun) == len(ended):
            break
        time.sleep(0.05)
    assert len(begun) == len(ended) > 20


@pytest.mark.parametrize("failing", [0, 1, 2])
def test_an_error_of_any_share_comes_out_when_the_others_have_ended(failing, three_threads):
    ended = []

    def work(k):
        if k == failing:
            raise ZeroDivisionError(f"share {k}")
        ended.append(k)

    with pytest.raises(ZeroDivisionError, match=f"share {failing}"):
        in_threads(work, [0, 1, 2])
    assert sorted(ended) == sorted({0, 1, 2} - {failing} if failing else ended)
    check_pool_is_in_order()


def test_who_finds_the_pool_in_use_computes_alone(three_threads):
    names = set()

    def inner(k):
        names.add(threading.current_thread())
        return k + 1

    assert in_threads(lambda k: squares([k]) + in_threads(inner, [k, k]), [1, 2]) == [[1, 2, 2], [4, 3, 3]]
    assert len(names) == 2
    check_pool_is_in_order()


def test_where_the_system_gives_no_thread_all_is_computed_here(three_threads, monkeypatch):
    def refused(worker):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threads, "_pool", threads._Pool())
    monkeypatch.setattr(threads._Worker, "start", refused)
    check_pool_is_in_order()


HELD = """
import sys
import numpy as np
import threadpoolctl
import tinygrad_cnn as tg

def blas():
    return {b["filepath"]: b["num_threads"] for b in threadpoolctl.threadpool_info() if b["user_api"] == "blas"}

before = blas()  # Numba loads another one later, that of SciPy
tg.set_kernels(sys.argv[1])
count = tg.get_num_threads()
tg.nn.Conv2d(3, 4, 3)(tg.ones(2, 3, 8, 8))
print(count, tg.get_num_threads(), [(before[name], blas()[name]) for name in before])
"""


@pytest.mark.parametrize("kernels", ["numpy", "numba"])
def test_blas_has_one_thread_from_the_first_kernel_on_that_may_have_several(kernels):
    if kernels == "numba":
        pytest.importorskip("numba", reason='Numba is not installed: pip install "tinygrad-cnn[fast]"')
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "2"}
    command = [sys.executable, "-c", HELD, kernels]
    run = subprocess.run(command, capture_output=True, text=True, timeout=600, env=environment, check=True)
    count, again, blas = run.stdout.split(maxsplit=2)
    assert count == again == "2"
    assert blas.strip() == "[(2, 1)]"


def test_results_do_not_depend_on_how_long_it_takes_to_hand_over_work(three_threads, monkeypatch):
    monkeypatch.setattr(passes, "WORTH_SHARING", 1)
    tasks, found = [slice(k, k + 2) for k in range(0, 14, 2)], []
    for delay in (1.0, math.inf):
        monkeypatch.setattr(passes, "delay", lambda delay=delay: delay)
        who = set()

        def work(some, who=who):
            who.add(threading.current_thread())
            return list(some)

        found.append((passes.share(tasks, work, cost=2), len(who)))
    assert found == [(found[0][0], 3), (found[0][0], 1)]


@pytest.mark.parametrize(("seconds", "least", "most"), [(0, 1, 1), (0.002, 2, 16), (0.05, 16, 16)])
def test_a_slow_hand_over_raises_what_is_worth_sharing(seconds, least, most):
    assert least <= threads.times_of(lambda: time.sleep(seconds), 0.001) <= most


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no interval timers")
@pytest.mark.parametrize("kernels", ["numpy", "numba"])
@pytest.mark.parametrize("work", WORK if THOROUGH else ["convolutions", "playback", "loader"])
def test_after_interrupts_at_random_moments_the_numbers_are_right(kernels, work):
    if kernels == "numba":
        pytest.importorskip("numba", reason='Numba is not installed: pip install "tinygrad-cnn[fast]"')
    often = 200 if THOROUGH else 20
    command = [sys.executable, "-m", "tests.kernels.interrupted", kernels, work, str(often)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=600, cwd=ROOT)
    assert run.stdout.startswith(f"{often} interrupts in"), run.stdout + run.stderr
