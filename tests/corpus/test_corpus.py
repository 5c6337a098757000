"""The checker against the corpus: it rejects every bug, accepts every repair, and says what went wrong."""

import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from tests.corpus import CASES, KINDS, REFERENCE
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
}
"""The cases whose first diagnosis is not the expected one, and what it says instead."""

every_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


def checked(case, vjp, inputs=None, **options):
    arrays = list(case.inputs() if inputs is None else inputs)
    return gradcheck(numpy_pair(case.f, vjp), arrays, raise_exception=False, **options)


def gradients(case, vjp, g, inputs):
    found = vjp(g, *inputs)
    return [np.asarray(d) for d in (found if isinstance(found, tuple) else (found,))]


@every_case
def test_the_bug_is_rejected(case):
    report = checked(case, case.wrong, explain=False)
    assert report.verdict is Verdict.FAIL, str(report)


@every_case
def test_the_repair_is_accepted(case):
    report = checked(case, case.right)
    assert report.verdict is Verdict.PASS, str(report)


@every_case
def test_fast_mode_says_the_same(case):
    inputs = list(case.inputs())
    for vjp, verdict in ((case.wrong, Verdict.FAIL), (case.right, Verdict.PASS)):
        pair = numpy_pair(case.f, vjp)
        report = gradcheck(pair, inputs, fast_mode=True, explain=False, raise_exception=False)
        assert report.verdict is verdict, str(report)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("case", [case for case in CASES if case.sample], ids=lambda case: case.name)
def test_the_repair_is_accepted_for_other_sizes(case, seed):
    report = checked(case, case.right, case.sample(RandomDraw(np.random.default_rng(seed))))
    assert report.verdict is Verdict.PASS, str(report)


def test_the_patterns_are_right_for_at_least_four_fifths(monkeypatch):
    """`unknown` is no diagnosis: where it is expected, it is neither a miss nor counted as right."""
    monkeypatch.setattr(diagnosis, "NAMES", 0)
    found = {case.name: checked(case, case.wrong, shrink=False).diagnoses for case in CASES}
    said = {name: diagnoses[0].kind if diagnoses else "nothing" for name, diagnoses in found.items()}
    misses = {case.name: said[case.name] for case in CASES if said[case.name] not in (case.kind, *case.also)}
    named = [case.name for case in CASES if case.name not in misses and said[case.name] != "unknown"]
    assert misses == MISSES
    assert len(named) / len(CASES) >= 0.8


NAMED = {
    "caffe: subtraction of the mean": r"`x.mean\(axis=1, keepdims=True\)` is held constant",
    "nanonn: softplus from its output": r"taken at `np.log1p\(np.exp\(x\)\)` instead of at `x`",
    "chainer: l2 normalisation and its eps": r"`length\(x\) \+ eps` is used in the place of `length\(x\)`",
    "chainer: batch renormalisation without its eps": r"the constant 0.001 of .* is left out",
    "mamba: group norm over all channels": r"over axes 1, 2 instead of axis 2",
    "pytorch: layer norm, second order": r"both held constant",
    "mxnet: prelu with a negative slope": r"write `x` for `prelu\(x, w\)` in `prelu\(x, w\) > 0`",
    "autograd: a repeated index": r"the last gradient overwrites the others.*`x\[TWICE\]`",
}
"""Bugs whose mistake is named, some of which no pattern fits, and what is said of them."""


@pytest.mark.parametrize("name", NAMED)
def test_the_mistake_is_named(name):
    (case,) = [case for case in CASES if case.name == name]
    assert re.search(NAMED[name], checked(case, case.wrong).diagnoses[0].message)


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
    assert len(CASES) >= 40
    assert len({case.framework for case in CASES}) >= 20


def test_the_page_lists_every_case():
    page = PAGE.read_text(encoding="utf-8")
    assert [case.name for case in CASES if case.name not in page or case.reference not in page] == []
