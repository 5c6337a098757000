"""One mutant before its judges: the checks of tests/ops/test_gradients.py, one after another, on fixed samples.

The same functions as there, without Hypothesis around them: sample k is drawn by a generator seeded with k. After
them come the declared kinks and, for what is more than a rule, the value of the op against tests/ops/test_forward.py
and that of the function against the definition that the tests of its room have.
"""

import functools
import importlib.util
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import CodeType
from typing import Any, NamedTuple

import numpy as np
import pytest

import tinygrad_cnn
from scripts.mutation import suites
from scripts.mutation.targets import Target
from tinygrad_cnn.core.draw import Draw
from tinygrad_cnn.core.op import Op, Sample, registry
from tinygrad_cnn.gradcheck.battery import CHECKS, Check, check_exact_adjoint, check_kinks
from tinygrad_cnn.gradcheck.drawing import RandomDraw

ROOT, SOURCE = Path(__file__).parents[2], Path(tinygrad_cnn.__file__).parents[1]
"""Where the tests are, and where the package is: if it is installed, elsewhere."""
SAMPLES = 100
"""Of each op that answers for a function that is more than its rule, a quarter of them: there are several."""


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


def load() -> None:
    """Read all of them, so that processes forked from this one need not."""
    for path in ("tests/ops/test_forward.py", *DEFINITIONS.values()):
        tests_of(path)


def check_value(op: type[Op], sample: Sample, random: np.random.Generator) -> None:
    """The value is that of the definition."""
    tests_of("tests/ops/test_forward.py").check_value(op, sample)


DEFINITIONS = {"kernels": "tests/kernels/test_kernels.py", "core": "tests/autograd/test_engine.py"}
"""Where a room keeps the samplers and the checks of its functions, by module."""


def definitions(target: Target) -> list[tuple[Callable[[Draw], Any], Callable[[Any], None]]]:
    """Samplers and checks that compare a function below the ops with its definition."""
    room, module, *_ = target.name.split(".")
    if room not in DEFINITIONS:
        return []
    pairs: list[Any] = tests_of(DEFINITIONS[room]).DEFINITIONS.get(f"{room}.{module}", [])
    return pairs


def check_definition(sampler: Callable[[Draw], Any], check: Callable[[Any], None], seed: int) -> None:
    """A function below the ops does what its definition does."""
    check(sampler(RandomDraw(np.random.default_rng(seed))))


def check_at(seed: int, check: Check, op: type[Op], sample: Sample) -> None:
    """A check of an op, with the same random numbers however often it is made."""
    check(op, sample, np.random.default_rng(seed))


def steps(target: Target, samples: int) -> Iterator[tuple[str, Callable[[], None]]]:
    """Every check that a mutant of the target has to pass, in order: sample by sample, the cheap ones first."""
    ops = [registry[name] for name in target.ops]
    for seed in range(samples):
        for op in ops if target.kind == "rule" or seed < samples / 4 else ():
            sample = op.sample(RandomDraw(np.random.default_rng(seed)))
            more: tuple[Check, ...] = (check_exact_adjoint,) if op.linear else ()
            more += (check_value,) if target.kind != "rule" else ()
            for check in (*CHECKS, *more):
                yield check.__name__, functools.partial(check_at, seed, check, op, sample)
            if not seed:
                yield "check_kinks", functools.partial(check_kinks, op)
        for sampler, defined in definitions(target):
            yield "check_definition", functools.partial(check_definition, sampler, defined, seed)


def trial(
    target: Target, samples: int = SAMPLES, right: CodeType | None = None, tests: Sequence[pytest.Item] = ()
) -> Death | None:
    """What kills the target as it is now; None if it passes everything. Warnings are errors, as in the tests.

    A check that the `right` code does not pass either decides nothing: differences are too coarse at some samples.
    Those of the `tests` that answer for the target come last.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name, step in steps(target, samples):
            if (error := raised(step)) is None:
                continue
            if right is not None:
                with mutated(target, right):
                    if raised(step) is not None:
                        continue
            how = "said" if isinstance(error, AssertionError) else "raised"
            return Death(name.removeprefix("check_"), how, f"{type(error).__name__}: {error}"[:300])
    failure = suites.first_failure(suites.chosen(tests, target.tests))
    return None if failure is None else Death(*failure)


def raised(step: Callable[[], None]) -> Exception | None:
    """What a check raises."""
    try:
        step()
    except Exception as error:
        return error
    return None


@contextmanager
def mutated(target: Target, code: CodeType) -> Iterator[CodeType]:
    """Inside the block the target runs this code, for everybody who holds it; gives the code that it ran before."""
    right: CodeType = target.function.__code__
    target.function.__code__ = code
    if target.name.startswith("kernels.compiled."):
        from scripts.mutation import machine  # needs Numba

        machine.forget(target.function)
    try:
        yield right
    finally:
        target.function.__code__ = right
