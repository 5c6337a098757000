"""Pooling against PyTorch, in every geometry, and pooling undone."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_cnn as tg
from tests.parity.nn.test_convolutions import each, ints, sizes
from tests.parity.nn.twins import Case, check_function, check_layer, normal


def image(draw, dims, size):
    batch = (draw(ints(1, 2)),) if draw(st.booleans()) else ()
    return normal(draw, (*batch, draw(ints(1, 2)), *size))


def pooling(dims, dilated=False, **choices):
    def case(draw):
        kernel = sizes(draw, dims, 1, 3)
        dilation = sizes(draw, dims, 1, 2) if dilated else 1
        stride = draw(st.sampled_from([None, sizes(draw, dims, 1, 3)]))
        padding = sizes(draw, dims, 0, 1) if min(each(kernel, dims)) > 1 else 0
        options = {name: draw(st.sampled_from(values)) for name, values in choices.items()}
        if dilated:
            options["dilation"] = dilation
        least = [d * (k - 1) + 1 for k, d in zip(each(kernel, dims), each(dilation, dims), strict=True)]
        x = image(draw, dims, [n + draw(ints(1, 3)) for n in least])
        return Case((kernel, stride, padding), {"ceil_mode": draw(st.booleans()), **options}, (x,))

    return case


def power_pooling(dims):
    def case(draw):
        kernel = draw(ints(1, 3)) if dims == 1 else sizes(draw, dims, 1, 3)
        x = np.abs(image(draw, dims, [3 + draw(ints(0, 2)) for _ in range(dims)])) + 0.5
        stride = draw(st.sampled_from([None, 1, 2]))
        return Case((draw(st.sampled_from([1, 2, 3])), kernel, stride, draw(st.booleans())), {}, (x,))

    return case


def adaptive(dims, kept=True):
    def case(draw):
        size = [draw(ints(1, 6)) for _ in range(dims)]
        one = st.one_of(ints(1, 4), st.none()) if kept and dims > 1 else ints(1, 4)
        wanted = draw(st.one_of(ints(1, 4), st.tuples(*[one] * dims)))
        return Case((wanted,), {}, (image(draw, dims, size),))

    return case


def fractional(dims):
    def case(draw):
        kernel, wanted = sizes(draw, dims, 1, 3), sizes(draw, dims, 1, 3)
        least = [k + n - 1 for k, n in zip(each(kernel, dims), each(wanted, dims), strict=True)]
        free = ints(dims - 2, 3)  # PyTorch refuses volumes that windows just fill; of planes it does not
        x = image(draw, dims, [n + draw(free) for n in least])
        return Case((kernel,), {"output_size": wanted, "return_indices": draw(st.booleans())}, (x,))

    return case


INDICES = [True, False]
LAYERS = {
    "MaxPool1d": pooling(1, True, return_indices=INDICES), "MaxPool2d": pooling(2, True, return_indices=INDICES),
    "AvgPool1d": pooling(1, count_include_pad=INDICES),
    "AvgPool2d": pooling(2, count_include_pad=INDICES, divisor_override=[None, 3]),
    "MaxPool3d": pooling(3, True, return_indices=INDICES),
    "AvgPool3d": pooling(3, count_include_pad=INDICES, divisor_override=[None, 3]),
    "LPPool1d": power_pooling(1), "LPPool2d": power_pooling(2), "LPPool3d": power_pooling(3),
    "AdaptiveAvgPool1d": adaptive(1), "AdaptiveAvgPool2d": adaptive(2), "AdaptiveAvgPool3d": adaptive(3),
    "FractionalMaxPool2d": fractional(2), "FractionalMaxPool3d": fractional(3),
    "AdaptiveMaxPool1d": lambda draw: adaptive(1)(draw)._replace(options={"return_indices": draw(st.booleans())}),
    "AdaptiveMaxPool2d": lambda draw: adaptive(2)(draw)._replace(options={"return_indices": draw(st.booleans())}),
    "AdaptiveMaxPool3d": lambda draw: adaptive(3)(draw)._replace(options={"return_indices": draw(st.booleans())}),
}  # fmt: skip


@pytest.mark.parametrize("name", LAYERS)
def test_layers(name):
    @settings(max_examples=30)
    @given(st.data())
    def run(data):
        check_layer(name, LAYERS[name](data.draw))

    run()


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_unpooling(dims):
    @settings(max_examples=15)
    @given(st.data())
    def run(data):
        kernel, size = data.draw(ints(1, 3)), [data.draw(ints(3, 7)) for _ in range(dims)]
        x = np.random.default_rng(0).normal(size=(2, 2, *size))
        pool = getattr(torch.nn.functional, f"max_pool{dims}d")
        values, places = pool(torch.tensor(x), kernel, return_indices=True)
        case = Case((kernel,), {}, (values.numpy(), places.numpy()))
        if all(n % kernel == 0 for n in size):
            check_layer(f"MaxUnpool{dims}d", case)
        check_function(f"max_unpool{dims}d", case._replace(options={"output_size": size}))

    run()


@pytest.mark.parametrize(
    "name",
    ["max_pool1d", "max_pool2d", "max_pool3d", "adaptive_max_pool1d", "adaptive_max_pool2d", "adaptive_max_pool3d"],
)
def test_with_indices(name):
    x = np.random.default_rng(0).normal(size=(2, 3, *[5] * int(name[-2])))
    check_function(name + "_with_indices", Case((2,), {}, (x,)))


def test_nan_is_a_maximum_here_and_there():
    x = np.array([[1.0, np.nan, 2.0, 3.0]])
    found = [library.nn.functional.max_pool1d(library.tensor(x), 2).numpy() for library in (tg, torch)]
    np.testing.assert_array_equal(*found)
