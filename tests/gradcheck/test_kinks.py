"""Kinks: where they are, which slopes meet there, what a gradient may be at them."""

import numpy as np
import pytest

from tinygrad_cnn.gradcheck import Verdict, gradcheck, numpy_pair


def relu_with(slope_at_zero):
    return numpy_pair(lambda x: np.maximum(x, 0), lambda g, x: g * np.where(x == 0, slope_at_zero, x > 0))


@pytest.mark.parametrize("slope", [0.0, 0.5, 1.0])
def test_anything_between_the_slopes_is_right_at_a_kink(slope):
    report = gradcheck(relu_with(slope), [np.array([0.0, 1.0, -1.0])])
    at = report.entries[0]
    assert at.reason == "at a kink, inside the subdifferential"
    assert abs(at.where) < 1e-9
    cotangent = at.one_sided[0] or at.one_sided[1]
    assert sorted(at.one_sided, key=abs) == pytest.approx([0.0, cotangent])


@pytest.mark.parametrize("slope", [-0.01, 1.01, 2.0, -1.0])
def test_anything_else_is_a_wrong_convention(slope):
    report = gradcheck(relu_with(slope), [np.array([0.0, 1.0, -1.0])], raise_exception=False)
    assert [e.verdict for e in report.entries] == [Verdict.FAIL, Verdict.PASS, Verdict.PASS]
    assert report.diagnoses[0].kind == "kink convention"


@pytest.mark.parametrize("distance", [0.1, 6e-5, -3e-5, 1e-7])
def test_a_kink_is_located(distance):
    pair = numpy_pair(lambda x: np.abs(x - distance), lambda g, x: g * np.sign(x - distance))
    (entry,) = gradcheck(pair, [np.zeros(1)]).entries
    if abs(distance) < 1e-4:  # further away no step reaches it
        assert entry.where == pytest.approx(distance, rel=1e-4)
        assert entry.one_sided == pytest.approx(
            (-abs(entry.one_sided[0]) * np.sign(entry.one_sided[1]), entry.one_sided[1])
        )
    wrong = numpy_pair(pair.function, lambda g, x: -g * np.sign(x - distance))
    assert gradcheck(wrong, [np.zeros(1)], raise_exception=False).verdict is Verdict.FAIL


def test_ties_may_go_to_one_or_be_shared_but_not_counted_twice():
    def share(weights):
        return numpy_pair(np.max, lambda g, x: g * np.array(weights))

    x = [np.array([2.0, 2.0, 2.0, -1.0])]
    for weights in ([1, 0, 0, 0], [0, 0, 1, 0], [1 / 3, 1 / 3, 1 / 3, 0], [0.5, 0.25, 0.25, 0]):
        assert gradcheck(share(weights), x)
    for weights in ([1, 1, 1, 0], [0.5, 0.5, 0.5, 0], [0, 0, 0, 0], [0.5, 0, 0, 0]):
        report = gradcheck(share(weights), x, raise_exception=False)
        assert report.verdict is Verdict.FAIL
        assert report.diagnoses[0].kind == "kink convention"


def test_ties_between_two_inputs_count_as_ties():
    def pair(a, b):
        return numpy_pair(np.maximum, lambda g, x, y: (g * np.where(x == y, a, x > y), g * np.where(x == y, b, y > x)))

    inputs = [np.array([1.0, 2.0]), np.array([1.0, 3.0])]
    assert gradcheck(pair(0.5, 0.5), inputs)
    assert gradcheck(pair(1, 0), inputs)
    assert gradcheck(pair(1, 1), inputs, raise_exception=False).verdict is Verdict.FAIL


def test_conventions_of_independent_kinks_may_differ():
    pair = numpy_pair(lambda x: np.abs(x[0]) - np.abs(x[1]), lambda g, x: g * np.array([1.0, 1.0]))
    assert gradcheck(pair, [np.zeros(2)])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("slope", [0.0, 1.0])
def test_a_gradient_between_the_slopes_of_a_jump_is_no_pass(dtype, slope):
    """Seen from afar a jump is a kink, and one of its slopes is the gradient."""
    pair = numpy_pair(lambda x: np.floor(x) + slope * x, lambda g, x: slope * g)
    for seed, x in enumerate((-3.0, 1.0, 2.0, 4.0, 100.0)):
        report = gradcheck(pair, [np.array([x], dtype)], seed=seed, raise_exception=False)
        assert report.verdict is Verdict.INCONCLUSIVE, str(report)


def test_a_jump_is_inconclusive():
    report = gradcheck(numpy_pair(np.floor, lambda g, x: 0 * g), [np.array([2.0])], raise_exception=False)
    assert report.verdict is Verdict.INCONCLUSIVE


def test_a_bend_without_a_kink_passes():
    assert gradcheck(numpy_pair(lambda x: x * np.abs(x), lambda g, x: 2 * g * np.abs(x)), [np.array([0.0, 1e-6, 0.1])])
