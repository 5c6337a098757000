"""Views, writes in place, derivatives and files in random programs: the same in PyTorch and here, after every line."""

import warnings
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

from tests.parity.memory_programs import (  # noqa: E402  it imports torch
    EXCEPTIONS,
    NAMES,
    PRELUDE,
    Run,
    Session,
    Step,
    build,
    cut_down,
    first_difference,
    numbered,
    script,
)

PROGRAMS = 20_000 if settings.get_current_profile_name() == "thorough" else 300


@contextmanager
def quiet():
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        yield


@pytest.fixture(scope="module")
def programs():
    with quiet():
        count = Counter()
        return [build(numbered(f"test-{k}"), torch, count) for k in range(150)], count


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
    assert min(taken.values()) > 0, taken
    assert sum(count[name, True] for name in NAMES) < 0.1 * sum(taken.values())


@st.composite
def runs(draw):
    """A program as it ran in both, its steps chosen by Hypothesis."""
    with quiet():
        return build(lambda n: draw(st.integers(0, n - 1)) if n > 1 else 0)


@settings(max_examples=PROGRAMS, phases=[Phase.generate])  # a failing program is cut down line by line below
@given(runs())
def test_programs_do_the_same_here_as_in_pytorch(run):
    if run.difference:
        with quiet():
            steps, difference = cut_down(run.steps, run.difference)
        pytest.fail(f"{PRELUDE}\n{script(steps)}\n\n{difference}", pytrace=False)


def test_the_page_of_differences_says_what_may_differ():
    page = " ".join((Path(__file__).parents[2] / "docs" / "pytorch.md").read_text().split())
    assert [name for name, each in EXCEPTIONS.items() if each.page not in page] == []


MAY_DIFFER = {
    "a derivative by the result of logsumexp": [
        (
            "gradient",
            "t1 = m.tensor(-1.0, dtype=m.float64, requires_grad=True)\nt2 = t1.logsumexp(0)\n"
            "t3 = m.autograd.grad((t2 * t2).sum(), [t1], create_graph=True)[0].clone()\n"
            "t4 = m.autograd.grad(t3.sum(), [t2])[0].clone()",
        ),
    ],
    "a second backward pass beside a view made under no_grad": [
        (
            "backward",
            "t1 = m.ones(4, requires_grad=True)\nwith m.no_grad(): t2 = t1.expand(4)\nt3 = t2 @ t2\n"
            "t4 = m.cat([t2.flatten(), t3.flatten()])\nwith m.no_grad(): t2[m.tensor([0, 3, 1])] = t3\n"
            "t4.sum().backward()",
        ),
    ],
    "a view of a view of a value that nobody holds": [
        ("switch", "t1 = m.ones(1, 3).clone().T; t2, = t1.split(2, 1)\nt1.requires_grad_(True)"),
    ],
    "a gradient by a view of a value that nobody holds": [
        (
            "gradient",
            "t1 = m.ones(1, requires_grad=True); t2 = m.linalg.multi_dot([t1, t1]); t3 = t2.reshape_as(t2)\n"
            "t3.mul_(3.0)\nt4 = m.autograd.grad((t1 * t3).sum(), [t2])[0].clone()",
        ),
    ],
    "a rounding made larger": [
        (
            "gradient",
            "t1 = m.tensor([1.5], requires_grad=True); t2 = m.tensor([[1.0, 1.0], [3.0, 2.0], [0.25, 1.5]])\n"
            "t2.addcdiv_(t1 * 2, t1 * 2)\nt3 = m.autograd.grad((t2 * t2).sum(), [t1])[0].clone()",
        ),
    ],
    "stale views of memory that PyTorch does not know to be shared": [
        (
            "gradient",
            "t1 = m.ones(1, 2, requires_grad=True); t2 = t1.reshape(1, 2)[:]; t3 = t2[0, :]; n4 = t2.detach().numpy()\n"
            "t5 = m.as_tensor(n4)\nt5[m.tensor([0])] = 2.0\nt6 = m.autograd.grad(t3.sum(), [t2])[0].clone()",
        ),
    ],
    "where what was loaded begins": [
        ("ask", "t1 = m.arange(4.0)[2:]; t2, = loaded(m, [t1])\nseen = t2.storage_offset()"),
        ("ask", "t1 = m.arange(4.0)[2:]; t2, = pickle.loads(pickle.dumps([t1]))\nseen = t2.storage_offset()"),
        ("view_as_strided", "t1 = m.arange(4.0)[2:]; t2, = loaded(m, [t1])\nt3 = t2.as_strided((2,), (1,), 0)"),
    ],
    "how what lies in another order lies": [
        ("ask", "t1 = m.ones(4, 2); t2 = t1.unfold(0, 3, 2)\nt2.data = t2 * 2\nseen = t2.is_contiguous()"),
    ],
    "reshape of what lies in another order": [
        (
            "view_shape",
            "t1 = m.ones(2, 2); t2 = t1.t()\nt2.data = t2.detach()\nt2.add_(1)\nt2.data = t2 * 2\nt3 = t2.reshape(4)",
        ),
    ],
    "a cotangent that becomes a gradient": [
        ("backward", "t1 = m.ones(2, 2, requires_grad=True); t2 = t1.t()\n"
         "t2.sum().backward()\nt3 = t1.grad\nt2.backward(t3)"),
    ],
    "a target that overlaps itself": [
        ("backward", "t1 = m.ones(4); t2 = t1.as_strided((2, 2), (1, 1)); t3 = m.ones(2, 2, requires_grad=True)\n"
         "t3.grad = t2\n(t3 * m.tensor([[1.0, 2.0], [3.0, 4.0]])).sum().backward()"),
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "rule", "lines"), [(name, *each) for name, programs in MAY_DIFFER.items() for each in programs]
)
def test_what_may_differ_is_known_by_its_name(name, rule, lines):
    with quiet():
        run = Run()
        for line in lines.split("\n"):
            run.step(Step(rule, line))
        assert run.end() is None
    assert run.excused[-1] == name
