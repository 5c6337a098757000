"""What every test begins with and must leave as it was; Hypothesis' profiles; how many processes a run has.

Profiles: `ci` for every run, `thorough` for deep ones (HYPOTHESIS_PROFILE=thorough), `unshrunk` for scripts/mutation.
"""

import os
import random
import sys
from contextlib import contextmanager

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, settings

import tinygrad_cnn as tg
from tinygrad_cnn.backends import cuda, cudnn
from tinygrad_cnn.io.safe import add_safe_globals, clear_safe_globals, get_safe_globals
from tinygrad_cnn.ops import registry
from tinygrad_cnn.tensor.printing import options as printing

COMMON = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large]}
settings.register_profile("ci", max_examples=16, derandomize=True, **COMMON)
settings.register_profile("thorough", max_examples=1000, **COMMON)
settings.register_profile("unshrunk", settings.get_profile("ci"), phases=[Phase.explicit, Phase.generate])
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))

PROCESSORS = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
tg.set_num_threads(max(1, PROCESSORS // int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))))
"""This holds BLAS to one thread from the beginning, and not from the first test on that shares work. Its threads wait
for each other by spinning: where other processes were at work, tests/gradcheck/test_projections.py took five times as
long with two of them."""

MOST_WORKERS = 8
"""Each reads all tests before it runs any, and the longest test takes as long as all would in more processes."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config):
    """One process a processor, for the whole suite or a folder of it; no worker is waited for by single files."""
    files_only = all(not os.path.isdir(argument) for argument in config.args)
    return 0 if PROCESSORS == 1 or files_only else min(PROCESSORS, MOST_WORKERS)


def flags():
    return [(where, k, v) for where in (cudnn, cuda.matmul) for k, v in vars(where).items() if type(v) in (bool, int)]


OTHERS_OWN = ("PYTEST_CURRENT_TEST", "TORCHINDUCTOR_CACHE_DIR")
"""Variables that pytest and, where it imports its compiler, PyTorch set."""


def environment():
    return {k: v for k, v in os.environ.items() if k not in OTHERS_OWN}


def set_environment(values):
    for name in environment().keys() - values.keys():
        del os.environ[name]
    os.environ.update(values)


def set_search_path(value):
    sys.path[:] = value


def set_safe_globals(classes):
    clear_safe_globals()
    add_safe_globals(classes)


STATE = {
    "the default dtype": (tg.get_default_dtype, tg.set_default_dtype),
    "whether ops are recorded": (tg.is_grad_enabled, tg.set_grad_enabled),
    "inference mode": (tg.is_inference_mode_enabled, lambda value: None),  # it has no switch, only a block
    "anomaly mode": (
        lambda: (tg.is_anomaly_enabled(), tg.autograd.is_anomaly_check_nan_enabled()),
        lambda both: tg.autograd.set_detect_anomaly(*both),
    ),
    "the kernels": (tg.get_kernels, tg.set_kernels),
    "the number of threads": (tg.get_num_threads, tg.set_num_threads),
    "how tensors print": (lambda: dict(vars(printing)), lambda values: vars(printing).update(values)),
    "deterministic algorithms": (tg.are_deterministic_algorithms_enabled, tg.use_deterministic_algorithms),
    "the precision of products": (tg.get_float32_matmul_precision, tg.set_float32_matmul_precision),
    "the flags of the back ends": (flags, lambda found: [setattr(*flag) for flag in found]),
    "the classes that load may make": (get_safe_globals, set_safe_globals),
    "NumPy's treatment of errors": (np.geterr, lambda values: np.seterr(**values)),
    "how arrays print": (np.get_printoptions, lambda values: np.set_printoptions(**values)),
    "the environment": (environment, set_environment),
    "the current folder": (os.getcwd, os.chdir),
    "the search path": (lambda: list(sys.path), set_search_path),
    "Hypothesis' profile": (settings.get_current_profile_name, settings.load_profile),
}
"""What is the same for everybody in a process: how it is read, and how it is set."""


def difference(before, after):
    """The two, of dictionaries what is not in both."""
    if isinstance(before, dict):
        changed = {k for k in (*before, *after) if before.get(k) != after.get(k)}
        return tuple({k: v for k, v in each.items() if k in changed} for each in (before, after))
    return before, after


@contextmanager
def as_it_was():
    """What leaves anything changed is an error, and does not meet who comes next; ops declared inside are forgotten."""
    ops, before = dict(registry), {name: read() for name, (read, _) in STATE.items()}
    yield
    if registry != ops:
        registry.clear()
        registry.update(ops)
    left = []
    for name, (read, write) in STATE.items():
        if (after := read()) != before[name]:
            left.append(f"{name}: {difference(before[name], after)}")
            write(before[name])
    assert not left, f"this test leaves changed (before, after): {'; '.join(left)}"


@pytest.fixture(autouse=True)
def _no_test_changes_the_next():
    with as_it_was():
        yield


@pytest.fixture
def given_back():
    """For what chooses kernels and threads as a program does, once for its process: both are given back."""
    kernels, threads = tg.get_kernels(), tg.get_num_threads()
    yield
    tg.set_kernels(kernels)
    tg.set_num_threads(threads)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    """Every test draws the same numbers, and so do its fixtures, whatever ran before."""
    tg.manual_seed(0)
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002  for whoever still draws from it
    for value in vars(item.module).values() if hasattr(item, "module") else ():
        if isinstance(value, np.random.Generator):
            value.bit_generator.state = np.random.default_rng(0).bit_generator.state
