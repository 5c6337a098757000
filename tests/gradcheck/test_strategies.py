"""What is drawn keeps its promise by construction, and shrinks to what is simplest."""

import math

import numpy as np
import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st

import tinygrad_cnn as tg
from tinygrad_cnn.gradcheck.drawing import RandomDraw
from tinygrad_cnn.gradcheck.strategies import (
    AwayFrom,
    Distinct,
    Positive,
    Real,
    arrays,
    axes,
    axis,
    broadcastable_shapes,
    broadcasting,
    conv_geometries,
    convolutions,
    cotangents,
    drawn,
    dtypes,
    indexed,
    indices,
    labels,
    layouts,
    pool_geometries,
    poolings,
    samples,
    shapes,
)
from tinygrad_cnn.ops import registry

DEEP = settings(max_examples=2000, derandomize=True, database=None)


def found(strategy, condition):
    """The simplest that there is."""
    return find(strategy, condition, settings=DEEP)


def drawn_once(strategy, condition):
    """Any that is drawn, as it comes: to look for the simplest takes most of the time."""
    return find(strategy, condition, settings=settings(DEEP, phases=[Phase.generate]))


@pytest.mark.parametrize("name", [name for name, op in registry.items() if op.__module__.startswith("tinygrad_cnn.")])
def test_both_drivers_draw_what_an_op_accepts(name):
    op = registry[name]

    @settings(max_examples=5)
    @given(samples(op), st.integers(0, 99))
    def run(sample, seed):
        for inputs, options in (sample, op.sample(RandomDraw(np.random.default_rng(seed)))):
            y = op.forward(*inputs, **options)
            assert np.all(np.isfinite(np.asarray(y[0] if op.aux else y)))

    run()


def test_failing_samples_shrink():
    small = find(samples(registry["Matmul"]), lambda sample: sample.inputs[0].ndim == 3)
    assert small.inputs[0].size <= 2


def test_a_sampler_of_ones_own():
    @given(drawn(lambda draw: draw.array((2, 3), AwayFrom((1.0,), gap=0.25))))
    def run(x):
        assert x.shape == (2, 3)
        assert np.all(np.abs(x - 1) >= 0.25)

    run()


POINTS = st.lists(st.integers(-40, 40).map(lambda n: n / 16), min_size=1, max_size=4)


@given(st.data(), POINTS, st.sampled_from([0.0625, 0.125, 0.5]), dtypes())
def test_values_keep_their_distance_from_every_kink(data, kinks, gap, dtype):
    x = data.draw(arrays(shapes(), kinks=kinks, gap=gap, dtype=dtype))
    distance = np.abs(np.asarray(x, np.float64)[..., None] - np.array(kinks))
    assert x.dtype == dtype
    assert np.all(distance >= gap)


@given(st.data(), st.integers(0, 2))
def test_values_stay_in_the_range_of_their_domain(data, low):
    x = data.draw(arrays((4,), AwayFrom((float(low), 2.5), low=low, high=2.5)))
    assert np.all((low + 0.125 <= x) & (x <= 2.5 - 0.125))


def test_a_domain_without_room_is_refused():
    with pytest.raises(ValueError, match=r"no number between 0.0 and 1.0 is 0.75 away from \(0.5,\); choose a smaller"):
        find(arrays((1,), AwayFrom((0.5,), gap=0.75, low=0.0, high=1.0)), np.any)


@given(arrays(shapes(), Distinct()), arrays(shapes(), Positive()))
def test_distinct_values_are_apart_and_positive_ones_positive(x, p):
    flat = np.sort(x, axis=None)
    assert np.all(np.diff(flat) >= 0.25)
    assert np.all(np.abs(flat) >= 0.125)
    assert np.all(p >= 0.25)


@given(shapes(1, 2, min_side=2, max_side=5))
def test_shapes_stay_in_their_ranges(shape):
    assert 1 <= len(shape) <= 2
    assert all(2 <= n <= 5 for n in shape)


def test_shapes_without_elements_come_only_if_asked_for():
    assert found(shapes(min_side=0), lambda s: 0 in s) == (0,)

    @given(shapes())
    def run(shape):
        assert math.prod(shape) > 0

    run()


@given(st.integers(1, 4).flatmap(broadcastable_shapes))
def test_shapes_broadcast_to_their_result(pair):
    ones = [np.ones(s) for s in pair.shapes]
    assert sum(ones).shape == pair.result


@pytest.mark.parametrize(
    "wanted",
    [
        lambda b: len(b.shapes[0]) < len(b.shapes[1]),
        lambda b: 1 in b.shapes[0] and b.shapes[0] != b.result and len(b.shapes[0]) == 2,
        lambda b: b.shapes[0] != b.result != b.shapes[1],
    ],
)
def test_every_way_to_broadcast_is_drawn(wanted):
    b = found(broadcastable_shapes(2), wanted)
    assert math.prod(b.result) <= 4


@given(st.data(), st.integers(1, 3))
def test_axes_are_valid_and_of_every_form(data, ndim):
    x = np.zeros((2,) * ndim)
    np.sum(x, axis=data.draw(axes(ndim)))
    np.sum(x, axis=data.draw(axis(ndim)))


@pytest.mark.parametrize(
    "form", [lambda a: a is None, lambda a: a == 1, lambda a: a == -1, lambda a: a == (0, 2), lambda a: a == (-3, 1)]
)
def test_every_form_of_axes_is_drawn(form):
    drawn_once(axes(3), form)


@given(st.data(), shapes(min_side=0))
def test_indices_fit_their_shape(data, shape):
    x = np.arange(math.prod(shape)).reshape(shape)
    index = data.draw(indices(shape))
    assert np.all(np.isin(x[index], x))


def is_mask(part):
    return isinstance(part, np.ndarray) and part.dtype == bool


def is_places(part):
    return isinstance(part, np.ndarray) and part.dtype == np.int64


def parts(index):
    return index if isinstance(index, tuple) else (index,)


@pytest.mark.parametrize(
    "form",
    [
        lambda i: isinstance(i, int),
        lambda i: isinstance(i, slice) and i.step == -2,
        lambda i: any(p is Ellipsis for p in parts(i)) and any(isinstance(p, int) for p in parts(i)),
        lambda i: sum(p is None for p in parts(i)) == 2,
        lambda i: is_places(i) and i.size > len(np.unique(i % 2)),
        lambda i: sum(is_places(p) for p in parts(i)) == 2,
        lambda i: is_mask(i) and i.ndim == 2 and i.any(),
        lambda i: any(is_mask(p) for p in parts(i)) and any(is_places(p) for p in parts(i)),
        lambda i: [type(p) for p in parts(i)] == [np.ndarray, slice, np.ndarray],
    ],
    ids=["int", "slice", "ellipsis", "newaxis", "repeating", "two arrays", "mask", "mask and array", "slice between"],
)
def test_every_form_of_index_is_drawn(form):
    drawn_once(indices((2, 3, 2)), form)


def test_the_simplest_index_takes_all():
    assert parts(found(indices((2, 3)), lambda i: True))[0] == slice(None)


LAYOUTS = {
    "C": lambda a: a.flags.c_contiguous and a.flags.writeable,
    "Fortran": lambda a: a.flags.f_contiguous and not a.flags.c_contiguous,
    "reversed": lambda a: a.strides[0] < 0,
    "strided": lambda a: a.strides[-1] > a.itemsize,
    "stride 0": lambda a: 0 in a.strides,
    "read-only": lambda a: not a.flags.writeable and 0 not in a.strides,
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_arrays_cotangents_and_layouts_come_in_every_memory(name):
    same = np.full((2, 3), 0.5)
    for strategy in (arrays((2, 3)), arrays((2, 3), dtype="float32"), cotangents((2, 3)), layouts(same)):
        a = drawn_once(strategy, LAYOUTS[name])
        assert a.shape == (2, 3)


@given(st.data(), arrays(shapes(), Distinct()))
def test_a_layout_keeps_the_values_and_leaves_the_array(data, x):
    before = x.copy()
    np.testing.assert_array_equal(data.draw(layouts(x)), before)
    np.testing.assert_array_equal(x, before)


def test_without_layouts_arrays_are_as_numpy_makes_them():
    @given(arrays(shapes(), layout=False))
    def run(a):
        assert a.flags.c_contiguous
        assert a.flags.writeable

    run()


@given(cotangents(shapes()))
def test_cotangents_are_not_all_zero_and_of_no_particular_size(g):
    assert np.any(g)
    assert not np.any(np.abs(g) == 1)


@pytest.mark.parametrize(
    "wanted", [lambda g: np.any(g == 0), lambda g: np.min(g) < 0 < np.max(g), lambda g: g.max() > 7]
)
def test_cotangents_have_zeros_in_places_and_both_signs(wanted):
    drawn_once(cotangents((3,)), wanted)


@given(labels(shapes(), 4))
def test_labels_are_class_numbers(t):
    assert t.dtype == np.int64
    assert np.all((t >= 0) & (t < 4))


@given(conv_geometries())
def test_convolutions_fit(geometry):
    x, w = np.ones(geometry.input), np.ones(geometry.weight)
    assert tg.ops.conv2d(x, w, **geometry.options()).shape == geometry.output
    assert min(geometry.output[1:]) > 0


@given(pool_geometries())
def test_poolings_fit(geometry):
    assert tg.ops.max_pool2d(np.ones(geometry.input), **geometry.options()).shape == geometry.output


@given(conv_geometries(kernel_size=5, stride=1, padding=0, dilation=1, groups=1))
def test_options_stay_below_their_limits(geometry):
    assert geometry.options() == {"stride": (1, 1), "padding": (0, 0), "dilation": (1, 1), "groups": 1}


@pytest.mark.parametrize("option", ["stride", "padding", "dilation"])
def test_geometries_shrink_to_one_option_at_a_time(option):
    simplest = found(conv_geometries(), lambda g: True)
    geometry = found(conv_geometries(), lambda g: getattr(g, option)[1] > 1)
    others = {name for name in simplest.options() if name != option}
    assert all(geometry.options()[name] == simplest.options()[name] for name in others)
    assert simplest.input == (1, 1, 1, 1)


@given(convolutions(bias=True), poolings(), broadcasting(Real(), Positive(), Real()), indexed(min_side=0))
def test_samples_are_ready_to_be_called_with(convolution, pooling, together, indexed):
    assert tg.ops.conv2d(*convolution.inputs, **convolution.options).ndim == 4
    assert tg.ops.max_pool2d(*pooling.inputs, **pooling.options).ndim == 4
    assert len(np.unique(pooling.inputs[0])) == pooling.inputs[0].size
    a, b, c = together.inputs
    assert np.all(b > 0)
    assert (a + b + c).size > 0
    assert indexed.inputs[0][indexed.options["index"]] is not None


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: arrays((2,), AwayFrom((0.0,)), kinks=(1.0,)), ValueError, "arrays: both a domain and kinks; expected"),
        (lambda: arrays((2,), 3), TypeError, r"arrays: domain is 3; expected Real\(\), Positive\(\)"),
        (
            lambda: find(arrays((2,), dtype="int64"), np.any),
            TypeError,
            "arrays: dtype is int64; expected a floating one",
        ),
        (lambda: shapes(3, 2), ValueError, "shapes: 3 to 2 axes of 1 to 3 elements; expected numbers of 0 or more"),
        (lambda: broadcastable_shapes(0), ValueError, "broadcastable_shapes: count is 0; expected 1 or more"),
        (lambda: labels((2,), 0), ValueError, "labels: 0 classes; expected 1 or more"),
        (lambda: axis(0), ValueError, "axis: an array of 0 axes has none; expected 1 or more"),
    ],
)
def test_wrong_arguments_are_explained(make, error, message):
    with pytest.raises(error, match=message):
        make()
