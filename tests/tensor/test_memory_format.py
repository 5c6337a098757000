"""Memory formats: what lies beside what in memory, with the same elements and gradients."""

import numpy as np
import pytest

import tinygrad_cnn as tg
from tinygrad_cnn import nn

MADE = [
    lambda x, form: x.to(memory_format=form),
    lambda x, form: x.float(memory_format=form),
    lambda x, form: x.contiguous(memory_format=form),
    lambda x, form: x.clone(memory_format=form),
    lambda x, form: tg.clone(x, memory_format=form),
    lambda x, form: tg.full_like(x, 2.0, memory_format=form),
]


@pytest.mark.parametrize("make", MADE)
@pytest.mark.parametrize(
    ("form", "shape", "stride"),
    [(tg.channels_last, (2, 3, 4, 5), (60, 1, 15, 3)), (tg.channels_last_3d, (1, 2, 3, 4, 5), (120, 1, 40, 10, 2))],
)
def test_channels_come_last_in_memory(make, form, shape, stride):
    x = tg.full(shape, 2.0)
    y = make(x, form)
    assert y.stride() == stride
    assert y.is_contiguous(memory_format=form)
    assert not y.is_contiguous()
    assert (y == x).all()
    y.zero_()
    assert x.sum() == 2 * x.numel()


def test_what_lies_so_already_is_not_copied():
    x = tg.zeros(1, 2, 3, 3).contiguous(memory_format=tg.channels_last)
    assert x.to(memory_format=tg.channels_last) is x
    assert x.clone(memory_format=tg.channels_last) is not x
    assert x.contiguous().is_contiguous()
    assert not tg.zeros(3).is_contiguous(memory_format=tg.channels_last)


def test_gradients_pass_a_change_of_format():
    x = tg.arange(24.0).reshape(1, 2, 3, 4).requires_grad_()
    (x.to(memory_format=tg.channels_last) * tg.arange(4.0)).sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), np.broadcast_to(np.arange(4.0), x.shape))


def test_a_network_takes_images_in_every_format():
    net, x = nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.MaxPool2d(2)), tg.randn(2, 2, 8, 8)
    expected = net(x)
    net.to(memory_format=tg.channels_last)
    np.testing.assert_allclose(net(x.to(memory_format=tg.channels_last)).tolist(), expected.tolist(), rtol=1e-5)


def test_wrong_formats_are_refused():
    with pytest.raises(RuntimeError, match="required rank 4 tensor to use channels_last format, not 3 dims"):
        tg.zeros(1, 2, 3).to(memory_format=tg.channels_last)
    with pytest.raises(TypeError, match="memory_format is 'channels_last'; expected one such as"):
        tg.zeros(1).clone(memory_format="channels_last")
