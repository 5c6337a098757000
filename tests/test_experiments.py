"""The experiments run, in a quick form, and show what theory says they should."""

import contextlib
import importlib
import importlib.util
import io
import math
import re
import sys
from fractions import Fraction
from functools import reduce
from pathlib import Path

import numpy as np
import pytest

import tinygrad_cnn as tg
from tinygrad_cnn.ops import registry

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "examples" / "experiments"
PAGE = ROOT / "docs" / "experiments.md"
NAMES = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem != "blackboard")
KIB = 1024


class Ran:
    """An experiment that was run once: the module, what main returned and printed, and its pictures."""

    def __init__(self, module, out):
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            self.result = module.main(out, quick=True)
        self.module, self.printed, self.out = module, printed.getvalue(), out


@pytest.fixture(scope="module")
def load():
    """An experiment as a module; what it registers and puts on the path is gone afterwards."""
    before, path = dict(registry), list(sys.path)
    sys.path.insert(0, str(FOLDER))

    def load(name):
        spec = importlib.util.spec_from_file_location(f"experiments_{name}", FOLDER / f"{name}.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    yield load
    sys.path[:] = path
    sys.modules.pop("blackboard", None)
    registry.clear()
    registry.update(before)


@pytest.fixture(scope="module")
def ran(load, tmp_path_factory):
    """An experiment, run once."""
    known = {}

    def run(name):
        if name not in known:
            known[name] = Ran(load(name), tmp_path_factory.mktemp(name))
        return known[name]

    return run


def power(curve, low, high):
    """The power of h that a curve follows between two steps."""
    steps, off = curve
    there = (steps >= low) & (steps <= high)
    return np.polyfit(np.log(steps[there]), np.log(off[there]), 1)[0]


# --- all of them ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_an_experiment_tells_its_story_and_prints_its_numbers(ran, name):
    experiment = ran(name)
    title, line = experiment.module.__doc__.strip().splitlines()[:2]
    assert line == "=" * len(title)
    assert f"python examples/experiments/{name}.py" in experiment.module.__doc__
    assert len(re.findall(r"\d", experiment.printed)) > 20


@pytest.mark.parametrize("name", NAMES)
def test_every_picture_is_on_the_page_and_light(ran, name):
    experiment = ran(name)
    page = PAGE.read_text(encoding="utf-8")
    names = re.findall(r"(?:wrote \S*/|^)(experiments-\w+\.png)", experiment.printed, re.M)
    assert names
    drawn = importlib.util.find_spec("matplotlib") is not None
    for picture in names:
        assert f"({picture})" in page
        assert (ROOT / "docs" / picture).stat().st_size < 80 * KIB
        assert (experiment.out / picture).exists() is drawn


def test_the_page_shows_no_other_pictures_and_names_every_experiment():
    page = PAGE.read_text(encoding="utf-8")
    shown = re.findall(r"\((experiments-[\w-]+\.png)\)", page)
    assert sorted(shown) == sorted(path.name for path in (ROOT / "docs").glob("experiments-*.png"))
    assert all(f"examples/experiments/{name}.py" in page for name in NAMES)
    assert page.count("**To the class:**") == len(shown)


def test_without_matplotlib_there_is_the_table_and_a_word(ran, load, monkeypatch, capsys, tmp_path):
    before = ran("kinks").printed  # while matplotlib is there, if it is
    kinks = load("kinks")

    def without(name):
        raise ImportError(name)

    monkeypatch.setattr("blackboard.import_module", without)
    kinks.main(tmp_path, quick=True)
    printed = capsys.readouterr().out
    assert "experiments-tie.png is not drawn: matplotlib is not installed; pip install 'tinygrad-cnn[plot]'" in printed
    assert not list(tmp_path.iterdir())
    assert [line for line in printed.splitlines() if ".png" not in line] == [  # nothing else depends on it
        line for line in before.splitlines() if ".png" not in line
    ]


def test_the_command_line_names_the_folder(load, monkeypatch):
    load("kinks")
    blackboard = sys.modules["blackboard"]
    seen = []
    monkeypatch.setattr(sys, "argv", ["kinks.py", "--out", "pictures", "--quick"])
    blackboard.run(lambda out, quick: seen.append((out, quick)), "a story")
    assert seen == [(Path("pictures"), True)]


# --- step size --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "dtype", "low", "high", "expected"),
    [
        ("forward", "float64", 1e-6, 1e-2, 1),
        ("central", "float64", 1e-4, 2e-2, 2),
        ("complex_step", "float64", 1e-6, 2e-2, 2),
        ("richardson", "float64", 3e-3, 5e-2, 4),
        ("forward", "float64", 1e-14, 1e-10, -1),
        ("central", "float64", 1e-14, 1e-7, -1),
        ("richardson", "float64", 1e-14, 1e-5, -1),
        ("central", "float32", 1e-2, 0.13, 2),
        ("central", "float32", 4e-7, 5e-4, -1),
        ("central", "float16", 2e-3, 1.6e-2, -1),
        ("second_difference", "float64", 1e-3, 3e-2, 2),
        ("second_difference", "float64", 1e-10, 1e-5, -2),
        ("gradient_difference", "float64", 1e-10, 1e-7, -1),
    ],
)
def test_errors_follow_the_powers_of_truncation_and_rounding(ran, method, dtype, low, high, expected):
    assert power(ran("step_size").result[method, dtype], low, high) == pytest.approx(expected, abs=0.15)


@pytest.mark.parametrize(
    ("method", "dtype", "root"),
    [
        ("central", "float16", 3),
        ("central", "float32", 3),
        ("central", "float64", 3),
        ("forward", "float32", 2),
        ("forward", "float64", 2),
        ("richardson", "float64", 5),
        ("second_difference", "float64", 4),
        ("gradient_difference", "float64", 3),
    ],
)
def test_the_best_step_is_a_root_of_eps(ran, method, dtype, root):
    steps, off = ran("step_size").result[method, dtype]
    expected = np.finfo(dtype).eps ** (1 / root)
    assert expected / 4 < steps[int(np.argmin(off))] < 4 * expected


def test_the_complex_step_is_right_to_the_last_digits(ran):
    curves = ran("step_size").result
    for dtype in ("float32", "float64"):
        steps, off = curves["complex_step", dtype]
        assert np.all(off[steps < 0.1 * np.sqrt(np.finfo(dtype).eps)] < 2 * np.finfo(dtype).eps)


def test_the_right_derivatives_are_those_of_the_formula(ran):
    x = np.linspace(0.5, 0.75, 7)
    first, second = ran("step_size").module.exact(x)
    value = np.exp(np.sin(2 * x))
    np.testing.assert_allclose(first, 2 * np.cos(2 * x) * value, rtol=1e-14)
    np.testing.assert_allclose(second, 4 * (np.cos(2 * x) ** 2 - np.sin(2 * x)) * value, rtol=1e-13)


def test_the_claimed_error_covers_the_real_one(ran):
    claimed, real = ran("step_size").module.claimed()
    assert real <= claimed < 1e-6


# --- depth ------------------------------------------------------------------------------------------------------------

WIDTH, DEPTH = 128, 20
STARTS = {"N(0, 1)": 1.0, "Xavier": 1 / WIDTH, "Kaiming": 2 / WIDTH}


@pytest.mark.parametrize("start", STARTS)
def test_relu_halves_the_mean_square(ran, start):
    found, theory = ran("depth").result
    expected = math.sqrt(WIDTH * STARTS[start] / 2)
    layers = np.arange(DEPTH, -1, -1)
    np.testing.assert_allclose(theory["relu", start], expected**layers, rtol=1e-2)
    assert found["relu", start][0] ** (1 / DEPTH) == pytest.approx(expected, rel=0.06)


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("activation", ["sigmoid", "tanh"])
def test_the_theory_is_what_random_numbers_give(ran, activation, start):
    phi, slope = {
        "sigmoid": (lambda z: 1 / (1 + np.exp(-z)), lambda z: 0.25 / np.cosh(z / 2) ** 2),
        "tanh": (np.tanh, lambda z: 1 / np.cosh(z) ** 2),
    }[activation]
    normal = np.random.default_rng(3).standard_normal(400_000)
    scale, mean_square, factors = WIDTH * STARTS[start], 1.0, []
    for _ in range(DEPTH):
        z = math.sqrt(scale * mean_square) * normal
        factors.append(math.sqrt(scale * np.mean(slope(z) ** 2)))
        mean_square = np.mean(phi(z) ** 2)
    found, theory = ran("depth").result
    assert math.log(theory[activation, start][0]) == pytest.approx(np.sum(np.log(factors)), abs=0.1)
    off = math.log(found[activation, start][0] / theory[activation, start][0])
    assert abs(off) < 4 * math.sqrt(DEPTH / WIDTH)  # narrow layers fluctuate, each by 1/√width


def test_a_sigmoid_lets_less_than_a_quarter_through(ran):
    gradients = ran("depth").result[0]["sigmoid", "Xavier"]
    assert np.all(gradients[:-1] / gradients[1:] < 0.27)  # the largest slope is 1/4
    assert gradients[0] < 1e-11


# --- accumulation -----------------------------------------------------------------------------------------------------


def test_a_running_sum_is_one_rounding_after_the_other(ran):
    module = ran("accumulation").module
    values = np.random.default_rng(5).random(3000, np.float32)
    assert module.running(values) == reduce(lambda a, b: np.float32(a + b), values)
    assert module.wide(values) == np.float32(float(sum(map(Fraction, values.tolist()))))


def test_errors_of_sums_keep_the_bounds_of_higham(ran):
    by_length = ran("accumulation").result[0]
    for (way, _), (n, off) in by_length.items():
        roundings = {"running": n - 1, "pairwise": np.log2(n) + 20, "wide": 1.001}[way]
        assert np.all(off <= roundings * 2.0**-24)


def test_a_running_sum_of_tenths_loses_a_digit_with_every_digit_of_n(ran):
    by_length = ran("accumulation").result[0]
    n, off = by_length["running", "0.1"]
    assert np.polyfit(np.log(n[2:]), np.log(off[2:]), 1)[0] == pytest.approx(1, abs=0.3)
    assert off[-1] == pytest.approx(0.00958, rel=0.01)
    _, random = by_length["running", "random"]
    assert random[-1] < off[-1] / 100


def test_noise_of_the_sum_is_the_noise_of_the_quotient(ran):
    curves = ran("accumulation").result[1]
    for way in curves:
        assert power(curves[way], 0.12, 0.6) == pytest.approx(2, abs=0.1)
    steps, running = curves["running"]
    _, pairwise = curves["pairwise"]
    small = steps < 0.004
    assert np.median(running[small] / pairwise[small]) > 8
    assert power(curves["pairwise"], 1e-4, 4e-3) == pytest.approx(-1, abs=0.4)


def test_the_slope_of_the_loss_is_its_derivative(ran):
    module = ran("accumulation").module
    x = module.examples_of(1000)

    def loss(w):
        return np.mean(np.log1p(np.exp(-w * x.astype(np.float64))))

    assert module.slope(0.7, x) == pytest.approx((loss(0.7 + 1e-5) - loss(0.7 - 1e-5)) / 2e-5, rel=1e-8)


def test_the_checker_sees_one_per_cent_only_if_the_loss_was_added_in_pairs(ran):
    reports = ran("accumulation").result[2]
    assert {key: report.verdict.value for key, report in reports.items()} == {
        ("running", 1.0): "inconclusive",
        ("running", 1.01): "inconclusive",
        ("pairwise", 1.0): "pass",
        ("pairwise", 1.01): "fail",
    }


# --- kinks ------------------------------------------------------------------------------------------------------------


def test_differences_climb_a_ramp_at_the_kink(ran):
    x = np.linspace(-3, 3, 25)
    slopes = ran("kinks").module.seen(x, 1.0)
    for name, shift in (("backward", 0.0), ("forward", 1.0)):
        np.testing.assert_allclose(slopes[name], np.clip(x + shift, 0, 1), atol=1e-12)
    np.testing.assert_allclose(slopes["central"], np.clip((x + 1) / 2, 0, 1), atol=1e-12)


def test_false_alarms_come_as_often_as_a_number_lies_near_zero(ran):
    shares, trials = ran("kinks").result[0], 50
    for (n, h), share in shares.items():
        expected = 1 - (1 - math.erf(h / math.sqrt(2))) ** n
        deviation = math.sqrt(expected * (1 - expected) / trials)
        assert abs(share - expected) <= 4 * deviation + 1 / trials
    assert max(shares.values()) == 1.0
    assert ran("kinks").module.alarm_expected(100, 0.01) == pytest.approx(
        1 - math.erfc(0.01 / math.sqrt(2)) ** 100, rel=1e-4
    )


def test_the_checker_raises_no_false_alarm_and_still_sees_a_wrong_slope(ran):
    _, ours, _, judged = ran("kinks").result
    assert all(share == 0 for _, share in ours)
    assert {name: report.verdict.value for name, report in judged.items()} == {
        "relu at 0, slope 0": "pass",
        "relu at 0, slope 1": "pass",
        "relu at 0, slope 2": "fail",
        "relu at 10⁻⁷, slope 1": "pass",
        "relu at 10⁻⁷, slope 0": "fail",
        "floor at 2, slope 0": "inconclusive",
    }
    assert judged["relu at 0, slope 0"].worst.reason == "at a kink, inside the subdifferential"


def test_a_tie_may_be_shared_in_any_way_that_adds_up(ran):
    module, (_, _, ties, _) = ran("kinks").module, ran("kinks").result
    for name, (a, b) in module.CONVENTIONS.items():
        assert bool(ties[name]) is (a >= 0 and b >= 0 and a + b == 1)
        assert ties[name] or ties[name].diagnoses[0].kind == "kink convention"


# --- written by hand --------------------------------------------------------------------------------------------------


def test_right_layers_pass_and_wrong_ones_are_told_apart(ran):
    reports = ran("hand_written").result[0]
    wrong = {name: r.diagnoses[0].kind if r.diagnoses else r.problem for name, r in reports.items() if not r}
    assert "returns nan" in wrong.pop("softmax, unshifted, large logits")
    assert wrong == {
        "convolution, nothing for the image": "dropped",
        "pooling, return in the loop": "dropped",
        "pooling, every tie takes all, ties": "kink convention",
        "softmax, unshifted gradient, large logits": "nan",
    }
    early = reports["pooling, return in the loop"].diagnoses[0].message
    assert early == "only the first output passes a gradient on, as if a loop returned early"


def test_the_loops_compute_what_our_ops_do(ran):
    module = ran("hand_written").module
    random = np.random.default_rng(2)
    x, w = random.standard_normal((6, 6)), random.standard_normal((2, 3, 3))
    ours = tg.conv2d(tg.tensor(x)[None, None], tg.tensor(w)[:, None]).numpy()[0]
    np.testing.assert_allclose(module.convolution(x, w), ours.transpose(1, 2, 0), atol=1e-12)
    np.testing.assert_array_equal(module.pooling(x), tg.max_pool2d(tg.tensor(x)[None, None], 2).numpy()[0, 0])
    np.testing.assert_allclose(module.softmax(x[0]), tg.softmax(tg.tensor(x[0]), dim=0).numpy(), atol=1e-15)


@pytest.mark.parametrize(
    ("op", "loop"),
    [
        ("Pooling", "pooling_back"),
        ("ReturningEarly", "pooling_back_returning_early"),
        ("EveryTie", "pooling_back_to_every_tie"),
    ],
)
def test_the_network_makes_the_same_mistakes_as_the_loops(ran, op, loop):
    module = ran("hand_written").module
    x = np.round(2 * np.random.default_rng(4).standard_normal((2, 3, 6, 8)))  # with ties
    t = tg.tensor(x, requires_grad=True)
    y = getattr(module, op).apply(t)
    g = np.random.default_rng(5).standard_normal(y.shape)
    (found,) = tg.autograd.grad(y, t, g)
    for n in range(2):
        for c in range(3):
            np.testing.assert_array_equal(y.detach().numpy()[n, c], module.pooling(x[n, c]))
            np.testing.assert_allclose(found.numpy()[n, c], getattr(module, loop)(g[n, c], x[n, c]))


def test_a_network_learns_in_spite_of_its_gradient(ran):
    _, shares, words = ran("hand_written").result
    right = shares["all right"]
    assert right > 0.8
    for name in ("every tie takes all", "return in the loop", "no gradient at all"):
        assert right - 0.1 < shares[name] < right + 0.02
    assert shares["sign flipped"] < right - 0.1
    assert shares["softmax unshifted,\npixels up to 255"] == pytest.approx(0.1, abs=0.02)  # nan: everything is a 0
    assert list(words.values()) == [
        "passes",
        "kink convention",
        "dropped",
        "dropped",
        "sign",
        "returns nan or inf",
    ]
