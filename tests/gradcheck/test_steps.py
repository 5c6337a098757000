"""The user's `eps`: any that can move the inputs is taken, any other is refused in one sentence."""

import numpy as np
import pytest

from tinygrad_cnn import tensor
from tinygrad_cnn.gradcheck import gradcheck

EVERY = [10.0**k for k in range(-320, 309, 12)]


def wrong(x):
    return (x * x).sum() + (x**3).sum().detach()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", [1e-10, 1.0, 1e10])
def test_every_step_gives_a_verdict_or_a_sentence(dtype, size):
    x = tensor(np.array([1.1, -2.3], dtype) * dtype(size), requires_grad=True)
    for eps in EVERY:
        report = gradcheck(wrong, x, eps=eps, raise_exception=False)
        if report.raised is not None:
            assert report.problem.startswith(f"gradcheck: eps is {eps:g}; for inputs of {np.dtype(dtype)}")
            assert eps < float(np.spacing(np.abs(x.detach().numpy())).max()) or eps > float(np.finfo(dtype).max) ** 0.5


def test_a_step_that_moves_nothing_raises():
    x = tensor([1.0, 1e10], requires_grad=True)
    with pytest.raises(ValueError, match=r"as large as 1e\+10 it must be between 1\.0e\+03 and 1\.8e\+19"):
        gradcheck(lambda x: (x * x).sum(), x, eps=1e-3)
