"""A mistake just beyond each tolerance and slack of the judge: ten times the tolerance, and it is not found.

Every number in ``gradcheck/tolerances.py`` has a case here; one without is an error, and so is a number of ``judge.py``
that is in neither of the two lists.
"""

import importlib
import pkgutil

import numpy as np
import pytest

import tinygrad_cnn as tg
from tinygrad_cnn import gradcheck as room
from tinygrad_cnn.gradcheck import GradientError, Verdict, gradcheck, judge, numpy_pair, tolerances
from tinygrad_cnn.gradcheck.functions import unpacked
from tinygrad_cnn.gradcheck.judge import Tolerance
from tinygrad_cnn.gradcheck.linear import _is_linear, _may_be_linear, exact_adjoint
from tinygrad_cnn.gradcheck.point import Point
from tinygrad_cnn.gradcheck.projections import along
from tinygrad_cnn.gradcheck.referee import agrees, is_within_rounding

X = np.array([0.3, -0.7, 1.1])


def verdict(function, *inputs, **options):
    return gradcheck(function, list(inputs), raise_exception=False, explain=False, **options).verdict


def hooked(function, change):
    """A function of Tensors whose gradient is changed on its way: neither dual numbers nor complex ones see it."""

    def changed(x):
        there = x * 1
        there.register_hook(change)
        return function(there)

    return changed


def tensor(values):
    return tg.tensor(values, dtype=tg.float64, requires_grad=True)


def single(function, *inputs):
    """How many single elements are called wrong."""
    report = gradcheck(function, list(inputs), raise_exception=False, explain=False)
    return sum(e.verdict is Verdict.FAIL for e in report.entries if e.place)


def off_by(part):
    """Of a sine, in every element."""
    return single(hooked(tg.sin, lambda g: g * (1 + part)), tensor(X))


def weak(part):
    """The verdict on a sine that is off by so little that no element shows it."""
    return verdict(hooked(tg.sin, lambda g: g * (1 + part)), tensor(X))


def notes(part):
    """How many notes there are of such a one."""
    function = hooked(tg.sin, lambda g: g * (1 + part))
    return len(gradcheck(function, [tensor(X)], explain=False).notes)


def in_a_small_one(part):
    """Of two elements one is off, by a part of the derivative in the other; its own is a ten thousandth of that."""
    weights = tensor([1.0, 1e-4]).detach()
    return verdict(
        hooked(lambda x: x.sin() * weights, lambda g: g + g[0] * tensor([0.0, part]).detach()), tensor(X[:2])
    )


def of_steps(level, parts, said=Verdict.FAIL):
    """Of a sine that goes in steps, as if rounded; of how many of these mistakes this is said."""

    def stepped(x):
        return np.round(np.sin(x) / level) * level

    found = [verdict(numpy_pair(stepped, lambda g, x, m=m: g * np.cos(x) * (1 + m)), X) for m in parts]
    return found.count(said)


def calls_of_what_turns():
    """How often a sine is computed that turns so fast that the differences at the first steps are not exact."""
    calls = []

    def f(x):
        calls.append(x)
        return (60 * x).sin()

    assert verdict(f, tensor(X)) is Verdict.PASS
    return len(calls)


C = np.random.default_rng(5).uniform(0.5, 1.5, 6000)


def of_many_steps(level, parts):
    """The same of thousands of outputs, which depend on one element."""

    def stepped(x):
        return np.round(np.sin(x) * C / level) * level

    def wrong(part):
        return lambda g, x: np.array([np.sum(g * C) * np.cos(x[0]) * (1 + part)])

    found = [verdict(numpy_pair(stepped, wrong(m)), X[:1]) for m in parts]
    return found.count(Verdict.FAIL)


def tied(part):
    """Two equal numbers that share the gradient of their maximum, and a little more."""
    return verdict(numpy_pair(np.max, lambda g, x: g * np.array([0.5, 0.5 + part])), np.array([2.0, 2.0]))


def not_linear(part):
    return verdict(hooked(lambda x: x.sin(), lambda g: g + part * g.abs()), tensor(X))


def forward(part):
    return verdict(numpy_pair(np.sin, lambda g, x: g * np.cos(x) * (1 + part)), X)


def in_the_last_digits(units):
    """A function whose second call differs from the first by so many units in the last place."""
    calls = []

    def f(x):
        calls.append(x)
        return np.sin(x) * (1 + units * 2.0**-52 * (len(calls) % 2))

    try:
        gradcheck(numpy_pair(f, lambda g, x: g * np.cos(x)), [X])
    except GradientError as error:
        return Verdict.FAIL if "another value" in str(error) else Verdict.PASS
    return Verdict.PASS


def point(function, *inputs):
    adapter = numpy_pair(function, lambda g, *inputs: g)
    return Point(adapter, *unpacked(adapter, inputs))


def in_float32_alone(units):
    """Whether the values in float64 are taken for those in float32, which are off by so many units."""

    def f(x):
        return np.sin(x) if x.dtype == np.float64 else np.sin(x) * np.float32(1 + units * 2.0**-23)

    coarse = point(f, X.astype(np.float32))
    return Verdict.PASS if agrees(point(f, X), coarse) else Verdict.FAIL


def beside_a_kink(units):
    """Whether a kink so many units away may be on the other side."""
    found = is_within_rounding(point(np.sin, X.astype(np.float32)), 0, 0, units * 2.0**-23)
    return Verdict.PASS if found else Verdict.FAIL


def hidden(part):
    """The verdict on a projection that is off by what its gradient's rounding may hide."""
    at, u, v = point(np.sin, X), np.array([0.5, -0.75, 0.25]), np.array([0.5, 0.25, -0.75])
    right = v * np.cos(X)
    size = float(np.sqrt(np.sum((right * u) ** 2)))
    noise = np.full(3, part * size / np.sum(np.abs(u)))
    return along(at, 0, u, v, right, Tolerance(None, tolerances.RTOL, at.eps, None), noise).verdict


def at_a_kink(part):
    """A gradient beside the right slope of a kink, if nothing else is allowed."""
    return verdict(numpy_pair(np.abs, lambda g, x: g * (1 + part)), np.zeros(1), rtol=1e-12, atol=0.0)


def tied_faintly(part):
    """A tie counted twice by an output whose kink is this part of another's."""

    def f(x):
        return np.array([np.abs(x[0]), part * np.maximum(x[0], x[1])])

    return verdict(numpy_pair(f, lambda g, x: np.array([g[0] + part * g[1], part * g[1]])), np.zeros(2))


def tied_among_large_terms(off):
    """A tie off by so little beside terms that cancel, in float32: 64 times the difference, and the maximum."""

    def f(x):
        return np.float32(64) * (x[0] - x[1]) + np.maximum(x[0], x[1])

    def vjp(g, x):
        return g * np.array([64.5, -63.5 + off], np.float32)

    return verdict(numpy_pair(f, vjp), np.zeros(2, np.float32))


def of_duals(part):
    """The verdict on a right gradient of what is another function of dual numbers."""

    def f(x):
        return x.sum() * (1.0 if isinstance(x, np.ndarray) else 1 + part)

    found = verdict(numpy_pair(f, lambda g, x: g * np.ones(3)), X)
    return Verdict.FAIL if found is Verdict.PASS else Verdict.PASS


def of_complex_numbers(part):
    """The same of complex ones: whether the complex step is not believed."""

    def f(x):
        return np.sin(x) * (1 + part * np.iscomplexobj(x))

    report = gradcheck(numpy_pair(f, lambda g, x: g * np.cos(x)), [X], explain=False)
    return int("complex step" not in report.oracles)


def looked_at_again(f, slope, part):
    """How many elements the complex step does not settle."""
    pair = numpy_pair(f, lambda g, x: g * slope(x) * (1 + part))
    report = gradcheck(pair, [X], rtol=1e-15, atol=0.0, raise_exception=False, explain=False)
    assert "complex step" in report.oracles
    return sum(bool(e.steps) for e in report.entries)


def cancelling(x):
    """The sum of what is 10⁸ times as large."""
    return 1e8 * x - (1e8 - 1) * x


def adjoint(part):
    """Whether a gradient of a linear function that is off by this part counts as wrong, not as that of another one."""
    made = numpy_pair(lambda x: 2 * x, lambda g, x: 2 * g * (1 + part))
    found = exact_adjoint(
        Point(made, *unpacked(made, [X])), 0, np.random.default_rng(0), Tolerance(None, 1e-5, 1e-16, None)
    )
    return Verdict.FAIL if found is not None and found.wrong else Verdict.INCONCLUSIVE


def of_one_sign(part):
    """Whether sums of a million terms of one sign are too far apart for a linear function."""
    at = point(lambda x: x, np.ones(1_000_000))
    return int(not _may_be_linear(at, 0, at.values, at.values * (1 + part)))


def bent(units):
    """Whether a function that is a little bent does not count as linear."""

    def f(x):
        return x + units * 2.0**-52 * x**3

    at, x = point(f, X), np.array([1.0, -2.0, 4.0])
    linear = _is_linear(at, 0, np.random.default_rng(0), f, (x, f(x)), lambda z: np.ones(3))
    return int(not linear)


LEVEL, MISTAKES = 1e-9 * 500 ** (5 / 9), np.geomspace(1e-5, 2e-3, 10)[4:8]
"""Some are nothing beside the error bars of a function that is rounded like this, some are too large for them."""

BEYOND = {
    "RTOL": lambda: off_by(3e-5),
    "ATOL": lambda: in_a_small_one(3e-7),
    "SAFETY": lambda: of_steps(LEVEL, MISTAKES),
    "CERTAIN": lambda: of_steps(LEVEL, MISTAKES),
    "DEVIATIONS": lambda: of_steps(LEVEL, MISTAKES),
    "SIGNS": lambda: of_many_steps(2e-8, np.geomspace(1e-4, 1e-2, 4)),
    "DECIDES": lambda: of_steps(3e-7, [2e-5, 4e-5, 8e-5], Verdict.INCONCLUSIVE),
    "FINE": calls_of_what_turns,
    "DIGITS": lambda: in_the_last_digits(300),
    "TIED": lambda: tied(3e-5),
    "LINEAR": lambda: not_linear(6e-8),
    "FORWARD": lambda: forward(5e-7),
    "VISIBLE": lambda: weak(5e-6),
    "WEAK": lambda: notes(5e-9),
    "HIDDEN": lambda: hidden(5e-3),
    "SAME": lambda: in_float32_alone(70),
    "BESIDE": lambda: beside_a_kink(600),
    "SLOPES": lambda: at_a_kink(5e-9),
    "FAINT": lambda: tied_faintly(5e-6),
    "TERMS": lambda: tied_among_large_terms(2e-3),
    "BELIEVED": lambda: of_duals(5e-6),
    "ANALYTIC": lambda: of_complex_numbers(5e-7),
    "IMAGINARY": lambda: looked_at_again(np.sin, np.cos, 5e-14),
    "REPEATED": lambda: looked_at_again(cancelling, np.ones_like, 5e-7),
    "APART": lambda: adjoint(3e-3),
    "NEARLY": lambda: of_one_sign(1e-3),
    "STRAIGHT": lambda: bent(5),
}
"""Of each tolerance, a mistake just beyond it: what is said of it, or how many of several are called wrong."""

WHERE_TO_LOOK = {"STAGES", "COARSE_STAGES", "BENT", "CHUNK", "CONFIRMED", "THOROUGH", "AWAY", "VERDICT"}
"""Of `judge.py`, what says where and how often to look, and not what a gradient may be off by."""


def capitals(module):
    """The constants that a module defines, and those it has from elsewhere."""
    return {name for name in vars(module) if name.isupper() and not name.startswith("_")}


def modules():
    """Every module of the room that can be imported without Hypothesis."""
    names = (m.name for m in pkgutil.walk_packages(room.__path__, "tinygrad_cnn.gradcheck."))
    return [importlib.import_module(n) for n in names if not n.endswith(("strategies", "decorator", "pytest_plugin"))]


def loosen(monkeypatch, name, factor=10.0):
    """Make a tolerance larger, wherever it was imported to and whatever has it for a default."""
    old = getattr(tolerances if hasattr(tolerances, name) else judge, name)
    for module in modules():
        if getattr(module, name, None) == old:
            monkeypatch.setattr(module, name, old * factor)
    if name == "RTOL":
        monkeypatch.setitem(gradcheck.__kwdefaults__, "rtol", old * factor)


def test_every_tolerance_has_a_mistake_beyond_it():
    elsewhere = {"STEP", "COARSE", "LEAST"}
    assert capitals(tolerances) | capitals(judge) == set(BEYOND) | WHERE_TO_LOOK | elsewhere


@pytest.mark.parametrize("name", BEYOND)
def test_ten_times_a_tolerance_is_noticed(name, monkeypatch):
    found = BEYOND[name]()
    assert found
    assert found is not Verdict.PASS
    loosen(monkeypatch, name, factor=1.0)
    assert BEYOND[name]() == found
    loosen(monkeypatch, name)
    loosened = BEYOND[name]()
    assert loosened < found if isinstance(found, int) else loosened is not found
