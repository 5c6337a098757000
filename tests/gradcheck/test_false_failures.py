"""Right gradients are not called wrong: two rounds over the registry, of the sweep in scripts/false_failures.py."""

import importlib.util
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

import tinygrad_cnn as tg
from tests.profiles import THOROUGH
from tinygrad_cnn.gradcheck import Verdict, gradcheck, numpy_pair

SCRIPT = Path(__file__).parents[2] / "scripts" / "false_failures.py"
spec = importlib.util.spec_from_file_location("false_failures", SCRIPT)
sweep = importlib.util.module_from_spec(spec)
spec.loader.exec_module(sweep)


def failing(reports):
    return [(what, str(report)) for what, report in reports if report.verdict is Verdict.FAIL]


SOME = sweep.OPS if THOROUGH else sweep.OPS[::2]
"""In a usual run every second op: the others are asked below."""


def test_no_right_gradient_fails():
    reports = [sweep.check_op(name, number, scale=1.0) for number, name in enumerate(2 * SOME)]
    assert failing(reports) == []
    undecided = [what for what, report in reports if report.verdict is Verdict.INCONCLUSIVE]
    assert len(undecided) <= 3
    assert all("float32" in what for what in undecided)
    assert sum(len(report.entries) for _, report in reports) > 2 * len(SOME)


def test_no_right_gradient_fails_at_any_scale():
    reports = [
        sweep.check_op(name, 1000 + number) for number, name in enumerate(sweep.OPS if THOROUGH else sweep.OPS[1::2])
    ]
    counts = Counter(sweep.category(report) for _, report in reports)
    assert [(what, str(report)) for what, report in reports if sweep.category(report) == "fail"] == []
    assert counts["pass"] > 0.85 * (counts["pass"] + counts["inconclusive"])
    assert sweep.figures(counts).startswith("called wrong: 0 of ")


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (60983, "the slopes of a peak, further away than it is wide, taken for those of a kink"),
        (101064, "a kink nearer than any step"),
        (1737, "terms that cancel: rounding that only float64 shows"),
        (804, "digits of large inputs, lost inside the gradient"),
        (114725, "steps that only float64 resolves, met at whole numbers"),
        (204369, "a jump at the point"),
        (204250, "slopes that overflow"),
        (125175, "a power next to 0"),
        (144, "a tie, where the terms of the gradient cancel"),
    ],
)
def test_what_was_called_wrong_once_is_not_called_wrong(number, kind):
    what, report = sweep.check(number)
    assert report.verdict is not Verdict.FAIL, (what, kind, str(report))


def test_what_turns_within_less_than_a_step_does_not_fail():
    reports = [sweep.check_narrow(name, number) for number, name in enumerate(3 * list(sweep.NARROW))]
    assert failing(reports) == []
    verdicts = [report.verdict for _, report in reports]
    assert verdicts.count(Verdict.PASS) > len(reports) / 2


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("normalize", 8715),
        ("normalize", 9249),
        ("length", 11562),
        ("sine", 13864),
        ("sine", 56050),
        ("sine of 1/x", 17249),
        ("sine of 1/x", 20453),
        ("sum of sines", 27927),
        ("cosine", 18507),
        ("cosine", 25449),
        ("cosine", 40401),
        ("cosine", 49657),
    ],
)
def test_what_rounding_leaves_where_terms_cancel_does_not_fail(name, number):
    what, report = sweep.check_narrow(name, number)
    assert report.verdict is not Verdict.FAIL, (what, str(report))


@pytest.mark.parametrize("scale", 10.0 ** np.arange(-13, 1))
def test_rounding_that_is_loud_beside_the_point_and_quiet_further_away_does_not_fail(scale):
    """What is added and taken away again, 1 / x, is large beside small x and no more a step away from it."""

    def forth_and_back(v, x):
        return (v + 1 / x) - 1 / x

    pair = numpy_pair(forth_and_back, lambda g, v, x: (g, np.zeros(3)))
    random = np.random.default_rng(0)
    inputs = [random.uniform(0.5, 1, 3), random.uniform(0.5, 1, 3) * scale]
    report = gradcheck(pair, inputs, raise_exception=False, shrink=False)
    assert report.verdict is not Verdict.FAIL, str(report)
    assert report or scale < 1e-3


def test_the_gradient_of_qr_that_only_rounding_makes_does_not_fail():
    reports = [sweep.check_op("QR", number, scale=scale) for number in range(1960, 1964) for scale in (1e-9, 2.8e-12)]
    assert failing([sweep.check_op("QR", 1961), *reports]) == []


def test_what_comes_from_r_is_not_lost_beside_what_comes_from_q():
    """Q is ±1 here, whatever it is multiplied by, and R is |a|: the gradient is Q gR, though gQ / R is much larger."""
    a = tg.tensor([[1.6e-11]], dtype=tg.float32, requires_grad=True)
    q, r = tg.linalg.qr(a)
    (q * 0.7 + r * 0.3).sum().backward()
    assert a.grad.item() == pytest.approx(0.3 * q.item(), rel=1e-6)
    assert failing([sweep.check_op("QR", 20381)]) == []


def test_a_jump_that_only_the_rounding_of_other_outputs_hides_does_not_fail():
    """Neighbouring numbers are 10⁻⁶ apart, the next jump is 3·10⁻⁴ away, and other outputs round by as much."""
    x = np.array([7.2e9 - 3e-4, 7.0e9 + 0.4, 6.1e9 + 0.6, 5.3e9 + 0.3])
    right = gradcheck(numpy_pair(np.ceil, lambda g, x: 0 * g), [x], raise_exception=False, shrink=False)
    assert right.verdict is not Verdict.FAIL, str(right)
    slanted = numpy_pair(lambda x: np.ceil(x) + 0.5 * x, lambda g, x: 0.25 * g)
    assert gradcheck(slanted, [x], raise_exception=False, shrink=False).verdict is not Verdict.PASS
    assert failing([sweep.check_op("Ceil", 28007)]) == []


def test_a_wrong_gradient_whose_differences_are_no_numbers_is_explained():
    """The rule for probabilities near 0 is PyTorch's bounded one, and no derivative; beside them there are none."""
    what, report = sweep.check_op("BinaryCrossEntropy", 18933, scale=2.8e-12)
    assert not report.problem, (what, report.problem)
    assert sweep.check(18933)[1].verdict is not Verdict.FAIL


def test_weights_of_large_scores_add_up_on_the_way_back():
    """The logarithm of a sum of exponentials of such scores has lost the sum: ln 2 is nothing beside 10⁸."""
    q, k = tg.full((1, 1, 1, 1), 1e4), tg.full((1, 1, 2, 1), 1e4)
    v = tg.tensor([[[[1.0], [3.0]]]], requires_grad=True)
    y = tg.nn.functional.scaled_dot_product_attention(q, k, v, scale=1.0)
    y.backward(tg.ones(1, 1, 1, 1))
    assert y.item() == 2.0
    assert v.grad.tolist() == [[[[0.5], [0.5]]]]
    assert failing([sweep.check_op("Attention", number) for number in (49034, 49806)]) == []


def test_zeros_that_are_added_in_another_order_are_no_other_gradient():
    assert failing([sweep.check_op("Distances", 7762)]) == []


@pytest.mark.parametrize("p", [1.5, 3.0, 7.0])
def test_distances_keep_their_digits_where_rows_are_near_each_other(p):
    """In float32 the root of a power has lost some: in one dimension the slope is 1, and 10⁷ was left of its slope."""
    a, b = tg.tensor([[1e-9], [2.5e-12], [0.3]]), tg.zeros(1, 1)
    np.testing.assert_allclose(tg.cdist(a, b, p=p).numpy(), a.numpy(), rtol=2e-7)


def test_distances_of_rows_that_are_near_each_other_do_not_fail():
    assert failing([sweep.check_op("Distances", 78593)]) == []


def test_what_rounds_to_0_is_no_weak_term():
    assert failing([sweep.check_op("Softmax", 72519)]) == []


def test_a_wrong_gradient_at_a_tie_or_kink_still_fails_in_float32():
    def tied(x):
        y = x.clone()
        y.register_hook(lambda g: g * 2)
        return y.amax(0)

    x = tg.tensor([1.5, 0.3, 1.5], dtype=tg.float32, requires_grad=True)
    assert gradcheck(tied, x, raise_exception=False, shrink=False).verdict is Verdict.FAIL

    def outside(x):
        y = x.clone()
        y.register_hook(lambda g: g * 0 + 1.5)
        return y.abs().sum()

    x = tg.tensor([0.0, 0.7], dtype=tg.float32, requires_grad=True)
    assert gradcheck(outside, x, raise_exception=False, shrink=False).verdict is Verdict.FAIL


@pytest.mark.parametrize(("name", "what"), [("normalize 0", "normalize"), ("cosine of 0", "cosine"), ("sine", "sine")])
def test_a_wrong_gradient_of_what_turns_within_less_than_a_step_does_not_pass(name, what):
    func = sweep.NARROW[name][1]

    def wrong(x, scale):
        between = x.clone()
        between.register_hook(lambda g: g * 1.5)
        return func(between, scale)

    for number, scale in enumerate([1e-3, 1e-6, 1e-9, 1e-12]):
        x = tg.zeros(3, dtype=tg.float64) if "0" in name else tg.tensor([0.3, -0.7, 1.1], dtype=tg.float64)
        x.requires_grad_()
        report = gradcheck(lambda x, s=scale: wrong(x, s), x, raise_exception=False, seed=number, shrink=False)
        assert report.verdict is not Verdict.PASS, (what, scale)


def test_a_sweep_goes_on_from_its_state(tmp_path):
    state = tmp_path / "state.json"
    for checks in ("5", "12"):
        subprocess.run([sys.executable, str(SCRIPT), "--checks", checks, "--state", str(state)], check=True)
    found = json.loads(state.read_text())
    assert found["done"] == 12
    assert sum(n for verdict, n in found["counts"].items() if verdict != "entries") == 12


@pytest.mark.parametrize("exponent", range(5, 14))
def test_what_happens_between_neighbouring_numbers_of_float32_does_not_fail(exponent):
    """A function that computes in float32 only, at numbers further apart than it turns."""

    def fraction(x):
        x = x.astype(np.float32)
        return x - np.floor(x)

    random = np.random.default_rng(exponent)
    for _ in range(3):
        x = (random.uniform(1, 10, 4) * 10.0**exponent).astype(np.float32)
        pair = numpy_pair(fraction, lambda g, x: g.astype(x.dtype))
        assert gradcheck(pair, [x], raise_exception=False, explain=False).verdict is not Verdict.FAIL


def test_what_cancels_in_a_softmax_that_is_nearly_1_does_not_fail():
    assert failing([sweep.check_op("Attention", 25102)]) == []


def test_a_gradient_that_is_linear_but_for_little_fails():
    def vjp(g, x):
        return g * np.cos(x) * (1 + 1e-3 * np.tanh(g))

    report = gradcheck(numpy_pair(np.sin, vjp), [np.array([0.5, 1.0])], raise_exception=False)
    assert report.verdict is Verdict.FAIL
