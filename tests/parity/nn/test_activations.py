"""Activations and dropout against PyTorch: every setting, at kinks, in place and not, to the second derivative."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_cnn as tg
from tests.parity.nn.twins import Case, check_function, check_layer, normal

SHAPES = st.sampled_from([(4,), (2, 3), (2, 3, 4), (1, 2, 3, 2), (0, 3)])
NUMBERS = st.sampled_from([0.5, 1.0, 2.0, 0.01])


def simple(*numbers, inplace=True):
    """Some numbers, and whether in place."""

    def case(draw):
        args = tuple(draw(s) for s in numbers)
        options = {"inplace": draw(st.booleans())} if inplace else {}
        return Case(args, options, (normal(draw, draw(SHAPES)),))

    return case


def along(draw):
    shape = draw(SHAPES.filter(lambda s: s[-1] > 1))
    return Case((draw(st.sampled_from([-1, 0, len(shape) - 1])),), {}, (normal(draw, shape),))


def halves(draw):
    shape = draw(st.sampled_from([(4,), (2, 4), (2, 4, 6)]))
    return Case((draw(st.sampled_from([-1, len(shape) - 1])),), {}, (normal(draw, shape),))


def prelu(draw):
    shape = draw(st.sampled_from([(4,), (2, 3), (2, 3, 4)]))
    channels = shape[1] if len(shape) > 1 else 1
    return Case((draw(st.sampled_from([1, channels])), draw(NUMBERS)), {}, (normal(draw, shape),))


def ranged(draw):
    case = simple()(draw)
    return case._replace(args=draw(st.sampled_from([(), (-0.5, 1.0), (0.0, 2)])))


def dropped(*shapes):
    return lambda draw: Case(
        (draw(st.sampled_from([0.0, 0.25, 1.0])),),
        {"inplace": draw(st.booleans())},
        (normal(draw, draw(st.sampled_from(shapes))),),
    )


LAYERS = {
    "ReLU": simple(), "ReLU6": simple(), "LeakyReLU": simple(NUMBERS), "PReLU": prelu, "ELU": simple(NUMBERS),
    "CELU": simple(NUMBERS), "SELU": simple(), "SiLU": simple(), "Mish": simple(), "Hardsigmoid": simple(),
    "RReLU": lambda draw: simple()(draw)._replace(args=draw(st.sampled_from([(), (0.25, 0.25)]))),
    "Hardswish": simple(), "Hardtanh": ranged, "Threshold": simple(NUMBERS, NUMBERS),
    "GELU": lambda draw: Case((), {"approximate": draw(st.sampled_from(["none", "tanh"]))}, (normal(draw, (3, 4)),)),
    "Softplus": simple(NUMBERS, st.sampled_from([20, 1.0]), inplace=False),
    "Hardshrink": simple(NUMBERS, inplace=False), "Softshrink": simple(NUMBERS, inplace=False),
    "Sigmoid": simple(inplace=False), "LogSigmoid": simple(inplace=False), "Tanh": simple(inplace=False),
    "Tanhshrink": simple(inplace=False), "Softsign": simple(inplace=False),
    "GLU": halves, "Softmax": along, "Softmin": along, "LogSoftmax": along,
    "Softmax2d": lambda draw: Case((), {}, (normal(draw, draw(st.sampled_from([(2, 3, 4, 2), (3, 2, 2)]))),)),
    "Dropout": dropped((2, 3), (4,)), "Dropout1d": dropped((2, 3, 4), (3, 4)),
    "Dropout2d": dropped((2, 3, 4, 2), (2, 3, 4), (2, 3)), "Dropout3d": dropped((2, 3, 2, 2, 2)),
    "AlphaDropout": dropped((2, 3), (4,)), "FeatureAlphaDropout": dropped((2, 3, 4), (2, 3)),
}  # fmt: skip


@pytest.mark.parametrize("name", LAYERS)
def test_layers(name):
    @settings(max_examples=20)
    @given(st.data(), st.booleans())
    def run(data, training):
        case = LAYERS[name](data.draw)
        if case.options.get("inplace"):  # a leaf cannot be written: PyTorch refuses, too
            case = case._replace(fixed=(0,))
        random = name == "RReLU" and training and case.args != (0.25, 0.25)
        check_layer(name, case, training and not random)

    run()


@pytest.mark.parametrize("name", ["Dropout", "Dropout1d", "Dropout2d", "AlphaDropout", "FeatureAlphaDropout"])
def test_in_training_the_same_elements_are_dropped(name):
    results = []
    for library in (tg, torch):
        library.manual_seed(3)
        results.append(getattr(library.nn, name)(0.25)(library.ones(6, 5, *([7] * (2 if "2d" in name else 1)))).numpy())
    np.testing.assert_allclose(*results, rtol=1e-6)


IN_PLACE = {"relu": (), "leaky_relu": (0.2,), "elu": (2.0,), "selu": (), "celu": (2.0,), "hardtanh": (), "rrelu": ()}


@pytest.mark.parametrize("underscored", [True, False])
@pytest.mark.parametrize("name", [*IN_PLACE, "threshold", "relu6", "silu", "mish", "hardswish", "hardsigmoid"])
def test_in_place_the_input_takes_the_value_and_the_history(name, underscored):
    args = IN_PLACE.get(name, (0.5, 2.0) if name == "threshold" else ())
    if underscored and not hasattr(torch.nn.functional, name + "_"):
        underscored = False
    x = np.random.default_rng(0).normal(size=(3, 4))
    found = []
    for library in (tg, torch):
        F = library.nn.functional
        function = getattr(F, name + "_") if underscored else lambda v, F=F: getattr(F, name)(v, *args, inplace=True)
        leaf = library.tensor(x, requires_grad=True)
        y = leaf * 2
        z = function(y, *args) if underscored else function(y)
        assert z is y
        (z * z).sum().backward()
        bare = library.tensor(x)
        function(bare, *args) if underscored else function(bare)
        found.append((y.detach().numpy(), leaf.grad.numpy(), bare.numpy()))
        with pytest.raises(RuntimeError):
            function(leaf, *args) if underscored else function(leaf)
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-7, atol=1e-12)  # PyTorch multiplies by a float32 sixth


def test_the_result_of_a_layer_that_nobody_else_sees_can_be_written():
    x = np.random.default_rng(0).normal(size=(2, 3, 8))
    found = []
    for library in (tg, torch):
        library.manual_seed(0)
        nn = library.nn
        net = nn.Sequential(nn.Conv1d(3, 4, 3), nn.Flatten(), nn.ELU(inplace=True)).double()
        net(library.tensor(x)).sum().backward()
        found.append(net[0].weight.grad.numpy())
    np.testing.assert_allclose(*found, rtol=1e-5)


@pytest.mark.parametrize("shape", [(3,), (2, 3), (2, 3, 2), (1, 2, 3, 2)])
@pytest.mark.parametrize("name", ["softmax", "softmin", "log_softmax"])
def test_a_missing_dim_is_guessed_alike_with_a_warning(name, shape):
    x = np.random.default_rng(0).normal(size=shape)
    found = []
    for library in (tg, torch):
        with pytest.warns(UserWarning, match="dim"):
            found.append(getattr(library.nn.functional, name)(library.tensor(x)).numpy())
    np.testing.assert_allclose(*found, rtol=1e-9)


@pytest.mark.parametrize("hard", [True, False])
def test_gumbel_softmax(hard):
    @settings(max_examples=10)
    @given(st.data())
    def run(data):
        x = normal(data.draw, (3, 4))
        check_function(
            "gumbel_softmax", Case((data.draw(NUMBERS), hard), {"dim": data.draw(st.sampled_from([0, -1]))}, (x,))
        )

    run()


@pytest.mark.parametrize("name", ["logsigmoid", "softplus", "mish", "silu", "tanhshrink", "elu", "gelu", "sigmoid"])
def test_far_out(name):
    x = np.array([-1000.1, -100.1, -40.1, 40.1, 100.1, 1000.1])
    if name == "mish":
        x = np.clip(x, -300, 300)  # beyond, PyTorch's second derivative is NaN
    check_function(name, Case((), {}, (x,)))
