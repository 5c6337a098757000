"""Every op of the registry, through every check, on samples drawn by Hypothesis; and every check, deceived."""

import ast
import inspect
import textwrap

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_cnn
from tinygrad_cnn.core import engine
from tinygrad_cnn.core.op import Rule, registry
from tinygrad_cnn.gradcheck.battery import (
    CHECKS,
    GradientError,
    check_both_speeds,
    check_cotangent_layouts,
    check_exact_adjoint,
    check_first_order,
    check_float32,
    check_kinks,
    check_linear_in_cotangent,
    check_pure,
    check_same_tensor_twice,
    check_second_order,
)
from tinygrad_cnn.gradcheck.drawing import RandomDraw
from tinygrad_cnn.gradcheck.planting import PLANTED, off_by_one_percent, planted
from tinygrad_cnn.gradcheck.strategies import samples

ROWS = {name: op for name, op in registry.items() if op.__module__.startswith("tinygrad_cnn.")}
DIFFERENTIABLE = {name: op for name, op in ROWS.items() if op.differentiable}
RULES = [(name, k) for name, op in DIFFERENTIABLE.items() for k, rule in enumerate(op.rules) if rule is not None]
ZERO = [("Gate", 1), ("Tied", 1)]
"""Those that give 0, whose derivative nobody sees."""
seeds = st.integers(0, 2**32 - 1)


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_every_op_passes_every_check(name):
    op = DIFFERENTIABLE[name]
    checks = (*CHECKS, check_exact_adjoint) if op.linear else CHECKS

    @given(samples(op), seeds)  # to draw takes four times as long as to check: one sample serves all
    def run(sample, seed):
        for check in checks:
            try:
                check(op, sample, np.random.default_rng(seed))
            except Exception as error:
                error.add_note(f"in {check.__name__}")
                raise

    run()


@pytest.mark.parametrize("name", [name for name, op in ROWS.items() if op.kinks])
def test_kinks_get_the_declared_gradients(name):
    check_kinks(ROWS[name])


def run_on_forty_samples(check, op):
    for seed in range(40):
        random = np.random.default_rng(seed)
        check(op, op.sample(RandomDraw(random)), random)


@pytest.mark.parametrize(("name", "k"), RULES)
def test_a_rule_off_by_one_percent_fails(name, k):
    op = DIFFERENTIABLE[name]
    with planted(op, k, off_by_one_percent), pytest.raises(GradientError, match=op.name):
        run_on_forty_samples(check_first_order, op)


@pytest.mark.parametrize(("name", "k"), [(name, k) for name, k in RULES if DIFFERENTIABLE[name].together is not None])
def test_cotangents_given_together_that_are_off_by_one_percent_fail(name, k, monkeypatch):
    op = DIFFERENTIABLE[name]
    rule = op.at_once

    def wrong(*args, **options):
        return [off_by_one_percent(d) if j == k else d for j, d in enumerate(rule.function(*args, **options))]

    monkeypatch.setattr(op, "at_once", Rule(rule.name, wrong, rule.picks, rule.options))
    for check in (check_first_order, check_both_speeds):
        with pytest.raises(GradientError, match=op.name):
            run_on_forty_samples(check, op)


@pytest.mark.parametrize(
    ("name", "k", "check"),
    [
        (*rule, check)
        for rule in RULES
        for check in (check_second_order, check_both_speeds)
        if rule not in ZERO or check is check_both_speeds
    ],
)
def test_a_rule_off_by_one_percent_only_when_recorded_fails(name, k, check):
    op = DIFFERENTIABLE[name]

    def wrong(d):
        return off_by_one_percent(d) if tinygrad_cnn.is_grad_enabled() else d  # rules record, or they do not

    with planted(op, k, wrong), pytest.raises(GradientError, match=op.name):
        run_on_forty_samples(check, op)


@pytest.mark.parametrize("error", PLANTED)
@pytest.mark.parametrize(
    "name", ["Mul", "Sum", "Matmul", "Conv2D", "MaxPool2D", "Linear", "ClassCrossEntropy", "GetItem"]
)
def test_planted_errors_are_rejected(name, error):
    op = DIFFERENTIABLE[name]
    with planted(op, 0, PLANTED[error]), pytest.raises(GradientError, match=op.name):
        run_on_forty_samples(check_first_order, op)


def test_a_forgotten_sum_over_broadcast_axes_is_rejected(monkeypatch):
    def first_slice(d, shape):
        while d.ndim > len(shape):
            d = d[0]
        return d[tuple(slice(n) for n in shape)]

    monkeypatch.setattr(engine, "unbroadcast", first_slice)
    with pytest.raises(GradientError, match="Add"):
        run_on_forty_samples(check_first_order, DIFFERENTIABLE["Add"])


def test_contributions_that_overwrite_each_other_are_rejected(monkeypatch):
    monkeypatch.setattr(engine.Pass, "add", lambda self, edge, d, fresh: self.cotangents.__setitem__(edge, d))
    with pytest.raises(GradientError, match="Mul"):
        run_on_forty_samples(check_same_tensor_twice, DIFFERENTIABLE["Mul"])


def test_a_rule_that_is_not_linear_in_the_cotangent_is_rejected():
    op = DIFFERENTIABLE["Sin"]
    with planted(op, 0, np.abs), pytest.raises(GradientError, match="not linear"):
        run_on_forty_samples(check_linear_in_cotangent, op)


def test_a_rule_that_reads_memory_instead_of_elements_is_rejected():
    op = DIFFERENTIABLE["Neg"]

    def as_it_lies(d):
        return np.reshape(np.ravel(d, order="K"), d.shape)

    with planted(op, 0, as_it_lies), pytest.raises(GradientError, match="depends on the memory"):
        run_on_forty_samples(check_cotangent_layouts, op)


def test_an_adjoint_off_in_the_last_bit_is_rejected():
    op = DIFFERENTIABLE["Cumsum"]
    with planted(op, 0, lambda d: d * (1 + 2**-50)), pytest.raises(GradientError, match="adjoint"):
        run_on_forty_samples(check_exact_adjoint, op)


def test_a_rule_that_writes_into_the_cotangent_is_rejected():
    class WritesInPlace(tinygrad_cnn.ops.Op):
        """y = 2 x, with a rule that assigns in place"""

        def forward(x):
            return 2 * x

        def d_x(g):
            g *= 2
            return g

        @classmethod
        def sample(cls, draw):
            return DIFFERENTIABLE["Neg"].sample(draw)

    try:
        with pytest.raises(ValueError, match="read-only"):
            run_on_forty_samples(check_pure, WritesInPlace)
    finally:
        del registry["WritesInPlace"]


def test_a_gradient_in_the_wrong_precision_is_rejected():
    op = DIFFERENTIABLE["Exp"]
    with (
        planted(op, 0, lambda d: d * 1.01 if d.dtype == np.float32 else d),
        pytest.raises(GradientError, match="float32"),
    ):
        run_on_forty_samples(check_float32, op)


def test_a_wrong_convention_at_a_kink_is_rejected():
    op = DIFFERENTIABLE["Relu"]
    with planted(op, 0, lambda d: d + 0.5), pytest.raises(GradientError, match="x = 0"):
        check_kinks(op)


def test_nan_behind_the_mask_of_a_kink_is_rejected():
    op = DIFFERENTIABLE["Abs"]

    def masked(d):
        return np.where(d == 0, 0.0, d / d * d)  # the right values, and NaN in the branch that is thrown away

    with (
        planted(op, 0, masked),
        np.errstate(invalid="ignore"),
        pytest.raises(GradientError, match="second derivative is NaN"),
    ):
        check_kinks(op)


def test_a_gradient_of_another_shape_is_rejected(monkeypatch):
    monkeypatch.setattr(engine, "settle", lambda node, k, d: d)  # nobody sums it to the shape of the input
    with pytest.raises(GradientError, match=r"Add: the gradient of an input of shape .* has shape"):
        run_on_forty_samples(check_first_order, DIFFERENTIABLE["Add"])


def test_no_rule_assigns_in_place():
    for op in ROWS.values():
        for rule in op.rules:
            if rule is not None:
                tree = ast.parse(textwrap.dedent(inspect.getsource(rule.function)))
                assert not [node for node in ast.walk(tree) if isinstance(node, ast.AugAssign)], op.name


@pytest.mark.parametrize("name", [name for name, op in ROWS.items() if not op.differentiable])
@settings(max_examples=10)
@given(data=st.data())
def test_ops_without_a_derivative_record_nothing(name, data):
    op = ROWS[name]
    sample = data.draw(samples(op))
    y = op.apply(*(tinygrad_cnn.Tensor(a, requires_grad=a.dtype.kind == "f") for a in sample.inputs), **sample.options)
    assert not y.requires_grad
    assert y.dtype.kind in "bi"


def test_the_registry_holds_exactly_the_ops_of_the_package():
    def concrete(op):
        return {s for sub in op.__subclasses__() for s in ({sub} | concrete(sub))}

    defined = {op.__name__ for op in concrete(tinygrad_cnn.ops.Op) if "forward" in op.__dict__}
    assert {name for name in defined if name in ROWS} == set(ROWS)
    assert all(op.formula() and op.sample is not None for op in ROWS.values())
