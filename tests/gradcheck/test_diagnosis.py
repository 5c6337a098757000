"""Errors planted on purpose are named: each kind by functions that make it, and by every rule of the registry."""

import re

import numpy as np
import pytest

import tinygrad_cnn as tg
from tests.profiles import THOROUGH
from tinygrad_cnn.core.op import registry
from tinygrad_cnn.gradcheck import PLANTED, Verdict, gradcheck, numpy_pair, patterns, planted
from tinygrad_cnn.gradcheck.diagnosis import nice
from tinygrad_cnn.gradcheck.drawing import RandomDraw

X = np.random.default_rng(0).uniform(0.3, 2.0, (3, 3)) * np.array([[1, -1, 1], [1, 1, -1], [-1, 1, 1]])
W = np.random.default_rng(1).normal(size=(3, 3))
V = X.reshape(-1)[:5]
K = np.array([0.5, -1.0, 2.0])
INDEX = np.array([0, 2, 2, 1, 0])


def correlate(x, k):
    return np.array([x[j : j + 3] @ k for j in range(len(x) - 2)])


def correlate_vjp(g, x, k, shift=0):
    d = np.zeros(len(x))
    for j, one in enumerate(g):
        for t in range(3):
            if 0 <= j + t + shift < len(x):
                d[j + t + shift] += one * k[t]
    return d, np.array([g @ x[t : t + len(g)] for t in range(3)])


def softmax(x):
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def assigned(g, x):
    d = np.zeros(x.shape)
    d[INDEX] = g
    return d


def max_windows(x):
    return x[:8].reshape(4, 2).max(axis=1)


def returns_early(g, x):
    d = np.zeros(len(x))
    d[np.argmax(x[:2])] = g[0]  # as a `return` inside the loop over windows leaves it
    return d


BUGS = [
    ("sign", np.sin, lambda g, x: -g * np.cos(x), [X], "the sign"),
    ("factor", np.sin, lambda g, x: g * np.cos(x) / 2, [X], "multiplied by 1/2"),
    ("factor", np.mean, lambda g, x: np.full(x.shape, g), [X], r"multiplied by 9 \(the size of an axis or array\)"),
    ("factor", np.log2, lambda g, x: g / x, [np.abs(X)], "multiplied by ln 2"),
    ("transposed", lambda x: x @ W, lambda g, x: (g @ W.T).T, [X], "axes 0 and 1"),
    ("transposed", lambda x: W @ x.T, lambda g, x: W.T @ g, [X], "axes 0 and 1"),
    ("unbroadcast", lambda x, b: x + b, lambda g, x, b: (g, g), [X, W[0]], "broadcast, and its gradient is not summed"),
    ("unbroadcast", lambda x, b: x + b, lambda g, x, b: (g, g.mean(axis=0)), [X, W[0]], "averaged over the 3 places"),
    ("chain", np.tanh, lambda g, x: g, [X], "a factor 1 − y² is missing"),
    ("chain", np.square, lambda g, x: 2 * g, [X], "a factor x is missing"),
    ("chain", np.log, lambda g, x: g, [np.abs(X)], "a factor x too many"),
    ("chain", np.exp, lambda g, x: g, [X], r"a factor (exp\(x\)|y) is missing"),
    ("chain", lambda x, w: x * w, lambda g, x, w: (g, g * x), [X, W], "the other input is missing"),
    ("chain", lambda x: np.sqrt(np.sum(x**2)), lambda g, x: g * x, [X], "a factor y too many"),
    ("overwritten", lambda x: x[INDEX], assigned, [V[:3]], "only the last counts: assigned, not accumulated"),
    ("axis", lambda x: x.sum(axis=0), lambda g, x: np.repeat(g[:, None], 3, axis=1), [X], "axes 0 and 1"),
    ("axis", lambda x: np.cumsum(x, 0), lambda g, x: np.cumsum(g[:, ::-1], 1)[:, ::-1], [X], "along axis"),
    ("axis", np.cumsum, lambda g, x: np.cumsum(g), [V], "backwards along axis 0"),
    ("window", correlate, lambda g, x, k: correlate_vjp(g, x, k, shift=1), [np.arange(7.0) / 3, K], "off by 1 along"),
    ("dropped", max_windows, returns_early, [np.arange(8.0) * np.array([1, -1] * 4)], "only the first output"),
    ("dropped", lambda x, b: x * b, lambda g, x, b: (g * b, 0 * b), [X, W], "it is 0 everywhere"),
    ("dropped", softmax, lambda g, x: g * softmax(x), [X], "missing"),
    ("dropped", lambda x: x - x.mean(), lambda g, x: g, [V], "each element depends on itself alone"),
    ("nonlinear", np.sin, lambda g, x: np.abs(g) * np.cos(x), [X], r"it uses \|g\|: .*; J"),
    ("nonlinear", np.sin, lambda g, x: g**2 * np.cos(x), [X], "it uses g²"),
    ("nonlinear", np.sin, lambda g, x: np.sign(g) * np.cos(x), [X], "only the sign of g"),
    ("nonlinear", np.sin, lambda g, x: np.cos(x), [X], "the cotangent is left out"),
    ("constant", np.sin, lambda g, x: g * np.cos(x) + 0.25, [X], "a constant is added, 1/4"),
    ("permuted", lambda x: x[::-1], lambda g, x: g, [V], "reversed along axis 0"),
    ("mask", lambda x: np.maximum(x, 0), lambda g, x: g, [X], "flat, as at .*: a mask is missing"),
    ("mask", np.cumsum, lambda g, x: np.full(5, g.sum()), [V], "arrives at .*, on which that output does not depend"),
    ("chain", lambda x: np.sum(x**3), lambda g, x: g * np.cos(x**2 + x), [V], "off by a factor of its own"),
    ("nan", np.cbrt, lambda g, x: g * np.log(x - 5) * 0, [np.abs(X)], "is nan at"),
    ("shape", np.sin, lambda g, x: g[:, :2], [X], r"has shape \(3, 2\), expected \(3, 3\)"),
    ("dtype", lambda x: 3 * np.sin(x), lambda g, x: g * (3 * np.cos(x)).astype(np.float16), [X], "float16 only"),
    ("kink convention", np.abs, lambda g, x: g * np.where(x == 0, 2.0, np.sign(x)), [np.array([0.0, 1])], "at kinks"),
]


@pytest.mark.parametrize(("kind", "f", "vjp", "inputs", "message"), BUGS)
@pytest.mark.filterwarnings("ignore:invalid value")
def test_a_pattern_fits(kind, f, vjp, inputs, message):
    report = gradcheck(numpy_pair(f, vjp), inputs, raise_exception=False)
    assert report.verdict is Verdict.FAIL
    patterns = [d for d in report.diagnoses if d.kind == kind and re.search(message, d.message)]
    assert patterns, report.diagnoses
    assert report.diagnoses[0].message in str(report).replace("\n    ", " ")


EXPECTED = {
    "off by 1%": {"factor", "constant", "nonlinear"},  # 0.01 is added where the derivative is 0
    "sign flipped": {"sign"},
    "factor 2": {"factor"},
    "zeroed": {"dropped"},
    "transposed": {"transposed", "permuted", "axis", "sign"},
    "overwritten": {"overwritten", "dropped"},
}


@pytest.mark.parametrize("error", PLANTED)
def test_errors_planted_in_every_rule_are_rejected_and_named(error):
    """Of all ops in the thorough profile, of every sixth in a usual run, others for each error.

    Few gradients are matrices, which can be transposed: of those, every third. To look for a smaller input takes long:
    every twelfth.
    """
    right = wrong = 0
    ops, step = list(registry.items()), {"transposed": 3, "off by 1%": 12}.get(error, 6)
    for name, op in ops if THOROUGH else ops[list(PLANTED).index(error) % step :: step]:
        if not op.__module__.startswith("tinygrad_cnn.") or op.variadic:
            continue
        inputs, options = op.sample(RandomDraw(np.random.default_rng(100)))
        if any(np.size(a) == 0 for a in inputs) or not op.differentiable:
            continue
        k = next(k for k, rule in enumerate(op.rules) if rule is not None)
        tensors = [tg.Tensor(a, requires_grad=op.rules[j] is not None) for j, a in enumerate(inputs)]

        def func(*tensors, op=op, options=options):
            y = op.apply(*tensors, **options)
            return y[0] if op.aux else y

        y = func(*tensors)
        v = tg.Tensor(np.random.default_rng(0).uniform(0.2, 0.9, y.shape))
        (gradient,) = tg.autograd.grad(y, tensors[k], v, allow_unused=True)
        if np.allclose(PLANTED[error](gradient.numpy()), gradient.numpy(), rtol=1e-9, atol=1e-12):
            continue  # the error changes nothing, as where a gradient is symmetric
        with planted(op, k, PLANTED[error]):
            report = gradcheck(func, tensors, raise_exception=False, shrink=error == "off by 1%")
        assert report.verdict is Verdict.FAIL, name
        right += report.diagnoses[0].kind in EXPECTED[error]
        wrong += report.diagnoses[0].kind not in EXPECTED[error]
    assert right >= 0.9 * (right + wrong)
    assert right > 5


def test_a_right_gradient_has_no_diagnosis():
    assert gradcheck(numpy_pair(np.sin, lambda g, x: g * np.cos(x)), [X]).diagnoses == ()


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (0.5, "1/2"),
        (-3.0, "−3"),
        (np.pi, "π"),
        (1 / 3, "1/3"),
        (1.2345, "1.2345 (no simple number)"),
        (12.0, "12 (the size of an axis"),
    ],
)
def test_factors_are_told_nicely(value, told):
    assert nice(value, [12]).startswith(told)


def test_an_odd_factor_of_a_function_that_is_0_here():
    """One over the output is then infinite, and no explanation."""
    pair = numpy_pair(lambda x: np.sum(x**2) - 5.0, lambda g, x: 1.2345678 * 2 * g * x)
    report = gradcheck(pair, [np.array([1.0, 2.0])], raise_exception=False, shrink=False)
    assert report.verdict is Verdict.FAIL
    assert "should be 2" in report.diagnoses[0].message
    assert any("multiplied by 1.2346 (no simple number)" in d.message for d in report.diagnoses)


def test_factors_that_are_nearly_1():
    """Every one of them is right to 10⁻⁴, and together they are not."""
    close = np.array([1 + 0.9e-4, 1 - 0.9e-4])
    report = gradcheck(numpy_pair(np.sin, lambda g, x: close * g * np.cos(x)), [V[:2]], raise_exception=False)
    assert report.verdict is Verdict.FAIL
    assert report.diagnoses


def test_confidence_is_between_0_and_1_and_what_is_plain_comes_before_every_name():
    told = [p.confidence for p in vars(patterns).values() if isinstance(p, patterns.Pattern)]
    assert all(0 < c <= 1 for c in told)
    flipped = gradcheck(numpy_pair(np.sin, lambda g, x: -g * np.cos(x)), [K], raise_exception=False)
    nothing = gradcheck(numpy_pair(np.sin, lambda g, x: 0 * g), [K], raise_exception=False)
    assert all(0 < d.confidence <= 1 for d in (*flipped.diagnoses, *nothing.diagnoses))
    assert flipped.diagnoses[0].confidence < patterns.PLAIN
    assert nothing.diagnoses[0].message == "no gradient comes back to input 0: it is 0 everywhere"


def test_one_factor_is_said_to_be_one_only_if_it_is_one_at_other_values():
    inputs = [np.array([[2.0, 0.5], [0.3, 1.5]])]

    def log_det_vjp(g, a):
        return g * np.linalg.det(a) * np.linalg.inv(a).T

    pair = numpy_pair(lambda a: np.log(np.linalg.det(a)), log_det_vjp)
    said = [d.message for d in gradcheck(pair, inputs, raise_exception=False).diagnoses]
    assert any("one number, 2.85 here, another at other values" in m for m in said)
    assert not any("57/20" in m for m in said)
    doubled = numpy_pair(lambda a: np.log(np.linalg.det(a)), lambda g, a: 2 * g * np.linalg.inv(a).T)
    said = [d.message for d in gradcheck(doubled, inputs, raise_exception=False).diagnoses]
    assert any("multiplied by 2" in m for m in said)


def test_a_gradient_that_is_0_at_these_values_alone_is_not_said_to_be_0_everywhere():
    a, b = np.array([1.0, 2.0, 3.0]), np.array([2.0, 4.0, 5.0])
    pair = numpy_pair(np.minimum, lambda g, a, b: (g * (a > b), g * (b < a)))
    report = gradcheck(pair, [a, b], raise_exception=False)
    assert report.verdict is Verdict.FAIL
    said = [d.message for d in report.diagnoses]
    assert any("no gradient comes back at these values" in m for m in said)
    assert not any("everywhere" in m for m in said)
    never = gradcheck(numpy_pair(np.minimum, lambda g, a, b: (0 * g, g * (b < a))), [a, b], raise_exception=False)
    assert "it is 0 everywhere" in never.diagnoses[0].message
