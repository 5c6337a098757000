"""`check_gradients`: right gradients pass, wrong ones are found, shrunk and explained, whoever wrote the function."""

from functools import partial

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st

import tinygrad_cnn as tg
from tinygrad_cnn.gradcheck import PLANTED, GradientError, numpy_pair, planted
from tinygrad_cnn.gradcheck.strategies import (
    Distinct,
    Positive,
    Real,
    Sample,
    arrays,
    axis,
    broadcasting,
    check_gradients,
    convolutions,
    cotangents,
    indexed,
    labels,
    poolings,
    samples,
    shapes,
)
from tinygrad_cnn.gradcheck.watching import EFFORT, Effort


def fails(test, message=None):
    with pytest.raises(GradientError, match=message) as caught:
        test()
    report = caught.value.report
    assert str(caught.value) == str(report)
    assert not report
    return report


def sine(g, x):
    return g * np.cos(x)


@check_gradients(x=arrays(shapes(), Positive()), y=arrays(shapes(0, 0), Real()), order=2)
def test_a_function_of_tensors(x, y):
    return x.log() * y


test_a_pair = check_gradients(arrays(shapes(), Real()))(numpy_pair(np.sin, sine))
test_a_function_of_the_library = check_gradients(arrays(shapes(), Real()), order=2)(tg.ops.sigmoid)


@check_gradients(x=arrays(shapes(1, 3), Real()), along=st.sampled_from([0, -1]))
def test_a_function_that_makes_the_pair(along):
    return numpy_pair(
        partial(np.sum, axis=along), lambda g, x: np.broadcast_to(np.expand_dims(g, along), x.shape).copy()
    )


@pytest.mark.parametrize("base", [2.0, 3.0])
@check_gradients(x=arrays(shapes(), Real()))
def test_other_parameters_are_left_to_pytest(base, tmp_path, x):
    assert tmp_path.exists()
    return base**x


class TestMethods:
    @check_gradients(x=arrays(shapes(), Real()))
    def test_by_name(self, x):
        assert isinstance(self, TestMethods)
        return x * x

    @check_gradients(arrays(shapes(), Real()))
    def test_in_order(self, x):
        assert isinstance(self, TestMethods)
        return x * x


@check_gradients(broadcasting(Real(), Positive()), order=2)
def test_arrays_that_broadcast(a, b):
    return a / b


@check_gradients(convolutions(bias=True), order=2)
def test_convolutions(x, w, b, **options):
    return tg.ops.conv2d(x, w, b, **options)


@check_gradients(poolings())
def test_poolings(x, **options):
    return tg.ops.max_pool2d(x, **options)


@check_gradients(indexed())
def test_indices(x, index):
    return x[index]


@check_gradients(x=arrays((3, 4), Real()), t=labels((3,), 4))
def test_labels(x, t):
    return tg.ops.cross_entropy(x, t)


@check_gradients(samples(tg.ops.registry["Softmax"]))
def test_samples_of_an_op(x, axis):
    return tg.ops.softmax(x, axis)


def test_under_ten_lines_for_a_strangers_op():
    class Cube(tg.ops.Op):
        """y = x³        dx = 3 g x²"""

        def forward(x):
            return x**3

        def d_x(g, x):
            return 3 * g * x**2

    try:
        check_gradients(arrays(shapes(), Real()), order=2)(Cube.apply)()
        with planted(Cube, 0, PLANTED["off by 1%"]):
            fails(check_gradients(arrays(shapes(), Real()), order=2)(Cube.apply))
    finally:
        del tg.ops.registry["Cube"]


def forgets_one_row(g, x):
    d = g * np.cos(x)
    if x.ndim == 2 and x.shape[0] == 3:
        d[2] = 0
    return d


def test_what_fails_is_shrunk_to_the_smallest():
    report = fails(check_gradients(arrays(shapes(), Real()), examples=200)(numpy_pair(np.sin, forgets_one_row)))
    (x,) = report.smallest
    assert x.shape == (3, 1)
    assert np.array_equal(x, np.zeros((3, 1)))
    assert report.worst.place == (2, 0)
    assert "The smallest input found that fails: [[0.]" in str(report)


@pytest.mark.parametrize("error", ["sign flipped", "factor 2", "zeroed", "off by 1%", "transposed"])
def test_planted_errors_are_found_and_small(error):
    op = tg.ops.registry["Mul"]
    test = check_gradients(samples(op), order=1)(op.apply)
    test()
    with planted(op, 0, PLANTED[error]):
        report = fails(test)
    assert sum(a.size for a in report.smallest) <= 4


def test_an_error_of_the_second_order_is_found():
    def cached(x):
        return x * x.detach() * x.detach()

    test = check_gradients(arrays((2,), Positive()))(lambda x: cached(x) + 0 * x)
    fails(test)

    class Once(tg.ops.Op):
        """y = x³        dx = 3 g x², x² as a number without a history"""

        def forward(x):
            return x**3

        def d_x(g, x):
            return 3 * g * np.asarray(tg.as_tensor(x).detach()) ** 2

    try:
        check_gradients(arrays((2,), Positive()))(Once.apply)()
        fails(check_gradients(arrays((2,), Positive()), order=2)(Once.apply))
    finally:
        del tg.ops.registry["Once"]


def test_the_diagnosis_comes_from_an_input_that_shows_more_than_a_factor():
    pair = numpy_pair(np.tanh, lambda g, x: g)
    report = fails(check_gradients(arrays(shapes(1, 2, min_side=1), Real()))(pair))
    assert report.smallest[0].size == 1
    assert report.diagnoses[0].message.startswith("the factor `1 - (tanh(x) * tanh(x))` is missing")


def test_what_else_was_drawn_is_told():
    @check_gradients(x=arrays(shapes(2, 2, min_side=2), Real()), along=axis(2))
    def sums(along):
        return numpy_pair(
            partial(np.sum, axis=along), lambda g, x: (1 + (along == -1)) * np.expand_dims(g, along) * np.ones(x.shape)
        )

    assert fails(sums).notes[0] == "drawn with along=-1"


def test_the_function_need_not_be_called_by_pytest():
    report = fails(check_gradients(arrays((1,), Real()))(numpy_pair(np.sin, lambda g, x: g)))
    assert report.function == "sin"


def test_constants_have_no_gradient():
    pair = numpy_pair(np.multiply, lambda g, x, w: (g * w, None))
    given = {"x": arrays((2,), Real()), "w": arrays((2,), Real())}
    check_gradients(**given, constants=("w",))(pair)()
    check_gradients(*given.values(), constants=(1,))(pair)()
    check_gradients(**given, constants=("w",))(lambda x, w: x * w.detach())()
    fails(check_gradients(**given)(pair))
    fails(check_gradients(**given)(lambda x, w: x * w.detach()))
    with pytest.raises(ValueError, match=r"check_gradients: constants has 'v'; inputs are \['x', 'w'\]"):
        check_gradients(**given, constants=("v",))(pair)()


def test_the_names_of_inputs_are_in_the_report():
    pair = numpy_pair(np.multiply, lambda g, x, w: (g * w, g))
    report = fails(check_gradients(x=arrays((2,), Real()), w=arrays((2,), Real()))(pair), "the worst element is w at")
    assert {e.name for e in report.entries} == {"x", "w"}


def test_options_go_to_gradcheck():
    pair = numpy_pair(lambda x: x * np.sin(x), lambda g, x: g * np.sin(x))
    report = fails(check_gradients(arrays((2,), Real()), options={"fast_mode": True})(pair))
    assert any("random projections" in note for note in report.notes)


def test_much_that_cannot_be_judged_does_not_pass_unless_allowed():
    jumps = numpy_pair(lambda x: np.floor(16 * x), lambda g, x: 0 * g)  # wherever a value is drawn
    report = fails(check_gradients(arrays(shapes(), Real()))(jumps), "too coarse to judge")
    assert report.smallest[0].shape == ()
    check_gradients(arrays(shapes(), Real()), inconclusive=1)(jumps)()
    steps = numpy_pair(np.floor, lambda g, x: 0 * g)
    fails(check_gradients(arrays((), Real(-1, 1)), inconclusive=0, examples=100)(steps), "too coarse to judge")
    check_gradients(arrays((), Real(-1, 1)), inconclusive=0.3, examples=100)(steps)()
    check_gradients(arrays(shapes(), kinks=range(-4, 5)), inconclusive=0)(steps)()


def test_a_pair_that_reads_memory_instead_of_elements_is_found():
    def as_it_lies(g, x):
        return (g.ravel(order="K") * np.cos(x).ravel(order="K")).reshape(x.shape)

    pair = numpy_pair(np.sin, as_it_lies)
    report = fails(check_gradients(arrays(shapes(), Real()))(pair), "another one for the same numbers in other memory")
    assert report.smallest[0].size <= 4

    def in_place(g, x):
        g = np.asarray(g)
        return np.lib.stride_tricks.as_strided(g, g.shape, np.empty(g.shape).strides) * np.cos(x)

    fails(check_gradients(arrays((2, 2), Real(), layout=False))(numpy_pair(np.sin, in_place)), "strides")


def test_a_function_that_refuses_memory_is_found():
    def refuses(x):
        if x.size and not x.flags.c_contiguous:
            raise ValueError("not contiguous")
        return np.sin(x)

    fails(
        check_gradients(arrays((2, 2), Real()))(numpy_pair(refuses, sine)),
        r"the function raises ValueError: not contiguous \(input 0 \(2, 2\) of strides",
    )


def test_bad_conduct_raises_what_gradcheck_raises():
    with pytest.raises(ValueError, match="no output has a derivative"):
        check_gradients(arrays((2,), Real()))(numpy_pair(np.argmax, sine))()
    fails(check_gradients(arrays((2,), Real()))(lambda x: x.log()), "returns (nan|-inf) at the given inputs")


def test_errors_of_the_function_itself_come_through():
    def broken(x):
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        check_gradients(arrays((2,), Real()))(broken)()


def test_a_second_derivative_that_is_0_everywhere_passes():
    check_gradients(arrays(shapes(), kinks=(0.0,)), order=2)(tg.ops.registry["Sign"].apply)()


def test_a_test_that_judges_nothing_does_not_pass():
    pair = numpy_pair(np.sin, sine)
    with pytest.raises(GradientError, match="check_gradients: sin: no entry was judged in any example; let the"):
        check_gradients(arrays((0, 2), Real()))(pair)()


def test_the_number_of_examples_can_be_said_in_three_ways():
    def count(effort=(None, None), **options):
        seen = []
        token = EFFORT.set(Effort(*effort, watch=seen.append))
        try:
            check_gradients(arrays((2,), Real()), **options)(numpy_pair(np.sin, sine))()
        finally:
            EFFORT.reset(token)
        return len(seen)

    assert count(settings=settings(max_examples=7)) == 7
    assert count(examples=5) == 5
    assert count((3, 3), examples=5) == count((None, 3), examples=5) == 3
    assert count((3, None), examples=5) == count((None, 9), examples=5) == 5
    assert count((6, None), examples=5) == 6
    assert count((40, None)) == 40


def test_a_cotangent_may_be_drawn_as_an_input():
    check_gradients(g=cotangents((3,)), x=arrays((3,), Distinct()))(lambda g, x: (g * x).sum())()


@st.composite
def rows(draw):
    n = draw(st.integers(1, 3))
    return Sample((draw(arrays((n, 2), Real())), draw(arrays((n,), Real()))), {"scale": n})


@check_gradients(rows())
def test_a_strategy_of_ones_own_relates_inputs(x, y, scale):
    return scale * x.sum(dim=1) * y


PAIR = numpy_pair(np.sin, sine)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: check_gradients()(PAIR), TypeError, "expected strategies either in order or by name"),
        (lambda: check_gradients(arrays((1,)), x=arrays((1,)))(PAIR), TypeError, "either in order or by name"),
        (lambda: check_gradients(x=3)(PAIR), TypeError, "'x' is 3; expected a strategy, such as arrays"),
        (lambda: check_gradients(x=arrays((1,)), order=3), ValueError, "order is 3; expected 1 or 2"),
        (lambda: check_gradients(x=arrays((1,)))(3), TypeError, "int decorated; expected a function, or what numpy"),
        (lambda: check_gradients(x=arrays((1,)))(lambda: None)(), TypeError, "returned NoneType; expected what to"),
        (lambda: check_gradients(arrays((1,)), order=2)(PAIR)(), TypeError, "order=2 needs a function of Tensors"),
        (lambda: check_gradients(poolings())(PAIR)(), TypeError, "sin cannot take the options kernel_size, stride"),
        (lambda: check_gradients(x=arrays((1,)))(lambda x: None)(), TypeError, "returned NoneType; expected a Tensor"),
    ],
)
def test_wrong_use_is_explained(make, error, message):
    with pytest.raises(error, match=message):
        make()
