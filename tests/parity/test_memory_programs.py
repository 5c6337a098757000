"""Views, writes in place, derivatives and files in random programs: the same in PyTorch and here, after every line."""

import warnings
from collections import Counter
from contextlib import contextmanager

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from tests.parity.memory_programs import (  # noqa: E402  it imports torch
    NAMES,
    Session,
    build,
    first_difference,
    numbered,
    script,
)


@contextmanager
def quiet():
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        yield


@pytest.fixture(scope="module")
def programs():
    with quiet():
        count = Counter()
        return [build(numbered(f"test-{k}"), torch, count) for k in range(300)], count


def test_pytorch_agrees_with_itself(programs):
    assert not [script(run.steps) for run in programs[0] if run.difference]


def test_looking_at_the_tensors_after_every_line_changes_nothing(programs):
    with quiet():
        for run in programs[0]:
            unseen = Session(torch)
            for step, error in zip(run.steps, run.raised, strict=True):
                assert type(unseen.run(step.line)) is type(error), script(run.steps)
            assert first_difference(run.there, unseen) is None, script(run.steps)


def test_every_rule_is_taken_and_most_lines_are_allowed(programs):
    _, count = programs
    taken = {name: count[name, False] + count[name, True] for name in NAMES}
    assert min(taken.values()) > 3, taken
    assert sum(count[name, True] for name in NAMES) < 0.1 * sum(taken.values())
