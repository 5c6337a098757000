"""The smallest input that still fails."""

import numpy as np

from tinygrad_cnn.gradcheck import gradcheck, numpy_pair


def smallest(f, vjp, *inputs):
    return gradcheck(numpy_pair(f, vjp), list(inputs), raise_exception=False).smallest


def test_axes_of_one_length_are_shortened_together():
    a, b = np.random.default_rng(0).normal(size=(2, 5, 5))
    found = smallest(np.matmul, lambda g, a, b: (g @ b.T, -(a.T @ g)), a, b)
    assert [x.shape for x in found] == [(1, 1), (1, 1)]


def test_what_needs_two_elements_keeps_two():
    x = np.random.default_rng(0).normal(size=6)
    found = smallest(lambda x: x - x.mean(), lambda g, x: g - g.mean() * (len(x) == 1), x)
    assert found[0].shape == (2,)


def test_values_are_rounded():
    (x,) = smallest(np.square, lambda g, x: 3 * g * x, np.array([1.2345, 0.4321]))
    assert np.array_equal(x, np.round(x * 16) / 16)


def test_nothing_is_shrunk_if_it_passes():
    assert smallest(np.square, lambda g, x: 2 * g * x, np.ones(3)) is None


def test_a_diagnosis_without_shrinking():
    calls = []

    def counted(x):
        calls.append(x.shape)
        return np.sin(x)

    pair = numpy_pair(counted, lambda g, x: 2 * g * np.cos(x))
    x = np.linspace(0.1, 2, 12).reshape(3, 4)
    report = gradcheck(pair, [x], shrink=False, raise_exception=False)
    assert report.diagnoses[0].kind == "factor"
    assert report.smallest is None
    assert set(calls) == {(3, 4)}  # no smaller one was tried
    assert gradcheck(pair, [x], raise_exception=False).smallest[0].size == 1
