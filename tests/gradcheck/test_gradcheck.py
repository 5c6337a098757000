"""`gradcheck` and `gradgradcheck`: what is right passes, and each way of being wrong is found and named."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_cnn as tg
from tinygrad_cnn.core.linalg import Matmul
from tinygrad_cnn.gradcheck import PLANTED, GradientError, Verdict, gradcheck, gradgradcheck, numpy_pair, planted
from tinygrad_cnn.gradcheck.drawing import RandomDraw


def leaf(*shape, seed=0):
    return tg.Tensor(np.random.default_rng(seed).uniform(0.3, 2.0, shape), requires_grad=True)


class Halves(tg.ops.Op):
    """y = x³        dx = 3 g x², but half of it where x > 1"""

    def forward(x):
        return x**3

    def d_x(g, x):
        return 3 * g * x**2 * np.where(x > 1, 0.5, 1.0)


class ForgetsTheCotangent(tg.ops.Op):
    """y = x²        dx = 2 x, the cotangent left out"""

    def forward(x):
        return x**2

    def d_x(g, x):
        return 2 * x


class Cached(tg.ops.Op):
    """y = x³        dx = 3 g x², x² as a number without a history: right once, wrong twice"""

    def forward(x):
        return x**3

    def d_x(g, x):
        return 3 * g * np.asarray(tg.as_tensor(x).detach()) ** 2


@pytest.mark.parametrize(
    ("func", "inputs"),
    [
        (lambda x: x.exp(), leaf(3)),
        (lambda x, y: x @ y, [leaf(2, 3), leaf(3, 4, seed=1)]),
        (lambda x, y: (x * y, (x / y).sum()), [leaf(2, 3), leaf(3, seed=1)]),
        (lambda x, y: (x * 2, y.argmax()), [leaf(2), leaf(3, seed=1)]),
        (lambda x, n: x**n, [leaf(2), 3]),
        (lambda x: x.sum(), leaf(0, 3)),
        (lambda x: x * x, leaf()),
    ],
)
def test_right_gradients_pass(func, inputs):
    assert gradcheck(func, inputs)
    assert gradgradcheck(func, inputs)


def test_the_worst_element_is_named_with_both_values():
    x = tg.tensor([0.5, 2.0, 1.5], dtype=tg.float64, requires_grad=True)
    with pytest.raises(GradientError, match=r"the worst element is x at \(1,\): analytic .*, numeric .* ±"):
        gradcheck(Halves.apply, x)
    assert not gradcheck(Halves.apply, x, raise_exception=False)
    assert gradcheck(Halves.apply, x[:1].detach().requires_grad_())


def test_a_rule_that_forgets_the_cotangent_is_found():
    assert not gradcheck(ForgetsTheCotangent.apply, leaf(3), raise_exception=False)


def test_a_gradient_without_a_history_passes_once_and_fails_twice():
    assert gradcheck(Cached.apply, leaf(3))
    assert not gradgradcheck(Cached.apply, leaf(3), raise_exception=False)


@pytest.mark.parametrize("error", PLANTED)
@pytest.mark.parametrize("k", [0, 1])
def test_planted_errors_are_found(error, k):
    inputs = [leaf(3, 3), leaf(3, 3, seed=1)]
    assert gradcheck(Matmul.apply, inputs)
    with planted(Matmul, k, PLANTED[error]):
        assert not gradcheck(Matmul.apply, inputs, raise_exception=False)
    assert gradcheck(Matmul.apply, inputs)


def test_planting_needs_a_rule():
    with (
        pytest.raises(ValueError, match="planted: Argmax has no derivative"),
        planted(tg.ops.registry["Argmax"], 0, abs),
    ):
        pytest.fail("the block must not be entered")


def test_a_function_that_writes_its_input_is_found():
    def doubles(x):
        x.data = x.detach() * 2
        return x * x

    with pytest.raises(GradientError, match="modifies its input"):
        gradcheck(doubles, leaf(2))


def test_a_function_that_leaves_the_graph_is_found():
    with pytest.raises(GradientError, match="leaves the graph"):
        gradcheck(lambda x: x.detach() * 2, leaf(2))


def test_part_of_a_function_that_leaves_the_graph_is_found():
    assert not gradcheck(lambda x: x * x + x.detach(), leaf(2), raise_exception=False)


def test_not_a_number_is_no_pass():
    with np.errstate(all="ignore"):
        assert not gradcheck(lambda x: (x - 100).sqrt(), leaf(2), raise_exception=False)


def test_wrong_arguments_are_explained():
    with pytest.raises(ValueError, match="no input requires a gradient; create one with requires_grad=True"):
        gradcheck(lambda x: x, tg.ones(2, dtype=tg.float64))
    with pytest.raises(TypeError, match="returned ndarray; expected a Tensor"):
        gradcheck(lambda x: x.detach().numpy(), leaf(2))


def test_a_float32_input_that_needs_no_gradient_may_stay():
    assert gradcheck(lambda x, w: x * w.double(), [leaf(3), tg.ones(3)])


@given(st.integers(0, 2**32 - 1), st.floats(0.98, 1.02))
def test_every_factor_but_one_is_found(seed, factor):
    x = leaf(2, 2, seed=seed)

    class ScaledHere(tg.ops.Op):
        """y = x²        dx = 2 g x, times a factor"""

        def forward(x):
            return x**2

        def d_x(g, x):
            return 2 * factor * g * x

    try:
        assert bool(gradcheck(ScaledHere.apply, x, raise_exception=False)) == (abs(factor - 1) < 1e-5) or (
            1e-6 < abs(factor - 1) < 1e-4  # at the edge of the tolerance either verdict is right
        )
    finally:
        del tg.ops.registry["ScaledHere"]


def test_a_random_function_is_found():
    with pytest.raises(GradientError, match="gives another value when called again; seed what is random"):
        gradcheck(lambda x: x * tg.rand(3, dtype=tg.float64), leaf(3))


def test_a_kink_beside_the_point_is_no_false_alarm():
    x = tg.tensor([0.00005], dtype=tg.float64, requires_grad=True)
    report = gradcheck(lambda x: abs(x), x)
    (entry,) = report.entries
    assert entry.reason == "beside a kink"
    assert entry.where == pytest.approx(-0.00005)
    assert entry.one_sided == pytest.approx((-entry.numeric, entry.numeric))


def test_a_kink_too_near_to_tell_is_no_pass():
    x = tg.tensor([1e-8], dtype=tg.float64, requires_grad=True)
    report = gradcheck(lambda x: abs(x) + 1e4, x, raise_exception=False)
    assert report.verdict is Verdict.INCONCLUSIVE
    with pytest.raises(GradientError, match=r"too coarse to judge input 0 at \(0,\): .*a kink at .* too near to tell"):
        gradcheck(lambda x: abs(x) + 1e4, x)


@pytest.mark.parametrize(
    ("func", "x"),
    [
        (lambda x: (x * 1e-9).sin() * 1e9, [2e9]),
        (lambda x: x.log(), [1e-6, 1e6]),
        (lambda x: 1e-12 * x.exp(), [1.0]),
        (lambda x: 1e6 + x, [0.3]),
        (lambda x: x.sum() - x.sum(), [1.0, 2.0]),
        (lambda x: x**2.5, [0.0]),
    ],
)
def test_scales_and_edges_of_domains_are_no_obstacle(func, x):
    assert gradcheck(func, tg.tensor(x, dtype=tg.float64, requires_grad=True))


@pytest.mark.parametrize("scale", [1e-12, 1.0, 1e12])
def test_a_wrong_gradient_is_found_at_any_scale(scale):
    assert gradcheck(numpy_pair(lambda x: scale * np.sin(x), lambda g, x: scale * g * np.cos(x)), [np.array([0.5, 1])])
    wrong = numpy_pair(lambda x: scale * np.sin(x), lambda g, x: 1.001 * scale * g * np.cos(x))
    assert gradcheck(wrong, [np.array([0.5, 1])], raise_exception=False).verdict is Verdict.FAIL


@pytest.mark.parametrize("op", ["Exp", "Conv2DBias", "Softmax", "MaxPool2D", "Std"])
def test_float32_is_judged_by_its_own_precision(op):
    op = tg.ops.registry[op]
    inputs, options = op.sample(RandomDraw(np.random.default_rng(0)))
    tensors = [tg.Tensor(a.astype(np.float32), requires_grad=True) for a in inputs]

    def func(*tensors):
        y = op.apply(*tensors, **options)
        return y[0] if op.aux else y

    assert gradcheck(func, tensors)
    with planted(op, 0, lambda d: d * 1.02):
        assert gradcheck(func, tensors, raise_exception=False).verdict is Verdict.FAIL


def test_digits_lost_inside_a_float32_gradient_are_no_error():
    """Saturated: g − Σ g y cancels all but the last digits, and stays the same at close points."""
    for shift in np.linspace(6, 9, 31):
        x = tg.tensor([shift, 0.0], dtype=tg.float32, requires_grad=True)
        assert gradcheck(lambda x: x.softmax(dim=0), x, raise_exception=False).verdict is not Verdict.FAIL
    with planted(tg.ops.registry["Softmax"], 0, lambda d: d * 1.05):
        x = tg.tensor([3.0, 0.0], dtype=tg.float32, requires_grad=True)
        assert gradcheck(lambda x: x.softmax(dim=0), x, raise_exception=False).verdict is Verdict.FAIL


def test_a_vjp_that_takes_the_absolute_value_of_the_cotangent_is_found():
    pair = numpy_pair(np.sum, lambda g, x: np.abs(g) * np.ones(x.shape))
    report = gradcheck(pair, [np.ones(3)], raise_exception=False)
    assert report.verdict is Verdict.FAIL
    assert report.diagnoses[0].kind == "nonlinear"


def test_a_vjp_that_clips_the_cotangent_is_found():
    pair = numpy_pair(np.sin, lambda g, x: np.clip(g, -1, 1) * np.cos(x))
    assert gradcheck(pair, [np.ones(3)], raise_exception=False).verdict is Verdict.FAIL


def counted(function):
    """The function, which counts its calls."""

    def called(*tensors):
        called.times += 1
        return function(*tensors)

    called.times = 0
    return called


def test_checking_one_convolution_computes_it_little_more_than_twice_an_element():
    convolution = counted(tg.nn.functional.conv2d)
    random = np.random.default_rng(0)
    tensors = [tg.Tensor(random.normal(size=s), requires_grad=True) for s in ((2, 3, 8, 8), (4, 3, 3, 3), (4,))]
    report = gradcheck(convolution, tensors)
    assert len(report.entries) == 384 + 108 + 4
    assert 2 * len(report.entries) <= convolution.times < 2.1 * len(report.entries)


def test_a_check_by_projections_computes_the_function_twice_for_each():
    x = tg.Tensor(np.random.default_rng(0).normal(size=20_000), requires_grad=True)
    for function in (tg.tanh, lambda x: (x.tanh() ** 2).mean()):
        assert gradcheck(several := counted(function), x)
        assert 6 <= several.times <= 14


@pytest.mark.parametrize("off", [2e-5, 1e-4, 1e-2])
def test_what_is_just_outside_the_tolerance_fails_at_whatever_step_it_was_looked_at(off):
    for size in (1e-3, 1.0, 30.0):
        x = np.random.default_rng(0).uniform(0.2, 0.9, 4) * size
        for f, slope in ((np.sin, np.cos), (np.tanh, lambda x: 1 - np.tanh(x) ** 2), (np.exp, np.exp)):
            function = tg.sin if f is np.sin else tg.tanh if f is np.tanh else tg.exp
            if np.max(np.abs(slope(x))) < 1e-3:
                continue
            given = tg.tensor(x, dtype=tg.float64, requires_grad=True)

            def wrong(x, function=function):
                y = x.clone()
                y.register_hook(lambda g: g * (1 + off))
                return function(y)

            assert gradcheck(wrong, given, raise_exception=False, explain=False).verdict is Verdict.FAIL, (f, size)


def test_names_are_used_in_the_report():
    report = gradcheck(lambda x, w: x * w, [leaf(2), leaf(2)], names=["image", "weight"])
    assert [e.name for e in report.entries] == ["image", "image", "weight", "weight"]


def test_the_cotangents_of_a_second_order_check_can_be_given():
    x = leaf(3)
    assert gradgradcheck(lambda x: x**3, x, grad_outputs=tg.Tensor([1.0, -2.0, 0.5], requires_grad=True))


def test_a_gradient_that_is_zero_everywhere_has_nothing_to_differentiate():
    report = gradgradcheck(lambda x: x * 0 + x.detach() * 0, leaf(2))
    assert report
    assert gradgradcheck(lambda x: x.sign(), leaf(2)).notes == (
        "the gradient is 0 everywhere, and was not recorded: there is nothing to differentiate",
    )


def test_second_order_needs_a_function_that_records():
    with pytest.raises(TypeError, match=r"gradgradcheck: NumpyPair has no recorded gradient; expected a function of T"):
        gradgradcheck(numpy_pair(np.sin, lambda g, x: g * np.cos(x)), [np.ones(2)])
