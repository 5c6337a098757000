"""`check_gradients` on functions of PyTorch."""

import numpy as np
import pytest
import torch

from tinygrad_cnn.gradcheck import GradientError, torch_function
from tinygrad_cnn.gradcheck.strategies import Real, arrays, check_gradients, convolutions, labels, shapes


class Wrong(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x.sin()

    @staticmethod
    def backward(ctx, g):
        return g.abs()


test_gelu = check_gradients(arrays(shapes(), Real()), adapter=torch_function)(torch.nn.functional.gelu)


@check_gradients(convolutions(bias=True), adapter=torch_function)
def test_convolutions(x, w, b, **options):
    return torch.nn.functional.conv2d(x, w, b, **options)


@check_gradients(x=arrays((3, 4), Real()), t=labels((3,), 4), adapter=torch_function)
def test_labels(x, t):
    return torch.nn.functional.cross_entropy(x, t)


@check_gradients(x=arrays(shapes(), Real()), w=arrays(shapes(0, 0), Real()), constants=("w",))
def test_what_is_returned_is_checked():
    return torch_function(lambda x, w: x * w.detach())


def test_a_wrong_function_is_found_and_shrunk():
    test = check_gradients(arrays(shapes(), Real()), adapter=torch_function)(Wrong.apply)
    with pytest.raises(GradientError) as caught:
        test()
    assert np.array_equal(caught.value.report.smallest[0], 0.0)
