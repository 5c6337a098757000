"""What watches over the tests, watched: each thing that a test may leave changed is found, and set right."""

import os
import random
import sys

import numpy as np
import pytest
from hypothesis import settings

import tinygrad_cnn as tg
from tests import conftest
from tests.conftest import STATE, as_it_was, pytest_runtest_setup, pytest_xdist_auto_num_workers
from tinygrad_cnn import nn
from tinygrad_cnn.io.safe import add_safe_globals

SPOILT = {
    "the default dtype": lambda: tg.set_default_dtype(tg.float64),
    "whether ops are recorded": lambda: tg.set_grad_enabled(False),
    "anomaly mode": lambda: tg.autograd.set_detect_anomaly(True),
    "the kernels": lambda: tg.set_kernels("numba"),
    "the number of threads": lambda: tg.set_num_threads(tg.get_num_threads() + 1),
    "how tensors print": lambda: tg.set_printoptions(precision=2),
    "deterministic algorithms": lambda: tg.use_deterministic_algorithms(True),
    "the precision of products": lambda: tg.set_float32_matmul_precision("high"),
    "the flags of the back ends": lambda: setattr(tg.backends.cudnn, "benchmark", True),
    "the classes that load may make": lambda: add_safe_globals([nn.Linear]),
    "NumPy's treatment of errors": lambda: np.seterr(all="raise"),
    "how arrays print": lambda: np.set_printoptions(precision=2),
    "the environment": lambda: os.environ.update(SPOILT="yes"),
    "the current folder": lambda: os.chdir("/"),
    "the search path": lambda: sys.path.append("nowhere"),
    "Hypothesis' profile": lambda: settings.load_profile("thorough"),
}


@pytest.mark.parametrize("name", SPOILT)
def test_what_a_test_leaves_changed_is_found_and_set_right(name, given_back):
    if name == "the kernels":
        pytest.importorskip("numba", reason='Numba is not installed: pip install "tinygrad-cnn[fast]"')
        tg.set_kernels("numpy")
    before = STATE[name][0]()
    with pytest.raises(AssertionError, match=f"leaves changed.*{name}"), as_it_was():
        SPOILT[name]()
    assert STATE[name][0]() == before


def test_inference_mode_is_noticed_too():
    mode = tg.inference_mode()
    try:
        with pytest.raises(AssertionError, match="inference mode"), as_it_was():
            mode.__enter__()
    finally:
        mode.__exit__(None, None, None)
    assert {*SPOILT, "inference mode"} == set(STATE)


def test_ops_that_a_test_declares_are_forgotten():
    with as_it_was():
        type("Declared", (tg.Op,), {"forward": lambda x: x, "d_x": lambda g: g})
        assert "Declared" in tg.ops.registry
    assert "Declared" not in tg.ops.registry


def test_every_test_draws_the_same_numbers():
    def drawn():
        return tg.rand(2).tolist(), random.random(), np.random.rand()  # noqa: NPY002

    pytest_runtest_setup(None)
    first = drawn()
    assert drawn() != first
    pytest_runtest_setup(None)
    assert drawn() == first


@pytest.mark.parametrize(
    ("processors", "arguments", "workers"),
    [(2, ["tests"], 2), (1, ["tests"], 0), (64, ["tests"], 8), (2, ["tests/test_docs.py", "tests/a.py::test_b"], 0)],
)
def test_workers_are_started_for_folders_only(pytestconfig, monkeypatch, processors, arguments, workers):
    monkeypatch.chdir(pytestconfig.rootpath)
    monkeypatch.setattr(conftest, "PROCESSORS", processors)
    monkeypatch.setattr(pytestconfig, "args", arguments)
    assert pytest_xdist_auto_num_workers(pytestconfig) == workers
