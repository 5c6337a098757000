"""One mutant before its judges: the checks of tests/ops/test_gradients.py, one after another, on fixed samples.

The same functions as there, without Hypothesis around them: sample k is drawn by a generator seeded with k. After
them come the declared kinks, the value against the definition in tests/ops/test_forward.py and, for kernels, the
direct definitions in tests/kernels/test_kernels.py.
"""

import functools
import importlib.util
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType
from typing import Any, NamedTuple

import numpy as np

from mutation.targets import Target
from tinygrad_cnn.gradcheck.battery import CHECKS, check_exact_adjoint, check_kinks
from tinygrad_cnn.ops.draw import RandomDraw
from tinygrad_cnn.ops.op import Op, Sample, registry

ROOT = Path(__file__).parent.parent
SAMPLES = 40
"""As many as `run_on_forty_samples` of the gradient tests has."""


class Death(NamedTuple):
    """Which check killed a mutant, and how: by saying so, or because the mutant raised something else."""

    check: str
    how: str
    message: str


@functools.cache
def tests_of(path: str) -> Any:
    """A module of the tests, for its definitions."""
    spec = importlib.util.spec_from_file_location(path.replace("/", "_").removesuffix(".py"), ROOT / path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def check_value(op: type[Op], sample: Sample, random: np.random.Generator) -> None:
    """The value is that of the definition."""
    tests_of("tests/ops/test_forward.py").check_value(op, sample)


def check_kernels(kernel: str, random: np.random.Generator) -> None:
    """The kernels of a module agree with their definitions, however their work is cut up."""
    tests = tests_of("tests/kernels/test_kernels.py")
    for sampler, check in tests.DEFINITIONS.get(kernel, ()):
        check(sampler(RandomDraw(random)))


def steps(target: Target, samples: int) -> Iterator[tuple[str, Callable[[], None]]]:
    """Every check that a mutant of the target has to pass, in order: sample by sample, the cheap ones first."""
    ops = [registry[name] for name in target.ops]
    for seed in range(samples):
        for op in ops:
            sample = op.sample(RandomDraw(np.random.default_rng(seed)))
            for check in (*CHECKS, *([check_exact_adjoint] if op.linear else [])):
                yield check.__name__, functools.partial(check, op, sample, np.random.default_rng(seed))
        if not seed:
            for op in ops:
                yield "check_kinks", functools.partial(check_kinks, op)
    for seed in range(samples):
        for op in ops if target.kind != "rule" else ():
            sample = op.sample(RandomDraw(np.random.default_rng(seed)))
            yield "check_value", functools.partial(check_value, op, sample, np.random.default_rng(seed))
        if target.kind == "kernel":
            kernel = target.name.rpartition(".")[0]
            yield "check_kernels", functools.partial(check_kernels, kernel, np.random.default_rng(seed))


def trial(target: Target, samples: int = SAMPLES) -> Death | None:
    """What kills the target as it is now; None if it passes everything. Warnings are errors, as in the tests."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name, step in steps(target, samples):
            try:
                step()
            except Exception as error:
                how = "said" if isinstance(error, AssertionError) else "raised"
                return Death(name.removeprefix("check_"), how, f"{type(error).__name__}: {error}"[:300])
    return None


@contextmanager
def mutated(target: Target, code: CodeType) -> Iterator[None]:
    """Inside the block the target runs this code, for everybody who holds it."""
    right = target.function.__code__
    target.function.__code__ = code
    try:
        yield
    finally:
        target.function.__code__ = right
