"""Linear maps, convolutions and windows cut out of images against PyTorch, in every geometry."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_cnn as tg
from tests.parity.nn.twins import Case, check_layer, normal

ints = st.integers


def sizes(draw, dims, low, high):
    """One size for all dims, or one each."""
    return draw(st.one_of(ints(low, high), st.tuples(*[ints(low, high)] * dims)))


def each(size, dims):
    return size if isinstance(size, tuple) else (size,) * dims


def convolution(dims):
    def case(draw):
        groups = draw(ints(1, 2))
        channels, outputs = groups * draw(ints(1, 2)), groups * draw(ints(1, 2))
        kernel, dilation = sizes(draw, dims, 1, 3), sizes(draw, dims, 1, 2)
        mode = draw(st.sampled_from(["zeros", "reflect", "replicate", "circular"]))
        padding = draw(st.sampled_from(["same", "valid"])) if draw(st.booleans()) else sizes(draw, dims, 0, 2)
        stride = 1 if padding == "same" else sizes(draw, dims, 1, 3)
        least = [max(3, d * (k - 1) + 1) for k, d in zip(each(kernel, dims), each(dilation, dims), strict=True)]
        options = {"groups": groups, "bias": draw(st.booleans()), "padding_mode": mode}
        batch = (draw(ints(1, 2)),) if draw(st.booleans()) else ()
        shape = (*batch, channels, *(n + draw(ints(0, 2)) for n in least))
        args = channels, outputs, kernel, stride, padding, dilation
        return Case(args, options, (normal(draw, shape),))

    return case


def transposed(dims):
    def case(draw):
        groups = draw(ints(1, 2))
        channels, outputs = groups * draw(ints(1, 2)), groups * draw(ints(1, 2))
        kernel, dilation, stride = sizes(draw, dims, 1, 3), sizes(draw, dims, 1, 2), sizes(draw, dims, 1, 3)
        reach = [d * (k - 1) + 1 for k, d in zip(each(kernel, dims), each(dilation, dims), strict=True)]
        padding = draw(ints(0, min(1, (min(reach) - 1) // 2)))
        most = min(max(s, d) for s, d in zip(each(stride, dims), each(dilation, dims), strict=True))
        args = (
            channels,
            outputs,
            kernel,
            stride,
            padding,
            draw(ints(0, most - 1)),
            groups,
            draw(st.booleans()),
            dilation,
        )
        batch = (draw(ints(1, 2)),) if draw(st.booleans()) else ()
        return Case(args, {}, (normal(draw, (*batch, channels, *(draw(ints(1, 4)) for _ in range(dims)))),))

    return case


def linear(draw):
    lead = draw(st.sampled_from([(), (3,), (2, 3), (0,)]))
    n = draw(ints(1, 4))
    return Case((n, draw(ints(1, 3))), {"bias": draw(st.booleans())}, (normal(draw, (*lead, n)),))


def bilinear(draw):
    lead, n, m = draw(st.sampled_from([(), (3,), (2, 3)])), draw(ints(1, 3)), draw(ints(1, 3))
    args = n, m, draw(ints(1, 3)), draw(st.booleans())
    return Case(args, {}, (normal(draw, (*lead, n)), normal(draw, (*lead, m))))


def windows(draw):
    kernel, dilation, stride = sizes(draw, 2, 1, 3), sizes(draw, 2, 1, 2), sizes(draw, 2, 1, 3)
    padding = sizes(draw, 2, 0, 1)
    least = [d * (k - 1) + 1 for k, d in zip(each(kernel, 2), each(dilation, 2), strict=True)]
    size = tuple(n + draw(ints(0, 2)) for n in least)
    return size, (kernel, dilation, padding, stride)


def unfold(draw):
    size, args = windows(draw)
    batch = (2,) if draw(st.booleans()) else ()
    return Case(args, {}, (normal(draw, (*batch, draw(ints(1, 2)), *size)),))


def fold(draw):
    size, args = windows(draw)
    columns = torch.nn.functional.unfold(torch.zeros(1, 2, *size), *args).shape[1:]
    batch = (2,) if draw(st.booleans()) else ()
    return Case((size, *args), {}, (normal(draw, (*batch, *columns)),))


def flatten(draw):
    shape = draw(st.sampled_from([(2, 3, 4), (2, 3, 4, 2)]))
    start = draw(ints(0, len(shape) - 1))
    return Case((start, draw(ints(start, len(shape) - 1)) - len(shape)), {}, (normal(draw, shape),))


def unflatten(draw):
    sizes_ = draw(st.sampled_from([(2, 6), (3, -1), (2, 3, 2), (12,)]))
    return Case((draw(st.sampled_from([1, -2])), sizes_), {}, (normal(draw, (2, 12, 3)),))


LAYERS = {
    "Linear": linear, "Bilinear": bilinear, "Conv1d": convolution(1), "Conv2d": convolution(2),
    "Conv3d": convolution(3), "ConvTranspose3d": transposed(3),
    "ConvTranspose1d": transposed(1), "ConvTranspose2d": transposed(2), "Unfold": unfold, "Fold": fold,
    "Flatten": flatten, "Unflatten": unflatten,
    "Identity": lambda draw: Case((3, "any"), {"thing": 1}, (normal(draw, (2, 3)),)),
}  # fmt: skip


@pytest.mark.parametrize("name", LAYERS)
def test_layers(name):
    @settings(max_examples=30 if "Conv" in name else 12)
    @given(st.data())
    def run(data):
        check_layer(name, LAYERS[name](data.draw))

    run()


@settings(max_examples=20)
@given(ints(1, 3), ints(1, 3), ints(0, 1), ints(1, 4), st.data())
def test_an_output_size_is_reached_or_refused_alike(kernel, stride, padding, length, data):
    padding = min(padding, (kernel - 1) // 2)
    low = (length - 1) * stride - 2 * padding + kernel
    wanted = low + data.draw(ints(-1, stride))
    x = np.random.default_rng(0).normal(size=(1, 2, length))
    found = []
    for library in (tg, torch):
        library.manual_seed(0)
        layer = library.nn.ConvTranspose1d(2, 1, kernel, stride, padding).double()
        try:
            found.append(layer(library.tensor(x), output_size=[wanted]).detach().numpy())
        except ValueError:
            found.append(None)
    assert (found[0] is None) == (found[1] is None)
    if found[0] is not None:
        np.testing.assert_allclose(*found, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize(
    "name", ["Linear", "Conv1d", "Conv2d", "Conv3d", "ConvTranspose2d", "BatchNorm2d", "PReLU", "LayerNorm"]
)
def test_a_dtype_and_the_device_can_be_given(name):
    args = (2, 3, 2) if "Conv" in name else (2, 3) if name == "Linear" else (3,)
    for library in (tg, torch):
        layer = getattr(library.nn, name)(*args, device="cpu", dtype=library.float64)
        assert all(str(p.dtype) == "torch.float64" for p in layer.parameters())
        with pytest.raises((RuntimeError, AssertionError)):
            getattr(library.nn, name)(*args, device="cuda")
