"""Losses against PyTorch: every option and reduction, to the second derivative, and PyTorch's warnings."""

import warnings

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_cnn as tg
from tests.parity.nn.twins import Case, check_function, check_layer, compare, normal

REDUCTIONS = st.sampled_from(["mean", "sum", "none"])
SHAPES = st.sampled_from([(4,), (2, 3), (2, 3, 4)])


def weight(draw, shape):
    """A weight, or none, as each library's tensor: the layer's own argument."""
    return normal(draw, shape, low=0.5) if draw(st.booleans()) else None


def signs(draw, shape):
    return draw_array(draw, shape, [-1.0, 1.0])


def draw_array(draw, shape, values):
    random = np.random.default_rng(draw(st.integers(0, 2**16)))
    return random.choice(values, size=shape)


def probabilities(draw, shape):
    return np.clip(np.abs(np.sin(normal(draw, shape))), 0.01, 0.99)


def pair(**numbers):
    """Two arrays of one shape, both with gradients, and some options."""

    def case(draw):
        shape = draw(SHAPES)
        options = {name: draw(st.sampled_from(values)) for name, values in numbers.items()}
        return Case((), {**options, "reduction": draw(REDUCTIONS)}, (normal(draw, shape), normal(draw, shape)))

    return case


def against_signs(**numbers):
    def case(draw):
        case = pair(**numbers)(draw)
        return case._replace(inputs=(case.inputs[0], signs(draw, case.inputs[0].shape)), fixed=(1,))

    return case


def bce(draw):
    shape = draw(SHAPES)
    w = weight(draw, shape[-1:])
    inputs = probabilities(draw, shape), probabilities(draw, shape)
    return Case((w,), {"reduction": draw(REDUCTIONS)}, inputs, () if draw(st.booleans()) else (1,))


def bce_with_logits(draw):
    shape = draw(SHAPES)
    options = {"reduction": draw(REDUCTIONS), "pos_weight": weight(draw, shape[-1:])}
    return Case((weight(draw, shape),), options, (normal(draw, shape), probabilities(draw, shape)))


def classes(draw, shape, ignored):
    n, k, *places = shape
    labels = np.random.default_rng(draw(st.integers(0, 99))).integers(0, k, size=(n, *places))
    if draw(st.booleans()):
        labels.flat[0] = ignored
    return labels


CLASS_SHAPES = st.sampled_from([(3, 4), (2, 3, 4), (2, 3, 2, 2)])


def nll(draw):
    shape = draw(CLASS_SHAPES)
    options = {"ignore_index": draw(st.sampled_from([-100, 1])), "reduction": draw(REDUCTIONS)}
    inputs = normal(draw, shape), classes(draw, shape, options["ignore_index"])
    return Case((weight(draw, shape[1:2]),), options, inputs)


def cross_entropy(draw):
    case = nll(draw)
    options = {**case.options, "label_smoothing": draw(st.sampled_from([0.0, 0.1, 1.0]))}
    if draw(st.booleans()):
        options["ignore_index"] = -100
        return case._replace(options=options, inputs=(case.inputs[0], probabilities(draw, case.inputs[0].shape)))
    return case._replace(options=options)


def linear_cross_entropy(draw):
    n, features, classes = draw(st.integers(1, 3)), draw(st.integers(1, 3)), draw(st.integers(2, 4))
    places = draw(st.sampled_from([(), (2,), (2, 3)]))
    options = {
        "out_features": places, "bias": draw(st.booleans()), "reduction": draw(REDUCTIONS),
        "label_smoothing": draw(st.sampled_from([0.0, 0.1])),
    }  # fmt: skip
    x = normal(draw, (n, features))
    if draw(st.booleans()):
        return Case((features, classes), options, (x, probabilities(draw, (n, classes, *places))))
    options["ignore_index"] = draw(st.sampled_from([None, -100, 1]))
    return Case((features, classes), options, (x, draw_array(draw, (n, *places), np.arange(classes))))


def kl_div(draw):
    shape = draw(SHAPES)
    log_target = draw(st.booleans())
    target = normal(draw, shape) if log_target else probabilities(draw, shape)
    reduction = draw(st.sampled_from(["mean", "sum", "none", "batchmean"]))
    return Case((), {"log_target": log_target, "reduction": reduction}, (normal(draw, shape), target))


def poisson(draw):
    shape = draw(SHAPES)
    log_input = draw(st.booleans())
    options = {"log_input": log_input, "full": draw(st.booleans()), "reduction": draw(REDUCTIONS)}
    x = normal(draw, shape, low=0 if log_input else 0.5)
    return Case((), options, (x, draw_array(draw, shape, np.arange(6.0))), (1,))


def gaussian(draw):
    shape = draw(SHAPES)
    fits = [shape, (*shape[:-1], 1)] + [shape[:-1]] * (len(shape) > 1)
    var = normal(draw, draw(st.sampled_from(fits)), low=0.25)
    options = {"full": draw(st.booleans()), "reduction": draw(REDUCTIONS)}
    return Case((), options, (normal(draw, shape), normal(draw, shape), var))


def two_vectors(draw):
    shape = draw(st.sampled_from([(3, 4), (4,)]))
    options = {"margin": draw(st.sampled_from([0.0, 0.3])), "reduction": draw(REDUCTIONS)}
    return Case((), options, (normal(draw, shape), normal(draw, shape), signs(draw, shape[:-1])), (2,))


def ranking(draw):
    case = pair(margin=[0.0, 0.5])(draw)
    return case._replace(inputs=(*case.inputs, signs(draw, case.inputs[0].shape)), fixed=(2,))


def triplet(draw, **numbers):
    shape = draw(st.sampled_from([(3, 4), (4,)]))
    options = {"margin": draw(st.sampled_from([0.5, 1.0])), "swap": draw(st.booleans()), "reduction": draw(REDUCTIONS)}
    return Case((), {**options, **numbers}, tuple(normal(draw, shape) for _ in range(3)))


def multi_margin(draw):
    shape = draw(st.sampled_from([(3, 4), (4,)]))
    labels = np.random.default_rng(draw(st.integers(0, 99))).integers(0, 4, size=shape[:-1])
    args = draw(st.sampled_from([1, 2])), draw(st.sampled_from([0.5, 1.0])), weight(draw, (4,))
    return Case(args, {"reduction": draw(REDUCTIONS)}, (normal(draw, shape), labels))


def multi_label(draw):
    shape = draw(st.sampled_from([(3, 4), (4,)]))
    random = np.random.default_rng(draw(st.integers(0, 99)))
    target = np.array([random.permutation(4) for _ in range(shape[0] if len(shape) > 1 else 1)]).reshape(shape)
    target[..., random.integers(0, 4)] = -1
    return Case((), {"reduction": draw(REDUCTIONS)}, (normal(draw, shape), target))


def soft_labels(draw):
    shape = draw(st.sampled_from([(3, 4), (4,)]))
    inputs = normal(draw, shape), draw_array(draw, shape, [0.0, 1.0])
    return Case((weight(draw, shape[-1:]),), {"reduction": draw(REDUCTIONS)}, inputs, (1,))


LOSSES = {
    "L1Loss": pair(), "MSELoss": pair(),
    "SmoothL1Loss": pair(beta=[1.0, 0.5, 0.0]), "HuberLoss": pair(delta=[1.0, 0.5]),
    "BCELoss": bce, "BCEWithLogitsLoss": bce_with_logits, "NLLLoss": nll, "CrossEntropyLoss": cross_entropy,
    "LinearCrossEntropyLoss": linear_cross_entropy,
    "KLDivLoss": kl_div, "PoissonNLLLoss": poisson, "GaussianNLLLoss": gaussian, "SoftMarginLoss": against_signs(),
    "HingeEmbeddingLoss": against_signs(margin=[1.0, 0.5]), "MarginRankingLoss": ranking,
    "CosineEmbeddingLoss": two_vectors, "MultiMarginLoss": multi_margin, "MultiLabelMarginLoss": multi_label,
    "MultiLabelSoftMarginLoss": soft_labels, "TripletMarginWithDistanceLoss": triplet,
    "TripletMarginLoss": lambda draw: triplet(draw, p=draw(st.sampled_from([1.0, 2.0, 3.0]))),
}  # fmt: skip


@pytest.mark.parametrize("name", LOSSES)
def test_losses(name):
    @settings(max_examples=25)
    @given(st.data())
    def run(data):
        check_layer(name, LOSSES[name](data.draw))

    run()


WEIGHTED = {"mse_loss": pair(), "l1_loss": pair(), "huber_loss": pair(delta=[1.0, 0.5])}


@pytest.mark.parametrize("name", WEIGHTED)
def test_losses_with_a_weight_for_each_difference(name):
    @settings(max_examples=15)
    @given(st.data())
    def run(data):
        case = WEIGHTED[name](data.draw)
        w = normal(data.draw, case.inputs[0].shape, low=0.5)
        calls = [
            lambda a, b, c, F=library.nn.functional: getattr(F, name)(a, b, weight=c, **case.options)
            for library in (tg, torch)
        ]
        from_here = case._replace(inputs=(*case.inputs, w), options={})
        compare(*calls, from_here)

    run()


@pytest.mark.parametrize("name", ["mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss"])
def test_shapes_that_broadcast_are_warned_about_and_broadcast(name):
    a, b = np.arange(6.0).reshape(3, 2) / 5, np.arange(3.0).reshape(3, 1)
    found = []
    for library in (tg, torch):
        with pytest.warns(UserWarning, match="target"):
            found.append(getattr(library.nn.functional, name)(library.tensor(a), library.tensor(b)).item())
    assert found[0] == pytest.approx(found[1], rel=1e-9)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"size_average": False}, "sum"),
        ({"size_average": True}, "mean"),
        ({"reduce": False}, "none"),
        ({"size_average": False, "reduce": True}, "sum"),
    ],
)
def test_the_old_options_of_reductions_decide_with_a_warning(old, new):
    x, t = np.linspace(0.1, 0.9, 6), np.linspace(0, 1, 6)
    for library in (tg, torch):
        F = library.nn.functional
        expected = F.binary_cross_entropy(library.tensor(x), library.tensor(t), reduction=new).numpy()
        with pytest.warns(UserWarning, match="size_average"):
            found = F.binary_cross_entropy(library.tensor(x), library.tensor(t), **old).numpy()
        np.testing.assert_array_equal(found, expected)
        with pytest.warns(UserWarning, match="size_average"):
            assert library.nn.BCELoss(**old).reduction == new


def test_old_options_are_accepted_by_position():
    x, t = np.random.default_rng(0).normal(size=(3, 4)), np.array([0, 3, 1])
    found = [
        library.nn.CrossEntropyLoss(None, None, 3, None, "sum", 0.1)(library.tensor(x), library.tensor(t)).item()
        for library in (tg, torch)
    ]
    assert found[0] == pytest.approx(found[1], rel=1e-9)


@pytest.mark.parametrize("target", [0.0, 0.3, 1.0])
def test_far_out(target):
    x = np.array([-1000.1, -100.1, -30.1, 30.1, 100.1, 1000.1])
    t = np.full(6, target)
    check_function("binary_cross_entropy_with_logits", Case((), {"reduction": "none"}, (x, t), (1,)))
    p = np.array([0.0, 1e-300, 1e-20, 1e-4, 0.99999, 1.0])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check_function("binary_cross_entropy", Case((), {"reduction": "none"}, (p, t), (1,), 1))
