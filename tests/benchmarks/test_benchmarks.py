"""The benchmarks themselves: they measure what they say, and refuse peers that compute something else."""

import subprocess
from types import FunctionType

import numpy as np
import pytest

import tinygrad_cnn as tg
from benchmarks import importing, limits, measure, networks, peers, report, sharing, sweep
from benchmarks.__main__ import agreeing
from benchmarks.arguments import KINDS, UNTIMED
from benchmarks.guard import Guard, failures
from benchmarks.measure import alternately, exponent


def test_peers_take_turns_and_medians_are_of_their_calls():
    calls = []
    steps = {"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}
    times = alternately(steps, least=3, most=3, seconds=0)
    assert calls == list("aabb" * 4)
    assert all(t["n"] == 3 and t["low"] <= t["median"] <= t["high"] for t in times.values())


def test_the_exponent_of_a_power_is_found():
    assert exponent([1, 2, 4], [3.0, 12.0, 48.0]) == pytest.approx(2)


@pytest.mark.usefixtures("given_back")
@pytest.mark.parametrize("name", networks.NETWORKS)
def test_a_peer_with_other_gradients_is_refused(name):
    given = networks.work(name, 1)
    agreeing(given, {peers.OURS: peers.ours, "the same": peers.ours})

    def wrong(given):
        right = peers.ours(given)
        loss, gradients = right.gradients()
        gradients[0] = 1.02 * gradients[0]
        return peers.Peer(right.step, lambda: (loss, gradients))

    with pytest.raises(AssertionError, match="parameter 0"):
        agreeing(given, {peers.OURS: peers.ours, "wrong": wrong})


def test_the_guard_finds_what_takes_too_long(monkeypatch):
    class Clock:
        """It goes only when somebody sleeps."""

        now = 0.0

        def perf_counter(self):
            return self.now

        def sleep(self, seconds):
            self.now += seconds

    clock = Clock()
    monkeypatch.setattr(measure, "time", clock)
    nap, longer = (lambda: clock.sleep(0.0005)), (lambda: clock.sleep(0.003))
    assert failures([Guard("as long", nap, nap, 3.0)]) == []
    (found,) = failures([Guard("six times", longer, nap, 3.0)])
    assert "six times" in found


def test_the_ratio_of_the_imports_is_that_of_what_each_adds():
    assert importing.ratio({"nothing": 10, "NumPy": 110, "ours": 160}) == pytest.approx(0.5)


def test_the_time_of_a_program_is_its_processor_time():
    sleeping, working = (importing.processor_time(p) for p in ("import time; time.sleep(0.5)", "sum(range(10**7))"))
    assert 0 < sleeping < working
    with pytest.raises(subprocess.CalledProcessError):
        importing.processor_time("raise SystemExit(3)")


def test_the_guard_finds_an_import_that_costs_too_much(monkeypatch):
    monkeypatch.setattr(importing, "medians", lambda: {"nothing": 10, "NumPy": 110, "ours": 260})
    (found,) = importing.failures()
    assert "1.50 times what NumPy's costs" in found
    monkeypatch.setattr(importing, "medians", lambda: {"nothing": 10, "NumPy": 110, "ours": 160})
    assert importing.failures() == []


def test_the_guard_finds_threads_that_make_a_step_slower(monkeypatch):
    monkeypatch.setattr(sharing, "SETS", ["numpy"])
    monkeypatch.setattr(sharing, "CASES", [("article", 64)])
    measured = [1.5, 1.3, 1.0, 1.5, 1.3, 1.4]
    monkeypatch.setattr(sharing, "ratio", lambda *case: measured.pop(0))
    assert sharing.failures() == []  # other processes computed during the first two
    (found,) = sharing.failures()
    assert "1.30 times as long" in found


def test_both_processes_of_a_case_time_its_steps():
    assert 0.01 < sharing.ratio("numpy", "article", 1, rounds=2) < 100


def test_a_kernel_that_reaches_little_of_the_machine_says_why():
    rows = [
        {"set": "numba", "kernel": "conv2d 64 to 64, 3x3, 32x32, depthwise", "ms": 1.0, "copy": 0.4},
        {"set": "numba", "kernel": "relu 32, 26x26", "ms": 1.0, "copy": 0.4},
        {"set": "numpy", "kernel": "conv2d 32 to 64, 3x3, 16x16, stride 2", "ms": 1.0, "gemm": 0.7},
    ]
    explained, puzzle, enough = limits.with_reasons(rows)
    assert "border" in explained["reason"]
    assert puzzle["reason"] == "not explained"
    assert enough["reason"] == ""
    assert "| 40 % | nine multiplications" in report.kernels_table(rows)


def test_a_page_says_where_we_are_slower():
    rows = [{"case": "c", "batch": 1, "threads": 1, "ratios": {peers.OURS: r}, "times": {}} for r in (0.5, 2, 4)]
    assert "slower in 1 of 3" in report.summary({"cases": rows})
    assert report.geometric_mean(rows, peers.OURS) == pytest.approx(np.cbrt(4.0))


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::RuntimeWarning")  # what is deprecated is timed, too
@pytest.mark.parametrize("kind", KINDS)
def test_the_sweep_calls_every_function_with_arguments_that_it_takes(kind):
    given = KINDS[kind]
    for name in given.names.split():
        arguments = given.arguments(1000, np.random.default_rng(0))
        sweep.call(tg, name, arguments, False, **(given.keywords or {}))()


def test_every_public_function_is_swept_or_named_with_its_reason():
    swept = {name.split(".")[-1] for _, name in sweep.cases()}
    left = {name for names in UNTIMED.values() for name in names.split()}
    for path in ("", "nn.functional.", "linalg.", "special."):
        module = sweep.reduce(getattr, path.split(".")[:-1], tg)
        for name, function in vars(module).items():
            public = isinstance(function, FunctionType) and name[0] != "_" and name[-1] != "_"
            if public and (path or name in tg.__all__) and function.__module__.startswith("tinygrad_cnn"):
                inner = function.__module__.endswith((".out", ".untracked", ".families", ".calling"))
                assert name in swept or path + name in left or inner, path + name


def test_the_exponent_of_growth_is_ours_less_theirs():
    rows = [{"size": n, "ours": n**2.0, "theirs": float(n)} for n in (10, 100, 1000)]
    assert sweep.growth(rows) == pytest.approx(1)
    assert "×  4.00" in sweep.line("a", "b", [{"size": 10, "ours": 4e-6, "theirs": 1e-6, "ratio": 4.0}])
