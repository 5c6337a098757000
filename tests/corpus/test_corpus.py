"""The checker against the corpus: it rejects every bug, accepts every repair, and says what went wrong.

Each bug and each repair is checked once in every run; with HYPOTHESIS_PROFILE=thorough also in fast mode and at more
places, and the first sentence of every report is read.
"""

import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from tests.corpus import CASES, KINDS, REFERENCE
from tests.corpus.headlines import HEADLINES, NOT_TOLD
from tests.profiles import THOROUGH
from tinygrad_cnn.gradcheck import diagnosis, gradcheck, numpy_pair
from tinygrad_cnn.gradcheck.drawing import RandomDraw
from tinygrad_cnn.gradcheck.verdicts import Verdict

PAGE = Path(__file__).parents[2] / "docs" / "corpus.md"
MISSES = {
    "jax: remainder of mixed signs": "chain",
    "pytorch: gelu's approximation": "chain",
    "candle: stride for dilation": "unknown",
    "flaggems: linear resize with aligned corners": "overwritten",
    "mamba: group norm over all channels": "unknown",
    "pytorch: layer norm, second order": "unknown",
    "pytorch: batch norm, third order": "unknown",
    "jax: the triangle cholesky does not read": "unknown",
    "tidy3d: ones for the cotangent": "dropped",
    "rnn: nothing goes back in time": "overwritten",
    "triton: attention that is not causal": "overwritten",
    "pytorch's blog: transpose of two axes": "axis",
    "neon: a matrix times its own transpose": "factor",
    "darknet: a shortcut over a convolution of one pixel": "unknown",
}
"""The cases whose pattern is not the expected one, and which one is found instead."""

ADMITTED = {
    "jax: transposed sparse matrix",
    "mxnet: where with a scalar",
    "pytorch: kernels of a grouped convolution",
    "matconvnet: batch norm with given moments",
    "chainer: l2 normalisation and its eps",
    "chainer: batch renormalisation without its eps",
    "quack: the residual through the norm",
    "haste: zoneout with the first step's mask",
    "mxnet: a bidirectional layer in one buffer",
    "gsplat: the length of a quaternion",
    "torch-xpu: the height for the width",
}
"""The cases of which the patterns say `unknown`, as they may: no pattern fits. That is neither a miss nor right."""

IN_EVERY_RUN = {
    "nanonn: softplus from its output",
    "autograd: a repeated index",
    "keops: atan2 with its terms exchanged",
    "interviews.ai: sigmoid at its input",
    "darknet: a shortcut over a convolution of one pixel",
    "mxnet: where with a scalar",
}
"""Some whose sentence is read in every run."""

every_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


def checked(case, vjp, inputs=None, **options):
    arrays = list(case.inputs() if inputs is None else inputs)
    return gradcheck(numpy_pair(case.f, vjp), arrays, raise_exception=False, **options)


def gradients(case, vjp, g, inputs):
    found = vjp(g, *inputs)
    return [np.asarray(d) for d in (found if isinstance(found, tuple) else (found,))]


@every_case
def test_the_bug_is_rejected_with_its_pattern(case, monkeypatch):
    monkeypatch.setattr(diagnosis, "NAMES", 0)
    report = checked(case, case.wrong, shrink=False)
    assert report.verdict is Verdict.FAIL, str(report)
    said = report.diagnoses[0].kind
    assert (said == "unknown") == (case.name in ADMITTED or MISSES.get(case.name) == "unknown")
    assert said == MISSES[case.name] if case.name in MISSES else said in (case.kind, *case.also)


def test_the_patterns_are_right_for_at_least_four_fifths():
    assert {*MISSES, *ADMITTED} <= {case.name for case in CASES}
    assert (len(CASES) - len(MISSES) - len(ADMITTED)) / len(CASES) >= 0.8


@every_case
def test_the_repair_is_accepted(case):
    report = checked(case, case.right)
    assert report.verdict is Verdict.PASS, str(report)


@pytest.mark.parametrize("case", CASES if THOROUGH else CASES[::10], ids=lambda case: case.name)
def test_fast_mode_says_the_same(case):
    inputs = list(case.inputs())
    for vjp, verdict in ((case.wrong, Verdict.FAIL), (case.right, Verdict.PASS)):
        pair = numpy_pair(case.f, vjp)
        report = gradcheck(pair, inputs, fast_mode=True, explain=False, raise_exception=False)
        assert report.verdict is verdict, str(report)


@pytest.mark.parametrize("seed", range(3 if THOROUGH else 1))
@pytest.mark.parametrize("case", [case for case in CASES if case.sample], ids=lambda case: case.name)
def test_the_repair_is_accepted_for_other_sizes(case, seed):
    report = checked(case, case.right, case.sample(RandomDraw(np.random.default_rng(seed))))
    assert report.verdict is Verdict.PASS, str(report)


@pytest.mark.parametrize("name", HEADLINES if THOROUGH else sorted(IN_EVERY_RUN))
def test_the_first_sentence_names_the_mistake(name):
    (case,) = [case for case in CASES if case.name == name]
    said = checked(case, case.wrong, shrink=False).diagnoses[0].message
    assert bool(re.search(HEADLINES[name], said)) == (name not in NOT_TOLD), said


def test_every_case_has_its_sentence():
    assert list(HEADLINES) == [case.name for case in CASES]
    assert set(HEADLINES) >= NOT_TOLD
    assert len(NOT_TOLD) / len(CASES) <= 0.1


@every_case
def test_plain_differences_agree_with_the_repair(case):
    """Independent of the checker: the derivative of each output along a random direction lies between its sides'."""
    inputs = case.inputs()
    random = np.random.default_rng(4)
    step = 1e-6
    for k in range(len(inputs)):  # one input at a time: 0 to the power of b has no neighbours below 0
        u = random.normal(size=inputs[k].shape)
        below, here, above = (
            np.asarray(case.f(*(x + t * u if j == k else x for j, x in enumerate(inputs)))) for t in (-step, 0.0, step)
        )
        left, right = (here - below) / step, (above - here) / step
        slack = 1e-4 * (1 + np.abs(left) + np.abs(right))
        for place in np.ndindex(here.shape):
            g = np.zeros(here.shape)
            g[place] = 1.0
            d = float(np.sum(gradients(case, case.right, g, inputs)[k] * u))
            sides = left[place], right[place]
            assert min(sides) - slack[place] <= d <= max(sides) + slack[place]


@every_case
def test_bug_and_repair_are_not_the_same(case):
    inputs = case.inputs()
    dense = np.random.default_rng(3).normal(size=np.shape(case.f(*inputs)))
    pairs = [
        (wrong, right)
        for g in (dense, np.zeros(dense.shape))  # one bug shows only where nothing comes in
        for wrong, right in zip(
            gradients(case, case.wrong, g, inputs), gradients(case, case.right, g, inputs), strict=True
        )
    ]
    assert any(wrong.shape != right.shape or not np.allclose(wrong, right) for wrong, right in pairs)


@every_case
def test_each_case_is_well_formed(case):
    assert REFERENCE.fullmatch(case.reference)
    assert 2008 <= case.year <= 2026
    assert {case.kind, *case.also} <= KINDS
    assert case.at or not case.kink
    assert all(x.dtype == np.float64 for x in case.inputs())
    assert all(np.array_equal(a, b) for a, b in zip(case.inputs(), case.inputs(), strict=True))


def test_names_and_references_are_unique():
    assert max(Counter(case.name for case in CASES).values()) == 1
    assert max(Counter(case.reference for case in CASES).values()) == 1
    assert len(CASES) >= 120
    assert len({case.framework for case in CASES}) >= 60


def test_the_page_lists_every_case():
    page = PAGE.read_text(encoding="utf-8")
    assert [case.name for case in CASES if case.name not in page or case.reference not in page] == []
