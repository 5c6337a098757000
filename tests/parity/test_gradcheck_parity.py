"""The checker on functions of PyTorch: right ones pass, wrong ones are found, also one that PyTorch's own misses."""

import numpy as np
import pytest
import torch

from tinygrad_cnn.gradcheck import GradientError, Verdict, gradcheck, torch_function

X = np.array([[0.5, -1.0, 2.0], [0.1, 0.7, -0.3]])


class Wrong(torch.autograd.Function):
    """y = Σ x², whose backward takes |g|."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return (x**2).sum()

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return 2 * g.abs() * x


def leaf(dtype=torch.float64):
    return torch.tensor(X, dtype=dtype, requires_grad=True)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("f", [torch.nn.functional.gelu, lambda x: x.softmax(dim=1), lambda x: (x @ x.T, x.max())])
def test_functions_of_torch_pass(f, dtype):
    report = gradcheck(torch_function(f), leaf(dtype), check_batched_grad=True)
    assert report
    assert "a batch of cotangents, at once (torch.autograd.grad, is_grads_batched), gives the same" in report.notes


def test_an_absolute_cotangent_passes_both_modes_of_torch_and_not_ours():
    assert torch.autograd.gradcheck(Wrong.apply, leaf())
    assert torch.autograd.gradcheck(Wrong.apply, leaf(), fast_mode=True)
    report = gradcheck(torch_function(Wrong.apply), leaf(), raise_exception=False)
    assert report.verdict is Verdict.FAIL
    assert report.diagnoses[0].kind == "nonlinear"


def test_a_torch_function_that_leaves_the_graph_is_found():
    with pytest.raises(GradientError, match="no output requires a gradient; the function leaves the graph"):
        gradcheck(torch_function(lambda x: x.detach()), leaf())
    with pytest.raises(TypeError, match=r"the function returned float; expected a torch.Tensor or a tuple of them"):
        gradcheck(torch_function(lambda x: 1.0), leaf())


@pytest.mark.parametrize(
    ("f", "dtype", "what"),
    [(torch.sin, torch.bfloat16, "input 0"), (lambda x: x.bfloat16().sin(), torch.float32, "output 0")],
)
def test_bfloat16_is_answered_in_a_sentence(f, dtype, what):
    with pytest.raises(TypeError, match=f"gradcheck: {what} is bfloat16, .* check the same function in float32"):
        gradcheck(torch_function(f), leaf(dtype))


@pytest.mark.parametrize("scale", [1e-30, 1e-10, 1e10, 1e30])
@pytest.mark.parametrize("f", [torch.nn.functional.softplus, lambda x: x.abs().log(), lambda x: x.softmax(1)])
def test_right_gradients_of_torch_fail_at_no_scale(f, scale):
    x = (leaf(torch.float32).detach() * scale).requires_grad_()
    report = gradcheck(torch_function(f), x, raise_exception=False)
    assert report.verdict is not Verdict.FAIL, str(report)
