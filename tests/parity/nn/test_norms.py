"""Normalisations against PyTorch: by the input and by running statistics, with and without weights."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_cnn as tg
from tests.parity.nn.twins import Case, check_function, check_layer, normal

FLAGS = st.booleans()


def spread(draw, shape):
    """Numbers with a variance: what is constant has no second derivative that two libraries agree on."""
    return np.random.default_rng(draw(st.integers(0, 2**16))).normal(size=shape) * 2 + 1


def channels(*shapes):
    def case(draw):
        shape = draw(st.sampled_from(shapes))
        momentum = draw(st.sampled_from([0.1, 0.5, 1.0]))
        args = 3, draw(st.sampled_from([1e-5, 0.1])), momentum, draw(FLAGS), draw(FLAGS)
        return Case(args, {"bias": draw(FLAGS)}, (spread(draw, shape),))

    return case


def batches(*shapes):
    def case(draw):
        case = channels(*shapes)(draw)
        return case._replace(args=(*case.args[:2], draw(st.sampled_from([None, 0.1])), *case.args[3:]))

    return case


def last_dims(**choices):
    def case(draw):
        shape = draw(st.sampled_from([(4, 3), (2, 4, 3)]))
        last = draw(st.sampled_from([3, (3,), [3], shape[-2:]]))
        options = {name: draw(st.sampled_from(values)) for name, values in choices.items()}
        return Case((last,), options, (spread(draw, shape),))

    return case


def groups(draw):
    shape = draw(st.sampled_from([(2, 4), (2, 4, 3), (1, 4, 2, 3)]))
    options = {"affine": draw(FLAGS), "bias": draw(FLAGS), "eps": draw(st.sampled_from([1e-5, 0.1]))}
    many = draw(st.sampled_from([1, 2, 4] if len(shape) > 2 else [1, 2]))
    return Case((many, 4), options, (spread(draw, shape),))


def responses(draw):
    shape = draw(st.sampled_from([(2, 4, 3), (2, 3, 2, 2)]))
    args = draw(st.integers(1, 4)), draw(st.sampled_from([1e-4, 0.5])), draw(st.sampled_from([0.75, 1.0])), 2.0
    return Case(args, {}, (spread(draw, shape),))


BOTH = [True, False]
LAYERS = {
    "BatchNorm1d": batches((4, 3), (4, 3, 2)), "BatchNorm2d": batches((2, 3, 2, 2)),
    "BatchNorm3d": batches((2, 3, 2, 1, 2)),
    "InstanceNorm1d": channels((2, 3, 4), (3, 4)), "InstanceNorm2d": channels((2, 3, 2, 3), (3, 2, 3)),
    "InstanceNorm3d": channels((2, 3, 2, 1, 2), (3, 2, 1, 2)),
    "LayerNorm": last_dims(elementwise_affine=BOTH, bias=BOTH, eps=[1e-5, 0.1]),
    "RMSNorm": last_dims(elementwise_affine=BOTH, eps=[None, 0.1]), "GroupNorm": groups,
    "LocalResponseNorm": responses,
}  # fmt: skip


@pytest.mark.parametrize("training", BOTH)
@pytest.mark.parametrize("name", LAYERS)
def test_layers(name, training):
    @settings(max_examples=12)
    @given(st.data())
    def run(data):
        check_layer(name, LAYERS[name](data.draw), training)

    run()


@pytest.mark.parametrize("name", ["normalize", "cosine_similarity", "pairwise_distance", "pdist"])
def test_lengths_and_angles(name):
    @settings(max_examples=20)
    @given(st.data())
    def run(data):
        x, y = spread(data.draw, (3, 4)), spread(data.draw, (3, 4))
        p, dim = data.draw(st.sampled_from([1.0, 2.0, 3.0])), data.draw(st.sampled_from([0, 1, -1]))
        one, two = (x,), (x, data.draw(st.sampled_from([y, y[:1]])))
        cases = {
            "normalize": Case((p, dim), {}, one),
            "pdist": Case((p,), {}, one),
            "cosine_similarity": Case((dim,), {"eps": data.draw(st.sampled_from([1e-8, 1e-3]))}, two),
            "pairwise_distance": Case((p,), {"keepdim": data.draw(FLAGS)}, two),
        }
        check_function(name, cases[name])

    run()


@pytest.mark.parametrize("name", ["PairwiseDistance", "CosineSimilarity"])
def test_distances_as_layers(name):
    random = np.random.default_rng(0)
    check_layer(name, Case((), {}, (random.normal(size=(3, 4)), random.normal(size=(3, 4)))))


def test_the_number_of_channels_may_differ_where_there_are_no_weights_with_a_warning():
    for library in (tg, torch):
        layer = library.nn.InstanceNorm1d(3)
        with pytest.warns(UserWarning, match="num_features"):
            assert layer(library.ones(2, 4, 5)).shape == (2, 4, 5)
        with pytest.raises(ValueError):
            library.nn.InstanceNorm1d(3, affine=True)(library.ones(2, 4, 5))


def test_running_statistics_can_be_forgotten():
    for library in (tg, torch):
        layer = library.nn.BatchNorm1d(2)
        layer(library.ones(3, 2) * 4)
        layer.reset_running_stats()
        assert layer.running_mean.tolist() == [0, 0]
        assert layer.running_var.tolist() == [1, 1]
        assert layer.num_batches_tracked.item() == 0


@settings(max_examples=10)
@given(st.data())
def test_functions_take_weights_and_statistics(data):
    x = spread(data.draw, (2, 4, 3))
    w, b = normal(data.draw, (4,), low=0.5), normal(data.draw, (4,))
    calls = {
        "batch_norm": lambda F, x, w, b: F.batch_norm(x, None, None, w, b, training=True),
        "instance_norm": lambda F, x, w, b: F.instance_norm(x, weight=w, bias=b),
        "group_norm": lambda F, x, w, b: F.group_norm(x, 2, w, b),
        "layer_norm": lambda F, x, w, b: F.layer_norm(x, (3,), w[:3], b[:3]),
        "rms_norm": lambda F, x, w, b: F.rms_norm(x, (3,), w[:3], 1e-3),
    }
    for name, call in calls.items():
        ours, theirs = (
            call(library.nn.functional, *(library.tensor(v) for v in (x, w, b))).numpy() for library in (tg, torch)
        )
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-10, err_msg=name)
